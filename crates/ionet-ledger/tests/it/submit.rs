//! Submitting: what is not fully signed, what expired, what was sent before, what cannot be decoded.

use std::sync::Arc;

use ionet_ledger::{Ledger, add_signature, decode_transaction, encode_transaction, instructions, message_hash};
use ionet_rules::money::{Currency, Units};
use solana_keypair::Keypair;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signer::Signer;

use crate::world::World;

#[tokio::test]
async fn a_prepared_transaction_lacks_the_customer_and_survives_the_wire() {
    let world = World::open().await;
    let customer = world.customer().await;
    let cluster = world.book(&customer, Currency::Usdc, 1, 60).await;
    let at = *world.ledger.addresses().await.unwrap();
    let pay = instructions::pay(&at, customer.pubkey(), &cluster, Currency::Usdc, Units(500), 0);
    let (payer, who) = (&world.keys.payer, customer.pubkey());
    let prepared = world.ledger.prepare(std::slice::from_ref(&pay), payer, &[], &who).await.unwrap();

    let simulated = world.ledger.simulate(&prepared.transaction).await.unwrap();
    assert_eq!(simulated.failure, None, "{simulated:?}");
    assert!(simulated.units_consumed > 0);

    let error = world.ledger.submit(&prepared.transaction).await.unwrap_err();
    assert_eq!(error.code(), "signature_missing");
    assert!(error.to_string().contains(&who.to_string()));

    let mut sent = decode_transaction(&prepared.base64).unwrap();
    assert_eq!(message_hash(&sent), prepared.message_hash);
    assert_eq!(add_signature(&mut sent, &Keypair::new()).unwrap_err().code(), "malformed");
    add_signature(&mut sent, &customer).unwrap();
    assert_eq!(sent, prepared.sign(&customer).unwrap());
    let sent = decode_transaction(&encode_transaction(&sent).unwrap()).unwrap();
    let signature = world.ledger.submit(&sent).await.unwrap();
    // Sending the same transaction again is the same payment.
    assert_eq!(world.ledger.submit(&sent).await.unwrap(), signature);
    assert_eq!(world.booking(&cluster).await.book.paid, Units(500));

    let mut tampered = sent.clone();
    let mut bytes = <[u8; 64]>::from(tampered.signatures[1]);
    bytes[3] ^= 1;
    tampered.signatures[1] = bytes.into();
    assert_eq!(world.ledger.submit(&tampered).await.unwrap_err().code(), "signature_missing");
    // Another signer than the customer missing is the network's own mistake.
    let wrong = world.ledger.prepare(&[pay], payer, &[], &Keypair::new().pubkey()).await.unwrap_err();
    assert_eq!(wrong.code(), "signature_missing");
}

#[tokio::test]
async fn a_transaction_signed_too_late_expires_and_moves_nothing() {
    let world = World::open().await;
    let customer = world.customer().await;
    let cluster = world.book(&customer, Currency::Usdc, 1, 60).await;
    let at = *world.ledger.addresses().await.unwrap();
    let pay = instructions::pay(&at, customer.pubkey(), &cluster, Currency::Usdc, Units(500), 0);
    let prepared = world.ledger.prepare(&[pay], &world.keys.payer, &[], &customer.pubkey()).await.unwrap();
    let transaction = prepared.sign(&customer).unwrap();
    while world.ledger.rpc.get_block_height().await.unwrap() <= prepared.last_valid_block_height {
        world.chain.advance_secs(1).await.unwrap();
    }
    assert_eq!(world.ledger.submit(&transaction).await.unwrap_err().code(), "transaction_expired");
    assert!(world.booking(&cluster).await.book.paid.is_zero());
}

#[test]
fn what_is_no_transaction_is_refused() {
    let cases = [String::new(), "%".into(), "AAAA".into(), "A".repeat(4000), "AQ==".into()];
    for case in cases {
        assert_eq!(decode_transaction(&case).unwrap_err().code(), "malformed", "{case}");
    }
}

proptest::proptest! {
    #[test]
    fn no_base64_makes_the_decoder_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..1300)) {
        use base64::Engine as _;
        if let Ok(transaction) = decode_transaction(&base64::prelude::BASE64_STANDARD.encode(&bytes)) {
            encode_transaction(&transaction).unwrap();
        }
    }
}

#[tokio::test]
async fn an_endpoint_that_is_not_there_is_a_retryable_error() {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let rpc = Arc::new(RpcClient::new(format!("http://127.0.0.1:{port}")));
    let ledger = Ledger::new(rpc, Keypair::new().pubkey());
    let error = ledger.network().await.unwrap_err();
    assert_eq!(error.code(), "rpc_unavailable");
    assert!(error.is_retryable());
}
