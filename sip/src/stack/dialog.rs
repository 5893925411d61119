//! Requests that come within a dialog.

use super::incoming::{allow, sdp_body};
use super::leg::{Leg, State};
use super::server::ReplyParts;
use super::{SUPPORTED, Stack};
use crate::event::{Cause, Event, LegId};
use crate::flow::Flow;
use crate::message::{Method, Name, Request};
use std::time::{Duration, Instant};

impl Stack {
    pub(super) fn on_dialog_request(&mut self, now: Instant, flow: Flow, id: u64, server: u64, request: &Request<'_>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.remote_cseq.is_some_and(|last| request.cseq < last) {
            // Out of order (RFC 3261 section 12.2.2).
            return self.reply_code(now, server, 500);
        }
        leg.remote_cseq = Some(request.cseq);
        match request.method {
            Method::Bye => self.on_bye(now, id, server),
            Method::Invite => self.on_reinvite(now, flow, id, server, request),
            Method::Update => self.on_update(now, flow, id, server, request),
            Method::Info => self.on_info(now, id, server, request),
            Method::Refer => self.on_refer(now, id, server, request),
            Method::Notify => self.on_notify(now, id, server, request),
            Method::Prack => self.on_prack(now, id, server, request),
            Method::Options => {
                let lines = [allow(), "Accept: application/sdp".to_owned(), format!("Supported: {SUPPORTED}")];
                self.reply_lines(now, server, 200, &lines);
            }
            Method::Subscribe | Method::Publish => self.reply_code(now, server, 489),
            Method::Message | Method::Register => self.reply_lines(now, server, 405, &[allow()]),
            Method::Other(_) => self.reply_lines(now, server, 501, &[allow()]),
            Method::Ack | Method::Cancel => {}
        }
    }

    fn on_bye(&mut self, now: Instant, id: u64, server: u64) {
        let Some(leg) = self.legs.get(&id) else { return };
        let (state, invite, tag) = (leg.state, leg.invite_tx, leg.local_tag.clone());
        if state == State::Calling {
            // No dialog of ours is established yet.
            return self.reply_code(now, server, 481);
        }
        self.reply_code(now, server, 200);
        if let Some(offer) = self.legs.get_mut(&id).and_then(|leg| leg.peer_offer.take()) {
            self.reply_code(now, offer.server, 487);
        }
        match state {
            State::Arriving => {
                self.reply(now, invite, 487, &ReplyParts { tag: Some(&tag), ..ReplyParts::default() });
                self.finish(id, Cause::CallerCancelled);
            }
            // Our own BYE crossed this one: who hung up first was the host.
            State::Leaving => {
                let cause = self.legs.get_mut(&id).and_then(|leg| leg.leaving.take());
                self.finish(id, cause.unwrap_or(Cause::PeerHungUp));
            }
            State::Answered | State::Talking | State::Calling => self.finish(id, Cause::PeerHungUp),
        }
    }

    fn on_info(&mut self, now: Instant, id: u64, server: u64, request: &Request<'_>) {
        let kind = request.message.header(Name::ContentType).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let body = std::str::from_utf8(request.message.body).unwrap_or_default();
        let key = if kind.eq_ignore_ascii_case("application/dtmf-relay") {
            relay_key(body)
        } else if kind.eq_ignore_ascii_case("application/dtmf") {
            body.trim().chars().next().and_then(dtmf_key).map(|key| (key, None))
        } else if body.is_empty() {
            return self.reply_code(now, server, 200);
        } else {
            return self.reply_lines(
                now,
                server,
                415,
                &["Accept: application/dtmf-relay, application/dtmf".to_owned()],
            );
        };
        let Some((key, duration)) = key else { return self.reply_code(now, server, 400) };
        self.reply_code(now, server, 200);
        if self.legs.get(&id).is_some_and(|leg| leg.state != State::Leaving) {
            self.events.push_back(Event::Dtmf { leg: LegId(id), key, duration });
        }
    }

    pub(super) fn order_dtmf(&mut self, now: Instant, id: u64, key: char, duration_ms: u32) {
        let talking = |leg: &Leg| leg.state == State::Talking;
        if dtmf_key(key).is_none() || !self.legs.get(&id).is_some_and(talking) {
            return;
        }
        let body = format!("Signal={key}\r\nDuration={duration_ms}\r\n");
        let body = Some(("application/dtmf-relay", &*body));
        self.send_in_dialog(now, id, "INFO", Some(super::client::Purpose::Other), &[], body);
    }

    fn on_reinvite(&mut self, now: Instant, flow: Flow, id: u64, server: u64, request: &Request<'_>) {
        let Some(leg) = self.legs.get(&id) else { return };
        if leg.state == State::Leaving {
            return self.reply_code(now, server, 487);
        }
        if leg.state != State::Talking || leg.unacknowledged.is_some() || leg.peer_offer.is_some() {
            // An earlier INVITE is not finished (RFC 3261 section 14.2).
            return self.reply_lines(now, server, 500, &["Retry-After: 2".to_owned()]);
        }
        if leg.our_offer.is_some() {
            return self.reply_code(now, server, 491);
        }
        self.take_offer(now, flow, id, server, request, true);
    }

    fn on_update(&mut self, now: Instant, flow: Flow, id: u64, server: u64, request: &Request<'_>) {
        let Some(leg) = self.legs.get(&id) else { return };
        if request.message.body.is_empty() {
            let asked = match self.session_asked(request) {
                Ok(asked) => asked,
                Err(line) => return self.reply_lines(now, server, 422, &[line]),
            };
            let contact = self.contact(leg.flow);
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.session_asked = asked;
            }
            self.learn_target(id, flow, request.contact());
            let lines: Vec<String> = self.session_answer(now, id).into_iter().flatten().collect();
            let parts = ReplyParts { contact: Some(&contact), lines: &lines, ..ReplyParts::default() };
            self.reply(now, server, 200, &parts);
            return;
        }
        if leg.our_offer.is_some() || leg.state != State::Talking {
            return self.reply_code(now, server, 491);
        }
        if leg.peer_offer.is_some() {
            return self.reply_lines(now, server, 500, &["Retry-After: 2".to_owned()]);
        }
        self.take_offer(now, flow, id, server, request, false);
    }

    fn take_offer(&mut self, now: Instant, flow: Flow, id: u64, server: u64, request: &Request<'_>, invite: bool) {
        let asked = match self.session_asked(request) {
            Ok(asked) => asked,
            Err(line) => return self.reply_lines(now, server, 422, &[line]),
        };
        let sdp = match sdp_body(request) {
            Ok(sdp) => sdp,
            Err(fault) => return self.reply_code(now, server, fault.code),
        };
        if invite {
            self.reply_code(now, server, 100);
        }
        self.learn_target(id, flow, request.contact());
        let span = Duration::from_secs(if invite { 20 } else { 8 });
        let due = self.timers.set(now, span, super::Timer::LegOffer(id));
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.session_asked = asked;
        let has_sdp = sdp.is_some();
        leg.peer_offer = Some(super::leg::PeerOffer { server, cseq: request.cseq, invite, has_sdp, due });
        self.events.push_back(Event::Offer { leg: LegId(id), sdp });
    }
}

/// The key and duration of an `application/dtmf-relay` body.
fn relay_key(body: &str) -> Option<(char, Option<Duration>)> {
    let mut key = None;
    let mut duration = None;
    for line in body.lines() {
        let (name, value) = line.split_once('=')?;
        match name.trim() {
            n if n.eq_ignore_ascii_case("signal") => key = value.trim().chars().next().and_then(dtmf_key),
            n if n.eq_ignore_ascii_case("duration") => {
                duration = value.trim().parse().ok().map(Duration::from_millis);
            }
            _ => {}
        }
    }
    key.map(|key| (key, duration))
}

/// The key, in upper case, if it is one.
fn dtmf_key(key: char) -> Option<char> {
    let key = key.to_ascii_uppercase();
    matches!(key, '0'..='9' | '*' | '#' | 'A'..='D').then_some(key)
}
