//! Surveys over HTTP: defined by administrators, answered by customers with a token, read by supervisors and planners.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::results::{QuestionResult, Tally};
use super::{Given, Question, QuestionKind, Reply, Survey, SurveyChannel};
use crate::auth::{Access, Caller, Role, Row, Token};
use crate::chat::{CUSTOMER_TOKEN, Chat, ChatState, text};
use crate::document::{Document, Read};
use crate::host::Turn;
use crate::http::{App, Asking, At, Body, Problem, name};
use crate::storage::Range;
use crate::tenant::Tenant;

const WRITERS: Access = Access::Roles(&[Role::Administrator]);
const READERS: Access = Access::Roles(&[Role::Supervisor, Role::Planner, Role::Administrator]);

/// Rows of this module's routes.
pub(crate) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/surveys", access: Access::Roles(&Role::OF_ORGANISATION) },
    Row { method: "POST", path: "/surveys", access: WRITERS },
    Row { method: "PUT", path: "/surveys/{survey}/active", access: WRITERS },
    Row {
        method: "POST",
        path: "/surveys/{survey}/invitations",
        access: Access::Roles(&[Role::Operator, Role::Supervisor]),
    },
    Row { method: "GET", path: "/surveys/{survey}/results", access: READERS },
    Row { method: "GET", path: "/customer/survey", access: Access::Public },
    Row { method: "POST", path: "/customer/survey", access: Access::Public },
];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, define))
        .routes(routes!(set_active))
        .routes(routes!(invite))
        .routes(routes!(results))
        .routes(routes!(asked, answer))
}

/// Most surveys of an organisation, and most questions of one.
const MOST_SURVEYS: usize = 500;
const MOST_QUESTIONS: usize = 20;
const MOST_CHOICES: usize = 20;
/// Longest answer in a customer's own words, in characters.
const ANSWER_LIMIT: usize = 1_000;
/// An invitation is open for so long, in microseconds: two weeks.
const OPEN_US: u64 = 14 * 24 * 3_600 * 1_000_000;
/// Replies read at once.
const PAGE: usize = 1_000;

/// A survey to be made.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewSurvey {
    /// For which service.
    service: u16,
    /// After what.
    channel: SurveyChannel,
    /// As customers see it: 1 to 60 characters.
    title: String,
    /// 1 to 20 questions.
    questions: Vec<Question>,
}

fn checked(questions: Vec<Question>) -> Result<Vec<Question>, Problem> {
    let count = |what: &str, found: usize, least: usize, most: usize| match (least..=most).contains(&found) {
        true => Ok(()),
        false => Err(Problem::wrong(what, format!("{found} {what}: {least} to {most} are right"))),
    };
    count("questions", questions.len(), 1, MOST_QUESTIONS)?;
    let check = |question: Question| {
        let kind = match question.kind {
            QuestionKind::Choice(choices) => {
                count("choices", choices.len(), 2, MOST_CHOICES)?;
                let choices = choices.iter().map(|choice| name("choices", choice)).collect::<Result<_, _>>()?;
                QuestionKind::Choice(choices)
            }
            other => other,
        };
        Ok(Question { text: text("questions", &question.text, 200)?, kind, required: question.required })
    };
    questions.into_iter().map(check).collect()
}

fn unknown(survey: u64) -> Problem {
    Problem::unknown(format!("there is no survey {survey}"))
}

/// All surveys.
#[utoipa::path(get, path = "/surveys", tag = "surveys", responses(
    (status = 200, description = "surveys by number", body = Vec<Survey>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller) -> Result<Json<Vec<Survey>>, Problem> {
    caller.read(|reader| Ok(reader.documents::<Survey>(&Range::all(Survey::KIND, MOST_SURVEYS))?)).await.map(Json)
}

