//! The builders of the supply side: emission, roots and claims, devices and stakes, cases.

use ionet_abi::accounts::VaultKind;
use ionet_abi::instructions::supply::{
    AcceptCoStakeAccounts, AcceptCoStakeArgs, AcceptRootAccounts, AcceptRootArgs, AdmitVerifierAccounts, AdmitVerifierArgs,
    AppealCaseAccounts, AppealCaseArgs, BondAccounts, BondArgs, ClaimAccounts, ClaimArgs, DecideCaseAccounts, DecideCaseArgs,
    EndCoStakeAccounts, EndCoStakeArgs, InitializeSupplyAccounts, InitializeSupplyArgs, LapseCaseAccounts, LapseCaseArgs,
    MULTIPLIERS_AT_ONCE, MintEpochAccounts, MintEpochArgs, OfferCoStakeAccounts, OfferCoStakeArgs, OpenCaseAccounts, OpenCaseArgs,
    PostRootAccounts, PostRootArgs, RegisterDeviceAccounts, RegisterDeviceArgs, SetMultipliersAccounts, SetMultipliersArgs,
    SetPayoutAccounts, SetPayoutArgs, StakeAccounts, StakeArgs, StrikeRootAccounts, StrikeRootArgs, UnbondAccounts, UnbondArgs,
    UnstakeAccounts, UnstakeArgs, WithdrawBondAccounts, WithdrawBondArgs, WithdrawCoStakeAccounts, WithdrawCoStakeArgs,
    WithdrawStakeAccounts, WithdrawStakeArgs,
};
use ionet_abi::merkle::Hash;
use ionet_rules::epochs::{Paid, Statement};
use ionet_rules::money::{Currency, Io};
use ionet_rules::multipliers::{Model, Multiplier};
use ionet_rules::slash::{Offence, Verdict};
use ionet_rules::supply::SupplyParams;
use solana_address::Address;
use solana_instruction::Instruction;

use super::build;
use crate::address::{Addresses, CaseId, SYSTEM_PROGRAM, TOKEN_PROGRAM};

/// Sets up the supply side. `first_unix_secs` is the beginning of epoch 1. Signed by `payer` and the authority.
pub fn initialize_supply(
    at: &Addresses,
    payer: Address,
    authority: Address,
    council: Address,
    params: SupplyParams,
    first_unix_secs: i64,
) -> Instruction {
    let accounts = InitializeSupplyAccounts {
        payer,
        authority,
        network: at.network,
        supply: at.supply,
        epochs: at.epochs,
        verifiers: at.verifiers,
        multipliers: at.multipliers,
        io_rewards: at.io_rewards,
        io_stake: at.io_stake,
        io_mint: at.io_mint,
        token_program: TOKEN_PROGRAM,
        system_program: SYSTEM_PROGRAM,
    };
    let args = InitializeSupplyArgs { params, council: council.to_bytes(), first_unix_secs };
    build(at.program_id, accounts.into_list(), &args)
}

/// Sets entries of the multiplier table from place `first` on; those beyond [`MULTIPLIERS_AT_ONCE`] are left out. Signed by the authority.
pub fn set_multipliers(at: &Addresses, authority: Address, first: u16, entries: &[Multiplier]) -> Instruction {
    let mut args = SetMultipliersArgs { entries: [bytemuck::Zeroable::zeroed(); MULTIPLIERS_AT_ONCE], first, count: 0, reserved: 0 };
    for (slot, entry) in args.entries.iter_mut().zip(entries) {
        *slot = *entry;
        args.count += 1;
    }
    let accounts = SetMultipliersAccounts { authority, network: at.network, multipliers: at.multipliers };
    build(at.program_id, accounts.into_list(), &args)
}

/// Admits a verifier to an empty place, or empties a place without a bond (`key` is `None`). Signed by the authority.
pub fn admit_verifier(at: &Addresses, authority: Address, place: u8, key: Option<Address>) -> Instruction {
    let accounts = AdmitVerifierAccounts { authority, network: at.network, verifiers: at.verifiers, program: at.program_id };
    let key = key.map_or([0; 32], |key| key.to_bytes());
    build(at.program_id, accounts.into_list(), &AdmitVerifierArgs { key, place })
}

