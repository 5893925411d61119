//! When customers arrive: rates written in the file, forecasts and traces from CSV files.

use super::csv::{Columns, Row, moment, not_negative, positive};
use super::document::{Node, View, printable, to_micros};
use super::names::Names;
use super::operators::{check_fits_day, date_days, intervals_frame};
use crate::Problem;
use crate::arrivals::{Arrivals, DayFactor, IntervalFactor, MeanHandling, RatePiece, TraceArrival};
use crate::clock::{Clock, DAY_US, Days, MINUTE_US, SECOND_US};
use crate::problem::suggestion;

/// Columns of a forecast.
const FORECAST: Columns = Columns { needed: &["interval", "volume"], optional: &["aht_s", "class"] };
/// Columns of a trace.
const TRACE: Columns =
    Columns { needed: &["time"], optional: &["class", "customer", "patience_s", "talk_s", "after_call_s", "priority"] };

/// Reads `arrivals` of a class: the process, and average handle times if a forecast gives them.
pub(crate) fn arrivals(class: &str, view: &View<'_>, names: &Names<'_, '_>) -> (Arrivals, Vec<MeanHandling>) {
    let mut mean_handling = Vec::new();
    let kind = names.one_of(view, &["per_hour", "intervals", "curves", "forecast", "trace"], true);
    if kind != Some("forecast") {
        names.refuse(view, &["forecast_interval_min"], "it goes with `forecast`");
    }
    let pieces = match kind {
        Some("per_hour") => constant(view.number("per_hour").unwrap_or(0.0)),
        Some("intervals") => {
            let (pieces, means) = intervals(view, names);
            mean_handling = means;
            pieces
        }
        Some("curves") => curves(view, names),
        Some("forecast") => {
            let (pieces, means) = forecast(class, view, names);
            mean_handling = means;
            pieces
        }
        Some("trace") => {
            names.refuse(view, &["day_factor", "interval_factor"], "a trace is taken as it is");
            return (Arrivals::Trace { arrivals: trace(class, view, names) }, Vec::new());
        }
        _ => Vec::new(),
    };
    let factors = (day_factor(view), interval_factor(view, names));
    (Arrivals::Rates { pieces, day_factor: factors.0, interval_factor: factors.1 }, mean_handling)
}

/// The same rate at all times.
pub(crate) fn constant(per_hour: f64) -> Vec<RatePiece> {
    vec![RatePiece { days: Days::All, from_us: 0, to_us: DAY_US, start_per_hour: per_hour, end_per_hour: per_hour }]
}

/// Shape of a gamma distribution of mean 1 with a coefficient of variation.
fn shape(cv: f64) -> f64 {
    1.0 / (cv * cv)
}

fn day_factor(view: &View<'_>) -> Option<DayFactor> {
    let view = view.table("day_factor")?;
    Some(DayFactor { shape: shape(view.number("cv")?), shared: view.flag("shared") })
}

fn interval_factor(view: &View<'_>, names: &Names<'_, '_>) -> Option<IntervalFactor> {
    let view = view.table("interval_factor")?;
    let interval_us = view.whole::<u64>("interval_min").map_or(names.run.interval_us, |minutes| minutes * MINUTE_US);
    if !DAY_US.is_multiple_of(interval_us) {
        names.notes.add(view.place("interval_min"), "the interval must divide 24 hours", None);
    }
    Some(IntervalFactor {
        shape: shape(view.number("cv")?),
        interval_us,
        correlation: view.number("correlation")?,
        shared: view.flag("shared"),
    })
}

/// Reads `intervals` of arrivals or of a campaign: rates, and average handle times where they are given.
pub(crate) fn intervals(view: &View<'_>, names: &Names<'_, '_>) -> (Vec<RatePiece>, Vec<MeanHandling>) {
    let (mut pieces, mut means) = (Vec::new(), Vec::new());
    let mut blocks: Vec<Block> = Vec::new();
    for entry in view.tables("intervals") {
        let days = names.days(&entry);
        let (from_us, length_us) = intervals_frame(&entry, names);
        let Some(key) = names.one_of(&entry, &["per_hour", "contacts"], true) else { continue };
        let items = entry.items(key);
        if items.is_empty() && entry.has(key) {
            names.notes.add(entry.place(key), format!("`{key}` must name at least one interval"), None);
        }
        let values: Vec<f64> = items.iter().filter_map(Node::number).collect();
        let end_us = from_us + length_us * values.len() as u64;
        check_fits_day(&entry, names, key, end_us);
        check_apart(&mut blocks, &entry, &days, from_us..end_us, names);
        let handle_times: Vec<f64> = entry.items("aht_s").iter().filter_map(Node::number).collect();
        if entry.has("aht_s") && handle_times.len() != values.len() {
            let message =
                format!("`aht_s` must name as many intervals as `{key}`: {}, not {}", values.len(), handle_times.len());
            names.notes.add(entry.place("aht_s"), message, None);
        }
        #[expect(clippy::cast_precision_loss, reason = "at most a day")]
        let scale = if key == "contacts" { 3.6e9 / length_us as f64 } else { 1.0 };
        for days in days {
            for (i, value) in values.iter().enumerate() {
                let start_us = from_us + i as u64 * length_us;
                let rate = value * scale;
                let to_us = (start_us + length_us).min(DAY_US);
                if start_us < to_us {
                    pieces.push(RatePiece { days, from_us: start_us, to_us, start_per_hour: rate, end_per_hour: rate });
                    let aht_s = handle_times.get(i).copied();
                    means.extend(aht_s.map(|aht_s| MeanHandling { days, from_us: start_us, to_us, aht_s }));
                }
            }
        }
    }
    (pieces, means)
}

