//! `callfloor fit` and `callfloor validate` on the real binary, with a small log of another centre's own headers.

use std::fmt::Write as _;

use assert_cmd::Command;
use predicates::prelude::*;

/// Three days of a centre that answers every call of three minutes at once, and one caller a day who gives up.
fn log() -> String {
    let mut text = "start,secs,talk,who,result\n".to_owned();
    for day in 5..=7 {
        for i in 0..60 {
            let (hour, minute) = (9 + i / 10, i % 10 * 6);
            let talk = 120 + i * 37 % 120;
            let _ = writeln!(text, "2024-02-{day:02}T{hour:02}:{minute:02}:00,0,{talk},Ann,answered");
        }
        let _ = writeln!(text, "2024-02-{day:02}T09:00:30,45,,,abandoned");
        let _ = writeln!(text, "2024-02-{day:02}T09:61:00,0,10,Ann,answered");
    }
    text
}

const COLUMNS: &str = "arrival=start,wait_s=secs,service_s=talk,operator=who,outcome=result";

#[test]
fn a_log_becomes_a_scenario_that_validates_and_runs() {
    let folder = tempfile::tempdir().unwrap();
    let (log_path, scenario) = (folder.path().join("log.csv"), folder.path().join("fitted.toml"));
    std::fs::write(&log_path, log()).unwrap();
    let callfloor = || Command::cargo_bin("callfloor").unwrap();
    callfloor()
        .args(["fit", "--columns", COLUMNS, "-o"])
        .arg(&scenario)
        .arg(&log_path)
        .assert()
        .success()
        .stdout(predicate::str::contains("186 rows in 1 file(s): 183 calls, 3 left out"))
        .stdout(predicate::str::contains("log.csv:63: malformed"));
    callfloor().arg("simulate").arg(&scenario).args(["--replications", "2"]).assert().code(predicate::in_iter([0, 1]));
    callfloor()
        .arg("validate")
        .arg(&log_path)
        .arg(&scenario)
        .args(["--columns", COLUMNS, "--replications", "3", "--json"])
        .assert()
        .success()
        .stdout(predicate::str::contains("\"calls\":183"));
}

#[test]
fn wrong_columns_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.csv");
    std::fs::write(&path, log()).unwrap();
    let mut fit = Command::cargo_bin("callfloor").unwrap();
    fit.arg("fit").arg(&path).assert().code(2).stderr(predicate::str::contains("no column `arrival`"));
}
