//! Tones that are made, not recorded: nothing has to be installed for a caller to hear something.

use super::wav::round;
use super::{Clip, RATE};
use std::f64::consts::TAU;

fn count(ms: u32) -> u32 {
    ms * (RATE / 1000)
}

fn silence(out: &mut Vec<i16>, ms: u32) {
    out.extend((0..count(ms)).map(|_| 0));
}

/// Sines of these frequencies together, with a rise and fall of 5 ms against clicks.
fn sines(out: &mut Vec<i16>, frequencies: &[f64], level: f64, ms: u32) {
    let total = count(ms);
    let edge = f64::from(count(5).min(total / 2).max(1));
    for n in 0..total {
        let t = f64::from(n) / f64::from(RATE);
        let sum: f64 = frequencies.iter().map(|hz| (TAU * hz * t).sin()).sum();
        let ramp = (f64::from(n) / edge).min(f64::from(total - n) / edge).min(1.0);
        out.push(round(level * ramp * sum));
    }
}

impl Clip {
    /// Ring-back as in Japan: 400 Hz with 16 Hz on it, one second on and two off.
    #[must_use]
    pub fn ring_back() -> Self {
        let mut out = Vec::new();
        for n in 0..count(1000) {
            let t = f64::from(n) / f64::from(RATE);
            let swell = 0.75 + 0.25 * (TAU * 16.0 * t).sin();
            let edge = (f64::from(n.min(count(1000) - n)) / 80.0).min(1.0);
            out.push(round(5_000.0 * edge * swell * (TAU * 400.0 * t).sin()));
        }
        silence(&mut out, 2000);
        Self::from_samples(out)
    }

    /// Busy as in Japan: 400 Hz, half a second on and half off.
    #[must_use]
    pub fn busy() -> Self {
        let mut out = Vec::new();
        sines(&mut out, &[400.0], 5_000.0, 500);
        silence(&mut out, 500);
        Self::from_samples(out)
    }

    /// A beep of 1 kHz.
    #[must_use]
    pub fn beep() -> Self {
        let mut out = Vec::new();
        sines(&mut out, &[1000.0], 8_000.0, 300);
        Self::from_samples(out)
    }

    /// Hold music for those who have none: a slow sequence of broken chords on soft bells, 9.6 seconds long.
    #[must_use]
    pub fn hold_music() -> Self {
        // C, a minor, F and G, as broken chords.
        const CHORDS: [[f64; 4]; 4] = [
            [261.63, 329.63, 392.00, 523.25],
            [220.00, 261.63, 329.63, 440.00],
            [174.61, 261.63, 349.23, 440.00],
            [196.00, 246.94, 392.00, 493.88],
        ];
        const NOTE_MS: u32 = 300;
        const ORDER: [usize; 8] = [0, 1, 2, 3, 2, 1, 2, 1];
        let mut mixed = vec![0.0_f64; usize::try_from(count(NOTE_MS) * 32).unwrap_or(0)];
        let length = mixed.len();
        let mut begin = 0;
        for chord in CHORDS {
            for step in ORDER {
                let hz = chord[step];
                // Each note rings on over the next ones, and over the end into the beginning.
                for n in 0..count(NOTE_MS * 4) {
                    let t = f64::from(n) / f64::from(RATE);
                    let fade = (-3.5 * t).exp() * (f64::from(n) / 40.0).min(1.0);
                    let bell =
                        (TAU * hz * t).sin() + 0.3 * (TAU * 2.0 * hz * t).sin() + 0.08 * (TAU * 3.0 * hz * t).sin();
                    let at = (begin + usize::try_from(n).unwrap_or(0)) % length;
                    mixed[at] += 3_600.0 * fade * bell;
                }
                begin += usize::try_from(count(NOTE_MS)).unwrap_or(0);
            }
        }
        Self::from_samples(mixed.into_iter().map(round).collect())
    }

    /// The two tones of a key (ITU-T Q.23), 100 ms long, for lines that only hear tones.
    #[must_use]
    pub fn key_tone(key: char) -> Option<Self> {
        const LOW: [f64; 4] = [697.0, 770.0, 852.0, 941.0];
        const HIGH: [f64; 4] = [1209.0, 1336.0, 1477.0, 1633.0];
        let at = "123A456B789C*0#D".chars().position(|k| k == key.to_ascii_uppercase())?;
        let mut out = Vec::new();
        sines(&mut out, &[LOW[at / 4], HIGH[at % 4]], 6_000.0, 100);
        Some(Self::from_samples(out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_and_levels() {
        assert_eq!(Clip::ring_back().length_ms(), 3000);
        assert_eq!(Clip::hold_music().length_ms(), 9600);
        assert!(Clip::key_tone('x').is_none());
        for clip in [Clip::ring_back(), Clip::busy(), Clip::beep(), Clip::hold_music(), Clip::key_tone('5').unwrap()] {
            let peak = clip.samples().iter().map(|s| s.unsigned_abs()).max().unwrap();
            assert!((4_000..25_000).contains(&peak), "{peak}");
        }
    }
}
