//! Every fact of the engine as JSON, who may see it, and what of it.

use std::collections::HashMap;

use callfloor_engine as engine;
use callfloor_engine::{EngineConfig, Event, OperatorId, Output, QueueId, ServiceId, Work};
use serde::Serialize;

use super::action::refusal;
use super::{
    Cause, ChatStatus, EndOfOffer, EndOfSupervision, ForcedEndReason, Party, Status, Supervision, WireAction, WorkRef,
};
use crate::host::Happened;
use crate::http::{CallRef, CallbackRef, ChatRef, OfferRef, TicketRef};

/// What a listener may see of what it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Telephone numbers outside are shown whole; else their last two characters.
    pub numbers: bool,
}

/// A numbered message of the stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Message {
    /// 1 for the organisation's first output; a listener may not see all of them.
    pub number: u64,
    /// When, in microseconds since 1970.
    pub at_us: u64,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// A fact or an order.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum What {
    /// A fact.
    Event(WireEvent),
    /// An order to the world.
    Action(WireAction),
}

impl Message {
    /// The wire form of an output.
    #[must_use]
    pub fn of(happened: &Happened, sight: Sight) -> Self {
        let what = match &happened.output {
            Output::Event(event) => What::Event(WireEvent::of(event, sight)),
            Output::Action(action) => What::Action(WireAction::of(action, sight)),
            _ => What::Event(WireEvent::Unnamed),
        };
        Self { number: happened.number, at_us: happened.at.as_micros(), what }
    }
}

/// A fact.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "docs/events.md describes each; the names are those of the engine's events")]
pub enum WireEvent {
    CallArrived {
        call: CallRef,
        service: u16,
        reference: u64,
    },
    CallRefused {
        service: u16,
        reference: u64,
        cause: &'static str,
    },
    StepEntered {
        call: CallRef,
        step: u16,
    },
    CallQueued {
        call: CallRef,
        queue: u16,
        priority: u8,
    },
    QueueFull {
        call: CallRef,
        queue: u16,
    },
    CallFlowedOut {
        call: CallRef,
        queue: u16,
        how: &'static str,
        wait_us: u64,
    },
    CallRecovered {
        call: CallRef,
        queue: u16,
    },
    NeedsRelaxed {
        work: WorkRef,
        steps: u8,
    },
    CallAnswered {
        call: CallRef,
        queue: u16,
        operator: u32,
        wait_us: u64,
    },
    CallResumed {
        call: CallRef,
        queue: u16,
        operator: u32,
    },
    CallHeld {
        call: CallRef,
        operator: u32,
    },
    CallReleased {
        call: CallRef,
        operator: u32,
    },
    ConsultStarted {
        call: CallRef,
        operator: u32,
        target: Party,
    },
    ConsultAnswered {
        call: CallRef,
        operator: u32,
    },
    ConsultEnded {
        call: CallRef,
        operator: u32,
        end: &'static str,
    },
    CallTransferred {
        call: CallRef,
        from: u32,
        to: Party,
        blind: bool,
    },
    ConferenceStarted {
        call: CallRef,
        operator: u32,
    },
    ForcedEndStarted {
        call: CallRef,
        operator: u32,
        reason: ForcedEndReason,
    },
    DialStarted {
        call: CallRef,
        service: u16,
        operator: u32,
        callback: Option<CallbackRef>,
        reference: u64,
    },
    DialAnswered {
        call: CallRef,
        operator: u32,
        rang_us: u64,
    },
    CallEnded {
        call: CallRef,
        service: u16,
        queue: Option<u16>,
        operator: Option<u32>,
        cause: Cause,
        arrived_us: u64,
        wait_us: u64,
        talk_us: u64,
        hold_us: u64,
        consult_us: u64,
    },
    OfferMade {
        offer: OfferRef,
        work: WorkRef,
        operator: u32,
        queue: Option<u16>,
        until_us: u64,
    },
    OfferEnded {
        offer: OfferRef,
        work: WorkRef,
        operator: u32,
        end: EndOfOffer,
        rang_us: u64,
    },
    StatusChanged {
        operator: u32,
        from: Status,
        to: Status,
        reason: u16,
        call: Option<CallRef>,
    },
    ChatStatusChanged {
        operator: u32,
        to: ChatStatus,
    },
    AfterCallPrompt {
        operator: u32,
    },
    CallbackReceived {
        callback: CallbackRef,
        queue: u16,
        call: Option<CallRef>,
        reference: u64,
    },
    CallbackEnded {
        callback: CallbackRef,
        end: &'static str,
        attempts: u8,
    },
    ChatArrived {
        chat: ChatRef,
        queue: u16,
        reference: u64,
    },
    ChatAnswered {
        chat: ChatRef,
        queue: u16,
        operator: u32,
        wait_us: u64,
    },
    ChatTransferred {
        chat: ChatRef,
        from: u32,
        to: u16,
    },
    ChatTransferredToOperator {
        chat: ChatRef,
        from: u32,
        to: u32,
        queue: u16,
    },
    ChatEnded {
        chat: ChatRef,
        queue: u16,
        operator: Option<u32>,
        end: &'static str,
        wait_us: u64,
        handled_us: u64,
    },
    TicketCreated {
        ticket: TicketRef,
        service: u16,
        origin: Origin,
        owner: Option<u32>,
        customer: Option<u64>,
        reference: u64,
    },
    TicketQueued {
        ticket: TicketRef,
        queue: u16,
    },
    TicketAssigned {
        ticket: TicketRef,
        queue: u16,
        operator: u32,
        wait_us: u64,
    },
    TicketChanged {
        ticket: TicketRef,
        change: Change,
        version: u32,
    },
    SupervisionStarted {
        call: CallRef,
        supervisor: u32,
        operator: u32,
        mode: Supervision,
    },
    SupervisionChanged {
        call: CallRef,
        supervisor: u32,
        mode: Supervision,
    },
    SupervisionEnded {
        call: CallRef,
        supervisor: u32,
        end: EndOfSupervision,
    },
    /// A fact that this version's wire has no name for.
    Unnamed,
}

