//! The results of a run: primitives over replications and intervals, mergeable exactly, and every figure with its interval.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::cell::{CALL_BYTES, CallCell, STAFF_BYTES, StaffCell, constant, met};
use crate::metric::{Fraction, Kind, sum};
use crate::{Channel, Counts, Estimate, Header, Histogram, Interval, Metric, Ratio, StaffTimes, Tally, wilson};

/// The shares whose wait quantiles are kept for every replication.
pub const WAIT_QUANTILES: [f64; 5] = [0.5, 0.8, 0.9, 0.95, 0.99];

const FORMAT: &str = "callfloor-results/1";
const LEVEL: f64 = 0.95;

/// One queue, or all, over the whole period of one replication.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QueueTotals {
    /// The sums over the intervals; W0 and W1 are those of the period.
    pub counts: Counts,
    /// Quantiles of the waits of answered calls in µs, at [`WAIT_QUANTILES`]; 0 where none was answered.
    pub wait_quantiles_us: [u64; 5],
}

/// One replication over the whole period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplicationTotals {
    /// Its number; replications of equal number and seed share their random numbers.
    pub replication: u32,
    /// For each queue, then for all queues together where there are several.
    pub queues: Vec<QueueTotals>,
    /// For each group.
    pub groups: Vec<StaffTimes>,
    /// Commands that the engine applied.
    pub engine_commands: u64,
    /// Calls simulated, warm-up included.
    pub calls: u64,
    /// Length of the counted period in µs.
    pub elapsed_us: u64,
    /// Digest of the event log; 0 where none was taken.
    pub event_digest: u64,
    /// Whether a fast path computed it instead of the engine.
    pub fast_path: bool,
}

/// What a figure is taken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// All queues, or all groups. An outbound queue adds its dials and tickets only: its talk is no offered call's handle time.
    All,
    /// One queue, by its place in [`Header::queues`].
    Queue(usize),
    /// One group, by its place in [`Header::groups`].
    Group(usize),
}

/// The results of a run, complete or of some of its replications. Equal parts merge to equal bytes in any order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    format: String,
    header: Header,
    /// By number.
    replications: Vec<ReplicationTotals>,
    /// `[queue, then all where there are several][interval]`
    calls: Vec<CallCell>,
    /// `[group, then all where there are several][interval]`
    staff: Vec<StaffCell>,
    /// `[queue]`
    waits: Vec<Histogram>,
    /// `[queue]`
    abandon_waits: Vec<Histogram>,
}

/// Rows for `n` things: themselves, and all together where that is another row.
const fn rows(n: usize) -> usize {
    if n > 1 { n + 1 } else { n }
}

impl Results {
    /// Results without replications.
    #[must_use]
    pub fn new(header: Header) -> Self {
        let intervals = header.grid.intervals;
        let (queues, groups) = (header.queues.len(), header.groups.len());
        Self {
            format: FORMAT.to_owned(),
            replications: Vec::new(),
            calls: vec![CallCell::new(); rows(queues) * intervals],
            staff: vec![StaffCell::new(); rows(groups) * intervals],
            waits: vec![Histogram::new(); queues],
            abandon_waits: vec![Histogram::new(); queues],
            header,
        }
    }

    /// Memory that results of so many queues, groups, intervals and replications take, in bytes; names apart.
    #[must_use]
    pub const fn bytes_of(queues: usize, groups: usize, intervals: usize, replications: usize) -> usize {
        let cells = rows(queues).saturating_mul(CALL_BYTES).saturating_add(rows(groups).saturating_mul(STAFF_BYTES));
        let totals = size_of::<ReplicationTotals>()
            .saturating_add(rows(queues).saturating_mul(size_of::<QueueTotals>()))
            .saturating_add(groups.saturating_mul(size_of::<StaffTimes>()));
        let waits = queues.saturating_mul(2 * crate::histogram::BYTES);
        cells.saturating_mul(intervals).saturating_add(totals.saturating_mul(replications)).saturating_add(waits)
    }

