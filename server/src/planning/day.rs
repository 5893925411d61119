//! A day as a server's journal tells it: who came, how long they waited and were served, when operators were there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use callfloor_engine::{
    CallId, EndCause, Engine, Event, Instant, OfferEnd, OfferId, OperatorId, Output, QueueId, Status, Work,
};
use callfloor_measure::Estimate;
use callfloor_sim::change::tidied;
use callfloor_sim::fit::duty::{Duty, Plan};
use callfloor_sim::what_if::{Day, End, Known, Part, WhatIf};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use serde::{Deserialize, Serialize};

use super::marks::Marks;
use crate::host::replay;
use crate::storage::{Entry, Reader};

/// Why a day cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DayTrouble {
    /// The journal or the day is none of which anything can be said.
    #[error("{0}")]
    Unreadable(String),
    /// It was stopped.
    #[error("it was stopped")]
    Cancelled,
}

fn unreadable(problem: impl std::fmt::Display) -> DayTrouble {
    DayTrouble::Unreadable(problem.to_string())
}

/// A recorded day, ready to be run again.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Which day.
    pub date: Date,
    /// What happened.
    pub day: Day,
}

/// Reads a day of a journal; without a date its last day with calls. A day is from midnight to midnight of `zone`.
///
/// It is read from the last of the `marks` before the day that fits the journal, and without one from the journal's
/// beginning: what is found is the same. Days on the way there are marked.
///
/// # Errors
/// [`DayTrouble`].
pub fn recorded(
    reader: &mut dyn Reader,
    marks: Option<&Marks>,
    date: Option<Date>,
    zone: &TimeZone,
    cancel: Option<&AtomicBool>,
) -> Result<Recorded, DayTrouble> {
    let found = read_day(reader, marks, date, zone, cancel);
    match (marks, found) {
        (Some(_), Err(DayTrouble::Unreadable(problem))) => {
            // A mark may be to blame, and nothing is lost by looking without.
            tracing::debug!(problem, "the journal is read from its beginning");
            read_day(reader, None, date, zone, cancel)
        }
        (_, found) => found,
    }
}

fn read_day(
    reader: &mut dyn Reader,
    marks: Option<&Marks>,
    wanted: Option<Date>,
    zone: &TimeZone,
    cancel: Option<&AtomicBool>,
) -> Result<Recorded, DayTrouble> {
    let (date, read) = match wanted {
        Some(date) => (date, None),
        None => last_day(reader, marks, zone, cancel)?,
    };
    let (from, to) = (midnight(date, zone)?, midnight(date.tomorrow().map_err(unreadable)?, zone)?);
    let Place { engine, mut told, .. } = match read {
        Some(read) => read,
        None => {
            let mut place = marks.and_then(|marks| marks.before(from, reader)).unwrap_or_default();
            let mut keep = |place: &Place| marks.into_iter().for_each(|marks| marks.keep(place));
            read_on(reader, &mut place, (from, wanted.map(|_| to)), cancel, &mut keep)?;
            place
        }
    };
    told.forget(from);
    let engine = engine.ok_or_else(|| unreadable("the journal is empty"))?;
    let config = engine.config().clone();
    let operators = u32::try_from(config.operators.len()).unwrap_or(u32::MAX);
    let plans = (0..operators).map(|operator| told.plan(OperatorId(operator), from, to)).collect();
    Ok(Recorded { date, day: Day { config, callers: told.callers(from, to), plans } })
}

/// The last day with calls, and the journal's end where it was read with all of that day.
fn last_day(
    reader: &mut dyn Reader,
    marks: Option<&Marks>,
    zone: &TimeZone,
    cancel: Option<&AtomicBool>,
) -> Result<(Date, Option<Place>), DayTrouble> {
    let mark = marks.and_then(|marks| marks.before(Instant::MAX, reader));
    let begun = mark.as_ref().map(Place::at);
    let mut place = mark.unwrap_or_default();
    // Every day may be the last: all that is read is kept in mind.
    read_on(reader, &mut place, (Instant::ZERO, None), cancel, &mut |_| ())?;
    if place.engine.is_none() {
        return Err(unreadable("the journal is empty"));
    }
    let last = place.told.last_queued.ok_or_else(|| unreadable("the journal has no call that came to a queue"))?;
    let at = i64::try_from(last.as_micros()).map_err(unreadable)?;
    let date = jiff::Timestamp::from_microsecond(at).map_err(unreadable)?.to_zoned(zone.clone()).date();
    let from = midnight(date, zone)?;
    Ok((date, begun.is_none_or(|begun| begun < from).then_some(place)))
}

/// Microseconds of a day.
pub(super) const DAY_US: u64 = 86_400_000_000;

/// A place in a journal, from which it can be read on.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// `None` at the journal's beginning.
    pub(super) engine: Option<Engine>,
    pub(super) told: Told,
    /// The last entry before it.
    pub(super) last: Option<Entry>,
}

