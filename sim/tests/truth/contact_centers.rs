//! The examples of the ContactCenters library (Buist and L'Ecuyer): whole days and weeks, of which the means over a thousand
//! replications and their intervals were published.

use std::collections::BTreeMap;

use callfloor_measure::{Counts, Ratio, Results, Scope, Status};

use crate::reference::{Row, number, table};
use crate::support::{Judge, LEVEL, mean, simulate};

/// The rows of a model by `scope metric`.
fn rows(model: &str) -> BTreeMap<String, Row> {
    table("contactcenters_examples.csv")
        .into_iter()
        .filter(|row| row["model"] == model)
        .map(|row| (format!("{} {}", row["scope"], row["metric"]), row))
        .collect()
}

/// So many runs with seeds of their own, `replications` in each.
fn runs(count: u64, replications: u32, scenario: &str) -> Vec<Results> {
    (1..=count)
        .map(|seed| simulate(&format!("[run]\nseed = {seed}\nreplications = {replications}\n{scenario}")))
        .collect()
}

/// One replication with a seed of its own.
fn simulate_once(seed: u64, scenario: &str) -> Results {
    simulate(&format!("[run]\nseed = {seed}\nreplications = 1\n{scenario}"))
}

/// A sum over a run as a mean over its replications.
fn each(run: &Results, sum: u64) -> f64 {
    sum as f64 / run.replications().len() as f64
}

/// Checks a mean over runs against a published mean: within the 99.9 % interval of their difference.
fn judge_row(judge: &mut Judge, row: &Row, runs: &[Results], value: impl Fn(&Results) -> f64) {
    let what = format!("{} {} {} {}", row["id"], row["model"], row["scope"], row["metric"]);
    judge.agree_published(&what, mean(runs, value), number(row, "value"), number(row, "half_width"));
}

#[test]
fn one_pool_for_a_day() {
    let mut judge = Judge::default();
    for (model, extra) in [("MMC", ""), ("MMCAb", "patience = { mean_s = 60.0 }\n"), ("MMCBlocked", "")] {
        let rows = rows(model);
        if rows.is_empty() {
            return;
        }
        let limit = if model == "MMCBlocked" { "limit = 5\n" } else { "" };
        let runs = runs(
            20,
            20,
            &format!(
                "to = \"16:00\"\ninterval_min = 480\n[queue.line]\n{limit}\
                 [customers.callers]\n{extra}arrivals = {{ intervals = [{{ per_hour = [252.0] }}] }}\n\
                 handling = {{ talk = {{ mean_s = 120.0 }} }}\n[operators.crew]\ncount = 12\nauto_answer = true\n"
            ),
        );
        let all = |run: &Results| run.counts(Scope::All);
        for (name, row) in &rows {
            let value: &dyn Fn(&Results) -> f64 = match name.as_str() {
                "day served_with_wait_below_20s" => &|run| each(run, all(run).answered_in_time),
                "day that_over_served" => &|run| all(run).answered_in_time as f64 / all(run).answered as f64,
                "day mean_wait_served_min" => &|run| all(run).wait_answered_us as f64 / all(run).answered as f64 / 60e6,
                "0-480min occupancy" => &|run| each(run, run.staff_in(Scope::All, 0).busy_us()) / (12.0 * 480.0 * 60e6),
                "day abandoned" => &|run| each(run, all(run).abandoned),
                "day blocked" => &|run| each(run, all(run).refused),
                "day good_over_served_plus_abandoned_after_20s" => &|run| {
                    let counts = all(run);
                    counts.answered_in_time as f64
                        / (counts.answered + counts.abandoned - counts.abandoned_in_time) as f64
                },
                "day good_over_served_plus_blocked" => {
                    &|run| all(run).answered_in_time as f64 / (all(run).answered + all(run).refused) as f64
                }
                other => panic!("unknown figure {other}"),
            };
            judge_row(&mut judge, row, &runs, value);
        }
    }
    judge.finish();
}

