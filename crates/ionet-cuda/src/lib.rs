//! Hardware challenges (`ionet-proofs`) answered by NVIDIA cards: the same jobs, the same commitments to the last bit, checked by the same verifier.
//!
//! All cards of a machine work on each job together: a product is shared out by rows, memory by lanes. Everything that is
//! large stays on the cards, hashes included; the host makes the top of each tree. Why own kernels and no library of NVIDIA's:
//!
//! * only `libcuda` is needed, which comes with the driver; cuBLAS and NVRTC are hundreds of megabytes that most machines do not have;
//! * the factors are small whole numbers. Tensor units multiply these many times faster than the 32-bit floating point by which a model is
//!   judged, so a simple kernel is fast enough with much to spare: what a card is held to is a few percent of what its tensor units do;
//! * the same sources compile for a processor, so that all of it is tested without a card.
//!
//! No card is a normal case: [`Cuda::find`] says why there is no engine, with a code and a remedy, and never panics.

#![cfg_attr(test, expect(clippy::unwrap_used, reason = "a test that cannot go on fails"))]

mod card;
mod check;
mod device;
mod engine;
mod error;
mod kernels;
mod memory;
mod pace;
mod product;
mod ptx;
mod spread;

use std::num::NonZeroUsize;

use ionet_proofs::memory::MemoryOrder;
use ionet_proofs::product::ProductOrder;
use ionet_proofs::{Engine, EngineError, MemoryWork, ProductWork, Stop};
use ionet_types::agent::challenge::Job;

pub use card::CardInfo;
pub use error::{CAPABILITY_NEEDED, CUDA_NEEDED, CudaError};

use card::Driver;
use engine::{Cards, Source as _};
use pace::Pace;

/// The engine of all NVIDIA cards of this machine together.
pub struct Cuda(Cards<Driver>);

impl Cuda {
    /// Looks for cards that can answer challenges; all that the driver shows must be able to. Takes up to a second and nothing of the cards:
    /// they are opened by [`Engine::prepare`], or by the first job. The clock job runs on the processor, which has `threads` threads for it.
    pub fn find(threads: NonZeroUsize) -> Result<Self, CudaError> {
        Ok(Self(Cards::new(Driver::find()?, threads, Pace::USUAL)))
    }

    /// Opens the cards and compares small jobs with the processor's results. Takes up to some seconds, most of it for compiling the kernels the
    /// first time.
    pub fn check(&self) -> Result<(), CudaError> {
        // Opened here first, for the reason why not.
        let opened = self.0.source().open()?;
        let right = check::is_right(&self.0, self.cards().len() as u32);
        drop(opened);
        match right {
            Ok(true) => Ok(()),
            Ok(false) => Err(CudaError::WrongResult),
            Err(error) => Err(CudaError::CardFailed { number: 0, reason: error.to_string() }),
        }
    }

    /// The cards.
    pub fn cards(&self) -> &[CardInfo] {
        self.0.source().cards()
    }

    /// Memory of all cards, bytes; how much of it is free shows when a job takes it.
    pub fn memory_bytes(&self) -> u64 {
        self.cards().iter().map(|card| card.memory_bytes).fold(0, u64::saturating_add)
    }
}

impl Engine for Cuda {
    fn memory_bytes(&self, job: &Job) -> u64 {
        Engine::memory_bytes(&self.0, job)
    }

    fn product(&self, order: &ProductOrder, stop: &Stop) -> Result<Box<dyn ProductWork>, EngineError> {
        self.0.product(order, stop)
    }

    fn memory(&self, order: &MemoryOrder, stop: &Stop) -> Result<Box<dyn MemoryWork>, EngineError> {
        self.0.memory(order, stop)
    }

    fn clock(&self, start: u128, steps: u32, stop: &Stop) -> Result<u128, EngineError> {
        self.0.clock(start, steps, stop)
    }

    fn prepare(&self) -> Result<(), EngineError> {
        self.0.prepare()
    }

    fn rest(&self) {
        self.0.rest();
    }
}

#[cfg(test)]
mod tests;
