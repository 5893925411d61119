//! From a scenario to the engine's configuration, with the tables that lead back from the engine's ids to names.
//!
//! The engine has one list of steps for each service; a scenario's flows are laid one after another into it.
//! Behind them come the steps that the queues' own overflow rules need, and an entry for each class of customers
//! that goes straight to a queue or brings skills of its own.

use std::collections::BTreeMap;
use std::ops::Range;

use callfloor_engine as engine;
use engine::{
    AudioId, ConfigError, EngineConfig, Floor, Instant, OperatorId, QueueId, ServiceId, SkillId, Span, StepId,
};

use crate::clock::{Clock, OpeningHours};
use crate::customer::{CustomerClass, Entry};
use crate::flow::{BusyWhen, Flow, StepKind};
use crate::operator::Group;
use crate::queue::{IdleSince, Overflow, Policy, PriorityRule, Queue, Relax, SkillRequirement};
use crate::scenario::{FlowIndex, GroupIndex, QueueIndex, Scenario, ServiceIndex, StepIndex};
use crate::service::{DeviceLost, LoginStatus, MissRule, NextStatus, OutboundTicket, Service, Settings};
use crate::{Channel, service};

/// The engine's configuration of a scenario, and what its ids stand for.
#[derive(Debug, Clone)]
pub struct FloorPlan {
    /// The checked configuration.
    pub config: EngineConfig,
    /// Where the contacts of each class arrive. `[class]`
    pub entries: Vec<ClassEntry>,
    /// The operators of each group: consecutive ids. `[group]`
    pub groups: Vec<Range<u32>>,
    /// What each recording is. `[AudioId]`
    pub audio: Vec<Audio>,
    /// The scenario's step behind each step of the engine; `None` for a step that no flow names. `[service][step]`
    pub origins: Vec<Vec<Option<(FlowIndex, StepIndex)>>>,
}

/// Where a class's contacts arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClassEntry {
    /// A call.
    Call {
        /// The service called.
        service: ServiceId,
        /// The step at which its flow starts.
        entry: StepId,
    },
    /// A chat.
    Chat {
        /// Its queue.
        queue: QueueId,
    },
    /// A ticket.
    Ticket {
        /// Its service.
        service: ServiceId,
        /// Its queue.
        queue: QueueId,
    },
}

/// A recording: how long it plays and what the customer does with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audio {
    /// Length in microseconds; 0 for music, which has no end.
    pub length_us: u64,
    /// What it is.
    pub kind: AudioKind,
}

/// What a recording is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AudioKind {
    /// Music on hold and in the queue.
    Music,
    /// The announcement of a forced end.
    ForcedEnd,
    /// An announcement of a flow.
    Announcement,
    /// The prompt of a menu.
    Menu(FlowIndex, StepIndex),
    /// The offer of a callback, accepted by [`ACCEPT_DIGIT`].
    CallbackOffer(FlowIndex, StepIndex),
}

/// The key that accepts a callback.
pub const ACCEPT_DIGIT: char = '1';

/// A key that declines it.
pub const DECLINE_DIGIT: char = '0';

impl FloorPlan {
    /// The group of an operator.
    #[must_use]
    pub fn group_of(&self, operator: OperatorId) -> Option<GroupIndex> {
        self.groups.iter().position(|ids| ids.contains(&operator.0)).map(GroupIndex)
    }

    /// The engine's id of a queue: the same place in both lists.
    #[must_use]
    pub fn queue(queue: QueueIndex) -> QueueId {
        QueueId(narrow(queue.0))
    }

    /// The engine's id of a service: the same place in both lists.
    #[must_use]
    pub fn service(service: ServiceIndex) -> ServiceId {
        ServiceId(narrow(service.0))
    }
}

impl Scenario {
    /// Number of days that a replication can touch: for rosters and opening hours.
    #[must_use]
    pub fn days(&self) -> u32 {
        match self.horizon {
            crate::Horizon::Days { count, .. } => count,
            crate::Horizon::Steady { warm_up_us, length_us } => {
                u32::try_from((warm_up_us + length_us).div_ceil(crate::clock::DAY_US)).unwrap_or(u32::MAX)
            }
            // How long so many arrivals take is not known beforehand; a roster repeats every week.
            crate::Horizon::Calls { .. } => 7,
        }
    }

