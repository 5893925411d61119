//! When customers come: Poisson processes whose rate follows the time of day, busy and quiet days, and traces.
//!
//! Arrivals are exact for rates that are constant or linear by pieces: the cumulative rate is inverted at the sum of
//! independent standard exponential numbers (E. Çınlar, "Introduction to Stochastic Processes", 1975, section 4.7), one from
//! each customer's own stream. Customer n of a class therefore has the same patience and talk time whatever the rates.

use crate::incomplete_gamma::gamma_quantile;
use crate::stream::{Kind, Purpose, Streams};
use crate::{distribution::Distribution, ziggurat};
use callfloor_scenario::clock::DAY_US;
use callfloor_scenario::{Arrivals, Clock, DayFactor, Days, Horizon, IntervalFactor, RatePiece, TraceArrival};

/// One customer's arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// Microseconds since the start of the replication.
    pub at_us: u64,
    /// The number of the customer within their source, from 0.
    pub number: u64,
    /// The place in the trace, where there is one.
    pub trace: Option<usize>,
    /// The first words of the customer's stream: arrival, patience, talk, after-call work.
    pub words: [u64; 4],
}

/// Where the streams of a source and its customers are keyed.
///
/// Customers of source `s` have the ids s·2⁴⁸ + number; a repeated attempt adds attempt·2⁴⁰.
#[must_use]
pub const fn customer_id(source: u16, number: u64, attempt: u8) -> u64 {
    (source as u64) << 48 | (attempt as u64) << 40 | (number & ((1 << 40) - 1))
}

/// A straight piece of a day's rate.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    from_us: u64,
    /// Length in seconds.
    length: f64,
    /// Rate at the start, per second, with the factors of the day and the interval in it.
    rate: f64,
    /// Change of the rate per second.
    slope: f64,
}

/// The arrivals of one source in one replication, in order of time.
#[derive(Debug, Clone)]
pub struct ArrivalProcess<'a> {
    source: u16,
    arrivals: &'a Arrivals,
    clock: &'a Clock,
    /// Part of each day in which customers arrive.
    window: (u64, u64),
    /// First day without arrivals; `None`: they go on for ever.
    end_day: Option<u32>,
    /// No arrival from here on.
    end_us: u64,
    streams: Streams,
    day: u32,
    pieces: Vec<Piece>,
    piece: usize,
    /// Seconds of the piece that are used up.
    position: f64,
    number: u64,
}

impl<'a> ArrivalProcess<'a> {
    /// The arrivals of source number `source` over `horizon`.
    #[must_use]
    pub fn new(source: u16, arrivals: &'a Arrivals, horizon: &Horizon, clock: &'a Clock, streams: Streams) -> Self {
        let (window, mut end_day, end_us) = match *horizon {
            Horizon::Days { count, from_us, to_us, .. } => ((from_us, to_us), Some(count), u64::MAX),
            Horizon::Calls { .. } => ((0, DAY_US), None, u64::MAX),
            Horizon::Steady { warm_up_us, length_us } => ((0, DAY_US), None, warm_up_us + length_us),
        };
        if let Arrivals::Rates { pieces, .. } = arrivals {
            // Without a piece that returns for ever, the last day named is the last.
            let last = pieces.iter().filter(|p| p.expected() > 0.0).map(|piece| match piece.days {
                Days::One(day) => day + 1,
                Days::Weekdays(0) => 0,
                Days::All | Days::Weekdays(_) => u32::MAX,
            });
            let last = last.max().unwrap_or(0);
            end_day = Some(end_day.map_or(last, |end| end.min(last)));
        }
        let mut process = Self {
            source,
            arrivals,
            clock,
            window,
            end_day,
            end_us,
            streams,
            day: 0,
            pieces: Vec::new(),
            piece: 0,
            position: 0.0,
            number: 0,
        };
        process.plan_day();
        process
    }

