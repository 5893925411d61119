//! Provisional responses, reliable ones included (RFC 3262).

use super::client::Purpose;
use super::leg::{State, Unpracked, clean, routes_of};
use super::server::ReplyParts;
use super::{GIVE_UP, Stack, T1, Timer, add};
use crate::flow::Flow;
use crate::message::{Name, Reply, Request, list};
use std::time::Instant;

impl Stack {
    pub(super) fn order_provisional(&mut self, now: Instant, id: u64, code: u16, sdp: Option<String>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if leg.outgoing || leg.state != State::Arriving {
            return;
        }
        if let Some(waiting) = &mut leg.unpracked {
            waiting.then_provisional = Some((code, sdp));
            return;
        }
        let (server, flow, tag) = (leg.invite_tx, leg.flow, leg.local_tag.clone());
        // Early media without an offer would be an offer of ours, which only a reliable response may carry.
        let sdp = if leg.offered { sdp } else { None };
        leg.provisional = Some((code, sdp.clone()));
        let reliable = leg.wants_100rel;
        let mut lines = vec![super::incoming::allow()];
        if reliable {
            leg.rseq = leg.rseq.max(u32::from(code)) + 1;
            lines.push("Require: 100rel".to_owned());
            lines.push(format!("RSeq: {}", leg.rseq));
        }
        let rseq = leg.rseq;
        let contact = self.contact(flow);
        let parts = ReplyParts {
            tag: Some(&tag),
            contact: Some(&contact),
            lines: &lines,
            sdp: sdp.as_deref(),
            dialog: true,
            ..ReplyParts::default()
        };
        let Some(bytes) = self.reply(now, server, code, &parts) else { return };
        if reliable {
            let next = self.timers.set(now, T1, Timer::LegProvisional(id));
            if let Some(leg) = self.legs.get_mut(&id) {
                let until = now + GIVE_UP;
                let interval = T1;
                leg.unpracked =
                    Some(Unpracked { rseq, bytes, interval, next, until, then_answer: None, then_provisional: None });
            }
        }
    }

    pub(super) fn provisional_timer(&mut self, now: Instant, due: Instant, id: u64) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let Some(waiting) = leg.unpracked.as_mut().filter(|w| w.next == due) else { return };
        if now >= waiting.until {
            // RFC 3262 section 3: no PRACK at all.
            return self.refuse_leg(now, id, 504, None, &[]);
        }
        waiting.interval *= 2;
        waiting.next = self.timers.set(now, waiting.interval, Timer::LegProvisional(id));
        let (bytes, server) = (waiting.bytes.clone(), leg.invite_tx);
        if let Some(flow) = self.servers.get(&server).map(|tx| tx.flow) {
            add(&self.counters.retransmitted, 1);
            self.send(flow, bytes);
        }
    }

    pub(super) fn on_prack(&mut self, now: Instant, id: u64, server: u64, request: &Request<'_>) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        let mut rack = request.message.header(Name::RAck).unwrap_or_default().split_ascii_whitespace();
        let rseq = rack.next().and_then(|n| n.parse().ok());
        let cseq = rack.next().and_then(|n| n.parse::<u32>().ok());
        let fits = cseq == Some(leg.invite_cseq) && rack.next() == Some("INVITE");
        let Some(waiting) = leg.unpracked.take_if(|w| fits && Some(w.rseq) == rseq) else {
            return self.reply_code(now, server, 481);
        };
        self.reply_code(now, server, 200);
        if let Some(sdp) = waiting.then_answer {
            self.order_answer(now, id, sdp);
        } else if let Some((code, sdp)) = waiting.then_provisional {
            self.order_provisional(now, id, code, sdp);
        }
    }

    /// PRACK for a reliable provisional response; false if it came before.
    pub(super) fn acknowledge_provisional(&mut self, now: Instant, flow: Flow, id: u64, reply: &Reply<'_>) -> bool {
        let rseq = reply.message.header(Name::RSeq).and_then(|v| v.parse::<u32>().ok());
        let (Some(rseq), Some(tag)) = (rseq, reply.to.tag()) else { return true };
        let Some(leg) = self.legs.get_mut(&id) else { return false };
        // Another fork has a numbering of its own; only the first one's are followed.
        if leg.remote_tag.as_deref().is_some_and(|known| known != tag) {
            return true;
        }
        if leg.last_rseq.is_some_and(|last| rseq <= last) {
            return false;
        }
        leg.last_rseq = Some(rseq);
        leg.remote = clean(reply.message.header(Name::To).unwrap_or_default());
        leg.routes = routes_of(reply.message);
        leg.routes.reverse();
        let target = leg.target.clone();
        self.learn_target(id, flow, reply.contact());
        let rack = format!("RAck: {rseq} {} INVITE", reply.cseq.number);
        self.send_in_dialog(now, id, "PRACK", Some(Purpose::Prack), &[rack], None);
        // Credentials, if they are asked for still, are for the first target.
        if let Some(leg) = self.legs.get_mut(&id)
            && list(&target).next().is_none()
        {
            leg.target = target;
        }
        true
    }
}
