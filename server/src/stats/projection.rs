//! From the engine's outputs to primitives, as the simulator counts them: the same events, the same fields.

use std::collections::HashMap;

use callfloor_engine::{
    CallId, ChatEnd, ChatId, EndCause, Engine, Event, Instant, OfferEnd, OperatorId, Output, QueueId, ServiceId,
    Status, SupervisionEnd, TicketChange, TicketId, TicketStatus, Work,
};
use callfloor_measure::{Counts, HandlePart};

use super::{DeskNow, INTERVAL_US, Line, OUTBOUND, OperatorInterval, OperatorWork, QueueInterval, interval_id};
use crate::floor::QueueExtra;
use crate::host::{Documents, Projection};
use crate::storage::StorageError;

/// Something in a queue: which row, and the interval in which it was offered.
type Offered = (u32, u64);

/// Counts what happens.
#[derive(Debug, Default)]
pub struct Measures {
    /// In a queue; after a restart the interval is told from the wait.
    offered: HashMap<Work, Offered>,
}

const fn row_of_queue(queue: QueueId) -> u32 {
    queue.0 as u32 + 1
}

const fn row_of_dials(service: ServiceId) -> u32 {
    OUTBOUND + service.0 as u32 + 1
}

const fn part_of(status: Status) -> Option<HandlePart> {
    Some(match status {
        Status::Talking => HandlePart::Talk,
        Status::Holding => HandlePart::Hold,
        Status::Consulting => HandlePart::Consult,
        Status::AfterCallWork => HandlePart::AfterCall,
        Status::Ringing => HandlePart::Ring,
        Status::Dialing => HandlePart::Dial,
        _ => return None,
    })
}

/// Place in [`Status::ALL`].
const fn index(status: Status) -> u8 {
    status as u8
}

/// How something left a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Left {
    Answered,
    Abandoned,
    Elsewhere,
}

/// Where an output is counted.
struct At<'a> {
    documents: &'a mut Documents,
    engine: &'a Engine,
    now_us: u64,
}

impl At<'_> {
    const fn interval(&self) -> u64 {
        self.now_us / INTERVAL_US
    }

    /// The row of a live call.
    fn row(&self, call: CallId) -> Option<u32> {
        let found = self.engine.call(call)?;
        match found.queue {
            Some(queue) => Some(row_of_queue(queue)),
            None => found.outbound.then(|| row_of_dials(found.service)),
        }
    }

    fn row_of_work(&self, work: Work) -> Option<u32> {
        match work {
            Work::Call(call) => self.row(call),
            Work::Chat(chat) => self.engine.chat(chat).map(|chat| row_of_queue(chat.queue)),
            Work::Ticket(ticket) => self.row_of_ticket(ticket),
            Work::Callback(callback) => self.engine.callback(callback).map(|callback| row_of_queue(callback.queue)),
        }
    }

    fn row_of_ticket(&self, ticket: TicketId) -> Option<u32> {
        use callfloor_engine::TicketOrigin as T;
        let found = self.engine.ticket(ticket)?;
        match (found.queue, found.origin) {
            (Some(queue), _) => Some(row_of_queue(queue)),
            (None, T::PhoneIn(call) | T::PhoneOut(call) | T::Voicemail(call)) => self.row(call),
            (None, T::Chat(chat)) => self.engine.chat(chat).map(|chat| row_of_queue(chat.queue)),
            (None, T::Written) => None,
        }
    }
}

impl Projection for Measures {
    fn project(
        &mut self,
        documents: &mut Documents,
        engine: &Engine,
        at: Instant,
        output: &Output,
    ) -> Result<(), StorageError> {
        match output {
            Output::Event(event) => self.event(&mut At { documents, engine, now_us: at.as_micros() }, event),
            _ => Ok(()),
        }
    }
}

