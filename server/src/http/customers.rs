//! Customers: search, records, what they had to do with us, export and erasure.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::listing::{Over, Page, Window};
use super::operators::number;
use super::version::{Versioned, must_see, same};
use super::{App, Asking, At, Body, Problem};
use crate::audit::Act;
use crate::auth::{Access, Caller, Role, Row};
use crate::customers::{Customer, Erased, create, erase, national};
use crate::document::Read;
use crate::host::Documents;
use crate::open_api::{self, Attachment, Inquiry};
use crate::records::CallRecord;
use crate::storage::{Range, Reader};
use crate::tickets::{Line, Ticket};
use crate::words::{grams, searched};

/// Who serves customers reads about them; an administrator does not.
const READERS: Access = Access::Roles(&[Role::Operator, Role::Supervisor]);
const SUPERVISORS: Access = Access::Roles(&[Role::Supervisor]);

/// Rows of this module's routes.
pub(crate) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/customers", access: READERS },
    Row { method: "POST", path: "/customers", access: READERS },
    Row { method: "GET", path: "/customers/{customer}", access: READERS },
    Row { method: "PUT", path: "/customers/{customer}", access: READERS },
    Row { method: "GET", path: "/customers/{customer}/timeline", access: READERS },
    Row { method: "GET", path: "/customers/{customer}/export", access: SUPERVISORS },
    Row { method: "POST", path: "/customers/{customer}/erase", access: SUPERVISORS },
];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, add))
        .routes(routes!(one, change))
        .routes(routes!(timeline))
        .routes(routes!(export))
        .routes(routes!(forget))
}

/// A customer's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
struct ShownCustomer {
    /// The record's number.
    id: u64,
    /// Raised by every change: the `ETag`.
    version: u64,
    /// What the organisation's own system calls them, where they are a member there.
    member: Option<String>,
    /// What is known.
    #[serde(flatten)]
    known: Known,
    /// Who served them last.
    last_operator: Option<u32>,
    /// When that was, in microseconds since 1970.
    last_served_us: Option<u64>,
    /// When the record was made, in microseconds since 1970.
    created_us: u64,
    /// Whether the person was erased.
    erased: bool,
}

/// What is known of a customer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
struct Known {
    /// As operators call them.
    #[serde(default)]
    name: String,
    /// Their telephone numbers.
    #[serde(default)]
    numbers: Vec<String>,
    /// What the organisation keeps of them, by its own names.
    #[serde(default)]
    fields: BTreeMap<String, String>,
    /// Notes for operators.
    #[serde(default)]
    notes: String,
}

impl From<Customer> for ShownCustomer {
    fn from(customer: Customer) -> Self {
        let Customer { id, version, member, name, numbers, fields, notes, .. } = customer;
        Self {
            id,
            version,
            member,
            known: Known { name, numbers, fields, notes },
            last_operator: customer.last_operator,
            last_served_us: customer.last_served_us,
            created_us: customer.created_us,
            erased: customer.erased,
        }
    }
}

impl Known {
    fn checked(self) -> Result<Self, Problem> {
        let length = |text: &str| text.chars().count();
        if length(&self.name) > 200 || self.name.chars().any(char::is_control) {
            return Err(Problem::wrong("name", "at most 200 characters without control characters are right"));
        }
        if length(&self.notes) > 20_000 {
            return Err(Problem::wrong("notes", "at most 20000 characters are right"));
        }
        if self.numbers.len() > 20 {
            return Err(Problem::wrong("numbers", "at most 20 numbers are right"));
        }
        if self.fields.len() > 100 || self.fields.iter().any(|(name, value)| length(name) > 60 || length(value) > 2_000)
        {
            return Err(Problem::wrong("fields", "at most 100 names of 60 characters, values of 2000, are right"));
        }
        Ok(self)
    }

