//! Calls with operators: hold, consult, transfer, conference, forced end, and every way to leave.

use crate::call::{Spending, Stage, Target, TargetParty};
use crate::command::{ConsultTarget, FarEndFault, ForcedEndReason, TransferTarget};
use crate::config::{Channel, reason};
use crate::deadline::{Due, Timer};
use crate::engine::{Engine, Outcome};
use crate::id::{AudioId, CallId, LegId, OperatorId, StepId};
use crate::number::PhoneNumber;
use crate::output::{Action, CallRecord, ConsultEnd, EndCause, Event, OfferEnd, Party, SupervisionEnd, Work};
use crate::rejection::{Asked, Object, Rejection};
use crate::status::{Input, Status};

/// Whom a consult or blind transfer reaches, once it is known to be possible.
#[derive(Clone, Copy, Debug)]
enum Reach {
    Operator(OperatorId),
    Number(PhoneNumber),
}

impl Engine {
    /// The call that an operator has with a customer, where what is asked can be done at all: not rung for or consulted
    /// about, not ending, customer still there.
    pub(crate) fn own_call(&self, operator: OperatorId, asked: Asked) -> Result<CallId, Rejection> {
        self.known_operator(operator)?;
        let desk = &self.desks[operator.index()];
        if !matches!(desk.status, Status::Talking | Status::Holding | Status::Consulting) {
            return Err(Rejection::WrongStatus { operator, status: desk.status, asked });
        }
        let call = self.call_of(operator);
        let found = &self.calls[call];
        match found.stage {
            _ if self.supervised(operator).is_some() => Err(Rejection::Supervising(operator)),
            _ if found.operator != Some(operator) => Err(Rejection::Consulted(operator)),
            Stage::Ending(_) => Err(Rejection::Ending(operator)),
            Stage::Internal => Err(Rejection::CustomerGone(operator)),
            _ => Ok(call),
        }
    }

    /// As [`own_call`](Self::own_call), and neither in a consult nor in a conference.
    pub(crate) fn plain_call(&self, operator: OperatorId, asked: Asked) -> Result<CallId, Rejection> {
        let call = self.own_call(operator, asked)?;
        match (self.calls[call].stage, self.calls[call].target) {
            (Stage::Conference, _) => Err(Rejection::InConference(operator)),
            (_, Some(_)) => Err(Rejection::ConsultGoingOn(operator)),
            _ => Ok(call),
        }
    }

    pub(crate) fn hold(&mut self, operator: OperatorId) -> Outcome {
        let call = self.own_call(operator, Asked::Hold)?;
        match (self.desks[operator.index()].status, self.calls[call].stage) {
            (_, Stage::Conference) => Err(Rejection::InConference(operator)),
            (Status::Talking, _) => {
                self.put_on_hold(operator, call);
                Ok(())
            }
            (status, _) => Err(Rejection::WrongStatus { operator, status, asked: Asked::Hold }),
        }
    }

    fn put_on_hold(&mut self, operator: OperatorId, call: CallId) {
        let now = self.now;
        let found = &mut self.calls[call];
        found.stage = Stage::Holding;
        found.spend(now, Spending::Hold);
        let audio = self.settings(self.calls[call].service).hold_music;
        self.act(Action::PlayMusic { leg: call.customer_leg(), audio });
        self.step(operator, Input::Hold, reason::NONE);
        self.emit(Event::CallHeld { call, operator });
    }

    pub(crate) fn release(&mut self, operator: OperatorId) -> Outcome {
        let call = self.own_call(operator, Asked::Release)?;
        let status = self.desks[operator.index()].status;
        if status == Status::Talking {
            return Err(Rejection::WrongStatus { operator, status, asked: Asked::Release });
        }
        self.plain_call(operator, Asked::Release)?;
        let now = self.now;
        let found = &mut self.calls[call];
        found.stage = Stage::Talking;
        found.spend(now, Spending::Talk);
        let leg = call.leg(found.operator_leg);
        self.act(Action::Connect { a: call.customer_leg(), b: leg });
        self.step(operator, Input::Release, reason::NONE);
        self.emit(Event::CallReleased { call, operator });
        Ok(())
    }

