//! Adaptive Gauss–Kronrod quadrature of several positive functions at the same nodes.

/// The 21-point Kronrod nodes in (0, 1], symmetric about 0; every second one is a node of the 10-point Gauss rule.
/// Source: QUADPACK, routine QK21.
const NODE: [f64; 10] = [
    0.9956571630258081,
    0.9739065285171717,
    0.9301574913557082,
    0.8650633666889845,
    0.7808177265864169,
    0.6794095682990244,
    0.5627571346686047,
    0.4333953941292472,
    0.2943928627014602,
    0.14887433898163122,
];
const KRONROD: [f64; 10] = [
    0.011694638867371874,
    0.032558162307964725,
    0.054755896574351995,
    0.07503967481091996,
    0.0931254545836976,
    0.10938715880229764,
    0.12349197626206584,
    0.13470921731147334,
    0.14277593857706009,
    0.14773910490133849,
];
const KRONROD_CENTRE: f64 = 0.1494455540029169;
const GAUSS: [f64; 5] =
    [0.06667134430868814, 0.1494513491505806, 0.21908636251598204, 0.26926671930999635, 0.29552422471475287];

/// Largest difference between the two rules on a panel, as a share of the whole integral. The 21-point rule's own
/// error is far smaller on a smooth function, and some ten times smaller at a root-like end.
const TOLERANCE: f64 = 1e-12;

/// No integrand of this crate needs a hundredth of it; it bounds the work if one ever misbehaves.
const PANEL_LIMIT: usize = 20_000;

/// A piece of the axis, and the sum that its integral goes to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panel {
    pub(super) from: f64,
    pub(super) to: f64,
    /// Index into the result of [`integrate`].
    pub(super) bucket: usize,
}

/// The integrals of `f`'s components over the panels, by bucket: `[bucket][component]`.
///
/// `f` is positive; it may have kinks at the panels' ends only, and integrable root-like behaviour there.
pub(super) fn integrate<const N: usize, const B: usize>(
    panels: &[Panel],
    mut f: impl FnMut(f64) -> [f64; N],
) -> [[f64; N]; B] {
    let first: Vec<_> = panels.iter().map(|&panel| (panel, rule(panel, &mut f))).collect();
    let mut whole = [0.0; N];
    for (_, (kronrod, _)) in &first {
        for (sum, value) in whole.iter_mut().zip(kronrod) {
            *sum += value;
        }
    }
    let mut sums = [[0.0; N]; B];
    let mut stack = first;
    let mut done = 0;
    while let Some((panel, (kronrod, difference))) = stack.pop() {
        let middle = f64::midpoint(panel.from, panel.to);
        let fine = difference.iter().zip(&whole).all(|(d, w)| *d <= TOLERANCE * w);
        if fine || middle <= panel.from || middle >= panel.to || done >= PANEL_LIMIT {
            for (sum, value) in sums[panel.bucket].iter_mut().zip(kronrod) {
                *sum += value;
            }
        } else {
            for half in [Panel { to: middle, ..panel }, Panel { from: middle, ..panel }] {
                let result = rule(half, &mut f);
                for (c, sum) in whole.iter_mut().enumerate() {
                    *sum += result.0[c] - kronrod[c] / 2.0;
                }
                stack.push((half, result));
            }
        }
        done += 1;
    }
    sums
}

/// The 21-point integral over a panel, and its distance from the 10-point one.
fn rule<const N: usize>(panel: Panel, f: &mut impl FnMut(f64) -> [f64; N]) -> ([f64; N], [f64; N]) {
    let centre = f64::midpoint(panel.from, panel.to);
    let half = (panel.to - panel.from) / 2.0;
    let mut kronrod = f(centre).map(|value| value * KRONROD_CENTRE);
    let mut gauss = [0.0; N];
    for (i, (node, weight)) in NODE.iter().zip(KRONROD).enumerate() {
        let (left, right) = (f(centre - half * node), f(centre + half * node));
        for c in 0..N {
            let pair = left[c] + right[c];
            kronrod[c] += weight * pair;
            if i % 2 == 1 {
                gauss[c] += GAUSS[i / 2] * pair;
            }
        }
    }
    let mut difference = [0.0; N];
    for c in 0..N {
        kronrod[c] *= half;
        difference[c] = (kronrod[c] - gauss[c] * half).abs();
    }
    (kronrod, difference)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_are_exact_for_the_polynomials_they_are_made_for() {
        let panel = Panel { from: 0.0, to: 1.0, bucket: 0 };
        for power in 0..=31 {
            let exact = 1.0 / f64::from(power + 1);
            let (kronrod, difference) = rule(panel, &mut |x: f64| [x.powi(power)]);
            assert!((kronrod[0] - exact).abs() < 1e-15, "Kronrod, x^{power}: {}", kronrod[0]);
            if power <= 19 {
                assert!(difference[0] < 1e-15, "Gauss, x^{power}");
            }
        }
    }

    #[test]
    fn a_root_at_the_end_and_a_narrow_peak_are_resolved() {
        let panels = [Panel { from: 0.0, to: 0.5, bucket: 0 }, Panel { from: 0.5, to: 1.0, bucket: 1 }];
        let sums: [[f64; 2]; 2] = integrate(&panels, |x| {
            let z = (x - 0.37) / 1e-3;
            [x.powf(0.3), (-0.5 * z * z).exp()]
        });
        let root = 0.5_f64.powf(1.3) / 1.3;
        assert!((sums[0][0] / root - 1.0).abs() < 1e-11, "{:e}", sums[0][0] / root - 1.0);
        assert!(((sums[0][0] + sums[1][0]) * 1.3 - 1.0).abs() < 1e-11);
        let peak = 1e-3 * core::f64::consts::TAU.sqrt();
        assert!((sums[0][1] / peak - 1.0).abs() < 1e-12);
    }
}
