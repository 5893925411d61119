//! A place in a queue, kept from the first wait to the answer, whatever rings in between.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::deadline::Timer;
use crate::id::{OfferId, OperatorId, QueueId};
use crate::output::Work;
use crate::routing::{Key, Needs};
use crate::time::Instant;

/// A slot of [`Places`].
pub(crate) type PlaceIndex = u32;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) work: Work,
    pub(crate) queue: QueueId,
    pub(crate) class: u32,
    pub(crate) key: Key,
    /// Where it is in its class's heap; `ABSENT` while offered or reserved.
    pub(crate) position: u32,
    pub(crate) queued_at: Instant,
    pub(crate) priority: u8,
    pub(crate) needs: Needs,
    pub(crate) relaxed: u8,
    /// Before all others of its priority.
    pub(crate) head: bool,
    pub(crate) reserved_for: Option<OperatorId>,
    pub(crate) maximum_wait: Timer,
    /// The maximum wait passed while it rang.
    pub(crate) overdue: bool,
    pub(crate) relax: Timer,
    pub(crate) reservation: Timer,
    pub(crate) ring_step: Timer,
    /// Offers that ring now: one, or several where the queue rings everybody.
    pub(crate) offers: Vec<OfferId>,
    /// Operators who missed or declined it and stayed Ready.
    pub(crate) missed_by: Vec<OperatorId>,
    /// Waits to be matched at the end of the command.
    pub(crate) unsettled: bool,
}

pub(crate) const ABSENT: u32 = u32::MAX;

impl Place {
    pub(crate) fn is_waiting(&self) -> bool {
        self.offers.is_empty()
    }
}

/// Places are used again with their lists, so that steady state allocates nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Places {
    slots: Vec<Place>,
    free: Vec<PlaceIndex>,
}

impl Places {
    pub(crate) fn insert(&mut self, mut place: Place) -> PlaceIndex {
        match self.free.pop() {
            Some(index) => {
                let slot = &mut self.slots[index as usize];
                core::mem::swap(&mut place.offers, &mut slot.offers);
                core::mem::swap(&mut place.missed_by, &mut slot.missed_by);
                *slot = place;
                index
            }
            None => {
                self.slots.push(place);
                crate::routing::small(self.slots.len() - 1)
            }
        }
    }

    /// Frees a slot whose offers are over.
    pub(crate) fn remove(&mut self, index: PlaceIndex) {
        let place = &mut self.slots[index as usize];
        assert!(place.offers.is_empty(), "a place goes only when nothing rings for it");
        place.missed_by.clear();
        self.free.push(index);
    }

    /// Those in use, in no order. O(n).
    pub(crate) fn iter(&self) -> impl Iterator<Item = (PlaceIndex, &Place)> {
        let mut used = alloc::vec![true; self.slots.len()];
        for &free in &self.free {
            used[free as usize] = false;
        }
        (0..).zip(&self.slots).zip(used).filter(|(_, used)| *used).map(|(entry, _)| entry)
    }
}

impl core::ops::Index<PlaceIndex> for Places {
    type Output = Place;

    fn index(&self, index: PlaceIndex) -> &Place {
        &self.slots[index as usize]
    }
}

impl core::ops::IndexMut<PlaceIndex> for Places {
    fn index_mut(&mut self, index: PlaceIndex) -> &mut Place {
        &mut self.slots[index as usize]
    }
}
