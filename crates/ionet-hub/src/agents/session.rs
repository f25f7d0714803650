//! The two ends of one agent's connection, for whoever moves its messages over a socket.

use ionet_devices::fleet::Dropped;
use ionet_devices::{BlockReason, Event};
use ionet_types::DeviceId;
use ionet_types::agent::challenge::Direction;
use ionet_types::agent::{AgentMessage, Answer, DesiredState, Heartbeat, HubMessage, ObservedState};
use ionet_types::problem::Code;

use super::Agents;
use super::directory::{Channels, on_our_clock};
use crate::error::{ErrorKind, HubError, HubResult};

/// Takes what the agent says. Dropping it ends the session: the device is unknown until it connects again.
pub struct AgentInbox {
    agents: Agents,
    device: DeviceId,
    generation: u64,
}

impl AgentInbox {
    pub(super) fn new(agents: Agents, device: DeviceId, generation: u64) -> Self {
        Self { agents, device, generation }
    }

    /// Which device it is.
    pub fn device(&self) -> DeviceId {
        self.device
    }

    /// Takes a message. On an error the connection is to be closed.
    pub fn receive(&self, message: AgentMessage) -> HubResult<()> {
        let shared = &self.agents.0;
        if !shared.directory.heard(self.device, self.generation) {
            return Err(closed("a newer connection of this device has taken over"));
        }
        match message {
            AgentMessage::Observed(observed) => self.observed(observed),
            AgentMessage::Heartbeat(heartbeat) => return self.beat(&heartbeat),
            AgentMessage::Answer(answer) => self.answered(*answer),
            AgentMessage::TransferReport(report) => shared.transfers.end(report.ticket, Direction::Download, &report.digest),
            AgentMessage::Unknown => {}
            AgentMessage::Hello(_) => return Err(closed("a hello is said once")),
            AgentMessage::HttpResponse(response) => self.requests(|requests| requests.response(response)),
            AgentMessage::HttpBody(body) => self.requests(|requests| requests.body(body)),
            AgentMessage::HttpCredit(credit) => self.requests(|requests| requests.credit(credit)),
            AgentMessage::HttpError(error) => self.requests(|requests| requests.failed(error)),
        }
        Ok(())
    }

    fn requests(&self, act: impl FnOnce(&mut super::tunnel::Requests)) {
        self.agents.0.directory.with(self.device, Some(self.generation), |session| act(&mut session.requests));
    }

    /// Checks a heartbeat and takes it in. One that is not this device's, on this connection, in its order, ends the connection.
    fn beat(&self, heartbeat: &Heartbeat) -> HubResult<()> {
        let shared = &self.agents.0;
        let place = shared.directory.with(self.device, Some(self.generation), |session| session.place);
        let Some(place) = place.flatten() else { return Ok(()) };
        let now_unix_secs = shared.clock.now_unix_secs();
        match shared.lives.beat(self.device, place, heartbeat, now_unix_secs) {
            Ok(beat) => {
                if beat.clock_stepped {
                    tracing::warn!(device = %self.device, skew_secs = beat.skew_secs, "a device's clock was set; nothing depends on it");
                }
                if let Some(reason) = beat.offence.filter(|_| shared.time_lock) {
                    self.agents.offence(self.device, reason, now_unix_secs);
                }
                Ok(())
            }
            Err(Dropped::Heartbeat(error)) => {
                tracing::warn!(device = %self.device, code = error.code(), "a heartbeat was refused");
                Err(closed(&error.to_string()))
            }
            // A newer connection has taken over; it says so itself.
            Err(_) => Ok(()),
        }
    }

    /// Hands an answer to whoever runs the proof. Nobody does, or it does not listen: then nobody asked.
    fn answered(&self, answer: Answer) {
        let prover = self.agents.0.directory.with(self.device, Some(self.generation), |session| session.prover.clone());
        if let Some(prover) = prover.flatten() {
            let _ = prover.try_send(answer);
        }
    }

    fn observed(&self, observed: ObservedState) {
        let shared = &self.agents.0;
        let observed = on_our_clock(observed, shared.clock.now_unix_secs());
        let Some(touched) = shared.directory.observe(self.device, self.generation, observed) else { return };
        shared.signals.deployments.notify_one();
        for id in touched {
            shared.signals.changed(id);
        }
    }
}

