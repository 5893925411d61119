//! Server transactions (RFC 3261 section 17.2, RFC 6026): requests that came, and what we answered.

use super::{GIVE_UP, Stack, T1, T2, T4, Timer, add, sub};
use crate::flow::Flow;
use crate::message::{Fault, Message, Method, Name, Request, Via, Writer, has_line_break, list, push_clean};
use bytes::Bytes;
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

/// The lines that a response repeats from its request.
#[derive(Clone, Debug)]
pub(super) struct ReplyHead {
    /// Via, From, Call-ID, CSeq, Timestamp: whole lines.
    lines: Box<str>,
    /// Record-Route lines, for responses that make a dialog.
    routes: Box<str>,
    /// The To header's value.
    to: Box<str>,
    has_tag: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Proceeding,
    /// INVITE: a final response that is no 2xx waits for its ACK.
    Completed,
    /// INVITE: a 2xx was sent; its retransmission is the leg's business (RFC 6026).
    Accepted,
    /// INVITE: acknowledged. Others: answered.
    Confirmed,
}

#[derive(Debug)]
pub(super) struct ServerTx {
    key: Box<str>,
    pub(super) invite: bool,
    pub(super) flow: Flow,
    head: ReplyHead,
    state: State,
    response: Option<Bytes>,
    interval: Duration,
    retransmit_at: Option<Instant>,
    end_at: Option<Instant>,
    /// The leg whose first INVITE this is.
    pub(super) leg: Option<u64>,
}

impl ServerTx {
    pub(super) fn is_answered(&self) -> bool {
        self.state != State::Proceeding
    }
}

/// What a response has beside the lines that it repeats.
#[derive(Default)]
pub(super) struct ReplyParts<'a> {
    pub(super) reason: Option<&'a str>,
    pub(super) tag: Option<&'a str>,
    pub(super) contact: Option<&'a str>,
    /// Whole lines without their end.
    pub(super) lines: &'a [String],
    pub(super) sdp: Option<&'a str>,
    /// Whether Record-Route is repeated.
    pub(super) dialog: bool,
}

/// What became of a request at the transaction layer.
pub(super) enum Arrival {
    /// New: its transaction was made.
    New(u64),
    /// Seen before, and dealt with.
    Repeated,
}

impl Stack {
    /// The key of a server transaction (RFC 3261 section 17.2.3); `method` is INVITE for its ACK and CANCEL.
    pub(super) fn server_key(request: &Request<'_>, method: &str) -> String {
        let via = request.via;
        match via.branch() {
            Some(branch) if branch.len() > 7 && branch.as_bytes()[..7].eq_ignore_ascii_case(b"z9hG4bK") => {
                let mut key = String::with_capacity(branch.len() + via.sent_by.len() + 12);
                for part in [branch, "|", via.sent_by, "|", method] {
                    key.push_str(part);
                }
                key
            }
            // Before RFC 3261, or a branch without content: the request itself is the key.
            _ => {
                let from = request.from.tag().unwrap_or_default();
                let to = if method == "INVITE" { "" } else { request.to.tag().unwrap_or_default() };
                let (call, cseq, uri) = (request.call_id, request.cseq, request.uri);
                format!("{method}|{call}|{from}|{to}|{cseq}|{uri}|{}", via.sent_by)
            }
        }
    }

    /// Finds or makes the transaction of a request that is no ACK.
    pub(super) fn server_arrival(&mut self, flow: Flow, request: &Request<'_>) -> Arrival {
        let key = Self::server_key(request, request.method.as_str());
        if let Some(id) = self.server_keys.get(&*key) {
            if let Some(tx) = self.servers.get(id) {
                add(&self.counters.repeated, 1);
                if let Some(bytes) = tx.response.clone() {
                    let flow = tx.flow;
                    self.send(flow, bytes);
                }
            }
            return Arrival::Repeated;
        }
        let id = self.next_serial();
        let key: Box<str> = key.into();
        let tx = ServerTx {
            key: key.clone(),
            invite: request.method == Method::Invite,
            flow: reply_flow(flow, &request.via),
            head: ReplyHead::of(flow, request),
            state: State::Proceeding,
            response: None,
            interval: T1,
            retransmit_at: None,
            end_at: None,
            leg: None,
        };
        self.server_keys.insert(key, id);
        self.servers.insert(id, tx);
        add(&self.counters.transactions, 1);
        Arrival::New(id)
    }

