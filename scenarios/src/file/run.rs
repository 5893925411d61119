//! `[run]` and `[[thresholds]]`.

use callfloor_measure::{Metric, Unit};
use jiff::civil::{Date, date};
use jiff::tz::TimeZoneDatabase;

use super::document::{Notes, View, printable, to_micros};
use super::names::Names;
use crate::clock::{Clock, DAY_US, HOUR_US, MINUTE_US};
use crate::problem::{nearest, suggestion};
use crate::scenario::{Horizon, Precision, Replications};
use crate::threshold::{Threshold, ThresholdScope};

/// The frame of a replication.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) seed: u64,
    pub(crate) replications: Replications,
    pub(crate) horizon: Horizon,
    pub(crate) clock: Clock,
    pub(crate) interval_us: u64,
    /// Time of day at which intervals without `from` start.
    pub(crate) from_us: u64,
    /// Time of day until which a constant number of operators is there.
    pub(crate) to_us: u64,
}

impl Run {
    /// The number of a date among the simulated days.
    pub(crate) fn day_of(&self, date: Date) -> Result<u32, String> {
        if !self.clock.dated {
            return Err("a date needs `date` in [run], which says when the run starts".into());
        }
        let days = date.duration_since(self.clock.start).as_hours() / 24;
        let last = match self.horizon {
            Horizon::Days { count, .. } => i64::from(count) - 1,
            _ => i64::from(u32::MAX),
        };
        match u32::try_from(days) {
            Ok(day) if days <= last => Ok(day),
            _ => {
                let end = self.clock.date(u32::try_from(last).unwrap_or(u32::MAX));
                Err(format!("{date} is not among the simulated days, {} to {end}", self.clock.start))
            }
        }
    }
}

/// Reads `[run]`; defaults hold where it is wrong or absent.
pub(crate) fn read(root: &View<'_>, notes: &Notes<'_>) -> Run {
    let Some(view) = root.table("run") else {
        return Run {
            seed: 1,
            replications: Replications { count: 20, precision: None },
            horizon: Horizon::Days { count: 1, from_us: 0, to_us: DAY_US, warm_up_days: 0 },
            clock: Clock::undated(),
            interval_us: 30 * MINUTE_US,
            from_us: 0,
            to_us: DAY_US,
        };
    };
    let interval_min: u64 = view.whole("interval_min").unwrap_or(30);
    if !1440_u64.is_multiple_of(interval_min) {
        let help = "5, 10, 15, 30 and 60 do".to_owned();
        notes.add(
            view.place("interval_min"),
            format!("intervals of {interval_min} minutes do not divide 24 hours"),
            Some(help),
        );
    }
    let horizon = horizon(&view, notes);
    let (from_us, to_us) = match horizon {
        Horizon::Days { from_us, to_us, .. } => (from_us, to_us),
        _ => (0, DAY_US),
    };
    Run {
        seed: view.whole("seed").unwrap_or(1),
        replications: replications(&view, notes),
        horizon,
        clock: clock(&view, notes),
        interval_us: interval_min * MINUTE_US,
        from_us,
        to_us,
    }
}

fn horizon(view: &View<'_>, notes: &Notes<'_>) -> Horizon {
    let kinds = [
        ("days", ["from", "to", "warm_up_days"].as_slice()),
        ("contacts", &["warm_up_contacts"]),
        ("hours", &["warm_up_hours"]),
    ];
    let given: Vec<&str> = view.given(&["days", "contacts", "hours"]);
    if let [first, second, ..] = given.as_slice() {
        let message = format!("`{second}` stands beside `{first}`: give one of `days`, `contacts` and `hours`");
        notes.add(view.key_place(second), message, None);
    }
    let kind = given.first().copied().unwrap_or("days");
    for (other, keys) in kinds.iter().filter(|(other, _)| *other != kind) {
        for key in view.given(keys) {
            let message = format!("`{key}` belongs to a run of `{other}`, but this is a run of `{kind}`");
            notes.add(view.key_place(key), message, None);
        }
    }
    let warm_up_below = |warm_up: u64, count: u64, key: &str| {
        if warm_up >= count {
            notes.add(view.place(key), format!("a warm-up of {warm_up} leaves nothing of {count} to count"), None);
        }
    };
    match kind {
        "contacts" => {
            let count = view.whole("contacts").unwrap_or(1);
            let warm_up = view.whole("warm_up_contacts").unwrap_or(0);
            warm_up_below(warm_up, count, "warm_up_contacts");
            Horizon::Calls { count, warm_up }
        }
        "hours" => {
            let hours = |key| to_micros(view.number(key).unwrap_or(0.0).min(1e7), HOUR_US);
            Horizon::Steady { warm_up_us: hours("warm_up_hours"), length_us: hours("hours").max(1) }
        }
        _ => {
            let count = view.whole("days").unwrap_or(1);
            let warm_up_days = view.whole("warm_up_days").unwrap_or(0);
            warm_up_below(u64::from(warm_up_days), u64::from(count), "warm_up_days");
            let from_us = view.time("from").unwrap_or(0);
            let to_us = view.time("to").unwrap_or(DAY_US);
            if from_us >= to_us {
                notes.add(view.place("to"), "`to` must be later than `from`", None);
            }
            Horizon::Days { count, from_us, to_us, warm_up_days }
        }
    }
}

