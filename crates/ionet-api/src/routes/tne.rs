//! Total network earnings.

use axum::extract::State;
use ionet_hub::Hub;
use ionet_types::tne::Tne;

use crate::{extract::Json, problem::Problem};

/// Total network earnings: the value of all work delivered, in all and day by day.
#[utoipa::path(get, path = "/v1/tne", operation_id = "tne_view", tag = "explorer", responses((status = 200, body = Tne)))]
pub(crate) async fn view(State(hub): State<Hub>) -> Result<Json<Tne>, Problem> {
    Ok(Json(hub.tne().await?))
}
