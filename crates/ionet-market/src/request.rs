//! A customer's request, checked: what is wrong with it alone is refused here, before any device is looked at.

use std::collections::BTreeSet;

use ionet_rules::booking::{MAX_MINUTES, MAX_QUANTITY};
use ionet_types::DeviceId;
use ionet_types::hardware::{HardwareKind, HardwareModel};
use ionet_types::market::requirements::MAX_LIST;
use ionet_types::market::{Arrangement, Compliance, Countries, Country, GpuInstance, Lease, Region, Requirements, Security, Tier};

use crate::machine::{Horizon, MAX_PRICE_MICRO_USD, MAX_REPUTATION};
use crate::names::{Catalogue, ModelId, SiteId, SupplierId};
use crate::refusal::{Problem, Refusal};
use crate::shape::{Demand, GpuDemand, Instance, MAX_GPUS, WHOLE_MILLI};

/// Most devices that a request may exclude.
pub const MAX_EXCLUDED: usize = 4_096;

/// What is to be placed. Every field is a condition of its own, so that one can be dropped or changed; [`Request::check`] makes only
/// requests whose fields agree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Models that would do, in the customer's order. A cluster is of one of them.
    pub models: Vec<ModelId>,
    /// What each node takes.
    pub demand: Demand,
    /// How many nodes.
    pub nodes: u32,
    /// For how long, minutes.
    pub minutes: u32,
    /// Memory of each GPU, MiB.
    pub min_vram_mb: u32,
    /// Connection.
    pub min_tier: Tier,
    /// Countries that are wanted; `None` for any, wherever it is.
    pub countries: Option<Countries>,
    /// Countries that are excluded.
    pub not_countries: Countries,
    /// [`Compliance::bits`].
    pub compliance: u8,
    /// Separation from the machine.
    pub min_security: Security,
    /// Renewable energy only.
    pub renewable: bool,
    /// This supplier only.
    pub supplier: Option<SupplierId>,
    /// Highest price, micro-USD for one GPU or CPU device for one hour.
    pub max_price_micro_usd: Option<u32>,
    /// Lowest reputation.
    pub min_reputation: u16,
    /// How the nodes lie.
    pub arrangement: Option<Arrangement>,
    /// All at one site.
    pub same_site: bool,
    /// Whether the supplier may end it.
    pub lease: Lease,
    /// Devices that must not be taken: those that failed this very cluster, or are in it already.
    pub exclude: BTreeSet<DeviceId>,
    /// Only at this site: where the rest of a cluster is.
    pub only_site: Option<SiteId>,
}

impl Request {
    /// A request for whatever devices of these models, by the customer's order of preference.
    pub fn plain(models: Vec<ModelId>, demand: Demand, nodes: u32, minutes: u32) -> Self {
        Self {
            models,
            demand,
            nodes,
            minutes,
            min_vram_mb: 0,
            min_tier: Tier::None,
            countries: None,
            not_countries: Countries::default(),
            compliance: 0,
            min_security: Security::Process,
            renewable: false,
            supplier: None,
            max_price_micro_usd: None,
            min_reputation: 0,
            arrangement: None,
            same_site: false,
            lease: Lease::OnDemand,
            exclude: BTreeSet::new(),
            only_site: None,
        }
    }

