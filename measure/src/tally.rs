//! One replication's primitives while it runs: index arithmetic and integer additions, nothing else.

use crate::{CountedBy, Counts, Grid, HandlePart, Header, Histogram, Queue, StaffTimes, Status};

/// What one replication counts. The simulator calls it at every step of every call.
///
/// Calls count in the interval in which they arrived, or in which they left the queue where the header says so: keep
/// [`Tally::interval_of`] the arrival with the call and hand it in again at its end. An interval of `None` (warm-up, or after the end) is not counted.
#[derive(Debug, Clone)]
pub struct Tally {
    grid: Grid,
    by: CountedBy,
    limits: Vec<(u64, u64)>,
    /// `[queue][interval]`
    counts: Vec<Counts>,
    /// `[group][interval]`
    staff: Vec<StaffTimes>,
    waits: Vec<Histogram>,
    abandon_waits: Vec<Histogram>,
    /// Commands that the engine applied in this replication.
    pub engine_commands: u64,
    /// Calls simulated, warm-up included.
    pub calls: u64,
    /// Digest of the replication's event log; 0 where none was taken.
    pub event_digest: u64,
    /// Length of the counted period in µs where it is not the grid's: a run of a fixed number of calls ends when it ends.
    pub elapsed_us: Option<u64>,
    /// Whether a fast path computed this replication instead of the engine.
    pub fast_path: bool,
}

impl Tally {
    /// An empty tally for the queues, groups and intervals of `header`.
    #[must_use]
    pub fn new(header: &Header) -> Self {
        let (grid, queues) = (header.grid, &header.queues);
        Self {
            grid,
            by: header.counted_by,
            limits: queues.iter().map(|Queue { target_wait_us, short_us, .. }| (*target_wait_us, *short_us)).collect(),
            counts: vec![Counts::default(); queues.len() * grid.intervals],
            staff: vec![StaffTimes::default(); header.groups.len() * grid.intervals],
            waits: vec![Histogram::new(); queues.len()],
            abandon_waits: vec![Histogram::new(); queues.len()],
            engine_commands: 0,
            calls: 0,
            event_digest: 0,
            elapsed_us: None,
            fast_path: false,
        }
    }

    /// Forgets everything for the next replication; keeps the memory.
    pub fn clear(&mut self) {
        self.counts.fill(Counts::default());
        self.staff.fill(StaffTimes::default());
        self.waits.iter_mut().chain(&mut self.abandon_waits).for_each(Histogram::clear);
        (self.engine_commands, self.calls, self.event_digest, self.elapsed_us, self.fast_path) = (0, 0, 0, None, false);
    }

    /// The interval that contains `time_us`.
    #[must_use]
    #[inline]
    pub const fn interval_of(&self, time_us: u64) -> Option<usize> {
        self.grid.index_of(time_us)
    }

    /// The counts of `queue` in `interval`, to read, or to add to what no method here covers.
    ///
    /// # Panics
    /// Where either is out of range.
    #[inline]
    pub fn counts_mut(&mut self, queue: usize, interval: usize) -> &mut Counts {
        assert!(interval < self.grid.intervals, "interval {interval} of {}", self.grid.intervals);
        &mut self.counts[queue * self.grid.intervals + interval]
    }

    /// The operators' time of `group` in `interval`.
    ///
    /// # Panics
    /// Where either is out of range.
    #[inline]
    pub fn staff_mut(&mut self, group: usize, interval: usize) -> &mut StaffTimes {
        assert!(interval < self.grid.intervals, "interval {interval} of {}", self.grid.intervals);
        &mut self.staff[group * self.grid.intervals + interval]
    }

    /// The counts of `queue`: one for each interval.
    #[must_use]
    pub fn counts(&self, queue: usize) -> &[Counts] {
        &self.counts[queue * self.grid.intervals..][..self.grid.intervals]
    }

    /// The operators' time of `group`: one for each interval.
    #[must_use]
    pub fn staff(&self, group: usize) -> &[StaffTimes] {
        &self.staff[group * self.grid.intervals..][..self.grid.intervals]
    }