    /// Memory that these results take, in bytes; names apart.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        let Header { queues, groups, grid, .. } = &self.header;
        Self::bytes_of(queues.len(), groups.len(), grid.intervals, self.replications.len())
    }

    /// Adds replication number `replication`.
    ///
    /// # Panics
    /// Where the tally was made for another header, or the number is already in.
    pub fn add(&mut self, replication: u32, tally: &Tally) {
        assert_eq!(*tally.grid(), self.header.grid, "a tally of the same grid");
        let (queues, groups, intervals) =
            (self.header.queues.len(), self.header.groups.len(), self.header.grid.intervals);
        let place = self.replications.partition_point(|other| other.replication < replication);
        assert!(
            self.replications.get(place).is_none_or(|other| other.replication != replication),
            "replication {replication} is already in these results"
        );

        let mut totals = Vec::with_capacity(rows(queues));
        let mut all = vec![Counts::default(); intervals];
        for queue in 0..queues {
            let (target, rule) = (self.target_level(Scope::Queue(queue)), self.header.queues[queue].rule);
            let by = self.header.counted_by;
            let judged: Vec<Counts> = tally.counts(queue).iter().map(|counts| counts.seen(by).judged(rule)).collect();
            for (interval, counts) in judged.iter().enumerate() {
                self.calls[queue * intervals + interval].add(counts, target);
                match self.header.queues[queue].channel {
                    Channel::Outbound => all[interval] += &counts.outbound_part(),
                    _ => all[interval] += counts,
                }
            }
            self.waits[queue].merge(tally.waits(queue));
            self.abandon_waits[queue].merge(tally.abandon_waits(queue));
            totals.push(queue_totals(period(&judged), tally.waits(queue)));
        }
        if queues > 1 {
            let mut waits = Histogram::new();
            (0..queues).for_each(|queue| waits.merge(tally.waits(queue)));
            let target = self.target_level(Scope::All);
            for (cell, counts) in self.calls[queues * intervals..].iter_mut().zip(&all) {
                cell.add(counts, target);
            }
            totals.push(queue_totals(period(&all), &waits));
        }

        let mut group_totals = vec![StaffTimes::default(); groups];
        let mut all = vec![StaffTimes::default(); intervals];
        for (group, total) in group_totals.iter_mut().enumerate() {
            for (interval, times) in tally.staff(group).iter().enumerate() {
                self.staff[group * intervals + interval].add(times);
                *total += times;
                all[interval] += times;
            }
        }
        if groups > 1 {
            for (cell, times) in self.staff[groups * intervals..].iter_mut().zip(&all) {
                cell.add(times);
            }
        }
        let totals = ReplicationTotals {
            replication,
            queues: totals,
            groups: group_totals,
            engine_commands: tally.engine_commands,
            calls: tally.calls,
            elapsed_us: tally.elapsed_us.unwrap_or_else(|| self.header.grid.elapsed_us()),
            event_digest: tally.event_digest,
            fast_path: tally.fast_path,
        };
        self.replications.insert(place, totals);
    }

    /// Adds the replications of `other`: the same bytes as one run of both.
    ///
    /// # Errors
    /// [`MergeError`] where they are not parts of one run; nothing is changed then.
    pub fn merge(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.header != other.header {
            return Err(MergeError::OtherRun {
                ours: Box::new(self.header.clone()),
                theirs: Box::new(other.header.clone()),
            });
        }
        let numbers: std::collections::BTreeSet<u32> = self.replications.iter().map(|r| r.replication).collect();
        if let Some(twice) = other.replications.iter().find(|r| numbers.contains(&r.replication)) {
            return Err(MergeError::Twice(twice.replication));
        }
        self.replications.extend(other.replications.iter().cloned());
        self.replications.sort_by_key(|r| r.replication);
        for (cell, other) in self.calls.iter_mut().zip(&other.calls) {
            cell.merge(other);
        }
        for (cell, other) in self.staff.iter_mut().zip(&other.staff) {
            cell.merge(other);
        }
        let pairs = self.waits.iter_mut().zip(&other.waits);
        for (ours, theirs) in pairs.chain(self.abandon_waits.iter_mut().zip(&other.abandon_waits)) {
            ours.merge(theirs);
        }
        Ok(())
    }

    /// What the run was.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The replications, by number.
    #[must_use]
    pub fn replications(&self) -> &[ReplicationTotals] {
        &self.replications
    }

    /// Sums over replications for one queue, or all, in one interval.
    #[must_use]
    pub fn counts_in(&self, scope: Scope, interval: usize) -> Counts {
        self.call_cell(scope, interval).map_or_else(Counts::default, |cell| cell.counts)
    }

    /// Sums over replications and intervals for one queue, or all. W0 and W1 are those of the period.
    #[must_use]
    pub fn counts(&self, scope: Scope) -> Counts {
        let mut sums = Counts::default();
        if let Some(row) = self.call_row(scope) {
            self.replications.iter().for_each(|replication| sums += &replication.queues[row].counts);
        }
        sums
    }

    /// Sums over replications of the operators' time of one group, or all, in one interval.
    #[must_use]
    pub fn staff_in(&self, scope: Scope, interval: usize) -> StaffTimes {
        self.staff_cell(scope, interval).map_or_else(StaffTimes::default, |cell| cell.times)
    }

    /// Sums over replications and intervals of the operators' time of one group, or all.
    #[must_use]
    pub fn staff(&self, scope: Scope) -> StaffTimes {
        let mut sums = StaffTimes::default();
        self.replications.iter().for_each(|replication| sums += &group_times(replication, scope));
        sums
    }

    /// Waits of answered calls over all replications.
    #[must_use]
    pub fn waits(&self, scope: Scope) -> Histogram {
        merged(&self.waits, scope)
    }

    /// Waits of abandoned calls over all replications.
    #[must_use]
    pub fn abandon_waits(&self, scope: Scope) -> Histogram {
        merged(&self.abandon_waits, scope)
    }

    /// The service level that `scope` should reach: a queue's own, else the floor's. For all queues together the floor's, else
    /// the one that all queues share.
    #[must_use]
    pub fn target_level(&self, scope: Scope) -> Option<f64> {
        let queues = &self.header.queues;
        match scope {
            Scope::Queue(queue) => queues.get(queue)?.target_level.or(self.header.target_level),
            Scope::Group(_) => None,
            Scope::All => self.header.target_level.or_else(|| {
                let mut levels =
                    queues.iter().filter(|queue| queue.channel != Channel::Outbound).map(|queue| queue.target_level);
                let shared = levels.next()??;
                levels.all(|level| level == Some(shared)).then_some(shared)
            }),
        }
    }

    /// The queue, or for a figure `of_operators` the group, that has this name.
    #[must_use]
    pub fn scope_named(&self, name: &str, of_operators: bool) -> Option<Scope> {
        if of_operators {
            self.header.groups.iter().position(|group| group.name == name).map(Scope::Group)
        } else {
            self.header.queues.iter().position(|queue| queue.name == name).map(Scope::Queue)
        }
    }

    /// A figure over the period with its 95 % interval; `None` where its denominator is 0 or it does not apply to `scope`.
    ///
    /// Ratios are ratios of sums over the replications (see [`Ratio`]); P(met) has Wilson's interval; a wait quantile is
    /// that of all replications' waits together, with Student's t interval over the replications' own quantiles
    /// (sectioning: Asmussen and Glynn, Stochastic Simulation, III.5a).
    #[must_use]
    pub fn estimate(&self, metric: Metric, scope: Scope) -> Option<Estimate> {
        self.estimate_at(metric, scope, LEVEL)
    }

    /// [`Results::estimate`] with an interval of another confidence `level`, in (0, 1).
    #[must_use]
    pub fn estimate_at(&self, metric: Metric, scope: Scope, level: f64) -> Option<Estimate> {
        if !applies(metric, scope) || self.replications.is_empty() {
            return None;
        }
        let estimate = match metric.kind() {
            Kind::Met => {
                let met = self.met(scope)?;
                let met: Vec<bool> = met.into_iter().flatten().collect();
                wilson(met.iter().filter(|met| **met).count() as u64, met.len() as u64, level)?
            }
            Kind::LongestWait => {
                let waits = self.waits(scope);
                if waits.count() == 0 {
                    return None;
                }
                let value = waits.max_us() as f64 * 1e-6;
                Estimate { value, interval: None, replications: self.replications.len() as u64 }
            }
            Kind::WaitQuantile(place) => {
                let value = self.waits(scope).quantile_us(WAIT_QUANTILES[place])? as f64 * 1e-6;
                let own: Vec<f64> = self.quantiles(scope, place)?.into_iter().flatten().collect();
                let half = crate::mean_interval(&own, level)?.interval.map(|interval| interval.half_width());
                let interval = half.map(|half| Interval { low: (value - half).max(0.0), high: value + half });
                Estimate { value, interval, replications: own.len() as u64 }
            }
            Kind::Ratio { .. } | Kind::OneMinus { .. } => {
                let fraction = metric.fraction()?;
                finish(metric, fraction, Ratio::over(self.pairs(fraction, scope)?).estimate(level)?)
            }
        };
        Some(estimate)
    }

    /// Numerator and denominator of a ratio, summed over replications: calls, or µs for times. What stands behind a percentage.
    #[must_use]
    pub fn parts(&self, metric: Metric, scope: Scope) -> Option<(f64, f64)> {
        if !applies(metric, scope) {
            return None;
        }
        let pairs = self.pairs(metric.fraction()?, scope)?;
        Some(pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1)))
    }

    /// A ratio's mean over the replications' own values, each with equal weight: the second kind of "average service level".
    #[must_use]
    pub fn mean_over_replications(&self, metric: Metric, scope: Scope) -> Option<Estimate> {
        if !applies(metric, scope) {
            return None;
        }
        let fraction = metric.fraction()?;
        let values: Vec<f64> = self
            .pairs(fraction, scope)?
            .into_iter()
            .filter(|(_, under)| *under != 0.0)
            .map(|(over, under)| fraction.finish(over / under))
            .collect();
        Some(clamp(metric, crate::mean_interval(&values, LEVEL)?))
    }

    /// A figure in one interval of the day with its 95 % interval over replications.
    ///
    /// The interval is `None` for figures whose products are not kept by interval (the rarer rates); so is the whole for
    /// wait quantiles, which are kept for the period only.
    #[must_use]
    pub fn estimate_in(&self, metric: Metric, scope: Scope, interval: usize) -> Option<Estimate> {
        if !applies(metric, scope) {
            return None;
        }
        if metric.kind() == Kind::Met {
            self.target_level(scope)?;
            let cell = self.call_cell(scope, interval)?;
            return wilson(u64::from(cell.met), u64::from(cell.judged), LEVEL);
        }
        let fraction = metric.fraction()?;
        if self.header.grid.intervals == 1 {
            return self.estimate(metric, scope);
        }
        let n = self.replications.len() as u64;
        let elapsed = self.header.grid.interval_us;
        let estimate = if metric.of_operators() {
            self.staff_cell(scope, interval)?.estimate(fraction, n, elapsed, LEVEL)?
        } else {
            self.call_cell(scope, interval)?.estimate(fraction, n, elapsed, LEVEL)?
        };
        Some(finish(metric, fraction, estimate))
    }

    /// B's figure less A's with a paired 95 % interval over the replications that both have.
    ///
    /// Both must come from one seed, so that equal replications share their random numbers. `None` where a figure does not exist.
    #[must_use]
    pub fn difference(a: (&Self, Scope), b: (&Self, Scope), metric: Metric) -> Option<Estimate> {
        let numbers: Vec<u32> = {
            let theirs: std::collections::BTreeSet<u32> = b.0.replications.iter().map(|r| r.replication).collect();
            a.0.replications.iter().map(|r| r.replication).filter(|number| theirs.contains(number)).collect()
        };
        let (value_a, residuals_a) = a.0.residuals(metric, a.1, &numbers)?;
        let (value_b, residuals_b) = b.0.residuals(metric, b.1, &numbers)?;
        let spread = crate::mean_difference(&residuals_a, &residuals_b, LEVEL)?;
        let value = match (metric.kind(), a.0.estimate(metric, a.1), b.0.estimate(metric, b.1)) {
            // All waits together, as in each one's own estimate, where both have the same replications.
            (Kind::WaitQuantile(_), Some(all_a), Some(all_b))
                if numbers.len() == a.0.replications.len() && numbers.len() == b.0.replications.len() =>
            {
                all_b.value - all_a.value
            }
            _ => value_b - value_a,
        };
        let interval = spread.interval.map(|interval| {
            let half = interval.half_width();
            Interval { low: value - half, high: value + half }
        });
        Some(Estimate { value, interval, replications: numbers.len() as u64 })
    }

    /// The figure over the given replications, and each one's share in its error.
    fn residuals(&self, metric: Metric, scope: Scope, numbers: &[u32]) -> Option<(f64, Vec<f64>)> {
        if !applies(metric, scope) || numbers.is_empty() {
            return None;
        }
        let wanted: std::collections::BTreeSet<u32> = numbers.iter().copied().collect();
        let kept = |index: usize| wanted.contains(&self.replications[index].replication);
        let plain = |values: Vec<Option<f64>>| {
            let values: Vec<f64> = values
                .into_iter()
                .enumerate()
                .filter(|(index, _)| kept(*index))
                .map(|(_, value)| value)
                .collect::<Option<_>>()?;
            Some((values.iter().sum::<f64>() / values.len() as f64, values))
        };
        match metric.kind() {
            Kind::LongestWait => None,
            Kind::WaitQuantile(place) => plain(self.quantiles(scope, place)?),
            Kind::Met => {
                plain(self.met(scope)?.into_iter().map(|met| met.map(|met| f64::from(u8::from(met)))).collect())
            }
            Kind::Ratio { .. } | Kind::OneMinus { .. } => {
                let fraction = metric.fraction()?;
                let pairs: Vec<(f64, f64)> = self
                    .pairs(fraction, scope)?
                    .into_iter()
                    .enumerate()
                    .filter(|(index, _)| kept(*index))
                    .map(|(_, pair)| pair)
                    .collect();
                let (over, under) = pairs.iter().fold((0.0, 0.0), |sum, pair| (sum.0 + pair.0, sum.1 + pair.1));
                if under == 0.0 {
                    return None;
                }
                let quotient = over / under;
                let scale = if fraction.one_minus { -1.0 } else { fraction.factor } * pairs.len() as f64 / under;
                Some((fraction.finish(quotient), pairs.iter().map(|(x, y)| (x - quotient * y) * scale).collect()))
            }
        }
    }

    /// Rows where `W0 + N = A + B + F + W1` does not hold. Empty unless the simulation or a live count is wrong.
    #[must_use]
    pub fn failed_identities(&self) -> Vec<IdentityFailure> {
        let mut failures = Vec::new();
        for (queue, name) in self.header.queues.iter().enumerate() {
            for interval in 0..self.header.grid.intervals {
                let counts = self.counts_in(Scope::Queue(queue), interval);
                let (came, left) = counts.identity(self.header.counted_by);
                if came != left {
                    let label = self.header.label(interval);
                    failures.push(IdentityFailure { queue: name.name.clone(), interval: label, came, left });
                }
            }
        }
        failures
    }

    /// Calls simulated in all replications, warm-up included.
    #[must_use]
    pub fn calls_simulated(&self) -> u64 {
        self.replications.iter().fold(0, |sum, replication| sum.saturating_add(replication.calls))
    }

    /// Engine commands in all replications.
    #[must_use]
    pub fn engine_commands(&self) -> u64 {
        self.replications.iter().fold(0, |sum, replication| sum.saturating_add(replication.engine_commands))
    }

    /// Replications that a fast path computed.
    #[must_use]
    pub fn fast_path_replications(&self) -> usize {
        self.replications.iter().filter(|replication| replication.fast_path).count()
    }

    /// The file form: one JSON document, the same bytes for the same results.
    ///
    /// # Panics
    /// Never: every key is a string and every number finite.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("results have string keys only")
    }

    /// Reads what [`Results::to_json`] wrote, or the `results` of a report's JSON.
    ///
    /// # Errors
    /// [`ReadError`] with line and column.
    pub fn from_json(text: &str) -> Result<Self, ReadError> {
        let results: Self = serde_json::from_str(text).map_err(|error| ReadError {
            line: error.line(),
            column: error.column(),
            found: error.to_string(),
        })?;
        results.checked().map_err(|found| ReadError { line: 1, column: 1, found })
    }

    /// Refuses results whose parts do not fit together, so that nothing later indexes out of range.
    fn checked(self) -> Result<Self, String> {
        let header = &self.header;
        let (queues, groups, intervals) = (header.queues.len(), header.groups.len(), header.grid.intervals);
        if self.format != FORMAT {
            return Err(format!("format \"{}\" where this version reads \"{FORMAT}\"", self.format));
        }
        /// 100,000 days: no grid is longer, and no sum of its times leaves 64 bits.
        const LONGEST_US: u64 = 100_000 * 86_400_000_000;
        let length = u64::try_from(intervals).ok().and_then(|count| count.checked_mul(header.grid.interval_us));
        if length.is_none_or(|length| length == 0 || length > LONGEST_US) || header.grid.start_us > LONGEST_US {
            return Err("a grid without intervals, or longer than 100,000 days".to_owned());
        }
        let labels = header.interval_labels.len();
        let lengths = [
            ("cells of calls", self.calls.len(), rows(queues) * intervals),
            ("cells of operators", self.staff.len(), rows(groups) * intervals),
            ("wait histograms", self.waits.len(), queues),
            ("abandonment histograms", self.abandon_waits.len(), queues),
            ("interval labels", labels, if labels == 0 { 0 } else { intervals }),
        ];
        for (what, found, wanted) in lengths {
            if found != wanted {
                return Err(format!(
                    "{found} {what} where {queues} queues, {groups} groups and {intervals} intervals need {wanted}"
                ));
            }
        }
        for pair in self.replications.windows(2) {
            if pair[0].replication >= pair[1].replication {
                return Err(format!("replication {} after {}", pair[1].replication, pair[0].replication));
            }
        }
        for replication in &self.replications {
            if replication.queues.len() != rows(queues) || replication.groups.len() != groups {
                return Err(format!("replication {} has rows for other queues or groups", replication.replication));
            }
        }
        Ok(self)
    }

    fn call_row(&self, scope: Scope) -> Option<usize> {
        let queues = self.header.queues.len();
        match scope {
            Scope::All if queues > 0 => Some(rows(queues) - 1),
            Scope::Queue(queue) if queue < queues => Some(queue),
            _ => None,
        }
    }

    fn call_cell(&self, scope: Scope, interval: usize) -> Option<&CallCell> {
        let row = self.call_row(scope)?;
        (interval < self.header.grid.intervals).then(|| &self.calls[row * self.header.grid.intervals + interval])
    }

    fn staff_cell(&self, scope: Scope, interval: usize) -> Option<&StaffCell> {
        let groups = self.header.groups.len();
        let row = match scope {
            Scope::All if groups > 0 => rows(groups) - 1,
            Scope::Group(group) if group < groups => group,
            _ => return None,
        };
        (interval < self.header.grid.intervals).then(|| &self.staff[row * self.header.grid.intervals + interval])
    }

    /// Numerator and denominator of each replication.
    fn pairs(&self, fraction: Fraction, scope: Scope) -> Option<Vec<(f64, f64)>> {
        let row = self.call_row(scope);
        let pair = |replication: &ReplicationTotals| {
            let elapsed = replication.elapsed_us;
            let counts = row.map_or_else(Counts::default, |row| replication.queues[row].counts);
            let staff = group_times(replication, scope);
            let get = |primitive| {
                constant(primitive, elapsed)
                    .unwrap_or_else(|| counts.get(primitive).saturating_add(staff.get(primitive)))
            };
            (sum(fraction.over, get) as f64, sum(fraction.under, get) as f64)
        };
        let exists = match scope {
            Scope::Group(group) => group < self.header.groups.len(),
            _ => row.is_some() || !self.header.groups.is_empty(),
        };
        exists.then(|| self.replications.iter().map(pair).collect())
    }

    /// Whether each replication reached its target; `None` inside where it has no service level, outside where no target is set.
    fn met(&self, scope: Scope) -> Option<Vec<Option<bool>>> {
        let (target, row) = (self.target_level(scope)?, self.call_row(scope)?);
        Some(self.replications.iter().map(|replication| met(&replication.queues[row].counts, target)).collect())
    }

    /// A wait quantile of each replication in s; `None` inside where no call was answered.
    fn quantiles(&self, scope: Scope, place: usize) -> Option<Vec<Option<f64>>> {
        let row = self.call_row(scope)?;
        let own =
            |totals: &QueueTotals| (totals.counts.answered > 0).then(|| totals.wait_quantiles_us[place] as f64 * 1e-6);
        Some(self.replications.iter().map(|replication| own(&replication.queues[row])).collect())
    }
}

