//! Groups of operators and their rosters.

use super::csv::{Columns, Row, moment};
use super::document::{Node, View, printable, rounded};
use super::names::{Day, Names, day};
use crate::Problem;
use crate::clock::{DAY_US, Days, MINUTE_US};
use crate::operator::{BreakPlan, Capacity, Group, QueueLevel, Rostered, Shift, SkillLevel};
use crate::problem::suggestion;
use crate::queue::Queue;
use crate::scenario::{QueueIndex, ServiceIndex};
use crate::service::{Blending, Channel};

/// Columns of a roster file.
const ROSTER: Columns = Columns { needed: &["start", "end", "count"], optional: &["group", "day", "shrinkage"] };

/// Reads `[operators.NAME]`.
pub(crate) fn groups(root: &View<'_>, names: &Names<'_, '_>, queues: &[Queue], blending: Blending) -> Vec<Group> {
    let named = root.map("operators").into_iter();
    named.map(|named| group(named.name, named.node.table().as_ref(), names, queues, blending)).collect()
}

fn group(name: &str, view: Option<&View<'_>>, names: &Names<'_, '_>, queues: &[Queue], blending: Blending) -> Group {
    let mut group = Group::new(name);
    let Some(view) = view else { return group };
    let whole = |key: &str, default: u16| view.whole(key).unwrap_or(default);
    group.services = services(view, names);
    group.skills = names
        .skill_levels(view, "skills", 5)
        .into_iter()
        .map(|(skill, proficiency)| SkillLevel { skill, proficiency })
        .collect();
    group.queues = served(view, names, queues, &group.services);
    group.shifts = shifts(name, view, names);
    group.answer_delay = names.span_or(view, "answer_delay", 3.0);
    group.back_after_miss = names.span_or(view, "back_after_miss", 60.0);
    group.miss = view.number("miss").unwrap_or(0.0);
    group.decline = view.number("decline").unwrap_or(0.0);
    if group.miss + group.decline > 1.0 {
        let message =
            format!("`miss` and `decline` sum to {}: at most 1 is possible", rounded(group.miss + group.decline));
        names.notes.add(view.place("decline"), message, None);
    }
    group.breaks = view.tables("breaks").iter().filter_map(|entry| one_break(entry, names)).collect();
    group.auto_answer = view.flag("auto_answer");
    if group.auto_answer {
        names.refuse(view, &["answer_delay", "miss", "decline"], "phones with `auto_answer` answer at once");
    }
    group.capacity = Capacity {
        points: whole("points", 100),
        chat_limit: view.whole("chat_limit").unwrap_or(3),
        ticket_limit: view.whole("ticket_limit").unwrap_or(1),
    };
    check_capacity(&group, view, names, queues, blending);
    group.handling_factor = view.number("handling_factor").unwrap_or(1.0);
    group
}

/// Notes a queue of whose contacts an operator of the group could not take even one.
fn check_capacity(group: &Group, view: &View<'_>, names: &Names<'_, '_>, queues: &[Queue], blending: Blending) {
    let Capacity { points, chat_limit, ticket_limit } = group.capacity;
    let serves = |channel| group.queues.iter().any(|served| queues[served.queue.0].channel == channel);
    for (channel, contact, cost, limit) in [
        (Channel::Phone, "call", blending.phone_points, None),
        (Channel::Chat, "chat", blending.chat_points, Some((chat_limit, "chat_limit"))),
        (Channel::Ticket, "ticket", blending.ticket_points, Some((ticket_limit, "ticket_limit"))),
    ] {
        if !serves(channel) {
            continue;
        }
        if points < cost {
            let message = format!("{points} points are too few for one {contact}, which costs {cost}");
            let help =
                format!("leave the queues of {contact}s out of `queues`, or change `{contact}_points` in [blending]")
                    .replace("call_points", "phone_points");
            names.notes.add(view.place("points"), message, Some(help));
        }
        if let Some((0, key)) = limit {
            let message = format!("`{key}` is 0, but the group serves a queue of {contact}s");
            names.notes.add(view.place(key), message, Some("name the queues that it serves in `queues`".into()));
        }
    }
}

fn services(view: &View<'_>, names: &Names<'_, '_>) -> Vec<ServiceIndex> {
    if !view.has("services") {
        return (0..names.services.len()).map(ServiceIndex).collect();
    }
    let mut services = Vec::new();
    for item in view.items("services") {
        let Some(name) = item.text() else { continue };
        if let Some(service) = names.find("service", &names.services, name, item.span.clone()).map(ServiceIndex) {
            if services.contains(&service) {
                names.notes.add(item.span, format!("the service `{}` is named twice", printable(name)), None);
            } else {
                services.push(service);
            }
        }
    }
    if view.items("services").is_empty() {
        names.notes.add(view.place("services"), "operators belong to at least one service", None);
    }
    services
}

