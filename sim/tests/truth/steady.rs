//! One pool in steady state: Erlang B, C and A, patience of other kinds, finite queues, constant and general handling.

use std::collections::BTreeMap;

use callfloor_measure::{Estimate, Metric, Results, Scope};

use crate::reference::{Row, number, table, whole};
use crate::support::{Judge, Pool, figure, ratio, scaled, waits_s};

/// Every table's own unit is turned so that the mean handle time is this.
const HANDLE_S: f64 = 180.0;

/// A figure by a table's name for it; times in units of `unit_s` seconds. `None` where Callfloor prints no such figure.
fn measured(results: &Results, metric: &str, unit_s: f64) -> Option<Estimate> {
    let of = |metric| figure(results, metric, Scope::All);
    let time = |metric| scaled(of(metric), 1.0 / unit_s);
    match metric {
        "blocking" | "p_block" => of(Metric::Blocking),
        "p_wait" | "p_wait_entering" => of(Metric::PWait),
        "p_nowait" => ratio(results, |one| {
            let counts = &one.queues[0].counts;
            ((counts.offered - counts.delayed) as f64, counts.offered as f64)
        }),
        "p_abandon" | "p_abandon_entering" => of(Metric::AbandonmentRaw),
        "occupancy" => of(Metric::Occupancy),
        "asa" | "mean_wait_served" => time(Metric::AsaS),
        "mean_wait" | "mean_wait_all" | "wait_entering" => time(Metric::WaitMeanS),
        "mean_wait_abandoned" => time(Metric::AbandonWaitS),
        "mean_queue" => of(Metric::QueueMean),
        "mean_in_system" => ratio(results, |one| {
            let seconds = one.elapsed_us as f64 * 1e-6;
            (waits_s(&one.queues[0].counts) + one.groups[0].busy_us() as f64 * 1e-6, seconds)
        }),
        "sojourn" | "sojourn_entering" => scaled(
            ratio(results, |one| {
                let counts = &one.queues[0].counts;
                (waits_s(counts) + counts.handle_us() as f64 * 1e-6, counts.offered as f64)
            }),
            1.0 / unit_s,
        ),
        "service_level" => of(Metric::ServiceLevelShort),
        "p_served_within_t" => of(Metric::ServiceLevelNegative),
        "p_wait_le_t_given_served" => of(Metric::ServiceLevelHandled),
        "p_wait_le_t_given_abandoned" => ratio(results, |one| {
            let counts = &one.queues[0].counts;
            (counts.abandoned_in_time as f64, counts.abandoned as f64)
        }),
        other => panic!("unknown metric {other}"),
    }
}

/// Simulates each distinct case of a table once and checks its rows.
fn check(name: &str, key: &[&str], not_printed: &[&str], pool: impl Fn(&Row) -> (Pool, f64)) {
    let mut cases: BTreeMap<Vec<String>, Vec<Row>> = BTreeMap::new();
    for row in table(name) {
        if !not_printed.contains(&row["metric"].as_str()) {
            cases.entry(key.iter().map(|column| row[*column].clone()).collect()).or_default().push(row);
        }
    }
    let mut judge = Judge::default();
    for rows in cases.values() {
        let (pool, unit_s) = pool(&rows[0]);
        let results = pool.simulate();
        assert!(results.failed_identities().is_empty(), "{}", rows[0]["id"]);
        for row in rows {
            if row["metric"] == "service_level" && number(row, "value") > 0.999 {
                // Fewer than one call in a thousand, and those in rare bursts: no run of seconds has an interval for it.
                continue;
            }
            let what = format!("{} {}", row["id"], row["metric"]);
            let estimate = measured(&results, &row["metric"], unit_s);
            // Who balks finds everybody busy, which the table counts, and does not wait, which a figure of waits counts.
            let waiting = if row["metric"] == "p_wait" { 1.0 - pool.balking } else { 1.0 };
            judge.agree(&what, estimate, number(row, "value") * waiting, number(row, "tolerance"));
        }
    }
    judge.finish();
}

