//! Devices, as everybody may see them.

use axum::extract::State;
use ionet_hub::Hub;
use ionet_types::{
    DeviceId,
    devices::{Device, DeviceCounts, DeviceReputation},
    page::{Page, PageRequest},
    stakes::EmptyRequest,
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    auth::{Reader, Writer},
    extract::{Json, Path, Query},
    finish::to_the_end,
    problem::Problem,
};

/// Which devices, and which page of them.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only those that name the caller as their owner; needs a sign-in.
    #[serde(default)]
    mine: bool,
    /// `next_cursor` of the page before; the first page when absent.
    cursor: Option<String>,
    /// Most items wanted, 1 to 200; 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
}

/// Lists the network's devices. Who owns one is never shown; with `mine=true`, the caller's own.
#[utoipa::path(get, path = "/v1/devices", operation_id = "device_list", tag = "explorer", params(ListQuery),
    responses((status = 200, body = Page<Device>)))]
pub(crate) async fn list(
    State(hub): State<Hub>,
    caller: Result<Reader, Problem>,
    Query(query): Query<ListQuery>,
) -> Result<Json<Page<Device>>, Problem> {
    let ListQuery { mine, cursor, limit } = query;
    let page = PageRequest { cursor, limit };
    Ok(Json(if mine { hub.device_list_of(&caller?.0, &page).await? } else { hub.device_list(&page).await? }))
}

/// Counts the network's devices by state.
#[utoipa::path(get, path = "/v1/device-counts", operation_id = "device_counts", tag = "explorer",
    responses((status = 200, body = DeviceCounts)))]
pub(crate) async fn counts(State(hub): State<Hub>) -> Json<DeviceCounts> {
    Json(hub.device_counts())
}

/// Shows a device.
#[utoipa::path(get, path = "/v1/devices/{id}", operation_id = "device_view", tag = "explorer",
    params(("id" = DeviceId, Path, description = "The device's public key.")), responses((status = 200, body = Device)))]
pub(crate) async fn view(State(hub): State<Hub>, Path(id): Path<DeviceId>) -> Result<Json<Device>, Problem> {
    Ok(Json(hub.device_show(id).await?))
}

/// Explains a device's reputation.
#[utoipa::path(get, path = "/v1/devices/{id}/reputation", operation_id = "device_reputation", tag = "explorer",
    params(("id" = DeviceId, Path, description = "The device's public key.")), responses((status = 200, body = DeviceReputation)))]
pub(crate) async fn reputation(State(hub): State<Hub>, Path(id): Path<DeviceId>) -> Result<Json<DeviceReputation>, Problem> {
    Ok(Json(hub.device_reputation(id).await?))
}

/// Takes one's device out of the market; a customer who is there may finish.
#[utoipa::path(post, path = "/v1/devices/{id}/pause", operation_id = "device_pause", tag = "stakes", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device's public key.")), request_body = EmptyRequest,
    responses((status = 200, body = Device)))]
pub(crate) async fn pause(
    State(hub): State<Hub>,
    Writer(caller): Writer,
    Path(id): Path<DeviceId>,
    Json(EmptyRequest {}): Json<EmptyRequest>,
) -> Result<Json<Device>, Problem> {
    Ok(Json(to_the_end(async move { hub.device_pause(&caller, id).await }).await?))
}

/// Brings one's paused device back.
#[utoipa::path(post, path = "/v1/devices/{id}/resume", operation_id = "device_resume", tag = "stakes", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device's public key.")), request_body = EmptyRequest,
    responses((status = 200, body = Device)))]
pub(crate) async fn resume(
    State(hub): State<Hub>,
    Writer(caller): Writer,
    Path(id): Path<DeviceId>,
    Json(EmptyRequest {}): Json<EmptyRequest>,
) -> Result<Json<Device>, Problem> {
    Ok(Json(to_the_end(async move { hub.device_resume(&caller, id).await }).await?))
}

/// Gives one's device up, for good. Its stake stays where it is until it is unstaked.
#[utoipa::path(post, path = "/v1/devices/{id}/termination", operation_id = "device_terminate", tag = "stakes", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device's public key.")), request_body = EmptyRequest,
    responses((status = 200, body = Device)))]
pub(crate) async fn terminate(
    State(hub): State<Hub>,
    Writer(caller): Writer,
    Path(id): Path<DeviceId>,
    Json(EmptyRequest {}): Json<EmptyRequest>,
) -> Result<Json<Device>, Problem> {
    Ok(Json(to_the_end(async move { hub.device_terminate(&caller, id).await }).await?))
}
