//! Opening hours: a week, holidays and a time zone, expanded into the periods that the engine knows.

use std::collections::BTreeMap;

use callfloor_engine::{Instant, OpeningHours};
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

/// When a service is open, as people write it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Schedule {
    /// The time zone: `Asia/Tokyo`.
    pub zone: String,
    /// Opening times of each day of the week; a day that is left out is closed. `[["09:00","12:00"],["13:00","18:00"]]`;
    /// `24:00` is the day's end.
    pub week: BTreeMap<Day, Vec<(String, String)>>,
    /// Days that are not like their weekday.
    #[serde(default)]
    pub holidays: Vec<Holiday>,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "each is its own words")]
pub enum Day {
    Monday,
    Tuesday,
    Wednesday,
    Thursday,
    Friday,
    Saturday,
    Sunday,
}

/// A day that is not like its weekday.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Holiday {
    /// Which: `2026-01-01`.
    pub date: String,
    /// Its name.
    #[serde(default)]
    pub name: String,
    /// Opening times on it; none: closed.
    #[serde(default)]
    pub open: Vec<(String, String)>,
}

/// What is wrong with a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// No such time zone.
    #[error("there is no time zone {0:?}: one as in Asia/Tokyo is right")]
    Zone(String),
    /// Not a date.
    #[error("{0:?} is no date: one as in 2026-01-01 is right")]
    Date(String),
    /// Not a time.
    #[error("{0:?} is no time of day: 00:00 to 24:00 is right")]
    Time(String),
    /// Times that are empty, or not in order.
    #[error("{day}: opening times must be in order, apart and not empty; {from} to {to} is not")]
    Order {
        /// On which day.
        day: String,
        /// From.
        from: String,
        /// To.
        to: String,
    },
    /// Two holidays on one day.
    #[error("{0} is a holiday twice")]
    Twice(String),
    /// Too many of something.
    #[error("at most {most} {what} are right")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many would be right.
        most: usize,
    },
}

/// Most holidays of a service.
const HOLIDAYS: usize = 1_000;
/// Most opening times of a day.
const TIMES: usize = 16;

/// Minutes since midnight of a text: 0 to 1440.
fn minutes(text: &str) -> Result<u32, ScheduleError> {
    let wrong = || ScheduleError::Time(text.to_owned());
    let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
    if hour.len() != 2 || minute.len() != 2 || !text.bytes().all(|byte| byte.is_ascii_digit() || byte == b':') {
        return Err(wrong());
    }
    let (hour, minute): (u32, u32) = (hour.parse().map_err(|_| wrong())?, minute.parse().map_err(|_| wrong())?);
    (hour < 24 && minute < 60 || (hour, minute) == (24, 0)).then_some(hour * 60 + minute).ok_or_else(wrong)
}

fn times(day: &str, open: &[(String, String)]) -> Result<Vec<(u32, u32)>, ScheduleError> {
    if open.len() > TIMES {
        return Err(ScheduleError::TooMany { what: "opening times a day", most: TIMES });
    }
    let mut last = 0;
    let mut found = Vec::new();
    for (from, to) in open {
        let (start, end) = (minutes(from)?, minutes(to)?);
        if start >= end || (!found.is_empty() && start < last) {
            return Err(ScheduleError::Order { day: day.to_owned(), from: from.clone(), to: to.clone() });
        }
        last = end;
        found.push((start, end));
    }
    Ok(found)
}

/// The moment of a time of day. In a gap of the clock it is the moment of the jump; of a time that comes twice the first
/// opens and the second closes, so that a shift over the change is as long as the wall clock says it is open.
fn moment(zone: &TimeZone, date: Date, minute: u32, closing: bool) -> Option<Timestamp> {
    let (date, minute) = if minute == 1_440 { (date.tomorrow().ok()?, 0) } else { (date, minute) };
    let (hour, minute) = (i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?);
    let civil = date.to_datetime(Time::new(hour, minute, 0, 0).ok()?);
    let found = zone.to_ambiguous_timestamp(civil);
    match found.offset() {
        jiff::tz::AmbiguousOffset::Unambiguous { .. } => found.compatible().ok(),
        // In a gap: before the jump the offset is `before`, and the civil time read with `after` lies before the jump, read
        // with `before` behind it. The jump itself is the next transition.
        jiff::tz::AmbiguousOffset::Gap { .. } => {
            let early = found.earlier().ok()?;
            zone.following(early).next().map(|change| change.timestamp())
        }
        jiff::tz::AmbiguousOffset::Fold { .. } => {
            if closing {
                found.later().ok()
            } else {
                found.earlier().ok()
            }
        }
    }
}

