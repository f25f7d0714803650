//! The supply side's scenes: a device with its owner and a co-staker, a case, a root.

use ionet_abi::accounts::{EpochsAccount, VaultKind};
use ionet_abi::instructions::Tag;
use ionet_abi::instructions::supply::OpenCaseArgs;
use ionet_abi::merkle::Hash;
use ionet_rules::booking::HardwareKind;
use ionet_rules::epochs::Statement;
use ionet_rules::money::{Currency, IO_UNIT, Io, USDC_UNIT, Usdc};
use ionet_rules::multipliers::Multiplier;
use ionet_rules::supply::SupplyParams;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_signer::Signer;

use crate::world::build::Net;
use crate::world::build::supply::{Device, bonded};
use crate::world::tree::{self, Totals};
use crate::world::{BONDED, World, customer, key, stranger, wallet};

/// The scene's case.
pub(crate) const CASE: [u8; 16] = [0xCA; 16];
/// What the owner stakes: 4,000 IO more than the minimum.
pub(crate) const STAKED: u64 = 20_000 * IO_UNIT;
/// The co-stake and its share.
pub(crate) const CO_STAKED: (u64, u16) = (5_000 * IO_UNIT, 2_500);
/// What the scene's device has earned in its life: IO and USDC.
pub(crate) const EARNED: (u64, u64) = (1_000 * IO_UNIT + 7, 30 * USDC_UNIT + 3);

/// Eight H100 of the first customer.
pub(crate) fn device() -> Device {
    Device { key: [0xD1; 32], owner: customer(0).pubkey(), processors: 8, model: 2, kind: HardwareKind::Gpu as u8 }
}

/// The second customer co-stakes.
pub(crate) fn co_staker() -> Address {
    customer(1).pubkey()
}

/// The case that is opened: a tenth of the stake.
pub(crate) fn charge() -> OpenCaseArgs {
    OpenCaseArgs { case_id: CASE, evidence: [7; 32], amount: 2_000 * IO_UNIT, unvested: 0, offence: 0, reserved: [0; 7] }
}

/// The lifetime totals that the scene's root is over.
fn totals(net: Net) -> Totals {
    let mut totals: Totals = (0..9).map(|other| (net.device_claim([other; 32]), (u64::from(other) * 1_000, u64::from(other)))).collect();
    totals.insert(net.device_claim(device().key), EARNED);
    totals
}

/// A statement over these totals; none of it worked value, nothing locked.
pub(crate) fn statement(epoch: u64, totals: &Totals) -> Statement {
    Statement {
        epoch,
        root: tree::root(totals),
        file: [3; 32],
        total_io: Io(totals.values().map(|(io, _)| io).sum()),
        total_usdc: Usdc(totals.values().map(|(_, usdc)| usdc).sum()),
        work_io: Io::ZERO,
        locked_io: Io::ZERO,
    }
}

/// Mints for every epoch that is over.
pub(crate) fn catch_up(world: &mut World, net: Net) {
    let epochs: EpochsAccount = world.account(net.epochs());
    let over = SupplyParams::DEFAULT.epochs_over(epochs.book.first_unix_secs, world.now());
    for _ in epochs.book.minted..over {
        world.accept(net.mint_epoch());
    }
}

/// All verifiers vote for a statement, and it is accepted after the challenge window.
pub(crate) fn agree(world: &mut World, net: Net, statement: Statement) {
    for index in 0..BONDED {
        world.accept(net.post_root(bonded(index).pubkey(), statement));
    }
    world.wait(i64::from(SupplyParams::DEFAULT.challenge_window_secs));
    world.accept(net.accept_root(0));
}

/// Puts USDC where claims are paid from.
pub(crate) fn fund_payable(world: &mut World, net: Net, amount: u64) {
    let from = stranger().pubkey();
    let transfer = spl_token_interface::instruction::transfer(
        &ionet_abi::TOKEN_PROGRAM.into(),
        &wallet(&from, Currency::Usdc),
        &net.vault(VaultKind::UsdcPayable),
        &from,
        &[],
        amount,
    );
    world.accept(transfer.unwrap());
}

