//! Durable commands through HTTP, each acknowledged after its commit, beside what the store alone sustains with the very same
//! batches: `cargo bench -p callfloor-benches --bench durable -- [--seconds 10] [--connections 64] [--rounds 3] [--in DIRECTORY]`.
//!
//! A server in this process keeps its data in SQLite as ever; connections of a client in this process order changes of status, then
//! open tickets, each the next as soon as the last is acknowledged. Every batch that the server commits is noted. Then another store
//! in the same directory takes the same batches one after the other, with nothing else to do. Server, client and store share the
//! machine's cores.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use callfloor_server::config::Config;
use callfloor_server::server::{Options, Server};
use callfloor_server::storage::sqlite::SqliteStorage;
use callfloor_server::storage::{Batch, Keeper, Reader, Snapshot, SqliteStores, StorageError, Stores, Writer};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// As in the command.
#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

const PASSWORD: &str = "correct-horse-battery";

/// Every batch that was committed, with when.
type Noted = Arc<Mutex<Vec<(Instant, Batch)>>>;

/// Stores whose batches are noted.
#[derive(Debug)]
struct Noting {
    stores: SqliteStores,
    noted: Noted,
}

impl Stores for Noting {
    fn open(&self, organisation: &str) -> Result<Box<dyn Writer>, StorageError> {
        Ok(Box::new(NotingWriter { writer: self.stores.open(organisation)?, noted: Arc::clone(&self.noted) }))
    }

    fn beside(&self, organisation: &str) -> PathBuf {
        self.stores.beside(organisation)
    }
}

struct NotingWriter {
    writer: Box<dyn Writer>,
    noted: Noted,
}

impl Writer for NotingWriter {
    fn epoch(&self) -> u64 {
        self.writer.epoch()
    }

    fn last_sequence(&mut self) -> Result<u64, StorageError> {
        self.writer.last_sequence()
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StorageError> {
        self.writer.commit(batch)?;
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).push((Instant::now(), batch.clone()));
        Ok(())
    }

    fn put_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StorageError> {
        self.writer.put_snapshot(snapshot)
    }

    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        self.writer.latest_snapshot()
    }

    fn keeper(&self) -> Result<Box<dyn Keeper>, StorageError> {
        self.writer.keeper()
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StorageError> {
        self.writer.reader()
    }
}

/// A connection to the API.
struct Client {
    stream: TcpStream,
    token: String,
    buffer: Vec<u8>,
}

impl Client {
    async fn new(address: std::net::SocketAddr, token: &str) -> Self {
        let stream = TcpStream::connect(address).await.expect("the server takes connections");
        stream.set_nodelay(true).expect("a socket");
        Self { stream, token: token.to_owned(), buffer: Vec::new() }
    }

    /// Status, head and body.
    async fn ask(&mut self, method: &str, path: &str, more: &str, body: &str) -> (u16, String, String) {
        let length = body.len();
        let request = format!(
            "{method} /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n{more}\r\n{body}",
            self.token
        );
        self.stream.write_all(request.as_bytes()).await.expect("it is open");
        self.buffer.clear();
        let head = loop {
            if let Some(end) = self.buffer.windows(4).position(|end| end == b"\r\n\r\n") {
                break end + 4;
            }
            assert_ne!(self.stream.read_buf(&mut self.buffer).await.expect("it is open"), 0, "it was closed");
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).into_owned();
        let header = |name: &str| {
            let mut lines = text.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
        };
        let length: usize = header("content-length").map_or(0, |length| length.parse().expect("a number"));
        while self.buffer.len() < head + length {
            assert_ne!(self.stream.read_buf(&mut self.buffer).await.expect("it is open"), 0, "it was closed");
        }
        let status = text[9..12].parse().expect("a status");
        (status, text, String::from_utf8_lossy(&self.buffer[head..]).into_owned())
    }

    async fn json(&mut self, method: &str, path: &str, more: &str, body: &Value) -> Value {
        let (status, _, text) = self.ask(method, path, more, &body.to_string()).await;
        assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
        serde_json::from_str(&text).unwrap_or_default()
    }

