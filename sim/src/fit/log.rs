//! Reading call logs: one row a call, from plain or gzip-compressed CSV.
//!
//! No row is lost silently: every row is either a call or a [`Rejection`] with its file, line and reason.

use std::fmt;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use jiff::civil::{Date, DateTime};

use super::columns::{BankLayout, ColumnError, Field, Layout, Mapping, OwnLayout};

/// Microseconds in a second.
const SECOND_US: i64 = 1_000_000;
/// Seconds in a day.
const DAY_S: i64 = 86_400;

/// One call that wanted an operator.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Which file it came from, by its place in [`CallLog::files`].
    pub file: usize,
    /// Line in that file; the header is line 1.
    pub line: u64,
    /// Day on which the call arrived.
    pub date: Date,
    /// Arrival in microseconds since that day's midnight.
    pub at_us: i64,
    /// Wait until the answer, or until the caller left.
    pub wait_us: i64,
    /// The service; `None`: the caller abandoned.
    pub service: Option<Service>,
    /// Type of call, by its place in [`CallLog::kinds`].
    pub kind: usize,
    /// Priority; 0 is ordinary.
    pub priority: u8,
}

/// The time that a call spent with an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// Start in microseconds since the midnight of the call's day.
    pub start_us: i64,
    /// Length in microseconds.
    pub length_us: i64,
    /// Who served, by place in [`CallLog::operators`]; `None`: not recorded.
    pub operator: Option<usize>,
}

impl Call {
    /// Wait in seconds.
    #[must_use]
    pub fn wait_s(&self) -> f64 {
        self.wait_us as f64 / 1e6
    }

    /// Arrival in seconds since midnight.
    #[must_use]
    pub fn at_s(&self) -> f64 {
        self.at_us as f64 / 1e6
    }

    /// Length of the service in seconds; `None` if the caller abandoned.
    #[must_use]
    pub fn service_s(&self) -> Option<f64> {
        self.service.map(|s| s.length_us as f64 / 1e6)
    }
}

/// Why a row is not a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// Virtual call, not a caller.
    Phantom,
    /// The caller left in the voice-response unit and never asked for an operator.
    LeftBeforeQueue,
    /// The wait is negative or absurdly long.
    WaitOutOfRange,
    /// The service is negative or absurdly long.
    ServiceOutOfRange,
    /// The outcome is none that the reader knows.
    UnknownOutcome,
    /// A field is missing or cannot be read.
    Malformed,
}

impl Reason {
    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Phantom => "virtual call",
            Self::LeftBeforeQueue => "left before the queue",
            Self::WaitOutOfRange => "wait out of range",
            Self::ServiceOutOfRange => "service out of range",
            Self::UnknownOutcome => "unknown outcome",
            Self::Malformed => "malformed",
        }
    }
}

/// A row that is not a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Which file, by its place in [`CallLog::files`].
    pub file: usize,
    /// Line in that file.
    pub line: u64,
    /// Why.
    pub reason: Reason,
    /// What was found.
    pub found: String,
}

/// How a log is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadOptions {
    /// Names of the columns.
    pub mapping: Mapping,
    /// Longest believable wait in seconds.
    pub max_wait_s: i64,
    /// Longest believable service in seconds.
    pub max_service_s: i64,
}

impl Default for ReadOptions {
    fn default() -> Self {
        Self { mapping: Mapping::default(), max_wait_s: 3600, max_service_s: 7200 }
    }
}

/// What data a log is, where it is known: its source must be acknowledged wherever results from it are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Any other log.
    Unknown,
    /// Anonymous Bank call centre, 1999.
    AnonymousBank,
}

impl Source {
    /// The acknowledgement that goes with results.
    #[must_use]
    pub const fn acknowledgement(self) -> Option<&'static str> {
        match self {
            Self::Unknown => None,
            Self::AnonymousBank => {
                Some("Data: \"Anonymous Bank\" call-centre data, Ilan Guedj and Avishai Mandelbaum, Technion, 2000.")
            }
        }
    }
}

