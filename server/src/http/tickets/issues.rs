//! Issues over HTTP: escalating a ticket, what became of it, the end of an issue, and the case behind one.

use axum::Json;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use callfloor_engine::ServiceId;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::change::{LONGEST, Move, change, move_to, subject, text};
use super::{DESK, WholeTicket, visible, whole};
use crate::auth::{Caller, Row};
use crate::floor::ServiceExtra;
use crate::host::Turn;
use crate::http::version::{Versioned, must_see, same, seen};
use crate::http::{App, At, Body, Problem};
use crate::issues::{Outcome, Shows, Verdict, Wanted, is_settled, open, reopen};
use crate::tickets::Ticket;
use crate::wire::TicketStatus;

pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/issue-services", access: DESK },
    Row { method: "GET", path: "/tickets/{ticket}/issues", access: DESK },
    Row { method: "POST", path: "/tickets/{ticket}/issues", access: DESK },
    Row { method: "POST", path: "/tickets/{ticket}/issues/{issue}/reopen", access: DESK },
    Row { method: "POST", path: "/tickets/{ticket}/outcome", access: DESK },
    Row { method: "GET", path: "/tickets/{ticket}/case", access: DESK },
];

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(services))
        .routes(routes!(list, escalate))
        .routes(routes!(open_again))
        .routes(routes!(settle))
        .routes(routes!(case))
}

/// A service that takes issues.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct IssueService {
    /// Its number.
    service: u16,
    /// As people see it.
    name: String,
    /// What its operators are shown beside what is written in an issue.
    shows: Shows,
}

/// The services to which a ticket can be escalated.
#[utoipa::path(get, path = "/issue-services", tag = "issues", responses(
    (status = 200, description = "services by number", body = Vec<IssueService>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn services(caller: Caller) -> Result<Json<Vec<IssueService>>, Problem> {
    let found = caller.look(|turn| {
        let names: Vec<_> = turn.engine().config().services.iter().map(|service| service.name.clone()).collect();
        let mut found = Vec::new();
        for (service, name) in (0..).zip(names) {
            let kind = ServiceExtra::of(turn.documents(), ServiceId(service))?.kind;
            if kind.is_issues() {
                found.push(IssueService { service, name, shows: kind.shows() });
            }
        }
        Ok(found)
    });
    found.await.map(Json)
}

/// An issue, as those see it who have the ticket that it was made of.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct Issue {
    /// Its number: that of a ticket.
    issue: u64,
    /// The issue service.
    service: u16,
    /// In a line.
    subject: String,
    /// Where it stands.
    status: TicketStatus,
    /// Whose it is.
    owner: Option<u32>,
    /// When it was made, in microseconds since 1970.
    created_us: u64,
    /// When anything last happened to it.
    changed_us: u64,
    /// How it ended.
    outcome: Option<Outcome>,
}

impl From<Ticket> for Issue {
    fn from(issue: Ticket) -> Self {
        Self {
            issue: issue.id,
            service: issue.service,
            subject: issue.subject,
            status: issue.status,
            owner: issue.owner,
            created_us: issue.created_us,
            changed_us: issue.changed_us,
            outcome: issue.outcome,
        }
    }
}

fn issues(turn: &mut Turn<'_>, ticket: &Ticket) -> Result<Vec<Issue>, Problem> {
    let mut found = Vec::new();
    for &issue in &ticket.issues {
        found.extend(turn.documents().get::<Ticket>(issue)?.map(Issue::from));
    }
    Ok(found)
}

/// The issues of a ticket, in the order in which they were made.
#[utoipa::path(get, path = "/tickets/{ticket}/issues", tag = "issues",
    params(("ticket" = u64, Path, description = "its number")), responses(
    (status = 200, description = "its issues", body = Vec<Issue>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller, At(id): At<u64>) -> Result<Json<Vec<Issue>>, Problem> {
    let who = caller.principal.clone();
    let found = caller.look(move |turn| {
        let ticket = visible(turn, &who, id)?;
        issues(turn, &ticket)
    });
    found.await.map(Json)
}

/// What is escalated.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewIssue {
    /// The issue service.
    service: u16,
    /// The queue in which it waits; none: the service's first one for tickets, or to be pulled where it has none.
    queue: Option<u16>,
    /// In a line; none: the ticket's.
    subject: Option<String>,
    /// What is asked of the issue service.
    description: String,
    /// Greater goes first; none: the ticket's.
    priority: Option<u8>,
}

