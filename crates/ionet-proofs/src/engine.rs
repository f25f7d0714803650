//! What a machine must be able to do to answer challenges. The processor's own engine is [`Cpu`](crate::Cpu); one for graphics cards
//! implements the same and is checked by the same verifier.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ionet_types::agent::challenge::{Digest, Job, Nonce, Opened, OpenedBlock};
use thiserror::Error;

use crate::memory::{BlockChoice, MemoryOrder};
use crate::product::ProductOrder;

/// Tells a running job to end, from any thread: the device was hired, or the agent ends. Looked at between parts, of which each
/// takes some milliseconds, and a third of a second where a processor multiplies the largest matrices.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Ends every job that was given this.
    pub fn stop(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether the job is to end.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why an engine has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum EngineError {
    /// It was told to stop.
    #[error("the job was stopped")]
    Stopped,
    /// The memory could not be had.
    #[error("the memory for the job could not be had")]
    OutOfMemory,
    /// The device failed.
    #[error("the device failed")]
    Failed,
}

impl EngineError {
    /// Stable code for logs.
    pub fn code(self) -> &'static str {
        match self {
            Self::Stopped => "proof_stopped",
            Self::OutOfMemory => "proof_out_of_memory",
            Self::Failed => "proof_engine_failed",
        }
    }
}

/// A machine that does the jobs. Every call works until it is done; `stop` is looked at between parts.
pub trait Engine: Send + Sync {
    /// Memory that a job takes until it is over, in bytes: what it fills or keeps, the hashes, and the engine's own buffers.
    fn memory_bytes(&self, job: &Job) -> u64;

    /// Computes a product and commits to its rows.
    fn product(&self, order: &ProductOrder, stop: &Stop) -> Result<Box<dyn ProductWork>, EngineError>;

    /// Fills memory and commits to its blocks.
    fn memory(&self, order: &MemoryOrder, stop: &Stop) -> Result<Box<dyn MemoryWork>, EngineError>;

    /// Goes `steps` steps of the clock job's chain from `start`.
    fn clock(&self, start: u128, steps: u32, stop: &Stop) -> Result<u128, EngineError>;

    /// Gets ready, so that the next job can begin at once; what that takes is kept until [`Engine::rest`]. A job that finds the engine
    /// unready gets it ready first, in its own time.
    fn prepare(&self) -> Result<(), EngineError> {
        Ok(())
    }

    /// Gives back all that is kept between jobs, as soon as none is under way: the device is hired.
    fn rest(&self) {}
}

/// A product that is kept until its rows were opened.
pub trait ProductWork: Send {
    /// The commitment.
    fn root(&self) -> Digest;

    /// Opens rows.
    fn open(&self, rows: &[u64]) -> Result<Vec<Opened>, EngineError>;
}

/// Filled memory.
pub trait MemoryWork: Send {
    /// The commitment.
    fn root(&self) -> Digest;

    /// Reads all of it `passes` times, one after the other; one root over the sums of each pass.
    fn scan(&mut self, nonce: &Nonce, stop: &Stop) -> Result<Vec<Digest>, EngineError>;

    /// Opens blocks of the last scan; nothing before one.
    fn open(&self, blocks: &[BlockChoice]) -> Result<Vec<OpenedBlock>, EngineError>;
}
