//! A day that happened and what another plan would have made of it, as one HTML file: the answer first, figures, then the day
//! by intervals.

use askama::Template;
use callfloor_measure::{Estimate, Metric};

use crate::figure::{self, decimal, grouped};
use crate::html::Rows;
use crate::plot::{self, Plot};

/// Share abandoned, mean wait in seconds, share answered in time.
const FIGURES: [(Metric, &str); 3] = [
    (Metric::Abandonment, "abandoned, %"),
    (Metric::AsaS, "mean wait, s"),
    (Metric::ServiceLevel, "answered in time, %"),
];

/// A day and its answer, in words and numbers. Every array of three is of the share that abandoned, the mean wait in seconds,
/// and the share that was answered in time.
#[derive(Clone, Debug)]
pub struct RecordedDay {
    /// Of which day, and whose.
    pub title: String,
    /// The answer.
    pub answer: String,
    /// What was changed.
    pub changes: Vec<String>,
    /// How it was found, and how far it can be trusted.
    pub basis: Vec<String>,
    /// All callers first, then those of each queue.
    pub parts: Vec<DayPart>,
    /// The day by intervals.
    pub stretches: Vec<DayStretch>,
}

/// All callers, or those of a queue.
#[derive(Clone, Debug)]
pub struct DayPart {
    /// Whose.
    pub name: String,
    /// Callers.
    pub callers: usize,
    /// What happened.
    pub actual: [f64; 3],
    /// The plan as it was, simulated.
    pub plan: [Estimate; 3],
    /// The changed plan, and its difference to the plan as it was.
    pub changed: Option<[[Estimate; 3]; 2]>,
}

/// An interval of the day.
#[derive(Clone, Debug)]
pub struct DayStretch {
    /// Its start, as `09:30`.
    pub start: String,
    /// Callers.
    pub callers: usize,
    /// What happened.
    pub actual: [f64; 3],
    /// The plan as it was, simulated.
    pub plan: [f64; 3],
    /// The changed plan.
    pub changed: Option<[f64; 3]>,
    /// Operators there on average, by the plan as it was.
    pub operators: f64,
    /// By the changed plan.
    pub operators_changed: Option<f64>,
}

#[derive(Template)]
#[template(path = "day.html")]
struct Page<'a> {
    title: &'a str,
    answer: &'a str,
    changes: &'a [String],
    basis: &'a [String],
    figures: Rows,
    plots: Vec<Section>,
    intervals: Rows,
    version: &'static str,
}

/// A plot with what is said about it.
struct Section {
    title: &'static str,
    about: &'static str,
    plot: Plot,
}

impl RecordedDay {
    /// As one HTML file without scripts or anything from elsewhere.
    ///
    /// # Panics
    /// Never: a string takes every page.
    #[must_use]
    pub fn to_html(&self) -> String {
        let page = Page {
            title: &self.title,
            answer: &self.answer,
            changes: &self.changes,
            basis: &self.basis,
            figures: self.figures(),
            plots: self.sections(),
            intervals: self.intervals(),
            version: env!("CARGO_PKG_VERSION"),
        };
        page.render().expect("a string takes every page")
    }

    fn figures(&self) -> Rows {
        let heads = ["callers of", "number", "figure", "happened", "as it was, simulated", "changed", "difference"];
        let mut rows = Vec::new();
        for part in &self.parts {
            for (at, (metric, title)) in FIGURES.into_iter().enumerate() {
                let first = |text: String| if at == 0 { text } else { String::new() };
                let (changed, difference) = match &part.changed {
                    Some([changed, difference]) => {
                        (figure::cell(metric, Some(changed[at])), figure::cell(metric, Some(difference[at])))
                    }
                    None => Default::default(),
                };
                rows.push(vec![
                    first(part.name.clone()),
                    first(grouped(part.callers as u64)),
                    title.to_owned(),
                    bare(at, part.actual[at]),
                    figure::cell(metric, Some(part.plan[at])),
                    changed,
                    difference,
                ]);
            }
        }
        Rows::of(&heads, rows)
    }

    fn sections(&self) -> Vec<Section> {
        if self.stretches.is_empty() {
            return Vec::new();
        }
        let starts: Vec<&str> = self.stretches.iter().map(|stretch| &*stretch.start).collect();
        let changes = self.stretches.iter().all(|stretch| stretch.changed.is_some());
        let of = |at: usize| {
            let mut lines = vec![
                self.stretches.iter().map(|stretch| stretch.actual[at]).collect::<Vec<f64>>(),
                self.stretches.iter().map(|stretch| stretch.plan[at]).collect(),
            ];
            if changes {
                lines.push(self.stretches.iter().filter_map(|stretch| Some(stretch.changed?[at])).collect());
            }
            lines
        };
        let mut there = vec![self.stretches.iter().map(|stretch| stretch.operators).collect::<Vec<f64>>()];
        if changes {
            there.push(self.stretches.iter().filter_map(|stretch| stretch.operators_changed).collect());
        }
        let callers = vec![self.stretches.iter().map(|stretch| stretch.callers as f64).collect()];
        let about = "What happened, the plan as it was, and the changed plan, over all replications together.";
        let about =
            if changes { about } else { "What happened, and the plan as it was, over all replications together." };
        vec![
            Section {
                title: "Answered in time",
                about,
                plot: plot::day(&starts, "Share answered in time by interval", &of(2), plot::Scale::Share, plot::DAY),
            },
            Section {
                title: "Mean wait, seconds",
                about,
                plot: plot::day(&starts, "Mean wait by interval", &of(1), plot::Scale::Number, plot::DAY),
            },
            Section {
                title: "Callers",
                about: "Who came to a queue in each interval.",
                plot: plot::day(&starts, "Callers by interval", &callers, plot::Scale::Number, plot::CALLERS),
            },
            Section {
                title: "Operators",
                about: "Operators who were there for calls, on average over each interval.",
                plot: plot::day(&starts, "Operators by interval", &there, plot::Scale::Number, plot::THERE),
            },
        ]
    }

    fn intervals(&self) -> Rows {
        let plans = ["happened", "simulated", "changed"];
        let mut heads = vec!["interval".to_owned(), "callers".to_owned()];
        heads.extend(FIGURES.iter().flat_map(|(_, title)| plans.map(|plan| format!("{title}: {plan}"))));
        heads.extend(["operators", "operators, changed"].map(str::to_owned));
        let rows = self.stretches.iter().map(|stretch| {
            let mut row = vec![stretch.start.clone(), grouped(stretch.callers as u64)];
            for at in 0..FIGURES.len() {
                row.push(bare(at, stretch.actual[at]));
                row.push(bare(at, stretch.plan[at]));
                row.push(stretch.changed.map_or_else(String::new, |changed| bare(at, changed[at])));
            }
            row.push(decimal(stretch.operators, 1));
            row.push(stretch.operators_changed.map_or_else(String::new, |there| decimal(there, 1)));
            row
        });
        Rows::of(&heads, rows)
    }
}

/// A figure's value as its column shows it.
fn bare(at: usize, value: f64) -> String {
    decimal(if FIGURES[at].0 == Metric::AsaS { value } else { value * 100.0 }, 1)
}
