//! A change of one condition of a request.

use ionet_types::market::{Compliance, Country, Lease, Region, Security, Tier};

use crate::names::{Catalogue, ModelId};
use crate::request::Request;
use crate::shape::GpuDemand;

/// What to ask instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// This model as well.
    Model(ModelId),
    /// Any supplier.
    Supplier,
    /// The countries of this region as well.
    Region(Region),
    /// Any country.
    Anywhere,
    /// This excluded country after all.
    Country(Country),
    /// All excluded countries after all.
    Nowhere,
    /// Only these standards.
    Compliance(u8),
    /// This separation.
    Security(Security),
    /// Any energy.
    Renewable,
    /// This connection.
    Tier(Tier),
    /// So much memory of each GPU, MiB.
    Vram(u32),
    /// These GPUs for each node.
    Gpus(GpuDemand),
    /// So many thousandths of a CPU for each node.
    Cpus(u32),
    /// So much memory for each node, MiB.
    Memory(u32),
    /// So much disk for each node, MiB.
    Disk(u32),
    /// On these terms.
    Lease(Lease),
    /// For so many minutes.
    Minutes(u32),
    /// At most this price, micro-USD.
    Price(u32),
    /// This reputation.
    Reputation(u16),
    /// At any sites.
    Sites,
    /// So many nodes.
    Nodes(u32),
}

impl Change {
    /// The field of the request that it changes.
    pub const fn field(self) -> &'static str {
        match self {
            Self::Model(_) => "or_hardware",
            Self::Supplier => "supplier",
            Self::Region(_) | Self::Anywhere => "countries",
            Self::Country(_) | Self::Nowhere => "not_countries",
            Self::Compliance(_) => "compliance",
            Self::Security(_) => "min_security",
            Self::Renewable => "renewable",
            Self::Tier(_) => "min_tier",
            Self::Vram(_) => "min_vram_mb",
            Self::Gpus(_) => "gpus_per_node",
            Self::Cpus(_) => "min_cpus",
            Self::Memory(_) => "min_memory_mb",
            Self::Disk(_) => "min_disk_mb",
            Self::Lease(_) => "lease",
            Self::Minutes(_) => "minutes",
            Self::Price(_) => "max_price_micro_usd",
            Self::Reputation(_) => "min_reputation",
            Self::Sites => "same_site",
            Self::Nodes(_) => "quantity",
        }
    }

    /// The request with this change.
    #[must_use]
    pub fn of(self, request: &Request) -> Request {
        let mut changed = request.clone();
        match self {
            Self::Model(model) => changed.models.push(model),
            Self::Supplier => changed.supplier = None,
            Self::Region(region) => changed.countries = changed.countries.map(|wanted| wanted.or(region.countries())),
            Self::Anywhere => changed.countries = None,
            Self::Country(country) => changed.not_countries = changed.not_countries.without([country].into_iter().collect()),
            Self::Nowhere => changed.not_countries = ionet_types::market::Countries::default(),
            Self::Compliance(bits) => changed.compliance = bits,
            Self::Security(security) => changed.min_security = security,
            Self::Renewable => changed.renewable = false,
            Self::Tier(tier) => changed.min_tier = tier,
            Self::Vram(vram_mb) => changed.min_vram_mb = vram_mb,
            Self::Gpus(gpus) => changed.demand.gpus = gpus,
            Self::Cpus(cpu_milli) => changed.demand.cpu_milli = cpu_milli,
            Self::Memory(memory_mb) => changed.demand.memory_mb = memory_mb,
            Self::Disk(disk_mb) => changed.demand.disk_mb = disk_mb,
            Self::Lease(lease) => changed.lease = lease,
            Self::Minutes(minutes) => changed.minutes = minutes,
            Self::Price(price) => changed.max_price_micro_usd = Some(price),
            Self::Reputation(reputation) => changed.min_reputation = reputation,
            Self::Sites => changed.same_site = false,
            Self::Nodes(nodes) => changed.nodes = nodes,
        }
        changed
    }

    /// The change in words, such as `max price 2.10 instead of 1.80 USD`.
    pub fn describe(self, request: &Request, catalogue: &Catalogue) -> String {
        let cpus = |milli: u32| f64::from(milli) / 1_000.0;
        match self {
            Self::Model(model) => match catalogue.model_of(model) {
                Some(model) => format!("{} as well", model.hardware),
                None => "another model as well".to_owned(),
            },
            Self::Supplier => "any supplier".to_owned(),
            Self::Region(region) => format!("any country in {region}"),
            Self::Anywhere => "any country".to_owned(),
            Self::Country(country) => format!("{country} not excluded"),
            Self::Nowhere => "no country excluded".to_owned(),
            Self::Compliance(bits) => format!("without proof of {:?}", Compliance::from_bits(request.compliance & !bits)),
            Self::Security(security) => format!("security {security:?} instead of {:?}", request.min_security),
            Self::Renewable => "any energy".to_owned(),
            Self::Tier(tier) => format!("connection {} instead of {}", tier.name(), request.min_tier.name()),
            Self::Vram(vram_mb) => format!("{vram_mb} MiB of GPU memory instead of {}", request.min_vram_mb),
            Self::Gpus(gpus) => format!("{} for each node instead of {}", gpus_in_words(gpus), gpus_in_words(request.demand.gpus)),
            Self::Cpus(milli) => format!("{} CPUs instead of {}", cpus(milli), cpus(request.demand.cpu_milli)),
            Self::Memory(memory_mb) => format!("{memory_mb} MiB of memory instead of {}", request.demand.memory_mb),
            Self::Disk(disk_mb) => format!("{disk_mb} MiB of disk instead of {}", request.demand.disk_mb),
            Self::Lease(Lease::OnDemand) => "on demand".to_owned(),
            Self::Lease(Lease::Interruptible) => "interruptible".to_owned(),
            Self::Minutes(minutes) => format!("{minutes} minutes instead of {}", request.minutes),
            Self::Price(price) => {
                format!("max price {} instead of {} USD", usd(price), request.max_price_micro_usd.map_or_else(|| "none".to_owned(), usd))
            }
            Self::Reputation(reputation) => format!("reputation {reputation} instead of {}", request.min_reputation),
            Self::Sites => "at any sites".to_owned(),
            Self::Nodes(nodes) => format!("{nodes} nodes instead of {}", request.nodes),
        }
    }
}

fn usd(micro_usd: u32) -> String {
    let (dollars, cents, rest) = (micro_usd / 1_000_000, micro_usd / 10_000 % 100, micro_usd % 10_000);
    if rest == 0 { format!("{dollars}.{cents:02}") } else { format!("{dollars}.{:06}", micro_usd % 1_000_000) }
}

fn gpus_in_words(gpus: GpuDemand) -> String {
    match gpus {
        GpuDemand::None => "no GPU".to_owned(),
        GpuDemand::Part(milli) => format!("{milli}/1000 of a GPU"),
        GpuDemand::Whole(1) => "1 GPU".to_owned(),
        GpuDemand::Whole(count) => format!("{count} GPUs"),
        GpuDemand::Instance(instance) => format!("an instance of {} slices", instance.slices()),
    }
}
