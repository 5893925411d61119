//! Calls that others make, and requests in calls that are up.

use std::net::SocketAddr;

use callfloor_sim::calendar::Entry;
use callfloor_sip::message::{CSeq, Message, Method, Name, NameAddr, Start, Uri, list};

use super::Micros;
use super::agent::Agent;
use super::call::{Call, CallKey, Event, State, Timer};
use super::outgoing::{address_of, sdp_of};
use super::write::{head, tag_of};

/// A call that rings so long has lost its caller: they end it themselves before (timer C, RFC 3261 section 16.6).
const RINGING_US: Micros = 200_000_000;

impl Agent {
    /// Answers a call that rings, with our session description.
    pub fn answer(&mut self, key: CallKey, sdp: String) {
        let local = self.local();
        let Some(call) = self.call_mut(key).filter(|call| call.state == State::Ringing) else { return };
        call.state = State::Answering;
        let (peer, head) = (call.peer, std::mem::take(&mut call.head));
        let contact = format!("<sip:{}@{local}>", call.user);
        call.sdp.clone_from(&sdp);
        let place = self.send_response(peer, 200, &head, &[("Contact", &contact)], Some(&sdp));
        self.keep(key, place);
        if let Some(call) = self.call_mut(key) {
            call.head = head;
        }
        self.insist(key);
    }

    /// Refuses a call that rings.
    pub fn refuse(&mut self, key: CallKey, code: u16) {
        let Some(call) = self.call_mut(key).filter(|call| call.state == State::Ringing) else { return };
        call.state = State::Refusing;
        let (peer, head) = (call.peer, std::mem::take(&mut call.head));
        let place = self.send_response(peer, code, &head, &[], None);
        self.keep(key, place);
        if let Some(call) = self.call_mut(key) {
            call.head = head;
        }
        self.insist(key);
    }

    pub(super) fn request(&mut self, from: SocketAddr, message: &Message<'_>) {
        let Start::Request { method, uri, .. } = message.start else { return };
        let (Some(call_id), Some(cseq)) =
            (message.header(Name::CallId), message.header(Name::CSeq).and_then(CSeq::parse))
        else {
            self.traffic.unexpected += 1;
            return;
        };
        let known = self.of_call_id(call_id);
        match (method, known) {
            (Method::Invite, None) => self.called(from, uri, call_id, cseq.number, message),
            (Method::Invite, Some(key)) => self.invited_again(key, from, cseq.number, message),
            (Method::Ack, Some(key)) => self.acknowledged(key, message),
            (Method::Ack, None) => {}
            (Method::Cancel, Some(key)) => self.given_up(key, from, message),
            (Method::Bye, Some(key)) => {
                self.send_response(from, 200, &head(message, None), &[], None);
                let Some(state) = self.call(key).map(|call| call.state) else { return };
                match state {
                    State::Over => self.traffic.received_again += 1,
                    // Both hung up at once: each BYE is answered.
                    State::Leaving => {}
                    _ => {
                        self.tell(key, Event::HungUp);
                        self.end(key);
                    }
                }
            }
            (Method::Options | Method::Info | Method::Update | Method::Notify | Method::Prack | Method::Message, _)
                if known.is_some() || method == Method::Options =>
            {
                self.send_response(from, 200, &head(message, None), &[], None);
            }
            (_, None) => {
                self.traffic.unexpected += 1;
                self.send_response(from, 481, &head(message, None), &[], None);
            }
            (_, Some(_)) => {
                self.send_response(from, 405, &head(message, None), &[], None);
            }
        }
    }

    /// The call of a Call-ID, ours or theirs, that is still kept.
    fn of_call_id(&self, call_id: &str) -> Option<CallKey> {
        if let Some((run, rest)) = call_id.split_once('-')
            && u32::from_str_radix(run, 16).is_ok_and(|run| run == self.run)
            && let Some(key) = rest.split('@').next().and_then(CallKey::parse)
            && self.call(key).is_some_and(|call| call.call_id == call_id)
        {
            return Some(key);
        }
        self.incoming.get(call_id).copied()
    }

