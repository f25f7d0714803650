//! How a device stands in the market: made of what its session, its life, its owner, the operator and the proofs say.

use ionet_devices::State as LifeState;
use ionet_market::machine::{Machine, Prices, State as Standing};
use ionet_market::oracle::{Cell, Region, Supply};
use ionet_market::shape::{Demand, Room, Slot};
use ionet_market::strategy::{Hire, Strategy};
use ionet_rules::rewards::Tier;
use ionet_store::Reservation;
use ionet_types::hardware::HardwareKind;
use ionet_types::market::{Compliance, Location, Security};
use ionet_types::{DeviceId, MicroUsd};

use super::State;
use super::pricing::floor_discounts;
use super::sharing::{self, Offer};
use crate::Hub;
use crate::agents::Seen;
use crate::devices::reputation::PARAMS;

/// Where devices are that do not say where they are.
pub(crate) const NOWHERE: &str = "unknown";
/// A hire that floors are asked for, minutes: the first hour is never refunded, so none is shorter in money.
const USUAL_MINUTES: u32 = 60;

/// What the index and the oracle were told of a device.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Listed {
    /// What of it is taken.
    taken: Vec<(Demand, Slot)>,
    pub(super) cell: Cell,
    supply: Supply,
    /// When a node last failed on it, unix seconds.
    failed_at_unix_secs: i64,
}

impl Hub {
    /// Looks at a device again and tells the index and the oracle what changed.
    pub(super) fn list(
        &self,
        state: &mut State,
        device: DeviceId,
        reservations: &[Reservation],
        failed_at_unix_secs: i64,
        now_unix_secs: i64,
    ) {
        let seen = self.agents().0.directory.seen_one(device);
        let standing = self.standing(device, seen.as_ref(), now_unix_secs);
        let Some(seen) = seen else {
            // What it was is still known: it counts as away until it comes back as something else.
            if state.listed.contains_key(&device) && state.index.set_state(device, standing).is_err() {
                tracing::error!(%device, "the market has lost a device");
            }
            if let Some(listed) = state.listed.get_mut(&device) {
                // It offers nothing while it is away.
                let gone = Supply { offered_milli: 0, hired_milli: 0, ..listed.supply };
                observe(&mut state.observations, listed, listed.cell.clone(), gone);
            }
            return;
        };
        let Some((machine, cell, offer)) = self.machine(state, device, &seen, reservations, failed_at_unix_secs, now_unix_secs) else {
            // A model without a price is not offered.
            unlist(state, device);
            return;
        };
        let milli = offered_milli(&machine.whole);
        let hired_milli = reservations.iter().map(|one| one.share.as_ref().map_or(milli, sharing::gpu_milli)).fold(0, u32::saturating_add);
        let supply = Supply {
            // What stands idle of a device that may not be hired any more is not offered.
            offered_milli: if standing == Standing::Hireable { milli } else { hired_milli.min(milli) },
            hired_milli: hired_milli.min(milli),
            floor: state.strategies.get(&device).map_or(MicroUsd(0), |strategy| strategy.fixed(&cell.model, now_unix_secs)),
        };
        // What is taken is told anew below: its size may be another one.
        for (demand, slot) in state.listed.get_mut(&device).map(|listed| std::mem::take(&mut listed.taken)).unwrap_or_default() {
            if let Err(error) = state.index.give(device, &demand, slot) {
                tracing::error!(%device, code = error.code(), "a device's books are wrong: {error}");
            }
        }
        if let Err(error) = state.index.put(machine, standing) {
            tracing::warn!(%device, code = error.code(), "a device cannot be offered: {error}");
            unlist(state, device);
            return;
        }
        let mut taken = Vec::with_capacity(reservations.len());
        for (demand, slot) in reservations.iter().map(|one| offer.taken(one)) {
            match state.index.take(device, &demand, slot) {
                Ok(()) => taken.push((demand, slot)),
                Err(error) => {
                    tracing::error!(%device, code = error.code(), "a device has less than is taken of it: {error}");
                    // Nobody can tell what is free.
                    if state.index.set_state(device, Standing::Away).is_err() {
                        tracing::error!(%device, "the market has lost a device");
                    }
                }
            }
        }
        let listed = state.listed.entry(device).or_insert_with(|| Listed {
            taken: Vec::new(),
            cell: cell.clone(),
            supply: Supply { offered_milli: 0, hired_milli: 0, floor: MicroUsd(0) },
            failed_at_unix_secs,
        });
        listed.taken = taken;
        listed.failed_at_unix_secs = failed_at_unix_secs;
        observe(&mut state.observations, listed, cell, supply);
    }

    /// Whether a device may be hired, apart from who has it: reservations are the truth about that.
    pub(super) fn standing(&self, device: DeviceId, seen: Option<&Seen>, now_unix_secs: i64) -> Standing {
        let Some((hireable, view)) = self.agents().0.lives.if_free(device, now_unix_secs) else { return Standing::Unverified };
        if seen.is_none() {
            return Standing::Away;
        }
        if hireable {
            return Standing::Hireable;
        }
        match view.state {
            LifeState::Registered | LifeState::Verifying => Standing::Unverified,
            LifeState::Paused => Standing::Paused,
            LifeState::Blocked | LifeState::Terminated => Standing::Blocked,
            LifeState::Ready | LifeState::Hired | LifeState::Down | LifeState::Inactive | LifeState::Unknown => Standing::Away,
        }
    }

