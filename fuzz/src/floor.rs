//! Random floors: small enough that everything meets everything, with features on and off at random
//! ("swarm testing", Groce et al. 2012).

use callfloor_engine::{
    AfterCall, AudioId, Blending, CallbackSettings, Channel, DeviceLostRule, EngineConfig, Favourite, Floor, IdleSince,
    Instant, Membership, MissRule, NumberState, OpeningHours, Operator, OperatorSkill, OutboundTicket, OutgoingNumber,
    OverflowWhen, PhoneNumber, Policy, PriorityRule, Queue, QueueId, ReasonId, RelaxStep, Relaxation, Service,
    ServiceId, Settings, SkillId, SkillNeed, Span, StatusChoice, Step, StepId, TicketSettings,
};

use crate::random::SplitMix64;

/// Which parts of the engine a floor may use; each is on or off for a whole run.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "a swarm's switches")]
struct Swarm {
    skills: bool,
    levels: bool,
    relax: bool,
    limits: bool,
    last_operator: bool,
    flows: bool,
    hours: bool,
    chats: bool,
    tickets: bool,
    after_call: bool,
    stay_ready: bool,
    simultaneous: bool,
    ageing: bool,
    clocks: bool,
}

/// A floor for this seed. Always valid: [`EngineConfig::new`] accepts it.
///
/// # Panics
/// If the floor is refused, which would be a fault of this function.
#[must_use]
pub fn random_floor(seed: u64) -> EngineConfig {
    let mut random = SplitMix64::new(seed ^ 0x666c_6f6f_7273);
    let r = &mut random;
    let swarm = swarm(r);
    let skills = if swarm.skills { 1 + r.small(3) } else { 0 };
    let services = 1 + r.small(2);
    let queues = 1 + r.small(4);
    let operators = 1 + r.below(6);

    let queues: Vec<Queue> = (0..queues).map(|at| queue(r, swarm, at, services, skills)).collect();
    let services: Vec<Service> = (0..services).map(|at| service(r, swarm, at, &queues, skills)).collect();
    let operators = (0..operators).map(|at| operator(r, swarm, at, &services, &queues, skills)).collect();
    let blending = if r.chance(60) {
        Blending::default()
    } else {
        Blending {
            phone_points: r.of(&[100, 60, 30]),
            chat_points: r.of(&[20, 50]),
            ticket_points: r.of(&[20, 40, 100]),
            phone_interrupts_tickets: r.chance(50),
            phone_interrupts_chats: r.chance(50),
            chat_interrupts_tickets: r.chance(50),
        }
    };
    let floor = Floor {
        seed: r.below(3),
        skills: (0..skills).map(|at| format!("skill-{at}")).collect(),
        services,
        queues,
        operators,
        blending,
    };
    EngineConfig::new(floor).unwrap_or_else(|error| panic!("seed {seed}: a random floor is valid, but {error}"))
}

fn swarm(r: &mut SplitMix64) -> Swarm {
    Swarm {
        skills: r.chance(50),
        levels: r.chance(50),
        relax: r.chance(40),
        limits: r.chance(40),
        last_operator: r.chance(40),
        flows: r.chance(60),
        hours: r.chance(20),
        chats: r.chance(40),
        tickets: r.chance(40),
        after_call: r.chance(60),
        stay_ready: r.chance(40),
        simultaneous: r.chance(30),
        ageing: r.chance(30),
        clocks: r.chance(40),
    }
}

/// The same floor with a few things changed or added; most can be used while it runs.
#[must_use]
pub fn changed_floor(r: &mut SplitMix64, config: &EngineConfig) -> Option<EngineConfig> {
    let mut floor: Floor = config.clone().into_floor();
    for _ in 0..1 + r.below(3) {
        change(r, &mut floor);
    }
    EngineConfig::new(floor).ok()
}

fn small(n: usize) -> u16 {
    u16::try_from(n).expect("a random floor is small")
}

