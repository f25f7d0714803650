//! The audit log, as far as each may see it.

use axum::extract::State;
use ionet_hub::Hub;
use ionet_types::{
    audit::{AuditEntry, AuditHead, AuditLinkList},
    page::{Page, PageRequest},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    auth::Reader,
    extract::{Json, Query},
    problem::Problem,
};

/// Shows the last entry's number and hash. Whoever keeps it can later hold the operator to everything up to there.
#[utoipa::path(get, path = "/v1/audit/head", operation_id = "audit_head", tag = "audit", responses((status = 200, body = AuditHead)))]
pub(crate) async fn head(State(hub): State<Hub>) -> Result<Json<AuditHead>, Problem> {
    Ok(Json(hub.audit_head().await?))
}

/// Which links.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct LinksQuery {
    /// Number of the entry after which to begin; from the first when absent.
    #[serde(default)]
    after: u64,
    /// Most links wanted, 1 to 10,000; 10,000 when absent.
    #[param(minimum = 1, maximum = 10_000)]
    limit: Option<u32>,
}

/// Lists the entries' digests, oldest first: enough to compute the head again, and nothing of what the entries say.
#[utoipa::path(get, path = "/v1/audit/links", operation_id = "audit_links", tag = "audit", params(LinksQuery),
    responses((status = 200, body = AuditLinkList)))]
pub(crate) async fn links(State(hub): State<Hub>, Query(query): Query<LinksQuery>) -> Result<Json<AuditLinkList>, Problem> {
    Ok(Json(hub.audit_links(query.after, query.limit).await?))
}

/// Which entries, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Those of the caller; there are no others to be had, so it may be left out.
    #[serde(default)]
    #[param(value_type = Option<bool>)]
    mine: Option<String>,
    /// `next_cursor` of the page before; the first page when absent.
    cursor: Option<String>,
    /// Most items wanted, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Lists the entries of which the caller is the actor, and those that concern it, newest first.
#[utoipa::path(get, path = "/v1/audit", operation_id = "audit_list", tag = "audit", security(("bearer" = [])), params(ListQuery),
    responses((status = 200, body = Page<AuditEntry>)))]
pub(crate) async fn list(
    State(hub): State<Hub>,
    Reader(caller): Reader,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<AuditEntry>>, Problem> {
    let ListQuery { mine, cursor, limit } = query;
    if mine.is_some_and(|mine| !matches!(mine.as_str(), "" | "true")) {
        return Err(Problem::new(ionet_types::problem::Code::RequestMalformed).field("mine").detail("mine is true, or absent"));
    }
    Ok(Json(hub.audit_list(&caller, &PageRequest { cursor, limit }).await?))
}
