//! Tickets that are not Closed: status, owner, version, clocks, deferred work.

use callfloor_engine::{
    CallId, Channel, ChatId, CustomerId, Event, Floor, Instant, OfferEnd, OpeningHours, OperatorId, QueueId,
    Resolution, Service, ServiceId, Span, TicketChange, TicketId, TicketOrigin, TicketStatus, TicketTarget, Work,
};

use super::{Model, Timer};

#[derive(Clone, Copy, Debug)]
pub(super) struct Ticket {
    pub(super) id: TicketId,
    pub(super) service: ServiceId,
    pub(super) owner: Option<OperatorId>,
    pub(super) status: TicketStatus,
    priority: u8,
    pub(super) version: u32,
    /// The live call or chat whose ticket it is.
    pub(super) call: Option<CallId>,
    pub(super) chat: Option<ChatId>,
    queue: Option<QueueId>,
    /// Who has it in hand by assignment.
    pub(super) worked_by: Option<OperatorId>,
    /// After-call work on it is over, while its customer is still on the line.
    wrapped: bool,
    /// The customer has had a reply.
    replied: bool,
    pub(super) first: Clock,
    pub(super) resolution: Clock,
    pub(super) close: Option<Timer>,
    pub(super) give_back: Option<Timer>,
}

/// A clock that counts open time while it runs.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Clock {
    counted: Span,
    since: Option<Instant>,
    /// When its limit passes.
    pub(super) late: Option<Timer>,
}

impl Clock {
    pub(super) fn read(&self, hours: &OpeningHours, now: Instant) -> Span {
        self.counted + self.since.map_or(Span::ZERO, |since| open_time(hours, since, now))
    }
}

/// Time open between two moments.
pub(super) fn open_time(hours: &OpeningHours, from: Instant, to: Instant) -> Span {
    match hours {
        OpeningHours::Always => to - from,
        OpeningHours::Periods(periods) => periods.iter().fold(Span::ZERO, |sum, &(opens, closes)| {
            let (begin, end) = (opens.max(from), closes.min(to));
            if begin < end { sum + (end - begin) } else { sum }
        }),
    }
}

/// When so much open time has passed, if ever.
fn open_after(hours: &OpeningHours, from: Instant, span: Span) -> Option<Instant> {
    let OpeningHours::Periods(periods) = hours else { return Some(from + span) };
    let mut left = span.as_micros();
    for &(opens, closes) in periods {
        let begin = opens.max(from);
        if begin >= closes {
            continue;
        }
        let open = (closes - begin).as_micros();
        if left <= open {
            return Some(begin + Span::from_micros(left));
        }
        left -= open;
    }
    None
}

const fn counts(status: TicketStatus) -> bool {
    matches!(status, TicketStatus::New | TicketStatus::Open)
}

impl Model {
    pub(super) fn make_ticket(
        &mut self,
        service: ServiceId,
        origin: TicketOrigin,
        owner: Option<OperatorId>,
        customer: Option<CustomerId>,
        priority: u8,
        reference: u64,
    ) -> TicketId {
        self.made.tickets += 1;
        let id = TicketId::from_parts(self.made.tickets, 0);
        // Who speaks or chats with the customer has replied.
        let replied = !matches!(origin, TicketOrigin::Written | TicketOrigin::Voicemail(_));
        self.tickets.push(Ticket {
            id,
            service,
            owner,
            status: if owner.is_some() { TicketStatus::Open } else { TicketStatus::New },
            priority,
            version: 1,
            call: None,
            chat: None,
            queue: None,
            worked_by: None,
            wrapped: false,
            replied,
            first: Clock::default(),
            resolution: Clock::default(),
            close: None,
            give_back: None,
        });
        if !replied {
            self.start_first(id);
        }
        self.start_resolution(id);
        self.say(Event::TicketCreated { ticket: id, service, origin, owner, customer, reference });
        id
    }

    // ---- clocks -----------------------------------------------------------------------------------------------

    fn late_at(&mut self, service: ServiceId, clock: Clock, limit: Option<Span>) -> Option<Timer> {
        let limit = limit.filter(|limit| clock.counted < *limit)?;
        let left = Span::from_micros(limit.as_micros() - clock.counted.as_micros());
        let at = open_after(&self.service(service).hours, self.now, left)?;
        self.timer_at(at)
    }

