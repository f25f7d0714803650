//! A hub with nothing behind it: greets agents, tells them what a test wants, and hears what they report.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{
        State, WebSocketUpgrade,
        ws::{Message, WebSocket},
    },
    response::Response,
    routing::get,
};
use ionet_types::agent::{
    AgentMessage, Answer, CONNECT_PATH, DesiredState, DesiredWorkload, Heartbeat, Hello, HttpBody, HttpRequest, HubMessage, ObservedState,
    ObservedWorkload, RayHeadAddress, RayNode, RayRole, Session, Token, WorkloadKey, WorkloadSpec, WorkloadState,
};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
    task::JoinHandle,
};
use uuid::Uuid;

use crate::clock::machine_unix_secs;

/// Longer than anything takes on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_mins(3);
pub(super) const TOKEN: &str = "0123456789abcdef0123456789abcdef";

pub(super) struct TestHub {
    pub(super) url: String,
    inner: Arc<Inner>,
    server: JoinHandle<()>,
}

struct Inner {
    network: String,
    desired: watch::Sender<HashMap<String, DesiredState>>,
    observed: watch::Sender<HashMap<String, ObservedState>>,
    devices: watch::Sender<HashMap<String, (Hello, mpsc::UnboundedSender<HubMessage>)>>,
    answers: watch::Sender<Vec<Answer>>,
    heartbeats: watch::Sender<Vec<Heartbeat>>,
    /// The challenge of the last connection.
    nonce: Mutex<String>,
    requests: Mutex<HashMap<u64, mpsc::UnboundedSender<AgentMessage>>>,
    next_request: AtomicU64,
}

/// A request on its way through the tunnel.
pub(super) struct Exchange {
    pub(super) id: u64,
    agent: mpsc::UnboundedSender<HubMessage>,
    pub(super) answers: mpsc::UnboundedReceiver<AgentMessage>,
}

impl Drop for TestHub {
    fn drop(&mut self) {
        self.server.abort();
        // The connections too.
        self.inner.devices.send_replace(HashMap::new());
    }
}

impl TestHub {
    pub(super) async fn start(network: &str) -> Self {
        Self::start_at(network, "127.0.0.1:0").await
    }

