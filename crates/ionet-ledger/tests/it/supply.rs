//! The supply side's steps, each called by several at once: one transaction, whoever wins; and its records, read back.

use std::collections::BTreeMap;

use ionet_abi::events::supply::SupplyKind;
use ionet_abi::merkle::{self, Hash};
use ionet_ledger::instructions::supply::{self as build, Accusation, Registration};
use ionet_ledger::{CaseFilter, ClaimFilter, DeviceFilter, DeviceView, StepOutcome, SupplyRecord};
use ionet_rules::booking::HardwareKind;
use ionet_rules::emission::Schedule;
use ionet_rules::epochs::{Paid, Statement};
use ionet_rules::money::{Currency, IO_UNIT, Io, Usdc};
use ionet_rules::multipliers::Model;
use ionet_rules::slash::{CaseStatus, Offence, Verdict};
use sha2::{Digest as _, Sha256};
use solana_address::Address;
use solana_keypair::Keypair;
use solana_signer::Signer;

use crate::keyed::contend;
use crate::world::World;

const HOUR_SECS: u64 = 3_600;
const NOTHING: Paid = Paid { io: Io::ZERO, usdc: Usdc::ZERO };

/// Registers a device of `owner` that is paid into `payout`.
async fn registered(world: &World, owner: &Keypair, payout: Address) -> DeviceView {
    let at = world.ledger.addresses().await.unwrap();
    let device = Keypair::new().pubkey();
    let model = Model { number: 2, kind: HardwareKind::Gpu };
    let registration = Registration { device, payout, processors: 1, model };
    let register = build::register_device(at, world.keys.payer.pubkey(), owner.pubkey(), world.keys.quote.pubkey(), &registration);
    world.sign_and_send(owner, &[register]).await.unwrap();
    world.ledger.expect_device(&device).await.unwrap()
}