fn served(view: &View<'_>, names: &Names<'_, '_>, queues: &[Queue], services: &[ServiceIndex]) -> Vec<QueueLevel> {
    if !view.has("queues") {
        let own = |queue: &QueueIndex| services.contains(&queues[queue.0].service);
        let all = (0..queues.len()).map(QueueIndex).filter(own);
        return all.map(|queue| QueueLevel { queue, level: 1, preference: 1 }).collect();
    }
    let mut levels: Vec<QueueLevel> = Vec::new();
    for item in view.items("queues") {
        let (name, span, level, preference) = match (item.text(), item.table()) {
            (Some(name), _) => (name, item.span.clone(), 1, 1),
            (None, Some(entry)) => {
                let Some(name) = entry.text("queue") else { continue };
                (name, entry.place("queue"), entry.whole("level").unwrap_or(1), entry.whole("preference").unwrap_or(1))
            }
            (None, None) => continue,
        };
        let Some(queue) = names.find("queue", &names.queues, name, span.clone()).map(QueueIndex) else { continue };
        if levels.iter().any(|known| known.queue == queue) {
            names.notes.add(span, format!("the queue `{}` is named twice", printable(name)), None);
        } else if !services.contains(&queues[queue.0].service) {
            let service = names.services.get(queues[queue.0].service.0).copied().unwrap_or_default();
            let message = format!(
                "the queue `{}` is of the service `{service}`, to which the group does not belong",
                printable(name)
            );
            names.notes.add(span, message, None);
        } else {
            levels.push(QueueLevel { queue, level, preference });
        }
    }
    levels
}

fn one_break(view: &View<'_>, names: &Names<'_, '_>) -> Option<BreakPlan> {
    let (scheduled, random) = (["after_min", "length_min"], ["per_hour", "length"]);
    let keys = view.given(&["after_min", "length_min", "per_hour", "length"]);
    if keys == scheduled {
        let micros = |key: &str| view.micros(key, MINUTE_US);
        return Some(BreakPlan::Scheduled { after_us: micros("after_min")?, length_us: micros("length_min")? });
    }
    if keys == random {
        return Some(BreakPlan::Random { per_hour: view.number("per_hour")?, length: names.span(view, "length")? });
    }
    let message = "a break needs `after_min` and `length_min`, or `per_hour` and `length`";
    names.notes.add(view.span.clone(), message, None);
    None
}

/// How counts are read: as rostered operators or as those who are there.
#[derive(Clone, Copy)]
struct Counting {
    shrinkage: f64,
    present: bool,
}

impl Counting {
    /// Rostered and present operators of a count.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a count, at most 10^6, divided by at least 10^-3"
    )]
    fn of(self, count: u32) -> Rostered {
        let stay = (1.0 - self.shrinkage).max(1e-3);
        // The rounding of 1 − shrinkage must not add a whole operator.
        let close = 1e-9;
        if self.present {
            Rostered { rostered: libm::ceil(f64::from(count) / stay - close) as u32, present: count }
        } else {
            Rostered { rostered: count, present: libm::round(f64::from(count) * stay + close) as u32 }
        }
    }
}

fn shifts(name: &str, view: &View<'_>, names: &Names<'_, '_>) -> Vec<Shift> {
    let counting = Counting {
        shrinkage: view.number("shrinkage").unwrap_or(0.0),
        present: view.text("counts_are") == Some("present"),
    };
    match names.one_of(view, &["count", "staffing", "shifts", "roster"], true) {
        Some("count") => {
            let count = counting.of(view.whole("count").unwrap_or(0));
            vec![Shift { days: Days::All, from_us: names.run.from_us, to_us: names.run.to_us, count }]
        }
        Some("staffing") => view.tables("staffing").iter().flat_map(|entry| staffing(entry, names, counting)).collect(),
        Some("shifts") => view.tables("shifts").iter().flat_map(|entry| shift(entry, names, counting)).collect(),
        Some("roster") => roster(name, view, names, counting),
        _ => Vec::new(),
    }
}

