//! Devices, as everybody may see them.

use ionet_store::{DeviceRow, Reservation};
use ionet_types::DeviceId;
use ionet_types::agent::Isolation;
use ionet_types::devices::{Device, DeviceConnection, DeviceGpu, DeviceUse};
use ionet_types::hardware::HardwareKind;
use ionet_types::page::{Page, PageRequest};
use ionet_types::problem::Code;
use std::collections::BTreeMap;

use super::{page, page_cursor, page_limit};
use crate::Hub;
use crate::caller::Caller;
use crate::error::HubResult;

impl Hub {
    /// All devices that have ever connected, by id.
    pub async fn device_list(&self, request: &PageRequest) -> HubResult<Page<Device>> {
        let limit = page_limit(request)?;
        let rows = self.store().devices(page_cursor(request)?, limit + 1).await?;
        self.devices_viewed(rows, limit).await
    }

    async fn devices_viewed(&self, rows: Vec<DeviceRow>, limit: u32) -> HubResult<Page<Device>> {
        let reservations: BTreeMap<_, _> =
            self.store().reservations().await?.into_iter().map(|reservation| (reservation.device_id, reservation)).collect();
        Ok(page(rows, limit, |row| row.id.to_string(), |row| self.device_viewed(&row, reservations.get(&row.id))))
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
        let reservation = self.store().reservation_of(id).await?;
        Ok(self.device_viewed(&row, reservation.as_ref()))
    }

    fn device_viewed(&self, row: &DeviceRow, reservation: Option<&Reservation>) -> Device {
        let connected = self.agents().0.directory.seen_one(row.id).is_some();
        Device {
            id: row.id,
            label: row.label.clone(),
            connection: if connected { DeviceConnection::Connected } else { DeviceConnection::Unknown },
            usage: match reservation {
                None => DeviceUse::Free,
                Some(Reservation { releasing: true, .. }) => DeviceUse::Releasing,
                Some(_) => DeviceUse::Hired,
            },
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
