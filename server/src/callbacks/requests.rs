//! How often one address may ask for callbacks: each makes us dial a number that nobody has proved to be theirs.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Callbacks that one address may ask for at once.
const BURST: u32 = 5;
/// After so long it may ask for another.
const EACH: Duration = Duration::from_secs(60);
/// Addresses that are remembered.
const ADDRESSES: usize = 65_536;

/// Until when each address's requests are paid for: never more than `BURST × EACH` ahead.
#[derive(Debug, Default)]
pub(crate) struct Requests(Mutex<HashMap<IpAddr, Instant>>);

impl Requests {
    /// Takes note of a request.
    ///
    /// # Errors
    /// Where the address has asked too often: how long until it may ask again.
    pub(super) fn take(&self, from: IpAddr, now: Instant) -> Result<(), Duration> {
        let mut paid = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if paid.len() >= ADDRESSES && !paid.contains_key(&from) {
            paid.retain(|_, until| *until > now);
            if paid.len() >= ADDRESSES {
                return Err(EACH);
            }
        }
        let until = paid.entry(from).or_insert(now);
        let next = (*until).max(now) + EACH;
        match next.checked_duration_since(now + EACH * BURST) {
            Some(over) if !over.is_zero() => Err(over),
            _ => {
                *until = next;
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A burst passes, then one in a minute; another address is not touched.
    #[test]
    fn one_address_cannot_ask_without_end() {
        let (requests, now) = (Requests::default(), Instant::now());
        let (busy, quiet) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        for _ in 0..BURST {
            assert_eq!(requests.take(busy, now), Ok(()));
        }
        assert_eq!(requests.take(busy, now), Err(EACH));
        assert_eq!(requests.take(busy, now + EACH / 3), Err(EACH - EACH / 3));
        assert_eq!(requests.take(quiet, now), Ok(()));
        assert_eq!(requests.take(busy, now + EACH), Ok(()));
        assert_eq!(requests.take(busy, now + EACH), Err(EACH));
    }
}
