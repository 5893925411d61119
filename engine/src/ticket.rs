//! Tickets that are not Closed: status, owner, clocks. Texts and history lines live in the host's store.

use serde::{Deserialize, Serialize};

use crate::command::TicketStatus;
use crate::config::OpeningHours;
use crate::deadline::Timer;
use crate::id::{CallId, ChatId, CustomerId, OperatorId, QueueId, ServiceId};
use crate::output::TicketOrigin;
use crate::place::PlaceIndex;
use crate::time::{Instant, Span};

/// What a call's ticket is asked when the call ends comes first, in as few lines of the cache as may be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[repr(C)]
pub(crate) struct Ticket {
    pub(crate) service: ServiceId,
    pub(crate) status: TicketStatus,
    pub(crate) priority: u8,
    pub(crate) version: u32,
    pub(crate) owner: Option<OperatorId>,
    /// The live call or chat whose ticket it is.
    pub(crate) call: Option<CallId>,
    pub(crate) chat: Option<ChatId>,
    pub(crate) place: Option<PlaceIndex>,
    /// Who has it in hand by assignment.
    pub(crate) worked_by: Option<OperatorId>,

    pub(crate) resolution: Clock,
    pub(crate) close: Timer,
    pub(crate) give_back: Timer,
    /// After-call work on it is over, while its customer is still on the line.
    pub(crate) wrapped: bool,
    pub(crate) replied: bool,
    pub(crate) queue: Option<QueueId>,

    pub(crate) origin: TicketOrigin,
    pub(crate) customer: Option<CustomerId>,
    /// Runs until the first reply.
    pub(crate) first_response: Clock,
}

/// A clock that counts business time while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Clock {
    pub(crate) counted: Span,
    pub(crate) running_since: Option<Instant>,
    pub(crate) timer: Timer,
}

impl Clock {
    pub(crate) const STOPPED: Self = Self { counted: Span::ZERO, running_since: None, timer: Timer::NONE };

    /// Business time counted until `now`.
    pub(crate) fn read(&self, hours: &OpeningHours, now: Instant) -> Span {
        self.counted + self.running_since.map_or(Span::ZERO, |since| hours.business_time(since, now))
    }
}

impl TicketStatus {
    /// Whether a person or rule may move a ticket from here to `to`. This is the table; Closed is final, and merging and
    /// time reach it without asking here.
    #[must_use]
    pub const fn can_become(self, to: Self) -> bool {
        matches!(
            (self, to),
            (Self::New, Self::Open | Self::Pending | Self::Solved)
                | (Self::Open, Self::Pending | Self::Solved)
                | (Self::Pending, Self::Open | Self::Solved)
                | (Self::Solved, Self::Open)
        )
    }

    /// Whether the clocks run: that of the first response until the first reply.
    #[must_use]
    pub const fn clock_runs(self) -> bool {
        matches!(self, Self::New | Self::Open)
    }
}

impl OpeningHours {
    /// Time open between two instants. O(log n + periods between).
    #[must_use]
    pub fn business_time(&self, from: Instant, to: Instant) -> Span {
        match self {
            Self::Always => to - from,
            Self::Periods(periods) => {
                let first = periods.partition_point(|&(_, closes)| closes <= from);
                periods[first..]
                    .iter()
                    .take_while(|&&(opens, _)| opens < to)
                    .fold(Span::ZERO, |sum, &(opens, closes)| sum + (closes.min(to) - opens.max(from)))
            }
        }
    }

    /// The instant at which `span` of open time has passed since `from`; `None` if the service does not stay open long enough.
    #[must_use]
    pub fn after(&self, from: Instant, span: Span) -> Option<Instant> {
        match self {
            Self::Always => Some(from + span),
            Self::Periods(periods) => {
                let mut left = span;
                let first = periods.partition_point(|&(_, closes)| closes <= from);
                for &(opens, closes) in &periods[first..] {
                    let start = opens.max(from);
                    let open = closes - start;
                    if left <= open {
                        return Some(start + left);
                    }
                    left = Span::from_micros(left.as_micros() - open.as_micros());
                }
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn business_time_leaves_the_night_out() {
        let at = |hours: u64| Instant::from_micros(hours * 3_600_000_000);
        let hours = OpeningHours::Periods(vec![(at(9), at(17)), (at(33), at(41))]);
        assert_eq!(hours.business_time(at(16), at(34)), Span::from_seconds(2 * 3600));
        assert_eq!(hours.business_time(at(18), at(20)), Span::ZERO);
        assert_eq!(hours.after(at(16), Span::from_seconds(2 * 3600)), Some(at(34)));
        assert_eq!(hours.after(at(40), Span::from_seconds(7200)), None);
        assert!(hours.is_open(at(9)) && !hours.is_open(at(17)) && !hours.is_open(at(8)));
    }
}
