//! The connections: ordered streams that are late, break, and go silent. A message that meets a cut takes the whole connection with it, as a
//! stream does: neither end is told, both have to notice.

use ionet_types::agent::{DesiredState, ObservedState};

use crate::Millis;
use crate::faults::is_spared;
use crate::random::Random;

/// What travels.
#[derive(Debug, Clone)]
pub(crate) enum Message {
    /// The agent proves its key and says for how long it has been running.
    Hello { running_for_secs: u64 },
    /// The agent tells what runs.
    Observed(ObservedState),
    /// The agent is alive.
    Heartbeat { sequence: u64, unix_secs: i64 },
    /// The hub takes the agent up.
    Welcome,
    /// The hub wants this.
    Desired(DesiredState),
    /// The hub answers a ping.
    Pong,
}

/// One end of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Agent,
    Hub,
}

impl End {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Agent => Self::Hub,
            Self::Hub => Self::Agent,
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) agent: usize,
    /// When it was opened, which is when the hub challenged.
    pub(crate) opened: Millis,
    /// Whether each end still has it: agent, hub.
    pub(crate) open: [bool; 2],
    /// Nothing goes through any more, and nobody is told.
    pub(crate) dark: bool,
    /// When the last message of each end arrives.
    last: [Millis; 2],
    /// When the agent last heard of the hub.
    pub(crate) agent_heard: Millis,
    /// Number of the agent's last heartbeat.
    pub(crate) sequence: u64,
}

impl Connection {
    pub(crate) const fn new(agent: usize, now: Millis) -> Self {
        Self { agent, opened: now, open: [true; 2], dark: false, last: [now; 2], agent_heard: now, sequence: 0 }
    }

    /// When a message that is sent now arrives at the other end; `None` when it never does.
    pub(crate) fn arrival(&mut self, from: End, now: Millis, random: &mut Random, is_bad: bool) -> Option<Millis> {
        if self.dark {
            return None;
        }
        let mut delay = random.between(5, 80);
        // Lost on the way and sent again.
        if is_bad && random.chance(150) {
            delay += random.between(200, 4_000);
        }
        if is_bad && random.chance(4) && !is_spared(self.agent) {
            self.dark = true;
            return None;
        }
        let last = &mut self.last[from as usize];
        *last = (now + delay).max(*last + 1);
        Some(*last)
    }
}
