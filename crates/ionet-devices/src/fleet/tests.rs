//! The table against a plain model: the same answers, whatever happens in whatever order; and nothing but signed, new heartbeats counts.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasherDefault, DefaultHasher};

use ed25519_dalek::SigningKey;
use ionet_types::agent::Load;
use ionet_types::agent::heartbeat::HeartbeatSignature;
use proptest::prelude::*;

use super::*;
use crate::life::BlockReason;
use crate::watching::Grace;

type Hasher = BuildHasherDefault<DefaultHasher>;

const GRACE: Grace = Grace { before_secs: 30, after_secs: 120 };
const OPTIONS: Options = Options { silence_secs: 30, max_devices: 8 };
const START: i64 = 1_800_000_000;
const BUSY: Load =
    Load { cpu_permille: 900, gpu_permille: 0, cpu_permille_foreign: 900, gpu_permille_foreign: 0, gpu_processes_foreign: 0 };

fn fleet() -> Fleet<Hasher> {
    Fleet::new(OPTIONS, Watching::new(GRACE), Hasher::default(), START)
}

fn key(number: u8) -> [u8; 32] {
    [number; 32]
}

fn beat(sequence: u64, unix_secs: i64, load: Load) -> Heartbeat {
    Heartbeat { sequence, desired_revision: 0, unix_secs, load, signature: HeartbeatSignature([0; 64]) }
}

fn trusted(place: Place, sequence: u64, now: i64) -> Proven {
    Proven::by_other_means(place, beat(sequence, now, Load::default()))
}

fn state(fleet: &Fleet<Hasher>, number: u8, now: i64) -> State {
    fleet.glance(&key(number), now).unwrap().state
}

fn entered(duty: Duty) -> (Fleet<Hasher>, Place) {
    let mut fleet = fleet();
    fleet.register(&key(1), duty, Limits::STRICT, Link::Never, START).unwrap();
    let place = fleet.join(&key(1), Session([9; 32]), true, START).unwrap();
    (fleet, place)
}

/// Whether an agent ran on is told by the hub's clock, and by when the device was last heard.
#[test]
fn an_agent_ran_on_if_it_ran_when_it_was_last_heard() {
    for (since, ran_on) in
        [(Some(START - 5), true), (Some(START), true), (Some(START + 3), false), (Some(START + 4_999), false), (None, false)]
    {
        let (mut fleet, _) = entered(Duty::Ready);
        fleet.advance(START + 10, |_, _| panic!("nobody is silent"));
        let back = START + 5_000;
        fleet.advance(back, |_, _| panic!("nobody was seen silent"));
        fleet.join_since(&key(1), Session([8; 32]), since, back).unwrap();
        let here = Presence::Here { since_unix_secs: if ran_on { START } else { back } };
        assert_eq!(fleet.glance(&key(1), back).unwrap().presence, here, "{since:?}");
    }
}

#[test]
fn silence_is_noticed_once_and_a_sign_of_life_ends_it() {
    let (mut fleet, place) = entered(Duty::Ready);
    let mut told = Vec::new();
    for second in 0..=30 {
        fleet.advance(START + second, |place, _| told.push(place));
        assert_eq!(state(&fleet, 1, START + second), State::Ready);
    }
    assert!(told.is_empty());
    assert_eq!(state(&fleet, 1, START + 31), State::Down, "a question is answered to the second");
    for second in 31..200 {
        fleet.advance(START + second, |place, _| told.push(place));
    }
    assert_eq!(told, [place]);
    assert_eq!((fleet.counts().of(State::Down), fleet.counts().all()), (1, 1));
    assert_eq!(fleet.silent(START + 200).count(), 1);
    let answer = fleet.take(&trusted(place, 1, START + 200), START + 200).unwrap();
    assert!(answer.returned);
    assert_eq!(fleet.counts().of(State::Ready), 1);
    for second in 201..=231 {
        fleet.advance(START + second, |place, _| told.push(place));
    }
    assert_eq!(told.len(), 2, "and silence after it is noticed in time");
}

