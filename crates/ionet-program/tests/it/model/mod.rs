//! Random lives of many clusters through the real program, against a plain account of who holds what.
//!
//! Every step is predicted: refused for which reason, or accepted with which tokens moved from whom to whom. After every step each token
//! balance on the chain is the predicted one, nothing was lost or made, each vault holds exactly what the books say it owes, and no log,
//! refund, repurchase or earning was ever written twice. Times, orders, signers, amounts and sequence numbers are often wrong on purpose.

mod draw;
mod purse;

use std::collections::{BTreeMap, BTreeSet};

use ionet_abi::accounts::VaultKind;
use ionet_abi::events::{EVENT_TAG, RecordHeader, RecordKind};
use ionet_abi::faults::Fault;
use ionet_rules::RuleError;
use ionet_rules::booking::Booking;
use ionet_rules::money::Currency;
use ionet_rules::params::Params;
use litesvm::types::TransactionMetadata;
use solana_instruction::Instruction;

use crate::random::Random;
use crate::world::build::Cluster;
use crate::world::{World, describe, number};
use purse::{Place, Purse};

/// What a step is expected to do.
struct Expected {
    /// The refusal's number, or the booking afterwards and the tokens moved.
    outcome: Result<Effect, u32>,
    /// What identifies the step for all time: it may be accepted once. Nothing for steps that write no record.
    key: Option<Key>,
}

#[derive(Default)]
struct Effect {
    book: Option<Booking>,
    moved: Vec<(Place, Place, u64)>,
}

type Key = ([u8; 16], RecordKind, u32);

struct Model {
    world: World,
    params: Params,
    random: Random,
    clusters: Vec<Cluster>,
    /// The cluster that the present step is about, where it was chosen before the step.
    focus: Option<Cluster>,
    books: BTreeMap<[u8; 16], Booking>,
    records: BTreeMap<[u8; 16], u32>,
    purse: Purse,
    written: BTreeSet<(([u8; 16], u8), u32)>,
    accepted: BTreeMap<&'static str, u32>,
    refused: BTreeMap<u32, u32>,
}

impl Model {
    fn new(seed: u64, params: Params) -> Self {
        let world = World::with_params(params);
        let purse = Purse::of(&world);
        Self {
            world,
            params,
            random: Random::new(seed),
            clusters: Vec::new(),
            focus: None,
            books: BTreeMap::new(),
            records: BTreeMap::new(),
            purse,
            written: BTreeSet::new(),
            accepted: BTreeMap::new(),
            refused: BTreeMap::new(),
        }
    }

    /// Sends a step and compares what it did with what it should have done.
    fn check(&mut self, name: &'static str, cluster: Option<Cluster>, instruction: Instruction, expected: Expected) {
        let result = self.world.try_refuse(instruction);
        match (result, expected.outcome) {
            (Ok(error), Err(wanted)) => {
                assert_eq!(number(&error), Some(wanted), "{name} {cluster:?}: {}", describe(&error));
                *self.refused.entry(wanted).or_default() += 1;
            }
            (Err(meta), Ok(effect)) => {
                *self.accepted.entry(name).or_default() += 1;
                for (from, to, amount) in effect.moved {
                    self.purse.pass(from, to, amount);
                }
                if let (Some(cluster), Some(book)) = (cluster, effect.book) {
                    self.books.insert(cluster.id, book);
                    self.record(&cluster, &book, &meta, expected.key.expect("a step of a cluster has a key"));
                }
            }
            (Ok(error), Ok(_)) => panic!("{name} {cluster:?} was refused: {}", describe(&error)),
            (Err(meta), Err(wanted)) => panic!("{name} {cluster:?} was accepted, wanted {wanted}\n{}", meta.pretty_logs()),
        }
        self.balance();
        if let Some(book) = cluster.and_then(|cluster| self.books.get(&cluster.id).map(|book| (cluster, *book))) {
            let account = self.world.booking(book.0.id);
            assert_eq!(account.book, book.1, "{name}: the booking on the chain is not the expected one");
            assert_eq!(account.customer, book.0.customer.to_bytes());
        }
    }

