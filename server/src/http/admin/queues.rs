//! Queues: policies, needs, relaxations, limits, targets.

use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use callfloor_engine::{
    EngineConfig, IdleSince, Policy, PriorityRule, Queue, QueueId, RelaxStep, Relaxation, ServiceId, SkillId, SkillNeed,
};
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Change, WRITERS, change, ms, name, span};
use crate::auth::{Caller, Row};
use crate::floor::{QueueExtra, ServiceExtra};
use crate::host::Documents;
use crate::http::supervision::QueueChannel;
use crate::http::{App, At, Body, Problem};

pub(super) const PERMISSIONS: &[Row] = &[
    Row { method: "POST", path: "/floor/queues", access: WRITERS },
    Row { method: "PUT", path: "/floor/queues/{queue}", access: WRITERS },
];

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(add)).routes(routes!(replace))
}

/// A queue, as configured.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct QueueConfig {
    /// For screens and reports.
    pub name: String,
    /// Its service; cannot be changed.
    pub service: u16,
    /// What waits in it; cannot be changed.
    pub channel: QueueChannel,
    /// Which operator is chosen.
    #[serde(default)]
    pub policy: PolicyConfig,
    /// What everything in it asks for.
    #[serde(default)]
    pub needs: Vec<NeedConfig>,
    /// Ageing: each level of priority counts as having arrived so many milliseconds earlier; `null`: higher first,
    /// whatever the wait.
    #[serde(default)]
    pub head_start_ms: Option<u64>,
    /// Highest membership level that is asked at first.
    #[serde(default = "every_level")]
    pub first_level: u8,
    /// How requirements relax as the wait grows.
    #[serde(default)]
    pub relax: Vec<RelaxConfig>,
    /// Ring limit, where it is not the service's, in milliseconds (P9).
    #[serde(default)]
    pub ring_limit_ms: Option<u64>,
    /// Most that may wait.
    #[serde(default)]
    pub limit: Option<u32>,
    /// Longest wait, in milliseconds.
    #[serde(default)]
    pub maximum_wait_ms: Option<u64>,
    /// How long the customer's last operator is waited for, in milliseconds.
    #[serde(default)]
    pub last_operator_ms: Option<u64>,
    /// Service-level target.
    #[serde(default)]
    pub target: Target,
}

const fn every_level() -> u8 {
    255
}

/// Which of the Ready operators is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "policy", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum PolicyConfig {
    /// Longest since the last call.
    #[default]
    LongestIdle,
    /// Longest since becoming Ready.
    LongestReady,
    /// Fewest calls answered since login.
    FewestCalls,
    /// Lowest busy share.
    LeastOccupied,
    /// Highest proficiency in what is asked for.
    HighestProficiency,
    /// First in the order of operators.
    FixedOrder,
    /// The one whose last offer is longest ago.
    RoundRobin,
    /// By a hash of the seed and the call's number.
    Random,
    /// Everybody at once.
    RingAll,
    /// One more every so often.
    RingProgressive {
        /// Time between one and the next, in milliseconds.
        every_ms: u64,
    },
}

/// A skill that is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NeedConfig {
    /// Which.
    pub skill: u16,
    /// Least proficiency, 1 to 10.
    pub min: u8,
}

/// One relaxation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RelaxConfig {
    /// Wait after which it applies, in milliseconds.
    pub after_ms: u64,
    /// What is relaxed.
    pub change: Relaxed,
}

/// What is relaxed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Relaxed {
    /// This skill is no longer asked for.
    DropSkill(u16),
    /// No skill is asked for with more than this proficiency.
    MinProficiency(u8),
    /// Members up to this level are asked.
    Widen(u8),
}

/// What service level is aimed at, and how it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Target {
    /// T: a wait up to this is in time, in milliseconds.
    pub wait_ms: u32,
    /// s: an abandonment up to this is short, in milliseconds.
    pub short_ms: u32,
    /// How early abandonments enter.
    pub rule: Rule,
    /// The share that is aimed at, above 0 and at most 1.
    pub level: Option<f64>,
}

