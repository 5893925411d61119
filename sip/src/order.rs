//! What the host tells the endpoint to do.

use crate::event::{Bound, LegId, RegistrationId, Replaces, RequestId};
use crate::flow::{Flow, Transport};
use std::net::SocketAddr;

/// A user name and password for a trunk or registrar that challenges us.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The user name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("user", &self.user).finish_non_exhaustive()
    }
}

/// How an outgoing request finds its peer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Via {
    /// By the target URI: its host, port and transport. A host name is looked up once (A and AAAA, not SRV).
    #[default]
    Uri,
    /// Through the flow that a phone registered by.
    Flow(Flow),
    /// Through a proxy or trunk.
    Proxy {
        /// The transport.
        transport: Transport,
        /// The address.
        address: SocketAddr,
    },
}

/// An outgoing call.
#[derive(Clone, Debug, Default)]
pub struct Invite {
    /// Whom to call: `sip:300@192.0.2.7`, or a phone's registered contact.
    pub target: String,
    /// How to get there.
    pub via: Via,
    /// The caller id shown: the user part of From and P-Asserted-Identity.
    pub caller: String,
    /// The caller's name shown.
    pub display: Option<String>,
    /// The host part of From; the listener's own address if `None`.
    pub domain: Option<String>,
    /// The SDP offer; without one the peer offers in its 200.
    pub offer: Option<String>,
    /// For a trunk that challenges.
    pub credentials: Option<Credentials>,
    /// Ask the phone to answer by itself (Call-Info and Alert-Info as phones know them).
    pub auto_answer: bool,
    /// More headers, each name and value. Names that the stack writes itself are refused.
    pub headers: Vec<(String, String)>,
    /// Take the place of that dialog (an attended transfer that we carry out).
    pub replaces: Option<Replaces>,
}

/// A registration to be kept up at another registrar: a trunk's, or a played phone's.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The registrar: `sip:example.com` or `sip:192.0.2.1:5060;transport=tcp`.
    pub registrar: String,
    /// The user to be registered.
    pub user: String,
    /// The domain of the address of record; the registrar's host if `None`.
    pub domain: Option<String>,
    /// For the challenge.
    pub credentials: Credentials,
    /// How long to ask for, in seconds.
    pub expires_s: u32,
    /// How to get there.
    pub via: Via,
}

/// An order. [`Endpoint`](crate::Endpoint) has a method for each; [`Stack`](crate::Stack) takes them as they are.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Order {
    /// 180 on an incoming leg.
    Ring(LegId),
    /// 183 with SDP on an incoming leg.
    Progress(LegId, String),
    /// 200 with SDP on an incoming leg.
    Answer(LegId, String),
    /// A final refusal of an incoming leg.
    Reject {
        /// The leg.
        leg: LegId,
        /// 300 to 699.
        code: u16,
        /// A reason phrase of one's own.
        reason: Option<String>,
        /// Retry-After, in seconds.
        retry_after_s: Option<u32>,
    },
    /// 401 for a realm on an incoming leg, which then ends; the caller comes again with credentials.
    Challenge(LegId, String),
    /// Ends a leg in whatever state: refuses, cancels or sends BYE. The text goes into a Reason header.
    HangUp(LegId, Option<String>),
    /// Calls.
    Invite(LegId, Box<Invite>, Option<Flow>),
    /// Re-INVITE with this offer.
    Offer(LegId, String),
    /// Accepts the peer's new offer.
    AcceptOffer(LegId, String),
    /// Refuses the peer's new offer (488 if unsure).
    RefuseOffer(LegId, u16),
    /// Sends a key by INFO (application/dtmf-relay); the duration is in milliseconds.
    SendDtmf(LegId, char, u32),
    /// Asks the peer for a transfer; with a second leg, an attended one that replaces that leg's dialog.
    Refer(LegId, String, Option<LegId>),
    /// Answers a REFER: 202, or a refusal.
    AnswerRefer(RequestId, u16),
    /// Reports the progress of a transfer that we accepted (NOTIFY with a sipfrag); a final code is the last report.
    ReportRefer(RequestId, u16),
    /// 200 to REGISTER with the bindings in force.
    AcceptRegister(RequestId, Vec<Bound>),
    /// Refuses a REGISTER.
    Refuse(RequestId, u16),
    /// Registers and keeps it up.
    Register(RegistrationId, Box<Registration>, Option<Flow>),
    /// Removes a registration.
    Unregister(RegistrationId),
    /// Changes what new calls are let in.
    Admit(Admission),
    /// Changes which realms are served beside the first one.
    Realms(Vec<String>),
    /// Ends all legs and takes no more.
    Shutdown,
}

/// Which new calls are let in; the others get 503 with Retry-After at once, at the cost of reading them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Legs at most, incoming and outgoing together, ending ones included.
    pub max_legs: usize,
    /// New incoming calls in one second at most; `None` is no such limit.
    pub max_calls_per_s: Option<u32>,
    /// What Retry-After says, in seconds.
    pub retry_after_s: u32,
    /// False while draining: every new call is refused.
    pub open: bool,
}

impl Default for Admission {
    fn default() -> Self {
        Self { max_legs: 100_000, max_calls_per_s: None, retry_after_s: 5, open: true }
    }
}
