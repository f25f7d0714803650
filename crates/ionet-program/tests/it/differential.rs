//! Every rule on Solana's machine against the same rule here: the same bytes in, the same bytes or the same refusal out.
//!
//! This is what finds a code generator, a linker or a 128-bit routine that computes something else than the source says.

use bytemuck::Zeroable;
use ionet_probe_wire::{Call, LONGEST_REQUEST, answer, bookings, economy, integers, request};
use ionet_rules::booking::{Booking, HardwareKind, Offer, Status};
use ionet_rules::money::{Currency, Io, MicroUsd, Units, Usdc};
use ionet_rules::oracle::Submission;
use ionet_rules::params::Params;
use litesvm::LiteSVM;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_message::Message;
use solana_signature::Signature;
use solana_signer::Signer;
use solana_transaction::Transaction;

use crate::random::Random;
use crate::world::{START, relay};

/// Both machines.
pub(crate) struct Probe {
    svm: LiteSVM,
    program: Address,
    calls: u32,
    refusals: u32,
}

impl Probe {
    pub(crate) fn new() -> Self {
        let mut svm = LiteSVM::new().with_sigverify(false).with_blockhash_check(false).with_transaction_history(0);
        let program = crate::world::named("rules probe");
        svm.add_program(program, ionet_program::RULES_PROBE_ELF).unwrap();
        svm.airdrop(&relay().pubkey(), 1_000_000_000_000).unwrap();
        Self { svm, program, calls: 0, refusals: 0 }
    }

    /// One call on both machines.
    #[track_caller]
    pub(crate) fn same<C: Call + std::fmt::Debug>(&mut self, call: C) {
        let native = call.run();
        let mut buffer = [0; LONGEST_REQUEST];
        let instruction = Instruction { program_id: self.program, accounts: vec![], data: request(&call, &mut buffer).to_vec() };
        let message = Message::new(&[instruction], Some(&relay().pubkey()));
        let transaction = Transaction { signatures: vec![signature(self.calls)], message };
        let meta = self.svm.send_transaction(transaction).unwrap_or_else(|failed| panic!("{call:?}: {failed:?}"));
        // Trailing zeros of the return data are the runtime's to drop.
        let mut response = meta.return_data.data;
        let whole = if response.first() == Some(&1) { 5 } else { 1 + size_of::<C::Output>() };
        response.resize(whole, 0);
        let there = answer::<C>(&response).unwrap_or_else(|| panic!("{call:?}: malformed {response:?}"));
        assert_eq!(there, native, "{call:?}");
        self.calls += 1;
        self.refusals += u32::from(native.is_err());
    }

    /// Both answers must occur, or the calls are not worth much.
    pub(crate) fn finish(self, at_least: u32) {
        assert!(self.calls >= at_least, "only {} calls", self.calls);
        assert!(self.refusals > self.calls / 500, "{} refusals of {} calls", self.refusals, self.calls);
        assert!(self.refusals < self.calls - self.calls / 500, "{} refusals of {} calls", self.refusals, self.calls);
        println!("{} calls, {} refused alike", self.calls, self.refusals);
    }
}

/// A signature that occurs once; nobody checks more of it here.
fn signature(number: u32) -> Signature {
    let mut bytes = [7; 64];
    bytes[..4].copy_from_slice(&number.to_le_bytes());
    bytes.into()
}

fn params(random: &mut Random) -> Params {
    if random.chance(60) {
        return Params::DEFAULT;
    }
    let wild = random.chance(20);
    let mut bps = |low: u16, high: u16| if wild { random.word() as u16 } else { low + random.below(u64::from(high - low) + 1) as u16 };
    Params {
        reservation_customer_bps: bps(0, 100),
        reservation_supplier_bps: bps(0, 100),
        facilitation_usdc_bps: bps(0, 500),
        facilitation_io_bps: bps(0, 500),
        network_fee_bps: bps(0, 1_000),
        network_fee_burn_bps: bps(0, 10_000),
        dollar_share_bps: bps(3_000, 9_000),
        pool_guard_bps: bps(10, 1_000),
        price_scatter_bps: bps(10, 2_000),
        payment_window_secs: 60 + u32::from(bps(0, 60_000)),
        price_max_age_secs: 60 + u32::from(bps(0, 3_540)),
        reserved: if wild { [bps(0, 1); 7] } else { [0; 7] },
    }
}

