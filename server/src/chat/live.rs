//! What is known of chats while they are live and need not outlive the process: whose customer is connected, who is to
//! be woken by a new line, how fast messages come.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use callfloor_engine::{ChatId, LineView, OperatorId, QueueId, Work};
use tokio::sync::{broadcast, watch};

use super::Author;
use crate::http::Problem;

/// A new line of a chat, without its text: what screens are told beside the engine's events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChatNotice {
    /// Which chat.
    pub chat: ChatId,
    /// The line's number.
    pub sequence: u64,
    /// Who wrote it.
    pub from: Author,
    /// Who has the chat.
    pub operator: Option<OperatorId>,
}

/// Notices that a listener may fall behind; whoever misses some reads the chats anew.
const NOTICES: usize = 1_024;
/// Addresses whose rate of opening is remembered.
const OPENERS: usize = 65_536;
/// Connections that one customer may hold for one chat: tabs of a browser.
const CONNECTIONS: u32 = 8;
/// How long a look at a line holds: looking sorts all that waits.
const LINE_HOLDS: Duration = Duration::from_secs(1);
/// Chats that one address may open at once, and how often it may open another: one in 2 s.
const OPENING: Rate = Rate { burst: 30.0, per_second: 0.5 };
/// Messages that a customer may send at once, and how often another: two in 1 s.
const WRITING: Rate = Rate { burst: 20.0, per_second: 2.0 };

#[derive(Clone, Copy, Debug)]
struct Rate {
    burst: f64,
    per_second: f64,
}

/// What may still be done at once under a rate.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl Bucket {
    const fn full(rate: Rate, now: Instant) -> Self {
        Self { left: rate.burst, at: now }
    }

    fn fill(&mut self, rate: Rate, now: Instant) {
        let more = now.saturating_duration_since(self.at).as_secs_f64() * rate.per_second;
        self.left = (self.left + more).min(rate.burst);
        self.at = now;
    }

    fn take(&mut self, rate: Rate, now: Instant) -> bool {
        self.fill(rate, now);
        let may = self.left >= 1.0;
        if may {
            self.left -= 1.0;
        }
        may
    }
}

#[derive(Debug)]
struct Customer {
    connections: u32,
    seen: Instant,
    writing: Bucket,
    /// Raised by every new line and change.
    changes: watch::Sender<u64>,
}

impl Customer {
    fn new(now: Instant) -> Self {
        Self { connections: 0, seen: now, writing: Bucket::full(WRITING, now), changes: watch::Sender::new(0) }
    }
}

/// A queue's line as it was a moment ago.
#[derive(Debug)]
struct Line {
    looked: Instant,
    positions: HashMap<ChatId, u32>,
}

/// The live chats of an organisation.
#[derive(Debug)]
pub struct LiveChats {
    grace: Duration,
    customers: Mutex<HashMap<ChatId, Customer>>,
    openers: Mutex<HashMap<IpAddr, Bucket>>,
    lines: Mutex<HashMap<QueueId, Line>>,
    notices: broadcast::Sender<ChatNotice>,
}

/// A customer's open connection; dropping it begins the grace.
#[derive(Debug)]
pub(super) struct Connection<'a> {
    live: &'a LiveChats,
    chat: ChatId,
    /// Wakes at every new line and change; closed once the chat is over.
    pub(super) changes: watch::Receiver<u64>,
}

impl Drop for Connection<'_> {
    fn drop(&mut self) {
        if let Some(customer) = self.live.lock().get_mut(&self.chat) {
            customer.connections -= 1;
            customer.seen = Instant::now();
        }
    }
}

