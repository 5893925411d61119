//! The customer's side over plain HTTP. A customer has no account: the token that opening a chat gives is all there is.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use callfloor_engine::{
    Channel, Command, CustomerId, Engine, Instant, OperatorId, PhoneNumber, QueueId, Rejection, ServiceId,
};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::writing::{By, Cursor, Line, Writing, lines, text};
use super::{Author, COMMENT_LIMIT, Chat, ChatCustomer, ChatEnding, ChatState, Evaluation, KnownBy, TEXT_LIMIT};
use crate::auth::{Access, Row, Token};
use crate::customers::{Customer as Record, national};
use crate::document::Read;
use crate::host::{Documents, Turn};
use crate::http::{App, Asking, Body, ClientAddress, Instead, Problem};
use crate::open_api::record_of_member;
use crate::organisations::Limits;
use crate::tenant::Tenant;

/// Rows of this module's routes.
pub(crate) const PERMISSIONS: &[Row] = &[
    Row { method: "POST", path: "/customer/chats", access: Access::Public },
    Row { method: "GET", path: "/customer/chat", access: Access::Public },
    Row { method: "GET", path: "/customer/chat/messages", access: Access::Public },
    Row { method: "POST", path: "/customer/chat/messages", access: Access::Public },
    Row { method: "POST", path: "/customer/chat/end", access: Access::Public },
    Row { method: "PUT", path: "/customer/chat/evaluation", access: Access::Public },
];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(open))
        .routes(routes!(chat))
        .routes(routes!(messages, write))
        .routes(routes!(end))
        .routes(routes!(evaluate))
}

/// The header that carries a customer's token.
pub(crate) const TOKEN: &str = "callfloor-customer-token";

/// What a customer is told of a token that opens nothing.
pub(super) fn unknown_token() -> Problem {
    Problem::unauthenticated(
        "Callfloor-Customer-Token is the token that opening the chat gave, within a week of its end",
    )
}

/// A customer, by the token of their chat.
#[derive(Clone, Debug)]
pub(super) struct Customer {
    pub(super) tenant: Arc<Tenant>,
    /// As it was when it was looked up: it may have changed since.
    pub(super) chat: Chat,
}

impl Customer {
    /// The one with this token; while their chat is live they are then seen to be there.
    pub(super) async fn with_token(app: &App, token: &str) -> Result<Self, Problem> {
        let token = Token::sent(token);
        let tenant = token.organisation().and_then(|name| app.tenants().named(Some(name))).ok_or_else(unknown_token)?;
        let hash = token.hash();
        let found = tenant.host.read(move |reader| Ok::<_, Problem>(reader.find::<Chat>("token", &hash)?)).await?;
        let now_us = u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or(0);
        let chat = found.filter(|chat| chat.token_opens(now_us)).ok_or_else(unknown_token)?;
        if let (Some(id), false) = (chat.chat, chat.state == ChatState::Ended) {
            tenant.chats.seen(id.0);
        }
        Ok(Self { tenant, chat })
    }

    /// The chat as the customer sees it now.
    pub(super) async fn view(&self) -> Result<CustomerChat, Problem> {
        let (id, live) = (self.chat.id, Arc::clone(&self.tenant.chats));
        if self.chat.state == ChatState::Ended {
            return Ok(CustomerChat::of(&self.chat, None));
        }
        let job = move |turn: &mut Turn<'_>| {
            let chat = turn.documents().get::<Chat>(id)?.ok_or_else(unknown_token)?;
            let waits = chat.chat.filter(|_| chat.state == ChatState::Waiting);
            let queue = QueueId(chat.queue);
            let position = waits.and_then(|it| live.position(queue, it.0, || turn.engine().line(queue)));
            Ok(CustomerChat::of(&chat, position))
        };
        self.tenant.host.run(job).await?
    }

    /// Writes a message of the customer's.
    pub(super) async fn write(&self, wanted: String, key: Option<String>) -> Result<Line, Problem> {
        if let Some(chat) = self.chat.chat.filter(|_| self.chat.state != ChatState::Ended)
            && !self.tenant.chats.may_write(chat.0)
        {
            let detail = "messages come too fast: two in a second are right";
            return Err(Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-fast", detail).retry_after(1));
        }
        let (id, tenant) = (self.chat.id, Arc::clone(&self.tenant));
        let by = By { author: Author::Customer, operator: None };
        // On its own: a client that goes away does not keep the operator from being told of what was written.
        let written = tokio::spawn(async move {
            let job = move |turn: &mut Turn<'_>| {
                let chat = turn.documents().get::<Chat>(id)?.ok_or_else(unknown_token)?;
                chat.write(turn, by, &wanted, key)
            };
            let (line, notice) = tenant.host.run(job).await??;
            notice.into_iter().for_each(|notice| tenant.chats.written(notice));
            Ok::<_, Problem>(line)
        });
        written.await.expect("writing does not panic")
    }
}

