//! Outbound calls: dials by hand and for callbacks.

use callfloor_engine::{
    CallId, CallbackEnd, CallbackId, Channel, CustomerId, EndCause, Event, FarEndFault, Instant, NumberState, OfferEnd,
    OperatorId, OutboundTicket, PhoneNumber, QueueId, ServiceId, Status, StatusChoice, TicketChange, Work, reason,
};

use super::call::{Caller, Spending, Stage};
use super::{Model, Timer};

#[derive(Clone, Copy, Debug)]
pub(super) struct Callback {
    pub(super) id: CallbackId,
    pub(super) queue: QueueId,
    caller: Caller,
    place: (Instant, u64),
    attempts: u8,
    /// The dial that is going on.
    call: Option<CallId>,
    pub(super) retry: Option<Timer>,
}

impl Model {
    pub(super) fn dial(
        &mut self,
        operator: OperatorId,
        service: ServiceId,
        to: PhoneNumber,
        from: PhoneNumber,
        customer: Option<CustomerId>,
        reference: u64,
    ) -> Option<()> {
        let desk = self.desks.get(operator.index())?;
        let config = self.floor.services.get(service.index())?;
        let before = match desk.status {
            Status::Work => Some(StatusChoice::Work(desk.reason)),
            Status::Ready => Some(StatusChoice::Ready),
            Status::Break => Some(StatusChoice::Break(desk.reason)),
            Status::AfterCallWork => None,
            _ => return None,
        };
        // The first registration of a number is the one that counts.
        let registered = config.outgoing.iter().find(|outgoing| outgoing.number == from)?;
        let allowed = !desk.device_lost
            && config.outbound
            && registered.state == NumberState::Confirmed
            && self.floor.operators[operator.index()].services.contains(&service)
            // After-call work has the points already.
            && (before.is_none() || self.has_room_for_call(operator));
        if !allowed {
            return None;
        }
        self.wrap_up(operator);
        self.desk(operator).before_dial = before;
        let caller = Caller { customer, number: Some(to), priority: 0, preferred: None };
        self.start_dial(operator, service, caller, None, reference);
        Some(())
    }

    fn start_dial(
        &mut self,
        operator: OperatorId,
        service: ServiceId,
        caller: Caller,
        callback: Option<CallbackId>,
        reference: u64,
    ) -> CallId {
        let call = self.begin_call(service, caller, true);
        let timer = self.timer(self.settings(service).dial_limit);
        let found = self.call(call);
        (found.operator, found.callback, found.timer) = (Some(operator), callback, timer);
        let _ = found.new_leg();
        self.desk(operator).call = Some(call);
        self.become_status(operator, Status::Dialing, reason::NONE);
        self.say(Event::DialStarted { call, service, operator, callback, reference });
        if self.settings(service).outbound_ticket == OutboundTicket::AtDial {
            self.own_ticket_of_call(call, operator);
        }
        call
    }

    pub(super) fn customer_answered(&mut self, call: CallId) -> Option<()> {
        if self.find_call(call)?.stage != Stage::Dialing {
            return None;
        }
        let now = self.now;
        let found = self.call(call);
        (found.stage, found.answered, found.timer) = (Stage::Talking, true, None);
        found.spend(now, Spending::Talk);
        let (rang, callback) = (now - found.arrived, found.callback);
        let operator = found.operator.expect("an operator dials");
        self.desk(operator).calls += 1;
        self.become_status(operator, Status::Talking, reason::NONE);
        self.say(Event::DialAnswered { call, operator, rang });
        self.own_ticket_of_call(call, operator);
        if let Some(callback) = callback {
            self.callback_over(callback, CallbackEnd::Completed);
        }
        Some(())
    }

    pub(super) fn dial_failed(&mut self, call: CallId, cause: FarEndFault) -> Option<()> {
        if self.find_call(call)?.stage != Stage::Dialing {
            return None;
        }
        self.dial_over(call, EndCause::DialFailed(cause));
        Some(())
    }

    pub(super) fn dial_limit_passed(&mut self, call: CallId) {
        self.dial_over(call, EndCause::DialFailed(FarEndFault::NoAnswer));
    }