/// Calls of one or several log files, in order of day and arrival.
#[derive(Debug, Clone, PartialEq)]
pub struct CallLog {
    /// The calls, by day, arrival, file and line.
    pub calls: Vec<Call>,
    /// Rows that are no calls, in the order of the files.
    pub rejections: Vec<Rejection>,
    /// Files that were read.
    pub files: Vec<PathBuf>,
    /// Names of the call types, in alphabetical order.
    pub kinds: Vec<String>,
    /// Names of the operators, in alphabetical order.
    pub operators: Vec<String>,
    /// Rows read: calls, rejections and calls of days that were not asked for.
    pub rows: usize,
    /// Calls of days that were not asked for.
    pub not_wanted: usize,
    /// What data it is.
    pub source: Source,
}

/// A log that cannot be read at all.
#[derive(Debug)]
pub enum LogError {
    /// The file cannot be opened or read.
    Io {
        /// File.
        path: PathBuf,
        /// Last line that was read.
        line: u64,
        /// What the system said.
        error: io::Error,
    },
    /// The header does not fit.
    Header {
        /// File.
        path: PathBuf,
        /// What is missing.
        error: ColumnError,
    },
}

impl fmt::Display for LogError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, line: 0, error } => write!(f, "{}: cannot read it: {error}", path.display()),
            Self::Io { path, line, error } => write!(f, "{}:{line}: cannot read on: {error}", path.display()),
            Self::Header { path, error } => write!(f, "{}:1: {error}", path.display()),
        }
    }
}

impl std::error::Error for LogError {}

impl CallLog {
    /// Reads log files.
    ///
    /// # Errors
    /// If a file cannot be read, or its header lacks a needed column. Rows that cannot be used are no error; they are
    /// among [`Self::rejections`].
    pub fn read(paths: &[PathBuf], options: &ReadOptions) -> Result<Self, LogError> {
        let mut reader = Reader::new(options);
        for path in paths {
            let file = File::open(path).map_err(|error| LogError::Io { path: path.clone(), line: 0, error })?;
            let mut start = BufReader::new(file);
            let gzip = io::BufRead::fill_buf(&mut start)
                .map_err(|error| LogError::Io { path: path.clone(), line: 0, error })?
                .starts_with(&[0x1f, 0x8b]);
            if gzip {
                reader.read(path, MultiGzDecoder::new(start))?;
            } else {
                reader.read(path, start)?;
            }
        }
        Ok(reader.finish())
    }

    /// Reads one log from memory; `name` stands for its path in messages.
    ///
    /// # Errors
    /// As [`Self::read`].
    pub fn from_bytes(name: &str, bytes: &[u8], options: &ReadOptions) -> Result<Self, LogError> {
        let mut reader = Reader::new(options);
        reader.read(Path::new(name), bytes)?;
        Ok(reader.finish())
    }

    /// Keeps the calls of the days from `since` to `until`; the others are counted as not wanted.
    pub fn keep_days(&mut self, since: Option<Date>, until: Option<Date>) {
        let wanted = |c: &Call| since.is_none_or(|d| c.date >= d) && until.is_none_or(|d| c.date <= d);
        let before = self.calls.len();
        self.calls.retain(wanted);
        self.not_wanted += before - self.calls.len();
    }

    /// Rejected rows by reason, with counts.
    #[must_use]
    pub fn rejections_by_reason(&self) -> Vec<(Reason, usize)> {
        let mut counts: Vec<(Reason, usize)> = Vec::new();
        for rejection in &self.rejections {
            match counts.iter_mut().find(|(reason, _)| *reason == rejection.reason) {
                Some((_, n)) => *n += 1,
                None => counts.push((rejection.reason, 1)),
            }
        }
        counts.sort_unstable();
        counts
    }

    /// A rejection as `file:line: reason: what was found`.
    #[must_use]
    pub fn describe(&self, rejection: &Rejection) -> String {
        let Rejection { file, line, reason, found } = rejection;
        format!("{}:{line}: {}: {found}", self.files[*file].display(), reason.words())
    }

    /// Calls of each day, in order of days.
    #[must_use]
    pub fn days(&self) -> Vec<(Date, &[Call])> {
        self.calls.chunk_by(|a, b| a.date == b.date).map(|calls| (calls[0].date, calls)).collect()
    }
}

/// Names in the order of their first appearance, to be sorted at the end.
#[derive(Debug, Default)]
struct Names(std::collections::BTreeMap<String, usize>);

