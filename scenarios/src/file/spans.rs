//! Distributions.

use super::csv::{Columns, Csv, list, not_negative};
use super::document::View;
use super::names::Names;
use crate::distribution::{Branch, Distribution, HazardPiece, Part, QuantilePoint};

/// The sets of keys that each kind takes, beside `kind` and `shift_s`.
const KIND_KEYS: &[(&str, &[&[&str]])] = &[
    ("never", &[&[]]),
    ("constant", &[&["value_s"]]),
    ("uniform", &[&["low_s", "high_s"]]),
    ("exponential", &[&["mean_s"]]),
    ("lognormal", &[&["mean_s", "cv"], &["median_s", "sigma"]]),
    ("gamma", &[&["mean_s", "cv"], &["mean_s", "shape"], &["shape", "scale_s"]]),
    ("erlang", &[&["phases", "mean_s"]]),
    ("weibull", &[&["mean_s", "shape"], &["shape", "scale_s"]]),
    ("hyperexponential", &[&["branches"]]),
    ("empirical", &[&["values_s"], &["csv"]]),
    ("quantiles", &[&["points"], &["csv"]]),
    ("mixture", &[&["parts"]]),
    ("hazard", &[&["pieces"]]),
];

/// What each kind takes, in words, for the documentation.
pub(crate) fn kinds_in_words() -> impl Iterator<Item = (&'static str, String)> {
    KIND_KEYS.iter().map(|(kind, sets)| (*kind, in_words(sets)))
}

fn in_words(sets: &[&[&str]]) -> String {
    let sets: Vec<String> = sets.iter().map(|set| if set.is_empty() { "nothing".into() } else { list(set) }).collect();
    sets.join(", or ")
}

impl Names<'_, '_> {
    /// A span that ends at some time: its mean is finite.
    pub(crate) fn span(&self, view: &View<'_>, key: &str) -> Option<Distribution> {
        let distribution = self.patience(view, key)?;
        if distribution.mean_s().is_finite() {
            return Some(distribution);
        }
        let message = format!("`{key}` must end at some time, but its mean is infinite");
        self.notes.add(view.place(key), message, None);
        None
    }

    /// A span that may be infinite.
    pub(crate) fn patience(&self, view: &View<'_>, key: &str) -> Option<Distribution> {
        self.distribution(&view.table(key)?)
    }

    /// A span, or a constant where the file gives none.
    pub(crate) fn span_or(&self, view: &View<'_>, key: &str, seconds: f64) -> Distribution {
        self.span(view, key).unwrap_or(Distribution::Constant { value_s: seconds })
    }

    fn distribution(&self, view: &View<'_>) -> Option<Distribution> {
        let kind = view.text("kind")?;
        self.check_keys(view, kind)?;
        let distribution = self.of_kind(view, kind)?;
        match view.number("shift_s") {
            Some(by_s) => Some(Distribution::Shifted { by_s, of: Box::new(distribution) }),
            None => Some(distribution),
        }
    }

    /// Checks that the keys given are those of one way to write this kind.
    fn check_keys(&self, view: &View<'_>, kind: &str) -> Option<()> {
        let (_, sets) = KIND_KEYS.iter().find(|(name, _)| *name == kind)?;
        let all: Vec<&str> = view.shape.keys.iter().map(|key| key.name).collect();
        let mut given = view.given(&all);
        given.retain(|key| *key != "kind" && (*key != "shift_s" || kind == "never"));
        if sets.iter().any(|set| set.len() == given.len() && set.iter().all(|key| given.contains(key))) {
            return Some(());
        }
        let article = if kind.starts_with(['e', 'u']) { "an" } else { "a" };
        let help = format!("{article} {kind} distribution takes {}", in_words(sets));
        match given.iter().find(|key| !sets.iter().any(|set| set.contains(*key))) {
            Some(strange) => {
                let message = format!("`{strange}` has no meaning for {article} {kind} distribution");
                let help = if view.has("kind") { help } else { format!("{help}; for another give `kind`") };
                self.notes.add(view.key_place(strange), message, Some(help));
            }
            None => {
                let found = if given.is_empty() { "nothing".into() } else { list(&given) };
                let message = format!("{article} {kind} distribution cannot be made of {found}");
                self.notes.add(view.span.clone(), message, Some(help));
            }
        }
        None
    }