    /// Puts it in a record; a number that is another's is refused.
    fn fill(self, documents: &mut Documents, customer: &mut Customer) -> Result<(), Problem> {
        let mut numbers = Vec::new();
        for text in &self.numbers {
            let found = national(documents, number("numbers", text)?)?;
            if let Some(other) = documents.find::<Customer>("number", &found)?.filter(|other| other.id != customer.id) {
                let detail = format!("a number is already that of customer {}", other.id);
                return Err(Problem::conflict("number-taken", detail));
            }
            if !numbers.contains(&found) {
                numbers.push(found);
            }
        }
        (customer.name, customer.numbers) = (self.name.trim().to_owned(), numbers);
        (customer.fields, customer.notes) = (self.fields, self.notes);
        Ok(())
    }
}

/// Which customers.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Exactly this telephone number, in any form.
    number: Option<String>,
    /// Part of a name, two characters or more.
    q: Option<String>,
    /// At most so many; 50 unless said, 500 at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// Customers, by number, by part of a name, or the newest.
#[utoipa::path(get, path = "/customers", tag = "customers", params(Which), responses(
    (status = 200, description = "a page", body = inline(Page<ShownCustomer>)),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller, Asking(which): Asking<Which>) -> Result<Json<Page<ShownCustomer>>, Problem> {
    if let Some(text) = which.number {
        let wanted = number("number", &text)?;
        let found = caller
            .look(move |turn| {
                let documents = turn.documents();
                let national = national(documents, wanted)?;
                Ok(documents.find::<Customer>("number", &national)?)
            })
            .await?;
        return Ok(Json(Page { items: found.into_iter().map(Into::into).collect(), next: None, cut: false }));
    }
    let over = match &which.q {
        None => Over::all("created"),
        Some(text) => {
            let pair = grams([text.as_str()]).pop_first();
            let pair = pair.ok_or_else(|| Problem::wrong("q", "two characters next to each other are right"))?;
            Over::of("gram", pair)
        }
    };
    let window = Window { limit: which.limit, after: which.after };
    let wanted = which.q.map(|text| searched(&text));
    let page = caller
        .read(move |reader| {
            window.page(reader, &over, |customer: &Customer| {
                !customer.erased && wanted.as_ref().is_none_or(|wanted| searched(&customer.name).contains(wanted))
            })
        })
        .await?;
    Ok(Json(page.map(Into::into)))
}

/// Makes a customer's record.
#[utoipa::path(post, path = "/customers", tag = "customers", request_body = Known, responses(
    (status = 201, description = "made; its version is the ETag", body = ShownCustomer),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn add(caller: Caller, Body(body): Body<Known>) -> Result<Response, Problem> {
    let known = body.checked()?;
    let made = caller
        .write(move |turn| {
            let now_us = turn.now().as_micros();
            let documents = turn.documents();
            let mut customer = create(documents, now_us, |_| {})?;
            known.fill(documents, &mut customer)?;
            documents.put(&customer);
            Ok(Versioned { version: customer.version, answer: ShownCustomer::from(customer) })
        })
        .await?;
    Ok(made.respond(StatusCode::CREATED))
}

fn there(found: Option<Customer>, id: u64) -> Result<Customer, Problem> {
    found.ok_or_else(|| Problem::unknown(format!("there is no customer {id}")))
}

