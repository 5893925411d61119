//! Uploaded sound: WAV files that a telephone can play, checked before they are kept.

use serde::{Deserialize, Serialize};

use crate::document::Document;
use crate::storage::Kind;

/// How sound is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// Linear, 16 bits.
    Pcm16,
    /// G.711 µ-law.
    Ulaw,
    /// G.711 A-law.
    Alaw,
}

/// What is known of uploaded sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Recording {
    /// How it is written.
    pub encoding: Encoding,
    /// Samples a second.
    pub rate_hz: u32,
    /// How long it lasts, in milliseconds.
    pub length_ms: u64,
}

/// The bytes of uploaded sound: the WAV file as it came, in Base64.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AudioData {
    /// The recording's number.
    pub id: u64,
    /// The file.
    pub base64: String,
}

impl Document for AudioData {
    const KIND: Kind = "audio-data";

    fn id(&self) -> u64 {
        self.id
    }
}

/// Why a file cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WavError {
    /// It is none.
    #[error("this is no WAV file: it must begin with RIFF and WAVE")]
    NotWav,
    /// A part is missing or cut off.
    #[error("the WAV file has no whole {0:?} chunk")]
    Missing(&'static str),
    /// It has more than one channel.
    #[error("the file has {0} channels: one (mono) is right")]
    Channels(u16),
    /// Its rate is not a telephone's.
    #[error("the file has {0} samples a second: 8000 or 16000 are right")]
    Rate(u32),
    /// Its encoding is none that we play.
    #[error(
        "the file's encoding (format {format}, {bits} bits) cannot be played: 16-bit PCM, or G.711 µ-law or A-law at 8000 Hz"
    )]
    Encoding {
        /// The format's number (RFC 2361).
        format: u16,
        /// Bits of a sample.
        bits: u16,
    },
    /// There is no sound in it.
    #[error("the file holds no sound")]
    Empty,
}

/// Reads what a WAV file is (RIFF; formats by RFC 2361), and where its samples are.
///
/// # Errors
/// Why it cannot be played.
pub fn read_wav(file: &[u8]) -> Result<(Recording, std::ops::Range<usize>), WavError> {
    let word = |at: usize| file.get(at..at + 2).map(|bytes| u16::from_le_bytes([bytes[0], bytes[1]]));
    let long = |at: usize| file.get(at..at + 4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    if file.get(..4) != Some(b"RIFF") || file.get(8..12) != Some(b"WAVE") {
        return Err(WavError::NotWav);
    }
    let mut at = 12usize;
    let mut format = None;
    loop {
        let (Some(name), Some(size)) = (file.get(at..at + 4), long(at + 4)) else {
            return Err(WavError::Missing(if format.is_some() { "data" } else { "fmt " }));
        };
        let body = at + 8;
        let size = usize::try_from(size).map_err(|_| WavError::Missing("data"))?;
        match name {
            b"fmt " => {
                let missing = || WavError::Missing("fmt ");
                let mut tag = word(body).ok_or_else(missing)?;
                let channels = word(body + 2).ok_or_else(missing)?;
                let rate = long(body + 4).ok_or_else(missing)?;
                let bits = word(body + 14).ok_or_else(missing)?;
                if tag == 0xfffe && size >= 40 {
                    // Extensible: the first two bytes of the sub-format's GUID are the format.
                    tag = word(body + 24).ok_or_else(missing)?;
                }
                if channels != 1 {
                    return Err(WavError::Channels(channels));
                }
                if ![8_000, 16_000].contains(&rate) {
                    return Err(WavError::Rate(rate));
                }
                let encoding = match (tag, bits, rate) {
                    (1, 16, _) => Encoding::Pcm16,
                    (6, 8, 8_000) => Encoding::Alaw,
                    (7, 8, 8_000) => Encoding::Ulaw,
                    _ => return Err(WavError::Encoding { format: tag, bits }),
                };
                format = Some((encoding, rate));
            }
            b"data" => {
                let (encoding, rate_hz) = format.ok_or(WavError::Missing("fmt "))?;
                // Writers that stream leave the size at its greatest: the file's end is the sound's.
                let end = body.saturating_add(size).min(file.len());
                let sample = if encoding == Encoding::Pcm16 { 2 } else { 1 };
                let end = body + (end - body) / sample * sample;
                let samples = ((end - body) / sample) as u64;
                if samples == 0 {
                    return Err(WavError::Empty);
                }
                let recording = Recording { encoding, rate_hz, length_ms: samples * 1_000 / u64::from(rate_hz) };
                return Ok((recording, body..end));
            }
            _ => {}
        }
        // Chunks are padded to even length.
        at = body.saturating_add(size).saturating_add(size % 2);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(format: u16, channels: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
        let mut file = b"RIFF\0\0\0\0WAVELIST\x03\0\0\0abc\0fmt \x10\0\0\0".to_vec();
        for part in
            [&format.to_le_bytes()[..], &channels.to_le_bytes(), &rate.to_le_bytes(), &[0; 6], &bits.to_le_bytes()]
        {
            file.extend_from_slice(part);
        }
        file.extend_from_slice(b"data");
        file.extend_from_slice(&u32::try_from(data.len()).unwrap().to_le_bytes());
        file.extend_from_slice(data);
        file
    }

    #[test]
    fn what_a_telephone_can_play_is_taken_and_the_rest_says_why_not() {
        let (recording, samples) = read_wav(&wav(1, 1, 8_000, 16, &[0; 16_000])).unwrap();
        assert_eq!(recording, Recording { encoding: Encoding::Pcm16, rate_hz: 8_000, length_ms: 1_000 });
        assert_eq!(samples.len(), 16_000);
        assert_eq!(read_wav(&wav(7, 1, 8_000, 8, &[0; 800])).unwrap().0.length_ms, 100);
        assert_eq!(read_wav(&wav(6, 1, 8_000, 8, &[0; 800])).unwrap().0.encoding, Encoding::Alaw);
        assert_eq!(read_wav(&wav(1, 2, 8_000, 16, &[0; 8])), Err(WavError::Channels(2)));
        assert_eq!(read_wav(&wav(1, 1, 44_100, 16, &[0; 8])), Err(WavError::Rate(44_100)));
        assert_eq!(read_wav(&wav(3, 1, 8_000, 32, &[0; 8])), Err(WavError::Encoding { format: 3, bits: 32 }));
        assert_eq!(read_wav(&wav(1, 1, 8_000, 16, &[])), Err(WavError::Empty));
        assert_eq!(read_wav(b"ID3\x04 an mp3"), Err(WavError::NotWav));
        assert_eq!(read_wav(b"RIFF\0\0\0\0WAVE"), Err(WavError::Missing("fmt ")));
    }

    /// No file makes it fail otherwise than by an error: every cut, and every byte changed.
    #[test]
    fn no_file_makes_it_panic() {
        let file = wav(1, 1, 16_000, 16, &[1; 64]);
        for cut in 0..file.len() {
            let _ = read_wav(&file[..cut]);
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = file.clone();
                changed[cut] = value;
                let _ = read_wav(&changed);
            }
        }
    }
}
