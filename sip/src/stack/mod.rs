//! The SIP stack without sockets, threads or clock: bytes and orders in, bytes and events out.
//!
//! Transactions follow RFC 3261 section 17 with RFC 6026, dialogs section 12, sessions RFC 3264, 3262, 3311, 4028, 3515 and 3891.
//! The caller gives the time with each input, asks [`Stack::next_deadline`], and calls [`Stack::advance`] when it is due.
//! [`Endpoint`](crate::Endpoint) does so with real sockets.

mod client;
mod dialog;
mod incoming;
mod leg;
mod offers;
mod outgoing;
mod provisional;
mod refer;
mod register;
mod registering;
mod server;
mod timers;

use crate::digest::{Algorithm, Nonces};
use crate::event::{Cause, Event, LegId};
use crate::flow::{Flow, Transport};
use crate::message::{Message, Reply, Request, Start};
use crate::order::{Admission, Order};
use bytes::Bytes;
use client::ClientTx;
use leg::Leg;
use server::ServerTx;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use timers::Timers;

/// T1 of RFC 3261: the first retransmission after 500 ms.
pub(crate) const T1: Duration = Duration::from_millis(500);
/// T2: the longest time between retransmissions.
const T2: Duration = Duration::from_secs(4);
/// T4: how long a message may be on its way.
const T4: Duration = Duration::from_secs(5);
/// 64 × T1: when a transaction gives up.
const GIVE_UP: Duration = Duration::from_secs(32);
/// What we answer, for Allow headers.
const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, REGISTER, PRACK, UPDATE, INFO, REFER, NOTIFY";
/// The extensions that we know, for Supported headers.
const SUPPORTED: &str = "timer, replaces, 100rel";

/// Settings of a stack.
#[derive(Clone, Debug)]
pub struct Settings {
    /// What we call ourselves in User-Agent and Server.
    pub name: String,
    /// The realm of our digest challenges.
    pub realm: String,
    /// Other realms that are served, each of them a domain: who registers at that domain is challenged for it.
    pub realms: Vec<String>,
    /// The hashes that we challenge with, in order: MD5 alone by default. Phones that follow RFC 8760 take the first that they know;
    /// older ones only look at the first challenge, or (baresip 1.0) give up where any of them names a hash that they do not know.
    /// Credentials by either hash are looked at in any case.
    pub algorithms: Vec<Algorithm>,
    /// How long a nonce lives.
    pub nonce_lifetime: Duration,
    /// The session interval that we ask for (RFC 4028), in seconds; `None` asks for none. At least 90.
    pub session_expires_s: Option<u32>,
    /// How long a leg may ring, incoming or outgoing, before it is given up.
    pub max_ring: Duration,
    /// Which new calls are let in.
    pub admission: Admission,
    /// Nonces whose counts are remembered at most.
    pub max_nonces: usize,
    /// Requests that may wait for the host's answer at most, and registrations at most.
    pub max_requests: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: "Callfloor".to_owned(),
            realm: "callfloor".to_owned(),
            realms: Vec::new(),
            algorithms: vec![Algorithm::Md5],
            nonce_lifetime: Duration::from_secs(300),
            session_expires_s: Some(1800),
            max_ring: Duration::from_secs(600),
            admission: Admission::default(),
            max_nonces: 100_000,
            max_requests: 100_000,
        }
    }
}

macro_rules! counters {
    ($($name:ident $doc:literal,)*) => {
        /// Running counts of an endpoint.
        #[derive(Debug, Default)]
        pub struct Counters {
            $(pub(crate) $name: AtomicU64,)*
        }

        impl Counters {
            $(#[doc = $doc]
            #[must_use]
            pub fn $name(&self) -> u64 {
                self.$name.load(Ordering::Relaxed)
            })*
        }
    };
}

