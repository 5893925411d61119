//! An operator as the simulator knows them: what they are about to do.

use crate::calendar::Entry;
use crate::collect::NO_ROW;
use callfloor_engine::{OfferId, Status, TicketId};

/// No shift.
pub(crate) const NO_SHIFT: u16 = u16::MAX;

/// One operator.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operator {
    pub(crate) status: Status,
    /// Since when, in microseconds.
    pub(crate) since: u64,
    pub(crate) group: u16,
    /// The queue of the contact in hand, as a row of the results.
    pub(crate) row: u16,
    /// The queue of the last offer.
    pub(crate) offer_row: u16,
    /// The shift that is being worked.
    pub(crate) shift: u16,
    /// The shift is over: goes as soon as the call in hand is done.
    pub(crate) leaving: bool,
    /// The present Work or Break is not by plan.
    pub(crate) unplanned: bool,
    /// A break is due, so many microseconds long; 0 for none.
    pub(crate) break_owed_us: u64,
    /// The break owed was not by plan.
    pub(crate) break_unplanned: bool,
    /// The offer that rings, and the reaction to it.
    pub(crate) offer: Option<OfferId>,
    pub(crate) reaction: Entry,
    /// End of after-call work, of a break, of the span in Work after a miss.
    pub(crate) rest: Entry,
    /// After-call work that follows the call in hand, in microseconds.
    pub(crate) after_call_us: u64,
    /// The ticket of the call in hand.
    pub(crate) ticket: Option<TicketId>,
    /// Random breaks taken so far.
    pub(crate) breaks: u32,
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
            status: Status::LoggedOut,
            since: 0,
            group,
            row: NO_ROW,
            offer_row: NO_ROW,
            shift: NO_SHIFT,
            leaving: false,
            unplanned: false,
            break_owed_us: 0,
            break_unplanned: false,
            offer: None,
            reaction: Entry::NONE,
            rest: Entry::NONE,
            after_call_us: 0,
            ticket: None,
            breaks: 0,
            preview: None,
        }
    }

    /// Whether they could do something else now: no call in hand or ringing.
    pub(crate) const fn is_free(&self) -> bool {
        matches!(self.status, Status::Work | Status::Ready | Status::Break | Status::AfterCallWork)
    }
}
