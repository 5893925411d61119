//! The terminal page: the answer first, then totals, queues and intervals, within the width that there is.

use std::fmt::Write as _;

use callfloor_measure::{Metric, Results, Scope};
use unicode_width::UnicodeWidthStr;

use crate::figure;
use crate::summary::{Line, Run, Tone, offered_queues, outbound_queues, summary};

/// What the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether colour may be used.
    pub colour: bool,
}

/// Rows of the interval table beyond which only the worst are shown.
const MOST_INTERVALS: usize = 60;
const WORST: usize = 12;

/// The terminal page of `results`.
#[must_use]
pub fn to_text(results: &Results, run: Option<&Run>, page: Page) -> String {
    let summary = summary(results, run);
    let mut text = String::new();
    page.paragraph(&mut text, &format!("{}: ", results.header().scenario), &summary.answer);
    for line in &summary.thresholds {
        page.paragraph(&mut text, "  ", line);
    }
    for warning in summary.warnings {
        page.paragraph(&mut text, "! ", &Line { text: warning, tone: Tone::Bad });
    }
    for basis in &summary.basis {
        page.paragraph(&mut text, "", &Line { text: basis.clone(), tone: Tone::Plain });
    }
    for note in &results.header().notes {
        page.paragraph(&mut text, "", &Line { text: note.clone(), tone: Tone::Plain });
    }
    if results.replications().is_empty() {
        return text;
    }

    let mut totals =
        Table::new(&[("totals for each replication", 0), ("value", 0), ("95 % interval", 1), ("counted", 2)]);
    for row in summary.figures {
        totals.row([row.title, row.value, row.range, row.counted]);
    }
    totals.render(&mut text, page);

    if offered_queues(results).len() > 1 {
        queues(results).render(&mut text, page);
    }
    outbound(results).render(&mut text, page);
    if results.header().groups.len() > 1 {
        groups(results).render(&mut text, page);
    }
    let (table, note) = intervals(results);
    table.render(&mut text, page);
    if let Some(note) = note {
        page.paragraph(&mut text, "", &Line { text: note, tone: Tone::Plain });
    }
    if let Some(run) = run {
        text.push('\n');
        page.paragraph(&mut text, "", &Line { text: speed(results, run), tone: Tone::Plain });
    }
    text
}

/// How fast it was: `1,234,567 calls in 0.8 s …`.
fn speed(results: &Results, run: &Run) -> String {
    let calls = results.calls_simulated();
    let mut text = format!("{} calls in {} s", figure::grouped(calls), figure::decimal(run.wall_s, 2));
    if run.threads > 0 {
        text += &format!(" on {} thread{}", run.threads, if run.threads == 1 { "" } else { "s" });
    }
    if let Some(processor_s) = run.processor_s.filter(|seconds| *seconds > 0.0) {
        text += &format!(
            "; {} calls and {} engine commands for each second of processor time",
            figure::decimal(calls as f64 / processor_s, 0),
            figure::decimal(results.engine_commands() as f64 / processor_s, 0)
        );
    }
    text + "."
}

fn queues(results: &Results) -> Table {
    let metrics = [
        (Metric::Offered, "offered", 0),
        (Metric::ServiceLevel, "in time %", 0),
        (Metric::Abandonment, "abandoned %", 0),
        (Metric::AsaS, "ASA s", 1),
        (Metric::WaitP90S, "p90 s", 3),
        (Metric::AhtS, "AHT s", 2),
        (Metric::PMet, "P(met) %", 4),
    ];
    let mut table = Table::new(&[("by queue", 0)]);
    metrics.iter().for_each(|(_, head, rank)| table.column(head, *rank));
    for (queue, named) in offered_queues(results) {
        let cells =
            metrics.iter().map(|(metric, ..)| figure::cell(*metric, results.estimate(*metric, Scope::Queue(queue))));
        table.row(std::iter::once(named.name.clone()).chain(cells));
    }
    table
}

