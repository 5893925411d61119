//! The theory against values written here with their sources, and each model against its neighbours.

use callfloor_measure::EarlyAbandons;
use callfloor_sim::theory::staffing::{Targets, fewest_operators, rostered};
use callfloor_sim::theory::{Branch, Demand, Figures, HazardPiece, Model, Patience, TheoryError, Thresholds, erlang_b};

#[track_caller]
fn near(what: &str, found: f64, wanted: f64, relative: f64) {
    assert!(
        (found - wanted).abs() <= relative * wanted.abs(),
        "{what}: {found} for {wanted}, off by {:e}",
        found / wanted - 1.0
    );
}

/// Every figure of two models is the same, within a share of itself or 1e-13 of a call.
#[track_caller]
fn same(what: &str, a: &Figures, b: &Figures, relative: f64) {
    let list = |f: &Figures| {
        let levels = f.service_level.unwrap();
        [
            ("blocking", f.blocking),
            ("p_wait", f.p_wait),
            ("asa_s", f.asa_s),
            ("mean_wait_s", f.mean_wait_s),
            ("abandonment", f.abandonment),
            ("abandonment_raw", f.abandonment_raw),
            ("short", levels.short),
            ("ignore", levels.ignore),
            ("negative", levels.negative),
            ("positive", levels.positive),
            ("handled", levels.handled),
            ("occupancy", f.occupancy),
            ("mean_queue", f.mean_queue),
            ("wait_answered_sd_s", f.wait_answered_sd_s()),
            ("mean_wait_abandoned_s", f.mean_wait_abandoned_s().unwrap_or(0.0)),
            ("wait_abandoned_sd_s", f.wait_abandoned_sd_s().unwrap_or(0.0)),
        ]
    };
    for ((name, a), (_, b)) in list(a).into_iter().zip(list(b)) {
        let off = (a - b).abs();
        assert!(off <= relative * b.abs() + 1e-13, "{what}, {name}: {a} and {b}, off by {off:e}");
    }
}

fn figures(model: &Model, calls_per_hour: f64, handle_s: f64, operators: u32) -> Figures {
    let demand = Demand::per_hour(calls_per_hour, handle_s).unwrap();
    model.figures(demand, operators, Thresholds::default()).unwrap()
}

#[test]
fn erlang_c_meets_the_golden_values() {
    // metrics.md of the project: 100 calls in 30 min, 180 s, 14 operators, 20 s.
    let found = figures(&Model::ErlangC, 200.0, 180.0, 14);
    near("p_wait", found.p_wait, 0.174_131_933_595, 1e-11);
    near("service level", found.service_level.unwrap().short, 0.888_350_019_179_47, 1e-13);
    near("occupancy", found.occupancy, 10.0 / 14.0, 1e-15);
    // R package ErlangC, test suite: the same demand on 11 operators.
    near("asa", figures(&Model::ErlangC, 200.0, 180.0, 11).asa_s, 122.781_276_844_08, 1e-12);
}

#[test]
fn erlang_b_meets_the_golden_values() {
    // Octave queueing toolbox 1.2.7; the last by its recursion with 30 digits.
    for (servers, load, blocking) in
        [(6, 5.0, 0.191_847_258_886), (105, 100.0, 0.048_260_770_661_2), (20_000, 19_900.0, 0.002_880_421_754_02)]
    {
        near("blocking", erlang_b::blocking(load, servers).unwrap(), blocking, 3e-12);
        let back = erlang_b::largest_load(servers, erlang_b::blocking(load, servers).unwrap());
        near("load", back.unwrap(), load, 1e-11);
    }
}

