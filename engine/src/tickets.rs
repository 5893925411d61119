//! Tickets: creation, ownership, status, clocks, deferred work.

use alloc::vec::Vec;

use crate::command::{Resolution, TicketStatus, TicketTarget};
use crate::config::{Channel, EngineConfig, Service};
use crate::deadline::{Due, Timer};
use crate::engine::{Engine, Outcome};
use crate::id::{CallId, CustomerId, OfferId, OperatorId, QueueId, ServiceId, TicketId};
use crate::output::{Event, OfferEnd, TicketChange, TicketOrigin, Work};
use crate::queueing::Entry;
use crate::rejection::{Asked, Object, Range, Rejection};
use crate::routing::Needs;
use crate::ticket::{Clock, Ticket};
use crate::time::{Instant, Span};

/// What a ticket's clocks show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TicketTimes {
    /// Business time in New and Open until the first reply, or until now.
    pub first_response: Span,
    /// Business time in New and Open, until now.
    pub resolution: Span,
}

impl Engine {
    pub(crate) fn create_ticket(
        &mut self,
        service: ServiceId,
        origin: TicketOrigin,
        owner: Option<OperatorId>,
        customer: Option<CustomerId>,
        priority: u8,
        reference: u64,
    ) -> TicketId {
        let now = self.now;
        let running = Clock { running_since: Some(now), ..Clock::STOPPED };
        let ticket = self.tickets.insert(Ticket {
            service,
            origin,
            customer,
            owner,
            status: if owner.is_some() { TicketStatus::Open } else { TicketStatus::New },
            priority,
            version: 1,
            call: None,
            chat: None,
            queue: None,
            place: None,
            worked_by: None,
            wrapped: false,
            // Whoever speaks or chats with the customer has replied.
            replied: !matches!(origin, TicketOrigin::Written | TicketOrigin::Voicemail(_)),
            first_response: Clock::STOPPED,
            resolution: running,
            close: Timer::NONE,
            give_back: Timer::NONE,
        });
        if !self.tickets[ticket].replied {
            self.tickets[ticket].first_response = running;
            self.clock_limit(ticket, Due::FirstResponse);
        }
        self.clock_limit(ticket, Due::Resolution);
        self.emit(Event::TicketCreated { ticket, service, origin, owner, customer, reference });
        ticket
    }

    /// Sets the deadline of a clock that begins to run, where it has a limit and has not passed it.
    fn clock_limit(&mut self, ticket: TicketId, due: Due) {
        let found = &mut self.tickets[ticket];
        let service = &self.config.services[found.service.index()];
        let settings = service.settings.tickets;
        let (clock, limit) = match due {
            Due::FirstResponse => (&mut found.first_response, settings.first_response),
            _ => (&mut found.resolution, settings.resolution),
        };
        let Some(limit) = limit.filter(|limit| clock.counted < *limit) else { return };
        let left = Span::from_micros(limit.as_micros() - clock.counted.as_micros());
        if let Some(at) = service.hours.after(self.now, left) {
            clock.timer = self.deadlines.set(at, due, ticket.slot());
        }
    }

    fn stop_clock(&mut self, ticket: TicketId, which: impl Fn(&mut Ticket) -> &mut Clock) {
        let now = self.now;
        let found = &mut self.tickets[ticket];
        let service = found.service;
        let clock = which(found);
        if clock.running_since.is_none() {
            return;
        }
        clock.counted = clock.read(&self.config.services[service.index()].hours, now);
        clock.running_since = None;
        self.deadlines.cancel(&mut clock.timer);
    }

    /// Stops the running clocks of services whose hours or limits become others: what they counted is by the old ones.
    /// Gives their tickets in order of creation, each with whether the first response's clock ran.
    pub(crate) fn stop_clocks_for(&mut self, new: &EngineConfig) -> Vec<(TicketId, bool)> {
        let limits = |service: &Service| (service.settings.tickets.first_response, service.settings.tickets.resolution);
        let pairs = self.config.services.iter().zip(&new.services);
        let other: Vec<bool> = pairs.map(|(a, b)| a.hours != b.hours || limits(a) != limits(b)).collect();
        if !other.contains(&true) {
            return Vec::new();
        }
        let runs = self.tickets.iter().filter(|(_, t)| t.status.clock_runs() && other[t.service.index()]);
        let mut running: Vec<_> = runs.map(|(id, t)| (id, t.first_response.running_since.is_some())).collect();
        running.sort_unstable();
        for &(ticket, _) in &running {
            self.stop_clock(ticket, |ticket| &mut ticket.first_response);
            self.stop_clock(ticket, |ticket| &mut ticket.resolution);
        }
        running
    }

