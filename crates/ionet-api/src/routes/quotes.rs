//! Quotes.

use axum::extract::State;
use ionet_hub::Hub;
use ionet_types::market::Preflight;
use ionet_types::quotes::{Quote, QuoteRequest};

use crate::{extract::Json, problem::Problem};

/// Says what a cluster would cost. Reserves nothing.
#[utoipa::path(post, path = "/v1/quotes", operation_id = "quote_create", tag = "clusters", request_body = QuoteRequest,
    responses((status = 200, body = Quote)))]
pub(crate) async fn create(State(hub): State<Hub>, Json(request): Json<QuoteRequest>) -> Result<Json<Quote>, Problem> {
    Ok(Json(hub.quote(&request).await?))
}

/// Says what a request would get, or how many devices each of its conditions excludes, and which changes would help. Reserves nothing.
#[utoipa::path(post, path = "/v1/preflights", operation_id = "preflight_create", tag = "clusters", request_body = QuoteRequest,
    responses((status = 200, body = Preflight)))]
pub(crate) async fn preflight(State(hub): State<Hub>, Json(request): Json<QuoteRequest>) -> Result<Json<Preflight>, Problem> {
    Ok(Json(hub.preflight(&request).await?))
}
