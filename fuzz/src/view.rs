//! What a host knows from the engine's outputs alone: enough to give plausible commands, and nothing of how the
//! engine works.

use callfloor_engine::{
    Action, CallId, CallbackId, ChatId, Event, LegId, OfferId, OperatorId, Output, Party, Status, TicketChange,
    TicketId, TicketStatus, Work,
};

/// A live offer.
#[derive(Clone, Copy, Debug)]
pub struct SeenOffer {
    /// Its id.
    pub offer: OfferId,
    /// To whom.
    pub operator: OperatorId,
    /// Of what.
    pub work: Work,
}

/// What lives, as told by the outputs so far.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// By operator.
    pub statuses: Vec<Status>,
    /// Live offers.
    pub offers: Vec<SeenOffer>,
    /// Live calls.
    pub calls: Vec<CallId>,
    /// Calls in a flow step that waits for playback, a digit or a far end.
    pub stepping: Vec<CallId>,
    /// Calls whose customer is being dialled.
    pub dialled: Vec<CallId>,
    /// Legs to numbers outside, newest last.
    pub targets: Vec<LegId>,
    /// Calls that an operator has with a customer, as far as is told.
    pub with_operator: Vec<CallId>,
    /// Supervisors whose device is called or who are in a call, with their legs.
    pub supervisors: Vec<(OperatorId, LegId)>,
    /// Chats, with the operator who has them.
    pub chats: Vec<(ChatId, Option<OperatorId>)>,
    /// Tickets that are not Closed, with their versions.
    pub tickets: Vec<(TicketId, u32)>,
    /// Callbacks.
    pub callbacks: Vec<CallbackId>,
    /// Some ids of what is over.
    pub stale_calls: Vec<CallId>,
    /// Some ids of what is over.
    pub stale_offers: Vec<(OfferId, OperatorId)>,
    /// Some ids of what is over.
    pub stale_tickets: Vec<TicketId>,
}

/// Most ids of past things that are kept to be tried again.
const STALE: usize = 8;

fn retire<T>(list: &mut Vec<T>, item: T) {
    if list.len() == STALE {
        list.remove(0);
    }
    list.push(item);
}

impl View {
    /// Nobody is logged in and nothing lives.
    #[must_use]
    pub fn new(operators: usize) -> Self {
        Self { statuses: vec![Status::LoggedOut; operators], ..Self::default() }
    }

    /// There are so many operators now.
    pub fn grow(&mut self, operators: usize) {
        self.statuses.resize(operators, Status::LoggedOut);
    }

    /// Operators in one of these statuses.
    #[must_use]
    pub fn in_status(&self, statuses: &[Status]) -> Vec<OperatorId> {
        (0u32..)
            .zip(&self.statuses)
            .filter(|(_, status)| statuses.contains(status))
            .map(|(at, _)| OperatorId(at))
            .collect()
    }

    /// Takes note of outputs.
    pub fn note(&mut self, outputs: &[Output]) {
        for output in outputs {
            match output {
                Output::Event(event) => self.note_event(event),
                Output::Action(Action::Dial { leg, .. }) if leg.leg == 0 => self.dialled.push(leg.call),
                Output::Action(Action::Dial { leg, .. }) => {
                    retire(&mut self.targets, *leg);
                    self.stepping.push(leg.call);
                }
                Output::Action(Action::CallSupervisor { operator, leg }) => self.supervisors.push((*operator, *leg)),
                Output::Action(Action::HangUp { leg }) => {
                    self.targets.retain(|target| target != leg);
                    self.supervisors.retain(|(_, theirs)| theirs != leg);
                }
                _ => {}
            }
        }
    }

    fn note_event(&mut self, event: &Event) {
        match *event {
            Event::StatusChanged { operator, to, .. } => self.statuses[operator.index()] = to,
            Event::CallArrived { call, .. } => self.calls.push(call),
            Event::DialStarted { call, .. } => self.calls.push(call),
            Event::StepEntered { call, .. } if !self.stepping.contains(&call) => self.stepping.push(call),
            Event::CallQueued { call, .. } => self.stepping.retain(|&c| c != call),
            Event::DialAnswered { call, .. } => {
                self.dialled.retain(|&c| c != call);
                self.with_operator.push(call);
            }
            Event::CallAnswered { call, .. } | Event::CallResumed { call, .. } => self.with_operator.push(call),
            Event::CallRecovered { call, .. } => self.with_operator.retain(|&c| c != call),
            Event::CallTransferred { call, to: Party::Number(_) | Party::Queue(_), .. } => {
                self.with_operator.retain(|&c| c != call);
            }
            Event::SupervisionEnded { supervisor, .. } => self.supervisors.retain(|&(who, _)| who != supervisor),
            Event::CallEnded(record) => {
                self.calls.retain(|&c| c != record.call);
                self.stepping.retain(|&c| c != record.call);
                self.dialled.retain(|&c| c != record.call);
                self.with_operator.retain(|&c| c != record.call);
                retire(&mut self.stale_calls, record.call);
            }
            Event::OfferMade { offer, work, operator, .. } => self.offers.push(SeenOffer { offer, operator, work }),
            Event::OfferEnded { offer, operator, .. } => {
                self.offers.retain(|seen| seen.offer != offer);
                retire(&mut self.stale_offers, (offer, operator));
            }
            Event::ChatArrived { chat, .. } => self.chats.push((chat, None)),
            Event::ChatAnswered { chat, operator, .. } => self.chat(chat, Some(operator)),
            Event::ChatTransferred { chat, .. } | Event::ChatTransferredToOperator { chat, .. } => {
                self.chat(chat, None)
            }
            Event::ChatEnded { chat, .. } => self.chats.retain(|&(c, _)| c != chat),
            Event::CallbackReceived { callback, .. } => self.callbacks.push(callback),
            Event::CallbackEnded { callback, .. } => self.callbacks.retain(|&c| c != callback),
            Event::TicketCreated { ticket, .. } => self.tickets.push((ticket, 1)),
            Event::TicketChanged { ticket, change, version } => {
                let closed = matches!(
                    change,
                    TicketChange::Status { to: TicketStatus::Closed, .. } | TicketChange::MergedInto(_)
                );
                if closed {
                    self.tickets.retain(|&(t, _)| t != ticket);
                    retire(&mut self.stale_tickets, ticket);
                }
                for seen in &mut self.tickets {
                    if seen.0 == ticket {
                        seen.1 = version;
                    }
                }
            }
            _ => {}
        }
    }

    fn chat(&mut self, chat: ChatId, operator: Option<OperatorId>) {
        for seen in &mut self.chats {
            if seen.0 == chat {
                seen.1 = operator;
            }
        }
    }
}
