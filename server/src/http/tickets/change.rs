//! Every change of a ticket. Each is answered with the ticket as it is then, under its new revision.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use callfloor_engine::{Command, CustomerId, OperatorId, QueueId, ServiceId, TicketTarget};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{DESK, WholeTicket, live, order, visible, whole};
use crate::auth::{Caller, Principal, Role, Row};
use crate::customers::Customer;
use crate::floor::ServiceExtra;
use crate::host::Turn;
use crate::http::version::{Versioned, must_see, same, seen};
use crate::http::{App, At, Body, Problem};
use crate::issues::is_above;
use crate::tickets::{Category, CustomField, Line, LineKind, Ticket, missing_field};
use crate::wire::{Resolution, TicketStatus};

pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "POST", path: "/tickets", access: DESK },
    Row { method: "PATCH", path: "/tickets/{ticket}", access: DESK },
    Row { method: "POST", path: "/tickets/{ticket}/pull", access: DESK },
    Row { method: "POST", path: "/tickets/{ticket}/forward", access: DESK },
    Row { method: "POST", path: "/tickets/{ticket}/status", access: DESK },
    Row { method: "POST", path: "/tickets/{ticket}/notes", access: DESK },
    Row { method: "POST", path: "/tickets/{ticket}/replies", access: DESK },
    Row { method: "POST", path: "/tickets/{ticket}/customer-replies", access: DESK },
    Row { method: "POST", path: "/tickets/{ticket}/finish", access: DESK },
    Row { method: "POST", path: "/tickets/{ticket}/merge", access: DESK },
    Row { method: "POST", path: "/tickets/{ticket}/link", access: DESK },
];

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(create))
        .routes(routes!(edit))
        .routes(routes!(pull))
        .routes(routes!(forward))
        .routes(routes!(set_status))
        .routes(routes!(note))
        .routes(routes!(reply))
        .routes(routes!(customer_reply))
        .routes(routes!(finish))
        .routes(routes!(merge))
        .routes(routes!(link))
}

/// Longest text of a line, in characters.
pub(crate) const LONGEST: usize = 20_000;

/// A text of 1 to `most` characters, without what is white around it.
pub(crate) fn text(field: &str, text: &str, most: usize) -> Result<String, Problem> {
    let text = text.trim();
    let length = text.chars().count();
    if !(1..=most).contains(&length) {
        return Err(Problem::wrong(field, format!("{length} characters: 1 to {most} are right")));
    }
    Ok(text.to_owned())
}

/// A subject: at most 200 characters in one line.
pub(crate) fn subject(line: &str) -> Result<String, Problem> {
    let line = line.trim();
    if line.chars().count() > 200 || line.chars().any(char::is_control) {
        return Err(Problem::wrong("subject", "at most 200 characters in one line are right"));
    }
    Ok(line.to_owned())
}

fn tags(tags: Vec<String>) -> Result<Vec<String>, Problem> {
    let right = |tag: &String| {
        (1..=40).contains(&tag.chars().count()) && tag.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_'))
    };
    if tags.len() > 30 || !tags.iter().all(right) {
        return Err(Problem::wrong(
            "tags",
            "at most 30 tags of letters, digits, - and _, 40 characters long, are right",
        ));
    }
    let mut tags: Vec<_> = tags.into_iter().map(|tag| tag.to_lowercase()).collect();
    tags.sort();
    tags.dedup();
    Ok(tags)
}

/// The operator that somebody is; a supervisor may be none.
fn operator_of(who: &Principal) -> Result<OperatorId, Problem> {
    who.operator.ok_or_else(|| Problem::conflict("no-operator", "this account is no operator's: nobody would do it"))
}

