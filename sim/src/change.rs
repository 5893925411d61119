//! A change of a plan: operators more or fewer for a queue, for the whole day or a part of it. To a scenario it is made here,
//! to a day that happened in [`what_if`](crate::what_if).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use callfloor_scenario::clock::DAY_US;
use callfloor_scenario::{Days, Group, QueueIndex, Rostered, Scenario, Shift};
use jiff::civil::Weekday;

use crate::fit::duty::{Duty, Plan};

/// Most operators more or fewer.
pub const MOST: i32 = 1_000;

/// So many operators more or fewer for a queue: `billing=+2`, `billing=+2@14:00`, `billing=-1@14:00-18:00`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The queue's name.
    pub queue: String,
    /// How many more; fewer where negative.
    pub more: i32,
    /// From when, in seconds since midnight; `None`: from when the first operator of the queue comes.
    pub from_s: Option<u32>,
    /// Until when; `None`: until the last operator of the queue goes.
    pub to_s: Option<u32>,
}

/// Why a plan cannot be changed so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeError(pub(crate) String);

impl fmt::Display for ChangeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for ChangeError {}

/// Reads `9:30` or `24:00` as seconds since midnight.
///
/// # Errors
/// What would be right.
pub fn time_of_day(text: &str) -> Result<u32, ChangeError> {
    let wrong = || ChangeError(format!("{text:?} is no time of day: one as in 9:30 or 14:00 is right"));
    let (hours, minutes) = text.trim().split_once(':').ok_or_else(wrong)?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hours) || !digits(minutes) || hours.len() > 2 || minutes.len() != 2 {
        return Err(wrong());
    }
    let (hours, minutes): (u32, u32) = (hours.parse().map_err(|_| wrong())?, minutes.parse().map_err(|_| wrong())?);
    let seconds = hours * 3_600 + minutes * 60;
    if minutes > 59 || seconds > 86_400 { Err(wrong()) } else { Ok(seconds) }
}

/// Seconds since midnight as people write them.
#[must_use]
pub fn clock(seconds: i64) -> String {
    format!("{}:{:02}", seconds / 3_600, seconds / 60 % 60)
}

impl FromStr for Change {
    type Err = ChangeError;

    fn from_str(text: &str) -> Result<Self, ChangeError> {
        let wrong = || {
            ChangeError(format!(
                "{text:?} is no change: one as billing=+2, billing=-1 or billing=+2@14:00-18:00 is right"
            ))
        };
        let (queue, rest) = text.rsplit_once('=').ok_or_else(wrong)?;
        let (more, window) = rest.split_once('@').map_or((rest, None), |(more, window)| (more, Some(window)));
        if !more.starts_with(['+', '-']) {
            return Err(wrong());
        }
        let more: i32 = more.parse().map_err(|_| wrong())?;
        let time = |text: &str| if text.trim().is_empty() { Ok(None) } else { time_of_day(text).map(Some) };
        let (from, to) = window.map_or(("", ""), |window| window.split_once('-').unwrap_or((window, "")));
        let change = Self { queue: queue.to_owned(), more, from_s: time(from)?, to_s: time(to)? };
        change.checked()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={:+}", self.queue, self.more)?;
        let time = |at: Option<u32>| at.map_or_else(String::new, |at| clock(at.into()));
        match (self.from_s, self.to_s) {
            (None, None) => Ok(()),
            (from, None) => write!(f, "@{}", time(from)),
            (from, to) => write!(f, "@{}-{}", time(from), time(to)),
        }
    }
}

impl Change {
    /// The same, if its numbers are in their ranges.
    ///
    /// # Errors
    /// Which is not.
    pub fn checked(self) -> Result<Self, ChangeError> {
        if !(-MOST..=MOST).contains(&self.more) {
            return Err(ChangeError(format!("at most {MOST} operators more or fewer can be simulated")));
        }
        let (from, to) = (self.from_s.unwrap_or(0), self.to_s.unwrap_or(86_400));
        if from >= to || to > 86_400 {
            let (from, to) = (clock(from.into()), clock(to.into()));
            return Err(ChangeError(format!("from {from} to {to} is no part of a day: a later end is right")));
        }
        Ok(self)
    }

