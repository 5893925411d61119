//! An operator's screen: what the event stream tells one operator of their own work, and a supervisor of the whole floor.

use callfloor_engine::Status;
use serde::Deserialize;

/// A message of the stream.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    /// 0 in a notice about the stream itself.
    pub(crate) number: u64,
    /// When, by the server's clock, in microseconds since 1970.
    pub(crate) at_us: i64,
    pub(crate) event: Event,
}

/// A reference `NUMBER-SLOT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Reference {
    /// The running number: it alone says which.
    pub(crate) number: u64,
    slot: u32,
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.number, self.slot)
    }
}

impl<'de> Deserialize<'de> for Reference {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let read = || {
            let (number, slot) = text.split_once('-')?;
            Some(Self { number: number.parse().ok()?, slot: slot.parse().ok()? })
        };
        read().ok_or_else(|| serde::de::Error::custom(format!("\"{text}\" is no reference")))
    }
}

/// What is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Work {
    Call(Reference),
    Chat(Reference),
    Ticket(Reference),
    Callback(Reference),
}

/// Where a ticket comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Origin {
    PhoneIn(Reference),
    PhoneOut(Reference),
    Chat(Reference),
    Voicemail(Reference),
    Written,
}

/// To whom a call is handed on.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Party {
    Operator(u32),
    Number(String),
    Queue(u16),
}

/// A fact; those that nobody here acts on are [`Event::Other`].
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub(crate) enum Event {
    Hello {
        newest: u64,
    },
    TooOld {},
    CallArrived {
        call: Reference,
    },
    CallQueued {
        call: Reference,
        queue: u16,
    },
    QueueFull {
        queue: u16,
    },
    CallFlowedOut {
        call: Reference,
        wait_us: u64,
    },
    CallRecovered {},
    CallAnswered {
        call: Reference,
        operator: u32,
        wait_us: u64,
    },
    CallResumed {
        call: Reference,
        operator: u32,
    },
    CallHeld {
        call: Reference,
    },
    CallReleased {
        operator: u32,
    },
    ConsultStarted {
        call: Reference,
    },
    ConsultAnswered {
        operator: u32,
    },
    ConsultEnded {
        operator: u32,
        end: String,
    },
    CallTransferred {
        call: Reference,
        from: u32,
        to: Party,
        blind: bool,
    },
    ForcedEndStarted {
        call: Reference,
    },
    DialStarted {
        operator: u32,
    },
    DialAnswered {
        call: Reference,
        operator: u32,
    },
    CallEnded {
        call: Reference,
        operator: Option<u32>,
        cause: String,
        wait_us: u64,
    },
    OfferMade {
        offer: String,
        work: Work,
        operator: u32,
        queue: Option<u16>,
    },
    OfferEnded {
        offer: String,
        work: Work,
        operator: u32,
        end: String,
    },
    StatusChanged {
        operator: u32,
        #[serde(deserialize_with = "status")]
        from: Status,
        #[serde(deserialize_with = "status")]
        to: Status,
        call: Option<Reference>,
    },
    CallbackReceived {
        queue: u16,
        call: Option<Reference>,
    },
    ChatStatusChanged {
        operator: u32,
        to: String,
    },
    /// A line of a chat that somebody has in hand: a notice without a number.
    ChatLine {
        chat: Reference,
        from: String,
    },
    ChatArrived {
        chat: Reference,
        queue: u16,
    },
    ChatAnswered {
        chat: Reference,
        operator: u32,
        wait_us: u64,
    },
    ChatEnded {
        chat: Reference,
        operator: Option<u32>,
        end: String,
        wait_us: u64,
        handled_us: u64,
    },
    TicketCreated {
        ticket: Reference,
        origin: Origin,
        owner: Option<u32>,
    },
    TicketQueued {
        ticket: Reference,
        queue: u16,
    },
    TicketAssigned {
        ticket: Reference,
        operator: u32,
        wait_us: u64,
    },
    TicketChanged {
        ticket: Reference,
        change: serde_json::Value,
    },
    #[serde(other)]
    Other,
}

