//! The chain, used as its clients use it.

#![expect(clippy::unwrap_used, reason = "a test may fail where it stands")]

mod accounts;
mod durability;
mod hostile;
mod http;
mod kill;
mod kit;
mod programs;
mod rpc;
mod stepped;
mod support;
mod tokens;
mod websocket;
