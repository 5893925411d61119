//! Supervisors in calls: they listen, whisper to the operator, barge in, and take a call over.
//!
//! The engine knows who is bound to which call and for how long; whose audio goes to whom is the host's, told by
//! [`Action::Supervise`]. A supervisor's own device is called first: until it has answered they are Dialing, then Talking.
//! However it ends, they are back in the status that they came from, unless they have taken the call over.

use crate::call::{Call, Spending, Stage, Supervisor, TargetParty};
use crate::command::Supervision;
use crate::config::{StatusChoice, reason};
use crate::deadline::{Due, Timer};
use crate::engine::{Engine, Outcome};
use crate::id::{CallId, LegId, OperatorId};
use crate::output::{Action, ConsultEnd, Event, OfferEnd, Party, SupervisionEnd};
use crate::rejection::{Asked, Object, Rejection};
use crate::status::{Input, Status};

impl Engine {
    /// The call that an operator supervises, or is about to.
    pub(crate) fn supervised(&self, operator: OperatorId) -> Option<CallId> {
        let call = self.desks[operator.index()].call?;
        let supervisor = self.calls.get(call)?.supervisor?;
        (supervisor.operator == operator).then_some(call)
    }

    /// The status to which an operator who could supervise a call now would come back.
    pub(crate) fn may_supervise(&self, operator: OperatorId) -> Result<StatusChoice, Rejection> {
        let desk = &self.desks[operator.index()];
        let before = match desk.status {
            Status::Work => StatusChoice::Work(desk.reason),
            Status::Ready => StatusChoice::Ready,
            Status::Break => StatusChoice::Break(desk.reason),
            status => return Err(Rejection::WrongStatus { operator, status, asked: Asked::Supervise }),
        };
        if desk.device_lost {
            return Err(Rejection::DeviceLost(operator));
        }
        if !self.fits_call(operator) {
            return Err(Rejection::NoCapacity(operator));
        }
        Ok(before)
    }

    /// Begins to supervise, or goes on in another way.
    pub(crate) fn supervise(&mut self, operator: OperatorId, call: CallId, mode: Supervision) -> Outcome {
        self.known_operator(operator)?;
        let found = self.known_call(call)?;
        match found.supervisor {
            Some(now) if now.operator == operator => {
                self.change_supervision(call, mode);
                return Ok(());
            }
            Some(other) => return Err(Rejection::Supervised { call, by: other.operator }),
            None => {}
        }
        let before = self.may_supervise(operator)?;
        let found = self.known_call(call)?;
        if !found.can_be_supervised() {
            return Err(Rejection::WrongStage { call, asked: Asked::BeSupervised });
        }
        let limit = self.settings(found.service).consult_limit;
        let timer = self.deadlines.set(self.now + limit, Due::Supervisor, call.slot());
        let found = &mut self.calls[call];
        let leg = found.new_leg();
        found.supervisor = Some(Supervisor { operator, leg, mode, joined: false, timer });
        let desk = &mut self.desks[operator.index()];
        (desk.call, desk.before_dial) = (Some(call), Some(before));
        self.step(operator, Input::Dial, reason::NONE);
        self.act(Action::CallSupervisor { operator, leg: call.leg(leg) });
        Ok(())
    }

    fn change_supervision(&mut self, call: CallId, mode: Supervision) {
        let supervisor = self.calls[call].supervisor.as_mut().expect("the call is supervised");
        let (operator, joined) = (supervisor.operator, supervisor.joined);
        if core::mem::replace(&mut supervisor.mode, mode) != mode && joined {
            self.emit(Event::SupervisionChanged { call, supervisor: operator, mode });
            self.say_who_hears_whom(call);
        }
    }

    /// Says who is heard by whom, where a supervisor is in the call.
    pub(crate) fn say_who_hears_whom(&mut self, call: CallId) {
        let found = &self.calls[call];
        if let Some(Supervisor { leg, mode, joined: true, .. }) = found.supervisor {
            self.act(Action::Supervise { leg: call.leg(leg), operator: call.leg(found.operator_leg), mode });
        }
    }

    /// The supervisor's device has answered.
    pub(crate) fn supervisor_joined(&mut self, leg: LegId) -> Outcome {
        let unknown = || Rejection::Unknown(Object::Leg(leg));
        let call = leg.call;
        let found = self.calls.get_mut(call).ok_or_else(unknown)?;
        let supervisor =
            found.supervisor.as_mut().filter(|supervisor| supervisor.leg == leg.leg).ok_or_else(unknown)?;
        if supervisor.joined {
            return Err(Rejection::WrongLeg(leg));
        }
        supervisor.joined = true;
        let (who, mode) = (supervisor.operator, supervisor.mode);
        self.deadlines.cancel(&mut supervisor.timer);
        let operator = found.operator.expect("a supervised call has an operator");
        self.step(who, Input::DialAnswered, reason::NONE);
        self.emit(Event::SupervisionStarted { call, supervisor: who, operator, mode });
        self.say_who_hears_whom(call);
        Ok(())
    }

