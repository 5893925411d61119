//! An operator's talk with a customer: its turns, its end, and what the operator orders for it.
//!
//! The talk is measured by the server's own times: it begins when the engine took the answer, a hold ends so long after it was
//! ordered. What an order takes on its way lengthens nothing but that order.

use callfloor_scenario::{ConsultTarget, TransferTarget};
use callfloor_sim::behaviour::{Person, Turn, Turns};
use callfloor_sim::calendar::Entry;

use super::{Happening, Player};
use crate::desk::{Act, Whom};
use crate::measures::Kind;
use crate::note::Tell;
use crate::screen::{Party, Work};
use crate::sip::Micros;

/// What a talk's next step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing is scheduled.
    Idle,
    /// The talk takes a turn.
    Turn(Turn),
    /// The talk ends.
    End,
    /// The hold ends.
    Hold,
    /// A consult or forced end was ordered, and is not known to be done.
    Ordered,
    /// Somebody is being reached for a consultation.
    Consulting,
    /// The consultation ends.
    Consult,
    /// The customer was to be handed on.
    HandingOn,
    /// The talk with whom the customer was handed on to ends.
    After,
}

/// A talk.
#[derive(Debug)]
pub(super) struct Talk {
    /// The call's number on the server.
    call: u64,
    pub(super) person: Person,
    /// Talk time that is left after the next turn, in microseconds of the scenario.
    left_us: u64,
    turns: Turns,
    stage: Stage,
    /// The moment at which the present stage was to begin or end.
    base_us: Micros,
    handed_on: bool,
}

impl Player<'_, '_> {
    fn talk(&mut self, id: u32) -> Option<&mut Talk> {
        self.operators.get_mut(&id)?.talk.as_mut()
    }

    fn person(&mut self, id: u32) -> Option<Person> {
        self.talk(id).map(|talk| talk.person)
    }

    fn set_stage(&mut self, id: u32, stage: Stage, base: Micros) {
        if let Some(talk) = self.talk(id) {
            (talk.stage, talk.base_us) = (stage, base);
        }
    }

    /// The customer at an operator's telephone, and what multiplies the times of handling them.
    fn customer_of(&mut self, id: u32, at: Micros) -> Option<(Person, f64)> {
        let operator = self.operators.get(&id)?;
        let (group, customer) = (operator.group, operator.phone.as_ref()?.customer);
        let Some(customer) = customer else {
            self.recorder.count("strangers");
            return None;
        };
        let person = self.setup.behaviour.again(customer);
        let queued = self.setup.cases.get(customer).map(|case| case.queued_us).filter(|queued| *queued > 0);
        let queued = self.scenario_at(queued.unwrap_or(at));
        Some((person, self.setup.behaviour.handling_factor(person.source, group, self.roster.day, queued)))
    }

    /// An operator's answer was taken at `at`; `again`: the customer was served before.
    pub(super) fn talk_begins(&mut self, id: u32, at: Micros, call: u64, again: bool) {
        let Some((person, factor)) = self.customer_of(id, at) else { return };
        let behaviour = self.setup.behaviour;
        let handed_on = self.setup.cases.get(person.id).is_some_and(|case| case.handed_on);
        let talk_us =
            if handed_on { behaviour.talk_handed_on_us(&person, factor) } else { behaviour.talk_us(&person, factor) };
        let turns = if handed_on || again { Turns::default() } else { behaviour.turns(&person, talk_us) };
        let Some(operator) = self.operators.get_mut(&id) else { return };
        operator.offer = None;
        operator.after_call_us = behaviour.after_call_us(&person, factor);
        operator.talk =
            Some(Talk { call, person, left_us: talk_us, turns, stage: Stage::Idle, base_us: at, handed_on });
        let answered_us = operator.phone.as_ref().and_then(|phone| phone.answered_us).unwrap_or(at);
        self.recorder.count("talks");
        self.tell_customer(person.id, Tell::Served { answered_us });
        self.next_turn(id, at);
    }

    /// A call that was handed on without asking rings through to this operator.
    pub(super) fn perhaps_taken_over(&mut self, id: u32, at: Micros) {
        let Some(operator) = self.operators.get(&id) else { return };
        let (Some(offer), Some(phone)) = (&operator.offer, &operator.phone) else { return };
        let Work::Call(call) = offer.work else { return };
        let case = phone.customer.and_then(|customer| self.setup.cases.get(customer));
        if offer.queue.is_none() && case.is_some_and(|case| case.handed_on) {
            self.talk_begins(id, at, call.number, true);
        }
    }

    /// Schedules the next turn of the talk, or its end, from `base` on.
    fn next_turn(&mut self, id: u32, base: Micros) {
        let Some(talk) = self.talk(id) else { return };
        let (left, stage) = talk.turns.take().map_or((0, Stage::End), |(left, turn)| (left, Stage::Turn(turn)));
        let span = talk.left_us - left.min(talk.left_us);
        talk.left_us -= span;
        let at = base + self.real(span);
        self.next_step(id, at, stage);
    }