    /// The next arrival; `None` after the last.
    pub fn next_arrival(&mut self) -> Option<Arrival> {
        match self.arrivals {
            Arrivals::Rates { .. } => self.next_of_rates(),
            Arrivals::Trace { arrivals } => self.next_of_trace(arrivals),
        }
    }

    fn next_of_trace(&mut self, arrivals: &[TraceArrival]) -> Option<Arrival> {
        loop {
            let number = self.number;
            let index = usize::try_from(number).ok()?;
            let at_us = arrivals.get(index)?.at_us;
            if at_us >= self.end_us || self.end_day.is_some_and(|end| at_us / DAY_US >= u64::from(end)) {
                return None;
            }
            self.number += 1;
            if (self.window.0..self.window.1).contains(&(at_us % DAY_US)) {
                let words = self.streams.block(Kind::Customer, customer_id(self.source, number, 0), 0);
                return Some(Arrival { at_us, number, trace: Some(index), words });
            }
        }
    }

    #[inline]
    fn next_of_rates(&mut self) -> Option<Arrival> {
        let id = customer_id(self.source, self.number, 0);
        let words = self.streams.block(Kind::Customer, id, 0);
        let mut hazard =
            ziggurat::exponential(&mut self.streams.draws_from(Kind::Customer, id, Purpose::Arrival, words[0]));
        loop {
            let Some(piece) = self.pieces.get(self.piece) else {
                self.day = self.day.checked_add(1)?;
                if self.end_day.is_some_and(|end| self.day >= end) || self.clock.instant_us(self.day, 0) >= self.end_us
                {
                    return None;
                }
                self.plan_day();
                continue;
            };
            let (rate, rest) = (piece.rate + piece.slope * self.position, piece.length - self.position);
            let own = (rate + 0.5 * piece.slope * rest) * rest;
            if hazard >= own {
                hazard -= own;
                self.piece += 1;
                self.position = 0.0;
                continue;
            }
            // Solves rate·d + slope·d²/2 = hazard, without cancellation.
            let d = if piece.slope == 0.0 {
                hazard / rate
            } else {
                2.0 * hazard / (rate + libm::sqrt((rate * rate + 2.0 * piece.slope * hazard).max(0.0)))
            };
            self.position = (self.position + d).min(piece.length);
            let at_us = piece.from_us + micros(self.position);
            if at_us >= self.end_us {
                return None;
            }
            let number = self.number;
            self.number += 1;
            return Some(Arrival { at_us, number, trace: None, words });
        }
    }

    /// Lays out the pieces of `self.day`.
    fn plan_day(&mut self) {
        self.pieces.clear();
        self.piece = 0;
        self.position = 0.0;
        let arrivals: &'a Arrivals = self.arrivals;
        let Arrivals::Rates { pieces, day_factor, interval_factor } = arrivals else { return };
        let weekday = self.clock.weekday(self.day);
        let day_factor = day_factor.map_or(1.0, |factor| self.day_factor(factor));
        let factors = interval_factor.map(|factor| self.interval_factors(factor));
        let day = self.day;
        for rates in pieces.iter().filter(|piece| piece.days.contains(day, weekday)) {
            let (from, to) = (rates.from_us.max(self.window.0), rates.to_us.min(self.window.1));
            match (&factors, interval_factor) {
                (Some(factors), Some(IntervalFactor { interval_us, .. })) => {
                    let mut cut = from;
                    while cut < to {
                        let index = cut / interval_us;
                        let next = ((index + 1) * interval_us).min(to);
                        let factor = usize::try_from(index).ok().and_then(|i| factors.get(i)).copied().unwrap_or(1.0);
                        self.add_piece(rates, cut, next, day_factor * factor);
                        cut = next;
                    }
                }
                _ => self.add_piece(rates, from, to, day_factor),
            }
        }
        self.pieces.sort_by_key(|piece| piece.from_us);
    }

