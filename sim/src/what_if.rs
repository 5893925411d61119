//! A day that happened, run again with another plan.
//!
//! What is known of each caller is kept: when they came, how long they were served, and that their patience was longer than
//! their wait, or ended it. Only what the change makes unknown is drawn: patience beyond the wait of those who were answered,
//! from the hazard fitted on the day, given that they had waited so long; handling of those who left, from the handling of
//! those who were served in the same queue. The plan as it was runs on the same draws beside the changed one.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use callfloor_engine::{EngineConfig, QueueId, Span, Step, StepId, reason};
use callfloor_measure::{Estimate, mean_interval};
use callfloor_scenario::floor::ClassEntry;

use crate::change::{ChangeError, Spans, duties, spans, without};
use crate::fit::duty::Plan;
use crate::fit::patience::{Hazard, PatienceFit, Waited};
use crate::stream::{Draw as _, Kind, Purpose, Streams};
use crate::validate::Sums;
use crate::validate::replay::{Caller, Outcome, replay};

pub use crate::change::Change;

/// What is known of a caller who came to a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// When they came to the queue, in microseconds since the beginning.
    pub at_us: u64,
    /// Which queue.
    pub queue: QueueId,
    /// Priority.
    pub priority: u8,
    /// Until it rang at who answered, or until they left.
    pub wait_us: u64,
    /// How it ended.
    pub end: End,
}

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// An operator answered, and was busy with it for so long, ringing included.
    Served {
        /// Until the call was over.
        busy_us: u64,
        /// After-call work.
        after_call_us: u64,
    },
    /// The caller hung up.
    Left,
    /// The centre ended the wait: how long the caller would have waited is not known.
    SentAway,
}

/// A day as its journal tells it.
#[derive(Clone, Debug)]
pub struct Day {
    /// The floor, with an operator for each plan.
    pub config: EngineConfig,
    /// Callers in order of arrival.
    pub callers: Vec<Known>,
    /// When operators were there for calls.
    pub plans: Vec<Plan>,
}

/// Why a day cannot be run again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhatIfError(String);

impl std::fmt::Display for WhatIfError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WhatIfError {}

impl From<ChangeError> for WhatIfError {
    fn from(ChangeError(words): ChangeError) -> Self {
        Self(words)
    }
}

/// How a day is run again.
#[derive(Clone, Copy)]
pub struct Again<'a> {
    /// An answer within so many seconds is in time.
    pub threshold_s: f64,
    /// How often; at least once.
    pub replications: u32,
    /// Seed.
    pub seed: u64,
    /// Set from elsewhere to stop.
    pub cancel: Option<&'a AtomicBool>,
    /// Told after every replication how many are done.
    pub progress: Option<&'a dyn Fn(u32)>,
}

impl std::fmt::Debug for Again<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { threshold_s, replications, seed, .. } = self;
        write!(f, "Again({replications} times, seed {seed}, {threshold_s} s)")
    }
}

/// Shares and waits of one plan, or a difference: share abandoned, mean wait in seconds, share answered in time.
pub type Figures = [Estimate; 3];

/// A day as it was and as it would have been.
#[derive(Clone, Debug, PartialEq)]
pub struct WhatIf {
    /// All callers.
    pub whole: Part,
    /// Callers of each queue to which somebody came.
    pub queues: Vec<Part>,
    /// What was changed, in words.
    pub words: Vec<String>,
    /// Callers who left, from whom patience was fitted.
    pub left: usize,
}

/// All callers, or those of a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// The queue's name; `None`: all.
    pub queue: Option<String>,
    /// Callers.
    pub callers: usize,
    /// What happened: share abandoned, mean wait in seconds, share answered in time.
    pub actual: [f64; 3],
    /// The plan as it was, run again: how far the simulation can be trusted.
    pub as_it_was: Figures,
    /// The changed plan.
    pub changed: Figures,
    /// Changed minus as it was, on the same draws.
    pub difference: Figures,
    /// The day by half-hours.
    pub stretches: Vec<Stretch>,
}

