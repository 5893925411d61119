//! The chain's arithmetic: an entry's hash, and whether all of them hold together.

use sha2::{Digest, Sha256};

use super::{Entry, Head};
use crate::document::{Document, Read, decode};
use crate::storage::{Range, Reader, StorageError, key_of};

/// Entries that are read at a time.
const AT_A_TIME: usize = 1_000;

/// SHA-256 over the entry's other parts: JSON's strings tell where each ends.
pub(super) fn hash(entry: &Entry) -> String {
    let Entry { number, at_us, who, act, about, before, hash: _ } = entry;
    let text = serde_json::to_string(&(number, at_us, who, act, about, before)).expect("plain values have a form");
    format!("{:x}", Sha256::digest(text.as_bytes()))
}

/// A link that somebody wrote down, to know the chain by: who writes a whole new chain cannot match it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// The entry's number.
    pub number: u64,
    /// Its hash.
    pub hash: String,
}

impl std::str::FromStr for Noted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let right = text.split_once(':').and_then(|(number, hash)| {
            let good = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
            good.then_some(Self { number: number.parse().ok()?, hash: hash.to_lowercase() })
        });
        right.ok_or_else(|| format!("{text:?} is no link: NUMBER:HASH with 64 hexadecimal digits is right"))
    }
}

/// A chain that holds.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Verified {
    /// Entries, each linked to the one before.
    pub entries: u64,
    /// The newest one's hash: note it somewhere else.
    pub hash: String,
}

/// The first link that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
pub struct Broken {
    /// The number of the entry.
    pub entry: u64,
    /// What is wrong with it.
    pub what: String,
}

/// Reads the whole chain of an organisation; `noted`: a link that must be in it.
///
/// # Errors
/// What storage says, except for an entry that cannot be read: that is a broken link.
pub fn verify(reader: &mut dyn Reader, noted: Option<&Noted>) -> Result<Result<Verified, Broken>, StorageError> {
    let mut last = Head::empty();
    let mut found_noted = noted.is_none();
    let mut at_a_time = AT_A_TIME;
    // Read first: what is appended meanwhile is behind it.
    let head = reader.document::<Head>(Head::NUMBER)?;
    loop {
        let from = key_of(last.number);
        let range = Range { after: Some((&from, last.number)), ..Range::all(Entry::KIND, at_a_time) };
        let listed = match reader.list(&range) {
            // One at a time: which it is is wanted.
            Err(StorageError::Damaged { .. }) if at_a_time > 1 => {
                at_a_time = 1;
                continue;
            }
            Err(StorageError::Damaged { what, .. }) => {
                return Ok(Err(Broken { entry: last.number + 1, what: format!("it cannot be read: {what}") }));
            }
            listed => listed?,
        };
        if listed.is_empty() {
            break;
        }
        for stored in listed {
            let number = last.number + 1;
            let broken = |what: &str| Ok(Err(Broken { entry: number, what: what.to_owned() }));
            if stored.document.id != number {
                return broken("it is missing");
            }
            let Ok(entry) = decode::<Entry>(&stored.document) else { return broken("it cannot be read") };
            if entry.number != number {
                return broken("it bears another entry's number");
            }
            if entry.before != last.hash {
                return broken("it is not linked to the entry before");
            }
            if entry.hash != hash(&entry) {
                return broken("its content was changed");
            }
            if let Some(noted) = noted.filter(|noted| noted.number == number) {
                if noted.hash != entry.hash {
                    return broken("its hash is not the one that was noted");
                }
                found_noted = true;
            }
            last = Head { number, hash: entry.hash };
            if head.as_ref().is_some_and(|head| head.number == number && head.hash != last.hash) {
                return broken("the log's head has another hash for it");
            }
        }
    }
    // A log that began meanwhile has its head by now.
    let head = if head.is_some() { head } else { reader.document::<Head>(Head::NUMBER)? };
    let expected = head.map_or(0, |head| head.number);
    let missing = noted.filter(|_| !found_noted).map_or(expected, |noted| noted.number.max(expected));
    Ok(if last.number < missing {
        Err(Broken { entry: last.number + 1, what: "it is missing, and all that followed".to_owned() })
    } else if last.number > 0 && expected == 0 {
        Err(Broken { entry: last.number, what: "the log has no head".to_owned() })
    } else {
        Ok(Verified { entries: last.number, hash: last.hash })
    })
}
