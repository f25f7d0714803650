//! What proofs say of a device, for an epoch's inputs and for its readiness alike.

use std::collections::HashMap;

use ionet_epochs::{Outcome, Test};
use ionet_rules::rewards::{Measurement, P_ONE, Standing as Allowed, Tier};
use ionet_types::DeviceId;
use ionet_types::proofs::{Proof, ProofOutcome};

use super::inputs::Unmeasured;
use crate::Hub;
use crate::error::HubResult;
use crate::proofs::round::measurement;

/// What is known of a device from its proofs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Measured {
    /// Its connection.
    pub(crate) tier: Tier,
    /// Whether the last proof before the epoch was right.
    pub(crate) last_proof_passed: bool,
    /// Whether the last one in the epoch was.
    pub(crate) proof_passed: bool,
    /// Its last P before the epoch, millionths.
    pub(crate) last_p_millionths: u32,
    /// The epoch's tests.
    pub(crate) tests: Vec<Test>,
    /// Whether it was part of a cluster, or is vouched for.
    pub(crate) cluster_formation_passed: bool,
    /// Whether the network lets it take part.
    pub(crate) standing: Allowed,
}

/// The proofs of an epoch, and the last ones before it.
pub(crate) struct Proofs {
    of_epoch: HashMap<DeviceId, Vec<Proof>>,
    before: HashMap<DeviceId, Proof>,
}

impl Hub {
    /// The proofs that count for an epoch.
    pub(crate) async fn proofs_for(&self, epoch: u64) -> HubResult<Proofs> {
        let (of_epoch, before) = futures::try_join!(self.store().proofs_of_epoch(epoch), self.store().proofs_last_before(epoch))?;
        Ok(Proofs { of_epoch, before })
    }

    /// What the proofs say of a device; what is assumed where nothing is measured. `up` says whether it is there at the epoch's end.
    pub(crate) fn measured(&self, proofs: &Proofs, device: DeviceId, up: bool, formed: bool) -> Measured {
        let standing = self.agents().0.lives.life(device).map_or(Allowed::Good, |life| life.standing());
        match self.options().measuring {
            None => assumed(self.options().unmeasured, up, standing),
            Some(measuring) => {
                let asked = proofs.of_epoch.get(&device).map_or(&[][..], Vec::as_slice);
                let found = proved(asked, proofs.before.get(&device));
                Measured { cluster_formation_passed: formed || measuring.vouched, standing, ..found }
            }
        }
    }
}

/// One test that asks nothing, passed by whoever is there.
fn assumed(unmeasured: Option<Unmeasured>, up: bool, standing: Allowed) -> Measured {
    let is_assumed = unmeasured.is_some();
    let passes = is_assumed && up;
    Measured {
        tier: unmeasured.and_then(|assumed| Tier::from_u8(assumed.tier).ok()).unwrap_or_default(),
        last_proof_passed: is_assumed,
        proof_passed: passes,
        last_p_millionths: if is_assumed { P_ONE } else { 0 },
        tests: vec![Test { outcome: if passes { Outcome::Passed } else { Outcome::Missed }, measured: Measurement::default() }],
        cluster_formation_passed: is_assumed,
        standing,
    }
}

/// What the proofs of an epoch and the last one before it show. A device that was never asked in the epoch, because it was hired or the hub
/// was away, is taken as it last was: what was not asked counts against nobody.
fn proved(asked: &[Proof], before: Option<&Proof>) -> Measured {
    let counted: Vec<&Proof> = asked.iter().filter(|proof| proof.outcome != ProofOutcome::Stopped).collect();
    let last = counted.last().copied().or(before);
    let passed = |proof: &Proof| proof.outcome == ProofOutcome::Passed;
    let tests = if counted.is_empty() { before.into_iter().collect() } else { counted.clone() };
    // The best of what was measured: a transfer is slow for many reasons and fast for one.
    let best = |speed: fn(&Proof) -> u32| tests.iter().map(|proof| speed(proof)).max().unwrap_or(0);
    Measured {
        tier: Tier::from_mbps(best(|proof| proof.measured.download_mbps), best(|proof| proof.measured.upload_mbps)),
        last_proof_passed: before.is_some_and(passed),
        proof_passed: last.is_some_and(passed),
        last_p_millionths: before.map_or(0, |proof| proof.p_millionths),
        tests: tests.iter().map(|proof| test(proof)).collect(),
        cluster_formation_passed: false,
        standing: Allowed::Good,
    }
}

fn test(proof: &Proof) -> Test {
    match (proof.outcome, proof.code.as_deref()) {
        (ProofOutcome::Passed, _) => Test { outcome: Outcome::Passed, measured: measurement(&proof.measured) },
        (_, Some("late" | "transfer_failed" | "declined")) => Test { outcome: Outcome::Missed, measured: Measurement::default() },
        _ => Test { outcome: Outcome::Wrong, measured: Measurement::default() },
    }
}

#[cfg(test)]
mod tests {
    use ionet_types::Sha256;
    use ionet_types::proofs::Measured as Speeds;

    use super::*;

    fn proof(outcome: ProofOutcome, download_mbps: u32, code: Option<&str>) -> Proof {
        Proof {
            number: 1,
            device: DeviceId([1; 32]),
            epoch: 1,
            began_at_unix_secs: 0,
            ended_at_unix_secs: 1,
            outcome,
            code: code.map(str::to_owned),
            detail: None,
            measured: Speeds { download_mbps, upload_mbps: download_mbps, ..Speeds::default() },
            p_millionths: if outcome == ProofOutcome::Passed { 700_000 } else { 0 },
            busy_ms: 0,
            transcript_sha256: Sha256([0; 32]),
            transcript_kept: false,
        }
    }

    #[test]
    fn a_device_that_was_never_asked_is_taken_as_it_last_was() {
        let before = proof(ProofOutcome::Passed, 900, None);
        for asked in [vec![], vec![proof(ProofOutcome::Stopped, 0, None)]] {
            let found = proved(&asked, Some(&before));
            assert!(found.proof_passed && found.last_proof_passed);
            assert_eq!((found.tier, found.last_p_millionths, found.tests.len()), (Tier::High, 700_000, 1));
            assert_eq!(found.tests[0].outcome, Outcome::Passed);
        }
        let never = proved(&[], None);
        assert!(!never.proof_passed && !never.last_proof_passed && never.tests.is_empty());
    }

    #[test]
    fn the_last_proof_of_the_epoch_decides_and_all_of_them_count() {
        let (late, wrong) = (proof(ProofOutcome::Failed, 0, Some("late")), proof(ProofOutcome::Failed, 0, Some("wrong_row")));
        let right = proof(ProofOutcome::Passed, 450, None);
        let found = proved(&[wrong.clone(), late.clone(), right.clone()], None);
        assert!(found.proof_passed);
        assert_eq!(found.tier, Tier::Medium);
        let outcomes: Vec<_> = found.tests.iter().map(|test| test.outcome).collect();
        assert_eq!(outcomes, [Outcome::Wrong, Outcome::Missed, Outcome::Passed]);
        assert!(!proved(&[right, late], None).proof_passed);
    }
}
