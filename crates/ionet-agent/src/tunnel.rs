//! Carries the customers' HTTP requests from the hub to the dashboard port of a head that this agent runs, and nowhere else.

use std::{collections::HashMap, sync::Arc, time::Duration};

use bytes::Bytes;
use futures::StreamExt;
use http_body_util::{BodyExt, Empty, StreamBody, combinators::BoxBody};
use hyper::{
    Method, Request, Response, StatusCode, Uri,
    body::{Frame, Incoming},
    client::conn::http1,
    header::{self, HeaderName, HeaderValue},
};
use hyper_util::rt::TokioIo;
use ionet_types::agent::{
    AgentMessage, Chunk, Header, HttpBody, HttpCredit, HttpError, HttpErrorCode, HttpRequest, HttpResponse, RayEndpoints, RayRole,
    WorkloadSpec, WorkloadState, tunnel,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::{Semaphore, mpsc},
    task::{AbortHandle, JoinSet},
    time::timeout,
};
use tokio_tungstenite::tungstenite::Message;

use crate::agent::Shared;

/// How long the dashboard may take to take the connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long it may take to begin an answer: submitting a job waits for a process to start.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(3);

/// Whether a header concerns one connection or the hub alone and is never passed on.
fn stays_here(name: &HeaderName) -> bool {
    tunnel::HOP_BY_HOP.contains(&name.as_str()) || tunnel::OF_THE_HUB.contains(&name.as_str())
}

/// Why a request got no answer.
type Refusal = (HttpErrorCode, String);

/// The open requests of one connection to the hub. They end with it.
pub(crate) struct Tunnel {
    shared: Arc<Shared>,
    outbox: mpsc::Sender<Message>,
    open: HashMap<u64, Open>,
    tasks: JoinSet<()>,
}

struct Open {
    /// Takes the request's body; `None` after its end.
    body: Option<mpsc::Sender<Bytes>>,
    /// How many chunks of the response may be sent.
    credit: Arc<Semaphore>,
    task: AbortHandle,
}

impl Tunnel {
    pub(crate) fn new(shared: Arc<Shared>, outbox: mpsc::Sender<Message>) -> Self {
        Self { shared, outbox, open: HashMap::new(), tasks: JoinSet::new() }
    }

    /// A request begins.
    pub(crate) fn open(&mut self, request: HttpRequest) {
        while self.tasks.try_join_next().is_some() {}
        self.open.retain(|_, open| !open.task.is_finished());
        let id = request.request_id;
        let (body, chunks) = mpsc::channel(tunnel::WINDOW_CHUNKS.into());
        let credit = Arc::new(Semaphore::new(tunnel::WINDOW_CHUNKS.into()));
        let is_known = self.open.contains_key(&id);
        let is_full = self.open.len() >= tunnel::MAX_OPEN_REQUESTS;
        let reply = Reply { id, outbox: self.outbox.clone(), credit: credit.clone() };
        let shared = self.shared.clone();
        let end = request.end;
        let task = self.tasks.spawn(async move {
            let result = match (is_known, is_full) {
                (true, _) => Err((HttpErrorCode::InvalidRequest, "the request's id is in use".to_owned())),
                (_, true) => Err((HttpErrorCode::TooManyRequests, "too many requests at once".to_owned())),
                _ => forward(&shared, request, chunks, &reply).await,
            };
            if let Err((code, message)) = result {
                tracing::debug!(id, ?code, message, "tunnelled request failed");
                reply.send(&AgentMessage::HttpError(HttpError { request_id: id, code, message })).await;
            }
        });
        if !is_known {
            self.open.insert(id, Open { body: (!end).then_some(body), credit, task });
        }
    }

    /// A part of a request's body.
    pub(crate) fn body(&mut self, part: HttpBody) {
        let id = part.request_id;
        let Some(open) = self.open.get_mut(&id) else { return };
        let bytes = Bytes::from(part.chunk.into_bytes());
        let fits = match &open.body {
            _ if bytes.is_empty() => true,
            // A body that nobody reads any more is dropped; the request's own end tells the hub.
            Some(body) => !matches!(body.try_send(bytes), Err(mpsc::error::TrySendError::Full(_))),
            None => true,
        };
        if part.end {
            open.body = None;
        }
        if !fits {
            self.cancel(id);
            let error =
                HttpError { request_id: id, code: HttpErrorCode::TooLarge, message: "more chunks than the window allows".to_owned() };
            let outbox = self.outbox.clone();
            self.tasks.spawn(async move {
                let _ = outbox.send(Message::text(AgentMessage::HttpError(error).encode())).await;
            });
        }
    }

