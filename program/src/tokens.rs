//! Tokens: what the program reads of token accounts and mints, and [`Vault`], through which all tokens move. A vault knows what it held
//! before and what the rule sent through it; at the end it must hold exactly that, and no less than the books owe.

use ionet_abi::faults::Fault;
use ionet_abi::{AddressBytes, TOKEN_PROGRAM};
use ionet_rules::RuleError;
use ionet_rules::money::Currency;
use pinocchio::account::Ref;
use pinocchio::address::address_eq;
use pinocchio::cpi::Signer;
use pinocchio::{AccountView, Address};
use pinocchio_token::instructions::{Burn, MintTo, Transfer};
use pinocchio_token::state::{Account, AccountState, Mint};

use crate::refusal::Outcome;
use crate::state::network::Network;

/// The SPL token program.
pub(crate) const TOKEN_PROGRAM_ID: Address = Address::new_from_array(TOKEN_PROGRAM);

fn token_account(account: &AccountView) -> Outcome<Ref<'_, Account>> {
    if !account.owned_by(&TOKEN_PROGRAM_ID) {
        return Err(Fault::WrongOwner.into());
    }
    Account::from_account_view(account).map_err(|_| Fault::WrongAccountType.into())
}

/// Checks a token account that is not a vault: of the token program, usable, of this coin, held by this key.
pub(crate) fn check_account(account: &AccountView, mint: &AddressBytes, holder: &AddressBytes) -> Outcome {
    let token = token_account(account)?;
    match token.state() {
        Ok(AccountState::Initialized) => {}
        Ok(AccountState::Frozen) => return Err(Fault::TokenAccountFrozen.into()),
        _ => return Err(Fault::WrongAccountType.into()),
    }
    if !address_eq(token.mint(), &Address::new_from_array(*mint)) {
        return Err(Fault::WrongMint.into());
    }
    if !address_eq(token.owner(), &Address::new_from_array(*holder)) {
        return Err(Fault::WrongTokenOwner.into());
    }
    Ok(())
}

/// Checks a mint: of the token program, initialised, with the decimals of the currency.
pub(crate) fn check_mint(account: &AccountView, currency: Currency) -> Outcome {
    if !account.owned_by(&TOKEN_PROGRAM_ID) {
        return Err(Fault::WrongOwner.into());
    }
    let mint = Mint::from_account_view(account).map_err(|_| Fault::WrongAccountType)?;
    if !mint.is_initialized() {
        return Err(Fault::WrongAccountType.into());
    }
    if mint.decimals() != currency.decimals() {
        return Err(Fault::WrongMint.into());
    }
    Ok(())
}

/// What there is of a coin that `authority` may mint.
pub(crate) fn mintable(account: &AccountView, authority: &Address) -> Outcome<u64> {
    if !account.owned_by(&TOKEN_PROGRAM_ID) {
        return Err(Fault::WrongOwner.into());
    }
    let mint = Mint::from_account_view(account).map_err(|_| Fault::WrongAccountType)?;
    match mint.mint_authority() {
        Some(found) if address_eq(found, authority) => Ok(mint.supply()),
        _ => Err(Fault::WrongMintAuthority.into()),
    }
}

/// A vault of the network during one instruction.
pub(crate) struct Vault<'a> {
    account: &'a AccountView,
    /// What it must hold at the end.
    expected: u64,
}

impl<'a> Vault<'a> {
    /// The vault as it is now. Its address was checked: the program made it, so its coin and its owner are right.
    pub(crate) fn open(account: &'a AccountView) -> Outcome<Self> {
        Ok(Self { account, expected: token_account(account)?.amount() })
    }

    /// What it holds, counting all that was moved through it.
    pub(crate) const fn holds(&self) -> u64 {
        self.expected
    }

    /// Takes `amount` from `source`, which its holder's signature releases.
    pub(crate) fn receive(&mut self, source: &AccountView, holder: &AccountView, amount: u64) -> Outcome {
        if token_account(source)?.amount() < amount {
            return Err(Fault::InsufficientFunds.into());
        }
        self.enter(amount)?;
        Movement { from: source, to: self.account, holder, amount }.transfer(&[])
    }

    /// Moves `amount` into another vault.
    pub(crate) fn pass(&mut self, to: &mut Vault, network: &Network, amount: u64) -> Outcome {
        self.leave(amount)?;
        to.enter(amount)?;
        let movement = Movement { from: self.account, to: to.account, holder: network.account(), amount };
        network.sign(|signer| movement.transfer(signer))
    }

    /// Sends `amount` to a token account that is not a vault.
    pub(crate) fn send(&mut self, to: &AccountView, network: &Network, amount: u64) -> Outcome {
        self.leave(amount)?;
        let movement = Movement { from: self.account, to, holder: network.account(), amount };
        network.sign(|signer| movement.transfer(signer))
    }

    /// Burns `amount`.
    pub(crate) fn burn(&mut self, mint: &AccountView, network: &Network, amount: u64) -> Outcome {
        self.leave(amount)?;
        let movement = Movement { from: self.account, to: mint, holder: network.account(), amount };
        network.sign(|signer| movement.burn(signer))
    }

    /// Mints `amount` into it; the network account is the coin's mint authority.
    pub(crate) fn mint(&mut self, mint: &AccountView, network: &Network, amount: u64) -> Outcome {
        self.enter(amount)?;
        let movement = Movement { from: mint, to: self.account, holder: network.account(), amount };
        network.sign(|signer| movement.mint(signer))
    }

    /// The end of the instruction: the vault holds what it should, and no less than the books that changed owe.
    pub(crate) fn settle(&self, owed: u64) -> Outcome {
        let holds = token_account(self.account)?.amount();
        if holds == self.expected && holds >= owed { Ok(()) } else { Err(Fault::VaultMismatch.into()) }
    }

    fn enter(&mut self, amount: u64) -> Outcome {
        self.expected = self.expected.checked_add(amount).ok_or(RuleError::Overflow)?;
        Ok(())
    }

    fn leave(&mut self, amount: u64) -> Outcome {
        self.expected = self.expected.checked_sub(amount).ok_or(Fault::VaultMismatch)?;
        Ok(())
    }
}

/// Tokens on their way out of an account.
struct Movement<'a> {
    /// A token account, or the mint when they are made.
    from: &'a AccountView,
    /// A token account, or the mint when they are burned.
    to: &'a AccountView,
    holder: &'a AccountView,
    amount: u64,
}

impl Movement<'_> {
    #[inline(never)]
    fn transfer(&self, signer: &[Signer]) -> Outcome {
        let Self { from, to, holder, amount } = *self;
        if amount == 0 {
            return Ok(());
        }
        Ok(Transfer::new(from, to, holder, amount).invoke_signed(signer)?)
    }

    #[inline(never)]
    fn burn(&self, signer: &[Signer]) -> Outcome {
        let Self { from, to: mint, holder, amount } = *self;
        if amount == 0 {
            return Ok(());
        }
        Ok(Burn::new(from, mint, holder, amount).invoke_signed(signer)?)
    }

    #[inline(never)]
    fn mint(&self, signer: &[Signer]) -> Outcome {
        let Self { from: mint, to, holder, amount } = *self;
        if amount == 0 {
            return Ok(());
        }
        Ok(MintTo::new(mint, to, holder, amount).invoke_signed(signer)?)
    }
}
