//! How long an exact answer takes: Erlang A above all, which a staffing search asks for many times.

#![allow(missing_docs, reason = "criterion_group! makes a public function without one")]

use std::hint::black_box;

use callfloor_sim::theory::{Demand, Model, Patience, Thresholds};
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};

/// 0.96 erlangs of offered load for each operator, handle time 180 s.
fn demand(operators: u32) -> Demand {
    Demand::per_hour(0.96 * 20.0 * f64::from(operators), 180.0).expect("above 0")
}

fn models(c: &mut Criterion) {
    let lognormal = Patience::Lognormal { mean_s: 300.0, scv: 1.5 };
    for (name, model) in [
        ("erlang-b", Model::ErlangB),
        ("erlang-c", Model::ErlangC),
        ("erlang-a", Model::ErlangA { patience_s: 300.0 }),
        ("lognormal patience", Model::GeneralPatience(lognormal)),
        ("finite", Model::Finite { waiting_places: 200, patience_s: Some(300.0) }),
    ] {
        let mut group = c.benchmark_group(name);
        for operators in [50, 5_000] {
            let demand = demand(operators);
            group.bench_function(BenchmarkId::from_parameter(operators), |bench| {
                bench.iter(|| model.figures(black_box(demand), operators, Thresholds::default()));
            });
        }
    }
}

criterion_group!(theory, models);
criterion_main!(theory);
