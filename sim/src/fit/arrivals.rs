//! When calls arrive: types of day, half-hour profiles, the day's own factor, and days that are not like the others.

use jiff::civil::{Date, Weekday};

use super::log::{Call, CallLog};
use super::statistics::{bisect, chi_square_above, median};
use statrs::function::gamma::digamma;

/// Half hours in a day.
pub const HALVES: usize = 48;

/// What is special about a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Special {
    /// A burst of calls such as follows an outage.
    Outage {
        /// Start of the burst in seconds since midnight.
        from_s: i64,
        /// Its end.
        to_s: i64,
        /// Calls in it.
        calls: usize,
        /// Usual number.
        usual: f64,
        /// Share of them that ended within 30 s of an answer, or were abandoned.
        brief: f64,
    },
    /// Fewer than [`LOW`] of the usual calls: a holiday or a part of a day.
    Low {
        /// Calls.
        calls: usize,
        /// Usual number.
        usual: f64,
    },
    /// No call at all on a day of the week that is open.
    Missing,
}

/// A day with fewer calls than this share of the usual is low.
pub const LOW: f64 = 0.6;
/// A burst has so many times the usual calls of its ten minutes, and at least [`BURST_CALLS`].
pub const BURST: f64 = 4.0;
/// Fewest calls in the ten minutes of a burst.
pub const BURST_CALLS: usize = 20;
/// A half hour with at least this share of the calls of the busiest is open; a burst in the first open one is no outage.
pub const OPEN: f64 = 0.1;

/// A special day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpecialDay {
    /// Which.
    pub date: Date,
    /// Why.
    pub why: Special,
}

/// Days of the week that are alike.
#[derive(Debug, Clone, PartialEq)]
pub struct DayType {
    /// Days of the week, Monday first.
    pub weekdays: Vec<Weekday>,
    /// Ordinary days of it in the log.
    pub days: usize,
    /// Mean calls a day.
    pub mean: f64,
    /// Mean calls in each half hour, by type of call. `[kind][half]`
    pub by_kind: Vec<[f64; HALVES]>,
    /// Test of equal days: Σ (calls − mean)² ÷ mean, its degrees of freedom and probability.
    pub dispersion: (f64, usize, f64),
    /// Shape of the gamma factor on a day's rate, where the days differ more than Poisson days would (p < 0.01).
    pub day_shape: Option<f64>,
    /// Variance ÷ mean of the calls of a half hour, given the day's total.
    pub within_day: f64,
    /// Gamma factor on the rates of half hours, where they differ more than Poisson ones would (p < 0.01).
    pub half_factor: Option<HalfFactor>,
}

/// A gamma factor of mean 1 on the rate of each half hour of a day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HalfFactor {
    /// Shape: its variance is 1 ÷ shape.
    pub shape: f64,
    /// Correlation of neighbouring half hours, in [0, 0.95].
    pub correlation: f64,
}

impl HalfFactor {
    /// From the variance of half hours and the covariance of neighbours, both relative and given the day's total.
    ///
    /// The total takes the mean of the factors with it: with variance v, correlation r and mean correlation c over a day,
    /// v·(1 − c) and v·(r − c) are left.
    fn new(variance: f64, covariance: f64, profile: &[f64]) -> Self {
        let mut found = Self { shape: 1.0 / variance, correlation: (covariance / variance).clamp(0.0, 0.95) };
        for _ in 0..50 {
            let common = found.mean_correlation(profile).min(0.9);
            let whole = variance / (1.0 - common);
            found = Self { shape: 1.0 / whole, correlation: (covariance / whole + common).clamp(0.0, 0.95) };
        }
        found
    }

    /// Mean correlation of two half hours of a day, each weighed by its calls.
    fn mean_correlation(&self, profile: &[f64]) -> f64 {
        let total: f64 = profile.iter().sum();
        let mut sum = 0.0;
        for (i, a) in profile.iter().enumerate() {
            for (j, b) in profile.iter().enumerate() {
                let steps = i32::try_from(i.abs_diff(j)).unwrap_or(i32::MAX);
                sum += a * b * self.correlation.powi(steps);
            }
        }
        sum / (total * total).max(1e-9)
    }

    /// Its part of the squared coefficient of variation of a day's total with such a profile.
    fn of_total(&self, profile: &[f64]) -> f64 {
        self.mean_correlation(profile) / self.shape
    }
}

