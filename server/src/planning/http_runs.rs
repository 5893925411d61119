//! Runs over HTTP: begun, followed, cancelled; their answers and documents.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use callfloor_engine::ServiceId;
use callfloor_measure::Results;
use callfloor_reports::{Comparison, compare, to_html, to_json};
use callfloor_scenario::template;
use callfloor_sim::change::Change;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Answer;
use super::bounds::{MOST_REPLICATIONS, too_large};
use super::day::day_json;
use super::day_page::day_html;
use super::http::{PLANNERS, apart, own};
use super::kept::{KeptChange, KeptRun, What, parsed};
use super::runs::{MOST_KEPT, Outcome, Phase, Run, Work};

use crate::auth::{Caller, Row};
use crate::document::{Document, Read};
use crate::floor::ServiceExtra;
use crate::http::{App, Asking, At, Body, Problem};
use crate::storage::Range;

/// Rows of this module's routes.
pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/planning/runs", access: PLANNERS },
    Row { method: "POST", path: "/planning/runs", access: PLANNERS },
    Row { method: "GET", path: "/planning/runs/{run}", access: PLANNERS },
    Row { method: "DELETE", path: "/planning/runs/{run}", access: PLANNERS },
    Row { method: "POST", path: "/planning/runs/{run}/cancel", access: PLANNERS },
    Row { method: "GET", path: "/planning/runs/{run}/answer", access: PLANNERS },
    Row { method: "GET", path: "/planning/runs/{run}/results", access: PLANNERS },
    Row { method: "GET", path: "/planning/runs/{run}/report", access: PLANNERS },
];

/// This module's routes.
pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list, begin))
        .routes(routes!(follow, forget))
        .routes(routes!(cancel))
        .routes(routes!(answer))
        .routes(routes!(results))
        .routes(routes!(report))
}

/// Most changes of a run.
const MOST_CHANGES: usize = 20;
/// How often a day is simulated where nobody says.
const REPLICATIONS_OF_A_DAY: u32 = 50;
/// Runs that are listed, forgotten ones too.
const LISTED: usize = 30;

/// A run to be begun.
#[derive(Clone, Debug, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
struct NewRun {
    /// Of what.
    of: What,
    /// Operators more or fewer: the plan is then run beside the changed one, with the same customers.
    #[serde(default)]
    changes: Vec<KeptChange>,
    /// How often, from 2 to 10,000; as the scenario says, or 50 for a day.
    #[serde(default)]
    replications: Option<u32>,
    /// Seed; the scenario's, or 1 for a day.
    #[serde(default)]
    seed: Option<u64>,
    /// For a day of the journal: an answer within so many seconds is in time; 20 unless said.
    #[serde(default)]
    threshold_s: Option<f64>,
    /// For a day of the journal: the time zone of the day and of `from` and `to`; the first service's unless said.
    #[serde(default)]
    zone: Option<String>,
}

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum RunState {
    /// Others go before it.
    Waiting,
    /// The journal is read.
    Reading,
    /// It is simulated.
    Running,
    /// Its answer is there.
    Done,
    /// Somebody stopped it.
    Cancelled,
    /// It could not be done.
    Failed,
    /// The server was started again since, or newer ones took its place: begin it again.
    Forgotten,
}

/// A run.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct RunNow {
    /// Its number.
    run: u64,
    /// Of what.
    of: What,
    /// The name of what it is of.
    name: String,
    /// Operators more or fewer.
    changes: Vec<KeptChange>,
    /// When it was asked for, in microseconds since 1970.
    at_us: u64,
    /// By whom.
    by: String,
    /// How far it is.
    state: RunState,
    /// Runs that go before it.
    before: usize,
    /// Replications done, of both plans.
    done: u32,
    /// Replications in all.
    planned: u32,
    /// Seconds that it runs.
    elapsed_s: Option<f64>,
    /// Seconds that are left, as it seems.
    left_s: Option<f64>,
    /// Why it could not be done, or is forgotten.
    detail: Option<String>,
}

