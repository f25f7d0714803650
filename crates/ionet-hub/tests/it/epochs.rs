//! Epochs on the real program: an hour is minted, closed, agreed on and claimed, once, whatever happens to the hub.

use std::time::Duration;

use ionet_hub::Timing;
use ionet_ledger::StepOutcome;
use ionet_ledger::instructions::supply as build;
use ionet_rules::epochs::Statement;
use ionet_rules::money::{IO_UNIT, Io};
use ionet_rules::multipliers::UNLISTED;
use ionet_rules::supply::SupplyParams;
use ionet_types::Currency;
use ionet_types::epochs::{Epoch, EpochStatus};
use ionet_types::page::PageRequest;
use ionet_types::rewards::{NewClaims, RewardLine};
use solana_address::Address;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::agent::TestAgent;
use crate::world::{World, wait_for};

const HOUR: u64 = 3_600;
/// After an hour's end: long enough for the hub to notice who is silent and to wait for who may come back.
const NOTICE: u64 = 50;

fn timing() -> Timing {
    Timing { reconcile_every: Duration::from_millis(100), return_within_secs: 20, ..Timing::default() }
}

fn key(agent: &TestAgent) -> Address {
    Address::new_from_array(agent.id().0)
}

/// Sends what the network's key and somebody else have to sign.
async fn send(world: &World, list: &[solana_instruction::Instruction], network: &Keypair, other: &Keypair) {
    let prepared = world.ledger.prepare(list, &world.operator.payer, &[network], &other.pubkey()).await.unwrap();
    world.ledger.submit(&prepared.sign(other).unwrap()).await.unwrap();
}

/// Registers a device for an owner and stakes on it.
async fn stake(world: &World, agent: &TestAgent, owner: &Keypair, amount: Io) {
    let at = *world.ledger.addresses().await.unwrap();
    let wanted = build::Registration {
        device: key(agent),
        payout: owner.pubkey(),
        processors: 1,
        model: ionet_rules::multipliers::Model { number: UNLISTED, kind: ionet_rules::booking::HardwareKind::Cpu },
    };
    let operator = &world.operator;
    let list = [
        build::register_device(&at, operator.payer.pubkey(), owner.pubkey(), operator.quote.pubkey(), &wanted),
        build::stake(&at, owner.pubkey(), &key(agent), amount),
    ];
    send(world, &list, &operator.quote, owner).await;
}

/// An hour passes, with the hub there to see its end.
async fn hour(world: &World) {
    let epoch = world.hub.supply().await.unwrap().epoch;
    let end = world.hub.epoch_show(epoch).await.unwrap().ends_at_unix_secs;
    let left = u64::try_from(end - world.chain.now_unix_secs()).unwrap();
    world.advance_secs(left).await;
    tick(world).await;
    world.advance_secs(NOTICE).await;
    tick(world).await;
}

/// Lets the reconcilers look.
async fn tick(world: &World) {
    world.hub.wake();
    tokio::time::sleep(Duration::from_millis(300)).await;
}

async fn epoch_is(world: &World, number: u64, status: EpochStatus) -> Epoch {
    wait_for(&format!("epoch {number} to be {status:?}"), async || {
        world.hub.wake();
        world.hub.epoch_show(number).await.ok().filter(|epoch| epoch.status == status)
    })
    .await
}

/// The epoch is accepted once its window is over.
async fn accepted(world: &World, number: u64) -> Epoch {
    epoch_is(world, number, EpochStatus::Closed).await;
    wait_for("the vote", async || {
        let supply = world.hub.supply().await.unwrap();
        supply.verifiers.iter().any(|verifier| verifier.votes_for_epoch == Some(number)).then_some(())
    })
    .await;
    world.advance_secs(u64::from(SupplyParams::DEFAULT.challenge_window_secs)).await;
    epoch_is(world, number, EpochStatus::Accepted).await
}

async fn line(world: &World, agent: &TestAgent, epoch: u64) -> RewardLine {
    let request = PageRequest { cursor: Some((epoch + 1).to_string()), limit: Some(1) };
    world.hub.reward_lines(agent.id(), &request).await.unwrap().items.remove(0)
}

