//! The accounts of `initialize`.

use ionet_abi::accounts::VaultKind;
use ionet_abi::faults::Fault;
use ionet_abi::instructions::InitializeAccounts;
use ionet_abi::seeds;
use ionet_rules::money::Currency;
use pinocchio::address::address_eq;
use pinocchio::{AccountView, Address};

use crate::call::Call;
use crate::checks::{self, Uses};
use crate::refusal::Outcome;
use crate::state::create::Place;
use crate::tokens;

/// Seed of each vault: its number.
static VAULT_NUMBERS: [[u8; 1]; VaultKind::COUNT] = [[0], [1], [2], [3], [4], [5], [6], [7], [8]];

/// The checked accounts.
pub(super) struct Initialize<'a> {
    pub(super) payer: &'a AccountView,
    pub(super) authority: &'a AccountView,
    pub(super) network: Place<'a>,
    pub(super) oracle: Place<'a>,
    pub(super) usdc_mint: &'a AccountView,
    pub(super) io_mint: &'a AccountView,
    /// In the order of [`VaultKind`].
    pub(super) vaults: [&'a AccountView; VaultKind::COUNT],
}

impl<'a> Initialize<'a> {
    pub(super) fn check(call: &Call<'a>) -> Outcome<Self> {
        let list = checks::list(call, const { Uses::of(InitializeAccounts::<()>::USES) })?;
        let InitializeAccounts {
            payer,
            program,
            authority,
            network,
            oracle,
            usdc_mint,
            io_mint,
            usdc_escrow,
            io_escrow,
            usdc_payable,
            io_payable,
            usdc_pool,
            io_pool,
            usdc_treasury,
            io_treasury,
            io_incentives,
            token_program,
            system_program,
        } = InitializeAccounts::from_list(list);
        checks::token_program(token_program)?;
        checks::system_program(system_program)?;
        // It signed: only who holds the key that the program was deployed with can create its network.
        checks::this_program(program, call.program_id)?;
        let network = Place::find(network, &[seeds::NETWORK], call.program_id)?;
        let oracle = Place::find(oracle, &[seeds::ORACLE], call.program_id)?;
        tokens::check_mint(usdc_mint, Currency::Usdc)?;
        tokens::check_mint(io_mint, Currency::Io)?;
        if address_eq(usdc_mint.address(), io_mint.address()) {
            return Err(Fault::WrongMint.into());
        }
        let vaults = [usdc_escrow, io_escrow, usdc_payable, io_payable, usdc_pool, io_pool, usdc_treasury, io_treasury, io_incentives];
        Ok(Self { payer, authority, network, oracle, usdc_mint, io_mint, vaults })
    }

    /// Where a vault will be; checked like every new account.
    pub(super) fn vault(&self, kind: VaultKind, program_id: &Address) -> Outcome<Place<'a>> {
        let number: &'static [u8] = &VAULT_NUMBERS[kind as usize];
        Place::find(self.vaults[kind as usize], &[seeds::VAULT, number], program_id)
    }

    /// The mint of a currency.
    pub(super) const fn mint(&self, currency: Currency) -> &'a AccountView {
        match currency {
            Currency::Usdc => self.usdc_mint,
            Currency::Io => self.io_mint,
        }
    }
}
