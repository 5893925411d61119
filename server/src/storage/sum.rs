//! Checksums of what is stored, so that a changed byte is refused instead of being given out as data.
//!
//! XXH3 with 64 bits (Collet): against accidents, not against attackers. Entries of the journal are chained: the sum of
//! an entry contains that of the entry before, so that a row which is missing, doubled or moved shows as well.

use twox_hash::XxHash3_64;

use super::Entry;

/// The sum before the first entry.
pub(super) const START: u64 = 0;

/// The sum of `entry`, which follows an entry of sum `previous`.
pub(super) fn of_entry(previous: u64, entry: &Entry) -> u64 {
    let mut head = [0; 24];
    head[..8].copy_from_slice(&previous.to_le_bytes());
    head[8..16].copy_from_slice(&entry.sequence.to_le_bytes());
    head[16..].copy_from_slice(&entry.at.as_micros().to_le_bytes());
    XxHash3_64::oneshot_with_seed(XxHash3_64::oneshot(&head), &entry.input)
}

/// The sum of a document.
pub(super) fn of_document(kind: &str, id: u64, body: &str) -> u64 {
    XxHash3_64::oneshot_with_seed(of_name(&[kind], id), body.as_bytes())
}

/// The sum of an index entry: short, because there are many.
pub(super) fn of_key(kind: &str, index: &str, key: &str, id: u64) -> u32 {
    let sum = XxHash3_64::oneshot_with_seed(of_name(&[kind, index], id), key.as_bytes());
    u32::try_from(sum >> 32).expect("half of 64 bits is 32 bits")
}

/// The sum of bytes that follow a head.
pub(super) fn of_bytes(head: &[u8], bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot_with_seed(XxHash3_64::oneshot(head), bytes)
}

fn of_name(names: &[&str], id: u64) -> u64 {
    names.iter().fold(id, |seed, name| XxHash3_64::oneshot_with_seed(seed, name.as_bytes()))
}
