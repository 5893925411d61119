//! One session's side of offer and answer: what we said, what was agreed.

use super::{Codec, Description, MediaLine, Profile, SdpError};
use crate::media::{Direction, Encryption};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use std::fmt::Write as _;
use std::net::SocketAddr;

const SUITE: &str = "AES_CM_128_HMAC_SHA1_80";
/// The payload type of telephone events in our offers.
const OUR_EVENT_TYPE: u8 = 101;

/// Master key and salt of one direction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SrtpKey {
    /// 16 bytes.
    pub key: [u8; 16],
    /// 14 bytes.
    pub salt: [u8; 14],
}

impl std::fmt::Debug for SrtpKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SrtpKey")
    }
}

impl SrtpKey {
    /// Reads key and salt from base 64.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        let raw: [u8; 30] = BASE64.decode(text).ok()?.try_into().ok()?;
        Some(Self::from_bytes(raw))
    }

    /// From 30 bytes: key, then salt.
    #[must_use]
    pub fn from_bytes(raw: [u8; 30]) -> Self {
        let mut made = Self { key: [0; 16], salt: [0; 14] };
        made.key.copy_from_slice(&raw[..16]);
        made.salt.copy_from_slice(&raw[16..]);
        made
    }

    fn to_base64(self) -> String {
        BASE64.encode([&self.key[..], &self.salt[..]].concat())
    }
}

/// What both sides agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// The codec.
    pub codec: Codec,
    /// Its payload type, both ways.
    pub payload_type: u8,
    /// The payload type of telephone events, if both speak them.
    pub event_type: Option<u8>,
    /// Where the peer wants RTP.
    pub rtp: SocketAddr,
    /// Where the peer wants RTCP.
    pub rtcp: SocketAddr,
    /// Which way audio flows, as **we** see it.
    pub direction: Direction,
    /// Packet time to be sent, in milliseconds.
    pub ptime_ms: u32,
    /// SRTP keys: ours to send with, the peer's to receive with.
    pub keys: Option<(SrtpKey, SrtpKey)>,
}

/// Our side of a session's descriptions.
#[derive(Clone, Debug)]
pub struct Local {
    /// Our RTP address; RTCP is at the next port.
    pub address: SocketAddr,
    /// `o=` session id.
    pub id: u64,
    /// Encryption.
    pub encryption: Encryption,
    /// The direction that we state next.
    pub direction: Direction,
    /// The key that we send with, if encryption comes to be used.
    pub key: SrtpKey,
    version: u64,
    /// Whether our last offer had keys in it.
    offered_crypto: bool,
}

impl Local {
    /// A session's side at that address. `id` and `key` should be random.
    #[must_use]
    pub const fn new(address: SocketAddr, id: u64, encryption: Encryption, key: SrtpKey) -> Self {
        Self { address, id, encryption, direction: Direction::SendRecv, key, version: 0, offered_crypto: false }
    }

    fn head(&mut self, out: &mut String) {
        self.version += 1;
        let ip = self.address.ip();
        let family = if ip.is_ipv4() { "IP4" } else { "IP6" };
        let (id, version) = (self.id, self.version);
        let _ = write!(out, "v=0\r\no=- {id} {version} IN {family} {ip}\r\ns=-\r\nc=IN {family} {ip}\r\nt=0 0\r\n");
    }

    /// An offer. In mid-call it repeats the codec that is agreed, first.
    #[must_use]
    pub fn offer(&mut self, now: Option<&Agreed>) -> String {
        let mut out = String::with_capacity(320);
        self.head(&mut out);
        let secure = now.map_or(self.encryption == Encryption::Required, |a| a.keys.is_some());
        self.offered_crypto = secure;
        let profile = if secure { "RTP/SAVP" } else { "RTP/AVP" };
        let codecs = match now.map(|a| a.codec) {
            Some(Codec::Pcma) => [Codec::Pcma, Codec::Pcmu],
            _ => [Codec::Pcmu, Codec::Pcma],
        };
        let events = now.and_then(|a| a.event_type).unwrap_or(OUR_EVENT_TYPE);
        let port = self.address.port();
        let [a, b] = codecs.map(Codec::payload_type);
        let _ = write!(out, "m=audio {port} {profile} {a} {b} {events}\r\n");
        for codec in codecs {
            let _ = write!(out, "a=rtpmap:{} {}/8000\r\n", codec.payload_type(), codec.as_str());
        }
        self.tail(&mut out, Some(events), self.direction, secure.then_some("1"));
        out
    }

    fn tail(&self, out: &mut String, events: Option<u8>, direction: Direction, crypto_tag: Option<&str>) {
        if let Some(events) = events {
            let _ = write!(out, "a=rtpmap:{events} telephone-event/8000\r\na=fmtp:{events} 0-15\r\n");
        }
        out.push_str("a=ptime:20\r\n");
        if let Some(tag) = crypto_tag {
            let _ = write!(out, "a=crypto:{tag} {SUITE} inline:{}\r\n", self.key.to_base64());
        }
        let _ = write!(out, "a={}\r\n", word(direction));
    }

