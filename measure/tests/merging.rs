//! Results of parts merge to the bytes of the whole, and every interval follows from what is kept.

use callfloor_measure::{
    Bound, Channel, Counts, Estimate, Grid, Group, HandlePart, Header, MergeError, Metric, Queue, Results, Scope,
    Status, Tally, Threshold, mean_interval,
};

const INTERVAL_US: u64 = 1_800_000_000;
const INTERVALS: usize = 4;

struct Dice(u64);

impl Dice {
    /// Uniform in `0..limit`: splitmix64, enough for a test.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

fn header() -> Header {
    Header {
        grid: Grid::new(600_000_000, INTERVAL_US, INTERVALS),
        queues: vec![
            Queue { target_level: Some(0.7), ..Queue::new("billing", Channel::Phone) },
            Queue { target_level: Some(0.7), ..Queue::new("support", Channel::Phone) },
        ],
        groups: vec![Group { name: "day".into() }, Group { name: "late".into() }],
        ..Header::new("test", 11)
    }
}

/// A replication of made-up calls: what matters here is that it has some of everything.
fn replication(number: u32, extra_wait_us: u64) -> Tally {
    let header = header();
    let mut tally = Tally::new(&header);
    let mut dice = Dice(u64::from(number));
    let busy_day = dice.below(100);
    for _ in 0..200 + busy_day {
        #[expect(clippy::cast_possible_truncation, reason = "below 2")]
        let queue = dice.below(2) as usize;
        let arrived_us = dice.below(9_000_000_000);
        let wait_us = dice.below(30_000_000 + busy_day * 200_000) + extra_wait_us;
        let arrived = tally.interval_of(arrived_us);
        let now = tally.interval_of(arrived_us + wait_us);
        tally.offered(queue, arrived);
        tally.calls += 1;
        match dice.below(10) {
            0 => tally.abandoned(queue, arrived, now, wait_us),
            1 => tally.flowed_out(queue, arrived, now, wait_us),
            _ => {
                tally.answered(queue, arrived, now, wait_us);
                let (from, to) = (arrived_us + wait_us, arrived_us + wait_us + dice.below(400_000_000));
                tally.handled(queue, HandlePart::Talk, from, to);
                tally.in_status(queue, Status::Talking, from, to);
                tally.paid(queue, from, to + 100_000_000);
                tally.in_status(queue, Status::Ready, to, to + 60_000_000);
            }
        }
    }
    tally.engine_commands = tally.calls * 7;
    tally
}

fn results(numbers: impl IntoIterator<Item = u32>) -> Results {
    let mut results = Results::new(header());
    numbers.into_iter().for_each(|number| results.add(number, &replication(number, 0)));
    results
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * (1.0 + a.abs())
}

#[test]
fn parts_merged_in_any_order_are_the_bytes_of_the_whole() {
    let whole = results(0..12).to_json();
    for parts in [vec![0..5, 5..12], vec![5..12, 0..5], vec![8..12, 0..3, 3..8]] {
        let mut merged = Results::new(header());
        for part in parts {
            merged.merge(&results(part)).unwrap();
        }
        assert_eq!(merged.to_json(), whole);
    }
    assert_eq!(results((0..12).rev()).to_json(), whole, "the order of adding does not matter either");
}

#[test]
fn what_is_no_part_of_the_run_is_refused_and_changes_nothing() {
    let mut results = results(0..4);
    let before = results.clone();
    assert_eq!(results.merge(&before), Err(MergeError::Twice(0)));
    let other = Results::new(Header { seed: 12, ..header() });
    assert!(matches!(results.merge(&other), Err(MergeError::OtherRun { .. })));
    assert_eq!(results, before);
}

#[test]
fn json_gives_the_same_results_back_and_wrong_json_says_where() {
    let results = results(0..3);
    let json = results.to_json();
    assert_eq!(Results::from_json(&json).unwrap(), results);
    let broken = json.replacen("\"seed\":11", "\"seed\":\"eleven\"", 1);
    let error = Results::from_json(&broken).unwrap_err().to_string();
    assert!(error.starts_with("1:") && error.contains("expected u64"), "{error}");
    let shorter = json.replacen("{\"name\":\"late\"}", "", 1).replacen("{\"name\":\"day\"},", "{\"name\":\"day\"}", 1);
    let error = Results::from_json(&shorter).unwrap_err().to_string();
    assert!(error.contains("12 cells of operators where 2 queues, 1 groups and 4 intervals need 4"), "{error}");
}

#[test]
fn a_period_is_the_sum_of_its_queues_and_intervals() {
    let results = results(0..5);
    let mut summed = results.counts(Scope::Queue(0));
    summed += &results.counts(Scope::Queue(1));
    assert_eq!(results.counts(Scope::All), summed);
    let offered: u64 = (0..INTERVALS).map(|interval| results.counts_in(Scope::All, interval).offered).sum();
    assert_eq!(offered, summed.offered);
    assert!(
        summed.offered > 0 && summed.offered < results.calls_simulated(),
        "warm-up and what comes later are not counted"
    );
}

#[test]
fn an_interval_of_the_day_has_the_interval_that_its_replications_give() {
    let results = results(0..20);
    let own = |number| {
        let tally = replication(number, 0);
        let mut counts = tally.counts(0)[2];
        counts += &tally.counts(1)[2];
        counts
    };
    // Mean offered over replications: the plain t interval.
    let offered: Vec<f64> = (0..20).map(|number| own(number).offered as f64).collect();
    let (wanted, found) =
        (mean_interval(&offered, 0.95).unwrap(), results.estimate_in(Metric::Offered, Scope::All, 2).unwrap());
    assert!(close(wanted.value, found.value));
    assert!(close(wanted.interval.unwrap().low, found.interval.unwrap().low));

    // A ratio of sums: t over residuals, computed here the long way.
    type Part = fn(&Counts) -> f64;
    let ratios: [(Metric, Part, Part); 3] = [
        (Metric::AsaS, |c| c.wait_answered_us as f64 * 1e-6, |c| c.answered as f64),
        (
            Metric::ServiceLevel,
            |c| c.answered_in_time as f64,
            |c| (c.offered - c.abandoned_short - c.flowed_out) as f64,
        ),
        (Metric::AhtS, |c| c.handle_us() as f64 * 1e-6, |c| c.answered as f64),
    ];
    for (metric, over, under) in ratios {
        let pairs: Vec<(f64, f64)> = (0..20).map(|number| (over(&own(number)), under(&own(number)))).collect();
        let ratio = pairs.iter().map(|p| p.0).sum::<f64>() / pairs.iter().map(|p| p.1).sum::<f64>();
        let mean_under = pairs.iter().map(|p| p.1).sum::<f64>() / 20.0;
        let residuals: Vec<f64> = pairs.iter().map(|p| (p.0 - ratio * p.1) / mean_under).collect();
        let half = mean_interval(&residuals, 0.95).unwrap().interval.unwrap().half_width();
        let found = results.estimate_in(metric, Scope::All, 2).unwrap();
        assert!(close(found.value, ratio), "{metric}");
        assert!((found.interval.unwrap().half_width() - half).abs() < 1e-6 * half, "{metric}");
    }
}

#[test]
fn an_outbound_queue_adds_its_dials_to_the_whole_and_not_its_talk() {
    let header = Header {
        queues: vec![Queue::new("calls", Channel::Phone), Queue::new("renewals", Channel::Outbound)],
        ..header()
    };
    let mut tally = Tally::new(&header);
    tally.offered(0, Some(0));
    tally.answered(0, Some(0), Some(0), 1);
    tally.counts_mut(0, 0).talk_us = 60_000_000;
    let outbound = tally.counts_mut(1, 0);
    (outbound.talk_us, outbound.dials, outbound.dials_connected) = (500_000_000, 4, 1);
    let mut results = Results::new(header);
    results.add(0, &tally);
    let value = |metric, scope| results.estimate(metric, scope).unwrap().value;
    assert_eq!(value(Metric::AhtS, Scope::All), 60.0);
    assert_eq!(results.estimate_in(Metric::AhtS, Scope::All, 0).unwrap().value, 60.0);
    assert_eq!((value(Metric::Dials, Scope::All), value(Metric::DialConnectRate, Scope::All)), (4.0, 0.25));
    assert_eq!(results.counts(Scope::Queue(1)).talk_us, 500_000_000);
}

#[test]
fn one_interval_and_the_whole_period_agree_where_they_are_the_same() {
    let header = Header { grid: Grid::new(0, 9_000_000_000, 1), ..header() };
    let mut results = Results::new(header.clone());
    for number in 0..10 {
        let mut tally = Tally::new(&header);
        let mut dice = Dice(u64::from(number));
        for _ in 0..300 {
            tally.offered(1, Some(0));
            tally.answered(1, Some(0), Some(0), dice.below(40_000_000));
            tally.in_status(0, Status::Talking, 0, dice.below(1_000_000));
            tally.in_status(0, Status::Ready, 0, 300_000);
        }
        results.add(number, &tally);
    }
    for (metric, scope) in [
        (Metric::ServiceLevel, Scope::All),
        (Metric::AsaS, Scope::Queue(1)),
        (Metric::PMet, Scope::Queue(1)),
        (Metric::Occupancy, Scope::Group(0)),
        (Metric::Offered, Scope::All),
    ] {
        let (period, interval) =
            (results.estimate(metric, scope).unwrap(), results.estimate_in(metric, scope, 0).unwrap());
        assert!(close(period.value, interval.value), "{metric}: {period:?} {interval:?}");
        let ends = |estimate: Estimate| estimate.interval.map(|i| (i.low, i.high)).unwrap();
        assert!(
            (ends(period).0 - ends(interval).0).abs() < 1e-6 && (ends(period).1 - ends(interval).1).abs() < 1e-6,
            "{metric}"
        );
    }
}

#[test]
fn p_met_is_the_share_of_days_that_reached_the_target() {
    let header = header();
    let mut results = Results::new(header.clone());
    for (number, in_time) in [(0, 70), (1, 69), (2, 90), (3, 10)] {
        let mut tally = Tally::new(&header);
        for call in 0..100 {
            tally.offered(0, Some(0));
            tally.answered(0, Some(0), Some(0), if call < in_time { 20_000_000 } else { 20_000_001 });
        }
        results.add(number, &tally);
    }
    results.add(4, &Tally::new(&header));
    let met = results.estimate(Metric::PMet, Scope::All).unwrap();
    assert_eq!(
        (met.value, met.replications),
        (0.5, 4),
        "a day without calls is neither met nor missed; 0.7 itself is met"
    );
    assert_eq!(results.estimate(Metric::ServiceLevel, Scope::All).unwrap().value, (70.0 + 69.0 + 90.0 + 10.0) / 400.0);
    let mean = results.mean_over_replications(Metric::ServiceLevel, Scope::All).unwrap();
    assert_eq!(mean.replications, 4);
}

#[test]
fn common_random_numbers_narrow_a_difference() {
    let (plain, slower) = (results(0..20), {
        let mut results = Results::new(header());
        (0..20).for_each(|number| results.add(number, &replication(number, 2_000_000)));
        results
    });
    let asa = Results::difference((&plain, Scope::All), (&slower, Scope::All), Metric::AsaS).unwrap();
    assert!((asa.value - 2.0).abs() < 1e-9, "{asa:?}");
    let alone = plain.estimate(Metric::AsaS, Scope::All).unwrap().interval.unwrap().half_width();
    assert!(asa.interval.unwrap().half_width() < alone / 100.0);
    let level = Results::difference((&plain, Scope::All), (&slower, Scope::All), Metric::ServiceLevel).unwrap();
    let interval = level.interval.unwrap();
    assert!(level.value < 0.0 && interval.high < 0.0, "slower answers are seen for sure: {level:?}");
    assert!(Results::difference((&plain, Scope::All), (&plain, Scope::All), Metric::WaitP90S).unwrap().value == 0.0);
}

#[test]
fn an_identity_that_does_not_hold_is_reported_with_its_place() {
    let header = header();
    let mut results = Results::new(header.clone());
    let mut tally = Tally::new(&header);
    tally.offered(1, Some(0));
    tally.offered(1, Some(0));
    tally.answered(1, Some(0), Some(1), 1);
    tally.waiting_at_edge(1, 1, 2);
    results.add(0, &tally);
    let failures: Vec<String> = results.failed_identities().iter().map(ToString::to_string).collect();
    assert_eq!(failures, ["queue \"support\", 00:30: W0 + N = 2, but A + B + F + W1 = 1"]);
    let mut mended = Results::new(header);
    tally.abandoned(1, Some(0), Some(1), 5);
    mended.add(0, &tally);
    assert_eq!(mended.failed_identities(), []);
    let counts = mended.counts(Scope::Queue(1));
    assert_eq!(counts.identity(callfloor_measure::CountedBy::Arrival), (2, 2));
}

#[test]
fn a_threshold_is_met_by_the_estimate_and_sure_by_its_interval() {
    let results = results(0..10);
    let level = results.estimate(Metric::ServiceLevel, Scope::Queue(0)).unwrap();
    let judge = |limit, bound| {
        let of = Some("billing".to_owned());
        Threshold { metric: Metric::ServiceLevel, of, every_interval: false, bound, limit }.judge(&results).unwrap()
    };
    let interval = level.interval.unwrap();
    let verdict = |limit, bound| (judge(limit, bound).met, judge(limit, bound).sure);
    assert_eq!(verdict(level.value, Bound::AtLeast), (true, false));
    assert_eq!(verdict(interval.low, Bound::AtLeast), (true, true));
    assert_eq!(verdict(interval.high, Bound::AtLeast), (false, false));
    assert_eq!(verdict(interval.high + 0.01, Bound::AtLeast), (false, true));
    assert_eq!(verdict(interval.low - 0.01, Bound::AtMost), (false, true));
    let nowhere = Threshold {
        metric: Metric::AsaS,
        of: Some("sales".into()),
        every_interval: false,
        bound: Bound::AtMost,
        limit: 1.0,
    };
    assert!(nowhere.judge(&results).unwrap_err().contains("no \"sales\""));
    let every = Threshold { of: None, every_interval: true, limit: 0.0, ..nowhere };
    let verdict = every.judge(&results).unwrap();
    let asas: Vec<f64> =
        (0..INTERVALS).map(|i| results.estimate_in(Metric::AsaS, Scope::All, i).unwrap().value).collect();
    let worst = verdict.interval.unwrap();
    assert!(
        !verdict.met && asas.iter().all(|asa| *asa <= asas[worst]) && verdict.estimate.unwrap().value == asas[worst]
    );
}
