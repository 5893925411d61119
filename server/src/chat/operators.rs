//! The operators' side: their chats and everybody's of their services, with transcripts; writing, ending, handing on.
//! Taking a chat that is offered is *answer* on the desk, as for a call.

use std::sync::Arc;

use axum::Json;
use axum::http::StatusCode;
use callfloor_engine::{Command, OperatorId, QueueId, Rejection, ServiceId};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::writing::{By, Cursor, Line, Writing, lines};
use super::{Author, Chat, ChatCustomer, ChatEnding, ChatState, Evaluation, KnownBy, chat_key};
use crate::auth::{Access, Caller, Principal, Role, Row};
use crate::customers::Customer as Record;
use crate::document::{Document, Read, decode};
use crate::host::Turn;
use crate::http::{App, Asking, At, Body, ChatRef, Problem, TicketRef};
use crate::storage::{Range, Reader};
use crate::tickets::{Line as TicketLine, LineKind, Ticket};

/// Supervisors see every chat, operators those of their services.
const READERS: Access = Access::Roles(&[Role::Operator, Role::Supervisor]);
/// Whoever has the chat: the engine says who that is.
const WRITERS: Access = Access::Roles(&[Role::Operator]);

/// Rows of this module's routes.
pub(crate) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/chats", access: READERS },
    Row { method: "GET", path: "/chats/{chat}", access: READERS },
    Row { method: "GET", path: "/chats/{chat}/messages", access: READERS },
    Row { method: "POST", path: "/chats/{chat}/messages", access: WRITERS },
    Row { method: "PUT", path: "/chats/{chat}/customer", access: READERS },
    Row { method: "POST", path: "/chats/{chat}/end", access: WRITERS },
    Row { method: "POST", path: "/chats/{chat}/transfer", access: WRITERS },
];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(messages, write))
        .routes(routes!(set_customer))
        .routes(routes!(end))
        .routes(routes!(transfer))
}

/// Most chats in one answer.
const PAGE: usize = 200;

/// A chat as operators and supervisors see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
struct ChatView {
    /// Which.
    chat: ChatRef,
    /// Its number in lists.
    number: u64,
    /// Its last queue.
    queue: u16,
    /// That queue's service.
    service: u16,
    /// What the customer calls themselves.
    name: String,
    /// The customer's record, and how they are known.
    customer: Option<ChatCustomer>,
    /// Where it stands.
    state: ChatState,
    /// Who has it, or had it last.
    operator: Option<u32>,
    /// Its ticket, which links this transcript.
    ticket: Option<TicketRef>,
    /// The number of its last line.
    messages: u64,
    /// When it was opened, in microseconds since 1970.
    opened_us: u64,
    /// When an operator first took it.
    answered_us: Option<u64>,
    /// When it ended.
    ended_us: Option<u64>,
    /// How it ended.
    ending: Option<ChatEnding>,
    /// What the customer thought of it.
    evaluation: Option<Evaluation>,
}

impl ChatView {
    /// `None` for a chat that the engine does not know yet.
    fn of(chat: Chat) -> Option<Self> {
        Some(Self {
            chat: chat.chat?,
            number: chat.id,
            queue: chat.queue,
            service: chat.service,
            name: chat.name,
            customer: chat.customer,
            state: chat.state,
            operator: chat.operator,
            ticket: chat.ticket,
            messages: chat.messages,
            opened_us: chat.opened_us,
            answered_us: chat.answered_us,
            ended_us: chat.ended_us,
            ending: chat.ending,
            evaluation: chat.evaluation,
        })
    }
}

fn unknown(chat: ChatRef) -> Problem {
    Problem::unknown(format!("there is no chat {chat} of your services"))
}

/// The services whose chats somebody may read; `None`: all.
async fn services(caller: &Caller) -> Result<Option<Vec<u16>>, Problem> {
    let Principal { role, operator, .. } = &caller.principal;
    if *role != Role::Operator {
        return Ok(None);
    }
    let operator = operator.ok_or_else(|| Problem::forbidden("this account is no operator"))?;
    let look = move |turn: &mut Turn<'_>| Ok(services_of(turn, operator));
    caller.look(look).await.map(Some)
}