    /// The hub has room for more of a response.
    pub(crate) fn credit(&mut self, credit: HttpCredit) {
        if let Some(open) = self.open.get(&credit.request_id) {
            // Never more than the window, whatever the hub says.
            let room = usize::from(tunnel::WINDOW_CHUNKS).saturating_sub(open.credit.available_permits());
            open.credit.add_permits(usize::from(credit.chunks).min(room));
        }
    }

    /// The customer has left.
    pub(crate) fn cancel(&mut self, request_id: u64) {
        if let Some(open) = self.open.remove(&request_id) {
            open.task.abort();
        }
    }
}

/// Sends what belongs to one request.
struct Reply {
    id: u64,
    outbox: mpsc::Sender<Message>,
    credit: Arc<Semaphore>,
}

impl Reply {
    async fn send(&self, message: &AgentMessage) {
        // If it fails the connection is broken, and this task with it.
        let _ = self.outbox.send(Message::text(message.encode())).await;
    }

    /// Sends a part of the response when the hub has room for it.
    async fn body(&self, chunk: Chunk, end: bool) {
        if let Ok(permit) = self.credit.acquire().await {
            permit.forget();
        }
        self.send(&AgentMessage::HttpBody(HttpBody { request_id: self.id, chunk, end })).await;
    }

    async fn bytes(&self, bytes: &[u8]) {
        for chunk in Chunk::split(bytes) {
            self.body(chunk, false).await;
        }
    }
}

/// Sends a request to its dashboard and the answer back.
async fn forward(shared: &Shared, request: HttpRequest, chunks: mpsc::Receiver<Bytes>, reply: &Reply) -> Result<(), Refusal> {
    let (endpoints, token) = target(shared, &request)?;
    let is_upgrade =
        request.headers.iter().any(|(name, value)| name.eq_ignore_ascii_case("upgrade") && value.eq_ignore_ascii_case("websocket"));
    let mut chunks = Some(RequestBody { chunks, id: request.request_id, outbox: reply.outbox.clone(), total_bytes: 0 });
    let body = if is_upgrade || request.end {
        BoxBody::new(Empty::new().map_err(|never| match never {}))
    } else {
        let Some(source) = chunks.take() else { return Ok(()) };
        BoxBody::new(StreamBody::new(source.into_stream()))
    };
    let request = build(&request, &endpoints, &token, is_upgrade, body)?;
    let upstream = |error: &dyn std::fmt::Display| (HttpErrorCode::Upstream, error.to_string());
    let connect = TcpStream::connect((endpoints.host.as_str(), endpoints.dashboard_port));
    let stream = timeout(CONNECT_TIMEOUT, connect)
        .await
        .map_err(|_| (HttpErrorCode::Timeout, "the dashboard does not take the connection".to_owned()))?
        .map_err(|error| upstream(&error))?;
    let _ = stream.set_nodelay(true);
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| upstream(&error))?;
    let mut driver = JoinSet::new();
    driver.spawn(async move {
        if let Err(error) = connection.with_upgrades().await {
            tracing::debug!(%error, "connection to a dashboard ended");
        }
    });
    let response = timeout(ANSWER_TIMEOUT, sender.send_request(request))
        .await
        .map_err(|_| (HttpErrorCode::Timeout, "the dashboard does not answer".to_owned()))?
        .map_err(|error| upstream(&error))?;
    let is_upgraded = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    reply.send(&AgentMessage::HttpResponse(head(reply.id, &response, is_upgraded))).await;
    match chunks.filter(|_| is_upgraded) {
        Some(chunks) => pass_both_ways(response, chunks, reply).await,
        None => pass_body(response, reply).await,
    }
}

/// Where a request goes, if this agent runs that head.
fn target(shared: &Shared, request: &HttpRequest) -> Result<(RayEndpoints, String), Refusal> {
    let unknown = || (HttpErrorCode::UnknownWorkload, "no such head runs here".to_owned());
    let token = {
        let desired = shared.desired.borrow();
        let want = desired.iter().flat_map(|desired| &desired.workloads).find(|want| want.key == request.key).ok_or_else(unknown)?;
        match &want.spec {
            WorkloadSpec::Ray(ray) if ray.role == RayRole::Head => ray.token.clone(),
            _ => return Err(unknown()),
        }
    };
    let all = shared.observed.borrow();
    match all.get(&request.key) {
        Some(observed) if observed.state == WorkloadState::Ready => {
            let endpoints = observed.endpoints.clone().ok_or_else(unknown)?;
            Ok((endpoints, token.reveal().to_owned()))
        }
        Some(_) => Err((HttpErrorCode::NotReady, "the head is not ready".to_owned())),
        None => Err(unknown()),
    }
}

