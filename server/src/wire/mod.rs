//! The wire's own words: what the engine says, as JSON that stays the same when the engine's types change.
//!
//! Enumerations are in kebab-case, units end names (`_us` microseconds; points in time since 1970), configured things go
//! by their place in the configuration, live things by `NUMBER-SLOT`.

mod action;
mod event;
mod words;

pub use action::WireAction;
pub use event::{Memory, Message, Scope, Sight, WireEvent, concerns, is_own, unknown};
pub use words::{
    Cause, ChatStatus, EndOfOffer, EndOfSupervision, FarEndFault, ForcedEndReason, Party, Place, Resolution, Status,
    StatusChoice, Supervision, TicketStatus, WorkRef,
};

use callfloor_engine::PhoneNumber;

/// A telephone number as it is shown: whole, or its last two characters.
#[must_use]
pub fn shown(number: PhoneNumber, whole: bool) -> String {
    if whole { number.to_string() } else { format!("{number:?}") }
}
