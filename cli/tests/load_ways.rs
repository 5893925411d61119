//! `callfloor load` by other ways than telephones over UDP, against a real server: chats and web forms, whose records agree with what
//! was played, one for one; and calls over TCP and TLS.

#[path = "support/server.rs"]
mod server;

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use serde_json::Value;
use server::Server;

/// An address of this machine at which nobody listens: by TCP, and as good as surely by UDP.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Server {
    /// One that believes this machine which customer it asks for, with more in its configuration.
    fn start(more: impl FnOnce(&Path) -> String) -> Self {
        Self::start_at(&free().to_string(), |directory, command| {
            let config = directory.join("server.toml");
            let text = format!("[http]\nproxies = [\"127.0.0.1\"]\n{}", more(directory));
            std::fs::write(&config, text).unwrap();
            command.arg("--config").arg(config);
        })
    }
}

/// The first half-hour of the library's blended floor, with customers of less patience, so that some leave.
fn blended(directory: &Path) -> PathBuf {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scenarios");
    for file in ["forecast.csv", "roster.csv"] {
        std::fs::copy(library.join(file), directory.join(file)).unwrap();
    }
    let text = std::fs::read_to_string(library.join("chat-tickets-blended.toml")).unwrap();
    let (text, _) = text.split_once("[[thresholds]]").unwrap();
    let mut text = text.to_owned();
    for (from, to) in [
        ("days = 2", "days = 1"),
        ("to = \"18:00\"", "to = \"09:30\""),
        ("patience = { mean_s = 240 }", "patience = { mean_s = 20 }"),
        ("chat_limit = 3", "chat_limit = 1"),
        ("chat_limit = 2", "chat_limit = 1"),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replace(from, to);
    }
    let path = directory.join("plan.toml");
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn calls_chats_and_web_forms_are_played_and_the_servers_records_agree() {
    let server = Server::start(|_| String::new());
    let plan = blended(server.directory.path());
    let json = server.directory.path().join("a.json");
    let mut command = server.load(&plan);
    command.args(["--speed", "40", "--lag-limit", "1s", "--threshold", "calls_lost<=0", "--json"]).arg(&json);
    let done = command.assert().code(0).stdout(contains("chat_to_customer"));
    println!("{}", String::from_utf8_lossy(&done.get_output().stdout));
    let found: Value = serde_json::from_str(&std::fs::read_to_string(&json).unwrap()).unwrap();
    let part = &found["parts"][0];
    let count = |name: &str| part["measures"]["counts"][name].as_u64().unwrap_or(0);
    let many = |kind: &str| !part["measures"]["latencies"][kind].is_null();
    let (calls, chats, tickets) = (count("calls"), count("chats"), count("tickets"));
    assert!(calls > 15 && chats > 8 && tickets > 5, "{calls} calls, {chats} chats, {tickets} tickets");
    assert_eq!(part["asked"].as_u64(), Some(calls + chats + tickets), "nobody calls again in this scenario");
    // Every count and latency is one of those that the published schema tells of.
    let schema = Command::new(cargo_bin("callfloor")).args(["schema", "load"]).output().unwrap();
    let schema: Value = serde_json::from_slice(&schema.stdout).unwrap();
    let known = &schema["$defs"]["measures"]["properties"];
    let is_made = |name: &str| name.starts_with("refused_") || name.starts_with("asked_again_");
    for of in ["counts", "latencies"] {
        for name in part["measures"][of].as_object().unwrap().keys() {
            assert!(known[of]["properties"][name].is_object() || is_made(name), "{name}");
        }
    }
    // Each has one record, which says of it what was played.
    for (what, made) in [("", calls), ("chat_", chats), ("ticket_", tickets)] {
        let of = |name: &str| count(&format!("{what}{name}"));
        assert_eq!((of("records"), of("records_missing"), of("records_twice")), (made, 0, 0), "{what}");
        assert_eq!(of("records_of_nobody"), 0, "{what}");
    }
    assert_eq!((count("chats_refused"), count("tickets_refused"), count("strangers")), (0, 0, 0), "{part}");
    assert_eq!(count("chats_abandoned"), count("chat_records_abandoned"));
    assert_eq!(count("chats_answered"), count("chat_records_answered"));
    assert_eq!(count("chats_answered"), count("chats_taken"));
    assert_eq!(count("chats_answered") + count("chats_abandoned"), chats);
    assert!(count("chats_abandoned") > 0 && count("chats_answered") > 4, "{part}");
    assert_eq!((count("tickets_solved"), count("ticket_records_solved")), (tickets, tickets));
    // The floor has counted the same, by the event stream.
    let queues = found["floor"]["replications"][0]["queues"].as_array().unwrap();
    let of = |queue: usize, name: &str| queues[queue]["counts"][name].as_u64().unwrap_or(0);
    let (on_phone, by_chat, by_mail) = (0, 1, 2);
    assert_eq!([on_phone, by_chat, by_mail].map(|queue| of(queue, "offered")), [calls, chats, tickets]);
    assert_eq!(
        (of(by_chat, "answered"), of(by_chat, "abandoned")),
        (count("chats_answered"), count("chats_abandoned"))
    );
    assert_eq!((of(by_mail, "answered"), of(by_mail, "tickets_solved")), (tickets, tickets));
    // Both sides wrote and read, and the way of each was measured.
    assert!(count("chat_lines_of_operators") >= count("chats_answered"), "{part}");
    assert!(count("chat_lines_of_customers") > 0, "{part}");
    for kind in ["chat_opened", "chat_to_queue", "chat_taken", "chat_to_customer", "chat_to_operator", "chat_closed"] {
        assert!(many(kind), "{kind}");
    }
    for kind in ["chat_left", "ticket_entered", "ticket_to_queue", "api_ticket_solve", "call_to_queue"] {
        assert!(many(kind), "{kind}");
    }
}

/// Callers who come straight to a queue.
const LINE: &str = r#"
name = "Line"
[run]
from = "08:00"
to = "08:10"
[queue.support]
[customers.callers]
arrivals = { per_hour = 60 }
handling = { talk = { kind = "constant", value_s = 30 } }
[operators.team]
count = 1
"#;

/// A certificate of 127.0.0.1 that signs itself, and its key; `None` where there is no openssl.
fn certificate(directory: &Path) -> Option<(PathBuf, PathBuf)> {
    let (certificate, key) = (directory.join("certificate.pem"), directory.join("key.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-out"])
        .arg(&certificate)
        .arg("-keyout")
        .arg(&key)
        .stderr(Stdio::null())
        .status();
    match made {
        Ok(status) if status.success() => Some((certificate, key)),
        other => {
            println!("skipped: no certificate can be made here: {other:?}");
            None
        }
    }
}

#[test]
fn calls_go_over_tcp_and_tls() {
    let secure = free();
    let mut found = None;
    let server = Server::start(|directory| {
        found = certificate(directory);
        let Some((certificate, key)) = &found else { return String::new() };
        let (certificate, key) = (certificate.display(), key.display());
        format!("[sip]\ntls_address = \"{secure}\"\ncertificate = \"{certificate}\"\nkey = \"{key}\"\n")
    });
    let plan = server.directory.path().join("plan.toml");
    std::fs::write(&plan, LINE).unwrap();
    // Makes the service and the number that its customers dial.
    server.load(&plan).args(["--speed", "600", "--lag-limit", "1s", "--quiet"]).assert().code(0);
    let load = |target: &str, more: &[&std::ffi::OsStr]| {
        let json = server.directory.path().join("a.json");
        let mut command = assert_cmd::Command::new(cargo_bin("callfloor"));
        command.arg("load").arg(&plan).args(["--target", &format!("sip:05090000000@{target}")]).args(more);
        command.args(["--rate", "5", "--for", "4s", "--speed", "60", "--lag-limit", "1s", "--json"]).arg(&json);
        (command.timeout(Duration::from_secs(120)).assert(), json)
    };
    let whole = |json: &Path| {
        let found: Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
        let measures = &found["parts"][0]["measures"];
        let count = |name: &str| measures["counts"][name].as_u64().unwrap_or(0);
        assert_eq!((count("calls"), count("answered"), count("connections_broken")), (20, 20, 0), "{measures}");
        let traffic = &measures["customers"];
        // INVITE, ACK and BYE of each, and nothing twice.
        assert_eq!((traffic["sent"].as_u64(), traffic["retransmitted"].as_u64()), (Some(60), Some(0)), "{traffic}");
        assert!(measures["customers_sound"]["received"].as_u64().unwrap() > 100, "{measures}");
    };
    let (done, json) = load(&format!("{};transport=tcp", server.sip), &[]);
    done.code(0);
    whole(&json);
    let (done, _) = load("127.0.0.1:9;transport=tcp", &[]);
    done.code(2).stderr(contains("nobody listens there for SIP over TCP"));
    let Some((certificate, _)) = found else { return };
    let tls = format!("{secure};transport=tls");
    let (done, _) = load(&tls, &[]);
    done.code(2).stderr(contains("its certificate is not trusted").and(contains("--ca")));
    let (done, json) = load(&tls, &["--ca".as_ref(), certificate.as_os_str()]);
    done.code(0);
    whole(&json);
}
