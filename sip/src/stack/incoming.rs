//! Requests from outside a dialog, and incoming legs until they are established.

use super::leg::{Leg, State, Unacknowledged, clean, routes_of};
use super::server::{Arrival, ReplyParts};
use super::{ALLOW, GIVE_UP, SUPPORTED, Settings, Stack, T1, T2, Timer, add};
use crate::digest::{Proof, Verdict};
use crate::event::{Cause, Event, Incoming, LegId, Replaces};
use crate::flow::Flow;
use crate::message::{Fault, Method, Name, NameAddr, Params, Request, Uri, list, unquote};
use std::hash::BuildHasher;
use std::time::{Duration, Instant};

impl Stack {
    pub(super) fn on_request(&mut self, now: Instant, flow: Flow, request: &Request<'_>) {
        match request.method {
            Method::Ack => {
                if !self.server_ack(now, request) {
                    self.on_dialog_ack(now, flow, request);
                }
                return;
            }
            Method::Cancel => return self.on_cancel(now, flow, request),
            _ => {}
        }
        if request.to.tag().is_some() {
            let known = request.to.tag().and_then(|tag| self.leg_by_tags(request.call_id, tag, request.from.tag()));
            if let Arrival::New(server) = self.server_arrival(flow, request) {
                match known {
                    Some(leg) => self.on_dialog_request(now, flow, leg, server, request),
                    None => self.reply_code(now, server, 481),
                }
            }
            return;
        }
        if request.method == Method::Invite
            && !self.server_keys.contains_key(&*Self::server_key(request, "INVITE"))
            && !self.admit(now)
        {
            add(&self.counters.shed, 1);
            let line = format!("Retry-After: {}", self.settings.admission.retry_after_s);
            self.reply_stateless(flow, request, 503, &[line]);
            return;
        }
        let Arrival::New(server) = self.server_arrival(flow, request) else { return };
        let unknown: Vec<&str> = request
            .message
            .all(Name::Require)
            .flat_map(list)
            .filter(|tag| !list(SUPPORTED).any(|known| known.eq_ignore_ascii_case(tag)))
            .collect();
        if !unknown.is_empty() {
            add(&self.counters.faulty, 1);
            let line = format!("Unsupported: {}", clean(&unknown.join(", ")));
            self.reply_lines(now, server, 420, &[line]);
            return;
        }
        match request.method {
            Method::Invite => self.on_invite(now, flow, server, request),
            Method::Register => self.on_register(now, flow, server, request),
            Method::Options => {
                let lines = [allow(), "Accept: application/sdp".to_owned(), format!("Supported: {SUPPORTED}")];
                let closed = !self.settings.admission.open || self.stopping;
                self.reply_lines(now, server, if closed { 503 } else { 200 }, &lines);
            }
            Method::Subscribe | Method::Publish => self.reply_code(now, server, 489),
            Method::Refer => self.reply_code(now, server, 403),
            Method::Bye | Method::Notify | Method::Info | Method::Update | Method::Prack => {
                self.reply_code(now, server, 481);
            }
            Method::Message => self.reply_lines(now, server, 405, &[allow()]),
            Method::Other(_) => self.reply_lines(now, server, 501, &[allow()]),
            Method::Ack | Method::Cancel => {}
        }
    }

    /// Whether one more call is let in now.
    fn admit(&mut self, now: Instant) -> bool {
        let admission = self.settings.admission;
        if self.pressure || self.stopping || !admission.open || self.legs.len() >= admission.max_legs {
            return false;
        }
        if let Some(limit) = admission.max_calls_per_s {
            if now.saturating_duration_since(self.window.0) >= Duration::from_secs(1) {
                self.window = (now, 0);
            }
            if self.window.1 >= limit {
                return false;
            }
            self.window.1 += 1;
        }
        true
    }

    /// Looks at credentials for a realm of ours.
    pub(super) fn examine(&mut self, now: Instant, request: &Request<'_>) -> Verdict {
        let headers = request.message.all(Name::Authorization).chain(request.message.all(Name::ProxyAuthorization));
        let Settings { realm, realms, .. } = &self.settings;
        let is_ours = |named: &str| named == realm || realms.iter().any(|other| other == named);
        self.nonces.examine(now, is_ours, request.method.as_str(), headers)
    }

