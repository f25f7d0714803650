//! The Python environment that Ray runs from: made by the agent itself, from pinned packages, once per machine.
//!
//! An environment is made in its final place, because Python environments cannot be moved, under a lock; a file written at the very end
//! tells that it is complete. What is left of an interrupted attempt is thrown away.

use std::{
    fs,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use fs2::FileExt;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    process::{Child, Command},
};

use crate::{NodeFailure, node::passed_on, runtime::Progress};

/// The version of Ray that nodes run.
pub const RAY_VERSION: &str = "2.60.0";
/// Every package of the environment with its version, as `pip freeze` lists them.
const REQUIREMENTS: &str = include_str!("requirements.txt");
/// Oldest Python for which all of them exist.
const OLDEST_PYTHON: (u32, u32) = (3, 10);

/// What is known of a complete environment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Version of Python, such as `3.11.7`.
    pub(crate) python_version: String,
}

/// A Python environment with Ray, shared between all agents that use the same cache directory.
#[derive(Debug, Clone)]
pub struct RayEnvironment {
    cache_dir: PathBuf,
    python: PathBuf,
}

impl RayEnvironment {
    /// Describes the environment in this cache directory, made with this Python.
    pub fn new(cache_dir: PathBuf, python: PathBuf) -> Self {
        // Paths in it are written into it.
        let cache_dir = std::path::absolute(&cache_dir).unwrap_or(cache_dir);
        Self { cache_dir, python }
    }

    /// Whether it is there.
    pub fn is_ready(&self) -> bool {
        self.facts().is_ok()
    }

