//! Operators' time: microseconds in each status, for each group and interval.

use serde::{Deserialize, Serialize};

use crate::Primitive;

/// An operator's status, in the order in which [`StaffTimes::in_status_us`] and every report list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Status {
    /// Not logged in.
    LoggedOut,
    /// Other work, by hand.
    Work,
    /// Waiting for a call; the only status that is offered one.
    Ready,
    /// Break.
    Break,
    /// A call rings.
    Ringing,
    /// Dialling out.
    Dialing,
    /// Talking with the customer.
    Talking,
    /// Talking with a consulted party.
    Consulting,
    /// The customer is on hold.
    Holding,
    /// Work on the ticket after the call.
    AfterCallWork,
}

impl Status {
    /// All statuses, in order.
    pub const ALL: [Self; 10] = [
        Self::LoggedOut,
        Self::Work,
        Self::Ready,
        Self::Break,
        Self::Ringing,
        Self::Dialing,
        Self::Talking,
        Self::Consulting,
        Self::Holding,
        Self::AfterCallWork,
    ];

    /// The name for print.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LoggedOut => "Logged out",
            Self::Work => "Work",
            Self::Ready => "Ready",
            Self::Break => "Break",
            Self::Ringing => "Ringing",
            Self::Dialing => "Dialing",
            Self::Talking => "Talking",
            Self::Consulting => "Consulting",
            Self::Holding => "Holding",
            Self::AfterCallWork => "After-call work",
        }
    }

    /// Whether the status counts as busy in the occupancy. Work and Break are neither busy nor Ready.
    #[must_use]
    pub const fn is_busy(self) -> bool {
        matches!(
            self,
            Self::Ringing | Self::Dialing | Self::Talking | Self::Consulting | Self::Holding | Self::AfterCallWork
        )
    }
}

/// Operators' time of one group in one interval, in µs. Merging is addition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StaffTimes {
    /// µs in each status, in the order of [`Status::ALL`].
    pub in_status_us: [u64; 10],
    /// Paid µs: logged in, or rostered where a roster is given.
    pub paid_us: u64,
    /// Rostered µs; 0 without a roster.
    pub rostered_us: u64,
    /// Rostered µs spent out of the rostered state.
    pub out_of_roster_us: u64,
}

impl StaffTimes {
    /// µs in `status`.
    #[must_use]
    pub const fn in_status(&self, status: Status) -> u64 {
        self.in_status_us[status as usize]
    }

    /// Adds `span_us` in `status`.
    #[inline]
    pub const fn add_status(&mut self, status: Status, span_us: u64) {
        self.in_status_us[status as usize] += span_us;
    }

    /// Ringing + Dialing + Talking + Consulting + Holding + AfterCallWork, in µs.
    #[must_use]
    pub fn busy_us(&self) -> u64 {
        self.sum_of(Status::is_busy)
    }

    fn sum_of(&self, wanted: impl Fn(Status) -> bool) -> u64 {
        let wanted = Status::ALL.into_iter().filter(|status| wanted(*status));
        wanted.fold(0, |sum, status| sum.saturating_add(self.in_status(status)))
    }

    /// All statuses but LoggedOut, in µs.
    #[must_use]
    pub fn logged_in_us(&self) -> u64 {
        self.sum_of(|status| status != Status::LoggedOut)
    }

    /// The time that `primitive` names; 0 for one that is not counted for operators.
    #[must_use]
    pub fn get(&self, primitive: Primitive) -> u64 {
        match primitive {
            Primitive::Busy => self.busy_us(),
            Primitive::Ready => self.in_status(Status::Ready),
            Primitive::Paid => self.paid_us,
            Primitive::Rostered => self.rostered_us,
            Primitive::OutOfRoster => self.out_of_roster_us,
            _ => 0,
        }
    }
}

impl std::ops::AddAssign<&Self> for StaffTimes {
    fn add_assign(&mut self, other: &Self) {
        for (sum, value) in self.in_status_us.iter_mut().zip(other.in_status_us) {
            *sum = sum.saturating_add(value);
        }
        self.paid_us = self.paid_us.saturating_add(other.paid_us);
        self.rostered_us = self.rostered_us.saturating_add(other.rostered_us);
        self.out_of_roster_us = self.out_of_roster_us.saturating_add(other.out_of_roster_us);
    }
}
