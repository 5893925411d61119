//! The call flow ahead of the operator: its steps, one after the other.

use callfloor_engine::{
    CallId, EndCause, Event, OverflowWhen, PhoneNumber, QueueId, Span, Status, Step, StepId, TicketOrigin, Work,
};

use super::Model;
use super::call::{Stage, ask_for};

impl Model {
    /// Runs the flow from `step` to a step that takes time, or to the end of the call.
    pub(super) fn run_flow(&mut self, call: CallId, step: StepId) {
        let service = self.call(call).service;
        let flow = self.service(service).flow.clone();
        let mut at = step;
        // A flow that comes back to itself without waiting leads nowhere.
        for _ in 0..=flow.len() {
            let Some(step) = flow.get(at.index()) else { break };
            let next = StepId(at.0 + 1);
            self.call(call).step = at;
            match *step {
                Step::Hours { closed } => at = if self.is_open(service) { next } else { closed },
                Step::SetSkill { skill, min } => {
                    let _ = ask_for(&mut self.call(call).needs, skill, min);
                    at = next;
                }
                Step::SetPriority { priority } => {
                    self.call(call).caller.priority = priority;
                    at = next;
                }
                Step::GoTo { step } => at = step,
                Step::Overflow { queue, when, to } => at = if self.overflows(queue, when) { to } else { next },
                // Nobody can be called back who shows no number.
                Step::CallbackOffer { .. } if self.call(call).caller.number.is_none() => at = next,
                Step::Announcement { limit, .. }
                | Step::Menu { limit, .. }
                | Step::CallbackOffer { limit, .. }
                | Step::Voicemail { limit, .. } => return self.enter_step(call, at, limit),
                Step::Forward { number } => return self.forward(call, at, number),
                Step::Queue { queue, on_full, .. } => {
                    let needs = self.call(call).needs.clone();
                    if !self.is_full(queue, &needs) {
                        return self.queue_call(call, queue);
                    }
                    self.say(Event::QueueFull { call, queue });
                    let Some(step) = on_full else { return self.over(call, EndCause::QueueFull) };
                    at = step;
                }
                Step::End => break,
            }
        }
        self.over(call, EndCause::FlowEnded);
    }

    fn is_open(&self, service: callfloor_engine::ServiceId) -> bool {
        super::ticket::open_time(&self.service(service).hours, self.now, self.now + Span::from_micros(1)) > Span::ZERO
    }

    fn enter_step(&mut self, call: CallId, step: StepId, limit: Span) {
        let timer = self.timer(limit);
        let found = self.call(call);
        (found.stage, found.timer) = (Stage::Flow, timer);
        self.say(Event::StepEntered { call, step });
    }

    fn forward(&mut self, call: CallId, step: StepId, number: PhoneNumber) {
        self.call(call).stage = Stage::Forwarding;
        self.say(Event::StepEntered { call, step });
        self.dial_target(call, number);
    }

    fn overflows(&self, queue: QueueId, when: OverflowWhen) -> bool {
        let mut members = self.floor.operators.iter().zip(&self.desks).filter_map(|(operator, desk)| {
            operator.queues.iter().any(|membership| membership.queue == queue).then_some(desk.status)
        });
        match when {
            OverflowWhen::Waiting(least) => self.waiting(queue) >= least as usize,
            OverflowWhen::LongestWait(least) => self
                .spots
                .iter()
                .any(|spot| spot.queue == queue && !self.rings(spot.work) && self.now - spot.queued_at >= least),
            OverflowWhen::NobodyLoggedIn => members.all(|status| status == Status::LoggedOut),
            OverflowWhen::NobodyReady => members.all(|status| status != Status::Ready),
        }
    }

    /// Presents a call to a queue. A place that it has already had is kept.
    pub(super) fn queue_call(&mut self, call: CallId, queue: QueueId) {
        let found = self.call(call);
        (found.stage, found.queue, found.answered) = (Stage::Queued, Some(queue), false);
        let (priority, needs, kept, preferred) =
            (found.caller.priority, found.needs.clone(), found.place, found.caller.preferred);
        let kept = self.begin_waiting(Work::Call(call), queue, priority, needs, kept, false, preferred);
        self.call(call).place = Some(kept);
        self.say(Event::CallQueued { call, queue, priority });
    }

    /// After the maximum wait: where the queue step says, else the end.
    pub(super) fn leave_queue_step(&mut self, call: CallId) {
        let found = self.call(call);
        let (service, step) = (found.service, found.step);
        match self.service(service).flow.get(step.index()) {
            Some(&Step::Queue { on_timeout: Some(to), .. }) => self.run_flow(call, to),
            _ => self.over(call, EndCause::MaximumWait),
        }
    }

    fn step_of(&self, call: CallId) -> Option<Step> {
        let call = self.find_call(call)?;
        self.service(call.service).flow.get(call.step.index()).cloned()
    }

    pub(super) fn playback_finished(&mut self, call: CallId) -> Option<()> {
        match self.find_call(call)?.stage {
            // It was heard; the digit may still come.
            Stage::Flow if matches!(self.step_of(call), Some(Step::Menu { .. } | Step::CallbackOffer { .. })) => {}
            Stage::Flow => self.step_limit_passed(call),
            Stage::Ending(_) => self.forced_end_over(call),
            _ => return None,
        }
        Some(())
    }

    /// A timed step is over without a digit.
    pub(super) fn step_limit_passed(&mut self, call: CallId) {
        self.call(call).timer = None;
        let step = self.call(call).step;
        match self.step_of(call) {
            Some(Step::Menu { otherwise, .. }) => self.run_flow(call, otherwise),
            Some(Step::Voicemail { queue, .. }) => {
                let found = self.call(call);
                let (service, caller, ticket) = (found.service, found.caller, found.ticket);
                if let Some(ticket) = ticket {
                    // Who was served before has a ticket: there is never a second one.
                    self.customer_wrote(ticket);
                } else {
                    let origin = TicketOrigin::Voicemail(call);
                    let ticket = self.make_ticket(service, origin, None, caller.customer, caller.priority, 0);
                    if let Some(queue) = queue {
                        self.queue_ticket(ticket, queue);
                    }
                }
                self.over(call, EndCause::Voicemail);
            }
            _ => self.run_flow(call, StepId(step.0 + 1)),
        }
    }

    pub(super) fn digit_pressed(&mut self, call: CallId, digit: char) -> Option<()> {
        let found = self.find_call(call)?;
        let (step, caller, place, arrived) = (found.step, found.caller, found.place, found.arrived);
        if found.stage != Stage::Flow {
            return None;
        }
        match self.step_of(call)? {
            Step::Menu { options, otherwise, .. } => {
                self.call(call).timer = None;
                let to = options.iter().find(|option| option.0 == digit).map_or(otherwise, |option| option.1);
                self.run_flow(call, to);
            }
            Step::CallbackOffer { digit: accepts, .. } if digit != accepts => {
                self.call(call).timer = None;
                self.run_flow(call, StepId(step.0 + 1));
            }
            Step::CallbackOffer { queue, .. } => {
                self.call(call).timer = None;
                // The caller's place is kept; who had none yet counts from their arrival.
                let place = place.unwrap_or_else(|| (arrived, self.next_place()));
                let to = caller.number.expect("only who shows a number is offered a callback");
                let callback = self.make_callback(queue, to, caller.customer, caller.priority, Some(place));
                self.say(Event::CallbackReceived { callback, queue, call: Some(call), reference: 0 });
                self.over(call, EndCause::CallbackAccepted);
            }
            _ => return None,
        }
        Some(())
    }
}