    /// They go on, by the hours and limits that hold now.
    pub(crate) fn start_clocks(&mut self, stopped: &[(TicketId, bool)]) {
        let now = self.now;
        for &(ticket, first) in stopped {
            if first {
                self.tickets[ticket].first_response.running_since = Some(now);
                self.clock_limit(ticket, Due::FirstResponse);
            }
            self.tickets[ticket].resolution.running_since = Some(now);
            self.clock_limit(ticket, Due::Resolution);
        }
    }

    /// A line of history, under a new version.
    pub(crate) fn change_ticket(&mut self, ticket: TicketId, change: TicketChange) {
        if let Some(found) = self.tickets.get_mut(ticket) {
            found.version += 1;
            let version = found.version;
            self.emit(Event::TicketChanged { ticket, change, version });
        }
    }

    pub(crate) fn change_owner(&mut self, ticket: TicketId, to: Option<OperatorId>) {
        let Some(found) = self.tickets.get_mut(ticket) else { return };
        let from = core::mem::replace(&mut found.owner, to);
        if from != to {
            self.change_ticket(ticket, TicketChange::Owner { from, to });
        }
        if to.is_some() && self.tickets[ticket].status == TicketStatus::New {
            self.move_ticket(ticket, TicketStatus::Open, None);
        }
    }

    /// The operator who has the call owns its ticket; there is never a second one.
    pub(crate) fn own_call_ticket(&mut self, call: CallId, operator: OperatorId) {
        let found = &self.calls[call];
        if let Some(ticket) = found.ticket {
            return self.change_owner(ticket, Some(operator));
        }
        let origin = if found.outbound { TicketOrigin::PhoneOut(call) } else { TicketOrigin::PhoneIn(call) };
        let (service, customer, priority) = (found.service, found.customer, found.priority);
        let ticket = self.create_ticket(service, origin, Some(operator), customer, priority, 0);
        self.tickets[ticket].call = Some(call);
        self.calls[call].ticket = Some(ticket);
    }

    /// The customer was handed on and nobody has them yet.
    pub(crate) fn disown_call_ticket(&mut self, call: CallId) {
        if let Some(ticket) = self.calls[call].ticket {
            self.change_owner(ticket, None);
        }
    }

    /// After-call work on a ticket is over.
    pub(crate) fn ticket_wrapped_up(&mut self, ticket: TicketId) {
        let Some(found) = self.tickets.get_mut(ticket) else { return };
        if found.call.is_some() {
            // The customer is still on the line with somebody else.
            found.wrapped = true;
        } else {
            self.solve_wrapped(ticket);
        }
    }

    fn solve_wrapped(&mut self, ticket: TicketId) {
        let found = &self.tickets[ticket];
        let solve = self.settings(found.service).tickets.solve_at_wrap_up;
        if solve && matches!(found.status, TicketStatus::New | TicketStatus::Open) {
            self.move_ticket(ticket, TicketStatus::Solved, Some(Resolution::ByCall));
        }
    }

    pub(crate) fn call_of_ticket_ended(&mut self, ticket: TicketId) {
        if let Some(found) = self.tickets.get_mut(ticket) {
            found.call = None;
            if core::mem::take(&mut found.wrapped) {
                self.solve_wrapped(ticket);
            }
            self.close_if_due(ticket);
        }
    }

    pub(crate) fn chat_of_ticket_ended(&mut self, ticket: TicketId) {
        if let Some(found) = self.tickets.get_mut(ticket) {
            found.chat = None;
            let solve = self.settings(self.tickets[ticket].service).tickets.solve_at_wrap_up;
            if solve && self.tickets[ticket].status == TicketStatus::Open {
                self.move_ticket(ticket, TicketStatus::Solved, Some(Resolution::ByChat));
            }
            self.close_if_due(ticket);
        }
    }

    /// Moves a ticket's status, its clocks and its closing along.
    fn move_ticket(&mut self, ticket: TicketId, to: TicketStatus, resolution: Option<Resolution>) {
        let now = self.now;
        let found = &mut self.tickets[ticket];
        let from = core::mem::replace(&mut found.status, to);
        self.deadlines.cancel(&mut found.close);
        match (from.clock_runs(), to.clock_runs()) {
            (true, false) => {
                if !found.replied {
                    self.stop_clock(ticket, |ticket| &mut ticket.first_response);
                }
                self.stop_clock(ticket, |ticket| &mut ticket.resolution);
            }
            (false, true) => {
                if !found.replied {
                    found.first_response.running_since = Some(now);
                    self.clock_limit(ticket, Due::FirstResponse);
                }
                self.tickets[ticket].resolution.running_since = Some(now);
                self.clock_limit(ticket, Due::Resolution);
            }
            _ => {}
        }
        self.change_ticket(ticket, TicketChange::Status { from, to, resolution });
        if to == TicketStatus::Solved {
            self.leave_ticket_queue(ticket);
            self.put_ticket_down(ticket);
            let after = self.settings(self.tickets[ticket].service).tickets.close_after;
            if after.is_zero() {
                self.close_solved(ticket);
            } else {
                self.tickets[ticket].close = self.deadlines.set(now + after, Due::TicketClose, ticket.slot());
            }
        }
    }

