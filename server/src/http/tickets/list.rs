//! Lists of tickets, counts for their tabs, search, and one whole.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::StatusCode;
use axum::response::Response;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{DESK, WholeTicket, own_services, visible, whole};
use crate::auth::{Caller, Row};
use crate::http::listing::{Over, Page, Window};
use crate::http::version::Versioned;
use crate::http::{App, Asking, At, Problem};
use crate::tickets::{COUNTED, Found, NOBODYS, Origin, Ticket, count, owner_word, search, status_word};
use crate::wire::TicketStatus;

pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/tickets", access: DESK },
    Row { method: "GET", path: "/tickets/counts", access: DESK },
    Row { method: "GET", path: "/tickets/{ticket}", access: DESK },
];

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(counts)).routes(routes!(one))
}

/// Which tickets.
#[derive(Clone, Debug, Default, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Which {
    /// A text in the subject, tags, fields or what was written, two characters or more.
    pub q: Option<String>,
    /// Only those that stand so.
    pub status: Option<TicketStatus>,
    /// Only this operator's; `none` for nobody's.
    pub owner: Option<String>,
    /// Only those of this service.
    pub service: Option<u16>,
    /// Only those of this queue.
    pub queue: Option<u16>,
    /// Only those of this category.
    pub category: Option<u64>,
    /// Only those with this tag.
    pub tag: Option<String>,
    /// Only those of this customer's record.
    pub customer: Option<u64>,
    /// Only those that came so.
    pub channel: Option<Channel>,
    /// Only those of which a reply or the resolution is late.
    pub late: Option<bool>,
    /// At most so many; 50 unless said, 500 at most.
    pub limit: Option<usize>,
    /// The `next` of the page before.
    pub after: Option<String>,
}

/// How a ticket came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Channel {
    /// By an inbound call.
    PhoneIn,
    /// By an outbound call.
    PhoneOut,
    /// By chat.
    Chat,
    /// By a message left by a caller.
    Voicemail,
    /// By mail or web form.
    Written,
}

impl Channel {
    const fn is(self, origin: Origin) -> bool {
        matches!(
            (self, origin),
            (Self::PhoneIn, Origin::PhoneIn(_))
                | (Self::PhoneOut, Origin::PhoneOut(_))
                | (Self::Chat, Origin::Chat(_))
                | (Self::Voicemail, Origin::Voicemail(_))
                | (Self::Written, Origin::Written)
        )
    }
}

/// Whose tickets are asked for: `Some(None)` is nobody's.
fn owner_of(text: Option<&str>) -> Result<Option<Option<u32>>, Problem> {
    match text {
        None => Ok(None),
        Some("none") => Ok(Some(None)),
        Some(text) => match text.parse() {
            Ok(operator) => Ok(Some(Some(operator))),
            Err(_) => Err(Problem::wrong("owner", format!("{text:?}: an operator's number or none is right"))),
        },
    }
}

/// A page of tickets.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(super) struct TicketPage {
    /// The page.
    #[serde(flatten)]
    pub page: Page<Ticket>,
    /// How many a search found; without a search `null`.
    pub found: Option<HowMany>,
}

/// How many tickets fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub(super) struct HowMany {
    /// So many were found.
    pub tickets: usize,
    /// Whether there are at least so many: a search looks at the newest tickets, and no further than it must.
    pub at_least: bool,
}

