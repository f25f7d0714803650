//! Gives each request an id that its answer, its problem and every log line about it carry.

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use tracing::Instrument as _;
use uuid::Uuid;

/// Header of every answer.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

tokio::task_local! {
    static CURRENT: String;
}

/// Id of the request that this task works on, if any.
pub fn current() -> Option<String> {
    CURRENT.try_with(Clone::clone).ok()
}

/// Names the request and opens the span in which it is worked on.
///
/// The id is always made here: one that a client chose could be used to muddle the logs. The span holds the route's template rather than
/// the path and never a header, so that no id or secret of a customer is logged by it.
pub(crate) async fn name_request(request: Request, next: Next) -> Response {
    let id = Uuid::now_v7().to_string();
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let span = tracing::info_span!("http", request.id = %id, http.method = %request.method(), http.route = route);
    let value = HeaderValue::from_str(&id).expect("a UUID is visible ASCII");
    let started = std::time::Instant::now();
    let work = async {
        let response = next.run(request).await;
        tracing::debug!(http.status = response.status().as_u16(), http.duration_ms = started.elapsed().as_millis(), "answered");
        response
    };
    let mut response = CURRENT.scope(id, work.instrument(span)).await;
    response.headers_mut().insert(REQUEST_ID, value);
    response
}
