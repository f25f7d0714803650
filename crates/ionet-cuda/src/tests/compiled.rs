//! The committed PTX is what the sources compile to. `cargo xtask kernels` writes it; NVIDIA's compiler is needed for that, a card is not.

use std::ffi::{CStr, CString, c_char, c_int, c_void};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use libloading::Library;
use sha2::{Digest as _, Sha256};

use crate::device::Kernel;
use crate::ptx::{PLAIN, TENSOR};

const SOURCE: (&str, &str) = ("kernels.cu", include_str!("../../kernels/kernels.cu"));
const HEADERS: [(&str, &str); 5] = [
    ("device.h", include_str!("../../kernels/device.h")),
    ("blake3.h", include_str!("../../kernels/blake3.h")),
    ("tree.h", include_str!("../../kernels/tree.h")),
    ("memory.h", include_str!("../../kernels/memory.h")),
    ("product.h", include_str!("../../kernels/product.h")),
];
/// The compiler's version decides how old a driver may be: 11.8 writes PTX 7.8.
const COMPILER: (i32, i32) = (11, 8);
const ARCHITECTURES: [&str; 2] = ["compute_70", "compute_75"];

/// First line of the committed files.
fn header() -> String {
    let mut hasher = Sha256::new();
    for (name, text) in HEADERS.iter().chain([&SOURCE]) {
        for part in [name.as_bytes(), text.as_bytes()] {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    let hash = hasher.finalize().iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    });
    format!("// Compiled by NVRTC {}.{} from the sources with SHA-256 {hash}. Written by `cargo xtask kernels`.\n", COMPILER.0, COMPILER.1)
}

#[test]
fn the_committed_kernels_are_those_of_the_sources() {
    let compiler = Compiler::find();
    if std::env::var_os("IONET_WRITE_KERNELS").is_some() {
        let compiler = compiler.expect("NVRTC 11.8 is needed: `pip install nvidia-cuda-nvrtc-cu11`, and name libnvrtc.so in IONET_NVRTC");
        for architecture in ARCHITECTURES {
            let path = Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder to its tests"))
                .join(format!("kernels/{architecture}.ptx"));
            std::fs::write(path, header() + &compiler.compile(architecture)).unwrap();
        }
        return;
    }
    for ptx in [PLAIN, TENSOR] {
        assert!(ptx.starts_with(&header()), "the kernels were changed: run `cargo xtask kernels`");
        assert!(!ptx.contains('\0'), "a driver reads up to the first zero");
        for kernel in Kernel::ALL {
            assert!(ptx.contains(&format!(".visible .entry {}(", kernel.name())), "{kernel:?}");
            assert!(ptx.contains(&format!(".maxntid {}, 1, 1", kernel.threads())));
        }
    }
    assert!(PLAIN.contains("dp4a.s32.s32") && !PLAIN.contains("wmma."));
    assert!(TENSOR.contains("wmma.mma.sync") && !TENSOR.contains("dp4a."));
    let Some(compiler) = compiler else {
        eprintln!("not compiled again: no NVRTC {}.{} (IONET_NVRTC may name its libnvrtc.so)", COMPILER.0, COMPILER.1);
        return;
    };
    for (architecture, ptx) in ARCHITECTURES.into_iter().zip([PLAIN, TENSOR]) {
        assert!(header() + &compiler.compile(architecture) == ptx, "{architecture}: run `cargo xtask kernels`");
    }
}

/// NVIDIA's compiler as a library.
struct Compiler(Library);

type Program = *mut c_void;

impl Compiler {
    /// The one that `IONET_NVRTC` names, or one that the system finds, if it is of the right version.
    fn find() -> Option<Self> {
        let names = std::env::var_os("IONET_NVRTC").map(PathBuf::from).into_iter();
        names.chain(["libnvrtc.so.11.2", "libnvrtc.so"].map(PathBuf::from)).find_map(|name| {
            #[expect(unsafe_code, reason = "NVIDIA's library; its constructors are as safe as its installation")]
            // SAFETY: the function has this signature in every version.
            unsafe {
                let library = Library::new(name).ok()?;
                let version = *library.get::<unsafe extern "C" fn(*mut c_int, *mut c_int) -> c_int>(b"nvrtcVersion\0").ok()?;
                let (mut major, mut minor) = (0, 0);
                (version(&raw mut major, &raw mut minor) == 0 && (major, minor) == COMPILER).then_some(Self(library))
            }
        })
    }

    #[expect(unsafe_code, reason = "a C library; the signatures are those of its header nvrtc.h")]
    fn compile(&self, architecture: &str) -> String {
        type Create =
            unsafe extern "C" fn(*mut Program, *const c_char, *const c_char, c_int, *const *const c_char, *const *const c_char) -> c_int;
        type Compile = unsafe extern "C" fn(Program, c_int, *const *const c_char) -> c_int;
        type Size = unsafe extern "C" fn(Program, *mut usize) -> c_int;
        type Text = unsafe extern "C" fn(Program, *mut c_char) -> c_int;
        let owned = |texts: &[&str]| -> Vec<CString> { texts.iter().map(|text| CString::new(*text).unwrap()).collect() };
        let pointers = |texts: &[CString]| -> Vec<*const c_char> { texts.iter().map(|text| text.as_ptr()).collect() };
        let source = owned(&[SOURCE.1, SOURCE.0]);
        let (texts, names) = (owned(&HEADERS.map(|header| header.1)), owned(&HEADERS.map(|header| header.0)));
        let options = owned(&[&format!("--gpu-architecture={architecture}"), "--std=c++17"]);
        // SAFETY: all texts end with a zero and outlive the calls; buffers are as long as the library says just before.
        unsafe {
            let text = |size: &[u8], text: &[u8], program: Program| {
                let mut length = 0;
                assert_eq!(self.0.get::<Size>(size).unwrap()(program, &raw mut length), 0);
                let mut bytes = vec![0u8; length.max(1)];
                assert_eq!(self.0.get::<Text>(text).unwrap()(program, bytes.as_mut_ptr().cast()), 0);
                CStr::from_bytes_until_nul(&bytes).unwrap().to_str().unwrap().to_owned()
            };
            let mut program: Program = std::ptr::null_mut();
            let create = self.0.get::<Create>(b"nvrtcCreateProgram\0").unwrap();
            let (text_pointers, name_pointers) = (pointers(&texts), pointers(&names));
            let headers = (text_pointers.as_ptr(), name_pointers.as_ptr());
            let made = create(
                &raw mut program,
                source[0].as_ptr(),
                source[1].as_ptr(),
                c_int::try_from(texts.len()).unwrap(),
                headers.0,
                headers.1,
            );
            assert_eq!(made, 0);
            let compile = self.0.get::<Compile>(b"nvrtcCompileProgram\0").unwrap();
            let done = compile(program, c_int::try_from(options.len()).unwrap(), pointers(&options).as_ptr());
            assert_eq!(done, 0, "{}", text(b"nvrtcGetProgramLogSize\0", b"nvrtcGetProgramLog\0", program));
            let ptx = text(b"nvrtcGetPTXSize\0", b"nvrtcGetPTX\0", program);
            let destroy = self.0.get::<unsafe extern "C" fn(*mut Program) -> c_int>(b"nvrtcDestroyProgram\0").unwrap();
            assert_eq!(destroy(&raw mut program), 0);
            ptx
        }
    }
}