/// Where a ticket comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    PhoneIn(CallRef),
    PhoneOut(CallRef),
    Chat(ChatRef),
    Voicemail(CallRef),
    Written,
}

/// One line of a ticket's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    Status { from: &'static str, to: &'static str, resolution: Option<&'static str> },
    Owner { from: Option<u32>, to: Option<u32> },
    Priority(u8),
    DialFailed(&'static str),
    Replied(u32),
    CustomerReplied,
    Absorbed(TicketRef),
    MergedInto(TicketRef),
    Linked(TicketRef),
    Rated(u8),
    FirstResponseLate,
    ResolutionLate,
    Returned(u16),
}

impl WireEvent {
    /// The wire form; numbers are shown as `sight` allows.
    #[must_use]
    pub fn of(event: &Event, sight: Sight) -> Self {
        let us = engine::Span::as_micros;
        match *event {
            Event::CallArrived { call, service, reference } => {
                Self::CallArrived { call: call.into(), service: service.0, reference }
            }
            Event::CallRefused { service, reference, cause } => {
                Self::CallRefused { service: service.0, reference, cause: refusal(cause) }
            }
            Event::StepEntered { call, step } => Self::StepEntered { call: call.into(), step: step.0 },
            Event::CallQueued { call, queue, priority } => {
                Self::CallQueued { call: call.into(), queue: queue.0, priority }
            }
            Event::QueueFull { call, queue } => Self::QueueFull { call: call.into(), queue: queue.0 },
            Event::CallFlowedOut { call, queue, how, wait } => Self::CallFlowedOut {
                call: call.into(),
                queue: queue.0,
                how: match how {
                    engine::FlowOut::MaximumWait => "maximum-wait",
                    engine::FlowOut::Cancelled => "cancelled",
                },
                wait_us: us(wait),
            },
            Event::CallRecovered { call, queue } => Self::CallRecovered { call: call.into(), queue: queue.0 },
            Event::NeedsRelaxed { work, steps } => Self::NeedsRelaxed { work: work.into(), steps },
            Event::CallAnswered { call, queue, operator, wait } => {
                Self::CallAnswered { call: call.into(), queue: queue.0, operator: operator.0, wait_us: us(wait) }
            }
            Event::CallResumed { call, queue, operator } => {
                Self::CallResumed { call: call.into(), queue: queue.0, operator: operator.0 }
            }
            Event::CallHeld { call, operator } => Self::CallHeld { call: call.into(), operator: operator.0 },
            Event::CallReleased { call, operator } => Self::CallReleased { call: call.into(), operator: operator.0 },
            Event::ConsultStarted { call, operator, target } => Self::ConsultStarted {
                call: call.into(),
                operator: operator.0,
                target: Party::of(target, sight.numbers),
            },
            Event::ConsultAnswered { call, operator } => {
                Self::ConsultAnswered { call: call.into(), operator: operator.0 }
            }
            Event::ConsultEnded { call, operator, end } => {
                Self::ConsultEnded { call: call.into(), operator: operator.0, end: consult_end(end) }
            }
            Event::CallTransferred { call, from, to, blind } => {
                Self::CallTransferred { call: call.into(), from: from.0, to: Party::of(to, sight.numbers), blind }
            }
            Event::ConferenceStarted { call, operator } => {
                Self::ConferenceStarted { call: call.into(), operator: operator.0 }
            }
            Event::ForcedEndStarted { call, operator, reason } => {
                Self::ForcedEndStarted { call: call.into(), operator: operator.0, reason: reason.into() }
            }
            Event::DialStarted { call, service, operator, callback, reference } => Self::DialStarted {
                call: call.into(),
                service: service.0,
                operator: operator.0,
                callback: callback.map(CallbackRef::from),
                reference,
            },
            Event::DialAnswered { call, operator, rang } => {
                Self::DialAnswered { call: call.into(), operator: operator.0, rang_us: us(rang) }
            }
            Event::CallEnded(record) => Self::CallEnded {
                call: record.call.into(),
                service: record.service.0,
                queue: record.queue.map(|queue| queue.0),
                operator: record.operator.map(|operator| operator.0),
                cause: record.cause.into(),
                arrived_us: record.arrived.as_micros(),
                wait_us: us(record.wait),
                talk_us: us(record.talk),
                hold_us: us(record.hold),
                consult_us: us(record.consult),
            },
            Event::OfferMade { offer, work, operator, queue, until } => Self::OfferMade {
                offer: offer.into(),
                work: work.into(),
                operator: operator.0,
                queue: queue.map(|queue| queue.0),
                until_us: until.as_micros(),
            },
            Event::OfferEnded { offer, work, operator, end, rang } => Self::OfferEnded {
                offer: offer.into(),
                work: work.into(),
                operator: operator.0,
                end: end.into(),
                rang_us: us(rang),
            },
            Event::StatusChanged { operator, from, to, reason, call } => Self::StatusChanged {
                operator: operator.0,
                from: from.into(),
                to: to.into(),
                reason: reason.0,
                call: call.map(CallRef::from),
            },
            Event::ChatStatusChanged { operator, to } => {
                Self::ChatStatusChanged { operator: operator.0, to: to.into() }
            }
            Event::AfterCallPrompt { operator } => Self::AfterCallPrompt { operator: operator.0 },
            Event::CallbackReceived { callback, queue, call, reference } => Self::CallbackReceived {
                callback: callback.into(),
                queue: queue.0,
                call: call.map(CallRef::from),
                reference,
            },
            Event::CallbackEnded { callback, end, attempts } => Self::CallbackEnded {
                callback: callback.into(),
                end: match end {
                    engine::CallbackEnd::Completed => "completed",
                    engine::CallbackEnd::GivenUp => "given-up",
                    engine::CallbackEnd::Cancelled => "cancelled",
                },
                attempts,
            },
            Event::ChatArrived { chat, queue, reference } => {
                Self::ChatArrived { chat: chat.into(), queue: queue.0, reference }
            }
            Event::ChatAnswered { chat, queue, operator, wait } => {
                Self::ChatAnswered { chat: chat.into(), queue: queue.0, operator: operator.0, wait_us: us(wait) }
            }
            Event::ChatTransferred { chat, from, to } => {
                Self::ChatTransferred { chat: chat.into(), from: from.0, to: to.0 }
            }
            Event::ChatTransferredToOperator { chat, from, to, queue } => {
                Self::ChatTransferredToOperator { chat: chat.into(), from: from.0, to: to.0, queue: queue.0 }
            }
            Event::ChatEnded { chat, queue, operator, end, wait, handled } => Self::ChatEnded {
                chat: chat.into(),
                queue: queue.0,
                operator: operator.map(|operator| operator.0),
                end: match end {
                    engine::ChatEnd::Abandoned => "abandoned",
                    engine::ChatEnd::MaximumWait => "maximum-wait",
                    engine::ChatEnd::CustomerLeft => "customer-left",
                    engine::ChatEnd::OperatorEnded => "operator-ended",
                },
                wait_us: us(wait),
                handled_us: us(handled),
            },
            Event::TicketCreated { ticket, service, origin, owner, customer, reference } => Self::TicketCreated {
                ticket: ticket.into(),
                service: service.0,
                origin: match origin {
                    engine::TicketOrigin::PhoneIn(call) => Origin::PhoneIn(call.into()),
                    engine::TicketOrigin::PhoneOut(call) => Origin::PhoneOut(call.into()),
                    engine::TicketOrigin::Chat(chat) => Origin::Chat(chat.into()),
                    engine::TicketOrigin::Voicemail(call) => Origin::Voicemail(call.into()),
                    engine::TicketOrigin::Written => Origin::Written,
                },
                owner: owner.map(|owner| owner.0),
                customer: customer.filter(|_| sight.numbers).map(|customer| customer.0),
                reference,
            },
            Event::TicketQueued { ticket, queue } => Self::TicketQueued { ticket: ticket.into(), queue: queue.0 },
            Event::TicketAssigned { ticket, queue, operator, wait } => {
                Self::TicketAssigned { ticket: ticket.into(), queue: queue.0, operator: operator.0, wait_us: us(wait) }
            }
            Event::TicketChanged { ticket, change, version } => {
                Self::TicketChanged { ticket: ticket.into(), change: line(change), version }
            }
            Event::SupervisionStarted { call, supervisor, operator, mode } => Self::SupervisionStarted {
                call: call.into(),
                supervisor: supervisor.0,
                operator: operator.0,
                mode: mode.into(),
            },
            Event::SupervisionChanged { call, supervisor, mode } => {
                Self::SupervisionChanged { call: call.into(), supervisor: supervisor.0, mode: mode.into() }
            }
            Event::SupervisionEnded { call, supervisor, end } => {
                Self::SupervisionEnded { call: call.into(), supervisor: supervisor.0, end: end.into() }
            }
            _ => Self::Unnamed,
        }
    }
}

