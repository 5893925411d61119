//! The certificates that we show by TLS, of HTTP and of SIP: read again while the server runs. All of them are looked at first;
//! where one is wrong, those in use stay.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum_server::tls_rustls::RustlsConfig;
use callfloor_sip::Tls;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

use crate::audit::{self, Act};
use crate::auth::{Access, Caller, Role, Row};
use crate::http::{App, Problem};
use crate::phone::Exchange;

const SERVER: Access = Access::Roles(&[Role::ServerAdministrator]);

/// Rows of this module's routes.
pub const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/certificates", access: SERVER },
    Row { method: "POST", path: "/certificates/reload", access: SERVER },
];

/// This module's routes.
pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(reload))
}

/// For what a certificate is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Use {
    /// The API.
    Http,
    /// Telephones.
    Sip,
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "[http] certificate",
            Self::Sip => "[sip] certificate",
        })
    }
}

/// A certificate that is in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Shown {
    /// For what.
    pub of: Use,
    /// The names that it is good for.
    pub names: Vec<String>,
    /// When it ends, in seconds since 1970.
    pub ends_s: i64,
}

/// Two PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Files {
    pub(crate) certificate: PathBuf,
    pub(crate) key: PathBuf,
}

/// A certificate that was read and fits its key.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub(crate) config: Arc<rustls::ServerConfig>,
    shown: Shown,
}

impl Files {
    /// Reads and checks them.
    ///
    /// # Errors
    /// Which of them cannot be read, does not fit, or is out of date, in words.
    pub(crate) fn load(&self, of: Use) -> Result<Loaded, String> {
        let read = |path: &Path| std::fs::read(path).map_err(|problem| format!("{of}: {}: {problem}", path.display()));
        let (chain, key) = (read(&self.certificate)?, read(&self.key)?);
        let wrong = |what: String| format!("{of} {}, key {}: {what}", self.certificate.display(), self.key.display());
        let made = Tls::from_pem(Some((&chain, &key)), None).map_err(|problem| wrong(problem.to_string()))?;
        let made = made.server.ok_or_else(|| wrong("they make no server".into()))?;
        let mut config = rustls::ServerConfig::clone(&made);
        if of == Use::Http {
            // WebSockets are asked for in HTTP/1.1.
            config.alpn_protocols = vec![b"http/1.1".to_vec()];
        }
        let shown = look(of, &chain).map_err(wrong)?;
        Ok(Loaded { config: Arc::new(config), shown })
    }
}

/// What stands in the first certificate of a chain.
fn look(of: Use, chain: &[u8]) -> Result<Shown, String> {
    let own = CertificateDer::from_pem_slice(chain).map_err(|problem| format!("it cannot be read: {problem}"))?;
    let (_, own) = X509Certificate::from_der(&own).map_err(|problem| format!("it cannot be read: {problem}"))?;
    let validity = own.validity();
    let now_s = jiff::Timestamp::now().as_second();
    let time = |at: i64| jiff::Timestamp::from_second(at).map_or_else(|_| at.to_string(), |time| time.to_string());
    let (begins_s, ends_s) = (validity.not_before.timestamp(), validity.not_after.timestamp());
    if now_s > ends_s {
        return Err(format!("it was good until {}: put a newer one there", time(ends_s)));
    }
    if now_s < begins_s {
        return Err(format!("it is good from {} on, not yet: is this machine's clock right?", time(begins_s)));
    }
    let names = own.subject_alternative_name().ok().flatten();
    let names = names.into_iter().flat_map(|names| &names.value.general_names);
    let names = names.filter_map(|name| match name {
        GeneralName::DNSName(name) => Some((*name).to_owned()),
        GeneralName::IPAddress(bytes) => match <[u8; 4]>::try_from(*bytes) {
            Ok(v4) => Some(Ipv4Addr::from(v4).to_string()),
            Err(_) => <[u8; 16]>::try_from(*bytes).ok().map(|v6| Ipv6Addr::from(v6).to_string()),
        },
        _ => None,
    });
    Ok(Shown { of, names: names.collect(), ends_s })
}

