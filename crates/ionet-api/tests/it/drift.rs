//! The committed OpenAPI document and the table of codes say what the code says. `IONET_UPDATE_DOCS=1` writes them anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use ionet_api::problem::{status_of, status_of_rule};
use ionet_rules::RuleError;
use ionet_types::problem::Code;
use serde_json::Value;

const BEGIN: &str = "<!-- codes begin: written by `cargo xtask docs` -->\n";
const END: &str = "<!-- codes end -->\n";

fn root() -> PathBuf {
    // Asked when the test runs: several clones may share what was built.
    PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo names the crate's folder to its tests")).join("../..")
}

#[track_caller]
fn hold(path: &Path, made: &str) {
    if std::env::var_os("IONET_UPDATE_DOCS").is_some() {
        return std::fs::write(path, made).unwrap();
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let line = committed.lines().zip(made.lines()).position(|(old, new)| old != new);
    assert!(committed == made, "{} differs from the code at line {:?}: run `cargo xtask docs`", path.display(), line.map(|line| line + 1));
}

pub(crate) fn document() -> Value {
    serde_json::to_value(ionet_api::document()).unwrap()
}

#[test]
fn drift_of_the_openapi_document() {
    let mut json = serde_json::to_string_pretty(&document()).unwrap();
    json.push('\n');
    hold(&root().join("openapi/ionet.json"), &json);
}

#[test]
fn drift_of_the_codes() {
    let path = root().join("docs/API.md");
    let text = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = text.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let mut table = "| status | code | meaning |\n|---|---|---|\n".to_owned();
    let mut rows: Vec<_> = Code::ALL.iter().map(|&code| (status_of(code).as_u16(), code.code(), code.sentence())).collect();
    rows.extend(RuleError::ALL.iter().map(|&rule| (status_of_rule(rule).as_u16(), rule.code(), rule.sentence())));
    rows.sort_unstable();
    for (status, code, sentence) in rows {
        writeln!(table, "| {status} | `{code}` | {sentence} |").unwrap();
    }
    hold(&path, &format!("{before}{BEGIN}{table}{END}{after}"));
}

#[test]
fn the_document_is_whole() {
    let document = document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        assert!(path.starts_with("/v1/") && !path.contains('*'), "{path}");
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{id} names two operations");
            assert!(operation["summary"].is_string() && operation["tags"].is_array(), "{id} is not described");
            let problem = &operation["responses"]["default"]["content"]["application/problem+json"];
            assert!(problem["schema"]["$ref"].as_str().is_some_and(|name| name.ends_with("/Problem")), "{id}");
            for parameter in path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}')) {
                let described =
                    operation["parameters"].as_array().unwrap().iter().any(|one| one["name"] == parameter && one["in"] == "path");
                assert!(described, "{method} {path} does not describe {parameter}");
            }
            // A stream of bytes has no fields.
            let body = operation.get("requestBody").filter(|body| body["content"].get("application/octet-stream").is_none());
            if let Some(body) = body {
                let name = body["content"]["application/json"]["schema"]["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
                let schema = &document["components"]["schemas"][name];
                assert_eq!(schema["additionalProperties"], false, "{name} would take unknown fields");
            }
        }
    }
    // Every reference leads somewhere.
    let text = document.to_string();
    for part in text.split("\"$ref\":\"#/components/schemas/").skip(1) {
        let name = part.split('"').next().unwrap();
        assert!(document["components"]["schemas"].get(name).is_some(), "{name} is not in the document");
    }
}
