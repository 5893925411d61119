//! A day of a long journal, read from the journal's beginning and from the mark before it:
//! `cargo bench -p callfloor-benches --bench days -- [--days 180] [--calls-a-day 6000] [--in DIRECTORY]`.
//!
//! The journal is written as a server writes it: 50 operators of the demonstration's floor, calls that are answered, talked and
//! ended from 8 to 20 o'clock. What is read is compared, byte for byte.

use std::path::{Path, PathBuf};
use std::time::Instant as Clock;

use callfloor_engine::{
    Action, CallId, Command, Engine, EngineConfig, Instant, OperatorId, Output, ServiceId, StatusChoice, StepId,
};
use callfloor_server::host::{Digest, Input};
use callfloor_server::planning::{Marks, recorded};
use callfloor_server::storage::sqlite::{SqliteReader, SqliteStorage};
use callfloor_server::storage::{Batch, Entry, Writer as _};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

const OPERATORS: u32 = 50;
/// Midnight of 1 January 2026, UTC.
const BEGIN_US: u64 = 1_767_225_600_000_000;
const DAY_US: u64 = 86_400_000_000;

/// A floor that writes its journal.
struct Floor {
    engine: Engine,
    writer: SqliteStorage,
    batch: Batch,
    sequence: u64,
    /// Calls that talk, with whom, in the order of their answers.
    talking: std::collections::VecDeque<(CallId, OperatorId)>,
}

impl Floor {
    fn new(directory: &Path) -> Self {
        let mut floor = callfloor_server::demo::floor().expect("a floor").into_floor();
        for at in floor.operators.len()..OPERATORS as usize {
            let mut operator = floor.operators[0].clone();
            operator.name = format!("op{}", at + 1);
            operator.cti_id = Some(operator.name.clone());
            operator.cti_number = Some(format!("{}", 201 + at).parse().expect("a number"));
            floor.operators.push(operator);
        }
        let config = EngineConfig::new(floor).expect("a floor");
        let begin = Input::Begin(Box::new(config.clone())).encode(Digest::default());
        let entry = Entry { sequence: 1, at: Instant::from_micros(BEGIN_US), input: begin };
        Self {
            engine: Engine::new(config),
            writer: SqliteStorage::open(directory).expect("a store"),
            batch: Batch { entries: vec![entry], ..Batch::default() },
            sequence: 1,
            talking: std::collections::VecDeque::new(),
        }
    }

    fn order(&mut self, now: u64, command: Command) -> Vec<Output> {
        let (at, mut digest, mut out) = (Instant::from_micros(now), Digest::default(), Vec::new());
        while let Some(due) = self.engine.next_deadline().filter(|due| *due <= at) {
            self.engine.advance(due, &mut out);
            out.drain(..).for_each(|output| digest.add(due, &output));
        }
        self.engine.apply(at, command.clone(), &mut out).expect("it may");
        out.iter().for_each(|output| digest.add(at, output));
        self.sequence += 1;
        self.batch.entries.push(Entry { sequence: self.sequence, at, input: Input::Command(command).encode(digest) });
        if self.batch.entries.len() >= 10_000 {
            self.commit();
        }
        out
    }

    fn commit(&mut self) {
        self.writer.commit(&std::mem::take(&mut self.batch)).expect("it commits");
    }

    fn day(&mut self, day: u64, calls: u64) {
        let opening = BEGIN_US + day * DAY_US + 8 * 3_600_000_000;
        for operator in (0..OPERATORS).map(OperatorId) {
            self.order(opening, Command::LogIn { operator });
            self.order(opening, Command::SetStatus { operator, to: StatusChoice::Ready });
        }
        let apart = 12 * 3_600_000_000 / calls;
        for call in 0..calls {
            let now = opening + (call + 1) * apart;
            if self.talking.len() == OPERATORS as usize - 5 {
                self.end_one(now);
            }
            let (service, entry, reference) = (ServiceId(0), StepId(1), call);
            let (customer, from, preferred) = (None, None, None);
            let arrives = Command::CallArrived { service, entry, customer, from, priority: 0, preferred, reference };
            let rings = self.order(now, arrives).into_iter().find_map(|output| match output {
                Output::Action(Action::Ring { operator, offer, .. }) => Some((operator, offer)),
                _ => None,
            });
            let (operator, offer) = rings.expect("somebody is Ready");
            self.order(now + 1_000_000, Command::Answer { operator, offer });
            let talks = self.engine.operator(operator).and_then(|found| found.call).expect("they talk");
            self.talking.push_back((talks, operator));
        }
        let evening = opening + 12 * 3_600_000_000 + 60_000_000;
        while !self.talking.is_empty() {
            self.end_one(evening);
        }
        for operator in (0..OPERATORS).map(OperatorId) {
            self.order(evening, Command::LogOut { operator });
        }
    }

