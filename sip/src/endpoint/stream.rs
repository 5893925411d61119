//! TCP and TLS: connections in and out, framing, and their limits.

use super::{BindError, Identity, Tls, driver::Inner};
use crate::flow::{Flow, Transport};
use crate::message::{Frame, frame};
use bytes::{Bytes, BytesMut};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Messages that may wait for one connection.
const MAX_QUEUED: usize = 1024;
/// Connections at most that are used for sending.
const MAX_CONNECTIONS: usize = 10_000;
/// How long a connection may take to be made, TLS included.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// How long a begun message may take to be whole.
const MESSAGE_WITHIN: Duration = Duration::from_secs(10);
/// How long a connection may be silent.
const IDLE: Duration = Duration::from_secs(900);
/// How long one write may take.
const WRITE_WITHIN: Duration = Duration::from_secs(10);

static SERIAL: AtomicU64 = AtomicU64::new(1);

/// What a connection tells the driver. The number tells a connection from a later one with the same peer.
#[derive(Debug)]
pub(super) enum Wire {
    Opened(Flow, u64, mpsc::Sender<Bytes>),
    Message(Flow, Bytes),
    Closed(Flow, u64, String),
}

/// The connections that are open or being opened.
pub(super) struct Connections {
    open: HashMap<(Transport, SocketAddr), (u64, mpsc::Sender<Bytes>)>,
    client: Option<Arc<rustls::ClientConfig>>,
    inner: mpsc::Sender<Inner>,
}

impl Connections {
    pub(super) fn new(client: Option<Arc<rustls::ClientConfig>>, inner: mpsc::Sender<Inner>) -> Self {
        Self { open: HashMap::new(), client, inner }
    }

    pub(super) fn opened(&mut self, flow: Flow, serial: u64, sender: mpsc::Sender<Bytes>) {
        self.open.insert((flow.transport, flow.remote), (serial, sender));
    }

    /// Whether this was the connection in use with that peer.
    pub(super) fn closed(&mut self, flow: Flow, serial: u64) -> bool {
        let key = (flow.transport, flow.remote);
        let current = self.open.get(&key).is_some_and(|(s, _)| *s == serial);
        if current {
            self.open.remove(&key);
        }
        current
    }

    /// Sends on the connection with that peer, which is opened if there is none.
    pub(super) fn send(&mut self, flow: Flow, bytes: Bytes, name: Option<&String>) -> Result<(), &'static str> {
        let key = (flow.transport, flow.remote);
        if let Some((_, sender)) = self.open.get(&key) {
            return match sender.try_send(bytes) {
                Ok(()) => Ok(()),
                Err(mpsc::error::TrySendError::Full(_)) => Err("the connection does not keep up"),
                // Its end is on its way to us; the peer will be connected anew then.
                Err(mpsc::error::TrySendError::Closed(_)) => Err("the connection was closed"),
            };
        }
        if self.open.len() >= MAX_CONNECTIONS {
            return Err("too many connections");
        }
        let tls = match (flow.transport, &self.client) {
            (Transport::Tls, None) => return Err("no roots to trust are configured for TLS"),
            (Transport::Tls, Some(config)) => {
                let host = name.map_or_else(
                    || Ok(ServerName::IpAddress(flow.remote.ip().into())),
                    |name| ServerName::try_from(name.clone()),
                );
                let Ok(host) = host else { return Err("the peer's name is no name for TLS") };
                Some((TlsConnector::from(Arc::clone(config)), host))
            }
            _ => None,
        };
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let (sender, receiver) = mpsc::channel(MAX_QUEUED);
        // An empty channel of this size takes one message.
        let _ = sender.try_send(bytes);
        self.open.insert(key, (serial, sender));
        let inner = self.inner.clone();
        tokio::spawn(async move {
            let made = tokio::time::timeout(CONNECT_WITHIN, async {
                let stream = TcpStream::connect(flow.remote).await?;
                stream.set_nodelay(true)?;
                io::Result::Ok(match tls {
                    Some((connector, host)) => Either::Tls(Box::new(connector.connect(host, stream).await?.into())),
                    None => Either::Plain(stream),
                })
            });
            let what = match made.await {
                Ok(Ok(Either::Plain(stream))) => serve(stream, flow, receiver, &inner).await,
                Ok(Ok(Either::Tls(stream))) => serve(*stream, flow, receiver, &inner).await,
                Ok(Err(error)) => error.to_string(),
                Err(_) => "the connection took too long".to_owned(),
            };
            // If the driver is gone, nobody wants to know.
            let _ = inner.send(Inner::Wire(Wire::Closed(flow, serial, what))).await;
        });
        Ok(())
    }
}

enum Either {
    Plain(TcpStream),
    Tls(Box<tokio_rustls::TlsStream<TcpStream>>),
}

