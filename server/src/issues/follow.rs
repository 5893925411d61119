//! The ticket behind an issue follows it: its status by the setting of its service, its history always.

use callfloor_engine::{Command, Event, Output, Resolution, TicketChange, TicketId, TicketStatus};

use super::{Escalation, Kept, Outcome, Then, is_settled};
use crate::floor::ServiceExtra;
use crate::host::{Documents, Turn};
use crate::http::Problem;
use crate::storage::StorageError;
use crate::tickets::{Line, LineKind, Ticket, missing_field};
use crate::wire;

/// Gives the engine a command about tickets. Where it ends an issue or opens one again, the ticket behind it follows in
/// the same turn.
///
/// # Errors
/// The engine's, which then changed nothing; or what storage says.
pub(crate) fn apply(turn: &mut Turn<'_>, command: Command) -> Result<Vec<Output>, Problem> {
    let outputs = turn.apply(command)?;
    follow(turn, &outputs)?;
    Ok(outputs)
}

fn follow(turn: &mut Turn<'_>, outputs: &[Output]) -> Result<(), Problem> {
    use TicketStatus as S;
    for output in outputs {
        let Output::Event(Event::TicketChanged { ticket, change, .. }) = output else { continue };
        let id = u64::from(ticket.number());
        match *change {
            // Two weeks later a solved one closes: its end was told.
            TicketChange::Status { from: S::Solved, to: S::Closed, .. } => {}
            TicketChange::Status { to: S::Solved | S::Closed, resolution, .. } => {
                settled(turn, id, resolution.map(Into::into))?;
            }
            TicketChange::Status { from: S::Solved, .. } => reopened(turn, id)?,
            TicketChange::Absorbed(other) => inherits(turn.documents(), id, u64::from(other.number()))?,
            _ => {}
        }
    }
    Ok(())
}

/// Whether one ticket was escalated, in however many steps, to make another.
///
/// # Errors
/// What storage says.
pub(crate) fn is_above(documents: &mut Documents, one: u64, other: u64) -> Result<bool, StorageError> {
    // Ends: an issue is younger than what it was made of.
    let mut at = documents.get::<Ticket>(other)?.and_then(|found| found.escalated_from);
    while let Some(above) = at {
        if above == one {
            return Ok(true);
        }
        at = documents.get::<Ticket>(above)?.and_then(|found| found.escalated_from).filter(|next| *next < above);
    }
    Ok(false)
}

/// A ticket that absorbed another has its issues.
fn inherits(documents: &mut Documents, into: u64, from: u64) -> Result<(), StorageError> {
    let Some(mut absorbed) = documents.get::<Ticket>(from)? else { return Ok(()) };
    let issues = std::mem::take(&mut absorbed.issues);
    if issues.is_empty() {
        return Ok(());
    }
    documents.put(&absorbed);
    for &id in &issues {
        if let Some(mut issue) = documents.get::<Ticket>(id)? {
            issue.escalated_from = Some(into);
            documents.put(&issue);
        }
    }
    if let Some(mut stays) = documents.get::<Ticket>(into)? {
        stays.issues.extend(issues);
        documents.put(&stays);
    }
    Ok(())
}

/// The issue, and the ticket that it was made of; `None` where the ticket is no issue.
fn pair(documents: &mut Documents, id: u64) -> Result<Option<(Ticket, Ticket)>, StorageError> {
    let Some(issue) = documents.get::<Ticket>(id)? else { return Ok(None) };
    let Some(first) = issue.escalated_from else { return Ok(None) };
    Ok(documents.get::<Ticket>(first)?.map(|first| (issue, first)))
}

