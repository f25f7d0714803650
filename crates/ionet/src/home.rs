//! Where everything of this user lives on disk: the wallet, the local network's chain, store, keys and agents.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use fs2::FileExt;
use serde::{Deserialize, Serialize};

use crate::exit::Failure;

/// The data directory.
#[derive(Debug, Clone)]
pub struct Home {
    dir: PathBuf,
}

/// Where a running local network is reached; written by who runs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Running {
    /// URL of its API.
    pub url: String,
    /// URL of its chain's JSON-RPC.
    pub rpc_url: String,
    /// Process that runs it.
    pub pid: u32,
}

/// Held while a network runs in this directory: two would fight over one chain.
#[derive(Debug)]
pub struct NetworkLock {
    _file: fs::File,
    running: PathBuf,
}

impl Home {
    /// The directory that the user named, or `~/.local/share/ionet`. Created, for this user only.
    pub fn open(dir: Option<&Path>) -> Result<Self> {
        let dir = match dir {
            Some(dir) => dir.to_path_buf(),
            None => default_dir()?,
        };
        private_dir(&dir)?;
        let dir = dir.canonicalize().with_context(|| format!("cannot use {}", dir.display()))?;
        Ok(Self { dir })
    }

    /// The directory itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The wallet's file.
    pub fn wallet(&self) -> PathBuf {
        self.dir.join("wallet.json")
    }

    /// Directory of the local network's chain.
    pub fn chain(&self) -> PathBuf {
        self.dir.join("network/chain")
    }

    /// Directory of the operator's keys of the local network.
    pub fn keys(&self) -> PathBuf {
        self.dir.join("network/keys")
    }

    /// Directory of the control plane's store.
    pub fn store(&self) -> PathBuf {
        self.dir.join("network/store")
    }

    /// Directory of the published epochs.
    pub fn epochs(&self) -> PathBuf {
        self.dir.join("network/epochs")
    }

    /// Directory of local agent number `index`.
    pub fn agent(&self, index: usize) -> PathBuf {
        self.dir.join(format!("agents/{index}"))
    }

    /// The local network that is said to run; whether it still does is for the caller to ask it.
    pub fn running(&self) -> Result<Option<Running>> {
        let path = self.running_path();
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
        };
        // Half a file is what a crash leaves: nothing runs then.
        Ok(serde_json::from_slice(&bytes).ok())
    }

    /// Takes the right to run a network here.
    pub fn lock_network(&self) -> Result<NetworkLock> {
        private_dir(&self.dir.join("network"))?;
        let path = self.dir.join("network/lock");
        let file = fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .with_context(|| format!("cannot open {}", path.display()))?;
        if let Err(error) = file.try_lock_exclusive() {
            return Err(error).context(
                Failure::new(format!("another process runs the network in {}", self.dir.display()))
                    .hint("wait for it, use it (`ionet clusters list`), or choose another directory with --dir"),
            );
        }
        Ok(NetworkLock { _file: file, running: self.running_path() })
    }

    fn running_path(&self) -> PathBuf {
        self.dir.join("network/running.json")
    }
}

impl NetworkLock {
    /// Tells other commands where the network is.
    pub fn announce(&self, running: &Running) -> Result<()> {
        let bytes = serde_json::to_vec_pretty(running)?;
        let fresh = self.running.with_extension("new");
        fs::write(&fresh, bytes)
            .and_then(|()| fs::rename(&fresh, &self.running))
            .with_context(|| format!("cannot write {}", self.running.display()))
    }
}

impl Drop for NetworkLock {
    fn drop(&mut self) {
        // A file that stays is no harm: who reads it asks the network whether it is alive.
        let _ = fs::remove_file(&self.running);
    }
}

fn default_dir() -> Result<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value: &std::ffi::OsString| !value.is_empty()).map(PathBuf::from);
    if let Some(data) = variable("XDG_DATA_HOME") {
        return Ok(data.join("ionet"));
    }
    let home = variable("HOME").ok_or_else(|| Failure::new("there is no home directory").hint("set IONET_HOME or use --dir"))?;
    Ok(home.join(".local/share/ionet"))
}

/// Makes a directory that only this user may enter.
fn private_dir(dir: &Path) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;

    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).with_context(|| format!("cannot create {}", dir.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_network_at_a_time_and_the_announcement_goes_with_it() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(Some(&dir.path().join("new/home"))).unwrap();
        assert_eq!(home.running().unwrap(), None);
        let running = Running { url: "http://127.0.0.1:1".into(), rpc_url: "http://127.0.0.1:2".into(), pid: 3 };
        let lock = home.lock_network().unwrap();
        lock.announce(&running).unwrap();
        assert_eq!(home.running().unwrap(), Some(running));
        assert!(home.lock_network().is_err());
        drop(lock);
        assert_eq!(home.running().unwrap(), None);
        assert!(home.lock_network().is_ok());
    }

    #[test]
    fn half_an_announcement_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home::open(Some(dir.path())).unwrap();
        drop(home.lock_network().unwrap());
        fs::write(home.running_path(), "{\"url\": \"http").unwrap();
        assert_eq!(home.running().unwrap(), None);
    }
}
