//! What is not seen counts against nobody: compared with a second-by-second account of who was where.
#![expect(clippy::cast_sign_loss, clippy::cast_possible_wrap, reason = "seconds of a test are few and not negative")]

use proptest::prelude::*;

use super::*;

const GRACE: Grace = Grace { before_secs: 30, after_secs: 120 };

fn here(since: i64, seen: i64) -> Link {
    Link::Here { since_unix_secs: since, seen_unix_secs: seen }
}

fn away(since: i64) -> Link {
    Link::Away { since_unix_secs: since }
}

fn twice_away() -> Watching {
    Watching::from_watches([(0, 1_000), (5_000, 5_100), (9_000, 9_000)], GRACE)
}

#[test]
fn a_hub_that_never_left_sees_everything() {
    let watching = Watching::new(GRACE);
    assert_eq!(watching.presence(Link::Never, 9), Presence::Never);
    assert_eq!(watching.presence(here(3, 4), 900), Presence::Here { since_unix_secs: 3 });
    assert_eq!(watching.presence(away(3), 900), Presence::Down { since_unix_secs: 3 });
    assert_eq!(watching.presence(away(3), 3 + INACTIVE_AFTER_SECS), Presence::Down { since_unix_secs: 3 });
    assert_eq!(watching.presence(away(3), 4 + INACTIVE_AFTER_SECS), Presence::Inactive { since_unix_secs: 3 });
}

#[test]
fn only_a_whole_grace_in_one_piece_makes_a_lost_device_down() {
    let watching = twice_away();
    let unknown = |since_unix_secs| Presence::Unknown { since_unix_secs, hub_is_back: true };
    for link in [here(0, 990), here(0, 1_000), away(980)] {
        assert_eq!(watching.presence(link, 9_120), unknown(1_000), "{link:?}");
        assert_eq!(watching.presence(link, 9_121), Presence::Down { since_unix_secs: 9_000 }, "{link:?}");
    }
    // Back after the first absence, lost in the second.
    assert_eq!(watching.presence(here(0, 5_050), 9_100), unknown(5_100));
    assert_eq!(watching.presence(here(0, 9_000), 9_500), Presence::Here { since_unix_secs: 0 });
    // It left well before the hub did: that was seen.
    assert_eq!(watching.presence(away(900), 9_001), Presence::Down { since_unix_secs: 900 });
    // It came back and left again while the hub was only just back.
    assert_eq!(watching.presence(away(9_050), 9_120), unknown(9_050));
    assert_eq!(watching.presence(away(9_050), 9_121), Presence::Down { since_unix_secs: 9_050 });
}

#[test]
fn while_the_hub_is_away_nobody_new_is_down() {
    let mut watching = twice_away();
    watching.away(10_000);
    watching.away(11_000);
    assert_eq!(watching.since_unix_secs(), None);
    assert_eq!(watching.presence(here(0, 9_990), 1_000_000), Presence::Unknown { since_unix_secs: 10_000, hub_is_back: false });
    assert_eq!(watching.presence(away(9_500), 1_000_000), Presence::Down { since_unix_secs: 9_500 });
    // Days of absence make nobody inactive.
    assert_eq!(watching.watched_secs(9_500, 10_000_000), 500);
    watching.back(10_000_000);
    watching.back(10_000_001);
    assert_eq!(watching.since_unix_secs(), Some(10_000_000));
    assert_eq!(watching.presence(away(9_500), 10_000_001), Presence::Down { since_unix_secs: 9_500 });
}

#[test]
fn a_clock_set_back_makes_no_negative_absence() {
    let mut watching = Watching::new(GRACE);
    watching.away(1_000);
    watching.back(500);
    assert_eq!(watching.absences(), [Absence { from_unix_secs: 1_000, to_unix_secs: 1_000 }]);
    watching.away(200);
    watching.back(2_000);
    assert_eq!(watching.absences()[1], Absence { from_unix_secs: 1_000, to_unix_secs: 2_000 });
}

#[test]
fn many_absences_stay_bounded_and_their_sum_is_at_least_right() {
    let mut watching = Watching::new(GRACE);
    for turn in 0..1_000 {
        watching.away(turn * 100);
        watching.back(turn * 100 + 40);
    }
    assert_eq!(watching.absences().len(), MAX_ABSENCES);
    assert!(watching.watched_secs(0, 100_000) <= 60_000, "never more than was watched");
    assert_eq!(watching.watched_secs(99_000, 100_000), 600);
}

