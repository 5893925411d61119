//! `callfloor replay`: a recorded journal, re-run through the engine, or a day of it with another plan.

use std::path::{Path, PathBuf};
use std::time::Instant;

use callfloor_server::host::{Digest, Input, replay};
use callfloor_server::planning::Marks;
use callfloor_server::storage::Reader;
use callfloor_server::storage::sqlite::SqliteReader;

use callfloor_sim::change::Change;

use crate::changed_day;
use crate::ending::{Ending, Failure, print};
use crate::output::check_files;

/// Re-run a server's journal through the engine.
///
/// Every entry holds a digest of what the engine said when it was written: a replay that says anything else is told, with
/// the entry.
///
/// With --operators one day is simulated again with that change: callers come as they came; what the change makes unknown
/// (the patience of those who were answered sooner, the handling of those who had left) is drawn from what the day shows.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The organisation's data directory, such as callfloor-data/main; it may be in use by a server
    #[arg(value_name = "JOURNAL")]
    journal: PathBuf,
    /// Check every invariant of the engine after each entry, and that a restored snapshot of the end state is the same
    #[arg(long)]
    verify: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    /// Simulate a day with more or fewer operators for a queue, such as billing=+2 or billing=+2@14:00-18:00; may be given more than once
    #[arg(long, value_name = "QUEUE=±N[@FROM-TO]", conflicts_with = "verify")]
    operators: Vec<Change>,
    /// Write a report of that day with plots as one HTML file
    #[arg(long, value_name = "FILE", requires = "operators")]
    html: Option<PathBuf>,
    #[command(flatten)]
    again: changed_day::Options,
}

#[derive(Debug, serde::Serialize)]
struct Summary {
    entries: u64,
    commands: u64,
    outputs: u64,
    /// Of every output of the whole journal.
    digest: String,
    /// Of the state at the end.
    snapshot_bytes: usize,
    seconds: f64,
    verified: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    if arguments.json && arguments.html.as_deref() == Some(Path::new("-")) {
        return Err(Failure::Input("only one of --json and --html can go to stdout: give --html a FILE".into()));
    }
    check_files(arguments.html.iter(), &[&arguments.journal])?;
    let mut reader = SqliteReader::open(&arguments.journal).map_err(Failure::input)?;
    if !arguments.operators.is_empty() {
        let marks = arguments.journal.is_dir().then(|| Marks::beside(&arguments.journal).unchanged());
        let documents = (arguments.json, arguments.html.as_deref());
        return changed_day::run(&mut reader, marks.as_ref(), &arguments.operators, &arguments.again, documents);
    }
    let summary = rerun(&mut reader, arguments.verify, &arguments.journal)?;
    let text = if arguments.json {
        serde_json::to_string(&summary).map_err(|error| Failure::Fault(error.to_string()))? + "\n"
    } else {
        format!(
            "{} entries, {} commands, {} outputs: every one as recorded\ndigest {}\n{}{:.2} s\n",
            summary.entries,
            summary.commands,
            summary.outputs,
            summary.digest,
            if summary.verified {
                "every invariant held after each entry; the restored state is the same\n"
            } else {
                ""
            },
            summary.seconds,
        )
    };
    print(&text)?;
    Ok(Ending::Met)
}

fn rerun(reader: &mut dyn Reader, verify: bool, journal: &Path) -> Result<Summary, Failure> {
    let begun = Instant::now();
    let mut engine = None;
    let (mut entries, mut commands, mut outputs) = (0, 0, 0);
    let mut digest = Digest::default();
    let mut trouble = None;
    reader
        .entries(0, &mut |entry| {
            let replayed = replay(&mut engine, &entry, &mut |at, output| {
                outputs += 1;
                digest.add(at, output);
            });
            entries += 1;
            commands += u64::from(matches!(Input::decode(&entry), Ok((Input::Command(_), _))));
            trouble = match (replayed, &engine) {
                (Err(problem), _) => Some(Failure::input(problem)),
                (Ok(()), Some(engine)) if verify => engine
                    .check()
                    .err()
                    .map(|violation| Failure::Fault(format!("after entry {}: {violation}", entry.sequence))),
                _ => None,
            };
            trouble.is_none()
        })
        .map_err(Failure::input)?;
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    let Some(engine) = engine else {
        return Err(Failure::Input(format!("{}: the journal is empty", journal.display())));
    };
    let bytes = engine.snapshot();
    if verify {
        let restored =
            callfloor_engine::Engine::restore(&bytes).map_err(|problem| Failure::Fault(problem.to_string()))?;
        if restored.snapshot() != bytes {
            return Err(Failure::Fault("a restored state writes another snapshot".into()));
        }
    }
    Ok(Summary {
        entries,
        commands,
        outputs,
        digest: format!("{:016x}", digest.value()),
        snapshot_bytes: bytes.len(),
        seconds: begun.elapsed().as_secs_f64(),
        verified: verify,
    })
}