/// A half-hour of a day; figures are as those of a [`Part`], over all replications together.
#[derive(Clone, Debug, PartialEq)]
pub struct Stretch {
    /// Its start, in seconds since midnight.
    pub from_s: u32,
    /// Callers.
    pub callers: usize,
    /// What happened.
    pub actual: [f64; 3],
    /// The plan as it was.
    pub as_it_was: [f64; 3],
    /// The changed plan.
    pub changed: [f64; 3],
    /// Operators there on average, by the plan as it was and by the changed one.
    pub there: [f64; 2],
}

/// Length of a stretch, in seconds.
pub const STRETCH_S: u32 = 1_800;

/// Runs a day again, as it was and changed; `None` where it was cancelled.
///
/// # Errors
/// Where a queue is unknown, nobody was served, or the changed floor is none.
pub fn what_if(day: &Day, changes: &[Change], again: &Again<'_>) -> Result<Option<WhatIf>, WhatIfError> {
    if day.callers.is_empty() {
        return Err(WhatIfError("nobody came to a queue that day".into()));
    }
    let original = Day { config: simplified(&day.config)?, ..day.clone() };
    let (changed, words) = original.changed(changes)?;
    let patience = fit(&day.callers);
    let served = handling(&day.callers)?;
    let mut parts = vec![Tallies::new(day, None)];
    let queues = (0..u16::try_from(day.config.queues.len()).unwrap_or(u16::MAX)).map(QueueId);
    parts.extend(queues.map(|queue| Tallies::new(day, Some(queue))).filter(|tallies| !tallies.callers.is_empty()));
    for replication in 0..again.replications.max(1) {
        if again.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            return Ok(None);
        }
        let callers = original.draw(patience.as_ref(), &served, again.seed, replication)?;
        let before = replay(&original.config, &callers, &original.plans);
        let after = if changes.is_empty() { before.clone() } else { replay(&changed.config, &callers, &changed.plans) };
        for part in &mut parts {
            part.add(day, &before, &after, again.threshold_s);
        }
        if let Some(progress) = again.progress {
            progress(replication + 1);
        }
    }
    let parts = parts.into_iter().map(|part| part.finish(day, [&original, &changed], again.threshold_s));
    let mut parts: Vec<Part> = parts.collect();
    let whole = parts.remove(0);
    let left = day.callers.iter().filter(|caller| caller.end == End::Left).count();
    Ok(Some(WhatIf { whole, queues: parts, words, left }))
}

/// The sums of a part of the callers while replications run.
struct Tallies {
    queue: Option<QueueId>,
    /// Places of its callers.
    callers: Vec<usize>,
    before: Vec<[f64; 3]>,
    after: Vec<[f64; 3]>,
    /// By stretch: as it was, changed.
    stretches: BTreeMap<u32, [Sums; 2]>,
}

fn stretch(caller: &Known) -> u32 {
    u32::try_from(caller.at_us / 1_000_000).unwrap_or(u32::MAX) / STRETCH_S
}

impl Tallies {
    fn new(day: &Day, queue: Option<QueueId>) -> Self {
        let callers = (0..day.callers.len()).filter(|&at| queue.is_none_or(|queue| day.callers[at].queue == queue));
        let callers: Vec<usize> = callers.collect();
        let ends =
            callers.first().zip(callers.last()).map(|(&a, &b)| (stretch(&day.callers[a]), stretch(&day.callers[b])));
        let stretches = ends.into_iter().flat_map(|(first, last)| first..=last).map(|at| (at, <[Sums; 2]>::default()));
        Self { queue, stretches: stretches.collect(), callers, before: Vec::new(), after: Vec::new() }
    }

