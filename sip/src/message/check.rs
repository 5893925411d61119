//! What the stack needs of a message, and which answer a faulty one deserves (RFC 3261 sections 8.1.1 and 8.2).

use super::value::{CSeq, Via, list};
use super::{Message, Method, Name, NameAddr, Start, Uri};

/// A fault of a request, as the response that it deserves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The response code.
    pub code: u16,
    /// The reason phrase: says what is wrong.
    pub reason: &'static str,
}

const fn bad(reason: &'static str) -> Fault {
    Fault { code: 400, reason }
}

/// A request whose mandatory headers are sound.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The message.
    pub message: &'a Message<'a>,
    /// Its method.
    pub method: Method<'a>,
    /// The request URI, as it stood.
    pub uri: &'a str,
    /// The topmost Via.
    pub via: Via<'a>,
    /// From.
    pub from: NameAddr<'a>,
    /// To.
    pub to: NameAddr<'a>,
    /// Call-ID.
    pub call_id: &'a str,
    /// The sequence number.
    pub cseq: u32,
}

impl<'a> Request<'a> {
    /// Checks a message that is a request.
    ///
    /// # Errors
    /// The response that its first fault deserves.
    pub fn check(message: &'a Message<'a>) -> Result<Self, Fault> {
        let Start::Request { method, uri, version } = message.start else {
            return Err(bad("Not a Request"));
        };
        if !version.eq_ignore_ascii_case("SIP/2.0") {
            let is_version = version.len() > 4 && version.as_bytes()[..4].eq_ignore_ascii_case(b"SIP/");
            return Err(if is_version {
                Fault { code: 505, reason: "Version Not Supported" }
            } else {
                bad("Bad Request Line")
            });
        }
        if let Some(flaw) = message.flaw {
            return Err(bad(flaw));
        }
        let common = Common::check(message)?;
        if common.cseq.method != method.as_str() {
            return Err(bad("CSeq Names Another Method"));
        }
        if let Some(hops) = message.header(Name::MaxForwards)
            && (hops.is_empty() || hops.len() > 6 || !hops.bytes().all(|b| b.is_ascii_digit()))
        {
            return Err(bad("Bad Max-Forwards"));
        }
        for contact in message.all(Name::Contact).flat_map(list) {
            if contact != "*" {
                let contact = NameAddr::parse(contact).ok_or(bad("Bad Contact"))?;
                if Uri::parse(contact.uri).is_none() || !contact.params.is_sound() {
                    return Err(bad("Bad Contact"));
                }
            }
        }
        for name in [Name::Expires, Name::MinExpires] {
            if let Some(seconds) = message.header(name)
                && seconds.parse::<u32>().is_err()
            {
                return Err(bad("Bad Expires"));
            }
        }
        let parsed = Uri::parse(uri).ok_or(bad("Bad Request-URI"))?;
        if !["sip", "sips", "tel"].iter().any(|known| parsed.scheme.eq_ignore_ascii_case(known)) {
            return Err(Fault { code: 416, reason: "Unsupported URI Scheme" });
        }
        let Common { via, from, to, call_id, cseq } = common;
        Ok(Self { message, method, uri, via, from, to, call_id, cseq: cseq.number })
    }

    /// The first contact, if it is a usable one.
    #[must_use]
    pub fn contact(&self) -> Option<NameAddr<'a>> {
        self.message.header(Name::Contact).and_then(|text| list(text).next()).and_then(NameAddr::parse)
    }
}

/// A response whose mandatory headers are sound.
#[derive(Clone, Copy, Debug)]
pub struct Reply<'a> {
    /// The message.
    pub message: &'a Message<'a>,
    /// 100 to 699.
    pub code: u16,
    /// The reason phrase.
    pub reason: &'a str,
    /// The topmost Via: the one that we put there.
    pub via: Via<'a>,
    /// To.
    pub to: NameAddr<'a>,
    /// From.
    pub from: NameAddr<'a>,
    /// Call-ID.
    pub call_id: &'a str,
    /// Number and method.
    pub cseq: CSeq<'a>,
}

impl<'a> Reply<'a> {
    /// Checks a message that is a response.
    ///
    /// # Errors
    /// What is wrong; such a response is dropped.
    pub fn check(message: &'a Message<'a>) -> Result<Self, Fault> {
        let Start::Response { code, reason } = message.start else {
            return Err(bad("Not a Response"));
        };
        if let Some(flaw) = message.flaw {
            return Err(bad(flaw));
        }
        // A response with more than one Via in it was not meant for us (RFC 3261 section 8.1.3.3).
        if message.all(Name::Via).flat_map(list).count() > 1 {
            return Err(bad("More Than One Via"));
        }
        let Common { via, from, to, call_id, cseq } = Common::check(message)?;
        Ok(Self { message, code, reason, via, to, from, call_id, cseq })
    }

    /// The first contact.
    #[must_use]
    pub fn contact(&self) -> Option<NameAddr<'a>> {
        self.message.header(Name::Contact).and_then(|text| list(text).next()).and_then(NameAddr::parse)
    }
}

struct Common<'a> {
    via: Via<'a>,
    from: NameAddr<'a>,
    to: NameAddr<'a>,
    call_id: &'a str,
    cseq: CSeq<'a>,
}

impl<'a> Common<'a> {
    fn check(message: &'a Message<'a>) -> Result<Self, Fault> {
        let via = message.header(Name::Via).ok_or(bad("Missing Via"))?;
        let via = list(via).next().and_then(Via::parse).ok_or(bad("Bad Via"))?;
        if via.version != "2.0" || !via.params.is_sound() {
            return Err(bad("Bad Via"));
        }
        let from = single(message, Name::From, "Missing From", "More Than One From")?;
        let from = NameAddr::parse(from).ok_or(bad("Bad From"))?;
        let to = single(message, Name::To, "Missing To", "More Than One To")?;
        let to = NameAddr::parse(to).ok_or(bad("Bad To"))?;
        for party in [from, to] {
            if Uri::parse(party.uri).is_none() || !party.params.is_sound() {
                return Err(bad("Bad From or To"));
            }
        }
        let call_id = single(message, Name::CallId, "Missing Call-ID", "More Than One Call-ID")?;
        if call_id.is_empty() || call_id.len() > 512 || call_id.contains([' ', '\t', '\r', '\n']) {
            return Err(bad("Bad Call-ID"));
        }
        let cseq = single(message, Name::CSeq, "Missing CSeq", "More Than One CSeq")?;
        let cseq = CSeq::parse(cseq).ok_or(bad("Bad CSeq"))?;
        Ok(Self { via, from, to, call_id, cseq })
    }
}

fn single<'a>(
    message: &'a Message<'a>,
    name: Name<'_>,
    missing: &'static str,
    several: &'static str,
) -> Result<&'a str, Fault> {
    let mut found = message.headers.iter().filter(|h| h.name == name);
    let first = found.next().ok_or(bad(missing))?;
    if found.next().is_some() { Err(bad(several)) } else { Ok(first.value) }
}
