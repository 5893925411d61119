//! What a host may see of what lives: plain copies, made on request. Screens are derived from these and from events,
//! and from nothing else.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::call::{Call, Stage, TargetParty};
use crate::chat::{Callback, Chat};
use crate::command::{ChatStatus, Supervision, TicketStatus};
use crate::config::StatusChoice;
use crate::desk::Offer;
use crate::engine::Engine;
use crate::id::{
    CallId, CallbackId, ChatId, CustomerId, LegId, OfferId, OperatorId, QueueId, ReasonId, ServiceId, StepId, TicketId,
};
use crate::number::PhoneNumber;
use crate::output::{Party, TicketOrigin, Work};
use crate::status::Status;
use crate::ticket::Ticket;
use crate::time::{Instant, Span};

/// An operator, as they are now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorView {
    /// Who.
    pub operator: OperatorId,
    /// The phone's status.
    pub status: Status,
    /// Its reason, in Work and Break.
    pub reason: ReasonId,
    /// Since when.
    pub since: Instant,
    /// The status for chats.
    pub chat_status: ChatStatus,
    /// Whether the device is lost.
    pub device_lost: bool,
    /// The call in hand, rung for, or handled after.
    pub call: Option<CallId>,
    /// The phone offer that rings.
    pub offer: Option<OfferId>,
    /// The status that follows when the ticket is handled.
    pub next: Option<StatusChoice>,
    /// The ticket of after-call work.
    pub ticket: Option<TicketId>,
    /// Chats in hand.
    pub chats: Vec<ChatId>,
    /// Tickets worked on by assignment.
    pub tickets: Vec<TicketId>,
    /// Calls answered since login.
    pub calls: u32,
    /// Time in each status since login, until `since`; in the order of [`Status::ALL`].
    pub times: [Span; 10],
}

/// Where a live call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallPlace {
    /// In a step of the flow.
    Flow,
    /// The flow dials another number for the customer.
    Forwarding,
    /// In a queue and waiting.
    Waiting,
    /// In a queue and ringing at one or more operators.
    Ringing,
    /// The customer is being dialled.
    Dialing,
    /// Handed on without asking: the target rings.
    BlindRinging,
    /// Customer and operator are connected.
    Talking,
    /// The customer is on hold.
    Holding,
    /// Customer, operator and target are joined.
    Conference,
    /// The customer is connected to a number outside.
    Outside,
    /// The customer is gone; operator and target still talk.
    Internal,
    /// The announcement of a forced end is playing.
    Ending,
}

/// A consulted, transferred-to or forwarded-to party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetView {
    /// Who.
    pub party: Party,
    /// Their leg.
    pub leg: LegId,
    /// Whether they answered.
    pub answered: bool,
}

/// A supervisor in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SupervisorView {
    /// Who.
    pub operator: OperatorId,
    /// Their leg.
    pub leg: LegId,
    /// Who hears them.
    pub mode: Supervision,
    /// Whether their device has answered.
    pub joined: bool,
}

/// A live call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallView {
    /// Which.
    pub call: CallId,
    /// The service.
    pub service: ServiceId,
    /// The customer's record.
    pub customer: Option<CustomerId>,
    /// The customer's number.
    pub number: Option<PhoneNumber>,
    /// Whether we dialled it.
    pub outbound: bool,
    /// Where it is.
    pub place: CallPlace,
    /// 0 is ordinary; greater is more urgent.
    pub priority: u8,
    /// The flow step that it is at, or was queued from.
    pub step: StepId,
    /// The queue that it was last presented to.
    pub queue: Option<QueueId>,
    /// When it was first queued.
    pub queued: Option<Instant>,
    /// The operator who has it.
    pub operator: Option<OperatorId>,
    /// Their leg.
    pub operator_leg: Option<LegId>,
    /// Whom they consult or hand on to.
    pub target: Option<TargetView>,
    /// The supervisor who is in it, or whose device is called.
    pub supervisor: Option<SupervisorView>,
    /// Its ticket.
    pub ticket: Option<TicketId>,
    /// The callback that it serves.
    pub callback: Option<CallbackId>,
    /// When it came, or was dialled.
    pub arrived: Instant,
}

/// A live chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatView {
    /// Which.
    pub chat: ChatId,
    /// Its queue.
    pub queue: QueueId,
    /// The customer's record.
    pub customer: Option<CustomerId>,
    /// 0 is ordinary; greater is more urgent.
    pub priority: u8,
    /// Who has it; `None` while it waits.
    pub operator: Option<OperatorId>,
    /// Its ticket.
    pub ticket: Option<TicketId>,
    /// When it was last queued.
    pub queued: Instant,
}

/// A live callback.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackView {
    /// Which.
    pub callback: CallbackId,
    /// Its queue.
    pub queue: QueueId,
    /// The number to call.
    pub to: PhoneNumber,
    /// The customer's record.
    pub customer: Option<CustomerId>,
    /// 0 is ordinary; greater is more urgent.
    pub priority: u8,
    /// When it was queued.
    pub queued: Instant,
    /// Dials made.
    pub attempts: u8,
    /// The dial that is going on.
    pub call: Option<CallId>,
}

