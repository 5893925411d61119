//! The customer's side. A customer has no account: the token that asking for a callback gives is all there is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use axum::Json;
use axum::extract::{ConnectInfo, FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use callfloor_engine::{Channel, Command, Engine, QueueId, ServiceId, Work};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Callback, CallbackState, LIVE_LIMIT, TOKEN_LIFE_US, WISH_LIMIT, number_key};
use crate::auth::{Access, Row, Token};
use crate::document::Read;
use crate::estimate::Estimate;
use crate::floor::Organisation;
use crate::host::Turn;
use crate::http::{App, Body, CallbackRef, Problem, allowed_by_plan, number};
use crate::stats::Line;
use crate::tenant::Tenant;

/// Rows of this module's routes.
pub(crate) const PERMISSIONS: &[Row] = &[
    Row { method: "POST", path: "/customer/callbacks", access: Access::Public },
    Row { method: "GET", path: "/customer/callback", access: Access::Public },
    Row { method: "DELETE", path: "/customer/callback", access: Access::Public },
];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(ask)).routes(routes!(callback, cancel))
}

/// The header that carries a customer's token.
const TOKEN: &str = "callfloor-customer-token";

/// What a customer is told of a token that opens nothing.
fn unknown_token() -> Problem {
    Problem::unauthenticated(
        "Callfloor-Customer-Token is the token that asking for the callback gave, within a week of its end",
    )
}

/// A customer, by the token of their callback.
struct Customer {
    tenant: Arc<Tenant>,
    /// Their callback's number.
    id: u64,
}

impl FromRequestParts<App> for Customer {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let token = parts.headers.get(TOKEN).and_then(|token| token.to_str().ok()).ok_or_else(unknown_token)?;
        let token = Token::sent(token);
        let tenant = token.organisation().and_then(|name| app.tenants.named(Some(name))).ok_or_else(unknown_token)?;
        let hash = token.hash();
        let found = tenant.host.read(move |reader| Ok::<_, Problem>(reader.find::<Callback>("token", &hash)?)).await?;
        let now_us = u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or(0);
        let known = |found: &Callback| found.ended_us.is_none_or(|ended| now_us < ended.saturating_add(TOKEN_LIFE_US));
        let id = found.filter(known).ok_or_else(unknown_token)?.id;
        Ok(Self { tenant, id })
    }
}

/// A callback that is wanted.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Wanted {
    /// The organisation; without it `main`.
    organisation: Option<String>,
    /// Which queue for calls; either this or the service.
    queue: Option<u16>,
    /// Which service: its first queue for calls.
    service: Option<u16>,
    /// The number to call: digits, and `+` ahead of a country's code; spaces, hyphens, dots and brackets are left out.
    number: String,
    /// What it is about, or when a call suits: at most 500 characters.
    wish: Option<String>,
}

impl std::fmt::Debug for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wanted").field("queue", &self.queue).field("service", &self.service).finish_non_exhaustive()
    }
}

/// A callback that was asked for.
#[derive(Clone, Serialize, utoipa::ToSchema)]
struct Asked {
    /// For the header `Callfloor-Customer-Token`. It is shown this once.
    token: String,
    /// The callback.
    callback: CustomerCallback,
}

/// A callback as its customer sees it.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
struct CustomerCallback {
    /// Where it stands.
    state: CallbackState,
    /// The place in the queue while it waits there: 1 is served next.
    position: Option<u32>,
    /// How long until an operator takes it; not while too little is known of the queue.
    estimate: Option<Estimate>,
    /// Dials made.
    attempts: u8,
    /// When it was asked for, in microseconds since 1970.
    requested_us: u64,
    /// When the customer was last dialled.
    dialled_us: Option<u64>,
    /// When it was over.
    ended_us: Option<u64>,
}

impl CustomerCallback {
    fn of(turn: &mut Turn<'_>, callback: &Callback) -> Result<Self, Problem> {
        let (queue, now_us) = (QueueId(callback.queue), turn.now().as_micros());
        let waiting = matches!(callback.state, CallbackState::Received | CallbackState::Assigned);
        let position = callback.callback.filter(|_| waiting).and_then(|live| position(turn.engine(), queue, live));
        let line = position.map(|_| Line::of(turn.documents(), queue)).transpose()?.flatten();
        let estimate = position.zip(line).and_then(|(position, line)| line.pace.estimate(position, now_us));
        Ok(Self {
            state: callback.state,
            position,
            estimate,
            attempts: callback.attempts,
            requested_us: callback.requested_us,
            dialled_us: callback.dialled_us,
            ended_us: callback.ended_us,
        })
    }
}

/// The place of a callback in its queue's line, calls included; `None` while it is not in it.
fn position(engine: &Engine, queue: QueueId, callback: CallbackRef) -> Option<u32> {
    let line = engine.line(queue);
    (1..).zip(line).find(|(_, one)| one.work == Work::Callback(callback.0)).map(|(position, _)| position)
}

/// The queue that was asked for.
fn queue_for(engine: &Engine, wanted: &Wanted) -> Result<QueueId, Problem> {
    let queues = &engine.config().queues;
    let is_phone = |queue: &QueueId| queues.get(queue.index()).is_some_and(|found| found.channel == Channel::Phone);
    let queue = match (wanted.queue, wanted.service) {
        (Some(queue), None) => Some(QueueId(queue)).filter(is_phone),
        (None, Some(service)) => (0..u16::try_from(queues.len()).unwrap_or(u16::MAX))
            .map(QueueId)
            .find(|queue| is_phone(queue) && queues[queue.index()].service == ServiceId(service)),
        _ => return Err(Problem::wrong("body", "either a queue or a service is right")),
    };
    queue.ok_or_else(|| Problem::unknown("there is no such queue for calls"))
}