fn services_of(turn: &Turn<'_>, operator: OperatorId) -> Vec<u16> {
    let found = turn.engine().config().operators.get(operator.index());
    found.map(|found| found.services.iter().map(|service: &ServiceId| service.0).collect()).unwrap_or_default()
}

fn find(reader: &mut dyn Reader, chat: ChatRef, services: Option<&[u16]>) -> Result<Chat, Problem> {
    let found = reader.find::<Chat>("chat", &chat_key(chat.0))?;
    let may = |found: &Chat| services.is_none_or(|services| services.contains(&found.service));
    found.filter(may).ok_or_else(|| unknown(chat))
}

/// Which chats.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those that this operator has, or had last.
    operator: Option<u32>,
    /// Only those of this service.
    service: Option<u16>,
    /// The one whose ticket this is.
    ticket: Option<TicketRef>,
    /// Only those that are not over.
    #[serde(default)]
    live: bool,
    /// Older ones than this number, the last of the page before.
    before: Option<u64>,
    /// At most so many: 1 to 200.
    limit: Option<usize>,
}

/// Chats, newest first: an operator's own with `operator`, the transcript of a ticket with `ticket`.
#[utoipa::path(get, path = "/chats", tag = "chats", params(Which), responses(
    (status = 200, description = "chats, newest first", body = Vec<ChatView>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller, Asking(which): Asking<Which>) -> Result<Json<Vec<ChatView>>, Problem> {
    let services = services(&caller).await?;
    let (index, key) = match which {
        Which { ticket: Some(ticket), .. } => ("ticket", ticket.to_string()),
        Which { operator: Some(operator), live: true, .. } => ("live-operator", operator.to_string()),
        Which { operator: Some(operator), .. } => ("operator", operator.to_string()),
        Which { service: Some(service), live: true, .. } => ("live", service.to_string()),
        Which { service: Some(service), .. } => ("service", service.to_string()),
        Which { live: true, .. } => ("live-all", String::new()),
        _ => ("all", String::new()),
    };
    let limit = which.limit.unwrap_or(PAGE).clamp(1, PAGE);
    // An operator's services one by one: those of others, however many chats they have, are not gone over.
    let over: Vec<_> = match (index, &services) {
        ("all", Some(own)) => own.iter().map(|service| ("service", service.to_string())).collect(),
        ("live-all", Some(own)) => own.iter().map(|service| ("live", service.to_string())).collect(),
        ("service" | "live", Some(own)) if !which.service.is_some_and(|of| own.contains(&of)) => Vec::new(),
        _ => vec![(index, key)],
    };
    let found = caller.read(move |reader| {
        let mut found = Vec::new();
        for (index, key) in &over {
            found.extend(page(reader, index, key, limit, which, services.as_deref())?);
        }
        found.sort_unstable_by_key(|chat: &ChatView| std::cmp::Reverse(chat.number));
        found.truncate(limit);
        Ok(found)
    });
    found.await.map(Json)
}

/// So many chats under a key, the newest first. What is not for whoever asks is passed over, page by page.
fn page(
    reader: &mut dyn Reader,
    index: &'static str,
    key: &str,
    limit: usize,
    which: Which,
    services: Option<&[u16]>,
) -> Result<Vec<ChatView>, Problem> {
    let mut before = which.before.unwrap_or(u64::MAX >> 1);
    let mut found = Vec::new();
    while found.len() < limit {
        let range =
            Range { after: Some((key, before)), descending: true, ..Range::with_key(Chat::KIND, index, key, PAGE) };
        let page = reader.list(&range)?;
        let last = page.len() < PAGE;
        for listed in page {
            let chat: Chat = decode(&listed.document)?;
            before = chat.id;
            let shown = services.is_none_or(|services| services.contains(&chat.service))
                && which.service.is_none_or(|service| service == chat.service)
                && which.operator.is_none_or(|operator| chat.operator == Some(operator))
                && !(which.live && chat.state == ChatState::Ended);
            if shown && found.len() < limit {
                found.extend(ChatView::of(chat));
            }
        }
        if last {
            break;
        }
    }
    Ok(found)
}

