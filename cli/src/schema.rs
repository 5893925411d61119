//! `callfloor schema`: the scenario format, for editors and for people.

use callfloor_scenario::{format_reference, json_schema};

use crate::ending::{Ending, Failure, print};

/// Print the JSON Schema of a scenario file, for editors that complete and check
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// Print the reference of all keys for people, as Markdown
    #[arg(long)]
    reference: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    print(&if arguments.reference { format_reference() } else { json_schema() })?;
    Ok(Ending::Met)
}
