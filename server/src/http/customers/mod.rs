//! Customers' records: search, reading, changing.

mod contacts;
mod reach;

use std::collections::BTreeMap;

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use self::reach::{Reach, reach};
use crate::auth::{Access, Caller, Role, Row};
use crate::customers::{Customer, create, national};
use crate::document::Read;
use crate::host::Documents;
use crate::http::listing::{Over, Page, Window};
use crate::http::operators::number;
use crate::http::version::{Versioned, must_see, same};
use crate::http::{App, Asking, At, Body, Problem};
use crate::words::{grams, searched};

/// Who serves customers reads about them; an administrator does not.
const READERS: Access = Access::Roles(&[Role::Operator, Role::Supervisor]);
const SUPERVISORS: Access = Access::Roles(&[Role::Supervisor]);

/// Rows of this module's routes.
pub(crate) fn permissions() -> impl Iterator<Item = &'static Row> {
    [PERMISSIONS, contacts::PERMISSIONS].into_iter().flatten()
}

const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/customers", access: READERS },
    Row { method: "POST", path: "/customers", access: READERS },
    Row { method: "GET", path: "/customers/{customer}", access: READERS },
    Row { method: "PUT", path: "/customers/{customer}", access: READERS },
];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list, add)).routes(routes!(one, change)).merge(contacts::router())
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

/// Refuses who does not reach every record.
async fn every_record(caller: &Caller) -> Result<(), Problem> {
    let who = caller.principal.clone();
    caller.look(move |turn| Reach::of(turn, &who)?.all()).await
}

/// Refuses who does not reach one customer's record.
///
/// # Errors
/// That there is no such customer for them, or that there is no answer at present.
pub(crate) async fn within_reach(caller: &Caller, id: u64) -> Result<(), Problem> {
    reach(caller, id).await.map(drop)
}

/// Writes in the audit log whose numbers are about to be shown.
async fn tells(caller: &Caller, customers: &[Customer], what: &str) -> Result<(), Problem> {
    let numbers = customers.iter().map(|customer| customer.numbers.len()).sum();
    let about = match customers {
        [one] => format!("customer {}, {what}", one.id),
        _ => what.to_owned(),
    };
    caller.reads_numbers(numbers, about).await
}

/// Customers, by number, by part of a name, or the newest.
#[utoipa::path(get, path = "/customers", tag = "customers", params(Which), responses(
    (status = 200, description = "a page", body = inline(Page<ShownCustomer>)),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller, Asking(which): Asking<Which>) -> Result<Json<Page<ShownCustomer>>, Problem> {
    every_record(&caller).await?;
    if let Some(text) = which.number {
        let wanted = number("number", &text)?;
        let found = caller
            .look(move |turn| {
                let documents = turn.documents();
                let national = national(documents, wanted)?;
                Ok(documents.find::<Customer>("number", &national)?)
            })
            .await?;
        tells(&caller, found.as_slice(), "a search by number").await?;
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
    tells(&caller, &page.items, "a list of customers").await?;
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
    let who = caller.principal.clone();
    let made = caller
        .write(move |turn| {
            Reach::of(turn, &who)?.all()?;
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
    reach(&caller, id).await?;
    let found = caller.read(move |reader| there(reader.document::<Customer>(id)?, id)).await?;
    tells(&caller, std::slice::from_ref(&found), "one record").await?;
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
    let who = caller.principal.clone();
    let changed = caller
        .write(move |turn| {
            Reach::of(turn, &who)?.one(turn, id)?;
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
