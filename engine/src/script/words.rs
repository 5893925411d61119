//! Lines of a script into words with their places, and a cursor that reads them and says what would have been right.

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;

use super::ScriptError;
use crate::number::PhoneNumber;
use crate::time::{Instant, Span};

/// A word, a quoted text, or one of the marks `;` `,` `:` `=` `>=` `->`.
#[derive(Clone, Debug)]
pub(super) struct Word {
    pub(super) text: String,
    pub(super) kind: WordKind,
    pub(super) line: u32,
    pub(super) column: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WordKind {
    Plain,
    Quoted,
    Mark,
}

/// A statement: a line and those that continue it, or a `reconfigure` with its block.
#[derive(Debug)]
pub(super) struct Statement {
    pub(super) words: Vec<Word>,
    /// The indented statements of a `reconfigure`.
    pub(super) block: Vec<Self>,
}

struct Row {
    indent: usize,
    words: Vec<Word>,
}

impl Row {
    /// A timed command, which never continues the line above.
    fn is_timed(&self) -> bool {
        matches!(self.words.as_slice(), [t, mark, ..] if t.is("t") && mark.is("="))
    }
}

/// Marks the end of a line that continues; separates steps of a flow, and means nothing elsewhere.
pub(super) const NEW_LINE: &str = "\n";

/// Splits a text into statements.
pub(super) fn statements(text: &str) -> Result<Vec<Statement>, ScriptError> {
    let mut rows = Vec::new();
    for (number, line) in (1u32..).zip(text.lines()) {
        let words = split(line, number)?;
        if !words.is_empty() {
            rows.push(Row { indent: line.chars().take_while(|c| c.is_whitespace()).count(), words });
        }
    }
    Ok(group(&mut rows.into_iter().peekable(), None))
}

fn group(rows: &mut core::iter::Peekable<alloc::vec::IntoIter<Row>>, deeper_than: Option<usize>) -> Vec<Statement> {
    let mut all = Vec::new();
    while rows.peek().is_some_and(|row| deeper_than.is_none_or(|indent| row.indent > indent && !row.is_timed())) {
        let Some(Row { indent, mut words }) = rows.next() else { break };
        let mut block = Vec::new();
        if words.iter().any(|word| word.is("reconfigure")) {
            block = group(rows, Some(indent));
        } else if !words.first().is_some_and(|head| head.is("floor") || head.is("service")) {
            while rows.peek().is_some_and(|row| row.indent > indent && !row.is_timed()) {
                let Some(row) = rows.next() else { break };
                if let Some(&Word { line, column, .. }) = row.words.first() {
                    words.push(Word { text: NEW_LINE.to_owned(), kind: WordKind::Mark, line, column });
                }
                words.extend(row.words);
            }
        }
        all.push(Statement { words, block });
    }
    all
}

fn split(line: &str, number: u32) -> Result<Vec<Word>, ScriptError> {
    let chars: Vec<char> = line.chars().collect();
    let mut words = Vec::new();
    let mut at = 0;
    let column = |at: usize| u32::try_from(at + 1).unwrap_or(u32::MAX);
    let blank = |at: usize| chars.get(at).is_none_or(|c| c.is_whitespace());
    let mark = |at: usize| match (chars.get(at), chars.get(at + 1)) {
        (Some('-'), Some('>')) | (Some('>'), Some('=')) => 2,
        (Some(';' | ',' | '='), _) => 1,
        (Some(':'), _) if blank(at + 1) => 1,
        _ => 0,
    };
    while at < chars.len() {
        let start = at;
        if chars[at].is_whitespace() {
            at += 1;
        } else if chars[at] == '#' {
            break;
        } else if chars[at] == '"' {
            at += 1;
            while at < chars.len() && chars[at] != '"' {
                at += 1;
            }
            if at == chars.len() {
                return Err(ScriptError::at(number, column(start), "a quote that is not closed", "a second \""));
            }
            let text = chars[start + 1..at].iter().collect();
            at += 1;
            words.push(Word { text, kind: WordKind::Quoted, line: number, column: column(start) });
        } else if mark(at) > 0 {
            at += mark(at);
            let text = chars[start..at].iter().collect();
            words.push(Word { text, kind: WordKind::Mark, line: number, column: column(start) });
        } else {
            while !blank(at) && chars[at] != '"' && mark(at) == 0 {
                at += 1;
            }
            let text = chars[start..at].iter().collect();
            words.push(Word { text, kind: WordKind::Plain, line: number, column: column(start) });
        }
    }
    Ok(words)
}

impl Word {
    /// Whether this is the unquoted word or mark `text`.
    pub(super) fn is(&self, text: &str) -> bool {
        self.kind != WordKind::Quoted && self.text == text
    }
}

/// Reads words one after another.
#[derive(Clone, Debug)]
pub(super) struct Cursor<'a> {
    words: &'a [Word],
    at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(words: &'a [Word]) -> Self {
        Self { words, at: 0 }
    }