/// Root and proofs of a tree of two beneficiaries.
fn tree(one: (&Address, Paid), other: (&Address, Paid)) -> (Hash, [Hash; 2]) {
    let leaf =
        |(address, paid): (&Address, Paid)| -> Hash { Sha256::digest(merkle::leaf(&address.to_bytes(), paid.io.0, paid.usdc.0)).into() };
    let (one, other) = (leaf(one), leaf(other));
    (Sha256::digest(merkle::node(&one, &other)).into(), [other, one])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_epoch_is_minted_agreed_on_and_claimed_once() {
    let world = World::open().await;
    let (ledger, keys) = (&world.ledger, &*world.keys);
    let owner = world.customer().await;
    let payout = Keypair::new().pubkey();
    let (paid, idle) = (registered(&world, &owner, payout).await, registered(&world, &owner, payout).await);
    let (claim, other) = {
        let at = ledger.addresses().await.unwrap();
        (at.device_claim(&paid.device), at.device_claim(&idle.device))
    };

    assert_eq!(ledger.mint_epoch(keys, 1).await.unwrap_err().code(), "epoch_not_over");
    world.chain.advance_secs(HOUR_SECS).await.unwrap();
    contend(|| ledger.mint_epoch(keys, 1)).await;
    assert_eq!(ledger.mint_epoch(keys, 3).await.unwrap_err().code(), "wrong_epoch");
    let emission = Schedule::Constant.emission(1);
    assert_eq!(ledger.held().await.unwrap().rewards_io, emission);

    let lifetime = Paid { io: emission, usdc: Usdc::ZERO };
    let (root, [proof, others_proof]) = tree((&claim, lifetime), (&other, NOTHING));
    let statement =
        Statement { epoch: 1, root, file: [2; 32], total_io: emission, total_usdc: Usdc::ZERO, work_io: Io::ZERO, locked_io: Io::ZERO };
    assert_eq!(ledger.accept_root(keys, 0).await.unwrap_err().code(), "not_agreed");
    contend(|| ledger.post_root(keys, &statement)).await;
    assert_eq!(ledger.accept_root(keys, 0).await.unwrap_err().code(), "challenge_window_open");
    assert_eq!(ledger.verifiers().await.unwrap().voters(&statement).collect::<Vec<_>>(), [0]);

    // Struck, voted for again, and the window runs anew.
    contend(|| ledger.strike_root(keys, &statement)).await;
    ledger.post_root(keys, &statement).await.unwrap().signature().unwrap();
    world.chain.advance_secs(HOUR_SECS / 4).await.unwrap();
    contend(|| ledger.accept_root(keys, 0)).await;
    assert_eq!(ledger.epochs().await.unwrap().book.accepted, statement);
    assert_eq!(ledger.post_root(keys, &statement).await.unwrap(), StepOutcome::AlreadyDone);

    assert_eq!(ledger.claim(keys, &claim, lifetime, &[[0; 32]]).await.unwrap_err().code(), "wrong_proof");
    let greedy = Paid { io: Io(lifetime.io.0 + 1), ..lifetime };
    assert_eq!(ledger.claim(keys, &claim, greedy, &[proof]).await.unwrap_err().code(), "wrong_proof");
    assert_eq!(ledger.claim(keys, &other, lifetime, &[others_proof]).await.unwrap_err().code(), "wrong_proof");
    let proof = [proof];
    contend(|| ledger.claim(keys, &claim, lifetime, &proof)).await;
    assert_eq!(ledger.token_balance(&payout, Currency::Io).await.unwrap(), emission.0);
    assert_eq!(ledger.claim_account(&claim).await.unwrap().unwrap().claimed, lifetime);
    assert_eq!(ledger.claim(keys, &other, NOTHING, &[others_proof]).await.unwrap(), StepOutcome::AlreadyDone);
    let nobody = Keypair::new().pubkey();
    assert_eq!(ledger.claim(keys, &nobody, lifetime, &[]).await.unwrap_err().code(), "claim_missing");

    // Lists.
    let mine = ledger.devices(&DeviceFilter { owner: Some(owner.pubkey()), co_staker: None }).await.unwrap();
    assert_eq!(mine.len(), 2);
    let claims = ClaimFilter { device: Some(paid.device), owner: Some(owner.pubkey()) };
    assert_eq!(ledger.claim_accounts(&claims).await.unwrap().iter().map(|claim| claim.address).collect::<Vec<_>>(), [claim]);
    assert_eq!(ledger.devices(&DeviceFilter { owner: Some(payout), co_staker: None }).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_is_opened_decided_and_lapses_once() {
    let world = World::open().await;
    let (ledger, keys) = (&world.ledger, &*world.keys);
    let owner = world.customer().await;
    let device = registered(&world, &owner, owner.pubkey()).await;
    let at = ledger.addresses().await.unwrap();
    world.sign_and_send(&owner, &[build::stake(at, owner.pubkey(), &device.device, Io(2_000 * IO_UNIT))]).await.unwrap();
    let accusation = |case_id| Accusation {
        case_id,
        device: device.device,
        offence: Offence::Inconsistent,
        amount: Io(100 * IO_UNIT),
        unvested: Io::ZERO,
        evidence: [6; 32],
    };
    let (freed, burned) = ([1; 16], [2; 16]);
    let first = accusation(freed);
    contend(|| ledger.open_case(keys, &first)).await;
    assert_eq!(ledger.lapse_case(keys, &freed).await.unwrap_err().code(), "case_not_decidable");
    contend(|| ledger.decide_case(keys, &freed, Verdict::Free)).await;
    ledger.open_case(keys, &accusation(burned)).await.unwrap().signature().unwrap();
    let params = ledger.supply().await.unwrap().params;
    world.chain.advance_secs(u64::from(params.appeal_secs) + 1).await.unwrap();
    let now = ledger.chain_now_unix_secs().await.unwrap();
    assert!(ledger.expect_case(&burned).await.unwrap().lapse_due(&params, now));
    contend(|| ledger.lapse_case(keys, &burned)).await;
    assert_eq!(ledger.lapse_case(keys, &[9; 16]).await.unwrap_err().code(), "case_missing");
    let of = async |status| ledger.cases(&CaseFilter { device: Some(device.device), status: Some(status) }).await.unwrap();
    assert_eq!(of(CaseStatus::Freed).await.iter().map(|case| case.case_id).collect::<Vec<_>>(), [freed]);
    assert_eq!(of(CaseStatus::Burned).await.iter().map(|case| case.case_id).collect::<Vec<_>>(), [burned]);
    assert_eq!(ledger.expect_device(&device.device).await.unwrap().stake.owner, Io(1_900 * IO_UNIT));

    // The records of the device, one after the other, and each of all records once.
    let kinds: Vec<_> = ledger.supply_records_of(&device.address).await.unwrap().iter().map(|record| record.event.kind()).collect();
    let case = [SupplyKind::OpenCase, SupplyKind::CloseCase];
    assert_eq!(kinds, [&[SupplyKind::RegisterDevice, SupplyKind::Stake], &case[..], &case[..]].concat());
    let mut indexer = ledger.indexer(None);
    let mut numbers: BTreeMap<Address, Vec<u32>> = BTreeMap::new();
    loop {
        let batch = indexer.next(3).await.unwrap();
        for SupplyRecord { subject, number, .. } in batch.supply {
            numbers.entry(subject).or_default().push(number);
        }
        if batch.caught_up {
            break;
        }
    }
    for (subject, numbers) in &numbers {
        assert_eq!(*numbers, (0..u32::try_from(numbers.len()).unwrap()).collect::<Vec<_>>(), "{subject}");
    }
    // The verifier was admitted and bonded at the genesis.
    assert_eq!(numbers[&at.verifiers].len(), 2);
}
