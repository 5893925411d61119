//! Outgoing legs until they are established, and the end of legs of both kinds.

use super::client::{Owner, Purpose};
use super::incoming::sdp_of;
use super::leg::{Leg, State, clean, reason_line, routes_of};
use super::{GIVE_UP, Stack, Timer};
use crate::digest;
use crate::event::{Cause, Event, LegId};
use crate::flow::{Flow, Transport};
use crate::message::{Message, Name, NameAddr, Reply, Start, Uri, Writer, escape_user};
use crate::order::{Invite, Via};
use std::time::{Duration, Instant};

/// How long the host may take to answer an offer that came with a 2xx.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);

/// Headers that the stack writes itself and a host may not add.
const OWN_HEADERS: [Name<'static>; 18] = [
    Name::Via,
    Name::From,
    Name::To,
    Name::CallId,
    Name::CSeq,
    Name::Contact,
    Name::MaxForwards,
    Name::ContentLength,
    Name::ContentType,
    Name::Route,
    Name::RecordRoute,
    Name::Supported,
    Name::Allow,
    Name::Authorization,
    Name::ProxyAuthorization,
    Name::SessionExpires,
    Name::MinSe,
    Name::Replaces,
];

impl Stack {
    /// The flow of an order, if it needs no name to be looked up.
    pub(crate) fn flow_of(&self, target: &str, via: &Via) -> Result<Flow, String> {
        match via {
            Via::Flow(flow) => Ok(*flow),
            Via::Proxy { transport, address } => Ok(self.flow_to(*transport, *address)),
            Via::Uri => {
                let uri = Uri::parse(target).ok_or("the target is no SIP URI")?;
                let transport = Transport::of_uri(&uri).ok_or("the target's transport is not spoken here")?;
                let socket = uri.socket().ok_or("the target's host name was not looked up")?;
                Ok(self.flow_to(transport, socket))
            }
        }
    }

    pub(super) fn order_invite(&mut self, now: Instant, id: u64, invite: Box<Invite>, flow: Option<Flow>) {
        let fail = |stack: &mut Self, cause| stack.events.push_back(Event::Ended { leg: LegId(id), cause });
        if self.stopping {
            return fail(self, Cause::Shutdown);
        }
        if self.legs.len() >= self.settings.admission.max_legs {
            let reason = "Too Many Legs".to_owned();
            return fail(self, Cause::Failed { code: 503, reason, retry_after_s: None });
        }
        let Some(uri) = Uri::parse(&invite.target).filter(|u| !u.host.is_empty()) else {
            return fail(self, Cause::Unreachable { what: "the target is no SIP URI".to_owned() });
        };
        let flow = match flow.map_or_else(|| self.flow_of(&invite.target, &invite.via), Ok) {
            Ok(flow) => flow,
            Err(what) => return fail(self, Cause::Unreachable { what }),
        };
        let local_tag = self.new_tag(id);
        let own = self.own_address(flow);
        let domain = invite.domain.clone().unwrap_or_else(|| own.ip_host());
        let display = invite.display.as_deref().map_or(String::new(), quoted);
        let caller = escape_user(&invite.caller);
        let at = if caller.is_empty() { "" } else { "@" };
        let local = clean(&format!("{display}<sip:{caller}{at}{domain}>;tag={local_tag}"));
        let user = uri.user.map_or(String::new(), |u| format!("{u}@"));
        let port = uri.port.map_or(String::new(), |p| format!(":{p}"));
        let remote = clean(&format!("<{}:{user}{}{port}>", uri.scheme, uri.host));
        let call_id = format!("{:016x}{:016x}", self.draw(), self.draw());
        let leg = Leg {
            id,
            outgoing: true,
            state: State::Calling,
            call_id: call_id.into(),
            local_tag,
            remote_tag: None,
            local,
            remote,
            target: clean(&invite.target),
            routes: Vec::new(),
            flow,
            pinned: matches!(invite.via, Via::Flow(_)),
            local_cseq: 0,
            remote_cseq: None,
            arrival: None,
            invite_tx: 0,
            invite_cseq: 0,
            ring_until: now + self.settings.max_ring,
            provisional: None,
            wants_100rel: false,
            rseq: 0,
            unpracked: None,
            unacknowledged: None,
            offered: invite.offer.is_some(),
            local_sdp: invite.offer.as_deref().map(Box::from),
            early_sdp: None,
            leaving: None,
            leaving_reason: None,
            proceeding: false,
            cancel_sent: false,
            invite: Some(invite),
            tried_credentials: false,
            min_se: None,
            peer_update: false,
            peer_timer: false,
            session_asked: None,
            session: None,
            peer_offer: None,
            our_offer: None,
            next_offer: None,
            retry_offer_at: None,
            last_rseq: None,
            late_ack: None,
        };
        self.insert_leg(now, leg);
        self.send_invite(now, id, None);
    }

