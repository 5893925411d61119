//! Looking ahead, on a floor larger than the processor's cache: what the next events need is brought from memory while
//! others are dealt with. What one thing says of the next (an event its call, the call its operator, they their ticket)
//! is followed at a distance each, so that nothing is waited for. Changes no result.

use super::{Happening, Host};
use crate::calendar::{Calendar, Seen};
use crate::near::{bring, bring_first};
use callfloor_engine::{OperatorId, QueueId};

/// Distances, in buckets of the calendar: events, their calls, the calls' operators, the operators' tickets.
const EVENTS: u64 = 96;
const CALLS: u64 = 64;
const OPERATORS: u64 = 40;
const TICKETS: u64 = 20;

/// How far was looked at each distance.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ahead {
    events: Seen,
    calls: Seen,
    operators: Seen,
    tickets: Seen,
}

impl Host<'_> {
    #[inline]
    pub(super) fn look_ahead(&self, ahead: &mut Ahead) {
        let calendar: &Calendar<Happening> = &self.calendar;
        calendar.look_ahead(&mut ahead.events, EVENTS, |coming| bring(coming.stored()));
        calendar.look_ahead(&mut ahead.calls, CALLS, |coming| match coming.event() {
            Happening::Step(slot) | Happening::GivesUp(slot) => {
                if let Some(caller) = self.callers.get(slot as usize) {
                    // The end of a call needs the first line of it alone.
                    bring(&caller.call);
                }
                if let Some(call) = self.engine.stored_call(slot) {
                    bring_first(call, 3);
                }
            }
            Happening::Rested(operator) => self.bring_operator(operator),
            Happening::Answers(slot) => {
                if let Some(operator) = self.rings_at(slot) {
                    self.bring_operator(operator);
                }
            }
            _ => {}
        });
        calendar.look_ahead(&mut ahead.operators, OPERATORS, |coming| {
            if let Happening::Step(slot) = coming.event()
                && let Some(caller) = self.callers.get(slot as usize)
            {
                self.bring_operator(caller.operator);
            }
        });
        calendar.look_ahead(&mut ahead.tickets, TICKETS, |coming| {
            let operator = match coming.event() {
                Happening::Step(slot) => self.callers.get(slot as usize).map(|caller| caller.operator),
                Happening::Rested(operator) => Some(operator),
                Happening::Answers(slot) => self.rings_at(slot),
                _ => None,
            };
            let operator = operator.and_then(|operator| self.operators.get(operator as usize));
            if let Some(ticket) = operator.and_then(|operator| operator.ticket)
                && let Some(stored) = self.engine.stored_ticket(ticket)
            {
                bring_first(stored, 2);
            }
        });
    }

    fn rings_at(&self, slot: u32) -> Option<u32> {
        self.ringing.get(slot as usize).map(|ringing| ringing.operator)
    }

    /// Whoever is first in line now will be offered the queue's next call.
    #[inline]
    pub(super) fn bring_next_in_line(&self, queue: Option<QueueId>) {
        if let Some(operator) = queue.and_then(|queue| self.engine.first_idle(queue)) {
            self.bring_operator(operator.0);
        }
    }

    #[inline]
    fn bring_operator(&self, operator: u32) {
        if let Some(state) = self.operators.get(operator as usize)
            && let Some((desk, seat)) = self.engine.stored_operator(OperatorId(operator))
        {
            bring(state);
            bring(desk);
            bring(seat);
        }
    }
}
