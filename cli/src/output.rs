//! Where results go: the terminal, and files of the kinds that were asked for.

use std::path::{Path, PathBuf};

use callfloor_measure::{Results, Threshold};
use callfloor_reports::{Run, to_csv, to_html, to_json, to_text};

use crate::ending::{Ending, Failure, all_of, check_writable, print, save};
use crate::running::page;

/// What to write; without any of these the answer is printed as text.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Output {
    /// Write all figures and the results themselves as JSON, to stdout where no FILE is given
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub(crate) json: Option<PathBuf>,
    /// Write all figures by interval as CSV, to stdout where no FILE is given
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    pub(crate) csv: Option<PathBuf>,
    /// Write a report with plots as one HTML file
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

/// One answer in every form; only what is asked for is made.
pub(crate) struct Documents<'a> {
    pub(crate) json: &'a dyn Fn() -> String,
    pub(crate) csv: &'a dyn Fn() -> String,
    pub(crate) html: &'a dyn Fn() -> String,
    pub(crate) text: &'a dyn Fn() -> String,
}

impl Output {
    /// Refuses what would overwrite an input or mix two documents on stdout; `beside` is another file that will be written.
    /// To be asked before a long run.
    pub(crate) fn check(&self, inputs: &[&Path], beside: Option<&PathBuf>) -> Result<(), Failure> {
        let files = [&self.json, &self.csv, &self.html];
        let standard = files.iter().filter(|file| file.as_deref() == Some(Path::new("-"))).count();
        if standard > 1 {
            return Err(Failure::Input(
                "only one of --json, --csv and --html can go to stdout: give the others a FILE".into(),
            ));
        }
        check_files(files.into_iter().flatten().chain(beside), inputs)
    }

    /// Writes what was asked for; the text goes to stdout unless something else does, or `quiet`.
    pub(crate) fn write(&self, results: &Results, run: Option<&Run>, quiet: bool) -> Result<(), Failure> {
        let documents = Documents {
            json: &|| to_json(results),
            csv: &|| to_csv(results),
            html: &|| to_html(results, run),
            text: &|| to_text(results, run, page()),
        };
        self.put(&documents, quiet)
    }

    /// Writes of `documents` what was asked for; the text goes to stdout unless something else does, or `quiet`.
    pub(crate) fn put(&self, documents: &Documents<'_>, quiet: bool) -> Result<(), Failure> {
        let mut printed = false;
        let mut failures = Vec::new();
        let all = [(&self.json, documents.json), (&self.csv, documents.csv), (&self.html, documents.html)];
        for (file, text) in all {
            let Some(file) = file else { continue };
            let standard = file == Path::new("-");
            printed |= standard;
            // One that cannot be written takes no other with it.
            failures.extend(if standard { print(&text()) } else { save(file, &text()) }.err());
        }
        if !printed && !quiet {
            failures.extend(print(&(documents.text)()).err());
        }
        all_of(failures)
    }
}

/// Refuses files that are inputs, that are to take two documents, or that cannot be written.
pub(crate) fn check_files<'a>(files: impl Iterator<Item = &'a PathBuf>, inputs: &[&Path]) -> Result<(), Failure> {
    let mut seen: Vec<PathBuf> = Vec::new();
    for file in files.filter(|file| *file != Path::new("-")) {
        let same = |input: &Path| match (file.canonicalize(), input.canonicalize()) {
            (Ok(file), Ok(input)) => file == input,
            _ => false,
        };
        if inputs.iter().any(|input| same(input)) {
            return Err(Failure::Input(format!(
                "{}: this is an input; write the output to another file",
                file.display()
            )));
        }
        check_writable(file)?;
        // A new file has no canonical name yet.
        let name = file.canonicalize().or_else(|_| std::path::absolute(file)).unwrap_or_else(|_| file.clone());
        let is_device = file.exists() && !file.is_file();
        if !is_device && seen.contains(&name) {
            return Err(Failure::Input(format!(
                "{}: two documents are to go there; give each its own FILE",
                file.display()
            )));
        }
        seen.push(name);
    }
    Ok(())
}

/// Whether every threshold was met. No replication meets none.
pub(crate) fn verdict(results: &Results) -> Result<Ending, Failure> {
    let judged = |threshold: &Threshold| threshold.judge(results).map_err(Failure::Input);
    let mut met = !results.replications().is_empty();
    for threshold in &results.header().thresholds {
        met &= judged(threshold)?.met;
    }
    Ok(if met { Ending::Met } else { Ending::Missed })
}
