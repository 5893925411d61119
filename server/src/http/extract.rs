//! Paths, queries and bodies that are wrong are told as problems too.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::{Problem, in_time};

/// The parameters of the path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for At<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Path::<T>::from_request_parts(parts, state).await {
            Ok(Path(value)) => Ok(Self(value)),
            Err(wrong) => Err(Problem::wrong("path", wrong.body_text())),
        }
    }
}

/// The parameters after the `?`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asking<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Asking<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        match Query::<T>::from_request_parts(parts, state).await {
            Ok(Query(value)) => Ok(Self(value)),
            Err(wrong) => Err(Problem::wrong("query", wrong.body_text())),
        }
    }
}

/// A body in JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let come = in_time(body, |body| Json::<T>::from_request(Request::from_parts(parts, body), state));
        match come.await? {
            Ok(Json(value)) => Ok(Self(value)),
            Err(wrong) => {
                let status = match wrong {
                    JsonRejection::MissingJsonContentType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
                    ref other if other.status() == StatusCode::PAYLOAD_TOO_LARGE => StatusCode::PAYLOAD_TOO_LARGE,
                    _ => StatusCode::BAD_REQUEST,
                };
                Err(Problem::new(status, "body", wrong.body_text()))
            }
        }
    }
}

/// A body of any kind, whole.
#[derive(Clone, Debug)]
pub(crate) struct File(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for File {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let come = in_time(body, |body| Bytes::from_request(Request::from_parts(parts, body), state));
        come.await?.map(Self).map_err(|wrong| {
            let too_large = wrong.status() == StatusCode::PAYLOAD_TOO_LARGE;
            Problem::new(wrong.status(), if too_large { "too-large" } else { "body" }, wrong.body_text())
        })
    }
}
