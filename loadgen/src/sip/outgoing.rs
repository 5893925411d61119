//! Calls and requests that we make.

use std::net::SocketAddr;

use callfloor_sim::calendar::Entry;
use callfloor_sip::digest::authorize;
use callfloor_sip::message::{CSeq, Message, Name, NameAddr, Uri, list};

use super::agent::Agent;
use super::call::{Call, CallKey, Event, Failure, State};
use super::write::Request;

impl Agent {
    /// Calls `target` (a URI) at `peer`, showing `user` as the caller.
    pub fn invite(&mut self, peer: SocketAddr, target: &str, user: &str, sdp: String) -> CallKey {
        let key = self.open(peer, target, user, State::Calling { rung: false, unwanted: false });
        if let Some(call) = self.call_mut(key) {
            call.sdp = sdp;
            call.invite_cseq = 1;
        }
        self.send_invite(key, &[]);
        key
    }

    fn send_invite(&mut self, key: CallKey, more: &[(&str, &str)]) {
        let Some(call) = self.call_mut(key) else { return };
        let (sdp, cseq) = (std::mem::take(&mut call.sdp), call.cseq);
        let what = Request { method: "INVITE", cseq, branch: "INVITE", more, sdp: Some(&sdp) };
        self.send_request(key, &what, true);
        if let Some(call) = self.call_mut(key) {
            call.sdp = sdp;
        }
        self.insist(key);
    }

    /// Registers `user` of `domain` at `peer` for so many seconds; 0 takes the registration back.
    pub fn register(&mut self, peer: SocketAddr, domain: &str, user: &str, expires_s: u32) -> CallKey {
        let key = self.open(peer, &format!("sip:{domain}"), user, State::Asking);
        if let Some(call) = self.call_mut(key) {
            call.own = format!("<sip:{user}@{domain}>;tag={key}");
            call.other = format!("<sip:{user}@{domain}>");
        }
        let expires = expires_s.to_string();
        let what =
            Request { method: "REGISTER", cseq: 1, branch: "REGISTER", more: &[("Expires", &expires)], sdp: None };
        self.send_request(key, &what, true);
        self.insist(key);
        key
    }

    fn open(&mut self, peer: SocketAddr, target: &str, user: &str, state: State) -> CallKey {
        let (local, run) = (self.local(), self.run);
        self.insert(|key| Call {
            state,
            peer,
            target: target.to_owned(),
            route: Vec::new(),
            own: format!("<sip:{user}@{local}>;tag={key}"),
            other: format!("<{target}>"),
            user: user.to_owned(),
            call_id: format!("{run:x}-{key}@{}", local.ip()),
            cseq: 1,
            invite_cseq: 0,
            sdp: String::new(),
            sent: Vec::new(),
            interval_us: 0,
            retransmit: Entry::NONE,
            give_up: Entry::NONE,
            authorized: false,
            head: Vec::new(),
            incoming: false,
        })
    }

    /// Ends a call by whatever its state asks for: CANCEL before an answer, BYE after it, a refusal of one that rings.
    pub fn hang_up(&mut self, key: CallKey) {
        let Some(call) = self.call_mut(key) else { return };
        match call.state {
            State::Calling { rung: false, .. } => call.state = State::Calling { rung: false, unwanted: true },
            State::Calling { rung: true, .. } => self.cancel(key),
            State::Ringing => self.refuse(key, 486),
            State::Up | State::Answering => self.bye(key),
            State::Cancelling | State::Asking | State::Refusing | State::Leaving | State::Over => {}
        }
    }

    fn cancel(&mut self, key: CallKey) {
        let Some(call) = self.call_mut(key) else { return };
        call.state = State::Cancelling;
        let cseq = call.cseq;
        let what = Request { method: "CANCEL", cseq, branch: "INVITE", more: &[], sdp: None };
        self.send_request(key, &what, true);
        self.insist(key);
    }

    fn bye(&mut self, key: CallKey) {
        let Some(call) = self.call_mut(key) else { return };
        call.state = State::Leaving;
        call.cseq += 1;
        let cseq = call.cseq;
        self.send_request(key, &Request { method: "BYE", cseq, branch: "BYE", more: &[], sdp: None }, true);
        self.insist(key);
    }

    fn acknowledge(&mut self, key: CallKey, cseq: u32, of_refusal: bool) {
        let branch = if of_refusal { "INVITE" } else { "ACK" };
        self.send_request(key, &Request { method: "ACK", cseq, branch, more: &[], sdp: None }, false);
    }

    /// A response to request number `cseq` of a call.
    pub(super) fn reply(&mut self, key: CallKey, cseq: u32, code: u16, message: &Message<'_>) {
        let Some(method) = message.header(Name::CSeq).and_then(CSeq::parse).map(|found| found.method) else { return };
        let Some(call) = self.call(key) else { return };
        match (method, call.state) {
            ("INVITE", State::Calling { .. } | State::Cancelling) if cseq == call.cseq => {
                self.invite_reply(key, code, message);
            }
            // The ACK was lost, or the answer came twice.
            ("INVITE", _) if code >= 200 => {
                self.traffic.received_again += 1;
                self.acknowledge(key, cseq, code >= 300);
            }
            ("CANCEL", State::Cancelling) if code >= 200 => {
                // The INVITE's own end is still to come: it may take as long again, and nothing is repeated meanwhile.
                self.insist(key);
                if let Some(call) = self.call_mut(key) {
                    let entry = std::mem::take(&mut call.retransmit);
                    self.timers.withdraw(entry);
                }
            }
            ("BYE", State::Leaving) if code >= 200 && cseq == call.cseq => {
                self.tell(key, Event::Left { answered: true });
                self.end(key);
            }
            (_, State::Asking) if code >= 200 && cseq == call.cseq => self.asked(key, code, method, message),
            _ if code < 200 => {}
            _ => self.traffic.received_again += 1,
        }
    }

