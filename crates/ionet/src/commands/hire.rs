//! What every command that hires asks the user: which devices, for how long, in which currency, on which conditions.

use std::str::FromStr;

use clap::{Args, ValueEnum};
use ionet_market::durations::HiredTime;
use ionet_types::hardware::HardwareModel;
use ionet_types::market::{Arrangement, Compliance, Country, GpuInstance, Lease, Region, Requirements, Security, ShortName, Tier};
use ionet_types::quotes::QuoteRequest;
use ionet_types::{Currency, MicroUsd};
use serde::de::DeserializeOwned;

/// Which devices, for how long, in which currency.
#[derive(Debug, Clone, Args)]
pub struct HireArgs {
    /// Hardware model, as `ionet hardware` lists it
    #[arg(long, value_name = "MODEL", default_value = "cpu")]
    pub hardware: HardwareModel,
    /// How many nodes
    #[arg(long, short, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub nodes: u32,
    /// For how long, minutes
    #[arg(long, short, value_name = "M", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=5_256_000))]
    pub minutes: u32,
    /// Instead: for how long, in hours, days, weeks or months: 12h, 3d, 2w, 1mo (a month is 30 days)
    #[arg(long = "for", value_name = "DURATION", conflicts_with = "minutes", value_parser = duration)]
    pub duration: Option<u32>,
    /// What it is paid in: usdc or io
    #[arg(long, short, value_name = "COIN", default_value = "usdc", value_parser = currency)]
    pub currency: Currency,
    /// Conditions.
    #[command(flatten)]
    pub requirements: RequirementArgs,
}

impl HireArgs {
    /// The same as a request for a quote.
    pub fn quote_request(&self) -> QuoteRequest {
        QuoteRequest {
            hardware: self.hardware.clone(),
            quantity: self.nodes,
            minutes: self.duration.unwrap_or(self.minutes),
            currency: self.currency,
            requirements: self.requirements.requirements(),
        }
    }
}

/// What the devices must fulfil.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Conditions")]
pub struct RequirementArgs {
    /// Models that would do as well; the best offer wins, and all nodes are of one model
    #[arg(long, value_name = "MODEL", value_delimiter = ',')]
    pub or_hardware: Vec<HardwareModel>,
    /// GPUs of each node [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=8), conflicts_with_all = ["gpu_milli", "gpu_instance"])]
    pub gpus: Option<u8>,
    /// Thousandths of one GPU for each node
    #[arg(long, value_name = "MILLI", value_parser = clap::value_parser!(u16).range(1..=999), conflicts_with = "gpu_instance")]
    pub gpu_milli: Option<u16>,
    /// A hardware instance (MIG) of one GPU for each node: 1g, 2g, 3g, 4g or 7g
    #[arg(long, value_name = "SIZE", value_parser = named::<GpuInstance>)]
    pub gpu_instance: Option<GpuInstance>,
    /// Memory of each GPU, MiB
    #[arg(long, value_name = "MIB")]
    pub min_vram: Option<u32>,
    /// Logical CPUs of each node
    #[arg(long, value_name = "N")]
    pub min_cpus: Option<u32>,
    /// Memory of each node, MiB
    #[arg(long, value_name = "MIB")]
    pub min_memory: Option<u32>,
    /// Free disk of each node, MiB
    #[arg(long, value_name = "MIB")]
    pub min_disk: Option<u32>,
    /// Connection: low, medium, high or ultra_high, or better
    #[arg(long, value_name = "TIER", value_parser = named::<Tier>)]
    pub min_tier: Option<Tier>,
    /// In these countries (two letters), or in --region
    #[arg(long, value_name = "CC", value_delimiter = ',')]
    pub country: Vec<Country>,
    /// In these regions: africa, asia, eu, europe, north_america, oceania, south_america
    #[arg(long, value_name = "REGION", value_delimiter = ',')]
    pub region: Vec<Region>,
    /// In none of these countries
    #[arg(long, value_name = "CC", value_delimiter = ',')]
    pub not_country: Vec<Country>,
    /// In none of these regions
    #[arg(long, value_name = "REGION", value_delimiter = ',')]
    pub not_region: Vec<Region>,
    /// With all of these standards proved: soc2, iso27001, hipaa, gdpr, pci_dss
    #[arg(long, value_name = "STANDARD", value_delimiter = ',', value_parser = named::<Compliance>)]
    pub compliance: Vec<Compliance>,
    /// Separated from the machine at least by: process, container, virtual_machine or confidential
    #[arg(long, value_name = "LEVEL", value_parser = named::<Security>)]
    pub min_security: Option<Security>,
    /// On renewable energy
    #[arg(long)]
    pub renewable: bool,
    /// Of this supplier
    #[arg(long, value_name = "NAME")]
    pub supplier: Option<ShortName>,
    /// Highest price of one GPU (or one device without) for one hour, USD
    #[arg(long, value_name = "USD", value_parser = usd)]
    pub max_price: Option<MicroUsd>,
    /// Lowest reputation, 0 to 1000
    #[arg(long, value_name = "SCORE", value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub min_reputation: Option<u16>,
    /// At as few sites as possible, or as many
    #[arg(long, value_name = "HOW", value_enum)]
    pub arrange: Option<Arrange>,
    /// All nodes at one site
    #[arg(long)]
    pub same_site: bool,
    /// The supplier may take the devices back; cheaper
    #[arg(long)]
    pub interruptible: bool,
}