    /// The device as the index knows it, and where its price is made.
    fn machine(
        &self,
        state: &mut State,
        device: DeviceId,
        seen: &Seen,
        reservations: &[Reservation],
        failed_at_unix_secs: i64,
        now_unix_secs: i64,
    ) -> Option<(Machine, Cell, Offer)> {
        let hardware = seen.model.as_ref()?;
        let model = state.catalogue.find_model(hardware)?;
        let kind = state.catalogue.model_of(model)?.kind;
        let tier = self.tier_of(state, device);
        let cell = Cell { model: hardware.clone(), tier, region: region(&seen.location) };
        let attestation = state.attestations.get(&device).cloned().unwrap_or_default();
        let supplier = attestation.supplier.as_ref().and_then(|name| state.catalogue.supplier(name).ok());
        let offered = &seen.hardware;
        let gpus = if kind == HardwareKind::Gpu { u8::try_from(offered.gpus.len()).ok()? } else { 0 };
        let mb = |mb: u64| u32::try_from(mb).unwrap_or(u32::MAX);
        let allowed = state.strategies.get(&device).and_then(|strategy| strategy.written().shared) != Some(false);
        let offer = Offer::of(offered, gpus, seen.shared && allowed, reservations)?;
        let site = match &seen.location.site {
            Some(name) => state.catalogue.site(name).ok(),
            // A machine that holds several nodes is a site, whether or not it has a name.
            None if offer.divisible => state.catalogue.site(&sharing::own_site(device)).ok(),
            None => None,
        };
        let reputation = self.agents().0.lives.reputation(device).score(now_unix_secs, PARAMS);
        let price = self.price(state, &cell, now_unix_secs)?;
        let machine = Machine {
            device,
            model,
            whole: offer.whole,
            divisible: offer.divisible,
            vram_mb: offered.gpus.iter().map(|gpu| mb(gpu.memory_mb)).min().unwrap_or(0),
            tier: tier.into(),
            country: seen.location.country,
            site,
            supplier,
            compliance: Compliance::bits(&attestation.compliance),
            security: Security::from(offered.isolation),
            renewable: attestation.renewable,
            prices: prices(state.strategies.get(&device), &cell, price, now_unix_secs),
            min_hire_minutes: state.strategies.get(&device).map_or(0, |strategy| strategy.written().min_hire_minutes),
            reputation: u16::try_from(reputation).unwrap_or(u16::MAX).min(ionet_market::machine::MAX_REPUTATION),
            survival_bps: state.survival.of(&state.survival.features(device, &cell, reputation, offered, now_unix_secs)),
            failed_at_unix_secs,
        };
        Some((machine, cell, offer))
    }

    /// A device's connection: as measured, or as assumed where nothing is.
    pub(crate) fn tier_of(&self, state: &State, device: DeviceId) -> Tier {
        let assumed = || self.options().unmeasured.and_then(|assumed| Tier::from_u8(assumed.tier).ok());
        state.tier(device).or_else(assumed).unwrap_or_default()
    }
}

/// The prices of a device's two leases: the network's, or the supplier's floor where that is higher.
fn prices(strategy: Option<&Strategy>, cell: &Cell, price: MicroUsd, now_unix_secs: i64) -> Prices {
    let micro = |price: MicroUsd| u32::try_from(price.0).unwrap_or(u32::MAX).clamp(1, ionet_market::machine::MAX_PRICE_MICRO_USD);
    let Some(strategy) = strategy else { return Prices { on_demand_micro_usd: micro(price), interruptible_micro_usd: 0 } };
    let minutes = USUAL_MINUTES.max(strategy.written().min_hire_minutes);
    let floor = |interruptible: bool| floor(strategy, cell, price, minutes, interruptible, now_unix_secs).unwrap_or(MicroUsd(0));
    let discount = u64::from(strategy.written().interruptible_discount_bps);
    let lower = MicroUsd(price.0.saturating_mul(10_000_u64.saturating_sub(discount)).div_ceil(10_000));
    Prices {
        on_demand_micro_usd: micro(price.max(floor(false))),
        interruptible_micro_usd: if discount == 0 { 0 } else { micro(lower.max(floor(true))) },
    }
}

/// The least that a supplier asks for such a hire; `None` when it takes none of that length.
pub(super) fn floor(
    strategy: &Strategy,
    cell: &Cell,
    price: MicroUsd,
    minutes: u32,
    interruptible: bool,
    now_unix_secs: i64,
) -> Option<MicroUsd> {
    let (model, discounts) = (&cell.model, floor_discounts());
    strategy.floor(&Hire { model, price, from_unix_secs: now_unix_secs, minutes, interruptible, discounts })
}

/// Where a device is, as prices tell places apart.
pub(crate) fn region(location: &Location) -> Region {
    let name = location.country.map_or(NOWHERE, |country| country.continent().name()).replace('_', "-");
    name.parse().expect("continents are lower-case letters and -")
}

fn offered_milli(whole: &Room) -> u32 {
    if whole.gpu_count == 0 { 1_000 } else { u32::from(whole.gpu_count) * 1_000 }
}

/// Replaces what the oracle was told of a device.
fn observe(observations: &mut ionet_market::oracle::Observations, listed: &mut Listed, cell: Cell, supply: Supply) {
    if listed.cell == cell && listed.supply == supply {
        return;
    }
    if listed.supply.offered_milli > 0 && !observations.remove(&listed.cell, listed.supply) {
        tracing::error!(cell = %listed.cell, "the oracle was told of a device that was not there");
    }
    if supply.offered_milli > 0 {
        observations.add(&cell, supply);
    }
    (listed.cell, listed.supply) = (cell, supply);
}

fn unlist(state: &mut State, device: DeviceId) {
    state.index.remove(device);
    if let Some(mut listed) = state.listed.remove(&device) {
        let (cell, gone) = (listed.cell.clone(), Supply { offered_milli: 0, hired_milli: 0, floor: MicroUsd(0) });
        observe(&mut state.observations, &mut listed, cell, gone);
    }
}
