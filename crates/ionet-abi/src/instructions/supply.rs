//! The instructions of the supply side: emission, roots and claims, devices and stakes, cases.

use ionet_rules::epochs::Statement;
use ionet_rules::multipliers::Multiplier;
use ionet_rules::stored;
use ionet_rules::supply::SupplyParams;

use super::{AccountUse, Arguments, Tag};
use crate::AddressBytes;
use crate::merkle::{Hash, MAX_DEPTH};

account_list! {
    /// Accounts of [`Tag::InitializeSupply`].
    InitializeSupplyAccounts {
        payer: sw, "pays for the new accounts";
        authority: s, "the network's authority";
        network: r, "the network account";
        supply: w, "the supply account, new";
        epochs: w, "the epochs account, new";
        verifiers: w, "the verifiers account, new";
        multipliers: w, "the multipliers account, new";
        io_rewards: w, "vault, new";
        io_stake: w, "vault, new";
        io_mint: r, "mint of IO";
        token_program: r, "SPL token program";
        system_program: r, "system program";
    }
}
account_list! {
    /// Accounts of [`Tag::SetMultipliers`].
    SetMultipliersAccounts {
        authority: s, "the network's authority";
        network: r, "the network account";
        multipliers: w, "the multipliers account";
    }
}
account_list! {
    /// Accounts of [`Tag::AdmitVerifier`].
    AdmitVerifierAccounts {
        authority: s, "the network's authority";
        network: r, "the network account";
        verifiers: w, "the verifiers account";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::Bond`].
    BondAccounts {
        verifier: s, "an admitted verifier";
        network: r, "the network account";
        supply: r, "the supply account";
        verifiers: w, "the verifiers account";
        source: w, "the verifier's IO account";
        io_stake: w, "vault";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::Unbond`].
    UnbondAccounts {
        verifier: s, "an admitted verifier";
        network: r, "the network account";
        supply: r, "the supply account";
        verifiers: w, "the verifiers account";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::WithdrawBond`].
    WithdrawBondAccounts {
        verifier: s, "an admitted verifier";
        network: r, "the network account";
        supply: r, "the supply account";
        verifiers: w, "the verifiers account";
        io_stake: w, "vault";
        destination: w, "an IO account of the verifier";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::MintEpoch`]. Anyone may send it once the epoch is over.
    MintEpochAccounts {
        network: r, "the network account";
        supply: r, "the supply account";
        epochs: w, "the epochs account";
        io_mint: w, "mint of IO: the network account is its authority";
        io_rewards: w, "vault";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::PostRoot`].
    PostRootAccounts {
        verifier: s, "a bonded verifier";
        network: r, "the network account";
        supply: r, "the supply account";
        epochs: r, "the epochs account";
        verifiers: w, "the verifiers account";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::AcceptRoot`]. Anyone may send it.
    AcceptRootAccounts {
        network: r, "the network account";
        supply: r, "the supply account";
        epochs: w, "the epochs account";
        verifiers: r, "the verifiers account";
        io_payable: w, "vault";
        usdc_payable: r, "vault";
        io_rewards: w, "vault";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::StrikeRoot`].
    StrikeRootAccounts {
        council: s, "the council";
        network: r, "the network account";
        supply: r, "the supply account";
        verifiers: w, "the verifiers account";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::RegisterDevice`].
    RegisterDeviceAccounts {
        payer: sw, "pays for the new accounts: the network";
        owner: s, "who will stake and withdraw";
        quote_authority: s, "co-signs: the network knows this device, its hardware and its owner";
        network: r, "the network account";
        multipliers: r, "the multipliers account";
        device: w, "the device account, new";
        claim: w, "the device's claim account, new";
        system_program: r, "system program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::SetPayout`].
    SetPayoutAccounts {
        owner: s, "the beneficiary's owner";
        network: r, "the network account";
        claim: w, "the claim account";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::Stake`].
    StakeAccounts {
        owner: s, "the device's owner";
        network: r, "the network account";
        supply: r, "the supply account";
        device: w, "the device account";
        source: w, "the owner's IO account";
        io_stake: w, "vault";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::WithdrawStake`].
    WithdrawStakeAccounts {
        owner: s, "the device's owner";
        network: r, "the network account";
        supply: r, "the supply account";
        multipliers: r, "the multipliers account";
        device: w, "the device account";
        io_stake: w, "vault";
        destination: w, "an IO account of the owner";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::Unstake`].
    UnstakeAccounts {
        owner: s, "the device's owner";
        quote_authority: s, "co-signs: the device is not hired";
        network: r, "the network account";
        supply: r, "the supply account";
        device: w, "the device account";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::OfferCoStake`].
    OfferCoStakeAccounts {
        owner: s, "the device's owner";
        network: r, "the network account";
        device: w, "the device account";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::AcceptCoStake`].
    AcceptCoStakeAccounts {
        payer: sw, "pays for the claim account, when it is new";
        co_staker: s, "who co-stakes; not the owner";
        network: r, "the network account";
        supply: r, "the supply account";
        device: w, "the device account";
        claim: w, "the co-staker's claim account for this device";
        source: w, "the co-staker's IO account";
        io_stake: w, "vault";
        token_program: r, "SPL token program";
        system_program: r, "system program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::EndCoStake`].
    EndCoStakeAccounts {
        party: s, "the device's owner or its co-staker";
        network: r, "the network account";
        supply: r, "the supply account";
        multipliers: r, "the multipliers account";
        device: w, "the device account";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::WithdrawCoStake`].
    WithdrawCoStakeAccounts {
        co_staker: s, "the device's co-staker";
        network: r, "the network account";
        supply: r, "the supply account";
        device: w, "the device account";
        io_stake: w, "vault";
        destination: w, "an IO account of the co-staker";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::OpenCase`].
    OpenCaseAccounts {
        payer: sw, "pays for the case account";
        verifier: s, "a bonded verifier";
        network: r, "the network account";
        supply: r, "the supply account";
        verifiers: r, "the verifiers account";
        epochs: w, "the epochs account: its locked rewards";
        device: w, "the device account";
        case: w, "the case account, new";
        system_program: r, "system program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::AppealCase`].
    AppealCaseAccounts {
        owner: s, "the device's owner";
        network: r, "the network account";
        supply: r, "the supply account";
        device: w, "the device account";
        case: w, "the case account";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::DecideCase`].
    DecideCaseAccounts {
        council: s, "the council";
        network: r, "the network account";
        supply: r, "the supply account";
        multipliers: r, "the multipliers account";
        epochs: w, "the epochs account: its locked rewards";
        device: w, "the device account";
        case: w, "the case account";
        io_stake: w, "vault";
        io_rewards: w, "vault";
        io_mint: w, "mint of IO: a burn lowers its supply";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::LapseCase`]. Anyone may send it once time has decided.
    LapseCaseAccounts {
        network: r, "the network account";
        supply: r, "the supply account";
        multipliers: r, "the multipliers account";
        epochs: w, "the epochs account: its locked rewards";
        device: w, "the device account";
        case: w, "the case account";
        io_stake: w, "vault";
        io_rewards: w, "vault";
        io_mint: w, "mint of IO: a burn lowers its supply";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}
account_list! {
    /// Accounts of [`Tag::Claim`]. Anyone may send it and pay for it; the money goes to the payout wallet alone.
    ClaimAccounts {
        network: r, "the network account";
        supply: r, "the supply account";
        epochs: w, "the epochs account";
        claim: w, "the beneficiary's claim account";
        io_rewards: w, "vault";
        usdc_payable: w, "vault";
        io_destination: w, "an IO account of the payout wallet; anything when no IO is due";
        usdc_destination: w, "a USDC account of the payout wallet; anything when no USDC is due";
        token_program: r, "SPL token program";
        program: r, "this program, for the event record";
    }
}

/// Most entries that one [`SetMultipliersArgs`] sets.
pub const MULTIPLIERS_AT_ONCE: usize = 16;

arguments! {
    /// Sets up the supply side, once.
    InitializeSupplyArgs: InitializeSupply {
        /// Parameters, within their bounds.
        params: SupplyParams,
        /// Key of the council.
        council: AddressBytes,
        /// Beginning of the first epoch, unix seconds: at most one epoch ago, at most 30 days ahead.
        first_unix_secs: i64,
    }
}
arguments! {
    /// Sets entries of the multiplier table.
    SetMultipliersArgs: SetMultipliers {
        /// The entries; those beyond `count` are zero.
        entries: [Multiplier; MULTIPLIERS_AT_ONCE],
        /// Number of the first; at most the number of models listed, so that there is no gap.
        first: u16,
        /// How many, 1 to 16.
        count: u8,
        /// Unused, zero.
        reserved: u8,
    }
}
arguments! {
    /// Admits a verifier to an empty place, or (key zero) empties a place without a bond.
    AdmitVerifierArgs: AdmitVerifier {
        /// Its key, or zero.
        key: AddressBytes,
        /// The place, below 16.
        place: u8,
    }
}
arguments! {
    /// Bonds, or adds to a bond.
    BondArgs: Bond {
        /// Base units of IO.
        amount: u64,
    }
}
arguments! {
    /// Begins to take the bond out.
    UnbondArgs: Unbond {}
}
arguments! {
    /// Takes the bond out after the wait.
    WithdrawBondArgs: WithdrawBond {}
}
arguments! {
    /// Mints for the next epoch that is over.
    MintEpochArgs: MintEpoch {}
}
arguments! {
    /// A verifier's vote for a statement.
    PostRootArgs: PostRoot {
        /// The statement.
        statement: Statement,
    }
}
arguments! {
    /// Accepts what two thirds stand behind.
    AcceptRootArgs: AcceptRoot {
        /// Place of a verifier that votes for it.
        place: u8,
    }
}
arguments! {
    /// Strikes all votes for a statement.
    StrikeRootArgs: StrikeRoot {
        /// Place of a verifier that votes for it.
        place: u8,
    }
}
arguments! {
    /// Registers a device.
    RegisterDeviceArgs: RegisterDevice {
        /// The device's own key.
        device: AddressBytes,
        /// Wallet that its rewards are paid to.
        payout: AddressBytes,
        /// Graphics cards, or processors of a device without.
        processors: u32,
        /// Number of its model in the multiplier table; 65535 when unlisted.
        model: u16,
        /// `HardwareKind`.
        kind: u8,
        /// Unused, zero.
        reserved: u8,
    }
}
arguments! {
    /// Changes where a beneficiary is paid.
    SetPayoutArgs: SetPayout {
        /// The wallet.
        payout: AddressBytes,
    }
}
arguments! {
    /// Stakes, or tops up.
    StakeArgs: Stake {
        /// Base units of IO.
        amount: u64,
    }
}
arguments! {
    /// Withdraws overflow; with zero, all that is unstaked.
    WithdrawStakeArgs: WithdrawStake {
        /// Base units of IO, or zero.
        amount: u64,
    }
}
arguments! {
    /// Begins to unstake.
    UnstakeArgs: Unstake {}
}
arguments! {
    /// Offers a co-stake, or (maximum zero) takes the offer back.
    OfferCoStakeArgs: OfferCoStake {
        /// Most that is asked for, base units of IO.
        max: u64,
        /// Share of the device's block rewards, basis points.
        share_bps: u16,
        /// Unused, zero.
        reserved: [u8; 6],
    }
}
arguments! {
    /// Co-stakes.
    AcceptCoStakeArgs: AcceptCoStake {
        /// Base units of IO.
        amount: u64,
        /// The share that was offered, basis points.
        share_bps: u16,
        /// Unused, zero.
        reserved: [u8; 6],
    }
}
arguments! {
    /// Gives notice of a co-stake.
    EndCoStakeArgs: EndCoStake {}
}
arguments! {
    /// Takes a co-stake out after the wait.
    WithdrawCoStakeArgs: WithdrawCoStake {}
}
arguments! {
    /// Opens a case.
    OpenCaseArgs: OpenCase {
        /// The case's id: a UUID.
        case_id: [u8; 16],
        /// SHA-256 of the evidence.
        evidence: [u8; 32],
        /// What is to be taken in all, base units of IO.
        amount: u64,
        /// Locked rewards of the device, by the published allocation, base units of IO.
        unvested: u64,
        /// `Offence`.
        offence: u8,
        /// Unused, zero.
        reserved: [u8; 7],
    }
}
arguments! {
    /// Appeals.
    AppealCaseArgs: AppealCase {
        /// SHA-256 of the appeal's text.
        appeal: [u8; 32],
    }
}
arguments! {
    /// The council's decision.
    DecideCaseArgs: DecideCase {
        /// 0 frees, 1 burns.
        burn: u8,
    }
}
arguments! {
    /// Carries out what time has decided.
    LapseCaseArgs: LapseCase {}
}
arguments! {
    /// Claims. The proof follows: up to [`MAX_DEPTH`] hashes, from the leaf's neighbour up.
    ClaimArgs: Claim {
        /// Lifetime IO of the beneficiary, base units.
        io: u64,
        /// Lifetime USDC, likewise.
        usdc: u64,
    }
}

impl ClaimArgs {
    /// The arguments and the proof; `None` when the length fits neither.
    pub fn split(data: &[u8]) -> Option<(Self, &[Hash])> {
        let (head, proof) = data.split_at_checked(size_of::<Self>())?;
        let proof: &[Hash] = bytemuck::try_cast_slice(proof).ok()?;
        (proof.len() <= MAX_DEPTH).then(|| (bytemuck::pod_read_unaligned(head), proof))
    }
}
