//! Telephones: what the engine wishes is done in the world, what the world does is told to the engine.
//!
//! One task of each organisation, its switchboard, owns every leg of its own. It is given the engine's durable outputs in
//! order, the SIP endpoint's events and the media engine's, and never waits for any of them. The endpoint and the audio are
//! shared: the exchange tells each switchboard what is its own.

mod audio;
mod browser;
mod exchange;
mod leg;
mod line;
mod recordings;
mod registration;
mod restart;
mod switchboard;
mod telephone;
mod trunk;

pub use audio::Clips;
pub use browser::BrowserRefused;
pub use exchange::Exchange;
pub use line::{Bound, PhoneLine, PhoneTrouble};
pub use registration::Restored;
pub(crate) use registration::{Registration, put_telephone};
pub use restart::let_go_of_lost_calls;
pub use switchboard::{AnswerRefused, OutOfReach, Phones, StartPhones};
pub use telephone::{Device, Telephone};

use callfloor_engine::{CustomerId, OperatorId, PhoneNumber, ServiceId, StepId};

use crate::floor;
use crate::host::Turn;

/// Where a dialled number leads: the service and the step of its flow. Until an administrator has given numbers to
/// services, every number is the first service's.
fn route(turn: &mut Turn<'_>, dialled: &str) -> Option<(ServiceId, StepId)> {
    match floor::route_for(turn, dialled.parse().ok()) {
        Ok(route) => route,
        Err(problem) => {
            tracing::error!(%problem, "the numbers that customers dial cannot be read");
            None
        }
    }
}

/// The customer's record and the operator who served them last.
fn customer(turn: &mut Turn<'_>, number: Option<PhoneNumber>) -> (Option<CustomerId>, Option<OperatorId>) {
    let Some(number) = number else { return (None, None) };
    let now_us = turn.now().as_micros();
    match crate::customers::behind(turn.documents(), number, now_us) {
        Ok((customer, last)) => (Some(customer), last),
        Err(problem) => {
            tracing::error!(%problem, "customers' records cannot be read");
            (None, None)
        }
    }
}