fn replications(view: &View<'_>, notes: &Notes<'_>) -> Replications {
    let count = view.whole("replications").unwrap_or(20);
    let precision = view.table("precision").and_then(|precision| {
        let half_width = precision.number("half_width");
        let relative = precision.number("relative");
        if precision.given(&["half_width", "relative"]).is_empty() {
            notes.add(precision.span.clone(), "a precision needs `half_width` or `relative`", None);
        }
        let max_replications = precision.whole("max_replications").unwrap_or(1000);
        if max_replications < count {
            let message = format!("`max_replications` is less than the first batch of {count} replications");
            notes.add(precision.place("max_replications"), message, None);
        }
        let metric = metric(&precision, notes)?;
        Some(Precision { metric, half_width, relative, max_replications })
    });
    Replications { count, precision }
}

/// The figure that a table's `metric` names.
fn metric(view: &View<'_>, notes: &Notes<'_>) -> Option<Metric> {
    let name = view.text("metric")?;
    match Metric::ALL.iter().find(|metric| metric.name() == name) {
        Some(metric) => Some(*metric),
        None => {
            let near = nearest(name, Metric::NAMES.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            let help = near.unwrap_or_else(|| "docs/scenario-format.md lists the figures".into());
            notes.add(view.place("metric"), format!("there is no figure `{}`", printable(name)), Some(help));
            None
        }
    }
}

fn clock(view: &View<'_>, notes: &Notes<'_>) -> Clock {
    let mut clock = Clock::undated();
    if let Some(start) = view.date("date") {
        if start < date(1900, 1, 1) || start > date(2200, 1, 1) {
            notes.add(view.place("date"), "the date must lie between 1900 and 2200", None);
        } else {
            clock.start = start;
            clock.dated = true;
        }
    }
    if let Some(name) = view.text("time_zone") {
        // The bundled rules, not the machine's: the same scenario must give the same result everywhere.
        let zones = TimeZoneDatabase::bundled();
        match zones.get(name) {
            Ok(zone) => {
                clock.time_zone = zone;
                clock.time_zone_name = name.to_owned();
            }
            Err(_) => {
                let known: Vec<String> = zones.available().map(|name| name.to_string()).collect();
                let help = suggestion(name, known.iter().map(String::as_str).collect::<Vec<_>>());
                let help = help.unwrap_or_else(|| "IANA names are meant, such as `Asia/Tokyo`".into());
                notes.add(view.place("time_zone"), format!("there is no time zone `{}`", printable(name)), Some(help));
            }
        }
    }
    clock
}

/// Reads `[[thresholds]]`.
pub(crate) fn thresholds(root: &View<'_>, names: &Names<'_, '_>) -> Vec<Threshold> {
    root.tables("thresholds").iter().filter_map(|view| threshold(view, names)).collect()
}

fn threshold(view: &View<'_>, names: &Names<'_, '_>) -> Option<Threshold> {
    let notes = names.notes;
    if view.given(&["min", "max"]).is_empty() {
        notes.add(view.span.clone(), "a threshold needs `min`, `max` or both", None);
    }
    let (min, max) = (view.number("min"), view.number("max"));
    if let (Some(min), Some(max)) = (min, max)
        && min > max
    {
        notes.add(view.place("max"), format!("`max` is less than `min`: no value passes {min} to {max}"), None);
    }
    let metric = metric(view, notes);
    let of = match names.one_of(view, &["queue", "group"], false) {
        Some("queue") => names.queue(view, "queue").map(ThresholdScope::Queue),
        Some("group") => names.group(view, "group").map(ThresholdScope::Group),
        _ => Some(ThresholdScope::Total),
    };
    let metric = metric?;
    if metric.of_operators() && view.has("queue") {
        let message = format!("`{}` is a figure of operators, not of a queue", metric.name());
        notes.add(view.place("queue"), message, Some("name a group of operators with `group`".into()));
    } else if !metric.of_operators() && view.has("group") {
        let message = format!("`{}` is a figure of contacts, not of a group", metric.name());
        notes.add(view.place("group"), message, Some("name a queue with `queue`".into()));
    }
    if metric.unit() == Unit::Share {
        for (key, bound) in [("min", min), ("max", max)] {
            if let Some(bound) = bound.filter(|bound| !(0.0..=1.0).contains(bound)) {
                let help = (1.0..=100.0).contains(&bound).then(|| format!("write {} for {bound} %", bound / 100.0));
                notes.add(view.place(key), format!("`{}` is a share from 0 to 1, found {bound}", metric.name()), help);
            }
        }
    }
    Some(Threshold { metric, of: of?, every_interval: view.flag("every_interval"), min, max })
}
