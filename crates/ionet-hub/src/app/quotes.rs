//! Quotes: what a cluster would cost now, and the hub's signature under it.

use ionet_ledger::{LedgerError, Network};
use ionet_market::{Quoted, quote};
use ionet_rules::RuleError;
use ionet_types::problem::Code;
use ionet_types::quotes::{Quote, QuoteRequest, QuoteTerms, SignedQuote, SignedQuoteError};
use ionet_types::{Address, BaseUnits, Currency, MicroUsd, Money};
use solana_signer::Signer as _;

use crate::Hub;
use crate::error::{HubError, HubResult};
use crate::market::Chosen;

impl Hub {
    /// What these terms cost now. Where too few devices are free, what they would cost.
    pub async fn quote(&self, request: &QuoteRequest) -> HubResult<Quote> {
        let checked = self.checked(request)?;
        let (network, now_unix_secs) = futures::try_join!(self.ledger().network(), self.ledger().chain_now_unix_secs())?;
        let chosen = match self.choose(&checked).await? {
            Some(chosen) => chosen,
            None => self.asked_without_devices(&checked, self.clock().now_unix_secs())?,
        };
        let (quoted, io_price) = self.quoted(request, &chosen, &network, now_unix_secs).await?;
        let money = |units: ionet_rules::money::Units| Money::new(request.currency, units.0);
        Ok(Quote {
            hardware: chosen.hardware.clone(),
            kind: chosen.kind,
            quantity: request.quantity,
            minutes: request.minutes,
            rate: money(quoted.offer.rate),
            rate_micro_usd: MicroUsd(quoted.offer.rate_micro_usd.0),
            cost: money(quoted.cost),
            fees: money(quoted.fees),
            total: money(quoted.total),
            valid_until_unix_secs: quoted.offer.valid_until_unix_secs,
            free_devices: self.fitting(&checked),
            price_micro_usd: MicroUsd(quoted.price_micro_usd),
            discount_bps: quoted.discount_bps,
            floor_micro_usd: MicroUsd(chosen.asked.floor_micro_usd),
            signed: self.signed(request, &quoted, &chosen, io_price),
            price: chosen.price,
        })
    }

    /// The offer for these devices, and the price of one IO where it was needed.
    pub(crate) async fn quoted(
        &self,
        request: &QuoteRequest,
        chosen: &Chosen,
        network: &Network,
        now_unix_secs: i64,
    ) -> HubResult<(Quoted, Option<ionet_rules::money::MicroUsd>)> {
        let io_price = match request.currency {
            Currency::Usdc => None,
            Currency::Io => Some(self.ledger().oracle().await?.price(&network.params, now_unix_secs)?),
        };
        let currency = request.currency.rules();
        let quoted = quote(chosen.kind, request.quantity, &chosen.asked, currency, io_price, &network.params, now_unix_secs)?;
        Ok((quoted, io_price))
    }

    fn signed(
        &self,
        request: &QuoteRequest,
        quoted: &Quoted,
        chosen: &Chosen,
        io_price: Option<ionet_rules::money::MicroUsd>,
    ) -> SignedQuote {
        let terms = QuoteTerms {
            network: self.network_address(),
            request: request.clone(),
            hardware: chosen.hardware.clone(),
            kind: chosen.kind,
            price_micro_usd: MicroUsd(chosen.asked.price_micro_usd),
            floor_micro_usd: MicroUsd(chosen.asked.floor_micro_usd),
            gpu_milli: chosen.asked.gpu_milli,
            io_price: io_price.map(|price| MicroUsd(price.0)),
            rate: BaseUnits(quoted.offer.rate.0),
            rate_micro_usd: MicroUsd(quoted.offer.rate_micro_usd.0),
            total: BaseUnits(quoted.total.0),
            valid_until_unix_secs: quoted.offer.valid_until_unix_secs,
        };
        let key = &self.options().operator.quote;
        SignedQuote::new(&terms, |message| key.sign_message(message).into())
    }

    /// The terms that this hub promised, if it did so for this request and they still hold.
    pub(crate) fn promised(&self, quote: &SignedQuote, request: &QuoteRequest, now_unix_secs: i64) -> HubResult<QuoteTerms> {
        let key = Address(self.options().operator.quote.pubkey().to_bytes());
        let invalid = |error: SignedQuoteError| HubError::from(Code::QuoteInvalid).saying(error.to_string()).of("quote");
        let terms = quote.verify(&key).map_err(invalid)?;
        if terms.network != self.network_address() || terms.request != *request {
            return Err(HubError::from(Code::QuoteInvalid).of("quote"));
        }
        if now_unix_secs > terms.valid_until_unix_secs {
            return Err(HubError::from(RuleError::QuoteExpired).of("quote"));
        }
        Ok(terms)
    }

    fn network_address(&self) -> Address {
        Address(self.ledger().program_id.to_bytes())
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
