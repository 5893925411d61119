//! HTTP and WebSocket to a server: one connection, requests one after another, plain or by TLS.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::target::Url;

/// Longest answer that is read, in bytes.
const LONGEST: usize = 64 << 20;
/// Bytes that are read of a stream at once, at most.
const READ: usize = 8 << 10;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// How long an idle connection is kept: servers close theirs later.
const IDLE: Duration = Duration::from_secs(5);
/// How long somebody goes on asking who is told to come again later.
const PATIENCE: Duration = Duration::from_secs(120);
/// After how long they come again where the server does not say, and at most.
const AGAIN: Duration = Duration::from_millis(500);
const AGAIN_AT_MOST: Duration = Duration::from_secs(60);

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HttpError {
    /// Nobody listens there.
    #[error("{url}: cannot be reached: {problem}")]
    Unreachable {
        /// The server.
        url: String,
        /// The system's words.
        problem: String,
    },
    /// What listens there does not speak TLS as we do.
    #[error("{url}: TLS does not come about: {problem}; is it https that is served there?")]
    NoTls {
        /// The server.
        url: String,
        /// The library's words.
        problem: String,
    },
    /// Its certificate is not trusted.
    #[error(
        "{url}: its certificate is not trusted: {problem}; where it is your own, give the authority that signed it: --ca FILE.pem"
    )]
    Untrusted {
        /// The server.
        url: String,
        /// The library's words.
        problem: String,
    },
    /// The connection broke, or was not HTTP.
    #[error("{url}: {problem}")]
    Broken {
        /// The server.
        url: String,
        /// What happened.
        problem: String,
    },
    /// No answer in time.
    #[error("{url}: no answer to {what} in {limit_s} s")]
    Late {
        /// The server.
        url: String,
        /// What was asked.
        what: String,
        /// How long it was waited for.
        limit_s: u64,
    },
    /// A file of certificates that cannot be used.
    #[error("{path}: {problem}")]
    Authority {
        /// The file.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// A connection's bytes, plain or encrypted.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A server, and how it is reached. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Server {
    /// As it was given.
    pub url: Url,
    /// Where that leads.
    pub address: SocketAddr,
    tls: Option<Arc<rustls::ClientConfig>>,
    /// How often it has said that it is asked too often, or too much at once (429, 503), to whoever then asked again.
    again: Arc<AtomicU64>,
}

impl Server {
    /// A server at an address; by TLS, its certificate must be signed by an authority that this machine trusts, or by one of `ca`.
    ///
    /// # Errors
    /// [`HttpError::Authority`] for a file that cannot be used.
    pub fn new(url: Url, address: SocketAddr, ca: Option<&Path>) -> Result<Self, HttpError> {
        let tls = if url.secure { Some(Arc::new(client_config(ca)?)) } else { None };
        Ok(Self { url, address, tls, again: Arc::default() })
    }

    /// How often it has told anybody to come again later (429, 503) who then asked again.
    #[must_use]
    pub fn told_to_come_again(&self) -> u64 {
        self.again.load(Ordering::Relaxed)
    }

    /// Whether it answers at all in `limit`; on a connection of its own.
    pub(crate) async fn answers(&self, limit: Duration) -> bool {
        let asking = async { self.connect().await?.send(Method::GET, "/healthz", &[], Vec::new()).await };
        tokio::time::timeout(limit, asking).await.is_ok_and(|answer| answer.is_ok())
    }

    pub(crate) async fn open(&self) -> Result<Box<dyn Stream>, HttpError> {
        let url = self.url.to_string();
        let unreachable = |problem: String| HttpError::Unreachable { url: url.clone(), problem };
        let connecting = tokio::time::timeout(CONNECT, TcpStream::connect(self.address)).await;
        let stream = connecting.map_err(|_| unreachable(format!("no connection in {} s", CONNECT.as_secs())))?;
        let stream = stream.map_err(|error| unreachable(error.to_string()))?;
        // A request is one small write.
        stream.set_nodelay(true).map_err(|error| unreachable(error.to_string()))?;
        let Some(tls) = &self.tls else { return Ok(Box::new(stream)) };
        let untrusted = |problem: String| HttpError::Untrusted { url: url.clone(), problem };
        let name = ServerName::try_from(self.url.place.host.clone()).map_err(|error| untrusted(error.to_string()))?;
        let connecting = tokio_rustls::TlsConnector::from(Arc::clone(tls)).connect(name, stream);
        let connected = tokio::time::timeout(CONNECT, connecting).await;
        let connected = connected.map_err(|_| unreachable("the TLS handshake does not end".into()))?;
        Ok(Box::new(connected.map_err(|error| {
            let of_tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            if matches!(of_tls, Some(rustls::Error::InvalidCertificate(_))) {
                untrusted(error.to_string())
            } else {
                HttpError::NoTls { url: url.clone(), problem: error.to_string() }
            }
        })?))
    }

