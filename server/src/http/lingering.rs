//! Bodies that are refused before they are read whole. Who still writes when the connection is closed is told of a broken
//! connection, and never reads why; so what is left is read and thrown away for a while, as RFC 9112, section 9.6, has it.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use http_body::{Frame, SizeHint};

/// So much of a refused body is read, and so long.
const MOST: usize = 64 << 20;
const FOR: Duration = Duration::from_secs(5);

/// Lets each request's body be finished after its handler.
pub(super) fn lingers(request: Request) -> Request {
    // Most requests have none.
    if request.body().is_end_stream() { request } else { request.map(|body| Body::new(Lingering(Some(body)))) }
}

/// A body whose rest is read when nobody wants it any more.
struct Lingering(Option<Body>);

impl HttpBody for Lingering {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(body) = &mut self.0 else { return Poll::Ready(None) };
        let polled = Pin::new(body).poll_frame(context);
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            self.0 = None;
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or_else(|| SizeHint::with_exact(0), HttpBody::size_hint)
    }
}

impl Drop for Lingering {
    fn drop(&mut self) {
        let Some(body) = self.0.take().filter(|body| !body.is_end_stream()) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(tokio::time::timeout(FOR, throw_away(body)));
        }
    }
}

async fn throw_away(mut body: Body) {
    let mut left = MOST;
    while let Some(Ok(frame)) = std::future::poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let read = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(read) {
            Some(less) => left = less,
            None => return,
        }
    }
}
