//! SIP, SIPS and TEL URIs (RFC 3261 section 19.1, RFC 3966).

use super::value::{Params, split_host_port};
use std::net::{IpAddr, SocketAddr};

/// A URI that borrows its parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uri<'a> {
    /// `sip`, `sips`, `tel` or what else stood there.
    pub scheme: &'a str,
    /// The part before `@`, still escaped, without a password; for `tel` the number.
    pub user: Option<&'a str>,
    /// Host name, IPv4 address or bracketed IPv6 address; empty for `tel`.
    pub host: &'a str,
    /// The port, if one is given.
    pub port: Option<u16>,
    /// Parameters: transport, lr, user, …
    pub params: Params<'a>,
    /// What follows `?`.
    pub headers: &'a str,
}

/// What a URI's host is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// An address.
    Ip(IpAddr),
    /// A name to be looked up.
    Name(&'a str),
}

impl<'a> Uri<'a> {
    /// Reads a URI that has no angle brackets around it.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (scheme, rest) = text.split_once(':')?;
        let well_formed = scheme.bytes().next().is_some_and(|b| b.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
        if !well_formed || rest.bytes().any(|b| b <= b' ' || matches!(b, b'<' | b'>' | b'"' | 0x7f)) {
            return None;
        }
        if scheme.eq_ignore_ascii_case("tel") {
            let end = rest.find(';').unwrap_or(rest.len());
            let user = (end > 0).then(|| &rest[..end])?;
            let params = Params(&rest[end..]);
            return Some(Self { scheme, user: Some(user), host: "", port: None, params, headers: "" });
        }
        if !scheme.eq_ignore_ascii_case("sip") && !scheme.eq_ignore_ascii_case("sips") {
            return Some(Self { scheme, user: None, host: rest, port: None, params: Params(""), headers: "" });
        }
        // The user part may hold `;`, `?` and `/`, so the `@` is looked for first.
        let (user, rest) = match rest.find('@') {
            Some(at) => (Some(&rest[..at]), &rest[at + 1..]),
            None => (None, rest),
        };
        let user = user.map(|u| u.split_once(':').map_or(u, |(name, _)| name));
        let (rest, headers) = rest.split_once('?').unwrap_or((rest, ""));
        let end = rest.find(';').unwrap_or(rest.len());
        let (host, port) = split_host_port(&rest[..end])?;
        let host_ok = host.starts_with('[')
            || host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'%' | b'~'));
        host_ok.then_some(Self { scheme, user, host, port, params: Params(&rest[end..]), headers })
    }

    /// The host as an address or a name.
    #[must_use]
    pub fn host(&self) -> Host<'a> {
        let bare = self.host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(self.host);
        bare.parse().map_or(Host::Name(self.host), Host::Ip)
    }

    /// Whether its scheme is `sips`.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("sips")
    }

    /// The address and port, if the host is an address. The default port is 5060, or 5061 with TLS.
    #[must_use]
    pub fn socket(&self) -> Option<SocketAddr> {
        let tls = self.is_secure() || self.params.get("transport").is_some_and(|t| t.eq_ignore_ascii_case("tls"));
        match self.host() {
            Host::Ip(ip) => Some(SocketAddr::new(ip, self.port.unwrap_or(if tls { 5061 } else { 5060 }))),
            Host::Name(_) => None,
        }
    }

    /// The user part with escapes resolved; `None` if there is none or it does not become UTF-8.
    #[must_use]
    pub fn user_text(&self) -> Option<String> {
        self.user.and_then(unescape)
    }
}

/// Resolves `%41` escapes.
pub(crate) fn unescape(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(b) = bytes.next() {
        if b != b'%' {
            out.push(b);
            continue;
        }
        let high = char::from(bytes.next()?).to_digit(16)?;
        let low = char::from(bytes.next()?).to_digit(16)?;
        out.push(u8::try_from(high * 16 + low).ok()?);
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts() {
        let uri = Uri::parse("sip:al%69ce:pw@[::1]:5070;transport=tcp;lr?Subject=x").unwrap();
        assert_eq!((uri.user_text().as_deref(), uri.port), (Some("alice"), Some(5070)));
        assert_eq!(uri.socket(), Some("[::1]:5070".parse().unwrap()));
        assert_eq!((uri.params.get("lr"), uri.headers), (Some(""), "Subject=x"));
        let semi = Uri::parse("sip:user;par=u%40example.net@example.com").unwrap();
        assert_eq!((semi.user, semi.host), (Some("user;par=u%40example.net"), "example.com"));
        assert_eq!(Uri::parse("tel:+81312345678;x=1").unwrap().user, Some("+81312345678"));
        assert_eq!(Uri::parse("sips:a.example").unwrap().socket(), None);
        assert_eq!(Uri::parse("sips:192.0.2.1").unwrap().socket().unwrap().port(), 5061);
    }

    #[test]
    fn refused() {
        for bad in ["", "bob", "sip:", "sip:@", "sip:a b@c", "<sip:a@b>", "sip:a@b:port", "sip:a@b:99999", "tel:"] {
            assert_eq!(Uri::parse(bad), None, "{bad}");
        }
    }
}
