//! From the engine's outputs to the primitives of `callfloor_measure`: what is counted, where, and from when on.
//!
//! Accumulates and keeps nothing of a contact: memory does not depend on the length of a run.

use callfloor_engine::Status;
use callfloor_measure::{Counts, Grid, HandlePart, Header, Tally};

/// No queue.
pub const NO_ROW: u16 = u16::MAX;
/// No interval: the warm-up, or past the end.
pub const NO_INTERVAL: u32 = u32::MAX;

/// Counts one replication: simulated, or played against a live server.
#[derive(Debug)]
pub struct Collector {
    /// What is counted so far.
    pub tally: Tally,
    grid: Grid,
    /// `[queue]`: queued or ringing now.
    waiting: Vec<u64>,
    waiting_in_all: u64,
    /// The next boundary between intervals, and when it comes.
    edge: usize,
    next_edge_us: u64,
    /// The present interval and its start.
    interval: Option<usize>,
    interval_start_us: u64,
    /// Counting began here; `u64::MAX` before it begins.
    from_us: u64,
}

const fn status_of(status: Status) -> callfloor_measure::Status {
    use callfloor_measure::Status as M;
    match status {
        Status::LoggedOut => M::LoggedOut,
        Status::Work => M::Work,
        Status::Ready => M::Ready,
        Status::Break => M::Break,
        Status::Ringing => M::Ringing,
        Status::Dialing => M::Dialing,
        Status::Talking => M::Talking,
        Status::Consulting => M::Consulting,
        Status::Holding => M::Holding,
        Status::AfterCallWork => M::AfterCallWork,
    }
}

const fn part_of(status: Status) -> Option<HandlePart> {
    Some(match status {
        Status::Talking => HandlePart::Talk,
        Status::Holding => HandlePart::Hold,
        Status::Consulting => HandlePart::Consult,
        Status::AfterCallWork => HandlePart::AfterCall,
        Status::Ringing => HandlePart::Ring,
        Status::Dialing => HandlePart::Dial,
        _ => return None,
    })
}

impl Collector {
    /// Nothing counted yet. With `at_once`, counting begins with the grid; else by [`Self::begin`].
    #[must_use]
    pub fn new(header: &Header, at_once: bool) -> Self {
        let mut collector = Self {
            tally: Tally::new(header),
            grid: header.grid,
            waiting: vec![0; header.queues.len()],
            waiting_in_all: 0,
            edge: 0,
            next_edge_us: header.grid.start_us,
            interval: None,
            interval_start_us: 0,
            from_us: if at_once { header.grid.start_us } else { u64::MAX },
        };
        if !at_once {
            collector.next_edge_us = u64::MAX;
        }
        collector
    }

    /// Time has come to `now`: boundaries up to it are passed before anything of `now` happens.
    #[inline]
    pub fn advance(&mut self, now: u64) {
        while now >= self.next_edge_us {
            self.pass_edge();
        }
    }

    #[cold]
    #[inline(never)]
    fn pass_edge(&mut self) {
        // The last interval of an open grid goes on; its end is taken by `finish`.
        let last = self.edge == self.grid.intervals;
        if !(last && self.grid.open_end) {
            for (queue, &waiting) in self.waiting.iter().enumerate() {
                self.tally.waiting_at_edge(queue, self.edge, waiting);
            }
        }
        if last {
            if !self.grid.open_end {
                self.interval = None;
            }
            self.next_edge_us = u64::MAX;
            return;
        }
        self.interval = Some(self.edge);
        self.interval_start_us = self.next_edge_us;
        self.edge += 1;
        self.next_edge_us += self.grid.interval_us;
    }

    /// Counting begins now, in the middle of the grid: after a warm-up of so many arrivals.
    pub fn begin(&mut self, now: u64) {
        self.from_us = now;
        let index = self.grid.index_of(now).unwrap_or(0);
        for (queue, &waiting) in self.waiting.iter().enumerate() {
            for earlier in 0..index {
                let counts = self.tally.counts_mut(queue, earlier);
                counts.waiting_at_start += waiting;
                counts.waiting_at_end += waiting;
            }
            self.tally.counts_mut(queue, index).waiting_at_start += waiting;
        }
        self.interval = Some(index);
        self.interval_start_us = self.grid.start_us + index as u64 * self.grid.interval_us;
        self.edge = index + 1;
        self.next_edge_us = self.interval_start_us + self.grid.interval_us;
    }

