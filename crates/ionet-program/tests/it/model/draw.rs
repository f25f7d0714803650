//! What to try next, and what it should do.

use ionet_abi::accounts::VaultKind;
use ionet_abi::events::RecordKind;
use ionet_abi::faults::Fault;
use ionet_abi::instructions::BookProductArgs;
use ionet_rules::RuleError;
use ionet_rules::booking::{Booking, End, HardwareKind, Offer, Status, WorkLog};
use ionet_rules::money::{Currency, Io, MicroUsd, Units, Usdc};
use ionet_rules::oracle;
use ionet_rules::pool::Reserves;
use ionet_rules::worklog::EndReason;
use solana_instruction::{AccountMeta, Instruction};
use solana_signer::Signer;

use super::purse::Place;
use super::{Effect, Expected, Model, fault, refusal, rule};
use crate::world::build::{Cluster, authority};
use crate::world::{CUSTOMERS, customer, named, stranger};

/// Clusters that live at the same time, roughly: older ones are seldom touched.
const RECENT: u64 = 6;

impl Model {
    pub(super) fn step(&mut self) {
        if self.random.chance(50) {
            self.focus = None;
            self.any_step();
        } else {
            let cluster = self.cluster();
            self.focus = Some(cluster);
            self.next_step(&cluster);
        }
    }

    /// What is next in a cluster's life, or near it.
    fn next_step(&mut self, cluster: &Cluster) {
        let Some(book) = self.book(cluster) else { return self.book_another() };
        let late = self.world.now() > book.pay_by_unix_secs;
        match (book.status().unwrap(), self.random.below(4)) {
            (Status::Booked | Status::PartiallyPaid, _) if late => self.try_expire(),
            (Status::Booked | Status::PartiallyPaid, _) => self.try_pay(),
            (Status::Paid, 0) => self.try_extend(),
            (Status::Paid, _) => self.try_start(),
            (Status::Running, 0) => self.wait(),
            (Status::Running, 1) if self.random.chance(20) => self.try_extend(),
            (Status::Running, _) => self.try_worked(),
            (Status::Ended, 0 | 1) if book.closed == 0 => self.try_refund(),
            (Status::Ended, _) if !book.rest_due.is_zero() => self.try_repurchase(),
            (Status::Ended, _) if !book.earn_due.is_zero() => self.try_earn(),
            (Status::Ended | Status::Expired, _) => self.book_another(),
        }
    }

    fn book_another(&mut self) {
        self.focus = None;
        self.try_book();
    }

    /// Anything.
    fn any_step(&mut self) {
        match self.random.below(100) {
            0..=7 => self.wait(),
            8..=17 => self.submit_price(),
            18 => self.fund_pool(),
            19..=22 => self.try_book(),
            23..=40 => self.try_pay(),
            41..=49 => self.try_start(),
            50..=56 => self.try_extend(),
            57..=73 => self.try_worked(),
            74..=80 => self.try_refund(),
            81..=87 => self.try_repurchase(),
            88..=94 => self.try_earn(),
            95..=97 => self.try_expire(),
            _ => self.spoil(),
        }
    }

    fn cluster(&mut self) -> Cluster {
        if let Some(focus) = self.focus {
            return focus;
        }
        let count = self.clusters.len() as u64;
        if count == 0 || self.random.chance(2) {
            return Cluster { id: [0xFE; 16], customer: customer(0).pubkey(), currency: Currency::Usdc };
        }
        let back = if self.random.chance(85) { self.random.below(count.min(RECENT)) } else { self.random.below(count) };
        self.clusters[(count - 1 - back) as usize]
    }

    /// The cluster, rarely with somebody in its customer's place.
    fn cluster_and_sender(&mut self) -> (Cluster, Cluster) {
        let cluster = self.cluster();
        let mut sender = cluster;
        if self.random.chance(6) {
            sender.customer = self.random.pick(&[customer(0), customer(1), customer(2), stranger()].map(|key| key.pubkey()));
        }
        (cluster, sender)
    }

