//! The tables of the module hold, and so do the laws, for any history: compared with a model that keeps sets instead of a record.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::watching::{Grace, INACTIVE_AFTER_SECS};

const GRACE: Grace = Grace { before_secs: 30, after_secs: 120 };
const OURS: Sha256 = Sha256([1; 32]);
const OTHER: Sha256 = Sha256([2; 32]);

fn code(text: &str) -> TestCode {
    text.parse().unwrap()
}

fn applied(life: &Life, events: &[Event]) -> Life {
    let mut life = *life;
    for event in events {
        life.apply(*event, 100).unwrap();
    }
    life
}

/// A connected device of each duty, after tests up to number 10.
fn device(duty: &str) -> Life {
    let new = applied(&Life::new(0), &[Event::Connected { hardware: OURS }]);
    let ready = applied(&new, &[Event::TestPassed { test: 9, hardware: OURS }]);
    let more: &[Event] = match duty {
        "new" => return new,
        "doubted" => &[Event::TestFailed { test: 10, code: code("wrong") }],
        "ready" => &[],
        "hired" => &[Event::Hired],
        "paused" => &[Event::Paused],
        "blocked" => &[Event::Blocked { reason: BlockReason::Operator }],
        "terminated" => &[Event::Terminated],
        other => panic!("no duty {other}"),
    };
    applied(&ready, more)
}

fn events(name: &str) -> Vec<Event> {
    match name {
        "connected" => vec![Event::Connected { hardware: OURS }],
        "other_hardware" => vec![Event::Connected { hardware: OTHER }],
        "alive" => vec![Event::Alive],
        "disconnected" => vec![Event::Disconnected],
        "test_passed" => vec![Event::TestPassed { test: 11, hardware: OURS }],
        "vouched" => vec![Event::Vouched { hardware: OURS }],
        "test_failed" => vec![Event::TestFailed { test: 11, code: code("late") }],
        "three_tests_failed" => (11..14).map(|test| Event::TestFailed { test, code: code("late") }).collect(),
        "hired" => vec![Event::Hired],
        "released" => vec![Event::Released],
        "paused" => vec![Event::Paused],
        "resumed" => vec![Event::Resumed],
        "blocked" => vec![Event::Blocked { reason: BlockReason::IdleLoad }],
        "unblocked" => vec![Event::Unblocked { reason: BlockReason::Operator }],
        "terminated" => vec![Event::Terminated],
        other => panic!("no event {other}"),
    }
}

/// The tables of the module's documentation: heading, then rows.
fn tables() -> Vec<Vec<Vec<&'static str>>> {
    let mut tables: Vec<Vec<Vec<&str>>> = Vec::new();
    let mut in_table = false;
    for line in include_str!("../life.rs").lines().take_while(|line| line.starts_with("//!")) {
        let Some(row) = line.strip_prefix("//! |") else {
            in_table = false;
            continue;
        };
        if !in_table {
            tables.push(Vec::new());
            in_table = true;
        }
        if !row.starts_with('-') {
            tables.last_mut().unwrap().push(row.trim_end_matches('|').split('|').map(str::trim).collect());
        }
    }
    tables
}

#[test]
fn events_do_what_the_table_says() {
    let tables = tables();
    let (heading, rows) = tables[0].split_first().unwrap();
    assert_eq!(heading[1..], Duty::ALL.iter().map(|duty| duty.code()).collect::<Vec<_>>(), "every duty has its column");
    assert_eq!(rows.len(), 15);
    for row in rows {
        for (duty, says) in heading[1..].iter().zip(&row[1..]) {
            let before = device(duty);
            let mut life = before;
            let outcome: Result<Vec<_>, _> = events(row[0]).into_iter().map(|event| life.apply(event, 200)).collect();
            let found = match outcome {
                Err(_) => {
                    assert_eq!(life, before, "{} of {duty}: what is refused changes nothing", row[0]);
                    "!"
                }
                Ok(_) if life.duty() == before.duty() => "-",
                Ok(_) => life.duty().code(),
            };
            assert_eq!(found, *says, "{} of a {duty} device", row[0]);
        }
    }
}

#[test]
fn states_are_what_the_table_says() {
    let tables = tables();
    let (heading, rows) = tables[1].split_first().unwrap();
    let at = 500;
    let presences = BTreeMap::from([
        ("never", Presence::Never),
        ("here", Presence::Here { since_unix_secs: at }),
        ("unknown", Presence::Unknown { since_unix_secs: at, hub_is_back: true }),
        ("down", Presence::Down { since_unix_secs: at }),
        ("inactive", Presence::Inactive { since_unix_secs: at }),
    ]);
    assert_eq!(heading.len(), presences.len() + 1);
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), Duty::ALL.iter().map(|duty| duty.code()).collect::<Vec<_>>());
    for (row, duty) in rows.iter().zip(Duty::ALL) {
        for (presence, says) in heading[1..].iter().zip(&row[1..]) {
            assert_eq!(State::of(*duty, presences[presence]).code(), *says, "{duty:?} and {presence}");
        }
    }
}

