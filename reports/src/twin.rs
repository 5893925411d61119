//! One scenario in three columns: theory, simulation and a live run of the same customers, each difference tested.

use std::fmt::Write as _;

use askama::Template;
use callfloor_measure::{Estimate, Interval, Metric, Results, Scope};
use serde::Serialize;

use crate::figure;
use crate::html::Rows;
use crate::summary::{Line, Tone};
use crate::table::{Page, Table};

/// The figures that are compared, in order.
const COMPARED: &[Metric] = &[
    Metric::Offered,
    Metric::Answered,
    Metric::ServiceLevel,
    Metric::AsaS,
    Metric::WaitP90S,
    Metric::Abandonment,
    Metric::AhtS,
    Metric::Occupancy,
    Metric::MissedRingRate,
];

/// What a live system takes that a simulated one does not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phase {
    /// Its name, as in the results of a load run.
    pub name: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// How often it was measured.
    pub count: u64,
    /// Its mean in milliseconds of real time.
    pub mean_ms: f64,
    /// What that is in the scenario's time, in seconds.
    pub scenario_s: f64,
    /// Which figures it makes larger.
    pub makes: &'static [Metric],
}

/// What theory says of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Theory {
    /// The figure.
    pub metric: Metric,
    /// Its value.
    pub value: f64,
}

/// The three columns, and what they rest on.
#[derive(Debug)]
pub struct Twin<'a> {
    /// Which model theory used, or why none applies.
    pub theory_basis: String,
    /// What it says.
    pub theory: Vec<Theory>,
    /// Many replications of the scenario as it is.
    pub simulated: &'a Results,
    /// The same with the delays that the live system was measured to have.
    pub delayed: &'a Results,
    /// The live runs: some of the same replications.
    pub live: &'a Results,
    /// Every duration of the live runs was divided by this.
    pub speed: f64,
    /// What the live system takes, by phase.
    pub phases: Vec<Phase>,
    /// What a reader must know.
    pub notes: Vec<String>,
    /// Why the live figures are not to be used, if so.
    pub void: Option<String>,
}

/// How a live figure compares with the simulated one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Every live customer had what the simulated one had: no difference at all.
    Equal,
    /// The difference is within its noise.
    WithinNoise,
    /// It is beyond noise, and within it once the live system's measured delays are in the simulation too.
    Delays,
    /// It is beyond noise, whatever delays are taken out.
    Differs,
    /// One live run has no noise to compare with.
    Untested,
}

impl Verdict {
    const fn words(self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::WithinNoise => "within noise",
            Self::Delays => "the measured delays",
            Self::Differs => "DIFFERS",
            Self::Untested => "one run: not tested",
        }
    }
}

/// A figure in its columns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The figure.
    pub metric: Metric,
    /// A queue or group; the whole floor where `None`.
    pub of: Option<String>,
    /// Of theory, for the whole floor.
    pub theory: Option<f64>,
    /// Of all simulated replications.
    pub simulated: Estimate,
    /// Of the live runs.
    pub live: Estimate,
    /// Live less simulated over the replications that both have, paired: the same customers.
    pub difference: Option<Estimate>,
    /// The same once the live system's measured delays are in the simulation too.
    pub without_delays: Option<Estimate>,
    /// What that says.
    pub verdict: Verdict,
    /// The phase that weighs the most in this figure, where there is a difference to explain.
    pub phase: Option<&'static str>,
}

/// The report as JSON.
#[derive(Serialize)]
struct Document<'a> {
    format: &'static str,
    scenario: &'a str,
    seed: u64,
    simulated_replications: usize,
    live_replications: usize,
    speed: f64,
    theory_basis: &'a str,
    void: Option<&'a str>,
    rows: Vec<Row>,
    phases: &'a [Phase],
    notes: &'a [String],
}

