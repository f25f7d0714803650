//! The engine of the machine's own processor.

mod buffer;
mod memory;
mod product;

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::thread;

pub use product::multiply;

use ionet_types::agent::challenge::Job;

use crate::clock;
use crate::engine::{Engine, EngineError, MemoryWork, ProductWork, Stop};
use crate::memory::MemoryOrder;
use crate::product::ProductOrder;

/// Steps of the clock job's chain between two looks at the stop: about a millisecond.
const CLOCK_STEPS: u32 = 1 << 11;

/// Works on `threads` threads of this machine.
#[derive(Clone, Copy, Debug)]
pub struct Cpu {
    threads: NonZeroUsize,
}

impl Cpu {
    /// An engine that uses as many threads as are given.
    pub fn new(threads: NonZeroUsize) -> Self {
        Self { threads }
    }
}

impl Engine for Cpu {
    fn memory_bytes(&self, job: &Job) -> u64 {
        let threads = self.threads.get() as u64;
        match job {
            Job::Product(job) => {
                let (side, strip) = (u64::from(job.side), product::strip_rows(job.side));
                // The kept values and their tree, the square factor, and for each thread a strip and the library's packed copies of both.
                job.bytes() + job.bytes() / 256 + side * side * 4 + threads * (strip * side + side * side.min(1_024)) * 8
            }
            // The blocks with their tree, and the trees over four bytes for each block and pass.
            Job::Memory(job) => job.bytes() + job.bytes() / 256 + job.blocks() / 64 * u64::from(job.passes) + (threads << 20),
            Job::Clock(_) | Job::Unknown => 0,
        }
    }

    fn product(&self, order: &ProductOrder, stop: &Stop) -> Result<Box<dyn ProductWork>, EngineError> {
        Ok(Box::new(product::Kept::compute(order, self.threads, stop)?))
    }

    fn memory(&self, order: &MemoryOrder, stop: &Stop) -> Result<Box<dyn MemoryWork>, EngineError> {
        Ok(Box::new(memory::Kept::fill(order, self.threads, stop)?))
    }

    fn clock(&self, start: u128, steps: u32, stop: &Stop) -> Result<u128, EngineError> {
        let mut state = start;
        let mut left = steps;
        while left > 0 {
            if stop.is_stopped() {
                return Err(EngineError::Stopped);
            }
            let now = left.min(CLOCK_STEPS);
            state = (0..now).fold(state, |state, _| clock::step(state));
            left -= now;
        }
        Ok(state)
    }
}

/// Hands out `parts` to `threads` threads, each of which works with a state of its own until none are left or it is told to stop.
fn spread<P: Send, S>(
    parts: impl Iterator<Item = P> + Send,
    threads: NonZeroUsize,
    stop: &Stop,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, P) + Sync,
) -> Result<(), EngineError> {
    let parts = Mutex::new(parts);
    let one_thread = || {
        let mut state = state();
        while !stop.is_stopped() {
            let part = parts.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some(part) = part else { break };
            work(&mut state, part);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.get() {
            // One thread fewer than wished for makes the device slower, not wrong.
            let _ = thread::Builder::new().spawn_scoped(scope, one_thread);
        }
        one_thread();
    });
    if stop.is_stopped() { Err(EngineError::Stopped) } else { Ok(()) }
}
