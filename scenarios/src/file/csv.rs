//! CSV files that a scenario names, read with the exact place of every cell.

use std::borrow::Cow;
use std::ops::Range;

use super::document::{Notes, parse_date, parse_time, printable};
use crate::problem::{Problem, Source, suggestion};

/// A CSV file with a header row. Rows are read one after another, so that a long file costs no more than its text.
#[derive(Debug)]
pub(crate) struct Csv {
    source: Source,
    /// Names of the columns.
    header: Vec<String>,
    /// Where the rows begin.
    body: usize,
}

/// A cell: its text without quotes, and its place.
#[derive(Debug, Clone)]
struct Cell<'c> {
    text: Cow<'c, str>,
    span: Range<usize>,
}

/// One row, for reading by column.
#[derive(Debug, Clone)]
pub(crate) struct Row<'c> {
    csv: &'c Csv,
    /// As many as the header has.
    cells: Vec<Cell<'c>>,
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
    /// Reads and checks the header. Problems are noted at `mentioned`, the place in the scenario that names the file.
    pub(crate) fn read(source: Source, columns: Columns, notes: &Notes<'_>, mentioned: &Range<usize>) -> Option<Self> {
        // A byte-order mark is no part of the first name.
        let mut at = if source.text.starts_with('\u{feff}') { 3 } else { 0 };
        let header = match next_row(&source, &mut at) {
            Ok(Some(header)) => header,
            Ok(None) => {
                let message = format!("the file is empty: a header with {} is needed", list(columns.needed));
                notes.add_other(mentioned, source.problem(0..0, message, None));
                return None;
            }
            Err(problem) => {
                notes.add_other(mentioned, *problem);
                return None;
            }
        };
        let faults = header_faults(&source, &header, columns);
        let header = header.iter().map(|cell| cell.text.trim().to_lowercase()).collect();
        if faults.is_empty() {
            return Some(Self { header, body: at, source });
        }
        faults.into_iter().for_each(|fault| notes.add_other(mentioned, fault));
        None
    }

    /// The rows. Blank lines and lines that begin with `#` are skipped; a row of another length than the header's is
    /// a problem.
    pub(crate) fn rows(&self) -> impl Iterator<Item = Result<Row<'_>, Box<Problem>>> {
        let mut at = self.body;
        std::iter::from_fn(move || match next_row(&self.source, &mut at) {
            Ok(None) => None,
            Ok(Some(cells)) if cells.len() == self.header.len() => Some(Ok(Row { csv: self, cells })),
            Ok(Some(cells)) => {
                let span = cells[0].span.start..cells[cells.len() - 1].span.end;
                let message = format!("this row has {} cells, but the header has {}", cells.len(), self.header.len());
                Some(Err(Box::new(self.source.problem(span, message, None))))
            }
            Err(problem) => {
                // Where a quote is open, nothing after it can be told apart.
                at = self.source.text.len();
                Some(Err(problem))
            }
        })
    }

    /// Whether the file has a column.
    pub(crate) fn has(&self, column: &str) -> bool {
        self.header.iter().any(|name| name == column)
    }

    /// A problem of the whole file, told at its end.
    pub(crate) fn problem(&self, message: String) -> Box<Problem> {
        let end = self.source.text.len();
        Box::new(self.source.problem(end..end, message, None))
    }
}

