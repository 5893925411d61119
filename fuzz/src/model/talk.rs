//! Calls with operators: hold, consult, transfer, conference, forced end, and every way to leave.

use callfloor_engine::{
    CallId, Channel, ConsultEnd, ConsultTarget, EndCause, Event, FarEndFault, ForcedEndReason, LegId, OfferEnd,
    OperatorId, Party, PhoneNumber, Status, StepId, SupervisionEnd, TransferTarget, Work, reason,
};

use super::Model;
use super::call::{Spending, Stage, Target};

impl Model {
    /// The call in which an operator talks, holds or consults.
    fn call_in_hand(&self, operator: OperatorId) -> Option<CallId> {
        let desk = self.desks.get(operator.index())?;
        let in_call = matches!(desk.status, Status::Talking | Status::Holding | Status::Consulting);
        if in_call { desk.call } else { None }
    }

    /// As long as it is theirs, not being ended by force, and the customer is there.
    fn own_call(&self, operator: OperatorId) -> Option<CallId> {
        let call = self.call_in_hand(operator)?;
        let found = self.find_call(call)?;
        let ours = found.operator == Some(operator) && !matches!(found.stage, Stage::Ending(_) | Stage::Internal);
        ours.then_some(call)
    }

    /// And nobody else is in it.
    fn plain_call(&self, operator: OperatorId) -> Option<CallId> {
        let call = self.own_call(operator)?;
        let found = self.find_call(call)?;
        (found.stage != Stage::Conference && found.target.is_none()).then_some(call)
    }

    pub(super) fn hold(&mut self, operator: OperatorId) -> Option<()> {
        let call = self.plain_call(operator)?;
        if self.status(operator) != Status::Talking {
            return None;
        }
        self.put_on_hold(operator, call);
        Some(())
    }

    fn put_on_hold(&mut self, operator: OperatorId, call: CallId) {
        let now = self.now;
        let found = self.call(call);
        found.stage = Stage::Holding;
        found.spend(now, Spending::Hold);
        self.become_status(operator, Status::Holding, reason::NONE);
        self.say(Event::CallHeld { call, operator });
    }

    pub(super) fn release(&mut self, operator: OperatorId) -> Option<()> {
        let call = self.plain_call(operator)?;
        if self.status(operator) != Status::Holding {
            return None;
        }
        let now = self.now;
        let found = self.call(call);
        found.stage = Stage::Talking;
        found.spend(now, Spending::Talk);
        self.become_status(operator, Status::Talking, reason::NONE);
        self.say(Event::CallReleased { call, operator });
        Some(())
    }

    // ---- consult ----------------------------------------------------------------------------------------------

    /// Whom a target means: a typed number that is an operator's own is that operator, who must be Ready, have room for
    /// a call, and be somebody else.
    fn reach(&self, by: OperatorId, target: Party) -> Option<Party> {
        let operator = match target {
            Party::Operator(operator) => operator,
            Party::Number(number) => {
                let owner = self.floor.operators.iter().position(|o| o.cti_number == Some(number));
                let Some(owner) = owner else { return Some(target) };
                OperatorId(u32::try_from(owner).ok()?)
            }
            Party::Queue(_) => return Some(target),
        };
        let ready = self.desks.get(operator.index())?.status == Status::Ready;
        (operator != by && ready && self.has_room_for_call(operator)).then_some(Party::Operator(operator))
    }

    pub(super) fn consult(&mut self, operator: OperatorId, target: ConsultTarget) -> Option<()> {
        let call = self.plain_call(operator)?;
        let service = self.find_call(call)?.service;
        let target = match target {
            ConsultTarget::Number(number) => Party::Number(number),
            ConsultTarget::Operator(target) => Party::Operator(target),
            ConsultTarget::Favourite(at) => {
                Party::Number(self.service(service).favourites.get(usize::from(at))?.number)
            }
        };
        let target = self.reach(operator, target)?;
        if self.status(operator) == Status::Talking {
            self.put_on_hold(operator, call);
        }
        self.say(Event::ConsultStarted { call, operator, target });
        self.ring_target(call, target);
        Some(())
    }

