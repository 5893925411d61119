//! Outputs in words: one readable line each, with the script's names.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::directory::{Directory, Far};
use super::order::{Kind, RESOLUTIONS};
use super::words::name;
use crate::command::{ChatStatus, FarEndFault, ForcedEndReason, Resolution, Supervision};
use crate::config::{Floor, reason};
use crate::explain::{Explanation, Verdict};
use crate::id::{AudioId, CallId, CallbackId, ChatId, LegId, OperatorId, QueueId, ReasonId, ServiceId, TicketId};
use crate::output::{
    Action, CallRecord, CallbackEnd, ChatEnd, ConsultEnd, EndCause, Event, FlowOut, OfferEnd, Output, Party,
    RefusalCause, SupervisionEnd, TicketChange, TicketOrigin, Work,
};
use crate::time::{Instant, Span};

/// What is needed to say something.
#[derive(Clone, Copy, Debug)]
pub(super) struct Speaker<'a> {
    pub(super) floor: &'a Floor,
    pub(super) directory: &'a Directory,
    pub(super) audio: &'a [(String, AudioId)],
    pub(super) reasons: &'a [(String, ReasonId)],
    /// The name of the call that the command of the moment makes.
    pub(super) arriving: Option<&'a str>,
}

impl Speaker<'_> {
    pub(super) fn say(&self, output: &Output) -> String {
        match output {
            Output::Action(action) => self.action(action),
            Output::Event(event) => self.event(event),
        }
    }

    fn operator(&self, id: OperatorId) -> String {
        self.floor.operators.get(id.index()).map_or_else(|| id.to_string(), |o| format!("operator {}", name(&o.name)))
    }

    fn service(&self, id: ServiceId) -> String {
        self.floor.services.get(id.index()).map_or_else(|| id.to_string(), |s| format!("service {}", name(&s.name)))
    }

    fn queue(&self, id: QueueId) -> String {
        self.floor.queues.get(id.index()).map_or_else(|| id.to_string(), |q| format!("queue {}", name(&q.name)))
    }

    fn live(&self, kind: Kind, number: u32) -> String {
        format!("{} {}", kind.word(), self.directory.name(kind, number))
    }

    fn call(&self, id: CallId) -> String {
        self.live(Kind::Call, id.number())
    }

    fn chat(&self, id: ChatId) -> String {
        self.live(Kind::Chat, id.number())
    }

    fn ticket(&self, id: TicketId) -> String {
        self.live(Kind::Ticket, id.number())
    }

    fn callback(&self, id: CallbackId) -> String {
        self.live(Kind::Callback, id.number())
    }

    fn work(&self, work: Work) -> String {
        match work {
            Work::Call(id) => self.call(id),
            Work::Chat(id) => self.chat(id),
            Work::Ticket(id) => self.ticket(id),
            Work::Callback(id) => self.callback(id),
        }
    }

    fn audio(&self, id: AudioId) -> String {
        self.audio.iter().find(|(_, known)| *known == id).map_or_else(|| id.0.to_string(), |(text, _)| name(text))
    }

    fn reason(&self, id: ReasonId) -> String {
        self.reasons.iter().find(|(_, known)| *known == id).map_or_else(|| id.to_string(), |(text, _)| name(text))
    }

    /// Who is at a leg: `the customer of call 7`, `operator 1`, `+8190…`.
    fn leg(&self, leg: LegId) -> String {
        match self.directory.far(leg) {
            _ if leg.leg == 0 => format!("customer of {}", self.call(leg.call)),
            Some(Far::Operator(operator)) => self.operator(operator),
            Some(Far::Number(number)) => number.to_string(),
            None => format!("leg {} of {}", leg.leg, self.call(leg.call)),
        }
    }

    fn party(&self, party: Party) -> String {
        match party {
            Party::Operator(operator) => self.operator(operator),
            Party::Number(number) => number.to_string(),
            Party::Queue(queue) => self.queue(queue),
        }
    }

    fn arriving(&self, reference: u64) -> String {
        self.arriving.map_or_else(|| format!("a call (reference {reference})"), |text| format!("call {}", name(text)))
    }

    fn action(&self, action: &Action) -> String {
        match *action {
            Action::RefuseCall { reference, cause: RefusalCause::NoInboundContract } => {
                format!("refuse {}: no contract for inbound calls", self.arriving(reference))
            }
            Action::Ring { operator, offer, work, leg: _, until, auto_answer } => format!(
                "ring {} for {}{} ({offer}){}",
                self.operator(operator),
                self.work(work),
                limit(until),
                if auto_answer { ", answering by itself" } else { "" },
            ),
            Action::StopRinging { operator, offer } => format!("stop ringing {} ({offer})", self.operator(operator)),
            Action::Connect { a, b } => format!("connect {} and {}", self.leg(a), self.leg(b)),
            Action::Join { call } => format!("join all of {}", self.call(call)),
            Action::PlayMusic { leg, audio } => format!("play music {} to {}", self.audio(audio), self.leg(leg)),
            Action::PlayAnnouncement { leg, audio, digits } => format!(
                "play announcement {} to {}{}",
                self.audio(audio),
                self.leg(leg),
                if digits { ", listening for digits" } else { "" }
            ),
            Action::RecordVoicemail { leg, limit } => {
                format!("record a message of {}, at most {limit}", self.leg(leg))
            }
            Action::Dial { leg, to, from } => {
                let whom = if leg.leg == 0 {
                    format!("dial {to} for {}", self.call(leg.call))
                } else {
                    format!("dial {to} for leg {} of {}", leg.leg, self.call(leg.call))
                };
                from.map_or_else(|| whom.clone(), |from| format!("{whom}, showing {from}"))
            }
            Action::HangUp { leg } => format!("hang up {}", self.leg(leg)),
            Action::CallSupervisor { operator, leg } => {
                format!("call {} to supervise {}", self.operator(operator), self.call(leg.call))
            }
            Action::Supervise { leg, operator, mode } => format!(
                "let {} hear {}, heard by {}",
                self.leg(leg),
                self.call(leg.call),
                match mode {
                    Supervision::Listen => "nobody".to_owned(),
                    Supervision::Whisper => self.leg(operator),
                    Supervision::Barge => "all".to_owned(),
                }
            ),
        }
    }

    fn event(&self, event: &Event) -> String {
        match *event {
            Event::CallArrived { call, service, reference: _ } => {
                format!("{} arrived at {}", self.call(call), self.service(service))
            }
            Event::CallRefused { service, reference, cause: RefusalCause::NoInboundContract } => {
                format!("{} was refused by {}", self.arriving(reference), self.service(service))
            }
            Event::StepEntered { call, step } => format!("{} entered {step}", self.call(call)),
            Event::CallQueued { call, queue, priority } => {
                let priority = if priority == 0 { String::new() } else { format!(" with priority {priority}") };
                format!("{} queued in {}{priority}", self.call(call), self.queue(queue))
            }
            Event::QueueFull { call, queue } => format!("{} was full for {}", self.queue(queue), self.call(call)),
            Event::CallFlowedOut { call, queue, how, wait } => {
                let how = match how {
                    FlowOut::MaximumWait => "maximum wait",
                    FlowOut::Cancelled => "cancelled",
                };
                format!("{} left {} after {wait}: {how}", self.call(call), self.queue(queue))
            }
            Event::CallRecovered { call, queue } => {
                format!("{} went back to {}", self.call(call), self.queue(queue))
            }
            Event::NeedsRelaxed { work, steps } => format!("needs of {} relaxed {steps}×", self.work(work)),
            Event::CallAnswered { call, queue, operator, wait } => {
                format!(
                    "{} answered {} from {} after {wait}",
                    self.operator(operator),
                    self.call(call),
                    self.queue(queue)
                )
            }
            Event::CallResumed { call, queue, operator } => {
                format!("{} resumed {} from {}", self.operator(operator), self.call(call), self.queue(queue))
            }
            Event::CallHeld { call, operator } => format!("{} held {}", self.operator(operator), self.call(call)),
            Event::CallReleased { call, operator } => {
                format!("{} released {}", self.operator(operator), self.call(call))
            }
            Event::ConsultStarted { call, operator, target } => {
                format!("{} consults {} about {}", self.operator(operator), self.party(target), self.call(call))
            }
            Event::ConsultAnswered { call, operator } => {
                format!("consult of {} about {} answered", self.operator(operator), self.call(call))
            }
            Event::ConsultEnded { call, operator, end } => {
                format!("consult of {} about {} ended: {}", self.operator(operator), self.call(call), consult_end(end))
            }
            Event::CallTransferred { call, from, to, blind } => format!(
                "{} transferred {} to {}{}",
                self.operator(from),
                self.call(call),
                self.party(to),
                if blind { " without asking" } else { "" }
            ),
            Event::ConferenceStarted { call, operator } => {
                format!("{} began a conference about {}", self.operator(operator), self.call(call))
            }
            Event::ForcedEndStarted { call, operator, reason } => {
                format!("{} forces the end of {}: {}", self.operator(operator), self.call(call), forced(reason))
            }
            Event::DialStarted { call, service, operator, callback, reference: _ } => {
                let callback = callback.map_or_else(String::new, |id| format!(" and {}", self.callback(id)));
                format!("{} dials {} for {}{callback}", self.operator(operator), self.call(call), self.service(service))
            }
            Event::DialAnswered { call, operator, rang } => {
                format!("{} answered {} after {rang}", self.customer(call), self.operator(operator))
            }
            Event::CallEnded(ref record) => self.record(record),
            Event::OfferMade { offer, work, operator, queue, until } => {
                let queue = queue.map_or_else(String::new, |queue| format!(" from {}", self.queue(queue)));
                format!("{offer} of {} to {}{queue}{}", self.work(work), self.operator(operator), limit(until))
            }
            Event::OfferEnded { offer, work, operator, end, rang } => {
                format!("{offer} of {} to {} {} after {rang}", self.work(work), self.operator(operator), offer_end(end))
            }
            Event::StatusChanged { operator, from, to, reason, call } => {
                let reason =
                    if reason == reason::NONE { String::new() } else { format!(" for {}", self.reason(reason)) };
                let call = call.map_or_else(String::new, |call| format!(" ({})", self.call(call)));
                format!("{}: {from} -> {to}{reason}{call}", self.operator(operator))
            }
            Event::ChatStatusChanged { operator, to } => format!(
                "{}: chats {}",
                self.operator(operator),
                match to {
                    ChatStatus::Away => "away",
                    ChatStatus::Available => "available",
                }
            ),
            Event::AfterCallPrompt { operator } => {
                format!("{} is reminded of after-call work", self.operator(operator))
            }
            Event::CallbackReceived { callback, queue, call, reference: _ } => {
                let place = call.map_or_else(String::new, |call| format!(" in the place of {}", self.call(call)));
                format!("{} waits in {}{place}", self.callback(callback), self.queue(queue))
            }
            Event::CallbackEnded { callback, end, attempts } => {
                let end = match end {
                    CallbackEnd::Completed => "completed",
                    CallbackEnd::GivenUp => "given up",
                    CallbackEnd::Cancelled => "cancelled",
                };
                format!("{} ended after {attempts} attempts: {end}", self.callback(callback))
            }
            Event::ChatArrived { chat, queue, reference: _ } => {
                format!("{} waits in {}", self.chat(chat), self.queue(queue))
            }
            Event::ChatAnswered { chat, queue, operator, wait } => {
                format!("{} took {} from {} after {wait}", self.operator(operator), self.chat(chat), self.queue(queue))
            }
            Event::ChatTransferred { chat, from, to } => {
                format!("{} handed {} on to {}", self.operator(from), self.chat(chat), self.queue(to))
            }
            Event::ChatTransferredToOperator { chat, from, to, queue: _ } => {
                format!("{} handed {} on to {}", self.operator(from), self.chat(chat), self.operator(to))
            }
            Event::SupervisionStarted { call, supervisor, operator, mode } => format!(
                "{} supervises {} of {}: {}",
                self.operator(supervisor),
                self.call(call),
                self.operator(operator),
                supervision(mode)
            ),
            Event::SupervisionChanged { call, supervisor, mode } => {
                format!("{} goes on in {}: {}", self.operator(supervisor), self.call(call), supervision(mode))
            }
            Event::SupervisionEnded { call, supervisor, end } => {
                let end = match end {
                    SupervisionEnd::Stopped => "stopped",
                    SupervisionEnd::TookOver => "took over",
                    SupervisionEnd::OperatorLeft => "operator left",
                    SupervisionEnd::CallEnded => "call ended",
                    SupervisionEnd::DeviceLost => "device lost",
                };
                format!("{} no longer supervises {}: {end}", self.operator(supervisor), self.call(call))
            }
            Event::ChatEnded { chat, queue, operator, end, wait, handled } => {
                let end = match end {
                    ChatEnd::Abandoned => "abandoned",
                    ChatEnd::MaximumWait => "maximum wait",
                    ChatEnd::CustomerLeft => "customer left",
                    ChatEnd::OperatorEnded => "operator ended it",
                };
                let operator = operator.map_or_else(String::new, |operator| format!(", {}", self.operator(operator)));
                let spans = spans(&[("wait", wait), ("handled", handled)]);
                format!("{} ended: {end}{spans}{operator}, {}", self.chat(chat), self.queue(queue))
            }
            Event::TicketCreated { ticket, service, origin, owner, customer: _, reference: _ } => {
                let origin = match origin {
                    TicketOrigin::PhoneIn(call) => format!("inbound {}", self.call(call)),
                    TicketOrigin::PhoneOut(call) => format!("outbound {}", self.call(call)),
                    TicketOrigin::Chat(chat) => self.chat(chat),
                    TicketOrigin::Voicemail(call) => format!("the message of {}", self.call(call)),
                    TicketOrigin::Written => "writing".to_owned(),
                };
                format!(
                    "{} created for {} from {origin}, owner {}",
                    self.ticket(ticket),
                    self.service(service),
                    self.owner(owner)
                )
            }
            Event::TicketQueued { ticket, queue } => format!("{} waits in {}", self.ticket(ticket), self.queue(queue)),
            Event::TicketAssigned { ticket, queue, operator, wait } => format!(
                "{} took {} from {} after {wait}",
                self.operator(operator),
                self.ticket(ticket),
                self.queue(queue)
            ),
            Event::TicketChanged { ticket, change, version } => {
                format!("{} (version {version}): {}", self.ticket(ticket), self.change(change))
            }
        }
    }

    /// Why something waits or rings where it does: a heading, and a line for each operator.
    pub(super) fn explanation(&self, explanation: &Explanation) -> Vec<String> {
        let Explanation { work, queue, policy, relaxed, ahead, candidates } = explanation;
        let relaxed = if *relaxed == 0 { String::new() } else { format!(", needs relaxed {relaxed}×") };
        let mut lines = Vec::new();
        lines.push(format!(
            "{} in {}, {ahead} ahead, policy {policy:?}{relaxed}",
            self.work(*work),
            self.queue(*queue)
        ));
        for candidate in candidates {
            let verdict = match candidate.verdict {
                Verdict::Offered => "rings".to_owned(),
                Verdict::Acceptable { rank, key } => format!("acceptable, rank {rank}, key {key}"),
                Verdict::KeptForAnother(other) => format!("no: kept for {}", self.operator(other)),
                Verdict::MissedIt => "no: missed it, and somebody else could take it".to_owned(),
                Verdict::Status(status) => format!("no: status {status}"),
                Verdict::NoCapacity => "no: no capacity left".to_owned(),
                Verdict::Level { asked, found } => format!("no: level {found}, asked up to {asked}"),
                Verdict::Skill { skill, asked, found } => {
                    let skill =
                        self.floor.skills.get(skill.index()).map_or_else(|| skill.to_string(), |text| name(text));
                    format!("no: {skill} {found}, asked {asked}")
                }
                Verdict::NotMember => "no: does not serve the queue".to_owned(),
            };
            lines.push(format!("{}: {verdict}", self.operator(candidate.operator)));
        }
        lines
    }

    fn customer(&self, call: CallId) -> String {
        format!("customer of {}", self.call(call))
    }

    fn owner(&self, owner: Option<OperatorId>) -> String {
        owner.map_or_else(|| "nobody".to_owned(), |operator| self.operator(operator))
    }

    fn record(&self, record: &CallRecord) -> String {
        let CallRecord { call, service: _, queue, operator, cause, arrived: _, wait, talk, hold, consult } = *record;
        let spans = spans(&[("wait", wait), ("talk", talk), ("hold", hold), ("consult", consult)]);
        let operator = operator.map_or_else(String::new, |operator| format!(", {}", self.operator(operator)));
        let queue = queue.map_or_else(String::new, |queue| format!(", {}", self.queue(queue)));
        format!("{} ended: {}{spans}{operator}{queue}", self.call(call), end_cause(cause))
    }

    fn change(&self, change: TicketChange) -> String {
        match change {
            TicketChange::Status { from, to, resolution } => {
                let why = resolution.map_or_else(String::new, |why| format!(", {}", resolution_word(why)));
                format!("{from:?} -> {to:?}{why}")
            }
            TicketChange::Owner { from, to } => format!("owner {} -> {}", self.owner(from), self.owner(to)),
            TicketChange::Priority(priority) => format!("priority {priority}"),
            TicketChange::DialFailed(fault) => format!("the dial failed: {}", fault_word(fault)),
            TicketChange::Replied(operator) => format!("{} replied", self.operator(operator)),
            TicketChange::CustomerReplied => "the customer replied".to_owned(),
            TicketChange::Absorbed(other) => format!("absorbed {}", self.ticket(other)),
            TicketChange::MergedInto(other) => format!("became part of {}", self.ticket(other)),
            TicketChange::Linked(other) => format!("linked with {}", self.ticket(other)),
            TicketChange::Rated(score) => format!("rated {score}"),
            TicketChange::FirstResponseLate => "the first reply is late".to_owned(),
            TicketChange::ResolutionLate => "the resolution is late".to_owned(),
            TicketChange::Returned(queue) => format!("returned to {}", self.queue(queue)),
        }
    }
}

