//! An agent for tests: connects as the real one does, runs nothing, and says that all it is asked to run is ready. As a dashboard it answers
//! with what it was asked: method, path, headers and body; a websocket echoes.

use std::collections::BTreeMap;

use ed25519_dalek::SigningKey;
use futures::{SinkExt as _, StreamExt as _};
use ionet_types::agent::{
    AgentMessage, Chunk, Declared, DesiredState, Hardware, HardwareKind, Heartbeat, Hello, HttpBody, HttpCredit, HttpRequest, HttpResponse,
    HubMessage, Introduction, Isolation, Load, ObservedState, ObservedWorkload, RayEndpoints, RayRole, Session, WorkloadSpec,
    WorkloadState,
};
use serde_json::json;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

pub(crate) type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

pub(crate) struct TestAgent(JoinHandle<()>);

impl Drop for TestAgent {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl TestAgent {
    pub(crate) fn start(base: &str) -> Self {
        let base = base.to_owned();
        let key = SigningKey::from_bytes(&rand::random());
        Self(tokio::spawn(async move {
            let mut socket = connect(&base).await;
            let session = introduce(&mut socket, &key).await;
            serve(&mut socket, &key, session).await;
        }))
    }
}

impl TestAgent {
    /// A device of this hardware that names its owner.
    pub(crate) fn owned(base: &str, key: SigningKey, owner: ionet_types::Address, hardware: Hardware) -> Self {
        let base = base.to_owned();
        Self(tokio::spawn(async move {
            let mut socket = connect(&base).await;
            let Some(HubMessage::Challenge { nonce, network }) = next(&mut socket).await else { panic!("a challenge comes first") };
            let declared = Declared { owner: Some(owner), running_for_secs: Some(3_600) };
            let hello = Hello::sign(&key, &network, &nonce, Introduction { declared, ..Introduction::new("test", hardware) });
            say(&mut socket, &AgentMessage::Hello(Box::new(hello))).await;
            assert!(matches!(next(&mut socket).await, Some(HubMessage::Welcome { .. })));
            let session = Session::new(&network, &nonce, key.verifying_key().as_bytes());
            serve(&mut socket, &key, session).await;
        }))
    }
}

pub(crate) async fn connect(base: &str) -> Socket {
    connect_async(format!("{}/v1/agents/connect", base.replace("http", "ws"))).await.unwrap().0
}

/// The hub's next message; `None` once it has closed.
pub(crate) async fn next(socket: &mut Socket) -> Option<HubMessage> {
    loop {
        match socket.next().await? {
            Ok(Message::Text(text)) => return Some(HubMessage::decode(&text).unwrap()),
            Ok(Message::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
}

pub(crate) async fn say(socket: &mut Socket, message: &AgentMessage) {
    // A hub that is gone is noticed at the next read.
    drop(socket.send(Message::text(message.encode())).await);
}

/// Proves the device's key.
pub(crate) async fn introduce(socket: &mut Socket, key: &SigningKey) -> Session {
    let Some(HubMessage::Challenge { nonce, network }) = next(socket).await else { panic!("a challenge comes first") };
    let hello = Hello::sign(key, &network, &nonce, Introduction::new("test", hardware()));
    say(socket, &AgentMessage::Hello(Box::new(hello))).await;
    assert!(matches!(next(socket).await, Some(HubMessage::Welcome { .. })));
    Session::new(&network, &nonce, key.verifying_key().as_bytes())
}

pub(crate) fn hardware() -> Hardware {
    Hardware {
        kind: HardwareKind::Cpu,
        cpu_model: "test".to_owned(),
        cpus: 2,
        machine_cpus: 2,
        memory_mb: 4_096,
        machine_memory_mb: 4_096,
        gpus: Vec::new(),
        disk_mb: 10_000,
        disk_free_mb: 10_000,
        os: "Linux".to_owned(),
        kernel: "6".to_owned(),
        arch: "x86_64".to_owned(),
        isolation: Isolation::None,
        ..Hardware::default()
    }
}

async fn serve(socket: &mut Socket, key: &SigningKey, session: Session) {
    let mut sequence = 0;
    let mut requests = BTreeMap::new();
    let mut heartbeats = tokio::time::interval(std::time::Duration::from_secs(3));
    loop {
        let message = tokio::select! {
            message = next(socket) => message,
            _ = heartbeats.tick() => {
                sequence += 1;
                say(socket, &AgentMessage::Heartbeat(Heartbeat::sign(key, &session, sequence, 0, 0, Load::default()))).await;
                continue;
            }
        };
        match message {
            None => return,
            Some(HubMessage::Desired(desired)) => say(socket, &AgentMessage::Observed(observed(&desired))).await,
            Some(HubMessage::HttpRequest(request)) => {
                let id = request.request_id;
                if request.headers.iter().any(|(name, _)| name == "upgrade") {
                    let accept = request.headers.iter().find(|(name, _)| name == "sec-websocket-key").unwrap();
                    let accept = tokio_tungstenite::tungstenite::handshake::derive_accept_key(accept.1.as_bytes());
                    let headers = vec![
                        ("connection".to_owned(), "upgrade".to_owned()),
                        ("upgrade".to_owned(), "websocket".to_owned()),
                        ("sec-websocket-accept".to_owned(), accept),
                    ];
                    say(socket, &AgentMessage::HttpResponse(HttpResponse { request_id: id, status: 101, headers })).await;
                    requests.insert(id, (None, Vec::new()));
                } else if request.end {
                    answer(socket, &request, &[]).await;
                } else {
                    requests.insert(id, (Some(request), Vec::new()));
                }
            }
            Some(HubMessage::HttpBody(HttpBody { request_id, chunk, end })) => {
                say(socket, &AgentMessage::HttpCredit(HttpCredit { request_id, chunks: 1 })).await;
                match requests.get_mut(&request_id) {
                    Some((Some(request), body)) => {
                        body.extend(chunk.into_bytes());
                        if end {
                            answer(socket, request, body).await;
                        }
                    }
                    // The raw bytes of a websocket: what came back unmasked would not be a frame of a server, so the frames are undone here.
                    Some((None, _)) => {
                        let echo = unmasked(chunk.as_ref());
                        if !echo.is_empty() {
                            let body = HttpBody { request_id, chunk: Chunk::new(echo).unwrap(), end };
                            say(socket, &AgentMessage::HttpBody(body)).await;
                        }
                    }
                    None => {}
                }
            }
            Some(_) => {}
        }
    }
}

/// A client's short frame as a server sends it.
fn unmasked(frame: &[u8]) -> Vec<u8> {
    let [head, length, rest @ ..] = frame else { return Vec::new() };
    let length = usize::from(length & 0x7f);
    assert!(length < 126 && rest.len() == 4 + length, "the test sends short frames, each in one piece");
    let (mask, data) = rest.split_at(4);
    let data = data.iter().zip(mask.iter().cycle()).map(|(byte, mask)| byte ^ mask);
    [*head, u8::try_from(length).unwrap()].into_iter().chain(data).collect()
}

async fn answer(socket: &mut Socket, request: &HttpRequest, body: &[u8]) {
    let request_id = request.request_id;
    let headers = ["content-type", "set-cookie", "access-control-allow-origin"].map(|name| (name.to_owned(), "text/x-test".to_owned()));
    say(socket, &AgentMessage::HttpResponse(HttpResponse { request_id, status: 207, headers: headers.to_vec() })).await;
    let asked = json!({ "method": request.method, "path": request.path, "headers": request.headers, "body_bytes": body.len(), "key": request.key.cluster_id.to_string() });
    let half = asked.to_string().into_bytes();
    let (first, second) = half.split_at(half.len() / 2);
    for (part, end) in [(first, false), (second, true)] {
        say(socket, &AgentMessage::HttpBody(HttpBody { request_id, chunk: Chunk::new(part.to_vec()).unwrap(), end })).await;
    }
}

/// All that is desired is ready.
fn observed(desired: &DesiredState) -> ObservedState {
    let ready = |wanted: &ionet_types::agent::DesiredWorkload| {
        let WorkloadSpec::Ray(ray) = &wanted.spec else { return None };
        let head = ray.role == RayRole::Head;
        Some(ObservedWorkload {
            key: wanted.key,
            attempt: wanted.attempt,
            state: if head || ray.head.is_some() { WorkloadState::Ready } else { WorkloadState::Starting },
            since_unix_secs: 0,
            endpoints: head.then(|| RayEndpoints { host: "127.0.0.1".to_owned(), gcs_port: 6_379, dashboard_port: 8_265 }),
            ray_version: Some("2.60.0".to_owned()),
        })
    };
    ObservedState { desired_revision: desired.revision, unix_secs: 0, workloads: desired.workloads.iter().filter_map(ready).collect() }
}
