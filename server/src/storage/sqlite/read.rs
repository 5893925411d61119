//! Reading on a connection of one's own, beside the writer or without one.

use std::path::Path;

use callfloor_engine::Instant;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, Row, params, params_from_iter, types::Value};

use super::{FILE, PATIENCE, Place, StorageError, check_owner, commit, prepare_once, sum, unsigned};
use crate::storage::bounds::Bounds;
use crate::storage::{Entry, Kind, Listed, Range, Reader, Stored, key_of};

/// How many entries are fetched at once: no transaction stays open while the caller works on them, so that the log can
/// be emptied.
const PAGE: usize = 1024;

/// Reads a directory's database; takes no epoch and changes nothing.
#[derive(Debug)]
pub struct SqliteReader {
    connection: Connection,
    place: Place,
}

impl SqliteReader {
    /// Opens a directory, or the database in it by its own name, for reading.
    ///
    /// The writer may be running, or long gone, and the directory need not be writable.
    ///
    /// # Errors
    /// Where there is no database, or it is foreign, of a newer version or damaged.
    pub fn open(path: &Path) -> Result<Self, StorageError> {
        let place = if path.is_dir() {
            Place::in_directory(path)
        } else {
            Place { directory: path.parent().unwrap_or(Path::new(".")).to_owned(), file: path.to_owned() }
        };
        if !place.file.is_file() {
            return Err(place.backend(format!("there is no journal here (a file named {FILE})")));
        }
        let connection = connect(&place).or_else(|error| frozen(&place).ok_or(error))?;
        connection.busy_timeout(PATIENCE).map_err(|error| place.error(error))?;
        check_owner(&connection, &place)?;
        connection.pragma_update(None, "cell_size_check", 1).map_err(|error| place.error(error))?;
        prepare_once(&connection).map_err(|error| place.error(error))?;
        Ok(Self { connection, place })
    }

    /// Reads everything and compares it with its checksums, and every index with its table.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] with the first thing found.
    pub fn verify(&mut self) -> Result<(), StorageError> {
        let wrap = |error| self.place.error(error);
        let found: String =
            self.connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0)).map_err(wrap)?;
        if found != "ok" {
            return Err(self.place.damaged(found));
        }
        self.verify_documents()?;
        self.entries(0, &mut |_| true)
    }

    /// Every document's own sum, and its keys beside the entries of the indexes.
    fn verify_documents(&self) -> Result<(), StorageError> {
        let wrap = |error| self.place.error(error);
        let mut select = self.connection.prepare("SELECT body, sum, id, kind, keys FROM document").map_err(wrap)?;
        let mut find = self
            .connection
            .prepare("SELECT sum FROM index_entry WHERE kind = ?1 AND idx = ?2 AND key = ?3 AND id = ?4")
            .map_err(wrap)?;
        let mut indexed = 0;
        let mut rows = select.query([]).map_err(wrap)?;
        while let Some(row) = rows.next().map_err(wrap)? {
            let (kind, keys): (String, String) = (row.get(3).map_err(wrap)?, row.get(4).map_err(wrap)?);
            let Stored { id, .. } = stored(row, 0, &kind, &self.place)?;
            for (index, key) in commit::Keys::read(&keys).map_err(wrap)?.entries() {
                let sum = find.query_row(params![kind, index, key, id.cast_signed()], |row| row.get(0)).optional();
                let missing = || self.place.damaged(format!("{kind} {id} is missing in index {index}"));
                check_key(&self.place, [&kind, index, key], id, sum.map_err(wrap)?.ok_or_else(missing)?)?;
                indexed += 1;
            }
        }
        let all: i64 =
            self.connection.query_row("SELECT count(*) FROM index_entry", [], |row| row.get(0)).map_err(wrap)?;
        if all != indexed {
            let what = format!("the indexes have {all} entries, the documents {indexed} keys");
            return Err(self.place.damaged(what));
        }
        Ok(())
    }
}

fn connect(place: &Place) -> Result<Connection, StorageError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&place.file, flags).map_err(|error| place.error(error))?;
    // SQLite reads the file only now.
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(|error| place.error(error))?;
    Ok(connection)
}

