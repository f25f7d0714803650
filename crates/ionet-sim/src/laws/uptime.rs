//! What the hub says of how long each device was up, held against what it could see.

use ionet_hub::decisions::{continuous_secs, downs};

use super::{Laws, Truth};
use crate::Millis;
use crate::agent::Agent;
use crate::faults::is_spared;
use crate::hub::books::{EPOCH_SECS, bounds};
use crate::hub::{Hub, clock};

/// What whole seconds hide, seconds.
const WHOLE_SECS: i64 = 2;

impl Truth {
    pub(super) fn uptime_is_right(&mut self, hub: &Hub, agents: &[Agent], now: Millis) {
        self.downs_are_seen(hub, agents, now);
        self.spared_devices_lose_nothing(hub, agents, now);
        self.uptime_is_counted_once(hub, now);
    }

    /// Time in which the hub was away is nobody's downtime, unless the device was away for long before it, and after it for longer than it takes to
    /// come back or than its agent has been running.
    fn downs_are_seen(&mut self, hub: &Hub, agents: &[Agent], now: Millis) {
        let grace = hub.grace();
        let watches = hub.watches(now);
        let look_secs = i64::from(hub.timing.heartbeat_secs) + WHOLE_SECS;
        for (number, agent) in agents.iter().enumerate() {
            let presences = hub.disk.presences.get(&agent.device).map_or(&[][..], Vec::as_slice);
            let Some((_, downs)) = downs(presences, &watches, grace, clock(now)) else { continue };
            for (from, to) in downs {
                self.checked("stretches called down");
                for (went, came) in hub.noticed_absences() {
                    let (went_secs, came_secs) = (clock(*went), clock(*came));
                    let overlap = to.min(came_secs) - from.max(went_secs);
                    let was_gone = from < went_secs - grace.before_secs + look_secs;
                    let is_late = to + WHOLE_SECS > came_secs + grace.after_secs;
                    let mut begins = self.agent_began.get(&number).into_iter().flatten().map(|began| clock(*began));
                    let is_new = begins.any(|began| (came_secs - WHOLE_SECS..=to + WHOLE_SECS).contains(&began));
                    if overlap > WHOLE_SECS && !(was_gone && (is_late || is_new)) {
                        let near: Vec<_> = presences.iter().filter(|one| one.to_unix_secs.is_none_or(|end| end >= from)).take(2).collect();
                        let what = format!(
                            "{} is down from {from} to {to}, the hub was away from {went_secs} to {came_secs}; {near:?}",
                            agent.device
                        );
                        self.breaks(Laws::HubAbsenceBlamesNobody, now, what);
                    }
                }
            }
        }
    }

    /// A device that was always within reach has been up since it first came, in every epoch that was published.
    fn spared_devices_lose_nothing(&mut self, hub: &Hub, agents: &[Agent], now: Millis) {
        let watches = hub.watches(now);
        for agent in agents.iter().enumerate().filter_map(|(number, agent)| is_spared(number).then_some(agent)) {
            let presences = hub.disk.presences.get(&agent.device).map_or(&[][..], Vec::as_slice);
            let Some((first, downs)) = downs(presences, &watches, hub.grace(), clock(now)) else { continue };
            self.checked("devices that were never out of reach");
            if !downs.is_empty() {
                let what = format!("{} was never out of reach and is down {downs:?}; {presences:?} {watches:?}", agent.device);
                self.breaks(Laws::ReachableLosesNothing, now, what);
            }
            if let Some(times) = hub.disk.reproached.get(&agent.device) {
                self.breaks(Laws::ReachableLosesNothing, now, format!("{} was told {times} times to have been away", agent.device));
            }
            for (epoch, lines) in &hub.disk.archive {
                let (from, to) = bounds(*epoch);
                let up = (continuous_secs(first, &[], from), continuous_secs(first, &[], to));
                if lines.get(&agent.device).is_some_and(|line| line.uptime_secs != up) {
                    let what = format!("epoch {epoch} has {:?} of {} instead of {up:?}", lines[&agent.device], agent.device);
                    self.breaks(Laws::ReachableLosesNothing, now, what);
                }
            }
        }
    }

    /// Nobody's uptime grows faster than time, and the next epoch begins with what the last one ended with.
    fn uptime_is_counted_once(&mut self, hub: &Hub, now: Millis) {
        for (epoch, lines) in &hub.disk.archive {
            for (device, line) in lines {
                self.checked("uptimes published");
                let (begin, end) = line.uptime_secs;
                let next = hub.disk.archive.get(&(epoch + 1)).and_then(|lines| lines.get(device)).map(|line| line.uptime_secs.0);
                if end > begin + EPOCH_SECS.unsigned_abs() || next.is_some_and(|next| next != end) {
                    let what =
                        format!("{device} was up for {begin} s, then {end} s at the end of epoch {epoch}, {next:?} when the next began");
                    self.breaks(Laws::UptimeIsCountedOnce, now, what);
                }
            }
        }
    }
}
