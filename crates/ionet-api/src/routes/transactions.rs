//! Transactions: sending signed ones, and looking at the program's records, which are public.

use axum::extract::State;
use ionet_hub::Hub;
use ionet_types::{
    ClusterId, TransactionSignature,
    page::{Page, PageRequest},
    transactions::{Record, RecordFilter, RecordKind, SubmitRequest, Submitted, TransactionDetail},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    auth::Writer,
    extract::{Json, Path, Query},
    finish::to_the_end,
    problem::Problem,
};

/// Sends a transaction that the hub prepared and the customer signed, and waits until it is confirmed. Sending it twice is sending it once.
#[utoipa::path(post, path = "/v1/transactions", operation_id = "transaction_submit", tag = "payments", security(("bearer" = [])),
    request_body = SubmitRequest, responses((status = 200, body = Submitted)))]
pub(crate) async fn submit(State(hub): State<Hub>, _: Writer, Json(request): Json<SubmitRequest>) -> Result<Json<Submitted>, Problem> {
    Ok(Json(to_the_end(async move { hub.transaction_submit(&request).await }).await?))
}

/// Which records, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Of this kind only.
    kind: Option<RecordKind>,
    /// Of this cluster only.
    cluster_id: Option<ClusterId>,
    /// `next_cursor` of the page before; the first page when absent.
    cursor: Option<String>,
    /// Most items wanted, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Lists the program's records, newest first.
#[utoipa::path(get, path = "/v1/transactions", operation_id = "record_list", tag = "explorer", params(ListQuery),
    responses((status = 200, body = Page<Record>)))]
pub(crate) async fn list(State(hub): State<Hub>, Query(query): Query<ListQuery>) -> Result<Json<Page<Record>>, Problem> {
    let ListQuery { kind, cluster_id, cursor, limit } = query;
    Ok(Json(hub.transaction_list(&RecordFilter { kind, cluster_id }, &PageRequest { cursor, limit }).await?))
}

/// Shows the program's records in one transaction.
#[utoipa::path(get, path = "/v1/transactions/{signature}", operation_id = "transaction_view", tag = "explorer",
    params(("signature" = TransactionSignature, Path, description = "The transaction's first signature.")),
    responses((status = 200, body = TransactionDetail)))]
pub(crate) async fn view(State(hub): State<Hub>, Path(signature): Path<TransactionSignature>) -> Result<Json<TransactionDetail>, Problem> {
    Ok(Json(hub.transaction_show(signature).await?))
}