    pub(super) async fn start_at(network: &str, address: &str) -> Self {
        let inner = Arc::new(Inner {
            network: network.to_owned(),
            desired: watch::Sender::default(),
            observed: watch::Sender::default(),
            devices: watch::Sender::default(),
            answers: watch::Sender::default(),
            heartbeats: watch::Sender::default(),
            nonce: Mutex::default(),
            requests: Mutex::default(),
            next_request: AtomicU64::new(1),
        });
        // A hub that was just dropped may not have closed its listener yet.
        let mut listener = TcpListener::bind(address).await;
        let begun = Instant::now();
        while listener.is_err() && begun.elapsed() < PATIENCE {
            tokio::time::sleep(Duration::from_millis(20)).await;
            listener = TcpListener::bind(address).await;
        }
        let listener = listener.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().route(CONNECT_PATH, get(connect)).with_state(inner.clone());
        let server = tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, inner, server }
    }

    /// Waits for a device to be connected.
    pub(super) async fn hello(&self, device_id: &str) -> Hello {
        let mut devices = self.inner.devices.subscribe();
        let found = devices.wait_for(|devices| devices.contains_key(device_id));
        let found = tokio::time::timeout(PATIENCE, found).await.expect("the device connects").unwrap();
        found[device_id].0.clone()
    }

    /// Says something to a connected device.
    pub(super) fn say(&self, device_id: &str, message: HubMessage) {
        self.inner.devices.borrow()[device_id].1.send(message).unwrap();
    }

    /// Tells a device everything that it is to run.
    pub(super) fn want(&self, device_id: &str, workloads: Vec<DesiredWorkload>) {
        self.want_at(device_id, None, workloads);
    }

    /// The same, and what this hub's clock shows.
    pub(super) fn want_at(&self, device_id: &str, hub_unix_secs: Option<i64>, workloads: Vec<DesiredWorkload>) {
        self.inner.desired.send_modify(|all| {
            let desired = all.entry(device_id.to_owned()).or_default();
            *desired = DesiredState { revision: desired.revision + 1, hub_unix_secs, workloads };
        });
    }

    /// Waits until a device reports a node in a state that fits.
    pub(super) async fn observe(&self, device_id: &str, key: WorkloadKey, fits: impl Fn(&ObservedWorkload) -> bool) -> ObservedWorkload {
        let mut observed = self.inner.observed.subscribe();
        let begun = Instant::now();
        loop {
            let last = observed.borrow_and_update().get(device_id).cloned();
            let found = last.iter().flat_map(|state| &state.workloads).find(|workload| workload.key == key && fits(workload));
            if let Some(found) = found {
                return found.clone();
            }
            assert!(begun.elapsed() < PATIENCE, "still not as expected: {last:#?}");
            let _ = tokio::time::timeout(Duration::from_secs(1), observed.changed()).await;
        }
    }

    pub(super) async fn observe_ready(&self, device_id: &str, key: WorkloadKey) -> ObservedWorkload {
        let is_settled = |workload: &ObservedWorkload| matches!(workload.state, WorkloadState::Ready | WorkloadState::Failed { .. });
        let observed = self.observe(device_id, key, is_settled).await;
        assert_eq!(observed.state, WorkloadState::Ready);
        observed
    }

    /// What a device last reported.
    pub(super) fn last_report(&self, device_id: &str) -> Option<ObservedState> {
        self.inner.observed.borrow().get(device_id).cloned()
    }

    /// Waits until a device has reported since now on.
    pub(super) async fn next_report(&self, device_id: &str) -> ObservedState {
        self.inner.observed.send_modify(|all| {
            all.remove(device_id);
        });
        let mut observed = self.inner.observed.subscribe();
        let found = observed.wait_for(|all| all.contains_key(device_id));
        tokio::time::timeout(PATIENCE, found).await.expect("the device reports").unwrap()[device_id].clone()
    }

    /// Waits for so many answers to tasks, and returns all of them.
    pub(super) async fn answers(&self, count: usize) -> Vec<Answer> {
        let mut answers = self.inner.answers.subscribe();
        let found = answers.wait_for(|answers| answers.len() >= count);
        tokio::time::timeout(PATIENCE, found).await.expect("the device answers").unwrap().clone()
    }

    /// Waits for so many heartbeats of the last connection; with the name of the connection.
    pub(super) async fn heartbeats(&self, device: &[u8; 32], count: usize) -> (Session, Vec<Heartbeat>) {
        let mut heartbeats = self.inner.heartbeats.subscribe();
        let found = heartbeats.wait_for(|heartbeats| heartbeats.len() >= count);
        let found = tokio::time::timeout(PATIENCE, found).await.expect("the device is alive").unwrap().clone();
        (Session::new(&self.inner.network, &self.inner.nonce.lock().unwrap(), device), found)
    }

    /// Begins a request through the tunnel.
    pub(super) fn request(
        &self,
        device_id: &str,
        key: WorkloadKey,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        end: bool,
    ) -> Exchange {
        let id = self.inner.next_request.fetch_add(1, Ordering::Relaxed);
        let (sender, answers) = mpsc::unbounded_channel();
        self.inner.requests.lock().unwrap().insert(id, sender);
        let agent = self.inner.devices.borrow()[device_id].1.clone();
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let request = HttpRequest { request_id: id, key, method: method.to_owned(), path: path.to_owned(), headers, end };
        agent.send(HubMessage::HttpRequest(request)).unwrap();
        Exchange { id, agent, answers }
    }

    /// A whole request with a whole answer: status and body.
    pub(super) async fn fetch(&self, device_id: &str, key: WorkloadKey, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut exchange = self.request(device_id, key, method, path, &[("content-type", "application/json")], body.is_empty());
        if !body.is_empty() {
            exchange.send(body.as_bytes(), true);
        }
        let (status, body) = exchange.answer().await;
        (status, String::from_utf8_lossy(&body).into_owned())
    }
}

impl Exchange {
    pub(super) fn say(&self, message: HubMessage) {
        let _ = self.agent.send(message);
    }

    pub(super) fn send(&self, bytes: &[u8], end: bool) {
        let chunk = ionet_types::agent::Chunk::new(bytes.to_vec()).unwrap();
        self.say(HubMessage::HttpBody(HttpBody { request_id: self.id, chunk, end }));
    }

    pub(super) fn allow(&self, chunks: u16) {
        self.say(HubMessage::HttpCredit(ionet_types::agent::HttpCredit { request_id: self.id, chunks }));
    }

