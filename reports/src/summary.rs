//! The answer of a run in plain sentences, and the list of its figures: what every document opens with.

use callfloor_measure::{Bound, Channel, CountedBy, Metric, Queue, Results, Scope, Threshold, Unit, Verdict, WarmUp};

use crate::figure;

/// How a run went: what is no part of its results, because it differs from machine to machine.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Run {
    /// Seconds of wall-clock time.
    pub wall_s: f64,
    /// Seconds of processor time of the whole process, where known.
    pub processor_s: Option<f64>,
    /// Threads that simulated.
    pub threads: usize,
    /// Whether it was stopped before all its replications were done.
    pub interrupted: bool,
    /// Replications that were wanted, where that was known.
    pub wanted: Option<u32>,
    /// Whether a wanted precision was not reached within the replications that were allowed for it.
    pub precision_missed: bool,
}

/// How a sentence is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Good,
    Bad,
    /// Met or missed, but the interval reaches across the limit.
    Unsure,
}

impl Tone {
    /// The word of the same name in the style sheet.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Unsure => "unsure",
        }
    }
}

/// A sentence with its tone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) tone: Tone,
}

/// A figure of the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Figure {
    pub(crate) title: String,
    pub(crate) value: String,
    pub(crate) range: String,
    pub(crate) counted: String,
    pub(crate) definition: &'static str,
}

/// What a document opens with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Summary {
    /// The answer.
    pub(crate) answer: Line,
    /// One for each threshold of the scenario.
    pub(crate) thresholds: Vec<Line>,
    /// What makes the figures doubtful.
    pub(crate) warnings: Vec<String>,
    /// Replications, warm-up, seed, rule.
    pub(crate) basis: Vec<String>,
    /// Figures of the whole floor.
    pub(crate) figures: Vec<Figure>,
}

/// The figures that describe a floor, in the order of the report.
const FIGURES: &[Metric] = &[
    Metric::ServiceLevel,
    Metric::PMet,
    Metric::Offered,
    Metric::Answered,
    Metric::Abandoned,
    Metric::FlowedOut,
    Metric::Refused,
    Metric::Abandonment,
    Metric::AsaS,
    Metric::WaitP50S,
    Metric::WaitP90S,
    Metric::WaitP99S,
    Metric::WaitMaxS,
    Metric::QueueMean,
    Metric::AhtS,
    Metric::TalkS,
    Metric::HoldS,
    Metric::ConsultS,
    Metric::AfterCallS,
    Metric::TransferRate,
    Metric::HoldRate,
    Metric::MissedRingRate,
    Metric::ForcedEndRate,
    Metric::Dials,
    Metric::DialsConnected,
    Metric::DialConnectRate,
    Metric::OperatorsPaid,
    Metric::Occupancy,
    Metric::Utilisation,
    Metric::Shrinkage,
    Metric::Adherence,
];

/// Figures that a report leaves out where they are 0: what the scenario does not have.
const ONLY_IF_ANY: &[Metric] = &[
    Metric::FlowedOut,
    Metric::Refused,
    Metric::HoldS,
    Metric::ConsultS,
    Metric::AfterCallS,
    Metric::TransferRate,
    Metric::HoldRate,
    Metric::MissedRingRate,
    Metric::ForcedEndRate,
    Metric::Dials,
    Metric::DialsConnected,
    Metric::Shrinkage,
];

/// The answer with which every document opens.
#[must_use]
pub fn answer_sentence(results: &Results) -> String {
    answer(results).text
}

pub(crate) fn summary(results: &Results, run: Option<&Run>) -> Summary {
    Summary {
        answer: answer(results),
        thresholds: results.header().thresholds.iter().map(|threshold| judged(threshold, results)).collect(),
        warnings: warnings(results, run),
        basis: basis(results),
        figures: figures(results, Scope::All),
    }
}

