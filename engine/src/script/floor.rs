//! The floor at a script's head: statements into a [`Floor`].

use alloc::borrow::ToOwned;
use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use super::ScriptError;
use super::words::{Cursor, Statement, Word};
use crate::config::{
    AfterCall, Channel, EngineConfig, Favourite, Floor, IdleSince, Membership, MissRule, NumberState, OpeningHours,
    Operator, OperatorSkill, OutboundTicket, OutgoingNumber, Policy, PriorityRule, Queue, RelaxStep, Relaxation,
    Service, SkillNeed, StatusChoice, reason,
};
use crate::config::{DeviceLostRule, Settings};
use crate::id::{AudioId, OperatorId, QueueId, ReasonId, ServiceId, SkillId, StepId};
use crate::time::Span;

/// A floor being described, with the names that only scripts know.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) floor: Floor,
    /// Names of recordings.
    pub(super) audio: Vec<(String, AudioId)>,
    /// Names of reasons, the engine's own first.
    pub(super) reasons: Vec<(String, ReasonId)>,
    /// Labels of flow steps: service, name, step.
    pub(super) labels: Vec<(usize, String, StepId)>,
    /// Operators whose queues were not named: they serve all of their services.
    pub(super) all_queues: BTreeSet<usize>,
}

const STATEMENTS: [&str; 12] = [
    "skill",
    "service",
    "queue",
    "operator",
    "flow",
    "outgoing",
    "favourite",
    "set",
    "blending",
    "seed",
    "audio",
    "reason",
];

/// The engine's own reasons.
pub(super) const OWN_REASONS: [(&str, ReasonId); 5] = [
    ("none", reason::NONE),
    ("missed", reason::MISSED),
    ("declined", reason::DECLINED),
    ("device-failed", reason::DEVICE_FAILED),
    ("device-lost", reason::DEVICE_LOST),
];

impl Draft {
    pub(super) fn new() -> Self {
        Self { reasons: OWN_REASONS.iter().map(|&(name, id)| (name.to_owned(), id)).collect(), ..Self::default() }
    }

    /// Reads statements on top of what is there: a known name is changed, a new one is added.
    pub(super) fn read(&mut self, statements: &[Statement]) -> Result<EngineConfig, ScriptError> {
        for statement in statements {
            self.declare(&mut Cursor::new(&statement.words))?;
        }
        // Where there is one service alone, everything belongs to it.
        let mut service = (self.floor.services.len() == 1).then_some(0);
        for statement in statements {
            self.statement(&statement.words, &mut service)?;
        }
        for &place in &self.all_queues {
            let operator = &mut self.floor.operators[place];
            operator.queues = (0u16..)
                .zip(&self.floor.queues)
                .filter(|(_, queue)| operator.services.contains(&queue.service))
                .map(|(at, _)| Membership { queue: QueueId(at), level: 0, preference: 0 })
                .collect();
        }
        EngineConfig::new(self.floor.clone()).map_err(|error| {
            let (line, column) = statements
                .iter()
                .find_map(|statement| match statement.words.as_slice() {
                    [head, name, ..] if error.place.starts_with(&format!("{} {:?}", head.text, name.text)) => {
                        Some((head.line, head.column))
                    }
                    _ => None,
                })
                .or_else(|| statements.first()?.words.first().map(|word| (word.line, word.column)))
                .unwrap_or((1, 1));
            ScriptError::at(line, column, format!("{error}"), "")
        })
    }