impl LiveChats {
    /// None yet; a customer who is not connected for `grace` has left.
    #[must_use]
    pub fn new(grace: Duration) -> Self {
        let (notices, _) = broadcast::channel(NOTICES);
        Self { grace, customers: Mutex::default(), openers: Mutex::default(), lines: Mutex::default(), notices }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ChatId, Customer>> {
        self.customers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// New lines, from now on.
    #[must_use]
    pub fn notices(&self) -> broadcast::Receiver<ChatNotice> {
        self.notices.subscribe()
    }

    /// A line was written and is durable.
    pub(super) fn written(&self, notice: ChatNotice) {
        self.wake(notice.chat);
        // Nobody may be listening.
        let _ = self.notices.send(notice);
    }

    /// Something about a chat changed.
    pub(super) fn wake(&self, chat: ChatId) {
        if let Some(customer) = self.lock().get(&chat) {
            customer.changes.send_modify(|changes| *changes += 1);
        }
    }

    /// The customer of a live chat was heard of.
    pub(super) fn seen(&self, chat: ChatId) {
        let now = Instant::now();
        self.lock().entry(chat).or_insert_with(|| Customer::new(now)).seen = now;
    }

    /// These chats are live and no others; those that were not known begin their grace.
    pub(super) fn keep_only(&self, chats: &BTreeSet<ChatId>) {
        let now = Instant::now();
        let mut customers = self.lock();
        customers.retain(|chat, _| chats.contains(chat));
        for &chat in chats {
            let customer = customers.entry(chat).or_insert_with(|| Customer::new(now));
            customer.changes.send_modify(|changes| *changes += 1);
        }
    }

    /// The place of a waiting chat in its queue, 1 for who is served next, from a line that was looked at in the last
    /// second; `line` looks.
    pub(super) fn position(&self, queue: QueueId, chat: ChatId, line: impl FnOnce() -> Vec<LineView>) -> Option<u32> {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let found = lines.get(&queue).filter(|line| line.looked.elapsed() < LINE_HOLDS);
        // One who is not in it has joined since.
        if let Some(&position) = found.and_then(|line| line.positions.get(&chat)) {
            return Some(position);
        }
        let chats = line().into_iter().filter_map(|it| if let Work::Chat(chat) = it.work { Some(chat) } else { None });
        let line = Line { looked: Instant::now(), positions: chats.zip(1..).collect() };
        let position = line.positions.get(&chat).copied();
        lines.insert(queue, line);
        position
    }

    /// A chat is over.
    pub(super) fn over(&self, chat: ChatId) {
        self.lock().remove(&chat);
    }

    /// A customer's connection to a live chat begins; `None` where they hold too many.
    pub(super) fn connect(&self, chat: ChatId) -> Option<Connection<'_>> {
        let now = Instant::now();
        let mut customers = self.lock();
        let customer = customers.entry(chat).or_insert_with(|| Customer::new(now));
        if customer.connections >= CONNECTIONS {
            return None;
        }
        customer.connections += 1;
        Some(Connection { live: self, chat, changes: customer.changes.subscribe() })
    }

    /// Whether a customer may write another message now.
    pub(super) fn may_write(&self, chat: ChatId) -> bool {
        let now = Instant::now();
        self.lock().entry(chat).or_insert_with(|| Customer::new(now)).writing.take(WRITING, now)
    }

    /// Somebody without an account opens a chat, or asks for a callback.
    ///
    /// # Errors
    /// Where more comes from their address than one person asks for.
    pub(crate) fn opens(&self, from: IpAddr) -> Result<(), Problem> {
        if self.may_open(callfloor_sip::network(from)) {
            return Ok(());
        }
        let detail = "too much was asked from this address: once in two seconds is right";
        Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-fast", detail).retry_after(2))
    }

    fn may_open(&self, from: IpAddr) -> bool {
        let now = Instant::now();
        let mut openers = self.openers.lock().unwrap_or_else(PoisonError::into_inner);
        if openers.len() >= OPENERS && !openers.contains_key(&from) {
            openers.retain(|_, bucket| {
                bucket.fill(OPENING, now);
                bucket.left < OPENING.burst
            });
            if openers.len() >= OPENERS {
                return false;
            }
        }
        openers.entry(from).or_insert_with(|| Bucket::full(OPENING, now)).take(OPENING, now)
    }

    /// Chats whose customer has been away for longer than the grace.
    pub(super) fn lost(&self) -> Vec<ChatId> {
        let customers = self.lock();
        let away = |customer: &Customer| customer.connections == 0 && customer.seen.elapsed() >= self.grace;
        customers.iter().filter(|(_, customer)| away(customer)).map(|(&chat, _)| chat).collect()
    }

    /// How often to look for customers who left: four times within the grace, at least once in 5 s.
    pub(super) fn look_every(&self) -> Duration {
        (self.grace / 4).clamp(Duration::from_millis(50), Duration::from_secs(5))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A burst passes, then the rate holds; another address is not touched.
    #[test]
    fn one_address_cannot_open_without_end() {
        let live = LiveChats::new(Duration::from_secs(60));
        let (busy, quiet) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
        let opened = (0..100).filter(|_| live.may_open(busy)).count();
        assert!((30..=31).contains(&opened), "{opened}");
        assert!(live.may_open(quiet));
        // One network of IPv6 is one address.
        let near = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        let opened = (0..100).filter(|last| live.opens(near(*last)).is_ok()).count();
        assert!((30..=31).contains(&opened), "{opened}");
    }

    /// A chat with a connection is never lost; without one it is after the grace.
    #[test]
    fn the_grace_begins_when_the_last_connection_is_gone() {
        let live = LiveChats::new(Duration::from_millis(20));
        let chat = ChatId::from_parts(1, 1);
        live.seen(chat);
        let (first, second) = (live.connect(chat).unwrap(), live.connect(chat).unwrap());
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(live.lost(), []);
        drop(first);
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(live.lost(), [], "another tab is still open");
        drop(second);
        assert_eq!(live.lost(), []);
        std::thread::sleep(Duration::from_millis(30));
        assert_eq!(live.lost(), [chat]);
    }
}
