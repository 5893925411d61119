//! Who watches customers' numbers on the live floor. A screen asks again every few seconds, so the log has an entry for each
//! account and hour and not for each look.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// One entry tells of so much watching.
const EACH: Duration = Duration::from_secs(3_600);

/// Accounts whose watching is in the log, since when. A new process notes everybody anew.
#[derive(Debug, Default)]
pub(crate) struct Watching(Mutex<HashMap<u64, Instant>>);

impl Watching {
    /// Whether the log has an entry of this account that still holds.
    pub(crate) fn is_noted(&self, account: u64, now: Instant) -> bool {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.get(&account).is_some_and(|since| now.saturating_duration_since(*since) < EACH)
    }

    /// The log has an entry of this account from now on; those that hold no more are forgotten.
    pub(crate) fn note(&self, account: u64, now: Instant) {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.retain(|_, since| now.saturating_duration_since(*since) < EACH);
        noted.insert(account, now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_holds_for_an_hour() {
        let (watching, begun) = (Watching::default(), Instant::now());
        assert!(!watching.is_noted(1, begun));
        watching.note(1, begun);
        let later = begun + EACH - Duration::from_secs(1);
        assert!(watching.is_noted(1, later) && !watching.is_noted(2, later));
        watching.note(2, later);
        let next = begun + EACH;
        assert!(!watching.is_noted(1, next) && watching.is_noted(2, next));
        watching.note(3, next);
        assert_eq!(watching.0.lock().unwrap().len(), 2, "who watches no more is forgotten");
    }
}
