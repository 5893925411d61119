//! Chats: the same queues and skills as calls, several at once by capacity.

use crate::chat::Chat;
use crate::command::ChatStatus;
use crate::config::Channel;
use crate::desk::lane;
use crate::engine::{Engine, Outcome};
use crate::id::{ChatId, CustomerId, OperatorId, QueueId};
use crate::output::{ChatEnd, Event, OfferEnd, TicketOrigin, Work};
use crate::queueing::Entry;
use crate::rejection::{Object, Rejection};
use crate::routing::Needs;
use crate::status::Status;
use crate::time::Span;

impl Engine {
    pub(crate) fn chat_arrived(
        &mut self,
        queue: QueueId,
        customer: Option<CustomerId>,
        priority: u8,
        preferred: Option<OperatorId>,
        reference: u64,
    ) -> Outcome {
        self.chat_queue(queue)?;
        self.room_for_chat(queue)?;
        let chat = self.chats.insert(Chat {
            queue,
            customer,
            priority,
            place: None,
            queued_at: self.now,
            operator: None,
            ticket: None,
            answered_at: self.now,
            answered: false,
            wait: Span::ZERO,
            handled: Span::ZERO,
        });
        self.emit(Event::ChatArrived { chat, queue, reference });
        self.queue_chat(chat, queue, preferred, false);
        Ok(())
    }

    fn chat_queue(&self, queue: QueueId) -> Outcome {
        self.known_queue(queue)?;
        if self.config.queues[queue.index()].channel == Channel::Chat {
            Ok(())
        } else {
            Err(Rejection::WrongChannel { queue, asked: Channel::Chat })
        }
    }

    fn room_for_chat(&self, queue: QueueId) -> Outcome {
        if self.is_full(queue, &Needs::NONE) { Err(Rejection::QueueFull(queue)) } else { Ok(()) }
    }

    fn queue_chat(&mut self, chat: ChatId, queue: QueueId, preferred: Option<OperatorId>, head: bool) {
        let priority = self.chats[chat].priority;
        let work = Work::Chat(chat);
        let (place, kept) =
            self.enqueue(Entry { work, queue, priority, needs: Needs::NONE, kept: None, head, preferred });
        let found = &mut self.chats[chat];
        found.queue = queue;
        found.place = Some(place);
        found.queued_at = kept.0;
    }

    pub(crate) fn chat_answered(&mut self, chat: ChatId, operator: OperatorId, wait: Span) {
        let now = self.now;
        let found = &mut self.chats[chat];
        found.place = None;
        found.operator = Some(operator);
        found.answered_at = now;
        if !core::mem::replace(&mut found.answered, true) {
            found.wait = wait;
        }
        let (queue, ticket, customer, priority) = (found.queue, found.ticket, found.customer, found.priority);
        self.desks[operator.index()].chats.push(chat);
        self.emit(Event::ChatAnswered { chat, queue, operator, wait });
        match ticket {
            Some(ticket) => self.change_owner(ticket, Some(operator)),
            None => {
                let service = self.config.queues[queue.index()].service;
                let origin = TicketOrigin::Chat(chat);
                let ticket = self.create_ticket(service, origin, Some(operator), customer, priority, 0);
                self.tickets[ticket].chat = Some(chat);
                self.chats[chat].ticket = Some(ticket);
            }
        }
        self.touch(operator);
    }

    /// The chat, if it is with this operator.
    fn own_chat(&self, operator: OperatorId, chat: ChatId) -> Outcome {
        self.known_operator(operator)?;
        let object = Object::Chat(chat);
        match self.chats.get(chat) {
            None => Err(Rejection::Unknown(object)),
            Some(found) if found.operator == Some(operator) => Ok(()),
            Some(_) => Err(Rejection::NotWithOperator { operator, object }),
        }
    }

    /// The operator no longer has the chat.
    fn leave_chat(&mut self, chat: ChatId) {
        let now = self.now;
        let found = &mut self.chats[chat];
        if let Some(operator) = found.operator.take() {
            found.handled += now - found.answered_at;
            self.desks[operator.index()].chats.retain(|&held| held != chat);
            self.touch(operator);
        }
    }

    fn finish_chat(&mut self, chat: ChatId, end: ChatEnd) {
        let operator = self.chats[chat].operator;
        self.leave_chat(chat);
        let gone = self.chats.remove(chat).expect("a chat ends once");
        let Chat { queue, wait, handled, .. } = gone;
        self.emit(Event::ChatEnded { chat, queue, operator, end, wait, handled });
        if let Some(ticket) = gone.ticket {
            self.chat_of_ticket_ended(ticket);
        }
    }

    pub(crate) fn end_chat(&mut self, operator: OperatorId, chat: ChatId) -> Outcome {
        self.own_chat(operator, chat)?;
        self.finish_chat(chat, ChatEnd::OperatorEnded);
        Ok(())
    }

    pub(crate) fn customer_left_chat(&mut self, chat: ChatId) -> Outcome {
        let Some(found) = self.chats.get(chat) else { return Err(Rejection::Unknown(Object::Chat(chat))) };
        let answered = found.answered;
        if let Some(place) = found.place {
            self.stop_all_offers(place, OfferEnd::Abandoned);
            let wait = self.now - self.leave_while_waiting(place);
            let found = &mut self.chats[chat];
            found.place = None;
            if !answered {
                found.wait = wait;
            }
        }
        self.finish_chat(chat, if answered { ChatEnd::CustomerLeft } else { ChatEnd::Abandoned });
        Ok(())
    }

    pub(crate) fn chat_waited_too_long(&mut self, chat: ChatId) {
        let now = self.now;
        let found = &mut self.chats[chat];
        found.place = None;
        if !found.answered {
            found.wait = now - found.queued_at;
        }
        self.finish_chat(chat, ChatEnd::MaximumWait);
    }

    pub(crate) fn transfer_chat(&mut self, operator: OperatorId, chat: ChatId, to: QueueId) -> Outcome {
        self.own_chat(operator, chat)?;
        self.chat_queue(to)?;
        self.room_for_chat(to)?;
        self.leave_chat(chat);
        self.emit(Event::ChatTransferred { chat, from: operator, to });
        self.queue_chat(chat, to, None, true);
        Ok(())
    }

    pub(crate) fn transfer_chat_to(&mut self, operator: OperatorId, chat: ChatId, to: OperatorId) -> Outcome {
        self.own_chat(operator, chat)?;
        self.can_be_given_a_chat(operator, to)?;
        let queue = self.chats[chat].queue;
        self.leave_chat(chat);
        self.emit(Event::ChatTransferredToOperator { chat, from: operator, to, queue });
        self.queue_chat(chat, queue, None, true);
        let place = self.chats[chat].place.expect("it waits now");
        self.keep_for(place, to);
        Ok(())
    }

    /// Whether a chat can be rung at `to` at once.
    fn can_be_given_a_chat(&self, operator: OperatorId, to: OperatorId) -> Outcome {
        self.known_operator(to)?;
        if to == operator {
            return Err(Rejection::TargetIsSelf(operator));
        }
        if !self.router.channels_of(to)[lane(Channel::Chat)] {
            return Err(Rejection::TargetServesNoChats(to));
        }
        let (chats, status) = (self.desks[to.index()].chat_status, self.desks[to.index()].status);
        if chats == ChatStatus::Away || status == Status::Break {
            return Err(Rejection::TargetNotThereForChats { target: to, chats, status });
        }
        if self.is_eligible(to, Channel::Chat) { Ok(()) } else { Err(Rejection::TargetFull(to)) }
    }
}
