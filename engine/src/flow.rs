//! Inbound calls ahead of the operator: arrival and the steps of the call flow.

use crate::call::{Call, Stage, Target, TargetParty};
use crate::config::{OverflowWhen, Step};
use crate::deadline::{Due, Timer};
use crate::engine::{Engine, Outcome};
use crate::id::{CallId, CustomerId, OperatorId, QueueId, ServiceId, StepId};
use crate::number::PhoneNumber;
use crate::output::{Action, EndCause, Event, RefusalCause, TicketOrigin, Work};
use crate::queueing::Entry;
use crate::rejection::{Asked, Object, Rejection};
use crate::routing::Needs;
use crate::status::Status;
use crate::time::Span;

impl Engine {
    #[expect(clippy::too_many_arguments, reason = "the fields of one command")]
    pub(crate) fn call_arrived(
        &mut self,
        service: ServiceId,
        entry: StepId,
        customer: Option<CustomerId>,
        from: Option<PhoneNumber>,
        priority: u8,
        preferred: Option<OperatorId>,
        reference: u64,
    ) -> Outcome {
        self.known_service(service)?;
        let config = &self.config.services[service.index()];
        if !config.inbound {
            let cause = RefusalCause::NoInboundContract;
            self.emit(Event::CallRefused { service, reference, cause });
            self.act(Action::RefuseCall { reference, cause });
            return Ok(());
        }
        if entry.index() >= config.flow.len() {
            return Err(Rejection::Unknown(Object::Step(entry)));
        }
        self.calls_begun += 1;
        let mut call = Call::new(service, false, Stage::Flow, self.now);
        call.customer = customer;
        call.number = from;
        call.priority = priority;
        call.preferred = preferred;
        let call = self.calls.insert(call);
        self.emit(Event::CallArrived { call, service, reference });
        self.run_flow(call, entry);
        Ok(())
    }

    /// Runs the flow from `step` to the next one that takes time, or to the end of the call.
    pub(crate) fn run_flow(&mut self, call: CallId, step: StepId) {
        let service = self.calls[call].service;
        let length = self.config.services[service.index()].flow.len();
        let mut at = step;
        // Steps that take no time change nothing that could lead out of a cycle: a second visit means that there is none.
        for _ in 0..=length {
            let Some(step) = self.config.services[service.index()].flow.get(at.index()) else { break };
            let next = StepId(at.0 + 1);
            self.calls[call].step = at;
            match *step {
                Step::Hours { closed } => {
                    let open = self.config.services[service.index()].hours.is_open(self.now);
                    at = if open { next } else { closed };
                }
                Step::SetSkill { skill, min } => {
                    self.calls[call].needs.set(skill, min);
                    at = next;
                }
                Step::SetPriority { priority } => {
                    self.calls[call].priority = priority;
                    at = next;
                }
                Step::GoTo { step } => at = step,
                Step::Overflow { queue, when, to } => at = if self.overflows(queue, when) { to } else { next },
                Step::Announcement { audio, limit } => return self.play(call, at, audio, limit, false),
                Step::Menu { audio, limit, .. } => return self.play(call, at, audio, limit, true),
                Step::CallbackOffer { audio, limit, .. } => {
                    // Nobody can be called back who shows no number.
                    if self.calls[call].number.is_some() {
                        return self.play(call, at, audio, limit, true);
                    }
                    at = next;
                }
                Step::Voicemail { limit, .. } => {
                    self.enter_step(call, at, limit);
                    return self.act(Action::RecordVoicemail { leg: call.customer_leg(), limit });
                }
                Step::Forward { number } => return self.forward(call, at, number),
                Step::Queue { queue, on_full, .. } => {
                    if self.is_full(queue, &self.calls[call].needs) {
                        self.emit(Event::QueueFull { call, queue });
                        match on_full {
                            Some(step) => at = step,
                            None => return self.end_from_flow(call, EndCause::QueueFull),
                        }
                    } else {
                        return self.queue_call(call, queue);
                    }
                }
                Step::End => break,
            }
        }
        self.end_from_flow(call, EndCause::FlowEnded);
    }

    fn enter_step(&mut self, call: CallId, step: StepId, limit: Span) {
        let timer = self.deadlines.set(self.now + limit, Due::FlowStep, call.slot());
        let found = &mut self.calls[call];
        found.stage = Stage::Flow;
        found.timer = timer;
        self.emit(Event::StepEntered { call, step });
    }

    fn play(&mut self, call: CallId, step: StepId, audio: crate::id::AudioId, limit: Span, digits: bool) {
        self.enter_step(call, step, limit);
        self.act(Action::PlayAnnouncement { leg: call.customer_leg(), audio, digits });
    }

