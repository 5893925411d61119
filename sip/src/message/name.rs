//! From, To, Contact, Route and their like: a name, a URI and parameters.

use super::value::{Params, find_outside, trim};

/// `"Display" <uri>;params`, or `uri;params`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameAddr<'a> {
    /// The display name, quotes still on it; empty if there is none.
    pub display: &'a str,
    /// The URI without brackets.
    pub uri: &'a str,
    /// The header's own parameters: tag, expires, q, …
    pub params: Params<'a>,
}

impl<'a> NameAddr<'a> {
    /// Reads one value. A URI without brackets leaves its parameters to the header (RFC 3261 section 20).
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = trim(text);
        let (display, rest) = if text.starts_with('"') {
            let close = closing_quote(text)?;
            let rest = trim(&text[close + 1..]);
            if !rest.starts_with('<') {
                return None;
            }
            (&text[..=close], rest)
        } else {
            match find_outside(text, b'<') {
                Some(at) => (trim(&text[..at]), &text[at..]),
                None => {
                    let end = text.find(';').unwrap_or(text.len());
                    let uri = trim(&text[..end]);
                    // With a question mark or a comma it needs brackets (RFC 3261 section 20.10).
                    return (!uri.is_empty() && !uri.contains(['>', '"', '?', ','])).then_some(Self {
                        display: "",
                        uri,
                        params: Params(&text[end..]),
                    });
                }
            }
        };
        // `<` stands in front; find_outside looks for `>` from behind it.
        let inner = rest.get(1..)?;
        let close = inner.find('>')?;
        let uri = trim(&inner[..close]);
        let params = trim(&inner[close + 1..]);
        if display.contains(['>', ',', ';']) && !display.starts_with('"') {
            return None;
        }
        (params.is_empty() || params.starts_with(';')).then_some(Self { display, uri, params: Params(params) })
    }

    /// The tag parameter.
    #[must_use]
    pub fn tag(&self) -> Option<&'a str> {
        self.params.get("tag").filter(|t| !t.is_empty())
    }
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, b) in text.bytes().enumerate().skip(1) {
        match b {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return Some(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let full = NameAddr::parse("\"A \\\" <x>\" <sip:a@b;lr>;tag=1").unwrap();
        assert_eq!((full.uri, full.tag()), ("sip:a@b;lr", Some("1")));
        let bare = NameAddr::parse("sip:a@b;tag=2").unwrap();
        assert_eq!((bare.uri, bare.tag()), ("sip:a@b", Some("2")));
        assert_eq!(NameAddr::parse("Bob <sip:b>").unwrap().display, "Bob");
        assert_eq!(NameAddr::parse("\"unclosed <sip:a@b>"), None);
        assert_eq!(NameAddr::parse("a <sip:a@b"), None);
        assert_eq!(NameAddr::parse("sip:a@b?Route=c"), None);
        assert_eq!(NameAddr::parse("<sip:a@b>junk"), None);
    }
}
