//! Client transactions (RFC 3261 section 17.1, RFC 6026): requests of ours, and the responses that come.

use super::{GIVE_UP, Stack, T1, T2, T4, Timer, add, sub};
use crate::flow::Flow;
use crate::message::{Message, Name, Reply, Start, Writer};
use bytes::Bytes;
use std::time::{Duration, Instant};

/// For whom a request was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    Leg(u64, Purpose),
    Registration(u64),
    /// Its outcome is of no interest.
    Nobody,
}

/// For what a leg sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Invite,
    /// A new offer of the host's.
    Offer,
    /// A session refresh (re-INVITE or UPDATE).
    Refresh,
    Bye,
    Prack,
    Refer,
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Calling,
    Proceeding,
    /// Answered; repeated responses are absorbed, and for INVITE acknowledged again.
    Done,
}

#[derive(Debug)]
pub(super) struct ClientTx {
    pub(super) id: u64,
    proof: u64,
    pub(super) invite: bool,
    pub(super) flow: Flow,
    pub(super) request: Bytes,
    pub(super) owner: Owner,
    state: State,
    interval: Duration,
    retransmit_at: Option<Instant>,
    end_at: Option<Instant>,
    /// The ACKs sent, by the To tag that they answer.
    acks: Vec<(Box<str>, Flow, Bytes)>,
    /// The CANCEL of this INVITE, which has the same branch.
    cancel: Option<Cancel>,
}

#[derive(Debug)]
struct Cancel {
    bytes: Bytes,
    interval: Duration,
    next: Instant,
    until: Instant,
}

impl ClientTx {
    pub(super) fn awaits_answer(&self) -> bool {
        self.state != State::Done
    }
}

/// The most forks of one INVITE whose answers are acknowledged.
const MAX_FORKS: usize = 8;

impl Stack {
    /// The branch of a new transaction: its number, and a proof that nobody else can guess.
    pub(super) fn new_branch(&mut self) -> (u64, u64, String) {
        let id = self.next_serial();
        let proof = self.draw();
        (id, proof, format!("z9hG4bK{id:x}.{proof:016x}"))
    }

    /// Sends a request whose Via has the branch of `branch`.
    pub(super) fn client_send(
        &mut self,
        now: Instant,
        (id, proof): (u64, u64),
        flow: Flow,
        invite: bool,
        request: Bytes,
        owner: Owner,
    ) {
        let reliable = flow.transport.is_reliable();
        let retransmit_at = (!reliable).then(|| self.timers.set(now, T1, Timer::ClientRetransmit(id)));
        let end_at = Some(self.timers.set(now, GIVE_UP, Timer::ClientEnd(id)));
        let tx = ClientTx {
            id,
            proof,
            invite,
            flow,
            request: request.clone(),
            owner,
            state: State::Calling,
            interval: T1,
            retransmit_at,
            end_at,
            acks: Vec::new(),
            cancel: None,
        };
        self.clients.insert(id, tx);
        add(&self.counters.transactions, 1);
        self.send(flow, request);
    }

    fn client_of(&self, reply: &Reply<'_>) -> Option<u64> {
        let (id, proof) = reply.via.branch()?.strip_prefix("z9hG4bK")?.split_once('.')?;
        let (id, proof) = (u64::from_str_radix(id, 16).ok()?, u64::from_str_radix(proof, 16).ok()?);
        self.clients.get(&id).filter(|tx| tx.proof == proof).map(|tx| tx.id)
    }

