//! The `Idempotency-Key` header: a client that got no answer repeats its request with the same key and nothing happens twice.

use axum::{extract::FromRequestParts, http::request::Parts};

use ionet_types::problem::Code;

use crate::problem::Problem;

/// Name of the header.
pub const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// Longest key in bytes.
pub const MAX_KEY_BYTES: usize = 255;

/// The key that came along, if any.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(pub Option<String>);

impl<S: Send + Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        let Some(value) = values.next() else { return Ok(Self(None)) };
        let invalid = || Problem::new(Code::IdempotencyKeyInvalid).field(IDEMPOTENCY_KEY);
        if values.next().is_some() {
            return Err(invalid().detail("the header came more than once"));
        }
        match value.to_str() {
            Ok(key) if (1..=MAX_KEY_BYTES).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()) => {
                Ok(Self(Some(key.to_owned())))
            }
            _ => Err(invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    async fn read(values: &[&[u8]]) -> Result<Option<String>, &'static str> {
        let mut request = Request::builder();
        for value in values {
            request = request.header(IDEMPOTENCY_KEY, *value);
        }
        let (mut parts, ()) = request.body(()).expect("a request").into_parts();
        IdempotencyKey::from_request_parts(&mut parts, &()).await.map(|key| key.0).map_err(|problem| problem.code())
    }

    #[tokio::test]
    async fn keys_are_short_visible_and_single() {
        assert_eq!(read(&[]).await, Ok(None));
        assert_eq!(read(&[b"order-17"]).await, Ok(Some("order-17".to_owned())));
        assert_eq!(read(&[&[b'a'; 255]]).await.map(|key| key.map(|k| k.len())), Ok(Some(255)));
        for bad in [&[&b""[..]][..], &[&[b'a'; 256]], &[b"a b"], &[b"\xff"], &[b"a", b"b"]] {
            assert_eq!(read(bad).await, Err("idempotency_key_invalid"), "{bad:?}");
        }
    }
}
