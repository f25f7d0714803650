//! The instructions of the supply side, straight from the interface's account lists.

use ionet_abi::accounts::VaultKind;
use ionet_abi::instructions::Tag;
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
use ionet_abi::{SYSTEM_PROGRAM, TOKEN_PROGRAM, seeds};
use ionet_rules::epochs::Statement;
use ionet_rules::money::Currency;
use ionet_rules::multipliers::Multiplier;
use ionet_rules::supply::SupplyParams;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_signer::Signer;

use super::{Net, authority, mint, payer, quote_authority};
use crate::world::{START, key, wallet};

/// Decides appeals.
pub(crate) fn council() -> Keypair {
    key(6)
}

/// The bonded verifier number `index`.
pub(crate) fn bonded(index: u8) -> Keypair {
    key(40 + index)
}

/// A device as the tests name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Device {
    pub(crate) key: [u8; 32],
    /// Who sends and signs for it.
    pub(crate) owner: Address,
    pub(crate) processors: u32,
    pub(crate) model: u16,
    pub(crate) kind: u8,
}

impl Net {
    fn pda(&self, parts: &[&[u8]]) -> Address {
        Address::find_program_address(parts, &self.program).0
    }

    pub(crate) fn supply(&self) -> Address {
        self.pda(&[seeds::SUPPLY])
    }

    pub(crate) fn epochs(&self) -> Address {
        self.pda(&[seeds::EPOCHS])
    }

    pub(crate) fn verifiers(&self) -> Address {
        self.pda(&[seeds::VERIFIERS])
    }

    pub(crate) fn multipliers(&self) -> Address {
        self.pda(&[seeds::MULTIPLIERS])
    }

    pub(crate) fn io_rewards(&self) -> Address {
        self.pda(&[seeds::IO_REWARDS])
    }

    pub(crate) fn io_stake(&self) -> Address {
        self.pda(&[seeds::IO_STAKE])
    }

    pub(crate) fn device(&self, key: [u8; 32]) -> Address {
        self.pda(&[seeds::DEVICE, &key])
    }

    pub(crate) fn device_claim(&self, key: [u8; 32]) -> Address {
        self.pda(&[seeds::CLAIM, &key])
    }

    pub(crate) fn co_claim(&self, key: [u8; 32], co_staker: Address) -> Address {
        self.pda(&[seeds::CLAIM, &key, &co_staker.to_bytes()])
    }

    pub(crate) fn case(&self, id: [u8; 16]) -> Address {
        self.pda(&[seeds::CASE, &id])
    }

    pub(crate) fn initialize_supply(&self) -> Instruction {
        self.initialize_supply_with(SupplyParams::DEFAULT, START)
    }

    pub(crate) fn initialize_supply_with(&self, params: SupplyParams, first_unix_secs: i64) -> Instruction {
        let accounts = InitializeSupplyAccounts {
            payer: payer().pubkey(),
            authority: authority().pubkey(),
            network: self.network(),
            supply: self.supply(),
            epochs: self.epochs(),
            verifiers: self.verifiers(),
            multipliers: self.multipliers(),
            io_rewards: self.io_rewards(),
            io_stake: self.io_stake(),
            io_mint: mint(Currency::Io),
            token_program: TOKEN_PROGRAM.into(),
            system_program: SYSTEM_PROGRAM.into(),
        };
        let args = InitializeSupplyArgs { params, council: council().pubkey().to_bytes(), first_unix_secs };
        self.instruction(args, accounts.into_list())
    }

    pub(crate) fn set_multipliers(&self, first: u16, entries: &[Multiplier]) -> Instruction {
        let accounts = SetMultipliersAccounts { authority: authority().pubkey(), network: self.network(), multipliers: self.multipliers() };
        let mut all: [Multiplier; MULTIPLIERS_AT_ONCE] = bytemuck::Zeroable::zeroed();
        all[..entries.len()].copy_from_slice(entries);
        self.instruction(SetMultipliersArgs { entries: all, first, count: entries.len() as u8, reserved: 0 }, accounts.into_list())
    }

    pub(crate) fn admit(&self, place: u8, key: [u8; 32]) -> Instruction {
        let accounts = AdmitVerifierAccounts {
            authority: authority().pubkey(),
            network: self.network(),
            verifiers: self.verifiers(),
            program: self.program,
        };
        self.instruction(AdmitVerifierArgs { key, place }, accounts.into_list())
    }

