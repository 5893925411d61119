//! How often signing in may fail: for an address, for a login from one address, for a login from addresses where it is not
//! at home, and for all at once. Nobody is locked out: whoever waits as long as they are told may try again, the right
//! password costs nothing however many share an address, and guesses from elsewhere do not hold up who signed in here before.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use crate::http::{ClientAddress, Problem};

/// Failures that an address may have at once, and how long it takes to get one back.
const OF_ADDRESS: Allowance = Allowance { most: 60, each: Duration::from_secs(1) };
/// Failures that a login may have at once from addresses where it is not at home.
const OF_LOGIN: Allowance = Allowance { most: 50, each: Duration::from_secs(10) };
/// Wrong passwords that an address has for one login before it must wait.
const FREE_FAILURES: u32 = 5;
/// The first wait; each further failure doubles it.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// Failures are forgotten this long after the last one.
const FORGOTTEN: Duration = Duration::from_secs(15 * 60);
/// Most addresses, logins and pairs of them that are remembered; more share what there is by the bound on verifying.
const REMEMBERED: usize = 20_000;
/// Passwords that are verified at once: each takes 19 MiB and a core for tens of milliseconds.
const AT_ONCE: usize = 4;
/// Who would wait longer for their turn is told to come again.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug)]
struct Allowance {
    most: u32,
    each: Duration,
}

#[derive(Clone, Copy, Debug)]
struct Failures {
    count: u32,
    last: Instant,
}

/// What is remembered of tries to sign in.
pub(crate) struct SignInLimits {
    tries: Mutex<Tries>,
    verifying: Arc<Semaphore>,
    key: [u8; 32],
}

/// Buckets hold the moment at which they are whole again.
#[derive(Debug, Default)]
struct Tries {
    addresses: HashMap<IpAddr, Instant>,
    logins: HashMap<Typed, Instant>,
    pairs: HashMap<(IpAddr, Typed), Failures>,
    /// Where a login has been right, and when it last was.
    at_home: HashMap<(IpAddr, Typed), Instant>,
}

/// A login as it was typed: a hash under a key of this process. What is typed into the wrong field may be a password, and may be
/// long: neither is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Typed([u8; 16]);

impl Default for SignInLimits {
    fn default() -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the system gives random bytes");
        Self { tries: Mutex::default(), verifying: Arc::new(Semaphore::new(AT_ONCE)), key }
    }
}

impl std::fmt::Debug for SignInLimits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SignInLimits").field("tries", &self.tries).finish_non_exhaustive()
    }
}

fn too_many(wait: Duration) -> Problem {
    let seconds = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
    let detail = format!("too many tries to sign in: try again in {seconds} s");
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-tries", detail).retry_after(seconds)
}

fn network(address: IpAddr) -> IpAddr {
    ClientAddress(address).network()
}

impl Allowance {
    /// How long until there is one more.
    fn wait<K: Eq + Hash>(self, buckets: &HashMap<K, Instant>, key: &K, now: Instant) -> Duration {
        let whole_at = buckets.get(key).map_or(now, |whole_at| (*whole_at).max(now));
        (whole_at + self.each).saturating_duration_since(now).saturating_sub(self.each * self.most)
    }

    fn take<K: Eq + Hash>(self, buckets: &mut HashMap<K, Instant>, key: K, now: Instant) {
        if buckets.len() >= REMEMBERED {
            buckets.retain(|_, whole_at| *whole_at > now);
        }
        if buckets.len() < REMEMBERED || buckets.contains_key(&key) {
            let whole_at = buckets.entry(key).or_insert(now);
            *whole_at = (*whole_at).max(now) + self.each;
        }
    }
}

impl SignInLimits {
    fn typed(&self, login: &str) -> Typed {
        let hash = Sha256::new().chain_update(self.key).chain_update(login.to_lowercase()).finalize();
        Typed(*hash.first_chunk().expect("a hash has 32 bytes"))
    }

    /// Whether this address may try this login now.
    ///
    /// # Errors
    /// 429, with the time to wait.
    pub(super) fn admit(&self, address: IpAddr, login: &str, now: Instant) -> Result<(), Problem> {
        let tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = (network(address), self.typed(login));
        let mut wait = OF_ADDRESS.wait(&tries.addresses, &pair.0, now);
        if let Some(failures) = tries.pairs.get(&pair) {
            wait = wait.max((failures.last + wait_after(failures.count)).saturating_duration_since(now));
        }
        if !tries.at_home.contains_key(&pair) {
            wait = wait.max(OF_LOGIN.wait(&tries.logins, &pair.1, now));
        }
        if wait.is_zero() { Ok(()) } else { Err(too_many(wait)) }
    }

