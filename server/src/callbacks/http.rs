//! Callbacks over HTTP: asked for and taken back by the customer, listed for operators and supervisors.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use callfloor_engine::{Channel, Command, CustomerId, OperatorId, QueueId, ServiceId};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Callback, CallbackState, callback_key};
use crate::auth::{Access, Caller, Role, Row, Token};
use crate::chat::CUSTOMER_TOKEN;
use crate::customers::behind;
use crate::dialling::allowed;
use crate::document::{Document, Read, decode};
use crate::host::Turn;
use crate::http::{App, Asking, At, Body, CallRef, CallbackRef, ClientAddress, Instead, Problem, name, number};
use crate::open_api::record_of_member;
use crate::storage::{Range, Reader};
use crate::tenant::Tenant;
use crate::wire::shown;

/// Supervisors see every callback, operators those of their services.
const READERS: Access = Access::Roles(&[Role::Operator, Role::Supervisor]);

/// Rows of this module's routes.
pub(crate) const PERMISSIONS: &[Row] = &[
    Row { method: "POST", path: "/customer/callbacks", access: Access::Public },
    Row { method: "GET", path: "/customer/callback", access: Access::Public },
    Row { method: "POST", path: "/customer/callback/cancel", access: Access::Public },
    Row { method: "GET", path: "/callbacks", access: READERS },
    Row { method: "POST", path: "/callbacks/{callback}/cancel", access: READERS },
];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(ask))
        .routes(routes!(customers_own))
        .routes(routes!(customer_cancels))
        .routes(routes!(list))
        .routes(routes!(cancel))
}

/// Most callbacks in one answer.
const PAGE: usize = 200;
/// Callbacks that may be live at once, in all queues.
const LIVE_LIMIT: u64 = 20_000;

/// A wish to be called back.
#[derive(Clone, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Wish {
    /// The organisation; without it `main`.
    organisation: Option<String>,
    /// Which queue for calls; either this or the service. One for chats stands for its service.
    queue: Option<u16>,
    /// Which service: its first queue for calls.
    service: Option<u16>,
    /// The number to call.
    number: String,
    /// What the customer wants to be called: 1 to 60 characters.
    name: Option<String>,
    /// The member's token, where they are signed in at the organisation's own pages: the callback is under the member's
    /// record. Without one it is under that of the number.
    member_token: Option<String>,
}

impl std::fmt::Debug for Wish {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wish").field("queue", &self.queue).field("service", &self.service).finish_non_exhaustive()
    }
}

/// A callback as its customer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
struct CustomersCallback {
    /// Where it stands.
    state: CallbackState,
    /// Dials made.
    attempts: u8,
    /// When it was asked for, in microseconds since 1970.
    received_us: u64,
    /// When its state last changed, in microseconds since 1970.
    changed_us: u64,
}

impl From<Callback> for CustomersCallback {
    fn from(callback: Callback) -> Self {
        let Callback { state, attempts, received_us, changed_us, .. } = callback;
        Self { state, attempts, received_us, changed_us }
    }
}

/// A callback that was received.
#[derive(Clone, Serialize, utoipa::ToSchema)]
#[schema(as = ReceivedCallback)]
struct Received {
    /// For the header `Callfloor-Customer-Token`. It is shown this once.
    token: String,
    /// The callback.
    callback: CustomersCallback,
}

/// A callback as operators and supervisors see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
struct CallbackView {
    /// Which.
    callback: CallbackRef,
    /// Its number in lists.
    sequence: u64,
    /// The queue whose place it keeps.
    queue: u16,
    /// That queue's service.
    service: u16,
    /// The number to call: whole for supervisors and for whom it is assigned to, else its end.
    number: String,
    /// What the customer calls themselves.
    name: Option<String>,
    /// The customer's record.
    customer: Option<u64>,
    /// Where it stands.
    state: CallbackState,
    /// To whom it is or was assigned last.
    operator: Option<u32>,
    /// The last dial.
    call: Option<CallRef>,
    /// Dials made.
    attempts: u8,
    /// When it was asked for, in microseconds since 1970.
    received_us: u64,
    /// When its state last changed, in microseconds since 1970.
    changed_us: u64,
    /// The call that asked for it, and whose place it keeps.
    from_call: Option<CallRef>,
}