    /// Sends the first INVITE, or repeats it with credentials or another session interval.
    fn send_invite(&mut self, now: Instant, id: u64, authorization: Option<String>) {
        let (tx, proof, branch) = self.new_branch();
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.local_cseq += 1;
        leg.invite_cseq = leg.local_cseq;
        leg.invite_tx = tx;
        leg.proceeding = false;
        let cseq = leg.local_cseq;
        let Some(leg) = self.legs.get(&id) else { return };
        let Some(invite) = leg.invite.as_deref() else { return };
        let mut lines = Vec::with_capacity(8);
        if let Some(seconds) = self.settings.session_expires_s {
            let least = leg.min_se.unwrap_or(90);
            lines.push(format!("Session-Expires: {}", seconds.max(least)));
            lines.push(format!("Min-SE: {least}"));
        }
        lines.extend(authorization);
        if invite.auto_answer {
            lines.push("Call-Info: <sip:callfloor>;answer-after=0".to_owned());
            lines.push("Alert-Info: <http://callfloor>;info=alert-autoanswer".to_owned());
        }
        if let Some(replaces) = &invite.replaces {
            let early = if replaces.early_only { ";early-only" } else { "" };
            let (call, to, from) = (&replaces.call_id, &replaces.to_tag, &replaces.from_tag);
            lines.push(clean(&format!("Replaces: {call};to-tag={to};from-tag={from}{early}")).into());
            lines.push("Require: replaces".to_owned());
        }
        if matches!(invite.via, Via::Proxy { .. })
            && let Some(address) = NameAddr::parse(&leg.local)
        {
            lines.push(format!("P-Asserted-Identity: <{}>", address.uri));
        }
        for (name, value) in &invite.headers {
            let known = Name::of(name);
            let token = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !name.is_empty();
            if token && !OWN_HEADERS.contains(&known) {
                lines.push(clean(&format!("{name}: {value}")).into());
            }
        }
        let body = leg.local_sdp.as_deref().map(|sdp| ("application/sdp", sdp));
        let bytes = self.dialog_request(leg, "INVITE", cseq, &branch, &lines, body);
        let flow = leg.flow;
        self.client_send(now, (tx, proof), flow, true, bytes, Owner::Leg(id, Purpose::Invite));
    }

    /// A provisional response to the first INVITE.
    pub(super) fn on_invite_progress(&mut self, now: Instant, flow: Flow, id: u64, first: bool, reply: &Reply<'_>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.proceeding = true;
        if leg.state == State::Leaving {
            if first {
                self.send_cancel(now, id);
            }
            return;
        }
        if reply.code == 100 || leg.state != State::Calling {
            return;
        }
        if reply.message.lists(Name::Require, "100rel") && !self.acknowledge_provisional(now, flow, id, reply) {
            return;
        }
        let sdp = sdp_of(reply.message.body, reply.message.header(Name::ContentType), None).ok().flatten();
        let leg_id = LegId(id);
        match sdp {
            Some(sdp) => {
                if let Some(leg) = self.legs.get_mut(&id) {
                    leg.early_sdp = Some(sdp.clone());
                }
                self.events.push_back(Event::EarlyMedia { leg: leg_id, sdp });
                if reply.code == 180 {
                    self.events.push_back(Event::Ringing { leg: leg_id, code: 180 });
                }
            }
            None => self.events.push_back(Event::Ringing { leg: leg_id, code: reply.code }),
        }
    }

