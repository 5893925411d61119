//! `callfloor load --find-rate`: the highest rate that meets the thresholds.

use std::path::Path;
use std::sync::atomic::Ordering;

use callfloor_load::figure::judge;
use callfloor_load::search::{Found, Search, find};
use callfloor_load::{Options, Target};
use callfloor_scenario::Scenario;

use super::arguments::{Arguments, Output};
use super::{is_met, one};
use crate::ending::{Ending, Failure, print, write_file};
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
    let search = Search { from: arguments.rate.unwrap_or(10.0), most: arguments.most, ..Search::default() };
    let quiet = arguments.output.quiet;
    let found = find(&search, |per_s| {
        if STOP.load(Ordering::Relaxed) {
            return Err(Failure::Input("stopped by hand: the search found nothing yet".into()));
        }
        let options = Options { pace: arguments.pace(Some(per_s)), ..options.clone() };
        let results = one(scenario, target, &options, quiet)?;
        let judged = judge(&results, &arguments.threshold).map_err(Failure::Input)?;
        let met = is_met(&results, &judged);
        if !quiet {
            let why: Vec<String> = judged.iter().map(ToString::to_string).chain(results.void()).collect();
            print(&format!("{per_s:>10.2} a second: {} ({})\n", if met { "met" } else { "missed" }, why.join("; ")))?;
        }
        Ok(met)
    })?;
    report(&found, &arguments.output)?;
    Ok(if found.per_s.is_some() { Ending::Met } else { Ending::Missed })
}

fn report(found: &Found, output: &Output) -> Result<(), Failure> {
    if let Some(file) = &output.json {
        let text = serde_json::to_string_pretty(found).map_err(|error| Failure::Fault(error.to_string()))?;
        if file == Path::new("-") { print(&text)? } else { write_file(file, &text)? }
    }
    if output.quiet {
        return Ok(());
    }
    let runs = found.runs.len();
    print(&match (found.per_s, found.missed_per_s) {
        (Some(rate), Some(missed)) => {
            format!("{rate:.2} a second met every threshold, confirmed; {missed:.2} did not ({runs} runs)\n")
        }
        (Some(rate), None) => {
            format!("{rate:.2} a second met every threshold, confirmed; no higher rate was tried (--most)\n")
        }
        (None, _) => format!("no rate met every threshold ({runs} runs)\n"),
    })
}
