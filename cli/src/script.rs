//! `callfloor script`: a readable script of a floor and timed commands, run through the engine.

use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use callfloor_engine::script::{Line, Said, Script, ScriptError};

use crate::ending::{Ending, Failure, print};

/// Run a script of engine commands and print everything that the engine says, with its time.
///
/// The language is documented in engine/SCRIPT.md. Commands of the script are shown after `>`; what follows is what the
/// engine did, asked for or refused, and what its own deadlines brought in between.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The script; `-` reads it from the standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Print one JSON object for each line: `at` in microseconds, `text`, and `said` as the engine has it
    #[arg(long)]
    json: bool,
    /// Check every invariant of the engine after each command and deadline
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let text = read(&arguments.file).map_err(|error| Failure::file(&arguments.file, "read", &error))?;
    let script = Script::parse(&text).map_err(|error| Failure::Input(explain(&arguments.file, &text, &error)))?;
    let lines = if arguments.check { script.run_checked() } else { script.run() };
    let mut out = String::new();
    for line in &lines {
        if arguments.json {
            out.push_str(&serde_json::to_string(line).map_err(|error| Failure::Fault(error.to_string()))?);
            out.push('\n');
        } else {
            let _ = writeln!(out, "{line}");
        }
    }
    print(&out)?;
    match lines.last() {
        Some(Line { said: Said::Broken, text, .. }) => Err(Failure::Fault(text.clone())),
        _ => Ok(Ending::Met),
    }
}

fn read(file: &Path) -> std::io::Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    std::fs::read_to_string(file)
}

/// `FILE:line:column: …`, the line, and a mark below the place.
fn explain(file: &Path, text: &str, error: &ScriptError) -> String {
    let mut all = format!("{}:{error}", file.display());
    if let Some(line) = usize::try_from(error.line).ok().and_then(|number| text.lines().nth(number.saturating_sub(1))) {
        let before: String = line
            .chars()
            .take(usize::try_from(error.column).unwrap_or(1).saturating_sub(1))
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        let _ = write!(all, "\n  {line}\n  {before}^");
    }
    all
}
