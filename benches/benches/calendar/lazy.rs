//! A 4-ary heap without positions: a withdrawn event stays until its time and is then dropped.

#[derive(Debug, Clone)]
struct Slot<E> {
    generation: u32,
    event: E,
}

/// Pending events, each with a payload.
#[derive(Debug, Clone)]
pub(crate) struct Lazy<E> {
    heap: Vec<(u64, u64, u32)>,
    slots: Vec<Slot<E>>,
    free: Vec<u32>,
    sequence: u64,
}

fn key(n: (u64, u64, u32)) -> u128 {
    u128::from(n.0) << 64 | u128::from(n.1)
}

impl<E: Copy> Lazy<E> {
    pub(crate) fn new() -> Self {
        Self { heap: Vec::new(), slots: Vec::new(), free: Vec::new(), sequence: 0 }
    }

    #[inline]
    pub(crate) fn schedule(&mut self, time: u64, event: E) -> (u32, u32) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot { generation: 0, event });
            u32::try_from(self.slots.len() - 1).expect("few")
        });
        self.slots[slot as usize].event = event;
        let generation = self.slots[slot as usize].generation;
        let node = (time, self.sequence << 24 | u64::from(slot), generation);
        self.sequence += 1;
        self.heap.push(node);
        let mut i = self.heap.len() - 1;
        while i > 0 {
            let p = (i - 1) / 4;
            if key(self.heap[p]) < key(node) {
                break;
            }
            self.heap[i] = self.heap[p];
            i = p;
        }
        self.heap[i] = node;
        (slot, generation)
    }

    #[inline]
    pub(crate) fn pop(&mut self) -> Option<(u64, E)> {
        loop {
            let first = *self.heap.first()?;
            let last = self.heap.pop().expect("seen");
            if !self.heap.is_empty() {
                self.sink(last);
            }
            let slot = u32::try_from(first.1 & 0xff_ffff).expect("24 bits");
            let s = &mut self.slots[slot as usize];
            if s.generation == first.2 {
                s.generation += 1;
                self.free.push(slot);
                return Some((first.0, s.event));
            }
        }
    }

    #[inline]
    fn sink(&mut self, node: (u64, u64, u32)) {
        let mut i = 0;
        let n = self.heap.len();
        loop {
            let f = 4 * i + 1;
            if f >= n {
                break;
            }
            let mut c = f;
            for j in f + 1..(f + 4).min(n) {
                if key(self.heap[j]) < key(self.heap[c]) {
                    c = j;
                }
            }
            if key(node) < key(self.heap[c]) {
                break;
            }
            self.heap[i] = self.heap[c];
            i = c;
        }
        self.heap[i] = node;
    }

    #[inline]
    pub(crate) fn withdraw(&mut self, (slot, generation): (u32, u32)) -> Option<E> {
        let s = &mut self.slots[slot as usize];
        (s.generation == generation).then(|| {
            s.generation += 1;
            self.free.push(slot);
            s.event
        })
    }
}
