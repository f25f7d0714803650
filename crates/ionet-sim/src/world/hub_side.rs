//! What the hub does when it is its turn: it looks, decides, tells, and hears.

use super::{Event, HUB_DECIDES, HUB_TICK, World};
use ionet_types::agent::DesiredState;

use crate::Millis;
use crate::faults::Fault;
use crate::hub;
use crate::network::{End, Message};

impl World {
    pub(super) fn hub_begins(&mut self) {
        if self.hub.memory.is_some() {
            return;
        }
        self.hub.begin(self.now);
        if let Some(last) = self.hub.absences.last_mut().filter(|last| last.1 == Millis::MAX) {
            last.1 = self.now;
        }
        self.after(0, Event::HubTick { began: self.now });
    }

    pub(super) fn hub_ticks(&mut self, began: Millis) {
        if self.hub.memory.as_ref().is_none_or(|memory| memory.began != began) {
            return;
        }
        if self.now < self.hub.stopped_until {
            let wait = self.hub.stopped_until - self.now;
            return self.after(wait, Event::HubTick { began });
        }
        for connection in self.hub.look(self.now) {
            self.count("silent devices noticed");
            self.hub_closes(connection);
        }
        // A chain that cannot be read: nothing is decided, and nobody is told anything.
        if !self.chain.is_cut(self.now) && (std::mem::take(&mut self.hub_is_woken) || self.now >= self.hub_decides_at) {
            self.hub_decides_at = self.now + HUB_DECIDES;
            for deed in self.hub.deploy(&mut self.chain, self.now, &mut self.random) {
                self.truth.answered(deed, &self.agents, &self.by_device, &self.hub, self.now);
            }
            self.hub.meter(&mut self.chain, self.now, &mut self.random);
            self.close_epochs();
            self.tell();
        }
        if self.hub.memory.is_some() {
            self.truth.nobody_is_blamed(&self.hub, &self.agents, &self.by_device, self.now);
            self.after(HUB_TICK, Event::HubTick { began });
        }
    }

    pub(super) fn close_epochs(&mut self) {
        let is_killed_between = self.is_bad() && self.random.chance(2_000);
        let Some(was_there) = self.hub.close_next(&self.chain, self.now, is_killed_between) else { return };
        if !was_there {
            let epoch = self.hub.disk.archive.keys().last().copied().unwrap_or(0);
            *self.truth.closings.entry(epoch).or_default() += 1;
        }
        if is_killed_between && !was_there {
            self.count("hub killed in the middle of an epoch's closing");
            self.goes_wrong(Fault::KillHub { for_millis: 3_000 });
        }
    }

    /// Sends every agent what has changed in what it is to run.
    pub(super) fn tell(&mut self) {
        let Some(memory) = self.hub.memory.as_mut() else { return };
        let mut news = Vec::new();
        for session in memory.sessions.values_mut() {
            if let Some(desired) = session.desired.as_ref().filter(|desired| desired.revision > session.told) {
                session.told = desired.revision;
                let hub_unix_secs = Some(hub::clock(self.now));
                news.push((session.connection, DesiredState { hub_unix_secs, ..desired.clone() }));
            }
        }
        for (connection, desired) in news {
            self.send(connection, End::Hub, Message::Desired(desired));
        }
    }

    pub(super) fn hub_closes(&mut self, connection: usize) {
        self.connections[connection].open[End::Hub as usize] = false;
        self.let_know(connection, End::Agent);
    }

    pub(super) fn hub_loses(&mut self, connection: usize) {
        if self.hub.memory.is_some() && self.now < self.hub.stopped_until {
            let wait = self.hub.stopped_until - self.now;
            return self.after(wait, Event::Learns { connection, end: End::Hub });
        }
        self.hub.wake(self.now);
        let device = self.agents[self.connections[connection].agent].device;
        self.connections[connection].open[End::Hub as usize] = false;
        let is_its = |memory: &hub::Memory| memory.sessions.get(&device).is_some_and(|session| session.connection == connection);
        if self.hub.memory.as_ref().is_some_and(is_its) {
            self.hub_is_woken = true;
            self.hub.end(device, self.now);
        }
    }
}
