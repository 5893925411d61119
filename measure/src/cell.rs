//! One queue or group in one interval over all replications: sums, and sums of products, so that a ratio keeps its interval
//! without keeping every replication's cell.

use serde::{Deserialize, Serialize};

use crate::metric::{Fraction, sum};
use crate::{Counts, Estimate, Metric, Primitive, Ratio, StaffTimes};

/// The primitives whose products are summed over replications for every interval of a queue.
const CALL_MOMENTS: [Primitive; 11] = [
    Primitive::LevelMet,
    Primitive::LevelOf,
    Primitive::Offered,
    Primitive::Answered,
    Primitive::AnsweredInTime,
    Primitive::Abandoned,
    Primitive::AbandonedInTime,
    Primitive::AbandonedShort,
    Primitive::FlowedOut,
    Primitive::WaitAnswered,
    Primitive::Handle,
];
const CALL_PRODUCTS: usize = CALL_MOMENTS.len() * (CALL_MOMENTS.len() + 1) / 2;
/// The same for a group.
const STAFF_MOMENTS: [Primitive; 3] = [Primitive::Busy, Primitive::Ready, Primitive::Paid];
const STAFF_PRODUCTS: usize = STAFF_MOMENTS.len() * (STAFF_MOMENTS.len() + 1) / 2;
/// Memory of a cell of each kind, with what it points at.
pub(crate) const CALL_BYTES: usize = size_of::<CallCell>() + size_of::<[u128; CALL_PRODUCTS]>();
pub(crate) const STAFF_BYTES: usize = size_of::<StaffCell>() + size_of::<[u128; STAFF_PRODUCTS]>();

/// A queue in an interval over all replications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CallCell {
    pub(crate) counts: Counts,
    /// Replications in which the interval's service level exists, and those in which it reached its target.
    pub(crate) judged: u32,
    pub(crate) met: u32,
    #[serde(with = "wide")]
    products: Box<[u128; CALL_PRODUCTS]>,
}

/// A group in an interval over all replications.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StaffCell {
    pub(crate) times: StaffTimes,
    #[serde(with = "wide")]
    products: Box<[u128; STAFF_PRODUCTS]>,
}

impl CallCell {
    pub(crate) fn new() -> Self {
        Self { counts: Counts::default(), judged: 0, met: 0, products: Box::new([0; CALL_PRODUCTS]) }
    }

    /// Adds one replication.
    pub(crate) fn add(&mut self, counts: &Counts, target: Option<f64>) {
        self.counts += counts;
        add_products(&mut *self.products, CALL_MOMENTS.map(|primitive| counts.get(primitive)));
        if let Some(met) = target.and_then(|target| met(counts, target)) {
            self.judged += 1;
            self.met += u32::from(met);
        }
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.counts += &other.counts;
        self.judged = self.judged.saturating_add(other.judged);
        self.met = self.met.saturating_add(other.met);
        add_all(&mut *self.products, &*other.products);
    }

    /// A ratio over `n` replications, each `elapsed_us` long.
    pub(crate) fn estimate(&self, fraction: Fraction, n: u64, elapsed_us: u64, level: f64) -> Option<Estimate> {
        let get = |primitive| {
            constant(primitive, elapsed_us).map_or_else(|| self.counts.get(primitive), |each| each.saturating_mul(n))
        };
        Moments { primitives: &CALL_MOMENTS, products: &*self.products, get: &get, n, elapsed: elapsed_us }
            .estimate(fraction, level)
    }
}

impl StaffCell {
    pub(crate) fn new() -> Self {
        Self { times: StaffTimes::default(), products: Box::new([0; STAFF_PRODUCTS]) }
    }

    /// Adds one replication.
    pub(crate) fn add(&mut self, times: &StaffTimes) {
        self.times += times;
        add_products(&mut *self.products, STAFF_MOMENTS.map(|primitive| times.get(primitive)));
    }

    pub(crate) fn merge(&mut self, other: &Self) {
        self.times += &other.times;
        add_all(&mut *self.products, &*other.products);
    }

