//! What customers and operators will do: every decision of chance, as a function of who decides and on what occasion.
//!
//! Nothing here depends on the moment at which it is asked, on the order of asking, or on whether the floor is simulated or
//! real. The simulator asks it in virtual time, and whoever plays the same people against a live server asks the same: customer
//! 4711 has one patience, one talk time and one mind in both worlds.

use crate::arrival::{Arrival, ArrivalProcess, customer_id, micros};
use crate::distribution::Distribution;
use crate::model::{HandlingModel, Model};
use crate::stream::{Draw, Draws, Kind, Purpose, Streams};
use callfloor_scenario::{
    AfterRefusal, Arrivals, CustomerClass, FlowIndex, StepIndex, StepKind, TraceArrival, TransferTarget,
};

/// Longer than any run: such a patience is never drawn on.
const FOR_EVER_S: f64 = 1e10;

/// Every decision of one replication of a scenario.
#[derive(Debug, Clone, Copy)]
pub struct Behaviour<'m> {
    model: &'m Model<'m>,
    streams: Streams,
}

/// A customer at one attempt to reach the centre.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Person {
    /// Class, or number of classes + campaign.
    pub source: u16,
    /// Key of their random streams: see [`customer_id`].
    pub id: u64,
    /// Place in the trace + 1; 0 for none.
    pub(crate) trace: u32,
    /// First words of their streams: patience, talk, after-call work.
    pub(crate) words: [u64; 3],
}

/// A turn in the middle of a talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Turn {
    /// The operator puts the customer on hold.
    Hold,
    /// The operator consults somebody.
    Consult,
    /// The operator ends the call by force.
    ForcedEnd,
}

/// The turns of a talk, the last first: (talk time left at the turn, turn).
#[derive(Debug, Clone, Copy, Default)]
pub struct Turns {
    turns: [Option<(u64, Turn)>; 3],
}

/// What an operator does with what rings, in microseconds since it began to ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// Nothing: it rings until its limit.
    Missed,
    /// They answer.
    Answered(u64),
    /// They decline.
    Declined(u64),
}

/// What a party outside does whom an operator consults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outside {
    /// Whether they answer; else the attempt is given up.
    pub answers: bool,
    /// When, in microseconds.
    pub delay_us: u64,
}

impl Turns {
    /// Adds a turn at which `left_us` of the talk time are left.
    fn add(&mut self, left_us: u64, turn: Turn) {
        if let Some(free) = self.turns.iter_mut().find(|slot| slot.is_none()) {
            *free = Some((left_us, turn));
        }
        // The next turn, with the most talk time left, comes last.
        self.turns.sort_unstable_by_key(|slot| slot.unwrap_or((u64::MAX, Turn::Hold)));
    }

    /// Takes the next turn: how much of the talk time is left at it, in microseconds, and what it is.
    pub fn take(&mut self) -> Option<(u64, Turn)> {
        let next = self.turns.iter_mut().rev().find(|slot| slot.is_some())?;
        next.take()
    }
}

impl Person {
    /// The customer of an arrival.
    #[must_use]
    pub fn arriving(source: u16, arrival: &Arrival) -> Self {
        let [_, words @ ..] = arrival.words;
        let trace = arrival.trace.map_or(0, |index| u32::try_from(index + 1).expect("a trace fits in memory"));
        Self { source, id: customer_id(source, arrival.number, 0), trace, words }
    }

    /// Attempts before this one.
    #[must_use]
    pub const fn attempt(&self) -> u8 {
        attempt_of(self.id)
    }

    /// Their number within their source, from 0.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.id & ((1 << 40) - 1)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "8 bits are wanted")]
const fn attempt_of(id: u64) -> u8 {
    (id >> 40) as u8
}

impl<'m> Behaviour<'m> {
    /// Everybody's behaviour in replication number `replication` under `seed`.
    #[must_use]
    pub const fn new(model: &'m Model<'m>, seed: u64, replication: u32) -> Self {
        Self { model, streams: Streams::new(seed, replication as u64) }
    }

    /// The random streams behind it.
    #[must_use]
    pub const fn streams(&self) -> &Streams {
        &self.streams
    }

