//! A day as a server's journal tells it: who came, how long they waited and were served, when operators were there.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use callfloor_engine::{
    CallId, EndCause, Event, Instant, OfferEnd, OfferId, OperatorId, Output, QueueId, Status, Work,
};
use callfloor_measure::Estimate;
use callfloor_sim::change::tidied;
use callfloor_sim::fit::duty::{Duty, Plan};
use callfloor_sim::what_if::{Day, End, Known, Part, WhatIf};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::host::replay;
use crate::storage::Reader;

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
/// # Errors
/// [`DayTrouble`].
pub fn recorded(
    reader: &mut dyn Reader,
    date: Option<Date>,
    zone: &TimeZone,
    cancel: Option<&AtomicBool>,
) -> Result<Recorded, DayTrouble> {
    let from = date.map(|date| midnight(date, zone)).transpose()?;
    let to = date.map(|date| midnight(date.tomorrow().map_err(unreadable)?, zone)).transpose()?;
    let mut told = Told { from, ..Told::default() };
    let (mut engine, mut trouble) = (None, None);
    let read = reader.entries(0, &mut |entry| {
        if to.is_some_and(|to| entry.at >= to) {
            return false;
        }
        if cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
            trouble = Some(DayTrouble::Cancelled);
            return false;
        }
        trouble = replay(&mut engine, &entry, &mut |at, output| told.hear(at, output)).err().map(unreadable);
        trouble.is_none()
    });
    read.map_err(unreadable)?;
    if let Some(trouble) = trouble {
        return Err(trouble);
    }
    let engine = engine.ok_or_else(|| unreadable("the journal is empty"))?;
    let date = date.map_or_else(|| told.last_day(zone), Ok)?;
    let (from, to) = (midnight(date, zone)?, midnight(date.tomorrow().map_err(unreadable)?, zone)?);
    let config = engine.config().clone();
    let operators = u32::try_from(config.operators.len()).unwrap_or(u32::MAX);
    let plans = (0..operators).map(|operator| told.plan(OperatorId(operator), from, to)).collect();
    Ok(Recorded { date, day: Day { config, callers: told.callers(from, to), plans } })
}

fn midnight(date: Date, zone: &TimeZone) -> Result<Instant, DayTrouble> {
    let zoned = date.to_zoned(zone.clone()).map_err(unreadable)?;
    Ok(Instant::from_micros(u64::try_from(zoned.timestamp().as_microsecond()).unwrap_or(0)))
}

/// A call while it is read.
#[derive(Debug, Default)]
struct Call {
    queue: Option<(QueueId, u8, Instant)>,
    rang: BTreeMap<OfferId, Instant>,
    /// When the operator's telephone began to ring that was answered.
    served: Option<(Instant, OperatorId)>,
    ended: Option<(Instant, EndCause)>,
    after_call_us: u64,
}

/// Everything that a journal tells of calls and operators.
#[derive(Debug, Default)]
struct Told {
    /// Calls that ended before this are of no interest.
    from: Option<Instant>,
    calls: BTreeMap<CallId, Call>,
    /// Changes of status, by operator.
    statuses: BTreeMap<OperatorId, Vec<(Instant, Status)>>,
    /// The call after which an operator's after-call work is.
    after: BTreeMap<OperatorId, (CallId, Instant)>,
    last: Instant,
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
        let before = self.from.is_some_and(|from| at < from);
        match event {
            Event::CallQueued { call, queue, priority } => {
                // The first queue counts: a later one is the centre's doing.
                let call = self.calls.entry(call).or_default();
                call.queue.get_or_insert((queue, priority, at));
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

    fn last_day(&self, zone: &TimeZone) -> Result<Date, DayTrouble> {
        let last = self.calls.values().filter_map(|call| call.queue).map(|(_, _, at)| at).max();
        let last = last.ok_or_else(|| unreadable("the journal has no call that came to a queue"))?;
        let at = i64::try_from(last.as_micros()).map_err(unreadable)?;
        Ok(jiff::Timestamp::from_microsecond(at).map_err(unreadable)?.to_zoned(zone.clone()).date())
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
