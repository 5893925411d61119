//! WAV files: reading announcements and music, writing recordings.

use super::{Clip, RATE, g711};
use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

/// The longest clip, in seconds.
const MAX_CLIP_S: usize = 3600;

/// Why a file is no clip.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WavError {
    /// It cannot be read.
    Io(String),
    /// It is no WAV file, or cut short.
    Format(&'static str),
    /// It is a WAV file of a kind that is not played here.
    Unsupported {
        /// The format code: 1 for PCM, 6 for A-law, 7 for µ-law.
        format: u16,
        /// Channels.
        channels: u16,
        /// Samples per second.
        rate: u32,
        /// Bits per sample.
        bits: u16,
    },
    /// It is longer than an hour.
    TooLong,
}

impl fmt::Display for WavError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(what) => f.write_str(what),
            Self::Format(what) => write!(f, "no usable WAV file: {what}"),
            Self::Unsupported { format, channels, rate, bits } => write!(
                f,
                "a WAV file of format {format} with {channels} channels, {rate} Hz and {bits} bits: \
                 wanted is 16-bit PCM or 8-bit G.711, 8,000 to 48,000 Hz, one or two channels"
            ),
            Self::TooLong => f.write_str("the clip is longer than an hour"),
        }
    }
}

impl std::error::Error for WavError {}

impl Clip {
    /// Reads a WAV file: 16-bit PCM or 8-bit G.711, one or two channels, resampled to 8 kHz.
    ///
    /// # Errors
    /// If it cannot be read or is of another kind.
    pub fn from_wav_file(path: &Path) -> Result<Self, WavError> {
        let bytes = std::fs::read(path).map_err(|e| WavError::Io(format!("{}: {e}", path.display())))?;
        Self::from_wav(&bytes)
    }

    /// Reads the bytes of a WAV file.
    ///
    /// # Errors
    /// As [`Clip::from_wav_file`].
    pub fn from_wav(bytes: &[u8]) -> Result<Self, WavError> {
        if bytes.get(..4) != Some(b"RIFF") || bytes.get(8..12) != Some(b"WAVE") {
            return Err(WavError::Format("it does not begin with RIFF and WAVE"));
        }
        let mut rest = &bytes[12..];
        let mut format = None;
        while let Some((head, body)) = rest.split_at_checked(8) {
            let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            // Recorders that were cut off leave a length that is too long, or none.
            let chunk = &body[..length.min(body.len())];
            match &head[..4] {
                b"fmt " => format = Some(Format::read(chunk).ok_or(WavError::Format("its format is cut short"))?),
                b"data" => {
                    let format = format.ok_or(WavError::Format("its data come before its format"))?;
                    return format.decode(chunk);
                }
                _ => {}
            }
            rest = body.get(length.saturating_add(length % 2)..).unwrap_or_default();
        }
        Err(WavError::Format("it has no data"))
    }
}

#[derive(Clone, Copy)]
struct Format {
    format: u16,
    channels: u16,
    rate: u32,
    bits: u16,
}

impl Format {
    fn read(chunk: &[u8]) -> Option<Self> {
        let u16_at = |at: usize| Some(u16::from_le_bytes(chunk.get(at..at + 2)?.try_into().ok()?));
        let rate = u32::from_le_bytes(chunk.get(4..8)?.try_into().ok()?);
        let mut format = u16_at(0)?;
        if format == 0xfffe {
            // Extensible: the real code begins the sub-format.
            format = u16_at(24)?;
        }
        Some(Self { format, channels: u16_at(2)?, rate, bits: u16_at(14)? })
    }

