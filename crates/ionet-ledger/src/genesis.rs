//! The beginning of a network on a chain that has its program: mints, network account, oracles, first price, initial supply, pool, supply
//! side.
//!
//! Each step looks at the chain first and is done only if it is missing, so genesis can be killed anywhere and run again.

use std::sync::Arc;

use ionet_abi::accounts::VaultKind;
use ionet_rules::money::{Currency, IO_UNIT, Io, MicroUsd, USDC_UNIT, Usdc};
use ionet_rules::params::Params;
use ionet_rules::supply::SupplyParams;
use solana_address::Address;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signer::Signer;
use spl_associated_token_account_interface::instruction::create_associated_token_account;

use crate::address::{Addresses, TOKEN_PROGRAM};
use crate::error::LedgerError;
use crate::instructions;
use crate::ledger::Ledger;
use crate::operator::Operator;

mod coins;
mod supply;

pub(crate) use coins::{mint_to, transfer};

/// The coins of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mints {
    /// Its own play money: mints at the operator's mint keys. The faucet key may mint USDC, and has most of the initial supply of IO.
    Local,
    /// Mints that exist. Whoever has the mint authority of IO hands it to the network account, which mints each epoch's emission.
    Given {
        /// Mint of USDC, 6 decimals.
        usdc: Address,
        /// Mint of IO, 8 decimals.
        io: Address,
    },
}

/// What a network begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// The parameters of the economy.
    pub params: Params,
    /// The coins.
    pub mints: Mints,
    /// First price, micro-USD per IO, by the operator's oracle; `None` leaves it to the oracles.
    pub price: Option<MicroUsd>,
    /// Emission, rewards, staking and slashing: the length of an epoch among them.
    pub supply: SupplyParams,
    /// USDC reserve of the pool, out of the authority's account (minted to it when the mints are local); 0 funds nothing.
    pub pool_usdc: Usdc,
    /// IO reserve of the pool, out of the authority's account.
    pub pool_io: Io,
    /// When the payer holds less than this, an airdrop is asked for; 0 on clusters without a faucet.
    pub payer_min_lamports: u64,
}

impl Genesis {
    /// A local network: one IO costs 2 USD, the pool holds ten million USDC and the IO that they are worth.
    pub const LOCAL: Self = Self {
        params: Params::DEFAULT,
        mints: Mints::Local,
        price: Some(MicroUsd(2_000_000)),
        pool_usdc: Usdc(10_000_000 * USDC_UNIT),
        pool_io: Io(5_000_000 * IO_UNIT),
        supply: SupplyParams::DEFAULT,
        payer_min_lamports: 100_000_000_000,
    };

    /// Creates the network of the operator's program, or completes it, and returns its client.
    pub async fn create(&self, rpc: Arc<RpcClient>, keys: &Operator) -> Result<Ledger, LedgerError> {
        let ledger = Ledger::new(rpc, keys.program_id());
        ledger.check_program().await?;
        ledger.ensure_lamports(keys, self.payer_min_lamports).await?;
        let (usdc, io) = match self.mints {
            Mints::Given { usdc, io } => (usdc, io),
            Mints::Local => {
                ledger.ensure_mint(keys, &keys.usdc_mint, Currency::Usdc).await?;
                ledger.ensure_mint(keys, &keys.io_mint, Currency::Io).await?;
                (keys.usdc_mint.pubkey(), keys.io_mint.pubkey())
            }
        };
        let at = Addresses::derive(ledger.program_id, usdc, io);
        self.ensure_network(&ledger, keys, &at).await?;
        Self::ensure_oracles(&ledger, keys, &at).await?;
        self.ensure_price(&ledger, keys).await?;
        if self.mints == Mints::Local {
            ledger.ensure_initial_supply(keys, &at).await?;
        }
        self.ensure_pool(&ledger, keys, &at).await?;
        self.ensure_supply(&ledger, keys, &at).await?;
        Ok(ledger)
    }

    async fn ensure_network(&self, ledger: &Ledger, keys: &Operator, at: &Addresses) -> Result<(), LedgerError> {
        let missing = |result: &Result<_, LedgerError>| matches!(result, Err(LedgerError::NetworkMissing { .. }));
        let mut found = ledger.network().await;
        if missing(&found) {
            let instruction = instructions::initialize(at, keys.payer.pubkey(), &keys.authorities(), self.params);
            let sent = ledger.send(&[instruction], &keys.payer, &[&keys.program, &keys.authority]).await;
            found = ledger.network().await;
            if missing(&found) {
                sent?;
            }
        }
        let network = found?;
        let differs = |what| Err(LedgerError::NetworkDiffers { what });
        let who = keys.authorities();
        if network.authorities.authority != who.authority {
            return differs("authority");
        }
        if network.authorities.quote_authority != who.quote_authority {
            return differs("quote authority");
        }
        if network.authorities.verifier != who.verifier {
            return differs("verifier");
        }
        if network.addresses != *at {
            return differs("mint or vault");
        }
        Ok(())
    }

    async fn ensure_oracles(ledger: &Ledger, keys: &Operator, at: &Addresses) -> Result<(), LedgerError> {
        if !ledger.oracle().await?.entries.is_empty() {
            return Ok(());
        }
        let instruction = instructions::set_oracles(at, keys.authority.pubkey(), &[keys.oracle.pubkey()]);
        ledger.send(&[instruction], &keys.payer, &[&keys.authority]).await?;
        Ok(())
    }

    async fn ensure_price(&self, ledger: &Ledger, keys: &Operator) -> Result<(), LedgerError> {
        let Some(price) = self.price else { return Ok(()) };
        let last = ledger.oracle().await?.last(&keys.oracle.pubkey());
        if last.is_some_and(|last| last.price.is_zero()) {
            ledger.submit_price(keys, price).await?;
        }
        Ok(())
    }

    async fn ensure_pool(&self, ledger: &Ledger, keys: &Operator, at: &Addresses) -> Result<(), LedgerError> {
        let is_funded = async || -> Result<bool, LedgerError> {
            let balances = ledger.vault_balances().await?;
            Ok(balances.get(VaultKind::UsdcPool) != 0 || balances.get(VaultKind::IoPool) != 0)
        };
        if self.pool_usdc.is_zero() && self.pool_io.is_zero() {
            return Ok(());
        }
        let authority = keys.authority.pubkey();
        let mut list = Vec::new();
        let mut signers = vec![&keys.authority];
        if self.mints == Mints::Local {
            // Account, coins and funding in one transaction. Where the account is new, it is made so that making it twice fails:
            // then two geneses at once cannot fund the pool twice. For that the account is looked at before the pool is.
            let account = at.token_account(&authority, Currency::Usdc);
            if ledger.token_account(&account).await?.is_none() {
                list.push(create_associated_token_account(&keys.payer.pubkey(), &authority, &at.usdc_mint, &TOKEN_PROGRAM));
            }
            list.push(mint_to(keys, &at.usdc_mint, &account, self.pool_usdc.0)?);
            signers.push(&keys.faucet);
        }
        if is_funded().await? {
            return Ok(());
        }
        list.push(instructions::fund_pool(at, authority, self.pool_usdc, self.pool_io));
        match ledger.send(&list, &keys.payer, &signers).await {
            Ok(_) => Ok(()),
            Err(error) => {
                if is_funded().await? {
                    Ok(())
                } else {
                    Err(error)
                }
            }
        }
    }
}