/// SimpleMSK, with statistics by `interval_min`.
fn three_types(interval_min: u32) -> String {
    let rates = [[4.2, 5.3, 3.2], [5.1, 4.3, 4.8], [6.3, 5.2, 4.8]];
    let (services_per_min, leaving_per_min) = ([0.5, 0.6, 0.4], [0.3, 0.4, 0.2]);
    let mut scenario = format!("to = \"10:00\"\ninterval_min = {interval_min}\n");
    for (kind, rates) in rates.iter().enumerate() {
        scenario += &format!("[queue.type{kind}]\n");
        for (period, rate) in rates.iter().enumerate() {
            // Handling and patience go by the period of arrival: a class for each.
            scenario += &format!(
                "[customers.type{kind}period{period}]\nqueue = \"type{kind}\"\npatience = {{ mean_s = {:?} }}\n\
                 handling = {{ talk = {{ mean_s = {:?} }} }}\n[customers.type{kind}period{period}.arrivals]\n\
                 intervals = [{{ from = \"0{}:00\", interval_min = 120, per_hour = [{:?}] }}]\n\
                 day_factor = {{ cv = {:?}, shared = true }}\n",
                60.0 / leaving_per_min[period],
                60.0 / services_per_min[period],
                2 * period,
                rate * 60.0,
                28.7_f64.sqrt().recip(),
            );
        }
    }
    // After the end the last staffing stays.
    scenario += "[operators.group0]\nauto_answer = true\nqueues = [\"type0\", \"type1\"]\n\
                 staffing = [{ interval_min = 120, counts = [12, 18, 9, 9, 9] }]\n\
                 [operators.group1]\nauto_answer = true\nqueues = [{ queue = \"type1\", level = 2 }, \"type2\"]\n\
                 staffing = [{ interval_min = 120, counts = [15, 20, 11, 11, 11] }]\n";
    scenario
}

/// Busy time of group 0 and its time on duty, until the minute in which the last call ends.
fn until_the_last_call(run: &Results) -> (f64, f64) {
    let busy_in = |minute: usize| run.staff_in(Scope::All, minute).busy_us();
    let end = (0..run.header().grid.intervals).rev().find(|minute| busy_in(*minute) > 0).expect("a call") + 1;
    (0..end).map(|minute| run.staff_in(Scope::Group(0), minute)).fold((0.0, 0.0), |(busy, on_duty), times| {
        let own = times.busy_us() as f64;
        (busy + own, on_duty + own + times.in_status(Status::Ready) as f64)
    })
}

#[test]
fn three_types_two_groups_and_busy_days() {
    let rows = rows("SimpleMSK");
    if rows.is_empty() {
        return;
    }
    let runs = runs(30, 30, &three_types(120));
    let mut judge = Judge::default();
    for (name, row) in &rows {
        let all = |run: &Results| run.counts(Scope::All);
        if let Some(place) = name.strip_prefix("type ") {
            let digit = |at: usize| place[at..=at].parse::<usize>().unwrap();
            let (kind, period) = (digit(0), digit("0 period ".len()));
            judge_row(&mut judge, row, &runs, |run| {
                each(run, run.counts_in(Scope::Queue(kind), period).answered_in_time)
            });
            continue;
        }
        let value: &dyn Fn(&Results) -> f64 = match name.as_str() {
            "day served" => &|run| each(run, all(run).answered),
            "day abandoned" => &|run| each(run, all(run).abandoned),
            "day good_over_served_plus_abandoned_after_20s" => &|run| {
                let Counts { answered, answered_in_time, abandoned, abandoned_in_time, .. } = all(run);
                answered_in_time as f64 / (answered + abandoned - abandoned_in_time) as f64
            },
            "group 0 occupancy_with_finishing_agents" => {
                // A ratio of means over days, each of which ends by itself.
                let text = three_types(1);
                let days = (1..=200).map(|seed| until_the_last_call(&simulate_once(seed, &text)));
                let estimate = Ratio::over(days).estimate(LEVEL);
                let what = format!("{} {name}", row["id"]);
                judge.agree_published(&what, estimate, number(row, "value"), number(row, "half_width"));
                continue;
            }
            other => panic!("unknown figure {other}"),
        };
        judge_row(&mut judge, row, &runs, value);
    }
    judge.finish();
}

