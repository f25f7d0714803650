//! A cluster's own Ray, through the connection of the agent that runs its head.

use std::io;

use axum::{
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Response},
};
use futures::{
    StreamExt as _, TryStreamExt as _,
    stream::{self, BoxStream},
};
use http_body_util::Limited;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use ionet_hub::{Caller, HubError, RayRequest, RayResponse};
use ionet_types::{
    Address, ClusterId,
    agent::tunnel::{MAX_CHUNK_BYTES, MAX_HEADERS, MAX_HEADERS_BYTES, MAX_PATH_BYTES, MAX_REQUEST_BODY_BYTES},
    keys::Scope,
    problem::Code,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    sync::mpsc,
};
use tokio_stream::wrappers::ReceiverStream;

use crate::{
    auth::Reader,
    extract::Path,
    headers::{forwarded_request, returned_response},
    limits::Held,
    problem::Problem,
    state::ApiState,
};

/// Chunks of an upgraded connection that wait here for the agent.
const CHUNKS_WAITING: usize = 4;

/// Headers of a websocket handshake, which cross the proxy although they are about one connection: both connections change together.
const HANDSHAKE: [HeaderName; 5] = [
    header::SEC_WEBSOCKET_KEY,
    header::SEC_WEBSOCKET_VERSION,
    header::SEC_WEBSOCKET_PROTOCOL,
    header::SEC_WEBSOCKET_EXTENSIONS,
    header::SEC_WEBSOCKET_ACCEPT,
];

/// Hands any request on to the cluster's Jobs API and dashboard, with `path` and query as they are, and streams the answer back. Websockets
/// work too. `GET`, `HEAD` and `OPTIONS` need a credential that may read; all other methods need one that may write.
#[utoipa::path(method(get, post, put, delete, patch, head, options), path = "/v1/clusters/{id}/ray/{*path}", operation_id = "ray_proxy", tag = "ray",
    security(("bearer" = [])),
    params(("id" = ClusterId, Path, description = "The cluster."), ("path" = String, Path, description = "The path at Ray's own server.")),
    responses((status = "2XX", description = "Ray's own answer.")))]
pub(crate) async fn proxy(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Path(ids): Path<(ClusterId, String)>,
    request: Request,
) -> Result<Response, Problem> {
    pass_on(&state, caller, ids.0, request).await
}

/// The same for the root of Ray's own server.
#[utoipa::path(method(get, post, put, delete, patch, head, options), path = "/v1/clusters/{id}/ray/", operation_id = "ray_proxy_root", tag = "ray",
    security(("bearer" = [])), params(("id" = ClusterId, Path, description = "The cluster.")),
    responses((status = "2XX", description = "Ray's own answer.")))]
pub(crate) async fn proxy_root(
    State(state): State<ApiState>,
    Reader(caller): Reader,
    Path(id): Path<ClusterId>,
    request: Request,
) -> Result<Response, Problem> {
    pass_on(&state, caller, id, request).await
}

async fn pass_on(state: &ApiState, caller: Caller, id: ClusterId, mut request: Request) -> Result<Response, Problem> {
    let looks_only = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if !looks_only && caller.scope != Scope::Write {
        return Err(Code::ScopeInsufficient.into());
    }
    let place = state.limits.streams.hold(caller.wallet)?;
    let path = path_at_ray(&request)?;
    let upgrade = wants_websocket(request.headers()).then(|| hyper::upgrade::on(&mut request));
    let (parts, body) = request.into_parts();
    let headers = headers_for_ray(&parts, upgrade.is_some())?;
    let (to_ray, waiting) = mpsc::channel(CHUNKS_WAITING);
    let body = if upgrade.is_some() { ReceiverStream::new(waiting).map(Ok).boxed() } else { limited(body) };
    let tunnelled = RayRequest { method: parts.method.to_string(), path, headers, body };
    let response = state.hub.ray_request(&caller, id, tunnelled).await?;
    let status = StatusCode::from_u16(response.status).map_err(|error| Problem::new(Code::TunnelFailed).because(error))?;
    match upgrade {
        Some(upgrade) if status == StatusCode::SWITCHING_PROTOCOLS => Ok(switch(response, upgrade, to_ray, place)),
        // Nobody asked to switch.
        _ if status.is_informational() => Err(Problem::new(Code::TunnelFailed).because(format!("the dashboard answered {status}"))),
        _ => Ok(answer(status, response, place)),
    }
}

/// The customer's body, read as fast as the agent takes it. An error ends the request; an end without one is a whole body.
fn limited(body: Body) -> BoxStream<'static, Result<Bytes, io::Error>> {
    let most = usize::try_from(MAX_REQUEST_BODY_BYTES).unwrap_or(usize::MAX);
    Body::new(Limited::new(body, most)).into_data_stream().map_err(io::Error::other).boxed()
}