    fn add(&mut self, day: &Day, before: &[Outcome], after: &[Outcome], threshold_s: f64) {
        for (side, outcomes) in [before, after].into_iter().enumerate() {
            let mut all = Sums::default();
            for &at in &self.callers {
                let (answered, wait_s) = (outcomes[at].answered, seconds(outcomes[at].wait_us));
                all.add(answered, wait_s, threshold_s);
                if let Some(sums) = self.stretches.get_mut(&stretch(&day.callers[at])) {
                    sums[side].add(answered, wait_s, threshold_s);
                }
            }
            let figures = if side == 0 { &mut self.before } else { &mut self.after };
            figures.push(all.figures());
        }
    }

    fn finish(self, day: &Day, plans: [&Day; 2], threshold_s: f64) -> Part {
        let Self { queue, callers, before, after, stretches } = self;
        let estimates = |of: &dyn Fn(usize, usize) -> f64| {
            [0, 1, 2].map(|figure| {
                let values: Vec<f64> = (0..before.len()).map(|at| of(at, figure)).collect();
                mean_interval(&values, 0.95).expect("there is a replication")
            })
        };
        let mut actual = Sums::default();
        let mut actual_in: BTreeMap<u32, (usize, Sums)> = BTreeMap::new();
        for caller in callers.iter().map(|&at| &day.callers[at]) {
            let (answered, wait_s) = (matches!(caller.end, End::Served { .. }), seconds(caller.wait_us));
            actual.add(answered, wait_s, threshold_s);
            let (count, sums) = actual_in.entry(stretch(caller)).or_default();
            *count += 1;
            sums.add(answered, wait_s, threshold_s);
        }
        let there = plans.map(|plan| plan.there(queue));
        let of_stretch = |(at, [as_it_was, changed]): (u32, [Sums; 2])| {
            let (callers, actual) = actual_in.remove(&at).unwrap_or_default();
            let there = [0, 1].map(|side: usize| mean_there(&there[side], at));
            let (as_it_was, changed) = (as_it_was.figures(), changed.figures());
            Stretch { from_s: at * STRETCH_S, callers, actual: actual.figures(), as_it_was, changed, there }
        };
        Part {
            queue: queue.map(|queue| day.config.queues[queue.index()].name.clone()),
            callers: callers.len(),
            actual: actual.figures(),
            as_it_was: estimates(&|at, figure| before[at][figure]),
            changed: estimates(&|at, figure| after[at][figure]),
            difference: estimates(&|at, figure| after[at][figure] - before[at][figure]),
            stretches: stretches.into_iter().map(of_stretch).collect(),
        }
    }
}

/// Operators there on average in a stretch.
fn mean_there(all: &[Spans], stretch: u32) -> f64 {
    let (from, to) = (i64::from(stretch * STRETCH_S), i64::from((stretch + 1) * STRETCH_S));
    let within = all.iter().flatten().map(|&(begin, end)| (end.min(to) - begin.max(from)).max(0));
    within.sum::<i64>() as f64 / f64::from(STRETCH_S)
}

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

/// The same floor, in which nothing but callers and operators' plans moves anything: each queue has a step of its own to come
/// in by, nobody is sent away, and operators come as in their plans.
fn simplified(config: &EngineConfig) -> Result<EngineConfig, WhatIfError> {
    let mut floor = config.clone().into_floor();
    for service in &mut floor.services {
        service.inbound = true;
        service.flow.clear();
        service.settings.login_status = callfloor_engine::StatusChoice::Work(reason::NONE);
        service.settings.after_call.limit = None;
        service.settings.ring_limit = Span::from_seconds(3_600);
    }
    for (queue, at) in floor.queues.iter_mut().zip(0..) {
        (queue.maximum_wait, queue.limit, queue.ring_limit) = (None, None, None);
        let step = Step::Queue { queue: QueueId(at), on_full: None, on_timeout: None };
        if queue.channel == callfloor_engine::Channel::Phone {
            floor.services[queue.service.index()].flow.push(step);
        }
    }
    for service in &mut floor.services {
        if service.flow.is_empty() {
            service.flow.push(Step::End);
        }
    }
    for operator in &mut floor.operators {
        operator.auto_answer = false;
    }
    EngineConfig::new(floor).map_err(|problem| WhatIfError(problem.to_string()))
}

