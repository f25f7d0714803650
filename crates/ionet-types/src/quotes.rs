//! Quotes: what a cluster would cost, and until when that holds.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use utoipa::ToSchema;

use crate::hardware::{HardwareKind, HardwareModel};
use crate::ids::Address;
use crate::market::{Price, Requirements};
use crate::money::{BaseUnits, Currency, MicroUsd, Money};

/// What is to be hired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct QuoteRequest {
    /// Which model.
    pub hardware: HardwareModel,
    /// How many devices.
    #[schema(minimum = 1, maximum = 100_000)]
    pub quantity: u32,
    /// For how long, minutes.
    #[schema(minimum = 1, maximum = 5_256_000)]
    pub minutes: u32,
    /// What it is paid in.
    pub currency: Currency,
    /// What the devices fulfil beside their model.
    #[serde(default, skip_serializing_if = "Requirements::is_empty")]
    pub requirements: Requirements,
}

impl QuoteRequest {
    /// So many devices of a model, for so long, without further conditions.
    pub fn new(hardware: HardwareModel, quantity: u32, minutes: u32, currency: Currency) -> Self {
        Self { hardware, quantity, minutes, currency, requirements: Requirements::default() }
    }
}

/// What it costs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Quote {
    /// Which model.
    pub hardware: HardwareModel,
    /// Its kind.
    pub kind: HardwareKind,
    /// Devices.
    pub quantity: u32,
    /// Minutes of each.
    pub minutes: u32,
    /// Price of one device for one hour.
    pub rate: Money,
    /// The same in micro-USD.
    pub rate_micro_usd: MicroUsd,
    /// Compute cost of all hired minutes.
    pub cost: Money,
    /// The customer's fees on it: reservation and facilitation.
    pub fees: Money,
    /// Cost plus fees: what is to be paid.
    pub total: Money,
    /// Until when this can be booked, unix seconds on the chain's clock.
    pub valid_until_unix_secs: i64,
    /// Devices that fulfil the terms and can be hired now.
    pub free_devices: u32,
    /// Price of one GPU, or of one device without a GPU, for one hour, with the discount for the length of the hire.
    pub price_micro_usd: MicroUsd,
    /// That discount, basis points.
    pub discount_bps: u32,
    /// The least that the suppliers of the devices ask.
    pub floor_micro_usd: MicroUsd,
    /// What the network's price is made of, where the devices are; absent where it is the price list's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
    /// The same terms as the hub holds itself to until then.
    pub signed: SignedQuote,
}

/// The terms that a quote promises, with all that they are computed from, in the order that their text has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuoteTerms {
    /// Which network's: base58 of its program.
    pub network: Address,
    /// What is hired.
    pub request: QuoteRequest,
    /// The model of the devices: the one that was asked for, or one that would do as well.
    pub hardware: HardwareModel,
    /// Its kind.
    pub kind: HardwareKind,
    /// The network's price of one GPU, or of one device without one, for one hour, before the discount: the dearest node's.
    pub price_micro_usd: MicroUsd,
    /// The least that the suppliers of the nodes ask for it.
    pub floor_micro_usd: MicroUsd,
    /// Thousandths of a GPU of each node; 1,000 for a device without one.
    pub gpu_milli: u32,
    /// Price of one IO; absent for other currencies.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub io_price: Option<MicroUsd>,
    /// Price of one node for one hour, base units of the currency.
    pub rate: BaseUnits,
    /// The same in micro-USD.
    pub rate_micro_usd: MicroUsd,
    /// Cost and fees.
    pub total: BaseUnits,
    /// Until when it holds, unix seconds on the chain's clock.
    pub valid_until_unix_secs: i64,
}

/// A quote as its hub signed it: anybody can check it against the quote key that the network's account on chain names.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedQuote {
    /// The terms, JSON: what was signed, to the byte.
    #[schema(max_length = 65536)]
    pub text: String,
    /// The ed25519 signature over `ionet quote v1`, a zero byte and the text, base64.
    #[schema(max_length = 88)]
    pub signature: String,
}

/// Why a signed quote is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SignedQuoteError {
    /// The text is not one that a hub writes.
    #[error("the text is not that of a quote")]
    Malformed,
    /// Nobody with the quote key signed this text.
    #[error("the signature is not that of the network's quote key over this text")]
    Signature,
}

/// Longest text of a quote, bytes.
const MAX_TEXT_BYTES: usize = 64 << 10;

impl SignedQuote {
    /// What is signed.
    pub fn message(text: &str) -> Vec<u8> {
        [b"ionet quote v1\0", text.as_bytes()].concat()
    }

    /// A quote with the signature that `sign` makes over [`SignedQuote::message`].
    pub fn new(terms: &QuoteTerms, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Self {
        let text = serde_json::to_string(terms).expect("terms have string keys and no floats");
        let signature = STANDARD.encode(sign(&Self::message(&text)));
        Self { text, signature }
    }

    /// The terms, if this key signed them.
    pub fn verify(&self, key: &Address) -> Result<QuoteTerms, SignedQuoteError> {
        if self.text.len() > MAX_TEXT_BYTES {
            return Err(SignedQuoteError::Malformed);
        }
        let bytes = STANDARD.decode(&self.signature).map_err(|_| SignedQuoteError::Signature)?;
        let signature = Signature::from_slice(&bytes).map_err(|_| SignedQuoteError::Signature)?;
        let key = VerifyingKey::from_bytes(&key.0).map_err(|_| SignedQuoteError::Signature)?;
        key.verify_strict(&Self::message(&self.text), &signature).map_err(|_| SignedQuoteError::Signature)?;
        serde_json::from_str(&self.text).map_err(|_| SignedQuoteError::Malformed)
    }
}
