//! Calls: how they begin, how their time is booked, how they end.

use callfloor_engine::{
    CallId, CallRecord, CallbackId, CustomerId, EndCause, Event, ForcedEndReason, Instant, OfferEnd, OperatorId, Party,
    PhoneNumber, QueueId, RefusalCause, ServiceId, SkillId, SkillNeed, Span, StepId, Supervision, SupervisionEnd,
    TicketId, Work,
};

use super::{Model, Timer};

/// Where a call is: in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// In a step that plays, records or waits for a digit.
    Flow,
    /// The flow dials another number.
    Forwarding,
    /// In a queue, waiting or ringing.
    Queued,
    /// The customer is dialled.
    Dialing,
    /// Handed on without asking; the target rings.
    Blind,
    Talking,
    Holding,
    Conference,
    /// Customer and a number outside.
    Outside {
        forwarded: bool,
    },
    /// The customer is gone; operator and target still talk.
    Internal,
    Ending(ForcedEndReason),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spending {
    Nothing,
    Talk,
    Hold,
    Consult,
}

/// Who is consulted, or handed on to, or forwarded to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Target {
    pub(super) who: Party,
    pub(super) leg: u16,
    pub(super) answered: bool,
    /// Of a number that rings.
    pub(super) limit: Option<Timer>,
}

/// Who listens, whispers or has barged in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Supervisor {
    pub(super) operator: OperatorId,
    pub(super) leg: u16,
    pub(super) mode: Supervision,
    pub(super) joined: bool,
    /// Of a device that rings.
    pub(super) limit: Option<Timer>,
}

/// What is known of a caller.
#[derive(Clone, Copy, Debug)]
pub(super) struct Caller {
    pub(super) customer: Option<CustomerId>,
    pub(super) number: Option<PhoneNumber>,
    pub(super) priority: u8,
    pub(super) preferred: Option<OperatorId>,
}

#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) service: ServiceId,
    pub(super) caller: Caller,
    pub(super) outbound: bool,
    pub(super) stage: Stage,
    pub(super) needs: Vec<SkillNeed>,
    pub(super) step: StepId,
    /// Of the step, the dial or the forced end.
    pub(super) timer: Option<Timer>,
    pub(super) queue: Option<QueueId>,
    /// When it was first queued, and as the how-manieth: the place that it keeps.
    pub(super) place: Option<(Instant, u64)>,
    /// Since it was last presented to a queue.
    pub(super) answered: bool,
    pub(super) callback: Option<CallbackId>,
    pub(super) ticket: Option<TicketId>,
    /// The last leg's number; 0 is the customer's.
    pub(super) legs: u16,
    pub(super) operator: Option<OperatorId>,
    pub(super) last_operator: Option<OperatorId>,
    pub(super) target: Option<Target>,
    pub(super) supervisor: Option<Supervisor>,
    pub(super) arrived: Instant,
    pub(super) spending: Spending,
    pub(super) since: Instant,
    pub(super) wait: Span,
    pub(super) talk: Span,
    pub(super) hold: Span,
    pub(super) consult: Span,
}

impl Call {
    /// Books the time until now, and says what it counts as from now on.
    pub(super) fn spend(&mut self, now: Instant, on: Spending) {
        let spent = now - self.since;
        match self.spending {
            Spending::Nothing => {}
            Spending::Talk => self.talk += spent,
            Spending::Hold => self.hold += spent,
            Spending::Consult => self.consult += spent,
        }
        (self.spending, self.since) = (on, now);
    }

    pub(super) fn new_leg(&mut self) -> u16 {
        self.legs = self.legs.checked_add(1).unwrap_or(1);
        self.legs
    }
}

/// A skill is asked for at least so well; 0: no longer. `false` where eight others are asked for already.
pub(super) fn ask_for(needs: &mut Vec<SkillNeed>, skill: SkillId, min: u8) -> bool {
    if min > 0 && needs.len() == 8 && needs.iter().all(|need| need.skill != skill) {
        return false;
    }
    needs.retain(|need| need.skill != skill);
    if min > 0 {
        needs.push(SkillNeed { skill, min });
    }
    true
}

impl Model {
    pub(super) fn begin_call(&mut self, service: ServiceId, caller: Caller, outbound: bool) -> CallId {
        self.made.calls += 1;
        let id = CallId::from_parts(self.made.calls, 0);
        self.calls.push(Call {
            id,
            service,
            caller,
            outbound,
            stage: if outbound { Stage::Dialing } else { Stage::Flow },
            needs: Vec::new(),
            step: StepId(0),
            timer: None,
            queue: None,
            place: None,
            answered: false,
            callback: None,
            ticket: None,
            legs: 0,
            operator: None,
            last_operator: None,
            target: None,
            supervisor: None,
            arrived: self.now,
            spending: Spending::Nothing,
            since: self.now,
            wait: Span::ZERO,
            talk: Span::ZERO,
            hold: Span::ZERO,
            consult: Span::ZERO,
        });
        id
    }