fn header_faults(source: &Source, header: &[Cell<'_>], columns: Columns) -> Vec<Problem> {
    let known: Vec<&str> = columns.needed.iter().chain(columns.optional).copied().collect();
    let names: Vec<String> = header.iter().map(|cell| cell.text.trim().to_lowercase()).collect();
    let mut faults = Vec::new();
    for (i, (name, cell)) in names.iter().zip(header).enumerate() {
        if !known.contains(&name.as_str()) {
            let help = suggestion(name, known.iter().copied());
            let message = format!("`{}` is no column of this file", printable(name));
            faults.push(source.problem(cell.span.clone(), message, help));
        } else if names[..i].contains(name) {
            faults.push(source.problem(cell.span.clone(), format!("the column `{name}` is there twice"), None));
        }
    }
    for needed in columns.needed.iter().filter(|needed| !names.iter().any(|name| name == *needed)) {
        let span = header[0].span.start..header[header.len() - 1].span.end;
        faults.push(source.problem(span, format!("the column `{needed}` is missing"), None));
    }
    faults
}

impl Row<'_> {
    /// The text of a cell and its place; `None` if the column is not there or the cell is empty.
    pub(crate) fn cell(&self, column: &str) -> Option<(&str, Range<usize>)> {
        let at = self.csv.header.iter().position(|name| name == column)?;
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
                let at = self.csv.header.iter().position(|name| name == column).unwrap_or(0);
                let message = format!("`{column}` must be {expected}, found nothing");
                Err(Box::new(self.csv.source.problem(self.cells[at].span.clone(), message, None)))
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
        let span = self.cell(column).map_or_else(|| self.cells[0].span.clone(), |(_, span)| span);
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

/// The next row from `at` on, which moves behind it (RFC 4180: quotes, doubled quotes, line feeds in quotes); `None` at
/// the end.
fn next_row<'c>(source: &'c Source, at: &mut usize) -> Result<Option<Vec<Cell<'c>>>, Box<Problem>> {
    let text = source.text.as_str();
    while *at < text.len() {
        let line_end = text[*at..].find('\n').map_or(text.len(), |i| *at + i);
        let line = &text[*at..line_end];
        if !line.trim().is_empty() && !line.starts_with('#') {
            let mut row = Vec::new();
            loop {
                let (cell, next) = cell(source, *at)?;
                row.push(cell);
                match next {
                    Next::Cell(start) => *at = start,
                    Next::Row(start) => {
                        *at = start;
                        return Ok(Some(row));
                    }
                }
            }
        }
        *at = line_end + 1;
    }
    Ok(None)
}

/// Where reading goes on after a cell.
enum Next {
    Cell(usize),
    Row(usize),
}

fn cell(source: &Source, start: usize) -> Result<(Cell<'_>, Next), Box<Problem>> {
    let text = source.text.as_str();
    let (value, span, mut at) = if text[start..].starts_with('"') {
        let (value, at) = quoted(source, start)?;
        (value, start..at, at)
    } else {
        let end = text[start..].find([',', '\n']).map_or(text.len(), |i| start + i);
        let value = text[start..end].trim_end_matches('\r');
        (Cow::Borrowed(value), start..start + value.len(), end)
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

/// The text of a cell in quotes that begins at `start`, and where it ends.
fn quoted(source: &Source, start: usize) -> Result<(Cow<'_, str>, usize), Box<Problem>> {
    let text = source.text.as_str();
    let mut value = Cow::Borrowed("");
    let mut at = start + 1;
    loop {
        let Some(quote) = text[at..].find('"') else {
            let message = "this quote is not closed".to_owned();
            return Err(Box::new(source.problem(start..start + 1, message, None)));
        };
        let piece = &text[at..at + quote];
        at += quote + 1;
        let doubled = text[at..].starts_with('"');
        if value.is_empty() && !doubled {
            value = Cow::Borrowed(piece);
        } else {
            value.to_mut().push_str(piece);
        }
        if !doubled {
            return Ok((value, at));
        }
        value.to_mut().push('"');
        at += 1;
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Result<Vec<Vec<String>>, Box<Problem>> {
        let source = Source::new("x.csv", text);
        let mut at = 0;
        let mut rows = Vec::new();
        while let Some(row) = next_row(&source, &mut at)? {
            rows.push(row.iter().map(|cell| cell.text.to_string()).collect());
        }
        Ok(rows)
    }

    #[test]
    fn quotes_hold_commas_quotes_and_line_feeds() {
        let found = rows("a,\"b,\"\"c\"\"\nd\",\r\n\n# no row\n\"\",\"e\"\"\"\r\n1,").unwrap();
        assert_eq!(found, [vec!["a", "b,\"c\"\nd", ""], vec!["", "e\""], vec!["1", ""]]);
    }

    #[test]
    fn what_follows_a_quote_is_told() {
        let problem = rows("a\n\"b\"c,d\n").unwrap_err();
        assert_eq!((problem.line, problem.column), (2, 4));
        assert!(problem.message.contains("found 'c'"), "{}", problem.message);
    }
}
