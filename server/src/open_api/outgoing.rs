//! Asks the organisation's own systems over HTTPS. What an administrator enters as an address must not open a way into our own
//! network: only public addresses are asked, by TLS, unless the server's configuration names the host as trusted; a redirect
//! is not followed; time and length of an answer have limits.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Method, Request, Url};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use tokio::sync::Semaphore;

/// Questions of one organisation at once: systems that are slow hold up their own organisation and no other.
const AT_ONCE: usize = 16;
/// Questions of one organisation that may wait for their turn beside those; one more is refused at once.
const WAITING: usize = 64;
/// Longest answer, in bytes.
const LARGEST: usize = 64 << 10;

/// Why another system gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// Not within the time limit.
    #[error("it gave no answer within {0} ms")]
    Late(u64),
    /// Not at all, or none that can be used.
    #[error("{0}")]
    Failed(String),
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Asks other systems.
#[derive(Debug)]
pub struct Outgoing {
    trusted: Arc<[String]>,
    authorities: Vec<CertificateDer<'static>>,
    /// Made when it is first needed: the system's authorities take a while to read.
    client: OnceLock<Result<Client, String>>,
    /// Of the organisations that ask at this moment.
    lines: Mutex<HashMap<String, Arc<Line>>>,
}

/// The questions of an organisation.
#[derive(Debug)]
struct Line {
    turns: Semaphore,
    /// Those that are asked and those that wait.
    asking: AtomicUsize,
}

/// A place in an organisation's line.
struct Place<'a> {
    outgoing: &'a Outgoing,
    organisation: &'a str,
    line: Arc<Line>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut lines = self.outgoing.lines.lock().unwrap_or_else(PoisonError::into_inner);
        // Under the lock under which one is added: a line that somebody is in stays.
        if self.line.asking.fetch_sub(1, Ordering::AcqRel) == 1 {
            lines.remove(self.organisation);
        }
    }
}

impl Default for Outgoing {
    fn default() -> Self {
        Self::with(Vec::new(), Vec::new())
    }
}

impl Outgoing {
    /// With hosts that may have private addresses and be asked without TLS, and a PEM file of authorities to trust beside the
    /// system's own.
    ///
    /// # Errors
    /// What is wrong with the file, in words.
    pub fn new(trusted: &[String], authorities: Option<&Path>) -> Result<Self, String> {
        let mut found = Vec::new();
        if let Some(path) = authorities {
            let told = |problem: rustls::pki_types::pem::Error| format!("{}: {problem}", path.display());
            for certificate in CertificateDer::pem_file_iter(path).map_err(told)? {
                found.push(certificate.map_err(told)?);
            }
            if found.is_empty() {
                return Err(format!("{}: there is no certificate in it", path.display()));
            }
        }
        Ok(Self::with(trusted.iter().map(|host| host.to_ascii_lowercase()).collect(), found))
    }

    fn with(trusted: Vec<String>, authorities: Vec<CertificateDer<'static>>) -> Self {
        Self { trusted: trusted.into(), authorities, client: OnceLock::new(), lines: Mutex::default() }
    }

