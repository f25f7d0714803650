//! The world: one queue of events in simulated time, and what each does.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use ionet_types::DeviceId;
use ionet_types::agent::WorkloadKey;

use crate::agent::{Agent, Flaws};
use crate::chain::Chain;
use crate::faults::{self, CLOCK_IS_SET_SECS, Fault};
use crate::hub::{self, Hub, clock};
use crate::keeper::Round;
use crate::laws::{Broken, Truth};
use crate::network::{Connection, End, Message};
use crate::random::Random;
use crate::{Millis, customers};

/// How often the hub looks, milliseconds.
const HUB_TICK: Millis = 1_000;
/// So often it decides although nobody woke it, milliseconds.
const HUB_DECIDES: Millis = 4_000;
/// So long before the end nobody books any more, milliseconds.
const LAST_BOOKING: Millis = 15 * 60_000;
/// How often an agent looks although nothing has changed, milliseconds.
const AGENT_LOOK: Millis = 5_000;
/// How often an agent says that it is alive, milliseconds.
const BEAT: Millis = 10_000;
/// After so long without a sign of the other an agent gives a connection up.
const SILENCE: Millis = 3 * BEAT;
/// How long an agent waits for a connection to open.
const STEP_TIMEOUT: Millis = 15_000;
/// Longest pause between two attempts to connect.
const LONGEST_BACKOFF: Millis = 30_000;

/// What is to be played.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Config {
    /// All chance comes from it.
    pub seed: u64,
    /// How many agents.
    pub agents: usize,
    /// How long things go wrong.
    pub bad: Millis,
    /// How long all is well after it.
    pub well: Millis,
    /// Broken on purpose: agents end their tenants' work when they lose the hub.
    pub agents_stop_when_disconnected: bool,
    /// Broken on purpose: agents believe a clock that is set while they run.
    pub agents_believe_set_clocks: bool,
    /// Broken on purpose: the hub takes no notice of its own absence.
    pub hub_forgets_absences: bool,
}

