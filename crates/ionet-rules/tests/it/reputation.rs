//! Reputation: bounded, explained to the point, forgetful, and never the better for something bad.

use ionet_rules::reputation::{Event, Explanation, HIGHEST, Kind, NEUTRAL, Params, Reputation, STEPS};
use proptest::prelude::*;

const NOW: i64 = 1_800_000_000;
const DAY: i64 = 24 * 3_600;
const PARAMS: Params = Params::DEFAULT;

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..1_500_000_u32).prop_map(|p_millionths| Event::TestPassed { p_millionths }),
        (0..100_000_u32).prop_map(|minutes| Event::JobFinished { minutes }),
        Just(Event::TestFailed),
        Just(Event::JobFailed),
        (0..100_000_u32).prop_map(|secs| Event::Down { secs }),
        Just(Event::Slashed),
        Just(Event::JobFinished { minutes: u32::MAX }),
        Just(Event::Down { secs: u32::MAX }),
    ]
}

/// Things in the order in which they happened.
fn history() -> impl Strategy<Value = Vec<(i64, Event)>> {
    prop::collection::vec((0..400 * DAY, event()), 0..60).prop_map(|mut history| {
        for (at, _) in &mut history {
            *at += NOW - 400 * DAY;
        }
        history.sort_by_key(|(at, _)| *at);
        history
    })
}

/// Whether the score with an event is on the right side of that without it.
fn is_right(event: Event, with: u32, without: u32) -> bool {
    if event.worth().0.is_good() { with >= without } else { with <= without }
}

fn score(history: &[(i64, Event)], now: i64) -> u32 {
    Reputation::of(history.iter().copied(), PARAMS).score(now, PARAMS)
}

#[test]
fn a_device_without_a_past_is_in_the_middle() {
    assert_eq!(Reputation::NEW.score(NOW, PARAMS), NEUTRAL);
    assert_eq!(Reputation::NEW.explain(i64::MIN, PARAMS), Explanation { contributions: [0; Kind::COUNT] });
    assert_eq!(score(&[], i64::MAX), NEUTRAL);
}

#[test]
fn lives_have_these_scores() {
    // Day by day for half a year.
    let life = |day: &[Event]| {
        let days = (0..180).flat_map(|ago| day.iter().map(move |event| (NOW - (179 - ago) * DAY, *event)));
        Reputation::of(days, PARAMS).score(NOW, PARAMS)
    };
    let tests = [Event::TestPassed { p_millionths: 1_000_000 }; 96];
    let idle = life(&tests);
    let hired = life(&[Event::JobFinished { minutes: 1_440 }]);
    let flaky = life(&[tests.as_slice(), &[Event::TestFailed; 5]].concat());
    let shaky = life(&[tests.as_slice(), &[Event::Down { secs: 864 }]].concat());
    let liar = life(&[Event::TestFailed; 96]);
    assert_eq!((idle, hired, flaky, shaky, liar), (902, 930, 497, 690, 7));
    assert!(liar < flaky && flaky < shaky && shaky < idle && idle < hired);
    assert_eq!(score(&[(NOW, Event::Slashed)], NOW), 125);
}

#[test]
fn points_are_halved_in_a_half_life_and_gone_in_the_end() {
    let past = Reputation::of([(0, Event::JobFinished { minutes: 1_000_000_000 })], PARAMS);
    let secs = i64::from(PARAMS.half_life_secs());
    let points = |at: i64| past.at(at, PARAMS).points[Kind::JobsFinished as usize];
    for halves in 0..30 {
        let exact = points(0) >> halves;
        let left = points(halves * secs);
        // Each step loses less than one millionth of a point, and the ratio is right to its last bit.
        assert!(left <= exact + 1 && exact - left <= 32 * 48, "{left} of {exact} after {halves} half-lives");
    }
    assert_eq!(points(64 * secs), 0);
    assert_eq!(points(i64::MAX), 0);
    assert_eq!(past.score(70 * secs, PARAMS), NEUTRAL);
    assert_eq!(points(secs / STEPS - 1), points(0), "within a step nothing decays");
    assert!(points(secs / STEPS) < points(0));
}

#[test]
fn half_lives_are_bounded() {
    for bad in [0, 86_399, 365 * 86_400 + 1, u32::MAX] {
        assert!(Params::new(bad).is_err());
    }
    for good in [86_400, 30 * 86_400, 365 * 86_400] {
        assert_eq!(Params::new(good).map(Params::half_life_secs), Ok(good));
    }
}

