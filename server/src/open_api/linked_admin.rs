//! Linked systems, as an administrator sets them, and what one says of a customer when their page is opened.

use std::time::Instant;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::linked::{Link, LinkName, LinkSettings, ask, tame};
use super::outgoing::{Answer, Trouble};
use crate::audit::{self, Act};
use crate::auth::{Access, Caller, NewSecret, Role, Row, Shown};
use crate::customers::Customer;
use crate::document::{Document, Read};
use crate::http::{App, At, Body, Problem, within_reach};
use crate::storage::Range;

const ADMINISTRATOR: Access = Access::Roles(&[Role::Administrator]);

/// Rows of this module's routes.
pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/linked-systems", access: Access::Roles(&[Role::Administrator, Role::Auditor]) },
    Row { method: "PUT", path: "/linked-systems/{link}", access: ADMINISTRATOR },
    Row { method: "DELETE", path: "/linked-systems/{link}", access: ADMINISTRATOR },
    Row { method: "POST", path: "/linked-systems/{link}/secret", access: ADMINISTRATOR },
    Row {
        method: "GET",
        path: "/customers/{customer}/linked",
        access: Access::Roles(&[Role::Operator, Role::Supervisor]),
    },
];

/// This module's routes.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(set, remove))
        .routes(routes!(make_secret))
        .routes(routes!(of_customer))
}

/// A linked system, as listed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
struct ListedLink {
    /// For what it is asked.
    link: LinkName,
    /// How.
    settings: LinkSettings,
    /// Whether it has a secret that signs what we ask: without one it is not asked.
    has_secret: bool,
}

impl From<Link> for ListedLink {
    fn from(link: Link) -> Self {
        Self { link: link.name, settings: link.settings, has_secret: link.secret.is_some() }
    }
}

fn named(word: &str) -> Result<LinkName, Problem> {
    let found = LinkName::ALL.into_iter().find(|name| name.word() == word);
    found.ok_or_else(|| {
        let names = LinkName::ALL.map(LinkName::word).join(" or ");
        Problem::unknown(format!("{word:?} is no linked system: {names} is right"))
    })
}

fn unset(name: LinkName) -> Problem {
    Problem::unknown(format!("no system is linked as {}", name.word()))
}

/// The linked systems.
#[utoipa::path(get, path = "/linked-systems", tag = "open API: administration", responses(
    (status = 200, description = "those that are set", body = Vec<ListedLink>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller) -> Result<Json<Vec<ListedLink>>, Problem> {
    let links = caller.read(|reader| Ok(reader.documents::<Link>(&Range::all(Link::KIND, usize::MAX))?)).await?;
    Ok(Json(links.into_iter().map(Into::into).collect()))
}

