//! Transfers: REFER and its NOTIFY (RFC 3515), both ways, and requests that wait for the host.

use super::client::Purpose;
use super::incoming::parse_replaces;
use super::leg::{State, clean};
use super::server::reason_phrase;
use super::{Stack, Timer};
use crate::event::{Event, LegId, ReferTarget, Replaces, RequestId};
use crate::message::{Name, NameAddr, Request, Uri};
use std::time::{Duration, Instant};

/// A request that waits for the host's answer.
#[derive(Debug)]
pub(super) enum Waiting {
    Refer { leg: u64, server: u64, accepted: bool },
    Register { server: u64 },
}

/// How long the host may take to answer a request.
const ANSWER_WITHIN: Duration = Duration::from_secs(20);
/// How long a transfer may take, from its acceptance to its last report.
const TRANSFER_WITHIN: Duration = Duration::from_secs(180);

impl Stack {
    /// Keeps a request until the host answers it; `None` if too many wait.
    pub(super) fn keep_request(&mut self, now: Instant, waiting: Waiting) -> Option<u64> {
        if self.requests.len() >= self.settings.max_requests {
            return None;
        }
        let id = self.next_id();
        self.requests.insert(id, waiting);
        self.timers.set(now, ANSWER_WITHIN, Timer::Request(id));
        Some(id)
    }

    pub(super) fn request_timer(&mut self, now: Instant, id: u64) {
        match self.requests.remove(&id) {
            Some(Waiting::Register { server } | Waiting::Refer { server, accepted: false, .. }) => {
                self.reply_code(now, server, 500);
            }
            Some(Waiting::Refer { leg, accepted: true, server }) => {
                // The first time it is the answer's own limit that has passed; the transfer has longer.
                let begun = self.servers.contains_key(&server);
                if begun {
                    self.requests.insert(id, Waiting::Refer { leg, accepted: true, server });
                    self.timers.set(now, TRANSFER_WITHIN, Timer::Request(id));
                } else {
                    self.notify(now, leg, 408, true);
                }
            }
            None => {}
        }
    }

    pub(super) fn on_refer(&mut self, now: Instant, id: u64, server: u64, request: &Request<'_>) {
        let mut targets = request.message.all(Name::ReferTo);
        let target = targets.next().and_then(|text| self.refer_target(text));
        let (Some(target), None) = (target, targets.next()) else {
            return self.reply_code(now, server, 400);
        };
        if self.legs.get(&id).is_none_or(|leg| leg.state != State::Talking) {
            return self.reply_code(now, server, 491);
        }
        let waiting = Waiting::Refer { leg: id, server, accepted: false };
        match self.keep_request(now, waiting) {
            Some(request) => {
                let request = RequestId(request);
                self.events.push_back(Event::Refer { leg: LegId(id), request, target });
            }
            None => self.reply_code(now, server, 503),
        }
    }

    fn refer_target(&self, text: &str) -> Option<ReferTarget> {
        let address = NameAddr::parse(text)?;
        let uri = Uri::parse(address.uri)?;
        let user = uri.user_text()?;
        let replaces = uri.headers.split('&').find_map(|header| {
            let (name, value) = header.split_once('=')?;
            let value = name.eq_ignore_ascii_case("replaces").then(|| crate::message::unescape(value))??;
            let found = parse_replaces(&value)?;
            // The tags are as the transfer target sees them. If that is us, its dialog is one of our legs.
            let leg = self.leg_by_tags(&found.call_id, &found.to_tag, Some(&found.from_tag));
            Some(Replaces { leg: leg.map(LegId), ..found })
        });
        let uri = address.uri.split('?').next().unwrap_or_default();
        Some(ReferTarget { uri: clean(uri).into(), user, replaces })
    }

    pub(super) fn order_answer_refer(&mut self, now: Instant, id: u64, code: u16) {
        let Some(Waiting::Refer { leg, server, accepted }) = self.requests.get_mut(&id) else { return };
        if *accepted {
            return;
        }
        let (leg, server) = (*leg, *server);
        if (200..300).contains(&code) {
            *accepted = true;
            let contact = self.legs.get(&leg).map(|l| self.contact(l.flow));
            let parts = super::server::ReplyParts { contact: contact.as_deref(), ..Default::default() };
            self.reply(now, server, 202, &parts);
            self.notify(now, leg, 100, false);
        } else {
            self.requests.remove(&id);
            self.reply_code(now, server, if (300..700).contains(&code) { code } else { 603 });
        }
    }