/// The certificates of a server.
#[derive(Debug)]
pub struct Certificates {
    http: Option<(Files, RustlsConfig)>,
    sip: Option<(Files, Exchange)>,
    shown: Mutex<Vec<Shown>>,
}

impl Certificates {
    /// Those with which a server starts: HTTP's, with its acceptor's configuration, and SIP's.
    pub(crate) fn new(http: Option<(Files, Loaded)>, sip: Option<(Files, Exchange, Loaded)>) -> Self {
        let mut shown = Vec::new();
        let http = http.map(|(files, loaded)| {
            shown.push(loaded.shown);
            (files, RustlsConfig::from_config(loaded.config))
        });
        let sip = sip.map(|(files, exchange, loaded)| {
            shown.push(loaded.shown);
            (files, exchange)
        });
        Self { http, sip, shown: Mutex::new(shown) }
    }

    /// What the acceptor of HTTP shows; it follows every reload.
    pub(crate) fn of_http(&self) -> Option<RustlsConfig> {
        self.http.as_ref().map(|(_, acceptor)| acceptor.clone())
    }

    /// Those in use.
    #[must_use]
    pub fn shown(&self) -> Vec<Shown> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads the files again and shows what is in them to whoever connects from now on. Connections that are open go on.
    ///
    /// # Errors
    /// What is wrong with the new ones: those of before are still in use.
    pub fn reload(&self) -> Result<Vec<Shown>, String> {
        // Held until the new ones are in use: of two reloads the later one counts.
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        let http = self.http.as_ref().map(|(files, _)| files.load(Use::Http)).transpose()?;
        let sip = self.sip.as_ref().map(|(files, _)| files.load(Use::Sip)).transpose()?;
        let mut now = Vec::new();
        if let (Some((_, acceptor)), Some(loaded)) = (&self.http, http) {
            acceptor.reload_from_config(loaded.config);
            now.push(loaded.shown);
        }
        if let (Some((_, exchange)), Some(loaded)) = (&self.sip, sip) {
            exchange.renew_certificate(loaded.config);
            now.push(loaded.shown);
        }
        shown.clone_from(&now);
        Ok(now)
    }
}

/// The certificates that are in use.
#[utoipa::path(get, path = "/certificates", tag = "certificates", responses(
    (status = 200, description = "of HTTP and of SIP, where they are spoken by TLS", body = Vec<Shown>),
    (status = "4XX", description = "refused", body = Problem),
))]
async fn list(State(app): State<App>, _: Caller) -> Json<Vec<Shown>> {
    Json(app.certificates.shown())
}

/// Reads certificates and keys from their files again: whoever connects from now on is shown the new ones. Where one is
/// wrong (rule `certificate`) all of those in use stay. SIGHUP does the same.
#[utoipa::path(post, path = "/certificates/reload", tag = "certificates", responses(
    (status = 200, description = "in use", body = Vec<Shown>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn reload(State(app): State<App>, caller: Caller) -> Result<Json<Vec<Shown>>, Problem> {
    let certificates = Arc::clone(&app.certificates);
    let read = tokio::task::spawn_blocking(move || certificates.reload()).await.expect("reading does not panic");
    let shown = read.map_err(|what| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "certificate", what))?;
    let who = caller.principal.who();
    let shown = caller
        .write(move |turn| {
            let now_us = turn.now().as_micros();
            let about = shown.iter().map(|one| format!("{:?} {}", one.of, one.names.join(" "))).collect::<Vec<_>>();
            audit::append(turn.documents(), now_us, &who, Act::CertificatesReloaded, about.join(", "))?;
            Ok(shown)
        })
        .await?;
    Ok(Json(shown))
}