    fn decode(self, data: &[u8]) -> Result<Clip, WavError> {
        let Self { format, channels, rate, bits } = self;
        let known = matches!((format, bits), (1, 16) | (6 | 7, 8));
        if !known || !(1..=2).contains(&channels) || !(RATE..=48_000).contains(&rate) {
            return Err(WavError::Unsupported { format, channels, rate, bits });
        }
        let frame = usize::from(channels) * usize::from(bits) / 8;
        let seconds = data.len() / frame / usize::try_from(rate).unwrap_or(1);
        if seconds > MAX_CLIP_S {
            return Err(WavError::TooLong);
        }
        let sample = |bytes: &[u8]| match (format, bytes) {
            (6, [byte]) => alaw(*byte),
            (7, [byte]) => g711::ulaw_decode(*byte),
            (_, [low, high]) => i16::from_le_bytes([*low, *high]),
            _ => 0,
        };
        let one = usize::from(bits) / 8;
        let mono: Vec<i16> = data
            .chunks_exact(frame)
            .map(|f| {
                let sum: i32 = f.chunks_exact(one).map(|s| i32::from(sample(s))).sum();
                clamp(sum / i32::from(channels))
            })
            .collect();
        Ok(Clip::from_samples(resample(&mono, rate)))
    }
}

const fn alaw(byte: u8) -> i16 {
    g711::alaw_decode(byte)
}

/// The nearest 16-bit sample.
#[must_use]
pub(super) fn clamp(value: i32) -> i16 {
    i16::try_from(value.clamp(-32_768, 32_767)).unwrap_or(0)
}

