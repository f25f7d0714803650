//! The beginning of a network on a chain that has its program: mints, network account, oracles, first price, pool.
//!
//! Each step looks at the chain first and is done only if it is missing, so genesis can be killed anywhere and run again.

use std::sync::Arc;
use std::time::Duration;

use ionet_abi::accounts::VaultKind;
use ionet_rules::money::{Currency, IO_UNIT, Io, MicroUsd, USDC_UNIT, Usdc};
use ionet_rules::params::Params;
use solana_address::Address;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_program_pack::Pack as _;
use solana_rpc_client::nonblocking::rpc_client::RpcClient;
use solana_signer::Signer;
use spl_associated_token_account_interface::instruction::create_associated_token_account;
use spl_token_interface::state::Mint;
use tokio::time::{Instant, sleep};

use crate::address::{Addresses, TOKEN_PROGRAM};
use crate::error::LedgerError;
use crate::instructions;
use crate::ledger::{COMMITMENT, Ledger};
use crate::operator::Operator;

/// How long an airdrop may take to show.
const AIRDROP_TIMEOUT: Duration = Duration::from_mins(1);

/// The coins of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mints {
    /// Its own play money: mints at the operator's mint keys, which its faucet key may mint.
    Local,
    /// Mints that exist.
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
    /// USDC reserve of the pool, out of the authority's account (minted to it when the mints are local); 0 funds nothing.
    pub pool_usdc: Usdc,
    /// IO reserve of the pool, likewise.
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
        self.ensure_pool(&ledger, keys, &at).await?;
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
            // then two geneses at once cannot fund the pool twice. For that the accounts are looked at before the pool is.
            for (currency, amount) in [(Currency::Usdc, self.pool_usdc.0), (Currency::Io, self.pool_io.0)] {
                let account = at.token_account(&authority, currency);
                if ledger.token_account(&account).await?.is_none() {
                    list.push(create_associated_token_account(&keys.payer.pubkey(), &authority, &at.mint(currency), &TOKEN_PROGRAM));
                }
                list.push(mint_to(keys, &at.mint(currency), &account, amount)?);
            }
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

/// Mints coins of a local network into a token account. Signed by the faucet key.
pub(crate) fn mint_to(keys: &Operator, mint: &Address, account: &Address, amount: u64) -> Result<Instruction, LedgerError> {
    spl_token_interface::instruction::mint_to(&TOKEN_PROGRAM, mint, account, &keys.faucet.pubkey(), &[], amount)
        .map_err(|_| LedgerError::malformed("mint instruction"))
}

impl Ledger {
    async fn check_program(&self) -> Result<(), LedgerError> {
        let account = self.account(&self.program_id).await?;
        let there = account.is_some_and(|account| account.executable);
        if there { Ok(()) } else { Err(LedgerError::ProgramMissing { program_id: self.program_id }) }
    }

    /// Asks for an airdrop to the payer when it holds less than `min_lamports`, and waits for it.
    pub async fn ensure_lamports(&self, keys: &Operator, min_lamports: u64) -> Result<(), LedgerError> {
        let payer = keys.payer.pubkey();
        let balance = async || Ok::<_, LedgerError>(self.rpc.get_balance_with_commitment(&payer, COMMITMENT).await?.value);
        if balance().await? >= min_lamports {
            return Ok(());
        }
        self.rpc.request_airdrop(&payer, min_lamports).await?;
        let began = Instant::now();
        while balance().await? < min_lamports {
            if began.elapsed() > AIRDROP_TIMEOUT {
                return Err(LedgerError::InsufficientFunds);
            }
            sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    async fn ensure_mint(&self, keys: &Operator, mint: &Keypair, currency: Currency) -> Result<(), LedgerError> {
        if self.has_mint(keys, &mint.pubkey(), currency).await? {
            return Ok(());
        }
        let rent_lamports = self.rpc.get_minimum_balance_for_rent_exemption(Mint::LEN).await?;
        let list = [
            solana_system_interface::instruction::create_account(
                &keys.payer.pubkey(),
                &mint.pubkey(),
                rent_lamports,
                Mint::LEN as u64,
                &TOKEN_PROGRAM,
            ),
            spl_token_interface::instruction::initialize_mint2(
                &TOKEN_PROGRAM,
                &mint.pubkey(),
                &keys.faucet.pubkey(),
                None,
                currency.decimals(),
            )
            .map_err(|_| LedgerError::malformed("mint instruction"))?,
        ];
        match self.send(&list, &keys.payer, &[mint]).await {
            Ok(_) => Ok(()),
            Err(error) => {
                if self.has_mint(keys, &mint.pubkey(), currency).await? {
                    Ok(())
                } else {
                    Err(error)
                }
            }
        }
    }

    async fn has_mint(&self, keys: &Operator, address: &Address, currency: Currency) -> Result<bool, LedgerError> {
        let Some(account) = self.account(address).await? else { return Ok(false) };
        if account.owner != TOKEN_PROGRAM {
            return Err(LedgerError::malformed("mint"));
        }
        let mint = Mint::unpack(&account.data).map_err(|_| LedgerError::malformed("mint"))?;
        if mint.decimals == currency.decimals() && mint.mint_authority == Some(keys.faucet.pubkey()).into() {
            Ok(true)
        } else {
            Err(LedgerError::NetworkDiffers { what: "mint" })
        }
    }
}
