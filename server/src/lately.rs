//! Documents that a projection looked at lately: written through, so that they may be forgotten at any time.

use std::collections::BTreeMap;

use crate::document::Document;
use crate::host::Documents;
use crate::storage::StorageError;

/// Most that are remembered.
const REMEMBERED: usize = 20_000;

/// The latest state of some documents, by number.
#[derive(Debug)]
pub(crate) struct Lately<D>(BTreeMap<u64, D>);

impl<D> Default for Lately<D> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<D: Document + Clone> Lately<D> {
    /// Changes a document, made by `new` where there is none yet.
    pub(crate) fn change(
        &mut self,
        documents: &mut Documents,
        id: u64,
        new: impl FnOnce() -> D,
        change: impl FnOnce(&mut D),
    ) -> Result<(), StorageError> {
        if !self.0.contains_key(&id) {
            if self.0.len() >= REMEMBERED {
                self.0.clear();
            }
            let found = documents.get::<D>(id)?.unwrap_or_else(new);
            self.0.insert(id, found);
        }
        let document = self.0.get_mut(&id).expect("it was put there");
        change(document);
        documents.put(document);
        Ok(())
    }

    /// Forgets one that will not be asked for again.
    pub(crate) fn forget(&mut self, id: u64) {
        self.0.remove(&id);
    }
}