impl Config {
    /// Two bad hours and forty minutes to get over them.
    pub const fn new(seed: u64, agents: usize) -> Self {
        Self {
            seed,
            agents,
            bad: 2 * 3_600_000,
            well: 40 * 60_000,
            agents_stop_when_disconnected: false,
            agents_believe_set_clocks: false,
            hub_forgets_absences: false,
        }
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The laws that were broken, the first fifty times.
    pub broken: Vec<Broken>,
    /// How often each thing was held against the truth, and how often each thing happened.
    pub counts: BTreeMap<&'static str, u64>,
    /// Names the whole run: every event with its time.
    pub digest: u64,
}

#[derive(Debug)]
enum Event {
    HubTick { began: Millis },
    HubBegins,
    AgentLooks { agent: usize, number: u64 },
    AgentBegins { agent: usize },
    AgentConnects { agent: usize, number: u64 },
    AgentBeats { connection: usize },
    Started { agent: usize, key: WorkloadKey, number: u64 },
    Arrives { connection: usize, from: End, message: Message },
    Learns { connection: usize, end: End },
    MachineIsOn { agent: usize },
    ClockIsRight { agent: usize },
    Fault,
    Customer,
}

struct World {
    config: Config,
    now: Millis,
    queue: BTreeMap<(Millis, u64), Event>,
    events: u64,
    numbers: u64,
    digest: DefaultHasher,
    random: Random,
    agents: Vec<Agent>,
    by_device: BTreeMap<DeviceId, usize>,
    /// Each machine's clock when nobody has set it, less the true time, seconds.
    skew_secs: Vec<i64>,
    connections: Vec<Connection>,
    hub: Hub,
    hub_is_woken: bool,
    hub_decides_at: Millis,
    chain: Chain,
    truth: Truth,
    counts: BTreeMap<&'static str, u64>,
}

/// Plays one run.
pub fn run(config: Config) -> Report {
    let mut world = World::new(config);
    let end = config.bad + config.well;
    while let Some(((at, _), event)) = world.queue.pop_first() {
        if at > end {
            break;
        }
        world.now = at;
        (at, std::mem::discriminant(&event)).hash(&mut world.digest);
        world.happens(event);
    }
    world.now = end;
    world.truth.in_the_end(&world.hub, &world.agents, &world.chain, end);
    let mut counts = world.counts;
    counts.insert("events", world.events);
    counts.extend(&world.truth.checks);
    Report { broken: world.truth.broken, counts, digest: world.digest.finish() }
}

impl World {
    fn new(config: Config) -> Self {
        let mut random = Random::new(config.seed);
        let flaws =
            Flaws { stops_when_disconnected: config.agents_stop_when_disconnected, believes_set_clock: config.agents_believe_set_clocks };
        let skew_secs: Vec<i64> = (0..config.agents).map(|_| random.between(-120, 120)).collect();
        let device = |number: usize| {
            let mut key = [0; 32];
            key[..8].copy_from_slice(&(number as u64 + 1).to_be_bytes());
            DeviceId(key)
        };
        let agents: Vec<Agent> = skew_secs.iter().enumerate().map(|(number, skew)| Agent::new(device(number), *skew, flaws)).collect();
        let by_device = agents.iter().enumerate().map(|(number, agent)| (agent.device, number)).collect();
        let mut this = Self {
            config,
            now: 0,
            queue: BTreeMap::new(),
            events: 0,
            numbers: 0,
            digest: DefaultHasher::new(),
            random,
            agents,
            by_device,
            skew_secs,
            connections: Vec::new(),
            hub: Hub::new(hub::Flaws { forgets_absences: config.hub_forgets_absences }),
            hub_is_woken: true,
            hub_decides_at: 0,
            chain: Chain::default(),
            truth: Truth::default(),
            counts: BTreeMap::new(),
        };
        this.after(0, Event::HubBegins);
        for agent in 0..config.agents {
            let wait = this.random.between(1, 20_000);
            this.after(wait, Event::AgentBegins { agent });
        }
        // Nothing goes wrong until the first tenants are there.
        this.after(5 * 60_000, Event::Fault);
        this.after(60_000, Event::Customer);
        this
    }

    fn after(&mut self, wait: Millis, event: Event) {
        self.events += 1;
        self.queue.insert((self.now + wait, self.events), event);
    }

    fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    fn is_bad(&self) -> bool {
        self.now < self.config.bad
    }

    fn happens(&mut self, event: Event) {
        match event {
            Event::HubBegins => self.hub_begins(),
            Event::HubTick { began } => self.hub_ticks(began),
            Event::AgentBegins { agent } => self.agent_begins(agent),
            Event::AgentLooks { agent, number } => {
                if self.is_process(agent, number) {
                    self.keep(agent);
                    self.after(AGENT_LOOK, Event::AgentLooks { agent, number });
                }
            }
            Event::AgentConnects { agent, number } => self.connect(agent, number),
            Event::AgentBeats { connection } => self.beat(connection),
            Event::Started { agent, key, number } => {
                let fails = self.random.chance(400);
                if let Some(process) = self.agents[agent].started(key, number, fails, self.now) {
                    self.truth.works(key, agent, &process, self.now);
                }
                self.keep(agent);
            }
            Event::Arrives { connection, from, message } => self.arrives(connection, from, message),
            Event::Learns { connection, end: End::Agent } => self.agent_loses(connection),
            Event::Learns { connection, end: End::Hub } => self.hub_loses(connection),
            Event::MachineIsOn { agent } => {
                self.agents[agent].is_on = true;
                self.agent_begins(agent);
            }
            Event::ClockIsRight { agent } => self.agents[agent].clock_secs = self.skew_secs[agent],
            Event::Fault => {
                if self.is_bad() {
                    let fault = faults::draw(self.agents.len(), self.config.seed.is_multiple_of(2), &mut self.random);
                    self.goes_wrong(fault);
                    let wait = faults::pause(self.agents.len(), &mut self.random);
                    self.after(wait, Event::Fault);
                } else {
                    self.all_is_well();
                }
            }
            // What is booked at the very end is still starting then.
            Event::Customer if self.now > self.config.bad + self.config.well - LAST_BOOKING => {}
            Event::Customer => {
                if self.hub.memory.is_some() && self.now >= self.hub.stopped_until && !self.chain.is_cut(self.now) {
                    if customers::book(&mut self.hub, &mut self.chain, self.now, &mut self.random) {
                        self.count("clusters booked");
                        self.hub_is_woken = true;
                    }
                    if self.random.chance(200) {
                        customers::end_one(&mut self.hub, self.now, &mut self.random);
                    }
                }
                let wait = self.random.between(5_000, 60_000);
                self.after(wait, Event::Customer);
            }
        }
    }