fn status<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Status, D::Error> {
    let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
    Ok(match &*text {
        "logged-out" => Status::LoggedOut,
        "work" => Status::Work,
        "ready" => Status::Ready,
        "break" => Status::Break,
        "ringing" => Status::Ringing,
        "dialing" => Status::Dialing,
        "talking" => Status::Talking,
        "consulting" => Status::Consulting,
        "holding" => Status::Holding,
        "after-call-work" => Status::AfterCallWork,
        other => return Err(serde::de::Error::custom(format!("\"{other}\" is no status"))),
    })
}

impl Event {
    /// Whether an operator has to know it: it is about what they have in hand.
    pub(crate) fn concerns(&self, me: u32) -> bool {
        match self {
            Self::CallAnswered { operator, .. }
            | Self::CallResumed { operator, .. }
            | Self::CallReleased { operator, .. }
            | Self::ConsultAnswered { operator, .. }
            | Self::ConsultEnded { operator, .. }
            | Self::DialStarted { operator, .. }
            | Self::DialAnswered { operator, .. }
            | Self::OfferMade { operator, .. }
            | Self::OfferEnded { operator, .. }
            | Self::StatusChanged { operator, .. }
            | Self::ChatStatusChanged { operator, .. }
            | Self::ChatAnswered { operator, .. }
            | Self::TicketAssigned { operator, .. } => *operator == me,
            Self::CallTransferred { from, to, .. } => *from == me || *to == Party::Operator(me),
            // An operator is told of their own alone.
            Self::ChatLine { .. } => true,
            Self::TicketCreated { owner, .. } => *owner == Some(me),
            Self::CallEnded { operator, .. } | Self::ChatEnded { operator, .. } => *operator == Some(me),
            _ => false,
        }
    }
}

/// Reads a message; `None` for one that cannot be read, which a later version of the server may send.
pub(crate) fn read(text: &str) -> Option<Message> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(default)]
        number: u64,
        #[serde(default)]
        at_us: i64,
    }
    // Read twice, for `#[serde(flatten)]` keeps every field of every message in between.
    let Head { number, at_us } = serde_json::from_str(text).ok()?;
    Some(Message { number, at_us, event: serde_json::from_str(text).ok()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_as_the_server_writes_them() {
        let text =
            r#"{"number":204,"at_us":1764082800000000,"event":"call-queued","call":"31-4","queue":0,"priority":0}"#;
        let message = read(text).expect("a message");
        assert_eq!((message.number, message.at_us), (204, 1_764_082_800_000_000));
        assert!(matches!(message.event, Event::CallQueued { call: Reference { number: 31, slot: 4 }, queue: 0 }));
        let text = r#"{"number":1,"at_us":5,"event":"status-changed","operator":3,"from":"work","to":"after-call-work","reason":0,"call":null}"#;
        let message = read(text).expect("a message");
        assert!(message.event.concerns(3) && !message.event.concerns(4));
        assert!(matches!(message.event, Event::StatusChanged { to: Status::AfterCallWork, call: None, .. }));
        let text = r#"{"number":1,"at_us":5,"event":"offer-made","offer":"9-0","work":{"call":"2-1"},"operator":1,"queue":null,"until_us":9}"#;
        assert!(matches!(
            read(text).expect("a message").event,
            Event::OfferMade { work: Work::Call(Reference { number: 2, .. }), queue: None, .. }
        ));
        let text = r#"{"number":1,"at_us":5,"event":"call-transferred","call":"2-1","from":1,"to":{"operator":7},"blind":true}"#;
        assert!(read(text).expect("a message").event.concerns(7));
        let text = r#"{"number":1,"at_us":5,"event":"ticket-created","ticket":"1-0","service":0,"origin":"written","owner":null,"customer":null,"reference":0}"#;
        assert!(matches!(read(text).expect("a message").event, Event::TicketCreated { origin: Origin::Written, .. }));
        assert!(matches!(
            read(r#"{"event":"hello","newest":7}"#).expect("a message").event,
            Event::Hello { newest: 7 }
        ));
        assert!(matches!(
            read(r#"{"number":1,"at_us":5,"event":"of-tomorrow"}"#).expect("a message").event,
            Event::Other
        ));
        assert!(
            read("x").is_none()
                && read(r#"{"number":1,"at_us":5,"event":"call-queued","call":"x","queue":0}"#).is_none()
        );
    }
}
