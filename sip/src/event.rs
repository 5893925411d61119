//! What the endpoint tells: facts about legs, registrations and requests.

use crate::digest::Proof;
use crate::flow::Flow;
use std::fmt;
use std::time::Duration;

macro_rules! id {
    ($name:ident $word:literal $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub(crate) u64);

        impl $name {
            /// The running number in it: never given twice by one endpoint.
            #[must_use]
            pub const fn number(self) -> u64 {
                self.0
            }

            /// The one of that number: for a host that drives a [`Stack`](crate::Stack) by hand and counts by itself, or that
            /// kept the number in a file.
            #[must_use]
            pub const fn from_number(number: u64) -> Self {
                Self(number)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($word, " {}"), self.0)
            }
        }
    };
}

id!(LegId "leg" "One party's part in a call: one SIP dialog, incoming or outgoing.");
id!(RequestId "request" "A request from outside that waits for the host's answer.");
id!(RegistrationId "registration" "A registration that this endpoint keeps up at another registrar.");

/// Why a leg ended. Each leg ends exactly once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The peer sent BYE.
    PeerHungUp,
    /// The host hung up an established leg.
    HungUp,
    /// The host refused an incoming leg with this code.
    Refused {
        /// The response code sent.
        code: u16,
    },
    /// The caller gave up before the answer (CANCEL).
    CallerCancelled,
    /// The host gave up an outgoing leg before its answer.
    Cancelled,
    /// The peer refused an outgoing leg.
    Failed {
        /// The final response code.
        code: u16,
        /// The peer's reason phrase.
        reason: String,
        /// Its Retry-After, in seconds.
        retry_after_s: Option<u32>,
    },
    /// The peer did not answer a request at all.
    NoResponse,
    /// Our 200 was never acknowledged.
    NoAck,
    /// The session was not refreshed in time (RFC 4028).
    SessionExpired,
    /// The peer no longer knows the dialog (481), or refused to go on with it.
    PeerLost {
        /// The code that said so.
        code: u16,
    },
    /// No connection to the peer, or its name does not resolve.
    Unreachable {
        /// What failed.
        what: String,
    },
    /// The endpoint was shut down.
    Shutdown,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PeerHungUp => f.write_str("the peer hung up"),
            Self::HungUp => f.write_str("hung up"),
            Self::Refused { code } => write!(f, "refused with {code}"),
            Self::CallerCancelled => f.write_str("the caller gave up"),
            Self::Cancelled => f.write_str("cancelled"),
            Self::Failed { code, reason, .. } => write!(f, "the peer refused: {code} {reason}"),
            Self::NoResponse => f.write_str("no response"),
            Self::NoAck => f.write_str("the answer was not acknowledged"),
            Self::SessionExpired => f.write_str("the session timer ran out"),
            Self::PeerLost { code } => write!(f, "the peer no longer knows the call ({code})"),
            Self::Unreachable { what } => write!(f, "unreachable: {what}"),
            Self::Shutdown => f.write_str("the endpoint was shut down"),
        }
    }
}

/// A call that came in.
#[derive(Clone, Debug)]
pub struct Incoming {
    /// The new leg.
    pub leg: LegId,
    /// The number or name that was called: the request URI's user part.
    pub called: String,
    /// The request URI's host, in small letters.
    pub domain: String,
    /// The request URI.
    pub uri: String,
    /// The caller's number or name: P-Asserted-Identity where it is given, else From. The host decides whom to believe.
    pub caller: String,
    /// The caller's display name.
    pub display: Option<String>,
    /// The URI of From.
    pub from_uri: String,
    /// The To URI's user part.
    pub to_user: String,
    /// The Call-ID, which the far end's log has too.
    pub call_id: String,
    /// Where it came from.
    pub flow: Flow,
    /// The SDP offer; without one the host's SDP in the answer is the offer, and [`Event::Confirmed`] brings the answer.
    pub offer: Option<String>,
    /// Credentials with a fresh nonce of ours, if there were any; see [`Proof::verify`].
    pub proof: Option<Proof>,
    /// This call is to take the place of that leg (Replaces, RFC 3891): answer it, connect it as that leg was, hang that leg up.
    pub replaces: Option<LegId>,
    /// Who referred the caller here (Referred-By), if said.
    pub referred_by: Option<String>,
    /// Whether the caller wants early media at all; false if it sent no offer.
    pub early_media: bool,
}

/// Where a REFER points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReferTarget {
    /// The URI to call, without headers.
    pub uri: String,
    /// Its user part.
    pub user: String,
    /// The dialog that the new call is to replace: an attended transfer. `leg` is set if it is one of ours.
    pub replaces: Option<Replaces>,
}

/// The dialog named by a Replaces header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replaces {
    /// Our leg, if the dialog is one of ours.
    pub leg: Option<LegId>,
    /// Call-ID.
    pub call_id: String,
    /// The tag that the receiver of the INVITE calls its own.
    pub to_tag: String,
    /// The other tag.
    pub from_tag: String,
    /// Only if it is still ringing.
    pub early_only: bool,
}

