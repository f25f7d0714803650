//! The network's parameters and their hard bounds. They live in the on-chain network account; a value outside its bounds is refused
//! wherever it comes from, so that no governance decision can brick the network or empty a customer's pocket.

use crate::{RuleError, RuleResult, stored};

stored! {
    /// The parameters of the economy, section by section. Stored on chain as these bytes.
    pub struct Params {
        /// How long an unpaid booking waits, seconds; restarted by each payment (section 1). 60 s to 24 h.
        pub payment_window_secs: u32,
        /// How old an oracle price may be, seconds (section 7). 60 s to 1 h.
        pub price_max_age_secs: u32,
        /// Reservation fee from the customer, basis points (section 2). At most 1 %.
        pub reservation_customer_bps: u16,
        /// Reservation fee from the supplier, basis points (section 2). At most 1 %.
        pub reservation_supplier_bps: u16,
        /// Facilitation fee for paying, or being paid, in USDC, basis points (section 2). At most 5 %.
        pub facilitation_usdc_bps: u16,
        /// Facilitation fee for paying, or being paid, in IO, basis points (section 2). At most 5 %.
        pub facilitation_io_bps: u16,
        /// Network fee on the worked value, basis points (section 2). At most 10 %.
        pub network_fee_bps: u16,
        /// Part of the network fee that is burned, basis points; the rest is for incentives (section 2).
        pub network_fee_burn_bps: u16,
        /// Dollar share of suppliers, basis points (section 3). 30 % to 90 %.
        pub dollar_share_bps: u16,
        /// How far the pool's price may be from the oracle's, basis points (section 1, repurchase). 0.1 % to 10 %.
        pub pool_guard_bps: u16,
        /// How far fresh oracle prices may be from their median, basis points (section 7). 0.1 % to 20 %.
        pub price_scatter_bps: u16,
        /// Unused, zero: room for growth without moving a field.
        pub reserved: [u16; 7],
    }
}

impl Params {
    /// The decided values of docs/economy.md.
    pub const DEFAULT: Self = Self {
        payment_window_secs: 20 * 60,
        price_max_age_secs: 10 * 60,
        reservation_customer_bps: 25,
        reservation_supplier_bps: 25,
        facilitation_usdc_bps: 200,
        facilitation_io_bps: 0,
        network_fee_bps: 500,
        network_fee_burn_bps: 5_000,
        dollar_share_bps: 9_000,
        pool_guard_bps: 200,
        price_scatter_bps: 500,
        reserved: [0; 7],
    };

    /// Refuses a value outside its hard bounds. Every field is named, so that a new one cannot be forgotten.
    pub fn check(&self) -> RuleResult<()> {
        let Self {
            payment_window_secs,
            price_max_age_secs,
            reservation_customer_bps,
            reservation_supplier_bps,
            facilitation_usdc_bps,
            facilitation_io_bps,
            network_fee_bps,
            network_fee_burn_bps,
            dollar_share_bps,
            pool_guard_bps,
            price_scatter_bps,
            reserved,
        } = *self;
        let inside = (60..=86_400).contains(&payment_window_secs)
            && (60..=3_600).contains(&price_max_age_secs)
            && reservation_customer_bps <= 100
            && reservation_supplier_bps <= 100
            && facilitation_usdc_bps <= 500
            && facilitation_io_bps <= 500
            && network_fee_bps <= 1_000
            && network_fee_burn_bps <= 10_000
            && (3_000..=9_000).contains(&dollar_share_bps)
            && (10..=1_000).contains(&pool_guard_bps)
            && (10..=2_000).contains(&price_scatter_bps)
            && reserved == [0; 7];
        if inside { Ok(()) } else { Err(RuleError::ParamOutOfBounds) }
    }
}