    /// The interval in which a call counts that arrived in one and leaves its queue in another.
    #[inline]
    const fn counted(&self, arrived: Option<usize>, now: Option<usize>) -> Option<usize> {
        match self.by {
            CountedBy::Arrival => arrived,
            CountedBy::Answer => now,
        }
    }

    /// Of the calls that flow out: one that arrived in `arrived` did so in `now` for a callback.
    pub fn callback_accepted(&mut self, queue: usize, arrived: Option<usize>, now: Option<usize>) {
        if let Some(counted) = self.counted(arrived, now) {
            self.counts_mut(queue, counted).callbacks_accepted += 1;
        }
    }

    /// A call entered `queue`.
    #[inline]
    pub fn offered(&mut self, queue: usize, arrived: Option<usize>) {
        if let Some(arrived) = arrived {
            self.counts_mut(queue, arrived).offered += 1;
        }
    }

    /// A call was refused before it was offered.
    #[inline]
    pub fn refused(&mut self, queue: usize, arrived: Option<usize>) {
        if let Some(arrived) = arrived {
            self.counts_mut(queue, arrived).refused += 1;
        }
    }

    /// A call that arrived in `arrived` was answered in `now`, `wait_us` after it entered the queue.
    #[inline]
    pub fn answered(&mut self, queue: usize, arrived: Option<usize>, now: Option<usize>, wait_us: u64) {
        let in_time = u64::from(wait_us <= self.limits[queue].0);
        if let Some(counted) = self.counted(arrived, now) {
            let counts = self.counts_mut(queue, counted);
            counts.answered += 1;
            counts.answered_in_time += in_time;
            counts.delayed += u64::from(wait_us > 0);
            counts.wait_answered_us += wait_us;
            self.waits[queue].record(wait_us);
        }
        if let Some(now) = now {
            let counts = self.counts_mut(queue, now);
            counts.answered_here += 1;
            counts.answered_in_time_here += in_time;
        }
    }

    /// A call that arrived in `arrived` was abandoned in `now`, after `wait_us` in the queue or ringing.
    #[inline]
    pub fn abandoned(&mut self, queue: usize, arrived: Option<usize>, now: Option<usize>, wait_us: u64) {
        let (target, short) = self.limits[queue];
        if let Some(counted) = self.counted(arrived, now) {
            let counts = self.counts_mut(queue, counted);
            counts.abandoned += 1;
            counts.abandoned_in_time += u64::from(wait_us <= target);
            counts.abandoned_short += u64::from(wait_us <= short);
            counts.delayed += u64::from(wait_us > 0);
            counts.wait_abandoned_us += wait_us;
            self.abandon_waits[queue].record(wait_us);
        }
        if let Some(now) = now {
            self.counts_mut(queue, now).abandoned_here += 1;
        }
    }

    /// A call that arrived in `arrived` left the queue unanswered in `now`, for somewhere else.
    #[inline]
    pub fn flowed_out(&mut self, queue: usize, arrived: Option<usize>, now: Option<usize>, wait_us: u64) {
        if let Some(counted) = self.counted(arrived, now) {
            let counts = self.counts_mut(queue, counted);
            counts.flowed_out += 1;
            counts.delayed += u64::from(wait_us > 0);
            counts.wait_flowed_out_us += wait_us;
        }
        if let Some(now) = now {
            self.counts_mut(queue, now).flowed_out_here += 1;
        }
    }

    /// `waiting` calls are in `queue` or ring, at the instant at which interval `edge` begins and `edge − 1` ends.
    ///
    /// `edge` runs from 0 to the number of intervals.
    #[inline]
    pub fn waiting_at_edge(&mut self, queue: usize, edge: usize, waiting: u64) {
        if edge < self.grid.intervals {
            self.counts_mut(queue, edge).waiting_at_start += waiting;
        }
        if edge > 0 {
            self.counts_mut(queue, edge - 1).waiting_at_end += waiting;
        }
    }

