//! How devices become a wallet's: join tokens for fleets, codes for single machines, and what an owner does when a key was copied.

use axum::{extract::State, http::StatusCode};
use ionet_hub::Hub;
use ionet_types::{
    DeviceId, JoinTokenId,
    joins::{
        ApprovalRequest, CreateJoinTokenRequest, CreatedJoinToken, DeviceCode, DeviceCodeAnswer, DeviceCodeRequest, DeviceCodeTokenRequest,
        JoinTokenList, PendingDevice, UserCode,
    },
    stakes::EmptyRequest,
};

use crate::{
    auth::{Owner, Reader},
    extract::{Json, Path},
    finish::to_the_end,
    guards::Origin,
    problem::Problem,
};

/// Makes a join token, with which a fleet of devices joins as the caller's. Its secret is shown this once.
#[utoipa::path(post, path = "/v1/join-tokens", operation_id = "join_token_create", tag = "joins", security(("bearer" = [])),
    request_body = CreateJoinTokenRequest, responses((status = 201, body = CreatedJoinToken)))]
pub(crate) async fn create(
    State(hub): State<Hub>,
    Owner(caller): Owner,
    Json(request): Json<CreateJoinTokenRequest>,
) -> Result<(StatusCode, Json<CreatedJoinToken>), Problem> {
    Ok((StatusCode::CREATED, Json(to_the_end(async move { hub.join_token_create(&caller, &request).await }).await?)))
}

/// Lists the caller's join tokens, without their secrets.
#[utoipa::path(get, path = "/v1/join-tokens", operation_id = "join_token_list", tag = "joins", security(("bearer" = [])),
    responses((status = 200, body = JoinTokenList)))]
pub(crate) async fn list(State(hub): State<Hub>, Reader(caller): Reader) -> Result<Json<JoinTokenList>, Problem> {
    Ok(Json(hub.join_token_list(&caller).await?))
}

/// Revokes a join token, at once. Devices that joined with it stay.
#[utoipa::path(delete, path = "/v1/join-tokens/{id}", operation_id = "join_token_revoke", tag = "joins", security(("bearer" = [])),
    params(("id" = JoinTokenId, Path, description = "The token.")), responses((status = 204)))]
pub(crate) async fn revoke(State(hub): State<Hub>, Owner(caller): Owner, Path(id): Path<JoinTokenId>) -> Result<StatusCode, Problem> {
    to_the_end(async move { hub.join_token_revoke(&caller, id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Asks for a code, for a device that a person is to approve (after RFC 8628).
#[utoipa::path(post, path = "/v1/device-codes", operation_id = "device_code_create", tag = "joins", request_body = DeviceCodeRequest,
    responses((status = 201, body = DeviceCode)))]
pub(crate) async fn code_create(
    State(hub): State<Hub>,
    origin: Origin,
    Json(request): Json<DeviceCodeRequest>,
) -> Result<(StatusCode, Json<DeviceCode>), Problem> {
    Ok((StatusCode::CREATED, Json(hub.device_code_create(&request, origin.0).await?)))
}

/// Asks whether a device's code was approved. The first answer after that has a join token for the device.
#[utoipa::path(post, path = "/v1/device-codes/token", operation_id = "device_code_token", tag = "joins",
    request_body = DeviceCodeTokenRequest, responses((status = 200, body = DeviceCodeAnswer)))]
pub(crate) async fn code_token(
    State(hub): State<Hub>,
    Json(request): Json<DeviceCodeTokenRequest>,
) -> Result<Json<DeviceCodeAnswer>, Problem> {
    Ok(Json(to_the_end(async move { hub.device_code_token(&request).await }).await?))
}

/// Shows the device that waits for approval under a code.
#[utoipa::path(get, path = "/v1/device-codes/{user_code}", operation_id = "device_code_view", tag = "joins", security(("bearer" = [])),
    params(("user_code" = UserCode, Path, description = "The code that the device shows.")), responses((status = 200, body = PendingDevice)))]
pub(crate) async fn code_view(
    State(hub): State<Hub>,
    Owner(caller): Owner,
    Path(user_code): Path<UserCode>,
) -> Result<Json<PendingDevice>, Problem> {
    Ok(Json(hub.device_code_show(&caller, user_code).await?))
}

/// Lets the device that shows a code join as the caller's, or turns it away. Once decided it stays so.
#[utoipa::path(post, path = "/v1/device-codes/{user_code}/approval", operation_id = "device_code_decide", tag = "joins", security(("bearer" = [])),
    params(("user_code" = UserCode, Path, description = "The code that the device shows.")), request_body = ApprovalRequest,
    responses((status = 200, body = PendingDevice)))]
pub(crate) async fn code_decide(
    State(hub): State<Hub>,
    Owner(caller): Owner,
    Path(user_code): Path<UserCode>,
    Json(request): Json<ApprovalRequest>,
) -> Result<Json<PendingDevice>, Problem> {
    Ok(Json(to_the_end(async move { hub.device_code_decide(&caller, user_code, request).await }).await?))
}

/// Lets one of the caller's devices enrol again after its credential was used twice, and lifts the block that this brought. If the device's
/// key was copied, make it a new key instead.
#[utoipa::path(post, path = "/v1/devices/{id}/credential/reset", operation_id = "credential_reset", tag = "joins", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device.")), request_body = EmptyRequest, responses((status = 204)))]
pub(crate) async fn credential_reset(
    State(hub): State<Hub>,
    Owner(caller): Owner,
    Path(id): Path<DeviceId>,
    Json(EmptyRequest {}): Json<EmptyRequest>,
) -> Result<StatusCode, Problem> {
    to_the_end(async move { hub.credential_reset(&caller, id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
