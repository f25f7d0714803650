//! Verifiers, roots and claims: what to try, and what it should do.

use ionet_abi::accounts::VaultKind;
use ionet_abi::faults::Fault;
use ionet_rules::RuleError;
use ionet_rules::epochs::{Account, Held, Paid, Statement};
use ionet_rules::money::{Currency, IO_UNIT, Io, Usdc};
use ionet_rules::supply::At;
use solana_address::Address;
use solana_signer::Signer;

use super::draw::io;
use super::{Model, fault, rule};
use crate::world::tree::{self, Totals};
use crate::world::{BONDED, stranger, wallet};

impl Model {
    pub(super) fn bond(&mut self) {
        let (verifier, net) = (self.verifier(), self.world.net);
        let amount = if self.random.chance(10) { self.random.amount() } else { self.random.below(12_000 * IO_UNIT) };
        self.attempt("bond", Some(net.verifiers()), net.bond(verifier, amount), |books, _| {
            let place = books.place(verifier)?;
            rule(books.verifiers[place].deposit(Io(amount)))?;
            Ok(vec![(Some(io(verifier)), Some(net.io_stake()), amount)])
        });
    }

    pub(super) fn unbond(&mut self) {
        let (verifier, net) = (self.verifier(), self.world.net);
        self.attempt("unbond", Some(net.verifiers()), net.unbond(verifier), |books, now| {
            let place = books.place(verifier)?;
            rule(books.verifiers[place].unbond(now))?;
            Ok(vec![])
        });
    }

    pub(super) fn withdraw_bond(&mut self) {
        let (verifier, net, params) = (self.verifier(), self.world.net, self.params);
        self.attempt("withdraw_bond", Some(net.verifiers()), net.withdraw_bond(verifier), |books, now| {
            let place = books.place(verifier)?;
            let amount = rule(books.verifiers[place].withdraw(&params, now))?;
            Ok(vec![(Some(net.io_stake()), Some(io(verifier)), amount.0)])
        });
    }

    /// Lifetime totals that have grown, and what verifiers say of them. Now and then more than there is.
    fn statement(&mut self) -> Statement {
        let (net, epochs) = (self.world.net, self.books.epochs);
        let (mut totals, before): (Totals, _) = (self.books.totals.clone(), epochs.accepted);
        let work = self.random.below(self.holds(net.vault(VaultKind::IoPayable)) / 4 + 1);
        let spare = (epochs.emitted.0 + before.work_io.0).saturating_sub(before.total_io.0 + epochs.burned_io.0 + before.locked_io.0);
        let mut left = (work + self.random.below(spare / 2 + 1)) * if self.random.chance(5) { 3 } else { 1 };
        let locked = before.locked_io.0.max(epochs.frozen_io.0) + self.random.below(spare / 4 + 1);
        let mut usdc_left = self.holds(net.vault(VaultKind::UsdcPayable)).saturating_sub(epochs.owed_usdc().unwrap().0);
        if self.random.chance(5) {
            usdc_left += 1_000_000;
        }
        let beneficiaries: Vec<Address> = self.books.claims.keys().copied().collect();
        for one in beneficiaries {
            let (io, usdc) = (self.random.below(left + 1), self.random.below(usdc_left + 1));
            let earned = totals.entry(one).or_default();
            *earned = (earned.0 + io, earned.1 + usdc);
            (left, usdc_left) = (left - io, usdc_left - usdc);
        }
        let sum = |of: fn(&(u64, u64)) -> u64| totals.values().map(of).sum::<u64>();
        let statement = Statement {
            epoch: epochs.minted + u64::from(self.random.chance(4)),
            root: tree::root(&totals),
            file: [3; 32],
            total_io: Io(sum(|(io, _)| *io)),
            total_usdc: Usdc(sum(|(_, usdc)| *usdc)),
            work_io: before.work_io.plus(Io(work)).unwrap(),
            locked_io: Io(locked),
        };
        self.trees.insert(statement.root, totals);
        statement
    }

    pub(super) fn post(&mut self) {
        let (verifier, net, params) = (self.verifier(), self.world.net, self.params);
        let stale = self.candidate.is_none_or(|one| one.epoch <= self.books.epochs.accepted.epoch);
        if stale || self.random.chance(4) {
            self.candidate = Some(self.statement());
        }
        // Sometimes it disagrees.
        let statement = if self.random.chance(12) { self.statement() } else { self.candidate.unwrap() };
        self.attempt("post", Some(net.verifiers()), net.post_root(verifier, statement), |books, now| {
            let place = books.place(verifier)?;
            rule(books.verifiers[place].vote(&statement, &books.epochs, &At { params: &params, now }))?;
            Ok(vec![])
        });
    }

