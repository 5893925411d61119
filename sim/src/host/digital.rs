//! Chats and tickets: the same queues, several at once for each operator.

use super::{Coming, Happening, Host, Reaction};
use crate::behaviour::Person;
use crate::calendar::Entry;
use crate::collect::{NO_INTERVAL, NO_ROW};
use crate::customer::{Chatter, NOBODY, Ticket, TicketRow};
use crate::operator::Errand;
use callfloor_engine::{
    CallId, ChatEnd, ChatId, ChatStatus, Command, OperatorId, QueueId, Resolution, Status, TicketChange, TicketId,
    TicketOrigin, TicketStatus,
};

impl Host<'_> {
    // ---- chats ----------------------------------------------------------------------------------------------------

    pub(super) fn chat_arrived(&mut self, chat: ChatId, queue: QueueId) {
        self.live += 1;
        let Some(Coming { person, .. }) = self.coming.take() else { return };
        let Person { id, source, trace, .. } = person;
        let arrived = self.collector.offered(queue.0);
        let slot = chat.slot() as usize;
        let none = Chatter {
            chat,
            id,
            gives_up: Entry::NONE,
            ends: Entry::NONE,
            answered_at: 0,
            arrived,
            operator: NOBODY,
            trace,
            source,
            row: queue.0,
            rings: 0,
            waiting: true,
            ticket: None,
        };
        if slot >= self.chats.len() {
            self.chats.resize(slot + 1, none);
        }
        self.chats[slot] = none;
        if let Some(patience_us) = self.behaviour.patience_us(&person) {
            let slot = chat.slot();
            let entry = self.calendar.schedule(self.now + patience_us, Happening::ChatGivesUp(slot));
            self.chats[slot as usize].gives_up = entry;
        }
    }

    pub(super) fn chat_gives_up(&mut self, slot: u32) {
        let chatter = &mut self.chats[slot as usize];
        chatter.gives_up = Entry::NONE;
        if chatter.waiting {
            let chat = chatter.chat;
            self.apply(Command::CustomerLeftChat { chat });
        }
    }

    pub(super) fn chat_answered(&mut self, chat: ChatId, operator: u32, wait_us: u64) {
        let slot = chat.slot();
        let chatter = &mut self.chats[slot as usize];
        chatter.waiting = false;
        chatter.operator = operator;
        chatter.answered_at = self.now;
        let Chatter { id, gives_up, arrived, source, row, trace, .. } = *chatter;
        self.calendar.withdraw(gives_up);
        self.agendas[operator as usize].in_hand += 1;
        self.collector.answered(row, arrived, wait_us);
        let length_us = self.work_length(source, id, trace, operator);
        let entry = self.calendar.schedule(self.now + length_us, Happening::ChatEnds(slot));
        self.chats[slot as usize].ends = entry;
    }

    /// Talk time of a chat, or work on a ticket, in microseconds.
    fn work_length(&self, source: u16, id: u64, trace: u32, operator: u32) -> u64 {
        let factor = self.handling_factor(source, operator, self.now);
        self.behaviour.talk_us(&Person { trace, ..self.behaviour.again(id) }, factor)
    }

    pub(super) fn chat_ends(&mut self, slot: u32) {
        let Chatter { chat, operator, .. } = self.chats[slot as usize];
        self.apply(Command::EndChat { operator: OperatorId(operator), chat });
    }

    pub(super) fn chat_ended(&mut self, chat: ChatId, end: ChatEnd, wait_us: u64, handled_us: u64) {
        self.live -= 1;
        let chatter = &mut self.chats[chat.slot() as usize];
        let Chatter { id, row, arrived, waiting, operator, .. } = *chatter;
        chatter.waiting = false;
        let ticket = chatter.ticket.take();
        let (gives_up, ends) = (std::mem::take(&mut chatter.gives_up), std::mem::take(&mut chatter.ends));
        self.calendar.withdraw(gives_up);
        self.calendar.withdraw(ends);
        match end {
            ChatEnd::Abandoned if waiting => {
                self.collector.abandoned(row, arrived, wait_us);
                self.perhaps_redial(&self.behaviour.again(id), false);
            }
            ChatEnd::MaximumWait if waiting => {
                self.collector.flowed_out(row, arrived, wait_us);
                self.perhaps_redial(&self.behaviour.again(id), true);
            }
            _ => {
                self.collector.handled(row, self.now - handled_us.min(self.now), self.now);
                if operator != NOBODY {
                    let group = usize::from(self.operators[operator as usize].group);
                    if let Some(ticket) = ticket.filter(|_| !self.model.groups[group].solve_at_wrap_up) {
                        self.reactions.push_back(Reaction::Solve(operator, ticket, Resolution::ByChat));
                    }
                    self.put_down(operator);
                }
            }
        }
    }

    /// An operator has one contact less in hand beside the phone.
    fn put_down(&mut self, operator: u32) {
        let agenda = &mut self.agendas[operator as usize];
        agenda.in_hand = agenda.in_hand.saturating_sub(1);
        self.reactions.push_back(Reaction::Free(operator));
    }

    /// After a missed chat an operator is Away for chats; after a while they come back.
    pub(super) fn chat_status_changed(&mut self, operator: u32, to: ChatStatus) {
        let state = &self.operators[operator as usize];
        if to == ChatStatus::Away && !state.errand.has(Errand::FINISHES) {
            let agenda = &mut self.agendas[operator as usize];
            agenda.occasions = agenda.occasions.wrapping_add(1);
            let nth = agenda.occasions;
            let away_us = self.behaviour.back_after_miss_us(state.group, operator, nth);
            self.calendar.schedule(self.now + away_us, Happening::ChatBack(operator));
        }
    }

    pub(super) fn chat_back(&mut self, operator: u32) {
        let state = &self.operators[operator as usize];
        if state.status != Status::LoggedOut && !state.errand.has(Errand::FINISHES) {
            self.apply(Command::SetChatStatus { operator: OperatorId(operator), to: ChatStatus::Available });
        }
    }

    // ---- tickets --------------------------------------------------------------------------------------------------

    #[inline]
    pub(super) fn ticket_created(&mut self, ticket: TicketId, origin: TicketOrigin, owner: Option<OperatorId>) {
        let of_call = |host: &Self, call: CallId| {
            let caller = &host.callers[call.slot() as usize];
            (caller.row, caller.source, caller.id)
        };
        let (row, source, id) = match origin {
            TicketOrigin::PhoneIn(call) | TicketOrigin::PhoneOut(call) => {
                if let Some(owner) = owner {
                    self.operators[owner.0 as usize].ticket = Some(ticket);
                }
                of_call(self, call)
            }
            TicketOrigin::Voicemail(call) => of_call(self, call),
            TicketOrigin::Chat(chat) => {
                let Chatter { row, source, id, .. } = self.chats[chat.slot() as usize];
                self.chats[chat.slot() as usize].ticket = Some(ticket);
                (row, source, id)
            }
            TicketOrigin::Written => match self.coming {
                Some(Coming { person, .. }) => (NO_ROW, person.source, person.id),
                None => (NO_ROW, 0, 0),
            },
        };
        let slot = ticket.slot() as usize;
        let of_call = matches!(origin, TicketOrigin::PhoneIn(_) | TicketOrigin::PhoneOut(_));
        if slot >= self.ticket_rows.len() {
            self.ticket_rows.resize(slot + 1, TicketRow::default());
        }
        self.ticket_rows[slot] = TicketRow { row, of_call };
        if let Some(counts) = self.collector.now(row) {
            counts.tickets_created += 1;
        }
        if of_call {
            // Nobody works on it but in the call.
            return;
        }
        let trace = match origin {
            TicketOrigin::Written => self.coming.take().map_or(0, |coming| coming.person.trace),
            _ => 0,
        };
        let new = Ticket {
            ticket: Some(ticket),
            id,
            answered_at: 0,
            arrived: NO_INTERVAL,
            operator: NOBODY,
            done: Entry::NONE,
            trace,
            source,
            rings: 0,
            waiting: false,
        };
        if slot >= self.tickets.len() {
            self.tickets.resize(slot + 1, new);
        }
        self.tickets[slot] = new;
    }

    #[inline]
    pub(super) fn ticket_changed(&mut self, ticket: TicketId, change: TicketChange) {
        match change {
            TicketChange::Status { to: TicketStatus::Solved, .. } => {
                let Some(row) = self.ticket_rows.get(ticket.slot() as usize).map(|ticket| ticket.row) else { return };
                if let Some(counts) = self.collector.now(row) {
                    counts.tickets_solved += 1;
                }
            }
            TicketChange::Owner { from, to } => self.ticket_handed_on(ticket, from, to),
            TicketChange::Returned(_) => self.ticket_returned(ticket),
            _ => {}
        }
    }

    /// A transfer hands the ticket on with the customer.
    fn ticket_handed_on(&mut self, ticket: TicketId, from: Option<OperatorId>, to: Option<OperatorId>) {
        if !self.ticket_rows.get(ticket.slot() as usize).is_some_and(|held| held.of_call) {
            return;
        }
        if let Some(from) = from {
            self.operators[from.0 as usize].ticket.take_if(|held| *held == ticket);
        }
        if let Some(to) = to {
            self.operators[to.0 as usize].ticket = Some(ticket);
        }
    }

    pub(super) fn ticket_queued(&mut self, ticket: TicketId, queue: QueueId) {
        let slot = ticket.slot() as usize;
        if self.tickets.get(slot).is_none_or(|held| held.waiting) {
            return;
        }
        self.live += 1;
        let arrived = self.collector.offered(queue.0);
        let held = &mut self.tickets[slot];
        (held.arrived, held.waiting) = (arrived, true);
        self.ticket_rows[slot].row = queue.0;
        if let Some(counts) = self.collector.now(queue.0) {
            counts.tickets_created += 1;
        }
    }

    pub(super) fn ticket_assigned(&mut self, ticket: TicketId, operator: u32, wait_us: u64) {
        let slot = ticket.slot();
        let now = self.now;
        let held = &mut self.tickets[slot as usize];
        let waiting = std::mem::replace(&mut held.waiting, false);
        (held.operator, held.answered_at) = (operator, now);
        let Ticket { id, arrived, source, trace, .. } = *held;
        if waiting {
            self.collector.answered(self.ticket_rows[slot as usize].row, arrived, wait_us);
        }
        let length_us = self.work_length(source, id, trace, operator);
        self.agendas[operator as usize].in_hand += 1;
        self.tickets[slot as usize].done = self.calendar.schedule(now + length_us, Happening::TicketDone(slot));
    }

    /// Whoever had it in hand left: it is queued again.
    fn ticket_returned(&mut self, ticket: TicketId) {
        let held = &mut self.tickets[ticket.slot() as usize];
        let (done, operator) = (std::mem::take(&mut held.done), held.operator);
        if self.calendar.withdraw(done).is_some() {
            self.live -= 1;
            self.put_down(operator);
        }
    }

    pub(super) fn ticket_done(&mut self, slot: u32) {
        let Ticket { ticket: Some(ticket), operator, answered_at, .. } = self.tickets[slot as usize] else {
            return;
        };
        self.live -= 1;
        self.collector.handled(self.ticket_rows[slot as usize].row, answered_at, self.now);
        self.solve(operator, ticket, Resolution::Answered);
        self.put_down(operator);
    }
}
