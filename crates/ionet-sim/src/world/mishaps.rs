//! What goes wrong, done to the world.

use ionet_types::agent::WorkloadKey;

use super::{Event, World};
use crate::Millis;
use crate::faults::{Fault, is_spared};
use crate::network::End;

impl World {
    pub(super) fn goes_wrong(&mut self, fault: Fault) {
        let now = self.now;
        match fault {
            Fault::Cut { agent, for_millis } => {
                self.count("cuts");
                self.agents[agent].cut_until = self.agents[agent].cut_until.max(now + for_millis);
            }
            Fault::CutMany { first, count, for_millis } => {
                self.count("cuts of many");
                let all = self.agents.len();
                for agent in (first..first + count).map(|number| number % all).filter(|agent| !is_spared(*agent)) {
                    self.agents[agent].cut_until = self.agents[agent].cut_until.max(now + for_millis);
                }
            }
            Fault::KillAgent { agent, for_millis } => {
                if self.agents[agent].running.is_none() {
                    return;
                }
                self.count("agents killed");
                if self.agents[agent].clock_secs != self.skew_secs[agent] {
                    self.count("agents killed whose clock was set");
                }
                self.kill_agent(agent);
                self.after(for_millis, Event::AgentBegins { agent });
            }
            Fault::Reboot { agent, for_millis } => {
                if !self.agents[agent].is_on {
                    return;
                }
                self.count("machines restarted");
                self.kill_agent(agent);
                let machine = &mut self.agents[agent];
                machine.is_on = false;
                machine.boot += 1;
                let gone = std::mem::take(&mut machine.processes);
                for process in gone.values() {
                    self.truth.stops(process, now);
                }
                self.after(for_millis, Event::MachineIsOn { agent });
            }
            Fault::SetClock { agent, by_secs, for_millis } => {
                self.count("clocks set");
                self.agents[agent].clock_secs = self.skew_secs[agent] + by_secs;
                self.after(for_millis, Event::ClockIsRight { agent });
            }
            Fault::KillTenant { agent } => {
                let keys: Vec<WorkloadKey> = self.agents[agent].processes.keys().copied().collect();
                for key in keys {
                    if let Some(process) = self.agents[agent].processes.remove(&key) {
                        self.count("tenants' processes died");
                        self.truth.stops(&process, now);
                    }
                }
            }
            Fault::KillHub { for_millis } => {
                if self.hub.memory.take().is_none() {
                    return;
                }
                self.count("hub killed");
                self.hub.stopped_until = 0;
                // If it stood still, it does so no more.
                for last in &mut self.hub.absences {
                    last.1 = last.1.min(now);
                }
                self.hub.absences.push((now, Millis::MAX));
                for connection in 0..self.connections.len() {
                    if std::mem::take(&mut self.connections[connection].open[End::Hub as usize]) {
                        self.let_know(connection, End::Agent);
                    }
                }
                self.after(for_millis, Event::HubBegins);
            }
            Fault::StopHub { for_millis } => {
                if self.hub.memory.is_some() && now >= self.hub.stopped_until {
                    self.count("hub stood still");
                    self.hub.stopped_until = now + for_millis;
                    self.hub.absences.push((now, now + for_millis));
                }
            }
            Fault::CutChain { for_millis } => {
                self.count("chain cut off");
                self.chain.cuts.push((now, now + for_millis));
            }
        }
    }

    pub(super) fn kill_agent(&mut self, agent: usize) {
        let Some(running) = self.agents[agent].running.take() else { return };
        if let Some(connection) = running.connection {
            self.connections[connection].open[End::Agent as usize] = false;
            self.let_know(connection, End::Hub);
        }
    }

    /// The bad time is over: what is cut is joined, what is stopped goes on.
    pub(super) fn all_is_well(&mut self) {
        for agent in &mut self.agents {
            agent.cut_until = agent.cut_until.min(self.now);
        }
        for cut in &mut self.chain.cuts {
            cut.1 = cut.1.min(self.now);
        }
    }
}