    /// Verifies or hashes passwords when it is our turn, away from everything else. Whoever asked may go away meanwhile: the
    /// turn lasts as long as the work.
    ///
    /// # Errors
    /// 429, where too many others wait.
    pub(super) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let turn = tokio::time::timeout(PATIENCE, Arc::clone(&self.verifying).acquire_owned()).await;
        let turn = turn.map_err(|_| too_many(PATIENCE))?.expect("the turns are never closed");
        let done = tokio::task::spawn_blocking(move || {
            let done = work();
            drop(turn);
            done
        });
        Ok(done.await.expect("verifying and hashing do not panic"))
    }

    /// The password was wrong.
    pub(super) fn failed(&self, address: IpAddr, login: &str, now: Instant) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = (network(address), self.typed(login));
        OF_ADDRESS.take(&mut tries.addresses, pair.0, now);
        if !tries.at_home.contains_key(&pair) {
            OF_LOGIN.take(&mut tries.logins, pair.1, now);
        }
        if tries.pairs.len() >= REMEMBERED {
            tries.pairs.retain(|_, failures| now.saturating_duration_since(failures.last) < LONGEST_WAIT);
        }
        if tries.pairs.len() < REMEMBERED {
            let of = tries.pairs.entry(pair).or_insert(Failures { count: 0, last: now });
            let before = if now.saturating_duration_since(of.last) > FORGOTTEN { 0 } else { of.count };
            *of = Failures { count: before.saturating_add(1), last: now };
        }
    }

    /// The password was right: what was mistyped before is forgotten.
    pub(super) fn succeeded(&self, address: IpAddr, login: &str, now: Instant) {
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        let pair = (network(address), self.typed(login));
        tries.pairs.remove(&pair);
        if tries.at_home.len() >= REMEMBERED && !tries.at_home.contains_key(&pair) {
            // Whoever has not been there for longest makes room, a half of all at a time.
            let mut seen: Vec<Instant> = tries.at_home.values().copied().collect();
            let (_, middle, _) = seen.select_nth_unstable(REMEMBERED / 2);
            let middle = *middle;
            tries.at_home.retain(|_, last| *last > middle);
        }
        tries.at_home.insert(pair, now);
    }
}

