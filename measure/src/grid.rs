//! The intervals of a run: equal stretches of time from the end of the warm-up to the end of the period.

use serde::{Deserialize, Serialize};

/// Equal intervals from `start_us` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grid {
    /// Start of the first interval, in µs of simulated time: the end of the warm-up.
    pub start_us: u64,
    /// Length of an interval in µs.
    pub interval_us: u64,
    /// Number of intervals.
    pub intervals: usize,
    /// Whether the last interval also takes what happens after its end, as a floor does that works its queue off after closing time.
    #[serde(default)]
    pub open_end: bool,
}

impl Grid {
    /// A grid that is closed at its end.
    ///
    /// # Panics
    /// Where `interval_us` or `intervals` is 0.
    #[must_use]
    pub const fn new(start_us: u64, interval_us: u64, intervals: usize) -> Self {
        assert!(interval_us > 0 && intervals > 0, "a grid has intervals of some length");
        Self { start_us, interval_us, intervals, open_end: false }
    }

    /// End of the last interval, in µs.
    #[must_use]
    pub const fn end_us(&self) -> u64 {
        self.start_us + self.interval_us * self.intervals as u64
    }

    /// Length of the period, in µs.
    #[must_use]
    pub const fn elapsed_us(&self) -> u64 {
        self.interval_us * self.intervals as u64
    }

    /// The interval that contains `time_us`; `None` in the warm-up, and past the end of a closed grid.
    #[must_use]
    #[inline]
    pub const fn index_of(&self, time_us: u64) -> Option<usize> {
        if time_us < self.start_us {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "compared with a usize at once; targets are 64 bits wide")]
        let index = ((time_us - self.start_us) / self.interval_us) as usize;
        if index < self.intervals {
            Some(index)
        } else if self.open_end {
            Some(self.intervals - 1)
        } else {
            None
        }
    }

    /// Gives every interval that `[from_us, to_us)` overlaps its share, in µs.
    #[inline]
    pub fn split(&self, from_us: u64, to_us: u64, mut share: impl FnMut(usize, u64)) {
        let mut from = from_us.max(self.start_us);
        let end = if self.open_end { to_us } else { to_us.min(self.end_us()) };
        while from < end {
            let Some(index) = self.index_of(from) else { return };
            let last = index + 1 == self.intervals;
            let next = self.start_us + (index as u64 + 1) * self.interval_us;
            let until = if last { end } else { next.min(end) };
            share(index, until - from);
            from = until;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(grid: Grid, from: u64, to: u64) -> Vec<(usize, u64)> {
        let mut out = Vec::new();
        grid.split(from, to, |index, span| out.push((index, span)));
        out
    }

    #[test]
    fn a_span_is_split_over_the_intervals_that_it_overlaps() {
        let grid = Grid::new(100, 10, 3);
        assert_eq!(shares(grid, 95, 124), [(0, 10), (1, 10), (2, 4)]);
        assert_eq!(shares(grid, 105, 106), [(0, 1)]);
        assert_eq!(shares(grid, 110, 110), []);
        assert_eq!(shares(grid, 125, 150), [(2, 5)]);
        assert_eq!(shares(grid, 130, 150), []);
        assert_eq!(shares(grid, 0, 100), []);
    }

    #[test]
    fn an_open_end_keeps_what_comes_after_closing_time() {
        let grid = Grid { open_end: true, ..Grid::new(0, 10, 2) };
        assert_eq!(shares(grid, 5, 45), [(0, 5), (1, 35)]);
        assert_eq!(shares(grid, 30, 45), [(1, 15)]);
        assert_eq!(grid.index_of(99), Some(1));
    }

    #[test]
    fn an_instant_belongs_to_the_interval_that_it_opens() {
        let grid = Grid::new(100, 10, 2);
        assert_eq!(
            [99, 100, 109, 110, 119, 120].map(|t| grid.index_of(t)),
            [None, Some(0), Some(0), Some(1), Some(1), None]
        );
    }
}
