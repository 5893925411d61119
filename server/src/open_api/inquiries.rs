//! Inquiries over the open API: made, listed for a member, read, gone on with.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::Response;
use callfloor_engine::PhoneNumber;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use super::OpenScope;
use super::attachment::{self, Attachment, Checked, LARGEST_AT_ONCE, Upload};
use super::door::Asker;
use super::inquiry::{Contact, Inquiry, arrive, customer, member};
use super::signature::sha256;
use crate::auth::{Access, Row};
use crate::document::Read;
use crate::host::Turn;
use crate::http::listing::{Over, Page, Window};
use crate::http::tickets::{LONGEST, check, lines, subject, text};
use crate::http::{App, Asking, At, Body, Problem};
use crate::storage::Reader;
use crate::tickets::{Category, Line, LineKind, Ticket};
use crate::wire::TicketStatus;

const READ: Access = Access::Signed(OpenScope::InquiriesRead);
const WRITE: Access = Access::Signed(OpenScope::InquiriesWrite);
/// Largest body, in bytes: files in Base64, and room for texts in any script.
pub(super) const LARGEST_BODY: usize = LARGEST_AT_ONCE / 3 * 4 + (1 << 20);
/// Most lines of a ticket that are looked through for what was written.
const MOST_LINES: usize = 5_000;

/// Rows of this module's routes.
pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/open/v1/services/{service}/inquiries", access: READ },
    Row { method: "POST", path: "/open/v1/services/{service}/inquiries", access: WRITE },
    Row { method: "GET", path: "/open/v1/services/{service}/inquiries/{inquiry}", access: READ },
    Row { method: "POST", path: "/open/v1/services/{service}/inquiries/{inquiry}/replies", access: WRITE },
    Row {
        method: "GET",
        path: "/open/v1/services/{service}/inquiries/{inquiry}/attachments/{attachment}",
        access: READ,
    },
];

/// This module's routes.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(make).layer(DefaultBodyLimit::max(LARGEST_BODY)))
        .routes(routes!(one))
        .routes(routes!(reply).layer(DefaultBodyLimit::max(LARGEST_BODY)))
        .routes(routes!(file))
}

/// An inquiry to be made.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewInquiry {
    /// Who asks, as your system calls them: 1 to 128 characters; left out for somebody who is no member.
    pub member: Option<String>,
    /// How to reach them.
    #[serde(default)]
    pub from: Contact,
    /// In a line: 1 to 200 characters.
    pub subject: String,
    /// The matter: 1 to 20,000 characters.
    pub text: String,
    /// A category's number.
    pub category: Option<u64>,
    /// Values of fields, by the fields' numbers.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, String>)]
    pub fields: BTreeMap<u64, String>,
    /// At most 5 files, 5 MiB each and 10 MiB together.
    #[serde(default)]
    pub attachments: Vec<Upload>,
}

/// Where something that was written is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ReceivedInquiry)]
pub(super) struct Received {
    /// The inquiry's number.
    pub inquiry: u64,
    /// Where it stands.
    status: TicketStatus,
    /// When it was made, in microseconds since 1970.
    created_us: u64,
}

impl Received {
    pub(super) fn of(turn: &mut Turn<'_>, id: u64) -> Result<Self, Problem> {
        let ticket = turn.documents().get::<Ticket>(id)?.ok_or_else(|| unknown(id))?;
        Ok(Self { inquiry: id, status: ticket.status, created_us: ticket.created_us })
    }
}

fn unknown(id: u64) -> Problem {
    Problem::unknown(format!("there is no inquiry {id} of this member to this service"))
}

