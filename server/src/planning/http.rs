//! Scenarios over HTTP: the library's, and an organisation's own.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Json;
use axum::http::StatusCode;
use callfloor_scenario::{Problem as Mistake, Scenario, TEMPLATES, template};
use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::bounds::too_large;
use super::kept::{KeptScenario, KeptText, parsed};
use super::{http_runs, runs};
use crate::auth::{Access, Caller, Role, Row};
use crate::document::{Document, Read};
use crate::http::{App, At, Body, Problem, name};
use crate::storage::Range;

/// Who plans.
pub(super) const PLANNERS: Access = Access::Roles(&[Role::Supervisor, Role::Planner, Role::Administrator]);

const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/planning/library", access: PLANNERS },
    Row { method: "GET", path: "/planning/library/{scenario}", access: PLANNERS },
    Row { method: "POST", path: "/planning/check", access: PLANNERS },
    Row { method: "GET", path: "/planning/scenarios", access: PLANNERS },
    Row { method: "POST", path: "/planning/scenarios", access: PLANNERS },
    Row { method: "GET", path: "/planning/scenarios/{scenario}", access: PLANNERS },
    Row { method: "PUT", path: "/planning/scenarios/{scenario}", access: PLANNERS },
    Row { method: "DELETE", path: "/planning/scenarios/{scenario}", access: PLANNERS },
];

/// Rows of this module's routes.
pub(crate) fn permissions() -> impl Iterator<Item = &'static Row> {
    PERMISSIONS.iter().chain(http_runs::PERMISSIONS)
}

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(library))
        .routes(routes!(of_library))
        .routes(routes!(check))
        .routes(routes!(list, save))
        .routes(routes!(read, replace, remove))
        .merge(http_runs::router())
}

/// Most scenarios of an organisation's own.
const MOST_SCENARIOS: usize = 200;
/// Most text of a scenario with its files, in bytes.
const MOST_TEXT: usize = 512 * 1024;
/// Most files beside a scenario.
const MOST_FILES: usize = 20;
/// Most mistakes that are told at once.
const MOST_MISTAKES: usize = 100;

/// A ready scenario.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct Ready {
    /// Its name.
    name: &'static str,
    /// What it shows, in a few words.
    summary: &'static str,
}

/// A scenario's text.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct Text {
    /// Its name in the list: 1 to 60 characters.
    name: String,
    /// The TOML of `docs/scenario-format.md`, at most 512 KiB with its files.
    text: String,
    /// The CSV files that it names: name and text.
    #[serde(default)]
    files: BTreeMap<String, String>,
}

/// A mistake in a scenario, and where.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct Found {
    /// The scenario, or one of its files.
    file: String,
    /// From 1; 0 where the whole file is meant.
    line: usize,
    /// From 1, in characters.
    column: usize,
    /// What was found and what would be right.
    message: String,
    /// How to put it right, where that is more than the message says.
    help: Option<String>,
}

/// What is right or wrong about a scenario.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct Checked {
    /// Whether it can be run here.
    right: bool,
    /// What is wrong, by place; none where it is right.
    mistakes: Vec<Found>,
    /// The same as `callfloor simulate` tells it, with the lines; empty where it is right.
    told: String,
    /// What the scenario is, where it is right.
    about: Option<About>,
}

/// What a scenario is.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct About {
    /// Its own name, as reports show it.
    name: String,
    /// What it models.
    description: String,
    /// Its queues.
    queues: Vec<String>,
    /// Days that a replication covers.
    days: u32,
    /// How often it is simulated.
    replications: u32,
    /// Its seed.
    seed: u64,
}

/// A scenario of one's own in the list.
#[derive(Clone, Debug, Serialize, Deserialize, utoipa::ToSchema)]
#[schema(as = ListedScenario)]
struct Listed {
    /// Its number.
    scenario: u64,
    /// Its name.
    name: String,
    /// When it was written last, in microseconds since 1970.
    at_us: u64,
    /// By whom.
    by: String,
}

/// A scenario of one's own.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct Own {
    /// Its place in the list.
    #[serde(flatten)]
    listed: Listed,
    /// Its text.
    text: String,
    /// The CSV files that it names.
    files: BTreeMap<String, String>,
}

impl Listed {
    fn of(kept: &KeptScenario) -> Self {
        Self { scenario: kept.id, name: kept.name.clone(), at_us: kept.at_us, by: kept.by.clone() }
    }
}