fn seen(app: &App, organisation: &str, kept: KeptRun) -> RunNow {
    let run = app.planner.run(organisation, kept.id);
    let phase = run.as_ref().map(|run| run.phase());
    let (done, planned) = run.as_ref().map_or((0, 0), |run| run.progress());
    let elapsed = |since: Instant| since.elapsed().as_secs_f64();
    let (state, elapsed_s, detail) = match phase {
        None => {
            let detail = "the server was started again since, or newer runs took its place: begin it again";
            (RunState::Forgotten, None, Some(detail.to_owned()))
        }
        Some(Phase::Waiting) => (RunState::Waiting, None, None),
        Some(Phase::Reading(since)) => (RunState::Reading, Some(elapsed(since)), None),
        Some(Phase::Running(since)) => (RunState::Running, Some(elapsed(since)), None),
        Some(Phase::Done(_)) => (RunState::Done, None, None),
        Some(Phase::Cancelled) => (RunState::Cancelled, None, None),
        Some(Phase::Failed(problem)) => (RunState::Failed, None, Some(problem)),
    };
    let left =
        |elapsed_s: f64| (done > 0).then(|| elapsed_s / f64::from(done) * f64::from(planned.saturating_sub(done)));
    RunNow {
        run: kept.id,
        of: kept.what,
        name: kept.name,
        changes: kept.changes,
        at_us: kept.at_us,
        by: kept.by,
        state,
        before: run.as_ref().map_or(0, |run| app.planner.before(run)),
        done,
        planned,
        elapsed_s,
        left_s: elapsed_s.filter(|_| state == RunState::Running).and_then(left),
        detail,
    }
}

/// Runs, the newest first.
#[utoipa::path(get, path = "/planning/runs", tag = "planning", responses(
    (status = 200, description = "runs and how far they are", body = Vec<RunNow>),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn list(State(app): State<App>, caller: Caller) -> Result<Json<Vec<RunNow>>, Problem> {
    let newest = Range { descending: true, ..Range::all(KeptRun::KIND, LISTED) };
    let found = caller.read(move |reader| Ok(reader.documents::<KeptRun>(&newest)?)).await?;
    let organisation = &caller.principal.tenant.name;
    Ok(Json(found.into_iter().map(|kept| seen(&app, organisation, kept)).collect()))
}

fn wrong(rule: &str) -> impl Fn(String) -> Problem {
    let rule = rule.to_owned();
    move |detail| Problem::wrong(&rule, detail)
}

/// Begins a run: it waits for those before it, and is done by threads that calls never wait for.
#[utoipa::path(post, path = "/planning/runs", tag = "planning", request_body = NewRun, responses(
    (status = 202, description = "it is in line; follow it by its number", body = RunNow),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn begin(
    State(app): State<App>,
    caller: Caller,
    Body(body): Body<NewRun>,
) -> Result<(StatusCode, Json<RunNow>), Problem> {
    let organisation = caller.principal.tenant.name.clone();
    let place = app
        .planner
        .place(&organisation)
        .map_err(|detail| Problem::new(StatusCode::TOO_MANY_REQUESTS, "too-many-runs", detail).retry_after(10))?;
    if body.changes.len() > MOST_CHANGES {
        return Err(Problem::wrong("changes", format!("at most {MOST_CHANGES} changes are right")));
    }
    let changes = body.changes.iter().map(KeptChange::read).collect::<Result<Vec<_>, _>>().map_err(wrong("changes"))?;
    if let Some(count) = body.replications.filter(|count| !(2..=MOST_REPLICATIONS).contains(count)) {
        let detail = format!("{count} replications: 2 to {MOST_REPLICATIONS} are right");
        return Err(Problem::wrong("replications", detail));
    }
    let threshold_s = body.threshold_s.unwrap_or(20.0);
    if !(0.0..=86_400.0).contains(&threshold_s) {
        return Err(Problem::wrong("threshold_s", format!("{threshold_s} s: 0 to 86400 are right")));
    }
    let (work, name, zone) = match &body.of {
        What::Day(date) => of_day(&caller, &body, date, changes.clone(), threshold_s).await?,
        What::Library(_) | What::Own(_) => of_scenario(&caller, &body, changes.clone()).await?,
    };
    let by = caller.principal.login.clone();
    let kept = caller
        .write(move |turn| {
            let at_us = turn.now().as_micros();
            let documents = turn.documents();
            let id = documents.next_id::<KeptRun>()?;
            let NewRun { of: what, replications, seed, .. } = body;
            let changes = changes.iter().map(KeptChange::of).collect();
            let kept = KeptRun { id, what, name, changes, replications, seed, threshold_s, zone, at_us, by };
            documents.put(&kept);
            // What is so old is listed no more.
            if let Some(old) = id.checked_sub(LISTED as u64) {
                documents.delete::<KeptRun>(old);
            }
            Ok(kept)
        })
        .await?;
    app.planner.begin(place, kept.id, work);
    Ok((StatusCode::ACCEPTED, Json(seen(&app, &organisation, kept))))
}

