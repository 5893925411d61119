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
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::{WebSocketStream, tungstenite};

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
/// Where sessions begin.
const SESSIONS: &str = "/api/v1/sessions";

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
    /// Nobody is signed in, or the session is over.
    #[error("{url}: {what} is for those who are signed in")]
    SignedOut {
        /// The server.
        url: String,
        /// What was asked.
        what: String,
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
        let mut connection = Connection { server: self.clone(), sender: None, session: None };
        connection.reconnect().await?;
        Ok(connection)
    }

    /// The stream of events, from number `after` on where given. Where the session is over, another is begun first.
    ///
    /// # Errors
    /// That it does not come about.
    pub(crate) async fn events(
        &self,
        session: &Session,
        after: Option<u64>,
    ) -> Result<WebSocketStream<Box<dyn Stream>>, HttpError> {
        let after = after.map(|after| format!("?after={after}")).unwrap_or_default();
        let path = format!("/api/v1/events{after}");
        let token = session.token();
        let opened = self.stream(&path, &[("authorization", &format!("Bearer {token}"))]).await;
        if !matches!(opened, Err(HttpError::SignedOut { .. })) || !self.connect().await?.renew(session, &token).await? {
            return opened;
        }
        self.stream(&path, &[("authorization", &format!("Bearer {}", session.token()))]).await
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
        let (stream, _) = upgraded.map_err(late)?.map_err(|error| match error {
            tungstenite::Error::Http(answer) if answer.status().as_u16() == 401 => {
                HttpError::SignedOut { url: self.url.to_string(), what: path.into() }
            }
            error => broken(format!("{path}: {error}")),
        })?;
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
    session: Session,
    /// The last to be used is the first to be used again.
    idle: Mutex<Vec<(Connection, Instant)>>,
}

