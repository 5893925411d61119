//! Erasure of one person: what points to them stays as figures, what tells of them goes.

use super::Customer;
use crate::host::{Documents, Turn};
use crate::http::Problem;
use crate::open_api::{Inquiry, forget_attachments};
use crate::records::CallRecord;
use crate::tickets::{Line, LineKind, Ticket};

/// What was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub(crate) struct Erased {
    /// Call records whose number went.
    pub records: u64,
    /// Tickets whose texts went.
    pub tickets: u64,
}

/// Most call records, tickets and lines that are changed at once; more are refused rather than half done.
const MOST: usize = 20_000;

/// Erases what is known of a customer: name, numbers, fields and notes; their number in call records; subject, texts and
/// fields of their tickets, with their files. Times, queues, operators and figures stay.
///
/// # Errors
/// Where there is no such customer, one of their calls is live, or there is too much to do at once.
pub(crate) fn erase(turn: &mut Turn<'_>, id: u64) -> Result<Erased, Problem> {
    let live = turn.engine().calls().any(|call| call.customer.is_some_and(|customer| customer.0 == id))
        || turn.engine().chats().any(|chat| chat.customer.is_some_and(|customer| customer.0 == id))
        || turn.engine().callbacks().any(|callback| callback.customer.is_some_and(|customer| customer.0 == id));
    if live {
        let detail = format!("customer {id} is in a call or chat, or waits to be called: ask again when it is over");
        return Err(Problem::conflict("customer-live", detail));
    }
    let documents = turn.documents();
    let customer = documents.get::<Customer>(id)?;
    let mut customer = customer.ok_or_else(|| Problem::unknown(format!("there is no customer {id}")))?;
    let records = documents.with_prefix::<CallRecord>("customer", &format!("{id}:"), MOST + 1)?;
    let tickets = documents.with_prefix::<Ticket>("customer", &format!("{id}:"), MOST + 1)?;
    let mut lines = Vec::new();
    for ticket in &tickets {
        lines.extend(documents.with_prefix::<Line>("ticket", &format!("{}:", ticket.id), MOST + 1)?);
    }
    if records.len() + tickets.len() + lines.len() > MOST {
        let detail = format!("customer {id} has more than {MOST} records and texts: they cannot go at once");
        return Err(Problem::conflict("too-much", detail));
    }
    let erased = Erased { records: count(&records), tickets: count(&tickets) };
    forget_records(documents, records);
    for mut ticket in tickets {
        Inquiry::forget(documents, ticket.id)?;
        forget_attachments(documents, ticket.id)?;
        (ticket.subject, ticket.revision) = (String::new(), ticket.revision + 1);
        (ticket.fields, ticket.tags) = Default::default();
        documents.put(&ticket);
    }
    for mut line in lines {
        line.kind.forget_text();
        documents.put(&line);
    }
    (customer.name, customer.notes, customer.erased) = (String::new(), String::new(), true);
    customer.member = None;
    customer.numbers.clear();
    customer.fields.clear();
    customer.version += 1;
    documents.put(&customer);
    Ok(erased)
}

fn count<T>(all: &[T]) -> u64 {
    all.len() as u64
}

fn forget_records(documents: &mut Documents, records: Vec<CallRecord>) {
    for mut record in records {
        record.number = None;
        documents.put(&record);
    }
}

impl LineKind {
    fn forget_text(&mut self) {
        match self {
            Self::Note { text } | Self::Reply { text } | Self::CustomerReply { text } | Self::Description { text } => {
                *text = String::new();
            }
            Self::Attached { name, .. } => *name = String::new(),
            _ => {}
        }
    }
}