/// The sum over intervals; W0 is the first interval's and W1 the last one's.
fn period(intervals: &[Counts]) -> Counts {
    let mut total = Counts::default();
    intervals.iter().for_each(|counts| total += counts);
    total.waiting_at_start = intervals.first().map_or(0, |counts| counts.waiting_at_start);
    total.waiting_at_end = intervals.last().map_or(0, |counts| counts.waiting_at_end);
    total
}

fn queue_totals(counts: Counts, waits: &Histogram) -> QueueTotals {
    QueueTotals { counts, wait_quantiles_us: WAIT_QUANTILES.map(|share| waits.quantile_us(share).unwrap_or(0)) }
}

fn group_times(replication: &ReplicationTotals, scope: Scope) -> StaffTimes {
    match scope {
        Scope::Group(group) => replication.groups.get(group).copied().unwrap_or_default(),
        _ => replication.groups.iter().fold(StaffTimes::default(), |mut sum, times| {
            sum += times;
            sum
        }),
    }
}

fn merged(histograms: &[Histogram], scope: Scope) -> Histogram {
    match scope {
        Scope::Queue(queue) => histograms.get(queue).cloned().unwrap_or_default(),
        Scope::Group(_) => Histogram::new(),
        Scope::All => histograms.iter().fold(Histogram::new(), |mut all, one| {
            all.merge(one);
            all
        }),
    }
}