    /// A sequence number, mostly the right one.
    fn sequence(&mut self, right: u32) -> u32 {
        match self.random.below(20) {
            0 => right.wrapping_sub(1),
            1 => right.wrapping_add(1),
            2 => self.random.word() as u32,
            _ => right,
        }
    }

    fn wait(&mut self) {
        let recent = self.cluster();
        let secs = match (self.random.below(10), self.book(&recent)) {
            (0..=2, _) => self.random.below(120),
            (3..=4, _) => self.random.below(2_000),
            (5, _) => self.random.below(100_000),
            (6, _) if self.random.chance(5) => self.random.below(1 << 32),
            (_, Some(book)) if book.status() == Ok(Status::Running) => {
                // To the end of the period, give or take a second.
                let over = i64::from(book.logs + 1) * 86_400;
                let until = (book.started_at_unix_secs + over).min(book.hired_until_unix_secs().unwrap());
                u64::try_from(until - self.world.now() + self.random.below(3) as i64 - 1).unwrap_or(0)
            }
            _ => 1,
        };
        self.world.wait(secs as i64);
        if self.random.chance(70) {
            for _ in 0..2 {
                self.submit_price();
            }
        }
    }

    fn submit_price(&mut self) {
        let index = self.random.below(4) as u8;
        let pool = self.world.vault(VaultKind::UsdcPool);
        let fair = u128::from(pool) * 100_000_000 / u128::from(self.world.vault(VaultKind::IoPool).max(1));
        let price = match self.random.below(20) {
            0 => self.random.amount(),
            1 => (fair * u128::from(90 + self.random.below(20)) / 100) as u64,
            _ => (fair * u128::from(9_950 + self.random.below(100)) / 10_000) as u64,
        };
        let set = self.world.oracle();
        let outcome = if index >= set.count {
            Err(refusal(RuleError::UnknownOracle))
        } else {
            rule(oracle::submit(set.submissions[usize::from(index)], MicroUsd(price), self.world.now()).map(|_| Effect::default()))
        };
        self.check("submit_price", None, self.world.net.submit_price(index, price), Expected { outcome, key: None });
    }

    fn fund_pool(&mut self) {
        let scale = self.random.below(1_000_000_000);
        let usdc = if self.random.chance(10) { 0 } else { scale };
        let io = if self.random.chance(10) { self.random.amount() } else { scale * 400 };
        let sources = [Currency::Usdc, Currency::Io].map(|currency| Place::wallet(authority().pubkey(), currency));
        let outcome = if usdc == 0 && io == 0 {
            Err(refusal(RuleError::ZeroAmount))
        } else if self.purse.holds(sources[0]) < usdc || self.purse.holds(sources[1]) < io {
            fault(Fault::InsufficientFunds)
        } else {
            let moved = vec![(sources[0], Place::vault(VaultKind::UsdcPool), usdc), (sources[1], Place::vault(VaultKind::IoPool), io)];
            Ok(Effect { book: None, moved })
        };
        self.check("fund_pool", None, self.world.net.fund_pool(usdc, io), Expected { outcome, key: None });
    }