    pub(crate) fn supervisor_expired(&mut self, call: CallId) {
        self.calls[call].supervisor.as_mut().expect("a limit's supervisor is called").timer = Timer::NONE;
        self.end_supervision(call, SupervisionEnd::Stopped);
    }

    /// The supervisor of a call, if it has one, leaves it.
    pub(crate) fn end_supervision(&mut self, call: CallId, end: SupervisionEnd) {
        let Some(Supervisor { operator, leg, joined, mut timer, .. }) = self.calls[call].supervisor.take() else {
            return;
        };
        self.deadlines.cancel(&mut timer);
        if joined {
            self.emit(Event::SupervisionEnded { call, supervisor: operator, end });
        }
        self.act(Action::HangUp { leg: call.leg(leg) });
        let desk = &mut self.desks[operator.index()];
        let before = desk.before_dial.take().expect("a supervisor came from a status");
        let choice = desk.next.take().unwrap_or(before);
        let lost = desk.device_lost && choice.is_ready();
        let choice = if lost { StatusChoice::Work(reason::DEVICE_LOST) } else { choice };
        desk.call = None;
        let back = choice.resting();
        let input = if joined { Input::SupervisionEnded(back) } else { Input::DialBack(back) };
        self.step(operator, input, choice.reason());
    }

    /// The call that a supervisor could take over now.
    pub(crate) fn call_to_take_over(&self, operator: OperatorId) -> Result<CallId, Rejection> {
        self.known_operator(operator)?;
        let Some(call) = self.supervised(operator) else { return Err(Rejection::NotSupervising(operator)) };
        let status = self.desks[operator.index()].status;
        if status != Status::Talking {
            return Err(Rejection::WrongStatus { operator, status, asked: Asked::TakeOver });
        }
        if !self.calls[call].can_be_supervised() {
            return Err(Rejection::WrongStage { call, asked: Asked::BeTakenOver });
        }
        Ok(call)
    }

    /// The supervisor takes the customer; the operator leaves. A consult is over with it; a conference goes on.
    pub(crate) fn take_over(&mut self, operator: OperatorId) -> Outcome {
        let call = self.call_to_take_over(operator)?;
        if self.calls[call].stage == Stage::Holding && self.calls[call].target.is_some() {
            self.stop_consult(call, ConsultEnd::OperatorLeft);
        }
        let now = self.now;
        let found = &mut self.calls[call];
        let first = found.operator.expect("a supervised call has an operator");
        let first_leg = call.leg(found.operator_leg);
        let supervisor = found.supervisor.take().expect("the call is supervised");
        found.operator = Some(operator);
        found.operator_leg = supervisor.leg;
        found.spend(now, Spending::Talk);
        let joined = found.stage == Stage::Conference;
        if !joined {
            found.stage = Stage::Talking;
        }
        self.emit(Event::SupervisionEnded { call, supervisor: operator, end: SupervisionEnd::TookOver });
        self.emit(Event::CallTransferred { call, from: first, to: Party::Operator(operator), blind: false });
        self.act(Action::HangUp { leg: first_leg });
        self.act(if joined {
            Action::Join { call }
        } else {
            Action::Connect { a: call.customer_leg(), b: call.leg(supervisor.leg) }
        });
        let desk = &mut self.desks[operator.index()];
        desk.calls += 1;
        desk.before_dial = None;
        self.touch(operator);
        self.own_call_ticket(call, operator);
        self.end_part(first, call);
        Ok(())
    }

    /// Ends a consult, answered or not; the customer and the first operator are still there.
    pub(crate) fn stop_consult(&mut self, call: CallId, how: ConsultEnd) {
        let target = self.calls[call].target.expect("a consult has a target");
        if !target.answered {
            return self.drop_consult(call, how, OfferEnd::Rescinded);
        }
        self.act(Action::HangUp { leg: call.leg(target.leg) });
        if let TargetParty::Operator(consulted, _) = target.who {
            self.end_part(consulted, call);
        }
        self.target_gone(call, how);
    }
}

impl Call {
    /// Whether there is an operator in it, and a customer.
    const fn can_be_supervised(&self) -> bool {
        matches!(self.stage, Stage::Talking | Stage::Holding | Stage::Conference)
    }
}
