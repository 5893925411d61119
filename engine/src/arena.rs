//! Slots for live things. A slot is used again, but its id carries a running number that is not: an old id finds
//! nothing.

use alloc::vec::Vec;
use core::marker::PhantomData;

use serde::{Deserialize, Serialize};

/// What an id of an arena is made of.
pub(crate) trait Key: Copy {
    fn new(number: u32, slot: u32) -> Self;
    fn number(self) -> u32;
    fn slot(self) -> u32;
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Arena<K, T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    last_number: u32,
    #[serde(skip)]
    key: PhantomData<K>,
}

/// On lines of the cache of its own, the number before the beginning of the value.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[repr(C, align(64))]
struct Slot<T> {
    /// 0 for a free slot.
    number: u32,
    value: Option<T>,
}

impl<K, T> Default for Arena<K, T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), last_number: 0, key: PhantomData }
    }
}

impl<K: Key, T> Arena<K, T> {
    pub(crate) fn insert(&mut self, value: T) -> K {
        self.last_number = self.last_number.wrapping_add(1).max(1);
        let number = self.last_number;
        if let Some(slot) = self.free.pop() {
            self.slots[slot as usize] = Slot { number, value: Some(value) };
            return K::new(number, slot);
        }
        let slot = u32::try_from(self.slots.len()).expect("fewer than 2^32 live at once");
        self.slots.push(Slot { number, value: Some(value) });
        K::new(number, slot)
    }

    pub(crate) fn remove(&mut self, key: K) -> Option<T> {
        let slot = self.slots.get_mut(key.slot() as usize).filter(|slot| slot.number == key.number())?;
        slot.number = 0;
        self.free.push(key.slot());
        slot.value.take()
    }

    pub(crate) fn get(&self, key: K) -> Option<&T> {
        let slot = self.slots.get(key.slot() as usize)?;
        if slot.number == key.number() { slot.value.as_ref() } else { None }
    }

    pub(crate) fn get_mut(&mut self, key: K) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.slot() as usize)?;
        if slot.number == key.number() { slot.value.as_mut() } else { None }
    }

    /// A slot as it lies in memory.
    pub(crate) fn stored(&self, slot: u32) -> Option<&impl Sized> {
        self.slots.get(slot as usize)
    }

    /// The id of what lives in a slot.
    pub(crate) fn key_at(&self, slot: u32) -> Option<K> {
        let found = self.slots.get(slot as usize)?;
        (found.number != 0).then(|| K::new(found.number, slot))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (K, &T)> {
        self.slots
            .iter()
            .zip(0u32..)
            .filter_map(|(slot, index)| slot.value.as_ref().map(|value| (K::new(slot.number, index), value)))
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }
}

/// For ids that the engine itself holds: such an id always finds its value.
impl<K: Key, T> core::ops::Index<K> for Arena<K, T> {
    type Output = T;

    fn index(&self, key: K) -> &T {
        self.get(key).expect("an id that the engine holds is live")
    }
}

impl<K: Key, T> core::ops::IndexMut<K> for Arena<K, T> {
    fn index_mut(&mut self, key: K) -> &mut T {
        self.get_mut(key).expect("an id that the engine holds is live")
    }
}