fn failed(line: &RewardLine) -> Vec<&str> {
    line.checks.iter().filter(|check| !check.passed).map(|check| check.code.as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn five_hours_up_a_staked_device_earns_and_its_owner_is_paid_once() {
    let world = World::with(timing()).await;
    let agents = world.agents(2).await;
    let owner = world.customer().await;
    stake(&world, &agents[0], &owner.wallet, Io(200 * IO_UNIT)).await;
    assert!(!world.hub.readiness(agents[0].id()).await.unwrap().ready);
    for _ in 0..5 {
        hour(&world).await;
    }
    // Up since the first hour began, so nominated from the sixth on.
    epoch_is(&world, 5, EpochStatus::Closed).await;
    assert_eq!(failed(&line(&world, &agents[0], 5).await), ["uptime"]);
    let readiness = world.hub.readiness(agents[0].id()).await.unwrap();
    assert!(readiness.ready, "{readiness:?}");
    hour(&world).await;
    let epoch = accepted(&world, 6).await;
    let allocation = epoch.allocation.unwrap();
    assert_eq!((allocation.devices, allocation.nominated, allocation.passed), (1, 1, 1));
    for pot in &allocation.pots {
        let units = |money: &ionet_types::Money| money.base_units.0;
        assert_eq!(units(&pot.emission) + units(&pot.carried_in), units(&pot.paid) + units(&pot.carried_out), "{}", pot.pot);
    }
    // Alone in its pot it gets all of it, what five hours carried over included.
    let availability = &allocation.pots[1];
    assert_eq!((availability.pot.as_str(), availability.carried_out.base_units.0), ("availability_cpu", 0));
    assert_eq!(line(&world, &agents[0], 6).await.availability, availability.paid);
    assert_eq!(world.hub.readiness(agents[0].id()).await.unwrap().estimated_next.unwrap().currency, Currency::Io);

    let rewards = world.hub.reward_list(&owner.caller).await.unwrap();
    assert_eq!(rewards.len(), 1);
    assert_eq!(rewards[0].claimable_io, availability.paid);
    let proof = world.hub.claim_proof(rewards[0].beneficiary).await.unwrap();
    assert_eq!((proof.epoch, proof.lifetime_io), (6, availability.paid.clone()));
    let before = owner.balance(&world.ledger, Currency::Io).await;
    let claimed = world.hub.reward_claim(&owner.caller, &NewClaims::default()).await.unwrap();
    assert_eq!(claimed[0].io, availability.paid);
    let again = world.hub.reward_claim(&owner.caller, &NewClaims { devices: Some(vec![agents[0].id()]) }).await.unwrap();
    assert_eq!((again[0].signature, again[0].io.base_units.0), (None, 0));
    assert_eq!(owner.balance(&world.ledger, Currency::Io).await, before + availability.paid.base_units.0);
    // Somebody else has no say and no part in it.
    let stranger = world.customer().await;
    assert!(world.hub.reward_list(&stranger.caller).await.unwrap().is_empty());
    let refused = world.hub.reward_claim(&stranger.caller, &NewClaims { devices: Some(vec![agents[0].id()]) }).await.unwrap_err();
    assert_eq!(refused.code(), "device_not_found");
    let supply = world.hub.supply().await.unwrap();
    assert_eq!((supply.minted_epoch, supply.accepted_epoch, supply.claimed_io), (6, 6, availability.paid.clone()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_the_work_is_paid_for_it_staked_or_not() {
    let world = World::with(timing()).await;
    let agents = world.agents(2).await;
    let customer = world.customer().await;
    for currency in [Currency::Usdc, Currency::Io] {
        let cluster = customer.running(2, 60, currency).await;
        world.advance_secs(HOUR).await;
        customer.settles(cluster.id).await;
        world.advance_secs(60).await;
    }
    hour(&world).await;
    let (mut usdc, mut io) = (0, 0);
    let closed = world.hub.supply().await.unwrap().epoch - 1;
    epoch_is(&world, closed, EpochStatus::Closed).await;
    for epoch in 1..=closed {
        for agent in &agents {
            let request = PageRequest { cursor: Some((epoch + 1).to_string()), limit: Some(1) };
            for line in world.hub.reward_lines(agent.id(), &request).await.unwrap().items {
                assert!(!line.passed && line.hired);
                assert_eq!((line.availability.base_units.0, line.compute.base_units.0), (0, 0));
                usdc += line.work_usdc.base_units.0;
                io += line.work_io.base_units.0;
            }
        }
    }
    let vaults = world.ledger.vault_balances().await.unwrap();
    assert!(usdc > 0 && io > 0);
    assert_eq!(
        (usdc, io),
        (vaults.get(ionet_abi::accounts::VaultKind::UsdcPayable), vaults.get(ionet_abi::accounts::VaultKind::IoPayable))
    );
    // Registered later, the work of before is claimable.
    stake(&world, &agents[0], &customer.wallet, Io(IO_UNIT)).await;
    accepted(&world, closed).await;
    let before = customer.balance(&world.ledger, Currency::Usdc).await;
    let claimed = world.hub.reward_claim(&customer.caller, &NewClaims::default()).await.unwrap();
    assert!(claimed[0].usdc.base_units.0 > 0 && claimed[0].io.base_units.0 > 0, "{claimed:?}");
    assert_eq!(customer.balance(&world.ledger, Currency::Usdc).await, before + claimed[0].usdc.base_units.0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_hub_is_away_nobody_is_down_and_the_epoch_waits() {
    let mut world = World::with(timing()).await;
    let mut agents = world.agents(2).await;
    let owner = world.customer().await;
    for agent in &agents {
        stake(&world, agent, &owner.wallet, Io(200 * IO_UNIT)).await;
    }
    for _ in 0..6 {
        hour(&world).await;
    }
    epoch_is(&world, 6, EpochStatus::Closed).await;
    // The hub is gone for more than two hours; one device comes back to it, one does not.
    world.away_secs(2 * HOUR + 600).await;
    let hub = world.hub.clone();
    agents[0].connect(&hub).await;
    agents[1].disconnect().await;
    for number in [7, 8] {
        let held = epoch_is(&world, number, EpochStatus::Held).await;
        assert!(held.allocation.is_none());
    }
    wait_for("epoch 7 to wait for its devices", async || {
        world.hub.epoch_show(7).await.ok().filter(|epoch| epoch.held_by.as_deref() == Some("devices"))
    })
    .await;
    for _ in 0..3 {
        world.advance_secs(20).await;
        tick(&world).await;
    }
    epoch_is(&world, 8, EpochStatus::Closed).await;
    // Both were there when the hub went. Since when the second one is away nobody knows, but that it is since the hub is back.
    for (epoch, agent) in [(7, 0), (7, 1), (8, 0), (8, 1)] {
        assert_eq!(failed(&line(&world, &agents[agent], epoch).await), Vec::<&str>::new(), "epoch {epoch}");
    }
    // All that was missed was minted, each once.
    assert_eq!(world.hub.supply().await.unwrap().minted_epoch, 8);
    hour(&world).await;
    epoch_is(&world, 9, EpochStatus::Closed).await;
    assert_eq!(failed(&line(&world, &agents[0], 9).await), Vec::<&str>::new());
    assert!(failed(&line(&world, &agents[1], 9).await).contains(&"uptime_at_end"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_between_any_two_steps_there_is_one_mint_one_allocation_and_one_root() {
    let mut world = World::with(Timing { reconcile_every: Duration::from_millis(20), ..timing() }).await;
    let mut agents = world.agents(1).await;
    let owner = world.customer().await;
    stake(&world, &agents[0], &owner.wallet, Io(200 * IO_UNIT)).await;
    let mut files = std::collections::BTreeMap::new();
    for life in 0..60_u64 {
        world.jump_secs([200, 900, 1_700][life as usize % 3]).await;
        tokio::time::sleep(Duration::from_millis(rand::random_range(0..90))).await;
        world.restart_hub().await;
        let hub = world.hub.clone();
        agents[0].connect(&hub).await;
        // Whatever is published stays what it is.
        for entry in std::fs::read_dir(world.dir.path().join("epochs")).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "epoch") {
                let bytes = std::fs::read(&path).unwrap();
                assert_eq!(files.entry(path.clone()).or_insert_with(|| bytes.clone()), &bytes, "{} changed", path.display());
            }
        }
    }
    hour(&world).await;
    let last = world.hub.supply().await.unwrap().epoch - 1;
    wait_for("the last epoch", async || {
        world.advance_secs(20).await;
        world.hub.epoch_show(last).await.ok().filter(|epoch| epoch.status != EpochStatus::Held)
    })
    .await;
    let supply = wait_for("the last root", async || {
        world.advance_secs(300).await;
        Some(world.hub.supply().await.unwrap()).filter(|supply| supply.accepted_epoch >= last)
    })
    .await;
    let total: u64 = (1..=supply.minted_epoch).map(|epoch| ionet_rules::emission::Schedule::Constant.emission(epoch).0).sum();
    assert_eq!(supply.emitted.base_units.0, total, "each epoch was minted once");
    let mut before = None;
    for number in 1..=last {
        let path = world.dir.path().join(format!("epochs/{number:08}.epoch"));
        let file = std::fs::File::open(&path).unwrap();
        let closed = ionet_epochs::read(&mut std::io::BufReader::new(file)).unwrap().replay().unwrap();
        closed.follows(before.as_ref()).unwrap();
        assert_eq!(hex::encode(closed.root()), world.hub.epoch_show(number).await.unwrap().allocation.unwrap().root);
        before = Some(closed);
    }
    let accepted = world.ledger.epochs().await.unwrap().book.accepted;
    assert_eq!(accepted.root, world.hub.epoch_show(accepted.epoch).await.map(|epoch| hash(&epoch)).unwrap());
}

fn hash(epoch: &Epoch) -> [u8; 32] {
    let mut root = [0; 32];
    hex::decode_to_slice(&epoch.allocation.as_ref().unwrap().root, &mut root).unwrap();
    root
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verifier_that_says_something_else_cannot_get_it_accepted() {
    let world = World::with(timing()).await;
    let operator = world.operator.clone();
    let at = *world.ledger.addresses().await.unwrap();
    let others = [Keypair::new(), Keypair::new()];
    let bond = SupplyParams::DEFAULT.min_bond;
    for (place, other) in (5..).zip(&others) {
        let grant = ionet_ledger::Grant { usdc: ionet_rules::money::Usdc(0), io: bond, lamports: 0 };
        world.ledger.faucet(&operator, &other.pubkey(), &grant).await.unwrap();
        let list =
            [build::admit_verifier(&at, operator.authority.pubkey(), place, Some(other.pubkey())), build::bond(&at, other.pubkey(), bond)];
        send(&world, &list, &operator.authority, other).await;
    }
    hour(&world).await;
    epoch_is(&world, 1, EpochStatus::Closed).await;
    let verifiers = async || world.ledger.verifiers().await.unwrap();
    let own = wait_for("the hub's vote", async || {
        let verifiers = verifiers().await;
        verifiers.find(&operator.verifier.pubkey()).map(|(_, verifier)| verifier.vote).filter(|vote| vote.epoch == 1)
    })
    .await;
    // One of three is not enough, however long it waits; nor are two that disagree.
    let wrong = Statement { root: [9; 32], ..own };
    let post = async |by: &Keypair, statement: &Statement| world.ledger.post_root_by(&operator.payer, by, statement).await;
    assert!(matches!(post(&others[0], &wrong).await.unwrap(), StepOutcome::Done(_)));
    world.advance_secs(HOUR / 2).await;
    tick(&world).await;
    let place = |key: &Address, view: &ionet_ledger::supply::VerifiersView| view.find(key).unwrap().0;
    let view = verifiers().await;
    for key in [operator.verifier.pubkey(), others[0].pubkey()] {
        let refused = world.ledger.accept_root(&operator, place(&key, &view)).await.unwrap_err();
        assert_eq!(refused.code(), "not_agreed", "{refused}");
    }
    // A promise of more than was minted is refused whoever makes it.
    let greedy = Statement { total_io: Io(own.total_io.0 + 456_621_004_567), ..own };
    assert_eq!(post(&others[1], &greedy).await.unwrap_err().code(), "statement_unsound");
    assert_eq!(world.hub.supply().await.unwrap().accepted_epoch, 0);
    // The third agrees with the hub: two thirds, and after the window the right root counts.
    post(&others[1], &own).await.unwrap();
    tick(&world).await;
    assert_eq!(world.hub.supply().await.unwrap().accepted_epoch, 0, "the window is open");
    world.advance_secs(u64::from(SupplyParams::DEFAULT.challenge_window_secs)).await;
    epoch_is(&world, 1, EpochStatus::Accepted).await;
    assert_eq!(world.ledger.epochs().await.unwrap().book.accepted, own);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prospective_supplier_gets_an_estimate_with_its_reasons() {
    use ionet_types::rewards::EstimateRequest;
    let world = World::with(timing()).await;
    let request = |model: &str, processors, tier| EstimateRequest { model: model.to_owned(), processors, tier };
    let early = world.hub.reward_estimate(&request("cpu", None, None)).await.unwrap_err();
    assert_eq!(early.code(), "epoch_not_closed");
    hour(&world).await;
    epoch_is(&world, 1, EpochStatus::Closed).await;
    let estimate = world.hub.reward_estimate(&request("h100 80gb hbm3", Some(8), Some(4))).await.unwrap();
    assert_eq!(estimate.minimum_stake.display, "16000 IO");
    assert_eq!((estimate.multiplier_centi, estimate.share_ppm), (1_000, 1_000_000));
    // Alone among GPUs: all of their part of the availability, 56 % of the hour's emission.
    assert_eq!(estimate.per_epoch.base_units.0, 255_707_762_556);
    assert!(estimate.per_30_days_micro_usd.is_some() && estimate.yearly_return_on_stake_bps.unwrap() > 0);
    for (bad, code) in [
        (request("H9000", None, None), "model_unknown"),
        (request("cpu", Some(0), None), "processors_out_of_range"),
        (request("cpu", None, Some(5)), "field_out_of_range"),
    ] {
        assert_eq!(world.hub.reward_estimate(&bad).await.unwrap_err().code(), code);
    }
}