#[test]
fn kinds_keep_their_places() {
    for (place, kind) in Kind::ALL.into_iter().enumerate() {
        assert_eq!(kind as usize, place);
        assert_eq!(kind.is_good(), place < 2);
    }
    assert_eq!(size_of::<Reputation>(), 56);
}

#[test]
fn no_history_overflows() {
    let mut worst = Reputation::NEW;
    let most = [Event::JobFinished { minutes: u32::MAX }, Event::Down { secs: u32::MAX }, Event::Slashed, Event::TestFailed];
    for at in [i64::MIN, -1, 0, NOW, i64::MAX, i64::MIN] {
        for event in most {
            worst.record(at, event, PARAMS);
        }
    }
    worst.points = [u64::MAX; Kind::COUNT];
    for event in most {
        worst.record(i64::MAX, event, PARAMS);
    }
    assert_eq!(worst.points[Kind::Slashes as usize], u64::MAX);
    let told = worst.explain(i64::MAX, PARAMS);
    assert_eq!(told.score(), NEUTRAL, "the most good and the most bad");
    assert!(worst.score(i64::MIN, PARAMS) <= HIGHEST);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn it_is_explained_to_the_point(history in history(), later in 0..100 * DAY) {
        let past = Reputation::of(history, PARAMS);
        let told = past.explain(NOW + later, PARAMS);
        prop_assert_eq!(told.score(), past.score(NOW + later, PARAMS));
        prop_assert_eq!(i64::from(NEUTRAL) + told.contributions.iter().map(|one| i64::from(*one)).sum::<i64>(), i64::from(told.score()));
        prop_assert!(told.score() <= HIGHEST);
        for kind in Kind::ALL {
            let part = told.of(kind);
            let range = if kind.is_good() { 0..=500 } else { -500..=0 };
            prop_assert!(range.contains(&part));
            prop_assert!(part == 0 || past.points[kind as usize] > 0);
        }
    }

    /// Wherever in a history something happens, from then on the score is never on the wrong side of what it would be without it.
    #[test]
    fn good_never_lowers_and_bad_never_raises(history in history(), at in 0..400 * DAY, event in event(), later in 0..100 * DAY) {
        let at = NOW - 400 * DAY + at;
        let mut with = history.clone();
        let place = with.partition_point(|(other, _)| *other <= at);
        with.insert(place, (at, event));
        for now in [at, NOW, NOW + later] {
            let until = |history: &[(i64, Event)]| score(&history[..history.partition_point(|(other, _)| *other <= now)], now);
            let (with, without) = (until(&with), until(&history));
            prop_assert!(is_right(event, with, without), "{:?}: {} and {}", event, with, without);
        }
        // Told late, it is the same.
        let late = [history.as_slice(), &[(at, event)]].concat();
        let (with, without) = (score(&late, NOW), score(&history, NOW));
        prop_assert!(is_right(event, with, without));
    }

    #[test]
    fn the_order_of_what_happens_at_one_time_does_not_matter(
        before in history(), events in prop::collection::vec(event(), 0..12), turn in 0_usize..12, later in 0..100 * DAY,
    ) {
        let mut turned = events.clone();
        turned.reverse();
        let middle = turn % turned.len().max(1);
        turned.rotate_left(middle);
        let whole = |events: Vec<Event>| {
            let now = events.into_iter().map(|event| (NOW, event));
            Reputation::of(before.iter().copied().chain(now), PARAMS)
        };
        prop_assert_eq!(whole(events.clone()), whole(turned));
        prop_assert_eq!(whole(events.clone()).score(NOW + later, PARAMS), whole(events).score(NOW + later, PARAMS));
    }

    /// Looking changes nothing: a past that was looked at on the way is the same in the end.
    #[test]
    fn looking_changes_nothing(history in history(), looks in prop::collection::vec(0..100 * DAY, 0..8)) {
        let past = Reputation::of(history, PARAMS);
        let mut looks = looks;
        looks.sort_unstable();
        let end = NOW + 100 * DAY;
        let looked = looks.iter().fold(past, |past, look| past.at(NOW + look, PARAMS));
        prop_assert_eq!(looked.at(end, PARAMS), past.at(end, PARAMS));
    }

    #[test]
    fn without_news_it_goes_back_to_the_middle(history in history(), a in 0..200 * DAY, b in 0..200 * DAY) {
        let past = Reputation::of(history, PARAMS);
        for kind in Kind::ALL {
            let left = |at: i64| past.at(NOW + at, PARAMS).points[kind as usize];
            prop_assert!(left(a.max(b)) <= left(a.min(b)));
        }
        prop_assert_eq!(past.score(NOW + 70 * 30 * DAY, PARAMS), NEUTRAL);
    }
}
