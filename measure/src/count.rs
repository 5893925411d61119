//! The primitives of a queue in an interval: exact counts and sums of whole microseconds, added and never averaged.

use serde::{Deserialize, Serialize};

use crate::CountedBy;

macro_rules! counts {
    ($($(#[doc = $doc:literal])+ $variant:ident $field:ident,)+) => {
        /// Everything that is counted for one queue in one interval. Merging is addition.
        ///
        /// Calls count in the interval in which they *arrived*; the fields that end in `_here` count in the interval in
        /// which the call left the queue. Times are split over the intervals that they overlap.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Counts {
            $($(#[doc = $doc])+ #[serde(skip_serializing_if = "is_zero")] pub $field: u64,)+
        }

        impl std::ops::AddAssign<&Self> for Counts {
            fn add_assign(&mut self, other: &Self) {
                // Saturates: only a forged file comes near 2^64.
                $(self.$field = self.$field.saturating_add(other.$field);)+
            }
        }

        const EMPTY: Counts = Counts { $($field: 0,)+ };

        /// A countable quantity of which every ratio is made.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Primitive {
            $($(#[doc = $doc])+ $variant,)+
            /// Talk, hold, consult and after-call work together, in µs.
            Handle,
            /// Operators' busy time, in µs: see [`StaffTimes::busy_us`](crate::StaffTimes::busy_us).
            Busy,
            /// Operators' time in Ready, in µs.
            Ready,
            /// Operators' paid time, in µs.
            Paid,
            /// Operators' rostered time, in µs; 0 without a roster.
            Rostered,
            /// Rostered time spent out of the rostered state, in µs.
            OutOfRoster,
            /// Length of the interval or period itself, in µs.
            Elapsed,
            /// One for each replication.
            Replication,
        }

        impl Counts {
            /// The count that `primitive` names; 0 for one that is not counted for a queue.
            #[must_use]
            pub const fn get(&self, primitive: Primitive) -> u64 {
                match primitive {
                    $(Primitive::$variant => self.$field,)+
                    Primitive::Handle => self.handle_us(),
                    _ => 0,
                }
            }
        }
    };
}

counts! {
    /// N: calls presented to the queue, once each, however often they rang.
    Offered offered,
    /// A: answered.
    Answered answered,
    /// A_T: answered with wait ≤ T.
    AnsweredInTime answered_in_time,
    /// B: abandoned while queued or ringing.
    Abandoned abandoned,
    /// B_T: abandoned with wait ≤ T.
    AbandonedInTime abandoned_in_time,
    /// B_s: abandoned with wait ≤ s.
    AbandonedShort abandoned_short,
    /// F: left the queue unanswered for somewhere else: overflow, callback accepted, forwarded, voicemail.
    FlowedOut flowed_out,
    /// Calls that entered the queue, where calls count by their answer and N is those that left it; set by
    /// [`Counts::seen`].
    Entered entered,
    /// Of F: callbacks accepted.
    CallbacksAccepted callbacks_accepted,
    /// R: refused before being offered: queue full, closed, service without the contract.
    Refused refused,
    /// Numerator of the service level by the queue's own rule; set by [`Counts::judged`].
    LevelMet level_met,
    /// Denominator of the service level by the queue's own rule; set by [`Counts::judged`].
    LevelOf level_of,
    /// Calls whose wait was longer than zero, however it ended.
    Delayed delayed,
    /// Calls that left the queue by an answer in this interval, whenever they arrived.
    AnsweredHere answered_here,
    /// Of those, with wait ≤ T.
    AnsweredInTimeHere answered_in_time_here,
    /// Calls that abandoned in this interval, whenever they arrived.
    AbandonedHere abandoned_here,
    /// Calls that flowed out in this interval, whenever they arrived.
    FlowedOutHere flowed_out_here,
    /// W0: in the queue or ringing at the interval's start.
    WaitingAtStart waiting_at_start,
    /// W1: in the queue or ringing at the interval's end.
    WaitingAtEnd waiting_at_end,
    /// Sum of the waits of answered calls, in µs.
    WaitAnswered wait_answered_us,
    /// Sum of the waits of abandoned calls, in µs.
    WaitAbandoned wait_abandoned_us,
    /// Sum of the waits of calls that flowed out, in µs.
    WaitFlowedOut wait_flowed_out_us,
    /// Talk time, in µs.
    Talk talk_us,
    /// Time on hold, in µs.
    Hold hold_us,
    /// Consult time, in µs.
    Consult consult_us,
    /// After-call work, in µs.
    AfterCall after_call_us,
    /// Ring time, in µs: assigned to answered, missed or abandoned. Not part of the handle time.
    Ring ring_us,
    /// Dial time, in µs. Not part of the handle time.
    Dial dial_us,
    /// Rings: offers to an operator, several for one call where it was missed.
    Rings rings,
    /// Rings that were missed or declined.
    MissedRings missed_rings,
    /// Holds of a customer, several for one call where it was held more than once.
    Holds holds,
    /// Calls that were held at least once.
    HeldCalls held_calls,
    /// Consults begun.
    Consults consults,
    /// Transfers completed.
    Transfers transfers,
    /// Calls ended by force.
    ForcedEnds forced_ends,
    /// Outbound dials.
    Dials dials,
    /// Outbound dials that reached the customer.
    DialsConnected dials_connected,
    /// Tickets created.
    TicketsCreated tickets_created,
    /// Tickets solved.
    TicketsSolved tickets_solved,
}

impl Counts {
    /// Handle time in µs: talk + hold + consult + after-call work. Ring and dial time are not in it.
    #[must_use]
    pub const fn handle_us(&self) -> u64 {
        self.talk_us.saturating_add(self.hold_us).saturating_add(self.consult_us).saturating_add(self.after_call_us)
    }

    /// The same counts with the service level's two parts set by `rule`.
    #[must_use]
    pub const fn judged(mut self, rule: EarlyAbandons) -> Self {
        (self.level_met, self.level_of) = match rule {
            EarlyAbandons::Short => {
                (self.answered_in_time, self.offered.saturating_sub(self.abandoned_short + self.flowed_out))
            }
            EarlyAbandons::Ignore => (self.answered_in_time, self.offered.saturating_sub(self.abandoned_in_time)),
            EarlyAbandons::Negative => (self.answered_in_time, self.offered),
            EarlyAbandons::Positive => (self.answered_in_time + self.abandoned_in_time, self.offered),
            EarlyAbandons::Handled => (self.answered_in_time, self.answered),
        };
        self
    }

    /// The same counts with N as `by` has it: those that entered the queue, or those that left it.
    #[must_use]
    pub const fn seen(mut self, by: CountedBy) -> Self {
        if matches!(by, CountedBy::Answer) {
            self.entered = self.offered;
            self.offered = self.answered + self.abandoned + self.flowed_out;
        }
        self
    }

    /// What an outbound queue adds to all queues together: dials and tickets. Its talk time is no inbound call's handle time.
    pub(crate) const fn outbound_part(&self) -> Self {
        let mut part = EMPTY;
        part.dials = self.dials;
        part.dials_connected = self.dials_connected;
        part.dial_us = self.dial_us;
        part.tickets_created = self.tickets_created;
        part.tickets_solved = self.tickets_solved;
        part
    }

    /// Adds `span_us` to the given part of the handle, ring or dial time.
    #[inline]
    pub const fn add_part(&mut self, part: HandlePart, span_us: u64) {
        match part {
            HandlePart::Talk => self.talk_us += span_us,
            HandlePart::Hold => self.hold_us += span_us,
            HandlePart::Consult => self.consult_us += span_us,
            HandlePart::AfterCall => self.after_call_us += span_us,
            HandlePart::Ring => self.ring_us += span_us,
            HandlePart::Dial => self.dial_us += span_us,
        }
    }

    /// `(W0 + N, A + B + F + W1)`, which are equal wherever no call was lost or counted twice.
    ///
    /// Answers, abandonments and flow-outs are those that happened in the interval, as W0 and W1 demand; N is those that
    /// entered the queue in it.
    #[must_use]
    pub const fn identity(&self, by: CountedBy) -> (u64, u64) {
        let came = match by {
            CountedBy::Arrival => self.offered,
            CountedBy::Answer => self.entered,
        };
        (
            self.waiting_at_start.saturating_add(came),
            self.answered_here
                .saturating_add(self.abandoned_here)
                .saturating_add(self.flowed_out_here)
                .saturating_add(self.waiting_at_end),
        )
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's skip_serializing_if passes a reference")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A stretch of an operator's time that belongs to one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HandlePart {
    /// Talking with the customer.
    Talk,
    /// The customer is on hold.
    Hold,
    /// Talking with a consulted party.
    Consult,
    /// Work on the ticket after the call.
    AfterCall,
    /// Ringing at an operator; not in the handle time.
    Ring,
    /// Dialling out; not in the handle time.
    Dial,
}

/// How calls that were abandoned early enter the service level: the five rules in use.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EarlyAbandons {
    /// `A_T ÷ (N − B_s − F)`: short abandons and flow-outs are left out. The default.
    #[default]
    Short,
    /// `A_T ÷ (N − B_T)`: those abandoned within T are left out.
    Ignore,
    /// `A_T ÷ N`: they count against.
    Negative,
    /// `(A_T + B_T) ÷ N`: they count for.
    Positive,
    /// `A_T ÷ A`: only answered calls are looked at. Flattering: a report says so.
    Handled,
}

impl EarlyAbandons {
    /// The formula, for print.
    #[must_use]
    pub const fn formula(self) -> &'static str {
        match self {
            Self::Short => "answered in time ÷ (offered − short abandons − flowed out)",
            Self::Ignore => "answered in time ÷ (offered − abandoned in time)",
            Self::Negative => "answered in time ÷ offered",
            Self::Positive => "(answered + abandoned in time) ÷ offered",
            Self::Handled => "answered in time ÷ answered (flattering: leaves out who gave up)",
        }
    }

    /// The rule's name as it is written in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Short => "short",
            Self::Ignore => "ignore",
            Self::Negative => "negative",
            Self::Positive => "positive",
            Self::Handled => "handled",
        }
    }
}
