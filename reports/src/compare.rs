//! Two plans under the same customers: for each headline figure a plain sentence with its paired interval.

use std::fmt;

use serde::Serialize;

use callfloor_measure::{Direction, Estimate, Interval, Metric, Results, Scope, Unit};

use crate::figure::{self, Style};
use crate::summary::{Line, Tone, limits};
use crate::table::{Page, Table};

/// The figures that are compared, in order.
const COMPARED: &[Metric] = &[
    Metric::ServiceLevel,
    Metric::PMet,
    Metric::Abandonment,
    Metric::AsaS,
    Metric::WaitP90S,
    Metric::WaitP99S,
    Metric::Offered,
    Metric::Answered,
    Metric::AhtS,
    Metric::OperatorsPaid,
    Metric::Occupancy,
    Metric::Utilisation,
    Metric::Shrinkage,
];

/// One figure of both plans.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// The figure.
    pub metric: Metric,
    /// A queue or group that both have by this name; the whole floor where `None`.
    pub of: Option<String>,
    /// Of A.
    pub a: Estimate,
    /// Of B.
    pub b: Estimate,
    /// B less A, with the paired interval.
    pub difference: Estimate,
}

/// Two plans compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    a: String,
    b: String,
    limits: Option<String>,
    replications: u64,
    seed: u64,
    differences: Vec<Difference>,
}

/// Why two results cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompareError {
    /// They do not share their random numbers.
    Seeds(u64, u64),
    /// They have no replication in common.
    NothingInCommon,
}

impl fmt::Display for CompareError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seeds(a, b) => write!(
                f,
                "A was run with seed {a} and B with seed {b}: a paired comparison needs the same customers in both, so run both with the same --seed"
            ),
            Self::NothingInCommon => write!(f, "A and B have no replication in common, so no pair can be compared"),
        }
    }
}

impl std::error::Error for CompareError {}

/// Compares B with A by common random numbers.
///
/// # Errors
/// [`CompareError`] where the two do not have the same seed or share no replication.
pub fn compare(a: &Results, b: &Results) -> Result<Comparison, CompareError> {
    let (head_a, head_b) = (a.header(), b.header());
    if head_a.seed != head_b.seed {
        return Err(CompareError::Seeds(head_a.seed, head_b.seed));
    }
    let mut scopes = vec![(None, Scope::All, Scope::All)];
    let named =
        |name: &str, of_operators| Some((a.scope_named(name, of_operators)?, b.scope_named(name, of_operators)?));
    if head_a.queues.len() > 1 || head_b.queues.len() > 1 {
        let names = head_a.queues.iter().map(|queue| &queue.name);
        scopes.extend(names.filter_map(|name| named(name, false).map(|(in_a, in_b)| (Some(name.clone()), in_a, in_b))));
    }
    if head_a.groups.len() > 1 || head_b.groups.len() > 1 {
        let names = head_a.groups.iter().map(|group| &group.name);
        scopes.extend(names.filter_map(|name| named(name, true).map(|(in_a, in_b)| (Some(name.clone()), in_a, in_b))));
    }
    let mut differences = Vec::new();
    for (of, in_a, in_b) in scopes {
        for &metric in COMPARED {
            let (Some(value_a), Some(value_b)) = (a.estimate(metric, in_a), b.estimate(metric, in_b)) else { continue };
            let Some(difference) = Results::difference((a, in_a), (b, in_b), metric) else { continue };
            differences.push(Difference { metric, of: of.clone(), a: value_a, b: value_b, difference });
        }
    }
    let replications = differences.iter().map(|difference| difference.difference.replications).max();
    let replications = replications.ok_or(CompareError::NothingInCommon)?;
    let limit = limits(a);
    let limits = (limit == limits(b) && limit.ends_with(" s")).then_some(limit);
    let (mut name_a, mut name_b) = (head_a.scenario.clone(), head_b.scenario.clone());
    if name_a == name_b {
        (name_a, name_b) = ("A".to_owned(), "B".to_owned());
    } else {
        (name_a, name_b) = (format!("\"{name_a}\""), format!("\"{name_b}\""));
    }
    Ok(Comparison { a: name_a, b: name_b, limits, replications, seed: head_a.seed, differences })
}

