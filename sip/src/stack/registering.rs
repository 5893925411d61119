//! Registrations of ours at another registrar: trunks, and phones that a load generator plays.

use super::client::Owner;
use super::leg::clean;
use super::outgoing::authorization;
use super::{Stack, Timer};
use crate::event::{Event, RegistrationId};
use crate::flow::Flow;
use crate::message::{Name, NameAddr, Reply, Uri, Writer, escape_user, list};
use crate::order::Registration;
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Kept {
    registration: Registration,
    flow: Flow,
    call_id: String,
    tag: String,
    cseq: u32,
    /// A challenge was answered and nothing has succeeded since.
    tried: bool,
    removing: bool,
    due: Instant,
}

/// How long to wait after a failure that may pass.
const RETRY: Duration = Duration::from_secs(30);

impl Stack {
    pub(super) fn order_register(&mut self, now: Instant, id: u64, registration: Registration, flow: Option<Flow>) {
        let fail = |stack: &mut Self| {
            let registration = RegistrationId(id);
            stack.events.push_back(Event::RegistrationFailed { registration, code: None });
        };
        if self.registrations.len() >= self.settings.max_requests || self.stopping {
            return fail(self);
        }
        let flow = flow.map_or_else(|| self.flow_of(&registration.registrar, &registration.via), Ok);
        let Ok(flow) = flow else { return fail(self) };
        let call_id = format!("{:016x}{:016x}", self.draw(), self.draw());
        let tag = format!("{:016x}", self.draw());
        let kept = Kept { registration, flow, call_id, tag, cseq: 0, tried: false, removing: false, due: now };
        self.registrations.insert(id, kept);
        self.send_register(now, id, None);
    }

    pub(super) fn order_unregister(&mut self, now: Instant, id: u64) {
        let Some(kept) = self.registrations.get_mut(&id) else { return };
        kept.removing = true;
        kept.tried = false;
        self.send_register(now, id, None);
    }

    fn send_register(&mut self, now: Instant, id: u64, authorization: Option<String>) {
        let (tx, proof, branch) = self.new_branch();
        let Some(kept) = self.registrations.get_mut(&id) else { return };
        kept.cseq += 1;
        let Some(kept) = self.registrations.get(&id) else { return };
        let flow = kept.flow;
        let r = &kept.registration;
        let host = Uri::parse(&r.registrar).map_or(r.registrar.as_str(), |u| u.host);
        let domain = r.domain.as_deref().unwrap_or(host);
        let user = escape_user(&r.user);
        let record = format!("sip:{user}@{domain}");
        let contact = self.contact(flow).replacen("<sip:", &format!("<sip:{user}@"), 1);
        let expires = if kept.removing { 0 } else { r.expires_s };
        let mut writer = Writer::request("REGISTER", &clean(&r.registrar));
        writer.format(format_args!("{}", self.via_line(flow, &branch))).number(Name::MaxForwards, 70);
        writer.header(Name::From, &format!("<{record}>;tag={}", kept.tag)).header(Name::To, &format!("<{record}>"));
        writer.header(Name::CallId, &kept.call_id).format(format_args!("CSeq: {} REGISTER", kept.cseq));
        writer.header(Name::Contact, &contact).number(Name::Expires, expires);
        if let Some(line) = authorization {
            writer.format(format_args!("{line}"));
        }
        writer.raw("User-Agent", &self.settings.name);
        let bytes = writer.finish(None);
        self.client_send(now, (tx, proof), flow, false, bytes, Owner::Registration(id));
    }

    pub(super) fn on_register_reply(&mut self, now: Instant, id: u64, reply: &Reply<'_>) {
        let cnonce = format!("{:016x}", self.draw());
        let Some(kept) = self.registrations.get_mut(&id) else { return };
        let registration = RegistrationId(id);
        match reply.code {
            200..=299 => {
                kept.tried = false;
                if kept.removing {
                    self.registrations.remove(&id);
                    self.events.push_back(Event::Unregistered { registration });
                    return;
                }
                let asked = kept.registration.expires_s;
                let user = kept.registration.user.clone();
                let ours = |text: &str| {
                    NameAddr::parse(text).and_then(|a| Uri::parse(a.uri)?.user_text()) == Some(user.clone())
                };
                let granted = reply
                    .message
                    .all(Name::Contact)
                    .flat_map(list)
                    .filter(|text| ours(text))
                    .filter_map(|text| NameAddr::parse(text)?.params.get("expires")?.parse::<u32>().ok())
                    .max()
                    .or_else(|| reply.message.header(Name::Expires)?.parse().ok())
                    .unwrap_or(asked);
                let expires = Duration::from_secs(u64::from(granted.max(1)));
                // Well before the end, so that one lost refresh does no harm.
                let span = expires.mul_f64(0.8).max(Duration::from_millis(500));
                kept.due = self.timers.set(now, span, Timer::Registration(id));
                self.events.push_back(Event::Registered { registration, expires });
            }
            401 | 407 if !kept.tried => {
                kept.tried = true;
                let r = &kept.registration;
                let (user, password) = (&r.credentials.user, &r.credentials.password);
                match authorization(reply, user, password, "REGISTER", &r.registrar, &cnonce) {
                    Some(line) => self.send_register(now, id, Some(line)),
                    None => self.registration_failed(now, id, Some(reply.code)),
                }
            }
            423 if kept.registration.expires_s < 86_400 => {
                let least = reply.message.header(Name::MinExpires).and_then(|v| v.parse().ok());
                kept.registration.expires_s = least.unwrap_or(3600_u32).clamp(kept.registration.expires_s + 1, 86_400);
                self.send_register(now, id, None);
            }
            code => self.registration_failed(now, id, Some(code)),
        }
    }

    pub(super) fn on_register_no_answer(&mut self, now: Instant, id: u64) {
        self.registration_failed(now, id, None);
    }

    fn registration_failed(&mut self, now: Instant, id: u64, code: Option<u16>) {
        let Some(kept) = self.registrations.get_mut(&id) else { return };
        kept.tried = false;
        let registration = RegistrationId(id);
        if kept.removing {
            self.registrations.remove(&id);
            self.events.push_back(Event::Unregistered { registration });
            return;
        }
        if matches!(code, Some(401 | 403 | 404 | 407)) {
            self.registrations.remove(&id);
        } else {
            kept.due = self.timers.set(now, RETRY, Timer::Registration(id));
        }
        self.events.push_back(Event::RegistrationFailed { registration, code });
    }

    pub(super) fn registration_timer(&mut self, now: Instant, due: Instant, id: u64) {
        if self.registrations.get(&id).is_some_and(|kept| kept.due == due) {
            self.send_register(now, id, None);
        }
    }
}
