//! An agent for tests: speaks the real messages over a session, runs nothing, and does as the test says.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use ed25519_dalek::SigningKey;
use ionet_hub::{AgentInbox, Hub};
use ionet_types::DeviceId;
use ionet_types::agent::challenge::Direction;
use ionet_types::agent::{
    AgentMessage, Answer, Ask, Chunk, Declared, DesiredState, Hardware, HardwareKind, Heartbeat, Hello, HttpBody, HttpResponse, HubMessage,
    Introduction, Isolation, Load, ObservedState, ObservedWorkload, RayEndpoints, RayRole, Session, StopReason, Task, TransferReport,
    TransferTicket, WorkloadKey, WorkloadSpec, WorkloadState,
};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

/// What the test wants of its agent.
#[derive(Default)]
pub(crate) struct Mood {
    /// Nodes do not become ready.
    pub(crate) slow: bool,
    /// The next so many nodes that are started fail.
    pub(crate) failures: u32,
}

/// What the device runs; survives the connection, like the real thing.
#[derive(Default)]
pub(crate) struct Device {
    pub(crate) mood: Mood,
    pub(crate) desired: DesiredState,
    pub(crate) running: BTreeMap<WorkloadKey, ObservedWorkload>,
    /// How often any node was started, and how often a ready one was stopped.
    pub(crate) started: u32,
    pub(crate) stopped: u32,
    /// What it says that it is made of.
    pub(crate) hardware: Option<Hardware>,
    /// Whether several customers may share it.
    pub(crate) shared: bool,
    /// Where it says that it is.
    pub(crate) location: ionet_types::market::Location,
    /// Whom it says it belongs to.
    pub(crate) owner: Option<ionet_types::Address>,
    /// Who answers for it when it is to prove something; nobody answers nothing.
    pub(crate) prover: Option<Arc<Mutex<dyn Prove>>>,
    /// How its proofs ended.
    pub(crate) proofs: Vec<Option<String>>,
    /// Its clock less the hub's, seconds.
    pub(crate) clock_ahead_secs: i64,
}

/// Answers the tasks of a device, rightly or not.
pub(crate) trait Prove: Send {
    fn task(&mut self, task: &Task) -> Option<Answer>;
    fn ask(&mut self, ask: &Ask) -> Option<Answer>;
}

/// Moves a transfer's bytes within the process.
fn transfer(hub: &Hub, inbox: &AgentInbox, ticket: &TransferTicket) {
    // A device that lies about bytes is tested elsewhere; here all of them arrive.
    let Ok(begun) = hub.transfer_begin(ticket.ticket, ticket.direction) else { return };
    let digest = ionet_proofs::transfer::digest(&begun.seed, begun.bytes);
    match ticket.direction {
        Direction::Download => drop(inbox.receive(AgentMessage::TransferReport(TransferReport { ticket: ticket.ticket, digest }))),
        Direction::Upload => hub.transfer_end(ticket.ticket, &digest),
    }
}

