//! M/M/n+G: callers abandon after a patience of any distribution, by the Baccelli–Hebuterne integrals.
//!
//! With λ the arrival rate, μ the rate of one operator, S the patience's survival function and H its integral from 0,
//! the wait that a call would be offered has density `λ π exp(λ H(x) − n μ x)` for x > 0, where π is the probability
//! of n − 1 calls in the system. Every figure is an integral of that density. Its logarithm is concave, which bounds
//! where it matters; the states below n come from Erlang B.
//!
//! Source: F. Baccelli and G. Hebuterne, "On queues with impatient customers", 1981; A. Mandelbaum and S. Zeltyn,
//! "Staffing many-server queues with impatient customers", 2009.

use callfloor_scenario::Distribution;

use super::erlang_b::inverse_blocking;
use super::error::{not_negative, positive, share_below_one};
use super::quadrature::{Panel, integrate};
use super::special::{lower_gamma_2_3, normal_cdf};
use super::{Demand, Figures, Outcomes, TheoryError, Thresholds};
use crate::incomplete_gamma::incomplete_gamma;

/// How long callers are willing to wait. All times in seconds.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Patience {
    /// Memoryless.
    Exponential {
        /// Mean.
        mean_s: f64,
    },
    /// Gamma; with a whole shape k it is Erlang-k.
    Gamma {
        /// Shape, above 0: 1 is exponential, more is steadier.
        shape: f64,
        /// Mean.
        mean_s: f64,
    },
    /// The logarithm is normal.
    Lognormal {
        /// Mean of the patience itself, not of its logarithm.
        mean_s: f64,
        /// Squared coefficient of variation: variance ÷ mean².
        scv: f64,
    },
    /// Hazard proportional to a power of the wait.
    Weibull {
        /// Shape, above 0: below 1 the hazard falls with the wait.
        shape: f64,
        /// Scale: 63.2 % have left by then.
        scale_s: f64,
    },
    /// A mixture of exponentials.
    Hyperexponential {
        /// Its parts; their shares sum to 1.
        branches: Vec<Branch>,
    },
    /// Uniform between two limits.
    Uniform {
        /// The least patience.
        low_s: f64,
        /// The greatest.
        high_s: f64,
    },
    /// A constant hazard by pieces, as a fit to a call log gives it.
    Hazard {
        /// Pieces, the first from 0, ascending; the last has no end and a rate above 0.
        pieces: Vec<HazardPiece>,
    },
    /// Everybody leaves after the same wait.
    Constant {
        /// That wait.
        wait_s: f64,
    },
    /// Some leave at once when they cannot be answered at once; the others have a patience of their own.
    Balking {
        /// Share that leaves at once, in [0, 1).
        share: f64,
        /// The patience of those who join.
        others: Box<Self>,
    },
}

/// A part of a mixture of exponentials.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Branch {
    /// Its share of the callers, in [0, 1].
    pub share: f64,
    /// Its mean in seconds.
    pub mean_s: f64,
}

/// A piece of constant hazard.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HazardPiece {
    /// Where it starts, in seconds of waiting.
    pub from_s: f64,
    /// Rate at which those still waiting leave, per second.
    pub per_s: f64,
}

/// The steady state of M/M/n+G.
///
/// # Errors
/// No operators, a negative threshold, or a parameter of the patience out of its range.
pub fn figures(
    demand: Demand,
    patience: &Patience,
    operators: u32,
    thresholds: Thresholds,
) -> Result<Figures, TheoryError> {
    let thresholds = thresholds.checked()?;
    patience.check()?;
    if operators == 0 {
        return Err(TheoryError::NoOperators);
    }
    Ok(match patience {
        // The common case by itself, so that the integrand is compiled for it.
        Patience::Exponential { mean_s } => solve(
            demand,
            patience,
            operators,
            thresholds,
            |x| exponential_at(*mean_s, x),
            |peak, _| {
                let at_peak = (-peak / mean_s).exp();
                move |x, here| {
                    let left = if peak > 0.0 { -(-(x - peak) / mean_s).exp_m1() } else { here.cdf };
                    mean_s * at_peak * left
                }
            },
        ),
        _ => solve(
            demand,
            patience,
            operators,
            thresholds,
            |x| patience.at(x),
            |peak, at_peak| {
                let held = at_peak.held(peak);
                move |x, here| here.held(x) - held
            },
        ),
    })
}

