//! A card through NVIDIA's driver. Only `libcuda` is needed, and only when there is one: the kernels are committed as PTX, which the driver
//! compiles for the card that it finds.

#![expect(unsafe_code, reason = "the driver is a C library; each call says why it is right")]

use std::ffi::{CString, c_void};
use std::sync::Arc;

use cudarc::driver::result::{self, DriverError};
use cudarc::driver::sys::{self, CUcontext, CUdevice, CUdevice_attribute, CUfunction, CUmodule, CUresult, CUstream};
use ionet_proofs::EngineError;

use crate::device::{Device, Kernel};
use crate::engine::Source;
use crate::error::{CAPABILITY_NEEDED, CUDA_NEEDED, CudaError};
use crate::ptx;

/// A card as it is before it is opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CardInfo {
    /// Its name as the driver has it.
    pub name: String,
    /// All of its memory, bytes.
    pub memory_bytes: u64,
    /// Its compute capability in tenths.
    pub capability: u32,
    /// Multiprocessors times their clock in kHz.
    speed: u64,
}

/// All cards that the driver shows.
pub(crate) struct Driver {
    cards: Vec<CardInfo>,
}

/// Driver and device numbers are small and not negative.
fn small(number: i32) -> u32 {
    u32::try_from(number).unwrap_or(0)
}

impl Driver {
    /// Looks for cards. Takes some tenths of a second at the first call, and nothing of the cards' memory.
    pub(crate) fn find() -> Result<Self, CudaError> {
        // SAFETY: loads a library that, where it is there, NVIDIA's driver installed; its constructors are as safe as the driver.
        // Without it every other call would panic, and so nothing else is called.
        if !unsafe { sys::is_culib_present() } {
            return Err(CudaError::NoDriver);
        }
        let mut version = 0;
        // SAFETY: writes one number; may be called before the driver is begun.
        unsafe { sys::cuDriverGetVersion(&raw mut version) }.result().map_err(|error| CudaError::DriverFailed(said(error)))?;
        // An older driver may lack functions that are called below.
        if small(version) < CUDA_NEEDED {
            return Err(CudaError::DriverTooOld(small(version)));
        }
        match result::init() {
            Err(DriverError(CUresult::CUDA_ERROR_NO_DEVICE)) => return Err(CudaError::NoCard),
            begun => begun.map_err(|error| CudaError::DriverFailed(said(error)))?,
        }
        let count = result::device::get_count().map_err(|error| CudaError::DriverFailed(said(error)))?;
        let cards = (0..count).map(look).collect::<Result<Vec<_>, _>>()?;
        if cards.is_empty() { Err(CudaError::NoCard) } else { Ok(Self { cards }) }
    }

    pub(crate) fn cards(&self) -> &[CardInfo] {
        &self.cards
    }
}

fn look(number: i32) -> Result<CardInfo, CudaError> {
    let failed = |error| CudaError::CardFailed { number: small(number), reason: said(error) };
    let device = result::device::get(number).map_err(failed)?;
    // SAFETY: the device is one that the driver has just given.
    let attribute = |attribute| unsafe { result::device::get_attribute(device, attribute) }.map(small).map_err(failed);
    let capability = attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)? * 10
        + attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
    let name = result::device::get_name(device).map_err(failed)?;
    if capability < CAPABILITY_NEEDED {
        return Err(CudaError::CardTooOld { name, capability });
    }
    let processors = attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT)?;
    // Newer drivers may not tell; then all clocks are taken for the same.
    let clock = attribute(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_CLOCK_RATE).unwrap_or(1);
    // SAFETY: the device is one that the driver has just given.
    let memory_bytes = unsafe { result::device::total_mem(device) }.map_err(failed)? as u64;
    Ok(CardInfo { name, memory_bytes, capability, speed: u64::from(processors.max(1)) * u64::from(clock.max(1)) })
}

impl Source for Driver {
    type Device = Card;

    fn count(&self) -> usize {
        self.cards.len()
    }

