//! The simulator as its callers see it: figures against exact answers, equal bytes for any split of the work, common
//! random numbers, stopping.

use callfloor_measure::{Metric, Results, Scope};
use callfloor_scenario::{NoFiles, Precision, Scenario};
use callfloor_sim::{CallLog, CallRow, CallRows, Options, Progress, simulate};
use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

fn scenario(text: &str) -> Scenario {
    Scenario::parse("test.toml", text, &NoFiles).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// M/M/5+M with a load of 5 erlangs: from empty, `contacts` calls.
fn small_queue(contacts: u32, operators: u32) -> Scenario {
    scenario(&format!(
        r#"
        name = "small"
        [run]
        contacts = {contacts}
        [queue.line]
        [customers.callers]
        arrivals = {{ per_hour = 60 }}
        patience = {{ mean_s = 180 }}
        handling = {{ talk = {{ mean_s = 300 }} }}
        [operators.team]
        count = {operators}
        auto_answer = true
        "#
    ))
}

/// A day with everything that a floor of one team has: a roster, ring times, misses, breaks, redials, holds.
fn day() -> Scenario {
    scenario(
        r#"
        name = "day"
        [run]
        from = "08:00"
        to = "12:00"
        replications = 7
        [queue.line]
        [customers.callers]
        arrivals = { per_hour = 120, day_factor = { cv = 0.2 } }
        patience = { mean_s = 120 }
        redial = { probability = 0.4, delay = { mean_s = 300 } }
        [customers.callers.handling]
        talk = { kind = "lognormal", mean_s = 240, cv = 0.8 }
        hold = { probability = 0.3, length = { mean_s = 40 } }
        after_call = { mean_s = 45 }
        [operators.team]
        answer_delay = { kind = "uniform", low_s = 1, high_s = 6 }
        miss = 0.05
        staffing = [{ from = "08:00", interval_min = 60, counts = [9, 12, 11, 8] }]
        "#,
    )
}

fn run(scenario: &Scenario, options: &Options<'_>) -> Results {
    simulate(scenario, options).unwrap_or_else(|error| panic!("{error}")).results
}

fn threads(n: usize) -> Options<'static> {
    Options { threads: NonZeroUsize::new(n), ..Options::default() }
}

#[test]
fn any_number_of_threads_and_any_split_give_the_same_bytes() {
    let day = day();
    let whole = run(&day, &threads(1));
    assert_eq!(whole.replications().len(), 7);
    assert_eq!(whole.to_json(), run(&day, &threads(2)).to_json());
    assert_eq!(whole.to_json(), run(&day, &threads(5)).to_json());
    let part = |first, count| run(&day, &Options { first_replication: first, replications: Some(count), ..threads(2) });
    let mut merged = part(4, 3);
    merged.merge(&part(0, 4)).expect("parts of one run");
    assert_eq!(whole.to_json(), merged.to_json());
}

#[test]
fn no_call_is_lost_in_any_interval() {
    let results = run(&day(), &Options { check: true, replications: Some(2), ..threads(1) });
    assert_eq!(results.failed_identities(), []);
    let counts = results.counts(Scope::All);
    assert!(counts.offered > 500 && counts.missed_rings > 10 && counts.holds > 50 && counts.abandoned > 10);
    assert_eq!(counts.offered, counts.answered + counts.abandoned + counts.flowed_out);
    assert_eq!(counts.tickets_created, counts.answered);
    assert_eq!(counts.tickets_solved, counts.answered);
}

