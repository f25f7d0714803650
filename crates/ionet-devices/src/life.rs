//! The life of a device: one state machine. Facts are kept ([`Life`]), the state is derived from them, the time and the hub's own presence
//! ([`Life::view`]), so nothing has to be written for a device when the hub blinks. The hub's absences are therefore no events of a device:
//! they are kept once for all of them, in [`Watching`].
//!
//! What an event does, by what the device is up to (its [`Duty`]). `-`: nothing changes; `!`: refused. The device is connected, with the
//! hardware that was tested last, and a paused or hired one was ready before.
//!
//! | event              | new     | doubted | ready   | hired   | paused     | blocked | terminated |
//! |--------------------|---------|---------|---------|---------|------------|---------|------------|
//! | connected          | -       | -       | -       | -       | -          | -       | !          |
//! | other_hardware     | -       | blocked | blocked | -       | blocked    | -       | !          |
//! | alive              | -       | -       | -       | -       | -          | -       | -          |
//! | disconnected       | -       | -       | -       | -       | -          | -       | -          |
//! | test_passed        | ready   | ready   | -       | !       | -          | -       | !          |
//! | vouched            | ready   | -       | -       | -       | -          | -       | !          |
//! | test_failed        | -       | -       | doubted | !       | -          | -       | !          |
//! | three_tests_failed | blocked | blocked | blocked | !       | blocked    | -       | !          |
//! | hired              | !       | !       | hired   | -       | !          | !       | !          |
//! | released           | -       | -       | -       | ready   | -          | -       | -          |
//! | paused             | paused  | paused  | paused  | -       | -          | -       | !          |
//! | resumed            | -       | -       | -       | -       | ready      | -       | !          |
//! | blocked            | blocked | blocked | blocked | -       | blocked    | -       | !          |
//! | unblocked          | -       | -       | -       | -       | -          | ready   | !          |
//! | terminated         | terminated | terminated | terminated | ! | terminated | terminated | -     |
//!
//! A tenant is never disturbed: what would block a hired device is remembered, takes new hires and rewards from it at once
//! ([`Life::standing`]), and shows when the tenant is gone; so does a pause. The blocked device of the table was blocked by the operator. A
//! changed hardware is forgiven by one passed test of the hardware that is there; a run of [`FAILURES_TO_BLOCK`] failed tests by
//! [`PASSES_TO_LIFT`] passed ones; each other block by the operator.
//!
//! The state, by duty and by what is known of its presence:
//!
//! | duty       | never      | here       | unknown    | down       | inactive   |
//! |------------|------------|------------|------------|------------|------------|
//! | new        | registered | verifying  | registered | registered | registered |
//! | doubted    | unknown    | verifying  | unknown    | down       | inactive   |
//! | ready      | unknown    | ready      | unknown    | down       | inactive   |
//! | hired      | unknown    | hired      | unknown    | down       | inactive   |
//! | paused     | paused     | paused     | paused     | paused     | paused     |
//! | blocked    | blocked    | blocked    | blocked    | blocked    | blocked    |
//! | terminated | terminated | terminated | terminated | terminated | terminated |

mod block;
mod event;
mod state;

pub use block::{BlockReason, Blocks};
pub use event::{Change, Event, NoTestCode, Refused, TestCode};
use ionet_rules::rewards::Standing;
use ionet_types::Sha256;
use serde::{Deserialize, Serialize};
pub use state::{Duty, Reason, State};

use crate::watching::{Link, Presence, Watching};

/// Failed tests in a row that block a device.
pub const FAILURES_TO_BLOCK: u8 = 3;
/// Passed tests in a row that lift such a block.
pub const PASSES_TO_LIFT: u8 = 3;

/// What is kept of a device's life. All times are unix seconds on the hub's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Life {
    known_unix_secs: i64,
    #[serde(flatten)]
    link: Link,
    /// What it last described.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hardware: Option<Sha256>,
    /// What last passed a test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    verified: Option<Sha256>,
    tests: Tests,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hired_unix_secs: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    paused_unix_secs: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    terminated_unix_secs: Option<i64>,
    #[serde(default)]
    blocks: Blocks,
}

