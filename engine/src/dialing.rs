//! Outbound calls: dials by hand and for callbacks.

use crate::call::{Call, Spending, Stage};
use crate::chat::Callback;
use crate::command::FarEndFault;
use crate::config::{Channel, NumberState, OutboundTicket, StatusChoice, reason};
use crate::deadline::{Due, Timer};
use crate::engine::{Engine, Outcome};
use crate::id::{CallId, CallbackId, CustomerId, OperatorId, QueueId, ServiceId};
use crate::number::PhoneNumber;
use crate::output::{Action, CallbackEnd, EndCause, Event, OfferEnd, TicketChange, Work};
use crate::queueing::Entry;
use crate::rejection::{Asked, Object, Rejection};
use crate::routing::Needs;
use crate::status::{Input, Status};
use crate::time::Instant;

/// One dial.
struct Dial {
    operator: OperatorId,
    service: ServiceId,
    to: PhoneNumber,
    from: Option<PhoneNumber>,
    customer: Option<CustomerId>,
    callback: Option<CallbackId>,
    reference: u64,
}

impl Engine {
    pub(crate) fn dial(
        &mut self,
        operator: OperatorId,
        service: ServiceId,
        to: PhoneNumber,
        from: PhoneNumber,
        customer: Option<CustomerId>,
        reference: u64,
    ) -> Outcome {
        self.known_operator(operator)?;
        self.known_service(service)?;
        let desk = &self.desks[operator.index()];
        let before = match desk.status {
            Status::Work => Some(StatusChoice::Work(desk.reason)),
            Status::Ready => Some(StatusChoice::Ready),
            Status::Break => Some(StatusChoice::Break(desk.reason)),
            Status::AfterCallWork => None,
            status => return Err(Rejection::WrongStatus { operator, status, asked: Asked::Dial }),
        };
        if desk.device_lost {
            return Err(Rejection::DeviceLost(operator));
        }
        if !self.config.operators[operator.index()].services.contains(&service) {
            return Err(Rejection::NotOfService { operator, service });
        }
        let config = &self.config.services[service.index()];
        if !config.outbound {
            return Err(Rejection::NoOutboundContract(service));
        }
        let found = config.outgoing.iter().find(|outgoing| outgoing.number == from).map(|outgoing| outgoing.state);
        if found != Some(NumberState::Confirmed) {
            return Err(Rejection::OutgoingNumber { service, found });
        }
        if before.is_some() && !self.fits_call(operator) {
            return Err(Rejection::NoCapacity(operator));
        }
        self.wrap_up(operator);
        self.desks[operator.index()].before_dial = before;
        self.start_dial(Dial { operator, service, to, from: Some(from), customer, callback: None, reference });
        Ok(())
    }

    fn start_dial(&mut self, dial: Dial) {
        let Dial { operator, service, to, from, customer, callback, reference } = dial;
        self.calls_begun += 1;
        let mut call = Call::new(service, true, Stage::Dialing, self.now);
        call.customer = customer;
        call.number = Some(to);
        call.operator = Some(operator);
        call.operator_leg = call.new_leg();
        call.callback = callback;
        let call = self.calls.insert(call);
        let settings = self.settings(service);
        let (limit, ticket) = (settings.dial_limit, settings.outbound_ticket);
        self.calls[call].timer = self.deadlines.set(self.now + limit, Due::Dial, call.slot());
        self.desks[operator.index()].call = Some(call);
        self.step(operator, Input::Dial, reason::NONE);
        self.emit(Event::DialStarted { call, service, operator, callback, reference });
        if ticket == OutboundTicket::AtDial {
            self.own_call_ticket(call, operator);
        }
        self.act(Action::Dial { leg: call.customer_leg(), to, from });
    }

    pub(crate) fn customer_answered(&mut self, call: CallId) -> Outcome {
        if self.known_call(call)?.stage != Stage::Dialing {
            return Err(Rejection::WrongStage { call, asked: Asked::AnswerDial });
        }
        self.cancel_call_timer(call);
        let now = self.now;
        let found = &mut self.calls[call];
        found.stage = Stage::Talking;
        found.answered = true;
        found.spend(now, Spending::Talk);
        let rang = now - found.arrived;
        let operator = found.operator.expect("an operator dials");
        let leg = call.leg(found.operator_leg);
        let callback = found.callback;
        self.desks[operator.index()].calls += 1;
        self.step(operator, Input::DialAnswered, reason::NONE);
        self.act(Action::Connect { a: call.customer_leg(), b: leg });
        self.emit(Event::DialAnswered { call, operator, rang });
        self.own_call_ticket(call, operator);
        if let Some(callback) = callback {
            self.end_callback(callback, CallbackEnd::Completed);
        }
        Ok(())
    }

    pub(crate) fn dial_failed(&mut self, call: CallId, cause: FarEndFault) -> Outcome {
        if self.known_call(call)?.stage != Stage::Dialing {
            return Err(Rejection::WrongStage { call, asked: Asked::FailDial });
        }
        self.end_dial(call, EndCause::DialFailed(cause));
        Ok(())
    }

    pub(crate) fn dial_expired(&mut self, call: CallId) {
        self.calls[call].timer = Timer::NONE;
        self.act(Action::HangUp { leg: call.customer_leg() });
        self.end_dial(call, EndCause::DialFailed(FarEndFault::NoAnswer));
    }

