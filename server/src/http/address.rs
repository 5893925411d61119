//! Where a request comes from: the other end of its connection, or what a proxy of ours says of it.

use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::{App, Problem};

/// The address of whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Of a request; what a proxy says is believed of the addresses of ours alone.
    pub(crate) fn of(request: &Request, proxies: &[IpAddr]) -> Self {
        Self::found(request.extensions().get::<ConnectInfo<SocketAddr>>(), request.headers(), proxies)
    }

    fn found(peer: Option<&ConnectInfo<SocketAddr>>, headers: &HeaderMap, proxies: &[IpAddr]) -> Self {
        let peer = peer.map_or(IpAddr::from([0; 4]), |ConnectInfo(peer)| peer.ip().to_canonical());
        if !proxies.contains(&peer) {
            return Self(peer);
        }
        // Each proxy adds, at the end, whom it heard; what stands before the last one of ours anybody may have written.
        let said = headers.get_all("x-forwarded-for").iter().filter_map(|value| value.to_str().ok());
        let said: Vec<IpAddr> = said.flat_map(|value| value.split(',')).filter_map(address).collect();
        Self(said.into_iter().rev().find(|address| !proxies.contains(address)).unwrap_or(peer))
    }

    /// What is counted as one: a host has a whole /64 of IPv6 for itself.
    pub(crate) fn network(self) -> IpAddr {
        callfloor_sip::network(self.0)
    }
}

/// What a proxy adds to a request that it brings (RFC 7239, RFC 9110 section 7.6.3, and what was in use before them).
const BROUGHT: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"];

/// Whether a proxy brings this request: whoever asks is then somebody else than the other end of the connection.
pub(super) fn is_brought(headers: &HeaderMap) -> bool {
    BROUGHT.iter().any(|name| headers.contains_key(*name))
}

/// An address, with a port or not.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let found = text.parse::<IpAddr>().ok();
    let found = found.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()));
    found.map(|address| address.to_canonical())
}

impl FromRequestParts<App> for ClientAddress {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        Ok(Self::found(parts.extensions.get::<ConnectInfo<SocketAddr>>(), &parts.headers, &app.proxies))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_of_ours_are_believed_and_nobody_else() {
        let proxies = ["10.0.0.1", "10.0.0.2"].map(|text| text.parse().unwrap());
        let from = |peer: &str, said: &[&str]| {
            let mut headers = HeaderMap::new();
            for said in said {
                headers.append("x-forwarded-for", said.parse().unwrap());
            }
            let peer = ConnectInfo(SocketAddr::new(peer.parse().unwrap(), 1));
            ClientAddress::found(Some(&peer), &headers, &proxies).0.to_string()
        };
        assert_eq!(from("192.0.2.7", &["203.0.113.9"]), "192.0.2.7", "anybody can write a header");
        assert_eq!(from("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(from("10.0.0.1", &["198.51.100.1, 203.0.113.9:4711"]), "203.0.113.9", "the last that was heard");
        assert_eq!(from("10.0.0.1", &["203.0.113.9", "10.0.0.2"]), "203.0.113.9", "through both");
        assert_eq!(from("::ffff:10.0.0.1", &["2001:db8::1"]), "2001:db8::1");
        assert_eq!(from("10.0.0.1", &["nonsense"]), "10.0.0.1");
        assert_eq!(from("10.0.0.1", &[]), "10.0.0.1");
    }

    #[test]
    fn a_proxy_is_known_by_what_it_adds() {
        let brought = |name: &'static str| {
            is_brought(&HeaderMap::from_iter([(axum::http::HeaderName::from_static(name), "x".parse().unwrap())]))
        };
        assert!(BROUGHT.iter().all(|name| brought(name)));
        assert!(!brought("host") && !brought("user-agent"));
    }
}