    /// A solved ticket whose time is over closes, once its call or chat is over too: there is never a second ticket.
    fn close_solved(&mut self, ticket: TicketId) {
        let found = &self.tickets[ticket];
        if found.call.is_none() && found.chat.is_none() {
            self.close_ticket(ticket, None);
        }
    }

    /// The call or chat of a ticket is over: it closes where that was all it waited for.
    fn close_if_due(&mut self, ticket: TicketId) {
        let due = self.tickets.get(ticket).is_some_and(|t| t.status == TicketStatus::Solved && !t.close.is_set());
        if due {
            self.close_solved(ticket);
        }
    }

    /// Closed: the engine forgets the ticket.
    fn close_ticket(&mut self, ticket: TicketId, resolution: Option<Resolution>) {
        let from = self.tickets[ticket].status;
        // A solved ticket has left all this already.
        if from != TicketStatus::Solved {
            self.stop_clock(ticket, |ticket| &mut ticket.first_response);
            self.stop_clock(ticket, |ticket| &mut ticket.resolution);
            self.leave_ticket_queue(ticket);
            self.put_ticket_down(ticket);
        }
        self.change_ticket(ticket, TicketChange::Status { from, to: TicketStatus::Closed, resolution });
        self.forget_ticket(ticket);
    }

    fn forget_ticket(&mut self, ticket: TicketId) {
        let mut gone = self.tickets.remove(ticket).expect("a ticket closes once");
        self.deadlines.cancel(&mut gone.close);
        assert!(gone.place.is_none() && !gone.give_back.is_set(), "nothing waits for a ticket that is gone");
    }

    pub(crate) fn ticket_due(&mut self, due: Due, ticket: TicketId) {
        let found = &mut self.tickets[ticket];
        match due {
            Due::TicketClose => {
                found.close = Timer::NONE;
                self.close_solved(ticket);
            }
            Due::FirstResponse => {
                found.first_response.timer = Timer::NONE;
                self.change_ticket(ticket, TicketChange::FirstResponseLate);
            }
            Due::Resolution => {
                found.resolution.timer = Timer::NONE;
                self.change_ticket(ticket, TicketChange::ResolutionLate);
            }
            _ => {
                found.give_back = Timer::NONE;
                self.return_ticket(ticket);
            }
        }
    }

    // ---- deferred work ----------------------------------------------------------------------------------------

    pub(crate) fn queue_ticket(&mut self, ticket: TicketId, queue: QueueId) {
        let found = &self.tickets[ticket];
        let (place, _) = self.enqueue(Entry {
            work: Work::Ticket(ticket),
            queue,
            priority: found.priority,
            needs: Needs::NONE,
            kept: None,
            head: false,
            preferred: None,
        });
        let found = &mut self.tickets[ticket];
        found.queue = Some(queue);
        found.place = Some(place);
        self.emit(Event::TicketQueued { ticket, queue });
    }

    fn leave_ticket_queue(&mut self, ticket: TicketId) {
        if let Some(place) = self.tickets[ticket].place.take() {
            self.stop_all_offers(place, OfferEnd::Withdrawn);
            self.leave_while_waiting(place);
        }
    }

    pub(crate) fn ticket_accepted(&mut self, ticket: TicketId, operator: OperatorId, wait: Span) {
        let found = &mut self.tickets[ticket];
        found.place = None;
        found.worked_by = Some(operator);
        let (queue, service) = (found.queue.expect("an assigned ticket had a queue"), found.service);
        self.desks[operator.index()].tickets.push(ticket);
        if let Some(after) = self.settings(service).tickets.return_after {
            self.tickets[ticket].give_back = self.deadlines.set(self.now + after, Due::TicketReturn, ticket.slot());
        }
        self.emit(Event::TicketAssigned { ticket, queue, operator, wait });
        self.change_owner(ticket, Some(operator));
        self.touch(operator);
    }

