//! How a command ends: its exit code, and where its words go.

use std::fmt;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::path::Path;

/// A command that did what it was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// Done; every threshold was met, or none was set. Exit code 0.
    Met,
    /// Done, and a threshold was missed. Exit code 1.
    Missed,
}

impl Ending {
    fn code(self) -> u8 {
        match self {
            Self::Met => 0,
            Self::Missed => 1,
        }
    }
}

/// A command that could not do what it was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The input is wrong; the text says where, what was found and what would be right. Exit code 2.
    Input(String),
    /// Our own fault, or the machine's. Exit code 3.
    Fault(String),
}

impl Failure {
    /// Wrong input, in the words of an error.
    pub(crate) fn input(error: impl fmt::Display) -> Self {
        Self::Input(error.to_string())
    }

    /// A file that cannot be read or written.
    pub(crate) fn file(path: &Path, what: &str, error: &io::Error) -> Self {
        Self::Input(format!("{}: cannot {what} it: {error}", path.display()))
    }

    fn report(&self) -> u8 {
        let (text, code) = match self {
            Self::Input(text) => (text, 2),
            Self::Fault(text) => (text, 3),
        };
        // Where stderr is gone there is nobody left to tell.
        let _ = writeln!(io::stderr(), "{}", text.trim_end());
        code
    }
}

/// Does the work of a command and says with which code the process ends. What is wrong is told on stderr; a panic is a fault
/// of ours, which [`report_fault`] has told.
pub(crate) fn code_of(work: impl FnOnce() -> Result<Ending, Failure>) -> u8 {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(ending)) => ending.code(),
        Ok(Err(failure)) => failure.report(),
        Err(_) => 3,
    }
}

/// Prints to stdout. A reader that has seen enough, such as `head`, is no error.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::Fault(format!("cannot write to stdout: {error}")))
        }
        _ => Ok(()),
    }
}

/// Writes a file in one go: what was there stays whole until the new one is.
pub(crate) fn write_file(path: &Path, text: &str) -> Result<(), Failure> {
    let fail = |error: io::Error| Failure::file(path, "write", &error);
    if !path.is_file() {
        // A device, a pipe or a new file: nothing to keep whole.
        return std::fs::write(path, text).map_err(fail);
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path)).map_err(fail)
}

/// Tells of a panic in words that a user can act on.
pub(crate) fn report_fault(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line()));
    let said = panic.payload();
    let said = said.downcast_ref::<&str>().copied().or_else(|| said.downcast_ref::<String>().map(String::as_str));
    let _ = writeln!(
        io::stderr(),
        "callfloor {} stopped by a fault of its own: {}\n  at {place}\nPlease report it, with this text, the command line and the input files.",
        env!("CARGO_PKG_VERSION"),
        said.unwrap_or("no message"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use callfloor_scenario::Scenario;
    use callfloor_sim::{Options, simulate};
    use std::num::NonZeroUsize;

    #[test]
    fn outcomes_have_their_codes() {
        assert_eq!(code_of(|| Ok(Ending::Met)), 0);
        assert_eq!(code_of(|| Ok(Ending::Missed)), 1);
        assert_eq!(code_of(|| Err(Failure::Input("wrong".into()))), 2);
        assert_eq!(code_of(|| Err(Failure::Fault("ours".into()))), 3);
    }

    /// A panic in the middle of a run, on a thread of the simulator's own, comes out as our fault.
    #[test]
    fn a_fault_inside_a_run_is_ours() {
        let template = callfloor_scenario::template("support-line").expect("it is in the library");
        let scenario = Scenario::parse("support-line.toml", template.text, template).expect("it is right");
        for threads in [1, 2] {
            let breaks = |_| panic!("an invariant of ours is broken");
            let code = code_of(|| {
                let threads = NonZeroUsize::new(threads);
                let options = Options { threads, replications: Some(3), progress: Some(&breaks), ..Options::default() };
                simulate(&scenario, &options).map_err(Failure::input)?;
                Ok(Ending::Met)
            });
            assert_eq!(code, 3, "{threads} threads");
        }
    }
}