#[test]
fn a_session_that_is_over_says_nothing() {
    let (mut fleet, old) = entered(Duty::Ready);
    let new = fleet.join(&key(1), Session([8; 32]), true, START + 5).unwrap();
    assert_eq!(fleet.take(&trusted(old, 1, START + 6), START + 6), Err(Dropped::SessionOver));
    fleet.leave(old, START + 6);
    assert_eq!(state(&fleet, 1, START + 6), State::Ready, "the old connection's end is not the new one's");
    assert!(fleet.take(&trusted(new, 7, START + 7), START + 7).is_ok());
    for sequence in [7, 6, 0] {
        let dropped = fleet.take(&trusted(new, sequence, START + 8), START + 8).unwrap_err();
        assert_eq!(dropped.code(), "heartbeat_not_new");
        assert_eq!(fleet.arrived(new, &beat(sequence, 0, Load::default())).unwrap_err(), dropped, "before its signature is looked at");
    }
    fleet.leave(new, START + 9);
    assert_eq!(state(&fleet, 1, START + 9), State::Down);
    assert_eq!(fleet.take(&trusted(new, 8, START + 10), START + 10), Err(Dropped::SessionOver));
    fleet.forget(&key(1));
    fleet.register(&key(2), Duty::Ready, Limits::STRICT, Link::Never, START + 11).unwrap();
    assert_eq!(fleet.take(&trusted(new, 9, START + 11), START + 11), Err(Dropped::SessionOver), "a slot's next owner is another");
    assert_eq!(fleet.take(&trusted(Place { number: 77_777, generation: 0 }, 9, START), START), Err(Dropped::SessionOver));
}

#[test]
fn a_hub_that_slept_blames_nobody() {
    let (mut fleet, place) = entered(Duty::Ready);
    fleet.advance(START + 10, |_, _| panic!("nobody is silent"));
    let woke = START + 5_000;
    fleet.advance(woke, |_, _| panic!("nobody was seen silent"));
    assert_eq!(state(&fleet, 1, woke), State::Unknown);
    assert_eq!(fleet.counts().of(State::Unknown), 1);
    // The connection held: its device was there all the time.
    fleet.take(&trusted(place, 1, woke + 20), woke + 20).unwrap();
    assert_eq!(state(&fleet, 1, woke + 20), State::Ready);
    let hour = hour_of(woke + 20);
    let uptime = fleet.uptime(&key(1), hour).unwrap();
    assert_eq!(uptime.hour.up, Minutes::touched(hour, hour * HOUR_SECS, woke + 20));
    assert_eq!(uptime.unknown, Minutes::NONE);
    // Another never comes back: unknown for the grace, then down since the hub is back.
    let (mut fleet, _) = entered(Duty::Ready);
    fleet.advance(START + 10, |_, _| ());
    let mut told = 0;
    for second in 0..=121 {
        fleet.advance(woke + second, |_, _| told += 1);
        let expected = if second <= 120 { State::Unknown } else { State::Down };
        assert_eq!((state(&fleet, 1, woke + second), fleet.counts().of(expected)), (expected, 1), "{second}");
    }
    assert_eq!(told, 1);
    assert_eq!(fleet.glance(&key(1), woke + 121).unwrap().presence, Presence::Down { since_unix_secs: woke });
    let uptime = fleet.uptime(&key(1), hour_of(START)).unwrap();
    let away = Minutes::touched(hour_of(START), START + 10, woke);
    assert_eq!(uptime.unknown, away.without(uptime.hour.up), "what nobody saw is neither up nor down");
}

#[test]
fn a_hub_that_begins_anew_waits_for_its_devices() {
    let watching = Watching::from_watches([(START - 1_000, START - 500), (START, START)], GRACE);
    let mut fleet = Fleet::new(OPTIONS, watching, Hasher::default(), START);
    // It connected long before the hub went away, and nothing was written for each heartbeat.
    let here = Link::Here { since_unix_secs: START - 900, seen_unix_secs: START - 900 };
    fleet.register(&key(1), Duty::Hired, Limits::STRICT, here, START).unwrap();
    fleet.register(&key(2), Duty::Ready, Limits::STRICT, Link::Away { since_unix_secs: START - 800 }, START).unwrap();
    fleet.register(&key(3), Duty::New, Limits::STRICT, Link::Never, START).unwrap();
    let states = |fleet: &Fleet<Hasher>, now| [1, 2, 3].map(|number| state(fleet, number, now));
    assert_eq!(states(&fleet, START), [State::Unknown, State::Down, State::Registered]);
    assert_eq!([State::Unknown, State::Down, State::Registered].map(|state| fleet.counts().of(state)), [1, 1, 1]);
    fleet.join(&key(1), Session([1; 32]), true, START + 100).unwrap();
    assert_eq!(states(&fleet, START + 100), [State::Hired, State::Down, State::Registered]);
    assert_eq!(fleet.glance(&key(1), START + 100).unwrap().presence, Presence::Here { since_unix_secs: START - 900 });
    let up = |hour| fleet.uptime(&key(1), hour).unwrap().hour.up.count();
    assert_eq!((up(hour_of(START) - 1), up(hour_of(START))), (9, 2), "the agent ran on");
}