    pub(super) fn accept_root(&mut self) {
        let (net, params, place) = (self.world.net, self.params, self.random.below(u64::from(BONDED) + 1) as u8);
        let [payable_io, payable_usdc] = [VaultKind::IoPayable, VaultKind::UsdcPayable].map(|kind| self.holds(net.vault(kind)));
        let held = Held { rewards_io: Io(self.holds(net.io_rewards())), payable_io: Io(payable_io), payable_usdc: Usdc(payable_usdc) };
        let trees = self.trees.clone();
        let before = self.books.totals.clone();
        let accepted = self.attempt("accept_root", Some(net.epochs()), net.accept_root(place), |books, now| {
            let statement = *rule(books.verifiers[usize::from(place)].voted())?;
            let moved = rule(books.epochs.accept(&statement, &books.verifiers, &held, &At { params: &params, now }))?;
            books.totals.clone_from(&trees[&statement.root]);
            Ok(vec![(Some(net.vault(VaultKind::IoPayable)), Some(net.io_rewards()), moved.0)])
        });
        if accepted {
            self.old = before;
        }
    }

    pub(super) fn strike(&mut self) {
        let (net, place) = (self.world.net, self.random.below(u64::from(BONDED) + 1) as u8);
        self.attempt("strike", Some(net.verifiers()), net.strike_root(place), |books, _| {
            let statement = *rule(books.verifiers[usize::from(place)].voted())?;
            for one in books.verifiers.iter_mut().filter(|one| one.supports(&statement)) {
                one.forget_vote();
            }
            Ok(vec![])
        });
    }

    /// A claim, sent by somebody without a part in it: with the right proof, an old one, a wrong amount, a wrong destination.
    pub(super) fn claim(&mut self) {
        let (net, params) = (self.world.net, self.params);
        let claimants: Vec<Address> = self.books.claims.keys().copied().collect();
        let at = if claimants.is_empty() || self.random.chance(2) { net.device_claim([99; 32]) } else { self.random.pick(&claimants) };
        let totals = if self.random.chance(8) { &self.old } else { &self.books.totals };
        let (mut lifetime, proof) = totals.get(&at).map_or_else(Default::default, |lifetime| (*lifetime, tree::proof(totals, &at)));
        if self.random.chance(6) {
            lifetime.0 += 1;
        }
        let right = self.books.claims.get(&at).map_or(stranger().pubkey(), |one| one.payout);
        let payout = if self.random.chance(6) { self.someone() } else { right };
        let root = tree::climb(&at, lifetime, &proof);
        let (rewards, payable) = (net.io_rewards(), net.vault(VaultKind::UsdcPayable));
        let held = Held { rewards_io: Io(self.holds(rewards)), payable_io: Io::ZERO, payable_usdc: Usdc(self.holds(payable)) };
        self.attempt("claim", Some(at), net.claim(at, payout, lifetime, &proof), |books, now| {
            let Some(one) = books.claims.get_mut(&at) else { return fault(Fault::WrongOwner) };
            if books.epochs.accepted.epoch == 0 || books.epochs.accepted.root != root {
                return rule(Err(RuleError::WrongProof));
            }
            let mut account = Account { lifetime: Paid { io: Io(lifetime.0), usdc: Usdc(lifetime.1) }, claimed: one.claimed };
            let paid = rule(books.epochs.claim(&mut account, &held, &At { params: &params, now }))?;
            one.claimed = account.claimed;
            if payout != one.payout {
                return fault(Fault::WrongTokenOwner);
            }
            Ok(vec![(Some(rewards), Some(io(payout)), paid.io.0), (Some(payable), Some(wallet(&payout, Currency::Usdc)), paid.usdc.0)])
        });
    }

    pub(super) fn payout(&mut self) {
        let net = self.world.net;
        let claimants: Vec<(Address, Address)> = self.books.claims.iter().map(|(at, one)| (*at, one.owner)).collect();
        if claimants.is_empty() {
            return;
        }
        let (at, owner) = self.random.pick(&claimants);
        let sender = if self.random.chance(10) { self.someone() } else { owner };
        let payout = self.someone();
        self.attempt("payout", Some(at), net.set_payout(sender, at, payout), |books, _| {
            if sender != owner {
                return fault(Fault::WrongSigner);
            }
            books.claims.get_mut(&at).unwrap().payout = payout;
            Ok(vec![])
        });
    }
}