    pub(super) fn peek(&self) -> Option<&'a Word> {
        self.words[self.at..].iter().find(|word| word.text != NEW_LINE)
    }

    pub(super) fn next(&mut self) -> Option<&'a Word> {
        while let Some(word) = self.words.get(self.at) {
            self.at += 1;
            if word.text != NEW_LINE {
                return Some(word);
            }
        }
        None
    }

    pub(super) fn is_done(&self) -> bool {
        self.peek().is_none()
    }

    /// The error that the word here is not what would be right.
    pub(super) fn fail(&self, right: impl Into<String>) -> ScriptError {
        match self.peek() {
            Some(word) => ScriptError::at(word.line, word.column, format!("{:?}", word.text), right),
            None => {
                let (line, column) = self.words.last().map_or((1, 1), |last| {
                    let width = u32::try_from(last.text.chars().count()).unwrap_or(0);
                    (last.line, last.column + width)
                });
                ScriptError::at(line, column, "the end of the line", right)
            }
        }
    }

    /// Steps over the word or mark, if it is here.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let here = self.peek().is_some_and(|word| word.is(text));
        if here {
            self.next();
        }
        here
    }

    /// Steps over a word or mark that must be here.
    pub(super) fn need(&mut self, text: &str) -> Result<(), ScriptError> {
        if self.eat(text) { Ok(()) } else { Err(self.fail(format!("{text:?}")).suggest(self.peek(), &[text])) }
    }

    /// A word or quoted text.
    pub(super) fn text(&mut self, what: &str) -> Result<&'a str, ScriptError> {
        match self.peek() {
            Some(word) if word.kind != WordKind::Mark => {
                self.next();
                Ok(&word.text)
            }
            _ => Err(self.fail(what)),
        }
    }

    /// One of some words.
    pub(super) fn one_of<T: Copy>(&mut self, choices: &[(&str, T)]) -> Result<T, ScriptError> {
        if let Some(word) = self.peek()
            && let Some(&(_, value)) = choices.iter().find(|&&(name, _)| word.is(name))
        {
            self.next();
            return Ok(value);
        }
        let names: Vec<&str> = choices.iter().map(|&(name, _)| name).collect();
        Err(self.fail(either(&names)).suggest(self.peek(), &names))
    }

    /// A whole number in a range.
    pub(super) fn number(&mut self, what: &str, least: u64, most: u64) -> Result<u64, ScriptError> {
        let value = self.peek().and_then(|word| word.text.parse::<u64>().ok());
        match value.filter(|value| (least..=most).contains(value)) {
            Some(value) => {
                self.next();
                Ok(value)
            }
            None if most == u64::MAX => Err(self.fail(format!("{what}, a whole number"))),
            None => Err(self.fail(format!("{what}, {least} to {most}"))),
        }
    }

    /// A whole number that fits `T`.
    pub(super) fn small<T: TryFrom<u64>>(&mut self, what: &str, most: u64) -> Result<T, ScriptError> {
        let here = self.clone();
        let value = self.number(what, 0, most)?;
        T::try_from(value).map_err(|_| here.fail(format!("{what}, 0 to {most}")))
    }

    /// A length of time: `15s`, `0.25s`, `250ms`, `1m30s`, `14d`; a bare number is seconds.
    pub(super) fn span(&mut self, what: &str) -> Result<Span, ScriptError> {
        match self.peek().and_then(|word| micros(&word.text)) {
            Some(micros) => {
                self.next();
                Ok(Span::from_micros(micros))
            }
            None => Err(self.fail(format!("{what}, a time such as 15s, 250ms, 1m30s or 2h"))),
        }
    }

    /// A moment: as a length of time since the origin, or `hh:mm:ss`.
    pub(super) fn instant(&mut self, what: &str) -> Result<Instant, ScriptError> {
        match self.peek().and_then(|word| micros(&word.text).or_else(|| clock(&word.text))) {
            Some(micros) => {
                self.next();
                Ok(Instant::from_micros(micros))
            }
            None => Err(self.fail(format!("{what}, a moment such as 15, 0.5, 1m30s or 00:01:30"))),
        }
    }

    /// A length of time, or `none`.
    pub(super) fn span_or_none(&mut self, what: &str) -> Result<Option<Span>, ScriptError> {
        if self.eat("none") { Ok(None) } else { self.span(&format!("{what} or none")).map(Some) }
    }

    /// A telephone number.
    pub(super) fn phone(&mut self, what: &str) -> Result<PhoneNumber, ScriptError> {
        let here = self.clone();
        self.text(&format!("{what}, a telephone number"))?.parse().map_err(|problem| here.fail(format!("{problem}")))
    }

    /// A key of a telephone.
    pub(super) fn key(&mut self) -> Result<char, ScriptError> {
        let here = self.clone();
        let text = self.text("a key of a telephone: 0-9, * or \"#\"")?;
        let mut chars = text.chars();
        match (chars.next(), chars.next()) {
            (Some(key), None) => Ok(key),
            _ => Err(here.fail("one key of a telephone: 0-9, * or \"#\"")),
        }
    }

    /// The place of a known name in its list.
    pub(super) fn known<'n>(
        &mut self,
        what: &str,
        names: impl Iterator<Item = &'n str> + Clone,
    ) -> Result<usize, ScriptError> {
        let here = self.clone();
        let what = format!("{} {what}", if what.starts_with('o') { "an" } else { "a" });
        let text = self.text(&what)?;
        match names.clone().position(|name| name == text) {
            Some(place) => Ok(place),
            None => {
                let names: Vec<&str> = names.collect();
                let right = match names.len() {
                    0 => format!("{what}, but none is described at the head"),
                    1..=6 => format!("{what}: {}", either(&names)),
                    _ => format!("{what} that is described at the head"),
                };
                Err(here.fail(right).suggest(here.peek(), &names))
            }
        }
    }

    /// Nothing more may follow.
    pub(super) fn finish(&self) -> Result<(), ScriptError> {
        if self.is_done() { Ok(()) } else { Err(self.fail("the end of the command")) }
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn either(names: &[&str]) -> String {
    match names {
        [] => "nothing".to_owned(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Microseconds of `15`, `15s`, `0.5`, `250ms`, `1m30s`, `14d`.
fn micros(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total = 0u64;
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (figure, after) = rest.split_at(end);
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(end);
        let unit: u64 = match unit {
            "us" => 1,
            "ms" => 1_000,
            "s" => 1_000_000,
            "" if rest.len() == text.len() && after.is_empty() => 1_000_000,
            "m" => 60_000_000,
            "h" => 3_600_000_000,
            "d" => 86_400_000_000,
            _ => return None,
        };
        total = total.checked_add(scaled(figure, unit)?)?;
        rest = after;
    }
    Some(total)
}

/// A decimal figure times a unit, where that is whole.
fn scaled(figure: &str, unit: u64) -> Option<u64> {
    let (whole, fraction) = figure.split_once('.').unwrap_or((figure, ""));
    if figure.contains('.') && fraction.is_empty() {
        return None;
    }
    let mut total = whole.parse::<u64>().ok()?.checked_mul(unit)?;
    let mut unit = unit;
    for digit in fraction.chars() {
        let digit = u64::from(digit.to_digit(10)?);
        if digit != 0 && !unit.is_multiple_of(10) {
            return None;
        }
        unit /= 10;
        total = total.checked_add(digit * unit)?;
    }
    Some(total)
}

/// Microseconds of `hh:mm:ss` or `hh:mm:ss.ffffff`.
fn clock(text: &str) -> Option<u64> {
    let mut parts = text.split(':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() {
        return None;
    }
    scaled(hours, 3_600_000_000)?.checked_add(scaled(minutes, 60_000_000)?)?.checked_add(scaled(seconds, 1_000_000)?)
}

/// Seconds without a blank, as a script has them: `15s`, `0.25s`.
pub(super) fn seconds(span: Span) -> String {
    span.to_string().replace(' ', "")
}

/// A moment as a script has it: `15`, `0.25`.
pub(super) fn moment(at: Instant) -> String {
    let text = at.since(Instant::ZERO).to_string();
    text.strip_suffix(" s").unwrap_or(&text).to_owned()
}

/// A name as a script has it: quoted where it would not be read as one word.
pub(super) fn name(text: &str) -> String {
    let plain = !text.is_empty()
        && !text.starts_with('#')
        && !text.ends_with(':')
        && !text.contains(|c: char| c.is_whitespace() || matches!(c, '"' | ';' | ',' | '='))
        && !text.contains("->");
    if plain { text.to_owned() } else { format!("\"{text}\"") }
}

/// Of `names`, the one that was probably meant by `text`.
pub(super) fn closest<'n>(text: &str, names: &[&'n str]) -> Option<&'n str> {
    let allowed = match text.chars().count() {
        0..=2 => 1,
        3..=5 => 2,
        _ => 3,
    };
    names
        .iter()
        .map(|&name| (distance(text, name), name))
        .filter(|&(distance, name)| distance <= allowed && distance < name.chars().count())
        .min_by_key(|&(distance, _)| distance)
        .map(|(_, name)| name)
}

