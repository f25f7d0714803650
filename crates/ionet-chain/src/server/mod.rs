//! HTTP and websockets around the chain.

mod http;
pub(crate) mod subscriptions;
mod websocket;

pub use http::bind_pair;
pub(crate) use http::serve;