/// Who looks at callbacks.
#[derive(Clone, Debug)]
struct Sight {
    /// `None`: a supervisor.
    operator: Option<OperatorId>,
    services: Vec<ServiceId>,
}

impl Sight {
    fn of(caller: &Caller, turn: &Turn<'_>) -> Result<Self, Problem> {
        if caller.principal.role == Role::Supervisor {
            return Ok(Self { operator: None, services: Vec::new() });
        }
        let operator = caller.principal.operator;
        let operator = operator.ok_or_else(|| Problem::forbidden("this account is no operator"))?;
        let person = turn.engine().config().operators.get(operator.index());
        let services = person.map(|person| person.services.clone()).unwrap_or_default();
        Ok(Self { operator: Some(operator), services })
    }

    fn reads(&self, service: u16) -> bool {
        self.operator.is_none() || self.services.contains(&ServiceId(service))
    }

    fn sees(&self, callback: &Callback) -> bool {
        self.reads(callback.service)
    }

    fn view(&self, callback: Callback) -> Option<CallbackView> {
        let whole = self.operator.is_none_or(|operator| callback.operator == Some(operator.0));
        let number = callback.number.parse().map_or_else(|_| String::new(), |number| shown(number, whole));
        Some(CallbackView {
            callback: callback.callback?,
            sequence: callback.id,
            queue: callback.queue,
            service: callback.service,
            number,
            name: callback.name,
            customer: callback.customer,
            state: callback.state,
            operator: callback.operator,
            call: callback.call,
            attempts: callback.attempts,
            received_us: callback.received_us,
            changed_us: callback.changed_us,
            from_call: callback.from_call,
        })
    }
}

fn no_queue() -> Problem {
    Problem::unknown("there is no such queue for calls")
}

/// The queue that is asked for.
fn queue_of(turn: &Turn<'_>, queue: Option<u16>, service: Option<u16>) -> Result<QueueId, Problem> {
    let queues = &turn.engine().config().queues;
    let is_phone = |queue: &QueueId| queues.get(queue.index()).is_some_and(|found| found.channel == Channel::Phone);
    let first_of = |service: ServiceId| {
        let mut all = (0..u16::try_from(queues.len()).unwrap_or(u16::MAX)).map(QueueId);
        all.find(|queue| is_phone(queue) && queues[queue.index()].service == service)
    };
    let found = match (queue, service) {
        (Some(queue), _) => match queues.get(usize::from(queue)) {
            Some(chats) if chats.channel == Channel::Chat => first_of(chats.service),
            _ => Some(QueueId(queue)).filter(is_phone),
        },
        (None, Some(service)) => first_of(ServiceId(service)),
        (None, None) => None,
    };
    found.ok_or_else(no_queue)
}

fn ask_in(turn: &mut Turn<'_>, wish: &Wish, member: Option<u64>, token: &Token) -> Result<Callback, Problem> {
    let to = number("number", &wish.number)?;
    let name = wish.name.as_deref().map(|text| name("name", text)).transpose()?;
    let queue = queue_of(turn, wish.queue, wish.service)?;
    allowed(turn, to)?;
    let live: u64 = turn.engine().queues().iter().map(|queue| u64::from(queue.callbacks)).sum();
    if live >= LIVE_LIMIT {
        return Err(Problem::conflict(
            "callbacks-full",
            "too many callbacks wait already: please use the inquiry form",
        )
        .instead(Instead::InquiryForm));
    }
    let service = turn.engine().config().queues[queue.index()].service;
    let now_us = turn.now().as_micros();
    let documents = turn.documents();
    if documents.find::<Callback>("live-number", &to.to_string())?.is_some() {
        return Err(Problem::conflict("callback-waits", "a callback to this number is on its way already"));
    }
    let customer = match member {
        Some(member) => CustomerId(member),
        None => behind(documents, to, now_us)?.0,
    };
    let id = documents.next_id::<Callback>()?;
    let asked = Callback {
        id,
        token: Some(token.hash()),
        callback: None,
        queue: queue.0,
        service: service.0,
        number: to.to_string(),
        name,
        customer: Some(customer.0),
        state: CallbackState::Received,
        operator: None,
        call: None,
        attempts: 0,
        received_us: now_us,
        changed_us: now_us,
        from_call: None,
    };
    documents.put(&asked);
    turn.apply(Command::CallbackRequested { queue, to, customer: Some(customer), priority: 0, reference: id })?;
    Ok(turn.documents().get::<Callback>(id)?.unwrap_or(asked))
}