    /// Answers a request. A final response ends the transaction's work; a second one is not sent.
    pub(super) fn reply(&mut self, now: Instant, id: u64, code: u16, parts: &ReplyParts<'_>) -> Option<Bytes> {
        let name = self.settings.name.as_str();
        let tx = self.servers.get_mut(&id)?;
        if tx.state != State::Proceeding {
            return None;
        }
        let bytes = tx.head.response(code, name, parts);
        tx.response = Some(bytes.clone());
        let flow = tx.flow;
        if code >= 200 {
            let reliable = flow.transport.is_reliable();
            let linger = match (tx.invite, code < 300) {
                (true, true) => {
                    tx.state = State::Accepted;
                    GIVE_UP
                }
                (true, false) => {
                    tx.state = State::Completed;
                    if !reliable {
                        tx.retransmit_at = Some(self.timers.set(now, T1, Timer::ServerRetransmit(id)));
                    }
                    GIVE_UP
                }
                (false, _) => {
                    tx.state = State::Confirmed;
                    if reliable { Duration::ZERO } else { GIVE_UP }
                }
            };
            tx.end_at = Some(self.timers.set(now, linger, Timer::ServerEnd(id)));
        }
        self.send(flow, bytes.clone());
        Some(bytes)
    }

    /// A plain answer with a code only.
    pub(super) fn reply_code(&mut self, now: Instant, id: u64, code: u16) {
        self.reply(now, id, code, &ReplyParts::default());
    }

    pub(super) fn reply_lines(&mut self, now: Instant, id: u64, code: u16, lines: &[String]) {
        self.reply(now, id, code, &ReplyParts { lines, ..ReplyParts::default() });
    }

    /// An answer for which nothing is kept.
    pub(super) fn reply_stateless(&mut self, flow: Flow, request: &Request<'_>, code: u16, lines: &[String]) {
        let head = ReplyHead::of(flow, request);
        let bytes = head.response(code, &self.settings.name, &ReplyParts { lines, ..ReplyParts::default() });
        self.send(reply_flow(flow, &request.via), bytes);
    }

    /// Answers a request that has a fault, if enough of it can be read; ACK is never answered.
    pub(super) fn refuse_faulty(&mut self, flow: Flow, message: &Message<'_>, fault: Fault) {
        let method = match message.start {
            crate::message::Start::Request { method, .. } => method,
            crate::message::Start::Response { .. } => return,
        };
        let via = message.header(Name::Via).and_then(|text| list(text).next()).and_then(Via::parse);
        let (Some(via), false) = (via, method == Method::Ack) else {
            add(&self.counters.malformed, 1);
            return;
        };
        add(&self.counters.faulty, 1);
        let head = ReplyHead::from_message(flow, message, &via);
        let parts = ReplyParts { reason: Some(fault.reason), ..ReplyParts::default() };
        let bytes = head.response(fault.code, &self.settings.name, &parts);
        self.send(reply_flow(flow, &via), bytes);
    }

    /// An ACK for a response that was no 2xx; false if there is no such transaction.
    pub(super) fn server_ack(&mut self, now: Instant, request: &Request<'_>) -> bool {
        let Some(&id) = self.server_keys.get(&*Self::server_key(request, "INVITE")) else { return false };
        let Some(tx) = self.servers.get_mut(&id) else { return false };
        match tx.state {
            State::Completed => {
                tx.state = State::Confirmed;
                tx.retransmit_at = None;
                let linger = if tx.flow.transport.is_reliable() { Duration::ZERO } else { T4 };
                tx.end_at = Some(self.timers.set(now, linger, Timer::ServerEnd(id)));
                true
            }
            State::Confirmed => true,
            State::Proceeding | State::Accepted => false,
        }
    }

    pub(super) fn server_retransmit(&mut self, now: Instant, due: Instant, id: u64) {
        let Some(tx) = self.servers.get_mut(&id) else { return };
        if tx.state != State::Completed || tx.retransmit_at != Some(due) {
            return;
        }
        tx.interval = (tx.interval * 2).min(T2);
        tx.retransmit_at = Some(self.timers.set(now, tx.interval, Timer::ServerRetransmit(id)));
        let flow = tx.flow;
        if let Some(bytes) = tx.response.clone() {
            add(&self.counters.retransmitted, 1);
            self.send(flow, bytes);
        }
    }

    pub(super) fn server_end(&mut self, due: Instant, id: u64) {
        if self.servers.get(&id).is_some_and(|tx| tx.end_at == Some(due))
            && let Some(tx) = self.servers.remove(&id)
        {
            self.server_keys.remove(&tx.key);
            sub(&self.counters.transactions, 1);
        }
    }
}

/// Where responses go (RFC 3261 section 18.2.2, RFC 3581): back where the request came from.
fn reply_flow(flow: Flow, via: &Via<'_>) -> Flow {
    if flow.transport.is_reliable() || via.params.get("rport").is_some() {
        return flow;
    }
    let port = via.host_port().1.unwrap_or(5060);
    Flow { remote: SocketAddr::new(flow.remote.ip(), port), ..flow }
}

impl ReplyHead {
    fn of(flow: Flow, request: &Request<'_>) -> Self {
        Self::from_message(flow, request.message, &request.via)
    }

