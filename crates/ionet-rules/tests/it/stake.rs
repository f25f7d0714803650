//! Stakes and cases: the worked numbers, each refusal, and the laws over random lives.

use bytemuck::Zeroable;
use ionet_rules::RuleError;
use ionet_rules::booking::HardwareKind;
use ionet_rules::money::{IO_UNIT, Io};
use ionet_rules::multipliers::{Model, TABLE, UNLISTED};
use ionet_rules::slash::{Case, CaseStatus, MONTH_SECS, Offence, SlashParts, Verdict, divide};
use ionet_rules::stake::{Charge, CoStatus, Stake, minimum};
use ionet_rules::supply::{At, SupplyParams};
use proptest::prelude::*;

use crate::strategies::{NOW, amount};

const PARAMS: SupplyParams = SupplyParams::DEFAULT;
const DAY: i64 = 86_400;

fn io(whole: u64) -> Io {
    Io(whole * IO_UNIT)
}

fn at(now: i64) -> At<'static> {
    At { params: &PARAMS, now }
}

fn model(name: &str) -> Model {
    let number = TABLE.iter().position(|entry| entry.name() == name).unwrap() as u16;
    Model { number, kind: HardwareKind::Gpu }
}

/// A stake of the owner's.
fn staked(owner: u64) -> Stake {
    let mut stake = Stake::zeroed();
    stake.deposit(io(owner)).unwrap();
    stake
}

/// A stake with a co-staker.
fn shared(owner: u64, co: u64) -> Stake {
    let mut stake = staked(owner);
    stake.offer(io(co), 3_000).unwrap();
    stake.accept(io(co), 3_000).unwrap();
    stake
}

#[test]
fn the_minimum_is_that_of_the_examples() {
    let h100 = model("H100 80GB HBM3").centi(TABLE, &PARAMS).unwrap();
    assert_eq!(minimum(h100, 8), Ok(io(16_000)));
    assert_eq!(minimum(25, 4), Ok(io(800)));
    assert_eq!(minimum(0, 1), Ok(io(200)));
    assert_eq!(minimum(125, 1), Ok(io(250)));
    assert_eq!(minimum(100, 0), Err(RuleError::ProcessorsOutOfRange));
    assert_eq!(minimum(100, 4_097), Err(RuleError::ProcessorsOutOfRange));
}

#[test]
fn the_table_names_each_model_once_and_unlisted_ones_have_the_default() {
    for (place, entry) in TABLE.iter().enumerate() {
        entry.check().unwrap();
        assert!(TABLE[..place].iter().all(|other| other.name() != entry.name()), "{}", entry.name());
    }
    assert_eq!(model("H200").centi(TABLE, &PARAMS), Ok(1_200));
    assert_eq!(model("B200").centi(TABLE, &PARAMS), Ok(3_000));
    assert_eq!(model("RTX 4090").centi(TABLE, &PARAMS), Ok(125));
    assert_eq!(Model { number: UNLISTED, kind: HardwareKind::Cpu }.centi(TABLE, &PARAMS), Ok(10));
    assert_eq!(Model { number: UNLISTED, kind: HardwareKind::Gpu }.centi(TABLE, &PARAMS), Ok(0));
    assert_eq!(Model { number: 0, kind: HardwareKind::Cpu }.centi(TABLE, &PARAMS), Err(RuleError::UnknownModel));
    assert_eq!(Model { number: TABLE.len() as u16, kind: HardwareKind::Gpu }.centi(TABLE, &PARAMS), Err(RuleError::UnknownModel));
}

#[test]
fn what_exceeds_the_minimum_can_be_withdrawn_at_once_and_no_more() {
    let mut stake = staked(1_000);
    assert_eq!(stake.overflow(io(800), NOW), Ok(io(200)));
    assert_eq!(stake.withdraw_overflow(Io(200 * IO_UNIT + 1), io(800), NOW), Err(RuleError::StakeNeeded));
    stake.withdraw_overflow(io(200), io(800), NOW).unwrap();
    assert_eq!(stake.withdraw_overflow(Io(1), io(800), NOW), Err(RuleError::StakeNeeded));
    // A co-staker's part counts, but the owner keeps half.
    let stake = shared(600, 400);
    assert_eq!(stake.overflow(io(800), NOW), Ok(io(200)));
    assert_eq!(stake.overflow(io(500), NOW), Ok(io(200)));
}

