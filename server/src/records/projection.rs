//! From the engine's events to call records.

use callfloor_engine::{
    CallId, Command, CustomerId, Engine, Event, Instant, OfferEnd, Output, Party, PhoneNumber, TicketOrigin, Work,
};

use super::{CallRecord, MOST_MOMENTS, Moment};
use crate::host::{Documents, Projection};
use crate::storage::StorageError;

/// Writes call records.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// Number and customer of the command whose call begins next: one that is over in the very step in which it came is no
    /// longer in the engine when its events are seen.
    begun: Option<(Option<PhoneNumber>, Option<CustomerId>)>,
}

/// The call that an event is about.
const fn subject(event: &Event) -> Option<CallId> {
    Some(match event {
        Event::CallArrived { call, .. }
        | Event::StepEntered { call, .. }
        | Event::CallQueued { call, .. }
        | Event::QueueFull { call, .. }
        | Event::CallFlowedOut { call, .. }
        | Event::CallRecovered { call, .. }
        | Event::CallAnswered { call, .. }
        | Event::CallResumed { call, .. }
        | Event::CallHeld { call, .. }
        | Event::CallReleased { call, .. }
        | Event::ConsultStarted { call, .. }
        | Event::ConsultAnswered { call, .. }
        | Event::ConsultEnded { call, .. }
        | Event::CallTransferred { call, .. }
        | Event::ConferenceStarted { call, .. }
        | Event::ForcedEndStarted { call, .. }
        | Event::SupervisionStarted { call, .. }
        | Event::SupervisionChanged { call, .. }
        | Event::SupervisionEnded { call, .. }
        | Event::DialStarted { call, .. }
        | Event::DialAnswered { call, .. }
        | Event::OfferMade { work: Work::Call(call), .. }
        | Event::OfferEnded { work: Work::Call(call), .. }
        | Event::NeedsRelaxed { work: Work::Call(call), .. }
        | Event::CallbackReceived { call: Some(call), .. } => *call,
        Event::CallEnded(record) => record.call,
        Event::TicketCreated { origin, .. } => match origin {
            TicketOrigin::PhoneIn(call) | TicketOrigin::PhoneOut(call) | TicketOrigin::Voicemail(call) => *call,
            TicketOrigin::Chat(_) | TicketOrigin::Written => return None,
        },
        _ => return None,
    })
}

impl Projection for Records {
    fn accepted(&mut self, command: &Command) {
        self.begun = match *command {
            Command::CallArrived { from, customer, .. } => Some((from, customer)),
            Command::Dial { to, customer, .. } => Some((Some(to), customer)),
            _ => None,
        };
    }

    fn project(
        &mut self,
        documents: &mut Documents,
        engine: &Engine,
        at: Instant,
        output: &Output,
    ) -> Result<(), StorageError> {
        let Output::Event(event) = output else { return Ok(()) };
        let Some(call) = subject(event) else { return Ok(()) };
        let (id, at_us) = (u64::from(call.number()), at.as_micros());
        let view = engine.call(call);
        let begins = matches!(event, Event::CallArrived { .. } | Event::DialStarted { .. });
        let (number, customer) = self.begun.take_if(|_| begins).unwrap_or_default();
        let new = || CallRecord {
            id,
            call: call.into(),
            service: view.as_ref().map_or(0, |view| view.service.0),
            outbound: view.as_ref().is_some_and(|view| view.outbound),
            number: number.map(|number| number.to_string()),
            customer: customer.map(|customer| customer.0),
            reference: 0,
            arrived_us: at_us,
            ended_us: None,
            cause: None,
            queue: None,
            operators: Vec::new(),
            missed_by: Vec::new(),
            wait_us: 0,
            talk_us: 0,
            hold_us: 0,
            consult_us: 0,
            ticket: None,
            timeline: Vec::new(),
        };
        documents.change(id, new, |record: &mut CallRecord| {
            if let Some(view) = &view {
                record.number = view.number.map(|number| number.to_string()).or(record.number.take());
                record.customer = view.customer.map(|customer| customer.0).or(record.customer);
                record.outbound = view.outbound;
            }
            note(record, event);
            let over = matches!(event, Event::CallEnded(_));
            // Who was in the call is kept however long it is.
            let kept = matches!(event, Event::SupervisionStarted { .. } | Event::SupervisionEnded { .. });
            if over || kept || record.timeline.len() < MOST_MOMENTS {
                record.timeline.push(Moment::of(at_us, event));
            }
            if over {
                record.ended_us = Some(at_us);
            }
        })
    }
}

/// What an event means for the record's own figures.
fn note(record: &mut CallRecord, event: &Event) {
    match *event {
        Event::CallArrived { service, reference, .. } => (record.service, record.reference) = (service.0, reference),
        Event::DialStarted { service, operator, reference, .. } => {
            (record.service, record.reference, record.outbound) = (service.0, reference, true);
            record.operators.push(operator.0);
        }
        Event::CallQueued { queue, .. } => record.queue = Some(queue.0),
        Event::CallAnswered { operator, .. } | Event::CallResumed { operator, .. } => record.operators.push(operator.0),
        Event::CallTransferred { to: Party::Operator(operator), blind: false, .. } => record.operators.push(operator.0),
        Event::OfferEnded { operator, end, .. } => match end {
            OfferEnd::Declined | OfferEnd::TimedOut | OfferEnd::DeviceFailed | OfferEnd::Busy => {
                record.missed_by.push(operator.0);
            }
            OfferEnd::Accepted | OfferEnd::Rescinded | OfferEnd::Abandoned | OfferEnd::Withdrawn => {}
        },
        Event::TicketCreated { ticket, .. } => record.ticket = Some(u64::from(ticket.number())),
        Event::CallEnded(ended) => {
            record.cause = Some(ended.cause.into());
            record.service = ended.service.0;
            record.queue = ended.queue.map(|queue| queue.0);
            record.arrived_us = ended.arrived.as_micros();
            (record.wait_us, record.talk_us) = (ended.wait.as_micros(), ended.talk.as_micros());
            (record.hold_us, record.consult_us) = (ended.hold.as_micros(), ended.consult.as_micros());
            // The last of a blind transfer, or of a call whose operator was told by its end alone.
            if let Some(last) = ended.operator.filter(|last| record.operators.last() != Some(&last.0)) {
                record.operators.push(last.0);
            }
        }
        _ => {}
    }
}
