//! The plan against the simulator: customer by customer the same instants, patience, talk and after-call times, bit by bit.

use std::collections::BTreeMap;
use std::sync::Mutex;

use callfloor_engine::EndCause;
use callfloor_load::Pace;
use callfloor_load::plan::{Plan, Shard, Timescale, start_us};
use callfloor_scenario::{Horizon, Scenario, template};
use callfloor_sim::behaviour::{Behaviour, Person};
use callfloor_sim::model::Model;
use callfloor_sim::{CallLog, CallRow, CallRows, Options, simulate};

/// What the simulator says of a call.
#[derive(Debug, Clone, Copy)]
struct Simulated {
    arrived_us: u64,
    source: u16,
    answered: bool,
    abandoned: bool,
    wait_us: u64,
    talk_us: u64,
    hold_us: u64,
    after_call_us: u64,
    transfers: u16,
    forced: bool,
}

#[derive(Default)]
struct Calls(Mutex<Vec<Simulated>>);

struct Rows<'a>(&'a Calls);

impl CallLog for Calls {
    fn replication(&self, _: u32) -> Box<dyn CallRows + '_> {
        Box::new(Rows(self))
    }
}

impl CallRows for Rows<'_> {
    fn call(&mut self, row: &CallRow<'_>) {
        // Those who try again have no instant of their own in the plan.
        if row.attempt > 0 {
            return;
        }
        self.0.0.lock().unwrap().push(Simulated {
            arrived_us: row.record.arrived.as_micros(),
            source: row.source,
            answered: row.answered,
            abandoned: matches!(row.record.cause, EndCause::AbandonedInQueue | EndCause::AbandonedWhileRinging),
            wait_us: row.record.wait.as_micros(),
            talk_us: row.record.talk.as_micros(),
            hold_us: row.record.hold.as_micros(),
            after_call_us: row.after_call_us,
            transfers: row.transfers,
            forced: matches!(row.record.cause, EndCause::ForcedByOperator(_)),
        });
    }

    fn finish(self: Box<Self>) {}
}

