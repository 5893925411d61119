//! Pieces of header values: lists, parameters, Via, CSeq.

/// Removes spaces, tabs and line ends at both ends.
pub(super) fn trim(text: &str) -> &str {
    text.trim_matches([' ', '\t', '\r', '\n'])
}

/// A token of RFC 3261 section 25.1.
pub(super) fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|b| {
            b.is_ascii_alphanumeric()
                || matches!(b, b'-' | b'.' | b'!' | b'%' | b'*' | b'_' | b'+' | b'`' | b'\'' | b'~')
        })
}

/// The place of `wanted` outside quoted strings and angle brackets.
pub(super) fn find_outside(text: &str, wanted: u8) -> Option<usize> {
    let mut quoted = false;
    let mut angle = false;
    let mut escaped = false;
    for (at, b) in text.bytes().enumerate() {
        if escaped {
            escaped = false;
        } else if quoted {
            match b {
                b'\\' => escaped = true,
                b'"' => quoted = false,
                _ => {}
            }
        } else if b == wanted && !angle {
            return Some(at);
        } else {
            match b {
                b'"' => quoted = true,
                b'<' => angle = true,
                b'>' => angle = false,
                _ => {}
            }
        }
    }
    None
}

/// The items of a comma-separated list.
#[must_use]
pub const fn list(text: &str) -> List<'_> {
    List(Some(text))
}

/// See [`list`]. Empty items are left out.
#[derive(Clone, Debug)]
pub struct List<'a>(Option<&'a str>);

impl<'a> Iterator for List<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        loop {
            let text = self.0?;
            let item = match find_outside(text, b',') {
                Some(at) => {
                    self.0 = Some(&text[at + 1..]);
                    &text[..at]
                }
                None => {
                    self.0 = None;
                    text
                }
            };
            let item = trim(item);
            if !item.is_empty() {
                return Some(item);
            }
        }
    }
}

/// Parameters: `;name=value;flag`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Params<'a>(pub &'a str);

impl<'a> Params<'a> {
    /// Each parameter with its value ("" for a flag); quotes are still on it.
    pub fn iter(self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            loop {
                rest = trim(rest).trim_start_matches(';');
                if rest.is_empty() {
                    return None;
                }
                let end = find_outside(rest, b';').unwrap_or(rest.len());
                let item = &rest[..end];
                rest = &rest[end..];
                let (name, value) = item.split_once('=').unwrap_or((item, ""));
                if !trim(name).is_empty() {
                    return Some((trim(name), trim(value)));
                }
            }
        })
    }

    /// Whether there is a name between all its semicolons, and each is a token.
    #[must_use]
    pub fn is_sound(self) -> bool {
        let mut rest = trim(self.0);
        while !rest.is_empty() {
            let Some(after) = rest.strip_prefix(';') else { return false };
            let end = find_outside(after, b';').unwrap_or(after.len());
            let name = after[..end].split('=').next().unwrap_or_default();
            if !is_token(trim(name)) {
                return false;
            }
            rest = &after[end..];
        }
        true
    }

    /// The value of that parameter, in any case; "" for a flag.
    #[must_use]
    pub fn get(self, name: &str) -> Option<&'a str> {
        self.iter().find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// The content of a quoted string, escapes removed; other text as it is.
#[must_use]
pub fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut out = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        out.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    out
}

/// One hop of a Via header (RFC 3261 section 20.42).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Via<'a> {
    /// `2.0`.
    pub version: &'a str,
    /// `UDP`, `TCP`, `TLS`, …
    pub transport: &'a str,
    /// Host and port, as they stood.
    pub sent_by: &'a str,
    /// branch, received, rport, …
    pub params: Params<'a>,
}