#[test]
fn a_device_goes_through_its_life() {
    let watching = Watching::new(GRACE);
    let mut life = Life::new(10);
    let view = |life: &Life, now| {
        let View { state, since_unix_secs, reason, .. } = life.view(now, &watching);
        (state.code(), since_unix_secs, reason.code())
    };
    assert_eq!(view(&life, 11), ("registered", 10, "never_connected"));
    life.apply(Event::Connected { hardware: OURS }, 20).unwrap();
    assert_eq!(view(&life, 21), ("verifying", 20, "first_tests"));
    life.apply(Event::TestPassed { test: 1, hardware: OURS }, 30).unwrap();
    assert_eq!(view(&life, 31), ("ready", 30, "test_passed"));
    life.apply(Event::Hired, 40).unwrap();
    assert_eq!(view(&life, 41), ("hired", 40, "tenant"));
    // Other hardware while a tenant is there: the tenant stays, the rewards go.
    let changes = life.apply(Event::Connected { hardware: OTHER }, 50).unwrap();
    assert_eq!(changes, [Change::HardwareSeen { hardware: OTHER }, Change::Blocked { reason: BlockReason::HardwareChanged }]);
    assert_eq!(view(&life, 51), ("hired", 40, "tenant_then_blocked"));
    assert_eq!(life.standing(), Standing::Blocked);
    assert_eq!(life.apply(Event::TestPassed { test: 2, hardware: OTHER }, 52), Err(Refused::Hired));
    life.apply(Event::Released, 60).unwrap();
    assert_eq!(view(&life, 61), ("blocked", 50, "hardware_changed"));
    // The old hardware again is no excuse: only a test is, and of what is there.
    life.apply(Event::Connected { hardware: OURS }, 62).unwrap();
    assert_eq!(life.duty(), Duty::Blocked);
    assert_eq!(life.apply(Event::TestPassed { test: 3, hardware: OTHER }, 63), Err(Refused::OtherHardware));
    assert_eq!(life.apply(Event::Unblocked { reason: BlockReason::HardwareChanged }, 64), Err(Refused::NeedsTests));
    life.apply(Event::TestPassed { test: 3, hardware: OURS }, 65).unwrap();
    assert_eq!(life.duty(), Duty::Ready);
    life.apply(Event::TestFailed { test: 4, code: code("late") }, 70).unwrap();
    assert_eq!(view(&life, 71), ("verifying", 70, "test_failed"));
    life.apply(Event::Disconnected, 80).unwrap();
    assert_eq!(view(&life, 81), ("down", 80, "not_connected"));
    assert_eq!(view(&life, 81 + INACTIVE_AFTER_SECS), ("inactive", 80, "not_connected"));
    life.apply(Event::Paused, 90).unwrap();
    assert_eq!(view(&life, 91), ("paused", 90, "owner"));
    life.apply(Event::Terminated, 95).unwrap();
    assert_eq!(view(&life, 96), ("terminated", 95, "given_up"));
    assert_eq!(life.standing(), Standing::Terminated);
}

#[test]
fn failed_tests_block_and_passed_ones_lift() {
    let mut life = device("ready");
    let fail = |test| Event::TestFailed { test, code: code("wrong") };
    let pass = |test| Event::TestPassed { test, hardware: OURS };
    for event in [fail(11), fail(12), pass(13), fail(14), fail(15), fail(15), fail(15)] {
        life.apply(event, 0).unwrap();
        assert!(life.blocks().first().is_none(), "{event:?}: no three in a row");
    }
    assert_eq!(life.apply(fail(16), 0).unwrap().last(), Some(&Change::Blocked { reason: BlockReason::ProofFailed }));
    for test in [17, 18, 18, 17] {
        life.apply(pass(test), 0).unwrap();
    }
    assert_eq!(life.duty(), Duty::Blocked, "two are not enough");
    life.apply(fail(19), 0).unwrap();
    for test in 20..22 {
        life.apply(pass(test), 0).unwrap();
    }
    assert_eq!(life.duty(), Duty::Blocked, "a row begins anew");
    life.apply(pass(22), 0).unwrap();
    assert_eq!(life.duty(), Duty::Ready);
}

#[test]
fn codes_are_short_words() {
    for good in ["late", "wrong_answer", "e4", &"a".repeat(31)] {
        assert_eq!(code(good).as_str(), good);
    }
    for bad in ["", "Late", "a b", "ä", &"a".repeat(32), "x\n"] {
        assert_eq!(bad.parse::<TestCode>(), Err(NoTestCode), "{bad:?}");
    }
}