    /// A ratio over `n` replications, each `elapsed_us` long.
    pub(crate) fn estimate(&self, fraction: Fraction, n: u64, elapsed_us: u64, level: f64) -> Option<Estimate> {
        let get = |primitive| {
            constant(primitive, elapsed_us).map_or_else(|| self.times.get(primitive), |each| each.saturating_mul(n))
        };
        Moments { primitives: &STAFF_MOMENTS, products: &*self.products, get: &get, n, elapsed: elapsed_us }
            .estimate(fraction, level)
    }
}

/// Sums of products over replications, and the ratios that they give an interval to.
struct Moments<'a> {
    primitives: &'a [Primitive],
    products: &'a [u128],
    get: &'a dyn Fn(Primitive) -> u64,
    n: u64,
    elapsed: u64,
}

impl Moments<'_> {
    fn estimate(&self, fraction: Fraction, level: f64) -> Option<Estimate> {
        let (x, y) = (sum(fraction.over, self.get) as f64, sum(fraction.under, self.get) as f64);
        let kept = |terms: &[(Primitive, i64)]| {
            terms.iter().all(|term| self.primitives.contains(&term.0) || constant(term.0, 0).is_some())
        };
        if !kept(fraction.over) || !kept(fraction.under) {
            return (y != 0.0).then(|| Estimate { value: x / y, interval: None, replications: self.n });
        }
        let product = |a: &[(Primitive, i64)], b: &[(Primitive, i64)]| {
            let mut total = 0.0;
            for &(p, p_factor) in a {
                for &(q, q_factor) in b {
                    total += (p_factor * q_factor) as f64 * self.product(p, q);
                }
            }
            total
        };
        let (over, under) = (fraction.over, fraction.under);
        Ratio { n: self.n, x, y, xx: product(over, over), xy: product(over, under), yy: product(under, under) }
            .estimate(level)
    }

    /// Σ p·q over replications.
    fn product(&self, p: Primitive, q: Primitive) -> f64 {
        match (constant(p, self.elapsed), constant(q, self.elapsed)) {
            (Some(p), Some(q)) => p as f64 * q as f64 * self.n as f64,
            (Some(p), None) => p as f64 * (self.get)(q) as f64,
            (None, Some(q)) => q as f64 * (self.get)(p) as f64,
            (None, None) => {
                let place = |wanted| self.primitives.iter().position(|p| *p == wanted).expect("`kept` saw it");
                let (a, b) = (place(p), place(q));
                let (low, high) = (a.min(b), a.max(b));
                self.products[high * (high + 1) / 2 + low] as f64
            }
        }
    }
}

/// The value of a primitive that is the same in every replication.
pub(crate) const fn constant(primitive: Primitive, elapsed: u64) -> Option<u64> {
    match primitive {
        Primitive::Elapsed => Some(elapsed),
        Primitive::Replication => Some(1),
        _ => None,
    }
}

/// Products in the order (0,0), (1,0), (1,1), (2,0), …
fn add_products<const N: usize>(products: &mut [u128], values: [u64; N]) {
    let mut place = 0;
    for high in 0..N {
        for low in 0..=high {
            products[place] += u128::from(values[high]) * u128::from(values[low]);
            place += 1;
        }
    }
}

fn add_all(sums: &mut [u128], values: &[u128]) {
    for (sum, value) in sums.iter_mut().zip(values) {
        *sum = sum.saturating_add(*value);
    }
}

/// Whether the service level reached `target`; `None` where it does not exist.
pub(crate) fn met(counts: &Counts, target: f64) -> Option<bool> {
    Metric::ServiceLevel.of(counts, &StaffTimes::default()).map(|level| level >= target)
}

/// Sums above 2^64 as decimal strings: JSON readers lose digits of long numbers.
mod wide {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer, const N: usize>(
        values: &[u128; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let words: Vec<String> = values.iter().map(u128::to_string).collect();
        serializer.serialize_str(&words.join(" "))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<Box<[u128; N]>, D::Error> {
        let text = String::deserialize(deserializer)?;
        let values: Result<Vec<u128>, _> = text.split(' ').map(str::parse).collect();
        let values =
            values.map_err(|error| D::Error::custom(format!("sums of products must be whole numbers: {error}")))?;
        <Box<[u128; N]>>::try_from(values.into_boxed_slice()).map_err(|values| {
            D::Error::custom(format!("{N} sums of products belong to a cell, found {}", values.len()))
        })
    }
}
