//! Documents as the loop sees them: what is committed, under what is on its way, under what this turn has changed.

use std::collections::{BTreeMap, HashMap};

use crate::document::{Document, decode, encode};
use crate::storage::{IndexKey, Kind, Range, Reader, StorageError, Stored, Write};

/// A document's new text and keys, or that it is gone.
type Change = Option<(String, Vec<IndexKey>)>;

/// Documents to read and change within a turn. Changes become durable with the turn's journal entries, or not at all.
pub struct Documents {
    reader: Box<dyn Reader>,
    /// Changed in this turn.
    turn: BTreeMap<(Kind, u64), Change>,
    /// Changed in turns whose commit is not confirmed, with the commit's number.
    pending: HashMap<(Kind, u64), (u64, Change)>,
    last_ids: HashMap<Kind, u64>,
    /// Whose account asked for what this turn does; `None` for the world and for time.
    actor: Option<u64>,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").field("turn", &self.turn.len()).field("pending", &self.pending.len()).finish()
    }
}

impl Documents {
    pub(super) fn new(reader: Box<dyn Reader>) -> Self {
        Self { reader, turn: BTreeMap::new(), pending: HashMap::new(), last_ids: HashMap::new(), actor: None }
    }

    /// One document.
    ///
    /// # Errors
    /// What storage says.
    pub fn get<D: Document>(&mut self, id: u64) -> Result<Option<D>, StorageError> {
        let at = (D::KIND, id);
        let changed = self.turn.get(&at).or_else(|| self.pending.get(&at).map(|(_, change)| change));
        match changed {
            Some(Some((body, _))) => decode(&Stored { id, body: body.clone() }).map(Some),
            Some(None) => Ok(None),
            None => self.reader.get(D::KIND, id)?.as_ref().map(decode).transpose(),
        }
    }

    /// The documents with a key, at most `limit` of what is committed and all of what is on its way.
    ///
    /// # Errors
    /// What storage says.
    pub fn with_key<D: Document>(&mut self, index: &str, key: &str, limit: usize) -> Result<Vec<D>, StorageError> {
        self.gather(&Range::with_key(D::KIND, index, key, limit), |entry| entry.index == index && entry.key == key)
    }

    /// The documents with a key that begins with `prefix`, which ends with a colon: at most `limit` of what is committed
    /// and all of what is on its way.
    ///
    /// # Errors
    /// What storage says.
    pub fn with_prefix<D: Document>(
        &mut self,
        index: &str,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<D>, StorageError> {
        let end = prefix.strip_suffix(':').map(|of| format!("{of};"));
        let all = Range::all(D::KIND, limit);
        let range = Range { index: Some(index), from: Some(prefix), to: end.as_deref(), ..all };
        self.gather(&range, |entry| entry.index == index && entry.key.starts_with(prefix))
    }

    /// The last documents whose key of an index begins with a text that ends with `:`, by number; no more than `most` are read.
    ///
    /// # Errors
    /// What storage says.
    pub fn last_with_prefix<D: Document>(
        &mut self,
        index: &str,
        prefix: &str,
        most: usize,
    ) -> Result<Vec<D>, StorageError> {
        let end = prefix.strip_suffix(':').map(|of| format!("{of};"));
        let all = Range::all(D::KIND, most);
        let range = Range { index: Some(index), from: Some(prefix), to: end.as_deref(), descending: true, ..all };
        let mut found = self.gather(&range, |entry| entry.index == index && entry.key.starts_with(prefix))?;
        found.drain(..found.len().saturating_sub(most));
        Ok(found)
    }

    /// What is committed in a range, under what is on its way with keys that `fit`.
    fn gather<D: Document>(
        &mut self,
        range: &Range<'_>,
        fits: impl Fn(&IndexKey) -> bool,
    ) -> Result<Vec<D>, StorageError> {
        let mut found = BTreeMap::new();
        for listed in self.reader.list(range)? {
            found.insert(listed.document.id, listed.document);
        }
        let on_the_way = self.pending.iter().map(|(at, (_, change))| (at, change));
        for (&(_, id), change) in on_the_way.chain(&self.turn).filter(|((kind, _), _)| *kind == D::KIND) {
            found.remove(&id);
            if let Some((body, keys)) = change
                && keys.iter().any(&fits)
            {
                found.insert(id, Stored { id, body: body.clone() });
            }
        }
        found.values().map(decode).collect()
    }

    /// The document with a key that only one has.
    ///
    /// # Errors
    /// What storage says.
    pub fn find<D: Document>(&mut self, index: &str, key: &str) -> Result<Option<D>, StorageError> {
        Ok(self.with_key(index, key, 1)?.into_iter().next())
    }

    /// Puts a document in place of what was there.
    pub fn put<D: Document>(&mut self, document: &D) {
        self.turn.insert((D::KIND, document.id()), Some((encode(document), document.keys())));
    }

    /// Removes a document; nothing happens where there is none.
    pub fn delete<D: Document>(&mut self, id: u64) {
        self.turn.insert((D::KIND, id), None);
    }

    /// A number that no document of the kind has had in this store, unless the greatest was deleted.
    ///
    /// # Errors
    /// What storage says.
    pub fn next_id<D: Document>(&mut self) -> Result<u64, StorageError> {
        self.next_id_from::<D>(1)
    }

    /// The same, and at least `least`: the numbers below are taken otherwise.
    ///
    /// # Errors
    /// What storage says.
    pub fn next_id_from<D: Document>(&mut self, least: u64) -> Result<u64, StorageError> {
        let next = (self.last_id::<D>()? + 1).max(least);
        self.last_ids.insert(D::KIND, next);
        Ok(next)
    }

    /// The greatest number that was given out; 0 before the first.
    ///
    /// # Errors
    /// What storage says.
    pub fn last_id<D: Document>(&mut self) -> Result<u64, StorageError> {
        if let Some(&last) = self.last_ids.get(D::KIND) {
            return Ok(last);
        }
        let pending = self.pending.keys().chain(self.turn.keys()).filter(|(kind, _)| *kind == D::KIND);
        let pending = pending.map(|&(_, id)| id).max().unwrap_or(0);
        let last = self.reader.last_id(D::KIND)?.max(pending);
        self.last_ids.insert(D::KIND, last);
        Ok(last)
    }

    /// Whose account asked for what this turn does; `None` for the world and for time.
    #[must_use]
    pub const fn actor(&self) -> Option<u64> {
        self.actor
    }

    /// From here to the end of the turn what is done was asked for by this account.
    pub const fn acts(&mut self, account: u64) {
        self.actor = Some(account);
    }

    /// What is done now, nobody asked for; gives who acted until here.
    pub(super) const fn lets_time_act(&mut self) -> Option<u64> {
        self.actor.take()
    }

    /// Forgets what this turn changed.
    pub(super) fn roll_back(&mut self) {
        self.actor = None;
        self.turn.clear();
    }

    /// Hands this turn's changes to commit `number`.
    pub(super) fn take_turn(&mut self, number: u64, writes: &mut Vec<Write>) {
        self.actor = None;
        for ((kind, id), change) in std::mem::take(&mut self.turn) {
            writes.push(match &change {
                Some((body, keys)) => Write::Put { kind, id, body: body.clone(), keys: keys.clone() },
                None => Write::Delete { kind, id },
            });
            self.pending.insert((kind, id), (number, change));
        }
    }

    /// Commits up to `number` are durable: readers see them.
    pub(super) fn confirmed(&mut self, number: u64) {
        self.pending.retain(|_, (commit, _)| *commit > number);
    }
}