    /// The final response to the first INVITE.
    pub(super) fn on_invite_final(&mut self, now: Instant, flow: Flow, id: u64, tx: u64, reply: &Reply<'_>) {
        let Some(leg) = self.legs.get(&id) else {
            // The leg was given up while this was under way: nobody wants the call.
            if reply.code < 300 {
                self.hang_up_fork(now, flow, tx, reply);
            }
            return;
        };
        if reply.code < 300 {
            return self.on_invite_success(now, flow, id, tx, reply);
        }
        if let Some(cause) = leg.leaving.clone() {
            return self.finish(id, cause);
        }
        match reply.code {
            401 | 407 if !leg.tried_credentials => {
                if let Some(line) = self.answer_challenge(id, reply) {
                    if let Some(leg) = self.legs.get_mut(&id) {
                        leg.tried_credentials = true;
                    }
                    return self.send_invite(now, id, Some(line));
                }
            }
            422 if leg.min_se.is_none() => {
                let least = reply.message.header(Name::MinSe).and_then(|v| v.parse().ok());
                if let Some(least) = least.filter(|&s: &u32| (90..=86_400).contains(&s)) {
                    if let Some(leg) = self.legs.get_mut(&id) {
                        leg.min_se = Some(least);
                    }
                    return self.send_invite(now, id, None);
                }
            }
            _ => {}
        }
        let retry_after_s = reply
            .message
            .header(Name::RetryAfter)
            .and_then(|v| v.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok());
        let cause = Cause::Failed { code: reply.code, reason: reply.reason.to_owned(), retry_after_s };
        self.finish(id, cause);
    }

    fn answer_challenge(&mut self, id: u64, reply: &Reply<'_>) -> Option<String> {
        let cnonce = format!("{:016x}", self.draw());
        let leg = self.legs.get(&id)?;
        let credentials = leg.invite.as_deref()?.credentials.as_ref()?;
        authorization(reply, &credentials.user, &credentials.password, "INVITE", &leg.target, &cnonce)
    }

    fn on_invite_success(&mut self, now: Instant, flow: Flow, id: u64, tx: u64, reply: &Reply<'_>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.remote_tag = Some(reply.to.tag().unwrap_or_default().into());
        leg.remote = clean(reply.message.header(Name::To).unwrap_or_default());
        let mut routes = routes_of(reply.message);
        routes.reverse();
        leg.routes = routes;
        leg.peer_update = reply.message.lists(Name::Allow, "UPDATE");
        leg.invite = None;
        let gave_up = leg.leaving.take();
        self.learn_target(id, flow, reply.contact());
        let sdp = sdp_of(reply.message.body, reply.message.header(Name::ContentType), None).ok().flatten();
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.offered || sdp.is_none() || gave_up.is_some() {
            self.send_ack(id, tx, reply.cseq.number, None);
        } else {
            // The peer's offer is answered in the ACK, once the host has said how.
            leg.late_ack = Some((tx, reply.cseq.number));
            leg.retry_offer_at = Some(self.timers.set(now, ANSWER_WITHIN, Timer::LegOffer(id)));
        }
        if let Some(cause) = gave_up {
            // The answer crossed our CANCEL.
            return self.leave(now, id, cause);
        }
        self.begin_session(now, id, reply);
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.state = State::Talking;
        let sdp = sdp.or_else(|| leg.early_sdp.take());
        self.events.push_back(Event::Answered { leg: LegId(id), sdp });
    }

    /// ACK to a 2xx, kept with the transaction in case the 2xx comes again.
    pub(super) fn send_ack(&mut self, id: u64, tx: u64, cseq: u32, sdp: Option<&str>) {
        let (_, _, branch) = self.new_branch();
        let Some(leg) = self.legs.get(&id) else { return };
        let bytes = self.dialog_request(leg, "ACK", cseq, &branch, &[], sdp.map(|s| ("application/sdp", s)));
        let (flow, tag) = (leg.flow, leg.remote_tag.clone().unwrap_or_default());
        self.keep_ack(tx, &tag, flow, bytes.clone());
        self.send(flow, bytes);
    }

