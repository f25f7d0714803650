//! Stakes and slashing cases: what stands on chain, and the steps that a wallet can take. The hub prepares, the wallet signs.

use axum::{extract::State, http::StatusCode};
use ionet_hub::{Hub, StakeStep};
use ionet_types::{
    DeviceId,
    stakes::{
        CoStakeOfferList, CoStakeOfferRequest, CoStakeRequest, EmptyRequest, MultiplierTable, PayoutRequest, PreparedStep,
        RegistrationRequest, Stake, StakeList, StakeRequest, WithdrawalRequest,
    },
};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::{
    auth::{Reader, Writer},
    extract::{Json, Path, Query},
    finish::to_the_end,
    idempotency::IdempotencyKey,
    problem::Problem,
};

type Prepared = Result<(StatusCode, Json<PreparedStep>), Problem>;

async fn prepare(hub: Hub, Writer(caller): Writer, device: DeviceId, key: IdempotencyKey, step: StakeStep) -> Prepared {
    let work = async move { hub.stake_prepare(&caller, device, &step, key.0.as_deref()).await };
    Ok((StatusCode::CREATED, Json(to_the_end(work).await?)))
}

/// Which stakes.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct StakeQuery {
    /// Of this device only.
    device: Option<DeviceId>,
}

/// Lists the stakes of the caller's devices, and of those that it co-stakes.
#[utoipa::path(get, path = "/v1/stakes", operation_id = "stake_list", tag = "stakes", security(("bearer" = [])), params(StakeQuery),
    responses((status = 200, body = StakeList)))]
pub(crate) async fn list(
    State(hub): State<Hub>,
    Reader(caller): Reader,
    Query(query): Query<StakeQuery>,
) -> Result<Json<StakeList>, Problem> {
    Ok(Json(hub.stake_list(&caller, query.device).await?))
}

/// Shows a device's stake: how much, how much it needs, what is on its way out. Who owns or co-stakes it is not shown.
#[utoipa::path(get, path = "/v1/stakes/{device}", operation_id = "stake_view", tag = "stakes",
    params(("device" = DeviceId, Path, description = "The device.")), responses((status = 200, body = Stake)))]
pub(crate) async fn view(State(hub): State<Hub>, Path(device): Path<DeviceId>) -> Result<Json<Stake>, Problem> {
    Ok(Json(hub.stake_show(device).await?))
}

/// Lists co-stakes on offer, the largest share first. Who offers is not shown.
#[utoipa::path(get, path = "/v1/co-stakes/offers", operation_id = "co_stake_offer_list", tag = "stakes",
    responses((status = 200, body = CoStakeOfferList)))]
pub(crate) async fn offers(State(hub): State<Hub>) -> Result<Json<CoStakeOfferList>, Problem> {
    Ok(Json(hub.co_stake_offer_list().await?))
}

/// Shows the multiplier table: how much each model weighs in rewards and stakes.
#[utoipa::path(get, path = "/v1/multipliers", operation_id = "multiplier_list", tag = "stakes",
    responses((status = 200, body = MultiplierTable)))]
pub(crate) async fn multipliers(State(hub): State<Hub>) -> Result<Json<MultiplierTable>, Problem> {
    Ok(Json(hub.multiplier_table().await?))
}

/// Prepares the registration of a device on chain, for the owner that the device itself names.
#[utoipa::path(post, path = "/v1/devices/{id}/registration", operation_id = "device_registration_prepare", tag = "stakes", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device."), ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key repeats the answer, not the effect.",
            min_length = 1, max_length = 255)), request_body = RegistrationRequest,
    responses((status = 201, body = PreparedStep)))]
pub(crate) async fn register(
    State(hub): State<Hub>,
    caller: Writer,
    Path(id): Path<DeviceId>,
    key: IdempotencyKey,
    Json(request): Json<RegistrationRequest>,
) -> Prepared {
    prepare(hub, caller, id, key, StakeStep::Register(request)).await
}

/// Prepares a stake on one of the caller's devices.
#[utoipa::path(post, path = "/v1/devices/{id}/stake", operation_id = "stake_prepare", tag = "stakes", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device."), ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key repeats the answer, not the effect.",
            min_length = 1, max_length = 255)), request_body = StakeRequest,
    responses((status = 201, body = PreparedStep)))]
pub(crate) async fn stake(
    State(hub): State<Hub>,
    caller: Writer,
    Path(id): Path<DeviceId>,
    key: IdempotencyKey,
    Json(request): Json<StakeRequest>,
) -> Prepared {
    prepare(hub, caller, id, key, StakeStep::Stake(request)).await
}

/// Prepares a withdrawal: of what exceeds the minimum at once, or of all after unstaking.
#[utoipa::path(post, path = "/v1/devices/{id}/withdrawal", operation_id = "stake_withdrawal_prepare", tag = "stakes", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device."), ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key repeats the answer, not the effect.",
            min_length = 1, max_length = 255)), request_body = WithdrawalRequest,
    responses((status = 201, body = PreparedStep)))]
