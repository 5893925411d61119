//! Where messages come from and go to.

use std::fmt;
use std::net::SocketAddr;

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Datagrams: requests are retransmitted.
    Udp,
    /// A stream.
    Tcp,
    /// A stream with TLS.
    Tls,
}

impl Transport {
    /// As a Via header names it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "UDP",
            Self::Tcp => "TCP",
            Self::Tls => "TLS",
        }
    }

    /// Whether the transport itself delivers or fails.
    #[must_use]
    pub const fn is_reliable(self) -> bool {
        !matches!(self, Self::Udp)
    }

    /// The transport of a URI: its scheme and `transport` parameter decide.
    #[must_use]
    pub fn of_uri(uri: &crate::message::Uri<'_>) -> Option<Self> {
        match uri.params.get("transport") {
            _ if uri.is_secure() => Some(Self::Tls),
            None => Some(Self::Udp),
            Some(t) if t.eq_ignore_ascii_case("udp") => Some(Self::Udp),
            Some(t) if t.eq_ignore_ascii_case("tcp") => Some(Self::Tcp),
            Some(t) if t.eq_ignore_ascii_case("tls") => Some(Self::Tls),
            Some(_) => None,
        }
    }
}

/// A path to one peer: transport, which of our listeners, and the peer's address.
///
/// For streams the peer's address and port name the connection; a message to a flow whose connection is gone opens a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Flow {
    /// The transport.
    pub transport: Transport,
    /// The index of the listener in [`EndpointConfig::listen`](crate::EndpointConfig::listen) through which it came.
    pub listener: u16,
    /// The peer.
    pub remote: SocketAddr,
}

impl fmt::Display for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.transport.as_str(), self.remote)
    }
}
