//! Wallets sign in, keys act for them, nobody else does.

use ionet_hub::Via;
use ionet_types::Currency;
use ionet_types::keys::{ChallengeRequest, CreateKeyRequest, Scope, SessionRequest};
use ionet_types::page::PageRequest;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::world::{Customer, World, address, sign_in};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wallet_signs_in_once_per_challenge() {
    let world = World::open().await;
    let (hub, wallet, thief) = (&world.hub, Keypair::new(), Keypair::new());
    let challenge = hub.challenge_create(&ChallengeRequest { wallet: address(&wallet) }).await.unwrap();
    assert!(challenge.message.starts_with("127.0.0.1:8080 wants you to sign in with your Solana account:\n"));
    assert!(challenge.message.contains(&wallet.pubkey().to_string()));
    let request = |message: &str, key: &Keypair| SessionRequest {
        message: message.to_owned(),
        signature: key.sign_message(message.as_bytes()).to_string(),
    };
    let refused = async |request: SessionRequest| hub.session_create(&request).await.unwrap_err().code();
    assert_eq!(refused(request(&challenge.message, &thief)).await, "signature_invalid");
    assert_eq!(
        refused(SessionRequest { signature: "x".repeat(10_000), ..request(&challenge.message, &wallet) }).await,
        "signature_invalid"
    );
    let changed = challenge.message.replace("moves no money", "moves all money");
    assert_eq!(refused(request(&changed, &wallet)).await, "challenge_invalid");
    assert_eq!(refused(request(&"x".repeat(10_000), &wallet)).await, "challenge_invalid");

    let session = hub.session_create(&request(&challenge.message, &wallet)).await.unwrap();
    assert_eq!(session.wallet, address(&wallet));
    assert_eq!(refused(request(&challenge.message, &wallet)).await, "challenge_invalid");
    let caller = hub.authenticate(&session.token).await.unwrap();
    assert_eq!((caller.wallet, caller.scope, caller.via), (address(&wallet), Scope::Write, Via::Session));
    for token in ["", "ionets_", "ionet_", "Bearer", &session.token[1..], &"x".repeat(10_000)] {
        assert_eq!(hub.authenticate(token).await.unwrap_err().code(), "unauthenticated");
    }
    // Time ends both.
    let old = hub.challenge_create(&ChallengeRequest { wallet: address(&wallet) }).await.unwrap();
    world.advance_secs(601).await;
    assert_eq!(refused(request(&old.message, &wallet)).await, "challenge_invalid");
    world.advance_secs(24 * 3_600).await;
    assert_eq!(hub.authenticate(&session.token).await.unwrap_err().code(), "unauthenticated");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_does_what_its_scope_allows() {
    let world = World::open().await;
    let _agents = world.agents(1).await;
    let (hub, wallet) = (&world.hub, Keypair::new());
    let owner = sign_in(hub, &wallet).await;
    let new = |scope| CreateKeyRequest { name: "ci".to_owned(), scope, expires_in_secs: Some(3_600) };
    let read = hub.key_create(&owner, &new(Scope::Read)).await.unwrap();
    let write = hub.key_create(&owner, &new(Scope::Write)).await.unwrap();
    assert!(read.secret.starts_with(&read.key.prefix) && read.secret.len() > 40);
    let terms = Customer::terms(1, 60, Currency::Usdc);

    let reader = hub.authenticate(&read.secret).await.unwrap();
    assert_eq!((reader.wallet, reader.via), (address(&wallet), Via::Key(read.key.id)));
    assert_eq!(hub.cluster_book(&reader, &terms, None).await.unwrap_err().code(), "scope_insufficient");
    hub.cluster_list(&reader, &PageRequest::default()).await.unwrap();
    let writer = hub.authenticate(&write.secret).await.unwrap();
    hub.cluster_book(&writer, &terms, None).await.unwrap();
    // A key makes and revokes no keys.
    assert_eq!(hub.key_create(&writer, &new(Scope::Read)).await.unwrap_err().code(), "scope_insufficient");
    assert_eq!(hub.key_revoke(&writer, read.key.id).await.unwrap_err().code(), "scope_insufficient");

    assert_eq!(hub.key_list(&owner).await.unwrap().items, [write.key.clone(), read.key.clone()]);
    let stranger = sign_in(hub, &Keypair::new()).await;
    assert_eq!(hub.key_revoke(&stranger, read.key.id).await.unwrap_err().code(), "key_not_found");
    hub.key_revoke(&owner, read.key.id).await.unwrap();
    assert_eq!(hub.authenticate(&read.secret).await.unwrap_err().code(), "unauthenticated");
    world.advance_secs(3_600).await;
    assert_eq!(hub.authenticate(&write.secret).await.unwrap_err().code(), "unauthenticated");
    let bad = CreateKeyRequest { expires_in_secs: Some(1), ..new(Scope::Read) };
    assert_eq!(hub.key_create(&owner, &bad).await.unwrap_err().code(), "field_out_of_range");
}
