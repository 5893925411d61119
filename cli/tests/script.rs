//! `callfloor script` on the real binary.

use assert_cmd::Command;
use predicates::str::contains;

const SCRIPT: &str = "service shop inbound\n  flow: queue billing\nqueue billing\noperator 1\nt=0 log in operator 1\nt=1 operator 1 holds\n";

fn script(text: &str, options: &[&str]) -> assert_cmd::assert::Assert {
    Command::cargo_bin("callfloor").unwrap().args(["script", "-"]).args(options).write_stdin(text).assert()
}

#[test]
fn prints_what_the_engine_says_with_its_time() {
    script(SCRIPT, &["--check"]).success().stdout(
        "00:00:00.000 > log in operator 1\n00:00:00.000 operator 1: LoggedOut -> Work\n00:00:01.000 > operator 1 holds\n\
         00:00:01.000 refused: operator 1 cannot hold in status Work\n",
    );
}

#[test]
fn json_has_an_object_for_each_line() {
    let output = script(SCRIPT, &["--json"]).success().get_output().stdout.clone();
    let lines: Vec<serde_json::Value> =
        String::from_utf8(output).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[3]["at"], 1_000_000);
    assert!(lines[3]["said"]["Refused"]["WrongStatus"].is_object());
}

#[test]
fn a_mistake_is_shown_at_its_place() {
    script(&SCRIPT.replace("holds", "hodls"), &[])
        .code(2)
        .stderr(contains("-:6:16: found \"hodls\""))
        .stderr(contains("did you mean \"holds\"?"))
        .stderr(contains("\n  t=1 operator 1 hodls\n                 ^"));
}
