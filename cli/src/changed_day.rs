//! `callfloor replay JOURNAL --operators`: what a day was, read from a server's journal, and what it would have been.

use std::collections::BTreeMap;

use callfloor_engine::{
    CallId, EndCause, Event, Instant, OfferEnd, OfferId, OperatorId, Output, QueueId, Status, Work,
};
use callfloor_measure::Estimate;
use callfloor_server::host::replay;
use callfloor_server::storage::Reader;
use callfloor_sim::fit::duty::{Duty, Plan};
use callfloor_sim::what_if::{Change, Day, End, Known, WhatIf, what_if};
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::ending::{Ending, Failure, print};

#[derive(Debug, clap::Args)]
pub(crate) struct Options {
    /// The day, in UTC; the journal's last day with calls without it
    #[arg(long, value_name = "DATE", requires = "operators")]
    date: Option<Date>,
    /// How often the day is simulated
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(2..=10_000))]
    replications: u32,
    /// Seed
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Wait in seconds up to which an answer is in time
    #[arg(long, value_name = "S", default_value_t = 20.0)]
    threshold_s: f64,
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
    calls: BTreeMap<CallId, Call>,
    /// Changes of status, by operator.
    statuses: BTreeMap<OperatorId, Vec<(Instant, Status)>>,
    /// The call after which an operator's after-call work is.
    after: BTreeMap<OperatorId, (CallId, Instant)>,
    last: Instant,
}

