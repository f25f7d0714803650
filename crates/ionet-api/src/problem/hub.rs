//! What the hub's refusals become.

use axum::http::StatusCode;
use ionet_hub::{ErrorKind, HubError};
use ionet_types::problem::Code;

use super::{Problem, status_of};

/// The status that goes with what the client can do about an error.
pub(super) const fn status_of_kind(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Refused => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        ErrorKind::BadGateway => StatusCode::BAD_GATEWAY,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
    }
}

impl From<HubError> for Problem {
    fn from(error: HubError) -> Self {
        // HTTP has more words for a bad request than the hub.
        let code = Code::ALL.iter().find(|code| code.code() == error.code());
        let status = match (error.kind(), code) {
            (ErrorKind::Invalid, Some(code)) => status_of(*code),
            (kind, _) => status_of_kind(kind),
        };
        let problem = Self::with_status(status, error.code(), error.message());
        let problem = match error.of_field() {
            Some(field) => problem.field(field),
            None => problem,
        };
        problem.because(error)
    }
}
