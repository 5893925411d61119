//! SIP messages (RFC 3261 section 7), parsed without copying.
//!
//! [`Message::parse`] finds the start line, the headers and the body; it is lenient about what can be read in one way only.
//! [`Request::check`] and [`Reply::check`] then look at what the stack needs of them, and name the response code that a fault deserves.

mod check;
mod frame;
mod header;
mod method;
mod name;
mod uri;
mod value;
mod write;

pub use check::{Fault, Reply, Request};
pub use frame::{Frame, frame};
pub use header::Name;
pub use method::Method;
pub use name::NameAddr;
pub(crate) use uri::unescape;
pub use uri::{Host, Uri};
pub use value::{CSeq, List, Params, Via, list, unquote};
pub(crate) use write::{Writer, escape_user, has_line_break, push_clean};

use std::fmt;

/// The most bytes that the start line and the headers of one message may have.
pub const MAX_HEAD: usize = 32 * 1024;
/// The most bytes of a body.
pub const MAX_BODY: usize = 64 * 1024;
/// The most headers of one message.
pub const MAX_HEADERS: usize = 160;

/// Why bytes are not a SIP message at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ParseError(pub(crate) &'static str);

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for ParseError {}

/// The first line of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start<'a> {
    /// A request line.
    Request {
        /// What is asked.
        method: Method<'a>,
        /// The request URI, as it stood.
        uri: &'a str,
        /// What stood for `SIP/2.0`.
        version: &'a str,
    },
    /// A status line.
    Response {
        /// 100 to 699.
        code: u16,
        /// The phrase after it; may be empty.
        reason: &'a str,
    },
}

/// One header line: known names in any case or in their compact form compare equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// Which header.
    pub name: Name<'a>,
    /// Its value without surrounding white space. Line folds are still in it and count as white space.
    pub value: &'a str,
}

/// A message that borrows from the bytes that it was read from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<'a> {
    /// Request line or status line.
    pub start: Start<'a>,
    /// All headers in their order.
    pub headers: Vec<Header<'a>>,
    /// The body: as long as `Content-Length` says, or all that is left of a datagram.
    pub body: &'a [u8],
    /// What is wrong with the body's length or a header line, if anything: the request can still be answered with 400.
    pub flaw: Option<&'static str>,
}

