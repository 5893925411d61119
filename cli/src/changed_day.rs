//! `callfloor replay JOURNAL --operators`: what a day was, and what it would have been with another plan.

use std::path::Path;

use callfloor_measure::Estimate;
use callfloor_server::planning::{Marks, Recorded, day_html, day_json, recorded};
use callfloor_server::storage::Reader;
use callfloor_sim::change::Change;
use callfloor_sim::what_if::{Again, WhatIf, what_if};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::ending::{Ending, Failure, all_of, print, save};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The day; the journal's last day with calls without it
    #[arg(long, value_name = "DATE", requires = "operators")]
    date: Option<Date>,
    /// The time zone of the day and of times in --operators, such as Asia/Tokyo
    #[arg(long, value_name = "ZONE", default_value = "UTC", requires = "operators")]
    zone: String,
    /// How often the day is simulated
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    replications: u32,
    /// Seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Wait in seconds up to which an answer is in time
    #[arg(long, value_name = "S", default_value_t = 20.0)]
    threshold_s: f64,
}

pub(crate) fn run(
    reader: &mut dyn Reader,
    marks: Option<&Marks>,
    changes: &[Change],
    options: &Options,
    (json, html): (bool, Option<&Path>),
) -> Result<Ending, Failure> {
    let zone = TimeZone::get(&options.zone).map_err(|_| {
        Failure::Input(format!("there is no time zone {:?}: one as in Asia/Tokyo or UTC is right", options.zone))
    })?;
    let Recorded { date, day } = recorded(reader, marks, options.date, &zone, None).map_err(Failure::input)?;
    let Options { threshold_s, replications, seed, .. } = *options;
    let again = Again { threshold_s, replications, seed, cancel: None, progress: None };
    let result = what_if(&day, changes, &again).map_err(Failure::input)?;
    let result = result.ok_or_else(|| Failure::Fault("a run that nobody stops was stopped".into()))?;
    let mut failures = Vec::new();
    if let Some(file) = html {
        let page = day_html(date, &result, threshold_s, replications, true);
        failures.extend(if file == Path::new("-") { print(&page) } else { save(file, &page) }.err());
    }
    if html != Some(Path::new("-")) {
        let text =
            if json { day_json(date, &result, threshold_s, replications) } else { as_text(date, &result, options) };
        failures.extend(print(&text).err());
    }
    all_of(failures).map(|()| Ending::Met)
}

fn as_text(date: Date, result: &WhatIf, options: &Options) -> String {
    let change = |estimate: &Estimate, unit: f64| {
        let interval = estimate.interval.map_or_else(String::new, |interval| {
            format!(" (95 %: {:+.1} to {:+.1})", interval.low * unit, interval.high * unit)
        });
        format!("{:+.1}{interval}", estimate.value * unit)
    };
    let whole = &result.whole;
    let rows = [("abandoned, %", 100.0), ("mean wait, s", 1.0), ("answered in time, %", 100.0)];
    let mut text = format!("{date}, {} callers; {}\n\n", whole.callers, result.words.join("; "));
    text += &format!("{:<22}{:>9}{:>12}{:>10}   difference\n", "", "actual", "simulated", "changed");
    for (at, (name, unit)) in rows.into_iter().enumerate() {
        text += &format!(
            "{name:<22}{:>9.1}{:>12.1}{:>10.1}   {}\n",
            whole.actual[at] * unit,
            whole.as_it_was[at].value * unit,
            whole.changed[at].value * unit,
            change(&whole.difference[at], unit),
        );
    }
    let [abandoned, wait, _] = &whole.difference;
    let more_or_less = |value: f64, more: &'static str, less: &'static str| if value >= 0.0 { more } else { less };
    text += &format!(
        "\nWith that change {:.1} of 100 callers {} would have left, and callers would have waited {:.1} s {} on average.\n\
         In time: within {} s. Simulated: the plan as it was, run again; where it is far from the actual day, trust the\n\
         difference as little: the intervals are of the {} draws alone. {} callers left: their waits are what is known of patience.\n",
        abandoned.value.abs() * 100.0,
        more_or_less(abandoned.value, "more", "fewer"),
        wait.value.abs(),
        more_or_less(wait.value, "longer", "less"),
        options.threshold_s,
        options.replications,
        result.left,
    );
    text
}