impl FromRequestParts<App> for Customer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = parts.headers.get(TOKEN).and_then(|token| token.to_str().ok()).ok_or_else(unknown_token)?;
        Self::with_token(app, token).await
    }
}

/// The key under which a message is written once.
pub(super) fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    key.to_str().map_err(|_| ()).and_then(|key| known_key(key).ok_or(())).map(Some).map_err(|()| wrong_key())
}

pub(super) fn known_key(key: &str) -> Option<String> {
    (1..=128).contains(&key.len()).then(|| key.to_owned())
}

pub(super) fn wrong_key() -> Problem {
    Problem::wrong("idempotency-key", "1 to 128 characters of plain text are right")
}

/// A chat to be opened.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Opening {
    /// The organisation; without it `main`.
    organisation: Option<String>,
    /// Which queue of the channel `chat`; either this or the service.
    queue: Option<u16>,
    /// Which service: its first queue for chats.
    service: Option<u16>,
    /// What the customer wants to be called: 1 to 60 characters.
    name: String,
    /// The first message: 1 to 4 000 characters.
    text: String,
    /// A telephone number of the customer's: where a customer's record has it, the chat is under that record.
    number: Option<String>,
    /// The member's token, where they are signed in at the organisation's own pages: the chat is under the member's record.
    member_token: Option<String>,
    /// The token of an earlier chat of theirs, within a week: whoever helped them then is preferred where the queue
    /// says so.
    previous: Option<String>,
}

impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opening").field("queue", &self.queue).field("service", &self.service).finish_non_exhaustive()
    }
}

/// A chat that was opened.
#[derive(Clone, Serialize, utoipa::ToSchema)]
struct Opened {
    /// For the header `Callfloor-Customer-Token` and the stream. It is shown this once.
    token: String,
    /// The chat.
    chat: CustomerChat,
}

/// A chat as its customer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(super) struct CustomerChat {
    /// Where it stands.
    state: ChatState,
    /// The place in the queue while it waits: 1 is served next.
    position: Option<u32>,
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

impl CustomerChat {
    fn of(chat: &Chat, position: Option<u32>) -> Self {
        Self {
            state: chat.state,
            position,
            messages: chat.messages,
            opened_us: chat.opened_us,
            answered_us: chat.answered_us,
            ended_us: chat.ended_us,
            ending: chat.ending,
            evaluation: chat.evaluation.clone(),
        }
    }
}

/// A refusal that an inquiry form answers better than waiting.
fn inquire(rule: &str, detail: impl Into<String>) -> Problem {
    Problem::conflict(rule, detail).instead(Instead::InquiryForm)
}

fn no_queue() -> Problem {
    Problem::unknown("there is no such queue for chats")
}

/// The queue that is asked for.
fn queue_of(engine: &Engine, queue: Option<u16>, service: Option<u16>) -> Result<QueueId, Problem> {
    let queues = &engine.config().queues;
    let is_chat = |queue: &QueueId| queues.get(queue.index()).is_some_and(|found| found.channel == Channel::Chat);
    let mut all = (0..u16::try_from(queues.len()).unwrap_or(u16::MAX)).map(QueueId);
    let found = match (queue, service) {
        (Some(queue), _) => Some(QueueId(queue)).filter(is_chat),
        (None, Some(service)) => {
            all.find(|queue| is_chat(queue) && queues[queue.index()].service == ServiceId(service))
        }
        (None, None) => None,
    };
    found.ok_or_else(no_queue)
}

/// The queue that was asked for, if it can take a chat now.
fn queue_for(engine: &Engine, now: Instant, opening: &Opening) -> Result<QueueId, Problem> {
    let queue = queue_of(engine, opening.queue, opening.service)?;
    let service = &engine.config().services[engine.config().queues[queue.index()].service.index()];
    if !service.hours.is_open(now) {
        return Err(inquire("chat-closed", "the service is closed now: please use the inquiry form"));
    }
    if !engine.is_attended(queue) {
        return Err(inquire("chat-unattended", "nobody is there for chats now: please use the inquiry form"));
    }
    Ok(queue)
}

fn full() -> Problem {
    inquire("chat-full", "too many wait already: please use the inquiry form")
}

