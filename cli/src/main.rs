//! The `callfloor` command.
//!
//! A subcommand is one file with its `Arguments` and a `run` that calls a library and prints. `run` returns an
//! [`Ending`] or a [`Failure`]; between them they are the exit code: 0 done and met, 1 a threshold was missed, 2 the input
//! was wrong, 3 our own fault.

mod audit;
mod calls;
mod changed_day;
mod compare;
mod completions;
mod ending;
mod fit;
mod init;
mod load;
mod output;
mod replay;
mod report;
mod running;
mod schema;
mod script;
mod serve;
mod simulate;
mod theory;
mod twin;
mod validate;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use ending::{Ending, Failure};

/// What one thread reserves, another frees: of a command that the server acknowledges, glibc's allocator took a third of the
/// processor time, most of it waiting for its own locks (`benches/README.md`).
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// A contact centre's engine and its digital twin.
#[derive(Debug, Parser)]
#[command(name = "callfloor", version, about, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Exit codes: 0 done, thresholds met; 1 a threshold was missed; 2 wrong input; 3 a fault of callfloor's own."
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Simulate(simulate::Arguments),
    Serve(serve::Arguments),
    Load(Box<load::Arguments>),
    Audit(audit::Arguments),
    Replay(replay::Arguments),
    Compare(compare::Arguments),
    Report(report::Arguments),
    Fit(fit::Arguments),
    Init(init::Arguments),
    Schema(schema::Arguments),
    Completions(completions::Arguments),
    Script(script::Arguments),
    Theory(theory::Arguments),
    Twin(twin::Arguments),
    Validate(validate::Arguments),
}

impl Command {
    fn run(self) -> Result<Ending, Failure> {
        match self {
            Self::Simulate(arguments) => simulate::run(&arguments),
            Self::Serve(arguments) => serve::run(&arguments),
            Self::Load(arguments) => load::run(&arguments),
            Self::Audit(arguments) => audit::run(&arguments),
            Self::Replay(arguments) => replay::run(&arguments),
            Self::Compare(arguments) => compare::run(&arguments),
            Self::Report(arguments) => report::run(&arguments),
            Self::Fit(arguments) => fit::run(&arguments),
            Self::Init(arguments) => init::run(&arguments),
            Self::Schema(arguments) => schema::run(&arguments),
            Self::Completions(arguments) => completions::run(&arguments),
            Self::Script(arguments) => script::run(&arguments),
            Self::Theory(arguments) => theory::run(&arguments),
            Self::Twin(arguments) => twin::run(&arguments),
            Self::Validate(arguments) => validate::run(&arguments),
        }
    }
}

fn main() -> ExitCode {
    std::panic::set_hook(Box::new(ending::report_fault));
    let command = Cli::parse().command;
    ExitCode::from(ending::code_of(|| command.run()))
}