async fn of_scenario(caller: &Caller, body: &NewRun, changes: Vec<Change>) -> Result<(Work, String, String), Problem> {
    let (name, text, files) = match &body.of {
        What::Library(name) => {
            let ready = template(name);
            let ready =
                ready.ok_or_else(|| Problem::unknown(format!("there is no scenario {name:?} in the library")))?;
            let files = ready.files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
            (ready.name.to_owned(), ready.text.to_owned(), files.collect::<BTreeMap<_, _>>())
        }
        What::Own(id) => {
            let (kept, text) = own(caller, *id).await?;
            (kept.name, text.text, text.files)
        }
        What::Day(_) => return Err(Problem::wrong("of", "a day is no scenario")),
    };
    let shown = name.clone();
    let (replications, seed) = (body.replications, body.seed);
    let work = apart(move || {
        let scenario = parsed(&format!("{name}.toml"), &text, &files)
            .map_err(|mistakes| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "scenario", mistakes.render(false)))?;
        let replications = replications.unwrap_or(scenario.replications.count).clamp(1, MOST_REPLICATIONS);
        let seed = seed.unwrap_or(scenario.seed);
        // Told at once, not when its turn comes.
        let (changed, _) = callfloor_sim::change::changed_scenario(&scenario, &changes)
            .map_err(|wrong| Problem::wrong("changes", wrong.to_string()))?;
        too_large(&changed, replications)
            .map_err(|told| Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "too-large", told))?;
        Ok::<_, Problem>(Work::Scenario { scenario: Box::new(scenario), changes, replications, seed })
    });
    Ok((work.await??, shown, String::new()))
}

async fn of_day(
    caller: &Caller,
    body: &NewRun,
    date: &str,
    changes: Vec<Change>,
    threshold_s: f64,
) -> Result<(Work, String, String), Problem> {
    let asked = body.zone.clone();
    let (now_us, zone, queues) = caller
        .look(move |turn| {
            let zone = match asked {
                Some(zone) => zone,
                None => ServiceExtra::of(turn.documents(), ServiceId(0))?.zone,
            };
            let queues = turn.engine().config().queues.iter().map(|queue| queue.name.clone()).collect::<Vec<_>>();
            Ok((turn.now().as_micros(), zone, queues))
        })
        .await?;
    if let Some(change) = changes.iter().find(|change| !queues.contains(&change.queue)) {
        let detail = format!("there is no queue {:?}: the queues are {}", change.queue, queues.join(", "));
        return Err(Problem::wrong("changes", detail));
    }
    let known = TimeZone::get(&zone);
    let known = known.map_err(|_| {
        Problem::wrong("zone", format!("there is no time zone {zone:?}: one as in Asia/Tokyo is right"))
    })?;
    let date: Date = match date {
        "today" => {
            let now = i64::try_from(now_us).ok().and_then(|us| jiff::Timestamp::from_microsecond(us).ok());
            now.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(known.clone()).date()
        }
        text => text.parse().map_err(|_| {
            Problem::wrong("of", format!("{text:?} is no day: today, or one as in 2026-11-25, is right"))
        })?,
    };
    let reader = caller.principal.tenant.host.reader().await?;
    let replications = body.replications.unwrap_or(REPLICATIONS_OF_A_DAY);
    let seed = body.seed.unwrap_or(1);
    let marks = caller.principal.tenant.marks.clone();
    let work = Work::Day { reader, marks, date, zone: known, changes, replications, seed, threshold_s };
    Ok((work, date.to_string(), zone))
}