    /// A typed number that is an operator's own is that operator.
    fn reach(&self, by: OperatorId, target: Reach) -> Result<Reach, Rejection> {
        let target = match target {
            Reach::Number(number) => match self.config.operator_of(number) {
                Some(operator) => operator,
                None => return Ok(target),
            },
            Reach::Operator(operator) => operator,
        };
        self.known_operator(target)?;
        if target == by {
            return Err(Rejection::TargetIsSelf(by));
        }
        let status = self.desks[target.index()].status;
        if status != Status::Ready {
            return Err(Rejection::TargetNotReady { target, status });
        }
        if !self.fits_call(target) {
            return Err(Rejection::TargetFull(target));
        }
        Ok(Reach::Operator(target))
    }

    pub(crate) fn consult(&mut self, operator: OperatorId, target: ConsultTarget) -> Outcome {
        let call = self.plain_call(operator, Asked::Consult)?;
        let service = self.calls[call].service;
        let target = match target {
            ConsultTarget::Number(number) => Reach::Number(number),
            ConsultTarget::Operator(operator) => Reach::Operator(operator),
            ConsultTarget::Favourite(favourite) => {
                let found = self.config.services[service.index()].favourites.get(usize::from(favourite));
                Reach::Number(found.ok_or(Rejection::UnknownFavourite { service, favourite })?.number)
            }
        };
        let target = self.reach(operator, target)?;
        if self.desks[operator.index()].status == Status::Talking {
            self.put_on_hold(operator, call);
        }
        let party = match target {
            Reach::Operator(operator) => Party::Operator(operator),
            Reach::Number(number) => Party::Number(number),
        };
        self.emit(Event::ConsultStarted { call, operator, target: party });
        self.ring_target(call, target);
        Ok(())
    }

    fn ring_target(&mut self, call: CallId, target: Reach) {
        let limit = self.settings(self.calls[call].service).consult_limit;
        match target {
            Reach::Number(number) => self.dial_target(call, number, limit),
            Reach::Operator(operator) => {
                let offer = self.make_offer(Work::Call(call), operator, None, limit);
                let leg = self.offers[offer].leg;
                let who = TargetParty::Operator(operator, Some(offer));
                self.calls[call].target = Some(Target { who, leg, answered: false, timer: Timer::NONE });
            }
        }
    }

    pub(crate) fn connect_customer(&mut self, operator: OperatorId) -> Outcome {
        let call = self.own_call(operator, Asked::ConnectCustomer)?;
        self.answered_consult(operator, call)?;
        self.hand_over(call, ConsultEnd::Connected);
        Ok(())
    }

    pub(crate) fn conference(&mut self, operator: OperatorId) -> Outcome {
        let call = self.own_call(operator, Asked::Conference)?;
        self.answered_consult(operator, call)?;
        let now = self.now;
        let found = &mut self.calls[call];
        found.stage = Stage::Conference;
        found.spend(now, Spending::Talk);
        self.act(Action::Join { call });
        self.step(operator, Input::Join, reason::NONE);
        self.emit(Event::ConferenceStarted { call, operator });
        Ok(())
    }

    pub(crate) fn answered_consult(&self, operator: OperatorId, call: CallId) -> Outcome {
        match (self.calls[call].stage, self.calls[call].target) {
            (Stage::Conference, _) => Err(Rejection::InConference(operator)),
            (_, None) => Err(Rejection::NoConsult(operator)),
            (_, Some(target)) if !target.answered => Err(Rejection::ConsultNotAnswered(operator)),
            _ => Ok(()),
        }
    }