const fn applies(metric: Metric, scope: Scope) -> bool {
    match scope {
        Scope::All => true,
        Scope::Queue(_) => !metric.of_operators(),
        Scope::Group(_) => metric.of_operators(),
    }
}

/// A quotient's estimate in the figure's own unit.
fn finish(metric: Metric, fraction: Fraction, quotient: Estimate) -> Estimate {
    let ends = quotient.interval.map(|interval| {
        let (a, b) = (fraction.finish(interval.low), fraction.finish(interval.high));
        Interval { low: a.min(b), high: a.max(b) }
    });
    clamp(metric, Estimate { value: fraction.finish(quotient.value), interval: ends, ..quotient })
}

/// No interval of a share leaves [0, 1], and none of a time or a count goes below 0.
fn clamp(metric: Metric, estimate: Estimate) -> Estimate {
    let high = if metric.unit() == crate::Unit::Share { 1.0_f64.max(estimate.value) } else { f64::INFINITY };
    estimate.clamped(0.0_f64.min(estimate.value), high)
}

/// A row where calls that came are not calls that left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityFailure {
    /// The queue's name.
    pub queue: String,
    /// The interval's label.
    pub interval: String,
    /// W0 + N.
    pub came: u64,
    /// A + B + F + W1.
    pub left: u64,
}

impl fmt::Display for IdentityFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { queue, interval, came, left } = self;
        write!(f, "queue \"{queue}\", {interval}: W0 + N = {came}, but A + B + F + W1 = {left}")
    }
}

/// Why two results are not parts of one run.
#[derive(Debug, Clone, PartialEq)]
pub enum MergeError {
    /// Their headers differ.
    OtherRun {
        /// The header of the results merged into.
        ours: Box<Header>,
        /// The header of the others.
        theirs: Box<Header>,
    },
    /// Both have this replication.
    Twice(u32),
}

impl fmt::Display for MergeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherRun { ours, theirs } => write!(
                f,
                "results of \"{}\", seed {}, cannot be merged with results of \"{}\", seed {}: their scenario, seed, intervals, queues and groups must be equal",
                ours.scenario, ours.seed, theirs.scenario, theirs.seed
            ),
            Self::Twice(replication) => {
                write!(f, "both results have replication {replication}: each must be in one only")
            }
        }
    }
}

impl std::error::Error for MergeError {}

/// A results file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadError {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What was found and what would be right.
    pub found: String,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.line, self.column, self.found)
    }
}

impl std::error::Error for ReadError {}
