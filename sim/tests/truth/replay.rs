//! Eight hundred logged calls with given service and patience: what becomes of each is known to the microsecond.

use callfloor_measure::{Counts, Scope};
use callfloor_scenario::Files;

use crate::reference::{Row, number, table};
use crate::support::{Judge, simulate_with};

/// Half-second values of the table in whole microseconds.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "seconds of a day, not negative")]
fn us(row: &Row, column: &str) -> u64 {
    (number(row, column) * 1e6).round() as u64
}

/// The rows as the trace of a scenario.
struct Trace(String);

impl Files for Trace {
    fn read(&self, name: &str) -> Result<String, String> {
        (name == "calls.csv").then(|| self.0.clone()).ok_or_else(|| "no such file".to_owned())
    }
}

/// Each minute is an interval of its own, so that the 800 calls (two in a minute, seldom more) are all but told apart.
#[test]
fn first_come_first_served_call_by_call() {
    let rows = table("fcfs_replay.csv");
    if rows.is_empty() {
        return;
    }
    let mut trace = "time,patience_s,talk_s\n".to_owned();
    for row in &rows {
        trace += &format!("{},{},{}\n", row["arrival_s"], row["patience_s"], row["service_s"]);
    }
    let files = Trace(trace);
    let mut judge = Judge::default();
    for operators in [4, 5, 6, 8] {
        let text = format!(
            "
[run]
replications = 1
interval_min = 1
[queue.line]
[customers.callers]
arrivals = {{ trace = \"calls.csv\" }}
patience = {{ mean_s = 1.0 }}
handling = {{ talk = {{ mean_s = 1.0 }} }}
[operators.crew]
count = {operators}
auto_answer = true
"
        );
        let results = simulate_with(&text, &files);
        let mut expected = vec![Counts::default(); 1440];
        for row in &rows {
            let arrival_us = us(row, "arrival_s");
            let counts = &mut expected[usize::try_from(arrival_us / 60_000_000).unwrap()];
            counts.offered += 1;
            if row[&format!("outcome_c{operators}")] == "served" {
                let start_us = us(row, &format!("start_s_c{operators}"));
                counts.answered += 1;
                counts.wait_answered_us += start_us - arrival_us;
                counts.delayed += u64::from(start_us > arrival_us);
            } else {
                let leave_us = us(row, &format!("leave_s_c{operators}"));
                counts.abandoned += 1;
                counts.wait_abandoned_us += leave_us - arrival_us;
                counts.delayed += 1;
            }
        }
        assert!(results.failed_identities().is_empty());
        for (minute, wanted) in expected.iter().enumerate() {
            let found = results.counts_in(Scope::All, minute);
            let what = |name: &str| format!("{operators} operators, minute {minute}, {name}");
            judge.equal(&what("offered"), found.offered as f64, wanted.offered as f64);
            judge.equal(&what("answered"), found.answered as f64, wanted.answered as f64);
            judge.equal(&what("abandoned"), found.abandoned as f64, wanted.abandoned as f64);
            judge.equal(&what("delayed"), found.delayed as f64, wanted.delayed as f64);
            judge.equal(&what("waits, µs"), found.wait_answered_us as f64, wanted.wait_answered_us as f64);
            judge.equal(&what("lost waits, µs"), found.wait_abandoned_us as f64, wanted.wait_abandoned_us as f64);
        }
        let talk_us: u64 = rows
            .iter()
            .filter(|row| row[&format!("outcome_c{operators}")] == "served")
            .map(|row| us(row, "service_s"))
            .sum();
        judge.equal("talk, µs", results.counts(Scope::All).talk_us as f64, talk_us as f64);
    }
    judge.finish();
}
