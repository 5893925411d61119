//! One run: a floor, a sequence of steps, and everything that is checked after each.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use callfloor_engine::{
    CallId, Command, Engine, EngineConfig, Event, Instant, OfferId, OperatorId, Output, QueueId, TicketTimes, Work,
};

use crate::audit::Audit;
use crate::floor::random_floor;
use crate::generate::{Mix, Step, next_step};
use crate::ids::{Slots, in_command, in_event};
use crate::model::Model;
use crate::random::SplitMix64;
use crate::shrink::shrink;
use crate::subject::Subject;
use crate::view::View;

/// What a run does and how much of it is checked.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Steps of one run.
    pub steps: usize,
    /// The model runs beside one run of so many (1: every; 0: never).
    pub model_every: u64,
    /// The engine's `check` runs after one step of so many (1: every).
    pub check_every: u64,
    /// Of a thousand steps, after so many a copy is restored from a snapshot and runs beside the engine for a while.
    pub restore_permille: u64,
    /// Of a thousand rejections, at so many the snapshots before and after are compared.
    pub refusal_permille: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { steps: 1000, model_every: 1, check_every: 1, restore_permille: 3, refusal_permille: 10 }
    }
}

impl Settings {
    /// Whether the model runs beside this seed.
    #[must_use]
    pub const fn runs_model(&self, seed: u64) -> bool {
        self.model_every > 0 && seed.is_multiple_of(self.model_every)
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Runs.
    pub runs: u64,
    /// Steps, each a wake-up and mostly a command.
    pub steps: u64,
    /// Commands.
    pub commands: u64,
    /// Of these, accepted.
    pub accepted: u64,
    /// Commands that the model predicted.
    pub compared: u64,
    /// Other configurations accepted in mid-run.
    pub reconfigured: u64,
    /// Events.
    pub events: u64,
    /// Times that the engine's own check ran.
    pub checks: u64,
    /// Copies restored from a snapshot.
    pub restored: u64,
    /// Rejections before and after which the snapshots were compared.
    pub refusals: u64,
}

impl Tally {
    /// Adds another tally.
    pub fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.steps += other.steps;
        self.commands += other.commands;
        self.accepted += other.accepted;
        self.compared += other.compared;
        self.reconfigured += other.reconfigured;
        self.events += other.events;
        self.checks += other.checks;
        self.restored += other.restored;
        self.refusals += other.refusals;
    }
}

/// A run that failed.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The class of the failure, for shrinking: a shorter sequence must fail in the same class.
    pub class: String,
    /// What was found.
    pub detail: String,
    /// The floor.
    pub config: EngineConfig,
    /// The steps up to the failure.
    pub steps: Vec<Step>,
    /// The seeds of these steps.
    pub seeds: Vec<u64>,
}

/// Class and text of what went wrong.
type Wrong = (String, String);

fn wrong<T>(class: &str, detail: impl Into<String>) -> Result<T, Wrong> {
    Err((class.into(), detail.into()))
}

/// Of a thousand steps, at so many the host sleeps through its deadlines.
const LATE_PERMILLE: u64 = 20;

/// A step that leaps over more deadlines than this ends at the last of these.
const MOST_WAKE_UPS: u32 = 200;

/// Tickets and their clocks are asked for after one step of so many; what changes in them is told by events every time.
const TICKETS_EVERY: u64 = 8;

/// How long a restored copy runs beside the engine, in steps.
const BESIDE: u32 = 25;

struct Run<S> {
    subject: S,
    /// A copy restored from a snapshot, and the steps for which it still runs.
    copy: Option<(S, u32)>,
    model: Option<Model>,
    model_out: Vec<Event>,
    found: Vec<Event>,
    /// The model's next deadline after the last step.
    model_due: Option<Instant>,
    /// In use now.
    config: EngineConfig,
    slots: Slots,
    view: View,
    audit: Audit,
    now: Instant,
    out: Vec<Output>,
    copy_out: Vec<Output>,
    settings: Settings,
    tally: Tally,
}

