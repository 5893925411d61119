//! Queues: who is chosen, who waits where, and what happens when the wait grows.

use callfloor_engine::PhoneNumber;
use callfloor_measure::EarlyAbandons;

use crate::clock::SECOND_US;
use crate::scenario::{QueueIndex, ServiceIndex, SkillIndex};
use crate::service::Channel;

/// A waiting line.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// Name, unique in the scenario.
    pub name: String,
    /// Service that it belongs to.
    pub service: ServiceIndex,
    /// Channel of its contacts.
    pub channel: Channel,
    /// Which Ready operator is chosen.
    pub policy: Policy,
    /// What an operator needs.
    pub skills: Vec<SkillRequirement>,
    /// Which waiting contact is served first.
    pub priority: PriorityRule,
    /// How requirements relax as the wait grows, by ascending wait.
    pub relax: Vec<RelaxStep>,
    /// Ring limit in microseconds; the service's where absent.
    pub ring_limit_us: Option<u64>,
    /// Most contacts waiting at once; further ones overflow.
    pub limit: Option<u32>,
    /// Longest wait in microseconds before a contact overflows.
    pub max_wait_us: Option<u64>,
    /// Where a contact goes that finds the queue full or has waited too long.
    pub overflow: Overflow,
    /// Preference for the operator who served the customer last.
    pub last_operator: Option<LastOperator>,
    /// What good service is here.
    pub service_level: ServiceLevelTarget,
}

/// A skill that is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkillRequirement {
    /// The skill.
    pub skill: SkillIndex,
    /// Least proficiency, from 1 to 10.
    pub min_proficiency: u8,
}

/// Which Ready operator gets a contact. Levels of preference go first in every policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Idle the longest.
    LongestIdle {
        /// From when idleness counts.
        since: IdleSince,
    },
    /// Fewest contacts taken today.
    FewestCalls,
    /// Least occupied since login.
    LeastOccupied,
    /// Highest proficiency in the skills asked for, then idle the longest.
    HighestProficiency,
    /// The first in the configured order.
    FixedOrder,
    /// In turn.
    RoundRobin,
    /// By chance (a hash of seed and contact number).
    Random,
    /// Everybody's phone rings; the first to answer wins.
    RingAll,
    /// One phone more rings after each step.
    RingProgressively {
        /// Span between two phones in microseconds.
        step_us: u64,
    },
}

/// From when an operator counts as idle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdleSince {
    /// The end of the last call.
    LastCall,
    /// The last time of becoming Ready.
    Ready,
}

/// Which waiting contact goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PriorityRule {
    /// Higher priority first, whatever the wait; then arrival.
    Strict,
    /// Each level of priority counts as having arrived this much earlier.
    Ageing {
        /// Head start for one level, in microseconds.
        head_start_us: u64,
    },
}

/// A change of requirements after a wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RelaxStep {
    /// Wait in microseconds after which it applies.
    pub after_us: u64,
    /// What changes.
    pub change: Relax,
}

/// What a relax step changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relax {
    /// A skill is no longer needed.
    DropSkill(SkillIndex),
    /// No skill is needed at more than this proficiency.
    MinProficiency(u8),
    /// Operators up to this preference level are asked (until then level 1, or the level of an earlier step).
    WidenToLevel(u8),
}

/// Where an overflowing contact goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// It is refused, or ends after the maximum wait.
    End,
    /// To another queue.
    Queue(QueueIndex),
    /// It leaves a message.
    Voicemail,
    /// To an outside number.
    Forward(PhoneNumber),
}

/// Preference for the last operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastOperator {
    /// How long the contact waits for that operator alone, in microseconds.
    pub wait_us: u64,
}

/// The service level of a queue. Source: Callfloor's metric definitions, after Cisco UCCE's service level types.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ServiceLevelTarget {
    /// T: a wait up to this counts as in time, in microseconds.
    pub threshold_us: u64,
    /// Wanted share, in (0, 1].
    pub target: f64,
    /// How early abandonments count.
    pub rule: EarlyAbandons,
    /// s: an abandonment with a wait up to this is short, in microseconds.
    pub short_abandon_us: u64,
}

impl Queue {
    /// A queue of calls with every default.
    #[must_use]
    pub fn new(name: &str, service: ServiceIndex) -> Self {
        Self {
            name: name.to_owned(),
            service,
            channel: Channel::Phone,
            policy: Policy::LongestIdle { since: IdleSince::LastCall },
            skills: Vec::new(),
            priority: PriorityRule::Strict,
            relax: Vec::new(),
            ring_limit_us: None,
            limit: None,
            max_wait_us: None,
            overflow: Overflow::End,
            last_operator: None,
            service_level: ServiceLevelTarget::default(),
        }
    }
}

impl Default for ServiceLevelTarget {
    /// 80 % in 20 s, abandonments up to 5 s left out.
    fn default() -> Self {
        Self { threshold_us: 20 * SECOND_US, target: 0.8, rule: EarlyAbandons::Short, short_abandon_us: 5 * SECOND_US }
    }
}
