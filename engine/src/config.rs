//! What an administrator configures: services, queues, operators, skills, settings. Checked once, before an engine
//! may use it.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

use serde::{Deserialize, Serialize};

use crate::id::{AudioId, OperatorId, QueueId, ReasonId, ServiceId, SkillId, StepId};
use crate::number::PhoneNumber;
use crate::time::{Instant, Span};

/// The whole contact centre, as configured. [`EngineConfig::new`] checks it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// Seed of the random routing policy; decides nothing else.
    pub seed: u64,
    /// Names of the skills.
    pub skills: Vec<String>,
    /// Services, each with its flow and settings.
    pub services: Vec<Service>,
    /// Queues of all services.
    pub queues: Vec<Queue>,
    /// Operators of all services.
    pub operators: Vec<Operator>,
    /// What work of each channel costs of an operator's capacity, and what may interrupt what.
    pub blending: Blending,
}

/// A way to reach the centre.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Channel {
    /// Voice calls, and callbacks.
    Phone,
    /// Chats.
    Chat,
    /// Tickets without a live customer: mail, web forms.
    Ticket,
}

/// Capacity points and interruption between channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blending {
    /// Points that a call takes, from the offer to the end of after-call work (100).
    pub phone_points: u16,
    /// Points that one chat takes (20).
    pub chat_points: u16,
    /// Points that one ticket takes while it is worked on (20).
    pub ticket_points: u16,
    /// A call may be offered to an operator who works on tickets: they rest (cost nothing) until the call is over.
    pub phone_interrupts_tickets: bool,
    /// A call may be offered to an operator with chats: they go on, but cost nothing until the call is over.
    pub phone_interrupts_chats: bool,
    /// A chat may be offered to an operator whose tickets would leave too few points.
    pub chat_interrupts_tickets: bool,
}

impl Default for Blending {
    fn default() -> Self {
        Self {
            phone_points: 100,
            chat_points: 20,
            ticket_points: 20,
            phone_interrupts_tickets: true,
            phone_interrupts_chats: false,
            chat_interrupts_tickets: true,
        }
    }
}

/// A tenant's line of business.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// For messages and reports.
    pub name: String,
    /// Contract flag: inbound calls are taken (P1).
    pub inbound: bool,
    /// Contract flag: dials are allowed (P2).
    pub outbound: bool,
    /// When the service is open; also the business time of its tickets' clocks.
    pub hours: OpeningHours,
    /// The call flow (シナリオ): steps, run from the entry that the dialled number selects, usually step 0 (P14).
    pub flow: Vec<Step>,
    /// Registered caller ids, in the order in which they are shown (P7).
    pub outgoing: Vec<OutgoingNumber>,
    /// Favourite transfer numbers of the service (P11).
    pub favourites: Vec<Favourite>,
    /// Everything with a default.
    pub settings: Settings,
}

/// When a service is open.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OpeningHours {
    /// Day and night.
    #[default]
    Always,
    /// Open from the first to the second instant of each pair; the host expands weekly hours, holidays and the time
    /// zone into these. Sorted and apart; closed outside all of them.
    Periods(Vec<(Instant, Instant)>),
}

impl OpeningHours {
    /// Whether the service is open at `now`. O(log n) in the number of periods.
    #[must_use]
    pub fn is_open(&self, now: Instant) -> bool {
        match self {
            Self::Always => true,
            Self::Periods(periods) => {
                let after = periods.partition_point(|&(from, _)| from <= now);
                after.checked_sub(1).is_some_and(|i| now < periods[i].1)
            }
        }
    }
}

/// A registered caller id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutgoingNumber {
    /// The number shown to the called party.
    pub number: PhoneNumber,
    /// Only a confirmed one can be used.
    pub state: NumberState,
}

/// How far the registration of an outgoing number has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum NumberState {
    /// Applied for.
    New,
    /// May be used.
    Confirmed,
    /// Refused by the carrier or an administrator.
    Rejected,
}

/// A transfer number with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Favourite {
    /// What operators see.
    pub name: String,
    /// What is dialled.
    pub number: PhoneNumber,
}