/// Does something to a ticket that the caller may see, on the version that they saw where they say so.
pub(super) async fn change(
    caller: &Caller,
    id: u64,
    version: Option<u64>,
    job: impl FnOnce(&mut Turn<'_>, &Principal, Ticket) -> Result<(), Problem> + Send + 'static,
) -> Result<Response, Problem> {
    let who = caller.principal.clone();
    let changed = caller
        .write(move |turn| {
            let ticket = visible(turn, &who, id)?;
            if let Some(version) = version {
                same(&format!("ticket {id}"), version, ticket.revision)?;
            }
            job(turn, &who, ticket)?;
            let whole = whole(turn, id)?;
            Ok(Versioned { version: whole.ticket.revision, answer: whole })
        })
        .await?;
    Ok(changed.respond(StatusCode::OK))
}

/// A new ticket.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewTicket {
    /// The service.
    service: u16,
    /// The queue in which it waits to be assigned; none: it stays to be pulled.
    queue: Option<u16>,
    /// The customer's record.
    customer: Option<u64>,
    /// Greater goes first.
    #[serde(default)]
    priority: u8,
    /// In a line.
    subject: String,
    /// The matter.
    #[serde(default)]
    description: String,
    /// A category's number.
    category: Option<u64>,
    /// Words to find it by.
    #[serde(default)]
    tags: Vec<String>,
    /// Values of custom fields, by the fields' numbers.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    fields: BTreeMap<u64, String>,
}

/// Makes a ticket.
#[utoipa::path(post, path = "/tickets", tag = "tickets", request_body = NewTicket, responses(
    (status = 201, description = "made; its revision is the ETag", body = WholeTicket),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn create(caller: Caller, Body(body): Body<NewTicket>) -> Result<Response, Problem> {
    let who = caller.principal.clone();
    let line = subject(&body.subject)?;
    let description = match body.description.trim() {
        "" => None,
        _ => Some(text("description", &body.description, LONGEST)?),
    };
    let tags = tags(body.tags)?;
    let made = caller
        .write(move |turn| {
            if who.role == Role::Operator {
                let people = &turn.engine().config().operators;
                let person = who.operator.and_then(|operator| people.get(operator.index()));
                if !person.is_some_and(|person| person.services.contains(&ServiceId(body.service))) {
                    return Err(Problem::forbidden(format!("service {} is not one of yours", body.service)));
                }
            }
            if let Some(customer) = body.customer
                && turn.documents().get::<Customer>(customer)?.is_none()
            {
                return Err(Problem::wrong("customer", format!("there is no customer {customer}")));
            }
            takes_tickets(turn, body.service)?;
            of_service(turn, body.queue, body.service)?;
            check(turn, body.category, &body.fields)?;
            let outputs = turn.apply(Command::TicketArrived {
                service: ServiceId(body.service),
                queue: body.queue.map(QueueId),
                customer: body.customer.map(CustomerId),
                priority: body.priority,
                reference: 0,
            })?;
            let id = crate::tickets::created(&outputs).expect("an accepted ticket was created");
            let now_us = turn.now().as_micros();
            let documents = turn.documents();
            Ticket::edit(documents, id, now_us, |ticket| {
                (ticket.subject, ticket.category, ticket.tags, ticket.fields) =
                    (line, body.category, tags, body.fields);
            })?;
            if let Some(text) = description {
                Line::add(documents, id, now_us, LineKind::Description { text })?;
            }
            let whole = whole(turn, id)?;
            Ok(Versioned { version: whole.ticket.revision, answer: whole })
        })
        .await?;
    Ok(made.respond(StatusCode::CREATED))
}

/// A ticket waits in a queue of its own service.
fn of_service(turn: &Turn<'_>, queue: Option<u16>, service: u16) -> Result<(), Problem> {
    let queues = &turn.engine().config().queues;
    let of = queue.and_then(|queue| queues.get(usize::from(queue))).map(|found| found.service.0);
    match of {
        Some(of) if of != service => {
            Err(Problem::wrong("queue", format!("that queue is of service {of}: one of service {service} is right")))
        }
        _ => Ok(()),
    }
}

/// A service for issues is given tickets by escalation alone.
fn takes_tickets(turn: &mut Turn<'_>, service: u16) -> Result<(), Problem> {
    if ServiceExtra::of(turn.documents(), ServiceId(service))?.kind.is_issues() {
        let detail = format!("service {service} takes issues alone: escalate a ticket to it");
        return Err(Problem::conflict("issue-service", detail));
    }
    Ok(())
}

/// Whether a category is there, and values can stand in the fields that they are for.
pub(crate) fn check(turn: &mut Turn<'_>, category: Option<u64>, fields: &BTreeMap<u64, String>) -> Result<(), Problem> {
    let documents = turn.documents();
    if let Some(category) = category
        && documents.get::<Category>(category)?.is_none_or(|found| found.retired)
    {
        return Err(Problem::wrong("category", format!("there is no category {category} to choose")));
    }
    for (&id, value) in fields {
        let field = documents.get::<CustomField>(id)?.filter(|field| !field.retired);
        let field = field.ok_or_else(|| Problem::wrong("fields", format!("there is no field {id} to fill")))?;
        field.kind.takes(value).map_err(|wrong| Problem::wrong("fields", format!("{}: {wrong}", field.name)))?;
    }
    Ok(())
}

