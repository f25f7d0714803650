//! Devices, as everybody may see them.

use ionet_devices::fleet::Uptime;
use ionet_devices::{Event, Reason, Refused, State};
use ionet_market::machine::Machine;
use ionet_market::shape::Room;
use ionet_store::{DeviceRow, GpuShare, Reservation, Share};
use ionet_types::DeviceId;
use ionet_types::agent::Isolation;
use ionet_types::devices::{
    Device, DeviceConnection, DeviceCounts, DeviceGpu, DeviceHour, DeviceReputation, DeviceShare, DeviceSharing, DeviceState, DeviceStatus,
    DeviceUse,
};
use ionet_types::hardware::HardwareKind;
use ionet_types::page::{Page, PageRequest};
use ionet_types::problem::Code;
use std::collections::BTreeMap;

use super::{page, page_cursor, page_limit};
use crate::Hub;
use crate::caller::Caller;
use crate::devices::lives::sentence;
use crate::devices::reputation;
use crate::error::{HubError, HubResult};

impl Hub {
    /// All devices that have ever connected, by id.
    pub async fn device_list(&self, request: &PageRequest) -> HubResult<Page<Device>> {
        let limit = page_limit(request)?;
        let rows = self.store().devices(page_cursor(request)?, limit + 1).await?;
        self.devices_viewed(rows, limit).await
    }

    async fn devices_viewed(&self, rows: Vec<DeviceRow>, limit: u32) -> HubResult<Page<Device>> {
        let mut reservations: BTreeMap<DeviceId, Vec<Reservation>> = BTreeMap::new();
        for reservation in self.store().reservations().await? {
            reservations.entry(reservation.device_id).or_default().push(reservation);
        }
        // What is free is read off the market's books.
        self.market_refresh().await?;
        let of = |row: &DeviceRow| reservations.get(&row.id).map_or(&[][..], Vec::as_slice);
        Ok(page(rows, limit, |row| row.id.to_string(), |row| self.device_viewed(&row, of(&row))))
    }

    /// The devices that name the caller as their owner, by id.
    pub async fn device_list_of(&self, caller: &Caller, request: &PageRequest) -> HubResult<Page<Device>> {
        let limit = page_limit(request)?;
        let rows = self.store().devices_of_owner(caller.wallet, page_cursor(request)?, limit + 1).await?;
        self.devices_viewed(rows, limit).await
    }

    /// A device.
    pub async fn device_show(&self, id: DeviceId) -> HubResult<Device> {
        let row = self.store().device(id).await?.ok_or(Code::DeviceNotFound)?;
        self.market_refresh().await?;
        let reservations = self.store().reservations_on(id).await?;
        Ok(self.device_viewed(&row, &reservations))
    }

    /// How a device is, why, and what can be done about it.
    fn device_status(&self, row: &DeviceRow) -> DeviceStatus {
        let now_unix_secs = self.clock().now_unix_secs();
        let Some(view) = self.agents().0.lives.view(row.id, now_unix_secs) else {
            // It was here before lives were kept, and has not come back since.
            return DeviceStatus {
                state: DeviceState::Unknown,
                since_unix_secs: row.last_seen_unix_secs,
                reason: "not_seen_since_upgrade".to_owned(),
                detail: "it has not connected since the network keeps account of its devices".to_owned(),
            };
        };
        let changes = row.verified.as_ref().map(|verified| row.hardware.changes_since(verified)).unwrap_or_default();
        DeviceStatus {
            state: state(view.state),
            since_unix_secs: view.since_unix_secs,
            reason: view.reason.code().to_owned(),
            detail: detail(&view.reason, &changes),
        }
    }

    /// What a device's past is worth, and why.
    pub async fn device_reputation(&self, id: DeviceId) -> HubResult<DeviceReputation> {
        self.store().device(id).await?.ok_or(Code::DeviceNotFound)?;
        Ok(reputation::viewed(&self.agents().0.lives.reputation(id), self.clock().now_unix_secs()))
    }

