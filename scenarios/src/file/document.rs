//! A parsed file beside the description of what may stand in it: the check of every value against its shape, and
//! typed access for the readers.
//!
//! The check runs over the whole file first and notes every unknown key and wrong value with its place. The readers
//! come after it and see only what is right: a wrong value reads as absent, so that one mistake is told once.

use std::cell::RefCell;
use std::ops::Range;

use jiff::civil::Date;
use serde_spanned::Spanned;
use toml::de::{DeTable, DeValue};

use super::shape::{Default, Shape, Table};
use super::tables::home_of;
use crate::clock::{DAY_US, HOUR_US, MINUTE_US, SECOND_US};
use crate::problem::{Problem, Problems, Source, nearest, suggestion};

/// Most problems that are told; the rest of a hopeless file is left out.
const MOST_PROBLEMS: usize = 100;

/// Collects what is wrong with a file and the files that it names.
#[derive(Debug)]
pub(crate) struct Notes<'a> {
    /// The scenario file.
    pub(crate) source: &'a Source,
    /// Order of telling and problem.
    problems: RefCell<Vec<(usize, Problem)>>,
}

impl<'a> Notes<'a> {
    pub(crate) fn new(source: &'a Source) -> Self {
        Self { source, problems: RefCell::new(Vec::new()) }
    }

    /// Notes a problem of the scenario file.
    pub(crate) fn add(&self, at: Range<usize>, message: impl Into<String>, help: Option<String>) {
        // Its place in a long line takes as long as the line: none is looked for that is not told.
        if self.problems.borrow().len() >= MOST_PROBLEMS {
            return;
        }
        let order = at.start;
        self.push(order, self.source.problem(at, message.into(), help));
    }

    /// Notes a problem of another file, which is told at its place of mention.
    pub(crate) fn add_other(&self, mentioned: &Range<usize>, problem: Problem) {
        self.push(mentioned.start, problem);
    }

    fn push(&self, order: usize, problem: Problem) {
        let mut problems = self.problems.borrow_mut();
        if problems.len() < MOST_PROBLEMS && !problems.iter().any(|(_, known)| *known == problem) {
            problems.push((order, problem));
        }
    }

    /// Whether there is none so far.
    pub(crate) fn is_empty(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// All problems in the order of the file.
    pub(crate) fn into_problems(self) -> Problems {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|(order, _)| *order);
        Problems(problems.into_iter().map(|(_, problem)| problem).collect())
    }
}

/// A table of the file with the description of its keys.
#[derive(Debug, Clone)]
pub(crate) struct View<'d> {
    /// What it may hold.
    pub(crate) shape: &'static Table,
    entries: &'d DeTable<'d>,
    /// Its place: the header or the braces.
    pub(crate) span: Range<usize>,
}

/// A value of the file with the description of what it may be.
#[derive(Debug, Clone)]
pub(crate) struct Node<'d> {
    shape: &'static Shape,
    value: &'d DeValue<'d>,
    /// Its place.
    pub(crate) span: Range<usize>,
}

/// An entry of a table whose keys are names.
#[derive(Debug, Clone)]
pub(crate) struct Named<'d> {
    /// The name.
    pub(crate) name: &'d str,
    /// Place of the name.
    pub(crate) span: Range<usize>,
    /// What stands under it.
    pub(crate) node: Node<'d>,
}

impl<'d> View<'d> {
    /// The whole file.
    pub(crate) fn root(shape: &'static Table, document: &'d Spanned<DeTable<'d>>) -> Self {
        // Problems of the whole file are told at its start.
        Self { shape, entries: document.get_ref(), span: 0..0 }
    }

