//! JSON bodies.

use std::sync::Arc;

use axum::{
    body::{Body, Bytes},
    extract::{FromRef, FromRequest, Request},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use ionet_types::problem::Code;
use serde::{Serialize, de::DeserializeOwned};

use crate::{options::ApiOptions, problem::Problem};

/// A JSON body, in or out. Inwards: the type says which fields there are, and its `deny_unknown_fields` that there are no others.
#[derive(Debug, Clone, Copy)]
pub struct Json<T>(pub T);

impl<T, S> FromRequest<S> for Json<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
    Arc<ApiOptions>: FromRef<S>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let options = <Arc<ApiOptions>>::from_ref(state);
        let declares_json = is_json(request.headers());
        let bytes = read(request.into_body(), &options).await?;
        if bytes.is_empty() {
            return Err(Problem::new(Code::RequestMalformed).detail("the request needs a JSON body"));
        }
        if !declares_json {
            return Err(Code::MediaTypeUnsupported.into());
        }
        // Derived readers take a list of values for a struct; no client means that.
        if bytes.trim_ascii_start().first() != Some(&b'{') {
            return Err(Problem::new(Code::RequestMalformed).detail("the body must be a JSON object"));
        }
        parse(&bytes).map(Json)
    }
}

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

/// Whether the body says that it is JSON. Nothing else will do: a web page can make a browser send other types without asking first.
fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(text)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let essence = text.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// The whole body, if it is short enough and comes in time.
async fn read(body: Body, options: &ApiOptions) -> Result<Bytes, Problem> {
    let whole = Limited::new(body, options.max_body_bytes).collect();
    match tokio::time::timeout(options.body_timeout, whole).await {
        Err(_) => Err(Code::BodyTimeout.into()),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            Err(Problem::new(Code::RequestTooLarge).detail(format!("at most {} bytes are taken", options.max_body_bytes)))
        }
        Ok(Err(error)) => Err(Problem::new(Code::RequestMalformed).detail("the body broke off").because(error)),
    }
}

/// Parses a body; the problem says where it went wrong.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        let problem = match inner.classify() {
            serde_json::error::Category::Data => Problem::new(Code::RequestMalformed).detail(inner.to_string()),
            _ => Problem::new(Code::RequestMalformed).detail(format!("the body is not JSON: {inner}")),
        };
        if path == "." { problem } else { problem.field(path) }
    })?;
    deserializer.end().map_err(|error| Problem::new(Code::RequestMalformed).detail(error.to_string()))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        quantity: u32,
        note: Option<String>,
    }

    fn code(body: &[u8]) -> &'static str {
        parse::<Order>(body).expect_err("not an order").code()
    }

    #[test]
    fn what_is_not_json_or_does_not_fit_is_refused() {
        assert_eq!(parse::<Order>(br#" {"quantity":3} "#).expect("an order"), Order { quantity: 3, note: None });
        for malformed in [
            &b"{"[..],
            b"{\"quantity\":3}x",
            b"{\"quantity\":NaN}",
            b"{\"quantity\":Infinity}",
            b"{\"quantity\":1e999}",
            b"{'quantity':3}",
            b"{\"note\":\"\xff\xfe\"}",
            b"{\"note\":\"\\ud800\"}",
            b"\0",
            b" ",
        ] {
            assert_eq!(code(malformed), "request_malformed", "{}", String::from_utf8_lossy(malformed));
        }
        for invalid in [
            &b"{}"[..],
            b"null",
            b"[]",
            b"7",
            b"{\"quantity\":-1}",
            b"{\"quantity\":1.5}",
            b"{\"quantity\":1e3}",
            b"{\"quantity\":4294967296}",
            b"{\"quantity\":340282366920938463463374607431768211456}",
            b"{\"quantity\":\"3\"}",
            b"{\"quantity\":true}",
            b"{\"quantity\":null}",
            b"{\"quantity\":3,\"quantity\":4}",
            b"{\"quantity\":3,\"extra\":1}",
            b"{\"quantity\":3,\"note\":{}}",
        ] {
            assert_eq!(code(invalid), "request_malformed", "{}", String::from_utf8_lossy(invalid));
        }
    }

    #[test]
    fn depth_is_bounded() {
        let deep = [b"{\"note\":".as_slice(), &b"[".repeat(100_000)].concat();
        assert_eq!(code(&deep), "request_malformed");
        assert!(parse::<serde_json::Value>(&b"[".repeat(100_000)).is_err());
    }

    #[test]
    fn the_field_is_named() {
        let problem = parse::<Vec<Order>>(br#"[{"quantity":1},{"quantity":"x"}]"#).expect_err("the second is none");
        assert!(format!("{problem:?}").contains("[1].quantity"), "{problem:?}");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Err(problem) = parse::<Order>(&bytes) {
                prop_assert_eq!(problem.status().as_u16(), 400);
            }
        }
    }
}
