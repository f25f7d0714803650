//! The faucet of a local network: play money for a wallet.

use ionet_rules::money::{Currency, Io, Usdc};
use solana_address::Address;
use solana_signature::Signature;
use solana_signer::Signer;

use crate::error::LedgerError;
use crate::genesis::{mint_to, transfer};
use crate::instructions;
use crate::ledger::Ledger;
use crate::operator::Operator;

/// What a wallet gets from the faucet.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grant {
    /// USDC.
    pub usdc: Usdc,
    /// IO.
    pub io: Io,
    /// Lamports, out of the payer's account.
    pub lamports: u64,
}

impl Ledger {
    /// Gives `wallet` coins of a local network, making its token accounts where they are missing. All in one transaction. USDC is minted;
    /// IO comes out of the faucet's own account, as nobody but the network can mint it.
    pub async fn faucet(&self, keys: &Operator, wallet: &Address, grant: &Grant) -> Result<Signature, LedgerError> {
        let at = self.addresses().await?;
        let payer = keys.payer.pubkey();
        let mut list = Vec::new();
        for (currency, amount) in [(Currency::Usdc, grant.usdc.0), (Currency::Io, grant.io.0)] {
            list.push(instructions::create_token_account(&payer, wallet, &at.mint(currency)));
            if amount > 0 {
                let (account, faucet) = (at.token_account(wallet, currency), keys.faucet.pubkey());
                list.push(match currency {
                    Currency::Usdc => mint_to(keys, &at.usdc_mint, &account, amount)?,
                    Currency::Io => transfer(&at.token_account(&faucet, currency), &account, &faucet, amount)?,
                });
            }
        }
        if grant.lamports > 0 {
            list.push(solana_system_interface::instruction::transfer(&payer, wallet, grant.lamports));
        }
        let signers: &[_] = if grant.usdc.is_zero() && grant.io.is_zero() { &[] } else { &[&keys.faucet] };
        self.send(&list, &keys.payer, signers).await
    }
}