    async fn sign_in(&mut self, login: &str) {
        let body = json!({ "login": login, "password": PASSWORD });
        self.token = self.json("POST", "/sessions", "", &body).await["token"].as_str().expect("a token").to_owned();
    }
}

/// What is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// A change of status of an operator of one's own: a command.
    Status,
    /// A ticket: a command, and its documents.
    Ticket,
}

impl Order {
    fn request(self, connection: usize, number: u64) -> (&'static str, String, String) {
        match self {
            Self::Status => {
                let status = if number.is_multiple_of(2) { "work" } else { "break" };
                ("PUT", format!("/operators/{}/status", connection + 4), format!("{{\"status\":\"{status}\",\"reason\":0}}"))
            }
            Self::Ticket => (
                "POST",
                "/tickets".to_owned(),
                "{\"service\":0,\"queue\":2,\"subject\":\"Where is my parcel?\",\"description\":\"It was sent a week ago and has not come.\"}"
                    .to_owned(),
            ),
        }
    }
}

/// What a window of orders came to.
struct Window {
    begun: Instant,
    ended: Instant,
    acknowledged: u64,
    latencies_us: Vec<u64>,
}

async fn window(clients: &mut Vec<Client>, order: Order, seconds: u64) -> Window {
    let stop = Arc::new(AtomicBool::new(false));
    let acknowledged = Arc::new(AtomicU64::new(0));
    let begun = Instant::now();
    let tasks: Vec<_> = clients
        .drain(..)
        .enumerate()
        .map(|(connection, mut client)| {
            let (stop, acknowledged) = (Arc::clone(&stop), Arc::clone(&acknowledged));
            tokio::spawn(async move {
                let mut latencies = Vec::new();
                for number in 0.. {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    let (method, path, body) = order.request(connection, number);
                    let asked = Instant::now();
                    let (status, _, text) = client.ask(method, &path, "", &body).await;
                    assert!((200..300).contains(&status), "{method} {path}: {status} {text}");
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                    latencies.push(u64::try_from(asked.elapsed().as_micros()).expect("not that long"));
                }
                (client, latencies)
            })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    stop.store(true, Ordering::Relaxed);
    let mut latencies_us = Vec::new();
    for task in tasks {
        let (client, latencies) = task.await.expect("it does not panic");
        clients.push(client);
        latencies_us.extend(latencies);
    }
    latencies_us.sort_unstable();
    Window { begun, ended: Instant::now(), acknowledged: acknowledged.load(Ordering::Relaxed), latencies_us }
}

/// Commits what was noted to another store: what came before the window, then, timed, what belongs to it.
fn alone(directory: &Path, noted: &[(Instant, Batch)], window: &Window) -> (Duration, usize, usize) {
    let mut writer = SqliteStorage::open(directory).expect("a store");
    let before = noted.iter().take_while(|(at, _)| *at < window.begun);
    before.for_each(|(_, batch)| writer.commit(batch).expect("it commits"));
    let inside: Vec<&Batch> =
        noted.iter().filter(|(at, _)| (window.begun..=window.ended).contains(at)).map(|(_, batch)| batch).collect();
    let begun = Instant::now();
    inside.iter().for_each(|batch| writer.commit(batch).expect("it commits"));
    (begun.elapsed(), inside.len(), inside.iter().map(|batch| batch.writes.len()).sum())
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    let middle = of.len() / 2;
    if of.len().is_multiple_of(2) { f64::midpoint(of[middle - 1], of[middle]) } else { of[middle] }
}

/// Processor time of this process so far, in seconds.
fn processor_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|field| field.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (mut seconds, mut connections, mut rounds, mut place) = (10, 64, 3, None);
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        match &*name {
            "--seconds" => seconds = value.parse().expect("--seconds takes a number"),
            "--connections" => connections = value.parse().expect("--connections takes a number"),
            "--rounds" => rounds = value.parse().expect("--rounds takes a number"),
            "--in" => place = Some(PathBuf::from(value)),
            other => panic!("{other}: --seconds, --connections, --rounds and --in are known"),
        }
    }
    let directory = match place {
        Some(place) => tempfile::tempdir_in(place),
        None => tempfile::tempdir(),
    };
    let directory = directory.expect("a directory");
    let runtime = tokio::runtime::Runtime::new().expect("the system gives threads");
    for order in [Order::Status, Order::Ticket] {
        let mut shares = Vec::new();
        for round in 0..rounds {
            let at = directory.path().join(format!("{order:?}-{round}"));
            let (noted, window, spent, engine) = runtime.block_on(serve(&at, order, seconds, connections));
            let noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            let (took, commits, writes) = alone(&at.join("alone"), &noted, &window);
            let http = window.acknowledged as f64 / (window.ended - window.begun).as_secs_f64();
            let store = window.acknowledged as f64 / took.as_secs_f64();
            let share = http / store;
            shares.push(share);
            let late =
                |percent: usize| window.latencies_us[(window.latencies_us.len() - 1) * percent / 100] as f64 / 1e3;
            println!(
                "{order:?}: {http:.0} a second through HTTP (answer: median {:.1} ms, p99 {:.1}), in commits of {:.1} with {:.1} documents each; \
                 the store alone with these {commits} batches {store:.0}, {:.2} ms a batch; share {:.2}; {:.0} µs of processor time each, client included; \
                 the engine itself: median {:.1} µs, p99 {:.1}",
                late(50),
                late(99),
                window.acknowledged as f64 / commits as f64,
                writes as f64 / commits as f64,
                took.as_secs_f64() * 1e3 / commits as f64,
                share,
                spent * 1e6 / window.acknowledged as f64,
                engine[0].as_secs_f64() * 1e6,
                engine[1].as_secs_f64() * 1e6,
            );
            drop(noted);
            std::fs::remove_dir_all(&at).expect("it is ours");
        }
        println!("{order:?}: share of the store's own rate, median of {rounds}: {:.2}", median(shares));
    }
}