    /// The engine's configuration.
    ///
    /// Operators of one group get consecutive ids, groups in their order; queues, services and skills keep their
    /// places. Instant 0 is midnight at the start of the first day.
    ///
    /// # Errors
    /// What the engine finds wrong, which the checks of a scenario file should have found before; or more services,
    /// queues, steps or operators than the engine counts.
    pub fn floor_plan(&self) -> Result<FloorPlan, ConfigError> {
        for (what, count) in
            [("services", self.services.len()), ("queues", self.queues.len()), ("skills", self.skills.len())]
        {
            if count > usize::from(u16::MAX) {
                let problem = format!("{count} {what} are too many: at most {} are possible", u16::MAX);
                return Err(ConfigError { place: "scenario".into(), problem });
            }
        }
        let mut audio = vec![Audio { length_us: 0, kind: AudioKind::Music }];
        let mut plan_services = Vec::new();
        let mut origins = Vec::new();
        let mut entries = BTreeMap::new();
        for (index, service) in self.services.iter().enumerate() {
            let index = ServiceIndex(index);
            let forced_end_audio =
                add_audio(&mut audio, service.settings.forced_end_announcement_us, AudioKind::ForcedEnd);
            let layout = Layout::new(self, index, &mut audio);
            if layout.steps.len() > usize::from(u16::MAX) {
                let problem = format!("its flows have {} steps: at most {} are possible", layout.steps.len(), u16::MAX);
                return Err(ConfigError { place: format!("service {:?}", service.name), problem });
            }
            entries.extend(layout.entries.iter().map(|&(class, entry)| (class, entry)));
            origins.push(layout.origins);
            plan_services.push(engine_service(self, service, layout.steps, forced_end_audio)?);
        }
        let (operators, groups) = self.engine_operators()?;
        let floor = Floor {
            seed: self.seed,
            skills: self.skills.iter().map(|skill| skill.name.clone()).collect(),
            services: plan_services,
            queues: self.queues.iter().map(engine_queue).collect(),
            operators,
            blending: engine::Blending {
                phone_points: self.blending.phone_points,
                chat_points: self.blending.chat_points,
                ticket_points: self.blending.ticket_points,
                phone_interrupts_tickets: self.blending.phone_interrupts_tickets,
                phone_interrupts_chats: self.blending.phone_interrupts_chats,
                chat_interrupts_tickets: self.blending.chat_interrupts_tickets,
            },
        };
        let entries = self.classes.iter().enumerate().map(|(i, class)| class_entry(class, entries.get(&i).copied()));
        Ok(FloorPlan { entries: entries.collect(), config: EngineConfig::new(floor)?, groups, audio, origins })
    }

    /// Operators of all groups, and the ids of each group.
    fn engine_operators(&self) -> Result<(Vec<engine::Operator>, Vec<Range<u32>>), ConfigError> {
        let mut operators: Vec<engine::Operator> = Vec::new();
        let mut groups = Vec::new();
        for group in &self.groups {
            let first = operators.len();
            let count = group.peak(self.days(), |day| self.clock.weekday(day));
            for number in 1..=count {
                operators.push(engine_operator(group, number, operators.len())?);
            }
            groups.push(narrow32(first)..narrow32(operators.len()));
        }
        Ok((operators, groups))
    }
}

/// A service's steps as the engine wants them.
struct Layout {
    steps: Vec<engine::Step>,
    origins: Vec<Option<(FlowIndex, StepIndex)>>,
    /// Class and the step at which its calls enter.
    entries: Vec<(usize, StepId)>,
}

/// A place in the list of steps that is not yet known by number.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// A step of a flow.
    Step(usize, usize),
    /// What a queue's overflow rule does.
    Overflow(usize),
    /// Where a class of callers enters.
    Entry(usize),
}

