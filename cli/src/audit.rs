//! `callfloor audit verify`: whether a server's audit log is as it was written.

use std::path::PathBuf;

use callfloor_server::audit::{Noted, verify};
use callfloor_server::storage::sqlite::SqliteReader;

use crate::ending::{Ending, Failure, print};

/// Look at a server's audit log.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Verify(Verify),
}

/// Verify that no entry of the audit log was changed, removed or put in; exit code 1 names the first broken link.
///
/// Note the link that it prints somewhere else: who writes a whole new log cannot match it.
#[derive(Debug, clap::Args)]
struct Verify {
    /// The server's data directory; it may be in use by a server
    #[arg(long, value_name = "DIR", default_value = "callfloor-data")]
    data: PathBuf,
    /// Which organisation
    #[arg(long, value_name = "NAME", default_value = "main")]
    organisation: String,
    /// A link that was printed before, which must still be there
    #[arg(long, value_name = "NUMBER:HASH")]
    noted: Option<Noted>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let Command::Verify(Verify { data, organisation, noted }) = &arguments.command;
    let mut reader = SqliteReader::open(&data.join(organisation)).map_err(Failure::input)?;
    match verify(&mut reader, noted.as_ref()).map_err(Failure::input)? {
        Ok(verified) => {
            let (entries, hash) = (verified.entries, verified.hash);
            print(&format!("{entries} entries, every link holds\nthe newest link is {entries}:{hash}\n"))?;
            Ok(Ending::Met)
        }
        Err(broken) => {
            print(&format!("entry {} is broken: {}\n", broken.entry, broken.what))?;
            Ok(Ending::Missed)
        }
    }
}
