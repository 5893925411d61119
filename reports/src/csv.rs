//! CSV, tidy: one row for each figure of each queue, group and interval.

use callfloor_measure::{Metric, Results, Scope, Unit};

/// The columns.
const COLUMNS: [&str; 12] =
    ["of", "name", "interval", "start_s", "figure", "unit", "value", "low", "high", "over", "under", "replications"];

/// One row for each figure of the whole floor (`of` = `all`), each queue and each group, over the period (`interval`
/// empty) and in each interval.
///
/// `low` and `high` are the 95 % interval, empty where there is none. `over` and `under` are what a ratio over the period was
/// counted from, summed over replications. A share is in [0, 1]. UTF-8, comma, line feed.
#[must_use]
pub fn to_csv(results: &Results) -> String {
    let header = results.header();
    let mut scopes = vec![("all", "", Scope::All)];
    scopes.extend(header.queues.iter().enumerate().map(|(at, queue)| ("queue", &*queue.name, Scope::Queue(at))));
    scopes.extend(header.groups.iter().enumerate().map(|(at, group)| ("group", &*group.name, Scope::Group(at))));

    let mut rows = vec![COLUMNS.map(str::to_owned)];
    for (of, name, scope) in scopes {
        for interval in std::iter::once(None).chain((0..header.grid.intervals).map(Some)) {
            for metric in Metric::ALL {
                let estimate = match interval {
                    None => results.estimate(*metric, scope),
                    Some(interval) => results.estimate_in(*metric, scope, interval),
                };
                let Some(estimate) = estimate else { continue };
                let parts = if interval.is_none() { results.parts(*metric, scope) } else { None };
                let start = interval.map(|at| header.grid.start_us + at as u64 * header.grid.interval_us);
                let ends = estimate.interval;
                let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
                rows.push([
                    of.to_owned(),
                    name.to_owned(),
                    interval.map(|interval| header.label(interval)).unwrap_or_default(),
                    number(start.map(|start| start as f64 / 1e6)),
                    metric.name().to_owned(),
                    unit(metric.unit()).to_owned(),
                    estimate.value.to_string(),
                    number(ends.map(|ends| ends.low)),
                    number(ends.map(|ends| ends.high)),
                    number(parts.map(|parts| parts.0)),
                    number(parts.map(|parts| parts.1)),
                    estimate.replications.to_string(),
                ]);
            }
        }
    }
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.write_record(&row).expect("memory takes every row, and all have as many columns");
    }
    let bytes = writer.into_inner().expect("memory takes every row");
    String::from_utf8(bytes).expect("rows of UTF-8")
}

pub(crate) const fn unit(unit: Unit) -> &'static str {
    match unit {
        Unit::Share => "share",
        Unit::Seconds => "s",
        Unit::Count => "count",
        Unit::Erlangs => "erlangs",
    }
}