/// Calls per hour, handle time, patience, operators; then P(wait), abandonment, ASA, mean wait, and the probabilities
/// of an answer within 20 s, an abandonment within 20 s and one within 5 s.
///
/// The integrals of Baccelli and Hebuterne evaluated with 40 digits by mpmath 1.3.
const ERLANG_A: [(f64, f64, f64, u32, [f64; 7]); 4] = [
    (
        200.0,
        180.0,
        300.0,
        14,
        [
            0.145_260_114_296_361_2,
            0.013_983_744_122_408_94,
            3.878_480_044_521_022,
            4.195_123_236_722_681,
            0.916_792_091_863_546_9,
            0.007_163_935_411_198_605,
            0.002_241_908_333_806_88,
        ],
    ),
    (
        12_000.0,
        240.0,
        446.0,
        800,
        [
            0.580_813_500_920_256_7,
            0.011_936_038_359_630_805,
            5.300_221_337_545_689,
            5.323_473_108_395_339,
            0.940_198_379_304_749_3,
            0.011_418_016_606_621_383,
            0.005_385_052_695_098_902,
        ],
    ),
    (
        150_000.0,
        240.0,
        300.0,
        9_900,
        [
            0.874_962_251_056_379_6,
            0.010_658_447_251_986_846,
            3.205_163_276_289_203,
            3.197_534_175_596_054,
            0.989_341_552_537_341_2,
            0.010_658_447_251_691_453,
            0.009_455_827_962_667_03,
        ],
    ),
    (
        400.0,
        300.0,
        60.0,
        20,
        [
            0.868_469_297_460_050_9,
            0.408_091_680_884_491_9,
            25.568_036_555_464_534,
            24.485_500_853_069_513,
            0.290_819_001_557_483_1,
            0.223_150_269_469_583_32,
            0.068_011_689_348_549_29,
        ],
    ),
];

#[test]
fn erlang_a_meets_forty_digits() {
    for (calls, handle_s, patience_s, operators, wanted) in ERLANG_A {
        let found = figures(&Model::ErlangA { patience_s }, calls, handle_s, operators);
        let o = found.outcomes;
        let found = [
            found.p_wait,
            found.abandonment_raw,
            found.asa_s,
            found.mean_wait_s,
            o.answered_in_time,
            o.abandoned_in_time,
            o.abandoned_short,
        ];
        for (i, (found, wanted)) in found.into_iter().zip(wanted).enumerate() {
            near(&format!("{operators} operators, figure {i}"), found, wanted, 1e-12);
        }
    }
}

/// The integrals and the birth–death sums share no step.
#[test]
fn erlang_a_is_the_finite_queue_with_places_enough() {
    for (calls, handle_s, patience_s, operators, waiting_places) in [
        (3_000.0, 1.0, 2.0, 1, 400),
        (20.0, 180.0, 60.0, 1, 400),
        (60.0, 180.0, 5.0, 3, 200),
        (500.0, 180.0, 300.0, 25, 1_000),
        (800.0, 180.0, 20_000.0, 25, 40_000),
        (2_000.0, 180.0, 100.0, 3, 3_000),
        (150_000.0, 240.0, 300.0, 10_000, 5_000),
        (165_000.0, 240.0, 120.0, 10_000, 5_000),
        (120_000.0, 240.0, 120.0, 10_000, 5_000),
    ] {
        let what = format!("{operators} operators, {calls} calls an hour");
        let integrals = figures(&Model::ErlangA { patience_s }, calls, handle_s, operators);
        let model = Model::Finite { waiting_places, patience_s: Some(patience_s) };
        same(&what, &integrals, &figures(&model, calls, handle_s, operators), 1e-10);
    }
}

#[test]
fn erlang_b_and_c_are_the_ends_of_the_finite_queue() {
    for (calls, operators) in [(15.0, 1), (200.0, 14), (9_600.0, 500)] {
        let endless = Model::Finite { waiting_places: 20_000, patience_s: None };
        let c = figures(&Model::ErlangC, calls, 180.0, operators);
        same("Erlang C", &figures(&endless, calls, 180.0, operators), &c, 1e-11);
        let none = Model::Finite { waiting_places: 0, patience_s: None };
        let b = figures(&Model::ErlangB, calls, 180.0, operators);
        near("Erlang B", figures(&none, calls, 180.0, operators).blocking, b.blocking, 1e-12);
        near("occupancy", figures(&none, calls, 180.0, operators).occupancy, b.occupancy, 1e-12);
        // Patience without end.
        let patient = Model::ErlangA { patience_s: 1e18 };
        let patient = figures(&patient, calls, 180.0, operators);
        near("Erlang A, p_wait", patient.p_wait, c.p_wait, 1e-11);
        near("Erlang A, ASA", patient.asa_s, c.asa_s, 1e-11);
        let (a, c) = (patient.service_level.unwrap(), c.service_level.unwrap());
        near("Erlang A, service level", a.short, c.short, 1e-11);
    }
}

