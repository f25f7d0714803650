//! The coins of a local network: mints, lamports for the payer, the initial supply of IO.

use std::time::Duration;

use ionet_rules::emission::INITIAL_SUPPLY;
use ionet_rules::money::{Currency, IO_UNIT, Io};
use solana_address::Address;
use solana_instruction::Instruction;
use solana_keypair::Keypair;
use solana_program_pack::Pack as _;
use solana_signer::Signer;
use spl_token_interface::instruction::{AuthorityType, initialize_mint2, set_authority};
use spl_token_interface::state::Mint;
use tokio::time::{Instant, sleep};

use crate::address::{self, Addresses, TOKEN_PROGRAM};
use crate::error::LedgerError;
use crate::instructions;
use crate::ledger::{COMMITMENT, Ledger};
use crate::operator::Operator;

/// How long an airdrop may take to show.
const AIRDROP_TIMEOUT: Duration = Duration::from_mins(1);
/// After how long without one it is asked for again.
const AIRDROP_PATIENCE: Duration = Duration::from_secs(2);
/// Part of the initial supply that the authority gets, for the pool and the first bond; the faucet has the rest.
const AUTHORITY_PART: Io = Io(100_000_000 * IO_UNIT);

/// Mints coins of a local network into a token account. Signed by the faucet key; IO only before the initial supply is there.
pub(crate) fn mint_to(keys: &Operator, mint: &Address, account: &Address, amount: u64) -> Result<Instruction, LedgerError> {
    spl_token_interface::instruction::mint_to(&TOKEN_PROGRAM, mint, account, &keys.faucet.pubkey(), &[], amount)
        .map_err(|_| LedgerError::malformed("mint instruction"))
}

/// Moves coins between token accounts. Signed by the owner of the first.
pub(crate) fn transfer(from: &Address, to: &Address, owner: &Address, amount: u64) -> Result<Instruction, LedgerError> {
    spl_token_interface::instruction::transfer(&TOKEN_PROGRAM, from, to, owner, &[], amount)
        .map_err(|_| LedgerError::malformed("transfer instruction"))
}

impl Ledger {
    pub(super) async fn check_program(&self) -> Result<(), LedgerError> {
        let account = self.account(&self.program_id).await?;
        let there = account.is_some_and(|account| account.executable);
        if there { Ok(()) } else { Err(LedgerError::ProgramMissing { program_id: self.program_id }) }
    }

    /// Asks for an airdrop to the payer when it holds less than `min_lamports`, and waits for it. Others may spend of it meanwhile, and of
    /// several who ask for the same at once the chain serves only one: so any gain will do, and who sees none asks again.
    pub async fn ensure_lamports(&self, keys: &Operator, min_lamports: u64) -> Result<(), LedgerError> {
        let payer = keys.payer.pubkey();
        let balance = async || Ok::<_, LedgerError>(self.rpc.get_balance_with_commitment(&payer, COMMITMENT).await?.value);
        let before = balance().await?;
        if before >= min_lamports {
            return Ok(());
        }
        let began = Instant::now();
        while began.elapsed() < AIRDROP_TIMEOUT {
            self.rpc.request_airdrop(&payer, min_lamports).await?;
            let asked = Instant::now();
            while asked.elapsed() < AIRDROP_PATIENCE {
                let now = balance().await?;
                if now > before || now >= min_lamports {
                    return Ok(());
                }
                sleep(Duration::from_millis(20)).await;
            }
        }
        Err(LedgerError::InsufficientFunds)
    }

    pub(super) async fn ensure_mint(&self, keys: &Operator, mint: &Keypair, currency: Currency) -> Result<(), LedgerError> {
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
            initialize_mint2(&TOKEN_PROGRAM, &mint.pubkey(), &keys.faucet.pubkey(), None, currency.decimals())
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

    /// Mints what is missing of the initial supply and hands the mint to the network account, which alone can mint from then on. All in one
    /// transaction, so that it cannot happen twice.
    pub(super) async fn ensure_initial_supply(&self, keys: &Operator, at: &Addresses) -> Result<(), LedgerError> {
        let handed_over = async || Ok::<_, LedgerError>(self.io_mint().await?.mint_authority == Some(at.network).into());
        if handed_over().await? {
            return Ok(());
        }
        let missing = INITIAL_SUPPLY.0.saturating_sub(self.io_supply().await?.0);
        let to_authority = missing.min(AUTHORITY_PART.0);
        let mut list = Vec::new();
        for (owner, amount) in [(keys.authority.pubkey(), to_authority), (keys.faucet.pubkey(), missing - to_authority)] {
            list.push(instructions::create_token_account(&keys.payer.pubkey(), &owner, &at.io_mint));
            if amount > 0 {
                list.push(mint_to(keys, &at.io_mint, &at.token_account(&owner, Currency::Io), amount)?);
            }
        }
        let faucet = keys.faucet.pubkey();
        let hand_over = set_authority(&TOKEN_PROGRAM, &at.io_mint, Some(&at.network), AuthorityType::MintTokens, &faucet, &[]);
        list.push(hand_over.map_err(|_| LedgerError::malformed("mint instruction"))?);
        match self.send(&list, &keys.payer, &[&keys.faucet]).await {
            Ok(_) => Ok(()),
            Err(error) => {
                if handed_over().await? {
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
        // The authority of IO goes over to the network with the initial supply.
        let network = (currency == Currency::Io).then(|| address::network(&self.program_id));
        let authority: Option<Address> = mint.mint_authority.into();
        let ours = authority == Some(keys.faucet.pubkey()) || (authority.is_some() && authority == network);
        if mint.decimals == currency.decimals() && ours { Ok(true) } else { Err(LedgerError::NetworkDiffers { what: "mint" }) }
    }
}
