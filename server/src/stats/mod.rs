//! Primitives of every queue and operator by quarter of an hour, kept as documents, so that every figure is derived when
//! it is asked for, by the one definition in `callfloor_measure`.

mod projection;
mod report;

use callfloor_measure::{Counts, StaffTimes};
use serde::{Deserialize, Serialize};

pub use projection::Measures;
pub use report::{Every, Frame, Grouped, OperatorRow, QueueRow, group_operators, group_queues};
pub(crate) use report::{by_answer, figures, staff_figures};

use crate::document::Document;
use crate::estimate::Pace;
use crate::storage::Kind;

/// Length of a base interval, in microseconds: 15 minutes. Every time zone's offset is a multiple of it.
pub const INTERVAL_US: u64 = 900_000_000;

/// The row of dials of a service, beside the rows of queues.
pub(crate) const OUTBOUND: u32 = 0x1_0000;

/// The number of an interval's document: intervals in order, rows within them.
#[must_use]
pub const fn interval_id(interval: u64, row: u32) -> u64 {
    interval << 32 | row as u64
}

/// A row in an interval: a queue, or a service's dials.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueInterval {
    /// Interval since 1970, then row.
    pub id: u64,
    /// The primitives.
    pub counts: Counts,
}

impl Document for QueueInterval {
    const KIND: Kind = "queue-interval";
    const IS_REMEMBERED: bool = true;

    fn id(&self) -> u64 {
        self.id
    }
}

/// An operator in an interval.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorInterval {
    /// Interval since 1970, then the operator's number plus one.
    pub id: u64,
    /// Time in each status; paid is logged in.
    pub times: StaffTimes,
    /// What they did.
    pub work: OperatorWork,
}

/// What an operator did. Merging is addition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct OperatorWork {
    /// Calls answered from a queue, or taken over by a transfer.
    pub calls_in: u64,
    /// Customers dialled.
    pub dials: u64,
    /// Customers dialled who answered.
    pub dials_connected: u64,
    /// Offers.
    pub rings: u64,
    /// Offers that were missed or declined.
    pub missed_rings: u64,
    /// Chats answered.
    pub chats: u64,
    /// Tickets solved, by the one who owned them.
    pub tickets_solved: u64,
}

impl std::ops::AddAssign<&Self> for OperatorWork {
    fn add_assign(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.calls_in, other.calls_in),
            (&mut self.dials, other.dials),
            (&mut self.dials_connected, other.dials_connected),
            (&mut self.rings, other.rings),
            (&mut self.missed_rings, other.missed_rings),
            (&mut self.chats, other.chats),
            (&mut self.tickets_solved, other.tickets_solved),
        ] {
            *sum = sum.saturating_add(more);
        }
    }
}

impl Document for OperatorInterval {
    const KIND: Kind = "operator-interval";
    const IS_REMEMBERED: bool = true;

    fn id(&self) -> u64 {
        self.id
    }
}

/// What an operator is doing now, and since when: time that no interval holds yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskNow {
    /// The operator's number plus one.
    pub id: u64,
    /// Place in [`callfloor_engine::Status::ALL`].
    pub status: u8,
    /// Since when, in microseconds since 1970.
    pub since_us: u64,
    /// The row whose contact they work on.
    pub row: Option<u32>,
}

impl Document for DeskNow {
    const KIND: Kind = "desk-now";
    const IS_REMEMBERED: bool = true;

    fn id(&self) -> u64 {
        self.id
    }
}

/// A queue's line: how many are in it, and how it moves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The queue's number plus one.
    pub id: u64,
    /// Calls, chats or tickets in the queue or ringing, and the pace of answers.
    pub pace: Pace,
    /// The last interval in which its row has a document.
    pub interval: u64,
}

impl Document for Line {
    const KIND: Kind = "queue-line";
    const IS_REMEMBERED: bool = true;

    fn id(&self) -> u64 {
        self.id
    }
}
