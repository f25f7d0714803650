//! JSON-RPC over HTTP. Everything that arrives is taken for hostile: bodies and batches are limited, and a panic
//! anywhere costs one request.

use super::websocket;
use crate::{Chain, ChainError, RpcError};
use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequestParts, Request, State, WebSocketUpgrade},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use futures::{StreamExt, stream};
use serde_json::{Value, json};
use std::{io, net::Ipv4Addr};
use tokio::net::TcpListener;
use tower_http::{catch_panic::CatchPanicLayer, cors::CorsLayer};

/// The largest body of a POST.
const MAX_BODY_BYTES: usize = 512 << 10;
/// The most calls in one batch.
const MAX_BATCH_LEN: usize = 100;
/// How many calls of a batch are under way at once.
const BATCH_CONCURRENCY: usize = 16;

/// Binds two neighbouring loopback ports, for JSON-RPC and, as Solana's clients expect, websockets one above.
/// `port` 0 chooses a free pair. Serve both with [`Chain::serve`]: either port speaks both.
pub async fn bind_pair(port: u16) -> io::Result<(TcpListener, TcpListener)> {
    const ATTEMPTS: u32 = 64;
    let mut attempt = 0;
    loop {
        attempt += 1;
        let rpc = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let next = rpc.local_addr()?.port().checked_add(1);
        let websocket = match next {
            Some(next) => TcpListener::bind((Ipv4Addr::LOCALHOST, next)).await,
            None => Err(io::ErrorKind::AddrInUse.into()),
        };
        match websocket {
            Ok(websocket) => return Ok((rpc, websocket)),
            Err(_) if port == 0 && attempt < ATTEMPTS => {}
            Err(err) => return Err(err),
        }
    }
}

pub(crate) async fn serve(chain: Chain, listener: TcpListener) -> Result<(), ChainError> {
    let shared = chain.shared().clone();
    let router = Router::new()
        .route("/", get(open).post(post))
        .route("/health", get(health))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(CatchPanicLayer::new())
        // A wallet in a browser comes from another origin.
        .layer(CorsLayer::permissive())
        .with_state(chain);
    axum::serve(listener, router).with_graceful_shutdown(async move { shared.closed().await }).await.map_err(|source| ChainError::Io {
        what: "serve",
        path: "JSON-RPC".into(),
        source,
    })
}

async fn health(State(chain): State<Chain>) -> Response {
    match chain.shared().failure() {
        None => "ok".into_response(),
        Some(reason) => (StatusCode::SERVICE_UNAVAILABLE, reason.to_owned()).into_response(),
    }
}

/// GET `/`: a websocket, or a word to somebody with a browser.
async fn open(State(chain): State<Chain>, request: Request) -> Response {
    let (mut parts, _) = request.into_parts();
    match WebSocketUpgrade::from_request_parts(&mut parts, &chain).await {
        Ok(upgrade) => websocket::accept(chain, upgrade),
        Err(_) => {
            (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, "POST")], "POST JSON-RPC here, or open a websocket for subscriptions\n")
                .into_response()
        }
    }
}

async fn post(State(chain): State<Chain>, body: Bytes) -> Response {
    let request: Value = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(err) => return Json(failure(&Value::Null, &RpcError::parse(format!("Parse error: {err}")))).into_response(),
    };
    let calls = match request {
        Value::Array(calls) => calls,
        call => {
            return match answer(&chain, call).await {
                Some(response) => Json(response).into_response(),
                None => StatusCode::OK.into_response(),
            };
        }
    };
    if calls.is_empty() || calls.len() > MAX_BATCH_LEN {
        let err = RpcError::invalid_request(format!("A batch holds between 1 and {MAX_BATCH_LEN} calls"));
        return Json(failure(&Value::Null, &err)).into_response();
    }
    let responses: Vec<Value> = stream::iter(calls)
        .map(|call| answer(&chain, call))
        .buffered(BATCH_CONCURRENCY)
        .filter_map(async |response| response)
        .collect()
        .await;
    Json(responses).into_response()
}

/// A call, taken apart.
pub(super) struct Call {
    /// `None` for a notification, which wants no answer.
    pub(super) id: Option<Value>,
    pub(super) method: String,
    pub(super) params: Value,
}

pub(super) fn parse_call(call: Value) -> Result<Call, (Value, RpcError)> {
    let Value::Object(mut call) = call else {
        return Err((Value::Null, RpcError::invalid_request("Invalid Request: a call is an object")));
    };
    let id = call.remove("id");
    let known = id.clone().filter(|id| id.is_string() || id.is_number()).unwrap_or(Value::Null);
    let invalid = |message: &str| Err((known.clone(), RpcError::invalid_request(message)));
    if id.as_ref().is_some_and(|id| !(id.is_string() || id.is_number() || id.is_null())) {
        return invalid("Invalid Request: id is a string, a number or null");
    }
    if call.remove("jsonrpc").as_ref().and_then(Value::as_str) != Some("2.0") {
        return invalid("Invalid Request: jsonrpc is \"2.0\"");
    }
    let Some(Value::String(method)) = call.remove("method") else {
        return invalid("Invalid Request: method is a string");
    };
    Ok(Call { id, method, params: call.remove("params").unwrap_or(Value::Null) })
}

async fn answer(chain: &Chain, call: Value) -> Option<Value> {
    let call = match parse_call(call) {
        Ok(call) => call,
        Err((id, err)) => return Some(failure(&id, &err)),
    };
    let result = chain.request(&call.method, call.params).await;
    let id = call.id?;
    Some(match result {
        Ok(result) => success(&id, result),
        Err(err) => failure(&id, &err),
    })
}

pub(super) fn success(id: &Value, result: Value) -> Value {
    let mut response = json!({ "jsonrpc": "2.0", "id": id });
    response["result"] = result;
    response
}

pub(super) fn failure(id: &Value, err: &RpcError) -> Value {
    json!({ "jsonrpc": "2.0", "error": err.to_json(), "id": id })
}