    /// Notes names, so that statements may name what comes further down.
    fn declare(&mut self, words: &mut Cursor<'_>) -> Result<(), ScriptError> {
        let Some(head) = words.next() else { return Ok(()) };
        let floor = &mut self.floor;
        match head.text.as_str() {
            "skill" => loop {
                let name = words.text("the name of a skill")?;
                if !floor.skills.iter().any(|skill| skill == name) {
                    room(words, floor.skills.len(), u16::MAX.into())?;
                    floor.skills.push(name.to_owned());
                }
                if !words.eat(",") {
                    return words.finish();
                }
            },
            "service" => {
                let name = words.text("the name of a service")?;
                if !floor.services.iter().any(|service| service.name == name) {
                    room(words, floor.services.len(), u16::MAX.into())?;
                    floor.services.push(Service {
                        name: name.to_owned(),
                        inbound: false,
                        outbound: false,
                        hours: OpeningHours::Always,
                        flow: Vec::new(),
                        outgoing: Vec::new(),
                        favourites: Vec::new(),
                        settings: Settings::default(),
                    });
                }
            }
            "queue" => {
                let name = words.text("the name of a queue")?;
                if !floor.queues.iter().any(|queue| queue.name == name) {
                    room(words, floor.queues.len(), u16::MAX.into())?;
                    floor.queues.push(Queue {
                        name: name.to_owned(),
                        service: ServiceId(u16::MAX),
                        channel: Channel::Phone,
                        policy: Policy::LongestIdle(IdleSince::LastCall),
                        needs: Vec::new(),
                        priority: PriorityRule::Strict,
                        first_level: u8::MAX,
                        relax: Vec::new(),
                        ring_limit: None,
                        limit: None,
                        maximum_wait: None,
                        last_operator: None,
                    });
                }
            }
            "operator" => {
                let name = words.text("the name of an operator")?;
                if !floor.operators.iter().any(|operator| operator.name == name) {
                    let place = floor.operators.len();
                    room(words, place, u16::MAX.into())?;
                    self.all_queues.insert(place);
                    floor.operators.push(Operator {
                        name: name.to_owned(),
                        services: Vec::new(),
                        phone: true,
                        cti_id: Some(name.to_owned()),
                        cti_number: format!("{}", 201 + place).parse().ok(),
                        skills: Vec::new(),
                        queues: Vec::new(),
                        points: 100,
                        chat_limit: 0,
                        ticket_limit: 0,
                        auto_answer: false,
                    });
                }
            }
            "audio" => {
                let name = words.text("the name of a recording")?.to_owned();
                let free = self.audio.iter().map(|&(_, AudioId(id))| id + 1).max().unwrap_or(0).max(16);
                let id = if words.eat("=") { words.small("its number", u32::MAX.into())? } else { free };
                self.audio.push((name, AudioId(id)));
                return words.finish();
            }
            "reason" => {
                let name = words.text("the name of a reason")?.to_owned();
                let free = self.reasons.iter().map(|&(_, ReasonId(id))| id + 1).max().unwrap_or(0);
                let least = reason::FIRST_OWN.0;
                let id = if words.eat("=") {
                    ReasonId(words.number("its number", least.into(), u16::MAX.into())?.try_into().unwrap_or(least))
                } else {
                    ReasonId(free.max(least))
                };
                self.reasons.push((name, id));
                return words.finish();
            }
            "flow" | "outgoing" | "favourite" | "set" | "blending" | "seed" => {}
            "floor" => return words.finish(),
            "t" => {
                return Err(ScriptError::at(head.line, head.column, "a timed command", "a statement about the floor"));
            }
            _ => {
                let fault = ScriptError::at(
                    head.line,
                    head.column,
                    format!("{:?}", head.text),
                    "a statement about the floor (skill, service, queue, operator, flow, outgoing, favourite, set, \
                     blending, seed, audio or reason) or a command that begins with t=",
                );
                return Err(fault.suggest(Some(head), &STATEMENTS));
            }
        }
        Ok(())
    }

