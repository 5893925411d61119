//! A voice call: its parties, where it stands, and how its time was spent.

use serde::{Deserialize, Serialize};

use crate::command::{ForcedEndReason, Supervision};
use crate::deadline::Timer;
use crate::id::{CallId, CallbackId, CustomerId, LegId, OfferId, OperatorId, QueueId, ServiceId, StepId, TicketId};
use crate::number::PhoneNumber;
use crate::place::PlaceIndex;
use crate::routing::Needs;
use crate::time::{Instant, Span};

/// What the end of a plain call looks at comes first, in as few lines of the cache as may be.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[repr(C)]
pub(crate) struct Call {
    pub(crate) stage: Stage,
    /// What the time since `since` counts as.
    pub(crate) spending: Spending,
    /// Answered since it was last presented to a queue.
    pub(crate) answered: bool,
    pub(crate) outbound: bool,
    pub(crate) priority: u8,
    pub(crate) service: ServiceId,
    /// The flow step that the call is at, or was queued from.
    pub(crate) step: StepId,
    /// The number that the next leg gets.
    pub(crate) next_leg: u16,
    pub(crate) operator_leg: u16,
    /// Of the flow step, the dial, or the forced end.
    pub(crate) timer: Timer,
    /// The queue that the call was last presented to.
    pub(crate) queue: Option<QueueId>,
    pub(crate) ticket: Option<TicketId>,
    pub(crate) supervisor: Option<Supervisor>,
    pub(crate) place: Option<PlaceIndex>,

    pub(crate) operator: Option<OperatorId>,
    /// Who had it before, where nobody has it now.
    pub(crate) last_operator: Option<OperatorId>,
    pub(crate) arrived: Instant,
    pub(crate) since: Instant,
    pub(crate) wait: Span,
    pub(crate) talk: Span,
    pub(crate) hold: Span,
    pub(crate) consult: Span,

    pub(crate) target: Option<Target>,
    /// When it was first queued, and its sequence then: the place that it keeps.
    pub(crate) queued: Option<(Instant, u64)>,
    pub(crate) customer: Option<CustomerId>,
    /// The customer's number: shown by the caller, or dialled.
    pub(crate) number: Option<PhoneNumber>,
    pub(crate) preferred: Option<OperatorId>,
    pub(crate) callback: Option<CallbackId>,
    pub(crate) needs: Needs,
}

/// The one place in which a live call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// In a step of the flow that plays, waits for a digit or records.
    Flow,
    /// The flow dials another number for the customer.
    Forwarding,
    /// In a queue: waiting, or ringing at operators.
    Queued,
    /// The customer is being dialled.
    Dialing,
    /// Handed on without asking: the target rings.
    BlindRinging,
    /// Customer and operator are connected.
    Talking,
    /// The customer is on hold; the operator may consult a target.
    Holding,
    /// Customer, operator and target are joined.
    Conference,
    /// The customer was connected to a number outside; no operator is left.
    Outside { forwarded: bool },
    /// The customer is gone, and the call has ended; operator and target still talk.
    Internal,
    /// The announcement of a forced end is playing.
    Ending(ForcedEndReason),
}

/// The party that an operator consults or hands on to, or the flow forwards to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Target {
    pub(crate) who: TargetParty,
    pub(crate) leg: u16,
    pub(crate) answered: bool,
    /// No answer, for a number; an operator's offer has its own.
    pub(crate) timer: Timer,
}

/// A supervisor who listens, whispers or has barged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Supervisor {
    pub(crate) operator: OperatorId,
    pub(crate) leg: u16,
    pub(crate) mode: Supervision,
    /// Their device has answered.
    pub(crate) joined: bool,
    /// No answer of the device.
    pub(crate) timer: Timer,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum TargetParty {
    /// The offer while it rings.
    Operator(OperatorId, Option<OfferId>),
    Number(PhoneNumber),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Spending {
    Nothing,
    Talk,
    Hold,
    Consult,
}

impl Call {
    pub(crate) fn new(service: ServiceId, outbound: bool, stage: Stage, now: Instant) -> Self {
        Self {
            service,
            customer: None,
            number: None,
            outbound,
            stage,
            priority: 0,
            preferred: None,
            needs: Needs::NONE,
            step: StepId(0),
            timer: Timer::NONE,
            queue: None,
            place: None,
            queued: None,
            answered: false,
            callback: None,
            ticket: None,
            next_leg: 1,
            operator: None,
            last_operator: None,
            operator_leg: 0,
            target: None,
            supervisor: None,
            arrived: now,
            spending: Spending::Nothing,
            since: now,
            wait: Span::ZERO,
            talk: Span::ZERO,
            hold: Span::ZERO,
            consult: Span::ZERO,
        }
    }

    /// Books the time until `now`, and says what the time from now on counts as.
    pub(crate) fn spend(&mut self, now: Instant, on: Spending) {
        let spent = now - self.since;
        match self.spending {
            Spending::Nothing => {}
            Spending::Talk => self.talk += spent,
            Spending::Hold => self.hold += spent,
            Spending::Consult => self.consult += spent,
        }
        self.spending = on;
        self.since = now;
    }

    /// The number of a new leg.
    pub(crate) fn new_leg(&mut self) -> u16 {
        let leg = self.next_leg;
        // A call that rings for days among operators who never answer begins again at 1: 0 stays the customer's.
        self.next_leg = leg.checked_add(1).unwrap_or(1);
        leg
    }

    /// An answered target who is an operator.
    pub(crate) fn consulted_operator(&self) -> Option<OperatorId> {
        match self.target {
            Some(Target { who: TargetParty::Operator(operator, _), .. }) => Some(operator),
            _ => None,
        }
    }
}

impl CallId {
    pub(crate) const fn leg(self, leg: u16) -> LegId {
        LegId { call: self, leg }
    }

    /// The customer's leg.
    #[must_use]
    pub const fn customer_leg(self) -> LegId {
        self.leg(0)
    }
}