fn curves(view: &View<'_>, names: &Names<'_, '_>) -> Vec<RatePiece> {
    let mut pieces = Vec::new();
    let mut blocks: Vec<Block> = Vec::new();
    for entry in view.tables("curves") {
        let days = names.days(&entry);
        let mut points: Vec<(u64, f64)> = Vec::new();
        for point in entry.tables("points") {
            let (Some(at_us), Some(per_hour)) = (point.time("at"), point.number("per_hour")) else { continue };
            if points.last().is_some_and(|last| at_us <= last.0) {
                names.notes.add(point.place("at"), "points must be in ascending order of time", None);
                continue;
            }
            points.push((at_us, per_hour));
        }
        let items = entry.items("points");
        if items.len() < 2 && entry.has("points") {
            names.notes.add(entry.place("points"), "a curve needs at least two points", None);
        }
        if let (Some(first), Some(last)) = (points.first(), points.last()) {
            check_apart(&mut blocks, &entry, &days, first.0..last.0, names);
        }
        for days in days {
            pieces.extend(points.windows(2).map(|pair| RatePiece {
                days,
                from_us: pair[0].0,
                to_us: pair[1].0,
                start_per_hour: pair[0].1,
                end_per_hour: pair[1].1,
            }));
        }
    }
    pieces
}

/// Days and time of an entry of rates.
type Block = (Vec<Days>, std::ops::Range<u64>);

/// Notes an entry that covers the same time as one before it.
fn check_apart(
    blocks: &mut Vec<Block>,
    entry: &View<'_>,
    days: &[Days],
    time: std::ops::Range<u64>,
    names: &Names<'_, '_>,
) {
    let clock = &names.run.clock;
    let meets = |(other_days, other): &Block| {
        time.start < other.end
            && other.start < time.end
            && days.iter().any(|day| other_days.iter().any(|other| share_a_day(*day, *other, clock)))
    };
    if blocks.iter().any(meets) {
        let help = "rates do not add up: write their sum, or another class of customers".to_owned();
        names.notes.add(entry.span.clone(), "this covers the same time as an entry before it", Some(help));
    }
    blocks.push((days.to_vec(), time));
}

/// Whether two sets of days have one in common.
fn share_a_day(a: Days, b: Days, clock: &Clock) -> bool {
    match (a, b) {
        (Days::All, _) | (_, Days::All) => true,
        (Days::Weekdays(a), Days::Weekdays(b)) => a & b != 0,
        (Days::One(day), other) | (other, Days::One(day)) => other.contains(day, clock.weekday(day)),
    }
}

/// Whether a row is of another class; an unknown class is a problem.
fn of_other_class(row: &Row<'_>, class: &str, names: &Names<'_, '_>) -> Result<bool, Box<Problem>> {
    match row.cell("class") {
        Some((name, _)) if !names.classes.contains(&name) => {
            let message = format!("there is no class of customers `{}`", printable(name));
            Err(row.problem("class", message, suggestion(name, names.classes.iter().copied())))
        }
        Some((name, _)) => Ok(name != class),
        None => Ok(false),
    }
}

fn forecast(class: &str, view: &View<'_>, names: &Names<'_, '_>) -> (Vec<RatePiece>, Vec<MeanHandling>) {
    let (mut pieces, mut means) = (Vec::new(), Vec::new());
    let Some(csv) = names.csv(view, "forecast", FORECAST) else { return (pieces, means) };
    let mentioned = view.place("forecast");
    let length_us =
        view.whole::<u64>("forecast_interval_min").map_or(names.run.interval_us, |minutes| minutes * MINUTE_US);
    let mut last: Option<(Option<jiff::civil::Date>, u64)> = None;
    let mut rows = 0_u32;
    let mut wrong = false;
    for row in csv.rows() {
        let read = row.and_then(|row| {
            if of_other_class(&row, class, names)? {
                return Ok(None);
            }
            forecast_row(&row, length_us, &mut last, names).map(Some)
        });
        match read {
            Ok(Some(found)) => {
                rows += 1;
                if let Some((piece, aht_s)) = found {
                    means.extend(aht_s.map(|aht_s| MeanHandling {
                        days: piece.days,
                        from_us: piece.from_us,
                        to_us: piece.to_us,
                        aht_s,
                    }));
                    pieces.push(piece);
                }
            }
            Ok(None) => {}
            Err(problem) => {
                wrong = true;
                names.notes.add_other(&mentioned, *problem);
            }
        }
    }
    if !wrong && pieces.is_empty() {
        let message = if rows == 0 {
            format!("the forecast has no row of the class `{}`", printable(class))
        } else {
            "no row of the forecast is of a simulated day".to_owned()
        };
        names.notes.add(mentioned, message, None);
    }
    (pieces, means)
}

