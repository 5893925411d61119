//! Replications in parallel, with the same results for any number of threads, and the public entry [`simulate`].
//!
//! Each replication has its own streams, keyed by its number, and its own counts. Counts are integers, so that their sum
//! does not depend on the order; replications are kept by number. Whether another batch is needed for a wanted precision
//! is decided only between batches, which are the same for any number of threads.

use crate::call_log::CallLog;
use crate::host::{self, Wishes};
use crate::model::{Model, ModelError};
use crate::one_pool;
use callfloor_measure::{CountedBy, Results, Scope};
use callfloor_scenario::{Precision, Scenario};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

pub use crate::host::Fault;

/// How a scenario is run. The default is what the scenario says, on all processors.
#[derive(Clone, Copy, Default)]
pub struct Options<'a> {
    /// Threads; all processors where `None`. Decides nothing but the time that it takes.
    pub threads: Option<NonZeroUsize>,
    /// Instead of the scenario's seed.
    pub seed: Option<u64>,
    /// Instead of the scenario's number of replications.
    pub replications: Option<u32>,
    /// Number of the first replication: parts of a run on several machines start where the part before ends.
    pub first_replication: u32,
    /// Instead of the scenario's wanted precision; `Some(None)` for none.
    pub precision: Option<Option<Precision>>,
    /// The interval in which a call counts.
    pub by: CountedBy,
    /// Intervals of this length in microseconds, each the exact sum of some of the scenario's.
    pub interval_us: Option<u64>,
    /// Checks every invariant of the engine after every event.
    pub check: bool,
    /// Takes a digest of everything that the engine puts out.
    pub digest: bool,
    /// Where the floor allows it (see [`fast_path_objection`]), a replication is computed without the engine: the same
    /// figures, but no digest, no check and no call records. The results tell which replications were.
    pub fast_path: bool,
    /// Set from elsewhere to stop: replications under way are dropped, finished ones are returned.
    pub cancel: Option<&'a AtomicBool>,
    /// Takes a record of every call.
    pub calls: Option<&'a dyn CallLog>,
    /// Called after every replication, from any thread.
    pub progress: Option<&'a (dyn Fn(Progress) + Sync)>,
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("threads", &self.threads)
            .field("seed", &self.seed)
            .field("replications", &self.replications)
            .field("first_replication", &self.first_replication)
            .field("precision", &self.precision)
            .field("by", &self.by)
            .field("interval_us", &self.interval_us)
            .field("check", &self.check)
            .field("digest", &self.digest)
            .field("fast_path", &self.fast_path)
            .finish_non_exhaustive()
    }
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Replications done.
    pub done: u32,
    /// Replications that are planned so far: with a wanted precision the number can grow.
    pub planned: u32,
}

/// What a run gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The results of all replications that were finished.
    pub results: Results,
    /// Whether it was stopped before all were.
    pub cancelled: bool,
    /// The wanted precision, where one was wanted: reached or not.
    pub precision_reached: Option<bool>,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq)]
pub enum SimulationError {
    /// The scenario cannot be run.
    Model(ModelError),
    /// Our fault, found by a check.
    Fault(Fault),
}

impl fmt::Display for SimulationError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Model(error) => error.fmt(f),
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for SimulationError {}

/// Runs a scenario.
///
/// # Errors
/// [`SimulationError::Model`] where a scenario that was not checked cannot be run; [`SimulationError::Fault`] where
/// [`Options::check`] finds an invariant broken.
pub fn simulate(scenario: &Scenario, options: &Options<'_>) -> Result<Outcome, SimulationError> {
    let mut model = Model::new(scenario).map_err(SimulationError::Model)?;
    model.header.counted_by = options.by;
    let seed = options.seed.unwrap_or(scenario.seed);
    let grouped = options.interval_us.map(|length| model.regrouped(length)).transpose();
    let mut header = grouped.map_err(SimulationError::Model)?.unwrap_or_else(|| model.header.clone());
    header.seed = seed;
    let mut results = Results::new(header);
    let precision = options.precision.unwrap_or(scenario.replications.precision);
    let first = options.first_replication;
    let mut planned = options.replications.unwrap_or(scenario.replications.count).max(1);
    let engine_needed = options.check || options.digest || options.calls.is_some();
    let fast = options.fast_path && !engine_needed && one_pool::objection(&model).is_none();
    let mut done = 0;
    loop {
        let batch = Batch { model: &model, seed, options, from: first + done, to: first + planned, planned, fast };
        let cancelled = batch.run(&mut results)?;
        done = planned;
        if cancelled {
            return Ok(Outcome { results, cancelled, precision_reached: precision.map(|_| false) });
        }
        let Some(wanted) = precision else {
            return Ok(Outcome { results, cancelled, precision_reached: None });
        };
        let (reached, more) = judge(&results, &wanted, done);
        if reached || done >= wanted.max_replications {
            return Ok(Outcome { results, cancelled, precision_reached: Some(reached) });
        }
        planned = more.clamp(done + 1, wanted.max_replications);
    }
}

