//! Versions of what people edit: `ETag` out, `If-Match` in, a conflict is refused (B17).

use axum::Json;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use super::Problem;

/// An answer under a version.
#[derive(Serialize, Deserialize)]
pub(crate) struct Versioned<T> {
    pub version: u64,
    pub answer: T,
}

impl<T: Serialize> Versioned<T> {
    /// With the version as the `ETag`.
    pub(crate) fn respond(self, status: StatusCode) -> Response {
        let etag = HeaderValue::from_str(&format!("\"{}\"", self.version)).expect("a number is plain text");
        (status, [(header::ETAG, etag)], Json(self.answer)).into_response()
    }
}

/// The version that the client saw, where it says so.
///
/// # Errors
/// Where it is no version.
pub(crate) fn seen(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else { return Ok(None) };
    let text = value.to_str().ok().map(|text| text.trim().trim_matches('"'));
    let version = text.and_then(|text| text.parse().ok());
    version.map(Some).ok_or_else(|| Problem::wrong("if-match", "If-Match is an ETag as in \"12\""))
}

/// As [`seen`], where a change cannot do without.
///
/// # Errors
/// Where there is none, or it is no version.
pub(crate) fn must_see(headers: &HeaderMap, what: &str) -> Result<u64, Problem> {
    seen(headers)?.ok_or_else(|| {
        let detail = format!("a change of {what} names the version that it is made on: If-Match with its ETag");
        Problem::new(StatusCode::PRECONDITION_REQUIRED, "if-match", detail)
    })
}

/// Refuses a change that was made on another version.
///
/// # Errors
/// Where it was changed meanwhile.
pub(crate) fn same(what: &str, seen: u64, found: u64) -> Result<(), Problem> {
    if seen == found {
        return Ok(());
    }
    let detail = format!("{what} was changed meanwhile: version {found}, not {seen}; look at it again");
    Err(Problem::new(StatusCode::PRECONDITION_FAILED, "version", detail))
}