    /// The request that a customer's words make, or the first field that is wrong.
    pub fn check(
        hardware: &HardwareModel,
        nodes: u32,
        minutes: u32,
        wanted: &Requirements,
        catalogue: &Catalogue,
    ) -> Result<Self, Refusal> {
        let (models, kind) = models(hardware, wanted, catalogue)?;
        in_range("quantity", nodes, 1, MAX_QUANTITY)?;
        in_range("minutes", minutes, 1, MAX_MINUTES)?;
        let gpus = gpus(kind, wanted)?;
        let cpu_milli = wanted.min_cpus.map_or(Ok(0), |cpus| {
            in_range("min_cpus", cpus, 1, u32::MAX / 1_000)?;
            Ok(cpus * 1_000)
        })?;
        let at_least_one = |field, value: Option<u32>| value.map_or(Ok(0), |value| in_range(field, value, 1, u32::MAX).map(|()| value));
        let memory_mb = at_least_one("min_memory_mb", wanted.min_memory_mb)?;
        let disk_mb = at_least_one("min_disk_mb", wanted.min_disk_mb)?;
        let min_vram_mb = at_least_one("min_vram_mb", wanted.min_vram_mb)?;
        if kind == HardwareKind::Cpu && wanted.min_vram_mb.is_some() {
            return Err(not_for_cpus("min_vram_mb"));
        }
        let (countries, not_countries) = places(wanted)?;
        short("compliance", wanted.compliance.len())?;
        let supplier = wanted.supplier.as_ref().map(|name| {
            let known = || catalogue.suppliers().iter().map(ionet_types::market::ShortName::as_str);
            catalogue.find_supplier(name).ok_or_else(|| Refusal::unknown("supplier", name.as_str(), known()))
        });
        let max_price_micro_usd = wanted.max_price_micro_usd.map(|price| {
            in_range("max_price_micro_usd", price.0, 1, u64::from(MAX_PRICE_MICRO_USD))?;
            Ok(u32::try_from(price.0).expect("not above the highest price"))
        });
        let min_reputation = wanted.min_reputation.unwrap_or_default();
        in_range("min_reputation", min_reputation, 0, MAX_REPUTATION)?;
        if wanted.same_site && wanted.arrangement == Some(Arrangement::Spread) {
            let allowed = vec!["arrangement pack".to_owned(), "same_site false".to_owned()];
            return Err(Refusal::new("same_site", Problem::Contradiction, "nodes at one site cannot be spread over sites", allowed));
        }
        Ok(Self {
            min_vram_mb,
            min_tier: wanted.min_tier.unwrap_or_default(),
            countries,
            not_countries,
            compliance: Compliance::bits(&wanted.compliance),
            min_security: wanted.min_security.unwrap_or_default(),
            renewable: wanted.renewable,
            supplier: supplier.transpose()?,
            max_price_micro_usd: max_price_micro_usd.transpose()?,
            min_reputation,
            arrangement: wanted.arrangement,
            same_site: wanted.same_site,
            lease: wanted.lease,
            ..Self::plain(models, Demand { cpu_milli, memory_mb, disk_mb, gpus }, nodes, minutes)
        })
    }

    /// The span that survival is judged by.
    pub fn horizon(&self) -> Horizon {
        Horizon::of(self.minutes)
    }
}

fn in_range<T: PartialOrd + std::fmt::Display>(field: &'static str, value: T, least: T, most: T) -> Result<(), Refusal> {
    if value < least || value > most { Err(Refusal::range(field, value, least, most)) } else { Ok(()) }
}

fn short(field: &'static str, length: usize) -> Result<(), Refusal> {
    let detail = || format!("{length} entries");
    if length > MAX_LIST {
        Err(Refusal::new(field, Problem::TooMany, detail(), vec![format!("at most {MAX_LIST} entries")]))
    } else {
        Ok(())
    }
}

fn not_for_cpus(field: &'static str) -> Refusal {
    Refusal::new(field, Problem::Inapplicable, "devices without a GPU were asked for", Vec::new())
}

fn models(hardware: &HardwareModel, wanted: &Requirements, catalogue: &Catalogue) -> Result<(Vec<ModelId>, HardwareKind), Refusal> {
    short("or_hardware", wanted.or_hardware.len())?;
    let named = std::iter::once(("hardware", hardware)).chain(wanted.or_hardware.iter().map(|name| ("or_hardware", name)));
    let mut models: Vec<ModelId> = Vec::new();
    let mut kind = None;
    for (field, name) in named {
        let known = || catalogue.models().map(|(_, model)| model.hardware.as_str());
        let unknown = || Refusal::unknown(field, name.as_str(), known());
        let id = catalogue.find_model(name).ok_or_else(unknown)?;
        let model = catalogue.model_of(id).ok_or_else(unknown)?;
        if *kind.get_or_insert(model.kind) != model.kind {
            let same = catalogue.models().filter(|(_, other)| Some(other.kind) == kind).map(|(_, other)| other.hardware.to_string());
            let detail = format!("{name} is a {}, {hardware} is not", model.kind.name());
            return Err(Refusal::new(field, Problem::Contradiction, detail, same.collect()));
        }
        if !models.contains(&id) {
            models.push(id);
        }
    }
    let kind = kind.expect("the model that was named first");
    Ok((models, kind))
}