/// The record that a chat is under, and who served that customer last: the member's, else that of an earlier chat, else that
/// of a number.
fn known(
    documents: &mut Documents,
    member: Option<u64>,
    previous: Option<&Chat>,
    number: Option<PhoneNumber>,
) -> Result<Option<(ChatCustomer, Option<u32>)>, Problem> {
    let mut found = None;
    if let Some(member) = member {
        found = documents.get::<Record>(member)?.map(|record| (record, KnownBy::Member));
    }
    if let (None, Some(earlier)) = (&found, previous.and_then(|chat| chat.customer)) {
        found = documents.get::<Record>(earlier.record)?.map(|record| (record, KnownBy::EarlierChat));
    }
    if let (None, Some(number)) = (&found, number) {
        let national = national(documents, number)?;
        found = documents.find::<Record>("number", &national)?.map(|record| (record, KnownBy::Number));
    }
    let found = found.filter(|(record, _)| !record.erased);
    Ok(found.map(|(record, by)| (ChatCustomer { record: record.id, by }, record.last_operator)))
}

fn open_in(turn: &mut Turn<'_>, opening: &Opening, member: Option<u64>, token: &Token) -> Result<Chat, Problem> {
    let name = crate::http::name("name", &opening.name)?;
    let first = text("text", &opening.text, TEXT_LIMIT)?;
    let now = turn.now();
    let queue = queue_for(turn.engine(), now, opening)?;
    let service = turn.engine().config().queues[queue.index()].service;
    let asked = opening.number.as_deref().map(|text| crate::http::number("number", text)).transpose()?;
    if !Limits::of(turn.documents())?.let_wait(turn.engine(), Channel::Chat) {
        return Err(full());
    }
    let documents = turn.documents();
    let previous = match &opening.previous {
        Some(previous) => {
            let found = documents.find::<Chat>("token", &Token::sent(previous).hash())?;
            found.filter(|chat| chat.token_opens(now.as_micros()))
        }
        None => None,
    };
    let record = known(documents, member, previous.as_ref(), asked)?;
    let id = documents.next_id::<Chat>()?;
    let mut chat = Chat {
        id,
        token: token.hash(),
        chat: None,
        queue: queue.0,
        service: service.0,
        name,
        customer: record.as_ref().map(|(known, _)| *known),
        state: ChatState::Waiting,
        operator: None,
        ticket: None,
        messages: 0,
        opened_us: now.as_micros(),
        answered_us: None,
        ended_us: None,
        ending: None,
        evaluation: None,
    };
    let message = chat.next_message(now.as_micros(), Author::Customer, first);
    documents.put(&message);
    documents.put(&chat);
    let last = previous.and_then(|chat| chat.operator);
    let (customer, served) = record.map(|(known, served)| (CustomerId(known.record), served)).unzip();
    let preferred = last.or(served.flatten()).map(OperatorId);
    let preferred = preferred.filter(|operator| turn.engine().operator(*operator).is_some());
    let arrival = Command::ChatArrived { queue, customer, priority: 0, preferred, reference: id };
    turn.apply(arrival).map_err(|refused| match refused {
        Rejection::QueueFull(_) => full(),
        refused => refused.into(),
    })?;
    Ok(turn.documents().get::<Chat>(id)?.unwrap_or(chat))
}

/// Opens a chat. A member's token that is wrong is refused (`member-token`). Closed hours (`chat-closed`), nobody there (`chat-unattended`) and a full queue (`chat-full`) are told
/// with `instead`: the inquiry form.
#[utoipa::path(post, path = "/customer/chats", tag = "customers' chats", request_body = Opening, responses(
    (status = 201, description = "opened; it waits for an operator", body = Opened),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn open(
    State(app): State<App>,
    ClientAddress(from): ClientAddress,
    Body(body): Body<Opening>,
) -> Result<(StatusCode, Json<Opened>), Problem> {
    let (queue, service) = (body.queue, body.service);
    if queue.is_some() == service.is_some() {
        return Err(Problem::wrong("body", "either a queue or a service is right"));
    }
    // Before anything else of it is looked at or counted: who guesses is not told which organisations there are.
    let tenant = app.tenants().named(body.organisation.as_deref()).ok_or_else(no_queue)?;
    tenant.host.run(move |turn| queue_of(turn.engine(), queue, service)).await??;
    tenant.chats.opens(from)?;
    let member = match body.member_token.clone() {
        Some(token) => record_of_member(&app, &tenant, token).await?,
        None => None,
    };
    let token = Token::random(&tenant.name);
    let known = token.clone();
    let chat = tenant.host.run(move |turn| open_in(turn, &body, member, &known)).await??;
    if let Some(id) = chat.chat {
        tenant.chats.seen(id.0);
    }
    let chat = Customer { tenant, chat }.view().await?;
    Ok((StatusCode::CREATED, Json(Opened { token: token.reveal().to_owned(), chat })))
}

