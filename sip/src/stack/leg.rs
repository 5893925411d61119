//! A leg: one dialog, or what becomes one, and the requests that we send in it.

use super::client::{Owner, Purpose};
use super::{Stack, Timer, add};
use crate::event::Cause;
use crate::flow::{Flow, Transport};
use crate::message::{Host, Message, Name, NameAddr, Uri, Writer, list};
use crate::order::Invite;
use bytes::Bytes;
use std::net::IpAddr;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Incoming: not finally answered.
    Arriving,
    /// Incoming: 200 sent, ACK awaited.
    Answered,
    /// Outgoing: INVITE sent, no final response.
    Calling,
    /// Established.
    Talking,
    /// BYE or CANCEL is under way.
    Leaving,
}

/// A 2xx to INVITE that is retransmitted until its ACK.
#[derive(Debug)]
pub(super) struct Unacknowledged {
    pub(super) cseq: u32,
    pub(super) flow: Flow,
    pub(super) bytes: Bytes,
    pub(super) interval: Duration,
    pub(super) next: Instant,
    pub(super) until: Instant,
    /// Whether the ACK is to bring an SDP answer.
    pub(super) wants_sdp: bool,
}

/// A reliable provisional response that waits for its PRACK (RFC 3262).
#[derive(Debug)]
pub(super) struct Unpracked {
    pub(super) rseq: u32,
    pub(super) bytes: Bytes,
    pub(super) interval: Duration,
    pub(super) next: Instant,
    pub(super) until: Instant,
    /// The answer that waits for the PRACK.
    pub(super) then_answer: Option<String>,
    /// Another provisional response that waits for it.
    pub(super) then_provisional: Option<(u16, Option<String>)>,
}

/// The session timer (RFC 4028).
#[derive(Debug)]
pub(super) struct Session {
    pub(super) interval_s: u32,
    pub(super) ours: bool,
    pub(super) due: Instant,
}

/// The peer's offer that waits for the host.
#[derive(Clone, Copy, Debug)]
pub(super) struct PeerOffer {
    pub(super) server: u64,
    pub(super) cseq: u32,
    /// Whether it is an INVITE (else UPDATE).
    pub(super) invite: bool,
    pub(super) has_sdp: bool,
    pub(super) due: Instant,
}

#[derive(Debug)]
pub(super) struct Leg {
    pub(super) id: u64,
    pub(super) outgoing: bool,
    pub(super) state: State,
    pub(super) call_id: Box<str>,
    pub(super) local_tag: Box<str>,
    pub(super) remote_tag: Option<Box<str>>,
    /// Our From or To value, with its tag where we made it.
    pub(super) local: Box<str>,
    /// The peer's, with its tag once known.
    pub(super) remote: Box<str>,
    /// The remote target.
    pub(super) target: Box<str>,
    pub(super) routes: Vec<Box<str>>,
    pub(super) flow: Flow,
    /// In-dialog requests stay on the flow, whatever the peer's contact says.
    pub(super) pinned: bool,
    pub(super) local_cseq: u32,
    pub(super) remote_cseq: Option<u32>,
    pub(super) arrival: Option<u64>,
    /// The transaction of the first INVITE: a server's if incoming, else a client's.
    pub(super) invite_tx: u64,
    pub(super) invite_cseq: u32,
    pub(super) ring_until: Instant,
    pub(super) provisional: Option<(u16, Option<String>)>,
    pub(super) wants_100rel: bool,
    pub(super) rseq: u32,
    pub(super) unpracked: Option<Unpracked>,
    pub(super) unacknowledged: Option<Unacknowledged>,
    /// Whether the INVITE of an incoming leg had an offer.
    pub(super) offered: bool,
    pub(super) local_sdp: Option<Box<str>>,
    pub(super) early_sdp: Option<String>,
    /// What ends the leg once its BYE or CANCEL is done.
    pub(super) leaving: Option<Cause>,
    pub(super) leaving_reason: Option<String>,
    /// Outgoing: a 1xx came, so that CANCEL may be sent.
    pub(super) proceeding: bool,
    pub(super) cancel_sent: bool,
    /// Outgoing, until established: what was ordered, for a retry with credentials.
    pub(super) invite: Option<Box<Invite>>,
    pub(super) tried_credentials: bool,
    pub(super) min_se: Option<u32>,
    pub(super) peer_update: bool,
    pub(super) peer_timer: bool,
    pub(super) session_asked: Option<(u32, Option<bool>)>,
    pub(super) session: Option<Session>,
    pub(super) peer_offer: Option<PeerOffer>,
    /// The transaction of our offer or refresh that is under way, and its SDP.
    pub(super) our_offer: Option<(u64, Option<String>)>,
    pub(super) next_offer: Option<String>,
    pub(super) retry_offer_at: Option<Instant>,
    pub(super) last_rseq: Option<u32>,
    /// The transaction and number of an INVITE without an offer whose ACK waits for the host's answer.
    pub(super) late_ack: Option<(u64, u32)>,
}

