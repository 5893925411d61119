//! The theory against every row of the reference tables, which are data beside the repository.

mod reference;

use callfloor_measure::EarlyAbandons;
use callfloor_sim::theory::staffing::{Targets, fewest_operators, rostered};
use callfloor_sim::theory::{Branch, Demand, Figures, Model, Patience, Thresholds, erlang_b, finite_queue};
use reference::{Row, number, table, whole};

/// Within 1e-10 of the row's value, or its own tolerance where the printed value is rounded more coarsely.
fn check(row: &Row, found: f64) {
    let value = number(row, "value");
    let tolerance = number(row, "tolerance").max(1e-10 * value.abs());
    assert!(
        (found - value).abs() <= tolerance,
        "{} {}: {found} for {value}, off by {:e} with {tolerance:e} allowed",
        row["id"],
        row["metric"],
        found - value,
    );
}

fn demand(row: &Row) -> Demand {
    Demand::per_second(number(row, "arrival_rate"), number(row, "mean_service")).unwrap()
}

/// Thresholds from the column `t`; no call is a short abandonment.
fn thresholds(row: &Row) -> Thresholds {
    let target_s = if row["t"].is_empty() { 20.0 } else { number(row, "t") };
    Thresholds { target_s, short_abandon_s: 0.0 }
}

fn metric(row: &Row, figures: &Figures, demand: Demand) -> f64 {
    let o = &figures.outcomes;
    match row["metric"].as_str() {
        "p_wait" => figures.p_wait,
        "p_nowait" => 1.0 - figures.p_wait,
        "p_abandon" => figures.abandonment_raw,
        "occupancy" => figures.occupancy,
        "asa" | "mean_wait_served" => figures.asa_s,
        "mean_wait_all" => figures.mean_wait_s,
        "mean_wait_abandoned" => figures.mean_wait_abandoned_s().unwrap(),
        "var_wait_served" => figures.wait_answered_sd_s().powi(2),
        "var_wait_abandoned" => figures.wait_abandoned_sd_s().unwrap().powi(2),
        "mean_queue" => figures.mean_queue,
        "mean_in_system" => figures.mean_queue + figures.occupancy * f64::from(figures.operators),
        "sojourn" => figures.mean_wait_s + demand.handle_s(),
        "p_served_within_t" => figures.service_level.unwrap().negative,
        "service_level" => figures.service_level.unwrap().short,
        "p_wait_le_t_given_served" => figures.service_level.unwrap().handled,
        "p_wait_le_t_given_abandoned" => o.abandoned_in_time / o.abandoned,
        other => panic!("{}: unknown metric {other}", row["id"]),
    }
}

#[test]
fn erlang_b_rows() {
    for row in table("erlang_b.csv") {
        assert_eq!(row["metric"], "blocking");
        let (load, servers) = (number(&row, "offered_load_erl"), whole(&row, "servers"));
        check(&row, erlang_b::blocking(load, servers).unwrap());
    }
    for row in table("erlang_b_capacity_table.csv") {
        assert_eq!(row["metric"], "max_offered_load_erl");
        let (servers, blocking) = (whole(&row, "servers"), number(&row, "blocking"));
        check(&row, erlang_b::largest_load(servers, blocking).unwrap());
    }
}

#[test]
fn erlang_c_rows() {
    for row in table("erlang_c.csv") {
        let demand = demand(&row);
        let figures = Model::ErlangC.figures(demand, whole(&row, "servers"), thresholds(&row)).unwrap();
        check(&row, metric(&row, &figures, demand));
    }
}

#[test]
fn erlang_a_rows() {
    for row in table("erlang_a.csv") {
        assert_eq!(row["patience"], "exponential");
        let demand = demand(&row);
        let model = Model::ErlangA { patience_s: number(&row, "patience_mean") };
        let figures = model.figures(demand, whole(&row, "servers"), thresholds(&row)).unwrap();
        check(&row, metric(&row, &figures, demand));
    }
}

/// `lognormal(mean=1;scv=1)` and its like, as the tables write them.
fn patience(text: &str) -> Patience {
    if text == "balk(p=0.1)+exponential(mean=300 given not balking)" {
        let others = Box::new(Patience::Exponential { mean_s: 300.0 });
        return Patience::Balking { share: 0.1, others };
    }
    let (name, arguments) = text.strip_suffix(')').unwrap().split_once('(').unwrap();
    let values: Vec<f64> =
        arguments.split([';', ',']).map(|part| part.rsplit('=').next().unwrap().parse().unwrap()).collect();
    match (name, values.as_slice()) {
        ("erlang2", &[mean_s]) => Patience::Gamma { shape: 2.0, mean_s },
        ("lognormal", &[mean_s, scv]) => Patience::Lognormal { mean_s, scv },
        ("weibull", &[shape, scale_s]) => Patience::Weibull { shape, scale_s },
        ("hyperexp2", &[share, rate1, rate2]) => Patience::Hyperexponential {
            branches: vec![Branch { share, mean_s: 1.0 / rate1 }, Branch { share: 1.0 - share, mean_s: 1.0 / rate2 }],
        },
        ("uniform", &[low_s, high_s]) => Patience::Uniform { low_s, high_s },
        _ => panic!("unknown patience {text}"),
    }
}

