//! Where things stand in memory: a host that knows its next commands can have it brought into the processor's cache while
//! it does something else. Nothing here is read, and nothing changes by it.

use crate::arena::Key;
use crate::engine::Engine;
use crate::id::{OperatorId, QueueId, TicketId};

impl Engine {
    /// What a command about the call in this slot looks at; the end of a plain call, at its first three lines of 64 bytes.
    #[must_use]
    pub fn stored_call(&self, slot: u32) -> Option<&impl Sized> {
        self.calls.stored(slot)
    }

    /// What a command about this ticket looks at; the end of its call, at its first two lines of 64 bytes.
    #[must_use]
    pub fn stored_ticket(&self, ticket: TicketId) -> Option<&impl Sized> {
        self.tickets.stored(Key::slot(ticket))
    }

    /// Who would be offered new plain work of a queue.
    #[must_use]
    pub fn first_idle(&self, queue: QueueId) -> Option<OperatorId> {
        self.router.first_idle(queue)
    }

    /// What a command about an operator looks at: their desk, and their seat in the index of routing.
    #[must_use]
    pub fn stored_operator(&self, operator: OperatorId) -> Option<(&impl Sized, &impl Sized)> {
        self.desks.get(operator.index()).map(|desk| (desk, self.router.seat(operator)))
    }
}