/// Asks for a callback: it waits in a queue like a call, with its own place. A number that is barred, or to which a
/// callback is on its way already, is refused.
#[utoipa::path(post, path = "/customer/callbacks", tag = "customers' callbacks", request_body = Wish, responses(
    (status = 201, description = "received", body = Received),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn ask(
    State(app): State<App>,
    ClientAddress(from): ClientAddress,
    Body(body): Body<Wish>,
) -> Result<(StatusCode, Json<Received>), Problem> {
    let (queue, service) = (body.queue, body.service);
    if queue.is_some() == service.is_some() {
        return Err(Problem::wrong("body", "either a queue or a service is right"));
    }
    // Before anything else of it is looked at or counted: who guesses is not told which organisations there are.
    let tenant = app.tenants().named(body.organisation.as_deref()).ok_or_else(no_queue)?;
    tenant.host.run(move |turn| queue_of(turn, queue, service)).await??;
    tenant.chats.opens(from)?;
    let member = match body.member_token.clone() {
        Some(token) => record_of_member(&app, &tenant, token).await?,
        None => None,
    };
    let token = Token::random(&tenant.name);
    let known = token.clone();
    let callback = tenant.host.run(move |turn| ask_in(turn, &body, member, &known)).await??;
    Ok((StatusCode::CREATED, Json(Received { token: token.reveal().to_owned(), callback: callback.into() })))
}

fn unknown_token() -> Problem {
    Problem::unauthenticated("Callfloor-Customer-Token is the token that asking for the callback gave")
}

async fn with_token(app: &App, headers: &HeaderMap) -> Result<(std::sync::Arc<Tenant>, Callback), Problem> {
    let token = headers.get(CUSTOMER_TOKEN).and_then(|token| token.to_str().ok()).map(Token::sent);
    let token = token.ok_or_else(unknown_token)?;
    let tenant = token.organisation().and_then(|name| app.tenants().named(Some(name))).ok_or_else(unknown_token)?;
    let hash = token.hash();
    let found = tenant.host.read(move |reader| Ok::<_, Problem>(reader.find::<Callback>("token", &hash)?)).await?;
    Ok((tenant, found.ok_or_else(unknown_token)?))
}

