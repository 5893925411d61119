//! `callfloor replay JOURNAL --operators`: a day in a journal, simulated with two operators more, against the same day as it
//! truly would have been: the same callers come to both.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use assert_cmd::cargo::cargo_bin;
use callfloor_engine::{
    Action, CallId, Command, Engine, EngineConfig, Event, Instant, OperatorId, Output, ServiceId, StatusChoice, StepId,
};
use callfloor_server::config::Config;
use callfloor_server::host::{Digest, Input};
use callfloor_server::server::{Options, Server};
use callfloor_server::storage::sqlite::SqliteStorage;
use callfloor_server::storage::{Batch, Entry, SqliteStores, Writer as _};
use serde_json::{Value, json};

/// 8 o'clock of 2 March 2026, UTC.
const OPENING_US: u64 = 1_772_438_400_000_000;
const HOURS: u64 = 8;
const S: u64 = 1_000_000;

/// One who calls, as nobody but this test knows them.
#[derive(Clone, Copy)]
struct Customer {
    at_us: u64,
    patience_us: u64,
    talk_us: u64,
    after_call_us: u64,
}

fn customers(calls_per_hour: f64) -> Vec<Customer> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut exponential = |mean_s: f64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let uniform = ((state >> 12) as f64 + 0.5) / 4_503_599_627_370_496.0;
        u64::try_from(Duration::from_secs_f64(-mean_s * uniform.ln()).as_micros()).unwrap()
    };
    let mut at_us = OPENING_US;
    let mut all = Vec::new();
    loop {
        at_us += exponential(3_600.0 / calls_per_hour);
        if at_us > OPENING_US + HOURS * 3_600 * S {
            return all;
        }
        let (patience_us, talk_us) = (exponential(120.0), exponential(160.0));
        all.push(Customer { at_us, patience_us, talk_us, after_call_us: exponential(20.0) });
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Happening {
    Arrives(usize),
    GivesUp(usize),
    Answers(OperatorId, callfloor_engine::OfferId),
    Ends(usize),
    Rested(OperatorId),
}

/// A day at an engine, with the journal that a server would have written.
struct Floor {
    engine: Engine,
    entries: Vec<Entry>,
    happenings: BinaryHeap<Reverse<(u64, Happening)>>,
    customers: Vec<Customer>,
    calls: HashMap<CallId, usize>,
    ids: HashMap<usize, CallId>,
    answered: HashMap<usize, u64>,
    left: usize,
}

impl Floor {
    fn run(operators: usize, customers: Vec<Customer>) -> Self {
        let mut floor = callfloor_server::demo::floor().unwrap().into_floor();
        for at in floor.operators.len()..operators {
            let mut operator = floor.operators[0].clone();
            operator.name = format!("op{}", at + 1);
            operator.cti_id = Some(operator.name.clone());
            operator.cti_number = Some(format!("{}", 201 + at).parse().unwrap());
            floor.operators.push(operator);
        }
        let config = EngineConfig::new(floor).unwrap();
        let begin = Input::Begin(Box::new(config.clone())).encode(Digest::default());
        let opening = Instant::from_micros(OPENING_US);
        let mut day = Self {
            engine: Engine::new(config),
            entries: vec![Entry { sequence: 1, at: opening, input: begin }],
            happenings: customers
                .iter()
                .zip(0..)
                .map(|(one, at)| Reverse((one.at_us, Happening::Arrives(at))))
                .collect(),
            customers,
            calls: HashMap::new(),
            ids: HashMap::new(),
            answered: HashMap::new(),
            left: 0,
        };
        for operator in 0..operators {
            let operator = OperatorId(u32::try_from(operator).unwrap());
            day.order(OPENING_US, Command::LogIn { operator });
            day.order(OPENING_US, Command::SetStatus { operator, to: StatusChoice::Ready });
        }
        while let Some(Reverse((now, happening))) = day.happenings.pop() {
            day.happens(now, happening);
        }
        day
    }

    fn order(&mut self, now: u64, command: Command) {
        let (at, mut digest, mut out) = (Instant::from_micros(now), Digest::default(), Vec::new());
        let mut told = Vec::new();
        while let Some(due) = self.engine.next_deadline().filter(|due| *due <= at) {
            self.engine.advance(due, &mut out);
            told.extend(out.drain(..).map(|output| (due, output)));
        }
        self.engine.apply(at, command.clone(), &mut out).unwrap();
        told.extend(out.into_iter().map(|output| (at, output)));
        for (at, output) in &told {
            digest.add(*at, output);
        }
        let sequence = self.entries.len() as u64 + 1;
        self.entries.push(Entry { sequence, at, input: Input::Command(command).encode(digest) });
        for (_, output) in told {
            match output {
                Output::Action(Action::Ring { operator, offer, .. }) => {
                    self.happenings.push(Reverse((now + 2 * S, Happening::Answers(operator, offer))));
                }
                Output::Event(Event::CallArrived { call, reference, .. }) => {
                    let at = usize::try_from(reference).unwrap();
                    self.calls.insert(call, at);
                    self.ids.insert(at, call);
                }
                Output::Event(Event::CallAnswered { call, operator, .. }) => {
                    let at = self.calls[&call];
                    let Customer { talk_us, after_call_us, .. } = self.customers[at];
                    self.answered.insert(at, now - self.customers[at].at_us);
                    self.happenings.push(Reverse((now + talk_us, Happening::Ends(at))));
                    self.happenings.push(Reverse((now + talk_us + after_call_us, Happening::Rested(operator))));
                }
                _ => {}
            }
        }
    }

    fn happens(&mut self, now: u64, happening: Happening) {
        match happening {
            Happening::Arrives(at) => {
                let (service, entry) = (ServiceId(0), StepId(1));
                let (customer, from, preferred) = (None, None, None);
                let reference = at as u64;
                self.order(
                    now,
                    Command::CallArrived { service, entry, customer, from, priority: 0, preferred, reference },
                );
                self.happenings.push(Reverse((now + self.customers[at].patience_us, Happening::GivesUp(at))));
            }
            Happening::GivesUp(at) if !self.answered.contains_key(&at) => {
                self.left += 1;
                self.order(now, Command::CustomerHungUp { call: self.ids[&at] });
            }
            Happening::GivesUp(_) => {}
            // Who has hung up meanwhile is no longer there.
            Happening::Answers(operator, offer) => {
                if self.engine.offer(offer).is_some() {
                    self.order(now, Command::Answer { operator, offer });
                }
            }
            Happening::Ends(at) => self.order(now, Command::CustomerHungUp { call: self.ids[&at] }),
            Happening::Rested(operator) => {
                self.order(now, Command::SetStatus { operator, to: StatusChoice::Ready });
            }
        }
    }

    fn write(self, directory: &Path) {
        let mut writer = SqliteStorage::open(directory).unwrap();
        writer.commit(&Batch { entries: self.entries, ..Batch::default() }).unwrap();
    }

    fn abandoned(&self) -> f64 {
        self.left as f64 / self.customers.len() as f64
    }
}

fn replay(directory: &Path, more: &[&str]) -> assert_cmd::assert::Assert {
    let mut command = assert_cmd::Command::new(cargo_bin("callfloor"));
    command.arg("replay").arg(directory.join("main")).args(more).assert()
}

/// The planner at a server of this journal gets the very document of the command line.
async fn a_server_says_the_same(directory: &Path, told: &Value) {
    let text = "[http]\naddress = \"127.0.0.1:0\"\n[sip]\nenabled = false\n";
    let config = Config::read("none", text, []).unwrap();
    let password = "correct-horse-battery";
    let options = Options { first_password: Some(password.to_owned()), ..Options::new(&config) };
    let server = Server::start(Arc::new(SqliteStores(directory.to_owned())), options).await.unwrap();
    let api = format!("http://{}/api/v1", server.http());
    let client = reqwest::Client::new();
    let body = json!({ "login": "supervisor", "password": password });
    let session: Value = client.post(format!("{api}/sessions")).json(&body).send().await.unwrap().json().await.unwrap();
    let token = session["token"].as_str().unwrap();
    let body = json!({
        "of": { "day": "2026-03-02" }, "zone": "UTC", "replications": 40,
        "changes": [{ "queue": "calls", "operators": 2 }],
    });
    let run = client.post(format!("{api}/planning/runs")).bearer_auth(token).json(&body).send().await.unwrap();
    assert_eq!(run.status(), 202);
    let run: Value = run.json().await.unwrap();
    let path = format!("{api}/planning/runs/{}", run["run"]);
    let get = async |path: String| client.get(path).bearer_auth(token).send().await.unwrap();
    let state = async || get(path.clone()).await.json::<Value>().await.unwrap()["state"].as_str().unwrap().to_owned();
    while ["waiting", "reading", "running"].contains(&state().await.as_str()) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let found = get(format!("{path}/results")).await.text().await.unwrap();
    assert_eq!(serde_json::from_str::<Value>(&found).unwrap(), *told, "{}", state().await);
    let answer: Value = get(format!("{path}/answer")).await.json().await.unwrap();
    println!("{}", answer["sentence"]);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_with_two_operators_more_is_foretold() {
    let directory = tempfile::tempdir().unwrap();
    let all = customers(90.0);
    let (as_it_was, truth) = (Floor::run(4, all.clone()), Floor::run(6, all));
    let (before, after) = (as_it_was.abandoned(), truth.abandoned());
    assert!(before > after + 0.05, "two operators more matter that day: {before} {after}");
    as_it_was.write(&directory.path().join("main"));
    replay(directory.path(), &["--verify"]).success();

    let more = ["--operators", "calls=+2", "--json", "--replications", "40"];
    let told = replay(directory.path(), &more).success();
    let told: Value = serde_json::from_slice(&told.get_output().stdout).unwrap();
    println!("left: {before:.3} truly, {after:.3} truly with two more; {told}");
    let value = |what: &str, figure: &str| told[what][figure]["value"].as_f64().unwrap();
    assert_eq!(told["date"], "2026-03-02");
    assert!((told["actual"]["abandoned_share"].as_f64().unwrap() - before).abs() < 0.002);
    // Everything that was known is kept: the plan as it was comes out as it was, but for what ringing costs.
    assert!((value("as_it_was", "abandoned_share") - before).abs() < 0.03);
    assert!((value("difference", "abandoned_share") - (after - before)).abs() < 0.04);
    let interval = &told["difference"]["abandoned_share"]["interval"];
    assert!(interval[0].as_f64().unwrap() < interval[1].as_f64().unwrap() && interval[1].as_f64().unwrap() < 0.0);
    // The same again is the same.
    let again = replay(directory.path(), &more).success();
    assert_eq!(serde_json::from_slice::<Value>(&again.get_output().stdout).unwrap(), told);
    // Fewer is worse, and people read it.
    let text = replay(directory.path(), &["--operators", "calls=-1"]).success();
    let text = String::from_utf8(text.get_output().stdout.clone()).unwrap();
    assert!(text.contains("1 fewer for \"calls\": without op4") && text.contains("more would have left"), "{text}");
    // From noon on they help half as much, whatever the clock is called.
    let noon = ["--operators", "calls=+2@13:00-17:00", "--zone", "Europe/Paris", "--json", "--replications", "40"];
    let half = replay(directory.path(), &noon).success();
    let half: Value = serde_json::from_slice(&half.get_output().stdout).unwrap();
    let gain = |told: &Value| told["difference"]["abandoned_share"]["value"].as_f64().unwrap();
    assert!(gain(&told) < 1.5 * gain(&half) && gain(&half) < 0.0, "{} {}", gain(&told), gain(&half));
    assert_eq!(
        half["changes"],
        json!(["2 more for \"calls\" from 13:00 to 17:00, there for 4.0 hours without breaks"])
    );
    for change in ["calls=-1@12:00", "calls=-1@13:00-14:00"] {
        let fewer = replay(directory.path(), &["--operators", change, "--json", "--replications", "10"]).success();
        let fewer: Value = serde_json::from_slice(&fewer.get_output().stdout).unwrap();
        assert!(gain(&fewer) > 0.0, "{change}: {fewer}");
    }
    a_server_says_the_same(directory.path(), &told).await;
    // What is wrong is told.
    for (change, words) in [
        ("billing=+2", "there is no queue \"billing\": the queues are calls, chats, messages"),
        ("calls=-4", "4 operators served queue \"calls\": 4 fewer leave nobody"),
        ("calls=2", "one as billing=+2"),
        ("calls=+2@9", "\"9\" is no time of day"),
        ("calls=+2@18:00", "queue \"calls\" is served from 8:00 to 16:"),
    ] {
        let refused = replay(directory.path(), &["--operators", change]).failure();
        let said = String::from_utf8_lossy(&refused.get_output().stderr).into_owned();
        assert!(said.contains(words), "{said}");
    }
}
