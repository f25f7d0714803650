//! Slashing cases, and appeals.

use axum::{extract::State, http::StatusCode};
use ionet_hub::Hub;
use ionet_types::{
    CaseId, DeviceId,
    slashes::{AppealRequest, CaseStatus, SlashCase, SlashCaseList},
    stakes::PreparedStep,
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    auth::Writer,
    extract::{Json, Path, Query},
    finish::to_the_end,
    idempotency::IdempotencyKey,
    problem::Problem,
};

/// Which cases.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SlashQuery {
    /// Against this device only.
    device: Option<DeviceId>,
    /// In this state only.
    status: Option<CaseStatus>,
}

/// Lists slashing cases, newest first.
#[utoipa::path(get, path = "/v1/slashes", operation_id = "slash_list", tag = "stakes", params(SlashQuery),
    responses((status = 200, body = SlashCaseList)))]
pub(crate) async fn list(State(hub): State<Hub>, Query(query): Query<SlashQuery>) -> Result<Json<SlashCaseList>, Problem> {
    Ok(Json(hub.slash_list(query.device, query.status).await?))
}

/// Shows a slashing case.
#[utoipa::path(get, path = "/v1/slashes/{case}", operation_id = "slash_view", tag = "stakes",
    params(("case" = CaseId, Path, description = "The case.")), responses((status = 200, body = SlashCase)))]
pub(crate) async fn view(State(hub): State<Hub>, Path(case): Path<CaseId>) -> Result<Json<SlashCase>, Problem> {
    Ok(Json(hub.slash_show(case).await?))
}

/// Prepares the appeal of the accused device's owner. The text goes to the council itself; the chain keeps its hash.
#[utoipa::path(post, path = "/v1/slashes/{case}/appeal", operation_id = "appeal_prepare", tag = "stakes", security(("bearer" = [])),
    params(("case" = CaseId, Path, description = "The case."), ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key repeats the answer, not the effect.",
            min_length = 1, max_length = 255)), request_body = AppealRequest,
    responses((status = 201, body = PreparedStep)))]
pub(crate) async fn appeal(
    State(hub): State<Hub>,
    Writer(caller): Writer,
    Path(case): Path<CaseId>,
    key: IdempotencyKey,
    Json(request): Json<AppealRequest>,
) -> Result<(StatusCode, Json<PreparedStep>), Problem> {
    let work = async move { hub.appeal_prepare(&caller, case, &request, key.0.as_deref()).await };
    Ok((StatusCode::CREATED, Json(to_the_end(work).await?)))
}