    /// The target takes the customer, and the first operator leaves.
    pub(crate) fn hand_over(&mut self, call: CallId, end: ConsultEnd) {
        let now = self.now;
        let found = &mut self.calls[call];
        let first = found.operator.expect("an operator hands over");
        let first_leg = call.leg(found.operator_leg);
        let target = found.target.expect("a target takes over");
        let to = self.party(target.who);
        self.emit(Event::ConsultEnded { call, operator: first, end });
        self.emit(Event::CallTransferred { call, from: first, to, blind: false });
        self.act(Action::Connect { a: call.customer_leg(), b: call.leg(target.leg) });
        self.act(Action::HangUp { leg: first_leg });
        let found = &mut self.calls[call];
        match target.who {
            TargetParty::Operator(operator, _) => {
                found.operator = Some(operator);
                found.operator_leg = target.leg;
                found.target = None;
                found.stage = Stage::Talking;
                found.spend(now, Spending::Talk);
                self.desks[operator.index()].calls += 1;
                self.touch(operator);
                self.own_call_ticket(call, operator);
                self.say_who_hears_whom(call);
            }
            TargetParty::Number(_) => {
                self.end_supervision(call, SupervisionEnd::OperatorLeft);
                let found = &mut self.calls[call];
                found.operator = None;
                found.stage = Stage::Outside { forwarded: false };
                found.spend(now, Spending::Nothing);
            }
        }
        self.end_part(first, call);
    }

    pub(crate) fn cancel_consult(&mut self, operator: OperatorId) -> Outcome {
        let call = match self.own_call(operator, Asked::CancelConsult) {
            Err(Rejection::CustomerGone(_)) => {
                self.end_internal(self.call_of(operator));
                return Ok(());
            }
            call => call?,
        };
        match (self.calls[call].stage, self.calls[call].target) {
            (Stage::Conference, _) => return Err(Rejection::InConference(operator)),
            (_, None) => return Err(Rejection::NoConsult(operator)),
            (_, Some(_)) => self.stop_consult(call, ConsultEnd::Cancelled),
        }
        Ok(())
    }

    /// Ends a consult whose target has not answered, if there is one.
    pub(crate) fn drop_consult(&mut self, call: CallId, how: ConsultEnd, end: OfferEnd) {
        if self.calls[call].target.is_some() {
            self.stop_target(call, end);
            let operator = self.calls[call].operator.expect("an operator consults");
            self.emit(Event::ConsultEnded { call, operator, end: how });
        }
    }

    /// The customer of a forward or blind transfer left while the target rang.
    pub(crate) fn drop_ringing_target(&mut self, call: CallId) {
        if self.calls[call].target.is_some() {
            self.stop_target(call, OfferEnd::Abandoned);
        }
    }

    /// Stops a target's ringing.
    fn stop_target(&mut self, call: CallId, end: OfferEnd) {
        let mut target = self.calls[call].target.take().expect("a target rings");
        match target.who {
            TargetParty::Operator(_, offer) => self.rescind(offer.expect("a ringing target has an offer"), end),
            TargetParty::Number(_) => {
                self.deadlines.cancel(&mut target.timer);
                self.act(Action::HangUp { leg: call.leg(target.leg) });
            }
        }
    }

    pub(crate) fn blind_transfer(&mut self, operator: OperatorId, target: TransferTarget) -> Outcome {
        let call = self.plain_call(operator, Asked::BlindTransfer)?;
        let target = match target {
            TransferTarget::Queue(queue) => {
                self.known_queue(queue)?;
                if self.config.queues[queue.index()].channel != Channel::Phone {
                    return Err(Rejection::WrongChannel { queue, asked: Channel::Phone });
                }
                if self.is_full(queue, &self.calls[call].needs) {
                    return Err(Rejection::QueueFull(queue));
                }
                self.hand_on(operator, call, Party::Queue(queue));
                self.disown_call_ticket(call);
                self.calls[call].queued = None;
                self.calls[call].preferred = None;
                self.queue_call(call, queue);
                self.end_part(operator, call);
                return Ok(());
            }
            TransferTarget::Number(number) => Reach::Number(number),
            TransferTarget::Operator(operator) => Reach::Operator(operator),
        };
        match self.reach(operator, target)? {
            Reach::Number(number) => self.hand_on(operator, call, Party::Number(number)),
            Reach::Operator(target) => {
                self.hand_on(operator, call, Party::Operator(target));
                self.disown_call_ticket(call);
            }
        }
        let target = self.reach(operator, target).expect("what could be reached a moment ago still can");
        let audio = self.settings(self.calls[call].service).hold_music;
        self.act(Action::PlayMusic { leg: call.customer_leg(), audio });
        self.ring_target(call, target);
        self.end_part(operator, call);
        Ok(())
    }