    /// How many devices are in each state.
    pub fn device_counts(&self) -> DeviceCounts {
        let counts = self.agents().0.lives.counts();
        let states = State::ALL.iter().map(|one| (state(*one), counts.of(*one))).collect();
        DeviceCounts { states, total: counts.all() }
    }

    /// The owner takes a device out of the market; a customer who is there may finish.
    pub async fn device_pause(&self, caller: &Caller, id: DeviceId) -> HubResult<Device> {
        self.device_told(caller, id, Event::Paused).await
    }

    /// The owner brings a device back.
    pub async fn device_resume(&self, caller: &Caller, id: DeviceId) -> HubResult<Device> {
        self.device_told(caller, id, Event::Resumed).await
    }

    /// The owner gives a device up, for good.
    pub async fn device_terminate(&self, caller: &Caller, id: DeviceId) -> HubResult<Device> {
        if self.store().is_reserved(id).await? {
            return Err(Code::DeviceInUse.into());
        }
        let device = self.device_told(caller, id, Event::Terminated).await?;
        self.agents().end(id);
        Ok(device)
    }

    /// Tells the life of the caller's own device what its owner wants.
    async fn device_told(&self, caller: &Caller, id: DeviceId, event: Event) -> HubResult<Device> {
        caller.may_write()?;
        let row = self.store().device(id).await?.ok_or(Code::DeviceNotFound)?;
        if row.owner != Some(caller.wallet) {
            return Err(Code::DeviceNotYours.into());
        }
        let agents = &self.agents().0;
        match agents.lives.apply(&agents.store, id, event, self.clock().now_unix_secs()).await? {
            Ok(_) => self.device_show(id).await,
            Err(Refused::Hired) => Err(Code::DeviceInUse.into()),
            Err(refused) => Err(HubError::from(Code::DeviceRefuses).saying(refused.to_string())),
        }
    }

    fn device_viewed(&self, row: &DeviceRow, reservations: &[Reservation]) -> Device {
        let connected = self.agents().0.directory.seen_one(row.id).is_some();
        let status = self.device_status(row);
        let (tier, attestation, sharing) = {
            let market = self.market().lock();
            (self.tier_of(&market, row.id).into(), market.attestation(row.id).cloned(), viewed(market.room(row.id), reservations))
        };
        Device {
            id: row.id,
            label: row.label.clone(),
            status,
            reputation: self.agents().0.lives.reputation(row.id).score(self.clock().now_unix_secs(), reputation::PARAMS),
            location: row.location.clone(),
            tier,
            attestation,
            hour: self.agents().0.lives.hours(row.id, self.clock().now_unix_secs()).map(|[now, _]| hour(&now)),
            connection: if connected { DeviceConnection::Connected } else { DeviceConnection::Unknown },
            usage: match reservations {
                [] => DeviceUse::Free,
                all if all.iter().all(|one| one.releasing) => DeviceUse::Releasing,
                _ => DeviceUse::Hired,
            },
            sharing,
            kind: HardwareKind::from(row.hardware.kind),
            hardware: self.options().prices.classify(&row.hardware).map(|model| model.hardware.clone()),
            cpu_model: row.hardware.cpu_model.clone(),
            cpus: row.hardware.cpus,
            memory_mb: row.hardware.memory_mb,
            gpus: row.hardware.gpus.iter().map(|gpu| DeviceGpu { model: gpu.model.clone(), memory_mb: gpu.memory_mb }).collect(),
            isolation: match row.hardware.isolation {
                Isolation::None => "none",
                Isolation::Unknown => "unknown",
            }
            .to_owned(),
            agent_version: row.agent_version.clone(),
            registered_at_unix_secs: row.registered_at_unix_secs,
            last_seen_unix_secs: if connected { self.clock().now_unix_secs() } else { row.last_seen_unix_secs },
        }
    }
}

