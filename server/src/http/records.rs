//! Call records: lists in pages, one whole, and many as CSV.

use axum::Json;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use callfloor_engine::PhoneNumber;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::listing::{Over, Page, Window};
use super::{App, Asking, At, Problem};
use crate::audit::Act;
use crate::auth::{Access, Caller, Role, Row};
use crate::document::Read;
use crate::http::CallRef;
use crate::records::{CallRecord, Moment, MomentFields};
use crate::wire::{Cause, shown};

const READERS: Access = Access::Roles(&[Role::Operator, Role::Supervisor, Role::Planner]);

/// Rows of this module's routes.
pub(crate) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/call-records", access: READERS },
    Row { method: "GET", path: "/call-records/{record}", access: READERS },
    Row { method: "GET", path: "/call-records.csv", access: Access::Roles(&[Role::Supervisor]) },
];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(one)).routes(routes!(csv))
}

/// Which records.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Only those that an operator had.
    operator: Option<u32>,
    /// Only those of this queue.
    queue: Option<u16>,
    /// Only those of this service.
    service: Option<u16>,
    /// Only those of this customer's record.
    customer: Option<u64>,
    /// Only those that ended so.
    cause: Option<Cause>,
    /// Only those that came at or after this, in microseconds since 1970.
    from_us: Option<u64>,
    /// Only those that came before this, in microseconds since 1970.
    to_us: Option<u64>,
    /// At most so many; 50 unless said, 500 at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// A call record.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct ShownRecord {
    /// The call's running number.
    id: u64,
    /// Which call.
    call: CallRef,
    /// The service.
    service: u16,
    /// Whether we dialled it.
    outbound: bool,
    /// The customer's number: whole for those who serve customers, else masked.
    number: Option<String>,
    /// The customer's record.
    customer: Option<u64>,
    /// When it came or was dialled, in microseconds since 1970.
    arrived_us: u64,
    /// When it ended; `null` while it is live.
    ended_us: Option<u64>,
    /// How it ended.
    cause: Option<Cause>,
    /// Its last queue.
    queue: Option<u16>,
    /// Operators who had it, in order.
    operators: Vec<u32>,
    /// Operators who did not answer it, in order.
    missed_by: Vec<u32>,
    /// Queue entry to answer or leaving, ringing included, in microseconds.
    wait_us: u64,
    /// Talking, in microseconds.
    talk_us: u64,
    /// On hold, in microseconds, consults not included.
    hold_us: u64,
    /// On hold during a consult, in microseconds.
    consult_us: u64,
    /// The ticket's number.
    ticket: Option<u64>,
    /// Everything that happened to it; only where one record is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<MomentFields>>)]
    timeline: Option<Vec<Moment>>,
}

/// Whether somebody sees customers' numbers whole.
pub(super) const fn sees_numbers(role: Role) -> bool {
    matches!(role, Role::Operator | Role::Supervisor)
}

/// A stored number as somebody may see it.
pub(super) fn number_for(role: Role, number: &str) -> String {
    match number.parse::<PhoneNumber>() {
        Ok(known) => shown(known, sees_numbers(role)),
        Err(_) => String::from("…"),
    }
}

impl ShownRecord {
    fn of(mut record: CallRecord, role: Role, whole: bool) -> Self {
        if role == Role::Operator && record.ended_us.is_none() {
            // Who was listened to may know of it, once the call is over.
            record.timeline.retain(|moment| !moment.event().starts_with("supervision-"));
        }
        Self {
            id: record.id,
            call: record.call,
            service: record.service,
            outbound: record.outbound,
            number: record.number.map(|number| number_for(role, &number)),
            customer: record.customer.filter(|_| sees_numbers(role)),
            arrived_us: record.arrived_us,
            ended_us: record.ended_us,
            cause: record.cause,
            queue: record.queue,
            operators: record.operators,
            missed_by: record.missed_by,
            wait_us: record.wait_us,
            talk_us: record.talk_us,
            hold_us: record.hold_us,
            consult_us: record.consult_us,
            ticket: record.ticket,
            timeline: whole.then_some(record.timeline),
        }
    }
}

/// The services of an operator who asks; `None` for everybody else, who sees all.
pub(super) async fn own_services(caller: &Caller) -> Result<Option<Vec<u16>>, Problem> {
    if caller.principal.role != Role::Operator {
        return Ok(None);
    }
    let operator = caller.principal.operator;
    caller
        .look(move |turn| {
            let people = &turn.engine().config().operators;
            let person = operator.and_then(|operator| people.get(operator.index()));
            Ok(Some(person.map(|person| person.services.iter().map(|it| it.0).collect()).unwrap_or_default()))
        })
        .await
}

