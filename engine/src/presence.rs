//! Operators' presence: login, statuses, after-call work, devices.

use crate::call::Stage;
use crate::command::ChatStatus;
use crate::config::{StatusChoice, reason};
use crate::deadline::{Due, Timer};
use crate::engine::{Engine, Outcome};
use crate::id::{CallId, OperatorId, ReasonId};
use crate::output::{Action, EndCause, Event, OfferEnd, SupervisionEnd, Work};
use crate::rejection::{Asked, Rejection};
use crate::status::{Input, Status};
use crate::time::Span;

impl Engine {
    /// Moves an operator along the table, books the time, and follows the consequences.
    pub(crate) fn step(&mut self, operator: OperatorId, input: Input, reason: ReasonId) {
        let now = self.now;
        let supervises = self.supervised(operator).is_some();
        let desk = &mut self.desks[operator.index()];
        let from = desk.status;
        let to = from.next(input).unwrap_or_else(|| panic!("{operator} in {from} was moved by {input:?}"));
        if from != Status::LoggedOut {
            desk.times[from as usize] += now - desk.since;
        }
        let took_calls = desk.takes_calls();
        desk.since = now;
        desk.status = to;
        desk.reason = reason;
        if to == Status::Ready && input != Input::RingGone {
            self.ready_sequence += 1;
            desk.ready_since = now;
            desk.ready_sequence = self.ready_sequence;
        }
        // A supervisor's call is another's, and nobody but supervisors need know of it.
        let (call, takes_calls) = (desk.call.filter(|_| !supervises), desk.takes_calls());
        self.emit(Event::StatusChanged { operator, from, to, reason, call });
        if (took_calls && !takes_calls) || to == Status::Break {
            self.reconsider_missed();
        }
        if matches!(to, Status::Break | Status::LoggedOut) {
            self.release_reserved(operator);
        }
        self.touch(operator);
    }

    fn wrong_status(&self, operator: OperatorId, asked: Asked) -> Outcome {
        Err(Rejection::WrongStatus { operator, status: self.desks[operator.index()].status, asked })
    }

    pub(crate) fn log_in(&mut self, operator: OperatorId) -> Outcome {
        self.known_operator(operator)?;
        if self.desks[operator.index()].status != Status::LoggedOut {
            return self.wrong_status(operator, Asked::LogIn);
        }
        let config = &self.config.operators[operator.index()];
        if !config.phone {
            return Err(Rejection::NoPhoneRight(operator));
        }
        if config.cti_id.is_none() {
            return Err(Rejection::NoCtiId(operator));
        }
        if config.cti_number.is_none() {
            return Err(Rejection::NoCtiNumber(operator));
        }
        let choice = self.settings(config.services[0]).login_status;
        let now = self.now;
        let desk = &mut self.desks[operator.index()];
        desk.logged_in = now;
        desk.last_call = now;
        desk.since = now;
        desk.calls = 0;
        desk.misses = 0;
        desk.device_lost = false;
        desk.times = [Span::ZERO; 10];
        self.step(operator, Input::LogIn(choice.resting()), choice.reason());
        Ok(())
    }

    pub(crate) fn log_out(&mut self, operator: OperatorId) -> Outcome {
        self.known_operator(operator)?;
        let desk = &self.desks[operator.index()];
        match desk.status {
            Status::Work | Status::Ready | Status::Break => {}
            Status::AfterCallWork => self.may_leave_after_call(operator)?,
            _ => return self.wrong_status(operator, Asked::LogOut),
        }
        self.force_out(operator);
        Ok(())
    }

    fn force_out(&mut self, operator: OperatorId) {
        self.wrap_up(operator);
        let desk = &mut self.desks[operator.index()];
        desk.next = None;
        desk.call = None;
        self.deadlines.cancel(&mut desk.grace);
        self.return_tickets(operator);
        self.step(operator, Input::LogOut, reason::NONE);
    }

    pub(crate) fn set_status(&mut self, operator: OperatorId, to: StatusChoice) -> Outcome {
        self.known_operator(operator)?;
        let desk = &self.desks[operator.index()];
        if desk.device_lost && to.is_ready() {
            return Err(Rejection::DeviceLost(operator));
        }
        match desk.status {
            Status::LoggedOut | Status::Dialing | Status::Talking | Status::Consulting | Status::Holding => {
                return self.wrong_status(operator, Asked::ChangeStatus);
            }
            Status::Ringing => self.desks[operator.index()].chosen = Some(to),
            Status::AfterCallWork => {
                self.may_leave_after_call(operator)?;
                self.finish_after_call(operator, to);
            }
            Status::Work | Status::Ready | Status::Break => {
                // What they are already costs nobody their place in the idle order.
                if desk.status != to.resting().status() || desk.reason != to.reason() {
                    self.step(operator, Input::Choose(to.resting()), to.reason());
                }
            }
        }
        Ok(())
    }

