//! The whole server is killed at random moments under load, again and again on the same data: customers of two organisations
//! call by SIPp, operators of both order by HTTP with idempotency keys. Nothing that was acknowledged is lost in either, nothing
//! is done twice, and both journals verify, each time. At times the process is stopped for a while first.
//!
//! `CALLFLOOR_KILLS` sets how often (20); the server is this test binary, started again.

#[path = "support/organisation.rs"]
mod organisation;
#[path = "support/sipp.rs"]
mod sipp;
mod support;
#[path = "support/telephone.rs"]
mod telephone;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command as Process, Stdio};
use std::time::{Duration, Instant};

use callfloor_engine::Command;
use callfloor_server::config::Config;
use callfloor_server::host::{Input, replay};
use callfloor_server::storage::Reader as _;
use callfloor_server::storage::sqlite::SqliteReader;
use organisation::{Api, domain};
use reqwest::Client;
use serde_json::{Value, json};
use sipp::Sipp;
use support::PASSWORD;
use telephone::free_port;

const DIRECTORY: &str = "CALLFLOOR_TEST_DIRECTORY";

/// Not a test of its own: the server that is killed.
#[tokio::test(flavor = "multi_thread")]
async fn child() {
    let Ok(directory) = std::env::var(DIRECTORY) else { return };
    let ports = telephone::port_range(400);
    let text = format!(
        "[http]\naddress = \"127.0.0.1:0\"\n[sip]\naddress = \"127.0.0.1:{}\"\n[media]\nfirst_port = {}\nlast_port = {}\n\
         [data]\nsnapshot_every = 500\n",
        free_port(),
        ports.start(),
        ports.end()
    );
    let server = support::serve_as(Path::new(&directory), &Config::read("kill", &text, []).unwrap()).await;
    let line = format!("\nserves {} {}\n", server.http(), server.sip()[0]);
    let mut out = std::io::stdout();
    out.write_all(line.as_bytes()).and_then(|()| out.flush()).expect("the parent listens");
    std::future::pending::<()>().await;
}

struct Running {
    child: Child,
    http: SocketAddr,
    sip: SocketAddr,
}

impl Running {
    /// What it says goes to `log`. Another program may have taken its ports between their choice and their use: then it tries again.
    fn start(directory: &Path, log: &Path) -> Self {
        for _ in 0..5 {
            match Self::try_start(directory, log) {
                Some(running) => return running,
                None if std::fs::read_to_string(log).is_ok_and(|said| said.contains("in use")) => {}
                None => break,
            }
        }
        panic!("it does not start on what the last one left: {}", std::fs::read_to_string(log).unwrap_or_default());
    }

    fn try_start(directory: &Path, log: &Path) -> Option<Self> {
        let mut child = Process::new(std::env::current_exe().expect("this binary"))
            .args(["--exact", "child", "--nocapture", "--test-threads=1"])
            .env(DIRECTORY, directory)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(log).expect("a file"))
            .spawn()
            .expect("starts");
        let mut lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
        let Some(line) = lines.find(|line| line.starts_with("serves ")) else {
            child.wait().expect("it is ours");
            return None;
        };
        let mut words = line.split(' ').skip(1).map(|word| word.parse().expect("an address"));
        let (http, sip) = (words.next().unwrap(), words.next().unwrap());
        Some(Self { child, http, sip })
    }

    fn signal(&self, signal: &str) {
        let sent = Process::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
    }

    fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it is ours");
    }
}

/// What is random here: when to kill.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// One who gives orders, one after the other, each under a key of its own.
struct Orderer {
    operator: u64,
    token: String,
    /// Orders that were acknowledged.
    done: u64,
    /// The document that was added last.
    favourite: u64,
    /// The key and order whose outcome is not known: it is asked again.
    open: Option<(String, Order)>,
}

#[derive(Clone)]
enum Order {
    /// A change of status: a command in the journal.
    Status(Value),
    /// A document beside the engine is added, and removed.
    Add,
    Remove(u64),
}