fn scenario(name: &str) -> Scenario {
    let template = template(name).expect("it is in the library");
    Scenario::parse(template.name, template.text, template).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// Runs both, and gives each customer's simulated call with the customer of the plan.
fn both(scenario: &Scenario, replication: u32) -> Vec<(Simulated, Person, u64)> {
    let calls = Calls::default();
    let options = Options {
        replications: Some(1),
        first_replication: replication,
        precision: Some(None),
        calls: Some(&calls),
        ..Options::default()
    };
    simulate(scenario, &options).expect("it runs");
    let mut simulated: BTreeMap<u16, Vec<Simulated>> = BTreeMap::new();
    for call in calls.0.into_inner().unwrap() {
        simulated.entry(call.source).or_default().push(call);
    }
    simulated.values_mut().for_each(|calls| calls.sort_by_key(|call| call.arrived_us));
    let model = Model::new(scenario).expect("a scenario");
    let behaviour = Behaviour::new(&model, scenario.seed, replication);
    let timescale = Timescale { start_us: 0, speed: 1.0 };
    let plan = Plan::new(&model, behaviour, &Pace::Scenario, timescale, Shard::ALL, |_| true);
    let mut pairs = Vec::new();
    let mut last = 0;
    for coming in plan {
        assert!(coming.at_us >= last, "the plan is in the order of time");
        last = coming.at_us;
        let place = usize::try_from(coming.person.number()).unwrap();
        if let Some(call) = simulated.get(&coming.person.source).and_then(|calls| calls.get(place)) {
            pairs.push((*call, coming.person, coming.at_us));
        }
    }
    assert_eq!(pairs.len(), simulated.values().map(Vec::len).sum::<usize>());
    pairs
}

#[test]
fn ten_thousand_customers_are_those_of_the_simulator() {
    let mut scenario = scenario("mm50m");
    scenario.horizon = Horizon::Calls { count: 10_000, warm_up: 0 };
    let pairs = both(&scenario, 0);
    assert_eq!(pairs.len(), 10_000);
    let model = Model::new(&scenario).expect("a scenario");
    let behaviour = Behaviour::new(&model, scenario.seed, 0);
    let (mut answered, mut abandoned) = (0, 0);
    for (call, person, at_us) in &pairs {
        assert_eq!(call.arrived_us, *at_us, "customer {}", person.number());
        if call.answered {
            answered += 1;
            assert_eq!(call.talk_us, behaviour.talk_us(person, 1.0), "customer {}", person.number());
            assert_eq!(call.after_call_us, behaviour.after_call_us(person, 1.0), "customer {}", person.number());
        } else if call.abandoned {
            abandoned += 1;
            assert_eq!(Some(call.wait_us), behaviour.patience_us(person), "customer {}", person.number());
        }
    }
    assert!(answered > 8_000 && abandoned > 100, "{answered} answered, {abandoned} abandoned");
}

/// A day with a forecast, a factor of the day, holds and redials; another replication has other customers.
#[test]
fn a_day_of_the_support_line_is_the_simulators() {
    let mut scenario = scenario("support-line");
    scenario.horizon =
        Horizon::Days { count: 1, from_us: 8 * 3_600_000_000, to_us: 20 * 3_600_000_000, warm_up_days: 0 };
    let mut instants = Vec::new();
    for replication in [0, 3] {
        let pairs = both(&scenario, replication);
        assert!(pairs.len() > 1_000, "{}", pairs.len());
        let model = Model::new(&scenario).expect("a scenario");
        let behaviour = Behaviour::new(&model, scenario.seed, replication);
        let mut held = 0;
        for (call, person, at_us) in &pairs {
            assert_eq!(call.arrived_us, *at_us);
            if call.answered {
                let talk = behaviour.talk_us(person, 1.0);
                assert_eq!(call.talk_us, talk);
                let hold = behaviour.turns(person, talk).take().and_then(|_| behaviour.hold_us(person)).unwrap_or(0);
                assert_eq!(call.hold_us, hold);
                held += u64::from(hold > 0);
            }
        }
        assert!(held > 50, "{held}");
        instants.push(pairs.iter().map(|(_, _, at)| *at).take(100).collect::<Vec<_>>());
    }
    assert_ne!(instants[0], instants[1]);
}

/// Holds, consultations, transfers and forced ends: who was not handed on talked as long as the plan says.
#[test]
fn turns_of_the_talk_are_the_simulators() {
    let mut scenario = scenario("heavy-transfers");
    scenario.horizon =
        Horizon::Days { count: 1, from_us: 8 * 3_600_000_000, to_us: 18 * 3_600_000_000, warm_up_days: 0 };
    let model = Model::new(&scenario).expect("a scenario");
    let behaviour = Behaviour::new(&model, scenario.seed, 0);
    let mut talks = 0;
    for (call, person, at_us) in both(&scenario, 0) {
        assert_eq!(call.arrived_us, at_us);
        if call.answered && call.transfers == 0 && !call.forced && behaviour.transfer(&person).is_none() {
            talks += 1;
            assert_eq!(call.talk_us, behaviour.talk_us(&person, 1.0), "{person:?}");
        }
    }
    assert!(talks > 500, "{talks}");
}

/// Shards have every customer once, and a compressed plan is the plan with every instant divided.
#[test]
fn shards_and_speed_keep_the_customers() {
    let mut scenario = scenario("multi-skill");
    if let Horizon::Days { count, .. } = &mut scenario.horizon {
        *count = 1;
    }
    let model = Model::new(&scenario).expect("a scenario");
    let behaviour = Behaviour::new(&model, 9, 0);
    let start_us = start_us(&scenario);
    let plan = |speed: f64, shard: Shard| -> Vec<_> {
        Plan::new(&model, behaviour, &Pace::Scenario, Timescale { start_us, speed }, shard, |_| true).collect()
    };
    let whole = plan(1.0, Shard::ALL);
    let mut parts: Vec<_> = (1..=3).flat_map(|number| plan(1.0, Shard { number, of: 3 })).collect();
    assert!((1..=3).all(|number| plan(1.0, Shard { number, of: 3 }).len() > whole.len() / 4));
    parts.sort_by_key(|coming| (coming.at_us, coming.person.source, coming.person.number()));
    assert_eq!(parts, whole);
    for (one, other) in whole.iter().zip(plan(60.0, Shard::ALL)) {
        assert_eq!(one.person, other.person);
        assert!((one.at_us as f64 / 60.0 - other.at_us as f64).abs() <= 0.5 + 1e-6);
    }
}

/// At a rate of its own, the scenario's mix comes evenly, and each class's customers are its first ones.
#[test]
fn a_rate_has_the_scenarios_mix() {
    let scenario = scenario("multi-skill");
    let model = Model::new(&scenario).expect("a scenario");
    let behaviour = Behaviour::new(&model, scenario.seed, 0);
    let pace = Pace::constant(200.0, 10_000_000);
    let timescale = Timescale { start_us: 0, speed: 1.0 };
    let plan: Vec<_> = Plan::new(&model, behaviour, &pace, timescale, Shard::ALL, |_| true).collect();
    assert_eq!(plan.len(), 2_000);
    assert!(plan.iter().enumerate().all(|(place, coming)| coming.at_us == place as u64 * 5_000));
    let mut count: BTreeMap<u16, u64> = BTreeMap::new();
    for coming in &plan {
        let next = count.entry(coming.person.source).or_default();
        assert_eq!(coming.person, behaviour.again(callfloor_sim::arrival::customer_id(coming.person.source, *next, 0)));
        *next += 1;
    }
    assert_eq!(count.len(), scenario.classes.len());
    // The rate is that of those for whom the target has a way.
    let some: Vec<_> = Plan::new(&model, behaviour, &pace, timescale, Shard::ALL, |class| class != 0).collect();
    assert_eq!(some.len(), 2_000);
    assert!(some.iter().all(|coming| coming.person.source != 0));
    assert!(some.iter().enumerate().all(|(place, coming)| coming.at_us == place as u64 * 5_000));
}
