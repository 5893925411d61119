//! What is wrong with a file, and where: for people to read.

use std::cell::OnceCell;
use std::fmt;
use std::ops::Range;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Longest part of a source line that is shown, in columns of a terminal.
const SHOWN_WIDTH: usize = 110;

/// One mistake in an input file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file's name as given.
    pub file: String,
    /// Line from 1; 0 where the whole file is meant.
    pub line: usize,
    /// Column from 1, in characters.
    pub column: usize,
    /// What was found and what would be right.
    pub message: String,
    /// How to put it right, where that is more than the message says.
    pub help: Option<String>,
    /// The line itself, shortened around the place if it is very long.
    pub source: String,
    /// Spaces (terminal columns) before the underline.
    pub indent: usize,
    /// Length of the underline in terminal columns, at least 1.
    pub width: usize,
}

/// Everything that is wrong with an input; at least one problem.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl Problem {
    /// A problem of a whole file, such as one that cannot be read.
    pub(crate) fn of_file(file: &str, message: String) -> Self {
        Self {
            file: file.to_owned(),
            line: 0,
            column: 0,
            message,
            help: None,
            source: String::new(),
            indent: 0,
            width: 0,
        }
    }

    /// The problem as text with the underlined line, ending in a line feed.
    ///
    /// With `colour`, ANSI colours mark the message and the underline.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let (bold, red, blue, reset) =
            if colour { ("\x1b[1m", "\x1b[1;31m", "\x1b[34m", "\x1b[0m") } else { ("", "", "", "") };
        if self.line == 0 {
            return format!("{bold}{}:{reset} {red}error:{reset} {bold}{}{reset}\n", self.file, self.message);
        }
        let number = self.line.to_string();
        let gutter = " ".repeat(number.len());
        let mut text = format!(
            "{bold}{}:{}:{}:{reset} {red}error:{reset} {bold}{}{reset}\n",
            self.file, self.line, self.column, self.message
        );
        text.push_str(&format!("{gutter} {blue}|{reset}\n{blue}{number} |{reset} {}\n", self.source));
        let indent = " ".repeat(self.indent);
        let underline = "^".repeat(self.width);
        text.push_str(&format!("{gutter} {blue}|{reset} {indent}{red}{underline}{reset}\n"));
        if let Some(help) = &self.help {
            text.push_str(&format!("{gutter} {blue}={reset} {help}\n"));
        }
        text
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl Problems {
    /// All problems as text, with a count at the end if there is more than one.
    #[must_use]
    pub fn render(&self, colour: bool) -> String {
        let mut text = String::new();
        for (i, problem) in self.0.iter().enumerate() {
            if i > 0 {
                text.push('\n');
            }
            text.push_str(&problem.render(colour));
        }
        if self.0.len() > 1 {
            text.push_str(&format!("\n{} errors\n", self.0.len()));
        }
        text
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.render(false).trim_end())
    }
}

impl std::error::Error for Problems {}

/// A text with its name, in which places can be pointed at.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    /// Name for messages.
    pub(crate) name: String,
    /// The text.
    pub(crate) text: String,
    /// Where lines begin; found when the first problem is told.
    lines: OnceCell<Vec<usize>>,
}

impl Source {
    pub(crate) fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into(), lines: OnceCell::new() }
    }

    /// The number of the line, from 0, in which a byte lies.
    fn line(&self, byte: usize) -> usize {
        let lines = self.lines.get_or_init(|| self.text.match_indices('\n').map(|(at, _)| at + 1).collect());
        lines.partition_point(|start| *start <= byte)
    }

    /// A problem at a range of bytes; a range outside the text is moved to its end.
    pub(crate) fn problem(&self, at: Range<usize>, message: String, help: Option<String>) -> Problem {
        let start = self.boundary(at.start);
        let end = self.boundary(at.end).max(start);
        let line_start = self.text[..start].rfind('\n').map_or(0, |i| i + 1);
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |i| start + i);
        let line = self.text[line_start..line_end].trim_end_matches('\r');
        let start_in_line = (start - line_start).min(line.len());
        let before = &line[..start_in_line];
        let marked = &line[start_in_line..(end - line_start).min(line.len()).max(start_in_line)];
        let (source, indent) = shown(line, before, marked);
        Problem {
            file: self.name.clone(),
            line: self.line(start) + 1,
            column: before.chars().count() + 1,
            message,
            help,
            width: printable(marked).width().clamp(1, SHOWN_WIDTH.saturating_sub(indent).max(1)),
            source,
            indent,
        }
    }

    /// The nearest character boundary at or before a byte.
    fn boundary(&self, byte: usize) -> usize {
        let mut byte = byte.min(self.text.len());
        while !self.text.is_char_boundary(byte) {
            byte -= 1;
        }
        byte
    }
}

