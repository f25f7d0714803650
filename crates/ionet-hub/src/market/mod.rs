//! The market at work: every device that the hub has seen, in the index that placement reads, at the prices of now.
//!
//! The index is a picture, kept up with events; the store's reservations decide. Whatever touches a device marks it, and the next question
//! looks at the marked ones again; now and then all are, so that a mark that was forgotten heals. What was chosen is looked at once more
//! before it is reserved.

mod choosing;
pub(crate) mod hires;
mod listing;
mod pricing;
pub(crate) mod sharing;
mod survival;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::RandomState;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ionet_market::PriceList;
use ionet_market::index::{Index, Options};
use ionet_market::machine::Machine;
use ionet_market::names::{Catalogue, Model};
use ionet_market::oracle::{Cell, History, Observations, Oracle};
use ionet_market::request::Request;
use ionet_market::shape::Room;
use ionet_market::strategy::Strategy;
use ionet_market::waste::Learned;
use ionet_rules::rewards::Tier;
use ionet_store::{Reservation, Store};
use ionet_types::DeviceId;
use ionet_types::market::Attestation;

use self::listing::Listed;
use crate::Hub;
use crate::error::{HubError, HubResult};
use crate::options::HubOptions;

pub(crate) use choosing::{Chosen, together};
use survival::Survival;

/// All devices are looked at again after so many seconds: what changes with time alone shows then.
const ALL_EVERY_SECS: i64 = 10;

/// A change of a device that is under way.
#[must_use = "the change is over when this is dropped"]
pub(crate) struct Changing<'a> {
    marks: &'a Marks,
    device: DeviceId,
}

impl Drop for Changing<'_> {
    fn drop(&mut self) {
        let mut marked = self.marks.lock();
        marked.devices.insert(self.device);
        if let Some(count) = marked.changing.get_mut(&self.device) {
            *count -= 1;
            if *count == 0 {
                marked.changing.remove(&self.device);
            }
        }
    }
}

/// The market of one network.
pub(crate) struct Market {
    state: Mutex<State>,
    marks: Arc<Marks>,
    /// Held while the index is brought up to date: a question that comes meanwhile waits for the answer instead of missing what is new.
    refreshing: tokio::sync::Mutex<()>,
}

/// What the market knows.
pub(crate) struct State {
    pub(crate) catalogue: Catalogue,
    pub(crate) index: Index<Learned<RandomState>>,
    listed: HashMap<DeviceId, Listed>,
    strategies: HashMap<DeviceId, Strategy>,
    attestations: HashMap<DeviceId, Attestation>,
    tiers: HashMap<DeviceId, Tier>,
    /// What is offered and hired, as the oracle wants to see it.
    observations: Observations,
    /// `None` where prices are the price list's.
    oracle: Option<Oracle>,
    history: History,
    survival: Survival,
}

/// Devices to look at again: whoever changes something about one marks it.
#[derive(Debug)]
pub(crate) struct Marks(Mutex<Marked>);

#[derive(Debug)]
struct Marked {
    devices: BTreeSet<DeviceId>,
    /// Those that are being changed, and how often at once: whoever hears of a change finds it, however late the mark comes.
    changing: BTreeMap<DeviceId, usize>,
    /// When all were looked at last, unix seconds.
    all_at_unix_secs: i64,
}

