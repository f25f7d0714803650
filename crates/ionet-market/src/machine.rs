//! What the market knows of a device that could be hired.

use ionet_types::DeviceId;
use ionet_types::market::{Country, Lease, Security, Tier};
use thiserror::Error;

use crate::names::{ModelId, SiteId, SupplierId};
use crate::shape::Room;

/// Highest price the market takes, micro-USD for one GPU or CPU device for one hour: a thousand dollars.
pub const MAX_PRICE_MICRO_USD: u32 = 1_000_000_000;
/// Highest reputation (docs/economy.md, section 8).
pub const MAX_REPUTATION: u16 = 1_000;
/// The whole, in basis points.
pub const BPS: u16 = 10_000;

/// A span for which survival is predicted: a hired time is rounded up to the next one, or down to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Horizon {
    /// One hour.
    Hour,
    /// 24 hours.
    Day,
    /// Seven days.
    Week,
    /// Thirty days.
    Month,
}

impl Horizon {
    /// All of them, shortest first.
    pub const ALL: [Self; 4] = [Self::Hour, Self::Day, Self::Week, Self::Month];

    /// Its length, minutes.
    pub const fn minutes(self) -> u32 {
        match self {
            Self::Hour => 60,
            Self::Day => 24 * 60,
            Self::Week => 7 * 24 * 60,
            Self::Month => 30 * 24 * 60,
        }
    }

    /// The one that a hire of so many minutes is judged by.
    pub fn of(minutes: u32) -> Self {
        Self::ALL.into_iter().find(|horizon| minutes <= horizon.minutes()).unwrap_or(Self::Month)
    }
}

/// Prices of one GPU, or of one device without a GPU, for one hour, micro-USD: the greater of the network's price and the supplier's
/// floor. 0 where the supplier does not rent so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Prices {
    /// For a hire that the supplier may not end.
    pub on_demand_micro_usd: u32,
    /// For one that it may.
    pub interruptible_micro_usd: u32,
}

impl Prices {
    /// The price for such a hire, if the supplier rents so.
    pub const fn of(self, lease: Lease) -> Option<u32> {
        let price = match lease {
            Lease::OnDemand => self.on_demand_micro_usd,
            Lease::Interruptible => self.interruptible_micro_usd,
        };
        if price == 0 { None } else { Some(price) }
    }
}

/// Whether a device may be hired, apart from what of it is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// It may.
    #[default]
    Hireable,
    /// It was not verified yet, or is being verified.
    Unverified,
    /// Its owner paused it.
    Paused,
    /// It is not connected, or the network cannot tell.
    Away,
    /// The network blocked it.
    Blocked,
}

impl State {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Hireable, Self::Unverified, Self::Paused, Self::Away, Self::Blocked];

    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Hireable => "hireable",
            Self::Unverified => "unverified",
            Self::Paused => "paused",
            Self::Away => "away",
            Self::Blocked => "blocked",
        }
    }
}

/// A device as the market sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// Which.
    pub device: DeviceId,
    /// Its model; all its GPUs are of it.
    pub model: ModelId,
    /// All that is for hire of it.
    pub whole: Room,
    /// Whether several clusters may share it. If not, it is given whole: it serves a request for exactly as many GPUs as it has. Devices
    /// without GPUs are given whole.
    pub divisible: bool,
    /// Memory of each GPU, MiB.
    pub vram_mb: u32,
    /// How well it is connected.
    pub tier: Tier,
    /// Where it is, if that is known. What is unknown is in no country that was asked for, and may be in any that was excluded.
    pub country: Option<Country>,
    /// Data centre or rack. A device without one is a site of its own.
    pub site: Option<SiteId>,
    /// Whose it is, where the network's operator names the supplier.
    pub supplier: Option<SupplierId>,
    /// [`ionet_types::market::Compliance::bits`].
    pub compliance: u8,
    /// How a customer's work is separated from the machine.
    pub security: Security,
    /// Runs on renewable energy.
    pub renewable: bool,
    /// What it costs.
    pub prices: Prices,
    /// Shortest hire that the supplier takes, minutes.
    pub min_hire_minutes: u32,
    /// What its past is worth, 0 to [`MAX_REPUTATION`].
    pub reputation: u16,
    /// The chance that it serves to the end of a hire of each [`Horizon`], basis points.
    pub survival_bps: [u16; 4],
    /// When a node last failed on it, unix seconds; 0 for never.
    pub failed_at_unix_secs: i64,
}

/// The market cannot take this in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unusable {
    /// A number of the machine is out of its range.
    #[error("{0} is out of range")]
    OutOfRange(&'static str),
    /// The market does not know the device.
    #[error("the market does not know this device")]
    Unknown,
    /// Something of the device is taken, so its size cannot change.
    #[error("something of the device is taken, so its size cannot change")]
    Taken,
    /// What is to be taken is not free, or what is to come back was not taken.
    #[error(transparent)]
    Unbalanced(#[from] crate::shape::Unbalanced),
    /// There is no more room in the market's memory.
    #[error("the market has no room for more of these")]
    Full,
}

impl Unusable {
    /// Stable name.
    pub const fn code(self) -> &'static str {
        match self {
            Self::OutOfRange(_) => "out_of_range",
            Self::Unknown => "device_unknown",
            Self::Taken => "device_taken",
            Self::Unbalanced(_) => "unbalanced",
            Self::Full => "market_full",
        }
    }
}

impl Machine {
    /// Whether every number is in its range.
    pub fn check(&self) -> Result<(), Unusable> {
        let prices = [self.prices.on_demand_micro_usd, self.prices.interruptible_micro_usd];
        if prices.iter().any(|price| *price > MAX_PRICE_MICRO_USD) {
            return Err(Unusable::OutOfRange("price"));
        }
        if self.reputation > MAX_REPUTATION {
            return Err(Unusable::OutOfRange("reputation"));
        }
        if self.survival_bps.iter().any(|survival| *survival > BPS) {
            return Err(Unusable::OutOfRange("survival"));
        }
        Ok(())
    }
}
