//! Running a scenario from the command line: threads, seed, progress with the time left, and Ctrl-C.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Instant;

use callfloor_measure::{CountedBy, Metric, Results};
use callfloor_reports::{Page, Run};
use callfloor_scenario::{Precision, Scenario};
use callfloor_sim::{CallLog, Options, Progress, SimulationError, fast_path_objection, simulate};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::ending::Failure;

/// How to run; the scenario decides what is left out.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct Running {
    /// Threads; all processors where left out. They decide nothing but the time that it takes
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Seed of every random stream, instead of the scenario's
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Number of replications, instead of the scenario's
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000_000_000))]
    pub(crate) replications: Option<u32>,
    /// Number of the first replication: parts of one run on several machines are merged by `report`
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(..=1_000_000_000))]
    pub(crate) first_replication: u32,
    /// Count a call in the interval of its arrival, or of its answer (or other end of its wait)
    #[arg(long, value_enum, value_name = "WHAT", default_value = "arrival")]
    pub(crate) by: By,
    /// Group the intervals of the statistics into longer ones: 30m, 1h, day
    #[arg(long, value_name = "LENGTH", value_parser = interval)]
    pub(crate) interval: Option<u64>,
    /// Check every invariant of the engine after every event (slow)
    #[arg(long)]
    pub(crate) check: bool,
    /// Compute a floor of one queue and one pool without the engine: the same figures, ten times as fast
    #[arg(long, conflicts_with = "check")]
    pub(crate) fast_path: bool,
    /// No progress bar, and no text on stdout: only the documents that were asked for, and the exit code
    #[arg(long, short)]
    pub(crate) quiet: bool,
}

/// What decides in which interval a call counts.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub(crate) enum By {
    /// Its arrival, as forecasts count
    #[default]
    Arrival,
    /// Its answer, or its abandonment or flow-out
    Answer,
}

/// Set by Ctrl-C, or by who ends the process (SIGTERM, SIGHUP).
pub(crate) static STOP: AtomicBool = AtomicBool::new(false);

/// What must be done before the process is ended by a second Ctrl-C.
static AT_EXIT: Mutex<Option<Restores>> = Mutex::new(None);
type Restores = Box<dyn Fn() + Send>;

/// Sets what must be done before the process is ended by a second Ctrl-C, or `None` for nothing any more.
#[cfg_attr(not(unix), expect(dead_code, reason = "only a terminal of Unix is changed"))]
pub(crate) fn at_exit(restores: Option<Restores>) {
    *AT_EXIT.lock().unwrap_or_else(PoisonError::into_inner) = restores;
}

/// The first Ctrl-C, or SIGTERM, ends the run after what is done; the second ends the process.
pub(crate) fn listen() {
    static LISTENING: OnceLock<()> = OnceLock::new();
    LISTENING.get_or_init(|| {
        // Where no handler can be set, Ctrl-C ends the process as it always does.
        let _ = ctrlc::set_handler(|| {
            if STOP.swap(true, Ordering::Relaxed) {
                if let Some(restore) = &*AT_EXIT.lock().unwrap_or_else(PoisonError::into_inner) {
                    restore();
                }
                std::process::exit(130);
            }
        });
    });
}

/// Reads a scenario; its mistakes are shown with the lines that they are in.
pub(crate) fn load(path: &Path) -> Result<Scenario, Failure> {
    Scenario::load(path).map_err(|problems| Failure::Input(problems.render(has_colour(&std::io::stderr()))))
}

impl Running {
    /// Runs `scenario`, to `precision` where one is wanted (`Some(None)`: to none), with its calls to `calls`.
    pub(crate) fn run(
        &self,
        scenario: &Scenario,
        precision: Option<Option<Precision>>,
        calls: Option<&dyn CallLog>,
    ) -> Result<(Results, Run), Failure> {
        if self.fast_path
            && let Ok(Some(objection)) = fast_path_objection(scenario)
        {
            return Err(Failure::input(format!(
                "\"{}\" cannot take the fast path: {objection}; run it without --fast-path",
                scenario.name
            )));
        }
        listen();
        let started = Instant::now();
        let bar = self.bar(&scenario.name);
        let progress = |Progress { done, planned }: Progress| {
            bar.set_length(u64::from(planned));
            bar.set_position(u64::from(done));
        };
        let options = Options {
            threads: self.threads,
            seed: self.seed,
            replications: self.replications,
            first_replication: self.first_replication,
            precision,
            by: match self.by {
                By::Arrival => CountedBy::Arrival,
                By::Answer => CountedBy::Answer,
            },
            interval_us: self.interval,
            check: self.check,
            fast_path: self.fast_path,
            cancel: Some(&STOP),
            calls,
            progress: Some(&progress),
            ..Options::default()
        };
        let outcome = simulate(scenario, &options);
        bar.finish_and_clear();
        let outcome = outcome.map_err(|error| match error {
            SimulationError::Model(_) => Failure::input(error),
            SimulationError::Fault(_) => Failure::Fault(format!(
                "{error}\nThis is a fault of callfloor's own: please report it, with the scenario and the command line."
            )),
        })?;
        let available = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let run = Run {
            wall_s: started.elapsed().as_secs_f64(),
            processor_s: cpu_time::ProcessTime::try_now().ok().map(|time| time.as_duration().as_secs_f64()),
            threads: self.threads.map_or(available, NonZeroUsize::get),
            interrupted: outcome.cancelled,
            wanted: Some(self.replications.unwrap_or(scenario.replications.count)),
            precision_missed: outcome.precision_reached == Some(false) && !outcome.cancelled,
        };
        Ok((outcome.results, run))
    }