    pub(super) fn call_arrived(
        &mut self,
        service: ServiceId,
        entry: StepId,
        caller: Caller,
        reference: u64,
    ) -> Option<()> {
        let config = self.floor.services.get(service.index())?;
        if !config.inbound {
            self.say(Event::CallRefused { service, reference, cause: RefusalCause::NoInboundContract });
            return Some(());
        }
        config.flow.get(entry.index())?;
        let call = self.begin_call(service, caller, false);
        self.say(Event::CallArrived { call, service, reference });
        self.run_flow(call, entry);
        Some(())
    }

    /// The customer hangs up, at any moment.
    pub(super) fn customer_hung_up(&mut self, call: CallId) -> Option<()> {
        let found = self.find_call(call)?;
        let (stage, answered, target) = (found.stage, found.answered, found.target);
        match stage {
            // Not yet, or no longer there.
            Stage::Dialing | Stage::Internal => return None,
            Stage::Flow => self.over(call, EndCause::AbandonedInFlow),
            Stage::Forwarding => {
                self.stop_target(call, OfferEnd::Abandoned);
                self.over(call, EndCause::AbandonedInFlow);
            }
            Stage::Queued => {
                let work = Work::Call(call);
                let cause = match (answered, self.rings(work)) {
                    (true, _) => EndCause::CustomerHungUp,
                    (false, true) => EndCause::AbandonedWhileRinging,
                    (false, false) => EndCause::AbandonedInQueue,
                };
                self.stop_ringing(work, OfferEnd::Abandoned);
                let wait = self.leave_queue(work);
                if !answered {
                    self.call(call).wait = wait;
                }
                self.over(call, cause);
            }
            Stage::Blind => {
                self.stop_target(call, OfferEnd::Abandoned);
                self.over(call, EndCause::CustomerHungUp);
            }
            Stage::Outside { forwarded } => {
                let cause = if forwarded { EndCause::Forwarded } else { EndCause::TransferredOut };
                self.over(call, cause);
            }
            Stage::Talking | Stage::Holding | Stage::Conference | Stage::Ending(_) => {
                if target.is_some_and(|target| target.answered) {
                    self.customer_leaves_two(call);
                } else {
                    use callfloor_engine::ConsultEnd;
                    self.drop_consult(call, ConsultEnd::CustomerHungUp, OfferEnd::Abandoned);
                    self.end_with_operator(call, EndCause::CustomerHungUp);
                }
            }
        }
        Some(())
    }

    /// Ends a call that has no operator, and forgets it.
    pub(super) fn over(&mut self, call: CallId, cause: EndCause) {
        self.end(call, cause);
        self.forget(call);
    }

    /// Ends a call and its operator's part in it.
    pub(super) fn end_with_operator(&mut self, call: CallId, cause: EndCause) {
        let operator = self.call(call).operator;
        self.end(call, cause);
        if let Some(operator) = operator {
            self.part_over(operator, call);
        }
        self.forget(call);
    }

    /// A call ends once, with one cause.
    pub(super) fn end(&mut self, call: CallId, cause: EndCause) {
        self.supervision_over(call, SupervisionEnd::CallEnded);
        let now = self.now;
        let found = self.call(call);
        found.spend(now, Spending::Nothing);
        let record = CallRecord {
            call,
            service: found.service,
            queue: found.queue,
            operator: found.operator.or(found.last_operator),
            cause,
            arrived: found.arrived,
            wait: found.wait,
            talk: found.talk,
            hold: found.hold,
            consult: found.consult,
        };
        let ticket = found.ticket;
        self.say(Event::CallEnded(record));
        if let Some(ticket) = ticket {
            self.call_of_ticket_over(ticket);
        }
    }

    pub(super) fn forget(&mut self, call: CallId) {
        self.calls.retain(|found| found.id != call);
    }

    // ---- supervisors ------------------------------------------------------------------------------------------

    /// Only a call that nobody has answered can be changed.
    fn unanswered(&mut self, call: CallId) -> Option<&mut Call> {
        let found = self.calls.iter_mut().find(|found| found.id == call)?;
        matches!(found.stage, Stage::Flow | Stage::Forwarding | Stage::Queued).then_some(found)
    }

    pub(super) fn change_priority(&mut self, call: CallId, priority: u8) -> Option<()> {
        self.unanswered(call)?.caller.priority = priority;
        if let Some(spot) = self.find_spot(Work::Call(call)) {
            spot.priority = priority;
            self.changed(Work::Call(call));
        }
        Some(())
    }

    pub(super) fn change_skill(&mut self, call: CallId, skill: SkillId, min: u8) -> Option<()> {
        let skills = self.floor.skills.len();
        let found = self.unanswered(call)?;
        if skill.index() >= skills || min > 10 || !ask_for(&mut found.needs, skill, min) {
            return None;
        }
        let needs = found.needs.clone();
        if let Some(spot) = self.find_spot(Work::Call(call)) {
            spot.needs = needs;
            self.changed(Work::Call(call));
        }
        Some(())
    }
}
