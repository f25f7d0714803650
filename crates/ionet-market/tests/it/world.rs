//! Small random networks in which little differs, so that ties, full sites and scarce devices are common.

use ionet_market::index::{Index, Options};
use ionet_market::machine::{Machine, Prices, State};
use ionet_market::names::{ModelId, SiteId, SupplierId};
use ionet_market::placed::Placement;
use ionet_market::request::Request;
use ionet_market::scan;
use ionet_market::shape::{Demand, EXACT_BITS, GpuDemand, Instance, Room, Slot};
use ionet_market::waste::BestFit;
use ionet_types::DeviceId;
use ionet_types::market::{Arrangement, Compliance, Countries, Country, Lease, Region, Security, Tier};
use proptest::prelude::*;
use proptest::sample::select;

pub(crate) const NOW: i64 = 1_000_000;
pub(crate) const REFERENCES: [u32; 4] = [2_000_000, 1_000_000, 300_001, 115_000];
/// The model without GPUs.
pub(crate) const CPU: ModelId = ModelId(3);

pub(crate) fn country(letters: &str) -> Country {
    letters.parse().unwrap()
}

pub(crate) fn device(number: u16) -> DeviceId {
    let mut key = [7; 32];
    key[..2].copy_from_slice(&number.to_le_bytes());
    DeviceId(key)
}

fn wholes() -> impl Strategy<Value = (ModelId, Room, bool)> {
    (
        select(vec![0_u8, 0, 0, 0, 1, 1, 2, 3]),
        select(vec![1_u8, 2, 4, 8, 8]),
        select(vec![8_u32, 16, 96]),
        select(vec![32_u32, 64, 512]),
        0_u8..10,
    )
        .prop_map(|(model, gpus, cpus, memory, kind)| {
            let gpus = if ModelId(model) == CPU { 0 } else { gpus };
            let mig = kind == 0 && gpus > 0;
            let whole = Room::new(cpus * 1_000, memory * 1_024, 100_000, gpus, mig).unwrap();
            (ModelId(model), whole, mig || (kind < 6 && gpus > 0))
        })
}

type Place = (Option<Country>, Option<SiteId>, Option<SupplierId>);

fn places() -> impl Strategy<Value = Place> {
    let country = prop_oneof![1 => Just(None), 6 => select(vec!["DE", "FR", "US"]).prop_map(|letters| Some(country(letters)))];
    let site = prop_oneof![1 => Just(None), 3 => (0_u32..4).prop_map(|site| Some(SiteId(site)))];
    let supplier = prop_oneof![Just(None), (0_u32..2).prop_map(|supplier| Some(SupplierId(supplier)))];
    (country, site, supplier)
}

pub(crate) fn machines(number: u16) -> impl Strategy<Value = Machine> {
    let traits =
        (select(vec![Tier::None, Tier::Medium, Tier::High]), 0_u8..4, select(vec![Security::Process, Security::Container]), any::<bool>());
    let prices = (select(vec![0_u32, 900_000, 1_000_000, 1_000_000, 1_100_000]), select(vec![0_u32, 500_000, 800_000]));
    let past = (
        select(vec![0_u16, 500, 500, 900, 1_000]),
        select(vec![5_000_u16, 9_000, 9_990, 10_000]),
        select(vec![0_i64, NOW - 5, NOW - 3_590]),
    );
    (wholes(), places(), traits, prices, past, select(vec![24_000_u32, 80_000]), select(vec![0_u32, 0, 90])).prop_map(
        move |(
            (model, whole, divisible),
            (country, site, supplier),
            (tier, compliance, security, renewable),
            prices,
            past,
            vram_mb,
            min_hire,
        )| {
            let (reputation, survival, failed_at_unix_secs) = past;
            Machine {
                device: device(number),
                model,
                whole,
                divisible,
                vram_mb,
                tier,
                country,
                site,
                supplier,
                compliance,
                security,
                renewable,
                prices: Prices { on_demand_micro_usd: prices.0, interruptible_micro_usd: prices.1 },
                min_hire_minutes: min_hire,
                reputation,
                survival_bps: [10_000, survival.max(9_000), survival, survival / 2],
                failed_at_unix_secs,
            }
        },
    )
}

pub(crate) fn states() -> impl Strategy<Value = State> {
    prop_oneof![9 => Just(State::Hireable), 1 => select(State::ALL.to_vec())]
}

pub(crate) fn demands() -> impl Strategy<Value = Demand> {
    let gpus = prop_oneof![
        2 => Just(GpuDemand::None),
        3 => select(vec![250_u16, 500, 900]).prop_map(GpuDemand::Part),
        5 => select(vec![1_u8, 2, 4, 8]).prop_map(GpuDemand::Whole),
        1 => select(Instance::ALL.to_vec()).prop_map(GpuDemand::Instance),
    ];
    (select(vec![0_u32, 1_000, 1_000, 8_000, 17_000]), select(vec![0_u32, 1_024, 1_024, 40_000]), select(vec![0_u32, 30_000]), gpus)
        .prop_map(|(cpu_milli, memory_mb, disk_mb, gpus)| Demand { cpu_milli, memory_mb, disk_mb, gpus })
}

