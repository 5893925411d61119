//! From stored intervals to a report's rows: sums of primitives by half hour, hour or day in a time zone.

use std::collections::BTreeMap;

use callfloor_measure::{Counts, EarlyAbandons, Metric, StaffTimes};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::projection::shares;
use super::{DeskNow, INTERVAL_US, OperatorInterval, OperatorWork, QueueInterval};

/// Length of a report's rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Every {
    /// 15 minutes.
    #[serde(rename = "15")]
    Quarter,
    /// 30 minutes.
    #[serde(rename = "30")]
    HalfHour,
    /// 60 minutes.
    #[serde(rename = "60")]
    Hour,
    /// A day of the time zone, of 23 or 25 hours where its clock changes.
    #[default]
    Day,
    /// The whole period.
    All,
}

/// Which stretch of time, in which zone, in rows of which length.
#[derive(Clone, Debug)]
pub struct Frame {
    /// First moment, in microseconds since 1970.
    pub from_us: u64,
    /// Just after the last.
    pub to_us: u64,
    /// The zone of days and hours.
    pub zone: TimeZone,
    /// Length of rows.
    pub every: Every,
}

impl Frame {
    fn stamp(us: u64) -> Timestamp {
        i64::try_from(us).ok().and_then(|us| Timestamp::from_microsecond(us).ok()).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    /// The start of the row that holds a moment, in microseconds since 1970.
    #[must_use]
    pub fn row_of(&self, us: u64) -> u64 {
        let minutes = match self.every {
            Every::All => return self.from_us,
            Every::Day => {
                let start = Self::stamp(us).to_zoned(self.zone.clone()).start_of_day();
                let start = start.map_or(us, |start| u64::try_from(start.timestamp().as_microsecond()).unwrap_or(us));
                return start.max(self.from_us);
            }
            Every::Quarter => 15,
            Every::HalfHour => 30,
            Every::Hour => 60,
        };
        let zoned = Self::stamp(us).to_zoned(self.zone.clone());
        let past = u64::try_from(i64::from(zoned.minute()) % minutes).unwrap_or(0) * 60_000_000;
        let within = u64::try_from(zoned.second()).unwrap_or(0) * 1_000_000 + us % 1_000_000;
        (us - past - within).max(self.from_us)
    }

    /// A row's start as people of the zone read it.
    #[must_use]
    pub fn label(&self, us: u64) -> String {
        let zoned = Self::stamp(us).to_zoned(self.zone.clone());
        match self.every {
            Every::Day | Every::All => zoned.strftime("%Y-%m-%d").to_string(),
            _ => zoned.strftime("%Y-%m-%d %H:%M %:z").to_string(),
        }
    }

    fn holds(&self, interval: u64) -> bool {
        (self.from_us..self.to_us).contains(&(interval * INTERVAL_US))
    }

    fn next(&self, row: u64) -> u64 {
        match self.every {
            Every::All => self.to_us,
            _ => {
                // The next row begins with the first interval that is in another row.
                let mut at = row / INTERVAL_US * INTERVAL_US + INTERVAL_US;
                while at < self.to_us && self.row_of(at) == row {
                    at += INTERVAL_US;
                }
                at.min(self.to_us)
            }
        }
    }

    /// Rows of the frame, by their starts.
    #[must_use]
    pub fn rows(&self) -> Vec<(u64, u64)> {
        let mut rows = Vec::new();
        let mut at = self.row_of(self.from_us);
        while at < self.to_us {
            let next = self.next(at);
            rows.push((at, next));
            at = next;
        }
        rows
    }
}

/// A stretch of time of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouped<T> {
    /// Its start, in microseconds since 1970.
    pub from_us: u64,
    /// Its end.
    pub to_us: u64,
    /// Which queue or operator; a row of dials has the service's place in `OUTBOUND`.
    pub of: u32,
    /// What was counted.
    pub what: T,
}

/// A queue's primitives.
pub type QueueRow = Grouped<Counts>;
/// An operator's.
pub type OperatorRow = Grouped<(StaffTimes, OperatorWork)>;

