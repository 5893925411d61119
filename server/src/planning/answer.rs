//! A run's answer: the plain sentence first, then figures with their intervals, whole and by queue, then the day by intervals.

use callfloor_measure::{Direction, Estimate, Metric, Results, Scope, Unit};
use callfloor_sim::what_if::{Part, WhatIf};
use serde::Serialize;

use super::runs::Outcome;

/// A run's answer.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct Answer {
    /// In plain words, in English.
    sentence: String,
    /// What the sentence is of; `null` where there is no figure.
    headline: Option<Headline>,
    /// What was changed, in words.
    changes: Vec<String>,
    /// The day, for one of the journal.
    date: Option<String>,
    /// Replications of each plan.
    replications: u64,
    /// The whole floor first, then its queues.
    parts: Vec<AnswerPart>,
}

/// The figure that answers.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct Headline {
    /// Whose; `null`: the whole floor's.
    queue: Option<String>,
    /// In time is within so many seconds; `null` where queues differ.
    within_s: Option<f64>,
    /// Which figure.
    #[serde(flatten)]
    figure: AnswerFigure,
}

/// The figures of the whole floor or of a queue.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct AnswerPart {
    /// The queue's name; `null`: the whole floor.
    queue: Option<String>,
    /// Its figures.
    figures: Vec<AnswerFigure>,
    /// By intervals.
    stretches: Vec<AnswerStretch>,
}

/// A figure of a plan and of the changed one.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct AnswerFigure {
    /// Its name: `service_level`.
    figure: &'static str,
    /// Its name in print.
    title: &'static str,
    /// `share`, `seconds` or `count`.
    unit: &'static str,
    /// `higher`, `lower` or `neither`.
    better: &'static str,
    /// What happened, for a day of the journal.
    actual: Option<f64>,
    /// Of the plan.
    plan: Option<Guess>,
    /// Of the changed plan.
    changed: Option<Guess>,
    /// The changed plan's less the plan's, over the same customers.
    difference: Option<Guess>,
}

/// An estimate with its 95 % interval.
#[derive(Clone, Copy, Debug, Serialize, utoipa::ToSchema)]
struct Guess {
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
}

impl From<Estimate> for Guess {
    fn from(Estimate { value, interval, .. }: Estimate) -> Self {
        Self { value, low: interval.map(|interval| interval.low), high: interval.map(|interval| interval.high) }
    }
}

/// An interval of the day.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct AnswerStretch {
    /// Its start.
    start: String,
    /// What happened.
    actual: Option<InStretch>,
    /// By the plan.
    plan: InStretch,
    /// By the changed plan.
    changed: Option<InStretch>,
}

/// Figures of an interval.
#[derive(Clone, Copy, Debug, Default, Serialize, utoipa::ToSchema)]
struct InStretch {
    /// Calls offered.
    offered: Option<f64>,
    /// Share answered in time.
    service_level: Option<f64>,
    /// Mean wait in seconds.
    wait_s: Option<f64>,
    /// Operators there on average.
    operators: Option<f64>,
}

/// Figures of a scenario's run, in the order of the table.
const FIGURES: [Metric; 11] = [
    Metric::ServiceLevel,
    Metric::Abandonment,
    Metric::AsaS,
    Metric::WaitP90S,
    Metric::PMet,
    Metric::Offered,
    Metric::Answered,
    Metric::AhtS,
    Metric::OperatorsPaid,
    Metric::Occupancy,
    Metric::Utilisation,
];

/// Most intervals of an answer: what a plot can show.
const MOST_STRETCHES: usize = 700;

const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Share => "share",
        Unit::Seconds => "seconds",
        Unit::Count | Unit::Erlangs => "count",
    }
}

const fn better(direction: Direction) -> &'static str {
    match direction {
        Direction::Higher => "higher",
        Direction::Lower => "lower",
        Direction::Neither => "neither",
    }
}

