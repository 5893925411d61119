//! Erasure of one person: what points to them stays as figures, what tells of them goes.

use std::collections::HashSet;

use super::Customer;
use crate::callbacks::Callback;
use crate::chat::{Chat, ChatMessage, ChatState};
use crate::host::{Documents, Turn};
use crate::http::Problem;
use crate::open_api::{Inquiry, forget_attachments};
use crate::records::CallRecord;
use crate::storage::StorageError;
use crate::tickets::{Line, LineKind, Ticket};

/// What was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize, utoipa::ToSchema)]
pub(crate) struct Erased {
    /// Call records whose number went.
    pub records: u64,
    /// Tickets whose texts went.
    pub tickets: u64,
    /// Chats whose name, messages and comment went.
    pub chats: u64,
    /// Callbacks whose number and name went.
    pub callbacks: u64,
}

/// Most call records, tickets, chats and lines of both that are changed at once; more are refused rather than half done.
const MOST: usize = 20_000;

/// Erases what is known of a customer: name, numbers, fields and notes; their number in call records and callbacks; subject,
/// texts and fields of their tickets, with their files; what was written in their chats. Times, queues, operators and
/// figures stay.
///
/// # Errors
/// Where there is no such customer, one of their calls is live, or there is too much to do at once.
pub(crate) fn erase(turn: &mut Turn<'_>, id: u64) -> Result<Erased, Problem> {
    let live = turn.engine().calls().any(|call| call.customer.is_some_and(|customer| customer.0 == id))
        || turn.engine().chats().any(|chat| chat.customer.is_some_and(|customer| customer.0 == id))
        || turn.engine().callbacks().any(|callback| callback.customer.is_some_and(|customer| customer.0 == id));
    let prefix = format!("{id}:");
    let chats = turn.documents().with_prefix::<Chat>("customer", &prefix, MOST + 1)?;
    // The engine does not know of those that were entered at the desk.
    if live || chats.iter().any(|chat| chat.state != ChatState::Ended) {
        let detail = format!("customer {id} is in a call or chat, or waits to be called: ask again when it is over");
        return Err(Problem::conflict("customer-live", detail));
    }
    let documents = turn.documents();
    let customer = documents.get::<Customer>(id)?;
    let mut customer = customer.ok_or_else(|| Problem::unknown(format!("there is no customer {id}")))?;
    let records = documents.with_prefix::<CallRecord>("customer", &prefix, MOST + 1)?;
    let callbacks = documents.with_prefix::<Callback>("customer", &prefix, MOST + 1)?;
    let tickets = tickets_of(documents, id)?;
    let mut lines = Vec::new();
    for ticket in &tickets {
        lines.extend(documents.with_prefix::<Line>("ticket", &format!("{}:", ticket.id), MOST + 1)?);
    }
    let messages: u64 = chats.iter().map(|chat| chat.messages).sum();
    let all = records.len() + tickets.len() + lines.len() + chats.len() + callbacks.len();
    if all as u64 + messages > MOST as u64 {
        let detail = format!("customer {id} has more than {MOST} records and texts: they cannot go at once");
        return Err(Problem::conflict("too-much", detail));
    }
    let erased = Erased {
        records: count(&records),
        tickets: count(&tickets),
        chats: count(&chats),
        callbacks: count(&callbacks),
    };
    forget_records(documents, records);
    for mut ticket in tickets {
        Inquiry::forget(documents, ticket.id)?;
        forget_attachments(documents, ticket.id)?;
        (ticket.subject, ticket.revision) = (String::new(), ticket.revision + 1);
        (ticket.fields, ticket.tags) = Default::default();
        if let Some(outcome) = &mut ticket.outcome {
            outcome.reason.clear();
        }
        documents.put(&ticket);
    }
    for mut line in lines {
        line.kind.forget_text();
        documents.put(&line);
    }
    for chat in chats {
        forget_chat(documents, chat)?;
    }
    for mut callback in callbacks {
        (callback.number, callback.name) = (String::new(), None);
        documents.put(&callback);
    }
    (customer.name, customer.notes, customer.erased) = (String::new(), String::new(), true);
    customer.member = None;
    customer.numbers.clear();
    customer.fields.clear();
    customer.version += 1;
    documents.put(&customer);
    Ok(erased)
}

/// Their tickets, and the issues that were made of them: some of those bear no customer.
fn tickets_of(documents: &mut Documents, id: u64) -> Result<Vec<Ticket>, StorageError> {
    let mut tickets = documents.with_prefix::<Ticket>("customer", &format!("{id}:"), MOST + 1)?;
    let mut known: HashSet<u64> = tickets.iter().map(|ticket| ticket.id).collect();
    let mut at = 0;
    while let Some(ticket) = tickets.get(at) {
        for issue in ticket.issues.clone() {
            if known.insert(issue) {
                tickets.extend(documents.get::<Ticket>(issue)?);
            }
        }
        at += 1;
    }
    Ok(tickets)
}

fn count<T>(all: &[T]) -> u64 {
    all.len() as u64
}

fn forget_chat(documents: &mut Documents, mut chat: Chat) -> Result<(), StorageError> {
    for sequence in 1..=chat.messages {
        if let Some(mut message) = documents.get::<ChatMessage>(ChatMessage::number(chat.id, sequence))? {
            message.text.clear();
            documents.put(&message);
        }
    }
    chat.name.clear();
    if let Some(evaluation) = &mut chat.evaluation {
        evaluation.comment = None;
    }
    documents.put(&chat);
    Ok(())
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
            Self::Note { text }
            | Self::Reply { text }
            | Self::CustomerReply { text }
            | Self::Description { text }
            | Self::IssueSettled { reason: text, .. } => *text = String::new(),
            Self::Attached { name, .. } => *name = String::new(),
            _ => {}
        }
    }
}