/// The five rules for early abandonments in use; `callfloor_measure::EarlyAbandons` defines each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Rule {
    Short,
    Ignore,
    Negative,
    Positive,
    Handled,
}

impl Default for Target {
    fn default() -> Self {
        Self::of(&QueueExtra::default())
    }
}

impl Target {
    fn of(extra: &QueueExtra) -> Self {
        use callfloor_measure::EarlyAbandons as E;
        let rule = match extra.rule {
            E::Short => Rule::Short,
            E::Ignore => Rule::Ignore,
            E::Negative => Rule::Negative,
            E::Positive => Rule::Positive,
            E::Handled => Rule::Handled,
        };
        Self { wait_ms: extra.target_wait_ms, short_ms: extra.short_ms, rule, level: extra.target_level }
    }

    fn extra(self, at: usize) -> QueueExtra {
        use callfloor_measure::EarlyAbandons as E;
        let rule = match self.rule {
            Rule::Short => E::Short,
            Rule::Ignore => E::Ignore,
            Rule::Negative => E::Negative,
            Rule::Positive => E::Positive,
            Rule::Handled => E::Handled,
        };
        QueueExtra {
            id: at as u64 + 1,
            target_wait_ms: self.wait_ms,
            short_ms: self.short_ms,
            rule,
            target_level: self.level,
        }
    }
}

impl QueueConfig {
    pub(super) fn of(documents: &mut Documents, config: &EngineConfig, at: usize) -> Result<Self, Problem> {
        let queue = &config.queues[at];
        let extra = QueueExtra::of(documents, QueueId(u16::try_from(at).unwrap_or(u16::MAX)))?;
        Ok(Self {
            name: queue.name.clone(),
            service: queue.service.0,
            channel: queue.channel.into(),
            policy: match queue.policy {
                Policy::LongestIdle(IdleSince::LastCall) => PolicyConfig::LongestIdle,
                Policy::LongestIdle(IdleSince::Ready) => PolicyConfig::LongestReady,
                Policy::FewestCalls => PolicyConfig::FewestCalls,
                Policy::LeastOccupied => PolicyConfig::LeastOccupied,
                Policy::HighestProficiency => PolicyConfig::HighestProficiency,
                Policy::FixedOrder => PolicyConfig::FixedOrder,
                Policy::RoundRobin => PolicyConfig::RoundRobin,
                Policy::Random => PolicyConfig::Random,
                Policy::RingAll => PolicyConfig::RingAll,
                Policy::RingProgressive { step } => PolicyConfig::RingProgressive { every_ms: ms(step) },
            },
            needs: queue.needs.iter().map(|need| NeedConfig { skill: need.skill.0, min: need.min }).collect(),
            head_start_ms: match queue.priority {
                PriorityRule::Strict => None,
                PriorityRule::HeadStart { per_level } => Some(ms(per_level)),
            },
            first_level: queue.first_level,
            relax: queue
                .relax
                .iter()
                .map(|step| RelaxConfig {
                    after_ms: ms(step.after),
                    change: match step.change {
                        Relaxation::DropSkill(skill) => Relaxed::DropSkill(skill.0),
                        Relaxation::MinProficiency(min) => Relaxed::MinProficiency(min),
                        Relaxation::Widen(level) => Relaxed::Widen(level),
                    },
                })
                .collect(),
            ring_limit_ms: queue.ring_limit.map(ms),
            limit: queue.limit,
            maximum_wait_ms: queue.maximum_wait.map(ms),
            last_operator_ms: queue.last_operator.map(ms),
            target: Target::of(&extra),
        })
    }