/// The ready scenarios, the simplest first.
#[utoipa::path(get, path = "/planning/library", tag = "planning", responses(
    (status = 200, description = "names, and what they show", body = Vec<Ready>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn library(_: Caller) -> Json<Vec<Ready>> {
    Json(TEMPLATES.iter().map(|ready| Ready { name: ready.name, summary: ready.summary }).collect())
}

/// A ready scenario's text.
#[utoipa::path(get, path = "/planning/library/{scenario}", tag = "planning",
    params(("scenario" = String, Path, description = "its name")), responses(
    (status = 200, description = "its text, and the files that it names", body = Text),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn of_library(_: Caller, At(scenario): At<String>) -> Result<Json<Text>, Problem> {
    let ready = template(&scenario);
    let ready = ready.ok_or_else(|| Problem::unknown(format!("there is no scenario {scenario:?} in the library")))?;
    let files = ready.files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
    Ok(Json(Text { name: ready.name.to_owned(), text: ready.text.to_owned(), files }))
}

/// Checks a scenario: every mistake with its line and column.
#[utoipa::path(post, path = "/planning/check", tag = "planning", request_body = Text, responses(
    (status = 200, description = "whether it is right, and every mistake", body = Checked),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn check(_: Caller, Body(body): Body<Text>) -> Result<Json<Checked>, Problem> {
    small_enough(&body)?;
    apart(move || checked(&body)).await.map(Json)
}

/// Texts that are read, and answers and reports that are made, at once: others wait for their turn.
static TURNS: Semaphore = Semaphore::const_new(2);
/// Who would wait longer is told to come again.
const PATIENCE: Duration = Duration::from_secs(20);

/// Away from the threads that serve requests, with the priority of runs, and some at a time: it may take a while, and calls do
/// not wait for it.
pub(super) async fn apart<T: Send + 'static>(job: impl FnOnce() -> T + Send + 'static) -> Result<T, Problem> {
    let turn = tokio::time::timeout(PATIENCE, TURNS.acquire()).await.map_err(|_| {
        let detail = "others plan at this moment: try again in some seconds";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).retry_after(5)
    })?;
    let (told, wait) = tokio::sync::oneshot::channel();
    let begun = std::thread::Builder::new().name("planner-aside".into()).spawn(move || {
        runs::step_back();
        let done = job();
        // The turn lasts as long as the work, whoever asked may have gone.
        drop(turn);
        let _ = told.send(done);
    });
    let fault = |problem: &dyn std::fmt::Display| {
        tracing::error!(%problem, "the planner");
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "fault", "a fault of callfloor's own: please report it")
    };
    begun.map_err(|problem| fault(&problem))?;
    wait.await.map_err(|problem| fault(&problem))
}

fn small_enough(body: &Text) -> Result<(), Problem> {
    let files = body.files.iter().map(|(name, text)| name.len() + text.len());
    let bytes = body.text.len() + files.sum::<usize>();
    if bytes > MOST_TEXT || body.files.len() > MOST_FILES {
        let detail = format!(
            "{bytes} bytes and {} files: at most {MOST_TEXT} bytes and {MOST_FILES} files are right",
            body.files.len()
        );
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-large", detail));
    }
    Ok(())
}

fn checked(body: &Text) -> Checked {
    let file = format!("{}.toml", body.name.trim());
    let whole = |message: String| Found { file: file.clone(), line: 0, column: 0, message, help: None };
    match parsed(&file, &body.text, &body.files) {
        Err(problems) => {
            let found = |mistake: &Mistake| {
                let Mistake { file, line, column, message, help, .. } = mistake.clone();
                Found { file, line, column, message, help }
            };
            let mistakes = problems.0.iter().take(MOST_MISTAKES).map(found).collect();
            Checked { right: false, mistakes, told: problems.render(false), about: None }
        }
        Ok(scenario) => match too_large(&scenario, scenario.replications.count) {
            Err(told) => Checked { right: false, mistakes: vec![whole(told.clone())], told, about: None },
            Ok(()) => Checked { right: true, mistakes: vec![], told: String::new(), about: Some(about(&scenario)) },
        },
    }
}

fn about(scenario: &Scenario) -> About {
    About {
        name: scenario.name.clone(),
        description: scenario.description.clone(),
        queues: scenario.queues.iter().map(|queue| queue.name.clone()).collect(),
        days: scenario.days(),
        replications: scenario.replications.count,
        seed: scenario.seed,
    }
}

/// Scenarios of one's own.
#[utoipa::path(get, path = "/planning/scenarios", tag = "planning", responses(
    (status = 200, description = "by number", body = Vec<Listed>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(caller: Caller) -> Result<Json<Vec<Listed>>, Problem> {
    let all = Range::all(KeptScenario::KIND, MOST_SCENARIOS);
    let found = caller.read(move |reader| Ok(reader.documents::<KeptScenario>(&all)?)).await?;
    Ok(Json(found.iter().map(Listed::of).collect()))
}

/// A text that may be kept.
async fn right(body: Text) -> Result<Text, Problem> {
    small_enough(&body)?;
    let body = Text { name: name("name", &body.name)?, ..body };
    let (body, checked) = apart(move || (body.clone(), checked(&body))).await?;
    if checked.right {
        return Ok(body);
    }
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "scenario", checked.told))
}

