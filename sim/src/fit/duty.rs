//! Who was on duty when, worked out from who takes calls when.
//!
//! A log names the operator of each service but not who was there. While callers wait, an operator who takes none is not
//! available; that nobody waits is weaker evidence that they are, for without them a queue would form by and by, as often as
//! one does in that hour. So the time of an operator between two services is a hidden Markov
//! chain in steps of [`STEP_S`] seconds: available, in after-call work (quick or slow), on a break, or away. After-call work
//! shows only while callers wait, so its lengths come from such pauses alone ([`AfterCall`]). The operator is
//! certainly not available in a step in which callers wait, and available when the next call is taken. Its rates are
//! learnt by L. E. Baum's forward–backward algorithm over all gaps of the log, and a plan for a day is one path drawn from
//! what is then known (forward filtering, backward sampling), so that replications also differ by what the log leaves open.
//!
//! Services of one code that overlap belong to different lines: some codes are used by two people at a time. A service
//! without a code is a line of its own.

use jiff::civil::Date;

use super::log::Call;
use crate::stream::Draw;

/// Length of a step in seconds.
pub const STEP_S: i64 = 4;
/// An operator takes the next call this many seconds after the last one at the earliest.
pub const TURN_S: i64 = 3;
/// How far before the first and after the last service of a day an operator may have been there, in seconds.
const EDGE_S: i64 = 3600;
/// States: available, quick and slow after-call work, break, away.
const STATES: usize = 5;
const AWAY: usize = STATES - 1;
/// Seconds of the longest day: services begun before midnight end after it.
const HORIZON_S: i64 = 90_000;

/// What lies at the two ends of a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Before the first service.
    Before,
    /// Between two services.
    Between,
    /// After the last service.
    After,
}

#[derive(Debug, Clone)]
struct Gap {
    from_s: i64,
    to_s: i64,
    place: Place,
    /// Middle of the service before it: when the decision to leave was taken, on average.
    decided_s: i64,
    /// Whether callers waited, by step.
    waiting: Vec<bool>,
    /// Probability that no queue forms in a step in which this operator is not available.
    calm: f64,
}

#[derive(Debug, Clone)]
struct Line {
    /// Start of the first service, for a line without a code also the middle of the only one.
    only: Option<(i64, i64)>,
    gaps: Vec<Gap>,
    operator: Option<usize>,
}

/// What is known of one day's operators.
#[derive(Debug, Clone)]
pub struct DayFloor {
    /// The day.
    pub date: Date,
    /// Whether its operators are the specialists.
    pub specialists: bool,
    lines: Vec<Line>,
    pauses: Vec<Pause>,
}

/// What an operator did after a service at whose end callers waited, as far as it was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Pause {
    /// From the end of the service, in seconds.
    length_s: f64,
    /// Whether the next service ended it; otherwise nobody waited any more, and how long it went on is not known.
    seen: bool,
}

/// Operators who do one type of call and nothing else, and those types.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Specialists {
    /// Operators, by place in the log's list, in order.
    pub operators: Vec<usize>,
    /// Types of call, by place in the log's list, most of whose services are theirs, in order.
    pub kinds: Vec<usize>,
}

impl Specialists {
    /// Finds them: at least 95 % of an operator's services, and at least 30 of them, are of one type that is less than
    /// a third of all; the type is theirs if they give at least half of its services.
    #[must_use]
    pub fn find(calls: &[Call], operators: usize, kinds: usize) -> Self {
        let mut counts = vec![vec![0_usize; kinds]; operators];
        let mut totals = vec![0_usize; kinds];
        for call in calls {
            if let Some(operator) = call.service.and_then(|s| s.operator) {
                counts[operator][call.kind] += 1;
                totals[call.kind] += 1;
            }
        }
        let all: usize = totals.iter().sum();
        let mut found: Vec<(usize, usize)> = Vec::new();
        for (operator, own) in counts.iter().enumerate() {
            let sum: usize = own.iter().sum();
            for (kind, n) in own.iter().enumerate() {
                if sum >= 30 && 20 * n >= 19 * sum && 3 * totals[kind] < all {
                    found.push((operator, kind));
                }
            }
        }
        let theirs = |kind: usize| -> usize { found.iter().filter(|f| f.1 == kind).map(|f| counts[f.0][kind]).sum() };
        let kinds: Vec<usize> = (0..kinds).filter(|k| theirs(*k) > 0 && 2 * theirs(*k) >= totals[*k]).collect();
        let operators = found.iter().filter(|f| kinds.contains(&f.1)).map(|f| f.0).collect();
        Self { operators, kinds }
    }

