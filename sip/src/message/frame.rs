//! Where one message ends and the next begins in a stream (RFC 3261 section 18.3).

use super::{MAX_BODY, MAX_HEAD, header::Name, value};

/// What stands at the front of a stream's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// Not a whole message yet.
    Partial,
    /// So many bytes of line ends, which keep a connection alive. Two line ends ask for one in return (RFC 5626).
    KeepAlive(usize),
    /// A message of so many bytes.
    Message(usize),
    /// Nothing that can be resynchronised: the connection should be closed.
    Broken(&'static str),
}

/// Looks at the front of a stream's buffer.
#[must_use]
pub fn frame(buffer: &[u8]) -> Frame {
    let blank = buffer.iter().take_while(|&&b| b == b'\r' || b == b'\n').count();
    if blank > 0 {
        return Frame::KeepAlive(blank);
    }
    let Some((head, body)) = head_end(buffer) else {
        return if buffer.len() > MAX_HEAD { Frame::Broken("the headers are too long") } else { Frame::Partial };
    };
    if head > MAX_HEAD {
        return Frame::Broken("the headers are too long");
    }
    let mut length = None;
    for line in buffer[..head].split(|&b| b == b'\n') {
        let Some(colon) = memchr::memchr(b':', line) else { continue };
        let Ok(name) = std::str::from_utf8(&line[..colon]) else { continue };
        if Name::of(value::trim(name)) != Name::ContentLength {
            continue;
        }
        match std::str::from_utf8(&line[colon + 1..]).ok().and_then(|v| content_length(value::trim(v))) {
            Some(found) if length.is_none_or(|before| before == found) => length = Some(found),
            _ => return Frame::Broken("bad Content-Length in a stream"),
        }
    }
    // A stream needs the length (RFC 3261 section 20.14); without it nothing follows.
    let length = length.unwrap_or(0);
    if length > MAX_BODY {
        return Frame::Broken("the body is too long");
    }
    if buffer.len() < body + length { Frame::Partial } else { Frame::Message(body + length) }
}

/// The length of the head and the place of the body, if the blank line is there.
pub(super) fn head_end(input: &[u8]) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'\n', &input[from..]) {
        let end = from + at + 1;
        match input.get(end..) {
            Some([b'\r', b'\n', ..]) => return Some((end, end + 2)),
            Some([b'\n', ..]) => return Some((end, end + 1)),
            _ => from = end,
        }
    }
    None
}

pub(super) fn content_length(text: &str) -> Option<usize> {
    if text.is_empty() || text.len() > 9 || !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    text.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_a_stream() {
        let one = b"BYE sip:a SIP/2.0\r\nContent-Length: 2\r\n\r\nab";
        assert_eq!(frame(one), Frame::Message(one.len()));
        assert_eq!(frame(&one[..one.len() - 1]), Frame::Partial);
        assert_eq!(frame(&one[..20]), Frame::Partial);
        assert_eq!(frame(b"\r\n\r\nBYE"), Frame::KeepAlive(4));
        assert!(matches!(frame(b"BYE sip:a SIP/2.0\r\nl: -1\r\n\r\n"), Frame::Broken(_)));
        assert!(matches!(frame(b"BYE sip:a SIP/2.0\r\nl: 1\r\nl: 2\r\n\r\n"), Frame::Broken(_)));
    }
}