    pub(crate) fn may_leave_after_call(&self, operator: OperatorId) -> Outcome {
        let desk = &self.desks[operator.index()];
        if !desk.timed {
            return Ok(());
        }
        let until = self.deadlines.at(desk.after_call).expect("timed after-call work has its limit set");
        Err(Rejection::AfterCallTimed { operator, until })
    }

    pub(crate) fn set_next_status(&mut self, operator: OperatorId, next: Option<StatusChoice>) -> Outcome {
        self.known_operator(operator)?;
        let desk = &mut self.desks[operator.index()];
        match desk.status {
            Status::Dialing | Status::Talking | Status::Consulting | Status::Holding | Status::AfterCallWork => {
                desk.next = next;
                Ok(())
            }
            _ => self.wrong_status(operator, Asked::ChooseNextStatus),
        }
    }

    pub(crate) fn set_chat_status(&mut self, operator: OperatorId, to: ChatStatus) -> Outcome {
        self.known_operator(operator)?;
        let desk = &mut self.desks[operator.index()];
        if desk.chat_status != to {
            desk.chat_status = to;
            self.emit(Event::ChatStatusChanged { operator, to });
            self.touch(operator);
            if to == ChatStatus::Away {
                self.reconsider_missed();
            }
        }
        Ok(())
    }

    /// The operator's part in a call is over: after-call work begins.
    pub(crate) fn end_part(&mut self, operator: OperatorId, call: CallId) {
        let now = self.now;
        let found = &mut self.calls[call];
        found.last_operator = Some(operator);
        let found = &self.calls[call];
        let ticket = found.ticket.filter(|&id| self.tickets.get(id).is_some_and(|t| t.owner == Some(operator)));
        let rule = self.settings(found.service).after_call;
        let desk = &mut self.desks[operator.index()];
        desk.last_call = now;
        desk.wrap_up = ticket;
        desk.after_call_then = rule.then;
        desk.timed = rule.limit.is_some() && !rule.early_exit;
        self.step(operator, Input::CallEnded, reason::NONE);
        self.desks[operator.index()].call = None;
        match rule.limit {
            Some(limit) if limit.is_zero() => self.end_after_call(operator),
            limit => {
                if let Some(limit) = limit {
                    let timer = self.deadlines.set(now + limit, Due::AfterCall, operator.0);
                    self.desks[operator.index()].after_call = timer;
                }
                if let Some(after) = rule.prompt_after {
                    let timer = self.deadlines.set(now + after, Due::AfterCallPrompt, operator.0);
                    self.desks[operator.index()].after_call_prompt = timer;
                }
            }
        }
    }

    /// After-call work leads where the operator chose during the call, or where the setting says.
    pub(crate) fn end_after_call(&mut self, operator: OperatorId) {
        let desk = &mut self.desks[operator.index()];
        let choice = desk.next.take().unwrap_or(desk.after_call_then);
        self.finish_after_call(operator, choice);
    }

    fn finish_after_call(&mut self, operator: OperatorId, choice: StatusChoice) {
        self.wrap_up(operator);
        let desk = &mut self.desks[operator.index()];
        desk.next = None;
        let lost = desk.device_lost && choice.is_ready();
        let choice = if lost { StatusChoice::Work(reason::DEVICE_LOST) } else { choice };
        self.step(operator, Input::Choose(choice.resting()), choice.reason());
    }

    /// Leaves after-call work's deadlines and ticket behind.
    pub(crate) fn wrap_up(&mut self, operator: OperatorId) {
        let desk = &mut self.desks[operator.index()];
        desk.timed = false;
        self.deadlines.cancel(&mut desk.after_call);
        self.deadlines.cancel(&mut desk.after_call_prompt);
        if let Some(ticket) = desk.wrap_up.take() {
            self.ticket_wrapped_up(ticket);
        }
    }

    pub(crate) fn after_call_expired(&mut self, operator: OperatorId) {
        self.desks[operator.index()].after_call = Timer::NONE;
        self.end_after_call(operator);
    }

    pub(crate) fn after_call_prompt(&mut self, operator: OperatorId) {
        self.desks[operator.index()].after_call_prompt = Timer::NONE;
        self.emit(Event::AfterCallPrompt { operator });
    }

