//! What the owner of a hub chooses when opening it.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ionet_ledger::{Ledger, Operator};
use ionet_market::PriceList;
use ionet_rules::money::MicroUsd;
use ionet_types::Address;

use crate::clock::Clock;
use crate::epochs::inputs::Unmeasured;
use crate::proofs::Measuring;

/// Options for [`Hub::open`](crate::Hub::open).
pub struct HubOptions {
    /// The store's database file; made when missing.
    pub store: PathBuf,
    /// Folder of the published epochs; made when missing.
    pub epochs: PathBuf,
    /// What is assumed of devices that the network does not measure; `None` nominates nobody.
    pub unmeasured: Option<Unmeasured>,
    /// How devices are measured; `None` measures nothing, and the operator vouches for whatever connects.
    pub measuring: Option<Measuring>,
    /// Client of the network's program.
    pub ledger: Ledger,
    /// The operator's keys.
    pub operator: Arc<Operator>,
    /// Wallets that act for the operator: they attest what devices offer, and block and unblock them.
    pub operators: BTreeSet<Address>,
    /// What the network rents out, and for how much.
    pub prices: PriceList,
    /// What moves prices.
    pub pricing: Pricing,
    /// Whether this is a network on one machine, with a faucet.
    pub local: bool,
    /// Price of one IO that the operator's own oracle submits before the last one goes stale; `None` leaves it to others.
    pub oracle_price: Option<MicroUsd>,
    /// Where clients reach the hub, such as `http://127.0.0.1:8080`: part of the text that wallets sign.
    pub public_url: String,
    /// Where clients reach the chain, if it can be told.
    pub rpc_url: Option<String>,
    /// Version that the hub reports.
    pub version: String,
    /// The hub's own clock.
    pub clock: Clock,
    /// How patient it is.
    pub timing: Timing,
    /// Which devices are let in.
    pub admission: Admission,
    /// How much of what may happen.
    pub limits: Limits,
}

/// What moves prices.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Pricing {
    /// The market: scarcity, connections, places and what suppliers ask, from the price list's reference (docs/PRICES.md).
    #[default]
    Market,
    /// Nothing: prices are the price list's.
    List,
}

/// Which devices a hub lets in that it does not know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Admission {
    /// Every device that proves its key.
    Open,
    /// Those that bring a wallet's join token.
    #[default]
    Approved,
}

/// Bounds against floods. The defaults fit one hub on the open internet.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// New devices from one network address in an hour.
    pub new_devices_per_address_per_hour: u32,
    /// New devices of one owner in an hour.
    pub new_devices_per_owner_per_hour: u32,
    /// Device codes that may wait for approval, from one network address.
    pub device_codes_per_address: u32,
    /// Device codes that may wait for approval, in all.
    pub device_codes: u32,
    /// Device codes that one wallet may look at or decide about in an hour.
    pub code_tries_per_hour: u32,
    /// Changes that one actor may ask for at one endpoint in a minute; more raise an alarm and are refused.
    pub writes_per_minute: u32,
    /// Refusals of one actor in a minute that are written into the audit log.
    pub refusals_noted_per_minute: u32,
    /// Refusals of all actors in a minute that are written into the audit log.
    pub all_refusals_noted_per_minute: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            new_devices_per_address_per_hour: 100,
            new_devices_per_owner_per_hour: 1_000,
            device_codes_per_address: 20,
            device_codes: 10_000,
            code_tries_per_hour: 60,
            writes_per_minute: 600,
            refusals_noted_per_minute: 10,
            all_refusals_noted_per_minute: 300,
        }
    }
}

impl Limits {
    /// Bounds that nobody reaches, for a network on one machine.
    pub const LOCAL: Self = Self {
        new_devices_per_address_per_hour: 100_000,
        new_devices_per_owner_per_hour: 100_000,
        device_codes_per_address: 1_000,
        device_codes: 1_000,
        code_tries_per_hour: 100_000,
        writes_per_minute: 100_000,
        refusals_noted_per_minute: 1_000,
        all_refusals_noted_per_minute: 10_000,
    };
}

/// How patient the hub is.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// How often a reconciler looks although nobody woke it.
    pub reconcile_every: Duration,
    /// How often agents are to be heard of, seconds; one that is silent for three times as long counts as disconnected.
    pub heartbeat_secs: u32,
    /// How long a paid cluster may take to start before the network has failed it, seconds on the chain's clock.
    pub start_within_secs: i64,
    /// How long a device may be unreachable before its node counts as lost, seconds on the hub's clock. Until then it most likely runs on.
    pub lost_after_secs: i64,
    /// How long a node may be out before the network has failed the cluster, seconds on the chain's clock.
    pub replace_within_secs: i64,
    /// How much longer than the hired time a lease is, seconds: room for an extension to arrive while the hub is away.
    pub lease_margin_secs: i64,
    /// How long a device may take to come back to a hub that was away, before it counts as down, seconds on the hub's clock.
    pub return_within_secs: i64,
    /// How often a node is started on the same device before another one is tried.
    pub attempts_per_device: u32,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            reconcile_every: Duration::from_secs(1),
            heartbeat_secs: 10,
            start_within_secs: 30 * 60,
            lost_after_secs: 10 * 60,
            replace_within_secs: 15 * 60,
            lease_margin_secs: 15 * 60,
            return_within_secs: 2 * 60,
            attempts_per_device: 3,
        }
    }
}

impl Timing {
    /// How patient the hub is with devices around its own absence.
    pub(crate) fn device_grace(&self) -> ionet_devices::Grace {
        let before_secs = i64::from(self.heartbeat_secs.max(1)).saturating_mul(3);
        ionet_devices::Grace { before_secs, after_secs: self.return_within_secs }
    }
}
