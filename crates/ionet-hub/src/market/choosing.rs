//! Choosing devices for a cluster: a proposal of the index, looked at once more before anybody reserves it.

use std::collections::BTreeSet;

use ionet_market::conditions::{Condition, Missed};
use ionet_market::machine::State as Standing;
use ionet_market::oracle::{Asked, Cell, highest_floor, node_rate};
use ionet_market::placed::Placed;
use ionet_market::refusal::Refusal;
use ionet_market::replace::Cluster;
use ionet_market::request::Request;
use ionet_market::shape::{Demand, GpuDemand};
use ionet_rules::RuleError;
use ionet_store::Taking;
use ionet_types::hardware::{HardwareKind, HardwareModel};
use ionet_types::market::{Arrangement, Lease, Price};
use ionet_types::problem::Code;
use ionet_types::quotes::QuoteRequest;
use ionet_types::{DeviceId, MicroUsd};

use super::State;
use super::listing::floor;
use super::pricing::anywhere;
use super::sharing::{LEAST_CPU_MILLI, LEAST_MEMORY_MB, takings};
use crate::Hub;
use crate::error::{HubError, HubResult};

/// How often a proposal may prove to be stale before it is given up.
const LOOKS: usize = 16;

/// Devices for a cluster, and what they ask.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    /// Their model.
    pub(crate) hardware: HardwareModel,
    /// Its kind.
    pub(crate) kind: HardwareKind,
    /// What the nodes take of which devices, the head's first. Several may be on one device that is shared.
    pub(crate) takings: Vec<Taking>,
    /// What a node costs.
    pub(crate) asked: Asked,
    /// What the dearest device's price is made of.
    pub(crate) price: Option<Price>,
}

impl Hub {
    /// The request that a customer's words make.
    pub(crate) fn checked(&self, request: &QuoteRequest) -> HubResult<Request> {
        let state = self.market().lock();
        let mut request = Request::check(&request.hardware, request.quantity, request.minutes, &request.requirements, &state.catalogue)
            .map_err(|refusal| refused(&refusal))?;
        if request.demand.gpus != GpuDemand::None {
            // Of a device that is shared a node gets what it asks for: without these it could not start.
            request.demand.cpu_milli = request.demand.cpu_milli.max(LEAST_CPU_MILLI);
            request.demand.memory_mb = request.demand.memory_mb.max(LEAST_MEMORY_MB);
        }
        Ok(request)
    }

    /// The same request for this model alone.
    pub(crate) fn only(&self, request: &mut Request, hardware: &HardwareModel) {
        let state = self.market().lock();
        let model = state.catalogue.find_model(hardware);
        request.models.retain(|one| Some(*one) == model);
    }

    /// The best devices for a request, if there are any. What is in the way otherwise, [`Hub::preflight`] says.
    pub(crate) async fn choose(&self, request: &Request) -> HubResult<Option<Chosen>> {
        self.market_refresh().await?;
        let now_unix_secs = self.clock().now_unix_secs();
        for _ in 0..LOOKS {
            let mut state = self.market().lock();
            let draw = rand::random();
            let placement = state.index.place(request, draw);
            let Some(placement) = placement.or_else(|| state.index.place(&together(request)?, draw)) else { return Ok(None) };
            let devices: Vec<DeviceId> = placement.nodes.iter().map(|node| node.device).collect();
            // A life may have changed with time alone since the index heard of it.
            let changed: Vec<_> = devices
                .iter()
                .filter_map(|device| {
                    let seen = self.agents().0.directory.seen_one(*device);
                    let standing = self.standing(*device, seen.as_ref(), now_unix_secs);
                    (standing != Standing::Hireable).then_some((*device, standing))
                })
                .collect();
            if changed.is_empty() {
                return Ok(self.chosen(&mut state, request, &placement.nodes, now_unix_secs));
            }
            for (device, standing) in changed {
                if state.index.set_state(device, standing).is_err() {
                    tracing::error!(%device, "the market has lost a device");
                }
            }
        }
        Ok(None)
    }

    fn chosen(&self, state: &mut State, request: &Request, nodes: &[Placed], now_unix_secs: i64) -> Option<Chosen> {
        let takings = takings(nodes, |device| state.room(device))?;
        let devices: Vec<DeviceId> = nodes.iter().map(|node| node.device).collect();
        let model = state.index.get(*devices.first()?)?.0.model;
        let (hardware, kind) = state.catalogue.model_of(model).map(|model| (model.hardware.clone(), model.kind))?;
        let cells: Vec<Cell> = devices.iter().filter_map(|device| state.cell(*device).cloned()).collect();
        let dearest = cells.iter().max_by_key(|cell| self.price(state, cell, now_unix_secs))?;
        let price = self.price(state, dearest, now_unix_secs)?;
        let interruptible = request.lease == Lease::Interruptible;
        let floors = devices.iter().zip(&cells).filter_map(|(device, cell)| {
            let own = self.price(state, cell, now_unix_secs)?;
            floor(state.strategy(*device)?, cell, own, request.minutes, interruptible, now_unix_secs).map(|floor| floor.0)
        });
        let asked = Asked {
            price_micro_usd: if interruptible { dearest_interruptible(state, &devices, price) } else { price.0 },
            floor_micro_usd: highest_floor(floors),
            gpu_milli: gpu_milli(request, kind),
            minutes: request.minutes,
        };
        let price = self.explained(state, dearest, now_unix_secs);
        Some(Chosen { hardware, kind, takings, asked, price })
    }

