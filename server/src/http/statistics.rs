//! Statistics by interval, queue and operator: every figure by the one definition in `callfloor_measure`.

use std::collections::BTreeMap;

use axum::Json;
use axum::response::{IntoResponse, Response};
use callfloor_engine::{EngineConfig, QueueId};
use callfloor_measure::{Counts, EarlyAbandons, Status as MeasureStatus};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::sheet::{Cell, Sheet};
use super::{App, Asking, Problem};
use crate::auth::{Access, Caller, Role, Row};
use crate::document::{Document, Read};
use crate::floor::{QueueExtra, ServiceExtra};
use crate::stats::{
    DeskNow, Every, Frame, INTERVAL_US, Line, OUTBOUND, OperatorInterval, OperatorWork, QueueInterval, group_operators,
    group_queues, interval_id,
};
use crate::storage::{Range, key_of};

const READERS: Access = Access::Roles(&[Role::Supervisor, Role::Planner, Role::Administrator]);

/// Rows of this module's routes.
pub(crate) const PERMISSIONS: &[Row] = &[
    Row { method: "GET", path: "/statistics/queues", access: READERS },
    Row { method: "GET", path: "/statistics/operators", access: READERS },
];

/// This module's routes.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(queues)).routes(routes!(operators))
}

/// Most rows of an answer, and longest period.
const MOST: usize = 200_000;
const LONGEST_DAYS: i32 = 400;

/// Which statistics.
#[derive(Clone, Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Which {
    /// First day, as in 2026-11-25; today unless said.
    from: Option<String>,
    /// Last day, inclusive; the first unless said.
    to: Option<String>,
    /// The time zone of days and hours; the first service's unless said.
    zone: Option<String>,
    /// Length of rows.
    #[serde(default)]
    every: Every,
    /// Where calls count: in the interval of their arrival, or of their answer.
    #[serde(default)]
    by: By,
    /// Only this service.
    service: Option<u16>,
    /// JSON, CSV or a workbook.
    #[serde(default)]
    format: Format,
}

/// Where calls count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum By {
    /// In the interval of their arrival, as forecasts do.
    #[default]
    Arrival,
    /// In the interval in which they left the queue.
    Answer,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
enum Format {
    /// JSON.
    #[default]
    Json,
    /// CSV with a header line.
    Csv,
    /// A workbook (ECMA-376) with a header line.
    Xlsx,
}

/// A row: a queue in a stretch of time.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct QueueStatistics {
    /// Its start, in microseconds since 1970.
    from_us: u64,
    /// Its end.
    to_us: u64,
    /// Its start as people of the zone read it.
    start: String,
    /// Which queue; `null` for a service's dials.
    queue: Option<u16>,
    /// The service.
    service: u16,
    /// The queue's name, or the service's.
    name: String,
    /// The primitives that are not 0.
    #[schema(value_type = std::collections::BTreeMap<String, u64>)]
    counts: Counts,
    /// The figures that exist, by name; shares in [0, 1], times in seconds.
    figures: BTreeMap<String, f64>,
    /// W0 + N and A + B + F + W1, which are equal wherever nothing was lost or counted twice.
    identity: (u64, u64),
}

/// What waits now, as counted and as the engine has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, utoipa::ToSchema)]
struct WaitingNow {
    /// Which queue.
    queue: u16,
    /// Offered less answered, abandoned and flowed out.
    counted: u64,
    /// In the engine's queue, ringing included, callbacks not.
    found: u64,
}

/// Statistics of queues.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct QueueReport {
    /// The time zone of days and hours.
    zone: String,
    /// Where calls count.
    by: By,
    /// Rows by time, then queue.
    rows: Vec<QueueStatistics>,
    /// Rows in which the identity fails; none is right.
    failed_identities: Vec<String>,
    /// What waits now.
    waiting_now: Vec<WaitingNow>,
}

/// A row: an operator in a stretch of time.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct OperatorStatistics {
    /// Its start, in microseconds since 1970.
    from_us: u64,
    /// Its end.
    to_us: u64,
    /// Its start as people of the zone read it.
    start: String,
    /// Who.
    operator: u32,
    /// Their name.
    name: String,
    /// Time in each status, in microseconds.
    in_status_us: BTreeMap<String, u64>,
    /// Time logged in, in microseconds.
    logged_in_us: u64,
    /// Talk, hold, consult and after-call work, in microseconds.
    handle_us: u64,
    /// What they did.
    #[serde(flatten)]
    work: OperatorWork,
    /// Handle time for each call answered or connected, in seconds.
    aht_s: Option<f64>,
    /// The figures that exist, by name.
    figures: BTreeMap<String, f64>,
}

