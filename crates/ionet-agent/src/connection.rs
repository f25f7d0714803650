//! The one connection to the hub: opened by the agent, opened again for ever when it breaks. Nodes do not notice.

use std::{
    convert::Infallible,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures::{SinkExt, StreamExt, stream::SplitStream};
use ionet_types::agent::{
    AgentMessage, CONNECT_PATH, Declared, DesiredState, HEARTBEAT_SECS, Heartbeat, Hello, HubMessage, Introduction, MAX_FRAME_BYTES,
    ObservedState, ProtocolError, Session, workload::Token,
};
use ionet_types::joins::JoinRefusal;
use rand::Rng;
use thiserror::Error;
use tokio::{
    net::TcpStream,
    sync::mpsc,
    time::{Instant, timeout},
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream,
    tungstenite::{self, Message, http::Uri, protocol::WebSocketConfig},
};

use crate::{AgentError, Link, agent::Shared, load::Meter, probe::probe, prove::Proofs, transfer, tunnel::Tunnel};

/// First and longest pause between two attempts to connect.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(30));
/// Pause after a refusal that only a person can mend.
const REFUSED_PAUSE: Duration = Duration::from_mins(2);
/// A connection that lasted this long was a good one: the next attempt comes soon again.
const STABLE_AFTER: Duration = Duration::from_secs(10);
/// How long opening the connection and each step of the greeting may take.
const STEP_TIMEOUT: Duration = Duration::from_secs(15);
/// How many heartbeats may pass without a sign of the hub.
const SILENT_HEARTBEATS: u32 = 3;
/// Messages that may wait to be sent. A tunnelled response waits when there is no room.
const OUTBOX: usize = 64;

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

#[derive(Debug, Error)]
enum Broken {
    #[error("the connection failed: {0}")]
    Socket(#[from] tungstenite::Error),
    #[error("the hub sent what is no message: {0}")]
    Protocol(#[from] ProtocolError),
    #[error("the hub was silent for too long")]
    Silent,
    #[error("the hub closed the connection")]
    Closed,
    #[error("the hub belongs to network {theirs:?}, this device to {ours:?}")]
    OtherNetwork { theirs: String, ours: String },
    #[error("the hub refused the device: {code}: {message}")]
    Refused { code: String, message: String },
    #[error("the hub sent {0} where something else was due")]
    Unexpected(&'static str),
    #[error(transparent)]
    Agent(#[from] AgentError),
}

impl Broken {
    fn link(&self) -> Link {
        match self {
            Self::Refused { code, message } => Link::Refused { code: code.clone(), message: message.clone() },
            other => Link::Broken { reason: other.to_string() },
        }
    }
}

/// The websocket endpoint of a hub.
pub(crate) fn websocket_url(hub_url: &str) -> Result<String, AgentError> {
    let invalid = |reason: &str| AgentError::InvalidHubUrl { url: hub_url.to_owned(), reason: reason.to_owned() };
    let base = hub_url.trim_end_matches('/');
    let (scheme, rest) = base.split_once("://").ok_or_else(|| invalid("it must begin with http:// or https://"))?;
    let scheme = match scheme {
        "http" | "ws" => "ws",
        "https" | "wss" => "wss",
        _ => return Err(invalid("it must begin with http:// or https://")),
    };
    let url = format!("{scheme}://{rest}{CONNECT_PATH}");
    match url.parse::<Uri>() {
        Ok(uri) if uri.host().is_some_and(|host| !host.is_empty()) && uri.query().is_none() => Ok(url),
        _ => Err(invalid("it is not a URL of a host")),
    }
}

/// Holds the connection for ever.
pub(crate) async fn hold(shared: Arc<Shared>, url: String) {
    let mut pause = BACKOFF.0;
    loop {
        let begun = Instant::now();
        let broken = match serve(&shared, &url).await {
            Ok(never) => match never {},
            Err(broken) => broken,
        };
        if begun.elapsed() > STABLE_AFTER {
            pause = BACKOFF.0;
        }
        let refused = matches!(&broken, Broken::Refused { code, .. } if JoinRefusal::from_code(code).is_some_and(JoinRefusal::is_lasting));
        if refused {
            // Until a person has done something, asking again soon is of no use.
            tracing::error!(hub = url, reason = %broken, "the hub does not let this device in");
            pause = REFUSED_PAUSE;
        }
        shared.tell(broken.link());
        let wait = rand::rng().random_range(pause / 2..=pause);
        tracing::warn!(hub = url, reason = %broken, retry_in_ms = wait.as_millis(), "no connection to the hub; nodes go on");
        tokio::time::sleep(wait).await;
        pause = if refused { pause } else { (pause * 2).min(BACKOFF.1) };
    }
}

/// Serves one connection until it breaks.
async fn serve(shared: &Arc<Shared>, url: &str) -> Result<Infallible, Broken> {
    let greeted = greet(shared, url).await?;
    talk(shared, greeted).await
}

/// A connection on which the device was welcomed.
struct Greeted {
    socket: Socket,
    heartbeat: Duration,
    network: String,
    session: Session,
}

/// Keeps the secret for the next connection. On this thread, so that it is whole before anything else of this connection, or of the next
/// one, is read.
fn keep_credential(shared: &Shared, credential: &Token) -> Result<(), Broken> {
    shared.store.set_credential(credential)?;
    shared.tell(Link::Connected { has_credential: true });
    Ok(())
}

/// Connects, proves the device's key and is welcomed.
async fn greet(shared: &Arc<Shared>, url: &str) -> Result<Greeted, Broken> {
    let mut config = WebSocketConfig::default();
    config.max_message_size = Some(MAX_FRAME_BYTES);
    config.max_frame_size = Some(MAX_FRAME_BYTES);
    let connect = tokio_tungstenite::connect_async_tls_with_config(url, Some(config), true, Some(connector()));
    let (mut socket, _) = timeout(STEP_TIMEOUT, connect).await.map_err(|_| Broken::Silent)??;

    let (nonce, network) = match receive(&mut socket).await? {
        HubMessage::Challenge { nonce, network } => (nonce, network),
        HubMessage::Refused { code, message } => return Err(Broken::Refused { code, message }),
        _ => return Err(Broken::Unexpected("another message than a challenge")),
    };
    // Counted at the challenge, which the hub counts it back from.
    let running_for_secs = shared.clock.running_for_secs();
    let remembered = shared.store.network()?;
    if let Some(ours) = shared.options.network.clone().or_else(|| remembered.clone()).filter(|ours| *ours != network) {
        return Err(Broken::OtherNetwork { theirs: network, ours });
    }
    let options = shared.options.clone();
    let hardware = tokio::task::spawn_blocking(move || probe(&options)).await.map_err(|_| Broken::Unexpected("a message"))?;
    let credential = shared.store.credential()?;
    let has_credential = credential.is_some();
    let introduction = Introduction {
        join_token: shared.options.join_token.clone().filter(|_| credential.is_none()),
        credential: credential.map(|credential| credential.reveal().to_owned()),
        label: shared.options.label.clone(),
        location: shared.options.location.clone(),
        shared: shared.options.shared,
        declared: Declared { owner: shared.options.owner, running_for_secs: Some(running_for_secs) },
        ..Introduction::new(env!("CARGO_PKG_VERSION"), hardware)
    };
    let hello = Hello::sign(shared.key.signing_key(), &network, &nonce, introduction);
    socket.send(Message::text(AgentMessage::Hello(Box::new(hello)).encode())).await?;
    match receive(&mut socket).await? {
        HubMessage::Welcome { heartbeat_secs, .. } => {
            if remembered.is_none() {
                shared.store.set_network(&network)?;
            }
            let secs = heartbeat_secs.clamp(*HEARTBEAT_SECS.start(), *HEARTBEAT_SECS.end());
            tracing::info!(network, heartbeat_secs = secs, "connected to the hub");
            shared.tell(Link::Connected { has_credential });
            let session = Session::new(&network, &nonce, shared.key.signing_key().verifying_key().as_bytes());
            Ok(Greeted { socket, heartbeat: Duration::from_secs(secs.into()), network, session })
        }
        HubMessage::Refused { code, message } => Err(Broken::Refused { code, message }),
        _ => Err(Broken::Unexpected("another message than a welcome")),
    }
}

async fn receive(socket: &mut Socket) -> Result<HubMessage, Broken> {
    loop {
        match timeout(STEP_TIMEOUT, socket.next()).await.map_err(|_| Broken::Silent)? {
            None | Some(Ok(Message::Close(_))) => return Err(Broken::Closed),
            Some(Ok(Message::Text(text))) => match HubMessage::decode(&text)? {
                HubMessage::Unknown => {}
                message => return Ok(message),
            },
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(error.into()),
        }
    }
}

/// TLS for hubs on the internet, with the certificates that browsers trust.
pub(crate) fn connector() -> Connector {
    let roots = trusted_roots();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider supports the default versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    Connector::Rustls(Arc::new(config))
}

fn trusted_roots() -> rustls::RootCertStore {
    rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() }
}

/// Speaks over a welcomed connection until it breaks.
async fn talk(shared: &Arc<Shared>, greeted: Greeted) -> Result<Infallible, Broken> {
    let Greeted { socket, heartbeat, network, session } = greeted;
    let (mut sink, stream) = socket.split();
    let (outbox, mut waiting) = mpsc::channel::<Message>(OUTBOX);
    // The revision that this connection has brought; the hub knows from it what a report follows.
    let revision = Arc::new(AtomicU64::new(0));
    // Reading never waits for writing, so that two busy ends cannot block each other.
    let write = async {
        while let Some(message) = waiting.recv().await {
            sink.send(message).await?;
        }
        Err(Broken::Closed)
    };
    let proofs = Proofs::begin(shared, &network, outbox.clone());
    let ends = Ends { tunnel: Tunnel::new(shared.clone(), outbox.clone()), proofs: &proofs, outbox: outbox.clone() };
    tokio::select! {
        result = write => result,
        result = read(shared, stream, ends, &revision, heartbeat * SILENT_HEARTBEATS) => result,
        result = leave_tenants_in_peace(shared, &proofs) => result,
        result = report(shared, &outbox, &revision) => result,
        result = beat(shared, &outbox, &revision, heartbeat, &session) => result,
    }
}

/// Who takes what the hub says.
struct Ends<'a> {
    tunnel: Tunnel,
    proofs: &'a Proofs,
    outbox: mpsc::Sender<Message>,
}

/// Stops what is being proved as soon as the device is hired, and gets ready for proofs when it is free.
async fn leave_tenants_in_peace(shared: &Shared, proofs: &Proofs) -> Result<Infallible, Broken> {
    let mut desired = shared.desired.subscribe();
    loop {
        if desired.borrow_and_update().as_ref().is_some_and(|desired| !desired.workloads.is_empty()) {
            proofs.rest();
        } else {
            proofs.prepare();
        }
        desired.changed().await.map_err(|_| Broken::Closed)?;
    }
}

async fn read(
    shared: &Arc<Shared>,
    mut stream: SplitStream<Socket>,
    ends: Ends<'_>,
    revision: &AtomicU64,
    silence: Duration,
) -> Result<Infallible, Broken> {
    let Ends { mut tunnel, proofs, outbox } = ends;
    let mut has_desired = false;
    loop {
        let frame = timeout(silence, stream.next()).await.map_err(|_| Broken::Silent)?.ok_or(Broken::Closed)??;
        let text = match frame {
            Message::Text(text) => text,
            Message::Close(_) => return Err(Broken::Closed),
            _ => continue,
        };
        match HubMessage::decode(&text)? {
            HubMessage::Desired(desired) => {
                if has_desired && desired.revision < revision.load(Ordering::Relaxed) {
                    tracing::warn!(revision = desired.revision, "old desired state skipped");
                    continue;
                }
                has_desired = true;
                take_over(shared, desired, revision).await?;
            }
            HubMessage::Refused { code, message } => return Err(Broken::Refused { code, message }),
            HubMessage::Task(task) => proofs.task(task, shared.is_hired()),
            HubMessage::Ask(ask) => proofs.ask(ask),
            HubMessage::TaskCancel { task_id } => proofs.cancel(task_id),
            HubMessage::Transfer(ticket) => {
                tokio::spawn(transfer::run(shared.options.hub_url.clone(), ticket, outbox.clone()));
            }
            HubMessage::ProofEnded { passed: true, detail, .. } => tracing::info!(detail, "a proof was passed"),
            HubMessage::ProofEnded { code, detail, .. } => tracing::warn!(code, detail, "a proof failed"),
            HubMessage::HttpRequest(request) => tunnel.open(request),
            HubMessage::HttpBody(body) => tunnel.body(body),
            HubMessage::HttpCredit(credit) => tunnel.credit(credit),
            HubMessage::HttpCancel(cancel) => tunnel.cancel(cancel.request_id),
            HubMessage::Challenge { .. } | HubMessage::Welcome { .. } => return Err(Broken::Unexpected("a second greeting")),
            HubMessage::Credential { credential } => keep_credential(shared, &credential)?,
            HubMessage::Unknown => tracing::debug!("a message of an unknown kind skipped"),
        }
    }
}

async fn take_over(shared: &Arc<Shared>, desired: DesiredState, revision: &AtomicU64) -> Result<(), Broken> {
    let new = desired.revision;
    let shared = shared.clone();
    // It waits for the disk.
    let done = tokio::task::spawn_blocking(move || shared.set_desired(desired).map(|()| shared)).await;
    let shared = done.map_err(|_| Broken::Closed)??;
    revision.store(new, Ordering::Relaxed);
    // Also if nothing changes, the hub wants to hear that this revision was taken over.
    shared.observed.send_modify(|_| {});
    Ok(())
}

/// Tells the hub what runs, at once and on every change.
async fn report(shared: &Shared, outbox: &mpsc::Sender<Message>, revision: &AtomicU64) -> Result<Infallible, Broken> {
    let mut changes = shared.observed.subscribe();
    loop {
        let workloads = changes.borrow_and_update().values().cloned().collect();
        let state = ObservedState { desired_revision: revision.load(Ordering::Relaxed), unix_secs: shared.clock.unix_secs(), workloads };
        send(outbox, &AgentMessage::Observed(state)).await?;
        changes.changed().await.map_err(|_| Broken::Closed)?;
    }
}

async fn beat(
    shared: &Shared,
    outbox: &mpsc::Sender<Message>,
    revision: &AtomicU64,
    every: Duration,
    session: &Session,
) -> Result<Infallible, Broken> {
    let mut meter = Meter::begin();
    let mut sequence = 0;
    let mut ticks = tokio::time::interval_at(Instant::now() + every, every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        sequence += 1;
        let load = meter.read(&shared.device_id);
        let (revision, unix_secs) = (revision.load(Ordering::Relaxed), shared.clock.unix_secs());
        let heartbeat = Heartbeat::sign(shared.key.signing_key(), session, sequence, revision, unix_secs, load);
        send(outbox, &AgentMessage::Heartbeat(heartbeat)).await?;
        // The answer to it is the sign that the hub is there.
        outbox.send(Message::Ping(Vec::new().into())).await.map_err(|_| Broken::Closed)?;
    }
}

async fn send(outbox: &mpsc::Sender<Message>, message: &AgentMessage) -> Result<(), Broken> {
    outbox.send(Message::text(message.encode())).await.map_err(|_| Broken::Closed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hub_urls_become_websocket_urls() {
        assert_eq!(websocket_url("http://127.0.0.1:1/").unwrap(), "ws://127.0.0.1:1/v1/agents/connect");
        assert_eq!(websocket_url("https://hub.example.org").unwrap(), "wss://hub.example.org/v1/agents/connect");
        for bad in ["", "127.0.0.1", "ftp://x", "http://", "http://a b", "http://x/?a=b", "file:///etc/passwd"] {
            assert_eq!(websocket_url(bad).unwrap_err().code(), "hub_url_invalid", "{bad}");
        }
    }

    #[test]
    fn a_tls_connector_can_be_made() {
        assert!(matches!(connector(), Connector::Rustls(_)));
    }
}
