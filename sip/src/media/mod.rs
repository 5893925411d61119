//! Media: what the host orders of audio, behind a trait.
//!
//! [`Media`] is what a server needs: sessions with SDP, sources that a session hears, mixes, keys, recordings.
//! [`MediaEngine`] is the one that is built in: an RTP relay, player and mixer on one thread. Another (an external relay) can
//! take its place behind the same trait.

mod clip;
mod engine;
pub mod g711;
mod jitter;
mod mix;
mod recorder;
pub mod rtcp;
pub mod rtp;
mod session;
pub mod srtp;
mod tones;
mod wav;
mod worker;

pub use clip::{Clip, RATE};
pub use engine::{MediaConfig, MediaEngine, MediaEvents};
pub use wav::WavError;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A session: one leg's audio.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub(crate) u64);

/// A mix: several sessions that hear each other by a matrix of gains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MixId(pub(crate) u64);

/// The way that audio may flow, seen from us.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Both ways.
    #[default]
    SendRecv,
    /// We send only: the peer is on hold and may hear music.
    SendOnly,
    /// We receive only.
    RecvOnly,
    /// Neither.
    Inactive,
}

/// Whether audio is encrypted (SRTP by SDES, RFC 4568).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Encryption {
    /// Offers plain RTP; answers SRTP where it is offered.
    #[default]
    IfOffered,
    /// Offers SRTP only, and refuses plain offers.
    Required,
}

/// How to open a session.
#[derive(Clone, Debug, Default)]
pub struct SessionOptions {
    /// Encryption.
    pub encryption: Encryption,
    /// Takes the first source that sends, whatever the description says, and only that one from then on: for phones behind an
    /// address translator. Otherwise the source must have the negotiated address; its port may differ.
    pub any_source_once: bool,
}

/// What a session hears.
#[derive(Clone, Debug, Default)]
pub enum Source {
    /// Nothing is sent.
    #[default]
    Silence,
    /// Another session's audio. For a bridge, each of two hears the other.
    Peer(SessionId),
    /// A clip, once ([`MediaEvent::ClipFinished`] follows) or over and over.
    Clip {
        /// What to play.
        clip: Arc<Clip>,
        /// Whether it begins again at its end.
        repeat: bool,
    },
    /// What the matrix of a mix gives it.
    Mix(MixId),
}

/// A recording to a WAV file (8 kHz, 16 bits, one channel) of what the session's peer says.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The file, which must not exist.
    pub path: PathBuf,
    /// The longest recording.
    pub limit: Duration,
    /// Stops after so long a silence, if given.
    pub silence: Option<Duration>,
    /// A key that stops it, if given.
    pub stop_key: Option<char>,
}

/// Why a recording is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingEnd {
    /// The host stopped it, or the session was closed.
    Stopped,
    /// It reached its limit.
    Limit,
    /// Nothing was said for long.
    Silence,
    /// The stop key was pressed.
    Key,
    /// The file could not be written.
    Failed,
}

/// A fact about audio.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaEvent {
    /// A key was pressed (RFC 4733), once for each press.
    Dtmf {
        /// On which session.
        session: SessionId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        key: char,
        /// How long it was held.
        duration: Duration,
    },
    /// A clip that was to be played once is over.
    ClipFinished {
        /// On which session.
        session: SessionId,
    },
    /// A recording is over.
    RecordingEnded {
        /// On which session.
        session: SessionId,
        /// How long it is.
        length: Duration,
        /// Why.
        end: RecordingEnd,
    },
    /// The peer's audio came, for the first time.
    FirstPacket {
        /// On which session.
        session: SessionId,
    },
    /// No audio came for the time set in [`MediaConfig`], though it should.
    Quiet {
        /// On which session.
        session: SessionId,
    },
}

/// Counts of one session.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Statistics {
    /// Packets received from the peer.
    pub received: u64,
    /// Packets sent to it.
    pub sent: u64,
    /// Packets expected by sequence number and not received (RFC 3550 appendix A.3).
    pub lost: u64,
    /// Interarrival jitter (RFC 3550 section 6.4.1), in milliseconds.
    pub jitter_ms: f64,
    /// Packets from elsewhere than the negotiated peer, which were dropped.
    pub foreign: u64,
    /// Packets that were no RTP, of an unknown payload type, or whose encryption was wrong.
    pub malformed: u64,
    /// Round trip by RTCP, in milliseconds, once known.
    pub round_trip_ms: Option<f64>,
    /// The share lost of what we sent, as the peer's last report says.
    pub peer_lost_share: Option<f64>,
}

