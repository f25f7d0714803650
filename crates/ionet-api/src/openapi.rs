//! The OpenAPI document. It is built from the handlers themselves, so it cannot say other than they do.

use ionet_types::{
    CaseId, ClusterId, DeviceId, JoinTokenId, KeyId, TransactionSignature, joins::UserCode, problem::Problem, slashes::CaseStatus,
    transactions::RecordKind,
};
use utoipa::{
    Modify, OpenApi, ToSchema as _,
    openapi::{
        Content, Ref, ResponseBuilder,
        path::{Operation, PathItem},
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};

/// What the document says beside the operations.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "ionet",
        description = "A compute network on Solana: book clusters, pay for them, run work on them, and read what the chain recorded.\n\n\
            Conventions are in docs/API.md. Every refusal is a problem (RFC 9457) with a stable `code`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    // Beside the bodies: what only parameters name.
    components(schemas(
        Problem, CaseId, CaseStatus, ClusterId, DeviceId, JoinTokenId, KeyId, RecordKind, TransactionSignature, UserCode
    )),
    tags(
        (name = "network", description = "The network as a whole. Public."),
        (name = "sign-in", description = "Sign-in by wallet, and API keys."),
        (name = "clusters", description = "Quotes and clusters."),
        (name = "market", description = "Prices, and on which terms devices are offered."),
        (name = "operator", description = "What the network's operator does with devices."),
        (name = "payments", description = "Payments and extensions: the hub prepares, the wallet signs, the hub submits."),
        (name = "stakes", description = "Devices on chain: registration, stakes, co-stakes, slashing cases. The hub prepares, the wallet signs."),
        (name = "explorer", description = "What the chain recorded, and who works. Public."),
        (name = "rewards", description = "Emission, epochs and what suppliers earn."),
        (name = "ray", description = "A cluster's own Ray."),
        (name = "joins", description = "How devices become a wallet's: join tokens, codes, credentials."),
        (name = "audit", description = "Who did what: a log that shows whether anything in it was changed."),
        (name = "agents", description = "Where suppliers' devices connect."),
    ),
    modifiers(&BearerAuth),
)]
pub(crate) struct Document;

struct BearerAuth;

impl Modify for BearerAuth {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let components = document.components.get_or_insert_default();
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some("A session's token, or an API key (`ionet_...`).".to_owned());
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
}

/// Adds what is the same for all operations: the problem answer, and plain names for the parameters in wildcard paths.
pub(crate) fn finished(mut document: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    let problem = ResponseBuilder::new()
        .description("The request was refused, or failed: see `code`.")
        .content("application/problem+json", Content::new(Some(Ref::from_schema_name(Problem::name()))))
        .build();
    let paths = std::mem::take(&mut document.paths.paths);
    for (path, mut item) in paths {
        for (method, operation) in operations_mut(&mut item) {
            // One handler for all methods has one name; each operation needs its own.
            if path.contains("/ray/") {
                operation.operation_id = operation.operation_id.take().map(|id| format!("{id}_{method}"));
            }
            operation.responses.responses.insert("default".to_owned(), problem.clone().into());
        }
        document.paths.paths.insert(path.replace("{*", "{"), item);
    }
    document
}

fn operations_mut(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let PathItem { get, put, post, delete, options, head, patch, .. } = item;
    [("get", get), ("put", put), ("post", post), ("delete", delete), ("options", options), ("head", head), ("patch", patch)]
        .into_iter()
        .filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}
