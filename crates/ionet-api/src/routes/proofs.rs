//! What devices were asked to prove, and the timed transfers that belong to it.

use axum::{
    body::Body,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use futures::StreamExt as _;
use ionet_hub::Hub;
use ionet_proofs::transfer::{Digester, stream};
use ionet_types::{
    DeviceId,
    agent::challenge::{Direction, Fixed, TaskId},
    page::{Page, PageRequest},
    problem::Code,
    proofs::Proof,
};

use crate::{
    extract::{Json, Path, Query},
    problem::Problem,
};

/// Lists a device's proofs, newest first.
#[utoipa::path(get, path = "/v1/devices/{id}/proofs", operation_id = "proof_list", tag = "explorer",
    params(("id" = DeviceId, Path, description = "The device's public key."), PageRequest), responses((status = 200, body = Page<Proof>)))]
pub(crate) async fn list(
    State(hub): State<Hub>,
    Path(id): Path<DeviceId>,
    Query(page): Query<PageRequest>,
) -> Result<Json<Page<Proof>>, Problem> {
    Ok(Json(hub.proof_list(id, &page).await?))
}

/// Downloads the transcript of a proof that failed: everything that was asked, answered and signed, to be replayed by anyone. Its SHA-256
/// stands in the proof.
#[utoipa::path(get, path = "/v1/proofs/{number}/transcript", operation_id = "proof_transcript", tag = "explorer",
    params(("number" = u64, Path, description = "The proof's number.")),
    responses((status = 200, content_type = "application/json", body = serde_json::Value)))]
pub(crate) async fn transcript(State(hub): State<Hub>, Path(number): Path<u64>) -> Result<Response, Problem> {
    let transcript = hub.proof_transcript(number).await?;
    let headers = [
        (header::CONTENT_TYPE, "application/json".to_owned()),
        (header::CONTENT_DISPOSITION, format!("attachment; filename=\"proof-{number}.json\"")),
    ];
    Ok((headers, transcript).into_response())
}

/// Sends a device the bytes of a timed transfer. The ticket came over its own connection and is good for one try.
#[utoipa::path(get, path = "/v1/agents/transfers/{ticket}", operation_id = "transfer_download", tag = "agents",
    params(("ticket" = String, Path, description = "The ticket, 32 hexadecimal digits.")),
    responses((status = 200, content_type = "application/octet-stream", body = Vec<u8>)))]
pub(crate) async fn download(State(hub): State<Hub>, Path(ticket): Path<String>) -> Result<Response, Problem> {
    let transfer = hub.transfer_begin(read_ticket(&ticket)?, Direction::Download)?;
    let headers = [(header::CONTENT_TYPE, "application/octet-stream".to_owned()), (header::CONTENT_LENGTH, transfer.bytes.to_string())];
    let chunks = stream(&transfer.seed, transfer.bytes).map(Ok::<_, std::convert::Infallible>);
    Ok((headers, Body::from_stream(futures::stream::iter(chunks))).into_response())
}

/// Takes the bytes of a timed transfer from a device.
#[utoipa::path(put, path = "/v1/agents/transfers/{ticket}", operation_id = "transfer_upload", tag = "agents",
    params(("ticket" = String, Path, description = "The ticket, 32 hexadecimal digits.")),
    request_body(content_type = "application/octet-stream", content = Vec<u8>), responses((status = 204)))]
pub(crate) async fn upload(State(hub): State<Hub>, Path(ticket): Path<String>, request: Request) -> Result<StatusCode, Problem> {
    let transfer = hub.transfer_begin(read_ticket(&ticket)?, Direction::Upload)?;
    let mut body = request.into_body().into_data_stream();
    let mut digester = Digester::default();
    while let Some(chunk) = body.next().await {
        digester.update(&chunk.map_err(|error| Problem::new(Code::RequestMalformed).because(error))?);
        if digester.received() > transfer.bytes {
            return Err(Code::RequestTooLarge.into());
        }
    }
    hub.transfer_end(transfer.ticket, &digester.digest());
    Ok(StatusCode::NO_CONTENT)
}

fn read_ticket(text: &str) -> Result<TaskId, Problem> {
    let mut ticket = [0; 16];
    match hex::decode_to_slice(text, &mut ticket) {
        Ok(()) => Ok(Fixed(ticket)),
        Err(_) => Err(Problem::new(Code::TransferNotFound)),
    }
}
