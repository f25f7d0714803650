//! What the crate says to a driver: the whole way through `libcuda`'s functions, to a library that is loaded in its place in a process of its
//! own. It takes what the driver's manual allows and nothing else.

use std::num::NonZeroUsize;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;

use ionet_proofs::product::ProductOrder;
use ionet_proofs::{Engine, EngineError, Stop, Verdict};
use ionet_types::agent::challenge::Job;
use libloading::Library;
use tempfile::TempDir;

use super::emulator::{Form, compile};
use super::jobs::{examine, memory, product, seed};
use crate::{Cuda, CudaError};

/// Which part of this file the process is to do.
const WHAT: &str = "IONET_TEST_DRIVER";

/// Folder with the library that stands in for the driver; nothing where there is no compiler for it.
fn driver(form: Form) -> Option<TempDir> {
    let dir = tempfile::tempdir().unwrap();
    let source = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder to its tests"))
        .join("src/tests/driver.cpp");
    compile(form, &source, &dir.path().join("libcuda.so")).then_some(dir)
}

/// Runs the part `what` of [`inside`] with a driver like this.
fn with_driver(driver: &TempDir, what: &str, settings: &[(&str, &str)]) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "tests::driver::inside", "--ignored", "--nocapture"]);
    command.env(WHAT, what).env("LD_LIBRARY_PATH", driver.path()).envs(settings.iter().copied());
    let Output { status, stdout, stderr } = command.output().unwrap();
    let said = [String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)].concat();
    assert!(status.success() && said.contains("1 passed"), "{what} {settings:?}:\n{said}");
}

#[test]
fn a_driver_is_spoken_to_as_its_manual_says() {
    for (form, capabilities) in [(Form::Plain, &["70"][..]), (Form::Tensor, &["75", "120"])] {
        let Some(driver) = driver(form) else { return };
        for capability in capabilities {
            with_driver(&driver, "works", &[("DRIVER_CAPABILITY", capability)]);
        }
    }
}

#[test]
fn whatever_a_driver_lacks_is_a_reason() {
    let Some(driver) = driver(Form::Tensor) else { return };
    for (what, settings) in [
        ("cuda_driver_too_old", &[("DRIVER_VERSION", "11070")][..]),
        ("cuda_driver_too_old", &[("DRIVER_REFUSES_PTX", "1")]),
        ("cuda_driver_failed", &[("DRIVER_FAILS", "999")]),
        ("cuda_no_card", &[("DRIVER_CARDS", "0")]),
        ("cuda_card_too_old", &[("DRIVER_CAPABILITY", "61")]),
        ("cuda_card_failed", &[("DRIVER_FAILS_AT", "5")]),
        ("cuda_card_failed", &[("DRIVER_MEMORY_MIB", "0")]),
    ] {
        with_driver(&driver, what, settings);
    }
}

#[test]
#[ignore = "run by the tests above, in a process whose driver is made for it"]
fn inside() {
    let what = std::env::var(WHAT).expect("this is run by the other tests of this file");
    let found = Cuda::find(NonZeroUsize::MIN);
    if what == "works" {
        works(found.unwrap());
    } else {
        let error: CudaError = found.and_then(|cuda| cuda.check()).unwrap_err();
        assert_eq!(error.code(), what, "{error}");
    }
    if left("driver_launches\0") > 0 || what == "works" {
        assert_eq!(left("driver_left\0"), 0, "nothing is left open");
    }
}

fn works(cuda: Cuda) {
    assert_eq!(cuda.cards().len(), 2);
    assert_eq!((cuda.cards()[1].name.as_str(), cuda.memory_bytes()), ("NVIDIA Test Card 1", 128 << 20));
    assert_eq!(cuda.check(), Ok(()));
    cuda.rest();
    assert_eq!(left("driver_left\0"), 0, "a card at rest is closed");
    cuda.prepare().unwrap();
    assert_eq!(left("driver_left\0"), 6, "of each card a context, a module and a stream");
    // More than the cards have.
    let Job::Product(size) = product(1_024, 64 << 10, 1) else { panic!() };
    let order = ProductOrder::new(&seed(1, Job::Product(size)), size);
    assert_eq!(cuda.product(&order, &Stop::default()).err(), Some(EngineError::OutOfMemory));
    assert_eq!(left("driver_left\0"), 6);
    let engine: Arc<dyn Engine> = Arc::new(cuda);
    for (number, job) in (1..).zip([product(256, 512, 16), memory(5, 48, 8, 3, 16)]) {
        let verdict = examine(engine.clone(), number, job);
        assert!(matches!(verdict, Verdict::Passed(_)), "{job:?}: {verdict:?}");
    }
    assert_eq!(left("driver_left\0"), 6);
    // From another thread than the one that opened them.
    std::thread::scope(|scope| drop(scope.spawn(|| engine.rest())));
    drop(engine);
}

/// Asks the driver's stand-in for one of its numbers.
#[expect(unsafe_code, reason = "a function of the library that stands in for the driver")]
fn left(name: &str) -> u64 {
    // SAFETY: the library is loaded already, and both functions have this signature.
    unsafe {
        let library = Library::new("libcuda.so").unwrap();
        let ask = library.get::<unsafe extern "C" fn() -> u64>(name.as_bytes()).unwrap();
        ask()
    }
}