/// Erlang A of 5 erlangs on 5 operators, patience 180 s, by the stationary chain: the replications' interval holds it.
#[test]
fn a_small_queue_meets_erlang_a() {
    let (lambda, mu, theta, servers) = (1.0 / 60.0, 1.0 / 300.0, 1.0 / 180.0, 5);
    let (mut weight, mut sum, mut left) = (1.0_f64, 0.0, 0.0);
    for in_system in 0..400_u32 {
        sum += weight;
        let waiting = f64::from(in_system.saturating_sub(servers));
        left += weight * theta * waiting;
        let next = in_system + 1;
        weight *= lambda / (mu * f64::from(next.min(servers)) + theta * f64::from(next.saturating_sub(servers)));
    }
    let abandoned = left / sum / lambda;
    let mut scenario = small_queue(40_000, servers);
    if let callfloor_scenario::Horizon::Calls { warm_up, .. } = &mut scenario.horizon {
        *warm_up = 1000;
    }
    let results = run(&scenario, &Options { replications: Some(20), ..threads(2) });
    let estimate = results.estimate_at(Metric::AbandonmentRaw, Scope::All, 0.999).expect("calls were offered");
    let interval = estimate.interval.expect("twenty replications");
    assert!(interval.low <= abandoned && abandoned <= interval.high, "{abandoned} outside {interval:?}");
    assert!(interval.high - interval.low < 0.01, "{interval:?} says too little");
    assert_eq!(results.counts(Scope::All).offered, 20 * 39_000);
}

/// Wait and talk of every call, by its arrival.
struct Talks(Mutex<BTreeMap<u64, (u64, u64)>>);

impl CallLog for Talks {
    fn replication(&self, _: u32) -> Box<dyn CallRows + '_> {
        Box::new(self)
    }
}

impl CallRows for &Talks {
    fn call(&mut self, row: &CallRow<'_>) {
        let record = row.record;
        let times = (record.wait.as_micros(), record.talk.as_micros());
        self.0.lock().expect("one thread").insert(record.arrived.as_micros(), times);
    }

    fn finish(self: Box<Self>) {}
}

/// The same customers come to both floors, with the same patience and the same talk time.
#[test]
fn customers_are_the_same_whatever_the_staffing() {
    let record = |operators| {
        let talks = Talks(Mutex::new(BTreeMap::new()));
        run(&small_queue(3000, operators), &Options { calls: Some(&talks), replications: Some(1), ..threads(1) });
        talks.0.into_inner().expect("done")
    };
    let (few, many) = (record(4), record(6));
    assert_eq!(few.len(), 3000);
    assert!(few.keys().eq(many.keys()), "arrivals differ");
    let mut compared = 0;
    for (arrived, (wait, talk)) in &few {
        let (other_wait, other_talk) = many[arrived];
        match (*talk > 0, other_talk > 0) {
            (true, true) => assert_eq!(*talk, other_talk),
            // Whoever left both queues left after the same wait; whoever stayed in one waited less there.
            (false, false) => assert_eq!(*wait, other_wait),
            (false, true) => assert!(other_wait <= *wait),
            (true, false) => assert!(*wait <= other_wait),
        }
        compared += u32::from(*talk > 0 && other_talk > 0);
    }
    assert!(compared > 1500);
    assert_ne!(few, many);
}

#[test]
fn it_stops_when_asked_and_keeps_what_is_done() {
    let cancel = AtomicBool::new(false);
    let stop_after_three = |progress: Progress| {
        if progress.done >= 3 {
            cancel.store(true, Ordering::Relaxed);
        }
    };
    let options = Options { cancel: Some(&cancel), progress: Some(&stop_after_three), ..threads(1) };
    let outcome = simulate(&day(), &options).expect("runs");
    assert!(outcome.cancelled);
    assert_eq!(outcome.results.replications().len(), 3);
    let cancelled_before = Options { cancel: Some(&AtomicBool::new(true)), ..threads(2) };
    assert_eq!(run(&day(), &cancelled_before).replications().len(), 0);
}