    /// The arrivals of class number `class`, in order of time.
    ///
    /// # Panics
    /// Where the scenario has no such class.
    #[must_use]
    pub fn arrivals(&self, class: u16) -> ArrivalProcess<'m> {
        let scenario = self.model.scenario;
        let arrivals = &scenario.classes[usize::from(class)].arrivals;
        ArrivalProcess::new(class, arrivals, &scenario.horizon, &scenario.clock, self.streams)
    }

    fn class(&self, person: &Person) -> Option<&'m CustomerClass> {
        self.model.scenario.classes.get(usize::from(person.source))
    }

    /// The trace's own words about a customer.
    pub(crate) fn trace(&self, person: &Person) -> Option<&'m TraceArrival> {
        let index = person.trace.checked_sub(1)? as usize;
        match &self.class(person)?.arrivals {
            Arrivals::Trace { arrivals } => arrivals.get(index),
            Arrivals::Rates { .. } => None,
        }
    }

    pub(crate) fn handling(&self, source: u16) -> &'m HandlingModel {
        let source = usize::from(source);
        let model = self.model;
        match model.classes.get(source) {
            Some(class) => &class.handling,
            None => &model.campaigns[source - model.classes.len()].handling,
        }
    }

    fn draws(&self, person: &Person, purpose: Purpose) -> Draws {
        self.streams.draws(Kind::Customer, person.id, purpose)
    }

    fn first(&self, person: &Person, purpose: Purpose, word: usize) -> Draws {
        self.streams.draws_from(Kind::Customer, person.id, purpose, person.words[word])
    }

    fn nth(&self, person: &Person, purpose: Purpose, nth: u32) -> Draws {
        self.streams.draws_nth(Kind::Customer, person.id, purpose, nth)
    }

    // ---- customers ------------------------------------------------------------------------------------------------

    /// The same customer at attempt number `attempt` (from 0): the same patience and the same matter, drawn again from the
    /// same words, or of the trace.
    #[must_use]
    pub fn again(&self, id: u64) -> Person {
        let source = u16::try_from(id >> 48).expect("16 bits");
        let [_, words @ ..] = self.streams.block(Kind::Customer, id & !(0xff << 40), 0);
        let traced = self.model.scenario.classes.get(usize::from(source));
        let traced = traced.is_some_and(|class| matches!(class.arrivals, Arrivals::Trace { .. }));
        let trace = if traced { u32::try_from(id & ((1 << 40) - 1)).expect("a trace fits in memory") + 1 } else { 0 };
        Person { source, id, trace, words }
    }

    /// Which of the known customers of their class this is; `None` for a stranger. The same person at every attempt.
    #[must_use]
    pub fn known(&self, person: &Person) -> Option<u32> {
        let identity = self.class(person)?.identity;
        if identity.known_share <= 0.0 || identity.population == 0 {
            return None;
        }
        let mut draws = self.streams.draws(Kind::Customer, person.id & !(0xff << 40), Purpose::Identity);
        (draws.uniform() < identity.known_share).then(|| index_below(draws.uniform(), identity.population))
    }

    /// Their priority.
    #[must_use]
    pub fn priority(&self, person: &Person) -> u8 {
        let own = self.trace(person).and_then(|trace| trace.priority);
        own.or_else(|| self.class(person).map(|class| class.priority)).unwrap_or(0)
    }

    /// Whether they leave at once on hearing that they must wait.
    #[must_use]
    pub fn balks(&self, person: &Person) -> bool {
        let balking = self.class(person).map_or(0.0, |class| class.balking);
        balking > 0.0 && self.draws(person, Purpose::Balking).uniform() < balking
    }

    /// How long they wait in the queue before they leave, in microseconds; `None`: for ever.
    #[must_use]
    #[inline]
    pub fn patience_us(&self, person: &Person) -> Option<u64> {
        self.patience(person, || self.first(person, Purpose::Patience, 0))
    }

    /// The same for one who was handed on without being asked, and waits in their `queues`th queue.
    #[must_use]
    pub fn patience_handed_on_us(&self, person: &Person, queues: u8) -> Option<u64> {
        self.patience(person, || self.nth(person, Purpose::Patience, u32::from(queues)))
    }

    /// The same for one who was served and has to wait again, for the `nth` time.
    #[must_use]
    pub fn patience_again_us(&self, person: &Person, nth: u8) -> Option<u64> {
        self.patience(person, || self.nth(person, Purpose::PatienceAgain, u32::from(nth)))
    }

    #[inline]
    fn patience(&self, person: &Person, draws: impl FnOnce() -> Draws) -> Option<u64> {
        let model = self.model.classes.get(usize::from(person.source))?;
        let own = self.trace(person).and_then(|trace| trace.patience_s);
        let patience = own.unwrap_or_else(|| model.patience.sample(&mut draws()));
        (patience < FOR_EVER_S).then(|| micros(patience))
    }

    /// The key that they press at the `nth` menu (from 0) that they hear, which is step `step` of `flow`; `None` for none.
    #[must_use]
    pub fn key(&self, person: &Person, flow: FlowIndex, step: StepIndex, nth: u8) -> Option<char> {
        let StepKind::Menu { options, .. } = &self.model.scenario.flows[flow.0].steps[step.0].kind else { return None };
        let menu = self.class(person)?.menus.iter().find(|menu| menu.flow == flow && menu.step == step)?;
        let mut u = self.nth(person, Purpose::Menu, u32::from(nth)).uniform();
        for (option, share) in options.iter().zip(&menu.shares) {
            if u < *share {
                return Some(option.key);
            }
            u -= share;
        }
        None
    }

    /// Whether they accept the callback that step `step` of `flow` offers.
    #[must_use]
    pub fn accepts_callback(&self, person: &Person, flow: FlowIndex, step: StepIndex) -> bool {
        match &self.model.scenario.flows[flow.0].steps[step.0].kind {
            StepKind::CallbackOffer { accept, .. } => self.draws(person, Purpose::Callback).uniform() < *accept,
            _ => false,
        }
    }

    /// When they try again after an attempt that failed, in microseconds; `refused`: it was not they who left.
    #[must_use]
    pub fn redial_us(&self, person: &Person, refused: bool) -> Option<u64> {
        let redial = self.class(person)?.redial.as_ref()?;
        let delay = self.model.classes[usize::from(person.source)].redial_delay.as_ref()?;
        let counts = !refused || redial.after == AfterRefusal::AbandonedOrRefused;
        let attempt = person.attempt();
        if !counts || u32::from(attempt) + 1 >= redial.max_attempts || attempt == u8::MAX {
            return None;
        }
        let mut draws = self.draws(person, Purpose::Redial);
        (draws.uniform() < redial.probability).then(|| micros(delay.sample(&mut draws)))
    }

    // ---- talks ----------------------------------------------------------------------------------------------------

    /// What a forecast and the operator's group multiply handling times by, for one who was queued at `at_us` of simulated
    /// day `day`.
    #[must_use]
    #[inline]
    pub fn handling_factor(&self, source: u16, group: u16, day: u32, at_us: u64) -> f64 {
        let factor = self.model.groups[usize::from(group)].factor;
        match self.model.scenario.classes.get(usize::from(source)) {
            Some(class) if !class.mean_handling.is_empty() => factor * self.forecast_factor(class, source, day, at_us),
            _ => factor,
        }
    }

    fn forecast_factor(&self, class: &CustomerClass, source: u16, day: u32, at_us: u64) -> f64 {
        let clock = &self.model.scenario.clock;
        let time = at_us.saturating_sub(clock.instant_us(day, 0));
        let weekday = clock.weekday(day);
        let mean = self.model.classes[usize::from(source)].mean_handle_s;
        class.handle_time_at(day, weekday, time).filter(|_| mean > 0.0).map_or(1.0, |aht_s| aht_s / mean)
    }

    /// Talk time, or work on a chat or ticket, in microseconds.
    #[must_use]
    #[inline]
    pub fn talk_us(&self, person: &Person, factor: f64) -> u64 {
        let own = self.trace(person).and_then(|trace| trace.talk_s);
        let talk = &self.handling(person.source).talk;
        micros(own.unwrap_or_else(|| factor * talk.sample(&mut self.first(person, Purpose::Talk, 1))))
    }

    /// Talk time with the operator to whom they were handed on without being asked, in microseconds.
    #[must_use]
    pub fn talk_handed_on_us(&self, person: &Person, factor: f64) -> u64 {
        match &self.handling(person.source).transfer {
            Some(transfer) => micros(factor * transfer.talk_after.sample(&mut self.nth(person, Purpose::Transfer, 1))),
            None => self.talk_us(person, factor),
        }
    }

    /// After-call work, in microseconds.
    #[must_use]
    #[inline]
    pub fn after_call_us(&self, person: &Person, factor: f64) -> u64 {
        let own = self.trace(person).and_then(|trace| trace.after_call_s);
        let after_call = &self.handling(person.source).after_call;
        micros(own.unwrap_or_else(|| factor * after_call.sample(&mut self.first(person, Purpose::AfterCall, 2))))
    }

    /// What happens in the middle of a talk of `talk_us`.
    #[must_use]
    pub fn turns(&self, person: &Person, talk_us: u64) -> Turns {
        let handling = self.handling(person.source);
        let mut turns = Turns::default();
        if handling.plain {
            return turns;
        }
        let mut chance = |probability: f64, purpose, turn| {
            let mut draws = self.draws(person, purpose);
            if probability > 0.0 && draws.uniform() < probability {
                turns.add(micros(talk_us as f64 / 1e6 * draws.uniform()), turn);
            }
        };
        chance(handling.hold.as_ref().map_or(0.0, |hold| hold.0), Purpose::Hold, Turn::Hold);
        chance(handling.consult.as_ref().map_or(0.0, |c| c.probability), Purpose::Consult, Turn::Consult);
        chance(handling.forced_end, Purpose::ForcedEnd, Turn::ForcedEnd);
        turns
    }

    /// Length of the hold, in microseconds; `None` where calls of the class are never held.
    #[must_use]
    pub fn hold_us(&self, person: &Person) -> Option<u64> {
        let (_, length) = self.handling(person.source).hold.as_ref()?;
        Some(micros(length.sample(&mut self.draws(person, Purpose::HoldLength))))
    }

    /// Whom the operator consults; `None` where nobody is.
    #[must_use]
    pub fn consult_target(&self, person: &Person) -> Option<callfloor_scenario::ConsultTarget> {
        self.handling(person.source).consult.as_ref().map(|consult| consult.target)
    }

    /// What a party outside does whom the operator consults.
    #[must_use]
    pub fn consulted_outside(&self, person: &Person) -> Option<Outside> {
        let consult = self.handling(person.source).consult.as_ref()?;
        let mut draws = self.draws(person, Purpose::AnswerDelay);
        let answers = draws.uniform() >= consult.no_answer;
        Some(Outside { answers, delay_us: micros(consult.answer_delay.sample(&mut draws)) })
    }

    /// Length of the consultation, in microseconds.
    #[must_use]
    pub fn consult_us(&self, person: &Person) -> Option<u64> {
        let consult = self.handling(person.source).consult.as_ref()?;
        Some(micros(consult.length.sample(&mut self.draws(person, Purpose::ConsultLength))))
    }

    /// Whether the consultation ends with *connect customer*.
    #[must_use]
    pub fn connects(&self, person: &Person) -> bool {
        let Some(consult) = &self.handling(person.source).consult else { return false };
        self.nth(person, Purpose::Consult, 1).uniform() < consult.connect
    }

    /// Talk time with the consulted party after *connect customer*, in microseconds; `factor` is that of an operator.
    #[must_use]
    pub fn talk_after_consult_us(&self, person: &Person, factor: Option<f64>) -> Option<u64> {
        let consult = self.handling(person.source).consult.as_ref()?;
        let talk = consult.talk_after.sample(&mut self.nth(person, Purpose::Talk, 1));
        Some(micros(factor.map_or(talk, |factor| talk * factor)))
    }

    /// After-call work of the operator to whom a consultation handed the customer on, in microseconds.
    #[must_use]
    pub fn after_call_again_us(&self, person: &Person, factor: f64) -> u64 {
        let after_call = &self.handling(person.source).after_call;
        micros(factor * after_call.sample(&mut self.nth(person, Purpose::AfterCall, 1)))
    }

    /// Where the operator hands them on at the end of the talk, if anywhere.
    #[must_use]
    pub fn transfer(&self, person: &Person) -> Option<&'m TransferTarget> {
        let transfer = self.handling(person.source).transfer.as_ref()?;
        (self.draws(person, Purpose::Transfer).uniform() < transfer.probability).then_some(&transfer.target)
    }

    /// Talk time with a party outside to whom the customer was forwarded or handed on, in microseconds.
    #[must_use]
    pub fn talk_outside_us(&self, person: &Person, handed_on: bool) -> u64 {
        let handling = self.handling(person.source);
        let mut draws = self.nth(person, Purpose::Transfer, 1);
        micros(match &handling.transfer {
            Some(transfer) if handed_on => transfer.talk_after.sample(&mut draws),
            _ => handling.talk.sample(&mut draws),
        })
    }

    // ---- operators ------------------------------------------------------------------------------------------------

    /// Whether an operator of `group` answers whatever is offered at once, so that nothing needs to be drawn.
    pub(crate) fn answers_at_once(&self, group: u16, auto_answer: bool) -> bool {
        let group = &self.model.groups[usize::from(group)];
        group.instant || (auto_answer && group.miss + group.decline == 0.0)
    }

    /// What `operator` of `group` does with the `nth` offer (from 1) of the customer whose streams are keyed by `owner`.
    #[must_use]
    pub fn fate(&self, group: u16, operator: u32, owner: u64, nth: u16, auto_answer: bool) -> Fate {
        if self.answers_at_once(group, auto_answer) {
            return Fate::Answered(0);
        }
        let group = &self.model.groups[usize::from(group)];
        // Where several ring for one customer, each has a delay of their own.
        let nth = u32::from(nth) << 16 | operator & 0xffff;
        let fate = self.streams.draws_nth(Kind::Offer, owner, Purpose::Miss, nth).uniform();
        if fate < group.miss {
            return Fate::Missed;
        }
        let delay =
            |purpose| micros(group.answer_delay.sample(&mut self.streams.draws_nth(Kind::Offer, owner, purpose, nth)));
        let delay_us = if auto_answer { 0 } else { delay(Purpose::AnswerDelay) };
        if fate < group.miss + group.decline { Fate::Declined(delay_us) } else { Fate::Answered(delay_us) }
    }

    /// How long an operator is away after a miss, in microseconds; `occasion`: breaks and misses of theirs so far.
    #[must_use]
    pub fn back_after_miss_us(&self, group: u16, operator: u32, occasion: u32) -> u64 {
        self.of_operator(&self.model.groups[usize::from(group)].back_after_miss, operator, Purpose::Miss, occasion)
    }

    fn of_operator(&self, length: &Distribution, operator: u32, purpose: Purpose, occasion: u32) -> u64 {
        micros(length.sample(&mut self.streams.draws_nth(Kind::Operator, u64::from(operator), purpose, occasion)))
    }

    /// Planned breaks of a group: from the shift's start, and length, in microseconds.
    #[must_use]
    pub fn planned_breaks(&self, group: u16) -> &'m [(u64, u64)] {
        &self.model.groups[usize::from(group)].planned_breaks
    }

    /// How many kinds of random breaks a group has.
    #[must_use]
    pub fn random_breaks(&self, group: u16) -> usize {
        self.model.groups[usize::from(group)].random_breaks.len()
    }

    /// Time until an operator's next random break of kind `plan`, in microseconds.
    #[must_use]
    pub fn next_break_us(&self, group: u16, plan: usize, operator: u32, occasion: u32) -> u64 {
        let (rate, _) = &self.model.groups[usize::from(group)].random_breaks[plan];
        let mut draws = self.streams.draws_nth(Kind::Operator, u64::from(operator), Purpose::Break, occasion);
        micros(crate::ziggurat::exponential(&mut draws) / rate)
    }

    /// Length of a random break of kind `plan`, in microseconds.
    #[must_use]
    pub fn break_us(&self, group: u16, plan: usize, operator: u32, occasion: u32) -> u64 {
        let (_, length) = &self.model.groups[usize::from(group)].random_breaks[plan];
        self.of_operator(length, operator, Purpose::Other, occasion)
    }
}

/// One of `count` places, each equally likely for `u` uniform in [0, 1).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number in [0, count)")]
fn index_below(u: f64, count: u32) -> u32 {
    (u * f64::from(count)) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_come_in_the_order_of_the_talk() {
        let mut turns = Turns::default();
        turns.add(20, Turn::Consult);
        turns.add(90, Turn::Hold);
        turns.add(5, Turn::ForcedEnd);
        let order: Vec<_> = std::iter::from_fn(|| turns.take()).collect();
        assert_eq!(order, [(90, Turn::Hold), (20, Turn::Consult), (5, Turn::ForcedEnd)]);
    }
}
