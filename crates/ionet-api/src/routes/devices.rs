//! Devices, as everybody may see them.

use axum::extract::State;
use ionet_hub::Hub;
use ionet_types::{
    DeviceId,
    devices::Device,
    page::{Page, PageRequest},
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    auth::Reader,
    extract::{Json, Path, Query},
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

/// Shows a device.
#[utoipa::path(get, path = "/v1/devices/{id}", operation_id = "device_view", tag = "explorer",
    params(("id" = DeviceId, Path, description = "The device's public key.")), responses((status = 200, body = Device)))]
pub(crate) async fn view(State(hub): State<Hub>, Path(id): Path<DeviceId>) -> Result<Json<Device>, Problem> {
    Ok(Json(hub.device_show(id).await?))
}
