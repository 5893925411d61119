//! What all threads of a run know of the customers who are in the centre: who answers a customer may be played by another thread.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::sip::Micros;

/// A customer who is in the centre.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Case {
    /// The thread that plays them.
    pub(crate) player: usize,
    /// When they were meant to call.
    pub(crate) intended_us: Micros,
    /// When they came to the queue, as far as they can hear.
    pub(crate) queued_us: Micros,
    /// Whether their class goes straight to a queue.
    pub(crate) direct: bool,
    /// Offers of them to operators so far.
    pub(crate) rings: u16,
    /// Handed on without being asked.
    pub(crate) handed_on: bool,
    /// When their class was called back or served by an operator's 200; 0: not yet.
    pub(crate) answered_us: Micros,
}

/// Every customer who is in the centre, by the key of their streams.
#[derive(Debug, Default)]
pub(crate) struct Cases {
    by_id: Mutex<HashMap<u64, Case>>,
    /// Numbers of parties outside whom an operator calls, and for whom, in the order of the orders.
    expected: Mutex<Vec<(String, u64)>>,
    /// Tickets that were entered and are not solved.
    pub(crate) tickets: AtomicU64,
}

impl Cases {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Case>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn insert(&self, id: u64, case: Case) {
        self.lock().insert(id, case);
    }

    pub(crate) fn remove(&self, id: u64) {
        self.lock().remove(&id);
    }

    /// One ticket less is to be solved. One that an earlier run left is solved too, and takes nothing from none.
    pub(crate) fn ticket_is_done(&self) {
        let _ = self.tickets.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
    }

    pub(crate) fn get(&self, id: u64) -> Option<Case> {
        self.lock().get(&id).copied()
    }

    /// Changes a case; of a customer whom another process plays, one is kept until the end of the run.
    pub(crate) fn change<T>(&self, id: u64, change: impl FnOnce(&mut Case) -> T) -> T {
        change(self.lock().entry(id).or_insert_with(|| Case { player: usize::MAX, ..Case::default() }))
    }

    fn lock_expected(&self) -> std::sync::MutexGuard<'_, Vec<(String, u64)>> {
        self.expected.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An operator calls `number` for the sake of customer `id`.
    pub(crate) fn expect(&self, number: &str, id: u64) {
        self.lock_expected().push((number.to_owned(), id));
    }

    /// What an operator ordered last for the sake of customer `id` was refused: nobody is called.
    pub(crate) fn expect_no_more(&self, id: u64) {
        let mut expected = self.lock_expected();
        if let Some(place) = expected.iter().rposition(|(_, of)| *of == id) {
            expected.remove(place);
        }
    }

    /// For whose sake `number` is called: who was the first to wait for it.
    pub(crate) fn take_expected(&self, number: &str) -> Option<u64> {
        let mut expected = self.lock_expected();
        let place = expected.iter().position(|(waits, _)| waits == number)?;
        Some(expected.remove(place).1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_is_refused_is_not_expected() {
        let cases = Cases::default();
        cases.expect("0312345678", 1);
        cases.expect("0312345678", 2);
        cases.expect("0698765432", 1);
        cases.expect_no_more(1);
        assert_eq!(cases.take_expected("0698765432"), None, "the last of theirs");
        assert_eq!(cases.take_expected("0312345678"), Some(1));
        cases.expect_no_more(1);
        assert_eq!(cases.take_expected("0312345678"), Some(2));
        assert_eq!(cases.take_expected("0312345678"), None);
    }
}