    /// The first operator lets the customer go to somebody else.
    fn hand_on(&mut self, operator: OperatorId, call: CallId, to: Party) {
        let now = self.now;
        self.end_supervision(call, SupervisionEnd::OperatorLeft);
        let found = &mut self.calls[call];
        let leg = call.leg(found.operator_leg);
        found.operator = None;
        found.stage = Stage::BlindRinging;
        found.spend(now, Spending::Nothing);
        self.emit(Event::CallTransferred { call, from: operator, to, blind: true });
        self.act(Action::HangUp { leg });
    }

    pub(crate) fn force_end(
        &mut self,
        operator: OperatorId,
        reason: ForcedEndReason,
        announcement: Option<AudioId>,
    ) -> Outcome {
        let call = self.own_call(operator, Asked::ForceEnd)?;
        let status = self.desks[operator.index()].status;
        if status == Status::Consulting {
            return Err(Rejection::WrongStatus { operator, status, asked: Asked::ForceEnd });
        }
        self.plain_call(operator, Asked::ForceEnd)?;
        let settings = self.settings(self.calls[call].service);
        let audio = announcement.unwrap_or(settings.forced_end_audio);
        let until = self.now + settings.forced_end_limit;
        self.calls[call].stage = Stage::Ending(reason);
        self.calls[call].timer = self.deadlines.set(until, Due::ForcedEnd, call.slot());
        self.emit(Event::ForcedEndStarted { call, operator, reason });
        self.act(Action::PlayAnnouncement { leg: call.customer_leg(), audio, digits: false });
        Ok(())
    }

    /// The announcement was heard, or has taken its time.
    pub(crate) fn finish_forced_end(&mut self, call: CallId) {
        let Stage::Ending(reason) = self.calls[call].stage else {
            unreachable!("only a call that is being ended has an announcement to finish")
        };
        self.act(Action::HangUp { leg: call.customer_leg() });
        self.end_with_operator(call, EndCause::ForcedByOperator(reason));
    }

    pub(crate) fn hang_up(&mut self, operator: OperatorId) -> Outcome {
        self.known_operator(operator)?;
        if let Some(call) = self.supervised(operator) {
            self.end_supervision(call, SupervisionEnd::Stopped);
            return Ok(());
        }
        let status = self.desks[operator.index()].status;
        match status {
            Status::Dialing => {
                let call = self.call_of(operator);
                self.act(Action::HangUp { leg: call.customer_leg() });
                self.end_dial(call, EndCause::DialCancelled);
            }
            Status::Talking | Status::Holding | Status::Consulting => {
                let call = self.call_of(operator);
                let found = &self.calls[call];
                match (found.stage, found.target) {
                    _ if found.operator != Some(operator) => self.consulted_leaves(call, ConsultEnd::TargetHungUp),
                    (Stage::Ending(_), _) => return Err(Rejection::Ending(operator)),
                    (Stage::Internal, _) => self.end_internal(call),
                    (_, Some(target)) if target.answered => self.hand_over(call, ConsultEnd::OperatorLeft),
                    _ => {
                        self.drop_consult(call, ConsultEnd::OperatorLeft, OfferEnd::Rescinded);
                        self.act(Action::HangUp { leg: call.customer_leg() });
                        self.end_with_operator(call, EndCause::OperatorHungUp);
                    }
                }
            }
            _ => return Err(Rejection::WrongStatus { operator, status, asked: Asked::HangUp }),
        }
        Ok(())
    }

    /// Ends a call whose only party left is its operator, if it still has one.
    fn end_with_operator(&mut self, call: CallId, cause: EndCause) {
        self.cancel_call_timer(call);
        let (operator, leg) = (self.calls[call].operator, call.leg(self.calls[call].operator_leg));
        self.end_call(call, cause);
        if let Some(operator) = operator {
            self.act(Action::HangUp { leg });
            self.end_part(operator, call);
        }
        self.forget_call(call);
    }

