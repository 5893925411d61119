//! Dates, days of the week and times of day.

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

/// Microseconds in a second.
pub const SECOND_US: u64 = 1_000_000;
/// Microseconds in a minute.
pub const MINUTE_US: u64 = 60 * SECOND_US;
/// Microseconds in an hour.
pub const HOUR_US: u64 = 60 * MINUTE_US;
/// Microseconds in a day of 24 hours.
pub const DAY_US: u64 = 24 * HOUR_US;

/// Date and time zone of a scenario.
#[derive(Debug, Clone, PartialEq)]
pub struct Clock {
    /// First simulated day. Without a date in the file it is Monday 2024-01-01.
    pub start: Date,
    /// Whether the file names the date, so that reports print it.
    pub dated: bool,
    /// Time zone; UTC unless the file names one.
    pub time_zone: TimeZone,
    /// Name of the time zone as in the file, such as `Asia/Tokyo`.
    pub time_zone_name: String,
}

impl Clock {
    /// A Monday in UTC, for a scenario without a date.
    #[must_use]
    pub fn undated() -> Self {
        Self {
            start: jiff::civil::date(2024, 1, 1),
            dated: false,
            time_zone: TimeZone::UTC,
            time_zone_name: "UTC".into(),
        }
    }

    /// The date of simulated day `day`, counted from 0. Saturates at the calendar's end.
    #[must_use]
    pub fn date(&self, day: u32) -> Date {
        self.start.saturating_add(jiff::Span::new().days(i64::from(day).min(3_000_000)))
    }

    /// The moment of a time of day on simulated day `day`, in microseconds since the first midnight.
    ///
    /// With a date, the clock changes of the time zone count: a time that the change leaves out is moved on by
    /// the gap, and of a time that comes twice the first is meant. Without a date every day has 24 hours.
    #[must_use]
    pub fn instant_us(&self, day: u32, time_us: u64) -> u64 {
        let plain = u64::from(day) * DAY_US + time_us;
        if !self.dated {
            return plain;
        }
        let at = |date: Date, time_us: u64| {
            let span = jiff::Span::new().microseconds(i64::try_from(time_us % DAY_US).unwrap_or(0));
            let date = if time_us >= DAY_US { date.tomorrow().unwrap_or(date) } else { date };
            let time = date.to_datetime(jiff::civil::Time::midnight()).saturating_add(span);
            self.time_zone.to_ambiguous_timestamp(time).compatible().map(|moment| moment.as_microsecond())
        };
        match (at(self.start, 0), at(self.date(day), time_us)) {
            (Ok(origin), Ok(moment)) => u64::try_from(moment - origin).unwrap_or(0),
            // Only at the very ends of the calendar.
            _ => plain,
        }
    }

    /// The day of the week of simulated day `day`, counted from 0.
    #[must_use]
    pub fn weekday(&self, day: u32) -> Weekday {
        self.date(day).weekday()
    }
}

/// The simulated days for which something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Days {
    /// Every day.
    All,
    /// Some days of the week: bit 0 is Monday, bit 6 Sunday.
    Weekdays(u8),
    /// One simulated day, counted from 0.
    One(u32),
}

impl Days {
    /// Whether simulated day `day`, which is a `weekday`, belongs to it.
    #[must_use]
    pub fn contains(self, day: u32, weekday: Weekday) -> bool {
        match self {
            Self::All => true,
            Self::Weekdays(mask) => mask & (1 << weekday.to_monday_zero_offset()) != 0,
            Self::One(only) => only == day,
        }
    }
}

/// When a service is open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OpeningHours {
    /// Open spans; none at all means always open (except on holidays).
    pub spans: Vec<OpenSpan>,
    /// Dates on which the service stays closed, in order.
    pub holidays: Vec<Date>,
}

/// One open span of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenSpan {
    /// Days on which it holds.
    pub days: Days,
    /// Opening time of day in microseconds.
    pub from_us: u64,
    /// Closing time of day in microseconds, greater than `from_us`, at most a day.
    pub to_us: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_of_a_clock_change_has_23_or_25_hours() {
        let clock = |start| Clock {
            start,
            dated: true,
            time_zone: jiff::tz::TimeZoneDatabase::bundled().get("Europe/London").unwrap(),
            time_zone_name: "Europe/London".into(),
        };
        let spring = clock(jiff::civil::date(2026, 3, 29));
        assert_eq!(spring.instant_us(0, DAY_US), 23 * HOUR_US);
        assert_eq!(spring.instant_us(1, 9 * HOUR_US), 32 * HOUR_US);
        // 01:30 does not exist: it is half past two.
        assert_eq!(spring.instant_us(0, HOUR_US + 30 * MINUTE_US), HOUR_US + 30 * MINUTE_US);
        let autumn = clock(jiff::civil::date(2026, 10, 25));
        assert_eq!(autumn.instant_us(1, 0), 25 * HOUR_US);
    }

    #[test]
    fn without_a_date_every_day_has_24_hours() {
        let clock = Clock::undated();
        assert_eq!(clock.instant_us(89, 8 * HOUR_US), 89 * DAY_US + 8 * HOUR_US);
        assert_eq!(clock.weekday(0), Weekday::Monday);
        assert!(Days::Weekdays(0b0110_0000).contains(5, clock.weekday(5)));
        assert!(!Days::Weekdays(0b0110_0000).contains(4, clock.weekday(4)));
    }
}
