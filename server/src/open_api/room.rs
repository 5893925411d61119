//! Room for what is large: bodies with files in them, and files that are read. Each takes several times its length in memory
//! while it is worked on, so they take turns.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::Problem;

/// Bytes of large bodies that are worked on at once, for all organisations together.
const FOR_ALL: usize = 128 << 20;
/// Bytes for one organisation at once: two of the largest bodies. None takes all the room.
const FOR_ONE: usize = 32 << 20;
/// Who would wait longer for their turn is told to come again.
const PATIENCE: Duration = Duration::from_secs(20);
/// Room is counted in units of so many bytes.
const UNIT: usize = 1 << 10;

/// The room that there is.
#[derive(Debug)]
pub(super) struct Room {
    all: Arc<Semaphore>,
    /// Of each organisation that has ever asked: there are at most some hundreds.
    own: Mutex<HashMap<String, Arc<Semaphore>>>,
    patience: Duration,
}

/// Room that is taken, until the last copy of this is dropped.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    _own: Arc<OwnedSemaphorePermit>,
    _all: Option<Arc<OwnedSemaphorePermit>>,
}

impl Default for Room {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(FOR_ALL / UNIT)), own: Mutex::default(), patience: PATIENCE }
    }
}

impl Room {
    fn own(&self, organisation: &str) -> Arc<Semaphore> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let of = own.entry(organisation.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(FOR_ONE / UNIT)));
        Arc::clone(of)
    }

    /// Room for a body of so many bytes, when it is its turn.
    ///
    /// # Errors
    /// 503 where it would have to wait for too long.
    pub(super) async fn for_body(&self, organisation: &str, bytes: usize) -> Result<Taken, Problem> {
        let wait = async {
            let own = take(self.own(organisation), bytes).await;
            Taken { _own: own, _all: Some(take(Arc::clone(&self.all), bytes).await) }
        };
        self.within_patience(wait).await
    }

    /// Room for a file of so many bytes that is read and sent: of the organisation's own alone, since whoever is sent it may
    /// take their time.
    ///
    /// # Errors
    /// 503 where it would have to wait for too long.
    pub(super) async fn for_file(&self, organisation: &str, bytes: usize) -> Result<Taken, Problem> {
        // As it is stored, in Base64, and as it is sent.
        let wait = async { Taken { _own: take(self.own(organisation), bytes / 3 * 7).await, _all: None } };
        self.within_patience(wait).await
    }

    async fn within_patience(&self, wait: impl Future<Output = Taken>) -> Result<Taken, Problem> {
        tokio::time::timeout(self.patience, wait).await.map_err(|_| {
            let detail = "too many large files are on their way: try again in some seconds";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after(5)
        })
    }
}

async fn take(room: Arc<Semaphore>, bytes: usize) -> Arc<OwnedSemaphorePermit> {
    let units = u32::try_from(bytes.min(FOR_ONE).div_ceil(UNIT)).expect("some thousands");
    Arc::new(room.acquire_many_owned(units).await.expect("it is never closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: usize = 14 << 20;

    #[tokio::test]
    async fn large_bodies_take_turns_and_no_organisation_takes_all() {
        let room = Room { patience: Duration::from_millis(50), ..Room::default() };
        let mut held = Vec::new();
        for organisation in ["a", "b", "c", "d"] {
            for _ in 0..2 {
                held.push(room.for_body(organisation, LARGE).await.expect("there is room"));
            }
            let refused = room.for_body(organisation, LARGE).await.unwrap_err();
            assert_eq!((refused.status, refused.retry_after_s), (503, Some(5)), "{organisation}");
            assert!(room.for_body(organisation, 1 << 20).await.is_ok(), "a smaller one has room beside them");
        }
        assert_eq!(room.for_body("e", 20 << 20).await.unwrap_err().rule, "busy", "there is no more for all");
        assert!(room.for_file("e", 5 << 20).await.is_ok(), "what is read has its organisation's own");
        let copy = held[0].clone();
        held.remove(0);
        assert!(room.for_body("a", LARGE).await.is_err(), "it is still worked on");
        drop(copy);
        assert!(room.for_body("a", LARGE).await.is_ok());
    }
}