fn settled(turn: &mut Turn<'_>, id: u64, resolution: Option<wire::Resolution>) -> Result<(), Problem> {
    let now_us = turn.now().as_micros();
    let documents = turn.documents();
    let Some((issue, first)) = pair(documents, id)? else { return Ok(()) };
    let outcome = match issue.outcome {
        Some(outcome) => outcome,
        None => {
            let outcome = Outcome::of(resolution, now_us);
            Ticket::edit(documents, id, now_us, |issue| issue.outcome = Some(outcome.clone()))?;
            outcome
        }
    };
    let then = escalation(documents, &first)?.on(outcome.verdict);
    let (then, kept) = after(documents, &first, id, then)?;
    let Outcome { verdict, reason, .. } = outcome;
    let line = |kept| LineKind::IssueSettled { issue: id, verdict, reason: reason.clone(), kept };
    Ticket::edit(documents, first.id, now_us, |_| {})?;
    Line::add(documents, first.id, now_us, line(kept))?;
    Line::add(documents, id, now_us, line(None))?;
    move_to(turn, &first, then)
}

fn reopened(turn: &mut Turn<'_>, id: u64) -> Result<(), Problem> {
    let now_us = turn.now().as_micros();
    let documents = turn.documents();
    let Some((_, first)) = pair(documents, id)? else { return Ok(()) };
    Ticket::edit(documents, id, now_us, |issue| issue.outcome = None)?;
    Ticket::edit(documents, first.id, now_us, |_| {})?;
    for ticket in [first.id, id] {
        Line::add(documents, ticket, now_us, LineKind::IssueReopened { issue: id })?;
    }
    let then = escalation(documents, &first)?.while_open;
    move_to(turn, &first, then)
}

fn escalation(documents: &mut Documents, ticket: &Ticket) -> Result<Escalation, StorageError> {
    Ok(ServiceExtra::of(documents, callfloor_engine::ServiceId(ticket.service))?.escalation)
}

/// What becomes of a ticket one of whose issues has ended, and why not what the setting says.
fn after(
    documents: &mut Documents,
    first: &Ticket,
    ended: u64,
    then: Then,
) -> Result<(Then, Option<Kept>), StorageError> {
    match first.status {
        wire::TicketStatus::Closed => return Ok((Then::Stays, Some(Kept::Closed))),
        wire::TicketStatus::Solved => return Ok((Then::Stays, Some(Kept::Solved))),
        _ => {}
    }
    for &other in first.issues.iter().filter(|other| **other != ended) {
        if documents.get::<Ticket>(other)?.is_some_and(|other| !is_settled(other.status)) {
            return Ok((Then::Stays, Some(Kept::OtherIssue)));
        }
    }
    if then == Then::Solved && missing_field(documents, first)?.is_some() {
        return Ok((Then::Open, Some(Kept::FieldRequired)));
    }
    Ok((then, None))
}

/// Moves a ticket to where its issue sends it; one that is closed for good stays.
pub(super) fn move_to(turn: &mut Turn<'_>, ticket: &Ticket, then: Then) -> Result<(), Problem> {
    use wire::TicketStatus as W;
    let Some(live) = ticket.live() else { return Ok(()) };
    match (ticket.status, then) {
        // Opening it leaves it as it is; nothing but Open follows Solved.
        (_, Then::Stays) | (W::New | W::Open, Then::Open) | (W::Pending, Then::Pending) | (W::Solved, Then::Solved) => {
        }
        (W::Solved, Then::Pending) => {
            set(turn, live, TicketStatus::Open)?;
            set(turn, live, TicketStatus::Pending)?;
        }
        (_, Then::Open) => set(turn, live, TicketStatus::Open)?,
        (_, Then::Pending) => set(turn, live, TicketStatus::Pending)?,
        (_, Then::Solved) => set(turn, live, TicketStatus::Solved)?,
    }
    Ok(())
}

/// Through [`apply`]: a ticket that is an issue itself takes the one behind it along.
fn set(turn: &mut Turn<'_>, ticket: TicketId, status: TicketStatus) -> Result<(), Problem> {
    let resolution = Resolution::Answered;
    apply(turn, Command::SetTicketStatus { ticket, by: None, status, resolution, version: None })?;
    Ok(())
}
