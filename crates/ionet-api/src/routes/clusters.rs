//! Clusters: booking, looking, ending.

use axum::{
    extract::State,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use ionet_hub::Hub;
use ionet_types::{
    ClusterId,
    clusters::{BookRequest, Booked, Cluster},
    page::{Page, PageRequest},
    transactions::Receipt,
};

use crate::{
    auth::{Reader, Writer},
    extract::{Json, Path, Query},
    finish::to_the_end,
    idempotency::IdempotencyKey,
    problem::Problem,
};

/// Reserves devices and prepares the booking for the customer's signature.
#[utoipa::path(post, path = "/v1/clusters", operation_id = "cluster_book", tag = "clusters", security(("bearer" = [])),
    params(("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key repeats the answer, not the effect.",
            min_length = 1, max_length = 255)), request_body = BookRequest,
    responses((status = 201, body = Booked, headers(("location" = String, description = "Path of the cluster.")))))]
pub(crate) async fn book(
    State(hub): State<Hub>,
    Writer(caller): Writer,
    key: IdempotencyKey,
    Json(request): Json<BookRequest>,
) -> Result<(StatusCode, [(HeaderName, HeaderValue); 1], Json<Booked>), Problem> {
    let booked = to_the_end(async move { hub.cluster_book(&caller, &request, key.0.as_deref()).await }).await?;
    let path = format!("/v1/clusters/{}", booked.cluster.id);
    let location = HeaderValue::try_from(path).expect("a UUID is visible ASCII");
    Ok((StatusCode::CREATED, [(header::LOCATION, location)], Json(booked)))
}

/// Lists the caller's clusters, newest first.
#[utoipa::path(get, path = "/v1/clusters", operation_id = "cluster_list", tag = "clusters", security(("bearer" = [])), params(PageRequest),
    responses((status = 200, body = Page<Cluster>)))]
pub(crate) async fn list(
    State(hub): State<Hub>,
    Reader(caller): Reader,
    Query(page): Query<PageRequest>,
) -> Result<Json<Page<Cluster>>, Problem> {
    Ok(Json(hub.cluster_list(&caller, &page).await?))
}

/// Shows a cluster of the caller.
#[utoipa::path(get, path = "/v1/clusters/{id}", operation_id = "cluster_view", tag = "clusters", security(("bearer" = [])),
    params(("id" = ClusterId, Path, description = "The cluster.")), responses((status = 200, body = Cluster)))]
pub(crate) async fn view(State(hub): State<Hub>, Reader(caller): Reader, Path(id): Path<ClusterId>) -> Result<Json<Cluster>, Problem> {
    Ok(Json(hub.cluster_show(&caller, id).await?))
}

/// Ends a cluster early. Unused time goes back at the original rate, but for the first hour and the fees. Ending it twice is ending it once.
#[utoipa::path(delete, path = "/v1/clusters/{id}", operation_id = "cluster_terminate", tag = "clusters", security(("bearer" = [])),
    params(("id" = ClusterId, Path, description = "The cluster.")), responses((status = 202, body = Cluster)))]
pub(crate) async fn terminate(
    State(hub): State<Hub>,
    Writer(caller): Writer,
    Path(id): Path<ClusterId>,
) -> Result<(StatusCode, Json<Cluster>), Problem> {
    Ok((StatusCode::ACCEPTED, Json(to_the_end(async move { hub.cluster_terminate(&caller, id).await }).await?)))
}

/// Every on-chain record of a cluster of the caller, and the balance of its books.
#[utoipa::path(get, path = "/v1/clusters/{id}/receipt", operation_id = "cluster_receipt", tag = "clusters", security(("bearer" = [])),
    params(("id" = ClusterId, Path, description = "The cluster.")), responses((status = 200, body = Receipt)))]
pub(crate) async fn receipt(State(hub): State<Hub>, Reader(caller): Reader, Path(id): Path<ClusterId>) -> Result<Json<Receipt>, Problem> {
    Ok(Json(hub.cluster_receipt(&caller, id).await?))
}
