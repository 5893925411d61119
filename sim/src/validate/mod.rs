//! Validation: logged days through the engine, predicted against actual.
//!
//! From the test log come the arrival instants, types and priorities, and who was on duty when, worked out from who takes
//! calls (see [`crate::fit::duty`]: one draw for each replication). From the scenario, fitted on other months, come
//! handling times, after-call work and patience. A wait or an outcome of the test log is used only as far as it shows that
//! an operator took no call while callers waited.

pub mod needed;
pub mod replay;
pub mod report;

use std::fmt;

use callfloor_scenario::clock::DAY_US;
use callfloor_scenario::{Arrivals, Days, Entry};
use callfloor_scenario::{CustomerClass, Distribution as Described, QueueIndex, QueueLevel, Rostered, Scenario, Shift};
use jiff::civil::{Date, Weekday};

use crate::distribution::Distribution;
use crate::fit::arrivals::{ArrivalFit, HALVES};
use crate::fit::calibration::{class_name, plan_draws, priority_lost};
use crate::fit::duty::{AfterCall, Chain, DayFloor, Duty, Plan, Specialists, by_half_hour};
use crate::fit::log::{Call, CallLog};
use crate::stream::{Draw as _, Kind, Purpose, Streams};
use replay::{Caller, Outcome, replay};

/// What is compared, and how often it is simulated.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Replications.
    pub replications: u32,
    /// Seed.
    pub seed: u64,
    /// First second of the day that is counted.
    pub from_s: i64,
    /// End of what is counted.
    pub to_s: i64,
    /// Days of the week that are counted; all if empty.
    pub weekdays: Vec<Weekday>,
    /// An answer within this wait is in time.
    pub threshold_s: f64,
}

/// Why a validation cannot run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidateError(String);

impl fmt::Display for ValidateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ValidateError {}

/// Counts of calls, from which every figure follows.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    /// Calls.
    pub n: f64,
    /// Abandoned.
    pub abandoned: f64,
    /// Answered within the threshold.
    pub in_time: f64,
    /// Waits of all calls together, in seconds.
    pub wait_s: f64,
}

impl Sums {
    /// Adds a call.
    pub fn add(&mut self, answered: bool, wait_s: f64, threshold_s: f64) {
        self.n += 1.0;
        self.wait_s += wait_s;
        if !answered {
            self.abandoned += 1.0;
        } else if wait_s <= threshold_s {
            self.in_time += 1.0;
        }
    }

    /// Adds other counts.
    pub fn merge(&mut self, other: &Self) {
        self.n += other.n;
        self.abandoned += other.abandoned;
        self.in_time += other.in_time;
        self.wait_s += other.wait_s;
    }

    /// Share abandoned, mean wait of all calls in seconds, share of all calls answered in time.
    #[must_use]
    pub fn figures(&self) -> [f64; 3] {
        [self.abandoned, self.wait_s, self.in_time].map(|x| x / self.n.max(1.0))
    }
}

/// One cell of the comparison: an hour of a day.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The day.
    pub date: Date,
    /// Hour of the day.
    pub hour: usize,
    /// What happened.
    pub actual: Sums,
    /// What was simulated, by replication.
    pub predicted: Vec<Sums>,
    /// Erlang C; the number of calls in half hours in which the load was not below the operators is beside it.
    pub erlang_c: Sums,
    /// Calls in half hours without a steady state in Erlang C.
    pub unstable: f64,
    /// Erlang A.
    pub erlang_a: Sums,
    /// Operators on duty, on average.
    pub on_duty: f64,
}

/// The outcome of a validation.
#[derive(Debug, Clone, PartialEq)]
pub struct Validation {
    /// Cells with calls, by day and hour.
    pub cells: Vec<Cell>,
    /// Days of outage, which were left out.
    pub left_out: Vec<Date>,
    /// Mean handle time and mean patience that Erlang's formulas were given, in seconds.
    pub erlang_inputs: (f64, f64),
    /// Mean talk in the log over calls with a service, and as simulated, in seconds.
    pub talk_s: (f64, f64),
    /// What was asked for.
    pub options: Options,
}

struct Class {
    index: usize,
    patience: Distribution,
    talk: Distribution,
    after_call: Distribution,
    /// Mean handle time of the class's model in seconds.
    mean_s: f64,
}