const fn consult_end(end: engine::ConsultEnd) -> &'static str {
    match end {
        engine::ConsultEnd::Connected => "connected",
        engine::ConsultEnd::Cancelled => "cancelled",
        engine::ConsultEnd::Declined => "declined",
        engine::ConsultEnd::NoAnswer => "no-answer",
        engine::ConsultEnd::Busy => "busy",
        engine::ConsultEnd::Failed => "failed",
        engine::ConsultEnd::TargetHungUp => "target-hung-up",
        engine::ConsultEnd::CustomerHungUp => "customer-hung-up",
        engine::ConsultEnd::OperatorLeft => "operator-left",
    }
}

const fn ticket_status(status: engine::TicketStatus) -> &'static str {
    match status {
        engine::TicketStatus::New => "new",
        engine::TicketStatus::Open => "open",
        engine::TicketStatus::Pending => "pending",
        engine::TicketStatus::Solved => "solved",
        engine::TicketStatus::Closed => "closed",
    }
}

const fn resolution(resolution: engine::Resolution) -> &'static str {
    match resolution {
        engine::Resolution::Answered => "answered",
        engine::Resolution::ByCall => "by-call",
        engine::Resolution::ByChat => "by-chat",
        engine::Resolution::Spam => "spam",
        engine::Resolution::Abuse => "abuse",
        engine::Resolution::Test => "test",
        engine::Resolution::Duplicate => "duplicate",
    }
}

