//! Work logs: the periods of a cluster tile its hired time, and what may be charged grows with the time it ran.

use ionet_rules::booking::MAX_MINUTES;
use ionet_rules::worklog::{EndReason, FIRST_HOUR_MINUTES, LOG_PERIOD_MINUTES, billable_minutes, period};
use proptest::prelude::*;

use crate::strategies::{minutes, time};

const REASONS: [EndReason; 3] = [EndReason::HiredTimeOver, EndReason::CustomerEnded, EndReason::NetworkFailed];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn periods_tile_the_hired_time(hired in minutes()) {
        let mut covered = 0;
        let mut sequence = 0;
        while let Some(one) = period(sequence, hired) {
            prop_assert_eq!(one.sequence, sequence);
            prop_assert_eq!(one.from_minute, covered);
            prop_assert!(one.minutes() > 0 && one.minutes() <= LOG_PERIOD_MINUTES);
            prop_assert_eq!(one.last, one.to_minute == hired);
            prop_assert!(one.last || one.minutes() == LOG_PERIOD_MINUTES);
            prop_assert_eq!(one.over_after_secs(), i64::from(one.to_minute) * 60);
            covered = one.to_minute;
            sequence += 1;
        }
        prop_assert_eq!(covered, hired);
        prop_assert_eq!(sequence, hired.div_ceil(LOG_PERIOD_MINUTES));
    }

    #[test]
    fn a_period_that_is_over_is_not_changed_by_an_extension(hired in minutes(), more in minutes(), sequence in 0u32..5) {
        if let (Some(before), Some(after)) = (period(sequence, hired), period(sequence, hired.saturating_add(more))) {
            prop_assert_eq!(before.from_minute, after.from_minute);
            prop_assert!(before.last || before == after);
        }
    }

    #[test]
    fn billable_minutes_grow_with_the_time_and_never_pass_the_hired(a in time(), b in time(), hired in 0..=MAX_MINUTES) {
        for reason in REASONS {
            let low = billable_minutes(reason, a.min(b), hired);
            let high = billable_minutes(reason, a.max(b), hired);
            prop_assert!(low <= high && high <= hired);
        }
    }

    #[test]
    fn the_customer_pays_started_minutes_and_a_failing_network_earns_whole_ones(ran in 0i64..20_000_000, hired in 1..=MAX_MINUTES) {
        let customer = billable_minutes(EndReason::CustomerEnded, ran, hired);
        let network = billable_minutes(EndReason::NetworkFailed, ran, hired);
        prop_assert!(network <= customer);
        prop_assert!(i64::from(customer) * 60 >= ran.min(i64::from(hired) * 60), "each started minute counts");
        prop_assert!(i64::from(network) * 60 <= ran, "an undelivered minute never counts");
        prop_assert!(customer >= FIRST_HOUR_MINUTES.min(hired));
        prop_assert!(network == 0 || network >= FIRST_HOUR_MINUTES.min(hired));
    }
}

#[test]
fn the_examples_of_the_economy() {
    let logs = |minutes| (0..).map_while(|sequence| period(sequence, minutes)).count();
    assert_eq!(logs(3 * 60), 1);
    assert_eq!(logs(48 * 60), 2);
    assert_eq!(logs(24 * 60), 1);
    assert_eq!(logs(24 * 60 + 1), 2);
    assert_eq!(logs(0), 0);
}

#[test]
fn reasons_keep_their_numbers() {
    assert_eq!(EndReason::from_u8(0), Ok(None));
    for reason in REASONS {
        assert_eq!(EndReason::from_u8(reason as u8), Ok(Some(reason)));
    }
    for byte in 4..=u8::MAX {
        assert!(EndReason::from_u8(byte).is_err());
    }
}

#[test]
fn the_last_sequence_numbers_have_no_period() {
    for sequence in [u32::MAX / LOG_PERIOD_MINUTES, u32::MAX / LOG_PERIOD_MINUTES + 1, u32::MAX] {
        assert_eq!(period(sequence, MAX_MINUTES), None);
    }
    let last = period(u32::MAX / LOG_PERIOD_MINUTES, u32::MAX).unwrap();
    assert!(last.last && last.to_minute == u32::MAX);
}