    /// An address that may be asked.
    ///
    /// # Errors
    /// What would be right.
    pub(super) fn address(&self, text: &str) -> Result<Url, String> {
        let url = Url::parse(text).map_err(|problem| format!("{text:?} is no address: {problem}"))?;
        let host = url.host_str().ok_or("an address as in https://crm.example.jp/members is right")?;
        let trusted = is_trusted(&self.trusted, host);
        if !(url.scheme() == "https" || url.scheme() == "http" && trusted) {
            return Err(
                "an address that begins with https:// is right; plain http:// is for hosts in [open] trusted_hosts"
                    .into(),
            );
        }
        if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
            return Err("an address without user, password and # is right: requests are signed instead".into());
        }
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>()
            && !trusted
            && !is_public(address)
        {
            return Err(format!(
                "{address} is no public address; the server's configuration may name it in [open] trusted_hosts"
            ));
        }
        Ok(url)
    }

    /// Asks for an organisation, and waits so long for its turn and the whole answer.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) async fn ask(&self, organisation: &str, request: Asked, limit: Duration) -> Result<Answer, Trouble> {
        let place = self.place(organisation)?;
        let asked = tokio::time::timeout(limit, self.send(&place.line, request)).await;
        asked.unwrap_or_else(|_| Err(Trouble::Late(u64::try_from(limit.as_millis()).unwrap_or(u64::MAX))))
    }

    fn place<'a>(&'a self, organisation: &'a str) -> Result<Place<'a>, Trouble> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines
            .entry(organisation.to_owned())
            .or_insert_with(|| Arc::new(Line { turns: Semaphore::new(AT_ONCE), asking: AtomicUsize::new(0) }));
        if line.asking.load(Ordering::Acquire) >= AT_ONCE + WAITING {
            let detail = format!("{AT_ONCE} questions are asked already and {WAITING} wait: it is too slow for them");
            return Err(Trouble::Failed(detail));
        }
        line.asking.fetch_add(1, Ordering::AcqRel);
        let line = Arc::clone(line);
        Ok(Place { outgoing: self, organisation, line })
    }

    async fn send(&self, line: &Line, asked: Asked) -> Result<Answer, Trouble> {
        let _turn = line.turns.acquire().await.expect("the turns are never closed");
        // The configuration may have changed since the address was entered.
        self.address(asked.url.as_str()).map_err(Trouble::Failed)?;
        let client = self.client.get_or_init(|| client(Arc::clone(&self.trusted), &self.authorities));
        let client = client.as_ref().map_err(|problem| Trouble::Failed(problem.clone()))?;
        let mut request = Request::new(asked.method, asked.url);
        for (name, value) in asked.headers {
            let value = value.parse().map_err(|_| Trouble::Failed(format!("the header {name} cannot be sent")))?;
            request.headers_mut().insert(name, value);
        }
        *request.body_mut() = asked.body.map(Into::into);
        let mut response = client.execute(request).await.map_err(|problem| Trouble::Failed(told(&problem)))?;
        let (status, mut body) = (response.status().as_u16(), Vec::new());
        while let Some(part) = response.chunk().await.map_err(|problem| Trouble::Failed(told(&problem)))? {
            if body.len() + part.len() > LARGEST {
                return Err(Trouble::Failed(format!("its answer is longer than {LARGEST} bytes")));
            }
            body.extend_from_slice(&part);
        }
        Ok(Answer { status, body })
    }
}