#[test]
fn it_goes_on_until_it_is_precise_enough() {
    let wanted = Precision { metric: Metric::AsaS, half_width: None, relative: Some(0.1), max_replications: 2000 };
    let planned = AtomicU32::new(0);
    let note = |progress: Progress| {
        planned.fetch_max(progress.planned, Ordering::Relaxed);
    };
    let options = Options { precision: Some(Some(wanted)), replications: Some(3), progress: Some(&note), ..threads(2) };
    let outcome = simulate(&day(), &options).expect("runs");
    assert_eq!(outcome.precision_reached, Some(true));
    let estimate = outcome.results.estimate(Metric::AsaS, Scope::All).expect("answered");
    assert!(estimate.relative_half_width().expect("an interval") <= 0.1);
    let done = outcome.results.replications().len();
    assert!(done > 3 && u32::try_from(done).expect("few") == planned.load(Ordering::Relaxed), "{done}");
    let never = Precision { relative: Some(1e-6), max_replications: 6, ..wanted };
    let outcome = simulate(&day(), &Options { precision: Some(Some(never)), ..options }).expect("runs");
    assert_eq!((outcome.precision_reached, outcome.results.replications().len()), (Some(false), 6));
}

#[test]
fn another_seed_is_another_run() {
    let day = day();
    let one = Options { replications: Some(1), digest: true, ..threads(1) };
    let digest = |seed| run(&day, &Options { seed: Some(seed), ..one }).replications()[0].event_digest;
    assert_eq!(digest(1), digest(1));
    assert_ne!(digest(1), digest(2));
    assert_ne!(digest(1), 0);
}

/// The fast path gives every count, sum and histogram that the engine gives, and says that it was used.
#[test]
fn the_fast_path_gives_the_engines_figures() {
    let with_work = small_queue(20_000, 6);
    let mut steady = small_queue(20_000, 5);
    steady.horizon = callfloor_scenario::Horizon::Steady { warm_up_us: 3_600_000_000, length_us: 72_000_000_000 };
    for mut scenario in [small_queue(20_000, 5), with_work, steady] {
        if scenario.groups[0].shifts[0].count.present == 6 {
            scenario.classes[0].handling.after_call = callfloor_scenario::Distribution::Exponential { mean_s: 50.0 };
        }
        assert_eq!(callfloor_sim::fast_path_objection(&scenario), Ok(None));
        let options = Options { replications: Some(2), ..threads(1) };
        let engine = run(&scenario, &options);
        let fast = run(&scenario, &Options { fast_path: true, ..options });
        assert_eq!((engine.fast_path_replications(), fast.fast_path_replications()), (0, 2));
        for interval in 0..engine.header().grid.intervals {
            let (a, b) = (engine.counts_in(Scope::All, interval), fast.counts_in(Scope::All, interval));
            assert_eq!(a, b, "interval {interval}");
            assert_eq!(
                engine.staff_in(Scope::All, interval),
                fast.staff_in(Scope::All, interval),
                "interval {interval}"
            );
        }
        assert_eq!(engine.waits(Scope::All), fast.waits(Scope::All));
        assert_eq!(engine.abandon_waits(Scope::All), fast.abandon_waits(Scope::All));
        for (a, b) in engine.replications().iter().zip(fast.replications()) {
            assert_eq!((a.calls, a.elapsed_us), (b.calls, b.elapsed_us));
        }
    }
    assert!(callfloor_sim::fast_path_objection(&day()).expect("runs").is_some());
}