    /// The realm that a request is addressed to: that of its domain, else the first.
    pub(super) fn realm_of(&self, request: &Request<'_>) -> String {
        let Settings { realm, realms, .. } = &self.settings;
        let addressed = [request.to.uri, request.uri].map(domain);
        let found = addressed.iter().find_map(|domain| realms.iter().find(|realm| realm.eq_ignore_ascii_case(domain)));
        found.unwrap_or(realm).clone()
    }

    pub(super) fn challenge_lines(&mut self, now: Instant, realm: &str, stale: bool) -> Vec<String> {
        add(&self.counters.challenged, 1);
        let challenges = self.nonces.challenge(now, realm, stale, &self.settings.algorithms);
        challenges.iter().map(|c| format!("WWW-Authenticate: {c}")).collect()
    }

    fn on_invite(&mut self, now: Instant, flow: Flow, server: u64, request: &Request<'_>) {
        let arrival = self.hash.hash_one((request.call_id, request.from.tag(), request.cseq));
        if self.arrivals.contains_key(&arrival) {
            return self.reply_code(now, server, 482);
        }
        let offer = match sdp_body(request) {
            Ok(offer) => offer,
            Err(fault) => {
                let accept = ["Accept: application/sdp".to_owned(), "Accept-Encoding: identity".to_owned()];
                let parts = ReplyParts { reason: Some(fault.reason), lines: &accept, ..ReplyParts::default() };
                self.reply(now, server, fault.code, &parts);
                return;
            }
        };
        // Before RFC 3261 a caller might have none: it is where its From says.
        let contact = request.contact().or(Some(request.from));
        let replaces = match self.replaced_leg(request) {
            Ok(replaces) => replaces,
            Err(code) => return self.reply_code(now, server, code),
        };
        let session_asked = match self.session_asked(request) {
            Ok(asked) => asked,
            Err(line) => return self.reply_lines(now, server, 422, &[line]),
        };
        let proof = match self.examine(now, request) {
            Verdict::Fresh(proof) => Some(proof),
            Verdict::Absent => None,
            // The caller knows a realm of ours and only needs a new nonce.
            Verdict::Stale => {
                let realm = self.realm_of(request);
                let lines = self.challenge_lines(now, &realm, true);
                return self.reply_lines(now, server, 401, &lines);
            }
        };
        self.reply_code(now, server, 100);
        let id = self.next_id();
        let local_tag = self.new_tag(id);
        let message = request.message;
        let leg = Leg {
            id,
            outgoing: false,
            state: State::Arriving,
            call_id: request.call_id.into(),
            local: format!("{};tag={local_tag}", clean(message.header(Name::To).unwrap_or_default())).into(),
            local_tag,
            remote_tag: request.from.tag().map(Box::from),
            remote: clean(message.header(Name::From).unwrap_or_default()),
            target: "".into(),
            routes: routes_of(message),
            flow,
            pinned: false,
            local_cseq: 0,
            remote_cseq: Some(request.cseq),
            arrival: Some(arrival),
            invite_tx: server,
            invite_cseq: request.cseq,
            ring_until: now + self.settings.max_ring,
            provisional: None,
            wants_100rel: message.lists(Name::Require, "100rel"),
            rseq: 0,
            unpracked: None,
            unacknowledged: None,
            offered: offer.is_some(),
            local_sdp: None,
            early_sdp: None,
            leaving: None,
            leaving_reason: None,
            proceeding: false,
            cancel_sent: false,
            invite: None,
            tried_credentials: false,
            min_se: None,
            peer_update: message.lists(Name::Allow, "UPDATE"),
            peer_timer: message.lists(Name::Supported, "timer"),
            session_asked,
            session: None,
            peer_offer: None,
            our_offer: None,
            next_offer: None,
            retry_offer_at: None,
            last_rseq: None,
            late_ack: None,
        };
        self.arrivals.insert(arrival, id);
        self.insert_leg(now, leg);
        if let Some(tx) = self.servers.get_mut(&server) {
            tx.leg = Some(id);
        }
        self.learn_target(id, flow, contact);
        self.events.push_back(Event::Incoming(Box::new(incoming(LegId(id), flow, request, offer, proof, replaces))));
    }

