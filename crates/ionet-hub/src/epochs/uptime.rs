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

/// Times at which a device was down, oldest first, from its first connection until `now`; not overlapping. One that begins and ends at the
/// same moment is an agent that began anew while nobody looked: what was before it is over. `None` when the device never was there.
pub fn downs(presences: &[Presence], watches: &[Watch], grace: Grace, now: i64) -> Option<(i64, Vec<(i64, i64)>)> {
    let first = presences.first()?.from_unix_secs;
    let mut downs = Vec::new();
    let mut up_until = first;
    for presence in presences {
        if presence.from_unix_secs > up_until {
            let began = presence.running_since_unix_secs.unwrap_or(up_until);
            let blip = presence.from_unix_secs.saturating_sub(up_until) <= grace.blip_secs;
            if !(blip && began <= up_until) {
                downs.extend(downs_of_gap((up_until, presence.from_unix_secs), began, watches, grace));
            }
        }
        up_until = up_until.max(presence.to_unix_secs.unwrap_or(now).min(now));
    }
    if up_until < now {
        downs.extend(downs_of_gap((up_until, now), up_until, watches, grace));
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

/// Until when the hub was there for all that is written: what it did not write yet, it would not have seen if it were killed now.
pub fn watched_until(watches: &[Watch]) -> Option<i64> {
    watches.last().map(|watch| watch.to_unix_secs)
}

/// What of a gap between two presences the device was down. `began`: since when the agent runs that ended the gap.
///
/// The hub's absences cut the gap into stretches that it watched. One of these is excused if it is short, and right before an absence (losing
/// the device may have been the hub's own doing) or right after one (the device comes back). An absence counts only where the device was seen
/// to be away both before and after it. What an agent says of when it began counts back to where its device was last seen away, and no
/// further: what was told of earlier times, without having heard the agent, stays as it is.
fn downs_of_gap((from, to): (i64, i64), began: i64, watches: &[Watch], grace: Grace) -> Vec<(i64, i64)> {
    let is_near = |(gone, back): (i64, i64)| {
        absences(watches).any(|(went, came)| {
            let before = gone >= went.saturating_sub(grace.before_secs) && back <= went;
            let after = gone >= came && back <= came.saturating_add(grace.after_secs);
            before || after
        })
    };
    let (mut stretches, mut at) = (Vec::new(), from);
    for (went, came) in absences(watches).filter(|(went, came)| *went < to && *came > from).chain([(to, to)]) {
        if at < went {
            stretches.push((at, went));
        }
        at = at.max(came.min(to));
    }
    let last_away = stretches.iter().rposition(|stretch| !is_near(*stretch));
    let seen_away = last_away.map_or(from, |last| stretches[last].1);
    let began = if began < seen_away { from } else { began.min(to) };
    let mut downs: Vec<(i64, i64)> = Vec::new();
    // A device that was here until the hub went was not seen away.
    let mut was_away = false;
    for stretch in stretches {
        let is_away = !is_near(stretch) || (stretch.0 < began && began <= stretch.1);
        match downs.last_mut() {
            // Away on both sides of what nobody saw.
            Some(last) if is_away && was_away => last.1 = stretch.1,
            _ if is_away => downs.push(stretch),
            _ => {}
        }
        was_away = is_away;
    }
    if began > from && downs.last().is_none_or(|last| last.1 < began) {
        downs.push((began, began));
    }
    downs
}

/// When the hub went away and when it came back.
fn absences(watches: &[Watch]) -> impl Iterator<Item = (i64, i64)> {
    watches.windows(2).map(|pair| (pair[0].to_unix_secs, pair[1].from_unix_secs)).filter(|(went, came)| went < came)
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
        // Both went down with the hub; one was back in time, one was not, one never: these are down since the hub is back.
        let back = downs(&[presence(0, 1_000), presence(9_100, None)], &watches, GRACE, 20_000).unwrap();
        assert_eq!((back.1.len(), continuous_secs(back.0, &back.1, 20_000)), (0, 20_000));
        let late = downs(&[presence(0, 1_000), presence(9_121, None)], &watches, GRACE, 20_000).unwrap();
        assert_eq!(late.1, [(9_000, 9_121)]);
        assert_eq!([5_000, 9_050, 20_000].map(|at| continuous_secs(late.0, &late.1, at)), [5_000, 0, 10_879]);
        let gone = downs(&[presence(0, 1_000)], &watches, GRACE, 20_000).unwrap();
        assert_eq!(gone.1, [(9_000, 20_000)]);
        // While the hub is only just back, nobody is called down yet.
        assert!(downs(&[presence(0, 1_000)], &watches, GRACE, 9_120).unwrap().1.is_empty());
        // One that was away before the hub went was down until then, and longer only if it was still away when the hub was back.
        let before = downs(&[presence(0, 900), presence(9_010, None)], &watches, GRACE, 20_000).unwrap();
        assert_eq!(before.1, [(900, 1_000)]);
        let throughout = downs(&[presence(0, 900), presence(9_300, None)], &watches, GRACE, 20_000).unwrap();
        assert_eq!(throughout.1, [(900, 9_300)]);
    }

    #[test]
    fn a_hub_that_is_away_again_and_again_counts_against_nobody() {
        let watches = [watch(0, 1_000), watch(2_000, 2_100), watch(3_000, 3_500), watch(4_000, 20_000)];
        let back = |from| downs(&[presence(0, 990), presence(from, None)], &watches, GRACE, 20_000).unwrap().1;
        // The hub was back for 100 seconds only, which is less than the grace; then for 500, which is more.
        assert_eq!(back(3_010), []);
        assert_eq!(back(4_010), [(3_000, 3_500)]);
        assert_eq!(back(4_200), [(3_000, 4_200)]);
    }

    #[test]
    fn an_agent_that_began_anew_was_down() {
        let watches = [watch(0, 1_000), watch(9_000, 20_000)];
        let since = |since, from| {
            let anew = Presence { running_since_unix_secs: Some(since), ..presence(from, None) };
            downs(&[presence(0, 1_000), anew], &watches, GRACE, 20_000).unwrap()
        };
        // While nobody looked: what was before is over, and no more than that is known.
        let (first, downs) = since(8_000, 9_001);
        assert_eq!(downs, [(8_000, 8_000)]);
        assert_eq!([5_000, 9_000, 20_000].map(|at| continuous_secs(first, &downs, at)), [5_000, 1_000, 12_000]);
        // While the hub was back already: it was not there when the hub was.
        assert_eq!(since(9_050, 9_060).1, [(9_000, 9_060)]);
        assert_eq!(since(-50, 9_001).1, []);
    }

    /// An epoch is closed when the devices have had time to come back; what it was closed with stays true.
    #[test]
    fn what_was_told_without_a_device_stays_true_when_it_is_back() {
        let watches = [watch(0, 1_000), watch(2_000, 2_100), watch(3_000, 20_000)];
        let told = downs(&[presence(0, 1_000)], &watches, GRACE, 3_130).unwrap();
        assert_eq!(told.1, [(3_000, 3_130)]);
        for began in [500, 1_500, 2_050, 2_500, 3_050, 3_900] {
            let back = Presence { running_since_unix_secs: Some(began), ..presence(4_000, None) };
            assert_eq!(downs(&[presence(0, 1_000), back], &watches, GRACE, 20_000).unwrap().1, [(3_000, 4_000)], "{began}");
        }
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
        /// Downs are in order, do not overlap, and lie outside every presence; an absence of the hub never makes one that was not there, and is
        /// itself part of one only if the device was away before it and after it.
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
            prop_assert!(found.iter().all(|down| strict.iter().any(|strict| strict.0 <= down.0 && down.1 <= strict.1)));
            prop_assert!(found.windows(2).all(|pair| pair[0].1 <= pair[1].0));
            for (from, to) in &found {
                prop_assert!(from < to);
                for (went, came) in super::absences(&watches) {
                    prop_assert!(to.min(&came) <= from.max(&went) || (*from < went && came < *to), "{from} {to}: {went} {came}");
                }
                prop_assert!(presences.iter().all(|presence| presence.to_unix_secs.unwrap() <= *from || presence.from_unix_secs >= *to));
            }
            for at in [first, now / 2, now] {
                prop_assert!(continuous_secs(first, &found, at) >= continuous_secs(first, &strict, at));
            }
        }
    }
}
