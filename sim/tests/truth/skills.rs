//! Two kinds of calls, specialists and generalists: exact solutions of the N and M designs.

use std::collections::BTreeMap;

use callfloor_measure::{Metric, Scope};

use crate::reference::{Row, number, table};
use crate::support::{Judge, figure, scaled, simulate};

/// The tables' unit of time in seconds: the mean handle time becomes 180 s.
const UNIT_S: f64 = 90.0;

fn scenario(row: &Row) -> String {
    let parameters: BTreeMap<&str, &str> = row["params"].split(';').map(|part| part.split_once('=').unwrap()).collect();
    let value = |name: &str| parameters[name].parse::<f64>().unwrap();
    let mut text = "[run]\nreplications = 20\nhours = 400.0\nwarm_up_hours = 2.0\n".to_owned();
    for kind in ["A", "B"] {
        text += &format!(
            "[queue.{kind}]\n[customers.{kind}]\nqueue = \"{kind}\"\narrivals = {{ per_hour = {:?} }}\n\
             patience = {{ mean_s = {:?} }}\nhandling = {{ talk = {{ mean_s = {:?} }} }}\n",
            value(&format!("lam{kind}")) / UNIT_S * 3600.0,
            UNIT_S / value(&format!("theta{kind}")),
            UNIT_S / value("mu"),
        );
    }
    // A call asks its specialists (level 1) before the generalists (level 2); a generalist takes B before A.
    for group in ["group1", "group2", "group3"] {
        let Some((count, serves)) = parameters.get(group).and_then(|text| text.split_once('(')) else { continue };
        let queues = match (row["design"].as_str(), group, serves) {
            (_, "group1", "A)") => "[\"A\"]",
            ("M", "group2", "B)") => "[\"B\"]",
            ("N", "group2", "B then A)") => "[{ queue = \"B\" }, { queue = \"A\", level = 2, preference = 2 }]",
            ("M", "group3", "B then A)") => {
                "[{ queue = \"B\", level = 2 }, { queue = \"A\", level = 2, preference = 2 }]"
            }
            other => panic!("unknown design {other:?}"),
        };
        text += &format!("[operators.{group}]\ncount = {count}\nauto_answer = true\nqueues = {queues}\n");
    }
    text
}

#[test]
fn the_n_and_m_designs() {
    let mut cases: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in table("multiskill_exact.csv") {
        cases.entry(row["params"].clone()).or_default().push(row);
    }
    let mut judge = Judge::default();
    for rows in cases.values() {
        let results = simulate(&scenario(&rows[0]));
        assert!(results.failed_identities().is_empty(), "{}", rows[0]["id"]);
        for row in rows {
            let metric = row["metric"].as_str();
            let queue = || results.scope_named(&metric[metric.len() - 1..], false).unwrap();
            let estimate = match metric {
                "pwait_A" | "pwait_B" => figure(&results, Metric::PWait, queue()),
                "EqA" | "EqB" => figure(&results, Metric::QueueMean, queue()),
                "pab_A" | "pab_B" => figure(&results, Metric::AbandonmentRaw, queue()),
                "meanwait_A" | "meanwait_B" => scaled(figure(&results, Metric::WaitMeanS, queue()), 1.0 / UNIT_S),
                "occ_1" | "occ_2" | "occ_3" => {
                    let group = metric[4..].parse::<usize>().unwrap() - 1;
                    figure(&results, Metric::Occupancy, Scope::Group(group))
                }
                other => panic!("unknown metric {other}"),
            };
            let what = format!("{} {metric}", row["id"]);
            judge.agree(&what, estimate, number(row, "value"), number(row, "tolerance"));
        }
    }
    judge.finish();
}
