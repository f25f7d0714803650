//! Payments and extensions.

use axum::{extract::State, http::StatusCode};
use ionet_hub::Hub;
use ionet_types::{
    ClusterId,
    page::{Page, PageRequest},
    payments::{ExtensionRequest, Payment, PaymentRequest, PreparedExtension, PreparedPayment},
};

use crate::{
    auth::{Reader, Writer},
    extract::{Json, Path, Query},
    finish::to_the_end,
    idempotency::IdempotencyKey,
    problem::Problem,
};

/// Prepares a payment for the customer's signature: all that is due, or a part of it.
#[utoipa::path(post, path = "/v1/clusters/{id}/payments", operation_id = "payment_prepare", tag = "payments", security(("bearer" = [])),
    params(("id" = ClusterId, Path, description = "The cluster."), ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key repeats the answer, not the effect.",
            min_length = 1, max_length = 255)), request_body = PaymentRequest,
    responses((status = 201, body = PreparedPayment)))]
pub(crate) async fn prepare(
    State(hub): State<Hub>,
    Writer(caller): Writer,
    Path(id): Path<ClusterId>,
    key: IdempotencyKey,
    Json(request): Json<PaymentRequest>,
) -> Result<(StatusCode, Json<PreparedPayment>), Problem> {
    let work = async move { hub.payment_prepare(&caller, id, &request, key.0.as_deref()).await };
    Ok((StatusCode::CREATED, Json(to_the_end(work).await?)))
}

/// Prepares an extension of the hired time, and its payment, for the customer's signature.
#[utoipa::path(post, path = "/v1/clusters/{id}/extensions", operation_id = "extension_prepare", tag = "payments", security(("bearer" = [])),
    params(("id" = ClusterId, Path, description = "The cluster."), ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key repeats the answer, not the effect.",
            min_length = 1, max_length = 255)), request_body = ExtensionRequest,
    responses((status = 201, body = PreparedExtension)))]
pub(crate) async fn extend(
    State(hub): State<Hub>,
    Writer(caller): Writer,
    Path(id): Path<ClusterId>,
    key: IdempotencyKey,
    Json(request): Json<ExtensionRequest>,
) -> Result<(StatusCode, Json<PreparedExtension>), Problem> {
    let work = async move { hub.extension_prepare(&caller, id, &request, key.0.as_deref()).await };
    Ok((StatusCode::CREATED, Json(to_the_end(work).await?)))
}

/// Lists what the caller paid and got back, newest first.
#[utoipa::path(get, path = "/v1/payments", operation_id = "payment_list", tag = "payments", security(("bearer" = [])), params(PageRequest),
    responses((status = 200, body = Page<Payment>)))]
pub(crate) async fn list(
    State(hub): State<Hub>,
    Reader(caller): Reader,
    Query(page): Query<PageRequest>,
) -> Result<Json<Page<Payment>>, Problem> {
    Ok(Json(hub.payment_list(&caller, &page).await?))
}