#[test]
fn every_patience_that_is_exponential_is_erlang_a() {
    let exponential = Box::new(Patience::Exponential { mean_s: 90.0 });
    let kinds = [
        Patience::Gamma { shape: 1.0, mean_s: 90.0 },
        Patience::Weibull { shape: 1.0, scale_s: 90.0 },
        Patience::Hazard {
            pieces: [0.0, 3.0, 20.0, 400.0].map(|from_s| HazardPiece { from_s, per_s: 1.0 / 90.0 }).to_vec(),
        },
        Patience::Hyperexponential {
            branches: vec![Branch { share: 0.25, mean_s: 90.0 }, Branch { share: 0.75, mean_s: 90.0 }],
        },
        Patience::Balking { share: 0.0, others: exponential },
    ];
    for operators in [1, 12, 20, 60] {
        let a = figures(&Model::ErlangA { patience_s: 90.0 }, 330.0, 240.0, operators);
        for kind in &kinds {
            let general = figures(&Model::GeneralPatience(kind.clone()), 330.0, 240.0, operators);
            same(&format!("{operators} operators, {kind:?}"), &general, &a, 1e-10);
        }
    }
}

/// A steady patience, told by four families, tends to one and the same.
#[test]
fn a_steady_patience_is_a_constant_one() {
    let wait_s = 60.0;
    let constant = figures(&Model::GeneralPatience(Patience::Constant { wait_s }), 330.0, 240.0, 20);
    for kind in [
        Patience::Uniform { low_s: wait_s - 1e-4, high_s: wait_s + 1e-4 },
        Patience::Gamma { shape: 1e6, mean_s: wait_s },
        Patience::Lognormal { mean_s: wait_s, scv: 1e-8 },
        Patience::Weibull { shape: 1e4, scale_s: wait_s },
    ] {
        let steady = figures(&Model::GeneralPatience(kind.clone()), 330.0, 240.0, 20);
        near(&format!("{kind:?}, p_wait"), steady.p_wait, constant.p_wait, 3e-4);
        near(&format!("{kind:?}, ASA"), steady.asa_s, constant.asa_s, 3e-4);
        near(&format!("{kind:?}, lost"), steady.abandonment_raw, constant.abandonment_raw, 3e-4);
    }
    // Each answered or abandoned call of it waits at most that long.
    near("wait of the lost", constant.mean_wait_abandoned_s().unwrap(), wait_s, 1e-12);
}

