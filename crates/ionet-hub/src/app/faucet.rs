//! The faucet of a local network: coins without value.

use ionet_ledger::Grant;
use ionet_rules::money::{IO_UNIT, Io, USDC_UNIT, Usdc};
use ionet_types::Money;
use ionet_types::network::{FaucetGift, FaucetRequest};
use ionet_types::problem::Code;

use crate::Hub;
use crate::error::HubResult;
use crate::translate;

/// What one visit gives.
const GRANT: Grant = Grant { usdc: Usdc(1_000 * USDC_UNIT), io: Io(1_000 * IO_UNIT), lamports: 1_000_000_000 };
/// The network's payer is filled up to this much before it gives.
pub(crate) const PAYER_MIN_LAMPORTS: u64 = 100_000_000_000;

impl Hub {
    /// Gives a wallet coins; on local networks only.
    pub async fn faucet_give(&self, request: &FaucetRequest) -> HubResult<FaucetGift> {
        if !self.options().local {
            return Err(Code::FaucetClosed.into());
        }
        let operator = &self.options().operator;
        self.ledger().ensure_lamports(operator, PAYER_MIN_LAMPORTS).await?;
        let signature = self.ledger().faucet(operator, &translate::solana_address(request.wallet), &GRANT).await?;
        Ok(FaucetGift {
            usdc: Money::usdc(GRANT.usdc.0),
            io: Money::io(GRANT.io.0),
            lamports: GRANT.lamports,
            signature: translate::signature(&signature),
        })
    }
}
