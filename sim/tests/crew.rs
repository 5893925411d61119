//! A crew that shrinks, and customers who call again: worked out by hand.

use callfloor_engine::EndCause;
use callfloor_measure::{Counts, Scope};
use callfloor_scenario::{Files, Scenario};
use callfloor_sim::{CallLog, CallRow, CallRows, Options, simulate};
use std::sync::Mutex;

/// The one file of a scenario: its trace.
struct Trace(&'static str);

impl Files for Trace {
    fn read(&self, _: &str) -> Result<String, String> {
        Ok(self.0.to_owned())
    }
}

fn counts(trace: &'static str, text: &str) -> Counts {
    let scenario = Scenario::parse("crew.toml", text, &Trace(trace)).unwrap_or_else(|problems| panic!("{problems}"));
    let options = Options { replications: Some(1), check: true, ..Options::default() };
    simulate(&scenario, &options).unwrap_or_else(|error| panic!("{error}")).results.counts(Scope::All)
}

/// Two until 01:00, then one. Both are busy then; the one whose call ends first goes, whoever it is, so that the third call
/// waits for the second of the two ends.
#[test]
fn at_a_drop_of_the_staffing_whoever_is_free_first_goes() {
    let floor = r#"
[run]
from = "00:00"
to = "04:00"
interval_min = 60
[queue.line]
[customers.callers]
arrivals = { trace = "calls.csv" }
handling = { talk = { mean_s = 1.0 } }
[operators.crew]
auto_answer = true
staffing = [{ counts = [2, 1, 1, 1] }]
"#;
    for trace in [
        // 00:10 to 01:05, 00:20 to 01:30, and 00:50 for a minute; then the long one first.
        "time,talk_s\n00:10,3300\n00:20,4200\n00:50,60\n",
        "time,talk_s\n00:10,4800\n00:20,2700\n00:50,60\n",
    ] {
        let counts = counts(trace, floor);
        assert_eq!((counts.answered, counts.delayed), (3, 1), "{trace}");
        assert_eq!(counts.wait_answered_us, 40 * 60_000_000, "{trace}: from 00:50 to 01:30");
    }
}

/// Nobody answers: the caller gives up after their own patience at each of four attempts, drawn or given by a trace.
#[test]
fn a_redial_is_the_same_person() {
    let floor = |arrivals: &str, attempts: u32| {
        format!(
            r#"
[run]
contacts = 1
[queue.line]
[customers.callers]
arrivals = {{ {arrivals} }}
patience = {{ mean_s = 200.0 }}
redial = {{ probability = 1.0, delay = {{ kind = "constant", value_s = 600.0 }}, max_attempts = {attempts} }}
handling = {{ talk = {{ mean_s = 60.0 }} }}
[operators.crew]
count = 0
"#
        )
    };
    for (trace, arrivals) in [("", "per_hour = 60.0"), ("time,patience_s\n10,77.5\n", "trace = \"calls.csv\"")] {
        let twice = counts(trace, &floor(arrivals, 2));
        let four_times = counts(trace, &floor(arrivals, 4));
        assert_eq!((twice.abandoned, four_times.abandoned), (2, 4), "{arrivals}");
        assert!(twice.wait_abandoned_us > 0);
        assert_eq!(four_times.wait_abandoned_us, 2 * twice.wait_abandoned_us, "{arrivals}");
        if !trace.is_empty() {
            assert_eq!(twice.wait_abandoned_us, 2 * 77_500_000);
        }
    }
}

/// The end of every call in seconds, with its cause.
#[derive(Default)]
struct Ends(Mutex<Vec<(f64, EndCause)>>);

impl CallLog for Ends {
    fn replication(&self, _: u32) -> Box<dyn CallRows + '_> {
        Box::new(self)
    }
}

impl CallRows for &Ends {
    fn call(&mut self, row: &CallRow<'_>) {
        self.0.lock().expect("one thread").push((row.ended_us as f64 / 1e6, row.record.cause));
    }

    fn finish(self: Box<Self>) {}
}

/// Handed on at 110 s to an expert who lets it ring for 30 s: the caller is back in the queue, whose only operator works
/// on until much later, and leaves after as much patience as they ever have.
#[test]
fn one_who_was_handed_on_in_vain_has_patience_again() {
    let floor = |patience: &str| {
        format!(
            r#"
[run]
contacts = 1
[queue.line]
[queue.expert]
[customers.callers]
queue = "line"
arrivals = {{ trace = "calls.csv" }}
{patience}
[customers.callers.handling]
talk = {{ kind = "constant", value_s = 100.0 }}
transfer = {{ probability = 1.0, group = "experts", talk_after = {{ kind = "constant", value_s = 30.0 }} }}
after_call = {{ kind = "constant", value_s = 5000.0 }}
[operators.crew]
queues = ["line"]
auto_answer = true
count = 1
[operators.experts]
queues = ["expert"]
miss = 1.0
count = 1
"#
        )
    };
    for (patience, ends_at) in [
        (r#"patience = {{ kind = "constant", value_s = 60.0 }}"#, 10.0 + 100.0 + 30.0 + 60.0),
        // Without an end to it they wait for the one operator, and talk as they would have done at the expert's.
        ("", 10.0 + 100.0 + 5000.0 + 30.0),
    ] {
        let text = floor(&patience.replace("{{", "{").replace("}}", "}"));
        let scenario = Scenario::parse("again.toml", &text, &Trace("time\n10\n")).unwrap_or_else(|e| panic!("{e}"));
        let ends = Ends::default();
        let options = Options { replications: Some(1), check: true, calls: Some(&ends), ..Options::default() };
        let results = simulate(&scenario, &options).unwrap_or_else(|error| panic!("{error}")).results;
        assert_eq!(*ends.0.lock().expect("done"), [(ends_at, EndCause::CustomerHungUp)], "{patience}");
        let counts = results.counts(Scope::All);
        assert_eq!(
            (counts.offered, counts.answered, counts.abandoned),
            (1, 1, 0),
            "the second wait is none of its own"
        );
        assert_eq!(results.failed_identities(), []);
    }
}