    /// Makes it unless it is there; tells how far that is in percent, and what is done now.
    pub async fn ensure(&self, progress: &(dyn Fn(u8, String) + Send + Sync)) -> Result<(), NodeFailure> {
        if self.is_ready() {
            return Ok(());
        }
        let cannot =
            |error: std::io::Error| NodeFailure::retryable("runtime_cache_unusable", format!("{}: {error}", self.cache_dir.display()));
        fs::DirBuilder::new().recursive(true).mode(0o755).create(&self.cache_dir).map_err(cannot)?;
        let lock =
            fs::OpenOptions::new().create(true).truncate(false).write(true).open(self.dir().with_extension("lock")).map_err(cannot)?;
        while let Err(error) = lock.try_lock_exclusive() {
            if error.kind() != std::io::ErrorKind::WouldBlock {
                return Err(cannot(error));
            }
            progress(self.installed_percent(), "another agent installs Ray".to_owned());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        if self.is_ready() {
            return Ok(());
        }
        self.make(progress).await
    }

    /// The environment's Python.
    pub(crate) fn python(&self) -> Result<PathBuf, NodeFailure> {
        self.facts().map(|_| self.dir().join("bin/python"))
    }

    pub(crate) fn facts(&self) -> Result<Facts, NodeFailure> {
        let path = self.dir().join("ionet.json");
        let missing = |error: &dyn std::fmt::Display| NodeFailure::retryable("runtime_missing", format!("{}: {error}", path.display()));
        serde_json::from_slice(&fs::read(&path).map_err(|error| missing(&error))?).map_err(|error| missing(&error))
    }

    /// Other packages or another Python make another environment.
    fn dir(&self) -> PathBuf {
        let mut hash = Sha256::new();
        for part in [REQUIREMENTS, &self.python.to_string_lossy(), std::env::consts::ARCH] {
            hash.update(part);
            hash.update([0]);
        }
        self.cache_dir.join(format!("ray-{RAY_VERSION}-{}", &hex::encode(hash.finalize())[..12]))
    }

    async fn make(&self, progress: Progress<'_>) -> Result<(), NodeFailure> {
        let dir = self.dir();
        progress(0, "looks for Python".to_owned());
        let version = python_version(&self.python).await?;
        let failed = |error: std::io::Error| NodeFailure::retryable("runtime_cache_unusable", format!("{}: {error}", dir.display()));
        if dir.exists() {
            fs::remove_dir_all(&dir).map_err(failed)?;
        }
        progress(1, format!("makes an environment with Python {version}"));
        let mut venv = command(&self.python);
        venv.args(["-m", "venv"]).arg(&dir);
        run(venv, "python_environment_failed", |_| {}).await?;
        let requirements = dir.join("requirements.txt");
        fs::write(&requirements, REQUIREMENTS).map_err(failed)?;

        let mut pip = command(&dir.join("bin/python"));
        // Only wheels: nothing is built, and no package's own code runs during the installation.
        pip.args(["-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--no-deps", "--only-binary", ":all:"]);
        pip.args(["--progress-bar", "off", "-r"]).arg(&requirements);
        let total = REQUIREMENTS.lines().filter(|line| line.contains("==")).count();
        let mut collected = 0;
        // Half of the time goes into fetching, half into unpacking; the latter is seen in the file system.
        let watch = async {
            loop {
                tokio::time::sleep(Duration::from_millis(500)).await;
                let percent = self.installed_percent();
                if percent > 0 {
                    progress(percent, format!("installs Ray {RAY_VERSION}"));
                }
            }
        };
        let install = run(pip, "ray_install_failed", |line| {
            if let Some(package) = line.strip_prefix("Collecting ") {
                collected += 1;
                let percent = 5 + 45 * collected.min(total) / total.max(1);
                progress(u8::try_from(percent).unwrap_or(50), format!("fetches {}", package.split(' ').next().unwrap_or(package)));
            }
        });
        tokio::select! {
            installed = install => installed.map(|_| ())?,
            () = watch => {}
        }
        progress(98, "checks Ray".to_owned());
        let mut check = command(&dir.join("bin/python"));
        check.args(["-c", "import ray; print(ray.__version__)"]);
        let found = run(check, "ray_unusable", |_| {}).await?;
        if found.trim() != RAY_VERSION {
            return Err(NodeFailure::lasting("ray_unusable", format!("Ray {} was installed", found.trim())));
        }
        let facts = serde_json::to_vec(&Facts { python_version: version }).expect("a string is always JSON");
        let draft = dir.join("ionet.json.new");
        fs::write(&draft, facts).and_then(|()| fs::rename(&draft, dir.join("ionet.json"))).map_err(failed)?;
        progress(100, "Ray is installed".to_owned());
        Ok(())
    }

    /// How much is unpacked, on the scale of the whole; 0 before that begins.
    fn installed_percent(&self) -> u8 {
        let total = REQUIREMENTS.lines().filter(|line| line.contains("==")).count().max(1);
        let libraries = fs::read_dir(self.dir().join("lib")).into_iter().flatten().flatten();
        let packages = libraries.filter_map(|python| fs::read_dir(python.path().join("site-packages")).ok()).flatten().flatten();
        let done = packages
            .filter(|entry| entry.path().join("RECORD").exists() && entry.path().extension().is_some_and(|ext| ext == "dist-info"))
            .count();
        // pip and setuptools come with the environment itself.
        match done.saturating_sub(2) {
            0 => 0,
            done => u8::try_from(50 + 47 * done.min(total) / total).unwrap_or(97),
        }
    }
}

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    let kept = ["PATH", "HOME", "TMPDIR", "PYENV_ROOT", "PYENV_VERSION", "PIP_CACHE_DIR", "XDG_CACHE_HOME"];
    let kept = kept.into_iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
    command.env_clear().envs(passed_on()).envs(kept).env("PYTHONUNBUFFERED", "1").kill_on_drop(true);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

async fn python_version(python: &Path) -> Result<String, NodeFailure> {
    let mut ask = command(python);
    ask.args(["-c", "import platform; print(platform.python_version())"]);
    let version = run(ask, "python_missing", |_| {}).await.map_err(|failure| NodeFailure::lasting(failure.code, failure.message))?;
    let version = version.trim().to_owned();
    let mut parts = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    let found = (parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    if found < OLDEST_PYTHON {
        let (major, minor) = OLDEST_PYTHON;
        return Err(NodeFailure::lasting("python_too_old", format!("Python {version} is older than {major}.{minor}")));
    }
    Ok(version)
}

/// Runs a command to its end; gives each line that it prints to `line` and returns them all.
async fn run(mut command: Command, code: &'static str, mut line: impl FnMut(&str)) -> Result<String, NodeFailure> {
    let failed = |what: String| NodeFailure::retryable(code, what);
    let mut child: Child = command.spawn().map_err(|error| failed(format!("{}: {error}", command.as_std().get_program().display())))?;
    let (Some(stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else { return Err(failed("no output".to_owned())) };
    let read_errors = async {
        let mut errors = Vec::new();
        let _ = stderr.read_to_end(&mut errors).await;
        String::from_utf8_lossy(&errors).into_owned()
    };
    let read_lines = async {
        let (mut lines, mut all) = (BufReader::new(stdout).lines(), String::new());
        while let Ok(Some(text)) = lines.next_line().await {
            line(&text);
            all.push_str(&text);
            all.push('\n');
        }
        all
    };
    let (errors, output) = tokio::join!(read_errors, read_lines);
    let status = child.wait().await.map_err(|error| failed(error.to_string()))?;
    if status.success() {
        return Ok(output);
    }
    let last: Vec<&str> = errors.lines().rev().take(5).collect();
    Err(failed(format!("{status}: {}", last.into_iter().rev().collect::<Vec<_>>().join("\n"))))
}
