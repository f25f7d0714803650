//! Calls of single rules as bytes, and their answers.
//!
//! A [`Call`] is a plain struct that knows how to [`Call::run`] itself. A test runs it natively and, through [`request`] and [`answer`], on
//! Solana's machine, where the probe runs the same function on the same bytes; both must say the same.
//!
//! Request: `[Call::NUMBER][the call's bytes]`. Response: `[0][the output's bytes]` or `[1][number of the rule error, u32 LE]`.
#![no_std]

pub mod bookings;
pub mod economy;
pub mod integers;
pub mod supply;

use bytemuck::Pod;
use ionet_rules::{RuleError, RuleResult};

/// Room for the longest request.
pub const LONGEST_REQUEST: usize = 1_024;
/// Room for the longest response.
pub const LONGEST_RESPONSE: usize = 400;

/// One call of one rule.
pub trait Call: Pod {
    /// Which rule.
    const NUMBER: u8;
    /// What it returns.
    type Output: Pod + PartialEq + core::fmt::Debug;

    /// Calls the rule.
    fn run(&self) -> RuleResult<Self::Output>;
}

/// The request of a call; in the probe, the instruction's data.
pub fn request<'a, C: Call>(call: &C, buffer: &'a mut [u8; LONGEST_REQUEST]) -> &'a [u8] {
    const { assert!(size_of::<C>() < LONGEST_REQUEST) };
    let end = 1 + size_of::<C>();
    buffer[0] = C::NUMBER;
    buffer[1..end].copy_from_slice(bytemuck::bytes_of(call));
    &buffer[..end]
}

/// What a response says; `None` when it is malformed.
pub fn answer<C: Call>(response: &[u8]) -> Option<RuleResult<C::Output>> {
    match response.split_first()? {
        (0, output) if output.len() == size_of::<C::Output>() => Some(Ok(bytemuck::pod_read_unaligned(output))),
        (1, number) => Some(Err(RuleError::from_number(u32::from_le_bytes(number.try_into().ok()?))?)),
        _ => None,
    }
}

/// Runs the call in a request if it is a `C`. Returns the length of the response.
fn try_call<C: Call>(request: &[u8], response: &mut [u8; LONGEST_RESPONSE]) -> Option<usize> {
    const { assert!(size_of::<C::Output>() < LONGEST_RESPONSE) };
    let (&number, bytes) = request.split_first()?;
    if number != C::NUMBER || bytes.len() != size_of::<C>() {
        return None;
    }
    let call: C = bytemuck::pod_read_unaligned(bytes);
    let length = match call.run() {
        Ok(output) => {
            let end = 1 + size_of::<C::Output>();
            response[0] = 0;
            response[1..end].copy_from_slice(bytemuck::bytes_of(&output));
            end
        }
        Err(error) => {
            response[0] = 1;
            response[1..5].copy_from_slice(&(error as u32).to_le_bytes());
            5
        }
    };
    Some(length)
}

/// Runs whatever call is in a request; `None` when it is none.
pub fn respond(request: &[u8], response: &mut [u8; LONGEST_RESPONSE]) -> Option<usize> {
    match request.first()? >> 5 {
        0 => integers::respond(request, response),
        1 => economy::respond(request, response),
        2 => bookings::respond(request, response),
        3 => supply::respond(request, response),
        _ => None,
    }
}

/// Declares calls: `number Name { fields } -> Output, |call| rule`, and the module's dispatcher.
macro_rules! calls {
    ($($(#[$doc:meta])* $number:literal $name:ident { $($field:ident: $type:ty,)* } -> $output:ty, |$call:ident| $rule:expr;)+) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
            #[repr(C)]
            #[allow(missing_docs, reason = "the fields are the rule's own arguments, by name")]
            pub struct $name { $(pub $field: $type,)* }

            impl crate::Call for $name {
                const NUMBER: u8 = $number;
                type Output = $output;

                #[inline(never)]
                fn run(&self) -> RuleResult<$output> {
                    let $call = self;
                    $rule
                }
            }
        )+

        /// Runs whatever call of this module is in a request.
        pub(crate) fn respond(request: &[u8], response: &mut [u8; crate::LONGEST_RESPONSE]) -> Option<usize> {
            match *request.first()? {
                $($number => crate::try_call::<$name>(request, response),)+
                _ => None,
            }
        }
    };
}
use calls;