fn offer(random: &mut Random) -> Offer {
    let currency = if random.chance(50) { Currency::Usdc } else { Currency::Io };
    let rate = if random.chance(80) { 1 + random.below(10_000_000) } else { random.amount() };
    Offer {
        currency,
        hardware: if random.chance(50) { HardwareKind::Cpu } else { HardwareKind::Gpu },
        quantity: if random.chance(90) { 1 + random.below(20) as u32 } else { random.word() as u32 },
        minutes: if random.chance(90) { 1 + random.below(6_000) as u32 } else { random.word() as u32 },
        rate: Units(rate),
        rate_micro_usd: MicroUsd(if currency == Currency::Usdc { rate } else { 1 + random.below(10_000_000) }),
        valid_until_unix_secs: START + 60,
    }
}

/// A booking some way into its life, and the time then.
fn living(random: &mut Random, params: &Params) -> (Booking, i64) {
    use ionet_rules::booking::{End, WorkLog};
    use ionet_rules::worklog::EndReason;

    let mut now = START;
    let mut book = loop {
        if let Ok(book) = Booking::book(&offer(random), params, now) {
            break book;
        }
    };
    let stages = random.below(9);
    if stages >= 1 {
        let amount = book.due().unwrap().0;
        let _ = book.pay(0, Units(if random.chance(70) { amount } else { amount / 2 }), params, now);
    }
    if stages >= 2 {
        let _ = book.start(now);
    }
    for _ in 2..stages {
        now += 60 * random.below(1_500) as i64;
        let reason = [EndReason::HiredTimeOver, EndReason::CustomerEnded, EndReason::NetworkFailed][random.below(3) as usize];
        let end = random.chance(50).then_some(End { reason, at_unix_secs: now });
        if let Ok(limit) = book.log_limit(end, now) {
            let _ = book.work(&WorkLog { sequence: book.logs, device_minutes: limit, end }, params, now);
        }
        if random.chance(30) {
            let _ = book.refund();
        }
        if random.chance(30) {
            let _ = book.earn(book.earns, params);
        }
    }
    (book, now)
}

/// A booking: as it lives, with one field changed, or any bytes.
fn booking(random: &mut Random, params: &Params) -> (Booking, i64) {
    let (mut book, now) = living(random, params);
    match random.below(10) {
        0..=6 => {}
        7 | 8 => {
            let words: &mut [u64] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut book));
            let place = random.below(words.len() as u64) as usize;
            words[place] = if random.chance(50) { random.amount() } else { words[place].wrapping_add(random.below(3)).wrapping_sub(1) };
        }
        _ => {
            book = Booking::zeroed();
            let words: &mut [u64] = bytemuck::cast_slice_mut(std::slice::from_mut(&mut book));
            words.fill_with(|| random.amount());
            if random.chance(80) {
                book.currency &= 1;
                book.status %= 6;
                book.reserved = [0; 7];
            }
        }
    }
    (book, now)
}

fn submissions(random: &mut Random) -> [Submission; 8] {
    std::array::from_fn(|_| Submission {
        price: MicroUsd(if random.chance(80) { 1_000_000 + random.below(100_000) } else { random.amount() }),
        at_unix_secs: if random.chance(80) { START - random.below(900) as i64 } else { random.time() },
    })
}

