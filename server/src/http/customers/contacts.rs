//! What customers had to do with us: their timeline, everything about one of them for export, and erasure.

use std::collections::HashSet;

use axum::Json;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::reach::reach;
use super::{READERS, SUPERVISORS, ShownCustomer, there};
use crate::audit::Act;
use crate::auth::{Caller, Row};
use crate::callbacks::{Callback, CallbackState};
use crate::chat::{Author, Chat, ChatState, Evaluation, KnownBy, transcript};
use crate::customers::{Customer, Erased, erase};
use crate::document::{Document, Read};
use crate::http::{App, At, CallRef, CallbackRef, ChatRef, Problem, TicketRef};
use crate::open_api::{self, Attachment, Inquiry};
use crate::records::CallRecord;
use crate::storage::{Range, Reader};
use crate::tickets::{Line, Ticket};

pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/customers/{customer}/timeline", access: READERS },
    Row { method: "GET", path: "/customers/{customer}/export", access: SUPERVISORS },
    Row { method: "POST", path: "/customers/{customer}/erase", access: SUPERVISORS },
];

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(timeline)).routes(routes!(export)).routes(routes!(forget))
}

/// Something that a customer had to do with us.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
#[schema(as = TimelineContact)]
enum Contact {
    /// A call.
    Call {
        /// When it came or was dialled, in microseconds since 1970.
        at_us: u64,
        /// The call's running number.
        call: u64,
        /// Whether we dialled it.
        outbound: bool,
        /// How it ended.
        cause: Option<crate::wire::Cause>,
        /// Talking, in microseconds.
        talk_us: u64,
        /// Who had it.
        operators: Vec<u32>,
        /// Its ticket.
        ticket: Option<u64>,
    },
    /// A ticket.
    Ticket {
        /// When it was made, in microseconds since 1970.
        at_us: u64,
        /// Its number.
        ticket: u64,
        /// In a line.
        subject: String,
        /// Where it stands.
        status: crate::wire::TicketStatus,
        /// Whose it is.
        owner: Option<u32>,
    },
    /// A chat.
    Chat {
        /// When it was opened, in microseconds since 1970.
        at_us: u64,
        /// Which; its transcript is read by it.
        chat: Option<ChatRef>,
        /// How the customer is known.
        by: KnownBy,
        /// Where it stands.
        state: ChatState,
        /// Who has it, or had it last.
        operator: Option<u32>,
        /// Its ticket.
        ticket: Option<TicketRef>,
    },
    /// A callback.
    Callback {
        /// When it was asked for, in microseconds since 1970.
        at_us: u64,
        /// Which.
        callback: Option<CallbackRef>,
        /// Where it stands.
        state: CallbackState,
        /// Dials made.
        attempts: u8,
        /// To whom it is or was assigned last.
        operator: Option<u32>,
        /// The last dial.
        call: Option<CallRef>,
    },
}

impl Contact {
    const fn at_us(&self) -> u64 {
        match self {
            Self::Call { at_us, .. }
            | Self::Ticket { at_us, .. }
            | Self::Chat { at_us, .. }
            | Self::Callback { at_us, .. } => *at_us,
        }
    }
}

impl From<CallRecord> for Contact {
    fn from(call: CallRecord) -> Self {
        Self::Call {
            at_us: call.arrived_us,
            call: call.id,
            outbound: call.outbound,
            cause: call.cause,
            talk_us: call.talk_us,
            operators: call.operators,
            ticket: call.ticket,
        }
    }
}

impl From<Ticket> for Contact {
    fn from(ticket: Ticket) -> Self {
        let Ticket { created_us: at_us, id: ticket, subject, status, owner, .. } = ticket;
        Self::Ticket { at_us, ticket, subject, status, owner }
    }
}

impl From<Chat> for Contact {
    fn from(found: Chat) -> Self {
        let by = found.customer.map_or(KnownBy::Desk, |known| known.by);
        let Chat { opened_us: at_us, chat, state, operator, ticket, .. } = found;
        Self::Chat { at_us, chat, by, state, operator, ticket }
    }
}

