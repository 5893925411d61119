//! Who is heard: every party and every recording of a run has a chord of its own, so that a customer knows by ear whether
//! music plays, which menu asks, and that an operator speaks.
//!
//! A chord is two sines of equal strength. Their frequencies are multiples of 50 Hz, so that a frame of 20 ms holds whole
//! periods: all frames of one chord are the same bytes, and a frame is known by comparing it with the one before.

use std::f64::consts::TAU;
use std::sync::OnceLock;

use callfloor_sip::media::g711;
use callfloor_sip::sdp::Codec;

/// Samples of a frame of 20 ms.
pub const FRAME: usize = 160;
const RATE: f64 = 8_000.0;
/// The lower and the upper sine, in hertz. No two differences or multiples coincide with another of the list within 50 Hz.
const LOW: [u16; 8] = [600, 700, 800, 900, 1_000, 1_100, 1_200, 1_300];
const HIGH: [u16; 8] = [1_700, 1_800, 1_900, 2_000, 2_100, 2_200, 2_300, 2_400];
/// Amplitude of each sine: loud enough against any codec, soft enough that two never clip.
const AMPLITUDE: f64 = 6_000.0;
/// A frame with a mean square below this is silence.
const SILENCE: f64 = 10_000.0;
/// Each sine of a chord has half of the energy; less than this is another sound.
const SHARE: f64 = 0.3;

/// What a frame sounds like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Voice {
    /// Hold and queue music.
    Music,
    /// A played operator.
    Operator,
    /// A played customer.
    Customer,
    /// A party outside that was called by the floor.
    Outside,
    /// A recording of the prepared service, by its number.
    Prompt(u8),
    /// Another sound.
    Unknown,
    /// Nothing.
    Silence,
}

/// How many recordings can be told apart.
pub const PROMPTS: usize = LOW.len() * HIGH.len() - 4;

impl Voice {
    fn chord(self) -> Option<usize> {
        match self {
            Self::Music => Some(0),
            Self::Operator => Some(1),
            Self::Customer => Some(2),
            Self::Outside => Some(3),
            Self::Prompt(number) => Some(4 + usize::from(number)).filter(|chord| *chord < 4 + PROMPTS),
            Self::Unknown | Self::Silence => None,
        }
    }

    fn of_chord(chord: usize) -> Self {
        match chord {
            0 => Self::Music,
            1 => Self::Operator,
            2 => Self::Customer,
            3 => Self::Outside,
            other => u8::try_from(other - 4).map_or(Self::Unknown, Self::Prompt),
        }
    }

    /// `samples` samples of this voice; silence for one without a chord.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "two amplitudes of 6000 fit in 16 bits")]
    pub fn samples(self, samples: usize) -> Vec<i16> {
        let Some(chord) = self.chord() else { return vec![0; samples] };
        let (low, high) = (f64::from(LOW[chord / HIGH.len()]), f64::from(HIGH[chord % HIGH.len()]));
        let at = |n: usize| {
            let t = n as f64 / RATE;
            (AMPLITUDE * ((TAU * low * t).sin() + (TAU * high * t).sin())) as i16
        };
        (0..samples).map(at).collect()
    }

    /// One frame of this voice, encoded.
    #[must_use]
    pub fn frame(self, codec: Codec) -> &'static [u8; FRAME] {
        static FRAMES: OnceLock<Vec<[[u8; FRAME]; 2]>> = OnceLock::new();
        let frames = FRAMES.get_or_init(|| {
            let encode = |samples: &[i16], law: fn(i16) -> u8| {
                let mut frame = [0; FRAME];
                frame.iter_mut().zip(samples).for_each(|(byte, sample)| *byte = law(*sample));
                frame
            };
            let mut frames: Vec<_> = (0..4 + PROMPTS)
                .map(|chord| Self::of_chord(chord).samples(FRAME))
                .map(|samples| [encode(&samples, g711::ulaw_encode), encode(&samples, g711::alaw_encode)])
                .collect();
            let quiet = [0; FRAME];
            frames.push([encode(&quiet, g711::ulaw_encode), encode(&quiet, g711::alaw_encode)]);
            frames
        });
        let place = self.chord().unwrap_or(frames.len() - 1);
        match codec {
            Codec::Pcmu => &frames[place][0],
            Codec::Pcma => &frames[place][1],
        }
    }
}

/// A WAV file (8 kHz, 16 bits, one channel) of a voice, `length_us` long; at least one frame.
#[must_use]
pub fn wav(voice: Voice, length_us: u64) -> Vec<u8> {
    let samples = usize::try_from(length_us / 125).unwrap_or(usize::MAX / 4).max(FRAME);
    let data = voice.samples(samples);
    let bytes = u32::try_from(data.len() * 2).expect("less than half a day of sound");
    let mut out = Vec::with_capacity(44 + data.len() * 2);
    out.extend_from_slice(b"RIFF");
    out.extend_from_slice(&(36 + bytes).to_le_bytes());
    out.extend_from_slice(b"WAVEfmt ");
    for number in [16_u32, 1 | 1 << 16, 8_000, 16_000, 2 | 16 << 16] {
        out.extend_from_slice(&number.to_le_bytes());
    }
    out.extend_from_slice(b"data");
    out.extend_from_slice(&bytes.to_le_bytes());
    data.iter().for_each(|sample| out.extend_from_slice(&sample.to_le_bytes()));
    out
}

