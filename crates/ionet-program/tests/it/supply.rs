//! The supply side's promises on the chain, one by one: what is paid once, what is never accepted, what is refused and why.

use ionet_abi::accounts::{ClaimAccount, DeviceAccount, EpochsAccount, MultipliersAccount, VaultKind, VerifiersAccount};
use ionet_abi::events::supply::{SUPPLY_EVENT_TAG, SupplyHeader};
use ionet_abi::faults::Fault;
use ionet_abi::instructions::Tag;
use ionet_rules::RuleError;
use ionet_rules::booking::HardwareKind;
use ionet_rules::emission::Schedule;
use ionet_rules::epochs::Statement;
use ionet_rules::money::{Currency, IO_UNIT, Io};
use ionet_rules::multipliers::{Multiplier, TABLE, UNLISTED};
use ionet_rules::supply::SupplyParams;
use solana_instruction::{AccountMeta, Instruction};
use solana_signer::Signer;

use crate::world::build::supply::{Device, bonded};
use crate::world::build::{authority, payer};
use crate::world::scene::supply::{self, CASE, CO_STAKED, STAKED, agree, catch_up, co_staker, device, statement};
use crate::world::scene::{self, ready};
use crate::world::tree::{self, Totals};
use crate::world::{BOND, BONDED, START, World, customer, key, named, stranger, wallet};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;

#[test]
fn every_epoch_is_minted_once_and_missed_ones_are_caught_up() {
    let mut world = World::with_supply(SupplyParams::DEFAULT);
    let net = world.net;
    world.wait(HOUR - 1);
    world.refuse_for(net.mint_epoch(), RuleError::EpochNotOver);
    world.wait(1);
    for (epoch, row) in [(1, 456_621_004_566), (2, 456_614_663_492)] {
        let before = world.supply(Currency::Io);
        world.accept(net.mint_epoch());
        let minted = world.supply(Currency::Io) - before;
        assert_eq!(minted, Schedule::Constant.emission(epoch).0);
        assert!(minted.abs_diff(row) <= 1, "epoch {epoch}: {minted}");
        world.refuse_for(net.mint_epoch(), RuleError::EpochNotOver);
        world.wait(HOUR);
    }
    // Two days without anybody who minted.
    world.wait(2 * DAY);
    catch_up(&mut world, net);
    world.refuse_for(net.mint_epoch(), RuleError::EpochNotOver);
    let epochs: EpochsAccount = world.account(net.epochs());
    assert_eq!((epochs.book.minted, epochs.book.emitted), (51, Schedule::Constant.cumulative(51)));
    assert_eq!(world.balance(net.io_rewards()), epochs.book.emitted.0);
}

#[test]
fn an_epoch_is_minted_by_the_networks_own_coin_alone() {
    let (mut world, mint) = ready(Tag::MintEpoch, Currency::Io);
    let supply = world.supply(Currency::Io);
    for authority in [None, Some(authority().pubkey()), Some(world.other.network())] {
        world.put_mint_of(crate::world::build::mint(Currency::Io), 8, supply, authority);
        world.refuse_for(mint.clone(), Fault::WrongMintAuthority);
    }
}

#[test]
fn a_claim_replayed_skipped_for_a_thousand_epochs_or_sent_by_anybody_pays_the_right_total_once() {
    let params = SupplyParams { breaker_floor_io: Io(1 << 60), ..SupplyParams::DEFAULT };
    let mut world = World::with_supply(params);
    let net = world.net;
    let [often, seldom] = [1, 2].map(|number| Device { key: [number; 32], owner: customer(number).pubkey(), ..device() });
    for one in [often, seldom] {
        world.accept(net.register(&one, one.owner));
    }
    let [often_at, seldom_at] = [often, seldom].map(|one| net.device_claim(one.key));
    let mut totals = Totals::new();
    let before = [often, seldom].map(|one| world.balance(wallet(&one.owner, Currency::Io)));
    let mut old = None;
    for epoch in [1, 2, 3, 500, 1_000] {
        world.set_clock(START + epoch * HOUR);
        catch_up(&mut world, net);
        let number = epoch.cast_unsigned();
        let earned = number * 1_000;
        totals.insert(often_at, (earned, 0));
        totals.insert(seldom_at, (2 * earned, 0));
        agree(&mut world, net, statement(number, &totals));
        let claim = net.claim(often_at, often.owner, (earned, 0), &tree::proof(&totals, &often_at));
        assert!(claim.accounts.iter().all(|meta| !meta.is_signer), "anybody may send it");
        world.accept(claim.clone());
        assert_eq!(world.balance(wallet(&often.owner, Currency::Io)) - before[0], earned);
        world.refuse_for(claim.clone(), RuleError::NothingToClaim);
        // The claim of an earlier root, after a later one.
        if let Some(old) = old.replace(claim) {
            world.refuse_for(old, RuleError::WrongProof);
        }
    }
    let claim = net.claim(seldom_at, seldom.owner, (2_000_000, 0), &tree::proof(&totals, &seldom_at));
    world.accept(claim.clone());
    assert_eq!(world.balance(wallet(&seldom.owner, Currency::Io)) - before[1], 2_000_000);
    world.refuse_for(claim, RuleError::NothingToClaim);
}

