//! The time that the engine is given: microseconds since 1970, monotone within a run and across restarts.

use std::time::{SystemTime, UNIX_EPOCH};

use callfloor_engine::Instant;

/// Reads the wall clock once and counts on from there, so that a step of the wall clock is no step here.
#[derive(Debug)]
pub struct Clock {
    started: std::time::Instant,
    at_start: u64,
    last: u64,
}

impl Clock {
    /// A clock that never shows less than `latest`, the time of the last journal entry.
    #[must_use]
    pub fn new(latest: Instant) -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| micros(since.as_micros()));
        Self { started: std::time::Instant::now(), at_start: wall.max(latest.as_micros()), last: latest.as_micros() }
    }

    /// Now; never less than before.
    pub fn now(&mut self) -> Instant {
        self.last = self.last.max(self.at_start + micros(self.started.elapsed().as_micros()));
        Instant::from_micros(self.last)
    }

    /// How long to wait until `instant`; zero if it has come.
    pub fn until(&mut self, instant: Instant) -> std::time::Duration {
        std::time::Duration::from_micros(instant.since(self.now()).as_micros())
    }
}

fn micros(count: u128) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}
