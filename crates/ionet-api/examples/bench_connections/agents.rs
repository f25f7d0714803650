//! Many agents that do nothing but be there.

use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use ed25519_dalek::SigningKey;
use futures::{SinkExt as _, StreamExt as _};
use ionet_types::agent::{AgentMessage, DesiredState, Hardware, Heartbeat, Hello, HubMessage, Introduction, Load, ObservedState, Session};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, watch};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// Connections that are being opened at once: as many as a kernel lets wait.
const AT_ONCE: usize = 512;
/// How long all of them may take.
const PATIENCE: Duration = Duration::from_mins(8);

/// Connects them all, says how long it took, and does so again whenever a line is read.
pub(crate) async fn run(base: String, count: usize) -> anyhow::Result<()> {
    let url: Arc<str> = format!("{}/v1/agents/connect", base.replacen("http", "ws", 1)).into();
    let (rounds, _) = watch::channel(0_u64);
    let welcomed = Arc::new(AtomicUsize::new(0));
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut begun = Instant::now();
    for _ in 0..count {
        tokio::spawn(agent(url.clone(), rounds.subscribe(), welcomed.clone(), places.clone()));
    }
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    loop {
        while welcomed.load(Ordering::SeqCst) < count {
            if begun.elapsed() > PATIENCE {
                bail!("{} of {count} agents were welcomed in {} s", welcomed.load(Ordering::SeqCst), PATIENCE.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        println!("{}", begun.elapsed().as_secs_f64());
        std::io::stdout().flush()?;
        if lines.next_line().await?.is_none() {
            return Ok(());
        }
        welcomed.store(0, Ordering::SeqCst);
        begun = Instant::now();
        rounds.send_modify(|round| *round += 1);
    }
}

/// One agent: connects, is welcomed, beats until the next round, and begins again.
async fn agent(url: Arc<str>, mut rounds: watch::Receiver<u64>, welcomed: Arc<AtomicUsize>, places: Arc<Semaphore>) {
    let key = SigningKey::from_bytes(&rand::random());
    let mut credential = None;
    loop {
        rounds.borrow_and_update();
        let place = places.acquire().await;
        let connected = greet(&url, &key, &mut credential).await;
        drop(place);
        match connected {
            Ok((socket, session)) => {
                welcomed.fetch_add(1, Ordering::SeqCst);
                if let Err(error) = beat(socket, &key, &session, &mut rounds).await {
                    eprintln!("an agent lost the hub: {error:#}");
                }
            }
            // As a real one does, after a moment.
            Err(error) => {
                eprintln!("an agent was not welcomed: {error:#}");
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
}

async fn greet(url: &str, key: &SigningKey, credential: &mut Option<String>) -> anyhow::Result<(Socket, Session)> {
    let (mut socket, _) = connect_async(url).await?;
    let HubMessage::Challenge { nonce, network } = next(&mut socket).await? else { bail!("no challenge") };
    let hardware = Hardware { cpu_model: "bench".to_owned(), cpus: 8, machine_cpus: 8, memory_mb: 1 << 15, ..Hardware::default() };
    let introduction = Introduction { credential: credential.clone(), ..Introduction::new("bench", hardware) };
    say(&mut socket, &AgentMessage::Hello(Box::new(Hello::sign(key, &network, &nonce, introduction)))).await?;
    let HubMessage::Welcome { .. } = next(&mut socket).await? else { bail!("no welcome") };
    let HubMessage::Credential { credential: new } = next(&mut socket).await? else { bail!("no credential") };
    *credential = Some(new.reveal().to_owned());
    Ok((socket, Session::new(&network, &nonce, key.verifying_key().as_bytes())))
}

/// Heartbeats every 30 s, and answers to what is desired, until the next round.
async fn beat(mut socket: Socket, key: &SigningKey, session: &Session, rounds: &mut watch::Receiver<u64>) -> anyhow::Result<()> {
    let first = Duration::from_millis(rand::random_range(0..30_000));
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + first, Duration::from_secs(30));
    let mut sequence = 0;
    loop {
        tokio::select! {
            changed = rounds.changed() => return changed.context("the run is over"),
            _ = ticks.tick() => {
                sequence += 1;
                say(&mut socket, &AgentMessage::Heartbeat(Heartbeat::sign(key, session, sequence, 0, 0, Load::default()))).await?;
            }
            message = next(&mut socket) => {
                if let HubMessage::Desired(DesiredState { revision, .. }) = message? {
                    let state = ObservedState { desired_revision: revision, unix_secs: 0, workloads: Vec::new() };
                    say(&mut socket, &AgentMessage::Observed(state)).await?;
                }
            }
        }
    }
}

async fn next(socket: &mut Socket) -> anyhow::Result<HubMessage> {
    loop {
        match socket.next().await.context("the hub has closed")?? {
            Message::Text(text) => match HubMessage::decode(&text)? {
                HubMessage::Refused { code, message } => bail!("refused: {code}: {message}"),
                message => return Ok(message),
            },
            Message::Close(reason) => bail!("closed: {reason:?}"),
            _ => {}
        }
    }
}

async fn say(socket: &mut Socket, message: &AgentMessage) -> anyhow::Result<()> {
    Ok(socket.send(Message::text(message.encode())).await?)
}