/// A status that a person may choose, with the reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StatusChoice {
    /// 業務: at work, not offered calls.
    Work(ReasonId),
    /// 待機: the only status in which calls are offered.
    Ready,
    /// 休憩.
    Break(ReasonId),
}

/// Reasons that the engine itself gives; an administrator's own reasons start at [`FIRST_OWN`](reason::FIRST_OWN).
pub mod reason {
    use crate::id::ReasonId;

    /// No reason given.
    pub const NONE: ReasonId = ReasonId(0);
    /// The operator let an offer ring out.
    pub const MISSED: ReasonId = ReasonId(1);
    /// The operator declined an offer.
    pub const DECLINED: ReasonId = ReasonId(2);
    /// The operator's device failed or was busy when it should ring.
    pub const DEVICE_FAILED: ReasonId = ReasonId(3);
    /// The operator's device was lost.
    pub const DEVICE_LOST: ReasonId = ReasonId(4);
    /// The first reason that an administrator can define.
    pub const FIRST_OWN: ReasonId = ReasonId(16);
}

/// A service's settings, with the defaults of the product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Status at CTI login (P10): Work.
    pub login_status: StatusChoice,
    /// Call-recovery time (呼回収時間, P9): 15 s; a queue may have its own.
    pub ring_limit: Span,
    /// What a missed or declined offer does to the operator (P42, P43).
    pub on_miss: MissRule,
    /// When a dial makes its ticket (P8).
    pub outbound_ticket: OutboundTicket,
    /// How long an outbound dial rings before it has no answer (60 s).
    pub dial_limit: Span,
    /// How long a consulted or forwarded number rings before it has no answer (30 s); an operator's ring limit is the same.
    pub consult_limit: Span,
    /// How after-call work ends (P60).
    pub after_call: AfterCall,
    /// The announcement of a forced end, where the command names no other (P12).
    pub forced_end_audio: AudioId,
    /// A forced end's announcement is cut after this time (30 s, P55).
    pub forced_end_limit: Span,
    /// Hold and queue music (P13).
    pub hold_music: AudioId,
    /// What becomes of a customer whose operator's device is lost in mid-call.
    pub on_device_lost: DeviceLostRule,
    /// A lost device that does not come back within this time logs its operator out (30 s).
    pub device_grace: Span,
    /// Tickets' clocks and closing.
    pub tickets: TicketSettings,
    /// Callbacks.
    pub callback: CallbackSettings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            login_status: StatusChoice::Work(reason::NONE),
            ring_limit: Span::from_seconds(15),
            on_miss: MissRule::LeaveReady,
            outbound_ticket: OutboundTicket::AtConnect,
            dial_limit: Span::from_seconds(60),
            consult_limit: Span::from_seconds(30),
            after_call: AfterCall::default(),
            forced_end_audio: AudioId(0),
            forced_end_limit: Span::from_seconds(30),
            hold_music: AudioId(1),
            on_device_lost: DeviceLostRule::Requeue,
            device_grace: Span::from_seconds(30),
            tickets: TicketSettings::default(),
            callback: CallbackSettings::default(),
        }
    }
}

/// What a missed or declined offer does to the operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum MissRule {
    /// They leave Ready for Work, with a system reason (default). For a chat: its status becomes Away.
    LeaveReady,
    /// They stay Ready, last in the idle order, and are not offered that call again while another could take it;
    /// Break after `break_after` misses in a row (0: never).
    StayReady {
        /// Misses in a row that lead to Break; 0 for never.
        break_after: u16,
    },
}

/// When an outbound call's ticket is created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OutboundTicket {
    /// Setting off: when the customer is connected (P46).
    AtConnect,
    /// Setting on: at the dial, whether or not the customer is reached (P47).
    AtDial,
}

/// How after-call work ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AfterCall {
    /// Longest after-call work; `None`: the operator leaves it by hand (default). Zero: there is none.
    pub limit: Option<Span>,
    /// Status at the limit, unless the operator chose the next status during the call.
    pub then: StatusChoice,
    /// Whether the operator may leave before the limit (capped) or not (timed).
    pub early_exit: bool,
    /// Remind the operator after this time.
    pub prompt_after: Option<Span>,
}

impl Default for AfterCall {
    fn default() -> Self {
        Self { limit: None, then: StatusChoice::Ready, early_exit: true, prompt_after: None }
    }
}