/// What a distribution of patience is at one wait x.
#[derive(Clone, Copy, Debug, Default)]
struct At {
    /// P(T > x).
    survival: f64,
    /// P(T ≤ x), not by subtraction from 1 where that would cancel.
    cdf: f64,
    /// E[T; T ≤ x] in seconds.
    first: f64,
    /// E[T²; T ≤ x] in square seconds.
    second: f64,
}

impl Patience {
    /// The patience of a scenario's class: its distribution, and the share who balk.
    ///
    /// `None` where theory has no such patience: callers who never leave, and lists of observed values.
    #[must_use]
    pub fn of(distribution: &Distribution, balking: f64) -> Option<Self> {
        let others = match distribution {
            Distribution::Constant { value_s } => Self::Constant { wait_s: *value_s },
            Distribution::Uniform { low_s, high_s } => Self::Uniform { low_s: *low_s, high_s: *high_s },
            Distribution::Exponential { mean_s } => Self::Exponential { mean_s: *mean_s },
            Distribution::Lognormal { sigma, .. } => {
                Self::Lognormal { mean_s: distribution.mean_s(), scv: (sigma * sigma).exp_m1() }
            }
            Distribution::Gamma { shape, .. } => Self::Gamma { shape: *shape, mean_s: distribution.mean_s() },
            Distribution::Weibull { shape, scale_s } => Self::Weibull { shape: *shape, scale_s: *scale_s },
            Distribution::Hyperexponential { branches } => Self::Hyperexponential {
                branches: branches.iter().map(|b| Branch { share: b.weight, mean_s: b.mean_s }).collect(),
            },
            Distribution::Hazard { pieces } => Self::Hazard {
                pieces: pieces.iter().map(|p| HazardPiece { from_s: p.from_s, per_s: p.per_s }).collect(),
            },
            _ => return None,
        };
        let patience = if balking > 0.0 { Self::Balking { share: balking, others: Box::new(others) } } else { others };
        patience.check().is_ok().then_some(patience)
    }

    /// Refuses parameters out of their range.
    ///
    /// # Errors
    /// Names the parameter, what was found and what would be right.
    pub fn check(&self) -> Result<(), TheoryError> {
        match self {
            Self::Exponential { mean_s } => positive("mean patience in seconds", *mean_s)?,
            Self::Gamma { shape, mean_s } => {
                positive("the patience's gamma shape", *shape)?;
                positive("mean patience in seconds", *mean_s)?
            }
            Self::Lognormal { mean_s, scv } => {
                positive("mean patience in seconds", *mean_s)?;
                positive("the patience's squared coefficient of variation", *scv)?
            }
            Self::Weibull { shape, scale_s } => {
                positive("the patience's Weibull shape", *shape)?;
                positive("the patience's Weibull scale in seconds", *scale_s)?
            }
            Self::Hyperexponential { branches } => {
                let mut sum = 0.0;
                for branch in branches {
                    positive("mean patience in seconds", branch.mean_s)?;
                    sum += not_negative("the share of a part of the patience", branch.share)?;
                }
                if (sum - 1.0).abs() > 1e-9 {
                    return Err(TheoryError::OutOfRange {
                        what: "the sum of the shares of the patience's parts",
                        found: sum,
                        right: "1",
                    });
                }
                sum
            }
            Self::Uniform { low_s, high_s } => {
                not_negative("the least patience in seconds", *low_s)?;
                positive("the greatest patience less the least, in seconds", high_s - low_s)?
            }
            Self::Hazard { pieces } => {
                let (mut from_s, mut last) = (0.0, 0.0);
                for (i, piece) in pieces.iter().enumerate() {
                    if !(piece.from_s.is_finite() && if i == 0 { piece.from_s == 0.0 } else { piece.from_s > from_s }) {
                        return Err(TheoryError::OutOfRange {
                            what: "the start of a piece of the patience's hazard in seconds",
                            found: piece.from_s,
                            right: "0 for the first piece, and greater than the one before for the others",
                        });
                    }
                    from_s = piece.from_s;
                    last = not_negative("a rate of the patience's hazard per second", piece.per_s)?;
                }
                positive("the last rate of the patience's hazard per second", last)?
            }
            Self::Constant { wait_s } => positive("patience in seconds", *wait_s)?,
            Self::Balking { share, others } => {
                share_below_one("the share of callers who balk", *share)?;
                return others.check();
            }
        };
        Ok(())
    }

