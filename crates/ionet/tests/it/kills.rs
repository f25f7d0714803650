//! `kill -9` of the whole network at random moments of the lifecycle: what was begun reaches its end, and the books balance.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use ionet::client::{Client, ListQuery};
use ionet::job::Customer;
use ionet::receipt;
use ionet::wallet::{Wallet, wire_address};
use ionet_abi::accounts::VaultKind;
use ionet_ledger::{BookingFilter, Ledger};
use ionet_types::clusters::{BookRequest, Cluster, ClusterStatus};
use ionet_types::hardware::HardwareModel;
use ionet_types::quotes::QuoteRequest;
use ionet_types::{BaseUnits, ClusterId, Currency};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use solana_address::Address;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Home, Network, ray_is_here};

/// Devices: more than the clusters need, because a booking that is cut off before its signature holds some until it lapses.
const AGENTS: &str = "8";
/// How often the network is killed.
const KILLS: u32 = 50;
/// How long everything may take to come to rest after the last kill.
const REST: Duration = Duration::from_mins(5);

#[test]
fn killed_fifty_times_it_loses_nothing() {
    if !ray_is_here() {
        return;
    }
    let seed = std::env::var("IONET_TEST_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(rand::random);
    println!("IONET_TEST_SEED={seed}");
    let home = Home::new();
    let wallet = Arc::new(Wallet::create(&home.path().join("wallet.json")).unwrap());
    let mut random = StdRng::seed_from_u64(seed);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut met = Seen::default();
    for kill in 0..KILLS {
        let mut network = Network::spawn(&home, &["--agents", AGENTS]);
        if random.random_ratio(1, 5) {
            // While it starts.
            std::thread::sleep(Duration::from_millis(random.random_range(0..1_500)));
            network.kill();
            continue;
        }
        let url = network.announcement()["url"].as_str().unwrap().to_owned();
        let patience = Duration::from_millis(random.random_range(0..7_000));
        // Whatever the customer was in the middle of is cut off with the network.
        let errors = runtime.block_on(async { timeout(patience, lead(&url, &wallet, &mut random, &mut met)).await });
        if let Ok(Err(error)) = errors {
            println!("kill {kill}: {error:#}");
        }
        network.kill();
    }

    let mut network = Network::spawn(&home, &["--agents", AGENTS]);
    let url = network.announcement()["url"].as_str().unwrap().to_owned();
    runtime.block_on(async {
        let customer = sign_in(&url, &wallet).await.unwrap();
        let until = Instant::now() + REST;
        let clusters = loop {
            let clusters = all(&customer).await.unwrap();
            let mut open = 0;
            for cluster in clusters.iter().filter(|cluster| !at_rest(cluster)) {
                open += 1;
                finish(&customer, cluster).await.unwrap();
            }
            if open == 0 {
                break clusters;
            }
            assert!(Instant::now() < until, "{open} clusters do not come to their end: {clusters:#?}");
            sleep(Duration::from_millis(500)).await;
        };
        check_books(&customer, &clusters).await;
        println!("{} clusters in {KILLS} kills; paid: {}, ran: {}", clusters.len(), met.paid, met.ran);
        assert!(clusters.iter().any(|cluster| cluster.started_at_unix_secs.is_some()), "no cluster ever ran: the test shows nothing");
    });
    assert!(network.interrupt().success());
}

/// What the test has got to see, so that it cannot pass without having tested anything.
#[derive(Default)]
struct Seen {
    paid: u32,
    ran: u32,
}

async fn sign_in(url: &str, wallet: &Arc<Wallet>) -> Result<Customer> {
    let client = Client::new(url)?.sign_in(wallet.clone()).await?;
    let network = client.network().await?;
    Ok(Customer { client, wallet: wallet.clone(), network })
}

/// Leads clusters through their lives until cut off.
async fn lead(url: &str, wallet: &Arc<Wallet>, random: &mut StdRng, seen: &mut Seen) -> Result<()> {
    let customer = sign_in(url, wallet).await?;
    loop {
        let clusters = all(&customer).await?;
        let Some(cluster) = clusters.iter().find(|cluster| !at_rest(cluster)) else {
            book(&customer, random).await?;
            continue;
        };
        match cluster.status {
            ClusterStatus::Booked | ClusterStatus::PartiallyPaid => {
                let half = BaseUnits(cluster.due.base_units.0 / 2);
                let stage = if cluster.status == ClusterStatus::Booked { Some(half) } else { None };
                customer.pay(cluster.id, stage).await?;
                seen.paid += 1;
            }
            // Some are ended before they run, most while they run, and those hired for a minute often end by themselves.
            ClusterStatus::Paid if random.random_ratio(1, 120) => drop(customer.end(cluster.id).await?),
            ClusterStatus::Running if !cluster.terminating && random.random_ratio(1, 15) => {
                seen.ran += 1;
                customer.end(cluster.id).await?;
            }
            _ => sleep(Duration::from_millis(150)).await,
        }
    }
}

async fn book(customer: &Customer, random: &mut StdRng) -> Result<ClusterId> {
    let currency = if random.random() { Currency::Usdc } else { Currency::Io };
    let minutes = if random.random() { 1 } else { 150 };
    let request = BookRequest::new(QuoteRequest::new(HardwareModel::cpu(), random.random_range(1..=2), minutes, currency));
    let quote = customer.client.quote(&request.terms()).await?;
    customer.client.faucet(wire_address(customer.wallet.address())).await?;
    let id = customer.book(&request, &quote).await;
    if id.is_err() {
        // Agents are still on their way back, or hold a reservation that lapses.
        sleep(Duration::from_millis(300)).await;
    }
    id
}

async fn all(customer: &Customer) -> Result<Vec<Cluster>> {
    Ok(customer.client.clusters(&ListQuery { limit: Some(200), ..ListQuery::default() }).await?.items)
}

/// A cluster that needs nothing more. A booking that was never signed lapses and holds no money.
fn at_rest(cluster: &Cluster) -> bool {
    cluster.settled || cluster.status == ClusterStatus::Prepared
}

/// Brings one cluster a step nearer to its end.
async fn finish(customer: &Customer, cluster: &Cluster) -> Result<()> {
    match cluster.status {
        ClusterStatus::Booked | ClusterStatus::PartiallyPaid => customer.pay(cluster.id, None).await.map(drop),
        ClusterStatus::Paid | ClusterStatus::Running if !cluster.terminating => customer.end(cluster.id).await.map(drop),
        _ => Ok(()),
    }
}

/// Every cluster balances by itself, and all together fill the vaults exactly.
async fn check_books(customer: &Customer, clusters: &[Cluster]) {
    let mut earned_micro_usd = 0;
    for cluster in clusters.iter().filter(|cluster| cluster.settled) {
        let receipt = customer.client.receipt(cluster.id).await.unwrap();
        let balance = receipt::check(&receipt);
        assert!(balance.ok && receipt.settled, "{}", receipt::render(&receipt, &balance));
        assert_eq!(balance.escrow.base_units.0, 0);
    }
    let network = &customer.network;
    let rpc = Arc::new(RpcClient::new(network.rpc_url.clone().unwrap()));
    let ledger = Ledger::new(rpc, Address::new_from_array(network.program_id.0));
    let mut escrow = [0_u64; 2];
    for booking in ledger.bookings(&BookingFilter::default()).await.unwrap() {
        escrow[booking.currency as usize] += booking.book.escrow().unwrap().0 + booking.book.rest_due.0;
        // What waits to be earned is IO in any case.
        escrow[1] += booking.book.earn_due.0;
        earned_micro_usd += booking.book.worked_micro_usd.0;
    }
    let vaults = ledger.vault_balances().await.unwrap();
    assert_eq!(
        [vaults.0[VaultKind::UsdcEscrow as usize], vaults.0[VaultKind::IoEscrow as usize]],
        escrow,
        "escrow holds what the bookings say"
    );
    assert_eq!(customer.client.tne().await.unwrap().total_micro_usd.0, earned_micro_usd);
}
