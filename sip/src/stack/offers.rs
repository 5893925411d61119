//! Offers in mid-call, both ways, glare, and session timers (RFC 3261 section 14, RFC 3311, RFC 4028).

use super::client::Purpose;
use super::incoming::sdp_of;
use super::leg::{Session, State};
use super::server::ReplyParts;
use super::{SUPPORTED, Stack, Timer};
use crate::event::{Cause, Event, LegId};
use crate::flow::Flow;
use crate::message::{Name, Params, Reply, Request};
use std::time::{Duration, Instant};

/// The least session interval (RFC 4028 section 5).
const MIN_SE: u32 = 90;

impl Stack {
    pub(super) fn order_offer(&mut self, now: Instant, id: u64, sdp: String) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.state == State::Leaving {
            return;
        }
        leg.next_offer = Some(sdp);
        self.send_next_offer(now, id);
    }

    /// Sends the offer that waits, if nothing stands in its way.
    pub(super) fn send_next_offer(&mut self, now: Instant, id: u64) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let busy = leg.our_offer.is_some()
            || leg.peer_offer.is_some()
            || leg.unacknowledged.is_some()
            || leg.retry_offer_at.is_some_and(|at| now < at);
        if leg.state != State::Talking || busy {
            return;
        }
        leg.retry_offer_at = None;
        let Some(sdp) = leg.next_offer.take() else { return };
        self.send_offer(now, id, sdp, Purpose::Offer);
    }

    fn send_offer(&mut self, now: Instant, id: u64, sdp: String, purpose: Purpose) {
        let lines = self.session_request_lines(id);
        let body = Some(("application/sdp", &*sdp));
        let tx = self.send_in_dialog(now, id, "INVITE", Some(purpose), &lines, body);
        if let (Some(leg), Some(tx)) = (self.legs.get_mut(&id), tx) {
            leg.our_offer = Some((tx, Some(sdp)));
        }
    }

    pub(super) fn on_offer_reply(
        &mut self,
        now: Instant,
        flow: Flow,
        id: u64,
        purpose: Purpose,
        tx: u64,
        reply: &Reply<'_>,
    ) {
        let invite = reply.cseq.method == "INVITE";
        let Some(leg) = self.legs.get_mut(&id) else {
            if reply.code < 300 && invite {
                self.hang_up_fork(now, flow, tx, reply);
            }
            return;
        };
        let sdp = leg.our_offer.take_if(|(ours, _)| *ours == tx).and_then(|(_, sdp)| sdp);
        match reply.code {
            200..=299 => {
                if invite {
                    self.learn_target(id, flow, reply.contact());
                    self.send_ack(id, tx, reply.cseq.number, None);
                }
                let answer = sdp_of(reply.message.body, reply.message.header(Name::ContentType), None).ok().flatten();
                let Some(leg) = self.legs.get_mut(&id) else { return };
                if leg.state == State::Leaving {
                    return;
                }
                if let Some(sdp) = sdp {
                    leg.local_sdp = Some(sdp.into());
                }
                self.begin_session(now, id, reply);
                if purpose == Purpose::Offer {
                    self.events.push_back(Event::OfferAccepted { leg: LegId(id), sdp: answer });
                }
            }
            // Glare: both sides offered at once. Who made the Call-ID waits longer (RFC 3261 section 14.1).
            491 => {
                let span = if leg.outgoing { 2_100 + self.draw() % 1_900 } else { self.draw() % 2_000 };
                let due = self.timers.set(now, Duration::from_millis(span), Timer::LegOffer(id));
                let Some(leg) = self.legs.get_mut(&id) else { return };
                leg.retry_offer_at = Some(due);
                if purpose == Purpose::Offer && leg.next_offer.is_none() {
                    leg.next_offer = sdp;
                }
            }
            code @ (408 | 481) => self.lose_peer(now, id, code),
            code => {
                if purpose == Purpose::Offer && leg.state == State::Talking {
                    self.events.push_back(Event::OfferRefused { leg: LegId(id), code });
                }
            }
        }
        self.send_next_offer(now, id);
    }

    pub(super) fn order_accept_offer(&mut self, now: Instant, id: u64, sdp: String) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if let Some((tx, cseq)) = leg.late_ack.take() {
            leg.retry_offer_at = None;
            leg.local_sdp = Some(sdp.as_str().into());
            self.send_ack(id, tx, cseq, Some(&sdp));
            return self.send_next_offer(now, id);
        }
        let Some(offer) = leg.peer_offer.take() else { return };
        leg.local_sdp = Some(sdp.as_str().into());
        let flow = leg.flow;
        let mut lines = vec![super::incoming::allow(), format!("Supported: {SUPPORTED}")];
        lines.extend(self.session_answer(now, id).into_iter().flatten());
        let contact = self.contact(flow);
        let parts = ReplyParts { contact: Some(&contact), lines: &lines, sdp: Some(&sdp), ..ReplyParts::default() };
        let flow = self.servers.get(&offer.server).map(|tx| tx.flow);
        let Some((bytes, flow)) = self.reply(now, offer.server, 200, &parts).zip(flow) else { return };
        if offer.invite {
            self.await_ack(now, id, offer.cseq, flow, bytes, !offer.has_sdp);
        }
        self.send_next_offer(now, id);
    }

    pub(super) fn order_refuse_offer(&mut self, now: Instant, id: u64, code: u16) {
        let Some(offer) = self.legs.get_mut(&id).and_then(|leg| leg.peer_offer.take()) else { return };
        self.reply_code(now, offer.server, if (300..700).contains(&code) { code } else { 488 });
        self.send_next_offer(now, id);
    }

    /// The peer gave its offer up.
    pub(super) fn drop_peer_offer(&mut self, server: u64) {
        let leg = self.legs.values_mut().find(|leg| leg.peer_offer.is_some_and(|offer| offer.server == server));
        if let Some(leg) = leg {
            leg.peer_offer = None;
        }
    }

    /// The host did not answer an offer in time, or glare is to be tried again.
    pub(super) fn offer_timer(&mut self, now: Instant, due: Instant, id: u64) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.late_ack.is_some() {
            return self.leave(now, id, Cause::HungUp);
        }
        if let Some(offer) = leg.peer_offer.take_if(|offer| offer.due == due) {
            self.reply_code(now, offer.server, 500);
        }
        self.send_next_offer(now, id);
    }

    /// What a request says of session timers: the interval, and whether its sender refreshes. An error is the line for a 422.
    pub(super) fn session_asked(&self, request: &Request<'_>) -> Result<Option<(u32, Option<bool>)>, String> {
        if self.settings.session_expires_s.is_none() {
            return Ok(None);
        }
        let Some((seconds, refresher)) = request.message.header(Name::SessionExpires).and_then(session_expires) else {
            return Ok(None);
        };
        if seconds < MIN_SE && request.message.lists(Name::Supported, "timer") {
            return Err(format!("Min-SE: {MIN_SE}"));
        }
        Ok(Some((seconds.max(MIN_SE), refresher.map(|r| r.eq_ignore_ascii_case("uac")))))
    }

    /// The lines of a 2xx about the session timer, which starts (or starts anew).
    pub(super) fn session_answer(&mut self, now: Instant, id: u64) -> Option<Vec<String>> {
        let ours = self.settings.session_expires_s?;
        let leg = self.legs.get_mut(&id)?;
        let (seconds, peer_refreshes) = match leg.session_asked {
            Some((seconds, refresher)) => (seconds.min(ours.max(MIN_SE)), refresher.unwrap_or(true)),
            None => (ours.max(MIN_SE), false),
        };
        // Who did not say that it knows timers cannot be asked to refresh.
        let peer_refreshes = peer_refreshes && (leg.peer_timer || leg.session_asked.is_some());
        let timer = leg.peer_timer;
        self.set_session(now, id, seconds, !peer_refreshes);
        let refresher = if peer_refreshes { "uac" } else { "uas" };
        let mut lines = vec![format!("Session-Expires: {seconds};refresher={refresher}")];
        if timer && peer_refreshes {
            lines.push("Require: timer".to_owned());
        }
        Some(lines)
    }

    fn session_request_lines(&self, id: u64) -> Vec<String> {
        let session = self.legs.get(&id).and_then(|leg| leg.session.as_ref());
        session
            .map(|s| {
                let refresher = if s.ours { "uac" } else { "uas" };
                vec![format!("Session-Expires: {};refresher={refresher}", s.interval_s), format!("Min-SE: {MIN_SE}")]
            })
            .unwrap_or_default()
    }

    /// Starts the session timer that a 2xx to a request of ours agrees to.
    pub(super) fn begin_session(&mut self, now: Instant, id: u64, reply: &Reply<'_>) {
        if self.settings.session_expires_s.is_none() {
            return;
        }
        match reply.message.header(Name::SessionExpires).and_then(session_expires) {
            Some((seconds, refresher)) => {
                let ours = refresher.is_none_or(|r| r.eq_ignore_ascii_case("uac"));
                self.set_session(now, id, seconds.max(MIN_SE), ours);
            }
            // The peer knows no timers: ours to refresh, so that a peer that is gone is noticed.
            None => {
                if let Some(seconds) = self.settings.session_expires_s {
                    self.set_session(now, id, seconds.max(MIN_SE), true);
                }
            }
        }
    }

    fn set_session(&mut self, now: Instant, id: u64, interval_s: u32, ours: bool) {
        let span = if ours { interval_s / 2 } else { interval_s - (interval_s / 3).min(32) };
        let due = self.timers.set(now, Duration::from_secs(u64::from(span)), Timer::LegSession(id));
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.session = Some(Session { interval_s, ours, due });
        }
    }

    pub(super) fn session_timer(&mut self, now: Instant, due: Instant, id: u64) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Some(session) = leg.session.as_ref().filter(|s| s.due == due) else { return };
        if leg.state != State::Talking {
            return;
        }
        if !session.ours {
            return self.leave(now, id, Cause::SessionExpired);
        }
        // If this refresh is lost, the next timer tries once more before the interval is over.
        let interval = session.interval_s;
        let (busy, update, sdp) = (leg.our_offer.is_some(), leg.peer_update, leg.local_sdp.clone());
        let again = Duration::from_secs(u64::from(interval / 2));
        let due = self.timers.set(now, again, Timer::LegSession(id));
        if let Some(session) = self.legs.get_mut(&id).and_then(|leg| leg.session.as_mut()) {
            session.due = due;
        }
        if busy {
            return;
        }
        if update {
            let lines = self.session_request_lines(id);
            let tx = self.send_in_dialog(now, id, "UPDATE", Some(Purpose::Refresh), &lines, None);
            if let (Some(leg), Some(tx)) = (self.legs.get_mut(&id), tx) {
                leg.our_offer = Some((tx, None));
            }
        } else if let Some(sdp) = sdp {
            self.send_offer(now, id, sdp.into(), Purpose::Refresh);
        }
    }
}

/// Reads a Session-Expires value.
fn session_expires(text: &str) -> Option<(u32, Option<&str>)> {
    let end = text.find(';').unwrap_or(text.len());
    let seconds = text[..end].trim().parse().ok()?;
    Some((seconds, Params(&text[end..]).get("refresher")))
}