#[test]
fn arithmetic_is_the_same() {
    let mut probe = Probe::new();
    let mut random = Random::new(1);
    for _ in 0..1_500 {
        let wide: [[u64; 2]; 2] =
            std::array::from_fn(|_| if random.chance(50) { [0, random.amount()] } else { [random.amount(), random.amount()] });
        let (a, b, divisor) = (random.amount(), random.amount(), random.amount());
        let bps = if random.chance(90) { random.below(10_001) } else { random.amount() };
        probe.same(integers::Multiply { a: wide[0], b: wide[1] });
        probe.same(integers::Divide { a: wide[0], b: wide[1] });
        probe.same(integers::DivideSigned { a: wide[0], b: wide[1] });
        probe.same(integers::MulDivDown { a, b, divisor });
        probe.same(integers::MulDivUp { a, b, divisor });
        probe.same(integers::ShareUp { amount: Units(a), bps });
        probe.same(integers::ShareDown { amount: Units(a), bps });
        probe.same(integers::Plus { a: Units(a), b: Units(b) });
        probe.same(integers::Minus { a: Units(a), b: Units(b) });
        probe.same(integers::IoValue { io: Io(a), price: MicroUsd(b) });
        probe.same(integers::IoForValueUp { value: MicroUsd(a), price: MicroUsd(b) });
        probe.same(integers::IoForValueDown { value: MicroUsd(a), price: MicroUsd(b) });
        probe.same(integers::ComputeCost { device_minutes: a, rate: Units(b) });
        probe.same(integers::ComputeValue { device_minutes: a, rate: Units(b) });
    }
    probe.finish(20_000);
}

#[test]
fn arithmetic_at_its_edges_is_the_same() {
    let mut probe = Probe::new();
    let ends = [0, 1, 2, 9_999, 10_000, u64::from(u32::MAX), 1 << 32, i64::MAX as u64, 1 << 63, u64::MAX - 1, u64::MAX];
    for a in ends {
        for b in ends {
            for divisor in ends {
                probe.same(integers::MulDivDown { a, b, divisor });
                probe.same(integers::MulDivUp { a, b, divisor });
                for low in [0, 1, u64::MAX] {
                    probe.same(integers::Divide { a: [a, b], b: [divisor, low] });
                    probe.same(integers::DivideSigned { a: [a, b], b: [divisor, low] });
                    probe.same(integers::Multiply { a: [a, b], b: [divisor, low] });
                }
            }
        }
    }
    probe.finish(10_000);
}

#[test]
fn the_economy_is_the_same() {
    let mut probe = Probe::new();
    let mut random = Random::new(2);
    for _ in 0..1_500 {
        let params = params(&mut random);
        let currency = if random.chance(95) { random.below(2) } else { random.amount() };
        let (a, b, c) = (random.amount(), random.amount(), random.amount());
        let submissions = submissions(&mut random);
        let count = random.below(10);
        let now = if random.chance(90) { START } else { random.time() };
        probe.same(economy::ParamsCheck { params });
        probe.same(economy::CustomerFees { cost: Units(a), currency, params });
        probe.same(economy::SplitWorked { value: Units(a), currency, params });
        probe.same(economy::SplitEarned { amount: Io(a.max(b)), network_fee: Io(if random.chance(90) { a.min(b) } else { c }), params });
        probe.same(economy::Swap { usdc: Usdc(a), io: Io(b), usdc_in: Usdc(c) });
        probe.same(economy::GuardedSwap { usdc: Usdc(a), io: Io(b), usdc_in: Usdc(c), price: MicroUsd(random.amount()), guard_bps: 200 });
        // Near the oracle's price, on either side of the guard.
        let depth = 1 + random.below(1 << 50);
        let io = (u128::from(depth) * 100 * u128::from(9_700 + random.below(600)) / 10_000) as u64;
        let usdc_in = 1 + random.below(depth / 50 + 1);
        probe.same(economy::GuardedSwap {
            usdc: Usdc(depth),
            io: Io(io),
            usdc_in: Usdc(usdc_in),
            price: MicroUsd(1_000_000),
            guard_bps: 200,
        });
        probe.same(economy::Submit { last: submissions[0], price: MicroUsd(a), now });
        probe.same(economy::Price { submissions, count, now, params });
        probe.same(economy::LastMedian { submissions, count });
        probe.same(economy::IoForRecord { value: MicroUsd(a), submissions, count });
        let minutes_hired = if random.chance(80) { random.below(10_000) } else { random.word() } as u32;
        probe.same(economy::Period { sequence: random.below(8) as u32, minutes_hired });
        probe.same(economy::Period { sequence: random.word() as u32, minutes_hired });
        let ran_secs = if random.chance(80) { random.below(700_000) as i64 } else { random.time() };
        probe.same(economy::BillableMinutes { ran_secs, minutes_hired, reason: random.below(5) as u32 });
    }
    probe.finish(20_000);
}