/// What becomes of the customer when the operator's device is lost in mid-call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum DeviceLostRule {
    /// Back to the head of the queue.
    Requeue,
    /// The call ends.
    End,
}

/// Tickets' clocks and closing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TicketSettings {
    /// The end of after-call work solves the call's ticket, if it is still Open.
    pub solve_at_wrap_up: bool,
    /// Solved becomes Closed, for good, after this time (14 days); zero closes at once.
    pub close_after: Span,
    /// Business time, less Pending, within which the first reply is due.
    pub first_response: Option<Span>,
    /// Business time, less Pending, within which the ticket is to be solved.
    pub resolution: Option<Span>,
    /// An assigned ticket that is not worked on returns to its queue after this time.
    pub return_after: Option<Span>,
}

impl Default for TicketSettings {
    fn default() -> Self {
        Self {
            solve_at_wrap_up: false,
            close_after: Span::from_seconds(14 * 86_400),
            first_response: None,
            resolution: None,
            return_after: None,
        }
    }
}

/// Callbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallbackSettings {
    /// Dials before it is given up (3).
    pub attempts: u8,
    /// Time between a failed dial and the next offer (5 min).
    pub retry_after: Span,
}

impl Default for CallbackSettings {
    fn default() -> Self {
        Self { attempts: 3, retry_after: Span::from_seconds(300) }
    }
}

/// One step of a call flow. Unless it says otherwise, the next step in the list follows; after the last, the call ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Step {
    /// Goes to `closed` outside opening hours.
    Hours {
        /// Where to go while closed.
        closed: StepId,
    },
    /// Plays a recording until the host reports its end, `limit` at most.
    Announcement {
        /// What is played.
        audio: AudioId,
        /// The longest that it may take.
        limit: Span,
    },
    /// Plays a recording and waits for one digit.
    Menu {
        /// What is played.
        audio: AudioId,
        /// Digit (`0`–`9`, `*`, `#`) and where it leads.
        options: Vec<(char, StepId)>,
        /// How long a digit is waited for.
        limit: Span,
        /// Where a wrong digit or none leads.
        otherwise: StepId,
    },
    /// The call asks for a skill of at least `min` from here on.
    SetSkill {
        /// The skill.
        skill: SkillId,
        /// Least proficiency, 1–10.
        min: u8,
    },
    /// The call's priority from here on; greater is more urgent.
    SetPriority {
        /// 0 is ordinary.
        priority: u8,
    },
    /// Waits in a queue for an operator.
    Queue {
        /// Which.
        queue: QueueId,
        /// Where a full queue leads; `None` ends the call.
        on_full: Option<StepId>,
        /// Where the queue's maximum wait leads; `None` ends the call.
        on_timeout: Option<StepId>,
    },
    /// Goes to `to` while the condition holds.
    Overflow {
        /// The queue that is looked at.
        queue: QueueId,
        /// The condition.
        when: OverflowWhen,
        /// Where to go.
        to: StepId,
    },
    /// Offers to call back; the digit accepts and keeps the caller's place in `queue`.
    CallbackOffer {
        /// What is played.
        audio: AudioId,
        /// The digit that accepts.
        digit: char,
        /// How long it is waited for.
        limit: Span,
        /// The queue in which the callback waits.
        queue: QueueId,
    },
    /// Records a message, then ends the call with a ticket; the ticket waits in `queue` where one is named.
    Voicemail {
        /// The longest message.
        limit: Span,
        /// A ticket queue.
        queue: Option<QueueId>,
    },
    /// Connects the customer to another number; where it does not answer, the next step follows.
    Forward {
        /// The number.
        number: PhoneNumber,
    },
    /// Goes on at another step.
    GoTo {
        /// Which.
        step: StepId,
    },
    /// Ends the call.
    End,
}

/// When [`Step::Overflow`] goes elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OverflowWhen {
    /// At least this many calls wait.
    Waiting(u32),
    /// The longest-waiting call has waited at least this long.
    LongestWait(Span),
    /// Nobody who serves the queue is logged in.
    NobodyLoggedIn,
    /// Nobody who serves the queue is Ready.
    NobodyReady,
}