fn wait_after(failures: u32) -> Duration {
    match failures.checked_sub(FREE_FAILURES) {
        None => Duration::ZERO,
        Some(beyond) => FIRST_WAIT.saturating_mul(2u32.saturating_pow(beyond)).min(LONGEST_WAIT),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::auth::NewSecret;

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

    fn elsewhere(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    #[test]
    fn waits_grow_and_end() {
        let (limits, mut now) = (SignInLimits::default(), Instant::now());
        let mut waits = Vec::new();
        for _ in 0..14 {
            while let Err(problem) = limits.admit(ADDRESS, "admin", now) {
                let wait = problem.retry_after_s.unwrap();
                waits.push(wait);
                now += Duration::from_secs(u64::from(wait));
            }
            limits.failed(ADDRESS, "admin", now);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert!(limits.admit(elsewhere(1), "admin", now).is_ok(), "the honest one elsewhere is not held up");
        assert!(limits.admit(ADDRESS, "op1", now).is_ok(), "nor another login behind the same address");
        now += Duration::from_secs(60);
        assert!(limits.admit(ADDRESS, "Admin", now).is_ok());
        limits.succeeded(ADDRESS, "admin", now);
        limits.failed(ADDRESS, "admin", now);
        assert!(limits.admit(ADDRESS, "admin", now).is_ok(), "what was mistyped before is forgotten");
    }

    /// A whole centre behind one address signs in at once; who guesses there at many logins is held up.
    #[test]
    fn an_address_has_so_many_failures_and_gets_them_back() {
        let (limits, now) = (SignInLimits::default(), Instant::now());
        for one in 0..1_000 {
            let login = format!("operator {one}");
            limits.admit(ADDRESS, &login, now).unwrap();
            limits.succeeded(ADDRESS, &login, now);
        }
        let guesses = |address: &dyn Fn(u8) -> IpAddr, now| {
            let admitted = (0..100u8).filter(|&one| {
                let login = format!("login {one}");
                let admitted = limits.admit(address(one), &login, now).is_ok();
                if admitted {
                    limits.failed(address(one), &login, now);
                }
                admitted
            });
            admitted.count()
        };
        assert_eq!(guesses(&|_| ADDRESS, now), 60);
        assert_eq!(guesses(&|_| ADDRESS, now + Duration::from_secs(10)), 10);
        let near = |last: u8| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, u16::from(last)]);
        assert_eq!(guesses(&near, now), 60, "one network of IPv6 is one address");
    }

    /// Guesses at one login from everywhere are held up; its owner, where they have signed in before, is not.
    #[test]
    fn guesses_from_many_addresses_do_not_hold_up_who_is_at_home() {
        let (limits, now) = (SignInLimits::default(), Instant::now());
        limits.succeeded(ADDRESS, "admin", now);
        let guesses = (0..200u8).filter(|&one| {
            let admitted = limits.admit(elsewhere(one), "admin", now).is_ok();
            if admitted {
                limits.failed(elsewhere(one), "admin", now);
            }
            admitted
        });
        assert_eq!(guesses.count(), 50);
        assert!(limits.admit(ADDRESS, "admin", now).is_ok());
        assert!(limits.admit(elsewhere(250), "admin", now).is_err());
        assert!(limits.admit(elsewhere(250), "admin", now + Duration::from_secs(10)).is_ok());
    }

    #[test]
    fn what_was_typed_is_not_remembered_and_no_more_than_so_many_are() {
        let (limits, mut now) = (SignInLimits::default(), Instant::now());
        limits.failed(ADDRESS, "main/correct-horse-battery", now);
        limits.succeeded(ADDRESS, "main/anna.the.first", now);
        let shown = format!("{limits:?}");
        assert!(!shown.contains("horse") && !shown.contains("anna"), "{shown}");
        for one in 0..REMEMBERED + 2_000 {
            let address = IpAddr::from(u32::try_from(one / 100).unwrap().to_be_bytes());
            limits.failed(address, &format!("{one} {}", "x".repeat(1_000)), now);
            now += Duration::from_millis(1);
            limits.succeeded(address, &format!("{one}"), now);
        }
        let tries = limits.tries.lock().unwrap();
        let kept = [tries.addresses.len(), tries.logins.len(), tries.pairs.len(), tries.at_home.len()];
        assert!(kept.iter().all(|kept| *kept <= REMEMBERED), "{kept:?}");
        let last = REMEMBERED + 2_000 - 1;
        let address = IpAddr::from(u32::try_from(last / 100).unwrap().to_be_bytes());
        assert!(tries.at_home.contains_key(&(address, limits.typed(&last.to_string()))), "the newest are at home");
    }

    /// Who goes away while their password is verified gives no more of them their turn at once.
    #[tokio::test]
    async fn so_many_are_verified_at_once_whoever_waits_for_it() {
        let limits = Arc::new(SignInLimits::default());
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut left = Vec::new();
        for _ in 0..4 * AT_ONCE {
            let (limits, now, most) = (Arc::clone(&limits), Arc::clone(&now), Arc::clone(&most));
            let work = move || {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(40));
                now.fetch_sub(1, Ordering::SeqCst);
            };
            let asks = tokio::spawn(async move { limits.in_turn(work).await });
            tokio::time::sleep(Duration::from_millis(2)).await;
            asks.abort();
            left.push(asks);
        }
        for asks in left {
            let _ = asks.await;
        }
        limits.in_turn(|| ()).await.unwrap();
        let most = most.load(Ordering::SeqCst);
        assert!((1..=AT_ONCE).contains(&most), "{most} at once");
    }

    /// The first password of an organisation's administrator is hashed beside nobody's either.
    #[tokio::test]
    async fn a_password_that_is_made_here_waits_for_its_turn() {
        let limits = SignInLimits::default();
        let turns = limits.verifying.acquire_many(u32::try_from(AT_ONCE).unwrap()).await.unwrap();
        let password = NewSecret::password();
        let mut hashing = std::pin::pin!(password.password_hash(&limits));
        let early = tokio::time::timeout(Duration::from_millis(500), &mut hashing).await;
        assert!(early.is_err(), "all turns are taken");
        drop(turns);
        assert!(hashing.await.unwrap().starts_with("$argon2id$"));
    }
}