/// A customer's record.
#[utoipa::path(get, path = "/customers/{customer}", tag = "customers",
    params(("customer" = u64, Path, description = "the record's number")), responses(
    (status = 200, description = "the record; its version is the ETag", body = ShownCustomer),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn one(caller: Caller, At(id): At<u64>) -> Result<Response, Problem> {
    let found = caller.read(move |reader| there(reader.document::<Customer>(id)?, id)).await?;
    Ok(Versioned { version: found.version, answer: ShownCustomer::from(found) }.respond(StatusCode::OK))
}

/// Changes a customer's record.
#[utoipa::path(put, path = "/customers/{customer}", tag = "customers", request_body = Known,
    params(("customer" = u64, Path, description = "the record's number"),
        ("If-Match" = String, Header, description = "the record's version")), responses(
    (status = 200, description = "changed; its version is the ETag", body = ShownCustomer),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn change(
    caller: Caller,
    At(id): At<u64>,
    headers: HeaderMap,
    Body(body): Body<Known>,
) -> Result<Response, Problem> {
    let (known, seen) = (body.checked()?, must_see(&headers, "a customer's record")?);
    let changed = caller
        .write(move |turn| {
            let documents = turn.documents();
            let mut customer = there(documents.get::<Customer>(id)?, id)?;
            same(&format!("customer {id}"), seen, customer.version)?;
            if customer.erased {
                return Err(Problem::conflict("erased", format!("customer {id} was erased: make a new record")));
            }
            known.fill(documents, &mut customer)?;
            customer.version += 1;
            documents.put(&customer);
            Ok(Versioned { version: customer.version, answer: ShownCustomer::from(customer) })
        })
        .await?;
    Ok(changed.respond(StatusCode::OK))
}

/// Something that a customer had to do with us.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
#[serde(tag = "kind", rename_all = "kebab-case")]
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
}

impl Contact {
    const fn at_us(&self) -> u64 {
        match self {
            Self::Call { at_us, .. } | Self::Ticket { at_us, .. } => *at_us,
        }
    }
}

/// Most calls, and most tickets, of a timeline or an export.
const MOST: usize = 5_000;

fn contacts(reader: &mut dyn Reader, id: u64, most: usize) -> Result<(Vec<CallRecord>, Vec<Ticket>), Problem> {
    let (from, to) = (format!("{id}:"), format!("{id};"));
    let of = |kind| Range {
        index: Some("customer"),
        from: Some(&from),
        to: Some(&to),
        descending: true,
        ..Range::all(kind, most)
    };
    let calls = reader.documents::<CallRecord>(&of(<CallRecord as crate::document::Document>::KIND))?;
    let tickets = reader.documents::<Ticket>(&of(<Ticket as crate::document::Document>::KIND))?;
    Ok((calls, tickets))
}

/// What a customer had to do with us, the newest first: the last 200 calls and tickets.
#[utoipa::path(get, path = "/customers/{customer}/timeline", tag = "customers",
    params(("customer" = u64, Path, description = "the record's number")), responses(
    (status = 200, description = "calls and tickets", body = Vec<Contact>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn timeline(caller: Caller, At(id): At<u64>) -> Result<Json<Vec<Contact>>, Problem> {
    let all = caller
        .read(move |reader| {
            there(reader.document::<Customer>(id)?, id)?;
            let (calls, tickets) = contacts(reader, id, 200)?;
            let calls = calls.into_iter().map(|call| Contact::Call {
                at_us: call.arrived_us,
                call: call.id,
                outbound: call.outbound,
                cause: call.cause,
                talk_us: call.talk_us,
                operators: call.operators,
                ticket: call.ticket,
            });
            let tickets = tickets.into_iter().map(|ticket| Contact::Ticket {
                at_us: ticket.created_us,
                ticket: ticket.id,
                subject: ticket.subject,
                status: ticket.status,
                owner: ticket.owner,
            });
            let mut all: Vec<_> = calls.chain(tickets).collect();
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
    /// Their tickets.
    tickets: Vec<Ticket>,
    /// Every line of their tickets.
    lines: Vec<Line>,
    /// Whom those of their tickets are from that came by the open API.
    inquiries: Vec<Inquiry>,
    /// The files under their tickets; `GET /tickets/{ticket}/attachments/{attachment}` has their content.
    attachments: Vec<Attachment>,
    /// Whether there was more than fits.
    cut: bool,
}

/// Everything that is kept of a person, for them: their record, calls, tickets and texts.
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
            let (calls, tickets) = contacts(reader, id, MOST)?;
            let (mut lines, mut inquiries, mut attachments) = (Vec::new(), Vec::new(), Vec::new());
            for ticket in &tickets {
                lines.extend(super::tickets::lines(reader, ticket.id, MOST)?);
                inquiries.extend(reader.document::<Inquiry>(ticket.id)?);
                attachments.extend(open_api::attachments(reader, ticket.id)?);
            }
            let cut = calls.len() == MOST || tickets.len() == MOST;
            Ok(Export { customer, calls, tickets, lines, inquiries, attachments, cut })
        })
        .await?;
    Ok(Json(export))
}

/// Erases a person: name, numbers, fields, notes, their number in call records, the texts of their tickets. Figures stay.
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
