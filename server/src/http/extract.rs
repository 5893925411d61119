//! Paths, queries and bodies that are wrong are told as problems too.

use std::time::Duration;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path, Query, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::Problem;

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

/// How long a body may take to come: whoever sends it slower holds nothing for ever, no connection and no room for large ones.
pub(crate) const BODY_PATIENCE: Duration = Duration::from_secs(60);

/// What a body is answered that did not come.
pub(crate) fn too_slow() -> Problem {
    let detail = format!("the body did not come in {} s", BODY_PATIENCE.as_secs());
    Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", detail)
}

/// A body in JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        Self::within(BODY_PATIENCE, request, state).await
    }
}

impl<T: DeserializeOwned> Body<T> {
    async fn within<S: Send + Sync>(patience: Duration, request: Request, state: &S) -> Result<Self, Problem> {
        let come = tokio::time::timeout(patience, Json::<T>::from_request(request, state));
        match come.await.map_err(|_| too_slow())? {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_that_does_not_come_is_not_waited_for_for_ever() {
        let sent = |body| {
            let request = Request::builder().header("content-type", "application/json").body(body);
            request.expect("a request")
        };
        let never = axum::body::Body::from_stream(futures_util::stream::pending::<Result<&[u8], std::io::Error>>());
        let waits = Body::<u8>::within(Duration::from_millis(20), sent(never), &());
        let waits = tokio::time::timeout(Duration::from_secs(20), waits).await;
        let slow = waits.expect("it is given up").map(|body| body.0).expect_err("nothing came");
        assert_eq!((slow.status, slow.rule.as_str()), (408, "too-slow"));
        let Ok(Body(seven)) = Body::<u8>::from_request(sent("7".into()), &()).await else { panic!("it came") };
        assert_eq!(seven, 7);
    }
}