    /// A dial that came to nothing: after-call work where there is a ticket, else the status before.
    pub(crate) fn end_dial(&mut self, call: CallId, cause: EndCause) {
        self.cancel_call_timer(call);
        let found = &self.calls[call];
        let operator = found.operator.expect("an operator dials");
        let (ticket, callback) = (found.ticket, found.callback);
        if let (Some(ticket), EndCause::DialFailed(fault)) = (ticket, cause) {
            self.change_ticket(ticket, TicketChange::DialFailed(fault));
        }
        self.act(Action::HangUp { leg: call.leg(self.calls[call].operator_leg) });
        self.end_call(call, cause);
        match (ticket, self.desks[operator.index()].before_dial) {
            (None, Some(before)) => {
                let desk = &mut self.desks[operator.index()];
                desk.call = None;
                desk.next = None;
                self.step(operator, Input::DialBack(before.resting()), before.reason());
            }
            _ => self.end_part(operator, call),
        }
        self.forget_call(call);
        if let Some(callback) = callback {
            self.callback_not_reached(callback);
        }
    }

    // ---- callbacks --------------------------------------------------------------------------------------------

    pub(crate) fn callback_requested(
        &mut self,
        queue: QueueId,
        to: PhoneNumber,
        customer: Option<CustomerId>,
        priority: u8,
        reference: u64,
    ) -> Outcome {
        self.known_queue(queue)?;
        let config = &self.config.queues[queue.index()];
        if config.channel != Channel::Phone {
            return Err(Rejection::WrongChannel { queue, asked: Channel::Phone });
        }
        if !self.config.services[config.service.index()].outbound {
            return Err(Rejection::NoOutboundContract(config.service));
        }
        let callback = self.create_callback(queue, to, customer, priority, None);
        self.emit(Event::CallbackReceived { callback, queue, call: None, reference });
        Ok(())
    }

    /// A callback waits in a queue, in a place that a call has kept or in a new one.
    pub(crate) fn create_callback(
        &mut self,
        queue: QueueId,
        to: PhoneNumber,
        customer: Option<CustomerId>,
        priority: u8,
        kept: Option<(Instant, u64)>,
    ) -> CallbackId {
        let callback = self.callbacks.insert(Callback {
            queue,
            to,
            customer,
            priority,
            place: None,
            queued_at: self.now,
            sequence: 0,
            attempts: 0,
            call: None,
            retry: Timer::NONE,
        });
        self.queue_callback(callback, kept);
        callback
    }

    fn queue_callback(&mut self, callback: CallbackId, kept: Option<(Instant, u64)>) {
        let found = &self.callbacks[callback];
        let (place, kept) = self.enqueue(Entry {
            work: Work::Callback(callback),
            queue: found.queue,
            priority: found.priority,
            needs: Needs::NONE,
            kept,
            head: false,
            preferred: None,
        });
        let found = &mut self.callbacks[callback];
        found.place = Some(place);
        (found.queued_at, found.sequence) = kept;
    }

    /// An operator accepted a callback: the customer is dialled.
    pub(crate) fn dial_callback(&mut self, callback: CallbackId, operator: OperatorId) {
        let found = &mut self.callbacks[callback];
        found.place = None;
        found.attempts += 1;
        let (queue, to, customer) = (found.queue, found.to, found.customer);
        let service = self.config.queues[queue.index()].service;
        let confirmed = |number: &&crate::config::OutgoingNumber| number.state == NumberState::Confirmed;
        let from =
            self.config.services[service.index()].outgoing.iter().find(confirmed).map(|outgoing| outgoing.number);
        let desk = &mut self.desks[operator.index()];
        // What they chose while it rang holds if nobody answers.
        desk.before_dial = Some(desk.next.unwrap_or(StatusChoice::Ready));
        self.start_dial(Dial { operator, service, to, from, customer, callback: Some(callback), reference: 0 });
        let call = self.desks[operator.index()].call;
        self.callbacks[callback].call = call;
    }

    fn callback_not_reached(&mut self, callback: CallbackId) {
        let found = &mut self.callbacks[callback];
        found.call = None;
        let service = self.config.queues[found.queue.index()].service;
        let settings = self.config.services[service.index()].settings.callback;
        if found.attempts >= settings.attempts {
            return self.end_callback(callback, CallbackEnd::GivenUp);
        }
        found.retry = self.deadlines.set(self.now + settings.retry_after, Due::CallbackRetry, callback.slot());
    }

    pub(crate) fn retry_callback(&mut self, callback: CallbackId) {
        let found = &mut self.callbacks[callback];
        found.retry = Timer::NONE;
        let kept = Some((found.queued_at, found.sequence));
        self.queue_callback(callback, kept);
    }

    pub(crate) fn end_callback(&mut self, callback: CallbackId, end: CallbackEnd) {
        let gone = self.callbacks.remove(callback).expect("a callback ends once");
        self.emit(Event::CallbackEnded { callback, end, attempts: gone.attempts });
    }

    pub(crate) fn callback_waited_too_long(&mut self, callback: CallbackId) {
        self.callbacks[callback].place = None;
        self.end_callback(callback, CallbackEnd::GivenUp);
    }

    pub(crate) fn cancel_callback(&mut self, callback: CallbackId) -> Outcome {
        let Some(found) = self.callbacks.get(callback) else {
            return Err(Rejection::Unknown(Object::Callback(callback)));
        };
        if let Some(call) = found.call {
            return Err(Rejection::WrongStage { call, asked: Asked::Cancel });
        }
        if let Some(place) = found.place {
            self.stop_all_offers(place, OfferEnd::Withdrawn);
            self.leave_while_waiting(place);
        }
        self.deadlines.cancel(&mut self.callbacks[callback].retry);
        self.end_callback(callback, CallbackEnd::Cancelled);
        Ok(())
    }
}