    fn add_piece(&mut self, rates: &RatePiece, from: u64, to: u64, factor: f64) {
        if from >= to {
            return;
        }
        let seconds = |us: u64| us as f64 / 1e6;
        let length = seconds(rates.to_us - rates.from_us);
        let (start, end) = (rates.start_per_hour / 3600.0, rates.end_per_hour / 3600.0);
        let slope = (end - start) / length;
        self.pieces.push(Piece {
            from_us: self.clock.instant_us(self.day, from),
            length: seconds(to - from),
            rate: factor * (start + slope * seconds(from - rates.from_us)),
            slope: factor * slope,
        });
    }

    fn day_factor(&self, factor: DayFactor) -> f64 {
        let owner = if factor.shared { u64::from(u16::MAX) } else { u64::from(self.source) };
        let gamma = Distribution::gamma(factor.shape, 1.0 / factor.shape).expect("a checked scenario's shape");
        gamma.sample(&mut self.streams.draws(Kind::Source, owner << 32 | u64::from(self.day), Purpose::DayFactor))
    }

    /// A factor for each interval of the day: gamma numbers whose normal scores follow a first-order autoregression.
    fn interval_factors(&self, factor: IntervalFactor) -> Vec<f64> {
        let owner = if factor.shared { u64::from(u16::MAX) } else { u64::from(self.source) };
        let mut draws = self.streams.draws(Kind::Source, owner << 32 | u64::from(self.day), Purpose::Other);
        let spread = libm::sqrt(1.0 - factor.correlation * factor.correlation);
        let mut score = ziggurat::normal(&mut draws);
        let count = DAY_US.div_ceil(factor.interval_us);
        let mut factors = Vec::new();
        for i in 0..count {
            if i > 0 {
                score = factor.correlation * score + spread * ziggurat::normal(&mut draws);
            }
            factors.push(
                gamma_quantile(factor.shape, 0.5 * libm::erfc(-score / core::f64::consts::SQRT_2)) / factor.shape,
            );
        }
        factors
    }
}

