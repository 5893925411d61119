//! How a command ends: its exit code, and where its words go.

use std::fmt;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, PanicHookInfo, catch_unwind};
use std::path::{Path, PathBuf};

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
    let beside = beside(path);
    std::fs::write(&beside, text).and_then(|()| std::fs::rename(&beside, path)).map_err(fail)
}

/// Refuses a file that cannot be written, before long work is done for it. Nothing of what is there is changed.
pub(crate) fn check_writable(path: &Path) -> Result<(), Failure> {
    use io::ErrorKind::{AlreadyExists, IsADirectory};
    let fail = |error: &io::Error| {
        Err(Failure::Input(format!("{}: cannot write it: {error}; give another FILE", path.display())))
    };
    if path.is_dir() {
        return fail(&io::Error::from(IsADirectory));
    }
    // A device or a pipe is what its other end makes of it.
    if path.exists() && !path.is_file() {
        return Ok(());
    }
    let probe = if path.is_file() { beside(path) } else { path.to_owned() };
    match std::fs::OpenOptions::new().write(true).create_new(true).open(&probe) {
        Ok(_) => {
            // It was made a moment ago, and is empty.
            let _ = std::fs::remove_file(&probe);
            Ok(())
        }
        Err(error) if error.kind() == AlreadyExists => Ok(()),
        Err(error) => fail(&error),
    }
}

/// Writes what a long run came to. Where that fails, the text is kept elsewhere, and the failure says where.
pub(crate) fn save(path: &Path, text: &str) -> Result<(), Failure> {
    let Err(Failure::Input(problem) | Failure::Fault(problem)) = write_file(path, text) else { return Ok(()) };
    let end = path.extension().map(|end| format!(".{}", end.to_string_lossy())).unwrap_or_default();
    let keep = || {
        let mut file = tempfile::Builder::new().prefix("callfloor-").suffix(&end).tempfile().ok()?;
        file.write_all(text.as_bytes()).ok()?;
        file.keep().ok().map(|(_, kept)| kept)
    };
    Err(Failure::Fault(match keep() {
        Some(kept) => format!("{problem}\nWhat was to be in it is kept in {}", kept.display()),
        None => {
            print(text)?;
            format!("{problem}\nWhat was to be in it went to stdout")
        }
    }))
}

/// All failures of writing in one, if there are any.
pub(crate) fn all_of(failures: Vec<Failure>) -> Result<(), Failure> {
    if failures.is_empty() {
        return Ok(());
    }
    let texts = failures.into_iter().map(|failure| match failure {
        Failure::Input(text) | Failure::Fault(text) => text,
    });
    Err(Failure::Fault(texts.collect::<Vec<_>>().join("\n")))
}

fn beside(path: &Path) -> PathBuf {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    beside.into()
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

    #[test]
    fn what_cannot_be_written_is_found_without_a_trace_and_what_is_there_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let (new, old) = (folder.path().join("new.json"), folder.path().join("old.json"));
        std::fs::write(&old, "before").expect("written");
        for right in [&new, &old] {
            assert_eq!(check_writable(right), Ok(()));
        }
        assert_eq!(std::fs::read_to_string(&old).expect("read"), "before");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
        let nowhere = folder.path().join("no-such").join("a.json");
        for wrong in [folder.path(), &nowhere] {
            let Err(Failure::Input(said)) = check_writable(wrong) else { panic!("{}", wrong.display()) };
            assert!(said.contains("give another FILE"), "{said}");
        }
    }

    #[test]
    fn what_cannot_be_written_in_the_end_is_kept_elsewhere() {
        let folder = tempfile::tempdir().expect("a folder");
        let Err(Failure::Fault(said)) = save(&folder.path().join("gone").join("a.json"), "results") else { panic!() };
        let kept = said.rsplit(' ').next().expect("a path");
        assert!(kept.ends_with(".json"), "{said}");
        assert_eq!(std::fs::read_to_string(kept).expect("kept"), "results");
        std::fs::remove_file(kept).expect("removed");
        assert_eq!(save(&folder.path().join("a.json"), "results"), Ok(()));
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
