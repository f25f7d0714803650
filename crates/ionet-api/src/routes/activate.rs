//! The page that a device's code leads to: says what to run in order to approve. Plain HTML, no script, nothing loaded.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use ionet_hub::Hub;
use ionet_types::joins::UserCode;
use serde::Deserialize;

use crate::{extract::Query, problem::Problem};

/// Nothing is loaded or run, and no other page may frame this one; its own style is all it has.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
const STYLE: &str = "body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}\
     pre{padding:.75rem 1rem;border:1px solid #8886;border-radius:.4rem;overflow-x:auto;user-select:all}";

/// The code, as it stands in the address.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActivateQuery {
    code: Option<String>,
}

pub(crate) async fn page(State(hub): State<Hub>, query: Result<Query<ActivateQuery>, Problem>) -> Response {
    // Only what reads as a code is shown again, in its one spelling.
    let code = query.ok().and_then(|Query(query)| query.code?.parse().ok());
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8"), (header::CONTENT_SECURITY_POLICY, POLICY)];
    (headers, rendered(code, hub.public_url())).into_response()
}

fn rendered(code: Option<UserCode>, url: &str) -> String {
    let url = escaped(url);
    let shown = code.map_or_else(|| "CODE".to_owned(), |code| code.to_string());
    let what = match code {
        Some(code) => format!("<p>A device asks to join this network under the code <strong>{code}</strong>.</p>"),
        None => "<p>A device that asks to join this network shows a code, such as <strong>WDJB-MJHT</strong>.</p>".to_owned(),
    };
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Approve a device</title><style>{STYLE}</style></head>\n<body>\n<h1>Approve a device</h1>\n\
         {what}\n<p>If you have started it yourself a moment ago, run this where your wallet is:</p>\n\
         <pre>ionet joins approve {shown} --url {url}</pre>\n<p>The device then belongs to your wallet. If it is not yours:</p>\n\
         <pre>ionet joins deny {shown} --url {url}</pre>\n<p>Never approve a code that somebody else sent you.</p>\n</body>\n</html>\n"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_the_code_and_runs_nothing() {
        let page = rendered("wdjbmjht".parse().ok(), "https://hub.example/?a=1&b=<script>");
        assert!(page.contains("ionet joins approve WDJB-MJHT --url https://hub.example/?a=1&amp;b=&lt;script&gt;"), "{page}");
        assert!(!page.contains("<script") && !page.contains("src="), "{page}");
        assert!(rendered(None, "http://x").contains("approve CODE"));
    }
}