    fn next_step(&mut self, id: u32, at: Micros, stage: Stage) {
        self.forget_step(id);
        self.set_stage(id, stage, at);
        let entry = self.calendar.schedule(at, Happening::Step(id));
        if let Some(operator) = self.operators.get_mut(&id) {
            operator.step = entry;
        }
    }

    fn forget_step(&mut self, id: u32) {
        let Some(operator) = self.operators.get_mut(&id) else { return };
        let before = std::mem::take(&mut operator.step);
        if before != Entry::NONE {
            self.calendar.withdraw(before);
        }
    }

    pub(super) fn step(&mut self, at: Micros, id: u32) {
        let Some(operator) = self.operators.get_mut(&id) else { return };
        operator.step = Entry::NONE;
        let Some(talk) = operator.talk.as_mut() else { return };
        let stage = std::mem::replace(&mut talk.stage, Stage::Idle);
        self.lag(at);
        match stage {
            Stage::Turn(turn) => self.turn_of_talk(id, at, turn),
            Stage::End => self.talk_ends(id, at),
            Stage::Hold => {
                self.tell_own_customer(id, Tell::Released { intended_us: at });
                self.order_of_talk(id, Act::Release, at);
            }
            Stage::Consult => self.consult_ends(id, at),
            Stage::After => self.customer_leaves(id, at),
            Stage::Idle | Stage::Ordered | Stage::Consulting | Stage::HandingOn => {}
        }
    }

    fn order_of_talk(&mut self, id: u32, act: Act, at: Micros) {
        if let Some(operator) = self.operators.get(&id) {
            operator.order(act, at);
        }
    }

    fn turn_of_talk(&mut self, id: u32, at: Micros, turn: Turn) {
        let Some(person) = self.person(id) else { return };
        let behaviour = self.setup.behaviour;
        match turn {
            Turn::Hold => {
                let Some(length) = behaviour.hold_us(&person) else { return self.next_turn(id, at) };
                self.recorder.count("holds");
                self.tell_own_customer(id, Tell::Held { intended_us: at });
                self.order_of_talk(id, Act::Hold, at);
                let end = at + self.real(length);
                self.next_step(id, end, Stage::Hold);
            }
            Turn::Consult => {
                let whom = behaviour.consult_target(&person).and_then(|target| self.whom(target, &person));
                let Some(whom) = whom else { return self.next_turn(id, at) };
                self.recorder.count("consults");
                self.set_stage(id, Stage::Ordered, at);
                self.order_of_talk(id, Act::Consult(whom), at);
            }
            Turn::ForcedEnd => {
                self.recorder.count("forced_ends");
                self.set_stage(id, Stage::Ordered, at);
                self.order_of_talk(id, Act::ForceEnd, at);
            }
        }
    }

    fn whom(&self, target: ConsultTarget, person: &Person) -> Option<Whom> {
        let floor = self.setup.floor.as_ref()?;
        Some(match target {
            ConsultTarget::Group(group) => Whom::ReadyOf(floor.groups.get(group.0)?.clone()),
            ConsultTarget::Favourite(index) => {
                let scenario = self.setup.model.scenario;
                let service = scenario.classes.get(usize::from(person.source))?.service;
                let favourite = scenario.services[service.0].favourites.get(index)?;
                self.setup.cases.expect(&favourite.number.to_string(), person.id);
                Whom::Favourite(u16::try_from(index).ok()?)
            }
            ConsultTarget::Number(number) => {
                self.setup.cases.expect(&number.to_string(), person.id);
                Whom::Number(number.to_string())
            }
        })
    }

    /// What was ordered for a talk is done, or refused: then the talk goes on as if it had not been meant.
    pub(super) fn talk_order_done(&mut self, id: u32, kind: Kind, accepted: bool) {
        let now = self.now;
        let Some(talk) = self.talk(id) else { return };
        let (stage, base, customer) = (talk.stage, talk.base_us, talk.person.id);
        match (kind, stage, accepted) {
            (Kind::Hold, Stage::Hold, false) => self.next_turn(id, now),
            (Kind::Consult, Stage::Ordered, true) => self.set_stage(id, Stage::Consulting, now),
            (Kind::Consult | Kind::ForceEnd, Stage::Ordered, false) => {
                self.recorder.count("turns_not_taken");
                if kind == Kind::Consult {
                    self.setup.cases.expect_no_more(customer);
                }
                self.next_turn(id, base);
            }
            // Who is on hold and cannot be fetched back hears music until they have had enough.
            (Kind::Release, Stage::Idle, false) => self.customer_leaves(id, now),
            // The consulted party has gone meanwhile: the event of it releases the customer.
            (Kind::Connect, _, false) => self.order_of_talk(id, Act::CancelConsult, now),
            (Kind::Transfer, Stage::HandingOn, false) => {
                self.setup.cases.expect_no_more(customer);
                self.setup.cases.change(customer, |case| case.handed_on = false);
                self.customer_leaves(id, now);
            }
            _ => {}
        }
    }

