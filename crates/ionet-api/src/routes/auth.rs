//! Sign-in by wallet.

use axum::{extract::State, http::StatusCode};
use ionet_hub::Hub;
use ionet_types::keys::{Challenge, ChallengeRequest, Session, SessionRequest};

use crate::{extract::Json, problem::Problem};

/// Asks for a text to sign (Sign-In With Solana).
#[utoipa::path(post, path = "/v1/auth/challenges", operation_id = "challenge_create", tag = "sign-in", request_body = ChallengeRequest,
    responses((status = 201, body = Challenge)))]
pub(crate) async fn challenge_create(
    State(hub): State<Hub>,
    Json(request): Json<ChallengeRequest>,
) -> Result<(StatusCode, Json<Challenge>), Problem> {
    Ok((StatusCode::CREATED, Json(hub.challenge_create(&request).await?)))
}

/// Signs in: trades the signed text for a session.
#[utoipa::path(post, path = "/v1/auth/sessions", operation_id = "session_create", tag = "sign-in", request_body = SessionRequest,
    responses((status = 201, body = Session)))]
pub(crate) async fn session_create(
    State(hub): State<Hub>,
    Json(request): Json<SessionRequest>,
) -> Result<(StatusCode, Json<Session>), Problem> {
    Ok((StatusCode::CREATED, Json(hub.session_create(&request).await?)))
}
