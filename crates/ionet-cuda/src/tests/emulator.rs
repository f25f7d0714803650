//! Cards that are not there: the kernels' own sources, compiled for this machine's processor. Memory is fenced, filled with rubbish at first and
//! counted; the kernels' threads take their turns in another order at every launch.

use std::collections::BTreeMap;
use std::ffi::{CString, c_char, c_int, c_void};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use ionet_proofs::EngineError;
use libloading::Library;

use crate::device::{Device, Kernel};
use crate::engine::Source;
use crate::error::CudaError;

/// Bytes on either side of an allocation that nobody may touch.
const FENCE: usize = 256;
const UNTOUCHED: u8 = 0xa5;

type Run = unsafe extern "C" fn(*const c_char, *const c_void, u64, u32, u32, u64) -> c_int;

/// The kernels for cards with tensor units, or for those without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Tensor,
}

/// The compiled kernels; nothing, and the reason printed, where there is no C++ compiler.
fn compiled(form: Form) -> Option<Run> {
    static PLAIN: OnceLock<Option<(Library, Run)>> = OnceLock::new();
    static TENSOR: OnceLock<Option<(Library, Run)>> = OnceLock::new();
    let place = if form == Form::Plain { &PLAIN } else { &TENSOR };
    let made = place.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let library = dir.path().join("kernels.so");
        if !compile(
            form,
            &Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder to its tests"))
                .join("kernels/kernels.cu"),
            &library,
        ) {
            return None;
        }
        #[expect(unsafe_code, reason = "a library that was just compiled from this crate's sources")]
        // SAFETY: it has no constructors besides those of its language, and the function has this signature.
        let (library, run) = unsafe {
            let library = Library::new(&library).unwrap();
            let run = *library.get::<Run>(b"run_kernel\0").unwrap();
            (library, run)
        };
        Some((library, run))
    });
    made.as_ref().map(|(_, run)| *run)
}

/// Compiles a source that contains the kernels to a library. False, and the reason printed, where there is no compiler for it.
pub(super) fn compile(form: Form, source: &Path, library: &Path) -> bool {
    let compiler = std::env::var("CXX").unwrap_or_else(|_| "c++".to_owned());
    if !cfg!(target_os = "linux") || !Command::new(&compiler).arg("--version").output().is_ok_and(|said| said.status.success()) {
        eprintln!("skipped: no C++ compiler for the kernels on this system (`{compiler}`, or set CXX)");
        return false;
    }
    let mut command = Command::new(&compiler);
    command.args(["-x", "c++", "-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-U_FORTIFY_SOURCE"]);
    // Shifts and addresses that C++ leaves undefined, and a card treats otherwise or refuses, end the test.
    command.args(["-fPIC", "-shared", "-fsanitize=shift,alignment", "-fno-sanitize-recover=all", "-static-libubsan"]);
    let said = command.args((form == Form::Tensor).then_some("-DTENSOR")).arg("-o").arg(library).arg(source).output().unwrap();
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    true
}

/// Makes of a machine with such cards what it should be; each is (speed, memory in bytes).
pub(super) fn machine(form: Form, cards: &[(u64, u64)]) -> Option<Machine> {
    let run = compiled(form)?;
    let card = |(speed, memory_bytes): &(u64, u64)| {
        Arc::new(Emulated {
            run,
            speed: *speed,
            memory_bytes: *memory_bytes,
            allocations: Mutex::default(),
            taken: AtomicU64::new(0),
            most_taken: AtomicU64::new(0),
            launches_left: AtomicI64::new(i64::MAX),
            is_broken: AtomicBool::new(false),
            fails_quietly_at: AtomicU64::new(u64::from(u32::MAX)),
            order: AtomicU64::new(speed ^ memory_bytes),
        })
    };
    Some(Machine { cards: cards.iter().map(card).collect(), opened: AtomicU64::new(0) })
}

pub(super) struct Machine {
    pub(super) cards: Vec<Arc<Emulated>>,
    pub(super) opened: AtomicU64,
}

impl Source for Machine {
    type Device = Emulated;

    fn count(&self) -> usize {
        self.cards.len()
    }

    fn open(&self) -> Result<Vec<Arc<Emulated>>, CudaError> {
        self.opened.fetch_add(1, Ordering::Relaxed);
        self.cards.iter().for_each(|card| card.is_broken.store(false, Ordering::Relaxed));
        Ok(self.cards.clone())
    }
}

