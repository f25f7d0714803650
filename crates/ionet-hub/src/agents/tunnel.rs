//! Requests of customers that travel through an agent's connection to the dashboard of a Ray head.
//!
//! Each direction of a request has a window of chunks (`ionet_types::agent::tunnel`), so a slow reader holds back only its own request.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use ionet_types::DeviceId;
use ionet_types::agent::tunnel::{MAX_OPEN_REQUESTS, WINDOW_CHUNKS};
use ionet_types::agent::{
    Chunk, Header, HttpBody, HttpCancel, HttpCredit, HttpError, HttpErrorCode, HttpRequest, HttpResponse, HubMessage, WorkloadKey,
};
use ionet_types::problem::Code;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;

use super::Agents;
use crate::error::{ErrorKind, HubError, HubResult};

/// How long the head of an answer may take. Ray answers at once even where the body takes long.
const HEAD_TIMEOUT: Duration = Duration::from_mins(5);

/// A customer's request for a cluster's Ray.
pub struct RayRequest {
    /// Method, such as `GET`.
    pub method: String,
    /// Path and query at the dashboard, beginning with `/`.
    pub path: String,
    /// Headers, names in lower case.
    pub headers: Vec<Header>,
    /// The body; also the client's half of an upgraded connection.
    pub body: BoxStream<'static, Result<Bytes, io::Error>>,
}

/// Its answer.
pub struct RayResponse {
    /// HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: Vec<Header>,
    /// The body; after status 101 the server's half of the upgraded connection. Dropping it cancels the request.
    pub body: BoxStream<'static, Result<Bytes, HubError>>,
}

/// The open requests of one session.
#[derive(Default)]
pub(super) struct Requests {
    open: HashMap<u64, Open>,
    last_id: u64,
}

struct Open {
    head: Option<oneshot::Sender<Result<HttpResponse, HttpError>>>,
    chunks: mpsc::Sender<Result<HttpBody, HttpError>>,
    credit: Arc<Semaphore>,
}

impl Requests {
    pub(super) fn response(&mut self, response: HttpResponse) {
        if let Some(head) = self.open.get_mut(&response.request_id).and_then(|open| open.head.take()) {
            // Nobody waiting is fine: the cancel is under way.
            let _ = head.send(Ok(response));
        }
    }

    pub(super) fn body(&mut self, body: HttpBody) {
        let (id, end) = (body.request_id, body.end);
        let Some(open) = self.open.get(&id) else { return };
        // The channel holds a whole window: a full one means that the agent does not keep to it.
        if open.chunks.try_send(Ok(body)).is_err() || end {
            self.open.remove(&id);
        }
    }

    pub(super) fn credit(&mut self, credit: HttpCredit) {
        if let Some(open) = self.open.get(&credit.request_id) {
            let room = usize::from(WINDOW_CHUNKS).saturating_sub(open.credit.available_permits());
            open.credit.add_permits(usize::from(credit.chunks).min(room));
        }
    }

    pub(super) fn failed(&mut self, error: HttpError) {
        let Some(mut open) = self.open.remove(&error.request_id) else { return };
        let _ = match open.head.take() {
            Some(head) => head.send(Err(error)).map_err(|_| ()),
            None => open.chunks.try_send(Err(error)).map_err(|_| ()),
        };
    }
}

/// Ends a request that nobody waits for any more.
struct Guard {
    agents: Agents,
    device: DeviceId,
    id: u64,
    pump: Option<JoinHandle<()>>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(pump) = &self.pump {
            pump.abort();
        }
        self.agents.0.directory.with(self.device, None, |session| {
            if session.requests.open.remove(&self.id).is_some() {
                // When the queue is full the agent finds out at the next message for a request it does not know.
                let _ = session.messages.try_send(HubMessage::HttpCancel(HttpCancel { request_id: self.id }));
            }
        });
    }
}

fn unreachable() -> HubError {
    Code::DeviceUnreachable.into()
}

fn failed(error: &HttpError) -> HubError {
    let failed = match error.code {
        HttpErrorCode::UnknownWorkload | HttpErrorCode::NotReady => Code::RayNotReady.into(),
        HttpErrorCode::InvalidRequest => Code::RequestMalformed.into(),
        HttpErrorCode::TooLarge => Code::RequestTooLarge.into(),
        HttpErrorCode::TooManyRequests => Code::RateLimited.into(),
        HttpErrorCode::Timeout => HubError::new(ErrorKind::Timeout, Code::TunnelFailed),
        HttpErrorCode::Upstream | HttpErrorCode::Unknown => HubError::from(Code::TunnelFailed),
    };
    failed.because(error.message.clone())
}

