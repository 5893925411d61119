//! Two load runs compared: only those of equal settings, and with the noise of each figure.

use std::fmt::Write as _;

use callfloor_measure::{Estimate, Histogram, Interval, normal_quantile, wilson};
use serde::Serialize;

use crate::measures::{Kind, Measures};
use crate::results::LoadResults;

/// Quantiles that are compared.
const QUANTILES: [(&str, f64); 4] = [("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("p999", 0.999)];
/// Shares of calls that are compared, and the count of each.
const SHARES: [(&str, &str); 4] = [
    ("answered_share", "answered"),
    ("served_share", "served"),
    ("abandoned_share", "abandoned"),
    ("refused_share", "refused"),
];
/// The level of the intervals that are printed.
const LEVEL: f64 = 0.95;

/// A figure of both runs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// Its name, as in a threshold where it is one.
    pub figure: String,
    /// Of A, with its 95 % interval.
    pub a: Estimate,
    /// Of B.
    pub b: Estimate,
    /// B less A, with its 95 % interval.
    pub difference: Estimate,
    /// Whether the interval of the difference leaves 0 out, also at the level at which all figures of two runs of one system keep
    /// theirs 95 times in 100 (Bonferroni).
    pub certain: bool,
}

/// Why two runs are not compared.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CompareError {
    /// They were asked for other things.
    #[error("runs of other settings are not compared: {what} is {a} in A and {b} in B")]
    Unlike {
        /// What differs.
        what: String,
        /// In A.
        a: String,
        /// In B.
        b: String,
    },
    /// One of them is void.
    #[error("{which} is void, and says nothing: {why}")]
    Void {
        /// A or B.
        which: &'static str,
        /// Why.
        why: String,
    },
    /// Somebody changed the pace while it went on.
    #[error("the pace of {which} was changed by hand: no other run was asked for the same")]
    ByHand {
        /// A or B.
        which: &'static str,
    },
    /// Shards are missing.
    #[error("{which} is not whole: nothing is there of shard {shards:?}; merge all parts first")]
    Incomplete {
        /// A or B.
        which: &'static str,
        /// Which are missing.
        shards: Vec<u32>,
    },
}

/// Compares B with A.
///
/// A quantile's interval is that of its order statistics (the ranks n·q ± z·√(n·q·(1 − q)): David and Nagaraja, Order Statistics,
/// 7.1); a share's is Wilson's; that of a difference is put together from both (Newcombe 1998, method 10). Calls of one run are
/// not independent of each other, so that a pause of the server in one of them is a difference too.
///
/// # Errors
/// [`CompareError`].
pub fn compare(a: &LoadResults, b: &LoadResults) -> Result<Vec<Difference>, CompareError> {
    // The limit of lag decides only what is void.
    let mut theirs = b.settings.clone();
    theirs.lag_limit_us = a.settings.lag_limit_us;
    if let Some((what, a, b)) = a.settings.difference(&theirs) {
        return Err(CompareError::Unlike { what, a, b });
    }
    for (which, results) in [("A", a), ("B", b)] {
        if let Some(why) = results.void() {
            return Err(CompareError::Void { which, why });
        }
        let measures = results.measures();
        if measures.count("rate_changes") + measures.count("pauses") > 0 {
            return Err(CompareError::ByHand { which });
        }
        let shards = results.missing();
        if !shards.is_empty() {
            return Err(CompareError::Incomplete { which, shards });
        }
    }
    let (a, b) = (a.measures(), b.measures());
    let mut found = differences(&a, &b, LEVEL);
    let all = 1.0 - (1.0 - LEVEL) / found.len().max(1) as f64;
    let surely: Vec<String> =
        differences(&a, &b, all).into_iter().filter(leaves_zero_out).map(|found| found.figure).collect();
    found.iter_mut().for_each(|found| found.certain = surely.contains(&found.figure));
    Ok(found)
}

/// What both have, with intervals of `level`.
fn differences(a: &Measures, b: &Measures, level: f64) -> Vec<Difference> {
    let share = |measures: &Measures, name: &str| wilson(measures.count(name), measures.count("calls"), level);
    let shares = SHARES
        .iter()
        .filter_map(|(name, count)| Some(difference((*name).to_owned(), share(a, count)?, share(b, count)?)));
    let latencies = Kind::ALL.iter().flat_map(|kind| {
        let (a, b) = (a.latency(*kind), b.latency(*kind));
        QUANTILES.iter().filter_map(move |(end, q)| {
            Some(difference(format!("{}_{end}_ms", kind.name()), quantile(a?, *q, level)?, quantile(b?, *q, level)?))
        })
    });
    shares.chain(latencies).collect()
}

fn leaves_zero_out(found: &Difference) -> bool {
    found.difference.interval.is_some_and(|interval| interval.low > 0.0 || interval.high < 0.0)
}

/// `None` where there are too few to say.
fn quantile(latencies: &Histogram, q: f64, level: f64) -> Option<Estimate> {
    let n = latencies.count() as f64;
    let half = normal_quantile(0.5 + level / 2.0) * (n * q * (1.0 - q)).sqrt();
    let (low, high) = ((n * q - half) / n, (n * q + half) / n);
    if n < 10.0 || high > 1.0 {
        return None;
    }
    let ms = |q: f64| Some(latencies.quantile_us(q.clamp(0.0, 1.0))? as f64 / 1e3);
    let interval = Some(Interval { low: ms(low)?, high: ms(high)? });
    Some(Estimate { value: ms(q)?, interval, replications: latencies.count() })
}