    pub(crate) fn bond(&self, verifier: Address, amount: u64) -> Instruction {
        let accounts = BondAccounts {
            verifier,
            network: self.network(),
            supply: self.supply(),
            verifiers: self.verifiers(),
            source: wallet(&verifier, Currency::Io),
            io_stake: self.io_stake(),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(BondArgs { amount }, accounts.into_list())
    }

    pub(crate) fn unbond(&self, verifier: Address) -> Instruction {
        let accounts =
            UnbondAccounts { verifier, network: self.network(), supply: self.supply(), verifiers: self.verifiers(), program: self.program };
        self.instruction(UnbondArgs {}, accounts.into_list())
    }

    pub(crate) fn withdraw_bond(&self, verifier: Address) -> Instruction {
        let accounts = WithdrawBondAccounts {
            verifier,
            network: self.network(),
            supply: self.supply(),
            verifiers: self.verifiers(),
            io_stake: self.io_stake(),
            destination: wallet(&verifier, Currency::Io),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(WithdrawBondArgs {}, accounts.into_list())
    }

    pub(crate) fn mint_epoch(&self) -> Instruction {
        let accounts = MintEpochAccounts {
            network: self.network(),
            supply: self.supply(),
            epochs: self.epochs(),
            io_mint: mint(Currency::Io),
            io_rewards: self.io_rewards(),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(MintEpochArgs {}, accounts.into_list())
    }

    pub(crate) fn post_root(&self, verifier: Address, statement: Statement) -> Instruction {
        let accounts = PostRootAccounts {
            verifier,
            network: self.network(),
            supply: self.supply(),
            epochs: self.epochs(),
            verifiers: self.verifiers(),
            program: self.program,
        };
        self.instruction(PostRootArgs { statement }, accounts.into_list())
    }

    pub(crate) fn accept_root(&self, place: u8) -> Instruction {
        let accounts = AcceptRootAccounts {
            network: self.network(),
            supply: self.supply(),
            epochs: self.epochs(),
            verifiers: self.verifiers(),
            io_payable: self.vault(VaultKind::IoPayable),
            usdc_payable: self.vault(VaultKind::UsdcPayable),
            io_rewards: self.io_rewards(),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(AcceptRootArgs { place }, accounts.into_list())
    }

    pub(crate) fn strike_root(&self, place: u8) -> Instruction {
        let accounts = StrikeRootAccounts {
            council: council().pubkey(),
            network: self.network(),
            supply: self.supply(),
            verifiers: self.verifiers(),
            program: self.program,
        };
        self.instruction(StrikeRootArgs { place }, accounts.into_list())
    }

    pub(crate) fn register(&self, device: &Device, payout: Address) -> Instruction {
        let accounts = RegisterDeviceAccounts {
            payer: payer().pubkey(),
            owner: device.owner,
            quote_authority: quote_authority().pubkey(),
            network: self.network(),
            multipliers: self.multipliers(),
            device: self.device(device.key),
            claim: self.device_claim(device.key),
            system_program: SYSTEM_PROGRAM.into(),
            program: self.program,
        };
        let Device { key, processors, model, kind, .. } = *device;
        let args = RegisterDeviceArgs { device: key, payout: payout.to_bytes(), processors, model, kind, reserved: 0 };
        self.instruction(args, accounts.into_list())
    }

    pub(crate) fn set_payout(&self, owner: Address, claim: Address, payout: Address) -> Instruction {
        let accounts = SetPayoutAccounts { owner, network: self.network(), claim, program: self.program };
        self.instruction(SetPayoutArgs { payout: payout.to_bytes() }, accounts.into_list())
    }

    pub(crate) fn stake(&self, device: &Device, amount: u64) -> Instruction {
        let accounts = StakeAccounts {
            owner: device.owner,
            network: self.network(),
            supply: self.supply(),
            device: self.device(device.key),
            source: wallet(&device.owner, Currency::Io),
            io_stake: self.io_stake(),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(StakeArgs { amount }, accounts.into_list())
    }

    pub(crate) fn withdraw_stake(&self, device: &Device, amount: u64) -> Instruction {
        let accounts = WithdrawStakeAccounts {
            owner: device.owner,
            network: self.network(),
            supply: self.supply(),
            multipliers: self.multipliers(),
            device: self.device(device.key),
            io_stake: self.io_stake(),
            destination: wallet(&device.owner, Currency::Io),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(WithdrawStakeArgs { amount }, accounts.into_list())
    }

    pub(crate) fn unstake(&self, device: &Device) -> Instruction {
        let accounts = UnstakeAccounts {
            owner: device.owner,
            quote_authority: quote_authority().pubkey(),
            network: self.network(),
            supply: self.supply(),
            device: self.device(device.key),
            program: self.program,
        };
        self.instruction(UnstakeArgs {}, accounts.into_list())
    }

    pub(crate) fn offer(&self, device: &Device, max: u64, share_bps: u16) -> Instruction {
        let accounts =
            OfferCoStakeAccounts { owner: device.owner, network: self.network(), device: self.device(device.key), program: self.program };
        self.instruction(OfferCoStakeArgs { max, share_bps, reserved: [0; 6] }, accounts.into_list())
    }

    pub(crate) fn accept_co(&self, device: &Device, co_staker: Address, amount: u64, share_bps: u16) -> Instruction {
        let accounts = AcceptCoStakeAccounts {
            payer: payer().pubkey(),
            co_staker,
            network: self.network(),
            supply: self.supply(),
            device: self.device(device.key),
            claim: self.co_claim(device.key, co_staker),
            source: wallet(&co_staker, Currency::Io),
            io_stake: self.io_stake(),
            token_program: TOKEN_PROGRAM.into(),
            system_program: SYSTEM_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(AcceptCoStakeArgs { amount, share_bps, reserved: [0; 6] }, accounts.into_list())
    }

    pub(crate) fn end_co(&self, device: &Device, party: Address) -> Instruction {
        let accounts = EndCoStakeAccounts {
            party,
            network: self.network(),
            supply: self.supply(),
            multipliers: self.multipliers(),
            device: self.device(device.key),
            program: self.program,
        };
        self.instruction(EndCoStakeArgs {}, accounts.into_list())
    }

    pub(crate) fn withdraw_co(&self, device: &Device, co_staker: Address) -> Instruction {
        let accounts = WithdrawCoStakeAccounts {
            co_staker,
            network: self.network(),
            supply: self.supply(),
            device: self.device(device.key),
            io_stake: self.io_stake(),
            destination: wallet(&co_staker, Currency::Io),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(WithdrawCoStakeArgs {}, accounts.into_list())
    }

    pub(crate) fn open_case(&self, verifier: Address, device: &Device, args: OpenCaseArgs) -> Instruction {
        let accounts = OpenCaseAccounts {
            payer: payer().pubkey(),
            verifier,
            network: self.network(),
            supply: self.supply(),
            verifiers: self.verifiers(),
            epochs: self.epochs(),
            device: self.device(device.key),
            case: self.case(args.case_id),
            system_program: SYSTEM_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(args, accounts.into_list())
    }

    pub(crate) fn appeal(&self, device: &Device, case: [u8; 16]) -> Instruction {
        let accounts = AppealCaseAccounts {
            owner: device.owner,
            network: self.network(),
            supply: self.supply(),
            device: self.device(device.key),
            case: self.case(case),
            program: self.program,
        };
        self.instruction(AppealCaseArgs { appeal: [9; 32] }, accounts.into_list())
    }

    pub(crate) fn decide(&self, device: &Device, case: [u8; 16], burn: u8) -> Instruction {
        let accounts = DecideCaseAccounts {
            council: council().pubkey(),
            network: self.network(),
            supply: self.supply(),
            multipliers: self.multipliers(),
            epochs: self.epochs(),
            device: self.device(device.key),
            case: self.case(case),
            io_stake: self.io_stake(),
            io_rewards: self.io_rewards(),
            io_mint: mint(Currency::Io),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(DecideCaseArgs { burn }, accounts.into_list())
    }

    pub(crate) fn lapse(&self, device: &Device, case: [u8; 16]) -> Instruction {
        let accounts = LapseCaseAccounts {
            network: self.network(),
            supply: self.supply(),
            multipliers: self.multipliers(),
            epochs: self.epochs(),
            device: self.device(device.key),
            case: self.case(case),
            io_stake: self.io_stake(),
            io_rewards: self.io_rewards(),
            io_mint: mint(Currency::Io),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        self.instruction(LapseCaseArgs {}, accounts.into_list())
    }

    /// A claim of these lifetime totals, IO and USDC, paid to `payout`.
    pub(crate) fn claim(&self, claim: Address, payout: Address, lifetime: (u64, u64), proof: &[Hash]) -> Instruction {
        let accounts = ClaimAccounts {
            network: self.network(),
            supply: self.supply(),
            epochs: self.epochs(),
            claim,
            io_rewards: self.io_rewards(),
            usdc_payable: self.vault(VaultKind::UsdcPayable),
            io_destination: wallet(&payout, Currency::Io),
            usdc_destination: wallet(&payout, Currency::Usdc),
            token_program: TOKEN_PROGRAM.into(),
            program: self.program,
        };
        let mut instruction = self.instruction(ClaimArgs { io: lifetime.0, usdc: lifetime.1 }, accounts.into_list());
        assert_eq!(instruction.data[0], Tag::Claim as u8);
        instruction.data.extend(proof.iter().flatten());
        instruction
    }
}