#[test]
fn unstaking_takes_fourteen_days_and_cannot_be_taken_back() {
    let mut stake = staked(800);
    assert_eq!(stake.withdraw_unstaked(&PARAMS, NOW), Err(RuleError::NotUnstaking));
    stake.unstake(NOW).unwrap();
    assert_eq!(stake.counted(NOW), Ok(Io::ZERO));
    for refused in [stake.clone().unstake(NOW), stake.clone().deposit(io(1)), stake.clone().offer(io(1), 10)] {
        assert_eq!(refused, Err(RuleError::Unstaking));
    }
    assert_eq!(stake.withdraw_unstaked(&PARAMS, NOW + 14 * DAY - 1), Err(RuleError::WaitNotOver));
    assert_eq!(stake.withdraw_unstaked(&PARAMS, NOW + 14 * DAY), Ok(io(800)));
    assert_eq!(stake, Stake::zeroed());
    stake.deposit(io(5)).unwrap();
    assert_eq!(Stake::zeroed().unstake(NOW), Err(RuleError::NothingStaked));
}

#[test]
fn a_co_staker_waits_seven_days_and_fourteen_more() {
    let mut stake = shared(500, 300);
    assert_eq!(stake.counted(NOW), Ok(io(800)));
    stake.give_notice(io(800), &PARAMS, NOW).unwrap();
    assert_eq!(stake.co_status(NOW), CoStatus::Notice);
    assert_eq!(stake.counted(NOW + 7 * DAY - 1), Ok(io(800)));
    assert_eq!(stake.counted(NOW + 7 * DAY), Ok(io(500)));
    assert_eq!(stake.give_notice(io(800), &PARAMS, NOW), Err(RuleError::NoticeGiven));
    assert_eq!(stake.withdraw_co(&PARAMS, NOW + 21 * DAY - 1), Err(RuleError::WaitNotOver));
    assert_eq!(stake.offer(io(1), 10), Err(RuleError::CoStakeTaken));
    assert_eq!(stake.withdraw_co(&PARAMS, NOW + 21 * DAY), Ok(io(300)));
    assert_eq!(stake, staked(500));
}

#[test]
fn terms_are_locked_and_at_most_half_is_the_co_stakers() {
    let mut stake = staked(500);
    assert_eq!(stake.clone().accept(io(1), 3_000), Err(RuleError::NoSuchOffer));
    for share in [0, 10_001] {
        assert_eq!(stake.offer(io(600), share), Err(RuleError::ShareOutOfRange));
    }
    stake.offer(io(600), 3_000).unwrap();
    assert_eq!(stake.clone().accept(io(500), 2_999), Err(RuleError::NoSuchOffer));
    assert_eq!(stake.clone().accept(Io(500 * IO_UNIT + 1), 3_000), Err(RuleError::CoStakeTooLarge));
    stake.accept(io(500), 3_000).unwrap();
    assert_eq!(stake.clone().accept(io(1), 3_000), Err(RuleError::CoStakeTaken));
    assert_eq!(stake.clone().offer(Io::ZERO, 0), Err(RuleError::CoStakeTaken));
    assert_eq!(stake.co_share_bps, 3_000);
}

