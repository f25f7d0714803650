//! The use cases, one noun per file: what the API calls.

mod audit;
mod clusters;
mod devices;
mod epochs;
mod faucet;
mod hardware;
mod idempotency;
mod joins;
mod keys;
mod network;
mod operators;
mod payments;
mod preflights;
mod proofs;
mod quotes;
mod ray;
mod receipts;
mod rewards;
mod sign_in;
mod slashes;
mod stakes;
mod staking;
mod terms;
mod tne;
mod transactions;

use std::fmt::Display;
use std::str::FromStr;

pub(crate) use epochs::allocation_summary;
pub(crate) use faucet::PAYER_MIN_LAMPORTS;
use ionet_types::page::{DEFAULT_PAGE_ITEMS, MAX_PAGE_ITEMS, Page, PageRequest};
use ionet_types::problem::Code;
pub(crate) use joins::CODE_INTERVAL_SECS;
pub(crate) use sign_in::{hash, secret};
pub use staking::StakeStep;

use crate::error::{HubError, HubResult};

/// How many items a page may hold.
fn page_limit(request: &PageRequest) -> HubResult<u32> {
    let limit = request.limit.unwrap_or(DEFAULT_PAGE_ITEMS);
    if (1..=MAX_PAGE_ITEMS).contains(&limit) { Ok(limit) } else { Err(HubError::field(format!("limit is between 1 and {MAX_PAGE_ITEMS}"))) }
}

/// Where a page begins. Only what reads back as it was written can have come from a list.
fn page_cursor<T: FromStr + Display>(request: &PageRequest) -> HubResult<Option<T>> {
    let Some(text) = request.cursor.as_deref() else { return Ok(None) };
    let cursor: T = text.parse().map_err(|_| Code::CursorInvalid)?;
    if cursor.to_string() == text { Ok(Some(cursor)) } else { Err(Code::CursorInvalid.into()) }
}

/// Where a page of records begins: a place in their list, counted from 1.
fn place_cursor(request: &PageRequest) -> HubResult<Option<i64>> {
    match page_cursor(request)? {
        Some(place) if place < 1 => Err(Code::CursorInvalid.into()),
        place => Ok(place),
    }
}

/// A page of up to `limit` of these rows, which are one more when another page follows.
fn page<R, T>(mut rows: Vec<R>, limit: u32, cursor: impl Fn(&R) -> String, item: impl FnMut(R) -> T) -> Page<T> {
    let more = rows.len() > limit as usize;
    rows.truncate(limit as usize);
    let next_cursor = if more { rows.last().map(cursor) } else { None };
    Page { items: rows.into_iter().map(item).collect(), next_cursor }
}
