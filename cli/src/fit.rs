//! `callfloor fit`: from call logs to a scenario.

use std::path::{Path, PathBuf};

use callfloor_sim::fit::calibration::Calibration;
use callfloor_sim::fit::columns::Mapping;
use callfloor_sim::fit::log::{CallLog, ReadOptions};
use callfloor_sim::fit::print;

use crate::ending::{self, Ending, Failure};
use crate::output::check_files;

/// How a call log is read.
#[derive(Debug, clap::Args)]
pub(crate) struct LogArguments {
    /// Which column holds what, such as arrival=start_time,wait_s=queue_seconds
    #[arg(long, value_name = "FIELD=HEADER,...", default_value = "")]
    columns: String,
    /// Longest believable wait in seconds; rows beyond it are left out and counted
    #[arg(long, value_name = "S", default_value_t = 3600)]
    max_wait_s: i64,
    /// Longest believable service in seconds; rows beyond it are left out and counted
    #[arg(long, value_name = "S", default_value_t = 7200)]
    max_service_s: i64,
    /// First day that is used
    #[arg(long, value_name = "DATE")]
    since: Option<jiff::civil::Date>,
    /// Last day that is used
    #[arg(long, value_name = "DATE")]
    until: Option<jiff::civil::Date>,
}

impl LogArguments {
    pub(crate) fn read(&self, logs: &[PathBuf]) -> Result<CallLog, Failure> {
        let mapping = Mapping::parse(&self.columns).map_err(|error| Failure::input(format!("--columns: {error}")))?;
        let options = ReadOptions { mapping, max_wait_s: self.max_wait_s, max_service_s: self.max_service_s };
        let mut log = CallLog::read(logs, &options).map_err(Failure::input)?;
        log.keep_days(self.since, self.until);
        if log.calls.is_empty() {
            return Err(Failure::input(format!("no call in the log\n{}", print::log_text(&log, 10))));
        }
        Ok(log)
    }
}

/// Make a scenario from call logs, and say how well it fits
#[derive(Debug, clap::Args)]
#[command(
    after_help = "A log is CSV, plain or gzip, one row a call, with the columns arrival (date and time, or a time \
beside a date column), wait_s, service_s, and if known outcome, answered, operator, type, priority. The Anonymous Bank \
data of 1999 is recognised by its header.\nExample: callfloor fit calls-2024-*.csv -o our-centre.toml"
)]
pub(crate) struct Arguments {
    /// Call logs
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
    /// Where the scenario goes; it is printed to stdout without one
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Name of the scenario
    #[arg(long, default_value = "Fitted from a call log")]
    name: String,
    /// How many rejected rows are listed
    #[arg(long, value_name = "N", default_value_t = 10)]
    rejected: usize,
    #[command(flatten)]
    log: LogArguments,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let logs: Vec<&Path> = arguments.logs.iter().map(PathBuf::as_path).collect();
    check_files(arguments.output.iter(), &logs)?;
    let log = arguments.log.read(&arguments.logs)?;
    let fit = Calibration::new(&log);
    let names: Vec<String> = log
        .files
        .iter()
        .map(|f| f.file_name().map_or_else(|| f.display().to_string(), |n| n.to_string_lossy().into_owned()))
        .collect();
    let toml = fit.to_toml(&arguments.name.replace(['"', '\\'], "'"), &names.join(", "));
    let text = print::log_text(&log, arguments.rejected) + &print::calibration_text(&fit);
    match &arguments.output {
        Some(path) => {
            ending::write_file(path, &toml)?;
            ending::print(&format!("{text}\nWrote {}\n", path.display()))?;
        }
        None => {
            eprint!("{text}");
            ending::print(&toml)?;
        }
    }
    Ok(Ending::Met)
}