#[test]
fn an_owner_that_leaves_or_falls_below_its_half_ends_the_co_stake_at_once() {
    let mut leaving = shared(500, 300);
    leaving.unstake(NOW).unwrap();
    assert_eq!(leaving.co_status(NOW), CoStatus::Cooling);
    assert_eq!(leaving.withdraw_co(&PARAMS, NOW + 14 * DAY), Ok(io(300)));

    let mut slashed = shared(500, 300);
    let charge = Charge { offence: Offence::Falsified, amount: io(400), unvested: Io::ZERO };
    let parts = slashed.freeze(&charge, &at(NOW)).unwrap();
    assert_eq!(parts, SlashParts { unvested: Io::ZERO, owner: io(250), co: io(150) });
    let case = Case::open(Offence::Falsified, parts, NOW);
    slashed.settle(&case, Verdict::Burn, io(800), NOW + 5).unwrap();
    assert_eq!((slashed.owner, slashed.co, slashed.burned), (io(250), io(150), io(400)));
    assert_eq!(slashed.co_status(NOW + 5), CoStatus::Cooling);
    assert_eq!(slashed.withdraw_co(&PARAMS, NOW + 5 + 14 * DAY), Ok(io(150)));
}

#[test]
fn unvested_rewards_are_taken_first_and_the_rest_pro_rata() {
    assert_eq!(divide(io(50), io(80), io(500), io(300)), Ok(SlashParts { unvested: io(50), owner: Io(0), co: Io(0) }));
    assert_eq!(divide(io(160), io(80), io(500), io(300)), Ok(SlashParts { unvested: io(80), owner: io(50), co: io(30) }));
    assert_eq!(divide(Io(2), Io(0), Io(1), Io(1)), Ok(SlashParts { unvested: Io(0), owner: Io(1), co: Io(1) }));
    assert_eq!(divide(Io(3), Io(0), Io(1), Io(1)), Err(RuleError::SlashTooLarge));
}

#[test]
fn frozen_money_stays_even_when_its_time_is_over() {
    let mut stake = staked(1_000);
    let charge = Charge { offence: Offence::Inconsistent, amount: io(100), unvested: Io::ZERO };
    stake.unstake(NOW).unwrap();
    let parts = stake.freeze(&charge, &at(NOW + DAY)).unwrap();
    assert_eq!(stake.withdraw_unstaked(&PARAMS, NOW + 14 * DAY), Ok(io(900)));
    assert_eq!(stake.withdraw_unstaked(&PARAMS, NOW + 15 * DAY), Err(RuleError::StakeFrozen));
    let case = Case::open(Offence::Inconsistent, parts, NOW + DAY);
    stake.settle(&case, Verdict::Free, io(200), NOW + 40 * DAY).unwrap();
    assert_eq!(stake.withdraw_unstaked(&PARAMS, NOW + 41 * DAY), Ok(io(100)));
}

#[test]
fn an_offence_and_a_month_have_their_bounds() {
    let mut stake = staked(1_000);
    let charge = |offence, amount| Charge { offence, amount: io(amount), unvested: Io::ZERO };
    assert_eq!(stake.freeze(&charge(Offence::Inconsistent, 101), &at(NOW)), Err(RuleError::SlashTooLarge));
    assert_eq!(stake.freeze(&charge(Offence::ForeignUse, 251), &at(NOW)), Err(RuleError::SlashTooLarge));
    stake.freeze(&charge(Offence::ForeignUse, 250), &at(NOW)).unwrap();
    let second = stake.freeze(&charge(Offence::ForeignUse, 250), &at(NOW + DAY)).unwrap();
    assert_eq!(stake.freeze(&charge(Offence::Inconsistent, 1), &at(NOW + 29 * DAY)), Err(RuleError::SlashTooLarge));
    // What is freed makes room again, and so does the next month.
    let mut freed = stake;
    freed.settle(&Case::open(Offence::ForeignUse, second, NOW + DAY), Verdict::Free, io(200), NOW + 2 * DAY).unwrap();
    freed.freeze(&charge(Offence::ForeignUse, 250), &at(NOW + 3 * DAY)).unwrap();
    stake.freeze(&charge(Offence::Inconsistent, 100), &at(NOW + MONTH_SECS)).unwrap();
}

