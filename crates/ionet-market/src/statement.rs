//! A quote as one text, which the network signs and anybody can check: the terms, and every input of the price.
//!
//! The text is what is signed, byte for byte; whoever checks a signature does so over the text that came, and reads it afterwards. It has one
//! form only: fields in this order, no spaces. The signature itself is made and checked by those who hold keys.

use ionet_rules::RuleError;
use ionet_rules::booking::{Booking, Offer};
use ionet_rules::money::{self, Units};
use ionet_rules::params::Params;
use ionet_types::hardware::{HardwareKind, HardwareModel};
use ionet_types::{BaseUnits, Currency, MicroUsd};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::oracle::{Asked, Explanation, rates};

/// What a quote's signature is for: no signature of anything else is one of a quote.
const DOMAIN: &[u8] = b"ionet quote v1";
/// Longest text, bytes.
pub const MAX_TEXT: usize = 64 * 1024;
/// Most prices that a quote explains: one for each cell that its nodes are in.
pub const MAX_PRICES: usize = 64;

/// What a quote says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Which network: its program's address.
    pub network: String,
    /// The quote's own name.
    pub quote_id: String,
    /// The model.
    pub hardware: HardwareModel,
    /// Its kind.
    pub kind: HardwareKind,
    /// Nodes.
    pub nodes: u32,
    /// Thousandths of a GPU of each node; 1,000 for a CPU device.
    pub gpu_milli: u32,
    /// Minutes of each node.
    pub minutes: u32,
    /// Whether they may be interrupted.
    pub interruptible: bool,
    /// What it is paid in.
    pub currency: Currency,
    /// Price of one IO; with IO only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_price: Option<MicroUsd>,
    /// The prices of the cells that the nodes are in. The highest counts.
    pub prices: Vec<Explanation>,
    /// The highest floor of the devices, for these minutes, per GPU-hour.
    pub floor: MicroUsd,
    /// Of one node for one hour, base units of the currency.
    pub rate: BaseUnits,
    /// The same in micro-USD.
    pub rate_micro_usd: MicroUsd,
    /// Compute cost of all hired minutes.
    pub cost: BaseUnits,
    /// The customer's fees.
    pub fees: BaseUnits,
    /// Cost plus fees.
    pub total: BaseUnits,
    /// Until when it can be booked, unix seconds.
    pub valid_until_unix_secs: i64,
}

/// Why a text is no quote, or a quote does not add up.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum StatementError {
    /// The text is too long to be looked at.
    #[error("a quote has at most {MAX_TEXT} bytes; this has {0}")]
    TooLong(usize),
    /// Not a quote.
    #[error("the quote is not readable: {0}")]
    Malformed(String),
    /// The text says the same as another one does: only one form is signed.
    #[error("the quote is not written in the one form that is signed")]
    NotCanonical,
    /// It explains no price, too many, or one of another model.
    #[error("prices: 1 to {MAX_PRICES} prices of the quote's own model explain it")]
    PricesMissing,
    /// An explanation is not what its own inputs give.
    #[error("prices[{0}]: the published formula gives something else")]
    PriceUnexplained(usize),
    /// An amount is not what the terms give.
    #[error("{field}: the terms give {given}, the quote says {said}")]
    DoesNotAddUp {
        /// Which.
        field: &'static str,
        /// What the terms give.
        given: u64,
        /// What the quote says.
        said: u64,
    },
    /// A rule refuses the terms.
    #[error("{}", .0.sentence())]
    Rule(RuleError),
}

impl From<RuleError> for StatementError {
    fn from(rule: RuleError) -> Self {
        Self::Rule(rule)
    }
}

impl StatementError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::TooLong(_) => "quote_too_long",
            Self::Malformed(_) => "quote_malformed",
            Self::NotCanonical => "quote_not_canonical",
            Self::PricesMissing => "quote_prices_missing",
            Self::PriceUnexplained(_) => "quote_price_unexplained",
            Self::DoesNotAddUp { .. } => "quote_does_not_add_up",
            Self::Rule(rule) => rule.code(),
        }
    }
}

