//! How long a device has been up, as far as anybody knows.
//!
//! A device counts as down only while the hub was there to see that it was away. While the hub itself was away nothing is known, and what
//! is not known counts against nobody: a device that is back soon after the hub, and whose agent says it ran on, was up. (In April 2024 an
//! outage on the network's side zeroed a whole fleet.)

use ionet_store::{Presence, Watch};

/// How patient the hub is with devices around its own absence.
#[derive(Debug, Clone, Copy)]
pub struct Grace {
    /// How long before the hub went away a device's disconnect may be the hub's own doing, seconds.
    pub before_secs: i64,
    /// How long a device may take to come back to a hub that is back, seconds.
    pub after_secs: i64,
    /// How long a connection may be gone while the agent runs on, seconds: a new connection is no new start.
    pub blip_secs: i64,
}

/// Times at which a device was down, oldest first, from its first connection until `now`; not overlapping. `None` when it never was there.
pub fn downs(presences: &[Presence], watches: &[Watch], grace: Grace, now: i64) -> Option<(i64, Vec<(i64, i64)>)> {
    let first = presences.first()?.from_unix_secs;
    let mut downs = Vec::new();
    let mut up_until = first;
    for presence in presences {
        if presence.from_unix_secs > up_until {
            let gap = (up_until, presence.from_unix_secs);
            if !is_excused(gap, presence.running_since_unix_secs, watches, grace) {
                downs.push(gap);
            }
        }
        up_until = up_until.max(presence.to_unix_secs.unwrap_or(now).min(now));
    }
    if up_until < now && !is_excused_for_now(up_until, watches, grace, now) {
        downs.push((up_until, now));
    }
    Some((first, downs))
}

/// Seconds that a device has been up without a break at `at`; 0 while it is down or before it ever came.
pub fn continuous_secs(first: i64, downs: &[(i64, i64)], at: i64) -> u64 {
    let mut since = first;
    for (from, to) in downs {
        if *from >= at {
            break;
        }
        if *to >= at {
            return 0;
        }
        since = *to;
    }
    u64::try_from(at.saturating_sub(since)).unwrap_or(0)
}

/// Since when the hub has watched without a break, `None` when it does not.
pub fn watching_since(watches: &[Watch]) -> Option<i64> {
    watches.last().map(|watch| watch.from_unix_secs)
}

/// Whether the agent did not begin anew in a gap, and the gap is short or lies within one absence of the hub's, with some patience on both
/// sides.
fn is_excused((from, to): (i64, i64), running_since: Option<i64>, watches: &[Watch], grace: Grace) -> bool {
    let ran_on = running_since.is_none_or(|since| since <= from);
    let blip = to.saturating_sub(from) <= grace.blip_secs;
    let absent = || {
        absences(watches).any(|(went, came)| from >= went.saturating_sub(grace.before_secs) && to <= came.saturating_add(grace.after_secs))
    };
    ran_on && (blip || absent())
}

/// Whether a device that is not back yet may still come: the hub is only just back itself.
fn is_excused_for_now(from: i64, watches: &[Watch], grace: Grace, now: i64) -> bool {
    absences(watches)
        .last()
        .is_some_and(|(went, came)| from >= went.saturating_sub(grace.before_secs) && now <= came.saturating_add(grace.after_secs))
}