#[test]
fn a_case_runs_its_course() {
    let parts = SlashParts { unvested: Io(1), owner: Io(2), co: Io(3) };
    let open = Case::open(Offence::Falsified, parts, NOW);
    let over = NOW + 30 * DAY;
    // Nobody appeals.
    let mut case = open;
    assert_eq!(case.lapse(&PARAMS, over), Err(RuleError::CaseNotDecidable));
    assert_eq!(case.decide(Verdict::Burn, &PARAMS, NOW), Err(RuleError::CaseNotDecidable));
    assert_eq!(case.appeal(&PARAMS, over + 1), Err(RuleError::AppealTooLate));
    assert_eq!(case.lapse(&PARAMS, over + 1), Ok(Verdict::Burn));
    assert_eq!(case.lapse(&PARAMS, over + 2), Err(RuleError::CaseNotOpen));
    assert_eq!(case.status(), Ok(CaseStatus::Burned));
    // An appeal that is rejected, one that is upheld, one that nobody decides.
    let mut appealed = open;
    appealed.appeal(&PARAMS, over).unwrap();
    assert_eq!(appealed.appeal(&PARAMS, over), Err(RuleError::CaseNotOpen));
    let mut rejected = appealed;
    rejected.decide(Verdict::Burn, &PARAMS, over + DAY).unwrap();
    assert_eq!(rejected.status(), Ok(CaseStatus::Burned));
    let mut upheld = appealed;
    upheld.decide(Verdict::Free, &PARAMS, over + 60 * DAY).unwrap();
    assert_eq!(upheld.status(), Ok(CaseStatus::Freed));
    assert_eq!(appealed.lapse(&PARAMS, over + 60 * DAY), Err(RuleError::CaseNotDecidable));
    assert_eq!(appealed.decide(Verdict::Burn, &PARAMS, over + 60 * DAY + 1), Err(RuleError::CaseNotDecidable));
    assert_eq!(appealed.lapse(&PARAMS, over + 60 * DAY + 1), Ok(Verdict::Free));
    // The council may free before anybody appeals.
    let mut early = open;
    early.decide(Verdict::Free, &PARAMS, NOW).unwrap();
}