    /// The floors of one day: of the others, and of the specialists if there are any.
    #[must_use]
    pub fn floors(&self, date: Date, calls: &[Call]) -> Vec<DayFloor> {
        if self.kinds.is_empty() {
            return vec![DayFloor::new(date, calls)];
        }
        let is_special = |call: &Call| match call.service.and_then(|s| s.operator) {
            Some(operator) => self.operators.contains(&operator),
            None => self.kinds.contains(&call.kind),
        };
        let (special, mut others): (Vec<Call>, Vec<Call>) = calls.iter().cloned().partition(is_special);
        for call in &mut others {
            // The others help out when they are free: that such a caller waited proves nothing about them.
            if self.kinds.contains(&call.kind) {
                call.wait_us = 0;
            }
        }
        let mut special = DayFloor::new(date, &special);
        special.specialists = true;
        vec![DayFloor::new(date, &others), special]
    }
}

/// What an operator does at some moment of a plan. Seconds since midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Duty {
    /// Comes to work.
    Comes {
        /// When.
        at_s: i64,
    },
    /// Wants a break: at once when idle, else after the call in hand.
    Break {
        /// When it is due.
        due_s: i64,
        /// How long it lasts.
        length_s: i64,
    },
    /// Goes home: at once when idle, else after the call in hand.
    Goes {
        /// When it is due.
        due_s: i64,
    },
}

/// One operator's plan for a day, in order of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The operator, by place in the log's list; `None`: services without a code.
    pub operator: Option<usize>,
    /// What happens.
    pub duties: Vec<Duty>,
}

/// The learnt chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Chain {
    /// Share of services after which each state begins.
    pub start: [f64; STATES],
    /// Probability of each state after each, by step.
    pub step: [[f64; STATES]; STATES],
    /// Gaps that it was learnt from.
    pub gaps: usize,
}

/// After-call work as the pauses tell it in which callers wait: whoever does not take the next of them is still busy.
///
/// One of three exponentials beyond [`TURN_S`], of which the longest is a break and no work; likelihood by expectation and
/// maximisation, with pauses censored when nobody waits any more.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AfterCall {
    /// Pauses that it was learnt from; below [`AfterCall::LEAST`] the log cannot tell, and there is no work but the turn.
    pub pauses: usize,
    /// Share of services with quick after-call work.
    pub quick_share: f64,
    /// Mean of the quick work in seconds.
    pub quick_mean_s: f64,
    /// Mean of the slow work in seconds.
    pub slow_mean_s: f64,
}

impl AfterCall {
    /// Fewest pauses that tell anything.
    pub const LEAST: usize = 100;

    /// Learns it from the pauses of some days.
    #[must_use]
    pub fn learn(days: &[DayFloor]) -> Self {
        let pauses: Vec<Pause> = days.iter().flat_map(|d| &d.pauses).copied().collect();
        let turn_s = TURN_S as f64;
        if pauses.len() < Self::LEAST {
            return Self {
                pauses: pauses.len(),
                quick_share: 1.0,
                quick_mean_s: turn_s + 0.1,
                slow_mean_s: turn_s + 30.0,
            };
        }
        let (mut weight, mut mean_s) = ([0.7, 0.2, 0.1], [2.0, 20.0, 300.0]);
        for _ in 0..300 {
            let (mut own, mut spent) = ([1e-9; 3], [0.0; 3]);
            for pause in &pauses {
                let beyond_s = (pause.length_s - turn_s).max(0.0);
                let likely: [f64; 3] = std::array::from_fn(|k| {
                    let longer = weight[k] * (-beyond_s / mean_s[k]).exp();
                    if pause.seen { longer / mean_s[k] } else { longer }
                });
                let all = likely.iter().sum::<f64>().max(1e-300);
                for k in 0..3 {
                    let share = likely[k] / all;
                    own[k] += share;
                    spent[k] += share * if pause.seen { beyond_s } else { beyond_s + mean_s[k] };
                }
            }
            let total: f64 = own.iter().sum();
            weight = own.map(|n| n / total);
            mean_s = std::array::from_fn(|k| (spent[k] / own[k]).max(0.1));
        }
        Self {
            pauses: pauses.len(),
            quick_share: weight[0] / (weight[0] + weight[1]),
            quick_mean_s: turn_s + mean_s[0],
            slow_mean_s: turn_s + mean_s[1],
        }
    }