/// The wish, if anything stands in it.
fn wish(wanted: Option<&str>) -> Result<Option<String>, Problem> {
    let Some(text) = wanted.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
    let length = text.chars().count();
    if length > WISH_LIMIT || text.chars().any(|c| c.is_control() && c != '\n') {
        return Err(Problem::wrong(
            "wish",
            format!("a wish of {length} characters: at most {WISH_LIMIT}, none a control character, are right"),
        ));
    }
    Ok(Some(text.to_owned()))
}

fn ask_in(turn: &mut Turn<'_>, wanted: &Wanted, token: &Token) -> Result<CustomerCallback, Problem> {
    let to = number("number", &wanted.number)?;
    let wish = wish(wanted.wish.as_deref())?;
    let queue = queue_for(turn.engine(), wanted)?;
    let service = turn.engine().config().queues[queue.index()].service;
    // An operator's extension is not a customer's number: it is refused by its length.
    let dialled = Organisation::now(turn.documents())?.numbers.national(to);
    if dialled.trim_start_matches('+').len() < 6 || !dialled.trim_start_matches('+').bytes().all(|b| b.is_ascii_digit())
    {
        return Err(Problem::wrong("number", "a telephone number with its area's code is right, as in 03-1234-5678"));
    }
    allowed_by_plan(turn.documents(), to)?;
    let documents = turn.documents();
    if documents.find::<Callback>("live-number", &number_key(service.0, &dialled))?.is_some() {
        let detail = "this number waits for a callback of the service already: it is called once";
        return Err(Problem::conflict("callback-waiting", detail));
    }
    let live = turn.engine().callbacks().filter(|live| live.queue == queue).count();
    if live >= LIVE_LIMIT {
        return Err(Problem::conflict("callbacks-full", "too many callbacks wait already: please try again later"));
    }
    let id = turn.documents().next_id::<Callback>()?;
    let requested_us = turn.now().as_micros();
    let callback =
        Callback { token: Some(token.hash()), wish, ..Callback::new(id, queue, service, dialled, requested_us) };
    turn.documents().put(&callback);
    turn.apply(Command::CallbackRequested { queue, to, customer: None, priority: 0, reference: id })?;
    let callback = turn.documents().get::<Callback>(id)?.unwrap_or(callback);
    CustomerCallback::of(turn, &callback)
}

impl Callback {
    /// One that was just asked for.
    pub(super) const fn new(id: u64, queue: QueueId, service: ServiceId, number: String, requested_us: u64) -> Self {
        Self {
            id,
            token: None,
            callback: None,
            queue: queue.0,
            service: service.0,
            number,
            wish: None,
            state: CallbackState::Received,
            operator: None,
            shown_to: Vec::new(),
            from_call: None,
            call: None,
            ticket: None,
            attempts: 0,
            requested_us,
            assigned_us: None,
            dialled_us: None,
            ended_us: None,
        }
    }
}

/// Asks to be called back. It waits in the queue as a call would. A service calls a number back once: a second request
/// for it is refused (`callback-waiting`), as are numbers that may not be dialled (`number-barred`).
#[utoipa::path(post, path = "/customer/callbacks", tag = "customers' callbacks", request_body = Wanted, responses(
    (status = 201, description = "it waits for an operator", body = Asked),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn ask(
    State(app): State<App>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    Body(body): Body<Wanted>,
) -> Result<(StatusCode, Json<Asked>), Problem> {
    let tenant = app.tenants.named(body.organisation.as_deref());
    let tenant = tenant.ok_or_else(|| Problem::unknown("there is no such organisation"))?;
    app.callbacks.take(from.ip().to_canonical(), Instant::now()).map_err(|wait| {
        let seconds = u32::try_from(wait.as_secs()).unwrap_or(u32::MAX).saturating_add(1);
        let detail = "too many callbacks were asked for from this address: one in a minute is right";
        Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-fast", detail).retry_after(seconds)
    })?;
    let token = Token::random(&tenant.name);
    let known = token.clone();
    let callback = tenant.host.run(move |turn| ask_in(turn, &body, &known)).await??;
    Ok((StatusCode::CREATED, Json(Asked { token: token.reveal().to_owned(), callback })))
}

/// How the callback stands, with the place in the queue while it waits.
#[utoipa::path(get, path = "/customer/callback", tag = "customers' callbacks",
    params(("Callfloor-Customer-Token" = String, Header, description = "the token that asking gave")), responses(
    (status = 200, description = "the callback", body = CustomerCallback),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn callback(customer: Customer) -> Result<Json<CustomerCallback>, Problem> {
    let id = customer.id;
    let job = move |turn: &mut Turn<'_>| {
        let found = turn.documents().get::<Callback>(id)?.ok_or_else(unknown_token)?;
        CustomerCallback::of(turn, &found)
    };
    Ok(Json(customer.tenant.host.run(job).await??))
}

/// The customer no longer wants the callback. One that is over stays as it is; while the customer is dialled it is too
/// late (`wrong-stage`).
#[utoipa::path(delete, path = "/customer/callback", tag = "customers' callbacks",
    params(("Callfloor-Customer-Token" = String, Header, description = "the token that asking gave")), responses(
    (status = 200, description = "over", body = CustomerCallback),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn cancel(customer: Customer) -> Result<Json<CustomerCallback>, Problem> {
    let id = customer.id;
    let job = move |turn: &mut Turn<'_>| {
        let found = Callback::cancel(turn, id)?.ok_or_else(unknown_token)?;
        CustomerCallback::of(turn, &found)
    };
    Ok(Json(customer.tenant.host.run(job).await??))
}
