//! Documents as the loop sees them: what is committed, under what is on its way, under what this turn has changed.

use std::any::Any;
use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::document::{Document, decode, encode};
use crate::storage::{IndexKey, Kind, Range, Reader, StorageError, Write};

/// A document of any kind.
trait AnyDocument: Any + Send + Sync {
    fn body(&self) -> String;
    fn index_keys(&self) -> Vec<IndexKey>;
    fn is_remembered(&self) -> bool;
}

impl<D: Document> AnyDocument for D {
    fn body(&self) -> String {
        encode(self)
    }

    fn index_keys(&self) -> Vec<IndexKey> {
        self.keys()
    }

    fn is_remembered(&self) -> bool {
        D::IS_REMEMBERED && !self.is_over()
    }
}

/// A document as it was left, or that there is none.
type Left = Option<Arc<dyn AnyDocument>>;

/// A document that was changed.
struct Changed {
    left: Left,
    /// Its index entries, once somebody has asked for them.
    keys: OnceCell<Vec<IndexKey>>,
}

impl Changed {
    const fn new(left: Left) -> Self {
        Self { left, keys: OnceCell::new() }
    }

    fn keys(&self) -> &[IndexKey] {
        self.keys.get_or_init(|| self.left.as_ref().map_or_else(Vec::new, |document| document.index_keys()))
    }
}

type Layer = BTreeMap<(Kind, u64), Changed>;

/// Documents to read and change within a turn. Changes become durable with the turn's journal entries, or not at all.
pub struct Documents {
    reader: Box<dyn Reader>,
    /// Changed in this turn.
    turn: Layer,
    /// Changed in earlier turns of the commit that is being gathered.
    gathered: Layer,
    /// Changed in the commit that is on its way.
    sent: Layer,
    /// Committed, of kinds that are asked for again and again.
    known: Known,
    /// Committed documents with a key, by index and key, of kinds that seldom change.
    lists: HashMap<Kind, HashMap<String, Vec<u64>>>,
    last_ids: HashMap<Kind, u64>,
    /// Whose account asked for what this turn does; `None` for the world and for time.
    actor: Option<u64>,
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").field("turn", &self.turn.len()).field("gathered", &self.gathered.len()).finish()
    }
}

/// What was looked at lately: those of a generation, and of the one before.
#[derive(Default)]
struct Known {
    young: HashMap<(Kind, u64), Left>,
    old: HashMap<(Kind, u64), Left>,
}

/// Documents of a generation.
const GENERATION: usize = 10_000;

impl Known {
    fn get(&mut self, at: (Kind, u64)) -> Option<Left> {
        if let Some(found) = self.young.get(&at) {
            return Some(found.clone());
        }
        let found = self.old.remove(&at)?;
        self.put(at, found.clone());
        Some(found)
    }

    fn put(&mut self, at: (Kind, u64), left: Left) {
        if self.young.len() >= GENERATION {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&at);
        self.young.insert(at, left);
    }

    fn forget(&mut self, at: (Kind, u64)) {
        self.old.remove(&at);
        self.young.remove(&at);
    }
}

/// The same document, of its own kind.
fn typed<D: Document>(document: Arc<dyn AnyDocument>) -> Arc<D> {
    let any: Arc<dyn Any + Send + Sync> = document;
    any.downcast().unwrap_or_else(|_| panic!("documents of the kind {} are of one type", D::KIND))
}

impl Documents {
    pub(super) fn new(reader: Box<dyn Reader>) -> Self {
        Self {
            reader,
            turn: Layer::new(),
            gathered: Layer::new(),
            sent: Layer::new(),
            known: Known::default(),
            lists: HashMap::new(),
            last_ids: HashMap::new(),
            actor: None,
        }
    }

    /// One document.
    ///
    /// # Errors
    /// What storage says.
    pub fn get<D: Document>(&mut self, id: u64) -> Result<Option<D>, StorageError> {
        Ok(self.shared(id)?.map(Arc::unwrap_or_clone))
    }

    fn shared<D: Document>(&mut self, id: u64) -> Result<Option<Arc<D>>, StorageError> {
        let at = (D::KIND, id);
        let on_the_way = [&self.turn, &self.gathered, &self.sent].into_iter().find_map(|layer| layer.get(&at));
        if let Some(left) = on_the_way.map(|changed| changed.left.clone()).or_else(|| self.known.get(at)) {
            return Ok(left.map(typed));
        }
        let found: Option<D> = self.reader.get(D::KIND, id)?.as_ref().map(decode).transpose()?;
        let found = found.map(Arc::new);
        if D::IS_REMEMBERED {
            self.known.put(at, found.clone().map(|found| found as _));
        }
        Ok(found)
    }