/// Makes an inquiry: a ticket that waits for an operator.
#[utoipa::path(post, path = "/services/{service}/inquiries", tag = "open API", request_body = NewInquiry,
    params(("service" = u16, Path, description = "which")), responses(
    (status = 201, description = "kept", body = Received),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn make(
    asker: Asker,
    At(service): At<u16>,
    Body(body): Body<NewInquiry>,
) -> Result<(StatusCode, Json<Received>), Problem> {
    let inquiry = body.checked().await?;
    let key = asker.key;
    let made = asker.write(move |turn| inquiry.keep(turn, service, key)).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// An inquiry that is right, as far as that can be said without looking.
#[derive(Debug)]
pub(super) struct CheckedInquiry {
    member: Option<String>,
    from: Contact,
    number: Option<PhoneNumber>,
    subject: String,
    text: String,
    category: Option<u64>,
    fields: BTreeMap<u64, String>,
    pub files: Vec<Checked>,
}

impl NewInquiry {
    /// What is kept of it.
    ///
    /// # Errors
    /// What would be right.
    pub(super) async fn checked(self) -> Result<CheckedInquiry, Problem> {
        let member = self.member.as_deref().map(member).transpose()?;
        let subject = subject(&text("subject", &self.subject, 200)?)?;
        let text = text("text", &self.text, LONGEST)?;
        let (from, number) = self.from.checked()?;
        let files = attachment::check(self.attachments).await?;
        Ok(CheckedInquiry { member, from, number, subject, text, category: self.category, fields: self.fields, files })
    }
}

impl CheckedInquiry {
    /// Tells it from another: a hash of everything in it.
    pub(super) fn fingerprint(&self) -> String {
        let files: Vec<_> = self.files.iter().map(Checked::known_by).collect();
        let all = (&self.member, &self.from, &self.subject, &self.text, self.category, &self.fields, files);
        sha256(&serde_json::to_vec(&all).expect("an inquiry has a form in JSON"))
    }

    /// Makes the ticket of it, which waits for an operator.
    ///
    /// # Errors
    /// A category or field that is not there, and what the engine and storage say.
    pub(super) fn keep(self, turn: &mut Turn<'_>, service: u16, key: u64) -> Result<Received, Problem> {
        let Self { member, from, number, subject, text, category, fields, files } = self;
        check(turn, category, &fields)?;
        attachment::organisation_has_room(turn.documents(), &files)?;
        let customer = customer(turn, member.as_deref(), &from, number)?;
        let id = arrive(turn, service, customer)?;
        let now_us = turn.now().as_micros();
        let documents = turn.documents();
        documents.put(&Inquiry { id, service, member, from, key, erased: false });
        Ticket::edit(documents, id, now_us, |ticket| {
            (ticket.subject, ticket.category, ticket.fields) = (subject, category, fields);
        })?;
        Line::add(documents, id, now_us, LineKind::Description { text })?;
        attachment::keep(turn, id, files)?;
        Received::of(turn, id)
    }
}

/// Which inquiries.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Whose, as your system calls them.
    member: String,
    /// At most so many; 50 unless said, 500 at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

/// An inquiry in a list.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct ListedInquiry {
    /// Its number.
    inquiry: u64,
    /// In a line.
    subject: String,
    /// A category's number.
    category: Option<u64>,
    /// Where it stands.
    status: TicketStatus,
    /// When it was made, in microseconds since 1970.
    created_us: u64,
    /// When anything last happened to it.
    changed_us: u64,
}

impl From<&Ticket> for ListedInquiry {
    fn from(ticket: &Ticket) -> Self {
        let Ticket { id, subject, category, status, created_us, changed_us, .. } = ticket.clone();
        Self { inquiry: id, subject, category, status, created_us, changed_us }
    }
}

/// The inquiries of a member to a service, the newest first.
#[utoipa::path(get, path = "/services/{service}/inquiries", tag = "open API",
    params(Which, ("service" = u16, Path, description = "which")), responses(
    (status = 200, description = "a page", body = inline(Page<ListedInquiry>)),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(
    asker: Asker,
    At(service): At<u16>,
    Asking(which): Asking<Which>,
) -> Result<Json<Page<ListedInquiry>>, Problem> {
    let over = Over::of("member", Inquiry::history(service, &member(&which.member)?));
    let window = Window { limit: which.limit, after: which.after };
    let page = asker.read(move |reader| {
        let Page { items, next, cut } = window.page(reader, &over, |_: &Inquiry| true)?;
        let mut found = Vec::with_capacity(items.len());
        for inquiry in items {
            found.extend(reader.document::<Ticket>(inquiry.id)?.as_ref().map(ListedInquiry::from));
        }
        Ok(Page { items: found, next, cut })
    });
    page.await.map(Json)
}

/// Whose inquiry.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// As your system calls them; left out for an inquiry of somebody who is no member.
    member: Option<String>,
}

/// The inquiry, where it is this member's and to this service.
fn theirs(found: Option<Inquiry>, service: u16, member: Option<&str>) -> Option<Inquiry> {
    found.filter(|found| found.service == service && found.member.as_deref() == member && !found.erased)
}

/// Who wrote something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Writer {
    /// The customer.
    Customer,
    /// An operator.
    Operator,
}

/// Something that was written.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct Message {
    /// When, in microseconds since 1970.
    at_us: u64,
    /// Who.
    from: Writer,
    /// The text.
    text: String,
}

impl Message {
    /// What a line of a ticket's history tells the customer: notes stay with operators.
    fn of(line: Line) -> Option<Self> {
        let (from, text) = match line.kind {
            LineKind::Description { text } | LineKind::CustomerReply { text } => (Writer::Customer, text),
            LineKind::Reply { text } => (Writer::Operator, text),
            _ => return None,
        };
        Some(Self { at_us: line.at_us, from, text })
    }
}