    /// Mean over all services in seconds.
    #[must_use]
    pub fn mean_s(&self) -> f64 {
        self.quick_share * self.quick_mean_s + (1.0 - self.quick_share) * self.slow_mean_s
    }
}

/// Seconds of a day in which somebody waits, as a running sum.
fn waiting_seconds(calls: &[Call]) -> Vec<i64> {
    let end = usize::try_from(HORIZON_S).unwrap_or(0);
    let mut change = vec![0_i64; end + 2];
    let mut spell = |from: i64, to: i64, by: i64| {
        for (at, by) in [(from, by), (to, -by)] {
            change[usize::try_from(at.clamp(0, HORIZON_S)).unwrap_or(0)] += by;
        }
    };
    for call in calls.iter().filter(|c| c.wait_us > 0) {
        let from = call.at_us / 1_000_000;
        spell(from, from + call.wait_us / 1_000_000, 1);
    }
    // Clocks of queue and service differ by a second: the first and last second of a spell prove nothing.
    let mut queue = Vec::with_capacity(end + 2);
    let mut n = 0;
    for by in change {
        n += by;
        queue.push(n > 0);
    }
    let mut sums = vec![0];
    for i in 0..queue.len() {
        let sure = queue[i] && i > 0 && queue[i - 1] && queue.get(i + 1).copied().unwrap_or(false);
        sums.push(sums[i] + i64::from(sure));
    }
    sums
}

impl DayFloor {
    /// Sorts one day's services into lines and gaps.
    #[must_use]
    pub fn new(date: Date, calls: &[Call]) -> Self {
        let waits = waiting_seconds(calls);
        let waited = |from: i64, to: i64| {
            let at = |s: i64| waits[usize::try_from(s.clamp(0, HORIZON_S)).unwrap_or(0)];
            at(to) - at(from)
        };
        // How seldom a queue forms in a step of the hour, given that there is none.
        let forms =
            |h: i64| (h * 3600..(h + 1) * 3600).filter(|s| waited(*s, s + 1) == 0 && waited(s + 1, s + 2) == 1).count();
        let forming: Vec<f64> = (0..HORIZON_S / 3600)
            .map(|h| forms(h) as f64 / (3600 - waited(h * 3600, (h + 1) * 3600)).max(60) as f64)
            .collect();
        let calm = |s: i64| {
            let hour = usize::try_from(s / 3600).unwrap_or(0).min(forming.len() - 1);
            (-forming[hour] * STEP_S as f64).exp()
        };
        let mut services: Vec<(i64, i64, Option<usize>)> = calls
            .iter()
            .filter_map(|c| c.service)
            .map(|s| (s.start_us / 1_000_000, s.length_us / 1_000_000, s.operator))
            .collect();
        services.sort_unstable();
        let (mut lines, mut pauses) = (Vec::new(), Vec::new());
        let mut by_operator: std::collections::BTreeMap<usize, Vec<Vec<(i64, i64)>>> =
            std::collections::BTreeMap::new();
        for (start, length, operator) in services {
            match operator {
                Some(code) if length > 0 => {
                    let tracks = by_operator.entry(code).or_default();
                    match tracks.iter_mut().find(|t| t.last().is_none_or(|(_, end)| *end <= start + 2)) {
                        Some(track) => track.push((start, start + length)),
                        None => tracks.push(vec![(start, start + length)]),
                    }
                }
                _ => lines.push(Line { only: Some((start, start + length / 2)), gaps: Vec::new(), operator: None }),
            }
        }
        for (code, tracks) in by_operator {
            for track in tracks {
                let gap = |from_s: i64, to_s: i64, place: Place, decided_s: i64| {
                    let steps = ((to_s - from_s + STEP_S / 2) / STEP_S).max(1);
                    let waiting = (0..steps)
                        .map(|i| 2 * waited(from_s + i * STEP_S, from_s + (i + 1) * STEP_S) > STEP_S)
                        .collect();
                    let calm = if place == Place::Between { calm(i64::midpoint(from_s, to_s)) } else { 1.0 };
                    Gap { from_s, to_s, place, decided_s, waiting, calm }
                };
                let (first, last) = (track[0], track[track.len() - 1]);
                let mut gaps = vec![gap((first.0 - EDGE_S).max(0), first.0, Place::Before, 0)];
                for pair in track.windows(2) {
                    let (before, after) = (pair[0], pair[1]);
                    pauses.extend(pause(before.1, after.0, &waited));
                    if after.0 > before.1 + TURN_S {
                        let middle = i64::midpoint(before.0, before.1);
                        gaps.push(gap(before.1 + TURN_S, after.0, Place::Between, middle));
                    }
                }
                let from = last.1 + TURN_S;
                gaps.push(gap(from, from + EDGE_S, Place::After, i64::midpoint(last.0, last.1)));
                lines.push(Line { only: None, gaps, operator: Some(code) });
            }
        }
        Self { date, specialists: false, lines, pauses }
    }

