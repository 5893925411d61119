//! Patience: the wait that callers would bear, from waits that answers cut short.
//!
//! An answered call tells only that its caller's patience was longer than its wait: it is censored. The estimate of E. L.
//! Kaplan and P. Meier (1958) needs no law; three hazards are fitted beside it by likelihood: constant, Weibull, and
//! constant by pieces, whose pieces are merged from seconds as long as Schwarz's criterion falls.
//!
//! Callers of one type and priority are a group. A small group cannot show every turn of its hazard, so the hazard of all
//! callers, as it is and times a factor, stands beside the group's own laws; Schwarz's criterion chooses.

use super::statistics::{bisect, chi_square_above};

/// A group in which fewer callers left than this has no pieces of its own: their edges would follow chance.
pub const LEAVERS_FOR_PIECES: usize = 100;

/// One caller who waited.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Waited {
    /// Wait in seconds, above 0.
    pub wait_s: f64,
    /// Whether the caller left; otherwise the wait ended with an answer.
    pub left: bool,
}

/// A step of the Kaplan–Meier estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Survival {
    /// Wait in seconds at which somebody left.
    pub wait_s: f64,
    /// Callers who had waited at least so long.
    pub at_risk: usize,
    /// Share of callers whose patience is longer.
    pub share: f64,
}

/// The Kaplan–Meier estimate. Leaving goes before an answer of the same second.
#[must_use]
pub fn kaplan_meier(waited: &[Waited]) -> Vec<Survival> {
    let mut sorted = waited.to_vec();
    sorted.sort_by(|a, b| a.wait_s.total_cmp(&b.wait_s));
    let mut at_risk = sorted.len();
    let mut share = 1.0;
    let mut steps = Vec::new();
    for ties in sorted.chunk_by(|a, b| a.wait_s == b.wait_s) {
        let left = ties.iter().filter(|w| w.left).count();
        if left > 0 {
            share *= 1.0 - left as f64 / at_risk as f64;
            steps.push(Survival { wait_s: ties[0].wait_s, at_risk, share });
        }
        at_risk -= ties.len();
    }
    steps
}

/// A constant hazard from some wait on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Level {
    /// Start in seconds of waiting.
    pub from_s: f64,
    /// Rate of leaving per second.
    pub per_s: f64,
}

/// A piece of the waits, with the data in it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Piece {
    /// Start in seconds of waiting.
    from_s: f64,
    /// Callers who left in it.
    left: usize,
    /// Seconds waited in it by all callers together.
    exposure_s: f64,
}

impl Piece {
    /// The most likely hazard in it.
    fn level(&self) -> Level {
        let per_s = if self.exposure_s > 0.0 { self.left as f64 / self.exposure_s } else { 0.0 };
        Level { from_s: self.from_s, per_s }
    }

    /// Its part of the logarithm of the likelihood, Σ ln hazard − hazard · exposure at the most likely hazard.
    fn ln_likelihood(&self) -> f64 {
        if self.left == 0 { 0.0 } else { self.left as f64 * (self.level().per_s.ln() - 1.0) }
    }

    fn with(&self, next: &Self) -> Self {
        Self { from_s: self.from_s, left: self.left + next.left, exposure_s: self.exposure_s + next.exposure_s }
    }
}

/// A fitted hazard.
#[derive(Debug, Clone, PartialEq)]
pub enum Hazard {
    /// Exponential patience.
    Constant {
        /// Mean in seconds.
        mean_s: f64,
    },
    /// Weibull patience.
    Weibull {
        /// Shape.
        shape: f64,
        /// Scale in seconds.
        scale_s: f64,
    },
    /// Constant by pieces, by ascending start; the first is 0.
    Pieces(Vec<Level>),
}