    /// Nobody works on the ticket any more; it keeps its owner.
    fn put_ticket_down(&mut self, ticket: TicketId) {
        let found = &mut self.tickets[ticket];
        self.deadlines.cancel(&mut found.give_back);
        if let Some(operator) = found.worked_by.take() {
            self.desks[operator.index()].tickets.retain(|&held| held != ticket);
            self.touch(operator);
        }
    }

    /// An assigned ticket that is not worked on waits in its queue again.
    pub(crate) fn return_ticket(&mut self, ticket: TicketId) {
        self.put_ticket_down(ticket);
        let queue = self.tickets[ticket].queue.expect("an assigned ticket had a queue");
        self.change_owner(ticket, None);
        self.change_ticket(ticket, TicketChange::Returned(queue));
        self.queue_ticket(ticket, queue);
    }

    /// An offer of a ticket ends because its operator leaves; the ticket waits again in its place.
    pub(crate) fn return_offer(&mut self, offer: OfferId) {
        let place = self.offers[offer].place.expect("a ticket is offered from its queue");
        self.stop_all_offers(place, OfferEnd::Rescinded);
        self.insert_waiting(place);
        self.unsettle_place(place);
    }

    pub(crate) fn finish_ticket_work(&mut self, operator: OperatorId, ticket: TicketId) -> Outcome {
        self.known_operator(operator)?;
        if self.known_ticket(ticket, None)?.worked_by != Some(operator) {
            return Err(Rejection::NotWithOperator { operator, object: Object::Ticket(ticket) });
        }
        self.put_ticket_down(ticket);
        Ok(())
    }

    // ---- orders -----------------------------------------------------------------------------------------------

    /// The ticket, if it is there and nobody changed it since `version`.
    fn known_ticket(&self, ticket: TicketId, version: Option<u32>) -> Result<&Ticket, Rejection> {
        let found = self.tickets.get(ticket).ok_or(Rejection::Unknown(Object::Ticket(ticket)))?;
        match version {
            Some(seen) if seen != found.version => Err(Rejection::TicketVersion { ticket, seen, found: found.version }),
            _ => Ok(found),
        }
    }

    fn ticket_queue(&self, queue: QueueId) -> Outcome {
        self.known_queue(queue)?;
        if self.config.queues[queue.index()].channel == Channel::Ticket {
            Ok(())
        } else {
            Err(Rejection::WrongChannel { queue, asked: Channel::Ticket })
        }
    }

    pub(crate) fn ticket_arrived(
        &mut self,
        service: ServiceId,
        queue: Option<QueueId>,
        customer: Option<CustomerId>,
        priority: u8,
        reference: u64,
    ) -> Outcome {
        self.known_service(service)?;
        if let Some(queue) = queue {
            self.ticket_queue(queue)?;
        }
        let ticket = self.create_ticket(service, TicketOrigin::Written, None, customer, priority, reference);
        if let Some(queue) = queue {
            self.queue_ticket(ticket, queue);
        }
        Ok(())
    }

    fn not_solved(&self, ticket: TicketId, version: Option<u32>) -> Outcome {
        let status = self.known_ticket(ticket, version)?.status;
        if status == TicketStatus::Solved {
            return Err(Rejection::TicketTransition { ticket, from: status, to: TicketStatus::Open });
        }
        Ok(())
    }

    pub(crate) fn pull_ticket(&mut self, operator: OperatorId, ticket: TicketId, version: Option<u32>) -> Outcome {
        self.known_operator(operator)?;
        self.not_solved(ticket, version)?;
        self.leave_ticket_queue(ticket);
        if self.tickets[ticket].worked_by.is_some_and(|other| other != operator) {
            self.put_ticket_down(ticket);
        }
        self.change_owner(ticket, Some(operator));
        Ok(())
    }

    pub(crate) fn forward_ticket(&mut self, ticket: TicketId, to: TicketTarget, version: Option<u32>) -> Outcome {
        match to {
            TicketTarget::Operator(operator) => self.known_operator(operator)?,
            TicketTarget::Queue(queue) => self.ticket_queue(queue)?,
            TicketTarget::Unassigned => {}
        }
        self.not_solved(ticket, version)?;
        self.leave_ticket_queue(ticket);
        self.put_ticket_down(ticket);
        match to {
            TicketTarget::Operator(operator) => self.change_owner(ticket, Some(operator)),
            TicketTarget::Unassigned => self.change_owner(ticket, None),
            TicketTarget::Queue(queue) => {
                self.change_owner(ticket, None);
                self.queue_ticket(ticket, queue);
            }
        }
        Ok(())
    }

