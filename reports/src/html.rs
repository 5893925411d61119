//! The HTML report: one file without scripts or anything from elsewhere, so that it opens offline and for years.

use askama::Template;
use callfloor_measure::{Metric, Results, Scope, Unit};

use crate::figure;
use crate::plot::{self, Plot};
use crate::summary::{Figure, Line, Run, figures, offered_queues, outbound_queues, summary};
use crate::table::busy_intervals;

/// Intervals beyond which the plots and tables of a report stop.
pub(crate) const MOST_INTERVALS: usize = 700;

#[derive(Template)]
#[template(path = "report.html")]
struct Page {
    scenario: String,
    answer: Line,
    thresholds: Vec<Line>,
    warnings: Vec<String>,
    basis: Vec<String>,
    notes: Vec<String>,
    tiles: Vec<Figure>,
    figures: Vec<Figure>,
    plots: Vec<Section>,
    queues: Rows,
    outbound: Rows,
    groups: Rows,
    intervals: Rows,
    counting: &'static str,
    version: &'static str,
}

/// A plot with what is said about it and its numbers.
struct Section {
    title: &'static str,
    about: String,
    plot: Plot,
    data: Rows,
}

/// A table, its first column being names.
#[derive(Default)]
pub(crate) struct Rows {
    /// Whether the second column is of names, too.
    pub(crate) named_twice: bool,
    pub(crate) heads: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

impl Rows {
    /// A table without the columns that have nothing in them.
    pub(crate) fn of<T: AsRef<str>>(heads: &[T], rows: impl IntoIterator<Item = Vec<String>>) -> Self {
        let mut table = Self {
            named_twice: false,
            heads: heads.iter().map(|head| head.as_ref().to_owned()).collect(),
            rows: rows.into_iter().collect(),
        };
        let empty =
            |column: usize| column > 0 && table.rows.iter().all(|row| row[column].is_empty() || row[column] == "–");
        let kept: Vec<bool> = (0..table.heads.len()).map(|column| !empty(column)).collect();
        for row in std::iter::once(&mut table.heads).chain(&mut table.rows) {
            let mut kept = kept.iter();
            row.retain(|_| kept.next() == Some(&true));
        }
        table
    }
}

/// The report of `results` as one HTML file. It follows the reader's light or dark theme and any width from a phone's on.
///
/// # Panics
/// Never: a string takes every page.
#[must_use]
pub fn to_html(results: &Results, run: Option<&Run>) -> String {
    let summary = summary(results, run);
    let mut warnings = summary.warnings;
    let mut shown = busy_intervals(results);
    if shown.len() > MOST_INTERVALS {
        warnings.push(format!(
            "Plots and tables show the first {MOST_INTERVALS} of {} intervals; the CSV has all.",
            figure::grouped(shown.len() as u64)
        ));
        shown.truncate(MOST_INTERVALS);
    }
    let tiles = ["service level", "abandonment", "ASA", "occupancy"];
    let page = Page {
        scenario: results.header().scenario.clone(),
        tiles: figures(results, Scope::All).into_iter().filter(|figure| tiles.contains(&&*figure.title)).collect(),
        plots: if results.replications().is_empty() { Vec::new() } else { sections(results, &shown) },
        queues: if offered_queues(results).len() > 1 { queues(results) } else { Rows::default() },
        outbound: outbound(results),
        groups: if results.header().groups.len() > 1 { groups(results) } else { Rows::default() },
        intervals: intervals(results, &shown),
        counting: crate::summary::counting(results),
        answer: summary.answer,
        thresholds: summary.thresholds,
        warnings,
        basis: summary.basis,
        notes: results.header().notes.clone(),
        figures: summary.figures,
        version: env!("CARGO_PKG_VERSION"),
    };
    page.render().expect("a string takes every page")
}

fn sections(results: &Results, shown: &[usize]) -> Vec<Section> {
    let mut sections = Vec::new();
    let by_interval = |heads: &[&str], metrics: &[Metric]| {
        let row = |at: &usize| {
            let cells =
                metrics.iter().map(|metric| figure::full(*metric, results.estimate_in(*metric, Scope::All, *at)));
            std::iter::once(results.header().label(*at)).chain(cells).collect()
        };
        Rows::of(heads, shown.iter().map(row))
    };
    if results.counts(Scope::All).offered > 0 {
        sections.push(Section {
            title: "Calls by interval",
            about: format!(
                "How many calls there were and what became of them, on average over the replications. {}",
                crate::summary::counting(results)
            ),
            plot: plot::calls(results, shown),
            data: by_interval(
                &["interval", "offered", "answered", "abandoned", "flowed out"],
                &[Metric::Offered, Metric::Answered, Metric::Abandoned, Metric::FlowedOut],
            ),
        });
        sections.push(Section {
            title: "Service level by interval",
            about: format!(
                "Share of the calls of each interval answered within {}, with its 95 % interval over the replications.",
                crate::summary::limits(results)
            ),
            plot: plot::service_level(results, shown),
            data: by_interval(&["interval", "service level", "P(target met)"], &[Metric::ServiceLevel, Metric::PMet]),
        });
    }
    if results.staff(Scope::All).logged_in_us() > 0 {
        let statuses = plot::used_statuses(results);
        let mut heads = vec!["interval"];
        heads.extend(statuses.iter().map(|status| status.name()));
        heads.push("occupancy");
        let row = |at: &usize| {
            let mut cells = vec![results.header().label(*at)];
            cells.extend(statuses.iter().map(|status| figure::decimal(plot::operators_in(results, *status, *at), 2)));
            cells.push(figure::full(Metric::Occupancy, results.estimate_in(Metric::Occupancy, Scope::All, *at)));
            cells
        };
        sections.push(Section {
            title: "Operators' time by status",
            about: "How many operators were in each status, on average over each interval and the replications."
                .to_owned(),
            plot: plot::operators(results, shown),
            data: Rows::of(&heads, shown.iter().map(row)),
        });
    }
    if let Some(plot) = plot::waits(results) {
        sections.push(Section {
            title: "How long calls waited",
            about: format!(
                "Share of the answered and of the abandoned calls that had waited at most so long, over all replications{}.",
                if plot::live_queues(results).len() < results.header().queues.len() { "; tickets left out" } else { "" }
            ),
            plot,
            data: waits(results),
        });
    }
    sections
}

fn waits(results: &Results) -> Rows {
    let (answered, abandoned) = plot::live_waits(results);
    let mut limits: Vec<u64> = [0, 5, 10, 20, 30, 60, 120, 300, 600].map(|second| second * 1_000_000).to_vec();
    limits.extend(plot::live_queues(results).into_iter().map(|queue| results.header().queues[queue].target_wait_us));
    limits.sort_unstable();
    limits.dedup();
    let share = |share: Option<f64>| share.map_or_else(figure::dash, |share| format!("{:.2} %", share * 100.0));
    let row = |limit: &u64| {
        vec![crate::summary::seconds(*limit), share(answered.share_up_to(*limit)), share(abandoned.share_up_to(*limit))]
    };
    let mut rows: Vec<Vec<String>> = limits.iter().map(row).collect();
    let count = |count: u64| figure::grouped(count);
    rows.push(vec!["calls".to_owned(), count(answered.count()), count(abandoned.count())]);
    Rows::of(&["waited at most", "answered calls", "abandoned calls"], rows)
}

fn queues(results: &Results) -> Rows {
    let metrics = [
        Metric::Offered,
        Metric::ServiceLevel,
        Metric::PMet,
        Metric::Abandonment,
        Metric::AsaS,
        Metric::WaitP90S,
        Metric::AhtS,
    ];
    let mut heads = vec!["queue".to_owned(), "target".to_owned()];
    heads.extend(metrics.iter().map(|metric| head(*metric)));
    let row = |(at, queue): (usize, &callfloor_measure::Queue)| {
        let target = results.target_level(Scope::Queue(at)).map_or_else(figure::dash, |level| {
            format!("{} in {}", crate::summary::percent(level), crate::summary::seconds(queue.target_wait_us))
        });
        let cells = metrics.iter().map(|metric| figure::cell(*metric, results.estimate(*metric, Scope::Queue(at))));
        [queue.name.clone(), target].into_iter().chain(cells).collect()
    };
    Rows::of(&heads, offered_queues(results).into_iter().map(row))
}

fn outbound(results: &Results) -> Rows {
    let metrics = [Metric::Dials, Metric::DialsConnected, Metric::DialConnectRate];
    let mut heads = vec!["campaign".to_owned()];
    heads.extend(metrics.iter().map(|metric| head(*metric)));
    let row = |(at, queue): (usize, &callfloor_measure::Queue)| {
        let cells = metrics.iter().map(|metric| figure::cell(*metric, results.estimate(*metric, Scope::Queue(at))));
        std::iter::once(queue.name.clone()).chain(cells).collect()
    };
    Rows::of(&heads, outbound_queues(results).into_iter().map(row))
}

fn groups(results: &Results) -> Rows {
    let metrics = [Metric::OperatorsPaid, Metric::Occupancy, Metric::Utilisation, Metric::Shrinkage, Metric::Adherence];
    let mut heads = vec!["group".to_owned()];
    heads.extend(metrics.iter().map(|metric| head(*metric)));
    let row = |(at, group): (usize, &callfloor_measure::Group)| {
        let cells = metrics.iter().map(|metric| figure::cell(*metric, results.estimate(*metric, Scope::Group(at))));
        std::iter::once(group.name.clone()).chain(cells).collect()
    };
    Rows::of(&heads, results.header().groups.iter().enumerate().map(row))
}

/// A column's head: the figure and its unit.
pub(crate) fn head(metric: Metric) -> String {
    match metric.unit() {
        Unit::Share => format!("{}, %", metric.title()),
        Unit::Seconds => format!("{}, s", metric.title()),
        Unit::Count | Unit::Erlangs => metric.title().to_owned(),
    }
}

/// The interval table: each queue apart where there are several.
fn intervals(results: &Results, shown: &[usize]) -> Rows {
    let metrics = [Metric::Offered, Metric::ServiceLevel, Metric::Abandonment, Metric::AsaS, Metric::AhtS];
    let staff = [Metric::OperatorsPaid, Metric::Occupancy];
    let queues = offered_queues(results);
    let several = queues.len() > 1;
    let mut heads = vec!["interval".to_owned()];
    if several {
        heads.push("queue".to_owned());
    }
    heads.extend(metrics.iter().chain(&staff).map(|metric| head(*metric)));
    let mut rows = Vec::new();
    for &at in shown {
        let label = results.header().label(at);
        let cells = |scope, metrics: &[Metric]| -> Vec<String> {
            metrics.iter().map(|metric| figure::cell(*metric, results.estimate_in(*metric, scope, at))).collect()
        };
        let mut row = vec![label.clone()];
        if several {
            row.push("all".to_owned());
        }
        row.extend(cells(Scope::All, &metrics));
        row.extend(cells(Scope::All, &staff));
        rows.push(row);
        for (queue, named) in queues.iter().filter(|_| several) {
            let mut row = vec![label.clone(), named.name.clone()];
            row.extend(cells(Scope::Queue(*queue), &metrics));
            row.extend(staff.map(|_| String::new()));
            rows.push(row);
        }
    }
    Rows { named_twice: several, ..Rows::of(&heads, rows) }
}
