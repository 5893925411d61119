//! The fast path of a floor with one queue and one pool of equal operators: no engine, one step a call.
//!
//! First come, first served with general patience needs no events: a caller waits until the earliest moment at which an
//! operator is free of all who came before, or leaves at the end of their patience (F. Baccelli and G. Hebuterne, "On
//! queues with impatient customers", Performance '81, 1981; D. V. Lindley's recursion with many servers by J. Kiefer and J.
//! Wolfowitz, 1955). The customers, their patience and their talk times come from the same streams as with the engine, and
//! every count is the same; only the engine's commands and its events are not there. The results say that it was used.

use crate::arrival::{ArrivalProcess, customer_id, micros};
use crate::model::Model;
use crate::stream::{Kind, Purpose, Streams};
use callfloor_measure::{Grid, HandlePart, Status, Tally};
use callfloor_scenario::clock::DAY_US;
use callfloor_scenario::{Arrivals, Channel, CustomerClass, Days, Entry, Horizon, NextStatus, Policy, TraceArrival};
use std::sync::atomic::{AtomicBool, Ordering};

/// Longer than any run: such a patience is never drawn on.
const FOR_EVER_S: f64 = 1e10;

/// Whether a floor is such that [`run`] gives the engine's figures; otherwise what stands against it.
pub(crate) fn objection(model: &Model<'_>) -> Option<&'static str> {
    let scenario = model.scenario;
    let ([class], [queue], [group]) = (&scenario.classes[..], &scenario.queues[..], &scenario.groups[..]) else {
        return Some("it has more than one class, queue or group");
    };
    let (class_model, group_model) = (&model.classes[0], &model.groups[0]);
    let settings = &scenario.services[class.service.0].settings;
    let always = |shift: &callfloor_scenario::Shift| {
        shift.days == Days::All && shift.from_us == 0 && shift.to_us == DAY_US && shift.count.present > 0
    };
    let obstacles = [
        (!scenario.campaigns.is_empty(), "it has a campaign"),
        (matches!(scenario.horizon, Horizon::Days { .. }), "it runs for days with an opening and a closing time"),
        (model.warm_up_calls > 0, "its warm-up is a number of calls"),
        (
            class.channel != Channel::Phone || class.entry != Entry::Queue(callfloor_scenario::QueueIndex(0)),
            "its contacts do not go straight to a queue",
        ),
        (!scenario.services[class.service.0].inbound, "its service has no contract for inbound calls"),
        (class.balking > 0.0 || class.redial.is_some(), "its customers balk or call again"),
        (!class.skills.is_empty() || !queue.skills.is_empty(), "skills are asked for"),
        (!class.mean_handling.is_empty(), "its handling time follows a forecast"),
        (!class_model.handling.plain, "its talks are more than talk"),
        (
            queue.limit.is_some()
                || queue.max_wait_us.is_some()
                || !queue.relax.is_empty()
                || queue.last_operator.is_some(),
            "its queue has limits or preferences",
        ),
        (matches!(queue.policy, Policy::RingAll | Policy::RingProgressively { .. }), "several operators ring at once"),
        (!group_model.instant, "its operators take time to answer, or miss offers"),
        (
            !group.breaks.is_empty() || group.shifts.len() != 1 || !group.shifts.iter().all(always),
            "its operators come and go",
        ),
        (
            settings.after_call_limit_us.is_some() || group_model.next_status != NextStatus::Ready,
            "after-call work has rules",
        ),
        (trace_of(class).is_some_and(|trace| trace.iter().any(|t| t.priority.is_some())), "its trace has priorities"),
    ];
    obstacles.into_iter().find_map(|(there, what)| there.then_some(what))
}

fn trace_of(class: &CustomerClass) -> Option<&[TraceArrival]> {
    match &class.arrivals {
        Arrivals::Trace { arrivals } => Some(arrivals),
        Arrivals::Rates { .. } => None,
    }
}

/// When each operator is free: a winner tree with the least time at its root.
struct FreeTimes {
    /// Times with the operator's number in the low bits; `nodes[1]` is the root, the second half are the leaves.
    nodes: Vec<u64>,
    bits: u32,
}

impl FreeTimes {
    fn new(operators: u32) -> Self {
        let width = operators.next_power_of_two().max(2);
        let bits = width.ilog2();
        let mut nodes = vec![u64::MAX; 2 * width as usize];
        for operator in 0..operators {
            nodes[(width + operator) as usize] = u64::from(operator);
        }
        for node in (1..width as usize).rev() {
            nodes[node] = nodes[2 * node].min(nodes[2 * node + 1]);
        }
        Self { nodes, bits }
    }

    /// The earliest time, and whose it is.
    #[inline]
    fn first(&self) -> (u64, usize) {
        let root = self.nodes[1];
        (root >> self.bits, usize::try_from(root & ((1 << self.bits) - 1)).expect("an operator's number"))
    }

    #[inline]
    fn set(&mut self, operator: usize, time: u64) {
        assert!(time < 1 << (64 - self.bits), "time runs out for so many operators");
        let mut best = time << self.bits | operator as u64;
        let mut node = (1 << self.bits) + operator;
        self.nodes[node] = best;
        while node > 1 {
            best = best.min(self.nodes[node ^ 1]);
            node /= 2;
            self.nodes[node] = best;
        }
    }
}

/// What an operator did last: counted when the next call comes to them, or at the end.
#[derive(Clone, Copy, Default)]
struct LastCall {
    talk_ends: u64,
    free: u64,
    any: bool,
}

/// The interval of times that mostly grow.
struct Clock {
    grid: Grid,
    interval: Option<usize>,
    from: u64,
    to: u64,
}

impl Clock {
    #[inline]
    fn of(&mut self, time: u64) -> Option<usize> {
        if time < self.from || time >= self.to {
            self.interval = self.grid.index_of(time);
            let start = self.interval.map_or(0, |i| self.grid.start_us + i as u64 * self.grid.interval_us);
            let end = match self.interval {
                Some(last) if last + 1 == self.grid.intervals => {
                    if self.grid.open_end {
                        u64::MAX
                    } else {
                        self.grid.end_us()
                    }
                }
                Some(_) => start + self.grid.interval_us,
                None if time < self.grid.start_us => self.grid.start_us,
                None => u64::MAX,
            };
            let start = if self.interval.is_none() && time >= self.grid.start_us { self.grid.end_us() } else { start };
            (self.from, self.to) = (start, end);
        }
        self.interval
    }
}

/// Runs replication number `replication`; `None` if it was cancelled.
pub(crate) fn run(model: &Model<'_>, seed: u64, replication: u32, cancel: Option<&AtomicBool>) -> Option<Tally> {
    let scenario = model.scenario;
    let streams = Streams::new(seed, u64::from(replication));
    let (class, handling) = (&scenario.classes[0], &model.classes[0].handling);
    let patience_of = &model.classes[0].patience;
    let factor = model.groups[0].factor;
    let operators = scenario.groups[0].shifts[0].count.present;
    let mut process = ArrivalProcess::new(0, &class.arrivals, &scenario.horizon, &scenario.clock, streams);
    let mut tally = Tally::new(&model.header);
    let grid = model.header.grid;
    let mut clock = Clock { grid, interval: None, from: 0, to: 0 };
    let mut start_clock = Clock { grid, interval: None, from: 0, to: 0 };
    let mut end_clock = Clock { grid, interval: None, from: 0, to: 0 };
    let mut free_times = FreeTimes::new(operators);
    let mut last = vec![LastCall::default(); operators as usize];
    let mut edges = vec![0_u64; grid.intervals + 1];
    let end_us = match scenario.horizon {
        Horizon::Steady { warm_up_us, length_us } => warm_up_us + length_us,
        _ => u64::MAX,
    };
    let (mut end, mut tickets_unsolved) = (0, 0_u64);
    let mut calls = 0;
    while calls < model.calls {
        let Some(arrival) = process.next_arrival() else { break };
        calls += 1;
        if calls % (1 << 16) == 0 && cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            return None;
        }
        let now = arrival.at_us;
        let trace = arrival.trace.and_then(|index| trace_of(class)?.get(index));
        let id = customer_id(0, arrival.number, 0);
        let draws = |purpose, lane: usize| streams.draws_from(Kind::Customer, id, purpose, arrival.words[lane]);
        let arrived = clock.of(now);
        tally.offered(0, arrived);
        let (free, operator) = free_times.first();
        let begins = free.max(now);
        if begins > now {
            let patience = trace.and_then(|t| t.patience_s);
            let patience = patience.unwrap_or_else(|| patience_of.sample(&mut draws(Purpose::Patience, 1)));
            let gives_up = if patience < FOR_EVER_S { now + micros(patience) } else { u64::MAX };
            let leaves = gives_up.min(begins);
            count_edges(&mut edges, &grid, now, leaves);
            if leaves >= end_us {
                continue;
            }
            if gives_up < begins {
                tally.abandoned(0, arrived, start_clock.of(gives_up), gives_up - now);
                end = end.max(gives_up);
                continue;
            }
        }
        let talk = trace.and_then(|t| t.talk_s);
        let talk = talk.unwrap_or_else(|| factor * handling.talk.sample(&mut draws(Purpose::Talk, 2)));
        let work = trace.and_then(|t| t.after_call_s);
        let work = work.unwrap_or_else(|| factor * handling.after_call.sample(&mut draws(Purpose::AfterCall, 3)));
        let talk_ends = begins + micros(talk);
        let free = talk_ends + micros(work);
        let interval = start_clock.of(begins);
        tally.answered(0, arrived, interval, begins - now);
        if let Some(interval) = interval {
            let counts = tally.counts_mut(0, interval);
            counts.rings += 1;
            counts.tickets_created += 1;
        }
        part(&mut tally, &start_clock, HandlePart::Talk, Status::Talking, begins, talk_ends.min(end_us));
        let before = std::mem::replace(&mut last[operator], LastCall { talk_ends, free, any: true });
        wrap_up(&mut tally, &mut end_clock, before, u64::MAX);
        free_times.set(operator, free);
        end = end.max(talk_ends);
    }
    if end_us < u64::MAX {
        end = end_us;
    }
    for call in last {
        tickets_unsolved += u64::from(!wrap_up(&mut tally, &mut end_clock, call, end));
    }
    debug_assert!(tickets_unsolved <= u64::from(operators));
    fill_ready_time(&mut tally, &grid, operators, end);
    for (edge, &waiting) in edges.iter().enumerate() {
        tally.waiting_at_edge(0, edge, waiting);
    }
    if end_us == u64::MAX {
        tally.elapsed_us = Some(end.saturating_sub(grid.start_us));
    }
    tally.calls = calls;
    tally.fast_path = true;
    Some(tally)
}