    /// Answers an offer.
    ///
    /// # Errors
    /// Why it cannot be accepted.
    pub fn answer(&mut self, offer: &str) -> Result<(String, Agreed), SdpError> {
        let offer = Description::parse(offer)?;
        let (index, line, codec, payload_type) = self.choose(&offer)?;
        let (rtp, rtcp) = offer.addresses(line).ok_or(SdpError::Address)?;
        let crypto = match line.profile() {
            Profile::Savp => {
                let usable = |c: &&super::Crypto<'_>| c.suite == SUITE && SrtpKey::from_base64(c.key).is_some();
                Some(*line.crypto.iter().find(usable).ok_or(SdpError::NoCommonCrypto)?)
            }
            _ => None,
        };
        let direction = answer_direction(self.direction, offer.direction_of(line));
        let agreed = Agreed {
            codec,
            payload_type,
            event_type: line.event_type(),
            rtp,
            rtcp,
            direction,
            ptime_ms: packet_time(line),
            keys: crypto.and_then(|c| SrtpKey::from_base64(c.key)).map(|theirs| (self.key, theirs)),
        };
        let mut out = String::with_capacity(320);
        self.head(&mut out);
        for (at, other) in offer.media.iter().enumerate() {
            if at != index {
                let formats = if other.formats.is_empty() { "0" } else { other.formats };
                let _ = write!(out, "m={} 0 {} {formats}\r\n", other.kind, other.protocol);
                continue;
            }
            let events = agreed.event_type.map_or(String::new(), |t| format!(" {t}"));
            let _ = write!(out, "m=audio {} {} {payload_type}{events}\r\n", self.address.port(), line.protocol);
            let _ = write!(out, "a=rtpmap:{payload_type} {}/8000\r\n", codec.as_str());
            self.tail(&mut out, agreed.event_type, direction, crypto.map(|c| c.tag));
        }
        Ok((out, agreed))
    }

    /// The first audio line that can be spoken; else the reason why the first one cannot.
    fn choose<'d, 'a>(&self, offer: &'d Description<'a>) -> Result<(usize, &'d MediaLine<'a>, Codec, u8), SdpError> {
        let mut reason = None;
        for (index, line) in offer.media.iter().enumerate() {
            if !line.kind.eq_ignore_ascii_case("audio") || line.port == 0 {
                continue;
            }
            let allowed = match line.profile() {
                Profile::Avp => self.encryption != Encryption::Required,
                Profile::Savp => true,
                Profile::Other => false,
            };
            if !allowed {
                reason.get_or_insert(SdpError::Profile { offered: line.protocol.to_owned() });
                continue;
            }
            match line.payload_types().find_map(|t| line.codec(t).map(|c| (c, t))) {
                Some((codec, payload_type)) => return Ok((index, line, codec, payload_type)),
                None => {
                    reason.get_or_insert(SdpError::NoCommonCodec);
                }
            }
        }
        Err(reason.unwrap_or(SdpError::NoAudio))
    }

    /// Takes the answer to our last offer.
    ///
    /// # Errors
    /// What does not fit.
    pub fn accept(&self, answer: &str) -> Result<Agreed, SdpError> {
        let answer = Description::parse(answer)?;
        let line = answer.media.first().ok_or(SdpError::NoAudio)?;
        if !line.kind.eq_ignore_ascii_case("audio") || line.port == 0 {
            return Err(SdpError::NoAudio);
        }
        let keys = match (line.profile(), self.offered_crypto) {
            (Profile::Avp, false) => None,
            (Profile::Savp, true) => {
                let theirs = line.crypto.iter().find(|c| c.suite == SUITE && c.tag == "1");
                let theirs = theirs.and_then(|c| SrtpKey::from_base64(c.key)).ok_or(SdpError::NoCommonCrypto)?;
                Some((self.key, theirs))
            }
            _ => return Err(SdpError::NotOurOffer { what: "its profile is another" }),
        };
        let (payload_type, codec) =
            line.payload_types().find_map(|t| line.codec(t).map(|c| (t, c))).ok_or(SdpError::NoCommonCodec)?;
        let (rtp, rtcp) = answer.addresses(line).ok_or(SdpError::Address)?;
        Ok(Agreed {
            codec,
            payload_type,
            event_type: line.event_type(),
            rtp,
            rtcp,
            direction: answer_direction(self.direction, answer.direction_of(line)),
            ptime_ms: packet_time(line),
            keys,
        })
    }
}