fn change(r: &mut SplitMix64, floor: &mut Floor) {
    let swarm = swarm(r);
    let (services, queues) = (small(floor.services.len()), small(floor.queues.len()));
    let skills = small(floor.skills.len());
    let (of_service, of_queue) = (r.index(floor.services.len()), r.index(floor.queues.len()));
    let of_operator = r.index(floor.operators.len());
    match r.below(14) {
        0 => floor.services[of_service].inbound = r.chance(60),
        1 => floor.services[of_service].outbound = r.chance(60),
        2 | 3 => floor.services[of_service].settings = settings(r, swarm),
        4 => {
            let new = service(r, swarm, small(of_service), &floor.queues, skills);
            let old = &mut floor.services[of_service];
            (old.hours, old.outgoing, old.favourites) = (new.hours, new.outgoing, new.favourites);
            old.favourites.truncate(1 + r.index(2));
            if r.chance(50) {
                old.flow = new.flow;
            }
        }
        5 if floor.operators.len() < 8 => {
            let at = floor.operators.len() as u64;
            let new = operator(r, swarm, at, &floor.services, &floor.queues, skills);
            floor.operators.push(new);
        }
        6 if skills < 5 => floor.skills.push(format!("skill-{skills}")),
        7 if queues < 6 => {
            let new = queue(r, swarm, queues, services, skills);
            let member = Membership { queue: QueueId(queues), level: r.tiny(3), preference: r.tiny(3) };
            for operator in &mut floor.operators {
                if operator.services.contains(&new.service) && r.chance(60) {
                    operator.queues.push(member);
                }
            }
            floor.queues.push(new);
        }
        8 | 9 => {
            let old = floor.queues[of_queue].clone();
            let mut new = queue(r, swarm, if old.channel == Channel::Phone { 0 } else { 1 }, services, skills);
            if old.channel != Channel::Phone && matches!(new.policy, Policy::RingAll | Policy::RingProgressive { .. }) {
                new.policy = old.policy;
            }
            floor.queues[of_queue] = Queue { name: old.name, service: old.service, channel: old.channel, ..new };
        }
        10 | 11 => {
            // The first service stays, and so what they have in hand.
            let new = operator(r, swarm, of_operator as u64, &floor.services, &floor.queues, skills);
            let old = &mut floor.operators[of_operator];
            if new.services.first() == old.services.first() && r.chance(60) {
                (old.services, old.queues) = (new.services, new.queues);
            }
            if r.chance(50) {
                old.skills = new.skills;
            }
        }
        12 => {
            let old = &mut floor.operators[of_operator];
            (old.points, old.chat_limit, old.ticket_limit) = (r.of(&[60, 100, 100, 200]), r.tiny(5), r.tiny(5));
        }
        _ => {
            let old = &mut floor.operators[of_operator];
            old.phone = r.chance(80);
            old.cti_id = r.chance(80).then(|| format!("op{of_operator}"));
        }
    }
}

fn seconds(r: &mut SplitMix64, most: u64) -> Span {
    Span::from_seconds(1 + r.below(most))
}

fn sometimes(r: &mut SplitMix64, percent: u64, most: u64) -> Option<Span> {
    r.chance(percent).then(|| seconds(r, most))
}

fn queue(r: &mut SplitMix64, swarm: Swarm, at: u16, services: u16, skills: u16) -> Queue {
    let channel = match r.below(4) {
        2 if at > 0 && swarm.chats => Channel::Chat,
        3 if at > 0 && swarm.tickets => Channel::Ticket,
        _ => Channel::Phone,
    };
    let mut policies = vec![
        Policy::LongestIdle(IdleSince::LastCall),
        Policy::LongestIdle(IdleSince::Ready),
        Policy::FewestCalls,
        Policy::LeastOccupied,
        Policy::HighestProficiency,
        Policy::FixedOrder,
        Policy::RoundRobin,
        Policy::Random,
    ];
    if swarm.simultaneous && channel == Channel::Phone {
        policies = vec![Policy::RingAll, Policy::RingProgressive { step: seconds(r, 4) }];
    }
    let needs = if skills > 0 && r.chance(50) {
        vec![SkillNeed { skill: SkillId(r.small(skills)), min: 1 + r.tiny(10) }]
    } else {
        Vec::new()
    };
    let mut relax = Vec::new();
    if swarm.relax {
        let mut after = 0;
        for _ in 0..r.below(3) {
            after += 1 + r.below(10);
            let change = match r.below(3) {
                0 if skills > 0 => Relaxation::DropSkill(SkillId(r.small(skills))),
                1 if skills > 0 => Relaxation::MinProficiency(1 + r.tiny(5)),
                _ => Relaxation::Widen(r.tiny(4)),
            };
            relax.push(RelaxStep { after: Span::from_seconds(after), change });
        }
    }
    Queue {
        name: format!("queue-{at}"),
        service: ServiceId(r.small(services)),
        channel,
        policy: r.of(&policies),
        needs,
        priority: if swarm.ageing && r.chance(60) {
            PriorityRule::HeadStart { per_level: seconds(r, 10) }
        } else {
            PriorityRule::Strict
        },
        first_level: if swarm.levels && r.chance(50) { r.tiny(3) } else { 255 },
        relax,
        ring_limit: sometimes(r, 30, 10),
        limit: (swarm.limits && r.chance(50)).then(|| u32::from(r.small(3))),
        maximum_wait: if swarm.limits { sometimes(r, 50, 20) } else { None },
        last_operator: if swarm.last_operator { sometimes(r, 60, 10) } else { None },
    }
}

