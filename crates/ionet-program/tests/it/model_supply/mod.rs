//! Random lives of devices, verifiers, cases and roots through the real program, against the same rules called here and a plain account of
//! who holds what.
//!
//! Every step is predicted: refused for which reason, or accepted with which tokens moved. After every step each balance and each account on
//! the chain is the predicted one; the supply of IO is what was there, plus minted, less burned, and the sum of all token accounts; the vault
//! of stakes holds the stakes and bonds, the vault of rewards no less than it owes; and nobody was paid more than the accepted root says.
//! Times, orders, signers, amounts, proofs and destinations are often wrong on purpose.

mod draw;
mod roots;

use std::collections::BTreeMap;

use ionet_abi::accounts::{CaseAccount, ClaimAccount, DeviceAccount, EpochsAccount, VaultKind, VerifiersAccount};
use ionet_abi::events::supply::{SUPPLY_EVENT_TAG, SupplyHeader};
use ionet_abi::faults::Fault;
use ionet_abi::merkle::Hash;
use ionet_rules::RuleError;
use ionet_rules::epochs::{Epochs, MAX_VERIFIERS, Paid, Statement, Verifier};
use ionet_rules::money::{Currency, Io, Usdc};
use ionet_rules::multipliers::{Multiplier, TABLE};
use ionet_rules::slash::Case;
use ionet_rules::stake::Stake;
use ionet_rules::supply::SupplyParams;
use litesvm::types::TransactionMetadata;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_signer::Signer;

use crate::random::Random;
use crate::world::build::authority;
use crate::world::build::supply::{Device, bonded};
use crate::world::tree::Totals;
use crate::world::{BONDED, CUSTOMERS, World, customer, describe, number, stranger, wallet};

/// Tokens that moved: from where, nowhere when minted, to where, nowhere when burned.
type Moved = (Option<Address>, Option<Address>, u64);
/// What a step should do.
type Outcome = Result<Vec<Moved>, u32>;

#[derive(Clone, Debug)]
struct Staked {
    device: Device,
    stake: Stake,
    co_staker: [u8; 32],
}

#[derive(Clone, Debug)]
struct Claimant {
    owner: Address,
    payout: Address,
    claimed: Paid,
}

#[derive(Clone, Debug)]
struct Accused {
    key: [u8; 32],
    book: Case,
    appeal: [u8; 32],
}

/// All books of the supply side, as they should be.
#[derive(Clone)]
struct Books {
    epochs: Epochs,
    verifiers: [Verifier; MAX_VERIFIERS],
    table: Vec<Multiplier>,
    devices: BTreeMap<[u8; 32], Staked>,
    claims: BTreeMap<Address, Claimant>,
    cases: BTreeMap<[u8; 16], Accused>,
    /// The tree of the accepted root.
    totals: Totals,
}

struct Model {
    world: World,
    params: SupplyParams,
    random: Random,
    books: Books,
    /// Every token account there is of either coin, and what it should hold.
    purse: BTreeMap<Address, (Currency, u64)>,
    supply: u64,
    minted: u64,
    burned: u64,
    /// What verifiers that agree vote for.
    candidate: Option<Statement>,
    trees: BTreeMap<Hash, Totals>,
    /// A tree that once counted.
    old: Totals,
    records: BTreeMap<Address, u32>,
    accepted: BTreeMap<&'static str, u32>,
    refused: BTreeMap<u32, u32>,
}

fn token_accounts(world: &World) -> Vec<(Address, Currency)> {
    let mut found = Vec::new();
    for currency in [Currency::Usdc, Currency::Io] {
        let holders = (0..CUSTOMERS).map(customer).chain([stranger(), authority()]);
        found.extend(holders.map(|key| (wallet(&key.pubkey(), currency), currency)));
    }
    found.extend((0..BONDED).map(|index| (wallet(&bonded(index).pubkey(), Currency::Io), Currency::Io)));
    for net in [world.net, world.other] {
        found.extend(VaultKind::ALL.map(|kind| (net.vault(kind), kind.currency())));
        found.extend([net.io_rewards(), net.io_stake()].map(|vault| (vault, Currency::Io)));
    }
    found
}