    /// One plan for the day, drawn from what the log tells.
    pub fn draw(&self, chain: &Chain, draws: &mut impl Draw) -> Vec<Plan> {
        let mut path = Vec::new();
        self.lines
            .iter()
            .map(|line| {
                let mut duties = Vec::new();
                if let Some((at_s, due_s)) = line.only {
                    duties = vec![Duty::Comes { at_s }, Duty::Goes { due_s }];
                }
                for gap in &line.gaps {
                    chain.draw_path(gap, draws, &mut path);
                    read_path(gap, &path, &mut duties);
                }
                Plan { operator: line.operator, duties }
            })
            .collect()
    }
}

/// The pause between two services, if callers waited when it began. `waited` counts seconds in which somebody did.
fn pause(from_s: i64, to_s: i64, waited: &impl Fn(i64, i64) -> i64) -> Option<Pause> {
    if waited(from_s, from_s + 2) < 2 {
        return None;
    }
    // Nobody waits in the last second or two before the caller who waited longest is taken.
    let emptied = (from_s..to_s - 2).find(|s| waited(*s, s + 1) == 0);
    let length_s = (emptied.unwrap_or(to_s) - from_s).max(0) as f64;
    Some(Pause { length_s, seen: emptied.is_none() })
}

/// Turns a path of states into what the operator does.
fn read_path(gap: &Gap, path: &[usize], duties: &mut Vec<Duty>) {
    let second = |step: usize| gap.from_s + i64::try_from(step).unwrap_or(0) * STEP_S;
    let mut at = 0;
    if gap.place == Place::Before {
        at = path.iter().position(|s| *s != AWAY).unwrap_or(path.len());
        duties.push(Duty::Comes { at_s: second(at).min(gap.to_s) });
    }
    while at < path.len() {
        let here = path[at] == 0;
        let end = (at..path.len()).find(|i| (path[*i] == 0) != here).unwrap_or(path.len());
        if !here {
            let deepest = path[at..end].iter().copied().max().unwrap_or(0);
            let after_service = at == 0 && gap.place != Place::Before;
            let due_s = if after_service { gap.decided_s } else { second(at) };
            if end == path.len() && gap.place == Place::After {
                duties.push(Duty::Goes { due_s });
                return;
            }
            // Quick and slow after-call work is drawn for every call in its own right.
            if deepest >= 3 || (deepest == 2 && !after_service) {
                duties.push(Duty::Break { due_s, length_s: second(end) - second(at) });
            }
        }
        at = end;
    }
    if gap.place == Place::After {
        duties.push(Duty::Goes { due_s: gap.to_s });
    }
}