    pub(crate) fn device_lost(&mut self, operator: OperatorId) -> Outcome {
        self.known_operator(operator)?;
        let desk = &self.desks[operator.index()];
        if desk.status == Status::LoggedOut || desk.device_lost {
            return self.wrong_status(operator, Asked::LoseDevice);
        }
        let (status, offer) = (desk.status, desk.offer);
        let grace = self.settings(self.config.operators[operator.index()].services[0]).device_grace;
        let timer = self.deadlines.set(self.now + grace, Due::DeviceGrace, operator.0);
        let desk = &mut self.desks[operator.index()];
        desk.device_lost = true;
        desk.grace = timer;
        if let Some(call) = self.supervised(operator) {
            self.end_supervision(call, SupervisionEnd::DeviceLost);
            return Ok(());
        }
        match status {
            Status::LoggedOut | Status::Work | Status::Break | Status::AfterCallWork => {}
            Status::Ready => {
                let lost = StatusChoice::Work(reason::DEVICE_LOST);
                self.step(operator, Input::Choose(lost.resting()), lost.reason());
            }
            Status::Ringing => self.device_failed(offer.expect("an operator who rings has an offer")),
            Status::Dialing => {
                let call = self.call_of(operator);
                self.desks[operator.index()].before_dial = Some(StatusChoice::Work(reason::DEVICE_LOST));
                self.act(Action::HangUp { leg: call.customer_leg() });
                self.end_dial(call, EndCause::DialCancelled);
            }
            Status::Talking | Status::Consulting | Status::Holding => self.lost_in_call(operator),
        }
        Ok(())
    }

    /// The call of an operator who has one.
    pub(crate) fn call_of(&self, operator: OperatorId) -> CallId {
        self.desks[operator.index()].call.expect("an operator in a call has one")
    }

    /// The operator is gone from the call: the customer is connected to an answered target, else waits again or is let go.
    fn lost_in_call(&mut self, operator: OperatorId) {
        use crate::config::DeviceLostRule;
        use crate::output::ConsultEnd;
        let call = self.call_of(operator);
        let found = &self.calls[call];
        if found.operator != Some(operator) {
            return self.consulted_leaves(call, ConsultEnd::Failed);
        }
        let leg = call.leg(found.operator_leg);
        match found.stage {
            Stage::Internal => self.end_internal(call),
            Stage::Ending(_) => {
                // The announcement goes on without them.
                self.end_supervision(call, SupervisionEnd::OperatorLeft);
                self.calls[call].operator = None;
                self.act(Action::HangUp { leg });
                self.end_part(operator, call);
            }
            _ if found.target.is_some_and(|target| target.answered) => self.hand_over(call, ConsultEnd::OperatorLeft),
            _ => {
                self.drop_consult(call, ConsultEnd::OperatorLeft, OfferEnd::Rescinded);
                self.act(Action::HangUp { leg });
                let found = &self.calls[call];
                match (self.settings(found.service).on_device_lost, found.queue) {
                    (DeviceLostRule::Requeue, Some(queue)) => {
                        self.requeue_at_head(call, queue);
                        self.end_part(operator, call);
                    }
                    _ => {
                        self.act(Action::HangUp { leg: call.customer_leg() });
                        self.end_call(call, EndCause::DeviceLost);
                        self.end_part(operator, call);
                        self.forget_call(call);
                    }
                }
            }
        }
    }

    pub(crate) fn device_restored(&mut self, operator: OperatorId) -> Outcome {
        self.known_operator(operator)?;
        let desk = &mut self.desks[operator.index()];
        if !desk.device_lost {
            return self.wrong_status(operator, Asked::DeviceRestored);
        }
        desk.device_lost = false;
        self.deadlines.cancel(&mut desk.grace);
        Ok(())
    }

    pub(crate) fn grace_expired(&mut self, operator: OperatorId) {
        let desk = &mut self.desks[operator.index()];
        desk.grace = Timer::NONE;
        desk.device_lost = false;
        self.force_out(operator);
    }

    /// Ticket offers and assigned tickets of an operator who logs out go back to their queues.
    fn return_tickets(&mut self, operator: OperatorId) {
        while self.desks[operator.index()].ticket_offers > 0 {
            let theirs =
                |offer: &crate::desk::Offer| offer.operator == operator && matches!(offer.work, Work::Ticket(_));
            // In the order of offering: a slot's number decides nothing.
            let found = self.offers.iter().filter(|(_, offer)| theirs(offer)).map(|(id, _)| id).min();
            self.return_offer(found.expect("a reserved ticket has its offer"));
        }
        while let Some(&ticket) = self.desks[operator.index()].tickets.first() {
            self.return_ticket(ticket);
        }
    }
}