impl Hazard {
    /// Name as in a scenario file.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Constant { .. } => "exponential",
            Self::Weibull { .. } => "weibull",
            Self::Pieces(_) => "hazard",
        }
    }

    /// The hazard summed from 0 to `wait_s`.
    #[must_use]
    pub fn cumulated(&self, wait_s: f64) -> f64 {
        match self {
            Self::Constant { mean_s } => wait_s / mean_s,
            Self::Weibull { shape, scale_s } => (wait_s / scale_s).powf(*shape),
            Self::Pieces(pieces) => pieces
                .iter()
                .enumerate()
                .map(|(i, piece)| {
                    let to = pieces.get(i + 1).map_or(f64::INFINITY, |next| next.from_s);
                    piece.per_s * (wait_s.min(to) - piece.from_s).max(0.0)
                })
                .sum(),
        }
    }

    /// The hazard at `wait_s`.
    fn at(&self, wait_s: f64) -> f64 {
        match self {
            Self::Constant { mean_s } => 1.0 / mean_s,
            Self::Weibull { shape, scale_s } => shape / scale_s * (wait_s / scale_s).powf(shape - 1.0),
            // A piece holds up to its end: waits are whole seconds, and the second that ends a piece is in it.
            Self::Pieces(pieces) => pieces.iter().rev().find(|p| p.from_s < wait_s).map_or(0.0, |p| p.per_s),
        }
    }

    /// The hazard multiplied by `factor` at every wait.
    #[must_use]
    pub fn times(&self, factor: f64) -> Self {
        match self {
            Self::Constant { mean_s } => Self::Constant { mean_s: mean_s / factor },
            Self::Weibull { shape, scale_s } => {
                Self::Weibull { shape: *shape, scale_s: scale_s * factor.powf(-1.0 / shape) }
            }
            Self::Pieces(pieces) => {
                Self::Pieces(pieces.iter().map(|p| Level { per_s: p.per_s * factor, ..*p }).collect())
            }
        }
    }
}

/// Where a hazard is from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Origin {
    /// Fitted to the callers themselves.
    Own,
    /// The hazard of all callers, as it is.
    All,
    /// The hazard of all callers times a factor, which alone is the group's own.
    AllTimes(f64),
}

/// A hazard with its likelihood.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The hazard.
    pub hazard: Hazard,
    /// Where it is from.
    pub origin: Origin,
    /// Free parameters; where pieces are chosen, each of their edges counts as one.
    pub parameters: usize,
    /// Logarithm of the censored likelihood.
    pub ln_likelihood: f64,
    /// Akaike's criterion.
    pub aic: f64,
    /// Schwarz's criterion, with the number of callers who left as n.
    pub bic: f64,
    /// Largest distance from the Kaplan–Meier estimate while at least 50 callers are at risk.
    pub distance: f64,
    /// χ² of callers who left against expected, and its probability, over 20 groups of waits.
    pub chi_square: (f64, usize, f64),
}

/// What a log tells about patience.
#[derive(Debug, Clone, PartialEq)]
pub struct PatienceFit {
    /// Callers who waited.
    pub n: usize,
    /// Of these, who left.
    pub left: usize,
    /// Mean wait ÷ share who left: the mean patience if the hazard were constant.
    pub simple_mean_s: f64,
    /// Kaplan–Meier.
    pub survival: Vec<Survival>,
    /// Hazards, the best by Schwarz's criterion first.
    pub candidates: Vec<Candidate>,
}

impl PatienceFit {
    /// Fits the callers who waited; `None` if nobody left.
    #[must_use]
    pub fn new(waited: &[Waited]) -> Option<Self> {
        Self::fit(waited, None)
    }

    /// Fits a group of callers, with the hazard of all of them beside its own laws; `None` if nobody of it left.
    #[must_use]
    pub fn of_group(waited: &[Waited], all: &Hazard) -> Option<Self> {
        Self::fit(waited, Some(all))
    }

    /// The best hazard.
    #[must_use]
    pub fn best(&self) -> &Candidate {
        &self.candidates[0]
    }

    /// The Kaplan–Meier share of callers whose patience is longer than `wait_s`.
    #[must_use]
    pub fn share_beyond(&self, wait_s: f64) -> f64 {
        self.survival.iter().rev().find(|s| s.wait_s <= wait_s).map_or(1.0, |s| s.share)
    }

