//! Emission and epochs, for everybody to check.

use axum::{
    body::Body,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use ionet_hub::Hub;
use ionet_types::{
    epochs::{Epoch, Supply},
    page::{Page, PageRequest},
    problem::Code,
};
use tokio_util::io::ReaderStream;

use crate::{
    extract::{Json, Path, Query},
    problem::Problem,
};

/// Shows what was minted, earned and claimed, which root counts, and how the verifiers vote.
#[utoipa::path(get, path = "/v1/supply", operation_id = "supply_view", tag = "rewards", responses((status = 200, body = Supply)))]
pub(crate) async fn supply(State(hub): State<Hub>) -> Result<Json<Supply>, Problem> {
    Ok(Json(hub.supply().await?))
}

/// Lists the epochs, the running one first.
#[utoipa::path(get, path = "/v1/epochs", operation_id = "epoch_list", tag = "rewards", params(PageRequest),
    responses((status = 200, body = Page<Epoch>)))]
pub(crate) async fn list(State(hub): State<Hub>, Query(page): Query<PageRequest>) -> Result<Json<Page<Epoch>>, Problem> {
    Ok(Json(hub.epoch_list(&page).await?))
}

/// Shows an epoch.
#[utoipa::path(get, path = "/v1/epochs/{epoch}", operation_id = "epoch_view", tag = "rewards",
    params(("epoch" = u64, Path, description = "Its number, from 1.")), responses((status = 200, body = Epoch)))]
pub(crate) async fn view(State(hub): State<Hub>, Path(epoch): Path<u64>) -> Result<Json<Epoch>, Problem> {
    Ok(Json(hub.epoch_show(epoch).await?))
}

/// Downloads an epoch's published file (docs/EPOCHS.md): all inputs and every line, to be replayed by anyone.
#[utoipa::path(get, path = "/v1/epochs/{epoch}/file", operation_id = "epoch_file", tag = "rewards",
    params(("epoch" = u64, Path, description = "Its number, from 1.")),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>)))]
pub(crate) async fn file(State(hub): State<Hub>, Path(epoch): Path<u64>) -> Result<Response, Problem> {
    let path = hub.epoch_file(epoch).await?;
    let open = async || {
        let file = tokio::fs::File::open(&path).await?;
        let bytes = file.metadata().await?.len();
        std::io::Result::Ok((file, bytes))
    };
    let (file, bytes) = open().await.map_err(|error| Problem::new(Code::Internal).because(format!("{}: {error}", path.display())))?;
    let headers = [
        (header::CONTENT_TYPE, "application/octet-stream".to_owned()),
        (header::CONTENT_LENGTH, bytes.to_string()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"{epoch:08}.epoch\"")),
    ];
    Ok((headers, Body::from_stream(ReaderStream::new(file))).into_response())
}
