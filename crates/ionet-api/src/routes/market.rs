//! The market: prices, what is in a request's way, and on which terms devices are offered.

use axum::extract::State;
use ionet_hub::Hub;
use ionet_types::{
    DeviceId,
    hardware::HardwareModel,
    market::{DeviceTerms, PriceBoard, PriceHistory, SetTermsRequest, SurvivalReport},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    auth::{Reader, Writer},
    extract::{Json, Path, Query},
    finish::to_the_end,
    problem::Problem,
};

/// Which part of the price index.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct HistoryQuery {
    /// A model; the whole network when absent.
    #[param(value_type = Option<String>)]
    hardware: Option<HardwareModel>,
    /// Days instead of hours.
    #[serde(default)]
    days: bool,
}

/// Lists all prices of now, with what each is made of, and the discounts for long hires.
#[utoipa::path(get, path = "/v1/prices", operation_id = "price_list", tag = "market", responses((status = 200, body = PriceBoard)))]
pub(crate) async fn prices(State(hub): State<Hub>) -> Result<Json<PriceBoard>, Problem> {
    Ok(Json(hub.price_board().await?))
}

/// Shows the price index of a model, or of the whole network: the hours of the last 90 days, or the days of the last ten years.
#[utoipa::path(get, path = "/v1/prices/history", operation_id = "price_history", tag = "market", params(HistoryQuery),
    responses((status = 200, body = PriceHistory)))]
pub(crate) async fn history(State(hub): State<Hub>, Query(query): Query<HistoryQuery>) -> Result<Json<PriceHistory>, Problem> {
    Ok(Json(hub.price_history(query.hardware.as_ref(), query.days)?))
}

/// Says how the chance is predicted that a device serves a hire to its end: by a model or by the plain mean, and how both did.
#[utoipa::path(get, path = "/v1/survival", operation_id = "survival_report", tag = "market", responses((status = 200, body = SurvivalReport)))]
pub(crate) async fn survival(State(hub): State<Hub>) -> Result<Json<SurvivalReport>, Problem> {
    Ok(Json(hub.survival_report()?))
}

/// Shows on which terms one's device is offered.
#[utoipa::path(get, path = "/v1/devices/{id}/terms", operation_id = "device_terms", tag = "market", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device's public key.")), responses((status = 200, body = DeviceTerms)))]
pub(crate) async fn terms(State(hub): State<Hub>, Reader(caller): Reader, Path(id): Path<DeviceId>) -> Result<Json<DeviceTerms>, Problem> {
    Ok(Json(hub.device_terms(&caller, id).await?))
}

/// Sets on which terms one's device is offered: a floor, or a strategy. Hires that run are not touched.
#[utoipa::path(post, path = "/v1/devices/{id}/terms", operation_id = "device_terms_set", tag = "market", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device's public key.")), request_body = SetTermsRequest,
    responses((status = 200, body = DeviceTerms)))]
pub(crate) async fn terms_set(
    State(hub): State<Hub>,
    Writer(caller): Writer,
    Path(id): Path<DeviceId>,
    Json(request): Json<SetTermsRequest>,
) -> Result<Json<DeviceTerms>, Problem> {
    Ok(Json(to_the_end(async move { hub.device_terms_set(&caller, id, &request).await }).await?))
}