impl Orderer {
    /// Gives orders until the server no longer answers.
    async fn work(mut self, http: SocketAddr, client: Client) -> Self {
        loop {
            let number = self.done + 1;
            let order = || match (self.operator, number % 2) {
                (0, 0) => Order::Remove(self.favourite),
                (0, _) => Order::Add,
                (_, 0) => Order::Status(json!({ "status": "work", "reason": 0 })),
                _ => Order::Status(json!({ "status": "break", "reason": 0 })),
            };
            let (key, order) = self.open.take().unwrap_or_else(|| (format!("{}-{number}", self.operator), order()));
            let desk = format!("http://{http}/api/v1/operators/{}", self.operator);
            let request = match &order {
                Order::Status(status) => client.put(format!("{desk}/status")).json(status),
                Order::Add => client
                    .post(format!("{desk}/favourites"))
                    .json(&json!({ "name": format!("number {number}"), "number": "0312345678" })),
                Order::Remove(favourite) => client.delete(format!("{desk}/favourites/{favourite}")),
            };
            let answer = request.bearer_auth(&self.token).header("idempotency-key", &key).send().await;
            let status = match answer {
                // The body too must have come whole.
                Ok(answer) => {
                    let status = answer.status().as_u16();
                    answer.text().await.map(|body| (status, body))
                }
                Err(gone) => Err(gone),
            };
            match status {
                Ok((200 | 201 | 204, body)) => {
                    self.done = number;
                    if matches!(order, Order::Add) {
                        let added: Value = serde_json::from_str(&body).expect("JSON");
                        self.favourite = added["id"].as_u64().expect("its number");
                    }
                }
                Ok((503, _)) | Err(_) => {
                    self.open = Some((key, order));
                    return self;
                }
                // A device that stays away logs its operator out in the end.
                Ok((409, body)) if body.contains("LoggedOut") => {
                    let login = client.post(format!("{desk}/login")).bearer_auth(&self.token).send().await;
                    drop(login);
                    self.open = Some((key, order));
                }
                Ok((status, body)) => panic!("operator {}: {status} {body}", self.operator),
            }
        }
    }
}

/// Favourites are added and removed in turn: one is there or none, unless something was lost or done twice.
async fn check_favourites(client: &Client, http: SocketAddr, orderer: &Orderer) {
    let path = format!("http://{http}/api/v1/operators/{}/favourites", orderer.operator);
    let listed = client.get(path).bearer_auth(&orderer.token).send().await.unwrap();
    let listed: Vec<Value> = listed.json().await.unwrap();
    let expected = usize::try_from(orderer.done % 2).unwrap();
    let either = orderer.open.is_some() && listed.len() == 1 - expected;
    assert!(listed.len() == expected || either, "after {} orders: {listed:?}", orderer.done);
}

/// An organisation under load.
struct Side {
    organisation: &'static str,
    /// How its customers' numbers begin.
    prefix: &'static str,
    orderers: Vec<Orderer>,
    /// Customers who were connected.
    connected: BTreeSet<String>,
    entries: u64,
}

impl Side {
    const fn new(organisation: &'static str, prefix: &'static str) -> Self {
        Self { organisation, prefix, orderers: Vec::new(), connected: BTreeSet::new(), entries: 0 }
    }

    /// Its operators sign in.
    async fn begins(&mut self, api: &Api) {
        for operator in 0..4 {
            let user = api.user(self.organisation, &format!("op{}", operator + 1), PASSWORD).await;
            self.orderers.push(Orderer { operator, token: user.token, done: 0, favourite: 0, open: None });
        }
    }

    /// Customers who call it by its domain; the main organisation's by the address.
    fn customers(&self, directory: &Path, sip: SocketAddr, round: u32) -> Sipp {
        let prefix = format!("{}{round:05}", self.prefix);
        let more = ["-m", "40", "-r", "40", "-key", "prefix", prefix.as_str()];
        let at = format!("@{}", domain(self.organisation));
        let mut changes = vec![("PATIENCE_MS", "300")];
        if self.organisation != "main" {
            changes.push(("@[remote_ip]:[remote_port]", at.as_str()));
        }
        Sipp::start(directory, self.organisation, "show_customer.xml", &changes, (sip, free_port()), &more)
    }

    fn saw(&mut self, customers: &Sipp) {
        let seen = customers.saw().into_iter();
        let connected = |lines: &[(String, u64)]| lines.iter().any(|(what, _)| what == "connected");
        self.connected.extend(seen.filter_map(|(number, lines)| connected(&lines).then_some(number)));
    }