    /// Checks everything in the table against its shape.
    pub(crate) fn check(&self, notes: &Notes<'_>) {
        for (name, value) in self.entries {
            match self.shape.key(name.get_ref()) {
                Some(key) => {
                    Node { shape: &key.shape, value: value.get_ref(), span: value.span() }.check(notes, key.name);
                }
                None => {
                    let found: &str = name.get_ref();
                    let names = self.shape.keys.iter().map(|key| key.name);
                    let help = nearest(found, names.clone())
                        .map(|near| format!("did you mean `{near}`?"))
                        .or_else(|| home_of(found).map(|home| format!("`{found}` is a key of the table {}", home.name)))
                        .or_else(|| suggestion(found, names));
                    let place = match self.shape.name {
                        "scenario" => "the file's top level".to_owned(),
                        table => format!("the table {table}"),
                    };
                    notes.add(name.span(), format!("`{}` is no key of {place}", printable(found)), help);
                }
            }
        }
        for key in self.shape.keys.iter().filter(|key| key.required) {
            if !self.entries.contains_key(key.name) {
                let help = match key.shape {
                    Shape::Map(..) => format!("write [{}.NAME]", key.name),
                    _ => format!("it takes {}", key.shape.expected()),
                };
                let message = match self.shape.name {
                    "scenario" => format!("`{}` is missing", key.name),
                    table => format!("`{}` is missing in the table {table}", key.name),
                };
                notes.add(self.span.clone(), message, Some(help));
            }
        }
    }

    /// Whether the key is there, right or wrong.
    pub(crate) fn has(&self, key: &str) -> bool {
        debug_assert!(self.shape.key(key).is_some(), "`{key}` is not described in {}", self.shape.name);
        self.entries.contains_key(key)
    }

    /// The value of a key, if it is there.
    pub(crate) fn node(&self, key: &str) -> Option<Node<'d>> {
        let described = self.shape.key(key);
        debug_assert!(described.is_some(), "`{key}` is not described in {}", self.shape.name);
        let value = self.entries.get(key)?;
        Some(Node { shape: &described?.shape, value: value.get_ref(), span: value.span() })
    }

    /// The place of a key's value, or of the table.
    pub(crate) fn place(&self, key: &str) -> Range<usize> {
        self.node(key).map_or_else(|| self.span.clone(), |node| node.span)
    }

    /// The place of the key itself, or of the table.
    pub(crate) fn key_place(&self, key: &str) -> Range<usize> {
        self.entries.get_key_value(key).map_or_else(|| self.span.clone(), |(name, _)| name.span())
    }

    /// The keys that are there, of these.
    pub(crate) fn given<'k>(&self, keys: &[&'k str]) -> Vec<&'k str> {
        keys.iter().copied().filter(|key| self.has(key)).collect()
    }

    fn default(&self, key: &str) -> Default {
        self.shape.key(key).map_or(Default::None, |key| key.default)
    }

    /// A number, or its default.
    pub(crate) fn number(&self, key: &str) -> Option<f64> {
        match self.node(key) {
            Some(node) => node.number(),
            None => match self.default(key) {
                Default::Number(value) => Some(value),
                _ => None,
            },
        }
    }

    /// A whole number, or its default.
    pub(crate) fn integer(&self, key: &str) -> Option<i64> {
        match self.node(key) {
            Some(node) => node.integer(),
            None => match self.default(key) {
                Default::Integer(value) => Some(value),
                _ => None,
            },
        }
    }

    /// A whole number as another type, if it fits.
    pub(crate) fn whole<T: TryFrom<i64>>(&self, key: &str) -> Option<T> {
        self.integer(key).and_then(|value| T::try_from(value).ok())
    }

    /// A flag, or its default.
    pub(crate) fn flag(&self, key: &str) -> bool {
        match self.node(key).map(|node| node.value) {
            Some(DeValue::Boolean(value)) => *value,
            _ => matches!(self.default(key), Default::Flag(true)),
        }
    }

    /// A string, or its default.
    pub(crate) fn text(&self, key: &str) -> Option<&'d str> {
        match self.node(key) {
            Some(node) => node.text(),
            None => match self.default(key) {
                Default::Text(value) => Some(value),
                _ => None,
            },
        }
    }

    /// A number of seconds (or of another unit of `unit_us`) in whole microseconds, or its default.
    pub(crate) fn micros(&self, key: &str, unit_us: u64) -> Option<u64> {
        self.number(key).map(|value| to_micros(value, unit_us))
    }

    /// A time of day in microseconds, or its default.
    pub(crate) fn time(&self, key: &str) -> Option<u64> {
        match self.node(key) {
            Some(node) => node.time(),
            None => match self.default(key) {
                Default::Text(value) => parse_time(value),
                _ => None,
            },
        }
    }

    /// A date.
    pub(crate) fn date(&self, key: &str) -> Option<Date> {
        self.node(key)?.date()
    }

    /// A table.
    pub(crate) fn table(&self, key: &str) -> Option<Self> {
        self.node(key)?.table()
    }

    /// The tables of a list of tables.
    pub(crate) fn tables(&self, key: &str) -> Vec<Self> {
        self.items(key).iter().filter_map(Node::table).collect()
    }

    /// The entries of a list.
    pub(crate) fn items(&self, key: &str) -> Vec<Node<'d>> {
        self.node(key).map(|node| node.items()).unwrap_or_default()
    }

    /// The entries of a table of names.
    pub(crate) fn map(&self, key: &str) -> Vec<Named<'d>> {
        self.node(key).map(|node| node.map()).unwrap_or_default()
    }
}