fn outbound(results: &Results) -> Table {
    let metrics = [Metric::Dials, Metric::DialsConnected, Metric::DialConnectRate];
    let mut table = Table::new(&[("outbound", 0), ("dials", 0), ("connected", 0), ("connected %", 0)]);
    for (queue, named) in outbound_queues(results) {
        let cells = metrics.map(|metric| figure::cell(metric, results.estimate(metric, Scope::Queue(queue))));
        table.row(std::iter::once(named.name.clone()).chain(cells));
    }
    table
}

fn groups(results: &Results) -> Table {
    let metrics = [
        (Metric::OperatorsPaid, "operators", 0),
        (Metric::Occupancy, "occupancy %", 0),
        (Metric::Utilisation, "utilisation %", 1),
        (Metric::Shrinkage, "shrinkage %", 2),
    ];
    let mut table = Table::new(&[("by group", 0)]);
    metrics.iter().for_each(|(_, head, rank)| table.column(head, *rank));
    for (group, named) in results.header().groups.iter().enumerate() {
        let cells =
            metrics.iter().map(|(metric, ..)| figure::cell(*metric, results.estimate(*metric, Scope::Group(group))));
        table.row(std::iter::once(named.name.clone()).chain(cells));
    }
    table
}

/// The intervals in which anything happened.
pub(crate) fn busy_intervals(results: &Results) -> Vec<usize> {
    (0..results.header().grid.intervals)
        .filter(|interval| {
            let counts = results.counts_in(Scope::All, *interval);
            counts.offered + counts.refused + counts.dials + counts.waiting_at_start > 0
                || results.staff_in(Scope::All, *interval).logged_in_us() > 0
        })
        .collect()
}

fn intervals(results: &Results) -> (Table, Option<String>) {
    let metrics = [
        (Metric::Offered, "offered", 0),
        (Metric::ServiceLevel, "in time %", 0),
        (Metric::Abandonment, "abandoned %", 1),
        (Metric::AsaS, "ASA s", 2),
        (Metric::OperatorsPaid, "operators", 4),
        (Metric::Occupancy, "occupancy %", 3),
    ];
    let mut table = Table::new(&[("by interval", 0)]);
    metrics.iter().for_each(|(_, head, rank)| table.column(head, *rank));
    let mut shown = busy_intervals(results);
    let all = shown.len();
    if all > MOST_INTERVALS {
        let level = |interval: &usize| {
            results.estimate_in(Metric::ServiceLevel, Scope::All, *interval).map_or(2.0, |e| e.value)
        };
        shown.sort_by(|a, b| level(a).total_cmp(&level(b)).then(a.cmp(b)));
        shown.truncate(WORST);
        shown.sort_unstable();
    }
    for interval in &shown {
        let cells = metrics
            .iter()
            .map(|(metric, ..)| figure::cell(*metric, results.estimate_in(*metric, Scope::All, *interval)));
        table.row(std::iter::once(results.header().label(*interval)).chain(cells));
    }
    let note = (all > MOST_INTERVALS).then(|| {
        format!("The {WORST} of {all} intervals with the lowest service level; --csv and --html have them all.")
    });
    (table, note)
}

impl Page {
    /// A sentence in its colour, broken at the page's width; later lines are set in under the first.
    pub(crate) fn paragraph(self, out: &mut String, lead: &str, line: &Line) {
        let mut column = lead.width();
        let mut body = String::new();
        for word in line.text.split(' ') {
            if column + word.width() + 1 > self.width && column > 2 {
                body.push_str("\n  ");
                column = 2;
            } else if !body.is_empty() {
                body.push(' ');
                column += 1;
            }
            body.push_str(word);
            column += word.width();
        }
        let code = match line.tone {
            Tone::Plain => "",
            Tone::Good => "1;32",
            Tone::Bad => "1;31",
            Tone::Unsure => "1;33",
        };
        if self.colour && !code.is_empty() {
            let _ = writeln!(out, "{lead}\u{1b}[{code}m{body}\u{1b}[0m");
        } else {
            let _ = writeln!(out, "{lead}{body}");
        }
    }
}