impl Chain {
    /// Learns the chain from the gaps of some days; how long after-call work lasts is given.
    #[must_use]
    pub fn learn(days: &[DayFloor], after_call: &AfterCall) -> Self {
        let mut step = [[0.0; STATES]; STATES];
        step[0] = [0.996, 0.0, 0.001, 0.002, 0.001];
        let ends = |mean_s: f64| 1.0 - (-(STEP_S as f64) / (mean_s - TURN_S as f64).max(0.1)).exp();
        let (quick, slow) = (ends(after_call.quick_mean_s), ends(after_call.slow_mean_s));
        for (state, leave) in [(1, quick), (2, slow), (3, 1.0 / 60.0), (4, 1.0 / 1350.0)] {
            step[state][state] = 1.0 - leave;
            step[state][0] = leave;
        }
        let gaps: Vec<&Gap> = days.iter().flat_map(|d| &d.lines).flat_map(|l| &l.gaps).collect();
        let mut chain = Self { start: [0.0, 0.5, 0.3, 0.15, 0.05], step, gaps: gaps.len() };
        if gaps.is_empty() {
            return chain;
        }
        let mut work = Work::default();
        for _ in 0..25 {
            let mut start = [1e-9; STATES];
            let mut moves = [[1e-12; STATES]; STATES];
            for gap in &gaps {
                chain.count(gap, &mut work, &mut start, &mut moves);
            }
            let total: f64 = start.iter().sum();
            chain.start = start.map(|s| s / total);
            for (state, (row, found)) in chain.step.iter_mut().zip(&moves).enumerate() {
                if state == 1 || state == 2 {
                    continue;
                }
                let total: f64 = found.iter().sum();
                for (p, n) in row.iter_mut().zip(found) {
                    *p = n / total;
                }
            }
        }
        chain
    }

    fn first(&self, gap: &Gap) -> [f64; STATES] {
        let mut p = if gap.place == Place::Before { [0.0, 0.0, 0.0, 0.0, 1.0] } else { self.start };
        if gap.waiting[0] {
            p[0] = 0.0;
        }
        p
    }

    /// The state in which a gap ends: available, or gone after the last service.
    const fn last(gap: &Gap) -> usize {
        if matches!(gap.place, Place::After) { AWAY } else { 0 }
    }

    /// Probabilities of the states given all steps so far, scaled to 1, by step.
    fn filter(&self, gap: &Gap, ahead: &mut Vec<[f64; STATES]>, scale: &mut Vec<f64>) {
        ahead.clear();
        scale.clear();
        for (i, waiting) in gap.waiting.iter().enumerate() {
            let mut p = if i == 0 {
                self.first(gap)
            } else {
                let before = ahead[i - 1];
                let mut p = [0.0; STATES];
                for (from, row) in before.iter().zip(&self.step) {
                    for (to, q) in p.iter_mut().zip(row) {
                        *to += from * q;
                    }
                }
                if *waiting {
                    p[0] = 0.0;
                }
                p
            };
            if !*waiting {
                p.iter_mut().skip(1).for_each(|x| *x *= gap.calm);
            }
            let sum: f64 = p.iter().sum::<f64>().max(1e-300);
            p.iter_mut().for_each(|x| *x /= sum);
            ahead.push(p);
            scale.push(sum);
        }
    }

    /// Adds the expected starts and moves of one gap (Baum–Welch).
    fn count(&self, gap: &Gap, work: &mut Work, start: &mut [f64; STATES], moves: &mut [[f64; STATES]; STATES]) {
        self.filter(gap, &mut work.ahead, &mut work.scale);
        let last = Self::last(gap);
        let n = gap.waiting.len();
        let end: f64 = work.ahead[n - 1].iter().zip(&self.step).map(|(p, row)| p * row[last]).sum::<f64>().max(1e-300);
        let mut behind = [0.0; STATES];
        for state in 0..STATES {
            behind[state] = self.step[state][last] / end;
            moves[state][last] += work.ahead[n - 1][state] * behind[state];
        }
        for i in (0..n - 1).rev() {
            let mut here = [0.0; STATES];
            for from in 0..STATES {
                for to in 0..STATES {
                    if to == 0 && gap.waiting[i + 1] {
                        continue;
                    }
                    let seen = if to == 0 || gap.waiting[i + 1] { 1.0 } else { gap.calm };
                    let q = self.step[from][to] * seen * behind[to] / work.scale[i + 1];
                    here[from] += q;
                    moves[from][to] += work.ahead[i][from] * q;
                }
            }
            behind = here;
        }
        if gap.place != Place::Before {
            for (state, n) in start.iter_mut().enumerate() {
                *n += work.ahead[0][state] * behind[state];
            }
        }
    }

    fn draw_path(&self, gap: &Gap, draws: &mut impl Draw, path: &mut Vec<usize>) {
        let mut ahead = Vec::new();
        self.filter(gap, &mut ahead, &mut Vec::new());
        path.clear();
        path.resize(ahead.len(), 0);
        let mut next = Self::last(gap);
        for (i, p) in ahead.iter().enumerate().rev() {
            let weights: [f64; STATES] = std::array::from_fn(|s| p[s] * self.step[s][next]);
            let mut u = draws.uniform() * weights.iter().sum::<f64>();
            let mut state = AWAY;
            for (s, w) in weights.iter().enumerate() {
                if u < *w {
                    state = s;
                    break;
                }
                u -= w;
            }
            path[i] = state;
            next = state;
        }
    }