/// Where calls come in that go to a queue.
fn entry(config: &EngineConfig, queue: QueueId) -> Result<ClassEntry, WhatIfError> {
    let service = config.queues[queue.index()].service;
    let mut steps = config.services[service.index()].flow.iter().zip(0..);
    let found = steps.find(|(step, _)| matches!(step, Step::Queue { queue: to, .. } if *to == queue));
    let (_, step) = found.ok_or_else(|| WhatIfError(format!("queue {} is not for telephone calls", queue.0)))?;
    Ok(ClassEntry::Call { service, entry: StepId(step) })
}

fn fit(callers: &[Known]) -> Option<Hazard> {
    let waited: Vec<Waited> = callers
        .iter()
        .map(|caller| Waited { wait_s: seconds(caller.wait_us), left: caller.end == End::Left })
        .collect();
    let fit = PatienceFit::new(&waited)?;
    fit.candidates.into_iter().next().map(|best| best.hazard)
}

/// Handling of those who were served, by queue.
type Handling = BTreeMap<QueueId, Vec<(u64, u64)>>;

fn handling(callers: &[Known]) -> Result<Handling, WhatIfError> {
    let mut served = Handling::new();
    for caller in callers {
        if let End::Served { busy_us, after_call_us } = caller.end {
            served.entry(caller.queue).or_default().push((busy_us, after_call_us));
        }
    }
    if served.is_empty() {
        return Err(WhatIfError("nobody was served that day: how long calls take is not known".into()));
    }
    Ok(served)
}

/// The patience of somebody who has waited for `wait_s`: `H(x) = H(wait) − ln u`, by bisection. `None`: for ever.
fn patience_beyond(hazard: &Hazard, wait_s: f64, uniform: f64) -> Option<f64> {
    let wanted = hazard.cumulated(wait_s) - uniform.ln();
    let mut high = wait_s.max(1.0);
    while hazard.cumulated(high) < wanted {
        high *= 2.0;
        if high > 1e6 {
            return None;
        }
    }
    let mut low = wait_s;
    for _ in 0..60 {
        let middle = f64::midpoint(low, high);
        if hazard.cumulated(middle) < wanted { low = middle } else { high = middle }
    }
    Some(high)
}

impl Day {
    fn draw(
        &self,
        patience: Option<&Hazard>,
        served: &Handling,
        seed: u64,
        replication: u32,
    ) -> Result<Vec<Caller>, WhatIfError> {
        let streams = Streams::new(seed, u64::from(replication));
        let all: Vec<(u64, u64)> = served.values().flatten().copied().collect();
        let mut callers = Vec::with_capacity(self.callers.len());
        for (caller, id) in self.callers.iter().zip(0_u64..) {
            let (talk_us, after_call_us) = match caller.end {
                End::Served { busy_us, after_call_us } => (busy_us, after_call_us),
                End::Left | End::SentAway => {
                    let known = served.get(&caller.queue).unwrap_or(&all);
                    let at = streams.draws(Kind::Customer, id, Purpose::Talk).next_u64() % known.len() as u64;
                    known[usize::try_from(at).expect("a place in a list")]
                }
            };
            let patience_us = match (caller.end, patience) {
                (End::Left, _) => Some(caller.wait_us),
                (_, None) => None,
                (_, Some(hazard)) => {
                    let uniform = streams.draws(Kind::Customer, id, Purpose::Patience).uniform_open();
                    patience_beyond(hazard, seconds(caller.wait_us), uniform).map(crate::arrival::micros)
                }
            };
            let entry = entry(&self.config, caller.queue)?;
            let (at_us, priority) = (caller.at_us, caller.priority);
            // How long it rang is part of the wait that is known.
            callers.push(Caller { at_us, entry, priority, patience_us, answer_us: 0, talk_us, after_call_us });
        }
        Ok(callers)
    }