/// One contact of a REGISTER.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// The URI to be called.
    pub uri: String,
    /// For how long, in seconds; 0 removes it.
    pub expires_s: u32,
    /// `+sip.instance`, which names the device.
    pub instance: Option<String>,
}

/// A REGISTER with credentials, which the host verifies and answers.
///
/// Requests without credentials, or with an old nonce, were challenged and are not shown.
#[derive(Clone, Debug)]
pub struct RegisterRequest {
    /// To answer it: [`Endpoint::accept_register`](crate::Endpoint::accept_register) or [`Endpoint::refuse`](crate::Endpoint::refuse).
    pub id: RequestId,
    /// The address of record's user part (of To).
    pub user: String,
    /// The address of record's host (of To), in small letters.
    pub domain: String,
    /// The credentials.
    pub proof: Proof,
    /// What is bound or removed; empty asks for the present bindings.
    pub contacts: Vec<Contact>,
    /// `Contact: *` with `Expires: 0`: remove all.
    pub remove_all: bool,
    /// Where it came from: keep it with the binding and call the phone through it.
    pub flow: Flow,
    /// The device's name of itself.
    pub user_agent: Option<String>,
}

/// A contact that the host has accepted, as it goes into the 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// The URI as the phone gave it.
    pub uri: String,
    /// For how long, in seconds.
    pub expires_s: u32,
}

/// A fact.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A call came in. Order ring, progress, answer or reject; nothing is sent but 100 until then.
    Incoming(Box<Incoming>),
    /// An incoming leg that was answered is established: the caller has acknowledged.
    Confirmed {
        /// The leg.
        leg: LegId,
        /// The SDP answer, if the caller's INVITE had no offer.
        sdp: Option<String>,
    },
    /// The peer of an outgoing leg rings.
    Ringing {
        /// The leg.
        leg: LegId,
        /// 180, or another provisional code without SDP.
        code: u16,
    },
    /// The peer of an outgoing leg sends audio before its answer.
    EarlyMedia {
        /// The leg.
        leg: LegId,
        /// The SDP answer so far.
        sdp: String,
    },
    /// An outgoing leg was answered. If our INVITE had no offer, answer the peer's with
    /// [`Endpoint::accept_offer`](crate::Endpoint::accept_offer): the ACK waits for it.
    Answered {
        /// The leg.
        leg: LegId,
        /// The SDP answer (of the 200, or the earlier one that it leaves standing); the offer, if our INVITE had none.
        sdp: Option<String>,
    },
    /// The peer wants to change the session (re-INVITE or UPDATE): answer with [`Endpoint::accept_offer`](crate::Endpoint::accept_offer)
    /// or [`Endpoint::refuse_offer`](crate::Endpoint::refuse_offer).
    Offer {
        /// The leg.
        leg: LegId,
        /// The new offer; `None` asks for ours.
        sdp: Option<String>,
    },
    /// Our offer was accepted.
    OfferAccepted {
        /// The leg.
        leg: LegId,
        /// The answer.
        sdp: Option<String>,
    },
    /// Our offer was refused; the session goes on as before.
    OfferRefused {
        /// The leg.
        leg: LegId,
        /// The response code.
        code: u16,
    },
    /// A key was pressed (INFO with application/dtmf-relay or application/dtmf).
    Dtmf {
        /// The leg.
        leg: LegId,
        /// `0`–`9`, `*`, `#`, `A`–`D`.
        key: char,
        /// How long, if said.
        duration: Option<Duration>,
    },
    /// The peer asks for a transfer: answer with [`Endpoint::answer_refer`](crate::Endpoint::answer_refer).
    Refer {
        /// The leg on which it came.
        leg: LegId,
        /// To answer it and to report progress.
        request: RequestId,
        /// Whom to call.
        target: ReferTarget,
    },
    /// News of a transfer that we asked the peer for.
    ReferProgress {
        /// The leg.
        leg: LegId,
        /// The new call's last response code; the answer to the REFER itself if that was refused.
        code: u16,
        /// Whether this is the last news.
        done: bool,
    },
    /// The leg is over. Nothing more comes of it.
    Ended {
        /// The leg.
        leg: LegId,
        /// Why.
        cause: Cause,
    },
    /// A phone wants to register.
    Register(Box<RegisterRequest>),
    /// A registration of ours is in force.
    Registered {
        /// Which.
        registration: RegistrationId,
        /// For how long the registrar granted it; it is refreshed by itself.
        expires: Duration,
    },
    /// A registration of ours failed, and is tried again after a while unless it was refused for good (`code` 401, 403, 404).
    RegistrationFailed {
        /// Which.
        registration: RegistrationId,
        /// The response code; `None` if there was no response.
        code: Option<u16>,
    },
    /// A registration of ours was removed as ordered.
    Unregistered {
        /// Which.
        registration: RegistrationId,
    },
}