/// `servers`, `arrival_rate`, `mean_service` and `t` of a row in seconds, and the row's unit of time.
fn pool(row: &Row) -> (Pool, f64) {
    let unit_s = HANDLE_S / number(row, "mean_service");
    let mut pool = Pool::new(whole(row, "servers"), number(row, "arrival_rate") / unit_s, HANDLE_S);
    if let Some(t) = row.get("t")
        && !t.is_empty()
    {
        pool.target_s = number(row, "t") * unit_s;
    }
    (pool, unit_s)
}

#[test]
fn erlang_b() {
    check("erlang_b.csv", &["servers", "offered_load_erl"], &[], |row| {
        let load = number(row, "offered_load_erl");
        let mut pool = Pool::new(whole(row, "servers"), load / HANDLE_S, HANDLE_S);
        pool.places = Some(0);
        (pool, 1.0)
    });
}

#[test]
fn erlang_c() {
    check("erlang_c.csv", &["servers", "arrival_rate", "mean_service", "t"], &[], pool);
}

#[test]
fn erlang_a() {
    // Variances of waits are figures of theory alone.
    let not_printed = ["var_wait_served", "var_wait_abandoned"];
    check("erlang_a.csv", &["servers", "arrival_rate", "mean_service", "patience_mean", "t"], &not_printed, |row| {
        let (mut pool, unit_s) = pool(row);
        let mean_s = number(row, "patience_mean") * unit_s;
        pool.patience = Some((format!("{{ mean_s = {mean_s:?} }}"), mean_s));
        (pool, unit_s)
    });
}

#[test]
fn general_patience() {
    check("mmn_general_patience.csv", &["servers", "arrival_rate", "patience"], &[], |row| {
        let (mut pool, unit_s) = pool(row);
        let (name, arguments) = row["patience"].split_once('(').unwrap();
        let values: Vec<f64> = arguments
            .split([';', ',', ')'])
            .filter_map(|part| part.split('=').next_back()?.split(' ').next()?.parse().ok())
            .collect();
        let s = |value: f64| value * unit_s;
        let text = match (name, values.as_slice()) {
            ("erlang2", &[mean]) => format!("{{ kind = \"erlang\", phases = 2, mean_s = {:?} }}", s(mean)),
            ("lognormal", &[mean, scv]) => {
                format!("{{ kind = \"lognormal\", mean_s = {:?}, cv = {:?} }}", s(mean), scv.sqrt())
            }
            ("weibull", &[shape, scale]) => {
                format!("{{ kind = \"weibull\", shape = {shape:?}, scale_s = {:?} }}", s(scale))
            }
            ("hyperexp2", &[p, rate1, rate2]) => format!(
                "{{ kind = \"hyperexponential\", branches = [{{ weight = {p:?}, mean_s = {:?} }}, {{ weight = {:?}, mean_s = {:?} }}] }}",
                s(1.0 / rate1),
                1.0 - p,
                s(1.0 / rate2)
            ),
            ("uniform", &[low, high]) => {
                format!("{{ kind = \"uniform\", low_s = {:?}, high_s = {:?} }}", s(low), s(high))
            }
            ("balk", &[p, mean]) => {
                assert_eq!(row["patience"], "balk(p=0.1)+exponential(mean=300 given not balking)");
                pool.balking = p;
                format!("{{ mean_s = {:?} }}", s(mean))
            }
            _ => panic!("unknown patience {} {values:?}", row["patience"]),
        };
        pool.patience = Some((text, s(number(row, "patience_mean"))));
        (pool, unit_s)
    });
}

#[test]
fn finite_queue() {
    // The probability of an empty centre is no figure of a queue or a group.
    check("finite_queue.csv", &["servers", "waiting_places", "arrival_rate"], &["p0"], |row| {
        let unit_s = HANDLE_S * number(row, "service_rate");
        let mut pool = Pool::new(whole(row, "servers"), number(row, "arrival_rate") / unit_s, HANDLE_S);
        pool.places = Some(whole(row, "waiting_places"));
        let leaving = number(row, "abandon_rate");
        if leaving > 0.0 {
            let mean_s = unit_s / leaving;
            pool.patience = Some((format!("{{ mean_s = {mean_s:?} }}"), mean_s));
        }
        (pool, unit_s)
    });
}