impl Model {
    fn new(seed: u64, params: SupplyParams) -> Self {
        let world = World::with_supply(params);
        let purse = token_accounts(&world).into_iter().map(|(at, currency)| (at, (currency, world.balance(at)))).collect();
        let verifiers: VerifiersAccount = world.account(world.net.verifiers());
        let epochs: EpochsAccount = world.account(world.net.epochs());
        let books = Books {
            epochs: epochs.book,
            verifiers: verifiers.places,
            table: TABLE.to_vec(),
            devices: BTreeMap::new(),
            claims: BTreeMap::new(),
            cases: BTreeMap::new(),
            totals: Totals::new(),
        };
        let records = [(world.net.verifiers(), verifiers.records)].into();
        Self {
            supply: world.supply(Currency::Io),
            world,
            params,
            random: Random::new(seed),
            books,
            purse,
            minted: 0,
            burned: 0,
            candidate: None,
            trees: BTreeMap::new(),
            old: Totals::new(),
            records,
            accepted: BTreeMap::new(),
            refused: BTreeMap::new(),
        }
    }

    fn holds(&self, at: Address) -> u64 {
        self.purse[&at].1
    }

    /// Sends a step and compares what it did with what it should do. `about` is whose record it writes.
    fn attempt(
        &mut self,
        name: &'static str,
        about: Option<Address>,
        instruction: Instruction,
        rule: impl FnOnce(&mut Books, i64) -> Outcome,
    ) -> bool {
        let mut next = self.books.clone();
        let mut outcome = rule(&mut next, self.world.now());
        if let Ok(moved) = &outcome {
            let poor = moved.iter().any(|(from, _, amount)| from.is_some_and(|from| self.holds(from) < *amount));
            if poor {
                outcome = fault(Fault::InsufficientFunds);
            }
        }
        let accepted = match (self.world.try_refuse(instruction), outcome) {
            (Ok(error), Err(wanted)) => {
                assert_eq!(number(&error), Some(wanted), "{name}: {}", describe(&error));
                *self.refused.entry(wanted).or_default() += 1;
                false
            }
            (Err(meta), Ok(moved)) => {
                *self.accepted.entry(name).or_default() += 1;
                self.books = next;
                for one in moved {
                    self.pass(one);
                }
                self.record(about, &meta);
                true
            }
            (Ok(error), Ok(_)) => panic!("{name} was refused: {}", describe(&error)),
            (Err(meta), Err(wanted)) => panic!("{name} was accepted, wanted {wanted}\n{}", meta.pretty_logs()),
        };
        self.compare();
        accepted
    }

    fn pass(&mut self, (from, to, amount): Moved) {
        if let Some(from) = from {
            self.purse.get_mut(&from).unwrap().1 -= amount;
        } else {
            self.minted += amount;
        }
        if let Some(to) = to {
            self.purse.get_mut(&to).unwrap().1 += amount;
        } else {
            self.burned += amount;
        }
    }

    /// One record, of the right account, with the next number.
    fn record(&mut self, about: Option<Address>, meta: &TransactionMetadata) {
        let mut headers = meta.inner_instructions.iter().flatten().filter_map(|inner| {
            let data = inner.instruction.data.as_slice();
            (data.first() == Some(&SUPPLY_EVENT_TAG)).then(|| bytemuck::pod_read_unaligned::<SupplyHeader>(&data[1..49]))
        });
        let Some(about) = about else {
            assert_eq!(headers.next(), None);
            return;
        };
        let header = headers.next().expect("a record");
        assert_eq!(headers.next(), None);
        let next = self.records.entry(about).or_default();
        assert_eq!((header.subject, header.record, header.at_unix_secs), (about.to_bytes(), *next, self.world.now()));
        *next += 1;
    }