    fn of_kind(&self, view: &View<'_>, kind: &str) -> Option<Distribution> {
        let number = |key: &str| view.number(key);
        Some(match kind {
            "never" => Distribution::Never,
            "constant" => Distribution::Constant { value_s: number("value_s")? },
            "uniform" => {
                let (low_s, high_s) = (number("low_s")?, number("high_s")?);
                if low_s >= high_s {
                    let message = format!("`high_s` must be greater than `low_s`, found {low_s} to {high_s}");
                    self.notes.add(view.place("high_s"), message, None);
                    return None;
                }
                Distribution::Uniform { low_s, high_s }
            }
            "lognormal" => match number("median_s") {
                Some(median_s) => Distribution::Lognormal { mu: libm::log(median_s), sigma: number("sigma")? },
                None => {
                    let (mean_s, cv) = (number("mean_s")?, number("cv")?);
                    let variance = libm::log1p(cv * cv);
                    Distribution::Lognormal { mu: libm::log(mean_s) - variance / 2.0, sigma: libm::sqrt(variance) }
                }
            },
            "gamma" => match (number("cv"), number("scale_s")) {
                (Some(cv), _) => {
                    let shape = 1.0 / (cv * cv);
                    Distribution::Gamma { shape, scale_s: number("mean_s")? / shape }
                }
                (None, Some(scale_s)) => Distribution::Gamma { shape: number("shape")?, scale_s },
                (None, None) => {
                    let shape = number("shape")?;
                    Distribution::Gamma { shape, scale_s: number("mean_s")? / shape }
                }
            },
            "erlang" => {
                let phases = f64::from(view.whole::<u16>("phases")?);
                Distribution::Gamma { shape: phases, scale_s: number("mean_s")? / phases }
            }
            "weibull" => {
                let shape = number("shape")?;
                let scale_s = match number("scale_s") {
                    Some(scale_s) => scale_s,
                    None => number("mean_s")? / libm::tgamma(1.0 + 1.0 / shape),
                };
                Distribution::Weibull { shape, scale_s }
            }
            "hyperexponential" => Distribution::Hyperexponential { branches: self.branches(view)? },
            "empirical" => Distribution::Empirical { values_s: self.values(view)? },
            "quantiles" => Distribution::Quantiles { points: self.points(view)? },
            "mixture" => Distribution::Mixture { parts: self.parts(view)? },
            "hazard" => Distribution::Hazard { pieces: self.pieces(view)? },
            _ => Distribution::Exponential { mean_s: number("mean_s")? },
        })
    }

    fn not_empty<T>(&self, view: &View<'_>, key: &str, list: Vec<T>) -> Option<Vec<T>> {
        if list.is_empty() {
            if view.items(key).is_empty() && view.has(key) {
                self.notes.add(view.place(key), format!("`{key}` must not be empty"), None);
            }
            return None;
        }
        Some(list)
    }

    fn branches(&self, view: &View<'_>) -> Option<Vec<Branch>> {
        let branches = view
            .tables("branches")
            .into_iter()
            .filter_map(|branch| Some(Branch { weight: branch.number("weight")?, mean_s: branch.number("mean_s")? }));
        let mut branches = self.not_empty(view, "branches", branches.collect())?;
        let total: f64 = branches.iter().map(|branch| branch.weight).sum();
        branches.iter_mut().for_each(|branch| branch.weight /= total);
        Some(branches)
    }

    fn parts(&self, view: &View<'_>) -> Option<Vec<Part>> {
        let mut wrong = false;
        let mut parts = Vec::new();
        for part in view.tables("parts") {
            match (part.number("weight"), self.patience(&part, "of")) {
                (Some(weight), Some(distribution)) => parts.push(Part { weight, distribution }),
                _ => wrong = true,
            }
        }
        if wrong {
            return None;
        }
        let mut parts = self.not_empty(view, "parts", parts)?;
        let total: f64 = parts.iter().map(|part| part.weight).sum();
        parts.iter_mut().for_each(|part| part.weight /= total);
        Some(parts)
    }

