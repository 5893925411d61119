//! A day that happened, run again with another plan.
//!
//! What is known of each caller is kept: when they came, how long they were served, and that their patience was longer than
//! their wait, or ended it. Only what the change makes unknown is drawn: patience beyond the wait of those who were answered,
//! from the hazard fitted on the day, given that they had waited so long; handling of those who left, from the handling of
//! those who were served in the same queue. The plan as it was runs on the same draws beside the changed one.

use std::collections::BTreeMap;

use callfloor_engine::{EngineConfig, QueueId, Span, Step, StepId, reason};
use callfloor_measure::{Estimate, mean_interval};
use callfloor_scenario::floor::ClassEntry;

use crate::fit::duty::{Duty, Plan};
use crate::fit::patience::{Hazard, PatienceFit, Waited};
use crate::stream::{Draw as _, Kind, Purpose, Streams};
use crate::validate::Sums;
use crate::validate::replay::{Caller, Outcome, replay};

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

/// So many operators more or fewer for a queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The queue's name.
    pub queue: String,
    /// How many more; fewer where negative.
    pub more: i32,
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

/// Shares and waits of one plan, or a difference: share abandoned, mean wait in seconds, share answered in time.
pub type Figures = [Estimate; 3];

/// A day as it was and as it would have been.
#[derive(Clone, Debug, PartialEq)]
pub struct WhatIf {
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
    /// What was changed, in words.
    pub words: Vec<String>,
    /// Callers who left, from whom patience was fitted.
    pub left: usize,
}

/// Runs a day again, as it was and changed. An answer within `threshold_s` is in time.
///
/// # Errors
/// Where a queue is unknown, nobody was served, or the changed floor is none.
pub fn what_if(
    day: &Day,
    changes: &[Change],
    threshold_s: f64,
    replications: u32,
    seed: u64,
) -> Result<WhatIf, WhatIfError> {
    if day.callers.is_empty() {
        return Err(WhatIfError("nobody came to a queue that day".into()));
    }
    let original = Day { config: simplified(&day.config)?, ..day.clone() };
    let (changed, words) = original.changed(changes)?;
    let patience = fit(&day.callers);
    let served = handling(&day.callers)?;
    let mut actual = Sums::default();
    for caller in &day.callers {
        actual.add(matches!(caller.end, End::Served { .. }), seconds(caller.wait_us), threshold_s);
    }
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for replication in 0..replications.max(1) {
        let callers = original.draw(patience.as_ref(), &served, seed, replication)?;
        before.push(figures(&replay(&original.config, &callers, &original.plans), threshold_s));
        after.push(figures(&replay(&changed.config, &callers, &changed.plans), threshold_s));
    }
    let estimates = |of: &dyn Fn(usize, usize) -> f64| {
        [0, 1, 2].map(|figure| {
            let values: Vec<f64> = (0..before.len()).map(|at| of(at, figure)).collect();
            mean_interval(&values, 0.95).expect("there is a replication")
        })
    };
    Ok(WhatIf {
        callers: day.callers.len(),
        actual: actual.figures(),
        as_it_was: estimates(&|at, figure| before[at][figure]),
        changed: estimates(&|at, figure| after[at][figure]),
        difference: estimates(&|at, figure| after[at][figure] - before[at][figure]),
        words,
        left: day.callers.iter().filter(|caller| caller.end == End::Left).count(),
    })
}

fn seconds(us: u64) -> f64 {
    us as f64 / 1e6
}

fn figures(outcomes: &[Outcome], threshold_s: f64) -> [f64; 3] {
    let mut sums = Sums::default();
    for outcome in outcomes {
        sums.add(outcome.answered, seconds(outcome.wait_us), threshold_s);
    }
    sums.figures()
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

    /// With operators more or fewer. Who is added serves this queue alone, from the first time that any of its operators was
    /// there to the last, without breaks; who is left out are the last in the list that serve it and were there.
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
            let all = serve.iter().flat_map(|&operator| &plans[operator].duties);
            let comes = all.clone().filter_map(|duty| match duty {
                Duty::Comes { at_s } => Some(*at_s),
                _ => None,
            });
            let goes = all.filter_map(|duty| match duty {
                Duty::Goes { due_s } => Some(*due_s),
                _ => None,
            });
            let (first, last) = (comes.min().unwrap_or(0), goes.max().unwrap_or(0));
            for number in 1..=change.more {
                let mut operator = floor.operators[model].clone();
                operator.name = format!("{} more {number}", change.queue);
                operator.queues.retain(|member| member.queue == queue);
                operator.cti_id = Some(format!("more-{at}-{number}"));
                let extension = format!("99{at:03}{number:04}");
                operator.cti_number =
                    Some(extension.parse().map_err(|_| WhatIfError(format!("{extension} is taken")))?);
                floor.operators.push(operator);
                let duties = vec![Duty::Comes { at_s: first }, Duty::Goes { due_s: last }];
                plans.push(Plan { operator: None, duties });
            }
            if change.more > 0 {
                let hours = (last - first) as f64 / 3_600.0;
                words.push(format!(
                    "{} more for {:?}, there for {hours:.1} hours without breaks",
                    change.more, change.queue
                ));
            }
            let fewer = usize::try_from(-change.more).unwrap_or(0);
            if fewer >= serve.len() {
                let detail =
                    format!("{} operators served queue {:?}: {fewer} fewer leave nobody", serve.len(), change.queue);
                return Err(WhatIfError(detail));
            }
            let mut names = Vec::new();
            for &operator in serve.iter().rev().take(fewer) {
                plans[operator].duties.clear();
                names.push(floor.operators[operator].name.clone());
            }
            if fewer > 0 {
                words.push(format!("{fewer} fewer for {:?}: without {}", change.queue, names.join(", ")));
            }
        }
        let config = EngineConfig::new(floor).map_err(|problem| WhatIfError(problem.to_string()))?;
        Ok((Self { config, callers: self.callers.clone(), plans }, words))
    }
}