impl<'d> Node<'d> {
    /// The shape of the same TOML type, where several are possible.
    fn resolved(&self) -> &'static Shape {
        match self.shape {
            Shape::Either(shapes) => shapes.iter().find(|shape| shape.fits(self.value)).unwrap_or(self.shape),
            shape => shape,
        }
    }

    fn check(&self, notes: &Notes<'_>, key: &str) {
        let shape = self.resolved();
        if !shape.fits(self.value) {
            let message = format!("`{key}` must be {}, found {}", shape.expected(), found(self.value));
            notes.add(self.span.clone(), message, unit_help(shape, self.value));
            return;
        }
        match shape {
            Shape::Text if self.text().is_none() => {
                notes.add(self.span.clone(), format!("`{key}` must not be empty"), None);
            }
            Shape::Choice(words) if self.text().is_none() => {
                let wrong = self.value.as_str().unwrap_or_default();
                let message = format!("`{key}` cannot be \"{}\"", printable(wrong));
                notes.add(self.span.clone(), message, suggestion(wrong, words.iter().copied()));
            }
            Shape::Integer(..) if self.integer().is_none() => {
                let message = format!("`{key}` must be {}, found {}", shape.expected(), found(self.value));
                notes.add(self.span.clone(), message, None);
            }
            Shape::Number(bounds) if self.number().is_none() => {
                let message = format!("`{key}` must be {}, found {}", shape.expected(), found(self.value));
                let share = float(self.value).filter(|v| bounds.is_share() && *v > 1.0 && *v <= 100.0);
                let help = share.map(|value| format!("write {} for {value} %", value / 100.0));
                notes.add(self.span.clone(), message, help);
            }
            Shape::Time if self.time().is_none() => {
                let message = format!("`{key}` must be {}, found {}", shape.expected(), found(self.value));
                notes.add(self.span.clone(), message, Some("hours 00 to 24, minutes 00 to 59".into()));
            }
            Shape::Date if self.date().is_none() => {
                let message = format!("`{key}` must be {}, found {}", shape.expected(), found(self.value));
                notes.add(self.span.clone(), message, None);
            }
            Shape::List(_) => self.items().iter().for_each(|item| item.check(notes, key)),
            Shape::Table(_) => {
                if let Some(view) = self.table() {
                    view.check(notes);
                }
            }
            Shape::Map(..) => {
                for named in self.map() {
                    if let Some(table) = named.node.table_it_should_be()
                        && table.key(named.name).is_some()
                    {
                        let message = format!("`{}` stands in a {key} without a name", named.name);
                        notes.add(named.span, message, Some(format!("write [{key}.NAME] instead of [{key}]")));
                        continue;
                    }
                    if named.name.trim().is_empty() {
                        notes.add(named.span, format!("a name in `{key}` must not be empty"), None);
                    }
                    named.node.check(notes, named.name);
                }
            }
            _ => {}
        }
    }

    /// Whether it is a table without entries.
    pub(crate) fn is_empty_table(&self) -> bool {
        matches!(self.value, DeValue::Table(entries) if entries.is_empty())
    }

    /// The table that should stand here, where something else does.
    fn table_it_should_be(&self) -> Option<&'static Table> {
        match self.shape {
            Shape::Table(table) if !self.value.is_table() => Some(table),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self.resolved() {
            Shape::Number(bounds) => float(self.value).filter(|value| bounds.hold(*value)),
            _ => None,
        }
    }

    pub(crate) fn integer(&self) -> Option<i64> {
        match self.resolved() {
            Shape::Integer(low, high) => integer(self.value).filter(|value| (low..=high).contains(&value)),
            _ => None,
        }
    }

    pub(crate) fn text(&self) -> Option<&'d str> {
        let text = self.value.as_str()?;
        match self.resolved() {
            Shape::Choice(words) => words.contains(&text).then_some(text),
            Shape::Text => (!text.trim().is_empty()).then_some(text),
            _ => None,
        }
    }

    pub(crate) fn time(&self) -> Option<u64> {
        match self.value {
            DeValue::String(text) => parse_time(text),
            DeValue::Datetime(toml::value::Datetime { date: None, time: Some(time), offset: None }) => {
                let second = u64::from(time.second.unwrap_or(0)).min(59);
                let nanosecond = u64::from(time.nanosecond.unwrap_or(0));
                let whole = u64::from(time.hour) * HOUR_US + u64::from(time.minute) * MINUTE_US;
                Some(whole + second * SECOND_US + nanosecond / 1000)
            }
            _ => None,
        }
    }

    pub(crate) fn date(&self) -> Option<Date> {
        match self.value {
            DeValue::String(text) => parse_date(text),
            DeValue::Datetime(toml::value::Datetime { date: Some(date), time: None, offset: None }) => {
                parse_date(&date.to_string())
            }
            _ => None,
        }
    }

    pub(crate) fn table(&self) -> Option<View<'d>> {
        match (self.resolved(), self.value) {
            (Shape::Table(shape), DeValue::Table(entries)) => Some(View { shape, entries, span: self.span.clone() }),
            _ => None,
        }
    }

    pub(crate) fn items(&self) -> Vec<Self> {
        match (self.resolved(), self.value) {
            (Shape::List(shape), DeValue::Array(items)) => {
                items.iter().map(|item| Node { shape, value: item.get_ref(), span: item.span() }).collect()
            }
            _ => Vec::new(),
        }
    }

    pub(crate) fn map(&self) -> Vec<Named<'d>> {
        match (self.resolved(), self.value) {
            (Shape::Map(shape, _), DeValue::Table(entries)) => entries
                .iter()
                .map(|(name, value)| Named {
                    name: name.get_ref(),
                    span: name.span(),
                    node: Node { shape, value: value.get_ref(), span: value.span() },
                })
                .collect(),
            _ => Vec::new(),
        }
    }
}