fn difference(figure: String, a: Estimate, b: Estimate) -> Difference {
    let value = b.value - a.value;
    let interval = a.interval.zip(b.interval).map(|(of_a, of_b)| Interval {
        low: value - (b.value - of_b.low).hypot(of_a.high - a.value),
        high: value + (of_b.high - b.value).hypot(a.value - of_a.low),
    });
    let difference = Estimate { value, interval, replications: a.replications.min(b.replications) };
    Difference { figure, a, b, difference, certain: false }
}

/// What differs first, then every figure.
#[must_use]
pub fn to_text(differences: &[Difference]) -> String {
    let mut out = String::new();
    // A string takes what is written.
    let certain = differences.iter().filter(|found| found.certain);
    for found in certain.clone() {
        let way = if found.difference.value > 0.0 { "higher" } else { "lower" };
        let _ = writeln!(out, "{} is {way} in B.", found.figure);
    }
    if certain.count() == 0 {
        let _ = writeln!(out, "No figure can be told to differ between A and B.");
    }
    let heads = ["figure", "A", "B", "B - A", "95 % interval"];
    let _ = writeln!(out, "\n{:<28} {:>12} {:>12} {:>12}  {}", heads[0], heads[1], heads[2], heads[3], heads[4]);
    for found in differences {
        let range =
            found.difference.interval.map(|it| format!("{:+.3} to {:+.3}", it.low, it.high)).unwrap_or_default();
        let mark = if found.certain { " *" } else { "" };
        let (a, b, value) = (found.a.value, found.b.value, found.difference.value);
        let _ = writeln!(out, "{:<28} {a:>12.3} {b:>12.3} {value:>+12.3}  {range}{mark}", found.figure);
    }
    let _ = writeln!(
        out,
        "\n*: differs, also at the level at which all {} figures of two runs of one system keep theirs 95 times in 100.",
        differences.len()
    );
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measures::Recorder;
    use crate::results::tests::results;

    /// A run of a thousand calls that take between 1 and 2 ms, or so much longer.
    fn run(longer_us: u64) -> LoadResults {
        let mut run = results(1, 1, &[]);
        let mut recorder = Recorder::default();
        (0..1_000_u64).for_each(|n| recorder.latency(Kind::CallToAnswer, 0, 1_000 + n * 617 % 1_000 + longer_us));
        recorder.add("calls", 1_000);
        recorder.add("answered", 990);
        run.parts[0].measures = recorder.finish();
        run
    }

    #[test]
    fn noise_is_no_difference_and_a_slower_server_is_one() {
        let of = |b: u64, figure: &str| {
            let found = compare(&run(0), &run(b)).expect("alike");
            found.into_iter().find(|found| found.figure == figure).expect("a figure")
        };
        assert!(!of(10, "call_to_answer_p50_ms").certain);
        let slower = of(400, "call_to_answer_p50_ms");
        assert!(slower.certain && (slower.difference.value - 0.4).abs() < 0.01, "{slower:?}");
        assert!(!of(400, "answered_share").certain);
        // Of a thousand calls the 99.9th percentile says nothing yet.
        assert!(compare(&run(0), &run(0)).expect("alike").iter().all(|found| !found.figure.contains("p999")));
        let text = to_text(&compare(&run(0), &run(400)).expect("alike"));
        assert!(text.starts_with("call_to_answer_p50_ms is higher in B."), "{text}");
    }

    /// Of two runs of one system, one figure in twenty leaves 0 out of its own interval: that tells nothing.
    #[test]
    fn many_figures_are_not_each_their_own_chance() {
        let mut noisy = 0;
        for seed in 0..40_u64 {
            let of = |salt: u64| {
                let mut run = results(1, 1, &[]);
                let mut recorder = Recorder::default();
                let mut state = (seed * 2 + salt + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                // The generator's own lag would make the run void.
                for kind in Kind::ALL.iter().filter(|kind| **kind != Kind::Lag) {
                    for _ in 0..300 {
                        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                        recorder.latency(*kind, 0, 1_000 + (state >> 33) % 100_000);
                    }
                }
                recorder.add("calls", 1_000);
                run.parts[0].measures = recorder.finish();
                run
            };
            noisy += usize::from(compare(&of(0), &of(1)).expect("alike").iter().any(|found| found.certain));
        }
        assert!(noisy <= 6, "{noisy} of 40 pairs are said to differ");
    }

    #[test]
    fn unlike_runs_are_refused() {
        let mut other = run(0);
        other.settings.speed = 2.0;
        let refused = compare(&run(0), &other).unwrap_err().to_string();
        assert_eq!(refused, "runs of other settings are not compared: speed is 1.0 in A and 2.0 in B");
        let mut cut = run(0);
        cut.parts[0].cut = Some("stopped by hand".into());
        assert!(matches!(compare(&cut, &run(0)), Err(CompareError::Void { which: "A", .. })));
        let mut by_hand = run(0);
        by_hand.parts[0].measures.counts.insert("pauses".into(), 1);
        assert_eq!(compare(&run(0), &by_hand), Err(CompareError::ByHand { which: "B" }));
        let part = results(2, 3, &[1]);
        assert!(matches!(compare(&part, &part), Err(CompareError::Incomplete { which: "A", .. })));
    }
}