#[test]
fn the_devices_clock_changes_nothing_but_a_warning() {
    let (mut fleet, place) = entered(Duty::Ready);
    let mut with_clock = |sequence, clock: i64, now| {
        let told = fleet.take(&Proven::by_other_means(place, beat(sequence, clock, Load::default())), now).unwrap();
        (told.skew_secs, told.clock_stepped, fleet.glance(&key(1), now).unwrap().state)
    };
    assert_eq!(with_clock(1, START + 1, START + 1), (0, false, State::Ready));
    assert_eq!(with_clock(2, START + 42, START + 2), (40, false, State::Ready));
    assert_eq!(with_clock(3, START - 86_397, START + 3), (-86_400, true, State::Ready));
    assert_eq!(with_clock(4, i64::MAX, START + 4), (i32::MAX, true, State::Ready));
    assert_eq!(with_clock(5, i64::MIN, START + 5), (i32::MIN, true, State::Ready));
    assert_eq!(fleet.uptime(&key(1), hour_of(START)).unwrap().hour.up, Minutes::touched(hour_of(START), START, START + 5));
}

#[test]
fn foreign_load_costs_minutes_and_counts_against_a_hired_device() {
    let (mut fleet, place) = entered(Duty::Ready);
    let mut sequence = 0;
    let mut run = |fleet: &mut Fleet<Hasher>, from: i64, to: i64, load| {
        let mut last = None;
        for now in (from..to).step_by(10) {
            sequence += 1;
            last = Some(fleet.take(&Proven::by_other_means(place, beat(sequence, now, load)), now).unwrap());
            fleet.advance(now, |_, _| panic!("it is heard"));
        }
        last.unwrap()
    };
    assert_eq!(run(&mut fleet, START, START + 600, Load::default()).verdict, Verdict::Within);
    let idle = run(&mut fleet, START + 600, START + 600 + 14 * 60, BUSY);
    assert_eq!((idle.verdict, idle.offence), (Verdict::IdleLoad, None));
    fleet.set_duty(&key(1), Duty::Hired, START + 600 + 14 * 60).unwrap();
    let hired = run(&mut fleet, START + 600 + 14 * 60, START + 600 + 19 * 60, BUSY);
    assert_eq!((hired.verdict, hired.offence), (Verdict::ForeignUse, Some(BlockReason::ForeignUse)));
    let hour = fleet.uptime(&key(1), hour_of(START)).unwrap().hour;
    assert_eq!(START % HOUR_SECS, 0);
    assert_eq!((hour.up.count(), hour.counted().count(), hour.evidence.foreign_minutes, hour.evidence.samples_over), (29, 10, 5, 19 * 6));
}

#[test]
fn only_so_many_devices_are_kept() {
    let mut fleet = fleet();
    for number in 0..8 {
        fleet.register(&key(number), Duty::New, Limits::STRICT, Link::Never, START).unwrap();
    }
    assert_eq!(fleet.register(&key(8), Duty::New, Limits::STRICT, Link::Never, START), Err(Dropped::Full));
    assert_eq!(fleet.register(&key(3), Duty::Ready, Limits::STRICT, Link::Never, START), Ok(()), "a known one is told anew");
    fleet.forget(&key(3));
    fleet.forget(&key(3));
    assert_eq!(fleet.register(&key(8), Duty::New, Limits::STRICT, Link::Never, START), Ok(()));
    assert_eq!(fleet.join(&key(3), Session([0; 32]), true, START), Err(Dropped::NotKnown));
    assert_eq!(fleet.glance(&key(3), START), None);
}

