//! What must outlive the process: the journal of a tenant's engine, and the documents that the engine does not need to
//! decide (texts, accounts, history). Both go into one commit, so that neither is ever ahead of the other.
//!
//! Two backends pass the same conformance tests: SQLite (a directory; the default) and PostgreSQL.

mod bounds;
mod limits;
pub mod postgres;
mod snapshot_file;
pub mod sqlite;
mod stores;
mod sum;

use callfloor_engine::Instant;

pub use stores::{PostgresStores, SqliteStores, Stores};

/// The longest key of an index entry, in bytes: what every backend's index takes. Longer ones are cut between characters,
/// when they are stored and when they are looked up; so two that differ only behind this length are one.
pub const KEY_LIMIT: usize = 1024;

/// One input of the engine, as journalled.
///
/// Replaying the entries in order, with every deadline fired at its own time before the entry, rebuilds the state
/// exactly: the engine is deterministic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// 1 for the first entry of a tenant; no gaps.
    pub sequence: u64,
    /// The microsecond that was given to the engine; never less than that of the entry before.
    pub at: Instant,
    /// The encoded input.
    pub input: Vec<u8>,
}

/// A kind of document: a table of its own in meaning, not in storage. Written in small letters with hyphens.
pub type Kind = &'static str;

/// One index entry of a document: `(index, key)`. Keys sort by their bytes; numbers are written by [`key_of`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexKey {
    /// Which index of the kind.
    pub index: &'static str,
    /// What is looked up.
    pub key: String,
}

impl IndexKey {
    /// `key` in `index`.
    pub fn new(index: &'static str, key: impl Into<String>) -> Self {
        Self { index, key: key.into() }
    }
}

/// A number as a key that sorts as the number does.
#[must_use]
pub fn key_of(number: u64) -> String {
    format!("{number:020}")
}

/// A document as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its number within the kind.
    pub id: u64,
    /// JSON.
    pub body: String,
}

/// A change of one document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Puts a document in place of what was there, with exactly these index entries.
    Put {
        /// The kind.
        kind: Kind,
        /// The number.
        id: u64,
        /// JSON.
        body: String,
        /// Every index entry.
        keys: Vec<IndexKey>,
    },
    /// Removes a document and its index entries; nothing happens where there is none.
    Delete {
        /// The kind.
        kind: Kind,
        /// The number.
        id: u64,
    },
}

impl Write {
    /// The kind of the document.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Put { kind, .. } | Self::Delete { kind, .. } => kind,
        }
    }
}

/// What becomes durable together, or not at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Journal entries, in order, following the last one committed.
    pub entries: Vec<Entry>,
    /// Changes of documents, in order: of two changes of one document the later one counts.
    pub writes: Vec<Write>,
}

impl Batch {
    /// Whether there is nothing to commit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.writes.is_empty()
    }
}

/// An engine's state after a journal entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last entry that it contains.
    pub sequence: u64,
    /// [`Engine::snapshot`](callfloor_engine::Engine::snapshot).
    pub bytes: Vec<u8>,
}

/// Why storage could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// Another process has taken over since: this one may write nothing more.
    #[error("another process writes this tenant's journal now (epoch {found}, ours {ours}): this one must stop")]
    Fenced {
        /// Ours.
        ours: u64,
        /// The one in force.
        found: u64,
    },
    /// An entry does not follow the last one that is stored.
    #[error("journal entry {found} does not follow entry {last}")]
    Sequence {
        /// The last one stored.
        last: u64,
        /// The one that was to be appended.
        found: u64,
    },
    /// No room. Nothing was written; writing is possible again when there is room.
    #[error("no space is left for {place}: free some, nothing was lost")]
    Full {
        /// What could not grow.
        place: String,
    },
    /// What is stored, or was to be, contradicts itself.
    #[error("{place} is damaged: {what}")]
    Damaged {
        /// Where.
        place: String,
        /// What was found.
        what: String,
    },
    /// Anything else that the backend says.
    #[error("{place}: {what}")]
    Backend {
        /// Where.
        place: String,
        /// Its words.
        what: String,
    },
}

/// The one writer of a tenant's journal and documents.
///
/// Opening takes a new epoch: whoever wrote before is refused from then on ([`StorageError::Fenced`]), whatever it
/// believes.
pub trait Writer: Send {
    /// The epoch under which this writer appends.
    fn epoch(&self) -> u64;

