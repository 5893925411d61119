//! One commit: the epoch, the entries and the documents in one transaction.

use callfloor_engine::Instant;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior, ffi, params};

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
            Write::Put { kind, id, body, keys } => {
                let values = params![kind, id.cast_signed(), body, sum::of_document(kind, *id, body).cast_signed()];
                let mut insert = transaction.prepare_cached(
                    "INSERT INTO document (kind, id, body, sum) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                )?;
                if insert.execute(values)? == 1 {
                    add_keys(transaction, kind, *id, keys_of(keys))?;
                } else {
                    let mut update = transaction
                        .prepare_cached("UPDATE document SET body = ?3, sum = ?4 WHERE kind = ?1 AND id = ?2")?;
                    update.execute(values)?;
                    replace_keys(transaction, kind, *id, keys)?;
                }
            }
            Write::Delete { kind, id } => {
                let Ok(number) = i64::try_from(*id) else { continue };
                let mut delete = transaction.prepare_cached("DELETE FROM document WHERE kind = ?1 AND id = ?2")?;
                delete.execute(params![kind, number])?;
                replace_keys(transaction, kind, *id, &[])?;
            }
        }
    }
    Ok(())
}

/// Writes only what is different: most changes of a document move it in no index.
fn replace_keys(transaction: &Transaction<'_>, kind: &str, id: u64, keys: &[IndexKey]) -> rusqlite::Result<()> {
    let number = id.cast_signed();
    let mut wanted = keys_of(keys);
    let mut gone: Vec<(String, String)> = Vec::new();
    {
        let mut select = transaction.prepare_cached("SELECT idx, key FROM index_entry WHERE kind = ?1 AND id = ?2")?;
        let mut rows = select.query(params![kind, number])?;
        while let Some(row) = rows.next()? {
            let (index, key) = (row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
            match wanted.binary_search(&(index, key)) {
                Ok(place) => {
                    wanted.remove(place);
                }
                Err(_) => gone.push((index.to_owned(), key.to_owned())),
            }
        }
    }
    for (index, key) in gone {
        transaction
            .prepare_cached("DELETE FROM index_entry WHERE kind = ?1 AND idx = ?2 AND key = ?3 AND id = ?4")?
            .execute(params![kind, index, key, number])?;
    }
    add_keys(transaction, kind, id, wanted)
}

/// Index entries as they are stored: in order, each once.
fn keys_of(keys: &[IndexKey]) -> Vec<(&str, &str)> {
    let mut wanted: Vec<(&str, &str)> = keys.iter().map(|key| (key.index, limits::cut(&key.key))).collect();
    wanted.sort_unstable();
    wanted.dedup();
    wanted
}

fn add_keys(transaction: &Transaction<'_>, kind: &str, id: u64, keys: Vec<(&str, &str)>) -> rusqlite::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let mut insert =
        transaction.prepare_cached("INSERT INTO index_entry (kind, idx, key, id, sum) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for (index, key) in keys {
        insert.execute(params![kind, index, key, id.cast_signed(), i64::from(sum::of_key(kind, index, key, id))])?;
    }
    Ok(())
}