    fn fit(waited: &[Waited], all: Option<&Hazard>) -> Option<Self> {
        let waited: Vec<Waited> = waited.iter().copied().filter(|w| w.wait_s > 0.0).collect();
        let left = waited.iter().filter(|w| w.left).count();
        if left == 0 {
            return None;
        }
        let survival = kaplan_meier(&waited);
        let total: f64 = waited.iter().map(|w| w.wait_s).sum();
        let shape = bisect(0.1, 20.0, |k| weibull_profile(&waited, k));
        let scale_s = (waited.iter().map(|w| w.wait_s.powf(shape)).sum::<f64>() / left as f64).powf(1.0 / shape);
        let mut hazards = vec![
            (Hazard::Constant { mean_s: total / left as f64 }, Origin::Own, 1),
            (Hazard::Weibull { shape, scale_s }, Origin::Own, 2),
        ];
        if all.is_none() || left >= LEAVERS_FOR_PIECES {
            let pieces = merge(first_pieces(&waited), left);
            let knots = 2 * pieces.len() - 1;
            hazards.push((Hazard::Pieces(pieces.iter().map(Piece::level).collect()), Origin::Own, knots));
        }
        if let Some(all) = all {
            // The most likely factor: who left ÷ who would have left with the hazard of all.
            let factor = left as f64 / waited.iter().map(|w| all.cumulated(w.wait_s)).sum::<f64>();
            hazards.push((all.clone(), Origin::All, 0));
            hazards.push((all.times(factor), Origin::AllTimes(factor), 1));
        }
        let mut candidates: Vec<Candidate> =
            hazards.into_iter().map(|(hazard, from, k)| judge(hazard, from, k, &waited, &survival, left)).collect();
        candidates.sort_by(|a, b| a.bic.total_cmp(&b.bic));
        Some(Self { n: waited.len(), left, simple_mean_s: total / left as f64, survival, candidates })
    }
}

/// Derivative of the Weibull's profile likelihood by its shape, divided by the number who left.
fn weibull_profile(waited: &[Waited], shape: f64) -> f64 {
    let (mut weighted, mut sum, mut logs, mut left) = (0.0, 0.0, 0.0, 0.0);
    for w in waited {
        let power = w.wait_s.powf(shape);
        weighted += power * w.wait_s.ln();
        sum += power;
        if w.left {
            logs += w.wait_s.ln();
            left += 1.0;
        }
    }
    1.0 / shape + logs / left - weighted / sum
}

/// Edges of the finest pieces: seconds, then longer as data thins.
fn edges() -> Vec<f64> {
    let steps = [(10, 1), (70, 2), (120, 5), (300, 15), (600, 60), (1800, 300)];
    let mut edges = vec![0];
    let mut at = 0;
    for (to, by) in steps {
        while at < to {
            at += by;
            edges.push(at);
        }
    }
    edges.into_iter().map(f64::from).collect()
}

fn first_pieces(waited: &[Waited]) -> Vec<Piece> {
    let edges = edges();
    let mut pieces: Vec<Piece> =
        edges.iter().map(|from_s| Piece { from_s: *from_s, left: 0, exposure_s: 0.0 }).collect();
    for w in waited {
        for (i, piece) in pieces.iter_mut().enumerate() {
            if w.wait_s <= piece.from_s {
                break;
            }
            let to = edges.get(i + 1).copied().unwrap_or(f64::INFINITY);
            piece.exposure_s += w.wait_s.min(to) - piece.from_s;
            if w.left && w.wait_s <= to {
                piece.left += 1;
            }
        }
    }
    while pieces.len() > 1 && pieces.last().is_some_and(|p| p.exposure_s == 0.0) {
        pieces.pop();
    }
    pieces
}