    fn pieces(&self, view: &View<'_>) -> Option<Vec<HazardPiece>> {
        let mut pieces: Vec<HazardPiece> = Vec::new();
        for piece in view.tables("pieces") {
            let (from_s, per_s) = (piece.number("from_s")?, piece.number("per_s")?);
            let at = piece.place("from_s");
            match pieces.last() {
                None if from_s != 0.0 => {
                    self.notes.add(at, format!("the first piece must begin at 0, found {from_s}"), None);
                    return None;
                }
                Some(last) if from_s <= last.from_s => {
                    let message = format!("pieces must be in ascending order: {from_s} comes after {}", last.from_s);
                    self.notes.add(at, message, None);
                    return None;
                }
                _ => pieces.push(HazardPiece { from_s, per_s }),
            }
        }
        self.not_empty(view, "pieces", pieces)
    }

    fn values(&self, view: &View<'_>) -> Option<Vec<f64>> {
        let mut values = match self.csv(view, "csv", Columns { needed: &["value_s"], optional: &["count"] }) {
            Some(csv) => self.values_of(view, &csv)?,
            None => view.items("values_s").iter().filter_map(super::document::Node::number).collect(),
        };
        values.sort_unstable_by(f64::total_cmp);
        self.not_empty(view, "values_s", values)
    }

    /// Values of a CSV file, each as often as its count says.
    fn values_of(&self, view: &View<'_>, csv: &Csv) -> Option<Vec<f64>> {
        const MOST_VALUES: u64 = 10_000_000;
        let mentioned = view.place("csv");
        let mut values = Vec::new();
        let mut total = 0;
        let mut right = true;
        for row in csv.rows() {
            let row = match row {
                Ok(row) => row,
                Err(problem) => {
                    right = false;
                    self.notes.add_other(&mentioned, *problem);
                    continue;
                }
            };
            let value = row.read("value_s", "a number of at least 0", not_negative);
            let count = row.read_if_any("count", "a whole number", |text| text.parse::<u64>().ok());
            match (value, count) {
                (Ok(value), Ok(count)) => {
                    let count = count.unwrap_or(1);
                    total += count.min(MOST_VALUES);
                    if total > MOST_VALUES {
                        let message = format!("the counts sum to more than {MOST_VALUES}");
                        self.notes.add_other(&mentioned, *row.problem("count", message, None));
                        return None;
                    }
                    values.extend((0..count).map(|_| value));
                }
                (value, count) => {
                    right = false;
                    for problem in [value.err(), count.err()].into_iter().flatten() {
                        self.notes.add_other(&mentioned, *problem);
                    }
                }
            }
        }
        if right && values.is_empty() {
            self.notes.add(mentioned, "all counts of the file are 0", None);
        }
        (right && !values.is_empty()).then_some(values)
    }

    fn points(&self, view: &View<'_>) -> Option<Vec<QuantilePoint>> {
        let columns = Columns { needed: &[], optional: &["probability", "value_s", "from_s", "to_s", "count"] };
        if let Some(csv) = self.csv(view, "csv", columns) {
            return self.points_of(view, &csv);
        }
        let mut points: Vec<QuantilePoint> = Vec::new();
        for entry in view.tables("points") {
            let point = QuantilePoint { probability: entry.number("probability")?, value_s: entry.number("value_s")? };
            if let Some(why) = out_of_order(points.last(), point) {
                self.notes.add(entry.span.clone(), why, None);
                return None;
            }
            points.push(point);
        }
        if points.len() < 2 || points[points.len() - 1].probability != 1.0 {
            if view.has("points") && view.tables("points").len() == view.items("points").len() {
                self.notes.add(view.place("points"), "the points must lead from probability 0 to probability 1", None);
            }
            return None;
        }
        Some(points)
    }