/// Why media cannot do what was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MediaError {
    /// No free port pair in the range.
    NoPorts,
    /// The session or mix is gone.
    Unknown,
    /// The SDP cannot be accepted: answer 488 with this reason.
    Sdp(crate::sdp::SdpError),
    /// There are as many sessions as may be.
    TooMany,
    /// A file or socket failed.
    Io(String),
}

impl fmt::Display for MediaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoPorts => f.write_str("no free pair of RTP ports"),
            Self::Unknown => f.write_str("no such media session"),
            Self::Sdp(error) => write!(f, "the session description cannot be accepted: {error}"),
            Self::TooMany => f.write_str("too many media sessions"),
            Self::Io(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for MediaError {}

impl From<crate::sdp::SdpError> for MediaError {
    fn from(error: crate::sdp::SdpError) -> Self {
        Self::Sdp(error)
    }
}

/// What a host needs of media. No method waits for the network.
pub trait Media: Send + Sync + fmt::Debug {
    /// Opens a session with ports of its own.
    ///
    /// # Errors
    /// If no ports are free.
    fn open(&self, options: &SessionOptions) -> Result<SessionId, MediaError>;

    /// Our offer: the first one, or a new one in mid-call, with the present [`Direction`].
    ///
    /// # Errors
    /// If the session is gone.
    fn offer(&self, session: SessionId) -> Result<String, MediaError>;

    /// Answers the peer's offer, first or later. The peer's direction is honoured: an offer to hold is answered so.
    ///
    /// # Errors
    /// If nothing in the offer can be spoken; the session stays as it was.
    fn answer(&self, session: SessionId, offer: &str) -> Result<String, MediaError>;

    /// Takes the peer's answer to our last offer.
    ///
    /// # Errors
    /// If it does not fit the offer; the session stays as it was.
    fn accept(&self, session: SessionId, answer: &str) -> Result<(), MediaError>;

    /// The direction that our next offer or answer states: `SendOnly` puts the peer on hold.
    ///
    /// # Errors
    /// If the session is gone.
    fn set_direction(&self, session: SessionId, direction: Direction) -> Result<(), MediaError>;

    /// What the session hears from now on.
    ///
    /// # Errors
    /// If the session, the other session or the mix is gone.
    fn hear(&self, session: SessionId, source: Source) -> Result<(), MediaError>;

    /// Sends a key to the session's peer by RFC 4733, beside whatever it hears.
    ///
    /// # Errors
    /// If the session is gone.
    fn press(&self, session: SessionId, key: char, duration: Duration) -> Result<(), MediaError>;

    /// Opens a mix.
    ///
    /// # Errors
    /// If there are too many.
    fn open_mix(&self) -> Result<MixId, MediaError>;

    /// How loud a listener hears a speaker in a mix: 1 as it is, 0 not at all. Members hear each other at 1 unless told;
    /// nobody hears themselves. Listening in is a row that nobody hears; whispering is one listener.
    ///
    /// # Errors
    /// If the mix is gone, or the gain is not in 0 to 4.
    fn gain(&self, mix: MixId, speaker: SessionId, listener: SessionId, gain: f32) -> Result<(), MediaError>;

    /// Closes a mix; its members hear nothing until told otherwise.
    fn close_mix(&self, mix: MixId);

    /// Records what the session's peer says.
    ///
    /// # Errors
    /// If the session is gone, or the file exists or cannot be made.
    fn record(&self, session: SessionId, recording: Recording) -> Result<(), MediaError>;

    /// Stops a recording; [`MediaEvent::RecordingEnded`] follows.
    fn stop_recording(&self, session: SessionId);

    /// The session's counts so far.
    fn statistics(&self, session: SessionId) -> Option<Statistics>;

    /// Closes a session, with its final counts.
    fn close(&self, session: SessionId) -> Option<Statistics>;
}
