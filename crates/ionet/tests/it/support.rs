//! What the tests share: the binary in a home of its own, and whether this machine can run Ray.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use ionet_agent::{RayEnvironment, default_cache_dir};
use serde_json::Value;

/// A data directory and the binary that works in it.
pub(crate) struct Home {
    dir: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The binary, with nothing of the tester's own settings.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ionet"));
        for name in ["IONET_URL", "IONET_WALLET", "IONET_API_KEY", "IONET_LOG", "COLUMNS"] {
            command.env_remove(name);
        }
        command.env("IONET_HOME", self.path()).args(args).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs a command that must succeed, and reads its JSON.
    pub(crate) fn json(&self, args: &[&str]) -> Value {
        let mut with_json = args.to_vec();
        with_json.push("--json");
        let output = self.run(&with_json);
        assert!(output.status.success(), "{args:?}: {}", both(&output));
        serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{args:?}: {error}: {}", both(&output)))
    }

    /// What a command shows, with everything that differs between runs taken out.
    pub(crate) fn shown(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().replace(&self.canonical(), "[HOME]");
        format!("exit: {}\nstdout:\n{}\nstderr:\n{}", output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
    }

    fn canonical(&self) -> String {
        self.path().canonicalize().unwrap().display().to_string()
    }
}

pub(crate) fn both(output: &Output) -> String {
    format!("{}\n{}\n{}", output.status, String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// A network in a process of its own, killed when dropped.
pub(crate) struct Network {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Network {
    pub(crate) fn spawn(home: &Home, args: &[&str]) -> Self {
        let mut command = home.command(&["up", "--json", "--quiet"]);
        let mut child = command.args(args).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// Where it is reached; waits until it says so.
    pub(crate) fn announcement(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("`up` did not come up ({error}): {line:?}"))
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Ends it as Ctrl-C does.
    pub(crate) fn interrupt(mut self) -> std::process::ExitStatus {
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(self.child.id().try_into().unwrap()), nix::sys::signal::Signal::SIGINT).unwrap();
        let until = Instant::now() + Duration::from_mins(2);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "the network does not stop");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Whether Ray can run here; says why not.
pub(crate) fn ray_is_here() -> bool {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let environment = RayEnvironment::new(default_cache_dir(), PathBuf::from("python3"));
    match runtime.block_on(environment.ensure(&|_, _| ())) {
        Ok(()) => true,
        Err(error) => {
            println!("skipped: Ray cannot be had on this machine: {error}");
            false
        }
    }
}

/// The example of the documentation.
pub(crate) fn pi() -> String {
    Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder to its tests"))
        .join("../../examples/pi.py")
        .display()
        .to_string()
}
