//! A scenario's flows as the API takes them, with recordings that can be told apart by ear.

use std::collections::BTreeMap;

use callfloor_engine::{OverflowWhen, Span, Step, StepId};
use callfloor_scenario::StepKind;
use callfloor_scenario::floor::{AudioKind, ClassEntry};
use callfloor_scenario::service::VOICEMAIL_LIMIT_US;
use callfloor_sim::model::Model;
use serde_json::{Value, json};

use super::{Numbers, PrepareError};
use crate::plan::Timescale;
use crate::play::{Prompt, PromptKind};
use crate::voice::{PROMPTS, Voice};

/// What a customer needs beside the scenario's own time to press a key at a compressed pace: the key's tone and the way of it.
const KEY_ROOM_MS: u64 = 600;
/// Room for an announcement's end to be told.
const END_ROOM_MS: u64 = 2_000;
/// Length of the signal after which a message is recorded, in microseconds of the scenario.
const SIGNAL_US: u64 = 400_000;

/// Every recording of a scenario, and what each is.
#[derive(Debug, Default)]
pub(super) struct Recordings {
    /// By the number of their voice.
    pub(super) prompts: Vec<Prompt>,
    /// The voice of each of the engine's recordings. `[AudioId]`
    voices: Vec<Voice>,
    /// The signal before a message of this length.
    signals: BTreeMap<u64, Voice>,
}

impl Recordings {
    /// # Errors
    /// That there are more than can be told apart.
    pub(super) fn of(model: &Model<'_>) -> Result<Self, PrepareError> {
        let mut found = Self::default();
        for audio in &model.plan.audio {
            let voice = match audio.kind {
                AudioKind::Music => Voice::Music,
                kind => found.add(PromptKind::Audio(kind), audio.length_us)?,
            };
            found.voices.push(voice);
        }
        let services = 0..model.plan.config.services.len();
        let lengths: Vec<u64> = services.flat_map(|service| message_lengths(model, service)).collect();
        for length_us in lengths {
            if !found.signals.contains_key(&length_us) {
                let voice = found.add(PromptKind::Voicemail { length_us }, SIGNAL_US)?;
                found.signals.insert(length_us, voice);
            }
        }
        Ok(found)
    }

    fn add(&mut self, kind: PromptKind, length_us: u64) -> Result<Voice, PrepareError> {
        let number = self.prompts.len();
        if number >= PROMPTS {
            return Err(PrepareError::Scenario(format!(
                "the scenario plays more than {PROMPTS} recordings: played customers cannot tell more apart; shorten its flows"
            )));
        }
        self.prompts.push(Prompt { kind, length_us });
        Ok(Voice::Prompt(u8::try_from(number).unwrap_or(u8::MAX)))
    }

    /// Every recording with its length in real milliseconds; music for two seconds, over and over.
    pub(super) fn files(&self, timescale: Timescale) -> Vec<(Voice, u64)> {
        let prompts = self.prompts.iter().zip(0_u8..).map(|(prompt, number)| {
            // Two frames are the least that can be recognised.
            (Voice::Prompt(number), (timescale.real_us(prompt.length_us) / 1_000).max(40))
        });
        std::iter::once((Voice::Music, 2_000)).chain(prompts).collect()
    }

    /// The announcement of a forced end of service number `service`.
    pub(super) fn forced_end(&self, model: &Model<'_>, service: usize) -> Voice {
        self.voice(model.plan.config.services[service].settings.forced_end_audio)
    }

    fn voice(&self, audio: callfloor_engine::AudioId) -> Voice {
        self.voices.get(audio.0 as usize).copied().unwrap_or(Voice::Music)
    }
}

/// How long the messages are that a service's flow records, in microseconds of the scenario, in the order of its steps.
fn message_lengths(model: &Model<'_>, service: usize) -> impl Iterator<Item = u64> {
    let steps = &model.plan.config.services[service].flow;
    let messages = steps.iter().enumerate().filter(|(_, step)| matches!(step, Step::Voicemail { .. }));
    messages.map(move |(step, _)| {
        let origin = model.plan.origins.get(service).and_then(|steps| steps.get(step)).copied().flatten();
        match origin.map(|(flow, step)| &model.scenario.flows[flow.0].steps[step.0].kind) {
            Some(StepKind::Voicemail { length_us, .. }) => *length_us,
            // A queue's own overflow rule says no length: its limit is meant.
            _ => VOICEMAIL_LIMIT_US,
        }
    })
}

/// The audio's number on the server, by voice.
pub(super) type AudioNumbers = BTreeMap<Voice, u64>;

/// A service's flow, with the entry of each of its classes.
pub(super) struct Flow {
    pub(super) steps: Vec<Value>,
    /// Class and the step at which its calls enter.
    pub(super) entries: Vec<(usize, usize)>,
}

/// What a flow is written with.
pub(super) struct Writing<'a> {
    pub(super) model: &'a Model<'a>,
    pub(super) recordings: &'a Recordings,
    pub(super) audio: &'a AudioNumbers,
    pub(super) numbers: &'a Numbers,
    pub(super) timescale: Timescale,
}