    pub(super) async fn next(&mut self) -> AgentMessage {
        tokio::time::timeout(PATIENCE, self.answers.recv()).await.expect("an answer comes").unwrap()
    }

    /// Status (or that of the error) and body of the answer.
    pub(super) async fn answer(&mut self) -> (u16, Vec<u8>) {
        let (mut status, mut bytes) = (0, Vec::new());
        loop {
            match self.next().await {
                AgentMessage::HttpResponse(response) => status = response.status,
                AgentMessage::HttpBody(body) => {
                    bytes.extend_from_slice(body.chunk.as_ref());
                    if body.end {
                        return (status, bytes);
                    }
                    self.allow(1);
                }
                AgentMessage::HttpError(error) => return (error.code.status(), error.message.into_bytes()),
                _ => {}
            }
        }
    }
}

async fn connect(State(inner): State<Arc<Inner>>, upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(move |socket| async move {
        let _ = serve(&inner, socket).await;
    })
}

async fn serve(inner: &Inner, mut socket: WebSocket) -> Option<()> {
    let nonce = Uuid::now_v7().to_string();
    socket.send(text(&HubMessage::Challenge { nonce: nonce.clone(), network: inner.network.clone() })).await.ok()?;
    let AgentMessage::Hello(hello) = receive(&mut socket).await? else { return None };
    hello.verify(&inner.network, &nonce).expect("the hello proves the key");
    inner.nonce.lock().unwrap().clone_from(&nonce);
    inner.heartbeats.send_replace(Vec::new());
    let id = hello.device_id.clone();
    socket.send(text(&HubMessage::Welcome { device_id: id.clone(), heartbeat_secs: 1 })).await.ok()?;
    let (sender, mut outgoing) = mpsc::unbounded_channel();
    inner.devices.send_modify(|devices| {
        devices.insert(id.clone(), (*hello, sender));
    });
    let mut desired = inner.desired.subscribe();
    desired.mark_changed();
    loop {
        tokio::select! {
            Ok(()) = desired.changed() => {
                let wanted = desired.borrow_and_update().get(&id).cloned();
                if let Some(wanted) = wanted {
                    socket.send(text(&HubMessage::Desired(wanted))).await.ok()?;
                }
            }
            message = outgoing.recv() => socket.send(text(&message?)).await.ok()?,
            message = receive(&mut socket) => take(inner, &id, message?),
        }
    }
}

fn take(inner: &Inner, id: &str, message: AgentMessage) {
    let request_id = match &message {
        AgentMessage::Answer(answer) => return inner.answers.send_modify(|all| all.push((**answer).clone())),
        AgentMessage::Heartbeat(heartbeat) => return inner.heartbeats.send_modify(|all| all.push(*heartbeat)),
        AgentMessage::Observed(state) => {
            inner.observed.send_modify(|all| {
                all.insert(id.to_owned(), state.clone());
            });
            return;
        }
        AgentMessage::HttpResponse(response) => response.request_id,
        AgentMessage::HttpBody(body) => body.request_id,
        AgentMessage::HttpCredit(credit) => credit.request_id,
        AgentMessage::HttpError(error) => error.request_id,
        _ => return,
    };
    if let Some(request) = inner.requests.lock().unwrap().get(&request_id) {
        let _ = request.send(message);
    }
}

fn text(message: &HubMessage) -> Message {
    Message::text(message.encode())
}

async fn receive(socket: &mut WebSocket) -> Option<AgentMessage> {
    loop {
        if let Message::Text(text) = socket.recv().await?.ok()? {
            return Some(AgentMessage::decode(&text).expect("agents send what is in bounds"));
        }
    }
}

/// A node of a Ray cluster as a hub would want it, for an hour.
pub(super) fn ray_node(cluster_id: Uuid, node: u16, role: RayRole, head: Option<RayHeadAddress>) -> DesiredWorkload {
    let spec = RayNode {
        role,
        nodes: 2,
        token: Token::new(TOKEN),
        cpus: 1,
        gpus: 0,
        memory_mb: Some(1024),
        object_store_mb: None,
        head,
        share: None,
    };
    let key = WorkloadKey { cluster_id, node };
    DesiredWorkload { key, lease_until_unix_secs: machine_unix_secs() + 3600, attempt: 0, spec: WorkloadSpec::Ray(spec) }
}
