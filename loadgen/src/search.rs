//! The highest rate that meets the thresholds: bisection, with runs that confirm what it found.

use serde::{Deserialize, Serialize};

/// Where to look.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Search {
    /// The first rate that is tried, in contacts a second.
    pub from: f64,
    /// No higher rate is tried.
    pub most: f64,
    /// The rate is found when it is known to this share of itself.
    pub precision: f64,
    /// Runs that must confirm it.
    pub confirmations: u32,
}

impl Default for Search {
    fn default() -> Self {
        Self { from: 10.0, most: 100_000.0, precision: 0.05, confirmations: 2 }
    }
}

/// A run of the search.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Contacts a second.
    pub per_s: f64,
    /// Whether every threshold was met, and the generator was in time.
    pub met: bool,
    /// Whether it was to confirm.
    pub confirms: bool,
}

/// What the search came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The highest rate that met the thresholds and was confirmed; `None` where none was.
    pub per_s: Option<f64>,
    /// The lowest rate above it that did not; `None` where none was tried.
    pub missed_per_s: Option<f64>,
    /// Every run, in order.
    pub runs: Vec<Tried>,
}

/// Most runs of a search.
const MOST_RUNS: usize = 60;

/// Looks for the highest rate at which `meets` says yes.
///
/// # Errors
/// Those of `meets`.
pub fn find<E>(search: &Search, mut meets: impl FnMut(f64) -> Result<bool, E>) -> Result<Found, E> {
    let mut runs: Vec<Tried> = Vec::new();
    let mut attempt = |runs: &mut Vec<Tried>, per_s: f64, confirms: bool| -> Result<bool, E> {
        let met = meets(per_s)?;
        runs.push(Tried { per_s, met, confirms });
        Ok(met)
    };
    let least = search.from * search.precision;
    let (mut low, mut high) = (0.0_f64, f64::INFINITY);
    let mut next = search.from.min(search.most);
    let mut confirmed = false;
    while !confirmed && high >= least && runs.len() < MOST_RUNS {
        let is_open = |low: f64, high: f64| high.is_infinite() || high - low > search.precision * high;
        while low < search.most && is_open(low, high) && high >= least && runs.len() < MOST_RUNS {
            if attempt(&mut runs, next, false)? {
                low = next;
            } else {
                high = next;
            }
            next = if high.is_finite() { (low + high) / 2.0 } else { (low * 2.0).min(search.most) };
        }
        if low == 0.0 {
            break;
        }
        confirmed = true;
        for _ in 0..search.confirmations {
            confirmed = confirmed && attempt(&mut runs, low, true)?;
        }
        if !confirmed {
            // A lucky run: what it found is too high.
            high = low;
            low = 0.0;
            next = high * (1.0 - 2.0 * search.precision);
        }
    }
    Ok(Found { per_s: confirmed.then_some(low), missed_per_s: high.is_finite().then_some(high), runs })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(limit: f64, mut luck: impl FnMut(f64) -> Option<bool>) -> Found {
        let meets = |rate: f64| Ok::<_, ()>(luck(rate).unwrap_or(rate <= limit));
        find(&Search { from: 10.0, most: 1_000.0, ..Search::default() }, meets).expect("no trouble")
    }

    #[test]
    fn the_limit_is_found_within_the_precision_and_confirmed() {
        for limit in [3.0, 10.0, 64.0, 333.0, 999.0] {
            let found = search(limit, |_| None);
            let rate = found.per_s.expect("a rate");
            assert!(rate <= limit && rate >= 0.94 * limit, "{limit}: {found:?}");
            assert!(found.missed_per_s.is_none_or(|missed| missed > limit));
            assert_eq!(found.runs.iter().rev().take(2).filter(|run| run.confirms && run.met).count(), 2);
            assert!(found.runs.len() < 25);
        }
    }

    #[test]
    fn a_system_that_takes_everything_is_asked_for_the_most() {
        let found = search(f64::INFINITY, |_| None);
        assert_eq!((found.per_s, found.missed_per_s), (Some(1_000.0), None));
    }

    #[test]
    fn one_that_takes_nothing_has_no_rate() {
        let found = search(0.0, |_| None);
        assert_eq!(found.per_s, None);
        assert!(found.runs.len() < 20);
    }

    /// The first run above the limit is lucky: the confirmations find it out.
    #[test]
    fn a_lucky_run_is_not_believed() {
        let mut lucky = true;
        let found = search(100.0, |rate| (rate > 100.0 && std::mem::replace(&mut lucky, false)).then_some(true));
        let rate = found.per_s.expect("a rate");
        assert!(rate <= 100.0 && rate > 80.0, "{found:?}");
    }
}
