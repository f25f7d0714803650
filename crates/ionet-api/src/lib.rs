//! HTTP for people and programs: every route of a network's API, described by an OpenAPI document that is made from the handlers.
//!
//! A request passes, in this order: its name for the logs, the security headers, the catch for panics, the rate of its address, the route's own
//! rate or bound, the handler. The handler reads the request strictly, states by its extractors who may call it, and asks the hub. No
//! rule lives here.

mod auth;
pub mod extract;
mod finish;
mod guards;
pub mod headers;
pub mod idempotency;
pub mod limits;
mod openapi;
mod options;
pub mod problem;
pub mod request_id;
mod router;
mod routes;
mod serve;
mod sse;
mod state;

pub use limits::Rate;
pub use options::ApiOptions;
pub use router::{document, router};
pub use serve::{Stopping, serve};
