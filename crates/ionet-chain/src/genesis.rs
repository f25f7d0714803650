//! `genesis.json`: what a chain is made from and never changes: its id, its clock's start, its faucet.

use crate::{ChainClock, ChainError, ChainOptions};
use rand::RngCore;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use solana_hash::Hash;
use solana_keypair::Keypair;
use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// The first slot. Slot 0 is left out because some clients read it as "none".
pub(crate) const GENESIS_SLOT: u64 = 1;
/// Length of a slot on a chain with real time.
pub(crate) const SLOT_MS: i64 = 400;

const FORMAT: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct GenesisFile {
    format: u32,
    clock: String,
    start_unix_ms: i64,
    blockhash_seed: String,
    faucet_secret_key: String,
    identity_secret_key: String,
}

/// The chain's constants.
pub(crate) struct Genesis {
    pub(crate) id: [u8; 32],
    pub(crate) real_clock: bool,
    pub(crate) start_unix_ms: i64,
    pub(crate) blockhash_seed: [u8; 32],
    pub(crate) faucet: Keypair,
    pub(crate) identity: Keypair,
}

impl Genesis {
    pub(crate) fn path(dir: &Path) -> PathBuf {
        dir.join("genesis.json")
    }

    /// The hash clients know the chain by.
    pub(crate) fn hash(&self) -> Hash {
        Hash::new_from_array(self.id)
    }

    /// New keys and a new seed; nothing is written yet.
    pub(crate) fn generate(clock: ChainClock) -> (Self, String) {
        let mut blockhash_seed = [0; 32];
        rand::rng().fill_bytes(&mut blockhash_seed);
        let (clock, start_unix_ms) = match clock {
            ChainClock::Real => ("real", crate::timeline::machine_unix_ms()),
            ChainClock::Stepped { start_unix_secs } => ("stepped", start_unix_secs.saturating_mul(1000)),
        };
        let file = GenesisFile {
            format: FORMAT,
            clock: clock.into(),
            start_unix_ms,
            blockhash_seed: hex::encode(blockhash_seed),
            faucet_secret_key: hex::encode(Keypair::new().to_bytes()),
            identity_secret_key: hex::encode(Keypair::new().to_bytes()),
        };
        let text = serde_json::to_string_pretty(&file).expect("a struct of strings and numbers");
        let genesis = Self::parse(&text).expect("what was just written parses");
        (genesis, text)
    }

    /// Writes the file so that it is either wholly there or not at all. It holds secret keys: owner only.
    pub(crate) fn write(dir: &Path, text: &str) -> Result<(), ChainError> {
        let path = Self::path(dir);
        let temp = dir.join("genesis.json.tmp");
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&temp)
            .map_err(ChainError::io("create", &temp))?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(ChainError::io("write", &temp))?;
        fs::rename(&temp, &path).map_err(ChainError::io("rename", &temp))?;
        crate::journal::sync_dir(dir)
    }

    /// Reads the file; `None` when it is not there.
    pub(crate) fn read(dir: &Path) -> Result<Option<Self>, ChainError> {
        let path = Self::path(dir);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(err) => return Err(ChainError::io("read", &path)(err)),
        };
        Self::parse(&text).map(Some).map_err(|what| ChainError::Damaged {
            path,
            offset: 0,
            what,
            advice: "Restore the file from a backup of this chain; another chain's file does not fit".into(),
        })
    }

    fn parse(text: &str) -> Result<Self, String> {
        let file: GenesisFile = serde_json::from_str(text).map_err(|err| err.to_string())?;
        if file.format != FORMAT {
            return Err(format!("format {} is not known to this version", file.format));
        }
        let real_clock = match file.clock.as_str() {
            "real" => true,
            "stepped" => false,
            other => return Err(format!("clock {other:?} is neither real nor stepped")),
        };
        let mut blockhash_seed = [0; 32];
        hex::decode_to_slice(&file.blockhash_seed, &mut blockhash_seed).map_err(|err| format!("blockhash_seed: {err}"))?;
        // The id covers every byte of the file, so a journal also vouches for its genesis.
        let mut hasher = Sha256::new();
        hasher.update(b"ionet-chain genesis");
        hasher.update(text.as_bytes());
        Ok(Self {
            id: hasher.finalize().into(),
            real_clock,
            start_unix_ms: file.start_unix_ms,
            blockhash_seed,
            faucet: keypair(&file.faucet_secret_key).map_err(|err| format!("faucet_secret_key: {err}"))?,
            identity: keypair(&file.identity_secret_key).map_err(|err| format!("identity_secret_key: {err}"))?,
        })
    }

    /// Refuses a directory whose clock is of the other kind.
    pub(crate) fn check_clock(&self, options: &ChainOptions) -> Result<(), ChainError> {
        let name = |real| if real { "real" } else { "stepped" };
        let asked = matches!(options.clock, ChainClock::Real);
        if asked == self.real_clock {
            return Ok(());
        }
        Err(ChainError::ClockMismatch { dir: options.dir.clone(), found: name(self.real_clock), asked: name(asked) })
    }
}

fn keypair(text: &str) -> Result<Keypair, String> {
    let bytes = hex::decode(text).map_err(|err| err.to_string())?;
    Keypair::try_from(bytes.as_slice()).map_err(|err| err.to_string())
}
