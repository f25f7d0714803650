//! A cluster's live state.

use std::{convert::Infallible, time::Duration};

use axum::{
    Extension,
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::{Stream, StreamExt as _};
use ionet_types::{ClusterId, clusters::Cluster};
use tokio::{
    sync::mpsc,
    time::{MissedTickBehavior, interval},
};
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    auth::{Bearer, Reader},
    extract::Path,
    problem::Problem,
    serve::Stopping,
    sse::{LastEventId, States},
    state::ApiState,
};

/// How often a stream asks whether its credential still holds.
const CHECK_EVERY: Duration = Duration::from_secs(5);

/// How often at most a state is sent.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);

/// The cluster's state as server-sent events: `cluster` with the whole state, now and whenever it changes; `end` when nothing more will come,
/// because the cluster is settled or forgotten, or the credential no longer holds (then with the `code` of a problem).
///
/// Each event's id is a digest of the state: with `Last-Event-ID` the first event comes when the state is another.
#[utoipa::path(get, path = "/v1/clusters/{id}/events", operation_id = "cluster_events", tag = "clusters", security(("bearer" = [])),
    params(("id" = ClusterId, Path, description = "The cluster."),
        ("Last-Event-ID" = Option<String>, Header, description = "Id of the last event that the client got.")),
    responses((status = 200, body = Cluster, content_type = "text/event-stream")))]
pub(crate) async fn list(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    bearer: Bearer,
    Path(id): Path<ClusterId>,
    last: LastEventId,
    stopping: Option<Extension<Stopping>>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let place = state.limits.streams.hold(caller.wallet)?;
    let clusters = state.hub.cluster_watch(&caller, id).await?;
    let keep_alive = KeepAlive::new().interval(state.options.keep_alive).text("alive");
    // A client that does not read holds only its own stream: the channel fills, and later states replace those that were not sent.
    let (events, receiver) = mpsc::channel(1);
    tokio::spawn(async move {
        let _place = place;
        let stop = Stopping::wait(stopping.map(|Extension(stopping)| stopping));
        tokio::select! {
            () = stop => {}
            () = events.closed() => {}
            () = tell(clusters, States::after(last), &events) => end(&events, None).await,
            problem = until_refused(&state, &bearer) => end(&events, Some(&problem)).await,
        }
    });
    Ok(Sse::new(ReceiverStream::new(receiver).map(Ok)).keep_alive(keep_alive))
}

/// Sends the states until there are no more, or nobody takes them.
async fn tell(mut clusters: impl Stream<Item = Cluster> + Unpin, mut states: States, events: &mpsc::Sender<Event>) {
    while let Some(cluster) = clusters.next().await {
        match states.event("cluster", &cluster) {
            Ok(Some(event)) => {
                if events.send(event).await.is_err() {
                    return;
                }
            }
            Ok(None) => {}
            Err(error) => return tracing::error!(%error, "a cluster could not be written as JSON"),
        }
        tokio::time::sleep(SHORTEST_PAUSE).await;
    }
}

/// Returns when the credential is refused. That the hub cannot tell at the moment is no refusal.
async fn until_refused(state: &ApiState, bearer: &Bearer) -> Problem {
    let mut checks = interval(CHECK_EVERY);
    checks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        checks.tick().await;
        if let Err(problem) = bearer.caller(state).await
            && problem.status().is_client_error()
        {
            return problem;
        }
    }
}

/// Says that nothing more will come, and why if there is a reason.
async fn end(events: &mpsc::Sender<Event>, problem: Option<&Problem>) {
    let data = problem.map_or_else(|| serde_json::json!({}), |problem| serde_json::json!({ "code": problem.code() }));
    // A client that has left needs no farewell.
    let _: Result<(), _> = events.send(Event::default().event("end").data(data.to_string())).await;
}
