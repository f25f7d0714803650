//! One builder per instruction of the program. Order, signers and writability come from the account lists of `ionet_abi`, so a builder
//! only says which address stands where.

use ionet_abi::accounts::VaultKind;
use ionet_abi::instructions::{
    AccountUse, Arguments, BookProductAccounts, BookProductArgs, EarnAccounts, EarnArgs, ExpireAccounts, ExpireArgs, ExtendAccounts,
    ExtendArgs, FundPoolAccounts, FundPoolArgs, InitializeAccounts, InitializeArgs, PayAccounts, PayArgs, RefundAccounts, RefundArgs,
    RepurchaseAccounts, RepurchaseArgs, SetOraclesAccounts, SetOraclesArgs, StartAccounts, StartArgs, SubmitPriceAccounts, SubmitPriceArgs,
    WorkedAccounts, WorkedArgs,
};
use ionet_rules::booking::{Offer, WorkLog};
use ionet_rules::money::{Currency, Io, MicroUsd, Units, Usdc};
use ionet_rules::oracle::MAX_ORACLES;
use ionet_rules::params::Params;
use solana_address::Address;
use solana_instruction::{AccountMeta, Instruction};

use crate::address::{Addresses, ClusterId, SYSTEM_PROGRAM, TOKEN_PROGRAM};

pub mod supply;

fn build<T: Arguments>(program_id: Address, accounts: impl IntoIterator<Item = (Address, AccountUse)>, args: &T) -> Instruction {
    let accounts =
        accounts.into_iter().map(|(pubkey, used)| AccountMeta { pubkey, is_signer: used.signer, is_writable: used.writable }).collect();
    let mut data = vec![T::TAG as u8];
    data.extend_from_slice(bytemuck::bytes_of(args));
    Instruction { program_id, accounts, data }
}

/// Who runs a network, as [`initialize`] records it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authorities {
    /// May set oracles and fund the pool.
    pub authority: Address,
    /// Co-signs offers.
    pub quote_authority: Address,
    /// Writes starts and work logs.
    pub verifier: Address,
}

/// Creates the network. Signed by `payer`, the program's own key and the authority.
pub fn initialize(at: &Addresses, payer: Address, who: &Authorities, params: Params) -> Instruction {
    let accounts = InitializeAccounts {
        payer,
        program: at.program_id,
        authority: who.authority,
        network: at.network,
        oracle: at.oracle,
        usdc_mint: at.usdc_mint,
        io_mint: at.io_mint,
        usdc_escrow: at.vault(VaultKind::UsdcEscrow),
        io_escrow: at.vault(VaultKind::IoEscrow),
        usdc_payable: at.vault(VaultKind::UsdcPayable),
        io_payable: at.vault(VaultKind::IoPayable),
        usdc_pool: at.vault(VaultKind::UsdcPool),
        io_pool: at.vault(VaultKind::IoPool),
        usdc_treasury: at.vault(VaultKind::UsdcTreasury),
        io_treasury: at.vault(VaultKind::IoTreasury),
        io_incentives: at.vault(VaultKind::IoIncentives),
        token_program: TOKEN_PROGRAM,
        system_program: SYSTEM_PROGRAM,
    };
    let args = InitializeArgs { params, quote_authority: who.quote_authority.to_bytes(), verifier: who.verifier.to_bytes() };
    build(at.program_id, accounts.into_list(), &args)
}

/// Sets the oracle set; those beyond the most a network can have are left out. Signed by the authority.
pub fn set_oracles(at: &Addresses, authority: Address, oracles: &[Address]) -> Instruction {
    let mut args = SetOraclesArgs { keys: [[0; 32]; MAX_ORACLES], count: 0 };
    for (slot, oracle) in args.keys.iter_mut().zip(oracles) {
        *slot = oracle.to_bytes();
        args.count += 1;
    }
    let accounts = SetOraclesAccounts { authority, network: at.network, oracle: at.oracle };
    build(at.program_id, accounts.into_list(), &args)
}

/// An oracle's price, micro-USD per IO. Signed by the oracle.
pub fn submit_price(at: &Addresses, submitter: Address, price: MicroUsd) -> Instruction {
    let accounts = SubmitPriceAccounts { submitter, oracle: at.oracle };
    build(at.program_id, accounts.into_list(), &SubmitPriceArgs { price_micro_usd: price.0 })
}

/// Puts reserves into the pool out of the authority's token accounts. Signed by the authority.
pub fn fund_pool(at: &Addresses, authority: Address, usdc: Usdc, io: Io) -> Instruction {
    let accounts = FundPoolAccounts {
        authority,
        network: at.network,
        usdc_source: at.token_account(&authority, Currency::Usdc),
        io_source: at.token_account(&authority, Currency::Io),
        usdc_pool: at.vault(VaultKind::UsdcPool),
        io_pool: at.vault(VaultKind::IoPool),
        token_program: TOKEN_PROGRAM,
    };
    build(at.program_id, accounts.into_list(), &FundPoolArgs { usdc: usdc.0, io: io.0 })
}

/// Books a cluster at an offer. Signed by `payer`, the customer and the quote authority.
pub fn book_product(
    at: &Addresses,
    payer: Address,
    customer: Address,
    quote_authority: Address,
    cluster_id: ClusterId,
    offer: &Offer,
) -> Instruction {
    let accounts = BookProductAccounts {
        payer,
        customer,
        quote_authority,
        network: at.network,
        booking: at.booking(&cluster_id),
        system_program: SYSTEM_PROGRAM,
        program: at.program_id,
    };
    let args = BookProductArgs {
        cluster_id,
        rate: offer.rate.0,
        rate_micro_usd: offer.rate_micro_usd.0,
        valid_until_unix_secs: offer.valid_until_unix_secs,
        quantity: offer.quantity,
        minutes: offer.minutes,
        currency: offer.currency as u8,
        hardware: offer.hardware as u8,
        reserved: [0; 6],
    };
    build(at.program_id, accounts.into_list(), &args)
}

