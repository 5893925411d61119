//! The embedded default: one SQLite database in a directory, and snapshots as files beside it.
//!
//! The database is in WAL mode with `synchronous=FULL`: a commit returns after the log is forced to the disc. SQLite's log
//! carries checksums, so a torn tail ends at the last whole commit. The main file carries none; entries, documents and
//! index entries therefore have their own (see `sum.rs`), and what does not match is [`StorageError::Damaged`].
//!
//! The file can be read with any SQLite tool while the server runs; only a [`SqliteStorage`] may write to it.

mod commit;
mod read;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use callfloor_engine::Instant;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension as _, TransactionBehavior, ffi};

pub use self::read::SqliteReader;
use super::{Batch, Keeper, Reader, Snapshot, StorageError, Writer, limits, snapshot_file, sum};

/// The database's name within the directory.
pub const FILE: &str = "callfloor.sqlite";

/// `CFLR`: what SQLite's own header says of us.
const APPLICATION: i32 = 0x4346_4c52;
/// Raised whenever the tables change.
const VERSION: i32 = 2;
/// The oldest format that is read, and that a writer brings up to the present one.
const OLDEST: i32 = 1;
/// How long a statement waits for another process that writes.
const PATIENCE: Duration = Duration::from_secs(10);
/// How much of the log is kept after a checkpoint, in bytes; a long reader may let it grow beyond.
const LOG_KEPT: i64 = 64 << 20;

/// The log is copied into the main file whenever it holds so many pages of 4 KiB: those that are written again and again are
/// copied once.
const PAGES_BETWEEN_CHECKPOINTS: i32 = 4_000;

/// Pages that a writer keeps in memory, in KiB, negative as SQLite wants it. Not more: a commit that has moved entries between pages
/// of an index looks at every place for one in this cache.
const CACHE: i32 = -16_384;

const TABLES: &str = "
    CREATE TABLE writer (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        epoch INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE journal (
        sequence INTEGER PRIMARY KEY,
        at INTEGER NOT NULL,
        input BLOB NOT NULL,
        sum INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE document (
        kind TEXT NOT NULL,
        id INTEGER NOT NULL,
        body TEXT NOT NULL,
        sum INTEGER NOT NULL,
        keys TEXT NOT NULL DEFAULT '{}',
        PRIMARY KEY (kind, id)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE index_entry (
        kind TEXT NOT NULL,
        idx TEXT NOT NULL,
        key TEXT NOT NULL,
        id INTEGER NOT NULL,
        sum INTEGER NOT NULL,
        PRIMARY KEY (kind, idx, key, id)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO writer (one, epoch) VALUES (1, 0);
";

/// Before, an index over the entries told a document's: it was as large as they, and was written with each of them.
const FROM_1_TO_2: &str = "
    ALTER TABLE document ADD COLUMN keys TEXT NOT NULL DEFAULT '{}';
    UPDATE document SET keys = (
        SELECT json_group_object(idx, json(keys)) FROM (
            SELECT e.idx AS idx, json_group_array(e.key ORDER BY e.key) AS keys FROM index_entry e
            WHERE e.kind = document.kind AND e.id = document.id GROUP BY e.idx
        )
    );
    DROP INDEX index_entry_of_document;
";

/// The writer of one directory.
#[derive(Debug)]
pub struct SqliteStorage {
    connection: Connection,
    place: Place,
    epoch: u64,
    /// Set when the disc refused to make something durable: what it has kept since then is unknown.
    broken: Option<String>,
}

/// Where a database is, for its messages.
#[derive(Clone, Debug)]
struct Place {
    directory: PathBuf,
    file: PathBuf,
}

impl SqliteStorage {
    /// Opens a directory for writing and takes its next epoch; makes it where there is none.
    ///
    /// # Errors
    /// Where the directory cannot be used, or its database is foreign, of a newer version or damaged.
    pub fn open(directory: &Path) -> Result<Self, StorageError> {
        let place = Place::in_directory(directory);
        if !directory.is_dir() {
            // Customers' data: nobody else's to read.
            fs::DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(directory)
                .map_err(|error| snapshot_file::refusal(directory, &error))?;
            if let Some(parent) = directory.canonicalize().ok().as_deref().and_then(Path::parent) {
                snapshot_file::sync_directory(parent)?;
            }
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(&place.file, flags).map_err(|error| place.error(error))?;
        let epoch = prepare(&mut connection, &place)?;
        snapshot_file::sync_directory(directory)?;
        snapshot_file::sweep(directory, epoch)?;
        Ok(Self { connection, place, epoch, broken: None })
    }

    /// Reads everything and compares it with its checksums, and every index with its table.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] with the first thing found.
    pub fn verify(&mut self) -> Result<(), StorageError> {
        SqliteReader::open(&self.place.directory)?.verify()
    }
}

/// Keeps statements as they were prepared: without the planner's stability guarantee SQLite prepares one again whenever another
/// value is bound to a key, which takes longer than the reading.
fn prepare_once(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_prepared_statement_cache_capacity(64);
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).map(drop)
}

/// Makes the tables where there are none, and takes the next epoch.
fn prepare(connection: &mut Connection, place: &Place) -> Result<u64, StorageError> {
    let wrap = |error| place.error(error);
    connection.busy_timeout(PATIENCE).map_err(wrap)?;
    check_owner(connection, place)?;
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0)).map_err(wrap)?;
    if mode != "wal" {
        return Err(place.backend(format!("this file system cannot keep a write-ahead log (journal mode {mode})")));
    }
    let settings = [
        ("synchronous", 2),
        ("fullfsync", 1),
        ("checkpoint_fullfsync", 1),
        ("cell_size_check", 1),
        ("wal_autocheckpoint", PAGES_BETWEEN_CHECKPOINTS),
    ];
    for (name, value) in settings {
        connection.pragma_update(None, name, value).map_err(wrap)?;
    }
    connection.pragma_update(None, "journal_size_limit", LOG_KEPT).map_err(wrap)?;
    connection.pragma_update(None, "cache_size", CACHE).map_err(wrap)?;
    prepare_once(connection).map_err(wrap)?;

    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrap)?;
    let version: i32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(wrap)?;
    if version == 0 {
        transaction.execute_batch(TABLES).map_err(wrap)?;
        transaction.pragma_update(None, "application_id", APPLICATION).map_err(wrap)?;
    }
    if version == 1 {
        tracing::info!(database = place.name(), "is brought from format 1 to {VERSION}");
        transaction.execute_batch(FROM_1_TO_2).map_err(wrap)?;
    }
    if version != VERSION {
        transaction.pragma_update(None, "user_version", VERSION).map_err(wrap)?;
    }
    let epoch: i64 = transaction
        .query_row("UPDATE writer SET epoch = epoch + 1 WHERE one = 1 RETURNING epoch", [], |row| row.get(0))
        .optional()
        .map_err(wrap)?
        .ok_or_else(|| place.damaged("the writer's row is missing"))?;
    transaction.commit().map_err(wrap)?;
    u64::try_from(epoch).map_err(|_| place.damaged("the writer's epoch is negative"))
}

/// Whether a database is ours, of a format that is known, or has nothing in it yet.
fn check_owner(connection: &Connection, place: &Place) -> Result<(), StorageError> {
    let header = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i32>(0));
    let application = header("application_id").map_err(|error| place.error(error))?;
    let version = header("user_version").map_err(|error| place.error(error))?;
    let tables: i64 = connection
        .query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))
        .map_err(|error| place.error(error))?;
    match (application, version) {
        (0, 0) if tables == 0 => Ok(()),
        (APPLICATION, known) if (OLDEST..=VERSION).contains(&known) => Ok(()),
        (APPLICATION, newer) if newer > VERSION => Err(place.backend(format!(
            "this database has format {newer}, this program writes {VERSION}: use the program that wrote it, or a newer one"
        ))),
        _ => Err(place.backend(format!(
            "this is another program's database (application {application:#x}, format {version}): name another directory"
        ))),
    }
}