/// Everything that does not change between replications.
pub struct Setup<'a> {
    scenario: Scenario,
    options: Options,
    classes: Vec<Class>,
    /// From the offer to the answer; `None`: at once.
    answer: Option<Distribution>,
    days: Vec<(Date, &'a [Call])>,
    floors: Vec<Vec<DayFloor>>,
    chain: Chain,
    specialists: Specialists,
    /// Class of each call type, ordinary and high. `[kind]`
    class_of: Vec<[usize; 2]>,
    /// Share of high priority, by type. `[kind]`
    high: Vec<f64>,
    lost: bool,
    left_out: Vec<Date>,
}

impl fmt::Debug for Setup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Setup").field("days", &self.days.len()).finish_non_exhaustive()
    }
}

fn expected(class: &CustomerClass) -> f64 {
    match &class.arrivals {
        Arrivals::Rates { pieces, .. } => pieces.iter().map(callfloor_scenario::RatePiece::expected).sum(),
        Arrivals::Trace { arrivals } => arrivals.len() as f64,
    }
}

impl<'a> Setup<'a> {
    /// Prepares the days of a log.
    ///
    /// # Errors
    /// If the scenario has no class of callers who go straight to a queue, or no group of operators.
    pub fn new(log: &'a CallLog, scenario: &Scenario, options: &Options) -> Result<Self, ValidateError> {
        let fail = |words: &str| Err(ValidateError(words.to_owned()));
        if scenario.classes.is_empty() || scenario.groups.is_empty() {
            return fail("the scenario has no customers or no operators");
        }
        if scenario.classes.iter().any(|c| matches!(c.entry, Entry::Flow(_))) {
            return fail("a class of the scenario goes through a call flow; validate needs classes that go to a queue");
        }
        let distribution =
            |described: &Described| Distribution::new(described).map_err(|e| ValidateError(e.to_string()));
        let mut classes = Vec::new();
        for (index, class) in scenario.classes.iter().enumerate() {
            classes.push(Class {
                index,
                patience: distribution(&class.patience)?,
                talk: distribution(&class.handling.talk)?,
                after_call: distribution(&class.handling.after_call)?,
                mean_s: class.handling.mean_s(),
            });
        }
        let group = &scenario.groups[0];
        let answer = if group.auto_answer { None } else { Some(distribution(&group.answer_delay)?) };
        let largest = (0..classes.len())
            .max_by(|a, b| expected(&scenario.classes[*a]).total_cmp(&expected(&scenario.classes[*b])))
            .unwrap_or(0);
        let find = |name: &str| scenario.classes.iter().position(|c| c.name == name);
        let mut class_of = Vec::new();
        let mut high = Vec::new();
        for kind in &log.kinds {
            let (ordinary, priority) = (find(&class_name(kind, 0)), find(&class_name(kind, 1)));
            let volume = |class: Option<usize>| class.map_or(0.0, |c| expected(&scenario.classes[c]));
            let all = volume(ordinary) + volume(priority);
            high.push(if all > 0.0 { volume(priority) / all } else { 0.0 });
            let ordinary = ordinary.or(priority).unwrap_or(largest);
            class_of.push([ordinary, priority.unwrap_or(ordinary)]);
        }
        let arrivals = ArrivalFit::new(log);
        let specialists = Specialists::find(&log.calls, log.operators.len(), log.kinds.len());
        let (mut days, mut floors, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
        for (date, calls) in log.days() {
            let wanted = options.weekdays.is_empty() || options.weekdays.contains(&date.weekday());
            if arrivals.is_outage(date) {
                left_out.push(date);
            } else if wanted {
                days.push((date, calls));
                floors.push(specialists.floors(date, calls));
            }
        }
        let flat: Vec<DayFloor> = floors.iter().flatten().cloned().collect();
        let chain = Chain::learn(&flat, &AfterCall::learn(&flat));
        let lost = priority_lost(&log.calls);
        Ok(Self {
            scenario: scenario.clone(),
            options: options.clone(),
            classes,
            answer,
            days,
            floors,
            chain,
            specialists,
            class_of,
            high,
            lost,
            left_out,
        })
    }

    fn plans(&self, day: usize, replication: u32) -> Vec<(bool, Plan)> {
        let mut draws = plan_draws(self.options.seed, u64::from(replication), day as u64);
        self.floors[day]
            .iter()
            .flat_map(|floor| {
                floor.draw(&self.chain, &mut draws).into_iter().map(|p| (floor.specialists, p)).collect::<Vec<_>>()
            })
            .collect()
    }

    /// The engine's configuration for so many generalists and specialists.
    fn floor(&self, generalists: u32, specialists: u32) -> Result<callfloor_scenario::floor::FloorPlan, ValidateError> {
        let mut scenario = self.scenario.clone();
        scenario.campaigns.clear();
        scenario.groups.truncate(1);
        let shift = |n: u32| {
            vec![Shift { days: Days::All, from_us: 0, to_us: DAY_US, count: Rostered { rostered: n, present: n } }]
        };
        scenario.groups[0].shifts = shift(generalists);
        if !self.specialists.kinds.is_empty() {
            // Their own queue; the others help out there when nobody waits for them alone.
            let mut queue = scenario.queues[0].clone();
            queue.name = "specialists".to_owned();
            let own = QueueIndex(scenario.queues.len());
            scenario.queues.push(queue);
            let mut group = scenario.groups[0].clone();
            group.name = "specialists".to_owned();
            group.queues = vec![QueueLevel { queue: own, level: 1, preference: 1 }];
            group.shifts = shift(specialists.max(1));
            scenario.groups[0].queues.push(QueueLevel { queue: own, level: 2, preference: 2 });
            scenario.groups.push(group);
            for kind in &self.specialists.kinds {
                for class in self.class_of[*kind] {
                    scenario.classes[class].entry = Entry::Queue(own);
                }
            }
        }
        scenario.floor_plan().map_err(|e| ValidateError(format!("{e}")))
    }

    /// Simulates a day; `extra` operators are added in each hour.
    fn run_day(&self, day: usize, replication: u32, extra: &[u32; 24]) -> Result<(Vec<Outcome>, f64), ValidateError> {
        let drawn = self.plans(day, replication);
        let mut plans: Vec<Plan> = drawn.iter().filter(|p| !p.0).map(|p| p.1.clone()).collect();
        for (hour, n) in (0_i64..).zip(extra) {
            for _ in 0..*n {
                let duties = vec![Duty::Comes { at_s: hour * 3600 }, Duty::Goes { due_s: (hour + 1) * 3600 }];
                plans.push(Plan { operator: None, duties });
            }
        }
        let generalists = u32::try_from(plans.len()).unwrap_or(u32::MAX);
        plans.extend(drawn.iter().filter(|p| p.0).map(|p| p.1.clone()));
        let special = u32::try_from(plans.len()).unwrap_or(u32::MAX) - generalists;
        let floor = self.floor(generalists.max(1), special)?;
        if generalists == 0 {
            plans.insert(0, Plan { operator: None, duties: Vec::new() });
        }
        let streams = Streams::new(self.options.seed, u64::from(replication));
        let mut talk = 0.0;
        let callers: Vec<Caller> =
            self.days[day]
                .1
                .iter()
                .zip(0_u64..)
                .map(|(call, i)| {
                    let id = (day as u64) << 32 | i;
                    let unknown = self.lost && call.wait_us == 0;
                    let high = if unknown {
                        streams.draws(Kind::Customer, id, Purpose::Class).uniform() < self.high[call.kind]
                    } else {
                        call.priority > 0
                    };
                    let class = &self.classes[self.class_of[call.kind][usize::from(high)]];
                    let us = |s: f64| crate::arrival::micros(s);
                    let patience = class.patience.sample(&mut streams.draws(Kind::Customer, id, Purpose::Patience));
                    let factor = self.factor(class, self.days[day].0.weekday(), call);
                    let talk_s = factor * class.talk.sample(&mut streams.draws(Kind::Customer, id, Purpose::Talk));
                    talk += talk_s;
                    let answer_s = self.answer.as_ref().map_or(0.0, |delay| {
                        delay.sample(&mut streams.draws(Kind::Customer, id, Purpose::AnswerDelay))
                    });
                    Caller {
                        answer_us: us(answer_s),
                        at_us: u64::try_from(call.at_us).unwrap_or(0),
                        entry: floor.entries[class.index],
                        priority: u8::from(high),
                        patience_us: patience.is_finite().then(|| us(patience)),
                        talk_us: us(talk_s),
                        after_call_us: us(factor
                            * class.after_call.sample(&mut streams.draws(Kind::Customer, id, Purpose::AfterCall))),
                    }
                })
                .collect();
        Ok((replay(&floor.config, &callers, &plans), talk))
    }

    /// What the class's handling is multiplied by at the time of the call.
    fn factor(&self, class: &Class, weekday: Weekday, call: &Call) -> f64 {
        let at_us = u64::try_from(call.at_us).unwrap_or(0);
        // No simulated day has this number: entries for single dates are of other days than the log's.
        let aht_s = self.scenario.classes[class.index].handle_time_at(u32::MAX, weekday, at_us);
        aht_s.filter(|_| class.mean_s > 0.0).map_or(1.0, |aht_s| aht_s / class.mean_s)
    }

    fn hour(&self, call: &Call) -> Option<usize> {
        let at_s = call.at_us / 1_000_000;
        (at_s >= self.options.from_s && at_s < self.options.to_s)
            .then(|| usize::try_from(at_s / 3600).ok())
            .flatten()
            .filter(|h| *h < 24)
    }

    /// Counts by hour of the day, over all days, with extra operators.
    pub(crate) fn by_hour(&self, replications: u32, extra: &[u32; 24]) -> Result<[Sums; 24], ValidateError> {
        let mut sums = [Sums::default(); 24];
        for replication in 0..replications {
            for (day, (_, calls)) in self.days.iter().enumerate() {
                let (outcomes, _) = self.run_day(day, replication, extra)?;
                for (call, outcome) in calls.iter().zip(&outcomes) {
                    if let Some(h) = self.hour(call) {
                        sums[h].add(outcome.answered, outcome.wait_us as f64 / 1e6, self.options.threshold_s);
                    }
                }
            }
        }
        Ok(sums)
    }

    /// Runs everything.
    ///
    /// # Errors
    /// If the engine does not accept the floor.
    pub fn run(&self) -> Result<Validation, ValidateError> {
        let threshold = self.options.threshold_s;
        let mut cells: Vec<Cell> = Vec::new();
        let mean = |of: &dyn Fn(&CustomerClass) -> f64| {
            let weight: f64 = self.scenario.classes.iter().map(expected).sum();
            self.scenario.classes.iter().map(|c| expected(c) * of(c)).sum::<f64>() / weight.max(1e-9)
        };
        let handle_s = mean(&|c| c.handling.mean_s());
        let patience_s = mean(&|c| c.patience.mean_s());
        let (mut simulated_talk, mut simulated) = (0.0, 0.0);
        for (day, (date, calls)) in self.days.iter().enumerate() {
            let first = cells.len();
            let mut place = [None; 24];
            let mut halves = [0.0; HALVES];
            for call in *calls {
                let Some(h) = self.hour(call) else { continue };
                let at = *place[h].get_or_insert_with(|| {
                    cells.push(Cell {
                        date: *date,
                        hour: h,
                        actual: Sums::default(),
                        predicted: vec![Sums::default(); self.options.replications as usize],
                        erlang_c: Sums::default(),
                        unstable: 0.0,
                        erlang_a: Sums::default(),
                        on_duty: 0.0,
                    });
                    cells.len() - 1
                });
                cells[at].actual.add(call.service.is_some(), call.wait_s(), threshold);
                if let Some(half) = usize::try_from(call.at_us / 1_800_000_000).ok().filter(|x| *x < HALVES) {
                    halves[half] += 1.0;
                }
            }
            let mut on_duty = [0.0; HALVES];
            for replication in 0..self.options.replications {
                let plans: Vec<Plan> = self.plans(day, replication).into_iter().map(|p| p.1).collect();
                for (sum, n) in on_duty.iter_mut().zip(by_half_hour(&plans)) {
                    *sum += n / f64::from(self.options.replications);
                }
                let (outcomes, talk) = self.run_day(day, replication, &[0; 24])?;
                simulated_talk += talk;
                simulated += calls.len() as f64;
                for (call, outcome) in calls.iter().zip(&outcomes) {
                    if let Some(at) = self.hour(call).and_then(|h| place[h]) {
                        let wait_s = outcome.wait_us as f64 / 1e6;
                        cells[at].predicted[replication as usize].add(outcome.answered, wait_s, threshold);
                    }
                }
            }
            for cell in &mut cells[first..] {
                for half in [2 * cell.hour, 2 * cell.hour + 1] {
                    cell.on_duty += on_duty[half] / 2.0;
                    report::add_theory(cell, halves[half], on_duty[half], handle_s, patience_s, threshold);
                }
            }
        }
        cells.sort_by_key(|c| (c.date, c.hour));
        let talks: Vec<f64> =
            self.days.iter().flat_map(|d| d.1).filter_map(Call::service_s).filter(|s| *s > 0.0).collect();
        let actual_talk = talks.iter().sum::<f64>() / (talks.len().max(1)) as f64;
        Ok(Validation {
            cells,
            left_out: self.left_out.clone(),
            erlang_inputs: (handle_s, patience_s),
            talk_s: (actual_talk, simulated_talk / simulated.max(1.0)),
            options: self.options.clone(),
        })
    }
}