/// A waiting line of one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queue {
    /// For messages and reports.
    pub name: String,
    /// The service that it belongs to.
    pub service: ServiceId,
    /// What waits in it.
    pub channel: Channel,
    /// Which operator is chosen.
    pub policy: Policy,
    /// What everything in the queue asks for.
    pub needs: Vec<SkillNeed>,
    /// Which call is chosen.
    pub priority: PriorityRule,
    /// Highest membership level that is asked at first (255: all); see [`Relaxation::Widen`].
    pub first_level: u8,
    /// How requirements relax as the wait grows; ascending in `after`.
    pub relax: Vec<RelaxStep>,
    /// Ring limit, where it is not the service's.
    pub ring_limit: Option<Span>,
    /// Most that may wait; one more is full.
    pub limit: Option<u32>,
    /// Longest wait in the queue, ringing not cut.
    pub maximum_wait: Option<Span>,
    /// For this long a customer waits for the operator whom they prefer (`preferred` of the arrival), if logged in and
    /// not on Break.
    pub last_operator: Option<Span>,
}

/// Which of the Ready operators gets the call. Lower membership levels always go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Policy {
    /// Longest without a call.
    LongestIdle(IdleSince),
    /// Fewest calls answered since login; ties: longest Ready.
    FewestCalls,
    /// Lowest busy share of logged-in time when they became Ready; ties: longest Ready.
    LeastOccupied,
    /// Highest sum of proficiency in the needed skills; ties: longest since the last call.
    HighestProficiency,
    /// First in the configuration's order of operators.
    FixedOrder,
    /// The one whose last offer is longest ago.
    RoundRobin,
    /// By a hash of the seed and the call's number: no hidden state.
    Random,
    /// Everybody at once; the first answer wins.
    RingAll,
    /// One more every `step`, longest idle first; the first answer wins.
    RingProgressive {
        /// Time between one operator and the next.
        step: Span,
    },
}

/// From when idle time counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdleSince {
    /// Since the end of the last call (or login).
    LastCall,
    /// Since becoming Ready.
    Ready,
}

/// In which order calls are served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PriorityRule {
    /// Higher priority first, whatever the wait; then arrival.
    Strict,
    /// Ageing: each level of priority counts as having arrived this much earlier, so that every wait is bounded.
    HeadStart {
        /// Head start of each level.
        per_level: Span,
    },
}

/// A skill that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SkillNeed {
    /// Which.
    pub skill: SkillId,
    /// Least proficiency, 1–10.
    pub min: u8,
}

/// One relaxation of requirements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RelaxStep {
    /// Wait after which it applies.
    pub after: Span,
    /// What is relaxed.
    pub change: Relaxation,
}

/// What a relaxation changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Relaxation {
    /// The skill is no longer asked for.
    DropSkill(SkillId),
    /// No skill is asked for with more than this proficiency.
    MinProficiency(u8),
    /// Members up to this level are asked.
    Widen(u8),
}

/// A person who handles contacts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// For messages and reports.
    pub name: String,
    /// Services that they belong to; the first one's settings hold at login.
    pub services: Vec<ServiceId>,
    /// The phone right (P3).
    pub phone: bool,
    /// CTI id: the login name (P5).
    pub cti_id: Option<String>,
    /// CTI number: the extension (P6).
    pub cti_number: Option<PhoneNumber>,
    /// Skills with proficiency.
    pub skills: Vec<OperatorSkill>,
    /// Queues that they serve.
    pub queues: Vec<Membership>,
    /// Capacity points (100).
    pub points: u16,
    /// Most chats at once.
    pub chat_limit: u8,
    /// Most tickets worked on at once by assignment.
    pub ticket_limit: u8,
    /// The device answers by itself: told to the host with every ring, decides nothing here.
    pub auto_answer: bool,
}

/// A skill of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct OperatorSkill {
    /// Which.
    pub skill: SkillId,
    /// 1 (beginner) to 10.
    pub proficiency: u8,
}

/// That an operator serves a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Membership {
    /// Which queue.
    pub queue: QueueId,
    /// The queue's view: lower levels are asked first.
    pub level: u8,
    /// The operator's view: work of a lower preference is taken first.
    pub preference: u8,
}

