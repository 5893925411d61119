//! An operator as the simulator knows them: what they are about to do.

use crate::calendar::Entry;
use crate::collect::NO_ROW;
use callfloor_engine::{OfferId, Status, TicketId};

/// No shift.
pub(crate) const NO_SHIFT: u16 = u16::MAX;

/// One operator, as every event of a call needs them: one cache line.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Operator {
    /// In the present status since this microsecond.
    pub(crate) since: u64,
    /// End of after-call work, of a break, of the span in Work after a miss.
    pub(crate) rest: Entry,
    /// After-call work that follows the call in hand, in microseconds.
    pub(crate) after_call_us: u64,
    /// The ticket of the call in hand.
    pub(crate) ticket: Option<TicketId>,
    pub(crate) group: u16,
    /// The queue of the contact in hand, as a row of the results.
    pub(crate) row: u16,
    /// The queue of the last offer of a call or callback.
    pub(crate) offer_row: u16,
    pub(crate) status: Status,
    /// Not simply Ready when there is no call: see [`Agenda`].
    pub(crate) errand: Errand,
}

/// What an operator will do instead of being Ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Errand(u8);

impl Errand {
    /// The shift is over: goes as soon as the call in hand is done.
    pub(crate) const LEAVING: Self = Self(1);
    /// A break is due.
    pub(crate) const BREAK: Self = Self(2);
    /// The present Work or Break is not by plan.
    pub(crate) const UNPLANNED: Self = Self(4);

    /// Somebody of the group who ought to have gone has a call in hand: goes in their place when free.
    pub(crate) const RELIEVES: Self = Self(8);

    /// Finishes what chats and tickets are in hand, and takes no more until the errand is done.
    pub(crate) const FINISHES: Self = Self(16);

    pub(crate) const fn has(self, what: Self) -> bool {
        self.0 & what.0 != 0
    }

    /// Whether there is something to do instead of being Ready.
    pub(crate) const fn calls_away(self) -> bool {
        self.0 & (Self::LEAVING.0 | Self::BREAK.0 | Self::RELIEVES.0 | Self::FINISHES.0) != 0
    }

    pub(crate) const fn set(&mut self, what: Self, on: bool) {
        if on {
            self.0 |= what.0;
        } else {
            self.0 &= !what.0;
        }
    }
}

/// An offer that rings, in the slot of the engine's own: of chats an operator may be offered several at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ringing {
    pub(crate) offer: Option<OfferId>,
    pub(crate) operator: u32,
    /// The queue that it comes from, as a row of the results.
    pub(crate) row: u16,
    /// What the operator does about it.
    pub(crate) reaction: Entry,
}

impl Ringing {
    pub(crate) const NONE: Self = Self { offer: None, operator: 0, row: NO_ROW, reaction: Entry::NONE };
}

/// What an operator has before them beside calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Agenda {
    /// The shift that is being worked.
    pub(crate) shift: u16,
    /// Number of times that they came to work so far: breaks are of one of them.
    pub(crate) stint: u16,
    /// Length of the break that is due, in microseconds, and whether it was not by plan.
    pub(crate) break_us: u64,
    pub(crate) break_unplanned: bool,
    /// Random breaks and misses so far: occasions of their streams.
    pub(crate) occasions: u32,
    /// Chats and tickets in hand.
    pub(crate) in_hand: u16,
    /// What follows when the operator is next in Work: a dial of a campaign.
    pub(crate) preview: Option<Preview>,
}

/// A campaign's contact that an operator looks at before the dial.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Preview {
    pub(crate) campaign: u16,
    pub(crate) number: u64,
    pub(crate) attempt: u8,
}

impl Operator {
    pub(crate) const fn new(group: u16) -> Self {
        Self {
            since: 0,
            rest: Entry::NONE,
            after_call_us: 0,
            ticket: None,
            group,
            row: NO_ROW,
            offer_row: NO_ROW,
            status: Status::LoggedOut,
            errand: Errand(0),
        }
    }

    /// Whether they could do something else now: no call in hand or ringing, and no after-call work left to do.
    pub(crate) fn is_free(&self) -> bool {
        match self.status {
            Status::Work | Status::Ready | Status::Break => true,
            Status::AfterCallWork => self.rest == Entry::NONE,
            _ => false,
        }
    }
}

impl Agenda {
    pub(crate) const EMPTY: Self = Self {
        shift: NO_SHIFT,
        stint: 0,
        break_us: 0,
        break_unplanned: false,
        occasions: 0,
        in_hand: 0,
        preview: None,
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_fits_in_a_cache_line() {
        assert_eq!(size_of::<Operator>(), 64);
    }
}
