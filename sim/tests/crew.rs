//! A crew that shrinks, and customers who call again: worked out by hand.

use callfloor_measure::{Counts, Scope};
use callfloor_scenario::{Files, Scenario};
use callfloor_sim::{Options, simulate};

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