impl Layout {
    fn new(scenario: &Scenario, service: ServiceIndex, audio: &mut Vec<Audio>) -> Self {
        let blocks = Self::blocks(scenario, service);
        // Once with made-up targets for the lengths, once more with the real ones.
        let mut starts = BTreeMap::new();
        let mut at = 0;
        for &place in &blocks {
            starts.insert(place, StepId(narrow(at)));
            at += block(scenario, place, &|_| StepId(0), &mut Vec::new()).len();
        }
        let mut layout = Self { steps: Vec::new(), origins: Vec::new(), entries: Vec::new() };
        for &place in &blocks {
            let steps = block(scenario, place, &|place| starts.get(&place).copied().unwrap_or(StepId(0)), audio);
            let origin = match place {
                Place::Step(flow, step) => Some((FlowIndex(flow), StepIndex(step))),
                Place::Overflow(_) => None,
                Place::Entry(class) => {
                    layout.entries.push((class, starts[&place]));
                    None
                }
            };
            layout.origins.extend(std::iter::repeat_n(origin, steps.len()));
            layout.steps.extend(steps);
        }
        if layout.steps.is_empty() {
            layout.steps.push(engine::Step::End);
            layout.origins.push(None);
        }
        layout
    }

    /// What the service's list holds, in order.
    fn blocks(scenario: &Scenario, service: ServiceIndex) -> Vec<Place> {
        let mut blocks = Vec::new();
        for (f, flow) in scenario.flows.iter().enumerate().filter(|(_, flow)| flow.service == service) {
            blocks.extend((0..flow.steps.len()).map(|step| Place::Step(f, step)));
        }
        // Any queue may be reached from any service by a transfer, so that every service knows all overflow rules.
        let overflowing = |queue: &Queue| queue.channel == Channel::Phone && queue.overflow != Overflow::End;
        blocks.extend((0..scenario.queues.len()).filter(|&q| overflowing(&scenario.queues[q])).map(Place::Overflow));
        let calls = |class: &CustomerClass| class.service == service && class.channel == Channel::Phone;
        blocks.extend((0..scenario.classes.len()).filter(|&c| calls(&scenario.classes[c])).map(Place::Entry));
        blocks
    }
}

/// The engine's steps of one block.
fn block(
    scenario: &Scenario,
    place: Place,
    resolve: &dyn Fn(Place) -> StepId,
    audio: &mut Vec<Audio>,
) -> Vec<engine::Step> {
    let queue_step = |queue: QueueIndex, overflow: Option<StepId>| {
        let rule = &scenario.queues[queue.0].overflow;
        let target = overflow.or_else(|| (*rule != Overflow::End).then(|| resolve(Place::Overflow(queue.0))));
        engine::Step::Queue { queue: FloorPlan::queue(queue), on_full: target, on_timeout: target }
    };
    match place {
        Place::Step(f, s) => flow_steps(&scenario.flows[f], FlowIndex(f), StepIndex(s), resolve, &queue_step, audio),
        Place::Overflow(queue) => match &scenario.queues[queue].overflow {
            Overflow::End => vec![engine::Step::End],
            Overflow::Queue(other) => vec![queue_step(*other, None)],
            Overflow::Voicemail => {
                vec![engine::Step::Voicemail { limit: Span::from_micros(service::VOICEMAIL_LIMIT_US), queue: None }]
            }
            Overflow::Forward(number) => vec![engine::Step::Forward { number: *number }, engine::Step::End],
        },
        Place::Entry(c) => {
            let class = &scenario.classes[c];
            let mut steps = set_skills(&class.skills);
            steps.push(match class.entry {
                Entry::Flow(flow) => engine::Step::GoTo { step: resolve(Place::Step(flow.0, 0)) },
                Entry::Queue(queue) => queue_step(queue, None),
            });
            steps
        }
    }
}

