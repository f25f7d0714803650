//! Whether the cards compute rightly: small jobs, compared with the processor to the last bit.

use std::num::NonZeroUsize;

use ionet_proofs::memory::MemoryOrder;
use ionet_proofs::product::ProductOrder;
use ionet_proofs::{Cpu, Engine, EngineError, Seed, Stop};
use ionet_types::agent::challenge::{Fixed, Job, MemoryJob, ProductJob, Task};

/// Whether the engine does small jobs, of which each of `cards` cards has a part, as the processor does them. Takes some milliseconds.
pub(crate) fn is_right(engine: &impl Engine, cards: u32) -> Result<bool, EngineError> {
    let (own, stop) = (Cpu::new(NonZeroUsize::MIN), Stop::default());
    let seed = |job| Seed::new("check", &[0; 32], &Task { id: Fixed([0; 16]), epoch: 0, nonce: Fixed([0; 32]), job });
    let nonce = Fixed([1; 32]);

    let job = ProductJob { side: 256, rows: 256 * cards.max(1), openings: 1 };
    let order = ProductOrder::new(&seed(Job::Product(job)), job);
    let (found, wanted) = (engine.product(&order, &stop)?, own.product(&order, &stop)?);
    let last_row = [u64::from(job.rows) - 1];
    if found.root() != wanted.root() || found.open(&last_row)? != wanted.open(&last_row)? {
        return Ok(false);
    }

    let job = MemoryJob { lanes: 4 * cards.max(1), lane_blocks: 80, rounds: 8, passes: 2, openings: 4 };
    let order = MemoryOrder::new(&seed(Job::Memory(job)), job);
    let (mut found, mut wanted) = (engine.memory(&order, &stop)?, own.memory(&order, &stop)?);
    let same_roots = found.root() == wanted.root() && found.scan(&nonce, &stop)? == wanted.scan(&nonce, &stop)?;
    let choices = order.opened_blocks(&nonce);
    Ok(same_roots && found.open(&choices)? == wanted.open(&choices)?)
}
