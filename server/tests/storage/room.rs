//! A disc that is full: the refusal is plain, nothing is lost, and it goes on when there is room.
//!
//! On a small file system of its own where this process may mount one (Linux, root), else under SQLite's own limit of
//! pages, which refuses with the same words.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use callfloor_server::storage::sqlite::SqliteStorage;
use callfloor_server::storage::{Batch, Snapshot, StorageError, Writer};

use crate::support::{batch, entry_of, journal, put};

/// A file system in memory, unmounted when dropped.
struct Small {
    at: tempfile::TempDir,
}

impl Small {
    /// `None`, with a message, where nothing may be mounted.
    fn mounted(size: &str) -> Option<Self> {
        let at = tempfile::tempdir().expect("a directory");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "callfloor-test"])
            .arg(at.path())
            .output()
            .is_ok_and(|output| output.status.success());
        if !mounted {
            println!("skipped: no small file system can be mounted here");
        }
        mounted.then_some(Self { at })
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.at.path()).status();
    }
}

fn large(sequence: u64) -> Batch {
    let body = "x".repeat(20_000);
    Batch {
        entries: vec![entry_of(sequence, vec![7; 20_000])],
        writes: vec![put("seen", sequence, &body, &[("at", &sequence.to_string())])],
    }
}

/// Commits until there is no room; gives the last entry that was taken.
fn fill(writer: &mut SqliteStorage, first: u64) -> u64 {
    for sequence in first..first + 10_000 {
        match writer.commit(&large(sequence)) {
            Ok(()) => {}
            Err(StorageError::Full { place }) => {
                assert!(place.contains("callfloor.sqlite"), "{place}");
                return sequence - 1;
            }
            Err(problem) => panic!("entry {sequence}: {problem}"),
        }
    }
    panic!("it never became full");
}

#[test]
fn a_full_disc_refuses_plainly_and_goes_on_when_there_is_room() {
    let Some(small) = Small::mounted("6m") else { return };
    let directory = small.at.path().join("data");
    let ballast: PathBuf = small.at.path().join("ballast");
    fs::write(&ballast, vec![1; 2 << 20]).expect("there is room for it");
    let mut writer = SqliteStorage::open(&directory).expect("opens");
    let last = fill(&mut writer, 1);
    assert!(last > 10, "{last}");
    for _ in 0..20 {
        let refused = writer.commit(&large(last + 1));
        assert!(matches!(refused, Err(StorageError::Full { .. })), "{refused:?}");
    }
    let refused = writer.put_snapshot(&Snapshot { sequence: last, bytes: vec![1; 8 << 20] });
    assert!(matches!(refused, Err(StorageError::Full { .. })), "{refused:?}");
    check(&mut writer, last);
    fs::remove_file(&ballast).expect("removes");
    writer.commit(&large(last + 1)).expect("there is room again");
    check(&mut writer, last + 1);
    // Killed and opened while it is full: what is there is whole.
    let last = fill(&mut writer, last + 2);
    check(&mut writer, last);
    let copy = tempfile::tempdir().expect("a directory");
    copy_all(&directory, copy.path());
    check(&mut SqliteStorage::open(copy.path()).expect("opens"), last);
}

#[test]
fn a_limit_of_the_files_size_refuses_plainly_too() {
    // In a process of its own, as the limit is the process's: `ulimit -f` counts blocks of 512 or 1024 bytes.
    if std::env::var_os("CALLFLOOR_TEST_LIMITED").is_some() {
        let directory = PathBuf::from(std::env::var_os("CALLFLOOR_TEST_DIRECTORY").expect("set by the parent"));
        let mut writer = SqliteStorage::open(&directory).expect("opens");
        let last = fill(&mut writer, 1);
        check(&mut writer, last);
        fs::write(directory.join("last"), last.to_string()).expect("writes");
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    let output = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; ulimit -f 4000; exec "$0" --exact room::a_limit_of_the_files_size_refuses_plainly_too --nocapture"#])
        .arg(std::env::current_exe().expect("this binary"))
        .env("CALLFLOOR_TEST_LIMITED", "1")
        .env("CALLFLOOR_TEST_DIRECTORY", directory.path())
        .output()
        .expect("starts");
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    let last: u64 = fs::read_to_string(directory.path().join("last")).expect("reads").parse().expect("a number");
    // Without the limit it goes on.
    let mut writer = SqliteStorage::open(directory.path()).expect("opens");
    check(&mut writer, last);
    writer.commit(&batch([], vec![])).expect("commits");
    writer.commit(&large(last + 1)).expect("commits");
    check(&mut writer, last + 1);
}

fn check(writer: &mut SqliteStorage, last: u64) {
    writer.verify().expect("is whole");
    assert_eq!(writer.last_sequence().expect("reads"), last);
    let mut reader = writer.reader().expect("opens");
    assert!(journal(&mut *reader, 0).into_iter().eq((1..=last).map(|at| entry_of(at, vec![7; 20_000]))));
    assert_eq!(reader.last_id("seen").expect("reads"), last);
}

fn copy_all(from: &Path, to: &Path) {
    for item in fs::read_dir(from).expect("reads") {
        let item = item.expect("reads");
        fs::copy(item.path(), to.join(item.file_name())).expect("copies");
    }
}