    /// A connection for requests.
    ///
    /// # Errors
    /// That it does not come about.
    pub async fn connect(&self) -> Result<Connection, HttpError> {
        let mut connection = Connection { server: self.clone(), sender: None, token: None };
        connection.reconnect().await?;
        Ok(connection)
    }

    /// The stream of events, from number `after` on where given.
    ///
    /// # Errors
    /// That it does not come about.
    pub(crate) async fn events(
        &self,
        token: &str,
        after: Option<u64>,
    ) -> Result<WebSocketStream<Box<dyn Stream>>, HttpError> {
        let after = after.map(|after| format!("?after={after}")).unwrap_or_default();
        let value = format!("Bearer {token}");
        self.stream(&format!("/api/v1/events{after}"), &[("authorization", &value)]).await
    }

    /// A WebSocket.
    ///
    /// # Errors
    /// That it does not come about.
    pub(crate) async fn stream(
        &self,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<WebSocketStream<Box<dyn Stream>>, HttpError> {
        let broken = |problem: String| HttpError::Broken { url: self.url.to_string(), problem };
        let scheme = if self.url.secure { "wss" } else { "ws" };
        let address = format!("{scheme}://{}{path}", self.url.place);
        let mut request = address.into_client_request().map_err(|error| broken(error.to_string()))?;
        for (name, value) in headers {
            let value = value.parse().map_err(|_| broken(format!("a text that no header can hold, for {name}")))?;
            request.headers_mut().insert(*name, value);
        }
        let stream = self.open().await?;
        // All of the room is cleared before each reading.
        let config = WebSocketConfig::default().read_buffer_size(READ);
        let upgrading = tokio_tungstenite::client_async_with_config(request, stream, Some(config));
        let upgraded = tokio::time::timeout(ANSWER, upgrading).await;
        let late = |_| HttpError::Late { url: self.url.to_string(), what: path.into(), limit_s: ANSWER.as_secs() };
        let (stream, _) = upgraded.map_err(late)?.map_err(|error| broken(format!("{path}: {error}")))?;
        Ok(stream)
    }
}

pub(crate) fn client_config(ca: Option<&Path>) -> Result<rustls::ClientConfig, HttpError> {
    let mut roots = rustls::RootCertStore::empty();
    // What cannot be read of the system's own is not trusted.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca {
        let refuse = |problem: String| HttpError::Authority { path: path.display().to_string(), problem };
        let text = std::fs::read(path).map_err(|error| refuse(error.to_string()))?;
        let mut count = 0;
        for certificate in CertificateDer::pem_slice_iter(&text) {
            let certificate = certificate.map_err(|error| refuse(error.to_string()))?;
            roots.add(certificate).map_err(|error| refuse(error.to_string()))?;
            count += 1;
        }
        if count == 0 {
            return Err(refuse("there is no certificate in it: a PEM file is right".into()));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider speaks TLS 1.2 and 1.3");
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Connections of somebody who asks often, as a web site keeps them to the server behind it: one that is idle is used again.
#[derive(Debug)]
pub(crate) struct Pool {
    server: Server,
    token: String,
    /// The last to be used is the first to be used again.
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl Pool {
    /// Connections to a server on which it is asked with the session's token.
    pub(crate) fn new(server: Server, token: String) -> Self {
        Self { server, token, idle: Mutex::default() }
    }

    pub(crate) const fn server(&self) -> &Server {
        &self.server
    }

    /// Sends a form to the API at once, on a new connection where all are busy; reads no more of the answer than a `T` has.
    ///
    /// # Errors
    /// No answer.
    pub(crate) async fn enter<T: DeserializeOwned + Default>(
        &self,
        path: &str,
        form: &impl Serialize,
    ) -> Result<Answer<T>, HttpError> {
        let form = serde_json::to_vec(form).expect("a form is JSON");
        let idle = self.lock().pop().filter(|(_, since)| since.elapsed() < IDLE);
        let mut connection = match idle {
            Some((connection, _)) => connection,
            None => Connection { token: Some(self.token.clone()), ..self.server.connect().await? },
        };
        let answer = connection.send_for(Method::POST, path, &[], form).await?;
        self.lock().push((connection, Instant::now()));
        Ok(answer)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Connection, Instant)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a server said.
#[derive(Debug, Clone)]
pub struct Answer<T = Value> {
    /// Status code.
    pub status: u16,
    /// `ETag`, where there is one.
    pub etag: Option<String>,
    /// After how long to ask again, where the server says it (`Retry-After`).
    pub retry_after: Option<Duration>,
    /// The body; `Null` where it is no JSON.
    pub body: T,
}

impl<T> Answer<T> {
    /// Whether it was done.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        matches!(self.status, 200..300)
    }

    /// Where it was too often, or too much at once: after how long to ask again.
    #[must_use]
    pub fn again_after(&self) -> Option<Duration> {
        matches!(self.status, 429 | 503).then(|| self.retry_after.unwrap_or(AGAIN).clamp(AGAIN / 5, AGAIN_AT_MOST))
    }
}

impl Answer {
    /// The rule that refused it, of a problem (RFC 9457).
    #[must_use]
    pub fn rule(&self) -> &str {
        self.body["rule"].as_str().unwrap_or_default()
    }

    /// Why it was refused, for people.
    #[must_use]
    pub fn detail(&self) -> String {
        let detail = self.body["detail"].as_str().unwrap_or("no reason is given");
        format!("{} {detail}", self.status)
    }
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    server: Server,
    sender: Option<SendRequest<Full<Bytes>>>,
    /// For `Authorization: Bearer`.
    pub token: Option<String>,
}

impl Connection {
    /// The server at its other end.
    #[must_use]
    pub const fn server(&self) -> &Server {
        &self.server
    }

    async fn reconnect(&mut self) -> Result<(), HttpError> {
        let stream = self.server.open().await?;
        let broken = |problem: String| HttpError::Broken { url: self.server.url.to_string(), problem };
        let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|error| broken(error.to_string()))?;
        // It ends with its sender; what breaks it is told to whoever asks next.
        tokio::spawn(async move { drop(connection.await) });
        self.sender = Some(sender);
        Ok(())
    }

    /// Signs in; what follows is asked with the session's token. Passwords are slow to verify, and only so many at once: whoever is
    /// told to come again does.
    ///
    /// # Errors
    /// No answer.
    pub async fn sign_in(&mut self, login: &str, password: &str) -> Result<Answer, HttpError> {
        let body = serde_json::json!({ "login": login, "password": password });
        let answer = self.patiently(Method::POST, "/api/v1/sessions", &[], body.to_string().into_bytes()).await?;
        if answer.is_success() {
            self.token = answer.body["token"].as_str().map(str::to_owned);
        }
        Ok(answer)
    }

    /// Asks the API; `path` is what follows `/api/v1`.
    ///
    /// # Errors
    /// No answer.
    pub async fn ask(&mut self, method: Method, path: &str, body: Option<&Value>) -> Result<Answer, HttpError> {
        let body = body.map_or_else(Vec::new, |body| body.to_string().into_bytes());
        self.send(method, &format!("/api/v1{path}"), &[], body).await
    }

    /// The same, and asks again as long as it is too often.
    ///
    /// # Errors
    /// No answer.
    pub(crate) async fn get(&mut self, path: &str) -> Result<Answer, HttpError> {
        self.patiently(Method::GET, &format!("/api/v1{path}"), &[], Vec::new()).await
    }

    /// Asks for anything, and asks again as long as it is too often: two minutes at most.
    ///
    /// # Errors
    /// No answer.
    pub(crate) async fn patiently(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, HttpError> {
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = self.send(method.clone(), path, headers, body.clone()).await?;
            let Some(after) = answer.again_after().filter(|after| Instant::now() + *after < until) else {
                return Ok(answer);
            };
            self.server.again.fetch_add(1, Ordering::Relaxed);
            tokio::time::sleep(after).await;
        }
    }

    /// Asks for anything. Where the server has closed the connection since the last request, a new one is made first.
    ///
    /// # Errors
    /// No answer.
    pub async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer, HttpError> {
        self.send_for(method, path, headers, body).await
    }

    /// The same, and reads no more of the answer than a `T` has.
    async fn send_for<T: DeserializeOwned + Default>(
        &mut self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Result<Answer<T>, HttpError> {
        let url = self.server.url.to_string();
        let broken = |problem: String| HttpError::Broken { url: url.clone(), problem };
        let mut request =
            Request::builder().method(method.clone()).uri(path).header("host", self.server.url.place.to_string());
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !body.is_empty() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(Bytes::from(body))).map_err(|error| broken(error.to_string()))?;
        if self.sender.as_ref().is_none_or(SendRequest::is_closed) {
            self.reconnect().await?;
        }
        let Some(sender) = &mut self.sender else { return Err(broken("no connection".into())) };
        let asking = async {
            sender.ready().await?;
            let answer = sender.send_request(request).await?;
            let (head, body) = answer.into_parts();
            Ok::<_, hyper::Error>((head, Limited::new(body, LONGEST).collect().await))
        };
        let asked = tokio::time::timeout(ANSWER, asking).await;
        let what = || format!("{method} {path}");
        let Ok(answered) = asked else {
            // Its answer may still come: not to the next request.
            self.sender = None;
            return Err(HttpError::Late { url, what: what(), limit_s: ANSWER.as_secs() });
        };
        let (head, body) = answered.map_err(|error| {
            self.sender = None;
            HttpError::Broken { url: url.clone(), problem: format!("{}: {error}", what()) }
        })?;
        let body = body.map_err(|error| broken(format!("{}: {error}", what())))?.to_bytes();
        let header = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
        Ok(Answer {
            status: head.status.as_u16(),
            etag: header("etag").map(str::to_owned),
            retry_after: header("retry-after").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        })
    }
}