impl<S: Subject> Run<S> {
    fn new(subject: S, config: &EngineConfig, settings: Settings, with_model: bool) -> Self {
        Self {
            subject,
            copy: None,
            model: with_model.then(|| Model::new(config)),
            model_out: Vec::new(),
            found: Vec::new(),
            model_due: None,
            config: config.clone(),
            slots: Slots::default(),
            view: View::new(config.operators.len()),
            audit: Audit::new(config),
            now: Instant::ZERO,
            out: Vec::new(),
            copy_out: Vec::new(),
            settings,
            tally: Tally::default(),
        }
    }

    fn step(&mut self, step: &Step, relocate: bool) -> Result<(), Wrong> {
        // What is sampled belongs to the step, and stays with it when others are left out.
        let mut sample = SplitMix64::new(step.seed ^ 0x7361_6d70_6c65);
        self.tally.steps += 1;
        let mut now = self.now.max(step.now);

        // A host wakes up at every deadline; now and then one comes late, and finds several due at once.
        let late = sample.below(1000) < LATE_PERMILLE;
        for wake_up in 1.. {
            let due = self.subject.next_deadline().filter(|&due| due < now && !late);
            let wake = due.unwrap_or(now);
            if wake_up == MOST_WAKE_UPS {
                now = wake;
            }
            self.now = wake;
            self.subject.advance(wake, &mut self.out);
            if let Some((copy, _)) = &mut self.copy {
                copy.advance(wake, &mut self.copy_out);
            }
            if let Some(model) = &mut self.model {
                if self.model_due.is_some_and(|due| due <= wake) || wake_up > 1 {
                    model.advance(wake, &mut self.model_out);
                } else {
                    model.sleep_until(wake);
                }
            }
            self.compare(wake, late, "wake-up")?;
            if wake == now {
                break;
            }
        }

        if let Some(command) = &step.command {
            let mut command = command.clone();
            if relocate {
                in_command(&mut command, |id| self.slots.relocate(id));
            }
            let before = (sample.below(1000) < self.settings.refusal_permille).then(|| self.subject.snapshot());
            self.audit.command(&command);
            let result = self.subject.apply(now, command.clone(), &mut self.out);
            self.tally.commands += 1;
            self.tally.accepted += u64::from(result.is_ok());
            if result.is_ok()
                && let Err(text) = Audit::told(&command, &self.out)
            {
                return wrong("silence", text);
            }
            if let (Some(before), Err(rejection)) = (before, &result) {
                self.tally.refusals += 1;
                if self.subject.snapshot() != before || !self.out.is_empty() {
                    return wrong("refusal", format!("{command:?} was refused ({rejection}), but changed something"));
                }
            }
            if let Some((copy, _)) = &mut self.copy {
                let other = copy.apply(now, command.clone(), &mut self.copy_out);
                if other != result {
                    return wrong("restored result", format!("{command:?}: {result:?}, but restored {other:?}"));
                }
            }
            if let Some(model) = &mut self.model {
                in_command(&mut command, |id| self.slots.bare(id));
                let expected = model.apply(now, &command, &mut self.model_out);
                if expected != result.is_ok() {
                    let expected = if expected { "accepts" } else { "refuses" };
                    return wrong("result", format!("{command:?}: engine {result:?}, the model {expected}"));
                }
                self.tally.compared += 1;
            }
            if let (Ok(()), Command::Reconfigure(config)) = (&result, &command) {
                self.tally.reconfigured += 1;
                self.view.grow(config.operators.len());
                self.audit.reconfigured(config);
                self.config = (**config).clone();
            }
            self.compare(now, false, "command")?;
        }
        self.check(&mut sample)
    }

