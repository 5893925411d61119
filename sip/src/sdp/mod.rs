//! Session descriptions (RFC 8866) and offer/answer (RFC 3264) for telephone audio.
//!
//! G.711 µ-law and A-law, telephone events (RFC 4733), directions, packet time, and SRTP keys in the description
//! (SDES, RFC 4568, `AES_CM_128_HMAC_SHA1_80`). What cannot be spoken is refused with a reason, for a 488.

mod parse;
mod session;

pub use parse::{Crypto, Description, MediaLine, Profile};
pub use session::{Agreed, Local, SrtpKey};

use std::fmt;

/// A codec that we speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// G.711 µ-law, payload type 0.
    Pcmu,
    /// G.711 A-law, payload type 8.
    Pcma,
}

impl Codec {
    /// Its static payload type (RFC 3551).
    #[must_use]
    pub const fn payload_type(self) -> u8 {
        match self {
            Self::Pcmu => 0,
            Self::Pcma => 8,
        }
    }

    /// Its name in `rtpmap`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pcmu => "PCMU",
            Self::Pcma => "PCMA",
        }
    }
}

/// Why a description cannot be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SdpError {
    /// It cannot be read.
    Syntax {
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It has no audio that is not switched off.
    NoAudio,
    /// Its audio has no codec of ours.
    NoCommonCodec,
    /// Its audio is on a profile that we do not speak, or must not (encryption required).
    Profile {
        /// The profile.
        offered: String,
    },
    /// Encryption was offered with no suite of ours.
    NoCommonCrypto,
    /// The address is missing or is a name.
    Address,
    /// The answer does not fit the offer.
    NotOurOffer {
        /// What does not fit.
        what: &'static str,
    },
}

impl fmt::Display for SdpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax { line, what } => write!(f, "line {line}: {what}"),
            Self::NoAudio => f.write_str("no audio is offered"),
            Self::NoCommonCodec => f.write_str("no common codec: PCMU and PCMA are spoken here"),
            Self::Profile { offered } => write!(f, "the profile {offered} is not accepted here"),
            Self::NoCommonCrypto => f.write_str("no common crypto suite: AES_CM_128_HMAC_SHA1_80 is spoken here"),
            Self::Address => f.write_str("the connection address is not an IP address"),
            Self::NotOurOffer { what } => write!(f, "the answer does not fit the offer: {what}"),
        }
    }
}

impl std::error::Error for SdpError {}
