//! 128-bit arithmetic on pairs of 64-bit halves. Uses no 128-bit operation itself: it is what those operations call.
#![expect(clippy::arithmetic_side_effects, reason = "long division: each bound stands beside its step, and tests compare both machines")]

/// A 128-bit unsigned number as two halves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wide {
    /// Upper 64 bits.
    pub high: u64,
    /// Lower 64 bits.
    pub low: u64,
}

const HALF_MASK: u64 = 0xFFFF_FFFF;

/// The full product of two 64-bit numbers, from four 32-bit products.
const fn multiply_full(a: u64, b: u64) -> Wide {
    let (a_high, a_low) = (a >> 32, a & HALF_MASK);
    let (b_high, b_low) = (b >> 32, b & HALF_MASK);
    let low = a_low.wrapping_mul(b_low);
    let middle = a_high.wrapping_mul(b_low).wrapping_add(low >> 32);
    let middle_low = a_low.wrapping_mul(b_high).wrapping_add(middle & HALF_MASK);
    let high = a_high.wrapping_mul(b_high).wrapping_add(middle >> 32).wrapping_add(middle_low >> 32);
    Wide { high, low: (middle_low << 32) | (low & HALF_MASK) }
}

/// The lower 128 bits of a product; the same for signed and unsigned factors.
pub const fn multiply(a: Wide, b: Wide) -> Wide {
    let product = multiply_full(a.low, b.low);
    let cross = a.high.wrapping_mul(b.low).wrapping_add(a.low.wrapping_mul(b.high));
    Wide { high: product.high.wrapping_add(cross), low: product.low }
}

/// Two's complement negation.
pub const fn negate(a: Wide) -> Wide {
    let low = a.low.wrapping_neg();
    Wide { high: (!a.high).wrapping_add((low == 0) as u64), low }
}

/// Quotient and remainder. The divisor is not zero: the compiler checks that before it calls.
pub const fn divide(a: Wide, b: Wide) -> (Wide, Wide) {
    if b.high != 0 {
        return divide_by_wide(a, b);
    }
    if a.high == 0 {
        return (Wide { high: 0, low: a.low / b.low }, Wide { high: 0, low: a.low % b.low });
    }
    let (low, rest) = divide_step(a.high % b.low, a.low, b.low);
    (Wide { high: a.high / b.low, low }, Wide { high: 0, low: rest })
}

/// `high:low / divisor` with `high < divisor`, so that the quotient fits: schoolbook division with two 32-bit digits.
const fn divide_step(high: u64, low: u64, divisor: u64) -> (u64, u64) {
    if high == 0 {
        return (low / divisor, low % divisor);
    }
    // Normalised, so that a digit guessed from the leading halves is at most two too large.
    let shift = divisor.leading_zeros();
    let divisor = divisor << shift;
    let (high, low) = if shift == 0 { (high, low) } else { ((high << shift) | (low >> (64 - shift)), low << shift) };
    let (first, rest) = divide_digit(high, low >> 32, divisor);
    let (second, rest) = divide_digit(rest, low & HALF_MASK, divisor);
    ((first << 32) | second, rest >> shift)
}

/// One 32-bit digit of the quotient `high:next / divisor`, and the remainder; `divisor` is normalised and `high < divisor`.
const fn divide_digit(high: u64, next: u64, divisor: u64) -> (u64, u64) {
    let (divisor_high, divisor_low) = (divisor >> 32, divisor & HALF_MASK);
    let mut digit = high / divisor_high;
    let mut rest = high % divisor_high;
    while digit > HALF_MASK || digit.wrapping_mul(divisor_low) > (rest << 32) | next {
        digit -= 1;
        rest += divisor_high;
        if rest > HALF_MASK {
            break;
        }
    }
    // The true remainder fits 64 bits, so wrapping cannot lose any of it.
    (digit, ((high << 32) | next).wrapping_sub(digit.wrapping_mul(divisor)))
}

/// Division by a divisor above 64 bits, bit by bit; rare, and its quotient has at most 64 bits.
const fn divide_by_wide(a: Wide, b: Wide) -> (Wide, Wide) {
    let mut quotient = 0;
    let mut rest = Wide { high: 0, low: a.high };
    let mut bit = 64;
    while bit > 0 {
        bit -= 1;
        // `rest` stays below the divisor; doubling it can carry one bit out, which the comparison must see.
        let carry = rest.high >> 63;
        rest = Wide { high: (rest.high << 1) | (rest.low >> 63), low: (rest.low << 1) | ((a.low >> bit) & 1) };
        quotient <<= 1;
        let larger = rest.high > b.high || (rest.high == b.high && rest.low >= b.low);
        if carry != 0 || larger {
            let (low, borrow) = rest.low.overflowing_sub(b.low);
            rest = Wide { high: rest.high.wrapping_sub(b.high).wrapping_sub(borrow as u64), low };
            quotient |= 1;
        }
    }
    (Wide { high: 0, low: quotient }, rest)
}

/// Quotient and remainder of signed numbers: rounded towards zero, the remainder with the dividend's sign.
pub const fn divide_signed(a: Wide, b: Wide) -> (Wide, Wide) {
    let (a_negative, b_negative) = (a.high >> 63 != 0, b.high >> 63 != 0);
    let (quotient, rest) = divide(if a_negative { negate(a) } else { a }, if b_negative { negate(b) } else { b });
    (if a_negative ^ b_negative { negate(quotient) } else { quotient }, if a_negative { negate(rest) } else { rest })
}
