//! Two stacks on a virtual network, in virtual time.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test uses a part of it")]

use callfloor_sip::{Event, Flow, Invite, LegId, ListenerInfo, Order, Settings, Stack, Transport};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub const OFFER: &str =
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\n";
pub const ANSWER: &str =
    "v=0\r\no=- 2 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 5000 RTP/AVP 0\r\n";

pub struct Side {
    pub stack: Stack,
    pub address: SocketAddr,
    pub ids: Arc<AtomicU64>,
    pub events: Vec<Event>,
}

impl Side {
    pub fn new(port: u16, now: Instant, settings: Settings) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let info = ListenerInfo { transport: Transport::Udp, address, source: Box::new(|_| None) };
        let ids = Arc::new(AtomicU64::new(1));
        Self { stack: Stack::new(settings, vec![info], Arc::clone(&ids), now), address, ids, events: Vec::new() }
    }

    pub fn flow(from: SocketAddr) -> Flow {
        Flow { transport: Transport::Udp, listener: 0, remote: from }
    }
}

/// What becomes of a message on its way.
pub type Fate = Box<dyn FnMut(&str) -> bool>;

pub struct Net {
    pub now: Instant,
    pub a: Side,
    pub b: Side,
    /// False loses the message.
    pub fate: Fate,
    pub log: Vec<String>,
}

impl Net {
    pub fn new() -> Self {
        Self::with(Settings::default(), Settings::default())
    }

    pub fn with(a: Settings, b: Settings) -> Self {
        let now = Instant::now();
        Self { now, a: Side::new(5060, now, a), b: Side::new(5070, now, b), fate: Box::new(|_| true), log: Vec::new() }
    }

    /// Delivers until nothing is on its way.
    pub fn settle(&mut self) {
        for _ in 0..1000 {
            let mut moved = false;
            for from_a in [true, false] {
                let (from, to) = if from_a { (&mut self.a, &mut self.b) } else { (&mut self.b, &mut self.a) };
                while let Some(out) = from.stack.poll_transmit() {
                    moved = true;
                    let text = String::from_utf8_lossy(&out.bytes).into_owned();
                    let first = text.lines().next().unwrap_or_default().to_owned();
                    let method = text.lines().find(|l| l.starts_with("CSeq")).unwrap_or_default().to_owned();
                    assert_eq!(out.flow.remote, to.address, "{first}");
                    let passes = (self.fate)(&text);
                    let mark = if passes { "" } else { " (lost)" };
                    self.log.push(format!("{} {first} | {method}{mark}", if from_a { "a>b" } else { "b>a" }));
                    if passes {
                        to.stack.receive(self.now, Side::flow(from.address), &out.bytes);
                    }
                }
                while let Some(event) = from.stack.poll_event() {
                    from.events.push(event);
                }
            }
            if !moved {
                return;
            }
        }
        panic!("messages without end: {:#?}", &self.log[self.log.len() - 20..]);
    }

    /// Lets time pass, with all that happens in it.
    pub fn pass(&mut self, span: Duration) {
        let end = self.now + span;
        loop {
            self.settle();
            let next = [self.a.stack.next_deadline(), self.b.stack.next_deadline()].into_iter().flatten().min();
            match next.filter(|&due| due <= end) {
                Some(due) => self.now = due.max(self.now),
                None => break,
            }
            self.a.stack.advance(self.now);
            self.b.stack.advance(self.now);
        }
        self.now = end;
        self.settle();
    }

    pub fn order_a(&mut self, order: Order) {
        self.a.stack.order(self.now, order);
        self.settle();
    }

    pub fn order_b(&mut self, order: Order) {
        self.b.stack.order(self.now, order);
        self.settle();
    }

    /// a calls b; gives a's leg, and b's.
    pub fn call(&mut self, invite: Invite) -> (LegId, LegId) {
        let out = self.dial(invite);
        (out, self.arrived())
    }

    pub fn dial(&mut self, invite: Invite) -> LegId {
        let leg = leg(self.a.ids.fetch_add(1, Ordering::Relaxed));
        self.order_a(Order::Invite(leg, Box::new(invite), None));
        leg
    }

    pub fn arrived(&self) -> LegId {
        let found = self.b.events.iter().rev().find_map(|e| match e {
            Event::Incoming(call) => Some(call.leg),
            _ => None,
        });
        found.unwrap_or_else(|| panic!("no call came in: {:#?}", self.log))
    }

    /// A call that is established.
    pub fn talk(&mut self) -> (LegId, LegId) {
        let (out, inside) = self.call(invite());
        self.order_b(Order::Answer(inside, ANSWER.into()));
        (out, inside)
    }
}

/// The leg of that number, as a handle would make it.
pub fn leg(number: u64) -> LegId {
    LegId::from_number(number)
}

pub fn invite() -> Invite {
    Invite {
        target: "sip:300@127.0.0.1:5070".into(),
        caller: "0312345678".into(),
        display: Some("A \"B\"".into()),
        offer: Some(OFFER.into()),
        ..Invite::default()
    }
}

/// Events in a few words.
pub fn words(events: &[Event]) -> Vec<String> {
    let sdp = |s: &Option<String>| if s.is_some() { " sdp" } else { "" };
    events
        .iter()
        .map(|event| match event {
            Event::Incoming(call) => format!("incoming {} from {}", call.called, call.caller),
            Event::Confirmed { sdp: s, .. } => format!("confirmed{}", sdp(s)),
            Event::Ringing { code, .. } => format!("ringing {code}"),
            Event::EarlyMedia { .. } => "early media".into(),
            Event::Answered { sdp: s, .. } => format!("answered{}", sdp(s)),
            Event::Offer { sdp: s, .. } => format!("offer{}", sdp(s)),
            Event::OfferAccepted { sdp: s, .. } => format!("accepted{}", sdp(s)),
            Event::OfferRefused { code, .. } => format!("offer refused {code}"),
            Event::Dtmf { key, .. } => format!("key {key}"),
            Event::Refer { target, .. } => {
                let known =
                    target.replaces.as_ref().map_or("", |r| if r.leg.is_some() { " known" } else { " unknown" });
                format!("refer to {}{known}", target.user)
            }
            Event::ReferProgress { code, done, .. } => format!("refer {code}{}", if *done { " done" } else { "" }),
            Event::Ended { cause, .. } => format!("ended: {cause}"),
            Event::Register(r) => format!("register {}", r.user),
            Event::Registered { expires, .. } => format!("registered {}", expires.as_secs()),
            Event::RegistrationFailed { code, .. } => format!("registration failed {code:?}"),
            Event::Unregistered { .. } => "unregistered".into(),
            other => format!("{other:?}"),
        })
        .collect()
}
