//! Reading a description.

use super::{Codec, SdpError};
use crate::media::Direction;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The most media lines that are looked at; more are refused.
const MAX_MEDIA: usize = 16;

/// The profile of a media line, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// `RTP/AVP`.
    Avp,
    /// `RTP/SAVP`: SRTP with keys in the description.
    Savp,
    /// Any other.
    Other,
}

/// One `a=crypto` line (RFC 4568).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crypto<'a> {
    /// Its number, to be repeated in the answer.
    pub tag: &'a str,
    /// The suite.
    pub suite: &'a str,
    /// Key and salt in base 64, without `inline:` and what follows `|`.
    pub key: &'a str,
}

/// One media line with what belongs to it.
#[derive(Clone, Debug)]
pub struct MediaLine<'a> {
    /// `audio`, `video`, …
    pub kind: &'a str,
    /// The RTP port; 0 switches the line off.
    pub port: u16,
    /// The profile as it stood.
    pub protocol: &'a str,
    /// The payload types as they stood.
    pub formats: &'a str,
    /// Its own connection address.
    pub connection: Option<IpAddr>,
    /// `a=rtpmap`: payload type and encoding.
    pub maps: Vec<(u8, &'a str)>,
    /// Its direction as its sender sees it.
    pub direction: Option<Direction>,
    /// `a=ptime`, in milliseconds.
    pub ptime_ms: Option<u32>,
    /// `a=rtcp`: the RTCP port, if it is not the next one.
    pub rtcp_port: Option<u16>,
    /// `a=rtcp-mux`.
    pub rtcp_mux: bool,
    /// Keys offered.
    pub crypto: Vec<Crypto<'a>>,
}

impl<'a> MediaLine<'a> {
    /// The profile.
    #[must_use]
    pub fn profile(&self) -> Profile {
        match self.protocol {
            p if p.eq_ignore_ascii_case("RTP/AVP") => Profile::Avp,
            p if p.eq_ignore_ascii_case("RTP/SAVP") => Profile::Savp,
            _ => Profile::Other,
        }
    }

    /// The payload types listed.
    pub fn payload_types(&self) -> impl Iterator<Item = u8> + 'a {
        self.formats.split_ascii_whitespace().filter_map(|f| f.parse().ok()).filter(|&t| t < 128)
    }

    fn encoding(&self, payload_type: u8) -> Option<&'a str> {
        self.maps.iter().find(|(t, _)| *t == payload_type).map(|(_, e)| *e)
    }

    /// The codec of a payload type, if it is one of ours.
    #[must_use]
    pub fn codec(&self, payload_type: u8) -> Option<Codec> {
        let Some(encoding) = self.encoding(payload_type) else {
            return match payload_type {
                0 => Some(Codec::Pcmu),
                8 => Some(Codec::Pcma),
                _ => None,
            };
        };
        let mut parts = encoding.split('/');
        let (name, rate, channels) = (parts.next()?, parts.next()?, parts.next().unwrap_or("1"));
        if rate != "8000" || channels != "1" {
            return None;
        }
        [Codec::Pcmu, Codec::Pcma].into_iter().find(|c| name.eq_ignore_ascii_case(c.as_str()))
    }

    /// The payload type of telephone events, if offered.
    #[must_use]
    pub fn event_type(&self) -> Option<u8> {
        self.payload_types().find(|&t| self.encoding(t).is_some_and(|e| e.eq_ignore_ascii_case("telephone-event/8000")))
    }
}

/// A description that borrows from its text.
#[derive(Clone, Debug)]
pub struct Description<'a> {
    /// The session's connection address.
    pub connection: Option<IpAddr>,
    /// The session's direction.
    pub direction: Option<Direction>,
    /// `o=`: session id and version.
    pub origin: (&'a str, &'a str),
    /// The media lines in order.
    pub media: Vec<MediaLine<'a>>,
}