impl Comparison {
    /// Every figure that both plans have.
    #[must_use]
    pub fn differences(&self) -> &[Difference] {
        &self.differences
    }

    /// Calls the plans by other names than their scenarios'.
    #[must_use]
    pub fn named(mut self, a: impl Into<String>, b: impl Into<String>) -> Self {
        (self.a, self.b) = (format!("\"{}\"", a.into()), format!("\"{}\"", b.into()));
        self
    }

    /// The difference in a plain sentence: `"late shift" answers 4.1 points more calls within 20 s than "today" (95 % interval 3.2 to 5.0).`
    #[must_use]
    pub fn sentence(&self, difference: &Difference) -> String {
        let Difference { metric, of, difference: found, .. } = difference;
        let (a, b) = (&self.a, &self.b);
        let of = of.as_ref().map(|name| format!(" in \"{name}\"")).unwrap_or_default();
        let style = style(*metric, found);
        let size = |value: f64| style.bare(value.abs());
        let certain = found.interval.filter(|interval| interval.low > 0.0 || interval.high < 0.0);
        if found.value == 0.0 && found.interval.is_none_or(|interval| interval.half_width() == 0.0) {
            return format!(
                "{a} and {b} have the same {}{of}: {}.",
                metric.title(),
                figure::value(*metric, Some(difference.a))
            );
        }
        let Some(interval) = found.interval else {
            return format!("{} (one replication: no interval).", self.plain(difference, &size(found.value)));
        };
        if certain.is_none() {
            return format!(
                "{}{of}: no difference can be told between {a} and {b} (95 % interval {} to {} {}).",
                capitalised(metric.title()),
                style.bare(interval.low),
                style.bare(interval.high),
                unit(*metric)
            );
        }
        let sizes = sorted(interval);
        let range = format!("(95 % interval {} to {})", size(sizes.0), size(sizes.1));
        let more_or_fewer = if found.value > 0.0 { "more" } else { "fewer" };
        let amount = size(found.value);
        match metric {
            Metric::ServiceLevel => {
                let within = self.limits.as_ref().map_or("in time".to_owned(), |limit| format!("within {limit}"));
                format!("{b} answers {amount} points {more_or_fewer} calls {within} than {a}{of} {range}.")
            }
            Metric::Abandonment => format!("{b} loses {amount} points {more_or_fewer} calls than {a}{of} {range}."),
            Metric::PMet => {
                format!("{b} meets the target on {amount} points {more_or_fewer} days than {a}{of} {range}.")
            }
            Metric::AsaS => {
                let way = if found.value > 0.0 { "longer" } else { "shorter" };
                format!("{b} lets an answered call wait {amount} s {way} than {a}{of}, on average {range}.")
            }
            Metric::OperatorsPaid => {
                format!("{b} pays {amount} operators {more_or_fewer} than {a}{of}, on average {range}.")
            }
            _ => format!("{} {range}.", self.plain(difference, &amount)),
        }
    }

    /// `Occupancy is 3.2 points lower in B than in A`.
    fn plain(&self, difference: &Difference, amount: &str) -> String {
        let Difference { metric, of, difference: found, .. } = difference;
        let of = of.as_ref().map(|name| format!(" of \"{name}\"")).unwrap_or_default();
        let unit = match unit(*metric) {
            "" => String::new(),
            unit => format!(" {unit}"),
        };
        let way = if found.value > 0.0 { "higher" } else { "lower" };
        format!("{}{of} is {amount}{unit} {way} in {} than in {}", capitalised(metric.title()), self.b, self.a)
    }

    /// The plans' names, A first.
    pub(crate) fn names(&self) -> (&str, &str) {
        (&self.a, &self.b)
    }