    /// The customer hangs up a call that is or was with an operator.
    pub(crate) fn customer_left_connected(&mut self, call: CallId) {
        let found = &self.calls[call];
        match (found.stage, found.target) {
            (Stage::Outside { .. }, Some(target)) => {
                self.act(Action::HangUp { leg: call.leg(target.leg) });
                self.end_outside(call);
            }
            (stage, Some(target)) if target.answered => {
                let (operator, operator_leg) = (found.operator.expect("an operator consults"), found.operator_leg);
                self.emit(Event::ConsultEnded { call, operator, end: ConsultEnd::CustomerHungUp });
                self.end_call(call, EndCause::CustomerHungUp);
                self.calls[call].stage = Stage::Internal;
                if stage == Stage::Conference {
                    self.act(Action::Connect { a: call.leg(operator_leg), b: call.leg(target.leg) });
                }
            }
            _ => {
                self.drop_consult(call, ConsultEnd::CustomerHungUp, OfferEnd::Abandoned);
                self.end_with_operator(call, EndCause::CustomerHungUp);
            }
        }
    }

    fn end_outside(&mut self, call: CallId) {
        let cause = match self.calls[call].stage {
            Stage::Outside { forwarded: true } => EndCause::Forwarded,
            _ => EndCause::TransferredOut,
        };
        self.end_call(call, cause);
        self.forget_call(call);
    }

    /// Two who still talked after the customer left: one hangs up, both are done.
    pub(crate) fn end_internal(&mut self, call: CallId) {
        let found = &self.calls[call];
        let (operator, leg) = (found.operator.expect("an operator still talks"), call.leg(found.operator_leg));
        let target = found.target.expect("a target still talks");
        self.act(Action::HangUp { leg });
        self.act(Action::HangUp { leg: call.leg(target.leg) });
        self.end_part(operator, call);
        if let TargetParty::Operator(consulted, _) = target.who {
            self.end_part(consulted, call);
        }
        self.forget_call(call);
    }

    /// A consulted operator leaves.
    pub(crate) fn consulted_leaves(&mut self, call: CallId, how: ConsultEnd) {
        if self.calls[call].stage == Stage::Internal {
            return self.end_internal(call);
        }
        let consulted = self.calls[call].consulted_operator().expect("an operator is consulted");
        let leg = self.calls[call].target.map(|target| call.leg(target.leg)).expect("a consulted operator has a leg");
        self.act(Action::HangUp { leg });
        self.end_part(consulted, call);
        self.answered_target_gone(call, how);
    }

    /// An answered target left a consult or a conference; the customer and the first operator are still there.
    fn answered_target_gone(&mut self, call: CallId, end: ConsultEnd) {
        if self.calls[call].stage != Stage::Conference {
            return self.target_gone(call, end);
        }
        let found = &mut self.calls[call];
        found.target = None;
        found.stage = Stage::Talking;
        let operator = found.operator.expect("an operator is in the conference");
        let leg = call.leg(found.operator_leg);
        self.act(Action::Connect { a: call.customer_leg(), b: leg });
        self.emit(Event::ConsultEnded { call, operator, end });
    }

    /// The call and target of a leg outside.
    fn outside_leg(&self, leg: LegId, answered: bool) -> Result<CallId, Rejection> {
        let found = self.calls.get(leg.call).ok_or(Rejection::Unknown(Object::Leg(leg)))?;
        match found.target {
            Some(Target { who: TargetParty::Number(_), leg: own, answered: is, .. }) if own == leg.leg => {
                if is == answered { Ok(leg.call) } else { Err(Rejection::WrongLeg(leg)) }
            }
            _ => Err(Rejection::Unknown(Object::Leg(leg))),
        }
    }

    pub(crate) fn target_answered(&mut self, leg: LegId) -> Outcome {
        let call = self.outside_leg(leg, false)?;
        let target = self.calls[call].target.as_mut().expect("the leg is its target's");
        target.answered = true;
        self.deadlines.cancel(&mut target.timer);
        match self.calls[call].stage {
            Stage::Forwarding | Stage::BlindRinging => {
                let forwarded = self.calls[call].stage == Stage::Forwarding;
                self.calls[call].stage = Stage::Outside { forwarded };
                self.act(Action::Connect { a: call.customer_leg(), b: leg });
            }
            _ => self.consult_answered(call, leg),
        }
        Ok(())
    }