    /// Outputs of engine and restored copy; then they are noted and forgotten.
    fn compare(&mut self, now: Instant, late: bool, what: &str) -> Result<(), Wrong> {
        if self.copy.is_some() {
            if self.out != self.copy_out {
                return wrong("restored outputs", format!("{what}: {:?}\n  restored {:?}", self.out, self.copy_out));
            }
            self.copy_out.clear();
        }
        self.slots.learn(&self.out);
        self.view.note(&self.out);
        if self.model.is_some() {
            self.found.clear();
            for output in &self.out {
                if let Output::Event(event) = output {
                    let mut event = *event;
                    in_event(&mut event, |id| self.slots.bare(id));
                    self.found.push(event);
                }
            }
            if self.found != self.model_out {
                // The order about one object is predicted, not that between objects.
                self.found.sort_by_key(subject_of);
                self.model_out.sort_by_key(subject_of);
            }
            if self.found != self.model_out {
                let same = self.found.iter().zip(&self.model_out).take_while(|(a, b)| a == b).count();
                let (found, expected) = (&self.found[same..], &self.model_out[same..]);
                return wrong(
                    "model",
                    format!("{what}, after {same} equal events{}{}", lines("engine", found), lines("model", expected)),
                );
            }
            self.model_out.clear();
        }
        let events = self.out.iter().filter(|output| matches!(output, Output::Event(_))).count();
        self.tally.events += events as u64;
        if let Err(text) = self.audit.outputs(now, late, &self.out) {
            return wrong("audit", text);
        }
        // What the audit knows changes with outputs only.
        if !self.out.is_empty()
            && let Err(text) = self.audit.at_rest()
        {
            return wrong("audit at rest", text);
        }
        self.out.clear();
        Ok(())
    }

    fn check(&mut self, sample: &mut SplitMix64) -> Result<(), Wrong> {
        if sample.below(self.settings.check_every) == 0 {
            self.tally.checks += 1;
            if let Err(text) = self.subject.check() {
                return wrong("check", text);
            }
        }
        for at in 0..u32::try_from(self.view.statuses.len()).unwrap_or(0) {
            let operator = OperatorId(at);
            let status = self.subject.status(operator);
            if status != self.audit.status(operator) {
                return wrong("status", format!("{operator} is {status}, told was {}", self.audit.status(operator)));
            }
        }
        let deadline = self.subject.next_deadline();
        if deadline.is_some_and(|deadline| deadline <= self.now) {
            return wrong("deadline", format!("{deadline:?} is still due at {}", self.now));
        }
        if let Some(model) = &self.model
            && let Err(wrong) = self.compare_state(model, deadline, sample.below(TICKETS_EVERY) == 0)
        {
            return Err(wrong);
        }
        self.model_due = deadline;
        if let Some((copy, left)) = &mut self.copy {
            if copy.next_deadline() != deadline {
                return wrong("restored deadline", format!("{deadline:?}, restored {:?}", copy.next_deadline()));
            }
            *left -= 1;
            if *left == 0 {
                if copy.snapshot() != self.subject.snapshot() {
                    return wrong("restored snapshot", "after some steps, the restored copy's snapshot differs");
                }
                self.copy = None;
            }
        } else if sample.below(1000) < self.settings.restore_permille {
            let bytes = self.subject.snapshot();
            let copy = match self.subject.restored(&bytes) {
                Ok(copy) => copy,
                Err(text) => return wrong("restore", text),
            };
            if copy.snapshot() != bytes {
                return wrong("restore", "a restored copy's snapshot differs at once");
            }
            self.tally.restored += 1;
            self.copy = Some((copy, BESIDE));
        }
        Ok(())
    }

    /// What can be asked of the engine at rest.
    fn compare_state(&self, model: &Model, deadline: Option<Instant>, tickets: bool) -> Result<(), Wrong> {
        let all = (0u32..).map(OperatorId).take(self.view.statuses.len());
        if let Some(operator) = all.into_iter().find(|&o| model.status(o) != self.subject.status(o)) {
            return wrong("model status", format!("{operator}: the model has {}", model.status(operator)));
        }
        if model.next_deadline() != deadline {
            return wrong("model deadline", format!("engine {deadline:?}, model {:?}", model.next_deadline()));
        }
        for expected in model.tickets().take_while(|_| tickets) {
            let id = self.slots.ticket(expected.number);
            let state = (expected.status, expected.owner, expected.version);
            let found = self.subject.ticket(id);
            if found != Some(state) {
                return wrong("model ticket", format!("{id}: {found:?}, the model {state:?}"));
            }
            let (first_response, resolution) = model.ticket_times(&expected);
            let expected = Some(TicketTimes { first_response, resolution });
            let found = self.subject.ticket_times(id, self.now);
            if found != expected {
                return wrong("model clocks", format!("{id}: {found:?}, the model {expected:?}"));
            }
        }
        if self.subject.live_calls() != model.live_calls() {
            return wrong(
                "model calls",
                format!("{} live, the model {}", self.subject.live_calls(), model.live_calls()),
            );
        }
        for queue in (0u16..).map(QueueId).take(self.config.queues.len()) {
            let (found, expected) = (self.subject.waiting(queue), model.waiting(queue));
            if found as usize != expected {
                return wrong("model waiting", format!("{queue}: {found} wait, the model {expected}"));
            }
        }
        Ok(())
    }
}

