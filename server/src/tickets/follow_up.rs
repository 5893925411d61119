//! What leads from one ticket to another: links, and a customer's reply to a ticket that is closed for good.

use callfloor_engine::{Command, CustomerId, Event, Output, ServiceId};

use super::{Line, LineKind, Ticket};
use crate::host::Turn;
use crate::http::Problem;

/// The number of the ticket that some outputs say was created.
#[must_use]
pub fn created(outputs: &[Output]) -> Option<u64> {
    outputs.iter().find_map(|output| match output {
        Output::Event(Event::TicketCreated { ticket, .. }) => Some(u64::from(ticket.number())),
        _ => None,
    })
}

/// Links two tickets: through the engine where it has both, else in what is kept of them.
///
/// # Errors
/// The engine's, or what storage says.
pub(crate) fn link(turn: &mut Turn<'_>, ticket: &Ticket, other: &Ticket) -> Result<(), Problem> {
    if let (Some(one), Some(another)) = (ticket.live(), other.live()) {
        turn.apply(Command::LinkTickets { ticket: one, other: another })?;
        return Ok(());
    }
    let now_us = turn.now().as_micros();
    let documents = turn.documents();
    for (id, to) in [(ticket.id, other.id), (other.id, ticket.id)] {
        Ticket::edit(documents, id, now_us, |ticket| {
            if !ticket.linked.contains(&to) {
                ticket.linked.push(to);
            }
        })?;
        Line::add(documents, id, now_us, LineKind::Linked { other: to })?;
    }
    Ok(())
}

/// The customer of a ticket wrote. Gives the ticket that the text is in: this one, or a new one where it is closed.
///
/// # Errors
/// Where there is no such ticket; the engine's; or what storage says.
pub(crate) fn customer_wrote(turn: &mut Turn<'_>, id: u64, text: String) -> Result<u64, Problem> {
    let unknown = || Problem::unknown(format!("there is no ticket {id}"));
    let ticket = turn.documents().get::<Ticket>(id)?.ok_or_else(unknown)?;
    if let Some(first) = ticket.escalated_from {
        let detail = format!("ticket {id} is an issue: what the customer writes is for ticket {first}");
        return Err(Problem::conflict("is-issue", detail));
    }
    let now_us = turn.now().as_micros();
    if let Some(live) = ticket.live() {
        turn.apply(Command::CustomerReplied { ticket: live })?;
        Line::add(turn.documents(), id, now_us, LineKind::CustomerReply { text })?;
        return Ok(id);
    }
    let outputs = turn.apply(Command::TicketArrived {
        service: ServiceId(ticket.service),
        queue: None,
        customer: ticket.customer.map(CustomerId),
        priority: ticket.priority,
        reference: 0,
    })?;
    let new = created(&outputs).expect("an accepted ticket was created");
    let documents = turn.documents();
    Ticket::edit(documents, new, now_us, |it| {
        (it.subject, it.category) = (ticket.subject.clone(), ticket.category);
    })?;
    Line::add(documents, new, now_us, LineKind::CustomerReply { text })?;
    let follow_up = documents.get::<Ticket>(new)?.ok_or_else(unknown)?;
    link(turn, &follow_up, &ticket)?;
    Ok(new)
}
