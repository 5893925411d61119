//! Chats and callbacks: what waits in queues beside calls and tickets.

use serde::{Deserialize, Serialize};

use crate::deadline::Timer;
use crate::id::{CallId, CustomerId, OperatorId, QueueId, TicketId};
use crate::number::PhoneNumber;
use crate::place::PlaceIndex;
use crate::time::{Instant, Span};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Chat {
    pub(crate) queue: QueueId,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) priority: u8,
    pub(crate) place: Option<PlaceIndex>,
    pub(crate) queued_at: Instant,
    pub(crate) operator: Option<OperatorId>,
    pub(crate) ticket: Option<TicketId>,
    pub(crate) answered_at: Instant,
    pub(crate) answered: bool,
    pub(crate) wait: Span,
    pub(crate) handled: Span,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Callback {
    pub(crate) queue: QueueId,
    pub(crate) to: PhoneNumber,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) priority: u8,
    pub(crate) place: Option<PlaceIndex>,
    pub(crate) queued_at: Instant,
    pub(crate) sequence: u64,
    pub(crate) attempts: u8,
    /// The dial that is going on.
    pub(crate) call: Option<CallId>,
    pub(crate) retry: Timer,
}