/// What happens to a device, or to the hub.
#[derive(Debug, Clone, Copy)]
enum Step {
    Event(Event),
    /// The hub goes away for so long.
    HubAway(i64),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let hardware = prop_oneof![3 => Just(OURS), 1 => Just(OTHER)];
    let reason = prop::sample::select(BlockReason::ALL.to_vec());
    let event = prop_oneof![
        4 => hardware.clone().prop_map(|hardware| Event::Connected { hardware }),
        1 => Just(Event::Alive),
        2 => Just(Event::Disconnected),
        5 => (0_u64..60, hardware.clone()).prop_map(|(test, hardware)| Event::TestPassed { test, hardware }),
        4 => (0_u64..60).prop_map(|test| Event::TestFailed { test, code: code("wrong") }),
        4 => Just(Event::Hired),
        3 => Just(Event::Released),
        1 => hardware.prop_map(|hardware| Event::Vouched { hardware }),
        1 => Just(Event::Paused),
        2 => Just(Event::Resumed),
        1 => reason.clone().prop_map(|reason| Event::Blocked { reason }),
        3 => reason.prop_map(|reason| Event::Unblocked { reason }),
    ];
    let rare = prop_oneof![60 => event, 1 => Just(Event::Terminated)];
    prop_oneof![
        10 => rare.prop_map(Step::Event),
        2 => (1_i64..2_000).prop_map(Step::HubAway),
        4 => prop_oneof![0_i64..200, Just(INACTIVE_AFTER_SECS)].prop_map(Step::Wait),
    ]
}

/// The same life, kept as plainly as can be: the results of all tests that counted, and sets.
#[derive(Default)]
struct Model {
    hardware: Option<Sha256>,
    /// What passed a test last, or was vouched for after that.
    verified: Option<Sha256>,
    /// Number, and the hardware that passed.
    tests: Vec<(u64, Option<Sha256>)>,
    blocks: BTreeSet<BlockReason>,
    connected: bool,
    hired: bool,
    paused: bool,
    terminated: bool,
}

impl Model {
    fn in_a_row(&self, passed: bool) -> usize {
        self.tests.iter().rev().take_while(|(_, hardware)| hardware.is_some() == passed).count()
    }

    fn duty(&self) -> Duty {
        match () {
            () if self.terminated => Duty::Terminated,
            () if self.hired => Duty::Hired,
            () if !self.blocks.is_empty() => Duty::Blocked,
            () if self.paused => Duty::Paused,
            () if self.verified.is_none() => Duty::New,
            () if self.in_a_row(false) > 0 => Duty::Doubted,
            () => Duty::Ready,
        }
    }