/// 20 ms unless the peer asks for a multiple up to 60.
fn packet_time(line: &MediaLine<'_>) -> u32 {
    line.ptime_ms.filter(|ms| matches!(ms, 40 | 60)).unwrap_or(20)
}

const fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::SendRecv => "sendrecv",
        Direction::SendOnly => "sendonly",
        Direction::RecvOnly => "recvonly",
        Direction::Inactive => "inactive",
    }
}

/// Our direction, given what we want and what the peer states for itself (RFC 3264 section 6.1).
const fn answer_direction(wanted: Direction, theirs: Direction) -> Direction {
    let (we_send, we_receive) = match wanted {
        Direction::SendRecv => (true, true),
        Direction::SendOnly => (true, false),
        Direction::RecvOnly => (false, true),
        Direction::Inactive => (false, false),
    };
    let (they_send, they_receive) = match theirs {
        Direction::SendRecv => (true, true),
        Direction::SendOnly => (true, false),
        Direction::RecvOnly => (false, true),
        Direction::Inactive => (false, false),
    };
    match (we_send && they_receive, we_receive && they_send) {
        (true, true) => Direction::SendRecv,
        (true, false) => Direction::SendOnly,
        (false, true) => Direction::RecvOnly,
        (false, false) => Direction::Inactive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn local(encryption: Encryption) -> Local {
        Local::new("192.0.2.1:4000".parse().unwrap(), 7, encryption, SrtpKey::from_bytes([3; 30]))
    }

    fn offer(media: &str) -> String {
        format!("v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n{media}")
    }

    #[test]
    fn both_sides_agree() {
        for encryption in [Encryption::IfOffered, Encryption::Required] {
            let mut a = local(encryption);
            let mut b = Local::new("192.0.2.2:5000".parse().unwrap(), 8, encryption, SrtpKey::from_bytes([4; 30]));
            let (answer, at_b) = b.answer(&a.offer(None)).unwrap();
            let at_a = a.accept(&answer).unwrap();
            assert_eq!((at_a.codec, at_a.event_type, at_a.rtp), (Codec::Pcmu, Some(101), b.address));
            assert_eq!(at_b.rtp, a.address);
            assert_eq!(at_a.keys.map(|(ours, theirs)| (theirs, ours)), at_b.keys);
            assert_eq!(at_a.keys.is_some(), encryption == Encryption::Required);
            a.direction = Direction::SendOnly;
            let (answer, at_b) = b.answer(&a.offer(Some(&at_a))).unwrap();
            assert_eq!(at_b.direction, Direction::RecvOnly);
            assert_eq!(a.accept(&answer).unwrap().direction, Direction::SendOnly);
        }
    }

    #[test]
    fn the_answer_repeats_every_media_line() {
        let text = offer(concat!(
            "m=video 6000 RTP/AVP 31\r\nm=audio 6002 RTP/AVP 18 8 96\r\n",
            "a=rtpmap:96 telephone-event/8000\r\na=sendonly\r\n"
        ));
        let (answer, agreed) = local(Encryption::IfOffered).answer(&text).unwrap();
        assert!(answer.contains("m=video 0 RTP/AVP 31\r\nm=audio 4000 RTP/AVP 8 96\r\n"), "{answer}");
        assert_eq!((agreed.codec, agreed.event_type, agreed.direction), (Codec::Pcma, Some(96), Direction::RecvOnly));
    }

    #[test]
    fn refusals_have_reasons() {
        let refuse = |encryption, text: &str| local(encryption).answer(text).unwrap_err();
        let plain = Encryption::IfOffered;
        assert_eq!(refuse(plain, &offer("m=audio 1 RTP/AVP 18\r\n")), SdpError::NoCommonCodec);
        assert_eq!(refuse(plain, &offer("m=audio 0 RTP/AVP 0\r\n")), SdpError::NoAudio);
        assert_eq!(refuse(plain, &offer("m=audio 2 RTP/SAVP 0\r\n")), SdpError::NoCommonCrypto);
        assert!(matches!(refuse(Encryption::Required, &offer("m=audio 2 RTP/AVP 0\r\n")), SdpError::Profile { .. }));
        assert_eq!(refuse(plain, "v=0\r\nm=audio 2 RTP/AVP 0\r\n"), SdpError::Address);
        assert!(matches!(refuse(plain, "hello"), SdpError::Syntax { line: 1, .. }));
        assert_eq!(refuse(plain, &offer("m=audio 2 RTP/AVP 0\r\na=rtpmap:0 PCMU/16000\r\n")), SdpError::NoCommonCodec);
    }

    #[test]
    fn zeros_in_the_address_hold() {
        let held = offer("m=audio 6002 RTP/AVP 0\r\nc=IN IP4 0.0.0.0\r\n");
        assert_eq!(local(Encryption::IfOffered).answer(&held).unwrap().1.direction, Direction::RecvOnly);
    }
}