/// Merges neighbours, the least different first, until a merge would cost more likelihood than its edge and rate.
fn merge(mut pieces: Vec<Piece>, left: usize) -> Vec<Piece> {
    let penalty = (left as f64).ln();
    while pieces.len() > 1 {
        let cost = |i: usize| {
            let both = pieces[i].with(&pieces[i + 1]);
            pieces[i].ln_likelihood() + pieces[i + 1].ln_likelihood() - both.ln_likelihood()
        };
        let costs: Vec<f64> = (0..pieces.len() - 1).map(cost).collect();
        let least = (0..costs.len()).min_by(|a, b| costs[*a].total_cmp(&costs[*b])).unwrap_or(0);
        if costs[least] > penalty {
            break;
        }
        pieces[least] = pieces[least].with(&pieces[least + 1]);
        pieces.remove(least + 1);
    }
    // Nobody left in the last piece: its callers do not wait for ever.
    while let [.., before, last] = &mut pieces[..]
        && last.left == 0
    {
        *before = before.with(last);
        pieces.pop();
    }
    pieces
}

fn judge(
    hazard: Hazard,
    origin: Origin,
    parameters: usize,
    waited: &[Waited],
    survival: &[Survival],
    left: usize,
) -> Candidate {
    let mut ln_likelihood = 0.0;
    for w in waited {
        ln_likelihood -= hazard.cumulated(w.wait_s);
        if w.left {
            ln_likelihood += hazard.at(w.wait_s).ln();
        }
    }
    let k = parameters as f64;
    let distance = survival
        .iter()
        .filter(|s| s.at_risk >= 50)
        .map(|s| (s.share - (-hazard.cumulated(s.wait_s)).exp()).abs())
        .fold(0.0, f64::max);
    let chi_square = leavers_test(&hazard, waited, parameters);
    let n = (left as f64).ln();
    Candidate {
        parameters,
        ln_likelihood,
        aic: 2.0 * k - 2.0 * ln_likelihood,
        bic: n * k - 2.0 * ln_likelihood,
        distance,
        chi_square,
        origin,
        hazard,
    }
}