    fn forward(&mut self, call: CallId, step: StepId, number: PhoneNumber) {
        let limit = self.settings(self.calls[call].service).consult_limit;
        self.calls[call].stage = Stage::Forwarding;
        self.emit(Event::StepEntered { call, step });
        self.dial_target(call, number, limit);
    }

    /// Dials a number outside for a call; its outcome comes back for the new leg.
    pub(crate) fn dial_target(&mut self, call: CallId, number: PhoneNumber, limit: Span) {
        let timer = self.deadlines.set(self.now + limit, Due::Target, call.slot());
        let leg = self.calls[call].new_leg();
        self.calls[call].target = Some(Target { who: TargetParty::Number(number), leg, answered: false, timer });
        self.act(Action::Dial { leg: call.leg(leg), to: number, from: None });
    }

    /// Whether a queue takes no more: as many wait as may, and nobody is free for one more.
    pub(crate) fn is_full(&self, queue: QueueId, needs: &Needs) -> bool {
        let limit = self.config.queues[queue.index()].limit;
        limit.is_some_and(|limit| self.queues[queue.index()].waiting >= limit)
            && !self.router.anybody_idle(&self.config, queue, needs)
    }

    fn overflows(&self, queue: QueueId, when: OverflowWhen) -> bool {
        let mut serving = (0u32..).zip(&self.desks).filter(|&(index, _)| self.router.serves(OperatorId(index), queue));
        match when {
            OverflowWhen::Waiting(least) => self.queues[queue.index()].waiting >= least,
            OverflowWhen::LongestWait(least) => self
                .places
                .iter()
                .any(|(_, place)| place.queue == queue && place.is_waiting() && self.now - place.queued_at >= least),
            OverflowWhen::NobodyLoggedIn => !serving.any(|(_, desk)| desk.status != Status::LoggedOut),
            OverflowWhen::NobodyReady => !serving.any(|(_, desk)| desk.status == Status::Ready),
        }
    }

    /// Presents a call to a queue; a place that it has already had is kept.
    pub(crate) fn queue_call(&mut self, call: CallId, queue: QueueId) {
        let found = &mut self.calls[call];
        found.stage = Stage::Queued;
        found.queue = Some(queue);
        found.answered = false;
        let entry = Entry {
            work: Work::Call(call),
            queue,
            priority: found.priority,
            needs: found.needs,
            kept: found.queued,
            head: false,
            preferred: found.preferred,
        };
        let (priority, service) = (found.priority, found.service);
        let (place, kept) = self.enqueue(entry);
        self.calls[call].place = Some(place);
        self.calls[call].queued = Some(kept);
        self.emit(Event::CallQueued { call, queue, priority });
        let audio = self.settings(service).hold_music;
        self.act(Action::PlayMusic { leg: call.customer_leg(), audio });
    }

    /// After the maximum wait: where the queue step says, or the end.
    pub(crate) fn leave_queue_step(&mut self, call: CallId) {
        let found = &self.calls[call];
        match self.config.services[found.service.index()].flow.get(found.step.index()) {
            Some(&Step::Queue { on_timeout: Some(step), .. }) => self.run_flow(call, step),
            _ => self.end_from_flow(call, EndCause::MaximumWait),
        }
    }

    /// Ends a call that has no operator.
    pub(crate) fn end_from_flow(&mut self, call: CallId, cause: EndCause) {
        self.act(Action::HangUp { leg: call.customer_leg() });
        self.end_call(call, cause);
        self.forget_call(call);
    }

    pub(crate) fn step_expired(&mut self, call: CallId) {
        self.calls[call].timer = Timer::NONE;
        self.step_finished(call);
    }

    pub(crate) fn playback_finished(&mut self, call: CallId) -> Outcome {
        let found = self.known_call(call)?;
        match found.stage {
            // The menu or offer was heard; the digit may still come.
            Stage::Flow
                if matches!(
                    self.config.services[found.service.index()].flow.get(found.step.index()),
                    Some(Step::Menu { .. } | Step::CallbackOffer { .. })
                ) => {}
            Stage::Flow => {
                self.cancel_call_timer(call);
                self.step_finished(call);
            }
            Stage::Ending(_) => self.finish_forced_end(call),
            _ => return Err(Rejection::WrongStage { call, asked: Asked::FinishPlayback }),
        }
        Ok(())
    }