    /// ` from 14:00 to 18:00`, as far as it is said.
    #[must_use]
    pub fn when(&self) -> String {
        let time =
            |word: &str, at: Option<u32>| at.map_or_else(String::new, |at| format!(" {word} {}", clock(at.into())));
        time("from", self.from_s) + &time("to", self.to_s)
    }

    /// The part of a day from `first` to `last` for which it is, in seconds since midnight.
    pub(crate) fn window(&self, first: i64, last: i64) -> Result<(i64, i64), ChangeError> {
        let (from, to) = (self.from_s.map_or(first, i64::from), self.to_s.map_or(last, i64::from));
        if from < to {
            return Ok((from, to));
        }
        let (first, last) = (clock(first), clock(last));
        Err(ChangeError(format!(
            "queue {:?} is served from {first} to {last}: a change{} is none",
            self.queue,
            self.when()
        )))
    }
}

/// When somebody is there, from and to, in seconds since midnight.
pub(crate) type Spans = Vec<(i64, i64)>;

/// When a plan's operator is there.
pub(crate) fn spans(plan: &Plan) -> Spans {
    let (mut spans, mut since) = (Spans::new(), None);
    for duty in &plan.duties {
        match *duty {
            Duty::Comes { at_s } => since = Some(at_s),
            Duty::Break { due_s, length_s } => {
                spans.extend(since.map(|since| (since, due_s)));
                since = Some(due_s + length_s);
            }
            Duty::Goes { due_s } => spans.extend(since.take().map(|since| (since, due_s))),
        }
    }
    spans.retain(|(from, to)| from < to);
    spans
}

/// The same without a part of the day.
pub(crate) fn without(spans: &[(i64, i64)], (from, to): (i64, i64)) -> Spans {
    let kept = spans.iter().flat_map(|&(begin, end)| [(begin, end.min(from)), (begin.max(to), end)]);
    kept.filter(|(begin, end)| begin < end).collect()
}

/// The plan of somebody who is there then.
pub(crate) fn duties(spans: &[(i64, i64)]) -> Vec<Duty> {
    let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return Vec::new() };
    let breaks = spans.windows(2).map(|pair| Duty::Break { due_s: pair[0].1, length_s: pair[1].0 - pair[0].1 });
    let mut duties = vec![Duty::Comes { at_s: first.0 }];
    duties.extend(breaks);
    duties.push(Duty::Goes { due_s: last.1 });
    duties
}

/// The same plan without what is of no length, such as what was over before its day began.
#[must_use]
pub fn tidied(plan: &Plan) -> Plan {
    Plan { operator: plan.operator, duties: duties(&spans(plan)) }
}

/// A scenario with operators more or fewer, and what was changed in words; they stand in its name too.
///
/// Who is added is as the first group that serves the queue, but serves it alone and without breaks. Who is left out is of the
/// last groups that serve it, from their shifts' ends backwards; their other queues lose them too.
///
/// # Errors
/// Where a queue is unknown, nobody serves it, or nobody would be left.
pub fn changed_scenario(scenario: &Scenario, changes: &[Change]) -> Result<(Scenario, Vec<String>), ChangeError> {
    let (mut changed, mut words) = (scenario.clone(), Vec::new());
    for change in changes {
        let found = scenario.queues.iter().position(|queue| queue.name == change.queue);
        let at = found.ok_or_else(|| {
            let known: Vec<&str> = scenario.queues.iter().map(|queue| queue.name.as_str()).collect();
            ChangeError(format!("there is no queue {:?}: the queues are {}", change.queue, known.join(", ")))
        })?;
        let queue = QueueIndex(at);
        let serve: Vec<usize> = (0..changed.groups.len())
            .filter(|&group| changed.groups[group].queues.iter().any(|level| level.queue == queue))
            .filter(|&group| !changed.groups[group].shifts.is_empty())
            .collect();
        if serve.is_empty() {
            return Err(ChangeError(format!("nobody serves queue {:?}", change.queue)));
        }
        by_equal_days(&mut changed, &serve);
        if change.more > 0 {
            let more = more(&changed, change, queue, &serve)?;
            changed.groups.push(more);
            words.push(format!("{} more for {:?}{}, without breaks", change.more, change.queue, change.when()));
        }
        if change.more < 0 {
            fewer(&mut changed, change, &serve)?;
            words.push(format!("{} fewer for {:?}{}", -change.more, change.queue, change.when()));
        }
    }
    if !words.is_empty() {
        // Results say of which plan they are, and are merged with those of no other.
        changed.name = format!("{}, {}", scenario.name, words.join("; "));
    }
    Ok((changed, words))
}