    /// Changes a document, made by `new` where there is none.
    ///
    /// # Errors
    /// What storage says.
    pub(crate) fn change<D: Document>(
        &mut self,
        id: u64,
        new: impl FnOnce() -> D,
        change: impl FnOnce(&mut D),
    ) -> Result<(), StorageError> {
        let mut document = self.take(id)?.unwrap_or_else(|| Arc::new(new()));
        change(Arc::make_mut(&mut document));
        self.turn.insert((D::KIND, id), Changed::new(Some(document)));
        Ok(())
    }

    /// Changes a document; nothing happens where there is none.
    ///
    /// # Errors
    /// What storage says.
    pub fn edit<D: Document>(&mut self, id: u64, edit: impl FnOnce(&mut D)) -> Result<(), StorageError> {
        if let Some(mut document) = self.take(id)? {
            edit(Arc::make_mut(&mut document));
            self.turn.insert((D::KIND, id), Changed::new(Some(document)));
        }
        Ok(())
    }

    /// A document to be changed and put back: what this turn has of it is taken out, so that it is not copied for every change.
    fn take<D: Document>(&mut self, id: u64) -> Result<Option<Arc<D>>, StorageError> {
        match self.turn.get_mut(&(D::KIND, id)) {
            Some(changed) => Ok(changed.left.take().map(typed)),
            None => self.shared(id),
        }
    }

