//! HTTP on a socket: plain or by TLS, with limits on the time that a client may take over its handshake and its headers.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use callfloor_sip::Tls;
use hyper_util::rt::TokioTimer;

/// How long a client may take over its headers, and over the TLS handshake: one that takes longer is cut, so that slow ones
/// hold no connection for ever.
const HEADERS: Duration = Duration::from_secs(10);
/// Largest head of a request, in bytes.
const LARGEST_HEAD: usize = 64 * 1_024;

/// To end a server that listens.
pub(crate) type Stop = axum_server::Handle<SocketAddr>;

/// TLS by a certificate chain and its key, in PEM files.
///
/// # Errors
/// Which of them cannot be read or does not fit, in words.
pub(crate) fn tls(certificate: &Path, key: &Path) -> Result<Arc<rustls::ServerConfig>, String> {
    let read = |path: &Path| std::fs::read(path).map_err(|problem| format!("{}: {problem}", path.display()));
    let (chain, key) = (read(certificate)?, read(key)?);
    let made = Tls::from_pem(Some((&chain, &key)), None).map_err(|problem| problem.to_string())?;
    let made = made.server.ok_or("the certificate and its key make no server")?;
    let mut config = rustls::ServerConfig::clone(&made);
    // WebSockets are asked for in HTTP/1.1.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Serves until it is stopped.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<Arc<rustls::ServerConfig>>,
    router: Router,
    stop: Stop,
) -> std::io::Result<()> {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    let mut server = axum_server::from_tcp(listener)?.handle(stop);
    let mut http = server.http_builder().http1();
    http.timer(TokioTimer::new()).header_read_timeout(HEADERS).max_buf_size(LARGEST_HEAD);
    match tls {
        None => server.serve(service).await,
        Some(config) => {
            let acceptor = RustlsAcceptor::new(RustlsConfig::from_config(config)).handshake_timeout(HEADERS);
            server.acceptor(acceptor).serve(service).await
        }
    }
}