/// How nodes are to lie.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum Arrange {
    /// At as few sites as possible.
    Pack,
    /// At as many sites as possible.
    Spread,
}

impl RequirementArgs {
    /// The same on the wire.
    pub fn requirements(&self) -> Requirements {
        Requirements {
            or_hardware: self.or_hardware.clone(),
            gpus_per_node: self.gpus,
            gpu_milli: self.gpu_milli,
            gpu_instance: self.gpu_instance,
            min_vram_mb: self.min_vram,
            min_cpus: self.min_cpus,
            min_memory_mb: self.min_memory,
            min_disk_mb: self.min_disk,
            min_tier: self.min_tier,
            countries: self.country.clone(),
            regions: self.region.clone(),
            not_countries: self.not_country.clone(),
            not_regions: self.not_region.clone(),
            compliance: self.compliance.clone(),
            min_security: self.min_security,
            renewable: self.renewable,
            supplier: self.supplier.clone(),
            max_price_micro_usd: self.max_price,
            min_reputation: self.min_reputation,
            arrangement: self.arrange.map(|arrange| match arrange {
                Arrange::Pack => Arrangement::Pack,
                Arrange::Spread => Arrangement::Spread,
            }),
            same_site: self.same_site,
            lease: if self.interruptible { Lease::Interruptible } else { Lease::OnDemand },
        }
    }
}

fn currency(text: &str) -> Result<Currency, &'static str> {
    text.parse()
}

/// One of an enum's names on the wire; what is wrong says which there are.
pub(super) fn named<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::String(text.to_owned())).map_err(|error| error.to_string())
}

/// Dollars with up to six decimals.
pub(super) fn usd(text: &str) -> Result<MicroUsd, String> {
    let wrong = || format!("{text:?} is not an amount of dollars with up to six decimals, such as 2.15");
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 6 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let whole = u64::from_str(whole).map_err(|_| wrong())?;
    let decimals = u64::from_str(&format!("{decimals:0<6}")).map_err(|_| wrong())?;
    whole.checked_mul(1_000_000).and_then(|micro| micro.checked_add(decimals)).map(MicroUsd).ok_or_else(wrong)
}

/// Minutes of a hired time.
fn duration(text: &str) -> Result<u32, String> {
    HiredTime::from_str(text).map(HiredTime::minutes).map_err(|error| format!("{error}: write it like 12h, 3d, 2w or 1mo"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_and_durations_are_read() {
        assert_eq!(usd("2.15"), Ok(MicroUsd(2_150_000)));
        assert_eq!(usd("0.000001"), Ok(MicroUsd(1)));
        assert_eq!(usd("3"), Ok(MicroUsd(3_000_000)));
        for wrong in ["", ".", "-1", "1.2345678", "1.2.3", "x", "99999999999999999999", "1e3"] {
            assert!(usd(wrong).is_err(), "{wrong}");
        }
        assert_eq!([duration("12h"), duration("3 days"), duration("1mo")], [Ok(720), Ok(4_320), Ok(43_200)]);
        for wrong in ["", "12", "0h", "h", "-1d", "3y", "99999w"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert!(named::<Tier>("middling").unwrap_err().contains("ultra_high"));
    }
}
