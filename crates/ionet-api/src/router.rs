//! Table of contents: every route, grouped by who calls it. A route is registered together with its description.

use std::{any::Any, time::Duration};

use axum::{
    Router,
    extract::Request,
    http::{HeaderName, HeaderValue, Method, header},
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse as _, Response},
    routing::get,
};
use ionet_hub::Hub;
use ionet_types::{joins::ACTIVATE_PATH, problem::Code};
use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer};
use utoipa::{OpenApi as _, openapi::OpenApi};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    guards, headers,
    idempotency::IDEMPOTENCY_KEY,
    openapi,
    options::ApiOptions,
    problem::Problem,
    request_id,
    routes::{
        activate, agents, audit, auth, clusters, devices, epochs, events, faucet, joins, keys, market, network, operators, payments,
        proofs, quotes, ray, rewards, slashes, stakes, tne, transactions,
    },
    state::ApiState,
};

/// How long a browser may remember that it may call.
const CORS_MAX_AGE: Duration = Duration::from_mins(10);

/// Everything, as a table.
struct Routes {
    public: OpenApiRouter<ApiState>,
    sign_in: OpenApiRouter<ApiState>,
    customers: OpenApiRouter<ApiState>,
    live: OpenApiRouter<ApiState>,
    agents: OpenApiRouter<ApiState>,
}

fn table() -> Routes {
    Routes {
        // Anybody: what the network is, what it rents out, what the chain recorded.
        public: OpenApiRouter::new()
            .routes(routes!(network::view))
            .routes(routes!(network::health))
            .routes(routes!(network::hardware))
            .routes(routes!(quotes::create))
            .routes(routes!(quotes::preflight))
            .routes(routes!(tne::view))
            .routes(routes!(devices::list))
            .routes(routes!(market::prices))
            .routes(routes!(market::history))
            .routes(routes!(market::survival))
            .routes(routes!(devices::counts))
            .routes(routes!(devices::view))
            .routes(routes!(devices::reputation))
            .routes(routes!(proofs::list))
            .routes(routes!(proofs::transcript))
            .routes(routes!(stakes::view))
            .routes(routes!(stakes::offers))
            .routes(routes!(stakes::multipliers))
            .routes(routes!(slashes::list))
            .routes(routes!(slashes::view))
            .routes(routes!(epochs::supply))
            .routes(routes!(epochs::list))
            .routes(routes!(epochs::view))
            .routes(routes!(epochs::file))
            .routes(routes!(rewards::proof))
            .routes(routes!(rewards::estimate))
            .routes(routes!(rewards::lines))
            .routes(routes!(rewards::readiness))
            .routes(routes!(transactions::view))
            .routes(routes!(audit::head))
            .routes(routes!(audit::links)),

        // Anybody, at a low rate: each call costs the hub a signature or more.
        sign_in: OpenApiRouter::new()
            .routes(routes!(auth::challenge_create))
            .routes(routes!(auth::session_create))
            .routes(routes!(faucet::give))
            .routes(routes!(joins::code_create))
            .routes(routes!(joins::code_token))
            // A person's code is short, so nobody may try many.
            .routes(routes!(joins::code_view))
            .routes(routes!(joins::code_decide)),

        // Customers, signed in.
        customers: OpenApiRouter::new()
            .routes(routes!(keys::list, keys::create))
            .routes(routes!(keys::delete))
            .routes(routes!(joins::list, joins::create))
            .routes(routes!(joins::revoke))
            .routes(routes!(joins::credential_reset))
            .routes(routes!(audit::list))
            .routes(routes!(clusters::list, clusters::book))
            .routes(routes!(clusters::view, clusters::terminate))
            .routes(routes!(clusters::receipt))
            .routes(routes!(payments::prepare))
            .routes(routes!(payments::extend))
            .routes(routes!(payments::list))
            .routes(routes!(market::terms, market::terms_set))
            .routes(routes!(operators::attest))
            .routes(routes!(operators::block))
            .routes(routes!(operators::unblock))
            .routes(routes!(devices::pause))
            .routes(routes!(devices::resume))
            .routes(routes!(devices::terminate))
            .routes(routes!(stakes::list))
            .routes(routes!(stakes::register))
            .routes(routes!(stakes::stake))
            .routes(routes!(stakes::withdraw))
            .routes(routes!(stakes::unstake))
            .routes(routes!(stakes::payout))
            .routes(routes!(stakes::offer))
            .routes(routes!(stakes::co_stake))
            .routes(routes!(stakes::notice))
            .routes(routes!(stakes::withdraw_co_stake))
            .routes(routes!(slashes::appeal))
            .routes(routes!(rewards::list))
            .routes(routes!(rewards::claim))
            // Sending is for customers; the list of records at the same path is public.
            .routes(routes!(transactions::list, transactions::submit)),

        // What lasts as long as it lasts: bounded by places instead of time.
        live: OpenApiRouter::new()
            .routes(routes!(events::list))
            .routes(routes!(ray::proxy))
            .routes(routes!(ray::proxy_root))
            .routes(routes!(proofs::download, proofs::upload)),

        // Suppliers' devices.
        agents: OpenApiRouter::new().routes(routes!(agents::connect)),
    }
}

