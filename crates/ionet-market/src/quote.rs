//! What a cluster costs: the price of its dearest node, less the discount for its length, in the customer's currency, with the rules' own
//! cost and fees.

use ionet_rules::RuleError;
use ionet_rules::booking::{Booking, Offer};
use ionet_rules::money::{Currency, MicroUsd, Units};
use ionet_rules::params::Params;
use ionet_types::hardware::HardwareKind;
use thiserror::Error;

use crate::durations::Discounts;
use crate::oracle::{Asked, Rates, rates};

/// How long an offer can be accepted, seconds.
pub const OFFER_VALID_SECS: i64 = 120;

/// Why there is no quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum MarketError {
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
    /// Price of one GPU, or of one device without one, for one hour, with the discount, micro-USD.
    pub price_micro_usd: u64,
    /// The discount, basis points.
    pub discount_bps: u32,
}

/// Quotes `quantity` nodes that ask this at `now_unix_secs` on the chain's clock. `io_price` is the oracle's, needed for IO only.
pub fn quote(
    kind: HardwareKind,
    quantity: u32,
    asked: &Asked,
    currency: Currency,
    io_price: Option<MicroUsd>,
    params: &Params,
    now_unix_secs: i64,
) -> Result<Quoted, MarketError> {
    let Rates { rate, rate_micro_usd } = rates(asked, currency, io_price, params)?;
    let offer = Offer {
        currency,
        hardware: kind.rules(),
        quantity,
        minutes: asked.minutes,
        rate,
        rate_micro_usd,
        valid_until_unix_secs: now_unix_secs.saturating_add(OFFER_VALID_SECS),
    };
    // The same rule that the program applies when the offer is accepted.
    let booking = Booking::book(&offer, params, now_unix_secs)?;
    let discounts = Discounts::new(currency, params);
    Ok(Quoted {
        offer,
        cost: booking.cost,
        fees: booking.fees,
        total: booking.total()?,
        price_micro_usd: discounts.rate(asked.price_micro_usd, asked.minutes).max(asked.floor_micro_usd),
        discount_bps: u32::try_from(discounts.bps(asked.minutes)).unwrap_or(u32::MAX),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(minutes: u32) -> Asked {
        Asked { price_micro_usd: 115_000, floor_micro_usd: 0, gpu_milli: 1_000, minutes }
    }

    #[test]
    fn the_documented_example() {
        let quoted = quote(HardwareKind::Cpu, 4, &asked(60), Currency::Usdc, None, &Params::DEFAULT, 0).unwrap();
        assert_eq!((quoted.cost, quoted.fees, quoted.total), (Units(460_000), Units(10_350), Units(470_350)));
        assert_eq!((quoted.price_micro_usd, quoted.discount_bps), (115_000, 0));
    }

    #[test]
    fn io_needs_a_price() {
        let refused = quote(HardwareKind::Cpu, 1, &asked(60), Currency::Io, None, &Params::DEFAULT, 0);
        assert_eq!(refused.unwrap_err(), MarketError::Rule(RuleError::PriceStale));
    }

    proptest! {
        #[test]
        fn a_quote_in_io_is_worth_its_dollars(quantity in 1_u32..1000, minutes in 1_u32..=60, price in 1_000_u64..1_000_000_000) {
            let quoted = |currency| quote(HardwareKind::Cpu, quantity, &asked(minutes), currency, Some(MicroUsd(price)), &Params::DEFAULT, 1_000);
            let usdc = quoted(Currency::Usdc).unwrap();
            let io = quoted(Currency::Io).unwrap();
            prop_assert_eq!(usdc.total, usdc.cost.plus(usdc.fees).unwrap());
            // Rounded up once per device-hour and once per cost: never below the dollar price.
            let worth = u128::from(io.cost.0) * u128::from(price);
            prop_assert!(worth >= u128::from(usdc.cost.0.saturating_sub(1)) * 100_000_000);
        }

        #[test]
        fn any_terms_are_quoted_or_refused(quantity: u32, minutes: u32, price: u64, price_micro_usd: u64, floor_micro_usd: u64, gpu_milli: u32) {
            let asked = Asked { price_micro_usd, floor_micro_usd, gpu_milli, minutes };
            for currency in [Currency::Usdc, Currency::Io] {
                let _ = quote(HardwareKind::Gpu, quantity, &asked, currency, Some(MicroUsd(price)), &Params::DEFAULT, 0);
            }
        }
    }
}
