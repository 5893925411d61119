//! One pool's idle operators of one channel, in one policy's order: an indexed heap.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::config::{Channel, IdleSince, Policy};
use crate::effort::step;
use crate::id::OperatorId;

/// By what idle operators are ordered; several policies share an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Order {
    SinceLastCall,
    SinceReady,
    FewestCalls,
    LeastOccupied,
    LastOffer,
    Configuration,
}

impl Order {
    pub(crate) const fn of(policy: Policy) -> Self {
        match policy {
            Policy::LongestIdle(IdleSince::Ready) => Self::SinceReady,
            Policy::LongestIdle(IdleSince::LastCall)
            | Policy::HighestProficiency
            | Policy::RingAll
            | Policy::RingProgressive { .. } => Self::SinceLastCall,
            Policy::FewestCalls => Self::FewestCalls,
            Policy::LeastOccupied => Self::LeastOccupied,
            Policy::RoundRobin => Self::LastOffer,
            Policy::FixedOrder | Policy::Random => Self::Configuration,
        }
    }
}

/// What an operator's place in each order comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct IdleKeys {
    /// Microseconds.
    pub(crate) last_call: u64,
    /// Microseconds.
    pub(crate) ready_since: u64,
    /// How many times anybody had become Ready before.
    pub(crate) ready_sequence: u64,
    /// Answered since login.
    pub(crate) calls: u32,
    /// Busy share of logged-in time, in millionths.
    pub(crate) occupied: u32,
    /// How many offers anybody had had before the operator's last; 0 for none.
    pub(crate) last_offer: u64,
}

impl IdleKeys {
    /// Smaller goes first; ties go by operator.
    pub(crate) fn key(&self, order: Order, operator: OperatorId) -> u64 {
        /// The count above, the time of becoming Ready below: ties go to the one who is Ready longest.
        const SEQUENCE_BITS: u32 = 40;
        let tied = self.ready_sequence & ((1 << SEQUENCE_BITS) - 1);
        match order {
            Order::SinceLastCall => self.last_call,
            Order::SinceReady => self.ready_since,
            Order::FewestCalls => u64::from(self.calls.min((1 << 24) - 1)) << SEQUENCE_BITS | tied,
            Order::LeastOccupied => u64::from(self.occupied) << SEQUENCE_BITS | tied,
            Order::LastOffer => self.last_offer,
            Order::Configuration => u64::from(operator.0),
        }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Line {
    pub(crate) channel: Channel,
    pub(crate) order: Order,
    heap: Vec<Idle>,
    /// Of each seat of the pool: its place in the heap, or `ABSENT`.
    places: Vec<u32>,
}

/// An idle operator; smaller goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct Idle {
    key: u64,
    operator: u32,
    seat: u32,
}

const ABSENT: u32 = u32::MAX;

impl Line {
    pub(crate) const fn new(channel: Channel, order: Order) -> Self {
        Self { channel, order, heap: Vec::new(), places: Vec::new() }
    }

    pub(crate) fn reserve(&mut self, seats: usize) {
        self.heap.reserve_exact(seats);
        self.places.resize(seats, ABSENT);
    }

    pub(crate) fn first(&self) -> Option<(u64, u32)> {
        self.heap.first().map(|idle| (idle.key, idle.operator))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        self.heap.iter().inspect(|_| step()).map(|idle| (idle.key, idle.operator))
    }

    /// `true` if the head changed.
    pub(crate) fn insert(&mut self, seat: u32, operator: u32, key: u64) -> bool {
        assert_eq!(self.places[seat as usize], ABSENT, "an operator is idle once");
        self.heap.push(Idle { key, operator, seat });
        self.rise(self.heap.len() - 1) == 0
    }

    /// `true` if the head changed.
    pub(crate) fn remove(&mut self, seat: u32) -> bool {
        let at = self.places[seat as usize] as usize;
        self.places[seat as usize] = ABSENT;
        let last = self.heap.pop().expect("an idle operator is in the line");
        if at < self.heap.len() {
            self.heap[at] = last;
            if at > 0 && last < self.heap[(at - 1) / 4] {
                self.rise(at);
            } else {
                self.sink(at);
            }
        }
        at == 0
    }

    fn put(&mut self, at: usize, idle: Idle) {
        step();
        self.heap[at] = idle;
        self.places[idle.seat as usize] = super::small(at);
    }

    fn rise(&mut self, mut at: usize) -> usize {
        let idle = self.heap[at];
        while at > 0 && idle < self.heap[(at - 1) / 4] {
            self.put(at, self.heap[(at - 1) / 4]);
            at = (at - 1) / 4;
        }
        self.put(at, idle);
        at
    }

    fn sink(&mut self, mut at: usize) {
        let idle = self.heap[at];
        loop {
            let children = 4 * at + 1..(4 * at + 5).min(self.heap.len());
            let Some(least) = children.min_by_key(|&child| self.heap[child]) else { break };
            if idle < self.heap[least] {
                break;
            }
            self.put(at, self.heap[least]);
            at = least;
        }
        self.put(at, idle);
    }
}