/// Columns of text; those of the highest rank go first where the page is narrow.
#[derive(Debug, Clone, Default)]
pub(crate) struct Table {
    heads: Vec<(String, u8)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(heads: &[(&str, u8)]) -> Self {
        Self { heads: heads.iter().map(|(head, rank)| ((*head).to_owned(), *rank)).collect(), rows: Vec::new() }
    }

    pub(crate) fn column(&mut self, head: &str, rank: u8) {
        self.heads.push((head.to_owned(), rank));
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells: Vec<String> = cells.into_iter().collect();
        assert_eq!(cells.len(), self.heads.len(), "a cell for each column");
        self.rows.push(cells);
    }

    /// Writes the table after an empty line; nothing where it has no rows. A column without content is left out.
    pub(crate) fn render(&self, out: &mut String, page: Page) {
        if self.rows.is_empty() {
            return;
        }
        let widths: Vec<usize> = self
            .heads
            .iter()
            .enumerate()
            .map(|(column, (head, _))| {
                self.rows.iter().map(|row| row[column].width()).max().unwrap_or(0).max(head.width())
            })
            .collect();
        let filled =
            |column: usize| column == 0 || self.rows.iter().any(|row| !row[column].is_empty() && row[column] != "–");
        let mut shown: Vec<usize> = (0..self.heads.len()).filter(|column| filled(*column)).collect();
        let total = |shown: &[usize]| shown.iter().map(|column| widths[*column] + 2).sum::<usize>().saturating_sub(2);
        while total(&shown) > page.width && shown.len() > 2 {
            let Some(place) = (1..shown.len()).max_by_key(|place| (self.heads[shown[*place]].1, *place)) else { break };
            shown.remove(place);
        }
        let mut line = |cells: &dyn Fn(usize) -> String, bold: bool| {
            let mut text = String::new();
            for (place, &column) in shown.iter().enumerate() {
                let cell = cells(column);
                let pad = " ".repeat(widths[column].saturating_sub(cell.width()));
                match place {
                    0 => text += &format!("{cell}{pad}"),
                    _ => text += &format!("  {pad}{cell}"),
                }
            }
            let text = text.trim_end();
            let _ =
                if bold && page.colour { writeln!(out, "\u{1b}[1m{text}\u{1b}[0m") } else { writeln!(out, "{text}") };
        };
        line(&|_| String::new(), false);
        line(&|column| self.heads[column].0.clone(), true);
        for row in &self.rows {
            line(&|column| row[column].clone(), false);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rendered(width: usize) -> String {
        let mut table = Table::new(&[("name", 0), ("kept", 0), ("goes first", 2), ("goes next", 1)]);
        table.row(["a".to_owned(), "1".to_owned(), "22".to_owned(), "333".to_owned()]);
        table.row(["保留中".to_owned(), "11".to_owned(), "2".to_owned(), "3".to_owned()]);
        let mut out = String::new();
        table.render(&mut out, Page { width, colour: false });
        out
    }

    #[test]
    fn a_narrow_page_loses_columns_by_rank_and_wide_letters_keep_the_columns_straight() {
        assert_eq!(
            rendered(80),
            "\nname    kept  goes first  goes next\na          1          22        333\n保留中    11           2          3\n"
        );
        assert_eq!(rendered(25), "\nname    kept  goes next\na          1        333\n保留中    11          3\n");
        assert_eq!(rendered(3), "\nname    kept\na          1\n保留中    11\n");
    }

    #[test]
    fn a_sentence_is_broken_between_words_and_coloured_as_a_whole() {
        let mut out = String::new();
        let line = Line { text: "one two three four".to_owned(), tone: Tone::Bad };
        Page { width: 12, colour: true }.paragraph(&mut out, "x: ", &line);
        assert_eq!(out, "x: \u{1b}[1;31mone two\n  three four\u{1b}[0m\n");
    }
}
