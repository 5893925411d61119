//! From the engine's events to tickets and their histories.

use callfloor_engine::{Engine, Event, Instant, Output, TicketChange, TicketId, TicketStatus as S};

use super::{Clocks, Line, LineKind, Ticket};
use crate::host::{Documents, Projection};
use crate::storage::StorageError;
use crate::wire::TicketStatus;

/// Writes tickets down.
#[derive(Debug)]
pub(crate) struct Histories;

impl Projection for Histories {
    fn project(
        &mut self,
        documents: &mut Documents,
        engine: &Engine,
        at: Instant,
        output: &Output,
    ) -> Result<(), StorageError> {
        let Output::Event(event) = output else { return Ok(()) };
        let at_us = at.as_micros();
        match *event {
            Event::TicketCreated { ticket, service, origin, owner, customer, reference } => {
                let priority = engine.ticket(ticket).map_or(0, |view| view.priority);
                let (id, owner) = (number(ticket), owner.map(|owner| owner.0));
                documents.put(&Ticket {
                    id,
                    slot: ticket.slot(),
                    revision: 1,
                    service: service.0,
                    origin: origin.into(),
                    subject: String::new(),
                    category: None,
                    tags: Vec::new(),
                    fields: Default::default(),
                    customer: customer.map(|customer| customer.0),
                    owner,
                    queue: None,
                    status: if owner.is_some() { TicketStatus::Open } else { TicketStatus::New },
                    resolution: None,
                    priority,
                    created_us: at_us,
                    changed_us: at_us,
                    clocks: Default::default(),
                    clocks_at_us: at_us,
                    first_reply_us: None,
                    solved_us: None,
                    closed_us: None,
                    first_response_late: false,
                    resolution_late: false,
                    reopened: 0,
                    score: None,
                    linked: Vec::new(),
                    merged_into: None,
                    absorbed: Vec::new(),
                    escalated_from: None,
                    issues: Vec::new(),
                    outcome: None,
                    reference,
                });
                Line::add(documents, id, at_us, LineKind::Created { origin: origin.into(), owner })
            }
            Event::TicketQueued { ticket, queue } => {
                Ticket::edit(documents, number(ticket), at_us, |it| it.queue = Some(queue.0))?;
                Line::add(documents, number(ticket), at_us, LineKind::Queued { queue: queue.0 })
            }
            Event::TicketAssigned { ticket, queue, operator, .. } => {
                Ticket::edit(documents, number(ticket), at_us, |_| {})?;
                Line::add(documents, number(ticket), at_us, LineKind::Assigned { queue: queue.0, operator: operator.0 })
            }
            Event::TicketChanged { ticket, change, .. } => {
                let times = engine.ticket_times(ticket, at).map(Clocks::from);
                Ticket::edit(documents, number(ticket), at_us, |it| {
                    // One that was closed in this very step is no longer in the engine.
                    it.clocks = times.unwrap_or_else(|| {
                        let hours = engine.config().services.get(usize::from(it.service)).map(|service| &service.hours);
                        let runs = matches!(it.status, TicketStatus::New | TicketStatus::Open);
                        hours.filter(|_| runs).map_or(it.clocks, |hours| it.clocks.later(hours, it.clocks_at_us, at_us))
                    });
                    it.clocks_at_us = at_us;
                    follow(it, change, at_us);
                })?;
                Line::add(documents, number(ticket), at_us, line(change))
            }
            _ => Ok(()),
        }
    }
}

fn number(ticket: TicketId) -> u64 {
    u64::from(ticket.number())
}

/// What a change makes of the ticket.
fn follow(ticket: &mut Ticket, change: TicketChange, at_us: u64) {
    match change {
        TicketChange::Status { from, to, resolution } => {
            ticket.status = to.into();
            match to {
                S::Solved => (ticket.solved_us, ticket.resolution) = (Some(at_us), resolution.map(Into::into)),
                S::Closed => {
                    ticket.closed_us = Some(at_us);
                    ticket.resolution = resolution.map(Into::into).or(ticket.resolution);
                }
                S::New | S::Open | S::Pending if from == S::Solved => {
                    (ticket.solved_us, ticket.resolution) = (None, None);
                    ticket.reopened += 1;
                }
                S::New | S::Open | S::Pending => {}
            }
        }
        TicketChange::Owner { to, .. } => ticket.owner = to.map(|owner| owner.0),
        TicketChange::Priority(priority) => ticket.priority = priority,
        TicketChange::Replied(_) => {
            ticket.first_reply_us.get_or_insert(at_us);
        }
        TicketChange::Absorbed(other) => ticket.absorbed.push(number(other)),
        TicketChange::MergedInto(other) => ticket.merged_into = Some(number(other)),
        TicketChange::Linked(other) => {
            if !ticket.linked.contains(&number(other)) {
                ticket.linked.push(number(other));
            }
        }
        TicketChange::Rated(score) => ticket.score = Some(score),
        TicketChange::FirstResponseLate => ticket.first_response_late = true,
        TicketChange::ResolutionLate => ticket.resolution_late = true,
        TicketChange::DialFailed(_) | TicketChange::CustomerReplied | TicketChange::Returned(_) => {}
    }
}

fn line(change: TicketChange) -> LineKind {
    match change {
        TicketChange::Status { from, to, resolution } => {
            LineKind::Status { from: from.into(), to: to.into(), resolution: resolution.map(Into::into) }
        }
        TicketChange::Owner { from, to } => {
            LineKind::Owner { from: from.map(|owner| owner.0), to: to.map(|owner| owner.0) }
        }
        TicketChange::Priority(priority) => LineKind::Priority { priority },
        TicketChange::DialFailed(cause) => LineKind::DialFailed { cause: cause.into() },
        TicketChange::Replied(operator) => LineKind::Replied { operator: operator.0 },
        TicketChange::CustomerReplied => LineKind::CustomerReplied,
        TicketChange::Absorbed(other) => LineKind::Absorbed { other: number(other) },
        TicketChange::MergedInto(other) => LineKind::MergedInto { other: number(other) },
        TicketChange::Linked(other) => LineKind::Linked { other: number(other) },
        TicketChange::Rated(score) => LineKind::Rated { score },
        TicketChange::FirstResponseLate => LineKind::FirstResponseLate,
        TicketChange::ResolutionLate => LineKind::ResolutionLate,
        TicketChange::Returned(queue) => LineKind::Returned { queue: queue.0 },
    }
}