impl<'a> Message<'a> {
    /// Reads one message from a datagram (or from the whole frame of a stream, see [`frame`]).
    ///
    /// # Errors
    /// If there is no start line that can be read, if the head is not UTF-8 or is over its limits.
    pub fn parse(input: &'a [u8]) -> Result<Self, ParseError> {
        let skipped = input.iter().take_while(|&&b| b == b'\r' || b == b'\n').count();
        let input = &input[skipped..];
        let (head_len, body_start) = frame::head_end(input).unwrap_or((input.len(), input.len()));
        if head_len > MAX_HEAD {
            return Err(ParseError("the headers are too long"));
        }
        let head = std::str::from_utf8(&input[..head_len]).map_err(|_| ParseError("the headers are not UTF-8"))?;
        let mut lines = Lines(head);
        let first = lines.next().ok_or(ParseError("no start line"))?;
        let start = start_line(first)?;
        let mut headers = Vec::with_capacity(20);
        let mut flaw = None;
        for line in lines {
            let Some((name, value)) = line.split_once(':') else {
                flaw = flaw.or(Some("Header Line Without Colon"));
                continue;
            };
            let name = name.trim_end_matches([' ', '\t', '\r', '\n']);
            if !value::is_token(name) {
                flaw = flaw.or(Some("Bad Header Name"));
                continue;
            }
            if headers.len() == MAX_HEADERS {
                return Err(ParseError("too many headers"));
            }
            headers.push(Header { name: Name::of(name), value: value::trim(value) });
        }
        let rest = &input[body_start..];
        let mut body = rest;
        let mut lengths = headers.iter().filter(|h: &&Header<'_>| h.name == Name::ContentLength).map(|h| h.value);
        if let Some(text) = lengths.next() {
            let others_differ = lengths.any(|other| other != text);
            match frame::content_length(text) {
                Some(_) if others_differ => flaw = Some("Content-Length Given Twice"),
                Some(length) if length <= rest.len() => body = &rest[..length],
                Some(_) => flaw = Some("Body Shorter Than Content-Length"),
                None => flaw = Some("Bad Content-Length"),
            }
        }
        if body.len() > MAX_BODY {
            flaw = Some("Body Too Long");
        }
        Ok(Self { start, headers, body, flaw })
    }

    /// The first header of that name.
    #[must_use]
    pub fn header(&self, name: Name<'_>) -> Option<&'a str> {
        self.headers.iter().find(|h| h.name == name).map(|h| h.value)
    }

    /// All lines of that name, in order.
    pub fn all<'s>(&'s self, name: Name<'s>) -> impl Iterator<Item = &'a str> + 's {
        self.headers.iter().filter(move |h| h.name == name).map(|h| h.value)
    }

    /// Whether a list header (`Supported`, `Require`, `Allow`) has that token, in any case.
    #[must_use]
    pub fn lists(&self, name: Name<'_>, token: &str) -> bool {
        self.headers
            .iter()
            .filter(|h| h.name == name)
            .any(|h| list(h.value).any(|item| item.eq_ignore_ascii_case(token)))
    }
}

fn start_line(line: &str) -> Result<Start<'_>, ParseError> {
    if line.len() >= 8 && line.as_bytes()[..4].eq_ignore_ascii_case(b"SIP/") && line.as_bytes()[4].is_ascii_digit() {
        let mut parts = line.splitn(3, ' ');
        let version = parts.next().unwrap_or_default();
        if !version.eq_ignore_ascii_case("SIP/2.0") {
            return Err(ParseError("a response of another version"));
        }
        let code = parts.next().unwrap_or_default();
        let reason = parts.next().unwrap_or_default();
        if code.len() != 3 || !code.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseError("the status code has not three digits"));
        }
        let code: u16 = code.parse().map_err(|_| ParseError("bad status code"))?;
        if !(100..700).contains(&code) {
            return Err(ParseError("the status code is out of range"));
        }
        return Ok(Start::Response { code, reason });
    }
    // The method is up to the first space, the version after the last one: what lies between is the URI, right or wrong.
    let (method, rest) = line.split_once(' ').ok_or(ParseError("no request line"))?;
    if !value::is_token(method) {
        return Err(ParseError("the method is no token"));
    }
    let (uri, version) = rest.rsplit_once(' ').ok_or(ParseError("no version in the request line"))?;
    Ok(Start::Request { method: Method::of(method), uri, version })
}

/// Logical lines: a line that begins with white space belongs to the one before.
struct Lines<'a>(&'a str);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.0.is_empty() {
            return None;
        }
        let bytes = self.0.as_bytes();
        let mut from = 0;
        loop {
            let Some(at) = memchr::memchr(b'\n', &bytes[from..]) else {
                return Some(std::mem::take(&mut self.0));
            };
            let end = from + at;
            if matches!(bytes.get(end + 1), Some(b' ' | b'\t')) {
                from = end + 1;
                continue;
            }
            let line = &self.0[..end];
            self.0 = &self.0[end + 1..];
            return Some(line.strip_suffix('\r').unwrap_or(line));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INVITE: &[u8] = b"INVITE sip:bob@example.com SIP/2.0\r\nv: SIP/2.0/UDP a;branch=z9hG4bK1\r\nSubject: one\r\n two\r\nl: 3\r\n\r\nabcdef";

    #[test]
    fn reads_folded_and_compact_headers_and_cuts_the_body() {
        let message = Message::parse(INVITE).unwrap();
        assert_eq!(message.header(Name::Via), Some("SIP/2.0/UDP a;branch=z9hG4bK1"));
        assert_eq!(message.header(Name::Other("subject")), Some("one\r\n two"));
        assert_eq!(message.body, b"abc");
        assert_eq!(message.flaw, None);
    }

    #[test]
    fn a_body_that_is_too_short_is_a_flaw_not_a_panic() {
        let message = Message::parse(b"BYE sip:a SIP/2.0\r\nContent-Length: 99\r\n\r\nx").unwrap();
        assert_eq!(message.flaw, Some("Body Shorter Than Content-Length"));
    }

    #[test]
    fn status_lines() {
        let parse = |line: &'static [u8]| Message::parse(line).map(|m| m.start);
        assert_eq!(parse(b"SIP/2.0 200 OK\r\n\r\n"), Ok(Start::Response { code: 200, reason: "OK" }));
        assert_eq!(parse(b"SIP/2.0 100 \r\n\r\n"), Ok(Start::Response { code: 100, reason: "" }));
        assert!(parse(b"SIP/2.0 4294967301 better\r\n\r\n").is_err());
        assert!(parse(b"\r\n\r\n").is_err());
    }
}