fn limit(until: Instant) -> String {
    if until == Instant::MAX { String::new() } else { format!(" until {until}") }
}

/// `; wait 5 s, talk 20 s`, without those that are zero.
fn spans(all: &[(&str, Span)]) -> String {
    let mut text = String::new();
    for (word, span) in all.iter().filter(|(_, span)| !span.is_zero()) {
        text.push_str(if text.is_empty() { "; " } else { ", " });
        text.push_str(&format!("{word} {span}"));
    }
    text
}

const fn offer_end(end: OfferEnd) -> &'static str {
    match end {
        OfferEnd::Accepted => "accepted",
        OfferEnd::Declined => "declined",
        OfferEnd::TimedOut => "timed out",
        OfferEnd::DeviceFailed => "failed",
        OfferEnd::Busy => "was busy",
        OfferEnd::Rescinded => "was rescinded",
        OfferEnd::Abandoned => "was abandoned",
        OfferEnd::Withdrawn => "was withdrawn",
    }
}

const fn consult_end(end: ConsultEnd) -> &'static str {
    match end {
        ConsultEnd::Connected => "customer connected",
        ConsultEnd::Cancelled => "cancelled",
        ConsultEnd::Declined => "declined",
        ConsultEnd::NoAnswer => "no answer",
        ConsultEnd::Busy => "busy",
        ConsultEnd::Failed => "failed",
        ConsultEnd::TargetHungUp => "target hung up",
        ConsultEnd::CustomerHungUp => "customer hung up",
        ConsultEnd::OperatorLeft => "operator left",
    }
}

