//! The harness itself: fixed seeds for CI, and proof that it can fail.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use callfloor_engine::EngineConfig;
use callfloor_fuzz::{Fault, Faulty, Rule, Settings, Tally, describe, engine, run_seed, shrink_failure};
use proptest::prelude::*;

/// Seeds of the run in CI, 1,000 steps each: at least 10⁷ commands.
const SEEDS: Range<u64> = 1_000_000..1_010_600;

#[test]
fn ten_million_commands() {
    let next = AtomicU64::new(SEEDS.start);
    let total = Mutex::new(Tally::default());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= SEEDS.end {
                break;
            }
            match run_seed(&engine, seed, Settings::default()) {
                Ok(tally) => total.lock().unwrap().add(&tally),
                Err(failure) => {
                    let short = shrink_failure(&engine, seed, &failure, Settings::default());
                    let script = describe(&short.config, &short.steps);
                    panic!("seed {seed}: {}\n{}\n{script}", short.class, short.detail);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(work);
        }
    });
    let total = total.into_inner().unwrap();
    assert!(total.commands >= 10_000_000, "{total:?}");
    assert!(total.accepted * 2 > total.commands, "most commands are plausible: {total:?}");
    assert!(total.restored > 10_000 && total.refusals > 10_000, "{total:?}");
}

/// Of the runs of a planted fault: each has 400 steps, where the tests above have a million and more.
const TRIES: u64 = 400;

/// Each planted fault is found within few seeds, and shrinks to something that fails in the same way.
#[test]
fn every_planted_fault_is_found_and_shrunk() {
    let settings = Settings { restore_permille: 50, refusal_permille: 300, ..Settings::default() };
    for fault in Fault::ALL.into_iter().chain(Rule::ALL.map(Fault::Misreads)) {
        let make = |config: &EngineConfig| Faulty::with(config.clone(), fault);
        let found = (0..TRIES).find_map(|seed| run_seed(&make, seed, settings).err().map(|failure| (seed, failure)));
        let Some((seed, failure)) = found else { panic!("{fault:?} was not found in {TRIES} seeds") };
        let short = shrink_failure(&make, seed, &failure, settings);
        println!("{fault:?}: seed {seed}, {}, {} steps, now {}", failure.class, failure.steps.len(), short.steps.len());
        assert_eq!(short.class, failure.class, "{fault:?} shrank to another failure");
        assert!(short.steps.len() <= failure.steps.len(), "{fault:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Any seed and length: proptest shortens the run, and its failure holds the steps.
    #[test]
    fn any_seed_and_length(seed in any::<u64>(), steps in 1usize..400) {
        let settings = Settings { steps, restore_permille: 50, ..Settings::default() };
        if let Err(failure) = run_seed(&engine, seed, settings) {
            let script = describe(&failure.config, &failure.steps);
            prop_assert!(false, "seed {seed}: {}\n{}\n{script}", failure.class, failure.detail);
        }
    }
}