/// A [`Floor`] that has been checked: every id in it exists, every limit makes sense.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineConfig(Floor);

impl EngineConfig {
    /// Checks a floor.
    ///
    /// # Errors
    /// The first thing that is wrong, with the object that it concerns and what would be right.
    pub fn new(floor: Floor) -> Result<Self, ConfigError> {
        check(&floor)?;
        Ok(Self(floor))
    }

    /// The floor, to change and check again.
    #[must_use]
    pub fn into_floor(self) -> Floor {
        self.0
    }
}

impl Deref for EngineConfig {
    type Target = Floor;

    fn deref(&self) -> &Floor {
        &self.0
    }
}

/// What is wrong with a [`Floor`], in a sentence that names the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Where: `queue "billing"`, `service "shop", step 3`.
    pub place: String,
    /// What was found and what would be right.
    pub problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.problem)
    }
}

impl core::error::Error for ConfigError {}

/// Finds the first fault of a floor.
fn check(floor: &Floor) -> Result<(), ConfigError> {
    use alloc::format;

    let fault = |place: String, problem: String| Err(ConfigError { place, problem });
    let skills = floor.skills.len();
    let proficiency = 1..=10u8;

    for service in &floor.services {
        let place = || format!("service {:?}", service.name);
        if service.flow.is_empty() && service.inbound {
            return fault(place(), "takes inbound calls but has no call flow: add at least a queue step".into());
        }
        if let OpeningHours::Periods(periods) = &service.hours {
            let mut last = None;
            for &(from, to) in periods {
                if from >= to || last.is_some_and(|end| from < end) {
                    return fault(
                        place(),
                        format!("opening period {from} to {to} is empty or overlaps the one before"),
                    );
                }
                last = Some(to);
            }
        }
        for (at, step) in service.flow.iter().enumerate() {
            check_step(floor, service, at, step)?;
        }
    }
    for queue in &floor.queues {
        let place = || format!("queue {:?}", queue.name);
        if queue.service.index() >= floor.services.len() {
            return fault(place(), format!("{} does not exist", queue.service));
        }
        for need in &queue.needs {
            if need.skill.index() >= skills || !proficiency.contains(&need.min) {
                return fault(
                    place(),
                    format!("needs {} at {}: a known skill and 1 to 10 are right", need.skill, need.min),
                );
            }
        }
        if queue.ring_limit.is_some_and(Span::is_zero) {
            return fault(place(), "a ring limit of 0 s lets nobody answer: give at least 1 s".into());
        }
        if queue.relax.windows(2).any(|pair| pair[0].after >= pair[1].after) {
            return fault(place(), "relaxations must be in ascending order of their wait".into());
        }
        for step in &queue.relax {
            if let Relaxation::DropSkill(skill) = step.change
                && skill.index() >= skills
            {
                return fault(place(), format!("relaxes {skill}, which does not exist"));
            }
        }
        if let Policy::RingProgressive { step } = queue.policy
            && step.is_zero()
        {
            return fault(place(), "ring-progressively needs a step above 0 s; 0 s would be ring-all".into());
        }
        if queue.channel != Channel::Phone && matches!(queue.policy, Policy::RingAll | Policy::RingProgressive { .. }) {
            return fault(place(), "ringing several operators is for phone queues: choose another policy".into());
        }
    }
    let mut ids: Vec<&str> = Vec::new();
    let mut numbers: Vec<PhoneNumber> = Vec::new();
    for operator in &floor.operators {
        let place = || format!("operator {:?}", operator.name);
        let Some(first) = operator.services.first() else {
            return fault(place(), "belongs to no service: name at least one".into());
        };
        if first.index() >= floor.services.len()
            || operator.services.iter().any(|service| service.index() >= floor.services.len())
        {
            return fault(place(), "belongs to a service that does not exist".into());
        }
        for skill in &operator.skills {
            if skill.skill.index() >= skills || !proficiency.contains(&skill.proficiency) {
                return fault(
                    place(),
                    format!("has {} at {}: a known skill and 1 to 10 are right", skill.skill, skill.proficiency),
                );
            }
        }
        let mut seen: Vec<QueueId> = Vec::new();
        for membership in &operator.queues {
            let Some(queue) = floor.queues.get(membership.queue.index()) else {
                return fault(place(), format!("serves {}, which does not exist", membership.queue));
            };
            if seen.contains(&membership.queue) {
                return fault(place(), format!("serves queue {:?} twice", queue.name));
            }
            if !operator.services.contains(&queue.service) {
                return fault(
                    place(),
                    format!("serves queue {:?} of a service that they do not belong to", queue.name),
                );
            }
            seen.push(membership.queue);
        }
        ids.extend(operator.cti_id.as_deref());
        numbers.extend(operator.cti_number);
    }
    ids.sort_unstable();
    if let Some(pair) = ids.windows(2).find(|pair| pair[0] == pair[1]) {
        return fault("operators".into(), format!("CTI id {:?} is given twice: it must be unique", pair[0]));
    }
    numbers.sort_unstable();
    if let Some(pair) = numbers.windows(2).find(|pair| pair[0] == pair[1]) {
        return fault("operators".into(), format!("CTI number {} is given twice: it must be unique", pair[0]));
    }
    let blending = floor.blending;
    if blending.phone_points == 0 || blending.chat_points == 0 || blending.ticket_points == 0 {
        return fault("blending".into(), "every channel must cost at least 1 point".into());
    }
    Ok(())
}