    fn start_first(&mut self, ticket: TicketId) {
        let (now, found) = (self.now, *self.ticket(ticket));
        let late = self.late_at(found.service, found.first, self.settings(found.service).tickets.first_response);
        self.ticket(ticket).first = Clock { since: Some(now), late, ..found.first };
    }

    fn start_resolution(&mut self, ticket: TicketId) {
        let (now, found) = (self.now, *self.ticket(ticket));
        let late = self.late_at(found.service, found.resolution, self.settings(found.service).tickets.resolution);
        self.ticket(ticket).resolution = Clock { since: Some(now), late, ..found.resolution };
    }

    fn stopped(&self, service: ServiceId, clock: Clock) -> Clock {
        Clock { counted: clock.read(&self.service(service).hours, self.now), since: None, late: None }
    }

    fn stop_first(&mut self, ticket: TicketId) {
        let found = *self.ticket(ticket);
        self.ticket(ticket).first = self.stopped(found.service, found.first);
    }

    fn stop_resolution(&mut self, ticket: TicketId) {
        let found = *self.ticket(ticket);
        self.ticket(ticket).resolution = self.stopped(found.service, found.resolution);
    }

    /// Stops the clocks of services whose hours or limits become others; of each ticket, whether its first and its
    /// resolution's ran.
    pub(super) fn stop_clocks_for(&mut self, new: &Floor) -> Vec<(TicketId, bool, bool)> {
        let mut running = Vec::new();
        for ticket in self.tickets.clone() {
            let (old, new) = (self.service(ticket.service), &new.services[ticket.service.index()]);
            let limits = |of: &Service| (of.settings.tickets.first_response, of.settings.tickets.resolution);
            if old.hours == new.hours && limits(old) == limits(new) {
                continue;
            }
            let runs = (ticket.first.since.is_some(), ticket.resolution.since.is_some());
            if runs.0 {
                self.stop_first(ticket.id);
            }
            if runs.1 {
                self.stop_resolution(ticket.id);
            }
            running.push((ticket.id, runs.0, runs.1));
        }
        running
    }

    pub(super) fn start_clocks(&mut self, running: &[(TicketId, bool, bool)]) {
        for &(ticket, first, resolution) in running {
            if first {
                self.start_first(ticket);
            }
            if resolution {
                self.start_resolution(ticket);
            }
        }
    }

    pub(super) fn first_response_late(&mut self, ticket: TicketId) {
        self.ticket(ticket).first.late = None;
        self.write(ticket, TicketChange::FirstResponseLate);
    }

    pub(super) fn resolution_late(&mut self, ticket: TicketId) {
        self.ticket(ticket).resolution.late = None;
        self.write(ticket, TicketChange::ResolutionLate);
    }

    // ---- history ----------------------------------------------------------------------------------------------

    /// A line of history, under a new version.
    pub(super) fn write(&mut self, ticket: TicketId, change: TicketChange) {
        if let Some(found) = self.tickets.iter_mut().find(|found| found.id == ticket) {
            found.version += 1;
            let version = found.version;
            self.say(Event::TicketChanged { ticket, change, version });
        }
    }

    pub(super) fn change_owner(&mut self, ticket: TicketId, to: Option<OperatorId>) {
        if self.find_ticket(ticket).is_none() {
            return;
        }
        let from = core::mem::replace(&mut self.ticket(ticket).owner, to);
        if from != to {
            self.write(ticket, TicketChange::Owner { from, to });
        }
        if to.is_some() && self.ticket(ticket).status == TicketStatus::New {
            self.move_to(ticket, TicketStatus::Open, None);
        }
    }

