//! Messages out.

use std::fmt::Display;
use std::io::Write as _;
use std::net::SocketAddr;

use callfloor_sip::Transport;
use callfloor_sip::message::{Message, Name};

use super::call::{Call, CallKey};

/// What begins the branch of every request (RFC 3261 section 8.1.1.7).
pub(super) const MAGIC: &str = "z9hG4bK";
const ALLOW: &str = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE";

/// What a request needs beside its call.
pub(super) struct Request<'a> {
    pub(super) method: &'a str,
    pub(super) cseq: u32,
    /// The method whose branch it has: INVITE's for its CANCEL and for the ACK of a refusal, else its own.
    pub(super) branch: &'a str,
    /// Name and value of more headers.
    pub(super) more: &'a [(&'a str, &'a str)],
    pub(super) sdp: Option<&'a str>,
}

/// Writing to a vector cannot fail.
macro_rules! put {
    ($out:expr, $($arg:tt)*) => {{
        let _ = write!($out, $($arg)*);
    }};
}

/// Text without anything that would begin another header.
pub(super) fn clean(text: &str) -> impl Display + '_ {
    struct Clean<'a>(&'a str);
    impl Display for Clean<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            let mut rest = self.0;
            while let Some(at) = rest.find(['\r', '\n', '\0']) {
                f.write_str(&rest[..at])?;
                f.write_str(" ")?;
                rest = &rest[at + 1..];
            }
            f.write_str(rest)
        }
    }
    Clean(text)
}

/// A request of a call.
pub(super) fn request(
    out: &mut Vec<u8>,
    (local, transport): (SocketAddr, Transport),
    run: u32,
    key: CallKey,
    call: &Call,
    what: &Request<'_>,
) {
    let Request { method, cseq, branch, more, sdp } = *what;
    put!(out, "{method} {} SIP/2.0\r\n", clean(&call.target));
    put!(out, "Via: SIP/2.0/{} {local};branch={MAGIC}{run:x}-{key}-{cseq:x}{branch};rport\r\n", transport.as_str());
    out.extend_from_slice(b"Max-Forwards: 70\r\n");
    for route in &call.route {
        put!(out, "Route: {}\r\n", clean(route));
    }
    put!(out, "From: {}\r\nTo: {}\r\n", clean(&call.own), clean(&call.other));
    put!(out, "Call-ID: {}\r\nCSeq: {cseq} {method}\r\n", clean(&call.call_id));
    if !matches!(method, "ACK" | "CANCEL" | "BYE") {
        put!(out, "Contact: <sip:{}@{local}{}>\r\nAllow: {ALLOW}\r\n", clean(&call.user), parameter(transport));
    }
    finish(out, more, sdp);
}

/// What an address says of how messages travel to it.
const fn parameter(transport: Transport) -> &'static str {
    match transport {
        Transport::Udp => "",
        Transport::Tcp => ";transport=tcp",
        Transport::Tls => ";transport=tls",
    }
}

/// A response that has the headers of a request in `head`.
pub(super) fn response(out: &mut Vec<u8>, code: u16, head: &[u8], more: &[(&str, &str)], sdp: Option<&str>) {
    put!(out, "SIP/2.0 {code} {}\r\n", reason(code));
    out.extend_from_slice(head);
    finish(out, more, sdp);
}

fn finish(out: &mut Vec<u8>, more: &[(&str, &str)], sdp: Option<&str>) {
    for (name, value) in more {
        put!(out, "{name}: {}\r\n", clean(value));
    }
    match sdp {
        Some(sdp) => put!(out, "Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{sdp}", sdp.len()),
        None => out.extend_from_slice(b"Content-Length: 0\r\n\r\n"),
    }
}

/// The headers that every response to a request repeats; `tag` is put on To where it has none.
pub(super) fn head(message: &Message<'_>, tag: Option<CallKey>) -> Vec<u8> {
    let mut out = Vec::with_capacity(400);
    for header in &message.headers {
        if matches!(header.name, Name::Via | Name::RecordRoute | Name::From | Name::CallId | Name::CSeq) {
            put!(out, "{}: {}\r\n", header.name.as_str(), clean(header.value));
        }
    }
    if let Some(to) = message.header(Name::To) {
        put!(out, "To: {}", clean(to));
        match tag {
            Some(key) if tag_of(to).is_none() => put!(out, ";tag={key}\r\n"),
            _ => out.extend_from_slice(b"\r\n"),
        }
    }
    out
}

/// The tag of From or To.
pub(super) fn tag_of(value: &str) -> Option<&str> {
    callfloor_sip::message::NameAddr::parse(value)?.params.get("tag")
}

const fn reason(code: u16) -> &'static str {
    match code {
        180 => "Ringing",
        200 => "OK",
        405 => "Method Not Allowed",
        481 => "Call/Transaction Does Not Exist",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        500 => "Server Internal Error",
        503 => "Service Unavailable",
        603 => "Decline",
        _ => "Done",
    }
}