    fn open(&self) -> Result<Vec<Arc<Card>>, CudaError> {
        // Each takes a while, most of it for compiling: at the same time.
        std::thread::scope(|scope| {
            let begun: Vec<_> = (0i32..).zip(&self.cards).map(|(number, info)| scope.spawn(move || Card::open(number, info))).collect();
            let ended = begun.into_iter().zip(0u32..).map(|(card, number)| {
                let failed = |_| CudaError::CardFailed { number, reason: "opening it panicked".to_owned() };
                card.join().map_err(failed)?.map(Arc::new)
            });
            ended.collect()
        })
    }
}

/// An open card: its primary context, the kernels, and one stream of work.
pub(crate) struct Card {
    info: CardInfo,
    context: Context,
    module: CUmodule,
    functions: [CUfunction; Kernel::ALL.len()],
    stream: CUstream,
}

// SAFETY: the driver's handles may be used from any thread; each call makes the context current to its own thread first.
unsafe impl Send for Card {}
// SAFETY: the driver locks what it shares; and the engine asks a card for work from one thread at a time.
unsafe impl Sync for Card {}

/// The card's primary context, given back at the end.
struct Context {
    device: CUdevice,
    context: CUcontext,
}

impl Context {
    fn retain(device: CUdevice) -> Result<Self, DriverError> {
        // SAFETY: the driver has begun and the device is one of its own.
        let context = unsafe { result::primary_ctx::retain(device) }?;
        Ok(Self { device, context })
    }

    fn enter(&self) -> Result<(), DriverError> {
        // SAFETY: the context is retained until this is dropped.
        unsafe { result::ctx::set_current(self.context) }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: it was retained once, and nothing that belongs to it is left.
        let released = unsafe { result::primary_ctx::release(self.device) };
        note("release", released);
    }
}

impl Card {
    fn open(number: i32, info: &CardInfo) -> Result<Self, CudaError> {
        let begin = || -> Result<Self, DriverError> {
            let device = result::device::get(number)?;
            // The host sleeps while it waits for the card, instead of turning round: its processors belong to others, too. Where a context is
            // in use already it is as it is, and only costs more.
            let sleeping = sys::CUctx_flags::CU_CTX_SCHED_BLOCKING_SYNC as u32;
            // SAFETY: the device is one that the driver has just given.
            note("set_flags", unsafe { sys::cuDevicePrimaryCtxSetFlags_v2(device, sleeping) }.result());
            let context = Context::retain(device)?;
            context.enter()?;
            let image = CString::new(ptx::for_capability(info.capability)).map_err(|_| DriverError(CUresult::CUDA_ERROR_INVALID_PTX))?;
            // SAFETY: the image ends with a zero and outlives the call.
            let module = unsafe { result::module::load_data(image.as_ptr().cast()) }?;
            let stream = result::stream::create(result::stream::StreamKind::NonBlocking);
            let mut functions = [std::ptr::null_mut(); Kernel::ALL.len()];
            let found = Kernel::ALL.iter().zip(&mut functions).try_for_each(|(kernel, function)| {
                let name = CString::new(kernel.name()).map_err(|_| DriverError(CUresult::CUDA_ERROR_INVALID_VALUE))?;
                // SAFETY: the module was just loaded.
                *function = unsafe { result::module::get_function(module, name) }?;
                Ok(())
            });
            match (stream, found) {
                (Ok(stream), Ok(())) => Ok(Self { info: info.clone(), context, module, functions, stream }),
                (stream, found) => {
                    if let Ok(stream) = stream {
                        // SAFETY: it was just created and nothing was asked of it.
                        note("destroy", unsafe { result::stream::destroy(stream) });
                    }
                    // SAFETY: it was just loaded and nothing of it runs.
                    note("unload", unsafe { result::module::unload(module) });
                    Err(found.err().or(stream.err()).unwrap_or(DriverError(CUresult::CUDA_ERROR_UNKNOWN)))
                }
            }
        };
        begin().map_err(|error| match error.0 {
            CUresult::CUDA_ERROR_UNSUPPORTED_PTX_VERSION => CudaError::DriverTooOld(CUDA_NEEDED - 10),
            _ => CudaError::CardFailed { number: small(number), reason: said(error) },
        })
    }