/// What is changed; what is left out stays.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Edit {
    /// In a line.
    subject: Option<String>,
    /// A category's number; 0 for none.
    category: Option<u64>,
    /// Words to find it by, all of them.
    tags: Option<Vec<String>>,
    /// Values of custom fields; an empty one takes the field's value away.
    #[schema(value_type = Option<BTreeMap<String, String>>)]
    fields: Option<BTreeMap<u64, String>>,
    /// Greater goes first.
    priority: Option<u8>,
}

/// Changes subject, category, tags, fields or priority.
#[utoipa::path(patch, path = "/tickets/{ticket}", tag = "tickets", request_body = Edit,
    params(("ticket" = u64, Path, description = "its number"),
        ("If-Match" = String, Header, description = "the ticket's revision")), responses(
    (status = 200, description = "changed; its revision is the ETag", body = WholeTicket),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn edit(
    caller: Caller,
    At(id): At<u64>,
    headers: HeaderMap,
    Body(body): Body<Edit>,
) -> Result<Response, Problem> {
    let version = must_see(&headers, "a ticket")?;
    let line = body.subject.as_deref().map(subject).transpose()?;
    let words = body.tags.map(tags).transpose()?;
    change(&caller, id, Some(version), move |turn, _, ticket| {
        let live = live(&ticket)?;
        let filled = body.fields.iter().flatten().filter(|(_, value)| !value.is_empty());
        let filled = filled.map(|(&field, value)| (field, value.clone())).collect();
        check(turn, body.category.filter(|category| *category != 0), &filled)?;
        let mut what = Vec::new();
        let now_us = turn.now().as_micros();
        let documents = turn.documents();
        if line.is_some() || words.is_some() || body.category.is_some() || body.fields.is_some() {
            Ticket::edit(documents, id, now_us, |ticket| {
                if let Some(line) = line {
                    ticket.subject = line;
                    what.push("subject".to_owned());
                }
                if let Some(words) = words {
                    ticket.tags = words;
                    what.push("tags".to_owned());
                }
                if let Some(category) = body.category {
                    ticket.category = Some(category).filter(|category| *category != 0);
                    what.push("category".to_owned());
                }
                for (field, value) in body.fields.into_iter().flatten() {
                    what.push(format!("field {field}"));
                    if value.is_empty() {
                        ticket.fields.remove(&field);
                    } else {
                        ticket.fields.insert(field, value);
                    }
                }
            })?;
            Line::add(documents, id, now_us, LineKind::Changed { what })?;
        }
        match body.priority {
            Some(priority) => order(turn, Command::SetTicketPriority { ticket: live, priority, version: None }),
            None => Ok(()),
        }
    })
    .await
}

/// Takes a ticket ("keep"): the operator who asks becomes its owner.
#[utoipa::path(post, path = "/tickets/{ticket}/pull", tag = "tickets",
    params(("ticket" = u64, Path, description = "its number")), responses(
    (status = 200, description = "theirs; its revision is the ETag", body = WholeTicket),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn pull(caller: Caller, At(id): At<u64>, headers: HeaderMap) -> Result<Response, Problem> {
    change(&caller, id, seen(&headers)?, move |turn, who, ticket| {
        let (operator, ticket) = (operator_of(who)?, live(&ticket)?);
        order(turn, Command::PullTicket { operator, ticket, version: None })
    })
    .await
}

/// Where a ticket is handed on to.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Forward {
    /// To an operator.
    Operator(u32),
    /// To wait in a queue.
    Queue(u16),
    /// To nobody: it stays to be pulled.
    Nobody,
}

impl Forward {
    pub(super) const fn target(self) -> TicketTarget {
        match self {
            Self::Operator(operator) => TicketTarget::Operator(OperatorId(operator)),
            Self::Queue(queue) => TicketTarget::Queue(QueueId(queue)),
            Self::Nobody => TicketTarget::Unassigned,
        }
    }
}

/// Hands a ticket on: to whom its service's tickets are for. Issues and what customers bring do not change sides.
pub(super) fn hand_on(turn: &mut Turn<'_>, ticket: &Ticket, to: Forward) -> Result<(), Problem> {
    let live = live(ticket)?;
    let not_of_service = |detail| Problem::new(StatusCode::FORBIDDEN, "not-of-service", detail);
    let config = turn.engine().config();
    match to {
        Forward::Operator(operator) => {
            let person = config.operators.get(operator as usize);
            if person.is_some_and(|person| !person.services.contains(&ServiceId(ticket.service))) {
                return Err(not_of_service(format!(
                    "operator {operator} does not belong to service {}, whose ticket it is",
                    ticket.service
                )));
            }
        }
        Forward::Queue(queue) => {
            let of = config.queues.get(usize::from(queue)).map(|found| found.service.0);
            if let Some(of) = of.filter(|of| *of != ticket.service) {
                takes_tickets(turn, of)?;
                return Err(not_of_service(format!(
                    "queue {queue} is of service {of}, and ticket {} of service {}: make a ticket there, and link it",
                    ticket.id, ticket.service
                )));
            }
        }
        Forward::Nobody => {}
    }
    order(turn, Command::ForwardTicket { ticket: live, to: to.target(), version: None })
}

/// Hands a ticket on.
#[utoipa::path(post, path = "/tickets/{ticket}/forward", tag = "tickets", request_body = Forward,
    params(("ticket" = u64, Path, description = "its number")), responses(
    (status = 200, description = "handed on; its revision is the ETag", body = WholeTicket),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn forward(
    caller: Caller,
    At(id): At<u64>,
    headers: HeaderMap,
    Body(body): Body<Forward>,
) -> Result<Response, Problem> {
    change(&caller, id, seen(&headers)?, move |turn, _, ticket| hand_on(turn, &ticket, body)).await
}

/// A status to move to.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Move {
    /// Where it stands from now on.
    pub status: TicketStatus,
    /// Why it is solved; answered unless said.
    pub resolution: Option<Resolution>,
}

/// Moves a ticket; a field that is required must be filled before it is solved.
pub(super) fn move_to(turn: &mut Turn<'_>, who: &Principal, ticket: &Ticket, to: Move) -> Result<(), Problem> {
    let live = live(ticket)?;
    let internal =
        matches!(to.resolution, Some(Resolution::Spam | Resolution::Abuse | Resolution::Test | Resolution::Duplicate));
    if to.status == TicketStatus::Solved
        && !internal
        && let Some(field) = missing_field(turn.documents(), ticket)?
    {
        let detail = format!("ticket {} is not solved without the field {field:?}", ticket.id);
        return Err(Problem::conflict("field-required", detail));
    }
    let resolution = to.resolution.unwrap_or(Resolution::Answered).into();
    let status = to.status.into();
    order(turn, Command::SetTicketStatus { ticket: live, by: who.operator, status, resolution, version: None })
}

/// Moves a ticket to another status.
#[utoipa::path(post, path = "/tickets/{ticket}/status", tag = "tickets", request_body = Move,
    params(("ticket" = u64, Path, description = "its number"),
        ("If-Match" = String, Header, description = "the ticket's revision")), responses(
    (status = 200, description = "moved; its revision is the ETag", body = WholeTicket),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_status(
    caller: Caller,
    At(id): At<u64>,
    headers: HeaderMap,
    Body(body): Body<Move>,
) -> Result<Response, Problem> {
    let version = must_see(&headers, "a ticket")?;
    change(&caller, id, Some(version), move |turn, who, ticket| move_to(turn, who, &ticket, body)).await
}

/// Something written.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    /// The text.
    text: String,
}

/// Adds a line that somebody wrote, also to a closed ticket where it is a note.
fn write_down(turn: &mut Turn<'_>, id: u64, kind: LineKind) -> Result<(), Problem> {
    let now_us = turn.now().as_micros();
    let documents = turn.documents();
    Ticket::edit(documents, id, now_us, |_| {})?;
    Ok(Line::add(documents, id, now_us, kind)?)
}

/// Writes a note for operators.
#[utoipa::path(post, path = "/tickets/{ticket}/notes", tag = "tickets", request_body = Written,
    params(("ticket" = u64, Path, description = "its number")), responses(
    (status = 200, description = "written; its revision is the ETag", body = WholeTicket),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn note(caller: Caller, At(id): At<u64>, Body(body): Body<Written>) -> Result<Response, Problem> {
    let text = text("text", &body.text, LONGEST)?;
    change(&caller, id, None, move |turn, _, _| write_down(turn, id, LineKind::Note { text })).await
}

/// Replies to the customer: the clock of the first response stands.
#[utoipa::path(post, path = "/tickets/{ticket}/replies", tag = "tickets", request_body = Written,
    params(("ticket" = u64, Path, description = "its number")), responses(
    (status = 200, description = "written; its revision is the ETag", body = WholeTicket),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn reply(
    caller: Caller,
    At(id): At<u64>,
    headers: HeaderMap,
    Body(body): Body<Written>,
) -> Result<Response, Problem> {
    let text = text("text", &body.text, LONGEST)?;
    change(&caller, id, seen(&headers)?, move |turn, who, ticket| {
        order(turn, Command::ReplyToTicket { ticket: live(&ticket)?, by: operator_of(who)? })?;
        write_down(turn, id, LineKind::Reply { text })
    })
    .await
}

/// Enters what the customer wrote: what was Pending or Solved is Open again. To a ticket that is closed for good the answer
/// is a new ticket, linked with it.
#[utoipa::path(post, path = "/tickets/{ticket}/customer-replies", tag = "tickets", request_body = Written,
    params(("ticket" = u64, Path, description = "its number")), responses(
    (status = 200, description = "entered; the ticket, or the new one", body = WholeTicket),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn customer_reply(caller: Caller, At(id): At<u64>, Body(body): Body<Written>) -> Result<Response, Problem> {
    let text = text("text", &body.text, LONGEST)?;
    let who = caller.principal.clone();
    let entered = caller
        .write(move |turn| {
            visible(turn, &who, id)?;
            let id = crate::tickets::customer_wrote(turn, id, text)?;
            let whole = whole(turn, id)?;
            Ok(Versioned { version: whole.ticket.revision, answer: whole })
        })
        .await?;
    Ok(entered.respond(StatusCode::OK))
}

/// Puts a ticket that was assigned down; it keeps its owner.
#[utoipa::path(post, path = "/tickets/{ticket}/finish", tag = "tickets",
    params(("ticket" = u64, Path, description = "its number")), responses(
    (status = 200, description = "put down; its revision is the ETag", body = WholeTicket),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn finish(caller: Caller, At(id): At<u64>) -> Result<Response, Problem> {
    change(&caller, id, None, move |turn, who, ticket| {
        let (operator, ticket) = (operator_of(who)?, live(&ticket)?);
        order(turn, Command::FinishTicketWork { operator, ticket })
    })
    .await
}

/// Another ticket.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Other {
    /// Its number.
    ticket: u64,
}

/// Makes another ticket part of this one; the other is closed as a duplicate, its texts stay with it.
#[utoipa::path(post, path = "/tickets/{ticket}/merge", tag = "tickets", request_body = Other,
    params(("ticket" = u64, Path, description = "the one that stays")), responses(
    (status = 200, description = "merged; its revision is the ETag", body = WholeTicket),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn merge(
    caller: Caller,
    At(id): At<u64>,
    headers: HeaderMap,
    Body(body): Body<Other>,
) -> Result<Response, Problem> {
    change(&caller, id, seen(&headers)?, move |turn, who, ticket| {
        let other = visible(turn, who, body.ticket)?;
        if is_above(turn.documents(), other.id, ticket.id)? || is_above(turn.documents(), ticket.id, other.id)? {
            let detail = format!("one of the tickets {} and {} is an issue of the other", ticket.id, other.id);
            return Err(Problem::conflict("own-issue", detail));
        }
        order(turn, Command::MergeTickets { into: live(&ticket)?, from: live(&other)? })
    })
    .await
}

/// Links two tickets.
#[utoipa::path(post, path = "/tickets/{ticket}/link", tag = "tickets", request_body = Other,
    params(("ticket" = u64, Path, description = "its number")), responses(
    (status = 200, description = "linked; its revision is the ETag", body = WholeTicket),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn link(caller: Caller, At(id): At<u64>, Body(body): Body<Other>) -> Result<Response, Problem> {
    change(&caller, id, None, move |turn, who, ticket| {
        let other = visible(turn, who, body.ticket)?;
        if ticket.id == other.id {
            return Err(Problem::wrong("ticket", "another ticket is right"));
        }
        crate::tickets::link(turn, &ticket, &other)
    })
    .await
}