/// An inquiry with everything that its customer may see.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct WholeInquiry {
    /// What lists show.
    #[serde(flatten)]
    inquiry: ListedInquiry,
    /// The category's name.
    category_name: Option<String>,
    /// Values of fields, by the fields' numbers.
    #[schema(value_type = BTreeMap<String, String>)]
    fields: BTreeMap<u64, String>,
    /// What was written, the oldest first.
    messages: Vec<Message>,
    /// Files, in the order in which they came.
    attachments: Vec<Attachment>,
    /// Inquiries of the same member that it goes on from, or that go on from it.
    linked: Vec<u64>,
}

pub(super) fn whole(reader: &mut dyn Reader, ticket: Ticket, member: Option<&str>) -> Result<WholeInquiry, Problem> {
    let messages = lines(reader, ticket.id, MOST_LINES)?.into_iter().filter_map(Message::of).collect();
    let category = match ticket.category {
        Some(category) => reader.document::<Category>(category)?,
        None => None,
    };
    let mut linked = Vec::new();
    for &other in &ticket.linked {
        let found = theirs(reader.document::<Inquiry>(other)?, ticket.service, member);
        linked.extend(found.filter(|found| found.member.is_some()).map(|found| found.id));
    }
    Ok(WholeInquiry {
        inquiry: (&ticket).into(),
        category_name: category.map(|category| category.name),
        fields: ticket.fields,
        messages,
        attachments: attachment::of(reader, ticket.id)?,
        linked,
    })
}

/// An inquiry of a member, with what was written and which files there are.
#[utoipa::path(get, path = "/services/{service}/inquiries/{inquiry}", tag = "open API",
    params(Whose, ("service" = u16, Path, description = "which"), ("inquiry" = u64, Path, description = "its number")),
    responses(
    (status = 200, description = "the inquiry", body = WholeInquiry),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn one(
    asker: Asker,
    At((service, id)): At<(u16, u64)>,
    Asking(whose): Asking<Whose>,
) -> Result<Json<WholeInquiry>, Problem> {
    let found = asker.read(move |reader| {
        let member = whose.member.as_deref();
        theirs(reader.document::<Inquiry>(id)?, service, member).ok_or_else(|| unknown(id))?;
        let ticket = reader.document::<Ticket>(id)?.ok_or_else(|| unknown(id))?;
        whole(reader, ticket, member)
    });
    found.await.map(Json)
}

/// A file of an inquiry.
#[utoipa::path(get, path = "/services/{service}/inquiries/{inquiry}/attachments/{attachment}", tag = "open API",
    params(Whose, ("service" = u16, Path, description = "which"), ("inquiry" = u64, Path, description = "its number"),
        ("attachment" = u64, Path, description = "which file")), responses(
    (status = 200, description = "its content", body = Vec<u8>, content_type = "application/octet-stream"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn file(
    State(app): State<App>,
    asker: Asker,
    At((service, id, file)): At<(u16, u64, u64)>,
    Asking(whose): Asking<Whose>,
) -> Result<Response, Problem> {
    let found = asker.read(move |reader| {
        theirs(reader.document::<Inquiry>(id)?, service, whose.member.as_deref()).ok_or_else(|| unknown(id))?;
        attachment::one(reader, id, file)
    });
    attachment::send(&app, &asker.tenant, found.await?).await
}

/// What a customer writes to an inquiry that there is.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = InquiryReply)]
struct Again {
    /// Whose inquiry it is, as your system calls them; left out for somebody who is no member.
    member: Option<String>,
    /// The text: 1 to 20,000 characters.
    text: String,
    /// At most 5 files, 5 MiB each and 10 MiB together.
    #[serde(default)]
    attachments: Vec<Upload>,
}

/// Writes to an inquiry again: what was Pending or Solved is Open again. Of an inquiry that is closed for good the answer
/// names a new one, linked with it.
#[utoipa::path(post, path = "/services/{service}/inquiries/{inquiry}/replies", tag = "open API", request_body = Again,
    params(("service" = u16, Path, description = "which"), ("inquiry" = u64, Path, description = "its number")), responses(
    (status = 201, description = "kept; the inquiry, or the new one", body = Received),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn reply(
    asker: Asker,
    At((service, id)): At<(u16, u64)>,
    Body(body): Body<Again>,
) -> Result<(StatusCode, Json<Received>), Problem> {
    let wanted = text("text", &body.text, LONGEST)?;
    let files = attachment::check(body.attachments).await?;
    let (member, key) = (body.member, asker.key);
    let written = asker
        .write(move |turn| {
            let documents = turn.documents();
            let found = theirs(documents.get::<Inquiry>(id)?, service, member.as_deref());
            let inquiry = found.ok_or_else(|| unknown(id))?;
            attachment::has_room(documents, id, &files)?;
            let to = crate::tickets::customer_wrote(turn, id, wanted)?;
            if to != id {
                turn.documents().put(&Inquiry { id: to, key, ..inquiry });
            }
            attachment::keep(turn, to, files)?;
            Received::of(turn, to)
        })
        .await?;
    Ok((StatusCode::CREATED, Json(written)))
}