/// A server with an operator for each connection, all logged in; then a window of orders: what was committed, what became of the
/// orders, processor time in seconds, and the engine's own time for a command at its median and at p99.
async fn serve(
    directory: &Path,
    order: Order,
    seconds: u64,
    connections: usize,
) -> (Noted, Window, f64, [Duration; 2]) {
    let text = "[http]\naddress = \"127.0.0.1:0\"\n[sip]\nenabled = false\n[limits]\nwrites_per_second = 0\nreads_per_second = 0\n\
                address_writes_per_second = 0\naddress_reads_per_second = 0\n";
    let config = Config::read("bench", text, []).expect("a configuration");
    let noted = Noted::default();
    let stores = Noting { stores: SqliteStores(directory.to_owned()), noted: Arc::clone(&noted) };
    let options = Options { first_password: Some(PASSWORD.to_owned()), ..Options::new(&config) };
    let server = Server::start(Arc::new(stores), options).await.expect("a server");
    let mut admin = Client::new(server.http(), "").await;
    admin.sign_in("admin").await;
    for at in 0..connections {
        let (_, head, _) = admin.ask("GET", "/floor", "", "").await;
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        let version = lines.find(|(name, _)| name.eq_ignore_ascii_case("etag")).expect("a version").1.to_owned();
        let operator = json!({
            "name": format!("bench {at}"), "services": [0], "phone": true, "cti_id": format!("bench-{at}"),
            "cti_number": (5_000 + at).to_string(), "queues": [{ "queue": 0 }], "chat_limit": 0, "ticket_limit": 0,
        });
        admin.json("POST", "/floor/operators", &format!("If-Match: {version}\r\n"), &operator).await;
    }
    let mut supervisor = Client::new(server.http(), "").await;
    supervisor.sign_in("supervisor").await;
    for at in 0..connections {
        supervisor.json("POST", &format!("/operators/{}/login", at + 4), "", &Value::Null).await;
    }
    let mut clients = Vec::new();
    for _ in 0..connections {
        clients.push(Client::new(server.http(), &supervisor.token).await);
    }
    // Everything is warm: statements are prepared, pages are there.
    window(&mut clients, order, 1).await;
    let before = processor_s();
    let measured = window(&mut clients, order, seconds).await;
    let spent = processor_s() - before;
    let engine = {
        let main = server.tenants().named(None).expect("it is served");
        [50, 99].map(|percent| main.host.figures().engine.percentile(percent))
    };
    drop((clients, supervisor, admin));
    server.stop().await;
    (noted, measured, spent, engine)
}
