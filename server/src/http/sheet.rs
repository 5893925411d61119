//! A table to take away: as CSV, or as a workbook of a spreadsheet.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::Problem;

/// What stands in a place of a table.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    Text(String),
    Whole(u64),
    /// A figure with so many digits behind the point in CSV; a workbook has all of them.
    Figure(f64, usize),
    Empty,
}

impl Cell {
    /// A figure that may not be there.
    pub(super) fn figure(value: Option<f64>) -> Self {
        value.map_or(Self::Empty, |value| Self::Figure(value, 6))
    }
}

/// A table with a heading line.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    pub name: &'static str,
    pub columns: Vec<String>,
    pub rows: Vec<Vec<Cell>>,
}

/// A field of CSV (RFC 4180); what a spreadsheet would take for a formula is made text.
fn field(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// Most cells of a workbook, which is made in memory: 60 MB.
const MOST_CELLS: usize = 500_000;
/// Longest text of a workbook's cell, in characters.
const LONGEST: usize = 32_767;

impl Sheet {
    /// As CSV.
    pub(super) fn csv(&self) -> Response {
        let line = |cells: Vec<String>| cells.join(",") + "\r\n";
        let mut text = line(self.columns.clone());
        for row in &self.rows {
            text.push_str(&line(row.iter().map(Cell::csv).collect()));
        }
        self.file("text/csv; charset=utf-8", "csv", text.into_bytes())
    }

    /// As a workbook (ECMA-376). Texts are texts there, whatever they begin with.
    pub(super) async fn xlsx(self) -> Result<Response, Problem> {
        let cells = self.columns.len() * self.rows.len();
        if cells > MOST_CELLS {
            let detail = format!(
                "a workbook of {cells} cells: at most {MOST_CELLS} are right; ask for a shorter period or longer rows, or for CSV"
            );
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "too-much", detail));
        }
        let task = tokio::task::spawn_blocking(move || Ok((self.workbook()?, self)));
        let (bytes, sheet) = task.await.expect("writing does not panic").map_err(|problem: XlsxError| {
            let detail = format!("the workbook cannot be written: {problem}; CSV has no such limits");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "workbook", detail)
        })?;
        Ok(sheet.file("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx", bytes))
    }

    fn workbook(&self) -> Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        let sheet = book.add_worksheet();
        sheet.set_name(self.name)?;
        let head = Format::new().set_bold();
        sheet.set_freeze_panes(1, 0)?;
        for (column, name) in (0u16..).zip(&self.columns) {
            sheet.write_string_with_format(0, column, name, &head)?;
        }
        for (line, row) in (1u32..).zip(&self.rows) {
            for (column, cell) in (0u16..).zip(row) {
                match cell {
                    Cell::Text(text) => {
                        sheet.write_string(line, column, text.chars().take(LONGEST).collect::<String>())?;
                    }
                    // A spreadsheet's numbers hold 15 digits.
                    &Cell::Whole(number) if number < 1_000_000_000_000_000 => {
                        sheet.write_number(line, column, as_float(number))?;
                    }
                    Cell::Whole(number) => {
                        sheet.write_string(line, column, number.to_string())?;
                    }
                    Cell::Figure(value, _) => {
                        sheet.write_number(line, column, *value)?;
                    }
                    Cell::Empty => {}
                }
            }
        }
        book.save_to_buffer()
    }

    fn file(&self, kind: &'static str, end: &str, bytes: Vec<u8>) -> Response {
        let name = format!("attachment; filename=\"{}.{end}\"", self.name);
        ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, name)], bytes).into_response()
    }
}

#[expect(clippy::cast_precision_loss, reason = "below 2^53")]
fn as_float(number: u64) -> f64 {
    number as f64
}

impl Cell {
    fn csv(&self) -> String {
        match self {
            Self::Text(text) => field(text),
            Self::Whole(number) => number.to_string(),
            Self::Figure(value, digits) => format!("{value:.digits$}"),
            Self::Empty => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_fields_are_quoted_and_never_formulas() {
        assert_eq!(field("a,b"), "\"a,b\"");
        assert_eq!(field("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(field("=cmd()"), "'=cmd()");
        assert_eq!(field("苦情"), "苦情");
        let cells = [Cell::Whole(7), Cell::Figure(0.5, 3), Cell::Empty, Cell::figure(None), Cell::figure(Some(1.0))];
        assert_eq!(cells.map(|cell| cell.csv()), ["7", "0.500", "", "", "1.000000"]);
    }

    #[tokio::test]
    async fn a_workbook_is_a_zip_of_its_parts() {
        let rows = vec![vec![Cell::Text("=1+1".into()), Cell::Whole(1 << 60), Cell::Figure(0.25, 3), Cell::Empty]];
        let columns = ["name", "number", "share", "nothing"].map(String::from).into();
        let response = Sheet { name: "queues", columns, rows }.xlsx().await.unwrap();
        assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"queues.xlsx\"");
        let bytes = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        assert!(bytes.starts_with(b"PK\x03\x04"), "a zip begins so");
        let columns = vec![String::new(); 50];
        let sheet = Sheet { name: "queues", columns, rows: vec![Vec::new(); 10_001] };
        assert_eq!(sheet.xlsx().await.unwrap_err().rule, "too-much");
    }
}