    fn at(&self, x: f64) -> At {
        match self {
            Self::Exponential { mean_s } => exponential_at(*mean_s, x),
            Self::Gamma { shape, mean_s } => {
                let z = x * shape / mean_s;
                let (cdf, survival) = incomplete_gamma(*shape, z);
                let square = mean_s * mean_s * (1.0 + 1.0 / shape);
                At {
                    survival,
                    cdf,
                    first: mean_s * incomplete_gamma(shape + 1.0, z).0,
                    second: square * incomplete_gamma(shape + 2.0, z).0,
                }
            }
            Self::Lognormal { mean_s, scv } => {
                let variance = scv.ln_1p();
                let sigma = variance.sqrt();
                let z = ((x / mean_s).ln() + variance / 2.0) / sigma;
                At {
                    survival: normal_cdf(-z),
                    cdf: normal_cdf(z),
                    first: mean_s * normal_cdf(z - sigma),
                    second: mean_s * mean_s * (1.0 + scv) * normal_cdf(z - 2.0 * sigma),
                }
            }
            Self::Weibull { shape, scale_s } => {
                let z = (x / scale_s).powf(*shape);
                let power = 1.0 / shape;
                At {
                    survival: (-z).exp(),
                    cdf: -(-z).exp_m1(),
                    first: scale_s * libm::tgamma(1.0 + power) * incomplete_gamma(1.0 + power, z).0,
                    second: scale_s
                        * scale_s
                        * libm::tgamma(1.0 + 2.0 * power)
                        * incomplete_gamma(1.0 + 2.0 * power, z).0,
                }
            }
            Self::Hyperexponential { branches } => {
                let mut sum = At::default();
                for branch in branches {
                    sum = sum.plus(branch.share, exponential_at(branch.mean_s, x));
                }
                sum
            }
            Self::Uniform { low_s, high_s } => {
                let width = high_s - low_s;
                let reached = x.clamp(*low_s, *high_s);
                let within = reached - low_s;
                At {
                    survival: (high_s - reached) / width,
                    cdf: within / width,
                    first: within * f64::midpoint(reached, *low_s) / width,
                    second: within * (reached * reached + reached * low_s + low_s * low_s) / (3.0 * width),
                }
            }
            Self::Hazard { pieces } => hazard_at(pieces, x),
            Self::Constant { wait_s } if x >= *wait_s => {
                At { survival: 0.0, cdf: 1.0, first: *wait_s, second: wait_s * wait_s }
            }
            Self::Constant { .. } => At { survival: 1.0, ..At::default() },
            Self::Balking { share, others } => {
                // Those who balk wait for 0 s.
                At { cdf: *share, ..At::default() }.plus(1.0 - share, others.at(x))
            }
        }
    }