/// The engine's steps of one step of a flow.
fn flow_steps(
    flow: &Flow,
    f: FlowIndex,
    s: StepIndex,
    resolve: &dyn Fn(Place) -> StepId,
    queue_step: &dyn Fn(QueueIndex, Option<StepId>) -> engine::Step,
    audio: &mut Vec<Audio>,
) -> Vec<engine::Step> {
    let at = |step: StepIndex| resolve(Place::Step(f.0, step.0));
    let mut steps = Vec::new();
    let mut next_step = None;
    match &flow.steps[s.0].kind {
        StepKind::Hours { open, closed } => {
            steps.push(engine::Step::Hours { closed: at(*closed) });
            next_step = Some(*open);
        }
        StepKind::Announcement { length_us, next, .. } => {
            let id = add_audio(audio, *length_us, AudioKind::Announcement);
            // The limit is a safety net for a lost report; the host reports the end of the playback.
            steps.push(engine::Step::Announcement { audio: id, limit: Span::from_micros(length_us + SLACK_US) });
            next_step = Some(*next);
        }
        StepKind::Menu { prompt_us, timeout_us, options, otherwise } => {
            let id = add_audio(audio, *prompt_us, AudioKind::Menu(f, s));
            steps.push(engine::Step::Menu {
                audio: id,
                options: options.iter().map(|option| (option.key, at(option.next))).collect(),
                limit: Span::from_micros(prompt_us + timeout_us),
                otherwise: at(*otherwise),
            });
        }
        StepKind::SetSkills { skills, next } => {
            steps = set_skills(skills);
            next_step = Some(*next);
        }
        StepKind::SetPriority { priority, next } => {
            steps.push(engine::Step::SetPriority { priority: *priority });
            next_step = Some(*next);
        }
        StepKind::Queue { queue, overflow } => steps.push(queue_step(*queue, overflow.map(at))),
        StepKind::QueueCheck { queue, when, busy, next } => {
            let when = match *when {
                BusyWhen::Waiting(count) => engine::OverflowWhen::Waiting(count),
                BusyWhen::LongestWait(us) => engine::OverflowWhen::LongestWait(Span::from_micros(us)),
                BusyWhen::NobodyLoggedIn => engine::OverflowWhen::NobodyLoggedIn,
                BusyWhen::NobodyReady => engine::OverflowWhen::NobodyReady,
            };
            steps.push(engine::Step::Overflow { queue: FloorPlan::queue(*queue), when, to: at(*busy) });
            next_step = Some(*next);
        }
        StepKind::CallbackOffer { queue, prompt_us, declined, .. } => {
            let id = add_audio(audio, *prompt_us, AudioKind::CallbackOffer(f, s));
            steps.push(engine::Step::CallbackOffer {
                audio: id,
                digit: ACCEPT_DIGIT,
                limit: Span::from_micros(prompt_us + SLACK_US),
                queue: FloorPlan::queue(*queue),
            });
            next_step = Some(*declined);
        }
        StepKind::Voicemail { limit_us, queue, .. } => steps
            .push(engine::Step::Voicemail { limit: Span::from_micros(*limit_us), queue: queue.map(FloorPlan::queue) }),
        StepKind::Forward { number } => {
            steps.extend([engine::Step::Forward { number: *number }, engine::Step::End]);
        }
        StepKind::End => steps.push(engine::Step::End),
    }
    // The engine goes on to the following step by itself.
    if let Some(next) = next_step
        && next.0 != s.0 + 1
    {
        steps.push(engine::Step::GoTo { step: at(next) });
    }
    steps
}

/// Added to the length of what is played, for the engine's limit.
const SLACK_US: u64 = 1_000_000;

fn set_skills(skills: &[SkillRequirement]) -> Vec<engine::Step> {
    let set =
        |need: &SkillRequirement| engine::Step::SetSkill { skill: skill_id(need.skill), min: need.min_proficiency };
    skills.iter().map(set).collect()
}

fn add_audio(audio: &mut Vec<Audio>, length_us: u64, kind: AudioKind) -> AudioId {
    audio.push(Audio { length_us, kind });
    AudioId(narrow32(audio.len() - 1))
}

fn class_entry(class: &CustomerClass, entry: Option<StepId>) -> ClassEntry {
    let service = FloorPlan::service(class.service);
    match (class.channel, class.entry) {
        (Channel::Chat, Entry::Queue(queue)) => ClassEntry::Chat { queue: FloorPlan::queue(queue) },
        (Channel::Ticket, Entry::Queue(queue)) => ClassEntry::Ticket { service, queue: FloorPlan::queue(queue) },
        // A flow is for callers alone, which the checks of a scenario see to.
        _ => ClassEntry::Call { service, entry: entry.unwrap_or(StepId(0)) },
    }
}