impl<'a> Description<'a> {
    /// Reads a description.
    ///
    /// # Errors
    /// The first line that cannot be read.
    pub fn parse(text: &'a str) -> Result<Self, SdpError> {
        let mut found = Self { connection: None, direction: None, origin: ("", ""), media: Vec::new() };
        let mut versioned = false;
        for (index, line) in text.split('\n').enumerate() {
            let line = line.strip_suffix('\r').unwrap_or(line);
            let wrong = |what| SdpError::Syntax { line: index + 1, what };
            if line.is_empty() {
                continue;
            }
            let (kind, value) = line.split_once('=').ok_or(wrong("no `=`"))?;
            match kind {
                "v" if value.trim() == "0" && !versioned => versioned = true,
                "v" => return Err(wrong("the version is not 0")),
                _ if !versioned => return Err(wrong("it does not begin with `v=0`")),
                "o" => {
                    let mut parts = value.split_ascii_whitespace().skip(1);
                    found.origin = match (parts.next(), parts.next()) {
                        (Some(id), Some(version)) => (id, version),
                        _ => return Err(wrong("the origin is cut short")),
                    };
                }
                "c" => {
                    let address = connection(value);
                    match found.media.last_mut() {
                        Some(media) => media.connection = address.or(media.connection),
                        None => found.connection = address,
                    }
                    if address.is_none() && found.media.is_empty() && !value.starts_with("IN ") {
                        return Err(wrong("the connection is not of the Internet"));
                    }
                }
                "m" => {
                    if found.media.len() == MAX_MEDIA {
                        return Err(wrong("too many media lines"));
                    }
                    found
                        .media
                        .push(media_line(value).ok_or(wrong("the media line is cut short or its port is wrong"))?);
                }
                "a" => attribute(&mut found, value),
                // Unknown lines are left alone (RFC 8866 section 5).
                _ => {}
            }
        }
        if versioned { Ok(found) } else { Err(SdpError::Syntax { line: 1, what: "it is empty" }) }
    }

    /// Where RTP of that line is to be sent, and RTCP; `None` if its address is missing or a name.
    #[must_use]
    pub fn addresses(&self, line: &MediaLine<'_>) -> Option<(SocketAddr, SocketAddr)> {
        let ip = line.connection.or(self.connection)?;
        let rtcp = match line.rtcp_port {
            _ if line.rtcp_mux => line.port,
            Some(port) => port,
            None => line.port.checked_add(1)?,
        };
        Some((SocketAddr::new(ip, line.port), SocketAddr::new(ip, rtcp)))
    }

    /// The direction of that line as its sender sees it; the old way to hold, an address of zeros, is inactive.
    #[must_use]
    pub fn direction_of(&self, line: &MediaLine<'_>) -> Direction {
        let stated = line.direction.or(self.direction).unwrap_or_default();
        match line.connection.or(self.connection) {
            Some(ip) if ip.is_unspecified() => match stated {
                Direction::SendRecv | Direction::SendOnly => Direction::SendOnly,
                Direction::RecvOnly | Direction::Inactive => Direction::Inactive,
            },
            _ => stated,
        }
    }
}

fn connection(value: &str) -> Option<IpAddr> {
    let mut parts = value.split_ascii_whitespace();
    if parts.next()? != "IN" {
        return None;
    }
    let kind = parts.next()?;
    let address = parts.next()?.split('/').next()?;
    match kind {
        "IP4" => address.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        "IP6" => address.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
        _ => None,
    }
}

fn media_line(value: &str) -> Option<MediaLine<'_>> {
    let (kind, rest) = value.split_once(' ')?;
    let (port, rest) = rest.trim_start().split_once(' ')?;
    let port = port.split('/').next()?.parse().ok()?;
    let (protocol, formats) = rest.trim_start().split_once(' ')?;
    Some(MediaLine {
        kind,
        port,
        protocol,
        formats: formats.trim(),
        connection: None,
        maps: Vec::new(),
        direction: None,
        ptime_ms: None,
        rtcp_port: None,
        rtcp_mux: false,
        crypto: Vec::new(),
    })
}

/// The most `rtpmap` or `crypto` lines kept for one media line.
const MAX_ATTRIBUTES: usize = 64;

fn attribute<'a>(found: &mut Description<'a>, value: &'a str) {
    let (name, value) = value.split_once(':').unwrap_or((value, ""));
    let direction = match name {
        "sendrecv" => Some(Direction::SendRecv),
        "sendonly" => Some(Direction::SendOnly),
        "recvonly" => Some(Direction::RecvOnly),
        "inactive" => Some(Direction::Inactive),
        _ => None,
    };
    let Some(media) = found.media.last_mut() else {
        found.direction = direction.or(found.direction);
        return;
    };
    if direction.is_some() {
        media.direction = direction;
        return;
    }
    match name {
        "rtpmap" => {
            if let Some((t, encoding)) = value.split_once(' ')
                && let Ok(t) = t.trim().parse()
                && media.maps.len() < MAX_ATTRIBUTES
            {
                media.maps.push((t, encoding.trim()));
            }
        }
        "ptime" => media.ptime_ms = value.trim().parse().ok(),
        "rtcp" => media.rtcp_port = value.split_ascii_whitespace().next().and_then(|p| p.parse().ok()),
        "rtcp-mux" => media.rtcp_mux = true,
        "crypto" => {
            let mut parts = value.split_ascii_whitespace();
            if let (Some(tag), Some(suite), Some(key)) = (parts.next(), parts.next(), parts.next())
                && let Some(key) = key.strip_prefix("inline:")
                && media.crypto.len() < MAX_ATTRIBUTES
            {
                media.crypto.push(Crypto { tag, suite, key: key.split(['|', ';']).next().unwrap_or_default() });
            }
        }
        _ => {}
    }
}