    fn is_process(&self, agent: usize, number: u64) -> bool {
        self.agents[agent].running.as_ref().is_some_and(|running| running.number == number)
    }

    // The hub.

    fn hub_begins(&mut self) {
        if self.hub.memory.is_some() {
            return;
        }
        self.hub.begin(self.now);
        if let Some(last) = self.hub.absences.last_mut().filter(|last| last.1 == Millis::MAX) {
            last.1 = self.now;
        }
        self.after(0, Event::HubTick { began: self.now });
    }

    fn hub_ticks(&mut self, began: Millis) {
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

    fn close_epochs(&mut self) {
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
    fn tell(&mut self) {
        let Some(memory) = self.hub.memory.as_mut() else { return };
        let mut news = Vec::new();
        for session in memory.sessions.values_mut() {
            if let Some(desired) = session.desired.as_ref().filter(|desired| desired.revision > session.told) {
                session.told = desired.revision;
                news.push((session.connection, desired.clone()));
            }
        }
        for (connection, desired) in news {
            self.send(connection, End::Hub, Message::Desired(desired));
        }
    }

    fn hub_closes(&mut self, connection: usize) {
        self.connections[connection].open[End::Hub as usize] = false;
        self.let_know(connection, End::Agent);
    }

    fn hub_loses(&mut self, connection: usize) {
        if self.hub.memory.is_some() && self.now < self.hub.stopped_until {
            let wait = self.hub.stopped_until - self.now;
            return self.after(wait, Event::Learns { connection, end: End::Hub });
        }
        let device = self.agents[self.connections[connection].agent].device;
        self.connections[connection].open[End::Hub as usize] = false;
        let is_its = |memory: &hub::Memory| memory.sessions.get(&device).is_some_and(|session| session.connection == connection);
        if self.hub.memory.as_ref().is_some_and(is_its) {
            self.hub_is_woken = true;
            self.hub.end(device, self.now);
        }
    }

    // The network.

    fn send(&mut self, connection: usize, from: End, message: Message) {
        let (now, is_bad) = (self.now, self.is_bad());
        let line = &mut self.connections[connection];
        line.dark |= self.agents[line.agent].is_cut(now);
        if let Some(at) = line.arrival(from, now, &mut self.random, is_bad) {
            self.after(at - now, Event::Arrives { connection, from, message });
        }
    }

    /// An end learns that the other has closed, if anything still goes through.
    fn let_know(&mut self, connection: usize, end: End) {
        let line = &self.connections[connection];
        if !line.dark && !self.agents[line.agent].is_cut(self.now) {
            let wait = self.random.between(5, 200);
            self.after(wait, Event::Learns { connection, end });
        }
    }

    fn arrives(&mut self, connection: usize, from: End, message: Message) {
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

    fn hub_hears(&mut self, connection: usize, agent: usize, message: Message) {
        let device = self.agents[agent].device;
        if self.hub.memory.is_none() {
            return self.let_know(connection, End::Agent);
        }
        match message {
            Message::Hello { running_for_secs } => {
                // Counted back from the challenge: what is said later, or comes later, must not make an agent look younger than it is.
                let challenged = clock(self.connections[connection].opened);
                let older = self.hub.accept(device, connection, challenged - running_for_secs, self.now);
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
                    session.observed = Some(observed.into());
                    self.hub_is_woken = true;
                }
            }
            Message::Welcome | Message::Desired(_) | Message::Pong => {}
        }
    }

    // The agents.

    fn agent_begins(&mut self, agent: usize) {
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

    fn keep(&mut self, agent: usize) {
        let round = self.agents[agent].keep(self.now, &mut self.numbers, &mut self.random);
        self.take_note(agent, round);
        self.report(agent);
    }

    fn take_note(&mut self, agent: usize, round: Round) {
        for (key, number, at) in round.starting {
            self.after(at - self.now, Event::Started { agent, key, number });
        }
        for (key, process) in round.ended {
            if process.ready_since.is_some() {
                self.truth.ended_on_purpose((key, &process), &self.agents[agent], &self.hub, &self.chain, self.now);
                self.truth.stops(&process, self.now);
            }
        }
        for (_, process) in round.lost {
            self.truth.stops(&process, self.now);
        }
    }

    fn report(&mut self, agent: usize) {
        let Some(running) = self.agents[agent].running.as_mut().filter(|running| running.has_news) else { return };
        let Some(connection) = running.connection else { return };
        running.has_news = false;
        if let Some(observed) = self.agents[agent].report(self.now) {
            self.send(connection, End::Agent, Message::Observed(observed));
        }
    }

    fn connect(&mut self, agent: usize, number: u64) {
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

    fn agent_hears(&mut self, connection: usize, agent: usize, message: Message) {
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
                self.agents[agent].take_over(desired, self.now);
                self.keep(agent);
            }
            Message::Pong | Message::Hello { .. } | Message::Observed(_) | Message::Heartbeat { .. } => {}
        }
    }

    fn beat(&mut self, connection: usize) {
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

    fn agent_loses(&mut self, connection: usize) {
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

    // What goes wrong.

    fn goes_wrong(&mut self, fault: Fault) {
        let now = self.now;
        match fault {
            Fault::Cut { agent, for_millis } => {
                self.count("cuts");
                self.agents[agent].cut_until = self.agents[agent].cut_until.max(now + for_millis);
            }
            Fault::CutMany { first, count, for_millis } => {
                self.count("cuts of many");
                let all = self.agents.len();
                for agent in (first..first + count).map(|number| number % all) {
                    self.agents[agent].cut_until = self.agents[agent].cut_until.max(now + for_millis);
                }
            }
            Fault::KillAgent { agent, for_millis } => {
                if self.clock_is_set(agent) || self.agents[agent].running.is_none() {
                    return;
                }
                self.count("agents killed");
                self.kill_agent(agent);
                self.after(for_millis, Event::AgentBegins { agent });
            }
            Fault::Reboot { agent, for_millis } => {
                if self.clock_is_set(agent) || !self.agents[agent].is_on {
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
                if self.agents[agent].running.is_none() || self.clock_is_set(agent) {
                    return;
                }
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

    fn clock_is_set(&self, agent: usize) -> bool {
        (self.agents[agent].clock_secs - self.skew_secs[agent]).abs() > CLOCK_IS_SET_SECS
    }

    fn kill_agent(&mut self, agent: usize) {
        let Some(running) = self.agents[agent].running.take() else { return };
        if let Some(connection) = running.connection {
            self.connections[connection].open[End::Agent as usize] = false;
            self.let_know(connection, End::Hub);
        }
    }

    /// The bad time is over: what is cut is joined, what is stopped goes on.
    fn all_is_well(&mut self) {
        for agent in &mut self.agents {
            agent.cut_until = agent.cut_until.min(self.now);
        }
        for cut in &mut self.chain.cuts {
            cut.1 = cut.1.min(self.now);
        }
    }
}
