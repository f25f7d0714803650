//! Join tokens admit as many devices as they say; device codes are decided once and give out one token.

use ionet_store::{CodeDecision, CodeInsert, CodeLimits, NewDeviceCode, NewJoinToken};
use ionet_types::joins::{DeviceCodeStatus, JoinRefusal, JoinToken, PendingDevice, UserCode};
use ionet_types::{Address, JoinTokenId};

use crate::store;

pub(crate) fn token(wallet: Address, secret: u8, max_devices: u32, created_at_unix_secs: i64, holds_secs: i64) -> NewJoinToken {
    let token = JoinToken {
        id: JoinTokenId::new(),
        name: "rack".to_owned(),
        prefix: "ionet_join_abcdef".to_owned(),
        max_devices,
        devices_joined: 0,
        uses_left: max_devices,
        created_at_unix_secs,
        expires_at_unix_secs: created_at_unix_secs + holds_secs,
        revoked_at_unix_secs: None,
    };
    NewJoinToken { token, wallet, secret_hash: [secret; 32] }
}

#[tokio::test]
async fn tokens_belong_to_a_wallet_end_and_are_revoked() {
    let test = store().await;
    let (wallet, other) = (Address([1; 32]), Address([2; 32]));
    let first = token(wallet, 1, 2, 100, 50);
    assert!(test.store.join_token_insert(&first).await.unwrap());
    assert_eq!(test.store.join_tokens(wallet, 110).await.unwrap(), std::slice::from_ref(&first.token));
    assert_eq!(test.store.join_tokens(other, 110).await.unwrap(), []);
    let owner = async |secret: u8, now| test.store.join_token_wallet(&[secret; 32], now).await.unwrap();
    assert_eq!(owner(1, 149).await, Ok(wallet));
    assert_eq!(owner(1, 150).await, Err(JoinRefusal::TokenExpired));
    assert_eq!(owner(2, 110).await, Err(JoinRefusal::TokenInvalid));
    assert!(!test.store.join_token_revoke(other, first.token.id, 120).await.unwrap());
    assert_eq!(owner(1, 130).await, Ok(wallet), "nobody else revokes it");
    assert!(test.store.join_token_revoke(wallet, first.token.id, 120).await.unwrap());
    assert!(test.store.join_token_revoke(wallet, first.token.id, 140).await.unwrap(), "twice is once");
    assert_eq!(owner(1, 130).await, Err(JoinRefusal::TokenRevoked));
    assert_eq!(test.store.join_tokens(wallet, 130).await.unwrap()[0].revoked_at_unix_secs, Some(120));
    for secret in 10..110 {
        assert!(test.store.join_token_insert(&token(wallet, secret, 1, 200, 50)).await.unwrap());
    }
    assert!(!test.store.join_token_insert(&token(wallet, 110, 1, 200, 50)).await.unwrap());
    assert!(test.store.join_token_insert(&token(wallet, 110, 1, 251, 50)).await.unwrap(), "what is over makes room");
}

fn code(user_code: &str, secret: u8, address: &str, asked_at_unix_secs: i64) -> NewDeviceCode {
    let pending = PendingDevice {
        user_code: user_code.parse().unwrap(),
        label: Some("garage".to_owned()),
        address: address.to_owned(),
        asked_at_unix_secs,
        expires_at_unix_secs: asked_at_unix_secs + 600,
        status: DeviceCodeStatus::Pending,
    };
    NewDeviceCode { pending, secret_hash: [secret; 32] }
}

#[tokio::test]
async fn a_code_is_decided_once_and_gives_one_token() {
    let test = store().await;
    let limits = CodeLimits { per_address: 2, total: 3 };
    let wallet = Address([1; 32]);
    let insert = async |new: &NewDeviceCode| test.store.device_code_insert(new, limits).await.unwrap();
    let first = code("BCDF-GHJK", 1, "10.0.0.1", 100);
    assert_eq!(insert(&first).await, CodeInsert::Done);
    assert_eq!(insert(&code("BCDF-GHJK", 2, "10.0.0.1", 100)).await, CodeInsert::Taken);
    assert_eq!(insert(&code("BCDF-GHJL", 2, "10.0.0.1", 100)).await, CodeInsert::Done);
    assert_eq!(insert(&code("BCDF-GHJM", 3, "10.0.0.1", 100)).await, CodeInsert::Limit, "two from one address");
    assert_eq!(insert(&code("BCDF-GHJM", 3, "10.0.0.2", 100)).await, CodeInsert::Done);
    assert_eq!(insert(&code("BCDF-GHJN", 4, "10.0.0.3", 100)).await, CodeInsert::Limit, "three in all");

    let status = async |secret: u8, now| test.store.device_code_status(&[secret; 32], now).await.unwrap();
    let user_code: UserCode = "BCDF-GHJK".parse().unwrap();
    assert_eq!(test.store.device_code(user_code, 110).await.unwrap(), Some(first.pending.clone()));
    assert_eq!(test.store.device_code(user_code, 700).await.unwrap(), None);
    assert_eq!((status(1, 110).await, status(9, 110).await), (Some(DeviceCodeStatus::Pending), None));
    let give = async |secret: u8, at| {
        let new = token(wallet, 100 + secret, 1, at, 600);
        test.store.device_code_give(&[secret; 32], &new.token, new.secret_hash).await.unwrap()
    };
    assert_eq!(give(1, 110).await, None, "nobody has approved");
    let decide = async |code: &str, approve, now| test.store.device_code_decide(code.parse().unwrap(), wallet, approve, now).await.unwrap();
    assert_eq!(decide("BCDF-GHJK", true, 120).await, CodeDecision::Done);
    assert_eq!(decide("BCDF-GHJK", false, 120).await, CodeDecision::Decided, "a yes stays");
    assert_eq!(decide("BCDF-GHJL", false, 120).await, CodeDecision::Done);
    assert_eq!(decide("BCDF-GHJL", true, 120).await, CodeDecision::Decided, "a no stays");
    assert_eq!(decide("BCDF-GHJM", true, 700).await, CodeDecision::Unknown, "too late");
    assert_eq!(decide("ZZZZ-ZZZZ", true, 120).await, CodeDecision::Unknown);
    assert_eq!((status(1, 130).await, status(2, 130).await), (Some(DeviceCodeStatus::Approved), Some(DeviceCodeStatus::Denied)));
    assert_eq!(give(1, 130).await, Some(wallet));
    assert_eq!(give(1, 131).await, None, "given out once");
    assert_eq!((status(1, 131).await, status(3, 700).await), (Some(DeviceCodeStatus::Expired), Some(DeviceCodeStatus::Expired)));
    assert_eq!(test.store.join_token_wallet(&[101; 32], 140).await.unwrap(), Ok(wallet));
    assert_eq!(give(2, 130).await, None);
    // The log tells of all that was decided and made, and of nothing that was refused.
    let entries = test.store.audit_of(wallet, None, 100).await.unwrap();
    let actions: Vec<_> = entries.iter().rev().map(|entry| entry.action.as_str()).collect();
    assert_eq!(actions, ["device_code_approved", "device_code_denied", "join_token_created"]);
}
