//! JSON: every figure of the period with its interval, for other programs, and the results themselves, for ours.

use callfloor_measure::{Estimate, Metric, ReadError, Results, Scope, Threshold};
use serde::{Deserialize, Serialize};

use crate::csv::unit;
use crate::summary::summary;

const FORMAT: &str = "callfloor-report/1";

#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    /// The answer in a sentence.
    answer: String,
    thresholds: Vec<Judged<'a>>,
    warnings: Vec<String>,
    figures: Vec<Figure<'a>>,
    results: &'a Results,
}

#[derive(Serialize)]
struct Judged<'a> {
    #[serde(flatten)]
    threshold: &'a Threshold,
    met: bool,
    sure: bool,
    estimate: Option<Estimate>,
}

#[derive(Serialize)]
struct Figure<'a> {
    of: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    figure: Metric,
    unit: &'static str,
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
    replications: u64,
}

/// One JSON document: `answer`, `thresholds`, `warnings`, `figures` (of the period) and `results`, which
/// [`read_json`] reads back. The same results give the same bytes.
///
/// # Panics
/// Never: every key is a string and every number finite.
#[must_use]
pub fn to_json(results: &Results) -> String {
    let header = results.header();
    let mut scopes = vec![("all", "", Scope::All)];
    scopes.extend(header.queues.iter().enumerate().map(|(at, queue)| ("queue", &*queue.name, Scope::Queue(at))));
    scopes.extend(header.groups.iter().enumerate().map(|(at, group)| ("group", &*group.name, Scope::Group(at))));
    let figures = scopes.into_iter().flat_map(|(of, name, scope)| {
        Metric::ALL.iter().filter_map(move |&metric| {
            let estimate = results.estimate(metric, scope)?;
            Some(Figure {
                of,
                name,
                figure: metric,
                unit: unit(metric.unit()),
                value: estimate.value,
                low: estimate.interval.map(|interval| interval.low),
                high: estimate.interval.map(|interval| interval.high),
                replications: estimate.replications,
            })
        })
    });
    let judged = |threshold| {
        let verdict = Threshold::judge(threshold, results).ok();
        let (met, sure) = verdict.map_or((false, false), |verdict| (verdict.met, verdict.sure));
        Judged { threshold, met, sure, estimate: verdict.and_then(|verdict| verdict.estimate) }
    };
    let summary = summary(results, None);
    let document = Document {
        format: FORMAT,
        answer: summary.answer.text,
        thresholds: header.thresholds.iter().map(judged).collect(),
        warnings: summary.warnings,
        figures: figures.collect(),
        results,
    };
    let mut text = serde_json::to_string(&document).expect("documents have string keys only");
    text.push('\n');
    text
}

/// Reads the results out of what [`to_json`] wrote, or of a bare results file.
///
/// # Errors
/// [`ReadError`], with line and column where the text is no JSON of ours.
pub fn read_json(text: &str) -> Result<Results, ReadError> {
    #[derive(Deserialize)]
    struct Wrapped<'a> {
        format: String,
        #[serde(borrow)]
        results: Option<&'a serde_json::value::RawValue>,
    }
    let wrapped: Wrapped<'_> = serde_json::from_str(text).map_err(|error| ReadError {
        line: error.line(),
        column: error.column(),
        found: format!("not a results file of callfloor: {error}"),
    })?;
    match wrapped.results {
        Some(results) if wrapped.format == FORMAT => Results::from_json(results.get()).map_err(|error| {
            // The place is counted from where the results begin.
            let before = &text[..results.get().as_ptr() as usize - text.as_ptr() as usize];
            let lines = before.matches('\n').count();
            let lead = if error.line == 1 { before.len() - before.rfind('\n').map_or(0, |at| at + 1) } else { 0 };
            ReadError { line: error.line + lines, column: error.column + lead, found: error.found }
        }),
        _ => Results::from_json(text),
    }
}
