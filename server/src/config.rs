//! The server's configuration: a file, then the environment over it, then the command line over both.
//!
//! Every key `[section] key` of one value may be given as the environment variable `CALLFLOOR_SECTION_KEY`.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;
use std::path::PathBuf;

use serde::Deserialize;
use toml::de::DeTable;

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
    /// SIP.
    pub sip: Sip,
    /// Audio.
    pub media: Media,
    /// Texts that are spoken.
    pub speech: Speech,
    /// Chats.
    pub chat: Chat,
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
}

impl Default for Http {
    fn default() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            certificate: None,
            key: None,
            allow_plain_public: false,
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

impl Config {
    /// Reads a file's text, and the environment over it.
    ///
    /// # Errors
    /// The first thing that is wrong, at its place.
    pub fn read(
        name: &str,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let config: Self =
            toml::from_str(text).map_err(|problem| told(name, text, problem.span(), problem.message()))?;
        let config = config.overlaid(text, environment)?;
        config.check(name, text)?;
        Ok(config)
    }

    /// The same with variables of the environment in place of what the file says.
    fn overlaid(
        self,
        text: &str,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut table: toml::Table = text.parse().expect("the text was read before");
        let mut config = self;
        let mut variables: Vec<_> = environment.into_iter().collect();
        variables.sort();
        for (variable, value) in variables {
            let Some(path) = variable.strip_prefix("CALLFLOOR_") else { continue };
            let path = path.to_lowercase();
            let sections = ["data", "http", "sip", "media", "chat", "log"];
            let Some((section, key)) = path.split_once('_').filter(|(section, _)| sections.contains(section)) else {
                continue;
            };
            let entry = table.entry(section).or_insert_with(|| toml::Table::new().into());
            let Some(entry) = entry.as_table_mut() else { continue };
            // Numbers and truth values as they are, everything else as text.
            let parsed = format!("x = {value}").parse::<toml::Table>().ok().and_then(|mut one| one.remove("x"));
            let parsed = parsed.filter(|parsed| parsed.is_integer() || parsed.is_bool());
            entry.insert(key.to_owned(), parsed.unwrap_or_else(|| value.clone().into()));
            config = table.clone().try_into().map_err(|problem: toml::de::Error| {
                ConfigError(format!("environment variable {variable}={value}: {}", problem.message()))
            })?;
        }
        Ok(config)
    }

    fn check(&self, name: &str, text: &str) -> Result<(), ConfigError> {
        let (first, last) = (self.media.first_port, self.media.last_port);
        let at = |key| place(text, "media", key);
        if first < 1024 || first % 2 != 0 {
            let what = format!("{first} is no first RTP port: an even one from 1024 is right");
            return Err(told(name, text, at("first_port"), &what));
        }
        if last.saturating_sub(first) < 3 {
            let what = format!("{last} leaves no room for one call's ports after {first}");
            return Err(told(name, text, at("last_port"), &what));
        }
        for (what, certificate, key) in
            [("[http]", &self.http.certificate, &self.http.key), ("[sip]", &self.sip.certificate, &self.sip.key)]
        {
            if certificate.is_some() != key.is_some() {
                let what = format!("{what} needs both `certificate` and `key`, or neither");
                return Err(told(name, text, None, &what));
            }
        }
        Ok(())
    }
}

/// Where a value stands in the file; `None` where it is a default or comes from the environment.
fn place(text: &str, section: &str, key: &str) -> Option<Range<usize>> {
    let table = DeTable::parse(text).ok()?;
    Some(table.get_ref().get(section)?.get_ref().as_table()?.get(key)?.span())
}

/// `FILE:LINE:COLUMN: what`, with the line and a mark.
fn told(name: &str, text: &str, at: Option<Range<usize>>, what: &str) -> ConfigError {
    let Some(at) = at else { return ConfigError(format!("{name}: {what}")) };
    let mut start = at.start.min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let line_start = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    let number = text[..start].matches('\n').count() + 1;
    let column = text[line_start..start].chars().count() + 1;
    let width = text.get(start..at.end).map_or(1, |found| found.lines().next().unwrap_or_default().chars().count());
    let mark = format!("{}{}", " ".repeat(column - 1), "^".repeat(width.max(1)));
    ConfigError(format!("{name}:{number}:{column}: {what}\n  {line}\n  {mark}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read("server.toml", text, environment).map_err(|problem| problem.to_string())
    }

    #[test]
    fn an_empty_file_is_the_defaults() {
        assert_eq!(read("", &[]), Ok(Config::default()));
        assert!(Config::default().http.address.ip().is_loopback(), "nothing is public unless somebody says so");
        assert!(Config::default().sip.address.ip().is_loopback());
    }

    #[test]
    fn the_environment_goes_over_the_file() {
        let text = "[http]\naddress = \"127.0.0.1:9000\"\n[media]\nfirst_port = 30000\nlast_port = 30999\n";
        let config = read(text, &[("CALLFLOOR_HTTP_ADDRESS", "[::1]:9001"), ("CALLFLOOR_MEDIA_LAST_PORT", "31001")]);
        let config = config.unwrap();
        assert_eq!(config.http.address, "[::1]:9001".parse().unwrap());
        assert_eq!((config.media.first_port, config.media.last_port), (30000, 31001));
    }

    #[test]
    fn what_is_wrong_is_told_at_its_place() {
        let wrong = read("[http]\nadress = \"127.0.0.1:1\"\n", &[]).unwrap_err();
        assert!(wrong.starts_with("server.toml:2:1: unknown field `adress`"), "{wrong}");
        assert!(wrong.contains("address"), "says what would be right: {wrong}");
        let wrong = read("[media]\nfirst_port = 20001\n", &[]).unwrap_err();
        assert!(wrong.starts_with("server.toml:2:14: 20001 is no first RTP port"), "{wrong}");
        assert!(wrong.ends_with("first_port = 20001\n               ^^^^^"), "{wrong}");
        let wrong = read("", &[("CALLFLOOR_HTTP_ADDRESS", "nowhere")]).unwrap_err();
        assert!(wrong.starts_with("environment variable CALLFLOOR_HTTP_ADDRESS=nowhere"), "{wrong}");
        let wrong = read("[http]\ncertificate = \"c.pem\"\n", &[]).unwrap_err();
        assert!(wrong.contains("needs both"), "{wrong}");
    }
}
