//! Runs in the background: one after the other, by threads of low priority, each within its bounds.

use std::collections::{BTreeMap, VecDeque};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use callfloor_measure::Results;
use callfloor_reports::Run as HowItWent;
use callfloor_scenario::Scenario;
use callfloor_sim::change::{Change, changed_scenario};
use callfloor_sim::what_if::{Again, WhatIf, what_if};
use callfloor_sim::{Options, Progress, simulate};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::bounds::threads_for;
use super::{DayTrouble, Marks, Recorded, recorded};
use crate::storage::Reader;

/// Most runs that wait or go on, of one organisation and of all.
const MOST_WAITING: usize = 3;
const MOST_WAITING_IN_ALL: usize = 12;
/// Most runs whose results are kept, of one organisation and of all, and most memory for them. The newest is kept however large.
pub(super) const MOST_KEPT: usize = 10;
const MOST_KEPT_IN_ALL: usize = 60;
const MOST_BYTES_KEPT: usize = 512 << 20;
const MOST_BYTES_KEPT_IN_ALL: usize = 1 << 30;
/// Longest time that a run may take.
const LONGEST: Duration = Duration::from_secs(600);
/// How often a run is looked after.
const LOOK: Duration = Duration::from_millis(50);
/// The lowest priority of Unix.
#[cfg(target_os = "linux")]
const NICE: i32 = 19;

/// What is to be done.
pub(super) enum Work {
    /// A scenario, and the same changed.
    Scenario { scenario: Box<Scenario>, changes: Vec<Change>, replications: u32, seed: u64 },
    /// A day of the journal, and the same changed. The reader is the organisation's.
    Day {
        reader: Box<dyn Reader>,
        marks: Marks,
        date: Date,
        zone: TimeZone,
        changes: Vec<Change>,
        replications: u32,
        seed: u64,
        threshold_s: f64,
    },
}

/// What came out.
#[expect(clippy::large_enum_variant, reason = "there are few, each behind an Arc")]
#[derive(Debug)]
pub(super) enum Outcome {
    Scenario { plan: Results, changed: Option<Results>, words: Vec<String>, how: HowItWent },
    Day { date: Date, what_if: Box<WhatIf>, threshold_s: f64, replications: u32, changed: bool },
}

impl Outcome {
    /// What it takes in memory, as far as that may be much.
    fn bytes(&self) -> usize {
        match self {
            Self::Scenario { plan, changed, .. } => plan.bytes() + changed.as_ref().map_or(0, Results::bytes),
            Self::Day { .. } => 0,
        }
    }
}

/// How far a run is.
#[derive(Clone, Debug)]
pub(super) enum Phase {
    Waiting,
    /// The journal is read.
    Reading(Instant),
    Running(Instant),
    Done(Arc<Outcome>),
    Cancelled,
    Failed(String),
}

impl Phase {
    const fn is_over(&self) -> bool {
        matches!(self, Self::Done(_) | Self::Cancelled | Self::Failed(_))
    }

    fn bytes(&self) -> usize {
        if let Self::Done(outcome) = self { outcome.bytes() } else { 0 }
    }
}

/// Why a run is to stop.
const BY_HAND: u8 = 1;
const TOO_LONG: u8 = 2;