    fn from_message(flow: Flow, message: &Message<'_>, top: &Via<'_>) -> Self {
        let mut lines = String::with_capacity(384);
        let mut routes = String::new();
        let mut to = "";
        let mut first_via = true;
        for header in &message.headers {
            match header.name {
                Name::Via if first_via => {
                    first_via = false;
                    push_top_via(&mut lines, flow, top);
                    let mut rest = list(header.value).skip(1).peekable();
                    if rest.peek().is_some() {
                        for via in rest {
                            push_line(&mut lines, "Via", via);
                        }
                    }
                }
                Name::Via | Name::From | Name::CallId | Name::CSeq | Name::Timestamp => {
                    push_line(&mut lines, header.name.as_str(), header.value);
                }
                Name::RecordRoute => push_line(&mut routes, "Record-Route", header.value),
                Name::To if to.is_empty() => to = header.value,
                _ => {}
            }
        }
        let has_tag = crate::message::NameAddr::parse(to).is_some_and(|a| a.tag().is_some());
        let mut clean = Vec::with_capacity(to.len());
        push_clean(&mut clean, to);
        let to = String::from_utf8(clean).unwrap_or_default().into();
        Self { lines: lines.into(), routes: routes.into(), to, has_tag }
    }

    fn response(&self, code: u16, name: &str, parts: &ReplyParts<'_>) -> Bytes {
        let mut writer = Writer::response(code, parts.reason.unwrap_or_else(|| reason_phrase(code)));
        writer.format(format_args!("{}{}", if parts.dialog { &*self.routes } else { "" }, self.lines.trim_end()));
        match parts.tag {
            Some(tag) if !self.has_tag => writer.format(format_args!("To: {};tag={tag}", self.to)),
            // A final response must have a tag (RFC 3261 section 8.2.6.2); what it is does not matter without a dialog.
            None if !self.has_tag && code > 100 => writer.format(format_args!("To: {};tag=none", self.to)),
            _ => writer.format(format_args!("To: {}", self.to)),
        };
        if let Some(contact) = parts.contact {
            writer.header(Name::Contact, contact);
        }
        if code >= 200 {
            writer.raw("Server", name);
        }
        for line in parts.lines {
            writer.format(format_args!("{line}"));
        }
        writer.finish(parts.sdp.map(|sdp| ("application/sdp", sdp.as_bytes())))
    }
}

fn push_line(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str(": ");
    if has_line_break(value) {
        out.extend(value.chars().map(|c| if matches!(c, '\r' | '\n' | '\0') { ' ' } else { c }));
    } else {
        out.push_str(value);
    }
    out.push_str("\r\n");
}

/// The topmost Via with `received` and `rport` as RFC 3581 wants them.
fn push_top_via(out: &mut String, flow: Flow, via: &Via<'_>) {
    let mut text = String::with_capacity(96);
    let _ = write!(text, "SIP/2.0/{} {}", via.transport, via.sent_by);
    let mut wants_port = false;
    for (name, value) in via.params.iter() {
        if name.eq_ignore_ascii_case("rport") {
            wants_port = true;
        } else if !name.eq_ignore_ascii_case("received") {
            let equals = if value.is_empty() { "" } else { "=" };
            let _ = write!(text, ";{name}{equals}{value}");
        }
    }
    let ip = flow.remote.ip();
    let host = via.host_port().0;
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host);
    if wants_port {
        let _ = write!(text, ";received={ip};rport={}", flow.remote.port());
    } else if bare.parse::<IpAddr>().ok() != Some(ip) {
        let _ = write!(text, ";received={ip}");
    }
    push_line(out, "Via", &text);
}

/// The usual phrase of a response code.
pub(crate) const fn reason_phrase(code: u16) -> &'static str {
    match code {
        100 => "Trying",
        180 => "Ringing",
        181 => "Call Is Being Forwarded",
        182 => "Queued",
        183 => "Session Progress",
        200 => "OK",
        202 => "Accepted",
        300 => "Multiple Choices",
        301 => "Moved Permanently",
        302 => "Moved Temporarily",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        407 => "Proxy Authentication Required",
        408 => "Request Timeout",
        410 => "Gone",
        415 => "Unsupported Media Type",
        416 => "Unsupported URI Scheme",
        420 => "Bad Extension",
        421 => "Extension Required",
        422 => "Session Interval Too Small",
        423 => "Interval Too Brief",
        480 => "Temporarily Unavailable",
        481 => "Call/Transaction Does Not Exist",
        482 => "Loop Detected",
        483 => "Too Many Hops",
        484 => "Address Incomplete",
        486 => "Busy Here",
        487 => "Request Terminated",
        488 => "Not Acceptable Here",
        489 => "Bad Event",
        491 => "Request Pending",
        500 => "Server Internal Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Server Time-out",
        505 => "Version Not Supported",
        513 => "Message Too Large",
        600 => "Busy Everywhere",
        603 => "Decline",
        604 => "Does Not Exist Anywhere",
        606 => "Not Acceptable",
        _ if code < 200 => "Progress",
        _ if code < 300 => "Success",
        _ if code < 400 => "Redirected",
        _ if code < 500 => "Request Failed",
        _ if code < 600 => "Server Failure",
        _ => "Global Failure",
    }
}
