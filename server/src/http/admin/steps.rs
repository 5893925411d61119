//! Steps of a call flow on the wire.

use std::collections::BTreeMap;

use callfloor_engine::{AudioId, OverflowWhen, QueueId, SkillId, Step, StepId};
use serde::{Deserialize, Serialize};

use super::{ms, span};
use crate::floor::is_audio;
use crate::host::Documents;
use crate::http::Problem;
use crate::http::operators::number;

/// One step of a call flow (シナリオ, P14). Steps are numbered from 0; the next in the list follows unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "step", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum StepConfig {
    /// Goes to `closed` outside opening hours.
    Hours {
        /// Which step.
        closed: u16,
    },
    /// Plays a recording.
    Announcement {
        /// Which.
        audio: u32,
        /// The longest that it may take, in milliseconds.
        limit_ms: u64,
    },
    /// Plays a recording and waits for one digit.
    Menu {
        /// Which.
        audio: u32,
        /// Digit and the step that it leads to.
        options: BTreeMap<char, u16>,
        /// How long a digit is waited for, in milliseconds.
        limit_ms: u64,
        /// Where a wrong digit or none leads.
        otherwise: u16,
    },
    /// Asks for a skill from here on.
    SetSkill {
        /// Which.
        skill: u16,
        /// Least proficiency, 1 to 10.
        min: u8,
    },
    /// The priority from here on.
    SetPriority {
        /// 0 is ordinary; greater is more urgent.
        priority: u8,
    },
    /// Waits in a queue.
    Queue {
        /// Which.
        queue: u16,
        /// Where a full queue leads.
        #[serde(default)]
        on_full: Option<u16>,
        /// Where its maximum wait leads.
        #[serde(default)]
        on_timeout: Option<u16>,
    },
    /// Goes elsewhere while a condition holds.
    Overflow {
        /// Of which queue.
        queue: u16,
        /// The condition.
        when: Condition,
        /// Where to go.
        to: u16,
    },
    /// Offers to call back.
    CallbackOffer {
        /// What is played.
        audio: u32,
        /// The digit that accepts.
        digit: char,
        /// How long it is waited for, in milliseconds.
        limit_ms: u64,
        /// Where the callback waits.
        queue: u16,
    },
    /// Records a message.
    Voicemail {
        /// The longest message, in milliseconds.
        limit_ms: u64,
        /// A ticket queue.
        #[serde(default)]
        queue: Option<u16>,
    },
    /// Connects the customer to another number.
    Forward {
        /// Which.
        number: String,
    },
    /// Goes on at another step.
    GoTo {
        /// Which.
        to: u16,
    },
    /// Ends the call.
    End,
}

/// When a flow goes elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Condition {
    /// At least so many calls wait.
    Waiting(u32),
    /// The longest-waiting call has waited at least so many milliseconds.
    LongestWaitMs(u64),
    /// Nobody who serves the queue is logged in.
    NobodyLoggedIn,
    /// Nobody who serves the queue is Ready.
    NobodyReady,
}

impl StepConfig {
    /// The wire form.
    pub(super) fn of(step: &Step) -> Self {
        match step {
            Step::Hours { closed } => Self::Hours { closed: closed.0 },
            Step::Announcement { audio, limit } => Self::Announcement { audio: audio.0, limit_ms: ms(*limit) },
            Step::Menu { audio, options, limit, otherwise } => Self::Menu {
                audio: audio.0,
                options: options.iter().map(|&(digit, step)| (digit, step.0)).collect(),
                limit_ms: ms(*limit),
                otherwise: otherwise.0,
            },
            Step::SetSkill { skill, min } => Self::SetSkill { skill: skill.0, min: *min },
            Step::SetPriority { priority } => Self::SetPriority { priority: *priority },
            Step::Queue { queue, on_full, on_timeout } => Self::Queue {
                queue: queue.0,
                on_full: on_full.map(|step| step.0),
                on_timeout: on_timeout.map(|step| step.0),
            },
            Step::Overflow { queue, when, to } => Self::Overflow {
                queue: queue.0,
                when: match when {
                    OverflowWhen::Waiting(waiting) => Condition::Waiting(*waiting),
                    OverflowWhen::LongestWait(wait) => Condition::LongestWaitMs(ms(*wait)),
                    OverflowWhen::NobodyLoggedIn => Condition::NobodyLoggedIn,
                    OverflowWhen::NobodyReady => Condition::NobodyReady,
                },
                to: to.0,
            },
            Step::CallbackOffer { audio, digit, limit, queue } => {
                Self::CallbackOffer { audio: audio.0, digit: *digit, limit_ms: ms(*limit), queue: queue.0 }
            }
            Step::Voicemail { limit, queue } => {
                Self::Voicemail { limit_ms: ms(*limit), queue: queue.map(|queue| queue.0) }
            }
            Step::Forward { number } => Self::Forward { number: number.to_string() },
            Step::GoTo { step } => Self::GoTo { to: step.0 },
            Step::End => Self::End,
        }
    }