    fn statement(&mut self, all: &[Word], service: &mut Option<usize>) -> Result<(), ScriptError> {
        let mut words = Cursor::new(all);
        let Some(head) = words.next() else { return Ok(()) };
        match head.text.as_str() {
            "service" => {
                let at = words.known("service", names(&self.floor.services, |s| &s.name))?;
                *service = Some(at);
                self.service(at, &mut words)
            }
            "queue" => self.queue(*service, &mut words),
            "operator" => self.operator(*service, &mut words),
            "blending" => self.blending(&mut words),
            "seed" => {
                self.floor.seed = words.number("a seed", 0, u64::MAX)?;
                words.finish()
            }
            "flow" | "outgoing" | "favourite" | "set" => {
                let Some(at) = *service else {
                    return Err(ScriptError::at(
                        head.line,
                        head.column,
                        format!("{:?}", head.text),
                        "a service above it, to which it belongs",
                    ));
                };
                match head.text.as_str() {
                    "flow" => self.flow(at, &all[1..], &words),
                    "set" => self.set(at, &mut words),
                    "outgoing" => {
                        let number = words.phone("an outgoing number")?;
                        let state = if words.is_done() {
                            NumberState::Confirmed
                        } else {
                            words.one_of(&[
                                ("confirmed", NumberState::Confirmed),
                                ("new", NumberState::New),
                                ("rejected", NumberState::Rejected),
                            ])?
                        };
                        let known = &mut self.floor.services[at].outgoing;
                        match known.iter_mut().find(|known| known.number == number) {
                            Some(known) => known.state = state,
                            None => known.push(OutgoingNumber { number, state }),
                        }
                        words.finish()
                    }
                    _ => {
                        let name = words.text("a favourite's name")?.to_owned();
                        let number = words.phone("its number")?;
                        let known = &mut self.floor.services[at].favourites;
                        match known.iter_mut().find(|known| known.name == name) {
                            Some(known) => known.number = number,
                            None => known.push(Favourite { name, number }),
                        }
                        words.finish()
                    }
                }
            }
            _ => Ok(()),
        }
    }

    fn service(&mut self, at: usize, words: &mut Cursor<'_>) -> Result<(), ScriptError> {
        #[derive(Clone, Copy)]
        enum Option {
            Inbound(bool),
            Outbound(bool),
            Hours,
        }
        while !words.is_done() {
            let service = &mut self.floor.services[at];
            match words.one_of(&[
                ("inbound", Option::Inbound(true)),
                ("no-inbound", Option::Inbound(false)),
                ("outbound", Option::Outbound(true)),
                ("no-outbound", Option::Outbound(false)),
                ("hours", Option::Hours),
            ])? {
                Option::Inbound(taken) => service.inbound = taken,
                Option::Outbound(allowed) => service.outbound = allowed,
                Option::Hours if words.eat("always") => service.hours = OpeningHours::Always,
                Option::Hours if words.eat("never") => service.hours = OpeningHours::Periods(Vec::new()),
                Option::Hours => {
                    let mut periods = Vec::new();
                    loop {
                        let from = words.instant("always, never, or an opening time")?;
                        words.need("to")?;
                        periods.push((from, words.instant("a closing time")?));
                        if !words.eat(",") {
                            break;
                        }
                    }
                    service.hours = OpeningHours::Periods(periods);
                }
            }
        }
        Ok(())
    }