#[derive(Template)]
#[template(path = "twin.html")]
struct Html<'a> {
    title: String,
    answer: Line,
    basis: String,
    theory_basis: &'a str,
    notes: &'a [String],
    figures: Rows,
    phases: Rows,
    version: &'static str,
}

const HEADS: [&str; 9] = [
    "figure",
    "theory",
    "simulation",
    "live",
    "live − simulation",
    "95 % interval",
    "delays taken out",
    "verdict",
    "phase",
];

impl Twin<'_> {
    /// Every figure that both the simulation and the live runs have.
    #[must_use]
    pub fn rows(&self) -> Vec<Row> {
        let header = self.simulated.header();
        let mut scopes = vec![(None, Scope::All)];
        if header.queues.len() > 1 {
            scopes.extend((0..).zip(&header.queues).map(|(at, queue)| (Some(queue.name.clone()), Scope::Queue(at))));
        }
        if header.groups.len() > 1 {
            scopes.extend((0..).zip(&header.groups).map(|(at, group)| (Some(group.name.clone()), Scope::Group(at))));
        }
        let rows = scopes
            .into_iter()
            .flat_map(|(of, scope)| COMPARED.iter().filter_map(move |metric| self.row(*metric, of.clone(), scope)));
        rows.collect()
    }

    fn row(&self, metric: Metric, of: Option<String>, scope: Scope) -> Option<Row> {
        let (simulated, live) = (self.simulated.estimate(metric, scope)?, self.live.estimate(metric, scope)?);
        let difference = Results::difference((self.simulated, scope), (self.live, scope), metric);
        let without_delays = Results::difference((self.delayed, scope), (self.live, scope), metric);
        let verdict = verdict(difference, without_delays);
        let known = |it: &&Theory| it.metric == metric && of.is_none();
        let weighs = |a: &&Phase, b: &&Phase| a.scenario_s.total_cmp(&b.scenario_s);
        let phase = matches!(verdict, Verdict::Delays | Verdict::Differs)
            .then(|| self.phases.iter().filter(|phase| phase.makes.contains(&metric)).max_by(weighs))
            .flatten();
        Some(Row {
            metric,
            theory: self.theory.iter().find(known).map(|it| it.value),
            of,
            simulated,
            live,
            difference,
            without_delays,
            verdict,
            phase: phase.map(|phase| phase.name),
        })
    }

    /// Whether the live runs can be used, there are enough of them to test a figure, and none differs for which the measured delays
    /// do not account.
    #[must_use]
    pub fn agrees(&self) -> bool {
        let rows = self.rows();
        self.void.is_none() && rows.iter().any(Row::is_tested) && rows.iter().all(|row| row.verdict != Verdict::Differs)
    }

    fn answer(&self) -> String {
        let rows = self.rows();
        let differ: Vec<String> = rows.iter().filter(|row| row.verdict == Verdict::Differs).map(title).collect();
        let delayed = rows.iter().filter(|row| row.verdict == Verdict::Delays).count();
        let tested = rows.iter().filter(|row| row.is_tested()).count();
        match (&self.void, differ.is_empty()) {
            (Some(void), _) => format!("VOID: {void}"),
            (None, false) => format!(
                "The live system differs from the simulation in {} of {tested} figures: {}.",
                differ.len(),
                differ.join(", ")
            ),
            (None, true) if tested == 0 => {
                "Nothing is tested: a difference has an interval from two live replications on (--live).".into()
            }
            (None, true) if delayed > 0 => format!(
                "The live system does what the simulation says: of {tested} figures {delayed} differ, by the delays that were measured."
            ),
            (None, true) => {
                format!("The live system does what the simulation says: of {tested} figures none differs.")
            }
        }
    }

    fn basis(&self) -> String {
        let of = |results: &Results| figure::grouped(results.counts(Scope::All).offered);
        format!(
            "Simulation: {} replications, {} contacts. Live: {} of the same replications at speed {}, {} contacts. Seed {}. Differences are \
             of the same replications, paired: customers, patience and talk are the same in both; each is tested by its own 95 % interval, \
             so that of systems that do the same one figure in twenty is said to differ.",
            self.simulated.replications().len(),
            of(self.simulated),
            self.live.replications().len(),
            self.speed,
            of(self.live),
            self.live.header().seed
        )
    }

    fn cells(&self) -> Vec<Vec<String>> {
        let difference = |metric: Metric, found: Option<Estimate>| {
            let signed = |value: f64| {
                let text =
                    figure::value(metric, Some(Estimate { value: value.abs(), interval: None, replications: 1 }));
                format!("{}{text}", if value < 0.0 { "−" } else { "+" })
            };
            let range = |interval: Interval| format!("{} to {}", signed(interval.low), signed(interval.high));
            let interval = found.and_then(|found| found.interval).map(range).unwrap_or_default();
            (found.map(|found| signed(found.value)).unwrap_or_default(), interval)
        };
        let cells = |row: &Row| {
            let (found, interval) = difference(row.metric, row.difference);
            let (rest, _) = difference(row.metric, row.without_delays);
            let theory = row.theory.map(|value| Estimate { value, interval: None, replications: 0 });
            vec![
                title(row),
                theory.map_or_else(String::new, |theory| figure::value(row.metric, Some(theory))),
                figure::brief(row.metric, Some(row.simulated)),
                figure::brief(row.metric, Some(row.live)),
                found,
                interval,
                rest,
                row.verdict.words().to_owned(),
                row.phase.unwrap_or_default().to_owned(),
            ]
        };
        self.rows().iter().map(cells).collect()
    }

    fn phase_cells(&self) -> impl Iterator<Item = Vec<String>> {
        self.phases.iter().map(|phase| {
            let makes: Vec<&str> = phase.makes.iter().map(|metric| metric.name()).collect();
            vec![
                phase.name.to_owned(),
                figure::grouped(phase.count),
                format!("{:.2} ms", phase.mean_ms),
                format!("{:.2} s", phase.scenario_s),
                makes.join(", "),
                phase.meaning.to_owned(),
            ]
        })
    }

    /// The terminal page.
    #[must_use]
    pub fn to_text(&self, page: Page) -> String {
        let mut text = String::new();
        // A string takes what is written.
        let _ = writeln!(
            text,
            "{}: {}\n{}\n{}",
            self.live.header().scenario,
            self.answer(),
            self.basis(),
            self.theory_basis
        );
        let ranks = [0, 1, 0, 0, 0, 3, 1, 0, 2];
        let heads: Vec<(&str, u8)> = HEADS.into_iter().zip(ranks).collect();
        let mut table = Table::new(&heads);
        self.cells().into_iter().for_each(|cells| table.row(cells));
        table.render(&mut text, page);
        let mut table = Table::new(&[
            ("phase of the live system", 0),
            ("n", 0),
            ("mean", 0),
            ("scenario's time", 0),
            ("makes larger", 1),
        ]);
        self.phase_cells().for_each(|cells| table.row(cells.into_iter().take(5)));
        table.render(&mut text, page);
        for note in &self.notes {
            let _ = writeln!(text, "Note: {note}");
        }
        text
    }

    /// Everything as JSON, format `callfloor-twin/1`.
    ///
    /// # Panics
    /// Never: numbers and texts have a form in JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let document = Document {
            format: "callfloor-twin/1",
            scenario: &self.live.header().scenario,
            seed: self.live.header().seed,
            simulated_replications: self.simulated.replications().len(),
            live_replications: self.live.replications().len(),
            speed: self.speed,
            theory_basis: &self.theory_basis,
            void: self.void.as_deref(),
            rows: self.rows(),
            phases: &self.phases,
            notes: &self.notes,
        };
        serde_json::to_string_pretty(&document).expect("numbers and texts have a form in JSON")
    }

    /// One row for each figure; a share is in [0, 1], a time in seconds.
    #[must_use]
    pub fn to_csv(&self) -> String {
        let mut text = String::from(
            "of,figure,theory,simulated,simulated_low,simulated_high,live,live_low,live_high,difference,difference_low,\
             difference_high,without_delays,without_delays_low,without_delays_high,verdict,phase\n",
        );
        for row in self.rows() {
            let number = |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
            let three = |found: Option<Estimate>| {
                let interval = found.and_then(|found| found.interval);
                let ends = [found.map(|found| found.value), interval.map(|it| it.low), interval.map(|it| it.high)];
                ends.map(number).join(",")
            };
            let of = row.of.as_deref().unwrap_or("all").replace('"', "\"\"");
            let _ = writeln!(
                text,
                "\"{of}\",{},{},{},{},{},{},{},{}",
                row.metric.name(),
                number(row.theory),
                three(Some(row.simulated)),
                three(Some(row.live)),
                three(row.difference),
                three(row.without_delays),
                row.verdict.words(),
                row.phase.unwrap_or_default()
            );
        }
        text
    }

    /// One HTML file without anything from elsewhere.
    ///
    /// # Panics
    /// Never: a string takes every page.
    #[must_use]
    pub fn to_html(&self) -> String {
        let page = Html {
            title: format!("{}: theory, simulation, live", self.live.header().scenario),
            answer: Line { text: self.answer(), tone: if self.agrees() { Tone::Good } else { Tone::Bad } },
            basis: self.basis(),
            theory_basis: &self.theory_basis,
            notes: &self.notes,
            figures: Rows::of(&HEADS, self.cells()),
            phases: Rows::of(
                &["phase", "n", "mean", "scenario's time", "makes larger", "what it is"],
                self.phase_cells(),
            ),
            version: env!("CARGO_PKG_VERSION"),
        };
        page.render().expect("a string takes every page")
    }
}

