//! What holds whatever was recorded: no panic, whole answers, the same for the same, never more for longer.

use ionet_predict::{Class, Features, Hire, LEAST_TRAINED, MAX_HIRES, Outcome, PRIOR_BPS, Predictor, Used, Why, learn};
use proptest::prelude::*;

fn features() -> impl Strategy<Value = Features> {
    let classes = prop::sample::select(vec![Class::Cpu, Class::Consumer, Class::Workstation, Class::DataCentre]);
    (any::<u16>(), any::<u16>(), any::<u32>(), any::<u32>(), any::<u32>(), any::<u8>(), any::<u8>(), classes).prop_map(
        |(reputation, uptime_30d_bps, failures_30d, failures_7d, age_days, hour_of_week, tier, class)| Features {
            reputation,
            uptime_30d_bps,
            failures_30d,
            failures_7d,
            age_days,
            hour_of_week,
            tier,
            class,
        },
    )
}

/// Any record, possible or not, with values of any size.
fn hires(most: usize) -> impl Strategy<Value = Vec<Hire>> {
    let starts = prop_oneof![4 => 0_i64..10_000_000, 1 => any::<i64>()];
    let minutes = prop_oneof![4 => 1_u32..50_000, 1 => any::<u32>()];
    let outcomes = prop_oneof![Just((0, 0.0)), (1..3, 0.0..1.2_f64)];
    let hire = (starts, minutes, features(), outcomes).prop_map(|(started_at_unix_secs, minutes, features, (kind, share))| {
        let after_minutes = share_of(minutes, share);
        let outcome = match kind {
            0 => Outcome::Served,
            1 => Outcome::Ended { after_minutes },
            _ => Outcome::Failed { after_minutes },
        };
        Hire { started_at_unix_secs, minutes, features, outcome }
    });
    prop::collection::vec(hire, 0..most)
}

#[expect(clippy::cast_sign_loss, reason = "a share of a count")]
fn share_of(minutes: u32, share: f64) -> u32 {
    (f64::from(minutes) * share) as u32
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Any history gives a predictor, and it answers within bounds, never more for longer hires.
    #[test]
    fn any_history_is_borne(hires in hires(1_500), asked in features(), minutes in prop::collection::vec(any::<u32>(), 2..20), seed: u64) {
        let (predictor, report) = learn(&hires, seed);
        prop_assert_eq!(report.used == Used::Model, predictor.uses_model());
        prop_assert_eq!(report.used == Used::Model, report.why == Why::ModelIsBetter);
        prop_assert_eq!(report.hires + report.impossible + report.left_out, hires.len() as u64);
        let mut minutes = minutes;
        minutes.sort_unstable();
        let said: Vec<u16> = minutes.iter().map(|&minutes| predictor.survival_bps(&asked, minutes)).collect();
        prop_assert!(said.iter().all(|&bps| bps <= 10_000));
        prop_assert!(said.is_sorted_by(|shorter, longer| shorter >= longer), "{said:?}");
        if predictor.uses_model() {
            prop_assert_eq!(predictor.survival_bps(&asked, 0), 10_000);
        }
    }

    /// The order of records does not matter, and the same gives the same, to the byte.
    #[test]
    fn the_same_gives_the_same((hires, shuffled) in hires(800).prop_flat_map(|hires| (Just(hires.clone()), Just(hires).prop_shuffle())), seed: u64) {
        let (one, report) = learn(&hires, seed);
        let (other, other_report) = learn(&shuffled, seed);
        prop_assert_eq!(&report, &other_report);
        prop_assert_eq!(serde_json::to_string(&one).unwrap(), serde_json::to_string(&other).unwrap());
    }
}

fn hire(number: u32, failed: bool) -> Hire {
    Hire {
        started_at_unix_secs: i64::from(number) * 600,
        minutes: 120,
        features: Features { reputation: 500, uptime_30d_bps: 9_000, failures_30d: number % 3, ..Features::default() },
        outcome: if failed { Outcome::Failed { after_minutes: 45 } } else { Outcome::Served },
    }
}

#[test]
fn no_history_is_the_prior() {
    let (predictor, report) = learn(&[], 1);
    assert_eq!(predictor, Predictor::prior());
    assert_eq!(predictor.survival_bps(&Features::default(), 60), PRIOR_BPS);
    assert_eq!((report.used, report.why, report.hires), (Used::Mean, Why::TooFewHires, 0));
}

#[test]
fn one_outcome_only_is_the_mean() {
    for failed in [false, true] {
        let hires: Vec<Hire> = (0..2_000).map(|number| hire(number, failed)).collect();
        let (predictor, report) = learn(&hires, 1);
        assert_eq!((report.used, predictor.uses_model()), (Used::Mean, false), "{report}");
        let said = predictor.survival_bps(&Features::default(), 60);
        assert!(if failed { said < 150 } else { said > 9_980 }, "{said}");
    }
}

#[test]
fn few_hires_are_not_trusted() {
    // Perfectly predictable, and too few of them.
    let hires: Vec<Hire> = (0..u32::try_from(LEAST_TRAINED).unwrap()).map(|number| hire(number, number % 3 == 0)).collect();
    let (_, report) = learn(&hires, 1);
    assert_eq!(report.why, Why::TooFewHires, "{report}");
    // Enough of them.
    let hires: Vec<Hire> = (0..1_000).map(|number| hire(number, number % 3 == 0)).collect();
    let (predictor, report) = learn(&hires, 1);
    assert_eq!(report.why, Why::ModelIsBetter, "{report}");
    assert!(report.model_brier_ppm < Some(30_000), "{report}");
    // All began at one moment: there is no past to learn from.
    let hires: Vec<Hire> = hires.iter().map(|hire| Hire { started_at_unix_secs: 5, ..*hire }).collect();
    assert_eq!(learn(&hires, 1).1.why, Why::TooFewHires);
    // What was learnt is read as it was written.
    let text = serde_json::to_string(&predictor).unwrap();
    let read: Predictor = serde_json::from_str(&text).unwrap();
    assert_eq!(read.survival_bps(&hire(1, false).features, 100), predictor.survival_bps(&hire(1, false).features, 100));
}

#[test]
fn what_cannot_have_been_is_left_out() {
    let impossible = [
        Hire { minutes: 0, ..hire(1, false) },
        Hire { outcome: Outcome::Ended { after_minutes: 121 }, ..hire(1, false) },
        Hire { outcome: Outcome::Failed { after_minutes: 120 }, ..hire(1, false) },
    ];
    let (predictor, report) = learn(&impossible, 1);
    assert_eq!((report.impossible, report.hires), (3, 0));
    assert_eq!(predictor, Predictor::prior());
}

#[test]
fn more_hires_than_are_looked_at() {
    let hires: Vec<Hire> = (0..u32::try_from(MAX_HIRES).unwrap() + 5_000).map(|number| hire(number, number % 7 == 0)).collect();
    let (one, report) = learn(&hires, 1);
    assert_eq!((report.hires, report.left_out), (MAX_HIRES as u64, 5_000));
    let (again, same) = learn(&hires, 1);
    assert_eq!((&one, &report), (&again, &same));
    assert_ne!(learn(&hires, 2).1, report);
}