    fn move_to(&mut self, ticket: TicketId, to: TicketStatus, resolution: Option<Resolution>) {
        let found = self.ticket(ticket);
        let from = core::mem::replace(&mut found.status, to);
        found.close = None;
        match (counts(from), counts(to)) {
            (true, false) => {
                self.stop_first(ticket);
                self.stop_resolution(ticket);
            }
            (false, true) => {
                if !self.ticket(ticket).replied {
                    self.start_first(ticket);
                }
                self.start_resolution(ticket);
            }
            _ => {}
        }
        self.write(ticket, TicketChange::Status { from, to, resolution });
        if to != TicketStatus::Solved {
            return;
        }
        self.leave_ticket_queue(ticket);
        self.put_down(ticket);
        let service = self.ticket(ticket).service;
        let after = self.settings(service).tickets.close_after;
        if after.is_zero() {
            self.close_unless_live(ticket);
        } else {
            let close = self.timer(after);
            self.ticket(ticket).close = close;
        }
    }

    /// A solved ticket whose time is over closes, once its call or chat is over too.
    fn close_unless_live(&mut self, ticket: TicketId) {
        let found = self.ticket(ticket);
        if found.call.is_none() && found.chat.is_none() {
            self.close_ticket(ticket, None);
        }
    }

    pub(super) fn close_time_passed(&mut self, ticket: TicketId) {
        self.ticket(ticket).close = None;
        self.close_unless_live(ticket);
    }

    /// Closed for good: the engine forgets it.
    fn close_ticket(&mut self, ticket: TicketId, resolution: Option<Resolution>) {
        let from = self.ticket(ticket).status;
        self.leave_ticket_queue(ticket);
        self.put_down(ticket);
        self.write(ticket, TicketChange::Status { from, to: TicketStatus::Closed, resolution });
        self.tickets.retain(|found| found.id != ticket);
    }

    // ---- calls and chats --------------------------------------------------------------------------------------

    /// Who has the call owns its ticket; there is never a second one.
    pub(super) fn own_ticket_of_call(&mut self, call: CallId, operator: OperatorId) {
        let found = self.call(call);
        if let Some(ticket) = found.ticket {
            return self.change_owner(ticket, Some(operator));
        }
        let (service, caller) = (found.service, found.caller);
        let origin = if found.outbound { TicketOrigin::PhoneOut(call) } else { TicketOrigin::PhoneIn(call) };
        let ticket = self.make_ticket(service, origin, Some(operator), caller.customer, caller.priority, 0);
        self.ticket(ticket).call = Some(call);
        self.call(call).ticket = Some(ticket);
    }

    pub(super) fn disown_ticket_of_call(&mut self, call: CallId) {
        if let Some(ticket) = self.call(call).ticket {
            self.change_owner(ticket, None);
        }
    }

    /// After-call work on it is over.
    pub(super) fn wrapped_up(&mut self, ticket: TicketId) {
        match self.find_ticket(ticket).map(|found| found.call) {
            // The customer is still on the line with somebody else.
            Some(Some(_)) => self.ticket(ticket).wrapped = true,
            Some(None) => self.solve_wrapped(ticket),
            None => {}
        }
    }

    fn solve_wrapped(&mut self, ticket: TicketId) {
        let found = *self.ticket(ticket);
        if self.settings(found.service).tickets.solve_at_wrap_up && counts(found.status) {
            self.move_to(ticket, TicketStatus::Solved, Some(Resolution::ByCall));
        }
    }

    pub(super) fn call_of_ticket_over(&mut self, ticket: TicketId) {
        if self.find_ticket(ticket).is_some() {
            let found = self.ticket(ticket);
            found.call = None;
            if core::mem::take(&mut found.wrapped) {
                self.solve_wrapped(ticket);
            }
            self.close_if_due(ticket);
        }
    }

    pub(super) fn chat_of_ticket_over(&mut self, ticket: TicketId) {
        if self.find_ticket(ticket).is_some() {
            let found = self.ticket(ticket);
            found.chat = None;
            let found = *found;
            if self.settings(found.service).tickets.solve_at_wrap_up && found.status == TicketStatus::Open {
                self.move_to(ticket, TicketStatus::Solved, Some(Resolution::ByChat));
            }
            self.close_if_due(ticket);
        }
    }

    fn close_if_due(&mut self, ticket: TicketId) {
        if self.find_ticket(ticket).is_some_and(|found| found.status == TicketStatus::Solved && found.close.is_none()) {
            self.close_unless_live(ticket);
        }
    }

    // ---- deferred work ----------------------------------------------------------------------------------------