fn check_step(floor: &Floor, service: &Service, at: usize, step: &Step) -> Result<(), ConfigError> {
    use alloc::format;

    let fault = |problem: String| Err(ConfigError { place: format!("service {:?}, step {at}", service.name), problem });
    let exists = |target: StepId| target.index() < service.flow.len();
    let own_queue = |queue: QueueId, channels: &[Channel]| {
        floor.queues.get(queue.index()).is_some_and(|q| channels.contains(&q.channel))
    };
    let mut targets: Vec<StepId> = Vec::new();
    match step {
        Step::Hours { closed } => targets.push(*closed),
        Step::Menu { options, otherwise, .. } => {
            targets.push(*otherwise);
            for &(digit, target) in options {
                if !matches!(digit, '0'..='9' | '*' | '#') {
                    return fault(format!("{digit:?} is no key of a telephone: 0-9 * # are"));
                }
                targets.push(target);
            }
        }
        Step::SetSkill { skill, min } => {
            if skill.index() >= floor.skills.len() || !(1..=10).contains(min) {
                return fault(format!("asks for {skill} at {min}: a known skill and 1 to 10 are right"));
            }
        }
        Step::Queue { queue, on_full, on_timeout } => {
            if !own_queue(*queue, &[Channel::Phone]) {
                return fault(format!("{queue} is no phone queue"));
            }
            targets.extend(on_full);
            targets.extend(on_timeout);
        }
        Step::Overflow { queue, to, .. } => {
            if !own_queue(*queue, &[Channel::Phone]) {
                return fault(format!("{queue} is no phone queue"));
            }
            targets.push(*to);
        }
        Step::CallbackOffer { queue, digit, .. } => {
            if !own_queue(*queue, &[Channel::Phone]) {
                return fault(format!("{queue} is no phone queue"));
            }
            if !matches!(digit, '0'..='9' | '*' | '#') {
                return fault(format!("{digit:?} is no key of a telephone: 0-9 * # are"));
            }
        }
        Step::Voicemail { queue, .. } => {
            if queue.is_some_and(|queue| !own_queue(queue, &[Channel::Ticket])) {
                return fault("voicemail waits in a queue of tickets".into());
            }
        }
        Step::GoTo { step } => targets.push(*step),
        Step::Announcement { .. } | Step::SetPriority { .. } | Step::Forward { .. } | Step::End => {}
    }
    match targets.into_iter().find(|&target| !exists(target)) {
        Some(target) => fault(format!("leads to {target}, but the flow has {} steps", service.flow.len())),
        None => Ok(()),
    }
}

impl Floor {
    /// The operator of a CTI number, if it is one's own (P49). O(n): consults only.
    pub(crate) fn operator_of(&self, number: PhoneNumber) -> Option<OperatorId> {
        let index = self.operators.iter().position(|operator| operator.cti_number == Some(number))?;
        u32::try_from(index).ok().map(OperatorId)
    }
}