    /// The engine's form. Its ids are checked with the whole floor.
    pub(super) fn step(&self) -> Result<Step, Problem> {
        Ok(match *self {
            Self::Hours { closed } => Step::Hours { closed: StepId(closed) },
            Self::Announcement { audio, limit_ms } => {
                Step::Announcement { audio: AudioId(audio), limit: span(limit_ms) }
            }
            Self::Menu { audio, ref options, limit_ms, otherwise } => Step::Menu {
                audio: AudioId(audio),
                options: options.iter().map(|(&digit, &step)| (digit, StepId(step))).collect(),
                limit: span(limit_ms),
                otherwise: StepId(otherwise),
            },
            Self::SetSkill { skill, min } => Step::SetSkill { skill: SkillId(skill), min },
            Self::SetPriority { priority } => Step::SetPriority { priority },
            Self::Queue { queue, on_full, on_timeout } => {
                Step::Queue { queue: QueueId(queue), on_full: on_full.map(StepId), on_timeout: on_timeout.map(StepId) }
            }
            Self::Overflow { queue, when, to } => Step::Overflow {
                queue: QueueId(queue),
                when: match when {
                    Condition::Waiting(waiting) => OverflowWhen::Waiting(waiting),
                    Condition::LongestWaitMs(wait) => OverflowWhen::LongestWait(span(wait)),
                    Condition::NobodyLoggedIn => OverflowWhen::NobodyLoggedIn,
                    Condition::NobodyReady => OverflowWhen::NobodyReady,
                },
                to: StepId(to),
            },
            Self::CallbackOffer { audio, digit, limit_ms, queue } => {
                Step::CallbackOffer { audio: AudioId(audio), digit, limit: span(limit_ms), queue: QueueId(queue) }
            }
            Self::Voicemail { limit_ms, queue } => Step::Voicemail { limit: span(limit_ms), queue: queue.map(QueueId) },
            Self::Forward { number: ref text } => Step::Forward { number: number("number", text)? },
            Self::GoTo { to } => Step::GoTo { step: StepId(to) },
            Self::End => Step::End,
        })
    }

    /// What it plays.
    const fn audio(&self) -> Option<AudioId> {
        match *self {
            Self::Announcement { audio, .. } | Self::Menu { audio, .. } | Self::CallbackOffer { audio, .. } => {
                Some(AudioId(audio))
            }
            _ => None,
        }
    }
}

/// Most steps of a flow.
const STEPS: usize = 1_000;

/// A whole flow; every recording in it must be there.
pub(super) fn flow(documents: &mut Documents, place: &str, steps: &[StepConfig]) -> Result<Vec<Step>, Problem> {
    if steps.len() > STEPS {
        return Err(Problem::wrong("flow", format!("a flow of {} steps: at most {STEPS} are right", steps.len())));
    }
    for (at, step) in steps.iter().enumerate() {
        if let Some(audio) = step.audio()
            && !is_audio(documents, audio)?
        {
            return Err(callfloor_engine::ConfigError {
                place: format!("service {place:?}, step {at}"),
                problem: format!("{audio} does not exist: GET /floor/audio lists what does"),
            }
            .into());
        }
    }
    steps.iter().map(StepConfig::step).collect()
}