fn shift(view: &View<'_>, names: &Names<'_, '_>, counting: Counting) -> Vec<Shift> {
    let days = names.days(view);
    let (Some(from_us), Some(to_us), Some(count)) = (view.time("from"), view.time("to"), view.whole("count")) else {
        return Vec::new();
    };
    if from_us >= to_us {
        let help = "a shift over midnight is two entries".to_owned();
        names.notes.add(view.place("to"), "`to` must be later than `from`", Some(help));
        return Vec::new();
    }
    days.into_iter().map(|days| Shift { days, from_us, to_us, count: counting.of(count) }).collect()
}

fn staffing(view: &View<'_>, names: &Names<'_, '_>, counting: Counting) -> Vec<Shift> {
    let days = names.days(view);
    let (from_us, length_us) = intervals_frame(view, names);
    let items = view.items("counts");
    let counts: Vec<u32> = items.iter().filter_map(Node::integer).filter_map(|n| u32::try_from(n).ok()).collect();
    if counts.len() < items.len() {
        return Vec::new();
    }
    check_fits_day(view, names, "counts", from_us + length_us * counts.len() as u64);
    let (rostered, present): (Vec<u32>, Vec<u32>) =
        counts.iter().map(|count| counting.of(*count)).map(|count| (count.rostered, count.present)).unzip();
    let absent: Vec<u32> = rostered.iter().zip(&present).map(|(rostered, present)| rostered - present).collect();
    let mut shifts = Vec::new();
    for days in days {
        for (counts, is_present) in [(&present, 1), (&absent, 0)] {
            for (from, to, count) in runs(counts) {
                shifts.push(Shift {
                    days,
                    from_us: from_us + from as u64 * length_us,
                    to_us: (from_us + to as u64 * length_us).min(DAY_US),
                    count: Rostered { rostered: count, present: count * is_present },
                });
            }
        }
    }
    shifts
}

/// Counts by interval as shifts that people work through: from, to (in intervals) and how many.
///
/// Whoever is there in two neighbouring intervals stays; the last to come are the first to go.
fn runs(counts: &[u32]) -> Vec<(usize, usize, u32)> {
    let mut runs = Vec::new();
    // Start and number of those on duty, latest start last.
    let mut open: Vec<(usize, u32)> = Vec::new();
    let mut on_duty = 0;
    for (i, count) in counts.iter().copied().chain([0]).enumerate() {
        if count > on_duty {
            open.push((i, count - on_duty));
        }
        let mut leaving = on_duty.saturating_sub(count);
        while let Some((start, number)) = open.pop_if(|_| leaving > 0) {
            let go = number.min(leaving);
            runs.push((start, i, go));
            leaving -= go;
            if number > go {
                open.push((start, number - go));
            }
        }
        on_duty = count;
    }
    runs.sort_unstable();
    runs
}

/// Start and length of the intervals of a table with `from` and `interval_min`.
pub(crate) fn intervals_frame(view: &View<'_>, names: &Names<'_, '_>) -> (u64, u64) {
    let from_us = if view.has("from") { view.time("from").unwrap_or(0) } else { names.run.from_us };
    let length_us = view.whole::<u64>("interval_min").map_or(names.run.interval_us, |minutes| minutes * MINUTE_US);
    (from_us, length_us)
}

/// Notes a list of intervals that goes beyond midnight.
pub(crate) fn check_fits_day(view: &View<'_>, names: &Names<'_, '_>, key: &str, end_us: u64) {
    if end_us > DAY_US {
        let message = format!("`{key}` goes on beyond midnight: {} intervals are too many", view.items(key).len());
        names.notes.add(view.place(key), message, None);
    }
}

fn roster(group: &str, view: &View<'_>, names: &Names<'_, '_>, counting: Counting) -> Vec<Shift> {
    let Some(csv) = names.csv(view, "roster", ROSTER) else { return Vec::new() };
    let mentioned = view.place("roster");
    let mut shifts = Vec::new();
    let (mut mine, mut wrong) = (0, false);
    for row in csv.rows() {
        let row = match row {
            Ok(row) => row,
            Err(problem) => {
                wrong = true;
                names.notes.add_other(&mentioned, *problem);
                continue;
            }
        };
        match row_group(&row, names) {
            Ok(Some(other)) if other != group => continue,
            Ok(_) => {}
            Err(problem) => {
                wrong = true;
                names.notes.add_other(&mentioned, *problem);
                continue;
            }
        }
        mine += 1;
        match roster_row(&row, names, counting) {
            Ok(row_shifts) => shifts.extend(row_shifts),
            Err(problem) => names.notes.add_other(&mentioned, *problem),
        }
    }
    if mine == 0 && !wrong {
        let message = format!("the roster has no row of the group `{}`", printable(group));
        names.notes.add(mentioned, message, None);
    }
    shifts
}