/// Path and query as the cluster's Ray shall see them: what follows `.../ray`, percent-encoding untouched.
fn path_at_ray(request: &Request) -> Result<String, Problem> {
    // The route begins with `/v1/clusters/{id}/ray`, five slashes before the rest.
    let whole = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let rest = whole.splitn(6, '/').nth(5).unwrap_or_default();
    let path = format!("/{rest}");
    // The query of the bare `/v1/clusters/{id}/ray?...` would be part of the last segment; that path is not routed here.
    if path.len() > MAX_PATH_BYTES {
        return Err(Problem::new(Code::RequestMalformed).field("path").detail(format!("at most {MAX_PATH_BYTES} bytes are taken")));
    }
    Ok(path)
}

fn wants_websocket(headers: &HeaderMap) -> bool {
    let names = |name, token: &str| {
        let values = headers.get_all(name).iter().filter_map(|value: &HeaderValue| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
    };
    names(header::CONNECTION, "upgrade") && names(header::UPGRADE, "websocket")
}

fn headers_for_ray(parts: &Parts, websocket: bool) -> Result<Vec<(String, String)>, Problem> {
    let mut headers = forwarded_request(&parts.headers);
    if websocket {
        headers.push(("connection".to_owned(), "upgrade".to_owned()));
        headers.push(("upgrade".to_owned(), "websocket".to_owned()));
    } else if parts.headers.contains_key(header::TRANSFER_ENCODING) && !parts.headers.contains_key(header::CONTENT_LENGTH) {
        // Tells the other end of the tunnel that a body follows whose length is not known.
        headers.push(("transfer-encoding".to_owned(), "chunked".to_owned()));
    }
    let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if headers.len() > MAX_HEADERS || bytes > MAX_HEADERS_BYTES {
        let detail = format!("at most {MAX_HEADERS} headers of {MAX_HEADERS_BYTES} bytes in all are taken");
        return Err(Problem::new(Code::RequestMalformed).field("headers").detail(detail));
    }
    Ok(headers)
}

/// Ray's answer, streamed as it comes.
fn answer(status: StatusCode, response: RayResponse, place: Held<Address>) -> Response {
    let headers = returned_response(&response.headers);
    let body = stream::unfold((response.body, place), |(mut body, place)| async move {
        let chunk = body.next().await?;
        Some((chunk, (body, place)))
    });
    (status, headers, Body::from_stream(body)).into_response()
}

/// Answers that the connection is a websocket now, and carries its bytes both ways until one side ends.
fn switch(response: RayResponse, upgrade: OnUpgrade, to_ray: mpsc::Sender<Bytes>, place: Held<Address>) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    for (name, value) in &response.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value.as_str()))
            && HANDSHAKE.contains(&name)
        {
            headers.append(name, value);
        }
    }
    tokio::spawn(async move {
        let _place = place;
        match upgrade.await {
            Ok(connection) => carry(TokioIo::new(connection), response.body, to_ray).await,
            Err(error) => tracing::debug!(%error, "a websocket to a cluster was not opened"),
        }
    });
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// Carries bytes between the customer's connection and the tunnel.
async fn carry(
    connection: impl AsyncRead + AsyncWrite,
    mut from_ray: BoxStream<'static, Result<Bytes, HubError>>,
    to_ray: mpsc::Sender<Bytes>,
) {
    let (mut reader, mut writer) = tokio::io::split(connection);
    let up = async {
        let mut buffer = vec![0; MAX_CHUNK_BYTES];
        while let Ok(read @ 1..) = reader.read(&mut buffer).await {
            if to_ray.send(Bytes::copy_from_slice(&buffer[..read])).await.is_err() {
                return;
            }
        }
    };
    let down = async {
        while let Some(Ok(bytes)) = from_ray.next().await {
            if writer.write_all(&bytes).await.is_err() {
                return;
            }
        }
        // The customer may be gone already.
        let _: io::Result<()> = writer.shutdown().await;
    };
    // A websocket is over when either side has closed.
    tokio::select! { () = up => {} () = down => {} }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(uri: &str) -> Request {
        Request::builder().uri(uri).body(Body::empty()).expect("a request")
    }

    #[test]
    fn ray_sees_its_own_path_untouched() {
        let id = "0193a0f2-7c1e-7d5a-9b1c-5d1f0e6a7b21";
        for (rest, seen) in
            [("", "/"), ("api/jobs/", "/api/jobs/"), ("a%2F..%2Fb?x=%20&y", "/a%2F..%2Fb?x=%20&y"), ("?x=1", "/?x=1"), ("//a", "///a")]
        {
            let path = path_at_ray(&request(&format!("/v1/clusters/{id}/ray/{rest}"))).expect("short enough");
            assert_eq!(path, seen);
        }
        assert!(path_at_ray(&request(&format!("/v1/clusters/{id}/ray/{}", "a".repeat(MAX_PATH_BYTES)))).is_err());
    }

    #[test]
    fn only_a_websocket_handshake_is_an_upgrade() {
        let headers = |connection: &'static str, upgrade: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONNECTION, HeaderValue::from_static(connection));
            headers.insert(header::UPGRADE, HeaderValue::from_static(upgrade));
            headers
        };
        assert!(wants_websocket(&headers("keep-alive, Upgrade", "WebSocket")));
        assert!(!wants_websocket(&headers("keep-alive", "websocket")));
        assert!(!wants_websocket(&headers("upgrade", "h2c")));
        assert!(!wants_websocket(&HeaderMap::new()));
    }
}
