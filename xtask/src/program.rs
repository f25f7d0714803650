//! `cargo xtask program`: compiles the on-chain program and compares it with the committed artefact, byte for byte.
//!
//! The compiler is the one in `$SBF_TOOLCHAIN`, else an installed `cargo build-sbf`. `$SBF_TOOLCHAIN` is a folder with a nightly Rust that
//! has its library's sources (`nightly/bin/cargo`, `nightly/bin/rustc`) and the linker for Solana's machine (`sbpf-ld`, which is
//! `sbpf-linker` with the LLVM it wants). The committed bytes come from such a folder: Rust 1.97.0-nightly, sbpf-linker 0.2.6, LLVM 23.
//! Another compiler makes a program that does the same with other bytes, and `verify` says so.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use anyhow::{Context, bail, ensure};
use clap::Subcommand;
use sha2::{Digest, Sha256};

use crate::shell;

/// What is built: name of the library (and of the artefact), and its crate's folder.
const PROGRAMS: [(&str, &str); 2] = [("ionet", "program"), ("rules_probe", "program/probe")];
/// Target triple of the upstream compiler.
const TARGET: &str = "bpfel-unknown-none";
/// Libcalls that only the code generator refers to; the linker must not drop them before.
const LIBCALLS: &str = "__multi3,__udivti3,__umodti3,__divti3,__modti3";

/// Tasks of the on-chain program.
#[derive(Subcommand)]
pub(crate) enum ProgramTask {
    /// Compiles the program and replaces the artefacts.
    Build,
    /// Compiles the program anew and compares it with the artefacts.
    Verify,
}

/// Runs a task.
pub(crate) fn run(task: &ProgramTask) -> anyhow::Result<()> {
    match task {
        ProgramTask::Build => build(),
        ProgramTask::Verify => verify(),
    }
}

/// Version of the machine's instruction set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Machine {
    /// Runs on every cluster today; what is committed and deployed.
    V0,
    /// The next one: must compile, so that moving to it stays a matter of deploying.
    V3,
}

impl Machine {
    const fn name(self) -> &'static str {
        match self {
            Self::V0 => "v0",
            Self::V3 => "v3",
        }
    }
}

enum Compiler {
    /// The folder named by `$SBF_TOOLCHAIN`.
    Folder(PathBuf),
    /// Solana's own cargo command.
    BuildSbf,
}

impl Compiler {
    fn find() -> anyhow::Result<Self> {
        if let Some(folder) = env::var_os("SBF_TOOLCHAIN").filter(|folder| !folder.is_empty()) {
            let folder = PathBuf::from(folder);
            for part in ["nightly/bin/cargo", "nightly/bin/rustc", "sbpf-ld"] {
                ensure!(folder.join(part).exists(), "$SBF_TOOLCHAIN is {}, which has no {part}", folder.display());
            }
            return Ok(Self::Folder(folder));
        }
        if shell::exists("cargo-build-sbf", "--version") {
            return Ok(Self::BuildSbf);
        }
        bail!(
            "no compiler for the on-chain program: set SBF_TOOLCHAIN to a toolchain folder, or install Solana's command line tools, \
             which bring `cargo build-sbf`"
        )
    }

    /// Compiles both programs into `target`. Returns the folder of the finished libraries.
    fn compile(&self, machine: Machine, target: &Path) -> anyhow::Result<PathBuf> {
        match self {
            Self::Folder(folder) => compile_upstream(folder, machine, target),
            Self::BuildSbf => compile_build_sbf(machine, target),
        }
    }
}

fn program_folder() -> anyhow::Result<PathBuf> {
    Ok(fs::canonicalize(shell::root())?.join("program"))
}

fn artefact(name: &str) -> anyhow::Result<PathBuf> {
    Ok(program_folder()?.join("artifact").join(format!("{name}.so")))
}

