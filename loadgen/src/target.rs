//! What is put under load, and whether it may be.

use std::fmt;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use callfloor_sip::Transport;

/// Why a target is not put under load.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// The text is no target.
    #[error("\"{text}\" is no {what}: {right}")]
    Malformed {
        /// What was given.
        text: String,
        /// What it should have been.
        what: &'static str,
        /// What would be right.
        right: &'static str,
    },
    /// A name that leads nowhere.
    #[error("{host} leads to no address: {problem}")]
    Unresolved {
        /// The name.
        host: String,
        /// The system's words.
        problem: String,
    },
    /// Not ours to load.
    #[error(
        "{host} ({address}) is neither this machine nor a private network: load on somebody else's system is an attack. Where it is \
         yours, say so: --i-may-load {host}"
    )]
    NotAllowed {
        /// The host as it was given.
        host: String,
        /// Where it leads.
        address: IpAddr,
    },
}

/// A host and a port, as given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl Place {
    /// Reads `host`, `host:port`, `[v6]:port`.
    fn parse(text: &str, default_port: u16) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']')?;
                (host, port.strip_prefix(':').or(port.is_empty().then_some(""))?)
            }
            None => match text.rsplit_once(':') {
                Some((host, port)) if !host.contains(':') => (host, port),
                _ => (text, ""),
            },
        };
        let port = if port.is_empty() { default_port } else { port.parse().ok().filter(|port| *port != 0)? };
        let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        (!host.is_empty() && host.chars().all(named)).then(|| Self { host: host.to_owned(), port })
    }

    /// Its address, if it may be put under load.
    ///
    /// # Errors
    /// [`TargetError::Unresolved`]; [`TargetError::NotAllowed`] for an address that is neither loopback nor private, unless the
    /// host is in `allowed`.
    pub fn resolve(&self, allowed: &[String]) -> Result<SocketAddr, TargetError> {
        let host = self.host.clone();
        let unresolved = |problem: String| TargetError::Unresolved { host: host.clone(), problem };
        let mut found =
            (self.host.as_str(), self.port).to_socket_addrs().map_err(|error| unresolved(error.to_string()))?;
        let address = found.next().ok_or_else(|| unresolved("no address is known".into()))?;
        if is_own(address.ip()) || allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(&self.host)) {
            return Ok(address);
        }
        Err(TargetError::NotAllowed { host, address: address.ip() })
    }
}

/// Where a target may have us send: audio to where its answer says, requests to where it wants to be reached. A target that is ours
/// to load must not turn the load on somebody else.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reach {
    also: Vec<IpAddr>,
}

impl Reach {
    /// This machine, private networks, the target itself, and the hosts that are allowed.
    #[must_use]
    pub fn of(target: IpAddr, allowed: &[String]) -> Self {
        let mut also = vec![target.to_canonical()];
        // One that leads nowhere allows nothing.
        let known = allowed.iter().filter_map(|host| (host.as_str(), 0).to_socket_addrs().ok());
        also.extend(known.flatten().map(|address| address.ip().to_canonical()));
        Self { also }
    }

    /// Whether anything may be sent there.
    #[must_use]
    pub fn has(&self, address: IpAddr) -> bool {
        is_own(address) || self.also.contains(&address.to_canonical())
    }
}

/// Whether an address is this machine's or of a private network (RFC 1918, RFC 4193, RFC 3927, RFC 6598 excepted: a carrier's).
fn is_own(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local() || v4.is_unspecified(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_unspecified(),
    }
}

/// Where a server's API is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url {
    /// By TLS.
    pub secure: bool,
    /// Host and port.
    pub place: Place,
    /// The path, for load on one address; `/` where none is given.
    pub path: String,
}

impl FromStr for Url {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let malformed = || TargetError::Malformed {
            text: text.to_owned(),
            what: "URL of a server",
            right: "write http://127.0.0.1:8080 or https://callfloor.example",
        };
        let (secure, rest) = match text.split_once("://") {
            Some(("http", rest)) => (false, rest),
            Some(("https", rest)) => (true, rest),
            _ => return Err(malformed()),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let place = Place::parse(authority, if secure { 443 } else { 80 }).ok_or_else(malformed)?;
        if path.bytes().any(|byte| byte <= b' ' || byte >= 0x7f) {
            return Err(malformed());
        }
        Ok(Self { secure, place, path: if path.is_empty() { "/".into() } else { path.to_owned() } })
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "http{}://{}", if self.secure { "s" } else { "" }, self.place)
    }
}

/// A SIP system: `sip:host`, `sip:user@host:port`, and behind it perhaps `;transport=tcp` or `;transport=tls`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SipTarget {
    /// Who is called; without one, each class's name.
    pub user: Option<String>,
    /// Where.
    pub place: Place,
    /// How messages travel.
    pub transport: Transport,
}