    pub(super) fn on_reply(&mut self, now: Instant, flow: Flow, reply: &Reply<'_>) {
        let class = match reply.code {
            100..=199 => &self.counters.responses_1xx,
            200..=299 => &self.counters.responses_2xx,
            300..=399 => &self.counters.responses_3xx,
            400..=499 => &self.counters.responses_4xx,
            500..=599 => &self.counters.responses_5xx,
            _ => &self.counters.responses_6xx,
        };
        add(class, 1);
        let Some(id) = self.client_of(reply) else {
            add(&self.counters.malformed, 1);
            return;
        };
        let Some(tx) = self.clients.get_mut(&id) else { return };
        if reply.cseq.method == "CANCEL" {
            if reply.code >= 200 {
                tx.cancel = None;
            }
            return;
        }
        let asked = match request_method(&tx.request) {
            Some(method) if method == reply.cseq.method => method == "INVITE",
            _ => {
                add(&self.counters.malformed, 1);
                return;
            }
        };
        let owner = tx.owner;
        if tx.state == State::Done {
            if asked && reply.code >= 200 {
                self.repeat_ack(now, flow, id, reply);
            }
            return;
        }
        if reply.code < 200 {
            let first = tx.state == State::Calling;
            tx.state = State::Proceeding;
            if asked {
                // An INVITE that was heard may ring for long: the leg watches over that. A re-INVITE may not.
                tx.retransmit_at = None;
                let rings = matches!(owner, Owner::Leg(_, Purpose::Invite));
                tx.end_at = (!rings).then(|| self.timers.set(now, GIVE_UP, Timer::ClientEnd(id)));
            } else {
                tx.interval = T2;
            }
            if let Owner::Leg(leg, Purpose::Invite) = owner {
                self.on_invite_progress(now, flow, leg, first, reply);
            }
            return;
        }
        tx.state = State::Done;
        tx.retransmit_at = None;
        let linger = match (asked, reply.code < 300) {
            (true, true) => GIVE_UP,
            (true, false) if !tx.flow.transport.is_reliable() => GIVE_UP,
            (false, _) if !tx.flow.transport.is_reliable() => T4,
            _ => Duration::ZERO,
        };
        tx.end_at = Some(self.timers.set(now, linger, Timer::ClientEnd(id)));
        if asked && reply.code >= 300 {
            self.acknowledge_refusal(id, reply);
        }
        match owner {
            Owner::Leg(leg, Purpose::Invite) => self.on_invite_final(now, flow, leg, id, reply),
            Owner::Leg(leg, purpose) => self.on_leg_reply(now, flow, leg, purpose, id, reply),
            Owner::Registration(registration) => self.on_register_reply(now, registration, reply),
            Owner::Nobody => {}
        }
    }

    /// ACK for a final response that is no 2xx: part of the transaction.
    fn acknowledge_refusal(&mut self, id: u64, reply: &Reply<'_>) {
        let Some(tx) = self.clients.get_mut(&id) else { return };
        let Ok(invite) = Message::parse(&tx.request) else { return };
        let Start::Request { uri, .. } = invite.start else { return };
        let mut writer = Writer::request("ACK", uri);
        writer.copy(&invite, Name::Via).copy(&invite, Name::Route).copy(&invite, Name::From);
        writer.copy(reply.message, Name::To).copy(&invite, Name::CallId);
        writer.format(format_args!("CSeq: {} ACK", reply.cseq.number)).number(Name::MaxForwards, 70);
        let bytes = writer.finish(None);
        let flow = tx.flow;
        tx.acks.push((Box::from(reply.to.tag().unwrap_or_default()), flow, bytes.clone()));
        self.send(flow, bytes);
    }

    /// Keeps the ACK of a 2xx, to be sent again if the 2xx comes again.
    pub(super) fn keep_ack(&mut self, id: u64, tag: &str, flow: Flow, bytes: Bytes) {
        if let Some(tx) = self.clients.get_mut(&id)
            && tx.acks.len() < MAX_FORKS
        {
            tx.acks.push((Box::from(tag), flow, bytes));
        }
    }

