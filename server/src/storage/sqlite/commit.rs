//! One commit: the epoch, the entries and the documents in one transaction.

use std::borrow::Cow;
use std::collections::BTreeMap;

use callfloor_engine::Instant;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, ffi, params};
use serde::{Deserialize, Serialize};

use super::{Last, Place, StorageError, limits, sum, unsigned};
use crate::storage::{Batch, IndexKey, Write};

/// Why a batch was not committed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing of it is stored, and the next one may be.
    Refused(StorageError),
    /// The disc did not confirm: nothing more may be promised.
    NotForced(StorageError),
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Self::Refused(error)
    }
}

/// A transaction that holds the write lock, under our epoch.
pub(super) fn begin<'a>(
    connection: &'a mut Connection,
    place: &Place,
    ours: u64,
) -> Result<Transaction<'a>, StorageError> {
    let wrap = |error| place.error(error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(wrap)?;
    let found = transaction
        .prepare_cached("SELECT epoch FROM writer WHERE one = 1")
        .and_then(|mut statement| statement.query_row([], |row| row.get::<_, i64>(0)).optional())
        .map_err(wrap)?
        .ok_or_else(|| place.damaged("the writer's row is missing"))?;
    let found = unsigned(found, place)?;
    if found != ours {
        return Err(StorageError::Fenced { ours, found });
    }
    Ok(transaction)
}

pub(super) fn commit(connection: &mut Connection, place: &Place, ours: u64, batch: &Batch) -> Result<(), Failure> {
    let transaction = begin(connection, place, ours)?;
    if batch.is_empty() {
        return Ok(());
    }
    let last = last(&transaction, place)?;
    limits::check(batch, last.sequence, last.at)?;
    write(&transaction, batch, last.sum).map_err(|error| place.error(error))?;
    transaction.commit().map_err(|error| {
        let not_forced = error.sqlite_error().is_some_and(|failure| {
            [ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_DIR_FSYNC].contains(&failure.extended_code)
        });
        let error = place.error(error);
        if not_forced { Failure::NotForced(error) } else { Failure::Refused(error) }
    })
}

/// The journal's last entry.
pub(super) fn last(connection: &Connection, place: &Place) -> Result<Last, StorageError> {
    let found = connection
        .prepare_cached("SELECT sequence, at, sum FROM journal ORDER BY sequence DESC LIMIT 1")
        .and_then(|mut statement| {
            statement
                .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)))
                .optional()
        })
        .map_err(|error| place.error(error))?;
    let Some((sequence, at, sum)) = found else { return Ok(Last::NONE) };
    Ok(Last {
        sequence: unsigned(sequence, place)?,
        at: Instant::from_micros(unsigned(at, place)?),
        sum: sum.cast_unsigned(),
    })
}

/// The chained sum after an entry; `None` where the journal has no such entry.
pub(super) fn sum_after(connection: &Connection, place: &Place, sequence: u64) -> Result<Option<u64>, StorageError> {
    if sequence == 0 {
        return Ok(Some(sum::START));
    }
    let Ok(sequence) = i64::try_from(sequence) else { return Ok(None) };
    connection
        .prepare_cached("SELECT sum FROM journal WHERE sequence = ?1")
        .and_then(|mut statement| statement.query_row([sequence], |row| row.get::<_, i64>(0)).optional())
        .map(|sum| sum.map(i64::cast_unsigned))
        .map_err(|error| place.error(error))
}

fn write(transaction: &Transaction<'_>, batch: &Batch, mut sum: u64) -> rusqlite::Result<()> {
    if !batch.entries.is_empty() {
        let mut append =
            transaction.prepare_cached("INSERT INTO journal (sequence, at, input, sum) VALUES (?1, ?2, ?3, ?4)")?;
        for entry in &batch.entries {
            sum = sum::of_entry(sum, entry);
            // Both numbers were checked before.
            let (sequence, at) = (entry.sequence.cast_signed(), entry.at.as_micros().cast_signed());
            append.execute(params![sequence, at, entry.input, sum.cast_signed()])?;
        }
    }
    for change in &batch.writes {
        match change {
            Write::Put { kind, id, body, keys } => put(transaction, kind, *id, body, &Keys::of(keys))?,
            Write::Delete { kind, id } => {
                let Ok(number) = i64::try_from(*id) else { continue };
                let Some(before) = text_of_keys(transaction, kind, number)? else { continue };
                let mut delete = transaction.prepare_cached("DELETE FROM document WHERE kind = ?1 AND id = ?2")?;
                delete.execute(params![kind, number])?;
                remove_keys(transaction, kind, *id, Keys::read(&before)?.entries())?;
            }
        }
    }
    Ok(())
}

