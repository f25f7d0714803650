//! Every refusal of the API, as RFC 9457 problem details. Clients branch on `code`; the words are for people.
//!
//! What a problem says outwards and what is logged are two things: an inner cause is attached with [`Problem::because`] and never leaves
//! the process.

use std::{error::Error, time::Duration};

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use ionet_types::problem::{Code, PROBLEM_MEDIA_TYPE, Problem as ProblemDetails};

use crate::request_id;

mod hub;
mod status;

pub use status::{status_of, status_of_rule};

/// Longest `detail` in bytes: it may quote what the client sent, and need not quote all of it.
const MAX_DETAIL_BYTES: usize = 400;

/// The code of a refusal, for the layers that it passes on its way out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProblemCode(pub(crate) &'static str);

/// A refusal on its way out.
#[derive(Debug)]
pub struct Problem(Box<Inner>);

#[derive(Debug)]
struct Inner {
    status: StatusCode,
    code: &'static str,
    detail: String,
    field: Option<String>,
    retry_after_secs: Option<u64>,
    cause: Option<Box<dyn Error + Send + Sync>>,
}

impl Problem {
    /// A problem with the status and the words that go with its code.
    pub fn new(code: Code) -> Self {
        Self::with_status(status_of(code), code.code(), code.sentence())
    }

    /// A problem whose code is not in the list of the API: a refusal by a rule of the economy.
    pub(crate) fn with_status(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        let detail = shortened(detail.into());
        Self(Box::new(Inner { status, code, detail, field: None, retry_after_secs: None, cause: None }))
    }

    /// Says what was wrong this time. The client sees it.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = shortened(detail.into());
        self
    }

    /// Says which part of the request was wrong. The client sees it.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.0.field = Some(shortened(field.into()));
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.0.retry_after_secs = Some(wait.as_secs() + u64::from(wait.subsec_nanos() > 0));
        self
    }

    /// Attaches the inner cause: for the log only.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The stable code.
    pub fn code(&self) -> &'static str {
        self.0.code
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// How long to wait before the next try, in seconds.
    pub fn retry_after_secs(&self) -> Option<u64> {
        self.0.retry_after_secs
    }
}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let inner = *self.0;
        let cause = inner.cause.as_deref().map(chain_of);
        if inner.status.is_server_error() {
            tracing::error!(problem.code = inner.code, problem.cause = cause, "the request failed");
        } else {
            tracing::debug!(problem.code = inner.code, problem.cause = cause, "the request was refused");
        }
        let title = inner.status.canonical_reason().unwrap_or("Error");
        let mut details = ProblemDetails::new(inner.status.as_u16(), title, inner.code, inner.detail);
        details.field = inner.field;
        details.request_id = request_id::current();
        let body = serde_json::to_vec(&details).expect("the details have only string keys and integers");
        let mut response = (inner.status, [(header::CONTENT_TYPE, PROBLEM_MEDIA_TYPE)], body).into_response();
        response.extensions_mut().insert(ProblemCode(inner.code));
        let headers = response.headers_mut();
        if let Some(secs) = inner.retry_after_secs {
            headers.insert(header::RETRY_AFTER, secs.into());
        }
        match inner.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::UPGRADE_REQUIRED => {
                headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
            }
            _ => {}
        }
        response
    }
}

/// An error and what caused it, in one line.
fn chain_of(error: &(dyn Error + Send + Sync + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

fn shortened(mut text: String) -> String {
    if text.len() > MAX_DETAIL_BYTES {
        let mut end = MAX_DETAIL_BYTES;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_problem_shows_its_code_and_hides_its_cause() {
        let problem = Problem::new(Code::Internal).because(std::io::Error::other("the password is swordfish"));
        let response = problem.into_response();
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers()[header::CONTENT_TYPE], PROBLEM_MEDIA_TYPE);
        let body = axum::body::to_bytes(response.into_body(), 4096).await.expect("a small body");
        let text = String::from_utf8(body.to_vec()).expect("JSON is UTF-8");
        assert!(!text.contains("swordfish"), "{text}");
        let details: ProblemDetails = serde_json::from_str(&text).expect("problem details");
        assert_eq!((details.code.as_str(), details.status), ("internal", 500));
    }

    #[test]
    fn long_details_are_cut_between_characters() {
        let problem = Problem::new(Code::RequestMalformed).detail("é".repeat(1000));
        let detail = problem.0.detail;
        assert!(detail.len() <= MAX_DETAIL_BYTES + 4 && detail.ends_with('…'));
    }
}
