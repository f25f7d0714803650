//! Money as integers in base units, in types that cannot be mixed.

use bytemuck::{Pod, Zeroable};

use crate::{RuleError, RuleResult};

/// Base units in one IO (8 decimals).
pub const IO_UNIT: u64 = 100_000_000;
/// Base units in one USDC (6 decimals); the same as micro-USD in one dollar.
pub const USDC_UNIT: u64 = 1_000_000;
/// Minutes in an hour, for rates per device-hour.
pub const MINUTES_PER_HOUR: u64 = 60;
/// Ten thousand basis points are the whole.
pub const BPS: u64 = 10_000;

/// What a cluster is booked, paid and refunded in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Currency {
    /// USD Coin, 6 decimals.
    Usdc = 0,
    /// The network's coin, 8 decimals.
    Io = 1,
}

impl Currency {
    /// The currency stored as this byte.
    pub const fn from_u8(byte: u8) -> RuleResult<Self> {
        match byte {
            0 => Ok(Self::Usdc),
            1 => Ok(Self::Io),
            _ => Err(RuleError::UnknownValue),
        }
    }

    /// Decimals of the token.
    pub const fn decimals(self) -> u8 {
        match self {
            Self::Usdc => 6,
            Self::Io => 8,
        }
    }

    /// The name used on the wire and on screens: `USDC` or `IO`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usdc => "USDC",
            Self::Io => "IO",
        }
    }
}

macro_rules! amount_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Pod, Zeroable)]
        #[repr(transparent)]
        pub struct $name(pub u64);

        impl $name {
            /// Nothing.
            pub const ZERO: Self = Self(0);

            /// The sum, refused when it cannot be counted.
            pub const fn plus(self, other: Self) -> RuleResult<Self> {
                match self.0.checked_add(other.0) {
                    Some(sum) => Ok(Self(sum)),
                    None => Err(RuleError::Overflow),
                }
            }

            /// The difference, refused when it would be negative.
            pub const fn minus(self, other: Self) -> RuleResult<Self> {
                match self.0.checked_sub(other.0) {
                    Some(rest) => Ok(Self(rest)),
                    None => Err(RuleError::Overflow),
                }
            }

            /// Whether this is nothing.
            pub const fn is_zero(self) -> bool {
                self.0 == 0
            }

            /// This share in basis points, rounded up: for charges.
            pub fn share_up(self, bps: u16) -> RuleResult<Self> {
                mul_div_up(self.0, u64::from(bps), BPS).map(Self)
            }

            /// This share in basis points, rounded down: for payouts.
            pub fn share_down(self, bps: u16) -> RuleResult<Self> {
                mul_div_down(self.0, u64::from(bps), BPS).map(Self)
            }
        }
    };
}

amount_type! {
    /// Base units of USDC (6 decimals).
    Usdc
}
amount_type! {
    /// Base units of IO (8 decimals).
    Io
}
amount_type! {
    /// Millionths of a US dollar: prices and values, not a token.
    MicroUsd
}
amount_type! {
    /// Base units of one booking's own currency, whichever it is. Within a booking nothing else can occur; leaving it goes
    /// through [`Units::usdc`] or [`Units::io`], which refuse the wrong currency.
    Units
}

impl Units {
    /// These units as USDC.
    pub fn usdc(self, currency: Currency) -> RuleResult<Usdc> {
        match currency {
            Currency::Usdc => Ok(Usdc(self.0)),
            Currency::Io => Err(RuleError::CurrencyMismatch),
        }
    }

    /// These units as IO.
    pub fn io(self, currency: Currency) -> RuleResult<Io> {
        match currency {
            Currency::Io => Ok(Io(self.0)),
            Currency::Usdc => Err(RuleError::CurrencyMismatch),
        }
    }
}

/// `a * b / divisor`, rounded down, through 128 bits.
pub fn mul_div_down(a: u64, b: u64, divisor: u64) -> RuleResult<u64> {
    u128::from(a)
        .checked_mul(u128::from(b))
        .and_then(|product| product.checked_div(u128::from(divisor)))
        .and_then(|quotient| u64::try_from(quotient).ok())
        .ok_or(RuleError::Overflow)
}

/// `a * b / divisor`, rounded up, through 128 bits.
pub fn mul_div_up(a: u64, b: u64, divisor: u64) -> RuleResult<u64> {
    u128::from(a)
        .checked_mul(u128::from(b))
        .and_then(|product| product.checked_add(u128::from(divisor).checked_sub(1)?))
        .and_then(|product| product.checked_div(u128::from(divisor)))
        .and_then(|quotient| u64::try_from(quotient).ok())
        .ok_or(RuleError::Overflow)
}

/// What `io` is worth at `price_micro_usd` per IO, rounded down.
pub fn io_value(io: Io, price: MicroUsd) -> RuleResult<MicroUsd> {
    mul_div_down(io.0, price.0, IO_UNIT).map(MicroUsd)
}

/// How much IO a value is at `price` per IO, rounded up: what a customer is charged when a dollar rate is quoted in IO.
pub fn io_for_value_up(value: MicroUsd, price: MicroUsd) -> RuleResult<Io> {
    if price.is_zero() {
        return Err(RuleError::PriceOutOfRange);
    }
    mul_div_up(value.0, IO_UNIT, price.0).map(Io)
}

/// How much IO a value is at `price` per IO, rounded down.
pub fn io_for_value_down(value: MicroUsd, price: MicroUsd) -> RuleResult<Io> {
    if price.is_zero() {
        return Err(RuleError::PriceOutOfRange);
    }
    mul_div_down(value.0, IO_UNIT, price.0).map(Io)
}