/// Callers who left against the sum of the hazard over all, in groups of waits that hold equally many leavers.
fn leavers_test(hazard: &Hazard, waited: &[Waited], parameters: usize) -> (f64, usize, f64) {
    let mut leavers: Vec<f64> = waited.iter().filter(|w| w.left).map(|w| w.wait_s).collect();
    leavers.sort_by(f64::total_cmp);
    let groups = 20.min(leavers.len() / 5).max(1);
    let mut bounds: Vec<f64> = (1..groups).map(|i| leavers[i * leavers.len() / groups]).collect();
    bounds.dedup();
    let mut chi = 0.0;
    let mut from = 0.0;
    for to in bounds.iter().copied().chain([f64::INFINITY]) {
        let seen = leavers.iter().filter(|w| **w > from && **w <= to).count() as f64;
        let expected: f64 =
            waited.iter().map(|w| hazard.cumulated(w.wait_s.min(to)) - hazard.cumulated(w.wait_s.min(from))).sum();
        if expected > 0.0 {
            chi += (seen - expected).powi(2) / expected;
        }
        from = to;
    }
    let freedom = (bounds.len() + 1).saturating_sub(parameters).max(1);
    (chi, freedom, chi_square_above(chi, freedom as f64))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distribution::Distribution;
    use crate::stream::{Draw as _, Kind, Purpose, Streams};

    /// Callers with the given patience who are answered after an exponential offered wait of 80 s.
    fn floor(patience: &Distribution, n: u64) -> Vec<Waited> {
        let streams = Streams::new(5, 0);
        (0..n)
            .map(|id| {
                let own = patience.sample(&mut streams.draws(Kind::Customer, id, Purpose::Patience));
                let offered = -80.0 * streams.draws(Kind::Customer, id, Purpose::Other).uniform_open().ln();
                Waited { wait_s: own.min(offered).max(1e-3), left: own <= offered }
            })
            .collect()
    }

    /// Five callers, one censored between: 1 → 4/5, 3 → 4/5 · 2/3, 5 → 0.
    #[test]
    fn kaplan_meier_by_hand() {
        let waits = [(1.0, true), (2.0, false), (3.0, true), (4.0, false), (5.0, true)];
        let waited = waits.map(|(wait_s, left)| Waited { wait_s, left });
        let shares: Vec<f64> = kaplan_meier(&waited).iter().map(|s| s.share).collect();
        assert_eq!(shares.len(), 3);
        for (found, right) in shares.iter().zip([0.8, 0.8 * 2.0 / 3.0, 0.0]) {
            assert!((found - right).abs() < 1e-12, "{shares:?}");
        }
    }

    #[test]
    fn censoring_does_not_shorten_exponential_patience() {
        let fit = PatienceFit::new(&floor(&Distribution::exponential(300.0).unwrap(), 20_000)).unwrap();
        let Hazard::Constant { mean_s } = fit.candidates[0].hazard else { panic!("{:?}", fit.candidates[0]) };
        assert!((mean_s - 300.0).abs() < 4.0 * 300.0 / (fit.left as f64).sqrt(), "{mean_s}");
        assert!(fit.candidates[0].chi_square.2 > 0.001);
    }

    /// A peak in the first seconds and one near 60 s are found where they are.
    #[test]
    fn peaks_of_the_hazard_are_found() {
        let starts = [0.0, 5.0, 55.0, 65.0];
        let truth = Distribution::piecewise_hazard(&starts, &[0.01, 0.002, 0.012, 0.002]).unwrap();
        let fit = PatienceFit::new(&floor(&truth, 30_000)).unwrap();
        let Hazard::Pieces(pieces) = &fit.candidates[0].hazard else { panic!("{:?}", fit.candidates[0].hazard) };
        let at = |wait: f64| pieces.iter().rev().find(|p| p.from_s <= wait).unwrap().per_s;
        for (wait, rate) in [(2.0, 0.01), (30.0, 0.002), (60.0, 0.012), (100.0, 0.002)] {
            assert!((at(wait) / rate - 1.0).abs() < 0.2, "{wait}: {} {pieces:?}", at(wait));
        }
    }

    /// Few callers twice as impatient as all, with peaks at the same waits: the factor is found and the peaks are kept.
    /// Few callers like all the others take the hazard of all.
    #[test]
    fn a_small_group_borrows_the_shape_of_all() {
        let truth = |by: f64| {
            let rates = [0.01, 0.002, 0.012, 0.002].map(|rate| rate * by);
            Distribution::piecewise_hazard(&[0.0, 5.0, 55.0, 65.0], &rates).unwrap()
        };
        let all = PatienceFit::new(&floor(&truth(1.0), 30_000)).unwrap();
        let all = &all.best().hazard;
        let twice = PatienceFit::of_group(&floor(&truth(2.0), 600), all).unwrap();
        let Origin::AllTimes(factor) = twice.best().origin else { panic!("{:?}", twice.candidates) };
        assert!((factor / 2.0 - 1.0).abs() < 4.0 / (twice.left as f64).sqrt(), "{factor}");
        assert!(twice.best().hazard.at(60.0) > 3.0 * twice.best().hazard.at(30.0));
        let same = PatienceFit::of_group(&floor(&truth(1.0), 600), all).unwrap();
        assert_eq!(same.best().origin, Origin::All, "{:?}", same.candidates);
        // Many callers with another shape have a law of their own.
        let other = PatienceFit::of_group(&floor(&Distribution::exponential(100.0).unwrap(), 5000), all).unwrap();
        assert_eq!((other.best().origin, other.best().hazard.name()), (Origin::Own, "exponential"));
    }

    /// One who waited long and was answered does not make the hazard end.
    #[test]
    fn the_last_piece_has_leavers() {
        let mut waited = floor(&Distribution::exponential(60.0).unwrap(), 2000);
        waited.extend((0..20).map(|i| Waited { wait_s: 1500.0 + f64::from(i), left: false }));
        let fit = PatienceFit::new(&waited).unwrap();
        let pieces = fit.candidates.iter().find_map(|c| match &c.hazard {
            Hazard::Pieces(pieces) => Some(pieces),
            _ => None,
        });
        assert!(pieces.unwrap().last().unwrap().per_s > 0.0, "{pieces:?}");
    }
}
