//! The operator's console: pages that come with the program, under a policy that lets nothing else in.
//!
//! A file goes out with a tag of its content, so that a browser asks again and is told "not modified"; text goes compressed.

use axum::Router;
use axum::extract::Path;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rust_embed::{EmbeddedFile, RustEmbed};
use tower_http::compression::CompressionLayer;

use crate::http::{App, Problem};

/// The files of `server/console`.
#[derive(RustEmbed)]
#[folder = "console"]
struct Files;

/// Scripts, styles and connections of our own alone; nothing inline, no frames (CSP level 3).
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    media-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
/// The customers' chat and help centre are put into other sites' pages by a frame.
const FRAMED_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
    base-uri 'none'; form-action 'self'";
/// Where pages for customers are.
const CUSTOMERS: &str = "customer/";

/// The console's routes: the page at `/`, its files under `/console/`, the customers' chat at `/chat`, the help centre at
/// `/help`.
pub(crate) fn router() -> Router<App> {
    Router::new()
        .route("/", get(|headers: HeaderMap| async move { file("index.html", &headers) }))
        .route("/chat", get(|headers: HeaderMap| async move { file("customer/chat.html", &headers) }))
        .route("/help", get(|headers: HeaderMap| async move { file("customer/help.html", &headers) }))
        .route(
            "/console/{*path}",
            get(|Path(path): Path<String>, headers: HeaderMap| async move { file(&path, &headers) }),
        )
        .layer(CompressionLayer::new())
}

fn file(path: &str, asked: &HeaderMap) -> Response {
    let Some(found) = Files::get(path) else {
        return Problem::unknown("there is nothing at this address").into_response();
    };
    let tag = tag(&found);
    let policy = if path.starts_with(CUSTOMERS) { FRAMED_POLICY } else { POLICY };
    let headers: [(HeaderName, HeaderValue); 6] = [
        (CONTENT_TYPE, HeaderValue::from_static(kind(path))),
        (CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (ETAG, HeaderValue::from_str(&tag).expect("a tag is ASCII")),
    ];
    // Compressed, the tag comes back as it went out; as a list it may hold several.
    let known = asked.get(IF_NONE_MATCH).and_then(|tags| tags.to_str().ok()).is_some_and(|tags| tags.contains(&tag));
    if known {
        return (StatusCode::NOT_MODIFIED, headers).into_response();
    }
    (headers, found.data.into_owned()).into_response()
}

fn tag(file: &EmbeddedFile) -> String {
    format!("\"{}\"", URL_SAFE_NO_PAD.encode(&file.metadata.sha256_hash()[..16]))
}

/// The media type of a file, by the end of its name.
fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