    /// The record that a step wrote: the next number, the right kind, and never one that was there before.
    fn record(&mut self, cluster: &Cluster, book: &Booking, meta: &TransactionMetadata, (id, kind, sequence): Key) {
        let records: Vec<&[u8]> = meta
            .inner_instructions
            .iter()
            .flatten()
            .map(|inner| inner.instruction.data.as_slice())
            .filter(|data| data.first() == Some(&EVENT_TAG) && data.len() > 1 + size_of::<RecordHeader>())
            .collect();
        let [record] = records[..] else { panic!("one record, not {}", records.len()) };
        let header: RecordHeader = bytemuck::pod_read_unaligned(&record[1..=size_of::<RecordHeader>()]);
        let next = self.records.entry(cluster.id).or_default();
        let wanted = RecordHeader {
            at_unix_secs: self.world.now(),
            cluster_id: cluster.id,
            record: *next,
            kind: kind as u8,
            currency: book.currency,
            status: book.status,
            reserved: 0,
        };
        assert_eq!(header, wanted);
        *next += 1;
        assert!(self.written.insert(((id, kind as u8), sequence)), "{kind:?} {sequence} of {id:?} was written twice");
    }

    /// What the chain holds is what the purse says, and each vault holds what the books say it owes.
    fn balance(&self) {
        self.purse.compare(&self.world);
        let mut owed = [0u128; VaultKind::COUNT];
        for book in self.books.values() {
            assert_eq!(book.check(), Ok(()));
            let currency = book.currency().unwrap();
            if currency == Currency::Usdc {
                owed[VaultKind::UsdcEscrow as usize] += u128::from(book.vault_liability().unwrap().0);
            }
            owed[VaultKind::IoEscrow as usize] += u128::from(book.io_liability().unwrap().0);
            owed[VaultKind::payable(currency) as usize] += u128::from(book.supplier_paid.0);
        }
        for kind in [VaultKind::UsdcEscrow, VaultKind::IoEscrow, VaultKind::UsdcPayable, VaultKind::IoPayable] {
            assert_eq!(u128::from(self.world.vault(kind)), owed[kind as usize], "{kind:?} does not hold what it owes");
        }
    }

    fn book(&self, cluster: &Cluster) -> Option<Booking> {
        self.books.get(&cluster.id).copied()
    }
}

fn refusal(error: impl Into<crate::world::Reason>) -> u32 {
    error.into().number()
}

fn rule<T>(result: Result<T, RuleError>) -> Result<T, u32> {
    result.map_err(refusal)
}

fn fault<T>(fault: Fault) -> Result<T, u32> {
    Err(refusal(fault))
}

/// One run; panics on the first step that is not as predicted, naming the seed.
fn run(seed: u64, steps: u32, params: Params) -> (BTreeMap<&'static str, u32>, BTreeMap<u32, u32>) {
    let mut model = Model::new(seed, params);
    for step in 0..steps {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| model.step()));
        if let Err(panic) = result {
            eprintln!("seed {seed}, step {step}");
            std::panic::resume_unwind(panic);
        }
    }
    (model.accepted, model.refused)
}

const STEPS: u32 = 3_000;

fn check_run(seed: u64, params: Params) {
    let (accepted, refused) = run(seed, STEPS, params);
    println!("seed {seed}: accepted {accepted:?}; refused {refused:?}");
    for name in ["book", "pay", "start", "extend", "worked", "refund", "repurchase", "earn", "expire"] {
        assert!(accepted.get(name).is_some_and(|times| *times >= 5), "{name} too rare to prove anything: {accepted:?}");
    }
    assert!(refused.len() >= 15, "only these refusals: {refused:?}");
}

#[test]
fn with_the_decided_parameters() {
    check_run(1, Params::DEFAULT);
}

#[test]
fn with_the_decided_parameters_again() {
    check_run(2, Params::DEFAULT);
}

#[test]
fn with_the_highest_fees() {
    let params = Params {
        reservation_customer_bps: 100,
        reservation_supplier_bps: 100,
        facilitation_usdc_bps: 500,
        facilitation_io_bps: 500,
        network_fee_bps: 1_000,
        network_fee_burn_bps: 10_000,
        dollar_share_bps: 3_000,
        ..Params::DEFAULT
    };
    check_run(3, params);
}

#[test]
fn without_any_fees() {
    let params = Params {
        reservation_customer_bps: 0,
        reservation_supplier_bps: 0,
        facilitation_usdc_bps: 0,
        facilitation_io_bps: 0,
        network_fee_bps: 0,
        network_fee_burn_bps: 0,
        ..Params::DEFAULT
    };
    check_run(4, params);
}

#[test]
fn with_a_wide_guard_and_a_short_window() {
    let params =
        Params { pool_guard_bps: 1_000, price_scatter_bps: 2_000, payment_window_secs: 60, price_max_age_secs: 3_600, ..Params::DEFAULT };
    check_run(5, params);
}