    /// A 2xx of another fork, or one that came after the leg was given up: ACK, then BYE.
    pub(super) fn hang_up_fork(&mut self, now: Instant, flow: Flow, tx: u64, reply: &Reply<'_>) {
        let Some(client) = self.clients.get(&tx) else { return };
        let request = client.request.clone();
        let Ok(invite) = Message::parse(&request) else { return };
        let target = reply.contact().map_or_else(
            || match invite.start {
                Start::Request { uri, .. } => clean(uri),
                Start::Response { .. } => "".into(),
            },
            |contact| clean(contact.uri),
        );
        let mut routes = routes_of(reply.message);
        routes.reverse();
        let write = |stack: &mut Self, method: &str, cseq: u32| {
            let (id, proof, branch) = stack.new_branch();
            let mut writer = Writer::request(method, &target);
            writer.format(format_args!("{}", stack.via_line(flow, &branch))).number(Name::MaxForwards, 70);
            for route in &routes {
                writer.header(Name::Route, route);
            }
            writer.copy(&invite, Name::From).copy(reply.message, Name::To).copy(&invite, Name::CallId);
            writer.format(format_args!("CSeq: {cseq} {method}"));
            (id, proof, writer.finish(None))
        };
        let (_, _, ack) = write(self, "ACK", reply.cseq.number);
        self.keep_ack(tx, reply.to.tag().unwrap_or_default(), flow, ack.clone());
        self.send(flow, ack);
        let (id, proof, bye) = write(self, "BYE", reply.cseq.number.saturating_add(1));
        self.client_send(now, (id, proof), flow, false, bye, Owner::Nobody);
    }

    pub(super) fn order_hang_up(&mut self, now: Instant, id: u64, reason: Option<String>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        match leg.state {
            State::Arriving => {
                let lines: Vec<String> = reason.map(|r| reason_line(&r)).into_iter().collect();
                self.refuse_leg(now, id, 480, None, &lines);
            }
            // No BYE before the ACK (RFC 3261 section 15).
            State::Answered => {
                leg.leaving.get_or_insert(Cause::HungUp);
                leg.leaving_reason = reason;
            }
            State::Calling => {
                leg.state = State::Leaving;
                leg.leaving = Some(Cause::Cancelled);
                leg.leaving_reason = reason;
                if leg.proceeding {
                    self.send_cancel(now, id);
                }
            }
            State::Talking => {
                leg.leaving_reason = reason;
                self.leave(now, id, Cause::HungUp);
            }
            State::Leaving => {}
        }
    }