    /// The sentences that matter most, the answer first.
    pub(crate) fn headlines(&self) -> Vec<Line> {
        let headlines =
            [Metric::ServiceLevel, Metric::Abandonment, Metric::AsaS, Metric::Occupancy, Metric::OperatorsPaid];
        let floor = |metric| self.differences.iter().find(|found| found.metric == metric && found.of.is_none());
        let mut lines: Vec<Line> = headlines
            .into_iter()
            .filter_map(floor)
            .map(|found| Line { text: self.sentence(found), tone: tone(found) })
            .collect();
        if lines.is_empty() {
            lines.extend(self.differences.first().map(|found| Line { text: self.sentence(found), tone: tone(found) }));
        }
        lines
    }

    /// What the comparison rests on.
    pub(crate) fn basis(&self) -> String {
        format!(
            "Paired over {} replications with common random numbers, seed {}: a customer whom both plans have is the same in both. A is {}, B is {}.",
            figure::grouped(self.replications),
            self.seed,
            self.a,
            self.b
        )
    }

    /// Each figure: name, A, B, difference, its interval.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Vec<String>> {
        self.differences.iter().map(|found| {
            let style = style(found.metric, &found.difference);
            let of = found.of.as_ref().map(|name| format!(", {name}")).unwrap_or_default();
            let range =
                |interval: Interval| format!("{} to {}", signed(style, interval.low), signed(style, interval.high));
            vec![
                format!("{}{of}", found.metric.title()),
                figure::value(found.metric, Some(found.a)),
                figure::value(found.metric, Some(found.b)),
                format!("{} {}", signed(style, found.difference.value), unit(found.metric)).trim_end().to_owned(),
                found.difference.interval.map(range).unwrap_or_default(),
            ]
        })
    }

    /// The terminal page: the headline sentences, then the table of all figures.
    #[must_use]
    pub fn to_text(&self, page: Page) -> String {
        let mut text = String::new();
        for line in self.headlines() {
            page.paragraph(&mut text, "", &line);
        }
        page.paragraph(&mut text, "", &Line { text: self.basis(), tone: Tone::Plain });
        let mut table = Table::new(&[("figure", 0), ("A", 0), ("B", 0), ("B − A", 0), ("95 % interval", 1)]);
        self.rows().for_each(|row| table.row(row));
        table.render(&mut text, page);
        text
    }
}

impl Comparison {
    /// The comparison as one JSON document: names, basis, and each figure with both estimates, their difference and the sentence.
    ///
    /// # Panics
    /// Never: every key is a string.
    #[must_use]
    pub fn to_json(&self) -> String {
        #[derive(Serialize)]
        struct Row<'a> {
            #[serde(flatten)]
            difference: &'a Difference,
            sentence: String,
        }
        let rows: Vec<Row<'_>> =
            self.differences.iter().map(|difference| Row { difference, sentence: self.sentence(difference) }).collect();
        let document = serde_json::json!({
            "format": "callfloor-comparison/1",
            "a": self.a.trim_matches('"'),
            "b": self.b.trim_matches('"'),
            "seed": self.seed,
            "replications": self.replications,
            "differences": rows,
        });
        let mut text = serde_json::to_string(&document).expect("documents have string keys only");
        text.push('\n');
        text
    }
}

fn style(metric: Metric, difference: &Estimate) -> Style {
    Style::of(metric.unit(), difference)
}

fn signed(style: Style, value: f64) -> String {
    let text = style.bare(value);
    if value > 0.0 { format!("+{text}") } else { text }
}

/// Both ends by size, the smaller first.
fn sorted(interval: Interval) -> (f64, f64) {
    let (low, high) = (interval.low.abs(), interval.high.abs());
    (low.min(high), low.max(high))
}

const fn unit(metric: Metric) -> &'static str {
    match metric.unit() {
        Unit::Share => "points",
        Unit::Seconds => "s",
        Unit::Count => "",
        Unit::Erlangs => "erlangs",
    }
}

fn capitalised(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

fn tone(found: &Difference) -> Tone {
    let certain = found.difference.interval.is_some_and(|interval| interval.low > 0.0 || interval.high < 0.0);
    match (certain, found.metric.direction()) {
        (true, Direction::Higher) if found.difference.value > 0.0 => Tone::Good,
        (true, Direction::Lower) if found.difference.value < 0.0 => Tone::Good,
        (true, Direction::Higher | Direction::Lower) => Tone::Bad,
        _ => Tone::Plain,
    }
}
