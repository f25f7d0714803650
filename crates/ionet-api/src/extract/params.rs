//! Parts of the path and of the query.

use axum::{
    extract::{FromRequestParts, path::ErrorKind, rejection::PathRejection},
    http::request::Parts,
};
use ionet_types::problem::Code;
use serde::de::DeserializeOwned;

use crate::problem::Problem;

/// Parts of the path.
#[derive(Debug, Clone, Copy)]
pub struct Path<T>(pub T);

impl<T, S> FromRequestParts<S> for Path<T>
where
    T: DeserializeOwned + Send,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Path::from_request_parts(parts, state).await {
            Ok(axum::extract::Path(value)) => Ok(Self(value)),
            Err(PathRejection::FailedToDeserializePathParams(failed)) => {
                let kind = failed.into_kind();
                match &kind {
                    ErrorKind::WrongNumberOfParameters { .. } | ErrorKind::UnsupportedType { .. } => {
                        Err(Problem::new(Code::Internal).because(kind.to_string()))
                    }
                    ErrorKind::ParseErrorAtKey { key, .. }
                    | ErrorKind::DeserializeError { key, .. }
                    | ErrorKind::InvalidUtf8InPathParam { key } => {
                        Err(Problem::new(Code::RequestMalformed).field(key.clone()).detail(kind.to_string()))
                    }
                    _ => Err(Problem::new(Code::RequestMalformed).detail(kind.to_string())),
                }
            }
            Err(other) => Err(Problem::new(Code::Internal).because(other)),
        }
    }
}

/// Parameters of the query. The type's `deny_unknown_fields` says that there are no others.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<T, S> FromRequestParts<S> for Query<T>
where
    T: DeserializeOwned,
    S: Send + Sync,
{
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match axum::extract::Query::from_request_parts(parts, state).await {
            Ok(axum::extract::Query(value)) => Ok(Self(value)),
            Err(error) => Err(Problem::new(Code::RequestMalformed).detail(error.body_text())),
        }
    }
}