/// The first sentence of every document.
fn answer(results: &Results) -> Line {
    let replications = results.replications().len();
    if replications == 0 {
        return Line { text: "No replication was finished, so there is no answer.".to_owned(), tone: Tone::Bad };
    }
    let Some(level) = results.estimate(Metric::ServiceLevel, Scope::All) else {
        return Line {
            text: "Nothing was offered to a queue, so there is no service level.".to_owned(),
            tone: Tone::Plain,
        };
    };
    let mut text = format!(
        "Service level {} ({}) within {}",
        figure::value(Metric::ServiceLevel, Some(level)),
        level.interval.map_or_else(
            || "one replication: no interval".to_owned(),
            |_| format!("95 % interval {}", figure::range(Metric::ServiceLevel, Some(level)))
        ),
        limits(results),
    );
    let Some(target) = results.target_level(Scope::All) else {
        text.push('.');
        return Line { text, tone: Tone::Plain };
    };
    let met = level.value >= target;
    let sure =
        level.interval.is_some_and(|interval| (interval.low >= target) == met && (interval.high >= target) == met);
    text += &format!(", target {}: {}", percent(target), if met { "met" } else { "missed" });
    if level.interval.is_some() && !sure {
        text += ", but the interval reaches across the target";
    }
    text.push('.');
    Line { text, tone: tone(met, sure || level.interval.is_none()) }
}

/// What a wait is measured against: `20 s`, or that the queues differ.
pub(crate) fn limits(results: &Results) -> String {
    let queues = offered_queues(results);
    let mut limits = queues.iter().map(|(_, queue)| queue.target_wait_us);
    match limits.next() {
        Some(first) if limits.all(|limit| limit == first) => seconds(first),
        _ => "each queue's own limit".to_owned(),
    }
}

const fn tone(met: bool, sure: bool) -> Tone {
    match (met, sure) {
        (_, false) => Tone::Unsure,
        (true, true) => Tone::Good,
        (false, true) => Tone::Bad,
    }
}

fn judged(threshold: &Threshold, results: &Results) -> Line {
    let demand = demand(threshold);
    match threshold.judge(results) {
        Err(text) => Line { text, tone: Tone::Bad },
        Ok(Verdict { met, sure, estimate, interval }) => {
            let found = estimate
                .map_or_else(|| "there is no such figure".to_owned(), |e| figure::full(threshold.metric, Some(e)));
            let place =
                interval.map(|interval| format!(" at {}", results.header().label(interval))).unwrap_or_default();
            let across = estimate.is_some_and(|e| e.interval.is_some()) && !sure;
            let doubt = if across { ", but the interval reaches across the limit" } else { "" };
            let verdict = if met { "met" } else { "missed" };
            Line { text: format!("{demand}: {found}{place}: {verdict}{doubt}"), tone: tone(met, sure || !across) }
        }
    }
}

/// A threshold in words: `abandonment of "billing" at most 5 %`.
fn demand(threshold: &Threshold) -> String {
    let limit = match threshold.metric.unit() {
        Unit::Share => percent(threshold.limit),
        Unit::Seconds => format!("{} s", threshold.limit),
        Unit::Count | Unit::Erlangs => threshold.limit.to_string(),
    };
    let of = threshold.of.as_ref().map(|name| format!(" of \"{name}\"")).unwrap_or_default();
    let every = if threshold.every_interval { " in every interval" } else { "" };
    let bound = match threshold.bound {
        Bound::AtLeast => "at least",
        Bound::AtMost => "at most",
    };
    format!("{}{of}{every} {bound} {limit}", threshold.metric.title())
}

fn warnings(results: &Results, run: Option<&Run>) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(run) = run.filter(|run| run.interrupted) {
        let wanted = run.wanted.map(|wanted| format!(" of {wanted}")).unwrap_or_default();
        warnings.push(format!(
            "Stopped early: the figures are those of the {}{wanted} replications that were done.",
            results.replications().len()
        ));
    }
    if run.is_some_and(|run| run.precision_missed) {
        warnings.push(format!(
            "The wanted precision was not reached within {} replications.",
            figure::grouped(results.replications().len() as u64)
        ));
    }
    let failures = results.failed_identities();
    if !failures.is_empty() {
        warnings.push(format!(
            "The calls that came are not the calls that left in {} of the intervals; the first: {}. Please report it.",
            failures.len(),
            failures[0]
        ));
    }
    if results.header().queues.iter().any(|queue| queue.rule == callfloor_measure::EarlyAbandons::Handled) {
        warnings.push(
            "The service-level rule \"handled\" is flattering: it leaves out every caller who gave up.".to_owned(),
        );
    }
    warnings
}