    fn end_one(&mut self, now: u64) {
        let (call, operator) = self.talking.pop_front().expect("somebody talks");
        self.order(now, Command::CustomerHungUp { call });
        self.order(now, Command::SetStatus { operator, to: StatusChoice::Ready });
    }
}

/// A day, as text, and how long it took to read.
fn read(directory: &Path, marks: Option<&Marks>, day: Option<Date>) -> (String, f64) {
    let mut reader = SqliteReader::open(directory).expect("a journal");
    let begun = Clock::now();
    let found = recorded(&mut reader, marks, day, &TimeZone::UTC, None).expect("a day");
    let took = begun.elapsed().as_secs_f64();
    assert!(!found.day.callers.is_empty(), "somebody came");
    (format!("{found:?}"), took)
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let (mut days, mut calls, mut place) = (180_u64, 6_000, None);
    while let Some(name) = arguments.next() {
        let value = arguments.next().unwrap_or_default();
        match &*name {
            "--days" => days = value.parse().expect("--days takes a number"),
            "--calls-a-day" => calls = value.parse().expect("--calls-a-day takes a number"),
            "--in" => place = Some(PathBuf::from(value)),
            other => panic!("{other}: --days, --calls-a-day and --in are known"),
        }
    }
    let made = match place {
        Some(place) => tempfile::tempdir_in(place),
        None => tempfile::tempdir(),
    };
    let made = made.expect("a directory");
    let directory = made.path();
    let begun = Clock::now();
    let mut floor = Floor::new(directory);
    for day in 0..days {
        floor.day(day, calls);
    }
    floor.commit();
    let entries = floor.sequence;
    drop(floor);
    let bytes = std::fs::metadata(directory.join("callfloor.sqlite")).map_or(0, |data| data.len());
    println!(
        "{days} days of {calls} calls: {entries} entries, {} MB, written in {:.0} s",
        bytes / 1_000_000,
        begun.elapsed().as_secs_f64()
    );
    let marks = Marks::beside(directory);
    let day = |back: u64| {
        date(2026, 1, 1).saturating_add(jiff::Span::new().days(i64::try_from(days - 1 - back).expect("few")))
    };
    let wanted = [Some(day(0)), Some(day(1)), Some(day(days / 2)), None];
    let from_the_start: Vec<(String, f64)> = wanted.iter().map(|day| read(directory, None, *day)).collect();
    let begun = Clock::now();
    let mut reader = SqliteReader::open(directory).expect("a journal");
    let marked = marks.catch_up(&mut reader, None).expect("it is read");
    println!("all days marked (once, in the background): {marked} entries in {:.1} s", begun.elapsed().as_secs_f64());
    let size: u64 = std::fs::read_dir(directory.join("days"))
        .map(|all| all.flatten().filter_map(|file| Some(file.metadata().ok()?.len())).sum())
        .unwrap_or(0);
    let count = std::fs::read_dir(directory.join("days")).map_or(0, Iterator::count);
    println!("{count} marks, {:.1} MB", size as f64 / 1e6);
    for (day, (before, took)) in wanted.iter().zip(from_the_start) {
        let name = day.map_or_else(|| "the last day with calls".into(), |day| day.to_string());
        let (after, fast) = read(directory, Some(&marks), *day);
        assert!(after == before, "{name}: another result");
        println!("{name}: {took:.2} s from the beginning, {fast:.3} s from a mark, the same {} bytes", after.len());
    }
}