impl<'a> Via<'a> {
    /// Reads one item of a Via list.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let (protocol, rest) = text.split_once('/')?;
        let (version, rest) = rest.split_once('/')?;
        let version = trim(version);
        if !trim(protocol).eq_ignore_ascii_case("SIP") || !version.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return None;
        }
        let rest = trim(rest);
        let gap = rest.find([' ', '\t', '\r', '\n'])?;
        let (transport, rest) = (&rest[..gap], trim(&rest[gap..]));
        let end = rest.find(';').unwrap_or(rest.len());
        let sent_by = trim(&rest[..end]);
        let via = Self { version, transport, sent_by, params: Params(&rest[end..]) };
        (is_token(transport) && !sent_by.is_empty()).then_some(via)
    }

    /// The branch parameter.
    #[must_use]
    pub fn branch(&self) -> Option<&'a str> {
        self.params.get("branch")
    }

    /// Host and port of `sent_by`.
    #[must_use]
    pub fn host_port(&self) -> (&'a str, Option<u16>) {
        split_host_port(self.sent_by).unwrap_or((self.sent_by, None))
    }
}

/// Splits `host:port`, `[v6]:port`, with white space around the colon allowed.
pub(super) fn split_host_port(text: &str) -> Option<(&str, Option<u16>)> {
    let (host, port) = if text.starts_with('[') {
        let end = text.find(']')?;
        (&text[..=end], trim(&text[end + 1..]))
    } else {
        match text.find(':') {
            Some(at) => (trim(&text[..at]), trim(&text[at..])),
            None => (trim(text), ""),
        }
    };
    if host.is_empty() {
        return None;
    }
    let Some(port) = port.strip_prefix(':') else {
        return port.is_empty().then_some((host, None));
    };
    let port = trim(port);
    if !port.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some((host, Some(port.parse().ok()?)))
}

/// The sequence number and method of a CSeq header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CSeq<'a> {
    /// Below 2^31.
    pub number: u32,
    /// The request's method.
    pub method: &'a str,
}

impl<'a> CSeq<'a> {
    /// Reads the header's value.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let gap = text.find([' ', '\t', '\r', '\n'])?;
        let digits = &text[..gap];
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        let number: u32 = digits.parse().ok()?;
        let method = trim(&text[gap..]);
        (number < 1 << 31 && is_token(method)).then_some(Self { number, method })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_respect_quotes_and_angles() {
        let items: Vec<_> = list("\"a,b\" <sip:x@y,z>;q=1 , , <sip:c>").collect();
        assert_eq!(items, ["\"a,b\" <sip:x@y,z>;q=1", "<sip:c>"]);
    }

    #[test]
    fn vias() {
        let via = Via::parse("SIP  /   2.0\r\n /UDP\r\n    192.0.2.2 : 5061;rport ; branch=390skdjuw").unwrap();
        assert_eq!((via.transport, via.host_port()), ("UDP", ("192.0.2.2", Some(5061))));
        assert_eq!((via.branch(), via.params.get("RPORT")), (Some("390skdjuw"), Some("")));
        assert_eq!(Via::parse("SIP/2.0/UDP [::1]:5;branch=x").unwrap().host_port(), ("[::1]", Some(5)));
        assert_eq!(Via::parse("SIP/7.0/UDP host").unwrap().version, "7.0");
        assert_eq!(Via::parse("HTTP/2.0/UDP host"), None);
        assert!(!Params(";a;;b").is_sound() && !Params(";a;").is_sound() && Params(";a;b=\";;\"").is_sound());
    }

    #[test]
    fn sequence_numbers() {
        assert_eq!(CSeq::parse("0009\r\n INVITE"), Some(CSeq { number: 9, method: "INVITE" }));
        assert_eq!(CSeq::parse("36893488147419103232 REGISTER"), None);
        assert_eq!(CSeq::parse("1"), None);
    }

    #[test]
    fn quoted_strings() {
        assert_eq!(unquote(r#""a \"b\" \\""#), r#"a "b" \"#);
        assert_eq!(unquote("\""), "\"");
    }
}