/// A database in a place where nothing can be written: without a log beside it, it cannot be changing.
fn frozen(place: &Place) -> Option<Connection> {
    let log = place.file.with_file_name(format!("{}-wal", place.file.file_name()?.to_str()?));
    if log.metadata().is_ok_and(|data| data.len() > 0) {
        return None;
    }
    let path = place.file.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(format!("file:{path}?immutable=1"), flags).ok()?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).ok()?;
    Some(connection)
}

impl Reader for SqliteReader {
    fn get(&mut self, kind: Kind, id: u64) -> Result<Option<Stored>, StorageError> {
        let wrap = |error| self.place.error(error);
        let Ok(number) = i64::try_from(id) else { return Ok(None) };
        let mut select = self
            .connection
            .prepare_cached("SELECT body, sum, id FROM document WHERE kind = ?1 AND id = ?2")
            .map_err(wrap)?;
        let mut rows = select.query(params![kind, number]).map_err(wrap)?;
        rows.next().map_err(wrap)?.map(|row| stored(row, 0, kind, &self.place)).transpose()
    }

    fn list(&mut self, range: &Range<'_>) -> Result<Vec<Listed>, StorageError> {
        let wrap = |error| self.place.error(error);
        let (condition, mut values) = condition(range.kind, &Bounds::of(range));
        let Some(condition) = condition else { return Ok(Vec::new()) };
        let order = if range.descending { "DESC" } else { "ASC" };
        let text = if range.index.is_some() {
            // The cross join keeps the planner from beginning with the documents.
            format!(
                "SELECT d.body, d.sum, e.id, e.key, e.sum FROM index_entry e
                 CROSS JOIN document d ON d.kind = e.kind AND d.id = e.id
                 WHERE {condition} ORDER BY e.key {order}, e.id {order} LIMIT ?"
            )
        } else {
            format!("SELECT e.body, e.sum, e.id FROM document e WHERE {condition} ORDER BY e.id {order} LIMIT ?")
        };
        values.push(Value::Integer(i64::try_from(range.limit).unwrap_or(i64::MAX)));
        let mut select = self.connection.prepare_cached(&text).map_err(wrap)?;
        let mut rows = select.query(params_from_iter(values)).map_err(wrap)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(wrap)? {
            let document = stored(row, 0, range.kind, &self.place)?;
            let key = match range.index {
                Some(index) => {
                    let key: String = row.get(3).map_err(wrap)?;
                    check_key(&self.place, [range.kind, index, &key], document.id, row.get(4).map_err(wrap)?)?;
                    key
                }
                None => key_of(document.id),
            };
            found.push(Listed { key, document });
        }
        Ok(found)
    }

    fn count(&mut self, range: &Range<'_>) -> Result<u64, StorageError> {
        let (condition, values) = condition(range.kind, &Bounds::of_whole(range));
        let Some(condition) = condition else { return Ok(0) };
        let table = if range.index.is_some() { "index_entry" } else { "document" };
        let count = self
            .connection
            .prepare_cached(&format!("SELECT count(*) FROM {table} e WHERE {condition}"))
            .and_then(|mut select| select.query_row(params_from_iter(values), |row| row.get(0)))
            .map_err(|error| self.place.error(error))?;
        unsigned(count, &self.place)
    }

    fn count_up_to(&mut self, range: &Range<'_>, most: u64) -> Result<u64, StorageError> {
        let (condition, mut values) = condition(range.kind, &Bounds::of_whole(range));
        let Some(condition) = condition else { return Ok(0) };
        let table = if range.index.is_some() { "index_entry" } else { "document" };
        values.push(Value::Integer(i64::try_from(most).unwrap_or(i64::MAX)));
        let count = self
            .connection
            .prepare_cached(&format!("SELECT count(*) FROM (SELECT 1 FROM {table} e WHERE {condition} LIMIT ?)"))
            .and_then(|mut select| select.query_row(params_from_iter(values), |row| row.get(0)))
            .map_err(|error| self.place.error(error))?;
        unsigned(count, &self.place)
    }

    fn last_id(&mut self, kind: Kind) -> Result<u64, StorageError> {
        let last: Option<i64> = self
            .connection
            .prepare_cached("SELECT id FROM document WHERE kind = ?1 ORDER BY id DESC LIMIT 1")
            .and_then(|mut select| select.query_row([kind], |row| row.get(0)).optional())
            .map_err(|error| self.place.error(error))?;
        unsigned(last.unwrap_or(0), &self.place)
    }

