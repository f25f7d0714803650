//! A quote, checked before it is shown or booked: that the network signed it, and that its amounts follow from the inputs that it names.

use anyhow::Result;
use ionet_market::oracle::Asked;
use ionet_market::quote;
use ionet_types::network::Network;
use ionet_types::quotes::{Quote, QuoteRequest, QuoteTerms};

use crate::client::Client;
use crate::exit::Failure;

/// Asks for a quote and checks it.
pub async fn checked(client: &Client, network: &Network, request: &QuoteRequest) -> Result<Quote> {
    let quote = client.quote(request).await?;
    check(&quote, network, request).map_err(|why| {
        Failure::new(format!("the network's quote does not hold: {why}")).hint("nothing was booked; do not trust this network")
    })?;
    Ok(quote)
}

/// Why a quote is not to be believed.
fn check(quote: &Quote, network: &Network, request: &QuoteRequest) -> Result<(), String> {
    let terms = quote.signed.verify(&network.quote_key).map_err(|error| error.to_string())?;
    let says = |terms: &QuoteTerms| {
        terms.network == network.program_id
            && terms.request == *request
            && terms.hardware == quote.hardware
            && terms.kind == quote.kind
            && terms.rate == quote.rate.base_units
            && terms.rate_micro_usd == quote.rate_micro_usd
            && terms.total == quote.total.base_units
            && terms.valid_until_unix_secs == quote.valid_until_unix_secs
    };
    if !says(&terms) {
        return Err("what is shown is not what was signed".to_owned());
    }
    let asked = Asked {
        price_micro_usd: terms.price_micro_usd.0,
        floor_micro_usd: terms.floor_micro_usd.0,
        gpu_milli: terms.gpu_milli,
        minutes: request.minutes,
    };
    let io_price = terms.io_price.map(|price| ionet_rules::money::MicroUsd(price.0));
    let currency = request.currency.rules();
    let again = self::quote(terms.kind, request.quantity, &asked, currency, io_price, &network.params.rules(), network.now_unix_secs)
        .map_err(|error| error.to_string())?;
    if again.offer.rate.0 != terms.rate.0 || again.total.0 != terms.total.0 || again.cost.0 != quote.cost.base_units.0 {
        return Err("its amounts do not follow from its price, floor and discount".to_owned());
    }
    Ok(())
}