/// Handling and patience of several kinds at once: W. Whitt, "Engineering solution of a basic call-center model",
/// Management Science 51 (2005), tables 1, 2, 3 and 6. The tables are simulations with intervals of their own.
#[test]
fn general_handling_and_patience() {
    let mut cases: BTreeMap<(String, String), Vec<Row>> = BTreeMap::new();
    for row in table("whitt2005_tables_1_2_3_6.csv") {
        // Variances are figures of theory alone.
        if !row["metric"].starts_with("var_") {
            cases.entry((row["service"].clone(), row["patience"].clone())).or_default().push(row);
        }
    }
    let distribution = |name: &str| match name.split(['(', '=', ';', ')']).collect::<Vec<_>>().as_slice() {
        ["M"] => format!("{{ mean_s = {HANDLE_S:?} }}"),
        ["E2"] => format!("{{ kind = \"erlang\", phases = 2, mean_s = {HANDLE_S:?} }}"),
        ["lognormal", "mean", mean, "scv", scv, ""] => format!(
            "{{ kind = \"lognormal\", mean_s = {:?}, cv = {:?} }}",
            mean.parse::<f64>().unwrap() * HANDLE_S,
            scv.parse::<f64>().unwrap().sqrt()
        ),
        _ => panic!("unknown distribution {name}"),
    };
    let mut judge = Judge::default();
    for ((service, patience), rows) in &cases {
        let row = &rows[0];
        let mut pool = Pool::new(whole(row, "servers"), number(row, "arrival_rate") / HANDLE_S, HANDLE_S);
        pool.handling = distribution(service);
        let mean_s = number(row, "patience_mean") * HANDLE_S;
        pool.patience = Some((distribution(patience), mean_s));
        pool.places = Some(whole(row, "waiting_places"));
        for (target, suffix) in [(0.1, "_0.1_"), (0.2, "_0.2_")] {
            pool.target_s = target * HANDLE_S;
            let results = pool.simulate();
            for row in rows {
                let metric = match row["metric"].as_str() {
                    timed if timed.contains("_le_") && !timed.contains(suffix) => continue,
                    timed => timed.replace(suffix, "_t_"),
                };
                // Where an exact value is known it decides.
                let (value, half_width) = match row["exact_value"].as_str() {
                    "" => (number(row, "value"), number(row, "half_width")),
                    exact => (exact.parse().unwrap(), 0.0),
                };
                let what = format!("{} {service} {patience} {}", row["id"], row["metric"]);
                judge.agree_published(&what, measured(&results, &metric, HANDLE_S), value, half_width);
            }
        }
    }
    judge.finish();
}

#[test]
fn constant_and_general_handling() {
    let mut judge = Judge::default();
    let mut cases: BTreeMap<(String, String, String), Vec<Row>> = BTreeMap::new();
    for row in table("mdc_mg1_priority.csv") {
        if row["model"].starts_with("M/D/c") || row["model"].starts_with("M/G/1") {
            let key = (row["servers"].clone(), row["arrival_rates"].clone(), row["service_scv"].clone());
            cases.entry(key).or_default().push(row);
        }
    }
    for rows in cases.values() {
        let row = &rows[0];
        let unit_s = HANDLE_S / number(row, "mean_service");
        let mut pool = Pool::new(whole(row, "servers"), number(row, "arrival_rates") / unit_s, HANDLE_S);
        let scv = number(row, "service_scv");
        pool.handling = if scv == 0.0 {
            format!("{{ kind = \"constant\", value_s = {HANDLE_S:?} }}")
        } else {
            format!("{{ kind = \"gamma\", mean_s = {HANDLE_S:?}, cv = {:?} }}", scv.sqrt())
        };
        pool.calls = 20_000.0;
        let results = pool.simulate();
        for row in rows {
            let what = format!("{} {}", row["id"], row["metric"]);
            let estimate = measured(&results, &row["metric"], unit_s);
            judge.agree(&what, estimate, number(row, "value"), number(row, "tolerance"));
        }
    }
    judge.finish();
}