    fn consult_answered(&mut self, call: CallId, leg: LegId) {
        let now = self.now;
        let found = &mut self.calls[call];
        found.spend(now, Spending::Consult);
        let operator = found.operator.expect("an operator consults");
        let own = call.leg(found.operator_leg);
        self.act(Action::Connect { a: own, b: leg });
        self.step(operator, Input::ConsultAnswered, reason::NONE);
        self.emit(Event::ConsultAnswered { call, operator });
    }

    /// A consulted operator, or one to whom a call was transferred blind, answered.
    pub(crate) fn target_operator_answered(&mut self, call: CallId, operator: OperatorId) {
        let now = self.now;
        self.step(operator, Input::Answer, reason::NONE);
        let found = &mut self.calls[call];
        let target = found.target.as_mut().expect("the offer is its target's");
        target.answered = true;
        target.who = TargetParty::Operator(operator, None);
        let leg = target.leg;
        if found.stage != Stage::BlindRinging {
            return self.consult_answered(call, call.leg(leg));
        }
        found.target = None;
        found.stage = Stage::Talking;
        found.operator = Some(operator);
        found.operator_leg = leg;
        found.spend(now, Spending::Talk);
        self.desks[operator.index()].calls += 1;
        self.touch(operator);
        self.act(Action::Connect { a: call.customer_leg(), b: call.leg(leg) });
        self.own_call_ticket(call, operator);
    }

    pub(crate) fn target_failed(&mut self, leg: LegId, cause: FarEndFault) -> Outcome {
        let call = self.outside_leg(leg, false)?;
        let target = self.calls[call].target.as_mut().expect("the leg is its target's");
        self.deadlines.cancel(&mut target.timer);
        self.number_not_reached(call, cause);
        Ok(())
    }

    pub(crate) fn target_expired(&mut self, call: CallId) {
        let target = self.calls[call].target.as_mut().expect("a ringing target has its limit set");
        target.timer = Timer::NONE;
        let leg = call.leg(target.leg);
        self.act(Action::HangUp { leg });
        self.number_not_reached(call, FarEndFault::NoAnswer);
    }

    fn number_not_reached(&mut self, call: CallId, cause: FarEndFault) {
        if self.calls[call].stage == Stage::Forwarding {
            self.calls[call].target = None;
            let next = StepId(self.calls[call].step.0 + 1);
            return self.run_flow(call, next);
        }
        self.target_gone(
            call,
            match cause {
                FarEndFault::Busy => ConsultEnd::Busy,
                FarEndFault::NoAnswer => ConsultEnd::NoAnswer,
                FarEndFault::Failed => ConsultEnd::Failed,
            },
        );
    }

    pub(crate) fn target_hung_up(&mut self, leg: LegId) -> Outcome {
        let call = self.outside_leg(leg, true)?;
        match self.calls[call].stage {
            Stage::Outside { .. } => {
                self.act(Action::HangUp { leg: call.customer_leg() });
                self.end_outside(call);
            }
            Stage::Internal => self.end_internal(call),
            _ => self.answered_target_gone(call, ConsultEnd::TargetHungUp),
        }
        Ok(())
    }

    /// Writes the record of a call; it ends once.
    pub(crate) fn end_call(&mut self, call: CallId, cause: EndCause) {
        self.end_supervision(call, SupervisionEnd::CallEnded);
        let now = self.now;
        let found = &mut self.calls[call];
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
        self.calls_ended += 1;
        self.emit(Event::CallEnded(record));
        if let Some(ticket) = ticket {
            self.call_of_ticket_ended(ticket);
        }
    }

    pub(crate) fn forget_call(&mut self, call: CallId) {
        let gone = self.calls.remove(call).expect("a call is forgotten once");
        assert!(gone.place.is_none() && !gone.timer.is_set(), "nothing waits for a call that is gone");
        assert!(gone.supervisor.is_none(), "nobody supervises a call that is gone");
    }
}
