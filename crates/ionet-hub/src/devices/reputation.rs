//! The reputation of every device: computed by the rules from its history, kept in memory, explained on request.

use ionet_rules::reputation::{Event, Kind, Params, Reputation};
use ionet_store::DeviceEvent;
use ionet_types::devices::{DeviceReputation, ReputationPart};

/// How fast the past is forgotten.
pub(crate) const PARAMS: Params = Params::DEFAULT;

/// A line of a device's history that counts.
pub(crate) mod kind {
    pub(crate) const PROOF_PASSED: &str = "proof_passed";
    pub(crate) const PROOF_FAILED: &str = "proof_failed";
    pub(crate) const WORKED: &str = "worked";
    pub(crate) const NODE_FAILED: &str = "node_failed";
    pub(crate) const DOWN: &str = "down";
    pub(crate) const SLASHED: &str = "slashed";
}

/// What a line of the history counts as; `None` for those that only tell.
pub(crate) fn counted(event: &DeviceEvent) -> Option<Event> {
    let amount = u32::try_from(event.amount).unwrap_or(0);
    Some(match event.kind.as_str() {
        kind::PROOF_PASSED => Event::TestPassed { p_millionths: amount },
        kind::PROOF_FAILED => Event::TestFailed,
        kind::WORKED => Event::JobFinished { minutes: amount },
        kind::NODE_FAILED => Event::JobFailed,
        kind::DOWN => Event::Down { secs: amount },
        kind::SLASHED => Event::Slashed,
        _ => return None,
    })
}

/// A reputation with its reasons.
pub(crate) fn viewed(reputation: &Reputation, now_unix_secs: i64) -> DeviceReputation {
    let explained = reputation.explain(now_unix_secs, PARAMS);
    let part = |kind: Kind| ReputationPart { kind: kind.code().to_owned(), points: explained.of(kind) };
    DeviceReputation {
        score: explained.score(),
        neutral: ionet_rules::reputation::NEUTRAL,
        highest: ionet_rules::reputation::HIGHEST,
        half_life_secs: PARAMS.half_life_secs(),
        parts: Kind::ALL.into_iter().map(part).collect(),
    }
}
