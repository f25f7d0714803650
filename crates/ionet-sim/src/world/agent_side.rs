//! What an agent does when it is its turn: it begins, connects, hears, looks after its nodes, and reports.

use super::{BEAT, Event, LONGEST_BACKOFF, SILENCE, STEP_TIMEOUT, World};
use crate::keeper::Round;
use crate::network::{Connection, End, Message};

impl World {
    pub(super) fn agent_begins(&mut self, agent: usize) {
        if !self.agents[agent].is_on || self.agents[agent].running.is_some() {
            return;
        }
        self.numbers += 1;
        let number = self.numbers;
        self.agents[agent].begin(number, self.now);
        self.truth.agent_began.entry(agent).or_default().push(self.now);
        self.after(0, Event::AgentLooks { agent, number });
        self.after(10, Event::AgentConnects { agent, number });
    }

    pub(super) fn keep(&mut self, agent: usize) {
        let round = self.agents[agent].keep(self.now, &mut self.numbers, &mut self.random);
        self.take_note(agent, round);
        self.truth.leases_are_kept(agent, &self.agents[agent], self.now);
        self.report(agent);
    }

    pub(super) fn take_note(&mut self, agent: usize, round: Round) {
        for (key, number, at) in round.starting {
            self.after(at - self.now, Event::Started { agent, key, number });
        }
        for (key, process, is_over) in round.ended {
            if process.ready_since.is_some() {
                if is_over {
                    self.truth.lease_is_over(key, &self.agents[agent], agent, self.now);
                }
                self.truth.ended_on_purpose((key, &process), &self.agents[agent], &self.hub, &self.chain, self.now);
                self.truth.stops(&process, self.now);
            }
        }
        for (_, process) in round.lost {
            self.truth.stops(&process, self.now);
        }
    }

    pub(super) fn report(&mut self, agent: usize) {
        let Some(running) = self.agents[agent].running.as_mut().filter(|running| running.has_news) else { return };
        let Some(connection) = running.connection else { return };
        running.has_news = false;
        if let Some(observed) = self.agents[agent].report(self.now) {
            self.send(connection, End::Agent, Message::Observed(observed));
        }
    }

    pub(super) fn connect(&mut self, agent: usize, number: u64) {
        let is_cut = self.agents[agent].is_cut(self.now);
        if !self.is_process(agent, number) {
            return;
        }
        let Some(running) = self.agents[agent].running.as_mut().filter(|running| running.connection.is_none()) else { return };
        if is_cut || self.hub.memory.is_none() {
            let wait = if is_cut { STEP_TIMEOUT } else { 50 } + self.random.between(running.backoff / 2, running.backoff);
            running.backoff = (running.backoff * 2).min(LONGEST_BACKOFF);
            return self.after(wait, Event::AgentConnects { agent, number });
        }
        let connection = self.connections.len();
        running.connection = Some(connection);
        running.revision = 0;
        self.connections.push(Connection::new(agent, self.now));
        let running_for_secs = self.agents[agent].running_for_secs(self.now);
        self.send(connection, End::Agent, Message::Hello { running_for_secs });
        self.after(STEP_TIMEOUT, Event::AgentBeats { connection });
        self.count("connections");
    }

    pub(super) fn agent_hears(&mut self, connection: usize, agent: usize, message: Message) {
        let is_its = self.agents[agent].running.as_ref().is_some_and(|running| running.connection == Some(connection));
        if !is_its {
            return;
        }
        self.connections[connection].agent_heard = self.now;
        match message {
            Message::Welcome => {
                if let Some(running) = self.agents[agent].running.as_mut() {
                    running.backoff = 200;
                    running.has_news = true;
                }
                self.report(agent);
            }
            Message::Desired(desired) => {
                self.truth.leased(agent, &self.agents[agent], &desired, self.now);
                self.agents[agent].take_over(desired, self.now);
                self.keep(agent);
            }
            Message::Pong | Message::Hello { .. } | Message::Observed(_) | Message::Heartbeat { .. } => {}
        }
    }

    pub(super) fn beat(&mut self, connection: usize) {
        let line = &mut self.connections[connection];
        let agent = line.agent;
        if !line.open[End::Agent as usize] {
            return;
        }
        if self.now - line.agent_heard > SILENCE {
            self.agent_loses(connection);
            return self.let_know(connection, End::Hub);
        }
        line.sequence += 1;
        let (sequence, unix_secs) = (line.sequence, self.agents[agent].clock_unix_secs(self.now));
        self.send(connection, End::Agent, Message::Heartbeat { sequence, unix_secs });
        self.after(BEAT, Event::AgentBeats { connection });
    }

    pub(super) fn agent_loses(&mut self, connection: usize) {
        let line = &mut self.connections[connection];
        let agent = line.agent;
        line.open[End::Agent as usize] = false;
        let Some(running) = self.agents[agent].running.as_mut().filter(|running| running.connection == Some(connection)) else { return };
        running.connection = None;
        let (number, backoff) = (running.number, running.backoff);
        running.backoff = (backoff * 2).min(LONGEST_BACKOFF);
        let wait = self.random.between(backoff / 2, backoff);
        self.after(wait, Event::AgentConnects { agent, number });
        if self.agents[agent].flaws.stops_when_disconnected {
            let round = self.agents[agent].stop_all();
            self.take_note(agent, round);
        }
    }
}