    /// Where the distribution function has a kink, a step, or changes its pace.
    ///
    /// The integrals begin with panels that end here: a rise much narrower than a panel, at its end, could fall between
    /// the nodes.
    fn landmarks(&self, list: &mut Vec<f64>) {
        const SPREAD: [f64; 9] = [-8.0, -6.0, -4.0, -2.0, 0.0, 2.0, 4.0, 6.0, 8.0];
        match self {
            Self::Exponential { mean_s } => list.extend([*mean_s, 8.0 * mean_s]),
            Self::Gamma { shape, mean_s } => {
                let cv = shape.sqrt().recip();
                list.extend(SPREAD.map(|z| mean_s * (1.0 + z * cv)));
                list.extend([0.25 * mean_s, *mean_s]);
            }
            Self::Lognormal { mean_s, scv } => {
                let variance = scv.ln_1p();
                let (centre, sigma) = (mean_s.ln() - variance / 2.0, variance.sqrt());
                list.extend(SPREAD.map(|z| (centre + z * sigma).exp()));
            }
            // Its logarithm is spread by 1 ÷ shape.
            Self::Weibull { shape, scale_s } => {
                let tails = [-24.0, -12.0, -6.0, -3.0, -1.0, 0.0, 0.5, 1.5, 3.0];
                list.extend(tails.map(|z| scale_s * (z / shape).exp()));
            }
            Self::Hyperexponential { branches } => {
                for branch in branches {
                    list.extend([branch.mean_s, 8.0 * branch.mean_s]);
                }
            }
            Self::Uniform { low_s, high_s } => list.extend([*low_s, *high_s]),
            Self::Hazard { pieces } => {
                list.extend(pieces.iter().map(|piece| piece.from_s));
                list.extend(pieces.last().map(|last| last.from_s + 8.0 / last.per_s));
            }
            Self::Constant { wait_s } => list.push(*wait_s),
            Self::Balking { others, .. } => others.landmarks(list),
        }
    }
}

impl At {
    /// H(x), the integral of the survival function up to x, which this is the distribution at.
    fn held(&self, x: f64) -> f64 {
        self.first + x * self.survival
    }

    fn plus(self, share: f64, other: Self) -> Self {
        Self {
            survival: self.survival + share * other.survival,
            cdf: self.cdf + share * other.cdf,
            first: self.first + share * other.first,
            second: self.second + share * other.second,
        }
    }
}

#[inline]
fn exponential_at(mean_s: f64, x: f64) -> At {
    let y = x / mean_s;
    // e^−y and 1 − e^−y from one call, each without cancelling.
    let minus_cdf = (-y).exp_m1();
    let survival = if y < 1.0 { 1.0 + minus_cdf } else { (-y).exp() };
    let (second, third) = lower_gamma_2_3(y, survival);
    At { survival, cdf: -minus_cdf, first: mean_s * second, second: 2.0 * mean_s * mean_s * third }
}

fn hazard_at(pieces: &[HazardPiece], x: f64) -> At {
    let mut sum = At { survival: 1.0, ..At::default() };
    for (i, piece) in pieces.iter().enumerate().take_while(|(_, piece)| piece.from_s < x) {
        let HazardPiece { from_s, per_s } = *piece;
        if per_s == 0.0 {
            continue;
        }
        let to_s = pieces.get(i + 1).map_or(x, |next| next.from_s.min(x));
        // Those who leave in this piece leave at its start plus an exponential time.
        let within = exponential_at(1.0 / per_s, to_s - from_s);
        let there = sum.survival;
        sum.cdf += there * within.cdf;
        sum.first += there * (from_s * within.cdf + within.first);
        sum.second += there * (from_s * from_s * within.cdf + 2.0 * from_s * within.first + within.second);
        sum.survival = there * within.survival;
    }
    sum
}

/// The density's logarithm falls by this much from its peak to where the integrals are cut: e^−60 is 10^−26.
const DROP: f64 = 60.0;

