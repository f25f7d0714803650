//! Any sequence of steps, in any order, with any arguments: the books balance after each, against a plain account of who holds what.

use ionet_rules::RuleResult;
use ionet_rules::booking::{Booking, End, Status, WorkLog, compute_value};
use ionet_rules::money::{Currency, IO_UNIT, Io, MicroUsd, Units, Usdc};
use ionet_rules::params::Params;
use ionet_rules::pool::Reserves;
use ionet_rules::worklog::EndReason;
use proptest::prelude::*;

use crate::strategies::{NOW, amount, minutes, offer, params};

/// What to try next; `slip` is a small error in an argument that must match, mostly zero.
#[derive(Clone, Copy, Debug)]
enum Step {
    Wait { secs: i64 },
    WaitForPeriod,
    Pay { slip: u32, share: u16, exact: Option<u64> },
    Start,
    Extend { slip: u32, minutes: u32, amount_slip: i64 },
    Work { slip: u32, share: u16, over: u64, end: Option<(EndReason, i64)> },
    Refund,
    Expire,
    Repurchase { slip: u32, depth: u64 },
    Earn { slip: u32 },
}

fn slip() -> impl Strategy<Value = u32> {
    prop_oneof![9 => Just(0u32), 1 => any::<u32>()]
}

fn share() -> impl Strategy<Value = u16> {
    prop_oneof![2 => Just(10_000u16), 1 => 0u16..=10_000]
}

fn end() -> impl Strategy<Value = Option<(EndReason, i64)>> {
    let reason = prop::sample::select(vec![EndReason::HiredTimeOver, EndReason::CustomerEnded, EndReason::NetworkFailed]);
    let back = prop_oneof![3 => 0i64..10_000, 1 => any::<i64>()];
    prop_oneof![2 => Just(None), 1 => (reason, back).prop_map(Some)]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => prop_oneof![0i64..4_000, 0i64..1_000_000].prop_map(|secs| Step::Wait { secs }),
        4 => Just(Step::WaitForPeriod),
        5 => (slip(), share(), prop_oneof![4 => Just(None), 1 => amount().prop_map(Some)])
            .prop_map(|(slip, share, exact)| Step::Pay { slip, share, exact }),
        4 => Just(Step::Start),
        2 => (slip(), minutes(), prop_oneof![5 => Just(0i64), 1 => -2i64..=2])
            .prop_map(|(slip, minutes, amount_slip)| Step::Extend { slip, minutes, amount_slip }),
        8 => (slip(), share(), prop_oneof![5 => Just(0u64), 1 => amount()], end())
            .prop_map(|(slip, share, over, end)| Step::Work { slip, share, over, end }),
        2 => Just(Step::Refund),
        1 => Just(Step::Expire),
        3 => (slip(), amount()).prop_map(|(slip, depth)| Step::Repurchase { slip, depth }),
        3 => slip().prop_map(|slip| Step::Earn { slip }),
    ]
}

/// Who holds what because of this booking: plain sums of what the steps said they moved.
#[derive(Debug, Default)]
struct Plain {
    customer_paid: u128,
    customer_back: u128,
    treasury: u128,
    payable: u128,
    to_pool: u128,
    from_pool: u128,
    earned: u128,
    logged: u128,
    logged_micro_usd: u128,
    refunds: u32,
}

fn wide(units: Units) -> u128 {
    u128::from(units.0)
}

