//! The scenario's queues on the server.

use callfloor_engine::{Channel, IdleSince, Policy, PriorityRule, Relaxation};
use callfloor_measure::EarlyAbandons;
use callfloor_sim::model::Model;
use serde_json::{Value, json};

use super::flow::real_ms;
use super::server::{Administration, list};
use super::{Numbers, PrepareError, named, number};
use crate::plan::Timescale;

pub(super) async fn queues(
    administration: &mut Administration<'_>,
    model: &Model<'_>,
    floor: &Value,
    numbers: &mut Numbers,
    timescale: Timescale,
) -> Result<(), PrepareError> {
    for place in 0..model.plan.config.queues.len() {
        let body = queue(model, place, numbers, timescale);
        let key = ("name", &body["name"]);
        let made = administration.put(list(&floor["queues"]), "/floor/queues", key, &body).await?;
        numbers.queues.push(number(made));
    }
    Ok(())
}

fn queue(model: &Model<'_>, place: usize, numbers: &Numbers, timescale: Timescale) -> Value {
    let ms = |span| real_ms(timescale, span);
    let us = |us: u64| timescale.real_us(us) / 1_000;
    let queue = &model.plan.config.queues[place];
    let target = model.scenario.queues[place].service_level;
    let policy = match queue.policy {
        Policy::LongestIdle(IdleSince::LastCall) => json!({ "policy": "longest-idle" }),
        Policy::LongestIdle(IdleSince::Ready) => json!({ "policy": "longest-ready" }),
        Policy::FewestCalls => json!({ "policy": "fewest-calls" }),
        Policy::LeastOccupied => json!({ "policy": "least-occupied" }),
        Policy::HighestProficiency => json!({ "policy": "highest-proficiency" }),
        Policy::FixedOrder => json!({ "policy": "fixed-order" }),
        Policy::RoundRobin => json!({ "policy": "round-robin" }),
        Policy::Random => json!({ "policy": "random" }),
        Policy::RingAll => json!({ "policy": "ring-all" }),
        Policy::RingProgressive { step } => json!({ "policy": "ring-progressive", "every_ms": ms(step) }),
    };
    let relax = queue.relax.iter().map(|step| {
        let change = match step.change {
            Relaxation::DropSkill(skill) => json!({ "drop-skill": numbers.skill(skill.0) }),
            Relaxation::MinProficiency(min) => json!({ "min-proficiency": min }),
            Relaxation::Widen(level) => json!({ "widen": level }),
        };
        json!({ "after_ms": ms(step.after), "change": change })
    });
    let needs = queue.needs.iter().map(|need| json!({ "skill": numbers.skill(need.skill.0), "min": need.min }));
    json!({
        "name": named(&queue.name),
        "service": numbers.service(queue.service.0),
        "channel": match queue.channel {
            Channel::Phone => "phone",
            Channel::Chat => "chat",
            Channel::Ticket => "ticket",
        },
        "policy": policy,
        "needs": needs.collect::<Vec<_>>(),
        "head_start_ms": match queue.priority {
            PriorityRule::Strict => None,
            PriorityRule::HeadStart { per_level } => Some(ms(per_level)),
        },
        "first_level": queue.first_level,
        "relax": relax.collect::<Vec<_>>(),
        "ring_limit_ms": queue.ring_limit.map(ms),
        "limit": queue.limit,
        "maximum_wait_ms": queue.maximum_wait.map(ms),
        "last_operator_ms": queue.last_operator.map(ms),
        "target": {
            "wait_ms": us(target.threshold_us),
            "short_ms": us(target.short_abandon_us),
            "rule": match target.rule {
                EarlyAbandons::Short => "short",
                EarlyAbandons::Ignore => "ignore",
                EarlyAbandons::Negative => "negative",
                EarlyAbandons::Positive => "positive",
                EarlyAbandons::Handled => "handled",
            },
            "level": target.target,
        },
    })
}