    fn ring_target(&mut self, call: CallId, target: Party) {
        match target {
            Party::Number(number) => self.dial_target(call, number),
            Party::Operator(operator) => {
                let service = self.call(call).service;
                let limit = self.settings(service).consult_limit;
                let leg = self.make_offer(Work::Call(call), operator, None, limit);
                self.call(call).target = Some(Target { who: target, leg, answered: false, limit: None });
            }
            Party::Queue(_) => unreachable!("a queue is no target that rings"),
        }
    }

    /// Dials a number outside for a call.
    pub(super) fn dial_target(&mut self, call: CallId, number: PhoneNumber) {
        let service = self.call(call).service;
        let limit = self.timer(self.settings(service).consult_limit);
        let found = self.call(call);
        let leg = found.new_leg();
        found.target = Some(Target { who: Party::Number(number), leg, answered: false, limit });
    }

    /// The call of a consult whose target has answered.
    fn answered_consult(&self, operator: OperatorId) -> Option<CallId> {
        let call = self.own_call(operator)?;
        let found = self.find_call(call)?;
        (found.stage != Stage::Conference && found.target?.answered).then_some(call)
    }

    pub(super) fn connect_customer(&mut self, operator: OperatorId) -> Option<()> {
        let call = self.answered_consult(operator)?;
        self.hand_over(call, ConsultEnd::Connected);
        Some(())
    }

    /// The target takes the customer, the first operator leaves.
    pub(super) fn hand_over(&mut self, call: CallId, end: ConsultEnd) {
        let now = self.now;
        let found = self.call(call);
        let first = found.operator.expect("an operator hands over");
        let to = found.target.take().expect("a target takes over");
        self.say(Event::ConsultEnded { call, operator: first, end });
        self.say(Event::CallTransferred { call, from: first, to: to.who, blind: false });
        let found = self.call(call);
        if let Party::Operator(operator) = to.who {
            (found.operator, found.stage) = (Some(operator), Stage::Talking);
            found.spend(now, Spending::Talk);
            self.desk(operator).calls += 1;
            self.own_ticket_of_call(call, operator);
        } else {
            (found.operator, found.stage, found.target) = (None, Stage::Outside { forwarded: false }, Some(to));
            found.spend(now, Spending::Nothing);
            self.supervision_over(call, SupervisionEnd::OperatorLeft);
        }
        self.part_over(first, call);
    }

    pub(super) fn cancel_consult(&mut self, operator: OperatorId) -> Option<()> {
        let call = self.call_in_hand(operator)?;
        let found = self.find_call(call)?;
        if found.operator == Some(operator) && found.stage == Stage::Internal {
            self.both_done(call);
            return Some(());
        }
        let call = self.own_call(operator)?;
        let found = self.find_call(call)?;
        if found.target.is_none() || found.stage == Stage::Conference {
            return None;
        }
        self.consult_stopped(call, ConsultEnd::Cancelled);
        Some(())
    }

    /// A consult is over by the first side's doing, answered or not.
    pub(super) fn consult_stopped(&mut self, call: CallId, how: ConsultEnd) {
        let target = self.call(call).target.expect("a consult has a target");
        if target.answered {
            if let Party::Operator(consulted) = target.who {
                self.part_over(consulted, call);
            }
            self.target_gone(call, how);
        } else {
            self.drop_consult(call, how, OfferEnd::Rescinded);
        }
    }

    /// Ends a consult whose target has not answered, if there is one.
    pub(super) fn drop_consult(&mut self, call: CallId, how: ConsultEnd, end: OfferEnd) {
        let found = self.call(call);
        if found.target.is_some() {
            let operator = found.operator.expect("an operator consults");
            self.stop_target(call, end);
            self.say(Event::ConsultEnded { call, operator, end: how });
        }
    }

    pub(super) fn conference(&mut self, operator: OperatorId) -> Option<()> {
        let call = self.answered_consult(operator)?;
        let now = self.now;
        let found = self.call(call);
        found.stage = Stage::Conference;
        found.spend(now, Spending::Talk);
        self.become_status(operator, Status::Talking, reason::NONE);
        self.say(Event::ConferenceStarted { call, operator });
        Some(())
    }