    fn queue(&mut self, service: Option<usize>, words: &mut Cursor<'_>) -> Result<(), ScriptError> {
        let at = words.known("queue", names(&self.floor.queues, |queue| &queue.name))?;
        if let Some(service) = service
            && self.floor.queues[at].service == ServiceId(u16::MAX)
        {
            self.floor.queues[at].service = ServiceId(number(service));
        }
        while let Some(word) = words.peek() {
            let here = words.clone();
            words.next();
            let span = |words: &mut Cursor<'_>, what: &str| words.span(what);
            match word.text.as_str() {
                "of" => {
                    let of = words.known("service", names(&self.floor.services, |s| &s.name))?;
                    self.floor.queues[at].service = ServiceId(number(of));
                }
                "phone" => self.floor.queues[at].channel = Channel::Phone,
                "chat" => self.floor.queues[at].channel = Channel::Chat,
                "ticket" => self.floor.queues[at].channel = Channel::Ticket,
                "longest-idle" => {
                    let since = if words.eat("since") {
                        words.one_of(&[("last-call", IdleSince::LastCall), ("ready", IdleSince::Ready)])?
                    } else {
                        IdleSince::LastCall
                    };
                    self.floor.queues[at].policy = Policy::LongestIdle(since);
                }
                "fewest-calls" => self.floor.queues[at].policy = Policy::FewestCalls,
                "least-occupied" => self.floor.queues[at].policy = Policy::LeastOccupied,
                "highest-proficiency" => self.floor.queues[at].policy = Policy::HighestProficiency,
                "fixed-order" => self.floor.queues[at].policy = Policy::FixedOrder,
                "round-robin" => self.floor.queues[at].policy = Policy::RoundRobin,
                "random" => self.floor.queues[at].policy = Policy::Random,
                "ring-all" => self.floor.queues[at].policy = Policy::RingAll,
                "ring-progressive" => {
                    let step = span(words, "the step from one operator to the next")?;
                    self.floor.queues[at].policy = Policy::RingProgressive { step };
                }
                "needs" if words.eat("none") => self.floor.queues[at].needs.clear(),
                "needs" => {
                    let mut needs = Vec::new();
                    loop {
                        needs.push(self.need(words, 1)?);
                        if !words.eat(",") {
                            break;
                        }
                    }
                    self.floor.queues[at].needs = needs;
                }
                "strict" => self.floor.queues[at].priority = PriorityRule::Strict,
                "head-start" => {
                    let per_level = span(words, "the head start of each level")?;
                    self.floor.queues[at].priority = PriorityRule::HeadStart { per_level };
                }
                "first-level" => self.floor.queues[at].first_level = words.small("a level", u8::MAX.into())?,
                "relax" if words.eat("none") => self.floor.queues[at].relax.clear(),
                "relax" => self.floor.queues[at].relax = self.relax(words)?,
                "ring" if words.eat("by-service") => self.floor.queues[at].ring_limit = None,
                "ring" => self.floor.queues[at].ring_limit = Some(span(words, "by-service, or a ring limit")?),
                "limit" if words.eat("none") => self.floor.queues[at].limit = None,
                "limit" => {
                    self.floor.queues[at].limit = Some(words.small("none, or how many may wait", u32::MAX.into())?);
                }
                "max-wait" => self.floor.queues[at].maximum_wait = words.span_or_none("the longest wait")?,
                "last-operator" => {
                    self.floor.queues[at].last_operator =
                        words.span_or_none("how long a customer waits for their last operator")?;
                }
                _ => {
                    const OPTIONS: [&str; 22] = [
                        "of",
                        "phone",
                        "chat",
                        "ticket",
                        "longest-idle",
                        "fewest-calls",
                        "least-occupied",
                        "highest-proficiency",
                        "fixed-order",
                        "round-robin",
                        "random",
                        "ring-all",
                        "ring-progressive",
                        "needs",
                        "strict",
                        "head-start",
                        "first-level",
                        "relax",
                        "ring",
                        "limit",
                        "max-wait",
                        "last-operator",
                    ];
                    return Err(here
                        .fail(format!("an option of a queue: {}", super::words::either(&OPTIONS)))
                        .suggest(here.peek(), &OPTIONS));
                }
            }
        }
        Ok(())
    }

    fn relax(&self, words: &mut Cursor<'_>) -> Result<Vec<RelaxStep>, ScriptError> {
        let mut steps = Vec::new();
        loop {
            words.need("after")?;
            let after = words.span("the wait after which it applies")?;
            let change = match words.one_of(&[("drop", 0), ("proficiency", 1), ("level", 2)])? {
                0 => Relaxation::DropSkill(self.skill(words)?),
                1 => Relaxation::MinProficiency(words.small("a proficiency", u8::MAX.into())?),
                _ => Relaxation::Widen(words.small("a level", u8::MAX.into())?),
            };
            steps.push(RelaxStep { after, change });
            if !words.eat(",") {
                return Ok(steps);
            }
        }
    }

    pub(super) fn skill(&self, words: &mut Cursor<'_>) -> Result<SkillId, ScriptError> {
        match by_index(words) {
            Some(index) => Ok(SkillId(index)),
            None => words.known("skill", self.floor.skills.iter().map(String::as_str)).map(|at| SkillId(number(at))),
        }
    }

    /// `english>=3`.
    pub(super) fn need(&self, words: &mut Cursor<'_>, least: u64) -> Result<SkillNeed, ScriptError> {
        let skill = self.skill(words)?;
        words.need(">=")?;
        let min = words.number("a proficiency", least, u8::MAX.into())?;
        Ok(SkillNeed { skill, min: u8::try_from(min).unwrap_or(u8::MAX) })
    }

