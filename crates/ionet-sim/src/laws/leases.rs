//! How long each node may run by what its agent was told last, by the true time.

use std::collections::BTreeMap;

use ionet_types::agent::{DesiredState, WorkloadKey};

use super::{Laws, Truth};
use crate::Millis;
use crate::agent::Agent;

/// What whole seconds hide, milliseconds.
const WHOLE: Millis = 2_000;

/// Until when each agent's nodes may run, and at which start of its machine it was told.
#[derive(Debug, Default)]
pub(super) struct Leases(BTreeMap<(usize, WorkloadKey), (Millis, u32)>);

impl Truth {
    /// An agent hears what it is to run.
    pub(crate) fn leased(&mut self, agent: usize, machine: &Agent, desired: &DesiredState, now: Millis) {
        if machine.running.as_ref().is_none_or(|running| running.revision > desired.revision) {
            return;
        }
        let Some(hub_unix_secs) = desired.hub_unix_secs else { return };
        for workload in &desired.workloads {
            let lease_secs = workload.lease_until_unix_secs - hub_unix_secs;
            self.leases.0.insert((agent, workload.key), (now + lease_secs * 1_000, machine.boot));
        }
    }

    /// An agent has ended a node because its lease was over.
    pub(crate) fn lease_is_over(&mut self, key: WorkloadKey, machine: &Agent, agent: usize, now: Millis) {
        self.checked("leases over");
        if let Some((until, _)) = self.leases.0.get(&(agent, key))
            && now < until - WHOLE
        {
            let what = format!("{key} on {} was ended {} ms before its lease was over", machine.device, until - now);
            self.breaks(Laws::LeaseLastsItsLength, now, what);
        }
    }

    /// An agent has just looked after its nodes: none runs on beyond its lease. What was told before the machine began anew is known less well.
    pub(crate) fn leases_are_kept(&mut self, agent: usize, machine: &Agent, now: Millis) {
        for key in machine.processes.keys() {
            if let Some((until, boot)) = self.leases.0.get(&(agent, *key))
                && *boot == machine.boot
                && now > until + WHOLE
            {
                let what = format!("{key} on {} runs {} ms after its lease was over", machine.device, now - until);
                self.breaks(Laws::LeaseLastsItsLength, now, what);
            }
        }
    }
}
