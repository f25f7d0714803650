//! API keys.

use axum::{extract::State, http::StatusCode};
use ionet_hub::Hub;
use ionet_types::{
    KeyId,
    keys::{CreateKeyRequest, CreatedKey, KeyList},
};

use crate::{
    auth::{Owner, Reader},
    extract::{Json, Path},
    finish::to_the_end,
    problem::Problem,
};

/// Makes an API key. Its secret is shown this once.
#[utoipa::path(post, path = "/v1/keys", operation_id = "key_create", tag = "sign-in", security(("bearer" = [])),
    request_body = CreateKeyRequest, responses((status = 201, body = CreatedKey)))]
pub(crate) async fn create(
    State(hub): State<Hub>,
    Owner(caller): Owner,
    Json(request): Json<CreateKeyRequest>,
) -> Result<(StatusCode, Json<CreatedKey>), Problem> {
    Ok((StatusCode::CREATED, Json(to_the_end(async move { hub.key_create(&caller, &request).await }).await?)))
}

/// Lists the caller's API keys, without their secrets.
#[utoipa::path(get, path = "/v1/keys", operation_id = "key_list", tag = "sign-in", security(("bearer" = [])),
    responses((status = 200, body = KeyList)))]
pub(crate) async fn list(State(hub): State<Hub>, Reader(caller): Reader) -> Result<Json<KeyList>, Problem> {
    Ok(Json(hub.key_list(&caller).await?))
}

/// Revokes an API key, at once.
#[utoipa::path(delete, path = "/v1/keys/{id}", operation_id = "key_delete", tag = "sign-in", security(("bearer" = [])),
    params(("id" = KeyId, Path, description = "The key.")), responses((status = 204)))]
pub(crate) async fn delete(State(hub): State<Hub>, Owner(caller): Owner, Path(id): Path<KeyId>) -> Result<StatusCode, Problem> {
    to_the_end(async move { hub.key_revoke(&caller, id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
