//! A working day whose rate and staffing change: exact expectations for every half-hour.

use callfloor_measure::{Results, Scope};

use crate::reference::{number, table};
use crate::support::{Judge, mean, simulate, waits_s};

const REPLICATIONS: u32 = 80;

/// One run; times of day from 08:00, so that the boundary between two staffings is no midnight.
fn run(seed: u64) -> Results {
    simulate(&format!(
        "
[run]
seed = {seed}
replications = {REPLICATIONS}
from = \"08:00\"
to = \"16:00\"
interval_min = 30
[queue.day]
[customers.callers]
arrivals = {{ intervals = [{{ per_hour = [60.0, 110.0, 160.0, 200.0, 180.0, 140.0, 90.0, 50.0] }}] }}
patience = {{ mean_s = 360.0 }}
handling = {{ talk = {{ mean_s = 240.0 }} }}
[operators.crew]
auto_answer = true
staffing = [{{ counts = [5, 8, 12, 14, 13, 11, 7, 5, 5, 5, 5, 5, 5, 5, 5, 5] }}]
"
    ))
}

#[test]
fn every_half_hour_of_a_changing_day() {
    let rows = table("time_varying_exact.csv");
    let Some(first) = rows.first() else { return };
    assert_eq!(
        first["params"],
        "periods=8x30min;calls_per_hour=60,110,160,200,180,140,90,50;staff=5,8,12,14,13,11,7,5;\
         mean_service=4min;mean_patience=6min;start empty;agents finish the call in hand at a staffing drop;\
         no arrivals after the end, last staffing stays"
    );
    let runs: Vec<Results> = (1..=30).map(run).collect();
    let days = f64::from(REPLICATIONS);
    let mut judge = Judge::default();
    for row in &rows {
        let intervals = match row["period"].as_str() {
            "after_end" => 8..16,
            "total" => 0..16,
            period => {
                let period: usize = period.parse().unwrap();
                period - 1..period
            }
        };
        let counts = |value: fn(&callfloor_measure::Counts) -> f64| {
            mean(&runs, |run| intervals.clone().map(|i| value(&run.counts_in(Scope::All, i))).sum::<f64>() / days)
        };
        let estimate = match row["metric"].as_str() {
            "expected_arrivals" => counts(|counts| counts.offered as f64),
            "expected_arrivals_finding_no_free_agent" => counts(|counts| counts.delayed as f64),
            // Counted when they leave, as the forward equations do.
            "expected_abandoned" => counts(|counts| counts.abandoned_here as f64),
            // The integral of the queue is known from the waits over the whole day, which its halves are not split by; in a
            // half-hour it is the abandonments there × the mean patience of 6 min.
            "expected_integral_queue" if row["period"] == "total" => counts(|counts| waits_s(counts) / 60.0),
            "expected_integral_queue" => counts(|counts| counts.abandoned_here as f64 * 6.0),
            "expected_integral_busy" => mean(&runs, |run| {
                let busy: u64 = intervals.clone().map(|i| run.staff_in(Scope::All, i).busy_us()).sum();
                busy as f64 / 60e6 / days
            }),
            other => panic!("unknown metric {other}"),
        };
        judge.agree(&row["id"], estimate, number(row, "value"), number(row, "tolerance"));
    }
    judge.finish();
}