/// How the last tests went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Tests {
    /// Number of the last one; 0 before the first.
    last: u64,
    /// How many failed in a row, at the end.
    failures: u8,
    /// How many passed in a row, at the end.
    passes: u8,
    /// When the present row began.
    since_unix_secs: i64,
    /// Why the last one failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    code: Option<TestCode>,
}

/// How a device is, since when, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// How it is.
    pub state: State,
    /// Since when, unix seconds; of what is down or inactive, since when the hub has seen it away.
    pub since_unix_secs: i64,
    /// Why.
    pub reason: Reason,
    /// Whether a tenant has it, whatever else is the matter with it.
    pub hired: bool,
}

impl Life {
    /// A device that the network has just heard of.
    pub fn new(now_unix_secs: i64) -> Self {
        Self {
            known_unix_secs: now_unix_secs,
            link: Link::Never,
            hardware: None,
            verified: None,
            tests: Tests::default(),
            hired_unix_secs: None,
            paused_unix_secs: None,
            terminated_unix_secs: None,
            blocks: Blocks::default(),
        }
    }

    /// Takes an event in and tells what it changed, which is nothing when it is told twice.
    pub fn apply(&mut self, event: Event, now_unix_secs: i64) -> Result<Vec<Change>, Refused> {
        let now = now_unix_secs;
        let mut changes = Vec::new();
        match event {
            Event::Alive => self.alive(now),
            Event::Disconnected => self.disconnected(now, &mut changes),
            Event::Released => {
                if self.hired_unix_secs.take().is_some() {
                    changes.push(Change::Released);
                }
            }
            Event::Terminated if self.terminated_unix_secs.is_some() => {}
            _ if self.terminated_unix_secs.is_some() => return Err(Refused::Terminated),
            Event::Connected { hardware } => self.connected(hardware, now, &mut changes),
            Event::TestPassed { test, .. } | Event::TestFailed { test, .. } if test <= self.tests.last => {}
            Event::Vouched { hardware } if self.hardware != Some(hardware) => return Err(Refused::OtherHardware),
            Event::Vouched { hardware } => self.vouched(hardware, now, &mut changes),
            Event::TestPassed { .. } | Event::TestFailed { .. } if self.hired_unix_secs.is_some() => return Err(Refused::Hired),
            Event::TestPassed { hardware, .. } if self.hardware != Some(hardware) => return Err(Refused::OtherHardware),
            Event::TestPassed { test, hardware } => self.passed(test, hardware, now, &mut changes),
            Event::TestFailed { test, code } => self.failed(test, code, now, &mut changes),
            Event::Hired => {
                if self.hired_unix_secs.is_none() {
                    self.check_may_be_hired()?;
                    self.hired_unix_secs = Some(now);
                    changes.push(Change::Hired);
                }
            }
            Event::Paused => {
                if self.paused_unix_secs.is_none() {
                    self.paused_unix_secs = Some(now);
                    changes.push(Change::Paused);
                }
            }
            Event::Resumed => {
                if self.paused_unix_secs.take().is_some() {
                    changes.push(Change::Resumed);
                }
            }
            Event::Blocked { reason } => self.block(reason, now, &mut changes),
            Event::Unblocked { reason } if reason.is_lifted_by_tests() => {
                return if self.blocks.contains(reason) { Err(Refused::NeedsTests) } else { Ok(changes) };
            }
            Event::Unblocked { reason } => self.unblock(reason, &mut changes),
            Event::Terminated => {
                if self.hired_unix_secs.is_some() {
                    return Err(Refused::Hired);
                }
                self.terminated_unix_secs = Some(now);
                changes.push(Change::Terminated);
            }
        }
        Ok(changes)
    }

    /// How it is now, as far as the hub can tell.
    pub fn view(&self, now_unix_secs: i64, watching: &Watching) -> View {
        let presence = watching.presence(self.link, now_unix_secs);
        let state = State::of(self.duty(), presence);
        let (since, reason) = self.explain(state, presence);
        View { state, since_unix_secs: since, reason, hired: self.hired_unix_secs.is_some() }
    }

