//! Real storage to test against, and batches to put in.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant as Wall};

use callfloor_engine::Instant;
use callfloor_server::storage::postgres::{PostgresReader, PostgresStorage};
use callfloor_server::storage::sqlite::{SqliteReader, SqliteStorage};
use callfloor_server::storage::{Batch, Entry, IndexKey, Reader, StorageError, Write, Writer};

/// One tenant's storage, which any process can open.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) address: Address,
    /// Kept for as long as it is used.
    _directory: Option<tempfile::TempDir>,
}

#[derive(Clone, Debug)]
pub(crate) enum Address {
    Sqlite(PathBuf),
    Postgres { connection: String, schema: String },
}

impl Place {
    pub(crate) fn sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self { address: Address::Sqlite(directory.path().join("data")), _directory: Some(directory) }
    }

    /// `None`, with a message, where PostgreSQL is not installed.
    pub(crate) fn postgres() -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let schema = format!("tenant_{}", NUMBER.fetch_add(1, Ordering::Relaxed));
        let connection = server()?.connection.clone();
        Some(Self { address: Address::Postgres { connection, schema }, _directory: None })
    }

    pub(crate) fn writer(&self) -> Box<dyn Writer> {
        self.address.writer().expect("opens")
    }

    pub(crate) fn reader(&self) -> Box<dyn Reader> {
        self.address.reader().expect("opens")
    }
}

impl Address {
    pub(crate) fn writer(&self) -> Result<Box<dyn Writer>, StorageError> {
        Ok(match self {
            Self::Sqlite(directory) => Box::new(SqliteStorage::open(directory)?),
            Self::Postgres { connection, schema } => Box::new(PostgresStorage::open(connection, schema)?),
        })
    }

    pub(crate) fn reader(&self) -> Result<Box<dyn Reader>, StorageError> {
        Ok(match self {
            Self::Sqlite(directory) => Box::new(SqliteReader::open(directory)?),
            Self::Postgres { connection, schema } => Box::new(PostgresReader::open(connection, schema)?),
        })
    }

    /// For another process.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Sqlite(directory) => format!("sqlite|{}", directory.display()),
            Self::Postgres { connection, schema } => format!("postgres|{connection}|{schema}"),
        }
    }

    pub(crate) fn of_words(words: &str) -> Self {
        match words.split('|').collect::<Vec<_>>()[..] {
            ["sqlite", directory] => Self::Sqlite(directory.into()),
            ["postgres", connection, schema] => Self::Postgres { connection: connection.into(), schema: schema.into() },
            _ => panic!("no address: {words}"),
        }
    }
}

/// A test for each backend, from one function that takes a [`Place`].
macro_rules! both {
    ($($name:ident),+ $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { super::$name(&crate::support::Place::sqlite()); })+
        }
        mod postgres {
            $(#[test] fn $name() {
                if let Some(place) = crate::support::Place::postgres() { super::$name(&place); }
            })+
        }
    };
}
pub(crate) use both;

pub(crate) fn entry(sequence: u64) -> Entry {
    entry_of(sequence, format!("input {sequence}").into_bytes())
}

pub(crate) fn entry_of(sequence: u64, input: Vec<u8>) -> Entry {
    Entry { sequence, at: Instant::from_micros(sequence.saturating_mul(1_000)), input }
}

pub(crate) fn put(kind: &'static str, id: u64, body: &str, keys: &[(&'static str, &str)]) -> Write {
    let keys = keys.iter().map(|&(index, key)| IndexKey::new(index, key)).collect();
    Write::Put { kind, id, body: body.into(), keys }
}

pub(crate) fn batch(entries: impl IntoIterator<Item = u64>, writes: Vec<Write>) -> Batch {
    Batch { entries: entries.into_iter().map(entry).collect(), writes }
}

pub(crate) fn journal(reader: &mut dyn Reader, after: u64) -> Vec<Entry> {
    let mut found = Vec::new();
    reader
        .entries(after, &mut |entry| {
            found.push(entry);
            true
        })
        .expect("reads");
    found
}

/// SplitMix64 (Steele, Lea, Flood 2014).
#[derive(Debug)]
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

/// A PostgreSQL of our own, for as long as this process lives.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) connection: String,
    pub(crate) port: u16,
    /// Its shell ends the server and clears up when our end of this pipe closes, however we end.
    _shell: Child,
}

/// Starts PostgreSQL once; `None`, with a message, where it is not installed.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| binaries().map(|binaries| start(&binaries))).as_ref();
    if server.is_none() {
        println!("skipped: no PostgreSQL binaries in PATH or /usr/lib/postgresql");
    }
    server
}

fn binaries() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = fs::read_dir("/usr/lib/postgresql") {
        places.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    places.into_iter().find(|place| place.join("postgres").is_file() && place.join("initdb").is_file())
}

fn start(binaries: &Path) -> Server {
    let directory = tempfile::Builder::new().prefix("callfloor-pg-").tempdir().expect("a directory").keep();
    let user = other_user(&directory);
    if let Some((user, group)) = user {
        chown(&directory, Some(user), Some(group)).expect("the directory is given away");
    }
    let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port").port();
    // `read` ends with this process, whatever ends it.
    let script = r#"
        "$BINARIES/initdb" -D "$PLACE/data" -U callfloor -A trust -E UTF8 --locale=C.UTF-8 --no-sync >"$PLACE/initdb.log" 2>&1 \
            || { cat "$PLACE/initdb.log"; exit 1; }
        "$BINARIES/postgres" -D "$PLACE/data" -k "$PLACE" -p "$PORT" -c listen_addresses=127.0.0.1 \
            -c max_connections=200 >"$PLACE/server.log" 2>&1 </dev/null &
        server=$!
        echo started
        read -r _
        kill -QUIT $server; wait $server; rm -rf "$PLACE"
    "#;
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .env("BINARIES", binaries)
        .env("PLACE", &directory)
        .env("PORT", port.to_string())
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if let Some((user, group)) = user {
        command.uid(user).gid(group);
    }
    let mut shell = command.spawn().expect("a shell starts");
    let mut said = String::new();
    BufReader::new(shell.stdout.take().expect("it is piped")).read_line(&mut said).expect("the shell speaks");
    assert_eq!(said, "started\n", "initdb failed; see {}", directory.display());
    let connection = format!("host={} port={port} user=callfloor dbname=postgres", directory.display());
    let until = Wall::now() + Duration::from_secs(60);
    while let Err(problem) = PostgresStorage::open(&connection, "first") {
        assert!(Wall::now() < until, "PostgreSQL does not start: {problem}");
        std::thread::sleep(Duration::from_millis(50));
    }
    Server { connection, port, _shell: shell }
}

/// PostgreSQL refuses to run as root.
fn other_user(directory: &Path) -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    if fs::metadata(directory).expect("it is there").uid() != 0 {
        return None;
    }
    let users = fs::read_to_string("/etc/passwd").expect("there are users");
    let find = |name: &str| {
        let line = users.lines().find(|line| line.split(':').next() == Some(name))?;
        let fields: Vec<&str> = line.split(':').collect();
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?))
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("a user other than root"))
}