impl Statement {
    /// The text that is signed.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a quote has only string keys and whole numbers")
    }

    /// Reads a text that came with a signature, checked or still to be checked. The text must be the one form of what it says.
    pub fn read(text: &str) -> Result<Self, StatementError> {
        if text.len() > MAX_TEXT {
            return Err(StatementError::TooLong(text.len()));
        }
        let statement: Self = serde_json::from_str(text).map_err(|error| StatementError::Malformed(error.to_string()))?;
        if statement.text() == text { Ok(statement) } else { Err(StatementError::NotCanonical) }
    }

    /// The terms as the program takes them.
    pub fn offer(&self) -> Offer {
        Offer {
            currency: self.currency.rules(),
            hardware: self.kind.rules(),
            quantity: self.nodes,
            minutes: self.minutes,
            rate: Units(self.rate.0),
            rate_micro_usd: money::MicroUsd(self.rate_micro_usd.0),
            valid_until_unix_secs: self.valid_until_unix_secs,
        }
    }

    /// Fills in rates, cost, fees and total by the rules, from the terms, prices and floor.
    pub fn priced(mut self, params: &Params) -> Result<Self, StatementError> {
        let asked =
            Asked { price_micro_usd: self.price()?, floor_micro_usd: self.floor.0, gpu_milli: self.gpu_milli, minutes: self.minutes };
        let io_price = self.io_price.map(|price| money::MicroUsd(price.0));
        let rates = rates(&asked, self.currency.rules(), io_price, params)?;
        self.rate = BaseUnits(rates.rate.0);
        self.rate_micro_usd = MicroUsd(rates.rate_micro_usd.0);
        let booking = Booking::book(&self.offer(), params, self.valid_until_unix_secs)?;
        self.cost = BaseUnits(booking.cost.0);
        self.fees = BaseUnits(booking.fees.0);
        self.total = BaseUnits(booking.total()?.0);
        Ok(self)
    }

    /// Whether everything in it follows from its inputs: each price's target from the published formula, the rates from prices, floor and
    /// discount, the amounts from the rates. What cannot be seen from here is whether the inputs are true.
    pub fn check(&self, params: &Params) -> Result<(), StatementError> {
        if let Some(index) = self.prices.iter().position(|price| !price.adds_up()) {
            return Err(StatementError::PriceUnexplained(index));
        }
        let given = self.clone().priced(params)?;
        let same = |field, given, said| if given == said { Ok(()) } else { Err(StatementError::DoesNotAddUp { field, given, said }) };
        same("rate", given.rate.0, self.rate.0)?;
        same("rate_micro_usd", given.rate_micro_usd.0, self.rate_micro_usd.0)?;
        same("cost", given.cost.0, self.cost.0)?;
        same("fees", given.fees.0, self.fees.0)?;
        same("total", given.total.0, self.total.0)
    }

    /// The highest price of the cells that the nodes are in.
    fn price(&self) -> Result<u64, StatementError> {
        let own = self.prices.len() <= MAX_PRICES && self.prices.iter().all(|price| price.cell.model == self.hardware);
        let highest = self.prices.iter().map(|price| price.price.0).max();
        highest.filter(|_| own).ok_or(StatementError::PricesMissing)
    }
}

