//! REGISTER from phones (RFC 3261 section 10.3): challenged here, verified and kept by the host.

use super::Stack;
use super::incoming::{allow, domain};
use super::leg::clean;
use super::refer::Waiting;
use super::server::ReplyParts;
use crate::digest::Verdict;
use crate::event::{Bound, Contact, Event, RegisterRequest, RequestId};
use crate::flow::Flow;
use crate::message::{Name, NameAddr, Request, Uri, list, unquote};
use std::time::Instant;

/// The most contacts of one request.
const MAX_CONTACTS: usize = 8;
/// How long a contact lives that does not say.
const DEFAULT_EXPIRES_S: u32 = 3600;

impl Stack {
    pub(super) fn on_register(&mut self, now: Instant, flow: Flow, server: u64, request: &Request<'_>) {
        let proof = match self.examine(now, request) {
            Verdict::Fresh(proof) => proof,
            verdict => {
                let realm = self.realm_of(request);
                let lines = self.challenge_lines(now, &realm, verdict == Verdict::Stale);
                return self.reply_lines(now, server, 401, &lines);
            }
        };
        let message = request.message;
        let expires = message.header(Name::Expires).and_then(|v| v.parse().ok());
        let mut contacts = Vec::new();
        let mut remove_all = false;
        for text in message.all(Name::Contact).flat_map(list) {
            if text == "*" {
                remove_all = true;
                continue;
            }
            let Some(contact) = NameAddr::parse(text) else { continue };
            let own = contact.params.get("expires").and_then(|v| v.parse().ok());
            contacts.push(Contact {
                uri: clean(contact.uri).into(),
                expires_s: own.or(expires).unwrap_or(DEFAULT_EXPIRES_S),
                instance: contact.params.get("+sip.instance").map(unquote),
            });
        }
        if remove_all && (!contacts.is_empty() || expires != Some(0)) || contacts.len() > MAX_CONTACTS {
            return self.reply_code(now, server, 400);
        }
        let user = Uri::parse(request.to.uri).and_then(|u| u.user_text()).unwrap_or_default();
        let Some(id) = self.keep_request(now, Waiting::Register { server }) else {
            let line = format!("Retry-After: {}", self.settings.admission.retry_after_s);
            return self.reply_lines(now, server, 503, &[line]);
        };
        let user_agent = message.header(Name::UserAgent).map(|v| clean(v).into());
        let id = RequestId(id);
        let domain = domain(request.to.uri);
        let register = RegisterRequest { id, user, domain, proof, contacts, remove_all, flow, user_agent };
        self.events.push_back(Event::Register(Box::new(register)));
    }

    pub(super) fn order_accept_register(&mut self, now: Instant, id: u64, bound: &[Bound]) {
        let Some(Waiting::Register { server }) = self.requests.get(&id) else { return };
        let server = *server;
        self.requests.remove(&id);
        let mut lines: Vec<String> = bound
            .iter()
            .map(|b| clean(&format!("Contact: <{}>;expires={}", b.uri, b.expires_s)).into_string())
            .collect();
        lines.push(allow());
        self.reply(now, server, 200, &ReplyParts { lines: &lines, ..ReplyParts::default() });
    }

    pub(super) fn order_refuse(&mut self, now: Instant, id: u64, code: u16) {
        match self.requests.get(&id) {
            Some(Waiting::Register { server }) => {
                let server = *server;
                self.requests.remove(&id);
                self.reply_code(now, server, if (300..700).contains(&code) { code } else { 403 });
            }
            Some(Waiting::Refer { .. }) => self.order_answer_refer(now, id, code),
            None => {}
        }
    }
}
