//! Amounts: rounding goes the stated way by less than one base unit, and what cannot be counted is refused.

use ionet_rules::RuleError;
use ionet_rules::money::{
    BPS, Currency, IO_UNIT, Io, MicroUsd, Units, Usdc, io_for_value_down, io_for_value_up, io_value, mul_div_down, mul_div_up,
};
use proptest::prelude::*;

use crate::strategies::amount;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn mul_div_is_the_exact_quotient_rounded_down_and_up(a in amount(), b in amount(), divisor in amount()) {
        let down = mul_div_down(a, b, divisor);
        let up = mul_div_up(a, b, divisor);
        if divisor == 0 {
            prop_assert_eq!((down, up), (Err(RuleError::Overflow), Err(RuleError::Overflow)));
            return Ok(());
        }
        let product = u128::from(a) * u128::from(b);
        let quotient = product / u128::from(divisor);
        let remainder = product % u128::from(divisor);
        prop_assert_eq!(down.ok(), u64::try_from(quotient).ok());
        prop_assert_eq!(up.ok(), u64::try_from(quotient + u128::from(remainder != 0)).ok());
    }

    #[test]
    fn sums_and_differences_undo_each_other_or_are_refused(a in amount(), b in amount()) {
        match Usdc(a).plus(Usdc(b)) {
            Ok(sum) => prop_assert_eq!(sum.minus(Usdc(b)), Ok(Usdc(a))),
            Err(error) => {
                prop_assert_eq!(error, RuleError::Overflow);
                prop_assert!(a.checked_add(b).is_none());
            }
        }
        prop_assert_eq!(Io(a).minus(Io(b)).is_ok(), a >= b);
    }

    #[test]
    fn a_share_rounds_against_whoever_asks(a in amount(), bps in 0u16..=10_000) {
        let up = Units(a).share_up(bps).unwrap();
        let down = Units(a).share_down(bps).unwrap();
        prop_assert!(down <= up && up.0 - down.0 <= 1);
        prop_assert!(up.0 <= a, "a share of at most the whole never exceeds it");
        // The two parts of a division into a share and its remainder lose nothing.
        let rest = Units(a).share_up(10_000 - bps).unwrap();
        prop_assert_eq!(u128::from(down.0) + u128::from(rest.0), u128::from(a));
        prop_assert_eq!(u128::from(a) * u128::from(bps) / u128::from(BPS), u128::from(down.0));
    }

    #[test]
    fn a_quote_in_io_is_never_worth_less_than_its_dollars(value in 1u64..1_000_000_000_000, price in 1u64..1_000_000_000_000) {
        let up = io_for_value_up(MicroUsd(value), MicroUsd(price)).unwrap();
        let down = io_for_value_down(MicroUsd(value), MicroUsd(price)).unwrap();
        prop_assert!(u128::from(up.0) * u128::from(price) >= u128::from(value) * u128::from(IO_UNIT));
        prop_assert!(up.0 - down.0 <= 1);
        prop_assert!(io_value(down, MicroUsd(price)).unwrap().0 <= value);
    }
}

#[test]
fn units_leave_a_booking_only_as_their_own_coin() {
    assert_eq!(Units(7).usdc(Currency::Usdc), Ok(Usdc(7)));
    assert_eq!(Units(7).io(Currency::Io), Ok(Io(7)));
    assert_eq!(Units(7).usdc(Currency::Io), Err(RuleError::CurrencyMismatch));
    assert_eq!(Units(7).io(Currency::Usdc), Err(RuleError::CurrencyMismatch));
}

#[test]
fn a_price_of_zero_buys_nothing() {
    assert_eq!(io_for_value_up(MicroUsd(1), MicroUsd::ZERO), Err(RuleError::PriceOutOfRange));
    assert_eq!(io_for_value_down(MicroUsd(1), MicroUsd::ZERO), Err(RuleError::PriceOutOfRange));
}

#[test]
fn one_io_is_worth_its_price() {
    assert_eq!(io_value(Io(IO_UNIT), MicroUsd(1_000_000)), Ok(MicroUsd(1_000_000)));
    assert_eq!(io_value(Io(IO_UNIT), MicroUsd(5_000_000)), Ok(MicroUsd(5_000_000)));
    assert_eq!(io_for_value_up(MicroUsd(115_000), MicroUsd(250_000)), Ok(Io(46_000_000)));
    assert_eq!(io_for_value_up(MicroUsd(1), MicroUsd(3)), Ok(Io(33_333_334)));
}

#[test]
fn stored_bytes_name_a_currency_or_are_refused() {
    for byte in 0..=u8::MAX {
        match Currency::from_u8(byte) {
            Ok(currency) => assert_eq!(currency as u8, byte),
            Err(error) => assert!(byte > 1 && error == RuleError::UnknownValue),
        }
    }
    assert_eq!((Currency::Usdc.decimals(), Currency::Io.decimals()), (6, 8));
}
