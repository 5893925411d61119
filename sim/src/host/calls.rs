//! Callers: from the arrival through flow and queue to the end of the talk.

use super::{Coming, Happening, Host, Reaction, Source};
use crate::behaviour::{Behaviour, Outside, Person, Turn, Turns};
use crate::calendar::Entry;
use crate::collect::NO_ROW;
use crate::customer::{Caller, NOBODY, Stage};
use crate::model::HandlingModel;
use callfloor_engine::{
    CallId, CallRecord, Command, ConsultEnd, CustomerId, EndCause, FarEndFault, ForcedEndReason, LegId, OperatorId,
    Party, QueueId,
};
use callfloor_scenario::floor::{ACCEPT_DIGIT, AudioKind, ClassEntry, DECLINE_DIGIT};
use callfloor_scenario::{ConsultTarget, Entry as FirstStop, GroupIndex, StepKind, TransferTarget};

impl<'m> Host<'m> {
    pub(super) fn schedule_arrival(&mut self, source: usize) {
        if let Some(next) = &self.sources[source].next {
            let source = u16::try_from(source).expect("checked by the model");
            let happening = match usize::from(source).checked_sub(self.model.classes.len()) {
                None => Happening::Arrival(source),
                Some(campaign) => Happening::Campaign(u16::try_from(campaign).expect("checked by the model")),
            };
            self.calendar.schedule(next.at_us, happening);
        }
    }

    #[inline]
    pub(super) fn arrival(&mut self, source: u16) {
        let place = usize::from(source);
        let Some(arrival) = self.sources[place].next.take() else { return };
        if self.arrivals_left == 0 {
            return;
        }
        if self.arrived == self.model.warm_up_calls && self.arrived > 0 {
            self.collector.begin(self.now);
        }
        self.arrivals_left -= 1;
        self.arrived += 1;
        if self.arrivals_left > 0 {
            let Source { process, next } = &mut self.sources[place];
            *next = process.next_arrival();
            self.schedule_arrival(place);
        }
        self.announce(Person::arriving(source, &arrival));
    }

    pub(super) fn redial(&mut self, id: u64) {
        self.live -= 1;
        self.announce(self.behaviour.again(id));
    }

    /// Tells the engine of a customer.
    fn announce(&mut self, person: Person) {
        let mut known = NOBODY;
        let mut customer = None;
        if let Some(number) = self.behaviour.trace(&person).and_then(|trace| trace.customer) {
            customer = Some(CustomerId(number));
        } else if let Some(number) = self.behaviour.known(&person) {
            known = number;
            customer = Some(CustomerId(u64::from(person.source) << 32 | u64::from(known)));
        }
        let preferred = self.last_operators[usize::from(person.source)]
            .get(known as usize)
            .filter(|&&operator| operator != NOBODY)
            .map(|&operator| OperatorId(operator));
        let priority = self.behaviour.priority(&person);
        let reference = person.id;
        self.coming = Some(Coming { person, known });
        match self.model.plan.entries[usize::from(person.source)] {
            ClassEntry::Call { service, entry } => {
                let from = Some(self.model.number);
                self.apply(Command::CallArrived { service, entry, customer, from, priority, preferred, reference });
            }
            ClassEntry::Chat { queue } => {
                self.advance();
                // As the server has it: where nobody is there, the customer is asked to write instead.
                let arrival = Command::ChatArrived { queue, customer, priority, preferred, reference };
                if !self.engine.is_attended(queue) || !self.apply(arrival) {
                    self.collector.refused(queue.0);
                }
            }
            ClassEntry::Ticket { service, queue } => {
                if !self.apply(Command::TicketArrived { service, queue: Some(queue), customer, priority, reference }) {
                    self.collector.refused(queue.0);
                }
            }
        }
    }

    /// The customer just announced, if it is this one.
    pub(super) fn take_coming(&mut self, reference: u64) -> Option<Coming> {
        self.coming.take_if(|coming| coming.person.id == reference)
    }

    pub(super) fn caller_slot(&mut self, call: CallId) -> &mut Caller {
        let slot = call.slot() as usize;
        if slot >= self.callers.len() {
            self.callers.resize(slot + 1, Caller::EMPTY);
            self.turns.resize(slot + 1, Turns::default());
        }
        &mut self.callers[slot]
    }