/// A run.
pub(super) struct Run {
    organisation: String,
    id: u64,
    work: Mutex<Option<Work>>,
    phase: Mutex<Phase>,
    cancel: AtomicBool,
    reason: AtomicU8,
    done: AtomicU32,
    planned: AtomicU32,
    /// Which one it was to be over, of all runs; 0 until it is.
    ended: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Run {
    pub(super) fn phase(&self) -> Phase {
        lock(&self.phase).clone()
    }

    /// Replications done, and planned: of both plans where two are compared.
    pub(super) fn progress(&self) -> (u32, u32) {
        (self.done.load(Ordering::Relaxed), self.planned.load(Ordering::Relaxed))
    }

    fn stop(&self, reason: u8) {
        let _ = self.reason.compare_exchange(0, reason, Ordering::Relaxed, Ordering::Relaxed);
        self.cancel.store(true, Ordering::Relaxed);
    }

    fn enter(&self, phase: Phase) {
        *lock(&self.phase) = phase;
    }

    fn work(&self, work: Work, threads: NonZeroUsize) -> Result<Outcome, String> {
        match work {
            Work::Scenario { scenario, changes, replications, seed } => {
                self.enter(Phase::Running(Instant::now()));
                let (changed, words) = changed_scenario(&scenario, &changes).map_err(|wrong| wrong.to_string())?;
                let threads = threads_for(&scenario, threads);
                let begun = Instant::now();
                let plan = self.simulate(&scenario, replications, seed, threads, 0)?;
                let changed = match changes.is_empty() {
                    true => None,
                    false => Some(self.simulate(&changed, replications, seed, threads, replications)?),
                };
                let how = HowItWent {
                    wall_s: begun.elapsed().as_secs_f64(),
                    threads: threads.get(),
                    wanted: Some(replications),
                    ..HowItWent::default()
                };
                Ok(Outcome::Scenario { plan, changed, words, how })
            }
            Work::Day { mut reader, marks, date, zone, changes, replications, seed, threshold_s } => {
                self.enter(Phase::Reading(Instant::now()));
                let Recorded { date, day } =
                    recorded(reader.as_mut(), Some(&marks), Some(date), &zone, Some(&self.cancel))
                        .map_err(|trouble: DayTrouble| trouble.to_string())?;
                drop(reader);
                self.enter(Phase::Running(Instant::now()));
                let progress = |done| self.done.store(done, Ordering::Relaxed);
                let again =
                    Again { threshold_s, replications, seed, cancel: Some(&self.cancel), progress: Some(&progress) };
                let found = what_if(&day, &changes, &again).map_err(|wrong| wrong.to_string())?;
                let what_if = Box::new(found.ok_or_else(|| "it was stopped".to_owned())?);
                Ok(Outcome::Day { date, what_if, threshold_s, replications, changed: !changes.is_empty() })
            }
        }
    }

    fn simulate(
        &self,
        scenario: &Scenario,
        replications: u32,
        seed: u64,
        threads: NonZeroUsize,
        before: u32,
    ) -> Result<Results, String> {
        let progress = |Progress { done, .. }: Progress| self.done.store(before + done, Ordering::Relaxed);
        let options = Options {
            threads: Some(threads),
            seed: Some(seed),
            replications: Some(replications),
            precision: Some(None),
            cancel: Some(&self.cancel),
            progress: Some(&progress),
            ..Options::default()
        };
        let outcome = simulate(scenario, &options).map_err(|wrong| wrong.to_string())?;
        if outcome.cancelled { Err("it was stopped".to_owned()) } else { Ok(outcome.results) }
    }
}

#[derive(Default)]
struct State {
    closing: bool,
    started: bool,
    waiting: VecDeque<Arc<Run>>,
    now: Option<Arc<Run>>,
    /// All that are known, by organisation and number.
    runs: BTreeMap<(String, u64), Arc<Run>>,
    /// Places that are promised, by organisation.
    promised: BTreeMap<String, usize>,
    /// Runs that are over, all told.
    ended: u64,
}

impl State {
    fn live(&self, organisation: &str) -> usize {
        let live = self.waiting.iter().chain(&self.now).filter(|run| run.organisation == organisation).count();
        live + self.promised.get(organisation).copied().unwrap_or(0)
    }

    fn live_in_all(&self) -> usize {
        self.waiting.len() + usize::from(self.now.is_some()) + self.promised.values().sum::<usize>()
    }

    /// A run is over: the oldest results beyond what is kept are forgotten.
    fn end(&mut self, run: &Run, phase: Phase) {
        self.ended += 1;
        run.enter(phase);
        run.ended.store(self.ended, Ordering::Relaxed);
        let over = self.runs.values().map(|run| (run, run.phase())).filter(|(_, phase)| phase.is_over());
        let over = over.map(|(run, phase)| Over {
            ended: run.ended.load(Ordering::Relaxed),
            organisation: run.organisation.clone(),
            id: run.id,
            bytes: phase.bytes(),
        });
        for Over { organisation, id, .. } in beyond(over.collect()) {
            self.runs.remove(&(organisation, id));
        }
    }
}

/// A run that is over.
#[derive(Clone, Debug, PartialEq)]
struct Over {
    ended: u64,
    organisation: String,
    id: u64,
    bytes: usize,
}

/// Runs that are over and are not kept: the newest are, whichever organisation's, as far as there is room.
fn beyond(mut over: Vec<Over>) -> Vec<Over> {
    over.sort_unstable_by_key(|run| std::cmp::Reverse(run.ended));
    let (mut all, mut own) = ((0, 0), BTreeMap::<String, (usize, usize)>::new());
    over.retain(|run| {
        let own = own.entry(run.organisation.clone()).or_default();
        let has_room = |(count, bytes): (usize, usize), (most, most_bytes)| {
            count < most && bytes.saturating_add(run.bytes) <= most_bytes
        };
        let kept = all.0 == 0
            || has_room(all, (MOST_KEPT_IN_ALL, MOST_BYTES_KEPT_IN_ALL))
                && has_room(*own, (MOST_KEPT, MOST_BYTES_KEPT));
        if kept {
            (all, *own) = ((all.0 + 1, all.1 + run.bytes), (own.0 + 1, own.1 + run.bytes));
        }
        !kept
    });
    over
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    woken: Condvar,
}

/// Does the runs of all organisations.
#[derive(Default)]
pub struct Planner {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Planner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Planner").finish_non_exhaustive()
    }
}

