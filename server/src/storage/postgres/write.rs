//! A batch as columns for one call, and snapshots in parts.

use std::collections::HashMap;

use super::link::{Link, Trouble, Work};
use super::{StorageError, limits, read, sum, unsigned};
use crate::storage::{Batch, Snapshot, Write};

/// The greatest part of a snapshot that is sent at once, in bytes.
const PART: usize = 4 << 20;
/// How many snapshots are kept.
const KEPT: i64 = 2;

/// What became of a batch.
#[derive(Debug)]
pub(super) enum Outcome {
    Done,
    /// The epoch in force.
    Fenced(u64),
    /// This connection was given up by its own writer.
    Session,
    /// The journal's last entry.
    Sequence(u64),
}

/// A batch, turned by a quarter.
#[derive(Debug, Default)]
pub(super) struct Columns {
    sequences: Vec<i64>,
    ats: Vec<i64>,
    inputs: Vec<Vec<u8>>,
    sums: Vec<i64>,
    put_kinds: Vec<String>,
    put_ids: Vec<i64>,
    put_bodies: Vec<String>,
    gone_kinds: Vec<String>,
    gone_ids: Vec<i64>,
    key_kinds: Vec<String>,
    key_indexes: Vec<String>,
    keys: Vec<Vec<u8>>,
    key_ids: Vec<i64>,
}

impl Columns {
    /// Of a batch that was checked; its entries follow one of sum `chained`.
    pub(super) fn of(batch: &Batch, mut chained: u64) -> Self {
        let mut columns = Self::default();
        for entry in &batch.entries {
            chained = sum::of_entry(chained, entry);
            columns.sequences.push(entry.sequence.cast_signed());
            columns.ats.push(entry.at.as_micros().cast_signed());
            columns.inputs.push(entry.input.clone());
            columns.sums.push(chained.cast_signed());
        }
        // One statement may change a row once: of two changes of one document only the later one is sent.
        let mut latest = HashMap::new();
        for (place, write) in batch.writes.iter().enumerate() {
            let (Write::Put { kind, id, .. } | Write::Delete { kind, id }) = write;
            latest.insert((*kind, *id), place);
        }
        for (place, write) in batch.writes.iter().enumerate() {
            match write {
                Write::Put { kind, id, body, keys } if latest[&(*kind, *id)] == place => {
                    columns.put_kinds.push((*kind).to_owned());
                    columns.put_ids.push(id.cast_signed());
                    columns.put_bodies.push(body.clone());
                    for key in keys {
                        columns.key_kinds.push((*kind).to_owned());
                        columns.key_indexes.push(key.index.to_owned());
                        columns.keys.push(limits::cut(&key.key).as_bytes().to_vec());
                        columns.key_ids.push(id.cast_signed());
                    }
                }
                Write::Delete { kind, id } if latest[&(*kind, *id)] == place => {
                    if let Ok(number) = i64::try_from(*id) {
                        columns.gone_kinds.push((*kind).to_owned());
                        columns.gone_ids.push(number);
                    }
                }
                _ => {}
            }
        }
        columns
    }
}

/// Sends a batch.
pub(super) fn append(work: &mut Work, ours: u64, session: i64, columns: &Columns) -> Result<Outcome, Trouble> {
    let row = work.one(
        "SELECT outcome, seen FROM append($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)",
        &[
            &ours.cast_signed(),
            &session,
            &columns.sequences,
            &columns.ats,
            &columns.inputs,
            &columns.sums,
            &columns.put_kinds,
            &columns.put_ids,
            &columns.put_bodies,
            &columns.gone_kinds,
            &columns.gone_ids,
            &columns.key_kinds,
            &columns.key_indexes,
            &columns.keys,
            &columns.key_ids,
        ],
    )?;
    let found = unsigned(work, row.get(1))?;
    match row.get(0) {
        "done" => Ok(Outcome::Done),
        "fenced" => Ok(Outcome::Fenced(found)),
        "session" => Ok(Outcome::Session),
        "sequence" => Ok(Outcome::Sequence(found)),
        other => Err(work.damaged(format!("the function append answered {other:?}")).into()),
    }
}

/// Keeps a snapshot. The parts go first, without a lock; the epoch is compared where the snapshot comes into being.
pub(super) fn put_snapshot(link: &Link, epoch: u64, snapshot: &Snapshot) -> Result<(), StorageError> {
    let sequence = snapshot.sequence;
    let number = limits::number(sequence)?;
    let entry_sum = link.ask(move |work| {
        work.retried(|work| {
            check_epoch(work, epoch, "")?;
            let last = read::last(work)?.sequence;
            read::sum_after(work, sequence)?.ok_or_else(|| StorageError::Sequence { last, found: sequence }.into())
        })
    })?;
    link.ask(move |work| {
        work.batch(&format!(
            "DELETE FROM snapshot_part p WHERE NOT EXISTS (SELECT 1 FROM snapshot s WHERE s.sequence = p.sequence)
             OR p.sequence = {number}; DELETE FROM snapshot WHERE sequence = {number}"
        ))
    })?;
    for (part, bytes) in snapshot.bytes.chunks(PART).enumerate() {
        let bytes = bytes.to_vec();
        let part = i32::try_from(part).map_err(|_| link.backend("the snapshot has too many parts"))?;
        link.ask(move |work| {
            work.all("INSERT INTO snapshot_part (sequence, part, bytes) VALUES ($1, $2, $3)", &[&number, &part, &bytes])
        })?;
    }
    let length = i64::try_from(snapshot.bytes.len()).map_err(|_| link.backend("the snapshot is too long"))?;
    let whole = sum::of_bytes(&head(sequence, entry_sum), &snapshot.bytes).cast_signed();
    link.ask(move |work| {
        work.transaction(|work| {
            check_epoch(work, epoch, " FOR SHARE")?;
            work.all(
                "INSERT INTO snapshot (sequence, entry_sum, length, sum) VALUES ($1, $2, $3, $4)",
                &[&number, &entry_sum.cast_signed(), &length, &whole],
            )?;
            work.all(
                "DELETE FROM snapshot WHERE sequence NOT IN (SELECT sequence FROM snapshot ORDER BY sequence DESC LIMIT $1)",
                &[&KEPT],
            )?;
            work.batch(
                "DELETE FROM snapshot_part p WHERE NOT EXISTS (SELECT 1 FROM snapshot s WHERE s.sequence = p.sequence)",
            )
        })
    })
}

/// What the sum of a snapshot covers beside its bytes.
pub(super) fn head(sequence: u64, entry_sum: u64) -> [u8; 16] {
    let mut head = [0; 16];
    head[..8].copy_from_slice(&sequence.to_le_bytes());
    head[8..].copy_from_slice(&entry_sum.to_le_bytes());
    head
}

fn check_epoch(work: &mut Work, ours: u64, lock: &str) -> Result<(), Trouble> {
    let row = work.one(&format!("SELECT epoch FROM writer{lock}"), &[])?;
    let found = unsigned(work, row.get(0))?;
    if found == ours { Ok(()) } else { Err(StorageError::Fenced { ours, found }.into()) }
}