#[test]
fn general_patience_rows() {
    for row in table("mmn_general_patience.csv") {
        let demand = demand(&row);
        let model = Model::GeneralPatience(patience(&row["patience"]));
        let figures = model.figures(demand, whole(&row, "servers"), thresholds(&row)).unwrap();
        check(&row, metric(&row, &figures, demand));
    }
}

#[test]
fn finite_queue_rows() {
    for row in table("finite_queue.csv") {
        let service_s = 1.0 / number(&row, "service_rate");
        let demand = Demand::per_second(number(&row, "arrival_rate"), service_s).unwrap();
        let leaving = number(&row, "abandon_rate");
        let patience_s = (leaving > 0.0).then(|| 1.0 / leaving);
        let (servers, waiting_places) = (whole(&row, "servers"), whole(&row, "waiting_places"));
        let model = Model::Finite { waiting_places, patience_s };
        let figures = model.figures(demand, servers, Thresholds::default()).unwrap();
        let found = match row["metric"].as_str() {
            "p0" => finite_queue::state_probabilities(demand, patience_s, servers, waiting_places).unwrap()[0],
            "p_block" => figures.blocking,
            "p_wait_entering" => figures.p_wait,
            "wait_entering" => figures.mean_wait_s,
            "sojourn_entering" => figures.mean_wait_s + service_s,
            "p_abandon_entering" => figures.abandonment_raw,
            _ => metric(&row, &figures, demand),
        };
        check(&row, found);
    }
}

#[test]
fn min_staffing_rows() {
    for row in table("min_staffing.csv") {
        // Whitt's unit of time is the mean service time, 100 calls in each.
        let unit = row["arrivals_per_interval"].strip_suffix(" per unit");
        let demand = match unit {
            Some(calls) => Demand::per_second(calls.parse().unwrap(), 1.0),
            None => Demand::per_second(
                number(&row, "arrivals_per_interval") / number(&row, "interval_s"),
                number(&row, "mean_service_s"),
            ),
        }
        .unwrap();
        let mut targets = Targets::default();
        let mut thresholds = Thresholds { target_s: 20.0, short_abandon_s: 0.0 };
        for target in row["targets"].split(';') {
            let limit = |text: &str| text.trim_start_matches('=').trim_end_matches('s').parse().unwrap();
            if let Some(sl) = target.strip_prefix("sl>=") {
                let (level, seconds) = sl.split_once('@').unwrap();
                targets.service_level = Some((EarlyAbandons::Short, limit(level)));
                thresholds.target_s = limit(seconds);
            } else if let Some(level) = target.strip_prefix("served within 20s>=") {
                targets.service_level = Some((EarlyAbandons::Negative, limit(level)));
            } else if let Some(level) = target.strip_prefix("P(W<=0.1|served)>=") {
                targets.service_level = Some((EarlyAbandons::Handled, limit(level)));
                thresholds.target_s = 0.1;
            } else if let Some(share) = target.strip_prefix("occ<=") {
                targets.max_occupancy = Some(limit(share));
            } else if let Some(share) = target.strip_prefix("blocking<=") {
                targets.max_blocking = Some(limit(share));
            } else if let Some(seconds) = target.strip_prefix("asa<=") {
                targets.max_asa_s = Some(limit(seconds));
            } else if let Some(share) = target.strip_prefix("abandon<=") {
                targets.max_abandonment = Some(limit(share));
            } else if let Some(share) = target.strip_prefix("abandon<") {
                targets.max_abandonment = Some(limit(share));
            } else {
                panic!("{}: unknown target {target}", row["id"]);
            }
        }
        let model = match row["model"].as_str() {
            "erlang_b" => Model::ErlangB,
            "erlang_c" => Model::ErlangC,
            "erlang_a" => Model::ErlangA { patience_s: number(&row, "patience_mean_s") },
            // 200 waiting places are never full here, and patience, not service, decides (Whitt 2005, section 2).
            "M/E2/s/200+E2" => {
                Model::GeneralPatience(Patience::Gamma { shape: 2.0, mean_s: number(&row, "patience_mean_s") })
            }
            other => panic!("{}: unknown model {other}", row["id"]),
        };
        let operators = fewest_operators(&model, demand, thresholds, targets).unwrap().operators;
        let found = match row["metric"].as_str() {
            "min_agents" => operators,
            "scheduled_with_shrinkage" => rostered(operators, number(&row, "shrinkage")).unwrap(),
            other => panic!("{}: unknown metric {other}", row["id"]),
        };
        assert_eq!(found, whole(&row, "value"), "{}", row["id"]);
    }
}
