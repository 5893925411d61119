//! HTTP on a socket: plain or by TLS, with limits on the number of connections and on the time that a client may take over its
//! handshake and its headers.

use std::future::{Ready, ready};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use callfloor_sip::{Place, Places};
use hyper_util::rt::TokioTimer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// How long a client may take over its headers, and over the TLS handshake: one that takes longer is cut, so that slow ones
/// hold no connection for ever.
const HEADERS: Duration = Duration::from_secs(10);
/// Largest head of a request, in bytes.
const LARGEST_HEAD: usize = 64 * 1_024;

/// To end a server that listens.
pub(crate) type Stop = axum_server::Handle<SocketAddr>;

/// Serves until it is stopped.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<RustlsConfig>,
    door: Door,
    router: Router,
    stop: Stop,
) -> io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut server = axum_server::from_tcp(listener)?.handle(stop);
    let mut http = server.http_builder().http1();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(LARGEST_HEAD);
    match tls {
        None => server.acceptor(door).serve(service).await,
        Some(config) => {
            let acceptor = RustlsAcceptor::new(config).handshake_timeout(HEADERS);
            server.acceptor(acceptor.acceptor(door)).serve(service).await
        }
    }
}

/// Lets connections in: so many in all, and from one address, telephones' among them. Whoever finds no place is closed at once,
/// before anything is read.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    places: Places,
    proxies: Arc<[IpAddr]>,
    /// Those that found no place, all told.
    refused: Arc<AtomicU64>,
}

impl Door {
    pub(crate) fn new(places: Places, proxies: Vec<IpAddr>) -> Self {
        Self { places, proxies: proxies.into(), refused: Arc::default() }
    }

    fn take(&self, from: IpAddr) -> io::Result<Place> {
        let is_proxy = self.proxies.contains(&from.to_canonical());
        let taken = if is_proxy { self.places.take_for_many(from) } else { self.places.take(from) };
        taken.map_err(|full| {
            let refused = self.refused.fetch_add(1, Ordering::Relaxed) + 1;
            if refused.is_power_of_two() {
                tracing::warn!(?full, refused, "no place for more connections");
            }
            io::Error::other("too many connections")
        })
    }
}

impl<S> Accept<TcpStream, S> for Door {
    type Stream = Placed<TcpStream>;
    type Service = S;
    type Future = Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let place = stream.peer_addr().and_then(|peer| self.take(peer.ip()));
        ready(place.map(|place| (Placed { stream, _place: place }, service)))
    }
}

/// A connection that has a place.
#[derive(Debug)]
pub(crate) struct Placed<I> {
    stream: I,
    _place: Place,
}

impl<I: AsyncRead + Unpin> AsyncRead for Placed<I> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<I: AsyncWrite + Unpin> AsyncWrite for Placed<I> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
