//! Typed documents over [`storage`](crate::storage): what the engine does not need to decide.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::storage::{IndexKey, Kind, Range, Reader, StorageError, Stored};

/// Something kept under a number as JSON, with the keys by which it is found.
pub trait Document: Serialize + DeserializeOwned + Clone + Send + Sync + 'static {
    /// The kind in storage. All documents of it are of this type.
    const KIND: Kind;

    /// Whether the loop remembers those that it saw lately: small ones, which it reads again and again.
    const IS_REMEMBERED: bool = false;

    /// Whether the loop remembers which have a key, until one of the kind changes: of kinds that seldom change.
    const LISTS_ARE_REMEMBERED: bool = false;

    /// Its number: positive, unique within the kind.
    fn id(&self) -> u64;

    /// Whether this one will hardly be asked for again: it is not remembered any more.
    fn is_over(&self) -> bool {
        false
    }

    /// Every index entry. The default has none: it is found by its number alone.
    fn keys(&self) -> Vec<IndexKey> {
        Vec::new()
    }
}

/// Reads what was stored.
///
/// # Errors
/// [`StorageError::Damaged`] where it is not what the kind says.
pub fn decode<D: Document>(stored: &Stored) -> Result<D, StorageError> {
    serde_json::from_str(&stored.body).map_err(|problem| StorageError::Damaged {
        place: format!("{} {}", D::KIND, stored.id),
        what: problem.to_string(),
    })
}

/// What is written for a document.
pub(crate) fn encode<D: Document>(document: &D) -> String {
    serde_json::to_string(document).expect("a document's parts all have a form in JSON")
}

/// Typed reading of what is committed.
pub trait Read: Reader {
    /// One document.
    ///
    /// # Errors
    /// What the backend says, or that the document is damaged.
    fn document<D: Document>(&mut self, id: u64) -> Result<Option<D>, StorageError> {
        self.get(D::KIND, id)?.as_ref().map(decode).transpose()
    }

    /// Documents of a range; its kind must be `D`'s.
    ///
    /// # Errors
    /// What the backend says, or that a document is damaged.
    fn documents<D: Document>(&mut self, range: &Range<'_>) -> Result<Vec<D>, StorageError> {
        debug_assert_eq!(range.kind, D::KIND, "the range is of the documents' kind");
        self.list(range)?.iter().map(|listed| decode(&listed.document)).collect()
    }

    /// The document with a key that only one has.
    ///
    /// # Errors
    /// What the backend says, or that the document is damaged.
    fn find<D: Document>(&mut self, index: &str, key: &str) -> Result<Option<D>, StorageError> {
        Ok(self.documents(&Range::with_key(D::KIND, index, key, 1))?.pop())
    }
}

impl<R: Reader + ?Sized> Read for R {}