    fn called(&mut self, from: SocketAddr, uri: &str, call_id: &str, cseq: u32, message: &Message<'_>) {
        let user = |text: Option<&str>| {
            let uri = NameAddr::parse(text?)?.uri;
            Some(Uri::parse(uri)?.user.unwrap_or_default().to_owned())
        };
        let caller = user(message.header(Name::From)).unwrap_or_default();
        let called = Uri::parse(uri).and_then(|uri| uri.user.map(str::to_owned)).unwrap_or_default();
        let contact = message.header(Name::Contact).and_then(|text| list(text).next()).and_then(NameAddr::parse);
        let (Some(contact), Some(from_header)) = (contact, message.header(Name::From)) else {
            self.traffic.unexpected += 1;
            self.send_response(from, 500, &head(message, None), &[], None);
            return;
        };
        let route: Vec<String> = message.all(Name::RecordRoute).flat_map(list).map(str::to_owned).collect();
        let target = contact.uri.to_owned();
        let to = message.header(Name::To).unwrap_or_default();
        let key = self.insert(|key| Call {
            state: State::Ringing,
            peer: from,
            target,
            route,
            own: if tag_of(to).is_some() { to.to_owned() } else { format!("{to};tag={key}") },
            other: from_header.to_owned(),
            user: called.clone(),
            call_id: call_id.to_owned(),
            cseq: 0,
            invite_cseq: cseq,
            sdp: String::new(),
            sent: Vec::new(),
            interval_us: 0,
            retransmit: Entry::NONE,
            give_up: Entry::NONE,
            authorized: false,
            head: head(message, Some(key)),
            incoming: true,
        });
        self.incoming.insert(call_id.into(), key);
        let local = self.local();
        let contact = format!("<sip:{called}@{local}>");
        let Some(head) = self.call_mut(key).map(|call| std::mem::take(&mut call.head)) else { return };
        let place = self.send_response(from, 180, &head, &[("Contact", &contact)], None);
        self.keep(key, place);
        let give_up = self.timers.schedule(self.now + RINGING_US, (key, Timer::GiveUp));
        if let Some(call) = self.call_mut(key) {
            (call.head, call.give_up) = (head, give_up);
        }
        self.tell(key, Event::Incoming { caller, called, sdp: sdp_of(message) });
    }

    /// An INVITE in a call that we know: a retransmission, or a change of the session.
    fn invited_again(&mut self, key: CallKey, from: SocketAddr, cseq: u32, message: &Message<'_>) {
        let local = self.local();
        let Some(call) = self.call_mut(key) else { return };
        if call.incoming && cseq == call.invite_cseq {
            let (peer, bytes) = (call.peer, std::mem::take(&mut call.sent));
            self.traffic.received_again += 1;
            if !bytes.is_empty() {
                self.send(peer, &bytes);
            }
            if let Some(call) = self.call_mut(key) {
                call.sent = bytes;
            }
            return;
        }
        let (sdp, contact, up) = (
            call.sdp.clone(),
            format!("<sip:{}@{local}>", call.user),
            matches!(call.state, State::Up | State::Leaving),
        );
        let head = head(message, None);
        if up {
            // Where their audio goes does not change what we do with it: the answer is what it was.
            self.send_response(from, 200, &head, &[("Contact", &contact)], Some(&sdp));
        } else {
            self.send_response(from, 481, &head, &[], None);
        }
    }

    fn acknowledged(&mut self, key: CallKey, message: &Message<'_>) {
        let reach = self.reach.clone();
        let Some(call) = self.call_mut(key) else { return };
        match call.state {
            State::Answering => {
                call.state = State::Up;
                // From now on we may send requests of our own.
                let next = call.route.first().and_then(|route| NameAddr::parse(route));
                let next = next.map_or(call.target.as_str(), |it| it.uri);
                if let Some(address) = address_of(next).filter(|address| reach.has(address.ip())) {
                    call.peer = address;
                }
                self.stop_timers(key);
                self.tell(key, Event::Confirmed { sdp: sdp_of(message) });
            }
            State::Refusing => self.end(key),
            _ => {}
        }
    }

    fn given_up(&mut self, key: CallKey, from: SocketAddr, message: &Message<'_>) {
        self.send_response(from, 200, &head(message, None), &[], None);
        let Some(call) = self.call_mut(key).filter(|call| call.state == State::Ringing) else { return };
        call.state = State::Refusing;
        let (peer, head) = (call.peer, std::mem::take(&mut call.head));
        let place = self.send_response(peer, 487, &head, &[], None);
        self.keep(key, place);
        self.insist(key);
        self.tell(key, Event::GivenUp);
    }
}
