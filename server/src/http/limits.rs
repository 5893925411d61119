//! How much one may ask for: reads and writes apart, each account and key for itself, and an address for whoever has neither;
//! and how many streams one may have.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use super::address::ClientAddress;
use super::{App, Problem};
use crate::auth::Principal;
use crate::config;

/// Whose allowance is used.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// An account of an organisation.
    Account(String, u64),
    /// A machine's key.
    Key(String, u64),
    /// Everybody at an address who is not signed in; of IPv6 a whole /64.
    Address(IpAddr),
}

impl Who {
    /// Somebody who is signed in.
    pub(crate) fn is(principal: &Principal) -> Self {
        let organisation = principal.tenant.name.clone();
        if principal.machine {
            Self::Key(organisation, principal.account)
        } else {
            Self::Account(organisation, principal.account)
        }
    }

    /// Somebody who is not.
    pub(crate) fn at(address: ClientAddress) -> Self {
        Self::Address(address.network())
    }
}

/// How many are remembered before those who have asked for nothing lately are forgotten.
const REMEMBERED: usize = 50_000;
/// So many requests are let through between two looks at how many are remembered.
const LOOK_EVERY: u64 = 1_000;
/// Who has too many streams is told to come again after this long, in seconds.
const STREAM_AGAIN_S: u32 = 10;

/// An allowance for each of those who share a rate.
#[derive(Debug)]
struct Allowance {
    rate: config::Rate,
    limiter: DefaultKeyedRateLimiter<Who>,
}

impl Allowance {
    fn new(per_second: u32, burst: u32) -> Option<Self> {
        let rate = config::Rate::of(per_second, burst)?;
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        Some(Self { rate, limiter: RateLimiter::keyed(quota) })
    }

    /// How long until there is one more; `None`: there is.
    fn wait(&self, who: &Who) -> Option<Duration> {
        self.limiter.check_key(who).err().map(|until| until.wait_time_from(DefaultClock::default().now()))
    }
}

/// What everybody has asked for lately, and how many streams they have.
#[derive(Debug)]
pub(crate) struct Limits {
    reads: Option<Allowance>,
    writes: Option<Allowance>,
    address_reads: Option<Allowance>,
    address_writes: Option<Allowance>,
    admitted: AtomicU64,
    limits: config::Limits,
    streams: Arc<Mutex<Streams>>,
}

#[derive(Debug, Default)]
struct Streams {
    all: u32,
    of: HashMap<Who, u32>,
}

impl Limits {
    pub(crate) fn new(limits: config::Limits) -> Self {
        Self {
            reads: Allowance::new(limits.reads_per_second, limits.reads_burst),
            writes: Allowance::new(limits.writes_per_second, limits.writes_burst),
            address_reads: Allowance::new(limits.address_reads_per_second, limits.address_reads_burst),
            address_writes: Allowance::new(limits.address_writes_per_second, limits.address_writes_burst),
            admitted: AtomicU64::new(0),
            limits,
            streams: Arc::default(),
        }
    }

    fn allowances(&self) -> impl Iterator<Item = &Allowance> {
        [&self.reads, &self.writes, &self.address_reads, &self.address_writes].into_iter().flatten()
    }

    /// Whether this may be asked for now; it is then counted.
    ///
    /// # Errors
    /// 429, with the time to wait.
    pub(crate) fn admit(&self, who: &Who, method: &Method) -> Result<(), Problem> {
        let is_read = matches!(*method, Method::GET | Method::HEAD);
        let (allowance, what) = match (who, is_read) {
            (Who::Address(_), true) => (&self.address_reads, "reads from this address without signing in"),
            (Who::Address(_), false) => (&self.address_writes, "writes from this address without signing in"),
            (_, true) => (&self.reads, "reads"),
            (_, false) => (&self.writes, "writes"),
        };
        let Some(allowance) = allowance else { return Ok(()) };
        if self.admitted.fetch_add(1, Ordering::Relaxed).is_multiple_of(LOOK_EVERY) {
            self.forget();
        }
        match allowance.wait(who) {
            None => Ok(()),
            Some(wait) => {
                let seconds = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
                let config::Rate { per_second, burst } = allowance.rate;
                let detail = format!(
                    "too many {what}: {per_second} in a second are right, {burst} at once; ask again in {seconds} s"
                );
                Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-requests", detail).retry_after(seconds))
            }
        }
    }

