//! Standard exponential and normal numbers by the ziggurat method: fast, exact in distribution, and the same bits everywhere.
//!
//! Source: G. Marsaglia and W. W. Tsang, "The ziggurat method for generating random variables", Journal of Statistical
//! Software 5(8), 2000, with 256 layers and 53-bit positions, the layer and the position from disjoint bits of one word
//! (J. A. Doornik, "An improved ziggurat method to generate normal random samples", 2005). The tables and the rare slow
//! path use the pinned `libm`, never the platform's.

use crate::stream::Draw;
use std::sync::LazyLock;

/// Layers of a ziggurat.
const LAYERS: usize = 256;
/// 2⁻⁵³: the width of a position's last bit.
const LAST_BIT: f64 = 1.0 / 9_007_199_254_740_992.0;

/// Right edges, heights and scales of the layers, the base first.
#[derive(Debug)]
struct Table {
    x: [f64; LAYERS + 1],
    f: [f64; LAYERS + 1],
    scale: [f64; LAYERS],
}

/// Start of the exponential's tail, and the area of a layer.
const EXPONENTIAL: (f64, f64) = (7.697_117_470_131_05, 0.003_949_659_822_581_557);
/// Start of the normal's tail, and the area of a layer (of the half curve exp(−x²/2)).
const NORMAL: (f64, f64) = (3.654_152_885_361_009, 0.004_928_673_233_974_655);

static EXPONENTIAL_TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::new(EXPONENTIAL, |x| libm::exp(-x), |y| -libm::log(y)));
static NORMAL_TABLE: LazyLock<Table> =
    LazyLock::new(|| Table::new(NORMAL, |x| libm::exp(-0.5 * x * x), |y| libm::sqrt(-2.0 * libm::log(y))));

impl Table {
    /// The table of the falling curve `f` with inverse `inverse`, given (start of tail, area of a layer).
    fn new((tail, area): (f64, f64), f: fn(f64) -> f64, inverse: fn(f64) -> f64) -> Self {
        let mut x = [0.0; LAYERS + 1];
        x[0] = area / f(tail);
        x[1] = tail;
        for i in 2..LAYERS {
            x[i] = inverse(area / x[i - 1] + f(x[i - 1]));
        }
        let mut height = x.map(f);
        height[0] = 0.0;
        let mut scale = [0.0; LAYERS];
        for (scale, edge) in scale.iter_mut().zip(x) {
            *scale = edge * LAST_BIT;
        }
        Self { x, f: height, scale }
    }
}

/// Exponential with mean 1.
#[inline]
pub fn exponential(draw: &mut impl Draw) -> f64 {
    let table = &*EXPONENTIAL_TABLE;
    let word = draw.next_u64();
    let layer = (word & 255) as usize;
    let x = (word >> 11) as f64 * table.scale[layer];
    if x < table.x[layer + 1] {
        return x;
    }
    exponential_slow(table, layer, x, draw)
}

#[cold]
#[inline(never)]
fn exponential_slow(table: &Table, mut layer: usize, mut x: f64, draw: &mut impl Draw) -> f64 {
    let mut beyond = 0.0;
    loop {
        if layer == 0 {
            // Without memory: the tail is the whole curve again, further right.
            beyond += EXPONENTIAL.0;
        } else {
            let y = table.f[layer] + draw.uniform() * (table.f[layer + 1] - table.f[layer]);
            if y < libm::exp(-x) {
                return beyond + x;
            }
        }
        let word = draw.next_u64();
        layer = (word & 255) as usize;
        x = (word >> 11) as f64 * table.scale[layer];
        if x < table.x[layer + 1] {
            return beyond + x;
        }
    }
}

/// Normal with mean 0 and variance 1.
#[inline]
pub fn normal(draw: &mut impl Draw) -> f64 {
    let table = &*NORMAL_TABLE;
    loop {
        let word = draw.next_u64();
        let layer = (word & 255) as usize;
        let sign = if word & 256 == 0 { 1.0 } else { -1.0 };
        let x = (word >> 11) as f64 * table.scale[layer];
        if x < table.x[layer + 1] {
            return sign * x;
        }
        if let Some(x) = normal_slow(table, layer, x, draw) {
            return sign * x;
        }
    }
}

#[cold]
#[inline(never)]
fn normal_slow(table: &Table, layer: usize, x: f64, draw: &mut impl Draw) -> Option<f64> {
    if layer == 0 {
        // G. Marsaglia, "Generating a variable from the tail of the normal distribution", Technometrics 6, 1964.
        loop {
            let beyond = -libm::log(draw.uniform_open()) / NORMAL.0;
            if -2.0 * libm::log(draw.uniform_open()) > beyond * beyond {
                return Some(NORMAL.0 + beyond);
            }
        }
    }
    let y = table.f[layer] + draw.uniform() * (table.f[layer + 1] - table.f[layer]);
    (y < libm::exp(-0.5 * x * x)).then_some(x)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stream::{Kind, Purpose, Streams};

    #[test]
    fn layers_have_equal_areas_and_close_at_the_top() {
        for (table, (tail, area)) in [(&*EXPONENTIAL_TABLE, EXPONENTIAL), (&*NORMAL_TABLE, NORMAL)] {
            assert_eq!(table.x[1], tail);
            for i in 1..LAYERS {
                let layer = table.x[i] * (table.f[i + 1] - table.f[i]);
                assert!((layer / area - 1.0).abs() < 1e-9, "layer {i}: {layer} for {area}");
            }
        }
    }

    /// Moments of 4 million numbers: each within 4.5 standard errors, tails included.
    #[test]
    fn moments_and_tails() {
        let streams = Streams::new(2, 0);
        let n = 4_000_000;
        let (mut e1, mut e2, mut e_tail) = (0.0, 0.0, 0.0);
        let (mut z1, mut z2, mut z4, mut z_tail) = (0.0, 0.0, 0.0, 0.0);
        for id in 0..n {
            let e = exponential(&mut streams.draws(Kind::Other, id, Purpose::Patience));
            e1 += e;
            e2 += e * e;
            e_tail += f64::from(e > 8.0);
            let z = normal(&mut streams.draws(Kind::Other, id, Purpose::Talk));
            z1 += z;
            z2 += z * z;
            z4 += z.powi(4);
            z_tail += f64::from(z > 3.7);
        }
        let n = n as f64;
        let within = |what: &str, sum: f64, mean: f64, variance: f64| {
            let error = (sum / n - mean) / (variance / n).sqrt();
            assert!(error.abs() < 4.5, "{what}: {error} standard errors from {mean}");
        };
        within("E[X]", e1, 1.0, 1.0);
        within("E[X²]", e2, 2.0, 20.0);
        within("P(X > 8)", e_tail, (-8.0_f64).exp(), (-8.0_f64).exp());
        within("E[Z]", z1, 0.0, 1.0);
        within("E[Z²]", z2, 1.0, 2.0);
        within("E[Z⁴]", z4, 3.0, 96.0);
        within("P(Z > 3.7)", z_tail, 1.077_997_334_773_883_4e-4, 1.078e-4);
    }
}
