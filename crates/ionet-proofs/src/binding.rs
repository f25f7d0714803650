//! What ties a task to one network, one device and one moment: every seed of a job and every signed answer comes from here, so nothing of
//! one task is of any use in another.

use blake3::Hasher;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use ionet_types::agent::challenge::{Answer, AnswerBody, DeclineReason, Fixed, Job, Nonce, Opened, Stage, Task};

/// A task's seed. It cannot be known before the task is, because of the task's nonce, and is another one for any other device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seed([u8; 32]);

/// A 32-byte key for one purpose.
pub type Key = [u8; 32];

impl Seed {
    /// The seed of `task` for the device with public key `device` in `network` (the program's id).
    pub fn new(network: &str, device: &[u8; 32], task: &Task) -> Self {
        let mut hasher = Hasher::new_derive_key("ionet proofs 2026-11 task v1");
        part(&mut hasher, network.as_bytes());
        part(&mut hasher, device);
        part(&mut hasher, &task.id.0);
        part(&mut hasher, &task.epoch.to_le_bytes());
        part(&mut hasher, &task.nonce.0);
        let numbers: Vec<u32> = match &task.job {
            Job::Product(job) => vec![1, job.side, job.rows, job.openings.into()],
            Job::Memory(job) => vec![2, job.lanes, job.lane_blocks, job.rounds.into(), job.passes.into(), job.openings.into()],
            Job::Clock(job) => vec![3, job.steps],
            Job::Unknown => vec![0],
        };
        for number in numbers {
            part(&mut hasher, &number.to_le_bytes());
        }
        Self(*hasher.finalize().as_bytes())
    }

    /// The key of one purpose within the task.
    pub(crate) fn key(&self, purpose: &str) -> Key {
        self.fresh(purpose, &[])
    }

    /// A key that follows from something said later, too.
    pub(crate) fn fresh(&self, purpose: &str, later: &[u8]) -> Key {
        let mut hasher = Hasher::new_keyed(&self.0);
        part(&mut hasher, purpose.as_bytes());
        part(&mut hasher, later);
        *hasher.finalize().as_bytes()
    }

    /// What the device signs: the seed stands for network, device and task.
    fn signed_bytes(&self, stage: Stage, nonce: &Nonce, body: &AnswerBody) -> Vec<u8> {
        const DOMAIN: &[u8] = b"ionet proofs answer v1";
        let mut bytes = Vec::with_capacity(DOMAIN.len() + 97);
        bytes.extend_from_slice(DOMAIN);
        bytes.extend_from_slice(&self.0);
        bytes.push(match stage {
            Stage::Commit => 1,
            Stage::Scan => 2,
            Stage::Open => 3,
            Stage::Unknown => 0,
        });
        bytes.extend_from_slice(&nonce.0);
        bytes.extend_from_slice(&digest(body));
        bytes
    }

    /// Signs an answer to `stage`, which was asked for with `nonce`.
    pub fn sign(&self, key: &SigningKey, task: &Task, stage: Stage, nonce: &Nonce, body: AnswerBody) -> Answer {
        let signature = key.sign(&self.signed_bytes(stage, nonce, &body));
        Answer { task_id: task.id, stage, body, signature: Fixed(signature.to_bytes()) }
    }

    /// Whether the answer is of this device, to this task, stage and nonce.
    pub fn is_signed(&self, device: &[u8; 32], nonce: &Nonce, answer: &Answer) -> bool {
        let Ok(key) = VerifyingKey::from_bytes(device) else { return false };
        let signature = Signature::from_bytes(&answer.signature.0);
        // Strict: refuses keys of small order, with which one signature fits many messages.
        key.verify_strict(&self.signed_bytes(answer.stage, nonce, &answer.body), &signature).is_ok()
    }
}

/// Every part carries its length, so that no two lists of parts give the same bytes.
fn part(hasher: &mut Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

/// Digest of everything that an answer says.
fn digest(body: &AnswerBody) -> [u8; 32] {
    let mut hasher = Hasher::new_derive_key("ionet proofs 2026-11 answer body v1");
    let opened = |hasher: &mut Hasher, opened: &Opened| {
        part(hasher, opened.bytes.as_ref());
        part(hasher, opened.path.as_ref());
    };
    match body {
        AnswerBody::Unknown => part(&mut hasher, &[0]),
        AnswerBody::Committed { root } => {
            part(&mut hasher, &[1]);
            part(&mut hasher, &root.0);
        }
        AnswerBody::Ended { state } => {
            part(&mut hasher, &[2]);
            part(&mut hasher, &state.0);
        }
        AnswerBody::Scanned { roots } => {
            part(&mut hasher, &[3]);
            for root in roots {
                part(&mut hasher, &root.0);
            }
        }
        AnswerBody::Rows { rows } => {
            part(&mut hasher, &[4]);
            for row in rows {
                opened(&mut hasher, row);
            }
        }
        AnswerBody::Blocks { blocks } => {
            part(&mut hasher, &[5]);
            for block in blocks {
                opened(&mut hasher, &block.block);
                part(&mut hasher, &[u8::from(block.parents.is_some())]);
                for parent in block.parents.iter().flat_map(|parents| parents.iter()) {
                    opened(&mut hasher, parent);
                }
                opened(&mut hasher, &block.scanned);
            }
        }
        AnswerBody::Declined { reason } => {
            part(&mut hasher, &[6]);
            part(&mut hasher, decline_code(*reason).as_bytes());
        }
    }
    *hasher.finalize().as_bytes()
}

/// The reason as it stands on the wire.
pub(crate) fn decline_code(reason: DeclineReason) -> &'static str {
    match reason {
        DeclineReason::Stopped => "stopped",
        DeclineReason::TooLarge => "too_large",
        DeclineReason::Unsupported => "unsupported",
        DeclineReason::OutOfTurn => "out_of_turn",
        DeclineReason::Failed => "failed",
        DeclineReason::Unknown => "unknown",
    }
}