    fn compare(&self) {
        let (net, books) = (self.world.net, &self.books);
        let mut sums = [0_u128; 2];
        for (at, (currency, amount)) in &self.purse {
            assert_eq!(self.world.balance(*at), *amount, "{at}");
            sums[*currency as usize] += u128::from(*amount);
        }
        let supply = self.world.supply(Currency::Io);
        assert_eq!(supply, self.supply + self.minted - self.burned, "supply = minted - burned");
        assert_eq!(u128::from(supply), sums[Currency::Io as usize], "supply = sum of all accounts");
        let stakes: u64 = books.devices.values().map(|one| one.stake.owner.0 + one.stake.co.0).sum();
        let bonds: u64 = books.verifiers.iter().map(|one| one.bond.0).sum();
        assert_eq!(self.holds(net.io_stake()), stakes + bonds, "stakes and bonds");
        assert!(self.holds(net.io_rewards()) >= books.epochs.owed_io().unwrap().0, "rewards that are owed");
        assert!(self.holds(net.vault(VaultKind::UsdcPayable)) >= books.epochs.owed_usdc().unwrap().0);
        assert_eq!(self.world.account::<EpochsAccount>(net.epochs()).book, books.epochs);
        assert_eq!(self.world.account::<VerifiersAccount>(net.verifiers()).places, books.verifiers);
        for (key, one) in &books.devices {
            let account: DeviceAccount = self.world.account(net.device(*key));
            assert_eq!((account.stake, account.co_staker), (one.stake, one.co_staker));
            assert_eq!(one.stake.co.is_zero(), one.co_staker == [0; 32]);
        }
        let (mut io, mut usdc) = (0, 0);
        for (at, one) in &books.claims {
            let account: ClaimAccount = self.world.account(*at);
            let claimed = Paid { io: Io(account.claimed_io), usdc: Usdc(account.claimed_usdc) };
            assert_eq!((claimed, account.owner, account.payout), (one.claimed, one.owner.to_bytes(), one.payout.to_bytes()));
            let earned = books.totals.get(at).copied().unwrap_or_default();
            assert!(claimed.io.0 <= earned.0 && claimed.usdc.0 <= earned.1, "paid more than earned");
            (io, usdc) = (io + claimed.io.0, usdc + claimed.usdc.0);
        }
        assert_eq!((books.epochs.claimed_io.0, books.epochs.claimed_usdc.0), (io, usdc));
        let mut frozen = 0;
        for (id, one) in &books.cases {
            let account: CaseAccount = self.world.account(net.case(*id));
            assert_eq!((account.book, account.appeal), (one.book, one.appeal));
            frozen += if one.book.closed_at_unix_secs == 0 { one.book.parts.unvested.0 } else { 0 };
        }
        assert_eq!(books.epochs.frozen_io.0, frozen);
    }
}

fn rule<T>(result: Result<T, RuleError>) -> Result<T, u32> {
    result.map_err(|error| error as u32)
}

fn fault<T>(fault: Fault) -> Result<T, u32> {
    Err(fault as u32)
}

const STEPS: u32 = 5_000;

fn check_run(seed: u64, params: SupplyParams) {
    let mut model = Model::new(seed, params);
    for step in 0..STEPS {
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| model.step()));
        if let Err(panic) = result {
            eprintln!("seed {seed}, step {step}");
            std::panic::resume_unwind(panic);
        }
    }
    println!("seed {seed}: accepted {:?}; refused {:?}", model.accepted, model.refused);
    for name in draw::STEPS {
        assert!(model.accepted.get(name).is_some_and(|times| *times >= 3), "{name} too rare to prove anything: {:?}", model.accepted);
    }
    assert!(model.refused.len() >= 20, "only these refusals: {:?}", model.refused);
    assert!(model.burned > 0 && model.minted > 0);
}

#[test]
fn with_the_decided_parameters() {
    check_run(1, SupplyParams::DEFAULT);
}

#[test]
fn with_a_breaker_that_opens_soon() {
    check_run(2, SupplyParams { breaker_bps: 100, breaker_floor_io: Io(1_000), breaker_floor_usdc: Usdc(1_000), ..SupplyParams::DEFAULT });
}

#[test]
fn with_high_bounds_and_short_waits() {
    let params = SupplyParams {
        offence_bps: [10_000; 3],
        slash_month_bps: 10_000,
        unstake_secs: 86_400,
        notice_secs: 0,
        appeal_secs: 7 * 86_400,
        decision_secs: 7 * 86_400,
        challenge_window_secs: 0,
        ..SupplyParams::DEFAULT
    };
    check_run(3, params);
}