impl Place {
    fn in_directory(directory: &Path) -> Self {
        Self { directory: directory.to_owned(), file: directory.join(FILE) }
    }

    fn name(&self) -> String {
        self.file.display().to_string()
    }

    fn damaged(&self, what: impl Into<String>) -> StorageError {
        StorageError::Damaged { place: self.name(), what: what.into() }
    }

    fn backend(&self, what: impl Into<String>) -> StorageError {
        StorageError::Backend { place: self.name(), what: what.into() }
    }

    /// What SQLite's refusal is to a caller.
    fn error(&self, error: rusqlite::Error) -> StorageError {
        let what = error.to_string();
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DiskFull => StorageError::Full { place: self.name() },
                ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => self.damaged(what),
                // SQLite tells a quota, a file's size limit and a full disc under the log's index only as "I/O error".
                ErrorCode::SystemIoFailure if is_write(failure.extended_code) && self.is_full() => {
                    StorageError::Full { place: self.name() }
                }
                _ => self.backend(what),
            },
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::IntegralValueOutOfRange(..)
            | rusqlite::Error::Utf8Error(..)
            | rusqlite::Error::InvalidColumnType(..) => self.damaged(what),
            _ => self.backend(what),
        }
    }

    /// Whether a file in the directory cannot grow.
    fn is_full(&self) -> bool {
        let probe = self.directory.join("room.probe");
        let log = self.file.with_extension("sqlite-wal");
        let size = [&self.file, &log].map(|file| fs::metadata(file).map_or(0, |data| data.len())).into_iter().max();
        let tried = fs::File::create(&probe).and_then(|mut file| {
            use std::io::Seek as _;
            // As far out as our files end: a limit of a file's size counts from the front.
            file.seek(std::io::SeekFrom::Start(size.unwrap_or(0)))?;
            file.write_all(&[0xff; 1 << 16])?;
            file.sync_all()
        });
        let _ = fs::remove_file(&probe);
        tried.is_err_and(|error| snapshot_file::is_full(&error))
    }
}