impl Names {
    fn index(&mut self, name: &str) -> usize {
        if let Some(&i) = self.0.get(name) {
            return i;
        }
        let i = self.0.len();
        self.0.insert(name.to_owned(), i);
        i
    }

    /// Names in alphabetical order, and the new place of each old index.
    fn sorted(self) -> (Vec<String>, Vec<usize>) {
        let mut place = vec![0; self.0.len()];
        let mut names = Vec::with_capacity(place.len());
        for (new, (name, old)) in self.0.into_iter().enumerate() {
            place[old] = new;
            names.push(name);
        }
        (names, place)
    }
}

struct Reader<'a> {
    options: &'a ReadOptions,
    calls: Vec<Call>,
    rejections: Vec<Rejection>,
    files: Vec<PathBuf>,
    kinds: Names,
    operators: Names,
    rows: usize,
    bank_files: usize,
}

/// What a row says, before names become indices.
struct Row<'a> {
    date: Date,
    at_us: i64,
    wait_us: i64,
    service: Option<(i64, i64)>,
    operator: &'a str,
    kind: &'a str,
    priority: u8,
}

/// A row that is refused, and why.
type Refused = (Reason, String);

fn malformed<T>(found: impl Into<String>) -> Result<T, Refused> {
    Err((Reason::Malformed, found.into()))
}

impl<'a> Reader<'a> {
    fn new(options: &'a ReadOptions) -> Self {
        Self {
            options,
            calls: Vec::new(),
            rejections: Vec::new(),
            files: Vec::new(),
            kinds: Names::default(),
            operators: Names::default(),
            rows: 0,
            bank_files: 0,
        }
    }

    fn read(&mut self, path: &Path, input: impl Read) -> Result<(), LogError> {
        let file = self.files.len();
        self.files.push(path.to_owned());
        let mut rows = csv::ReaderBuilder::new().flexible(true).has_headers(false).from_reader(input);
        let mut record = csv::ByteRecord::new();
        let mut line = 0;
        let mut next = |record: &mut csv::ByteRecord, line: &mut u64| -> Result<bool, LogError> {
            let more = rows.read_byte_record(record).map_err(|error| {
                let error = match error.into_kind() {
                    csv::ErrorKind::Io(error) => error,
                    other => io::Error::other(format!("{other:?}")),
                };
                LogError::Io { path: path.to_owned(), line: *line, error }
            })?;
            *line = record.position().map_or(*line, csv::Position::line);
            Ok(more)
        };
        if !next(&mut record, &mut line)? {
            let error = ColumnError("the file is empty; it needs a header line".to_owned());
            return Err(LogError::Header { path: path.to_owned(), error });
        }
        let header: Vec<String> = record
            .iter()
            .map(|field| String::from_utf8_lossy(field).trim().trim_start_matches('\u{feff}').to_owned())
            .collect();
        let layout = Layout::find(&header, &self.options.mapping)
            .map_err(|error| LogError::Header { path: path.to_owned(), error })?;
        if matches!(layout, Layout::AnonymousBank(_)) {
            self.bank_files += 1;
        }
        while next(&mut record, &mut line)? {
            self.rows += 1;
            let parsed = text_fields(&record, header.len()).and_then(|fields| {
                let row = match &layout {
                    Layout::Own(own) => own_row(own, &fields)?,
                    Layout::AnonymousBank(bank) => bank_row(bank, &fields)?,
                };
                self.check(&row)?;
                let service = row.service.map(|(start_us, length_us)| Service {
                    start_us,
                    length_us,
                    operator: (!row.operator.is_empty()).then(|| self.operators.index(row.operator)),
                });
                let (date, at_us, wait_us, priority) = (row.date, row.at_us, row.wait_us, row.priority);
                let kind = self.kinds.index(row.kind);
                Ok(Call { file, line, date, at_us, wait_us, service, kind, priority })
            });
            match parsed {
                Ok(call) => self.calls.push(call),
                Err((reason, found)) => self.rejections.push(Rejection { file, line, reason, found }),
            }
        }
        Ok(())
    }