/// Makes a survey, which is not active yet.
#[utoipa::path(post, path = "/surveys", tag = "surveys", request_body = NewSurvey, responses(
    (status = 201, description = "made", body = Survey),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn define(caller: Caller, Body(body): Body<NewSurvey>) -> Result<(StatusCode, Json<Survey>), Problem> {
    let NewSurvey { service, channel, title, questions } = body;
    let (title, questions) = (name("title", &title)?, checked(questions)?);
    let made = caller.write(move |turn| {
        if usize::from(service) >= turn.engine().config().services.len() {
            return Err(Problem::unknown(format!("there is no service {service}")));
        }
        let id = turn.documents().next_id::<Survey>()?;
        if id > MOST_SURVEYS as u64 {
            return Err(Problem::conflict("surveys-full", format!("there are {MOST_SURVEYS} surveys already")));
        }
        let survey = Survey { id, service, channel, title, questions, active: false };
        turn.documents().put(&survey);
        Ok(survey)
    });
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// Whether customers are asked.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Activity {
    /// Whether they are.
    active: bool,
}

/// Begins or ends asking customers; one survey of a service and channel is active at a time.
#[utoipa::path(put, path = "/surveys/{survey}/active", tag = "surveys", request_body = Activity,
    params(("survey" = u64, Path, description = "which")), responses(
    (status = 200, description = "done", body = Survey),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn set_active(caller: Caller, At(id): At<u64>, Body(body): Body<Activity>) -> Result<Json<Survey>, Problem> {
    let changed = caller.write(move |turn| {
        let documents = turn.documents();
        let mut survey = documents.get::<Survey>(id)?.ok_or_else(|| unknown(id))?;
        let other = documents.find::<Survey>("active", &Survey::of(survey.service, survey.channel))?;
        if let Some(other) = other.filter(|other| body.active && other.id != id) {
            let detail = format!("survey {} is active for this service and channel: end it first", other.id);
            return Err(Problem::conflict("survey-active", detail));
        }
        survey.active = body.active;
        documents.put(&survey);
        Ok(survey)
    });
    changed.await.map(Json)
}

/// Whose work the customer is asked about.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Inviting {
    /// The queue that they came from.
    queue: Option<u16>,
}

/// An invitation.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct Invitation {
    /// For the header `Callfloor-Customer-Token`. It is shown this once.
    token: String,
}

/// Invites a customer after a call or ticket: the token, in a link, is theirs. After a chat its own token answers.
#[utoipa::path(post, path = "/surveys/{survey}/invitations", tag = "surveys", request_body = Inviting,
    params(("survey" = u64, Path, description = "which")), responses(
    (status = 201, description = "invited", body = Invitation),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn invite(
    caller: Caller,
    At(id): At<u64>,
    Body(body): Body<Inviting>,
) -> Result<(StatusCode, Json<Invitation>), Problem> {
    let token = Token::random(&caller.principal.tenant.name);
    let operator = caller.principal.operator.map(|operator| operator.0);
    // Not kept for repetition: what is kept of an answer would hold the token.
    let invited = caller.look(move |turn| {
        let invited_us = turn.now().as_micros();
        if body.queue.is_some_and(|queue| usize::from(queue) >= turn.engine().config().queues.len()) {
            return Err(Problem::unknown("there is no such queue"));
        }
        let documents = turn.documents();
        let survey = documents.get::<Survey>(id)?.filter(|survey| survey.active).ok_or_else(|| unknown(id))?;
        let reply = Reply {
            id: documents.next_id::<Reply>()?,
            token: token.hash(),
            survey: survey.id,
            queue: body.queue,
            operator,
            invited_us,
            answered_us: None,
            answers: Vec::new(),
        };
        documents.put(&reply);
        Ok(Invitation { token: token.reveal().to_owned() })
    });
    Ok((StatusCode::CREATED, Json(invited.await?)))
}

/// A survey as a customer sees it.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct CustomersSurvey {
    /// Its title.
    title: String,
    /// What is asked.
    questions: Vec<Question>,
    /// Whether it is answered already.
    answered: bool,
}

fn unknown_token() -> Problem {
    Problem::unauthenticated("Callfloor-Customer-Token is that of an invitation, or of a chat that is over")
}

fn tenant_of(app: &App, headers: &HeaderMap) -> Result<(Arc<Tenant>, String), Problem> {
    let token = headers.get(CUSTOMER_TOKEN).and_then(|token| token.to_str().ok()).map(Token::sent);
    let token = token.ok_or_else(unknown_token)?;
    let tenant = token.organisation().and_then(|name| app.tenants().named(Some(name))).ok_or_else(unknown_token)?;
    Ok((tenant, token.hash()))
}