impl Pool {
    /// Connections to a server on which it is asked in a session.
    pub(crate) fn new(server: Server, session: Session) -> Self {
        Self { server, session, idle: Mutex::default() }
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
            // Rare, and large: not a part of every request.
            None => Box::pin(self.server.connect()).await?.of(self.session.clone()),
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
    /// Of a session that was begun: what is asked in it is asked with this.
    fn token(&self) -> Option<&str> {
        self.body["token"].as_str().filter(|_| self.is_success())
    }

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

/// Somebody who is signed in, on however many connections. A server ends a session some hours after it began: then the next is begun.
#[derive(Clone)]
pub struct Session(Arc<SignedIn>);

struct SignedIn {
    login: String,
    password: String,
    /// For `Authorization: Bearer`.
    token: Mutex<String>,
    /// Held by the connection that begins the next session.
    renewing: tokio::sync::Mutex<()>,
}

impl Session {
    fn new(login: &str, password: &str, token: &str) -> Self {
        let (login, password, token) = (login.to_owned(), password.to_owned(), Mutex::new(token.to_owned()));
        Self(Arc::new(SignedIn { login, password, token, renewing: tokio::sync::Mutex::default() }))
    }

    fn token(&self) -> String {
        self.0.token.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_token(&self, token: &str) {
        token.clone_into(&mut self.0.token.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("login", &self.0.login).finish_non_exhaustive()
    }
}

/// One connection.
#[derive(Debug)]
pub struct Connection {
    server: Server,
    sender: Option<SendRequest<Full<Bytes>>>,
    session: Option<Session>,
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

    /// Whoever is signed in here.
    #[must_use]
    pub const fn session(&self) -> Option<&Session> {
        self.session.as_ref()
    }

    /// The same connection, used by somebody who has signed in on another.
    #[must_use]
    pub(crate) fn of(self, session: Session) -> Self {
        Self { session: Some(session), ..self }
    }

    /// Signs in; what follows is asked with the session's token, and with the next session's where it ends. Passwords are slow to
    /// verify, and only so many at once: whoever is told to come again does.
    ///
    /// # Errors
    /// No answer.
    pub async fn sign_in(&mut self, login: &str, password: &str) -> Result<Answer, HttpError> {
        let answer = self.begin_session(login, password).await?;
        self.session = answer.token().map(|token| Session::new(login, password, token));
        Ok(answer)
    }

    async fn begin_session(&mut self, login: &str, password: &str) -> Result<Answer, HttpError> {
        let body = Bytes::from(serde_json::json!({ "login": login, "password": password }).to_string());
        let until = Instant::now() + PATIENCE;
        loop {
            let answer = self.exchange(Method::POST, SESSIONS, None, &[], body.clone()).await?;
            let Some(after) = self.asks_again(&answer, until) else { return Ok(answer) };
            tokio::time::sleep(after).await;
        }
    }

    /// Begins another session where the one with the token `spent` is over, unless somebody has done so meanwhile; whether there is
    /// one.
    async fn renew(&mut self, session: &Session, spent: &str) -> Result<bool, HttpError> {
        let _alone = session.0.renewing.lock().await;
        if session.token() != spent {
            return Ok(true);
        }
        let answer = self.begin_session(&session.0.login, &session.0.password).await?;
        if let Some(token) = answer.token() {
            session.set_token(token);
        }
        Ok(answer.token().is_some())
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
            let Some(after) = self.asks_again(&answer, until) else { return Ok(answer) };
            tokio::time::sleep(after).await;
        }
    }

    /// After how long to ask again where it was too often, if that is before `until`; counted.
    fn asks_again(&self, answer: &Answer, until: Instant) -> Option<Duration> {
        let after = answer.again_after().filter(|after| Instant::now() + *after < until)?;
        self.server.again.fetch_add(1, Ordering::Relaxed);
        Some(after)
    }

    /// Asks for anything. Where the server has closed the connection since the last request, a new one is made first; where the session
    /// is over, it is asked once more in the next.
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
        let body = Bytes::from(body);
        let Some(session) = self.session.clone() else {
            return self.exchange(method, path, None, headers, body).await;
        };
        let token = session.token();
        let answer = self.exchange(method.clone(), path, Some(&token), headers, body.clone()).await?;
        if answer.status != 401 || !Box::pin(self.renew(&session, &token)).await? {
            return Ok(answer);
        }
        Box::pin(self.exchange(method, path, Some(&session.token()), headers, body)).await
    }

    async fn exchange<T: DeserializeOwned + Default>(
        &mut self,
        method: Method,
        path: &str,
        token: Option<&str>,
        headers: &[(&str, &str)],
        body: Bytes,
    ) -> Result<Answer<T>, HttpError> {
        let url = self.server.url.to_string();
        let broken = |problem: String| HttpError::Broken { url: url.clone(), problem };
        let mut request =
            Request::builder().method(method.clone()).uri(path).header("host", self.server.url.place.to_string());
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if !body.is_empty() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body)).map_err(|error| broken(error.to_string()))?;
        if self.sender.as_ref().is_none_or(SendRequest::is_closed) {
            Box::pin(self.reconnect()).await?;
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

    use super::*;

    /// A server whose sessions end when a test says so.
    #[derive(Debug, Default)]
    struct Forgetful {
        /// Sessions so far; the last is good, unless it is over.
        sessions: AtomicU64,
        over: AtomicBool,
        /// The password was changed.
        changed: AtomicBool,
        asked: AtomicU64,
    }

    impl Forgetful {
        async fn open(self: Arc<Self>) -> Server {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = listener.local_addr().unwrap();
            tokio::spawn(async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(Arc::clone(&self).serve(stream));
                }
            });
            Server::new(format!("http://{address}").parse().unwrap(), address, None).unwrap()
        }

        async fn serve(self: Arc<Self>, mut stream: TcpStream) {
            let mut bytes = Vec::new();
            while let Ok(count) = stream.read_buf(&mut bytes).await
                && count > 0
            {
                let text = String::from_utf8(bytes.clone()).unwrap();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let value = |name: &str| {
                    let lines = head.lines().filter_map(|line| line.split_once(": "));
                    lines.filter(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned()).next()
                };
                let length: usize = value("content-length").map_or(0, |length| length.parse().unwrap());
                if body.len() < length {
                    continue;
                }
                let answer = self.answer(head, value("authorization"), value("sec-websocket-key"));
                stream.write_all(answer.as_bytes()).await.unwrap();
                bytes.clear();
            }
        }

        fn answer(&self, head: &str, authorization: Option<String>, key: Option<String>) -> String {
            let json = |status: &str, body: String| {
                format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len())
            };
            if head.starts_with("POST /api/v1/sessions ") {
                if self.changed.load(Ordering::Relaxed) {
                    return json("401 Unauthorized", "{}".into());
                }
                self.over.store(false, Ordering::Relaxed);
                let number = self.sessions.fetch_add(1, Ordering::Relaxed) + 1;
                return json("200 OK", format!(r#"{{"token":"session {number}"}}"#));
            }
            self.asked.fetch_add(1, Ordering::Relaxed);
            let good = format!("Bearer session {}", self.sessions.load(Ordering::Relaxed));
            if self.over.load(Ordering::Relaxed) || authorization != Some(good) {
                return json("401 Unauthorized", r#"{"rule":"unauthenticated"}"#.into());
            }
            match key {
                Some(key) => format!(
                    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-accept: {}\r\n\r\n",
                    derive_accept_key(key.as_bytes())
                ),
                None => json("200 OK", "{}".into()),
            }
        }

        fn ends(&self) {
            self.over.store(true, Ordering::Relaxed);
        }

        fn counts(&self) -> (u64, u64) {
            (self.sessions.load(Ordering::Relaxed), self.asked.load(Ordering::Relaxed))
        }
    }

    #[tokio::test]
    async fn the_next_session_is_begun_where_one_is_over() {
        let far = Arc::new(Forgetful::default());
        let server = Arc::clone(&far).open().await;
        let mut connection = server.connect().await.unwrap();
        assert!(connection.sign_in("anna", "secret").await.unwrap().is_success());
        assert_eq!(connection.get("/me").await.unwrap().status, 200);
        assert_eq!(far.counts(), (1, 1));
        far.ends();
        assert_eq!(connection.get("/me").await.unwrap().status, 200);
        assert_eq!(far.counts(), (2, 3), "one more session, and the request was repeated in it");
        // Another connection of the same person has the new session.
        let session = connection.session().unwrap().clone();
        let mut other = server.connect().await.unwrap().of(session.clone());
        assert_eq!(other.ask(Method::GET, "/me", None).await.unwrap().status, 200);
        assert_eq!(far.counts(), (2, 4));
        far.ends();
        assert!(server.events(&session, None).await.is_ok());
        assert_eq!(far.counts(), (3, 6));
    }

    #[tokio::test]
    async fn who_cannot_sign_in_again_is_refused_once() {
        let far = Arc::new(Forgetful::default());
        let server = Arc::clone(&far).open().await;
        let mut connection = server.connect().await.unwrap();
        connection.sign_in("anna", "secret").await.unwrap();
        far.changed.store(true, Ordering::Relaxed);
        far.ends();
        let answer = connection.get("/me").await.unwrap();
        assert_eq!((answer.status, answer.rule()), (401, "unauthenticated"));
        assert_eq!(far.counts(), (1, 1));
        let session = connection.session().unwrap().clone();
        assert!(matches!(server.events(&session, None).await, Err(HttpError::SignedOut { .. })));
        assert!(!format!("{session:?}").contains("secret"));
    }
}