    pub(super) fn order_report_refer(&mut self, now: Instant, id: u64, code: u16) {
        let Some(Waiting::Refer { leg, accepted: true, .. }) = self.requests.get(&id) else { return };
        let (leg, done) = (*leg, code >= 200);
        if done {
            self.requests.remove(&id);
        }
        self.notify(now, leg, code, done);
    }

    fn notify(&mut self, now: Instant, leg: u64, code: u16, done: bool) {
        if self.legs.get(&leg).is_none_or(|l| l.state != State::Talking) {
            return;
        }
        let state = if done { "terminated;reason=noresource" } else { "active;expires=180" };
        let lines = ["Event: refer".to_owned(), format!("Subscription-State: {state}")];
        let body = format!("SIP/2.0 {code} {}\r\n", reason_phrase(code));
        let body = Some(("message/sipfrag;version=2.0", &*body));
        // A peer that refuses news of its own transfer is no reason to end the call.
        self.send_in_dialog(now, leg, "NOTIFY", None, &lines, body);
    }

    pub(super) fn order_refer(&mut self, now: Instant, id: u64, target: &str, replaces: Option<u64>) {
        if self.legs.get(&id).is_none_or(|leg| leg.state != State::Talking) {
            return;
        }
        let Some(uri) = Uri::parse(target) else {
            self.events.push_back(Event::ReferProgress { leg: LegId(id), code: 416, done: true });
            return;
        };
        let headers = match replaces {
            None => String::new(),
            Some(other) => {
                let dialog = self.legs.get(&other).and_then(|leg| Some((leg, leg.remote_tag.as_deref()?)));
                let Some((leg, remote_tag)) = dialog else {
                    self.events.push_back(Event::ReferProgress { leg: LegId(id), code: 481, done: true });
                    return;
                };
                // Seen from the transfer target: its own tag is our leg's remote one.
                let call = escape_header(&leg.call_id);
                let (to, from) = (escape_header(remote_tag), escape_header(&leg.local_tag));
                format!("Replaces={call}%3Bto-tag%3D{to}%3Bfrom-tag%3D{from}")
            }
        };
        let join = match (headers.is_empty(), uri.headers.is_empty()) {
            (true, _) => "",
            (false, true) => "?",
            (false, false) => "&",
        };
        let own = self.legs.get(&id).and_then(|leg| NameAddr::parse(&leg.local).map(|a| format!("<{}>", a.uri)));
        let mut lines = vec![clean(&format!("Refer-To: <{target}{join}{headers}>")).into_string()];
        lines.extend(own.map(|own| format!("Referred-By: {own}")));
        self.send_in_dialog(now, id, "REFER", Some(Purpose::Refer), &lines, None);
    }

    pub(super) fn on_refer_reply(&mut self, id: u64, code: u16) {
        if code >= 300 && self.legs.contains_key(&id) {
            self.events.push_back(Event::ReferProgress { leg: LegId(id), code, done: true });
        }
    }

    pub(super) fn on_notify(&mut self, now: Instant, id: u64, server: u64, request: &Request<'_>) {
        let event = request.message.header(Name::Event).unwrap_or_default();
        let event = event.split(';').next().unwrap_or_default().trim();
        if !event.eq_ignore_ascii_case("refer") {
            return self.reply_code(now, server, 489);
        }
        self.reply_code(now, server, 200);
        let state = request.message.header(Name::SubscriptionState).unwrap_or_default();
        let done = state.trim_start().get(..10).is_some_and(|s| s.eq_ignore_ascii_case("terminated"));
        let body = std::str::from_utf8(request.message.body).unwrap_or_default();
        let code = body
            .split_ascii_whitespace()
            .nth(1)
            .and_then(|code| code.parse().ok())
            .filter(|code| (100..700).contains(code));
        if let Some(code) = code
            && self.legs.get(&id).is_some_and(|leg| leg.state != State::Leaving)
        {
            self.events.push_back(Event::ReferProgress { leg: LegId(id), code, done: done || code >= 200 });
        }
    }
}

/// Escapes what may not stand in the header part of a URI.
fn escape_header(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-_.!~*'()[]/?:+$".contains(&b) {
            out.push(char::from(b));
        } else {
            use std::fmt::Write as _;
            let _ = write!(out, "%{b:02X}");
        }
    }
    out
}