fn is_write(extended_code: i32) -> bool {
    [ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_IOERR_SHMSIZE, ffi::SQLITE_IOERR_SHMOPEN, ffi::SQLITE_IOERR_TRUNCATE]
        .contains(&extended_code)
}

impl Writer for SqliteStorage {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn last_sequence(&mut self) -> Result<u64, StorageError> {
        Ok(commit::last(&self.connection, &self.place)?.sequence)
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StorageError> {
        if let Some(what) = &self.broken {
            return Err(self.place.backend(what.clone()));
        }
        commit::commit(&mut self.connection, &self.place, self.epoch, batch).map_err(|error| match error {
            commit::Failure::Refused(error) => error,
            commit::Failure::NotForced(error) => {
                // The kernel forgets pages that it could not write: a second attempt would seem to succeed.
                self.broken = Some("the disc refused to make a commit durable: restart, and look at the disc".into());
                error
            }
        })
    }

    fn put_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StorageError> {
        keep(&mut self.connection, &self.place, self.epoch, snapshot)
    }

    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        let Some(whole) = snapshot_file::latest(&self.place.directory)? else { return Ok(None) };
        let sequence = whole.snapshot.sequence;
        match commit::sum_after(&self.connection, &self.place, sequence)? {
            Some(sum) if sum == whole.entry_sum => Ok(Some(whole.snapshot)),
            Some(_) => Err(StorageError::Damaged {
                place: whole.path.display().to_string(),
                what: format!(
                    "the snapshot was taken after another entry {sequence} than the journal's: was another database put here?"
                ),
            }),
            None => Err(StorageError::Damaged {
                place: self.place.name(),
                what: format!(
                    "the journal ends before entry {sequence}, of which {} knows: was an older database put here?",
                    whole.path.display()
                ),
            }),
        }
    }

    fn keeper(&self) -> Result<Box<dyn Keeper>, StorageError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection =
            Connection::open_with_flags(&self.place.file, flags).map_err(|error| self.place.error(error))?;
        connection.busy_timeout(PATIENCE).map_err(|error| self.place.error(error))?;
        Ok(Box::new(SqliteKeeper { connection, place: self.place.clone(), epoch: self.epoch }))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StorageError> {
        Ok(Box::new(SqliteReader::open(&self.place.directory)?))
    }
}

/// Keeps snapshots on a connection of its own.
#[derive(Debug)]
struct SqliteKeeper {
    connection: Connection,
    place: Place,
    epoch: u64,
}

impl Keeper for SqliteKeeper {
    fn put(&mut self, snapshot: &Snapshot) -> Result<(), StorageError> {
        keep(&mut self.connection, &self.place, self.epoch, snapshot)
    }
}

fn keep(connection: &mut Connection, place: &Place, epoch: u64, snapshot: &Snapshot) -> Result<(), StorageError> {
    drop(commit::begin(connection, place, epoch)?);
    let last = commit::last(connection, place)?.sequence;
    let entry_sum = commit::sum_after(connection, place, snapshot.sequence)?
        .ok_or(StorageError::Sequence { last, found: snapshot.sequence })?;
    let prepared = snapshot_file::prepare(&place.directory, epoch, snapshot, entry_sum)?;
    // Under the write lock nobody can take over between the question and the answer.
    let transaction = match commit::begin(connection, place, epoch) {
        Ok(transaction) => transaction,
        Err(error) => {
            prepared.discard();
            return Err(error);
        }
    };
    prepared.place()?;
    drop(transaction);
    snapshot_file::prune(&place.directory)
}

/// Where a journal ends.
#[derive(Clone, Copy, Debug)]
struct Last {
    sequence: u64,
    at: Instant,
    sum: u64,
}

impl Last {
    const NONE: Self = Self { sequence: 0, at: Instant::from_micros(0), sum: sum::START };
}

fn unsigned(number: i64, place: &Place) -> Result<u64, StorageError> {
    u64::try_from(number).map_err(|_| place.damaged(format!("{number} is no number of ours")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Entry, Range, Write};

    #[test]
    fn what_is_committed_is_read_and_a_newer_writer_fences_the_older() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut older = SqliteStorage::open(directory.path()).expect("opens");
        let entry = |sequence| Entry { sequence, at: Instant::from_micros(sequence), input: vec![1, 2, 3] };
        let put = Write::Put { kind: "ticket", id: 7, body: "{}".into(), keys: vec![] };
        older.commit(&Batch { entries: vec![entry(1), entry(2)], writes: vec![put] }).expect("commits");
        let mut newer = SqliteStorage::open(directory.path()).expect("opens");
        assert_eq!((older.epoch(), newer.epoch()), (1, 2));
        let refused = older.commit(&Batch { entries: vec![entry(3)], writes: vec![] });
        assert!(matches!(refused, Err(StorageError::Fenced { ours: 1, found: 2 })), "{refused:?}");
        assert_eq!(newer.last_sequence().expect("reads"), 2);
        let mut reader = newer.reader().expect("opens");
        assert_eq!(reader.list(&Range::all("ticket", 10)).expect("reads").len(), 1);
        newer.verify().expect("is whole");
    }
}
