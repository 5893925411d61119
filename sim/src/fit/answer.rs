//! How long an operator who is there takes to answer.
//!
//! A log has no column for the ring. But a caller who comes while nobody waits, and is taken by an operator who had been
//! free for a minute, waits for nothing but the answer. Where most of those waits are below the second that a log's clock
//! resolves, the log cannot tell the delay from none.

use super::handling::{Law, candidates};
use super::log::Call;
use super::statistics::median;

/// An operator who has been free for so many seconds is not in after-call work.
const RESTED_S: i64 = 60;
/// Longer waits of such callers are not a ring, but an operator who was not there, in seconds.
pub const LONGEST_S: f64 = 30.0;

/// What a log tells about the answer delay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AnswerDelay {
    /// Callers who found a rested operator and nobody waiting.
    pub n: usize,
    /// Median of their time to the start of the service in seconds; negative where clocks differ.
    pub median_s: f64,
    /// The law of the delay; `None` where it cannot be told from none.
    pub law: Option<Law>,
}

impl AnswerDelay {
    /// Fewest callers that tell anything.
    pub const LEAST: usize = 50;
    /// A median below this, in seconds, is none: clocks of logs show whole seconds.
    pub const RESOLUTION_S: f64 = 1.0;

    /// Estimates it from calls in order of day and arrival.
    #[must_use]
    pub fn new(calls: &[Call]) -> Self {
        let mut delays = Vec::new();
        for day in calls.chunk_by(|a, b| a.date == b.date) {
            // When each operator was last busy, and until when the callers before waited.
            let mut services: Vec<(i64, i64, usize)> = day
                .iter()
                .filter_map(|c| c.service)
                .filter_map(|s| Some((s.start_us, s.start_us + s.length_us, s.operator?)))
                .collect();
            services.sort_unstable();
            let mut queue_until = i64::MIN;
            for call in day {
                let alone = call.at_us >= queue_until;
                queue_until = queue_until.max(call.at_us + call.wait_us);
                let Some((start_us, operator)) = call.service.and_then(|s| Some((s.start_us, s.operator?))) else {
                    continue;
                };
                let before = services.partition_point(|s| s.0 < start_us.min(call.at_us));
                let last = services[..before].iter().rev().find(|s| s.2 == operator);
                if alone && last.is_some_and(|s| s.1 + RESTED_S * 1_000_000 <= call.at_us) {
                    delays.push((start_us - call.at_us) as f64 / 1e6);
                }
            }
        }
        let median_s = median(&delays);
        let told = delays.len() >= Self::LEAST && median_s >= Self::RESOLUTION_S;
        let rings: Vec<f64> = delays.iter().copied().filter(|d| *d > 0.0 && *d <= LONGEST_S).collect();
        let law = if told { candidates(&rings).first().map(|c| c.law) } else { None };
        Self { n: delays.len(), median_s, law }
    }

    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        let seen = format!("{} callers found a rested operator and nobody waiting", self.n);
        match self.law {
            Some(law) => {
                format!("{seen}: median {:.1} s; {}, mean {:.1} s", self.median_s, law.name(), law.mean_s())
            }
            None if self.n < Self::LEAST => format!("the log cannot tell: only {seen}; none is assumed"),
            None => format!(
                "the log cannot tell it from none: {seen}, median {:.1} s, and clocks show whole seconds; none is assumed",
                self.median_s
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::fit::log::{CallLog, ReadOptions, Service};
    use crate::fit::test_data;
    use crate::stream::{Kind, Purpose, Streams};

    /// One operator, a call every ten minutes, answered after a lognormal delay.
    fn calls(delay: &Distribution) -> Vec<Call> {
        let mut draws = Streams::new(2, 0).draws(Kind::Other, 0, Purpose::AnswerDelay);
        (0..2000_i64)
            .map(|i| {
                #[expect(clippy::cast_possible_truncation, reason = "seconds")]
                let wait_us = (delay.sample(&mut draws) * 1e6) as i64;
                let at_us = 28_800_000_000 + i % 50 * 600_000_000;
                let date = jiff::civil::date(2024, 1, 1) + jiff::Span::new().days(i / 50);
                let service = Some(Service { start_us: at_us + wait_us, length_us: 180_000_000, operator: Some(0) });
                Call { file: 0, line: 0, date, at_us, wait_us, service, kind: 0, priority: 0 }
            })
            .collect()
    }

    #[test]
    fn a_delay_is_found_where_there_is_one() {
        let found = AnswerDelay::new(&calls(&Distribution::lognormal_mean_cv(6.0, 0.5).unwrap()));
        // The first call of a day has no service before it.
        assert_eq!(found.n, 2000 - 40);
        let law = found.law.unwrap();
        assert_eq!(law.name(), "lognormal");
        assert!((law.mean_s() - 6.0).abs() < 0.3, "{law:?}");
        let none = AnswerDelay::new(&calls(&Distribution::constant(0.0).unwrap()));
        assert_eq!(none.law, None);
        assert!(none.words().contains("cannot tell it from none"), "{}", none.words());
        assert!(AnswerDelay::new(&[]).words().contains("only 0 callers"));
    }

    /// The Anonymous Bank's services start a second before the caller leaves the voice-response unit.
    #[test]
    fn the_anonymous_bank_does_not_tell() {
        let Some(path) = test_data("anonymous_bank_1999/1999-01.csv.gz") else { return };
        let log = CallLog::read(&[path], &ReadOptions::default()).unwrap();
        let found = AnswerDelay::new(&log.calls);
        assert!(found.n > 1000 && found.median_s <= 0.0 && found.law.is_none(), "{found:?}");
    }
}