    pub(super) fn queue_ticket(&mut self, ticket: TicketId, queue: QueueId) {
        let found = self.ticket(ticket);
        found.queue = Some(queue);
        let priority = found.priority;
        let _ = self.begin_waiting(Work::Ticket(ticket), queue, priority, Vec::new(), None, false, None);
        self.say(Event::TicketQueued { ticket, queue });
    }

    fn leave_ticket_queue(&mut self, ticket: TicketId) {
        let work = Work::Ticket(ticket);
        if self.find_spot(work).is_some() {
            self.stop_ringing(work, OfferEnd::Withdrawn);
            let _ = self.leave_queue(work);
        }
    }

    pub(super) fn ticket_accepted(&mut self, ticket: TicketId, operator: OperatorId, wait: Span) {
        let found = self.ticket(ticket);
        found.worked_by = Some(operator);
        let (queue, service) = (found.queue.expect("it was queued"), found.service);
        self.desk(operator).tickets.push(ticket);
        let give_back = self.settings(service).tickets.return_after.and_then(|after| self.timer(after));
        self.ticket(ticket).give_back = give_back;
        self.say(Event::TicketAssigned { ticket, queue, operator, wait });
        self.change_owner(ticket, Some(operator));
        self.notice(operator);
    }

    /// Nobody works on it any more; it keeps its owner.
    fn put_down(&mut self, ticket: TicketId) {
        let found = self.ticket(ticket);
        found.give_back = None;
        if let Some(operator) = found.worked_by.take() {
            self.desk(operator).tickets.retain(|held| *held != ticket);
            self.notice(operator);
        }
    }

    /// A ticket that was not worked on waits in its queue again.
    pub(super) fn give_back(&mut self, ticket: TicketId) {
        self.put_down(ticket);
        let queue = self.ticket(ticket).queue.expect("it was queued");
        self.change_owner(ticket, None);
        self.write(ticket, TicketChange::Returned(queue));
        self.queue_ticket(ticket, queue);
    }

    pub(super) fn finish_ticket_work(&mut self, operator: OperatorId, ticket: TicketId) -> Option<()> {
        if self.find_ticket(ticket)?.worked_by != Some(operator) {
            return None;
        }
        self.put_down(ticket);
        Some(())
    }

    // ---- orders -----------------------------------------------------------------------------------------------

    /// The ticket, if nobody changed it since it was seen.
    fn seen(&self, ticket: TicketId, version: Option<u32>) -> Option<Ticket> {
        self.find_ticket(ticket).filter(|found| version.is_none_or(|seen| seen == found.version)).copied()
    }

    fn is_ticket_queue(&self, queue: QueueId) -> Option<()> {
        (self.floor.queues.get(queue.index())?.channel == Channel::Ticket).then_some(())
    }

    pub(super) fn ticket_arrived(
        &mut self,
        service: ServiceId,
        queue: Option<QueueId>,
        customer: Option<CustomerId>,
        priority: u8,
        reference: u64,
    ) -> Option<()> {
        self.floor.services.get(service.index())?;
        if let Some(queue) = queue {
            self.is_ticket_queue(queue)?;
        }
        let ticket = self.make_ticket(service, TicketOrigin::Written, None, customer, priority, reference);
        if let Some(queue) = queue {
            self.queue_ticket(ticket, queue);
        }
        Some(())
    }

    pub(super) fn pull_ticket(&mut self, operator: OperatorId, ticket: TicketId, version: Option<u32>) -> Option<()> {
        self.known_operator(operator)?;
        let found = self.seen(ticket, version).filter(|found| found.status != TicketStatus::Solved)?;
        self.leave_ticket_queue(ticket);
        if found.worked_by != Some(operator) {
            self.put_down(ticket);
        }
        self.change_owner(ticket, Some(operator));
        Some(())
    }