/// Sums intervals into rows. `waiting` is what is counted in each row's queue at the end of `intervals`; W0 and W1 are found
/// from it backwards. So a row's identity holds by construction, and fails only where it would need less than nobody to
/// wait; what is checked independently is `waiting` itself, by the caller, against the engine's queues.
#[must_use]
pub fn group_queues(frame: &Frame, intervals: &[QueueInterval], waiting: &BTreeMap<u32, u64>) -> Vec<QueueRow> {
    let mut sums: BTreeMap<(u64, u32), Counts> = BTreeMap::new();
    let mut later: BTreeMap<u32, i64> = BTreeMap::new();
    let mut rows_of: Vec<u32> = waiting.keys().copied().collect();
    for found in intervals {
        let (interval, row) = (found.id >> 32, u32::try_from(found.id & 0xffff_ffff).unwrap_or(0));
        if !rows_of.contains(&row) {
            rows_of.push(row);
        }
        if frame.holds(interval) {
            *sums.entry((frame.row_of(interval * INTERVAL_US), row)).or_default() += &found.counts;
        } else if interval * INTERVAL_US >= frame.to_us {
            *later.entry(row).or_default() += change(&found.counts);
        }
    }
    let mut out = Vec::new();
    let frames = frame.rows();
    for row in rows_of {
        // What waits at the end of the frame: what waits now, less what came since.
        let now = i64::try_from(waiting.get(&row).copied().unwrap_or(0)).unwrap_or(i64::MAX);
        let mut end = now - later.get(&row).copied().unwrap_or(0);
        for &(from_us, to_us) in frames.iter().rev() {
            let mut counts = sums.remove(&(from_us, row)).unwrap_or_default();
            let start = end - change(&counts);
            counts.waiting_at_end = u64::try_from(end).unwrap_or(0);
            counts.waiting_at_start = u64::try_from(start).unwrap_or(0);
            end = start;
            out.push(Grouped { from_us, to_us, of: row, what: counts });
        }
    }
    out.sort_by_key(|row| (row.from_us, row.of));
    out
}

/// By how much an interval changed what waits.
fn change(counts: &Counts) -> i64 {
    let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    signed(counts.offered)
        - signed(counts.answered_here)
        - signed(counts.abandoned_here)
        - signed(counts.flowed_out_here)
}

/// Sums operators' intervals into rows; time that goes on now is added up to `now_us`.
#[must_use]
pub fn group_operators(
    frame: &Frame,
    intervals: &[OperatorInterval],
    desks: &[DeskNow],
    now_us: u64,
) -> Vec<OperatorRow> {
    let mut sums: BTreeMap<(u64, u32), (StaffTimes, OperatorWork)> = BTreeMap::new();
    let number = |id: u64| u32::try_from((id & 0xffff_ffff).saturating_sub(1)).unwrap_or(u32::MAX);
    for found in intervals.iter().filter(|found| frame.holds(found.id >> 32)) {
        let row = frame.row_of((found.id >> 32) * INTERVAL_US);
        let sum = sums.entry((row, number(found.id))).or_default();
        sum.0 += &found.times;
        sum.1 += &found.work;
    }
    let logged_in = |desk: &&DeskNow| usize::from(desk.status) != callfloor_engine::Status::LoggedOut as usize;
    for desk in desks.iter().filter(logged_in) {
        for (interval, span) in shares(desk.since_us.max(frame.from_us), now_us.min(frame.to_us)) {
            let sum = sums.entry((frame.row_of(interval * INTERVAL_US), number(desk.id))).or_default();
            if let Some(time) = sum.0.in_status_us.get_mut(usize::from(desk.status)) {
                *time += span;
                sum.0.paid_us += span;
            }
        }
    }
    let row = |((from_us, of), what)| Grouped { from_us, to_us: frame.next(from_us), of, what };
    sums.into_iter().map(row).collect()
}

/// Every figure of a queue that exists for these primitives, by name.
pub(crate) fn figures(counts: &Counts, rule: EarlyAbandons) -> BTreeMap<String, f64> {
    let judged = counts.judged(rule);
    let of_calls = Metric::ALL.iter().filter(|metric| !metric.of_operators());
    let value = |metric: &Metric| Some((metric.name().to_owned(), metric.of(&judged, &StaffTimes::default())?));
    of_calls.filter_map(value).collect()
}

