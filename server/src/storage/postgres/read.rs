//! Reading on a connection of one's own.

use ::postgres::Row;
use ::postgres::types::ToSql;
use callfloor_engine::Instant;

use super::link::{Link, Trouble, Work};
use super::write::head;
use super::{Last, StorageError, check_version, sum, unsigned};
use crate::storage::bounds::Bounds;
use crate::storage::{Entry, Kind, Listed, Range, Reader, Snapshot, Stored, key_of};

/// How many entries are fetched at once.
const PAGE: i64 = 1024;

/// Reads a tenant's schema; takes no epoch and changes nothing.
#[derive(Debug)]
pub struct PostgresReader {
    link: Link,
}

impl PostgresReader {
    /// Opens a schema for reading; the arguments are those of [`PostgresStorage::open`](super::PostgresStorage::open).
    ///
    /// # Errors
    /// Where the server cannot be reached, or the schema is missing, foreign or of a newer version.
    pub fn open(connection: &str, schema: &str) -> Result<Self, StorageError> {
        let link = Link::new(connection, schema)?;
        link.ask(check_version)?;
        Ok(Self::over(link))
    }

    pub(super) const fn over(link: Link) -> Self {
        Self { link }
    }

    fn page(&self, after: u64) -> Result<Vec<(Entry, u64)>, StorageError> {
        let Ok(number) = i64::try_from(after) else { return Ok(Vec::new()) };
        self.link.ask(move |work| {
            work.retried(|work| {
                let rows = work.all(
                    "SELECT sequence, at, input, sum FROM journal WHERE sequence > $1 ORDER BY sequence LIMIT $2",
                    &[&number, &PAGE],
                )?;
                rows.iter()
                    .map(|row| {
                        let entry = Entry {
                            sequence: unsigned(work, row.get(0))?,
                            at: Instant::from_micros(unsigned(work, row.get(1))?),
                            input: row.get(2),
                        };
                        Ok((entry, row.get::<_, i64>(3).cast_unsigned()))
                    })
                    .collect()
            })
        })
    }
}

impl Reader for PostgresReader {
    fn get(&mut self, kind: Kind, id: u64) -> Result<Option<Stored>, StorageError> {
        let Ok(number) = i64::try_from(id) else { return Ok(None) };
        self.link.ask(move |work| {
            work.retried(|work| {
                let row = work.optional("SELECT body FROM document WHERE kind = $1 AND id = $2", &[&kind, &number])?;
                Ok(row.map(|row| Stored { id, body: row.get(0) }))
            })
        })
    }

    fn list(&mut self, range: &Range<'_>) -> Result<Vec<Listed>, StorageError> {
        let Some((condition, mut values)) = condition(range.kind, Bounds::of(range)) else { return Ok(Vec::new()) };
        let order = if range.descending { "DESC" } else { "ASC" };
        let limit = values.len() + 1;
        let text = if range.index.is_some() {
            format!(
                "SELECT d.body, e.id, e.key FROM index_entry e JOIN document d ON d.kind = e.kind AND d.id = e.id
                 WHERE {condition} ORDER BY e.key {order}, e.id {order} LIMIT ${limit}"
            )
        } else {
            format!("SELECT e.body, e.id FROM document e WHERE {condition} ORDER BY e.id {order} LIMIT ${limit}")
        };
        values.push(Box::new(i64::try_from(range.limit).unwrap_or(i64::MAX)));
        let keyed = range.index.is_some();
        self.link.ask(move |work| {
            work.retried(|work| {
                let rows = work.all(&text, &borrowed(&values))?;
                rows.iter().map(|row| Ok(listed(work, row, keyed)?)).collect()
            })
        })
    }

    fn count(&mut self, range: &Range<'_>) -> Result<u64, StorageError> {
        let Some((condition, values)) = condition(range.kind, Bounds::of_whole(range)) else { return Ok(0) };
        let table = if range.index.is_some() { "index_entry" } else { "document" };
        let text = format!("SELECT count(*) FROM {table} e WHERE {condition}");
        self.link.ask(move |work| {
            work.retried(|work| {
                let row = work.one(&text, &borrowed(&values))?;
                Ok(unsigned(work, row.get(0))?)
            })
        })
    }

    fn count_up_to(&mut self, range: &Range<'_>, most: u64) -> Result<u64, StorageError> {
        let Some((condition, mut values)) = condition(range.kind, Bounds::of_whole(range)) else { return Ok(0) };
        let table = if range.index.is_some() { "index_entry" } else { "document" };
        let limit = values.len() + 1;
        values.push(Box::new(i64::try_from(most).unwrap_or(i64::MAX)));
        let text =
            format!("SELECT count(*) FROM (SELECT 1 FROM {table} e WHERE {condition} LIMIT ${limit}) AS bounded");
        self.link.ask(move |work| {
            work.retried(|work| {
                let row = work.one(&text, &borrowed(&values))?;
                Ok(unsigned(work, row.get(0))?)
            })
        })
    }

    fn last_id(&mut self, kind: Kind) -> Result<u64, StorageError> {
        self.link.ask(move |work| {
            work.retried(|work| {
                let text = "SELECT id FROM document WHERE kind = $1 ORDER BY id DESC LIMIT 1";
                let row = work.optional(text, &[&kind])?;
                Ok(unsigned(work, row.map_or(0, |row| row.get(0)))?)
            })
        })
    }