#[test]
fn flow_is_conserved_for_every_patience() {
    let kinds = [
        Patience::Exponential { mean_s: 100.0 },
        Patience::Gamma { shape: 0.4, mean_s: 100.0 },
        Patience::Gamma { shape: 5.0, mean_s: 100.0 },
        Patience::Lognormal { mean_s: 100.0, scv: 4.0 },
        Patience::Weibull { shape: 0.5, scale_s: 100.0 },
        Patience::Weibull { shape: 3.0, scale_s: 100.0 },
        Patience::Uniform { low_s: 10.0, high_s: 200.0 },
        Patience::Constant { wait_s: 45.0 },
        Patience::Hazard {
            pieces: [(0.0, 0.02), (10.0, 0.0), (55.0, 0.05), (65.0, 0.004)]
                .map(|(from_s, per_s)| HazardPiece { from_s, per_s })
                .to_vec(),
        },
        Patience::Balking { share: 0.2, others: Box::new(Patience::Lognormal { mean_s: 100.0, scv: 1.0 }) },
    ];
    for kind in kinds {
        for operators in [1, 5, 20, 22, 30, 200] {
            let what = format!("{kind:?}, {operators} operators");
            let f = figures(&Model::GeneralPatience(kind.clone()), 330.0, 240.0, operators);
            let o = f.outcomes;
            near(&what, o.answered + o.abandoned, 1.0, 1e-11);
            assert!(o.answered_in_time <= o.answered, "{what}");
            assert!(o.abandoned_short <= o.abandoned_in_time, "{what}");
            assert!(o.abandoned_in_time <= o.abandoned * (1.0 + 1e-12), "{what}");
            // Those who are served leave as fast as operators work.
            assert!(f.occupancy <= 1.0 + 1e-12, "{what}: occupancy {}", f.occupancy);
            assert!(f.occupancy < 1.0 || operators <= 5, "{what}");
            assert!(f.mean_queue >= 0.0 && f.asa_s >= 0.0, "{what}");
        }
    }
}

#[test]
fn ten_thousand_operators_and_extreme_loads_stay_finite() {
    for patience_s in [0.01, 300.0, 1e9] {
        for calls in [1e-6, 1.0, 120_000.0, 120_001.0, 5e6, 1e9] {
            for operators in [1, 10_000, 100_000] {
                let f = figures(&Model::ErlangA { patience_s }, calls, 300.0, operators);
                let what = format!("{calls} calls, patience {patience_s}, {operators} operators");
                let levels = f.service_level.unwrap();
                for value in [f.p_wait, f.abandonment_raw, levels.short, levels.positive, f.occupancy] {
                    assert!((0.0..=1.0 + 1e-9).contains(&value), "{what}: {value} in {f:?}");
                }
                assert!(f.asa_s.is_finite() && f.mean_queue.is_finite(), "{what}");
                near(&what, f.abandonment_raw, f.mean_wait_s / patience_s, 1e-9);
            }
        }
    }
}

#[test]
fn a_scenarios_patience_keeps_its_mean_and_its_figures() {
    use callfloor_scenario::{Distribution, HazardPiece as Piece};
    let of = |distribution: &Distribution, balking| Patience::of(distribution, balking).unwrap();
    // Lognormal of mean 1 and squared coefficient of variation 1, in its logarithm's terms.
    let sigma = std::f64::consts::LN_2.sqrt();
    let Patience::Lognormal { mean_s, scv } = of(&Distribution::Lognormal { mu: -sigma * sigma / 2.0, sigma }, 0.0)
    else {
        panic!("not lognormal");
    };
    near("mean", mean_s, 1.0, 1e-14);
    near("scv", scv, 1.0, 1e-14);
    assert_eq!(
        of(&Distribution::Gamma { shape: 2.0, scale_s: 30.0 }, 0.1),
        Patience::Balking { share: 0.1, others: Box::new(Patience::Gamma { shape: 2.0, mean_s: 60.0 }) }
    );
    let pieces = vec![Piece { from_s: 0.0, per_s: 0.01 }, Piece { from_s: 60.0, per_s: 0.02 }];
    assert!(matches!(of(&Distribution::Hazard { pieces }, 0.0), Patience::Hazard { .. }));
    assert_eq!(Patience::of(&Distribution::Never, 0.0), None);
    assert_eq!(Patience::of(&Distribution::Empirical { values_s: vec![1.0] }, 0.0), None);
}

#[test]
fn the_five_service_levels_follow_their_definitions() {
    let f = figures(&Model::ErlangA { patience_s: 60.0 }, 400.0, 300.0, 20);
    let levels = f.service_level.unwrap();
    // From the forty-digit row above.
    let (in_time, lost_in_time, lost_short, lost) =
        (0.290_819_001_557_483_1, 0.223_150_269_469_583_32, 0.068_011_689_348_549_29, 0.408_091_680_884_491_9);
    near("short", levels.short, in_time / (1.0 - lost_short), 1e-12);
    near("ignore", levels.ignore, in_time / (1.0 - lost_in_time), 1e-12);
    near("negative", levels.negative, in_time, 1e-12);
    near("positive", levels.positive, in_time + lost_in_time, 1e-12);
    near("handled", levels.handled, in_time / (1.0 - lost), 1e-12);
    near("abandonment", f.abandonment, (lost - lost_short) / (1.0 - lost_short), 1e-12);
}