fn line(change: engine::TicketChange) -> Change {
    use engine::TicketChange as T;
    match change {
        T::Status { from, to, resolution: why } => {
            Change::Status { from: ticket_status(from), to: ticket_status(to), resolution: why.map(resolution) }
        }
        T::Owner { from, to } => Change::Owner { from: from.map(|from| from.0), to: to.map(|to| to.0) },
        T::Priority(priority) => Change::Priority(priority),
        T::DialFailed(fault) => Change::DialFailed(match fault {
            engine::FarEndFault::Busy => "busy",
            engine::FarEndFault::NoAnswer => "no-answer",
            engine::FarEndFault::Failed => "failed",
        }),
        T::Replied(by) => Change::Replied(by.0),
        T::CustomerReplied => Change::CustomerReplied,
        T::Absorbed(ticket) => Change::Absorbed(ticket.into()),
        T::MergedInto(ticket) => Change::MergedInto(ticket.into()),
        T::Linked(ticket) => Change::Linked(ticket.into()),
        T::Rated(score) => Change::Rated(score),
        T::FirstResponseLate => Change::FirstResponseLate,
        T::ResolutionLate => Change::ResolutionLate,
        T::Returned(queue) => Change::Returned(queue.0),
    }
}

/// What an output names: operators, queue, and the live thing that it is about.
#[derive(Clone, Copy, Debug, Default)]
struct Named {
    operators: [Option<OperatorId>; 2],
    queue: Option<QueueId>,
    work: Option<Work>,
}