impl Measures {
    fn event(&mut self, at: &mut At<'_>, event: &Event) -> Result<(), StorageError> {
        match *event {
            Event::StatusChanged { operator, from, to, call, .. } => self.status(at, operator, from, to, call),
            Event::CallQueued { call, queue, .. } => self.joins(at, Work::Call(call), queue),
            Event::CallAnswered { call, queue, operator, wait } => {
                self.leaves(at, Work::Call(call), queue, Left::Answered, wait.as_micros())?;
                self.work(at, operator, |work| work.calls_in += 1)
            }
            Event::CallResumed { operator, .. } => self.work(at, operator, |work| work.calls_in += 1),
            Event::CallFlowedOut { call, queue, wait, .. } => {
                self.leaves(at, Work::Call(call), queue, Left::Elsewhere, wait.as_micros())
            }
            Event::QueueFull { queue, .. } => self.count(at, row_of_queue(queue), |counts| counts.refused += 1),
            Event::CallRefused { service, .. } => {
                // The queue that the service's flow would have led to, as the simulator has it; else its dials' row.
                let flow = at.engine.config().services.get(service.index()).map(|service| service.flow.as_slice());
                let queue = flow.unwrap_or_default().iter().find_map(|step| match step {
                    callfloor_engine::Step::Queue { queue, .. } => Some(row_of_queue(*queue)),
                    _ => None,
                });
                self.count(at, queue.unwrap_or_else(|| row_of_dials(service)), |counts| counts.refused += 1)
            }
            Event::CallEnded(record) => {
                let wait_us = record.wait.as_micros();
                match (record.cause, record.queue) {
                    (EndCause::AbandonedInQueue | EndCause::AbandonedWhileRinging, Some(queue)) => {
                        self.leaves(at, Work::Call(record.call), queue, Left::Abandoned, wait_us)?;
                    }
                    // Something that this knows to wait and that ends otherwise flows out.
                    (_, Some(queue)) if self.offered.contains_key(&Work::Call(record.call)) => {
                        self.leaves(at, Work::Call(record.call), queue, Left::Elsewhere, wait_us)?;
                    }
                    _ => {}
                }
                let row = record.queue.map_or_else(|| row_of_dials(record.service), row_of_queue);
                if !record.hold.is_zero() {
                    self.count(at, row, |counts| counts.held_calls += 1)?;
                }
                Ok(())
            }
            Event::CallHeld { call, .. } => self.count_of(at, call, |counts| counts.holds += 1),
            Event::ConsultStarted { call, .. } => self.count_of(at, call, |counts| counts.consults += 1),
            Event::CallTransferred { call, to, .. } => {
                if let callfloor_engine::Party::Operator(operator) = to {
                    self.work(at, operator, |work| work.calls_in += 1)?;
                }
                self.count_of(at, call, |counts| counts.transfers += 1)
            }
            Event::SupervisionEnded { call, supervisor, end: SupervisionEnd::TookOver } => {
                self.took_over(at, supervisor, call)
            }
            Event::ForcedEndStarted { call, .. } => self.count_of(at, call, |counts| counts.forced_ends += 1),
            Event::DialStarted { service, operator, .. } => {
                self.count(at, row_of_dials(service), |counts| counts.dials += 1)?;
                self.work(at, operator, |work| work.dials += 1)
            }
            Event::DialAnswered { call, operator, .. } => {
                self.count_of(at, call, |counts| counts.dials_connected += 1)?;
                self.work(at, operator, |work| work.dials_connected += 1)
            }
            Event::OfferMade { work, operator, queue, .. } => {
                if let Some(row) = queue.map(row_of_queue).or_else(|| at.row_of_work(work)) {
                    self.count(at, row, |counts| counts.rings += 1)?;
                }
                self.work(at, operator, |work| work.rings += 1)
            }
            Event::OfferEnded { work, operator, end, .. } => {
                let missed =
                    matches!(end, OfferEnd::Declined | OfferEnd::TimedOut | OfferEnd::DeviceFailed | OfferEnd::Busy);
                if !missed {
                    return Ok(());
                }
                if let Some(row) = at.row_of_work(work) {
                    self.count(at, row, |counts| counts.missed_rings += 1)?;
                }
                self.work(at, operator, |work| work.missed_rings += 1)
            }
            Event::CallbackReceived { queue, call: Some(_), .. } => self.count(at, row_of_queue(queue), |counts| {
                counts.offered += 1;
                counts.flowed_out += 1;
                counts.flowed_out_here += 1;
                counts.callbacks_accepted += 1;
            }),
            Event::ChatArrived { chat, queue, .. } => self.joins(at, Work::Chat(chat), queue),
            Event::ChatTransferred { chat, to, .. } => self.joins(at, Work::Chat(chat), to),
            Event::ChatTransferredToOperator { chat, queue, .. } => self.joins(at, Work::Chat(chat), queue),
            Event::ChatAnswered { chat, queue, operator, wait } => {
                self.leaves(at, Work::Chat(chat), queue, Left::Answered, wait.as_micros())?;
                self.work(at, operator, |work| work.chats += 1)
            }
            Event::ChatEnded { chat, queue, end, wait, handled, .. } => {
                self.chat_ended(at, chat, queue, end, wait.as_micros(), handled.as_micros())
            }
            Event::TicketCreated { ticket, .. } => match at.row_of_ticket(ticket) {
                Some(row) => self.count(at, row, |counts| counts.tickets_created += 1),
                None => Ok(()),
            },
            Event::TicketQueued { ticket, queue } => {
                if self.offered.contains_key(&Work::Ticket(ticket)) {
                    return Ok(());
                }
                self.joins(at, Work::Ticket(ticket), queue)
            }
            Event::TicketAssigned { ticket, queue, wait, .. } => {
                self.leaves(at, Work::Ticket(ticket), queue, Left::Answered, wait.as_micros())
            }
            Event::TicketChanged { ticket, change, .. } => self.ticket_changed(at, ticket, change),
            _ => Ok(()),
        }
    }

