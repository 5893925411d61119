//! Every scenario of the library replays to the very events that are on record, on one thread and on two.
//!
//! A digest covers everything that the engine puts out, with its times. After an intended change of results, renew the
//! record by one command and read its difference:
//!
//! ```sh
//! CALLFLOOR_RENEW=1 cargo test -p callfloor-sim --test digest
//! ```

use callfloor_scenario::{Horizon, Scenario};
use callfloor_sim::{Options, simulate};
use std::fmt::Write as _;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

const REPLICATIONS: u32 = 3;

fn library() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("the library is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "toml") && !path.ends_with("Cargo.toml"))
        .collect();
    files.sort();
    files
}

fn run(path: &Path, threads: usize, check: bool) -> Vec<(u64, u64)> {
    let mut scenario = Scenario::load(path).unwrap_or_else(|problems| panic!("{}: {problems:?}", path.display()));
    if let Horizon::Calls { count, .. } = &mut scenario.horizon {
        *count = (*count).min(20_000);
    }
    let options = Options {
        threads: NonZeroUsize::new(threads),
        replications: Some(REPLICATIONS),
        precision: Some(None),
        digest: true,
        check,
        ..Options::default()
    };
    let outcome = simulate(&scenario, &options).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    outcome.results.replications().iter().map(|one| (one.calls, one.event_digest)).collect()
}

#[test]
fn every_scenario_replays_to_its_digest() {
    let mut found = String::new();
    for path in library() {
        let name = path.file_stem().expect("a file").to_string_lossy().into_owned();
        let one = run(&path, 1, false);
        assert_eq!(one, run(&path, 2, false), "{name}: one and two threads differ");
        for (replication, (calls, digest)) in one.into_iter().enumerate() {
            writeln!(found, "{name} {replication} {calls} {digest:016x}").expect("a string grows");
        }
    }
    let record = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/digests.txt");
    if std::env::var_os("CALLFLOOR_RENEW").is_some() {
        std::fs::write(&record, &found).expect("writable");
    }
    let expected = std::fs::read_to_string(&record).unwrap_or_default();
    let differing: Vec<&str> = found.lines().filter(|line| !expected.lines().any(|other| other == *line)).collect();
    assert!(
        found == expected,
        "the events of some scenarios changed (scenario, replication, calls, digest):\n{}\n\
         If that is meant: CALLFLOOR_RENEW=1 cargo test -p callfloor-sim --test digest",
        differing.join("\n")
    );
}
