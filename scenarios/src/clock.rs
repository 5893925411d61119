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
    /// The date of simulated day `day`, counted from 0. Saturates at the calendar's end.
    #[must_use]
    pub fn date(&self, day: u32) -> Date {
        self.start.saturating_add(jiff::Span::new().days(i64::from(day).min(3_000_000)))
    }

    /// The day of the week of simulated day `day`, counted from 0.
    #[must_use]
    pub fn weekday(&self, day: u32) -> Weekday {
        self.date(day).weekday()
    }
}

/// The simulated days for which something holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
