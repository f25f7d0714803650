//! The world: one queue of events in simulated time. What each does stands in the files below, by who does it.

mod agent_side;
mod hub_side;
mod mishaps;
mod wire;

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use ionet_types::DeviceId;
use ionet_types::agent::WorkloadKey;

use crate::agent::{Agent, Flaws};
use crate::chain::Chain;
use crate::faults;
use crate::hub::{self, Hub};
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
    /// Broken on purpose: the hub does not wait for the devices that lost it before it closes an epoch.
    pub hub_closes_early: bool,
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
            hub_closes_early: false,
        }
    }
}

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The laws that were broken, each the first times.
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
        let skew_secs: Vec<i64> = (0..config.agents)
            .map(|_| if random.chance(8_000) { random.between(-120, 120) } else { random.between(-9_000, 9_000) })
            .collect();
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
            hub: Hub::new(hub::Flaws { forgets_absences: config.hub_forgets_absences, closes_early: config.hub_closes_early }),
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
                self.agents[agent].switched_on(self.now);
                self.agent_begins(agent);
            }
            Event::ClockIsRight { agent } => self.agents[agent].clock_secs = self.skew_secs[agent],
            Event::Fault => {
                if self.is_bad() {
                    if let Some(fault) = faults::draw(self.agents.len(), self.config.seed, &mut self.random) {
                        self.goes_wrong(fault);
                    }
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
}