/// One event a line.
fn lines(whose: &str, events: &[Event]) -> String {
    events.iter().map(|event| format!("\n  {whose:6} {event:?}")).collect()
}

/// Whom or what an event is about: events about one object are in the order in which they happened.
fn subject_of(event: &Event) -> (u8, u32) {
    let of_call = |call: CallId| (0, call.number());
    let of_offer = |offer: OfferId| (1, offer.number());
    let of_work = |work: Work| match work {
        Work::Call(id) => of_call(id),
        Work::Chat(id) => (2, id.number()),
        Work::Ticket(id) => (3, id.number()),
        Work::Callback(id) => (4, id.number()),
    };
    match *event {
        Event::CallArrived { call, .. }
        | Event::StepEntered { call, .. }
        | Event::CallQueued { call, .. }
        | Event::QueueFull { call, .. }
        | Event::CallFlowedOut { call, .. }
        | Event::CallRecovered { call, .. }
        | Event::CallAnswered { call, .. }
        | Event::CallResumed { call, .. }
        | Event::CallHeld { call, .. }
        | Event::CallReleased { call, .. }
        | Event::ConsultStarted { call, .. }
        | Event::ConsultAnswered { call, .. }
        | Event::ConsultEnded { call, .. }
        | Event::CallTransferred { call, .. }
        | Event::ConferenceStarted { call, .. }
        | Event::ForcedEndStarted { call, .. }
        | Event::DialStarted { call, .. }
        | Event::SupervisionStarted { call, .. }
        | Event::SupervisionChanged { call, .. }
        | Event::SupervisionEnded { call, .. }
        | Event::DialAnswered { call, .. } => of_call(call),
        Event::CallEnded(record) => of_call(record.call),
        Event::NeedsRelaxed { work, .. } => of_work(work),
        Event::OfferMade { offer, .. } | Event::OfferEnded { offer, .. } => of_offer(offer),
        Event::ChatArrived { chat, .. }
        | Event::ChatAnswered { chat, .. }
        | Event::ChatTransferred { chat, .. }
        | Event::ChatTransferredToOperator { chat, .. }
        | Event::ChatEnded { chat, .. } => of_work(Work::Chat(chat)),
        Event::TicketCreated { ticket, .. }
        | Event::TicketQueued { ticket, .. }
        | Event::TicketAssigned { ticket, .. }
        | Event::TicketChanged { ticket, .. } => of_work(Work::Ticket(ticket)),
        Event::CallbackReceived { callback, .. } | Event::CallbackEnded { callback, .. } => {
            of_work(Work::Callback(callback))
        }
        Event::StatusChanged { operator, .. }
        | Event::ChatStatusChanged { operator, .. }
        | Event::AfterCallPrompt { operator } => (5, operator.0),
        _ => (6, 0),
    }
}

thread_local! {
    static PANIC: RefCell<Option<(String, String)>> = const { RefCell::new(None) };
    static QUIET: RefCell<bool> = const { RefCell::new(false) };
}

/// Runs `f`; a panic becomes a failure whose class is the place of the panic.
fn guarded<T>(f: impl FnOnce() -> Result<T, Wrong>) -> Result<T, Wrong> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if QUIET.with_borrow(|quiet| *quiet) {
                let place = info.location().map_or_else(String::new, ToString::to_string);
                PANIC.set(Some((place, info.to_string())));
            } else {
                before(info);
            }
        }));
    });
    QUIET.set(true);
    let result = catch_unwind(AssertUnwindSafe(f));
    QUIET.set(false);
    result.unwrap_or_else(|_| {
        let (place, text) = PANIC.take().unwrap_or_default();
        Err((format!("panic at {place}"), text))
    })
}

/// The seeds of a run's steps.
fn step_seeds(seed: u64, steps: usize) -> Vec<u64> {
    let mut random = SplitMix64::new(seed ^ 0x0073_7465_7073);
    (0..steps).map(|_| random.bits()).collect()
}

