//! Messages out.

use super::{Message, Name};
use bytes::Bytes;
use std::io::Write as _;

/// Builds one message.
#[derive(Debug)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn request(method: &str, uri: &str) -> Self {
        let mut out = Vec::with_capacity(768);
        for part in [method, " "] {
            out.extend_from_slice(part.as_bytes());
        }
        push_clean(&mut out, uri);
        out.extend_from_slice(b" SIP/2.0\r\n");
        Self(out)
    }

    pub(crate) fn response(code: u16, reason: &str) -> Self {
        let mut out = Vec::with_capacity(640);
        // Writing to a Vec cannot fail.
        let _ = write!(out, "SIP/2.0 {code} ");
        push_clean(&mut out, reason);
        out.extend_from_slice(b"\r\n");
        Self(out)
    }

    pub(crate) fn header(&mut self, name: Name<'_>, value: &str) -> &mut Self {
        self.raw(name.as_str(), value)
    }

    /// A header whose name is free text; both are cleaned of line ends.
    pub(crate) fn raw(&mut self, name: &str, value: &str) -> &mut Self {
        push_clean(&mut self.0, name);
        self.0.extend_from_slice(b": ");
        push_clean(&mut self.0, value);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    pub(crate) fn number(&mut self, name: Name<'_>, value: u32) -> &mut Self {
        let _ = write!(self.0, "{}: {value}\r\n", name.as_str());
        self
    }

    /// Writes a header from pieces that are known to have no line ends.
    pub(crate) fn format(&mut self, args: std::fmt::Arguments<'_>) -> &mut Self {
        let _ = self.0.write_fmt(args);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    /// Copies all lines of that name.
    pub(crate) fn copy(&mut self, message: &Message<'_>, name: Name<'_>) -> &mut Self {
        for value in message.all(name) {
            self.header(name, value);
        }
        self
    }

    pub(crate) fn finish(mut self, body: Option<(&str, &[u8])>) -> Bytes {
        match body {
            Some((kind, body)) => {
                self.header(Name::ContentType, kind);
                let _ = write!(self.0, "Content-Length: {}\r\n\r\n", body.len());
                self.0.extend_from_slice(body);
            }
            None => self.0.extend_from_slice(b"Content-Length: 0\r\n\r\n"),
        }
        Bytes::from(self.0)
    }
}

/// Whether text has a line end or a null in it, which no header that we write may have.
pub(crate) fn has_line_break(text: &str) -> bool {
    text.bytes().any(|b| matches!(b, b'\r' | b'\n' | 0))
}

/// Appends text with line ends and nulls turned to spaces, so that no value can begin a header of its own.
pub(crate) fn push_clean(out: &mut Vec<u8>, text: &str) {
    if has_line_break(text) {
        out.extend(text.bytes().map(|b| if matches!(b, b'\r' | b'\n' | 0) { b' ' } else { b }));
    } else {
        out.extend_from_slice(text.as_bytes());
    }
}

/// Escapes what may not stand in the user part of a URI.
pub(crate) fn escape_user(user: &str) -> String {
    let mut out = String::with_capacity(user.len());
    for b in user.bytes() {
        if b.is_ascii_alphanumeric() || b"-_.!~*'()&=+$,;?/".contains(&b) {
            out.push(char::from(b));
        } else {
            use std::fmt::Write as _;
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_begin_a_header() {
        let mut writer = Writer::response(200, "OK");
        writer.raw("X", "a\r\nInjected: b");
        assert_eq!(&*writer.finish(None), b"SIP/2.0 200 OK\r\nX: a  Injected: b\r\nContent-Length: 0\r\n\r\n");
    }
}