#[test]
fn fewest_operators_meet_the_targets_and_one_fewer_does_not() {
    let demand = Demand::per_hour(684.0, 430.0).unwrap();
    let thresholds = Thresholds::default();
    let targets = Targets { service_level: Some((EarlyAbandons::Short, 0.8)), ..Targets::default() };
    for model in [
        Model::ErlangC,
        Model::ErlangA { patience_s: 120.0 },
        Model::GeneralPatience(Patience::Weibull { shape: 0.7, scale_s: 120.0 }),
        Model::Finite { waiting_places: 10, patience_s: None },
    ] {
        let found = fewest_operators(&model, demand, thresholds, targets).unwrap();
        assert!(found.service_level.unwrap().short >= 0.8);
        let fewer = model.figures(demand, found.operators - 1, thresholds).unwrap();
        assert!(fewer.service_level.unwrap().short < 0.8, "{model:?}");
    }
    // G. Gethryn's erlangc_ruby specification: 342 calls in 30 min, 430 s, 80 % in 20 s.
    let found = fewest_operators(&Model::ErlangC, demand, thresholds, targets).unwrap();
    assert_eq!(found.operators, 90);
}

#[test]
fn shrinkage_divides_and_rounds_up() {
    assert_eq!(rostered(100, 0.3), Ok(143));
    assert_eq!(rostered(14, 0.3), Ok(20));
    assert_eq!(rostered(17, 0.3), Ok(25));
    assert_eq!(rostered(7, 0.0), Ok(7));
    assert!(matches!(rostered(7, 1.0), Err(TheoryError::OutOfRange { what: "shrinkage", .. })));
}

#[test]
fn questions_without_an_answer_say_why() {
    let demand = Demand::per_hour(240.0, 180.0).unwrap();
    let asked =
        |model: Model, operators| model.figures(demand, operators, Thresholds::default()).unwrap_err().to_string();
    assert_eq!(
        asked(Model::ErlangC, 12),
        "the queue grows without end: 12 erlangs of offered load on 12 operators, and nobody abandons; \
         take at least 13 operators, or Erlang A with the callers' mean patience"
    );
    assert_eq!(asked(Model::ErlangB, 0), "operators is 0: it must be at least 1");
    assert_eq!(
        asked(Model::ErlangA { patience_s: -1.0 }, 12),
        "mean patience in seconds is -1: it must be a finite number above 0"
    );
    assert_eq!(
        Demand::per_hour(f64::NAN, 180.0).unwrap_err().to_string(),
        "calls per hour is NaN: it must be a finite number above 0"
    );
    let thresholds = Thresholds { target_s: -3.0, short_abandon_s: 5.0 };
    assert_eq!(
        Model::ErlangC.figures(demand, 20, thresholds).unwrap_err().to_string(),
        "the service level's target in seconds is -3: it must be a finite number, 0 or more"
    );
    let staff =
        |targets| fewest_operators(&Model::ErlangC, demand, Thresholds::default(), targets).unwrap_err().to_string();
    assert_eq!(
        staff(Targets::default()),
        "no target to staff for: give at least a service level or a largest occupancy"
    );
    assert_eq!(
        staff(Targets { service_level: Some((EarlyAbandons::Short, 80.0)), ..Targets::default() }),
        "the service level to reach is 80: it must be a share in (0, 1)"
    );
    assert_eq!(
        staff(Targets { max_occupancy: Some(1e-9), ..Targets::default() }),
        "no number of operators up to 8388608 meets the targets: lower them"
    );
}