/// The group that a row names, which must be one of the scenario's.
fn row_group(row: &Row<'_>, names: &Names<'_, '_>) -> Result<Option<String>, Box<Problem>> {
    let Some((name, _)) = row.cell("group") else { return Ok(None) };
    if names.groups.contains(&name) {
        return Ok(Some(name.to_owned()));
    }
    let message = format!("there is no group of operators `{}`", printable(name));
    Err(row.problem("group", message, suggestion(name, names.groups.iter().copied())))
}

fn roster_row(row: &Row<'_>, names: &Names<'_, '_>, counting: Counting) -> Result<Vec<Shift>, Box<Problem>> {
    let expected = "a time of day such as 08:30, with or without a date before it";
    let (date, from_us) = row.read("start", expected, moment)?;
    let (end_date, to_us) = row.read("end", expected, moment)?;
    let to_us = match (date, end_date) {
        // The midnight at the end of the day is written as the next day's.
        (Some(start), Some(end)) if to_us == 0 && start.tomorrow().ok() == Some(end) => DAY_US,
        (Some(start), Some(end)) if start != end => {
            return Err(row.problem("end", "a shift over midnight is two rows".into(), None));
        }
        _ => to_us,
    };
    if from_us >= to_us {
        let help = "a shift over midnight is two rows".to_owned();
        return Err(row.problem("end", "`end` must be later than `start`".into(), Some(help)));
    }
    let count = row.read("count", "a whole number", |text| text.parse::<u32>().ok().filter(|n| *n <= 1_000_000))?;
    let share = |text: &str| text.parse().ok().filter(|share: &f64| (0.0..1.0).contains(share));
    let shrinkage = row.read_if_any("shrinkage", "a share of at least 0 and less than 1", share)?;
    let counting = Counting { shrinkage: shrinkage.unwrap_or(counting.shrinkage), ..counting };
    let all = |days| Shift { days, from_us, to_us, count: counting.of(count) };
    if let Some(date) = date {
        if row.cell("day").is_some() {
            return Err(row.problem("day", "`day` has no meaning where `start` has a date".into(), None));
        }
        return date_days(row, "start", date, names).map(|days| days.into_iter().map(all).collect());
    }
    let expected = "mon … sun, weekdays, weekend or a date";
    match row.read_if_any("day", expected, day)? {
        None => Ok(vec![all(Days::All)]),
        Some(Day::Weekdays(mask)) => Ok(vec![all(Days::Weekdays(mask))]),
        Some(Day::Date(date)) => date_days(row, "day", date, names).map(|days| days.into_iter().map(all).collect()),
    }
}

/// The simulated day of a date; none if the run does not reach it, since files often cover more.
pub(crate) fn date_days(
    row: &Row<'_>,
    column: &str,
    date: jiff::civil::Date,
    names: &Names<'_, '_>,
) -> Result<Option<Days>, Box<Problem>> {
    if !names.run.clock.dated {
        let message = "a date needs `date` in [run] of the scenario, which says when the run starts".into();
        return Err(row.problem(column, message, None));
    }
    Ok(names.run.day_of(date).ok().map(Days::One))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_interval_become_shifts() {
        assert_eq!(runs(&[2, 3, 3, 1]), [(0, 3, 1), (0, 4, 1), (1, 3, 1)]);
        assert_eq!(runs(&[0, 4, 0, 4]), [(1, 2, 4), (3, 4, 4)]);
        assert_eq!(runs(&[]), []);
        // In every interval as many are on duty as were asked for.
        let counts = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5];
        for (i, count) in counts.iter().enumerate() {
            let there: u32 =
                runs(&counts).iter().filter(|(from, to, _)| (*from..*to).contains(&i)).map(|run| run.2).sum();
            assert_eq!(there, *count);
        }
    }

    #[test]
    fn shrinkage_rounds_up_who_is_paid() {
        let on_top = Counting { shrinkage: 0.3, present: true };
        assert_eq!(on_top.of(100), Rostered { rostered: 143, present: 100 });
        assert_eq!(on_top.of(14), Rostered { rostered: 20, present: 14 });
        let off = Counting { shrinkage: 0.3, present: false };
        assert_eq!(off.of(20), Rostered { rostered: 20, present: 14 });
        assert_eq!(Counting { shrinkage: 0.0, present: false }.of(7), Rostered { rostered: 7, present: 7 });
    }
}