    // ---- blind transfer ---------------------------------------------------------------------------------------

    pub(super) fn blind_transfer(&mut self, operator: OperatorId, target: TransferTarget) -> Option<()> {
        let call = self.plain_call(operator)?;
        let to = match target {
            TransferTarget::Number(number) => Party::Number(number),
            TransferTarget::Operator(operator) => Party::Operator(operator),
            TransferTarget::Queue(queue) => {
                let phone = self.floor.queues.get(queue.index())?.channel == Channel::Phone;
                if !phone || self.is_full(queue, &self.find_call(call)?.needs) {
                    return None;
                }
                Party::Queue(queue)
            }
        };
        let to = self.reach(operator, to)?;
        let now = self.now;
        let found = self.call(call);
        (found.operator, found.stage) = (None, Stage::Blind);
        found.spend(now, Spending::Nothing);
        self.supervision_over(call, SupervisionEnd::OperatorLeft);
        self.say(Event::CallTransferred { call, from: operator, to, blind: true });
        // Whoever answers owns the ticket; a number outside leaves it with the first.
        if !matches!(to, Party::Number(_)) {
            self.disown_ticket_of_call(call);
        }
        if let Party::Queue(queue) = to {
            let found = self.call(call);
            (found.place, found.caller.preferred) = (None, None);
            self.queue_call(call, queue);
        } else {
            self.ring_target(call, to);
        }
        self.part_over(operator, call);
        Some(())
    }

    // ---- targets answer, fail, leave --------------------------------------------------------------------------

    /// The call whose target is this leg outside.
    fn outside(&self, leg: LegId, answered: bool) -> Option<CallId> {
        let target = self.find_call(leg.call)?.target?;
        let this = matches!(target.who, Party::Number(_)) && target.leg == leg.leg && target.answered == answered;
        this.then_some(leg.call)
    }

    fn target(&mut self, call: CallId) -> &mut Target {
        self.call(call).target.as_mut().expect("the call has a target")
    }

    pub(super) fn target_answered(&mut self, leg: LegId) -> Option<()> {
        let call = self.outside(leg, false)?;
        let target = self.target(call);
        (target.answered, target.limit) = (true, None);
        match self.call(call).stage {
            Stage::Forwarding => self.call(call).stage = Stage::Outside { forwarded: true },
            Stage::Blind => self.call(call).stage = Stage::Outside { forwarded: false },
            _ => self.consult_answered(call),
        }
        Some(())
    }

    fn consult_answered(&mut self, call: CallId) {
        let now = self.now;
        let found = self.call(call);
        found.spend(now, Spending::Consult);
        let operator = found.operator.expect("an operator consults");
        self.become_status(operator, Status::Consulting, reason::NONE);
        self.say(Event::ConsultAnswered { call, operator });
    }

    /// A consulted operator, or one to whom a call was transferred blind, answered.
    pub(super) fn target_operator_answered(&mut self, call: CallId, operator: OperatorId) {
        let now = self.now;
        self.become_status(operator, Status::Talking, reason::NONE);
        let found = self.call(call);
        if found.stage != Stage::Blind {
            self.target(call).answered = true;
            return self.consult_answered(call);
        }
        (found.target, found.stage, found.operator) = (None, Stage::Talking, Some(operator));
        found.spend(now, Spending::Talk);
        self.desk(operator).calls += 1;
        self.own_ticket_of_call(call, operator);
    }

    pub(super) fn target_failed(&mut self, leg: LegId, cause: FarEndFault) -> Option<()> {
        let call = self.outside(leg, false)?;
        self.number_not_reached(call, cause);
        Some(())
    }

    pub(super) fn target_limit_passed(&mut self, call: CallId) {
        self.number_not_reached(call, FarEndFault::NoAnswer);
    }

    fn number_not_reached(&mut self, call: CallId, cause: FarEndFault) {
        let found = self.call(call);
        if found.stage == Stage::Forwarding {
            found.target = None;
            let next = StepId(found.step.0 + 1);
            return self.run_flow(call, next);
        }
        let how = match cause {
            FarEndFault::Busy => ConsultEnd::Busy,
            FarEndFault::NoAnswer => ConsultEnd::NoAnswer,
            FarEndFault::Failed => ConsultEnd::Failed,
        };
        self.target_gone(call, how);
    }

