//! The server's configuration: a file, then the environment over it, then the command line over both.
//!
//! Every key `[section] key` of one value may be given as the environment variable `CALLFLOOR_SECTION_KEY`.

mod limits;
mod reading;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use serde::Deserialize;

pub use limits::{Limits, Rate};

/// What is wrong with the configuration: `FILE:LINE:COLUMN: what`, the line, and a mark below the place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(pub String);

/// Everything that can be configured. What is absent has its default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where what must not be lost is kept.
    pub data: Data,
    /// HTTP.
    pub http: Http,
    /// What everybody may ask for, and how many may be connected.
    pub limits: Limits,
    /// SIP.
    pub sip: Sip,
    /// Audio.
    pub media: Media,
    /// Texts that are spoken.
    pub speech: Speech,
    /// Chats.
    pub chat: Chat,
    /// The open API, and the organisations' own systems.
    pub open: Open,
    /// Logs.
    pub log: Log,
    /// Carriers from which calls come and to which they go, by name.
    pub trunks: std::collections::BTreeMap<String, Trunk>,
}

/// `[data]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// The directory of journals and stores.
    pub directory: PathBuf,
    /// A PostgreSQL connection string; `None`: SQLite in the directory.
    pub postgres: Option<String>,
    /// A snapshot is taken after so many journal entries.
    pub snapshot_every: u64,
}

impl Default for Data {
    fn default() -> Self {
        Self { directory: "callfloor-data".into(), postgres: None, snapshot_every: 100_000 }
    }
}

/// `[http]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Where to listen.
    pub address: SocketAddr,
    /// TLS certificate chain, PEM.
    pub certificate: Option<PathBuf>,
    /// Its key, PEM.
    pub key: Option<PathBuf>,
    /// Serve an address that others can reach without TLS: only behind a proxy that does it.
    pub allow_plain_public: bool,
    /// Addresses of proxies in front of us: what they say in `X-Forwarded-For` of where a request comes from is believed.
    pub proxies: Vec<IpAddr>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            certificate: None,
            key: None,
            allow_plain_public: false,
            proxies: Vec::new(),
        }
    }
}

/// `[sip]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sip {
    /// Whether telephones are served at all.
    pub enabled: bool,
    /// UDP and TCP.
    pub address: SocketAddr,
    /// TLS; `None`: not offered.
    pub tls_address: Option<SocketAddr>,
    /// TLS certificate chain, PEM; `None`: that of `[http]`.
    pub certificate: Option<PathBuf>,
    /// Its key, PEM.
    pub key: Option<PathBuf>,
    /// The realm and domain of operators' telephones.
    pub domain: String,
    /// The host that others reach us by, where it is not the address.
    pub advertised: Option<String>,
    /// New calls at once beyond which more are answered 503.
    pub most_calls: u32,
    /// New calls for each second beyond which more are answered 503.
    pub calls_per_second: u32,
}

impl Default for Sip {
    fn default() -> Self {
        Self {
            enabled: true,
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 5060),
            tls_address: None,
            certificate: None,
            key: None,
            domain: "callfloor.local".into(),
            advertised: None,
            most_calls: 5_000,
            calls_per_second: 200,
        }
    }
}

/// `[media]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// First RTP port, even.
    pub first_port: u16,
    /// Last RTP port.
    pub last_port: u16,
}

impl Default for Media {
    fn default() -> Self {
        Self { first_port: 20_000, last_port: 29_999 }
    }
}

/// `[speech]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Speech {
    /// A program with its arguments that is given a text on its input and says it as a WAV file on its output, as
    /// `["espeak-ng", "-v", "ja", "--stdout"]` does; without one a beep is played where a text should be spoken.
    pub command: Vec<String>,
}

/// `[chat]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Chat {
    /// A customer who is not connected for this long has left, in milliseconds.
    pub grace_ms: u32,
}

impl Default for Chat {
    fn default() -> Self {
        Self { grace_ms: 60_000 }
    }
}

/// `[open]`
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Open {
    /// Hosts of linked systems that may have private addresses and be asked without TLS: names or addresses.
    pub trusted_hosts: Vec<String>,
    /// Certificate authorities to trust beside the system's own when linked systems are asked, PEM.
    pub authorities: Option<PathBuf>,
    /// A file with 64 hexadecimal digits: the key that seals the secrets of the open API; `None`: they are kept as they are.
    pub secrets_key: Option<PathBuf>,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or directives such as `info,callfloor_server=debug`.
    pub level: String,
    /// How.
    pub format: LogFormat,
}

impl Default for Log {
    fn default() -> Self {
        Self { level: "info".into(), format: LogFormat::Text }
    }
}

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `[trunks.NAME]`
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trunk {
    /// Where calls go: `host:port`.
    pub address: SocketAddr,
    /// `udp`, `tcp` or `tls`.
    #[serde(default)]
    pub transport: Transport,
    /// For digest authentication, where the carrier asks.
    pub user: Option<String>,
    /// Its password.
    pub password: Option<String>,
    /// Addresses from which its calls come, beside `address`'s.
    #[serde(default)]
    pub from: Vec<IpAddr>,
    /// The organisation whose trunk it is; without one it is every organisation's, and the number that is called says whose a
    /// call is.
    pub organisation: Option<String>,
}

impl Trunk {
    /// Whether its calls come from this address.
    #[must_use]
    pub fn is_at(&self, address: IpAddr) -> bool {
        self.address.ip() == address || self.from.contains(&address)
    }
}

/// How a trunk is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// Datagrams.
    #[default]
    Udp,
    /// A connection.
    Tcp,
    /// An encrypted connection.
    Tls,
}