    /// A part of a call of `queue` lasted from `from_us` to `to_us`.
    #[inline]
    pub fn handled(&mut self, queue: usize, part: HandlePart, from_us: u64, to_us: u64) {
        let row = &mut self.counts[queue * self.grid.intervals..][..self.grid.intervals];
        self.grid.split(from_us, to_us, |interval, span| row[interval].add_part(part, span));
    }

    /// An operator of `group` was in `status` from `from_us` to `to_us`.
    #[inline]
    pub fn in_status(&mut self, group: usize, status: Status, from_us: u64, to_us: u64) {
        let row = &mut self.staff[group * self.grid.intervals..][..self.grid.intervals];
        self.grid.split(from_us, to_us, |interval, span| row[interval].add_status(status, span));
    }

    /// An operator of `group` was paid from `from_us` to `to_us`.
    #[inline]
    pub fn paid(&mut self, group: usize, from_us: u64, to_us: u64) {
        let row = &mut self.staff[group * self.grid.intervals..][..self.grid.intervals];
        self.grid.split(from_us, to_us, |interval, span| row[interval].paid_us += span);
    }

    /// An operator of `group` was rostered from `from_us` to `to_us`.
    #[inline]
    pub fn rostered(&mut self, group: usize, from_us: u64, to_us: u64) {
        let row = &mut self.staff[group * self.grid.intervals..][..self.grid.intervals];
        self.grid.split(from_us, to_us, |interval, span| row[interval].rostered_us += span);
    }

    /// An operator of `group` was out of the rostered state from `from_us` to `to_us`.
    #[inline]
    pub fn out_of_roster(&mut self, group: usize, from_us: u64, to_us: u64) {
        let row = &mut self.staff[group * self.grid.intervals..][..self.grid.intervals];
        self.grid.split(from_us, to_us, |interval, span| row[interval].out_of_roster_us += span);
    }

    /// The same counts in the longer intervals of `grid`: the exact sums of those that lie in each. The counted period stays
    /// what it was, also where the first or the last of the longer intervals reaches beyond it.
    ///
    /// # Panics
    /// Where an interval of this tally lies in none of `grid`'s alone.
    #[must_use]
    pub fn regrouped(mut self, grid: Grid) -> Self {
        let fine = self.grid;
        let place = |interval: usize| {
            let from = fine.start_us + interval as u64 * fine.interval_us;
            let index = grid.index_of(from).expect("the longer intervals cover the shorter");
            assert_eq!(grid.index_of(from + fine.interval_us - 1), Some(index), "a boundary is lost");
            index
        };
        let places: Vec<usize> = (0..fine.intervals).map(place).collect();
        let mut counts = vec![Counts::default(); self.limits.len() * grid.intervals];
        let mut staff = vec![StaffTimes::default(); self.staff.len() / fine.intervals * grid.intervals];
        for (at, found) in self.counts.iter().enumerate() {
            let (queue, interval) = (at / fine.intervals, at % fine.intervals);
            let sum = &mut counts[queue * grid.intervals + places[interval]];
            let first = interval == 0 || places[interval - 1] != places[interval];
            let waiting = if first { found.waiting_at_start } else { sum.waiting_at_start };
            *sum += found;
            // Of those who wait at a boundary, the outer ones are left.
            (sum.waiting_at_start, sum.waiting_at_end) = (waiting, found.waiting_at_end);
        }
        for (at, found) in self.staff.iter().enumerate() {
            staff[at / fine.intervals * grid.intervals + places[at % fine.intervals]] += found;
        }
        self.elapsed_us = self.elapsed_us.or(Some(fine.elapsed_us()));
        (self.grid, self.counts, self.staff) = (grid, counts, staff);
        self
    }

    pub(crate) const fn grid(&self) -> &Grid {
        &self.grid
    }

    /// Waits of the answered calls of `queue`.
    #[must_use]
    pub fn waits(&self, queue: usize) -> &Histogram {
        &self.waits[queue]
    }

    /// Waits of the abandoned calls of `queue`.
    #[must_use]
    pub fn abandon_waits(&self, queue: usize) -> &Histogram {
        &self.abandon_waits[queue]
    }
}