    /// The progress bar on stderr; hidden where that is no terminal.
    fn bar(&self, name: &str) -> ProgressBar {
        if self.quiet {
            return ProgressBar::hidden();
        }
        let style = ProgressStyle::with_template("{msg} {bar:30} {pos} of {len} replications, {eta} left");
        let bar =
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10)).with_message(name.to_owned());
        match style {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }
}

/// Reads `0.01`, `2%`, `asa_s=0.5` or `asa_s=2%`: the half-width that an interval may have, in the figure's unit or of its value.
pub(crate) fn precision(text: &str) -> Result<(Metric, Option<f64>, Option<f64>), String> {
    let (metric, wanted) = match text.split_once('=') {
        Some((name, wanted)) => (Metric::parse(name.trim()).map_err(|error| error.to_string())?, wanted),
        None => (Metric::ServiceLevel, text),
    };
    let (number, relative) = match wanted.trim().strip_suffix('%') {
        Some(number) => (number, true),
        None => (wanted, false),
    };
    let number: f64 = number.trim().parse().map_err(|_| {
        format!("\"{wanted}\" is no half-width: write 0.01 (in the figure's own unit) or 2% (of its value), with `METRIC=` before it for another figure")
    })?;
    if !(number.is_finite() && number > 0.0) {
        return Err(format!("a half-width is above 0, found {number}"));
    }
    if relative && number >= 100.0 {
        return Err(format!("a half-width relative to the value is below 100 %, found {number} %"));
    }
    Ok((metric, (!relative).then_some(number), relative.then_some(number / 100.0)))
}

/// Reads `15m`, `30min`, `1h`, `hour` or `day`: the length of an interval, in microseconds.
pub(crate) fn interval(text: &str) -> Result<u64, String> {
    let words = text.trim().to_ascii_lowercase();
    let split = words.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(words.len());
    let (number, unit) = words.split_at(split);
    let minutes = match unit.trim() {
        "m" | "min" => 1,
        "h" | "hour" => 60,
        "d" | "day" => 24 * 60,
        _ => 0,
    };
    let count: u64 = if number.is_empty() { 1 } else { number.parse().unwrap_or(0) };
    match count.checked_mul(minutes).filter(|minutes| (1..=24 * 60).contains(minutes)) {
        Some(minutes) => Ok(minutes * 60_000_000),
        None => Err(format!("\"{text}\" is no length of an interval: write 15m, 30m, 1h or day")),
    }
}

/// The page that stdout can show.
pub(crate) fn page() -> Page {
    let stdout = std::io::stdout();
    let width = terminal_size::terminal_size_of(&stdout).map(|(terminal_size::Width(width), _)| usize::from(width));
    let columns = || std::env::var("COLUMNS").ok()?.parse().ok();
    Page { width: width.or_else(columns).unwrap_or(100).max(40), colour: has_colour(&stdout) }
}

/// Whether colour is wanted there: a terminal, and no NO_COLOR.
pub(crate) fn has_colour(stream: &impl IsTerminal) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    stream.is_terminal() && !set("NO_COLOR") && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_is_minutes_hours_or_a_day() {
        for (text, minutes) in [("15m", 15), ("30min", 30), ("1h", 60), ("hour", 60), ("day", 1440), (" 2 H", 120)] {
            assert_eq!(interval(text), Ok(minutes * 60_000_000), "{text}");
        }
        for wrong in ["", "30", "0m", "2d", "week", "-1h", "1.5h", "99999999999999999999m"] {
            assert!(interval(wrong).unwrap_err().contains("write 15m"), "{wrong}");
        }
    }

    #[test]
    fn a_precision_is_absolute_or_relative_and_of_any_figure() {
        assert_eq!(precision("0.01"), Ok((Metric::ServiceLevel, Some(0.01), None)));
        assert_eq!(precision("2%"), Ok((Metric::ServiceLevel, None, Some(0.02))));
        assert_eq!(precision("asa_s = 0.5"), Ok((Metric::AsaS, Some(0.5), None)));
        assert!(precision("asa=0.5").unwrap_err().contains("did you mean \"asa_s\"?"));
        for wrong in ["", "x", "-1", "0", "100%", "nan", "inf"] {
            assert!(precision(wrong).is_err(), "{wrong}");
        }
    }
}