fn named(output: &Output) -> Named {
    use engine::Action;
    let of = |work: Work| Named { work: Some(work), ..Named::default() };
    let by = |operator: OperatorId, work: Option<Work>| Named { operators: [Some(operator), None], queue: None, work };
    let target = |party: engine::Party| match party {
        engine::Party::Operator(operator) => Some(operator),
        _ => None,
    };
    match *output {
        Output::Event(event) => match event {
            Event::CallArrived { call, .. } | Event::StepEntered { call, .. } => of(Work::Call(call)),
            Event::CallQueued { call, queue, .. }
            | Event::QueueFull { call, queue }
            | Event::CallFlowedOut { call, queue, .. }
            | Event::CallRecovered { call, queue } => Named { queue: Some(queue), ..of(Work::Call(call)) },
            Event::NeedsRelaxed { work, .. } => of(work),
            Event::CallAnswered { call, queue, operator, .. } | Event::CallResumed { call, queue, operator } => {
                Named { queue: Some(queue), ..by(operator, Some(Work::Call(call))) }
            }
            Event::CallHeld { call, operator }
            | Event::CallReleased { call, operator }
            | Event::ConsultAnswered { call, operator }
            | Event::ConsultEnded { call, operator, .. }
            | Event::ConferenceStarted { call, operator }
            | Event::ForcedEndStarted { call, operator, .. }
            | Event::DialStarted { call, operator, .. }
            | Event::DialAnswered { call, operator, .. } => by(operator, Some(Work::Call(call))),
            Event::ConsultStarted { call, operator, target: whom } => {
                Named { operators: [Some(operator), target(whom)], ..of(Work::Call(call)) }
            }
            Event::CallTransferred { call, from, to, .. } => {
                Named { operators: [Some(from), target(to)], ..of(Work::Call(call)) }
            }
            Event::CallEnded(record) => {
                Named { operators: [record.operator, None], queue: record.queue, work: Some(Work::Call(record.call)) }
            }
            Event::OfferMade { work, operator, queue, .. } => Named { queue, ..by(operator, Some(work)) },
            Event::OfferEnded { work, operator, .. } => by(operator, Some(work)),
            Event::StatusChanged { operator, .. }
            | Event::ChatStatusChanged { operator, .. }
            | Event::AfterCallPrompt { operator } => by(operator, None),
            Event::CallbackReceived { callback, queue, .. } => {
                Named { queue: Some(queue), ..of(Work::Callback(callback)) }
            }
            Event::CallbackEnded { callback, .. } => of(Work::Callback(callback)),
            Event::ChatArrived { chat, queue, .. } => Named { queue: Some(queue), ..of(Work::Chat(chat)) },
            Event::ChatAnswered { chat, queue, operator, .. } => {
                Named { queue: Some(queue), ..by(operator, Some(Work::Chat(chat))) }
            }
            Event::ChatTransferred { chat, from, to } => Named { queue: Some(to), ..by(from, Some(Work::Chat(chat))) },
            Event::ChatTransferredToOperator { chat, from, to, queue } => {
                Named { operators: [Some(from), Some(to)], queue: Some(queue), work: Some(Work::Chat(chat)) }
            }
            Event::ChatEnded { chat, queue, operator, .. } => {
                Named { operators: [operator, None], queue: Some(queue), work: Some(Work::Chat(chat)) }
            }
            Event::TicketCreated { ticket, owner, .. } => {
                Named { operators: [owner, None], ..of(Work::Ticket(ticket)) }
            }
            Event::TicketQueued { ticket, queue } => Named { queue: Some(queue), ..of(Work::Ticket(ticket)) },
            Event::TicketAssigned { ticket, queue, operator, .. } => {
                Named { queue: Some(queue), ..by(operator, Some(Work::Ticket(ticket))) }
            }
            Event::TicketChanged { ticket, change, .. } => {
                let operators = match change {
                    engine::TicketChange::Owner { from, to } => [from, to],
                    _ => [None; 2],
                };
                Named { operators, ..of(Work::Ticket(ticket)) }
            }
            Event::SupervisionStarted { supervisor, .. }
            | Event::SupervisionChanged { supervisor, .. }
            | Event::SupervisionEnded { supervisor, .. } => by(supervisor, None),
            _ => Named::default(),
        },
        Output::Action(action) => match action {
            Action::Ring { operator, work, .. } => by(operator, Some(work)),
            Action::StopRinging { operator, .. } => by(operator, None),
            _ => Named::default(),
        },
        _ => Named::default(),
    }
}