pub(crate) struct TestAgent {
    pub(crate) key: SigningKey,
    pub(crate) device: Arc<Mutex<Device>>,
    changed: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Drop for TestAgent {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl TestAgent {
    pub(crate) fn start(hub: &Hub) -> Self {
        Self::start_as(hub, SigningKey::from_bytes(&rand::random()), Device::default())
    }

    pub(crate) fn start_as(hub: &Hub, key: SigningKey, device: Device) -> Self {
        let device = Arc::new(Mutex::new(device));
        let changed = Arc::new(Notify::new());
        let task = tokio::spawn(connection(hub.clone(), key.clone(), device.clone(), changed.clone()));
        Self { key, device, changed, task }
    }

    pub(crate) fn id(&self) -> DeviceId {
        DeviceId(self.key.verifying_key().to_bytes())
    }

    /// Breaks the connection; what runs runs on.
    pub(crate) async fn disconnect(&mut self) {
        self.task.abort();
        while !self.task.is_finished() {
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
    }

    /// Connects again, to this hub.
    pub(crate) async fn connect(&mut self, hub: &Hub) {
        self.disconnect().await;
        self.device.lock().unwrap().desired = DesiredState::default();
        self.task = tokio::spawn(connection(hub.clone(), self.key.clone(), self.device.clone(), self.changed.clone()));
    }

    /// Changes what the test wants or what runs; the agent reports it.
    pub(crate) fn change(&self, act: impl FnOnce(&mut Device)) {
        act(&mut self.device.lock().unwrap());
        self.changed.notify_one();
    }

    /// All its nodes fail now.
    pub(crate) fn fail_nodes(&self, retryable: bool) {
        self.change(|device| device.running.values_mut().for_each(|node| node.state = failure(retryable)));
    }

    pub(crate) fn count<T>(&self, read: impl FnOnce(&Device) -> T) -> T {
        read(&self.device.lock().unwrap())
    }
}

fn failure(retryable: bool) -> WorkloadState {
    WorkloadState::Failed { code: "ray_exited".to_owned(), message: "Ray has exited".to_owned(), retryable }
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

async fn connection(hub: Hub, key: SigningKey, device: Arc<Mutex<Device>>, changed: Arc<Notify>) {
    let pending = hub.agents().open();
    let HubMessage::Challenge { nonce, network } = pending.challenge() else { panic!("a challenge comes first") };
    let introduction = {
        let device = device.lock().unwrap();
        let declared = Declared { owner: device.owner, running_for_secs: None };
        let location = device.location.clone();
        let shared = device.shared;
        Introduction { declared, location, shared, ..Introduction::new("test", device.hardware.clone().unwrap_or_else(hardware)) }
    };
    let hello = Hello::sign(&key, &network, &nonce, introduction);
    let (inbox, mut outbox) = pending.accept(hello).await.unwrap();
    assert!(matches!(outbox.next().await, Some(HubMessage::Welcome { .. })));
    let session = Session::new(&network, &nonce, key.verifying_key().as_bytes());
    let mut sequence = 0;
    changed.notify_one();
    loop {
        tokio::select! {
            message = outbox.next() => match message {
                None => return,
                Some(HubMessage::Desired(desired)) => {
                    device.lock().unwrap().desired = desired;
                    changed.notify_one();
                }
                Some(HubMessage::HttpRequest(request)) if request.end => {
                    // Answers with what it was asked.
                    let request_id = request.request_id;
                    let text = format!("{} {}", request.method, request.path);
                    let head = HttpResponse { request_id, status: 200, headers: vec![("x-key".to_owned(), request.key.to_string())] };
                    let body = HttpBody { request_id, chunk: Chunk::new(text.into_bytes()).unwrap(), end: false };
                    let end = HttpBody { request_id, chunk: Chunk::default(), end: true };
                    for message in [AgentMessage::HttpResponse(head), AgentMessage::HttpBody(body), AgentMessage::HttpBody(end)] {
                        inbox.receive(message).unwrap();
                    }
                }
                Some(HubMessage::HttpRequest(request)) => {
                    let head = HttpResponse { request_id: request.request_id, status: 201, headers: Vec::new() };
                    inbox.receive(AgentMessage::HttpResponse(head)).unwrap();
                }
                // Echoes, and takes more as the reader at the other end does.
                Some(HubMessage::HttpBody(body)) => inbox.receive(AgentMessage::HttpBody(body)).unwrap(),
                Some(HubMessage::HttpCredit(credit)) => inbox.receive(AgentMessage::HttpCredit(credit)).unwrap(),
                Some(HubMessage::Task(task)) => {
                let prover = device.lock().unwrap().prover.clone();
                let answer = tokio::task::spawn_blocking(move || prover?.lock().unwrap().task(&task)).await.unwrap();
                if let Some(answer) = answer {
                        drop(inbox.receive(AgentMessage::Answer(Box::new(answer))));
                    }
            }
            Some(HubMessage::Ask(ask)) => {
                let prover = device.lock().unwrap().prover.clone();
                let answer = tokio::task::spawn_blocking(move || prover?.lock().unwrap().ask(&ask)).await.unwrap();
                if let Some(answer) = answer {
                        drop(inbox.receive(AgentMessage::Answer(Box::new(answer))));
                    }
            }
                Some(HubMessage::Transfer(ticket)) => transfer(&hub, &inbox, &ticket),
                Some(HubMessage::ProofEnded { code, .. }) => device.lock().unwrap().proofs.push(code),
                Some(_) => {}
            },
            () = tokio::time::sleep(std::time::Duration::from_secs(5)) => {
                let desired_revision = device.lock().unwrap().desired.revision;
                sequence += 1;
                let now_unix_secs = hub.clock().now_unix_secs() + device.lock().unwrap().clock_ahead_secs;
                let heartbeat = Heartbeat::sign(&key, &session, sequence, desired_revision, now_unix_secs, Load::default());
                if inbox.receive(AgentMessage::Heartbeat(heartbeat)).is_err() {
                    return;
                }
            }
            () = changed.notified() => {
                let observed = step(&mut device.lock().unwrap(), hub.clock().now_unix_secs());
                if inbox.receive(AgentMessage::Observed(observed)).is_err() {
                    return;
                }
            }
        }
    }
}

/// Does what is desired, and says so.
fn step(device: &mut Device, now_unix_secs: i64) -> ObservedState {
    let Device { mood, desired, running, started, stopped, .. } = device;
    if desired.revision > 0 {
        for (key, node) in running.iter_mut() {
            let wanted = desired.workloads.iter().find(|wanted| wanted.key == *key);
            if wanted.is_none_or(|wanted| wanted.attempt > node.attempt) {
                *stopped += u32::from(node.state == WorkloadState::Ready);
                node.state = WorkloadState::Stopped { reason: StopReason::NotDesired };
            }
        }
        running.retain(|key, node| {
            desired.workloads.iter().any(|wanted| wanted.key == *key && wanted.attempt == node.attempt)
                || !matches!(node.state, WorkloadState::Stopped { .. })
        });
        for wanted in &desired.workloads {
            let WorkloadSpec::Ray(ray) = &wanted.spec else { continue };
            let is_head = ray.role == RayRole::Head;
            let node = running.entry(wanted.key).or_insert_with(|| {
                *started += 1;
                let fails = mood.failures > 0;
                mood.failures = mood.failures.saturating_sub(1);
                ObservedWorkload {
                    key: wanted.key,
                    attempt: wanted.attempt,
                    state: if fails { failure(true) } else { WorkloadState::Starting },
                    since_unix_secs: now_unix_secs,
                    endpoints: is_head.then(|| RayEndpoints { host: "127.0.0.1".to_owned(), gcs_port: 6_379, dashboard_port: 8_265 }),
                    ray_version: Some("2.60.0".to_owned()),
                }
            });
            let can_join = is_head || ray.head.is_some();
            if node.state == WorkloadState::Starting && can_join && !mood.slow {
                node.state = WorkloadState::Ready;
            }
        }
    }
    ObservedState { desired_revision: desired.revision, unix_secs: now_unix_secs, workloads: running.values().cloned().collect() }
}
