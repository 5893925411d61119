//! The replay of `validate` against the reference of 800 real arrivals with given services and patience: first come,
//! first served by 4, 5, 6 and 8 operators, where every start and every outcome is known.

use std::path::PathBuf;

use callfloor_scenario::Scenario;
use callfloor_sim::fit::duty::{Duty, Plan};
use callfloor_sim::validate::replay::{Caller, Outcome, replay};

const SCENARIO: &str = r#"
[run]
[queue.calls]
[customers.callers]
arrivals = { per_hour = 1 }
handling = { talk = { mean_s = 1 } }
[operators.team]
auto_answer = true
count = COUNT
"#;

fn micros(seconds: &str) -> u64 {
    let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, "0"));
    let fraction = format!("{fraction:0<6}");
    whole.parse::<u64>().unwrap() * 1_000_000 + fraction[..6].parse::<u64>().unwrap()
}

#[test]
fn every_start_and_outcome_of_the_reference() {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let path = std::env::var_os("CALLFLOOR_DATA").map_or_else(beside, PathBuf::from).join("reference/fcfs_replay.csv");
    if !path.is_file() {
        println!("skipped: no data at {}", path.display());
        return;
    }
    let mut reader = csv::Reader::from_path(&path).unwrap();
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let at = |name: &str| header.iter().position(|h| h == name).unwrap();
    for operators in [4, 5, 6, 8] {
        let text = SCENARIO.replace("COUNT", &operators.to_string());
        let scenario = Scenario::parse("fcfs.toml", &text, &callfloor_scenario::NoFiles).unwrap();
        let floor = scenario.floor_plan().unwrap();
        let plan = Plan { operator: None, duties: vec![Duty::Comes { at_s: 0 }, Duty::Goes { due_s: 200_000 }] };
        let callers: Vec<Caller> = rows
            .iter()
            .map(|row| Caller {
                at_us: micros(&row[at("arrival_s")]),
                entry: floor.entries[0],
                priority: 0,
                answer_us: 0,
                patience_us: Some(micros(&row[at("patience_s")])),
                talk_us: micros(&row[at("service_s")]),
                after_call_us: 0,
            })
            .collect();
        let outcomes = replay(&floor.config, &callers, &vec![plan; operators]);
        for ((row, caller), outcome) in rows.iter().zip(&callers).zip(outcomes) {
            let served = &row[at(&format!("outcome_c{operators}"))] == "served";
            let until = if served { format!("start_s_c{operators}") } else { format!("leave_s_c{operators}") };
            let wait_us = micros(&row[at(&until)]) - caller.at_us;
            assert_eq!(outcome, Outcome { answered: served, wait_us }, "{operators} operators, call {}", &row[0]);
        }
    }
}
