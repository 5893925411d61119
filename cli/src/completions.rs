//! `callfloor completions`: the script that makes a shell complete our command line.

use clap::CommandFactory;
use clap_complete::Shell;

use crate::ending::{self, Ending, Failure};

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: callfloor completions bash > ~/.local/share/bash-completion/completions/callfloor")]
pub(crate) struct Arguments {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut crate::Cli::command(), "callfloor", &mut script);
    let script =
        String::from_utf8(script).map_err(|_| Failure::Fault("the completion script is not UTF-8".to_owned()))?;
    ending::print(&script)?;
    Ok(Ending::Met)
}