impl Marks {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Marked { devices: BTreeSet::new(), changing: BTreeMap::new(), all_at_unix_secs: i64::MIN }))
    }

    fn lock(&self) -> MutexGuard<'_, Marked> {
        // Sets and numbers are whole at any moment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something about this device is another now: it is looked at again before the next answer.
    pub(crate) fn mark(&self, device: DeviceId) {
        self.lock().devices.insert(device);
    }

    /// Something about this device changes until the answer is dropped: it is looked at again before every answer until then, and once more.
    pub(crate) fn changing(&self, device: DeviceId) -> Changing<'_> {
        *self.lock().changing.entry(device).or_default() += 1;
        Changing { marks: self, device }
    }

    /// Much may be another now.
    pub(crate) fn mark_all(&self) {
        self.lock().all_at_unix_secs = i64::MIN;
    }

    /// The devices to look at again: `None` for all.
    fn due(&self, now_unix_secs: i64) -> Option<BTreeSet<DeviceId>> {
        let mut marked = self.lock();
        let mut devices = std::mem::take(&mut marked.devices);
        devices.extend(marked.changing.keys());
        if (0..ALL_EVERY_SECS).contains(&now_unix_secs.saturating_sub(marked.all_at_unix_secs)) {
            return Some(devices);
        }
        marked.all_at_unix_secs = now_unix_secs;
        None
    }
}

impl Market {
    /// Takes up what the store knows.
    pub(crate) async fn load(store: &Store, options: &HubOptions, marks: Arc<Marks>) -> HubResult<Self> {
        let now_unix_secs = options.clock.now_unix_secs();
        let mut catalogue = Catalogue::default();
        let options_of_index = Options::default();
        // Its hasher is seeded by chance: strangers choose what is asked for.
        let waste = Learned::new(options_of_index.outline_bits, RandomState::new());
        let mut index = Index::new(options_of_index, waste, now_unix_secs);
        for (hardware, kind, reference_micro_usd) in references(&options.prices) {
            let id = catalogue.model(Model { hardware, kind, reference_micro_usd }).map_err(HubError::internal)?;
            index.set_reference(id, reference_micro_usd).map_err(HubError::internal)?;
        }
        let mut strategies = HashMap::new();
        for (device, terms) in store.device_terms_all().await? {
            strategies.insert(device, Strategy::parse(&terms).map_err(HubError::internal)?);
        }
        let attestations: HashMap<_, _> = store.attestations_all().await?.into_iter().collect();
        for supplier in attestations.values().filter_map(|attestation| attestation.supplier.as_ref()) {
            catalogue.supplier(supplier).map_err(HubError::internal)?;
        }
        let last = store.proofs_last_before(u64::MAX >> 1).await?;
        let tiers =
            last.into_iter().map(|(device, proof)| (device, Tier::from_mbps(proof.measured.download_mbps, proof.measured.upload_mbps)));
        let (oracle, history) = pricing::load(store, options).await?;
        let state = State {
            catalogue,
            index,
            listed: HashMap::new(),
            strategies,
            attestations,
            tiers: tiers.collect(),
            observations: Observations::default(),
            oracle,
            history,
            survival: Survival::load(store, now_unix_secs).await?,
        };
        Ok(Self { state: Mutex::new(state), marks, refreshing: tokio::sync::Mutex::default() })
    }

    /// What is known, for a moment: never across an await.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing under this lock leaves the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something about this device is another now.
    pub(crate) fn mark(&self, device: DeviceId) {
        self.marks.mark(device);
    }

    /// Something about this device changes until the answer is dropped.
    pub(crate) fn changing(&self, device: DeviceId) -> Changing<'_> {
        self.marks.changing(device)
    }

    /// Much may be another now.
    pub(crate) fn mark_all(&self) {
        self.marks.mark_all();
    }

    /// The operator has attested a device.
    pub(crate) fn attested(&self, device: DeviceId, attestation: Attestation) {
        self.lock().attestations.insert(device, attestation);
        self.mark(device);
    }

    /// The owner has set a device's terms, or taken them back.
    pub(crate) fn offered(&self, device: DeviceId, strategy: Option<Strategy>) {
        let mut state = self.lock();
        match strategy {
            Some(strategy) => state.strategies.insert(device, strategy),
            None => state.strategies.remove(&device),
        };
        drop(state);
        self.mark(device);
    }

    /// A device's connection was measured.
    pub(crate) fn measured(&self, device: DeviceId, tier: Tier) {
        self.lock().tiers.insert(device, tier);
        self.mark(device);
    }
}

