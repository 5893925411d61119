//! The whole server: organisations opened from storage, the API on its address.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use callfloor_engine::EngineConfig;
use callfloor_sip::Places;

use crate::certificates::{Certificates, Files, Use};
use crate::document::Document;
use crate::host::Host;
use crate::http::{self, App, Problem};
use crate::open_api::{OpenApi, Outgoing};
use crate::organisations::{As, Hosting, Organisations, server_administrator};
use crate::phone::{Exchange, PhoneLine, PhoneTrouble, Phones};
use crate::planning::Planner;
use crate::secrets::Vault;
use crate::storage::{Range, StorageError, Stores};
use crate::tenant::Tenants;
use crate::{auth, config, demo, listen};

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Storage cannot be used.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The address cannot be used.
    #[error("cannot listen on {address}: {problem}; choose another address or stop who uses it")]
    Address {
        /// Which.
        address: SocketAddr,
        /// The system's words.
        problem: std::io::Error,
    },
    /// The first accounts could not be made.
    #[error("the first accounts could not be made: {0}")]
    Accounts(Problem),
    /// The other organisations are not known.
    #[error("the list of organisations cannot be read: {0}")]
    Organisations(Problem),
    /// TLS cannot be spoken with this certificate.
    #[error("{0}")]
    Certificate(String),
    /// The open API's secrets or linked systems cannot be used.
    #[error("[open] {0}")]
    Open(String),
    /// Telephones cannot be served.
    #[error(transparent)]
    Phones(#[from] PhoneTrouble),
}

/// What a server is started with.
#[derive(Debug)]
pub struct Options {
    /// Where HTTP is served; port 0 takes any free one.
    pub http: SocketAddr,
    /// The realm of the main organisation's telephones.
    pub realm: String,
    /// What everybody may ask for, and how many may be connected.
    pub limits: config::Limits,
    /// Proxies in front of us, whose word on where a request comes from is believed.
    pub proxies: Vec<IpAddr>,
    /// The certificate chain and the key of TLS, in PEM files; `None`: plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The password of the demonstration's accounts in a new organisation; `None`: a random one.
    pub first_password: Option<String>,
    /// How telephones are served; `None`: not at all.
    pub phones: Option<PhoneLine>,
    /// The open API, and the organisations' own systems.
    pub open: config::Open,
    /// How organisations are served.
    pub hosting: Hosting,
}

impl Options {
    /// What a configuration says.
    #[must_use]
    pub fn new(config: &config::Config) -> Self {
        Self {
            http: config.http.address,
            realm: config.sip.domain.clone(),
            limits: config.limits,
            proxies: config.http.proxies.clone(),
            tls: config.http.certificate.clone().zip(config.http.key.clone()),
            first_password: None,
            phones: config.sip.enabled.then(|| PhoneLine::new(config)),
            open: config.open.clone(),
            hosting: Hosting {
                chat_grace: Duration::from_millis(config.chat.grace_ms.into()),
                snapshot_every: config.data.snapshot_every,
            },
        }
    }
}

/// What the open API needs, by its configuration.
fn open_api(open: &config::Open) -> Result<OpenApi, String> {
    let vault = open.secrets_key.as_deref().map(Vault::with_key).transpose();
    let vault = vault.map_err(|wrong| format!("secrets_key: {wrong}"))?.unwrap_or_default();
    let outgoing = Outgoing::new(&open.trusted_hosts, open.authorities.as_deref());
    Ok(OpenApi::new(vault, outgoing.map_err(|wrong| format!("authorities: {wrong}"))?))
}

/// Accounts that were made at a start, with a password that was made up.
#[derive(Clone, PartialEq, Eq)]
pub struct FirstAccounts {
    /// Their logins in the main organisation.
    pub logins: Vec<String>,
    /// The password of all of them: to be shown once.
    pub password: String,
}

impl std::fmt::Debug for FirstAccounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FirstAccounts").field("logins", &self.logins).finish_non_exhaustive()
    }
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    organisations: Arc<Organisations>,
    certificates: Arc<Certificates>,
    http: SocketAddr,
    serving: tokio::task::JoinHandle<()>,
    stop: listen::Stop,
    first_accounts: Option<FirstAccounts>,
    sip: Vec<SocketAddr>,
    planner: Arc<Planner>,
}

