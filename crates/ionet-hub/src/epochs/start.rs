//! How the devices stand when an epoch begins, as the chain has it at that moment. Written down then, because a stake that is raised in the
//! middle of an hour counts from the next.

use ionet_ledger::{DeviceFilter, DeviceView};
use ionet_rules::booking::HardwareKind;
use ionet_rules::stake::CoStatus;
use ionet_types::DeviceId;
use ionet_types::hardware::HardwareKind as WireKind;
use serde::{Deserialize, Serialize};

use crate::Hub;
use crate::error::HubResult;

/// One registered device.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Standing {
    /// The device's key.
    pub(crate) device: DeviceId,
    /// Whether it is registered on chain.
    pub(crate) registered: bool,
    /// Name of its model in the multiplier table; `None` when it is unlisted.
    pub(crate) model: Option<String>,
    /// Its kind.
    pub(crate) kind: WireKind,
    /// Its multiplier, hundredths.
    pub(crate) multiplier_centi: u32,
    /// Graphics cards, or processors of a device without.
    pub(crate) processors: u32,
    /// What counts of its stake, base units of IO.
    pub(crate) staked_io: u64,
    /// Whether it is being unstaked.
    pub(crate) unstaking: bool,
    /// Who co-stakes and earns, and its share in basis points.
    pub(crate) co_staker: Option<(ionet_types::Address, u16)>,
    /// Whether it was reserved for a cluster.
    pub(crate) hired: bool,
}

impl Hub {
    /// How all registered devices stand now, on the chain's clock.
    pub(crate) async fn standings(&self, now_unix_secs: i64) -> HubResult<Vec<Standing>> {
        let everything = DeviceFilter::default();
        let (devices, table, supply) =
            futures::try_join!(self.ledger().devices(&everything), self.ledger().multipliers(), self.ledger().supply())?;
        let reserved: std::collections::BTreeSet<DeviceId> =
            self.store().reservations().await?.into_iter().filter(|one| !one.releasing).map(|one| one.device_id).collect();
        let standing = |device: &DeviceView| -> HubResult<Standing> {
            let id = DeviceId(device.device.to_bytes());
            let co_staker = device.co_staker.filter(|_| device.stake.co_status(now_unix_secs) == CoStatus::Active);
            Ok(Standing {
                device: id,
                registered: true,
                model: table.name(device.model).map(str::to_owned),
                kind: WireKind::from(device.model.kind),
                multiplier_centi: device.model.centi(&table.models, &supply.params)?,
                processors: device.processors,
                staked_io: device.stake.counted(now_unix_secs)?.0,
                unstaking: device.stake.is_unstaking(),
                co_staker: co_staker.map(|wallet| (crate::translate::address(&wallet), device.stake.co_share_bps)),
                hired: reserved.contains(&id),
            })
        };
        devices.iter().map(standing).collect()
    }
}

impl Standing {
    /// A device that is not registered on chain: it earns what it worked, and nothing else.
    pub(crate) fn unregistered(device: DeviceId, kind: HardwareKind, hired: bool) -> Self {
        Self {
            device,
            registered: false,
            model: None,
            kind: WireKind::from(kind),
            multiplier_centi: 0,
            processors: 1,
            staked_io: 0,
            unstaking: false,
            co_staker: None,
            hired,
        }
    }
}