/// The whole API over `hub`.
pub fn router(hub: Hub, options: ApiOptions) -> Router {
    let state = ApiState::new(hub, options);
    let sign_in_rate = || from_fn_with_state(state.clone(), guards::keep_sign_in_rate);
    let Routes { public, sign_in, customers, live, agents } = table();
    let ordinary = public.merge(sign_in.route_layer(sign_in_rate())).merge(customers);
    let ordinary = ordinary.route_layer(from_fn_with_state(state.clone(), guards::watch_writes));
    let ordinary = ordinary.route_layer(from_fn_with_state(state.clone(), guards::keep_bounds));
    let (router, document) = described(ordinary.merge(live).merge(agents.route_layer(sign_in_rate())));
    let document = axum::Json(document);
    let mut router = router
        .route("/v1/openapi.json", get(move || async move { document }))
        .route(ACTIVATE_PATH, get(activate::page))
        .fallback(route_not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .layer(from_fn_with_state(state.clone(), guards::keep_address_rate));
    // The layer answers every OPTIONS itself, so it is there only for those who need it.
    if let Some(cors) = cors(&state.options) {
        router = router.layer(cors);
    }
    router
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(headers::secure))
        .layer(from_fn(request_id::name_request))
        .with_state(state)
}

/// The OpenAPI document.
pub fn document() -> OpenApi {
    let Routes { public, sign_in, customers, live, agents } = table();
    described(public.merge(sign_in).merge(customers).merge(live).merge(agents)).1
}

fn described(all: OpenApiRouter<ApiState>) -> (Router<ApiState>, OpenApi) {
    let (router, document) = OpenApiRouter::with_openapi(openapi::Document::openapi()).merge(all).split_for_parts();
    (router, openapi::finished(document))
}

/// Lets the pages of the allowed origins call, and no other page.
fn cors(options: &ApiOptions) -> Option<CorsLayer> {
    let origins: Vec<HeaderValue> = options.allowed_origins.iter().filter_map(|origin| origin.parse().ok()).collect();
    let cors = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::DELETE])
        .allow_headers([header::AUTHORIZATION, header::CONTENT_TYPE, HeaderName::from_static(IDEMPOTENCY_KEY)])
        .expose_headers([request_id::REQUEST_ID, header::LOCATION, header::RETRY_AFTER])
        .max_age(CORS_MAX_AGE);
    (!origins.is_empty()).then(|| cors.allow_origin(origins))
}

async fn route_not_found() -> Problem {
    Code::RouteNotFound.into()
}

async fn method_not_allowed(request: Request) -> Problem {
    Problem::new(Code::MethodNotAllowed).detail(format!("this endpoint does not take {}", request.method()))
}

/// The last line: a panic in a handler is a bug, and its caller still gets a problem.
fn panicked(panic: Box<dyn Any + Send>) -> Response {
    let text = match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast::<&str>().map_or_else(|_| "no text".to_owned(), |text| (*text).to_owned()),
    };
    Problem::new(Code::Internal).because(format!("panic: {text}")).into_response()
}