/// One thing that may happen to a stake.
#[derive(Clone, Copy, Debug)]
enum Step {
    Deposit(u64),
    WithdrawOverflow(u64),
    Unstake,
    WithdrawUnstaked,
    Offer(u64, u16),
    Accept(u64),
    Notice,
    WithdrawCo,
    Open(u8, u64, u64),
    Close(usize, bool),
    Wait(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let few = || 0u64..2_000;
    prop_oneof![
        3 => few().prop_map(Step::Deposit),
        2 => few().prop_map(Step::WithdrawOverflow),
        1 => Just(Step::Unstake),
        2 => Just(Step::WithdrawUnstaked),
        2 => (few(), 0u16..12_000).prop_map(|(max, share)| Step::Offer(max, share)),
        3 => few().prop_map(Step::Accept),
        2 => Just(Step::Notice),
        2 => Just(Step::WithdrawCo),
        3 => (0u8..3, few(), 0u64..300).prop_map(|(offence, amount, unvested)| Step::Open(offence, amount, unvested)),
        2 => (0usize..4, any::<bool>()).prop_map(|(which, burn)| Step::Close(which, burn)),
        3 => (0i64..20 * DAY).prop_map(Step::Wait),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// In every life: what came in is there, went out or was burned; nobody gets another's money; frozen money stays; a month never takes
    /// more than its bound; and a refused step changes nothing.
    #[test]
    fn nothing_is_lost_or_made(steps in prop::collection::vec(step(), 1..80), minimum in 0u64..1_500) {
        let minimum = io(minimum);
        let (mut stake, mut now) = (Stake::zeroed(), NOW);
        let (mut owner_in, mut owner_out, mut co_in, mut co_out) = (0u64, 0u64, 0u64, 0u64);
        let mut burned = SlashParts::zeroed();
        let mut cases: Vec<Case> = Vec::new();
        let mut taken: Vec<(i64, u64, u64)> = Vec::new();
        for step in steps {
            let before = stake;
            let refused = match step {
                Step::Deposit(whole) => stake.deposit(io(whole)).map(|()| owner_in += io(whole).0).is_err(),
                Step::WithdrawOverflow(whole) => {
                    let counted = stake.counted(now).unwrap();
                    let done = stake.withdraw_overflow(io(whole), minimum, now);
                    if done.is_ok() {
                        owner_out += io(whole).0;
                        prop_assert!(counted.0 - io(whole).0 >= minimum.0);
                    }
                    done.is_err()
                }
                Step::Unstake => stake.unstake(now).is_err(),
                Step::WithdrawUnstaked => stake.withdraw_unstaked(&PARAMS, now).map(|amount| owner_out += amount.0).is_err(),
                Step::Offer(max, share) => stake.offer(io(max), share).is_err(),
                Step::Accept(whole) => {
                    let share = stake.co_share_bps;
                    let done = stake.accept(io(whole), share);
                    if done.is_ok() {
                        co_in += io(whole).0;
                        prop_assert!(stake.co <= stake.owner);
                    }
                    done.is_err()
                }
                Step::Notice => stake.give_notice(minimum, &PARAMS, now).is_err(),
                Step::WithdrawCo => stake.withdraw_co(&PARAMS, now).map(|amount| co_out += amount.0).is_err(),
                Step::Open(offence, whole, unvested) => {
                    let offence = Offence::from_u8(offence).unwrap();
                    let charge = Charge { offence, amount: io(whole), unvested: io(unvested) };
                    let staked = stake.owner.0 + stake.co.0;
                    let done = stake.freeze(&charge, &at(now));
                    if let Ok(parts) = done {
                        prop_assert_eq!(parts.total(), Ok(io(whole)));
                        prop_assert!(parts.unvested <= io(unvested));
                        prop_assert!(parts.stake().unwrap().is_zero() || parts.unvested == io(unvested));
                        taken.push((now, io(whole).0, staked + io(unvested).0));
                        cases.push(Case::open(offence, parts, now));
                    }
                    done.is_err()
                }
                Step::Close(which, burn) if which < cases.len() => {
                    let case = cases.swap_remove(which);
                    let verdict = if burn { Verdict::Burn } else { Verdict::Free };
                    stake.settle(&case, verdict, minimum, now).unwrap();
                    if burn {
                        burned.owner.0 += case.parts.owner.0;
                        burned.co.0 += case.parts.co.0;
                    }
                    false
                }
                Step::Close(..) => true,
                Step::Wait(secs) => {
                    now += secs;
                    true
                }
            };
            if refused {
                prop_assert_eq!(stake, before);
            }
            prop_assert_eq!(stake.check(), Ok(()));
            prop_assert_eq!(owner_in, owner_out + stake.owner.0 + burned.owner.0);
            prop_assert_eq!(co_in, co_out + stake.co.0 + burned.co.0);
            let frozen: u64 = cases.iter().map(|case| case.parts.owner.0 + case.parts.co.0).sum();
            prop_assert_eq!(frozen, stake.owner_frozen.0 + stake.co_frozen.0);
            let (counted, all) = (stake.counted(now).unwrap(), stake.owner.0 + stake.co.0);
            prop_assert!(counted.0 <= all);
        }
        for (_, amount, there) in taken {
            prop_assert!(amount <= there / 2, "one case takes half at most");
        }
    }

    #[test]
    fn a_division_always_adds_up(wanted in amount(), unvested in amount(), owner in 0u64..1 << 62, co in 0u64..1 << 62) {
        match divide(Io(wanted), Io(unvested), Io(owner), Io(co)) {
            Ok(parts) => {
                prop_assert_eq!(parts.total(), Ok(Io(wanted)));
                prop_assert!(parts.unvested.0 <= unvested && parts.owner.0 <= owner && parts.co.0 <= co);
            }
            Err(error) => {
                prop_assert_eq!(error, RuleError::SlashTooLarge);
                prop_assert!(u128::from(wanted) > u128::from(unvested) + u128::from(owner) + u128::from(co));
            }
        }
    }

    #[test]
    fn a_minimum_grows_with_what_it_is_for(centi in 0u32..100_000, processors in 1u32..=4_096) {
        let one = minimum(centi, processors).unwrap();
        prop_assert!(one.0 >= 200 * IO_UNIT * u64::from(processors));
        prop_assert!(minimum(centi + 1, processors).unwrap() >= one);
    }
}
