//! `callfloor load` against real peers: the server itself, and SIPp's called side.

#[path = "support/server.rs"]
mod server;

use std::io::{Read as _, Write as _};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use assert_cmd::cargo::cargo_bin;
use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use serde_json::Value;
use server::{Guarded, Server, load};
use tempfile::TempDir;

/// Half an hour of a small line: about 50 calls.
const LINE: &str = r#"
name = "Small line"
[run]
from = "08:00"
to = "08:30"
[queue.support]
[customers.callers]
arrivals = { per_hour = 100 }
patience = { mean_s = 180 }
[customers.callers.handling]
talk = { kind = "lognormal", mean_s = 120, cv = 0.9 }
hold = { probability = 0.3, length = { mean_s = 20 } }
after_call = { mean_s = 30 }
[operators.team]
answer_delay = { kind = "uniform", low_s = 1, high_s = 5 }
count = 5
"#;

/// Callers who wait for ever and say little.
const CALLS: &str = r#"
name = "Calls"
[run]
from = "08:00"
to = "09:00"
[queue.line]
[customers.callers]
arrivals = { per_hour = 100 }
handling = { talk = { mean_s = 60 } }
[operators.team]
count = 1
"#;

/// Customers who write, and operators who are soon done with it.
const FORMS: &str = r#"
name = "Web forms"
[run]
from = "08:00"
to = "09:00"
[queue.mail]
channel = "ticket"
[customers.writers]
arrivals = { per_hour = 100 }
handling = { talk = { kind = "constant", value_s = 6 } }
[operators.team]
count = 5
"#;

impl Server {
    fn start() -> Self {
        Self::start_with(&[])
    }

