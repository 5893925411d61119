//! Typed ids. Configured things are numbered by their place in the configuration; live things carry a running
//! number besides their slot, so that an id of a call that is gone never names another call.

use core::fmt;

use serde::{Deserialize, Serialize};

macro_rules! configured {
    ($($(#[$doc:meta])* $name:ident, $repr:ty, $word:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub $repr);

        impl $name {
            /// The place in the configuration's list.
            #[must_use]
            pub const fn index(self) -> usize {
                self.0 as usize
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($word, " {}"), self.0)
            }
        }
    )*};
}

configured! {
    /// A service: an index into [`Floor::services`](crate::Floor::services).
    ServiceId, u16, "service";
    /// A queue: an index into [`Floor::queues`](crate::Floor::queues).
    QueueId, u16, "queue";
    /// A skill: an index into [`Floor::skills`](crate::Floor::skills).
    SkillId, u16, "skill";
    /// An operator: an index into [`Floor::operators`](crate::Floor::operators).
    OperatorId, u32, "operator";
    /// A step of a service's call flow: an index into [`Service::flow`](crate::Service::flow).
    StepId, u16, "step";
    /// A recording or text to be spoken; what it holds is the host's business.
    AudioId, u32, "audio";
    /// A reason for Work or Break; its name is the host's business. See [`reason`](crate::reason) for the engine's own.
    ReasonId, u16, "reason";
}

/// A customer's record in the host's store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct CustomerId(pub u64);

macro_rules! live {
    ($($(#[$doc:meta])* $name:ident, $word:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name {
            pub(crate) number: u32,
            pub(crate) slot: u32,
        }

        impl $name {
            /// The running number: 1 for the first of its kind, never used again (until 2³² of them).
            #[must_use]
            pub const fn number(self) -> u32 {
                self.number
            }

            /// The arena slot: small, and used again by a later one; for hosts that keep a table beside the engine.
            #[must_use]
            pub const fn slot(self) -> u32 {
                self.slot
            }

            /// The id with this running number and slot, for wire formats; one that names nothing live is refused.
            #[must_use]
            pub const fn from_parts(number: u32, slot: u32) -> Self {
                Self { number, slot }
            }
        }

        impl crate::arena::Key for $name {
            fn new(number: u32, slot: u32) -> Self {
                Self { number, slot }
            }
            fn number(self) -> u32 {
                self.number
            }
            fn slot(self) -> u32 {
                self.slot
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($word, " {}"), self.number)
            }
        }
    )*};
}

live! {
    /// A voice call, inbound or outbound.
    CallId, "call";
    /// A chat with one customer.
    ChatId, "chat";
    /// A ticket that is not Closed.
    TicketId, "ticket";
    /// A customer who waits to be called back.
    CallbackId, "callback";
    /// One presentation of a call, chat, ticket or callback to one operator.
    OfferId, "offer";
}

/// One party's part in a call: `leg 0` is the customer's; every ring, dial or consult has the next number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LegId {
    /// The call that the leg belongs to.
    pub call: CallId,
    /// Its number within the call.
    pub leg: u16,
}

impl fmt::Display for LegId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "leg {} of {}", self.leg, self.call)
    }
}
