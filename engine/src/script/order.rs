//! Timed commands of a script: sentences into [`Command`]s, whose live things are still names.

use alloc::borrow::ToOwned;
use alloc::boxed::Box;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::ScriptError;
use super::floor::Draft;
use super::words::{Cursor, Statement, Word};
use crate::command::{
    ChatStatus, Command, ConsultTarget, DeviceFault, FarEndFault, ForcedEndReason, Resolution, Supervision,
    TicketStatus, TicketTarget, TransferTarget,
};
use crate::config::{EngineConfig, StatusChoice};
use crate::id::{
    CallId, CallbackId, ChatId, CustomerId, LegId, OfferId, OperatorId, ServiceId, SkillId, StepId, TicketId,
};
use crate::number::PhoneNumber;
use crate::time::Instant;

/// What the host does at one moment.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) at: Instant,
    pub(super) line: u32,
    /// The sentence, without its time.
    pub(super) text: String,
    pub(super) act: Act,
}

#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Apply a command; what it makes has this name.
    Do(Command, Option<(Kind, String)>),
    /// Let time pass until here.
    Wait,
    /// Throw the engine away and go on from its snapshot.
    Restart,
    /// Ask why a contact waits or who could take it.
    Explain(Work),
}

/// Which contact is explained: a symbol like those in commands.
#[derive(Clone, Copy, Debug)]
pub(super) enum Work {
    Call(CallId),
    Chat(ChatId),
    Ticket(TicketId),
    Callback(CallbackId),
}

/// A kind of live thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Call,
    Chat,
    Ticket,
    Callback,
    Offer,
}

impl Kind {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Call => "call",
            Self::Chat => "chat",
            Self::Ticket => "ticket",
            Self::Callback => "callback",
            Self::Offer => "offer",
        }
    }
}

/// What a symbol in a command stands for.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    /// The thing of this name.
    Named(Kind, String),
    /// The last offer made to an operator.
    OfferTo(OperatorId),
    /// The last offer of a thing to an operator.
    OfferOf(OperatorId, Kind, String),
}

/// The slot that makes an id a symbol: its number is a place in [`Orders::meanings`].
pub(super) const SYMBOL: u32 = u32::MAX;
/// The leg number that stands for the last leg dialled for the call.
pub(super) const TARGET: u16 = u16::MAX;
/// The leg number that stands for the last leg of a supervisor in the call.
pub(super) const SUPERVISOR: u16 = u16::MAX - 1;

/// The orders of a script and what their symbols stand for.
#[derive(Clone, Debug, Default)]
pub(super) struct Orders {
    pub(super) all: Vec<Order>,
    pub(super) meanings: Vec<Meaning>,
    /// Names given by the script itself.
    pub(super) given: BTreeSet<(Kind, String)>,
}

