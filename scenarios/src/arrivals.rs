//! When customers arrive.

use crate::clock::Days;

/// The arrival process of one class of customers.
#[derive(Debug, Clone, PartialEq)]
pub enum Arrivals {
    /// A Poisson process whose rate follows the time of day, and may be multiplied by random factors.
    Rates {
        /// Pieces of the rate curve, by day and time, not overlapping on any one day; elsewhere the rate is 0.
        pieces: Vec<RatePiece>,
        /// A random factor for each day.
        day_factor: Option<DayFactor>,
        /// A random factor for each interval.
        interval_factor: Option<IntervalFactor>,
    },
    /// Arrivals read from a file, in order of time; the same in every replication.
    Trace {
        /// The arrivals.
        arrivals: Vec<TraceArrival>,
    },
}

/// A piece of a rate curve; linear from its start to its end, constant where the two rates are equal.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatePiece {
    /// Days on which it holds.
    pub days: Days,
    /// Start as a time of day in microseconds.
    pub from_us: u64,
    /// End as a time of day in microseconds, greater than the start.
    pub to_us: u64,
    /// Rate at the start, in arrivals per hour.
    pub start_per_hour: f64,
    /// Rate at the end, in arrivals per hour.
    pub end_per_hour: f64,
}

impl RatePiece {
    /// Expected arrivals in the piece.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "a time of day is far below 2^52 microseconds")]
    pub fn expected(&self) -> f64 {
        let hours = (self.to_us - self.from_us) as f64 / 3.6e9;
        (self.start_per_hour + self.end_per_hour) / 2.0 * hours
    }
}

/// A gamma-distributed factor of mean 1 that multiplies a whole day's rates (a busy or a quiet day).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DayFactor {
    /// Shape of the gamma distribution: its variance is 1 ÷ shape, its coefficient of variation 1 ÷ √shape.
    pub shape: f64,
    /// One draw a day for all classes that share it, instead of one for each class.
    pub shared: bool,
}

/// A gamma-distributed factor of mean 1 for each interval of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IntervalFactor {
    /// Shape of the gamma distribution.
    pub shape: f64,
    /// Length of the interval in microseconds.
    pub interval_us: u64,
    /// Correlation of the normal scores of neighbouring intervals, in [0, 1).
    pub correlation: f64,
    /// One draw an interval for all classes that share it, instead of one for each class.
    pub shared: bool,
}

/// One arrival of a trace. What the file leaves out is drawn from the class's models.
#[derive(Debug, Clone, PartialEq)]
pub struct TraceArrival {
    /// Microseconds since the first simulated midnight.
    pub at_us: u64,
    /// Who calls, as an opaque identity within the class.
    pub customer: Option<u64>,
    /// The wait that this customer would bear, in seconds.
    pub patience_s: Option<f64>,
    /// Talk time in seconds.
    pub talk_s: Option<f64>,
    /// After-call work in seconds.
    pub after_call_s: Option<f64>,
    /// Priority instead of the class's.
    pub priority: Option<u8>,
}

/// Average handle time for a part of the day: talk, hold and after-call spans drawn for a call that
/// arrives in it are multiplied by `aht_s` ÷ (mean of the class's own handling model).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeanHandling {
    /// Days on which it holds.
    pub days: Days,
    /// Start as a time of day in microseconds.
    pub from_us: u64,
    /// End as a time of day in microseconds.
    pub to_us: u64,
    /// Average handle time in seconds, greater than 0.
    pub aht_s: f64,
}