    /// A timed step is over without a digit.
    fn step_finished(&mut self, call: CallId) {
        let (service, step) = (self.calls[call].service, self.calls[call].step);
        match self.config.services[service.index()].flow.get(step.index()) {
            Some(&Step::Menu { otherwise, .. }) => self.run_flow(call, otherwise),
            Some(&Step::Voicemail { queue, .. }) => {
                let (priority, customer) = (self.calls[call].priority, self.calls[call].customer);
                // A customer who was served before has a ticket: there is never a second one.
                let known = self.calls[call].ticket;
                let origin = TicketOrigin::Voicemail(call);
                let ticket = known.unwrap_or_else(|| self.create_ticket(service, origin, None, customer, priority, 0));
                match (queue, known) {
                    (_, Some(ticket)) => self.customer_wrote(ticket),
                    (Some(queue), None) => self.queue_ticket(ticket, queue),
                    (None, None) => {}
                }
                self.end_from_flow(call, EndCause::Voicemail);
            }
            _ => self.run_flow(call, StepId(step.0 + 1)),
        }
    }

    pub(crate) fn cancel_call_timer(&mut self, call: CallId) {
        self.deadlines.cancel(&mut self.calls[call].timer);
    }

    pub(crate) fn digit_pressed(&mut self, call: CallId, digit: char) -> Outcome {
        let found = self.known_call(call)?;
        let refused = Err(Rejection::WrongStage { call, asked: Asked::PressDigit });
        if found.stage != Stage::Flow {
            return refused;
        }
        let step = found.step;
        match self.config.services[found.service.index()].flow.get(step.index()) {
            Some(Step::Menu { options, otherwise, .. }) => {
                let to = options.iter().find(|option| option.0 == digit).map_or(*otherwise, |option| option.1);
                self.cancel_call_timer(call);
                self.run_flow(call, to);
            }
            Some(&Step::CallbackOffer { digit: accepts, queue, .. }) => {
                self.cancel_call_timer(call);
                if digit == accepts {
                    self.accept_callback(call, queue);
                } else {
                    self.run_flow(call, StepId(step.0 + 1));
                }
            }
            _ => return refused,
        }
        Ok(())
    }

    /// The customer hangs up, wherever the call is.
    pub(crate) fn customer_hung_up(&mut self, call: CallId) -> Outcome {
        let found = self.known_call(call)?;
        let answered = found.answered;
        match found.stage {
            Stage::Dialing => return Err(Rejection::WrongStage { call, asked: Asked::HangUp }),
            Stage::Internal => return Err(Rejection::Unknown(Object::Leg(call.customer_leg()))),
            Stage::Flow | Stage::Forwarding => {
                self.cancel_call_timer(call);
                self.drop_ringing_target(call);
                self.end_call(call, EndCause::AbandonedInFlow);
                self.forget_call(call);
            }
            Stage::Queued => {
                let place = found.place.expect("a queued call has a place");
                let ringing = !self.places[place].is_waiting();
                self.stop_all_offers(place, crate::output::OfferEnd::Abandoned);
                let wait = self.now - self.leave_place_of(call);
                let cause = match (answered, ringing) {
                    (true, _) => EndCause::CustomerHungUp,
                    (false, true) => EndCause::AbandonedWhileRinging,
                    (false, false) => EndCause::AbandonedInQueue,
                };
                if !answered {
                    self.calls[call].wait = wait;
                }
                self.end_call(call, cause);
                self.forget_call(call);
            }
            Stage::BlindRinging => {
                self.drop_ringing_target(call);
                self.end_call(call, EndCause::CustomerHungUp);
                self.forget_call(call);
            }
            Stage::Talking | Stage::Holding | Stage::Conference | Stage::Outside { .. } | Stage::Ending(_) => {
                self.customer_left_connected(call);
            }
        }
        Ok(())
    }

    /// Takes a call that is queued, waiting or no longer ringing, out of its queue. Returns when it was queued.
    pub(crate) fn leave_place_of(&mut self, call: CallId) -> crate::time::Instant {
        let place = self.calls[call].place.take().expect("a queued call has a place");
        self.leave_while_waiting(place)
    }

    fn accept_callback(&mut self, call: CallId, queue: QueueId) {
        let found = &self.calls[call];
        let to = found.number.expect("a callback was offered to a caller who shows a number");
        let (customer, priority, kept, arrived) = (found.customer, found.priority, found.queued, found.arrived);
        let kept = kept.or_else(|| {
            self.place_sequence += 1;
            Some((arrived, self.place_sequence))
        });
        let callback = self.create_callback(queue, to, customer, priority, kept);
        self.emit(Event::CallbackReceived { callback, queue, call: Some(call), reference: 0 });
        self.end_from_flow(call, EndCause::CallbackAccepted);
    }
}
