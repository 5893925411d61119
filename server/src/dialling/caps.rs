//! How many numbers may be dialled in an hour and in a day of the service's time zone.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan, Zoned};
use serde::{Deserialize, Serialize};

use super::no_zone;
use crate::floor::ServiceExtra;
use crate::storage::StorageError;

/// Most dials; `None` for as many as one likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Caps {
    /// In an hour of the clock.
    pub per_hour: Option<u32>,
    /// In a day of the calendar.
    pub per_day: Option<u32>,
}

impl Default for Caps {
    /// Of a service: a floor of 50 who dial once a minute stays below it; who dials by stolen means does not for long.
    fn default() -> Self {
        Self { per_hour: Some(3_000), per_day: Some(20_000) }
    }
}

impl Caps {
    /// No bound.
    pub const NONE: Self = Self { per_hour: None, per_day: None };

    pub(super) const fn most(self, period: Period) -> Option<u32> {
        match period {
            Period::Hour => self.per_hour,
            Period::Day => self.per_day,
        }
    }
}

/// For how long dials are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Period {
    /// An hour of the clock.
    Hour,
    /// A day of the calendar.
    Day,
}

impl Period {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }

    /// When the period that holds `at_us` began, and when the next one begins, in microseconds since 1970.
    pub(super) fn bounds(self, zone: &TimeZone, at_us: u64) -> Result<(u64, u64), StorageError> {
        let at = stamp(at_us).to_zoned(zone.clone());
        self.around(&at).map_err(|wrong| StorageError::Damaged {
            place: format!("the {} of {at}", self.word()),
            what: wrong.to_string(),
        })
    }

    fn around(self, at: &Zoned) -> Result<(u64, u64), jiff::Error> {
        let us = |zoned: &Zoned| u64::try_from(zoned.timestamp().as_microsecond()).unwrap_or(0);
        Ok(match self {
            Self::Hour => {
                let second = at.timestamp().as_second();
                let past = (second + i64::from(at.offset().seconds())).rem_euclid(3_600);
                let begun = Timestamp::from_second(second - past)?;
                let begun = begun.to_zoned(at.time_zone().clone());
                (us(&begun), us(&begun.checked_add(1.hour())?))
            }
            // Across a clock change a day has 23 or 25 hours.
            Self::Day => (us(&at.start_of_day()?), us(&at.tomorrow()?.start_of_day()?)),
        })
    }
}

fn stamp(at_us: u64) -> Timestamp {
    i64::try_from(at_us).ok().and_then(|us| Timestamp::from_microsecond(us).ok()).unwrap_or(Timestamp::MAX)
}

/// A moment as people read it, with its distance from UTC.
pub(super) fn written(at_us: u64, zone: &TimeZone) -> String {
    stamp(at_us).to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// The time zone of a service.
pub(super) fn zone(extra: &ServiceExtra) -> Result<TimeZone, StorageError> {
    let name = extra.schedule.as_ref().map_or(&extra.zone, |schedule| &schedule.zone);
    TimeZone::get(name).map_err(|_| no_zone(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(period: Period, zone: &str, at: &str) -> (String, String) {
        let zone = TimeZone::get(zone).unwrap();
        let at = at.parse::<Timestamp>().unwrap().as_microsecond();
        let (begun, next) = period.bounds(&zone, u64::try_from(at).unwrap()).unwrap();
        (written(begun, &zone), written(next, &zone))
    }

    /// Hours and days of the service's own clock, half-hour zones and clock changes too.
    #[test]
    fn periods_are_those_of_the_clock() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        let at = "2026-11-26T15:59:59.999999Z";
        assert_eq!(
            bounds(Period::Hour, "Asia/Tokyo", at),
            pair("2026-11-27 00:00:00 +09:00", "2026-11-27 01:00:00 +09:00")
        );
        assert_eq!(
            bounds(Period::Day, "Asia/Tokyo", at),
            pair("2026-11-27 00:00:00 +09:00", "2026-11-28 00:00:00 +09:00")
        );
        assert_eq!(
            bounds(Period::Hour, "Asia/Kolkata", at),
            pair("2026-11-26 21:00:00 +05:30", "2026-11-26 22:00:00 +05:30")
        );
        let (begun, next) = bounds(Period::Day, "Europe/Berlin", "2026-10-25T12:00:00Z");
        assert_eq!((begun, next), pair("2026-10-25 00:00:00 +02:00", "2026-10-26 00:00:00 +01:00"));
    }
}