impl Shape {
    /// Whether a value has the right TOML type.
    fn fits(&self, value: &DeValue<'_>) -> bool {
        match self {
            Self::Text | Self::Choice(_) => value.is_str(),
            Self::Integer(..) => value.is_integer(),
            Self::Number(_) => value.is_integer() || value.is_float(),
            Self::Flag => value.is_bool(),
            Self::Time | Self::Date => value.is_str() || value.is_datetime(),
            Self::List(_) => value.is_array(),
            Self::Table(_) | Self::Map(..) => value.is_table(),
            Self::Either(shapes) => shapes.iter().any(|shape| shape.fits(value)),
        }
    }
}

/// What was found, for a message.
fn found(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("the string \"{}\"", printable(text)),
        DeValue::Integer(number) => printable(number.as_str()),
        DeValue::Float(number) => printable(number.as_str()),
        DeValue::Boolean(flag) => flag.to_string(),
        DeValue::Datetime(datetime) => datetime.to_string(),
        DeValue::Array(_) => "a list".into(),
        DeValue::Table(_) => "a table".into(),
    }
}

/// A text for a message: short, without control characters.
pub(crate) fn printable(text: &str) -> String {
    let mut out: String = text.chars().take(60).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(60).is_some() {
        out.push('…');
    }
    out
}