    fn entries(&mut self, after: u64, each: &mut dyn FnMut(Entry) -> bool) -> Result<(), StorageError> {
        let mut chained = self.link.ask(move |work| work.retried(|work| sum_after(work, after)))?;
        let mut last = after;
        loop {
            let page = self.page(last)?;
            let Some((first, _)) = page.first() else { return Ok(()) };
            let damaged = |what: String| StorageError::Damaged { place: "the journal".into(), what };
            let Some(mut sum) = chained else {
                return Err(damaged(format!("entry {last} is missing before entry {}", first.sequence)));
            };
            for (entry, stored_sum) in page {
                if entry.sequence != last + 1 {
                    return Err(damaged(format!("entry {} follows entry {last}: some are missing", entry.sequence)));
                }
                sum = sum::of_entry(sum, &entry);
                if sum != stored_sum {
                    return Err(damaged(format!("entry {} does not match its checksum", entry.sequence)));
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

/// The journal's last entry.
pub(super) fn last(work: &mut Work) -> Result<Last, Trouble> {
    let row = work.optional("SELECT sequence, at, sum FROM journal ORDER BY sequence DESC LIMIT 1", &[])?;
    let Some(row) = row else { return Ok(Last { sequence: 0, at: Instant::from_micros(0), sum: sum::START }) };
    Ok(Last {
        sequence: unsigned(work, row.get(0))?,
        at: Instant::from_micros(unsigned(work, row.get(1))?),
        sum: row.get::<_, i64>(2).cast_unsigned(),
    })
}

/// The chained sum after an entry; `None` where the journal has no such entry.
pub(super) fn sum_after(work: &mut Work, sequence: u64) -> Result<Option<u64>, Trouble> {
    if sequence == 0 {
        return Ok(Some(sum::START));
    }
    let Ok(number) = i64::try_from(sequence) else { return Ok(None) };
    let row = work.optional("SELECT sum FROM journal WHERE sequence = $1", &[&number])?;
    Ok(row.map(|row| row.get::<_, i64>(0).cast_unsigned()))
}

/// The newest snapshot that is whole and of this journal.
pub(super) fn latest_snapshot(work: &mut Work) -> Result<Option<Snapshot>, Trouble> {
    let heads = work.all("SELECT sequence, entry_sum, length, sum FROM snapshot ORDER BY sequence DESC", &[])?;
    for row in heads {
        let number: i64 = row.get(0);
        let (sequence, length) = (unsigned(work, number)?, unsigned(work, row.get(2))?);
        let entry_sum = row.get::<_, i64>(1).cast_unsigned();
        let mut bytes = Vec::new();
        let parts = "SELECT bytes FROM snapshot_part WHERE sequence = $1 AND part = $2";
        for part in 0.. {
            match work.optional(parts, &[&number, &part])? {
                Some(row) if (bytes.len() as u64) < length => bytes.extend_from_slice(row.get(0)),
                _ => break,
            }
        }
        let whole = row.get::<_, i64>(3).cast_unsigned() == sum::of_bytes(&head(sequence, entry_sum), &bytes);
        if !whole || bytes.len() as u64 != length {
            tracing::warn!(sequence, "the snapshot is cut off or damaged: passed over");
            continue;
        }
        if sum_after(work, sequence)? != Some(entry_sum) {
            return Err(work.damaged(format!("the snapshot after entry {sequence} is of another journal")).into());
        }
        return Ok(Some(Snapshot { sequence, bytes }));
    }
    Ok(None)
}

type Values = Vec<Box<dyn ToSql + Sync + Send>>;

fn borrowed(values: &Values) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|value| &**value as &(dyn ToSql + Sync)).collect()
}

fn listed(work: &Work, row: &Row, keyed: bool) -> Result<Listed, StorageError> {
    let id = unsigned(work, row.get(1))?;
    let key = if keyed {
        String::from_utf8(row.get(2)).map_err(|_| work.damaged(format!("a key of {id} is no text")))?
    } else {
        key_of(id)
    };
    Ok(Listed { key, document: Stored { id, body: row.get(0) } })
}

/// What a range asks of `e`, and its values; `None` where nothing can be found.
fn condition(kind: Kind, bounds: Bounds) -> Option<(&'static str, Values)> {
    match bounds {
        Bounds::Nothing => None,
        Bounds::Numbers(first, last) => {
            Some(("e.kind = $1 AND e.id >= $2 AND e.id <= $3", vec![Box::new(kind), Box::new(first), Box::new(last)]))
        }
        Bounds::Keys { index, lower, upper } => {
            let mut values: Values =
                vec![Box::new(kind), Box::new(index), Box::new(lower.0.into_bytes()), Box::new(lower.1)];
            let Some(upper) = upper else {
                return Some(("e.kind = $1 AND e.idx = $2 AND (e.key, e.id) > ($3, $4)", values));
            };
            values.push(Box::new(upper.0.into_bytes()));
            values.push(Box::new(upper.1));
            Some(("e.kind = $1 AND e.idx = $2 AND (e.key, e.id) > ($3, $4) AND (e.key, e.id) < ($5, $6)", values))
        }
    }
}