    fn operator(&mut self, service: Option<usize>, words: &mut Cursor<'_>) -> Result<(), ScriptError> {
        let at = words.known("operator", names(&self.floor.operators, |operator| &operator.name))?;
        if let Some(service) = service
            && self.floor.operators[at].services.is_empty()
        {
            self.floor.operators[at].services.push(ServiceId(number(service)));
        }
        while let Some(word) = words.peek() {
            let here = words.clone();
            words.next();
            match word.text.as_str() {
                "of" => {
                    let mut services = Vec::new();
                    loop {
                        let of = words.known("service", names(&self.floor.services, |s| &s.name))?;
                        services.push(ServiceId(number(of)));
                        if !words.eat(",") {
                            break;
                        }
                    }
                    self.floor.operators[at].services = services;
                }
                "phone" => self.floor.operators[at].phone = true,
                "no-phone" => self.floor.operators[at].phone = false,
                "id" if words.eat("none") => self.floor.operators[at].cti_id = None,
                "id" => self.floor.operators[at].cti_id = Some(words.text("none, or a CTI id")?.to_owned()),
                "number" if words.eat("none") => self.floor.operators[at].cti_number = None,
                "number" => self.floor.operators[at].cti_number = Some(words.phone("none, or a CTI number")?),
                "skills" if words.eat("none") => self.floor.operators[at].skills.clear(),
                "skills" => {
                    let mut skills = Vec::new();
                    loop {
                        let skill = self.skill(words)?;
                        words.need("=")?;
                        let proficiency = words.small("a proficiency", u8::MAX.into())?;
                        skills.push(OperatorSkill { skill, proficiency });
                        if !words.eat(",") {
                            break;
                        }
                    }
                    self.floor.operators[at].skills = skills;
                }
                "queues" => {
                    self.all_queues.remove(&at);
                    self.floor.operators[at].queues = self.memberships(words)?;
                }
                "points" => self.floor.operators[at].points = words.small("capacity points", u16::MAX.into())?,
                "chats" => self.floor.operators[at].chat_limit = words.small("chats at once", u8::MAX.into())?,
                "tickets" => self.floor.operators[at].ticket_limit = words.small("tickets at once", u8::MAX.into())?,
                "auto-answer" => self.floor.operators[at].auto_answer = true,
                "no-auto-answer" => self.floor.operators[at].auto_answer = false,
                _ => {
                    const OPTIONS: [&str; 12] = [
                        "of",
                        "phone",
                        "no-phone",
                        "id",
                        "number",
                        "skills",
                        "queues",
                        "points",
                        "chats",
                        "tickets",
                        "auto-answer",
                        "no-auto-answer",
                    ];
                    return Err(here
                        .fail(format!("an option of an operator: {}", super::words::either(&OPTIONS)))
                        .suggest(here.peek(), &OPTIONS));
                }
            }
        }
        Ok(())
    }

    fn memberships(&self, words: &mut Cursor<'_>) -> Result<Vec<Membership>, ScriptError> {
        let mut all = Vec::new();
        if words.eat("none") {
            return Ok(all);
        }
        loop {
            let queue = words.known("queue", names(&self.floor.queues, |queue| &queue.name))?;
            let mut membership = Membership { queue: QueueId(number(queue)), level: 0, preference: 0 };
            loop {
                if words.eat("level") {
                    membership.level = words.small("a level", u8::MAX.into())?;
                } else if words.eat("preference") {
                    membership.preference = words.small("a preference", u8::MAX.into())?;
                } else {
                    break;
                }
            }
            all.push(membership);
            if !words.eat(",") {
                return Ok(all);
            }
        }
    }

