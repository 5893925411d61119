//! What the truth tests share: running a scenario's text, one pool in steady state, and the judgement of a value.

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use callfloor_measure::{
    Counts, Estimate, Metric, Ratio, ReplicationTotals, Results, Scope, mean_interval, normal_quantile,
};

use callfloor_scenario::{Files, NoFiles, Scenario};
use callfloor_sim::Options;

/// The confidence of every interval of these tests.
pub(crate) const LEVEL: f64 = 0.999;

/// Runs a scenario that needs no other file.
pub(crate) fn simulate(text: &str) -> Results {
    simulate_with(text, &NoFiles)
}

/// Runs a scenario with the files that it names.
pub(crate) fn simulate_with(text: &str, files: &dyn Files) -> Results {
    let scenario = Scenario::parse("truth.toml", text, files).unwrap_or_else(|problems| panic!("{problems}\n{text}"));
    // One thread: the test harness runs several of these at once.
    let options = Options { threads: NonZeroUsize::new(1), ..Options::default() };
    callfloor_sim::simulate(&scenario, &options).unwrap_or_else(|error| panic!("{error}\n{text}")).results
}

/// Collects what disagrees, so that one run tells of all.
#[derive(Debug, Default)]
pub(crate) struct Judge {
    checked: usize,
    wrong: String,
}

impl Judge {
    /// The reference, give or take `slack` (its own tolerance or half-width), lies in the estimate's interval.
    pub(crate) fn agree(&mut self, what: &str, estimate: Option<Estimate>, reference: f64, slack: f64) {
        self.checked += 1;
        let Some(Estimate { value, interval, .. }) = estimate else {
            let _ = writeln!(self.wrong, "{what}: no figure for {reference}");
            return;
        };
        let half = interval.map_or(0.0, |interval| interval.half_width());
        if (value - reference).abs() > half + slack {
            let _ = writeln!(
                self.wrong,
                "{what}: {value} ± {half} for {reference} ± {slack}, off by {:.2} intervals",
                (value - reference).abs() / half
            );
        }
    }

    /// A published mean with its 95 % half-width agrees: the 99.9 % interval of the difference holds 0.
    pub(crate) fn agree_published(&mut self, what: &str, estimate: Option<Estimate>, value: f64, half_width: f64) {
        let wide = half_width * normal_quantile(f64::midpoint(1.0, LEVEL)) / normal_quantile(0.975);
        let own = estimate.and_then(|estimate| estimate.interval).map_or(0.0, |interval| interval.half_width());
        self.agree(what, estimate, value, own.hypot(wide) - own);
    }

    /// The two are the same number.
    pub(crate) fn equal(&mut self, what: &str, found: f64, wanted: f64) {
        self.checked += 1;
        if found != wanted {
            let _ = writeln!(self.wrong, "{what}: {found} for {wanted}");
        }
    }

    /// Ends the test: it fails if anything disagreed.
    #[track_caller]
    pub(crate) fn finish(self) {
        println!("{} values checked", self.checked);
        assert!(self.wrong.is_empty(), "of {} values these disagree:\n{}", self.checked, self.wrong);
    }
}

/// A metric with its 99.9 % interval.
pub(crate) fn figure(results: &Results, metric: Metric, scope: Scope) -> Option<Estimate> {
    results.estimate_at(metric, scope, LEVEL)
}

/// A ratio of sums over replications with its 99.9 % interval.
pub(crate) fn ratio(results: &Results, part: impl Fn(&ReplicationTotals) -> (f64, f64)) -> Option<Estimate> {
    Ratio::over(results.replications().iter().map(part)).estimate(LEVEL)
}

/// The mean over independent runs of a value, with its 99.9 % interval.
pub(crate) fn mean(runs: &[Results], value: impl Fn(&Results) -> f64) -> Option<Estimate> {
    let values: Vec<f64> = runs.iter().map(value).collect();
    mean_interval(&values, LEVEL)
}

/// An estimate in another unit.
pub(crate) fn scaled(estimate: Option<Estimate>, factor: f64) -> Option<Estimate> {
    estimate.map(|mut estimate| {
        estimate.value *= factor;
        if let Some(interval) = &mut estimate.interval {
            interval.low *= factor;
            interval.high *= factor;
        }
        estimate
    })
}

/// All waits of a queue, in seconds.
pub(crate) fn waits_s(counts: &Counts) -> f64 {
    (counts.wait_answered_us + counts.wait_abandoned_us + counts.wait_flowed_out_us) as f64 * 1e-6
}

/// One pool of operators in steady state: Poisson arrivals, everybody answers at once. Times in seconds.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub(crate) operators: u32,
    pub(crate) per_s: f64,
    /// Mean handle time.
    pub(crate) handle_s: f64,
    /// A distribution, as a scenario writes it.
    pub(crate) handling: String,
    /// A distribution with its mean, if callers leave.
    pub(crate) patience: Option<(String, f64)>,
    pub(crate) balking: f64,
    pub(crate) places: Option<u32>,
    pub(crate) target_s: f64,
    /// Calls counted in each replication.
    pub(crate) calls: f64,
    pub(crate) replications: u32,
    pub(crate) seed: u64,
}

impl Pool {
    /// M/M/n.
    pub(crate) fn new(operators: u32, per_s: f64, handle_s: f64) -> Self {
        Self {
            operators,
            per_s,
            handle_s,
            handling: format!("{{ mean_s = {handle_s:?} }}"),
            patience: None,
            balking: 0.0,
            places: None,
            target_s: 20.0,
            calls: 5_000.0,
            // A large pool has more calls in each.
            replications: if operators < 400 { 20 } else { 8 },
            seed: 1,
        }
    }

    /// Time in which the memory of the empty start fades by a factor e.
    fn memory_s(&self) -> f64 {
        let load = self.per_s * self.handle_s / f64::from(self.operators);
        let spare = f64::from(self.operators) * (1.0 - load.sqrt()).powi(2);
        let without_end = if load < 1.0 { self.handle_s / spare } else { f64::INFINITY };
        match (&self.patience, self.places) {
            (Some((_, mean_s)), _) => mean_s.min(without_end) + self.handle_s,
            // A full waiting room empties in so many services.
            (None, Some(places)) => {
                without_end.min(f64::from(places + 1) * self.handle_s / f64::from(self.operators)) + self.handle_s
            }
            (None, None) => without_end + self.handle_s,
        }
    }

    pub(crate) fn scenario(&self) -> String {
        let hours = (self.calls / self.per_s).max(6.0 * self.memory_s()) / 3600.0;
        let warm_up_hours = 7.0 * self.memory_s() / 3600.0;
        let places = self.places.map_or_else(String::new, |places| format!("limit = {places}\n"));
        let patience = self.patience.as_ref().map_or_else(String::new, |(text, _)| format!("patience = {text}\n"));
        format!(
            "
[run]
seed = {seed}
replications = {replications}
hours = {hours:?}
warm_up_hours = {warm_up_hours:?}
[queue.pool]
{places}service_level = {{ threshold_s = {target_s:?}, short_abandon_s = 0.0 }}
[customers.callers]
arrivals = {{ per_hour = {per_hour:?} }}
{patience}balking = {balking:?}
handling = {{ talk = {handling} }}
[operators.pool]
count = {operators}
auto_answer = true
",
            seed = self.seed,
            replications = self.replications,
            target_s = self.target_s,
            per_hour = self.per_s * 3600.0,
            balking = self.balking,
            handling = self.handling,
            operators = self.operators,
        )
    }

    pub(crate) fn simulate(&self) -> Results {
        simulate(&self.scenario())
    }
}
