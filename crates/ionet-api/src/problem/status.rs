//! Which HTTP status goes with which code.

use axum::http::StatusCode;
use ionet_hub::HubError;
use ionet_rules::RuleError;
use ionet_types::problem::Code;

use super::hub::status_of_kind;

/// The status that goes with `code`. Some codes are of HTTP alone; for all others the hub says what the client can do.
pub fn status_of(code: Code) -> StatusCode {
    match code {
        Code::RouteNotFound => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
        Code::RequestTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::MediaTypeUnsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
        Code::TooManyStreams => StatusCode::TOO_MANY_REQUESTS,
        Code::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Code::TimedOut => StatusCode::GATEWAY_TIMEOUT,
        code => status_of_kind(HubError::from(code).kind()),
    }
}

/// The status that goes with a refusal by a rule of the economy.
pub fn status_of_rule(rule: RuleError) -> StatusCode {
    status_of_kind(HubError::from(rule).kind())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_an_error_status() {
        let codes = Code::ALL.iter().map(|&code| (code.code(), status_of(code)));
        let rules = RuleError::ALL.iter().map(|&rule| (rule.code(), status_of_rule(rule)));
        for (code, status) in codes.chain(rules) {
            assert!(status.is_client_error() || status.is_server_error(), "{code}");
        }
        assert_eq!(status_of(Code::Internal), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(status_of(Code::ClusterNotFound), StatusCode::NOT_FOUND);
    }
}
