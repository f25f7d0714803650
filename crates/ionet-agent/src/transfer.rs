//! Timed transfers: fetches from or sends to the hub what a ticket says. The hub takes the time.

use futures::StreamExt as _;
use ionet_proofs::transfer::{Digester, stream};
use ionet_types::agent::challenge::Direction;
use ionet_types::agent::{AgentMessage, TransferReport, TransferTicket};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

/// Does one transfer. What fails is the hub's to notice: it waits for the bytes.
pub(crate) async fn run(hub_url: String, ticket: TransferTicket, outbox: mpsc::Sender<Message>) {
    let done = match ticket.direction {
        Direction::Download => download(&hub_url, &ticket).await.map(Some),
        Direction::Upload => upload(&hub_url, &ticket).await.map(|()| None),
    };
    match done {
        Ok(None) => {}
        // The connection is gone: nobody waits for the report.
        Ok(Some(report)) => drop(outbox.send(Message::text(AgentMessage::TransferReport(report).encode())).await),
        Err(error) => tracing::warn!(%error, direction = ?ticket.direction, "a timed transfer failed"),
    }
}

fn url(hub_url: &str, ticket: &TransferTicket) -> String {
    let base = hub_url.trim_end_matches('/').replacen("ws", "http", usize::from(hub_url.starts_with("ws")));
    format!("{base}/v1/agents/transfers/{}", hex::encode(ticket.ticket.0))
}

async fn download(hub_url: &str, ticket: &TransferTicket) -> reqwest::Result<TransferReport> {
    let response = reqwest::Client::new().get(url(hub_url, ticket)).send().await?.error_for_status()?;
    let mut digester = Digester::default();
    let mut body = response.bytes_stream();
    while let Some(chunk) = body.next().await {
        digester.update(&chunk?);
        if digester.received() > ticket.bytes {
            break;
        }
    }
    Ok(TransferReport { ticket: ticket.ticket, digest: digester.digest() })
}

async fn upload(hub_url: &str, ticket: &TransferTicket) -> reqwest::Result<()> {
    let Some(seed) = ticket.seed else { return Ok(()) };
    let chunks = stream(&seed, ticket.bytes).map(Ok::<_, std::io::Error>);
    let body = reqwest::Body::wrap_stream(futures::stream::iter(chunks));
    reqwest::Client::new().put(url(hub_url, ticket)).body(body).send().await?.error_for_status().map(drop)
}
