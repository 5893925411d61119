//! In steady state the engine allocates nothing: counted, not believed.

use callfloor_benches::floor::{Shape, SteadyFloor};

fn allocations(shape: Shape) -> u64 {
    let mut floor = SteadyFloor::new(shape);
    for _ in 0..5_000 {
        floor.turn();
    }
    allocation_counter::measure(|| {
        for _ in 0..20_000 {
            floor.turn();
        }
    })
    .count_total
}

#[test]
fn one_queue_allocates_nothing() {
    assert_eq!(allocations(Shape { operators: 50, skills: 1, skill_sets: 1 }), 0);
}

#[test]
fn many_skills_allocate_nothing() {
    assert_eq!(allocations(Shape { operators: 400, skills: 10, skill_sets: 100 }), 0);
}

#[test]
fn the_counter_counts() {
    assert!(allocation_counter::measure(|| drop(std::hint::black_box(vec![1u8; 100]))).count_total > 0);
}