#[test]
fn the_money_goes_to_the_payout_wallet_alone() {
    let (mut world, claim) = ready(Tag::Claim, Currency::Io);
    let (net, one) = (world.net, device());
    let account = net.device_claim(one.key);
    for (name, reason) in [("io_destination", Fault::WrongTokenOwner), ("usdc_destination", Fault::WrongTokenOwner)] {
        let place = ionet_abi::instructions::account_uses(Tag::Claim).iter().position(|one| one.name == name).unwrap();
        let mut changed = claim.clone();
        let currency = if name == "io_destination" { Currency::Io } else { Currency::Usdc };
        changed.accounts[place].pubkey = wallet(&stranger().pubkey(), currency);
        world.refuse_for(changed, reason);
    }
    // The owner alone moves it, and from then on the old wallet gets nothing.
    world.refuse_for(net.set_payout(stranger().pubkey(), account, stranger().pubkey()), Fault::WrongSigner);
    world.accept(net.set_payout(one.owner, account, stranger().pubkey()));
    world.refuse_for(claim.clone(), Fault::WrongTokenOwner);
    let mut right = claim;
    for (place, currency) in [(6, Currency::Io), (7, Currency::Usdc)] {
        right.accounts[place].pubkey = wallet(&stranger().pubkey(), currency);
    }
    let before = world.balance(wallet(&stranger().pubkey(), Currency::Io));
    world.accept(right);
    assert_eq!(world.balance(wallet(&stranger().pubkey(), Currency::Io)) - before, supply::EARNED.0);
}

#[test]
fn a_root_that_one_verifier_or_two_that_disagree_stand_behind_is_not_accepted() {
    let mut world = World::with_supply(SupplyParams::DEFAULT);
    let net = world.net;
    world.wait(HOUR);
    catch_up(&mut world, net);
    let honest = statement(1, &Totals::new());
    let lie = Statement { root: [6; 32], total_io: Io(1_000), ..honest };
    let post = |world: &mut World, index: u8, statement| world.accept(net.post_root(bonded(index).pubkey(), statement));
    post(&mut world, 0, lie);
    post(&mut world, 1, honest);
    world.wait(DAY);
    for place in [0, 1] {
        world.refuse_for(net.accept_root(place), RuleError::NotAgreed);
    }
    world.refuse_for(net.accept_root(2), RuleError::NoVote);
    post(&mut world, 2, honest);
    world.refuse_for(net.accept_root(2), RuleError::ChallengeWindowOpen);
    world.refuse_for(net.accept_root(0), RuleError::NotAgreed);
    // Within the window the council strikes it; the verifiers must say it again.
    world.accept(net.strike_root(2));
    world.wait(DAY);
    world.refuse_for(net.accept_root(2), RuleError::NoVote);
    post(&mut world, 1, honest);
    post(&mut world, 2, honest);
    world.wait(i64::from(SupplyParams::DEFAULT.challenge_window_secs) - 1);
    world.refuse_for(net.accept_root(1), RuleError::ChallengeWindowOpen);
    world.wait(1);
    world.accept(net.accept_root(1));
    world.refuse_for(net.accept_root(1), RuleError::WrongEpoch);
    // A promise of more than was minted is not even voted for.
    let more = Statement { epoch: 1, total_io: Io(u64::MAX / 2), ..lie };
    world.wait(HOUR);
    catch_up(&mut world, net);
    world.refuse_for(net.post_root(bonded(0).pubkey(), Statement { epoch: 2, ..more }), RuleError::StatementUnsound);
}