    /// Whether it is taken.
    fn apply(&mut self, event: Event) -> bool {
        let counted = |test: u64| self.tests.last().map_or(0, |(last, _)| *last) >= test;
        match event {
            Event::Disconnected => self.connected = false,
            Event::Released => self.hired = false,
            Event::Alive => {}
            Event::Terminated => {
                if self.hired {
                    return false;
                }
                self.terminated = true;
            }
            _ if self.terminated => return false,
            Event::Connected { hardware } => {
                self.connected = true;
                self.hardware = Some(hardware);
                if self.verified.is_some_and(|verified| verified != hardware) {
                    self.blocks.insert(BlockReason::HardwareChanged);
                }
            }
            Event::Vouched { hardware } => {
                if self.hardware != Some(hardware) {
                    return false;
                }
                self.verified = Some(hardware);
                self.blocks.remove(&BlockReason::HardwareChanged);
            }
            Event::TestPassed { test, .. } | Event::TestFailed { test, .. } if counted(test) => {}
            Event::TestPassed { .. } | Event::TestFailed { .. } if self.hired => return false,
            Event::TestPassed { test, hardware } => {
                if self.hardware != Some(hardware) {
                    return false;
                }
                self.tests.push((test, Some(hardware)));
                self.verified = Some(hardware);
                self.blocks.remove(&BlockReason::HardwareChanged);
                // A row of passed tests is of one and the same hardware, without a change in between: the real one may need more.
                if self.in_a_row(true) < usize::from(PASSES_TO_LIFT) {
                    return true;
                }
            }
            Event::TestFailed { test, .. } => {
                self.tests.push((test, None));
                if self.in_a_row(false) >= usize::from(FAILURES_TO_BLOCK) {
                    self.blocks.insert(BlockReason::ProofFailed);
                }
            }
            Event::Hired => {
                self.hired |= self.duty() == Duty::Ready && self.connected;
                return self.hired;
            }
            Event::Paused => self.paused = true,
            Event::Resumed => self.paused = false,
            Event::Blocked { reason } => {
                self.blocks.insert(reason);
            }
            Event::Unblocked { reason } => {
                if reason.is_lifted_by_tests() {
                    return !self.blocks.contains(&reason);
                }
                self.blocks.remove(&reason);
            }
        }
        true
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_life_keeps_the_laws(steps in prop::collection::vec(step(), 1..80)) {
        let mut now = 1_000;
        let mut watching = Watching::new(GRACE);
        let mut life = Life::new(now);
        let mut model = Model::default();
        // Watched seconds without a break since the last time that the device was here.
        let mut back_at = i64::MIN;
        let mut last_sign = now;
        for step in steps {
            match step {
                Step::Wait(secs) => {
                    if model.connected && back_at <= last_sign {
                        last_sign = now + secs;
                    }
                    now += secs;
                }
                Step::HubAway(secs) => {
                    let before = life.view(now, &watching);
                    watching.away(now);
                    let during = life.view(now + secs / 2, &watching);
                    prop_assert!(during.state != State::Ready && !life.may_be_tested(now + secs / 2, &watching));
                    prop_assert!(during.state != State::Down || before.state == State::Down, "{:?} {:?}", during, before);
                    now += secs;
                    watching.back(now);
                    back_at = now;
                }
                Step::Event(event) => {
                    // Every second whole: two events of one second are in no order for the grace.
                    now += 1;
                    if matches!(event, Event::Connected { .. } | Event::Alive) && (model.connected || matches!(event, Event::Connected { .. })) {
                        last_sign = now;
                    }
                    let before = life;
                    let outcome = life.apply(event, now);
                    // Where rows of passed tests are told apart by hardware, the model follows.
                    let lifted = outcome.as_ref().is_ok_and(|changes| changes.contains(&Change::Unblocked { reason: BlockReason::ProofFailed }));
                    let row = model.tests.len();
                    prop_assert_eq!(outcome.is_ok(), model.apply(event), "{:?} of {:?}: {:?}", event, before, outcome);
                    if lifted {
                        prop_assert!(model.tests.len() > row && model.in_a_row(true) >= usize::from(PASSES_TO_LIFT));
                        model.blocks.remove(&BlockReason::ProofFailed);
                    }
                    match &outcome {
                        Err(_) => prop_assert_eq!(life, before, "what is refused changes nothing"),
                        Ok(changes) => {
                            if before.terminated_unix_secs.is_some() {
                                prop_assert_eq!(life.duty(), Duty::Terminated);
                            }
                            let told_again = { let mut again = life; (again.apply(event, now), again) };
                            prop_assert_eq!(told_again, (Ok(Vec::new()), life), "{:?} twice", event);
                            if changes.is_empty() {
                                prop_assert_eq!(life.duty(), before.duty());
                                prop_assert_eq!(&life.blocks, &before.blocks);
                            }
                        }
                    }
                }
            }
            prop_assert_eq!(life.duty(), model.duty());
            prop_assert_eq!(life.blocks().iter().map(|(reason, _)| reason).collect::<BTreeSet<_>>(), model.blocks.clone());
            let view = life.view(now, &watching);
            let (hired, tested) = (life.may_be_hired(now, &watching), life.may_be_tested(now, &watching));
            prop_assert!(!hired || (model.blocks.is_empty() && !model.hired && !model.paused && !model.terminated && model.connected));
            prop_assert!(!hired || (model.verified.is_some() && model.verified == model.hardware && model.in_a_row(false) == 0));
            prop_assert!(!tested || (!model.hired && !model.paused && !model.terminated && model.connected));
            prop_assert_eq!(life.clone().apply(Event::Hired, now).is_ok() && !model.hired && back_at < last_sign, hired && back_at < last_sign);
            prop_assert_eq!(life.standing() == Standing::Good, model.blocks.is_empty() && !model.terminated);
            prop_assert_eq!(view.hired, model.hired);
            prop_assert!(view.since_unix_secs <= now, "{:?} at {}", view, now);
            // What was connected when the hub last saw it is down only after a whole grace of a hub that watches.
            if matches!(view.state, State::Down | State::Inactive) && model.connected {
                prop_assert!(now - back_at > GRACE.after_secs || watching.absences().windows(2).any(|pair| {
                    pair[1].from_unix_secs - pair[0].to_unix_secs > GRACE.after_secs && pair[0].to_unix_secs > last_sign
                }), "{:?} at {}, back at {}", view, now, back_at);
            }
            let kept: Life = serde_json::from_str(&serde_json::to_string(&life).unwrap()).unwrap();
            prop_assert_eq!(kept, life, "the record is kept whole");
        }
    }
}
