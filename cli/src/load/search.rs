//! `callfloor load --find-rate`: the highest rate that meets the thresholds.

use std::path::Path;
use std::sync::atomic::Ordering;

use callfloor_load::figure::judge;
use callfloor_load::search::{FORMAT, Found, Outcome, Report, Search, find};
use callfloor_load::{Options, Target};
use callfloor_scenario::Scenario;

use super::arguments::{Arguments, Output};
use super::{is_met, one};
use crate::ending::{Ending, Failure, all_of, print, save};
use crate::running::STOP;

pub(super) fn find_rate(
    arguments: &Arguments,
    scenario: &Scenario,
    target: &Target,
    options: &Options<'_>,
) -> Result<Ending, Failure> {
    if arguments.threshold.is_empty() {
        return Err(Failure::Input(
            "--find-rate looks for what meets the thresholds: give at least one --threshold".into(),
        ));
    }
    if arguments.output.csv.is_some() || arguments.output.junit.is_some() || arguments.output.github {
        return Err(Failure::Input("--find-rate writes text, or --json; it has no --csv, --junit or --github".into()));
    }
    let (from, most) = (arguments.rate.unwrap_or(0.0), arguments.most);
    let is_right = |rate: f64| rate.is_finite() && rate > 0.0;
    if !is_right(from) || !is_right(most) {
        return Err(Failure::Input(format!(
            "a search from {from} to {most} a second: both are above 0 (--rate, --most)"
        )));
    }
    let search = Search { from, most, ..Search::default() };
    // Text goes where no document does.
    let quiet = arguments.output.quiet || arguments.output.prints_a_document();
    let mut thresholds = Vec::new();
    let found = find(&search, |per_s| {
        if STOP.load(Ordering::Relaxed) {
            return Err(Stopped::ByHand);
        }
        let options = Options { pace: arguments.pace(Some(per_s)), ..options.clone() };
        let results = one(scenario, target, &options, arguments.output.quiet).map_err(Stopped::By)?;
        if STOP.load(Ordering::Relaxed) {
            // Half a run says nothing of its rate.
            return Err(Stopped::ByHand);
        }
        let judged = judge(&results, &arguments.threshold).map_err(|error| Stopped::By(Failure::Fault(error)))?;
        let met = is_met(&results, &judged);
        thresholds = judged.iter().map(|judgement| judgement.demand.clone()).collect();
        if !quiet {
            let why: Vec<String> = judged.iter().map(ToString::to_string).chain(results.void()).collect();
            let line = format!("{per_s:>10.2} a second: {} ({})\n", if met { "met" } else { "missed" }, why.join("; "));
            print(&line).map_err(Stopped::By)?;
        }
        Ok(Outcome { met, void: results.void() })
    });
    let found = found.map_err(Failure::from)?;
    let report = Report {
        format: FORMAT,
        scenario: &scenario.name,
        target: match target {
            Target::Callfloor { url, .. } => url.to_string(),
            Target::Sip { target, .. } => target.to_string(),
        },
        speed: options.speed,
        run_s: arguments.pace(Some(from)).length_us().unwrap_or(0) as f64 / 1e6,
        thresholds,
        found: &found,
    };
    write(&report, &arguments.output)?;
    Ok(if found.per_s.is_some() { Ending::Met } else { Ending::Missed })
}

/// Why a search ended before its end.
enum Stopped {
    ByHand,
    By(Failure),
}

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ByHand => f.write_str("it was stopped by hand"),
            Self::By(Failure::Input(text) | Failure::Fault(text)) => f.write_str(text),
        }
    }
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        match stopped {
            Stopped::ByHand => Self::Input("stopped by hand: no run of the search was over".into()),
            Stopped::By(failure) => failure,
        }
    }
}

fn write(report: &Report<'_>, output: &Output) -> Result<(), Failure> {
    let mut failures = Vec::new();
    if let Some(file) = &output.json {
        let text = serde_json::to_string_pretty(report).map_err(|error| Failure::Fault(error.to_string()))?;
        failures.extend(if file == Path::new("-") { print(&text) } else { save(file, &text) }.err());
    }
    if !output.quiet && !output.prints_a_document() {
        failures.extend(print(&text(report.found)).err());
    }
    all_of(failures)
}

fn text(found: &Found) -> String {
    let runs = found.runs.len();
    let mut text = match (found.per_s, found.missed_per_s) {
        (Some(rate), Some(missed)) => {
            format!("{rate:.2} a second met every threshold, confirmed; {missed:.2} did not ({runs} runs)\n")
        }
        (Some(rate), None) => {
            format!("{rate:.2} a second met every threshold, confirmed; no higher rate was tried (--most)\n")
        }
        (None, _) if found.stopped.is_some() => format!("no rate was found and confirmed ({runs} runs)\n"),
        (None, Some(missed)) => {
            format!(
                "no rate that was tried met every threshold; {missed:.2} a second was the lowest ({runs} runs): begin lower (--rate)\n"
            )
        }
        (None, None) => format!("no rate met every threshold ({runs} runs)\n"),
    };
    if let Some(why) = found.limited_by() {
        text.push_str(&format!("The limit is that of the run and not of the system: {why}\n"));
    }
    if let Some(why) = &found.stopped {
        text.push_str(&format!("The search did not come to its end: {why}\n"));
    }
    text
}