/// Whether a request carries a body, as HTTP tells from its head.
fn has_body(headers: &[Header]) -> bool {
    headers.iter().any(|(name, value)| match name.as_str() {
        "content-length" => value.trim() != "0",
        "transfer-encoding" | "upgrade" => true,
        _ => false,
    })
}

impl Agents {
    /// Sends a request to the dashboard of a node that a device runs, and waits for the head of its answer.
    pub(crate) async fn tunnel(&self, device: DeviceId, key: WorkloadKey, request: RayRequest) -> HubResult<RayResponse> {
        let RayRequest { method, path, headers, body } = request;
        let (head_tx, head) = oneshot::channel();
        let (chunks_tx, chunks) = mpsc::channel(usize::from(WINDOW_CHUNKS) + 1);
        let credit = Arc::new(Semaphore::new(usize::from(WINDOW_CHUNKS)));
        let open = Open { head: Some(head_tx), chunks: chunks_tx, credit: credit.clone() };
        let opened = self.0.directory.with(device, None, |session| {
            let requests = &mut session.requests;
            if requests.open.len() >= MAX_OPEN_REQUESTS {
                return Err(HubError::from(Code::RateLimited));
            }
            requests.last_id += 1;
            requests.open.insert(requests.last_id, open);
            Ok((requests.last_id, session.messages.clone()))
        });
        let (id, messages) = opened.ok_or_else(unreachable)??;
        let mut guard = Guard { agents: self.clone(), device, id, pump: None };
        let end = !has_body(&headers);
        let request = HttpRequest { request_id: id, key, method, path, headers, end };
        messages.send(HubMessage::HttpRequest(request)).await.map_err(|_| unreachable())?;
        if !end {
            guard.pump = Some(tokio::spawn(pump(body, id, credit, messages.clone())));
        }
        let response = match tokio::time::timeout(HEAD_TIMEOUT, head).await {
            Ok(Ok(Ok(response))) => response,
            Ok(Ok(Err(error))) => return Err(failed(&error)),
            Ok(Err(_)) => return Err(unreachable()),
            Err(_) => return Err(HubError::new(ErrorKind::Timeout, Code::TunnelFailed)),
        };
        let state = Some((guard, chunks, messages));
        let body = stream::unfold(state, |state| async move {
            let (guard, mut chunks, messages) = state?;
            match chunks.recv().await {
                // The session ended in the middle.
                None => Some((Err(unreachable()), None)),
                Some(Err(error)) => Some((Err(failed(&error)), None)),
                Some(Ok(HttpBody { chunk, end: true, .. })) => Some((Ok(Bytes::from(chunk.into_bytes())), None)),
                Some(Ok(HttpBody { request_id, chunk, .. })) => {
                    let credit = HubMessage::HttpCredit(HttpCredit { request_id, chunks: 1 });
                    if messages.send(credit).await.is_err() {
                        return Some((Err(unreachable()), None));
                    }
                    Some((Ok(Bytes::from(chunk.into_bytes())), Some((guard, chunks, messages))))
                }
            }
        });
        // The last chunk is often empty: it says only that it is the last.
        let body = body.filter(|chunk| std::future::ready(!matches!(chunk, Ok(bytes) if bytes.is_empty()))).boxed();
        Ok(RayResponse { status: response.status, headers: response.headers, body })
    }
}

/// Moves a request's body to the agent, no faster than the agent gives credit.
async fn pump(mut body: BoxStream<'static, Result<Bytes, io::Error>>, id: u64, credit: Arc<Semaphore>, messages: mpsc::Sender<HubMessage>) {
    while let Some(part) = body.next().await {
        let Ok(part) = part else {
            let _ = messages.send(HubMessage::HttpCancel(HttpCancel { request_id: id })).await;
            return;
        };
        for chunk in Chunk::split(&part) {
            if !send_chunk(id, chunk, false, &credit, &messages).await {
                return;
            }
        }
    }
    send_chunk(id, Chunk::default(), true, &credit, &messages).await;
}

async fn send_chunk(id: u64, chunk: Chunk, end: bool, credit: &Semaphore, messages: &mpsc::Sender<HubMessage>) -> bool {
    let Ok(permit) = credit.acquire().await else { return false };
    permit.forget();
    messages.send(HubMessage::HttpBody(HttpBody { request_id: id, chunk, end })).await.is_ok()
}