    /// The leg that Replaces names; an error is the response to give (RFC 3891 section 3).
    fn replaced_leg(&self, request: &Request<'_>) -> Result<Option<LegId>, u16> {
        let mut found = request.message.all(Name::Replaces);
        let Some(value) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            return Err(400);
        }
        let replaces = parse_replaces(value).ok_or(400_u16)?;
        let id = self.leg_by_tags(&replaces.call_id, &replaces.to_tag, Some(&replaces.from_tag)).ok_or(481_u16)?;
        let leg = self.legs.get(&id).ok_or(481_u16)?;
        match leg.state {
            State::Leaving => Err(603),
            State::Talking | State::Answered if replaces.early_only => Err(486),
            State::Arriving => Err(481),
            _ => Ok(Some(LegId(id))),
        }
    }

    fn on_cancel(&mut self, now: Instant, flow: Flow, request: &Request<'_>) {
        let invite = self.server_keys.get(&*Self::server_key(request, "INVITE")).copied();
        let Arrival::New(server) = self.server_arrival(flow, request) else { return };
        let Some(tx) = invite.and_then(|id| self.servers.get(&id)).filter(|tx| tx.invite) else {
            return self.reply_code(now, server, 481);
        };
        let (answered, leg) = (tx.is_answered(), tx.leg);
        self.reply_code(now, server, 200);
        let Some(invite) = invite.filter(|_| !answered) else { return };
        match leg {
            Some(leg) => {
                let tag = self.legs.get(&leg).map(|l| l.local_tag.clone());
                self.reply(now, invite, 487, &ReplyParts { tag: tag.as_deref(), ..ReplyParts::default() });
                self.finish(leg, Cause::CallerCancelled);
            }
            // A re-INVITE: the session goes on as before.
            None => {
                self.reply_code(now, invite, 487);
                self.drop_peer_offer(invite);
            }
        }
    }

    pub(super) fn order_answer(&mut self, now: Instant, leg_id: u64, sdp: String) {
        let Some(leg) = self.legs.get_mut(&leg_id) else { return };
        if leg.outgoing || leg.state != State::Arriving {
            return;
        }
        if let Some(waiting) = &mut leg.unpracked {
            waiting.then_answer = Some(sdp);
            return;
        }
        let (server, cseq, wants_sdp) = (leg.invite_tx, leg.invite_cseq, !leg.offered);
        let (tag, flow) = (leg.local_tag.clone(), leg.flow);
        leg.local_sdp = Some(sdp.as_str().into());
        let mut lines = vec![allow(), format!("Supported: {SUPPORTED}")];
        lines.extend(self.session_answer(now, leg_id).into_iter().flatten());
        let contact = self.contact(flow);
        let parts = ReplyParts {
            tag: Some(&tag),
            contact: Some(&contact),
            lines: &lines,
            sdp: Some(&sdp),
            dialog: true,
            ..ReplyParts::default()
        };
        let flow = self.servers.get(&server).map(|tx| tx.flow);
        let Some((bytes, flow)) = self.reply(now, server, 200, &parts).zip(flow) else { return };
        self.await_ack(now, leg_id, cseq, flow, bytes, wants_sdp);
        if let Some(leg) = self.legs.get_mut(&leg_id) {
            leg.state = State::Answered;
        }
    }

    /// Retransmits a 2xx until its ACK comes.
    pub(super) fn await_ack(
        &mut self,
        now: Instant,
        leg_id: u64,
        cseq: u32,
        flow: Flow,
        bytes: bytes::Bytes,
        wants_sdp: bool,
    ) {
        let next = self.timers.set(now, T1, Timer::LegAnswer(leg_id));
        if let Some(leg) = self.legs.get_mut(&leg_id) {
            let until = now + GIVE_UP;
            leg.unacknowledged = Some(Unacknowledged { cseq, flow, bytes, interval: T1, next, until, wants_sdp });
        }
    }

    pub(super) fn answer_timer(&mut self, now: Instant, due: Instant, leg_id: u64) {
        let Some(leg) = self.legs.get_mut(&leg_id) else { return };
        let Some(waiting) = leg.unacknowledged.as_mut().filter(|w| w.next == due) else { return };
        if now >= waiting.until {
            let cause = leg.leaving.take().unwrap_or(Cause::NoAck);
            return self.leave(now, leg_id, cause);
        }
        waiting.interval = (waiting.interval * 2).min(T2);
        waiting.next = self.timers.set(now, waiting.interval, Timer::LegAnswer(leg_id));
        // Also over streams: a proxy behind them may have lost it (RFC 3261 section 13.3.1.4).
        let (flow, bytes) = (waiting.flow, waiting.bytes.clone());
        add(&self.counters.retransmitted, 1);
        self.send(flow, bytes);
    }

    fn on_dialog_ack(&mut self, now: Instant, flow: Flow, request: &Request<'_>) {
        let Some(leg_id) = request.to.tag().and_then(|tag| self.leg_by_tags(request.call_id, tag, request.from.tag()))
        else {
            return;
        };
        let Some(leg) = self.legs.get_mut(&leg_id) else { return };
        let Some(waiting) = leg.unacknowledged.take_if(|w| w.cseq == request.cseq) else { return };
        let first = leg.state == State::Answered;
        if first {
            leg.state = State::Talking;
        }
        let leaving = leg.leaving.take();
        let sdp = if waiting.wants_sdp { sdp_body(request).ok().flatten() } else { None };
        // The peer may be heard from another port than its INVITE came from.
        let _ = flow;
        if let Some(cause) = leaving {
            return self.leave(now, leg_id, cause);
        }
        if first {
            self.events.push_back(Event::Confirmed { leg: LegId(leg_id), sdp });
        } else if waiting.wants_sdp {
            self.events.push_back(Event::OfferAccepted { leg: LegId(leg_id), sdp });
        }
        self.send_next_offer(now, leg_id);
    }

    pub(super) fn order_reject(
        &mut self,
        now: Instant,
        leg_id: u64,
        code: u16,
        reason: Option<&str>,
        retry_after_s: Option<u32>,
    ) {
        let Some(leg) = self.legs.get(&leg_id) else { return };
        if leg.outgoing || leg.state != State::Arriving {
            return self.order_hang_up(now, leg_id, None);
        }
        let code = if (300..700).contains(&code) { code } else { 500 };
        let lines: Vec<String> = retry_after_s.map(|s| format!("Retry-After: {s}")).into_iter().collect();
        self.refuse_leg(now, leg_id, code, reason, &lines);
    }

    pub(super) fn order_challenge(&mut self, now: Instant, leg_id: u64, realm: &str) {
        let arriving = |leg: &Leg| !leg.outgoing && leg.state == State::Arriving;
        if self.legs.get(&leg_id).is_some_and(arriving) {
            let lines = self.challenge_lines(now, realm, false);
            self.refuse_leg(now, leg_id, 401, None, &lines);
        }
    }

    pub(super) fn refuse_leg(&mut self, now: Instant, leg_id: u64, code: u16, reason: Option<&str>, lines: &[String]) {
        let Some(leg) = self.legs.get(&leg_id) else { return };
        let (server, tag) = (leg.invite_tx, leg.local_tag.clone());
        self.reply(now, server, code, &ReplyParts { reason, tag: Some(&tag), lines, ..ReplyParts::default() });
        self.finish(leg_id, Cause::Refused { code });
    }
}

