//! The device's own key: made on the device at the first start, kept there, in the file format of Solana's tools.

use std::{fs, io::Write, os::unix::fs::OpenOptionsExt, path::Path};

use ed25519_dalek::SigningKey;
use ionet_types::agent::device_id;

use crate::AgentError;

/// The device's key pair.
pub struct DeviceKey(SigningKey);

impl DeviceKey {
    /// Reads the key of the agent in `dir`, or makes it.
    pub fn load_or_create(dir: &Path) -> Result<Self, AgentError> {
        let path = dir.join("device.key");
        match fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text).map_err(|reason| AgentError::Damaged { path, reason }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Self::create(dir, &path),
            Err(error) => Err(AgentError::file("cannot read", path)(error)),
        }
    }

    /// The device's name: base58 of the public key.
    pub fn device_id(&self) -> String {
        device_id(self.0.verifying_key().as_bytes())
    }

    pub(crate) fn signing_key(&self) -> &SigningKey {
        &self.0
    }

    fn create(dir: &Path, path: &Path) -> Result<Self, AgentError> {
        let key = SigningKey::from_bytes(&rand::random());
        let text = serde_json::to_string(&key.to_keypair_bytes().to_vec()).expect("numbers are always JSON");
        // Under another name first, so that a crash leaves no half a key.
        let draft = dir.join("device.key.new");
        let write = || -> std::io::Result<()> {
            let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&draft, path)?;
            fs::File::open(dir)?.sync_all()
        };
        write().map_err(AgentError::file("cannot write", path))?;
        Ok(Self(key))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let bytes: Vec<u8> = serde_json::from_str(text).map_err(|_| "not a list of bytes".to_owned())?;
        let bytes: [u8; 64] = bytes.try_into().map_err(|_| "not 64 bytes".to_owned())?;
        let key = SigningKey::from_keypair_bytes(&bytes).map_err(|_| "its halves do not belong together".to_owned())?;
        Ok(Self(key))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_key_is_made_once_and_for_its_owner_only() {
        let dir = tempfile::tempdir().unwrap();
        let first = DeviceKey::load_or_create(dir.path()).unwrap();
        let second = DeviceKey::load_or_create(dir.path()).unwrap();
        assert_eq!(first.device_id(), second.device_id());
        let mode = fs::metadata(dir.path().join("device.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }

    #[test]
    fn a_damaged_key_is_refused_and_kept() {
        let dir = tempfile::tempdir().unwrap();
        for bad in ["", "{}", "[1,2]", "[256]", &format!("{:?}", [7u8; 64])] {
            fs::write(dir.path().join("device.key"), bad).unwrap();
            assert_eq!(DeviceKey::load_or_create(dir.path()).err().unwrap().code(), "agent_file_damaged", "{bad}");
            assert_eq!(fs::read_to_string(dir.path().join("device.key")).unwrap(), bad);
        }
    }
}
