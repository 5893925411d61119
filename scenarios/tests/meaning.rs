//! What a file says is what the checked scenario holds: units, defaults, conversions, CSV files.

use std::collections::BTreeMap;

use callfloor_measure::{EarlyAbandons, Metric};
use callfloor_scenario::clock::{DAY_US, HOUR_US, MINUTE_US, SECOND_US};
use callfloor_scenario::{
    Arrivals, BreakPlan, Days, Distribution, Entry, Files, Horizon, MeanHandling, NoFiles, Overflow, Policy,
    PriorityRule, RatePiece, Rostered, Scenario, Shift, StepKind, ThresholdScope, TraceArrival,
};

struct Beside(BTreeMap<&'static str, &'static str>);

impl Files for Beside {
    fn read(&self, name: &str) -> Result<String, String> {
        self.0.get(name).map(|text| (*text).to_owned()).ok_or_else(|| "no such file".into())
    }
}

fn parse(text: &str) -> Scenario {
    Scenario::parse("x.toml", text, &NoFiles).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A scenario with these arrivals, files beside it and lines before it.
fn arriving(before: &str, arrivals: &str, files: &[(&'static str, &'static str)]) -> Scenario {
    let text = format!(
        "{before}\n[queue.q]\n[customers.c]\narrivals = {arrivals}\nhandling = {{ talk = {{ mean_s = 60 }} }}\n[operators.o]\ncount = 1\n"
    );
    let files = Beside(files.iter().copied().collect());
    Scenario::parse("x.toml", &text, &files).unwrap_or_else(|problems| panic!("{problems}"))
}

fn pieces(scenario: &Scenario) -> &[RatePiece] {
    match &scenario.classes[0].arrivals {
        Arrivals::Rates { pieces, .. } => pieces,
        Arrivals::Trace { .. } => panic!("a trace"),
    }
}

/// A scenario with these operators (lines of their table).
fn staffed(before: &str, operators: &str, files: &[(&'static str, &'static str)]) -> Vec<Shift> {
    let text = format!(
        "{before}\n[queue.q]\n[customers.c]\narrivals = {{ per_hour = 1 }}\nhandling = {{ talk = {{ mean_s = 60 }} }}\n[operators.o]\n{operators}\n"
    );
    let files = Beside(files.iter().copied().collect());
    let scenario = Scenario::parse("x.toml", &text, &files).unwrap_or_else(|problems| panic!("{problems}"));
    scenario.groups[0].shifts.clone()
}

const fn all(count: u32) -> Rostered {
    Rostered { rostered: count, present: count }
}

#[test]
fn what_is_left_out_has_the_documented_default() {
    let scenario = parse(
        "[queue.q]\n[customers.c]\narrivals = { per_hour = 6 }\nhandling = { talk = { mean_s = 60 } }\n[operators.o]\ncount = 2\n",
    );
    assert_eq!(scenario.name, "x");
    assert_eq!((scenario.seed, scenario.replications.count, scenario.interval_us), (1, 20, 30 * MINUTE_US));
    assert_eq!(scenario.horizon, Horizon::Days { count: 1, from_us: 0, to_us: DAY_US, warm_up_days: 0 });
    assert!(!scenario.clock.dated);
    let service = &scenario.services[0];
    assert_eq!((service.name.as_str(), service.inbound, service.outbound), ("main", true, false));
    assert_eq!(service.settings.ring_limit_us, 15 * SECOND_US);
    let queue = &scenario.queues[0];
    assert_eq!((queue.priority, queue.overflow, queue.limit), (PriorityRule::Strict, Overflow::End, None));
    assert_eq!((queue.service_level.threshold_us, queue.service_level.target), (20 * SECOND_US, 0.8));
    let class = &scenario.classes[0];
    assert_eq!(class.patience, Distribution::Never);
    assert_eq!(class.handling.after_call, Distribution::Constant { value_s: 0.0 });
    assert!(matches!(class.entry, Entry::Queue(queue) if queue.0 == 0));
    let group = &scenario.groups[0];
    assert_eq!(group.shifts, [Shift { days: Days::All, from_us: 0, to_us: DAY_US, count: all(2) }]);
    assert!(group.shifts[0].is_permanent());
    assert_eq!(group.answer_delay, Distribution::Constant { value_s: 3.0 });
    assert_eq!((group.queues.len(), group.queues[0].level, group.queues[0].preference), (1, 1, 1));
}

#[test]
fn rates_of_every_kind() {
    let constant = arriving("", "{ per_hour = 30 }", &[]);
    let piece =
        |days, from_us, to_us, rate| RatePiece { days, from_us, to_us, start_per_hour: rate, end_per_hour: rate };
    assert_eq!(pieces(&constant), [piece(Days::All, 0, DAY_US, 30.0)]);
    assert_eq!(pieces(&constant)[0].expected(), 720.0);

    // Without `from` and `interval_min` those of the run hold; 5 contacts in a quarter of an hour are 20 per hour.
    let contacts = arriving(
        "[run]\nfrom = \"08:00\"\ninterval_min = 15",
        "{ intervals = [{ days = [\"weekend\"], contacts = [5, 0] }, { days = [\"fri\"], from = \"23:00\", interval_min = 60, per_hour = [7.5] }] }",
        &[],
    );
    let (weekend, friday) = (Days::Weekdays(0b110_0000), Days::Weekdays(0b001_0000));
    let quarter = 15 * MINUTE_US;
    let from = 8 * HOUR_US;
    assert_eq!(
        pieces(&contacts),
        [
            piece(weekend, from, from + quarter, 20.0),
            piece(weekend, from + quarter, from + 2 * quarter, 0.0),
            piece(friday, 23 * HOUR_US, DAY_US, 7.5)
        ]
    );

    let curve = arriving(
        "",
        "{ curves = [{ points = [{ at = \"08:00\", per_hour = 10 }, { at = \"10:00\", per_hour = 30 }] }] }",
        &[],
    );
    let linear =
        RatePiece { days: Days::All, from_us: from, to_us: 10 * HOUR_US, start_per_hour: 10.0, end_per_hour: 30.0 };
    assert_eq!(pieces(&curve), [linear]);
    assert_eq!(linear.expected(), 40.0);
}

#[test]
fn factors_are_gamma_shapes() {
    let scenario = arriving(
        "",
        "{ per_hour = 30, day_factor = { cv = 0.1, shared = true }, interval_factor = { cv = 0.5, correlation = 0.3, shared = true } }",
        &[],
    );
    let Arrivals::Rates { day_factor: Some(day), interval_factor: Some(interval), .. } = &scenario.classes[0].arrivals
    else {
        panic!("no factors");
    };
    assert!((day.shape - 100.0).abs() < 1e-9 && day.shared);
    assert_eq!((interval.shape, interval.interval_us, interval.correlation), (4.0, 30 * MINUTE_US, 0.3));
    assert!(interval.shared);
}

#[test]
fn intervals_give_handle_times() {
    let scenario = arriving(
        "",
        "{ intervals = [{ days = [\"mon\"], from = \"08:00\", interval_min = 30, contacts = [5, 6], aht_s = [240, 250] }] }",
        &[],
    );
    let (eight, half) = (8 * HOUR_US, 30 * MINUTE_US);
    let mean = |i: u64, aht_s| MeanHandling {
        days: Days::Weekdays(1),
        from_us: eight + i * half,
        to_us: eight + (i + 1) * half,
        aht_s,
    };
    assert_eq!(scenario.classes[0].mean_handling, [mean(0, 240.0), mean(1, 250.0)]);
}

#[test]
fn a_forecast_gives_rates_and_handle_times() {
    let csv = "interval,volume,aht_s\n2026-03-01 23:30,99,1\n2026-03-02 08:00,30,240\n2026-03-02 08:30,15,\n2026-03-03 08:00,20,250\n2026-04-01 08:00,99,1\n";
    let run = "[run]\ndate = 2026-03-02\ndays = 2";
    let scenario = arriving(run, "{ forecast = \"f.csv\" }", &[("f.csv", csv)]);
    let found: Vec<_> =
        pieces(&scenario).iter().map(|p| (p.days, p.from_us, p.to_us, p.start_per_hour, p.end_per_hour)).collect();
    let (eight, half) = (8 * HOUR_US, 30 * MINUTE_US);
    // Other days than the two that are simulated are left out.
    assert_eq!(
        found,
        [
            (Days::One(0), eight, eight + half, 60.0, 60.0),
            (Days::One(0), eight + half, eight + 2 * half, 30.0, 30.0),
            (Days::One(1), eight, eight + half, 40.0, 40.0)
        ]
    );
    let mean = |days, aht_s| MeanHandling { days, from_us: eight, to_us: eight + half, aht_s };
    assert_eq!(scenario.classes[0].mean_handling, [mean(Days::One(0), 240.0), mean(Days::One(1), 250.0)]);
}

#[test]
fn a_trace_gives_arrivals_over_the_change_of_the_clock() {
    let csv = "time,customer,patience_s,talk_s,after_call_s,priority\n2026-03-29T01:30:00,7,90,120.5,30,3\n2026-03-29 03:30,,,,,\n";
    let run = "[run]\ndate = 2026-03-29\ntime_zone = \"Europe/Paris\"";
    let scenario = arriving(run, "{ trace = \"t.csv\" }", &[("t.csv", csv)]);
    let Arrivals::Trace { arrivals } = &scenario.classes[0].arrivals else { panic!("rates") };
    let first = TraceArrival {
        at_us: HOUR_US + 30 * MINUTE_US,
        customer: Some(7),
        patience_s: Some(90.0),
        talk_s: Some(120.5),
        after_call_s: Some(30.0),
        priority: Some(3),
    };
    // The hour from two to three does not exist on that day.
    let bare = |at_us| TraceArrival {
        at_us,
        customer: None,
        patience_s: None,
        talk_s: None,
        after_call_s: None,
        priority: None,
    };
    assert_eq!(*arrivals, [first, bare(2 * HOUR_US + 30 * MINUTE_US)]);

    let seconds = arriving("", "{ trace = \"t.csv\" }", &[("t.csv", "time\n0.25\n00:01:00\n90000\n")]);
    let Arrivals::Trace { arrivals } = &seconds.classes[0].arrivals else { panic!("rates") };
    assert_eq!(*arrivals, [bare(250_000), bare(60 * SECOND_US), bare(90_000 * SECOND_US)]);
}

#[test]
fn shifts_of_every_kind() {
    let shift = |days, from: u64, to: u64, count| Shift { days, from_us: from * HOUR_US, to_us: to * HOUR_US, count };
    let given = staffed(
        "",
        "shifts = [{ days = [\"mon\", \"tue\"], from = \"09:00\", to = \"17:00\", count = 20 }]\nshrinkage = 0.3",
        &[],
    );
    assert_eq!(given, [shift(Days::Weekdays(0b11), 9, 17, Rostered { rostered: 20, present: 14 })]);

    let constant = staffed("[run]\nfrom = \"09:00\"\nto = \"17:00\"", "count = 3", &[]);
    assert_eq!(constant, [shift(Days::All, 9, 17, all(3))]);

    // Two from nine to twelve, a third from ten to eleven.
    let intervals = staffed("", "staffing = [{ from = \"09:00\", interval_min = 60, counts = [2, 3, 2] }]", &[]);
    assert_eq!(intervals, [shift(Days::All, 9, 12, all(2)), shift(Days::All, 10, 11, all(1))]);

    // Who is paid for but away is a shift of nobody present.
    let on_top = staffed(
        "",
        "staffing = [{ from = \"09:00\", interval_min = 60, counts = [7] }]\nshrinkage = 0.3\ncounts_are = \"present\"",
        &[],
    );
    assert_eq!(
        on_top,
        [shift(Days::All, 9, 10, all(7)), shift(Days::All, 9, 10, Rostered { rostered: 3, present: 0 })]
    );

    let csv = "group,day,start,end,count,shrinkage\no,weekdays,09:00,17:00,10,0.2\n,2026-03-03,17:00,24:00,4,\no,,2026-03-02 20:00,2026-03-03 00:00,1,\n";
    let roster =
        staffed("[run]\ndate = 2026-03-02\ndays = 5", "roster = \"r.csv\"\nshrinkage = 0.5", &[("r.csv", csv)]);
    assert_eq!(
        roster,
        [
            shift(Days::Weekdays(0b1_1111), 9, 17, Rostered { rostered: 10, present: 8 }),
            shift(Days::One(1), 17, 24, Rostered { rostered: 4, present: 2 }),
            shift(Days::One(0), 20, 24, Rostered { rostered: 1, present: 1 })
        ]
    );
}

#[test]
fn every_way_to_write_a_distribution_has_the_mean_that_it_says() {
    let mean = |talk: &str| {
        let text = format!(
            "[queue.q]\n[customers.c]\narrivals = {{ per_hour = 1 }}\nhandling = {{ talk = {talk} }}\n[operators.o]\ncount = 1\n"
        );
        parse(&text).classes[0].handling.talk.mean_s()
    };
    for (talk, expected) in [
        ("{ mean_s = 240 }", 240.0),
        ("{ kind = \"constant\", value_s = 12.5 }", 12.5),
        ("{ kind = \"uniform\", low_s = 2, high_s = 6 }", 4.0),
        ("{ kind = \"lognormal\", mean_s = 240, cv = 1.3 }", 240.0),
        // The mean of a lognormal is its median × exp(σ² ÷ 2).
        ("{ kind = \"lognormal\", median_s = 100, sigma = 1 }", 164.872_127_070_012_8),
        ("{ kind = \"gamma\", mean_s = 240, cv = 0.4 }", 240.0),
        ("{ kind = \"gamma\", mean_s = 240, shape = 3 }", 240.0),
        ("{ kind = \"gamma\", shape = 3, scale_s = 40 }", 120.0),
        ("{ kind = \"erlang\", phases = 4, mean_s = 240 }", 240.0),
        ("{ kind = \"weibull\", mean_s = 240, shape = 0.7 }", 240.0),
        ("{ kind = \"weibull\", shape = 2, scale_s = 100 }", 88.622_692_545_275_8),
        (
            "{ kind = \"hyperexponential\", branches = [{ weight = 1, mean_s = 10 }, { weight = 3, mean_s = 50 }] }",
            40.0,
        ),
        ("{ kind = \"empirical\", values_s = [30, 10, 20] }", 20.0),
        (
            "{ kind = \"quantiles\", points = [{ probability = 0, value_s = 0 }, { probability = 1, value_s = 30 }] }",
            15.0,
        ),
        (
            "{ kind = \"mixture\", parts = [{ weight = 2, of = { mean_s = 10 } }, { weight = 2, of = { mean_s = 30 } }] }",
            20.0,
        ),
        ("{ kind = \"hazard\", pieces = [{ from_s = 0, per_s = 0.02 }] }", 50.0),
        ("{ mean_s = 240, shift_s = 10 }", 250.0),
    ] {
        let found = mean(talk);
        assert!((found / expected - 1.0).abs() < 1e-12, "{talk}: {found} instead of {expected}");
    }
}

#[test]
fn values_and_histograms_come_from_files() {
    let text = "[queue.q]\n[customers.c]\narrivals = { per_hour = 1 }\npatience = { kind = \"quantiles\", csv = \"h.csv\" }\nhandling = { talk = { kind = \"empirical\", csv = \"v.csv\" } }\n[operators.o]\ncount = 1\n";
    let files = Beside(BTreeMap::from([
        ("h.csv", "from_s,to_s,count\n0,10,1\n10,20,0\n20,40,3\n"),
        ("v.csv", "value_s,count\n20,1\n10,2\n"),
    ]));
    let scenario = Scenario::parse("x.toml", text, &files).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(scenario.classes[0].handling.talk, Distribution::Empirical { values_s: vec![10.0, 10.0, 20.0] });
    let Distribution::Quantiles { points } = &scenario.classes[0].patience else { panic!("no quantiles") };
    let points: Vec<(f64, f64)> = points.iter().map(|point| (point.probability, point.value_s)).collect();
    // Nobody leaves between 10 and 20 s.
    assert_eq!(points, [(0.0, 0.0), (0.25, 10.0), (0.25, 20.0), (1.0, 40.0)]);
    assert!((scenario.classes[0].patience.mean_s() - (0.25 * 5.0 + 0.75 * 30.0)).abs() < 1e-12);
}

#[test]
fn rules_of_queues_flows_and_thresholds() {
    let scenario = parse(include_str!("samples/phone.toml"));
    let queue = &scenario.queues[0];
    assert_eq!(queue.policy, Policy::RingProgressively { step_us: 4 * SECOND_US });
    assert_eq!(queue.priority, PriorityRule::Ageing { head_start_us: 60 * SECOND_US });
    assert!(matches!(queue.overflow, Overflow::Queue(other) if other.0 == 1));
    assert_eq!(queue.service_level.rule, EarlyAbandons::Ignore);
    assert_eq!(queue.relax.iter().map(|step| step.after_us / SECOND_US).collect::<Vec<_>>(), [30, 60, 90]);

    let steps = &scenario.flows[0].steps;
    let name = |index: callfloor_scenario::StepIndex| steps[index.0].name.as_str();
    let StepKind::Hours { open, closed } = &steps[0].kind else { panic!("{:?}", steps[0]) };
    assert_eq!((name(*open), name(*closed)), ("welcome", "bye"));
    let StepKind::Menu { options, otherwise, prompt_us, timeout_us } = &steps[3].kind else { panic!("{:?}", steps[3]) };
    assert_eq!((name(*otherwise), *prompt_us, *timeout_us), ("first", 3 * SECOND_US, 4 * SECOND_US));
    assert_eq!(options.iter().map(|option| option.key).collect::<String>(), "123");
    // Steps without a name have one for messages, and go on to the following.
    assert_eq!(steps[5].name, "set-skills 6");
    let StepKind::SetSkills { next, .. } = &steps[5].kind else { panic!("{:?}", steps[5]) };
    assert_eq!(name(*next), "first");

    // The class's own shares, and the menu's: key 2 gets what 1 and 3 leave.
    let shares = |class: usize| scenario.classes[class].menus[0].shares.clone();
    assert_eq!(shares(0), [0.2, 0.8, 0.0]);
    let own = shares(2);
    assert!((own[0] - 0.6).abs() < 1e-12 && (own[1] - 0.3).abs() < 1e-12 && (own[2] - 0.1).abs() < 1e-12, "{own:?}");

    let first = &scenario.thresholds[0];
    assert_eq!(
        (first.metric, first.every_interval, first.min, first.max),
        (Metric::ServiceLevel, true, Some(0.8), Some(0.99))
    );
    assert!(matches!(first.of, ThresholdScope::Queue(queue) if queue.0 == 0));
    assert!(matches!(scenario.thresholds[1].of, ThresholdScope::Group(group) if group.0 == 0));
    let precision = scenario.replications.precision.unwrap();
    assert_eq!((precision.metric, precision.half_width, precision.relative), (Metric::AsaS, Some(2.0), Some(0.1)));

    let breaks = &scenario.groups[0].breaks;
    assert_eq!(breaks[0], BreakPlan::Scheduled { after_us: 2 * HOUR_US, length_us: 15 * MINUTE_US });
    let length = Distribution::Exponential { mean_s: 300.0 };
    assert_eq!(breaks[1], BreakPlan::Random { per_hour: 0.5, length });
}

#[test]
fn the_three_kinds_of_run() {
    let steady = parse(include_str!("samples/steady.toml"));
    assert_eq!(steady.horizon, Horizon::Steady { warm_up_us: 5 * HOUR_US, length_us: 100 * HOUR_US });
    assert_eq!(steady.days(), 5);
    let phone = parse(include_str!("samples/phone.toml"));
    let days = Horizon::Days { count: 3, from_us: 8 * HOUR_US, to_us: 20 * HOUR_US, warm_up_days: 1 };
    assert_eq!(phone.horizon, days);
    assert_eq!(phone.clock.date(1).to_string(), "2026-03-03");
    let contacts = parse(
        "[run]\ncontacts = 1000\nwarm_up_contacts = 100\n[queue.q]\n[customers.c]\narrivals = { per_hour = 6 }\nhandling = { talk = { mean_s = 60 } }\n[operators.o]\ncount = 2\n",
    );
    assert_eq!(contacts.horizon, Horizon::Calls { count: 1000, warm_up: 100 });
}