counters! {
    received "Messages received, good or bad.",
    sent "Messages sent, retransmissions included.",
    retransmitted "Requests and responses that we sent again because no answer came.",
    repeated "Requests that came again and were answered from memory.",
    malformed "Messages that could not be read, or were no use, and were dropped.",
    faulty "Requests refused for a fault of their own (400, 416, 420, 505, …).",
    shed "New calls refused with 503 by admission control.",
    challenged "Requests challenged for credentials.",
    legs "Legs that are live now.",
    transactions "Transactions that are live or linger now.",
    legs_begun "Legs begun so far.",
    responses_1xx "Provisional responses received.",
    responses_2xx "Success responses received.",
    responses_3xx "Redirections received.",
    responses_4xx "Client errors received.",
    responses_5xx "Server errors received.",
    responses_6xx "Global failures received.",
    timeouts "Transactions of ours that nobody answered.",
}

pub(crate) fn add(counter: &AtomicU64, n: u64) {
    // One writer: the stack. Readers may see any recent value.
    counter.store(counter.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
}

pub(crate) fn sub(counter: &AtomicU64, n: u64) {
    counter.store(counter.load(Ordering::Relaxed).saturating_sub(n), Ordering::Relaxed);
}

/// Bytes to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transmit {
    /// Where to.
    pub flow: Flow,
    /// One whole message.
    pub bytes: Bytes,
}

/// Finds our own address towards a peer, for a listener that is bound to all addresses.
pub type SourceAddress = Box<dyn Fn(IpAddr) -> Option<IpAddr> + Send>;

/// A listener as the stack sees it.
pub struct ListenerInfo {
    /// Its transport.
    pub transport: Transport,
    /// The address that Via and Contact show.
    pub address: SocketAddr,
    /// Asked if `address` is unspecified.
    pub source: SourceAddress,
}

impl fmt::Debug for ListenerInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListenerInfo").field("transport", &self.transport).field("address", &self.address).finish()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Timer {
    ClientRetransmit(u64),
    ClientEnd(u64),
    CancelRetransmit(u64),
    ServerRetransmit(u64),
    ServerEnd(u64),
    /// Retransmission of a 2xx or of a reliable provisional response.
    LegAnswer(u64),
    LegProvisional(u64),
    /// The leg has rung for too long, or its last provisional response is a minute old.
    LegRing(u64),
    LegSession(u64),
    LegOffer(u64),
    Request(u64),
    Registration(u64),
}

/// The SIP stack without sockets, threads or clock: bytes and orders in, bytes and events out.
///
/// The caller gives the time with each input, asks [`Stack::next_deadline`], and calls [`Stack::advance`] when it is due.
/// [`Endpoint`](crate::Endpoint) does so with real sockets.
pub struct Stack {
    settings: Settings,
    listeners: Vec<ListenerInfo>,
    ids: Arc<AtomicU64>,
    counters: Arc<Counters>,
    hash: RandomState,
    drawn: u64,
    nonces: Nonces,
    legs: HashMap<u64, Leg>,
    /// Incoming legs by a hash of Call-ID, From tag and CSeq: the same request by another path is a loop (482).
    arrivals: HashMap<u64, u64>,
    clients: HashMap<u64, ClientTx>,
    servers: HashMap<u64, ServerTx>,
    server_keys: HashMap<Box<str>, u64>,
    requests: HashMap<u64, refer::Waiting>,
    registrations: HashMap<u64, registering::Kept>,
    timers: Timers<Timer>,
    serial: u64,
    pressure: bool,
    window: (Instant, u32),
    stopping: bool,
    events: VecDeque<Event>,
    transmits: VecDeque<Transmit>,
}

impl fmt::Debug for Stack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stack")
            .field("legs", &self.legs.len())
            .field("clients", &self.clients.len())
            .field("servers", &self.servers.len())
            .finish_non_exhaustive()
    }
}

