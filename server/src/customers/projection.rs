//! Who served a customer last.

use callfloor_engine::{CustomerId, Engine, Event, Instant, OperatorId, Output, Party};

use super::Customer;
use crate::host::{Documents, Projection};
use crate::storage::StorageError;

/// Notes in a customer's record who served them.
#[derive(Debug)]
pub(crate) struct LastServed;

/// Whom an event says to have been served, and by whom.
fn served(engine: &Engine, event: &Event) -> Option<(CustomerId, OperatorId)> {
    let of_call = |call, operator| Some((engine.call(call)?.customer?, operator));
    match *event {
        Event::CallAnswered { call, operator, .. }
        | Event::CallResumed { call, operator, .. }
        | Event::DialAnswered { call, operator, .. }
        | Event::CallTransferred { call, to: Party::Operator(operator), blind: false, .. } => of_call(call, operator),
        Event::ChatAnswered { chat, operator, .. } => Some((engine.chat(chat)?.customer?, operator)),
        _ => None,
    }
}

impl Projection for LastServed {
    fn project(
        &mut self,
        documents: &mut Documents,
        engine: &Engine,
        at: Instant,
        output: &Output,
    ) -> Result<(), StorageError> {
        let Output::Event(event) = output else { return Ok(()) };
        let Some((customer, operator)) = served(engine, event) else { return Ok(()) };
        documents.edit(customer.0, |found: &mut Customer| {
            if !found.erased {
                (found.last_operator, found.last_served_us) = (Some(operator.0), Some(at.as_micros()));
            }
        })
    }
}