    #[inline]
    pub(super) fn call_arrived(&mut self, call: CallId, reference: u64) {
        self.live += 1;
        let Some(coming) = self.take_coming(reference) else { return };
        let Coming { person, known } = coming;
        let Person { id, source, trace, words } = person;
        let attempt = person.attempt();
        *self.caller_slot(call) =
            Caller { call, id, words, source, attempt, trace, known, live: true, ..Caller::EMPTY };
    }

    pub(super) fn call_refused(&mut self, reference: u64) {
        let Some(coming) = self.take_coming(reference) else { return };
        let class = &self.model.scenario.classes[usize::from(coming.person.source)];
        let row = match class.entry {
            FirstStop::Queue(queue) => queue.0,
            FirstStop::Flow(flow) => {
                let steps = self.model.scenario.flows[flow.0].steps.iter();
                let queues = steps.filter_map(|step| match &step.kind {
                    StepKind::Queue { queue, .. } => Some(queue.0),
                    _ => None,
                });
                queues.into_iter().next().unwrap_or(0)
            }
        };
        self.collector.refused(u16::try_from(row).expect("checked by the engine"));
        self.perhaps_redial(&coming.person, true);
    }

    #[inline]
    pub(super) fn call_queued(&mut self, call: CallId, queue: QueueId) {
        let now = self.now;
        let arrived = self.collector.offered(queue.0);
        let caller = self.caller_slot(call);
        caller.row = queue.0;
        caller.arrived = arrived;
        caller.queued_at = now;
        caller.waiting = true;
        caller.queues = caller.queues.saturating_add(1);
        self.fresh.push(call.slot());
    }

    /// A caller was not answered at the very moment of being queued.
    #[inline]
    pub(super) fn begin_to_wait(&mut self, slot: u32) {
        let caller = self.callers[slot as usize];
        if !caller.waiting || !caller.live || self.calendar.is_live(caller.gives_up) {
            return;
        }
        if usize::from(caller.source) >= self.model.classes.len() {
            return;
        }
        let person = caller.person();
        if caller.queues == 1 && caller.rings == 0 && self.behaviour.balks(&person) {
            self.apply(Command::CustomerHungUp { call: caller.call });
            return;
        }
        let mut gives_up_at = caller.gives_up_at;
        if gives_up_at == 0 {
            let patience_us = if caller.handed_on {
                self.behaviour.patience_handed_on_us(&person, caller.queues)
            } else {
                self.behaviour.patience_us(&person)
            };
            gives_up_at = patience_us.map_or(u64::MAX, |patience_us| caller.queued_at + patience_us);
        }
        let entry = if gives_up_at == u64::MAX {
            Entry::NONE
        } else {
            self.calendar.schedule(gives_up_at.max(self.now), Happening::GivesUp(slot))
        };
        let caller = &mut self.callers[slot as usize];
        caller.gives_up_at = gives_up_at;
        caller.gives_up = entry;
    }

    pub(super) fn gives_up(&mut self, slot: u32) {
        let caller = &mut self.callers[slot as usize];
        caller.gives_up = Entry::NONE;
        if caller.waiting || (caller.live && caller.operator == NOBODY) {
            let call = caller.call;
            self.apply(Command::CustomerHungUp { call });
        }
    }

    /// No longer in the queue: the patience has been enough, or is over.
    fn stop_waiting(&mut self, slot: usize) {
        let caller = &mut self.callers[slot];
        caller.waiting = false;
        let entry = std::mem::take(&mut caller.gives_up);
        if entry != Entry::NONE {
            self.calendar.withdraw(entry);
        }
    }

    #[inline]
    pub(super) fn call_answered(&mut self, call: CallId, operator: u32, wait_us: u64) {
        let slot = call.slot() as usize;
        let Caller { row, arrived, waiting, known, source, .. } = self.callers[slot];
        if waiting {
            self.collector.answered(row, arrived, wait_us);
            self.stop_waiting(slot);
        }
        if let Some(last) = self.last_operators[usize::from(source)].get_mut(known as usize) {
            *last = operator;
        }
        self.begin_talk(slot, operator);
        let heard_us = self.model.classes.get(usize::from(source)).map_or(0, |class| class.answer_heard_us);
        if waiting && heard_us > 0 {
            self.perhaps_leaves_unaware(slot, heard_us);
        }
    }

