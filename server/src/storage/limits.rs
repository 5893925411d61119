//! What any backend takes: checked before a batch reaches it, so that all of them refuse the same.

use callfloor_engine::Instant;

use super::{Batch, KEY_LIMIT, StorageError, Write};

/// Whether a batch can be stored after an entry `last` of time `last_at`.
pub(super) fn check(batch: &Batch, last: u64, last_at: Instant) -> Result<(), StorageError> {
    let (mut sequence, mut at) = (last, last_at);
    for entry in &batch.entries {
        if Some(entry.sequence) != sequence.checked_add(1) {
            return Err(StorageError::Sequence { last: sequence, found: entry.sequence });
        }
        number(entry.sequence)?;
        number(entry.at.as_micros())?;
        if entry.at < at {
            return Err(unfit(format!("entry {} is of an earlier time than the one before", entry.sequence)));
        }
        (sequence, at) = (entry.sequence, entry.at);
    }
    for write in &batch.writes {
        // A number that cannot be stored is not there to be deleted.
        if let Write::Put { kind, id, body, .. } = write {
            number(*id)?;
            if body.contains('\0') {
                return Err(unfit(format!("{kind} {id} contains a zero byte: that is no JSON")));
            }
        }
    }
    Ok(())
}

/// A number as the backends keep it: none has unsigned ones.
pub(super) fn number(number: u64) -> Result<i64, StorageError> {
    i64::try_from(number).map_err(|_| unfit(format!("{number} is over the greatest number that can be stored")))
}

/// A key as it is stored and looked up: no longer than [`KEY_LIMIT`], cut between characters.
pub(super) fn cut(key: &str) -> &str {
    &key[..key.floor_char_boundary(KEY_LIMIT)]
}

fn unfit(what: String) -> StorageError {
    StorageError::Damaged { place: "a batch".into(), what }
}
