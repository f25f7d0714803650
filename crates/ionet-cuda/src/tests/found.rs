//! The cards of this machine, if it has any.

use std::num::NonZeroUsize;
use std::sync::Arc;

use ionet_proofs::memory::MemoryOrder;
use ionet_proofs::product::ProductOrder;
use ionet_proofs::{Engine, Stop, Verdict};
use ionet_types::agent::challenge::{ClockJob, Fixed, Job};

use super::jobs::{cpu, examine, memory, product, seed};
use crate::{Cuda, CudaError};

/// The engine, or nothing, and the reason printed.
fn found() -> Option<Cuda> {
    match Cuda::find(NonZeroUsize::MIN) {
        Ok(cuda) => Some(cuda),
        Err(error) => {
            eprintln!("skipped: {} ({error})", error.code());
            None
        }
    }
}

#[test]
fn a_machine_without_cards_says_so() {
    let Err(error) = Cuda::find(NonZeroUsize::MIN) else { return };
    assert!(error.code().starts_with("cuda_") && !error.remedy().is_empty());
    assert_eq!(Cuda::find(NonZeroUsize::MIN).err(), Some(error), "each time anew");
}

#[test]
fn every_reason_has_a_code_of_its_own_and_a_remedy() {
    let text = |text: &str| text.to_owned();
    let all = [
        CudaError::NoDriver,
        CudaError::DriverFailed(text("CUDA_ERROR_UNKNOWN")),
        CudaError::DriverTooOld(11_040),
        CudaError::NoCard,
        CudaError::CardTooOld { name: text("Tesla P100"), capability: 60 },
        CudaError::CardFailed { number: 1, reason: text("CUDA_ERROR_UNKNOWN") },
        CudaError::WrongResult,
    ];
    let codes: std::collections::BTreeSet<&str> = all.iter().map(CudaError::code).collect();
    assert_eq!(codes.len(), all.len());
    assert!(all.iter().all(|error| error.remedy().len() > 20));
    assert_eq!(all[2].to_string(), "NVIDIA's driver serves CUDA 11.4 at most, and 11.8 is needed");
    assert_eq!(all[4].to_string(), "Tesla P100 has compute capability 6.0, and 7.0 is needed");
}

#[test]
fn a_real_card_gives_the_same_to_the_last_bit() {
    let Some(engine) = found() else { return };
    let (own, stop) = (cpu(), Stop::default());
    engine.check().unwrap();
    engine.prepare().unwrap();
    for (side, rows) in [(256, 256), (512, 1_536), (1_024, 8_192), (4_096, 8_192)] {
        let job = product(side, rows, 3);
        let Job::Product(size) = job else { panic!() };
        let order = ProductOrder::new(&seed(1, job), size);
        let (one, other) = (engine.product(&order, &stop).unwrap(), own.product(&order, &stop).unwrap());
        assert_eq!(one.root(), other.root(), "{size:?}");
        let rows = [0, u64::from(rows) / 3, u64::from(rows) - 1];
        assert_eq!(one.open(&rows).unwrap(), other.open(&rows).unwrap(), "{size:?}");
    }
    for (lanes, lane_blocks, passes) in [(1, 16, 1), (3, 1_600, 5), (33, 16 * 27, 2), (1_024, 304, 3)] {
        let job = memory(lanes, lane_blocks, 128, passes, 64);
        let Job::Memory(size) = job else { panic!() };
        let order = MemoryOrder::new(&seed(1, job), size);
        let (mut one, mut other) = (engine.memory(&order, &stop).unwrap(), own.memory(&order, &stop).unwrap());
        assert_eq!(one.root(), other.root(), "{size:?}");
        let nonce = Fixed([1; 32]);
        assert_eq!(one.scan(&nonce, &stop).unwrap(), other.scan(&nonce, &stop).unwrap(), "{size:?}");
        let choices = order.opened_blocks(&nonce);
        assert_eq!(one.open(&choices).unwrap(), other.open(&choices).unwrap(), "{size:?}");
    }
    engine.rest();
}

#[test]
fn an_examiner_is_content_with_a_real_card() {
    let Some(engine) = found() else { return };
    let engine: Arc<dyn Engine> = Arc::new(engine);
    for (number, job) in (1..).zip([product(4_096, 16_384, 32), memory(256, 4_096, 128, 8, 64), Job::Clock(ClockJob { steps: 10_000 })]) {
        let verdict = examine(engine.clone(), number, job);
        assert!(matches!(verdict, Verdict::Passed(_)), "{job:?}: {verdict:?}");
    }
}
