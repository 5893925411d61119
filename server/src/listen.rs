//! HTTP on a socket: plain or by TLS, with limits on the number of connections and on the time that a client may take over its
//! handshake and its headers.

use std::collections::HashMap;
use std::future::{Ready, ready};
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper_util::rt::TokioTimer;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::config;
use crate::http::ClientAddress;

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
    places: Places,
    router: Router,
    stop: Stop,
) -> io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut server = axum_server::from_tcp(listener)?.handle(stop);
    let mut http = server.http_builder().http1();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(LARGEST_HEAD);
    match tls {
        None => server.acceptor(places).serve(service).await,
        Some(config) => {
            let acceptor = RustlsAcceptor::new(config).handshake_timeout(HEADERS);
            server.acceptor(acceptor.acceptor(places)).serve(service).await
        }
    }
}

/// The places for connections: so many in all, and from one address. Whoever finds none is closed at once, before anything is
/// read.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    limits: config::Limits,
    proxies: Arc<[IpAddr]>,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Debug, Default)]
struct Taken {
    all: u32,
    of: HashMap<IpAddr, u32>,
    /// Those that found no place, all told.
    refused: u64,
}

impl Places {
    pub(crate) fn new(limits: config::Limits, proxies: Vec<IpAddr>) -> Self {
        Self { limits, proxies: proxies.into(), taken: Arc::default() }
    }

    fn take(&self, from: IpAddr) -> io::Result<Place> {
        let of = ClientAddress(from).network();
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let own = taken.of.get(&of).copied().unwrap_or(0);
        let is_proxy = self.proxies.contains(&from.to_canonical());
        if taken.all >= self.limits.connections || (own >= self.limits.address_connections && !is_proxy) {
            taken.refused += 1;
            if taken.refused.is_power_of_two() {
                tracing::warn!(%of, own, all = taken.all, refused = taken.refused, "no place for more connections");
            }
            return Err(io::Error::other("too many connections"));
        }
        taken.all += 1;
        *taken.of.entry(of).or_default() += 1;
        Ok(Place { of, taken: Arc::clone(&self.taken) })
    }
}

impl<S> Accept<TcpStream, S> for Places {
    type Stream = Placed<TcpStream>;
    type Service = S;
    type Future = Ready<io::Result<(Self::Stream, S)>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let place = stream.peer_addr().and_then(|peer| self.take(peer.ip()));
        ready(place.map(|place| (Placed { stream, _place: place }, service)))
    }
}

/// A connection's place, until it is dropped.
#[derive(Debug)]
struct Place {
    of: IpAddr,
    taken: Arc<Mutex<Taken>>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.all -= 1;
        let left = taken.of.get_mut(&self.of).expect("it was counted");
        *left -= 1;
        if *left == 0 {
            taken.of.remove(&self.of);
        }
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