    fn entries(&mut self, after: u64, each: &mut dyn FnMut(Entry) -> bool) -> Result<(), StorageError> {
        let mut last = after;
        let mut chained = commit::sum_after(&self.connection, &self.place, after)?;
        loop {
            let page = self.page(last)?;
            let Some((first, _)) = page.first() else { return Ok(()) };
            let Some(mut sum) = chained else {
                return Err(self.place.damaged(format!("entry {last} is missing before entry {}", first.sequence)));
            };
            for (entry, stored_sum) in page {
                if entry.sequence != last + 1 {
                    let found = entry.sequence;
                    return Err(self.place.damaged(format!("entry {found} follows entry {last}: some are missing")));
                }
                sum = sum::of_entry(sum, &entry);
                if sum != stored_sum {
                    return Err(self.place.damaged(format!("entry {} does not match its checksum", entry.sequence)));
                }
                last = entry.sequence;
                if !each(entry) {
                    return Ok(());
                }
            }
            chained = Some(sum);
        }
    }
}

impl SqliteReader {
    /// The next entries, with their sums.
    fn page(&self, after: u64) -> Result<Vec<(Entry, u64)>, StorageError> {
        let wrap = |error| self.place.error(error);
        let Ok(number) = i64::try_from(after) else { return Ok(Vec::new()) };
        let mut select = self
            .connection
            .prepare_cached(
                "SELECT sequence, at, input, sum FROM journal WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
            )
            .map_err(wrap)?;
        let mut rows = select.query(params![number, i64::try_from(PAGE).unwrap_or(i64::MAX)]).map_err(wrap)?;
        let mut page = Vec::with_capacity(PAGE);
        while let Some(row) = rows.next().map_err(wrap)? {
            let entry = Entry {
                sequence: unsigned(row.get(0).map_err(wrap)?, &self.place)?,
                at: Instant::from_micros(unsigned(row.get(1).map_err(wrap)?, &self.place)?),
                input: row.get(2).map_err(wrap)?,
            };
            page.push((entry, row.get::<_, i64>(3).map_err(wrap)?.cast_unsigned()));
        }
        Ok(page)
    }
}

/// A document whose body, sum and number begin at a column.
fn stored(row: &Row<'_>, column: usize, kind: &str, place: &Place) -> Result<Stored, StorageError> {
    let wrap = |error| place.error(error);
    let id = unsigned(row.get(column + 2).map_err(wrap)?, place)?;
    let body: String = row.get(column).map_err(wrap)?;
    let sum: i64 = row.get(column + 1).map_err(wrap)?;
    if sum.cast_unsigned() != sum::of_document(kind, id, &body) {
        return Err(place.damaged(format!("{kind} {id} does not match its checksum")));
    }
    Ok(Stored { id, body })
}

fn check_key(place: &Place, [kind, index, key]: [&str; 3], id: u64, sum: i64) -> Result<(), StorageError> {
    if sum == i64::from(sum::of_key(kind, index, key, id)) {
        Ok(())
    } else {
        Err(place.damaged(format!("an entry of {kind} {id} in index {index} does not match its checksum")))
    }
}

/// What a range asks of `e`, and the values of its question marks; no condition where nothing can be found.
fn condition(kind: &str, bounds: &Bounds) -> (Option<&'static str>, Vec<Value>) {
    let kind = Value::Text(kind.to_owned());
    match bounds {
        Bounds::Nothing => (None, Vec::new()),
        Bounds::Numbers(first, last) => {
            (Some("e.kind = ? AND e.id >= ? AND e.id <= ?"), vec![kind, Value::Integer(*first), Value::Integer(*last)])
        }
        Bounds::Keys { index, lower, upper } => {
            let mut values = vec![kind, Value::Text(index.clone())];
            values.extend([Value::Text(lower.0.clone()), Value::Integer(lower.1)]);
            let Some(upper) = upper else {
                return (Some("e.kind = ? AND e.idx = ? AND (e.key, e.id) > (?, ?)"), values);
            };
            values.extend([Value::Text(upper.0.clone()), Value::Integer(upper.1)]);
            (Some("e.kind = ? AND e.idx = ? AND (e.key, e.id) > (?, ?) AND (e.key, e.id) < (?, ?)"), values)
        }
    }
}