/// A verifier bonds out of its associated token account. Signed by it.
pub fn bond(at: &Addresses, verifier: Address, amount: Io) -> Instruction {
    let accounts = BondAccounts {
        verifier,
        network: at.network,
        supply: at.supply,
        verifiers: at.verifiers,
        source: at.token_account(&verifier, Currency::Io),
        io_stake: at.io_stake,
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &BondArgs { amount: amount.0 })
}

/// A verifier begins to take its bond out. Signed by it.
pub fn unbond(at: &Addresses, verifier: Address) -> Instruction {
    let accounts = UnbondAccounts { verifier, network: at.network, supply: at.supply, verifiers: at.verifiers, program: at.program_id };
    build(at.program_id, accounts.into_list(), &UnbondArgs {})
}

/// A verifier takes its bond into its associated token account. Signed by it.
pub fn withdraw_bond(at: &Addresses, verifier: Address) -> Instruction {
    let accounts = WithdrawBondAccounts {
        verifier,
        network: at.network,
        supply: at.supply,
        verifiers: at.verifiers,
        io_stake: at.io_stake,
        destination: at.token_account(&verifier, Currency::Io),
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &WithdrawBondArgs {})
}

/// Mints for the next epoch that is over. Anyone may send it.
pub fn mint_epoch(at: &Addresses) -> Instruction {
    let accounts = MintEpochAccounts {
        network: at.network,
        supply: at.supply,
        epochs: at.epochs,
        io_mint: at.io_mint,
        io_rewards: at.io_rewards,
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &MintEpochArgs {})
}

/// A verifier's vote. Signed by it.
pub fn post_root(at: &Addresses, verifier: Address, statement: &Statement) -> Instruction {
    let accounts = PostRootAccounts {
        verifier,
        network: at.network,
        supply: at.supply,
        epochs: at.epochs,
        verifiers: at.verifiers,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &PostRootArgs { statement: *statement })
}

/// Accepts what the verifier at `place` votes for. Anyone may send it.
pub fn accept_root(at: &Addresses, place: u8) -> Instruction {
    let accounts = AcceptRootAccounts {
        network: at.network,
        supply: at.supply,
        epochs: at.epochs,
        verifiers: at.verifiers,
        io_payable: at.vault(VaultKind::IoPayable),
        usdc_payable: at.vault(VaultKind::UsdcPayable),
        io_rewards: at.io_rewards,
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &AcceptRootArgs { place })
}

/// Strikes all votes for what the verifier at `place` votes for. Signed by the council.
pub fn strike_root(at: &Addresses, council: Address, place: u8) -> Instruction {
    let accounts = StrikeRootAccounts { council, network: at.network, supply: at.supply, verifiers: at.verifiers, program: at.program_id };
    build(at.program_id, accounts.into_list(), &StrikeRootArgs { place })
}

/// What a device is registered as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The device's own key.
    pub device: Address,
    /// Wallet that its rewards are paid to.
    pub payout: Address,
    /// Graphics cards, or processors of a device without.
    pub processors: u32,
    /// Its model and kind.
    pub model: Model,
}

/// Registers a device with its owner. Signed by `payer`, the owner and the quote authority.
pub fn register_device(at: &Addresses, payer: Address, owner: Address, quote_authority: Address, wanted: &Registration) -> Instruction {
    let accounts = RegisterDeviceAccounts {
        payer,
        owner,
        quote_authority,
        network: at.network,
        multipliers: at.multipliers,
        device: at.device(&wanted.device),
        claim: at.device_claim(&wanted.device),
        system_program: SYSTEM_PROGRAM,
        program: at.program_id,
    };
    let args = RegisterDeviceArgs {
        device: wanted.device.to_bytes(),
        payout: wanted.payout.to_bytes(),
        processors: wanted.processors,
        model: wanted.model.number,
        kind: wanted.model.kind as u8,
        reserved: 0,
    };
    build(at.program_id, accounts.into_list(), &args)
}

