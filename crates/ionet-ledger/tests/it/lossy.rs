//! A wire that loses requests and answers: nothing is done twice, nothing is reported that did not happen.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ionet_chain::Chain;
use ionet_ledger::{Ledger, LedgerError, StepOutcome, instructions};
use ionet_rules::booking::WorkLog;
use ionet_rules::money::{Currency, Units};
use ionet_rules::worklog::EndReason;
use serde_json::Value;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client::rpc_client::RpcClientConfig;
use solana_rpc_client::rpc_sender::{RpcSender, RpcTransportStats};
use solana_rpc_client_api::client_error::Result as ClientResult;
use solana_rpc_client_api::request::RpcRequest;
use solana_signer::Signer;
use tokio::time::timeout;

use crate::world::World;

/// More blocks than a blockhash lives (150 of them, and the one it is of).
const BLOCKHASH_LIFE_BLOCKS: usize = 200;

/// What happens to call number `n` of a method.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Delivered,
    RequestLost,
    AnswerLost,
    /// Delivered; but before the answer arrives, more blocks go by than a blockhash lives, as on a machine that was asleep.
    Overslept,
    /// Answered from recent statuses, which know nothing any more, unless the whole history is asked for.
    Forgotten,
}

struct Lossy {
    chain: Chain,
    calls: AtomicU64,
    fate: fn(RpcRequest, u64) -> Fate,
}

#[async_trait]
impl RpcSender for Lossy {
    async fn send(&self, request: RpcRequest, params: Value) -> ClientResult<Value> {
        let lost = || Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset).into());
        let fate = (self.fate)(request, self.calls.fetch_add(1, Ordering::Relaxed));
        if fate == Fate::RequestLost {
            return lost();
        }
        let whole_history = params.pointer("/1/searchTransactionHistory") == Some(&Value::Bool(true));
        let mut answer = self.chain.request(request.as_str(), params).await;
        if fate == Fate::Forgotten
            && !whole_history
            && let Ok(answer) = &mut answer
        {
            answer["value"] = serde_json::json!([null]);
        }
        if fate == Fate::AnswerLost {
            return lost();
        }
        if fate == Fate::Overslept {
            for _ in 0..BLOCKHASH_LIFE_BLOCKS {
                self.chain.advance_secs(1).await.unwrap();
            }
        }
        answer.map_err(|error| std::io::Error::other(error.to_string()).into())
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        RpcTransportStats::default()
    }

    fn url(&self) -> String {
        "lossy".into()
    }
}

fn lossy(world: &World, fate: fn(RpcRequest, u64) -> Fate) -> Ledger {
    let sender = Lossy { chain: world.chain.clone(), calls: AtomicU64::new(0), fate };
    Ledger::new(Arc::new(RpcClient::new_sender(sender, RpcClientConfig::default())), world.ledger.program_id)
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_and_a_lost_request_sent_again() {
    let world = World::open().await;
    let customer = world.customer().await;
    let cluster = world.book(&customer, Currency::Usdc, 1, 60).await;
    let at = *world.ledger.addresses().await.unwrap();
    let fates: [fn(RpcRequest, u64) -> Fate; 2] = [
        |request, _| if request == RpcRequest::SendTransaction { Fate::AnswerLost } else { Fate::Delivered },
        |request, n| if request == RpcRequest::SendTransaction && n == 0 { Fate::RequestLost } else { Fate::Delivered },
    ];
    for (fate, sequence) in fates.into_iter().zip(0..) {
        let pay = instructions::pay(&at, customer.pubkey(), &cluster, Currency::Usdc, Units(500), sequence);
        let prepared = world.ledger.prepare(&[pay], &world.keys.payer, &[], &customer.pubkey()).await.unwrap();
        let transaction = prepared.sign(&customer).unwrap();
        assert_eq!(lossy(&world, fate).submit(&transaction).await.unwrap(), transaction.signatures[0]);
    }
    assert_eq!(world.booking(&cluster).await.book.paid, Units(1000));
}

#[tokio::test]
async fn what_landed_before_a_long_sleep_is_found_in_the_history() {
    let world = World::open().await;
    let customer = world.customer().await;
    let cluster = world.book(&customer, Currency::Usdc, 1, 60).await;
    let at = *world.ledger.addresses().await.unwrap();
    let ledger = lossy(&world, |request, n| match request {
        RpcRequest::SendTransaction if n == 0 => Fate::Overslept,
        RpcRequest::GetSignatureStatuses => Fate::Forgotten,
        _ => Fate::Delivered,
    });
    let pay = instructions::pay(&at, customer.pubkey(), &cluster, Currency::Usdc, Units(500), 0);
    let prepared = world.ledger.prepare(&[pay], &world.keys.payer, &[], &customer.pubkey()).await.unwrap();
    let transaction = prepared.sign(&customer).unwrap();
    // Far less than the time after which the outcome would be called unknown.
    let submitted = timeout(Duration::from_mins(1), ledger.submit(&transaction)).await.unwrap();
    assert_eq!(submitted.unwrap(), transaction.signatures[0]);
    assert_eq!(world.booking(&cluster).await.book.paid, Units(500));
}

#[tokio::test]
async fn steps_that_are_repeated_until_they_succeed_happen_once() {
    let world = World::open().await;
    // Two of five calls are lost, one of them after it was done.
    let ledger = lossy(&world, |_, n| match (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32) % 5 {
        0 => Fate::RequestLost,
        1 => Fate::AnswerLost,
        _ => Fate::Delivered,
    });
    let customer = world.customer().await;
    let cluster = world.book(&customer, Currency::Usdc, 2, 180).await;
    world.pay_all(&customer, &cluster).await;
    repeat(async || ledger.start(&world.keys, &cluster).await).await;
    let log: WorkLog = world.next_log(&cluster, Some(EndReason::CustomerEnded)).await;
    repeat(async || ledger.worked(&world.keys, &cluster, &log).await).await;
    repeat(async || ledger.refund(&world.keys, &cluster).await).await;
    repeat(async || ledger.repurchase(&world.keys, &cluster).await).await;
    repeat(async || ledger.earn(&world.keys, &cluster).await).await;
    let receipt = world.receipt(&cluster).await;
    assert!(receipt.booking.book.is_settled());
    assert_eq!(receipt.records.len(), 7);
}

async fn repeat(step: impl AsyncFn() -> Result<StepOutcome, LedgerError>) {
    while let Err(error) = step().await {
        assert!(error.is_retryable(), "{error:?}");
    }
}