    /// CANCEL: the INVITE's own Via, and no more than it needs (RFC 3261 section 9.1).
    fn send_cancel(&mut self, now: Instant, id: u64) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.cancel_sent {
            return;
        }
        leg.cancel_sent = true;
        let (tx, reason) = (leg.invite_tx, leg.leaving_reason.take());
        let Some(client) = self.clients.get(&tx) else { return };
        let (request, flow) = (client.request.clone(), client.flow);
        let Ok(invite) = Message::parse(&request) else { return };
        let Start::Request { uri, .. } = invite.start else { return };
        let mut writer = Writer::request("CANCEL", uri);
        writer.copy(&invite, Name::Via).copy(&invite, Name::Route).copy(&invite, Name::From);
        writer.copy(&invite, Name::To).copy(&invite, Name::CallId);
        let cseq = self.legs.get(&id).map_or(1, |l| l.invite_cseq);
        writer.format(format_args!("CSeq: {cseq} CANCEL")).number(Name::MaxForwards, 70);
        if let Some(reason) = reason {
            writer.format(format_args!("{}", reason_line(&reason)));
        }
        let bytes = writer.finish(None);
        // Its responses carry the INVITE's branch: they are told apart by CSeq, and are of no interest. What is retransmitted
        // is bounded by the leg's own limit.
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.ring_until = now + GIVE_UP;
        }
        self.cancel_transaction(now, tx, flow, bytes);
        self.timers.set(now, GIVE_UP, Timer::LegRing(id));
    }

    /// Rings for too long, or its last provisional response is a minute old.
    pub(super) fn ring_timer(&mut self, now: Instant, id: u64) {
        let Some(leg) = self.legs.get(&id) else { return };
        let ringing = matches!(leg.state, State::Arriving | State::Calling)
            || leg.state == State::Leaving && leg.cancel_sent && leg.remote_tag.is_none();
        if !ringing {
            return;
        }
        if now >= leg.ring_until {
            match leg.state {
                State::Arriving => self.refuse_leg(now, id, 408, None, &[]),
                State::Calling => {
                    self.order_hang_up(now, id, None);
                    if let Some(leg) = self.legs.get_mut(&id) {
                        leg.leaving = Some(Cause::NoResponse);
                    }
                }
                // The peer took the CANCEL and never ended the INVITE.
                _ => {
                    let cause = leg.leaving.clone().unwrap_or(Cause::Cancelled);
                    let tx = leg.invite_tx;
                    self.finish(id, cause);
                    self.forget_client(tx);
                }
            }
            return;
        }
        let left = leg.ring_until.saturating_duration_since(now);
        self.timers.set(now, left.min(Duration::from_secs(60)), Timer::LegRing(id));
        if leg.state == State::Arriving
            && leg.unpracked.is_none()
            && let Some((code, sdp)) = leg.provisional.clone()
        {
            // So that proxies on the way do not give up (RFC 3261 section 13.3.1.1).
            self.order_provisional(now, id, code, sdp);
        }
    }

    /// The final response to a request within a leg.
    pub(super) fn on_leg_reply(
        &mut self,
        now: Instant,
        flow: Flow,
        id: u64,
        purpose: Purpose,
        tx: u64,
        reply: &Reply<'_>,
    ) {
        match purpose {
            Purpose::Bye => {
                if let Some(cause) = self.legs.get_mut(&id).and_then(|leg| leg.leaving.take()) {
                    self.finish(id, cause);
                }
            }
            Purpose::Offer | Purpose::Refresh => self.on_offer_reply(now, flow, id, purpose, tx, reply),
            Purpose::Refer => self.on_refer_reply(id, reply.code),
            Purpose::Prack | Purpose::Other if matches!(reply.code, 408 | 481) => {
                self.lose_peer(now, id, reply.code);
            }
            Purpose::Invite | Purpose::Prack | Purpose::Other => {}
        }
    }

    /// The peer says that the dialog is gone.
    pub(super) fn lose_peer(&mut self, now: Instant, id: u64, code: u16) {
        if self.legs.get(&id).is_some_and(|leg| leg.state == State::Talking) {
            self.leave(now, id, Cause::PeerLost { code });
        }
    }

    /// Nobody answered a request within a leg.
    pub(super) fn on_leg_no_answer(&mut self, now: Instant, id: u64, purpose: Purpose, what: Option<&str>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        match purpose {
            Purpose::Invite | Purpose::Bye => {
                let cause = leg.leaving.take().unwrap_or_else(|| match what {
                    Some(what) => Cause::Unreachable { what: what.to_owned() },
                    None => Cause::NoResponse,
                });
                self.finish(id, cause);
            }
            Purpose::Refer => self.on_refer_reply(id, 408),
            Purpose::Offer | Purpose::Refresh | Purpose::Prack | Purpose::Other => {
                if leg.state == State::Talking {
                    let cause =
                        if purpose == Purpose::Refresh { Cause::SessionExpired } else { Cause::PeerLost { code: 408 } };
                    self.leave(now, id, cause);
                }
            }
        }
    }
}

/// The Authorization line that answers a 401 or 407.
pub(super) fn authorization(
    reply: &Reply<'_>,
    user: &str,
    password: &str,
    method: &str,
    uri: &str,
    cnonce: &str,
) -> Option<String> {
    let (asked, given) = match reply.code {
        401 => (Name::WwwAuthenticate, "Authorization"),
        407 => (Name::ProxyAuthenticate, "Proxy-Authorization"),
        _ => return None,
    };
    let value = digest::authorize(reply.message.all(asked), user, password, method, uri, cnonce)?;
    Some(clean(&format!("{given}: {value}")).into())
}

fn quoted(display: &str) -> String {
    format!("\"{}\" ", display.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The host part of a URI for an address.
trait IpHost {
    fn ip_host(&self) -> String;
}

impl IpHost for std::net::SocketAddr {
    fn ip_host(&self) -> String {
        if self.is_ipv6() { format!("[{}]", self.ip()) } else { self.ip().to_string() }
    }
}