fn choice(r: &mut SplitMix64) -> StatusChoice {
    match r.below(4) {
        0 => StatusChoice::Work(ReasonId(16 + r.small(2))),
        1 => StatusChoice::Break(ReasonId(18)),
        _ => StatusChoice::Ready,
    }
}

fn settings(r: &mut SplitMix64, swarm: Swarm) -> Settings {
    let mut settings = Settings {
        login_status: if r.chance(50) { StatusChoice::Ready } else { choice(r) },
        ring_limit: seconds(r, 15),
        consult_limit: seconds(r, 10),
        dial_limit: seconds(r, 20),
        forced_end_limit: seconds(r, 5),
        device_grace: seconds(r, 10),
        outbound_ticket: r.of(&[OutboundTicket::AtConnect, OutboundTicket::AtDial]),
        on_device_lost: r.of(&[DeviceLostRule::Requeue, DeviceLostRule::End]),
        callback: CallbackSettings { attempts: 1 + r.tiny(3), retry_after: seconds(r, 20) },
        tickets: TicketSettings { close_after: Span::from_seconds(r.below(60)), ..TicketSettings::default() },
        ..Settings::default()
    };
    if swarm.stay_ready {
        settings.on_miss = MissRule::StayReady { break_after: r.small(4) };
    }
    if swarm.after_call {
        settings.after_call = AfterCall {
            limit: if r.chance(20) { Some(Span::ZERO) } else { sometimes(r, 70, 15) },
            then: choice(r),
            early_exit: r.chance(70),
            prompt_after: sometimes(r, 40, 8),
        };
    }
    if swarm.clocks {
        settings.tickets = TicketSettings {
            solve_at_wrap_up: r.chance(50),
            close_after: Span::from_seconds(r.below(30)),
            first_response: sometimes(r, 60, 20),
            resolution: sometimes(r, 60, 40),
            return_after: sometimes(r, 60, 30),
        };
    }
    settings
}

fn service(r: &mut SplitMix64, swarm: Swarm, at: u16, queues: &[Queue], skills: u16) -> Service {
    let settings = settings(r, swarm);
    let hours = if swarm.hours {
        let mut periods = Vec::new();
        let mut from = r.below(10);
        for _ in 0..1 + r.below(3) {
            let to = from + 1 + r.below(200);
            periods.push((Instant::from_micros(from * 1_000_000), Instant::from_micros(to * 1_000_000)));
            from = to + r.below(50);
        }
        OpeningHours::Periods(periods)
    } else {
        OpeningHours::Always
    };
    let states = [NumberState::Confirmed, NumberState::Confirmed, NumberState::New, NumberState::Rejected];
    Service {
        name: format!("service-{at}"),
        inbound: r.chance(90),
        outbound: r.chance(80),
        hours,
        flow: flow(r, swarm, queues, skills),
        outgoing: (0..3).map(|n| OutgoingNumber { number: outgoing(n), state: r.of(&states) }).collect(),
        favourites: vec![
            Favourite { name: "bank".into(), number: number("0120000001") },
            Favourite { name: "a colleague".into(), number: extension(1) },
        ],
        settings,
    }
}

