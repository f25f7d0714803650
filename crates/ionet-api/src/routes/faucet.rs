//! Coins of a local network.

use axum::extract::State;
use ionet_hub::Hub;
use ionet_types::network::{FaucetGift, FaucetRequest};

use crate::{extract::Json, problem::Problem};

/// Gives a wallet USDC, IO and SOL. Local networks only.
#[utoipa::path(post, path = "/v1/faucet", operation_id = "faucet_give", tag = "network", request_body = FaucetRequest,
    responses((status = 200, body = FaucetGift)))]
pub(crate) async fn give(State(hub): State<Hub>, Json(request): Json<FaucetRequest>) -> Result<Json<FaucetGift>, Problem> {
    Ok(Json(hub.faucet_give(&request).await?))
}
