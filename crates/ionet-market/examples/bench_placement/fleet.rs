//! A network as it might be: a few common models and many rare ones, data centres with racks of alike machines, and single machines at
//! home.

use ionet_market::machine::{Machine, Prices};
use ionet_market::names::{ModelId, SiteId, SupplierId};
use ionet_market::shape::Room;
use ionet_types::DeviceId;
use ionet_types::market::{Country, Security, Tier};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom as _;

/// Models, without GPUs the first.
pub(crate) const MODELS: u8 = 45;
/// Models from this on stand in data centres.
pub(crate) const FIRST_OF_CENTRES: u8 = 25;
const COUNTRIES: [&str; 60] = [
    "US", "DE", "CN", "IN", "GB", "FR", "JP", "KR", "NL", "CA", "SE", "FI", "NO", "PL", "ES", "IT", "CH", "AT", "BE", "IE", "PT", "CZ",
    "DK", "RO", "BG", "GR", "HU", "EE", "LT", "LV", "UA", "TR", "IL", "AE", "SA", "SG", "MY", "TH", "VN", "ID", "PH", "HK", "TW", "AU",
    "NZ", "BR", "AR", "CL", "CO", "MX", "PE", "ZA", "NG", "KE", "EG", "MA", "IS", "LU", "RS", "KZ",
];
const TIERS: [Tier; 4] = [Tier::Low, Tier::Medium, Tier::High, Tier::UltraHigh];

/// The reference price of a model, micro-USD for a GPU-hour.
pub(crate) fn reference(model: ModelId) -> u32 {
    match model.0 {
        0 => 115_000,
        home if home < FIRST_OF_CENTRES => 120_000 + u32::from(home) * 20_000,
        centre => 700_000 + u32::from(centre - FIRST_OF_CENTRES) * 150_000,
    }
}

/// A data centre.
struct Site {
    country: Country,
    supplier: SupplierId,
    tier: Tier,
    compliance: u8,
    security: Security,
    renewable: bool,
    /// Its supplier's floor, per cent of the reference price.
    floor_percent: u32,
    models: [ModelId; 3],
    weight: u32,
}

/// Where devices come from.
pub(crate) struct World {
    sites: Vec<Site>,
    weights: Vec<u32>,
    countries: Vec<Country>,
}

/// A number below `count`, small ones much more often.
pub(crate) fn skewed(rng: &mut SmallRng, count: usize) -> usize {
    let part = (rng.random_range(0_u64..1 << 20) * rng.random_range(0_u64..1 << 20)) >> 20;
    usize::try_from((part * count as u64) >> 20).unwrap_or(0)
}

impl World {
    pub(crate) fn new(rng: &mut SmallRng, devices: usize) -> Self {
        let countries: Vec<Country> = COUNTRIES.iter().map(|letters| letters.parse().expect("a country")).collect();
        let centre_model =
            |rng: &mut SmallRng| ModelId(FIRST_OF_CENTRES + u8::try_from(skewed(rng, usize::from(MODELS - FIRST_OF_CENTRES))).unwrap_or(0));
        let sites: Vec<Site> = (0..(devices / 250).max(40))
            .map(|_| Site {
                country: countries[skewed(rng, countries.len())],
                supplier: SupplierId(rng.random_range(0..400)),
                tier: *TIERS[1..].choose(rng).expect("three"),
                compliance: if rng.random_bool(0.4) { rng.random_range(0..32) } else { 0 },
                security: if rng.random_bool(0.5) { Security::Container } else { Security::VirtualMachine },
                renewable: rng.random_bool(0.3),
                floor_percent: if rng.random_bool(0.3) { rng.random_range(80..150) } else { 0 },
                models: [centre_model(rng), centre_model(rng), centre_model(rng)],
                weight: 1 + u32::try_from(skewed(rng, 100)).unwrap_or(0),
            })
            .collect();
        let mut sum = 0;
        let weights = sites.iter().map(|site| {
            sum += site.weight;
            sum
        });
        Self { weights: weights.collect(), sites, countries }
    }