fn engine_service(
    scenario: &Scenario,
    service: &Service,
    flow: Vec<engine::Step>,
    forced_end_audio: AudioId,
) -> Result<engine::Service, ConfigError> {
    let outgoing = service.outgoing_numbers.iter();
    Ok(engine::Service {
        name: service.name.clone(),
        inbound: service.inbound,
        outbound: service.outbound,
        hours: engine_hours(&service.hours, &scenario.clock, scenario.days()),
        flow,
        outgoing: outgoing
            .map(|number| engine::OutgoingNumber { number: *number, state: engine::NumberState::Confirmed })
            .collect(),
        favourites: service
            .favourites
            .iter()
            .map(|favourite| engine::Favourite { name: favourite.name.clone(), number: favourite.number })
            .collect(),
        settings: engine_settings(&service.settings, forced_end_audio),
    })
}

fn engine_settings(settings: &Settings, forced_end_audio: AudioId) -> engine::Settings {
    use engine::StatusChoice;
    let none = engine::reason::NONE;
    engine::Settings {
        login_status: match settings.login_status {
            LoginStatus::Work => StatusChoice::Work(none),
            LoginStatus::Ready => StatusChoice::Ready,
            LoginStatus::Break => StatusChoice::Break(none),
        },
        ring_limit: Span::from_micros(settings.ring_limit_us),
        on_miss: match settings.miss_rule {
            MissRule::Work => engine::MissRule::LeaveReady,
            MissRule::StayReady { break_after } => {
                engine::MissRule::StayReady { break_after: break_after.unwrap_or(0) }
            }
        },
        outbound_ticket: match settings.outbound_ticket {
            OutboundTicket::AtConnect => engine::OutboundTicket::AtConnect,
            OutboundTicket::AtDial => engine::OutboundTicket::AtDial,
        },
        dial_limit: Span::from_micros(settings.dial_limit_us),
        consult_limit: Span::from_micros(settings.consult_limit_us),
        after_call: engine::AfterCall {
            limit: settings.after_call_limit_us.map(Span::from_micros),
            then: match settings.next_status {
                NextStatus::Ready => StatusChoice::Ready,
                NextStatus::Work => StatusChoice::Work(none),
                NextStatus::Break => StatusChoice::Break(none),
            },
            early_exit: !settings.after_call_fixed,
            prompt_after: None,
        },
        forced_end_audio,
        forced_end_limit: Span::from_micros(settings.forced_end_announcement_us + SLACK_US),
        hold_music: AudioId(0),
        on_device_lost: match settings.device_lost {
            DeviceLost::Requeue => engine::DeviceLostRule::Requeue,
            DeviceLost::End => engine::DeviceLostRule::End,
        },
        device_grace: Span::from_micros(settings.device_grace_us),
        tickets: engine::TicketSettings {
            solve_at_wrap_up: settings.solve_at_wrap_up,
            close_after: Span::from_micros(settings.ticket_close_us),
            ..engine::TicketSettings::default()
        },
        callback: engine::CallbackSettings {
            attempts: settings.callback_attempts,
            retry_after: Span::from_micros(settings.callback_retry_us),
        },
    }
}

