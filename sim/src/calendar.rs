//! The simulator's future: events in order of time, each of which can be withdrawn.
//!
//! A calendar queue: events are hashed by time into buckets, each a short sorted list, and a bitmap finds the next bucket
//! in use, so that scheduling, withdrawing and taking cost the same however many events are pending. Source: R. Brown,
//! "Calendar queues: a fast O(1) priority queue implementation for the simulation event set problem", CACM 31(10), 1988;
//! here the width of a bucket is a power of two microseconds. It was measured against indexed and lazy heaps in
//! `benches/benches/calendar.rs`.
//!
//! The key is (time, sequence): events of one instant fire in the order in which they were scheduled. The order depends
//! on nothing else, so that a run is the same on every machine. A withdrawn event leaves at once: nothing stale stays
//! behind. Once the calendar has held its largest number of events it allocates nothing more.

use crate::near::bring;

/// No slot.
const NIL: u32 = u32::MAX;
/// Fewest buckets, and a power of two.
const FEWEST_BUCKETS: usize = 256;
/// After so many events taken, the width is fitted to the gaps seen.
const REVIEW: u32 = 4096;

/// A scheduled event, by which it can be withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    slot: u32,
    generation: u32,
}

impl Entry {
    /// An entry that is never live.
    pub const NONE: Self = Self { slot: NIL, generation: 0 };
}

impl Default for Entry {
    fn default() -> Self {
        Self::NONE
    }
}

#[derive(Debug, Clone)]
struct Slot<E> {
    time: u64,
    sequence: u64,
    /// The next of the bucket, or [`NIL`].
    next: u32,
    /// The one before in the bucket; for the head, the tail.
    previous: u32,
    /// Counts the events that the slot has held; odd while one is in it.
    generation: u32,
    event: E,
}

impl<E> Slot<E> {
    const fn key(&self) -> (u64, u64) {
        (self.time, self.sequence)
    }
}

/// How far somebody has looked ahead in a calendar.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen(u64);

/// An event that is to come, seen from afar: nothing of it has been read.
#[derive(Debug)]
pub struct Coming<'a, E>(&'a Slot<E>);

impl<'a, E: Copy> Coming<'a, E> {
    /// As it lies in memory.
    #[must_use]
    pub fn stored(&self) -> &'a impl Sized {
        self.0
    }

    /// What it is.
    #[must_use]
    pub fn event(&self) -> E {
        self.0.event
    }
}

/// Pending events, each with a payload.
///
/// ```
/// use callfloor_sim::calendar::Calendar;
/// let mut calendar = Calendar::new();
/// calendar.schedule(5_000_000, "talk ends");
/// let gives_up = calendar.schedule(3_000_000, "gives up");
/// calendar.schedule(3_000_000, "second of its instant");
/// assert_eq!(calendar.withdraw(gives_up), Some("gives up"));
/// assert_eq!(calendar.pop(), Some((3_000_000, "second of its instant")));
/// assert_eq!(calendar.pop(), Some((5_000_000, "talk ends")));
/// assert_eq!(calendar.pop(), None);
/// ```
#[derive(Debug, Clone)]
pub struct Calendar<E> {
    slots: Vec<Slot<E>>,
    free: Vec<u32>,
    /// Head of each bucket's list, or [`NIL`].
    heads: Vec<u32>,
    /// A bit for each bucket that has a head.
    used: Vec<u64>,
    /// A bucket is 2^`shift` microseconds wide.
    shift: u32,
    /// Number of the page (the bucket on the unwrapped line of time) before which nothing is pending.
    page: u64,
    live: usize,
    sequence: u64,
    /// Time of the last event taken.
    last: u64,
    /// Gaps since the last review, each bounded, and how many.
    gaps: u64,
    taken: u32,
    /// Scheduled last and not yet in a list, or [`NIL`]: its bucket is on its way from memory.
    late: u32,
    /// Room for [`Self::rebuild`], kept.
    scratch: Vec<u32>,
}