/// Pays `amount` out of the customer's associated token account; `sequence` is the number of payments before it. Signed by the customer.
pub fn pay(at: &Addresses, customer: Address, cluster_id: &ClusterId, currency: Currency, amount: Units, sequence: u32) -> Instruction {
    let accounts = PayAccounts {
        customer,
        network: at.network,
        booking: at.booking(cluster_id),
        source: at.token_account(&customer, currency),
        escrow: at.vault(VaultKind::escrow(currency)),
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &PayArgs { amount: amount.0, sequence, reserved: 0 })
}

/// The cluster runs. Signed by the verifier.
pub fn start(at: &Addresses, verifier: Address, cluster_id: &ClusterId, currency: Currency) -> Instruction {
    let accounts = StartAccounts {
        verifier,
        network: at.network,
        booking: at.booking(cluster_id),
        escrow: at.vault(VaultKind::escrow(currency)),
        treasury: at.vault(VaultKind::treasury(currency)),
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &StartArgs {})
}

/// An extension as both parties sign it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension {
    /// Minutes added.
    pub minutes: u32,
    /// Exactly its price, base units of the booking's currency.
    pub amount: Units,
    /// Number of extensions before it.
    pub sequence: u32,
}

/// Extends a cluster and pays for it. Signed by the customer and the quote authority.
pub fn extend(
    at: &Addresses,
    customer: Address,
    quote_authority: Address,
    cluster_id: &ClusterId,
    currency: Currency,
    extension: &Extension,
) -> Instruction {
    let accounts = ExtendAccounts {
        customer,
        quote_authority,
        network: at.network,
        booking: at.booking(cluster_id),
        source: at.token_account(&customer, currency),
        escrow: at.vault(VaultKind::escrow(currency)),
        treasury: at.vault(VaultKind::treasury(currency)),
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    let args = ExtendArgs { amount: extension.amount.0, minutes: extension.minutes, sequence: extension.sequence };
    build(at.program_id, accounts.into_list(), &args)
}

/// Writes a work log. Signed by the verifier.
pub fn worked(at: &Addresses, verifier: Address, cluster_id: &ClusterId, currency: Currency, log: &WorkLog) -> Instruction {
    let accounts = WorkedAccounts {
        verifier,
        network: at.network,
        oracle: at.oracle,
        booking: at.booking(cluster_id),
        escrow: at.vault(VaultKind::escrow(currency)),
        payable: at.vault(VaultKind::payable(currency)),
        treasury: at.vault(VaultKind::treasury(currency)),
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    let args = WorkedArgs {
        device_minutes: log.device_minutes,
        ended_at_unix_secs: log.end.map_or(0, |end| end.at_unix_secs),
        sequence: log.sequence,
        end_reason: log.end.map_or(0, |end| end.reason as u8),
        reserved: [0; 3],
    };
    build(at.program_id, accounts.into_list(), &args)
}

/// Refunds an ended cluster into the customer's associated token account. Anyone may send it.
pub fn refund(at: &Addresses, customer: &Address, cluster_id: &ClusterId, currency: Currency) -> Instruction {
    let accounts = RefundAccounts {
        network: at.network,
        booking: at.booking(cluster_id),
        escrow: at.vault(VaultKind::escrow(currency)),
        treasury: at.vault(VaultKind::treasury(currency)),
        destination: at.token_account(customer, currency),
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &RefundArgs {})
}

/// Converts what waits into IO; `sequence` is the number of repurchases before it. Anyone may send it.
pub fn repurchase(at: &Addresses, cluster_id: &ClusterId, sequence: u32) -> Instruction {
    let accounts = RepurchaseAccounts {
        network: at.network,
        oracle: at.oracle,
        booking: at.booking(cluster_id),
        usdc_escrow: at.vault(VaultKind::UsdcEscrow),
        io_escrow: at.vault(VaultKind::IoEscrow),
        usdc_pool: at.vault(VaultKind::UsdcPool),
        io_pool: at.vault(VaultKind::IoPool),
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &RepurchaseArgs { sequence })
}

/// Sends earned IO on; `sequence` is the number of earnings before it. Anyone may send it.
pub fn earn(at: &Addresses, cluster_id: &ClusterId, sequence: u32) -> Instruction {
    let accounts = EarnAccounts {
        network: at.network,
        booking: at.booking(cluster_id),
        io_escrow: at.vault(VaultKind::IoEscrow),
        io_treasury: at.vault(VaultKind::IoTreasury),
        io_incentives: at.vault(VaultKind::IoIncentives),
        io_mint: at.io_mint,
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &EarnArgs { sequence })
}

/// Expires a booking that was not paid in time; what was paid goes to the customer's associated token account. Anyone may send it.
pub fn expire(at: &Addresses, customer: &Address, cluster_id: &ClusterId, currency: Currency) -> Instruction {
    let accounts = ExpireAccounts {
        network: at.network,
        booking: at.booking(cluster_id),
        escrow: at.vault(VaultKind::escrow(currency)),
        destination: at.token_account(customer, currency),
        token_program: TOKEN_PROGRAM,
        program: at.program_id,
    };
    build(at.program_id, accounts.into_list(), &ExpireArgs {})
}

/// Makes the associated token account of `owner` for `mint` if it is not there. Signed by `payer`, who pays its rent.
pub fn create_token_account(payer: &Address, owner: &Address, mint: &Address) -> Instruction {
    spl_associated_token_account_interface::instruction::create_associated_token_account_idempotent(payer, owner, mint, &TOKEN_PROGRAM)
}
