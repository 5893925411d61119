//! Room for what is large: bodies with files in them, and files that are read. Each takes several times its length in memory
//! while it is worked on, so they take turns.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::http::Problem;

/// Bytes of large bodies that are worked on at once, for all organisations together.
const FOR_ALL: usize = 128 << 20;
/// Bytes for one organisation at once: two of the largest bodies. None takes all the room.
const FOR_ONE: usize = 32 << 20;
/// Bytes for all who have not signed in.
const FOR_EVERYBODY: usize = 64 << 20;
/// Bytes for one address of theirs: one of the largest bodies.
const FOR_ADDRESS: usize = 16 << 20;
/// Who would wait longer for their turn is told to come again.
const PATIENCE: Duration = Duration::from_secs(20);
/// Room is counted in units of so many bytes.
const UNIT: usize = 1 << 10;
/// So many have room of their own before those who use none of it are forgotten.
const REMEMBERED: usize = 1_000;

/// Whose room it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Whose {
    /// An organisation's and its systems'.
    Organisation(String),
    /// All who have not signed in.
    Everybody,
    /// One address of theirs; of IPv6 a whole /64.
    Address(IpAddr),
}

impl Whose {
    const fn bytes(&self) -> usize {
        match self {
            Self::Organisation(_) => FOR_ONE,
            Self::Everybody => FOR_EVERYBODY,
            Self::Address(_) => FOR_ADDRESS,
        }
    }
}

/// The room that there is.
#[derive(Debug)]
pub(super) struct Room {
    all: Arc<Semaphore>,
    own: Mutex<HashMap<Whose, Arc<Semaphore>>>,
    patience: Duration,
}

/// Room that is taken, until the last copy of this is dropped.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    _parts: Arc<[OwnedSemaphorePermit]>,
}

impl Default for Room {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(FOR_ALL / UNIT)), own: Mutex::default(), patience: PATIENCE }
    }
}

impl Room {
    fn own(&self, whose: Whose) -> Arc<Semaphore> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.len() >= REMEMBERED {
            // Whoever has some, or waits for it, holds it too.
            own.retain(|_, room| Arc::strong_count(room) > 1);
        }
        let bytes = whose.bytes();
        Arc::clone(own.entry(whose).or_insert_with(|| Arc::new(Semaphore::new(bytes / UNIT))))
    }

    /// Room for a body of so many bytes, when it is its turn.
    ///
    /// # Errors
    /// 503 where it would have to wait for too long.
    pub(super) async fn for_body(&self, organisation: &str, bytes: usize) -> Result<Taken, Problem> {
        let own = self.own(Whose::Organisation(organisation.to_owned()));
        self.within_patience([own, Arc::clone(&self.all)], bytes).await
    }

    /// Room for a body of so many bytes from somebody who has not signed in, when it is its turn: no address takes all that
    /// there is for them.
    ///
    /// # Errors
    /// 503 where it would have to wait for too long.
    pub(super) async fn for_stranger(&self, network: IpAddr, bytes: usize) -> Result<Taken, Problem> {
        let [own, everybody] = [Whose::Address(network), Whose::Everybody].map(|whose| self.own(whose));
        self.within_patience([own, everybody, Arc::clone(&self.all)], bytes).await
    }

    /// Room for a file of so many bytes that is read and sent: of the organisation's own alone, since whoever is sent it may
    /// take their time.
    ///
    /// # Errors
    /// 503 where it would have to wait for too long.
    pub(super) async fn for_file(&self, organisation: &str, bytes: usize) -> Result<Taken, Problem> {
        // As it is stored, in Base64, and as it is sent.
        self.within_patience([self.own(Whose::Organisation(organisation.to_owned()))], bytes / 3 * 7).await
    }

    /// The same number of bytes in each of these, in this order: who waits in an earlier one holds nothing of a later one.
    async fn within_patience<const N: usize>(
        &self,
        rooms: [Arc<Semaphore>; N],
        bytes: usize,
    ) -> Result<Taken, Problem> {
        let units = u32::try_from(bytes.min(FOR_ONE).div_ceil(UNIT)).expect("some thousands");
        let wait = async {
            let mut parts = Vec::with_capacity(N);
            for room in rooms {
                parts.push(room.acquire_many_owned(units).await.expect("it is never closed"));
            }
            Taken { _parts: parts.into() }
        };
        tokio::time::timeout(self.patience, wait).await.map_err(|_| {
            let detail = "too many large files are on their way: try again in some seconds";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after(5)
        })
    }
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

    #[tokio::test]
    async fn no_address_takes_all_that_strangers_have() {
        let room = Room { patience: Duration::from_millis(50), ..Room::default() };
        let mut held = Vec::new();
        for last in 1..=3 {
            held.push(room.for_stranger([192, 0, 2, last].into(), LARGE).await.expect("there is room"));
            let more = room.for_stranger([192, 0, 2, last].into(), LARGE).await;
            assert_eq!(more.unwrap_err().rule, "busy", "address {last} has one already");
        }
        held.push(room.for_stranger([192, 0, 2, 9].into(), LARGE).await.expect("three leave room for a fourth"));
        assert!(room.for_body("a", LARGE).await.is_ok(), "and organisations have theirs");
        held.clear();
        for address in 0..2_000_u32 {
            room.for_stranger(IpAddr::from(address.to_be_bytes()), LARGE).await.expect("there is room again");
        }
        let remembered = room.own.lock().unwrap().len();
        assert!(remembered <= REMEMBERED + 2, "{remembered}");
    }
}