/// How the chat stands, and the place in the queue while it waits.
#[utoipa::path(get, path = "/customer/chat", tag = "customers' chats",
    params(("Callfloor-Customer-Token" = String, Header, description = "the token that opening gave")), responses(
    (status = 200, description = "the chat", body = CustomerChat),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn chat(customer: Customer) -> Result<Json<CustomerChat>, Problem> {
    customer.view().await.map(Json)
}

/// Lines of the chat after a number, in order.
#[utoipa::path(get, path = "/customer/chat/messages", tag = "customers' chats",
    params(Cursor, ("Callfloor-Customer-Token" = String, Header, description = "the token that opening gave")), responses(
    (status = 200, description = "lines in order; ask again after the last one", body = Vec<Line>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn messages(customer: Customer, Asking(cursor): Asking<Cursor>) -> Result<Json<Vec<Line>>, Problem> {
    let id = customer.chat.id;
    customer.tenant.host.read(move |reader| lines(reader, id, cursor, true)).await.map(Json)
}

/// Writes a message. With an `Idempotency-Key` it is written once, however often it is sent.
#[utoipa::path(post, path = "/customer/chat/messages", tag = "customers' chats", request_body = Writing,
    params(("Callfloor-Customer-Token" = String, Header, description = "the token that opening gave")), responses(
    (status = 201, description = "written", body = Line),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn write(
    customer: Customer,
    headers: HeaderMap,
    Body(body): Body<Writing>,
) -> Result<(StatusCode, Json<Line>), Problem> {
    let key = idempotency_key(&headers)?;
    let line = customer.write(body.text, key).await?;
    Ok((StatusCode::CREATED, Json(line)))
}

/// The customer leaves. A chat that is over already stays as it is.
#[utoipa::path(post, path = "/customer/chat/end", tag = "customers' chats",
    params(("Callfloor-Customer-Token" = String, Header, description = "the token that opening gave")), responses(
    (status = 200, description = "over", body = CustomerChat),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn end(customer: Customer) -> Result<Json<CustomerChat>, Problem> {
    let id = customer.chat.id;
    let job = move |turn: &mut Turn<'_>| {
        let chat = turn.documents().get::<Chat>(id)?.ok_or_else(unknown_token)?;
        match chat.chat.filter(|_| chat.state != ChatState::Ended) {
            Some(live) => turn.apply(Command::CustomerLeftChat { chat: live.0 }).map(drop)?,
            None => return Ok(chat),
        }
        turn.documents().get::<Chat>(id)?.ok_or_else(unknown_token)
    };
    let chat = customer.tenant.host.run(job).await??;
    Ok(Json(CustomerChat::of(&chat, None)))
}

/// What the customer thought of the chat.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Opinion {
    /// 1 (bad) to 5 (good).
    #[schema(minimum = 1, maximum = 5)]
    score: u8,
    /// In their own words: at most 1 000 characters.
    comment: Option<String>,
}

/// Evaluates a chat that is over, once.
#[utoipa::path(put, path = "/customer/chat/evaluation", tag = "customers' chats", request_body = Opinion,
    params(("Callfloor-Customer-Token" = String, Header, description = "the token that opening gave")), responses(
    (status = 200, description = "kept", body = CustomerChat),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn evaluate(customer: Customer, Body(body): Body<Opinion>) -> Result<Json<CustomerChat>, Problem> {
    if !(1..=5).contains(&body.score) {
        return Err(Problem::wrong("score", format!("a score of {}: 1 to 5 are right", body.score)));
    }
    let comment = body.comment.filter(|comment| !comment.trim().is_empty());
    let comment = comment.map(|comment| text("comment", &comment, COMMENT_LIMIT)).transpose()?;
    let (id, score) = (customer.chat.id, body.score);
    let job = move |turn: &mut Turn<'_>| {
        let at_us = turn.now().as_micros();
        let mut chat = turn.documents().get::<Chat>(id)?.ok_or_else(unknown_token)?;
        if chat.state != ChatState::Ended {
            return Err(Problem::conflict("chat-live", "a chat is evaluated when it is over"));
        }
        if chat.answered_us.is_none() {
            return Err(Problem::conflict(
                "chat-unanswered",
                "nobody answered this chat: there is nothing to evaluate",
            ));
        }
        match &chat.evaluation {
            // The same again: its answer may have been lost.
            Some(before) if before.score == score && before.comment == comment => return Ok(chat),
            Some(_) => return Err(Problem::conflict("evaluated", "this chat is evaluated already")),
            None => chat.evaluation = Some(Evaluation { score, comment, at_us }),
        }
        turn.documents().put(&chat);
        Ok(chat)
    };
    let chat = customer.tenant.host.run(job).await??;
    Ok(Json(CustomerChat::of(&chat, None)))
}