    /// Whether the times of a row can be believed.
    fn check(&self, row: &Row<'_>) -> Result<(), Refused> {
        let max_wait = self.options.max_wait_s;
        if row.wait_us < 0 || row.wait_us > max_wait * SECOND_US {
            return Err((Reason::WaitOutOfRange, format!("{} s, not in 0 to {max_wait} s", row.wait_us as f64 / 1e6)));
        }
        let max_service = self.options.max_service_s;
        if let Some((_, length_us)) = row.service
            && (length_us < 0 || length_us > max_service * SECOND_US)
        {
            let found = format!("{} s, not in 0 to {max_service} s", length_us as f64 / 1e6);
            return Err((Reason::ServiceOutOfRange, found));
        }
        Ok(())
    }

    fn finish(self) -> CallLog {
        let (kinds, kind_place) = self.kinds.sorted();
        let (operators, operator_place) = self.operators.sorted();
        let mut calls = self.calls;
        for call in &mut calls {
            call.kind = kind_place[call.kind];
            if let Some(service) = &mut call.service {
                service.operator = service.operator.map(|o| operator_place[o]);
            }
        }
        calls.sort_by_key(|call| (call.date, call.at_us, call.file, call.line));
        let source = if self.bank_files > 0 { Source::AnonymousBank } else { Source::Unknown };
        CallLog {
            calls,
            rejections: self.rejections,
            files: self.files,
            kinds,
            operators,
            rows: self.rows,
            not_wanted: 0,
            source,
        }
    }
}

fn text_fields(record: &csv::ByteRecord, columns: usize) -> Result<Vec<&str>, Refused> {
    if record.len() != columns {
        return malformed(format!("{} fields where the header has {columns}", record.len()));
    }
    record
        .iter()
        .map(|field| match std::str::from_utf8(field) {
            Ok(text) => Ok(text.trim()),
            Err(_) => malformed(format!("`{}` is not UTF-8", String::from_utf8_lossy(field))),
        })
        .collect()
}

/// A time of day `hh:mm:ss`, with or without fractions of a second, in microseconds since midnight.
fn time_of_day(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let mut whole = |limit: i64| -> Option<i64> {
        let part = parts.next()?;
        (part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit()))
            .then(|| part.parse().ok())
            .flatten()
            .filter(|n| *n < limit)
    };
    let (hours, minutes) = (whole(24)?, whole(60)?);
    let seconds_us = span(parts.next().unwrap_or("0")).filter(|s| (0..60 * SECOND_US).contains(s))?;
    Some((hours * 3600 + minutes * 60) * SECOND_US + seconds_us)
}

/// A number of seconds in microseconds, such as `12`, `-3` or `4.25`.
fn span(text: &str) -> Option<i64> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 9 || !plain(whole) || !plain(fraction) {
        return None;
    }
    let mut us: i64 = whole.parse::<i64>().ok()? * SECOND_US;
    let mut unit = SECOND_US / 10;
    for digit in fraction.bytes().take(6) {
        us += i64::from(digit - b'0') * unit;
        unit /= 10;
    }
    Some(if negative { -us } else { us })
}

/// A length: seconds, or `hh:mm:ss`.
fn length(text: &str) -> Option<i64> {
    if text.contains(':') { time_of_day(text) } else { span(text) }
}

fn needed<T>(what: &str, text: &str, value: Option<T>, right: &str) -> Result<T, Refused> {
    value.map_or_else(|| malformed(format!("{what} is `{text}`; it must be {right}")), Ok)
}