/// The figures, given the patience at a wait and, from the peak of the density and the patience there, a function for
/// H(x) − H(peak), which in a great overload is much smaller than either.
fn solve<G: Fn(f64, &At) -> f64>(
    demand: Demand,
    patience: &Patience,
    operators: u32,
    thresholds: Thresholds,
    at: impl Fn(f64) -> At,
    held_from: impl FnOnce(f64, At) -> G,
) -> Figures {
    let rate = demand.arrivals_per_s();
    let departures = f64::from(operators) / demand.handle_s();

    // The peak is where as many are served as stay: λ S(x) = n μ.
    let scale = 1.0 / departures;
    let grows = |x: f64| rate * at(x).survival > departures;
    let peak = if grows(scale * 1e-9) { last_true(scale, 1e-6, grows) } else { 0.0 };
    let at_peak = at(peak);
    let top = if peak > 0.0 { rate * at_peak.held(peak) - departures * peak } else { 0.0 };
    let held = held_from(peak, at_peak);
    // The density's logarithm, 0 at the peak.
    let fall = |x: f64, here: &At| rate * held(x, here) - departures * (x - peak);
    let near_peak = |x: f64| fall(x, &at(x)) > -DROP;
    let end = peak + last_true(scale, 1e-3, |dx| near_peak(peak + dx));
    let start = if peak > 0.0 && top > DROP {
        (peak - last_true(scale, 1e-3, |dx| dx < peak && near_peak(peak - dx))).max(0.0)
    } else {
        0.0
    };

    // Buckets: up to the smaller threshold, up to the larger, beyond.
    let Thresholds { target_s, short_abandon_s } = thresholds;
    let (near, far) = (target_s.min(short_abandon_s), target_s.max(short_abandon_s));
    let mut ends = vec![start, peak, end, near, far];
    for share in [1.0 / 16.0, 0.25] {
        ends.push(peak + share * (end - peak));
        ends.push(peak - share * (peak - start));
    }
    patience.landmarks(&mut ends);
    ends.retain(|x| (start..=end).contains(x));
    ends.sort_by(f64::total_cmp);
    ends.dedup();
    let panels: Vec<_> = ends
        .windows(2)
        .map(|pair| Panel {
            from: pair[0],
            to: pair[1],
            bucket: usize::from(pair[0] >= near) + usize::from(pair[0] >= far),
        })
        .collect();

    let buckets: [[f64; 7]; 3] = integrate(&panels, |x| {
        let here = at(x);
        let weight = fall(x, &here).exp();
        let served = weight * here.survival;
        [weight, weight * here.cdf, served, served * x, served * x * x, weight * here.first, weight * here.second]
    });
    let up_to =
        |limit: usize, component: usize| -> f64 { buckets[..limit].iter().map(|bucket| bucket[component]).sum() };
    let all = |component| up_to(3, component);

    // π_{n−1} ÷ (its share of the states below n) weighs the density against the states in which nobody waits.
    let below = inverse_blocking(demand.offered_load_erl(), operators - 1) * (-top).exp();
    let above = rate * all(0);
    let p_wait = above / (below + above);
    let p_no_wait = if below.is_finite() { below / (below + above) } else { 1.0 };
    let per_density = if below.is_finite() { rate / (below + above) } else { 0.0 };

    let abandoned_by = |limit_s: f64| {
        let limit = if limit_s <= near { 1 } else { 2 };
        let beyond = buckets[limit..].iter().map(|bucket| bucket[0]).sum::<f64>();
        per_density * (up_to(limit, 1) + at(limit_s).cdf * beyond)
    };
    let answered_in_time = if target_s <= near { up_to(1, 2) } else { up_to(2, 2) };
    let outcomes = Outcomes {
        answered: p_no_wait + per_density * all(2),
        answered_in_time: p_no_wait + per_density * answered_in_time,
        abandoned: per_density * all(1),
        abandoned_in_time: abandoned_by(target_s),
        abandoned_short: abandoned_by(short_abandon_s),
        wait_answered_s: per_density * all(3),
        wait_answered_s2: per_density * all(4),
        wait_abandoned_s: per_density * all(5),
        wait_abandoned_s2: per_density * all(6),
    };
    Figures::of_queue(demand, operators, 0.0, p_wait, outcomes)
}

/// The largest x for which `holds`, which is true up to some x > 0 and false beyond it, within a share of itself.
fn last_true(scale: f64, within: f64, holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, scale);
    while holds(high) {
        low = high;
        high *= 2.0;
    }
    while high - low > within * high {
        let middle = f64::midpoint(low, high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    // Outside rather than inside: what is cut off must be negligible.
    high
}