const fn supervision(mode: Supervision) -> &'static str {
    match mode {
        Supervision::Listen => "listens",
        Supervision::Whisper => "whispers",
        Supervision::Barge => "barged in",
    }
}

fn end_cause(cause: EndCause) -> String {
    match cause {
        EndCause::AbandonedInFlow => "abandoned in the flow",
        EndCause::AbandonedInQueue => "abandoned in the queue",
        EndCause::AbandonedWhileRinging => "abandoned while ringing",
        EndCause::CustomerHungUp => "customer hung up",
        EndCause::OperatorHungUp => "operator hung up",
        EndCause::ForcedByOperator(reason) => return format!("forced by the operator, {}", forced(reason)),
        EndCause::FlowEnded => "the flow ended it",
        EndCause::QueueFull => "queue full",
        EndCause::MaximumWait => "maximum wait",
        EndCause::CallbackAccepted => "callback accepted",
        EndCause::Voicemail => "message left",
        EndCause::Forwarded => "forwarded",
        EndCause::TransferredOut => "transferred out",
        EndCause::TransferFailed => "transfer failed",
        EndCause::DeviceLost => "device lost",
        EndCause::DialFailed(fault) => return format!("dial failed, {}", fault_word(fault)),
        EndCause::DialCancelled => "dial cancelled",
    }
    .to_owned()
}

pub(super) const fn forced(reason: ForcedEndReason) -> &'static str {
    match reason {
        ForcedEndReason::Abuse => "abuse",
        ForcedEndReason::Threat => "threat",
        ForcedEndReason::Other => "other",
    }
}

pub(super) const fn fault_word(fault: FarEndFault) -> &'static str {
    match fault {
        FarEndFault::Busy => "busy",
        FarEndFault::NoAnswer => "no-answer",
        FarEndFault::Failed => "failed",
    }
}

pub(super) fn resolution_word(resolution: Resolution) -> &'static str {
    RESOLUTIONS.iter().find(|&&(_, known)| known == resolution).map_or("", |&(word, _)| word)
}
