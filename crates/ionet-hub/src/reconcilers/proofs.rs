//! Sees to it that devices prove what they are: at once when they are new, have changed or failed, and else once in each epoch, at a moment
//! that nobody can tell before. Also tells the devices' lives which of them are hired: the reservations are the truth about that.

use std::collections::BTreeSet;
use std::sync::Arc;

use ionet_devices::{BlockReason, Duty, Event};
use ionet_types::DeviceId;

use crate::Hub;
use crate::error::HubResult;
use crate::proofs::plan;
use crate::proofs::round::{self, Order};
use crate::proofs::{Last, Measuring};

/// Minutes of an hour.
const HOUR_MINUTES: u32 = 60;
/// How often a failed device's waiting time doubles.
const DOUBLINGS: u32 = 6;
/// How long after a whole proof the next one is whole again, seconds.
const WHOLE_EVERY_SECS: i64 = 86_400;

pub(super) async fn reconcile(hub: &Hub) -> HubResult<()> {
    hub.look().await?;
    tell_own_absence(hub).await?;
    let reserved: BTreeSet<DeviceId> = hub.store().reservations().await?.into_iter().map(|reservation| reservation.device_id).collect();
    tell_who_is_hired(hub, &reserved).await?;
    forgive_idle_load(hub).await?;
    let Some(measuring) = hub.options().measuring else { return Ok(()) };
    let chain = crate::epochs::Chain::look(hub).await?;
    let epoch = chain.running();
    if epoch == 0 {
        return Ok(());
    }
    let bounds = chain.params.epoch_bounds(chain.book.first_unix_secs, epoch);
    let testable = testable(hub, &reserved);
    if testable.iter().any(|(device, _)| hub.0.proving.moment(*device, epoch).is_none()) {
        let owners = hub.store().device_owners().await?;
        let devices = testable.iter().map(|(device, _)| (*device, owners.get(device).copied()));
        hub.0.proving.set_moments(epoch, plan::moments(devices, &hub.0.proving.secret, epoch, bounds));
    }
    for (device, duty) in testable {
        let last = hub.0.proving.last(device);
        if !is_due(hub, &measuring, (device, duty), last, (epoch, chain.now)) {
            continue;
        }
        let Ok(place) = hub.0.proving.places.clone().try_acquire_owned() else { return Ok(()) };
        let Some(seen) = hub.agents().0.directory.seen_one(device) else { continue };
        let whole = last.is_none_or(|last| hub.clock().now_unix_secs().saturating_sub(last.whole_at_unix_secs) >= WHOLE_EVERY_SECS)
            || duty == Duty::Blocked;
        let reference = hub.reference_of(device, &seen.hardware).await?;
        let order = Order { device, epoch, hardware: Arc::clone(&seen.hardware), reference: reference.measurement, whole };
        let hub = hub.clone();
        tokio::spawn(async move {
            match round::run(&hub, &order, measuring).await {
                Ok(Some(proof)) => {
                    hub.0.proving.remember(&proof, order.whole);
                    hub.signals().proofs.notify_one();
                }
                Ok(None) => {}
                // The timer tries it again.
                Err(error) => tracing::warn!(%device, error = &error as &dyn std::error::Error, "a proof could not be taken"),
            }
            drop(place);
        });
    }
    Ok(())
}

/// What the hub did not see counts against nobody. The devices whose connections held meanwhile are there as they were.
async fn tell_own_absence(hub: &Hub) -> HubResult<()> {
    let agents = &hub.agents().0;
    let Some((_, to)) = hub.absence_to_tell().await else { return Ok(()) };
    for device in agents.directory.seen().into_keys() {
        agents.tell(device, Event::Alive, to).await?;
    }
    Ok(())
}

/// Brings the lives in line with the reservations.
async fn tell_who_is_hired(hub: &Hub, reserved: &BTreeSet<DeviceId>) -> HubResult<()> {
    let now_unix_secs = hub.clock().now_unix_secs();
    let lives = &hub.agents().0.lives;
    let news = lives.select(|device, life, _| {
        let hired = life.duty() == Duty::Hired;
        match (hired, reserved.contains(&device)) {
            (false, true) => Some((device, Event::Hired)),
            (true, false) => Some((device, Event::Released)),
            _ => None,
        }
    });
    for (device, event) in news {
        hub.agents().0.tell(device, event, now_unix_secs).await?;
    }
    Ok(())
}

/// A device that was blocked for being busy while it was offered as idle comes back after an hour in which it was not.
async fn forgive_idle_load(hub: &Hub) -> HubResult<()> {
    let now_unix_secs = hub.clock().now_unix_secs();
    let reason = BlockReason::IdleLoad;
    let lives = &hub.agents().0.lives;
    let blocked = lives.select(|device, life, _| life.blocks().contains(reason).then_some(device));
    for device in blocked {
        let was_idle = lives.hours(device, now_unix_secs).is_some_and(|[now, before]| {
            let whole_hour = before.hour.up.count() == HOUR_MINUTES && before.hour.over.count() == 0;
            whole_hour && now.hour.over.count() == 0
        });
        if was_idle {
            hub.agents().0.tell(device, Event::Unblocked { reason }, now_unix_secs).await?;
        }
    }
    Ok(())
}

/// Devices that may be asked now.
fn testable(hub: &Hub, reserved: &BTreeSet<DeviceId>) -> Vec<(DeviceId, Duty)> {
    let now_unix_secs = hub.clock().now_unix_secs();
    hub.agents().0.lives.select(|device, life, watching| {
        let busy = reserved.contains(&device) || hub.0.trials.runs(device, now_unix_secs);
        let may = life.may_be_tested(now_unix_secs, watching) && !busy;
        may.then(|| (device, life.duty()))
    })
}

/// Whether a device is to be asked now: `now` is in this epoch, on the chain's clock.
fn is_due(hub: &Hub, measuring: &Measuring, (device, duty): (DeviceId, Duty), last: Option<Last>, (epoch, now): (u64, i64)) -> bool {
    match (duty, last) {
        (Duty::New | Duty::Blocked, None) => true,
        (Duty::New | Duty::Doubted | Duty::Blocked, Some(last)) => {
            let retry_secs = i64::try_from(measuring.retry_after.as_secs()).unwrap_or(i64::MAX);
            let doublings = last.failures.saturating_sub(1).min(DOUBLINGS);
            hub.clock().now_unix_secs().saturating_sub(last.ended_at_unix_secs) >= retry_secs.saturating_mul(1 << doublings)
        }
        (_, Some(last)) if last.epoch >= epoch => false,
        // Vouched for and never asked, or asked before: its moment comes as for all.
        _ => hub.0.proving.moment(device, epoch).is_some_and(|moment| now >= moment),
    }
}
