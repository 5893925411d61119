//! Ids in commands and events. An engine's id is a running number and a slot of an arena; when steps are left out, the
//! same number may live in another slot.

use callfloor_engine::{
    Action, CallId, CallbackId, ChatId, Command, Event, OfferId, Output, TicketChange, TicketId, TicketOrigin, Work,
};

/// One id inside a command, event or rejection.
#[derive(Debug)]
pub(crate) enum Id<'a> {
    Call(&'a mut CallId),
    Chat(&'a mut ChatId),
    Ticket(&'a mut TicketId),
    Callback(&'a mut CallbackId),
    Offer(&'a mut OfferId),
}

/// The slots that the engine gave to each number, by kind.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slots {
    by_kind: [Vec<u32>; 5],
}

const NONE: u32 = u32::MAX;

impl Id<'_> {
    fn parts(&self) -> (usize, u32, u32) {
        match self {
            Self::Call(id) => (0, id.number(), id.slot()),
            Self::Chat(id) => (1, id.number(), id.slot()),
            Self::Ticket(id) => (2, id.number(), id.slot()),
            Self::Callback(id) => (3, id.number(), id.slot()),
            Self::Offer(id) => (4, id.number(), id.slot()),
        }
    }

    fn set_slot(&mut self, slot: u32) {
        match self {
            Self::Call(id) => **id = CallId::from_parts(id.number(), slot),
            Self::Chat(id) => **id = ChatId::from_parts(id.number(), slot),
            Self::Ticket(id) => **id = TicketId::from_parts(id.number(), slot),
            Self::Callback(id) => **id = CallbackId::from_parts(id.number(), slot),
            Self::Offer(id) => **id = OfferId::from_parts(id.number(), slot),
        }
    }
}

impl Slots {
    fn known(&self, kind: usize, number: u32) -> Option<u32> {
        self.by_kind[kind].get(number as usize).copied().filter(|&slot| slot != NONE)
    }

    /// Learns the slots of new ids from outputs.
    pub(crate) fn learn(&mut self, outputs: &[Output]) {
        for output in outputs {
            let mut event = match output {
                Output::Event(event) => *event,
                Output::Action(Action::Ring { offer, .. }) => {
                    self.note(&Id::Offer(&mut offer.clone()));
                    continue;
                }
                _ => continue,
            };
            in_event(&mut event, |id| self.note(&id));
        }
    }

    fn note(&mut self, id: &Id<'_>) {
        let (kind, number, slot) = id.parts();
        let list = &mut self.by_kind[kind];
        let at = number as usize;
        if at >= list.len() {
            list.resize(at + 1, NONE);
        }
        if list[at] == NONE {
            list[at] = slot;
        }
    }

    /// The model's form of an id: it knows numbers alone, so slot 0 stands for the right slot and 1 for a wrong one.
    pub(crate) fn bare(&self, mut id: Id<'_>) {
        let (kind, number, slot) = id.parts();
        let right = self.known(kind, number).is_none_or(|known| known == slot);
        id.set_slot(u32::from(!right));
    }

    /// The engine's id of the ticket with this number.
    pub(crate) fn ticket(&self, number: u32) -> TicketId {
        TicketId::from_parts(number, self.known(2, number).unwrap_or(NONE))
    }

    /// The engine's form of an id: the slot in which its number lives in this run.
    pub(crate) fn relocate(&self, mut id: Id<'_>) {
        let (kind, number, _) = id.parts();
        if let Some(slot) = self.known(kind, number) {
            id.set_slot(slot);
        }
    }
}

fn in_work<'a>(work: &'a mut Work, f: &mut impl FnMut(Id<'a>)) {
    match work {
        Work::Call(id) => f(Id::Call(id)),
        Work::Chat(id) => f(Id::Chat(id)),
        Work::Ticket(id) => f(Id::Ticket(id)),
        Work::Callback(id) => f(Id::Callback(id)),
    }
}

/// Every id of a command.
pub(crate) fn in_command<'a>(command: &'a mut Command, mut f: impl FnMut(Id<'a>)) {
    match command {
        Command::Answer { offer, .. }
        | Command::Decline { offer, .. }
        | Command::OfferFailed { offer, .. }
        | Command::WithdrawOffer { offer } => f(Id::Offer(offer)),
        Command::ChangePriority { call, .. }
        | Command::ChangeSkill { call, .. }
        | Command::CustomerHungUp { call }
        | Command::DigitPressed { call, .. }
        | Command::PlaybackFinished { call }
        | Command::CustomerAnswered { call }
        | Command::DialFailed { call, .. }
        | Command::Supervise { call, .. } => f(Id::Call(call)),
        Command::TargetAnswered { leg }
        | Command::TargetFailed { leg, .. }
        | Command::TargetHungUp { leg }
        | Command::SupervisorJoined { leg } => {
            f(Id::Call(&mut leg.call));
        }
        Command::CancelCallback { callback } => f(Id::Callback(callback)),
        Command::CustomerLeftChat { chat }
        | Command::EndChat { chat, .. }
        | Command::TransferChat { chat, .. }
        | Command::TransferChatToOperator { chat, .. } => {
            f(Id::Chat(chat));
        }
        Command::PullTicket { ticket, .. }
        | Command::ForwardTicket { ticket, .. }
        | Command::SetTicketStatus { ticket, .. }
        | Command::SetTicketPriority { ticket, .. }
        | Command::ReplyToTicket { ticket, .. }
        | Command::CustomerReplied { ticket }
        | Command::FinishTicketWork { ticket, .. }
        | Command::RateTicket { ticket, .. } => f(Id::Ticket(ticket)),
        Command::MergeTickets { into: one, from: other } | Command::LinkTickets { ticket: one, other } => {
            f(Id::Ticket(one));
            f(Id::Ticket(other));
        }
        _ => {}
    }
}

/// Every id of an event.
pub(crate) fn in_event<'a>(event: &'a mut Event, mut f: impl FnMut(Id<'a>)) {
    match event {
        Event::CallArrived { call, .. }
        | Event::StepEntered { call, .. }
        | Event::CallQueued { call, .. }
        | Event::QueueFull { call, .. }
        | Event::CallFlowedOut { call, .. }
        | Event::CallRecovered { call, .. }
        | Event::CallAnswered { call, .. }
        | Event::CallResumed { call, .. }
        | Event::CallHeld { call, .. }
        | Event::CallReleased { call, .. }
        | Event::ConsultStarted { call, .. }
        | Event::ConsultAnswered { call, .. }
        | Event::ConsultEnded { call, .. }
        | Event::CallTransferred { call, .. }
        | Event::ConferenceStarted { call, .. }
        | Event::ForcedEndStarted { call, .. }
        | Event::SupervisionStarted { call, .. }
        | Event::SupervisionChanged { call, .. }
        | Event::SupervisionEnded { call, .. }
        | Event::DialAnswered { call, .. } => f(Id::Call(call)),
        Event::DialStarted { call, callback, .. } => {
            f(Id::Call(call));
            if let Some(callback) = callback {
                f(Id::Callback(callback));
            }
        }
        Event::CallEnded(record) => f(Id::Call(&mut record.call)),
        Event::NeedsRelaxed { work, .. } => in_work(work, &mut f),
        Event::OfferMade { offer, work, .. } | Event::OfferEnded { offer, work, .. } => {
            f(Id::Offer(offer));
            in_work(work, &mut f);
        }
        Event::StatusChanged { call: Some(call), .. } => f(Id::Call(call)),
        Event::CallbackReceived { callback, call, .. } => {
            f(Id::Callback(callback));
            if let Some(call) = call {
                f(Id::Call(call));
            }
        }
        Event::CallbackEnded { callback, .. } => f(Id::Callback(callback)),
        Event::ChatArrived { chat, .. }
        | Event::ChatAnswered { chat, .. }
        | Event::ChatTransferred { chat, .. }
        | Event::ChatTransferredToOperator { chat, .. }
        | Event::ChatEnded { chat, .. } => f(Id::Chat(chat)),
        Event::TicketCreated { ticket, origin, .. } => {
            f(Id::Ticket(ticket));
            match origin {
                TicketOrigin::PhoneIn(call) | TicketOrigin::PhoneOut(call) | TicketOrigin::Voicemail(call) => {
                    f(Id::Call(call));
                }
                TicketOrigin::Chat(chat) => f(Id::Chat(chat)),
                TicketOrigin::Written => {}
            }
        }
        Event::TicketQueued { ticket, .. } | Event::TicketAssigned { ticket, .. } => f(Id::Ticket(ticket)),
        Event::TicketChanged { ticket, change, .. } => {
            f(Id::Ticket(ticket));
            if let TicketChange::Absorbed(id) | TicketChange::MergedInto(id) | TicketChange::Linked(id) = change {
                f(Id::Ticket(id));
            }
        }
        _ => {}
    }
}
