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

/// What a run of the search came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Whether every threshold was met, and the run is not void.
    pub met: bool,
    /// Why the run says nothing of the system, if so.
    pub void: Option<String>,
}

/// A run of the search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tried {
    /// Contacts a second.
    pub per_s: f64,
    /// Whether every threshold was met, and the run is not void.
    pub met: bool,
    /// Whether it was to confirm.
    pub confirms: bool,
    /// Why the run says nothing of the system, if so: then the generator is the limit, not the system.
    pub void: Option<String>,
}

/// What the search came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Found {
    /// The highest rate that met the thresholds and was confirmed; `None` where none was.
    pub per_s: Option<f64>,
    /// The lowest rate above it that did not; `None` where none was tried.
    pub missed_per_s: Option<f64>,
    /// Why the search ended before it had found or confirmed a rate, if so.
    pub stopped: Option<String>,
    /// Every run, in order.
    pub runs: Vec<Tried>,
}

impl Found {
    /// Why the lowest rate that did not meet the thresholds says nothing of the system, if so.
    #[must_use]
    pub fn limited_by(&self) -> Option<&str> {
        let missed = self.missed_per_s?;
        let run = self.runs.iter().rev().find(|run| run.per_s == missed && !run.met)?;
        run.void.as_deref()
    }
}

/// The format's name and version, in every file.
pub const FORMAT: &str = "callfloor-load-search/1";

/// A search with what was searched.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report<'a> {
    /// [`FORMAT`]
    pub format: &'static str,
    /// The scenario's name.
    pub scenario: &'a str,
    /// What was put under load.
    pub target: String,
    /// Every duration of the scenario was divided by this.
    pub speed: f64,
    /// How long each run was, in seconds of real time.
    pub run_s: f64,
    /// What was demanded of each run.
    pub thresholds: Vec<String>,
    /// What was found.
    #[serde(flatten)]
    pub found: &'a Found,
}

/// Most runs of a search.
const MOST_RUNS: usize = 60;

/// Looks for the highest rate at which `meets` says yes. Where it fails, what was found until then is not lost.
///
/// # Errors
/// That of the first run.
pub fn find<E: std::fmt::Display>(
    search: &Search,
    mut meets: impl FnMut(f64) -> Result<Outcome, E>,
) -> Result<Found, E> {
    let mut runs: Vec<Tried> = Vec::new();
    let mut stopped = None;
    let mut attempt = |runs: &mut Vec<Tried>, per_s: f64, confirms: bool| match meets(per_s) {
        Ok(Outcome { met, void }) => {
            runs.push(Tried { per_s, met, confirms, void });
            Some(met)
        }
        Err(error) => {
            stopped = Some(error);
            None
        }
    };
    let least = search.from * search.precision;
    let (mut low, mut high) = (0.0_f64, f64::INFINITY);
    let mut next = search.from.min(search.most);
    let mut confirmed = false;
    'search: while !confirmed && high >= least && runs.len() < MOST_RUNS {
        let is_open = |low: f64, high: f64| high.is_infinite() || high - low > search.precision * high;
        while low < search.most && is_open(low, high) && high >= least && runs.len() < MOST_RUNS {
            match attempt(&mut runs, next, false) {
                Some(true) => low = next,
                Some(false) => high = next,
                None => break 'search,
            }
            next = if high.is_finite() { (low + high) / 2.0 } else { (low * 2.0).min(search.most) };
        }
        if low == 0.0 {
            break;
        }
        confirmed = true;
        for _ in 0..search.confirmations {
            let Some(met) = attempt(&mut runs, low, true) else {
                confirmed = false;
                break 'search;
            };
            if !met {
                confirmed = false;
                break;
            }
        }
        if !confirmed {
            // A lucky run: what it found is too high.
            high = low;
            low = 0.0;
            next = high * (1.0 - 2.0 * search.precision);
        }
    }
    let tired = (!confirmed && runs.len() >= MOST_RUNS)
        .then(|| format!("{MOST_RUNS} runs are the most, and none of the rates that met the thresholds was confirmed"));
    match stopped {
        Some(error) if runs.is_empty() => Err(error),
        stopped => Ok(Found {
            per_s: confirmed.then_some(low),
            missed_per_s: high.is_finite().then_some(high),
            stopped: stopped.map(|error| error.to_string()).or(tired),
            runs,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn search(limit: f64, mut luck: impl FnMut(f64) -> Option<bool>) -> Found {
        let meets = |rate: f64| Ok::<_, String>(Outcome { met: luck(rate).unwrap_or(rate <= limit), void: None });
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

    #[test]
    fn what_was_found_before_a_stop_is_not_lost() {
        let search = Search { from: 10.0, most: 1_000.0, ..Search::default() };
        let stop_after = |most: usize| {
            let mut count = 0;
            find(&search, |rate| {
                count += 1;
                if count > most { Err("stopped".to_owned()) } else { Ok(Outcome { met: rate <= 30.0, void: None }) }
            })
        };
        assert_eq!(stop_after(0), Err("stopped".to_owned()));
        let found = stop_after(3).expect("a part");
        assert_eq!((found.per_s, found.missed_per_s, found.runs.len()), (None, Some(40.0), 3));
        assert_eq!(found.stopped.as_deref(), Some("stopped"));
        // In the middle of its confirmation a rate is not confirmed.
        let all = find(&search, |rate| Ok::<_, String>(Outcome { met: rate <= 30.0, void: None })).expect("found");
        let found = stop_after(all.runs.len() - 1).expect("a part");
        assert_eq!((found.per_s, all.stopped), (None, None));
    }

    #[test]
    fn a_generator_that_is_late_is_told_from_a_system_that_is() {
        let search = Search { from: 10.0, most: 1_000.0, ..Search::default() };
        let late = |rate: f64| (rate > 100.0).then(|| "late".to_owned());
        let found = find(&search, |rate| Ok::<_, String>(Outcome { met: rate <= 100.0, void: late(rate) }));
        assert_eq!(found.expect("found").limited_by(), Some("late"));
        let found = find(&search, |rate| Ok::<_, String>(Outcome { met: rate <= 100.0, void: None }));
        assert_eq!(found.expect("found").limited_by(), None);
    }
}
