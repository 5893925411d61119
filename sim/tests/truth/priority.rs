//! Non-preemptive priority: M/M/c with classes of one handle time.

use std::collections::BTreeMap;

use callfloor_measure::{Metric, Scope};

use crate::reference::{Row, number, table};
use crate::support::{Judge, figure, scaled, simulate};

const HANDLE_S: f64 = 180.0;

/// Classes by the preference of the operators, each in a queue of its own, so that each has figures of its own; then all in
/// one queue by the customers' priority, where the mean over all is known.
#[test]
fn the_first_class_is_served_first() {
    let mut cases: BTreeMap<(String, String), Vec<Row>> = BTreeMap::new();
    for row in table("mdc_mg1_priority.csv") {
        if row["model"].contains("priority") {
            cases.entry((row["servers"].clone(), row["arrival_rates"].clone())).or_default().push(row);
        }
    }
    let mut judge = Judge::default();
    for rows in cases.values() {
        let row = &rows[0];
        let unit_s = HANDLE_S / number(row, "mean_service");
        let rates: Vec<f64> = row["arrival_rates"].split(';').map(|rate| rate.parse().unwrap()).collect();
        let total: f64 = rates.iter().sum();
        let (servers, load) = (number(row, "servers"), total * number(row, "mean_service"));
        let memory_s = HANDLE_S * (1.0 + 1.0 / (servers * (1.0 - (load / servers).sqrt()).powi(2)));
        let run = format!(
            "[run]\nreplications = 20\nhours = {:?}\nwarm_up_hours = {:?}\n",
            (20_000.0 / total * unit_s).max(10.0 * memory_s) / 3600.0,
            8.0 * memory_s / 3600.0
        );
        let per_hour = |rate: f64| rate / unit_s * 3600.0;

        let mut queues = run.clone();
        let mut served = Vec::new();
        for (class, &rate) in (1..).zip(&rates) {
            queues += &format!(
                "[queue.class{class}]\n[customers.class{class}]\nqueue = \"class{class}\"\n\
                 arrivals = {{ per_hour = {:?} }}\nhandling = {{ talk = {{ mean_s = {HANDLE_S:?} }} }}\n",
                per_hour(rate)
            );
            served.push(format!("{{ queue = \"class{class}\", preference = {class} }}"));
        }
        queues +=
            &format!("[operators.all]\ncount = {servers}\nauto_answer = true\nqueues = [{}]\n", served.join(", "));
        let by_preference = simulate(&queues);

        let mut one_queue = format!("{run}[queue.all]\n");
        for (class, &rate) in (1_u8..).zip(&rates) {
            one_queue += &format!(
                "[customers.class{class}]\npriority = {}\narrivals = {{ per_hour = {:?} }}\n\
                 handling = {{ talk = {{ mean_s = {HANDLE_S:?} }} }}\n",
                10 - class,
                per_hour(rate)
            );
        }
        one_queue += &format!("[operators.all]\ncount = {servers}\nauto_answer = true\n");
        let by_priority = simulate(&one_queue);

        let mut mean_wait = 0.0;
        for row in rows {
            let (value, slack) = (number(row, "value"), number(row, "tolerance"));
            let what = format!("{} {}", row["id"], row["metric"]);
            if let Some(class) = row["metric"].strip_prefix("mean_wait_class") {
                let class = class.parse::<usize>().unwrap() - 1;
                mean_wait += value * rates[class] / total;
                let found = figure(&by_preference, Metric::WaitMeanS, Scope::Queue(class));
                judge.agree(&what, scaled(found, 1.0 / unit_s), value, slack);
            } else {
                assert_eq!(row["metric"], "p_wait");
                judge.agree(&what, figure(&by_preference, Metric::PWait, Scope::All), value, slack);
                let what = format!("{what} in one queue");
                judge.agree(&what, figure(&by_priority, Metric::PWait, Scope::All), value, slack);
            }
        }
        let found = figure(&by_priority, Metric::WaitMeanS, Scope::All);
        judge.agree(&format!("{} mean wait in one queue", row["id"]), scaled(found, 1.0 / unit_s), mean_wait, 1e-6);
    }
    judge.finish();
}
