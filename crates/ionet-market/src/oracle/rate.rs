//! From a price per GPU-hour to the rates that a booking locks: GPUs, discount, floors, currency.

use ionet_rules::RuleResult;
use ionet_rules::booking::MAX_RATE;
use ionet_rules::money::{Currency, MicroUsd, Units, io_for_value_up, mul_div_up};
use ionet_rules::params::Params;
use ionet_rules::{RuleError, money};

use crate::durations::Discounts;
use crate::shape::WHOLE_MILLI;

/// What a node is to cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The oracle's price per GPU-hour (CPU: device-hour), micro-USD. With several cells the highest, as with floors.
    pub price_micro_usd: u64,
    /// The highest floor of the devices that the hire would use, for these minutes ([`highest_floor`]), per GPU-hour, micro-USD.
    pub floor_micro_usd: u64,
    /// Thousandths of a GPU of each node; 1,000 for a CPU device.
    pub gpu_milli: u32,
    /// Minutes that it is hired for.
    pub minutes: u32,
}

/// What a booking locks, per node and hour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Base units of its currency.
    pub rate: Units,
    /// Micro-USD.
    pub rate_micro_usd: MicroUsd,
}

/// The highest floor among devices; zero without one. All nodes of a cluster are paid one rate, so none of them works below its floor.
pub fn highest_floor(floors_micro_usd: impl IntoIterator<Item = u64>) -> u64 {
    floors_micro_usd.into_iter().max().unwrap_or(0)
}

/// What so many thousandths of a GPU cost, charged up.
pub fn node_rate(price_micro_usd: u64, gpu_milli: u32) -> RuleResult<u64> {
    mul_div_up(price_micro_usd, u64::from(gpu_milli), u64::from(WHOLE_MILLI))
}

/// The rates of a node: the price less the discount for its minutes, and never below the floor.
///
/// The discount is taken from the rate in the booking's own currency, because it is there that it is rounded. Refused when a rate is zero
/// or beyond what a booking can hold, or when the price of IO is missing and needed.
pub fn rates(asked: &Asked, currency: Currency, io_price: Option<MicroUsd>, params: &Params) -> RuleResult<Rates> {
    let discounts = Discounts::new(currency, params);
    let price = node_rate(asked.price_micro_usd, asked.gpu_milli)?;
    let floor = node_rate(asked.floor_micro_usd, asked.gpu_milli)?;
    let rate_micro_usd = discounts.rate(price, asked.minutes).max(floor);
    let rate = match currency {
        Currency::Usdc => rate_micro_usd,
        Currency::Io => {
            let io_price = io_price.ok_or(RuleError::PriceStale)?;
            let io = |micro_usd: u64| -> RuleResult<u64> { Ok(io_for_value_up(money::MicroUsd(micro_usd), io_price)?.0) };
            discounts.rate(io(price)?, asked.minutes).max(io(floor)?)
        }
    };
    if [rate, rate_micro_usd].iter().any(|rate| *rate == 0 || *rate > MAX_RATE) {
        return Err(RuleError::RateOutOfRange);
    }
    Ok(Rates { rate: Units(rate), rate_micro_usd: MicroUsd(rate_micro_usd) })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const PARAMS: Params = Params::DEFAULT;

    fn asked() -> impl Strategy<Value = Asked> {
        (1_u64..50_000_000, 0_u64..50_000_000, 1_u32..=8_000, 1_u32..=100_000).prop_map(
            |(price_micro_usd, floor_micro_usd, gpu_milli, minutes)| Asked { price_micro_usd, floor_micro_usd, gpu_milli, minutes },
        )
    }

    #[test]
    fn the_documented_example() {
        let asked = Asked { price_micro_usd: 115_000, floor_micro_usd: 0, gpu_milli: 1_000, minutes: 60 };
        let usdc = rates(&asked, Currency::Usdc, None, &PARAMS).unwrap();
        assert_eq!((usdc.rate, usdc.rate_micro_usd), (Units(115_000), MicroUsd(115_000)));
        assert_eq!(rates(&asked, Currency::Io, None, &PARAMS).unwrap_err(), RuleError::PriceStale);
        let free = Asked { price_micro_usd: 0, ..asked };
        assert_eq!(rates(&free, Currency::Usdc, None, &PARAMS).unwrap_err(), RuleError::RateOutOfRange);
        let third = Asked { gpu_milli: 333, ..asked };
        assert_eq!(rates(&third, Currency::Usdc, None, &PARAMS).unwrap().rate, Units(38_295));
    }

    proptest! {
        /// No device of a hire works below its floor, in either currency and however long.
        #[test]
        fn never_below_a_floor(asked in asked(), floors in prop::collection::vec(0_u64..50_000_000, 1..10), io_price in 1_000_u64..1_000_000_000) {
            let asked = Asked { floor_micro_usd: highest_floor(floors.iter().copied()), ..asked };
            let usdc = rates(&asked, Currency::Usdc, None, &PARAMS).unwrap();
            let io = rates(&asked, Currency::Io, Some(MicroUsd(io_price)), &PARAMS).unwrap();
            prop_assert_eq!(usdc.rate.0, usdc.rate_micro_usd.0);
            for floor in floors {
                let floor = u128::from(floor) * u128::from(asked.gpu_milli);
                prop_assert!(u128::from(usdc.rate.0) * 1_000 >= floor);
                prop_assert!(u128::from(io.rate_micro_usd.0) * 1_000 >= floor);
                prop_assert!(u128::from(io.rate.0) * u128::from(io_price) * 1_000 >= floor * 100_000_000);
            }
        }

        /// With a floor or without: longer costs more in all, and no more per hour.
        #[test]
        fn lengths_keep_their_order(asked in asked(), more in 1_u32..50_000, io_price in 1_000_u64..1_000_000_000) {
            let longer = Asked { minutes: asked.minutes + more, ..asked };
            for currency in [Currency::Usdc, Currency::Io] {
                let at = |asked: &Asked| rates(asked, currency, Some(MicroUsd(io_price)), &PARAMS).unwrap();
                let (short, long) = (at(&asked), at(&longer));
                prop_assert!(long.rate <= short.rate && long.rate_micro_usd <= short.rate_micro_usd);
                prop_assert!(u128::from(long.rate.0) * u128::from(longer.minutes) > u128::from(short.rate.0) * u128::from(asked.minutes));
            }
        }

        /// To hire a GPU in parts is never cheaper than to hire the whole of it.
        #[test]
        fn parts_never_undercut_the_whole(asked in asked(), cut in prop::collection::vec(1_u32..2_000, 1..8)) {
            let rate = |gpu_milli| rates(&Asked { gpu_milli, ..asked }, Currency::Usdc, None, &PARAMS).unwrap().rate.0;
            prop_assert!(cut.iter().map(|&milli| rate(milli)).sum::<u64>() >= rate(cut.iter().sum()));
        }

        #[test]
        fn any_terms_are_priced_or_refused(price: u64, floor: u64, gpu_milli: u32, minutes: u32, io_price: u64) {
            let asked = Asked { price_micro_usd: price, floor_micro_usd: floor, gpu_milli, minutes };
            for currency in [Currency::Usdc, Currency::Io] {
                let _ = rates(&asked, currency, Some(MicroUsd(io_price)), &PARAMS);
            }
        }
    }
}
