//! `callfloor simulate`: what service a plan will give, before anybody is hired.

use std::path::PathBuf;

use callfloor_measure::Metric;
use callfloor_scenario::Precision;
use callfloor_sim::CallLog;
use callfloor_sim::change::{Change, changed_scenario};

use crate::calls::CallsCsv;
use crate::ending::{Ending, Failure};
use crate::output::{Output, verdict};
use crate::running::{Running, STOP, load, precision};

/// Simulate a scenario and say what service it gives
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  callfloor simulate scenarios/support-line.toml
  callfloor simulate plan.toml --html plan.html --precision 0.005
  callfloor simulate plan.toml --json | jq .answer

Ctrl-C stops and reports the replications that are done; a second one ends at once.
Exit code 0: every threshold of the scenario is met; 1: one is missed.")]
pub(crate) struct Arguments {
    /// The scenario
    file: PathBuf,
    /// With more or fewer operators for a queue, such as billing=+2 or billing=+2@14:00-18:00; may be given more than once
    #[arg(long, value_name = "QUEUE=±N[@FROM-TO]")]
    operators: Vec<Change>,
    #[command(flatten)]
    running: Running,
    /// Go on until a 95 % interval is at most so wide on either side: 0.005 or 1% (service level), or METRIC=0.5
    #[arg(long, value_name = "P", value_parser = precision)]
    precision: Option<(Metric, Option<f64>, Option<f64>)>,
    /// Write every call as a row of CSV, gzipped where FILE ends in .gz; it is there once the run is over
    #[arg(long, value_name = "FILE", conflicts_with = "fast_path")]
    calls_csv: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// Replications at which a precision that was asked for here gives up, where the scenario names no number.
const MOST_REPLICATIONS: u32 = 10_000;

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    arguments.output.check(&[&arguments.file], arguments.calls_csv.as_ref())?;
    let scenario = load(&arguments.file)?;
    let (scenario, _) = changed_scenario(&scenario, &arguments.operators).map_err(Failure::input)?;
    let precision = arguments.precision.map(|(metric, half_width, relative)| {
        let most = scenario.replications.precision.map_or(MOST_REPLICATIONS, |precision| precision.max_replications);
        Some(Precision { metric, half_width, relative, max_replications: most })
    });
    let first = arguments.running.first_replication;
    let calls = match &arguments.calls_csv {
        Some(file) => Some(CallsCsv::open(file, &scenario, first, &STOP)?),
        None => None,
    };
    let log = calls.as_ref().map(|calls| calls as &dyn CallLog);
    let (results, run) = arguments.running.run(&scenario, precision, log)?;
    calls.map_or(Ok(()), CallsCsv::close)?;
    arguments.output.write(&results, Some(&run), arguments.running.quiet)?;
    verdict(&results)
}
