//! Callers: from the arrival through flow and queue to the end of the talk.

use super::{Coming, Happening, Host, Reaction, Source, Turns};
use crate::arrival::{customer_id, micros};
use crate::calendar::Entry;
use crate::collect::NO_ROW;
use crate::customer::{Caller, NOBODY, Stage, Turn};
use crate::model::HandlingModel;
use crate::stream::{Draw, Draws, Kind, Purpose};
use callfloor_engine::{
    CallId, CallRecord, Command, ConsultEnd, CustomerId, EndCause, FarEndFault, ForcedEndReason, LegId, OperatorId,
    Party, QueueId,
};
use callfloor_scenario::floor::{ACCEPT_DIGIT, AudioKind, ClassEntry};
use callfloor_scenario::{
    AfterRefusal, ConsultTarget, CustomerClass, Entry as FirstStop, GroupIndex, StepKind, TransferTarget,
};

/// Longer than any run: such a patience is never drawn on.
const FOR_EVER_S: f64 = 1e10;

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
        let trace = arrival.trace.map_or(0, |index| u32::try_from(index + 1).expect("a trace fits in memory"));
        let id = customer_id(source, arrival.number, 0);
        self.announce(Coming { id, words: arrival.words, source, attempt: 0, trace, known: NOBODY });
    }

    pub(super) fn redial(&mut self, id: u64) {
        self.live -= 1;
        let source = u16::try_from(id >> 48).expect("16 bits");
        let attempt = u8::try_from(id >> 40 & 0xff).expect("8 bits");
        // The same person, with the same patience and the same matter: drawn again from the same words, or of the trace.
        let words = self.streams.block(Kind::Customer, id & !(0xff << 40), 0);
        let traced = matches!(
            self.model.scenario.classes[usize::from(source)].arrivals,
            callfloor_scenario::Arrivals::Trace { .. }
        );
        let trace = if traced { u32::try_from(id & ((1 << 40) - 1)).expect("a trace fits in memory") + 1 } else { 0 };
        self.announce(Coming { id, words, source, attempt, trace, known: NOBODY });
    }

    /// Tells the engine of a customer.
    fn announce(&mut self, mut coming: Coming) {
        let scenario = self.model.scenario;
        let class = &scenario.classes[usize::from(coming.source)];
        let trace = trace_of(class, coming.trace);
        let mut customer = None;
        if let Some(number) = trace.and_then(|t| t.customer) {
            customer = Some(CustomerId(number));
        } else if class.identity.known_share > 0.0 && class.identity.population > 0 {
            // The same person at every attempt.
            let first = coming.id & !(0xff << 40);
            let mut draws = self.streams.draws(Kind::Customer, first, Purpose::Identity);
            if draws.uniform() < class.identity.known_share {
                let known = index_below(draws.uniform(), class.identity.population);
                coming.known = known;
                customer = Some(CustomerId(u64::from(coming.source) << 32 | u64::from(known)));
            }
        }
        let preferred = self.last_operators[usize::from(coming.source)]
            .get(coming.known as usize)
            .filter(|&&operator| operator != NOBODY)
            .map(|&operator| OperatorId(operator));
        let priority = trace.and_then(|t| t.priority).unwrap_or(class.priority);
        let reference = coming.id;
        self.coming = Some(coming);
        match self.model.plan.entries[usize::from(coming.source)] {
            ClassEntry::Call { service, entry } => {
                let from = Some(self.model.number);
                self.apply(Command::CallArrived { service, entry, customer, from, priority, preferred, reference });
            }
            ClassEntry::Chat { queue } => {
                if !self.apply(Command::ChatArrived { queue, customer, priority, preferred, reference }) {
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
        self.coming.take_if(|coming| coming.id == reference)
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
        let [_, words @ ..] = coming.words;
        let Coming { id, source, attempt, trace, known, .. } = coming;
        *self.caller_slot(call) =
            Caller { call, id, words, source, attempt, trace, known, live: true, ..Caller::EMPTY };
    }

    pub(super) fn call_refused(&mut self, reference: u64) {
        let Some(coming) = self.take_coming(reference) else { return };
        let class = &self.model.scenario.classes[usize::from(coming.source)];
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
        self.perhaps_redial(coming.source, coming.id, coming.attempt, true);
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
        let source = usize::from(caller.source);
        let Some(model) = self.model.classes.get(source) else { return };
        let class = &self.model.scenario.classes[source];
        if class.balking > 0.0 && caller.queues == 1 && caller.rings == 0 {
            let mut draws = self.streams.draws(Kind::Customer, caller.id, Purpose::Balking);
            if draws.uniform() < class.balking {
                self.apply(Command::CustomerHungUp { call: caller.call });
                return;
            }
        }
        let mut gives_up_at = caller.gives_up_at;
        if gives_up_at == 0 {
            let patience = trace_of(class, caller.trace).and_then(|t| t.patience_s).unwrap_or_else(|| {
                let draws = if caller.handed_on {
                    &mut self.streams.draws_nth(Kind::Customer, caller.id, Purpose::Patience, u32::from(caller.queues))
                } else {
                    &mut self.streams.draws_from(Kind::Customer, caller.id, Purpose::Patience, caller.words[0])
                };
                model.patience.sample(draws)
            });
            gives_up_at = if patience < FOR_EVER_S { caller.queued_at + micros(patience) } else { u64::MAX };
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
    }

    fn handling(&self, source: u16) -> &'m HandlingModel {
        let source = usize::from(source);
        let model = self.model;
        match model.classes.get(source) {
            Some(class) => &class.handling,
            None => &model.campaigns[source - model.classes.len()].handling,
        }
    }

    /// What a forecast or the group multiplies handling times by.
    pub(super) fn handling_factor(&self, source: u16, operator: u32, at_us: u64) -> f64 {
        let group = self.model.groups[usize::from(self.operators[operator as usize].group)].factor;
        let Some(class) = self.model.scenario.classes.get(usize::from(source)) else { return group };
        if class.mean_handling.is_empty() {
            return group;
        }
        group * self.forecast_factor(class, usize::from(source), at_us)
    }

    fn forecast_factor(&self, class: &CustomerClass, source: usize, at_us: u64) -> f64 {
        let clock = &self.model.scenario.clock;
        let day = self.today;
        let time = at_us.saturating_sub(clock.instant_us(day, 0));
        let weekday = clock.weekday(day);
        let mean = self.model.classes[source].mean_handle_s;
        class.handle_time_at(day, weekday, time).filter(|_| mean > 0.0).map_or(1.0, |aht_s| aht_s / mean)
    }

    fn own_draws(&self, caller: &Caller, purpose: Purpose) -> Draws {
        self.streams.draws(Kind::Customer, caller.id, purpose)
    }

    #[inline]
    pub(super) fn begin_talk(&mut self, slot: usize, operator: u32) {
        let caller = self.callers[slot];
        let handling = self.handling(caller.source);
        let factor = self.handling_factor(caller.source, operator, caller.queued_at);
        let trace = self.model.scenario.classes.get(usize::from(caller.source)).and_then(|c| trace_of(c, caller.trace));
        let streams = self.streams;
        let first = |purpose, word| streams.draws_from(Kind::Customer, caller.id, purpose, word);
        let talk_s = match (&handling.transfer, caller.handed_on) {
            (Some(transfer), true) => {
                let mut draws = streams.draws_nth(Kind::Customer, caller.id, Purpose::Transfer, 1);
                factor * transfer.talk_after.sample(&mut draws)
            }
            _ => match trace.and_then(|t| t.talk_s) {
                Some(talk) => talk,
                None => factor * handling.talk.sample(&mut first(Purpose::Talk, caller.words[1])),
            },
        };
        let after_call_s = match trace.and_then(|t| t.after_call_s) {
            Some(length) => length,
            None => factor * handling.after_call.sample(&mut first(Purpose::AfterCall, caller.words[2])),
        };
        let talk_us = micros(talk_s);
        self.operators[operator as usize].after_call_us = micros(after_call_s);
        let caller = &mut self.callers[slot];
        caller.operator = operator;
        caller.talk_left_us = talk_us;
        if !handling.plain && !caller.handed_on {
            self.plan_turns(slot, handling);
        }
        self.next_turn(slot);
    }

    fn plan_turns(&mut self, slot: usize, handling: &HandlingModel) {
        let caller = self.callers[slot];
        let mut turns = Turns::default();
        let mut chance = |probability: f64, purpose, turn| {
            let mut draws = self.own_draws(&caller, purpose);
            if probability > 0.0 && draws.uniform() < probability {
                turns.add(micros(caller.talk_left_us as f64 / 1e6 * draws.uniform()), turn);
            }
        };
        chance(handling.hold.as_ref().map_or(0.0, |hold| hold.0), Purpose::Hold, Turn::Hold);
        chance(handling.consult.as_ref().map_or(0.0, |c| c.probability), Purpose::Consult, Turn::Consult);
        chance(handling.forced_end, Purpose::ForcedEnd, Turn::ForcedEnd);
        self.turns[slot] = turns;
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
            Stage::Outside => {
                self.apply(Command::CustomerHungUp { call });
            }
            Stage::Idle | Stage::Consulting => {}
        }
    }

    #[inline]
    fn talk_ends(&mut self, slot: usize) {
        let caller = self.callers[slot];
        if let Some(transfer) = &self.handling(caller.source).transfer
            && !caller.handed_on
        {
            let mut draws = self.own_draws(&caller, Purpose::Transfer);
            if draws.uniform() < transfer.probability {
                let target = match &transfer.target {
                    TransferTarget::Queue(queue) => {
                        Some(callfloor_engine::TransferTarget::Queue(callfloor_scenario::FloorPlan::queue(*queue)))
                    }
                    TransferTarget::Group(group) => {
                        self.ready_in(*group, caller.operator).map(callfloor_engine::TransferTarget::Operator)
                    }
                    TransferTarget::Number(number) => Some(callfloor_engine::TransferTarget::Number(*number)),
                };
                self.callers[slot].handed_on = true;
                self.callers[slot].gives_up_at = 0;
                if let Some(target) = target
                    && self.apply(Command::BlindTransfer { operator: OperatorId(caller.operator), target })
                {
                    return;
                }
            }
        }
        self.apply(Command::CustomerHungUp { call: caller.call });
    }

    fn turn(&mut self, slot: usize, turn: Turn) {
        let caller = self.callers[slot];
        let operator = OperatorId(caller.operator);
        let handling = self.handling(caller.source);
        match (turn, &handling.hold, &handling.consult) {
            (Turn::Hold, Some((_, length)), _) => {
                let length = micros(length.sample(&mut self.own_draws(&caller, Purpose::HoldLength)));
                if self.apply(Command::Hold { operator }) {
                    self.next_step(slot, length, Stage::Hold);
                    return;
                }
            }
            (Turn::Consult, _, Some(consult)) => {
                let target = match &consult.target {
                    ConsultTarget::Group(group) => {
                        self.ready_in(*group, caller.operator).map(callfloor_engine::ConsultTarget::Operator)
                    }
                    ConsultTarget::Favourite(index) => {
                        u16::try_from(*index).ok().map(callfloor_engine::ConsultTarget::Favourite)
                    }
                    ConsultTarget::Number(number) => Some(callfloor_engine::ConsultTarget::Number(*number)),
                };
                if let Some(target) = target {
                    self.callers[slot].stage = Stage::Consulting;
                    if self.apply(Command::Consult { operator, target }) {
                        return;
                    }
                }
            }
            (Turn::ForcedEnd, ..) => {
                let reason = ForcedEndReason::Abuse;
                if self.apply(Command::ForceEnd { operator, reason, announcement: None }) {
                    return;
                }
            }
            _ => {}
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
        let caller = self.callers[slot];
        if let Some(consult) = &self.handling(caller.source).consult {
            let length = consult.length.sample(&mut self.own_draws(&caller, Purpose::ConsultLength));
            self.next_step(slot, micros(length), Stage::Consult);
        }
    }

    fn consult_done(&mut self, slot: usize) {
        let caller = self.callers[slot];
        let operator = OperatorId(caller.operator);
        let Some(consult) = &self.handling(caller.source).consult else { return };
        let mut draws = self.streams.draws_nth(Kind::Customer, caller.id, Purpose::Consult, 1);
        let connects = draws.uniform() < consult.connect;
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
        let handling = self.handling(caller.source);
        if blind {
            if let Party::Operator(operator) = to {
                self.callers[slot].operator = operator.0;
            }
            return;
        }
        let Some(consult) = &handling.consult else { return };
        let mut draws = self.streams.draws_nth(Kind::Customer, caller.id, Purpose::Talk, 1);
        let mut talk = consult.talk_after.sample(&mut draws);
        if let Party::Operator(operator) = to {
            let factor = self.handling_factor(caller.source, operator.0, caller.queued_at);
            talk *= factor;
            let mut draws = self.streams.draws_nth(Kind::Customer, caller.id, Purpose::AfterCall, 1);
            self.operators[operator.0 as usize].after_call_us = micros(factor * handling.after_call.sample(&mut draws));
            self.callers[slot].operator = operator.0;
        }
        self.next_step(slot, micros(talk), Stage::Outside);
    }

    /// A dial: leg 0 is a customer's, any other a party outside.
    pub(super) fn dial(&mut self, leg: LegId) {
        let slot = leg.call.slot() as usize;
        if leg.leg == 0 {
            self.dial_customer(slot);
            return;
        }
        let caller = self.callers[slot];
        match &self.handling(caller.source).consult {
            Some(consult) if caller.stage == Stage::Consulting => {
                let mut draws = self.own_draws(&caller, Purpose::AnswerDelay);
                let answers = draws.uniform() >= consult.no_answer;
                let delay = consult.answer_delay.sample(&mut draws);
                self.next_step(slot, micros(delay), Stage::Target(leg.leg, answers));
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
            let handling = self.handling(caller.source);
            let mut draws = self.streams.draws_nth(Kind::Customer, caller.id, Purpose::Transfer, 1);
            let talk = match &handling.transfer {
                Some(transfer) if caller.handed_on => transfer.talk_after.sample(&mut draws),
                _ => handling.talk.sample(&mut draws),
            };
            self.next_step(slot, micros(talk), Stage::Outside);
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
        let Some(class) = self.model.scenario.classes.get(usize::from(caller.source)) else { return };
        let StepKind::Menu { options, .. } = &self.model.scenario.flows[flow.0].steps[step.0].kind else { return };
        self.callers[slot].menus = caller.menus.saturating_add(1);
        let Some(menu) = class.menus.iter().find(|menu| menu.flow == flow && menu.step == step) else { return };
        let mut draws = self.streams.draws_nth(Kind::Customer, caller.id, Purpose::Menu, u32::from(caller.menus));
        let mut u = draws.uniform();
        for (option, share) in options.iter().zip(&menu.shares) {
            if u < *share {
                self.apply(Command::DigitPressed { call: caller.call, digit: option.key });
                return;
            }
            u -= share;
        }
    }

    fn answer_callback_offer(&mut self, slot: usize) {
        let caller = self.callers[slot];
        let AudioKind::CallbackOffer(flow, step) = self.model.plan.audio[caller.audio as usize].kind else { return };
        let StepKind::CallbackOffer { accept, .. } = &self.model.scenario.flows[flow.0].steps[step.0].kind else {
            return;
        };
        let mut draws = self.own_draws(&caller, Purpose::Callback);
        if draws.uniform() < *accept {
            self.apply(Command::DigitPressed { call: caller.call, digit: ACCEPT_DIGIT });
        } else {
            let digit = if ACCEPT_DIGIT == '0' { '1' } else { '0' };
            self.apply(Command::DigitPressed { call: caller.call, digit });
        }
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
        let Some(model) = self.model.classes.get(usize::from(caller.source)) else { return };
        if self.calendar.is_live(caller.gives_up) {
            return;
        }
        caller.again = caller.again.saturating_add(1);
        let nth = u32::from(caller.again);
        let mut draws = self.streams.draws_nth(Kind::Customer, caller.id, Purpose::PatienceAgain, nth);
        let class = &self.model.scenario.classes[usize::from(caller.source)];
        let own = trace_of(class, caller.trace).and_then(|trace| trace.patience_s);
        let patience = own.unwrap_or_else(|| model.patience.sample(&mut draws));
        if patience < FOR_EVER_S {
            let happening = Happening::GivesUp(u32::try_from(slot).expect("a slot"));
            let entry = self.after(patience, happening);
            self.callers[slot].gives_up = entry;
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
        match record.cause {
            EndCause::AbandonedInQueue | EndCause::AbandonedWhileRinging => {
                self.perhaps_redial(source, id, attempt, false);
            }
            EndCause::QueueFull | EndCause::MaximumWait => self.perhaps_redial(source, id, attempt, true),
            EndCause::FlowEnded if row == NO_ROW => self.perhaps_redial(source, id, attempt, true),
            EndCause::DialFailed(_) => self.dial_failed(source, id, attempt),
            _ => {}
        }
    }

    pub(super) fn perhaps_redial(&mut self, source: u16, id: u64, attempt: u8, refused: bool) {
        let place = usize::from(source);
        let Some(redial) = self.model.scenario.classes.get(place).and_then(|class| class.redial.as_ref()) else {
            return;
        };
        let Some(delay) = &self.model.classes[place].redial_delay else { return };
        let counts = !refused || redial.after == AfterRefusal::AbandonedOrRefused;
        if !counts || u32::from(attempt) + 1 >= redial.max_attempts || attempt == u8::MAX {
            return;
        }
        let mut draws = self.streams.draws(Kind::Customer, id, Purpose::Redial);
        if draws.uniform() < redial.probability {
            let delay = delay.sample(&mut draws);
            self.live += 1;
            self.after(delay, Happening::Redial(id + (1 << 40)));
        }
    }
}

/// The trace's own words about a customer.
pub(super) fn trace_of(class: &CustomerClass, trace: u32) -> Option<&callfloor_scenario::TraceArrival> {
    let index = trace.checked_sub(1)? as usize;
    match &class.arrivals {
        callfloor_scenario::Arrivals::Trace { arrivals } => arrivals.get(index),
        callfloor_scenario::Arrivals::Rates { .. } => None,
    }
}

/// One of `count` places, each equally likely for `u` uniform in [0, 1).
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number in [0, count)")]
pub(super) fn index_below(u: f64, count: u32) -> u32 {
    (u * f64::from(count)) as u32
}
