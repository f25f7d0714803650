//! What customers might ask for.

use ionet_market::names::{ModelId, SupplierId};
use ionet_market::request::Request;
use ionet_market::shape::{Demand, GpuDemand, Instance};
use ionet_types::market::{Arrangement, Compliance, Lease, Region, Security, Tier};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;

use crate::fleet::{FIRST_OF_CENTRES, MODELS, reference, skewed};

fn model(rng: &mut SmallRng, centre: bool) -> ModelId {
    let number = if centre {
        FIRST_OF_CENTRES + u8::try_from(skewed(rng, usize::from(MODELS - FIRST_OF_CENTRES))).unwrap_or(0)
    } else {
        u8::try_from(skewed(rng, usize::from(FIRST_OF_CENTRES))).unwrap_or(0)
    };
    ModelId(number)
}

/// Some GPUs, or an instance of one.
pub(crate) fn some_of(rng: &mut SmallRng, mig: bool) -> GpuDemand {
    if mig {
        return GpuDemand::Instance(*Instance::ALL.choose(rng).expect("five"));
    }
    *[GpuDemand::Whole(1), GpuDemand::Whole(2), GpuDemand::Whole(4), GpuDemand::Part(250), GpuDemand::Part(500)].choose(rng).expect("five")
}

/// The CPUs and memory that go with them.
pub(crate) fn sized(rng: &mut SmallRng, gpus: GpuDemand) -> Demand {
    let parts = gpus.milli().max(1_000) / 1_000;
    Demand { cpu_milli: parts * 1_000 * rng.random_range(1..8), memory_mb: parts * 4_096 * rng.random_range(1..8), disk_mb: 20_000, gpus }
}

/// A request for one node: half of them for models of data centres, one in ten for several models, and each condition now and then.
pub(crate) fn single(rng: &mut SmallRng) -> Request {
    let centre = rng.random_bool(0.5);
    let mut models = vec![model(rng, centre)];
    if models[0].0 != 0 && rng.random_bool(0.1) {
        for _ in 0..2 {
            let other = model(rng, centre);
            if other.0 != 0 && !models.contains(&other) {
                models.push(other);
            }
        }
    }
    let gpus = match (models[0].0, centre, rng.random_range(0..20)) {
        (0, ..) => GpuDemand::None,
        (_, true, 0..2) => GpuDemand::Part(*[250, 500].choose(rng).expect("two")),
        (_, true, 2) => GpuDemand::Instance(*Instance::ALL.choose(rng).expect("five")),
        (_, true, _) => GpuDemand::Whole(*[1, 1, 1, 2, 4, 8, 8].choose(rng).expect("seven")),
        (_, false, _) => GpuDemand::Whole(*[1, 1, 1, 1, 1, 1, 1, 2].choose(rng).expect("eight")),
    };
    let demand = sized(rng, gpus);
    let minutes = *[60, 8 * 60, 24 * 60, 7 * 24 * 60, 30 * 24 * 60].choose(rng).expect("five");
    let reference = reference(models[0]);
    let mut request = Request::plain(models, demand, 1, minutes);
    if rng.random_bool(0.3) {
        request.countries = Some(Region::ALL.choose(rng).expect("some").countries());
    }
    if rng.random_bool(0.05) {
        request.not_countries = Region::Eu.countries();
        request.countries = None;
    }
    if rng.random_bool(0.2) {
        request.max_price_micro_usd = Some(reference / 100 * rng.random_range(85..130));
    }
    if rng.random_bool(0.2) {
        request.min_reputation = rng.random_range(300..800);
    }
    if rng.random_bool(0.1) {
        request.min_tier = *[Tier::Medium, Tier::High, Tier::UltraHigh].choose(rng).expect("three");
    }
    if centre && rng.random_bool(0.1) {
        request.compliance = Compliance::ALL.choose(rng).expect("some").bit();
        request.min_security = Security::VirtualMachine;
    }
    if centre && rng.random_bool(0.03) {
        request.supplier = Some(SupplierId(rng.random_range(0..400)));
    }
    if rng.random_bool(0.05) {
        request.renewable = true;
    }
    if rng.random_bool(0.1) {
        request.lease = Lease::Interruptible;
    }
    request
}

/// A request for 64 nodes in data centres: any sites, packed, spread, or all at one site.
pub(crate) fn gang(rng: &mut SmallRng, number: usize) -> Request {
    let mut request = single(rng);
    request.models = vec![ModelId(FIRST_OF_CENTRES + u8::try_from(skewed(rng, 20)).unwrap_or(0))];
    request.demand =
        Demand { cpu_milli: 1_000, memory_mb: 4_096, disk_mb: 20_000, gpus: GpuDemand::Whole(*[1, 2, 4, 8].choose(rng).expect("four")) };
    (request.supplier, request.compliance, request.nodes) = (None, 0, 64);
    match number % 4 {
        0 => {}
        1 => request.arrangement = Some(Arrangement::Pack),
        2 => request.arrangement = Some(Arrangement::Spread),
        _ => request.same_site = true,
    }
    request
}
