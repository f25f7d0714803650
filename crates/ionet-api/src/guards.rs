//! Middleware that stands before the handlers: rates, places and time.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, FromRequestParts, MatchedPath, Request, State},
    http::{StatusCode, request::Parts},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use ionet_hub::Writer;
use ionet_types::{Address, audit::Actor, problem::Code};

use crate::{
    limits::network_of,
    problem::{Problem, ProblemCode},
    state::ApiState,
};

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

/// A request to change something: which endpoint, and who turned out to ask.
#[derive(Clone)]
pub(crate) struct Watched {
    pub(crate) endpoint: Arc<str>,
    pub(crate) wallet: Arc<OnceLock<Address>>,
}

impl Watched {
    /// The caller has proved who it is: counts this request for it.
    pub(crate) async fn known(&self, state: &ApiState, wallet: Address) -> Result<(), Problem> {
        // Set once: a request has one caller.
        self.wallet.get_or_init(|| wallet);
        counted(state, Writer::Known(Actor::Wallet(wallet)), &self.endpoint).await
    }
}

async fn counted(state: &ApiState, writer: Writer, endpoint: &str) -> Result<(), Problem> {
    state.hub.write_counted(writer, endpoint).await.map_err(|error| Problem::from(error).retry_after(Duration::from_mins(1)))
}

/// Counts requests to change something, and has those written down that were refused for who asked them.
pub(crate) async fn watch_writes(
    State(state): State<ApiState>,
    origin: Origin,
    path: MatchedPath,
    mut request: Request,
    next: Next,
) -> Response {
    if request.method().is_safe() {
        return next.run(request).await;
    }
    let endpoint: Arc<str> = format!("{} {}", request.method(), path.as_str()).into();
    if let Err(problem) = counted(&state, Writer::Address(origin.0), &endpoint).await {
        return problem.into_response();
    }
    let watched = Watched { endpoint: endpoint.clone(), wallet: Arc::default() };
    request.extensions_mut().insert(watched.clone());
    let response = next.run(request).await;
    let of_the_caller = matches!(
        response.status(),
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND | StatusCode::TOO_MANY_REQUESTS
    );
    if of_the_caller && let Some(ProblemCode(code)) = response.extensions().get().copied() {
        let writer = watched.wallet.get().map_or(Writer::Address(origin.0), |wallet| Writer::Known(Actor::Wallet(*wallet)));
        state.hub.write_refused(writer, origin.0, &endpoint, code).await;
    }
    response
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
