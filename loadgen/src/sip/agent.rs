//! The agent: every call of one socket, its timers, and what is to be sent.

use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;

use callfloor_sim::calendar::{Calendar, Entry};
use callfloor_sip::Transport;
use callfloor_sip::message::{Message, Name, Start, Via};
use slotmap::{DefaultKey, SlotMap};

use super::call::{Call, CallKey, Event, Failure, State, Timer};
use super::traffic::Traffic;
use super::write::{self, MAGIC, Request};
use super::{Micros, T1_US, T2_US, TIMEOUT_US};
use crate::target::Reach;

/// How long a call that is over is kept for what may still come.
const LINGER_US: Micros = 5_000_000;

/// With what challenges are answered.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// User name.
    pub user: String,
    /// Password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Bytes that are to be sent.
#[derive(Debug)]
pub struct Datagram {
    /// To whom.
    pub to: SocketAddr,
    /// What.
    pub bytes: Vec<u8>,
}

/// Every call of one socket.
#[derive(Debug)]
pub struct Agent {
    pub(super) local: SocketAddr,
    pub(super) transport: Transport,
    /// Tells this run's messages from those of another.
    pub(super) run: u32,
    pub(super) calls: SlotMap<DefaultKey, Call>,
    /// Calls that others made, by their Call-ID.
    pub(super) incoming: HashMap<Box<str>, CallKey>,
    /// Where the other side may have our requests sent.
    pub(super) reach: Reach,
    pub(super) credentials: HashMap<String, Credentials>,
    pub(super) timers: Calendar<(CallKey, Timer)>,
    out: Vec<Datagram>,
    spare: Vec<Vec<u8>>,
    pub(super) events: VecDeque<(CallKey, Event)>,
    pub(super) traffic: Traffic,
    pub(super) now: Micros,
    live: usize,
}

impl Agent {
    /// An agent that others reach at `local`; `run` tells its messages from those of another run.
    #[must_use]
    pub fn new(local: SocketAddr, run: u32) -> Self {
        Self {
            local,
            transport: Transport::Udp,
            run,
            calls: SlotMap::new(),
            incoming: HashMap::new(),
            reach: Reach::default(),
            credentials: HashMap::new(),
            timers: Calendar::new(),
            out: Vec::new(),
            spare: Vec::new(),
            events: VecDeque::new(),
            traffic: Traffic::default(),
            now: 0,
            live: 0,
        }
    }

    /// The same with messages that travel so: on a stream nothing is sent twice.
    #[must_use]
    pub fn over(mut self, transport: Transport) -> Self {
        self.transport = transport;
        self
    }

    /// Where others reach it.
    #[must_use]
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// Challenges to requests of `user` are answered with this.
    pub fn authenticate(&mut self, user: &str, credentials: Credentials) {
        self.credentials.insert(user.to_owned(), credentials);
    }

    /// The other side may have our requests sent there; without this, to this machine and private networks.
    pub fn may_reach(&mut self, reach: Reach) {
        self.reach = reach;
    }

    /// What went over the wire.
    #[must_use]
    pub const fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// The same, to be counted in.
    pub const fn traffic_mut(&mut self) -> &mut Traffic {
        &mut self.traffic
    }

    /// Calls and requests that are not over.
    #[must_use]
    pub const fn live(&self) -> usize {
        self.live
    }

    /// Whether the other side has anything to answer: an INVITE, CANCEL, BYE or another request without a final response.
    #[must_use]
    pub fn is_answer_due(&self) -> bool {
        self.calls.values().any(Call::awaits)
    }

    /// What happened since this was asked last, in order.
    pub fn next_event(&mut self) -> Option<(CallKey, Event)> {
        self.events.pop_front()
    }

    /// What is to be sent; give the buffers back by [`Self::reuse`].
    pub fn take_datagrams(&mut self) -> Vec<Datagram> {
        std::mem::take(&mut self.out)
    }