impl From<Callback> for Contact {
    fn from(found: Callback) -> Self {
        let Callback { received_us: at_us, callback, state, attempts, operator, call, .. } = found;
        Self::Callback { at_us, callback, state, attempts, operator, call }
    }
}

/// Most of each kind of contact in an export.
const MOST: usize = 5_000;
/// Most of each kind of contact in a timeline.
const SHOWN: usize = 200;

/// The newest documents of one kind that are under a customer's record.
fn of_customer<D: Document>(reader: &mut dyn Reader, id: u64, most: usize) -> Result<Vec<D>, Problem> {
    let (from, to) = (format!("{id}:"), format!("{id};"));
    let all = Range::all(D::KIND, most);
    let range = Range { index: Some("customer"), from: Some(&from), to: Some(&to), descending: true, ..all };
    Ok(reader.documents::<D>(&range)?)
}

/// What a customer had to do with us, the newest first: the last 200 of calls, of tickets, of chats and of callbacks.
#[utoipa::path(get, path = "/customers/{customer}/timeline", tag = "customers",
    params(("customer" = u64, Path, description = "the record's number")), responses(
    (status = 200, description = "calls, tickets, chats and callbacks", body = Vec<Contact>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn timeline(caller: Caller, At(id): At<u64>) -> Result<Json<Vec<Contact>>, Problem> {
    let reach = reach(&caller, id).await?;
    let all = caller
        .read(move |reader| {
            there(reader.document::<Customer>(id)?, id)?;
            let mut all: Vec<Contact> = Vec::new();
            let calls = of_customer::<CallRecord>(reader, id, SHOWN)?.into_iter();
            all.extend(calls.filter(|call| reach.service(call.service)).map(Contact::from));
            let tickets = of_customer::<Ticket>(reader, id, SHOWN)?.into_iter();
            all.extend(tickets.filter(|ticket| reach.service(ticket.service)).map(Contact::from));
            let chats = of_customer::<Chat>(reader, id, SHOWN)?.into_iter();
            all.extend(chats.filter(|chat| reach.service(chat.service)).map(Contact::from));
            let callbacks = of_customer::<Callback>(reader, id, SHOWN)?.into_iter();
            all.extend(callbacks.filter(|callback| reach.service(callback.service)).map(Contact::from));
            all.sort_by_key(|contact| std::cmp::Reverse(contact.at_us()));
            Ok(all)
        })
        .await?;
    Ok(Json(all))
}

/// Everything that is kept of a person.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct Export {
    /// The record.
    customer: ShownCustomer,
    /// Their calls, whole.
    #[schema(value_type = Vec<Object>)]
    calls: Vec<CallRecord>,
    /// Their tickets, and the issues that were made of them.
    tickets: Vec<Ticket>,
    /// Every line of their tickets.
    lines: Vec<Line>,
    /// Whom those of their tickets are from that came by the open API.
    inquiries: Vec<Inquiry>,
    /// The files under their tickets; `GET /tickets/{ticket}/attachments/{attachment}` has their content.
    attachments: Vec<Attachment>,
    /// Their chats with everything written in them.
    chats: Vec<ExportedChat>,
    /// Their callbacks.
    callbacks: Vec<ExportedCallback>,
    /// Whether there was more than fits.
    cut: bool,
}

/// A chat with everything written in it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct ExportedChat {
    /// When it was opened, in microseconds since 1970.
    opened_us: u64,
    /// When it ended, in microseconds since 1970.
    ended_us: Option<u64>,
    /// What the customer called themselves.
    name: String,
    /// How the customer is known.
    known_by: Option<KnownBy>,
    /// What they thought of it.
    evaluation: Option<Evaluation>,
    /// What was written and what happened, in order.
    lines: Vec<ChatText>,
}

/// A line of a chat.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct ChatText {
    /// When, in microseconds since 1970.
    at_us: u64,
    /// Who.
    from: Author,
    /// What was written; empty where something happened.
    text: String,
}

