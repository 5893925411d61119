//! Deadlines: an indexed heap with O(log n) set and cancel. Those of one instant fire by kind, then in the order in
//! which they were set.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::time::Instant;

/// What falls due. The order of the variants is the order of firing within an instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Due {
    /// An offer's ring limit.
    Ring,
    /// The next operator of a progressive ring.
    RingStep,
    /// An outbound dial has no answer.
    Dial,
    /// A consulted, transferred-to or forwarded-to number has no answer.
    Target,
    /// An announcement, menu, callback offer or voicemail has taken its time.
    FlowStep,
    /// A queue's maximum wait.
    MaximumWait,
    /// Requirements relax.
    Relax,
    /// A call is no longer kept for its customer's last operator.
    Reservation,
    /// A forced end's announcement is cut.
    ForcedEnd,
    /// After-call work is over.
    AfterCall,
    /// After-call work is long.
    AfterCallPrompt,
    /// A lost device did not come back.
    DeviceGrace,
    /// A callback is tried again.
    CallbackRetry,
    /// An assigned ticket returns to its queue.
    TicketReturn,
    /// A ticket's first reply is late.
    FirstResponse,
    /// A ticket's resolution is late.
    Resolution,
    /// A solved ticket closes.
    TicketClose,
    /// A supervisor's device has no answer.
    Supervisor,
}

/// A deadline that is set, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Timer(u32);

impl Timer {
    pub(crate) const NONE: Self = Self(u32::MAX);

    pub(crate) const fn is_set(self) -> bool {
        self.0 != u32::MAX
    }
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Deadlines {
    heap: Vec<Entry>,
    slots: Vec<Slot>,
    free: Vec<u32>,
    sequence: u64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Entry {
    at: u64,
    /// Kind in the highest byte, then the sequence: one comparison for both.
    order: u64,
    slot: u32,
}

impl Entry {
    const fn before(&self, other: &Self) -> bool {
        self.at < other.at || (self.at == other.at && self.order < other.order)
    }
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Slot {
    position: u32,
    target: u32,
    due: Due,
}

const SEQUENCE_BITS: u32 = 56;

impl Deadlines {
    pub(crate) fn next(&self) -> Option<Instant> {
        self.heap.first().map(|entry| Instant::from_micros(entry.at))
    }

    /// When a timer is due.
    pub(crate) fn at(&self, timer: Timer) -> Option<Instant> {
        let slot = self.slots.get(timer.0 as usize)?;
        self.heap.get(slot.position as usize).map(|entry| Instant::from_micros(entry.at))
    }

    pub(crate) fn set(&mut self, at: Instant, due: Due, target: u32) -> Timer {
        self.sequence += 1;
        let order = (due as u64) << SEQUENCE_BITS | self.sequence;
        let position = index(self.heap.len());
        let new = Slot { position, target, due };
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = new;
            slot
        } else {
            self.slots.push(new);
            index(self.slots.len() - 1)
        };
        self.heap.push(Entry { at: at.as_micros(), order, slot });
        self.rise(position as usize);
        Timer(slot)
    }

    /// Cancels a timer, if it is set, and forgets it.
    pub(crate) fn cancel(&mut self, timer: &mut Timer) {
        if timer.is_set() {
            let position = self.slots[timer.0 as usize].position;
            self.remove(position as usize);
            *timer = Timer::NONE;
        }
    }

    /// Takes the first deadline that is due at `now`. Its owner must forget the timer.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<(Due, u32)> {
        let first = self.heap.first().filter(|entry| entry.at <= now.as_micros())?;
        let Slot { target, due, .. } = self.slots[first.slot as usize];
        self.remove(0);
        Some((due, target))
    }

    fn remove(&mut self, position: usize) {
        let entry = self.heap[position];
        self.free.push(entry.slot);
        let last = self.heap.pop().expect("the heap holds the entry that is removed");
        if position < self.heap.len() {
            self.put(position, last);
            if position > 0 && last.before(&self.heap[(position - 1) / 4]) {
                self.rise(position);
            } else {
                self.sink(position);
            }
        }
    }

    fn put(&mut self, position: usize, entry: Entry) {
        crate::effort::step();
        self.heap[position] = entry;
        self.slots[entry.slot as usize].position = index(position);
    }

    fn rise(&mut self, mut position: usize) {
        let entry = self.heap[position];
        while position > 0 {
            let parent = (position - 1) / 4;
            if !entry.before(&self.heap[parent]) {
                break;
            }
            self.put(position, self.heap[parent]);
            position = parent;
        }
        self.put(position, entry);
    }

    fn sink(&mut self, mut position: usize) {
        let entry = self.heap[position];
        loop {
            let first = 4 * position + 1;
            if first >= self.heap.len() {
                break;
            }
            let mut least = first;
            for child in first + 1..(first + 4).min(self.heap.len()) {
                if self.heap[child].before(&self.heap[least]) {
                    least = child;
                }
            }
            if !self.heap[least].before(&entry) {
                break;
            }
            self.put(position, self.heap[least]);
            position = least;
        }
        self.put(position, entry);
    }
}

fn index(n: usize) -> u32 {
    u32::try_from(n).expect("fewer than 2^32 deadlines")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fire_by_time_then_kind_then_order_of_setting() {
        let mut deadlines = Deadlines::default();
        let at = Instant::from_micros;
        deadlines.set(at(5), Due::TicketClose, 1);
        deadlines.set(at(5), Due::Ring, 2);
        let mut gone = deadlines.set(at(1), Due::Ring, 3);
        deadlines.set(at(5), Due::Ring, 4);
        deadlines.set(at(4), Due::Relax, 5);
        deadlines.cancel(&mut gone);
        assert!(!gone.is_set());
        let mut fired = Vec::new();
        while let Some((_, target)) = deadlines.take_due(at(5)) {
            fired.push(target);
        }
        assert_eq!(fired, [5, 2, 4, 1]);
        assert_eq!(deadlines.next(), None);
    }
}