/// The part of a line to show, and the columns before the marked part in it.
fn shown(line: &str, before: &str, marked: &str) -> (String, usize) {
    let line = printable(line);
    let before = printable(before);
    let marked_width = printable(marked).width();
    let indent = before.width();
    if line.width() <= SHOWN_WIDTH {
        return (line, indent);
    }
    let mut skipped = 0;
    let mut text = String::new();
    if indent + marked_width.min(SHOWN_WIDTH / 2) > SHOWN_WIDTH - 10 {
        text.push('…');
        skipped = indent.saturating_sub(SHOWN_WIDTH / 3);
    }
    let lead = text.width();
    let mut column = 0;
    let mut first_kept = None;
    for c in line.chars() {
        let width = c.width().unwrap_or(0);
        if column >= skipped {
            first_kept.get_or_insert(column);
            if text.width() + width >= SHOWN_WIDTH {
                text.push('…');
                break;
            }
            text.push(c);
        }
        column += width;
    }
    (text, indent - first_kept.unwrap_or(indent).min(indent) + lead)
}

/// The text with tabs as four spaces and control characters replaced, so that columns can be counted.
fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\t' => out.push_str("    "),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// The candidate that was most likely meant by `found`, if one is near.
pub(crate) fn nearest<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain = |text: &str| text.to_lowercase().replace(['-', ' '], "_");
    let wanted = plain(found);
    if wanted.is_empty() || wanted.chars().count() > 60 {
        return None;
    }
    let mut best: Option<(usize, &str)> = None;
    for candidate in candidates {
        let name = plain(candidate);
        let unit_forgotten = name.strip_prefix(&wanted).is_some_and(|rest| rest.starts_with('_'));
        let distance = if unit_forgotten { 1 } else { strsim::damerau_levenshtein(&wanted, &name) };
        let allowed = (wanted.chars().count().max(name.chars().count()) / 3).max(1);
        if distance <= allowed && best.is_none_or(|(least, _)| distance < least) {
            best = Some((distance, candidate));
        }
    }
    best.map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", or the list of what there is if nothing is near and the list is short.
pub(crate) fn suggestion<'a>(found: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> Option<String> {
    if let Some(near) = nearest(found, candidates.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let all: Vec<String> = candidates.into_iter().map(|name| format!("`{name}`")).collect();
    match all.len() {
        0 => None,
        1 => Some(format!("there is only {}", all[0])),
        2..=40 => Some(format!("one of {}", all.join(", "))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("x.toml", text)
    }

    #[test]
    fn a_place_is_counted_in_characters_and_underlined_in_columns() {
        let source = source("a = 1\n待機 = \"業務\" # x\n");
        let at = source.text.find('"').unwrap()..source.text.rfind('"').unwrap() + 1;
        let problem = source.problem(at, "m".into(), None);
        assert_eq!((problem.line, problem.column), (2, 6));
        // Two wide characters, a space, an equals sign, a space; then two quotes around two wide characters.
        assert_eq!((problem.indent, problem.width), (7, 6));
    }

    #[test]
    fn a_very_long_line_is_shown_around_the_place() {
        let source = source(&format!("x = [{}]", "12345, ".repeat(1000)));
        let problem = source.problem(5000..5005, "m".into(), None);
        assert!(problem.source.width() <= SHOWN_WIDTH + 1, "{}", problem.source.width());
        let marked: String = problem.source.chars().skip(problem.indent).take(5).collect();
        assert_eq!(marked, source.text[5000..5005]);
    }

    #[test]
    fn a_place_beyond_the_text_is_its_end() {
        let problem = source("ab\n").problem(10..20, "m".into(), None);
        assert_eq!((problem.line, problem.column, problem.width), (2, 1, 1));
        let problem = source("").problem(0..0, "m".into(), None);
        assert_eq!((problem.line, problem.column), (1, 1));
    }

    #[test]
    fn near_names_are_found() {
        let keys = ["patience", "priority", "ring_limit_s", "ring_step_s", "longest-idle"];
        assert_eq!(nearest("patiance", keys), Some("patience"));
        assert_eq!(nearest("ring_limit", keys), Some("ring_limit_s"));
        assert_eq!(nearest("Longest_Idle", keys), Some("longest-idle"));
        assert_eq!(nearest("zebra", keys), None);
    }
}
