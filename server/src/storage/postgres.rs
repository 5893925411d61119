//! The store beyond one machine: a schema of a PostgreSQL database for each tenant.
//!
//! A batch is one call of a function in the database, so one transaction and one round trip; it locks the writer's row and
//! compares the epoch before it writes. Durability is the server's: `synchronous_commit` is raised to `on` where it is
//! lower, and reaches as far as the server's `synchronous_standby_names` says.
//!
//! A lost connection leaves it unknown whether the last batch was taken. The writer then connects again, raises its
//! session's number under its own epoch (after which nothing that is still under way can be taken), and looks.
//!
//! There is no TLS in here: reach the server by a Unix socket, a private network or a tunnel.

mod link;
mod read;
mod write;

use std::collections::HashMap;

use ::postgres::error::SqlState;
use callfloor_engine::Instant;

use self::link::{Link, Work};
pub use self::read::PostgresReader;
use super::{Batch, Keeper, Reader, Snapshot, StorageError, Writer, limits, sum};

/// The greatest length of a schema's name.
const NAME_LIMIT: usize = 48;
/// Raised whenever the tables change.
const VERSION: i32 = 1;
const TABLES: &str = include_str!("postgres/schema.sql");
/// How many times a lost connection is made anew before a commit gives up (its caller may try again).
const RECONNECTIONS: u32 = 5;

/// The writer of one schema.
#[derive(Debug)]
pub struct PostgresStorage {
    link: Link,
    epoch: u64,
    session: i64,
    last: Last,
    /// The outcome of the last batch is not known, or the connection is not of `session`.
    unsure: bool,
}

/// Where a journal ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Last {
    sequence: u64,
    at: Instant,
    sum: u64,
}

impl PostgresStorage {
    /// Opens a schema for writing and takes its next epoch; makes it where there is none.
    ///
    /// `connection` is a connection string of PostgreSQL (`host=/run/postgresql dbname=callfloor user=callfloor`, or a
    /// URL). `schema` is the tenant's: small letters, digits and underscores, a letter first, at most 48.
    ///
    /// # Errors
    /// Where the server cannot be reached, the name is none, or the schema is foreign or of a newer version.
    pub fn open(connection: &str, schema: &str) -> Result<Self, StorageError> {
        let link = Link::new(connection, schema)?;
        let name = schema.to_owned();
        let (epoch, session, last) = link.ask(move |work| {
            make_tables(work, &name)?;
            let row =
                work.one("UPDATE writer SET epoch = epoch + 1, session = session + 1 RETURNING epoch, session", &[])?;
            Ok((unsigned(work, row.get(0))?, row.get(1), read::last(work)?))
        })?;
        Ok(Self { link, epoch, session, last, unsure: false })
    }

    /// Connects again where needed, and finds out where the journal ends now that nothing else is under way.
    fn settle(&mut self) -> Result<(), StorageError> {
        let ours = self.epoch;
        let settled = self.link.ask(move |work| {
            let row = work.optional(
                "UPDATE writer SET session = session + 1 WHERE epoch = $1 RETURNING session",
                &[&ours.cast_signed()],
            )?;
            match row {
                Some(row) => Ok(Ok((row.get(0), read::last(work)?))),
                None => {
                    let row = work.one("SELECT epoch FROM writer", &[])?;
                    Ok(Err(unsigned(work, row.get(0))?))
                }
            }
        })?;
        match settled {
            Ok((session, last)) => {
                (self.session, self.last, self.unsure) = (session, last, false);
                Ok(())
            }
            Err(found) => Err(StorageError::Fenced { ours, found }),
        }
    }

    /// Settles, with some patience for a server that is starting again.
    fn settle_patiently(&mut self) -> Result<(), StorageError> {
        let mut pause = std::time::Duration::from_millis(50);
        for _ in 1..RECONNECTIONS {
            match self.settle() {
                Err(StorageError::Backend { .. }) => std::thread::sleep(pause),
                settled => return settled,
            }
            pause *= 2;
        }
        self.settle()
    }

    /// Whether the journal ends with exactly the entries of a batch.
    fn ends_with(&self, batch: &Batch, before: Last) -> bool {
        !batch.entries.is_empty() && self.last == after(before, batch)
    }
}

/// Where the journal ends after a batch.
fn after(mut last: Last, batch: &Batch) -> Last {
    for entry in &batch.entries {
        last = Last { sequence: entry.sequence, at: entry.at, sum: sum::of_entry(last.sum, entry) };
    }
    last
}

impl Writer for PostgresStorage {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn last_sequence(&mut self) -> Result<u64, StorageError> {
        self.link.ask(|work| work.retried(|work| Ok(read::last(work)?.sequence)))
    }

