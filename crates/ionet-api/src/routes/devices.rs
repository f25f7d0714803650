//! Devices, as everybody may see them.

use axum::extract::State;
use ionet_hub::Hub;
use ionet_types::{
    DeviceId,
    devices::Device,
    page::{Page, PageRequest},
};

use crate::{
    extract::{Json, Path, Query},
    problem::Problem,
};

/// Lists the network's devices. Who owns one is never shown.
#[utoipa::path(get, path = "/v1/devices", operation_id = "device_list", tag = "explorer", params(PageRequest),
    responses((status = 200, body = Page<Device>)))]
pub(crate) async fn list(State(hub): State<Hub>, Query(page): Query<PageRequest>) -> Result<Json<Page<Device>>, Problem> {
    Ok(Json(hub.device_list(&page).await?))
}

/// Shows a device.
#[utoipa::path(get, path = "/v1/devices/{id}", operation_id = "device_view", tag = "explorer",
    params(("id" = DeviceId, Path, description = "The device's public key.")), responses((status = 200, body = Device)))]
pub(crate) async fn view(State(hub): State<Hub>, Path(id): Path<DeviceId>) -> Result<Json<Device>, Problem> {
    Ok(Json(hub.device_show(id).await?))
}