/// Longer intervals are the sums of the shorter, the period stays what it was, and other lengths are refused.
#[test]
fn longer_intervals_are_exact_sums() {
    let day = day();
    let fine = run(&day, &threads(1));
    for (minutes, each) in [(60, 2), (120, 4), (1440, 8)] {
        let wide = run(&day, &Options { interval_us: Some(minutes * 60_000_000), ..threads(2) });
        assert_eq!(wide.failed_identities(), []);
        assert_eq!(wide.header().grid.intervals, 8 / each);
        for interval in 0..8 / each {
            let (mut counts, mut staff) =
                (callfloor_measure::Counts::default(), callfloor_measure::StaffTimes::default());
            for at in interval * each..(interval + 1) * each {
                counts += &fine.counts_in(Scope::All, at);
                staff += &fine.staff_in(Scope::All, at);
            }
            let found = wide.counts_in(Scope::All, interval);
            counts.waiting_at_start = fine.counts_in(Scope::All, interval * each).waiting_at_start;
            counts.waiting_at_end = fine.counts_in(Scope::All, interval * each + each - 1).waiting_at_end;
            assert_eq!((found, wide.staff_in(Scope::All, interval)), (counts, staff), "{minutes} min, {interval}");
        }
        for &metric in Metric::ALL {
            assert_eq!(wide.estimate(metric, Scope::All), fine.estimate(metric, Scope::All), "{metric:?}");
        }
    }
    for (minutes, what) in [(15, "a multiple of it"), (45, "a multiple of it"), (420, "divides 24 hours")] {
        let options = Options { interval_us: Some(minutes * 60_000_000), ..threads(1) };
        let error = simulate(&day, &options).expect_err("refused").to_string();
        assert!(error.contains(what) && error.contains(&format!("{minutes} min")), "{error}");
    }
    let mut spring = day;
    spring.clock.dated = true;
    spring.clock.start = jiff::civil::date(2026, 3, 29);
    spring.clock.time_zone = jiff::tz::TimeZone::get("Europe/Berlin").expect("known");
    let two_hours = Options { interval_us: Some(7_200_000_000), replications: Some(1), ..threads(1) };
    let error = simulate(&spring, &two_hours).expect_err("refused").to_string();
    assert!(error.contains("the clock is changed on 2026-03-29"), "{error}");
    assert!(simulate(&spring, &Options { interval_us: Some(3_600_000_000), ..two_hours }).is_ok());
}

/// By answer, an interval has the calls that left the queue in it; over the whole day they are the same calls.
#[test]
fn calls_can_be_counted_by_their_answer() {
    let day = day();
    let by_arrival = run(&day, &threads(1));
    let by_answer = run(&day, &Options { by: callfloor_measure::CountedBy::Answer, ..threads(2) });
    assert_eq!(by_answer.failed_identities(), []);
    let mut moved = 0;
    for interval in 0..8 {
        let (arrived, left) = (by_arrival.counts_in(Scope::All, interval), by_answer.counts_in(Scope::All, interval));
        let here = (arrived.answered_here, arrived.answered_in_time_here, arrived.abandoned_here);
        assert_eq!((left.answered, left.answered_in_time, left.abandoned), here, "{interval}");
        assert_eq!(left.offered, left.answered + left.abandoned + left.flowed_out, "{interval}");
        assert_eq!(left.entered, arrived.offered, "{interval}");
        moved += left.answered.abs_diff(arrived.answered);
    }
    assert!(moved > 0, "some calls are answered in a later interval");
    let (arrived, left) = (by_arrival.counts(Scope::All), by_answer.counts(Scope::All));
    assert_eq!(callfloor_measure::Counts { entered: 0, ..left }, arrived);
    assert_eq!(by_answer.waits(Scope::All), by_arrival.waits(Scope::All));
    let mut mixed = by_arrival.clone();
    assert!(mixed.merge(&by_answer).is_err(), "they are no parts of one run");
}

/// A chat that finds nobody there is refused, as the server refuses it: nobody waits for an hour in front of an empty floor.
#[test]
fn a_chat_that_finds_nobody_there_is_refused() {
    let results = run(
        &scenario(
            r#"
            name = "late chats"
            [run]
            from = "08:00"
            to = "10:00"
            replications = 4
            [queue.chats]
            channel = "chat"
            [customers.chatters]
            queue = "chats"
            arrivals = { per_hour = 60 }
            patience = { mean_s = 7200 }
            handling = { talk = { mean_s = 120 } }
            [operators.team]
            queues = ["chats"]
            chat_limit = 3
            staffing = [{ from = "08:00", interval_min = 60, counts = [0, 5] }]
            "#,
        ),
        &Options { check: true, ..threads(1) },
    );
    assert_eq!(results.failed_identities(), []);
    let counts = results.counts(Scope::All);
    assert!((160..320).contains(&counts.refused) && (160..320).contains(&counts.offered), "{counts:?}");
    assert!(counts.answered + 10 > counts.offered, "whoever came later is served at once: {counts:?}");
}
