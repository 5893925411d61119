//! Operators more or fewer: as it is written, and what it makes of a scenario.

use std::fmt::Write as _;

use callfloor_measure::MergeError;
use callfloor_scenario::{Days, Files, NoFiles, Scenario};
use callfloor_sim::change::{Change, changed_scenario, tidied};
use callfloor_sim::fit::duty::{Duty, Plan};
use callfloor_sim::{Options, simulate};

#[test]
fn a_change_is_read_and_written() {
    for text in ["billing=+2", "billing=-1", "a=b=+2@14:00", "billing=+2@9:30-18:00", "billing=-3@-24:00"] {
        assert_eq!(text.parse::<Change>().unwrap().to_string(), text);
    }
    for (wrong, words) in [
        ("billing", "one as billing=+2"),
        ("billing=2", "one as billing=+2"),
        ("billing=+x", "one as billing=+2"),
        ("billing=+1001", "at most 1000"),
        ("billing=+2@14", "\"14\" is no time of day"),
        ("billing=+2@25:00", "\"25:00\" is no time of day"),
        ("billing=+2@14:00-13:00", "from 14:00 to 13:00 is no part of a day"),
    ] {
        let told = wrong.parse::<Change>().unwrap_err().to_string();
        assert!(told.contains(words), "{wrong}: {told}");
    }
}

#[test]
fn what_was_over_before_the_day_is_no_part_of_a_plan() {
    let plan = |duties| Plan { operator: Some(3), duties };
    let (comes, goes) = (Duty::Comes { at_s: 32_400 }, Duty::Goes { due_s: 61_200 });
    let lunch = Duty::Break { due_s: 43_200, length_s: 3_600 };
    let whole = plan(vec![comes, lunch, goes]);
    assert_eq!(tidied(&whole), whole);
    // Yesterday's coming and going are at midnight, today's coming ends a break that began there.
    let over = vec![Duty::Comes { at_s: 0 }, Duty::Break { due_s: 0, length_s: 32_400 }, lunch, goes];
    assert_eq!(tidied(&plan(over)), whole);
    assert_eq!(tidied(&plan(vec![Duty::Comes { at_s: 0 }, Duty::Goes { due_s: 0 }])), plan(vec![]));
}

fn plan() -> Scenario {
    let template = callfloor_scenario::template("support-line").unwrap();
    Scenario::parse("support-line", template.text, &NoFiles).unwrap()
}

/// Operators who are there at each half-hour of a working day, over all groups.
fn there(scenario: &Scenario) -> Vec<u32> {
    let at = |time_us| {
        let shifts = scenario.groups.iter().flat_map(|group| &group.shifts);
        let there = shifts.filter(|shift| shift.days.contains(0, scenario.clock.weekday(0)));
        there.filter(|shift| (shift.from_us..shift.to_us).contains(&time_us)).map(|shift| shift.count.present).sum()
    };
    (0..48).map(|half| at(half * 1_800_000_000)).collect()
}

#[test]
fn a_scenario_has_so_many_more_or_fewer_and_only_then() {
    let base = plan();
    let before = there(&base);
    for (change, from, to, more) in [
        ("support=+2", 0, 48, 2),
        ("support=+2@14:00", 28, 48, 2),
        ("support=+3@14:00-16:30", 28, 33, 3),
        ("support=-1", 0, 48, -1),
        ("support=-1@14:00-16:00", 28, 32, -1),
    ] {
        let (changed, words) = changed_scenario(&base, &[change.parse().unwrap()]).unwrap();
        let expected: Vec<u32> = before
            .iter()
            .enumerate()
            .map(|(half, &count)| match count {
                0 => 0,
                _ if (from..to).contains(&half) => count.saturating_add_signed(more),
                count => count,
            })
            .collect();
        assert_eq!(there(&changed), expected, "{change}");
        assert_eq!(words.len(), 1);
        changed.floor_plan().unwrap();
    }
    for (change, words) in [
        ("billing=+2", "there is no queue \"billing\": the queues are support"),
        ("support=-1000", "leave nobody"),
        ("support=+2@23:30", "a change from 23:30 is none"),
    ] {
        let told = changed_scenario(&base, &[change.parse().unwrap()]).unwrap_err().to_string();
        assert!(told.contains(words), "{change}: {told}");
    }
}

/// Days of different kinds: each day has its own.
#[test]
fn mixed_days_are_changed_day_by_day() {
    let template = callfloor_scenario::template("chat-tickets-blended").unwrap();
    let base = Scenario::parse(template.name, template.text, template).unwrap();
    let queue = base.queues[0].name.clone();
    let (changed, _) = changed_scenario(&base, &[format!("{queue}=+1").parse().unwrap()]).unwrap();
    changed.floor_plan().unwrap();
    let short = Options { replications: Some(2), ..Options::default() };
    let (before, after) = (simulate(&base, &short).unwrap(), simulate(&changed, &short).unwrap());
    assert_ne!(before.results, after.results);
}