    fn try_book(&mut self) {
        let number = self.clusters.len() as u64;
        let again = number > 0 && self.random.chance(10);
        let cluster = if again {
            self.cluster()
        } else {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&number.to_le_bytes());
            let currency = if self.random.chance(55) { Currency::Usdc } else { Currency::Io };
            Cluster { id, customer: customer(self.random.below(u64::from(CUSTOMERS)) as u8).pubkey(), currency }
        };
        let now = self.world.now();
        let random = &mut self.random;
        let rate = if random.chance(90) { 1 + random.below(3_000_000) } else { random.amount() };
        let args = BookProductArgs {
            cluster_id: cluster.id,
            rate,
            rate_micro_usd: if cluster.currency == Currency::Usdc && random.chance(98) { rate } else { random.amount() >> 20 },
            valid_until_unix_secs: if random.chance(95) { now + random.below(100) as i64 } else { random.time() },
            quantity: if random.chance(95) { 1 + random.below(40) as u32 } else { random.word() as u32 },
            minutes: match random.below(20) {
                0 => random.word() as u32,
                1..=9 => 1 + random.below(200) as u32,
                _ => 1_430 + random.below(4_400) as u32,
            },
            currency: cluster.currency as u8,
            hardware: random.below(2) as u8,
            reserved: [0; 6],
        };
        let offer = Offer {
            currency: cluster.currency,
            hardware: HardwareKind::from_u8(args.hardware).unwrap(),
            quantity: args.quantity,
            minutes: args.minutes,
            rate: Units(args.rate),
            rate_micro_usd: MicroUsd(args.rate_micro_usd),
            valid_until_unix_secs: args.valid_until_unix_secs,
        };
        let outcome = if self.book(&cluster).is_some() {
            fault(Fault::AlreadyInitialised)
        } else {
            rule(Booking::book(&offer, &self.params, now)).map(|book| Effect { book: Some(book), moved: vec![] })
        };
        if outcome.is_ok() {
            self.clusters.push(cluster);
        }
        let instruction = self.world.net.book(&cluster, args);
        self.check("book", Some(cluster), instruction, Expected { outcome, key: Some((cluster.id, RecordKind::BookProduct, 0)) });
    }

    fn try_pay(&mut self) {
        let (cluster, sender) = self.cluster_and_sender();
        let book = self.book(&cluster);
        let due = book.and_then(|book| book.due().ok()).map_or(1, |due| due.0);
        let amount = match self.random.below(20) {
            0 => self.random.amount(),
            1 => due.saturating_add(1),
            2..=7 => self.random.below(due.saturating_add(1)),
            _ => due,
        };
        let sequence = self.sequence(book.map_or(0, |book| book.payments));
        let source = Place::wallet(sender.customer, cluster.currency);
        let outcome = match book {
            None => fault(Fault::WrongOwner),
            Some(_) if sender.customer != cluster.customer => fault(Fault::WrongSigner),
            Some(mut book) => rule(book.pay(sequence, Units(amount), &self.params, self.world.now())).and_then(|()| {
                self.paid_from(source, amount)?;
                Ok(Effect { book: Some(book), moved: vec![(source, escrow(&cluster), amount)] })
            }),
        };
        let instruction = self.world.net.pay(&sender, sequence, amount);
        self.check("pay", Some(cluster), instruction, Expected { outcome, key: Some((cluster.id, RecordKind::Pay, sequence)) });
    }

    fn paid_from(&self, source: Place, amount: u64) -> Result<(), u32> {
        if self.purse.holds(source) < amount { fault(Fault::InsufficientFunds) } else { Ok(()) }
    }

    fn try_start(&mut self) {
        let cluster = self.cluster();
        let outcome = match self.book(&cluster) {
            None => fault(Fault::WrongOwner),
            Some(mut book) => rule(book.start(self.world.now()))
                .map(|fees| Effect { book: Some(book), moved: vec![(escrow(&cluster), treasury(&cluster), fees.0)] }),
        };
        let instruction = self.world.net.start(&cluster);
        self.check("start", Some(cluster), instruction, Expected { outcome, key: Some((cluster.id, RecordKind::Start, 0)) });
    }

    fn try_extend(&mut self) {
        let (cluster, sender) = self.cluster_and_sender();
        let book = self.book(&cluster);
        let minutes = if self.random.chance(95) { 1 + self.random.below(3_000) } else { self.random.word() } as u32;
        let price = book.and_then(|book| book.extension_price(minutes, &self.params).ok()).map_or(1, |price| price.total.0);
        let amount = match self.random.below(20) {
            0 => self.random.amount(),
            1 => price.saturating_add(1),
            2 => price.saturating_sub(1),
            _ => price,
        };
        let sequence = self.sequence(book.map_or(0, |book| book.extensions));
        let source = Place::wallet(sender.customer, cluster.currency);
        let outcome = match book {
            None => fault(Fault::WrongOwner),
            Some(_) if sender.customer != cluster.customer => fault(Fault::WrongSigner),
            Some(mut book) => rule(book.extend(sequence, minutes, Units(amount), &self.params, self.world.now())).and_then(|extended| {
                self.paid_from(source, amount)?;
                let moved = vec![(source, escrow(&cluster), amount), (escrow(&cluster), treasury(&cluster), extended.fees.0)];
                Ok(Effect { book: Some(book), moved })
            }),
        };
        let instruction = self.world.net.extend(&sender, sequence, minutes, amount);
        self.check("extend", Some(cluster), instruction, Expected { outcome, key: Some((cluster.id, RecordKind::Extend, sequence)) });
    }

    fn try_worked(&mut self) {
        let cluster = self.cluster();
        let (book, now) = (self.book(&cluster), self.world.now());
        let last = book.is_some_and(|book| ionet_rules::worklog::period(book.logs, book.minutes_hired).is_some_and(|period| period.last));
        let end = match self.random.below(10) {
            0 => Some((EndReason::CustomerEnded, now - self.random.below(100) as i64)),
            1 => Some((EndReason::NetworkFailed, now - self.random.below(100) as i64)),
            2 => Some((self.random.pick(&[EndReason::CustomerEnded, EndReason::NetworkFailed]), self.random.time())),
            3..=7 if last => Some((EndReason::HiredTimeOver, 0)),
            8 => Some((EndReason::HiredTimeOver, self.random.time())),
            _ => None,
        };
        let end = end.map(|(reason, at_unix_secs)| End { reason, at_unix_secs });
        let limit = book.and_then(|book| book.log_limit(end, now).ok()).unwrap_or(60);
        let device_minutes = match self.random.below(20) {
            0 => self.random.amount(),
            1 => limit + 1,
            2..=6 => self.random.below(limit + 1),
            _ => limit,
        };
        let sequence = self.sequence(book.map_or(0, |book| book.logs));
        let outcome = match book {
            None => fault(Fault::WrongOwner),
            Some(mut book) => rule(book.work(&WorkLog { sequence, device_minutes, end }, &self.params, now)).map(|worked| {
                let payable = Place::vault(VaultKind::payable(cluster.currency));
                let moved = vec![(escrow(&cluster), payable, worked.supplier.0), (escrow(&cluster), treasury(&cluster), worked.dust.0)];
                Effect { book: Some(book), moved }
            }),
        };
        let bytes = end.map_or((0, 0), |end| (end.reason as u8, end.at_unix_secs));
        let instruction = self.world.net.worked(&cluster, sequence, device_minutes, bytes);
        self.check("worked", Some(cluster), instruction, Expected { outcome, key: Some((cluster.id, RecordKind::Worked, sequence)) });
    }

    fn try_refund(&mut self) {
        let (cluster, sender) = self.cluster_and_sender();
        let outcome = match self.book(&cluster) {
            None => fault(Fault::WrongOwner),
            Some(book) if sender.customer != cluster.customer && book.refund_amount().is_ok_and(|amount| !amount.is_zero()) => {
                fault(Fault::WrongTokenOwner)
            }
            Some(mut book) => rule(book.refund()).map(|refunded| {
                let to = Place::wallet(cluster.customer, cluster.currency);
                let moved = vec![(escrow(&cluster), to, refunded.amount.0), (escrow(&cluster), treasury(&cluster), refunded.dust.0)];
                Effect { book: Some(book), moved }
            }),
        };
        let instruction = self.world.net.refund(&sender);
        self.check("refund", Some(cluster), instruction, Expected { outcome, key: Some((cluster.id, RecordKind::Refund, 0)) });
    }

    fn try_repurchase(&mut self) {
        let cluster = self.cluster();
        let book = self.book(&cluster);
        let sequence = self.sequence(book.map_or(0, |book| book.repurchases));
        let set = self.world.oracle();
        let reserves = Reserves {
            usdc: Usdc(self.purse.holds(Place::vault(VaultKind::UsdcPool))),
            io: Io(self.purse.holds(Place::vault(VaultKind::IoPool))),
        };
        let outcome = match book {
            None => fault(Fault::WrongOwner),
            Some(mut book) => rule(
                oracle::price(set.current(), &self.params, self.world.now())
                    .and_then(|price| book.repurchase(sequence, reserves, price, &self.params)),
            )
            .map(|(usdc_in, io_out)| Effect {
                book: Some(book),
                moved: vec![
                    (Place::vault(VaultKind::UsdcEscrow), Place::vault(VaultKind::UsdcPool), usdc_in.0),
                    (Place::vault(VaultKind::IoPool), Place::vault(VaultKind::IoEscrow), io_out.0),
                ],
            }),
        };
        let instruction = self.world.net.repurchase(&cluster, sequence);
        let key = Some((cluster.id, RecordKind::Repurchase, sequence));
        self.check("repurchase", Some(cluster), instruction, Expected { outcome, key });
    }

    fn try_earn(&mut self) {
        let cluster = self.cluster();
        let book = self.book(&cluster);
        let sequence = self.sequence(book.map_or(0, |book| book.earns));
        let outcome = match book {
            None => fault(Fault::WrongOwner),
            Some(mut book) => rule(book.earn(sequence, &self.params)).map(|(_, split)| {
                let from = Place::vault(VaultKind::IoEscrow);
                let moved = vec![
                    (from, Place::Burned, split.burned.0),
                    (from, Place::vault(VaultKind::IoIncentives), split.incentives.0),
                    (from, Place::vault(VaultKind::IoTreasury), split.treasury.0),
                ];
                Effect { book: Some(book), moved }
            }),
        };
        let instruction = self.world.net.earn(&cluster, sequence);
        self.check("earn", Some(cluster), instruction, Expected { outcome, key: Some((cluster.id, RecordKind::Earn, sequence)) });
    }

    fn try_expire(&mut self) {
        let (cluster, sender) = self.cluster_and_sender();
        let outcome = match self.book(&cluster) {
            None => fault(Fault::WrongOwner),
            Some(book) if sender.customer != cluster.customer && !book.paid.is_zero() => fault(Fault::WrongTokenOwner),
            Some(mut book) => rule(book.expire(self.world.now())).map(|amount| Effect {
                book: Some(book),
                moved: vec![(escrow(&cluster), Place::wallet(cluster.customer, cluster.currency), amount.0)],
            }),
        };
        let instruction = self.world.net.expire(&sender);
        self.check("expire", Some(cluster), instruction, Expected { outcome, key: Some((cluster.id, RecordKind::Expire, 0)) });
    }

    /// An instruction that would be right, spoilt in a way that can never be right.
    fn spoil(&mut self) {
        let cluster = self.cluster();
        let Some(book) = self.book(&cluster) else { return };
        let net = self.world.net;
        let mut instruction = match self.random.below(8) {
            0 => net.pay(&cluster, book.payments, book.due().map_or(1, |due| due.0)),
            1 => net.start(&cluster),
            2 => net.worked(&cluster, book.logs, 1, (2, self.world.now())),
            3 => net.refund(&cluster),
            4 => net.repurchase(&cluster, book.repurchases),
            5 => net.earn(&cluster, book.earns),
            6 => net.expire(&cluster),
            _ => net.fund_pool(1, 1),
        };
        let reason = self.spoilt(&mut instruction);
        self.check("spoilt", Some(cluster), instruction, Expected { outcome: fault(reason), key: None });
    }

    fn spoilt(&mut self, instruction: &mut Instruction) -> Fault {
        let (net, other) = (self.world.net, self.world.other);
        let signer = instruction.accounts.iter().position(|meta| meta.is_signer);
        match (self.random.below(5), signer) {
            (0, Some(place)) => {
                instruction.accounts[place].is_signer = false;
                Fault::MissingSigner
            }
            (1, _) => {
                instruction.accounts.pop();
                Fault::WrongAccountCount
            }
            (2, _) => {
                instruction.accounts.push(AccountMeta::new(named("one too many"), false));
                Fault::WrongAccountCount
            }
            (3, _) => {
                let place = instruction.accounts.iter().position(|meta| meta.pubkey == net.network()).unwrap();
                instruction.accounts[place].pubkey = other.network();
                Fault::WrongOwner
            }
            _ => {
                instruction.data.push(0);
                Fault::MalformedData
            }
        }
    }
}

fn escrow(cluster: &Cluster) -> Place {
    Place::vault(VaultKind::escrow(cluster.currency))
}

fn treasury(cluster: &Cluster) -> Place {
    Place::vault(VaultKind::treasury(cluster.currency))
}