/// Runs one step; what it moved is added to `plain`.
fn run(step: Step, booking: &mut Booking, plain: &mut Plain, params: &Params, now: &mut i64) -> RuleResult<()> {
    match step {
        Step::Wait { secs } => *now += secs,
        Step::WaitForPeriod => {
            if let (Some(until), Ok(Status::Running)) = (booking.hired_until_unix_secs(), booking.status()) {
                *now = (*now).max(until.min(booking.started_at_unix_secs + i64::from(booking.logs + 1) * 86_400));
            }
        }
        Step::Pay { slip, share, exact } => {
            let amount = match exact {
                Some(exact) => Units(exact),
                None => booking.due()?.share_up(share)?,
            };
            booking.pay(booking.payments.wrapping_add(slip), amount, params, *now)?;
            plain.customer_paid += wide(amount);
        }
        Step::Start => plain.treasury += wide(booking.start(*now)?),
        Step::Extend { slip, minutes, amount_slip } => {
            let amount = booking.extension_price(minutes, params)?.total.0.wrapping_add_signed(amount_slip);
            let moved = booking.extend(booking.extensions.wrapping_add(slip), minutes, Units(amount), params, *now)?;
            plain.customer_paid += wide(moved.paid);
            plain.treasury += wide(moved.fees);
        }
        Step::Work { slip, share, over, end } => {
            let end = end.map(|(reason, back)| End { reason, at_unix_secs: now.saturating_sub(back) });
            let limit = booking.log_limit(end, *now).unwrap_or(60);
            let device_minutes = (limit / 10_000 * u64::from(share) + limit % 10_000 * u64::from(share) / 10_000).saturating_add(over);
            let log = WorkLog { sequence: booking.logs.wrapping_add(slip), device_minutes, end };
            let worked = booking.work(&log, params, *now)?;
            assert!(device_minutes <= limit, "more minutes than the period holds");
            assert_eq!(worked.supplier.plus(worked.rest), Ok(worked.value));
            plain.logged += wide(worked.value);
            plain.logged_micro_usd += u128::from(worked.value_micro_usd.0);
            plain.payable += wide(worked.supplier);
            plain.treasury += wide(worked.dust);
        }
        Step::Refund => {
            let refunded = booking.refund()?;
            plain.customer_back += wide(refunded.amount);
            plain.treasury += wide(refunded.dust);
            plain.refunds += 1;
        }
        Step::Expire => {
            plain.customer_back += wide(booking.expire(*now)?);
            plain.refunds += 1;
        }
        Step::Repurchase { slip, depth } => {
            let usdc = Usdc(depth);
            let io = Io(u64::try_from(u128::from(depth) * u128::from(IO_UNIT) / 1_000_000).unwrap_or(u64::MAX));
            let price = MicroUsd(1_000_000);
            let (usdc_in, io_out) = booking.repurchase(booking.repurchases.wrapping_add(slip), Reserves { usdc, io }, price, params)?;
            plain.to_pool += u128::from(usdc_in.0);
            plain.from_pool += u128::from(io_out.0);
        }
        Step::Earn { slip } => {
            let (amount, split) = booking.earn(booking.earns.wrapping_add(slip), params)?;
            assert_eq!(split.burned.plus(split.incentives).and_then(|sum| sum.plus(split.treasury)), Ok(amount));
            plain.earned += u128::from(amount.0);
        }
    }
    Ok(())
}

