//! Simpler floors, one feature less each, for shrinking.

use callfloor_engine::{
    Blending, EngineConfig, Floor, IdleSince, OpeningHours, Policy, PriorityRule, Service, Settings, Step,
};

/// Every floor that is simpler by one thing and still valid.
#[must_use]
pub(crate) fn simpler_floors(config: &EngineConfig) -> Vec<EngineConfig> {
    let floor: Floor = config.clone().into_floor();
    let mut found = Vec::new();
    let mut with = |change: &mut dyn FnMut(&mut Floor)| {
        let mut simpler = floor.clone();
        change(&mut simpler);
        if simpler != floor
            && let Ok(simpler) = EngineConfig::new(simpler)
        {
            found.push(simpler);
        }
    };
    with(&mut |floor| {
        floor.operators.pop();
    });
    with(&mut |floor| floor.blending = Blending::default());
    for at in 0..floor.services.len() {
        let own = |change: fn(&mut Service)| move |floor: &mut Floor| change(&mut floor.services[at]);
        with(&mut own(|service| service.hours = OpeningHours::Always));
        with(&mut own(|service| service.settings.after_call = Settings::default().after_call));
        with(&mut own(|service| service.settings.on_miss = Settings::default().on_miss));
        with(&mut own(|service| service.settings.tickets = Settings::default().tickets));
        with(&mut own(|service| service.settings.callback = Settings::default().callback));
        with(&mut own(|service| service.settings.login_status = Settings::default().login_status));
        with(&mut own(|service| service.settings.on_device_lost = Settings::default().on_device_lost));
        with(&mut own(|service| service.settings.outbound_ticket = Settings::default().outbound_ticket));
        // The queue step alone, where there is one.
        with(&mut own(|service| {
            if let Some(queue) = service.flow.iter().find(|step| matches!(step, Step::Queue { .. })) {
                let mut queue = queue.clone();
                if let Step::Queue { on_full, on_timeout, .. } = &mut queue {
                    *on_full = None;
                    *on_timeout = None;
                }
                service.flow = vec![queue];
            }
        }));
        with(&mut own(|service| {
            service.flow.pop();
        }));
    }
    for at in 0..floor.queues.len() {
        with(&mut |floor| floor.queues[at].needs.clear());
        with(&mut |floor| floor.queues[at].relax.clear());
        with(&mut |floor| floor.queues[at].limit = None);
        with(&mut |floor| floor.queues[at].maximum_wait = None);
        with(&mut |floor| floor.queues[at].last_operator = None);
        with(&mut |floor| floor.queues[at].ring_limit = None);
        with(&mut |floor| floor.queues[at].first_level = 255);
        with(&mut |floor| floor.queues[at].priority = PriorityRule::Strict);
        with(&mut |floor| {
            if floor.queues[at].policy != Policy::FixedOrder {
                floor.queues[at].policy = Policy::LongestIdle(IdleSince::LastCall);
            }
        });
        with(&mut |floor| floor.queues[at].policy = Policy::FixedOrder);
    }
    for at in 0..floor.operators.len() {
        with(&mut |floor| floor.operators[at].skills.clear());
        with(&mut |floor| {
            floor.operators[at].queues.pop();
        });
        with(&mut |floor| {
            for membership in &mut floor.operators[at].queues {
                membership.level = 0;
                membership.preference = 0;
            }
        });
        with(&mut |floor| floor.operators[at].points = 100);
    }
    found
}