/// Every figure of an operator that exists for these times, by name.
pub(crate) fn staff_figures(times: &StaffTimes) -> BTreeMap<String, f64> {
    let of_staff = Metric::ALL.iter().filter(|metric| metric.of_operators());
    let value = |metric: &Metric| Some((metric.name().to_owned(), metric.of(&Counts::default(), times)?));
    of_staff.filter_map(value).collect()
}

/// The same calls counted where they left the queue, not where they arrived.
pub(crate) fn by_answer(counts: &Counts) -> Counts {
    Counts {
        offered: counts.answered_here + counts.abandoned_here + counts.flowed_out_here,
        answered: counts.answered_here,
        answered_in_time: counts.answered_in_time_here,
        abandoned: counts.abandoned_here,
        abandoned_in_time: 0,
        abandoned_short: 0,
        flowed_out: counts.flowed_out_here,
        ..*counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> u64 {
        u64::try_from(text.parse::<Timestamp>().unwrap().as_microsecond()).unwrap()
    }

    fn frame(zone: &str, from: &str, to: &str, every: Every) -> Frame {
        Frame { from_us: at(from), to_us: at(to), zone: TimeZone::get(zone).unwrap(), every }
    }

    /// Days of 23 and 25 hours, and the hour that comes twice.
    #[test]
    fn rows_follow_the_zone_across_clock_changes() {
        let spring = frame("Europe/Berlin", "2026-03-28T00:00:00+01:00", "2026-03-30T00:00:00+02:00", Every::Day);
        let hours: Vec<_> = spring.rows().iter().map(|(from, to)| (to - from) / 3_600_000_000).collect();
        assert_eq!(hours, [24, 23]);
        let autumn = frame("Europe/Berlin", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", Every::Day);
        assert_eq!(autumn.rows(), [(autumn.from_us, autumn.to_us)]);
        assert_eq!((autumn.to_us - autumn.from_us) / 3_600_000_000, 25);
        let twice = Frame { every: Every::Hour, ..autumn };
        assert_eq!(twice.rows().len(), 25);
        let labels: Vec<_> = twice.rows()[2..4].iter().map(|(from, _)| twice.label(*from)).collect();
        assert_eq!(labels, ["2026-10-25 02:00 +02:00", "2026-10-25 02:00 +01:00"]);
        // A zone whose offset is no whole number of hours.
        let nepal = frame("Asia/Kathmandu", "2026-01-01T00:00:00+05:45", "2026-01-02T00:00:00+05:45", Every::Hour);
        assert_eq!(nepal.rows().len(), 24);
        assert!(nepal.rows().iter().all(|(from, to)| to - from == 3_600_000_000));
    }

    /// Rows add up, and what waits is carried through rows in which nothing happened.
    #[test]
    fn sums_of_rows_are_the_sum_of_intervals() {
        let frame = frame("Asia/Tokyo", "2026-01-05T09:00:00+09:00", "2026-01-05T12:00:00+09:00", Every::Hour);
        let interval = |minutes: u64, counts: Counts| QueueInterval {
            id: super::super::interval_id((frame.from_us + minutes * 60_000_000) / INTERVAL_US, 1),
            counts,
        };
        let intervals = [
            interval(0, Counts { offered: 5, answered_here: 2, ..Counts::default() }),
            interval(15, Counts { offered: 1, answered_here: 1, ..Counts::default() }),
            interval(120, Counts { abandoned_here: 2, answered_here: 1, ..Counts::default() }),
            interval(240, Counts { offered: 4, ..Counts::default() }),
        ];
        // Four wait now: they came after the frame.
        let rows = group_queues(&frame, &intervals, &BTreeMap::from([(1, 4)]));
        let waiting: Vec<_> = rows.iter().map(|row| (row.what.waiting_at_start, row.what.waiting_at_end)).collect();
        assert_eq!(waiting, [(0, 3), (3, 3), (3, 0)]);
        for row in &rows {
            let (left, right) = row.what.identity(callfloor_measure::CountedBy::Arrival);
            assert_eq!(left, right);
        }
    }
}
