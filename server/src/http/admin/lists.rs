//! Skills, reasons, and the numbers that customers dial.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use callfloor_engine::reason::FIRST_OWN;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{MOST_REASONS, READERS, WRITERS, change, name};
use crate::auth::{Access, Caller, Role, Row};
use crate::document::Read;
use crate::floor::{InboundNumber, Reason, ReasonOf};
use crate::http::operators::number;
use crate::http::{App, At, Body, Problem};
use crate::storage::Range;

pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "PUT", path: "/floor/skills", access: WRITERS },
    Row { method: "GET", path: "/floor/reasons", access: Access::Roles(&Role::OF_ORGANISATION) },
    Row { method: "POST", path: "/floor/reasons", access: WRITERS },
    Row { method: "PUT", path: "/floor/reasons/{reason}", access: WRITERS },
    Row { method: "GET", path: "/floor/inbound-numbers", access: READERS },
    Row { method: "POST", path: "/floor/inbound-numbers", access: WRITERS },
    Row { method: "DELETE", path: "/floor/inbound-numbers/{id}", access: WRITERS },
];

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(set_skills))
        .routes(routes!(reasons, add_reason))
        .routes(routes!(set_reason))
        .routes(routes!(inbound, add_inbound))
        .routes(routes!(remove_inbound))
}