    fn commit(&mut self, batch: &Batch) -> Result<(), StorageError> {
        // What an earlier attempt left open: the same batch may come again, and may be stored already.
        let mut before = self.last;
        if self.unsure {
            self.settle_patiently()?;
            if self.ends_with(batch, before) {
                return Ok(());
            }
            before = self.last;
        }
        if let Err(error) = limits::check(batch, before.sequence, before.at) {
            // Where another has taken over, that is the reason to tell.
            self.settle_patiently()?;
            return Err(error);
        }
        for _ in 0..RECONNECTIONS {
            let columns = write::Columns::of(batch, before.sum);
            let (ours, session) = (self.epoch, self.session);
            let sent = self.link.ask_once(move |work| write::append(work, ours, session, &columns));
            match sent {
                Ok(write::Outcome::Done) => {
                    self.last = after(before, batch);
                    return Ok(());
                }
                Ok(write::Outcome::Fenced(found)) => return Err(StorageError::Fenced { ours, found }),
                Ok(write::Outcome::Sequence(last)) => {
                    let found = batch.entries.first().map_or(0, |entry| entry.sequence);
                    return Err(StorageError::Sequence { last, found });
                }
                Ok(write::Outcome::Session) => self.unsure = true,
                Err(link::Trouble::Refused(error)) => return Err(error),
                Err(link::Trouble::Lost(problem)) => {
                    tracing::warn!(%problem, "the connection was lost during a commit: its outcome is looked up");
                    self.unsure = true;
                }
            }
            self.settle_patiently()?;
            if self.ends_with(batch, before) {
                return Ok(());
            }
        }
        Err(self.link.backend("the connection is lost again and again"))
    }

    fn put_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StorageError> {
        write::put_snapshot(&self.link, self.epoch, snapshot)
    }

    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
        self.link.ask(|work| work.retried(read::latest_snapshot))
    }

    fn keeper(&self) -> Result<Box<dyn Keeper>, StorageError> {
        Ok(Box::new(PostgresKeeper { link: self.link.another()?, epoch: self.epoch }))
    }

    fn reader(&self) -> Result<Box<dyn Reader>, StorageError> {
        Ok(Box::new(PostgresReader::over(self.link.another()?)))
    }
}

/// Keeps snapshots on a connection of its own.
#[derive(Debug)]
struct PostgresKeeper {
    link: Link,
    epoch: u64,
}

impl Keeper for PostgresKeeper {
    fn put(&mut self, snapshot: &Snapshot) -> Result<(), StorageError> {
        write::put_snapshot(&self.link, self.epoch, snapshot)
    }
}

/// Makes the schema and its tables where there are none; two processes may try at once.
fn make_tables(work: &mut Work, schema: &str) -> Result<(), link::Trouble> {
    work.transaction(|work| {
        work.one("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", &[&format!("callfloor {schema}")])?;
        let found: HashMap<String, ()> = work
            .all("SELECT table_name::text FROM information_schema.tables WHERE table_schema = $1", &[&schema])?
            .into_iter()
            .map(|row| (row.get(0), ()))
            .collect();
        if found.is_empty() {
            // The name was checked against the pattern.
            work.batch(&format!("CREATE SCHEMA IF NOT EXISTS {schema}"))?;
            return work.batch(TABLES);
        }
        if !found.contains_key("format") || !found.contains_key("writer") {
            return Err(work.refuse("this schema holds another program's tables: name another").into());
        }
        check_version(work)
    })
}

fn check_version(work: &mut Work) -> Result<(), link::Trouble> {
    let version: i32 = work.one("SELECT version FROM format", &[])?.get(0);
    if version == VERSION {
        return Ok(());
    }
    Err(work
        .refuse(format!(
            "this schema has format {version}, this program writes {VERSION}: use the program that wrote it, or a newer one"
        ))
        .into())
}

/// Whether a name is one that we give to schemas: nothing in it needs quoting.
fn is_name(name: &str) -> bool {
    let rest = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.len() <= NAME_LIMIT
        && name.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && name.bytes().all(rest)
        && !name.starts_with("pg_")
}

fn unsigned(work: &Work, number: i64) -> Result<u64, StorageError> {
    u64::try_from(number).map_err(|_| work.damaged(format!("{number} is no number of ours")))
}

/// What the server's refusal is to a caller.
fn classify(place: &str, error: &::postgres::Error) -> link::Trouble {
    let place = place.to_owned();
    let Some(problem) = error.as_db_error() else {
        let what = error.to_string();
        let what = std::error::Error::source(error).map_or(what.clone(), |cause| format!("{what}: {cause}"));
        return link::Trouble::Lost(StorageError::Backend { place, what });
    };
    let what = format!("{} ({})", problem.message(), problem.code().code());
    match problem.code() {
        code if *code == SqlState::DISK_FULL => StorageError::Full { place }.into(),
        code if [SqlState::DATA_CORRUPTED, SqlState::INDEX_CORRUPTED].contains(code) => {
            StorageError::Damaged { place, what }.into()
        }
        // The server goes down or ends the session: with the words "was lost" rather than "was refused".
        code if code.code().starts_with("57P") || code.code().starts_with("08") => {
            link::Trouble::Lost(StorageError::Backend { place, what })
        }
        _ => StorageError::Backend { place, what }.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_need_no_quoting() {
        for good in ["a", "tenant_7", "billing_2026"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "7a", "A", "a-b", "a\"b", "pg_catalog", "ä", "a b", &"x".repeat(49)] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