#[test]
fn the_steps_of_a_booking_are_the_same() {
    let mut probe = Probe::new();
    let mut random = Random::new(3);
    for _ in 0..1_500 {
        let params = params(&mut random);
        let (book, now) = booking(&mut random, &params);
        let later = if random.chance(80) { now.saturating_add(random.below(200_000) as i64) } else { random.time() };
        let off = |random: &mut Random, count: u32| if random.chance(90) { count } else { random.word() as u32 };
        let one = offer(&mut random);
        let currency = if random.chance(95) { one.currency as u32 } else { random.word() as u32 };
        probe.same(bookings::Book {
            rate: one.rate,
            rate_micro_usd: one.rate_micro_usd,
            valid_until_unix_secs: one.valid_until_unix_secs,
            now: if random.chance(90) { START } else { random.time() },
            quantity: one.quantity,
            minutes: one.minutes,
            currency,
            hardware: random.below(3) as u32,
            params,
        });
        probe.same(bookings::Check { book });
        probe.same(bookings::Total { book });
        probe.same(bookings::Due { book });
        probe.same(bookings::Escrow { book });
        probe.same(bookings::VaultLiability { book });
        probe.same(bookings::IoLiability { book });
        probe.same(bookings::Terms { book });
        let due = book.due().map_or(1, |due| due.0);
        let amount = Units(if random.chance(80) { random.below(due.saturating_add(2)) } else { random.amount() });
        probe.same(bookings::Pay { book, amount, now, sequence: off(&mut random, book.payments).into(), params });
        probe.same(bookings::Start { book, now: later });
        let minutes = if random.chance(80) { 1 + random.below(5_000) } else { random.word() & u64::from(u32::MAX) };
        probe.same(bookings::ExtensionPrice { book, minutes, params });
        let price = book.extension_price(minutes as u32, &params).map_or(1, |price| price.total.0);
        let amount = Units(if random.chance(80) { price } else { random.amount() });
        let sequence = off(&mut random, book.extensions);
        probe.same(bookings::Extend { book, amount, now, minutes: minutes as u32, sequence, params });
        let end_reason = random.below(5);
        let ended_at_unix_secs = if random.chance(80) { later.saturating_sub(random.below(4_000) as i64) } else { random.time() };
        probe.same(bookings::LogLimit { book, end_reason, ended_at_unix_secs, now: later });
        let reason = ionet_rules::worklog::EndReason::from_u8(end_reason as u8).ok().flatten();
        let end = reason.map(|reason| ionet_rules::booking::End { reason, at_unix_secs: ended_at_unix_secs });
        let limit = book.log_limit(end, later).unwrap_or(60);
        let device_minutes = if random.chance(80) { limit - random.below(limit / 2 + 1) } else { random.amount() };
        let sequence = off(&mut random, book.logs);
        probe.same(bookings::Work {
            book,
            device_minutes,
            ended_at_unix_secs,
            now: later,
            sequence,
            end_reason: end_reason as u32,
            params,
        });
        probe.same(bookings::RefundAmount { book });
        probe.same(bookings::Refund { book });
        probe.same(bookings::Expire { book, now: later });
        let depth = if random.chance(80) { 1 << 40 } else { random.amount() };
        let sequence = off(&mut random, book.repurchases).into();
        let io = Io(depth.saturating_mul(100));
        probe.same(bookings::Repurchase { book, usdc: Usdc(depth), io, price: MicroUsd(1_000_000), sequence, params });
        probe.same(bookings::Earn { book, sequence: off(&mut random, book.earns).into(), params });
    }
    probe.finish(25_000);
}

#[test]
fn bookings_that_live_pass_every_status() {
    let mut random = Random::new(4);
    let mut seen = [0; 6];
    for _ in 0..2_000 {
        let (book, _) = living(&mut random, &Params::DEFAULT);
        seen[usize::from(book.status)] += 1;
    }
    for status in [Status::Booked, Status::PartiallyPaid, Status::Paid, Status::Running, Status::Ended] {
        assert!(seen[status as usize] > 50, "{status:?}: {seen:?}");
    }
}