/// A place for a run: it is free again where the run is not begun after all.
pub(super) struct Place {
    inner: Arc<Inner>,
    organisation: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = lock(&self.inner.state);
        if let Some(count) = state.promised.get_mut(&self.organisation) {
            *count -= 1;
            if *count == 0 {
                state.promised.remove(&self.organisation);
            }
        }
    }
}

/// Processors for runs: all but one.
fn threads() -> NonZeroUsize {
    let all = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    NonZeroUsize::new(all - 1).unwrap_or(NonZeroUsize::MIN)
}

impl Planner {
    /// A place for another run.
    ///
    /// # Errors
    /// Why there is none.
    pub(super) fn place(&self, organisation: &str) -> Result<Place, String> {
        let mut state = lock(&self.inner.state);
        if state.closing {
            return Err("the server goes down".into());
        }
        if state.live(organisation) >= MOST_WAITING {
            return Err(format!("{MOST_WAITING} runs wait or go on already: wait for one of them, or cancel one"));
        }
        if state.live_in_all() >= MOST_WAITING_IN_ALL {
            return Err("too many runs of this server wait: ask again in some minutes".into());
        }
        *state.promised.entry(organisation.to_owned()).or_default() += 1;
        drop(state);
        Ok(Place { inner: Arc::clone(&self.inner), organisation: organisation.to_owned() })
    }

    /// Puts a run in line, once for each number.
    pub(super) fn begin(&self, place: Place, id: u64, work: Work) -> Arc<Run> {
        let (Work::Scenario { replications, changes, .. } | Work::Day { replications, changes, .. }) = &work;
        let twice = matches!(work, Work::Scenario { .. }) && !changes.is_empty();
        let run = Arc::new(Run {
            organisation: place.organisation.clone(),
            id,
            phase: Mutex::new(Phase::Waiting),
            cancel: AtomicBool::new(false),
            reason: AtomicU8::new(0),
            done: AtomicU32::new(0),
            planned: AtomicU32::new(if twice { 2 * replications } else { *replications }),
            ended: AtomicU64::new(0),
            work: Mutex::new(Some(work)),
        });
        let mut state = lock(&self.inner.state);
        let key = (run.organisation.clone(), id);
        if let Some(known) = state.runs.get(&key) {
            return Arc::clone(known);
        }
        state.runs.insert(key, Arc::clone(&run));
        state.waiting.push_back(Arc::clone(&run));
        if !state.started {
            state.started = true;
            let inner = Arc::clone(&self.inner);
            let named = std::thread::Builder::new().name("planner".into());
            if let Err(problem) = named.spawn(move || inner.serve()) {
                state.started = false;
                tracing::error!(%problem, "no thread for the planner's runs");
            }
        }
        drop(state);
        self.inner.woken.notify_one();
        run
    }

    /// A run that is in memory.
    pub(super) fn run(&self, organisation: &str, id: u64) -> Option<Arc<Run>> {
        lock(&self.inner.state).runs.get(&(organisation.to_owned(), id)).cloned()
    }

    /// How many runs go before one that waits.
    pub(super) fn before(&self, run: &Run) -> usize {
        let state = lock(&self.inner.state);
        let place = state.waiting.iter().position(|it| it.id == run.id && it.organisation == run.organisation);
        place.map_or(0, |place| place + usize::from(state.now.is_some()))
    }

    /// Stops a run that waits or goes on; its results are none.
    pub(super) fn cancel(&self, run: &Run) {
        run.stop(BY_HAND);
        let mut state = lock(&self.inner.state);
        if let Some(at) = state.waiting.iter().position(|it| it.id == run.id && it.organisation == run.organisation) {
            state.waiting.remove(at);
            lock(&run.work).take();
            state.end(run, Phase::Cancelled);
        }
    }

