//! The whole server: organisations opened from storage, the API on its address.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use callfloor_engine::EngineConfig;

use crate::chat::{LiveChats, keep_presence};
use crate::document::{Document, Read};
use crate::host::{Host, Opening};
use crate::http::{self, App, Problem};
use crate::open_api::{OpenApi, Outgoing};
use crate::phone::{PhoneLine, PhoneTrouble, Phones, Telephone, let_go_of_lost_calls};
use crate::secrets::Vault;
use crate::storage::{Range, StorageError, Writer};
use crate::tenant::{Tenant, Tenants};
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
    /// TLS cannot be spoken with this certificate.
    #[error("[http] certificate: {0}")]
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
    /// The certificate chain and the key of TLS, in PEM files; `None`: plain HTTP.
    pub tls: Option<(PathBuf, PathBuf)>,
    /// The password of the demonstration's accounts in a new organisation; `None`: a random one.
    pub first_password: Option<String>,
    /// How telephones are served; `None`: not at all.
    pub phones: Option<PhoneLine>,
    /// The open API, and the organisations' own systems.
    pub open: config::Open,
    /// A chat's customer who is not connected for this long has left.
    pub chat_grace: Duration,
    /// A snapshot is taken after so many journal entries.
    pub snapshot_every: u64,
}

impl Options {
    /// What a configuration says.
    #[must_use]
    pub fn new(config: &config::Config) -> Self {
        Self {
            http: config.http.address,
            tls: config.http.certificate.clone().zip(config.http.key.clone()),
            first_password: None,
            phones: config.sip.enabled.then(|| PhoneLine::new(config)),
            open: config.open.clone(),
            chat_grace: Duration::from_millis(config.chat.grace_ms.into()),
            snapshot_every: config.data.snapshot_every,
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

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    hosts: Vec<Host>,
    tenants: Arc<Tenants>,
    http: SocketAddr,
    serving: tokio::task::JoinHandle<()>,
    /// Expands opening hours.
    hours: tokio::task::JoinHandle<()>,
    /// Ends chats whose customers are gone.
    presence: tokio::task::JoinHandle<()>,
    stop: listen::Stop,
    first_password: Option<String>,
    phones: Option<Phones>,
    sip: Vec<SocketAddr>,
}

impl Server {
    /// Opens the main organisation from `writer` and serves it.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running.
    pub async fn start(writer: Box<dyn Writer>, options: Options) -> Result<Self, StartError> {
        let tls = options.tls.as_ref().map(|(certificate, key)| listen::tls(certificate, key));
        let tls = tls.transpose().map_err(StartError::Certificate)?;
        let open = open_api(&options.open).map_err(StartError::Open)?;
        let listener = std::net::TcpListener::bind(options.http);
        let listener = listener.and_then(|listener| listener.set_nonblocking(true).map(|()| listener));
        let listener = listener.map_err(|problem| StartError::Address { address: options.http, problem })?;
        let http = listener.local_addr().unwrap_or(options.http);
        let floor: EngineConfig = demo::floor().expect("the demonstration's floor is right");
        let line = match &options.phones {
            Some(line) => Some(line.bind().await?),
            None => None,
        };
        let (performer, start_phones) = Phones::prepare();
        let opening = Opening {
            projections: crate::projections(),
            performer,
            snapshot_every: options.snapshot_every,
            ..Opening::new(floor)
        };
        let host = tokio::task::spawn_blocking(move || Host::open(writer, opening)).await;
        let host = host.expect("opening does not panic")?;
        let realm = options.phones.as_ref().map_or("callfloor", |line| line.domain.as_str()).to_owned();
        let first_password = Self::first_accounts(&host, options.first_password, realm.clone()).await?;
        let lost = host.handle().run(let_go_of_lost_calls).await;
        match lost.map_err(Problem::from).and_then(|lost| lost.map_err(Problem::from)) {
            Ok(0) => {}
            Ok(lost) => {
                tracing::warn!(calls = lost, "calls lost their telephones with the last process and were ended")
            }
            Err(problem) => tracing::error!(%problem, "calls that lost their telephones could not be ended"),
        }
        let (mut phones, mut sip) = (None, Vec::new());
        if let (Some(bound), Some(line)) = (line, options.phones) {
            let telephones =
                host.handle().read(|reader| reader.documents::<Telephone>(&Range::all(Telephone::KIND, usize::MAX)));
            sip = bound.addresses();
            phones = Some(start_phones.phones().clone());
            start_phones.run(host.handle().clone(), telephones.await?, bound, line).await?;
        }
        let tenants = Arc::new(Tenants::default());
        let chats = Arc::new(LiveChats::new(options.chat_grace));
        tenants.add(Arc::new(Tenant {
            name: Tenants::MAIN.into(),
            host: host.handle().clone(),
            phones: phones.clone(),
            chats: Arc::clone(&chats),
            realm,
        }));
        let presence = tokio::spawn(keep_presence(host.handle().clone(), chats));
        let hours = tokio::spawn(crate::floor::keep_hours(host.handle().clone()));
        let router = http::router(App::new(Arc::clone(&tenants), options.tls.is_some()).with_open(open));
        let stop = listen::Stop::new();
        let serving = tokio::spawn({
            let stop = stop.clone();
            async move {
                if let Err(problem) = listen::serve(listener, tls, router, stop).await {
                    tracing::error!(%problem, "HTTP ended");
                }
            }
        });
        Ok(Self { hosts: vec![host], tenants, http, serving, hours, presence, stop, first_password, phones, sip })
    }

    /// Makes the demonstration's accounts in an organisation that has none; gives their password if it was made up here.
    async fn first_accounts(host: &Host, wanted: Option<String>, realm: String) -> Result<Option<String>, StartError> {
        let accounts = host.handle().read(|reader| reader.count(&Range::all(auth::Account::KIND, 0))).await?;
        if accounts > 0 {
            return Ok(None);
        }
        let password = wanted.clone().unwrap_or_else(|| {
            let token = auth::Token::random("x");
            token.reveal().chars().skip(2).take(20).collect()
        });
        let used = password.clone();
        let made = host.handle().run(move |turn| demo::create_accounts(turn.documents(), &used, &realm)).await;
        made.map_err(Problem::from).and_then(|made| made).map_err(StartError::Accounts)?;
        Ok(wanted.is_none().then_some(password))
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

    /// Orders to the telephones, where they are served.
    #[must_use]
    pub const fn phones(&self) -> Option<&Phones> {
        self.phones.as_ref()
    }

    /// The organisations.
    #[must_use]
    pub const fn tenants(&self) -> &Arc<Tenants> {
        &self.tenants
    }

    /// The password of the first accounts, where it was made up at this start: to be shown once.
    #[must_use]
    pub fn first_password(&self) -> Option<&str> {
        self.first_password.as_deref()
    }

    /// Stops: no new requests, those in progress end, the last commit and a snapshot are made.
    pub async fn stop(self) {
        let limit = Duration::from_secs(10);
        self.stop.graceful_shutdown(Some(limit));
        if tokio::time::timeout(limit + Duration::from_secs(1), self.serving).await.is_err() {
            tracing::warn!("some requests did not end in 10 s: they are cut");
        }
        self.hours.abort();
        self.presence.abort();
        drop(self.tenants);
        for host in self.hosts {
            tokio::task::spawn_blocking(move || host.close()).await.expect("closing does not panic");
        }
    }
}
