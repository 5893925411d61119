//! Callbacks' documents follow the engine: received → assigned → dialled → complete, and back for another attempt.

use std::collections::HashMap;

use callfloor_engine::{CallId, CallbackEnd, CallbackId, Engine, Event, Instant, OfferEnd, Output, Work};

use super::{Callback, CallbackState, callback_key};
use crate::host::{Documents, Projection};
use crate::http::{CallRef, CallbackRef};
use crate::storage::StorageError;

/// Keeps callbacks' documents in step with the engine.
#[derive(Debug, Default)]
pub struct CallbackHistory {
    /// Dials that go on, so that not every call's end looks for a document; `None`: not read since the start.
    dials: Option<HashMap<CallId, CallbackId>>,
}

/// Dials that can go on at once: one for each operator.
const MOST_DIALS: usize = 100_000;

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
                let asked = documents.get::<Callback>(reference)?.filter(|found| found.callback.is_none());
                let mut received = match asked {
                    Some(asked) => asked,
                    // By telephone: the call's flow offered it.
                    None => Callback {
                        id: documents.next_id::<Callback>()?,
                        token: None,
                        callback: None,
                        queue: queue.0,
                        service: engine.config().queues[queue.index()].service.0,
                        // One that is over already within this turn has no number to call any more.
                        number: engine.callback(callback).map(|found| found.to.to_string()).unwrap_or_default(),
                        name: None,
                        customer: engine.callback(callback).and_then(|found| Some(found.customer?.0)),
                        state: CallbackState::Received,
                        operator: None,
                        call: None,
                        attempts: 0,
                        received_us: at_us,
                        changed_us: at_us,
                        from_call: call.map(CallRef),
                    },
                };
                received.callback = Some(CallbackRef(callback));
                documents.put(&received);
                Ok(())
            }
            Event::OfferMade { work: Work::Callback(callback), operator, .. } => {
                change(documents, callback, at_us, |found| {
                    found.state = CallbackState::Assigned;
                    found.operator = Some(operator.0);
                })
            }
            Event::OfferEnded { work: Work::Callback(callback), operator, end, .. } if end != OfferEnd::Accepted => {
                change(documents, callback, at_us, |found| {
                    // Where several were asked at once, it may be with another by now.
                    if found.state == CallbackState::Assigned && found.operator == Some(operator.0) {
                        found.state = CallbackState::Received;
                    }
                })
            }
            Event::DialStarted { call, operator, callback: Some(callback), .. } => {
                self.dials(documents)?.insert(call, callback);
                change(documents, callback, at_us, |found| {
                    found.state = CallbackState::Dialled;
                    found.operator = Some(operator.0);
                    found.call = Some(CallRef(call));
                    found.attempts = found.attempts.saturating_add(1);
                })
            }
            Event::CallEnded(record) => match self.dials(documents)?.remove(&record.call) {
                Some(callback) => change(documents, callback, at_us, |found| {
                    if found.state == CallbackState::Dialled {
                        found.state = CallbackState::Received;
                    }
                }),
                None => Ok(()),
            },
            Event::CallbackEnded { callback, end, .. } => change(documents, callback, at_us, |found| {
                found.state = match end {
                    CallbackEnd::Completed => CallbackState::Completed,
                    CallbackEnd::GivenUp => CallbackState::GivenUp,
                    CallbackEnd::Cancelled => CallbackState::Cancelled,
                };
            }),
            _ => Ok(()),
        }
    }
}

impl CallbackHistory {
    fn dials(&mut self, documents: &mut Documents) -> Result<&mut HashMap<CallId, CallbackId>, StorageError> {
        if self.dials.is_none() {
            let dialled = documents.with_key::<Callback>("dialled", "", MOST_DIALS)?;
            self.dials = Some(dialled.iter().filter_map(|found| Some((found.call?.0, found.callback?.0))).collect());
        }
        Ok(self.dials.get_or_insert_default())
    }
}

fn change(
    documents: &mut Documents,
    callback: CallbackId,
    at_us: u64,
    change: impl FnOnce(&mut Callback),
) -> Result<(), StorageError> {
    if let Some(mut found) = documents.find::<Callback>("callback", &callback_key(callback))? {
        let before = found.state;
        change(&mut found);
        if found.state != before {
            found.changed_us = at_us;
        }
        documents.put(&found);
    }
    Ok(())
}