/// When the hub went away and when it came back.
fn absences(watches: &[Watch]) -> impl Iterator<Item = (i64, i64)> {
    watches.windows(2).map(|pair| (pair[0].to_unix_secs, pair[1].from_unix_secs))
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GRACE: Grace = Grace { before_secs: 30, after_secs: 120, blip_secs: 5 };

    fn presence(from: i64, to: impl Into<Option<i64>>) -> Presence {
        Presence { from_unix_secs: from, to_unix_secs: to.into(), running_since_unix_secs: None }
    }

    fn watch(from: i64, to: i64) -> Watch {
        Watch { from_unix_secs: from, to_unix_secs: to }
    }

    #[test]
    fn a_break_while_the_hub_watches_is_a_break() {
        let (first, downs) = downs(&[presence(0, 1_000), presence(1_010, None)], &[watch(0, 5_000)], GRACE, 5_000).unwrap();
        assert_eq!(downs, [(1_000, 1_010)]);
        assert_eq!(continuous_secs(first, &downs, 1_000), 1_000);
        assert_eq!(continuous_secs(first, &downs, 1_005), 0);
        assert_eq!(continuous_secs(first, &downs, 1_010), 0);
        assert_eq!(continuous_secs(first, &downs, 5_000), 3_990);
    }

    #[test]
    fn the_hubs_own_absence_counts_against_nobody() {
        let watches = [watch(0, 1_000), watch(9_000, 20_000)];
        // Both went down with the hub; one was back in time, one was not, one never.
        let back = downs(&[presence(0, 1_000), presence(9_100, None)], &watches, GRACE, 20_000).unwrap();
        assert_eq!((back.1.len(), continuous_secs(back.0, &back.1, 20_000)), (0, 20_000));
        let late = downs(&[presence(0, 1_000), presence(9_121, None)], &watches, GRACE, 20_000).unwrap();
        assert_eq!(late.1, [(1_000, 9_121)]);
        let gone = downs(&[presence(0, 1_000)], &watches, GRACE, 20_000).unwrap();
        assert_eq!(gone.1, [(1_000, 20_000)]);
        // While the hub is only just back, nobody is called down yet.
        assert!(downs(&[presence(0, 1_000)], &watches, GRACE, 9_120).unwrap().1.is_empty());
        // One that was away before the hub went was down.
        let before = downs(&[presence(0, 900), presence(9_010, None)], &watches, GRACE, 20_000).unwrap();
        assert_eq!(before.1, [(900, 9_010)]);
    }

    #[test]
    fn an_agent_that_began_anew_was_down() {
        let watches = [watch(0, 1_000), watch(9_000, 20_000)];
        let anew = Presence { running_since_unix_secs: Some(8_000), ..presence(9_001, None) };
        assert_eq!(downs(&[presence(0, 1_000), anew], &watches, GRACE, 20_000).unwrap().1, [(1_000, 9_001)]);
        let ran_on = Presence { running_since_unix_secs: Some(-50), ..presence(9_001, None) };
        assert!(downs(&[presence(0, 1_000), ran_on], &watches, GRACE, 20_000).unwrap().1.is_empty());
    }

    #[test]
    fn a_new_connection_of_a_running_agent_is_no_new_start() {
        let watches = [watch(0, 20_000)];
        let again = |since| Presence { running_since_unix_secs: since, ..presence(1_005, None) };
        assert!(downs(&[presence(0, 1_000), again(Some(0))], &watches, GRACE, 20_000).unwrap().1.is_empty());
        assert_eq!(downs(&[presence(0, 1_000), again(Some(1_002))], &watches, GRACE, 20_000).unwrap().1, [(1_000, 1_005)]);
    }

    #[test]
    fn a_device_that_never_came_has_no_uptime() {
        assert_eq!(downs(&[], &[watch(0, 10)], GRACE, 10), None);
    }

    proptest! {
        /// Downs are in order, do not overlap, and lie outside every presence; an absence of the hub never makes one that was not there.
        #[test]
        fn downs_are_gaps_and_absences_only_excuse(
            gaps in prop::collection::vec((1_i64..500, 0_i64..500), 1..20),
            absences in prop::collection::vec((1_i64..2_000, 0_i64..2_000), 0..6),
        ) {
            let mut at = 0;
            let mut presences = Vec::new();
            for (up, away) in gaps {
                presences.push(presence(at, at + up));
                at += up + away;
            }
            let now = at + 10;
            let mut watches = Vec::new();
            let mut from = 0;
            for (there, away) in absences {
                watches.push(watch(from, from + there));
                from += there + away;
            }
            watches.push(watch(from, from.max(now)));
            let (first, found) = downs(&presences, &watches, GRACE, now).unwrap();
            let (_, strict) = downs(&presences, &[watch(0, now)], GRACE, now).unwrap();
            prop_assert!(found.iter().all(|down| strict.contains(down)));
            prop_assert!(found.windows(2).all(|pair| pair[0].1 <= pair[1].0));
            for (from, to) in &found {
                prop_assert!(from < to);
                prop_assert!(presences.iter().all(|presence| presence.to_unix_secs.unwrap() <= *from || presence.from_unix_secs >= *to));
            }
            for at in [first, now / 2, now] {
                prop_assert!(continuous_secs(first, &found, at) >= continuous_secs(first, &strict, at));
            }
        }
    }
}