    /// What it is up to, whether or not anybody can see it.
    pub const fn duty(&self) -> Duty {
        if self.terminated_unix_secs.is_some() {
            Duty::Terminated
        } else if self.hired_unix_secs.is_some() {
            Duty::Hired
        } else if self.blocks.is_any() {
            Duty::Blocked
        } else if self.paused_unix_secs.is_some() {
            Duty::Paused
        } else if self.verified.is_none() {
            Duty::New
        } else if self.tests.failures > 0 {
            Duty::Doubted
        } else {
            Duty::Ready
        }
    }

    /// Its connection, as it was last seen.
    pub const fn link(&self) -> Link {
        self.link
    }

    /// Fingerprint of the hardware that it last described.
    pub const fn hardware(&self) -> Option<Sha256> {
        self.hardware
    }

    /// The reasons for which it is blocked, or will be when its tenant is gone.
    pub const fn blocks(&self) -> &Blocks {
        &self.blocks
    }

    /// Whether its last test passed, on the hardware that it has now.
    pub fn last_test_passed(&self) -> bool {
        self.verified.is_some() && self.verified == self.hardware && self.tests.failures == 0
    }

    /// Whether it can be given to a tenant now.
    pub fn may_be_hired(&self, now_unix_secs: i64, watching: &Watching) -> bool {
        self.view(now_unix_secs, watching).state == State::Ready
    }

    /// Whether a test may be sent to it now: it is here, and neither a tenant nor its owner wants to be left in peace. A blocked device is
    /// tested: that is how it can be lifted.
    pub fn may_be_tested(&self, now_unix_secs: i64, watching: &Watching) -> bool {
        let is_here = matches!(watching.presence(self.link, now_unix_secs), Presence::Here { .. });
        is_here && matches!(self.duty(), Duty::New | Duty::Doubted | Duty::Ready | Duty::Blocked) && self.paused_unix_secs.is_none()
    }

    /// Its standing for the checks of an epoch. A block counts from its first moment, also while a tenant has the device.
    pub const fn standing(&self) -> Standing {
        if self.terminated_unix_secs.is_some() {
            Standing::Terminated
        } else if self.blocks.is_any() {
            Standing::Blocked
        } else {
            Standing::Good
        }
    }

    fn connected(&mut self, hardware: Sha256, now: i64, changes: &mut Vec<Change>) {
        if let Link::Here { .. } = self.link {
            self.alive(now);
        } else {
            self.link = Link::Here { since_unix_secs: now, seen_unix_secs: now };
            changes.push(Change::Connected);
        }
        if self.hardware == Some(hardware) {
            return;
        }
        if self.hardware.replace(hardware).is_some() {
            changes.push(Change::HardwareSeen { hardware });
            // What other hardware passed says nothing of this.
            self.tests.passes = 0;
        }
        if self.verified.is_some_and(|verified| verified != hardware) {
            self.block(BlockReason::HardwareChanged, now, changes);
        }
    }

    fn alive(&mut self, now: i64) {
        if let Link::Here { seen_unix_secs, .. } = &mut self.link {
            *seen_unix_secs = now.max(*seen_unix_secs);
        }
    }

    fn disconnected(&mut self, now: i64, changes: &mut Vec<Change>) {
        if let Link::Here { since_unix_secs, .. } = self.link {
            self.link = Link::Away { since_unix_secs: now.max(since_unix_secs) };
            changes.push(Change::Disconnected);
        }
    }

    fn passed(&mut self, test: u64, hardware: Sha256, now: i64, changes: &mut Vec<Change>) {
        let was_verified = self.last_test_passed();
        self.verified = Some(hardware);
        let passes = self.tests.passes.saturating_add(1);
        let since_unix_secs = if was_verified { self.tests.since_unix_secs } else { now };
        self.tests = Tests { last: test, failures: 0, passes, since_unix_secs, code: None };
        if !was_verified {
            changes.push(Change::Verified);
        }
        self.unblock(BlockReason::HardwareChanged, changes);
        if passes >= PASSES_TO_LIFT {
            self.unblock(BlockReason::ProofFailed, changes);
        }
    }

