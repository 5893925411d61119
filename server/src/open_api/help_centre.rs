//! The help centre: what everybody is shown of a service without signing in, and the form by which they ask. A service
//! has none unless an administrator switches it on.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{DefaultBodyLimit, FromRequestParts, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use callfloor_engine::{Channel, Queue, ServiceId};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use super::article::ArticleKind;
use super::attachment::{self, Checked, LARGEST, LARGEST_AT_ONCE, MOST_AT_ONCE, Upload};
use super::content::{self, OpenArticle, OpenCategory, OpenField};
use super::door::{SMALL_BODY, body_to_come};
use super::form::WAIT_MS;
use super::inquiries::{LARGEST_BODY, NewInquiry, Received, WholeInquiry, whole};
use super::inquiry::{Contact, Inquiry, InquiryToken};
use super::room::Taken;
use super::signature::sha256;
use crate::auth::{Access, Repeatable, Row, idempotency_key, once};
use crate::chat::CUSTOMER_TOKEN;
use crate::document::{Document as _, Read as _};
use crate::floor::{HelpCentre, ServiceExtra};
use crate::host::Turn;
use crate::http::listing::Page;
use crate::http::tickets::{LONGEST, text};
use crate::http::{App, Asking, At, Body, ClientAddress, Problem};
use crate::storage::{Range, Reader};
use crate::tenant::Tenant;
use crate::tickets::Ticket;

/// Rows of this module's routes.
pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/customer/help-centres", access: Access::Public },
    Row { method: "GET", path: "/customer/help-centres/{service}", access: Access::Public },
    Row { method: "GET", path: "/customer/help-centres/{service}/notices", access: Access::Public },
    Row { method: "GET", path: "/customer/help-centres/{service}/faq", access: Access::Public },
    Row { method: "GET", path: "/customer/help-centres/{service}/form", access: Access::Public },
    Row { method: "POST", path: "/customer/help-centres/{service}/inquiries", access: Access::Public },
    Row { method: "GET", path: "/customer/inquiry", access: Access::Public },
    Row { method: "POST", path: "/customer/inquiry/replies", access: Access::Public },
];

/// This module's routes.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(one))
        .routes(routes!(notices))
        .routes(routes!(faq))
        .routes(routes!(form))
        .routes(routes!(ask).layer(DefaultBodyLimit::max(LARGEST_BODY)))
        .routes(routes!(own))
        .routes(routes!(reply).layer(DefaultBodyLimit::max(LARGEST_BODY)))
}

/// Whose help centre.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Whose {
    /// The organisation; without it `main`.
    organisation: Option<String>,
}

/// A service's help centre.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct Centre {
    /// The service's number.
    service: u16,
    /// Its name.
    name: String,
    /// Whether its business hours are running.
    open_now: bool,
    /// Whether there are notices and FAQ.
    articles: bool,
    /// Whether there is a form for inquiries.
    inquiries: bool,
    /// Whether it has chats.
    chat: bool,
}

fn unknown() -> Problem {
    Problem::unknown("there is no such help centre")
}

fn now_ms() -> u64 {
    u64::try_from(jiff::Timestamp::now().as_millisecond()).unwrap_or(0)
}

/// What of these services everybody may see, as they are now.
async fn centres(tenant: &Tenant, on: Vec<(u16, HelpCentre)>) -> Result<Vec<Centre>, Problem> {
    let look = move |turn: &mut Turn<'_>| {
        let (config, now) = (turn.engine().config(), turn.now());
        let centres = on.into_iter().filter_map(|(service, on)| {
            let found = config.services.get(usize::from(service))?;
            let has_chat = |queue: &Queue| queue.service == ServiceId(service) && queue.channel == Channel::Chat;
            Some(Centre {
                service,
                name: found.name.clone(),
                open_now: found.hours.is_open(now),
                articles: on.articles,
                inquiries: on.inquiries,
                chat: config.queues.iter().any(has_chat),
            })
        });
        Ok(centres.collect())
    };
    tenant.host.run(look).await?
}

/// A service whose help centre is on.
async fn on(app: &App, service: u16, whose: Option<&str>) -> Result<(Arc<Tenant>, HelpCentre), Problem> {
    let tenant = app.tenants().named(whose).ok_or_else(unknown)?;
    let read =
        move |reader: &mut dyn Reader| Ok::<_, Problem>(reader.document::<ServiceExtra>(u64::from(service) + 1)?);
    let found = tenant.host.read(read).await?.map(|extra| extra.help_centre).filter(|found| found.is_on());
    Ok((tenant, found.ok_or_else(unknown)?))
}

