//! Figures in print: a value, its interval and what it was counted from, in one way everywhere.

use callfloor_measure::{Estimate, Interval, Metric, Results, Scope, Unit};

/// `1234567` as `1,234,567`.
pub(crate) fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A decimal number with grouped thousands.
pub(crate) fn decimal(value: f64, decimals: usize) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_at(text.find('.').unwrap_or(text.len()));
    let whole = whole.parse().map_or_else(|_| whole.to_owned(), grouped);
    let negative = value < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte));
    format!("{}{whole}{fraction}", if negative { "−" } else { "" })
}

/// How the figures of one unit are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    factor: f64,
    pub(crate) decimals: usize,
    unit: &'static str,
}

impl Style {
    /// The style for an estimate: enough decimals to see its interval, and no more.
    pub(crate) fn of(unit: Unit, estimate: &Estimate) -> Self {
        let (factor, name) = match unit {
            Unit::Share => (100.0, " %"),
            Unit::Seconds => (1.0, " s"),
            Unit::Count => (1.0, ""),
            Unit::Erlangs => (1.0, " erlangs"),
        };
        let size = (estimate.value * factor).abs();
        let plain = match unit {
            Unit::Share if size > 0.0 && size < 1.0 => 2,
            Unit::Share => 1,
            _ if size >= 100.0 => 0,
            Unit::Count if size < 10.0 && size > 0.0 => 2,
            _ => 1,
        };
        let half = estimate.interval.map_or(0.0, |interval| interval.half_width() * factor);
        let mut decimals = plain;
        while half > 0.0 && half * 10_f64.powi(i32::try_from(decimals).unwrap_or(0)) < 1.0 && decimals <= plain {
            decimals += 1;
        }
        Self { factor, decimals, unit: name }
    }

    pub(crate) fn bare(self, value: f64) -> String {
        decimal(value * self.factor, self.decimals)
    }

    pub(crate) fn value(self, value: f64) -> String {
        format!("{}{}", self.bare(value), self.unit)
    }

    pub(crate) fn range(self, interval: Interval) -> String {
        format!("{} to {}{}", self.bare(interval.low), self.bare(interval.high), self.unit)
    }
}

/// `81.2 %`; a dash where there is no figure.
pub(crate) fn value(metric: Metric, estimate: Option<Estimate>) -> String {
    estimate.map_or_else(dash, |estimate| Style::of(metric.unit(), &estimate).value(estimate.value))
}

/// `79.9 to 82.5 %`; empty without an interval.
pub(crate) fn range(metric: Metric, estimate: Option<Estimate>) -> String {
    estimate.and_then(|e| Some(Style::of(metric.unit(), &e).range(e.interval?))).unwrap_or_default()
}

/// `81.2 ±1.3`, without unit, for a table whose head names it.
pub(crate) fn cell(metric: Metric, estimate: Option<Estimate>) -> String {
    estimate.map_or_else(dash, |estimate| {
        let style = Style::of(metric.unit(), &estimate);
        // Wilson's interval is not centred on its share.
        let interval = estimate.interval.filter(|_| metric != Metric::PMet);
        let half = interval.map(|interval| format!(" ±{}", style.bare(interval.half_width())));
        format!("{}{}", style.bare(estimate.value), half.unwrap_or_default())
    })
}

/// `81.2 ±1.3 %`.
pub(crate) fn brief(metric: Metric, estimate: Option<Estimate>) -> String {
    let unit = estimate.map_or("", |estimate| Style::of(metric.unit(), &estimate).unit);
    format!("{}{unit}", cell(metric, estimate))
}

/// `81.2 % (79.9 to 82.5 %)`.
pub(crate) fn full(metric: Metric, estimate: Option<Estimate>) -> String {
    match range(metric, estimate) {
        range if range.is_empty() => value(metric, estimate),
        range => format!("{} ({range})", value(metric, estimate)),
    }
}

/// What a share was counted from: `8,123 of 10,004`, or hours for shares of time. Empty for what is no share.
pub(crate) fn counted(results: &Results, metric: Metric, scope: Scope) -> String {
    if metric.unit() != Unit::Share {
        return String::new();
    }
    if metric == Metric::PMet {
        let Some(estimate) = results.estimate(metric, scope) else { return String::new() };
        let days = estimate.replications as f64;
        return format!("{} of {} replications", decimal(estimate.value * days, 0), decimal(days, 0));
    }
    let Some((over, under)) = results.parts(metric, scope) else { return String::new() };
    if metric.of_operators() {
        const HOUR_US: f64 = 3.6e9;
        // Adherence is 1 − the share that is counted.
        let over = if metric == Metric::Adherence { (under - over).max(0.0) } else { over };
        return format!("{} of {} h", decimal(over / HOUR_US, 1), decimal(under / HOUR_US, 1));
    }
    format!("{} of {}", decimal(over, 0), decimal(under, 0))
}

pub(crate) fn dash() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn estimate(value: f64, half: f64) -> Option<Estimate> {
        let interval = Some(Interval { low: value - half, high: value + half });
        Some(Estimate { value, interval, replications: 9 })
    }

    #[test]
    fn decimals_are_enough_to_see_the_interval() {
        assert_eq!(full(Metric::ServiceLevel, estimate(0.8123, 0.0131)), "81.2 % (79.9 to 82.5 %)");
        assert_eq!(full(Metric::ServiceLevel, estimate(0.8123, 0.0002)), "81.23 % (81.21 to 81.25 %)");
        assert_eq!(cell(Metric::AsaS, estimate(12.34, 0.42)), "12.3 ±0.4");
        assert_eq!(full(Metric::Offered, estimate(1234.4, 20.0)), "1,234 (1,214 to 1,254)");
        assert_eq!(value(Metric::Abandonment, estimate(0.0042, 0.001)), "0.42 %");
        assert_eq!(value(Metric::Abandonment, None), "–");
    }

    #[test]
    fn a_rounded_zero_has_no_sign() {
        assert_eq!(decimal(-0.04, 1), "0.0");
        assert_eq!(decimal(-1234.56, 1), "−1,234.6");
        assert_eq!([grouped(0), grouped(999), grouped(1_000), grouped(1_234_567)], ["0", "999", "1,000", "1,234,567"]);
    }
}