/// Letters to insert, drop or change to make one text of the other (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_whole_microseconds() {
        assert_eq!(micros("15"), Some(15_000_000));
        assert_eq!(micros("15s"), Some(15_000_000));
        assert_eq!(micros("0.5"), Some(500_000));
        assert_eq!(micros("250ms"), Some(250_000));
        assert_eq!(micros("1m30s"), Some(90_000_000));
        assert_eq!(micros("14d"), Some(14 * 86_400_000_000));
        assert_eq!(micros("0.000001s"), Some(1));
        assert_eq!(micros("0.0000001s"), None);
        assert_eq!(micros("1m30"), None);
        assert_eq!(micros("5x"), None);
        assert_eq!(micros(""), None);
        assert_eq!(clock("01:00:00.000001"), Some(3_600_000_001));
        assert_eq!(micros(&seconds(Span::from_micros(u64::MAX))), Some(u64::MAX));
    }

    #[test]
    fn marks_and_quotes_are_told_apart() {
        let words = split("flow: menu 5s: 1->a, \"#\" -> b; t=0 x>=3 at 00:01:30 # gone", 1).unwrap();
        let texts: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        assert_eq!(
            texts,
            [
                "flow", ":", "menu", "5s", ":", "1", "->", "a", ",", "#", "->", "b", ";", "t", "=", "0", "x", ">=",
                "3", "at", "00:01:30"
            ]
        );
    }

    #[test]
    fn suggestions_are_near() {
        assert_eq!(closest("queu", &["skill", "queue"]), Some("queue"));
        assert_eq!(closest("anwsers", &["answers", "declines"]), Some("answers"));
        assert_eq!(closest("zebra", &["answers", "declines"]), None);
    }
}
