//! How a ticket is escalated: an issue is made, linked, and the ticket waits for it.

use callfloor_engine::{Channel, Command, CustomerId, QueueId, ServiceId};

use super::follow::move_to;
use super::{ServiceKind, Shows, is_settled};
use crate::floor::ServiceExtra;
use crate::host::Turn;
use crate::http::Problem;
use crate::tickets::{Line, LineKind, Ticket, created, link};
use crate::wire::TicketStatus;

/// Most issues that are made of one ticket.
const MOST: usize = 50;

/// What an issue is made of, beside the ticket.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) service: u16,
    /// A queue of that service; none: its first one for tickets, or to be pulled where it has none.
    pub(crate) queue: Option<u16>,
    /// Without one the ticket's.
    pub(crate) subject: Option<String>,
    pub(crate) description: String,
    /// Without one the ticket's.
    pub(crate) priority: Option<u8>,
}

/// Makes an issue of a ticket; gives the issue's number.
///
/// # Errors
/// Where the ticket cannot be escalated, the service takes no issues, or the queue is not its own; what storage says.
pub(crate) fn open(turn: &mut Turn<'_>, ticket: &Ticket, wanted: Wanted) -> Result<u64, Problem> {
    if is_settled(ticket.status) {
        let detail = format!("ticket {} is solved: open it again, or make a new one, to escalate it", ticket.id);
        return Err(Problem::conflict("ticket-solved", detail));
    }
    if ticket.issues.len() >= MOST {
        let detail = format!("ticket {} has {MOST} issues: that is the most; open one of them again", ticket.id);
        return Err(Problem::conflict("too-many", detail));
    }
    let shows = takes_issues(turn, wanted.service)?;
    let queue = queue_of(turn, wanted.service, wanted.queue)?;
    let outputs = turn.apply(Command::TicketArrived {
        service: ServiceId(wanted.service),
        queue,
        customer: ticket.customer.filter(|_| shows >= Shows::Customer).map(CustomerId),
        priority: wanted.priority.unwrap_or(ticket.priority),
        reference: 0,
    })?;
    let id = created(&outputs).expect("an accepted ticket was created");
    let now_us = turn.now().as_micros();
    let documents = turn.documents();
    Ticket::edit(documents, id, now_us, |issue| {
        issue.subject = wanted.subject.unwrap_or_else(|| ticket.subject.clone());
        issue.escalated_from = Some(ticket.id);
    })?;
    Line::add(documents, id, now_us, LineKind::EscalatedFrom { other: ticket.id })?;
    Line::add(documents, id, now_us, LineKind::Description { text: wanted.description })?;
    Ticket::edit(documents, ticket.id, now_us, |ticket| ticket.issues.push(id))?;
    Line::add(documents, ticket.id, now_us, LineKind::Escalated { issue: id, service: wanted.service })?;
    let then = ServiceExtra::of(documents, ServiceId(ticket.service))?.escalation.while_open;
    let issue = documents.get::<Ticket>(id)?.expect("it was made in this turn");
    link(turn, ticket, &issue)?;
    move_to(turn, ticket, then)?;
    Ok(id)
}

fn takes_issues(turn: &mut Turn<'_>, service: u16) -> Result<Shows, Problem> {
    if usize::from(service) >= turn.engine().config().services.len() {
        return Err(Problem::wrong("service", format!("there is no service {service}")));
    }
    match ServiceExtra::of(turn.documents(), ServiceId(service))?.kind {
        ServiceKind::Issues { shows } => Ok(shows),
        ServiceKind::Desk => {
            let detail = format!("service {service} takes no issues: make a ticket there instead, and link it");
            Err(Problem::conflict("no-issue-service", detail))
        }
    }
}

fn queue_of(turn: &Turn<'_>, service: u16, wanted: Option<u16>) -> Result<Option<QueueId>, Problem> {
    let queues = &turn.engine().config().queues;
    let own = |queue: &QueueId| {
        let found = queues.get(queue.index());
        found.is_some_and(|found| found.service == ServiceId(service) && found.channel == Channel::Ticket)
    };
    match wanted.map(QueueId) {
        Some(queue) if own(&queue) => Ok(Some(queue)),
        Some(queue) => {
            let detail = format!("queue {} is no queue for tickets of service {service}", queue.0);
            Err(Problem::wrong("queue", detail))
        }
        None => Ok((0..u16::try_from(queues.len()).unwrap_or(u16::MAX)).map(QueueId).find(own)),
    }
}

/// Opens an issue that has ended again: the ticket behind it follows.
///
/// # Errors
/// Where it has not ended, or is closed for good; what storage says.
pub(crate) fn reopen(turn: &mut Turn<'_>, issue: &Ticket, reason: String) -> Result<(), Problem> {
    let live = match (issue.status, issue.live()) {
        (TicketStatus::Solved, Some(live)) => live,
        (TicketStatus::Closed, _) | (_, None) => {
            let detail = format!("issue {} is closed for good: escalate the ticket anew", issue.id);
            return Err(Problem::conflict("ticket-closed", detail));
        }
        _ => return Err(Problem::conflict("issue-open", format!("issue {} has not ended", issue.id))),
    };
    let now_us = turn.now().as_micros();
    super::apply(
        turn,
        Command::SetTicketStatus {
            ticket: live,
            by: None,
            status: callfloor_engine::TicketStatus::Open,
            resolution: callfloor_engine::Resolution::Answered,
            version: None,
        },
    )?;
    Ok(Line::add(turn.documents(), issue.id, now_us, LineKind::Note { text: reason })?)
}