/// A document's keys by index, in order, each once: as its row keeps them, in JSON, so that what must leave the indexes when it changes
/// is known without an index of the entries.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Keys<'a>(BTreeMap<Cow<'a, str>, Vec<Cow<'a, str>>>);

impl<'a> Keys<'a> {
    fn of(keys: &'a [IndexKey]) -> Self {
        let mut of: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for key in keys {
            of.entry(Cow::Borrowed(key.index)).or_default().push(Cow::Borrowed(limits::cut(&key.key)));
        }
        for keys in of.values_mut() {
            keys.sort_unstable();
            keys.dedup();
        }
        Self(of)
    }

    /// Of a row's column.
    pub(super) fn read(text: &str) -> rusqlite::Result<Self> {
        let wrong = |error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, Box::new(error));
        serde_json::from_str(text).map_err(wrong)
    }

    /// Index and key of each.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().flat_map(|(index, keys)| keys.iter().map(move |key| (&**index, &**key)))
    }

    fn has(&self, (index, key): (&str, &str)) -> bool {
        self.0.get(index).is_some_and(|keys| keys.binary_search_by(|found| (**found).cmp(key)).is_ok())
    }
}

fn put(transaction: &Transaction<'_>, kind: &str, id: u64, body: &str, keys: &Keys<'_>) -> rusqlite::Result<()> {
    let kept = serde_json::to_string(keys).expect("texts have a form in JSON");
    let sum = sum::of_document(kind, id, body).cast_signed();
    let id_kept = id.cast_signed();
    let inserted = transaction
        .prepare_cached(
            "INSERT INTO document (kind, id, body, sum, keys) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        )?
        .execute(params![kind, id_kept, body, sum, kept])?;
    if inserted == 1 {
        return add_keys(transaction, kind, id, keys.entries());
    }
    let before = text_of_keys(transaction, kind, id_kept)?.unwrap_or_default();
    transaction
        .prepare_cached("UPDATE document SET body = ?3, sum = ?4, keys = ?5 WHERE kind = ?1 AND id = ?2")?
        .execute(params![kind, id_kept, body, sum, kept])?;
    // Most changes of a document move it in no index.
    if before == kept {
        return Ok(());
    }
    let before = Keys::read(&before)?;
    remove_keys(transaction, kind, id, before.entries().filter(|&entry| !keys.has(entry)))?;
    add_keys(transaction, kind, id, keys.entries().filter(|&entry| !before.has(entry)))
}

/// The column of a document's keys; `None` where there is no document.
fn text_of_keys(transaction: &Transaction<'_>, kind: &str, id: i64) -> rusqlite::Result<Option<String>> {
    let mut select = transaction.prepare_cached("SELECT keys FROM document WHERE kind = ?1 AND id = ?2")?;
    select.query_row(params![kind, id], |row| row.get(0)).optional()
}

fn add_keys<'k>(
    transaction: &Transaction<'_>,
    kind: &str,
    id: u64,
    keys: impl Iterator<Item = (&'k str, &'k str)>,
) -> rusqlite::Result<()> {
    let mut insert =
        transaction.prepare_cached("INSERT INTO index_entry (kind, idx, key, id, sum) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (index, key) in keys {
        insert.execute(params![kind, index, key, id.cast_signed(), i64::from(sum::of_key(kind, index, key, id))])?;
    }
    Ok(())
}

fn remove_keys<'k>(
    transaction: &Transaction<'_>,
    kind: &str,
    id: u64,
    keys: impl Iterator<Item = (&'k str, &'k str)>,
) -> rusqlite::Result<()> {
    let mut delete =
        transaction.prepare_cached("DELETE FROM index_entry WHERE kind = ?1 AND idx = ?2 AND key = ?3 AND id = ?4")?;
    for (index, key) in keys {
        delete.execute(params![kind, index, key, id.cast_signed()])?;
    }
    Ok(())
}