pub(super) fn allow() -> String {
    format!("Allow: {ALLOW}")
}

/// The host of a URI, in small letters; empty where it has none.
pub(super) fn domain(uri: &str) -> String {
    Uri::parse(uri).map_or_else(String::new, |uri| uri.host.to_ascii_lowercase())
}

fn incoming(
    leg: LegId,
    flow: Flow,
    request: &Request<'_>,
    offer: Option<String>,
    proof: Option<Proof>,
    replaces: Option<LegId>,
) -> Incoming {
    let user = |uri: &str| Uri::parse(uri).and_then(|u| u.user_text()).unwrap_or_default();
    let asserted = request
        .message
        .header(Name::PAssertedIdentity)
        .and_then(|text| list(text).next())
        .and_then(NameAddr::parse)
        .map(|a| user(a.uri))
        .filter(|u| !u.is_empty());
    let display = request.from.display;
    Incoming {
        leg,
        called: user(request.uri),
        domain: domain(request.uri),
        uri: request.uri.to_owned(),
        caller: asserted.unwrap_or_else(|| user(request.from.uri)),
        display: (!display.is_empty()).then(|| unquote(display)),
        from_uri: request.from.uri.to_owned(),
        to_user: user(request.to.uri),
        call_id: request.call_id.to_owned(),
        flow,
        early_media: offer.is_some(),
        offer,
        proof,
        replaces,
        referred_by: request.message.header(Name::ReferredBy).map(|v| clean(v).into()),
    }
}

