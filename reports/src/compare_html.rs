//! A comparison as one HTML file, in the form of the report: answer first, differences, plots and intervals of both plans.

use askama::Template;
use callfloor_measure::{Metric, Results, Scope};

use crate::compare::Comparison;
use crate::figure;
use crate::html::{MOST_INTERVALS, Rows, head};
use crate::plot::{self, Plot};
use crate::summary::{Line, counting};
use crate::table::busy_intervals;

#[derive(Template)]
#[template(path = "compare.html")]
struct Page {
    title: String,
    answer: Line,
    sentences: Vec<Line>,
    warnings: Vec<String>,
    basis: String,
    notes: Vec<String>,
    figures: Rows,
    plots: Vec<Section>,
    intervals: Rows,
    counting: &'static str,
    version: &'static str,
}

/// A plot of both plans.
struct Section {
    title: &'static str,
    about: &'static str,
    plot: Plot,
}

impl Comparison {
    /// The comparison of `a` and `b`, from which it was made, as one HTML file without anything from elsewhere.
    ///
    /// # Panics
    /// Never: a string takes every page.
    #[must_use]
    pub fn to_html(&self, a: &Results, b: &Results) -> String {
        let (plan_a, plan_b) = self.names();
        let mut lines = self.headlines().into_iter();
        let answer = lines.next().expect("a comparison has a figure");
        let mut warnings = Vec::new();
        // Plans with other intervals have no rows in common.
        let alike = a.header().grid == b.header().grid && a.header().counted_by == b.header().counted_by;
        let mut shown = Vec::new();
        if alike {
            shown = busy_intervals(a);
            shown.extend(busy_intervals(b));
            shown.sort_unstable();
            shown.dedup();
        } else {
            warnings
                .push("The plans are counted in other intervals, so these are not shown beside each other.".to_owned());
        }
        if shown.len() > MOST_INTERVALS {
            let all = figure::grouped(shown.len() as u64);
            warnings
                .push(format!("Plots and the table of intervals show the first {MOST_INTERVALS} of {all} intervals."));
            shown.truncate(MOST_INTERVALS);
        }
        let mut notes = a.header().notes.clone();
        notes.extend(b.header().notes.iter().filter(|note| !a.header().notes.contains(note)).cloned());
        let page = Page {
            title: format!("{plan_b} compared with {plan_a}"),
            answer,
            sentences: lines.collect(),
            warnings,
            basis: self.basis(),
            notes,
            figures: Rows::of(&["figure", "A", "B", "B − A", "95 % interval"], self.rows()),
            plots: if shown.is_empty() { Vec::new() } else { sections(a, b, &shown) },
            intervals: intervals(a, b, &shown),
            counting: counting(a),
            version: env!("CARGO_PKG_VERSION"),
        };
        page.render().expect("a string takes every page")
    }
}

fn sections(a: &Results, b: &Results, shown: &[usize]) -> Vec<Section> {
    let mut sections = Vec::new();
    let offered = |results: &Results| results.counts(Scope::All).offered > 0;
    if offered(a) && offered(b) {
        sections.push(Section {
            title: "Service level by interval",
            about: "Of both plans, each with its own 95 % interval over the replications.",
            plot: plot::compared(a, b, shown, Metric::ServiceLevel),
        });
        sections.push(Section {
            title: "Abandonment by interval",
            about: "Of both plans, each with its own 95 % interval over the replications.",
            plot: plot::compared(a, b, shown, Metric::Abandonment),
        });
    }
    sections
}

/// Both plans side by side.
fn intervals(a: &Results, b: &Results, shown: &[usize]) -> Rows {
    let metrics = [Metric::ServiceLevel, Metric::Abandonment, Metric::AsaS, Metric::OperatorsPaid, Metric::Occupancy];
    let mut heads = vec!["interval".to_owned(), "offered".to_owned()];
    heads.extend(metrics.iter().flat_map(|metric| ["A", "B"].map(|plan| format!("{plan}: {}", head(*metric)))));
    let row = |at: &usize| {
        let cell = |results: &Results, metric| figure::cell(metric, results.estimate_in(metric, Scope::All, *at));
        let pairs = metrics.iter().flat_map(|metric| [cell(a, *metric), cell(b, *metric)]);
        [a.header().label(*at), cell(a, Metric::Offered)].into_iter().chain(pairs).collect()
    };
    Rows::of(&heads, shown.iter().map(row))
}