/// Statistics of operators.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
struct OperatorReport {
    /// The time zone of days and hours.
    zone: String,
    /// Rows by time, then operator.
    rows: Vec<OperatorStatistics>,
}

/// What is needed of the engine.
struct Seen {
    now_us: u64,
    config: EngineConfig,
    /// In each queue, ringing included, callbacks not.
    in_line: Vec<u64>,
    zone: String,
    extras: Vec<QueueExtra>,
    lines: Vec<Option<Line>>,
}

async fn look(caller: &Caller, which: &Which) -> Result<Seen, Problem> {
    let (zone, service) = (which.zone.clone(), which.service);
    caller
        .look(move |turn| {
            let config = turn.engine().config().clone();
            let of = callfloor_engine::ServiceId(service.unwrap_or(0));
            if service.is_some() && of.index() >= config.services.len() {
                return Err(Problem::unknown(format!("there is no {of}")));
            }
            let zone = match zone {
                Some(zone) => zone,
                None => ServiceExtra::of(turn.documents(), of)?.zone,
            };
            let queues = turn.engine().queues();
            let in_line = queues.iter().map(|it| u64::from(it.waiting + it.ringing - it.callbacks)).collect();
            let (mut extras, mut lines) = (Vec::new(), Vec::new());
            for at in (0u16..).take(config.queues.len()).map(QueueId) {
                extras.push(QueueExtra::of(turn.documents(), at)?);
                lines.push(Line::of(turn.documents(), at)?);
            }
            Ok(Seen { now_us: turn.now().as_micros(), config, in_line, zone, extras, lines })
        })
        .await
}

fn frame(which: &Which, seen: &Seen) -> Result<Frame, Problem> {
    let wrong =
        |zone: &str| Problem::wrong("zone", format!("there is no time zone {zone:?}: one as in Asia/Tokyo is right"));
    let zone = TimeZone::get(&seen.zone).map_err(|_| wrong(&seen.zone))?;
    let now = i64::try_from(seen.now_us).ok().and_then(|us| jiff::Timestamp::from_microsecond(us).ok());
    let today = now.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_zoned(zone.clone()).date();
    let date = |field: &str, text: &Option<String>, otherwise: Date| match text {
        None => Ok(otherwise),
        Some(text) => text
            .parse::<Date>()
            .map_err(|_| Problem::wrong(field, format!("{text:?} is no date: one as in 2026-11-25 is right"))),
    };
    let from = date("from", &which.from, today)?;
    let to = date("to", &which.to, from)?;
    let days = from.until(to).map_or(i32::MAX, |span| span.get_days());
    if !(0..LONGEST_DAYS).contains(&days) {
        return Err(Problem::wrong(
            "to",
            format!("from {from} to {to}: a period of 1 to {LONGEST_DAYS} days is right"),
        ));
    }
    let start = |date: Date| {
        let zoned = date.to_zoned(zone.clone()).ok()?;
        u64::try_from(zoned.timestamp().as_microsecond()).ok()
    };
    let after = to.tomorrow().ok().and_then(start);
    let (from_us, to_us) =
        start(from).zip(after).ok_or_else(|| Problem::wrong("from", "days from 1970 on are right"))?;
    Ok(Frame { from_us, to_us, zone, every: which.every })
}

/// Documents of intervals from `from` on; `to` is exclusive.
fn between<D: Document>(reader: &mut dyn crate::storage::Reader, from: u64, to: u64) -> Result<Vec<D>, Problem> {
    let (low, high) = (key_of(interval_id(from, 0)), key_of(interval_id(to, 0)));
    let range = Range { from: Some(&low), to: Some(&high), ..Range::all(D::KIND, MOST) };
    let found = reader.documents::<D>(&range)?;
    if found.len() == MOST {
        return Err(Problem::wrong("to", format!("more than {MOST} intervals: ask for a shorter period")));
    }
    Ok(found)
}

