//! Quotes: what a cluster would cost now.

use ionet_ledger::{LedgerError, Network};
use ionet_market::{Quoted, quote};
use ionet_rules::RuleError;
use ionet_types::hardware::{HardwareKind, HardwareModel};
use ionet_types::quotes::{PriceInputs, Quote, QuoteRequest, QuoteTerms, SignedQuote};
use ionet_types::{Address, BaseUnits, Currency, MicroUsd, Money};
use solana_signer::Signer as _;

use crate::Hub;
use crate::error::HubResult;

impl Hub {
    /// What these terms cost now.
    pub async fn quote(&self, request: &QuoteRequest) -> HubResult<Quote> {
        let (kind, quoted, ..) = self.quoted(request).await?;
        let money = |units: ionet_rules::money::Units| Money::new(request.currency, units.0);
        let candidates = self.candidates().await?;
        let free = candidates.iter().filter(|candidate| candidate.hardware == request.hardware).count();
        Ok(Quote {
            hardware: request.hardware.clone(),
            kind,
            quantity: request.quantity,
            minutes: request.minutes,
            rate: money(quoted.offer.rate),
            rate_micro_usd: MicroUsd(quoted.offer.rate_micro_usd.0),
            cost: money(quoted.cost),
            fees: money(quoted.fees),
            total: money(quoted.total),
            valid_until_unix_secs: quoted.offer.valid_until_unix_secs,
            free_devices: u32::try_from(free).unwrap_or(u32::MAX),
            price: PriceInputs::default(),
            signed: self.signed(request, &quoted, &request.hardware),
        })
    }

    fn signed(&self, request: &QuoteRequest, quoted: &Quoted, hardware: &HardwareModel) -> SignedQuote {
        let terms = QuoteTerms {
            network: Address(self.ledger().program_id.to_bytes()),
            request: request.clone(),
            hardware: hardware.clone(),
            rate: BaseUnits(quoted.offer.rate.0),
            rate_micro_usd: MicroUsd(quoted.offer.rate_micro_usd.0),
            valid_until_unix_secs: quoted.offer.valid_until_unix_secs,
        };
        let key = &self.options().operator.quote;
        SignedQuote::new(&terms, |message| key.sign_message(message).into())
    }

    /// The offer for these terms, with the network's state and time that it was made of.
    pub(crate) async fn quoted(&self, request: &QuoteRequest) -> HubResult<(HardwareKind, Quoted, Network, i64)> {
        let (network, now_unix_secs) = futures::try_join!(self.ledger().network(), self.ledger().chain_now_unix_secs())?;
        let io_price = match request.currency {
            Currency::Usdc => None,
            Currency::Io => Some(self.ledger().oracle().await?.price(&network.params, now_unix_secs)?),
        };
        let (model, quoted) = quote(&self.options().prices, request, io_price, &network.params, now_unix_secs)?;
        Ok((model.kind, quoted, network, now_unix_secs))
    }

    /// The price of one IO; `None` while the oracles are silent or disagree.
    pub(crate) async fn io_price(&self, network: &Network, now_unix_secs: i64) -> HubResult<Option<MicroUsd>> {
        match self.ledger().oracle().await?.price(&network.params, now_unix_secs) {
            Ok(price) => Ok(Some(MicroUsd(price.0))),
            Err(LedgerError::Rule(RuleError::PriceStale | RuleError::PriceScattered)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}