impl Server {
    /// Opens the main organisation and all others that it lists, and serves them.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running. An organisation beside the main one that cannot be opened is in the log and
    /// in the list of organisations: the others are served.
    pub async fn start(stores: Arc<dyn Stores>, options: Options) -> Result<Self, StartError> {
        let of_http = options.tls.map(|(certificate, key)| Files { certificate, key });
        let of_http = of_http.map(|files| files.load(Use::Http).map(|loaded| (files, loaded))).transpose();
        let of_http = of_http.map_err(StartError::Certificate)?;
        let open = open_api(&options.open).map_err(StartError::Open)?;
        let listener = std::net::TcpListener::bind(options.http);
        let listener = listener.and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
        let listener = listener.map_err(|problem| StartError::Address { address: options.http, problem })?;
        let http = listener.local_addr().unwrap_or(options.http);
        let places = options.phones.as_ref().map(PhoneLine::places_beside);
        let places = places.unwrap_or_else(|| Places::new(options.limits.into()));
        let (mut exchange, mut of_sip) = (None, None);
        if let Some(line) = options.phones {
            let mut bound = line.bind().await?;
            let certificate = bound.certificate();
            let started = exchange.insert(Exchange::start(bound, line)).clone();
            of_sip = certificate.map(|(files, loaded)| (files, started, loaded));
        }
        let certificates = Arc::new(Certificates::new(of_http, of_sip));
        let sip = exchange.as_ref().map(|exchange| exchange.addresses().to_vec()).unwrap_or_default();
        if let Some(exchange) = &exchange {
            exchange.list(Tenants::MAIN, &options.realm, Vec::new());
        }
        let organisations = Arc::new(Organisations::new(stores, options.hosting, exchange));
        let first_accounts = match Self::open(&organisations, options.first_password, &options.realm).await {
            Ok(first_accounts) => first_accounts,
            Err(problem) => {
                organisations.end_all().await;
                return Err(problem);
            }
        };
        let door = listen::Door::new(places, options.proxies.clone());
        let app = App::new(Arc::clone(&organisations), Arc::clone(&certificates), options.limits, options.proxies);
        let planner = Arc::clone(&app.planner);
        let router = http::router(app.with_open(open));
        let (stop, tls) = (listen::Stop::new(), certificates.of_http());
        let serving = tokio::spawn({
            let stop = stop.clone();
            async move {
                if let Err(problem) = listen::serve(listener, tls, door, router, stop).await {
                    tracing::error!(%problem, "HTTP ended");
                }
            }
        });
        Ok(Self { organisations, certificates, http, serving, stop, first_accounts, sip, planner })
    }

    /// Opens the main organisation, then those that it lists.
    async fn open(
        organisations: &Arc<Organisations>,
        first_password: Option<String>,
        realm: &str,
    ) -> Result<Option<FirstAccounts>, StartError> {
        let floor: EngineConfig = demo::floor().expect("the demonstration's floor is right");
        let main = organisations.open(Tenants::MAIN, floor).await?;
        let first_accounts = Self::make_first_accounts(&main.host, first_password, realm.to_owned()).await;
        organisations.serve(main, As { organisation: Tenants::MAIN, realm, name: None }).await?;
        let first_accounts = first_accounts?;
        organisations.settle_all().await.map_err(StartError::Organisations)?;
        Ok(first_accounts)
    }

    /// Makes the demonstration's accounts where there are none, and an administrator of the server where there is none.
    async fn make_first_accounts(
        host: &Host,
        wanted: Option<String>,
        realm: String,
    ) -> Result<Option<FirstAccounts>, StartError> {
        let accounts = host.handle().read(|reader| reader.count(&Range::all(auth::Account::KIND, 0))).await?;
        let password = wanted.clone().unwrap_or_else(auth::random_password);
        let used = password.clone();
        let made = host.handle().run(move |turn| {
            let mut logins = Vec::new();
            if accounts == 0 {
                demo::create_accounts(turn.documents(), &used, &realm)?;
                logins.extend(demo::logins().map(String::from));
            }
            logins.extend(server_administrator(turn, &used)?);
            Ok::<_, Problem>(logins)
        });
        let logins = made.await.map_err(Problem::from).and_then(|made| made).map_err(StartError::Accounts)?;
        Ok((wanted.is_none() && !logins.is_empty()).then_some(FirstAccounts { logins, password }))
    }

    /// Where HTTP is served.
    #[must_use]
    pub const fn http(&self) -> SocketAddr {
        self.http
    }

    /// Where SIP is served: UDP, TCP, then TLS.
    #[must_use]
    pub fn sip(&self) -> &[SocketAddr] {
        &self.sip
    }

    /// The organisations that are served.
    #[must_use]
    pub fn tenants(&self) -> &Arc<Tenants> {
        self.organisations.tenants()
    }

    /// Orders to the main organisation's telephones, where they are served.
    #[must_use]
    pub fn phones(&self) -> Option<Phones> {
        self.tenants().named(None)?.phones.clone()
    }

    /// The certificates that are shown, which can be read again.
    #[must_use]
    pub const fn certificates(&self) -> &Arc<Certificates> {
        &self.certificates
    }

    /// Accounts that were made at this start with a password that was made up: to be shown once.
    #[must_use]
    pub const fn first_accounts(&self) -> Option<&FirstAccounts> {
        self.first_accounts.as_ref()
    }

    /// Stops: no new requests, those in progress end, the last commits and snapshots are made.
    pub async fn stop(self) {
        let limit = Duration::from_secs(10);
        self.planner.stop();
        self.stop.graceful_shutdown(Some(limit));
        if tokio::time::timeout(limit + Duration::from_secs(1), self.serving).await.is_err() {
            tracing::warn!("some requests did not end in 10 s: they are cut");
        }
        self.organisations.end_all().await;
    }
}