impl Writing<'_> {
    pub(super) fn number(&self, voice: Voice) -> u64 {
        self.audio.get(&voice).copied().unwrap_or_default()
    }

    pub(super) fn ms(&self, span: Span) -> u64 {
        real_ms(self.timescale, span)
    }

    /// The flow of service number `service` of the scenario.
    pub(super) fn flow(&self, service: usize) -> Flow {
        let steps = &self.model.plan.config.services[service].flow;
        // A message's signal comes before its step, so that places move on.
        let mut places = Vec::with_capacity(steps.len());
        let mut at = 0;
        for step in steps {
            places.push(at);
            at += if matches!(step, Step::Voicemail { .. }) { 2 } else { 1 };
        }
        let place = |step: StepId| places.get(usize::from(step.0)).copied().unwrap_or(0);
        let mut messages = message_lengths(self.model, service);
        let mut out = Vec::with_capacity(at);
        for step in steps {
            if matches!(step, Step::Voicemail { .. }) {
                let signal = messages.next().and_then(|length| self.recordings.signals.get(&length));
                let audio = signal.map_or(0, |voice| self.number(*voice));
                out.push(
                    json!({ "step": "announcement", "audio": audio, "limit_ms": END_ROOM_MS + SIGNAL_US / 1_000 }),
                );
            }
            out.push(self.step(step, &place));
        }
        let mut entries = Vec::new();
        for (class, entry) in self.model.plan.entries.iter().enumerate() {
            let ClassEntry::Call { service: of, entry } = entry else { continue };
            if usize::from(of.0) != service {
                continue;
            }
            match self.model.scenario.classes[class].priority {
                0 => entries.push((class, place(*entry))),
                priority => {
                    entries.push((class, out.len()));
                    out.push(json!({ "step": "set-priority", "priority": priority }));
                    out.push(json!({ "step": "go-to", "to": place(*entry) }));
                }
            }
        }
        Flow { steps: out, entries }
    }

    fn step(&self, step: &Step, place: &dyn Fn(StepId) -> usize) -> Value {
        let room = if self.timescale.speed > 1.0 { KEY_ROOM_MS } else { 0 };
        let audio_of = |audio| self.number(self.recordings.voice(audio));
        match step {
            Step::Hours { closed } => json!({ "step": "hours", "closed": place(*closed) }),
            Step::Announcement { audio, limit } => {
                json!({ "step": "announcement", "audio": audio_of(*audio), "limit_ms": self.ms(*limit) + END_ROOM_MS })
            }
            Step::Menu { audio, options, limit, otherwise } => {
                let options: BTreeMap<char, usize> =
                    options.iter().map(|&(digit, step)| (digit, place(step))).collect();
                json!({
                    "step": "menu", "audio": audio_of(*audio), "options": options,
                    "limit_ms": self.ms(*limit) + room, "otherwise": place(*otherwise),
                })
            }
            Step::SetSkill { skill, min } => {
                json!({ "step": "set-skill", "skill": self.numbers.skill(skill.0), "min": min })
            }
            Step::SetPriority { priority } => json!({ "step": "set-priority", "priority": priority }),
            Step::Queue { queue, on_full, on_timeout } => json!({
                "step": "queue", "queue": self.numbers.queue(queue.0),
                "on_full": on_full.map(place), "on_timeout": on_timeout.map(place),
            }),
            Step::Overflow { queue, when, to } => {
                let when = match when {
                    OverflowWhen::Waiting(count) => json!({ "waiting": count }),
                    OverflowWhen::LongestWait(wait) => json!({ "longest-wait-ms": self.ms(*wait) }),
                    OverflowWhen::NobodyLoggedIn => json!("nobody-logged-in"),
                    OverflowWhen::NobodyReady => json!("nobody-ready"),
                };
                json!({ "step": "overflow", "queue": self.numbers.queue(queue.0), "when": when, "to": place(*to) })
            }
            Step::CallbackOffer { audio, digit, limit, queue } => json!({
                "step": "callback-offer", "audio": audio_of(*audio), "digit": digit,
                "limit_ms": self.ms(*limit) + END_ROOM_MS, "queue": self.numbers.queue(queue.0),
            }),
            Step::Voicemail { limit, queue } => json!({
                "step": "voicemail", "limit_ms": self.ms(*limit) + END_ROOM_MS,
                "queue": queue.map(|queue| self.numbers.queue(queue.0)),
            }),
            Step::Forward { number } => json!({ "step": "forward", "number": number.to_string() }),
            Step::GoTo { step } => json!({ "step": "go-to", "to": place(*step) }),
            Step::End => json!({ "step": "end" }),
        }
    }
}

/// A length of the scenario in whole real milliseconds, at least one.
pub(super) fn real_ms(timescale: Timescale, span: Span) -> u64 {
    timescale.real_us(span.as_micros()).div_ceil(1_000).max(1)
}