fn basis(results: &Results) -> Vec<String> {
    let header = results.header();
    let warm_up = match header.warm_up {
        WarmUp::SpanUs(0) | WarmUp::Calls(0) => "no warm-up".to_owned(),
        WarmUp::SpanUs(span) => format!("warm-up of {} removed", span_text(span)),
        WarmUp::Calls(calls) => format!("warm-up of {} calls removed", figure::grouped(calls)),
    };
    let replications = results.replications().len();
    let plural = if replications == 1 { "" } else { "s" };
    let mut basis = vec![format!(
        "{} replication{plural}, seed {}, {warm_up}; {} calls simulated.",
        figure::grouped(replications as u64),
        header.seed,
        figure::grouped(results.calls_simulated()),
    )];
    let queues = offered_queues(results);
    let mut rules: Vec<_> = queues.iter().map(|(_, queue)| queue.rule).collect();
    rules.dedup();
    match rules[..] {
        [rule] => {
            let shorts: Vec<u64> = queues.iter().map(|(_, queue)| queue.short_us).collect();
            let short = if rule == callfloor_measure::EarlyAbandons::Short
                && shorts.windows(2).all(|pair| pair[0] == pair[1])
            {
                format!("; short: within {}", seconds(shorts[0]))
            } else {
                String::new()
            };
            basis.push(format!(
                "Service level by the rule \"{}\": {}{short}; the ratio of sums over all replications.",
                rule.name(),
                rule.formula()
            ));
        }
        [] => {}
        _ => {
            basis.push("Service level by each queue's own rule, as the ratio of sums over all replications.".to_owned())
        }
    }
    if header.counted_by == CountedBy::Answer {
        basis.push(counting(results).to_owned());
    }
    if let Some(mean) = results.mean_over_replications(Metric::ServiceLevel, Scope::All).filter(|_| replications > 1) {
        basis.push(format!(
            "Mean of the replications' own service levels: {}.",
            figure::full(Metric::ServiceLevel, Some(mean))
        ));
    }
    match results.fast_path_replications() {
        0 => {}
        fast if fast == replications => {
            basis.push(
                "Computed by the one-pool fast path, which gives the engine's figures without running it.".to_owned(),
            );
        }
        fast => basis.push(format!("{fast} of the replications were computed by the one-pool fast path.")),
    }
    basis
}

/// In which interval a call counts.
pub(crate) fn counting(results: &Results) -> &'static str {
    match results.header().counted_by {
        CountedBy::Arrival => "Calls count in the interval in which they arrived.",
        CountedBy::Answer => {
            "Calls count in the interval in which they were answered or left the queue otherwise; offered are those that left it."
        }
    }
}

/// The queues that are offered contacts, by their place and name.
pub(crate) fn offered_queues(results: &Results) -> Vec<(usize, &Queue)> {
    let queues = results.header().queues.iter().enumerate();
    queues.filter(|(_, queue)| queue.channel != Channel::Outbound).collect()
}

/// The queues that dial out.
pub(crate) fn outbound_queues(results: &Results) -> Vec<(usize, &Queue)> {
    let queues = results.header().queues.iter().enumerate();
    queues.filter(|(_, queue)| queue.channel == Channel::Outbound).collect()
}

/// The figures of a floor or queue that exist, in order.
pub(crate) fn figures(results: &Results, scope: Scope) -> Vec<Figure> {
    let one = |metric: &Metric| {
        let estimate = results.estimate(*metric, scope)?;
        if ONLY_IF_ANY.contains(metric) && estimate.value == 0.0 {
            return None;
        }
        Some(Figure {
            title: metric.title().to_owned(),
            value: figure::value(*metric, Some(estimate)),
            range: figure::range(*metric, Some(estimate)),
            counted: figure::counted(results, *metric, scope),
            definition: metric.definition(),
        })
    };
    FIGURES.iter().filter_map(one).collect()
}

/// A share as a percentage without needless decimals.
pub(crate) fn percent(share: f64) -> String {
    let text = format!("{:.3}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

/// Whole or decimal seconds: `20 s`.
pub(crate) fn seconds(span_us: u64) -> String {
    format!("{} s", span_us as f64 / 1e6)
}

/// A span in the largest unit that keeps it whole.
fn span_text(span_us: u64) -> String {
    for (unit, name) in [(86_400_000_000, "day"), (3_600_000_000, "hour"), (60_000_000, "minute")] {
        if span_us.is_multiple_of(unit) {
            let count = span_us / unit;
            return format!("{count} {name}{}", if count == 1 { "" } else { "s" });
        }
    }
    seconds(span_us)
}