    fn chat_ended(
        &mut self,
        at: &mut At<'_>,
        chat: ChatId,
        queue: QueueId,
        end: ChatEnd,
        wait_us: u64,
        handled_us: u64,
    ) -> Result<(), StorageError> {
        match end {
            ChatEnd::Abandoned => self.leaves(at, Work::Chat(chat), queue, Left::Abandoned, wait_us),
            ChatEnd::MaximumWait => self.leaves(at, Work::Chat(chat), queue, Left::Elsewhere, wait_us),
            ChatEnd::CustomerLeft | ChatEnd::OperatorEnded => {
                if self.offered.contains_key(&Work::Chat(chat)) {
                    self.leaves(at, Work::Chat(chat), queue, Left::Elsewhere, wait_us)?;
                }
                let from = at.now_us.saturating_sub(handled_us);
                self.span(at, row_of_queue(queue), HandlePart::Talk, from)
            }
        }
    }

    fn ticket_changed(&mut self, at: &mut At<'_>, ticket: TicketId, change: TicketChange) -> Result<(), StorageError> {
        let TicketChange::Status { from, to, .. } = change else { return self.perhaps_pulled(at, ticket) };
        if to == TicketStatus::Solved && from != TicketStatus::Solved {
            if let Some(row) = at.row_of_ticket(ticket) {
                self.count(at, row, |counts| counts.tickets_solved += 1)?;
            }
            if let Some(owner) = at.engine.ticket(ticket).and_then(|ticket| ticket.owner) {
                self.work(at, owner, |work| work.tickets_solved += 1)?;
            }
        }
        self.perhaps_pulled(at, ticket)
    }

    /// A ticket that waited in a queue and no longer does was pulled, forwarded, solved or closed: it flowed out.
    fn perhaps_pulled(&mut self, at: &mut At<'_>, ticket: TicketId) -> Result<(), StorageError> {
        let work = Work::Ticket(ticket);
        let Some(&(row, interval)) = self.offered.get(&work) else { return Ok(()) };
        if at.engine.explain(work).is_ok() {
            return Ok(());
        }
        let queue = QueueId(u16::try_from(row - 1).unwrap_or(0));
        let wait_us = at.now_us.saturating_sub(interval * INTERVAL_US).min(INTERVAL_US);
        self.leaves(at, work, queue, Left::Elsewhere, wait_us)
    }

    /// Something entered a queue.
    fn joins(&mut self, at: &mut At<'_>, work: Work, queue: QueueId) -> Result<(), StorageError> {
        let row = row_of_queue(queue);
        self.offered.insert(work, (row, at.interval()));
        self.count(at, row, |counts| counts.offered += 1)?;
        let now_us = at.now_us;
        self.line(at, queue, |line| line.pace.joined(now_us))
    }

    /// Something left a queue.
    fn leaves(
        &mut self,
        at: &mut At<'_>,
        work: Work,
        queue: QueueId,
        how: Left,
        wait_us: u64,
    ) -> Result<(), StorageError> {
        let row = row_of_queue(queue);
        let told = at.now_us.saturating_sub(wait_us) / INTERVAL_US;
        let (row, arrived) = self.offered.remove(&work).unwrap_or((row, told));
        let QueueExtra { target_wait_ms, short_ms, .. } = QueueExtra::of(at.documents, queue)?;
        let in_time = u64::from(wait_us <= u64::from(target_wait_ms) * 1_000);
        let short = u64::from(wait_us <= u64::from(short_ms) * 1_000);
        self.count_in(at, arrived, row, |counts| {
            counts.delayed += u64::from(wait_us > 0);
            match how {
                Left::Answered => {
                    counts.answered += 1;
                    counts.answered_in_time += in_time;
                    counts.wait_answered_us += wait_us;
                }
                Left::Abandoned => {
                    counts.abandoned += 1;
                    counts.abandoned_in_time += in_time;
                    counts.abandoned_short += short;
                    counts.wait_abandoned_us += wait_us;
                }
                Left::Elsewhere => {
                    counts.flowed_out += 1;
                    counts.wait_flowed_out_us += wait_us;
                }
            }
        })?;
        self.count(at, row, |counts| match how {
            Left::Answered => {
                counts.answered_here += 1;
                counts.answered_in_time_here += in_time;
            }
            Left::Abandoned => counts.abandoned_here += 1,
            Left::Elsewhere => counts.flowed_out_here += 1,
        })?;
        let now_us = at.now_us;
        self.line(at, queue, |line| match how {
            Left::Answered => line.pace.answered(now_us, wait_us),
            Left::Abandoned | Left::Elsewhere => line.pace.left(now_us),
        })
    }