    /// A dial came to nothing: after-call work where there is a ticket, else the status before.
    pub(super) fn dial_over(&mut self, call: CallId, cause: EndCause) {
        let found = self.call(call);
        found.timer = None;
        let operator = found.operator.expect("an operator dials");
        let (ticket, callback) = (found.ticket, found.callback);
        if let (Some(ticket), EndCause::DialFailed(fault)) = (ticket, cause) {
            self.write(ticket, TicketChange::DialFailed(fault));
        }
        self.end(call, cause);
        match (ticket, self.desk(operator).before_dial) {
            (None, Some(before)) => {
                let desk = self.desk(operator);
                (desk.call, desk.next) = (None, None);
                self.choose(operator, before);
            }
            _ => self.part_over(operator, call),
        }
        self.forget(call);
        if let Some(callback) = callback {
            self.not_called_back(callback);
        }
    }

    // ---- callbacks --------------------------------------------------------------------------------------------

    pub(super) fn callback_requested(
        &mut self,
        queue: QueueId,
        to: PhoneNumber,
        customer: Option<CustomerId>,
        priority: u8,
        reference: u64,
    ) -> Option<()> {
        let config = self.floor.queues.get(queue.index())?;
        if config.channel != Channel::Phone || !self.service(config.service).outbound {
            return None;
        }
        let callback = self.make_callback(queue, to, customer, priority, None);
        self.say(Event::CallbackReceived { callback, queue, call: None, reference });
        Some(())
    }

    pub(super) fn make_callback(
        &mut self,
        queue: QueueId,
        to: PhoneNumber,
        customer: Option<CustomerId>,
        priority: u8,
        place: Option<(Instant, u64)>,
    ) -> CallbackId {
        self.made.callbacks += 1;
        let id = CallbackId::from_parts(self.made.callbacks, 0);
        let place = place.unwrap_or_else(|| (self.now, self.next_place()));
        let caller = Caller { customer, number: Some(to), priority, preferred: None };
        self.callbacks.push(Callback { id, queue, caller, place, attempts: 0, call: None, retry: None });
        self.queue_callback(id);
        id
    }

    fn queue_callback(&mut self, callback: CallbackId) {
        let Callback { queue, caller, place, .. } = *self.callback(callback);
        let _ =
            self.begin_waiting(Work::Callback(callback), queue, caller.priority, Vec::new(), Some(place), false, None);
    }

    /// An operator accepted a callback: its customer is dialled.
    pub(super) fn dial_callback(&mut self, callback: CallbackId, operator: OperatorId) {
        let found = self.callback(callback);
        found.attempts += 1;
        let (queue, caller) = (found.queue, found.caller);
        let service = self.floor.queues[queue.index()].service;
        let desk = self.desk(operator);
        // What they chose while it rang holds if nobody answers.
        desk.before_dial = Some(desk.next.unwrap_or(StatusChoice::Ready));
        let caller = Caller { priority: 0, ..caller };
        let call = self.start_dial(operator, service, caller, Some(callback), 0);
        self.callback(callback).call = Some(call);
    }

    fn not_called_back(&mut self, callback: CallbackId) {
        let found = self.callback(callback);
        found.call = None;
        let (attempts, queue) = (found.attempts, found.queue);
        let settings = self.settings(self.floor.queues[queue.index()].service).callback;
        if attempts >= settings.attempts {
            return self.callback_over(callback, CallbackEnd::GivenUp);
        }
        let retry = self.timer(settings.retry_after);
        self.callback(callback).retry = retry;
    }

    pub(super) fn retry(&mut self, callback: CallbackId) {
        self.callback(callback).retry = None;
        self.queue_callback(callback);
    }

    pub(super) fn callback_over(&mut self, callback: CallbackId, end: CallbackEnd) {
        let attempts = self.callback(callback).attempts;
        self.callbacks.retain(|found| found.id != callback);
        self.say(Event::CallbackEnded { callback, end, attempts });
    }

    pub(super) fn cancel_callback(&mut self, callback: CallbackId) -> Option<()> {
        if self.find_callback(callback)?.call.is_some() {
            return None;
        }
        let work = Work::Callback(callback);
        if self.find_spot(work).is_some() {
            self.stop_ringing(work, OfferEnd::Withdrawn);
            let _ = self.leave_queue(work);
        }
        self.callback_over(callback, CallbackEnd::Cancelled);
        Some(())
    }
}