    fn invite_reply(&mut self, key: CallKey, code: u16, message: &Message<'_>) {
        let Some(call) = self.call_mut(key) else { return };
        let (state, cseq) = (call.state, call.cseq);
        match code {
            ..200 => {
                if let State::Calling { unwanted, .. } = state {
                    call.state = State::Calling { rung: true, unwanted };
                    self.stop_timers(key);
                    self.tell(key, Event::Provisional { code });
                    if unwanted {
                        self.cancel(key);
                    }
                }
            }
            200..300 => {
                self.stop_timers(key);
                self.remember_dialog(key, message);
                self.acknowledge(key, cseq, false);
                let unwanted = matches!(state, State::Cancelling | State::Calling { unwanted: true, .. });
                if let Some(call) = self.call_mut(key) {
                    call.state = State::Up;
                }
                if unwanted {
                    // The answer crossed our CANCEL.
                    self.bye(key);
                } else {
                    self.tell(key, Event::Answered { sdp: sdp_of(message) });
                }
            }
            _ => {
                self.stop_timers(key);
                if let Some(to) = message.header(Name::To)
                    && let Some(call) = self.call_mut(key)
                {
                    to.clone_into(&mut call.other);
                }
                self.acknowledge(key, cseq, true);
                if matches!(state, State::Calling { unwanted: false, .. })
                    && let Some(answer) = self.challenged(key, "INVITE", code, message)
                {
                    if let Some(call) = self.call_mut(key) {
                        call.other = format!("<{}>", call.target);
                        call.cseq += 1;
                        call.state = State::Calling { rung: false, unwanted: false };
                    }
                    self.send_invite(key, &[(answer.0, &answer.1)]);
                    return;
                }
                let event = match state {
                    State::Cancelling if code == 487 => Event::Cancelled,
                    _ => Event::Failed(Failure::Refused(code)),
                };
                self.tell(key, event);
                self.end(key);
            }
        }
    }

    fn asked(&mut self, key: CallKey, code: u16, method: &str, message: &Message<'_>) {
        if let Some(answer) = self.challenged(key, method, code, message) {
            self.stop_timers(key);
            let Some(call) = self.call_mut(key) else { return };
            call.cseq += 1;
            let cseq = call.cseq;
            // What the request asked for stands in the answer to it only for REGISTER.
            let expires = message.header(Name::Expires).unwrap_or("3600").to_owned();
            let more = [(answer.0, answer.1.as_str()), ("Expires", expires.as_str())];
            self.send_request(key, &Request { method, cseq, branch: method, more: &more, sdp: None }, true);
            self.insist(key);
            return;
        }
        let event = if code < 300 { Event::Answered { sdp: None } } else { Event::Failed(Failure::Refused(code)) };
        self.tell(key, event);
        self.end(key);
    }

    /// The answer to a challenge, once a request, where we have one: header and value.
    fn challenged(
        &mut self,
        key: CallKey,
        method: &str,
        code: u16,
        message: &Message<'_>,
    ) -> Option<(&'static str, String)> {
        let (asked, answer) = match code {
            401 => (Name::WwwAuthenticate, "Authorization"),
            407 => (Name::ProxyAuthenticate, "Proxy-Authorization"),
            _ => return None,
        };
        let call = self.call(key)?;
        if call.authorized {
            return None;
        }
        let credentials = self.credentials.get(&call.user).or_else(|| self.credentials.get(""))?;
        let cnonce = format!("{:x}{key}", self.run);
        let value =
            authorize(message.all(asked), &credentials.user, &credentials.password, method, &call.target, &cnonce)?;
        self.call_mut(key)?.authorized = true;
        Some((answer, value))
    }

    /// What their 2xx says of the dialog: their tag, where they want to be reached, and by which way.
    fn remember_dialog(&mut self, key: CallKey, message: &Message<'_>) {
        let to = message.header(Name::To).map(str::to_owned);
        let contact = message.header(Name::Contact).and_then(|text| list(text).next()).and_then(NameAddr::parse);
        let contact = contact.map(|contact| contact.uri.to_owned());
        let mut route: Vec<String> = message.all(Name::RecordRoute).flat_map(list).map(str::to_owned).collect();
        route.reverse();
        let reach = self.reach.clone();
        let Some(call) = self.call_mut(key) else { return };
        if let Some(to) = to {
            call.other = to;
        }
        if let Some(contact) = contact {
            call.target = contact;
        }
        call.route = route;
        let next =
            call.route.first().and_then(|route| NameAddr::parse(route)).map_or(call.target.as_str(), |it| it.uri);
        if let Some(address) = address_of(next).filter(|address| reach.has(address.ip())) {
            call.peer = address;
        }
    }
}

/// Where a URI with an address in it is reached; `None` for one with a name, which would have to be looked up.
pub(super) fn address_of(uri: &str) -> Option<SocketAddr> {
    Uri::parse(uri)?.socket()
}

pub(super) fn sdp_of(message: &Message<'_>) -> Option<String> {
    if message.body.is_empty() {
        return None;
    }
    std::str::from_utf8(message.body).ok().map(str::to_owned)
}