impl FromStr for SipTarget {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, TargetError> {
        let malformed = || TargetError::Malformed {
            text: text.to_owned(),
            what: "SIP target",
            right: "write sip:127.0.0.1:5060, sip:100@sip.example or sip:sip.example;transport=tcp (or tls)",
        };
        let rest = text.strip_prefix("sip:").ok_or_else(malformed)?;
        let (rest, transport) = match rest.split_once(";transport=") {
            None => (rest, Transport::Udp),
            Some((rest, transport)) => {
                let all = [Transport::Udp, Transport::Tcp, Transport::Tls];
                let found = all.into_iter().find(|it| it.as_str().eq_ignore_ascii_case(transport));
                (rest, found.ok_or_else(malformed)?)
            }
        };
        let (user, place) = match rest.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, rest),
        };
        let sound =
            |user: &str| !user.is_empty() && user.bytes().all(|b| b.is_ascii_graphic() && !b"<>@;?:".contains(&b));
        if user.is_some_and(|user| !sound(user)) {
            return Err(malformed());
        }
        let port = if transport == Transport::Tls { 5_061 } else { 5_060 };
        let place = Place::parse(place, port).ok_or_else(malformed)?;
        Ok(Self { user: user.map(str::to_owned), place, transport })
    }
}

impl fmt::Display for SipTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.user {
            Some(user) => write!(f, "sip:{user}@{}", self.place)?,
            None => write!(f, "sip:{}", self.place)?,
        }
        match self.transport {
            Transport::Udp => Ok(()),
            Transport::Tcp => f.write_str(";transport=tcp"),
            Transport::Tls => f.write_str(";transport=tls"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let url: Url = "http://127.0.0.1:8080".parse().expect("a URL");
        assert_eq!((url.secure, url.place.port, url.path.as_str()), (false, 8_080, "/"));
        assert_eq!(url.to_string(), "http://127.0.0.1:8080");
        let url: Url = "https://[::1]/healthz?x=1".parse().expect("a URL");
        assert_eq!(
            (url.secure, url.place.host.as_str(), url.place.port, url.path.as_str()),
            (true, "::1", 443, "/healthz?x=1")
        );
        for wrong in
            ["", "127.0.0.1:8080", "ftp://x", "http://", "http://a b", "http://x:0", "http://x:99999", "http://x/\r\n"]
        {
            assert!(wrong.parse::<Url>().unwrap_err().to_string().contains("http://127.0.0.1:8080"), "{wrong}");
        }
    }

    #[test]
    fn sip_targets() {
        let target: SipTarget = "sip:100@pbx.example:5080".parse().expect("a target");
        assert_eq!((target.user.as_deref(), target.place.port), (Some("100"), 5_080));
        assert_eq!("sip:127.0.0.1".parse::<SipTarget>().expect("a target").to_string(), "sip:127.0.0.1:5060");
        for text in ["sip:127.0.0.1:5060;transport=tcp", "sip:100@pbx.example:5061;transport=tls"] {
            assert_eq!(text.parse::<SipTarget>().expect("a target").to_string(), text);
        }
        assert_eq!("sip:x;transport=TLS".parse::<SipTarget>().expect("a target").place.port, 5_061);
        for wrong in ["sip:x;transport=sctp", "127.0.0.1", "sip:", "sip:@x", "sip:a@", "sip:a<b@x", "sips:x"] {
            assert!(wrong.parse::<SipTarget>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_target_leads_to_nobody_elses_system() {
        let at = |text: &str| text.parse::<IpAddr>().expect("an address");
        let reach = Reach::of(at("203.0.113.5"), &["198.51.100.9".into(), "no such host".into()]);
        for fine in ["203.0.113.5", "::ffff:203.0.113.5", "198.51.100.9", "127.0.0.1", "10.0.0.7"] {
            assert!(reach.has(at(fine)), "{fine}");
        }
        assert!(!reach.has(at("203.0.113.6")) && !Reach::default().has(at("8.8.8.8")));
    }

    #[test]
    fn only_what_is_ours_is_loaded() {
        let place = |host: &str| Place { host: host.into(), port: 1 };
        for own in
            ["127.0.0.1", "10.1.2.3", "192.168.0.9", "172.31.0.1", "::1", "fd00::1", "::ffff:10.0.0.1", "169.254.1.1"]
        {
            assert!(place(own).resolve(&[]).is_ok(), "{own}");
        }
        for other in ["8.8.8.8", "172.32.0.1", "2001:db8::1", "100.64.0.1", "::ffff:8.8.8.8"] {
            let refused = place(other).resolve(&["else.example".into()]).unwrap_err();
            assert!(refused.to_string().contains(&format!("--i-may-load {other}")), "{refused}");
            assert!(place(other).resolve(&[other.to_uppercase()]).is_ok(), "{other}");
        }
    }
}