pub(super) fn prepare(world: &mut World, net: Net, tag: Tag) {
    world.hand_mint_to(net);
    let one = device();
    match tag {
        Tag::WithdrawBond => {
            world.accept(net.unbond(bonded(0).pubkey()));
            world.wait(i64::from(SupplyParams::DEFAULT.unstake_secs));
        }
        Tag::MintEpoch => world.wait(3_600),
        Tag::PostRoot | Tag::AcceptRoot | Tag::StrikeRoot | Tag::Claim => {
            world.wait(2 * 3_600);
            catch_up(world, net);
        }
        _ => {}
    }
    if matches!(tag, Tag::AcceptRoot | Tag::StrikeRoot) {
        fund_payable(world, net, EARNED.1 + 100);
        for index in 0..BONDED {
            world.accept(net.post_root(bonded(index).pubkey(), statement(2, &totals(net))));
        }
        world.wait(i64::from(SupplyParams::DEFAULT.challenge_window_secs));
    }
    if (tag as u8) <= Tag::RegisterDevice as u8 {
        return;
    }
    world.accept(net.register(&one, one.owner));
    match tag {
        Tag::SetPayout | Tag::Stake => return,
        Tag::Claim => {
            fund_payable(world, net, EARNED.1 + 100);
            agree(world, net, statement(2, &totals(net)));
            return;
        }
        _ => {}
    }
    world.accept(net.stake(&one, STAKED));
    if matches!(tag, Tag::AcceptCoStake | Tag::EndCoStake | Tag::WithdrawCoStake) {
        world.accept(net.offer(&one, CO_STAKED.0, CO_STAKED.1));
    }
    if matches!(tag, Tag::EndCoStake | Tag::WithdrawCoStake) {
        world.accept(net.accept_co(&one, co_staker(), CO_STAKED.0, CO_STAKED.1));
    }
    if tag == Tag::WithdrawCoStake {
        world.accept(net.end_co(&one, co_staker()));
        world.wait(i64::from(SupplyParams::DEFAULT.notice_secs + SupplyParams::DEFAULT.unstake_secs));
    }
    if matches!(tag, Tag::AppealCase | Tag::DecideCase | Tag::LapseCase) {
        world.accept(net.open_case(bonded(0).pubkey(), &one, charge()));
    }
    match tag {
        Tag::DecideCase => {
            world.accept(net.appeal(&one, CASE));
        }
        Tag::LapseCase => world.wait(i64::from(SupplyParams::DEFAULT.appeal_secs) + 1),
        _ => {}
    }
}

/// The scene's claim.
pub(crate) fn claim(net: Net) -> Instruction {
    let totals = totals(net);
    let account = net.device_claim(device().key);
    let proof: Vec<Hash> = tree::proof(&totals, &account);
    net.claim(account, device().owner, EARNED, &proof)
}

/// The next instruction, with arguments that are right.
pub(super) fn next(net: Net, tag: Tag) -> Instruction {
    let one = device();
    match tag {
        Tag::InitializeSupply => net.initialize_supply(),
        Tag::SetMultipliers => net.set_multipliers(45, &[Multiplier::new("RTX 5090", HardwareKind::Gpu, 200)]),
        Tag::AdmitVerifier => net.admit(BONDED, key(60).pubkey().to_bytes()),
        Tag::Bond => net.bond(bonded(0).pubkey(), 5 * IO_UNIT),
        Tag::Unbond => net.unbond(bonded(0).pubkey()),
        Tag::WithdrawBond => net.withdraw_bond(bonded(0).pubkey()),
        Tag::MintEpoch => net.mint_epoch(),
        Tag::PostRoot => net.post_root(bonded(0).pubkey(), statement(2, &totals(net))),
        Tag::AcceptRoot => net.accept_root(0),
        Tag::StrikeRoot => net.strike_root(0),
        Tag::RegisterDevice => net.register(&one, one.owner),
        Tag::SetPayout => net.set_payout(one.owner, net.device_claim(one.key), co_staker()),
        Tag::Stake => net.stake(&one, STAKED),
        Tag::WithdrawStake => net.withdraw_stake(&one, 4_000 * IO_UNIT),
        Tag::Unstake => net.unstake(&one),
        Tag::OfferCoStake => net.offer(&one, CO_STAKED.0, CO_STAKED.1),
        Tag::AcceptCoStake => net.accept_co(&one, co_staker(), CO_STAKED.0, CO_STAKED.1),
        Tag::EndCoStake => net.end_co(&one, co_staker()),
        Tag::WithdrawCoStake => net.withdraw_co(&one, co_staker()),
        Tag::OpenCase => net.open_case(bonded(0).pubkey(), &one, charge()),
        Tag::AppealCase => net.appeal(&one, CASE),
        Tag::DecideCase => net.decide(&one, CASE, 1),
        Tag::LapseCase => net.lapse(&one, CASE),
        Tag::Claim => claim(net),
        _ => unreachable!("an instruction of the supply side"),
    }
}