impl State {
    /// Somebody wants to book this: what placements waste is judged by what the network is asked for.
    pub(crate) fn arrived(&mut self, request: &Request) {
        self.index.arrived(request);
        self.index.renew();
    }

    /// Where a device's price is made.
    pub(crate) fn cell(&self, device: DeviceId) -> Option<&Cell> {
        self.listed.get(&device).map(|listed| &listed.cell)
    }

    pub(crate) fn attestation(&self, device: DeviceId) -> Option<&Attestation> {
        self.attestations.get(&device)
    }

    pub(crate) fn strategy(&self, device: DeviceId) -> Option<&Strategy> {
        self.strategies.get(&device)
    }

    /// A device as the index knows it, and what of it is free.
    pub(crate) fn room(&self, device: DeviceId) -> Option<(&Machine, Room)> {
        self.index.get(device).map(|(machine, free, _)| (machine, free))
    }

    /// A device's connection, as last measured.
    pub(crate) fn tier(&self, device: DeviceId) -> Option<Tier> {
        self.tiers.get(&device).copied()
    }
}

impl Hub {
    pub(crate) fn market(&self) -> &Market {
        &self.0.market
    }

    /// Brings the index up to date with what was marked.
    pub(crate) async fn market_refresh(&self) -> HubResult<()> {
        let market = self.market();
        let _refreshing = market.refreshing.lock().await;
        let now_unix_secs = self.clock().now_unix_secs();
        let due = market.marks.due(now_unix_secs);
        let result = match &due {
            Some(devices) => self.list_some(devices, now_unix_secs).await,
            None => self.list_all(now_unix_secs).await,
        };
        if result.is_err() {
            // The store blinked: the next question tries again.
            market.mark_all();
        }
        result
    }

    async fn list_some(&self, devices: &BTreeSet<DeviceId>, now_unix_secs: i64) -> HubResult<()> {
        let mut found = Vec::with_capacity(devices.len());
        for device in devices {
            let taken = self.store().reservations_on(*device).await?;
            let failed_at_unix_secs = self.store().device(*device).await?.map_or(0, |row| row.failed_at_unix_secs);
            found.push((*device, taken, failed_at_unix_secs));
        }
        let mut state = self.market().lock();
        state.index.advance(now_unix_secs);
        for (device, taken, failed_at_unix_secs) in found {
            self.list(&mut state, device, &taken, failed_at_unix_secs, now_unix_secs);
        }
        Ok(())
    }

    async fn list_all(&self, now_unix_secs: i64) -> HubResult<()> {
        let mut taken: HashMap<DeviceId, Vec<Reservation>> = HashMap::new();
        for reservation in self.store().reservations().await? {
            taken.entry(reservation.device_id).or_default().push(reservation);
        }
        let since = now_unix_secs.saturating_sub(ionet_market::score::FAILURE_MEMORY_SECS);
        let failed: BTreeMap<_, _> = self.store().devices_failed_since(since).await?.into_iter().collect();
        let seen: BTreeSet<_> = self.agents().0.directory.seen().into_keys().collect();
        let mut state = self.market().lock();
        state.index.advance(now_unix_secs);
        let known: BTreeSet<_> = state.listed.keys().copied().chain(seen).collect();
        for device in known {
            let taken = taken.get(&device).map_or(&[][..], Vec::as_slice);
            self.list(&mut state, device, taken, failed.get(&device).copied().unwrap_or(0), now_unix_secs);
        }
        Ok(())
    }
}

/// The models of the price list, with prices that the index takes.
fn references(
    prices: &PriceList,
) -> impl Iterator<Item = (ionet_types::hardware::HardwareModel, ionet_types::hardware::HardwareKind, u32)> + '_ {
    prices.models().iter().map(|model| {
        let reference = u32::try_from(model.rate_micro_usd.0).unwrap_or(u32::MAX).clamp(1, ionet_market::machine::MAX_PRICE_MICRO_USD);
        (model.hardware.clone(), model.kind, reference)
    })
}
