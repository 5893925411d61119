//! The run's clock: microseconds by this machine's monotone clock, when the run begins by it, and how a server's wall clock relates
//! to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::sip::Micros;

/// The clock of a run. Copies show the same time, and begin at the same moment.
#[derive(Debug, Clone)]
pub struct Clock {
    created: Instant,
    /// The wall clock at the creation, in microseconds since 1970.
    wall_us: i64,
    begin: Arc<AtomicU64>,
}

impl Default for Clock {
    /// A clock that shows 0 now; the run has not begun.
    fn default() -> Self {
        Self { created: Instant::now(), wall_us: wall_us(), begin: Arc::new(AtomicU64::new(Micros::MAX)) }
    }
}

impl Clock {
    /// Microseconds since the clock was made.
    #[must_use]
    pub fn now(&self) -> Micros {
        micros(self.created.elapsed())
    }

    /// The run begins at `at`.
    pub fn begin_at(&self, at: Micros) {
        self.begin.store(at, Ordering::Release);
    }

    /// When the run begins, by this clock; far away until that is decided.
    #[must_use]
    pub fn begin(&self) -> Micros {
        self.begin.load(Ordering::Acquire)
    }

    /// How long the run goes on by `at`; 0 before its beginning.
    #[must_use]
    pub fn since_begin(&self, at: Micros) -> Micros {
        at.saturating_sub(self.begin())
    }

    /// How long until `at`; 0 where it has come.
    #[must_use]
    pub fn until(&self, at: Micros) -> Duration {
        Duration::from_micros(at).saturating_sub(self.created.elapsed())
    }

    /// This clock's time of a wall-clock time; 0 for one before it was made.
    #[must_use]
    pub fn of_wall(&self, wall_us: i64) -> Micros {
        u64::try_from(wall_us.saturating_sub(self.wall_us)).unwrap_or(0)
    }

    /// The wall clock at a time of this clock, in microseconds since 1970.
    #[must_use]
    pub fn wall_at(&self, at: Micros) -> i64 {
        self.wall_us.saturating_add(i64::try_from(at).unwrap_or(i64::MAX))
    }
}

/// A server's wall clock against ours, by the shortest of several questions: what it shows less what ours shows, in
/// microseconds, and how far that may be off.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Offset {
    /// Server − ours.
    pub ahead_us: i64,
    /// Half of the round trip of the question.
    pub within_us: u64,
}

impl Offset {
    /// From questions: ours before, the server's, ours after.
    #[must_use]
    pub fn of(questions: impl IntoIterator<Item = (i64, i64, i64)>) -> Option<Self> {
        let shortest = questions.into_iter().min_by_key(|(before, _, after)| after - before)?;
        let (before, server, after) = shortest;
        let within_us = u64::try_from(after - before).unwrap_or(0) / 2;
        Some(Self { ahead_us: server - (before + (after - before) / 2), within_us })
    }

    /// By how much the clocks moved against each other since `earlier`, in microseconds, where that is a millisecond or more beyond
    /// what both may be off.
    #[must_use]
    pub fn moved_since(self, earlier: Self) -> Option<u64> {
        let moved = self.ahead_us.abs_diff(earlier.ahead_us);
        (moved >= 1_000 + self.within_us + earlier.within_us).then_some(moved)
    }

    /// A server's time by our wall clock.
    #[must_use]
    pub const fn ours(self, server_us: i64) -> i64 {
        server_us - self.ahead_us
    }
}

/// The wall clock, in microseconds since 1970.
#[must_use]
pub fn wall_us() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros()).unwrap_or(i64::MAX)
}

fn micros(duration: Duration) -> Micros {
    u64::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_question_decides() {
        let offset = Offset::of([(0, 5_000, 1_000), (2_000, 6_600, 2_200), (9_000, 0, 12_000)]);
        assert_eq!(offset, Some(Offset { ahead_us: 4_500, within_us: 100 }));
        assert_eq!(offset.expect("an offset").ours(10_000), 5_500);
        assert_eq!(Offset::of([]), None);
    }

    #[test]
    fn a_clock_that_moves_is_told_from_one_that_is_read_badly() {
        let at = |ahead_us, within_us| Offset { ahead_us, within_us };
        assert_eq!(at(-2_600, 300).moved_since(at(400, 200)), Some(3_000));
        assert_eq!(at(1_800, 300).moved_since(at(400, 200)), None);
    }

    #[test]
    fn copies_begin_together() {
        let clock = Clock::default();
        let other = clock.clone();
        assert_eq!((other.begin(), other.since_begin(5)), (Micros::MAX, 0));
        clock.begin_at(1_000);
        assert_eq!((other.begin(), other.since_begin(1_500), other.since_begin(10)), (1_000, 500, 0));
        assert!(clock.until(60_000_000) > Duration::from_secs(59));
        assert_eq!((clock.of_wall(clock.wall_at(7)), clock.of_wall(0)), (7, 0));
    }
}