/// How a device that can be shared, or is, is divided: whatever has it, and not who.
fn viewed(known: Option<(&Machine, Room)>, reservations: &[Reservation]) -> Option<DeviceSharing> {
    let shared = reservations.iter().any(|one| one.share.is_some());
    let (machine, free) = known.filter(|(machine, _)| machine.divisible || shared)?;
    Some(DeviceSharing {
        open: machine.divisible,
        free_gpus: free.whole_gpus(),
        free_gpu_milli: free.gpu_milli().collect(),
        mig: free.mig,
        free_cpu_milli: free.cpu_milli,
        free_memory_mb: free.memory_mb,
        free_disk_mb: free.disk_mb,
        hired: reservations.iter().filter_map(|one| one.share.map(|share| hired(&share, one.releasing))).collect(),
    })
}

fn hired(share: &Share, releasing: bool) -> DeviceShare {
    let (gpus, gpu_milli, gpu_instance) = match share.gpus {
        GpuShare::None => (Vec::new(), None, None),
        GpuShare::Milli { gpu, milli } => (vec![gpu], Some(milli), None),
        GpuShare::Whole(bits) => ((0..8).filter(|gpu| bits & (1 << gpu) != 0).collect(), None, None),
        GpuShare::Instance { gpu, size, .. } => (vec![gpu], None, Some(size)),
    };
    DeviceShare { gpus, gpu_milli, gpu_instance, cpu_milli: share.cpu_milli, memory_mb: share.memory_mb, disk_mb: share.disk_mb, releasing }
}

fn hour(seen: &Uptime) -> DeviceHour {
    DeviceHour {
        minutes_up: seen.hour.counted().count(),
        minutes_over: seen.hour.over.count(),
        minutes_unknown: seen.unknown.count(),
        minutes_foreign: u32::from(seen.hour.evidence.foreign_minutes),
    }
}

const fn state(state: State) -> DeviceState {
    match state {
        State::Registered => DeviceState::Registered,
        State::Verifying => DeviceState::Verifying,
        State::Ready => DeviceState::Ready,
        State::Hired => DeviceState::Hired,
        State::Paused => DeviceState::Paused,
        State::Down => DeviceState::Down,
        State::Inactive => DeviceState::Inactive,
        State::Blocked => DeviceState::Blocked,
        State::Terminated => DeviceState::Terminated,
        State::Unknown => DeviceState::Unknown,
    }
}

/// A reason for a person. `changes` are those of its hardware since it was verified.
fn detail(reason: &Reason, changes: &[String]) -> String {
    let blocked = |block| match (block, changes) {
        (ionet_devices::BlockReason::HardwareChanged, [_, ..]) => format!("{}; {}", changes.join(", "), sentence(block)),
        _ => sentence(block).to_owned(),
    };
    match reason {
        Reason::NeverConnected => "it has not connected yet".to_owned(),
        Reason::NeverVerified => "it left before it passed a proof: it is asked again when it is back".to_owned(),
        Reason::FirstTests => "it is asked for its first proof".to_owned(),
        Reason::TestFailed(code) => format!("its last proof failed ({code}): it is asked again; `ionet devices proofs` shows why"),
        Reason::TestPassed => "its last proof was right".to_owned(),
        Reason::Tenant => "a customer has it".to_owned(),
        Reason::TenantThenBlocked(block) => format!("a customer has it; afterwards it is blocked: {}", blocked(*block)),
        Reason::Owner => "its owner paused it".to_owned(),
        Reason::HubAway => "the network was away and cannot tell; this counts against nobody".to_owned(),
        Reason::HubJustBack => "the network is just back and gives devices time to return; this counts against nobody".to_owned(),
        Reason::NotConnected => "it is not connected".to_owned(),
        Reason::Blocked(block) => blocked(*block),
        Reason::GivenUp => "it was given up, for good".to_owned(),
    }
}