/// Books a part of a call, and the operator's time in it.
#[inline]
fn part(tally: &mut Tally, clock: &Clock, part: HandlePart, status: Status, from: u64, to: u64) {
    if let Some(interval) = clock.interval
        && (clock.from <= from && to <= clock.to)
    {
        tally.counts_mut(0, interval).add_part(part, to - from);
        tally.staff_mut(0, interval).add_status(status, to - from);
        return;
    }
    tally.handled(0, part, from, to);
    tally.in_status(0, status, from, to);
}

/// Books what followed a call, up to `end`; whether it was finished by then.
#[inline]
fn wrap_up(tally: &mut Tally, clock: &mut Clock, call: LastCall, end: u64) -> bool {
    if !call.any {
        return true;
    }
    let interval = clock.of(call.free);
    if call.free > call.talk_ends {
        part(tally, clock, HandlePart::AfterCall, Status::AfterCallWork, call.talk_ends, call.free.min(end));
    }
    let done = call.free <= end;
    if done && let Some(interval) = interval {
        tally.counts_mut(0, interval).tickets_solved += 1;
    }
    done
}

/// A caller who came at `from` and left the queue at `until` was waiting at every boundary after `from`, `until` included.
#[inline]
fn count_edges(edges: &mut [u64], grid: &Grid, from: u64, until: u64) {
    if until < grid.start_us {
        return;
    }
    let first = if from < grid.start_us { 0 } else { (from - grid.start_us) / grid.interval_us + 1 };
    // With an open end the last boundary is the end of the run, when nobody waits.
    let most = grid.intervals as u64 - u64::from(grid.open_end);
    let last = ((until - grid.start_us) / grid.interval_us).min(most);
    for edge in first..=last {
        edges[usize::try_from(edge).expect("an edge of the grid")] += 1;
    }
}

/// Operators who are neither talking nor at after-call work are Ready.
fn fill_ready_time(tally: &mut Tally, grid: &Grid, operators: u32, end: u64) {
    let mut present = vec![0; grid.intervals];
    grid.split(0, end, |interval, span| present[interval] += span * u64::from(operators));
    for (interval, present) in present.into_iter().enumerate() {
        let staff = tally.staff_mut(0, interval);
        let busy: u64 = staff.in_status_us.iter().sum();
        staff.add_status(Status::Ready, present - busy);
        staff.paid_us += present;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_is_first() {
        for operators in [1, 2, 3, 50, 64, 65] {
            let mut tree = FreeTimes::new(operators);
            let mut plain = vec![0_u64; operators as usize];
            let mut state = 7_u64;
            for _ in 0..2000 {
                let (time, operator) = tree.first();
                assert_eq!((Some(&time), plain[operator]), (plain.iter().min(), time));
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                plain[operator] += state >> 40;
                tree.set(operator, plain[operator]);
            }
        }
    }
}