impl Row {
    /// Whether its difference has an interval.
    const fn is_tested(&self) -> bool {
        matches!(self.difference, Some(Estimate { interval: Some(_), .. }))
    }
}

fn title(row: &Row) -> String {
    let of = row.of.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
    format!("{}{of}", row.metric.title())
}

fn verdict(difference: Option<Estimate>, without_delays: Option<Estimate>) -> Verdict {
    let Some(found) = difference else { return Verdict::Untested };
    let spans_zero = |found: Estimate| found.interval.map(|interval| interval.low <= 0.0 && interval.high >= 0.0);
    match (spans_zero(found), without_delays.and_then(spans_zero)) {
        (Some(true), _) if found.value == 0.0 => Verdict::Equal,
        (Some(true), _) => Verdict::WithinNoise,
        (Some(false), Some(true)) => Verdict::Delays,
        (Some(false), _) => Verdict::Differs,
        (None, _) if found.value == 0.0 => Verdict::Equal,
        (None, _) => Verdict::Untested,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(value: f64, half: Option<f64>) -> Option<Estimate> {
        let interval = half.map(|half| Interval { low: value - half, high: value + half });
        Some(Estimate { value, interval, replications: 3 })
    }

    #[test]
    fn a_difference_is_tested_before_and_after_the_delays() {
        assert_eq!(verdict(estimate(0.0, Some(0.0)), None), Verdict::Equal);
        assert_eq!(verdict(estimate(1.0, Some(2.0)), estimate(9.0, Some(1.0))), Verdict::WithinNoise);
        assert_eq!(verdict(estimate(3.0, Some(2.0)), estimate(0.1, Some(0.5))), Verdict::Delays);
        assert_eq!(verdict(estimate(3.0, Some(2.0)), estimate(2.0, Some(0.5))), Verdict::Differs);
        assert_eq!(verdict(estimate(3.0, None), estimate(2.0, None)), Verdict::Untested);
        assert_eq!(verdict(None, None), Verdict::Untested);
    }
}