    /// Quantiles of a CSV file: written as such, or as a histogram.
    fn points_of(&self, view: &View<'_>, csv: &Csv) -> Option<Vec<QuantilePoint>> {
        let mentioned = view.place("csv");
        let histogram = ["from_s", "to_s", "count"];
        let direct = ["probability", "value_s"];
        let all = |columns: &[&str]| columns.iter().all(|column| csv.has(column));
        let result = if all(&histogram) && !direct.iter().any(|column| csv.has(column)) {
            histogram_points(csv)
        } else if all(&direct) && !histogram.iter().any(|column| csv.has(column)) {
            direct_points(csv)
        } else {
            let message = format!("the file must have the columns {}, or {}", list(&direct), list(&histogram));
            self.notes.add(mentioned, message, None);
            return None;
        };
        match result {
            Ok(points) => Some(points),
            Err(problem) => {
                self.notes.add_other(&mentioned, *problem);
                None
            }
        }
    }
}

/// Why a point cannot follow another.
fn out_of_order(last: Option<&QuantilePoint>, point: QuantilePoint) -> Option<String> {
    match last {
        None if point.probability != 0.0 => {
            Some(format!("the first point must have probability 0 (the least value), found {}", point.probability))
        }
        // A probability that is there twice is a gap, in which no value lies.
        Some(last) if point.probability < last.probability => Some(format!(
            "probabilities must be in ascending order: {} comes after {}",
            point.probability, last.probability
        )),
        Some(last) if point.value_s < last.value_s => {
            Some(format!("values must not fall: {} comes after {}", point.value_s, last.value_s))
        }
        _ => None,
    }
}

fn direct_points(csv: &Csv) -> Result<Vec<QuantilePoint>, Box<crate::Problem>> {
    let mut points: Vec<QuantilePoint> = Vec::new();
    for row in csv.rows() {
        let row = row?;
        let share = |text: &str| not_negative(text).filter(|value| *value <= 1.0);
        let point = QuantilePoint {
            probability: row.read("probability", "a share from 0 to 1", share)?,
            value_s: row.read("value_s", "a number of at least 0", not_negative)?,
        };
        if let Some(why) = out_of_order(points.last(), point) {
            return Err(row.problem("probability", why, None));
        }
        points.push(point);
    }
    if points.len() < 2 || points[points.len() - 1].probability != 1.0 {
        return Err(csv.problem("the points must lead from probability 0 to probability 1".into()));
    }
    Ok(points)
}

fn histogram_points(csv: &Csv) -> Result<Vec<QuantilePoint>, Box<crate::Problem>> {
    let mut bins: Vec<(f64, f64, f64)> = Vec::new();
    for row in csv.rows() {
        let row = row?;
        let from_s = row.read("from_s", "a number of at least 0", not_negative)?;
        let to_s = row
            .read("to_s", "a number greater than `from_s`", |text| not_negative(text).filter(|to_s| *to_s > from_s))?;
        let count = row.read("count", "a number of at least 0", not_negative)?;
        if bins.last().is_some_and(|last| from_s < last.1) {
            return Err(row.problem("from_s", "the bins overlap, or are not in ascending order".into(), None));
        }
        bins.push((from_s, to_s, count));
    }
    let total: f64 = bins.iter().map(|bin| bin.2).sum();
    bins.retain(|bin| bin.2 > 0.0);
    let Some(first) = bins.first() else { return Err(csv.problem("all counts of the histogram are 0".into())) };
    let mut points = vec![QuantilePoint { probability: 0.0, value_s: first.0 }];
    let mut below = 0.0;
    for (i, (from_s, to_s, count)) in bins.iter().enumerate() {
        // Over a gap between bins the distribution jumps, which a repeated probability says.
        if points.last().is_some_and(|last| last.value_s < *from_s) {
            points.push(QuantilePoint { probability: below / total, value_s: *from_s });
        }
        below += count;
        let probability = if i + 1 == bins.len() { 1.0 } else { below / total };
        points.push(QuantilePoint { probability, value_s: *to_s });
    }
    Ok(points)
}