impl Stack {
    /// The Contact value of a leg on that flow.
    pub(super) fn contact(&self, flow: Flow) -> String {
        let address = self.own_address(flow);
        match flow.transport {
            Transport::Udp => format!("<sip:{address}>"),
            Transport::Tcp => format!("<sip:{address};transport=tcp>"),
            Transport::Tls => format!("<sip:{address};transport=tls>"),
        }
    }

    pub(super) fn via_line(&self, flow: Flow, branch: &str) -> String {
        format!("Via: SIP/2.0/{} {};rport;branch={branch}", flow.transport.as_str(), self.own_address(flow))
    }

    /// A new local tag. It carries the leg's number, so that a dialog is found without a search.
    pub(super) fn new_tag(&mut self, leg: u64) -> Box<str> {
        format!("{leg:x}.{:016x}", self.draw()).into()
    }

    /// The leg with that local tag and Call-ID; the remote tag must fit where it is known.
    pub(super) fn leg_by_tags(&self, call_id: &str, local_tag: &str, remote_tag: Option<&str>) -> Option<u64> {
        let id = u64::from_str_radix(local_tag.split_once('.')?.0, 16).ok()?;
        let leg = self.legs.get(&id)?;
        let fits = *leg.local_tag == *local_tag
            && *leg.call_id == *call_id
            && (leg.remote_tag.is_none() || leg.remote_tag.as_deref() == remote_tag);
        fits.then_some(id)
    }

    /// Sends a request in a leg's dialog. `lines` are whole header lines.
    pub(super) fn send_in_dialog(
        &mut self,
        now: Instant,
        leg_id: u64,
        method: &'static str,
        purpose: Option<Purpose>,
        lines: &[String],
        body: Option<(&str, &str)>,
    ) -> Option<u64> {
        let (id, proof, branch) = self.new_branch();
        let leg = self.legs.get_mut(&leg_id)?;
        leg.local_cseq += 1;
        let cseq = leg.local_cseq;
        let leg = self.legs.get(&leg_id)?;
        let flow = leg.flow;
        let bytes = self.dialog_request(leg, method, cseq, &branch, lines, body);
        let owner = purpose.map_or(Owner::Nobody, |p| Owner::Leg(leg_id, p));
        self.client_send(now, (id, proof), flow, method == "INVITE", bytes, owner);
        Some(id)
    }

    /// Writes a request in a leg's dialog.
    pub(super) fn dialog_request(
        &self,
        leg: &Leg,
        method: &str,
        cseq: u32,
        branch: &str,
        lines: &[String],
        body: Option<(&str, &str)>,
    ) -> Bytes {
        let loose = |route: &str| {
            NameAddr::parse(route).and_then(|a| Uri::parse(a.uri)).is_some_and(|u| u.params.get("lr").is_some())
        };
        // A strict router of RFC 2543 takes the place of the request URI (RFC 3261 section 12.2.1.1).
        let strict = leg.routes.first().filter(|route| !loose(route)).and_then(|route| NameAddr::parse(route));
        let mut writer = Writer::request(method, strict.map_or(&*leg.target, |route| route.uri));
        writer.format(format_args!("{}", self.via_line(leg.flow, branch)));
        writer.number(Name::MaxForwards, 70);
        for route in leg.routes.iter().skip(usize::from(strict.is_some())) {
            writer.header(Name::Route, route);
        }
        if strict.is_some() {
            writer.header(Name::Route, &format!("<{}>", leg.target));
        }
        writer.header(Name::From, &leg.local).header(Name::To, &leg.remote).header(Name::CallId, &leg.call_id);
        writer.format(format_args!("CSeq: {cseq} {method}"));
        if matches!(method, "INVITE" | "UPDATE" | "REFER" | "NOTIFY") {
            writer.header(Name::Contact, &self.contact(leg.flow));
        }
        if matches!(method, "INVITE" | "UPDATE") {
            writer.header(Name::Supported, SUPPORTED_LINE).header(Name::Allow, super::ALLOW);
        }
        for line in lines {
            writer.format(format_args!("{line}"));
        }
        writer.raw("User-Agent", &self.settings.name);
        writer.finish(body.map(|(kind, text)| (kind, text.as_bytes())))
    }

