//! What every handler can reach.

use std::{net::IpAddr, sync::Arc};

use axum::extract::FromRef;
use ionet_hub::Hub;
use ionet_types::Address;
use tokio::sync::Semaphore;

use crate::{
    limits::{OpenLimiter, RateLimiter},
    options::ApiOptions,
};

/// What every handler can reach.
#[derive(Clone, FromRef)]
pub(crate) struct ApiState {
    pub(crate) hub: Hub,
    pub(crate) options: Arc<ApiOptions>,
    pub(crate) limits: Arc<Limits>,
}

/// The limiters of one API.
pub(crate) struct Limits {
    /// Requests of an address.
    pub(crate) addresses: RateLimiter<IpAddr>,
    /// Requests of a signed-in caller.
    pub(crate) callers: RateLimiter<Address>,
    /// Sign-ins and their like, of an address.
    pub(crate) sign_ins: RateLimiter<IpAddr>,
    /// Live streams and proxied requests of a caller.
    pub(crate) streams: OpenLimiter<Address>,
    /// Agent connections of an address.
    pub(crate) agents: OpenLimiter<IpAddr>,
    /// Ordinary requests in work.
    pub(crate) requests: Semaphore,
}

impl ApiState {
    pub(crate) fn new(hub: Hub, options: ApiOptions) -> Self {
        let limits = Limits {
            addresses: RateLimiter::new(options.address_rate),
            callers: RateLimiter::new(options.caller_rate),
            sign_ins: RateLimiter::new(options.sign_in_rate),
            streams: OpenLimiter::new(options.max_streams_per_caller),
            agents: OpenLimiter::new(options.max_agents_per_address),
            requests: Semaphore::new(options.max_concurrent_requests),
        };
        Self { hub, options: Arc::new(options), limits: Arc::new(limits) }
    }
}
