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

/// SIGHUP reads certificates again: a wrong one is told in the log and the server goes on, a right one is put to use.
#[test]
fn a_hangup_reads_certificates_again() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str| directory.path().join(name);
    let make = |name: &str| {
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
            .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-keyout"])
            .arg(file(&format!("{name}.key")))
            .arg("-out")
            .arg(file(&format!("{name}.pem")))
            .output();
        made.is_ok_and(|made| made.status.success())
    };
    if !(make("used") && make("other")) {
        return println!("skipped: no openssl in PATH");
    }
    let text = format!("[http]\ncertificate = {:?}\nkey = {:?}\n", file("used.pem"), file("used.key"));
    std::fs::write(file("server.toml"), text).unwrap();
    let mut server = Command::new(cargo_bin("callfloor"))
        .args(["serve", "--no-sip", "--http", "127.0.0.1:0", "--config"])
        .arg(file("server.toml"))
        .arg("--data")
        .arg(file("data"))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    assert!(lines.next().unwrap().unwrap().starts_with("callfloor serves HTTP on https://"));
    assert!(lines.any(|line| line.unwrap().starts_with("ready")));
    let mut log = BufReader::new(server.stderr.take().unwrap()).lines();
    let mut told = |signal: &str, words: &str| {
        assert!(Command::new("kill").args([signal, &server.id().to_string()]).status().unwrap().success());
        log.any(|line| line.unwrap().contains(words))
    };
    std::fs::copy(file("other.pem"), file("used.pem")).unwrap();
    assert!(told("-HUP", "do not fit"), "a certificate that is not the key's");
    std::fs::copy(file("other.key"), file("used.key")).unwrap();
    assert!(told("-HUP", "certificates were read again"));
    assert!(Command::new("kill").args(["-TERM", &server.id().to_string()]).status().unwrap().success());
    assert!(server.wait().unwrap().success());
}