/// Opening hours as periods from the first midnight on, joined where they touch.
fn engine_hours(hours: &OpeningHours, clock: &Clock, days: u32) -> engine::OpeningHours {
    if hours.spans.is_empty() && hours.holidays.is_empty() {
        return engine::OpeningHours::Always;
    }
    let mut periods: Vec<(u64, u64)> = Vec::new();
    for day in 0..days {
        if hours.holidays.contains(&clock.date(day)) {
            continue;
        }
        if hours.spans.is_empty() {
            periods.push((clock.instant_us(day, 0), clock.instant_us(day, crate::clock::DAY_US)));
        }
        for span in hours.spans.iter().filter(|span| span.days.contains(day, clock.weekday(day))) {
            periods.push((clock.instant_us(day, span.from_us), clock.instant_us(day, span.to_us)));
        }
    }
    // An hour that the clock leaves out can make a span empty.
    periods.retain(|(from, to)| from < to);
    periods.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (from, to) in periods {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    let instants = |(from, to)| (Instant::from_micros(from), Instant::from_micros(to));
    engine::OpeningHours::Periods(joined.into_iter().map(instants).collect())
}

fn engine_queue(queue: &Queue) -> engine::Queue {
    let widens = queue.relax.iter().any(|step| matches!(step.change, Relax::WidenToLevel(_)));
    let need = |need: &SkillRequirement| engine::SkillNeed { skill: skill_id(need.skill), min: need.min_proficiency };
    engine::Queue {
        name: queue.name.clone(),
        service: FloorPlan::service(queue.service),
        channel: match queue.channel {
            Channel::Phone => engine::Channel::Phone,
            Channel::Chat => engine::Channel::Chat,
            Channel::Ticket => engine::Channel::Ticket,
        },
        policy: match queue.policy {
            Policy::LongestIdle { since: IdleSince::LastCall } => {
                engine::Policy::LongestIdle(engine::IdleSince::LastCall)
            }
            Policy::LongestIdle { since: IdleSince::Ready } => engine::Policy::LongestIdle(engine::IdleSince::Ready),
            Policy::FewestCalls => engine::Policy::FewestCalls,
            Policy::LeastOccupied => engine::Policy::LeastOccupied,
            Policy::HighestProficiency => engine::Policy::HighestProficiency,
            Policy::FixedOrder => engine::Policy::FixedOrder,
            Policy::RoundRobin => engine::Policy::RoundRobin,
            Policy::Random => engine::Policy::Random,
            Policy::RingAll => engine::Policy::RingAll,
            Policy::RingProgressively { step_us } => {
                engine::Policy::RingProgressive { step: Span::from_micros(step_us) }
            }
        },
        needs: queue.skills.iter().map(need).collect(),
        priority: match queue.priority {
            PriorityRule::Strict => engine::PriorityRule::Strict,
            PriorityRule::Ageing { head_start_us } => {
                engine::PriorityRule::HeadStart { per_level: Span::from_micros(head_start_us) }
            }
        },
        first_level: if widens { 1 } else { u8::MAX },
        relax: queue
            .relax
            .iter()
            .map(|step| engine::RelaxStep {
                after: Span::from_micros(step.after_us),
                change: match step.change {
                    Relax::DropSkill(skill) => engine::Relaxation::DropSkill(skill_id(skill)),
                    Relax::MinProficiency(least) => engine::Relaxation::MinProficiency(least),
                    Relax::WidenToLevel(level) => engine::Relaxation::Widen(level),
                },
            })
            .collect(),
        ring_limit: queue.ring_limit_us.map(Span::from_micros),
        limit: queue.limit,
        maximum_wait: queue.max_wait_us.map(Span::from_micros),
        last_operator: queue.last_operator.map(|last| Span::from_micros(last.wait_us)),
    }
}

fn engine_operator(group: &Group, number: u32, index: usize) -> Result<engine::Operator, ConfigError> {
    let name = format!("{} {number}", group.name);
    // An extension that begins with a star is no number that a scenario would dial by chance.
    let extension = format!("*{}", 1000 + index).parse().map_err(|error: engine::NumberError| ConfigError {
        place: format!("operator {name:?}"),
        problem: error.to_string(),
    })?;
    Ok(engine::Operator {
        services: group.services.iter().map(|service| FloorPlan::service(*service)).collect(),
        phone: true,
        cti_id: Some(name.clone()),
        cti_number: Some(extension),
        skills: group
            .skills
            .iter()
            .map(|level| engine::OperatorSkill { skill: skill_id(level.skill), proficiency: level.proficiency })
            .collect(),
        queues: group
            .queues
            .iter()
            .map(|served| engine::Membership {
                queue: FloorPlan::queue(served.queue),
                level: served.level,
                preference: served.preference,
            })
            .collect(),
        points: group.capacity.points,
        chat_limit: group.capacity.chat_limit,
        ticket_limit: group.capacity.ticket_limit,
        auto_answer: group.auto_answer,
        name,
    })
}

fn skill_id(skill: crate::SkillIndex) -> SkillId {
    SkillId(narrow(skill.0))
}

/// A place in a list that was checked to have at most 65,535 entries.
fn narrow(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(u16::MAX)
}

/// A place in a list of fewer than 2³² entries.
fn narrow32(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}