/// The service that an output names by itself.
fn service_named(output: &Output, named: &Named, scope: &Scope) -> Option<ServiceId> {
    match *output {
        Output::Event(
            Event::CallArrived { service, .. }
            | Event::CallRefused { service, .. }
            | Event::DialStarted { service, .. }
            | Event::TicketCreated { service, .. },
        ) => Some(service),
        Output::Event(Event::CallEnded(record)) => Some(record.service),
        _ => named.queue.and_then(|queue| scope.queues.get(queue.index())).copied(),
    }
}

/// Remembers the services of what is live, for outputs that do not name one.
#[derive(Debug, Default)]
pub struct Memory {
    services: HashMap<Work, ServiceId>,
}

/// Live things that a listener remembers; more are forgotten all together, which costs it some lines, never a wrong one.
const REMEMBERED: usize = 65_536;

impl Memory {
    /// That something belongs to a service.
    pub fn note(&mut self, work: Work, service: ServiceId) {
        if self.services.len() >= REMEMBERED {
            self.services.clear();
        }
        self.services.insert(work, service);
    }
}

/// What an operator's screen needs to know of the configuration: small, for there is one for each listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scope {
    operator: OperatorId,
    /// Their services.
    own: Vec<ServiceId>,
    /// The service of each queue.
    queues: Vec<ServiceId>,
    /// Of each operator: whether they share a service.
    colleagues: Vec<bool>,
}