/// Seconds as the nearest whole microseconds; `u64::MAX / 2` for more than 290,000 years.
#[inline]
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates; lengths of time are not negative"
)]
pub fn micros(seconds: f64) -> u64 {
    // By way of i64, for which processors have an instruction.
    (seconds * 1e6 + 0.5) as i64 as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use callfloor_scenario::Clock;
    use callfloor_scenario::clock::{HOUR_US, MINUTE_US};

    fn clock() -> Clock {
        Clock {
            start: jiff::civil::date(2024, 1, 1),
            dated: false,
            time_zone: jiff::tz::TimeZone::UTC,
            time_zone_name: "UTC".into(),
        }
    }

    fn piece(days: Days, from_us: u64, to_us: u64, start_per_hour: f64, end_per_hour: f64) -> RatePiece {
        RatePiece { days, from_us, to_us, start_per_hour, end_per_hour }
    }

    fn times(arrivals: &Arrivals, horizon: &Horizon, seed: u64) -> Vec<u64> {
        let clock = clock();
        let mut process = ArrivalProcess::new(0, arrivals, horizon, &clock, Streams::new(seed, 0));
        let mut times = Vec::new();
        while let Some(arrival) = process.next_arrival() {
            assert_eq!(arrival.number, times.len() as u64);
            times.push(arrival.at_us);
        }
        assert!(times.is_sorted());
        times
    }

    fn days(count: u32) -> Horizon {
        Horizon::Days { count, from_us: 8 * HOUR_US, to_us: 18 * HOUR_US, warm_up_days: 0 }
    }

    fn by_rates(pieces: Vec<RatePiece>) -> Arrivals {
        Arrivals::Rates { pieces, day_factor: None, interval_factor: None }
    }

    /// Counts of 600 days in ten-minute cells: each cell's mean within its Poisson error, χ² over all cells, and
    /// variance = mean. The rate rises, jumps, falls to 0, and is cut by the window.
    #[test]
    fn counts_follow_the_rate() {
        let pieces = vec![
            piece(Days::All, 6 * HOUR_US, 10 * HOUR_US, 0.0, 240.0),
            piece(Days::All, 10 * HOUR_US, 13 * HOUR_US, 60.0, 60.0),
            piece(Days::All, 14 * HOUR_US, 17 * HOUR_US, 300.0, 0.0),
        ];
        let rate = |hour: f64| match hour {
            h if h < 10.0 => 60.0 * (h - 6.0),
            h if h < 13.0 => 60.0,
            h if h < 14.0 => 0.0,
            h if h < 17.0 => 100.0 * (17.0 - h),
            _ => 0.0,
        };
        let n = 600;
        let times = times(&by_rates(pieces), &days(n), 5);
        let cell = 10 * MINUTE_US;
        let mut counts = vec![[0_u32; 144]; n as usize];
        for t in times {
            counts[usize::try_from(t / DAY_US).expect("small")][usize::try_from(t % DAY_US / cell).expect("small")] +=
                1;
        }
        let (mut chi2, mut cells, mut dispersion) = (0.0, 0.0, 0.0);
        for i in 0..144 {
            let middle = (i as f64 + 0.5) / 6.0;
            let expected = if (8.0..18.0).contains(&middle) { rate(middle) / 6.0 * f64::from(n) } else { 0.0 };
            let found: u32 = counts.iter().map(|day| day[i]).sum();
            if expected == 0.0 {
                assert_eq!(found, 0, "cell {i}");
                continue;
            }
            chi2 += (f64::from(found) - expected).powi(2) / expected;
            cells += 1.0;
            let mean = expected / f64::from(n);
            dispersion += counts.iter().map(|day| (f64::from(day[i]) - mean).powi(2) / mean).sum::<f64>();
        }
        // χ² has mean k and variance 2k.
        assert!((chi2 - cells).abs() < 4.5 * (2.0_f64 * cells).sqrt(), "χ² {chi2} of {cells} cells");
        let k = cells * f64::from(n);
        assert!((dispersion / k - 1.0).abs() < 4.5 * (3.0 / k).sqrt(), "dispersion {}", dispersion / k);
    }

    /// Given their number, arrivals of a linear rate have the distribution function (t/T)²: Kolmogorov–Smirnov.
    #[test]
    fn times_within_a_slope_are_exact() {
        let rates = by_rates(vec![piece(Days::All, 8 * HOUR_US, 18 * HOUR_US, 0.0, 2000.0)]);
        let times = times(&rates, &days(10), 6);
        let n = times.len() as f64;
        let mut shares: Vec<f64> =
            times.iter().map(|t| (((t % DAY_US - 8 * HOUR_US) as f64) / (10 * HOUR_US) as f64).powi(2)).collect();
        shares.sort_by(f64::total_cmp);
        let distance = shares
            .iter()
            .enumerate()
            .fold(0.0_f64, |d, (i, &f)| d.max((f - i as f64 / n).abs()).max(((i + 1) as f64 / n - f).abs()));
        assert!(distance * n.sqrt() < 2.23, "{}", distance * n.sqrt());
    }

    /// A gamma factor of shape 4 on a mean of 100 a day: mean 100, variance 100 + 100²/4.
    #[test]
    fn day_factors_overdisperse_the_days() {
        let mut rates = by_rates(vec![piece(Days::All, 8 * HOUR_US, 18 * HOUR_US, 10.0, 10.0)]);
        if let Arrivals::Rates { day_factor, .. } = &mut rates {
            *day_factor = Some(DayFactor { shape: 4.0, shared: true });
        }
        let n = 20_000;
        let mut counts = vec![0.0; n as usize];
        for t in times(&rates, &days(n), 7) {
            counts[usize::try_from(t / DAY_US).expect("small")] += 1.0;
        }
        let n = f64::from(n);
        let mean = counts.iter().sum::<f64>() / n;
        let variance = counts.iter().map(|c| (c - mean).powi(2)).sum::<f64>() / n;
        assert!((mean - 100.0).abs() < 4.5 * (2600.0 / n).sqrt(), "{mean}");
        assert!((variance / 2600.0 - 1.0).abs() < 0.06, "{variance}");
    }

    /// Interval factors of shape 2 with correlated scores: variance of a half-hour's count, and neighbours' correlation.
    #[test]
    fn interval_factors_are_gamma_and_correlated() {
        let mut rates = by_rates(vec![piece(Days::All, 8 * HOUR_US, 9 * HOUR_US, 400.0, 400.0)]);
        if let Arrivals::Rates { interval_factor, .. } = &mut rates {
            *interval_factor =
                Some(IntervalFactor { shape: 2.0, interval_us: 30 * MINUTE_US, correlation: 0.8, shared: false });
        }
        let n = 6000;
        let mut counts = vec![[0.0_f64; 2]; n as usize];
        for t in times(&rates, &days(n), 8) {
            let half = usize::try_from((t % DAY_US - 8 * HOUR_US) / (30 * MINUTE_US)).expect("small");
            counts[usize::try_from(t / DAY_US).expect("small")][half] += 1.0;
        }
        let n = f64::from(n);
        let moment = |f: &dyn Fn(&[f64; 2]) -> f64| counts.iter().map(f).sum::<f64>() / n;
        let variance = 200.0 + 200.0 * 200.0 / 2.0;
        for half in 0..2 {
            assert!((moment(&|c| c[half]) - 200.0).abs() < 4.5 * (variance / n).sqrt());
            assert!((moment(&|c| (c[half] - 200.0).powi(2)) / variance - 1.0).abs() < 0.12);
        }
        let correlation = moment(&|c| (c[0] - 200.0) * (c[1] - 200.0)) / (200.0 * 200.0 / 2.0);
        // Gamma numbers of shape 2 whose scores have correlation 0.8: 0.78 (by numerical integration).
        assert!((correlation - 0.78).abs() < 0.06, "{correlation}");
    }

    #[test]
    fn a_steady_source_goes_on_over_midnight_and_stops_on_time() {
        let rates = by_rates(vec![piece(Days::All, 0, DAY_US, 60.0, 60.0)]);
        let horizon = Horizon::Steady { warm_up_us: DAY_US, length_us: 9 * DAY_US };
        let times = times(&rates, &horizon, 9);
        assert!((times.len() as f64 - 14_400.0).abs() < 4.5 * 120.0, "{}", times.len());
        assert!(times.iter().all(|&t| t < 10 * DAY_US));
    }

    #[test]
    fn days_of_the_week_and_single_days() {
        let monday = piece(Days::Weekdays(1), 8 * HOUR_US, 9 * HOUR_US, 500.0, 500.0);
        let fourth = piece(Days::One(4), 8 * HOUR_US, 9 * HOUR_US, 500.0, 500.0);
        let mut seen: Vec<u64> =
            times(&by_rates(vec![monday, fourth]), &days(9), 10).iter().map(|t| t / DAY_US).collect();
        seen.dedup();
        assert_eq!(seen, [0, 4, 7]);
        let calls = Horizon::Calls { count: 10, warm_up: 0 };
        assert!(times(&by_rates(vec![fourth]), &calls, 10).iter().all(|t| t / DAY_US == 4));
        assert!(times(&by_rates(vec![]), &calls, 10).is_empty());
    }

    #[test]
    fn a_trace_is_the_trace() {
        let at = |at_us| TraceArrival {
            at_us,
            customer: None,
            patience_s: None,
            talk_s: None,
            after_call_s: None,
            priority: None,
        };
        let trace =
            Arrivals::Trace { arrivals: vec![at(9 * HOUR_US), at(DAY_US), at(DAY_US + 17 * HOUR_US), at(3 * DAY_US)] };
        let clock = clock();
        let mut process = ArrivalProcess::new(0, &trace, &days(2), &clock, Streams::new(1, 0));
        let got: Vec<_> = core::iter::from_fn(|| process.next_arrival()).map(|a| (a.at_us, a.trace)).collect();
        assert_eq!(got, [(9 * HOUR_US, Some(0)), (DAY_US + 17 * HOUR_US, Some(2))]);
    }
}
