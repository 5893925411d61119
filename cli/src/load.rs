//! `callfloor load`: a scenario's customers and operators played against a live server.

mod arguments;
pub(crate) mod compare;
mod keys;
mod search;

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use callfloor_load::csv::to_csv;
use callfloor_load::figure::{Demand, Judgement, judge, names};
use callfloor_load::measures::COUNTS_MADE;
use callfloor_load::plan::Shard;
use callfloor_load::summary::to_text;
use callfloor_load::verdict::{to_github, to_junit};
use callfloor_load::{AtEnd, Control, LoadError, LoadResults, Options, Snapshot, Target};
use callfloor_scenario::Scenario;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub(crate) use arguments::Arguments;
use arguments::{Beside, Output};

use crate::ending::{Ending, Failure, all_of, print, save};
use crate::running::{STOP, listen, load as load_scenario};

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    match &arguments.beside {
        Some(Beside::Merge { files, threshold, output }) => merge(files, threshold, output),
        Some(Beside::Figures) => figures(),
        None => play(arguments),
    }
}

fn play(arguments: &Arguments) -> Result<Ending, Failure> {
    let Some(file) = &arguments.file else { return Err(Failure::Input("no scenario is given".into())) };
    arguments.output.check(&[file])?;
    let scenario = load_scenario(file)?;
    let target = arguments.target()?;
    let options = Options {
        speed: arguments.speed,
        pace: arguments.pace(arguments.rate),
        shard: arguments.shard.unwrap_or(Shard::ALL),
        start_at_us: arguments.start_at.map(jiff::Timestamp::as_microsecond),
        threads: arguments.threads,
        seed: arguments.seed,
        replication: arguments.replication,
        sound: !arguments.no_sound,
        allowed: &arguments.i_may_load,
        lag_limit: arguments.lag_limit,
        gone_limit: arguments.gone_limit,
        telephones_port: arguments.telephones_port,
        cancel: Some(&STOP),
        ..Options::default()
    };
    listen();
    if arguments.find_rate {
        return search::find_rate(arguments, &scenario, &target, &options);
    }
    let (control, over) = (Control::default(), AtomicBool::new(false));
    let options = Options { control: Some(&control), ..options };
    let results = std::thread::scope(|scope| {
        if !arguments.output.quiet {
            scope.spawn(|| keys::obey(&control, &over));
        }
        let _over = AtEnd::new(|| over.store(true, Ordering::Relaxed));
        one(&scenario, &target, &options, arguments.output.quiet)
    })?;
    conclude(&results, &arguments.threshold, &arguments.output)
}

/// One run, with its progress.
pub(crate) fn one(
    scenario: &Scenario,
    target: &Target,
    options: &Options<'_>,
    quiet: bool,
) -> Result<LoadResults, Failure> {
    let bar = bar(quiet);
    let keys = if options.control.is_some() && keys::are_taken() { " (+ - * / p q)" } else { "" };
    let watch = |snapshot: Snapshot| {
        let Snapshot { seconds, length_s, asked, come, calls, failed, waiting, .. } = snapshot;
        let pace = match options.control.map(Control::state) {
            Some((_, true)) => ", paused".to_owned(),
            Some((factor, _)) if factor != 1.0 => format!(", {factor:.2} times as fast"),
            _ => String::new(),
        };
        let left = (length_s - seconds).max(0.0);
        let left = if pace == ", paused" { String::new() } else { format!("; {left:.0} s left") };
        bar.set_message(format!(
            "{come} of {asked} calls, {calls} up, {waiting} wait, {failed} failed{left}{pace}{keys}"
        ));
    };
    let results = callfloor_load::run(scenario, target, options, &watch);
    bar.finish_and_clear();
    results.map_err(|error| match error {
        LoadError::System { .. } => Failure::Fault(error.to_string()),
        _ => Failure::input(error),
    })
}

/// Progress on stderr; hidden where that is no terminal.
fn bar(quiet: bool) -> ProgressBar {
    if quiet || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(5));
    match ProgressStyle::with_template("{spinner} {wide_msg}") {
        Ok(style) => bar.with_style(style),
        Err(_) => bar,
    }
}

/// Writes what was asked for, and judges. A void run meets nothing.
fn conclude(results: &LoadResults, demands: &[Demand], output: &Output) -> Result<Ending, Failure> {
    // What was measured is written whatever is wrong with a threshold.
    let judged = judge(results, demands);
    write(results, judged.as_deref().unwrap_or_default(), output)?;
    Ok(if is_met(results, &judged.map_err(Failure::Fault)?) { Ending::Met } else { Ending::Missed })
}

/// A run that is void, or of which a part is missing, meets nothing, nor does it where nothing is demanded.
fn is_met(results: &LoadResults, judged: &[Judgement]) -> bool {
    results.void().is_none() && results.missing().is_empty() && judged.iter().all(|judgement| judgement.met)
}

fn write(results: &LoadResults, judged: &[Judgement], output: &Output) -> Result<(), Failure> {
    let mut failures = Vec::new();
    let documents: [(&Option<PathBuf>, &dyn Fn() -> String); 2] =
        [(&output.json, &|| results.to_json()), (&output.csv, &|| to_csv(results))];
    for (file, text) in documents {
        let Some(file) = file else { continue };
        // One that cannot be written takes no other with it.
        failures.extend(if file == Path::new("-") { print(&text()) } else { save(file, &text()) }.err());
    }
    if let Some(file) = &output.junit {
        let text = to_junit(results, judged).map_err(|error| Failure::Fault(error.to_string()));
        failures.extend(text.and_then(|text| save(file, &text)).err());
    }
    if output.github {
        failures.extend(print(&to_github(results, judged)).err());
    }
    if !output.prints_a_document() && !output.quiet {
        failures.extend(print(&to_text(results, judged)).err());
    }
    all_of(failures)
}

fn merge(files: &[PathBuf], demands: &[Demand], output: &Output) -> Result<Ending, Failure> {
    let read = |file: &PathBuf| {
        let text = std::fs::read_to_string(file).map_err(|error| Failure::file(file, "read", &error))?;
        LoadResults::from_json(&text).map_err(|error| Failure::Input(format!("{}: {error}", file.display())))
    };
    output.check(&files.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
    let mut parts = files.iter();
    let first = parts.next().ok_or_else(|| Failure::Input("no results are given".into()))?;
    let mut results = read(first)?;
    for file in parts {
        results.merge(&read(file)?).map_err(|error| Failure::Input(format!("{}: {error}", file.display())))?;
    }
    conclude(&results, demands, output)
}

fn figures() -> Result<Ending, Failure> {
    let mut text = String::new();
    for (name, meaning) in names() {
        text.push_str(&format!("{name:<34} {meaning}\n"));
    }
    for (start, meaning) in COUNTS_MADE {
        text.push_str(&format!("{:<34} {meaning}\n", format!("count_{start}…")));
    }
    print(&text)?;
    Ok(Ending::Met)
}