impl Stack {
    /// A stack with these listeners. Leg numbers come from `ids`, which a handle may share.
    ///
    /// # Panics
    /// If the system has no random numbers to give, or `listeners` is empty.
    #[must_use]
    pub fn new(settings: Settings, listeners: Vec<ListenerInfo>, ids: Arc<AtomicU64>, now: Instant) -> Self {
        assert!(!listeners.is_empty(), "a stack has at least one listener");
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the system gives random numbers");
        let nonces = Nonces::new(key, now, settings.nonce_lifetime, settings.max_nonces);
        Self {
            settings,
            listeners,
            ids,
            counters: Arc::new(Counters::default()),
            hash: RandomState::new(),
            drawn: 0,
            nonces,
            legs: HashMap::new(),
            arrivals: HashMap::new(),
            clients: HashMap::new(),
            servers: HashMap::new(),
            server_keys: HashMap::new(),
            requests: HashMap::new(),
            registrations: HashMap::new(),
            timers: Timers::new([T1, T4, GIVE_UP, Duration::from_secs(60)]),
            serial: 0,
            pressure: false,
            window: (now, 0),
            stopping: false,
            events: VecDeque::new(),
            transmits: VecDeque::new(),
        }
    }

    /// The counts, which may be read from elsewhere.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// While true, new calls are refused with 503: the caller says that it cannot keep up.
    pub const fn set_pressure(&mut self, pressure: bool) {
        self.pressure = pressure;
    }

    /// A datagram, or one whole message of a stream, has come.
    pub fn receive(&mut self, now: Instant, flow: Flow, bytes: &[u8]) {
        if bytes.iter().all(|&b| matches!(b, b'\r' | b'\n' | 0)) {
            return;
        }
        add(&self.counters.received, 1);
        let Ok(message) = Message::parse(bytes) else {
            add(&self.counters.malformed, 1);
            return;
        };
        match message.start {
            Start::Request { .. } => match Request::check(&message) {
                Ok(request) => self.on_request(now, flow, &request),
                Err(fault) => self.refuse_faulty(flow, &message, fault),
            },
            Start::Response { .. } => match Reply::check(&message) {
                Ok(reply) => self.on_reply(now, flow, &reply),
                Err(_) => add(&self.counters.malformed, 1),
            },
        }
    }

    /// A message could not be sent, or a connection was lost: what waits for an answer on that flow fails.
    pub fn flow_failed(&mut self, now: Instant, flow: Flow, what: &str) {
        let failed: Vec<u64> =
            self.clients.values().filter(|c| c.flow == flow && c.awaits_answer()).map(|c| c.id).collect();
        for id in failed {
            self.client_failed(now, id, what);
        }
    }

    /// When [`Stack::advance`] is to be called next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// Fires all timers that are due.
    pub fn advance(&mut self, now: Instant) {
        while let Some((due, timer)) = self.timers.pop(now) {
            match timer {
                Timer::ClientRetransmit(id) => self.client_retransmit(now, due, id),
                Timer::ClientEnd(id) => self.client_end(now, due, id),
                Timer::CancelRetransmit(id) => self.cancel_retransmit(now, due, id),
                Timer::ServerRetransmit(id) => self.server_retransmit(now, due, id),
                Timer::ServerEnd(id) => self.server_end(due, id),
                Timer::LegAnswer(id) => self.answer_timer(now, due, id),
                Timer::LegProvisional(id) => self.provisional_timer(now, due, id),
                Timer::LegRing(id) => self.ring_timer(now, id),
                Timer::LegSession(id) => self.session_timer(now, due, id),
                Timer::LegOffer(id) => self.offer_timer(now, due, id),
                Timer::Request(id) => self.request_timer(now, id),
                Timer::Registration(id) => self.registration_timer(now, due, id),
            }
        }
    }