/// Writes shifts so that those of any two kinds of days have no day in common.
fn by_equal_days(scenario: &mut Scenario, groups: &[usize]) {
    let all = || groups.iter().flat_map(|&group| &scenario.groups[group].shifts);
    let Some(first) = all().next().map(|shift| shift.days) else { return };
    if all().all(|shift| shift.days == first) {
        return;
    }
    let dated = all().any(|shift| matches!(shift.days, Days::One(_)));
    let weekdays: Vec<Weekday> = (0..scenario.days()).map(|day| scenario.clock.weekday(day)).collect();
    let split = |days: Days| -> Vec<Days> {
        match days {
            Days::One(day) => (day < scenario.days()).then_some(days).into_iter().collect(),
            _ if dated => {
                let all = (0..).zip(&weekdays).filter(|(day, weekday)| days.contains(*day, **weekday));
                all.map(|(day, _)| Days::One(day)).collect()
            }
            _ => {
                let mask = if let Days::Weekdays(mask) = days { mask } else { u8::MAX };
                (0..7).map(|bit| mask & 1 << bit).filter(|one| *one != 0).map(Days::Weekdays).collect()
            }
        }
    };
    let split: Vec<Vec<Shift>> = groups
        .iter()
        .map(|&group| {
            let shifts = scenario.groups[group].shifts.iter();
            shifts.flat_map(|shift| split(shift.days).into_iter().map(|days| Shift { days, ..*shift })).collect()
        })
        .collect();
    for (&group, shifts) in groups.iter().zip(split) {
        scenario.groups[group].shifts = shifts;
    }
}

/// A shift: the place of its group among those that are looked at, and its own in that group.
type At = (usize, usize);

/// The shifts of groups by the days on which they are.
fn by_days(scenario: &Scenario, groups: &[usize]) -> BTreeMap<Days, Vec<At>> {
    let mut all: BTreeMap<Days, Vec<At>> = BTreeMap::new();
    for (place, &group) in groups.iter().enumerate() {
        for (at, shift) in scenario.groups[group].shifts.iter().enumerate() {
            all.entry(shift.days).or_default().push((place, at));
        }
    }
    all
}

fn micros(seconds: i64) -> u64 {
    u64::try_from(seconds).unwrap_or(0) * 1_000_000
}

fn seconds(us: u64) -> i64 {
    i64::try_from(us / 1_000_000).unwrap_or(i64::MAX)
}

/// The window of a change on days with these shifts.
fn window<'a>(change: &Change, shifts: impl Iterator<Item = &'a Shift>) -> Result<(u64, u64), ChangeError> {
    let (first, last) =
        shifts.fold((DAY_US, 0), |(first, last), shift| (first.min(shift.from_us), last.max(shift.to_us)));
    let (from, to) = change.window(seconds(first), seconds(last))?;
    Ok((micros(from), micros(to)))
}

