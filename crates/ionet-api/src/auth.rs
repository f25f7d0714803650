//! Who is calling, and what they may do. A handler states its policy by the extractor it takes: [`Reader`], [`Writer`] or [`Owner`].

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, header, request::Parts},
};
use ionet_hub::{Caller, Via};
use ionet_types::{keys::Scope, problem::Code};

use crate::{guards::Watched, problem::Problem, state::ApiState};

/// Longest credential in bytes: no session or API key comes near it.
const MAX_CREDENTIAL_BYTES: usize = 512;

/// Any caller that has signed in.
pub(crate) struct Reader(pub(crate) Caller);

/// A caller whose credential allows to change things.
pub(crate) struct Writer(pub(crate) Caller);

/// A caller that proved its wallet in this session, not by an API key.
///
/// Only such a one makes and revokes API keys: a key that could make keys would never really expire.
pub(crate) struct Owner(pub(crate) Caller);

/// The bearer credential itself, for streams that check it again while they last.
#[derive(Clone)]
pub(crate) struct Bearer(String);

impl Bearer {
    /// Reads the authorization header.
    fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let refused = |detail: &'static str| Problem::new(Code::Unauthenticated).field("authorization").detail(detail);
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        let Some(value) = values.next() else { return Err(Code::Unauthenticated.into()) };
        if values.next().is_some() {
            return Err(refused("the header came more than once"));
        }
        let malformed = || refused("the header must be `Bearer`, a space, and a session's token or an API key");
        let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(malformed)?;
        let fits = (1..=MAX_CREDENTIAL_BYTES).contains(&token.len()) && token.bytes().all(|b| b.is_ascii_graphic());
        if scheme.eq_ignore_ascii_case("bearer") && fits { Ok(Self(token.to_owned())) } else { Err(malformed()) }
    }

    /// Whose credential it is, if it still holds.
    pub(crate) async fn caller(&self, state: &ApiState) -> Result<Caller, Problem> {
        Ok(state.hub.authenticate(&self.0).await?)
    }
}

impl FromRequestParts<ApiState> for Bearer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        Self::of(&parts.headers)
    }
}

impl FromRequestParts<ApiState> for Reader {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let caller = Bearer::of(&parts.headers)?.caller(state).await?;
        state.limits.callers.check(&caller.wallet)?;
        if let Some(watched) = parts.extensions.get::<Watched>().cloned() {
            watched.known(state, caller.wallet).await?;
        }
        Ok(Self(caller))
    }
}

impl FromRequestParts<ApiState> for Writer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let Reader(caller) = Reader::from_request_parts(parts, state).await?;
        match caller.scope {
            Scope::Write => Ok(Self(caller)),
            Scope::Read => Err(Code::ScopeInsufficient.into()),
        }
    }
}

impl FromRequestParts<ApiState> for Owner {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let Reader(caller) = Reader::from_request_parts(parts, state).await?;
        match caller.via {
            Via::Session => Ok(Self(caller)),
            Via::Key(_) => Err(Problem::new(Code::ScopeInsufficient).detail("API keys are made and revoked by a wallet's session only")),
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(values: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::AUTHORIZATION, HeaderValue::from_static(value));
        }
        Bearer::of(&headers).ok().map(|bearer| bearer.0)
    }

    #[test]
    fn only_one_well_formed_bearer_is_taken() {
        assert_eq!(read(&["Bearer ionet_abc"]).as_deref(), Some("ionet_abc"));
        assert_eq!(read(&["bearer ionet_abc"]).as_deref(), Some("ionet_abc"));
        for bad in [
            &[][..],
            &[""],
            &["Bearer"],
            &["Bearer "],
            &["Bearer  a"],
            &["Bearer a b"],
            &["Basic abc"],
            &["ionet_abc"],
            &["Bearer a", "Bearer b"],
        ] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}