    /// What a request would cost if there were devices for it: by the model's price where nothing is known.
    pub(crate) fn asked_without_devices(&self, request: &Request, now_unix_secs: i64) -> HubResult<Chosen> {
        let state = self.market().lock();
        let of = |id: &_| {
            let model = state.catalogue.model_of(*id)?;
            let cell = anywhere(&model.hardware);
            Some((self.price(&state, &cell, now_unix_secs)?, model, cell))
        };
        let (price, model, cell) = request.models.iter().filter_map(of).min_by_key(|(price, ..)| *price).ok_or(Code::HardwareUnknown)?;
        let asked =
            Asked { price_micro_usd: price.0, floor_micro_usd: 0, gpu_milli: gpu_milli(request, model.kind), minutes: request.minutes };
        let explained = self.explained(&state, &cell, now_unix_secs);
        Ok(Chosen { hardware: model.hardware.clone(), kind: model.kind, takings: Vec::new(), asked, price: explained })
    }

    /// Devices that fulfil a request and are free.
    pub(crate) fn fitting(&self, request: &Request) -> u32 {
        u32::try_from(self.market().lock().index.fitting(request)).unwrap_or(u32::MAX)
    }

    /// How many nodes of a request there is room for, where machines are shared up to as many as it asks for; and the most GPUs that stand
    /// idle on one device that fulfils all else.
    pub(crate) fn room_for(&self, request: &Request) -> (u32, u8) {
        let of_any_size = Request { demand: Demand::default(), ..request.clone() };
        let by_size = Missed::of(&[Condition::Gpus, Condition::Free]);
        let state = self.market().lock();
        let (mut nodes, mut most_gpus) = (0_u32, 0);
        for (machine, free, standing) in state.index.iter().filter(|(machine, ..)| request.models.contains(&machine.model)) {
            if machine.divisible && Missed::find(machine, standing, &free, &of_any_size).without(by_size).none() {
                most_gpus = most_gpus.max(free.whole_gpus());
            }
            if Missed::any(machine, standing, &free, request) {
                continue;
            }
            if !machine.divisible {
                nodes = nodes.saturating_add(1);
                continue;
            }
            let mut left = free;
            while nodes < request.nodes && left.take_tightly(&request.demand) {
                nodes += 1;
            }
        }
        (nodes, most_gpus)
    }

    /// A device for a further node of a cluster that runs, and what of it: not one of those that it has, near them or far as was asked, and none whose
    /// supplier asks for more than the cluster pays.
    pub(crate) async fn choose_for_node(
        &self,
        terms: &QuoteRequest,
        rate_micro_usd: u64,
        nodes: Vec<DeviceId>,
    ) -> HubResult<Option<Taking>> {
        let request = self.checked(terms)?;
        self.market_refresh().await?;
        let now_unix_secs = self.clock().now_unix_secs();
        let mut state = self.market().lock();
        let model = state.catalogue.find_model(&terms.hardware).ok_or(Code::HardwareUnknown)?;
        // The cluster pays what it was booked at: what the network asks by now is not its matter, what the supplier asks at least is.
        let mut cluster = Cluster { model, price_micro_usd: u32::MAX, nodes, failed: BTreeSet::new() };
        for _ in 0..LOOKS {
            let Some(placed) = state.index.more(&cluster, 1, &request, rand::random()) else { return Ok(None) };
            let Some(device) = placed.first().map(|node| node.device) else { return Ok(None) };
            let standing = self.standing(device, self.agents().0.directory.seen_one(device).as_ref(), now_unix_secs);
            if standing != Standing::Hireable {
                if state.index.set_state(device, standing).is_err() {
                    tracing::error!(%device, "the market has lost a device");
                }
                continue;
            }
            let chosen = self.chosen(&mut state, &request, &placed[..1], now_unix_secs);
            if let Some(chosen) = chosen
                && node_rate(chosen.asked.floor_micro_usd, chosen.asked.gpu_milli)? <= rate_micro_usd
            {
                return Ok(chosen.takings.first().copied());
            }
            cluster.failed.insert(device);
        }
        Ok(None)
    }
}

/// The same request with several nodes on one machine, where its nodes may lie as they like and machines can be shared: better than none.
pub(crate) fn together(request: &Request) -> Option<Request> {
    let may = request.arrangement.is_none() && request.nodes > 1 && request.demand.gpus != GpuDemand::None;
    may.then(|| Request { arrangement: Some(Arrangement::Pack), ..request.clone() })
}

/// The price of an interruptible hire: all nodes are paid what the dearest asks.
fn dearest_interruptible(state: &State, devices: &[DeviceId], price: MicroUsd) -> u64 {
    let of = |device: &DeviceId| state.index.get(*device).map(|(machine, ..)| u64::from(machine.prices.interruptible_micro_usd));
    devices.iter().filter_map(of).max().unwrap_or(price.0)
}

/// Thousandths of a GPU that a node is charged for; a device without GPUs as one.
fn gpu_milli(request: &Request, kind: HardwareKind) -> u32 {
    match kind {
        HardwareKind::Cpu => 1_000,
        HardwareKind::Gpu => request.demand.gpus.milli(),
    }
}

/// A request that no market could serve, as the client hears it.
fn refused(refusal: &Refusal) -> HubError {
    let error = match (refusal.field, refusal.problem.code()) {
        ("hardware" | "or_hardware", "unknown") => Code::HardwareUnknown.into(),
        // The rules' own names for these, which the program gives as well.
        ("quantity", "out_of_range") => HubError::from(RuleError::QuantityOutOfRange),
        ("minutes", "out_of_range") => HubError::from(RuleError::MinutesOutOfRange),
        _ => Code::FieldOutOfRange.into(),
    };
    error.saying(refusal.to_string()).of(refusal.field)
}