    fn repeat_ack(&mut self, now: Instant, flow: Flow, id: u64, reply: &Reply<'_>) {
        add(&self.counters.repeated, 1);
        let Some(tx) = self.clients.get(&id) else { return };
        let tag = reply.to.tag().unwrap_or_default();
        if let Some((_, flow, bytes)) = tx.acks.iter().find(|(t, ..)| **t == *tag) {
            let (flow, bytes) = (*flow, bytes.clone());
            self.send(flow, bytes);
        } else if let Owner::Leg(leg, _) = tx.owner
            && self.legs.get(&leg).is_some_and(|l| l.late_ack.is_some() && l.remote_tag.as_deref() == Some(tag))
        {
            // Its ACK waits for the host.
        } else if reply.code < 300 && tx.acks.len() < MAX_FORKS {
            // Another fork answered too: it is acknowledged and hung up.
            self.hang_up_fork(now, flow, id, reply);
        }
    }

    /// Sends the CANCEL of an INVITE.
    pub(super) fn cancel_transaction(&mut self, now: Instant, id: u64, flow: Flow, bytes: Bytes) {
        let next = if flow.transport.is_reliable() {
            now + GIVE_UP
        } else {
            self.timers.set(now, T1, Timer::CancelRetransmit(id))
        };
        if let Some(tx) = self.clients.get_mut(&id) {
            tx.cancel = Some(Cancel { bytes: bytes.clone(), interval: T1, next, until: now + GIVE_UP });
        }
        self.send(flow, bytes);
    }

    pub(super) fn cancel_retransmit(&mut self, now: Instant, due: Instant, id: u64) {
        let Some(tx) = self.clients.get_mut(&id) else { return };
        let Some(cancel) = tx.cancel.as_mut().filter(|c| c.next == due && now < c.until) else { return };
        cancel.interval = (cancel.interval * 2).min(T2);
        cancel.next = self.timers.set(now, cancel.interval, Timer::CancelRetransmit(id));
        let (flow, bytes) = (tx.flow, cancel.bytes.clone());
        add(&self.counters.retransmitted, 1);
        self.send(flow, bytes);
    }

    pub(super) fn client_retransmit(&mut self, now: Instant, due: Instant, id: u64) {
        let Some(tx) = self.clients.get_mut(&id) else { return };
        if tx.retransmit_at != Some(due) || tx.state == State::Done {
            return;
        }
        // INVITE doubles without end, others up to T2 (RFC 3261 sections 17.1.1.2 and 17.1.2.2).
        tx.interval = if tx.invite { tx.interval * 2 } else { (tx.interval * 2).min(T2) };
        tx.retransmit_at = Some(self.timers.set(now, tx.interval, Timer::ClientRetransmit(id)));
        let (flow, bytes) = (tx.flow, tx.request.clone());
        add(&self.counters.retransmitted, 1);
        self.send(flow, bytes);
    }

    pub(super) fn client_end(&mut self, now: Instant, due: Instant, id: u64) {
        let Some(tx) = self.clients.get(&id) else { return };
        if tx.end_at != Some(due) {
            return;
        }
        let (answered, owner) = (tx.state == State::Done, tx.owner);
        self.forget_client(id);
        if !answered {
            add(&self.counters.timeouts, 1);
            self.tell_no_answer(now, owner, None);
        }
    }

    pub(super) fn forget_client(&mut self, id: u64) {
        if self.clients.remove(&id).is_some() {
            sub(&self.counters.transactions, 1);
        }
    }

    /// The transport could not carry a request.
    pub(super) fn client_failed(&mut self, now: Instant, id: u64, what: &str) {
        let Some(tx) = self.clients.get(&id) else { return };
        let owner = tx.owner;
        self.forget_client(id);
        self.tell_no_answer(now, owner, Some(what));
    }

    fn tell_no_answer(&mut self, now: Instant, owner: Owner, what: Option<&str>) {
        match owner {
            Owner::Leg(leg, purpose) => self.on_leg_no_answer(now, leg, purpose, what),
            Owner::Registration(registration) => self.on_register_no_answer(now, registration),
            Owner::Nobody => {}
        }
    }
}

/// The method of a request of ours.
fn request_method(bytes: &[u8]) -> Option<&str> {
    let end = memchr::memchr(b' ', bytes)?;
    std::str::from_utf8(&bytes[..end]).ok()
}
