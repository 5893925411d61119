//! Sessions that were looked up lately: most requests come from who has just asked.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::{Account, Session};
use crate::document::Document as _;
use crate::storage::Kind;

/// Whether documents of a kind say who may do what: what was looked up before a change of them is looked up again.
pub(crate) const fn is_credential(kind: Kind) -> bool {
    matches!(kind.as_bytes(), b"session" | b"account")
}

const _: () = assert!(is_credential(Session::KIND) && is_credential(Account::KIND));

/// A server that has lost its store to another does not hear of changes there: it trusts what it knows for no longer than this.
const TRUSTED: Duration = Duration::from_secs(1);
/// Most that are remembered.
const MOST: usize = 10_000;

/// Sessions with their accounts, by the hash of their token.
#[derive(Debug, Default)]
pub(crate) struct LatelySeen(Mutex<HashMap<String, Seen>>);

#[derive(Debug)]
struct Seen {
    /// How often credentials had changed before it was looked up.
    changes: u64,
    at: Instant,
    found: (Session, Account),
}

impl LatelySeen {
    /// What was found for a token, where nothing has changed since.
    pub(super) fn get(&self, token: &str, changes: u64) -> Option<(Session, Account)> {
        let seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.get(token)
            .filter(|seen| seen.changes == changes && seen.at.elapsed() < TRUSTED)
            .map(|seen| seen.found.clone())
    }

    /// Remembers what was found after so many changes.
    pub(super) fn put(&self, token: String, changes: u64, found: (Session, Account)) {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.len() >= MOST {
            seen.clear();
        }
        seen.insert(token, Seen { changes, at: Instant::now(), found });
    }
}