    /// Forgets a run that is over.
    pub(super) fn forget(&self, organisation: &str, id: u64) {
        lock(&self.inner.state).runs.remove(&(organisation.to_owned(), id));
    }

    /// Stops whatever goes on, and begins nothing any more.
    pub fn stop(&self) {
        let mut state = lock(&self.inner.state);
        state.closing = true;
        state.waiting.clear();
        if let Some(run) = &state.now {
            run.stop(BY_HAND);
        }
        drop(state);
        self.inner.woken.notify_all();
    }
}

impl Drop for Planner {
    fn drop(&mut self) {
        self.stop();
    }
}

impl Inner {
    /// The thread of all runs.
    fn serve(&self) {
        // Threads that are begun here inherit it.
        step_back();
        loop {
            let run = {
                let mut state = lock(&self.state);
                loop {
                    if state.closing {
                        return;
                    }
                    if let Some(run) = state.waiting.pop_front() {
                        state.now = Some(Arc::clone(&run));
                        break run;
                    }
                    state = self.woken.wait(state).unwrap_or_else(PoisonError::into_inner);
                }
            };
            let phase = look_after(&run);
            let mut state = lock(&self.state);
            state.now = None;
            state.end(&run, phase);
        }
    }
}

/// Gives this thread the lowest priority: whatever else is to be done goes before it. Only of Linux a thread has a priority of
/// its own that can be set so simply.
pub(super) fn step_back() {
    #[cfg(target_os = "linux")]
    if let Err(problem) = rustix::process::setpriority_process(None, NICE) {
        tracing::warn!(%problem, "the planner has the priority of calls");
    }
}

/// Does a run, and stops it where it takes too long; how it ended.
fn look_after(run: &Run) -> Phase {
    let Some(work) = lock(&run.work).take() else { return Phase::Cancelled };
    let begun = Instant::now();
    let outcome = std::thread::scope(|scope| -> Result<Outcome, String> {
        let doing =
            std::thread::Builder::new().name("planner-run".into()).spawn_scoped(scope, || run.work(work, threads()));
        let doing = doing.map_err(|problem| format!("no thread for it: {problem}"))?;
        while !doing.is_finished() {
            std::thread::park_timeout(LOOK);
            if begun.elapsed() > LONGEST {
                run.stop(TOO_LONG);
            }
        }
        doing.join().unwrap_or_else(|_| {
            Err("a fault of callfloor's own ended it: please report it, with the scenario".to_owned())
        })
    });
    match (outcome, run.reason.load(Ordering::Relaxed)) {
        (Ok(outcome), _) => Phase::Done(Arc::new(outcome)),
        (Err(_), BY_HAND) => Phase::Cancelled,
        (Err(_), TOO_LONG) => Phase::Failed(format!(
            "it took longer than {} minutes: fewer replications or a smaller scenario are right",
            LONGEST.as_secs() / 60
        )),
        (Err(problem), _) => Phase::Failed(problem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(ended: u64, organisation: &str, id: u64, bytes: usize) -> Over {
        Over { ended, organisation: organisation.into(), id, bytes }
    }

    #[test]
    fn the_newest_results_are_kept_whichever_organisation_has_made_more_runs() {
        let large = |ended| over(ended, &format!("busy-{}", ended % 10), 1_000 + ended, 0);
        let mut all: Vec<_> = (0..MOST_KEPT_IN_ALL as u64).map(large).collect();
        all.push(over(1_000, "quiet", 1, 0));
        assert_eq!(beyond(all), [large(0)], "the oldest goes, not the one with the smallest number");
        let own: Vec<_> = (0..MOST_KEPT as u64 + 2).map(|id| over(id, "busy", id, 0)).collect();
        assert_eq!(beyond(own).iter().map(|run| run.id).collect::<Vec<_>>(), [1, 0]);
    }

    #[test]
    fn results_are_kept_as_far_as_there_is_memory_for_them() {
        let third = MOST_BYTES_KEPT / 3;
        let own = (1..6).map(|id| over(id, "main", id, third)).chain([over(0, "main", 9, 1)]).collect();
        assert_eq!(beyond(own).iter().map(|run| run.id).collect::<Vec<_>>(), [2, 1], "what is small has room yet");
        let all = (0..5).map(|id| over(id, &id.to_string(), id, MOST_BYTES_KEPT)).collect();
        assert_eq!(beyond(all).iter().map(|run| run.id).collect::<Vec<_>>(), [2, 1, 0]);
        assert_eq!(beyond(vec![over(1, "main", 1, usize::MAX)]), [], "the newest is kept however large");
    }
}