/// One row of a forecast; nothing if its day is not simulated.
fn forecast_row(
    row: &Row<'_>,
    length_us: u64,
    last: &mut Option<(Option<jiff::civil::Date>, u64)>,
    names: &Names<'_, '_>,
) -> Result<Option<(RatePiece, Option<f64>)>, Box<Problem>> {
    let expected = "the interval's start, such as 08:30 or 2026-03-02 08:30";
    let (date, from_us) = row.read("interval", expected, moment)?;
    let volume = row.read("volume", "a number of at least 0", not_negative)?;
    let aht_s = row.read_if_any("aht_s", "a number greater than 0", positive)?;
    if let Some((last_date, last_us)) = *last {
        if last_date.is_some() != date.is_some() {
            return Err(row.problem("interval", "some rows have a date and others have none".into(), None));
        }
        if (date, from_us) < (last_date, last_us + length_us) && date == last_date || date < last_date {
            let minutes = length_us / MINUTE_US;
            let message = format!("this interval begins before the one above has ended ({minutes} minutes each)");
            let help = "rows must be in order of time; `forecast_interval_min` gives the length".to_owned();
            return Err(row.problem("interval", message, Some(help)));
        }
    }
    *last = Some((date, from_us));
    let to_us = from_us + length_us;
    if to_us > DAY_US {
        return Err(row.problem("interval", "this interval goes on beyond midnight".into(), None));
    }
    let days = match date {
        None => Some(Days::All),
        Some(date) => date_days(row, "interval", date, names)?,
    };
    #[expect(clippy::cast_precision_loss, reason = "at most a day")]
    let rate = volume * 3.6e9 / length_us as f64;
    let piece = |days| RatePiece { days, from_us, to_us, start_per_hour: rate, end_per_hour: rate };
    Ok(days.map(|days| (piece(days), aht_s)))
}

fn trace(class: &str, view: &View<'_>, names: &Names<'_, '_>) -> Vec<TraceArrival> {
    let mut arrivals: Vec<TraceArrival> = Vec::new();
    let Some(csv) = names.csv(view, "trace", TRACE) else { return arrivals };
    let mentioned = view.place("trace");
    let mut wrong = false;
    for row in csv.rows() {
        let read = row.and_then(|row| {
            if of_other_class(&row, class, names)? {
                return Ok(None);
            }
            let arrival = trace_row(&row, names)?;
            if arrivals.last().is_some_and(|last| arrival.at_us < last.at_us) {
                let message = "this is earlier than the row above: rows must be in order of time".into();
                return Err(row.problem("time", message, None));
            }
            Ok(Some(arrival))
        });
        match read {
            Ok(arrival) => arrivals.extend(arrival),
            Err(problem) => {
                wrong = true;
                names.notes.add_other(&mentioned, *problem);
            }
        }
    }
    if !wrong && arrivals.is_empty() {
        let message = format!("the trace has no row of the class `{}`", printable(class));
        names.notes.add(mentioned, message, None);
    }
    arrivals
}

fn trace_row(row: &Row<'_>, names: &Names<'_, '_>) -> Result<TraceArrival, Box<Problem>> {
    let seconds = |text: &str| not_negative(text).map(|seconds| to_micros(seconds, SECOND_US));
    let when = |text: &str| seconds(text).map(|us| (None, us)).or_else(|| moment(text));
    let expected = "seconds since the first midnight, a time of day or a date with a time";
    let (date, time_us) = row.read("time", expected, when)?;
    let at_us = match date {
        None => time_us,
        Some(date) => match date_days(row, "time", date, names)? {
            Some(Days::One(day)) => names.run.clock.instant_us(day, time_us),
            _ => {
                let message = names.run.day_of(date).err().unwrap_or_default();
                return Err(row.problem("time", message, None));
            }
        },
    };
    let number = |column: &str| row.read_if_any(column, "a number of at least 0", not_negative);
    Ok(TraceArrival {
        at_us,
        customer: row.read_if_any("customer", "a whole number", |text| text.parse().ok())?,
        patience_s: number("patience_s")?,
        talk_s: number("talk_s")?,
        after_call_s: number("after_call_s")?,
        priority: row.read_if_any("priority", "a whole number from 0 to 255", |text| text.parse().ok())?,
    })
}