    pub(crate) fn set_ticket_status(
        &mut self,
        ticket: TicketId,
        by: Option<OperatorId>,
        status: TicketStatus,
        resolution: Resolution,
        version: Option<u32>,
    ) -> Outcome {
        if let Some(operator) = by {
            self.known_operator(operator)?;
        }
        let found = self.known_ticket(ticket, version)?;
        let (from, owner) = (found.status, found.owner);
        if !from.can_become(status) {
            return Err(Rejection::TicketTransition { ticket, from, to: status });
        }
        self.move_ticket(ticket, status, (status == TicketStatus::Solved).then_some(resolution));
        if matches!(status, TicketStatus::Solved | TicketStatus::Pending) {
            self.ticket_handled(ticket, [by, owner]);
        }
        Ok(())
    }

    /// Whoever handled the ticket, or else its owner, goes where they chose during the call, if it is their after-call
    /// work.
    fn ticket_handled(&mut self, ticket: TicketId, hands: [Option<OperatorId>; 2]) {
        let waits_for_it = |operator: &OperatorId| {
            let desk = &self.desks[operator.index()];
            desk.wrap_up == Some(ticket) && desk.next.is_some()
        };
        if let Some(operator) = hands.into_iter().flatten().find(waits_for_it) {
            self.end_after_call(operator);
        }
    }

    pub(crate) fn set_ticket_priority(&mut self, ticket: TicketId, priority: u8, version: Option<u32>) -> Outcome {
        self.known_ticket(ticket, version)?;
        self.tickets[ticket].priority = priority;
        self.change_ticket(ticket, TicketChange::Priority(priority));
        if let Some(place) = self.tickets[ticket].place {
            self.places[place].priority = priority;
            self.reclassify(place);
        }
        Ok(())
    }

    pub(crate) fn reply_to_ticket(&mut self, ticket: TicketId, by: OperatorId) -> Outcome {
        self.known_operator(by)?;
        self.known_ticket(ticket, None)?;
        if !core::mem::replace(&mut self.tickets[ticket].replied, true) {
            self.stop_clock(ticket, |ticket| &mut ticket.first_response);
        }
        self.change_ticket(ticket, TicketChange::Replied(by));
        Ok(())
    }

    pub(crate) fn customer_replied(&mut self, ticket: TicketId) -> Outcome {
        self.known_ticket(ticket, None)?;
        self.customer_wrote(ticket);
        Ok(())
    }

    /// A message from the customer reopens what was thought done.
    pub(crate) fn customer_wrote(&mut self, ticket: TicketId) {
        self.change_ticket(ticket, TicketChange::CustomerReplied);
        if matches!(self.tickets[ticket].status, TicketStatus::Pending | TicketStatus::Solved) {
            self.move_ticket(ticket, TicketStatus::Open, None);
        }
    }

    pub(crate) fn merge_tickets(&mut self, into: TicketId, from: TicketId) -> Outcome {
        self.known_ticket(into, None)?;
        let found = self.known_ticket(from, None)?;
        if into == from || found.call.is_some() || found.chat.is_some() {
            return Err(Rejection::TicketTransition { ticket: from, from: found.status, to: TicketStatus::Closed });
        }
        self.change_ticket(into, TicketChange::Absorbed(from));
        self.change_ticket(from, TicketChange::MergedInto(into));
        self.close_ticket(from, Some(Resolution::Duplicate));
        Ok(())
    }

    pub(crate) fn link_tickets(&mut self, ticket: TicketId, other: TicketId) -> Outcome {
        self.known_ticket(ticket, None)?;
        self.known_ticket(other, None)?;
        self.change_ticket(ticket, TicketChange::Linked(other));
        self.change_ticket(other, TicketChange::Linked(ticket));
        Ok(())
    }

    pub(crate) fn rate_ticket(&mut self, ticket: TicketId, score: u8) -> Outcome {
        self.known_ticket(ticket, None)?;
        if !(1..=5).contains(&score) {
            let right = Range { least: 1, most: 5 };
            return Err(Rejection::OutOfRange { what: Asked::Rate, found: u32::from(score), right });
        }
        self.change_ticket(ticket, TicketChange::Rated(score));
        Ok(())
    }

    // ---- for screens ------------------------------------------------------------------------------------------

    /// What a ticket's clocks show at `now`.
    #[must_use]
    pub fn ticket_times(&self, ticket: TicketId, now: Instant) -> Option<TicketTimes> {
        let found = self.tickets.get(ticket)?;
        let hours = &self.config.services[found.service.index()].hours;
        Some(TicketTimes {
            first_response: found.first_response.read(hours, now),
            resolution: found.resolution.read(hours, now),
        })
    }
}
