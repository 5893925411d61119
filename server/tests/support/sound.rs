//! What is heard in sound of 8,000 samples a second.
#![allow(unreachable_pub, reason = "a part of a test file")]

use std::f64::consts::TAU;

/// A tenth of a second.
const TENTH: usize = 800;

/// How loud a frequency is in a piece (Goertzel 1958).
fn of_piece(piece: &[i16], hz: f64) -> f64 {
    let turn = 2.0 * (TAU * hz / 8_000.0).cos();
    let (mut before, mut last) = (0.0, 0.0);
    for &sample in piece {
        (before, last) = (last, f64::from(sample) + turn * last - before);
    }
    let power: f64 = before * before + last * last - turn * before * last;
    power.max(0.0).sqrt() / 400.0
}

/// How loud a frequency is: in the middle one of tenths of a second, so that a packet that came late on a busy machine changes
/// nothing.
pub fn amplitude(heard: &[i16], hz: f64) -> f64 {
    let mut all: Vec<f64> = heard.chunks_exact(TENTH).map(|piece| of_piece(piece, hz)).collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(0.0)
}

/// How loud a frequency is at its loudest, of tenths of a second; as [`amplitude`] else.
#[allow(dead_code, reason = "each test file uses its own part")]
pub fn loudest(heard: &[i16], hz: f64) -> f64 {
    heard.chunks_exact(TENTH).map(|piece| of_piece(piece, hz)).fold(0.0, f64::max)
}