pub(crate) async fn withdraw(
    State(hub): State<Hub>,
    caller: Writer,
    Path(id): Path<DeviceId>,
    key: IdempotencyKey,
    Json(request): Json<WithdrawalRequest>,
) -> Prepared {
    prepare(hub, caller, id, key, StakeStep::Withdraw(request)).await
}

/// Prepares the beginning of unstaking, which cannot be taken back. Not while the device is hired or reserved.
#[utoipa::path(post, path = "/v1/devices/{id}/unstake", operation_id = "unstake_prepare", tag = "stakes", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device."), ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key repeats the answer, not the effect.",
            min_length = 1, max_length = 255)), request_body = EmptyRequest,
    responses((status = 201, body = PreparedStep)))]
pub(crate) async fn unstake(
    State(hub): State<Hub>,
    caller: Writer,
    Path(id): Path<DeviceId>,
    key: IdempotencyKey,
    Json(EmptyRequest {}): Json<EmptyRequest>,
) -> Prepared {
    prepare(hub, caller, id, key, StakeStep::Unstake).await
}

/// Prepares a change of where the caller's rewards from a device are paid.
#[utoipa::path(post, path = "/v1/devices/{id}/payout", operation_id = "payout_prepare", tag = "stakes", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device."), ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key repeats the answer, not the effect.",
            min_length = 1, max_length = 255)), request_body = PayoutRequest,
    responses((status = 201, body = PreparedStep)))]
pub(crate) async fn payout(
    State(hub): State<Hub>,
    caller: Writer,
    Path(id): Path<DeviceId>,
    key: IdempotencyKey,
    Json(request): Json<PayoutRequest>,
) -> Prepared {
    prepare(hub, caller, id, key, StakeStep::SetPayout(request)).await
}

/// Prepares an offer of a co-stake on one of the caller's devices, or takes it back.
#[utoipa::path(post, path = "/v1/devices/{id}/co-stake/offer", operation_id = "co_stake_offer_prepare", tag = "stakes", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device."), ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key repeats the answer, not the effect.",
            min_length = 1, max_length = 255)), request_body = CoStakeOfferRequest,
    responses((status = 201, body = PreparedStep)))]
pub(crate) async fn offer(
    State(hub): State<Hub>,
    caller: Writer,
    Path(id): Path<DeviceId>,
    key: IdempotencyKey,
    Json(request): Json<CoStakeOfferRequest>,
) -> Prepared {
    prepare(hub, caller, id, key, StakeStep::OfferCoStake(request)).await
}

/// Prepares a co-stake on somebody's device at the terms offered.
#[utoipa::path(post, path = "/v1/devices/{id}/co-stake", operation_id = "co_stake_prepare", tag = "stakes", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device."), ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key repeats the answer, not the effect.",
            min_length = 1, max_length = 255)), request_body = CoStakeRequest,
    responses((status = 201, body = PreparedStep)))]
pub(crate) async fn co_stake(
    State(hub): State<Hub>,
    caller: Writer,
    Path(id): Path<DeviceId>,
    key: IdempotencyKey,
    Json(request): Json<CoStakeRequest>,
) -> Prepared {
    prepare(hub, caller, id, key, StakeStep::CoStake(request)).await
}

/// Prepares the notice of a co-stake, by the owner or the co-staker.
#[utoipa::path(post, path = "/v1/devices/{id}/co-stake/notice", operation_id = "co_stake_notice_prepare", tag = "stakes", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device."), ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key repeats the answer, not the effect.",
            min_length = 1, max_length = 255)), request_body = EmptyRequest,
    responses((status = 201, body = PreparedStep)))]
pub(crate) async fn notice(
    State(hub): State<Hub>,
    caller: Writer,
    Path(id): Path<DeviceId>,
    key: IdempotencyKey,
    Json(EmptyRequest {}): Json<EmptyRequest>,
) -> Prepared {
    prepare(hub, caller, id, key, StakeStep::GiveNotice).await
}

/// Prepares the withdrawal of the caller's co-stake after notice and cool-down.
#[utoipa::path(post, path = "/v1/devices/{id}/co-stake/withdrawal", operation_id = "co_stake_withdrawal_prepare", tag = "stakes", security(("bearer" = [])),
    params(("id" = DeviceId, Path, description = "The device."), ("Idempotency-Key" = Option<String>, Header, description = "Repeating the request with the same key repeats the answer, not the effect.",
            min_length = 1, max_length = 255)), request_body = EmptyRequest,
    responses((status = 201, body = PreparedStep)))]
pub(crate) async fn withdraw_co_stake(
    State(hub): State<Hub>,
    caller: Writer,
    Path(id): Path<DeviceId>,
    key: IdempotencyKey,
    Json(EmptyRequest {}): Json<EmptyRequest>,
) -> Prepared {
    prepare(hub, caller, id, key, StakeStep::WithdrawCoStake).await
}