    /// Makes the card that of this thread and does something with it.
    fn with<T>(&self, what: &'static str, work: impl FnOnce() -> Result<T, DriverError>) -> Result<T, EngineError> {
        self.context.enter().and_then(|()| work()).map_err(|error| {
            if error.0 == CUresult::CUDA_ERROR_OUT_OF_MEMORY {
                return EngineError::OutOfMemory;
            }
            tracing::warn!(card = self.info.name, what, error = said(error), "a card failed");
            EngineError::Failed
        })
    }
}

impl Drop for Card {
    fn drop(&mut self) {
        // What fails now has failed before, and was said then.
        let _ = self.with("close", || {
            // SAFETY: stream and module are this card's own, all work is waited for, and neither is used after this.
            unsafe {
                result::stream::synchronize(self.stream)?;
                result::stream::destroy(self.stream)?;
                result::module::unload(self.module)
            }
        });
    }
}

impl Device for Card {
    fn speed(&self) -> u64 {
        self.info.speed
    }

    fn memory_bytes(&self) -> u64 {
        self.info.memory_bytes
    }

    fn allocate(&self, bytes: u64) -> Result<u64, EngineError> {
        let bytes = usize::try_from(bytes).map_err(|_| EngineError::OutOfMemory)?;
        // SAFETY: the context is current; nothing is read before it is written, and any word would be a valid one.
        self.with("allocate", || unsafe { result::malloc_sync(bytes) })
    }

    fn free(&self, address: u64) {
        // Where the card failed before, that was said, and the memory goes with its context.
        let _ = self.with("free", || {
            // SAFETY: all work that may use it is over, and its owner is being dropped.
            unsafe {
                let over = result::stream::synchronize(self.stream);
                result::free_sync(address).and(over)
            }
        });
    }

    fn upload(&self, to: u64, bytes: &[u8]) -> Result<(), EngineError> {
        // SAFETY: the caller knows that the bytes fit there. From pageable memory the driver returns when it has its own copy.
        self.with("upload", || unsafe { result::memcpy_htod_async(to, bytes, self.stream) })
    }

    fn download(&self, from: u64, bytes: &mut [u8]) -> Result<(), EngineError> {
        self.with("download", || {
            // SAFETY: the caller knows that so many bytes are there; they are waited for before the borrow ends.
            unsafe {
                let copied = result::memcpy_dtoh_async(bytes, from, self.stream);
                result::stream::synchronize(self.stream).and(copied)
            }
        })
    }

    fn launch(&self, kernel: Kernel, blocks: u32, arguments: &[u8]) -> Result<(), EngineError> {
        // The driver reads the arguments as the kernel's one struct, whose fields want eight bytes of alignment.
        let mut aligned = [0u64; 16];
        let room: &mut [u8] = bytemuck::cast_slice_mut(&mut aligned);
        room.get_mut(..arguments.len()).ok_or(EngineError::Failed)?.copy_from_slice(arguments);
        let mut parameters: [*mut c_void; 1] = [aligned.as_mut_ptr().cast()];
        // SAFETY: every kernel takes exactly one argument, of which the caller gives the bytes with addresses that it may use.
        self.with(kernel.name(), || unsafe {
            let function = self.functions[kernel as usize];
            result::launch_kernel(function, (blocks, 1, 1), (kernel.threads(), 1, 1), 0, self.stream, &mut parameters)
        })
    }

    fn wait(&self) -> Result<(), EngineError> {
        // SAFETY: the stream is this card's own.
        self.with("wait", || unsafe { result::stream::synchronize(self.stream) })
    }
}

/// The driver's name for what happened, such as `CUDA_ERROR_NO_DEVICE`.
fn said(error: DriverError) -> String {
    error.error_name().map_or_else(|_| format!("error {}", error.0 as u32), |name| name.to_string_lossy().into_owned())
}

/// Says what failed where nothing more can be done about it.
fn note(what: &'static str, done: Result<(), DriverError>) {
    if let Err(error) = done {
        tracing::debug!(what, error = said(error), "a card's driver refuses");
    }
}