    /// One whose patience runs out before they notice that they were answered leaves all the same.
    #[cold]
    fn perhaps_leaves_unaware(&mut self, slot: usize, heard_us: u64) {
        let Caller { gives_up_at, step, .. } = self.callers[slot];
        if gives_up_at == 0 || gives_up_at >= self.now + heard_us {
            return;
        }
        self.calendar.withdraw(step);
        let happening = Happening::Step(u32::try_from(slot).expect("a slot"));
        let caller = &mut self.callers[slot];
        caller.stage = Stage::Leaves;
        caller.step = self.calendar.schedule(gives_up_at.max(self.now), happening);
    }

    fn handling(&self, source: u16) -> &'m HandlingModel {
        self.behaviour.handling(source)
    }

    /// What a forecast and the operator's group multiply handling times by.
    #[inline]
    pub(super) fn handling_factor(&self, source: u16, operator: u32, at_us: u64) -> f64 {
        self.behaviour.handling_factor(source, self.operators[operator as usize].group, self.today, at_us)
    }

    #[inline]
    pub(super) fn begin_talk(&mut self, slot: usize, operator: u32) {
        let caller = self.callers[slot];
        let (behaviour, person): (Behaviour<'m>, Person) = (self.behaviour, caller.person());
        let factor = self.handling_factor(caller.source, operator, caller.queued_at);
        let talk_us = if caller.handed_on {
            behaviour.talk_handed_on_us(&person, factor)
        } else {
            behaviour.talk_us(&person, factor)
        };
        self.operators[operator as usize].after_call_us = behaviour.after_call_us(&person, factor);
        let plain = self.handling(caller.source).plain;
        let caller = &mut self.callers[slot];
        caller.operator = operator;
        caller.talk_left_us = talk_us;
        if !plain && !caller.handed_on {
            self.turns[slot] = behaviour.turns(&person, talk_us);
        }
        self.next_turn(slot);
    }

    /// Schedules the next turn of the talk, or its end.
    #[inline]
    fn next_turn(&mut self, slot: usize) {
        let handling = self.handling(self.callers[slot].source);
        let turn = if handling.plain { None } else { self.turns[slot].take() };
        let caller = &mut self.callers[slot];
        let (left, stage) = turn.map_or((0, Stage::Talk), |(left, turn)| (left, Stage::Turn(turn)));
        let span = caller.talk_left_us - left.min(caller.talk_left_us);
        caller.talk_left_us -= span;
        caller.stage = stage;
        caller.step = self.calendar.schedule(self.now + span, Happening::Step(u32::try_from(slot).expect("a slot")));
    }

    /// Schedules the next step of a caller, in place of any that was pending.
    pub(super) fn next_step(&mut self, slot: usize, span_us: u64, stage: Stage) {
        let entry = self.calendar.schedule(self.now + span_us, Happening::Step(u32::try_from(slot).expect("a slot")));
        let caller = &mut self.callers[slot];
        let before = std::mem::replace(&mut caller.step, entry);
        caller.stage = stage;
        if before != Entry::NONE {
            self.calendar.withdraw(before);
        }
    }

    #[inline]
    pub(super) fn step(&mut self, slot: u32) {
        let slot = slot as usize;
        let caller = &mut self.callers[slot];
        caller.step = Entry::NONE;
        let stage = std::mem::replace(&mut caller.stage, Stage::Idle);
        let (call, operator) = (caller.call, OperatorId(caller.operator));
        match stage {
            Stage::Talk => self.talk_ends(slot),
            Stage::Turn(turn) => self.turn(slot, turn),
            Stage::Hold => {
                self.apply(Command::Release { operator });
            }
            Stage::Playback => {
                self.apply(Command::PlaybackFinished { call });
            }
            Stage::Key => self.press_key(slot),
            Stage::Callback => self.answer_callback_offer(slot),
            Stage::Consult => self.consult_done(slot),
            Stage::Target(leg, answers) => self.target(slot, LegId { call, leg }, answers),
            Stage::Dial(None) => {
                self.apply(Command::CustomerAnswered { call });
            }
            Stage::Dial(Some(cause)) => {
                self.apply(Command::DialFailed { call, cause });
            }
            Stage::Leaves => {
                self.apply(Command::CustomerHungUp { call });
            }
            Stage::Idle | Stage::Consulting => {}
        }
    }

    #[inline]
    fn talk_ends(&mut self, slot: usize) {
        let Caller { call, operator, source, handed_on, .. } = self.callers[slot];
        if !handed_on
            && self.handling(source).transfer.is_some()
            && let Some(target) = self.behaviour.transfer(&self.callers[slot].person())
        {
            let target = match target {
                TransferTarget::Queue(queue) => {
                    Some(callfloor_engine::TransferTarget::Queue(callfloor_scenario::FloorPlan::queue(*queue)))
                }
                TransferTarget::Group(group) => {
                    self.ready_in(*group, operator).map(callfloor_engine::TransferTarget::Operator)
                }
                TransferTarget::Number(number) => Some(callfloor_engine::TransferTarget::Number(*number)),
            };
            self.callers[slot].handed_on = true;
            self.callers[slot].gives_up_at = 0;
            if let Some(target) = target
                && self.apply(Command::BlindTransfer { operator: OperatorId(operator), target })
            {
                return;
            }
        }
        self.apply(Command::CustomerHungUp { call });
    }

    fn turn(&mut self, slot: usize, turn: Turn) {
        let caller = self.callers[slot];
        let operator = OperatorId(caller.operator);
        let person = caller.person();
        match turn {
            Turn::Hold => {
                if let Some(length_us) = self.behaviour.hold_us(&person)
                    && self.apply(Command::Hold { operator })
                {
                    self.next_step(slot, length_us, Stage::Hold);
                    return;
                }
            }
            Turn::Consult => {
                let target = self.behaviour.consult_target(&person).and_then(|target| match target {
                    ConsultTarget::Group(group) => {
                        self.ready_in(group, caller.operator).map(callfloor_engine::ConsultTarget::Operator)
                    }
                    ConsultTarget::Favourite(index) => {
                        u16::try_from(index).ok().map(callfloor_engine::ConsultTarget::Favourite)
                    }
                    ConsultTarget::Number(number) => Some(callfloor_engine::ConsultTarget::Number(number)),
                });
                if let Some(target) = target {
                    self.callers[slot].stage = Stage::Consulting;
                    if self.apply(Command::Consult { operator, target }) {
                        return;
                    }
                }
            }
            Turn::ForcedEnd => {
                let reason = ForcedEndReason::Abuse;
                if self.apply(Command::ForceEnd { operator, reason, announcement: None }) {
                    return;
                }
            }
        }
        self.next_turn(slot);
    }

    /// The Ready operator of a group who has been so the longest, other than `but`.
    pub(super) fn ready_in(&self, group: GroupIndex, but: u32) -> Option<OperatorId> {
        let ids = self.model.plan.groups[group.0].clone();
        ids.filter(|&id| id != but && self.operators[id as usize].status == callfloor_engine::Status::Ready)
            .min_by_key(|&id| self.operators[id as usize].since)
            .map(OperatorId)
    }

    /// The talk goes on after a hold or a consultation.
    pub(super) fn talk_on(&mut self, call: CallId, operator: u32) {
        let slot = call.slot() as usize;
        if self.callers[slot].operator == operator && self.callers[slot].step == Entry::NONE {
            self.next_turn(slot);
        }
    }

    pub(super) fn release(&mut self, slot: u32) {
        let operator = self.callers[slot as usize].operator;
        if operator != NOBODY {
            self.apply(Command::Release { operator: OperatorId(operator) });
        }
    }

    pub(super) fn consult_answered(&mut self, call: CallId) {
        let slot = call.slot() as usize;
        if let Some(length_us) = self.behaviour.consult_us(&self.callers[slot].person()) {
            self.next_step(slot, length_us, Stage::Consult);
        }
    }

    fn consult_done(&mut self, slot: usize) {
        let caller = self.callers[slot];
        let operator = OperatorId(caller.operator);
        if self.handling(caller.source).consult.is_none() {
            return;
        }
        let connects = self.behaviour.connects(&caller.person());
        self.callers[slot].stage = Stage::Consulting;
        if !(connects && self.apply(Command::ConnectCustomer { operator })) {
            self.apply(Command::CancelConsult { operator });
        }
    }

    pub(super) fn consult_ended(&mut self, call: CallId, operator: u32, end: ConsultEnd) {
        let slot = call.slot() as usize;
        if end == ConsultEnd::Connected || self.callers[slot].operator != operator {
            return;
        }
        self.forget_step(slot);
        if !matches!(end, ConsultEnd::CustomerHungUp | ConsultEnd::OperatorLeft) {
            self.reactions.push_back(Reaction::Release(call.slot()));
        }
    }

    pub(super) fn forget_step(&mut self, slot: usize) {
        let caller = &mut self.callers[slot];
        caller.stage = Stage::Idle;
        let entry = std::mem::take(&mut caller.step);
        if entry != Entry::NONE {
            self.calendar.withdraw(entry);
        }
    }

    pub(super) fn call_transferred(&mut self, call: CallId, to: Party, blind: bool) {
        let slot = call.slot() as usize;
        let caller = self.callers[slot];
        if let Some(counts) = self.collector.now(caller.row) {
            counts.transfers += 1;
        }
        if blind {
            if let Party::Operator(operator) = to {
                self.callers[slot].operator = operator.0;
            }
            return;
        }
        let mut factor = None;
        if let Party::Operator(operator) = to {
            let own = self.handling_factor(caller.source, operator.0, caller.queued_at);
            factor = Some(own);
            self.operators[operator.0 as usize].after_call_us =
                self.behaviour.after_call_again_us(&caller.person(), own);
            self.callers[slot].operator = operator.0;
        }
        if let Some(talk_us) = self.behaviour.talk_after_consult_us(&caller.person(), factor) {
            self.next_step(slot, talk_us, Stage::Leaves);
        }
    }

    /// A dial: leg 0 is a customer's, any other a party outside.
    pub(super) fn dial(&mut self, leg: LegId) {
        let slot = leg.call.slot() as usize;
        if leg.leg == 0 {
            self.dial_customer(slot);
            return;
        }
        let caller = self.callers[slot];
        match self.behaviour.consulted_outside(&caller.person()) {
            Some(Outside { answers, delay_us }) if caller.stage == Stage::Consulting => {
                self.next_step(slot, delay_us, Stage::Target(leg.leg, answers));
            }
            // Forwarded to or handed on to a number: it answers.
            _ => self.next_step(slot, 0, Stage::Target(leg.leg, true)),
        }
    }

    fn target(&mut self, slot: usize, leg: LegId, answers: bool) {
        if !answers {
            self.apply(Command::TargetFailed { leg, cause: FarEndFault::NoAnswer });
            return;
        }
        let caller = self.callers[slot];
        let consulting = self.operators.get(caller.operator as usize).is_some_and(|operator| {
            operator.status == callfloor_engine::Status::Holding && caller.live && !caller.handed_on
        });
        if self.apply(Command::TargetAnswered { leg }) && !consulting {
            let talk_us = self.behaviour.talk_outside_us(&caller.person(), caller.handed_on);
            self.next_step(slot, talk_us, Stage::Leaves);
        }
    }

    /// A leg was hung up: whatever it would have done is not done.
    pub(super) fn leg_gone(&mut self, leg: LegId) {
        let slot = leg.call.slot() as usize;
        if matches!(self.callers[slot].stage, Stage::Target(pending, _) if pending == leg.leg) {
            self.forget_step(slot);
        }
    }

    pub(super) fn play(&mut self, call: CallId, audio: u32) {
        let slot = call.slot() as usize;
        let playing = self.model.plan.audio[audio as usize];
        let stage = match playing.kind {
            AudioKind::Menu(..) => Stage::Key,
            AudioKind::CallbackOffer(..) => Stage::Callback,
            AudioKind::Music => return,
            AudioKind::ForcedEnd | AudioKind::Announcement => Stage::Playback,
        };
        self.callers[slot].audio = audio;
        self.next_step(slot, playing.length_us, stage);
    }

    pub(super) fn record_voicemail(&mut self, call: CallId, limit_us: u64) {
        let slot = call.slot() as usize;
        let caller = self.callers[slot];
        let service = self.model.scenario.classes.get(usize::from(caller.source)).map_or(0, |class| class.service.0);
        let origin = self.model.plan.origins[service].get(usize::from(caller.flow_step)).copied().flatten();
        let length_us =
            origin.map_or(limit_us, |(flow, step)| match &self.model.scenario.flows[flow.0].steps[step.0].kind {
                StepKind::Voicemail { length_us, .. } => *length_us,
                _ => limit_us,
            });
        self.next_step(slot, length_us.min(limit_us), Stage::Playback);
    }

    fn press_key(&mut self, slot: usize) {
        let caller = self.callers[slot];
        let AudioKind::Menu(flow, step) = self.model.plan.audio[caller.audio as usize].kind else { return };
        self.callers[slot].menus = caller.menus.saturating_add(1);
        if let Some(digit) = self.behaviour.key(&caller.person(), flow, step, caller.menus) {
            self.apply(Command::DigitPressed { call: caller.call, digit });
        }
    }

    fn answer_callback_offer(&mut self, slot: usize) {
        let caller = self.callers[slot];
        let AudioKind::CallbackOffer(flow, step) = self.model.plan.audio[caller.audio as usize].kind else { return };
        let accepts = self.behaviour.accepts_callback(&caller.person(), flow, step);
        let digit = if accepts { ACCEPT_DIGIT } else { DECLINE_DIGIT };
        self.apply(Command::DigitPressed { call: caller.call, digit });
    }

    /// After a missed ring nothing has changed: the wait goes on. One who was handed on in vain waits again, and has been
    /// answered once: no second wait is counted, but they have patience again, and leave at its end.
    pub(super) fn call_recovered(&mut self, call: CallId) {
        let slot = call.slot() as usize;
        if !self.callers[slot].waiting {
            self.forget_step(slot);
            self.callers[slot].operator = NOBODY;
            self.wait_again(slot);
        }
    }

    /// Draws how long a customer waits who was served before; not anew at every missed ring.
    fn wait_again(&mut self, slot: usize) {
        let caller = &mut self.callers[slot];
        if self.calendar.is_live(caller.gives_up) {
            return;
        }
        caller.again = caller.again.saturating_add(1);
        let (person, nth) = (caller.person(), caller.again);
        if let Some(patience_us) = self.behaviour.patience_again_us(&person, nth) {
            let happening = Happening::GivesUp(u32::try_from(slot).expect("a slot"));
            self.callers[slot].gives_up = self.calendar.schedule(self.now + patience_us, happening);
        }
    }

    /// One who waited again is served again.
    pub(super) fn call_resumed(&mut self, slot: usize, operator: u32) {
        self.stop_waiting(slot);
        self.begin_talk(slot, operator);
    }

    /// A hold for the customer's sake; the one that a consultation brings is not counted.
    pub(super) fn call_held(&mut self, call: CallId) {
        let caller = &mut self.callers[call.slot() as usize];
        if caller.stage == Stage::Consulting {
            return;
        }
        let first = !std::mem::replace(&mut caller.held, true);
        if let Some(counts) = self.collector.now(caller.row) {
            counts.holds += 1;
            counts.held_calls += u64::from(first);
        }
    }

    /// An operator to whom a call was handed on answered it.
    pub(super) fn taken_over(&mut self, call: CallId, operator: u32) {
        let slot = call.slot() as usize;
        let caller = self.callers[slot];
        if caller.call == call && caller.handed_on && !caller.waiting && caller.operator == operator && caller.live {
            self.begin_talk(slot, operator);
        }
    }

    pub(super) fn call_flowed_out(&mut self, call: CallId, wait_us: u64) {
        let slot = call.slot() as usize;
        let Caller { row, arrived, waiting, .. } = self.callers[slot];
        if waiting {
            self.collector.flowed_out(row, arrived, wait_us);
        }
        self.stop_waiting(slot);
    }

    #[inline]
    pub(super) fn call_ended(&mut self, record: &CallRecord) {
        self.live -= 1;
        let slot = record.call.slot() as usize;
        let Caller { row, arrived, waiting, source, id, attempt, step, gives_up, .. } = self.callers[slot];
        if waiting {
            let wait_us = record.wait.as_micros();
            if matches!(record.cause, EndCause::AbandonedInQueue | EndCause::AbandonedWhileRinging) {
                self.collector.abandoned(row, arrived, wait_us);
            } else {
                self.collector.flowed_out(row, arrived, wait_us);
            }
            self.stop_waiting(slot);
        } else if gives_up != Entry::NONE {
            self.stop_waiting(slot);
        }
        if step != Entry::NONE {
            self.forget_step(slot);
        }
        self.callers[slot].live = false;
        let refused = match record.cause {
            EndCause::AbandonedInQueue | EndCause::AbandonedWhileRinging => false,
            EndCause::QueueFull | EndCause::MaximumWait => true,
            EndCause::FlowEnded if row == NO_ROW => true,
            EndCause::DialFailed(_) => return self.dial_failed(source, id, attempt),
            _ => return,
        };
        let person = self.callers[slot].person();
        self.perhaps_redial(&person, refused);
    }

    pub(super) fn perhaps_redial(&mut self, person: &Person, refused: bool) {
        if let Some(delay_us) = self.behaviour.redial_us(person, refused) {
            self.live += 1;
            self.calendar.schedule(self.now + delay_us, Happening::Redial(person.id + (1 << 40)));
        }
    }
}