impl Drop for AgentInbox {
    fn drop(&mut self) {
        self.agents.disconnect(self.device, self.generation);
    }
}

impl Agents {
    /// A device was not as idle as it was offered, or not its tenant's alone.
    fn offence(&self, device: DeviceId, reason: BlockReason, now_unix_secs: i64) {
        let shared = self.0.clone();
        tracing::warn!(%device, reason = reason.code(), "a device has foreign load");
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = shared.tell(device, Event::Blocked { reason }, now_unix_secs).await {
                    tracing::warn!(%device, error = &error as &dyn std::error::Error, "an offence could not be stored");
                }
            });
        }
    }

    /// Ends a device's connection, if it has one.
    pub(crate) fn end(&self, device: DeviceId) {
        if let Some(generation) = self.0.directory.generation(device) {
            self.disconnect(device, generation);
        }
    }

    fn disconnect(&self, device: DeviceId, generation: u64) {
        let shared = self.0.clone();
        let now_unix_secs = shared.clock.now_unix_secs();
        let Some((presence, place)) = shared.directory.disconnect(device, generation, now_unix_secs) else { return };
        shared.marks.mark(device);
        if let Some(place) = place {
            shared.lives.left(device, place, now_unix_secs);
        }
        tracing::info!(%device, "a device disconnected");
        shared.signals.deployments.notify_one();
        // Lost with the runtime it does no harm: the next run closes the presence when this one was last there.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                // A device that is back already has not left.
                if shared.directory.seen_one(device).is_none()
                    && let Err(error) = shared.lives.apply(&shared.store, device, Event::Disconnected, now_unix_secs).await
                {
                    tracing::warn!(%device, error = &error as &dyn std::error::Error, "that a device has left could not be stored");
                }
                if let Err(error) = shared.store.presence_end(presence, now_unix_secs).await {
                    tracing::warn!(%device, error = &error as &dyn std::error::Error, "the end of a presence could not be stored");
                }
                if let Err(error) = shared.store.device_seen(device, now_unix_secs).await {
                    tracing::warn!(%device, error = &error as &dyn std::error::Error, "when a device was last heard of could not be stored");
                }
                for reservation in shared.store.reservations_on(device).await.unwrap_or_default() {
                    shared.signals.changed(reservation.cluster_id);
                }
            });
        }
    }
}

/// Gives what the agent is to be told.
pub struct AgentOutbox {
    agents: Agents,
    device: DeviceId,
    generation: u64,
    /// What comes first, once.
    greeting: std::vec::IntoIter<HubMessage>,
    channels: Channels,
}

impl AgentOutbox {
    pub(super) fn new(agents: Agents, device: DeviceId, generation: u64, greeting: Vec<HubMessage>, channels: Channels) -> Self {
        Self { agents, device, generation, greeting: greeting.into_iter(), channels }
    }

    /// The next message to send; `None` when the connection is to be closed: the device has connected anew, or is silent for too long.
    /// Losing the future loses no message.
    pub async fn next(&mut self) -> Option<HubMessage> {
        if let Some(message) = self.greeting.next() {
            return Some(message);
        }
        let shared = self.agents.0.clone();
        loop {
            let silent_for = shared.directory.silent_for(self.device, self.generation)?;
            let patience = shared.silence().saturating_sub(silent_for);
            if patience.is_zero() {
                self.agents.disconnect(self.device, self.generation);
                return None;
            }
            tokio::select! {
                biased;
                changed = self.channels.desired.changed() => {
                    changed.ok()?;
                    if let Some(desired) = self.channels.desired.borrow_and_update().clone() {
                        // Sent late it is read late: a lease is then longer, never shorter.
                        let hub_unix_secs = Some(shared.clock.now_unix_secs());
                        return Some(HubMessage::Desired(DesiredState { hub_unix_secs, ..desired }));
                    }
                }
                message = self.channels.messages.recv() => return message,
                () = tokio::time::sleep(patience) => {}
            }
        }
    }
}

fn closed(message: &str) -> HubError {
    HubError::new(ErrorKind::Conflict, Code::RequestMalformed).saying(message)
}
