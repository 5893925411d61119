//! Deadlines. Spans that are used for every call have a queue each, in which setting and firing cost O(1); the rest is a heap.
//!
//! A timer that is no longer wanted is not removed: whoever set it looks, when it fires, whether it still means anything.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Timers<T> {
    lanes: [(Duration, VecDeque<(Instant, T)>); 4],
    heap: BinaryHeap<Reverse<(Instant, T)>>,
}

impl<T: Copy + Ord> Timers<T> {
    pub(super) fn new(common: [Duration; 4]) -> Self {
        Self { lanes: common.map(|span| (span, VecDeque::new())), heap: BinaryHeap::new() }
    }

    /// Sets a timer; returns when it is due.
    pub(super) fn set(&mut self, now: Instant, span: Duration, timer: T) -> Instant {
        let due = now + span;
        if let Some((_, lane)) = self.lanes.iter_mut().find(|(common, _)| *common == span)
            && lane.back().is_none_or(|(last, _)| *last <= due)
        {
            lane.push_back((due, timer));
        } else {
            self.heap.push(Reverse((due, timer)));
        }
        due
    }

    pub(super) fn next(&self) -> Option<Instant> {
        let lanes = self.lanes.iter().filter_map(|(_, lane)| lane.front().map(|(due, _)| *due));
        lanes.chain(self.heap.peek().map(|Reverse((due, _))| *due)).min()
    }

    /// The earliest timer that is due, with the instant for which it was set.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Instant, T)> {
        let heap = self.heap.peek().map(|Reverse((due, _))| *due);
        let lane = self.lanes.iter_mut().filter(|(_, lane)| !lane.is_empty()).min_by_key(|(_, lane)| lane[0].0);
        match (lane, heap) {
            (Some((_, lane)), heap) if lane[0].0 <= now && heap.is_none_or(|h| lane[0].0 <= h) => lane.pop_front(),
            (_, Some(due)) if due <= now => self.heap.pop().map(|Reverse(entry)| entry),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fire_in_order_from_lanes_and_heap() {
        let start = Instant::now();
        let ms = Duration::from_millis;
        let mut timers = Timers::new([ms(500), ms(5_000), ms(32_000), ms(1)]);
        for (after, span, name) in [(0, 500, 1), (0, 300, 2), (10, 500, 3), (10, 5_000, 4), (20, 490, 5)] {
            timers.set(start + ms(after), ms(span), name);
        }
        assert_eq!(timers.next(), Some(start + ms(300)));
        assert_eq!(timers.pop(start + ms(299)), None);
        let mut fired = Vec::new();
        while let Some((_, name)) = timers.pop(start + ms(510)) {
            fired.push(name);
        }
        assert_eq!(fired, [2, 1, 3, 5]);
        assert_eq!(timers.next(), Some(start + ms(5_010)));
    }
}