pub(super) struct Emulated {
    run: Run,
    speed: u64,
    memory_bytes: u64,
    /// By the first address that its owner may use; eight bytes each.
    allocations: Mutex<BTreeMap<u64, (Vec<u64>, usize)>>,
    taken: AtomicU64,
    pub(super) most_taken: AtomicU64,
    /// After so many launches the card fails, and does nothing more until it is opened anew.
    pub(super) launches_left: AtomicI64,
    is_broken: AtomicBool,
    /// Counted down at each launch, which is left out without a word when this comes to zero.
    pub(super) fails_quietly_at: AtomicU64,
    order: AtomicU64,
}

impl Emulated {
    pub(super) fn taken(&self) -> u64 {
        self.taken.load(Ordering::Relaxed)
    }

    /// Whether these bytes lie within one allocation.
    fn is_owned(&self, address: u64, bytes: usize) -> bool {
        let allocations = self.allocations.lock().unwrap();
        let found = allocations.range(..=address).next_back();
        found.is_some_and(|(start, (_, length))| (address - start) as usize + bytes <= *length)
    }
}

impl Device for Emulated {
    fn speed(&self) -> u64 {
        self.speed
    }

    fn memory_bytes(&self) -> u64 {
        self.memory_bytes
    }

    fn allocate(&self, bytes: u64) -> Result<u64, EngineError> {
        if self.taken.load(Ordering::Relaxed) + bytes > self.memory_bytes {
            return Err(EngineError::OutOfMemory);
        }
        let length = bytes as usize;
        let room: Vec<u64> = vec![u64::from_ne_bytes([UNTOUCHED; 8]); (length + 3 * FENCE).div_ceil(8)];
        let address = (room.as_ptr() as u64 + FENCE as u64).next_multiple_of(FENCE as u64);
        self.allocations.lock().unwrap().insert(address, (room, length));
        let taken = self.taken.fetch_add(bytes, Ordering::Relaxed) + bytes;
        self.most_taken.fetch_max(taken, Ordering::Relaxed);
        Ok(address)
    }

    fn free(&self, address: u64) {
        let (room, length) = self.allocations.lock().unwrap().remove(&address).unwrap();
        self.taken.fetch_sub(length as u64, Ordering::Relaxed);
        let bytes: &[u8] = bytemuck::cast_slice(&room);
        let start = (address - room.as_ptr() as u64) as usize;
        let outside = bytes[..start].iter().chain(&bytes[start + length..]);
        assert!(outside.clone().all(|byte| *byte == UNTOUCHED), "a kernel wrote beside its memory");
    }

    #[expect(unsafe_code, reason = "the memory is this card's own")]
    fn upload(&self, to: u64, bytes: &[u8]) -> Result<(), EngineError> {
        self.wait()?;
        assert!(self.is_owned(to, bytes.len()));
        // SAFETY: as many bytes are there, as was just checked, and nothing else writes them meanwhile.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), to as *mut u8, bytes.len()) };
        Ok(())
    }

    #[expect(unsafe_code, reason = "the memory is this card's own")]
    fn download(&self, from: u64, bytes: &mut [u8]) -> Result<(), EngineError> {
        self.wait()?;
        assert!(self.is_owned(from, bytes.len()));
        // SAFETY: as many bytes are there, as was just checked, and nothing else writes them meanwhile.
        unsafe { std::ptr::copy_nonoverlapping(from as *const u8, bytes.as_mut_ptr(), bytes.len()) };
        Ok(())
    }

    #[expect(unsafe_code, reason = "runs a kernel")]
    fn launch(&self, kernel: Kernel, blocks: u32, arguments: &[u8]) -> Result<(), EngineError> {
        self.wait()?;
        if self.launches_left.fetch_sub(1, Ordering::Relaxed) <= 0 {
            self.is_broken.store(true, Ordering::Relaxed);
            return Err(EngineError::Failed);
        }
        if self.fails_quietly_at.fetch_sub(1, Ordering::Relaxed) == 1 {
            return Ok(());
        }
        let mut aligned = [0u64; 16];
        bytemuck::cast_slice_mut::<u64, u8>(&mut aligned)[..arguments.len()].copy_from_slice(arguments);
        let (name, order) = (CString::new(kernel.name()).unwrap(), self.order.fetch_add(0x9e37_79b9, Ordering::Relaxed));
        // SAFETY: the library checks name, length and threads; what the addresses in the arguments lead to is what is tested.
        let done = unsafe { (self.run)(name.as_ptr(), aligned.as_ptr().cast(), arguments.len() as u64, blocks, kernel.threads(), order) };
        assert_eq!(done, 0, "{kernel:?}: 1 is another kernel than this crate takes it for, 2 are threads that wait for ever");
        Ok(())
    }

    fn wait(&self) -> Result<(), EngineError> {
        if self.is_broken.load(Ordering::Relaxed) { Err(EngineError::Failed) } else { Ok(()) }
    }
}
