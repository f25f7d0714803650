//! What this machine answers challenges with: its cards where it lends cards, its processor otherwise.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::thread;

use ionet_cuda::Cuda;
use ionet_proofs::{Cpu, Engine, Limits};
use ionet_types::agent::{Hardware, HardwareKind};

use crate::AgentOptions;
use crate::probe;

/// Share of the offered memory that a task may take of the machine's own, percent.
const MEMORY_PERCENT: u64 = 75;
const MIB: u64 = 1 << 20;

/// An engine, and what it may take.
#[derive(Clone)]
pub(crate) struct Chosen {
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) limits: Limits,
}

/// Chooses for this machine. Takes up to a second. Cards that cannot be used leave the processor, which answers too late for what a card is held
/// to; the log says why.
pub(crate) fn choose(options: &AgentOptions) -> Chosen {
    let threads = threads(options);
    let hardware = probe::probe(options);
    match cards(&hardware, threads) {
        Some(Ok(cuda)) => {
            let names: Vec<&str> = cuda.cards().iter().map(|card| card.name.as_str()).collect();
            tracing::info!(cards = names.join(", "), "cards answer challenges");
            if names.len() != hardware.gpus.len() {
                tracing::warn!(used = names.len(), described = hardware.gpus.len(), "not all cards can be used for challenges");
            }
            // Nothing is proved while anybody has anything of the cards: a proof has them whole.
            let limits = Limits { memory_bytes: cuda.memory_bytes() };
            Chosen { engine: Arc::new(cuda), limits }
        }
        other => {
            if let Some(Err(error)) = other {
                tracing::warn!(code = error.code(), %error, remedy = error.remedy(), "no card can answer challenges: the processor does");
            }
            let offered_mb = options.memory_mb.unwrap_or_else(probe::machine_memory_mb);
            let limits = Limits { memory_bytes: offered_mb.saturating_mul(MIB) / 100 * MEMORY_PERCENT };
            Chosen { engine: Arc::new(Cpu::new(threads)), limits }
        }
    }
}

/// The engine on the cards that a machine describes; nothing where it describes none.
pub(crate) fn cards(hardware: &Hardware, threads: NonZeroUsize) -> Option<Result<Cuda, ionet_cuda::CudaError>> {
    // What says that it is a processor is asked as one.
    (hardware.kind == HardwareKind::Gpu).then(|| Cuda::find(threads))
}

/// Threads that a challenge may use.
pub(crate) fn threads(options: &AgentOptions) -> NonZeroUsize {
    let all = thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    options.cpus.and_then(|cpus| NonZeroUsize::new(cpus as usize)).map_or(all, |offered| offered.min(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_describes_no_card_is_asked_as_a_processor() {
        let one = NonZeroUsize::MIN;
        assert!(cards(&Hardware { kind: HardwareKind::Cpu, ..Hardware::default() }, one).is_none());
        // Whatever this machine has: a reason, or cards.
        let found = cards(&Hardware { kind: HardwareKind::Gpu, ..Hardware::default() }, one).unwrap();
        assert!(found.as_ref().map_or_else(|error| !error.remedy().is_empty(), |cuda| !cuda.cards().is_empty()));
    }

    #[test]
    fn a_machine_without_cards_offers_its_own_memory() {
        let dir = tempfile::tempdir().unwrap();
        let options = AgentOptions { cpus: Some(1), memory_mb: Some(1_000), ..AgentOptions::new(dir.path(), "http://127.0.0.1:1") };
        assert_eq!(threads(&options), NonZeroUsize::MIN);
        if probe::probe(&options).kind == HardwareKind::Cpu {
            assert_eq!(choose(&options).limits.memory_bytes, (1_000 << 20) / 100 * 75);
        }
    }
}
