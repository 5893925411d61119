//! A customer's contact while it is in the centre: what the customer will do, and what serving them will take.

use crate::behaviour::{Person, Turn};
use crate::calendar::Entry;
use crate::collect::{NO_INTERVAL, NO_ROW};
use callfloor_engine::{CallId, ChatId, FarEndFault, TicketId};

/// No operator, or no known customer.
pub(crate) const NOBODY: u32 = u32::MAX;

/// What the customer's next step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Nothing is scheduled.
    Idle,
    /// What is played ends.
    Playback,
    /// Presses a key in the menu, or none.
    Key,
    /// Accepts a callback or not.
    Callback,
    /// The talk ends.
    Talk,
    /// The talk takes a turn.
    Turn(Turn),
    /// The hold ends.
    Hold,
    /// Somebody is being reached for a consultation.
    Consulting,
    /// The consultation ends.
    Consult,
    /// An outside number answers, or does not.
    Target(u16, bool),
    /// The dialled customer answers, or does not and why.
    Dial(Option<FarEndFault>),
    /// The customer hangs up: the talk after a transfer is over, or nobody was heard for too long.
    Leaves,
}

/// A call, in the slot of the engine's own: two cache lines, of which the end of a call needs the first.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Caller {
    pub(crate) call: CallId,
    /// Key of the customer's random streams.
    pub(crate) id: u64,
    pub(crate) step: Entry,
    pub(crate) gives_up: Entry,
    pub(crate) queued_at: u64,
    /// Interval of the arrival in the queue.
    pub(crate) arrived: u32,
    pub(crate) operator: u32,
    /// Class, or number of classes + campaign.
    pub(crate) source: u16,
    /// Row of the results.
    pub(crate) row: u16,
    pub(crate) stage: Stage,
    pub(crate) attempt: u8,
    pub(crate) live: bool,
    pub(crate) waiting: bool,
    /// Handed on without asking: the talk that follows is `talk_after`.
    pub(crate) handed_on: bool,
    pub(crate) held: bool,

    /// Words of the customer's stream: patience, talk, after-call work.
    pub(crate) words: [u64; 3],
    /// When the customer gives up; 0: not drawn.
    pub(crate) gives_up_at: u64,
    /// Talk time that is left after the next turn.
    pub(crate) talk_left_us: u64,
    /// Known customer's number.
    pub(crate) known: u32,
    /// Place in the trace + 1; 0 for none.
    pub(crate) trace: u32,
    pub(crate) audio: u32,
    /// Offers so far.
    pub(crate) rings: u16,
    /// The flow's step.
    pub(crate) flow_step: u16,
    /// Menus so far.
    pub(crate) menus: u8,
    /// Queues so far.
    pub(crate) queues: u8,
    /// How often the customer, once served, had to wait again.
    pub(crate) again: u8,
}

impl Caller {
    /// A slot that holds nobody.
    pub(crate) const EMPTY: Self = Self {
        call: CallId::from_parts(0, u32::MAX),
        id: 0,
        words: [0; 3],
        queued_at: 0,
        gives_up_at: 0,
        gives_up: Entry::NONE,
        step: Entry::NONE,
        talk_left_us: 0,
        arrived: NO_INTERVAL,
        operator: NOBODY,
        known: NOBODY,
        trace: 0,
        source: 0,
        row: NO_ROW,
        rings: 0,
        menus: 0,
        queues: 0,
        again: 0,
        flow_step: 0,
        audio: 0,
        stage: Stage::Idle,
        waiting: false,
        handed_on: false,
        attempt: 0,
        held: false,
        live: false,
    };

    /// Who calls.
    #[inline]
    pub(crate) const fn person(&self) -> Person {
        Person { source: self.source, id: self.id, trace: self.trace, words: self.words }
    }
}

/// A chat, in the slot of the engine's own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chatter {
    pub(crate) chat: ChatId,
    pub(crate) id: u64,
    pub(crate) gives_up: Entry,
    pub(crate) ends: Entry,
    pub(crate) answered_at: u64,
    pub(crate) arrived: u32,
    pub(crate) operator: u32,
    pub(crate) trace: u32,
    pub(crate) source: u16,
    pub(crate) row: u16,
    pub(crate) rings: u16,
    pub(crate) waiting: bool,
    pub(crate) ticket: Option<TicketId>,
}

/// A ticket that is worked on for itself, in the slot of the engine's own.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticket {
    pub(crate) ticket: Option<TicketId>,
    pub(crate) id: u64,
    /// The end of the work on it.
    pub(crate) done: Entry,
    pub(crate) answered_at: u64,
    pub(crate) arrived: u32,
    pub(crate) operator: u32,
    pub(crate) trace: u32,
    pub(crate) source: u16,
    pub(crate) rings: u16,
    pub(crate) waiting: bool,
}

/// All that is known of a call's ticket, and of any other beside its [`Ticket`]: small, since each call needs it.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TicketRow {
    /// Row of the results.
    pub(crate) row: u16,
    /// Goes with a call, from operator to operator.
    pub(crate) of_call: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_fits_in_two_cache_lines() {
        assert_eq!(size_of::<Caller>(), 128);
        assert!(std::mem::offset_of!(Caller, held) < 64);
        assert!(std::mem::offset_of!(Caller, words) >= 56);
    }
}
