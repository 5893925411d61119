//! Clips: decoded audio, ready to be played in either codec.

use super::g711;
use crate::sdp::Codec;

/// Samples per second of everything inside.
pub const RATE: u32 = 8000;

/// A piece of audio: 8 kHz, one channel, with both encodings made once.
#[derive(Clone, Debug, Default)]
pub struct Clip {
    samples: Box<[i16]>,
    ulaw: Box<[u8]>,
    alaw: Box<[u8]>,
}

impl Clip {
    /// A clip of samples at 8 kHz.
    #[must_use]
    pub fn from_samples(samples: Vec<i16>) -> Self {
        let ulaw = samples.iter().map(|&s| g711::ulaw_encode(s)).collect();
        let alaw = samples.iter().map(|&s| g711::alaw_encode(s)).collect();
        Self { samples: samples.into(), ulaw, alaw }
    }

    /// The samples.
    #[must_use]
    pub const fn samples(&self) -> &[i16] {
        &self.samples
    }

    /// The samples encoded.
    #[must_use]
    pub const fn encoded(&self, codec: Codec) -> &[u8] {
        match codec {
            Codec::Pcmu => &self.ulaw,
            Codec::Pcma => &self.alaw,
        }
    }

    /// How long it plays, in milliseconds.
    #[must_use]
    pub const fn length_ms(&self) -> usize {
        self.samples.len() / 8
    }
}