/// A ticket that is not Closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketView {
    /// Which.
    pub ticket: TicketId,
    /// The service.
    pub service: ServiceId,
    /// Where it comes from.
    pub origin: TicketOrigin,
    /// The customer's record.
    pub customer: Option<CustomerId>,
    /// Whose it is.
    pub owner: Option<OperatorId>,
    /// Where it stands.
    pub status: TicketStatus,
    /// 0 is ordinary; greater is more urgent.
    pub priority: u8,
    /// Raised by every change.
    pub version: u32,
    /// The live call whose ticket it is.
    pub call: Option<CallId>,
    /// The live chat whose ticket it is.
    pub chat: Option<ChatId>,
    /// The queue that assigns it.
    pub queue: Option<QueueId>,
    /// Who works on it by assignment.
    pub worked_by: Option<OperatorId>,
}

/// A live offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferView {
    /// Which.
    pub offer: OfferId,
    /// What is offered.
    pub work: Work,
    /// To whom.
    pub operator: OperatorId,
    /// From which queue; `None` for a consult or a blind transfer to an operator.
    pub queue: Option<QueueId>,
    /// Since when it rings.
    pub made: Instant,
    /// The last moment is just before this one.
    pub until: Instant,
}

/// How full a queue is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueView {
    /// Waiting, not ringing.
    pub waiting: u32,
    /// Ringing at one or more operators.
    pub ringing: u32,
    /// Of both, callbacks.
    pub callbacks: u32,
    /// Since when the first of them is in the queue.
    pub oldest: Option<Instant>,
}

/// Something in a queue, waiting or ringing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineView {
    /// What.
    pub work: Work,
    /// 0 is ordinary; greater is more urgent.
    pub priority: u8,
    /// Since when it is in the queue.
    pub queued: Instant,
    /// Operators at whom it rings; 0 while it waits.
    pub ringing: u32,
}

impl Engine {
    /// One operator; `None` where the configuration has no such.
    #[must_use]
    pub fn operator(&self, operator: OperatorId) -> Option<OperatorView> {
        let desk = self.desks.get(operator.index())?;
        Some(OperatorView {
            operator,
            status: desk.status,
            reason: desk.reason,
            since: desk.since,
            chat_status: desk.chat_status,
            device_lost: desk.device_lost,
            call: desk.call,
            offer: desk.offer,
            next: desk.next,
            ticket: desk.wrap_up,
            chats: desk.chats.clone(),
            tickets: desk.tickets.clone(),
            calls: desk.calls,
            times: desk.times,
        })
    }

    /// Whether somebody is there for a queue's chats: a member who is available for chats, neither logged out nor on a break; busy or
    /// not. Where nobody is, a host asks the customer to write instead: no chat arrives that would wait for nobody.
    #[must_use]
    pub fn is_attended(&self, queue: QueueId) -> bool {
        self.config.operators.iter().zip(&self.desks).any(|(person, desk)| {
            desk.chat_status == ChatStatus::Available
                && !matches!(desk.status, Status::LoggedOut | Status::Break)
                && person.queues.iter().any(|of| of.queue == queue)
        })
    }

    /// One live call.
    #[must_use]
    pub fn call(&self, call: CallId) -> Option<CallView> {
        self.calls.get(call).map(|found| self.view_call(call, found))
    }

    /// Every live call, in no order that means anything.
    pub fn calls(&self) -> impl Iterator<Item = CallView> {
        self.calls.iter().map(|(call, found)| self.view_call(call, found))
    }

    /// One live chat.
    #[must_use]
    pub fn chat(&self, chat: ChatId) -> Option<ChatView> {
        self.chats.get(chat).map(|found| view_chat(chat, found))
    }

    /// Every live chat, in no order that means anything.
    pub fn chats(&self) -> impl Iterator<Item = ChatView> {
        self.chats.iter().map(|(chat, found)| view_chat(chat, found))
    }

    /// One live callback.
    #[must_use]
    pub fn callback(&self, callback: CallbackId) -> Option<CallbackView> {
        self.callbacks.get(callback).map(|found| view_callback(callback, found))
    }

    /// Every live callback, in no order that means anything.
    pub fn callbacks(&self) -> impl Iterator<Item = CallbackView> {
        self.callbacks.iter().map(|(callback, found)| view_callback(callback, found))
    }

    /// One ticket that is not Closed.
    #[must_use]
    pub fn ticket(&self, ticket: TicketId) -> Option<TicketView> {
        self.tickets.get(ticket).map(|found| view_ticket(ticket, found))
    }

    /// Every ticket that is not Closed, in no order that means anything.
    pub fn tickets(&self) -> impl Iterator<Item = TicketView> {
        self.tickets.iter().map(|(ticket, found)| view_ticket(ticket, found))
    }