impl Place {
    pub(super) fn sequence(&self) -> u64 {
        self.last.as_ref().map_or(0, |last| last.sequence)
    }

    fn at(&self) -> Instant {
        self.last.as_ref().map_or(Instant::ZERO, |last| last.at)
    }
}

/// Reads a journal on: what was before `from` is heard of for its consequences alone. Where a day (UTC) ends that is not later
/// than `from`, the place is told to `passed`: nothing of it depends on `from`.
pub(super) fn read_on(
    reader: &mut dyn Reader,
    place: &mut Place,
    (from, to): (Instant, Option<Instant>),
    cancel: Option<&AtomicBool>,
    passed: &mut dyn FnMut(&Place),
) -> Result<(), DayTrouble> {
    place.told.from = from;
    let mut trouble = None;
    let read = reader.entries(place.sequence(), &mut |entry| {
        let day = Instant::from_micros(entry.at.as_micros() / DAY_US * DAY_US);
        if place.last.is_some() && place.at() < day && day <= from {
            passed(place);
        }
        if to.is_some_and(|to| entry.at >= to) {
            return false;
        }
        if cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            trouble = Some(DayTrouble::Cancelled);
            return false;
        }
        let Place { engine, told, last } = place;
        trouble = replay(engine, &entry, &mut |at, output| told.hear(at, output)).err().map(unreadable);
        *last = Some(entry);
        trouble.is_none()
    });
    read.map_err(unreadable)?;
    trouble.map_or(Ok(()), Err)
}

fn midnight(date: Date, zone: &TimeZone) -> Result<Instant, DayTrouble> {
    let zoned = date.to_zoned(zone.clone()).map_err(unreadable)?;
    Ok(Instant::from_micros(u64::try_from(zoned.timestamp().as_microsecond()).unwrap_or(0)))
}

/// A call while it is read.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Call {
    queue: Option<(QueueId, u8, Instant)>,
    rang: BTreeMap<OfferId, Instant>,
    /// When the operator's telephone began to ring that was answered.
    served: Option<(Instant, OperatorId)>,
    ended: Option<(Instant, EndCause)>,
    after_call_us: u64,
}

/// Everything that a journal tells of calls and operators.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Told {
    /// Calls that ended before this are of no interest.
    #[serde(skip)]
    from: Instant,
    calls: BTreeMap<CallId, Call>,
    /// Changes of status, by operator.
    statuses: BTreeMap<OperatorId, Vec<(Instant, Status)>>,
    /// The call after which an operator's after-call work is.
    after: BTreeMap<OperatorId, (CallId, Instant)>,
    last: Instant,
    /// When a call came to its first queue last.
    last_queued: Option<Instant>,
}

/// Whether an operator of this status is there for calls; `None`: as before, since what follows belongs to a call that came
/// in where they were, else to a dial.
const fn is_there(status: Status) -> Option<bool> {
    match status {
        Status::Ready => Some(true),
        Status::LoggedOut | Status::Work | Status::Break | Status::Dialing => Some(false),
        _ => None,
    }
}

impl Told {
    fn hear(&mut self, at: Instant, output: &Output) {
        let Output::Event(event) = *output else { return };
        self.last = at;
        let before = at < self.from;
        match event {
            Event::CallQueued { call, queue, priority } => {
                // The first queue counts: a later one is the centre's doing.
                let call = self.calls.entry(call).or_default();
                if call.queue.is_none() {
                    call.queue = Some((queue, priority, at));
                    self.last_queued = Some(at);
                }
            }
            Event::OfferMade { offer, work: Work::Call(call), queue: Some(_), .. } => {
                self.calls.entry(call).or_default().rang.insert(offer, at);
            }
            Event::OfferEnded { offer, work: Work::Call(call), operator, end: OfferEnd::Accepted, .. } => {
                let call = self.calls.entry(call).or_default();
                if let Some(&rang) = call.rang.get(&offer) {
                    call.served.get_or_insert((rang, operator));
                }
            }
            Event::CallEnded(record) if before => {
                self.calls.remove(&record.call);
            }
            Event::CallEnded(record) => {
                self.calls.entry(record.call).or_default().ended = Some((at, record.cause));
            }
            Event::StatusChanged { operator, to, call, .. } => {
                let statuses = self.statuses.entry(operator).or_default();
                if before && is_there(to).is_some() {
                    statuses.clear();
                }
                if !before || is_there(to).is_some() {
                    statuses.push((at, to));
                }
                if let Some((call, since)) = self.after.remove(&operator)
                    && let Some(call) = self.calls.get_mut(&call)
                {
                    call.after_call_us += (at - since).as_micros();
                }
                if let (Status::AfterCallWork, Some(call)) = (to, call) {
                    self.after.insert(operator, (call, at));
                }
            }
            _ => {}
        }
    }