/// The bytes that the network's quote key signs: what it is for, and the text, each with its length.
pub fn signed_bytes(text: &str) -> Vec<u8> {
    let parts = [DOMAIN, text.as_bytes()];
    let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::oracle::{Multipliers, Observations, Oracle, Supply};
    use crate::prices::PriceList;

    const PARAMS: Params = Params::DEFAULT;

    /// A quote as a network would give it, of a model in one cell or two.
    fn statement(hired: u32, nodes: u32, minutes: u32, gpu_milli: u32, floor: u64, currency: Currency) -> Statement {
        let list = PriceList::default();
        let mut oracle = Oracle::new(Multipliers::default(), &list, 0);
        let cells = ["h100:3:europe", "h100:4:asia"].map(|cell| cell.parse().unwrap());
        let mut seen = Observations::default();
        for number in 0..50 {
            let hired_milli = if number < hired { 8_000 } else { 0 };
            seen.add(&cells[0], Supply { offered_milli: 8_000, hired_milli, floor: MicroUsd(floor) });
        }
        oracle.update(&list, &seen, 0);
        Statement {
            network: "net".to_owned(),
            quote_id: "quote".to_owned(),
            hardware: cells[0].model.clone(),
            kind: HardwareKind::Gpu,
            nodes,
            gpu_milli,
            minutes,
            interruptible: false,
            currency,
            io_price: (currency == Currency::Io).then_some(MicroUsd(2_500_000)),
            prices: cells.iter().map(|cell| oracle.explain(cell, 7_200).unwrap()).collect(),
            floor: MicroUsd(floor),
            rate: BaseUnits(0),
            rate_micro_usd: MicroUsd(0),
            cost: BaseUnits(0),
            fees: BaseUnits(0),
            total: BaseUnits(0),
            valid_until_unix_secs: 7_320,
        }
        .priced(&PARAMS)
        .unwrap()
    }

    proptest! {
        /// What is signed is read as what it was, adds up, and no longer does when an amount is changed.
        #[test]
        fn a_quote_is_its_text(hired in 0_u32..60, nodes in 1_u32..100, minutes in 1_u32..100_000, gpu_milli in 1_u32..=8_000, floor in 0_u64..9_000_000, io: bool, by in 1_u64..1_000, which in 0_usize..7) {
            let statement = statement(hired, nodes, minutes, gpu_milli, floor, if io { Currency::Io } else { Currency::Usdc });
            let text = statement.text();
            prop_assert_eq!(&Statement::read(&text).unwrap(), &statement);
            statement.check(&PARAMS).unwrap();
            let mut changed = statement.clone();
            *match which {
                0 => &mut changed.rate.0,
                1 => &mut changed.rate_micro_usd.0,
                2 => &mut changed.cost.0,
                3 => &mut changed.fees.0,
                4 => &mut changed.total.0,
                5 => &mut changed.prices[0].target.0,
                _ => &mut changed.prices[1].utilisation_bps,
            } += by;
            prop_assert!(changed.check(&PARAMS).is_err());
            prop_assert_ne!(signed_bytes(&changed.text()), signed_bytes(&text));
        }

        /// Any change of a byte makes another quote or none.
        #[test]
        fn no_byte_can_be_changed(at: prop::sample::Index, byte: u8) {
            let statement = statement(10, 2, 60, 1_000, 0, Currency::Usdc);
            let mut bytes = statement.text().into_bytes();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != byte);
            bytes[at] = byte;
            if let Some(read) = String::from_utf8(bytes).ok().and_then(|text| Statement::read(&text).ok()) {
                prop_assert_ne!(read, statement);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,300}") {
            prop_assert!(Statement::read(&text).is_err());
        }
    }

    #[test]
    fn one_form_only() {
        let good = statement(10, 2, 60, 1_000, 0, Currency::Usdc);
        assert_eq!(Statement::read(&good.text().replacen(':', ": ", 1)).unwrap_err(), StatementError::NotCanonical);
        assert_eq!(Statement::read(&" ".repeat(MAX_TEXT + 1)).unwrap_err().code(), "quote_too_long");
        let foreign = Statement { hardware: HardwareModel::cpu(), ..good.clone() };
        assert_eq!(foreign.check(&PARAMS).unwrap_err(), StatementError::PricesMissing);
        assert_eq!(Statement { prices: Vec::new(), ..good.clone() }.check(&PARAMS).unwrap_err(), StatementError::PricesMissing);
        let refused = Statement { nodes: 0, ..good };
        assert_eq!(refused.check(&PARAMS).unwrap_err().code(), "quantity_out_of_range");
    }
}