    fn vouched(&mut self, hardware: Sha256, now: i64, changes: &mut Vec<Change>) {
        if self.verified.replace(hardware) != Some(hardware) {
            self.tests.since_unix_secs = now;
            changes.push(Change::Verified);
        }
        self.unblock(BlockReason::HardwareChanged, changes);
    }

    fn failed(&mut self, test: u64, code: TestCode, now: i64, changes: &mut Vec<Change>) {
        let failures = self.tests.failures.saturating_add(1);
        let since_unix_secs = if failures > 1 { self.tests.since_unix_secs } else { now };
        self.tests = Tests { last: test, failures, passes: 0, since_unix_secs, code: Some(code) };
        changes.push(Change::TestFailed { failures, code });
        if failures >= FAILURES_TO_BLOCK {
            self.block(BlockReason::ProofFailed, now, changes);
        }
    }

    fn block(&mut self, reason: BlockReason, now: i64, changes: &mut Vec<Change>) {
        if self.blocks.add(reason, now) {
            changes.push(Change::Blocked { reason });
        }
    }

    fn unblock(&mut self, reason: BlockReason, changes: &mut Vec<Change>) {
        if self.blocks.lift(reason) {
            changes.push(Change::Unblocked { reason });
        }
    }

    /// Why it cannot be hired, as far as the record tells.
    fn check_may_be_hired(&self) -> Result<(), Refused> {
        if let Some((reason, _)) = self.blocks.first() {
            return Err(Refused::Blocked(reason));
        }
        match self.duty() {
            Duty::Ready => {}
            Duty::Paused => return Err(Refused::Paused),
            _ => return Err(Refused::NotVerified),
        }
        if matches!(self.link, Link::Here { .. }) { Ok(()) } else { Err(Refused::NotConnected) }
    }

    fn explain(&self, state: State, presence: Presence) -> (i64, Reason) {
        let here_since = |moment: i64| match presence {
            Presence::Here { since_unix_secs } => since_unix_secs.max(moment),
            _ => moment,
        };
        let block = self.blocks.first();
        match state {
            State::Terminated => (self.terminated_unix_secs.unwrap_or(self.known_unix_secs), Reason::GivenUp),
            State::Blocked => match block {
                Some((reason, since)) => (since, Reason::Blocked(reason)),
                None => (self.known_unix_secs, Reason::Blocked(BlockReason::Operator)),
            },
            State::Hired => {
                let reason = block.map_or(Reason::Tenant, |(reason, _)| Reason::TenantThenBlocked(reason));
                (here_since(self.hired_unix_secs.unwrap_or(self.known_unix_secs)), reason)
            }
            State::Paused => (self.paused_unix_secs.unwrap_or(self.known_unix_secs), Reason::Owner),
            State::Ready => (here_since(self.tests.since_unix_secs), Reason::TestPassed),
            State::Verifying => {
                let reason = self.tests.code.map_or(Reason::FirstTests, Reason::TestFailed);
                (here_since(self.tests.since_unix_secs), reason)
            }
            State::Registered if presence == Presence::Never => (self.known_unix_secs, Reason::NeverConnected),
            State::Registered => (self.known_unix_secs, Reason::NeverVerified),
            State::Unknown | State::Down | State::Inactive => match presence {
                Presence::Unknown { since_unix_secs, hub_is_back: true } => (since_unix_secs, Reason::HubJustBack),
                Presence::Unknown { since_unix_secs, .. } => (since_unix_secs, Reason::HubAway),
                Presence::Down { since_unix_secs } | Presence::Inactive { since_unix_secs } | Presence::Here { since_unix_secs } => {
                    (since_unix_secs, Reason::NotConnected)
                }
                Presence::Never => (self.known_unix_secs, Reason::NeverConnected),
            },
        }
    }
}

#[cfg(test)]
#[path = "life/tests.rs"]
mod tests;
