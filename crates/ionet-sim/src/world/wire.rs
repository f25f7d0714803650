//! What the network does to what is sent over it.

use ionet_hub::decisions::on_our_clock;
use ionet_types::agent::Declared;

use super::{Event, World};
use crate::hub::clock;
use crate::network::{End, Message};

impl World {
    pub(super) fn send(&mut self, connection: usize, from: End, message: Message) {
        let (now, is_bad) = (self.now, self.is_bad());
        let line = &mut self.connections[connection];
        line.dark |= self.agents[line.agent].is_cut(now);
        if let Some(at) = line.arrival(from, now, &mut self.random, is_bad) {
            self.after(at - now, Event::Arrives { connection, from, message });
        }
    }

    /// An end learns that the other has closed, if anything still goes through.
    pub(super) fn let_know(&mut self, connection: usize, end: End) {
        let line = &self.connections[connection];
        if !line.dark && !self.agents[line.agent].is_cut(self.now) {
            let wait = self.random.between(5, 200);
            self.after(wait, Event::Learns { connection, end });
        }
    }

    pub(super) fn arrives(&mut self, connection: usize, from: End, message: Message) {
        let agent = self.connections[connection].agent;
        if self.agents[agent].is_cut(self.now) || self.connections[connection].dark {
            self.connections[connection].dark = true;
            return;
        }
        if from == End::Agent && self.hub.memory.is_some() && self.now < self.hub.stopped_until {
            // It waits in the socket of a process that stands still.
            let wait = self.hub.stopped_until - self.now;
            return self.after(wait, Event::Arrives { connection, from, message });
        }
        if !self.connections[connection].open[from.other() as usize] {
            return self.let_know(connection, from);
        }
        self.agents[agent].contact = self.now;
        match from {
            End::Agent => self.hub_hears(connection, agent, message),
            End::Hub => self.agent_hears(connection, agent, message),
        }
    }

    pub(super) fn hub_hears(&mut self, connection: usize, agent: usize, message: Message) {
        let device = self.agents[agent].device;
        self.hub.wake(self.now);
        if self.hub.memory.is_none() {
            return self.let_know(connection, End::Agent);
        }
        match message {
            Message::Hello { running_for_secs } => {
                // Counted back from the challenge: what is said later, or comes later, must not make an agent look younger than it is.
                let challenged = clock(self.connections[connection].opened);
                let declared = Declared { owner: None, running_for_secs: Some(running_for_secs) };
                let older = self.hub.accept(device, connection, declared.running_since_unix_secs(challenged), self.now);
                if let Some(older) = older.filter(|older| *older != connection) {
                    self.hub_closes(older);
                }
                self.send(connection, End::Hub, Message::Welcome);
            }
            Message::Heartbeat { sequence, unix_secs } => {
                if self.hub.heard(device, connection, (sequence, unix_secs), self.now) {
                    self.send(connection, End::Hub, Message::Pong);
                } else {
                    self.hub_closes(connection);
                }
            }
            Message::Observed(observed) => {
                let session = self.hub.memory.as_mut().and_then(|memory| memory.sessions.get_mut(&device));
                if let Some(session) = session.filter(|session| session.connection == connection) {
                    session.observed = Some(on_our_clock(observed, clock(self.now)).into());
                    self.hub_is_woken = true;
                }
            }
            Message::Welcome | Message::Desired(_) | Message::Pong => {}
        }
    }
}