fn own_row<'a>(layout: &OwnLayout, fields: &[&'a str]) -> Result<Row<'a>, Refused> {
    let text = |field: Field| layout.at(field).map_or("", |at| fields[at]);
    let arrival = text(Field::Arrival);
    let (date, at_us) = if layout.at(Field::Date).is_some() {
        let day = text(Field::Date);
        let date: Date = needed("date", day, day.parse().ok(), "a day such as 2024-01-31")?;
        (date, needed("arrival", arrival, time_of_day(arrival), "a time such as 09:30:05")?)
    } else {
        let right = "a date and time such as 2024-01-31T09:30:05 (or give a date column)";
        let moment: DateTime = needed("arrival", arrival, arrival.parse().ok(), right)?;
        let t = moment.time();
        let seconds = i64::from(t.hour()) * 3600 + i64::from(t.minute()) * 60 + i64::from(t.second());
        (moment.date(), seconds * SECOND_US + i64::from(t.subsec_nanosecond()) / 1000)
    };
    let wait = text(Field::Wait);
    let wait_us = needed("wait_s", wait, length(wait), "seconds or hh:mm:ss")?;
    let service = text(Field::Service);
    let outcome = text(Field::Outcome);
    let answered = match outcome.to_ascii_lowercase().as_str() {
        "" => !service.is_empty(),
        "answered" | "agent" | "served" | "handled" | "connected" | "completed" => true,
        "abandoned" | "abandon" | "hang" | "hangup" | "reneged" | "no answer" => false,
        "phantom" | "test" | "virtual" => return Err((Reason::Phantom, format!("outcome `{outcome}`"))),
        _ => return Err((Reason::UnknownOutcome, format!("`{outcome}`; it must be answered or abandoned"))),
    };
    let service = if answered {
        let length_us = needed("service_s", service, length(service), "seconds or hh:mm:ss")?;
        let started = text(Field::Answered);
        let start_us = if started.is_empty() {
            at_us + wait_us
        } else {
            // A full date and time, or a time of day; a service that seems to begin half a day early began after midnight.
            let time = started.rsplit(['T', ' ']).next().unwrap_or(started);
            let of_day = needed("answered", started, time_of_day(time), "a time such as 09:30:05")?;
            after_midnight(of_day, at_us)
        };
        Some((start_us, length_us))
    } else {
        None
    };
    let priority = text(Field::Priority);
    let priority = if priority.is_empty() {
        0
    } else {
        needed("priority", priority, priority.parse().ok(), "a whole number from 0 to 255")?
    };
    Ok(Row { date, at_us, wait_us, service, operator: text(Field::Operator), kind: text(Field::Type), priority })
}

/// A time of day that lies more than half a day before `reference_us` belongs to the next day.
fn after_midnight(of_day_us: i64, reference_us: i64) -> i64 {
    let day = DAY_S * SECOND_US;
    if of_day_us + day / 2 < reference_us { of_day_us + day } else { of_day_us }
}

fn bank_row<'a>(layout: &BankLayout, fields: &[&'a str]) -> Result<Row<'a>, Refused> {
    let clock = |name: &str, at: usize| needed(name, fields[at], time_of_day(fields[at]), "a time such as 09:30:05");
    let seconds = |name: &str, at: usize| needed(name, fields[at], span(fields[at]), "whole seconds");
    let date: Date = needed("date", fields[layout.date], fields[layout.date].parse().ok(), "a day such as 1999-01-31")?;
    let answered = match fields[layout.outcome] {
        "AGENT" => true,
        "HANG" => false,
        "PHANTOM" => return Err((Reason::Phantom, "outcome PHANTOM".to_owned())),
        other => return Err((Reason::UnknownOutcome, format!("`{other}`; it must be AGENT, HANG or PHANTOM"))),
    };
    let (vru_entry, vru_exit) = (clock("vru_entry", layout.vru_entry)?, clock("vru_exit", layout.vru_exit)?);
    let (q_start, wait_us) = (clock("q_start", layout.q_start)?, seconds("q_time", layout.q_time)?);
    if !answered && q_start == 0 {
        return Err((Reason::LeftBeforeQueue, "HANG with q_start 00:00:00".to_owned()));
    }
    // A caller wants an operator from the end of the voice-response unit on, or from the start of the queue.
    let vru_exit = after_midnight(vru_exit, vru_entry);
    let at_us = if q_start == 0 { vru_exit } else { after_midnight(q_start, vru_exit) };
    let service = if answered {
        let (start, length_us) = (clock("ser_start", layout.ser_start)?, seconds("ser_time", layout.ser_time)?);
        // 00:00:00 with no length: an answer whose service was not recorded.
        let missing = start == 0 && length_us == 0;
        let start_us = if missing { at_us + wait_us } else { after_midnight(start, at_us) };
        Some((start_us, length_us))
    } else {
        None
    };
    let text = fields[layout.priority];
    let recorded: u8 = needed("priority", text, text.parse().ok(), "a whole number from 0 to 255")?;
    // The centre knew two classes: 2 was high, 0 and 1 were ordinary.
    let priority = u8::from(recorded >= 2);
    let (operator, kind) = (fields[layout.server], fields[layout.kind]);
    Ok(Row { date, at_us, wait_us, service, operator, kind, priority })
}

#[cfg(test)]
mod tests;