#[test]
fn a_week_of_a_telethon() {
    let rows = rows("Telethon");
    if rows.is_empty() {
        return;
    }
    // At closing time the original disconnects those who still wait (0.28 in a week); here they leave a message when
    // their 2 min are over, or abandon before: the two ends are judged together.
    let runs = runs(
        20,
        30,
        "days = 5\nfrom = \"06:00\"\nto = \"10:00\"\ninterval_min = 60\n\
         [queue.line]\nlimit = 12\nmax_wait_s = 120.0\noverflow = \"voicemail\"\nservice_level = { threshold_s = 60.0 }\n\
         [customers.callers]\narrivals = { per_hour = 50.0 }\npatience = { mean_s = 120.0 }\n\
         handling = { talk = { mean_s = 600.0 } }\n\
         [operators.crew]\nauto_answer = true\nshifts = [{ from = \"06:00\", to = \"10:00\", count = 12 }]\n",
    );
    let all = |run: &Results| run.counts(Scope::All);
    let mut judge = Judge::default();
    let mut unserved = (0.0, 0.0);
    for (name, row) in &rows {
        let value: &dyn Fn(&Results) -> f64 = match name.as_str() {
            "week arrivals" => &|run| each(run, all(run).offered),
            "week served" => &|run| each(run, all(run).answered),
            "week served_with_wait_below_1min" => &|run| each(run, all(run).answered_in_time),
            "week mean_wait_served_min" => &|run| all(run).wait_answered_us as f64 / all(run).answered as f64 / 60e6,
            "week busy_time_over_scheduled_time_pct" => {
                &|run| each(run, run.staff(Scope::All).busy_us()) / (12.0 * 20.0 * 3600e6) * 100.0
            }
            "week abandoned" | "week left_message_at_2min" | "week disconnected_at_closing" => {
                unserved.0 += number(row, "value");
                unserved.1 += number(row, "half_width");
                continue;
            }
            other => panic!("unknown figure {other}"),
        };
        judge_row(&mut judge, row, &runs, value);
    }
    let lost = mean(&runs, |run| each(run, all(run).abandoned + all(run).flowed_out));
    judge.agree_published("abandoned, message or disconnected", lost, unserved.0, unserved.1);
    judge.finish();
}

#[test]
fn a_week_in_two_languages_with_redials() {
    let rows = rows("Bilingual");
    if rows.is_empty() {
        return;
    }
    let class = |name: &str, low_s: f64, high_s: f64| {
        format!(
            "[queue.{name}]\npolicy = \"random\"\n[customers.{name}]\nqueue = \"{name}\"\npatience = {{ mean_s = 120.0 }}\n\
             arrivals = {{ intervals = [{{ per_hour = [100.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0, 50.0] }}] }}\n\
             redial = {{ probability = 0.75, delay = {{ kind = \"constant\", value_s = 1200.0 }}, max_attempts = 100 }}\n\
             handling = {{ talk = {{ kind = \"uniform\", low_s = {low_s:?}, high_s = {high_s:?} }} }}\n"
        )
    };
    let group = |name: &str, count: u32, queues: &str| {
        format!(
            "[operators.{name}]\nauto_answer = true\nqueues = {queues}\n\
             shifts = [{{ from = \"08:00\", to = \"17:00\", count = {count} }}]\n"
        )
    };
    let scenario = [
        "days = 5\nfrom = \"08:00\"\nto = \"17:00\"\ninterval_min = 60\n".to_owned(),
        class("English", 180.0, 420.0),
        class("Spanish", 240.0, 360.0),
        group("English-only", 7, "[\"English\"]"),
        group("Spanish-only", 7, "[\"Spanish\"]"),
        group("bilingual", 4, "[\"English\", \"Spanish\"]"),
    ]
    .concat();
    let runs = runs(20, 10, &scenario);
    let mut judge = Judge::default();
    for row in rows.values() {
        let scope = |of_operators| {
            runs[0].scope_named(&row["scope"], of_operators).unwrap_or_else(|| {
                assert!(row["scope"].starts_with("all"), "{}", row["scope"]);
                Scope::All
            })
        };
        let value: &dyn Fn(&Results) -> f64 = match row["metric"].as_str() {
            "arrivals_including_retries" => &|run| each(run, run.counts(scope(false)).offered),
            "served" => &|run| each(run, run.counts(scope(false)).answered),
            "abandoned" => &|run| each(run, run.counts(scope(false)).abandoned),
            "busy_time_over_scheduled_time_pct" => &|run| {
                let count = match row["scope"].as_str() {
                    "English-only" | "Spanish-only" => 7.0,
                    "bilingual" => 4.0,
                    _ => 18.0,
                };
                each(run, run.staff(scope(true)).busy_us()) / (count * 45.0 * 3600e6) * 100.0
            },
            // Redials by themselves, and the wait over several calls, are no figures of a queue.
            "retries" | "served_with_total_wait_below_1min" => continue,
            other => panic!("unknown figure {other}"),
        };
        judge_row(&mut judge, row, &runs, value);
    }
    judge.finish();
}