    /// What was acknowledged is in its journal, once.
    fn check(&mut self, directory: &Path, round: u32) {
        let (entries, statuses, calls) = journal(&directory.join(self.organisation));
        self.entries = entries;
        let at = format!("round {round}, {}", self.organisation);
        for orderer in self.orderers.iter().filter(|orderer| orderer.operator > 0) {
            let journalled = statuses.get(&orderer.operator).copied().unwrap_or(0);
            let open = u64::from(orderer.open.is_some());
            assert!(
                (orderer.done..=orderer.done + open).contains(&journalled),
                "{at}: operator {} had {} orders acknowledged, the journal has {journalled}",
                orderer.operator,
                orderer.done,
            );
        }
        for number in &self.connected {
            assert_eq!(calls.get(number), Some(&1), "{at}: the call of a customer who was connected");
        }
        assert!(calls.values().all(|count| *count == 1), "{at}: a call is there twice");
        assert!(calls.keys().all(|number| number.starts_with(self.prefix)), "{at}: a call of the other's is here");
    }
}

/// What the journal holds, verified as it is read: changes of status by operator, calls by customer's number.
fn journal(directory: &Path) -> (u64, BTreeMap<u64, u64>, BTreeMap<String, u32>) {
    let (mut statuses, mut calls) = (BTreeMap::new(), BTreeMap::new());
    let (mut engine, mut entries, mut trouble) = (None, 0, None);
    let mut reader = SqliteReader::open(directory).expect("a journal");
    let read = reader.entries(0, &mut |entry| {
        entries += 1;
        match Input::decode(&entry) {
            Ok((Input::Command(Command::SetStatus { operator, .. }), _)) => {
                *statuses.entry(u64::from(operator.0)).or_default() += 1;
            }
            Ok((Input::Command(Command::CallArrived { from: Some(from), .. }), _)) => {
                *calls.entry(from.to_string()).or_default() += 1;
            }
            _ => {}
        }
        trouble = replay(&mut engine, &entry, &mut |_, _| ()).err();
        trouble.is_none()
    });
    read.expect("the journal can be read");
    assert!(trouble.is_none(), "the journal does not verify: {trouble:?}");
    engine.expect("it has begun").check().expect("every invariant holds");
    (entries, statuses, calls)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_loses_nothing_that_it_acknowledged() {
    if sipp::is_missing() {
        return;
    }
    let kills: u32 = std::env::var("CALLFLOOR_KILLS").ok().and_then(|number| number.parse().ok()).unwrap_or(20);
    let directory = tempfile::tempdir().unwrap();
    let scratch = tempfile::tempdir().unwrap();
    let mut random = Random(0x5eed);
    let client = Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
    let mut sides = [Side::new("main", "09"), Side::new("acme", "08")];
    let mut slowest = Duration::ZERO;
    for round in 0..kills {
        if round > 0 && round % 100 == 0 {
            println!("{round} kills");
        }
        let begun = Instant::now();
        let running = Running::start(directory.path(), &scratch.path().join("server.log"));
        slowest = slowest.max(begun.elapsed());
        if round == 0 {
            let api = Api { client: client.clone(), base: format!("http://{}/api/v1", running.http) };
            api.furnishes("acme", 4).await;
            for side in &mut sides {
                side.begins(&api).await;
            }
        }
        let mut load = Vec::new();
        for side in &mut sides {
            check_favourites(&client, running.http, &side.orderers[0]).await;
            let customers = side.customers(scratch.path(), running.sip, round);
            let orderers = side.orderers.drain(..);
            let working: Vec<_> =
                orderers.map(|orderer| tokio::spawn(orderer.work(running.http, client.clone()))).collect();
            load.push((customers, working));
        }
        tokio::time::sleep(Duration::from_micros(30_000 + random.below(900_000))).await;
        if random.below(5) == 0 {
            running.signal("-STOP");
            tokio::time::sleep(Duration::from_millis(random.below(400))).await;
            running.signal("-CONT");
            tokio::time::sleep(Duration::from_millis(random.below(100))).await;
        }
        running.kill();
        for (side, (mut customers, working)) in sides.iter_mut().zip(load) {
            for orderer in working {
                side.orderers.push(orderer.await.unwrap());
            }
            customers.stop();
            side.saw(&customers);
            side.check(directory.path(), round);
        }
    }
    for Side { organisation, orderers, connected, entries, .. } in &sides {
        let (orders, calls) = (orderers.iter().map(|orderer| orderer.done).sum::<u64>(), connected.len());
        println!(
            "{organisation}: {kills} kills: {orders} orders and {calls} calls acknowledged, none lost, none doubled; {entries} \
             journal entries verified each time; slowest start {slowest:?}"
        );
        assert!(orders > u64::from(kills) && calls > kills as usize / 2, "there was load on {organisation}");
    }
}
