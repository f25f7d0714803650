//! Who is let in, against a model of an honest device and a thief with a copy of its key.

use ionet_store::{Admitted, Presented, Reported};
use ionet_types::Address;
use ionet_types::agent::{Declared, Hardware};
use ionet_types::audit::Actor;
use ionet_types::joins::JoinRefusal;
use ionet_types::market::Location;
use proptest::prelude::*;

use crate::joins::token;
use crate::{TestStore, device, hardware, store};

fn reported(hardware: &Hardware, owner: Option<Address>) -> Reported<'_> {
    let declared = Declared { owner, running_for_secs: None };
    Reported { label: None, hardware, location: &Location::UNKNOWN, agent_version: "0.1.0", declared }
}

fn presented(token: Option<u8>, credential: Option<u8>, offered: u8) -> Presented<'static> {
    let hash = |byte: Option<u8>| byte.map(|byte| [byte; 32]);
    Presented { token_hash: hash(token), credential_hash: hash(credential), offered_hash: [offered; 32], open: false, address: "192.0.2.1" }
}

fn let_in(is_new: bool, owner: Option<Address>) -> Admitted {
    Admitted { is_new, owner, is_suspect: false }
}

impl TestStore {
    async fn admit(&self, number: u8, owner: Option<Address>, presented: &Presented<'_>, now: i64) -> Result<Admitted, JoinRefusal> {
        let hardware = hardware();
        self.store.device_admit(device(number), &reported(&hardware, owner), presented, now).await.unwrap()
    }

    async fn joined(&self, wallet: Address) -> u32 {
        self.store.join_tokens(wallet, 100).await.unwrap()[0].devices_joined
    }
}

#[tokio::test]
async fn a_token_admits_so_many_devices_for_its_wallet() {
    let test = store().await;
    let (wallet, other) = (Address([1; 32]), Address([2; 32]));
    test.store.join_token_insert(&token(wallet, 50, 2, 100, 100)).await.unwrap();
    let with = |secret| presented(secret, None, 9);
    assert_eq!(test.admit(1, None, &with(None), 110).await, Err(JoinRefusal::TokenMissing));
    assert_eq!(test.admit(1, None, &with(Some(51)), 110).await, Err(JoinRefusal::TokenInvalid));
    assert_eq!(test.admit(1, Some(other), &with(Some(50)), 110).await, Err(JoinRefusal::OwnerMismatch));
    assert_eq!(test.joined(wallet).await, 0, "who is refused uses nothing up");
    assert!(test.store.device(device(1)).await.unwrap().is_none(), "and leaves nothing behind");
    assert_eq!(test.admit(1, None, &with(Some(50)), 110).await, Ok(let_in(true, Some(wallet))));
    assert_eq!(test.store.device(device(1)).await.unwrap().unwrap().owner, Some(wallet));
    // It comes again: with the token, without, and with a lie about its owner.
    assert_eq!(test.admit(1, None, &with(Some(50)), 120).await, Ok(let_in(false, Some(wallet))));
    assert_eq!(test.admit(1, None, &with(None), 120).await, Ok(let_in(false, Some(wallet))));
    assert_eq!(test.admit(1, Some(other), &with(None), 120).await, Err(JoinRefusal::OwnerMismatch));
    assert_eq!(test.store.device(device(1)).await.unwrap().unwrap().owner, Some(wallet));
    assert_eq!(test.joined(wallet).await, 1);
    assert_eq!(test.admit(2, Some(wallet), &with(Some(50)), 120).await, Ok(let_in(true, Some(wallet))));
    assert_eq!(test.admit(3, None, &with(Some(50)), 120).await, Err(JoinRefusal::TokenExhausted));
    assert_eq!(test.joined(wallet).await, 2);
    test.store.join_token_insert(&token(wallet, 60, 9, 100, 100)).await.unwrap();
    assert_eq!(test.admit(3, None, &with(Some(60)), 200).await, Err(JoinRefusal::TokenExpired));
}

#[tokio::test]
async fn a_device_from_before_tokens_stays_in_and_may_be_claimed_once() {
    let test = store().await;
    let (wallet, other) = (Address([1; 32]), Address([2; 32]));
    let hardware = hardware();
    test.store.device_connected(device(1), &reported(&hardware, None), 50).await.unwrap();
    test.store.join_token_insert(&token(wallet, 50, 1, 100, 100)).await.unwrap();
    test.store.join_token_insert(&token(other, 60, 1, 100, 100)).await.unwrap();
    assert_eq!(test.admit(1, None, &presented(None, None, 2), 110).await, Ok(let_in(false, None)));
    assert_eq!(test.store.device(device(1)).await.unwrap().unwrap().registered_at_unix_secs, 50);
    assert_eq!(test.admit(1, None, &presented(Some(50), Some(2), 3), 110).await, Ok(let_in(false, Some(wallet))));
    assert_eq!(test.admit(1, None, &presented(Some(60), Some(3), 4), 110).await, Ok(let_in(false, Some(wallet))));
    assert_eq!(test.joined(other).await, 0, "a token for nothing is not used up");
}