    fn blending(&mut self, words: &mut Cursor<'_>) -> Result<(), ScriptError> {
        while !words.is_done() {
            let which = words.one_of(&[
                ("phone", 0),
                ("chat", 1),
                ("ticket", 2),
                ("phone-interrupts-tickets", 3),
                ("no-phone-interrupts-tickets", 4),
                ("phone-interrupts-chats", 5),
                ("no-phone-interrupts-chats", 6),
                ("chat-interrupts-tickets", 7),
                ("no-chat-interrupts-tickets", 8),
            ])?;
            let blending = &mut self.floor.blending;
            match which {
                0 => blending.phone_points = words.small("points", u16::MAX.into())?,
                1 => blending.chat_points = words.small("points", u16::MAX.into())?,
                2 => blending.ticket_points = words.small("points", u16::MAX.into())?,
                3 | 4 => blending.phone_interrupts_tickets = which == 3,
                5 | 6 => blending.phone_interrupts_chats = which == 5,
                _ => blending.chat_interrupts_tickets = which == 7,
            }
        }
        Ok(())
    }

    /// A recording by its name or number.
    pub(super) fn audio(&self, words: &mut Cursor<'_>) -> Result<AudioId, ScriptError> {
        if let Some(id) = words.peek().and_then(|word| word.text.parse().ok()) {
            words.next();
            return Ok(AudioId(id));
        }
        let at = words.known("recording, by its number or name", self.audio.iter().map(|(name, _)| &**name))?;
        Ok(self.audio[at].1)
    }

    /// A status that a person may choose, with its reason where one is given.
    pub(super) fn choice(&self, words: &mut Cursor<'_>) -> Result<StatusChoice, ScriptError> {
        match words.one_of(&[("work", 0), ("ready", 1), ("break", 2)])? {
            0 => Ok(StatusChoice::Work(self.reason(words)?)),
            1 => Ok(StatusChoice::Ready),
            _ => Ok(StatusChoice::Break(self.reason(words)?)),
        }
    }

    fn reason(&self, words: &mut Cursor<'_>) -> Result<ReasonId, ScriptError> {
        if !words.eat("for") {
            return Ok(reason::NONE);
        }
        if let Some(id) = words.peek().and_then(|word| word.text.parse().ok()) {
            words.next();
            return Ok(ReasonId(id));
        }
        let at = words.known("reason, by its number or name", self.reasons.iter().map(|(name, _)| &**name))?;
        Ok(self.reasons[at].1)
    }

    fn set(&mut self, service: usize, words: &mut Cursor<'_>) -> Result<(), ScriptError> {
        const SETTINGS: [&str; 20] = [
            "login",
            "ring-limit",
            "miss",
            "outbound-ticket",
            "dial-limit",
            "consult-limit",
            "after-call",
            "forced-end-audio",
            "forced-end-limit",
            "hold-music",
            "device-lost",
            "device-grace",
            "solve-at-wrap-up",
            "keep-open-at-wrap-up",
            "close-after",
            "first-response",
            "resolution",
            "return-after",
            "callback-attempts",
            "callback-retry",
        ];
        loop {
            let here = words.clone();
            let setting = words.text("a setting")?;
            let mut new = self.floor.services[service].settings.clone();
            match setting {
                "login" => new.login_status = self.choice(words)?,
                "ring-limit" => new.ring_limit = words.span("the ring limit")?,
                "miss" => {
                    new.on_miss = if words.one_of(&[("leaves-ready", true), ("stays-ready", false)])? {
                        MissRule::LeaveReady
                    } else if words.eat("break") {
                        words.need("after")?;
                        MissRule::StayReady { break_after: words.small("misses in a row", u16::MAX.into())? }
                    } else {
                        MissRule::StayReady { break_after: 0 }
                    };
                }
                "outbound-ticket" => {
                    new.outbound_ticket = words
                        .one_of(&[("at-connect", OutboundTicket::AtConnect), ("at-dial", OutboundTicket::AtDial)])?;
                }
                "dial-limit" => new.dial_limit = words.span("the dial limit")?,
                "consult-limit" => new.consult_limit = words.span("the consult limit")?,
                "after-call" => new.after_call = self.after_call(words)?,
                "forced-end-audio" => new.forced_end_audio = self.audio(words)?,
                "forced-end-limit" => new.forced_end_limit = words.span("the limit of the announcement")?,
                "hold-music" => new.hold_music = self.audio(words)?,
                "device-lost" => {
                    new.on_device_lost =
                        words.one_of(&[("requeues", DeviceLostRule::Requeue), ("ends", DeviceLostRule::End)])?;
                }
                "device-grace" => new.device_grace = words.span("the grace of a lost device")?,
                "solve-at-wrap-up" => new.tickets.solve_at_wrap_up = true,
                "keep-open-at-wrap-up" => new.tickets.solve_at_wrap_up = false,
                "close-after" => new.tickets.close_after = words.span("the time from Solved to Closed")?,
                "first-response" => new.tickets.first_response = words.span_or_none("the time to the first reply")?,
                "resolution" => new.tickets.resolution = words.span_or_none("the time to the resolution")?,
                "return-after" => {
                    new.tickets.return_after = words.span_or_none("the time after which a ticket returns")?;
                }
                "callback-attempts" => new.callback.attempts = words.small("attempts", u8::MAX.into())?,
                "callback-retry" => new.callback.retry_after = words.span("the time between attempts")?,
                _ => {
                    return Err(here
                        .fail(format!("a setting: {}", super::words::either(&SETTINGS)))
                        .suggest(here.peek(), &SETTINGS));
                }
            }
            self.floor.services[service].settings = new;
            if words.is_done() {
                return Ok(());
            }
            words.need(";")?;
            if words.is_done() {
                return Ok(());
            }
        }
    }