fn build(
    request: &HttpRequest,
    endpoints: &RayEndpoints,
    token: &str,
    is_upgrade: bool,
    body: BoxBody<Bytes, std::io::Error>,
) -> Result<Request<BoxBody<Bytes, std::io::Error>>, Refusal> {
    let invalid = |what: &str| (HttpErrorCode::InvalidRequest, format!("the {what} cannot be sent"));
    let method: Method = request.method.parse().map_err(|_| invalid("method"))?;
    // Only a path: with a scheme and host a proxy behind the dashboard might be told to go elsewhere.
    if method == Method::CONNECT || !request.path.starts_with('/') || request.path.starts_with("//") {
        return Err(invalid("path"));
    }
    let uri: Uri = request.path.parse().map_err(|_| invalid("path"))?;
    let mut built = Request::new(body);
    *built.method_mut() = method;
    *built.uri_mut() = uri;
    let headers = built.headers_mut();
    for (name, value) in &request.headers {
        let name: HeaderName = name.parse().map_err(|_| invalid("header's name"))?;
        if !stays_here(&name) {
            headers.append(name, HeaderValue::from_str(value).map_err(|_| invalid("header's value"))?);
        }
    }
    let host = format!("{}:{}", endpoints.host, endpoints.dashboard_port);
    headers.insert(header::HOST, HeaderValue::from_str(&host).map_err(|_| invalid("host"))?);
    let mut bearer = HeaderValue::from_str(&format!("Bearer {token}")).map_err(|_| invalid("token"))?;
    bearer.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, bearer);
    if is_upgrade {
        headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    }
    Ok(built)
}

fn head(request_id: u64, response: &Response<Incoming>, is_upgraded: bool) -> HttpResponse {
    let is_passed = |name: &HeaderName| !stays_here(name) || (is_upgraded && (*name == header::UPGRADE || *name == header::CONNECTION));
    let mut bytes = 0;
    let headers: Vec<Header> = response
        .headers()
        .iter()
        .filter(|(name, _)| is_passed(name))
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .take(tunnel::MAX_HEADERS)
        .take_while(|(name, value)| {
            bytes += name.len() + value.len();
            bytes <= tunnel::MAX_HEADERS_BYTES
        })
        .collect();
    HttpResponse { request_id, status: response.status().as_u16(), headers }
}

async fn pass_body(response: Response<Incoming>, reply: &Reply) -> Result<(), Refusal> {
    let mut body = response.into_body().into_data_stream();
    while let Some(bytes) = body.next().await {
        let bytes = bytes.map_err(|error| (HttpErrorCode::Upstream, error.to_string()))?;
        reply.bytes(&bytes).await;
    }
    reply.body(Chunk::default(), true).await;
    Ok(())
}

/// After an upgrade the bytes of both directions are nobody's business here.
async fn pass_both_ways(response: Response<Incoming>, mut chunks: RequestBody, reply: &Reply) -> Result<(), Refusal> {
    let upstream = |error: &dyn std::fmt::Display| (HttpErrorCode::Upstream, error.to_string());
    let upgraded = hyper::upgrade::on(response).await.map_err(|error| upstream(&error))?;
    let (mut from, mut to) = tokio::io::split(TokioIo::new(upgraded));
    let send = async {
        while let Some(bytes) = chunks.next().await? {
            to.write_all(&bytes).await?;
            to.flush().await?;
        }
        // The customer has said all; the dashboard may still have something to say.
        let _ = to.shutdown().await;
        std::future::pending::<std::io::Result<()>>().await
    };
    let receive = async {
        let mut buffer = vec![0; tunnel::MAX_CHUNK_BYTES];
        loop {
            match from.read(&mut buffer).await? {
                0 => return Ok(()),
                count => reply.bytes(&buffer[..count]).await,
            }
        }
    };
    let done: std::io::Result<()> = tokio::select! { done = send => done, done = receive => done };
    done.map_err(|error| upstream(&error))?;
    reply.body(Chunk::default(), true).await;
    Ok(())
}

/// The body of a request as it comes from the hub; returns credit for each chunk that is passed on.
struct RequestBody {
    chunks: mpsc::Receiver<Bytes>,
    id: u64,
    outbox: mpsc::Sender<Message>,
    total_bytes: u64,
}

impl RequestBody {
    async fn next(&mut self) -> std::io::Result<Option<Bytes>> {
        let Some(bytes) = self.chunks.recv().await else { return Ok(None) };
        self.total_bytes += bytes.len() as u64;
        if self.total_bytes > tunnel::MAX_REQUEST_BODY_BYTES {
            return Err(std::io::Error::other("the request's body is too large"));
        }
        let credit = AgentMessage::HttpCredit(HttpCredit { request_id: self.id, chunks: 1 });
        let _ = self.outbox.send(Message::text(credit.encode())).await;
        Ok(Some(bytes))
    }

    fn into_stream(self) -> impl futures::Stream<Item = std::io::Result<Frame<Bytes>>> + Send + Sync {
        futures::stream::try_unfold(self, |mut source| async move { Ok(source.next().await?.map(|bytes| (Frame::data(bytes), source))) })
    }
}
