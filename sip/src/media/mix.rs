//! Mixes: each member hears the others by a matrix of gains.

use super::jitter::FRAME;
use super::wav::clamp;
use std::collections::HashMap;

/// The gains of one mix that are not 1, in 256ths, by speaker and listener.
#[derive(Debug, Default)]
pub(super) struct Mix {
    /// Sessions in it, in the order in which they came.
    pub(super) members: Vec<u64>,
    gains: HashMap<(u64, u64), i32>,
}

impl Mix {
    pub(super) fn set_gain(&mut self, speaker: u64, listener: u64, gain: f32) {
        let scaled = i32::from(super::wav::round(f64::from(gain) * 256.0));
        if scaled == 256 {
            self.gains.remove(&(speaker, listener));
        } else {
            self.gains.insert((speaker, listener), scaled);
        }
    }

    /// Forgets the gains of a session that is closed.
    pub(super) fn forget(&mut self, session: u64) {
        self.members.retain(|&m| m != session);
        self.gains.retain(|(speaker, listener), _| *speaker != session && *listener != session);
    }

    /// What each member hears, given what each says: the sum of all less oneself, corrected by the gains that are not 1.
    pub(super) fn mix(&self, said: &[[i16; FRAME]], heard: &mut Vec<[i16; FRAME]>) {
        heard.clear();
        let mut sum = [0_i32; FRAME];
        for frame in said {
            for (total, &sample) in sum.iter_mut().zip(frame) {
                *total += i32::from(sample);
            }
        }
        for (at, &listener) in self.members.iter().enumerate().take(said.len()) {
            let mut mine = sum;
            for (total, &own) in mine.iter_mut().zip(&said[at]) {
                *total -= i32::from(own);
            }
            if !self.gains.is_empty() {
                for (from, &speaker) in self.members.iter().enumerate().take(said.len()) {
                    if let Some(gain) = self.gains.get(&(speaker, listener)).filter(|_| from != at) {
                        for (total, &sample) in mine.iter_mut().zip(&said[from]) {
                            *total += i32::from(sample) * (gain - 256) / 256;
                        }
                    }
                }
            }
            heard.push(mine.map(clamp));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(mix: &Mix, said: &[i16]) -> Vec<i16> {
        let said: Vec<_> = said.iter().map(|&s| [s; FRAME]).collect();
        let mut out = Vec::new();
        mix.mix(&said, &mut out);
        out.into_iter().map(|frame| frame[0]).collect()
    }

    #[test]
    fn everybody_hears_the_others_but_not_themselves() {
        let mix = Mix { members: vec![1, 2, 3], ..Mix::default() };
        assert_eq!(heard(&mix, &[1, 20, 300]), [320, 301, 21]);
        assert_eq!(heard(&mix, &[0, 30_000, 30_000]), [32_767, 30_000, 30_000]);
    }

    #[test]
    fn a_supervisor_listens_and_whispers() {
        let mut mix = Mix { members: vec![1, 2, 3], ..Mix::default() };
        // 3 listens: nobody hears 3.
        mix.set_gain(3, 1, 0.0);
        mix.set_gain(3, 2, 0.0);
        assert_eq!(heard(&mix, &[1, 20, 300]), [20, 1, 21]);
        // 3 whispers to 1, at half the level.
        mix.set_gain(3, 1, 0.5);
        assert_eq!(heard(&mix, &[1, 20, 300]), [170, 1, 21]);
        mix.forget(3);
        assert_eq!(mix.members, [1, 2]);
        assert!(mix.gains.is_empty());
    }
}