impl Scope {
    /// An operator's, as configured now.
    #[must_use]
    pub fn of(config: &EngineConfig, operator: OperatorId) -> Self {
        let own = config.operators.get(operator.index()).map(|own| own.services.clone()).unwrap_or_default();
        let shares = |other: &engine::Operator| other.services.iter().any(|service| own.contains(service));
        let colleagues = config.operators.iter().map(shares).collect();
        Self { operator, colleagues, queues: config.queues.iter().map(|queue| queue.service).collect(), own }
    }
}

/// Whether an operator's screen is shown an output: it names them, or it is about a service of theirs. Orders to the
/// world are shown to nobody but the operator whose device is to ring.
#[must_use]
pub fn concerns(output: &Output, scope: &Scope, memory: &mut Memory) -> bool {
    let named = named(output);
    let service = service_named(output, &named, scope);
    if let (Some(work), Some(service)) = (named.work, service) {
        memory.note(work, service);
    }
    if named.operators.contains(&Some(scope.operator)) {
        return true;
    }
    if matches!(output, Output::Action(_)) || is_supervision(output) {
        return false;
    }
    let service = service.or_else(|| named.work.and_then(|work| memory.services.get(&work).copied()));
    match (service, named.operators[0]) {
        (Some(service), _) => scope.own.contains(&service),
        // Another's status matters to whoever could transfer to them.
        (None, Some(other)) => scope.colleagues.get(other.index()).copied().unwrap_or(false),
        (None, None) => false,
    }
}

/// That a supervisor hears a call: it is told to supervisors, and not to who is heard.
const fn is_supervision(output: &Output) -> bool {
    matches!(
        output,
        Output::Event(
            Event::SupervisionStarted { .. } | Event::SupervisionChanged { .. } | Event::SupervisionEnded { .. }
        )
    )
}

/// The live thing that an output is about, where neither the output nor the memory says whose it is.
#[must_use]
pub fn unknown(output: &Output, scope: &Scope, memory: &Memory) -> Option<Work> {
    let named = named(output);
    let work = named.work.filter(|_| service_named(output, &named, scope).is_none())?;
    (!memory.services.contains_key(&work)).then_some(work)
}

/// Whether the number of a party outside is an operator's own business.
#[must_use]
pub fn is_own(output: &Output, operator: OperatorId) -> bool {
    named(output).operators.contains(&Some(operator))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The variants of an enumeration, read from the engine's own source.
    fn variants(name: &str) -> Vec<String> {
        let source = include_str!("../../../engine/src/output.rs");
        let body = source.split_once(&format!("pub enum {name} {{\n")).unwrap().1.split_once("\n}\n").unwrap().0;
        let is_variant =
            |line: &&str| line.starts_with("    ") && line[4..].starts_with(|c: char| c.is_ascii_uppercase());
        body.lines()
            .filter(is_variant)
            .map(|line| line.trim().split(['{', '(', ',', ' ']).next().unwrap().to_owned())
            .collect()
    }

    /// The engine's enumerations may grow; a variant without a wire form is found here.
    #[test]
    fn every_output_of_the_engine_has_a_wire_form() {
        for (name, own) in [("Event", include_str!("event.rs")), ("Action", include_str!("action.rs"))] {
            let found = variants(name);
            assert!(found.len() >= 10, "{name}: {found:?}");
            for variant in found {
                let arm = format!("{name}::{variant}");
                assert!(own.matches(arm.as_str()).count() >= 1, "{arm} has no wire form");
            }
        }
    }

    #[test]
    fn numbers_outside_are_masked_for_whoever_may_not_see_them() {
        let event = Event::ConsultStarted {
            call: engine::CallId::from_parts(7, 2),
            operator: OperatorId(1),
            target: engine::Party::Number("09012345678".parse().unwrap()),
        };
        let happened = Happened { number: 9, at: engine::Instant::from_micros(5), output: event.into() };
        let text = |numbers| serde_json::to_string(&Message::of(&happened, Sight { numbers })).unwrap();
        assert_eq!(
            text(true),
            r#"{"number":9,"at_us":5,"event":"consult-started","call":"7-2","operator":1,"target":{"number":"09012345678"}}"#
        );
        assert!(text(false).contains(r#""number":"…78""#) && !text(false).contains("0901"));
    }
}