/// Resamples to 8 kHz by a windowed sinc of 32 zero crossings, which cuts off what 8 kHz cannot hold.
fn resample(samples: &[i16], rate: u32) -> Vec<i16> {
    if rate == RATE {
        return samples.to_vec();
    }
    let ratio = f64::from(rate) / f64::from(RATE);
    // The pass band ends a little below the new Nyquist frequency.
    let cutoff = 0.95 / ratio;
    let half = (16.0 * ratio).ceil();
    let length = samples.len() * 8000 / usize::try_from(rate).unwrap_or(8000);
    let mut out = Vec::with_capacity(length);
    let weigh = |x: f64| {
        let window = 0.5 + 0.5 * (std::f64::consts::PI * x / half).cos();
        let phase = std::f64::consts::PI * x * cutoff;
        let sinc = if phase.abs() < 1e-9 { 1.0 } else { phase.sin() / phase };
        window * sinc
    };
    // Weights depend on where between two samples we are alone: at twice our rate that is always the same place.
    let mut weights = Vec::new();
    let mut weighed_for = f64::NAN;
    let mut position = 0.0_f64;
    for _ in 0..length {
        let first = (position - half).ceil();
        #[expect(clippy::float_cmp, reason = "the same place gives the same bits; any other is weighed anew")]
        if first - position != weighed_for {
            weighed_for = first - position;
            weights.clear();
            let mut x = weighed_for;
            while x <= half {
                weights.push(weigh(x));
                x += 1.0;
            }
        }
        let skipped = index(-first).unwrap_or(0);
        let from = index(first).unwrap_or(0);
        let used = weights.iter().skip(skipped);
        let (mut sum, mut weight) = (0.0, 0.0);
        for (at, &w) in used.enumerate() {
            weight += w;
            if let Some(&s) = samples.get(from + at) {
                sum += w * f64::from(s);
            }
        }
        out.push(round(if weight.abs() > 1e-9 { sum / weight } else { 0.0 }));
        position += ratio;
    }
    out
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked to be a small whole number")]
fn index(value: f64) -> Option<usize> {
    (0.0..1e9).contains(&value).then_some(value as usize)
}

/// The nearest 16-bit sample.
#[expect(clippy::cast_possible_truncation, reason = "clamped to the range")]
pub(super) fn round(value: f64) -> i16 {
    value.round().clamp(-32_768.0, 32_767.0) as i16
}

/// Writes a WAV file of 16-bit samples at 8 kHz as they come; [`WavWriter::finish`] puts the lengths in.
#[derive(Debug)]
pub(super) struct WavWriter {
    file: BufWriter<File>,
    bytes: u32,
}

impl WavWriter {
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        let mut writer = Self { file: BufWriter::with_capacity(1 << 16, file), bytes: 0 };
        writer.head()?;
        Ok(writer)
    }

    fn head(&mut self) -> io::Result<()> {
        let mut head = Vec::with_capacity(44);
        head.extend_from_slice(b"RIFF");
        head.extend_from_slice(&(self.bytes + 36).to_le_bytes());
        head.extend_from_slice(b"WAVEfmt ");
        head.extend_from_slice(&16_u32.to_le_bytes());
        for word in [1_u16, 1] {
            head.extend_from_slice(&word.to_le_bytes());
        }
        for word in [RATE, RATE * 2] {
            head.extend_from_slice(&word.to_le_bytes());
        }
        for word in [2_u16, 16] {
            head.extend_from_slice(&word.to_le_bytes());
        }
        head.extend_from_slice(b"data");
        head.extend_from_slice(&self.bytes.to_le_bytes());
        self.file.write_all(&head)
    }

    pub(super) fn write(&mut self, samples: &[i16]) -> io::Result<()> {
        let bytes: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
        self.bytes = self.bytes.saturating_add(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.file.write_all(&bytes)
    }

    pub(super) fn finish(mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.seek(SeekFrom::Start(0))?;
        self.head()?;
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wav(format: u16, rate: u32, bits: u16, data: &[u8]) -> Vec<u8> {
        let mut out = b"RIFF\0\0\0\0WAVEfmt ".to_vec();
        out.extend_from_slice(&16_u32.to_le_bytes());
        for word in [format, 1] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        for word in [rate, rate * u32::from(bits) / 8] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        for word in [bits / 8, bits] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(b"LIST\x03\0\0\0abc\0data");
        out.extend_from_slice(&u32::try_from(data.len()).unwrap().to_le_bytes());
        out.extend_from_slice(data);
        out
    }

    #[test]
    fn reads_pcm_and_g711_and_refuses_the_rest() {
        let pcm = wav(1, 8000, 16, &[1, 0, 255, 255]);
        assert_eq!(Clip::from_wav(&pcm).unwrap().samples(), [1, -1]);
        assert_eq!(Clip::from_wav(&wav(7, 8000, 8, &[0x80])).unwrap().samples(), [32_124]);
        assert_eq!(Clip::from_wav(&wav(6, 8000, 8, &[0xaa])).unwrap().samples(), [32_256]);
        assert!(matches!(Clip::from_wav(&wav(3, 8000, 32, &[])), Err(WavError::Unsupported { format: 3, .. })));
        for cut in 0..pcm.len() {
            // No panic on any prefix.
            let _ = Clip::from_wav(&pcm[..cut]);
        }
    }

    #[test]
    fn a_tone_keeps_its_height_when_resampled_and_an_alias_is_removed() {
        let tone = |hz: f64, n: u32| -> Vec<u8> {
            (0..n)
                .flat_map(|i| {
                    let phase = std::f64::consts::TAU * hz * f64::from(i) / 16_000.0;
                    round(10_000.0 * phase.sin()).to_le_bytes()
                })
                .collect()
        };
        let energy = |hz| {
            let clip = Clip::from_wav(&wav(1, 16_000, 16, &tone(hz, 16_000))).unwrap();
            assert_eq!(clip.samples().len(), 8000);
            let middle = &clip.samples()[500..7500];
            (middle.iter().map(|&s| f64::from(s).powi(2)).sum::<f64>() / 7000.0).sqrt()
        };
        let kept = energy(1000.0);
        assert!((kept - 7071.0).abs() < 100.0, "{kept}");
        let alias = energy(6000.0);
        assert!(alias < 100.0, "{alias}");
    }

    #[test]
    fn what_is_written_is_read() {
        let path = std::env::temp_dir().join(format!("callfloor-wav-{}.wav", std::process::id()));
        let samples: Vec<i16> = (0..1000).map(|n| n * 30).collect();
        let mut writer = WavWriter::create(&path).unwrap();
        writer.write(&samples).unwrap();
        writer.finish().unwrap();
        assert_eq!(Clip::from_wav_file(&path).unwrap().samples(), samples);
        assert!(WavWriter::create(&path).is_err());
        std::fs::remove_file(path).unwrap();
    }
}
