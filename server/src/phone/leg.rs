//! One party's part in a call, as the world has it.

use callfloor_engine::{AudioId, CallId, LegId, OfferId, OperatorId};
use callfloor_sip::media::{MixId, SessionId};

/// A leg and its telephone.
#[derive(Debug)]
pub(super) struct Leg {
    pub(super) role: Role,
    /// The dialog; `None` for a browser.
    pub(super) sip: Option<callfloor_sip::LegId>,
    /// Its audio; `None` for a browser that has none yet.
    pub(super) session: Option<SessionId>,
    pub(super) state: State,
    pub(super) hears: Hears,
    /// What the media engine was last told that the session hears.
    pub(super) heard: Option<(SessionId, Heard)>,
}

/// Whose leg it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Customer,
    Operator(OperatorId),
    Target,
}

/// How far it has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// A caller who is not answered yet, with their offer; without one, ours goes with the answer.
    Calling(Option<String>),
    /// An operator's telephone rings for this offer.
    Ringing(OfferId),
    /// A number is being called.
    Dialled,
    /// A supervisor's device is called, or has answered and is not in the call yet.
    Supervisor,
    /// The operator's telephone is called first; then the number.
    Connected,
}

/// What a leg is to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hears {
    Nothing,
    Music(AudioId),
    Announcement(AudioId),
    /// The far end rings.
    RingBack,
    /// Another leg.
    Leg(LegId),
    /// Everybody else in the call.
    Conference(CallId),
}

/// What a session hears, as far as it is to be known again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Peer(SessionId),
    Mix(MixId),
    Else,
}

impl Leg {
    pub(super) const fn new(role: Role, state: State) -> Self {
        Self { role, sip: None, session: None, state, hears: Hears::Nothing, heard: None }
    }
}