impl DayType {
    /// Names such as `Sun Mon Tue Wed Thu`.
    #[must_use]
    pub fn name(&self) -> String {
        self.weekdays.iter().map(|d| short_name(*d)).collect::<Vec<_>>().join(" ")
    }
}

/// Three letters of a day.
#[must_use]
pub const fn short_name(day: Weekday) -> &'static str {
    match day {
        Weekday::Monday => "Mon",
        Weekday::Tuesday => "Tue",
        Weekday::Wednesday => "Wed",
        Weekday::Thursday => "Thu",
        Weekday::Friday => "Fri",
        Weekday::Saturday => "Sat",
        Weekday::Sunday => "Sun",
    }
}

/// What a log tells about arrivals.
#[derive(Debug, Clone, PartialEq)]
pub struct ArrivalFit {
    /// Types of day.
    pub day_types: Vec<DayType>,
    /// Days that were left out of the rates, and days of outage, which are left out of everything.
    pub special: Vec<SpecialDay>,
}

fn half(call: &Call) -> Option<usize> {
    usize::try_from(call.at_us / 1_800_000_000).ok().filter(|h| *h < HALVES)
}

fn profile(calls: &[Call]) -> [f64; HALVES] {
    let mut counts = [0.0; HALVES];
    for h in calls.iter().filter_map(half) {
        counts[h] += 1.0;
    }
    counts
}

fn quantile(values: &[f64], q: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = (q * (sorted.len() - 1) as f64).round();
    sorted.iter().copied().zip(0_u32..).find(|(_, i)| f64::from(*i) >= at).map_or(0.0, |(v, _)| v)
}

impl ArrivalFit {
    /// Fits the arrivals of a log.
    #[must_use]
    pub fn new(log: &CallLog) -> Self {
        let days = log.days();
        let profiles: Vec<(Date, [f64; HALVES])> = days.iter().map(|(date, calls)| (*date, profile(calls))).collect();
        let groups = group_weekdays(&profiles);
        let mut special = Vec::new();
        let mut day_types = Vec::new();
        for weekdays in groups {
            let own: Vec<usize> = (0..days.len()).filter(|i| weekdays.contains(&profiles[*i].0.weekday())).collect();
            let totals: Vec<f64> = own.iter().map(|i| profiles[*i].1.iter().sum()).collect();
            let usual = median(&totals);
            let usual_half: Vec<f64> =
                (0..HALVES).map(|h| median(&own.iter().map(|i| profiles[*i].1[h]).collect::<Vec<_>>())).collect();
            let mut ordinary = Vec::new();
            for (&i, total) in own.iter().zip(&totals) {
                let (date, calls) = days[i];
                if let Some(why) = burst(calls, &usual_half) {
                    special.push(SpecialDay { date, why });
                } else if own.len() >= 3 && *total < LOW * usual {
                    special.push(SpecialDay { date, why: Special::Low { calls: calls.len(), usual } });
                } else {
                    ordinary.push(i);
                }
            }
            day_types.push(day_type(weekdays, &ordinary, &days, log.kinds.len()));
        }
        if let (Some(first), Some(last)) = (profiles.first(), profiles.last()) {
            let mut date = first.0;
            while date < last.0 {
                // Months that are far apart are not a gap in a log.
                let near = profiles.iter().any(|(d, _)| (d.year(), d.month()) == (date.year(), date.month()));
                if near && profiles.binary_search_by_key(&date, |p| p.0).is_err() {
                    special.push(SpecialDay { date, why: Special::Missing });
                }
                let Ok(next) = date.tomorrow() else { break };
                date = next;
            }
        }
        special.sort_by_key(|s| s.date);
        Self { day_types, special }
    }

    /// Whether a day is left out of everything.
    #[must_use]
    pub fn is_outage(&self, date: Date) -> bool {
        self.special.iter().any(|s| s.date == date && matches!(s.why, Special::Outage { .. }))
    }
}