    /// One live offer.
    #[must_use]
    pub fn offer(&self, offer: OfferId) -> Option<OfferView> {
        self.offers.get(offer).map(|found| self.view_offer(offer, found))
    }

    /// Every live offer, in no order that means anything.
    pub fn offers(&self) -> impl Iterator<Item = OfferView> {
        self.offers.iter().map(|(offer, found)| self.view_offer(offer, found))
    }

    fn view_call(&self, id: CallId, call: &Call) -> CallView {
        let ringing = || {
            call.place.is_some_and(|place| !self.places[place].is_waiting() && !self.places[place].offers.is_empty())
        };
        let target = call.target.map(|target| TargetView {
            party: match target.who {
                TargetParty::Operator(operator, _) => Party::Operator(operator),
                TargetParty::Number(number) => Party::Number(number),
            },
            leg: id.leg(target.leg),
            answered: target.answered,
        });
        CallView {
            call: id,
            service: call.service,
            customer: call.customer,
            number: call.number,
            outbound: call.outbound,
            place: match call.stage {
                Stage::Flow => CallPlace::Flow,
                Stage::Forwarding => CallPlace::Forwarding,
                Stage::Queued if ringing() => CallPlace::Ringing,
                Stage::Queued => CallPlace::Waiting,
                Stage::Dialing => CallPlace::Dialing,
                Stage::BlindRinging => CallPlace::BlindRinging,
                Stage::Talking => CallPlace::Talking,
                Stage::Holding => CallPlace::Holding,
                Stage::Conference => CallPlace::Conference,
                Stage::Outside { .. } => CallPlace::Outside,
                Stage::Internal => CallPlace::Internal,
                Stage::Ending(_) => CallPlace::Ending,
            },
            priority: call.priority,
            step: call.step,
            queue: call.queue,
            queued: call.queued.map(|(at, _)| at),
            operator: call.operator,
            operator_leg: call.operator.map(|_| id.leg(call.operator_leg)),
            target,
            supervisor: call.supervisor.map(|supervisor| SupervisorView {
                operator: supervisor.operator,
                leg: id.leg(supervisor.leg),
                mode: supervisor.mode,
                joined: supervisor.joined,
            }),
            ticket: call.ticket,
            callback: call.callback,
            arrived: call.arrived,
        }
    }

    fn view_offer(&self, id: OfferId, offer: &Offer) -> OfferView {
        OfferView {
            offer: id,
            work: offer.work,
            operator: offer.operator,
            queue: offer.place.map(|place| self.places[place].queue),
            made: offer.made,
            until: self.deadlines.at(offer.timer).unwrap_or(Instant::MAX),
        }
    }

    /// How full every queue is, in their order. O(n) in all that waits anywhere.
    #[must_use]
    pub fn queues(&self) -> Vec<QueueView> {
        let mut queues = alloc::vec![QueueView::default(); self.config.queues.len()];
        for (_, place) in self.places.iter() {
            let queue = &mut queues[place.queue.index()];
            if place.is_waiting() {
                queue.waiting += 1;
            } else {
                queue.ringing += 1;
            }
            queue.callbacks += u32::from(matches!(place.work, Work::Callback(_)));
            queue.oldest = Some(queue.oldest.map_or(place.queued_at, |oldest| oldest.min(place.queued_at)));
        }
        queues
    }

    /// What is in a queue, waiting or ringing, in the order in which it is served. O(n log n) in all that waits anywhere.
    #[must_use]
    pub fn line(&self, queue: QueueId) -> Vec<LineView> {
        let mut line: Vec<_> =
            self.places.iter().map(|(_, place)| place).filter(|place| place.queue == queue).collect();
        line.sort_by_key(|place| place.key);
        let view = |place: &crate::place::Place| LineView {
            work: place.work,
            priority: place.priority,
            queued: place.queued_at,
            ringing: crate::routing::small(place.offers.len()),
        };
        line.into_iter().map(view).collect()
    }
}

const fn view_chat(id: ChatId, chat: &Chat) -> ChatView {
    ChatView {
        chat: id,
        queue: chat.queue,
        customer: chat.customer,
        priority: chat.priority,
        operator: chat.operator,
        ticket: chat.ticket,
        queued: chat.queued_at,
    }
}

const fn view_callback(id: CallbackId, callback: &Callback) -> CallbackView {
    CallbackView {
        callback: id,
        queue: callback.queue,
        to: callback.to,
        customer: callback.customer,
        priority: callback.priority,
        queued: callback.queued_at,
        attempts: callback.attempts,
        call: callback.call,
    }
}

const fn view_ticket(id: TicketId, ticket: &Ticket) -> TicketView {
    TicketView {
        ticket: id,
        service: ticket.service,
        origin: ticket.origin,
        customer: ticket.customer,
        owner: ticket.owner,
        status: ticket.status,
        priority: ticket.priority,
        version: ticket.version,
        call: ticket.call,
        chat: ticket.chat,
        queue: ticket.queue,
        worked_by: ticket.worked_by,
    }
}
