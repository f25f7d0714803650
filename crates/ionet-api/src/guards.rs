//! Middleware that stands before the handlers: rates, places and time.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, Request, State},
    http::request::Parts,
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use ionet_types::problem::Code;

use crate::{limits::network_of, problem::Problem, state::ApiState};

/// The network address that a request came from.
///
/// Headers that claim another are not believed: anybody can send them. Behind a reverse proxy all requests count as the proxy's, and the
/// proxy must keep the rates.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin(pub(crate) IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let remote = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        // Only a request that came over no network has no address.
        Ok(Self(network_of(remote.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |remote| remote.0.ip()))))
    }
}

/// Keeps every address to its rate.
pub(crate) async fn keep_address_rate(State(state): State<ApiState>, origin: Origin, request: Request, next: Next) -> Response {
    match state.limits.addresses.check(&origin.0) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Keeps every address to the rate of sign-ins.
pub(crate) async fn keep_sign_in_rate(State(state): State<ApiState>, origin: Origin, request: Request, next: Next) -> Response {
    match state.limits.sign_ins.check(&origin.0) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

/// Bounds how many ordinary requests are in work, and for how long each.
pub(crate) async fn keep_bounds(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let Ok(_place) = state.limits.requests.try_acquire() else {
        return Problem::new(Code::Busy).retry_after(Duration::from_secs(1)).into_response();
    };
    match tokio::time::timeout(state.options.request_timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::new(Code::TimedOut).into_response(),
    }
}
