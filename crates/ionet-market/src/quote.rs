//! What a cluster costs: the price list's dollar rate, converted into the customer's currency, with the rules' own cost and fees.

use ionet_rules::RuleError;
use ionet_rules::booking::{Booking, Offer};
use ionet_rules::money::{Currency, MicroUsd, Units, io_for_value_up};
use ionet_rules::params::Params;
use ionet_types::quotes::QuoteRequest;
use thiserror::Error;

use crate::prices::{Model, PriceList};

/// How long an offer can be accepted, seconds.
pub const OFFER_VALID_SECS: i64 = 120;

/// Why there is no quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MarketError {
    /// The price list has no such model.
    #[error("the network does not rent out this model")]
    HardwareUnknown,
    /// A rule refuses the terms.
    #[error("{}", .0.sentence())]
    Rule(RuleError),
}

impl From<RuleError> for MarketError {
    fn from(rule: RuleError) -> Self {
        Self::Rule(rule)
    }
}

/// An offer and what it costs. Amounts in the offer's currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quoted {
    /// The terms, as the program takes them.
    pub offer: Offer,
    /// Compute cost of all hired minutes.
    pub cost: Units,
    /// Customer's fees.
    pub fees: Units,
    /// The sum.
    pub total: Units,
}

/// Quotes a cluster at `now_unix_secs` on the chain's clock. `io_price` is the oracle's, needed for IO only.
pub fn quote<'a>(
    prices: &'a PriceList,
    request: &QuoteRequest,
    io_price: Option<MicroUsd>,
    params: &Params,
    now_unix_secs: i64,
) -> Result<(&'a Model, Quoted), MarketError> {
    let model = prices.model(&request.hardware).ok_or(MarketError::HardwareUnknown)?;
    let rate_micro_usd = MicroUsd(model.rate_micro_usd.0);
    let currency = request.currency.rules();
    let rate = match currency {
        Currency::Usdc => Units(rate_micro_usd.0),
        Currency::Io => Units(io_for_value_up(rate_micro_usd, io_price.ok_or(RuleError::PriceStale)?)?.0),
    };
    let offer = Offer {
        currency,
        hardware: model.kind.rules(),
        quantity: request.quantity,
        minutes: request.minutes,
        rate,
        rate_micro_usd,
        valid_until_unix_secs: now_unix_secs.saturating_add(OFFER_VALID_SECS),
    };
    // The same rule that the program applies when the offer is accepted.
    let booking = Booking::book(&offer, params, now_unix_secs)?;
    Ok((model, Quoted { offer, cost: booking.cost, fees: booking.fees, total: booking.total()? }))
}

#[cfg(test)]
mod tests {
    use ionet_types::hardware::HardwareModel;
    use proptest::prelude::*;

    use super::*;

    fn request(quantity: u32, minutes: u32, currency: ionet_types::Currency) -> QuoteRequest {
        QuoteRequest::new(HardwareModel::cpu(), quantity, minutes, currency)
    }

    #[test]
    fn the_documented_example() {
        let prices = PriceList::default();
        let (_, quoted) = quote(&prices, &request(4, 60, ionet_types::Currency::Usdc), None, &Params::DEFAULT, 0).unwrap();
        assert_eq!((quoted.cost, quoted.fees, quoted.total), (Units(460_000), Units(10_350), Units(470_350)));
    }

    #[test]
    fn io_needs_a_price_and_unknown_models_have_none() {
        let prices = PriceList::default();
        let io = request(1, 60, ionet_types::Currency::Io);
        assert_eq!(quote(&prices, &io, None, &Params::DEFAULT, 0).unwrap_err(), MarketError::Rule(RuleError::PriceStale));
        let unknown = QuoteRequest { hardware: "abacus".parse().unwrap(), ..io };
        assert_eq!(quote(&prices, &unknown, None, &Params::DEFAULT, 0).unwrap_err(), MarketError::HardwareUnknown);
    }

    proptest! {
        #[test]
        fn a_quote_in_io_is_worth_its_dollars(quantity in 1_u32..1000, minutes in 1_u32..100_000, price in 1_000_u64..1_000_000_000) {
            let prices = PriceList::default();
            let quoted = |currency| quote(&prices, &request(quantity, minutes, currency), Some(MicroUsd(price)), &Params::DEFAULT, 1_000);
            let (_, usdc) = quoted(ionet_types::Currency::Usdc).unwrap();
            let (_, io) = quoted(ionet_types::Currency::Io).unwrap();
            prop_assert_eq!(usdc.total, usdc.cost.plus(usdc.fees).unwrap());
            // Rounded up once per device-hour and once per cost: never below the dollar price.
            let worth = u128::from(io.cost.0) * u128::from(price);
            prop_assert!(worth >= u128::from(usdc.cost.0.saturating_sub(1)) * 100_000_000);
        }

        #[test]
        fn any_terms_are_quoted_or_refused(quantity: u32, minutes: u32, price: u64) {
            let _ = quote(&PriceList::default(), &request(quantity, minutes, ionet_types::Currency::Io), Some(MicroUsd(price)), &Params::DEFAULT, 0);
        }
    }
}
