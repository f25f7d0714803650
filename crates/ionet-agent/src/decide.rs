//! The one rule of what is due for a node: a pure function of what is wanted, what was begun, and the time.

use ionet_types::agent::StopReason;

use crate::store::Phase;

/// What the hub wants of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// The attempt that is wanted.
    pub attempt: u32,
    /// Until when, by the time that the agent counts ([`Timeline`](crate::decisions::Timeline)).
    pub lease_until_unix_secs: i64,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Nothing is wanted and nothing was begun: forget the node.
    Forget,
    /// Begin the wanted attempt.
    Begin,
    /// It is up, or believed to be: keep it under watch.
    Watch,
    /// It ended; only the report is kept.
    Rest,
    /// End it, then remember why, or nothing where nothing is left to tell the hub.
    End {
        /// What to remember; `None` to remove the record.
        remember: Option<StopReason>,
    },
}

/// Decides. `is_ours`: this process itself starts the node at this moment; else a record in phase `Starting` is left from a crash.
/// `hub_has_spoken`: some desired state is known; before that, nothing is ever ended.
pub fn decide(want: Option<Want>, begun: Option<(u32, &Phase)>, hub_has_spoken: bool, is_ours: bool, now_unix_secs: i64) -> Due {
    let Some((attempt, phase)) = begun else {
        return match want {
            Some(want) if now_unix_secs < want.lease_until_unix_secs => Due::Begin,
            Some(_) => Due::Rest,
            None => Due::Forget,
        };
    };
    let ended = matches!(phase, Phase::Failed { .. } | Phase::Stopped { .. });
    match want {
        None if !hub_has_spoken && *phase == Phase::Ready => Due::Watch,
        None if !hub_has_spoken => Due::Rest,
        None => Due::End { remember: None },
        Some(want) if now_unix_secs >= want.lease_until_unix_secs => {
            if ended {
                Due::Rest
            } else {
                Due::End { remember: Some(StopReason::LeaseOver) }
            }
        }
        Some(want) if want.attempt > attempt => Due::End { remember: None },
        Some(_) if ended => Due::Rest,
        Some(_) if *phase == Phase::Starting && !is_ours => Due::End { remember: None },
        Some(_) => Due::Watch,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn phase() -> impl Strategy<Value = Phase> {
        prop_oneof![
            Just(Phase::Starting),
            Just(Phase::Ready),
            Just(Phase::Failed { code: "c".into(), message: "m".into(), retryable: true }),
            Just(Phase::Stopped { reason: StopReason::LeaseOver }),
        ]
    }

    proptest! {
        /// A node that is wanted, whose lease runs and whose attempt is the wanted one is never ended once it is ready.
        #[test]
        fn a_paid_node_is_never_ended(attempt in 0u32..3, older in 0u32..3, lease in 1i64..100, now in 0i64..100, spoken: bool, ours: bool) {
            prop_assume!(now < lease);
            let want = Some(Want { attempt: attempt.min(older), lease_until_unix_secs: lease });
            prop_assert_eq!(decide(want, Some((attempt, &Phase::Ready)), spoken, ours, now), Due::Watch);
        }

        /// Before the hub has ever spoken nothing is ended.
        #[test]
        fn silence_ends_nothing(attempt: u32, phase in phase(), ours: bool, now: i64) {
            let due = decide(None, Some((attempt, &phase)), false, ours, now);
            let ends = matches!(due, Due::End { .. } | Due::Forget);
            prop_assert!(!ends);
        }

        /// Doing what is due, again and again, comes to rest.
        #[test]
        fn it_comes_to_rest(want in prop::option::of((0u32..3, 0i64..100)), begun in prop::option::of((0u32..3, phase())), now in 0i64..100) {
            let want = want.map(|(attempt, lease_until_unix_secs)| Want { attempt, lease_until_unix_secs });
            let mut begun = begun;
            let mut ours = false;
            for step in 0.. {
                prop_assert!(step < 4, "still moving: {:?} {:?}", want, begun);
                match decide(want, begun.as_ref().map(|(attempt, phase)| (*attempt, phase)), true, ours, now) {
                    Due::Forget => { prop_assert!(want.is_none()); break }
                    Due::Rest => break,
                    Due::Watch => {
                        prop_assert!(want.is_some_and(|want| now < want.lease_until_unix_secs));
                        break
                    }
                    Due::Begin => {
                        begun = Some((want.unwrap().attempt, Phase::Ready));
                        ours = true;
                    }
                    Due::End { remember } => begun = begun.and_then(|(attempt, _)| Some((attempt, Phase::Stopped { reason: remember? }))),
                }
            }
            // What rests beyond its lease does not run.
            if want.is_none_or(|want| now >= want.lease_until_unix_secs) {
                let runs = matches!(begun, Some((_, Phase::Starting | Phase::Ready)));
                prop_assert!(!runs);
            }
        }
    }
}
