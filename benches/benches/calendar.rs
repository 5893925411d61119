//! Which structure holds the simulator's future: ours (a calendar queue), an indexed
//! heap, and a heap that drops withdrawn events late.
//!
//! One step is what one call of M/M/n+M costs: an arrival fires and is scheduled again, a patience is scheduled and nine
//! times in ten withdrawn, a talk is scheduled and fires. Live events: about `n`.

use callfloor_sim::calendar::{Calendar, Entry};
use criterion::{Criterion, criterion_group, criterion_main};
use std::hint::black_box;

#[path = "calendar/heap.rs"]
mod heap;
#[path = "calendar/lazy.rs"]
mod lazy;

trait Future {
    type Entry: Copy;
    fn schedule(&mut self, time: u64, event: Event) -> Self::Entry;
    fn pop(&mut self) -> Option<(u64, Event)>;
    fn withdraw(&mut self, entry: Self::Entry) -> Option<Event>;
}

macro_rules! future {
    ($name:ty, $entry:ty) => {
        impl Future for $name {
            type Entry = $entry;
            #[inline]
            fn schedule(&mut self, time: u64, event: Event) -> $entry {
                <$name>::schedule(self, time, event)
            }
            #[inline]
            fn pop(&mut self) -> Option<(u64, Event)> {
                <$name>::pop(self)
            }
            #[inline]
            fn withdraw(&mut self, entry: $entry) -> Option<Event> {
                <$name>::withdraw(self, entry)
            }
        }
    };
}

#[derive(Debug, Clone, Copy)]
enum Event {
    Arrival,
    Patience(u64),
    TalkEnds(u64),
}

future!(Calendar<Event>, Entry);
future!(lazy::Lazy<Event>, (u32, u32));
future!(heap::Heap<Event>, heap::Entry);

struct Floor<F> {
    future: F,
    state: u64,
    talk: u64,
    gap: u64,
}

impl<F: Future> Floor<F> {
    fn new(mut future: F, n: u64) -> Self {
        let (talk, gap) = (300_000_000, 300_000_000 / n);
        let mut state = 1;
        for i in 0..n {
            future.schedule(exponential(&mut state, talk), Event::TalkEnds(i));
        }
        future.schedule(0, Event::Arrival);
        Self { future, state, talk, gap }
    }

    fn step(&mut self) {
        loop {
            match self.future.pop().expect("an arrival is always pending") {
                (now, Event::Arrival) => {
                    let next = now + exponential(&mut self.state, self.gap);
                    self.future.schedule(next, Event::Arrival);
                    let gives_up = now + exponential(&mut self.state, 180_000_000);
                    let patience = self.future.schedule(gives_up, Event::Patience(now));
                    if !self.state.is_multiple_of(10) {
                        black_box(self.future.withdraw(patience));
                    }
                    let end = now + exponential(&mut self.state, self.talk);
                    self.future.schedule(end, Event::TalkEnds(now));
                    return;
                }
                (_, Event::Patience(x) | Event::TalkEnds(x)) => {
                    black_box(x);
                }
            }
        }
    }
}

fn exponential(state: &mut u64, mean: u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^= z >> 31;
    // −ln u without a logarithm: the exponent of u, and a straight line for the rest. Near enough for a calendar.
    let zeros = z.leading_zeros();
    let rest = (z << zeros << 1) >> 32;
    (mean * u64::from(zeros) + mean * (u64::from(u32::MAX) - rest) / (1 << 32)) * 7 / 10
}

fn measure(c: &mut Criterion) {
    for n in [64, 4096, 65_536] {
        let mut group = c.benchmark_group(format!("calendar/{n}"));
        group.sample_size(20);
        group.measurement_time(std::time::Duration::from_secs(1));
        group.warm_up_time(std::time::Duration::from_millis(500));
        let mut floor = Floor::new(Calendar::new(), n);
        group.bench_function("ours", |b| b.iter(|| floor.step()));
        let mut floor = Floor::new(lazy::Lazy::new(), n);
        group.bench_function("lazy heap", |b| b.iter(|| floor.step()));
        let mut floor = Floor::new(heap::Heap::new(), n);
        group.bench_function("indexed heap", |b| b.iter(|| floor.step()));
    }
}

criterion_group!(benches, measure);
criterion_main!(benches);