/// Names of skills, in their order; the list may grow and names may change, but none may go.
#[utoipa::path(put, path = "/floor/skills", tag = "administration", request_body = Vec<String>,
    params(("If-Match" = String, Header, description = "the floor's version")), responses(
    (status = 200, description = "changed; the floor's version is the ETag", body = Vec<String>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_skills(caller: Caller, headers: HeaderMap, Body(body): Body<Vec<String>>) -> Result<Response, Problem> {
    if body.len() > 1_000 {
        return Err(Problem::wrong("skills", "at most 1000 skills are right"));
    }
    let names = body.iter().map(|text| name("skills", text)).collect::<Result<Vec<_>, _>>()?;
    if let Some(twice) = names.iter().enumerate().find(|(at, it)| names[..*at].contains(it)) {
        return Err(Problem::wrong("skills", format!("the skill {:?} is in the list twice", twice.1)));
    }
    let changed = change(&caller, &headers, move |change| {
        change.floor.skills.clone_from(&names);
        Ok(names)
    })
    .await?;
    Ok(changed.respond(StatusCode::OK))
}

/// A reason for Work or Break.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct ReasonConfig {
    /// For which status.
    of: ReasonOf,
    /// In Japanese.
    japanese: String,
    /// In English.
    english: String,
    /// Whether it is no longer offered for choice.
    #[serde(default)]
    retired: bool,
}

/// A reason with its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
struct NumberedReason {
    /// What statuses carry.
    reason: u64,
    /// For which status.
    of: ReasonOf,
    /// In Japanese.
    japanese: String,
    /// In English.
    english: String,
    /// Whether it is no longer offered for choice.
    retired: bool,
}

impl NumberedReason {
    fn of(reason: Reason) -> Self {
        let Reason { id, of, japanese, english, retired } = reason;
        Self { reason: id, of, japanese, english, retired }
    }
}

impl ReasonConfig {
    fn reason(&self, id: u64) -> Result<Reason, Problem> {
        if self.of == ReasonOf::System {
            return Err(Problem::wrong("of", "reasons of the system are the engine's own: work or break is right"));
        }
        let (japanese, english) = (name("japanese", &self.japanese)?, name("english", &self.english)?);
        Ok(Reason { id, of: self.of, japanese, english, retired: self.retired })
    }
}

/// Every reason, retired ones too (P15, P17).
#[utoipa::path(get, path = "/floor/reasons", tag = "administration", responses(
    (status = 200, description = "reasons by number", body = Vec<NumberedReason>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn reasons(caller: Caller) -> Result<Json<Vec<NumberedReason>>, Problem> {
    let found = caller.look(|turn| Ok(crate::http::desk::reasons(turn.documents())?)).await?;
    Ok(Json(found.into_iter().map(NumberedReason::of).collect()))
}

/// Adds a reason.
#[utoipa::path(post, path = "/floor/reasons", tag = "administration", request_body = ReasonConfig,
    params(("If-Match" = String, Header, description = "the floor's version")), responses(
    (status = 201, description = "added; the floor's version is the ETag", body = NumberedReason),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn add_reason(caller: Caller, headers: HeaderMap, Body(body): Body<ReasonConfig>) -> Result<Response, Problem> {
    let changed = change(&caller, &headers, move |change| {
        let known = crate::http::desk::reasons(change.documents)?;
        let id = known.iter().map(|reason| reason.id).max().unwrap_or(0) + 1;
        if id >= u64::from(FIRST_OWN.0) + MOST_REASONS {
            return Err(Problem::conflict("too-many", format!("there are {MOST_REASONS} reasons already")));
        }
        let reason = body.reason(id)?;
        change.documents.put(&reason);
        Ok(NumberedReason::of(reason))
    })
    .await?;
    Ok(changed.respond(StatusCode::CREATED))
}

/// Changes a reason: its names, or that it is retired.
#[utoipa::path(put, path = "/floor/reasons/{reason}", tag = "administration", request_body = ReasonConfig,
    params(("reason" = u64, Path, description = "which"), ("If-Match" = String, Header, description = "the floor's version")),
    responses(
    (status = 200, description = "changed; the floor's version is the ETag", body = NumberedReason),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_reason(
    caller: Caller,
    headers: HeaderMap,
    At(id): At<u64>,
    Body(body): Body<ReasonConfig>,
) -> Result<Response, Problem> {
    let changed = change(&caller, &headers, move |change| {
        let found = crate::http::desk::reason(change.documents, id)?;
        let found = found.ok_or_else(|| Problem::unknown(format!("there is no reason {id}")))?;
        let reason = if found.of == ReasonOf::System {
            // The engine gives it: only its names are an administrator's.
            let (japanese, english) = (name("japanese", &body.japanese)?, name("english", &body.english)?);
            Reason { japanese, english, ..found }
        } else {
            body.reason(id)?
        };
        // Number 0 cannot be kept: "no reason" keeps its name.
        if id == 0 {
            return Err(Problem::conflict("fixed", "\"no reason\" cannot be changed"));
        }
        change.documents.put(&reason);
        Ok(NumberedReason::of(reason))
    })
    .await?;
    Ok(changed.respond(StatusCode::OK))
}

/// A number that customers dial.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Inbound {
    /// As dialled.
    number: String,
    /// The service that it leads to.
    service: u16,
    /// The step of its flow at which calls enter.
    #[serde(default)]
    step: u16,
}

/// A number that customers dial, with its own number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
struct NumberedInbound {
    /// Its number in the list.
    id: u64,
    /// Where it leads.
    #[serde(flatten)]
    inbound: Inbound,
}

impl NumberedInbound {
    fn of(found: InboundNumber) -> Self {
        let InboundNumber { id, number, service, step } = found;
        Self { id, inbound: Inbound { number, service, step } }
    }
}

/// Numbers that customers dial.
#[utoipa::path(get, path = "/floor/inbound-numbers", tag = "administration", responses(
    (status = 200, description = "numbers and where they lead", body = Vec<NumberedInbound>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn inbound(caller: Caller) -> Result<Json<Vec<NumberedInbound>>, Problem> {
    let all = Range::all(<InboundNumber as crate::document::Document>::KIND, 10_000);
    let found = caller.read(move |reader| Ok(reader.documents::<InboundNumber>(&all)?)).await?;
    Ok(Json(found.into_iter().map(NumberedInbound::of).collect()))
}

/// Registers a number that customers dial.
#[utoipa::path(post, path = "/floor/inbound-numbers", tag = "administration", request_body = Inbound,
    params(("If-Match" = String, Header, description = "the floor's version")), responses(
    (status = 201, description = "registered; the floor's version is the ETag", body = NumberedInbound),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn add_inbound(caller: Caller, headers: HeaderMap, Body(body): Body<Inbound>) -> Result<Response, Problem> {
    let dialled = number("number", &body.number)?;
    let changed = change(&caller, &headers, move |change| {
        let service = change.floor.services.get(usize::from(body.service));
        let service = service.ok_or_else(|| Problem::unknown(format!("there is no service {}", body.service)))?;
        if usize::from(body.step) >= service.flow.len() {
            let detail = format!(
                "the flow of service {:?} has {} steps, no step {}",
                service.name,
                service.flow.len(),
                body.step
            );
            return Err(Problem::wrong("step", detail));
        }
        let national = change.organisation.numbers.national(dialled);
        if change.documents.find::<InboundNumber>("number", &national)?.is_some() {
            return Err(Problem::conflict("number-taken", format!("the number {national} leads somewhere already")));
        }
        let id = change.documents.next_id::<InboundNumber>()?;
        let new = InboundNumber { id, number: national, service: body.service, step: body.step };
        change.documents.put(&new);
        Ok(NumberedInbound::of(new))
    })
    .await?;
    Ok(changed.respond(StatusCode::CREATED))
}

/// Takes a number off the list: calls to it are refused from now on.
#[utoipa::path(delete, path = "/floor/inbound-numbers/{id}", tag = "administration",
    params(("id" = u64, Path, description = "which"), ("If-Match" = String, Header, description = "the floor's version")),
    responses(
    (status = 200, description = "taken off; the floor's version is the ETag", body = NumberedInbound),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn remove_inbound(caller: Caller, headers: HeaderMap, At(id): At<u64>) -> Result<Response, Problem> {
    let changed = change(&caller, &headers, move |change| {
        let found = change.documents.get::<InboundNumber>(id)?;
        let found = found.ok_or_else(|| Problem::unknown(format!("there is no inbound number {id}")))?;
        change.documents.delete::<InboundNumber>(id);
        Ok(NumberedInbound::of(found))
    })
    .await?;
    Ok(changed.respond(StatusCode::OK))
}