/// The survey of a token, and the reply as it is so far; a new one for a chat's token.
fn asked_in(turn: &mut Turn<'_>, token: &str) -> Result<(Survey, Reply), Problem> {
    let now_us = turn.now().as_micros();
    let documents = turn.documents();
    if let Some(reply) = documents.find::<Reply>("token", token)? {
        let open = reply.answered_us.is_some() || now_us < reply.invited_us.saturating_add(OPEN_US);
        let survey = documents.get::<Survey>(reply.survey)?.filter(|_| open).ok_or_else(unknown_token)?;
        return Ok((survey, reply));
    }
    let chat = documents.find::<Chat>("token", token)?;
    let chat = chat.filter(|chat| chat.state == ChatState::Ended && chat.answered_us.is_some());
    let chat = chat.filter(|chat| chat.ended_us.is_some_and(|ended| now_us < ended.saturating_add(OPEN_US)));
    let chat = chat.ok_or_else(unknown_token)?;
    let survey = documents.find::<Survey>("active", &Survey::of(chat.service, SurveyChannel::Chat))?;
    let survey = survey.ok_or_else(|| Problem::unknown("nothing is asked about these chats at present"))?;
    let reply = Reply {
        id: documents.next_id::<Reply>()?,
        token: token.to_owned(),
        survey: survey.id,
        queue: Some(chat.queue),
        operator: chat.operator,
        invited_us: chat.ended_us.unwrap_or(now_us),
        answered_us: None,
        answers: Vec::new(),
    };
    Ok((survey, reply))
}

/// What a customer is asked.
#[utoipa::path(get, path = "/customer/survey", tag = "customers' surveys",
    params(("Callfloor-Customer-Token" = String, Header, description = "of an invitation, or of a chat")), responses(
    (status = 200, description = "the survey", body = CustomersSurvey),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn asked(State(app): State<App>, headers: HeaderMap) -> Result<Json<CustomersSurvey>, Problem> {
    let (tenant, token) = tenant_of(&app, &headers)?;
    let (survey, reply) = tenant.host.run(move |turn| asked_in(turn, &token)).await??;
    let Survey { title, questions, .. } = survey;
    Ok(Json(CustomersSurvey { title, questions, answered: reply.answered_us.is_some() }))
}

/// Answers.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Answers {
    /// One for each question, in order; `null` where a question that need not be answered is not.
    answers: Vec<Option<Given>>,
}

/// Whether an answer is one to the question.
fn fits(question: &Question, given: Option<Given>) -> Result<Option<Given>, Problem> {
    let wrong = |detail: String| Problem::wrong("answers", format!("{:?}: {detail}", question.text));
    match (&question.kind, given) {
        (_, None) if question.required => Err(wrong("this must be answered".into())),
        (_, None) => Ok(None),
        (QuestionKind::Score, Some(Given::Score(score))) if (1..=5).contains(&score) => Ok(Some(Given::Score(score))),
        (QuestionKind::Choice(choices), Some(Given::Choice(choice))) if usize::from(choice) < choices.len() => {
            Ok(Some(Given::Choice(choice)))
        }
        (QuestionKind::Text, Some(Given::Text(given))) => Ok(Some(Given::Text(text("answers", &given, ANSWER_LIMIT)?))),
        (QuestionKind::Score, _) => Err(wrong("a score of 1 to 5 is right".into())),
        (QuestionKind::Choice(choices), _) => Err(wrong(format!("a choice of 0 to {} is right", choices.len() - 1))),
        (QuestionKind::Text, _) => Err(wrong("a text is right".into())),
    }
}