proptest! {
    /// A device is down only if the hub watched it away: after its last sign there is a stretch, watched without a break, that is longer
    /// than the grace or in which it was seen to leave; and one that is away while a hub watches long enough does not stay unknown.
    #[test]
    fn down_means_watched(
        stretches in prop::collection::vec((1_i64..400, 1_i64..400), 0..6),
        link_at in 0_i64..2_400, leaves: bool, wait in 0_i64..2_400,
    ) {
        let mut watching = Watching::new(GRACE);
        let mut at = 0;
        let mut watched = vec![true; 8_000];
        for (there, gone) in &stretches {
            watching.away(at + there);
            for second in at + there..at + there + gone {
                watched[second as usize] = false;
            }
            at += there + gone;
            watching.back(at);
        }
        prop_assume!(watched[link_at as usize]);
        let now = at.max(link_at) + wait;
        let link = if leaves { away(link_at) } else { here(0, link_at) };
        // The longest stretch since the last sign that was watched without a break, up to now.
        let mut longest = 0;
        let mut run = 0;
        for second in link_at..now {
            run = if watched[second as usize] { run + 1 } else { 0 };
            longest = longest.max(run);
        }
        let blinked = (link_at..now).any(|second| !watched[second as usize]);
        match watching.presence(link, now) {
            Presence::Here { .. } => prop_assert!(!leaves && !blinked),
            Presence::Unknown { since_unix_secs, .. } => {
                prop_assert!(since_unix_secs >= link_at.min(now));
                // Not unknown for ever: a hub that stays decides.
                prop_assert!(now - at <= GRACE.after_secs);
            }
            Presence::Down { since_unix_secs } => {
                prop_assert!(since_unix_secs >= link_at && since_unix_secs <= now);
                prop_assert!(leaves || longest > GRACE.after_secs, "never seen away for a whole grace");
                prop_assert!(watched[since_unix_secs as usize], "down begins while the hub watches");
            }
            other => prop_assert!(false, "{other:?}"),
        }
    }

    #[test]
    fn watched_time_is_what_a_count_by_seconds_gives(
        stretches in prop::collection::vec((0_i64..50, 0_i64..50), 0..10), from in 0_i64..1_000, span in 0_i64..1_000,
    ) {
        let mut watching = Watching::new(GRACE);
        let mut at = 0;
        let mut watched = vec![true; 3_000];
        for (there, gone) in stretches {
            watching.away(at + there);
            watched[(at + there) as usize..(at + there + gone) as usize].fill(false);
            at += there + gone;
            watching.back(at);
        }
        let counted = watched[from as usize..(from + span) as usize].iter().filter(|there| **there).count();
        prop_assert_eq!(watching.watched_secs(from, from + span), counted as i64);
    }

    #[test]
    fn no_moment_panics(absences in prop::collection::vec((any::<i64>(), any::<i64>()), 0..100), since: i64, seen: i64, now: i64) {
        let mut watching = Watching::from_watches(absences.iter().copied().take(10), GRACE);
        for (from, to) in absences {
            watching.away(from);
            watching.back(to);
        }
        for link in [Link::Never, here(since, seen), away(since)] {
            let _ = watching.presence(link, now);
        }
        prop_assert!(watching.absences().windows(2).all(|pair| pair[0].to_unix_secs <= pair[1].from_unix_secs));
    }
}

/// A device that loses a hub that stands still is seen to leave when the hub is back, and takes a moment to return: that is nobody's fault.
#[test]
fn who_comes_back_in_time_was_not_away() {
    let mut watching = Watching::new(GRACE);
    watching.away(1_000);
    watching.back(5_000);
    let left = |since_unix_secs| Link::Away { since_unix_secs };
    assert_eq!(watching.away_secs(left(5_000), 5_060), 0);
    assert_eq!(watching.away_secs(left(5_000), 5_000 + GRACE.after_secs), 0);
    assert_eq!(watching.away_secs(left(5_000), 5_001 + GRACE.after_secs), GRACE.after_secs + 1);
    assert_eq!(watching.away_secs(left(900), 5_060), 160, "it had left before");
    assert_eq!(watching.away_secs(left(6_000), 6_060), 60);
    assert_eq!(watching.away_secs(Link::Here { since_unix_secs: 0, seen_unix_secs: 6_000 }, 6_060), 0);
}

/// It was back after one absence, was lost late in that one's grace, and the hub went again a moment later.
#[test]
fn who_is_lost_right_before_an_absence_is_excused_by_it() {
    let mut watching = Watching::new(GRACE);
    for (went, came) in [(900, 1_000), (1_125, 1_130)] {
        watching.away(went);
        watching.back(came);
    }
    let left = Link::Away { since_unix_secs: 1_100 };
    assert_eq!(watching.presence(left, 1_150), Presence::Unknown { since_unix_secs: 1_125, hub_is_back: true });
    assert_eq!(watching.away_secs(left, 1_150), 0);
    assert_eq!(watching.presence(left, 1_251), Presence::Down { since_unix_secs: 1_130 });
}
