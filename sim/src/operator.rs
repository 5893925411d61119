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
    /// The reaction to the offer that rings.
    pub(crate) reaction: Entry,
    /// End of after-call work, of a break, of the span in Work after a miss.
    pub(crate) rest: Entry,
    /// After-call work that follows the call in hand, in microseconds.
    pub(crate) after_call_us: u64,
    /// The offer that rings.
    pub(crate) offer: Option<OfferId>,
    /// The ticket of the call in hand.
    pub(crate) ticket: Option<TicketId>,
    pub(crate) group: u16,
    /// The queue of the contact in hand, as a row of the results.
    pub(crate) row: u16,
    /// The queue of the last offer.
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

    pub(crate) const fn has(self, what: Self) -> bool {
        self.0 & what.0 != 0
    }

    /// Whether there is something to do instead of being Ready.
    pub(crate) const fn calls_away(self) -> bool {
        self.0 & (Self::LEAVING.0 | Self::BREAK.0 | Self::RELIEVES.0) != 0
    }

    pub(crate) const fn set(&mut self, what: Self, on: bool) {
        if on {
            self.0 |= what.0;
        } else {
            self.0 &= !what.0;
        }
    }
}

/// What an operator has before them beside calls.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Agenda {
    /// The shift that is being worked.
    pub(crate) shift: u16,
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
            reaction: Entry::NONE,
            rest: Entry::NONE,
            after_call_us: 0,
            offer: None,
            ticket: None,
            group,
            row: NO_ROW,
            offer_row: NO_ROW,
            status: Status::LoggedOut,
            errand: Errand(0),
        }
    }

    /// Whether they could do something else now: no call in hand or ringing.
    pub(crate) const fn is_free(&self) -> bool {
        matches!(self.status, Status::Work | Status::Ready | Status::Break | Status::AfterCallWork)
    }
}

impl Agenda {
    pub(crate) const EMPTY: Self =
        Self { shift: NO_SHIFT, break_us: 0, break_unplanned: false, occasions: 0, in_hand: 0, preview: None };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_fits_in_a_cache_line() {
        assert_eq!(size_of::<Operator>(), 64);
    }
}