/// Why a scenario cannot take the fast path of one queue and one pool of operators; `None` if it can.
///
/// # Errors
/// If the scenario cannot be run at all.
pub fn fast_path_objection(scenario: &Scenario) -> Result<Option<&'static str>, SimulationError> {
    let model = Model::new(scenario).map_err(SimulationError::Model)?;
    Ok(one_pool::objection(&model))
}

/// Whether the wanted precision is reached, and how many replications seem to be needed for it.
///
/// The half-width shrinks as 1 ÷ √n; at most doubled at a time, so that a lucky first estimate does not run away.
fn judge(results: &Results, wanted: &Precision, done: u32) -> (bool, u32) {
    let Some(estimate) = results.estimate(wanted.metric, Scope::All) else { return (false, done * 2) };
    let Some(interval) = estimate.interval else { return (false, (done * 2).max(5)) };
    let half = 0.5 * (interval.high - interval.low);
    let target = wanted.half_width.into_iter().chain(wanted.relative.map(|share| share * estimate.value.abs()));
    let target = target.fold(f64::INFINITY, f64::min);
    if half <= target {
        return (true, done);
    }
    let ratio = half / target;
    let needed = (f64::from(done) * ratio * ratio * 1.05).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates; bounded by the caller")]
    let needed = needed as u32;
    (false, needed.min(done.saturating_mul(2)))
}

struct Batch<'a> {
    model: &'a Model<'a>,
    seed: u64,
    options: &'a Options<'a>,
    from: u32,
    to: u32,
    planned: u32,
    fast: bool,
}

impl Batch<'_> {
    /// Runs the replications `from..to`; whether they were cancelled.
    fn run(&self, results: &mut Results) -> Result<bool, SimulationError> {
        let available = self.options.threads.or_else(|| std::thread::available_parallelism().ok());
        let threads = available.map_or(1, NonZeroUsize::get).min((self.to - self.from) as usize).max(1);
        let next = AtomicU32::new(self.from);
        let stop = AtomicBool::new(false);
        if threads == 1 {
            self.work(results, &next, &stop).map_err(SimulationError::Fault)?;
        } else {
            let parts = Mutex::new(Vec::new());
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        let mut part = Results::new(results.header().clone());
                        let outcome = self.work(&mut part, &next, &stop).map(|()| part);
                        parts.lock().expect("a worker that panicked ends the run").push(outcome);
                    });
                }
            });
            for part in parts.into_inner().expect("all workers are done") {
                let part = part.map_err(SimulationError::Fault)?;
                results.merge(&part).expect("parts of one run");
            }
        }
        Ok(self.cancelled())
    }

    fn cancelled(&self) -> bool {
        self.options.cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed))
    }

    /// Takes replications until none is left.
    fn work(&self, results: &mut Results, next: &AtomicU32, stop: &AtomicBool) -> Result<(), Fault> {
        let Options { check, digest, cancel, calls: log, .. } = *self.options;
        let wishes = Wishes { check, digest, cancel };
        loop {
            let replication = next.fetch_add(1, Ordering::Relaxed);
            if replication >= self.to {
                return Ok(());
            }
            // Asked for even if nothing is run any more: the log waits for every number that was taken.
            let rows = log.map(|log| log.replication(replication));
            if stop.load(Ordering::Relaxed) || self.cancelled() {
                return Ok(());
            }
            let ran = if self.fast {
                Ok(one_pool::run(self.model, self.seed, replication, cancel))
            } else {
                host::run(self.model, self.seed, replication, wishes, rows)
            };
            match ran {
                Ok(Some(tally)) => {
                    let grid = results.header().grid;
                    let tally = if grid == self.model.header.grid { tally } else { tally.regrouped(grid) };
                    results.add(replication, &tally);
                }
                Ok(None) => return Ok(()),
                Err(fault) => {
                    stop.store(true, Ordering::Relaxed);
                    return Err(fault);
                }
            }
            if let Some(progress) = self.options.progress {
                let left = self.to.saturating_sub(next.load(Ordering::Relaxed));
                progress(Progress { done: self.planned - left.min(self.planned), planned: self.planned });
            }
        }
    }
}