#[tokio::test]
async fn a_copied_key_blocks_the_device_until_its_owner_resets_it() {
    let test = store().await;
    let (wallet, other) = (Address([1; 32]), Address([2; 32]));
    test.store.join_token_insert(&token(wallet, 50, 1, 100, 100)).await.unwrap();
    let come =
        async |credential, offered| test.admit(1, None, &presented(None, credential, offered), 110).await.map(|admitted| admitted.is_new);
    assert!(test.admit(1, None, &presented(Some(50), None, 1), 110).await.unwrap().is_new);
    assert_eq!(come(Some(1), 2).await, Ok(false));
    assert_eq!(come(Some(1), 3).await, Ok(false), "the message with the second was lost");
    assert_eq!(come(Some(3), 4).await, Ok(false));
    assert_eq!(test.store.credential_reused_at(device(1)).await.unwrap(), None);
    for (credential, offered) in [(None, 5), (Some(1), 6), (Some(2), 7), (Some(99), 8)] {
        assert_eq!(come(credential, offered).await, Err(JoinRefusal::CredentialReused), "{credential:?}");
    }
    assert_eq!(test.store.credential_reused_at(device(1)).await.unwrap(), Some(110));
    // The device itself goes on: what runs on it is somebody's paid work.
    let admitted = test.admit(1, None, &presented(None, Some(4), 9), 115).await.unwrap();
    assert!(admitted.is_suspect && !admitted.is_new);
    assert_eq!(test.store.credential_reused_at(device(1)).await.unwrap(), Some(110));

    assert_eq!(test.store.credential_reset(device(1), other, 120).await.unwrap(), Some(false));
    assert_eq!(test.store.credential_reset(device(9), wallet, 120).await.unwrap(), None);
    assert_eq!(come(Some(1), 10).await, Err(JoinRefusal::CredentialReused), "nobody else resets it");
    assert_eq!(test.store.credential_reset(device(1), wallet, 120).await.unwrap(), Some(true));
    assert_eq!(test.store.credential_reused_at(device(1)).await.unwrap(), None);
    assert_eq!(come(Some(1), 11).await, Ok(false), "what it still holds is of no account now");
    assert_eq!(come(Some(11), 12).await, Ok(false));
    let actions: Vec<_> =
        test.store.audit_of(wallet, None, 100).await.unwrap().into_iter().rev().map(|entry| (entry.actor, entry.action)).collect();
    let told = [
        (Actor::Wallet(wallet), "join_token_created"),
        (Actor::Device(device(1)), "device_joined"),
        (Actor::Device(device(1)), "credential_reused"),
        (Actor::Wallet(wallet), "credential_reset"),
    ];
    assert_eq!(actions, told.map(|(actor, action)| (actor, action.to_owned())), "each once, however often it was tried");
}

/// What happens to a device whose key was copied.
#[derive(Debug, Clone, Copy)]
enum Step {
    /// The device connects, and gets its new credential or not.
    Device { arrives: bool },
    /// The thief connects with what it has.
    Thief { arrives: bool },
    /// The thief copies the device's directory, credential and all.
    Copy,
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn two_holders_of_one_key_are_found_out(steps in prop::collection::vec(
        prop_oneof![
            4 => any::<bool>().prop_map(|arrives| Step::Device { arrives }),
            2 => any::<bool>().prop_map(|arrives| Step::Thief { arrives }),
            1 => Just(Step::Copy),
        ], 1..24))
    {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
            let test = store().await;
            let wallet = Address([1; 32]);
            test.store.join_token_insert(&token(wallet, 50, 1, 100, 100)).await.unwrap();
            assert!(test.admit(1, None, &presented(Some(50), None, 1), 110).await.is_ok());
            // The key was copied at once; each holds what it was last given.
            let (mut device, mut thief) = (Some(1), None);
            let mut offered = 1;
            let mut thief_got_in = false;
            for step in steps {
                let (holds, is_thief, arrives) = match step {
                    Step::Copy => { thief = device; continue; }
                    Step::Device { arrives } => (device, false, arrives),
                    Step::Thief { arrives } => (thief, true, arrives),
                };
                offered += 1;
                let admitted = test.admit(1, None, &presented(None, holds, offered), 110).await;
                if admitted.is_ok() {
                    thief_got_in |= is_thief;
                    let slot = if is_thief { &mut thief } else { &mut device };
                    if arrives { *slot = Some(offered); }
                } else {
                    assert_eq!(admitted, Err(JoinRefusal::CredentialReused));
                    let noted = test.store.credential_reused_at(crate::device(1)).await.unwrap();
                    assert_eq!(noted, Some(110), "what was refused is remembered");
                    // An honest device is refused only when somebody else was let in with its key.
                    assert!(is_thief || thief_got_in);
                }
            }
        });
    }
}
