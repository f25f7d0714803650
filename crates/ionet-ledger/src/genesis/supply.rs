//! The supply side's beginning: its accounts, the multiplier table, the first bonded verifier.

use ionet_rules::money::Currency;
use ionet_rules::multipliers::TABLE;
use solana_signer::Signer;

use super::{Genesis, transfer};
use crate::address::Addresses;
use crate::error::LedgerError;
use crate::instructions::create_token_account;
use crate::instructions::supply as build;
use crate::ledger::Ledger;
use crate::operator::Operator;

impl Genesis {
    pub(super) async fn ensure_supply(&self, ledger: &Ledger, keys: &Operator, at: &Addresses) -> Result<(), LedgerError> {
        self.ensure_accounts(ledger, keys, at).await?;
        Self::ensure_multipliers(ledger, keys, at).await?;
        Self::ensure_verifier(ledger, keys, at).await
    }

    /// The first epoch began with the last whole one on the chain's clock.
    async fn ensure_accounts(&self, ledger: &Ledger, keys: &Operator, at: &Addresses) -> Result<(), LedgerError> {
        let missing = |result: &Result<_, LedgerError>| matches!(result, Err(LedgerError::SupplyMissing));
        let mut found = ledger.supply().await;
        if missing(&found) {
            self.supply.check()?;
            let now = ledger.chain_now_unix_secs().await?;
            let first = now - now.rem_euclid(i64::from(self.supply.epoch_secs));
            let (payer, authority, council) = (keys.payer.pubkey(), keys.authority.pubkey(), keys.council.pubkey());
            let instruction = build::initialize_supply(at, payer, authority, council, self.supply, first);
            let sent = ledger.send(&[instruction], &keys.payer, &[&keys.authority]).await;
            found = ledger.supply().await;
            if missing(&found) {
                sent?;
            }
        }
        if found?.council == keys.council.pubkey() { Ok(()) } else { Err(LedgerError::NetworkDiffers { what: "council" }) }
    }

    /// Lists the models that are not listed yet; what stands in the table stays.
    async fn ensure_multipliers(ledger: &Ledger, keys: &Operator, at: &Addresses) -> Result<(), LedgerError> {
        let listed = async || Ok::<_, LedgerError>(ledger.multipliers().await?.models.len());
        let mut first = listed().await?;
        while let Some(rest) = TABLE.get(first..).filter(|rest| !rest.is_empty()) {
            let place = u16::try_from(first).map_err(|_| LedgerError::malformed("multipliers account"))?;
            let instruction = build::set_multipliers(at, keys.authority.pubkey(), place, rest);
            let sent = ledger.send(&[instruction], &keys.payer, &[&keys.authority]).await;
            let now = listed().await?;
            if now <= first {
                sent?;
            }
            first = now;
        }
        Ok(())
    }

    /// Admits the operator's verifier and bonds the minimum for it, out of the authority's account, in one transaction: an admission happens
    /// only once, so a bond that the verifier has taken out later is not put in again.
    async fn ensure_verifier(ledger: &Ledger, keys: &Operator, at: &Addresses) -> Result<(), LedgerError> {
        let who = keys.verifier.pubkey();
        let verifiers = ledger.verifiers().await?;
        if verifiers.find(&who).is_some() {
            return Ok(());
        }
        let place = verifiers.free_place().ok_or(LedgerError::NetworkDiffers { what: "verifier" })?;
        let bond = ledger.supply().await?.params.min_bond;
        let authority = keys.authority.pubkey();
        let (from, to) = (at.token_account(&authority, Currency::Io), at.token_account(&who, Currency::Io));
        let list = [
            build::admit_verifier(at, authority, place, Some(who)),
            create_token_account(&keys.payer.pubkey(), &who, &at.io_mint),
            transfer(&from, &to, &authority, bond.0)?,
            build::bond(at, who, bond),
        ];
        match ledger.send(&list, &keys.payer, &[&keys.authority, &keys.verifier]).await {
            Ok(_) => Ok(()),
            Err(error) => {
                if ledger.verifiers().await?.find(&who).is_some() {
                    Ok(())
                } else {
                    Err(error)
                }
            }
        }
    }
}