/// A live id inside a command.
pub(super) enum Live<'a> {
    Call(&'a mut CallId),
    Chat(&'a mut ChatId),
    Ticket(&'a mut TicketId),
    Callback(&'a mut CallbackId),
    Offer(&'a mut OfferId),
    Leg(&'a mut LegId),
}

/// Shows every live id of a command.
pub(super) fn live_ids(command: &mut Command, mut see: impl FnMut(Live<'_>)) {
    match command {
        Command::Answer { offer, .. }
        | Command::Decline { offer, .. }
        | Command::OfferFailed { offer, .. }
        | Command::WithdrawOffer { offer } => see(Live::Offer(offer)),
        Command::ChangePriority { call, .. }
        | Command::ChangeSkill { call, .. }
        | Command::CustomerHungUp { call }
        | Command::DigitPressed { call, .. }
        | Command::PlaybackFinished { call }
        | Command::CustomerAnswered { call }
        | Command::DialFailed { call, .. }
        | Command::Supervise { call, .. } => see(Live::Call(call)),
        Command::TargetAnswered { leg }
        | Command::TargetFailed { leg, .. }
        | Command::TargetHungUp { leg }
        | Command::SupervisorJoined { leg } => {
            see(Live::Leg(leg));
        }
        Command::CancelCallback { callback } => see(Live::Callback(callback)),
        Command::CustomerLeftChat { chat }
        | Command::EndChat { chat, .. }
        | Command::TransferChat { chat, .. }
        | Command::TransferChatToOperator { chat, .. } => {
            see(Live::Chat(chat));
        }
        Command::PullTicket { ticket, .. }
        | Command::ForwardTicket { ticket, .. }
        | Command::SetTicketStatus { ticket, .. }
        | Command::SetTicketPriority { ticket, .. }
        | Command::ReplyToTicket { ticket, .. }
        | Command::CustomerReplied { ticket }
        | Command::FinishTicketWork { ticket, .. }
        | Command::RateTicket { ticket, .. } => see(Live::Ticket(ticket)),
        Command::MergeTickets { into, from } => {
            see(Live::Ticket(into));
            see(Live::Ticket(from));
        }
        Command::LinkTickets { ticket, other } => {
            see(Live::Ticket(ticket));
            see(Live::Ticket(other));
        }
        Command::Reconfigure(_)
        | Command::LogIn { .. }
        | Command::LogOut { .. }
        | Command::SetStatus { .. }
        | Command::SetNextStatus { .. }
        | Command::SetChatStatus { .. }
        | Command::DeviceLost { .. }
        | Command::DeviceRestored { .. }
        | Command::Dial { .. }
        | Command::HangUp { .. }
        | Command::Hold { .. }
        | Command::Release { .. }
        | Command::Consult { .. }
        | Command::ConnectCustomer { .. }
        | Command::CancelConsult { .. }
        | Command::Conference { .. }
        | Command::BlindTransfer { .. }
        | Command::ForceEnd { .. }
        | Command::TakeOver { .. }
        | Command::CallArrived { .. }
        | Command::CallbackRequested { .. }
        | Command::ChatArrived { .. }
        | Command::TicketArrived { .. } => {}
    }
}

/// What may follow the `->` of something that arrives.
#[derive(Default)]
struct Arrival {
    step: Option<StepId>,
    customer: Option<CustomerId>,
    from: Option<PhoneNumber>,
    to: Option<PhoneNumber>,
    queue: Option<crate::id::QueueId>,
    priority: u8,
    preferred: Option<OperatorId>,
    reference: Option<u64>,
}

impl Orders {
    /// Reads the statements that begin with `t=`.
    pub(super) fn read(draft: &mut Draft, statements: &[Statement]) -> Result<Self, ScriptError> {
        let mut orders = Self::default();
        let mut now = Instant::ZERO;
        for statement in statements {
            let mut words = Cursor::new(&statement.words);
            words.need("t")?;
            words.need("=")?;
            let here = words.clone();
            now = orders.time(now, &mut words)?;
            if orders.all.last().is_some_and(|last| now < last.at) {
                return Err(here.fail("a time that is not before the line above"));
            }
            let rest = &statement.words[3..];
            for sentence in rest.split(|word| word.is(";")) {
                let Some(first) = sentence.first() else {
                    return Err(words.fail("a command"));
                };
                let mut words = Cursor::new(sentence);
                let act = if words.eat("reconfigure") {
                    if words.eat("anew") {
                        *draft = Draft { audio: draft.audio.clone(), reasons: draft.reasons.clone(), ..Draft::new() };
                    }
                    words.finish()?;
                    let config: EngineConfig = draft.read(&statement.block)?;
                    Act::Do(Command::Reconfigure(Box::new(config)), None)
                } else {
                    let act = orders.act(draft, &mut words)?;
                    words.finish()?;
                    act
                };
                orders.all.push(Order { at: now, line: first.line, text: sentence_text(sentence), act });
            }
        }
        Ok(orders)
    }

    /// `15`, or `+5`: so long after the line above.
    fn time(&self, now: Instant, words: &mut Cursor<'_>) -> Result<Instant, ScriptError> {
        if let Some(word) = words.peek()
            && let Some(later) = word.text.strip_prefix('+')
        {
            let word = [Word { text: later.to_owned(), ..word.clone() }];
            let mut inner = Cursor::new(&word);
            let at = now + inner.span("a time after the line above")?;
            words.next();
            return Ok(at);
        }
        words.instant("a time")
    }

    fn symbol(&mut self, meaning: Meaning) -> u32 {
        self.meanings.push(meaning);
        u32::try_from(self.meanings.len() - 1).unwrap_or(u32::MAX)
    }

    fn call(&mut self, words: &mut Cursor<'_>) -> Result<CallId, ScriptError> {
        words.need("call")?;
        let name = words.text("a call's name")?;
        Ok(CallId::from_parts(self.symbol(Meaning::Named(Kind::Call, name.to_owned())), SYMBOL))
    }

    fn chat(&mut self, words: &mut Cursor<'_>) -> Result<ChatId, ScriptError> {
        words.need("chat")?;
        let name = words.text("a chat's name")?;
        Ok(ChatId::from_parts(self.symbol(Meaning::Named(Kind::Chat, name.to_owned())), SYMBOL))
    }

    fn ticket(&mut self, words: &mut Cursor<'_>) -> Result<TicketId, ScriptError> {
        words.need("ticket")?;
        let name = words.text("a ticket's name")?;
        Ok(TicketId::from_parts(self.symbol(Meaning::Named(Kind::Ticket, name.to_owned())), SYMBOL))
    }

    fn callback(&mut self, words: &mut Cursor<'_>) -> Result<CallbackId, ScriptError> {
        words.need("callback")?;
        let name = words.text("a callback's name")?;
        Ok(CallbackId::from_parts(self.symbol(Meaning::Named(Kind::Callback, name.to_owned())), SYMBOL))
    }

    /// `offer 3`, or `offer of operator 1`.
    fn offer(&mut self, draft: &Draft, words: &mut Cursor<'_>) -> Result<OfferId, ScriptError> {
        words.need("offer")?;
        let meaning = if words.eat("of") {
            words.need("operator")?;
            Meaning::OfferTo(draft.operator_id(words)?)
        } else {
            Meaning::Named(Kind::Offer, words.text("an offer's number, or \"of operator …\"")?.to_owned())
        };
        Ok(OfferId::from_parts(self.symbol(meaning), SYMBOL))
    }

    /// What an operator answers or declines: nothing more, an offer, or what is offered.
    fn offered(&mut self, operator: OperatorId, words: &mut Cursor<'_>) -> Result<OfferId, ScriptError> {
        let meaning = if words.is_done() {
            Meaning::OfferTo(operator)
        } else {
            let kind = words.one_of(&[
                ("offer", Kind::Offer),
                ("call", Kind::Call),
                ("chat", Kind::Chat),
                ("ticket", Kind::Ticket),
                ("callback", Kind::Callback),
            ])?;
            let name = words.text("its name")?.to_owned();
            if kind == Kind::Offer { Meaning::Named(kind, name) } else { Meaning::OfferOf(operator, kind, name) }
        };
        Ok(OfferId::from_parts(self.symbol(meaning), SYMBOL))
    }

    fn version(words: &mut Cursor<'_>) -> Result<Option<u32>, ScriptError> {
        if words.eat("version") { words.small("a version", u32::MAX.into()).map(Some) } else { Ok(None) }
    }

    fn act(&mut self, draft: &Draft, words: &mut Cursor<'_>) -> Result<Act, ScriptError> {
        #[derive(Clone, Copy)]
        enum Head {
            Log,
            Operator,
            Call,
            Target,
            Leg,
            Supervisor,
            Offer,
            Withdraw,
            Chat,
            Ticket,
            Callback,
            Cancel,
            Wait,
            Restart,
            Explain,
        }
        let begin = words.clone();
        let head = words.one_of(&[
            ("operator", Head::Operator),
            ("call", Head::Call),
            ("chat", Head::Chat),
            ("ticket", Head::Ticket),
            ("callback", Head::Callback),
            ("offer", Head::Offer),
            ("withdraw", Head::Withdraw),
            ("cancel", Head::Cancel),
            ("target", Head::Target),
            ("leg", Head::Leg),
            ("supervisor", Head::Supervisor),
            ("log", Head::Log),
            ("wait", Head::Wait),
            ("restart", Head::Restart),
            ("explain", Head::Explain),
        ])?;
        let command = match head {
            Head::Operator => {
                let operator = draft.operator_id(words)?;
                return self.operator(draft, operator, words);
            }
            Head::Call => return self.call_verb(draft, &begin, words),
            Head::Chat => return self.chat_verb(draft, &begin, words),
            Head::Ticket => return self.ticket_verb(draft, &begin, words),
            Head::Callback => return self.callback_verb(draft, &begin, words),
            Head::Log => {
                let enter = words.one_of(&[("in", true), ("out", false)])?;
                words.need("operator")?;
                let operator = draft.operator_id(words)?;
                if enter { Command::LogIn { operator } } else { Command::LogOut { operator } }
            }
            Head::Offer => {
                *words = begin;
                let offer = self.offer(draft, words)?;
                let cause = words.one_of(&[("fails", DeviceFault::Failed), ("busy", DeviceFault::Busy)])?;
                Command::OfferFailed { offer, cause }
            }
            Head::Withdraw => Command::WithdrawOffer { offer: self.offer(draft, words)? },
            Head::Cancel => Command::CancelCallback { callback: self.callback(words)? },
            Head::Supervisor => {
                words.need("of")?;
                let leg = LegId { call: self.call(words)?, leg: SUPERVISOR };
                words.need("joins")?;
                Command::SupervisorJoined { leg }
            }
            Head::Target | Head::Leg => {
                let number = if matches!(head, Head::Leg) {
                    words.small("a leg's number", u64::from(SUPERVISOR - 1))?
                } else {
                    TARGET
                };
                words.need("of")?;
                let leg = LegId { call: self.call(words)?, leg: number };
                match words.one_of(&[("answers", 0), ("fails", 1), ("hangs", 2), ("joins", 3)])? {
                    0 => Command::TargetAnswered { leg },
                    1 => Command::TargetFailed { leg, cause: fault(words)? },
                    3 => Command::SupervisorJoined { leg },
                    _ => {
                        words.need("up")?;
                        Command::TargetHungUp { leg }
                    }
                }
            }
            Head::Wait => return Ok(Act::Wait),
            Head::Restart => return Ok(Act::Restart),
            Head::Explain => {
                return Ok(Act::Explain(match words.peek().map(|word| word.text.as_str()) {
                    Some("chat") => Work::Chat(self.chat(words)?),
                    Some("ticket") => Work::Ticket(self.ticket(words)?),
                    Some("callback") => Work::Callback(self.callback(words)?),
                    _ => Work::Call(self.call(words)?),
                }));
            }
        };
        Ok(Act::Do(command, None))
    }

    fn operator(&mut self, draft: &Draft, operator: OperatorId, words: &mut Cursor<'_>) -> Result<Act, ScriptError> {
        #[derive(Clone, Copy)]
        enum Verb {
            Logs,
            Choose,
            Next,
            Chats,
            Loses,
            Regains,
            Answers,
            Declines,
            Dials,
            Hangs,
            Holds,
            Releases,
            Consults,
            Connects,
            Cancels,
            Joins,
            Transfers,
            Forces,
            Ends,
            Pulls,
            Replies,
            Finishes,
            Supervises(Supervision),
            Takes,
        }
        let begin = words.clone();
        let command = match words.one_of(&[
            ("answers", Verb::Answers),
            ("declines", Verb::Declines),
            ("ready", Verb::Choose),
            ("work", Verb::Choose),
            ("break", Verb::Choose),
            ("next", Verb::Next),
            ("logs", Verb::Logs),
            ("hangs", Verb::Hangs),
            ("holds", Verb::Holds),
            ("releases", Verb::Releases),
            ("consults", Verb::Consults),
            ("connects", Verb::Connects),
            ("cancels", Verb::Cancels),
            ("joins", Verb::Joins),
            ("transfers", Verb::Transfers),
            ("forces", Verb::Forces),
            ("dials", Verb::Dials),
            ("chats", Verb::Chats),
            ("ends", Verb::Ends),
            ("pulls", Verb::Pulls),
            ("replies", Verb::Replies),
            ("finishes", Verb::Finishes),
            ("loses", Verb::Loses),
            ("regains", Verb::Regains),
            ("listens", Verb::Supervises(Supervision::Listen)),
            ("whispers", Verb::Supervises(Supervision::Whisper)),
            ("barges", Verb::Supervises(Supervision::Barge)),
            ("takes", Verb::Takes),
        ])? {
            Verb::Logs => {
                if words.one_of(&[("in", true), ("out", false)])? {
                    Command::LogIn { operator }
                } else {
                    Command::LogOut { operator }
                }
            }
            Verb::Choose => {
                *words = begin;
                Command::SetStatus { operator, to: draft.choice(words)? }
            }
            Verb::Next => {
                let next: Option<StatusChoice> = if words.eat("none") { None } else { Some(draft.choice(words)?) };
                Command::SetNextStatus { operator, next }
            }
            Verb::Chats => Command::SetChatStatus {
                operator,
                to: words.one_of(&[("available", ChatStatus::Available), ("away", ChatStatus::Away)])?,
            },
            Verb::Loses => {
                words.need("device")?;
                Command::DeviceLost { operator }
            }
            Verb::Regains => {
                words.need("device")?;
                Command::DeviceRestored { operator }
            }
            Verb::Answers => Command::Answer { operator, offer: self.offered(operator, words)? },
            Verb::Declines => Command::Decline { operator, offer: self.offered(operator, words)? },
            Verb::Dials => return self.dial(draft, operator, words),
            Verb::Hangs => {
                words.need("up")?;
                Command::HangUp { operator }
            }
            Verb::Holds => Command::Hold { operator },
            Verb::Releases => Command::Release { operator },
            Verb::Consults => Command::Consult {
                operator,
                target: match words.one_of(&[("operator", 0), ("number", 1), ("favourite", 2)])? {
                    0 => ConsultTarget::Operator(draft.operator_id(words)?),
                    1 => ConsultTarget::Number(words.phone("whom")?),
                    _ => ConsultTarget::Favourite(favourite(draft, words)?),
                },
            },
            Verb::Connects => {
                words.need("customer")?;
                Command::ConnectCustomer { operator }
            }
            Verb::Cancels => {
                words.need("consult")?;
                Command::CancelConsult { operator }
            }
            Verb::Joins => {
                words.need("conference")?;
                Command::Conference { operator }
            }
            Verb::Transfers if words.peek().is_some_and(|word| word.is("chat")) => {
                let chat = self.chat(words)?;
                words.need("to")?;
                match words.one_of(&[("queue", 0), ("operator", 1)])? {
                    0 => Command::TransferChat { operator, chat, to: draft.queue_id(words)? },
                    _ => Command::TransferChatToOperator { operator, chat, to: draft.operator_id(words)? },
                }
            }
            Verb::Transfers => {
                words.need("to")?;
                Command::BlindTransfer {
                    operator,
                    target: match words.one_of(&[("operator", 0), ("number", 1), ("queue", 2)])? {
                        0 => TransferTarget::Operator(draft.operator_id(words)?),
                        1 => TransferTarget::Number(words.phone("to whom")?),
                        _ => TransferTarget::Queue(draft.queue_id(words)?),
                    },
                }
            }
            Verb::Forces => {
                words.need("end")?;
                let reason = words.one_of(&[
                    ("abuse", ForcedEndReason::Abuse),
                    ("threat", ForcedEndReason::Threat),
                    ("other", ForcedEndReason::Other),
                ])?;
                let announcement = if words.eat("audio") { Some(draft.audio(words)?) } else { None };
                Command::ForceEnd { operator, reason, announcement }
            }
            Verb::Ends => Command::EndChat { operator, chat: self.chat(words)? },
            Verb::Pulls => {
                let ticket = self.ticket(words)?;
                Command::PullTicket { operator, ticket, version: Self::version(words)? }
            }
            Verb::Replies => {
                words.need("to")?;
                Command::ReplyToTicket { ticket: self.ticket(words)?, by: operator }
            }
            Verb::Finishes => Command::FinishTicketWork { operator, ticket: self.ticket(words)? },
            Verb::Supervises(mode) => {
                words.need(if mode == Supervision::Barge { "into" } else { "to" })?;
                Command::Supervise { operator, call: self.call(words)?, mode }
            }
            Verb::Takes => {
                words.need("over")?;
                Command::TakeOver { operator }
            }
        };
        Ok(Act::Do(command, None))
    }

    /// `operator 1 dials +81901 from +8131 for shop as call 8 customer 5 reference 9`.
    fn dial(&mut self, draft: &Draft, operator: OperatorId, words: &mut Cursor<'_>) -> Result<Act, ScriptError> {
        let to = words.phone("the customer's number")?;
        let (mut service, mut from, mut customer, mut reference, mut name) = (None, None, None, None, None);
        while !words.is_done() {
            match words.one_of(&[("from", 0), ("for", 1), ("as", 2), ("customer", 3), ("reference", 4)])? {
                0 => from = Some(words.phone("an outgoing number")?),
                1 => service = Some(draft.service_id(words)?),
                2 => {
                    words.need("call")?;
                    name = Some(words.text("the new call's name")?.to_owned());
                }
                3 => customer = Some(CustomerId(words.number("a customer", 0, u64::MAX)?)),
                _ => reference = Some(words.number("a reference", 0, u64::MAX)?),
            }
        }
        let Some(from) = from else {
            return Err(words.fail("\"from\" and an outgoing number"));
        };
        let service = match service {
            Some(service) => service,
            None => draft
                .floor
                .operators
                .get(operator.index())
                .and_then(|operator| operator.services.first().copied())
                .ok_or_else(|| words.fail("\"for\" and a service"))?,
        };
        let reference = reference.unwrap_or_else(|| number_of(name.as_deref()));
        let command = Command::Dial { operator, service, to, from, customer, reference };
        self.create(Kind::Call, name, command, words)
    }

    fn create(
        &mut self,
        kind: Kind,
        name: Option<String>,
        command: Command,
        words: &Cursor<'_>,
    ) -> Result<Act, ScriptError> {
        if let Some(name) = &name
            && !self.given.insert((kind, name.clone()))
        {
            return Err(words.fail(format!("another name: {} {name} was named above", kind.word())));
        }
        Ok(Act::Do(command, name.map(|name| (kind, name))))
    }

    fn arrival(&self, draft: &Draft, options: &[&str], words: &mut Cursor<'_>) -> Result<Arrival, ScriptError> {
        let mut arrival = Arrival::default();
        while !words.is_done() {
            let choices: Vec<(&str, &str)> = options.iter().map(|&option| (option, option)).collect();
            match words.one_of(&choices)? {
                "customer" => arrival.customer = Some(CustomerId(words.number("a customer", 0, u64::MAX)?)),
                "from" => arrival.from = Some(words.phone("the caller's number")?),
                "to" => arrival.to = Some(words.phone("the number to call")?),
                "queue" => arrival.queue = Some(draft.queue_id(words)?),
                "priority" => arrival.priority = words.small("a priority", u8::MAX.into())?,
                "prefers" => {
                    words.need("operator")?;
                    arrival.preferred = Some(draft.operator_id(words)?);
                }
                _ => arrival.reference = Some(words.number("a reference", 0, u64::MAX)?),
            }
        }
        Ok(arrival)
    }

    /// The name before `->`, if that is what comes.
    fn arriving(words: &mut Cursor<'_>) -> Option<Option<String>> {
        let mut ahead = words.clone();
        let name = if ahead.eat("->") {
            None
        } else {
            let name = ahead.next()?.text.clone();
            if !ahead.eat("->") {
                return None;
            }
            Some(name)
        };
        *words = ahead;
        Some(name)
    }

    fn call_verb<'w>(&mut self, draft: &Draft, begin: &Cursor<'w>, words: &mut Cursor<'w>) -> Result<Act, ScriptError> {
        if let Some(name) = Self::arriving(words) {
            let service: ServiceId = draft.service_id(words)?;
            let step = if words.eat("step") { Some(draft.step_id(service.index(), words)?) } else { None };
            let options = ["customer", "from", "priority", "prefers", "reference"];
            let arrival = Arrival { step, ..self.arrival(draft, &options, words)? };
            let command = Command::CallArrived {
                service,
                entry: arrival.step.unwrap_or(StepId(0)),
                customer: arrival.customer,
                from: arrival.from,
                priority: arrival.priority,
                preferred: arrival.preferred,
                reference: arrival.reference.unwrap_or_else(|| number_of(name.as_deref())),
            };
            return self.create(Kind::Call, name, command, words);
        }
        *words = begin.clone();
        let call = self.call(words)?;
        let command = match words.one_of(&[
            ("hangs", 0),
            ("presses", 1),
            ("playback", 2),
            ("answers", 3),
            ("fails", 4),
            ("priority", 5),
            ("needs", 6),
            ("->", 7),
        ])? {
            0 => {
                words.need("up")?;
                Command::CustomerHungUp { call }
            }
            1 => Command::DigitPressed { call, digit: words.key()? },
            2 => {
                words.need("ends")?;
                Command::PlaybackFinished { call }
            }
            3 => Command::CustomerAnswered { call },
            4 => Command::DialFailed { call, cause: fault(words)? },
            5 => Command::ChangePriority { call, priority: words.small("a priority", u8::MAX.into())? },
            _ => {
                let need = draft.need(words, 0)?;
                let skill: SkillId = need.skill;
                Command::ChangeSkill { call, skill, min: need.min }
            }
        };
        Ok(Act::Do(command, None))
    }

    fn chat_verb<'w>(&mut self, draft: &Draft, begin: &Cursor<'w>, words: &mut Cursor<'w>) -> Result<Act, ScriptError> {
        if let Some(name) = Self::arriving(words) {
            let queue = draft.queue_id(words)?;
            let arrival = self.arrival(draft, &["customer", "priority", "prefers", "reference"], words)?;
            let command = Command::ChatArrived {
                queue,
                customer: arrival.customer,
                priority: arrival.priority,
                preferred: arrival.preferred,
                reference: arrival.reference.unwrap_or_else(|| number_of(name.as_deref())),
            };
            return self.create(Kind::Chat, name, command, words);
        }
        *words = begin.clone();
        let chat = self.chat(words)?;
        words.one_of(&[("leaves", ())])?;
        Ok(Act::Do(Command::CustomerLeftChat { chat }, None))
    }

    fn callback_verb<'w>(
        &mut self,
        draft: &Draft,
        begin: &Cursor<'w>,
        words: &mut Cursor<'w>,
    ) -> Result<Act, ScriptError> {
        let Some(name) = Self::arriving(words) else {
            *words = begin.clone();
            self.callback(words)?;
            return Err(words.fail("\"->\" and a queue"));
        };
        let queue = draft.queue_id(words)?;
        let arrival = self.arrival(draft, &["to", "customer", "priority", "reference"], words)?;
        let Some(to) = arrival.to else {
            return Err(words.fail("\"to\" and the number to call"));
        };
        let command = Command::CallbackRequested {
            queue,
            to,
            customer: arrival.customer,
            priority: arrival.priority,
            reference: arrival.reference.unwrap_or_else(|| number_of(name.as_deref())),
        };
        self.create(Kind::Callback, name, command, words)
    }

    fn ticket_verb<'w>(
        &mut self,
        draft: &Draft,
        begin: &Cursor<'w>,
        words: &mut Cursor<'w>,
    ) -> Result<Act, ScriptError> {
        if let Some(name) = Self::arriving(words) {
            let service = draft.service_id(words)?;
            let arrival = self.arrival(draft, &["queue", "customer", "priority", "reference"], words)?;
            let command = Command::TicketArrived {
                service,
                queue: arrival.queue,
                customer: arrival.customer,
                priority: arrival.priority,
                reference: arrival.reference.unwrap_or_else(|| number_of(name.as_deref())),
            };
            return self.create(Kind::Ticket, name, command, words);
        }
        *words = begin.clone();
        let ticket = self.ticket(words)?;
        let command = match words.one_of(&[
            ("forwarded", 0),
            ("new", 1),
            ("open", 2),
            ("pending", 3),
            ("solved", 4),
            ("closed", 5),
            ("priority", 6),
            ("customer", 7),
            ("absorbs", 8),
            ("links", 9),
            ("rated", 10),
            ("->", 11),
        ])? {
            0 => {
                words.need("to")?;
                let to = match words.one_of(&[("operator", 0), ("queue", 1), ("nobody", 2)])? {
                    0 => TicketTarget::Operator(draft.operator_id(words)?),
                    1 => TicketTarget::Queue(draft.queue_id(words)?),
                    _ => TicketTarget::Unassigned,
                };
                Command::ForwardTicket { ticket, to, version: Self::version(words)? }
            }
            which @ 1..=5 => {
                let status = [
                    TicketStatus::New,
                    TicketStatus::Open,
                    TicketStatus::Pending,
                    TicketStatus::Solved,
                    TicketStatus::Closed,
                ][which - 1];
                let (mut by, mut resolution, mut version) = (None, Resolution::Answered, None);
                while !words.is_done() {
                    match words.one_of(&[("by", 0), ("as", 1), ("version", 2)])? {
                        0 => {
                            words.need("operator")?;
                            by = Some(draft.operator_id(words)?);
                        }
                        1 => resolution = words.one_of(&RESOLUTIONS)?,
                        _ => version = Some(words.small("a version", u32::MAX.into())?),
                    }
                }
                Command::SetTicketStatus { ticket, by, status, resolution, version }
            }
            6 => {
                let priority = words.small("a priority", u8::MAX.into())?;
                Command::SetTicketPriority { ticket, priority, version: Self::version(words)? }
            }
            7 => {
                words.need("replies")?;
                Command::CustomerReplied { ticket }
            }
            8 => Command::MergeTickets { into: ticket, from: self.ticket(words)? },
            9 => Command::LinkTickets { ticket, other: self.ticket(words)? },
            _ => Command::RateTicket { ticket, score: words.small("a score", u8::MAX.into())? },
        };
        Ok(Act::Do(command, None))
    }
}

/// Words of the resolutions.
pub(super) const RESOLUTIONS: [(&str, Resolution); 7] = [
    ("answered", Resolution::Answered),
    ("by-call", Resolution::ByCall),
    ("by-chat", Resolution::ByChat),
    ("spam", Resolution::Spam),
    ("abuse", Resolution::Abuse),
    ("test", Resolution::Test),
    ("duplicate", Resolution::Duplicate),
];

fn fault(words: &mut Cursor<'_>) -> Result<FarEndFault, ScriptError> {
    words.one_of(&[("busy", FarEndFault::Busy), ("no-answer", FarEndFault::NoAnswer), ("failed", FarEndFault::Failed)])
}

/// A favourite by its number, or by its name in the first service that has it.
fn favourite(draft: &Draft, words: &mut Cursor<'_>) -> Result<u16, ScriptError> {
    if let Some(number) = words.peek().and_then(|word| word.text.parse().ok()) {
        words.next();
        return Ok(number);
    }
    let all = draft.floor.services.iter().flat_map(|service| (0u16..).zip(&service.favourites));
    let at = words.known("favourite, by its number or name", all.clone().map(|(_, favourite)| &*favourite.name))?;
    Ok(all.map(|(number, _)| number).nth(at).unwrap_or(0))
}

/// A name that is a number is also the reference.
fn number_of(name: Option<&str>) -> u64 {
    name.and_then(|name| name.parse().ok()).unwrap_or(0)
}

fn sentence_text(words: &[Word]) -> String {
    let mut text = String::new();
    for word in words {
        let tight = matches!(word.text.as_str(), "," | "=" | ">=") && word.kind == super::words::WordKind::Mark;
        let after = text.ends_with(['=']);
        if !text.is_empty() && !tight && !after {
            text.push(' ');
        }
        if word.kind == super::words::WordKind::Quoted {
            text.push_str(&super::words::name(&word.text));
        } else if word.text == super::words::NEW_LINE {
            text.truncate(text.trim_end().len());
        } else {
            text.push_str(&word.text.to_string());
        }
    }
    text
}
