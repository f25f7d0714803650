//! Choosing devices for a cluster: a proposal of the index, looked at once more before anybody reserves it.

use std::collections::BTreeSet;

use ionet_market::machine::State as Standing;
use ionet_market::oracle::{Asked, Cell, highest_floor, node_rate};
use ionet_market::refusal::Refusal;
use ionet_market::replace::Cluster;
use ionet_market::request::Request;
use ionet_rules::RuleError;
use ionet_types::hardware::{HardwareKind, HardwareModel};
use ionet_types::market::{Lease, Price};
use ionet_types::problem::Code;
use ionet_types::quotes::QuoteRequest;
use ionet_types::{DeviceId, MicroUsd};

use super::State;
use super::listing::floor;
use super::pricing::anywhere;
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
    /// The devices, the head's first.
    pub(crate) devices: Vec<DeviceId>,
    /// What a node costs.
    pub(crate) asked: Asked,
    /// What the dearest device's price is made of.
    pub(crate) price: Option<Price>,
}

impl Hub {
    /// The request that a customer's words make.
    pub(crate) fn checked(&self, request: &QuoteRequest) -> HubResult<Request> {
        let state = self.market().lock();
        Request::check(&request.hardware, request.quantity, request.minutes, &request.requirements, &state.catalogue)
            .map_err(|refusal| refused(&refusal))
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
            let Some(placement) = state.index.place(request, rand::random()) else { return Ok(None) };
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
                return Ok(self.chosen(&mut state, request, devices, now_unix_secs));
            }
            for (device, standing) in changed {
                if state.index.set_state(device, standing).is_err() {
                    tracing::error!(%device, "the market has lost a device");
                }
            }
        }
        Ok(None)
    }

    fn chosen(&self, state: &mut State, request: &Request, devices: Vec<DeviceId>, now_unix_secs: i64) -> Option<Chosen> {
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
        Some(Chosen { hardware, kind, devices, asked, price })
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
        Ok(Chosen { hardware: model.hardware.clone(), kind: model.kind, devices: Vec::new(), asked, price: explained })
    }

    /// Devices that fulfil a request and are free.
    pub(crate) fn fitting(&self, request: &Request) -> u32 {
        u32::try_from(self.market().lock().index.fitting(request)).unwrap_or(u32::MAX)
    }

    /// A device for a further node of a cluster that runs: not one of those that it has, near them or far as was asked, and none whose
    /// supplier asks for more than the cluster pays.
    pub(crate) async fn choose_for_node(
        &self,
        terms: &QuoteRequest,
        rate_micro_usd: u64,
        nodes: Vec<DeviceId>,
    ) -> HubResult<Option<DeviceId>> {
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
            let floor = self
                .chosen(&mut state, &request, vec![device], now_unix_secs)
                .map_or(Ok(0), |chosen| node_rate(chosen.asked.floor_micro_usd, chosen.asked.gpu_milli))?;
            if floor <= rate_micro_usd {
                return Ok(Some(device));
            }
            cluster.failed.insert(device);
        }
        Ok(None)
    }
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