    fn line(&mut self, at: &mut At<'_>, queue: QueueId, change: impl FnOnce(&mut Line)) -> Result<(), StorageError> {
        let (id, interval) = (u64::from(queue.0) + 1, at.interval());
        let new = || Line { id, pace: crate::estimate::Pace::default(), interval };
        at.documents.change(id, new, |line| {
            change(line);
            line.interval = interval;
        })
    }

    fn count(&mut self, at: &mut At<'_>, row: u32, change: impl FnOnce(&mut Counts)) -> Result<(), StorageError> {
        let interval = at.interval();
        self.count_in(at, interval, row, change)
    }

    fn count_in(
        &mut self,
        at: &mut At<'_>,
        interval: u64,
        row: u32,
        change: impl FnOnce(&mut Counts),
    ) -> Result<(), StorageError> {
        let id = interval_id(interval, row);
        let new = || QueueInterval { id, ..QueueInterval::default() };
        at.documents.change(id, new, |found| change(&mut found.counts))
    }

    fn count_of(
        &mut self,
        at: &mut At<'_>,
        call: CallId,
        change: impl FnOnce(&mut Counts),
    ) -> Result<(), StorageError> {
        match at.row(call) {
            Some(row) => self.count(at, row, change),
            None => Ok(()),
        }
    }

    fn work(
        &mut self,
        at: &mut At<'_>,
        operator: OperatorId,
        change: impl FnOnce(&mut OperatorWork),
    ) -> Result<(), StorageError> {
        let id = interval_id(at.interval(), operator.0 + 1);
        let new = || OperatorInterval { id, ..OperatorInterval::default() };
        at.documents.change(id, new, |found| change(&mut found.work))
    }

    /// A part of a row's handle, ring or dial time lasted from `from_us` until now.
    fn span(&mut self, at: &mut At<'_>, row: u32, part: HandlePart, from_us: u64) -> Result<(), StorageError> {
        for (interval, span) in shares(from_us, at.now_us) {
            self.count_in(at, interval, row, |counts| counts.add_part(part, span))?;
        }
        Ok(())
    }

    /// A supervisor goes on as the operator of a call: from now on their time is the call's.
    fn took_over(&mut self, at: &mut At<'_>, operator: OperatorId, call: CallId) -> Result<(), StorageError> {
        self.status(at, operator, Status::Talking, Status::Talking, None)?;
        let (id, now_us, row) = (u64::from(operator.0) + 1, at.now_us, at.row(call));
        let talking = DeskNow { id, status: index(Status::Talking), since_us: now_us, row };
        at.documents.change(id, || talking, |desk| *desk = talking)
    }

    /// An operator's status changed: the time in the one before is booked.
    fn status(
        &mut self,
        at: &mut At<'_>,
        operator: OperatorId,
        from: Status,
        to: Status,
        call: Option<CallId>,
    ) -> Result<(), StorageError> {
        let (id, now_us) = (u64::from(operator.0) + 1, at.now_us);
        let row = call.and_then(|call| at.row(call));
        let mut before = None;
        let new = || DeskNow { id, status: index(from), since_us: now_us, row: None };
        at.documents.change(id, new, |desk| {
            before = Some(*desk);
            // A call that is over in this very step keeps the row that it had.
            let kept = desk.row.filter(|_| call.is_some());
            *desk = DeskNow { id, status: index(to), since_us: now_us, row: row.or(kept) };
        })?;
        let before = before.expect("the change was made");
        if from == Status::LoggedOut || before.status != index(from) {
            return Ok(());
        }
        for (interval, span) in shares(before.since_us, now_us) {
            let id = interval_id(interval, operator.0 + 1);
            let new = || OperatorInterval { id, ..OperatorInterval::default() };
            at.documents.change(id, new, |found| {
                found.times.in_status_us[usize::from(index(from))] += span;
                found.times.paid_us += span;
            })?;
        }
        match (before.row.or(row), part_of(from)) {
            (Some(row), Some(part)) => self.span(at, row, part, before.since_us),
            _ => Ok(()),
        }
    }
}

/// The shares of a span in the intervals that it overlaps.
pub(super) fn shares(from_us: u64, to_us: u64) -> impl Iterator<Item = (u64, u64)> {
    let mut from = from_us;
    std::iter::from_fn(move || {
        if from >= to_us {
            return None;
        }
        let interval = from / INTERVAL_US;
        let until = ((interval + 1) * INTERVAL_US).min(to_us);
        let share = (interval, until - from);
        from = until;
        Some(share)
    })
}
