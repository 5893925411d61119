//! How fast a body must come: whoever sends it drop by drop holds no connection for long, and no room for large ones.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::StatusCode;
use http_body::{Frame, SizeHint};
use tokio::time::{Instant, timeout_at};

use super::Problem;

/// So long a body may take whatever its length, and so much more for what has come of it.
#[derive(Clone, Copy, Debug)]
struct Pace {
    grace: Duration,
    bytes_per_second: u64,
}

/// Of every body: a line of 1 Mbit/s is fast enough, and the largest body is here within two minutes.
const PACE: Pace = Pace { grace: Duration::from_secs(20), bytes_per_second: 128 << 10 };

/// Reads a body that comes fast enough.
///
/// # Errors
/// 408 where it does not.
pub(crate) async fn in_time<F: Future>(body: Body, read: impl FnOnce(Body) -> F) -> Result<F::Output, Problem> {
    PACE.read(body, read).await
}

impl Pace {
    async fn read<F: Future>(self, body: Body, read: impl FnOnce(Body) -> F) -> Result<F::Output, Problem> {
        let come = Arc::new(AtomicU64::new(0));
        let mut reading = pin!(read(Body::new(Counted { body, come: Arc::clone(&come) })));
        let begun = Instant::now();
        let mut until = begun + self.grace;
        loop {
            if let Ok(read) = timeout_at(until, reading.as_mut()).await {
                return Ok(read);
            }
            let earned = Duration::from_millis(come.load(Ordering::Relaxed) * 1_000 / self.bytes_per_second);
            let later = begun + self.grace + earned;
            if later <= until {
                return Err(self.too_slow());
            }
            until = later;
        }
    }

    fn too_slow(self) -> Problem {
        let (grace, least) = (self.grace.as_secs(), self.bytes_per_second >> 10);
        let detail =
            format!("the body came too slowly: {least} KiB in each second after the first {grace} s are right");
        Problem::new(StatusCode::REQUEST_TIMEOUT, "too-slow", detail)
    }
}

/// A body of which is known how much has come.
struct Counted {
    body: Body,
    come: Arc<AtomicU64>,
}

impl HttpBody for Counted {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if let Poll::Ready(Some(Ok(frame))) = &polled {
            self.come.fetch_add(frame.data_ref().map_or(0, Bytes::len) as u64, Ordering::Relaxed);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt as _;
    use futures_util::stream;

    use super::*;

    /// Reads what comes in parts of a KiB, each so long after the one before.
    async fn reads(parts: usize, each: Duration) -> Result<usize, Problem> {
        let pace = Pace { grace: Duration::from_secs(1), bytes_per_second: 2 << 10 };
        let parts = stream::iter(0..parts).then(move |_| async move {
            tokio::time::sleep(each).await;
            Ok::<_, std::io::Error>(vec![0; 1 << 10])
        });
        let read = pace.read(Body::from_stream(parts), |body| axum::body::to_bytes(body, usize::MAX));
        let read = tokio::time::timeout(Duration::from_secs(60), read).await.expect("it is given up");
        read.map(|bytes| bytes.expect("it is whole").len())
    }

    #[tokio::test]
    async fn a_body_may_take_its_time_and_no_more() {
        assert_eq!(reads(3, Duration::from_millis(10)).await, Ok(3 << 10), "a short one");
        let never = reads(1, Duration::from_secs(3_600)).await.expect_err("nothing came");
        assert_eq!((never.status, never.rule.as_str()), (408, "too-slow"));
        assert_eq!(reads(100, Duration::from_millis(5)).await, Ok(100 << 10), "a long one that is fast enough");
        let drops = reads(10_000, Duration::from_millis(900)).await.expect_err("it trickles");
        assert_eq!(drops.rule, "too-slow");
    }
}
