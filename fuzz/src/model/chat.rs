//! Chats: the same queues and skills as calls, several at once by capacity.

use callfloor_engine::{
    Channel, ChatEnd, ChatId, CustomerId, Event, Instant, OfferEnd, OperatorId, QueueId, Span, TicketId, TicketOrigin,
    Work,
};

use super::Model;

#[derive(Clone, Copy, Debug)]
pub(super) struct Chat {
    pub(super) id: ChatId,
    pub(super) queue: QueueId,
    customer: Option<CustomerId>,
    priority: u8,
    pub(super) operator: Option<OperatorId>,
    ticket: Option<TicketId>,
    answered_at: Instant,
    answered: bool,
    wait: Span,
    handled: Span,
}

impl Model {
    /// A chat queue with room for one more.
    fn chat_queue_with_room(&self, queue: QueueId) -> Option<()> {
        let chats = self.floor.queues.get(queue.index())?.channel == Channel::Chat;
        (chats && !self.is_full(queue, &[])).then_some(())
    }

    pub(super) fn chat_arrived(
        &mut self,
        queue: QueueId,
        customer: Option<CustomerId>,
        priority: u8,
        preferred: Option<OperatorId>,
        reference: u64,
    ) -> Option<()> {
        self.chat_queue_with_room(queue)?;
        self.made.chats += 1;
        let chat = ChatId::from_parts(self.made.chats, 0);
        self.chats.push(Chat {
            id: chat,
            queue,
            customer,
            priority,
            operator: None,
            ticket: None,
            answered_at: self.now,
            answered: false,
            wait: Span::ZERO,
            handled: Span::ZERO,
        });
        self.say(Event::ChatArrived { chat, queue, reference });
        let _ = self.begin_waiting(Work::Chat(chat), queue, priority, Vec::new(), None, false, preferred);
        Some(())
    }

    pub(super) fn chat_answered(&mut self, chat: ChatId, operator: OperatorId, wait: Span) {
        let now = self.now;
        let found = self.chat(chat);
        (found.operator, found.answered_at) = (Some(operator), now);
        if !core::mem::replace(&mut found.answered, true) {
            found.wait = wait;
        }
        let Chat { queue, ticket, customer, priority, .. } = *found;
        self.say(Event::ChatAnswered { chat, queue, operator, wait });
        if let Some(ticket) = ticket {
            self.change_owner(ticket, Some(operator));
        } else {
            let service = self.floor.queues[queue.index()].service;
            let ticket = self.make_ticket(service, TicketOrigin::Chat(chat), Some(operator), customer, priority, 0);
            self.ticket(ticket).chat = Some(chat);
            self.chat(chat).ticket = Some(ticket);
        }
        self.notice(operator);
    }

    fn own_chat(&self, operator: OperatorId, chat: ChatId) -> Option<()> {
        self.known_operator(operator)?;
        (self.find_chat(chat)?.operator == Some(operator)).then_some(())
    }

    /// The operator no longer has it.
    fn leave_chat(&mut self, chat: ChatId) {
        let now = self.now;
        let found = self.chat(chat);
        if let Some(operator) = found.operator.take() {
            found.handled += now - found.answered_at;
            self.notice(operator);
        }
    }

    fn chat_over(&mut self, chat: ChatId, end: ChatEnd) {
        let operator = self.chat(chat).operator;
        self.leave_chat(chat);
        let Chat { queue, wait, handled, ticket, .. } = *self.chat(chat);
        self.chats.retain(|found| found.id != chat);
        self.say(Event::ChatEnded { chat, queue, operator, end, wait, handled });
        if let Some(ticket) = ticket {
            self.chat_of_ticket_over(ticket);
        }
    }

    pub(super) fn end_chat(&mut self, operator: OperatorId, chat: ChatId) -> Option<()> {
        self.own_chat(operator, chat)?;
        self.chat_over(chat, ChatEnd::OperatorEnded);
        Some(())
    }

    pub(super) fn customer_left_chat(&mut self, chat: ChatId) -> Option<()> {
        let answered = self.find_chat(chat)?.answered;
        let work = Work::Chat(chat);
        if self.find_spot(work).is_some() {
            self.stop_ringing(work, OfferEnd::Abandoned);
            let wait = self.leave_queue(work);
            if !answered {
                self.chat(chat).wait = wait;
            }
        }
        self.chat_over(chat, if answered { ChatEnd::CustomerLeft } else { ChatEnd::Abandoned });
        Some(())
    }

    pub(super) fn chat_waited_too_long(&mut self, chat: ChatId, wait: Span) {
        let found = self.chat(chat);
        if !found.answered {
            found.wait = wait;
        }
        self.chat_over(chat, ChatEnd::MaximumWait);
    }

    /// It waits in another queue, before all others of its priority.
    pub(super) fn transfer_chat(&mut self, operator: OperatorId, chat: ChatId, to: QueueId) -> Option<()> {
        self.own_chat(operator, chat)?;
        self.chat_queue_with_room(to)?;
        self.leave_chat(chat);
        self.say(Event::ChatTransferred { chat, from: operator, to });
        let found = self.chat(chat);
        found.queue = to;
        let priority = found.priority;
        let _ = self.begin_waiting(Work::Chat(chat), to, priority, Vec::new(), None, true, None);
        Some(())
    }

    /// It rings one operator who is free for it, and waits as any other that is handed on where they let it go by.
    pub(super) fn transfer_chat_to(&mut self, operator: OperatorId, chat: ChatId, to: OperatorId) -> Option<()> {
        self.own_chat(operator, chat)?;
        self.known_operator(to)?;
        if to == operator || !self.is_free(to, Channel::Chat) {
            return None;
        }
        self.leave_chat(chat);
        let Chat { queue, priority, .. } = *self.chat(chat);
        self.say(Event::ChatTransferredToOperator { chat, from: operator, to, queue });
        let work = Work::Chat(chat);
        let _ = self.begin_waiting(work, queue, priority, Vec::new(), None, true, None);
        self.spot(work).reserved_for = Some(to);
        Some(())
    }
}
