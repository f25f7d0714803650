//! Headers that every answer carries, and those that never cross a proxy.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use ionet_types::agent::tunnel::{HOP_BY_HOP, OF_THE_HUB};

/// Adds what keeps a browser from misusing an answer. A handler that set one of these itself keeps its own.
pub(crate) async fn secure(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Headers of a request that no cluster needs to see, besides those that the tunnel never carries.
const OURS: [&str; 2] = ["forwarded", "idempotency-key"];

/// What of a customer's request goes on to its cluster.
pub(crate) fn forwarded_request(headers: &HeaderMap) -> Vec<(String, String)> {
    forwarded(headers, |name| !OURS.contains(&name) && !OF_THE_HUB.contains(&name) && !name.starts_with("x-forwarded-"))
}

/// What of a cluster's answer goes back to the customer: nothing that speaks for the hub's own origin.
pub(crate) fn returned_response(headers: &[(String, String)]) -> HeaderMap {
    let connection = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("connection"));
    let named: Vec<String> = connection.flat_map(|(_, value)| value.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect();
    let mut returned = HeaderMap::new();
    for (name, value) in headers {
        let name = name.to_ascii_lowercase();
        let of_the_hub = HOP_BY_HOP.contains(&name.as_str())
            || named.contains(&name)
            || ["set-cookie", "www-authenticate", "strict-transport-security", "clear-site-data", "alt-svc"].contains(&name.as_str())
            || name.starts_with("access-control-")
            || name == "content-security-policy"
            || name == "x-request-id";
        if of_the_hub {
            continue;
        }
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value.as_str())) {
            returned.append(name, value);
        }
    }
    // A cluster's page is the customer's program: it may run, but not as a page of the hub.
    returned.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox allow-scripts allow-forms"));
    returned
}

fn forwarded(headers: &HeaderMap, wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let named: Vec<String> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|name| name.trim().to_ascii_lowercase())
        .collect();
    headers
        .iter()
        .filter(|(name, _)| !HOP_BY_HOP.contains(&name.as_str()) && !named.iter().any(|n| n == name.as_str()) && wanted(name.as_str()))
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_and_connection_headers_stay_here() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("authorization", "Bearer ionet_secret"),
            ("proxy-authorization", "Basic x"),
            ("cookie", "session=1"),
            ("host", "hub"),
            ("connection", "keep-alive, X-Hop"),
            ("x-hop", "1"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "h2c"),
            ("x-forwarded-for", "1.2.3.4"),
            ("x-ray-authorization", "Bearer x"),
            ("content-type", "application/json"),
            ("accept", "*/*"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        let mut names: Vec<_> = forwarded_request(&headers).into_iter().map(|(name, _)| name).collect();
        names.sort();
        assert_eq!(names, ["accept", "content-type"]);
    }

    #[test]
    fn an_answer_cannot_speak_for_the_hub() {
        let answer = [
            ("Set-Cookie", "a=b"),
            ("Connection", "close, X-Hop"),
            ("X-Hop", "1"),
            ("Transfer-Encoding", "chunked"),
            ("Access-Control-Allow-Origin", "*"),
            ("Content-Security-Policy", "none"),
            ("Content-Type", "text/html"),
            ("bad name", "x"),
            ("x-bad-value", "a\nb"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let returned = returned_response(&answer);
        assert_eq!(returned.len(), 2, "{returned:?}");
        assert_eq!(returned[header::CONTENT_TYPE], "text/html");
        assert!(returned[header::CONTENT_SECURITY_POLICY].to_str().is_ok_and(|policy| policy.starts_with("sandbox")));
    }
}