    pub(super) fn forward_ticket(&mut self, ticket: TicketId, to: TicketTarget, version: Option<u32>) -> Option<()> {
        match to {
            TicketTarget::Operator(operator) => self.known_operator(operator)?,
            TicketTarget::Queue(queue) => self.is_ticket_queue(queue)?,
            TicketTarget::Unassigned => {}
        }
        self.seen(ticket, version).filter(|found| found.status != TicketStatus::Solved)?;
        self.leave_ticket_queue(ticket);
        self.put_down(ticket);
        match to {
            TicketTarget::Operator(operator) => self.change_owner(ticket, Some(operator)),
            TicketTarget::Unassigned => self.change_owner(ticket, None),
            TicketTarget::Queue(queue) => {
                self.change_owner(ticket, None);
                self.queue_ticket(ticket, queue);
            }
        }
        Some(())
    }

    pub(super) fn set_ticket_status(
        &mut self,
        ticket: TicketId,
        by: Option<OperatorId>,
        status: TicketStatus,
        resolution: Resolution,
        version: Option<u32>,
    ) -> Option<()> {
        use TicketStatus::{New, Open, Pending, Solved};
        if let Some(operator) = by {
            self.known_operator(operator)?;
        }
        let seen = self.seen(ticket, version)?;
        let (from, owner) = (seen.status, seen.owner);
        let allowed = match from {
            New => matches!(status, Open | Pending | Solved),
            Open => matches!(status, Pending | Solved),
            Pending => matches!(status, Open | Solved),
            Solved => status == Open,
            TicketStatus::Closed => false,
        };
        if !allowed {
            return None;
        }
        self.move_to(ticket, status, (status == Solved).then_some(resolution));
        // Who chose their next status during the call goes there when they have handled the ticket, or somebody has for
        // its owner.
        if matches!(status, Solved | Pending) {
            for operator in [by, owner].into_iter().flatten() {
                let desk = self.desk(operator);
                if desk.wrap_up == Some(ticket) && desk.next.is_some() {
                    self.after_call_over(operator);
                    break;
                }
            }
        }
        Some(())
    }

    pub(super) fn set_ticket_priority(&mut self, ticket: TicketId, priority: u8, version: Option<u32>) -> Option<()> {
        self.seen(ticket, version)?;
        self.ticket(ticket).priority = priority;
        self.write(ticket, TicketChange::Priority(priority));
        if let Some(spot) = self.find_spot(Work::Ticket(ticket)) {
            spot.priority = priority;
            self.changed(Work::Ticket(ticket));
        }
        Some(())
    }

    pub(super) fn reply_to_ticket(&mut self, ticket: TicketId, by: OperatorId) -> Option<()> {
        self.known_operator(by)?;
        self.find_ticket(ticket)?;
        self.ticket(ticket).replied = true;
        self.stop_first(ticket);
        self.write(ticket, TicketChange::Replied(by));
        Some(())
    }

    pub(super) fn customer_replied(&mut self, ticket: TicketId) -> Option<()> {
        self.find_ticket(ticket)?;
        self.customer_wrote(ticket);
        Some(())
    }

    /// A message from the customer reopens what was thought done.
    pub(super) fn customer_wrote(&mut self, ticket: TicketId) {
        self.write(ticket, TicketChange::CustomerReplied);
        if matches!(self.ticket(ticket).status, TicketStatus::Pending | TicketStatus::Solved) {
            self.move_to(ticket, TicketStatus::Open, None);
        }
    }

    pub(super) fn merge_tickets(&mut self, into: TicketId, from: TicketId) -> Option<()> {
        self.find_ticket(into)?;
        let found = self.find_ticket(from)?;
        // One that a customer still talks about cannot go.
        if into == from || found.call.is_some() || found.chat.is_some() {
            return None;
        }
        self.write(into, TicketChange::Absorbed(from));
        self.write(from, TicketChange::MergedInto(into));
        self.close_ticket(from, Some(Resolution::Duplicate));
        Some(())
    }

    pub(super) fn link_tickets(&mut self, ticket: TicketId, other: TicketId) -> Option<()> {
        self.find_ticket(ticket)?;
        self.find_ticket(other)?;
        self.write(ticket, TicketChange::Linked(other));
        self.write(other, TicketChange::Linked(ticket));
        Some(())
    }

    pub(super) fn rate_ticket(&mut self, ticket: TicketId, score: u8) -> Option<()> {
        self.find_ticket(ticket)?;
        if !(1..=5).contains(&score) {
            return None;
        }
        self.write(ticket, TicketChange::Rated(score));
        Some(())
    }
}