/// Runs generated steps; on failure, says which steps they were.
fn generated<S: Subject>(
    make: &impl Fn(&EngineConfig) -> S,
    config: &EngineConfig,
    mix: &Mix,
    seeds: &[u64],
    settings: Settings,
    with_model: bool,
) -> Result<Tally, (Wrong, Vec<Step>)> {
    let mut steps = Vec::with_capacity(seeds.len());
    let result = guarded(|| {
        let mut run = Run::new(make(config), config, settings, with_model);
        for &seed in seeds {
            let step = next_step(seed, &run.config, mix, &run.view, run.now, run.subject.next_deadline());
            steps.push(step);
            let at = steps.len() - 1;
            let result = run.step(&steps[at], false);
            steps[at].now = run.now;
            result?;
        }
        run.tally.runs = 1;
        Ok(run.tally)
    });
    result.map_err(|wrong| (wrong, steps))
}

/// Runs written steps; ids are found by their numbers.
///
/// # Errors
/// Class and text of what went wrong, and after how many steps.
pub fn run_steps<S: Subject>(
    make: &impl Fn(&EngineConfig) -> S,
    config: &EngineConfig,
    steps: &[Step],
    settings: Settings,
    with_model: bool,
) -> Result<(), (String, String, usize)> {
    let mut done = 0;
    let result = guarded(|| {
        let mut run = Run::new(make(config), config, settings, with_model);
        for step in steps {
            done += 1;
            run.step(step, true)?;
        }
        Ok(())
    });
    result.map_err(|(class, detail)| (class, detail, done))
}

/// One run of a seed: its floor, its mix, its steps.
///
/// # Errors
/// The failure, as found; [`shrink_failure`] makes it short.
pub fn run_seed<S: Subject>(
    make: &impl Fn(&EngineConfig) -> S,
    seed: u64,
    settings: Settings,
) -> Result<Tally, Box<Failure>> {
    let with_model = settings.runs_model(seed);
    let config = random_floor(seed);
    let mix = Mix::new(seed, &config);
    let seeds = step_seeds(seed, settings.steps);
    generated(make, &config, &mix, &seeds, settings, with_model).map_err(|((class, detail), steps)| {
        let seeds = seeds[..steps.len()].to_vec();
        Box::new(Failure { class, detail, config, steps, seeds })
    })
}

/// Makes a failure short: first by leaving out generated steps (the others adapt to what they see), then by leaving
/// out written ones, then by making the floor simpler.
#[must_use]
pub fn shrink_failure<S: Subject>(
    make: &impl Fn(&EngineConfig) -> S,
    seed: u64,
    failure: &Failure,
    settings: Settings,
) -> Failure {
    let mut best = failure.clone();
    let with_model = settings.runs_model(seed);
    let mix = Mix::new(seed, &best.config);
    let config = best.config.clone();
    let _ = shrink(&failure.seeds, 4000, |seeds| match generated(make, &config, &mix, seeds, settings, with_model) {
        Err(((class, detail), steps)) if class == failure.class => {
            let seeds = seeds[..steps.len()].to_vec();
            best = Failure { class, detail, config: config.clone(), steps, seeds };
            true
        }
        _ => false,
    });
    let fails = |config: &EngineConfig, steps: &[Step]| match run_steps(make, config, steps, settings, with_model) {
        Err((class, detail, done)) if class == failure.class => Some((detail, steps[..done].to_vec())),
        _ => None,
    };
    let mut changed = true;
    while changed {
        changed = false;
        let before = best.steps.len();
        let config = best.config.clone();
        let start = best.steps.clone();
        let _ = shrink(&start, 4000, |steps| {
            let Some((detail, steps)) = fails(&config, steps) else { return false };
            best.detail = detail;
            best.steps = steps;
            true
        });
        changed |= best.steps.len() < before;
        for simpler in crate::simplify::simpler_floors(&best.config) {
            if let Some((detail, steps)) = fails(&simpler, &best.steps) {
                best.config = simpler;
                best.detail = detail;
                best.steps = steps;
                changed = true;
                break;
            }
        }
    }
    best
}

/// The engine itself.
#[must_use]
pub fn engine(config: &EngineConfig) -> Engine {
    Engine::new(config.clone())
}
