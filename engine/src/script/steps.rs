//! Call flows of a script's floor: steps and the labels that name them.

use alloc::vec::Vec;

use super::ScriptError;
use super::floor::{Draft, names, number, room};
use super::words::{Cursor, NEW_LINE, Word, WordKind};
use crate::config::{OverflowWhen, SkillNeed, Step};
use crate::id::{AudioId, QueueId, StepId};

impl Draft {
    /// `flow: announcement 5s; queue billing`, one step or label after another.
    pub(super) fn flow(&mut self, service: usize, words: &[Word], here: &Cursor<'_>) -> Result<(), ScriptError> {
        let Some((colon, words)) = words.split_first().filter(|(first, _)| first.is(":")) else {
            return Err(here.fail("\":\" and the steps of the flow, with \";\" between them"));
        };
        debug_assert!(colon.kind == WordKind::Mark);
        let mut steps = Vec::new();
        self.labels.retain(|&(of, ..)| of != service);
        for mut part in words.split(|word| word.is(";") || word.is(NEW_LINE)) {
            while let [name, mark, rest @ ..] = part
                && mark.is(":")
            {
                room(here, steps.len(), u16::MAX.into())?;
                self.labels.push((service, name.text.clone(), StepId(number(steps.len()))));
                part = rest;
            }
            if !part.is_empty() {
                steps.push(part);
            }
        }
        let flow = steps.into_iter().map(|step| self.step(service, step)).collect::<Result<_, _>>()?;
        self.floor.services[service].flow = flow;
        Ok(())
    }

    /// A step by its label or number.
    pub(super) fn step_id(&self, service: usize, words: &mut Cursor<'_>) -> Result<StepId, ScriptError> {
        if let Some(id) = words.peek().and_then(|word| word.text.parse().ok()) {
            words.next();
            return Ok(StepId(id));
        }
        let labels = self.labels.iter().filter(|&&(of, ..)| of == service);
        let at = words.known("step of the flow, by its number or label", labels.clone().map(|(_, name, _)| &**name))?;
        Ok(labels.map(|&(.., id)| id).nth(at).unwrap_or(StepId(0)))
    }

    fn leads_to(&self, service: usize, words: &mut Cursor<'_>) -> Result<StepId, ScriptError> {
        words.need("->")?;
        self.step_id(service, words)
    }

    fn step(&self, service: usize, words: &[Word]) -> Result<Step, ScriptError> {
        #[derive(Clone, Copy)]
        enum Kind {
            Hours,
            Announcement,
            Menu,
            Skill,
            Priority,
            Queue,
            Overflow,
            Callback,
            Voicemail,
            Forward,
            GoTo,
            End,
        }
        let mut words = Cursor::new(words);
        let words = &mut words;
        let queue = |words: &mut Cursor<'_>| {
            words.known("queue", names(&self.floor.queues, |queue| &queue.name)).map(|at| QueueId(number(at)))
        };
        let step = match words.one_of(&[
            ("hours", Kind::Hours),
            ("announcement", Kind::Announcement),
            ("menu", Kind::Menu),
            ("skill", Kind::Skill),
            ("priority", Kind::Priority),
            ("queue", Kind::Queue),
            ("overflow", Kind::Overflow),
            ("callback", Kind::Callback),
            ("voicemail", Kind::Voicemail),
            ("forward", Kind::Forward),
            ("goto", Kind::GoTo),
            ("end", Kind::End),
        ])? {
            Kind::Hours => {
                words.need("closed")?;
                Step::Hours { closed: self.leads_to(service, words)? }
            }
            Kind::Announcement => {
                let limit = words.span("the longest that it may take")?;
                Step::Announcement { audio: self.optional_audio(words)?, limit }
            }
            Kind::Menu => self.menu(service, words)?,
            Kind::Skill => {
                let SkillNeed { skill, min } = self.need(words, 1)?;
                Step::SetSkill { skill, min }
            }
            Kind::Priority => Step::SetPriority { priority: words.small("a priority", u8::MAX.into())? },
            Kind::Queue => {
                let queue = queue(words)?;
                let (mut on_full, mut on_timeout) = (None, None);
                while !words.is_done() {
                    match words.one_of(&[("full", 0), ("timeout", 1)])? {
                        0 => on_full = Some(self.leads_to(service, words)?),
                        _ => on_timeout = Some(self.leads_to(service, words)?),
                    }
                }
                Step::Queue { queue, on_full, on_timeout }
            }
            Kind::Overflow => {
                let queue = queue(words)?;
                let when = match words.one_of(&[
                    ("waiting", 0),
                    ("longest", 1),
                    ("nobody-logged-in", 2),
                    ("nobody-ready", 3),
                ])? {
                    0 => OverflowWhen::Waiting(words.small("how many wait", u32::MAX.into())?),
                    1 => OverflowWhen::LongestWait(words.span("the longest wait")?),
                    2 => OverflowWhen::NobodyLoggedIn,
                    _ => OverflowWhen::NobodyReady,
                };
                Step::Overflow { queue, when, to: self.leads_to(service, words)? }
            }
            Kind::Callback => {
                let queue = queue(words)?;
                let digit = if words.eat("digit") { words.key()? } else { '1' };
                let limit = words.span("how long the digit is waited for")?;
                Step::CallbackOffer { audio: self.optional_audio(words)?, digit, limit, queue }
            }
            Kind::Voicemail => {
                let limit = words.span("the longest message")?;
                let queue = if words.eat("queue") { Some(queue(words)?) } else { None };
                Step::Voicemail { limit, queue }
            }
            Kind::Forward => Step::Forward { number: words.phone("the number to forward to")? },
            Kind::GoTo => Step::GoTo { step: self.step_id(service, words)? },
            Kind::End => Step::End,
        };
        words.finish()?;
        Ok(step)
    }

    /// `menu 5s audio welcome, 1 -> sales, else -> desk`.
    fn menu(&self, service: usize, words: &mut Cursor<'_>) -> Result<Step, ScriptError> {
        let limit = words.span("how long a digit is waited for")?;
        let audio = self.optional_audio(words)?;
        let mut options = Vec::new();
        loop {
            words.need(",")?;
            if words.eat("else") {
                let otherwise = self.leads_to(service, words)?;
                return Ok(Step::Menu { audio, options, limit, otherwise });
            }
            let digit = words.key()?;
            options.push((digit, self.leads_to(service, words)?));
        }
    }

    fn optional_audio(&self, words: &mut Cursor<'_>) -> Result<AudioId, ScriptError> {
        if words.eat("audio") { self.audio(words) } else { Ok(AudioId(0)) }
    }
}