    /// `by-hand`, `none` or a limit; then `timed`, `capped`, `then STATUS`, `prompt 20s`.
    fn after_call(&self, words: &mut Cursor<'_>) -> Result<AfterCall, ScriptError> {
        let mut rule = AfterCall::default();
        if words.eat("none") {
            rule.limit = Some(Span::ZERO);
        } else if !words.eat("by-hand") {
            rule.limit = Some(words.span("by-hand, none, or the limit of after-call work")?);
        }
        loop {
            if words.eat("timed") {
                rule.early_exit = false;
            } else if words.eat("capped") {
                rule.early_exit = true;
            } else if words.eat("then") {
                rule.then = self.choice(words)?;
            } else if words.eat("prompt") {
                rule.prompt_after = Some(words.span("the time of the reminder")?);
            } else {
                return Ok(rule);
            }
        }
    }

    /// An operator by name.
    pub(super) fn operator_id(&self, words: &mut Cursor<'_>) -> Result<OperatorId, ScriptError> {
        if let Some(index) = by_index(words) {
            return Ok(OperatorId(index));
        }
        let at = words.known("operator", names(&self.floor.operators, |operator| &operator.name))?;
        Ok(OperatorId(u32::try_from(at).unwrap_or(u32::MAX)))
    }

    /// A queue by name.
    pub(super) fn queue_id(&self, words: &mut Cursor<'_>) -> Result<QueueId, ScriptError> {
        match by_index(words) {
            Some(index) => Ok(QueueId(index)),
            None => words.known("queue", names(&self.floor.queues, |queue| &queue.name)).map(|at| QueueId(number(at))),
        }
    }

    /// A service by name.
    pub(super) fn service_id(&self, words: &mut Cursor<'_>) -> Result<ServiceId, ScriptError> {
        match by_index(words) {
            Some(index) => Ok(ServiceId(index)),
            None => words.known("service", names(&self.floor.services, |s| &s.name)).map(|at| ServiceId(number(at))),
        }
    }
}

/// `@9`: something by its index in the configuration, which may not exist.
fn by_index<T: core::str::FromStr>(words: &mut Cursor<'_>) -> Option<T> {
    let index = words.peek()?.text.strip_prefix('@')?.parse().ok()?;
    words.next();
    Some(index)
}

/// The names of a list, to look one up.
pub(super) fn names<'n, T>(
    list: &'n [T],
    name: impl Fn(&'n T) -> &'n String + Clone,
) -> impl Iterator<Item = &'n str> + Clone {
    list.iter().map(move |item| name(item).as_str())
}

/// A place in a list that [`room`] has kept small enough.
pub(super) fn number(at: usize) -> u16 {
    u16::try_from(at).expect("lists of the floor are limited where they grow")
}

pub(super) fn room(here: &Cursor<'_>, length: usize, most: usize) -> Result<(), ScriptError> {
    if length < most { Ok(()) } else { Err(here.fail(format!("at most {most} of a kind"))) }
}