impl Told {
    fn hear(&mut self, at: Instant, output: &Output) {
        let Output::Event(event) = *output else { return };
        self.last = at;
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
            Event::CallEnded(record) => {
                self.calls.entry(record.call).or_default().ended = Some((at, record.cause));
            }
            Event::StatusChanged { operator, to, call, .. } => {
                self.statuses.entry(operator).or_default().push((at, to));
                if let Some((call, since)) = self.after.remove(&operator) {
                    self.calls.entry(call).or_default().after_call_us += (at - since).as_micros();
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
        let second =
            |at: Instant| i64::try_from((at.clamp(from, to) - from).as_micros() / 1_000_000).unwrap_or(i64::MAX);
        let mut duties: Vec<Duty> = Vec::new();
        // There, or away since.
        let (mut there, mut away_since) = (false, None);
        for &(at, status) in self.statuses.get(&operator).into_iter().flatten().filter(|(at, _)| *at < to) {
            let now_there = match status {
                Status::Ready => true,
                Status::LoggedOut | Status::Work | Status::Break | Status::Dialing => false,
                // What follows belongs to a call that came in where the operator was there, else to a dial.
                _ => there,
            };
            match (there, now_there) {
                (false, true) => match (away_since.take(), duties.is_empty()) {
                    (Some(since), false) => {
                        let length_s = second(at) - since;
                        duties.push(Duty::Break { due_s: since, length_s });
                    }
                    _ => duties.push(Duty::Comes { at_s: second(at) }),
                },
                (true, false) => away_since = Some(second(at)),
                _ => {}
            }
            there = now_there;
        }
        if let Some(since) = away_since {
            duties.push(Duty::Goes { due_s: since });
        } else if there {
            duties.push(Duty::Goes { due_s: second(to.min(self.last)) });
        }
        // Of those who went before the day began, nothing is left to do in it.
        if !there && away_since == Some(0) {
            duties.clear();
        }
        Plan { operator: usize::try_from(operator.0).ok(), duties }
    }

    fn day(&self, date: Option<Date>) -> Result<(Date, Instant, Instant), Failure> {
        let midnight = |date: Date| {
            let zoned = date.to_zoned(TimeZone::UTC).map_err(Failure::input)?;
            Ok::<_, Failure>(Instant::from_micros(u64::try_from(zoned.timestamp().as_microsecond()).unwrap_or(0)))
        };
        let last = self.calls.values().filter_map(|call| call.queue).map(|(_, _, at)| at).max();
        let date = match (date, last) {
            (Some(date), _) => date,
            (None, Some(last)) => {
                let at = i64::try_from(last.as_micros()).map_err(Failure::input)?;
                jiff::Timestamp::from_microsecond(at).map_err(Failure::input)?.to_zoned(TimeZone::UTC).date()
            }
            (None, None) => return Err(Failure::Input("the journal has no call that came to a queue".into())),
        };
        Ok((date, midnight(date)?, midnight(date.tomorrow().map_err(Failure::input)?)?))
    }
}

pub(crate) fn run(
    reader: &mut dyn Reader,
    changes: &[Change],
    options: &Options,
    json: bool,
) -> Result<Ending, Failure> {
    let mut told = Told::default();
    let (mut engine, mut trouble) = (None, None);
    let read = reader.entries(0, &mut |entry| {
        trouble = replay(&mut engine, &entry, &mut |at, output| told.hear(at, output)).err();
        trouble.is_none()
    });
    read.map_err(Failure::input)?;
    if let Some(problem) = trouble {
        return Err(Failure::input(problem));
    }
    let engine = engine.ok_or_else(|| Failure::Input("the journal is empty".into()))?;
    let (date, from, to) = told.day(options.date)?;
    let config = engine.config().clone();
    let operators = u32::try_from(config.operators.len()).unwrap_or(u32::MAX);
    let plans = (0..operators).map(|operator| told.plan(OperatorId(operator), from, to)).collect();
    let day = Day { config, callers: told.callers(from, to), plans };
    let result =
        what_if(&day, changes, options.threshold_s, options.replications, options.seed).map_err(Failure::input)?;
    print(&if json { as_json(date, &result, options)? } else { as_text(date, &result, options) })?;
    Ok(Ending::Met)
}

const NAMES: [&str; 3] = ["abandoned_share", "wait_s_mean", "answered_in_time_share"];

fn as_json(date: Date, result: &WhatIf, options: &Options) -> Result<String, Failure> {
    let figure = |estimate: &Estimate| {
        serde_json::json!({
            "value": estimate.value,
            "interval": estimate.interval.map(|interval| [interval.low, interval.high]),
        })
    };
    let figures = |of: &[Estimate; 3]| -> serde_json::Map<String, serde_json::Value> {
        NAMES.iter().zip(of).map(|(name, estimate)| ((*name).to_owned(), figure(estimate))).collect()
    };
    let actual: serde_json::Map<String, serde_json::Value> =
        NAMES.iter().zip(result.actual).map(|(name, value)| ((*name).to_owned(), value.into())).collect();
    let document = serde_json::json!({
        "date": date.to_string(),
        "callers": result.callers,
        "changes": result.words,
        "threshold_s": options.threshold_s,
        "replications": options.replications,
        "actual": actual,
        "as_it_was": figures(&result.as_it_was),
        "changed": figures(&result.changed),
        "difference": figures(&result.difference),
    });
    Ok(serde_json::to_string(&document).map_err(|error| Failure::Fault(error.to_string()))? + "\n")
}

fn as_text(date: Date, result: &WhatIf, options: &Options) -> String {
    let change = |estimate: &Estimate, unit: f64| {
        let interval = estimate.interval.map_or_else(String::new, |interval| {
            format!(" (95 %: {:+.1} to {:+.1})", interval.low * unit, interval.high * unit)
        });
        format!("{:+.1}{interval}", estimate.value * unit)
    };
    let rows = [("abandoned, %", 100.0), ("mean wait, s", 1.0), ("answered in time, %", 100.0)];
    let mut text = format!("{date}, {} callers; {}\n\n", result.callers, result.words.join("; "));
    text += &format!("{:<22}{:>9}{:>12}{:>10}   difference\n", "", "actual", "simulated", "changed");
    for (at, (name, unit)) in rows.into_iter().enumerate() {
        text += &format!(
            "{name:<22}{:>9.1}{:>12.1}{:>10.1}   {}\n",
            result.actual[at] * unit,
            result.as_it_was[at].value * unit,
            result.changed[at].value * unit,
            change(&result.difference[at], unit),
        );
    }
    let [abandoned, wait, _] = &result.difference;
    let more_or_less = |value: f64, more: &'static str, less: &'static str| if value >= 0.0 { more } else { less };
    text += &format!(
        "\nWith that change {:.1} of 100 callers {} would have left, and callers would have waited {:.1} s {} on average.\n\
         In time: within {} s. Simulated: the plan as it was, run again; where it is far from the actual day, trust the\n\
         difference as little: the intervals are of the {} draws alone. {} callers left: their waits are what is known of patience.\n",
        abandoned.value.abs() * 100.0,
        more_or_less(abandoned.value, "more", "fewer"),
        wait.value.abs(),
        more_or_less(wait.value, "longer", "less"),
        options.threshold_s,
        options.replications,
        result.left,
    );
    text
}
