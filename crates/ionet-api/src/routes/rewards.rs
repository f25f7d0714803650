//! What suppliers earn, and why.

use axum::extract::State;
use ionet_hub::Hub;
use ionet_types::{
    Address, DeviceId,
    page::{Page, PageRequest},
    rewards::{ClaimProof, Claimed, Estimate, EstimateRequest, NewClaims, Readiness, Reward, RewardLine},
};

use crate::{
    auth::{Reader, Writer},
    extract::{Json, Path, Query},
    finish::to_the_end,
    problem::Problem,
};

/// Lists what the caller's devices and co-stakes have earned, claimed and can claim.
#[utoipa::path(get, path = "/v1/rewards", operation_id = "reward_list", tag = "rewards", security(("bearer" = [])),
    responses((status = 200, body = Vec<Reward>)))]
pub(crate) async fn list(State(hub): State<Hub>, Reader(caller): Reader) -> Result<Json<Vec<Reward>>, Problem> {
    Ok(Json(hub.reward_list(&caller).await?))
}

/// Claims what is claimable, to each beneficiary's payout wallet; the network pays the fees. Claiming twice pays once.
#[utoipa::path(post, path = "/v1/rewards/claims", operation_id = "reward_claim", tag = "rewards", security(("bearer" = [])),
    request_body = NewClaims, responses((status = 200, body = Vec<Claimed>)))]
pub(crate) async fn claim(
    State(hub): State<Hub>,
    Writer(caller): Writer,
    Json(request): Json<NewClaims>,
) -> Result<Json<Vec<Claimed>>, Problem> {
    Ok(Json(to_the_end(async move { hub.reward_claim(&caller, &request).await }).await?))
}

/// Gives a beneficiary's leaf of the accepted tree and its proof: all that a claim needs, for claiming without the hub.
#[utoipa::path(get, path = "/v1/rewards/proofs/{beneficiary}", operation_id = "reward_proof", tag = "rewards",
    params(("beneficiary" = Address, Path, description = "Its claim account on chain.")), responses((status = 200, body = ClaimProof)))]
pub(crate) async fn proof(State(hub): State<Hub>, Path(beneficiary): Path<Address>) -> Result<Json<ClaimProof>, Problem> {
    Ok(Json(hub.claim_proof(beneficiary).await?))
}

/// Estimates what a device would earn, beside all who earned in the last closed epoch.
#[utoipa::path(get, path = "/v1/rewards/estimate", operation_id = "reward_estimate", tag = "rewards", params(EstimateRequest),
    responses((status = 200, body = Estimate)))]
pub(crate) async fn estimate(State(hub): State<Hub>, Query(request): Query<EstimateRequest>) -> Result<Json<Estimate>, Problem> {
    Ok(Json(hub.reward_estimate(&request).await?))
}

/// Lists what a device earned, epoch by epoch, newest first, with the reasons.
#[utoipa::path(get, path = "/v1/devices/{id}/rewards", operation_id = "device_rewards", tag = "rewards",
    params(("id" = DeviceId, Path, description = "The device's public key."), PageRequest), responses((status = 200, body = Page<RewardLine>)))]
pub(crate) async fn lines(
    State(hub): State<Hub>,
    Path(id): Path<DeviceId>,
    Query(page): Query<PageRequest>,
) -> Result<Json<Page<RewardLine>>, Problem> {
    Ok(Json(hub.reward_lines(id, &page).await?))
}

/// Says whether a device would be nominated if an epoch began now, check by check.
#[utoipa::path(get, path = "/v1/devices/{id}/readiness", operation_id = "device_readiness", tag = "rewards",
    params(("id" = DeviceId, Path, description = "The device's public key.")), responses((status = 200, body = Readiness)))]
pub(crate) async fn readiness(State(hub): State<Hub>, Path(id): Path<DeviceId>) -> Result<Json<Readiness>, Problem> {
    Ok(Json(hub.readiness(id).await?))
}