    /// The run is over at `now`.
    pub fn finish(&mut self, now: u64, fixed_length: bool) {
        if self.from_us == u64::MAX {
            return;
        }
        // Intervals that the run did not reach: what waits at its end (nothing, if all were served) waits on.
        while self.edge < self.grid.intervals {
            self.pass_edge();
        }
        if self.grid.open_end {
            for (queue, &waiting) in self.waiting.iter().enumerate() {
                self.tally.waiting_at_edge(queue, self.grid.intervals, waiting);
            }
        } else if self.next_edge_us != u64::MAX {
            self.pass_edge();
        }
        if !fixed_length {
            self.tally.elapsed_us = Some(now.saturating_sub(self.from_us));
        }
    }

    /// The present interval, or [`NO_INTERVAL`].
    #[must_use]
    #[inline]
    pub fn interval(&self) -> u32 {
        self.interval.map_or(NO_INTERVAL, |i| u32::try_from(i).unwrap_or(NO_INTERVAL))
    }

    /// Queued or ringing in all queues.
    #[must_use]
    pub const fn waiting_in_all(&self) -> u64 {
        self.waiting_in_all
    }

    /// The counts of `row` now; `None` where nothing is counted.
    #[inline]
    pub fn now(&mut self, row: u16) -> Option<&mut Counts> {
        match self.interval {
            Some(interval) if row != NO_ROW => Some(self.tally.counts_mut(usize::from(row), interval)),
            _ => None,
        }
    }

    /// A contact entered a queue; the interval of its arrival.
    #[inline]
    pub fn offered(&mut self, row: u16) -> u32 {
        self.waiting[usize::from(row)] += 1;
        self.waiting_in_all += 1;
        self.tally.offered(usize::from(row), self.interval);
        self.interval()
    }

    #[inline]
    fn left(&mut self, row: u16, arrived: u32) -> Option<usize> {
        self.waiting[usize::from(row)] -= 1;
        self.waiting_in_all -= 1;
        (arrived != NO_INTERVAL).then_some(arrived as usize)
    }

    /// A contact that arrived in `arrived` was answered, `wait_us` after it entered the queue.
    #[inline]
    pub fn answered(&mut self, row: u16, arrived: u32, wait_us: u64) {
        let arrived = self.left(row, arrived);
        self.tally.answered(usize::from(row), arrived, self.interval, wait_us);
    }

    /// A contact that arrived in `arrived` left the queue by itself.
    pub fn abandoned(&mut self, row: u16, arrived: u32, wait_us: u64) {
        let arrived = self.left(row, arrived);
        self.tally.abandoned(usize::from(row), arrived, self.interval, wait_us);
    }

    /// A contact that arrived in `arrived` left the queue for somewhere else.
    pub fn flowed_out(&mut self, row: u16, arrived: u32, wait_us: u64) {
        let arrived = self.left(row, arrived);
        self.tally.flowed_out(usize::from(row), arrived, self.interval, wait_us);
    }

    /// A contact that flows out did so for a callback.
    pub fn callback_accepted(&mut self, row: u16, arrived: u32) {
        let arrived = (arrived != NO_INTERVAL).then_some(arrived as usize);
        self.tally.callback_accepted(usize::from(row), arrived, self.interval);
    }

    /// A contact was refused before it was offered.
    pub fn refused(&mut self, row: u16) {
        self.tally.refused(usize::from(row), self.interval);
    }

    /// An operator of `group` was in `status` since `from`, on a contact of queue `row`.
    #[inline]
    pub fn status_span(&mut self, group: u16, row: u16, status: Status, from: u64, to: u64, pay: bool) {
        let from = from.max(self.from_us);
        if from >= to {
            return;
        }
        let group = usize::from(group);
        match self.interval {
            Some(interval) if from >= self.interval_start_us => {
                let staff = self.tally.staff_mut(group, interval);
                staff.add_status(status_of(status), to - from);
                if pay && status != Status::LoggedOut {
                    staff.paid_us += to - from;
                }
                if row != NO_ROW
                    && let Some(part) = part_of(status)
                {
                    self.tally.counts_mut(usize::from(row), interval).add_part(part, to - from);
                }
            }
            _ => {
                self.tally.in_status(group, status_of(status), from, to);
                if pay && status != Status::LoggedOut {
                    self.tally.paid(group, from, to);
                }
                if row != NO_ROW
                    && let Some(part) = part_of(status)
                {
                    self.tally.handled(usize::from(row), part, from, to);
                }
            }
        }
    }