#[test]
fn shards_take_signed_heartbeats_and_nothing_else() {
    let options = Options { max_devices: 100, ..OPTIONS };
    let shards = Shards::new(2, options, &Watching::new(GRACE), Hasher::default(), START);
    let mut batches = vec![Vec::new(); shards.parts()];
    let mut expected = vec![Vec::new(); shards.parts()];
    for number in 0..40 {
        let signer = SigningKey::from_bytes(&[number; 32]);
        let public = signer.verifying_key().to_bytes();
        let session = Session::new("local", "nonce", &public);
        let part = shards.part_of(&public);
        let place = shards.with_part_of(&public, |fleet| {
            fleet.register(&public, Duty::Ready, Limits::STRICT, Link::Never, START).unwrap();
            fleet.join(&public, session, true, START).unwrap()
        });
        let good = Heartbeat::sign(&signer, &session, 1, 0, START, Load::default());
        let other = Heartbeat::sign(&signer, &Session::new("local", "other", &public), 1, 0, START, Load::default());
        let (heartbeat, answer) = match number % 8 {
            3 => (Heartbeat { sequence: 2, ..good }, "heartbeat_signature_invalid"),
            5 => (Heartbeat { sequence: 0, ..good }, "heartbeat_not_new"),
            6 => (other, "heartbeat_signature_invalid"),
            _ => (good, "taken"),
        };
        batches[part].push((place, heartbeat));
        expected[part].push(answer);
    }
    assert!(batches.iter().all(|batch| batch.len() > 5), "both parts have devices");
    for round in 0..2 {
        for part in 0..shards.parts() {
            let mut answers = vec![""; batches[part].len()];
            shards.ingest(part, &batches[part], START + 1, |number, answer| {
                answers[number] = answer.map_or_else(Dropped::code, |_| "taken");
            });
            let replayed = |answer: &&'static str| if round > 0 && *answer == "taken" { "heartbeat_not_new" } else { answer };
            assert_eq!(answers, expected[part].iter().map(replayed).collect::<Vec<_>>());
        }
    }
    let here = batches[0][0].0;
    let mut answer = None;
    shards.ingest(9, &[(here, beat(5, 0, Load::default()))], START, |_, told| answer = Some(told));
    assert_eq!(answer, Some(Err(Dropped::SessionOver)));
    assert_eq!((shards.counts().of(State::Ready), shards.counts().all()), (40, 40));
}

/// The same table as plainly as can be.
#[derive(Default, Clone)]
struct Row {
    duty: Option<Duty>,
    place: Option<Place>,
    tie: Link,
    heard: i64,
    sequence: u64,
    up: BTreeSet<i64>,
}

impl Row {
    /// As the rules say, from the record alone.
    fn presence(&self, watching: &Watching, now: i64) -> Presence {
        let silence = i64::from(OPTIONS.silence_secs);
        let link = match self.tie {
            Link::Here { since_unix_secs, .. } => {
                let absent = watching.absences().iter().find(|absence| absence.to_unix_secs > self.heard);
                let watched = absent.map_or(now, |absence| absence.from_unix_secs) - self.heard;
                if watched > silence {
                    Link::Away { since_unix_secs: self.heard }
                } else {
                    Link::Here { since_unix_secs, seen_unix_secs: self.heard }
                }
            }
            other => other,
        };
        watching.presence(link, now)
    }
}