/// The vaults by the plain account must hold what the books say they owe.
fn compare(booking: &Booking, plain: &Plain) {
    assert_eq!(booking.check(), Ok(()));
    let escrow = booking.escrow().unwrap();
    // paid = worked + refunded + fees taken + escrow, to the base unit.
    assert_eq!(wide(booking.paid), wide(booking.worked) + wide(booking.refunded) + wide(booking.fees_taken) + wide(escrow));
    assert_eq!(wide(booking.paid), plain.customer_paid);
    assert_eq!(wide(booking.refunded), plain.customer_back);
    assert_eq!(wide(booking.fees_taken), plain.treasury);
    assert_eq!(wide(booking.worked), plain.logged);
    assert_eq!(u128::from(booking.worked_micro_usd.0), plain.logged_micro_usd);
    assert_eq!(wide(booking.supplier_paid), plain.payable);
    let own_out = plain.customer_back + plain.treasury + plain.payable + plain.to_pool;
    match booking.currency().unwrap() {
        Currency::Usdc => {
            assert_eq!(wide(booking.vault_liability().unwrap()), plain.customer_paid - own_out);
            assert_eq!(u128::from(booking.io_liability().unwrap().0), plain.from_pool - plain.earned);
        }
        Currency::Io => {
            assert_eq!(plain.to_pool + plain.from_pool, 0, "an IO booking never swaps");
            assert_eq!(wide(booking.vault_liability().unwrap()), plain.customer_paid - own_out - plain.earned);
            assert_eq!(booking.io_liability().unwrap().0, booking.vault_liability().unwrap().0);
        }
    }
    // The logs sum to the value of all minutes, in both currencies.
    let minutes = booking.device_minutes_worked;
    assert_eq!(compute_value(minutes, booking.rate), Ok(booking.worked));
    assert_eq!(compute_value(minutes, Units(booking.rate_micro_usd.0)).unwrap().0, booking.worked_micro_usd.0);
    assert!(booking.dust <= Units(2), "rounding leaves at most two base units: {}", booking.dust.0);
    assert!(plain.refunds <= 1);
    assert!(booking.worked <= booking.cost, "nobody works for more than was charged");
    if booking.closed != 0 {
        assert_eq!(escrow, Units::ZERO);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, max_shrink_iters: 20_000, ..ProptestConfig::default() })]

    #[test]
    fn the_books_balance_after_any_sequence_of_steps(
        offer in offer(), first in params(), second in params(), steps in prop::collection::vec(step(), 1..60),
    ) {
        let Ok(mut booking) = Booking::book(&offer, &first, NOW) else { return Ok(()) };
        let mut plain = Plain::default();
        let mut now = NOW;
        for (index, step) in steps.iter().enumerate() {
            // Parameters may change while a cluster runs.
            let params = if index < 20 { &first } else { &second };
            let before = booking;
            let result = run(*step, &mut booking, &mut plain, params, &mut now);
            if result.is_err() {
                prop_assert_eq!(before, booking, "{:?} was refused and moved something", step);
            }
            compare(&booking, &plain);
            prop_assert!(booking.payments >= before.payments && booking.logs >= before.logs);
            prop_assert_eq!((booking.rate, booking.rate_micro_usd), (offer.rate, offer.rate_micro_usd));
        }
    }
}

/// The sequences above are of use only when they get everywhere; this counts how far they get.
#[test]
fn the_random_sequences_reach_every_step_and_every_end() {
    use std::collections::BTreeMap;

    use proptest::strategy::ValueTree;
    use proptest::test_runner::{Config, TestRunner};

    let mut runner = TestRunner::new_with_rng(
        Config::default(),
        proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::default()),
    );
    let strategy = (offer(), prop::collection::vec(step(), 60));
    let mut reached: BTreeMap<String, u32> = BTreeMap::new();
    for _ in 0..1_000 {
        let (offer, steps) = strategy.new_tree(&mut runner).unwrap().current();
        let Ok(mut booking) = Booking::book(&offer, &Params::DEFAULT, NOW) else { continue };
        let (mut plain, mut now) = (Plain::default(), NOW);
        for step in steps {
            if run(step, &mut booking, &mut plain, &Params::DEFAULT, &mut now).is_ok() {
                let name = format!("{step:?}");
                *reached.entry(name.split([' ', '{']).next().unwrap().to_owned()).or_default() += 1;
            }
        }
        *reached.entry(booking.status().unwrap().code().to_owned()).or_default() += 1;
        *reached.entry(format!("settled {}", booking.is_settled())).or_default() += 1;
    }
    for name in ["Pay", "Start", "Extend", "Work", "Refund", "Expire", "Repurchase", "Earn", "ended", "expired", "settled true"] {
        let times = reached.get(name).copied().unwrap_or(0);
        assert!(times >= 20, "{name} was reached {times} times only: {reached:?}");
    }
}
