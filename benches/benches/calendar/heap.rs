//! An indexed 4-ary heap: positions are kept, so that a withdrawn event leaves at once.

/// Bits of a node's tag that hold its slot; the others hold the sequence number.
const SLOT_BITS: u32 = 24;
const SLOT_MASK: u64 = (1 << SLOT_BITS) - 1;
/// Children of a node.
const WIDTH: usize = 4;

/// A scheduled event, by which it can be withdrawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    slot: u32,
    generation: u32,
}

/// A heap node: (time in microseconds, sequence number and slot). The sequence decides between equal times.
type Node = (u64, u64);

/// Pending events, each with a payload.
#[derive(Debug, Clone, Default)]
pub(crate) struct Heap<E> {
    heap: Vec<Node>,
    slots: Vec<Slot<E>>,
    free: Vec<u32>,
    sequence: u64,
}

#[derive(Debug, Clone)]
struct Slot<E> {
    position: u32,
    generation: u32,
    event: E,
}

const fn slot_of(node: Node) -> usize {
    (node.1 & SLOT_MASK) as usize
}

const fn key(node: Node) -> u128 {
    (node.0 as u128) << 64 | node.1 as u128
}

impl<E: Copy> Heap<E> {
    /// An empty calendar.
    #[must_use]
    pub(crate) const fn new() -> Self {
        Self { heap: Vec::new(), slots: Vec::new(), free: Vec::new(), sequence: 0 }
    }

    /// Adds `event` at `time` microseconds, after all events of that instant that are already there.
    ///
    /// # Panics
    /// With 2²⁴ events pending at once, or after 2⁴⁰ events in all.
    #[inline]
    pub(crate) fn schedule(&mut self, time: u64, event: E) -> Entry {
        let slot = if let Some(slot) = self.free.pop() {
            self.slots[slot as usize].event = event;
            slot
        } else {
            self.add_slot(event)
        };
        let sequence = self.sequence;
        self.sequence += 1;
        let node = (time, sequence << SLOT_BITS | u64::from(slot));
        self.heap.push(node);
        self.rise(self.heap.len() - 1, node);
        Entry { slot, generation: self.slots[slot as usize].generation }
    }

    #[cold]
    #[inline(never)]
    fn add_slot(&mut self, event: E) -> u32 {
        assert!(self.slots.len() < 1 << SLOT_BITS, "more than {} events are pending", 1 << SLOT_BITS);
        assert!(self.sequence < 1 << (64 - SLOT_BITS), "more than 2^40 events were scheduled");
        let slot = u32::try_from(self.slots.len()).expect("bounded above");
        self.slots.push(Slot { position: 0, generation: 0, event });
        // Every slot may be free at once: no later release allocates.
        self.free.reserve(self.slots.len());
        slot
    }

    /// Takes the earliest event, with its time in microseconds.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<(u64, E)> {
        let first = *self.heap.first()?;
        let slot = slot_of(first);
        let last = self.heap.pop().expect("just seen");
        if !self.heap.is_empty() {
            self.sink(0, last);
        }
        Some((first.0, self.release(slot)))
    }

    /// Takes an event back, or returns `None` if it has already fired or been withdrawn.
    #[inline]
    pub(crate) fn withdraw(&mut self, entry: Entry) -> Option<E> {
        let slot = entry.slot as usize;
        let held = self.slots.get(slot).filter(|held| held.generation == entry.generation)?;
        let position = held.position as usize;
        let last = self.heap.pop().expect("a live entry has a node");
        if position < self.heap.len() {
            if position > 0 && key(last) < key(self.heap[(position - 1) / WIDTH]) {
                self.rise(position, last);
            } else {
                self.sink(position, last);
            }
        }
        Some(self.release(slot))
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "slots fit in 24 bits")]
    fn release(&mut self, slot: usize) -> E {
        let held = &mut self.slots[slot];
        held.generation = held.generation.wrapping_add(1);
        self.free.push(slot as u32);
        held.event
    }

    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "positions fit in 24 bits")]
    fn put(&mut self, position: usize, node: Node) {
        self.heap[position] = node;
        self.slots[slot_of(node)].position = position as u32;
    }

    #[inline]
    fn rise(&mut self, mut position: usize, node: Node) {
        while position > 0 {
            let parent = (position - 1) / WIDTH;
            if key(self.heap[parent]) < key(node) {
                break;
            }
            self.put(position, self.heap[parent]);
            position = parent;
        }
        self.put(position, node);
    }

    #[inline]
    fn sink(&mut self, mut position: usize, node: Node) {
        loop {
            let first = WIDTH * position + 1;
            let children = if let Some(four) = self.heap.get(first..first + WIDTH) {
                four
            } else if first < self.heap.len() {
                &self.heap[first..]
            } else {
                break;
            };
            let (mut least, mut least_key) = (0, key(children[0]));
            for (i, &child) in children.iter().enumerate().skip(1) {
                if key(child) < least_key {
                    (least, least_key) = (i, key(child));
                }
            }
            if key(node) < least_key {
                break;
            }
            self.put(position, self.heap[first + least]);
            position = first + least;
        }
        self.put(position, node);
    }
}