/// Changes where a beneficiary is paid. Signed by the claim account's owner.
pub fn set_payout(at: &Addresses, owner: Address, claim: Address, payout: Address) -> Instruction {
    let accounts = SetPayoutAccounts { owner, network: at.network, claim, program: at.program_id };
    build(at.program_id, accounts.into_list(), &SetPayoutArgs { payout: payout.to_bytes() })
}

/// Stakes on a device out of the owner's associated token account. Signed by the owner.
pub fn stake(at: &Addresses, owner: Address, device: &Address, amount: Io) -> Instruction {
    let accounts = StakeAccounts {
        owner,
        network: at.network,
        supply: at.supply,
        device: at.device(device),
        source: at.token_account(&owner, Currency::Io),
        io_stake: at.io_stake,
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &StakeArgs { amount: amount.0 })
}

/// Withdraws overflow (`Some`), or all that is unstaked (`None`), into the owner's associated token account. Signed by the owner.
pub fn withdraw_stake(at: &Addresses, owner: Address, device: &Address, amount: Option<Io>) -> Instruction {
    let accounts = WithdrawStakeAccounts {
        owner,
        network: at.network,
        supply: at.supply,
        multipliers: at.multipliers,
        device: at.device(device),
        io_stake: at.io_stake,
        destination: at.token_account(&owner, Currency::Io),
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &WithdrawStakeArgs { amount: amount.map_or(0, |amount| amount.0) })
}

/// Begins to unstake. Signed by the owner and the quote authority.
pub fn unstake(at: &Addresses, owner: Address, quote_authority: Address, device: &Address) -> Instruction {
    let accounts = UnstakeAccounts {
        owner,
        quote_authority,
        network: at.network,
        supply: at.supply,
        device: at.device(device),
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &UnstakeArgs {})
}

/// Offers up to `max` of co-stake for a share of the block rewards, basis points; with zero takes the offer back. Signed by the owner.
pub fn offer_co_stake(at: &Addresses, owner: Address, device: &Address, max: Io, share_bps: u16) -> Instruction {
    let accounts = OfferCoStakeAccounts { owner, network: at.network, device: at.device(device), program: at.program_id };
    build(at.program_id, accounts.into_list(), &OfferCoStakeArgs { max: max.0, share_bps, reserved: [0; 6] })
}

/// Co-stakes at the share offered out of the co-staker's associated token account. Signed by `payer` and the co-staker.
pub fn accept_co_stake(at: &Addresses, payer: Address, co_staker: Address, device: &Address, amount: Io, share_bps: u16) -> Instruction {
    let accounts = AcceptCoStakeAccounts {
        payer,
        co_staker,
        network: at.network,
        supply: at.supply,
        device: at.device(device),
        claim: at.co_staker_claim(device, &co_staker),
        source: at.token_account(&co_staker, Currency::Io),
        io_stake: at.io_stake,
        token_program: TOKEN_PROGRAM,
        system_program: SYSTEM_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &AcceptCoStakeArgs { amount: amount.0, share_bps, reserved: [0; 6] })
}

/// Gives notice of a co-stake. Signed by `party`, the owner or the co-staker.
pub fn end_co_stake(at: &Addresses, party: Address, device: &Address) -> Instruction {
    let accounts = EndCoStakeAccounts {
        party,
        network: at.network,
        supply: at.supply,
        multipliers: at.multipliers,
        device: at.device(device),
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &EndCoStakeArgs {})
}

/// Takes a co-stake out, into the co-staker's associated token account. Signed by the co-staker.
pub fn withdraw_co_stake(at: &Addresses, co_staker: Address, device: &Address) -> Instruction {
    let accounts = WithdrawCoStakeAccounts {
        co_staker,
        network: at.network,
        supply: at.supply,
        device: at.device(device),
        io_stake: at.io_stake,
        destination: at.token_account(&co_staker, Currency::Io),
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &WithdrawCoStakeArgs {})
}