/// How a callback stands.
#[utoipa::path(get, path = "/customer/callback", tag = "customers' callbacks",
    params(("Callfloor-Customer-Token" = String, Header, description = "the token that asking gave")), responses(
    (status = 200, description = "the callback", body = CustomersCallback),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn customers_own(State(app): State<App>, headers: HeaderMap) -> Result<Json<CustomersCallback>, Problem> {
    let (_, callback) = with_token(&app, &headers).await?;
    Ok(Json(callback.into()))
}

/// Takes a callback back; one that is over stays as it is. While the customer is being dialled it is too late.
fn cancel_in(turn: &mut Turn<'_>, id: u64) -> Result<Callback, Problem> {
    let gone = || Problem::unknown("there is no such callback");
    let found = turn.documents().get::<Callback>(id)?.ok_or_else(gone)?;
    match found.callback.filter(|_| !found.state.is_over()) {
        Some(live) => turn.apply(Command::CancelCallback { callback: live.0 }).map(drop)?,
        None => return Ok(found),
    }
    turn.documents().get::<Callback>(id)?.ok_or_else(gone)
}

/// The customer no longer wants the callback.
#[utoipa::path(post, path = "/customer/callback/cancel", tag = "customers' callbacks",
    params(("Callfloor-Customer-Token" = String, Header, description = "the token that asking gave")), responses(
    (status = 200, description = "over", body = CustomersCallback),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn customer_cancels(State(app): State<App>, headers: HeaderMap) -> Result<Json<CustomersCallback>, Problem> {
    let (tenant, callback) = with_token(&app, &headers).await?;
    let cancelled = tenant.host.run(move |turn| cancel_in(turn, callback.id)).await??;
    Ok(Json(cancelled.into()))
}

/// Which callbacks.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those of this service.
    service: Option<u16>,
    /// Only those that are not over.
    #[serde(default)]
    live: bool,
    /// Older ones than this number, the last of the page before.
    before: Option<u64>,
    /// At most so many: 1 to 200.
    limit: Option<usize>,
}

/// Callbacks, newest first.
#[utoipa::path(get, path = "/callbacks", tag = "callbacks", params(Which), responses(
    (status = 200, description = "callbacks, newest first", body = Vec<CallbackView>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller, Asking(which): Asking<Which>) -> Result<Json<Vec<CallbackView>>, Problem> {
    let asking = caller.clone();
    let sight = caller.look(move |turn| Sight::of(&asking, turn)).await?;
    let whole = sight.clone();
    let (index, key) = match which {
        Which { live: true, .. } => ("live", String::new()),
        Which { service: Some(service), .. } => ("service", service.to_string()),
        _ => ("all", String::new()),
    };
    let limit = which.limit.unwrap_or(PAGE).clamp(1, PAGE);
    // An operator's services one by one: those of others, however many callbacks they have, are not gone over.
    let over: Vec<_> = match index {
        "all" if sight.operator.is_some() => {
            sight.services.iter().map(|service| ("service", service.0.to_string())).collect()
        }
        "service" if !which.service.is_some_and(|of| sight.reads(of)) => Vec::new(),
        _ => vec![(index, key)],
    };
    let found = caller.read(move |reader| {
        let mut found = Vec::new();
        for (index, key) in &over {
            found.extend(page(reader, index, key, limit, which, &sight)?);
        }
        found.sort_unstable_by_key(|callback: &CallbackView| std::cmp::Reverse(callback.sequence));
        found.truncate(limit);
        Ok(found)
    });
    let found = found.await?;
    // Whom it is assigned to has it in hand.
    let numbers = if whole.operator.is_none() { found.len() } else { 0 };
    caller.reads_numbers(numbers, "a list of callbacks".to_owned()).await?;
    Ok(Json(found))
}

/// So many callbacks under a key, the newest first. What is not for whoever asks is passed over, page by page.
fn page(
    reader: &mut dyn Reader,
    index: &'static str,
    key: &str,
    limit: usize,
    which: Which,
    sight: &Sight,
) -> Result<Vec<CallbackView>, Problem> {
    let mut before = which.before.unwrap_or(u64::MAX >> 1);
    let mut found = Vec::new();
    while found.len() < limit {
        let range =
            Range { after: Some((key, before)), descending: true, ..Range::with_key(Callback::KIND, index, key, PAGE) };
        let page = reader.list(&range)?;
        let last = page.len() < PAGE;
        for listed in page {
            let callback: Callback = decode(&listed.document)?;
            before = callback.id;
            let wanted = which.service.is_none_or(|service| service == callback.service);
            if wanted && sight.sees(&callback) && found.len() < limit {
                found.extend(sight.view(callback));
            }
        }
        if last {
            break;
        }
    }
    Ok(found)
}

/// Takes a callback back for a customer who no longer wants it.
#[utoipa::path(post, path = "/callbacks/{callback}/cancel", tag = "callbacks",
    params(("callback" = String, Path, description = "which")), responses(
    (status = 200, description = "over", body = CallbackView),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn cancel(caller: Caller, At(callback): At<CallbackRef>) -> Result<Json<CallbackView>, Problem> {
    let asking = caller.clone();
    let cancelled = caller.write(move |turn| {
        let sight = Sight::of(&asking, turn)?;
        let unknown = || Problem::unknown(format!("there is no callback {callback} of your services"));
        let found = turn.documents().find::<Callback>("callback", &callback_key(callback.0))?;
        let found = found.filter(|found| sight.sees(found)).ok_or_else(unknown)?;
        sight.view(cancel_in(turn, found.id)?).ok_or_else(unknown)
    });
    let cancelled = cancelled.await?;
    let numbers = usize::from(caller.principal.role == Role::Supervisor);
    caller.reads_numbers(numbers, format!("callback {callback}")).await?;
    Ok(Json(cancelled))
}