/// Days of the week whose volumes (upper quartiles) lie within 1.67 and whose profiles overlap by three quarters.
fn group_weekdays(profiles: &[(Date, [f64; HALVES])]) -> Vec<Vec<Weekday>> {
    let mut groups: Vec<(Vec<Weekday>, f64, [f64; HALVES])> = Vec::new();
    let sunday_first = [0_i8, 1, 2, 3, 4, 5, 6].map(|i| Weekday::from_sunday_zero_offset(i).unwrap_or(Weekday::Sunday));
    for weekday in sunday_first {
        let own: Vec<&[f64; HALVES]> =
            profiles.iter().filter(|(d, _)| d.weekday() == weekday).map(|(_, p)| p).collect();
        if own.is_empty() {
            continue;
        }
        let volume = quantile(&own.iter().map(|p| p.iter().sum()).collect::<Vec<f64>>(), 0.75);
        let mut shape = [0.0; HALVES];
        for p in &own {
            for (s, n) in shape.iter_mut().zip(p.iter()) {
                *s += n;
            }
        }
        let sum: f64 = shape.iter().sum();
        shape.iter_mut().for_each(|s| *s /= sum);
        let alike = |other: &(Vec<Weekday>, f64, [f64; HALVES])| {
            let overlap: f64 = shape.iter().zip(&other.2).map(|(a, b)| a.min(*b)).sum();
            let ratio = volume / other.1;
            overlap > 0.75 && (0.6..1.67).contains(&ratio)
        };
        match groups.iter_mut().find(|g| alike(g)) {
            Some(group) => group.0.push(weekday),
            None => groups.push((vec![weekday], volume, shape)),
        }
    }
    groups.into_iter().map(|(weekdays, ..)| weekdays).collect()
}

/// Whether a half hour is the first after a time without calls: those who found nobody there call at once.
fn opens(usual_half: &[f64], half: usize) -> bool {
    let least = OPEN * usual_half.iter().copied().fold(0.0, f64::max);
    let before = usual_half[(half + HALVES - 1) % HALVES];
    usual_half[half] >= least && before < least
}

/// The outage of a day, if there is one: ten minutes or more with many times the usual calls, most of which were abandoned
/// or over within 30 s. A queue that stood before the door at the opening is none.
fn burst(calls: &[Call], usual_half: &[f64]) -> Option<Special> {
    let mut tens = vec![0_usize; 3 * HALVES];
    let ten = |call: &Call| usize::try_from(call.at_us / 600_000_000).ok().filter(|t| *t < 3 * HALVES);
    for t in calls.iter().filter_map(ten) {
        tens[t] += 1;
    }
    let high = |t: &usize| {
        let usual = (usual_half[*t / 3] / 3.0).max(1.0);
        tens[*t] >= BURST_CALLS && tens[*t] as f64 >= BURST * usual && !opens(usual_half, *t / 3)
    };
    let first = (0..tens.len()).find(high)?;
    let last = (0..tens.len()).rev().find(high)?;
    let inside: Vec<&Call> = calls.iter().filter(|c| ten(c).is_some_and(|t| t >= first && t <= last)).collect();
    let brief = inside.iter().filter(|c| c.service_s().is_none_or(|s| s < 30.0)).count();
    if 2 * brief <= inside.len() {
        return None;
    }
    let usual = (first..=last).map(|t| usual_half[t / 3] / 3.0).sum();
    let second = |t: usize| i64::try_from(t).unwrap_or(0) * 600;
    Some(Special::Outage {
        from_s: second(first),
        to_s: second(last + 1),
        calls: inside.len(),
        usual,
        brief: brief as f64 / inside.len().max(1) as f64,
    })
}

fn day_type(weekdays: Vec<Weekday>, ordinary: &[usize], days: &[(Date, &[Call])], kinds: usize) -> DayType {
    let n = ordinary.len().max(1) as f64;
    let mut by_kind = vec![[0.0; HALVES]; kinds];
    for &i in ordinary {
        for call in days[i].1 {
            if let Some(h) = half(call) {
                by_kind[call.kind][h] += 1.0 / n;
            }
        }
    }
    let totals: Vec<f64> = ordinary.iter().map(|i| profile(days[*i].1).iter().sum()).collect();
    let mean = totals.iter().sum::<f64>() / n;
    let statistic: f64 = totals.iter().map(|t| (t - mean).powi(2) / mean.max(1e-9)).sum();
    let freedom = ordinary.len().saturating_sub(1);
    let p = chi_square_above(statistic, freedom as f64);
    let usual: [f64; HALVES] = std::array::from_fn(|h| by_kind.iter().map(|k| k[h]).sum());
    let freedom_of_half = 1.0 - 1.0 / n - 1.0 / HALVES as f64;
    let mut within = (0.0, 0.0);
    // Squares beyond Poisson's, products of neighbours, and what a factor of variance 1 would make of each.
    let (mut squares, mut products) = ((0.0, 0.0), (0.0, 0.0));
    for (&i, total) in ordinary.iter().zip(&totals) {
        let own = profile(days[i].1);
        let mut before: Option<(f64, f64)> = None;
        for (h, seen) in own.iter().enumerate() {
            let expected = usual[h] * total / mean.max(1e-9);
            if expected < 5.0 {
                before = None;
                continue;
            }
            let residual = seen - expected;
            within.0 += residual * residual / expected;
            within.1 += freedom_of_half;
            squares.0 += residual * residual - expected * freedom_of_half;
            squares.1 += expected * expected * freedom_of_half;
            if let Some((last, size)) = before {
                products.0 += last * residual;
                products.1 += size * expected * freedom_of_half;
            }
            before = Some((residual, expected));
        }
    }
    let variance = squares.0 / f64::max(squares.1, 1e-9);
    let more = ordinary.len() >= 3 && variance > 0.0 && chi_square_above(within.0, within.1) < 0.01;
    let half_factor = more.then(|| HalfFactor::new(variance, products.0 / f64::max(products.1, 1e-9), &usual));
    // The half hours' own factors move the day's total too.
    let day_shape =
        (p < 0.01).then(|| 1.0 / gamma_shape(&totals, mean) - half_factor.map_or(0.0, |f| f.of_total(&usual)));
    DayType {
        weekdays,
        days: ordinary.len(),
        mean,
        by_kind,
        dispersion: (statistic, freedom, p),
        day_shape: day_shape.filter(|cv_squared| *cv_squared > 0.0).map(f64::recip),
        half_factor,
        within_day: if within.1 > 0.0 { within.0 / within.1 } else { 1.0 },
    }
}

