//! Who earns: one failed check is enough to earn nothing, and each check says what it found.

use ionet_rules::money::{IO_UNIT, Io};
use ionet_rules::rewards::{Check, CheckCode, CheckSet, EndFacts, NominationFacts, Standing, Tier, at_end, nomination};
use ionet_rules::supply::SupplyParams;
use proptest::prelude::*;

const PARAMS: SupplyParams = SupplyParams::DEFAULT;

fn good() -> NominationFacts {
    NominationFacts {
        staked: Io(16_000 * IO_UNIT),
        minimum_stake: Io(16_000 * IO_UNIT),
        unstaking: false,
        multiplier_centi: 1_000,
        tier: Tier::Low,
        uptime_secs: 18_000,
        last_proof_passed: true,
        cluster_formation_passed: true,
        standing: Standing::Good,
        payout_wallet_set: true,
    }
}

fn good_end() -> EndFacts {
    EndFacts { uptime_secs: 21_600, proof_passed: true, hired: false }
}

fn failed(checks: &[Check]) -> Vec<CheckCode> {
    CheckSet::failed(checks).iter().collect()
}

#[test]
fn a_good_device_passes_every_check() {
    let checks = nomination(&good(), &PARAMS);
    assert!(checks.iter().all(|check| check.passed));
    assert!(at_end(&good_end(), &PARAMS).iter().all(|check| check.passed));
    let codes: Vec<_> = checks.iter().chain(&at_end(&good_end(), &PARAMS)).map(|check| check.code).collect();
    assert_eq!(codes, CheckCode::ALL, "every check is made, in order");
}

#[test]
fn each_check_fails_alone() {
    let base = good();
    let cases = [
        (NominationFacts { staked: Io(16_000 * IO_UNIT - 1), ..base }, CheckCode::Stake),
        (NominationFacts { unstaking: true, ..base }, CheckCode::NotUnstaking),
        (NominationFacts { multiplier_centi: 0, ..base }, CheckCode::Multiplier),
        (NominationFacts { tier: Tier::None, ..base }, CheckCode::Connectivity),
        (NominationFacts { uptime_secs: 17_999, ..base }, CheckCode::Uptime),
        (NominationFacts { last_proof_passed: false, ..base }, CheckCode::LastProof),
        (NominationFacts { cluster_formation_passed: false, ..base }, CheckCode::ClusterFormation),
        (NominationFacts { standing: Standing::Blocked, ..base }, CheckCode::Standing),
        (NominationFacts { standing: Standing::Terminated, ..base }, CheckCode::Standing),
        (NominationFacts { payout_wallet_set: false, ..base }, CheckCode::PayoutWallet),
    ];
    for (facts, code) in cases {
        assert_eq!(failed(&nomination(&facts, &PARAMS)), [code]);
    }
    assert_eq!(failed(&at_end(&EndFacts { uptime_secs: 3_000, ..good_end() }, &PARAMS)), [CheckCode::UptimeAtEnd]);
    assert_eq!(failed(&at_end(&EndFacts { proof_passed: false, ..good_end() }, &PARAMS)), [CheckCode::ProofAtEnd]);
    // A hired device is not asked for a proof, but must be up.
    assert_eq!(failed(&at_end(&EndFacts { proof_passed: false, hired: true, ..good_end() }, &PARAMS)), []);
    assert_eq!(failed(&at_end(&EndFacts { uptime_secs: 0, hired: true, proof_passed: false }, &PARAMS)), [CheckCode::UptimeAtEnd]);
}

#[test]
fn reasons_have_numbers() {
    let facts = NominationFacts { staked: Io(150 * IO_UNIT + 50_000_000), uptime_secs: 60, multiplier_centi: 25, ..good() };
    let reasons: Vec<String> = nomination(&facts, &PARAMS).iter().map(|check| check.reason.to_string()).collect();
    assert_eq!(reasons[0], "staked 150.5 IO of at least 16000 IO");
    assert_eq!(reasons[2], "the model's multiplier is 0.25; it must be above 0");
    assert_eq!(reasons[3], "the connection's tier is 1 (low); it must be above 0");
    assert_eq!(reasons[4], "up without a break for 60 s of at least 18000 s");
    assert_eq!(reasons[7], "the device's standing is good");
    let tiny = NominationFacts { staked: Io(1), ..facts };
    assert_eq!(nomination(&tiny, &PARAMS)[0].reason.to_string(), "staked 0.00000001 IO of at least 16000 IO");
}

#[test]
fn numbers_and_codes_of_checks_are_stable() {
    let codes: Vec<_> = CheckCode::ALL.iter().map(|code| code.code()).collect();
    let expected = [
        "stake",
        "not_unstaking",
        "multiplier",
        "connectivity",
        "uptime",
        "last_proof",
        "cluster_formation",
        "standing",
        "payout_wallet",
        "uptime_at_end",
        "proof_at_end",
    ];
    assert_eq!(codes, expected);
    for (index, code) in CheckCode::ALL.iter().enumerate() {
        assert_eq!(*code as usize, index);
    }
    for standing in [Standing::Good, Standing::Blocked, Standing::Terminated] {
        assert_eq!(Standing::from_u8(standing as u8), Ok(standing));
    }
    assert!(Standing::from_u8(3).is_err());
}

proptest! {
    #[test]
    fn a_set_of_checks_survives_its_bits(bits in any::<u16>()) {
        match CheckSet::from_bits(bits) {
            Ok(set) => {
                prop_assert_eq!(set.bits(), bits);
                prop_assert_eq!(set.iter().count(), bits.count_ones() as usize);
                prop_assert_eq!(set.is_empty(), bits == 0);
                prop_assert_eq!(set.union(CheckSet::EMPTY), set);
            }
            Err(_) => prop_assert!(bits >= 1 << CheckCode::ALL.len()),
        }
    }
}