    /// Gives buffers back.
    pub fn reuse(&mut self, mut datagrams: Vec<Datagram>) {
        const KEPT: usize = 1_024;
        for datagram in datagrams.drain(..) {
            if self.spare.len() < KEPT {
                self.spare.push(datagram.bytes);
            }
        }
        if self.out.capacity() == 0 {
            self.out = datagrams;
        }
    }

    /// When something is due next, in microseconds since the run's start.
    pub fn next_deadline(&mut self) -> Option<Micros> {
        self.timers.next_time()
    }

    /// Does what is due at `now`.
    pub fn advance(&mut self, now: Micros) {
        self.now = self.now.max(now);
        while let Some((_, (key, timer))) = self.timers.pop_before(self.now + 1) {
            self.due(key, timer);
        }
    }

    /// Takes a datagram that came at `now`.
    pub fn receive(&mut self, now: Micros, from: SocketAddr, bytes: &[u8]) {
        self.advance(now);
        self.traffic.received += 1;
        // A keep-alive is no message.
        if bytes.iter().all(|byte| byte.is_ascii_whitespace() || *byte == 0) {
            return;
        }
        let Ok(message) = Message::parse(bytes) else {
            self.traffic.unexpected += 1;
            return;
        };
        match message.start {
            Start::Request { .. } => self.request(from, &message),
            Start::Response { code, .. } => {
                self.traffic.response(code);
                let known =
                    message.header(Name::Via).and_then(Via::parse).and_then(|via| self.of_branch(via.branch()?));
                match known {
                    Some((key, cseq)) => self.reply(key, cseq, code, &message),
                    None => self.traffic.unexpected += 1,
                }
            }
        }
    }

    /// The call of a branch of ours that is still kept, and the number of the request.
    fn of_branch(&self, branch: &str) -> Option<(CallKey, u32)> {
        let rest = branch.strip_prefix(MAGIC)?;
        let (run, rest) = rest.split_once('-')?;
        if u32::from_str_radix(run, 16).ok()? != self.run {
            return None;
        }
        let (key, cseq) = rest.rsplit_once('-')?;
        let key = CallKey::parse(key)?;
        let digits = cseq.find(|c: char| !matches!(c, '0'..='9' | 'a'..='f')).unwrap_or(cseq.len());
        self.call(key)?;
        Some((key, u32::from_str_radix(&cseq[..digits], 16).ok()?))
    }

    // ---- calls ----------------------------------------------------------------------------------------------------

    pub(super) fn call(&self, key: CallKey) -> Option<&Call> {
        self.calls.get(key.0)
    }

    pub(super) fn call_mut(&mut self, key: CallKey) -> Option<&mut Call> {
        self.calls.get_mut(key.0)
    }

    /// Keeps a call under a new key.
    pub(super) fn insert(&mut self, make: impl FnOnce(CallKey) -> Call) -> CallKey {
        self.live += 1;
        CallKey(self.calls.insert_with_key(|key| make(CallKey(key))))
    }

    pub(super) fn tell(&mut self, key: CallKey, event: Event) {
        self.events.push_back((key, event));
    }

    /// The call is over; it is kept a while for retransmissions.
    pub(super) fn end(&mut self, key: CallKey) {
        let at = self.now + LINGER_US;
        self.stop_timers(key);
        let Some(call) = self.call_mut(key) else { return };
        if call.is_over() {
            return;
        }
        call.state = State::Over;
        self.live -= 1;
        self.timers.schedule(at, (key, Timer::Forget));
    }

    pub(super) fn stop_timers(&mut self, key: CallKey) {
        let Some(call) = self.call_mut(key) else { return };
        let entries = [std::mem::take(&mut call.retransmit), std::mem::take(&mut call.give_up)];
        for entry in entries {
            if entry != Entry::NONE {
                self.timers.withdraw(entry);
            }
        }
    }