#[derive(Debug, Clone)]
enum Step {
    Register(u8, Duty),
    Forget(u8),
    Duty(u8, Duty),
    Join(u8, bool),
    Leave(u8),
    Beat(u8, u64),
    /// The clock goes on, second by second with a look each, and now and then back.
    Wait(i64),
    Sleep(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let device = 0_u8..4;
    let duty = prop::sample::select(Duty::ALL.to_vec());
    prop_oneof![
        2 => (device.clone(), duty.clone()).prop_map(|(device, duty)| Step::Register(device, duty)),
        1 => device.clone().prop_map(Step::Forget),
        2 => (device.clone(), duty).prop_map(|(device, duty)| Step::Duty(device, duty)),
        4 => (device.clone(), any::<bool>()).prop_map(|(device, ran_on)| Step::Join(device, ran_on)),
        2 => device.clone().prop_map(Step::Leave),
        8 => (device, 0_u64..4).prop_map(|(device, ahead)| Step::Beat(device, ahead)),
        6 => prop_oneof![4 => 0_i64..40, 2 => Just(700), 1 => -50_i64..0].prop_map(Step::Wait),
        1 => (11_i64..4_000).prop_map(Step::Sleep),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn it_answers_as_a_plain_table_does(steps in prop::collection::vec(step(), 1..60)) {
        let mut fleet = fleet();
        let mut rows: BTreeMap<u8, Row> = BTreeMap::new();
        let mut watching = Watching::new(GRACE);
        let mut now = START;
        for step in steps {
            match step.clone() {
                Step::Register(device, duty) => {
                    fleet.register(&key(device), duty, Limits::STRICT, Link::Never, now).unwrap();
                    rows.entry(device).or_default().duty = Some(duty);
                }
                Step::Forget(device) => {
                    fleet.forget(&key(device));
                    rows.remove(&device);
                }
                Step::Duty(device, duty) => {
                    let told = fleet.set_duty(&key(device), duty, now);
                    prop_assert_eq!(told.is_ok(), rows.contains_key(&device));
                    rows.entry(device).and_modify(|row| row.duty = Some(duty));
                }
                Step::Join(device, ran_on) => {
                    let joined = fleet.join(&key(device), Session([device; 32]), ran_on, now);
                    let Some(row) = rows.get_mut(&device) else {
                        prop_assert_eq!(joined, Err(Dropped::NotKnown));
                        continue;
                    };
                    let presence = row.presence(&watching, now);
                    let knew = matches!(presence, Presence::Here { .. } | Presence::Unknown { .. });
                    let blip = matches!(presence, Presence::Down { .. }) && now - row.heard <= i64::from(OPTIONS.silence_secs);
                    let from = if ran_on && (knew || blip) { row.heard } else { now };
                    row.up.extend(from..=now);
                    let since = match row.tie {
                        Link::Here { since_unix_secs, .. } if ran_on && (knew || blip) => since_unix_secs,
                        _ => now,
                    };
                    row.tie = Link::Here { since_unix_secs: since, seen_unix_secs: now };
                    (row.heard, row.sequence, row.place) = (now, 0, Some(joined.unwrap()));
                }
                Step::Leave(device) => {
                    let Some(row) = rows.get_mut(&device) else { continue };
                    let Some(place) = row.place else { continue };
                    fleet.leave(place, now);
                    if let Link::Here { .. } = row.tie {
                        row.tie = Link::Away { since_unix_secs: now };
                        row.place = None;
                    }
                }
                Step::Beat(device, ahead) => {
                    let Some(row) = rows.get_mut(&device) else { continue };
                    let Some(place) = row.place else { continue };
                    let sequence = row.sequence + ahead;
                    let told = fleet.take(&trusted(place, sequence, now), now);
                    prop_assert_eq!(told.is_ok(), ahead > 0);
                    if ahead > 0 {
                        let presence = row.presence(&watching, now);
                        let here = matches!(presence, Presence::Here { .. } | Presence::Unknown { .. });
                        row.up.extend(if here { row.heard } else { now }..=now);
                        if !matches!(row.tie, Link::Here { .. }) {
                            row.tie = Link::Here { since_unix_secs: now, seen_unix_secs: now };
                        }
                        (row.heard, row.sequence) = (now, sequence);
                    }
                }
                Step::Wait(secs) => {
                    let until = now + secs;
                    if secs < 0 {
                        fleet.advance(until, |_, _| ());
                    }
                    while now < until {
                        now += 1;
                        let mut told = BTreeSet::new();
                        fleet.advance(now, |_, key| { told.insert(key[0]); });
                        for (device, row) in &mut rows {
                            let presence = row.presence(&watching, now);
                            let (Link::Here { .. }, Presence::Down { since_unix_secs }) = (row.tie, presence) else {
                                prop_assert!(!told.contains(device), "{device} is not silent");
                                continue;
                            };
                            prop_assert!(told.contains(device), "{device} is silent at {now}: {row:?}", row = row.tie);
                            row.tie = Link::Away { since_unix_secs };
                        }
                    }
                }
                Step::Sleep(secs) => {
                    watching.away(now);
                    now += secs;
                    watching.back(now);
                    fleet.advance(now, |_, _| ());
                    for row in rows.values_mut() {
                        if let (Link::Here { .. }, Presence::Down { since_unix_secs }) = (row.tie, row.presence(&watching, now)) {
                            row.tie = Link::Away { since_unix_secs };
                        }
                    }
                }
            }
            let mut recount = Counts::default();
            for (device, row) in &rows {
                let glance = fleet.glance(&key(*device), now).unwrap();
                let presence = row.presence(&watching, now);
                prop_assert_eq!(glance.presence, presence, "{:?} after {:?}", row.tie, &step);
                prop_assert_eq!(glance.state, State::of(row.duty.unwrap(), presence));
                recount.0[glance.state as usize] += 1;
                for hour in [hour_of(now) - 1, hour_of(now)] {
                    let counted = row.up.iter().filter(|second| hour_of(**second) == hour).fold(Minutes::NONE, |minutes, second| {
                        minutes.union(Minutes::touched(hour, *second, *second))
                    });
                    let seen = fleet.uptime(&key(*device), hour).unwrap();
                    prop_assert_eq!(seen.hour.up, counted, "hour {} of {}", hour, device);
                }
            }
            prop_assert_eq!(fleet.counts(), recount, "after {:?}", &step);
            prop_assert_eq!(fleet.len() as usize, rows.len());
            prop_assert_eq!(fleet.iter(now).count(), rows.len());
        }
    }
}
