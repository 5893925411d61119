//! The addresses and ports of telephones, bound before anything else starts.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use callfloor_sip::digest::Algorithm;
use callfloor_sip::media::{MediaConfig, MediaEngine, MediaEvents};
use callfloor_sip::{
    Admission, BindError, Endpoint, EndpointConfig, Events, Listen, MostConnections, Places, Settings, Tls,
};

use super::browser::BrowserPorts;
use crate::certificates::{Files, Loaded, Use};
use crate::config::{Config, Trunk};

/// Why telephones cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum PhoneTrouble {
    /// An address or certificate.
    #[error("{0}; choose another address or stop who uses it")]
    Bind(#[from] BindError),
    /// A certificate or its key.
    #[error("{0}")]
    Certificate(String),
    /// Audio.
    #[error("audio cannot be served: {0}")]
    Media(std::io::Error),
}

/// How telephones are served.
#[derive(Debug)]
pub struct PhoneLine {
    /// The realm of the main organisation's telephones, and the domain of its caller ids.
    pub domain: String,
    /// Carriers by name.
    pub trunks: BTreeMap<String, Trunk>,
    /// The program that speaks texts, with its arguments; empty: none.
    pub speech: Vec<String>,
    /// The data directory: messages that callers leave are kept there.
    pub data: PathBuf,
    pub(super) browsers: BrowserPorts,
    listen: Vec<Listen>,
    files: Option<Files>,
    connections: Places,
    admission: Admission,
    media: MediaConfig,
}

/// Telephones' sockets, open.
#[derive(Debug)]
pub struct Bound {
    pub(super) endpoint: Endpoint,
    pub(super) events: Events,
    pub(super) media: MediaEngine,
    pub(super) audio: MediaEvents,
    certificate: Option<(Files, Loaded)>,
}

impl Bound {
    /// What is shown by TLS.
    pub(crate) fn certificate(&mut self) -> Option<(Files, Loaded)> {
        self.certificate.take()
    }

    /// Where SIP is served.
    #[must_use]
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.endpoint.addresses().to_vec()
    }
}

impl PhoneLine {
    /// What a configuration says.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        let sip = &config.sip;
        let mut listen = vec![Listen::udp(sip.address), Listen::tcp(sip.address)];
        listen.extend(sip.tls_address.map(Listen::tls));
        let files = sip.certificate.clone().zip(sip.key.clone());
        let files = files.or_else(|| config.http.certificate.clone().zip(config.http.key.clone()));
        Self {
            domain: sip.domain.clone(),
            trunks: config.trunks.clone(),
            speech: config.speech.command.clone(),
            data: config.data.directory.clone(),
            browsers: BrowserPorts {
                address: sip.address.ip(),
                ports: config.media.first_port..=config.media.last_port,
            },
            listen,
            files: files.filter(|_| sip.tls_address.is_some()).map(|(certificate, key)| Files { certificate, key }),
            connections: Places::new(MostConnections::from(config.limits)),
            admission: Admission {
                // A call has a caller's leg and an operator's.
                max_legs: sip.most_calls as usize * 2,
                max_calls_per_s: Some(sip.calls_per_second),
                ..Admission::default()
            },
            media: MediaConfig {
                address: sip.address.ip(),
                public: None,
                ports: config.media.first_port..=config.media.last_port,
                max_sessions: sip.most_calls as usize * 2,
                quiet_after: None,
            },
        }
    }

    /// Places for connections of another kind, that count together with telephones' for each address.
    pub(crate) fn places_beside(&self) -> Places {
        self.connections.beside()
    }

    /// Opens the sockets.
    ///
    /// # Errors
    /// [`PhoneTrouble`].
    pub async fn bind(&self) -> Result<Bound, PhoneTrouble> {
        let loaded = self.files.as_ref().map(|files| files.load(Use::Sip)).transpose();
        let loaded = loaded.map_err(PhoneTrouble::Certificate)?;
        let server = loaded.as_ref().map(|loaded| Arc::clone(&loaded.config));
        let tls = Tls { server, ..Tls::default() };
        let settings = Settings {
            realm: self.domain.clone(),
            admission: self.admission,
            // Telephones in use give up where SHA-256 is challenged too, or look at the first challenge alone.
            algorithms: vec![Algorithm::Md5],
            ..Settings::default()
        };
        let config =
            EndpointConfig { listen: self.listen.clone(), tls, settings, connections: self.connections.clone() };
        let (endpoint, events) = Endpoint::bind(config).await?;
        let (media, audio) = MediaEngine::start(self.media.clone()).map_err(PhoneTrouble::Media)?;
        let certificate = self.files.clone().zip(loaded);
        Ok(Bound { endpoint, events, media, audio, certificate })
    }
}