impl<E: Copy> Default for Calendar<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Copy> Calendar<E> {
    /// An empty calendar.
    #[must_use]
    pub fn new() -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            heads: vec![NIL; FEWEST_BUCKETS],
            used: vec![0; FEWEST_BUCKETS / 64],
            shift: 20,
            page: 0,
            live: 0,
            sequence: 0,
            last: 0,
            gaps: 0,
            taken: 0,
            late: NIL,
            scratch: Vec::new(),
        }
    }

    /// Number of pending events.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.live
    }

    /// Whether nothing is pending.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Adds `event` at `time` microseconds, after all events of that instant that are already there.
    ///
    /// # Panics
    /// If `time` is 2⁶² or more, or with 2³² events pending.
    #[inline]
    pub fn schedule(&mut self, time: u64, event: E) -> Entry {
        assert!(time < 1 << 62, "an event cannot be scheduled at {time} microseconds");
        let sequence = self.sequence;
        self.sequence += 1;
        let slot = if let Some(slot) = self.free.pop() {
            let held = &mut self.slots[slot as usize];
            held.time = time;
            held.sequence = sequence;
            held.event = event;
            held.generation = held.generation.wrapping_add(1);
            slot
        } else {
            self.add_slot(time, sequence, event)
        };
        self.live += 1;
        self.link_late();
        self.late = slot;
        if 4 * self.live > self.heads.len() {
            self.rebuild();
        } else {
            bring(&self.heads[self.bucket(time >> self.shift)]);
        }
        Entry { slot, generation: self.slots[slot as usize].generation }
    }

    #[cold]
    #[inline(never)]
    fn add_slot(&mut self, time: u64, sequence: u64, event: E) -> u32 {
        let slot = u32::try_from(self.slots.len()).ok().filter(|&slot| slot != NIL).expect("fewer than 2^32 events");
        self.slots.push(Slot { time, sequence, next: NIL, previous: NIL, generation: 1, event });
        // Every slot may be free at once: no later release allocates.
        self.free.reserve(self.slots.len());
        slot
    }

    /// Time of the earliest event, in microseconds.
    #[inline]
    #[must_use]
    pub fn next_time(&mut self) -> Option<u64> {
        self.find().map(|slot| self.slots[slot as usize].time)
    }

    /// Takes the earliest event, with its time in microseconds.
    #[inline]
    pub fn pop(&mut self) -> Option<(u64, E)> {
        self.pop_before(u64::MAX)
    }

    /// Takes the earliest event if its time is before `limit` microseconds.
    #[inline]
    pub fn pop_before(&mut self, limit: u64) -> Option<(u64, E)> {
        let slot = self.find()?;
        let time = self.slots[slot as usize].time;
        if time >= limit {
            return None;
        }
        // A long gap, as at night, says nothing about the busy time.
        self.gaps += time.saturating_sub(self.last).min(256 << self.shift);
        self.last = time;
        self.taken += 1;
        let event = self.remove(slot);
        if self.taken == REVIEW {
            self.review();
        }
        Some((time, event))
    }

    /// Goes over events that are to come, for whoever prepares for them: a hint, no promise. Each call goes on where the
    /// last one with the same `seen` ended, as far as `buckets` from now; a mean gap between events is two to four buckets.
    #[inline]
    pub fn look_ahead(&self, seen: &mut Seen, buckets: u64, mut look: impl FnMut(Coming<'_, E>)) {
        let to = self.page + buckets.min(self.heads.len() as u64 / 2);
        // Pages are numbered anew when the width changes.
        let renumbered = seen.0 > self.page + self.heads.len() as u64;
        if seen.0 >= to && !renumbered {
            return;
        }
        let mut page = if renumbered { self.page } else { seen.0.max(self.page) };
        seen.0 = to;
        while page < to {
            let bucket = self.bucket(page);
            let rest = self.used[bucket / 64] >> (bucket % 64);
            if rest == 0 {
                page += 64 - (bucket % 64) as u64;
                continue;
            }
            page += u64::from(rest.trailing_zeros()) + 1;
            if page > to {
                return;
            }
            let head = self.heads[self.bucket(page - 1)];
            if let Some(slot) = self.slots.get(head as usize) {
                look(Coming(slot));
            }
        }
    }

    /// Takes an event back, or returns `None` if it has already fired or been withdrawn.
    #[inline]
    pub fn withdraw(&mut self, entry: Entry) -> Option<E> {
        self.is_live(entry).then(|| self.remove(entry.slot))
    }

    /// Whether the event is still pending.
    #[inline]
    #[must_use]
    pub fn is_live(&self, entry: Entry) -> bool {
        self.slots.get(entry.slot as usize).is_some_and(|held| held.generation == entry.generation)
    }

    #[inline]
    fn remove(&mut self, slot: u32) -> E {
        if slot == self.late {
            self.late = NIL;
        } else {
            self.unlink(slot);
        }
        let held = &mut self.slots[slot as usize];
        held.generation = held.generation.wrapping_add(1);
        self.live -= 1;
        self.free.push(slot);
        held.event
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "a page is reduced to a bucket")]
    fn bucket(&self, page: u64) -> usize {
        page as usize & (self.heads.len() - 1)
    }

    /// Puts what was scheduled last in its list.
    #[inline]
    fn link_late(&mut self) {
        let late = core::mem::replace(&mut self.late, NIL);
        if late != NIL {
            self.link(late);
        }
    }

    #[inline]
    fn link(&mut self, slot: u32) {
        let key = self.slots[slot as usize].key();
        let page = key.0 >> self.shift;
        self.page = self.page.min(page);
        let bucket = self.bucket(page);
        let head = self.heads[bucket];
        if head == NIL {
            self.heads[bucket] = slot;
            self.used[bucket / 64] |= 1 << (bucket % 64);
            let held = &mut self.slots[slot as usize];
            (held.next, held.previous) = (NIL, slot);
        } else {
            self.link_among(slot, key, bucket, head);
        }
    }

    fn link_among(&mut self, slot: u32, key: (u64, u64), bucket: usize, head: u32) {
        let tail = self.slots[head as usize].previous;
        if key < self.slots[head as usize].key() {
            self.slots[head as usize].previous = slot;
            let held = &mut self.slots[slot as usize];
            (held.next, held.previous) = (head, tail);
            self.heads[bucket] = slot;
            return;
        }
        // From the tail: the latest of an instant, however many there are, is placed at once.
        let mut before = tail;
        while self.slots[before as usize].key() > key {
            before = self.slots[before as usize].previous;
        }
        let next = core::mem::replace(&mut self.slots[before as usize].next, slot);
        let held = &mut self.slots[slot as usize];
        (held.next, held.previous) = (next, before);
        self.slots[if next == NIL { head } else { next } as usize].previous = slot;
    }

    #[inline]
    fn unlink(&mut self, slot: u32) {
        let held = &self.slots[slot as usize];
        let (next, previous) = (held.next, held.previous);
        let bucket = self.bucket(held.time >> self.shift);
        let head = self.heads[bucket];
        if head == slot {
            self.heads[bucket] = next;
            if next == NIL {
                self.used[bucket / 64] &= !(1 << (bucket % 64));
            } else {
                self.slots[next as usize].previous = previous;
            }
        } else {
            self.slots[previous as usize].next = next;
            self.slots[if next == NIL { head } else { next } as usize].previous = previous;
        }
    }

    /// The earliest event's slot; `page` becomes its page.
    #[inline]
    fn find(&mut self) -> Option<u32> {
        if self.late != NIL {
            if self.live > 1 {
                let first = self.find_listed();
                if self.slots[self.late as usize].time >> self.shift > self.page {
                    return first;
                }
            }
            self.link_late();
        }
        self.find_listed()
    }

    /// As [`Self::find`], of those in the lists.
    #[inline]
    fn find_listed(&mut self) -> Option<u32> {
        if self.live == 0 {
            return None;
        }
        let mut page = self.page;
        let end = page + self.heads.len() as u64;
        while page < end {
            let bucket = self.bucket(page);
            let rest = self.used[bucket / 64] >> (bucket % 64);
            if rest == 0 {
                page += 64 - (bucket % 64) as u64;
                continue;
            }
            page += u64::from(rest.trailing_zeros());
            let head = self.heads[self.bucket(page)];
            if self.slots[head as usize].time >> self.shift == page {
                self.page = page;
                return Some(head);
            }
            page += 1;
        }
        self.find_far()
    }

    /// Nothing within a whole turn of the buckets: the least of all heads.
    #[cold]
    #[inline(never)]
    fn find_far(&mut self) -> Option<u32> {
        let mut least: Option<u32> = None;
        for (i, &word) in self.used.iter().enumerate() {
            let mut word = word;
            while word != 0 {
                let head = self.heads[i * 64 + word.trailing_zeros() as usize];
                word &= word - 1;
                if least.is_none_or(|l| self.slots[head as usize].key() < self.slots[l as usize].key()) {
                    least = Some(head);
                }
            }
        }
        let head = least?;
        self.page = self.slots[head as usize].time >> self.shift;
        Some(head)
    }

    /// Fits the width, and the number of buckets where far too many, to what was seen.
    #[cold]
    #[inline(never)]
    fn review(&mut self) {
        let wanted = self.wanted_shift();
        if wanted.abs_diff(self.shift) > 1 || (self.heads.len() > FEWEST_BUCKETS && 64 * self.live < self.heads.len()) {
            self.rebuild();
        } else {
            (self.gaps, self.taken) = (0, 0);
        }
    }

    /// A quarter to a half of the mean gap between events: most lists then hold one event.
    fn wanted_shift(&self) -> u32 {
        if self.taken < 64 {
            return self.shift;
        }
        (self.gaps / u64::from(self.taken)).max(4).ilog2() - 2
    }

    /// Lays all events out again, in 8 to 16 times as many buckets.
    #[cold]
    #[inline(never)]
    fn rebuild(&mut self) {
        let mut all = core::mem::take(&mut self.scratch);
        all.clear();
        for &head in &self.heads {
            let mut slot = head;
            while slot != NIL {
                all.push(slot);
                slot = self.slots[slot as usize].next;
            }
        }
        let late = core::mem::replace(&mut self.late, NIL);
        all.extend((late != NIL).then_some(late));
        all.sort_unstable_by_key(|&slot| self.slots[slot as usize].key());
        self.shift = self.wanted_shift();
        (self.gaps, self.taken) = (0, 0);
        let buckets = (8 * self.live).next_power_of_two().max(FEWEST_BUCKETS);
        self.heads.clear();
        self.heads.resize(buckets, NIL);
        self.used.clear();
        self.used.resize(buckets / 64, 0);
        self.page = u64::MAX >> self.shift;
        for &slot in &all {
            self.link(slot);
        }
        self.scratch = all;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Draw, Kind, Purpose, Streams};
    use std::collections::BTreeMap;

    /// The calendar beside an ordered map, under random orders of schedule, withdraw and pop, with ties and far events.
    #[test]
    fn same_order_as_a_sorted_map() {
        for seed in 0..30 {
            let mut draw = Streams::new(seed, 0).draws(Kind::Other, 0, Purpose::Other);
            let mut calendar = Calendar::new();
            let mut model: BTreeMap<(u64, u64), Entry> = BTreeMap::new();
            let (mut now, mut number) = (0_u64, 0_u64);
            let target = [3, 40, 900][(seed % 3) as usize];
            let scale = [1, 50, 1_000_000][(seed / 3 % 3) as usize];
            for step in 0..20_000_u64 {
                let many = if step % 5000 < 2500 { target } else { target / 3 };
                match draw.next_u64() % 8 {
                    0..4 if model.len() < many => {
                        let far = if draw.next_u64().is_multiple_of(50) { 100_000 } else { 10 };
                        let time = now + draw.next_u64() % far * scale;
                        model.insert((time, number), calendar.schedule(time, number));
                        number += 1;
                    }
                    4 if !model.is_empty() => {
                        let nth = usize::try_from(draw.next_u64()).expect("64 bits") % model.len();
                        let (&key, &entry) = model.iter().nth(nth).expect("in range");
                        model.remove(&key);
                        assert!(calendar.is_live(entry));
                        assert_eq!(calendar.withdraw(entry), Some(key.1));
                        assert_eq!(calendar.withdraw(entry), None);
                    }
                    5 => {
                        let next = model.first_key_value().map(|(key, _)| key.0);
                        assert_eq!(calendar.next_time(), next);
                        assert_eq!(calendar.pop_before(next.unwrap_or(0)), None);
                    }
                    _ => {
                        let expected = model.pop_first();
                        assert_eq!(calendar.pop(), expected.map(|(key, _)| key), "seed {seed} step {step}");
                        if let Some(((time, _), entry)) = expected {
                            now = time;
                            assert!(!calendar.is_live(entry));
                        }
                    }
                }
                assert_eq!(calendar.len(), model.len());
            }
            while let Some((key, _)) = model.pop_first() {
                assert_eq!(calendar.pop(), Some(key));
            }
            assert_eq!(calendar.pop(), None);
        }
    }

    #[test]
    fn fifty_thousand_events_of_one_instant_keep_their_order() {
        let mut calendar = Calendar::new();
        for i in 0..50_000 {
            calendar.schedule(9 * 3600 * 1_000_000, i);
        }
        for i in 0..50_000 {
            assert_eq!(calendar.pop().expect("pending").1, i);
        }
    }

    #[test]
    fn a_recycled_slot_does_not_answer_to_its_old_entry() {
        let mut calendar = Calendar::new();
        let old = calendar.schedule(1, 'a');
        assert_eq!(calendar.withdraw(old), Some('a'));
        let new = calendar.schedule(2, 'b');
        assert_eq!(calendar.withdraw(old), None);
        assert_eq!(calendar.withdraw(Entry::NONE), None);
        assert_eq!(calendar.withdraw(new), Some('b'));
    }
}
