//! CSV files that a scenario names, read with the exact place of every cell.

use std::ops::Range;

use super::document::{Notes, parse_date, parse_time, printable};
use crate::problem::{Problem, Source, suggestion};

/// Rows after which reading stops with an error.
const MOST_ROWS: usize = 20_000_000;

/// A CSV file with a header row.
#[derive(Debug)]
pub(crate) struct Csv {
    source: Source,
    /// Names of the columns with their places.
    header: Vec<Cell>,
    /// The rows; each has as many cells as the header.
    rows: Vec<Vec<Cell>>,
}

/// A cell: its text without quotes, and its place.
#[derive(Debug, Clone)]
struct Cell {
    text: String,
    span: Range<usize>,
}

/// One row, for reading by column.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'c> {
    csv: &'c Csv,
    cells: &'c [Cell],
}

/// Columns that a kind of file may have.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Columns {
    /// Must be there.
    pub(crate) needed: &'static [&'static str],
    /// May be there.
    pub(crate) optional: &'static [&'static str],
}

impl Csv {
    /// Splits a text into cells and checks header and row lengths. Blank lines and lines that begin with `#` are
    /// skipped. Problems are noted at `mentioned`, the place in the scenario that names the file.
    pub(crate) fn read(source: Source, columns: Columns, notes: &Notes<'_>, mentioned: &Range<usize>) -> Option<Self> {
        let mut rows = match split(&source) {
            Ok(rows) => rows,
            Err(problem) => {
                notes.add_other(mentioned, *problem);
                return None;
            }
        };
        if rows.is_empty() {
            let message = format!("the file is empty: a header with {} is needed", list(columns.needed));
            notes.add_other(mentioned, source.problem(0..0, message, None));
            return None;
        }
        let mut header = rows.remove(0);
        for cell in &mut header {
            cell.text = cell.text.trim().to_lowercase();
        }
        let mut csv = Self { source, header, rows: Vec::new() };
        let mut right = csv.check_header(columns, notes, mentioned);
        for row in rows {
            if row.len() != csv.header.len() {
                let at = row[0].span.start..row[row.len() - 1].span.end;
                let message = format!("this row has {} cells, but the header has {}", row.len(), csv.header.len());
                notes.add_other(mentioned, csv.source.problem(at, message, None));
                right = false;
            } else {
                csv.rows.push(row);
            }
        }
        if right && csv.rows.is_empty() {
            let end = csv.source.text.len();
            notes.add_other(mentioned, csv.source.problem(end..end, "the file has no rows".into(), None));
            right = false;
        }
        right.then_some(csv)
    }

    fn check_header(&self, columns: Columns, notes: &Notes<'_>, mentioned: &Range<usize>) -> bool {
        let known = || columns.needed.iter().chain(columns.optional).copied();
        let mut right = true;
        let mut fault = |at: Range<usize>, message: String, help: Option<String>| {
            notes.add_other(mentioned, self.source.problem(at, message, help));
            right = false;
        };
        for (i, cell) in self.header.iter().enumerate() {
            if !known().any(|name| name == cell.text) {
                let help = suggestion(&cell.text, known().collect::<Vec<_>>());
                fault(cell.span.clone(), format!("`{}` is no column of this file", printable(&cell.text)), help);
            } else if self.header[..i].iter().any(|other| other.text == cell.text) {
                fault(cell.span.clone(), format!("the column `{}` is there twice", cell.text), None);
            }
        }
        for needed in columns.needed {
            if !self.header.iter().any(|cell| cell.text == *needed) {
                let at = self.header[0].span.start..self.header[self.header.len() - 1].span.end;
                fault(at, format!("the column `{needed}` is missing"), None);
            }
        }
        right
    }

    /// The rows.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|cells| Row { csv: self, cells })
    }

    /// Whether the file has a column.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.header.iter().any(|cell| cell.text == column)
    }
}