    /// The talk goes on after a hold or a consultation, from `at` on.
    pub(super) fn talk_goes_on(&mut self, id: u32, at: Micros) {
        if self.talk(id).is_some_and(|talk| matches!(talk.stage, Stage::Idle | Stage::Hold)) {
            self.next_turn(id, at);
        }
    }

    pub(super) fn consult_answered(&mut self, id: u32, at: Micros) {
        let Some(person) = self.person(id) else { return };
        if let Some(length) = self.setup.behaviour.consult_us(&person) {
            let end = at + self.real(length);
            self.next_step(id, end, Stage::Consult);
        }
    }

    fn consult_ends(&mut self, id: u32, at: Micros) {
        let Some(person) = self.person(id) else { return };
        let connects = self.setup.behaviour.connects(&person);
        self.set_stage(id, Stage::Consulting, at);
        self.order_of_talk(id, if connects { Act::ConnectCustomer } else { Act::CancelConsult }, at);
    }

    pub(super) fn consult_ended(&mut self, id: u32, at: Micros, end: &str) {
        if end == "connected" || self.talk(id).is_none() {
            return;
        }
        self.forget_step(id);
        self.set_stage(id, Stage::Idle, at);
        if !matches!(end, "customer-hung-up" | "operator-left") {
            self.tell_own_customer(id, Tell::Released { intended_us: at });
            self.order_of_talk(id, Act::Release, at);
        }
    }

    /// This operator's customer was handed on to somebody else.
    pub(super) fn handed_on(&mut self, id: u32, to: &Party) {
        self.recorder.count("transfers");
        self.forget_step(id);
        let Some(talk) = self.operators.get_mut(&id).and_then(|operator| operator.talk.take()) else { return };
        // A party outside cannot say when the talk is over: the customer does.
        if matches!(to, Party::Number(_)) {
            let behaviour = self.setup.behaviour;
            let blind = talk.stage == Stage::HandingOn;
            let after = behaviour.talk_after_consult_us(&talk.person, None).filter(|_| !blind);
            let after = after.unwrap_or_else(|| behaviour.talk_outside_us(&talk.person, blind));
            let intended_us = self.now + self.real(after);
            self.tell_customer(talk.person.id, Tell::HangUp { intended_us });
        }
    }

    /// A consultation has handed the customer on to this operator.
    pub(super) fn taken_over(&mut self, id: u32, at: Micros, call: u64) {
        let Some((person, factor)) = self.customer_of(id, at) else { return };
        let behaviour = self.setup.behaviour;
        let length = behaviour.talk_after_consult_us(&person, Some(factor)).unwrap_or(0);
        let Some(operator) = self.operators.get_mut(&id) else { return };
        operator.offer = None;
        operator.after_call_us = behaviour.after_call_again_us(&person, factor);
        let turns = Turns::default();
        operator.talk =
            Some(Talk { call, person, left_us: 0, turns, stage: Stage::Idle, base_us: at, handed_on: true });
        let end = at + self.real(length);
        self.next_step(id, end, Stage::After);
    }

    fn talk_ends(&mut self, id: u32, at: Micros) {
        let Some(talk) = self.talk(id) else { return };
        let (person, handed_on) = (talk.person, talk.handed_on);
        let target = if handed_on { None } else { self.setup.behaviour.transfer(&person) };
        let whom = target.and_then(|target| self.handed_to(target, &person));
        let Some(whom) = whom else { return self.customer_leaves(id, at) };
        self.setup.cases.change(person.id, |case| case.handed_on = true);
        self.set_stage(id, Stage::HandingOn, at);
        if matches!(whom, Whom::Queue(_)) {
            self.tell_customer(person.id, Tell::HandedOn { at_us: at });
        }
        self.order_of_talk(id, Act::Transfer(whom), at);
    }

    fn handed_to(&self, target: &TransferTarget, person: &Person) -> Option<Whom> {
        let floor = self.setup.floor.as_ref()?;
        Some(match target {
            TransferTarget::Queue(queue) => Whom::Queue(*floor.queues.get(queue.0)?),
            TransferTarget::Group(group) => Whom::ReadyOf(floor.groups.get(group.0)?.clone()),
            TransferTarget::Number(number) => {
                self.setup.cases.expect(&number.to_string(), person.id);
                Whom::Number(number.to_string())
            }
        })
    }

    /// The customer hangs up; where another process plays them, the operator does.
    fn customer_leaves(&mut self, id: u32, at: Micros) {
        if self.tell_own_customer(id, Tell::HangUp { intended_us: at }) {
            return;
        }
        let phone = self.operators.get(&id).and_then(|operator| operator.phone.as_ref());
        if let Some(call) = phone.map(|phone| phone.call) {
            self.telephones.advance(self.now);
            self.telephones.hang_up(call);
        }
    }

    /// A call is over.
    pub(super) fn talk_ended(&mut self, id: u32, call: u64) {
        let ended = self.operators.get_mut(&id).and_then(|operator| operator.talk.take_if(|talk| talk.call == call));
        if ended.is_some() {
            self.forget_step(id);
        }
    }
}
