//! The engine alone: commands a second, and how the cost of a call grows with the floor (bug class B19).

use std::hint::black_box;

use callfloor_benches::floor::{Shape, SteadyFloor};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn commands(c: &mut Criterion) {
    let mut group = c.benchmark_group("engine/commands");
    let one = |operators| Shape { operators, skills: 1, skill_sets: 1 };
    let shapes = [
        ("one skill", one(50)),
        ("one skill", one(500)),
        ("one skill", one(5_000)),
        ("one skill", one(50_000)),
        ("10 skills, 1,000 sets", Shape { operators: 5_000, skills: 10, skill_sets: 1_000 }),
        ("10 skills, 1,000 sets", Shape { operators: 50_000, skills: 10, skill_sets: 1_000 }),
    ];
    for (name, shape) in shapes {
        let mut floor = SteadyFloor::new(shape);
        for _ in 0..2 * shape.operators {
            floor.turn();
        }
        group.throughput(Throughput::Elements(3));
        group.bench_function(BenchmarkId::new(name, shape.operators), |b| {
            b.iter(|| {
                floor.turn();
                black_box(floor.commands)
            });
        });
    }
    group.finish();
}

criterion_group!(benches, commands);
criterion_main!(benches);