    pub(super) fn target_hung_up(&mut self, leg: LegId) -> Option<()> {
        let call = self.outside(leg, true)?;
        match self.call(call).stage {
            Stage::Outside { forwarded: true } => self.over(call, EndCause::Forwarded),
            Stage::Outside { forwarded: false } => self.over(call, EndCause::TransferredOut),
            Stage::Internal => self.both_done(call),
            _ => self.answered_target_gone(call, ConsultEnd::TargetHungUp),
        }
        Some(())
    }

    fn answered_target_gone(&mut self, call: CallId, how: ConsultEnd) {
        let found = self.call(call);
        if found.stage != Stage::Conference {
            return self.target_gone(call, how);
        }
        (found.target, found.stage) = (None, Stage::Talking);
        let operator = found.operator.expect("an operator is in the conference");
        self.say(Event::ConsultEnded { call, operator, end: how });
    }

    /// A consulted operator leaves.
    pub(super) fn consulted_leaves(&mut self, call: CallId, how: ConsultEnd) {
        let found = self.call(call);
        if found.stage == Stage::Internal {
            return self.both_done(call);
        }
        let Some(Target { who: Party::Operator(consulted), .. }) = found.target else {
            unreachable!("an operator is consulted")
        };
        self.part_over(consulted, call);
        self.answered_target_gone(call, how);
    }

    // ---- ends -------------------------------------------------------------------------------------------------

    pub(super) fn force_end(&mut self, operator: OperatorId, reason: ForcedEndReason) -> Option<()> {
        let call = self.plain_call(operator)?;
        let service = self.find_call(call)?.service;
        let timer = self.timer(self.settings(service).forced_end_limit);
        let found = self.call(call);
        (found.stage, found.timer) = (Stage::Ending(reason), timer);
        self.say(Event::ForcedEndStarted { call, operator, reason });
        Some(())
    }

    pub(super) fn forced_end_over(&mut self, call: CallId) {
        let Stage::Ending(reason) = self.call(call).stage else { unreachable!("only a forced end is over so") };
        self.end_with_operator(call, EndCause::ForcedByOperator(reason));
    }

    pub(super) fn hang_up(&mut self, operator: OperatorId) -> Option<()> {
        if let Some(call) = self.supervised(operator) {
            self.supervision_over(call, SupervisionEnd::Stopped);
            return Some(());
        }
        let desk = self.desks.get(operator.index())?;
        if desk.status == Status::Dialing {
            self.dial_over(desk.call?, EndCause::DialCancelled);
            return Some(());
        }
        let call = self.call_in_hand(operator)?;
        let found = self.find_call(call)?;
        let target_answered = found.target.is_some_and(|target| target.answered);
        match found.stage {
            _ if found.operator != Some(operator) => self.consulted_leaves(call, ConsultEnd::TargetHungUp),
            Stage::Ending(_) => return None,
            Stage::Internal => self.both_done(call),
            _ if target_answered => self.hand_over(call, ConsultEnd::OperatorLeft),
            _ => {
                self.drop_consult(call, ConsultEnd::OperatorLeft, OfferEnd::Rescinded);
                self.end_with_operator(call, EndCause::OperatorHungUp);
            }
        }
        Some(())
    }

    /// The customer leaves a consult or conference: the two others keep talking.
    pub(super) fn customer_leaves_two(&mut self, call: CallId) {
        let operator = self.call(call).operator.expect("an operator consults");
        self.say(Event::ConsultEnded { call, operator, end: ConsultEnd::CustomerHungUp });
        self.end(call, EndCause::CustomerHungUp);
        self.call(call).stage = Stage::Internal;
    }

    /// Of two who still talked after the customer left, one hangs up: both are done.
    pub(super) fn both_done(&mut self, call: CallId) {
        let found = self.call(call);
        let operator = found.operator.expect("an operator still talks");
        let target = found.target.expect("a target still talks");
        self.part_over(operator, call);
        if let Party::Operator(consulted) = target.who {
            self.part_over(consulted, call);
        }
        self.forget(call);
    }
}
