//! Genesis: once, twice, at the same time, and where it must refuse.

use std::sync::Arc;

use ionet_abi::accounts::VaultKind;
use ionet_ledger::{Genesis, Grant, Mints};
use ionet_rules::money::{Currency, Io, Usdc};
use solana_keypair::Keypair;
use solana_signer::Signer;

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