/// Keeps a scenario under a name of its own. A wrong one is refused with every mistake and its place.
#[utoipa::path(post, path = "/planning/scenarios", tag = "planning", request_body = Text, responses(
    (status = 201, description = "kept", body = Listed),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn save(caller: Caller, Body(body): Body<Text>) -> Result<(StatusCode, Json<Listed>), Problem> {
    let Text { name, text, files } = right(body).await?;
    let by = caller.principal.login.clone();
    let kept = caller
        .write(move |turn| {
            let at_us = turn.now().as_micros();
            let documents = turn.documents();
            let known = documents.with_prefix::<KeptScenario>("name", "", MOST_SCENARIOS)?;
            if known.len() >= MOST_SCENARIOS {
                return Err(Problem::conflict("too-many", format!("there are {MOST_SCENARIOS} scenarios: delete one")));
            }
            taken(&known, &name, None)?;
            let id = documents.next_id::<KeptScenario>()?;
            let kept = KeptScenario { id, name, at_us, by };
            documents.put(&kept);
            documents.put(&KeptText { id, text, files });
            Ok(Listed::of(&kept))
        })
        .await?;
    Ok((StatusCode::CREATED, Json(kept)))
}

fn taken(known: &[KeptScenario], name: &str, but: Option<u64>) -> Result<(), Problem> {
    match known.iter().find(|it| it.name == name && Some(it.id) != but) {
        None => Ok(()),
        Some(other) => {
            Err(Problem::conflict("name-taken", format!("scenario {} has the name {name:?} already", other.id)))
        }
    }
}

/// A scenario that is not there, or of another organisation.
fn unknown(scenario: u64) -> Problem {
    Problem::unknown(format!("there is no scenario {scenario}"))
}

/// A scenario with its text.
pub(super) async fn own(caller: &Caller, scenario: u64) -> Result<(KeptScenario, KeptText), Problem> {
    let found = caller.read(move |reader| {
        let (kept, text) = (reader.document::<KeptScenario>(scenario)?, reader.document::<KeptText>(scenario)?);
        Ok(kept.zip(text))
    });
    found.await?.ok_or_else(|| unknown(scenario))
}

/// A scenario of one's own.
#[utoipa::path(get, path = "/planning/scenarios/{scenario}", tag = "planning",
    params(("scenario" = u64, Path, description = "its number")), responses(
    (status = 200, description = "its text", body = Own),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn read(caller: Caller, At(scenario): At<u64>) -> Result<Json<Own>, Problem> {
    let (kept, KeptText { text, files, .. }) = own(&caller, scenario).await?;
    Ok(Json(Own { listed: Listed::of(&kept), text, files }))
}

/// Writes a scenario of one's own anew: the last one who writes is right.
#[utoipa::path(put, path = "/planning/scenarios/{scenario}", tag = "planning", request_body = Text,
    params(("scenario" = u64, Path, description = "its number")), responses(
    (status = 200, description = "kept", body = Listed),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn replace(caller: Caller, At(scenario): At<u64>, Body(body): Body<Text>) -> Result<Json<Listed>, Problem> {
    let Text { name, text, files } = right(body).await?;
    let by = caller.principal.login.clone();
    let kept = caller.write(move |turn| {
        let at_us = turn.now().as_micros();
        let documents = turn.documents();
        documents.get::<KeptScenario>(scenario)?.ok_or_else(|| unknown(scenario))?;
        taken(&documents.with_prefix::<KeptScenario>("name", "", MOST_SCENARIOS)?, &name, Some(scenario))?;
        let kept = KeptScenario { id: scenario, name, at_us, by };
        documents.put(&kept);
        documents.put(&KeptText { id: scenario, text, files });
        Ok(Listed::of(&kept))
    });
    kept.await.map(Json)
}

/// Deletes a scenario of one's own. Runs of it go on.
#[utoipa::path(delete, path = "/planning/scenarios/{scenario}", tag = "planning",
    params(("scenario" = u64, Path, description = "its number")), responses(
    (status = 204, description = "deleted"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn remove(caller: Caller, At(scenario): At<u64>) -> Result<StatusCode, Problem> {
    let removed = caller.write(move |turn| {
        let documents = turn.documents();
        documents.get::<KeptScenario>(scenario)?.ok_or_else(|| unknown(scenario))?;
        documents.delete::<KeptScenario>(scenario);
        documents.delete::<KeptText>(scenario);
        Ok(())
    });
    removed.await?;
    Ok(StatusCode::NO_CONTENT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// Who goes away while their text is read gives no more of them their turn at once.
    #[tokio::test]
    async fn planners_take_turns_whoever_waits_for_the_answer() {
        let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut asked = Vec::new();
        for _ in 0..8 {
            let (now, most) = (Arc::clone(&now), Arc::clone(&most));
            let asks = tokio::spawn(apart(move || {
                most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                std::thread::sleep(Duration::from_millis(40));
                now.fetch_sub(1, Ordering::SeqCst);
            }));
            tokio::time::sleep(Duration::from_millis(5)).await;
            asks.abort();
            asked.push(asks);
        }
        for asks in asked {
            let _ = asks.await;
        }
        assert_eq!(apart(|| 7).await.map_err(|problem| problem.rule), Ok(7));
        let most = most.load(Ordering::SeqCst);
        assert!((1..=2).contains(&most), "{most} at once");
    }

    #[tokio::test]
    async fn a_fault_in_it_is_told_as_ours() {
        let told = apart(|| assert_eq!(1, 2, "planted")).await;
        assert_eq!(told.map_err(|problem| problem.status), Err(500));
    }
}
