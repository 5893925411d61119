//! Tickets over HTTP: lists and search, one with its history, every change, and what an administrator prepares.

mod batch;
mod change;
mod export;
mod issues;
mod list;
mod prepared;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use callfloor_engine::{Command, TicketId};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;

pub(crate) use change::{LONGEST, check, subject, text};

use super::records::own_services;
use super::{App, Problem};
use crate::auth::{Access, Account, Principal, Role, Row};
use crate::document::{Document, Read};
use crate::host::Turn;
use crate::open_api::Inquiry;
use crate::storage::{Range, Reader};
use crate::tickets::{Clocks, Line, Ticket};

/// Who works on tickets.
const DESK: Access = Access::Roles(&[Role::Operator, Role::Supervisor]);
const SUPERVISORS: Access = Access::Roles(&[Role::Supervisor]);
/// Who prepares categories, fields and templates.
const WRITERS: Access = Access::Roles(&[Role::Supervisor, Role::Administrator]);

/// Rows of this module's routes.
pub(crate) fn permissions() -> impl Iterator<Item = &'static Row> {
    [
        list::PERMISSIONS,
        change::PERMISSIONS,
        batch::PERMISSIONS,
        export::PERMISSIONS,
        issues::PERMISSIONS,
        prepared::PERMISSIONS,
    ]
    .into_iter()
    .flatten()
}

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .merge(list::router())
        .merge(change::router())
        .merge(batch::router())
        .merge(export::router())
        .merge(issues::router())
        .merge(prepared::router())
}

/// A ticket with everything about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub(super) struct WholeTicket {
    /// The ticket.
    #[serde(flatten)]
    pub ticket: Ticket,
    /// Business time that has counted until now.
    pub clocks_now: Clocks,
    /// Its history, the oldest first; the last 500 lines.
    pub lines: Vec<Line>,
    /// Names of the accounts that lines name by number.
    #[serde(default)]
    pub accounts: BTreeMap<u64, String>,
    /// Whether it came by the open API or the help centre: `GET /tickets/{ticket}/inquiry` says from whom.
    #[serde(default)]
    pub inquiry: bool,
}

/// Most lines that a ticket is shown with.
const SHOWN_LINES: usize = 500;

/// The last lines of a ticket, the oldest first.
pub(crate) fn lines(reader: &mut dyn Reader, ticket: u64, most: usize) -> Result<Vec<Line>, Problem> {
    let (from, to) = (format!("{ticket}:"), format!("{ticket};"));
    let mut lines = reader.documents::<Line>(&Range {
        index: Some("ticket"),
        from: Some(&from),
        to: Some(&to),
        descending: true,
        ..Range::all(Line::KIND, most)
    })?;
    lines.reverse();
    Ok(lines)
}

/// A ticket that the one who asks may see: an operator those of their services.
pub(crate) fn visible(turn: &mut Turn<'_>, who: &Principal, id: u64) -> Result<Ticket, Problem> {
    let unknown = || Problem::unknown(format!("there is no ticket {id} for you"));
    let ticket = turn.documents().get::<Ticket>(id)?.ok_or_else(unknown)?;
    if who.role == Role::Operator {
        let people = &turn.engine().config().operators;
        let person = who.operator.and_then(|operator| people.get(operator.index()));
        let own = person.is_some_and(|person| person.services.iter().any(|service| service.0 == ticket.service));
        if !own {
            return Err(unknown());
        }
    }
    Ok(ticket)
}

/// The engine's id of a ticket that can still be changed.
fn live(ticket: &Ticket) -> Result<TicketId, Problem> {
    ticket.live().ok_or_else(|| {
        let detail = format!("ticket {} is closed for good: make a new one and link it", ticket.id);
        Problem::conflict("ticket-closed", detail)
    })
}

/// The ticket as it is in this turn.
fn whole(turn: &mut Turn<'_>, id: u64) -> Result<WholeTicket, Problem> {
    let now = turn.now();
    let documents = turn.documents();
    let ticket = documents.get::<Ticket>(id)?;
    let ticket = ticket.ok_or_else(|| Problem::unknown(format!("there is no ticket {id}")))?;
    let lines = documents.last_with_prefix::<Line>("ticket", &format!("{id}:"), SHOWN_LINES)?;
    let engine = turn.engine();
    let live = ticket.live().and_then(|live| engine.ticket_times(live, now));
    let clocks_now = live.map_or(ticket.clocks, Clocks::from);
    let mut accounts = BTreeMap::new();
    for by in lines.iter().filter_map(|line| line.by) {
        if let Entry::Vacant(place) = accounts.entry(by)
            && let Some(account) = turn.documents().get::<Account>(by)?
        {
            place.insert(account.name);
        }
    }
    let inquiry = turn.documents().get::<Inquiry>(id)?.is_some();
    Ok(WholeTicket { ticket, clocks_now, lines, accounts, inquiry })
}

/// Gives the engine a command about a ticket; where it is an issue, the ticket behind it follows.
fn order(turn: &mut Turn<'_>, command: Command) -> Result<(), Problem> {
    crate::issues::apply(turn, command)?;
    Ok(())
}