/// A sum for a message, without the noise of binary fractions.
pub(crate) fn rounded(value: f64) -> f64 {
    libm::round(value * 1e6) / 1e6
}

/// Advice for a number that was written as a string with its unit.
fn unit_help(shape: &Shape, value: &DeValue<'_>) -> Option<String> {
    match (shape, value) {
        (Shape::Number(_) | Shape::Integer(..), DeValue::String(text))
            if text.starts_with(|c: char| c.is_ascii_digit()) =>
        {
            Some("write the number alone: its unit is in the key's name".into())
        }
        (Shape::Integer(..), DeValue::Float(_)) => Some("a fraction is not possible here".into()),
        (Shape::Map(..), DeValue::Array(_)) => Some("give each a name: [queue.NAME], not [[queue]]".into()),
        (Shape::List(_), DeValue::String(_)) => Some("put it in brackets: [\"…\"]".into()),
        (Shape::List(_), DeValue::Table(_)) => {
            Some("put the table in a list: [{ … }], or double the header's brackets: [[…]]".into())
        }
        (Shape::Table(table), DeValue::Integer(_) | DeValue::Float(_)) if table.name == "distribution" => {
            Some(format!(
                "write {{ mean_s = {} }} for an exponential span of this mean",
                match value {
                    DeValue::Integer(number) => number.as_str(),
                    DeValue::Float(number) => number.as_str(),
                    _ => "…",
                }
            ))
        }
        (Shape::Table(table), DeValue::String(text)) if table.name == "distribution" => {
            Some(format!("write {{ kind = \"{}\", … }}", printable(text)))
        }
        _ => None,
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let number = value.as_integer()?;
    i64::from_str_radix(&number.as_str().replace('_', ""), number.radix()).ok()
}

fn float(value: &DeValue<'_>) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "beyond 2^53 a scenario's number is out of its bounds anyway")]
    match value {
        DeValue::Float(number) => number.as_str().replace('_', "").parse().ok().filter(|v: &f64| v.is_finite()),
        _ => integer(value).map(|number| number as f64),
    }
}

/// A number of units in whole microseconds, rounded; `value` is at least 0 and at most `GREATEST`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "clamped")]
pub(crate) fn to_micros(value: f64, unit_us: u64) -> u64 {
    const MOST: f64 = 1e18;
    libm::round(value * unit_us as f64).clamp(0.0, MOST) as u64
}

/// `H:MM`, `HH:MM` or `HH:MM:SS`, up to 24:00, in microseconds since midnight.
pub(crate) fn parse_time(text: &str) -> Option<u64> {
    let mut parts = text.trim().split(':');
    let mut part = |longest: usize| -> Option<u64> {
        let digits = parts.next()?;
        let right = (1..=longest).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        right.then(|| digits.parse().ok())?
    };
    let hour = part(2)?;
    let minute = part(2)?;
    let second = if text.matches(':').count() == 2 { part(2)? } else { 0 };
    if parts.next().is_some() || minute > 59 || second > 59 {
        return None;
    }
    let time = hour * HOUR_US + minute * MINUTE_US + second * SECOND_US;
    (time <= DAY_US).then_some(time)
}

/// `YYYY-MM-DD`.
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let text = text.trim();
    let plain = text.len() == 10 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    plain.then(|| text.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_day() {
        assert_eq!(parse_time("08:30"), Some(8 * HOUR_US + 30 * MINUTE_US));
        assert_eq!(parse_time("8:05:09"), Some(8 * HOUR_US + 5 * MINUTE_US + 9 * SECOND_US));
        assert_eq!(parse_time("24:00"), Some(DAY_US));
        for wrong in ["", "8", "24:01", "08:60", "08:00:60", "08:00:00:00", "+8:00", "8h", "08:", ":30", "008:00"] {
            assert_eq!(parse_time(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn dates() {
        assert_eq!(parse_date("2026-03-02"), Some(jiff::civil::date(2026, 3, 2)));
        for wrong in ["2026-02-30", "26-03-02", "2026-03-02T00:00", "2026/03/02", ""] {
            assert_eq!(parse_date(wrong), None, "{wrong:?}");
        }
    }
}
