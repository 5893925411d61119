//! `callfloor schema`: the formats of scenarios and of results, for editors, for people and for programs.

mod results;

use callfloor_scenario::{format_reference, json_schema};

use crate::ending::{Ending, Failure, print};

/// Print the JSON Schema of a scenario file, for editors that complete and check, or of a result
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Which format
    #[arg(value_enum, default_value = "scenario")]
    of: Of,
    /// Print the reference of all keys of a scenario for people, as Markdown
    #[arg(long)]
    reference: bool,
}

/// A format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Of {
    /// A scenario file
    Scenario,
    /// What `load --json` and `load merge --json` write
    Load,
    /// What `load --find-rate --json` writes
    LoadSearch,
    /// What `twin --json` writes
    Twin,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    if arguments.reference && arguments.of != Of::Scenario {
        return Err(Failure::Input(
            "--reference is of scenarios; `callfloor load figures` explains the figures of a load run".into(),
        ));
    }
    print(&match arguments.of {
        Of::Scenario if arguments.reference => format_reference(),
        Of::Scenario => json_schema(),
        Of::Load => results::load(),
        Of::LoadSearch => results::load_search(),
        Of::Twin => results::twin(),
    })?;
    Ok(Ending::Met)
}