/// A question to another system.
#[derive(Debug)]
pub(super) struct Asked {
    pub method: Method,
    pub url: Url,
    pub headers: Vec<(&'static str, String)>,
    pub body: Option<Vec<u8>>,
}

/// What went wrong with a connection, from the outermost to the innermost cause, without the address.
fn told(problem: &reqwest::Error) -> String {
    let mut causes =
        vec![if problem.is_connect() { "no connection".to_owned() } else { "the connection failed".to_owned() }];
    let mut cause = std::error::Error::source(problem);
    while let Some(inner) = cause {
        causes.push(inner.to_string());
        cause = inner.source();
    }
    causes.dedup();
    causes.join(": ")
}

fn client(trusted: Arc<[String]>, authorities: &[CertificateDer<'static>]) -> Result<Client, String> {
    let mut roots = rustls::RootCertStore::empty();
    let system = rustls_native_certs::load_native_certs();
    for problem in &system.errors {
        tracing::warn!(%problem, "the system's certificate authorities");
    }
    roots.add_parsable_certificates(system.certs);
    for certificate in authorities {
        roots.add(certificate.clone()).map_err(|problem| format!("[open] authorities: {problem}"))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|problem| problem.to_string())?.with_root_certificates(roots).with_no_client_auth();
    let client = Client::builder()
        .use_preconfigured_tls(config)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(4)
        .user_agent("callfloor")
        .dns_resolver(Arc::new(PublicOnly { trusted }));
    client.build().map_err(|problem| told(&problem))
}

fn is_trusted(trusted: &[String], host: &str) -> bool {
    trusted.iter().any(|known| known.eq_ignore_ascii_case(host))
}

/// Looks names up, and leaves out addresses that are not public: whatever a name means at this moment, only these are
/// connected to.
struct PublicOnly {
    trusted: Arc<[String]>,
}

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let trusted = is_trusted(&self.trusted, name.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let found: Vec<SocketAddr> = found.filter(|address| trusted || is_public(address.ip())).collect();
            if found.is_empty() {
                return Err(format!("{:?} has no public address", name.as_str()).into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

/// Whether an address is one of the public internet (IANA's special-purpose registries, RFC 6890).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            let special = a == 0
                || address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_multicast()
                || address.is_documentation()
                || (a == 100 && (64..128).contains(&b))
                || (a == 192 && b == 0 && c == 0)
                || (a == 192 && b == 88 && c == 99)
                || (a == 198 && (18..20).contains(&b))
                || a >= 240;
            !special
        }
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Global unicast, without what leads elsewhere: 6to4, Teredo and the rest of 2001::/23, documentation.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let global = a & 0xe000 == 0x2000;
    let special = a == 0x2002 || (a == 0x2001 && (b < 0x0200 || b == 0x0db8)) || (a == 0x3fff && b < 0x1000);
    global && !special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses() {
        for text in ["8.8.8.8", "100.63.0.1", "172.32.0.1", "198.20.0.1", "2606:4700::1111", "::ffff:8.8.8.8"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        let private = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fd00::1",
            "fe80::1",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::1",
            "3fff::1",
        ];
        for text in private {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn addresses_that_may_be_asked() {
        let outgoing = Outgoing::new(&["CRM.internal".into(), "127.0.0.1".into()], None).unwrap();
        for right in [
            "https://crm.example.jp/members?x=1",
            "http://crm.internal:8080/",
            "http://127.0.0.1:9/",
            "https://[2606:4700::1111]/",
        ] {
            assert!(outgoing.address(right).is_ok(), "{right}");
        }
        let wrong = [
            "crm.example.jp",
            "http://crm.example.jp/",
            "ftp://crm.internal/",
            "file:///etc/passwd",
            "https://user@crm.example.jp/",
            "https://crm.example.jp/#x",
            "https://127.1.1.1/",
            "https://2130706434/",
            "https://0x7f.2/",
            "https://[::1]/",
            "https://[::ffff:10.0.0.1]/",
            "https://169.254.169.254/latest/meta-data",
        ];
        for wrong in wrong {
            assert!(outgoing.address(wrong).is_err(), "{wrong}");
        }
    }

    /// A name that means this machine is not asked, whatever its address in the configuration looks like.
    #[tokio::test]
    async fn a_name_with_a_private_address_is_not_connected_to() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://localhost:{}/", listener.local_addr().unwrap().port());
        let outgoing = Outgoing::default();
        let asked = Asked { method: Method::GET, url: outgoing.address(&url).unwrap(), headers: vec![], body: None };
        let trouble = outgoing.ask("main", asked, Duration::from_secs(5)).await.unwrap_err();
        assert!(trouble.to_string().contains("has no public address"), "{trouble}");
        let came = tokio::time::timeout(Duration::from_millis(50), listener.accept()).await;
        assert!(came.is_err(), "nobody connected");
    }

    /// One organisation's system takes every question and answers none; another organisation is answered at once.
    #[tokio::test]
    async fn a_slow_system_holds_up_its_own_organisation_alone() {
        let slow = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let quick = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = |listener: &tokio::net::TcpListener| format!("http://{}/", listener.local_addr().unwrap());
        let (at_slow, at_quick) = (url(&slow), url(&quick));
        let connected = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&connected);
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((stream, _)) = slow.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                held.push(stream);
            }
        });
        tokio::spawn(async move {
            let app = axum::Router::new().fallback(|| async { "yes" });
            axum::serve(quick, app).await
        });
        let outgoing = Arc::new(Outgoing::new(&["127.0.0.1".into()], None).unwrap());
        let asks = |organisation: &'static str, url: &str| {
            let url = outgoing.address(url).unwrap();
            let asked = Asked { method: Method::GET, url, headers: vec![], body: None };
            let outgoing = Arc::clone(&outgoing);
            tokio::spawn(async move { outgoing.ask(organisation, asked, Duration::from_secs(3)).await })
        };
        let held: Vec<_> = (0..AT_ONCE + WAITING).map(|_| asks("acme", &at_slow)).collect();
        while connected.load(Ordering::SeqCst) < AT_ONCE {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let refused = asks("acme", &at_quick).await.unwrap().unwrap_err();
        assert!(refused.to_string().contains("too slow"), "{refused}");
        let begun = std::time::Instant::now();
        let answer = asks("beta", &at_quick).await.unwrap().expect("an answer");
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"yes".as_slice()));
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
        assert_eq!(connected.load(Ordering::SeqCst), AT_ONCE, "no more are asked at once");
        for held in held {
            assert_eq!(held.await.unwrap(), Err(Trouble::Late(3_000)));
        }
        assert!(outgoing.lines.lock().unwrap().is_empty(), "who asks nothing is not remembered");
        assert!(asks("acme", &at_quick).await.unwrap().is_ok(), "nor held up for good");
    }
}