    /// The next thing to send.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        self.transmits.pop_front()
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Whether [`Order::Shutdown`] was given and no leg or registration is left.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.stopping && self.legs.is_empty() && self.registrations.is_empty()
    }

    /// Does what the host orders.
    pub fn order(&mut self, now: Instant, order: Order) {
        match order {
            Order::Ring(leg) => self.order_provisional(now, leg.0, 180, None),
            Order::Progress(leg, sdp) => self.order_provisional(now, leg.0, 183, Some(sdp)),
            Order::Answer(leg, sdp) => self.order_answer(now, leg.0, sdp),
            Order::Reject { leg, code, reason, retry_after_s } => {
                self.order_reject(now, leg.0, code, reason.as_deref(), retry_after_s);
            }
            Order::Challenge(leg, realm) => self.order_challenge(now, leg.0, &realm),
            Order::HangUp(leg, reason) => self.order_hang_up(now, leg.0, reason),
            Order::Invite(leg, invite, flow) => self.order_invite(now, leg.0, invite, flow),
            Order::Offer(leg, sdp) => self.order_offer(now, leg.0, sdp),
            Order::AcceptOffer(leg, sdp) => self.order_accept_offer(now, leg.0, sdp),
            Order::RefuseOffer(leg, code) => self.order_refuse_offer(now, leg.0, code),
            Order::SendDtmf(leg, key, duration_ms) => self.order_dtmf(now, leg.0, key, duration_ms),
            Order::Refer(leg, target, replaces) => self.order_refer(now, leg.0, &target, replaces.map(|l| l.0)),
            Order::AnswerRefer(request, code) => self.order_answer_refer(now, request.0, code),
            Order::ReportRefer(request, code) => self.order_report_refer(now, request.0, code),
            Order::AcceptRegister(request, bound) => self.order_accept_register(now, request.0, &bound),
            Order::Refuse(request, code) => self.order_refuse(now, request.0, code),
            Order::Register(id, registration, flow) => self.order_register(now, id.0, *registration, flow),
            Order::Unregister(id) => self.order_unregister(now, id.0),
            Order::Admit(admission) => self.settings.admission = admission,
            Order::Realms(realms) => self.settings.realms = realms,
            Order::Shutdown => self.order_shutdown(now),
        }
    }

    fn order_shutdown(&mut self, now: Instant) {
        self.stopping = true;
        let legs: Vec<u64> = self.legs.keys().copied().collect();
        for leg in legs {
            self.order_hang_up(now, leg, None);
        }
        let registrations: Vec<u64> = self.registrations.keys().copied().collect();
        for registration in registrations {
            self.order_unregister(now, registration);
        }
    }

    fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    fn next_serial(&mut self) -> u64 {
        self.serial += 1;
        self.serial
    }

    /// A number that nobody outside can guess: the keyed hash of a counter.
    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        self.hash.hash_one(self.drawn)
    }

    /// Our own address on that flow, as Via and Contact show it.
    fn own_address(&self, flow: Flow) -> SocketAddr {
        let listener = self.listeners.get(usize::from(flow.listener)).unwrap_or(&self.listeners[0]);
        let mut address = listener.address;
        if address.ip().is_unspecified()
            && let Some(ip) = (listener.source)(flow.remote.ip())
        {
            address.set_ip(ip);
        }
        address
    }

    /// The flow to an address: by the first listener of that transport and address family.
    pub(crate) fn flow_to(&self, transport: Transport, remote: SocketAddr) -> Flow {
        let same_family = |l: &ListenerInfo| l.address.is_ipv4() == remote.is_ipv4();
        let best = self
            .listeners
            .iter()
            .position(|l| l.transport == transport && same_family(l))
            .or_else(|| self.listeners.iter().position(same_family))
            .unwrap_or(0);
        Flow { transport, listener: u16::try_from(best).unwrap_or(0), remote }
    }

    fn send(&mut self, flow: Flow, bytes: Bytes) {
        add(&self.counters.sent, 1);
        self.transmits.push_back(Transmit { flow, bytes });
    }

    /// Tells the end of a leg and forgets it.
    fn finish(&mut self, id: u64, cause: Cause) {
        if let Some(leg) = self.legs.remove(&id) {
            sub(&self.counters.legs, 1);
            if let Some(arrival) = leg.arrival {
                self.arrivals.remove(&arrival);
            }
            self.events.push_back(Event::Ended { leg: LegId(id), cause });
        }
    }
}
