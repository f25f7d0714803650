//! The customer's wallet: one keypair file in Solana's own format, for this user's eyes only.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use solana_address::Address;
use solana_keypair::Keypair;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::exit::Failure;

/// A key that can sign, and the file it came from.
#[derive(Debug)]
pub struct Wallet {
    keypair: Keypair,
    path: PathBuf,
}

impl Wallet {
    /// Reads the file. One that others can read is refused: its money is theirs too.
    pub fn read(path: &Path) -> Result<Self> {
        let meta = fs::metadata(path).with_context(|| {
            Failure::new(format!("there is no wallet at {}", path.display()))
                .hint("make one with `ionet wallet new`, or name another with --wallet")
        })?;
        let mode = meta.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(Failure::new(format!("others on this machine can use the wallet {} (mode {mode:o})", path.display()))
                .hint(format!("chmod 600 {}", path.display()))
                .into());
        }
        // The causes are not shown: they might quote the key.
        let keypair = solana_keypair::read_keypair_file(path).map_err(|_| {
            Failure::new(format!("{} is not a Solana keypair file", path.display()))
                .hint("it must hold a JSON list of 64 numbers, as `solana-keygen new` writes it")
        })?;
        Ok(Self { keypair, path: path.to_path_buf() })
    }

    /// Makes a new wallet; never overwrites one.
    pub fn create(path: &Path) -> Result<Self> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).with_context(|| format!("cannot create {}", parent.display()))?;
        }
        let keypair = Keypair::new();
        let bytes: Vec<String> = keypair.to_bytes().iter().map(u8::to_string).collect();
        let text = format!("[{}]", bytes.join(","));
        // Written beside and linked into place: the wallet is there whole or not at all, and an existing one stays.
        let fresh = path.with_extension(format!("new-{}", std::process::id()));
        let written = fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)
            .and_then(|mut file| {
                file.write_all(text.as_bytes())?;
                file.sync_all()
            })
            .and_then(|()| fs::hard_link(&fresh, path));
        let _ = fs::remove_file(&fresh);
        match written {
            Ok(()) => Ok(Self { keypair, path: path.to_path_buf() }),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(anyhow!(
                Failure::new(format!("there is a wallet at {} already", path.display()))
                    .hint("it was left as it is; name another file with --wallet")
            )),
            Err(error) => Err(error).with_context(|| format!("cannot write the wallet {}", path.display())),
        }
    }

    /// Reads the wallet, or makes it on first use. Tells whether it is new.
    pub fn read_or_create(path: &Path) -> Result<(Self, bool)> {
        if path.exists() {
            return Ok((Self::read(path)?, false));
        }
        match Self::create(path) {
            Ok(wallet) => Ok((wallet, true)),
            // Another command was faster.
            Err(_) if path.exists() => Ok((Self::read(path)?, false)),
            Err(error) => Err(error),
        }
    }

    /// Its address.
    pub fn address(&self) -> Address {
        self.keypair.pubkey()
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Signature {
        self.keypair.sign_message(message)
    }
}

/// An address as the API writes it.
pub fn wire_address(address: Address) -> ionet_types::Address {
    ionet_types::Address(address.to_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wallet_is_made_once_private_and_in_solanas_format() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sub/wallet.json");
        let (first, new) = Wallet::read_or_create(&path).unwrap();
        assert!(new);
        let (second, new) = Wallet::read_or_create(&path).unwrap();
        assert!(!new);
        assert_eq!(first.address(), second.address());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let numbers: Vec<u8> = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        assert_eq!(numbers.len(), 64);
        assert_eq!(&numbers[32..], first.address().as_ref());
        let error = crate::exit::render(&Wallet::create(&path).unwrap_err());
        assert!(error.contains("already"), "{error}");
        assert!(first.sign(b"hello").verify(first.address().as_ref(), b"hello"));
    }

    #[test]
    fn a_wallet_open_to_others_or_of_another_format_is_refused_without_showing_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("wallet.json");
        Wallet::create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = crate::exit::render(&Wallet::read(&path).unwrap_err());
        assert!(error.contains("chmod 600"), "{error}");
        fs::write(&path, "[1,2,secret]").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let error = crate::exit::render(&Wallet::read(&path).unwrap_err());
        assert!(error.contains("not a Solana keypair") && !error.contains("secret"), "{error}");
    }
}
