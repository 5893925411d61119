//! A 95 % interval holds the truth in 93 to 97 % of a thousand independent runs.

use callfloor_measure::{Metric, Scope};
use callfloor_sim::theory::{Demand, Model, Thresholds};

use crate::support::Pool;

#[test]
fn ninety_five_per_cent_intervals_hold_the_truth() {
    const RUNS: u32 = 1_000;
    let (operators, per_s, handle_s, patience_s) = (5, 0.02, 180.0, 120.0);
    let demand = Demand::per_second(per_s, handle_s).unwrap();
    let thresholds = Thresholds { target_s: 20.0, short_abandon_s: 0.0 };
    let exact = Model::ErlangA { patience_s }.figures(demand, operators, thresholds).unwrap();
    let levels = exact.service_level.unwrap();
    let figures = [
        (Metric::PWait, exact.p_wait),
        (Metric::ServiceLevelShort, levels.short),
        (Metric::AbandonmentRaw, exact.abandonment_raw),
        (Metric::AsaS, exact.asa_s),
        (Metric::Occupancy, exact.occupancy),
        (Metric::QueueMean, exact.mean_queue),
    ];
    let mut held = [0_u32; 6];
    for seed in 1..=u64::from(RUNS) {
        let mut pool = Pool::new(operators, per_s, handle_s);
        pool.patience = Some((format!("{{ mean_s = {patience_s:?} }}"), patience_s));
        pool.calls = 500.0;
        pool.seed = seed;
        let results = pool.simulate();
        for (held, (metric, truth)) in held.iter_mut().zip(figures) {
            let interval = results.estimate(metric, Scope::All).unwrap().interval.unwrap();
            *held += u32::from(interval.contains(truth));
        }
    }
    for (held, (metric, _)) in held.into_iter().zip(figures) {
        let share = f64::from(held) / f64::from(RUNS);
        println!("{metric}: {share}");
        assert!((0.93..=0.97).contains(&share), "{metric}: {share} of the intervals hold the truth");
    }
}