/// More people answer more calls in time, and who called is the same.
#[test]
fn two_more_are_better_under_the_same_customers() {
    use callfloor_measure::{Metric, Results, Scope};
    let base = plan();
    let options = Options { replications: Some(5), ..Options::default() };
    let run = |scenario: &Scenario| simulate(scenario, &options).unwrap().results;
    let (before, same) = (run(&base), run(&changed_scenario(&base, &[]).unwrap().0));
    assert_eq!(before, same, "no change changes nothing");
    let (more, _) = changed_scenario(&base, &["support=+2@14:00".parse().unwrap()]).unwrap();
    let (fewer, _) = changed_scenario(&base, &["support=-2@14:00".parse().unwrap()]).unwrap();
    let (more, fewer) = (run(&more), run(&fewer));
    let gain = |other: &Results| {
        Results::difference((&before, Scope::All), (other, Scope::All), Metric::ServiceLevel).unwrap().value
    };
    assert!(gain(&more) > 0.0 && gain(&fewer) < 0.0, "{} {}", gain(&more), gain(&fewer));
}

#[test]
fn results_of_a_changed_plan_say_so_and_are_no_part_of_the_plans_own() {
    let base = plan();
    let options = Options { replications: Some(1), precision: Some(None), ..Options::default() };
    let results = |scenario: &Scenario| simulate(scenario, &options).unwrap().results;
    let (fewer, _) = changed_scenario(&base, &["support=-1".parse().unwrap()]).unwrap();
    let (mut plan, changed) = (results(&base), results(&fewer));
    assert_eq!(changed.header().scenario, format!("{}, 1 fewer for \"support\"", base.name));
    assert!(matches!(plan.merge(&changed), Err(MergeError::OtherRun { .. })));
    let (same, words) = changed_scenario(&base, &[]).unwrap();
    assert_eq!((same.name, words), (base.name, vec![]));
}

/// A roster of its own text.
struct Roster(String);

impl Files for Roster {
    fn read(&self, _: &str) -> Result<String, String> {
        Ok(self.0.clone())
    }
}

/// 50 operators with a roster of their own each, of 5,000 dated shifts in all, are read and changed in moments: nothing in it is done
/// for every shift on every day.
#[test]
fn thousands_of_dated_shifts_are_changed_in_moments() {
    const OPERATORS: u32 = 50;
    const DAYS: u32 = 100;
    let begun = std::time::Instant::now();
    let mut text = format!(
        "name = \"dated\"\n[run]\ndate = 2026-03-02\ndays = {DAYS}\nfrom = \"07:00\"\nto = \"22:00\"\n[queue.line]\n\
         [customers.callers]\narrivals = {{ per_hour = 10 }}\nhandling = {{ talk = {{ mean_s = 60 }} }}\n"
    );
    let mut rows = "group,start,end,count\n".to_owned();
    for operator in 0..OPERATORS {
        writeln!(text, "[operators.op{operator}]\nroster = \"roster.csv\"").unwrap();
        for day in 0..DAYS {
            let date = jiff::civil::date(2026, 3, 2).saturating_add(jiff::Span::new().days(i64::from(day)));
            let from = 7 * 60 + (operator * 7 + day) % 50 * 5;
            let time = |minute: u32| format!("{date} {:02}:{:02}", minute / 60, minute % 60);
            writeln!(rows, "op{operator},{},{},1", time(from), time(from + 480)).unwrap();
        }
    }
    let base = Scenario::parse("dated", &text, &Roster(rows)).unwrap_or_else(|problems| panic!("{problems:?}"));
    let (changed, _) = changed_scenario(&base, &["line=-3@10:00-17:00".parse().unwrap()]).unwrap();
    let took = begun.elapsed();
    for day in [0, 57, DAYS - 1] {
        let there = |scenario: &Scenario, hour: u64| -> u32 {
            let shifts = scenario.groups.iter().flat_map(|group| &group.shifts);
            let at = hour * 3_600_000_000 + 60_000_000;
            let now = shifts.filter(|shift| shift.days == Days::One(day) && (shift.from_us..shift.to_us).contains(&at));
            now.map(|shift| shift.count.present).sum()
        };
        for hour in 8..20 {
            let fewer = if (10..17).contains(&hour) { 3 } else { 0 };
            assert_eq!(there(&changed, hour), there(&base, hour).saturating_sub(fewer), "day {day}, {hour}:01");
        }
    }
    assert!(took < std::time::Duration::from_secs(10), "{took:?}");
    println!("{took:?}");
}