    /// Mean length of a stay in a state, in seconds: 3 break, 4 away.
    #[must_use]
    pub fn stay_s(&self, state: usize) -> f64 {
        STEP_S as f64 / (1.0 - self.step[state][state]).max(1e-9)
    }
}

#[derive(Debug, Default)]
struct Work {
    ahead: Vec<[f64; STATES]>,
    scale: Vec<f64>,
}

/// Operators on duty, on average over each half hour of the day, by plan: away and on breaks do not count.
#[must_use]
pub fn by_half_hour(plans: &[Plan]) -> [f64; 48] {
    let mut seconds = [0_i64; 48];
    let mut add = |from: i64, to: i64, by: i64| {
        for (half, sum) in (0_i64..).zip(&mut seconds) {
            *sum += by * (to.min((half + 1) * 1800) - from.max(half * 1800)).max(0);
        }
    };
    for plan in plans {
        let mut came = 0;
        for duty in &plan.duties {
            match *duty {
                Duty::Comes { at_s } => came = at_s,
                Duty::Break { due_s, length_s } => add(due_s, due_s + length_s, -1),
                Duty::Goes { due_s } => add(came, due_s, 1),
            }
        }
    }
    seconds.map(|s| s.max(0) as f64 / 1800.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fit::log::Service;
    use crate::stream::{Kind, Purpose, Streams};

    fn call(at_s: i64, wait_s: i64, service: Option<(i64, usize)>) -> Call {
        let us = 1_000_000;
        let service = service.map(|(length_s, operator)| Service {
            start_us: (at_s + wait_s) * us,
            length_us: length_s * us,
            operator: Some(operator),
        });
        let date = jiff::civil::date(2024, 1, 31);
        Call { file: 0, line: 0, date, at_us: at_s * us, wait_us: wait_s * us, service, kind: 0, priority: 0 }
    }

    /// One operator takes calls back to back from a queue, but for ten minutes in which callers wait in vain.
    #[test]
    fn a_gap_while_callers_wait_is_a_break() {
        let mut calls = Vec::new();
        let mut at = 36_000;
        for i in 0..60 {
            if i == 30 {
                calls.push(call(at - 95, 700, Some((100, 0))));
                at += 600;
            } else {
                calls.push(call(at - 95, 95, Some((100, 0))));
            }
            at += 105;
        }
        let floor = DayFloor::new(calls[0].date, &calls);
        let floors = std::slice::from_ref(&floor);
        let chain = Chain::learn(floors, &AfterCall::learn(floors));
        let plans = floor.draw(&chain, &mut Streams::new(1, 0).draws(Kind::Other, 0, Purpose::Break));
        let found = plans[0].duties.iter().any(|duty| {
            matches!(duty, Duty::Break { due_s, length_s } if (39_050..39_150).contains(due_s) && (560..=620).contains(length_s))
        });
        assert!(found, "{plans:?}");
        // While callers waited on either side the operator was at work.
        let idle = plans[0]
            .duties
            .iter()
            .filter(|d| matches!(d, Duty::Break { due_s, .. } if (36_000..42_000).contains(due_s)));
        assert_eq!(idle.count(), 1, "{plans:?}");
    }

    #[test]
    fn overlapping_services_of_one_code_are_two_lines() {
        let calls = [call(36_000, 0, Some((300, 0))), call(36_100, 0, Some((100, 0))), call(36_400, 0, Some((100, 0)))];
        let floor = DayFloor::new(calls[0].date, &calls);
        assert_eq!(floor.lines.len(), 2);
    }

    #[test]
    fn half_hours_add_up_to_the_time_on_duty() {
        let duties = vec![
            Duty::Comes { at_s: 32_400 },
            Duty::Break { due_s: 36_000, length_s: 900 },
            Duty::Goes { due_s: 43_200 },
        ];
        let halves = by_half_hour(&[Plan { operator: Some(0), duties }]);
        assert_eq!(halves[20], 0.5);
        assert_eq!(halves.iter().sum::<f64>(), (10_800.0 - 900.0) / 1800.0);
    }
}
