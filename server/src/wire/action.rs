//! What the host is to do in the world, as screens and browsers' devices see it.

use callfloor_engine::{Action, RefusalCause};
use serde::Serialize;

use super::{Sight, Supervision, WorkRef, shown};
use crate::http::{CallRef, OfferRef};

/// A leg: which call, and its number within it; 0 is the customer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Leg {
    /// Which call.
    pub call: CallRef,
    /// Its number.
    pub leg: u16,
}

impl From<callfloor_engine::LegId> for Leg {
    fn from(leg: callfloor_engine::LegId) -> Self {
        Self { call: leg.call.into(), leg: leg.leg }
    }
}

/// An order to the world.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "action", rename_all = "kebab-case")]
#[expect(missing_docs, reason = "docs/events.md describes each; the names are those of the engine's actions")]
pub enum WireAction {
    RefuseCall {
        reference: u64,
        cause: &'static str,
    },
    Ring {
        operator: u32,
        offer: OfferRef,
        work: WorkRef,
        leg: Option<Leg>,
        until_us: u64,
        auto_answer: bool,
    },
    StopRinging {
        operator: u32,
        offer: OfferRef,
    },
    Connect {
        a: Leg,
        b: Leg,
    },
    Join {
        call: CallRef,
    },
    PlayMusic {
        leg: Leg,
        audio: u32,
    },
    PlayAnnouncement {
        leg: Leg,
        audio: u32,
        digits: bool,
    },
    RecordVoicemail {
        leg: Leg,
        limit_us: u64,
    },
    Dial {
        leg: Leg,
        to: String,
        from: Option<String>,
    },
    HangUp {
        leg: Leg,
    },
    CallSupervisor {
        operator: u32,
        leg: Leg,
    },
    Supervise {
        leg: Leg,
        operator: Leg,
        mode: Supervision,
    },
    /// An action that this version's wire has no name for.
    Unnamed,
}

impl WireAction {
    /// The wire form; numbers are shown as `sight` allows.
    #[must_use]
    pub fn of(action: &Action, sight: Sight) -> Self {
        match *action {
            Action::RefuseCall { reference, cause } => Self::RefuseCall { reference, cause: refusal(cause) },
            Action::Ring { operator, offer, work, leg, until, auto_answer } => Self::Ring {
                operator: operator.0,
                offer: offer.into(),
                work: work.into(),
                leg: leg.map(Leg::from),
                until_us: until.as_micros(),
                auto_answer,
            },
            Action::StopRinging { operator, offer } => Self::StopRinging { operator: operator.0, offer: offer.into() },
            Action::Connect { a, b } => Self::Connect { a: a.into(), b: b.into() },
            Action::Join { call } => Self::Join { call: call.into() },
            Action::PlayMusic { leg, audio } => Self::PlayMusic { leg: leg.into(), audio: audio.0 },
            Action::PlayAnnouncement { leg, audio, digits } => {
                Self::PlayAnnouncement { leg: leg.into(), audio: audio.0, digits }
            }
            Action::RecordVoicemail { leg, limit } => {
                Self::RecordVoicemail { leg: leg.into(), limit_us: limit.as_micros() }
            }
            Action::Dial { leg, to, from } => Self::Dial {
                leg: leg.into(),
                to: shown(to, sight.numbers),
                from: from.map(|number| shown(number, true)),
            },
            Action::HangUp { leg } => Self::HangUp { leg: leg.into() },
            Action::CallSupervisor { operator, leg } => Self::CallSupervisor { operator: operator.0, leg: leg.into() },
            Action::Supervise { leg, operator, mode } => {
                Self::Supervise { leg: leg.into(), operator: operator.into(), mode: mode.into() }
            }
            _ => Self::Unnamed,
        }
    }
}

pub(super) const fn refusal(cause: RefusalCause) -> &'static str {
    match cause {
        RefusalCause::NoInboundContract => "no-inbound-contract",
    }
}
