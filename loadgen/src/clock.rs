//! The run's clock: microseconds since its start, by this machine's monotone clock, and how a server's wall clock relates to it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::sip::Micros;

/// The clock of a run. Copies show the same time.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    start: Instant,
    /// The wall clock at the start, in microseconds since 1970.
    wall_us: i64,
}

impl Clock {
    /// A clock that shows 0 in `ahead`.
    #[must_use]
    pub fn starting_in(ahead: Duration) -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default() + ahead;
        Self { start: Instant::now() + ahead, wall_us: i64::try_from(wall.as_micros()).unwrap_or(i64::MAX) }
    }

    /// Microseconds since the run's start; 0 before it.
    #[must_use]
    pub fn now(&self) -> Micros {
        micros(Instant::now().saturating_duration_since(self.start))
    }

    /// Whether the run has begun.
    #[must_use]
    pub fn has_begun(&self) -> bool {
        Instant::now() >= self.start
    }

    /// How long until `at`; 0 where it has come.
    #[must_use]
    pub fn until(&self, at: Micros) -> Duration {
        (self.start + Duration::from_micros(at)).saturating_duration_since(Instant::now())
    }

    /// The run's start by the wall clock, in microseconds since 1970.
    #[must_use]
    pub const fn started_us(&self) -> i64 {
        self.wall_us
    }

    /// The run's time of a wall-clock time; 0 for one before the start.
    #[must_use]
    pub fn of_wall(&self, wall_us: i64) -> Micros {
        u64::try_from(wall_us - self.wall_us).unwrap_or(0)
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
    fn a_clock_that_starts_later_shows_0_until_then() {
        let clock = Clock::starting_in(Duration::from_secs(60));
        assert_eq!((clock.now(), clock.has_begun()), (0, false));
        assert!(clock.until(0) > Duration::from_secs(59));
        assert!((clock.started_us() - wall_us() - 60_000_000).abs() < 1_000_000);
        assert_eq!((clock.of_wall(clock.started_us() + 7), clock.of_wall(0)), (7, 0));
    }
}