/// Sets a linked system; one that is there keeps its secret.
#[utoipa::path(put, path = "/linked-systems/{link}", tag = "open API: administration", request_body = LinkSettings,
    params(("link" = String, Path, description = "`member-authentication` or `customer-information`")), responses(
    (status = 200, description = "set", body = ListedLink),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set(
    State(app): State<App>,
    caller: Caller,
    At(word): At<String>,
    Body(settings): Body<LinkSettings>,
) -> Result<Json<ListedLink>, Problem> {
    let name = named(&word)?;
    if settings.address.len() > 500 {
        return Err(Problem::wrong("address", "at most 500 characters are right"));
    }
    app.open.outgoing.address(&settings.address).map_err(|wrong| Problem::wrong("address", wrong))?;
    if !(100..=10_000).contains(&settings.time_limit_ms) {
        let detail = format!("{} ms: 100 to 10000 are right", settings.time_limit_ms);
        return Err(Problem::wrong("time_limit_ms", detail));
    }
    let set = caller.write(move |turn| {
        let documents = turn.documents();
        let before = documents.get::<Link>(Link::number(name))?;
        let link = Link { name, secret: before.and_then(|before| before.secret), settings };
        documents.put(&link);
        Ok(ListedLink::from(link))
    });
    set.await.map(Json)
}

/// Removes a linked system and its secret.
#[utoipa::path(delete, path = "/linked-systems/{link}", tag = "open API: administration",
    params(("link" = String, Path, description = "`member-authentication` or `customer-information`")), responses(
    (status = 204, description = "removed"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn remove(caller: Caller, At(word): At<String>) -> Result<StatusCode, Problem> {
    let name = named(&word)?;
    caller
        .write(move |turn| {
            let documents = turn.documents();
            documents.get::<Link>(Link::number(name))?.ok_or_else(|| unset(name))?;
            documents.delete::<Link>(Link::number(name));
            Ok(())
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A secret that was made.
#[derive(Serialize, utoipa::ToSchema)]
struct MadeSecret {
    /// What signs our questions from now on, shown this once.
    #[schema(value_type = String)]
    secret: Shown,
}

/// Makes a new secret for a linked system in place of the one before. It is in this answer alone: a repeated request with the
/// same idempotency key is refused.
#[utoipa::path(post, path = "/linked-systems/{link}/secret", tag = "open API: administration",
    params(("link" = String, Path, description = "`member-authentication` or `customer-information`")), responses(
    (status = 201, description = "made; the secret is shown this once", body = MadeSecret),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn make_secret(
    State(app): State<App>,
    caller: Caller,
    At(word): At<String>,
) -> Result<(StatusCode, Json<MadeSecret>), Problem> {
    let name = named(&word)?;
    let who = caller.principal.who();
    let vault = app.open.vault.clone();
    let ((), kept) = NewSecret::signing()
        .keep(&caller, move |turn, secret| {
            let now_us = turn.now().as_micros();
            let documents = turn.documents();
            let mut link = documents.get::<Link>(Link::number(name))?.ok_or_else(|| unset(name))?;
            link.secret = Some(secret.sealed(&vault, &name.known_as()));
            audit::append(documents, now_us, &who, Act::KeyMade, name.known_as())?;
            documents.put(&link);
            Ok(())
        })
        .await?;
    let secret = kept.show(|| "make another".into())?;
    Ok((StatusCode::CREATED, Json(MadeSecret { secret })))
}

/// Most fields of an answer that are shown.
const MOST_FIELDS: usize = 50;

/// What a linked system says of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
struct LinkedFields {
    /// Whether there is something to show.
    state: LinkedState,
    /// What is known, in the order of the answer.
    fields: Vec<LinkedField>,
    /// Why there is nothing, where it failed.
    problem: Option<String>,
    /// How long it took, in milliseconds.
    took_ms: u64,
}

/// What came of asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum LinkedState {
    /// It answered.
    Known,
    /// It does not know this customer.
    Unknown,
    /// It did not answer, or not so that it can be shown.
    Failed,
    /// No system is linked.
    NotLinked,
}

/// Something that is known of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
struct LinkedField {
    /// What it is; at most 60 characters are shown.
    label: String,
    /// What is known; at most 1,000 characters are shown.
    value: String,
}

/// The answer of a linked system.
#[derive(Debug, Deserialize)]
struct Told {
    fields: Vec<LinkedField>,
}

fn shown(asked: Option<Result<Answer, Trouble>>) -> (LinkedState, Vec<LinkedField>, Option<String>) {
    let failed = |problem: String| (LinkedState::Failed, Vec::new(), Some(problem));
    match asked {
        None => (LinkedState::NotLinked, Vec::new(), None),
        Some(Err(trouble)) => failed(trouble.to_string()),
        Some(Ok(Answer { status: 404, .. })) => (LinkedState::Unknown, Vec::new(), None),
        Some(Ok(Answer { status: 200, body })) => match serde_json::from_slice::<Told>(&body) {
            Ok(told) => {
                let fields = told.fields.into_iter().take(MOST_FIELDS);
                let fields = fields.map(|LinkedField { label, value }| LinkedField {
                    label: tame(&label, 60),
                    value: tame(&value, 1_000),
                });
                (LinkedState::Known, fields.collect(), None)
            }
            Err(problem) => failed(format!("its answer cannot be read: {problem}")),
        },
        Some(Ok(Answer { status, .. })) => failed(format!("it answered {status}: 200 or 404 is right")),
    }
}

/// What the organisation's own system knows of a customer: asked at this moment, for their page. Whatever becomes of it, the
/// rest of the page does not depend on it.
#[utoipa::path(get, path = "/customers/{customer}/linked", tag = "customers",
    params(("customer" = u64, Path, description = "the record's number")), responses(
    (status = 200, description = "what it says, or why it says nothing", body = LinkedFields),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn of_customer(State(app): State<App>, caller: Caller, At(id): At<u64>) -> Result<Json<LinkedFields>, Problem> {
    within_reach(&caller, id).await?;
    let customer = caller.read(move |reader| Ok(reader.document::<Customer>(id)?)).await?;
    let customer = customer.filter(|customer| !customer.erased);
    let customer = customer.ok_or_else(|| Problem::unknown(format!("there is no customer {id}")))?;
    let mut says = vec![("customer", id.to_string())];
    says.extend(customer.member.map(|member| ("member", member)));
    says.extend(customer.numbers.into_iter().next().map(|number| ("number", number)));
    let begun = Instant::now();
    let asked = ask(&app, &caller.principal.tenant, LinkName::CustomerInformation, says).await?;
    let (state, fields, problem) = shown(asked);
    let took_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Ok(Json(LinkedFields { state, fields, problem, took_ms }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_answer_comes_to() {
        let answer = |status, body: &str| shown(Some(Ok(Answer { status, body: body.into() })));
        let (state, fields, _) = answer(200, r#"{"fields":[{"label":"Rank","value":"Go\u0000ld"}],"more":1}"#);
        assert_eq!((state, fields[0].value.as_str()), (LinkedState::Known, "Gold"));
        assert_eq!(answer(404, "").0, LinkedState::Unknown);
        assert_eq!(shown(None).0, LinkedState::NotLinked);
        for (status, body, part) in
            [(200, "<html>", "cannot be read"), (200, "{}", "fields"), (302, "", "302"), (500, "{}", "answered 500")]
        {
            let (state, fields, problem) = answer(status, body);
            assert!(state == LinkedState::Failed && fields.is_empty() && problem.unwrap().contains(part), "{body}");
        }
        let many =
            serde_json::json!({ "fields": vec![LinkedField { label: "x".into(), value: "é".repeat(2_000) }; 60] });
        let (_, fields, _) = answer(200, &many.to_string());
        assert_eq!((fields.len(), fields[0].value.chars().count()), (50, 1_000));
    }
}