    /// With these settings, by the names of the environment.
    fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::start_at("127.0.0.1:0", |_, command| {
            command.envs(settings.iter().copied());
        })
    }

    /// Asks the API.
    fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> Value {
        let mut stream = std::net::TcpStream::connect(self.url.strip_prefix("http://").unwrap()).unwrap();
        let head = format!("{method} /api/v1{path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n");
        let kind = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all(format!("{head}{kind}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or_else(|_| panic!("{answer}"))
    }

    /// The token of a supervisor: what came is told to them alone.
    fn watcher(&self) -> String {
        let sign_in = |login: &str, password: &str| {
            let body = serde_json::json!({ "login": login, "password": password }).to_string();
            self.ask("POST", "/sessions", "", &body)["token"].as_str().map(str::to_owned)
        };
        let (login, password) = ("watcher", "nobody guesses this one");
        sign_in(login, password).unwrap_or_else(|| {
            let administrator = sign_in("admin", &std::fs::read_to_string(&self.password).unwrap()).unwrap();
            let account = serde_json::json!(
                { "login": login, "password": password, "name": login, "role": "supervisor", "operator": null }
            );
            self.ask("POST", "/accounts", &administrator, &account.to_string());
            sign_in(login, password).unwrap()
        })
    }

    /// When each call came, by its own records, in seconds after the beginning of a run.
    fn arrivals(&self, run: &Value) -> Vec<f64> {
        let token = self.watcher();
        let began = run["parts"][0]["began_us"].as_i64().unwrap();
        let records = self.ask("GET", &format!("/call-records?from_us={began}&limit=500"), &token, "");
        let items = records["items"].as_array().unwrap_or_else(|| panic!("{records}"));
        items.iter().map(|item| (item["arrived_us"].as_i64().unwrap() - began) as f64 / 1e6).collect()
    }
}

/// How many of some instants lie in each of `parts` of equal `length_s`.
fn spread(instants: &[f64], length_s: f64, parts: usize) -> Vec<usize> {
    let within = |part: usize, at: f64| (part as f64 * length_s..(part + 1) as f64 * length_s).contains(&at);
    (0..parts).map(|part| instants.iter().filter(|at| within(part, **at)).count()).collect()
}

/// A far end that refuses every call as busy, and keeps when each came.
struct Busy {
    address: std::net::SocketAddr,
    came: Arc<Mutex<Vec<Instant>>>,
}

impl Busy {
    fn start() -> Self {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let (address, came) = (socket.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let keep = Arc::clone(&came);
        std::thread::spawn(move || {
            let (mut buffer, mut known) = ([0; 4_096], std::collections::HashSet::new());
            while let Ok((count, from)) = socket.recv_from(&mut buffer) {
                let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
                let line = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
                let status = match text.split(' ').next() {
                    Some("INVITE") => "486 Busy Here",
                    Some("OPTIONS") => "200 OK",
                    _ => continue,
                };
                if status.starts_with("486") && known.insert(line("Call-ID:")) {
                    keep.lock().unwrap().push(Instant::now());
                }
                let lines = ["Via:", "From:", "Call-ID:", "CSeq:"].map(|name| line(name) + "\r\n").concat();
                let answer = format!("SIP/2.0 {status}\r\n{lines}{};tag=b\r\nContent-Length: 0\r\n\r\n", line("To:"));
                socket.send_to(answer.as_bytes(), from).unwrap();
            }
        });
        Self { address, came }
    }

    fn count(&self) -> usize {
        self.came.lock().unwrap().len()
    }
}

/// Waits until something is so, for a minute at most.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let limit = Instant::now() + Duration::from_secs(60);
    while !is_so() {
        assert!(Instant::now() < limit, "not in a minute: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// SIPp's called side, where it is installed, with its own count of calls in `directory`.
fn sipp(directory: &TempDir) -> Option<(Guarded, String)> {
    let port = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let started = Command::new("sipp")
        .args(["-sn", "uas", "-i", "127.0.0.1", "-p", &port.to_string(), "-nostdin"])
        .args(["-trace_stat", "-fd", "1", "-stf", "sipp.csv"])
        .current_dir(directory.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    match started {
        Ok(child) => {
            std::thread::sleep(Duration::from_millis(500));
            Some((Guarded(child), format!("sip:127.0.0.1:{port}")))
        }
        Err(error) => {
            println!("skipped: sipp is not here: {error}");
            None
        }
    }
}

/// A moment in so many seconds, as `--start-at` takes it.
fn moment(seconds: u64) -> String {
    (jiff::Timestamp::now() + Duration::from_secs(seconds)).to_string()
}

fn scenario(directory: &TempDir, text: &str) -> PathBuf {
    let path = directory.path().join("plan.toml");
    std::fs::write(&path, text).unwrap();
    path
}

fn results(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn count(results: &Value, name: &str) -> u64 {
    let parts = results["parts"].as_array().unwrap();
    parts.iter().filter_map(|part| part["measures"]["counts"][name].as_u64()).sum()
}

/// A figure of a file of results, as `load merge` judges it: whether it keeps to `demand`.
fn keeps(file: &Path, demand: &str) -> bool {
    let mut command = Command::new(cargo_bin("callfloor"));
    command.args(["load", "merge", "--quiet", "--threshold", demand]).arg(file).status().unwrap().success()
}

/// What the generator did and what the server has recorded and told agree, call by call.
#[test]
fn a_short_load_and_the_servers_records_agree() {
    let server = Server::start();
    let plan = scenario(&server.directory, LINE);
    let (json, junit) = (server.directory.path().join("a.json"), server.directory.path().join("a.xml"));
    let mut command = server.load(&plan);
    command.args([
        "--speed",
        "120",
        "--lag-limit",
        "1s",
        "--threshold",
        "calls_lost<=0",
        "--threshold",
        "served_share>=0.5",
    ]);
    command.args(["--threshold", "rtp_loss_share<=0.2", "--json"]).arg(&json).arg("--junit").arg(&junit);
    command.assert().code(0).stdout(contains("time is compressed 120-fold").and(contains("answer_to_customer")));
    let found = results(&json);
    conforms(&found, "load");
    let calls = count(&found, "calls");
    assert!((30..80).contains(&calls), "{calls}");
    assert_eq!(
        (count(&found, "records"), count(&found, "records_missing"), count(&found, "records_twice")),
        (calls, 0, 0)
    );
    let counts = &found["floor"]["replications"][0]["queues"][0]["counts"];
    assert_eq!(counts["offered"].as_u64(), Some(calls));
    // Where giving up and an answer cross on the wire, each side is right by its own clock.
    let (answered, abandoned) = (counts["answered"].as_u64().unwrap(), counts["abandoned"].as_u64().unwrap_or(0));
    let (served, gave_up) = (count(&found, "served"), count(&found, "abandoned"));
    assert_eq!((answered + abandoned, served + gave_up), (calls, calls));
    assert!(answered.abs_diff(served) <= 3, "{answered} answered, {served} served");
    assert!(count(&found, "holds") > 3, "{found}");
    let xml = std::fs::read_to_string(&junit).unwrap();
    assert!(xml.contains("tests=\"5\"") && xml.contains("failures=\"0\""), "{xml}");
    // The same server is ready for another run of the same scenario, and a threshold that is missed is told.
    let mut again = server.load(&plan);
    again.args(["--speed", "600", "--lag-limit", "1s", "--replication", "1", "--quiet", "--threshold", "asa_s<=0"]);
    again.assert().code(1);
}

#[test]
fn what_cannot_be_played_is_refused_before_it_starts() {
    let server = Server::start();
    let plan = scenario(&server.directory, LINE);
    let wrong = server.directory.path().join("wrong");
    std::fs::write(&wrong, "not the right one").unwrap();
    let mut command = load(&plan);
    command.args(["--url", &server.url, "--sip", &server.sip, "--password-file"]).arg(&wrong);
    command.assert().code(2).stderr(contains("admin cannot sign in"));
    let sip = |arguments: &[&str]| {
        let all = ["--target", "sip:127.0.0.1"].iter().chain(arguments);
        all.map(|argument| (*argument).to_owned()).collect::<Vec<String>>()
    };
    let with_password = |name: &str, value: &str| {
        let all = [name, value, "--password-file", wrong.to_str().unwrap()];
        let others = [["--url", &server.url], ["--sip", &server.sip]];
        let others = others.into_iter().filter(|other| other[0] != name).flatten();
        all.into_iter().chain(others).map(str::to_owned).collect::<Vec<String>>()
    };
    let nowhere = server.directory.path().join("no-such").join("a.json").display().to_string();
    let twice = server.directory.path().join("twice").display().to_string();
    let nobody = UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for (arguments, said) in [
        (vec!["--target".into(), format!("sip:{nobody}")], "nobody listens there for SIP"),
        (vec!["--target".into(), "sip:192.0.2.1".into()], "--i-may-load 192.0.2.1"),
        (vec!["--target".into(), "192.0.2.1".into()], "is no SIP target"),
        (vec!["--url".into(), "https://198.51.100.7".into()], "--password-file"),
        (with_password("--url", "https://198.51.100.7"), "--i-may-load 198.51.100.7"),
        (with_password("--sip", "198.51.100.7"), "--i-may-load 198.51.100.7"),
        (with_password("--url", &server.url.replace("http", "https")), "is it https that is served there?"),
        (vec!["--target".into(), "sip:127.0.0.1".into(), "--rate".into(), "5".into()], "--for"),
        (vec!["--threshold".into(), "call_to_anser_p99_ms<=5".into()], "did you mean"),
        (vec!["--threshold".into(), "count_abandonned<=5".into()], "did you mean \"count_abandoned\"?"),
        (sip(&["--start-at", "2020-01-01T00:00:00Z"]), "is over"),
        (sip(&["--rate", "0", "--for", "5s"]), "nobody would come"),
        (sip(&["--ramp", "0:0", "--for", "5s"]), "nobody would come"),
        (sip(&["--rate", "5", "--for", "5s", "--find-rate"]), "at least one --threshold"),
        (sip(&["--rate", "0", "--for", "5s", "--find-rate", "--threshold", "failed_share<=0"]), "above 0"),
        (sip(&["--rate", "5", "--for", "5s", "--find-rate", "--shard", "1/2"]), "cannot be used with"),
        (sip(&["--github", "--json"]), "annotations go to stdout"),
        (sip(&["--json", &nowhere]), "give another FILE"),
        (sip(&["--junit", &nowhere]), "give another FILE"),
        (sip(&["--csv", &server.directory.path().display().to_string()]), "give another FILE"),
        (sip(&["--json", &twice, "--csv", &twice]), "two documents are to go there"),
        (vec!["--shard".into(), "3/2".into()], "write 2/8"),
        (
            vec!["--target".into(), "sip:127.0.0.1".into(), "--json".into(), "--csv".into()],
            "only one of --json and --csv",
        ),
        (
            vec!["--target".into(), "sip:127.0.0.1".into(), "--csv".into(), plan.display().to_string()],
            "this is an input",
        ),
        (vec!["--target".into(), "sip:127.0.0.1".into(), "--speed".into(), "0.5".into()], "a speed of 0.5"),
    ] {
        load(&plan).args(&arguments).assert().code(2).stderr(contains(said));
    }
    // Too few descriptors, before anything is asked of anybody.
    let mut command = Command::new("sh");
    let limited = "ulimit -n 100; exec \"$0\" load \"$1\" --target sip:127.0.0.1:9";
    let short = command.args(["-c", limited]).arg(cargo_bin("callfloor")).arg(&plan).output().unwrap();
    let said = String::from_utf8_lossy(&short.stderr);
    assert!(short.status.code() == Some(2) && said.contains("file descriptors are needed"), "{said}");
    // Nothing of all that was ever a call.
    assert_eq!(server.arrivals(&serde_json::json!({ "parts": [{ "began_us": 0 }] })), Vec::<f64>::new());
    let address = server.url.strip_prefix("http://").unwrap().to_owned();
    drop(server.process);
    let mut command = load(&plan);
    command
        .args(["--url", &format!("http://{address}"), "--sip", "127.0.0.1:9", "--password-file"])
        .arg(&server.password);
    command.assert().code(2);
}

#[test]
fn every_call_reaches_sipp() {
    let directory = tempfile::tempdir().unwrap();
    let Some((_peer, target)) = sipp(&directory) else { return };
    let (plan, json) = (scenario(&directory, CALLS), directory.path().join("a.json"));
    let mut command = load(&plan);
    command.args(["--target", &target, "--rate", "50", "--for", "4s", "--speed", "600", "--lag-limit", "1s"]);
    command.args(["--threshold", "failed_share<=0", "--threshold", "begun_share>=1", "--json"]).arg(&json);
    command.arg("--csv").arg(directory.path().join("a.csv"));
    command.assert().code(0);
    let found = results(&json);
    assert_eq!((count(&found, "calls"), count(&found, "answered")), (200, 200));
    let csv = std::fs::read_to_string(directory.path().join("a.csv")).unwrap();
    assert!(csv.contains("\nanswered_share,1\n") && csv.contains("\ncount_calls,200\n"), "{csv}");
    // It has counted as many itself; a call is over for it four seconds after the BYE.
    let own = || {
        let text = std::fs::read_to_string(directory.path().join("sipp.csv")).unwrap_or_default();
        let mut lines = text.lines();
        let place = lines.next()?.split(';').position(|name| name == "SuccessfulCall(C)")?;
        lines.last()?.split(';').nth(place)?.parse::<u64>().ok()
    };
    let until = Instant::now() + Duration::from_secs(15);
    while own() != Some(200) && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(300));
    }
    assert_eq!(own(), Some(200));
}

/// Two shards are the whole; where one is killed, the merged report says what is missing, and no threshold saves it.
#[test]
fn shards_merge_and_a_killed_one_is_missed() {
    let directory = tempfile::tempdir().unwrap();
    let Some((_peer, target)) = sipp(&directory) else { return };
    let plan = scenario(&directory, CALLS);
    let start = |shard: &str, at: &str, file: &Path| {
        let mut command = Command::new(cargo_bin("callfloor"));
        command.arg("load").arg(&plan).args(["--target", &target, "--rate", "40", "--for", "3s", "--speed", "600"]);
        command.args(["--lag-limit", "1s", "--quiet", "--shard", shard, "--start-at", at, "--json"]).arg(file);
        Guarded(command.spawn().unwrap())
    };
    let merge = |files: &[&Path]| {
        let mut command = assert_cmd::Command::new(cargo_bin("callfloor"));
        command.args(["load", "merge", "--threshold", "answered_share>=1"]).args(files).assert()
    };
    let file = |name: &str| directory.path().join(name);
    let (one, two) = (file("1.json"), file("2.json"));
    let at = moment(4);
    let mut shards = [start("1/2", &at, &one), start("2/2", &at, &two)];
    shards.iter_mut().for_each(|shard| assert!(shard.0.wait().unwrap().success()));
    let whole = file("whole.json");
    let mut command = assert_cmd::Command::new(cargo_bin("callfloor"));
    command.args(["load", "merge"]).args([&two, &one]).arg("--json").arg(&whole).assert().code(0);
    let found = results(&whole);
    assert_eq!((count(&found, "calls"), count(&found, "answered")), (120, 120));
    assert_eq!(count(&results(&one), "calls"), 60);
    merge(&[&one, &two]).code(0);
    let compare = |a: &Path, b: &Path| {
        let mut command = assert_cmd::Command::new(cargo_bin("callfloor"));
        command.arg("compare").args([a, b]).assert()
    };
    compare(&whole, &whole).code(0).stdout(contains("No figure can be told to differ"));
    compare(&whole, &one).code(2).stderr(contains("B is not whole"));
    compare(&whole, &plan).code(2).stderr(contains("compare two of a kind"));
    // Other settings are neither parts of one run nor compared.
    let other = file("other.json");
    let mut faster = results(&one);
    faster["settings"]["speed"] = 300.0.into();
    std::fs::write(&other, faster.to_string()).unwrap();
    compare(&one, &other).code(2).stderr(contains("speed is 600.0 in A and 300.0 in B"));
    merge(&[&two, &other]).code(2).stderr(contains("they are not parts of one run: speed is"));

    let (three, four) = (file("3.json"), file("4.json"));
    let at = moment(4);
    let (mut whole, killed) = (start("1/2", &at, &three), start("2/2", &at, &four));
    std::thread::sleep(Duration::from_secs(5));
    killed.signal("-KILL");
    assert!(whole.0.wait().unwrap().success());
    assert!(!four.exists());
    merge(&[&three]).code(1).stdout(contains("INCOMPLETE: nothing is here of shard 2 of 2"));
    merge(&[&three, &three]).code(2).stderr(contains("shard 1 is in both"));
}

/// Shards that begin at one moment make one floor, and operators whom a killed run left there play in the next.
#[test]
fn shards_prepare_one_floor_together_and_take_up_what_a_killed_run_left() {
    let server = Server::start();
    let plan = scenario(&server.directory, LINE);
    let start = |shard: &str, file: &Path| {
        let mut command = server.load_beside(&plan);
        command.args(["--rate", "4", "--for", "5s", "--speed", "240", "--lag-limit", "1s", "--shard", shard]);
        command.arg("--json").arg(file).stdout(Stdio::null()).stderr(Stdio::null());
        Guarded(command.spawn().unwrap())
    };
    let files = [server.directory.path().join("1.json"), server.directory.path().join("2.json")];
    let both = || [start("1/2", &files[0]), start("2/2", &files[1])];
    let killed = both();
    let all = serde_json::json!({ "parts": [{ "began_us": 0 }] });
    until("six calls", || server.arrivals(&all).len() >= 6);
    killed.iter().for_each(|shard| shard.signal("-KILL"));
    drop(killed);
    let version = || server.ask("GET", "/floor", &server.watcher(), "")["version"].as_u64().unwrap();
    let made = version();
    for mut shard in both() {
        assert!(shard.0.wait().unwrap().success());
    }
    assert_eq!(version(), made, "what is right already is not changed");
    for file in &files {
        let found = results(file);
        assert!(count(&found, "talks") > 0 && count(&found, "logins") > 0, "{found}");
    }
}

/// The same customers in simulation and live: as many come to both, and each figure is tested.
#[test]
fn a_twin_run_has_three_columns_and_the_same_customers_in_two_of_them() {
    let directory = tempfile::tempdir().unwrap();
    let plan = scenario(&directory, LINE);
    let file = |name: &str| directory.path().join(name);
    let mut command = assert_cmd::Command::new(cargo_bin("callfloor"));
    command.arg("twin").arg(&plan).args([
        "--speed",
        "120",
        "--live",
        "2",
        "--replications",
        "20",
        "--lag-limit-ms",
        "1000",
    ]);
    command
        .arg("--json")
        .arg(file("twin.json"))
        .arg("--csv")
        .arg(file("twin.csv"))
        .arg("--html")
        .arg(file("twin.html"));
    let done = command.timeout(Duration::from_secs(180)).output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout);
    // At 95 % a figure may differ by chance: what is certain is what follows.
    assert!(matches!(done.status.code(), Some(0 | 1)), "{told}{}", String::from_utf8_lossy(&done.stderr));
    assert!(told.contains("Theory: Erlang A, 5 operators") && told.contains("device_told"), "{told}");
    let found = results(&file("twin.json"));
    conforms(&found, "twin");
    assert_eq!((&found["format"], &found["live_replications"]), (&"callfloor-twin/1".into(), &2.into()));
    assert_eq!((&found["simulated_replications"], &found["void"]), (&20.into(), &Value::Null));
    let row = |metric: &str| {
        let rows = found["rows"].as_array().unwrap();
        rows.iter().find(|row| row["metric"] == metric).unwrap_or_else(|| panic!("{found}")).clone()
    };
    assert_eq!((&row("offered")["difference"]["value"], &row("offered")["verdict"]), (&0.0.into(), &"equal".into()));
    assert!(row("asa_s")["theory"].as_f64().unwrap() > 0.0);
    // Some seconds of the scenario are some hundredths of a second live.
    assert!(row("asa_s")["difference"]["value"].as_f64().unwrap().abs() < 20.0);
    assert_eq!(
        std::fs::read_to_string(file("twin.csv")).unwrap().lines().count(),
        found["rows"].as_array().unwrap().len() + 1
    );
    assert!(std::fs::read_to_string(file("twin.html")).unwrap().contains("theory, simulation, live"));
}

/// Ctrl-C in a twin run compares what was over. Every operator asks somebody outside for two minutes: an AHT that is not shorter
/// by as much shows that they were reached.
#[test]
fn a_twin_run_that_is_stopped_compares_the_replications_that_were_over() {
    let directory = tempfile::tempdir().unwrap();
    let asks = r#"consult = { probability = 1.0, favourite = "supplier", length = { kind = "constant", value_s = 120 }, connect = 0.0 }
[service.main]
favourites = { supplier = "+4989555010" }
[operators.team]"#;
    let line = LINE.replace("per_hour = 100", "per_hour = 50").replace("[operators.team]", asks);
    let (plan, json) = (scenario(&directory, &line), directory.path().join("twin.json"));
    let mut command = Command::new(cargo_bin("callfloor"));
    command.arg("twin").arg(&plan).args(["--speed", "360", "--live", "1000", "--replications", "1000"]);
    command.args(["--lag-limit-ms", "5000", "--quiet", "--json"]).arg(&json);
    let mut twin = Guarded(command.spawn().unwrap());
    // A replication takes five seconds.
    std::thread::sleep(Duration::from_secs(25));
    twin.signal("-INT");
    assert!(matches!(twin.0.wait().unwrap().code(), Some(0 | 1)));
    let found = results(&json);
    conforms(&found, "twin");
    let played = found["live_replications"].as_u64().unwrap();
    assert!((1..6).contains(&played), "{played}");
    assert_eq!(found["simulated_replications"], 1000);
    let rows = found["rows"].as_array().unwrap();
    let aht = rows.iter().find(|row| row["metric"] == "aht_s" && row["of"].is_null()).unwrap();
    assert!(aht["simulated"]["value"].as_f64().unwrap() > 200.0, "{aht}");
    assert!(aht["difference"]["value"].as_f64().unwrap() > -60.0, "{aht}");
    let note = format!("Stopped by hand: {played} of 1000 live replications were over and are compared.");
    assert!(found["notes"].as_array().unwrap().iter().any(|told| *told == note), "{}", found["notes"]);
}

/// The far end stands still for a second: whoever was due in it is seen to wait from their own instant, and the generator goes on.
#[test]
fn a_pause_of_the_far_end_is_seen_by_everybody_who_was_due_in_it() {
    let directory = tempfile::tempdir().unwrap();
    let Some((peer, target)) = sipp(&directory) else { return };
    let (plan, json) = (scenario(&directory, CALLS), directory.path().join("a.json"));
    let mut command = Command::new(cargo_bin("callfloor"));
    command.arg("load").arg(&plan).args(["--target", &target, "--rate", "100", "--for", "4s", "--speed", "600"]);
    command.args(["--lag-limit", "300ms", "--quiet", "--start-at", &moment(4), "--json"]).arg(&json);
    let mut generator = Guarded(command.spawn().unwrap());
    std::thread::sleep(Duration::from_millis(5_500));
    peer.signal("-STOP");
    std::thread::sleep(Duration::from_secs(1));
    peer.signal("-CONT");
    assert!(generator.0.wait().unwrap().success());
    assert_eq!(count(&results(&json), "calls"), 400);
    assert!(keeps(&json, "call_to_response_p999_ms>=800") && keeps(&json, "call_to_response_p90_ms>=300"));
    assert!(keeps(&json, "call_to_response_p50_ms<=100") && keeps(&json, "lag_p99_ms<=300"));
}

/// The same of the server itself: a second in which it does not run is in the 99.9th percentile, and no call is lost by it.
#[test]
fn a_pause_of_the_server_is_seen() {
    let server = Server::start();
    let plan = scenario(&server.directory, LINE);
    let json = server.directory.path().join("a.json");
    let mut command = Command::new(cargo_bin("callfloor"));
    command
        .arg("load")
        .arg(&plan)
        .args(["--url", &server.url, "--sip", &server.sip, "--password-file"])
        .arg(&server.password);
    command.args(["--rate", "10", "--for", "6s", "--speed", "240", "--lag-limit", "500ms", "--quiet"]);
    command.args(["--start-at", &moment(15), "--threshold", "calls_lost<=0", "--json"]).arg(&json);
    let mut generator = Guarded(command.spawn().unwrap());
    std::thread::sleep(Duration::from_secs(17));
    server.process.signal("-STOP");
    std::thread::sleep(Duration::from_secs(1));
    server.process.signal("-CONT");
    assert!(generator.0.wait().unwrap().success());
    assert_eq!(count(&results(&json), "calls"), 60);
    assert!(keeps(&json, "call_to_response_p999_ms>=800") && keeps(&json, "call_to_response_p50_ms<=100"));
}

/// Web forms, at a constant rate, to a server that stands still for a while: their latencies have the distribution that wrk2 would
/// give, corrected for coordinated omission. Of those that were due in the pause, evenly many waited each part of it.
#[test]
fn a_pause_of_the_server_is_seen_by_every_request_that_was_due_in_it() {
    const LENGTH_S: f64 = 6.0;
    let server = Server::start();
    let (plan, json) = (scenario(&server.directory, FORMS), server.directory.path().join("a.json"));
    let mut command = server.load_beside(&plan);
    command.args(["--rate", "15", "--for", "6s", "--speed", "600", "--lag-limit", "500ms", "--json"]).arg(&json);
    let mut generator = Guarded(command.spawn().unwrap());
    let watcher = server.watcher();
    until("twenty tickets", || {
        let found = server.ask("GET", "/tickets?channel=written&limit=100", &watcher, "");
        found["items"].as_array().is_some_and(|items| items.len() >= 20)
    });
    server.process.signal("-STOP");
    let stopped = Instant::now();
    std::thread::sleep(Duration::from_secs(1));
    server.process.signal("-CONT");
    let paused_ms = stopped.elapsed().as_secs_f64() * 1e3;
    assert!(generator.0.wait().unwrap().success());
    assert_eq!((count(&results(&json), "tickets"), count(&results(&json), "ticket_records")), (90, 90));
    for (name, share) in [("p90", 0.9), ("p99", 0.99), ("p999", 0.999)] {
        let corrected = paused_ms - (1.0 - share) * LENGTH_S * 1e3;
        let (least, most) = (corrected - 150.0, corrected + 700.0);
        assert!(keeps(&json, &format!("ticket_entered_{name}_ms>={least}")), "{name} is below {least} ms");
        assert!(keeps(&json, &format!("ticket_entered_{name}_ms<={most}")), "{name} is above {most} ms");
    }
    assert!(keeps(&json, "ticket_entered_p50_ms<=200"));
}

/// Calls come at the rate that was asked for: evenly more of them on a ramp, and so many more in the middle third of a spike.
#[test]
fn a_ramp_and_a_spike_have_their_shape() {
    let server = Server::start();
    let (plan, json) = (scenario(&server.directory, LINE), server.directory.path().join("a.json"));
    let run = |arguments: &[&str]| {
        let mut command = server.load(&plan);
        command.args(arguments).args([
            "--speed",
            "600",
            "--lag-limit",
            "1s",
            "--quiet",
            "--threshold",
            "begun_share>=1",
        ]);
        command.arg("--json").arg(&json).assert().code(0);
        let found = results(&json);
        (server.arrivals(&found), found)
    };
    // From 0 to 40 a second in 4 s: 5, 15, 25 and 35 of them.
    let (arrivals, found) = run(&["--ramp", "0:40", "--for", "4s"]);
    assert_eq!((arrivals.len(), count(&found, "calls")), (80, 80));
    for (found, right) in spread(&arrivals, 1.0, 4).into_iter().zip([5, 15, 25, 35]) {
        assert!(found.abs_diff(right) <= 4, "{found} and not {right}: {arrivals:?}");
    }
    let (arrivals, found) = run(&["--spike", "5:40", "--for", "6s", "--replication", "1"]);
    assert_eq!((arrivals.len(), count(&found, "calls")), (100, 100));
    for (found, right) in spread(&arrivals, 2.0, 3).into_iter().zip([10, 80, 10]) {
        assert!(found.abs_diff(right) <= 6, "{found} and not {right}: {arrivals:?}");
    }
    assert_eq!(found["settings"]["legs"].as_array().unwrap().len(), 3);
    assert!(keeps(&json, "asked_per_s>=16.6") && keeps(&json, "asked_per_s<=16.7"));
}

/// A server that takes 20 calls a second and no more: that is what is found, and confirmed.
#[test]
fn the_highest_rate_is_found_and_confirmed() {
    let server = Server::start_with(&[("CALLFLOOR_SIP_CALLS_PER_SECOND", "20")]);
    let (plan, json) = (scenario(&server.directory, LINE), server.directory.path().join("search.json"));
    let mut command = server.load(&plan);
    command.args(["--rate", "8", "--for", "3s", "--find-rate", "--most", "64", "--speed", "600", "--lag-limit", "1s"]);
    command
        .args(["--no-sound", "--threshold", "failed_share<=0", "--json"])
        .arg(&json)
        .timeout(Duration::from_secs(240));
    command.assert().code(0).stdout(contains("a second met every threshold, confirmed"));
    let found = results(&json);
    conforms(&found, "load-search");
    let (rate, missed) = (found["per_s"].as_f64().unwrap(), found["missed_per_s"].as_f64().unwrap());
    assert!((15.0..=22.0).contains(&rate) && rate < missed && missed <= 26.0, "{found}");
    let runs = found["runs"].as_array().unwrap();
    let confirming = runs.iter().filter(|run| run["confirms"] == true && run["per_s"] == rate && run["met"] == true);
    assert_eq!((confirming.count(), &runs[0]["per_s"], &found["stopped"]), (2, &8.0.into(), &Value::Null));
}

/// A server that dies, or hangs, in mid-run: the run ends in order, says what was lost, and meets nothing.
#[test]
fn a_server_that_is_lost_in_mid_run_leaves_a_report() {
    for signal in ["-KILL", "-STOP"] {
        let server = Server::start();
        let (plan, json) = (scenario(&server.directory, LINE), server.directory.path().join("a.json"));
        let mut command = server.load_beside(&plan);
        command.args(["--rate", "10", "--for", "60s", "--speed", "120", "--lag-limit", "1s", "--gone-limit", "3s"]);
        command.args(["--threshold", "count_calls>=1", "--json"]).arg(&json);
        let mut generator = Guarded(command.spawn().unwrap());
        let all = serde_json::json!({ "parts": [{ "began_us": 0 }] });
        until("thirty calls", || server.arrivals(&all).len() >= 30);
        let lost = Instant::now();
        server.process.signal(signal);
        let mut told = String::new();
        generator.0.stdout.take().unwrap().read_to_string(&mut told).unwrap();
        let code = generator.0.wait().unwrap().code();
        assert!(lost.elapsed() < Duration::from_secs(45), "{signal}: {:?}", lost.elapsed());
        assert_eq!(code, Some(1), "{signal}: {told}");
        assert!(told.starts_with(&format!("VOID: shard 1: {} was lost ", server.url)), "{signal}: {told}");
        assert!(told.contains("MISSED count_calls >= 1") && told.contains("(the run is void)"), "{told}");
        assert!(told.contains("server's records could not be read"), "{told}");
        let found = results(&json);
        conforms(&found, "load");
        let calls = count(&found, "calls");
        assert!((30..400).contains(&calls), "{calls}");
        // What there was of the floor until then is there; what is not known is not said to be 0.
        assert!(found["floor"]["replications"][0]["queues"][0]["counts"]["offered"].as_u64().unwrap() > 10);
        assert!(found["parts"][0]["measures"]["counts"]["records"].is_null());
        let figures =
            Command::new(cargo_bin("callfloor")).args(["load", "merge", "--csv", "-"]).arg(&json).output().unwrap();
        let figures = String::from_utf8_lossy(&figures.stdout);
        assert!(figures.contains("\nbegun_share,") && !figures.contains("calls_lost"), "{figures}");
    }
}

/// Customers who write alone, to few who answer.
const WRITING: &str = r#"
name = "Writing"
[run]
from = "08:00"
to = "08:30"
[queue.chats]
channel = "chat"
[queue.mail]
channel = "ticket"
[customers.chatters]
queue = "chats"
arrivals = { per_hour = 100 }
handling = { talk = { mean_s = 600 } }
[customers.writers]
queue = "mail"
arrivals = { per_hour = 50 }
handling = { talk = { mean_s = 600 } }
[operators.team]
queues = ["chats", "mail"]
count = 1
"#;

/// Chats that a server takes with it are told as calls are, and what it has of them is not known.
#[test]
fn a_server_that_is_lost_with_its_chats_leaves_a_report() {
    let server = Server::start();
    let (plan, json) = (scenario(&server.directory, WRITING), server.directory.path().join("a.json"));
    let mut command = server.load_beside(&plan);
    command.args(["--rate", "3", "--for", "60s", "--speed", "60", "--lag-limit", "1s", "--gone-limit", "3s", "--json"]);
    let mut generator = Guarded(command.arg(&json).spawn().unwrap());
    let watcher = server.watcher();
    until("three chats and a ticket", || {
        let count = |path: &str, of: &str| {
            let found = server.ask("GET", path, &watcher, "");
            found.pointer(of).and_then(Value::as_array).map_or(0, Vec::len)
        };
        count("/chats?limit=200", "") >= 3 && count("/tickets?channel=written&limit=10", "/items") >= 1
    });
    server.process.signal("-STOP");
    let mut told = String::new();
    generator.0.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(generator.0.wait().unwrap().code(), Some(1), "{told}");
    assert!(told.starts_with(&format!("VOID: shard 1: {} was lost ", server.url)), "{told}");
    assert!(
        told.contains("server's records could not be read: whether it has one of each contact is not known"),
        "{told}"
    );
    let found = results(&json);
    conforms(&found, "load");
    let count = |name: &str| count(&found, name);
    let over: u64 = ["answered", "abandoned", "turned_away", "refused", "lost"]
        .map(|end| count(&format!("chats_{end}")))
        .iter()
        .sum();
    assert!(count("chats") - over >= 2 && count("unfinished") >= count("chats") - over, "{told}");
    assert_eq!((count("calls"), count("unfinished") > count("chats") + count("tickets")), (0, false), "{told}");
    for records in ["records", "chat_records", "ticket_records"] {
        assert!(found["parts"][0]["measures"]["counts"][records].is_null(), "{records}");
    }
}

/// A server that dies and is started again in mid-run loses its run nothing: every call is there, and how long they waited.
#[test]
fn a_server_that_is_started_again_goes_on_with_the_run() {
    let mut server = Server::start();
    let (plan, json) = (scenario(&server.directory, LINE), server.directory.path().join("a.json"));
    let mut command = server.load_beside(&plan);
    command.args(["--rate", "5", "--for", "15s", "--speed", "120", "--lag-limit", "1s"]);
    command.args(["--threshold", "calls_lost<=0", "--json"]).arg(&json);
    let mut generator = Guarded(command.spawn().unwrap());
    let all = serde_json::json!({ "parts": [{ "began_us": 0 }] });
    until("twenty calls", || server.arrivals(&all).len() >= 20);
    server.process.signal("-KILL");
    server.process.0.wait().unwrap();
    let http = server.url.strip_prefix("http://").unwrap().to_owned();
    std::thread::sleep(Duration::from_secs(1));
    server.process =
        Guarded(Server::command(&server.directory.path().join("data"), &http, &server.sip).spawn().unwrap());
    let mut told = String::new();
    generator.0.stdout.take().unwrap().read_to_string(&mut told).unwrap();
    assert_eq!(generator.0.wait().unwrap().code(), Some(0), "{told}");
    let found = results(&json);
    conforms(&found, "load");
    assert_eq!((count(&found, "calls"), count(&found, "records_missing")), (75, 0), "{told}");
    assert!(count(&found, "screens_lost") >= 5 && keeps(&json, "call_to_response_max_ms>=1000"), "{told}");
    // Nobody stays behind at a telephone of a call that the server has forgotten.
    assert!(found["parts"][0]["lasted_us"].as_u64().unwrap() < 60_000_000, "{told}");
}

/// A telephone system that dies in mid-run is told too.
#[test]
fn a_far_end_that_is_lost_in_mid_run_leaves_a_report() {
    let directory = tempfile::tempdir().unwrap();
    let Some((peer, target)) = sipp(&directory) else { return };
    let (plan, json) = (scenario(&directory, CALLS), directory.path().join("a.json"));
    let mut command = Command::new(cargo_bin("callfloor"));
    command.arg("load").arg(&plan).args(["--target", &target, "--rate", "20", "--for", "60s", "--speed", "600"]);
    command.args(["--gone-limit", "2s", "--lag-limit", "1s", "--start-at", &moment(4), "--json"]).arg(&json);
    let mut generator = Guarded(command.stdout(Stdio::null()).spawn().unwrap());
    std::thread::sleep(Duration::from_secs(7));
    peer.signal("-KILL");
    assert_eq!(generator.0.wait().unwrap().code(), Some(1));
    let found = results(&json);
    let cut = found["parts"][0]["cut"].as_str().unwrap();
    assert!(cut.starts_with(&format!("{target} was lost ")), "{cut}");
    assert!(count(&found, "answered") > 20 && count(&found, "unfinished") > 10, "{found}");
}

/// A server that takes few requests a second tells the generator to come again later: it does, counts that, and loses nothing.
#[test]
fn too_many_requests_are_asked_again_and_told() {
    let limits = ["READS_PER_SECOND", "READS_BURST", "WRITES_PER_SECOND", "WRITES_BURST"];
    let names = limits.map(|limit| format!("CALLFLOOR_LIMITS_{limit}"));
    let server = Server::start_with(&names.each_ref().map(|name| (name.as_str(), "2")));
    let (plan, json) = (scenario(&server.directory, LINE), server.directory.path().join("a.json"));
    let mut command = server.load(&plan);
    command.args(["--speed", "240", "--lag-limit", "1s", "--threshold", "calls_lost<=0", "--json"]).arg(&json);
    command
        .assert()
        .code(0)
        .stdout(contains("times while it was prepared, the server said that it is asked too often"));
    let found = results(&json);
    conforms(&found, "load");
    let calls = count(&found, "calls");
    assert_eq!((count(&found, "records"), count(&found, "records_missing")), (calls, 0));
    assert!(count(&found, "asked_again_before") > 5, "{found}");
    let again = count(&found, "api_asked_again");
    assert!(again > 0 && count(&found, "asked_again_429_too-many-requests") == again, "{found}");
    // No order was given up for it, and the wait is in its latency.
    assert_eq!(count(&found, "refused_429_too-many-requests"), 0);
    assert!(keeps(&json, "api_finish_after_call_max_ms>=900"));
}

/// A certificate that nobody here trusts is told as that, and is trusted where its authority is given.
#[test]
fn a_certificate_that_is_not_trusted_is_refused_before_the_start() {
    let keys = tempfile::tempdir().unwrap();
    let (certificate, key) = (keys.path().join("c.pem"), keys.path().join("k.pem"));
    let made = Command::new("openssl")
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"])
        .args(["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args(["-addext", "basicConstraints=critical,CA:FALSE", "-keyout"])
        .arg(&key)
        .arg("-out")
        .arg(&certificate)
        .output();
    if !made.is_ok_and(|made| made.status.success()) {
        println!("skipped: openssl is not here");
        return;
    }
    let (chain, secret) = (certificate.to_str().unwrap(), key.to_str().unwrap());
    let server = Server::start_with(&[("CALLFLOOR_HTTP_CERTIFICATE", chain), ("CALLFLOOR_HTTP_KEY", secret)]);
    assert!(server.url.starts_with("https://"), "{}", server.url);
    let plan = scenario(&server.directory, LINE);
    server
        .load(&plan)
        .assert()
        .code(2)
        .stderr(contains("its certificate is not trusted").and(contains("--ca FILE.pem")));
    let mut command = server.load(&plan);
    command
        .args(["--speed", "1200", "--lag-limit", "1s", "--quiet", "--threshold", "calls_lost<=0", "--ca"])
        .arg(&certificate);
    command.assert().code(0);
}

/// What cannot be written in the end is kept elsewhere, and takes no other document with it.
#[test]
#[cfg(target_os = "linux")]
fn a_result_that_cannot_be_written_is_not_lost() {
    let (directory, peer) = (tempfile::tempdir().unwrap(), Busy::start());
    let (plan, csv) = (scenario(&directory, CALLS), directory.path().join("a.csv"));
    let mut command = load(&plan);
    command.args(["--target", &format!("sip:{}", peer.address), "--rate", "20", "--for", "1s", "--lag-limit", "1s"]);
    command.env("TMPDIR", directory.path()).args(["--json", "/dev/full", "--csv"]).arg(&csv);
    let done = command.assert().code(3).stdout(contains("refused_486 20")).get_output().clone();
    let said = String::from_utf8(done.stderr).unwrap();
    let kept = said
        .lines()
        .find_map(|line| line.strip_prefix("What was to be in it is kept in "))
        .unwrap_or_else(|| panic!("{said}"));
    assert!(said.contains("/dev/full: cannot write it"), "{said}");
    let found = results(Path::new(kept));
    conforms(&found, "load");
    assert_eq!((count(&found, "refused_486"), peer.count()), (20, 20));
    assert!(std::fs::read_to_string(&csv).unwrap().contains("count_refused_486,20"));
}

/// Who is told to end, by SIGTERM or Ctrl-C, ends in order and leaves what was measured.
#[test]
fn a_run_that_is_told_to_end_leaves_a_report() {
    for signal in ["-TERM", "-INT"] {
        let (directory, peer) = (tempfile::tempdir().unwrap(), Busy::start());
        let (plan, json) = (scenario(&directory, CALLS), directory.path().join("a.json"));
        let mut command = Command::new(cargo_bin("callfloor"));
        command.arg("load").arg(&plan).args(["--target", &format!("sip:{}", peer.address), "--rate", "20"]);
        command.args(["--for", "60s", "--lag-limit", "1s", "--quiet", "--json"]).arg(&json);
        let mut generator = Guarded(command.spawn().unwrap());
        until("some calls", || peer.count() >= 10);
        generator.signal(signal);
        assert_eq!(generator.0.wait().unwrap().code(), Some(1), "{signal}");
        let found = results(&json);
        assert_eq!(found["parts"][0]["cut"], "it was stopped by hand");
        assert_eq!(usize::try_from(count(&found, "refused_486")).ok(), Some(peer.count()));
    }
}

/// On a terminal: the bar tells how far the run is, `p` pauses and goes on, `*` doubles the pace, `q` ends it; the terminal is as
/// it was. What came in the pause, and how fast, is what the far end saw.
#[test]
#[cfg(target_os = "linux")]
fn keys_on_a_terminal_change_the_run() {
    let (directory, peer) = (tempfile::tempdir().unwrap(), Busy::start());
    let (plan, json) = (scenario(&directory, CALLS), directory.path().join("a.json"));
    let line = format!(
        "stty cols 110; '{}' load '{}' --target sip:{} --rate 20 --for 120s --lag-limit 1s --json '{}'; echo code=$?; stty -a",
        cargo_bin("callfloor").display(),
        plan.display(),
        peer.address,
        json.display()
    );
    // It gives the command a terminal of its own, and passes on what is typed and shown.
    let mut command = Command::new("script");
    command.args(["-qfec", &line, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut terminal = match command.spawn() {
        Ok(child) => Guarded(child),
        Err(error) => return println!("skipped: script is not here: {error}"),
    };
    let mut keys = terminal.0.stdin.take().unwrap();
    let shown = Arc::new(Mutex::new(String::new()));
    let mut output = terminal.0.stdout.take().unwrap();
    let keep = Arc::clone(&shown);
    std::thread::spawn(move || {
        let mut buffer = [0; 4_096];
        while let Ok(count @ 1..) = output.read(&mut buffer) {
            keep.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    });
    let shows = |text: &str| shown.lock().unwrap().contains(text);
    let mut press = |key: &str| keys.write_all(key.as_bytes()).unwrap();
    until("the bar with its keys", || shows("of 2400 calls") && shows("s left (+ - * / p q)"));
    until("some calls", || peer.count() >= 20);
    press("p");
    until("a pause", || shows(", paused (+ - * / p q)"));
    std::thread::sleep(Duration::from_millis(300));
    let paused = peer.count();
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(peer.count(), paused, "{}", shown.lock().unwrap());
    press("p");
    until("calls after the pause", || peer.count() >= paused + 10);
    press("**");
    until("the pace", || shows(", 4.00 times as fast"));
    let (before, since) = (peer.count(), Instant::now());
    std::thread::sleep(Duration::from_secs(3));
    let per_s = (peer.count() - before) as f64 / since.elapsed().as_secs_f64();
    assert!((60.0..100.0).contains(&per_s), "{per_s} a second and not 80");
    press("//");
    press("-");
    until("a slower pace", || shows(", 0.91 times as fast"));
    press("q");
    until("the end", || shows("code="));
    until("the settings of the terminal", || shows("lflags") || shows("icanon"));
    let shown = shown.lock().unwrap().clone();
    assert!(shown.contains("VOID: shard 1: it was stopped by hand") && shown.contains("code=1"), "{shown}");
    let (_, settings) = shown.rsplit_once("code=1").unwrap();
    assert!(!settings.contains("-icanon") && !settings.contains("-echo "), "{settings}");
    let found = results(&json);
    assert_eq!(count(&found, "pauses"), 1);
    assert!((2..=5).contains(&count(&found, "rate_changes")), "{found}");
    assert_eq!(usize::try_from(count(&found, "calls")).ok(), Some(peer.count()));
    // No pause makes anybody late by its length.
    let longest_us = found["parts"][0]["measures"]["latencies"]["lag"][0][0].as_u64().unwrap();
    assert!(longest_us < 1_000_000, "{found}");
}

#[test]
fn a_schema_is_published_for_every_result() {
    for (of, format) in
        [("load", "callfloor-load/1"), ("load-search", "callfloor-load-search/1"), ("twin", "callfloor-twin/1")]
    {
        let schema = schema(of);
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert_eq!(schema["properties"]["format"]["const"], format);
    }
    let mut command = assert_cmd::Command::new(cargo_bin("callfloor"));
    command.args(["schema", "load", "--reference"]).assert().code(2);
}

fn schema(of: &str) -> Value {
    let output = Command::new(cargo_bin("callfloor")).args(["schema", of]).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

/// Fails unless a document is as its published schema says.
fn conforms(document: &Value, of: &str) {
    let schema = schema(of);
    check(document, &schema, &schema, "$");
}

/// What of JSON Schema the published ones use.
fn check(value: &Value, shape: &Value, root: &Value, at: &str) {
    if let Err(why) = checked(value, shape, root, at) {
        panic!("{why}");
    }
}

fn checked(value: &Value, shape: &Value, root: &Value, at: &str) -> Result<(), String> {
    if let Some(reference) = shape["$ref"].as_str() {
        let target = root
            .pointer(reference.strip_prefix('#').unwrap())
            .ok_or_else(|| format!("{at}: {reference} leads nowhere"))?;
        return checked(value, target, root, at);
    }
    let fails = |what: &str| Err(format!("{at}: {value} is not {what}"));
    if let Some(shapes) = shape["anyOf"].as_array() {
        let all: Vec<String> = shapes.iter().filter_map(|shape| checked(value, shape, root, at).err()).collect();
        return if all.len() < shapes.len() { Ok(()) } else { Err(all.join(" or ")) };
    }
    if !shape["const"].is_null() && *value != shape["const"] {
        return fails(&shape["const"].to_string());
    }
    if shape["enum"].as_array().is_some_and(|words| !words.contains(value)) {
        return fails(&shape["enum"].to_string());
    }
    let is = |kind: &Value| match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("null") => value.is_null(),
        Some("number") => value.is_number(),
        Some("integer") => value.is_u64() || value.is_i64(),
        _ => panic!("{at}: the schema has the type {kind}"),
    };
    let right = match &shape["type"] {
        Value::Null => true,
        Value::Array(kinds) => kinds.iter().any(is),
        kind => is(kind),
    };
    if !right {
        return fails(&shape["type"].to_string());
    }
    if shape["minimum"].as_f64().is_some_and(|least| value.as_f64().is_some_and(|value| value < least)) {
        return fails("as large as it must be");
    }
    for (place, item) in value.as_array().into_iter().flatten().enumerate() {
        checked(item, &shape["items"], root, &format!("{at}[{place}]"))?;
    }
    let Some(fields) = value.as_object() else { return Ok(()) };
    for name in shape["required"].as_array().into_iter().flatten() {
        if !fields.contains_key(name.as_str().unwrap()) {
            return Err(format!("{at}: {name} is missing"));
        }
    }
    let patterns = shape["patternProperties"].as_object();
    for (name, field) in fields {
        let at = format!("{at}.{name}");
        // A pattern is the beginning of a name, and a digit.
        let fits = |pattern: &str| {
            let start = pattern.trim_start_matches('^').trim_end_matches("[0-9]");
            name.strip_prefix(start).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
        };
        let made = || patterns.into_iter().flatten().find(|(pattern, _)| fits(pattern)).map(|(_, shape)| shape);
        match shape["properties"].get(name).or_else(made) {
            Some(shape) => checked(field, shape, root, &at)?,
            None if shape["additionalProperties"] == false => {
                return Err(format!("{at}: the schema knows no such field"));
            }
            None => {}
        }
    }
    Ok(())
}