    /// Work on a chat or ticket of queue `row` lasted from `from` to `to`.
    pub fn handled(&mut self, row: u16, from: u64, to: u64) {
        self.tally.handled(usize::from(row), HandlePart::Talk, from.max(self.from_us), to);
    }

    /// `rostered` operators of `group`, of whom `present` come, are on the roster from `from` to `to`.
    pub fn roster_span(&mut self, group: u16, rostered: u32, present: u32, from: u64, to: u64) {
        let (paid, absent) = (u64::from(rostered), u64::from(rostered.saturating_sub(present)));
        let tally = &mut self.tally;
        self.grid.split(from.max(self.from_us), to, |interval, span| {
            let staff = tally.staff_mut(usize::from(group), interval);
            staff.paid_us += span * paid;
            staff.rostered_us += span * paid;
            staff.out_of_roster_us += span * absent;
        });
    }

    /// A rostered operator of `group` was away between `from` and `to`, other than by plan.
    pub fn out_of_roster(&mut self, group: u16, from: u64, to: u64) {
        self.tally.out_of_roster(usize::from(group), from.max(self.from_us), to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use callfloor_measure::{Channel, CountedBy, Group, Queue};

    fn header(grid: Grid) -> Header {
        Header {
            grid,
            queues: vec![Queue::new("q", Channel::Phone)],
            groups: vec![Group { name: "g".into() }],
            ..Header::new("test", 1)
        }
    }

    /// W0 + N = A + B + F + W1 in every interval, with a call over two boundaries and one past the end.
    #[test]
    fn the_identity_holds_in_every_interval() {
        for open_end in [false, true] {
            let header = header(Grid { open_end, ..Grid::new(100, 10, 3) });
            let mut collector = Collector::new(&header, true);
            let arrive = |collector: &mut Collector, now| {
                collector.advance(now);
                collector.offered(0)
            };
            let early = arrive(&mut collector, 95);
            let long = arrive(&mut collector, 101);
            assert_eq!((early, long), (NO_INTERVAL, 0));
            collector.advance(110);
            collector.answered(0, early, 15);
            let last = arrive(&mut collector, 129);
            collector.abandoned(0, long, 28);
            collector.advance(140);
            collector.answered(0, last, 11);
            collector.finish(140, true);
            for (i, counts) in collector.tally.counts(0).iter().enumerate() {
                let (left, right) = counts.identity(CountedBy::Arrival);
                assert_eq!(left, right, "interval {i}, open end {open_end}: {counts:?}");
            }
            let w1 = collector.tally.counts(0)[2].waiting_at_end;
            assert_eq!(w1, u64::from(!open_end));
            assert_eq!(collector.waiting_in_all(), 0);
        }
    }

    #[test]
    fn counting_can_begin_in_the_middle() {
        let header = header(Grid { open_end: true, ..Grid::new(0, 10, 4) });
        let mut collector = Collector::new(&header, false);
        collector.advance(5);
        let arrived = collector.offered(0);
        collector.status_span(0, NO_ROW, Status::Ready, 0, 20, true);
        collector.advance(25);
        collector.begin(25);
        collector.advance(31);
        collector.answered(0, arrived, 26);
        collector.status_span(0, 0, Status::Talking, 20, 31, true);
        collector.finish(50, false);
        let counts = collector.tally.counts(0);
        for counts in counts {
            let (left, right) = counts.identity(CountedBy::Arrival);
            assert_eq!(left, right);
        }
        assert_eq!(counts.iter().map(|c| (c.offered, c.answered, c.answered_here)).max(), Some((0, 0, 1)));
        assert_eq!((counts[2].talk_us, counts[3].talk_us), (5, 1));
        assert_eq!(collector.tally.staff(0).iter().map(|s| s.paid_us).sum::<u64>(), 6);
        assert_eq!(collector.tally.elapsed_us, Some(25));
    }
}