impl Answer {
    pub(super) fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Scenario { plan, changed, words, .. } => Self::of_results(plan, changed.as_ref(), words),
            Outcome::Day { date, what_if, threshold_s, replications, changed } => {
                Self::of_day(date.to_string(), what_if, *threshold_s, *replications, *changed)
            }
        }
    }

    fn of_results(plan: &Results, changed: Option<&Results>, words: &[String]) -> Self {
        let header = plan.header();
        let mut scopes = vec![(None, Scope::All)];
        if header.queues.len() > 1 {
            let queues = header.queues.iter().enumerate();
            scopes.extend(queues.map(|(at, queue)| (Some(queue.name.clone()), Scope::Queue(at))));
        }
        let parts: Vec<AnswerPart> =
            scopes.into_iter().map(|(queue, scope)| of_scope(plan, changed, queue, scope)).collect();
        // The change is of a queue: so is the answer, where there are several.
        let asked = |part: &&AnswerPart| {
            let quoted = part.queue.as_ref().map(|queue| format!("{queue:?}"));
            quoted.is_some_and(|quoted| words.iter().all(|word| word.contains(&quoted)))
        };
        let about = parts.iter().filter(|_| !words.is_empty()).find(asked).or(parts.first());
        let within = |queue: &Option<String>| {
            let of = header.queues.iter().filter(|it| queue.as_ref().is_none_or(|queue| *queue == it.name));
            let mut limits = of.map(|queue| queue.target_wait_us);
            let first = limits.next()?;
            limits.all(|limit| limit == first).then_some(first as f64 / 1e6)
        };
        let headline = about.and_then(|part| headline(part, within(&part.queue)));
        let alone = || callfloor_reports::answer_sentence(plan);
        let sentence = match (&headline, words.is_empty()) {
            (Some(headline), false) => headline.sentence(words),
            _ => alone(),
        };
        let replications = plan.replications().len() as u64;
        Self { sentence, headline, changes: words.to_vec(), date: None, replications, parts }
    }

    /// In plain words, in English.
    pub(super) fn sentence(&self) -> &str {
        &self.sentence
    }

    pub(super) fn of_day(date: String, found: &WhatIf, threshold_s: f64, replications: u32, changed: bool) -> Self {
        let parts: Vec<AnswerPart> =
            std::iter::once(&found.whole).chain(&found.queues).map(|part| of_part(part, changed)).collect();
        let asked = |part: &&AnswerPart| {
            let quoted = part.queue.as_ref().map(|queue| format!("{queue:?}"));
            quoted.is_some_and(|quoted| found.words.iter().all(|word| word.contains(&quoted)))
        };
        let about = parts.iter().filter(|_| changed).find(asked).or(parts.first());
        let headline = about.and_then(|part| headline(part, Some(threshold_s)));
        let sentence = match &headline {
            Some(headline) if changed => headline.sentence(&found.words),
            Some(headline) => headline.as_it_was(),
            None => "nothing can be told of this day".to_owned(),
        };
        let changes = found.words.clone();
        Self { sentence, headline, changes, date: Some(date), replications: replications.into(), parts }
    }
}