fn gpus(kind: HardwareKind, wanted: &Requirements) -> Result<GpuDemand, Refusal> {
    let given = [
        ("gpus_per_node", wanted.gpus_per_node.is_some()),
        ("gpu_milli", wanted.gpu_milli.is_some()),
        ("gpu_instance", wanted.gpu_instance.is_some()),
    ];
    let mut fields = given.into_iter().filter(|(_, given)| *given).map(|(field, _)| field);
    let (first, second) = (fields.next(), fields.next());
    if kind == HardwareKind::Cpu {
        return first.map_or(Ok(GpuDemand::None), |field| Err(not_for_cpus(field)));
    }
    if let (Some(first), Some(second)) = (first, second) {
        let allowed = vec![format!("only {first}"), format!("only {second}")];
        return Err(Refusal::new(second, Problem::Contradiction, format!("{first} was given too: a node has one of the two"), allowed));
    }
    if let Some(milli) = wanted.gpu_milli {
        in_range("gpu_milli", milli, 1, WHOLE_MILLI - 1)?;
        return Ok(GpuDemand::Part(milli));
    }
    if let Some(instance) = wanted.gpu_instance {
        return Ok(GpuDemand::Instance(match instance {
            GpuInstance::One => Instance::One,
            GpuInstance::Two => Instance::Two,
            GpuInstance::Three => Instance::Three,
            GpuInstance::Four => Instance::Four,
            GpuInstance::Seven => Instance::Seven,
        }));
    }
    let count = wanted.gpus_per_node.unwrap_or(1);
    in_range("gpus_per_node", count, 1, u8::try_from(MAX_GPUS).expect("eight"))?;
    Ok(GpuDemand::Whole(count))
}

fn places(wanted: &Requirements) -> Result<(Option<Countries>, Countries), Refusal> {
    let lists = [
        ("countries", wanted.countries.len()),
        ("regions", wanted.regions.len()),
        ("not_countries", wanted.not_countries.len()),
        ("not_regions", wanted.not_regions.len()),
    ];
    for (field, length) in lists {
        short(field, length)?;
    }
    let union = |countries: &[Country], regions: &[Region]| {
        let named: Countries = countries.iter().copied().collect();
        regions.iter().fold(named, |all, region| all.or(region.countries()))
    };
    let not = union(&wanted.not_countries, &wanted.not_regions);
    if let Some(country) = wanted.countries.iter().find(|country| not.has(**country)) {
        let field = if wanted.not_countries.contains(country) { "not_countries" } else { "not_regions" };
        let allowed = vec![format!("countries without {country}"), format!("{field} without {country}")];
        return Err(Refusal::new(field, Problem::Contradiction, format!("{country} is both wanted and excluded"), allowed));
    }
    if wanted.countries.is_empty() && wanted.regions.is_empty() {
        let left: Countries = Country::all().filter(|country| !not.has(*country)).collect();
        return if left.is_empty() { Err(nowhere()) } else { Ok((None, not)) };
    }
    let all = union(&wanted.countries, &wanted.regions);
    if all.without(not).is_empty() { Err(nowhere()) } else { Ok((Some(all), not)) }
}

fn nowhere() -> Refusal {
    let allowed = Region::ALL.into_iter().map(|region| region.name().to_owned()).collect();
    Refusal::new("not_regions", Problem::Contradiction, "no country is left that is not excluded", allowed)
}