    /// The last entry of the journal; 0 for none.
    ///
    /// # Errors
    /// What the backend says.
    fn last_sequence(&mut self) -> Result<u64, StorageError>;

    /// Makes a batch durable: when this returns, it survives the loss of power.
    ///
    /// # Errors
    /// Then nothing of the batch is stored. After [`StorageError::Fenced`] nothing will ever be accepted again.
    fn commit(&mut self, batch: &Batch) -> Result<(), StorageError>;

    /// Keeps a snapshot, as [`Keeper::put`] does. The journal stays whole: it is an input of `replay`.
    ///
    /// # Errors
    /// As [`Keeper::put`].
    fn put_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StorageError>;

    /// The newest snapshot that is whole.
    ///
    /// # Errors
    /// What the backend says.
    fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError>;

    /// Whoever keeps snapshots beside the writer, under its epoch: a large one takes a second to write, and commits need
    /// not wait for it.
    ///
    /// # Errors
    /// What the backend says.
    fn keeper(&self) -> Result<Box<dyn Keeper>, StorageError>;

    /// Another reader of the same tenant.
    ///
    /// # Errors
    /// What the backend says.
    fn reader(&self) -> Result<Box<dyn Reader>, StorageError>;
}

/// Keeps snapshots, on a thread of its own if the caller likes.
pub trait Keeper: Send {
    /// Keeps a snapshot; older ones but one may go.
    ///
    /// # Errors
    /// [`StorageError::Fenced`] where another writer has taken over, [`StorageError::Sequence`] where the journal has
    /// no such entry; or what the backend says.
    fn put(&mut self, snapshot: &Snapshot) -> Result<(), StorageError>;
}

/// Which documents [`Reader::list`] is to give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range<'a> {
    /// The kind.
    pub kind: Kind,
    /// Which index; `None`: by number.
    pub index: Option<&'a str>,
    /// Least key, inclusive; `None`: from the first. Without an index: [`key_of`] a number.
    pub from: Option<&'a str>,
    /// Greatest key, exclusive; `None`: to the last.
    pub to: Option<&'a str>,
    /// Goes on after this `(key, id)` in the direction asked.
    pub after: Option<(&'a str, u64)>,
    /// Greatest first.
    pub descending: bool,
    /// At most so many.
    pub limit: usize,
}

impl<'a> Range<'a> {
    /// Every document of a kind, by number.
    #[must_use]
    pub const fn all(kind: Kind, limit: usize) -> Self {
        Self { kind, index: None, from: None, to: None, after: None, descending: false, limit }
    }

    /// Documents with exactly this key.
    #[must_use]
    pub const fn with_key(kind: Kind, index: &'a str, key: &'a str, limit: usize) -> Self {
        // An empty `to` cannot be greater than `from`: backends read it as "equal to `from`".
        Self { kind, index: Some(index), from: Some(key), to: Some(""), after: None, descending: false, limit }
    }
}

/// One document of a list, with the key under which it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The key; [`key_of`] the number where no index was asked.
    pub key: String,
    /// The document.
    pub document: Stored,
}

/// Reads what is committed. Several may read beside the writer.
pub trait Reader: Send {
    /// One document.
    ///
    /// # Errors
    /// What the backend says.
    fn get(&mut self, kind: Kind, id: u64) -> Result<Option<Stored>, StorageError>;

    /// Documents of a range, in order of `(key, id)`.
    ///
    /// # Errors
    /// What the backend says.
    fn list(&mut self, range: &Range<'_>) -> Result<Vec<Listed>, StorageError>;

    /// How many documents have keys in a range (`after` and `limit` aside).
    ///
    /// # Errors
    /// What the backend says.
    fn count(&mut self, range: &Range<'_>) -> Result<u64, StorageError>;

    /// As [`count`](Self::count), but no further than to `most`: an answer of `most` means that many or more. O(`most`).
    ///
    /// # Errors
    /// What the backend says.
    fn count_up_to(&mut self, range: &Range<'_>, most: u64) -> Result<u64, StorageError>;

    /// The greatest number of a kind; 0 for none.
    ///
    /// # Errors
    /// What the backend says.
    fn last_id(&mut self, kind: Kind) -> Result<u64, StorageError>;

    /// Gives every journal entry after `sequence` to `each`, in order, until it returns `false`.
    ///
    /// # Errors
    /// What the backend says.
    fn entries(&mut self, after: u64, each: &mut dyn FnMut(Entry) -> bool) -> Result<(), StorageError>;
}