/// Mostly absent.
fn seldom<T: std::fmt::Debug + Clone + 'static>(usual: T, other: impl Strategy<Value = T> + 'static) -> impl Strategy<Value = T> {
    prop_oneof![14 => Just(usual), 1 => other.boxed()]
}

pub(crate) fn requests() -> impl Strategy<Value = Request> {
    let several = prop::sample::subsequence(vec![ModelId(0), ModelId(1), ModelId(2), CPU], 1..=3).prop_shuffle();
    let models = prop_oneof![Just(vec![ModelId(0)]), several];
    let countries = seldom(None, select(vec![Some(Region::Europe.countries()), Some([country("US")].into_iter().collect())]));
    let not = seldom(Countries::default(), Just([country("FR")].into_iter().collect::<Countries>()));
    let place = (
        countries,
        not,
        seldom(None, (0_u32..3).prop_map(|site| Some(SiteId(site)))),
        seldom(None, (0_u32..2).prop_map(|s| Some(SupplierId(s)))),
    );
    let quality = (
        seldom(0_u16, Just(500)),
        seldom(0_u8, select(vec![Compliance::Soc2.bit(), 3])),
        seldom(Security::Process, Just(Security::Container)),
        seldom(false, Just(true)),
        seldom(Tier::None, select(vec![Tier::Medium, Tier::High])),
        seldom(0_u32, Just(30_000)),
    );
    let terms = (
        seldom(None, select(vec![Some(900_000_u32), Some(1_000_000)])),
        seldom(Lease::OnDemand, Just(Lease::Interruptible)),
        select(vec![60_u32, 100, 5_000]),
    );
    let gang = (
        select(vec![1_u32, 1, 2, 3, 5, 8]),
        seldom(false, Just(true)),
        select(vec![None, None, Some(Arrangement::Pack), Some(Arrangement::Spread)]),
    );
    let exclude = prop::collection::btree_set((0_u16..60).prop_map(device), 0..2);
    (models, demands(), place, quality, terms, gang, exclude).prop_map(|(models, demand, place, quality, terms, gang, exclude)| Request {
        countries: place.0,
        not_countries: place.1,
        only_site: place.2,
        supplier: place.3,
        min_reputation: quality.0,
        compliance: quality.1,
        min_security: quality.2,
        renewable: quality.3,
        min_tier: quality.4,
        min_vram_mb: quality.5,
        max_price_micro_usd: terms.0,
        lease: terms.1,
        same_site: gang.1,
        arrangement: if gang.1 && gang.2 == Some(Arrangement::Spread) { None } else { gang.2 },
        exclude,
        ..Request::plain(models, demand, gang.0, terms.2)
    })
}

/// What devices there are, and their state.
pub(crate) fn fleets(most: u16) -> impl Strategy<Value = Vec<(Machine, State)>> {
    (0..=most).prop_flat_map(|count| (0..count).map(|number| (machines(number), states())).collect::<Vec<_>>())
}

pub(crate) fn options(exact: bool) -> Options {
    // Few kinds are judged, so that some are not.
    if exact { Options { outline_bits: EXACT_BITS, judged: usize::MAX } } else { Options { judged: 3, ..Options::default() } }
}

pub(crate) fn empty(exact: bool) -> Index<BestFit> {
    let mut index = Index::new(options(exact), BestFit, NOW);
    for (model, reference) in (0_u8..).map(ModelId).zip(REFERENCES) {
        index.set_reference(model, reference).unwrap();
    }
    index
}

pub(crate) fn index_of(fleet: &[(Machine, State)], exact: bool) -> Index<BestFit> {
    let mut index = empty(exact);
    for (machine, state) in fleet {
        index.put(machine.clone(), *state).unwrap();
    }
    index
}

/// What the plain scan answers for the devices of an index.
pub(crate) fn scanned(index: &Index<BestFit>, exact: bool, now_unix_secs: i64, request: &Request, seed: u64) -> Option<Placement> {
    let devices: Vec<_> = index.iter().collect();
    scan::place(&devices, |model| index.reference_micro_usd(model), options(exact), &mut BestFit, now_unix_secs, request, seed)
}

/// Something that was taken.
pub(crate) type Taken = (DeviceId, Demand, Slot);

pub(crate) fn taken(placement: &Placement) -> impl Iterator<Item = Taken> {
    placement.nodes.iter().map(|node| (node.device, node.demand, node.slot))
}