    /// What was just sent is sent again until [`Self::stop_timers`], for 32 s at most.
    pub(super) fn insist(&mut self, key: CallKey) {
        self.stop_timers(key);
        let now = self.now;
        let retransmit = if self.transport.is_reliable() {
            Entry::NONE
        } else {
            self.timers.schedule(now + T1_US, (key, Timer::Retransmit))
        };
        let give_up = self.timers.schedule(now + TIMEOUT_US, (key, Timer::GiveUp));
        if let Some(call) = self.call_mut(key) {
            (call.retransmit, call.give_up, call.interval_us) = (retransmit, give_up, T1_US);
        }
    }

    fn due(&mut self, key: CallKey, timer: Timer) {
        let now = self.now;
        match timer {
            Timer::Retransmit => {
                let Some(call) = self.call_mut(key) else { return };
                // INVITE doubles without end (timer A); everything else up to T2 (timers E and G).
                let most = if matches!(call.state, State::Calling { .. }) { TIMEOUT_US } else { T2_US };
                call.interval_us = (call.interval_us * 2).min(most);
                let (at, to) = (now + call.interval_us, call.peer);
                let bytes = std::mem::take(&mut call.sent);
                self.traffic.retransmitted += 1;
                self.send(to, &bytes);
                let entry = self.timers.schedule(at, (key, Timer::Retransmit));
                if let Some(call) = self.call_mut(key) {
                    (call.retransmit, call.sent) = (entry, bytes);
                }
            }
            Timer::GiveUp => {
                let Some(state) = self.call(key).map(|call| call.state) else { return };
                self.traffic.timeouts += 1;
                match state {
                    State::Ringing => self.tell(key, Event::GivenUp),
                    State::Leaving => self.tell(key, Event::Left { answered: false }),
                    // Whether or not the far end says so: the call is given up (RFC 3261 section 9.1).
                    State::Cancelling => self.tell(key, Event::Cancelled),
                    // Nobody acknowledged our answer: the call is none (RFC 3261 section 13.3.1.4).
                    State::Answering => self.tell(key, Event::HungUp),
                    State::Refusing => {}
                    _ => self.tell(key, Event::Failed(Failure::Timeout)),
                }
                self.end(key);
            }
            Timer::Forget => {
                if let Some(call) = self.calls.remove(key.0).filter(|call| call.incoming) {
                    self.incoming.remove(call.call_id.as_str());
                }
            }
        }
    }

    // ---- sending --------------------------------------------------------------------------------------------------

    pub(super) fn buffer(&mut self) -> Vec<u8> {
        let mut bytes = self.spare.pop().unwrap_or_else(|| Vec::with_capacity(1_024));
        bytes.clear();
        bytes
    }

    pub(super) fn send(&mut self, to: SocketAddr, bytes: &[u8]) {
        let mut copy = self.buffer();
        copy.extend_from_slice(bytes);
        self.traffic.sent += 1;
        self.out.push(Datagram { to, bytes: copy });
    }

    /// Writes and sends a request of a call; `kept`: it may have to be sent again.
    pub(super) fn send_request(&mut self, key: CallKey, what: &Request<'_>, kept: bool) {
        let mut bytes = self.buffer();
        let (local, transport, run) = (self.local, self.transport, self.run);
        let Some(call) = self.call_mut(key) else { return };
        write::request(&mut bytes, (local, transport), run, key, call, what);
        let to = call.peer;
        if kept {
            call.sent.clear();
            call.sent.extend_from_slice(&bytes);
        }
        self.traffic.sent += 1;
        self.out.push(Datagram { to, bytes });
    }

    /// Writes and sends a response.
    pub(super) fn send_response(
        &mut self,
        to: SocketAddr,
        code: u16,
        head: &[u8],
        more: &[(&str, &str)],
        sdp: Option<&str>,
    ) -> usize {
        let mut bytes = self.buffer();
        write::response(&mut bytes, code, head, more, sdp);
        self.traffic.sent += 1;
        self.out.push(Datagram { to, bytes });
        self.out.len() - 1
    }

    /// Keeps what was sent as number `place` for the call, to be sent again.
    pub(super) fn keep(&mut self, key: CallKey, place: usize) {
        let bytes = self.out[place].bytes.clone();
        if let Some(call) = self.call_mut(key) {
            call.sent = bytes;
        }
    }
}