/// One chat.
#[utoipa::path(get, path = "/chats/{chat}", tag = "chats", params(("chat" = String, Path, description = "which")),
    responses(
    (status = 200, description = "the chat", body = ChatView),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn one(caller: Caller, At(chat): At<ChatRef>) -> Result<Json<ChatView>, Problem> {
    let services = services(&caller).await?;
    let found = caller.read(move |reader| find(reader, chat, services.as_deref())).await?;
    ChatView::of(found).map(Json).ok_or_else(|| unknown(chat))
}

/// Lines of a chat after a number, in order.
#[utoipa::path(get, path = "/chats/{chat}/messages", tag = "chats",
    params(Cursor, ("chat" = String, Path, description = "which")), responses(
    (status = 200, description = "lines in order; ask again after the last one", body = Vec<Line>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn messages(
    caller: Caller,
    At(chat): At<ChatRef>,
    Asking(cursor): Asking<Cursor>,
) -> Result<Json<Vec<Line>>, Problem> {
    let services = services(&caller).await?;
    let read = caller.read(move |reader| {
        let found = find(reader, chat, services.as_deref())?;
        lines(reader, found.id, cursor, false)
    });
    read.await.map(Json)
}

/// Who asks, as an operator.
fn own(caller: &Caller) -> Result<OperatorId, Problem> {
    caller.principal.operator.ok_or_else(|| Problem::forbidden("this account is no operator"))
}

/// The chat, which must be with this operator; the engine says whether it is.
fn in_hand(turn: &mut Turn<'_>, operator: OperatorId, chat: ChatRef) -> Result<Chat, Problem> {
    let found = turn.documents().find::<Chat>("chat", &chat_key(chat.0))?;
    let services = services_of(turn, operator);
    let found = found.filter(|found| services.contains(&found.service)).ok_or_else(|| unknown(chat))?;
    let object = callfloor_engine::Object::Chat(chat.0);
    match turn.engine().chat(chat.0) {
        None => Err(Problem::conflict("chat-ended", "this chat is over")),
        Some(live) if live.operator == Some(operator) => Ok(found),
        Some(_) => Err(Rejection::NotWithOperator { operator, object }.into()),
    }
}

/// Writes to the customer. With an `Idempotency-Key` the message is written once, however often it is sent.
#[utoipa::path(post, path = "/chats/{chat}/messages", tag = "chats", request_body = Writing,
    params(("chat" = String, Path, description = "which")), responses(
    (status = 201, description = "written", body = Line),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn write(
    caller: Caller,
    At(chat): At<ChatRef>,
    Body(body): Body<Writing>,
) -> Result<(StatusCode, Json<Line>), Problem> {
    let operator = own(&caller)?;
    // On its own: a client that goes away does not keep the customer from being told of what was written.
    let written = tokio::spawn(async move {
        let line = caller.write(move |turn| {
            let found = in_hand(turn, operator, chat)?;
            let by = By { author: Author::Operator, operator: Some(operator.0) };
            found.write(turn, by, &body.text, None).map(|(line, _)| line)
        });
        let line = line.await?;
        let notice = super::ChatNotice {
            chat: chat.0,
            sequence: line.sequence,
            from: Author::Operator,
            operator: Some(operator),
        };
        Arc::clone(&caller.principal.tenant.chats).written(notice);
        Ok::<_, Problem>(line)
    });
    let line = written.await.expect("writing does not panic")?;
    Ok((StatusCode::CREATED, Json(line)))
}

/// Refuses an operator who could not read the chat: what is written is for its service.
fn reads(turn: &mut Turn<'_>, to: OperatorId, chat: ChatRef) -> Result<(), Problem> {
    let found = turn.documents().find::<Chat>("chat", &chat_key(chat.0))?.ok_or_else(|| unknown(chat))?;
    let is_known = turn.engine().operator(to).is_some();
    if is_known && !services_of(turn, to).contains(&found.service) {
        let detail = format!("operator {} does not belong to service {}, whose chat it is", to.0, found.service);
        return Err(Problem::new(StatusCode::FORBIDDEN, "not-of-service", detail));
    }
    Ok(())
}

/// Gives the engine an order about a chat in hand, and answers with the chat.
async fn order(caller: Caller, chat: ChatRef, command: Command) -> Result<Json<ChatView>, Problem> {
    let operator = own(&caller)?;
    let done = caller.write(move |turn| {
        in_hand(turn, operator, chat)?;
        if let Command::TransferChatToOperator { to, .. } = command {
            reads(turn, to, chat)?;
        }
        turn.apply(command)?;
        let found = turn.documents().find::<Chat>("chat", &chat_key(chat.0))?;
        found.and_then(ChatView::of).ok_or_else(|| unknown(chat))
    });
    done.await.map(Json)
}

/// Ends a chat.
#[utoipa::path(post, path = "/chats/{chat}/end", tag = "chats", params(("chat" = String, Path, description = "which")),
    responses(
    (status = 200, description = "over", body = ChatView),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn end(caller: Caller, At(chat): At<ChatRef>) -> Result<Json<ChatView>, Problem> {
    let command = Command::EndChat { operator: own(&caller)?, chat: chat.0 };
    order(caller, chat, command).await
}

/// The customer that a chat is with.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct With {
    /// The record's number; `null`: nobody who is known.
    customer: Option<u64>,
}

/// Enters whose chat it is: the chat and its ticket are under that customer's record from now on.
#[utoipa::path(put, path = "/chats/{chat}/customer", tag = "chats", request_body = With,
    params(("chat" = String, Path, description = "which")), responses(
    (status = 200, description = "entered", body = ChatView),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_customer(
    caller: Caller,
    At(chat): At<ChatRef>,
    Body(body): Body<With>,
) -> Result<Json<ChatView>, Problem> {
    let services = services(&caller).await?;
    let done = caller.write(move |turn| {
        let now_us = turn.now().as_micros();
        let documents = turn.documents();
        let found = documents.find::<Chat>("chat", &chat_key(chat.0))?;
        let may = |found: &Chat| services.as_ref().is_none_or(|services| services.contains(&found.service));
        let mut found = found.filter(may).ok_or_else(|| unknown(chat))?;
        if let Some(record) = body.customer
            && documents.get::<Record>(record)?.is_none_or(|record| record.erased)
        {
            return Err(Problem::wrong("customer", format!("there is no customer {record}")));
        }
        found.customer = body.customer.map(|record| ChatCustomer { record, by: KnownBy::Desk });
        documents.put(&found);
        if let Some(ticket) = found.ticket.map(|ticket| u64::from(ticket.0.number())) {
            Ticket::edit(documents, ticket, now_us, |ticket| ticket.customer = body.customer)?;
            TicketLine::add(documents, ticket, now_us, LineKind::Changed { what: vec!["customer".to_owned()] })?;
        }
        ChatView::of(found).ok_or_else(|| unknown(chat))
    });
    done.await.map(Json)
}

/// Where a chat goes.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Handing {
    /// To a queue of the channel `chat`: it waits there at the head of its priority.
    Queue(u16),
    /// To an operator of the chat's service who is there for chats and has room: it rings them alone. Where they let it go
    /// by, it waits in its queue, at the head of its priority.
    Operator(u32),
}

/// Hands a chat on, with its ticket and everything written. An operator who is not there for chats, on Break or full is
/// refused by name, and the chat stays where it is.
#[utoipa::path(post, path = "/chats/{chat}/transfer", tag = "chats", request_body = Handing,
    params(("chat" = String, Path, description = "which")), responses(
    (status = 200, description = "handed on", body = ChatView),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn transfer(caller: Caller, At(chat): At<ChatRef>, Body(body): Body<Handing>) -> Result<Json<ChatView>, Problem> {
    let operator = own(&caller)?;
    let command = match body {
        Handing::Queue(queue) => Command::TransferChat { operator, chat: chat.0, to: QueueId(queue) },
        Handing::Operator(to) => Command::TransferChatToOperator { operator, chat: chat.0, to: OperatorId(to) },
    };
    order(caller, chat, command).await
}
