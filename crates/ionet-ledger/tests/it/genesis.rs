//! Genesis: once, twice, at the same time, and where it must refuse.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use ionet_abi::accounts::VaultKind;
use ionet_chain::Chain;
use ionet_ledger::{Genesis, Grant, Ledger, Mints, Operator, address};
use ionet_rules::emission::INITIAL_SUPPLY;
use ionet_rules::money::{Currency, Io, Usdc};
use ionet_rules::multipliers::TABLE;
use ionet_rules::supply::SupplyParams;
use serde_json::Value;
use solana_keypair::Keypair;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_rpc_client::rpc_client::RpcClientConfig;
use solana_rpc_client::rpc_sender::{RpcSender, RpcTransportStats};
use solana_rpc_client_api::client_error::Result as ClientResult;
use solana_rpc_client_api::request::RpcRequest;
use solana_signer::Signer;
use tokio::sync::Notify;

use crate::world::{START_UNIX_SECS, World, bare};

#[tokio::test]
async fn a_second_genesis_changes_nothing() {
    let world = World::open().await;
    let before = (world.ledger.network().await.unwrap(), world.ledger.vault_balances().await.unwrap());
    let again = Genesis::LOCAL.create(world.ledger.rpc.clone(), &world.keys).await.unwrap();
    assert_eq!((again.network().await.unwrap(), again.vault_balances().await.unwrap()), before);
    assert_eq!(before.0.authorities, world.keys.authorities());
    assert_eq!(before.1.get(VaultKind::UsdcPool), Genesis::LOCAL.pool_usdc.0);
    assert_eq!(before.1.get(VaultKind::IoPool), Genesis::LOCAL.pool_io.0);
    assert_eq!(again.oracle_price(START_UNIX_SECS).await.unwrap(), Genesis::LOCAL.price.unwrap());
}

#[tokio::test]
async fn two_geneses_at_once_make_one_network_and_fund_it_once() {
    let (chain, keys, _dir) = bare();
    let rpc = Arc::new(chain.client());
    let (a, b) = tokio::join!(Genesis::LOCAL.create(rpc.clone(), &keys), Genesis::LOCAL.create(rpc, &keys));
    let ledger = a.unwrap();
    b.unwrap();
    let balances = ledger.vault_balances().await.unwrap();
    assert_eq!(balances.get(VaultKind::UsdcPool), Genesis::LOCAL.pool_usdc.0);
    assert_eq!(balances.get(VaultKind::IoPool), Genesis::LOCAL.pool_io.0);
}

#[tokio::test]
async fn a_genesis_that_was_cut_short_is_completed() {
    let (chain, keys, _dir) = bare();
    let rpc = Arc::new(chain.client());
    // As far as each step: without a price, without a pool.
    let early = Genesis { price: None, pool_usdc: Usdc(0), pool_io: Io(0), ..Genesis::LOCAL };
    let ledger = early.create(rpc.clone(), &keys).await.unwrap();
    assert_eq!(ledger.oracle_price(START_UNIX_SECS).await.unwrap_err().code(), "price_stale");
    assert_eq!(ledger.vault_balances().await.unwrap().get(VaultKind::UsdcPool), 0);
    // The authority's accounts exist already, so the pool is funded the other way.
    let grant = Grant { usdc: Usdc(5), io: Io(5), lamports: 0 };
    ledger.faucet(&keys, &keys.authority.pubkey(), &grant).await.unwrap();
    Genesis::LOCAL.create(rpc, &keys).await.unwrap();
    assert_eq!(ledger.vault_balances().await.unwrap().get(VaultKind::UsdcPool), Genesis::LOCAL.pool_usdc.0);
    assert_eq!(ledger.oracle_price(START_UNIX_SECS).await.unwrap(), Genesis::LOCAL.price.unwrap());
}

/// Passes requests on until a number of transactions was sent; then tells so and never answers again, as to a process that was killed.
struct Mortal {
    chain: Chain,
    sends_left: AtomicUsize,
    killed: Arc<Notify>,
}

#[async_trait]
impl RpcSender for Mortal {
    async fn send(&self, request: RpcRequest, params: Value) -> ClientResult<Value> {
        let answer = self.chain.request(request.as_str(), params).await;
        if request == RpcRequest::SendTransaction && self.sends_left.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.killed.notify_one();
            std::future::pending::<()>().await;
        }
        answer.map_err(|error| std::io::Error::other(error.to_string()).into())
    }

    fn get_transport_stats(&self) -> RpcTransportStats {
        RpcTransportStats::default()
    }

    fn url(&self) -> String {
        "mortal".into()
    }
}

/// All that a genesis makes, as far as it does not depend on keys.
async fn made(ledger: &Ledger, keys: &Operator) -> impl PartialEq + std::fmt::Debug + use<> {
    let of = async |owner: &Keypair, currency| ledger.token_balance(&owner.pubkey(), currency).await.unwrap();
    let verifiers = ledger.verifiers().await.unwrap();
    (
        (ledger.vault_balances().await.unwrap(), ledger.supply_vaults().await.unwrap(), ledger.io_supply().await.unwrap()),
        (of(&keys.authority, Currency::Io).await, of(&keys.faucet, Currency::Io).await, of(&keys.authority, Currency::Usdc).await),
        (ledger.supply().await.unwrap().params, ledger.epochs().await.unwrap().book, ledger.multipliers().await.unwrap().models),
        verifiers.taken().map(|(place, verifier)| (place, verifier.bond)).collect::<Vec<_>>(),
    )
}

