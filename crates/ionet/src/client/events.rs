//! A cluster's live state, as the network streams it.

use std::time::Duration;

use anyhow::Result;
use eventsource_stream::Eventsource;
use futures::StreamExt;
use ionet_types::ClusterId;
use ionet_types::clusters::Cluster;
use tokio::time::{sleep, timeout};

use super::Client;
use crate::exit::{Exit, exit_of};

/// Longest silence of a stream before the state is read anew.
const SILENCE: Duration = Duration::from_secs(20);
/// Pause before a broken stream is opened again.
const PAUSE: Duration = Duration::from_millis(300);

impl Client {
    /// Follows a cluster until `done` says so, which sees every state that arrives. Streams that break are opened again.
    pub async fn follow_cluster(&self, id: ClusterId, mut done: impl FnMut(&Cluster) -> bool) -> Result<Cluster> {
        let path = format!("/v1/clusters/{id}/events");
        loop {
            // The state as it is now: a stream tells only of what is still to come.
            match self.cluster(id).await {
                Ok(cluster) if done(&cluster) => return Ok(cluster),
                Ok(_) => {}
                // A network that is starting again is not the end.
                Err(error) if exit_of(&error) == Exit::Error => {}
                Err(error) => return Err(error),
            }
            let request = self.http().get(format!("{}{path}", self.url())).bearer_auth(self.token().unwrap_or_default());
            if let Ok(answer) = request.send().await.and_then(reqwest::Response::error_for_status) {
                let mut events = answer.bytes_stream().eventsource();
                while let Ok(Some(Ok(event))) = timeout(SILENCE, events.next()).await {
                    // Events of another kind are for other readers.
                    if let Ok(cluster) = serde_json::from_str::<Cluster>(&event.data)
                        && done(&cluster)
                    {
                        return Ok(cluster);
                    }
                }
            }
            sleep(PAUSE).await;
        }
    }
}
