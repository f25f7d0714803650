//! The operator's keys: a directory of key files in Solana's JSON format, readable by their owner alone, made on first use.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

use solana_address::Address;
use solana_keypair::{Keypair, read_keypair, write_keypair};
use solana_signer::Signer;

use crate::error::LedgerError;
use crate::instructions::Authorities;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyRole {
    /// Pays all fees and rent.
    Payer,
    /// The network's authority: sets oracles, funds the pool.
    Authority,
    /// Co-signs offers.
    Quote,
    /// Writes starts and work logs, and votes for roots as the network's first bonded verifier.
    Verifier,
    /// Decides appeals and strikes roots of a local network, where elsewhere a multisig does.
    Council,
    /// Submits prices.
    Oracle,
    /// May mint the coins of a local network: its genesis and its faucet.
    Faucet,
    /// The address of the program.
    Program,
    /// The address of the local USDC mint.
    UsdcMint,
    /// The address of the local IO mint.
    IoMint,
}

impl KeyRole {
    /// All roles.
    pub const ALL: [Self; 10] = [
        Self::Payer,
        Self::Authority,
        Self::Quote,
        Self::Verifier,
        Self::Council,
        Self::Oracle,
        Self::Faucet,
        Self::Program,
        Self::UsdcMint,
        Self::IoMint,
    ];

    /// Name of the key's file.
    pub const fn file_name(self) -> &'static str {
        match self {
            Self::Payer => "payer.json",
            Self::Authority => "authority.json",
            Self::Quote => "quote.json",
            Self::Verifier => "verifier.json",
            Self::Council => "council.json",
            Self::Oracle => "oracle.json",
            Self::Faucet => "faucet.json",
            Self::Program => "program.json",
            Self::UsdcMint => "usdc-mint.json",
            Self::IoMint => "io-mint.json",
        }
    }
}

/// The operator's keys. `Debug` shows addresses, never secrets.
pub struct Operator {
    /// [`KeyRole::Payer`].
    pub payer: Keypair,
    /// [`KeyRole::Authority`].
    pub authority: Keypair,
    /// [`KeyRole::Quote`].
    pub quote: Keypair,
    /// [`KeyRole::Verifier`].
    pub verifier: Keypair,
    /// [`KeyRole::Council`].
    pub council: Keypair,
    /// [`KeyRole::Oracle`].
    pub oracle: Keypair,
    /// [`KeyRole::Faucet`].
    pub faucet: Keypair,
    /// [`KeyRole::Program`].
    pub program: Keypair,
    /// [`KeyRole::UsdcMint`].
    pub usdc_mint: Keypair,
    /// [`KeyRole::IoMint`].
    pub io_mint: Keypair,
}

impl Operator {
    /// The keys in `dir`. A key that is missing is made; a file that others may read is refused.
    pub fn open(dir: &Path) -> Result<Self, LedgerError> {
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(dir);
        made.map_err(|error| key_error(dir, &error))?;
        let key = |role: KeyRole| open_key(&dir.join(role.file_name()));
        Ok(Self {
            payer: key(KeyRole::Payer)?,
            authority: key(KeyRole::Authority)?,
            quote: key(KeyRole::Quote)?,
            verifier: key(KeyRole::Verifier)?,
            council: key(KeyRole::Council)?,
            oracle: key(KeyRole::Oracle)?,
            faucet: key(KeyRole::Faucet)?,
            program: key(KeyRole::Program)?,
            usdc_mint: key(KeyRole::UsdcMint)?,
            io_mint: key(KeyRole::IoMint)?,
        })
    }

    /// The key of a role.
    pub const fn key(&self, role: KeyRole) -> &Keypair {
        match role {
            KeyRole::Payer => &self.payer,
            KeyRole::Authority => &self.authority,
            KeyRole::Quote => &self.quote,
            KeyRole::Verifier => &self.verifier,
            KeyRole::Council => &self.council,
            KeyRole::Oracle => &self.oracle,
            KeyRole::Faucet => &self.faucet,
            KeyRole::Program => &self.program,
            KeyRole::UsdcMint => &self.usdc_mint,
            KeyRole::IoMint => &self.io_mint,
        }
    }

    /// Address of the program.
    pub fn program_id(&self) -> Address {
        self.program.pubkey()
    }

    /// The authorities that a network of this operator records.
    pub fn authorities(&self) -> Authorities {
        Authorities { authority: self.authority.pubkey(), quote_authority: self.quote.pubkey(), verifier: self.verifier.pubkey() }
    }
}

impl fmt::Debug for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("Operator");
        for role in KeyRole::ALL {
            debug.field(role.file_name(), &self.key(role).pubkey());
        }
        debug.finish()
    }
}

fn key_error(path: &Path, reason: &dyn fmt::Display) -> LedgerError {
    LedgerError::KeyFile { path: path.to_path_buf(), reason: reason.to_string() }
}

fn open_key(path: &Path) -> Result<Keypair, LedgerError> {
    let error = |reason: &dyn fmt::Display| key_error(path, reason);
    let mut file = match fs::File::open(path) {
        Ok(file) => file,
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
            make_key(path).map_err(|reason| error(&reason))?;
            fs::File::open(path).map_err(|reason| error(&reason))?
        }
        Err(reason) => return Err(error(&reason)),
    };
    let mode = file.metadata().map_err(|reason| error(&reason))?.permissions().mode();
    if mode & 0o077 != 0 {
        return Err(error(&format_args!("others may read it: run chmod 600 {}", path.display())));
    }
    read_keypair(&mut file).map_err(|reason| error(&reason))
}

/// Writes a new key so that its file is whole or not there, and so that of two processes that make it at once both use the same one.
fn make_key(path: &Path) -> io::Result<()> {
    let key = Keypair::new();
    let temp = path.with_extension(format!("{}.tmp", key.pubkey()));
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temp)?;
    let written = write_keypair(&key, &mut file)
        .map_err(|reason| io::Error::other(reason.to_string()))
        .and_then(|_| file.flush())
        .and_then(|()| file.sync_all())
        // Unlike a rename, a link does not replace what another process has put there.
        .and_then(|()| match fs::hard_link(&temp, path) {
            Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other,
        });
    fs::remove_file(&temp)?;
    written?;
    path.parent().map_or(Ok(()), |dir| fs::File::open(dir)?.sync_all())
}
