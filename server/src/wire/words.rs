//! Statuses, causes and parties.

use callfloor_engine as engine;
use callfloor_engine::ReasonId;
use serde::{Deserialize, Serialize};

use super::shown;
use crate::http::{CallRef, CallbackRef, ChatRef, TicketRef};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident of $from:ty { $($(#[$each:meta])* $variant:ident,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(rename_all = "kebab-case")]
        pub enum $name { $($(#[$each])* $variant,)+ }

        impl From<$from> for $name {
            fn from(from: $from) -> Self {
                match from { $(<$from>::$variant => Self::$variant,)+ }
            }
        }

        impl From<$name> for $from {
            fn from(from: $name) -> Self {
                match from { $($name::$variant => Self::$variant,)+ }
            }
        }
    };
}

words! {
    /// What an operator is doing on the phone.
    Status of engine::Status {
        /// ログアウト
        LoggedOut,
        /// 業務
        Work,
        /// 待機: the only one in which calls are offered.
        Ready,
        /// 休憩
        Break,
        /// 呼出中
        Ringing,
        /// 発信中
        Dialing,
        /// 通話中
        Talking,
        /// 通話中(転換)
        Consulting,
        /// 保留中
        Holding,
        /// 業務(チケット処理)
        AfterCallWork,
    }
}

words! {
    /// Whether chats may be offered.
    ChatStatus of engine::ChatStatus {
        /// No.
        Away,
        /// Yes, while capacity lasts.
        Available,
    }
}

words! {
    /// Why an operator forces the end of a call.
    ForcedEndReason of engine::ForcedEndReason {
        /// Abuse.
        Abuse,
        /// Threats.
        Threat,
        /// Something else.
        Other,
    }
}

words! {
    /// How an offer ended.
    EndOfOffer of engine::OfferEnd {
        /// The operator answered.
        Accepted,
        /// The operator declined.
        Declined,
        /// Not answered within the ring limit.
        TimedOut,
        /// The device failed or was lost.
        DeviceFailed,
        /// The device was busy.
        Busy,
        /// Somebody else answered first, or the consult was cancelled.
        Rescinded,
        /// The customer hung up or left.
        Abandoned,
        /// A supervisor took it back.
        Withdrawn,
    }
}

words! {
    /// In which way a supervisor is in a call: they hear everybody; who hears them.
    Supervision of engine::Supervision {
        /// Nobody.
        Listen,
        /// The operator alone.
        Whisper,
        /// Everybody.
        Barge,
    }
}

words! {
    /// How a supervisor's part in a call ended.
    EndOfSupervision of engine::SupervisionEnd {
        /// They stopped.
        Stopped,
        /// They took the call over.
        TookOver,
        /// No operator has the call any more.
        OperatorLeft,
        /// The call ended.
        CallEnded,
        /// Their device was lost.
        DeviceLost,
    }
}

words! {
    /// Where a live call is.
    Place of engine::CallPlace {
        /// In a step of the flow.
        Flow,
        /// The flow dials another number for the customer.
        Forwarding,
        /// In a queue and waiting.
        Waiting,
        /// In a queue and ringing.
        Ringing,
        /// The customer is being dialled.
        Dialing,
        /// Handed on without asking: the target rings.
        BlindRinging,
        /// Customer and operator are connected.
        Talking,
        /// The customer is on hold.
        Holding,
        /// Customer, operator and target are joined.
        Conference,
        /// The customer is connected to a number outside.
        Outside,
        /// The customer is gone; operator and target still talk.
        Internal,
        /// The announcement of a forced end is playing.
        Ending,
    }
}

words! {
    /// Where a ticket stands.
    TicketStatus of engine::TicketStatus {
        /// Nobody has it.
        New,
        /// Somebody works on it.
        Open,
        /// It waits for the customer or a third party.
        Pending,
        /// Done; a reply of the customer reopens it.
        Solved,
        /// For good.
        Closed,
    }
}

words! {
    /// Why a ticket was solved or closed.
    Resolution of engine::Resolution {
        /// Answered in writing.
        Answered,
        /// Dealt with by a call.
        ByCall,
        /// Dealt with by chat.
        ByChat,
        /// Spam.
        Spam,
        /// Abuse.
        Abuse,
        /// A test.
        Test,
        /// The same as another.
        Duplicate,
    }
}

words! {
    /// Why somebody who was dialled was not reached.
    FarEndFault of engine::FarEndFault {
        /// Busy.
        Busy,
        /// No answer.
        NoAnswer,
        /// Not reachable.
        Failed,
    }
}

/// A status that a person may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(tag = "status", rename_all = "kebab-case", deny_unknown_fields)]
pub enum StatusChoice {
    /// 業務, with a reason's number; 0 for none.
    Work {
        /// Which reason.
        #[serde(default)]
        reason: u16,
    },
    /// 待機
    Ready,
    /// 休憩, with a reason's number; 0 for none.
    Break {
        /// Which reason.
        #[serde(default)]
        reason: u16,
    },
}

impl From<StatusChoice> for engine::StatusChoice {
    fn from(choice: StatusChoice) -> Self {
        match choice {
            StatusChoice::Work { reason } => Self::Work(ReasonId(reason)),
            StatusChoice::Ready => Self::Ready,
            StatusChoice::Break { reason } => Self::Break(ReasonId(reason)),
        }
    }
}

impl From<engine::StatusChoice> for StatusChoice {
    fn from(choice: engine::StatusChoice) -> Self {
        match choice {
            engine::StatusChoice::Work(reason) => Self::Work { reason: reason.0 },
            engine::StatusChoice::Ready => Self::Ready,
            engine::StatusChoice::Break(reason) => Self::Break { reason: reason.0 },
        }
    }
}

/// Something that waits for an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WorkRef {
    /// A call, or a consult about one.
    Call(CallRef),
    /// A chat.
    Chat(ChatRef),
    /// A ticket.
    Ticket(TicketRef),
    /// A callback.
    Callback(CallbackRef),
}

impl From<engine::Work> for WorkRef {
    fn from(work: engine::Work) -> Self {
        match work {
            engine::Work::Call(call) => Self::Call(call.into()),
            engine::Work::Chat(chat) => Self::Chat(chat.into()),
            engine::Work::Ticket(ticket) => Self::Ticket(ticket.into()),
            engine::Work::Callback(callback) => Self::Callback(callback.into()),
        }
    }
}

/// Somebody on the far side of a transfer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Party {
    /// An operator.
    Operator(u32),
    /// A number outside; masked for whoever may not see it.
    Number(String),
    /// A queue.
    Queue(u16),
}

impl Party {
    /// As it is shown.
    #[must_use]
    pub fn of(party: engine::Party, whole: bool) -> Self {
        match party {
            engine::Party::Operator(operator) => Self::Operator(operator.0),
            engine::Party::Number(number) => Self::Number(shown(number, whole)),
            engine::Party::Queue(queue) => Self::Queue(queue.0),
        }
    }
}

/// How a call came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The customer hung up in the flow, before any queue.
    AbandonedInFlow,
    /// The customer hung up while queued.
    AbandonedInQueue,
    /// The customer hung up while it rang.
    AbandonedWhileRinging,
    /// The customer hung up after the answer.
    CustomerHungUp,
    /// The operator hung up.
    OperatorHungUp,
    /// Forced, for abuse.
    ForcedForAbuse,
    /// Forced, for threats.
    ForcedForThreat,
    /// Forced, for something else.
    ForcedForOther,
    /// The flow ended the call.
    FlowEnded,
    /// The queue was full.
    QueueFull,
    /// The queue's maximum wait passed.
    MaximumWait,
    /// The caller accepted a callback.
    CallbackAccepted,
    /// The caller left a message.
    Voicemail,
    /// Forwarded by the flow.
    Forwarded,
    /// Transferred to a number outside.
    TransferredOut,
    /// A blind transfer's target was not reached.
    TransferFailed,
    /// The operator's device was lost.
    DeviceLost,
    /// The dialled customer was busy.
    DialBusy,
    /// The dialled customer did not answer.
    DialNoAnswer,
    /// The dialled customer could not be called.
    DialFailed,
    /// The operator gave up the dial.
    DialCancelled,
}

impl From<engine::EndCause> for Cause {
    fn from(cause: engine::EndCause) -> Self {
        use engine::{EndCause as E, FarEndFault as F, ForcedEndReason as R};
        match cause {
            E::AbandonedInFlow => Self::AbandonedInFlow,
            E::AbandonedInQueue => Self::AbandonedInQueue,
            E::AbandonedWhileRinging => Self::AbandonedWhileRinging,
            E::CustomerHungUp => Self::CustomerHungUp,
            E::OperatorHungUp => Self::OperatorHungUp,
            E::ForcedByOperator(R::Abuse) => Self::ForcedForAbuse,
            E::ForcedByOperator(R::Threat) => Self::ForcedForThreat,
            E::ForcedByOperator(R::Other) => Self::ForcedForOther,
            E::FlowEnded => Self::FlowEnded,
            E::QueueFull => Self::QueueFull,
            E::MaximumWait => Self::MaximumWait,
            E::CallbackAccepted => Self::CallbackAccepted,
            E::Voicemail => Self::Voicemail,
            E::Forwarded => Self::Forwarded,
            E::TransferredOut => Self::TransferredOut,
            E::TransferFailed => Self::TransferFailed,
            E::DeviceLost => Self::DeviceLost,
            E::DialFailed(F::Busy) => Self::DialBusy,
            E::DialFailed(F::NoAnswer) => Self::DialNoAnswer,
            E::DialFailed(F::Failed) => Self::DialFailed,
            E::DialCancelled => Self::DialCancelled,
        }
    }
}