const fn day_of(weekday: Weekday) -> Day {
    match weekday {
        Weekday::Monday => Day::Monday,
        Weekday::Tuesday => Day::Tuesday,
        Weekday::Wednesday => Day::Wednesday,
        Weekday::Thursday => Day::Thursday,
        Weekday::Friday => Day::Friday,
        Weekday::Saturday => Day::Saturday,
        Weekday::Sunday => Day::Sunday,
    }
}

/// The engine's periods of a schedule, from the day before `now` on for `days` days.
///
/// # Errors
/// What is wrong with the schedule.
pub fn expand(schedule: &Schedule, now: Instant, days: u16) -> Result<OpeningHours, ScheduleError> {
    let zone = TimeZone::get(&schedule.zone).map_err(|_| ScheduleError::Zone(schedule.zone.clone()))?;
    if schedule.holidays.len() > HOLIDAYS {
        return Err(ScheduleError::TooMany { what: "holidays", most: HOLIDAYS });
    }
    let mut week = BTreeMap::new();
    for (day, open) in &schedule.week {
        week.insert(*day, times(&format!("{day:?}"), open)?);
    }
    let mut holidays = BTreeMap::new();
    for holiday in &schedule.holidays {
        let date: Date = holiday.date.parse().map_err(|_| ScheduleError::Date(holiday.date.clone()))?;
        if holidays.insert(date, times(&holiday.date, &holiday.open)?).is_some() {
            return Err(ScheduleError::Twice(holiday.date.clone()));
        }
    }
    let start = i64::try_from(now.as_micros()).ok().and_then(|micros| Timestamp::from_microsecond(micros).ok());
    let start = start.unwrap_or(Timestamp::UNIX_EPOCH);
    let mut date = zone.to_datetime(start).date();
    date = date.yesterday().unwrap_or(date);
    let mut periods: Vec<(Instant, Instant)> = Vec::new();
    for _ in 0..=days {
        let open = holidays.get(&date).or_else(|| week.get(&day_of(date.weekday())));
        for &(from, to) in open.into_iter().flatten() {
            let (Some(from), Some(to)) = (moment(&zone, date, from, false), moment(&zone, date, to, true)) else {
                continue;
            };
            let at = |stamp: Timestamp| Instant::from_micros(u64::try_from(stamp.as_microsecond()).unwrap_or(0));
            let (from, to) = (at(from), at(to));
            if from >= to {
                continue;
            }
            match periods.last_mut() {
                // Open through midnight, or over hours that the clock has twice.
                Some(last) if from <= last.1 => last.1 = last.1.max(to),
                _ => periods.push((from, to)),
            }
        }
        let Ok(next) = date.checked_add(1.day()) else { break };
        date = next;
    }
    Ok(OpeningHours::Periods(periods))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        let stamp: Timestamp = text.parse().unwrap();
        Instant::from_micros(u64::try_from(stamp.as_microsecond()).unwrap())
    }

    fn schedule(zone: &str, from: &str, to: &str) -> Schedule {
        let days = [Day::Monday, Day::Tuesday, Day::Wednesday, Day::Thursday, Day::Friday, Day::Saturday, Day::Sunday];
        Schedule {
            zone: zone.into(),
            week: days.map(|day| (day, vec![(from.to_owned(), to.to_owned())])).into(),
            holidays: vec![],
        }
    }

    fn check(hours: &OpeningHours, expected: &[(&str, bool)]) {
        for (text, open) in expected {
            assert_eq!(hours.is_open(at(text)), *open, "{text}");
        }
    }

    #[test]
    fn a_week_with_a_holiday_and_an_open_night() {
        let mut japan = schedule("Asia/Tokyo", "09:00", "18:00");
        japan.week.remove(&Day::Sunday);
        japan.week.insert(Day::Saturday, vec![("22:00".into(), "24:00".into())]);
        japan.holidays = vec![
            Holiday { date: "2026-11-23".into(), name: "勤労感謝の日".into(), open: vec![] },
            Holiday { date: "2026-11-29".into(), name: "night".into(), open: vec![("00:00".into(), "02:00".into())] },
        ];
        let hours = expand(&japan, at("2026-11-20T00:00:00Z"), 30).unwrap();
        check(
            &hours,
            &[
                ("2026-11-20T08:59:59.999999+09:00", false),
                ("2026-11-20T09:00:00+09:00", true),
                ("2026-11-20T17:59:59.999999+09:00", true),
                ("2026-11-20T18:00:00+09:00", false),
                ("2026-11-23T12:00:00+09:00", false),
                ("2026-11-28T23:59:59+09:00", true),
                ("2026-11-29T00:00:00+09:00", true),
                ("2026-11-29T02:00:00+09:00", false),
                ("2026-12-06T12:00:00+09:00", false),
            ],
        );
    }

    /// Both changes of the clock: wall-clock hours hold, whatever their length in real time.
    #[test]
    fn clocks_go_forward_and_back() {
        // 2026-03-29: 02:00 CET becomes 03:00 CEST. 2026-10-25: 03:00 CEST becomes 02:00 CET.
        let day = expand(&schedule("Europe/Berlin", "09:00", "17:00"), at("2026-03-27T00:00:00Z"), 5).unwrap();
        check(&day, &[("2026-03-28T08:00:00Z", true), ("2026-03-29T06:59:59Z", false), ("2026-03-29T07:00:00Z", true)]);

        let night = expand(&schedule("Europe/Berlin", "01:30", "02:30"), at("2026-03-28T00:00:00Z"), 3).unwrap();
        // 02:30 does not exist: closed from the jump on, half an hour after opening.
        check(
            &night,
            &[
                ("2026-03-29T00:29:59Z", false),
                ("2026-03-29T00:30:00Z", true),
                ("2026-03-29T00:59:59Z", true),
                ("2026-03-29T01:00:00Z", false),
            ],
        );
        let gap = expand(&schedule("Europe/Berlin", "02:15", "02:45"), at("2026-03-28T00:00:00Z"), 1).unwrap();
        check(&gap, &[("2026-03-29T00:59:59Z", false), ("2026-03-29T01:00:00Z", false)]);

        let twice = expand(&schedule("Europe/Berlin", "01:30", "02:30"), at("2026-10-24T00:00:00Z"), 3).unwrap();
        // 02:00 to 03:00 comes twice: open from the first 01:30 until the second 02:30.
        check(
            &twice,
            &[
                ("2026-10-24T23:29:59Z", false),
                ("2026-10-24T23:30:00Z", true),
                ("2026-10-25T01:29:59Z", true),
                ("2026-10-25T01:30:00Z", false),
            ],
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let now = at("2026-01-01T00:00:00Z");
        assert!(matches!(expand(&schedule("Asia/Tokio", "09:00", "18:00"), now, 1), Err(ScheduleError::Zone(_))));
        assert!(matches!(expand(&schedule("Asia/Tokyo", "9:00", "18:00"), now, 1), Err(ScheduleError::Time(_))));
        assert!(matches!(expand(&schedule("Asia/Tokyo", "09:00", "24:30"), now, 1), Err(ScheduleError::Time(_))));
        assert!(matches!(expand(&schedule("Asia/Tokyo", "18:00", "09:00"), now, 1), Err(ScheduleError::Order { .. })));
        let mut twice = schedule("Asia/Tokyo", "09:00", "18:00");
        twice.holidays = vec![Holiday { date: "2026-01-01".into(), name: String::new(), open: vec![] }; 2];
        assert_eq!(expand(&twice, now, 1), Err(ScheduleError::Twice("2026-01-01".into())));
        twice.holidays = vec![Holiday { date: "2026-02-30".into(), name: String::new(), open: vec![] }];
        assert!(matches!(expand(&twice, now, 1), Err(ScheduleError::Date(_))));
    }
}
