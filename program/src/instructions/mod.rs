//! The instructions, one folder each: `accounts.rs` checks, `process.rs` acts.

pub(crate) mod book_product;
pub(crate) mod earn;
pub(crate) mod expire;
pub(crate) mod extend;
pub(crate) mod fund_pool;
pub(crate) mod initialize;
pub(crate) mod pay;
pub(crate) mod refund;
pub(crate) mod repurchase;
pub(crate) mod set_oracles;
pub(crate) mod start;
pub(crate) mod submit_price;
pub(crate) mod worked;
