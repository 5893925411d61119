//! What whoever watches a run may change while it goes on: the pace, and whether anybody comes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::note::{Note, Post};

/// Hands on a run; may be used from any thread.
#[derive(Debug)]
pub struct Control {
    /// In thousandths.
    pace: AtomicU64,
    paused: AtomicBool,
}

/// The pace as planned.
const PLANNED: u64 = 1_000;

impl Default for Control {
    fn default() -> Self {
        Self { pace: AtomicU64::new(PLANNED), paused: AtomicBool::new(false) }
    }
}

impl Control {
    /// Customers come `factor` times as fast as now; between a thousandth and a thousand times as fast as planned.
    pub fn faster(&self, factor: f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bounded")]
        let change = |pace: u64| (pace as f64 * factor).round().clamp(1.0, 1_000_000.0) as u64;
        // The closure never refuses.
        let _ = self.pace.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |pace| Some(change(pace)));
    }

    /// Nobody new comes, until this is called again.
    pub fn pause(&self) {
        self.paused.fetch_xor(true, Ordering::Relaxed);
    }

    /// How many times as fast as planned customers come, and whether they come at all.
    #[must_use]
    pub fn state(&self) -> (f64, bool) {
        (self.pace.load(Ordering::Relaxed) as f64 / PLANNED as f64, self.paused.load(Ordering::Relaxed))
    }
}

/// What the threads of a run were told.
#[derive(Debug)]
pub(crate) struct Told(f64, bool);

impl Default for Told {
    fn default() -> Self {
        Self(1.0, false)
    }
}

impl Told {
    /// Tells the threads what has changed.
    pub(crate) fn tell(&mut self, control: &Control, posts: &[Post]) {
        let (factor, paused) = control.state();
        if self.0.to_bits() != factor.to_bits() {
            self.0 = factor;
            posts.iter().for_each(|post| post.send(Note::Faster { factor }));
        }
        if self.1 != paused {
            self.1 = paused;
            posts.iter().for_each(|post| post.send(Note::Pause { paused }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_stays_within_bounds() {
        let control = Control::default();
        assert_eq!(control.state(), (1.0, false));
        control.faster(1.1);
        assert_eq!(control.state().0, 1.1);
        (0..200).for_each(|_| control.faster(2.0));
        assert_eq!(control.state().0, 1_000.0);
        (0..200).for_each(|_| control.faster(0.1));
        control.pause();
        assert_eq!(control.state(), (0.001, true));
        control.pause();
        assert!(!control.state().1);
    }
}
