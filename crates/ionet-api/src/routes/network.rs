//! The network as a whole.

use axum::{extract::State, http::StatusCode};
use ionet_hub::Hub;
use ionet_types::{
    hardware::HardwareList,
    network::{Health, Network},
};

use crate::{extract::Json, problem::Problem};

/// The network: its program, coins, parameters and prices.
#[utoipa::path(get, path = "/v1/network", operation_id = "network_view", tag = "network", responses((status = 200, body = Network)))]
pub(crate) async fn view(State(hub): State<Hub>) -> Result<Json<Network>, Problem> {
    Ok(Json(hub.network().await?))
}

/// Whether the hub can do its work. Answers 503 with the same body when it cannot.
#[utoipa::path(get, path = "/v1/health", operation_id = "health_view", tag = "network",
    responses((status = 200, body = Health), (status = 503, body = Health)))]
pub(crate) async fn health(State(hub): State<Hub>) -> (StatusCode, Json<Health>) {
    let health = hub.health().await;
    (if health.ok { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, Json(health))
}

/// What can be hired now, and for how much.
#[utoipa::path(get, path = "/v1/hardware", operation_id = "hardware_list", tag = "network", responses((status = 200, body = HardwareList)))]
pub(crate) async fn hardware(State(hub): State<Hub>) -> Result<Json<HardwareList>, Problem> {
    Ok(Json(hub.hardware_list().await?))
}