/// Statistics of queues: counts, waits, service level by the queue's own rule and by all five, handle times.
#[utoipa::path(get, path = "/statistics/queues", tag = "statistics", params(Which), responses(
    (status = 200, description = "rows by time and queue; CSV or a workbook where asked for", body = QueueReport),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn queues(caller: Caller, Asking(which): Asking<Which>) -> Result<Response, Problem> {
    let seen = look(&caller, &which).await?;
    let frame = frame(&which, &seen)?;
    let (from, until) = (frame.from_us / INTERVAL_US, seen.now_us / INTERVAL_US + 1);
    let intervals = caller.read(move |reader| between::<QueueInterval>(reader, from, until)).await?;
    let of_service = |service: u16| which.service.is_none_or(|wanted| wanted == service);
    let counted: Vec<u64> = seen.lines.iter().map(|line| line.as_ref().map_or(0, |line| line.pace.in_line())).collect();
    let waiting: BTreeMap<u32, u64> = (1..).zip(counted.iter().copied()).collect();
    let mut rows = Vec::new();
    for row in group_queues(&frame, &intervals, &waiting) {
        let (queue, service, name, rule) = if row.of > OUTBOUND {
            let service = u16::try_from(row.of - OUTBOUND - 1).unwrap_or(u16::MAX);
            let found = seen.config.services.get(usize::from(service));
            (None, service, found.map(|found| found.name.clone()), EarlyAbandons::default())
        } else {
            let at = (row.of as usize).saturating_sub(1);
            let found = seen.config.queues.get(at);
            let rule = seen.extras.get(at).map(|extra| extra.rule).unwrap_or_default();
            let service = found.map_or(u16::MAX, |queue| queue.service.0);
            (u16::try_from(at).ok(), service, found.map(|queue| queue.name.clone()), rule)
        };
        if !of_service(service) {
            continue;
        }
        let identity = row.what.identity(callfloor_measure::CountedBy::Arrival);
        let counts = if which.by == By::Answer { crate::stats::by_answer(&row.what) } else { row.what };
        rows.push(QueueStatistics {
            from_us: row.from_us,
            to_us: row.to_us,
            start: frame.label(row.from_us),
            queue,
            service,
            name: name.unwrap_or_default(),
            figures: crate::stats::figures(&counts, rule),
            counts,
            identity,
        });
    }
    let mut failed: Vec<String> = rows
        .iter()
        .filter(|row| row.identity.0 != row.identity.1)
        .map(|row| {
            format!("{} {}: W0 + N = {}, A + B + F + W1 = {}", row.start, row.name, row.identity.0, row.identity.1)
        })
        .collect();
    let waiting_now: Vec<WaitingNow> = (0u16..)
        .zip(counted.iter().zip(&seen.in_line))
        .map(|(queue, (&counted, &found))| WaitingNow { queue, counted, found })
        .collect();
    failed.extend(waiting_now.iter().filter(|it| it.counted != it.found).map(|it| {
        format!("queue {} now: {} waiting by count, {} in the engine's queue", it.queue, it.counted, it.found)
    }));
    let report = QueueReport { zone: seen.zone, by: which.by, rows, failed_identities: failed, waiting_now };
    told(report, which.format, queue_sheet).await
}

/// The report, as it was asked for.
async fn told<R: Serialize>(report: R, format: Format, sheet: impl FnOnce(&R) -> Sheet) -> Result<Response, Problem> {
    match format {
        Format::Json => Ok(Json(report).into_response()),
        Format::Csv => Ok(sheet(&report).csv()),
        Format::Xlsx => sheet(&report).xlsx().await,
    }
}

fn queue_sheet(report: &QueueReport) -> Sheet {
    let names = callfloor_measure::Metric::NAMES;
    let figures: Vec<&str> =
        names.iter().copied().filter(|name| report.rows.iter().any(|row| row.figures.contains_key(*name))).collect();
    let fixed = [
        "start",
        "from_us",
        "to_us",
        "service",
        "queue",
        "name",
        "waiting_at_start",
        "answered_in_time",
        "abandoned_in_time",
        "abandoned_short",
        "waiting_at_end",
        "identity",
    ];
    let each = |row: &QueueStatistics| {
        let counts = &row.counts;
        let mut cells = vec![
            Cell::Text(row.start.clone()),
            Cell::Whole(row.from_us),
            Cell::Whole(row.to_us),
            Cell::Whole(row.service.into()),
            row.queue.map_or(Cell::Empty, |queue| Cell::Whole(queue.into())),
            Cell::Text(row.name.clone()),
            Cell::Whole(counts.waiting_at_start),
            Cell::Whole(counts.answered_in_time),
            Cell::Whole(counts.abandoned_in_time),
            Cell::Whole(counts.abandoned_short),
            Cell::Whole(counts.waiting_at_end),
            Cell::Text(if row.identity.0 == row.identity.1 { "holds" } else { "FAILS" }.to_owned()),
        ];
        cells.extend(figures.iter().map(|name| Cell::figure(row.figures.get(*name).copied())));
        cells
    };
    let columns = fixed.iter().chain(&figures).map(|name| (*name).to_owned()).collect();
    Sheet { name: "queues", columns, rows: report.rows.iter().map(each).collect() }
}