fn headline(part: &AnswerPart, within_s: Option<f64>) -> Option<Headline> {
    let figure = part.figures.iter().find(|it| it.plan.is_some())?;
    Some(Headline { queue: part.queue.clone(), within_s, figure: figure.clone() })
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

impl Headline {
    fn what(&self) -> String {
        let calls =
            self.queue.as_ref().map_or_else(|| "all calls".to_owned(), |queue| format!("the calls of {queue:?}"));
        let within = self.within_s.map_or_else(|| "in time".to_owned(), |seconds| format!("within {seconds} s"));
        match self.figure.figure {
            "service_level" => format!("of {calls} are answered {within}"),
            _ => format!("is the {} of {calls}", self.figure.title),
        }
    }

    fn shown(&self, value: f64) -> String {
        if self.figure.unit == "share" { percent(value) } else { format!("{value:.1}") }
    }

    /// `With 2 more for "billing" from 14:00: 83.1 % instead of 71.0 % of the calls of "billing" are answered within 20 s.`
    fn sentence(&self, words: &[String]) -> String {
        let AnswerFigure { plan, changed, difference, .. } = &self.figure;
        let with = format!("With {}", words.join("; "));
        let (Some(plan), Some(changed), Some(difference)) = (plan, changed, difference) else {
            return format!("{with}: nothing can be compared.");
        };
        let figures = format!("{} instead of {}", self.shown(changed.value), self.shown(plan.value));
        let points = |value: f64| if self.figure.unit == "share" { 100.0 * value } else { value };
        let range = match (difference.low, difference.high) {
            (Some(low), Some(high)) => {
                let unit = if self.figure.unit == "share" { " points" } else { "" };
                let told = if low <= 0.0 && high >= 0.0 { ": no difference can be told" } else { "" };
                format!(
                    " (difference {:+.1}{unit}, 95 % interval {:+.1} to {:+.1}{told})",
                    points(difference.value),
                    points(low),
                    points(high)
                )
            }
            _ => " (one replication: no interval)".to_owned(),
        };
        format!("{with}: {figures} {}{range}.", self.what())
    }

    /// A day without a change: how well it is simulated.
    fn as_it_was(&self) -> String {
        let plan = self.figure.plan.map_or(0.0, |plan| plan.value);
        let actual =
            self.figure.actual.map_or_else(String::new, |actual| format!("; {} truly were", self.shown(actual)));
        format!("The day as it was, simulated: {} {}{actual}.", self.shown(plan), self.what())
    }
}

fn of_scope(plan: &Results, changed: Option<&Results>, queue: Option<String>, scope: Scope) -> AnswerPart {
    let theirs = changed.and_then(|changed| match &queue {
        None => Some((changed, Scope::All)),
        Some(name) => Some((changed, changed.scope_named(name, false)?)),
    });
    let figure = |metric: Metric| AnswerFigure {
        figure: metric.name(),
        title: metric.title(),
        unit: unit(metric.unit()),
        better: better(metric.direction()),
        actual: None,
        plan: plan.estimate(metric, scope).map(Guess::from),
        changed: theirs.and_then(|(changed, scope)| changed.estimate(metric, scope)).map(Guess::from),
        difference: theirs.and_then(|theirs| Results::difference((plan, scope), theirs, metric)).map(Guess::from),
    };
    let in_stretch = |results: &Results, scope: Scope, at: usize| {
        let value = |metric| results.estimate_in(metric, scope, at).map(|estimate| estimate.value);
        InStretch {
            offered: value(Metric::Offered),
            service_level: value(Metric::ServiceLevel),
            wait_s: value(Metric::WaitMeanS).or_else(|| value(Metric::AsaS)),
            operators: value(Metric::OperatorsPaid),
        }
    };
    let header = plan.header();
    let stretches = (0..header.grid.intervals.min(MOST_STRETCHES)).map(|at| AnswerStretch {
        start: header.label(at),
        actual: None,
        plan: in_stretch(plan, scope, at),
        changed: theirs.map(|(changed, scope)| in_stretch(changed, scope, at)),
    });
    let figures = FIGURES.into_iter().map(figure).filter(|figure| figure.plan.is_some()).collect();
    AnswerPart { queue, figures, stretches: stretches.collect() }
}

fn of_part(part: &Part, changed: bool) -> AnswerPart {
    // The service level first, as for scenarios.
    let figures = [
        (2, "service_level", "answered in time", "share", "higher"),
        (0, "abandonment_raw", "abandonment", "share", "lower"),
        (1, "wait_mean_s", "mean wait", "seconds", "lower"),
    ];
    let figures = figures.into_iter().map(|(at, figure, title, unit, better)| AnswerFigure {
        figure,
        title,
        unit,
        better,
        actual: Some(part.actual[at]),
        plan: Some(part.as_it_was[at].into()),
        changed: changed.then(|| part.changed[at].into()),
        difference: changed.then(|| part.difference[at].into()),
    });
    let stretches = part.stretches.iter().map(|stretch| {
        let offered = stretch.callers as f64;
        let of = |[_, wait_s, in_time]: [f64; 3], operators: Option<f64>| {
            let some = |value| (stretch.callers > 0).then_some(value);
            InStretch { offered: Some(offered), service_level: some(in_time), wait_s: some(wait_s), operators }
        };
        AnswerStretch {
            start: callfloor_sim::change::clock(stretch.from_s.into()),
            actual: Some(of(stretch.actual, None)),
            plan: of(stretch.as_it_was, Some(stretch.there[0])),
            changed: changed.then(|| of(stretch.changed, Some(stretch.there[1]))),
        }
    });
    AnswerPart { queue: part.queue.clone(), figures: figures.collect(), stretches: stretches.collect() }
}
