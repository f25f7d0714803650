//! The engine: products and memory on all cards of the machine, the clock on its processor, whose clock it is that counts.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ionet_proofs::memory::MemoryOrder;
use ionet_proofs::product::ProductOrder;
use ionet_proofs::{Cpu, Engine, EngineError, MemoryWork, ProductWork, Stop};
use ionet_types::agent::challenge::Job;

use crate::device::Device;
use crate::error::CudaError;
use crate::pace::Pace;
use crate::{check, memory, product};

/// Where cards come from.
pub(crate) trait Source: Send + Sync {
    /// What is opened.
    type Device: Device;

    /// Number of cards.
    fn count(&self) -> usize;

    /// Makes every card ready to work: takes up to some seconds, and some memory of each card until all copies of it are dropped.
    fn open(&self) -> Result<Vec<Arc<Self::Device>>, CudaError>;
}

/// An engine on the cards of a source.
pub(crate) struct Cards<S: Source> {
    source: S,
    ready: Mutex<Option<Vec<Arc<S::Device>>>>,
    /// How often the cards were opened.
    opened: AtomicU64,
    processor: Cpu,
    pace: Pace,
}

impl<S: Source> Cards<S> {
    pub(crate) fn new(source: S, threads: NonZeroUsize, pace: Pace) -> Self {
        Self { source, ready: Mutex::default(), opened: AtomicU64::new(0), processor: Cpu::new(threads), pace }
    }

    pub(crate) fn source(&self) -> &S {
        &self.source
    }

    /// The cards, made ready if they are not, or if one has failed since: after some failures a driver refuses everything else.
    fn cards(&self) -> Result<Vec<Arc<S::Device>>, EngineError> {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cards) = ready.take_if(|cards| cards.iter().any(|card| card.wait().is_err())) {
            tracing::warn!("a card has failed: all are opened anew");
            drop(cards);
        }
        if let Some(cards) = &*ready {
            return Ok(cards.clone());
        }
        let cards = self.source.open().map_err(|error| {
            tracing::warn!(code = error.code(), %error, remedy = error.remedy(), "the cards cannot be made ready");
            EngineError::Failed
        })?;
        self.opened.fetch_add(1, Ordering::Relaxed);
        *ready = Some(cards.clone());
        Ok(cards)
    }

    /// The cards for a job. One that is told to stop before it begins does not open them: a tenant may have them.
    fn cards_unless(&self, stop: &Stop) -> Result<Vec<Arc<S::Device>>, EngineError> {
        if stop.is_stopped() { Err(EngineError::Stopped) } else { self.cards() }
    }
}

impl<S: Source> Engine for Cards<S> {
    fn memory_bytes(&self, job: &Job) -> u64 {
        let cards = self.source.count() as u64;
        match job {
            // The values with two nodes for each group at most; and on each card the square factor and a strip of the tall one.
            Job::Product(job) => job.bytes() + job.bytes() / 256 + cards * product::factor_bytes(job, self.pace),
            // The blocks with their nodes, what scans need, and a key for each lane.
            Job::Memory(job) => job.bytes() + job.bytes() / 256 + memory::scan_bytes(job, cards) + u64::from(job.lanes) * 32,
            Job::Clock(_) | Job::Unknown => 0,
        }
    }

    fn product(&self, order: &ProductOrder, stop: &Stop) -> Result<Box<dyn ProductWork>, EngineError> {
        Ok(Box::new(product::Kept::compute(order, &self.cards_unless(stop)?, self.pace, stop)?))
    }

    fn memory(&self, order: &MemoryOrder, stop: &Stop) -> Result<Box<dyn MemoryWork>, EngineError> {
        Ok(Box::new(memory::Kept::fill(order, &self.cards_unless(stop)?, self.pace, stop)?))
    }

    fn clock(&self, start: u128, steps: u32, stop: &Stop) -> Result<u128, EngineError> {
        self.processor.clock(start, steps, stop)
    }

    fn prepare(&self) -> Result<(), EngineError> {
        let opened = self.opened.load(Ordering::Relaxed);
        self.cards()?;
        if self.opened.load(Ordering::Relaxed) == opened {
            return Ok(());
        }
        // A driver may leave some of its work to the first launch of each kernel: not in a job's time.
        let count = u32::try_from(self.source.count()).unwrap_or(u32::MAX);
        if check::is_right(self, count)? {
            return Ok(());
        }
        let error = CudaError::WrongResult;
        tracing::warn!(code = error.code(), %error, remedy = error.remedy(), "proofs will fail");
        Err(EngineError::Failed)
    }

    fn rest(&self) {
        *self.ready.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}