/// Statistics of operators: time in each status, calls in and out, handle times, tickets.
#[utoipa::path(get, path = "/statistics/operators", tag = "statistics", params(Which), responses(
    (status = 200, description = "rows by time and operator; CSV or a workbook where asked for", body = OperatorReport),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn operators(caller: Caller, Asking(which): Asking<Which>) -> Result<Response, Problem> {
    let seen = look(&caller, &which).await?;
    let frame = frame(&which, &seen)?;
    let (from, until) = (frame.from_us / INTERVAL_US, frame.to_us.div_ceil(INTERVAL_US));
    let (intervals, desks) = caller
        .read(move |reader| {
            // A status that changes between the two readings would be counted twice: read until nothing did.
            let all = Range::all(DeskNow::KIND, MOST);
            let mut desks = reader.documents::<DeskNow>(&all)?;
            for _ in 0..5 {
                let intervals = between::<OperatorInterval>(reader, from, until)?;
                let again = reader.documents::<DeskNow>(&all)?;
                if again == desks {
                    return Ok((intervals, desks));
                }
                desks = again;
            }
            Ok((between::<OperatorInterval>(reader, from, until)?, desks))
        })
        .await?;
    let mut rows = Vec::new();
    for row in group_operators(&frame, &intervals, &desks, seen.now_us) {
        let Some(person) = seen.config.operators.get(row.of as usize) else { continue };
        if which.service.is_some_and(|service| !person.services.contains(&callfloor_engine::ServiceId(service))) {
            continue;
        }
        let (times, work) = row.what;
        let in_status = |status| times.in_status(status);
        let handle_us = in_status(MeasureStatus::Talking)
            + in_status(MeasureStatus::Holding)
            + in_status(MeasureStatus::Consulting)
            + in_status(MeasureStatus::AfterCallWork);
        let calls = work.calls_in + work.dials_connected;
        rows.push(OperatorStatistics {
            from_us: row.from_us,
            to_us: row.to_us,
            start: frame.label(row.from_us),
            operator: row.of,
            name: person.name.clone(),
            in_status_us: callfloor_engine::Status::ALL
                .iter()
                .zip(times.in_status_us)
                .filter(|(status, _)| **status != callfloor_engine::Status::LoggedOut)
                .map(|(status, us)| (kebab(*status), us))
                .collect(),
            logged_in_us: times.paid_us,
            handle_us,
            work,
            aht_s: (calls > 0).then(|| seconds(handle_us) / f64::from(u32::try_from(calls).unwrap_or(u32::MAX))),
            figures: crate::stats::staff_figures(&times),
        });
    }
    let report = OperatorReport { zone: seen.zone, rows };
    told(report, which.format, operator_sheet).await
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of days are far below 2^53")]
fn seconds(us: u64) -> f64 {
    us as f64 * 1e-6
}

fn kebab(status: callfloor_engine::Status) -> String {
    let text = serde_json::to_value(crate::wire::Status::from(status)).expect("a status has a form in JSON");
    text.as_str().unwrap_or_default().to_owned()
}

fn operator_sheet(report: &OperatorReport) -> Sheet {
    let statuses: Vec<String> = callfloor_engine::Status::ALL[1..].iter().map(|status| kebab(*status)).collect();
    let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let mut columns = named(&["start", "from_us", "to_us", "operator", "name", "logged_in_s"]);
    columns.extend(statuses.iter().map(|status| format!("{status}_s")));
    columns.extend(named(&[
        "handle_s",
        "calls_in",
        "dials",
        "dials_connected",
        "rings",
        "missed_rings",
        "chats",
        "tickets_solved",
        "aht_s",
        "occupancy",
        "utilisation",
        "shrinkage",
    ]));
    let length = |us: u64| Cell::Figure(seconds(us), 3);
    let each = |row: &OperatorStatistics| {
        let OperatorWork { calls_in, dials, dials_connected, rings, missed_rings, chats, tickets_solved } = row.work;
        let mut cells = vec![
            Cell::Text(row.start.clone()),
            Cell::Whole(row.from_us),
            Cell::Whole(row.to_us),
            Cell::Whole(row.operator.into()),
            Cell::Text(row.name.clone()),
            length(row.logged_in_us),
        ];
        cells.extend(statuses.iter().map(|status| length(row.in_status_us.get(status).copied().unwrap_or(0))));
        cells.push(length(row.handle_us));
        let counts = [calls_in, dials, dials_connected, rings, missed_rings, chats, tickets_solved];
        cells.extend(counts.map(Cell::Whole));
        cells.push(Cell::figure(row.aht_s));
        let shares = ["occupancy", "utilisation", "shrinkage"];
        cells.extend(shares.map(|name| Cell::figure(row.figures.get(name).copied())));
        cells
    };
    Sheet { name: "operators", columns, rows: report.rows.iter().map(each).collect() }
}
