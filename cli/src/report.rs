//! `callfloor report`: the documents of results that were made earlier, or in parts on several machines.

use std::path::{Path, PathBuf};

use callfloor_measure::Results;
use callfloor_reports::read_json;

use crate::ending::{Ending, Failure};
use crate::output::{Output, verdict};

/// Print or convert results that `simulate --json` wrote; several parts of one run are merged
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Results
    #[arg(required = true, value_name = "RESULTS.json")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    output: Output,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let inputs: Vec<&Path> = arguments.files.iter().map(PathBuf::as_path).collect();
    arguments.output.check(&inputs, None)?;
    let mut merged: Option<Results> = None;
    for file in &arguments.files {
        let part = read(file)?;
        match &mut merged {
            None => merged = Some(part),
            Some(merged) => {
                merged.merge(&part).map_err(|error| Failure::Input(format!("{}: {error}", file.display())))?
            }
        }
    }
    let results = merged.ok_or_else(|| Failure::Input("no results were given".into()))?;
    arguments.output.write(&results, None, false)?;
    verdict(&results)
}

/// Reads a results file.
pub(crate) fn read(file: &Path) -> Result<Results, Failure> {
    let text = std::fs::read_to_string(file).map_err(|error| Failure::file(file, "read", &error))?;
    read_json(&text).map_err(|error| Failure::Input(format!("{}:{error}", file.display())))
}