#[tokio::test]
async fn a_genesis_killed_after_any_transaction_is_completed() {
    let (chain, keys, _dir) = bare();
    let whole = Genesis::LOCAL.create(Arc::new(chain.client()), &keys).await.unwrap();
    let whole = made(&whole, &keys).await;
    for sends in 1.. {
        let (chain, keys, _dir) = bare();
        let killed = Arc::new(Notify::new());
        let sender = Mortal { chain: chain.clone(), sends_left: AtomicUsize::new(sends), killed: killed.clone() };
        let rpc = Arc::new(RpcClient::new_sender(sender, RpcClientConfig::default()));
        let survived = tokio::select! {
            created = Genesis::LOCAL.create(rpc, &keys) => { created.unwrap(); true }
            () = killed.notified() => false,
        };
        let ledger = Genesis::LOCAL.create(Arc::new(chain.client()), &keys).await.unwrap();
        assert_eq!(made(&ledger, &keys).await, whole, "killed after {sends} transactions");
        if survived {
            assert!(sends > 10, "genesis takes more transactions");
            return;
        }
    }
}

#[tokio::test]
async fn the_supply_side_begins_as_decided() {
    let world = World::open().await;
    let (ledger, keys) = (&world.ledger, &*world.keys);
    assert_eq!(ledger.io_supply().await.unwrap(), INITIAL_SUPPLY);
    let supply = ledger.supply().await.unwrap();
    assert_eq!((supply.params, supply.council), (SupplyParams::DEFAULT, keys.council.pubkey()));
    let book = ledger.epochs().await.unwrap().book;
    assert_eq!((book.first_unix_secs, book.minted), (START_UNIX_SECS - START_UNIX_SECS % 3_600, 0));
    assert_eq!(ledger.multipliers().await.unwrap().models, TABLE);
    let verifiers = ledger.verifiers().await.unwrap();
    let (place, verifier) = verifiers.find(&keys.verifier.pubkey()).unwrap();
    assert_eq!((place, verifier.bond, verifier.weight(&supply.params)), (0, supply.params.min_bond, supply.params.min_bond.0));
    assert_eq!(ledger.supply_vaults().await.unwrap().io_stake, supply.params.min_bond);
    // Nobody but the network mints IO from here on.
    let at = ledger.addresses().await.unwrap();
    let account = at.token_account(&keys.faucet.pubkey(), Currency::Io);
    let mint = spl_token_interface::instruction::mint_to(&address::TOKEN_PROGRAM, &at.io_mint, &account, &keys.faucet.pubkey(), &[], 1);
    let refused = ledger.prepare(&[mint.unwrap()], &keys.payer, &[&keys.faucet], &keys.payer.pubkey()).await.unwrap();
    assert!(ledger.submit(&refused.transaction).await.is_err());
}

#[tokio::test]
async fn a_network_of_other_mints_or_keys_is_refused() {
    let world = World::open().await;
    let rpc = world.ledger.rpc.clone();
    let at = *world.ledger.addresses().await.unwrap();
    let swapped = Genesis { mints: Mints::Given { usdc: at.io_mint, io: at.usdc_mint }, ..Genesis::LOCAL };
    assert_eq!(swapped.create(rpc.clone(), &world.keys).await.unwrap_err().code(), "network_differs");
    let given = Genesis { mints: Mints::Given { usdc: at.usdc_mint, io: at.io_mint }, ..Genesis::LOCAL };
    given.create(rpc, &world.keys).await.unwrap();
}

#[tokio::test]
async fn without_the_program_genesis_says_so() {
    let world = World::open().await;
    let other = tempfile::TempDir::new().unwrap();
    let keys = ionet_ledger::Operator::open(other.path()).unwrap();
    let error = Genesis::LOCAL.create(world.ledger.rpc.clone(), &keys).await.unwrap_err();
    assert_eq!(error.code(), "program_missing");
}

#[tokio::test]
async fn the_faucet_gives_what_it_says() {
    let world = World::open().await;
    let wallet = Keypair::new().pubkey();
    assert_eq!(world.ledger.token_balance(&wallet, Currency::Usdc).await.unwrap(), 0);
    let grant = Grant { usdc: Usdc(7), io: Io(9), lamports: 5_000_000 };
    world.ledger.faucet(&world.keys, &wallet, &grant).await.unwrap();
    world.chain.advance_secs(1).await.unwrap();
    world.ledger.faucet(&world.keys, &wallet, &Grant { usdc: Usdc(1), ..Grant::default() }).await.unwrap();
    assert_eq!(world.ledger.token_balance(&wallet, Currency::Usdc).await.unwrap(), 8);
    assert_eq!(world.ledger.token_balance(&wallet, Currency::Io).await.unwrap(), 9);
    assert_eq!(world.ledger.rpc.get_balance(&wallet).await.unwrap(), 5_000_000);
}
