//! How the tests draw amounts, parameters and offers: mostly ordinary, often at an edge.

use ionet_rules::booking::{HardwareKind, MAX_MINUTES, MAX_QUANTITY, MAX_RATE, Offer};
use ionet_rules::money::{Currency, MicroUsd, Units};
use ionet_rules::params::Params;
use proptest::prelude::*;

/// When the tests' clock starts, unix seconds.
pub(crate) const NOW: i64 = 1_800_000_000;

/// Any amount, of every magnitude alike.
pub(crate) fn amount() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => (0u32..64, any::<u64>()).prop_map(|(shift, bits)| bits >> shift),
        1 => prop::sample::select(vec![0, 1, 2, 59, 60, 61, 9_999, 10_000, 10_001, u64::MAX - 1, u64::MAX]),
    ]
}

/// Any time, near and far.
pub(crate) fn time() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => NOW - 100_000..NOW + 100_000,
        1 => any::<i64>(),
        1 => prop::sample::select(vec![i64::MIN, i64::MIN + 1, -1, 0, 1, i64::MAX - 1, i64::MAX]),
    ]
}

pub(crate) fn currency() -> impl Strategy<Value = Currency> {
    prop_oneof![Just(Currency::Usdc), Just(Currency::Io)]
}

/// Parameters anywhere inside their bounds.
pub(crate) fn params() -> impl Strategy<Value = Params> {
    let drawn = (
        (60u32..=86_400, 60u32..=3_600, 0u16..=100, 0u16..=100, 0u16..=500, 0u16..=500),
        (0u16..=1_000, 0u16..=10_000, 3_000u16..=9_000, 10u16..=1_000, 10u16..=2_000),
    )
        .prop_map(|(a, b)| Params {
            payment_window_secs: a.0,
            price_max_age_secs: a.1,
            reservation_customer_bps: a.2,
            reservation_supplier_bps: a.3,
            facilitation_usdc_bps: a.4,
            facilitation_io_bps: a.5,
            network_fee_bps: b.0,
            network_fee_burn_bps: b.1,
            dollar_share_bps: b.2,
            pool_guard_bps: b.3,
            price_scatter_bps: b.4,
            reserved: [0; 7],
        });
    prop_oneof![Just(Params::DEFAULT), drawn]
}

/// Parameters that no check has seen.
pub(crate) fn wild_params() -> impl Strategy<Value = Params> {
    (any::<[u32; 2]>(), any::<[u16; 9]>(), any::<[u16; 7]>()).prop_map(|(secs, bps, reserved)| Params {
        payment_window_secs: secs[0],
        price_max_age_secs: secs[1],
        reservation_customer_bps: bps[0],
        reservation_supplier_bps: bps[1],
        facilitation_usdc_bps: bps[2],
        facilitation_io_bps: bps[3],
        network_fee_bps: bps[4],
        network_fee_burn_bps: bps[5],
        dollar_share_bps: bps[6],
        pool_guard_bps: bps[7],
        price_scatter_bps: bps[8],
        reserved,
    })
}

fn quantity() -> impl Strategy<Value = u32> {
    prop_oneof![6 => 1u32..=16, 1 => 1..=MAX_QUANTITY, 1 => Just(MAX_QUANTITY)]
}

/// Hired minutes: around the first hour, around whole days, anything.
pub(crate) fn minutes() -> impl Strategy<Value = u32> {
    prop_oneof![
        3 => 1u32..=130,
        3 => 1_400u32..=4_400,
        1 => 1..=MAX_MINUTES,
        1 => prop::sample::select(vec![1, 59, 60, 61, 1_439, 1_440, 1_441, 2_879, 2_880, 2_881, MAX_MINUTES]),
    ]
}

fn rate() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 1u64..10_000_000,
        1 => 1u64..=100,
        1 => (0u32..46, 1u64..=MAX_RATE).prop_map(|(shift, rate)| (rate >> shift).max(1)),
    ]
}

/// An offer that the rules may accept; some are too large to count.
pub(crate) fn offer() -> impl Strategy<Value = Offer> {
    (currency(), quantity(), minutes(), rate(), rate(), any::<bool>()).prop_map(|(currency, quantity, minutes, rate, usd, gpu)| Offer {
        currency,
        hardware: if gpu { HardwareKind::Gpu } else { HardwareKind::Cpu },
        quantity,
        minutes,
        rate: Units(rate),
        rate_micro_usd: MicroUsd(if currency == Currency::Usdc { rate } else { usd }),
        valid_until_unix_secs: NOW + 60,
    })
}
