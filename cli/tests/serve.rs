//! `callfloor serve` and `callfloor replay`, as a new user runs them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Stdio};

use assert_cmd::cargo::cargo_bin;
use predicates::str::contains;

#[test]
fn an_address_that_others_reach_is_refused_without_tls() {
    let directory = tempfile::tempdir().unwrap();
    for (arguments, said) in [
        (vec!["serve", "--no-sip", "--http", "192.0.2.1:8080"], "allow_plain_public"),
        (vec!["serve", "--config", "nowhere.toml"], "nowhere.toml"),
    ] {
        let mut command = assert_cmd::Command::new(cargo_bin("callfloor"));
        command.args(&arguments).current_dir(directory.path()).assert().code(2).stderr(contains(said));
    }
}

#[test]
fn it_serves_stops_when_told_and_its_journal_replays() {
    let directory = tempfile::tempdir().unwrap();
    let mut server = Command::new(cargo_bin("callfloor"))
        .args(["serve", "--no-sip", "--http", "127.0.0.1:0", "--data"])
        .arg(directory.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    let address = first.strip_prefix("callfloor serves HTTP on http://").unwrap().to_owned();
    assert!(lines.next().unwrap().unwrap().contains("shown this once"));
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK") && answer.ends_with("ok\n"), "{answer}");

    // A sign-in that fails is in the audit log.
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    let body = r#"{"login":"admin","password":"not the right one"}"#;
    let head =
        "POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json";
    stream.write_all(format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");

    let told = Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap();
    assert!(told.success());
    assert!(server.wait().unwrap().success());
    let mut replay = assert_cmd::Command::new(cargo_bin("callfloor"));
    replay
        .args(["replay", "--verify"])
        .arg(directory.path().join("main"))
        .assert()
        .code(0)
        .stdout(contains("every one as recorded"));
    let audit = |noted: &[&str]| {
        let mut audit = assert_cmd::Command::new(cargo_bin("callfloor"));
        audit.args(["audit", "verify", "--data"]).arg(directory.path()).args(noted).assert()
    };
    audit(&[]).code(0).stdout(contains("1 entries, every link holds"));
    let other = format!("1:{}", "0".repeat(64));
    audit(&["--noted", &other]).code(1).stdout(contains("entry 1 is broken: its hash is not the one that was noted"));
}