async fn kept(caller: &Caller, run: u64) -> Result<KeptRun, Problem> {
    let kept = caller.read(move |reader| Ok(reader.document::<KeptRun>(run)?)).await?;
    kept.ok_or_else(|| Problem::unknown(format!("there is no run {run}")))
}

/// How far a run is.
#[utoipa::path(get, path = "/planning/runs/{run}", tag = "planning",
    params(("run" = u64, Path, description = "its number")), responses(
    (status = 200, description = "the run", body = RunNow),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn follow(State(app): State<App>, caller: Caller, At(run): At<u64>) -> Result<Json<RunNow>, Problem> {
    let kept = kept(&caller, run).await?;
    Ok(Json(seen(&app, &caller.principal.tenant.name, kept)))
}

/// A run, which is stopped where it is not over.
async fn stopped(app: &App, caller: &Caller, run: u64) -> Result<KeptRun, Problem> {
    let kept = kept(caller, run).await?;
    if let Some(run) = app.planner.run(&caller.principal.tenant.name, kept.id) {
        app.planner.cancel(&run);
    }
    Ok(kept)
}

/// Stops a run; nothing comes of it. One that is over stays as it is.
#[utoipa::path(post, path = "/planning/runs/{run}/cancel", tag = "planning",
    params(("run" = u64, Path, description = "its number")), responses(
    (status = 200, description = "it stops", body = RunNow),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn cancel(State(app): State<App>, caller: Caller, At(run): At<u64>) -> Result<Json<RunNow>, Problem> {
    let kept = stopped(&app, &caller, run).await?;
    Ok(Json(seen(&app, &caller.principal.tenant.name, kept)))
}

/// Stops a run where it goes on, and forgets it with its results.
#[utoipa::path(delete, path = "/planning/runs/{run}", tag = "planning",
    params(("run" = u64, Path, description = "its number")), responses(
    (status = 204, description = "forgotten"),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn forget(State(app): State<App>, caller: Caller, At(run): At<u64>) -> Result<StatusCode, Problem> {
    stopped(&app, &caller, run).await?;
    app.planner.forget(&caller.principal.tenant.name, run);
    let removed = caller.write(move |turn| {
        turn.documents().delete::<KeptRun>(run);
        Ok(())
    });
    removed.await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What came out of a run.
async fn outcome(app: &App, caller: &Caller, run: u64) -> Result<Arc<Outcome>, Problem> {
    let kept = kept(caller, run).await?;
    let found: Option<Arc<Run>> = app.planner.run(&caller.principal.tenant.name, kept.id);
    let state = match found.map(|run| run.phase()) {
        Some(Phase::Done(outcome)) => return Ok(outcome),
        Some(Phase::Cancelled) => "it was cancelled".to_owned(),
        Some(Phase::Failed(problem)) => problem,
        Some(_) => "it is not over yet".to_owned(),
        None => format!(
            "it is forgotten: the server was started again since, or the {MOST_KEPT} newest took its place; begin it again"
        ),
    };
    Err(Problem::conflict("no-results", format!("run {run} has no results: {state}")))
}

/// A run's answer: the sentence, figures with intervals, the day by intervals.
#[utoipa::path(get, path = "/planning/runs/{run}/answer", tag = "planning",
    params(("run" = u64, Path, description = "its number")), responses(
    (status = 200, description = "the answer", body = Answer),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn answer(State(app): State<App>, caller: Caller, At(run): At<u64>) -> Result<Json<Answer>, Problem> {
    let outcome = outcome(&app, &caller, run).await?;
    apart(move || Answer::of(&outcome)).await.map(Json)
}

/// Which document of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Which {
    /// The plan; of a day, everything.
    #[default]
    Plan,
    /// The changed plan.
    Changed,
    /// The comparison of both.
    Comparison,
}

/// Which document of a run.
#[derive(Clone, Copy, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// The plan's unless said; a report is the comparison's where there is one.
    of: Option<Which>,
}

fn is_changed(changed: Option<&Results>) -> Result<&Results, Problem> {
    let none = || Problem::conflict("no-changes", "the run has no changes: there is nothing to compare");
    changed.ok_or_else(none)
}

fn comparison(plan: &Results, changed: &Results) -> Result<Comparison, Problem> {
    compare(plan, changed).map_err(|wrong| Problem::conflict("no-results", wrong.to_string()))
}

/// A run's results as JSON: those of `callfloor simulate --json`, `compare --json` or `replay --operators --json`, byte for byte.
#[utoipa::path(get, path = "/planning/runs/{run}/results", tag = "planning",
    params(("run" = u64, Path, description = "its number"), Wanted), responses(
    (status = 200, description = "the document", body = serde_json::Value),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn results(
    State(app): State<App>,
    caller: Caller,
    At(run): At<u64>,
    Asking(wanted): Asking<Wanted>,
) -> Result<Response, Problem> {
    let outcome = outcome(&app, &caller, run).await?;
    let text = apart(move || match (&*outcome, wanted.of.unwrap_or_default()) {
        (Outcome::Day { date, what_if, threshold_s, replications, .. }, _) => {
            Ok::<_, Problem>(day_json(*date, what_if, *threshold_s, *replications))
        }
        (Outcome::Scenario { plan, .. }, Which::Plan) => Ok(to_json(plan)),
        (Outcome::Scenario { changed, .. }, Which::Changed) => Ok(to_json(is_changed(changed.as_ref())?)),
        (Outcome::Scenario { plan, changed, .. }, Which::Comparison) => {
            Ok(comparison(plan, is_changed(changed.as_ref())?)?.to_json())
        }
    });
    Ok(([(header::CONTENT_TYPE, "application/json")], text.await??).into_response())
}

/// A report opens alone, with its own style and nothing else: no script, nothing from elsewhere.
const REPORT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'none'; sandbox";

/// A run's report as one HTML file with plots; of two plans, their comparison unless said otherwise.
#[utoipa::path(get, path = "/planning/runs/{run}/report", tag = "planning",
    params(("run" = u64, Path, description = "its number"), Wanted), responses(
    (status = 200, description = "the report", content_type = "text/html", body = String),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn report(
    State(app): State<App>,
    caller: Caller,
    At(run): At<u64>,
    Asking(wanted): Asking<Wanted>,
) -> Result<Response, Problem> {
    let outcome = outcome(&app, &caller, run).await?;
    let text = apart(move || -> Result<String, Problem> {
        let (plan, changed, words, how) = match &*outcome {
            Outcome::Scenario { plan, changed, words, how } => (plan, changed, words, how),
            Outcome::Day { date, what_if, threshold_s, replications, changed } => {
                return Ok(day_html(*date, what_if, *threshold_s, *replications, *changed));
            }
        };
        let best = if changed.is_some() { Which::Comparison } else { Which::Plan };
        match wanted.of.unwrap_or(best) {
            Which::Plan => Ok(to_html(plan, Some(how))),
            Which::Changed => Ok(to_html(is_changed(changed.as_ref())?, Some(how))),
            Which::Comparison => {
                let (changed, name) = (is_changed(changed.as_ref())?, &plan.header().scenario);
                let named = comparison(plan, changed)?.named(name, format!("{name}, {}", words.join("; ")));
                Ok(named.to_html(plan, changed))
            }
        }
    });
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, REPORT_POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    Ok((headers, text.await??).into_response())
}