/// Most likely shape of the gamma factor of Poisson counts with a known mean (negative binomial), by the zero of its score.
fn gamma_shape(totals: &[f64], mean: f64) -> f64 {
    bisect(0.1, 1e6, |k| {
        totals.iter().map(|x| digamma(x + k) - digamma(k) + (k / (k + mean)).ln() + 1.0 - (x + k) / (mean + k)).sum()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::fit::{log::ReadOptions, test_data};
    use crate::stream::{Kind, Purpose, Streams};
    use jiff::civil::date;

    #[test]
    fn the_shape_of_a_day_factor_is_found() {
        let factor = Distribution::gamma(40.0, 1.0 / 40.0).unwrap();
        let streams = Streams::new(3, 0);
        let totals: Vec<f64> = (0..2000)
            .map(|d| {
                let mean = 400.0 * factor.sample(&mut streams.draws(Kind::Source, d, Purpose::DayFactor));
                // A Poisson count by its interarrivals.
                let gap = Distribution::exponential(1.0 / mean).unwrap();
                let mut draws = streams.draws(Kind::Source, d, Purpose::Arrival);
                let (mut at, mut n) = (gap.sample(&mut draws), 0.0);
                while at < 1.0 {
                    at += gap.sample(&mut draws);
                    n += 1.0;
                }
                n
            })
            .collect();
        let shape = gamma_shape(&totals, 400.0);
        assert!((shape / 40.0 - 1.0).abs() < 0.15, "{shape}");
    }

    /// Factors of shape 25 with correlated neighbours, on half hours of forty calls, are found again.
    #[test]
    fn the_factor_of_half_hours_is_found() {
        use callfloor_scenario::clock::{DAY_US, HOUR_US, MINUTE_US};
        use callfloor_scenario::{Arrivals, Clock, Days, Horizon, IntervalFactor, RatePiece};
        let piece = RatePiece {
            days: Days::All,
            from_us: 8 * HOUR_US,
            to_us: 18 * HOUR_US,
            start_per_hour: 80.0,
            end_per_hour: 80.0,
        };
        let factor = IntervalFactor { shape: 25.0, interval_us: 30 * MINUTE_US, correlation: 0.5, shared: true };
        let fit = |interval_factor| {
            let rates = Arrivals::Rates { pieces: vec![piece], day_factor: None, interval_factor };
            let clock = Clock {
                start: date(2024, 1, 1),
                dated: false,
                time_zone: jiff::tz::TimeZone::UTC,
                time_zone_name: "UTC".into(),
            };
            let horizon = Horizon::Days { count: 120, from_us: 0, to_us: DAY_US, warm_up_days: 0 };
            let mut process = crate::arrival::ArrivalProcess::new(0, &rates, &horizon, &clock, Streams::new(4, 0));
            let mut calls: Vec<Vec<Call>> = vec![Vec::new(); 120];
            while let Some(arrival) = process.next_arrival() {
                let day = usize::try_from(arrival.at_us / DAY_US).unwrap();
                let at_us = i64::try_from(arrival.at_us % DAY_US).unwrap();
                let date = date(2024, 1, 1);
                let call = Call { file: 0, line: 0, date, at_us, wait_us: 0, service: None, kind: 0, priority: 0 };
                calls[day].push(call);
            }
            let days: Vec<(Date, &[Call])> = calls.iter().map(|own| (date(2024, 1, 1), own.as_slice())).collect();
            day_type(vec![Weekday::Monday], &(0..120).collect::<Vec<_>>(), &days, 1)
        };
        let found = fit(Some(factor));
        let half = found.half_factor.unwrap();
        assert!((half.shape / 25.0 - 1.0).abs() < 0.25, "{half:?}");
        assert!((half.correlation - 0.5).abs() < 0.15, "{half:?}");
        // All that moves the totals of these days are their half hours.
        assert!(found.day_shape.is_none_or(|shape| shape > 300.0), "{:?}", found.day_shape);
        assert_eq!(fit(None).half_factor, None);
    }

    /// Twenty ordinary calls an hour of three minutes from 07:00 to 17:00 on ten days, and on the last a burst.
    fn outages(at_s: i64, n: i64, service_s: i64) -> Vec<SpecialDay> {
        use std::fmt::Write as _;
        let mut text = "arrival,wait_s,service_s\n".to_owned();
        let mut add = |day: i64, at_s: i64, service_s: i64| {
            let (h, m, s) = (at_s / 3600, at_s / 60 % 60, at_s % 60);
            let _ = writeln!(text, "2024-01-{:02}T{h:02}:{m:02}:{s:02},0,{service_s}", 8 + day % 5 + day / 5 * 7);
        };
        for day in 0..10 {
            for i in 0..200 {
                add(day, 25_200 + i * 180, 180);
            }
        }
        for i in 0..n {
            add(9, at_s + i * 5, service_s);
        }
        let fit = ArrivalFit::new(&CallLog::from_bytes("test.csv", text.as_bytes(), &ReadOptions::default()).unwrap());
        fit.special.iter().filter(|s| matches!(s.why, Special::Outage { .. })).copied().collect()
    }

    #[test]
    fn a_burst_is_an_outage_if_its_calls_are_brief_and_it_is_not_at_the_opening() {
        let brief = outages(43_200, 60, 10);
        let [SpecialDay { date: day, why: Special::Outage { from_s, to_s, .. } }] = brief[..] else {
            panic!("{brief:?}")
        };
        assert_eq!((day, from_s, to_s), (date(2024, 1, 19), 43_200, 43_800));
        // Calls of the usual length: much business, not an outage.
        assert_eq!(outages(43_200, 60, 180), []);
        // A queue before the door.
        assert_eq!(outages(25_200, 60, 10), []);
    }

    /// The outages and the holidays that the data's README names, and one burst more, on 18 January: 83 calls in ten
    /// minutes that usually bring 18, most of them abandoned.
    #[test]
    fn special_days_of_the_anonymous_bank() {
        let expected: [(&str, &[Date], &[Date]); 4] = [
            ("1999-01", &[date(1999, 1, 18)], &[]),
            ("1999-02", &[date(1999, 2, 3), date(1999, 2, 14)], &[]),
            ("1999-03", &[], &[date(1999, 3, 8), date(1999, 3, 31)]),
            // On 3 September eighteen callers stood before the door within a minute: no outage.
            ("1999-09", &[], &[date(1999, 9, 12), date(1999, 9, 19), date(1999, 9, 20)]),
        ];
        for (month, outages, low) in expected {
            let Some(path) = test_data(&format!("anonymous_bank_1999/{month}.csv.gz")) else { return };
            let fit = ArrivalFit::new(&CallLog::read(&[path], &ReadOptions::default()).unwrap());
            let days = |wanted: fn(&Special) -> bool| -> Vec<Date> {
                fit.special.iter().filter(|s| wanted(&s.why)).map(|s| s.date).collect()
            };
            assert_eq!(days(|w| matches!(w, Special::Outage { .. })), outages, "{month}: {:?}", fit.special);
            for day in low {
                assert!(days(|w| matches!(w, Special::Low { .. })).contains(day), "{month}: {:?}", fit.special);
            }
            // The holidays of September tear its days of the week apart.
            if month == "1999-09" {
                continue;
            }
            let names: Vec<String> = fit.day_types.iter().map(DayType::name).collect();
            assert_eq!(names, ["Sun Mon Tue Wed Thu", "Fri", "Sat"], "{month}");
        }
    }
}