/// Recognises voices in a stream of frames.
#[derive(Debug, Clone)]
pub struct Ear {
    last: [u8; FRAME],
    length: usize,
    heard: Voice,
}

impl Default for Ear {
    fn default() -> Self {
        Self { last: [0; FRAME], length: 0, heard: Voice::Silence }
    }
}

impl Ear {
    /// What this payload sounds like.
    pub fn hear(&mut self, payload: &[u8], codec: Codec) -> Voice {
        let piece = &payload[..payload.len().min(FRAME)];
        if piece.len() == self.length && *piece == self.last[..piece.len()] {
            return self.heard;
        }
        self.last[..piece.len()].copy_from_slice(piece);
        self.length = piece.len();
        self.heard = recognise(piece, codec);
        self.heard
    }
}

/// What some samples sound like.
fn recognise(payload: &[u8], codec: Codec) -> Voice {
    if payload.is_empty() {
        return Voice::Silence;
    }
    let decode = match codec {
        Codec::Pcmu => g711::ulaw_decode,
        Codec::Pcma => g711::alaw_decode,
    };
    let mut samples = [0.0_f64; FRAME];
    let samples = &mut samples[..payload.len().min(FRAME)];
    samples.iter_mut().zip(payload).for_each(|(sample, byte)| *sample = f64::from(decode(*byte)));
    let energy: f64 = samples.iter().map(|sample| sample * sample).sum();
    let n = samples.len() as f64;
    if energy < SILENCE * n {
        return Voice::Silence;
    }
    // The share of the energy in a sine: 2·|X|² ÷ (n·energy).
    let loudest = |frequencies: &[u16; 8]| {
        let shares = frequencies.iter().map(|hz| 2.0 * power(samples, f64::from(*hz)) / (n * energy));
        shares.enumerate().max_by(|a, b| a.1.total_cmp(&b.1)).filter(|(_, share)| *share > SHARE)
    };
    match (loudest(&LOW), loudest(&HIGH)) {
        (Some((low, _)), Some((high, _))) => Voice::of_chord(low * HIGH.len() + high),
        _ => Voice::Unknown,
    }
}

/// |X|² at one frequency: G. Goertzel, "An algorithm for the evaluation of finite trigonometric series", 1958.
fn power(samples: &[f64], hz: f64) -> f64 {
    let turn = 2.0 * (TAU * hz / RATE).cos();
    let (mut one, mut two) = (0.0, 0.0);
    for sample in samples {
        (one, two) = (sample + turn * one - two, one);
    }
    one * one + two * two - turn * one * two
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Voice> {
        (0..4 + PROMPTS).map(Voice::of_chord)
    }

    /// Every voice is known by its frame, in both codecs, at any phase, at half and double loudness, and with noise on it.
    #[test]
    fn every_voice_is_recognised() {
        for codec in [Codec::Pcmu, Codec::Pcma] {
            for voice in all() {
                assert_eq!(Ear::default().hear(voice.frame(codec), codec), voice);
            }
        }
        let mut seed = 1_u32;
        for voice in all() {
            let samples = voice.samples(FRAME + 77);
            for (from, gain) in [(1, 0.5), (33, 1.0), (77, 1.6)] {
                let bytes: Vec<u8> = samples[from..from + FRAME]
                    .iter()
                    .map(|sample| {
                        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                        let noise = f64::from(seed >> 16) / 65_536.0 * 1_000.0 - 500.0;
                        #[expect(clippy::cast_possible_truncation, reason = "saturates")]
                        g711::ulaw_encode((f64::from(*sample) * gain + noise) as i16)
                    })
                    .collect();
                assert_eq!(Ear::default().hear(&bytes, Codec::Pcmu), voice, "from {from}, gain {gain}");
            }
        }
    }

    #[test]
    fn what_is_no_chord_is_none() {
        let mut ear = Ear::default();
        assert_eq!(ear.hear(Voice::Silence.frame(Codec::Pcmu), Codec::Pcmu), Voice::Silence);
        assert_eq!(ear.hear(&[], Codec::Pcmu), Voice::Silence);
        let sine: Vec<u8> = (0..160).map(|n| g711::ulaw_encode([0, 8_000, 0, -8_000][n % 4])).collect();
        assert_eq!(ear.hear(&sine, Codec::Pcmu), Voice::Unknown);
        let mut seed = 7_u32;
        let noise: Vec<u8> = (0..160)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                seed.to_le_bytes()[2]
            })
            .collect();
        assert_eq!(ear.hear(&noise, Codec::Pcmu), Voice::Unknown);
    }

    #[test]
    fn a_frame_is_a_whole_number_of_periods() {
        let long = Voice::Prompt(9).samples(FRAME * 3);
        for at in 0..FRAME {
            assert!((i32::from(long[at]) - i32::from(long[at + FRAME])).abs() <= 1);
        }
    }

    #[test]
    fn a_file_is_as_long_as_it_says() {
        let file = wav(Voice::Prompt(3), 1_000_000);
        assert_eq!(file.len(), 44 + 16_000);
        assert_eq!(&file[..4], b"RIFF");
        assert_eq!(file[40..44], 16_000_u32.to_le_bytes());
    }
}