    /// Forgets of operators what was before an instant, but whether they were there.
    fn forget(&mut self, from: Instant) {
        for statuses in self.statuses.values_mut() {
            let before = statuses.iter().rposition(|&(at, status)| at < from && is_there(status).is_some());
            let mut place = 0;
            statuses.retain(|&(at, _)| {
                place += 1;
                at >= from || before == Some(place - 1)
            });
        }
    }

    /// The callers who came between two instants, with waits and handling.
    fn callers(&self, from: Instant, to: Instant) -> Vec<Known> {
        let mut callers: Vec<Known> = self
            .calls
            .values()
            .filter_map(|call| {
                let (queue, priority, at) = call.queue.filter(|(_, _, at)| (from..to).contains(at))?;
                let (ended, cause) = call.ended.unwrap_or((self.last, EndCause::FlowEnded));
                let (until, end) = match (call.served, cause) {
                    (Some((rang, _)), _) => {
                        let busy_us = (ended - rang).as_micros();
                        (rang, End::Served { busy_us, after_call_us: call.after_call_us })
                    }
                    (None, EndCause::AbandonedInQueue | EndCause::AbandonedWhileRinging) => (ended, End::Left),
                    (None, _) => (ended, End::SentAway),
                };
                let (at_us, wait_us) = ((at - from).as_micros(), (until - at).as_micros());
                Some(Known { at_us, queue, priority, wait_us, end })
            })
            .collect();
        callers.sort_by_key(|caller| caller.at_us);
        callers
    }

    /// When an operator was there for calls: Ready, or with a call that came in.
    fn plan(&self, operator: OperatorId, from: Instant, to: Instant) -> Plan {
        let into_day = |at: Instant| (at.clamp(from, to) - from).as_micros();
        let whole = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        // Who comes and goes within a second was there for it.
        let second = |at: Instant| whole(into_day(at) / 1_000_000);
        let last_second = |at: Instant| whole(into_day(at).div_ceil(1_000_000));
        let mut duties: Vec<Duty> = Vec::new();
        // There, or away since.
        let (mut there, mut away_since) = (false, None);
        for &(at, status) in self.statuses.get(&operator).into_iter().flatten().filter(|(at, _)| *at < to) {
            let now_there = is_there(status).unwrap_or(there);
            match (there, now_there) {
                (false, true) => match (away_since.take(), duties.is_empty()) {
                    (Some(since), false) => {
                        let due_s = second(since);
                        duties.push(Duty::Break { due_s, length_s: second(at) - due_s });
                    }
                    _ => duties.push(Duty::Comes { at_s: second(at) }),
                },
                (true, false) => away_since = Some(at),
                _ => {}
            }
            there = now_there;
        }
        if let Some(since) = away_since {
            duties.push(Duty::Goes { due_s: last_second(since) });
        } else if there {
            duties.push(Duty::Goes { due_s: last_second(to.min(self.last)) });
        }
        // Of the days before nothing is left to do in this one.
        tidied(&Plan { operator: usize::try_from(operator.0).ok(), duties })
    }
}

/// Names of the figures of a day, in the order of [`what_if`](callfloor_sim::what_if::what_if)'s.
pub const FIGURES: [&str; 3] = ["abandoned_share", "wait_s_mean", "answered_in_time_share"];

/// A day's answer as one JSON document, as `callfloor replay --operators --json` writes it.
#[must_use]
pub fn day_json(date: Date, result: &WhatIf, threshold_s: f64, replications: u32) -> String {
    let figure = |estimate: &Estimate| {
        serde_json::json!({
            "value": estimate.value,
            "interval": estimate.interval.map(|interval| [interval.low, interval.high]),
        })
    };
    let figures = |of: &[Estimate; 3]| -> serde_json::Map<String, serde_json::Value> {
        FIGURES.iter().zip(of).map(|(name, estimate)| ((*name).to_owned(), figure(estimate))).collect()
    };
    let part = |part: &Part| {
        let actual: serde_json::Map<String, serde_json::Value> =
            FIGURES.iter().zip(part.actual).map(|(name, value)| ((*name).to_owned(), value.into())).collect();
        serde_json::json!({
            "callers": part.callers,
            "actual": actual,
            "as_it_was": figures(&part.as_it_was),
            "changed": figures(&part.changed),
            "difference": figures(&part.difference),
        })
    };
    let mut document = part(&result.whole);
    document["date"] = date.to_string().into();
    document["changes"] = result.words.clone().into();
    document["threshold_s"] = threshold_s.into();
    document["replications"] = replications.into();
    document["queues"] = result
        .queues
        .iter()
        .map(|found| {
            let mut of_queue = part(found);
            of_queue["queue"] = found.queue.clone().into();
            of_queue
        })
        .collect();
    document.to_string() + "\n"
}