/// The page that is asked for.
pub(super) async fn find(caller: &Caller, which: Which) -> Result<TicketPage, Problem> {
    let services = own_services(caller).await?;
    let owner = owner_of(which.owner.as_deref())?;
    let window = Window { limit: which.limit, after: which.after.clone() };
    let over = match (&which, owner) {
        (Which { customer: Some(customer), .. }, _) => Over::of("customer", customer),
        (Which { status: Some(status), .. }, Some(owner)) => {
            Over::of("owner-status", format!("{}/{}", owner_word(owner), status_word(*status)))
        }
        (Which { tag: Some(tag), .. }, _) => Over::of("tag", tag),
        (_, Some(owner)) => Over::of("owner", owner_word(owner)),
        (Which { category: Some(category), .. }, _) => Over::of("category", category),
        (Which { status: Some(status), service: Some(service), .. }, _) => {
            Over::of("service-status", format!("{service}/{}", status_word(*status)))
        }
        (Which { status: Some(status), .. }, _) => Over::of("status", status_word(*status)),
        _ => Over::all("changed"),
    };
    let text = which.q.clone();
    let fits = move |ticket: &Ticket| {
        owner.is_none_or(|owner| ticket.owner == owner)
            && which.status.is_none_or(|status| ticket.status == status)
            && which.service.is_none_or(|service| ticket.service == service)
            && which.queue.is_none_or(|queue| ticket.queue == Some(queue))
            && which.category.is_none_or(|category| ticket.category == Some(category))
            && which.tag.as_ref().is_none_or(|tag| ticket.tags.contains(tag))
            && which.customer.is_none_or(|customer| ticket.customer == Some(customer))
            && which.channel.is_none_or(|channel| channel.is(ticket.origin))
            && which.late.is_none_or(|late| (ticket.first_response_late || ticket.resolution_late) == late)
            && services.as_ref().is_none_or(|own| own.contains(&ticket.service))
    };
    caller
        .read(move |reader| match text {
            None => Ok(TicketPage { page: window.page(reader, &over, fits)?, found: None }),
            Some(text) => {
                let limit = window.limit()?;
                let Found { mut tickets, at_least } = search(reader, &text, fits)?;
                let found = HowMany { tickets: tickets.len(), at_least };
                let cut = at_least || tickets.len() > limit;
                tickets.truncate(limit);
                Ok(TicketPage { page: Page { items: tickets, next: None, cut }, found: Some(found) })
            }
        })
        .await
}

/// Tickets, the last changed first. An operator sees those of their services. A search gives one page, of the
/// newest tickets that fit, and says how many there are, or at least are.
#[utoipa::path(get, path = "/tickets", tag = "tickets", params(Which), responses(
    (status = 200, description = "a page", body = TicketPage),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller, Asking(which): Asking<Which>) -> Result<Json<TicketPage>, Problem> {
    Ok(Json(find(&caller, which).await?))
}

/// How many tickets there are under each tab.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct TicketCounts {
    /// Of the operator who asks, by status.
    own: BTreeMap<&'static str, u64>,
    /// Nobody's, as the next.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, u64>>)]
    unassigned: BTreeMap<u16, BTreeMap<&'static str, u64>>,
    /// By service, then status; an operator's services alone.
    #[schema(value_type = BTreeMap<String, BTreeMap<String, u64>>)]
    services: BTreeMap<u16, BTreeMap<&'static str, u64>>,
}

/// How many tickets there are, for the tabs of a list.
#[utoipa::path(get, path = "/tickets/counts", tag = "tickets", responses(
    (status = 200, description = "counts", body = TicketCounts),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn counts(caller: Caller) -> Result<Json<TicketCounts>, Problem> {
    let own = own_services(&caller).await?;
    let services = match own {
        Some(own) => own,
        None => {
            let all = caller.look(|turn| Ok(turn.engine().config().services.len())).await?;
            (0..u16::try_from(all).unwrap_or(u16::MAX)).collect()
        }
    };
    let operator = caller.principal.operator.map(|operator| operator.0);
    let counts = caller
        .read(move |reader| {
            let mut of = |index: &'static str, of: &str| {
                let words = COUNTED.map(status_word).into_iter();
                let counts = words.map(|word| Ok((word, count(reader, index, &format!("{of}/{word}"))?)));
                counts.collect::<Result<BTreeMap<_, _>, Problem>>()
            };
            let own = match operator {
                Some(operator) => of("owner-status", &operator.to_string())?,
                None => BTreeMap::new(),
            };
            let mut by_service = |index| {
                let all = services.iter().map(|service| Ok((*service, of(index, &service.to_string())?)));
                all.collect::<Result<_, Problem>>()
            };
            let (unassigned, services) = (by_service(NOBODYS)?, by_service("service-status")?);
            Ok(TicketCounts { own, unassigned, services })
        })
        .await?;
    Ok(Json(counts))
}

/// A ticket with its clocks and history.
#[utoipa::path(get, path = "/tickets/{ticket}", tag = "tickets",
    params(("ticket" = u64, Path, description = "its number")), responses(
    (status = 200, description = "the ticket; its revision is the ETag", body = WholeTicket),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn one(caller: Caller, At(id): At<u64>) -> Result<Response, Problem> {
    let who = caller.principal.clone();
    let found = caller
        .look(move |turn| {
            visible(turn, &who, id)?;
            whole(turn, id)
        })
        .await?;
    Ok(Versioned { version: found.ticket.revision, answer: found }.respond(StatusCode::OK))
}