    fn queue(&self, change: &mut Change<'_>, at: usize) -> Result<Queue, Problem> {
        let own_name = name("name", &self.name)?;
        if self.target.level.is_some_and(|level| !(level > 0.0 && level <= 1.0)) {
            return Err(Problem::wrong("target", "a target level is above 0 and at most 1"));
        }
        if self.needs.len() > 8 || self.relax.len() > 16 {
            return Err(Problem::wrong("needs", "at most 8 needs and 16 relaxations are right"));
        }
        let kind = ServiceExtra::of(change.documents, ServiceId(self.service))?.kind;
        if kind.is_issues() && self.channel != QueueChannel::Ticket {
            let detail = format!("service {} takes issues alone: its queues are for tickets", self.service);
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "configuration", detail));
        }
        change.documents.put(&self.target.extra(at));
        Ok(Queue {
            name: own_name,
            service: ServiceId(self.service),
            channel: self.channel.into(),
            policy: match self.policy {
                PolicyConfig::LongestIdle => Policy::LongestIdle(IdleSince::LastCall),
                PolicyConfig::LongestReady => Policy::LongestIdle(IdleSince::Ready),
                PolicyConfig::FewestCalls => Policy::FewestCalls,
                PolicyConfig::LeastOccupied => Policy::LeastOccupied,
                PolicyConfig::HighestProficiency => Policy::HighestProficiency,
                PolicyConfig::FixedOrder => Policy::FixedOrder,
                PolicyConfig::RoundRobin => Policy::RoundRobin,
                PolicyConfig::Random => Policy::Random,
                PolicyConfig::RingAll => Policy::RingAll,
                PolicyConfig::RingProgressive { every_ms } => Policy::RingProgressive { step: span(every_ms) },
            },
            needs: self.needs.iter().map(|need| SkillNeed { skill: SkillId(need.skill), min: need.min }).collect(),
            priority: match self.head_start_ms {
                None => PriorityRule::Strict,
                Some(per_level) => PriorityRule::HeadStart { per_level: span(per_level) },
            },
            first_level: self.first_level,
            relax: self
                .relax
                .iter()
                .map(|step| RelaxStep {
                    after: span(step.after_ms),
                    change: match step.change {
                        Relaxed::DropSkill(skill) => Relaxation::DropSkill(SkillId(skill)),
                        Relaxed::MinProficiency(min) => Relaxation::MinProficiency(min),
                        Relaxed::Widen(level) => Relaxation::Widen(level),
                    },
                })
                .collect(),
            ring_limit: self.ring_limit_ms.map(span),
            limit: self.limit,
            maximum_wait: self.maximum_wait_ms.map(span),
            last_operator: self.last_operator_ms.map(span),
        })
    }
}

/// A queue that was added.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, utoipa::ToSchema)]
struct NewQueue {
    /// Its number.
    queue: u16,
}

/// Adds a queue.
#[utoipa::path(post, path = "/floor/queues", tag = "administration", request_body = QueueConfig,
    params(("If-Match" = String, Header, description = "the floor's version")), responses(
    (status = 201, description = "added; the floor's version is the ETag", body = NewQueue),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn add(caller: Caller, headers: HeaderMap, Body(body): Body<QueueConfig>) -> Result<Response, Problem> {
    let changed = change(&caller, &headers, move |change| {
        let at = change.floor.queues.len();
        let number = u16::try_from(at).ok().filter(|number| *number < 10_000);
        let number = number.ok_or_else(|| Problem::conflict("too-many", format!("there are {at} queues already")))?;
        let queue = body.queue(change, at)?;
        change.floor.queues.push(queue);
        Ok(NewQueue { queue: number })
    })
    .await?;
    Ok(changed.respond(StatusCode::CREATED))
}

/// Changes a queue. What waits in it keeps its place.
#[utoipa::path(put, path = "/floor/queues/{queue}", tag = "administration", request_body = QueueConfig,
    params(("queue" = u16, Path, description = "which"), ("If-Match" = String, Header, description = "the floor's version")),
    responses(
    (status = 200, description = "changed; the floor's version is the ETag", body = QueueConfig),
    (status = "4XX", description = "refused", body = Problem),
    (status = 503, description = "try again", body = Problem),
))]
async fn replace(
    caller: Caller,
    headers: HeaderMap,
    At(queue): At<u16>,
    Body(body): Body<QueueConfig>,
) -> Result<Response, Problem> {
    let changed = change(&caller, &headers, move |change| {
        let at = usize::from(queue);
        if at >= change.floor.queues.len() {
            return Err(Problem::unknown(format!("there is no queue {queue}")));
        }
        change.floor.queues[at] = body.queue(change, at)?;
        Ok(body)
    })
    .await?;
    Ok(changed.respond(StatusCode::OK))
}
