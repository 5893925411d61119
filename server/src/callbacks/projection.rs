//! Callbacks' documents follow the engine: who was shown one, who dialled, how it ended.

use callfloor_engine::{CallbackEnd, CallbackId, EndCause, Engine, Event, Instant, OfferEnd, Output, QueueId, Work};

use super::{Callback, CallbackState, callback_key};
use crate::floor::Organisation;
use crate::host::{Documents, Projection};
use crate::http::{CallRef, CallbackRef, TicketRef};
use crate::storage::StorageError;

/// Keeps callbacks' documents in step with the engine.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct CallbackHistory;

impl Projection for CallbackHistory {
    fn project(
        &mut self,
        documents: &mut Documents,
        engine: &Engine,
        at: Instant,
        output: &Output,
    ) -> Result<(), StorageError> {
        let Output::Event(event) = *output else { return Ok(()) };
        let at_us = at.as_micros();
        match event {
            Event::CallbackReceived { callback, queue, call, reference } => {
                // The command's reference is the document's number.
                let asked = documents.get::<Callback>(reference)?.filter(|found| found.callback.is_none());
                let mut found = match asked {
                    Some(found) => found,
                    None => Callback::from_flow(documents, engine, at_us, callback, queue)?,
                };
                found.callback = Some(CallbackRef(callback));
                found.from_call = call.map(CallRef);
                documents.put(&found);
                Ok(())
            }
            Event::OfferMade { work: Work::Callback(callback), operator, .. } => change(documents, callback, |found| {
                found.state = CallbackState::Assigned;
                found.operator = Some(operator.0);
                found.shown_to.push(operator.0);
                found.assigned_us.get_or_insert(at_us);
            }),
            Event::OfferEnded { work: Work::Callback(callback), operator, end, .. } => {
                change(documents, callback, |found| {
                    found.shown_to.retain(|shown| *shown != operator.0);
                    if end == OfferEnd::Accepted {
                        found.operator = Some(operator.0);
                    } else if found.state == CallbackState::Assigned {
                        found.operator = found.shown_to.last().copied();
                        if found.operator.is_none() {
                            found.state = CallbackState::Received;
                        }
                    }
                })
            }
            Event::DialStarted { call, operator, callback: Some(callback), .. } => {
                change(documents, callback, |found| {
                    found.state = CallbackState::Dialling;
                    found.operator = Some(operator.0);
                    found.call = Some(CallRef(call));
                    found.attempts = found.attempts.saturating_add(1);
                    found.dialled_us = Some(at_us);
                })
            }
            // It waits for another attempt, unless its end follows.
            Event::CallEnded(record) if matches!(record.cause, EndCause::DialFailed(_) | EndCause::DialCancelled) => {
                if let Some(mut found) = documents.find::<Callback>("dial", &CallRef(record.call).to_string())? {
                    found.state = CallbackState::Received;
                    found.operator = None;
                    documents.put(&found);
                }
                Ok(())
            }
            Event::CallbackEnded { callback, end, attempts } => change(documents, callback, |found| {
                found.state = match end {
                    CallbackEnd::Completed => CallbackState::Complete,
                    CallbackEnd::GivenUp => CallbackState::GivenUp,
                    CallbackEnd::Cancelled => CallbackState::Cancelled,
                };
                if end == CallbackEnd::Completed {
                    let call = found.call.and_then(|call| engine.call(call.0));
                    found.ticket = call.and_then(|call| call.ticket).map(TicketRef);
                }
                found.shown_to.clear();
                found.attempts = attempts;
                found.ended_us = Some(at_us);
            }),
            _ => Ok(()),
        }
    }
}

impl Callback {
    /// One that a call's flow offered: nobody wrote anything.
    fn from_flow(
        documents: &mut Documents,
        engine: &Engine,
        at_us: u64,
        callback: CallbackId,
        queue: QueueId,
    ) -> Result<Self, StorageError> {
        let id = documents.next_id::<Self>()?;
        let plan = Organisation::now(documents)?.numbers;
        let number = engine.callback(callback).map(|found| plan.national(found.to)).unwrap_or_default();
        let service = engine.config().queues[queue.index()].service;
        Ok(Self::new(id, queue, service, number, at_us))
    }
}

fn change(
    documents: &mut Documents,
    callback: CallbackId,
    change: impl FnOnce(&mut Callback),
) -> Result<(), StorageError> {
    if let Some(mut found) = documents.find::<Callback>("callback", &callback_key(callback))? {
        change(&mut found);
        documents.put(&found);
    }
    Ok(())
}