/// Answers a survey, once; the same answers again are taken as the same.
#[utoipa::path(post, path = "/customer/survey", tag = "customers' surveys", request_body = Answers,
    params(("Callfloor-Customer-Token" = String, Header, description = "of an invitation, or of a chat")), responses(
    (status = 204, description = "kept"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn answer(State(app): State<App>, headers: HeaderMap, Body(body): Body<Answers>) -> Result<StatusCode, Problem> {
    let (tenant, token) = tenant_of(&app, &headers)?;
    let job = move |turn: &mut Turn<'_>| {
        let (survey, mut reply) = asked_in(turn, &token)?;
        let (given, wanted) = (body.answers.len(), survey.questions.len());
        if given != wanted {
            return Err(Problem::wrong(
                "answers",
                format!("{given} answers: {wanted} are right, one for each question"),
            ));
        }
        let answers = survey.questions.iter().zip(body.answers).map(|(question, given)| fits(question, given));
        let answers = answers.collect::<Result<Vec<_>, _>>()?;
        match reply.answered_us {
            Some(_) if reply.answers == answers => return Ok(()),
            Some(_) => return Err(Problem::conflict("answered", "this survey is answered already")),
            None => reply.answered_us = Some(turn.now().as_micros()),
        }
        reply.answers = answers;
        turn.documents().put(&reply);
        Ok(())
    };
    tenant.host.run(job).await??;
    Ok(StatusCode::NO_CONTENT)
}

/// By what results are grouped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
#[schema(as = GroupBy)]
enum By {
    /// All in one.
    #[default]
    Total,
    /// By operator.
    Operator,
    /// By queue.
    Queue,
}

/// Which replies.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// Answered from this time on, in microseconds since 1970.
    #[serde(default)]
    from_us: u64,
    /// Answered before this time, in microseconds since 1970.
    to_us: Option<u64>,
    /// By what they are grouped.
    #[serde(default)]
    by: By,
}

/// What a group of replies says.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct GroupResult {
    /// The operator or queue; `null` where there is none, or for all in one.
    of: Option<u32>,
    /// Replies.
    replies: u64,
    /// By question, in order.
    questions: Vec<QuestionResult>,
}

/// What customers answered: numbers, never texts.
#[utoipa::path(get, path = "/surveys/{survey}/results", tag = "surveys",
    params(Which, ("survey" = u64, Path, description = "which")), responses(
    (status = 200, description = "results, by group", body = Vec<GroupResult>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn results(
    caller: Caller,
    At(id): At<u64>,
    Asking(which): Asking<Which>,
) -> Result<Json<Vec<GroupResult>>, Problem> {
    let read = caller.read(move |reader| {
        let survey = reader.document::<Survey>(id)?.ok_or_else(|| unknown(id))?;
        let from = Reply::answered(id, which.from_us);
        let to = Reply::answered(id, which.to_us.unwrap_or(u64::MAX));
        let mut groups: BTreeMap<Option<u32>, (u64, Vec<Tally>)> = BTreeMap::new();
        let mut after: Option<(String, u64)> = None;
        loop {
            let range = Range {
                index: Some("answered"),
                from: Some(&from),
                to: Some(&to),
                after: after.as_ref().map(|(key, id)| (key.as_str(), *id)),
                ..Range::all(Reply::KIND, PAGE)
            };
            let page = reader.documents::<Reply>(&range)?;
            for reply in &page {
                let of = match which.by {
                    By::Total => None,
                    By::Operator => reply.operator,
                    By::Queue => reply.queue.map(u32::from),
                };
                let new = || (0, survey.questions.iter().map(Tally::new).collect());
                let (replies, tallies) = groups.entry(of).or_insert_with(new);
                *replies += 1;
                for (tally, given) in tallies.iter_mut().zip(&reply.answers) {
                    given.iter().for_each(|given| tally.add(given));
                }
            }
            match page.last().filter(|_| page.len() == PAGE) {
                Some(last) => after = last.answered_us.map(|at| (Reply::answered(id, at), last.id)),
                None => break,
            }
        }
        let result = |(of, (replies, tallies)): (Option<u32>, (u64, Vec<Tally>))| {
            let questions = tallies.into_iter().zip(&survey.questions);
            GroupResult { of, replies, questions: questions.map(|(tally, question)| tally.result(question)).collect() }
        };
        Ok(groups.into_iter().map(result).collect())
    });
    read.await.map(Json)
}
