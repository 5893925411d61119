//! `callfloor compare`: two plans under the same customers.

use std::path::{Path, PathBuf};

use callfloor_measure::Results;
use callfloor_reports::compare;

use crate::ending::{Ending, Failure};
use crate::load::compare as loads;
use crate::output::{Documents, Output};
use crate::report::read;
use crate::running::{Running, load, page};

/// Compare two plans under the same customers, and say what the second changes
///
/// Each is a scenario, or results of `simulate --json`; or both are results of `load --json`. Both plans get the same seed, so that a customer who arrives in
/// one arrives in the other, with the same patience and the same question: what is left is the difference between the plans.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A: a scenario, or results
    a: PathBuf,
    /// B: a scenario, or results
    b: PathBuf,
    #[command(flatten)]
    running: Running,
    /// Write the differences as JSON, to stdout where no FILE is given
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,
    /// Write a report with plots as one HTML file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let output = Output { json: arguments.json.clone(), csv: None, html: arguments.html.clone() };
    output.check(&[&arguments.a, &arguments.b], None)?;
    match (loads::read(&arguments.a)?, loads::read(&arguments.b)?) {
        (Some(_), Some(_)) if arguments.html.is_some() => {
            return Err(Failure::Input(
                "two load runs are compared as text or with --json; there is no --html of them".into(),
            ));
        }
        (Some(a), Some(b)) => return loads::run(&a, &b, arguments.json.as_deref(), arguments.running.quiet),
        (None, None) => {}
        (of_a, _) => {
            let (load, other) =
                if of_a.is_some() { (&arguments.a, &arguments.b) } else { (&arguments.b, &arguments.a) };
            let (load, other) = (load.display(), other.display());
            return Err(Failure::Input(format!("{load} is of a load run and {other} is not: compare two of a kind")));
        }
    }
    let mut running = arguments.running.clone();
    // Results fix the seed and the replications of what is still to be run; else A fixes the seed.
    let made = [made(&arguments.a)?, made(&arguments.b)?];
    if let Some(results) = made.iter().flatten().next() {
        running.seed = running.seed.or(Some(results.header().seed));
        let count = u32::try_from(results.replications().len()).unwrap_or(u32::MAX);
        running.replications = running.replications.or(Some(count));
        running.first_replication = results.replications().first().map_or(0, |first| first.replication);
    }
    let [made_a, made_b] = made;
    let scenarios = [
        if made_a.is_none() { Some(load(&arguments.a)?) } else { None },
        if made_b.is_none() { Some(load(&arguments.b)?) } else { None },
    ];
    running.seed = running.seed.or_else(|| scenarios.iter().flatten().next().map(|scenario| scenario.seed));
    let most = scenarios.iter().flatten().map(|scenario| scenario.replications.count).max();
    running.replications = running.replications.or(most);
    let mut both = Vec::new();
    for (made, scenario) in [made_a, made_b].into_iter().zip(&scenarios) {
        both.push(match (made, scenario) {
            (Some(results), _) => results,
            (None, Some(scenario)) => running.run(scenario, Some(None), None)?.0,
            (None, None) => return Err(Failure::Fault("neither results nor a scenario".into())),
        });
    }
    let mut comparison = compare(&both[0], &both[1]).map_err(Failure::input)?;
    if both[0].header().scenario == both[1].header().scenario {
        comparison = comparison.named(stem(&arguments.a), stem(&arguments.b));
    }
    let documents = Documents {
        json: &|| comparison.to_json(),
        csv: &String::new,
        html: &|| comparison.to_html(&both[0], &both[1]),
        text: &|| comparison.to_text(page()),
    };
    output.put(&documents, arguments.running.quiet)?;
    Ok(Ending::Met)
}

/// Results, where the file is one of results by its name; a scenario is still to be run.
fn made(path: &Path) -> Result<Option<Results>, Failure> {
    let json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    if json { read(path).map(Some) } else { Ok(None) }
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(|| path.display().to_string(), |stem| stem.to_string_lossy().into_owned())
}
