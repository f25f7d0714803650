//! What the network's operator does with devices.

use axum::extract::State;
use ionet_hub::Hub;
use ionet_types::{DeviceId, devices::Device, market::Attestation, stakes::EmptyRequest};

use crate::{
    auth::Owner,
    extract::{Json, Path},
    finish::to_the_end,
    problem::Problem,
};

/// Says what the operator has seen proof of. Replaces what was said before.
#[utoipa::path(post, path = "/v1/devices/{id}/attestation", operation_id = "device_attest", tag = "operator", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device's public key.")), request_body = Attestation,
    responses((status = 200, body = Device)))]
pub(crate) async fn attest(
    State(hub): State<Hub>,
    Owner(caller): Owner,
    Path(id): Path<DeviceId>,
    Json(attestation): Json<Attestation>,
) -> Result<Json<Device>, Problem> {
    Ok(Json(to_the_end(async move { hub.device_attest(&caller, id, &attestation).await }).await?))
}

/// Takes a device out of the market.
#[utoipa::path(post, path = "/v1/devices/{id}/block", operation_id = "device_block", tag = "operator", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device's public key.")), request_body = EmptyRequest,
    responses((status = 200, body = Device)))]
pub(crate) async fn block(
    State(hub): State<Hub>,
    Owner(caller): Owner,
    Path(id): Path<DeviceId>,
    Json(EmptyRequest {}): Json<EmptyRequest>,
) -> Result<Json<Device>, Problem> {
    Ok(Json(to_the_end(async move { hub.device_block(&caller, id).await }).await?))
}

/// Lets a device back into the market, where the operator or its use by others had taken it out.
#[utoipa::path(post, path = "/v1/devices/{id}/unblock", operation_id = "device_unblock", tag = "operator", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device's public key.")), request_body = EmptyRequest,
    responses((status = 200, body = Device)))]
pub(crate) async fn unblock(
    State(hub): State<Hub>,
    Owner(caller): Owner,
    Path(id): Path<DeviceId>,
    Json(EmptyRequest {}): Json<EmptyRequest>,
) -> Result<Json<Device>, Problem> {
    Ok(Json(to_the_end(async move { hub.device_unblock(&caller, id).await }).await?))
}