/// Flows lead forward only, so that each ends.
fn flow(r: &mut SplitMix64, swarm: Swarm, queues: &[Queue], skills: u16) -> Vec<Step> {
    let of_channel = |channel: Channel| -> Vec<QueueId> {
        (0u16..).zip(queues).filter(|(_, queue)| queue.channel == channel).map(|(at, _)| QueueId(at)).collect()
    };
    let phone = of_channel(Channel::Phone);
    let ticket = of_channel(Channel::Ticket);
    let last = if swarm.flows { 1 + r.small(6) } else { 0 };
    (0..=last)
        .map(|at| {
            let on = |r: &mut SplitMix64| StepId((at + 1 + r.small(3)).min(last));
            let queue = |r: &mut SplitMix64| Step::Queue {
                queue: r.of(&phone),
                on_full: (at < last && r.chance(50)).then(|| StepId((at + 1).min(last))),
                on_timeout: (at < last && r.chance(50)).then(|| StepId((at + 1).min(last))),
            };
            if at == last {
                return match r.below(if swarm.flows { 8 } else { 4 }) {
                    4 => Step::End,
                    5 => Step::Voicemail { limit: seconds(r, 5), queue: r.pick(&ticket) },
                    6 => Step::Forward { number: number("0120000002") },
                    _ => queue(r),
                };
            }
            match r.below(14) {
                0 => Step::Hours { closed: on(r) },
                1 => Step::Announcement { audio: AudioId(2), limit: seconds(r, 6) },
                2 => Step::Menu {
                    audio: AudioId(3),
                    options: vec![('1', on(r)), ('2', on(r)), ('#', on(r))],
                    limit: seconds(r, 6),
                    otherwise: on(r),
                },
                3 if skills > 0 => Step::SetSkill { skill: SkillId(r.small(skills)), min: 1 + r.tiny(6) },
                4 => Step::SetPriority { priority: r.tiny(3) },
                5 => Step::Overflow {
                    queue: r.of(&phone),
                    when: match r.below(4) {
                        0 => OverflowWhen::Waiting(1 + u32::from(r.small(3))),
                        1 => OverflowWhen::LongestWait(seconds(r, 10)),
                        2 => OverflowWhen::NobodyLoggedIn,
                        _ => OverflowWhen::NobodyReady,
                    },
                    to: on(r),
                },
                6 => Step::CallbackOffer { audio: AudioId(4), digit: '1', limit: seconds(r, 5), queue: r.of(&phone) },
                7 if r.chance(30) => Step::Voicemail { limit: seconds(r, 5), queue: r.pick(&ticket) },
                8 => Step::Forward { number: number("0120000002") },
                9 => Step::GoTo { step: on(r) },
                10 if r.chance(20) => Step::End,
                _ => queue(r),
            }
        })
        .collect()
}

fn operator(
    r: &mut SplitMix64,
    swarm: Swarm,
    at: u64,
    services: &[Service],
    queues: &[Queue],
    skills: u16,
) -> Operator {
    let mut own: Vec<ServiceId> = (0u16..).zip(services).map(|(at, _)| ServiceId(at)).collect();
    if own.len() > 1 && r.chance(30) {
        own.remove(r.index(own.len()));
    }
    let memberships = (0u16..)
        .zip(queues)
        .filter(|(_, queue)| own.contains(&queue.service))
        .map(|(at, _)| (r.chance(75), at, if swarm.levels { (r.tiny(4), r.tiny(3)) } else { (0, 0) }))
        .filter(|&(serves, ..)| serves)
        .map(|(_, queue, (level, preference))| Membership { queue: QueueId(queue), level, preference })
        .collect();
    Operator {
        name: format!("operator-{at}"),
        services: own,
        phone: r.chance(96),
        cti_id: r.chance(97).then(|| format!("op{at}")),
        cti_number: r.chance(97).then(|| extension(at)),
        skills: (0..skills)
            .map(|skill| (r.chance(70), OperatorSkill { skill: SkillId(skill), proficiency: 1 + r.tiny(10) }))
            .filter(|&(has, _)| has)
            .map(|(_, skill)| skill)
            .collect(),
        queues: memberships,
        // 90: short of a call by a little, where one costs 100.
        points: r.of(&[100, 100, 100, 60, 90, 200]),
        chat_limit: r.tiny(4),
        ticket_limit: r.tiny(4),
        auto_answer: r.chance(20),
    }
}

/// The number written so.
///
/// # Panics
/// If it cannot be dialled.
#[must_use]
pub fn number(text: &str) -> PhoneNumber {
    text.parse().expect("a telephone number of the harness")
}

/// The `n`-th registered caller id of every service.
#[must_use]
pub fn outgoing(n: u64) -> PhoneNumber {
    number(&format!("03{n}"))
}

/// The extension of the `n`-th operator.
#[must_use]
pub fn extension(n: u64) -> PhoneNumber {
    number(&format!("70{n}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_floor_is_valid_and_they_differ() {
        let floors: Vec<EngineConfig> = (0..500).map(random_floor).collect();
        assert!(floors.iter().any(|floor| floor.queues.iter().any(|queue| queue.channel == Channel::Chat)));
        assert!(floors.iter().any(|floor| floor.queues.iter().any(|queue| queue.policy == Policy::RingAll)));
        assert!(floors.windows(2).all(|pair| pair[0] != pair[1]));
    }
}
