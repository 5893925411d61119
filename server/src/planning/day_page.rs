//! A day of the journal and its answer as one HTML page.

use callfloor_reports::{DayPart, DayStretch, RecordedDay};
use callfloor_sim::what_if::{Part, Stretch, WhatIf};
use jiff::civil::Date;

use super::answer::Answer;

/// A day's answer as one HTML file, as `callfloor replay --operators --html` writes it. `changed` is whether there was a
/// change at all.
#[must_use]
pub fn day_html(date: Date, result: &WhatIf, threshold_s: f64, replications: u32, changed: bool) -> String {
    let answer = Answer::of_day(date.to_string(), result, threshold_s, replications, changed);
    let part = |part: &Part| DayPart {
        name: part.queue.clone().unwrap_or_else(|| "all queues".into()),
        callers: part.callers,
        actual: part.actual,
        plan: part.as_it_was,
        changed: changed.then_some([part.changed, part.difference]),
    };
    let stretch = |stretch: &Stretch| DayStretch {
        start: format!("{:02}:{:02}", stretch.from_s / 3_600, stretch.from_s / 60 % 60),
        callers: stretch.callers,
        actual: stretch.actual,
        plan: stretch.as_it_was,
        changed: changed.then_some(stretch.changed),
        operators: stretch.there[0],
        operators_changed: changed.then_some(stretch.there[1]),
    };
    let day = RecordedDay {
        title: format!("{date}, {} callers", result.whole.callers),
        answer: answer.sentence().to_owned(),
        changes: result.words.clone(),
        basis: vec![
            format!(
                "In time: within {threshold_s} s. Callers come as they came; what the change makes unknown is drawn from the day: \
                 {replications} draws, whose 95 % intervals stand beside the figures."
            ),
            format!(
                "As it was, simulated: the plan as it was, run again. Where it is far from what happened, trust the difference as \
                 little. {} callers left: their waits are what is known of patience.",
                result.left
            ),
        ],
        parts: std::iter::once(&result.whole).chain(&result.queues).map(part).collect(),
        stretches: result.whole.stretches.iter().map(stretch).collect(),
    };
    day.to_html()
}