async fn find(caller: &Caller, which: Which) -> Result<Page<CallRecord>, Problem> {
    let services = own_services(caller).await?;
    let over = match &which {
        Which { customer: Some(customer), .. } => Over::of("customer", customer),
        Which { operator: Some(operator), .. } => Over::of("operator", operator),
        Which { queue: Some(queue), .. } => Over::of("queue", queue),
        Which { service: Some(service), .. } => Over::of("service", service),
        _ => Over::all("arrived"),
    };
    let window = Window { limit: which.limit, after: which.after.clone() };
    caller
        .read(move |reader| {
            window.page(reader, &over, |record: &CallRecord| {
                which.operator.is_none_or(|operator| record.operators.contains(&operator))
                    && which.queue.is_none_or(|queue| record.queue == Some(queue))
                    && which.service.is_none_or(|service| record.service == service)
                    && which.customer.is_none_or(|customer| record.customer == Some(customer))
                    && which.cause.is_none_or(|cause| record.cause == Some(cause))
                    && which.from_us.is_none_or(|from| record.arrived_us >= from)
                    && which.to_us.is_none_or(|to| record.arrived_us < to)
                    && services.as_ref().is_none_or(|own| own.contains(&record.service))
            })
        })
        .await
}

/// Call records, the newest first. An operator sees those of their services; whoever does not serve customers sees
/// masked numbers.
#[utoipa::path(get, path = "/call-records", tag = "records", params(Which), responses(
    (status = 200, description = "a page", body = inline(Page<ShownRecord>)),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller, Asking(which): Asking<Which>) -> Result<Json<Page<ShownRecord>>, Problem> {
    let role = caller.principal.role;
    let page = find(&caller, which).await?;
    let numbers = page.items.iter().filter(|record| sees_numbers(role) && record.number.is_some()).count();
    caller.reads_numbers(numbers, "a list of call records".to_owned()).await?;
    Ok(Json(page.map(|record| ShownRecord::of(record, role, false))))
}

/// One call record with everything that happened to the call.
#[utoipa::path(get, path = "/call-records/{record}", tag = "records",
    params(("record" = u64, Path, description = "the call's running number")), responses(
    (status = 200, description = "the record", body = ShownRecord),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn one(caller: Caller, At(record): At<u64>) -> Result<Json<ShownRecord>, Problem> {
    let (role, services) = (caller.principal.role, own_services(&caller).await?);
    let found = caller.read(move |reader| Ok(reader.document::<CallRecord>(record)?)).await?;
    let found = found.filter(|found| services.is_none_or(|own| own.contains(&found.service)));
    let found = found.ok_or_else(|| Problem::unknown(format!("there is no record of call {record} for you")))?;
    let numbers = usize::from(sees_numbers(role) && found.number.is_some());
    caller.reads_numbers(numbers, format!("call {record}")).await?;
    Ok(Json(ShownRecord::of(found, role, true)))
}

/// A field of CSV that a spreadsheet does not take for a formula, quoted where it must be (RFC 4180).
pub(super) fn field(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Call records as CSV, the newest first; `next` of the page is in the header `Next`.
#[utoipa::path(get, path = "/call-records.csv", tag = "records", params(Which), responses(
    (status = 200, description = "a header line and a line for each record", body = String, content_type = "text/csv"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn csv(caller: Caller, Asking(which): Asking<Which>) -> Result<Response, Problem> {
    caller.audited(Act::DataExported, format!("call records: {which:?}")).await?;
    let which = Which { limit: which.limit.or(Some(500)), ..which };
    let role = caller.principal.role;
    let page = find(&caller, which).await?;
    let mut text = String::from(
        "call,service,queue,outbound,number,customer,arrived_us,ended_us,cause,operators,missed_by,wait_us,talk_us,hold_us,\
         consult_us,ticket\n",
    );
    let maybe = |value: Option<u64>| value.map(|value| value.to_string()).unwrap_or_default();
    let many = |all: &[u32]| all.iter().map(u32::to_string).collect::<Vec<_>>().join(" ");
    for record in page.items {
        let cause = record.cause.and_then(|cause| serde_json::to_value(cause).ok());
        let cause = cause.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        let number = record.number.map(|number| number_for(role, &number)).unwrap_or_default();
        let fields = [
            record.id.to_string(),
            record.service.to_string(),
            maybe(record.queue.map(u64::from)),
            record.outbound.to_string(),
            field(&number),
            maybe(record.customer),
            record.arrived_us.to_string(),
            maybe(record.ended_us),
            cause,
            many(&record.operators),
            many(&record.missed_by),
            record.wait_us.to_string(),
            record.talk_us.to_string(),
            record.hold_us.to_string(),
            record.consult_us.to_string(),
            maybe(record.ticket),
        ];
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    let mut response = ([(header::CONTENT_TYPE, "text/csv; charset=utf-8")], text).into_response();
    if let Some(next) = page.next.and_then(|next| next.parse().ok()) {
        response.headers_mut().insert("next", next);
    }
    Ok(response)
}
