//! Where suppliers' devices connect.

use std::time::Duration;

use axum::{
    Extension,
    body::Bytes,
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code, rejection::WebSocketUpgradeRejection},
    },
    response::Response,
};
use futures::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use ionet_hub::{AgentInbox, AgentOutbox, Hub};
use ionet_types::{
    agent::{AgentMessage, HubMessage, MAX_FRAME_BYTES, MAX_TEXT_BYTES, ProtocolError},
    problem::Code,
};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

use crate::{guards::Origin, problem::Problem, serve::Stopping, state::ApiState};

/// How often an agent is asked for a sign of life.
const PING_EVERY: Duration = Duration::from_secs(20);

/// How long an agent may be silent, pongs included.
const LONGEST_SILENCE: Duration = Duration::from_secs(70);

/// How long one frame may take to leave. An agent that does not read is cut off rather than waited for: it connects again, and the
/// leases it holds let its workloads run on meanwhile.
const SEND_TIMEOUT: Duration = Duration::from_secs(20);

/// How long a device may take to prove who it is.
const HELLO_TIMEOUT: Duration = Duration::from_secs(20);

type Sink = SplitSink<WebSocket, Message>;
type Frames = SplitStream<WebSocket>;

/// Opens the one connection over which an agent hears what to run and says what runs. Websocket; the messages are described in the
/// crate `ionet-types`, module `agent`. The device proves its key in the first message.
#[utoipa::path(get, path = "/v1/agents/connect", operation_id = "agent_connect", tag = "agents",
    responses((status = 101, description = "The connection is a websocket now.")))]
pub(crate) async fn connect(
    State(state): State<ApiState>,
    origin: Origin,
    stopping: Option<Extension<Stopping>>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Problem> {
    let upgrade = upgrade.map_err(|refused| Problem::new(Code::UpgradeRequired).because(refused))?;
    let place = state.limits.agents.hold(origin.0)?;
    let stopping = stopping.map(|Extension(stopping)| stopping);
    let upgrade = upgrade.max_message_size(MAX_FRAME_BYTES).max_frame_size(MAX_FRAME_BYTES).max_write_buffer_size(4 * MAX_FRAME_BYTES);
    Ok(upgrade.on_upgrade(move |socket| async move {
        let (code, reason) = talk(&state.hub, origin, socket, stopping).await;
        tracing::debug!(agent.close_code = code, agent.close_reason = reason, "an agent's connection ended");
        drop(place);
    }))
}

/// Lets the device prove who it is, then carries messages both ways until one party has had enough; says why it ended.
async fn talk(hub: &Hub, origin: Origin, socket: WebSocket, stopping: Option<Stopping>) -> (u16, &'static str) {
    let (mut sink, mut frames) = socket.split();
    let ended = tokio::select! {
        () = Stopping::wait(stopping) => (close_code::RESTART, "hub_stops"),
        ended = converse(hub, origin, &mut sink, &mut frames) => ended,
    };
    let farewell = CloseFrame { code: ended.0, reason: ended.1.into() };
    send(&mut sink, Message::Close(Some(farewell))).await;
    ended
}

async fn converse(hub: &Hub, origin: Origin, sink: &mut Sink, frames: &mut Frames) -> (u16, &'static str) {
    let (inbox, mut outbox) = match timeout(HELLO_TIMEOUT, introduce(hub, origin, sink, frames)).await {
        Ok(Ok(session)) => session,
        Ok(Err(ended)) => return ended,
        Err(_) => return (close_code::POLICY, "hello_timeout"),
    };
    let mut pings = interval(PING_EVERY);
    pings.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut heard = Instant::now();
    loop {
        let out = tokio::select! {
            message = outbox.next() => match message {
                Some(message) => Message::text(message.encode()),
                // The device has connected anew, or its agent says nothing although its machine answers pings.
                None => return (close_code::POLICY, "session_over"),
            },
            frame = read(frames) => {
                heard = Instant::now();
                match frame {
                    Ok(Some(message)) => match inbox.receive(message) {
                        Ok(()) => continue,
                        Err(error) => return refuse(sink, error.code(), error.message()).await,
                    },
                    Ok(None) => continue,
                    Err(Left::Ended(code, reason)) => return (code, reason),
                    Err(Left::Erred(error)) => return refuse(sink, error.code(), &error.to_string()).await,
                }
            },
            _ = pings.tick() => {
                if heard.elapsed() > LONGEST_SILENCE {
                    return (close_code::AWAY, "agent_silent");
                }
                Message::Ping(Bytes::new())
            },
        };
        if !send(sink, out).await {
            return (close_code::POLICY, "agent_does_not_read");
        }
    }
}

/// Challenges the device and opens its session, or says why not.
async fn introduce(
    hub: &Hub,
    origin: Origin,
    sink: &mut Sink,
    frames: &mut Frames,
) -> Result<(AgentInbox, AgentOutbox), (u16, &'static str)> {
    let pending = hub.agents().open().from_address(origin.0);
    if !send(sink, Message::text(pending.challenge().encode())).await {
        return Err((close_code::POLICY, "agent_does_not_read"));
    }
    let hello = loop {
        match read(frames).await {
            Ok(Some(AgentMessage::Hello(hello))) => break hello,
            Ok(Some(_)) => return Err(refuse(sink, "hello_missing", "the first message must be a hello").await),
            Ok(None) => {}
            Err(Left::Ended(code, reason)) => return Err((code, reason)),
            Err(Left::Erred(error)) => return Err(refuse(sink, error.code(), &error.to_string()).await),
        }
    };
    match pending.accept(*hello).await {
        Ok(session) => Ok(session),
        Err(refusal) => {
            send(sink, Message::text(refusal.encode())).await;
            Err((close_code::POLICY, "refused"))
        }
    }
}

/// Why nothing more can be read.
enum Left {
    /// The connection is over.
    Ended(u16, &'static str),
    /// What came is no message.
    Erred(ProtocolError),
}

/// The next frame: a message, or a sign of life without one.
async fn read(frames: &mut Frames) -> Result<Option<AgentMessage>, Left> {
    match frames.next().await {
        Some(Ok(Message::Text(text))) => AgentMessage::decode(&text).map(Some).map_err(Left::Erred),
        Some(Ok(Message::Ping(_) | Message::Pong(_))) => Ok(None),
        Some(Ok(Message::Binary(_))) => Err(Left::Ended(close_code::UNSUPPORTED, "frame_not_text")),
        Some(Ok(Message::Close(_))) | None => Err(Left::Ended(close_code::NORMAL, "agent_left")),
        Some(Err(_)) => Err(Left::Ended(close_code::PROTOCOL, "connection_broken")),
    }
}

/// Tells the agent why its connection is closed.
async fn refuse(sink: &mut Sink, code: &str, message: &str) -> (u16, &'static str) {
    let mut message = message.to_owned();
    while message.len() > MAX_TEXT_BYTES {
        message.pop();
    }
    let refusal = HubMessage::Refused { code: code.to_owned(), message };
    send(sink, Message::text(refusal.encode())).await;
    (close_code::POLICY, "refused")
}

/// Sends one frame; `false` if it could not leave in time.
async fn send(sink: &mut Sink, message: Message) -> bool {
    matches!(timeout(SEND_TIMEOUT, sink.send(message)).await, Ok(Ok(())))
}