/// Escalates a ticket: an issue is made, linked with it, and the ticket's status becomes what its service's setting
/// `while_open` says.
#[utoipa::path(post, path = "/tickets/{ticket}/issues", tag = "issues", request_body = NewIssue,
    params(("ticket" = u64, Path, description = "the ticket that is escalated")), responses(
    (status = 201, description = "made; the ticket's revision is the ETag", body = Issue),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn escalate(
    caller: Caller,
    At(id): At<u64>,
    headers: HeaderMap,
    Body(body): Body<NewIssue>,
) -> Result<Response, Problem> {
    let version = seen(&headers)?;
    let wanted = Wanted {
        service: body.service,
        queue: body.queue,
        subject: body.subject.as_deref().map(subject).transpose()?,
        description: text("description", &body.description, LONGEST)?,
        priority: body.priority,
    };
    let who = caller.principal.clone();
    let made = caller
        .write(move |turn| {
            let ticket = visible(turn, &who, id)?;
            if let Some(version) = version {
                same(&format!("ticket {id}"), version, ticket.revision)?;
            }
            let issue = open(turn, &ticket, wanted)?;
            let unknown = || Problem::unknown(format!("there is no issue {issue}"));
            let documents = turn.documents();
            let issue = documents.get::<Ticket>(issue)?.ok_or_else(unknown)?;
            let version = documents.get::<Ticket>(id)?.map_or(0, |ticket| ticket.revision);
            Ok(Versioned { version, answer: Issue::from(issue) })
        })
        .await?;
    Ok(made.respond(StatusCode::CREATED))
}

/// Why an issue is opened again.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ReopenedIssue)]
struct Again {
    /// For the issue service.
    reason: String,
}

/// Opens an issue that has ended again; the ticket waits for it as at first. One that is closed for good is refused:
/// escalate the ticket anew.
#[utoipa::path(post, path = "/tickets/{ticket}/issues/{issue}/reopen", tag = "issues", request_body = Again,
    params(("ticket" = u64, Path, description = "the ticket that was escalated"),
        ("issue" = u64, Path, description = "its issue")), responses(
    (status = 200, description = "open", body = Issue),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn open_again(
    caller: Caller,
    At((id, issue)): At<(u64, u64)>,
    Body(body): Body<Again>,
) -> Result<Json<Issue>, Problem> {
    let reason = text("reason", &body.reason, LONGEST)?;
    let who = caller.principal.clone();
    let opened = caller
        .write(move |turn| {
            let ticket = visible(turn, &who, id)?;
            let unknown = || Problem::unknown(format!("ticket {id} has no issue {issue}"));
            let known = ticket.issues.contains(&issue).then_some(issue).ok_or_else(unknown)?;
            let found = turn.documents().get::<Ticket>(known)?.ok_or_else(unknown)?;
            reopen(turn, &found, reason)?;
            Ok(Issue::from(turn.documents().get::<Ticket>(known)?.ok_or_else(unknown)?))
        })
        .await?;
    Ok(Json(opened))
}

/// The end of an issue.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct End {
    /// How it ends.
    verdict: Verdict,
    /// Why; a refusal is not without.
    #[serde(default)]
    reason: String,
}

/// Ends an issue: it is Solved, and the ticket that it was made of becomes what its service's setting for this end says.
#[utoipa::path(post, path = "/tickets/{ticket}/outcome", tag = "issues", request_body = End,
    params(("ticket" = u64, Path, description = "the issue"),
        ("If-Match" = String, Header, description = "the issue's revision")), responses(
    (status = 200, description = "ended; its revision is the ETag", body = WholeTicket),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn settle(
    caller: Caller,
    At(id): At<u64>,
    headers: HeaderMap,
    Body(body): Body<End>,
) -> Result<Response, Problem> {
    let version = must_see(&headers, "an issue")?;
    let reason = match (body.reason.trim(), body.verdict) {
        ("", Verdict::Solved) => String::new(),
        _ => text("reason", &body.reason, LONGEST)?,
    };
    change(&caller, id, Some(version), move |turn, who, issue| {
        if issue.escalated_from.is_none() {
            let detail = format!("ticket {id} is no issue: nobody escalated a ticket to make it; set its status");
            return Err(Problem::conflict("no-issue", detail));
        }
        if is_settled(issue.status) {
            return Err(Problem::conflict("issue-settled", format!("issue {id} has ended already")));
        }
        let outcome = Outcome { verdict: body.verdict, reason, at_us: turn.now().as_micros() };
        turn.documents().put(&Ticket { outcome: Some(outcome), ..issue.clone() });
        move_to(turn, who, &issue, Move { status: TicketStatus::Solved, resolution: None })
    })
    .await
}

/// The ticket that an issue was made of, with its history, to look at: where the issue's service shows it, or the ticket is
/// one's own to see.
#[utoipa::path(get, path = "/tickets/{ticket}/case", tag = "issues",
    params(("ticket" = u64, Path, description = "the issue")), responses(
    (status = 200, description = "the ticket", body = WholeTicket),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn case(caller: Caller, At(id): At<u64>) -> Result<Json<WholeTicket>, Problem> {
    let who = caller.principal.clone();
    let found = caller.look(move |turn| {
        let issue = visible(turn, &who, id)?;
        let first = issue.escalated_from.ok_or_else(|| Problem::unknown(format!("ticket {id} is no issue")))?;
        let shows = ServiceExtra::of(turn.documents(), ServiceId(issue.service))?.kind.shows();
        if shows < Shows::Case && visible(turn, &who, first).is_err() {
            return Err(Problem::forbidden(format!(
                "service {} is not shown the tickets behind issues",
                issue.service
            )));
        }
        whole(turn, first)
    });
    found.await.map(Json)
}