#[test]
fn bonds_and_places_of_verifiers() {
    let mut world = World::with_supply(SupplyParams::DEFAULT);
    let net = world.net;
    let one = bonded(0).pubkey();
    world.refuse_for(net.admit(0, key(60).pubkey().to_bytes()), Fault::PlaceTaken);
    world.refuse_for(net.admit(BONDED, one.to_bytes()), Fault::PlaceTaken);
    world.refuse_for(net.admit(0, [0; 32]), Fault::PlaceTaken);
    world.refuse_for(net.admit(BONDED, [0; 32]), RuleError::NothingStaked);
    world.refuse_for(net.admit(16, [1; 32]), Fault::MalformedData);
    world.refuse_for(net.bond(stranger().pubkey(), 1), Fault::WrongSigner);
    world.accept(net.unbond(one));
    world.refuse_for(net.unbond(one), RuleError::Unstaking);
    world.refuse_for(net.withdraw_bond(one), RuleError::WaitNotOver);
    world.wait(14 * DAY);
    world.accept(net.withdraw_bond(one));
    assert_eq!(world.balance(net.io_stake()), u64::from(BONDED - 1) * BOND);
    world.accept(net.admit(0, [0; 32]));
    let verifiers: VerifiersAccount = world.account(net.verifiers());
    assert_eq!(verifiers.place(&one.to_bytes()), None);
    world.refuse_for(net.bond(one, 1), Fault::WrongSigner);
}

#[test]
fn the_minimum_is_that_of_the_rules() {
    let mut world = World::with_supply(SupplyParams::DEFAULT);
    let net = world.net;
    for (model, processors, minimum) in [(2, 8, 16_000), (27, 4, 1_200), (24, 4, 800)] {
        let one = Device { key: [processors as u8 ^ model as u8; 32], processors, model, ..device() };
        world.accept(net.register(&one, one.owner));
        world.accept(net.stake(&one, (minimum + 1) * IO_UNIT));
        world.refuse_for(net.withdraw_stake(&one, IO_UNIT + 1), RuleError::StakeNeeded);
        world.accept(net.withdraw_stake(&one, IO_UNIT));
        world.refuse_for(net.withdraw_stake(&one, 0), RuleError::NotUnstaking);
    }
    let bad = |processors, model, kind: HardwareKind| Device { key: [77; 32], processors, model, kind: kind as u8, ..device() };
    for (one, reason) in [
        (bad(0, 2, HardwareKind::Gpu), RuleError::ProcessorsOutOfRange),
        (bad(4_097, 2, HardwareKind::Gpu), RuleError::ProcessorsOutOfRange),
        (bad(8, 2, HardwareKind::Cpu), RuleError::UnknownModel),
        (bad(8, 90, HardwareKind::Gpu), RuleError::UnknownModel),
    ] {
        world.refuse_for(net.register(&one, one.owner), reason);
    }
    let unlisted = bad(4_096, UNLISTED, HardwareKind::Cpu);
    world.refuse_for(net.register(&unlisted, [0; 32].into()), Fault::MalformedData);
    world.accept(net.register(&unlisted, unlisted.owner));
    world.refuse_for(net.register(&unlisted, unlisted.owner), Fault::AlreadyInitialised);
}

#[test]
fn a_co_staker_that_comes_back_keeps_its_claims() {
    let (mut world, take) = ready(Tag::WithdrawCoStake, Currency::Io);
    let (net, one) = (world.net, device());
    let at = net.co_claim(one.key, co_staker());
    world.accept(net.set_payout(co_staker(), at, stranger().pubkey()));
    world.accept(take);
    assert_eq!(world.account::<DeviceAccount>(net.device(one.key)).co_staker, [0; 32]);
    world.refuse_for(net.withdraw_co(&one, co_staker()), Fault::WrongSigner);
    world.accept(net.offer(&one, CO_STAKED.0, 10_000));
    world.refuse_for(net.accept_co(&one, co_staker(), CO_STAKED.0, CO_STAKED.1), RuleError::NoSuchOffer);
    world.refuse_for(net.accept_co(&one, one.owner, CO_STAKED.0, 10_000), Fault::WrongSigner);
    world.accept(net.accept_co(&one, co_staker(), CO_STAKED.0, 10_000));
    assert_eq!(world.account::<ClaimAccount>(at).payout, stranger().pubkey().to_bytes());
    assert_eq!(world.account::<DeviceAccount>(net.device(one.key)).co_staker, co_staker().to_bytes());
}

