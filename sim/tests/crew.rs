//! A crew that shrinks, and customers who call again: worked out by hand.

use callfloor_engine::EndCause;
use callfloor_measure::{Counts, Results, Scope, Status};
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

/// The files of a scenario, by name.
struct Traces(&'static [(&'static str, &'static str)]);

impl Files for Traces {
    fn read(&self, name: &str) -> Result<String, String> {
        let found = self.0.iter().find(|(of, _)| name.ends_with(of));
        found.map(|(_, text)| (*text).to_owned()).ok_or_else(|| format!("{name} is not there"))
    }
}

fn results(files: &dyn Files, text: &str) -> Results {
    let scenario = Scenario::parse("crew.toml", text, files).unwrap_or_else(|problems| panic!("{problems}"));
    let options = Options { replications: Some(1), check: true, ..Options::default() };
    simulate(&scenario, &options).unwrap_or_else(|error| panic!("{error}")).results
}

fn counts(trace: &'static str, text: &str) -> Counts {
    results(&Trace(trace), text).counts(Scope::All)
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

/// One operator for calls and chats, whose second call comes while they are not free for it.
fn blended(to: &str, crew: &str) -> String {
    format!(
        r#"
[run]
from = "00:00"
to = "{to}"
interval_min = 60
[blending]
phone_points = 60
[queue.line]
[queue.talk]
channel = "chat"
[customers.callers]
queue = "line"
arrivals = {{ trace = "calls.csv" }}
handling = {{ talk = {{ mean_s = 1.0 }}, after_call = {{ kind = "constant", value_s = 300.0 }} }}
[customers.chatters]
queue = "talk"
arrivals = {{ trace = "chats.csv" }}
handling = {{ talk = {{ mean_s = 1.0 }} }}
[operators.crew]
queues = ["line", "talk"]
auto_answer = true
{crew}
"#
    )
}

/// A chat that ends while its operator does after-call work leaves that as long as it is: the call ends at 80 s, its
/// after-call work at 380.
#[test]
fn the_end_of_a_chat_leaves_after_call_work_as_it_is() {
    let files = Traces(&[("calls.csv", "time,talk_s\n20,60\n120,60\n"), ("chats.csv", "time,talk_s\n10,100\n")]);
    let counts = results(&files, &blended("02:00", "count = 1")).counts(Scope::All);
    assert_eq!(counts.answered, 3);
    assert_eq!(counts.wait_answered_us, (380 - 120) * 1_000_000);
}

/// A break that is due at 300 s waits until the chat in hand is over at 610 s, is then as long as it ought to be, and whoever
/// calls meanwhile waits for its end at 1,210 s; a chat that comes meanwhile finds nobody there for chats, and is refused.
#[test]
fn a_break_is_taken_when_what_is_in_hand_is_done_and_in_full() {
    let files = Traces(&[("calls.csv", "time,talk_s\n650,60\n"), ("chats.csv", "time,talk_s\n10,600\n400,60\n")]);
    let crew = r#"shifts = [{ from = "00:00", to = "02:00", count = 1 }]
breaks = [{ after_min = 5, length_min = 10 }]"#;
    let results = results(&files, &blended("02:00", crew));
    let counts = results.counts(Scope::All);
    assert_eq!((counts.answered, counts.refused), (2, 1));
    assert_eq!(counts.wait_answered_us, (1_210 - 650) * 1_000_000);
    assert_eq!(results.staff(Scope::All).in_status(Status::Break), 600 * 1_000_000);
}

/// A chat reaches over the end of one shift into the next: whoever still has it takes chats again with the new shift.
#[test]
fn one_who_takes_up_another_shift_takes_chats_again() {
    let files = Traces(&[("calls.csv", "time,talk_s\n7100,1\n"), ("chats.csv", "time,talk_s\n3300,1500\n4500,60\n")]);
    let crew = r#"shifts = [{ from = "00:00", to = "01:00", count = 1 }, { from = "01:10", to = "02:00", count = 1 }]"#;
    let counts = results(&files, &blended("02:00", crew)).counts(Scope::All);
    assert_eq!((counts.answered, counts.wait_answered_us), (3, 0));
}

/// Breaks at random come as often after some time at home as before it: 200 operators on duty for two and two hours, once an
/// hour. A break that was due in between is of the past.
#[test]
fn breaks_at_random_are_as_many_in_each_shift() {
    let files = Traces(&[("calls.csv", "time,talk_s\n7100,1\n"), ("chats.csv", "time,talk_s\n7100,1\n")]);
    let crew = r#"shifts = [{ from = "00:00", to = "02:00", count = 200 }, { from = "02:30", to = "04:30", count = 200 }]
breaks = [{ per_hour = 1.0, length = { kind = "constant", value_s = 60.0 } }]"#;
    let results = results(&files, &blended("04:30", crew));
    let breaks = results.staff(Scope::All).in_status(Status::Break) as f64 / 60e6;
    // Poisson: 800 with a standard deviation of 28; twice as often in the second shift would be about 1,040.
    assert!((breaks - 800.0).abs() < 4.0 * 28.3, "{breaks}");
}

/// Answered at 60 s by an operator whom the customer hears 2 s later; their patience runs out in between, at 61 s: they hang up.
#[test]
fn patience_runs_on_until_the_answer_is_heard() {
    let floor = r#"
[run]
contacts = 1
[queue.line]
[customers.callers]
arrivals = { trace = "calls.csv" }
patience = { kind = "constant", value_s = 61.0 }
handling = { talk = { kind = "constant", value_s = 300.0 } }
[operators.crew]
answer_delay = { kind = "constant", value_s = 60.0 }
count = 1
[service.main]
ring_limit_s = 90
"#;
    let mut scenario = Scenario::parse("heard.toml", floor, &Trace("time\n10\n")).unwrap_or_else(|e| panic!("{e}"));
    for (heard_s, talk_s) in [(0.0, 300), (0.9, 300), (2.0, 1)] {
        scenario.classes[0].answer_heard_s = heard_s;
        let options = Options { replications: Some(1), check: true, ..Options::default() };
        let counts = simulate(&scenario, &options).unwrap_or_else(|error| panic!("{error}")).results.counts(Scope::All);
        assert_eq!((counts.answered, counts.abandoned), (1, 0));
        assert_eq!(counts.talk_us, talk_s * 1_000_000, "{heard_s}");
    }
}