/// The SDP of a request: `None` without a body.
pub(super) fn sdp_body(request: &Request<'_>) -> Result<Option<String>, Fault> {
    let message = request.message;
    sdp_of(message.body, message.header(Name::ContentType), message.header(Name::ContentEncoding))
}

/// The SDP of a body of that type; within a multipart body the first part that is SDP.
pub(super) fn sdp_of(body: &[u8], kind: Option<&str>, encoding: Option<&str>) -> Result<Option<String>, Fault> {
    const UNSUPPORTED: Fault = Fault { code: 415, reason: "Unsupported Media Type" };
    if body.is_empty() {
        return Ok(None);
    }
    if encoding.is_some_and(|e| !e.eq_ignore_ascii_case("identity")) {
        return Err(UNSUPPORTED);
    }
    let kind = kind.unwrap_or("application/sdp");
    let (media, params) = kind.split_at(kind.find(';').unwrap_or(kind.len()));
    let media = media.trim();
    let body = if media.eq_ignore_ascii_case("application/sdp") {
        body
    } else if media.len() > 10 && media.as_bytes()[..10].eq_ignore_ascii_case(b"multipart/") {
        let boundary = Params(params).get("boundary").map(unquote).ok_or(UNSUPPORTED)?;
        sdp_part(body, &boundary).ok_or(UNSUPPORTED)?
    } else {
        return Err(UNSUPPORTED);
    };
    match std::str::from_utf8(body) {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(_) => Err(Fault { code: 400, reason: "Session Description Is Not UTF-8" }),
    }
}

fn sdp_part<'a>(body: &'a [u8], boundary: &str) -> Option<&'a [u8]> {
    let mark = [b"--", boundary.as_bytes()].concat();
    let marks: Vec<usize> = memchr::memmem::find_iter(body, &mark).take(33).collect();
    for pair in marks.windows(2) {
        let part = body.get(pair[0] + mark.len()..pair[1])?;
        let Some(blank) = memchr::memmem::find(part, b"\r\n\r\n") else { continue };
        let (head, content) = part.split_at(blank);
        let is_sdp = head.to_ascii_lowercase();
        if memchr::memmem::find(&is_sdp, b"application/sdp").is_some() {
            return content.get(4..content.len().max(4)).map(|c| c.strip_suffix(b"\r\n").unwrap_or(c));
        }
    }
    None
}

/// Reads the value of a Replaces header.
pub(super) fn parse_replaces(value: &str) -> Option<Replaces> {
    let (call_id, params) = value.split_once(';')?;
    let params = Params(params);
    Some(Replaces {
        leg: None,
        call_id: call_id.trim().to_owned(),
        to_tag: params.get("to-tag")?.to_owned(),
        from_tag: params.get("from-tag")?.to_owned(),
        early_only: params.get("early-only").is_some(),
    })
}