#[test]
fn a_case_burns_without_an_appeal_and_frees_without_a_decision() {
    for (appealed, burned) in [(false, true), (true, false)] {
        let (mut world, _) = ready(Tag::AppealCase, Currency::Io);
        let (net, one) = (world.net, device());
        let (supply, amount) = (world.supply(Currency::Io), supply::charge().amount);
        let params = SupplyParams::DEFAULT;
        let wait = if appealed { params.decision_secs } else { params.appeal_secs };
        if appealed {
            world.accept(net.appeal(&one, CASE));
        }
        world.refuse_for(net.withdraw_stake(&one, STAKED), RuleError::StakeNeeded);
        world.wait(i64::from(wait));
        world.refuse_for(net.lapse(&one, CASE), RuleError::CaseNotDecidable);
        world.wait(1);
        world.refuse_for(net.decide(&one, CASE, 1), RuleError::CaseNotDecidable);
        world.accept(net.lapse(&one, CASE));
        world.refuse_for(net.lapse(&one, CASE), RuleError::CaseNotOpen);
        let gone = if burned { amount } else { 0 };
        assert_eq!(supply - world.supply(Currency::Io), gone);
        let stake = world.account::<DeviceAccount>(net.device(one.key)).stake;
        assert_eq!((stake.owner.0, stake.owner_frozen.0, stake.burned.0), (STAKED - gone, 0, gone));
    }
}

#[test]
fn a_case_is_opened_within_its_bounds_by_who_is_bonded() {
    let (mut world, _) = ready(Tag::OpenCase, Currency::Io);
    let (net, one) = (world.net, device());
    let open = |verifier, args| net.open_case(verifier, &one, args);
    let charge = supply::charge();
    world.refuse_for(open(stranger().pubkey(), charge), Fault::WrongSigner);
    let half = STAKED / 2;
    let more = ionet_abi::instructions::supply::OpenCaseArgs { amount: half + 1, ..charge };
    world.refuse_for(open(bonded(0).pubkey(), more), RuleError::SlashTooLarge);
    // Locked rewards that nobody has.
    let unvested = ionet_abi::instructions::supply::OpenCaseArgs { unvested: 1, ..charge };
    world.refuse_for(open(bonded(0).pubkey(), unvested), RuleError::SlashTooLarge);
    world.accept(net.unbond(bonded(0).pubkey()));
    world.refuse_for(open(bonded(0).pubkey(), charge), RuleError::NotBonded);
    world.accept(open(bonded(1).pubkey(), ionet_abi::instructions::supply::OpenCaseArgs { amount: half, ..charge }));
    world.refuse_for(open(bonded(1).pubkey(), charge), Fault::AlreadyInitialised);
    // Nothing is left of this month's bound.
    let one_more = ionet_abi::instructions::supply::OpenCaseArgs { case_id: [1; 16], amount: 1, ..charge };
    world.refuse_for(open(bonded(1).pubkey(), one_more), RuleError::SlashTooLarge);
    // A case is not carried out against another device.
    let other = Device { key: [5; 32], ..one };
    world.accept(net.register(&other, other.owner));
    world.refuse_for(net.appeal(&other, CASE), Fault::WrongAddress);
    world.refuse_for(net.decide(&other, CASE, 0), Fault::WrongAddress);
    world.refuse_for(net.lapse(&other, CASE), Fault::WrongAddress);
    world.refuse_for(net.decide(&one, CASE, 2), Fault::MalformedData);
}

#[test]
fn the_multiplier_table_grows_without_gaps_and_kinds_stay() {
    let mut world = World::with_supply(SupplyParams::DEFAULT);
    let net = world.net;
    let entry = Multiplier::new("RTX 5090", HardwareKind::Gpu, 200);
    world.refuse_for(net.set_multipliers(46, &[entry]), Fault::MalformedData);
    world.refuse_for(net.set_multipliers(45, &[]), Fault::MalformedData);
    world.refuse_for(net.set_multipliers(45, &[Multiplier::new("", HardwareKind::Gpu, 200)]), RuleError::UnknownValue);
    world.refuse_for(net.set_multipliers(2, &[Multiplier::new("H100", HardwareKind::Cpu, 1)]), RuleError::UnknownModel);
    world.accept(net.set_multipliers(44, &[TABLE[44], entry]));
    let table: MultipliersAccount = world.account(net.multipliers());
    assert_eq!((table.models().len(), table.models()[45], &table.models()[..45]), (46, entry, TABLE));
    for first in [46, 62, 78] {
        world.accept(net.set_multipliers(first, &[entry; 16]));
    }
    world.accept(net.set_multipliers(94, &[entry; 2]));
    world.refuse_for(net.set_multipliers(95, &[entry; 2]), Fault::MalformedData);
}

