//! A call, or another request, and what is told of it.

use std::fmt;
use std::net::SocketAddr;

use callfloor_sim::calendar::Entry;
use slotmap::{DefaultKey, Key as _, KeyData};

use super::Micros;

/// Names a call of one agent; never another call's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct CallKey(pub(super) DefaultKey);

impl CallKey {
    /// Reads what [`fmt::Display`] writes: a hexadecimal number.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Some(Self(KeyData::from_ffi(u64::from_str_radix(text, 16).ok()?).into()))
    }
}

impl fmt::Display for CallKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}", self.0.data().as_ffi())
    }
}

/// Why a call or request came to nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// A final response other than 2xx.
    Refused(u16),
    /// No answer in 32 s.
    Timeout,
}

/// What happened to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Our INVITE has a provisional response.
    Provisional {
        /// 100 to 199.
        code: u16,
    },
    /// Our INVITE was answered, and the ACK is on its way. Our other requests: a 2xx.
    Answered {
        /// The other side's session description.
        sdp: Option<String>,
    },
    /// Our INVITE or other request came to nothing.
    Failed(Failure),
    /// Our CANCEL did what it should.
    Cancelled,
    /// Our BYE is answered, or given up.
    Left {
        /// Whether an answer came.
        answered: bool,
    },
    /// The other side hung up.
    HungUp,
    /// Somebody calls; it rings until [`super::Agent::answer`] or [`super::Agent::refuse`].
    Incoming {
        /// The user part of From.
        caller: String,
        /// The user part of the request's URI.
        called: String,
        /// Their session description.
        sdp: Option<String>,
    },
    /// The caller gave up before an answer.
    GivenUp,
    /// Our answer is acknowledged.
    Confirmed {
        /// The session description, where it comes with the acknowledgement.
        sdp: Option<String>,
    },
}

/// What is due for a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timer {
    Retransmit,
    GiveUp,
    Forget,
}

/// Where a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// INVITE sent; `rung`: a provisional response came; `unwanted`: to be cancelled as soon as one comes.
    Calling { rung: bool, unwanted: bool },
    /// CANCEL sent.
    Cancelling,
    /// A request without a dialog sent.
    Asking,
    /// Called, and ringing.
    Ringing,
    /// Our 200 waits for its ACK.
    Answering,
    /// Our refusal waits for its ACK.
    Refusing,
    /// Connected.
    Up,
    /// BYE sent.
    Leaving,
    /// Kept for what may still come.
    Over,
}

/// One call or request.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) state: State,
    /// Where our messages go.
    pub(super) peer: SocketAddr,
    /// The request URI of what we send next.
    pub(super) target: String,
    /// Route headers of what we send in the dialog.
    pub(super) route: Vec<String>,
    /// From of our requests, with our tag.
    pub(super) own: String,
    /// To of our requests, with their tag once it is known.
    pub(super) other: String,
    /// Our user name.
    pub(super) user: String,
    pub(super) call_id: String,
    /// Number of our last request.
    pub(super) cseq: u32,
    /// Number of the INVITE that made the call, ours or theirs.
    pub(super) invite_cseq: u32,
    /// Our session description.
    pub(super) sdp: String,
    /// What is sent again.
    pub(super) sent: Vec<u8>,
    pub(super) interval_us: Micros,
    pub(super) retransmit: Entry,
    pub(super) give_up: Entry,
    /// A request was sent with credentials.
    pub(super) authorized: bool,
    /// Headers of every response to their INVITE: Via, Record-Route, From, To, Call-ID, CSeq.
    pub(super) head: Vec<u8>,
    /// They called.
    pub(super) incoming: bool,
}

impl Call {
    /// Whether a request of ours has no final response.
    pub(super) const fn awaits(&self) -> bool {
        matches!(self.state, State::Calling { .. } | State::Cancelling | State::Asking | State::Leaving)
    }

    pub(super) const fn is_over(&self) -> bool {
        matches!(self.state, State::Over)
    }
}