impl Row<'_> {
    /// The text of a cell and its place; `None` if the column is not there or the cell is empty.
    pub(crate) fn cell(&self, column: &str) -> Option<(&str, Range<usize>)> {
        let at = self.csv.header.iter().position(|cell| cell.text == column)?;
        let cell = &self.cells[at];
        let text = cell.text.trim();
        (!text.is_empty()).then(|| (text, cell.span.clone()))
    }

    /// A cell that must be there, read by `parse`; otherwise the problem: what is expected, and what was found.
    pub(crate) fn read<T>(
        &self,
        column: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, Box<Problem>> {
        match self.cell(column) {
            Some((text, span)) => parse(text).ok_or_else(|| {
                let message = format!("`{column}` must be {expected}, found \"{}\"", printable(text));
                Box::new(self.csv.source.problem(span, message, None))
            }),
            None => {
                let at = self.csv.header.iter().position(|cell| cell.text == column);
                let span = at.map_or(self.cells[0].span.clone(), |at| self.cells[at].span.clone());
                let message = format!("`{column}` must be {expected}, found nothing");
                Err(Box::new(self.csv.source.problem(span, message, None)))
            }
        }
    }

    /// The same for a cell that may be empty or missing.
    pub(crate) fn read_if_any<T>(
        &self,
        column: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, Box<Problem>> {
        if self.cell(column).is_some() { self.read(column, expected, parse).map(Some) } else { Ok(None) }
    }

    /// A problem at a cell, or at the row.
    pub(crate) fn problem(&self, column: &str, message: String, help: Option<String>) -> Box<Problem> {
        let span = self.cell(column).map_or(self.cells[0].span.clone(), |(_, span)| span);
        Box::new(self.csv.source.problem(span, message, help))
    }
}

/// A number of at least 0.
pub(crate) fn not_negative(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value| (0.0..=super::shape::GREATEST).contains(value))
}

/// A number greater than 0.
pub(crate) fn positive(text: &str) -> Option<f64> {
    not_negative(text).filter(|value| *value > 0.0)
}

/// A moment: a time of day alone, or with its date before it (`2026-03-02 08:30`, `2026-03-02T08:30:00`).
pub(crate) fn moment(text: &str) -> Option<(Option<jiff::civil::Date>, u64)> {
    match text.split_once(['T', ' ']) {
        Some((date, time)) => Some((Some(parse_date(date)?), parse_time(time)?)),
        None => Some((None, parse_time(text)?)),
    }
}

/// Splits a text into rows of cells (RFC 4180: quotes, doubled quotes, line feeds in quotes).
fn split(source: &Source) -> Result<Vec<Vec<Cell>>, Box<Problem>> {
    let text = source.text.as_str();
    let mut rows = Vec::new();
    // A byte-order mark is no part of the first name.
    let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
    while at < text.len() {
        let line_end = text[at..].find('\n').map_or(text.len(), |i| at + i);
        let line = &text[at..line_end];
        if line.trim().is_empty() || line.starts_with('#') {
            at = line_end + 1;
            continue;
        }
        let mut row = Vec::new();
        loop {
            let (cell, next) = cell(source, at)?;
            row.push(cell);
            match next {
                Next::Cell(start) => at = start,
                Next::Row(start) => {
                    at = start;
                    break;
                }
            }
        }
        rows.push(row);
        if rows.len() > MOST_ROWS {
            let message = format!("the file has more than {MOST_ROWS} rows");
            return Err(Box::new(source.problem(at..at, message, None)));
        }
    }
    Ok(rows)
}

/// Where reading goes on after a cell.
enum Next {
    Cell(usize),
    Row(usize),
}

fn cell(source: &Source, start: usize) -> Result<(Cell, Next), Box<Problem>> {
    let text = source.text.as_str();
    let (value, span, mut at) = if text[start..].starts_with('"') {
        let mut value = String::new();
        let mut at = start + 1;
        loop {
            let Some(quote) = text[at..].find('"') else {
                let message = "this quote is not closed".to_owned();
                return Err(Box::new(source.problem(start..start + 1, message, None)));
            };
            value.push_str(&text[at..at + quote]);
            at += quote + 1;
            if !text[at..].starts_with('"') {
                break;
            }
            value.push('"');
            at += 1;
        }
        (value, start..at, at)
    } else {
        let end = text[start..].find([',', '\n']).map_or(text.len(), |i| start + i);
        let value = text[start..end].trim_end_matches('\r');
        (value.to_owned(), start..start + value.len(), end)
    };
    if text[at..].starts_with('\r') {
        at += 1;
    }
    let next = match text[at..].chars().next() {
        None => Next::Row(text.len()),
        Some(',') => Next::Cell(at + 1),
        Some('\n') => Next::Row(at + 1),
        Some(other) => {
            let message = format!("a comma or the line's end must follow the quote, found {other:?}");
            return Err(Box::new(source.problem(at..at + other.len_utf8(), message, None)));
        }
    };
    Ok((Cell { text: value, span }, next))
}

/// Names for a message: `a`, `b` and `c`.
pub(crate) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}