#[test]
fn the_supply_side_is_set_up_once_within_its_bounds() {
    let (mut world, first) = ready(Tag::InitializeSupply, Currency::Io);
    let net = world.net;
    let epoch = i64::from(SupplyParams::DEFAULT.epoch_secs);
    for first in [START - epoch - 1, START + 30 * DAY + 1] {
        world.refuse_for(net.initialize_supply_with(SupplyParams::DEFAULT, first), RuleError::ParamOutOfBounds);
    }
    let params = SupplyParams { epoch_secs: 4, ..SupplyParams::DEFAULT };
    world.refuse_for(net.initialize_supply_with(params, START), RuleError::ParamOutOfBounds);
    world.accept(first.clone());
    world.refuse_for(first, Fault::AlreadyInitialised);
}

#[test]
fn a_payer_without_lamports_is_told_so() {
    for tag in [Tag::BookProduct, Tag::InitializeSupply, Tag::RegisterDevice, Tag::AcceptCoStake, Tag::OpenCase] {
        let currency = scene::currencies(tag)[0];
        let (mut world, instruction) = ready(tag, currency);
        let mut account = world.svm.get_account(&payer().pubkey()).unwrap();
        account.lamports = 1_000_000;
        world.svm.set_account(payer().pubkey(), account).unwrap();
        world.refuse_for(instruction, Fault::PayerWithoutFunds);
    }
}

#[test]
fn records_of_the_supply_side_are_written_by_the_program_alone() {
    let mut world = World::with_supply(SupplyParams::DEFAULT);
    let mut data = vec![SUPPLY_EVENT_TAG];
    data.extend([0; size_of::<SupplyHeader>() + 96]);
    let send = |accounts: Vec<AccountMeta>| Instruction { program_id: world.net.program, accounts, data: data.clone() };
    let network = world.net.network();
    let forgeries = [
        (send(vec![]), Fault::WrongAccountCount),
        (send(vec![AccountMeta::new_readonly(network, false)]), Fault::MissingSigner),
        (send(vec![AccountMeta::new_readonly(stranger().pubkey(), true)]), Fault::NotDirect),
    ];
    for (forgery, reason) in forgeries {
        world.refuse_for(forgery, reason);
    }
}

#[test]
fn vaults_of_the_supply_side_are_taken_for_no_others() {
    for (tag, names) in [
        (Tag::Bond, &["io_stake"][..]),
        (Tag::WithdrawBond, &["io_stake"]),
        (Tag::MintEpoch, &["io_rewards"]),
        (Tag::AcceptRoot, &["io_rewards", "io_payable", "usdc_payable"]),
        (Tag::Stake, &["io_stake"]),
        (Tag::WithdrawStake, &["io_stake"]),
        (Tag::AcceptCoStake, &["io_stake"]),
        (Tag::WithdrawCoStake, &["io_stake"]),
        (Tag::DecideCase, &["io_stake", "io_rewards"]),
        (Tag::LapseCase, &["io_stake", "io_rewards"]),
        (Tag::Claim, &["io_rewards", "usdc_payable"]),
    ] {
        let (mut world, instruction) = ready(tag, Currency::Io);
        let net = world.net;
        world.put_tokens(named("look-alike"), crate::world::build::mint(Currency::Io), net.network(), 1 << 40);
        for name in names {
            let place = ionet_abi::instructions::account_uses(tag).iter().position(|one| one.name == *name).unwrap();
            for wrong in [net.vault(VaultKind::IoTreasury), net.vault(VaultKind::IoEscrow), named("look-alike")] {
                let mut changed = instruction.clone();
                changed.accounts[place].pubkey = wrong;
                world.refuse_for(changed, Fault::WrongAddress);
            }
        }
        world.accept(instruction);
    }
}
