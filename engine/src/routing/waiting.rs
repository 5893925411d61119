//! The waiting work of one class in the order of service: an indexed heap, whose entries know their places.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::effort::step;

/// Order of service; smaller goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Key {
    /// Strict priority: greater priority is smaller here. 0 under ageing.
    pub(crate) class: i16,
    /// Microseconds at which it was queued, less a head start.
    pub(crate) at: i64,
    /// In which order things were queued.
    pub(crate) sequence: u64,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Entry {
    key: Key,
    place: u32,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Waiting {
    heap: Vec<Entry>,
}

impl Waiting {
    pub(crate) fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    pub(crate) fn first(&self) -> Option<(Key, u32)> {
        self.heap.first().map(|entry| (entry.key, entry.place))
    }

    /// In no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, u32)> + '_ {
        self.heap.iter().inspect(|_| step()).map(|entry| (entry.key, entry.place))
    }

    /// `moved(place, position)` is told every new position, of the new entry too.
    pub(crate) fn insert(&mut self, key: Key, place: u32, moved: impl FnMut(u32, u32)) {
        self.heap.push(Entry { key, place });
        self.rise(self.heap.len() - 1, moved);
    }

    pub(crate) fn remove(&mut self, position: u32, moved: impl FnMut(u32, u32)) {
        let at = position as usize;
        let last = self.heap.pop().expect("a waiting place is in its class");
        if at < self.heap.len() {
            self.heap[at] = last;
            if at > 0 && last.key < self.heap[(at - 1) / 4].key {
                self.rise(at, moved);
            } else {
                self.sink(at, moved);
            }
        }
    }

    fn rise(&mut self, mut at: usize, mut moved: impl FnMut(u32, u32)) {
        let entry = self.heap[at];
        step();
        while at > 0 && entry.key < self.heap[(at - 1) / 4].key {
            step();
            self.heap[at] = self.heap[(at - 1) / 4];
            moved(self.heap[at].place, super::small(at));
            at = (at - 1) / 4;
        }
        self.heap[at] = entry;
        moved(entry.place, super::small(at));
    }

    fn sink(&mut self, mut at: usize, mut moved: impl FnMut(u32, u32)) {
        let entry = self.heap[at];
        loop {
            step();
            let children = 4 * at + 1..(4 * at + 5).min(self.heap.len());
            let Some(least) = children.min_by_key(|&child| self.heap[child].key) else { break };
            if entry.key < self.heap[least].key {
                break;
            }
            self.heap[at] = self.heap[least];
            moved(self.heap[at].place, super::small(at));
            at = least;
        }
        self.heap[at] = entry;
        moved(entry.place, super::small(at));
    }
}
