//! What whoever watches a run may change while it goes on: the pace, and whether anybody comes.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::course::Course;
use crate::note::{Note, Post};
use crate::sip::Micros;

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
pub(crate) struct Told {
    factor: f64,
    paused: bool,
    /// What it came to: that of every thread, for all are told of one moment.
    pub(crate) course: Course,
    /// How often the pace was changed.
    pub(crate) changes: u64,
    /// How often it was paused.
    pub(crate) pauses: u64,
}

impl Told {
    /// Nothing yet, in a run that begins at `begin`.
    pub(crate) fn new(begin: Micros) -> Self {
        Self { factor: 1.0, paused: false, course: Course::new(begin), changes: 0, pauses: 0 }
    }

    /// Tells the threads what has changed by `now`.
    pub(crate) fn tell(&mut self, control: &Control, now: Micros, posts: &[Post]) {
        let (factor, paused) = control.state();
        let changed = self.factor.to_bits() != factor.to_bits();
        if !changed && self.paused == paused {
            return;
        }
        self.changes += u64::from(changed);
        self.pauses += u64::from(paused && !self.paused);
        (self.factor, self.paused) = (factor, paused);
        let factor = if paused { 0.0 } else { factor };
        self.course.change(now, factor);
        posts.iter().for_each(|post| post.send(Note::Pace { at_us: now, factor }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_told_once_and_of_one_moment() {
        let waker = crate::play::waker().expect("a socket");
        let (post, letters) = crate::note::post(&waker);
        let (control, mut told) = (Control::default(), Told::new(1_000));
        told.tell(&control, 2_000, std::slice::from_ref(&post));
        assert!(letters.next().is_none());
        control.pause();
        control.faster(2.0);
        told.tell(&control, 3_000, std::slice::from_ref(&post));
        told.tell(&control, 4_000, std::slice::from_ref(&post));
        assert!(matches!(letters.next(), Some(Note::Pace { at_us: 3_000, factor: 0.0 })) && letters.next().is_none());
        control.pause();
        told.tell(&control, 5_000, std::slice::from_ref(&post));
        assert!(matches!(letters.next(), Some(Note::Pace { at_us: 5_000, factor: 2.0 })));
        assert_eq!((told.changes, told.pauses, told.course.instant(4_000)), (1, 1, Some(6_000)));
    }

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