    /// Forgets whoever has the whole of their allowance again.
    fn forget(&self) {
        for allowance in self.allowances().filter(|allowance| allowance.limiter.len() > REMEMBERED) {
            allowance.limiter.retain_recent();
            allowance.limiter.shrink_to_fit();
        }
    }

    /// One more stream; it is given up when this is dropped.
    ///
    /// # Errors
    /// 429, where there are as many as may be.
    pub(crate) fn stream(&self, who: Who) -> Result<Stream, Problem> {
        let of_one = if matches!(who, Who::Address(_)) { self.limits.address_streams } else { self.limits.streams };
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        let own = streams.of.get(&who).copied().unwrap_or(0);
        let detail = if own >= of_one {
            format!("you have {own} streams open, and {of_one} are the most: close one")
        } else if streams.all >= self.limits.all_streams {
            "this server has as many streams open as it may".to_owned()
        } else {
            streams.all += 1;
            *streams.of.entry(who.clone()).or_default() += 1;
            return Ok(Stream { of: who, streams: Arc::clone(&self.streams) });
        };
        Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-streams", detail).retry_after(STREAM_AGAIN_S))
    }
}

/// A stream that is open.
#[derive(Debug)]
pub(crate) struct Stream {
    of: Who,
    streams: Arc<Mutex<Streams>>,
}

impl Drop for Stream {
    fn drop(&mut self) {
        let mut streams = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        streams.all -= 1;
        let left = streams.of.get_mut(&self.of).expect("it was counted");
        *left -= 1;
        if *left == 0 {
            streams.of.remove(&self.of);
        }
    }
}

/// For what lies outside the API: everybody shares what their address has.
pub(super) async fn by_address(State(app): State<App>, request: Request, next: Next) -> Response {
    let who = Who::at(ClientAddress::of(&request, &app.proxies));
    match app.limits.admit(&who, request.method()) {
        Ok(()) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: u64) -> Who {
        Who::Account("main".into(), number)
    }

    #[test]
    fn everybody_has_their_own_and_reads_are_not_writes() {
        let limits = config::Limits {
            reads_per_second: 1,
            reads_burst: 3,
            writes_per_second: 1,
            writes_burst: 1,
            address_reads_per_second: 0,
            ..config::Limits::default()
        };
        let limits = Limits::new(limits);
        let asks = |who: &Who, method| (0..5).filter(|_| limits.admit(who, method).is_ok()).count();
        assert_eq!((asks(&account(1), &Method::GET), asks(&account(1), &Method::POST)), (3, 1));
        assert_eq!((asks(&account(2), &Method::GET), asks(&account(2), &Method::DELETE)), (3, 1));
        assert_eq!(asks(&Who::Key("main".into(), 1), &Method::GET), 3, "a key is not the account of its number");
        assert_eq!(asks(&Who::Account("acme".into(), 1), &Method::GET), 3, "nor is another organisation's");
        let address = Who::Address([192, 0, 2, 1].into());
        assert_eq!(asks(&address, &Method::GET), 5, "0 is no limit");
        let problem = limits.admit(&account(1), &Method::GET).unwrap_err();
        assert_eq!((problem.status, problem.retry_after_s), (429, Some(1)));
    }

    #[test]
    fn streams_are_counted_until_they_are_over() {
        let limits = config::Limits { streams: 2, address_streams: 1, all_streams: 4, ..config::Limits::default() };
        let limits = Limits::new(limits);
        let rule = |who: Who| limits.stream(who).map(drop).map_err(|problem| problem.detail);
        let own: Vec<_> = (0..2).map(|_| limits.stream(account(1)).unwrap()).collect();
        assert!(rule(account(1)).unwrap_err().contains("2 are the most"));
        let address = limits.stream(Who::Address([192, 0, 2, 1].into())).unwrap();
        assert!(rule(Who::Address([192, 0, 2, 1].into())).unwrap_err().contains("1 are the most"));
        let other = limits.stream(account(2)).unwrap();
        assert!(rule(account(3)).unwrap_err().contains("as it may"));
        drop(own);
        assert_eq!(rule(account(1)), Ok(()));
        drop((address, other));
        assert_eq!(limits.streams.lock().unwrap().of.len(), 0, "nobody is remembered");
    }
}
