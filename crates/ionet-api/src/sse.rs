//! Live state as server-sent events.
//!
//! A stream carries states, not changes: each event is the whole truth at its time, so a client that was cut off has missed nothing once
//! it has the next one. The event's id is a digest of the state: a client that comes back with `Last-Event-ID` is sent nothing until the
//! state is another.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use axum::{
    extract::FromRequestParts,
    http::{HeaderName, request::Parts},
    response::sse::Event,
};
use serde::Serialize;

/// Header in which a client that comes back names the last event it got.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The last event that the client got, if it says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LastEventId(pub(crate) Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for LastEventId {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        // An id that was not made here fits no state, so it needs no refusal.
        let value = parts.headers.get(LAST_EVENT_ID).and_then(|value| value.to_str().ok());
        Ok(Self(value.map(str::to_owned)))
    }
}

/// Turns states into events, leaving out those that the client has.
#[derive(Debug)]
pub(crate) struct States {
    last: Option<String>,
}

impl States {
    /// Begins after the event `last`.
    pub(crate) fn after(last: LastEventId) -> Self {
        Self { last: last.0 }
    }

    /// The event for `state`, or `None` if the client has it already.
    pub(crate) fn event(&mut self, name: &str, state: &impl Serialize) -> Result<Option<Event>, serde_json::Error> {
        let json = serde_json::to_string(state)?;
        let mut hasher = DefaultHasher::new();
        json.hash(&mut hasher);
        let id = format!("{:016x}", hasher.finish());
        if self.last.as_ref() == Some(&id) {
            return Ok(None);
        }
        self.last = Some(id.clone());
        Ok(Some(Event::default().event(name).id(id).data(json)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_sent_once_and_not_again_after_a_reconnect() {
        let mut states = States::after(LastEventId::default());
        assert!(states.event("cluster", &1).expect("serialises").is_some());
        assert!(states.event("cluster", &1).expect("serialises").is_none());
        let mut again = States::after(LastEventId(states.last.clone()));
        assert!(again.event("cluster", &1).expect("serialises").is_none());
        assert!(again.event("cluster", &2).expect("serialises").is_some());
        assert!(again.event("cluster", &1).expect("serialises").is_some(), "a state that comes back is news");
    }
}