fn checksum(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// Whether there is anything to compile the program with.
pub(crate) fn compiler_found() -> bool {
    Compiler::find().is_ok()
}

/// Compiles the program and replaces the artefacts.
pub(crate) fn build() -> anyhow::Result<()> {
    let libraries = Compiler::find()?.compile(Machine::V0, &program_folder()?.join("target"))?;
    for (name, _) in PROGRAMS {
        let bytes = read_library(&libraries, name)?;
        let path = artefact(name)?;
        fs::write(&path, &bytes)?;
        fs::write(path.with_extension("so.sha256"), format!("{}\n", checksum(&bytes)))?;
        eprintln!("{}: {} bytes, SHA-256 {}", path.display(), bytes.len(), checksum(&bytes));
    }
    Ok(())
}

/// Compiles the program in an empty folder and compares it with the artefacts, byte for byte; and compiles it for the next machine.
pub(crate) fn verify() -> anyhow::Result<()> {
    let compiler = Compiler::find()?;
    let target = tempfile::tempdir().context("no temporary folder")?;
    let libraries = compiler.compile(Machine::V0, target.path())?;
    for (name, _) in PROGRAMS {
        let path = artefact(name)?;
        let committed = fs::read(&path).with_context(|| format!("no artefact {}", path.display()))?;
        let noted = fs::read_to_string(path.with_extension("so.sha256"))?;
        ensure!(
            noted.trim() == checksum(&committed),
            "{}.sha256 does not belong to it: it says {}, the file has {}",
            path.display(),
            noted.trim(),
            checksum(&committed)
        );
        let rebuilt = read_library(&libraries, name)?;
        if rebuilt != committed {
            let first = rebuilt.iter().zip(&committed).take_while(|(a, b)| a == b).count();
            let hint = match compiler {
                Compiler::Folder(_) => "the sources changed without `cargo xtask program build`, or the toolchain is another one",
                Compiler::BuildSbf => "`cargo build-sbf` is another compiler than the artefact's: verify with $SBF_TOOLCHAIN",
            };
            bail!(
                "{} is not what its sources make: committed {} bytes, SHA-256 {}; rebuilt {} bytes, SHA-256 {}; first difference at byte \
                 {first}. Likely {hint}",
                path.display(),
                committed.len(),
                checksum(&committed),
                rebuilt.len(),
                checksum(&rebuilt)
            );
        }
        eprintln!("{name}.so: the same {} bytes, SHA-256 {}", committed.len(), noted.trim());
    }
    compiler.compile(Machine::V3, target.path())?;
    eprintln!("compiles for {} too", Machine::V3.name());
    Ok(())
}

fn read_library(folder: &Path, name: &str) -> anyhow::Result<Vec<u8>> {
    // The upstream compiler names libraries as on any Unix, Solana's own without the prefix.
    let candidates = [folder.join(format!("lib{name}.so")), folder.join(format!("{name}.so"))];
    let path = candidates.iter().find(|path| path.exists()).with_context(|| format!("no {name}.so in {}", folder.display()))?;
    let bytes = fs::read(path)?;
    let crashing = stack_arguments(&bytes).with_context(|| format!("{} cannot be read", path.display()))?;
    ensure!(
        crashing == 0,
        "{name} passes arguments on the stack, in {crashing} places: the machine has no room for them and would stop there. Some function \
         takes more than five words, a returned struct counting as one"
    );
    Ok(bytes)
}

/// How many instructions write into the gap behind their own stack frame. The linker translates a call with more than five words so, but
/// frames of the first machine do not touch each other.
fn stack_arguments(library: &[u8]) -> anyhow::Result<usize> {
    use object::{Object, ObjectSection};
    const LENGTH: usize = 8;
    const LOAD_WIDE_CONSTANT: u8 = 0x18;
    const FRAME_POINTER: u8 = 10;
    let file = object::File::parse(library)?;
    let code = file.section_by_name(".text").context("no code")?.data()?;
    let mut count = 0;
    let mut rest = code;
    while let Some((&[opcode, registers, low, high, ..], behind)) = rest.split_first_chunk::<LENGTH>() {
        // Loads name the address in the upper register, stores in the lower.
        let base = match opcode & 0b111 {
            0b001 => registers >> 4,
            0b010 | 0b011 => registers & 0b1111,
            _ => 0,
        };
        if base == FRAME_POINTER && i16::from_le_bytes([low, high]) >= 0 {
            count += 1;
        }
        let two = opcode == LOAD_WIDE_CONSTANT;
        rest = if two { behind.get(LENGTH..).unwrap_or_default() } else { behind };
    }
    Ok(count)
}

fn compile_upstream(folder: &Path, machine: Machine, target: &Path) -> anyhow::Result<PathBuf> {
    let bin = folder.join("nightly/bin");
    let target = target.join(machine.name());
    let mut search_path = bin.clone().into_os_string();
    if let Some(rest) = env::var_os("PATH") {
        search_path.push(":");
        search_path.push(rest);
    }
    let mut command = Command::new(bin.join("cargo"));
    command
        .current_dir(program_folder()?)
        .args(["build", "--release", "--workspace", "--locked", "--target", TARGET, "-Z", "build-std=core,alloc"])
        .arg("--target-dir")
        .arg(&target)
        .env("PATH", search_path)
        .env("RUSTC", bin.join("rustc"))
        .env("CARGO_ENCODED_RUSTFLAGS", upstream_flags(folder, machine)?.join("\x1f"));
    // What this cargo was started with must not leak into another cargo.
    for name in ["RUSTFLAGS", "RUSTUP_TOOLCHAIN", "CARGO_TARGET_DIR", "CARGO_BUILD_TARGET", "RUSTC_WRAPPER"] {
        command.env_remove(name);
    }
    shell::run(&mut command)?;
    Ok(target.join(TARGET).join("release"))
}

/// Compiler flags for Solana's machine.
fn upstream_flags(folder: &Path, machine: Machine) -> anyhow::Result<Vec<String>> {
    let root = fs::canonicalize(shell::root())?;
    let cargo_home = env::var_os("CARGO_HOME")
        .map(PathBuf::from)
        .or_else(|| env::home_dir().map(|home| home.join(".cargo")))
        .context("neither CARGO_HOME nor a home folder is known")?;
    let mut flags: Vec<String> = Vec::new();
    let mut codegen = |option: String| flags.extend(["-C".to_owned(), option]);
    codegen(format!("linker={}", folder.join("sbpf-ld").display()));
    codegen("panic=abort".to_owned());
    codegen("relocation-model=static".to_owned());
    codegen(format!("link-arg=--arch={}", machine.name()));
    codegen(format!("link-arg=--export={LIBCALLS}"));
    // A stack frame is 4 KiB; the instruction set has neither extended jumps nor sign-extending loads and moves.
    let mut llvm = vec!["-bpf-stack-size=4096", "--bpf-max-stores-per-memfunc=5", "--disable-gotox", "--disable-ldsx", "--disable-movsx"];
    if machine == Machine::V3 {
        llvm.push("--disable-bswap");
    }
    for argument in llvm {
        codegen(format!("link-arg=--llvm-args={argument}"));
    }
    codegen(format!("target-cpu={}", if machine == Machine::V3 { "v4" } else { "v2" }));
    codegen("target-feature=+allows-misaligned-mem-access".to_owned());
    // The crates of the Solana SDK know its machine by these two.
    for cfg in ["target_os=\"solana\"", "target_feature=\"static-syscalls\""] {
        flags.extend(["--cfg".to_owned(), cfg.to_owned()]);
    }
    // The linker misses a crate whose place `program/builtins` takes.
    for lint in ["explicit_builtin_cfgs_in_flags", "linker_messages"] {
        flags.extend(["-A".to_owned(), lint.to_owned()]);
    }
    // Nothing of where it was compiled stays in the program.
    flags.push("-Zlocation-detail=none".to_owned());
    for (path, name) in [(root.as_path(), "/ionet"), (cargo_home.as_path(), "/cargo"), (folder, "/toolchain")] {
        flags.push(format!("--remap-path-prefix={}={name}", path.display()));
    }
    Ok(flags)
}

fn compile_build_sbf(machine: Machine, target: &Path) -> anyhow::Result<PathBuf> {
    let target = target.join(machine.name());
    let libraries = target.join("deploy");
    for (_, folder) in PROGRAMS {
        let manifest = fs::canonicalize(shell::root())?.join(folder).join("Cargo.toml");
        shell::run(
            Command::new("cargo-build-sbf")
                .arg("--manifest-path")
                .arg(manifest)
                .arg("--sbf-out-dir")
                .arg(&libraries)
                .args(["--arch", machine.name()])
                .env_remove("RUSTUP_TOOLCHAIN")
                .env("CARGO_TARGET_DIR", &target),
        )?;
    }
    Ok(libraries)
}