/// The help centres of an organisation: none, too, where there is no such organisation.
#[utoipa::path(get, path = "/customer/help-centres", tag = "help centre", params(Whose), responses(
    (status = 200, description = "by service", body = Vec<Centre>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(State(app): State<App>, Asking(whose): Asking<Whose>) -> Result<Json<Vec<Centre>>, Problem> {
    let Some(tenant) = app.tenants().named(whose.organisation.as_deref()) else { return Ok(Json(Vec::new())) };
    let all = |reader: &mut dyn Reader| {
        Ok::<_, Problem>(reader.documents::<ServiceExtra>(&Range::all(ServiceExtra::KIND, usize::MAX))?)
    };
    let all = tenant.host.read(all).await?.into_iter().filter(|extra| extra.help_centre.is_on());
    let on = all.filter_map(|extra| Some((u16::try_from(extra.id - 1).ok()?, extra.help_centre))).collect();
    centres(&tenant, on).await.map(Json)
}

/// A service's help centre.
#[utoipa::path(get, path = "/customer/help-centres/{service}", tag = "help centre",
    params(Whose, ("service" = u16, Path, description = "which")), responses(
    (status = 200, description = "the help centre", body = Centre),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn one(
    State(app): State<App>,
    At(service): At<u16>,
    Asking(whose): Asking<Whose>,
) -> Result<Json<Centre>, Problem> {
    let (tenant, found) = on(&app, service, whose.organisation.as_deref()).await?;
    let mut found = centres(&tenant, vec![(service, found)]).await?;
    found.pop().map(Json).ok_or_else(unknown)
}

/// Which articles of whose help centre.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// The organisation; without it `main`.
    organisation: Option<String>,
    /// Only those in this language.
    language: Option<String>,
    /// Only those with this text in them.
    q: Option<String>,
    /// At most so many; 50 unless said, 500 at most.
    limit: Option<usize>,
    /// The `next` of the page before.
    after: Option<String>,
}

async fn shown(app: &App, kind: ArticleKind, service: u16, which: Which) -> Result<Json<Page<OpenArticle>>, Problem> {
    let Which { organisation, language, q, limit, after } = which;
    let (tenant, found) = on(app, service, organisation.as_deref()).await?;
    if !found.articles {
        return Err(unknown());
    }
    let which = content::Which { language, q, limit, after };
    tenant.host.read(content::shown(kind, service, which)?).await.map(Json)
}

/// The notices of a service that are shown now, in their order.
#[utoipa::path(get, path = "/customer/help-centres/{service}/notices", tag = "help centre",
    params(Which, ("service" = u16, Path, description = "which")), responses(
    (status = 200, description = "a page", body = inline(Page<OpenArticle>)),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn notices(
    State(app): State<App>,
    At(service): At<u16>,
    Asking(which): Asking<Which>,
) -> Result<Json<Page<OpenArticle>>, Problem> {
    shown(&app, ArticleKind::Notice, service, which).await
}

/// The FAQ of a service, in its order.
#[utoipa::path(get, path = "/customer/help-centres/{service}/faq", tag = "help centre",
    params(Which, ("service" = u16, Path, description = "which")), responses(
    (status = 200, description = "a page", body = inline(Page<OpenArticle>)),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn faq(
    State(app): State<App>,
    At(service): At<u16>,
    Asking(which): Asking<Which>,
) -> Result<Json<Page<OpenArticle>>, Problem> {
    shown(&app, ArticleKind::Faq, service, which).await
}

/// A form to be filled in.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct Form {
    /// What goes back with it: good for 12 hours and for one inquiry.
    form: String,
    /// It is taken after so many milliseconds: nobody writes faster.
    wait_ms: u64,
    /// What the inquiry can be about.
    categories: Vec<OpenCategory>,
    /// What else can be said.
    fields: Vec<OpenField>,
    /// Most files.
    most_files: usize,
    /// Largest file, in bytes.
    largest_file: usize,
    /// Largest sum of all files, in bytes.
    largest_files: usize,
}

async fn with_inquiries(app: &App, service: u16, whose: &Whose) -> Result<Arc<Tenant>, Problem> {
    let (tenant, found) = on(app, service, whose.organisation.as_deref()).await?;
    if found.inquiries { Ok(tenant) } else { Err(unknown()) }
}

/// A form for an inquiry.
#[utoipa::path(get, path = "/customer/help-centres/{service}/form", tag = "help centre",
    params(Whose, ("service" = u16, Path, description = "which")), responses(
    (status = 200, description = "a form", body = Form),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn form(
    State(app): State<App>,
    At(service): At<u16>,
    Asking(whose): Asking<Whose>,
) -> Result<Json<Form>, Problem> {
    let tenant = with_inquiries(&app, service, &whose).await?;
    let lists =
        |reader: &mut dyn Reader| Ok::<_, Problem>((OpenCategory::offered(reader)?, OpenField::offered(reader)?));
    let (categories, fields) = tenant.host.read(lists).await?;
    Ok(Json(Form {
        form: app.open.forms.give(&tenant.name, service, now_ms()),
        wait_ms: WAIT_MS,
        categories,
        fields,
        most_files: MOST_AT_ONCE,
        largest_file: LARGEST,
        largest_files: LARGEST_AT_ONCE,
    }))
}

/// A form that was filled in.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct FilledIn {
    /// The form that was given.
    form: String,
    /// Who asks, and how to reach them: a name, and an address of mail or a telephone number.
    from: Contact,
    /// In a line: 1 to 200 characters.
    subject: String,
    /// The matter: 1 to 20,000 characters.
    text: String,
    /// A category's number.
    category: Option<u64>,
    /// Values of fields, by the fields' numbers.
    #[serde(default)]
    fields: BTreeMap<u64, String>,
    /// At most 5 files, 5 MiB each and 10 MiB together.
    #[serde(default)]
    attachments: Vec<Upload>,
    /// Stays empty: people do not see it, programs fill it in.
    #[serde(default)]
    website: String,
}

/// Somebody who sends a form: refused before anything of it is read, where too many come from their address. What is large waits
/// for its turn.
struct Sender {
    _room: Option<Taken>,
}

impl FromRequestParts<App> for Sender {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let address: IpAddr = ClientAddress::from_request_parts(parts, app).await?.network();
        app.open.forms.sends(address)?;
        let room = match body_to_come(&parts.headers, LARGEST_BODY)? {
            length if length > SMALL_BODY => Some(app.open.room.for_stranger(address, length).await?),
            _ => None,
        };
        Ok(Self { _room: room })
    }
}

/// Makes an inquiry: a ticket that waits for an operator. The same form sent again is answered the same and makes no second one.
#[utoipa::path(post, path = "/customer/help-centres/{service}/inquiries", tag = "help centre", request_body = FilledIn,
    params(Whose, ("service" = u16, Path, description = "which")), responses(
    (status = 201, description = "kept: its number is the receipt", body = Received),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn ask(
    State(app): State<App>,
    sender: Sender,
    At(service): At<u16>,
    Asking(whose): Asking<Whose>,
    Body(body): Body<FilledIn>,
) -> Result<(StatusCode, Json<Received>), Problem> {
    let tenant = with_inquiries(&app, service, &whose).await?;
    let FilledIn { form, from, subject, text, category, fields, attachments, website } = body;
    if !website.is_empty() {
        return Err(Problem::wrong("website", "the field website stays empty: leave it out and send the form again"));
    }
    if from.name.trim().is_empty() {
        return Err(Problem::wrong("name", "a name is right: how shall we address you?"));
    }
    if from.email.is_none() && from.phone.is_none() {
        return Err(Problem::wrong("from", "an address of mail or a telephone number is right: how shall we answer?"));
    }
    let inquiry = NewInquiry { member: None, from, subject, text, category, fields, attachments }.checked().await?;
    let bytes = inquiry.files.iter().map(Checked::bytes).sum();
    // The form opens the inquiry afterwards: as such it is kept nowhere.
    let asked = Repeatable { key: sha256(form.as_bytes()), fingerprint: inquiry.fingerprint() };
    let (forms, organisation) = (Arc::clone(&app.open.forms), tenant.name.clone());
    // In the loop's order: what was kept already is answered the same, however old the form is by now.
    let job = once(format!("form {service}"), Some(asked), move |turn| {
        let _room = sender;
        forms.is_good(&form, &organisation, service, now_ms())?;
        forms.keeps(&organisation, service, bytes)?;
        let made = inquiry.keep(turn, service, 0)?;
        let token = sha256(format!("{service}/{form}").as_bytes());
        turn.documents().put(&InquiryToken { id: made.inquiry, token });
        Ok(made)
    });
    let made = tenant.host.run(job).await??;
    Ok((StatusCode::CREATED, Json(made)))
}

/// How long an inquiry stays open to whom it is from after anything last happened to it: 90 days, in microseconds.
const OPEN_US: u64 = 90 * 86_400 * 1_000_000;

/// The form that opens an inquiry, hashed: `SERVICE/FORM` in the header of customers' tokens.
struct SentForm(String);

impl FromRequestParts<App> for SentForm {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, Problem> {
        let token = parts.headers.get(CUSTOMER_TOKEN).and_then(|token| token.to_str().ok()).ok_or_else(closed)?;
        Ok(Self(sha256(token.as_bytes())))
    }
}

fn closed() -> Problem {
    Problem::unauthenticated(
        "Callfloor-Customer-Token is SERVICE/FORM of an inquiry that was sent, within 90 days of its last change",
    )
}

fn now_us() -> u64 {
    now_ms().saturating_mul(1_000)
}

fn still_open(ticket: Option<Ticket>) -> Result<Ticket, Problem> {
    ticket.filter(|ticket| now_us() < ticket.changed_us.saturating_add(OPEN_US)).ok_or_else(closed)
}

/// The inquiry that was made by a form, with what was written and which files there are.
#[utoipa::path(get, path = "/customer/inquiry", tag = "help centre", params(Whose,
    ("Callfloor-Customer-Token" = String, Header, description = "`SERVICE/FORM` of the form that was sent")), responses(
    (status = 200, description = "the inquiry", body = WholeInquiry),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn own(
    State(app): State<App>,
    SentForm(token): SentForm,
    Asking(whose): Asking<Whose>,
) -> Result<Json<WholeInquiry>, Problem> {
    let tenant = app.tenants().named(whose.organisation.as_deref()).ok_or_else(closed)?;
    let read = move |reader: &mut dyn Reader| {
        let found = reader.find::<InquiryToken>("token", &token)?.ok_or_else(closed)?;
        let ticket = still_open(reader.document::<Ticket>(found.id)?)?;
        whole(reader, ticket, None)
    };
    tenant.host.read(read).await.map(Json)
}

/// What a customer writes to their inquiry.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Again {
    /// The text: 1 to 20,000 characters.
    text: String,
    /// At most 5 files, 5 MiB each and 10 MiB together.
    #[serde(default)]
    attachments: Vec<Upload>,
}

/// Writes to an inquiry that was made by a form: what was Pending or Solved is Open again. Of one that is closed for good a new
/// one is made, which the same form opens from then on.
#[utoipa::path(post, path = "/customer/inquiry/replies", tag = "help centre", request_body = Again, params(Whose,
    ("Callfloor-Customer-Token" = String, Header, description = "`SERVICE/FORM` of the form that was sent")), responses(
    (status = 201, description = "kept; the inquiry, or the new one", body = Received),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn reply(
    State(app): State<App>,
    SentForm(token): SentForm,
    sender: Sender,
    Asking(whose): Asking<Whose>,
    headers: HeaderMap,
    Body(body): Body<Again>,
) -> Result<(StatusCode, Json<Received>), Problem> {
    let wanted = text("text", &body.text, LONGEST)?;
    let files = attachment::check(body.attachments).await?;
    let bytes = files.iter().map(Checked::bytes).sum();
    let known_by: Vec<_> = files.iter().map(Checked::known_by).collect();
    let all = serde_json::to_vec(&(&wanted, known_by)).expect("a reply has a form in JSON");
    let asked = idempotency_key(&headers)?.map(|key| Repeatable { key, fingerprint: sha256(&all) });
    let tenant = app.tenants().named(whose.organisation.as_deref()).ok_or_else(closed)?;
    let (forms, organisation) = (Arc::clone(&app.open.forms), tenant.name.clone());
    let job = once(format!("inquiry {token}"), asked, move |turn| {
        let _room = sender;
        let documents = turn.documents();
        let found = documents.find::<InquiryToken>("token", &token)?.ok_or_else(closed)?;
        let inquiry = documents.get::<Inquiry>(found.id)?.filter(|inquiry| !inquiry.erased).ok_or_else(closed)?;
        still_open(documents.get::<Ticket>(found.id)?)?;
        attachment::has_room(documents, found.id, &files)?;
        forms.keeps(&organisation, inquiry.service, bytes)?;
        let to = crate::tickets::customer_wrote(turn, found.id, wanted)?;
        if to != found.id {
            let documents = turn.documents();
            documents.put(&Inquiry { id: to, ..inquiry });
            documents.delete::<InquiryToken>(found.id);
            documents.put(&InquiryToken { id: to, ..found });
        }
        attachment::keep(turn, to, files)?;
        Received::of(turn, to)
    });
    let written = tenant.host.run(job).await??;
    Ok((StatusCode::CREATED, Json(written)))
}
