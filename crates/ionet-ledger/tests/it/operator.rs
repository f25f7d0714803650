//! The operator's key files.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::thread;

use ionet_ledger::{KeyRole, Operator};
use solana_signer::Signer;

#[test]
fn keys_are_made_once_for_their_owner_alone_and_never_shown() {
    let dir = tempfile::TempDir::new().unwrap();
    let path = dir.path().join("keys");
    let keys = Operator::open(&path).unwrap();
    let again = Operator::open(&path).unwrap();
    for role in KeyRole::ALL {
        let file = path.join(role.file_name());
        assert_eq!(keys.key(role).pubkey(), again.key(role).pubkey());
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(solana_keypair::read_keypair_file(&file).unwrap().pubkey(), keys.key(role).pubkey());
        let secret = keys.key(role).to_base58_string();
        let shown = format!("{keys:?}");
        assert!(!shown.contains(&secret) && shown.contains(&keys.key(role).pubkey().to_string()));
    }
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(fs::read_dir(&path).unwrap().count(), KeyRole::ALL.len());
}

#[test]
fn a_key_that_others_may_read_or_that_is_no_key_is_refused() {
    let dir = tempfile::TempDir::new().unwrap();
    Operator::open(dir.path()).unwrap();
    let file = dir.path().join(KeyRole::Quote.file_name());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    let error = Operator::open(dir.path()).unwrap_err();
    assert_eq!(error.code(), "key_file");
    assert!(error.to_string().contains("chmod 600"), "{error}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&file, "[1,2,3]").unwrap();
    assert_eq!(Operator::open(dir.path()).unwrap_err().code(), "key_file");
}

#[test]
fn processes_that_make_the_keys_at_once_agree_on_them() {
    let dir = tempfile::TempDir::new().unwrap();
    let opened: Vec<_> = thread::scope(|scope| {
        let open = || scope.spawn(|| Operator::open(dir.path()).unwrap());
        let threads: Vec<_> = (0..8).map(|_| open()).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for role in KeyRole::ALL {
        assert!(opened.iter().all(|keys| keys.key(role).pubkey() == opened[0].key(role).pubkey()));
    }
}