/// Accepts connections until the driver is gone.
pub(super) async fn accept(
    listener: TcpListener,
    index: u16,
    identity: Option<Identity>,
    places: super::Places,
    inner: mpsc::Sender<Inner>,
) {
    let transport = if identity.is_some() { Transport::Tls } else { Transport::Tcp };
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = inner.closed() => return,
        };
        let Ok((stream, remote)) = accepted else {
            // Out of descriptors, most likely: give others time to close.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let place = match places.take(remote.ip()) {
            Ok(place) => place,
            Err(full) => {
                tracing::debug!(?full, "no place for more connections");
                continue;
            }
        };
        let inner = inner.clone();
        let tls = identity.as_ref().and_then(|own| own.read().unwrap_or_else(PoisonError::into_inner).clone());
        tokio::spawn(async move {
            let flow = Flow { transport, listener: index, remote };
            let _ = stream.set_nodelay(true);
            match tls {
                None if transport == Transport::Tls => tracing::debug!(%remote, "there is no certificate to show"),
                None => accepted_stream(stream, flow, &inner).await,
                Some(config) => {
                    let shaken = tokio::time::timeout(CONNECT_WITHIN, TlsAcceptor::from(config).accept(stream));
                    match shaken.await {
                        Ok(Ok(stream)) => accepted_stream(stream, flow, &inner).await,
                        Ok(Err(error)) => tracing::debug!(%remote, %error, "TLS handshake failed"),
                        Err(_) => tracing::debug!(%remote, "TLS handshake took too long"),
                    }
                }
            }
            drop(place);
        });
    }
}

async fn accepted_stream(stream: impl AsyncRead + AsyncWrite + Unpin, flow: Flow, inner: &mpsc::Sender<Inner>) {
    let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
    let (sender, receiver) = mpsc::channel(MAX_QUEUED);
    if inner.send(Inner::Wire(Wire::Opened(flow, serial, sender))).await.is_ok() {
        let what = serve(stream, flow, receiver, inner).await;
        // If the driver is gone, nobody wants to know.
        let _ = inner.send(Inner::Wire(Wire::Closed(flow, serial, what))).await;
    }
}

/// Reads and writes one connection until it ends; says why it did.
async fn serve(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    flow: Flow,
    mut outgoing: mpsc::Receiver<Bytes>,
    inner: &mpsc::Sender<Inner>,
) -> String {
    let (mut reader, mut writer) = tokio::io::split(stream);
    let mut buffer = BytesMut::with_capacity(4096);
    loop {
        let patience = if buffer.is_empty() { IDLE } else { MESSAGE_WITHIN };
        tokio::select! {
            read = tokio::time::timeout(patience, reader.read_buf(&mut buffer)) => match read {
                Err(_) if buffer.is_empty() => return "the connection was silent for too long".to_owned(),
                Err(_) => return "a message was begun and not finished".to_owned(),
                Ok(Ok(0)) => return "the peer closed the connection".to_owned(),
                Ok(Err(error)) => return error.to_string(),
                Ok(Ok(_)) => loop {
                    if buffer.is_empty() {
                        break;
                    }
                    match frame(&buffer) {
                        Frame::Partial => break,
                        Frame::KeepAlive(n) => {
                            let asks = buffer.starts_with(b"\r\n\r\n");
                            let _ = buffer.split_to(n);
                            if asks && !written(&mut writer, b"\r\n").await {
                                return "the connection cannot be written to".to_owned();
                            }
                        }
                        Frame::Message(n) => {
                            let message = buffer.split_to(n).freeze();
                            if inner.send(Inner::Wire(Wire::Message(flow, message))).await.is_err() {
                                return "the endpoint has stopped".to_owned();
                            }
                        }
                        Frame::Broken(what) => return what.to_owned(),
                    }
                },
            },
            out = outgoing.recv() => match out {
                Some(bytes) => {
                    if !written(&mut writer, &bytes).await {
                        return "the connection cannot be written to".to_owned();
                    }
                }
                None => return "closed".to_owned(),
            },
        }
    }
}

async fn written(writer: &mut (impl AsyncWrite + Unpin), bytes: &[u8]) -> bool {
    let write = async {
        writer.write_all(bytes).await?;
        writer.flush().await
    };
    matches!(tokio::time::timeout(WRITE_WITHIN, write).await, Ok(Ok(())))
}

pub(super) fn tls_from_pem(chain_and_key: Option<(&[u8], &[u8])>, roots: Option<&[u8]>) -> Result<Tls, BindError> {
    let wrong = |what: String| BindError::Tls { what };
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificates = |pem: &[u8]| -> Result<Vec<CertificateDer<'static>>, BindError> {
        let all: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
        let all = all.map_err(|e| wrong(format!("a certificate cannot be read: {e}")))?;
        if all.is_empty() { Err(wrong("there is no certificate in the text".to_owned())) } else { Ok(all) }
    };
    let mut tls = Tls::default();
    if let Some((chain, key)) = chain_and_key {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|e| wrong(format!("the key cannot be read: {e}")))?;
        let config = rustls::ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|e| wrong(e.to_string()))?
            .with_no_client_auth()
            .with_single_cert(chain, key)
            .map_err(|e| wrong(format!("certificate and key do not fit: {e}")))?;
        tls.server = Some(Arc::new(config));
    }
    if let Some(roots) = roots {
        let mut store = rustls::RootCertStore::empty();
        for root in certificates(roots)? {
            store.add(root).map_err(|e| wrong(format!("a root cannot be used: {e}")))?;
        }
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|e| wrong(e.to_string()))?
            .with_root_certificates(store)
            .with_no_client_auth();
        tls.client = Some(Arc::new(config));
    }
    Ok(tls)
}
