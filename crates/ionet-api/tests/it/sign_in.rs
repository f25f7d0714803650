//! Sign-in: only the wallet itself, once, in time.

use reqwest::StatusCode;
use serde_json::json;
use solana_keypair::Keypair;
use solana_signer::Signer as _;

use crate::world::World;

#[tokio::test]
async fn a_challenge_opens_one_session_for_its_own_wallet_in_time() {
    let world = World::open().await;
    let (wallet, other) = (Keypair::new(), Keypair::new());
    let (message, signature) = world.signed_challenge(&wallet).await;
    let host = world.base.trim_start_matches("http://");
    assert!(message.starts_with(&format!("{host} wants you to sign in with your Solana account:\n{}\n", wallet.pubkey())), "{message}");
    let before = world.everything().await;
    let sign_in = async |message: &str, signature: &str| {
        world.post("/v1/auth/sessions", None, &json!({ "message": message, "signature": signature })).await
    };
    let forged = other.sign_message(message.as_bytes()).to_string();
    sign_in(&message, &forged).await.refuses(401, "signature_invalid");
    sign_in(&message, &wallet.sign_message(b"something else").to_string()).await.refuses(401, "signature_invalid");
    for signature in ["", "1", &"1".repeat(64), &"1".repeat(10_000), "0OIl", &format!("{signature}1"), &signature[1..], "\u{0}"] {
        sign_in(&message, signature).await.refuses(401, "signature_invalid");
    }
    let changed = message.replace(&wallet.pubkey().to_string(), &other.pubkey().to_string());
    sign_in(&changed, &other.sign_message(changed.as_bytes()).to_string()).await.refuses(401, "challenge_invalid");
    let invented = format!("{message} ");
    sign_in(&invented, &wallet.sign_message(invented.as_bytes()).to_string()).await.refuses(401, "challenge_invalid");
    assert_eq!(world.everything().await, before, "a refused sign-in changed something");

    let session = sign_in(&message, &signature).await.expect(StatusCode::CREATED);
    let token = session["token"].as_str().unwrap();
    assert!(token.starts_with("ionets_"));
    assert_eq!(session["wallet"], json!(wallet.pubkey().to_string()));
    world.get("/v1/clusters", Some(token)).await.expect(StatusCode::OK);
    // Replayed.
    let before = world.everything().await;
    sign_in(&message, &signature).await.refuses(401, "challenge_invalid");
    assert_eq!(world.everything().await, before, "a replayed sign-in changed something");

    // Too late.
    let (late, signature) = world.signed_challenge(&wallet).await;
    world.clock.advance_secs(10 * 60 + 1);
    sign_in(&late, &signature).await.refuses(401, "challenge_invalid");
    world.get("/v1/clusters", Some(token)).await.expect(StatusCode::OK);
    world.clock.advance_secs(24 * 3_600);
    world.get("/v1/clusters", Some(token)).await.refuses(401, "unauthenticated");
}

#[tokio::test]
async fn keys_are_shown_once_and_end_in_time() {
    let world = World::open().await;
    let owner = world.customer().await;
    let created =
        owner.post("/v1/keys", &json!({ "name": "ci", "scope": "write", "expires_in_secs": 60 })).await.expect(StatusCode::CREATED);
    let secret = created["secret"].as_str().unwrap();
    let prefix = created["key"]["prefix"].as_str().unwrap();
    assert!(secret.starts_with("ionet_") && secret.starts_with(prefix) && prefix.len() < secret.len() / 2);
    let listed = owner.get("/v1/keys").await.expect(StatusCode::OK);
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    assert!(!listed.to_string().contains(secret), "a secret is shown once");
    assert!(!world.everything().await.iter().any(|row| row.contains(secret) || row.contains(&owner.token)), "a secret is not stored");
    world.get("/v1/clusters", Some(secret)).await.expect(StatusCode::OK);
    world.clock.advance_secs(60);
    world.get("/v1/clusters", Some(secret)).await.refuses(401, "unauthenticated");
    assert_eq!(owner.get("/v1/keys").await.expect(StatusCode::OK)["items"], json!([]));
}
