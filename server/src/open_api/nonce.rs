//! Nonces that were used: each opens one request. They are as durable as everything else, so that a restart within the
//! window lets no replay through.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::signature::SKEW_S;
use crate::document::Document;
use crate::host::Turn;
use crate::http::Problem;
use crate::storage::{IndexKey, Kind, Range, Reader, StorageError, key_of};

/// Most that are removed by one request: more than it adds, so that they do not pile up.
const SWEPT: usize = 16;

/// A nonce that was used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Nonce {
    /// Of a hash of key and nonce.
    id: u64,
    /// It is kept until this second.
    until_s: u64,
}

impl Document for Nonce {
    const KIND: Kind = "open-nonce";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![IndexKey::new("until", key_of(self.until_s))]
    }
}

/// How long a nonce is kept beyond its time stamp, in seconds: as long again as its request is fresh, should our clock be set back.
const KEPT_S: u64 = 2 * SKEW_S;

/// The number of a nonce: 63 bits of a hash. Two that are one by accident cost a request its repetition, no more.
fn number(key: u64, nonce: &str) -> u64 {
    let hash = Sha256::digest(format!("{key}:{nonce}"));
    let first: [u8; 8] = hash[..8].try_into().expect("a hash has 32 bytes");
    u64::from_be_bytes(first) >> 1
}

/// Nonces that are of no use any more: their requests would be stale.
///
/// # Errors
/// What storage says.
pub(super) fn over(reader: &mut dyn Reader, now_s: u64) -> Result<Vec<u64>, StorageError> {
    let end = key_of(now_s);
    let range = Range { index: Some("until"), to: Some(&end), ..Range::all(Nonce::KIND, SWEPT) };
    Ok(reader.list(&range)?.into_iter().map(|listed| listed.document.id).collect())
}

/// Uses a nonce, and removes some that are over.
///
/// # Errors
/// 401 where it was used before.
pub(super) fn spend(turn: &mut Turn<'_>, key: u64, nonce: &str, timestamp: u64, over: Vec<u64>) -> Result<(), Problem> {
    let now_s = turn.now().as_micros() / 1_000_000;
    let documents = turn.documents();
    let id = number(key, nonce);
    if documents.get::<Nonce>(id)?.is_some() {
        let detail =
            "a request with this nonce was answered before: sign each request, a repeated one too, with a new nonce";
        return Err(Problem::new(StatusCode::UNAUTHORIZED, "replayed-nonce", detail));
    }
    for over in over {
        // It may have been used anew since it was read.
        if documents.get::<Nonce>(over)?.is_some_and(|nonce| nonce.until_s < now_s) {
            documents.delete::<Nonce>(over);
        }
    }
    documents.put(&Nonce { id, until_s: timestamp.saturating_add(KEPT_S) });
    Ok(())
}
