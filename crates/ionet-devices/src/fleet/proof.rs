//! A heartbeat counts only after its signature was checked. The check needs nothing of the table but the device's key and session, so it is
//! done on copies, without holding the table, for many heartbeats at once.

use ionet_types::agent::heartbeat::{Claimed, verify_batch};
use ionet_types::agent::{Heartbeat, HeartbeatError, Session};

use super::Place;

/// A heartbeat that has come in, with what it is to be checked against.
#[derive(Debug, Clone, Copy)]
pub struct Arrived {
    pub(super) place: Place,
    pub(super) key: [u8; 32],
    pub(super) session: Session,
    pub(super) heartbeat: Heartbeat,
}

/// A heartbeat whose signature is right, or need not be checked.
#[derive(Debug, Clone, Copy)]
pub struct Proven {
    pub(super) place: Place,
    pub(super) heartbeat: Heartbeat,
}

impl Proven {
    /// A heartbeat on a connection that proves by other means who speaks: the signature is not looked at.
    pub const fn by_other_means(place: Place, heartbeat: Heartbeat) -> Self {
        Self { place, heartbeat }
    }
}

/// Checks the signatures of many heartbeats together; each gets its own answer.
pub fn prove(arrived: &[Arrived]) -> Vec<Result<Proven, HeartbeatError>> {
    let claimed: Vec<_> =
        arrived.iter().map(|one| Claimed { heartbeat: &one.heartbeat, session: &one.session, public_key: &one.key }).collect();
    let proven = |one: &Arrived| Proven { place: one.place, heartbeat: one.heartbeat };
    verify_batch(&claimed).into_iter().zip(arrived).map(|(answer, one)| answer.map(|()| proven(one))).collect()
}