    /// The documents with a key, at most `limit` of what is committed and all of what is on its way.
    ///
    /// # Errors
    /// What storage says.
    pub fn with_key<D: Document>(&mut self, index: &str, key: &str, limit: usize) -> Result<Vec<D>, StorageError> {
        let range = Range::with_key(D::KIND, index, key, limit);
        let fits = |entry: &IndexKey| entry.index == index && entry.key == key;
        if !D::LISTS_ARE_REMEMBERED {
            return self.gather(&range, fits);
        }
        let of = format!("{index}:{key}");
        let remembered = self.lists.get(D::KIND).and_then(|lists| lists.get(&of));
        let ids = match remembered {
            Some(ids) => ids.clone(),
            None => {
                let listed = self.reader.list(&Range { limit: usize::MAX, ..range })?;
                let ids: Vec<u64> = listed.iter().map(|listed| listed.document.id).collect();
                self.lists.entry(D::KIND).or_default().insert(of, ids.clone());
                ids
            }
        };
        let mut found = BTreeMap::new();
        for id in ids.into_iter().take(limit) {
            // One that is on its way may have gone, or have another key now.
            if !self.is_on_the_way((D::KIND, id))
                && let Some(document) = self.get(id)?
            {
                found.insert(id, document);
            }
        }
        self.add_those_on_the_way(&mut found, fits);
        Ok(found.into_values().collect())
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
            found.insert(listed.document.id, decode(&listed.document)?);
        }
        self.add_those_on_the_way(&mut found, fits);
        Ok(found.into_values().collect())
    }

    fn is_on_the_way(&self, at: (Kind, u64)) -> bool {
        [&self.turn, &self.gathered, &self.sent].into_iter().any(|layer| layer.contains_key(&at))
    }

    /// Puts what is on its way with keys that `fit` over what is committed.
    fn add_those_on_the_way<D: Document>(&self, found: &mut BTreeMap<u64, D>, fits: impl Fn(&IndexKey) -> bool) {
        let on_the_way = [&self.sent, &self.gathered, &self.turn].into_iter();
        for (&(_, id), changed) in on_the_way.flat_map(|layer| layer.range((D::KIND, 0)..=(D::KIND, u64::MAX))) {
            found.remove(&id);
            if let Some(document) = &changed.left
                && changed.keys().iter().any(&fits)
            {
                found.insert(id, Arc::unwrap_or_clone(typed(Arc::clone(document))));
            }
        }
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
        self.turn.insert((D::KIND, document.id()), Changed::new(Some(Arc::new(document.clone()))));
    }

    /// Removes a document; nothing happens where there is none.
    pub fn delete<D: Document>(&mut self, id: u64) {
        self.turn.insert((D::KIND, id), Changed::new(None));
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
        let on_the_way = [&self.turn, &self.gathered, &self.sent].into_iter();
        let on_the_way = on_the_way.flat_map(|layer| layer.range((D::KIND, 0)..=(D::KIND, u64::MAX)).next_back());
        let on_the_way = on_the_way.map(|(&(_, id), _)| id).max().unwrap_or(0);
        let last = self.reader.last_id(D::KIND)?.max(on_the_way);
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

    /// Adds this turn's changes to the commit that is being gathered.
    pub(super) fn keep_turn(&mut self) {
        self.actor = None;
        // One after the other: `append` would go over all that was gathered.
        while let Some((at, changed)) = self.turn.pop_first() {
            self.gathered.insert(at, changed);
        }
    }

    /// What the commit that was gathered writes. The one before it is durable.
    pub(super) fn send(&mut self) -> Vec<Write> {
        for (at, changed) in std::mem::replace(&mut self.sent, std::mem::take(&mut self.gathered)) {
            // A list may be of the state before it.
            self.lists.remove(at.0);
            match changed.left {
                Some(document) if document.is_remembered() => self.known.put(at, Some(document)),
                _ => self.known.forget(at),
            }
        }
        let writes = self.sent.iter().map(|(&(kind, id), changed)| match &changed.left {
            Some(document) => Write::Put { kind, id, body: document.body(), keys: changed.keys().to_vec() },
            None => Write::Delete { kind, id },
        });
        writes.collect()
    }
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    use super::*;
    use crate::storage::sqlite::SqliteStorage;
    use crate::storage::{Batch, Writer};

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Note<const LISTS: bool> {
        id: u64,
        text: String,
    }

    impl<const LISTS: bool> Document for Note<LISTS> {
        const KIND: Kind = "note";
        const IS_REMEMBERED: bool = true;
        const LISTS_ARE_REMEMBERED: bool = LISTS;

        fn id(&self) -> u64 {
            self.id
        }

        fn keys(&self) -> Vec<IndexKey> {
            vec![IndexKey::new("text", self.text.as_str())]
        }
    }

    fn note<const LISTS: bool>(id: u64, text: &str) -> Note<LISTS> {
        Note { id, text: text.into() }
    }

    /// A commit is sent and made, as the loop and the committer do it.
    fn commit(documents: &mut Documents, writer: &mut SqliteStorage) -> usize {
        let writes = documents.send();
        let count = writes.len();
        writer.commit(&Batch { entries: Vec::new(), writes }).expect("commits");
        count
    }

    #[test]
    fn a_document_is_seen_as_it_was_left_however_far_its_change_has_come() {
        seen_as_left::<false>();
        seen_as_left::<true>();
    }

    fn seen_as_left<const LISTS: bool>() {
        let directory = tempfile::tempdir().expect("a directory");
        let mut writer = SqliteStorage::open(directory.path()).expect("opens");
        let mut documents = Documents::new(writer.reader().expect("reads"));
        documents.put(&note::<LISTS>(1, "a"));
        documents.put(&note::<LISTS>(2, "a"));
        documents.keep_turn();
        documents.edit(1, |note: &mut Note<LISTS>| note.text.push('b')).expect("reads");
        documents.roll_back();
        assert_eq!(documents.get::<Note<LISTS>>(1).expect("reads"), Some(note(1, "a")), "the turn before it is kept");
        // Whatever way a change has come, the latest counts: sent, gathered, of this turn.
        commit(&mut documents, &mut writer);
        documents.edit(1, |note: &mut Note<LISTS>| note.text = "c".into()).expect("reads");
        documents.keep_turn();
        documents.change(2, || unreachable!(), |note: &mut Note<LISTS>| note.text = "c".into()).expect("reads");
        documents.delete::<Note<LISTS>>(3);
        documents.edit(3, |_: &mut Note<LISTS>| unreachable!("there is none")).expect("reads");
        documents.put(&note::<LISTS>(4, "c"));
        documents.edit(4, |note: &mut Note<LISTS>| note.text = "d".into()).expect("reads");
        let found =
            |documents: &mut Documents, text| documents.with_key::<Note<LISTS>>("text", text, 9).expect("reads");
        assert_eq!(found(&mut documents, "c"), [note(1, "c"), note(2, "c")]);
        assert_eq!((found(&mut documents, "a"), found(&mut documents, "d")), (Vec::new(), vec![note(4, "d")]));
        assert_eq!(documents.next_id::<Note<LISTS>>().expect("reads"), 5);
        documents.keep_turn();
        assert_eq!(commit(&mut documents, &mut writer), 4, "each is written once, as it was left");
        documents.delete::<Note<LISTS>>(1);
        documents.keep_turn();
        commit(&mut documents, &mut writer);
        assert_eq!(documents.get::<Note<LISTS>>(1).expect("reads"), None);
        assert_eq!(found(&mut documents, "c"), [note(2, "c")]);
        commit(&mut documents, &mut writer);
        assert_eq!(documents.get::<Note<LISTS>>(1).expect("reads"), None, "nor is it remembered");
        assert_eq!(
            Documents::new(writer.reader().expect("reads")).get::<Note<LISTS>>(4).expect("reads"),
            Some(note(4, "d"))
        );
    }

    #[test]
    fn what_was_not_asked_for_lately_is_forgotten() {
        let mut known = Known::default();
        let put = |known: &mut Known, ids: std::ops::Range<u64>| ids.for_each(|id| known.put(("note", id), None));
        put(&mut known, 0..10_000);
        assert!(known.get(("note", 0)).is_some());
        put(&mut known, 10_000..19_000);
        assert!(known.get(("note", 0)).is_some(), "those of the generation before are known still");
        put(&mut known, 19_000..25_000);
        assert!(known.get(("note", 0)).is_some() && known.get(("note", 1)).is_none());
        known.forget(("note", 0));
        assert!(known.get(("note", 0)).is_none());
        assert!(known.young.len() + known.old.len() <= 2 * GENERATION);
    }
}