/// What a case accuses a device of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accusation {
    /// The case's id: a UUID.
    pub case_id: CaseId,
    /// The device accused.
    pub device: Address,
    /// What it is accused of.
    pub offence: Offence,
    /// What is to be taken in all.
    pub amount: Io,
    /// Rewards of the device that are still locked, by the published allocation.
    pub unvested: Io,
    /// SHA-256 of the evidence.
    pub evidence: [u8; 32],
}

/// Opens a case. Signed by `payer` and the verifier.
pub fn open_case(at: &Addresses, payer: Address, verifier: Address, accusation: &Accusation) -> Instruction {
    let accounts = OpenCaseAccounts {
        payer,
        verifier,
        network: at.network,
        supply: at.supply,
        verifiers: at.verifiers,
        epochs: at.epochs,
        device: at.device(&accusation.device),
        case: at.case(&accusation.case_id),
        system_program: SYSTEM_PROGRAM,
        program: at.program_id,
    };
    let args = OpenCaseArgs {
        case_id: accusation.case_id,
        evidence: accusation.evidence,
        amount: accusation.amount.0,
        unvested: accusation.unvested.0,
        offence: accusation.offence as u8,
        reserved: [0; 7],
    };
    build(at.program_id, accounts.into_list(), &args)
}

/// Appeals with the SHA-256 of the appeal's text. Signed by the device's owner.
pub fn appeal_case(at: &Addresses, owner: Address, device: &Address, case_id: &CaseId, appeal: [u8; 32]) -> Instruction {
    let accounts = AppealCaseAccounts {
        owner,
        network: at.network,
        supply: at.supply,
        device: at.device(device),
        case: at.case(case_id),
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &AppealCaseArgs { appeal })
}

/// The council's decision. Signed by the council.
pub fn decide_case(at: &Addresses, council: Address, device: &Address, case_id: &CaseId, verdict: Verdict) -> Instruction {
    let accounts = DecideCaseAccounts {
        council,
        network: at.network,
        supply: at.supply,
        multipliers: at.multipliers,
        epochs: at.epochs,
        device: at.device(device),
        case: at.case(case_id),
        io_stake: at.io_stake,
        io_rewards: at.io_rewards,
        io_mint: at.io_mint,
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &DecideCaseArgs { burn: u8::from(verdict == Verdict::Burn) })
}

/// Carries out what time has decided. Anyone may send it.
pub fn lapse_case(at: &Addresses, device: &Address, case_id: &CaseId) -> Instruction {
    let accounts = LapseCaseAccounts {
        network: at.network,
        supply: at.supply,
        multipliers: at.multipliers,
        epochs: at.epochs,
        device: at.device(device),
        case: at.case(case_id),
        io_stake: at.io_stake,
        io_rewards: at.io_rewards,
        io_mint: at.io_mint,
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &LapseCaseArgs {})
}

/// Pays a beneficiary what its lifetime totals say beyond what it has claimed, into the payout wallet's associated token accounts. The
/// proof goes from the leaf's neighbour up. Anyone may send it.
pub fn claim(at: &Addresses, claim: Address, payout: &Address, lifetime: Paid, proof: &[Hash]) -> Instruction {
    let accounts = ClaimAccounts {
        network: at.network,
        supply: at.supply,
        epochs: at.epochs,
        claim,
        io_rewards: at.io_rewards,
        usdc_payable: at.vault(VaultKind::UsdcPayable),
        io_destination: at.token_account(payout, Currency::Io),
        usdc_destination: at.token_account(payout, Currency::Usdc),
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    let mut instruction = build(at.program_id, accounts.into_list(), &ClaimArgs { io: lifetime.io.0, usdc: lifetime.usdc.0 });
    instruction.data.extend(proof.iter().flatten());
    instruction
}