    /// Device by number: two of five in data centres, the others at home; one of ten without a GPU.
    pub(crate) fn machine(&self, rng: &mut SmallRng, number: usize) -> Machine {
        let mut key = [0; 32];
        rng.fill(&mut key);
        key[..8].copy_from_slice(&(number as u64).to_le_bytes());
        let at = rng.random_bool(0.4).then(|| {
            let weight = rng.random_range(0..*self.weights.last().expect("some sites"));
            self.weights.partition_point(|sum| *sum <= weight)
        });
        let model = match at {
            Some(at) => *self.sites[at].models.choose(rng).expect("three"),
            None if rng.random_bool(0.17) => ModelId(0),
            None => ModelId(1 + u8::try_from(skewed(rng, usize::from(FIRST_OF_CENTRES) - 1)).unwrap_or(0)),
        };
        let gpus: u8 = match (model.0, at) {
            (0, _) => 0,
            (_, Some(_)) => *[1, 2, 4, 4, 8, 8, 8, 8].choose(rng).expect("eight"),
            (_, None) => *[1, 1, 1, 1, 1, 1, 2, 4].choose(rng).expect("eight"),
        };
        let cpus = u32::from(gpus.max(1)) * [8, 12, 16, 24].choose(rng).expect("four");
        let memory_mb = u32::from(gpus.max(1)) * 1_024 * [32, 64, 128].choose(rng).expect("three");
        let mig = at.is_some() && rng.random_bool(0.03);
        let divisible = mig || at.is_some() && gpus > 1 && rng.random_bool(0.6) || gpus > 0 && rng.random_bool(0.03);
        let reference = reference(model);
        let site = at.map(|at| &self.sites[at]);
        let country = site.map_or_else(|| self.countries[skewed(rng, self.countries.len())], |site| site.country);
        let tier = site.map_or_else(|| TIERS[skewed(rng, 4)], |site| site.tier);
        // What the network's oracle might say of the model, the connection and the continent.
        let oracle_percent = 85 + tier as u32 * 5 + country.continent() as u32 % 3 * 4;
        let floor_percent =
            site.map_or_else(|| if rng.random_bool(0.2) { rng.random_range(70..140) } else { 0 }, |site| site.floor_percent);
        let price = reference / 100 * oracle_percent.max(floor_percent);
        let daily_loss = rng.random_range(0_u16..40) * if site.is_some() { 1 } else { 10 };
        let survival = |days: u16, part: u16| 10_000_u16.saturating_sub((daily_loss * days / part).min(9_000));
        Machine {
            device: DeviceId(key),
            model,
            whole: Room::new(cpus * 1_000, memory_mb, 500_000 * u32::from(gpus.max(1)), gpus, mig).expect("at most eight GPUs"),
            divisible,
            vram_mb: 8_192 + u32::from(model.0) * 1_536,
            tier,
            country: Some(country),
            site: at.and_then(|at| u32::try_from(at).ok()).map(SiteId),
            supplier: site.map(|site| site.supplier),
            compliance: site.map_or(0, |site| site.compliance),
            security: site.map_or(Security::Container, |site| site.security),
            renewable: site.map_or_else(|| rng.random_bool(0.1), |site| site.renewable),
            prices: Prices { on_demand_micro_usd: price, interruptible_micro_usd: if rng.random_bool(0.5) { price / 100 * 60 } else { 0 } },
            min_hire_minutes: if rng.random_bool(0.1) { 24 * 60 } else { 0 },
            reputation: u16::try_from(400 + skewed(rng, 600)).unwrap_or(0).clamp(0, 1_000),
            survival_bps: [survival(1, 24), survival(1, 1), survival(7, 1), survival(20, 1)],
            failed_at_unix_secs: if rng.random_bool(0.002) { crate::NOW - 1_000 } else { 0 },
        }
    }
}