    /// When operators who serve a queue are there; all operators for `None`.
    fn there(&self, queue: Option<QueueId>) -> Vec<Spans> {
        let serves = |operator: usize| {
            let Some(operator) = self.config.operators.get(operator) else { return false };
            queue.is_none_or(|queue| operator.queues.iter().any(|member| member.queue == queue))
        };
        let plans = self.plans.iter().enumerate().filter(|(operator, _)| serves(*operator));
        plans.map(|(_, plan)| spans(plan)).collect()
    }

    /// With operators more or fewer. Who is added serves this queue alone, without breaks, from the first time that any of its
    /// operators was there to the last, or in the part of the day that the change names; who is left out are the last in the
    /// list that serve it and were there.
    fn changed(&self, changes: &[Change]) -> Result<(Self, Vec<String>), WhatIfError> {
        let mut floor = self.config.clone().into_floor();
        let mut plans = self.plans.clone();
        let mut words = Vec::new();
        for change in changes {
            let found = floor.queues.iter().position(|queue| queue.name == change.queue);
            let at = found.ok_or_else(|| {
                let known: Vec<&str> = floor.queues.iter().map(|queue| queue.name.as_str()).collect();
                WhatIfError(format!("there is no queue {:?}: the queues are {}", change.queue, known.join(", ")))
            })?;
            let queue = QueueId(u16::try_from(at).expect("fewer queues than 65,536"));
            let serve: Vec<usize> = (0..floor.operators.len())
                .filter(|&operator| !plans[operator].duties.is_empty())
                .filter(|&operator| floor.operators[operator].queues.iter().any(|member| member.queue == queue))
                .collect();
            let Some(&model) = serve.first() else {
                return Err(WhatIfError(format!("nobody served queue {:?} that day", change.queue)));
            };
            let all: Spans = serve.iter().flat_map(|&operator| spans(&plans[operator])).collect();
            let first = all.iter().map(|(from, _)| *from).min().unwrap_or(0);
            let last = all.iter().map(|(_, to)| *to).max().unwrap_or(0);
            let window = change.window(first, last)?;
            for number in 1..=change.more {
                let mut operator = floor.operators[model].clone();
                // Another change of the same queue may have added some already.
                let place = floor.operators.len();
                operator.name = format!("{} more {number}", change.queue);
                operator.queues.retain(|member| member.queue == queue);
                operator.cti_id = Some(format!("more-{at}-{place}"));
                let extension = format!("99{at:03}{place:06}");
                operator.cti_number =
                    Some(extension.parse().map_err(|_| WhatIfError(format!("{extension} is taken")))?);
                floor.operators.push(operator);
                plans.push(Plan { operator: None, duties: duties(&[window]) });
            }
            if change.more > 0 {
                let hours = (window.1 - window.0) as f64 / 3_600.0;
                words.push(format!(
                    "{} more for {:?}{}, there for {hours:.1} hours without breaks",
                    change.more,
                    change.queue,
                    change.when()
                ));
            }
            let fewer = usize::try_from(-change.more).unwrap_or(0);
            // Who is left out has to be there then.
            let serve: Vec<usize> = serve
                .into_iter()
                .filter(|&operator| spans(&plans[operator]).iter().any(|&(from, to)| from < window.1 && to > window.0))
                .collect();
            if fewer > 0 && fewer >= serve.len() {
                let (count, when) = (serve.len(), change.when());
                let detail =
                    format!("{count} operators served queue {:?}{when}: {fewer} fewer leave nobody", change.queue);
                return Err(WhatIfError(detail));
            }
            let mut names = Vec::new();
            for &operator in serve.iter().rev().take(fewer) {
                plans[operator].duties = duties(&without(&spans(&plans[operator]), window));
                names.push(floor.operators[operator].name.clone());
            }
            if fewer > 0 {
                let (when, names) = (change.when(), names.join(", "));
                words.push(format!("{fewer} fewer for {:?}{when}: without {names}", change.queue));
            }
        }
        let config = EngineConfig::new(floor).map_err(|problem| WhatIfError(problem.to_string()))?;
        Ok((Self { config, callers: self.callers.clone(), plans }, words))
    }
}