    /// Sends BYE; the leg ends with this cause once it is answered, or nobody answers.
    pub(super) fn leave(&mut self, now: Instant, leg_id: u64, cause: Cause) {
        let Some(leg) = self.legs.get_mut(&leg_id) else { return };
        leg.state = State::Leaving;
        leg.leaving = Some(cause);
        leg.session = None;
        leg.unacknowledged = None;
        leg.next_offer = None;
        let reason = leg.leaving_reason.take();
        if let Some((tx, cseq)) = leg.late_ack.take() {
            self.send_ack(leg_id, tx, cseq, None);
        }
        let Some(leg) = self.legs.get_mut(&leg_id) else { return };
        if let Some(offer) = leg.peer_offer.take() {
            self.reply_code(now, offer.server, 487);
        }
        let lines: Vec<String> = reason.map(|r| reason_line(&r)).into_iter().collect();
        self.send_in_dialog(now, leg_id, "BYE", Some(Purpose::Bye), &lines, None);
    }

    /// Puts a new leg into the table.
    pub(super) fn insert_leg(&mut self, now: Instant, leg: Leg) {
        add(&self.counters.legs, 1);
        add(&self.counters.legs_begun, 1);
        let id = leg.id;
        self.legs.insert(id, leg);
        self.timers.set(now, Duration::from_secs(60), Timer::LegRing(id));
    }

    /// Takes the remote target, and where to reach it, from the peer's contact.
    pub(super) fn learn_target(&mut self, leg_id: u64, source: Flow, contact: Option<NameAddr<'_>>) {
        let Some(leg) = self.legs.get(&leg_id) else { return };
        let Some(contact) = contact.filter(|c| Uri::parse(c.uri).is_some()) else { return };
        let mut clean = Vec::new();
        crate::message::push_clean(&mut clean, contact.uri);
        let target: Box<str> = String::from_utf8(clean).unwrap_or_default().into();
        let pinned = leg.pinned;
        let hop = leg.routes.first().and_then(|r| NameAddr::parse(r)).map_or(&*target, |r| r.uri);
        let flow = if pinned { leg.flow } else { self.next_hop(source, hop) };
        if let Some(leg) = self.legs.get_mut(&leg_id) {
            leg.target = target;
            leg.flow = flow;
        }
    }

    /// Where requests of a dialog go, given from where its peer was heard last and the next hop's URI.
    fn next_hop(&self, source: Flow, hop: &str) -> Flow {
        let Some(uri) = Uri::parse(hop) else { return source };
        let (Host::Ip(ip), Some(socket)) = (uri.host(), uri.socket()) else {
            // A name: names are not looked up within a call, and the peer was heard from here.
            return source;
        };
        let transport = Transport::of_uri(&uri).unwrap_or(source.transport);
        let heard = source.remote.ip();
        // An address that only means something behind the peer's own translator.
        let hidden = is_private(ip) && !is_private(heard) || ip.is_unspecified() || socket.port() == 0;
        let same_stream = source.transport.is_reliable() && transport == source.transport && ip == heard;
        if hidden || same_stream || socket == source.remote && transport == source.transport {
            return source;
        }
        self.flow_to(transport, socket)
    }
}

/// Timer and Replaces are always ours; 100rel is only said where the peer asks for it first.
pub(super) const SUPPORTED_LINE: &str = "timer, replaces";

fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_private() || v4.is_loopback() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

pub(super) fn reason_line(reason: &str) -> String {
    let mut clean = b"Reason: ".to_vec();
    crate::message::push_clean(&mut clean, reason);
    String::from_utf8(clean).unwrap_or_default()
}

/// The route set of Record-Route headers, in their order. More than 16 are no honest path.
pub(super) fn routes_of(message: &Message<'_>) -> Vec<Box<str>> {
    message
        .all(Name::RecordRoute)
        .flat_map(list)
        .filter(|text| NameAddr::parse(text).is_some())
        .take(16)
        .map(clean)
        .collect()
}

pub(super) fn clean(text: &str) -> Box<str> {
    let mut out = Vec::with_capacity(text.len());
    crate::message::push_clean(&mut out, text);
    String::from_utf8(out).unwrap_or_default().into()
}