/// A callback.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct ExportedCallback {
    /// When it was asked for, in microseconds since 1970.
    received_us: u64,
    /// The number to call.
    number: String,
    /// What the customer called themselves.
    name: Option<String>,
    /// Where it stands.
    state: CallbackState,
    /// Dials made.
    attempts: u8,
}

impl ExportedChat {
    fn of(reader: &mut dyn Reader, chat: Chat) -> Result<Self, Problem> {
        let lines = transcript(reader, chat.id)?.into_iter();
        Ok(Self {
            opened_us: chat.opened_us,
            ended_us: chat.ended_us,
            name: chat.name,
            known_by: chat.customer.map(|known| known.by),
            evaluation: chat.evaluation,
            lines: lines.map(|line| ChatText { at_us: line.at_us, from: line.from, text: line.text }).collect(),
        })
    }
}

impl From<Callback> for ExportedCallback {
    fn from(callback: Callback) -> Self {
        let Callback { received_us, number, name, state, attempts, .. } = callback;
        Self { received_us, number, name, state, attempts }
    }
}

/// Their tickets, and the issues that were made of them: some of those bear no customer.
fn with_issues(reader: &mut dyn Reader, mut tickets: Vec<Ticket>) -> Result<Vec<Ticket>, Problem> {
    let mut known: HashSet<u64> = tickets.iter().map(|ticket| ticket.id).collect();
    let mut at = 0;
    while let Some(ticket) = tickets.get(at) {
        for issue in ticket.issues.clone() {
            if known.insert(issue) {
                tickets.extend(reader.document::<Ticket>(issue)?);
            }
        }
        at += 1;
    }
    Ok(tickets)
}

/// Everything that is kept of a person, for them: their record, calls, tickets, chats, callbacks and texts.
#[utoipa::path(get, path = "/customers/{customer}/export", tag = "customers",
    params(("customer" = u64, Path, description = "the record's number")), responses(
    (status = 200, description = "what is kept", body = Export),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn export(caller: Caller, At(id): At<u64>) -> Result<Json<Export>, Problem> {
    caller.audited(Act::DataExported, format!("customer {id}")).await?;
    let export = caller
        .read(move |reader| {
            let customer = there(reader.document::<Customer>(id)?, id)?.into();
            let calls = of_customer::<CallRecord>(reader, id, MOST)?;
            let tickets = of_customer::<Ticket>(reader, id, MOST)?;
            let found = of_customer::<Chat>(reader, id, MOST)?;
            let callbacks = of_customer::<Callback>(reader, id, MOST)?;
            let cut = [calls.len(), tickets.len(), found.len(), callbacks.len()].contains(&MOST);
            let tickets = with_issues(reader, tickets)?;
            let (mut lines, mut inquiries, mut attachments) = (Vec::new(), Vec::new(), Vec::new());
            for ticket in &tickets {
                lines.extend(crate::http::tickets::lines(reader, ticket.id, MOST)?);
                inquiries.extend(reader.document::<Inquiry>(ticket.id)?);
                attachments.extend(open_api::attachments(reader, ticket.id)?);
            }
            let mut chats = Vec::new();
            for chat in found {
                chats.push(ExportedChat::of(reader, chat)?);
            }
            let callbacks = callbacks.into_iter().map(ExportedCallback::from).collect();
            Ok(Export { customer, calls, tickets, lines, inquiries, attachments, chats, callbacks, cut })
        })
        .await?;
    Ok(Json(export))
}

/// Erases a person: name, numbers, fields, notes; their number in call records and callbacks; the texts of their tickets and
/// chats. Figures stay.
#[utoipa::path(post, path = "/customers/{customer}/erase", tag = "customers",
    params(("customer" = u64, Path, description = "the record's number")), responses(
    (status = 200, description = "erased", body = Erased),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn forget(caller: Caller, At(id): At<u64>) -> Result<Json<Erased>, Problem> {
    let who = caller.principal.who();
    let erased = caller.write(move |turn| {
        let at_us = turn.now().as_micros();
        crate::audit::append(turn.documents(), at_us, &who, Act::PersonErased, format!("customer {id}"))?;
        erase(turn, id)
    });
    Ok(Json(erased.await?))
}