fn more(scenario: &Scenario, change: &Change, queue: QueueIndex, serve: &[usize]) -> Result<Group, ChangeError> {
    let model = &scenario.groups[serve[0]];
    let count = change.more.unsigned_abs();
    let mut shifts = Vec::new();
    for (days, there) in by_days(scenario, serve) {
        let there = there.iter().map(|&(place, at)| &scenario.groups[serve[place]].shifts[at]);
        let (from_us, to_us) = window(change, there)?;
        shifts.push(Shift { days, from_us, to_us, count: Rostered { rostered: count, present: count } });
    }
    let taken: BTreeSet<&str> = scenario.groups.iter().map(|group| group.name.as_str()).collect();
    let mut names = (1..).map(|number| match number {
        1 => format!("more for {}", change.queue),
        _ => format!("more for {} {number}", change.queue),
    });
    let name = names.find(|name| !taken.contains(name.as_str())).expect("numbers do not end");
    let mut queues = model.queues.clone();
    queues.retain(|level| level.queue == queue);
    let services = vec![scenario.queues[queue.0].service];
    Ok(Group { name, services, queues, shifts, breaks: Vec::new(), ..model.clone() })
}

/// So many that a shift loses from a moment to another.
struct Loss {
    from_us: u64,
    to_us: u64,
    count: u32,
}

fn fewer(scenario: &mut Scenario, change: &Change, serve: &[usize]) -> Result<(), ChangeError> {
    let wanted = change.more.unsigned_abs();
    let of = |(place, at): At| &scenario.groups[serve[place]].shifts[at];
    let mut losses: BTreeMap<At, Vec<Loss>> = BTreeMap::new();
    for shifts in by_days(scenario, serve).into_values() {
        let (from, to) = window(change, shifts.iter().map(|&at| of(at)))?;
        // Who comes and who goes, by the moment.
        let mut moments: BTreeMap<u64, (Vec<At>, Vec<At>)> =
            [(from, Default::default()), (to, Default::default())].into();
        for &at in &shifts {
            moments.entry(of(at).from_us).or_default().0.push(at);
            moments.entry(of(at).to_us).or_default().1.push(at);
        }
        let (mut on_duty, mut present) = (BTreeSet::new(), 0);
        let (mut there, mut left) = (0, 0);
        let mut moments = moments.into_iter().peekable();
        while let Some((begin, (come, go))) = moments.next() {
            for at in go {
                on_duty.remove(&at);
                present -= u64::from(of(at).count.present);
            }
            for at in come {
                on_duty.insert(at);
                present += u64::from(of(at).count.present);
            }
            let Some(&(end, _)) = moments.peek().filter(|(end, _)| begin >= from && *end <= to) else { continue };
            let mut lost = 0;
            for &at in on_duty.iter().rev() {
                if lost == wanted {
                    break;
                }
                let count = of(at).count.present.min(wanted - lost);
                lost += count;
                losses.entry(at).or_default().push(Loss { from_us: begin, to_us: end, count });
            }
            there += present;
            left += present - u64::from(lost);
        }
        if there > 0 && left == 0 {
            return Err(ChangeError(format!(
                "{wanted} fewer for queue {:?}{} leave nobody: fewer than are there then is right",
                change.queue,
                change.when()
            )));
        }
    }
    for (place, &group) in serve.iter().enumerate() {
        let shifts = std::mem::take(&mut scenario.groups[group].shifts).into_iter().enumerate();
        let kept = shifts.flat_map(|(at, shift)| match losses.remove(&(place, at)) {
            Some(losses) => parts(shift, losses),
            None => vec![shift],
        });
        scenario.groups[group].shifts = kept.collect();
    }
    Ok(())
}

/// What is left of a shift after its losses, which are in order of time.
fn parts(shift: Shift, losses: Vec<Loss>) -> Vec<Shift> {
    if losses.iter().all(|loss| loss.count == 0) {
        return vec![shift];
    }
    let mut parts: Vec<Shift> = Vec::new();
    let mut add = |from_us, to_us, loss| {
        let Rostered { rostered, present } = shift.count;
        let count = Rostered { rostered: rostered.saturating_sub(loss), present: present - loss };
        match parts.last_mut() {
            _ if from_us == to_us => {}
            Some(before) if before.count == count => before.to_us = to_us,
            _ => parts.push(Shift { from_us, to_us, count, ..shift }),
        }
    };
    let mut at = shift.from_us;
    for Loss { from_us, to_us, count } in losses {
        add(at, from_us, 0);
        add(from_us, to_us, count);
        at = to_us;
    }
    add(at, shift.to_us, 0);
    parts.retain(|part| part.count.present > 0);
    parts
}
