//! What comes in: orders of operators, supervisors and customers, and facts of the world.

use alloc::boxed::Box;

use crate::config::{EngineConfig, StatusChoice};
use crate::id::{
    AudioId, CallId, CallbackId, ChatId, CustomerId, LegId, OfferId, OperatorId, QueueId, ServiceId, SkillId, StepId,
    TicketId,
};
use crate::number::PhoneNumber;

/// One input of [`Engine::apply`](crate::Engine::apply).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Command {
    /// Use another configuration from now on. Nobody's status changes and no call is dropped; services, queues,
    /// operators, skills and flow steps may be changed and added, but none that is in use may vanish.
    Reconfigure(Box<EngineConfig>),

    // ---- an operator's presence -------------------------------------------------------------------------------
    /// CTI login (P25): needs the phone right, a CTI id and a CTI number.
    LogIn {
        /// Who.
        operator: OperatorId,
    },
    /// CTI logout (P38); refused with a call in hand.
    LogOut {
        /// Who.
        operator: OperatorId,
    },
    /// A status button (P26). In Ringing it is kept for when the ringing ends (B15); in AfterCallWork it ends it (P60).
    SetStatus {
        /// Who.
        operator: OperatorId,
        /// The status chosen.
        to: StatusChoice,
    },
    /// Choose, during a call or after-call work, the status that follows when the ticket is handled; `None` takes it back.
    SetNextStatus {
        /// Who.
        operator: OperatorId,
        /// The status chosen.
        next: Option<StatusChoice>,
    },
    /// The status for chats, beside the phone's.
    SetChatStatus {
        /// Who.
        operator: OperatorId,
        /// Whether chats may be offered.
        to: ChatStatus,
    },
    /// The operator's device is gone (world).
    DeviceLost {
        /// Whose.
        operator: OperatorId,
    },
    /// The operator's device is back (world).
    DeviceRestored {
        /// Whose.
        operator: OperatorId,
    },

    // ---- offers: of calls, chats, tickets and callbacks -------------------------------------------------------
    /// Answer 応答 (P27, P40), by phone or widget; accept a chat, ticket or callback.
    Answer {
        /// Who.
        operator: OperatorId,
        /// What they were offered.
        offer: OfferId,
    },
    /// Decline (P38, P43).
    Decline {
        /// Who.
        operator: OperatorId,
        /// What they were offered.
        offer: OfferId,
    },
    /// The operator's device could not ring (world).
    OfferFailed {
        /// Which.
        offer: OfferId,
        /// Why.
        cause: DeviceFault,
    },
    /// A supervisor takes an offer back; what was offered waits again in its place.
    WithdrawOffer {
        /// Which.
        offer: OfferId,
    },

    // ---- the phone widget -------------------------------------------------------------------------------------
    /// Dial かける (P28, P44): from Ready, Work, Break or AfterCallWork.
    Dial {
        /// Who.
        operator: OperatorId,
        /// For which service.
        service: ServiceId,
        /// The customer's number.
        to: PhoneNumber,
        /// A confirmed outgoing number of the service.
        from: PhoneNumber,
        /// The customer's record, if known.
        customer: Option<CustomerId>,
        /// Given back in [`Event::DialStarted`](crate::Event::DialStarted).
        reference: u64,
    },
    /// Hang up: ends the operator's part.
    HangUp {
        /// Who.
        operator: OperatorId,
    },
    /// Hold 保留 (P36, P56).
    Hold {
        /// Who.
        operator: OperatorId,
    },
    /// Release 解除 (P35, P54, P57).
    Release {
        /// Who.
        operator: OperatorId,
    },
    /// Consult 協議通話 or connect 接続 to a target (P49, P50).
    Consult {
        /// Who.
        operator: OperatorId,
        /// Whom.
        target: ConsultTarget,
    },
    /// Connect customer 顧客接続 (P33, P52).
    ConnectCustomer {
        /// Who.
        operator: OperatorId,
    },
    /// Cancel キャンセル (P34, P53): ends the consult, also while the target rings.
    CancelConsult {
        /// Who.
        operator: OperatorId,
    },
    /// Joins customer, operator and the consulted party.
    Conference {
        /// Who.
        operator: OperatorId,
    },
    /// Hands the customer on without asking first.
    BlindTransfer {
        /// Who.
        operator: OperatorId,
        /// To whom.
        target: TransferTarget,
    },
    /// Force end 強制終了 (P37, P55).
    ForceEnd {
        /// Who.
        operator: OperatorId,
        /// Why.
        reason: ForcedEndReason,
        /// The announcement as edited in the dialog; `None`: the service's.
        announcement: Option<AudioId>,
    },

    // ---- supervisors ------------------------------------------------------------------------------------------
    /// Another priority for a call that is not yet answered.
    ChangePriority {
        /// Which.
        call: CallId,
        /// 0 is ordinary; greater is more urgent.
        priority: u8,
    },
    /// Another skill for a call that is not yet answered.
    ChangeSkill {
        /// Which.
        call: CallId,
        /// Which skill.
        skill: SkillId,
        /// Least proficiency, 1–10; 0: no longer asked for.
        min: u8,
    },

    // ---- customers on the phone (world) -----------------------------------------------------------------------
    /// A customer calls a service.
    CallArrived {
        /// Which.
        service: ServiceId,
        /// The flow step that the dialled number selects.
        entry: StepId,
        /// The customer's record, if known.
        customer: Option<CustomerId>,
        /// The caller's number, if shown.
        from: Option<PhoneNumber>,
        /// 0 is ordinary; greater is more urgent.
        priority: u8,
        /// The operator who served the customer last.
        preferred: Option<OperatorId>,
        /// Given back in [`Event::CallArrived`](crate::Event::CallArrived).
        reference: u64,
    },
    /// The customer hung up, at any moment.
    CustomerHungUp {
        /// Which call.
        call: CallId,
    },
    /// The customer pressed a key.
    DigitPressed {
        /// Which call.
        call: CallId,
        /// `0`–`9`, `*`, `#`.
        digit: char,
    },
    /// An announcement ended, a voicemail was recorded.
    PlaybackFinished {
        /// Which call.
        call: CallId,
    },
    /// The dialled customer answered.
    CustomerAnswered {
        /// Which call.
        call: CallId,
    },
    /// The dialled customer was not reached.
    DialFailed {
        /// Which call.
        call: CallId,
        /// Why.
        cause: FarEndFault,
    },
    /// A consulted, transferred-to or forwarded-to number answered.
    TargetAnswered {
        /// Which leg.
        leg: LegId,
    },
    /// A consulted, transferred-to or forwarded-to number was not reached.
    TargetFailed {
        /// Which leg.
        leg: LegId,
        /// Why.
        cause: FarEndFault,
    },
    /// A consulted, transferred-to or forwarded-to number hung up.
    TargetHungUp {
        /// Which leg.
        leg: LegId,
    },

    // ---- callbacks --------------------------------------------------------------------------------------------
    /// A customer asks to be called back (web form).
    CallbackRequested {
        /// The phone queue in which it waits.
        queue: QueueId,
        /// The number to call.
        to: PhoneNumber,
        /// The customer's record, if known.
        customer: Option<CustomerId>,
        /// 0 is ordinary; greater is more urgent.
        priority: u8,
        /// Given back in [`Event::CallbackReceived`](crate::Event::CallbackReceived).
        reference: u64,
    },
    /// The customer, or an operator for them, no longer wants the callback.
    CancelCallback {
        /// Which.
        callback: CallbackId,
    },

    // ---- chats ------------------------------------------------------------------------------------------------
    /// A customer opens a chat.
    ChatArrived {
        /// A chat queue.
        queue: QueueId,
        /// The customer's record, if known.
        customer: Option<CustomerId>,
        /// 0 is ordinary; greater is more urgent.
        priority: u8,
        /// The operator who served the customer last.
        preferred: Option<OperatorId>,
        /// Given back in [`Event::ChatArrived`](crate::Event::ChatArrived).
        reference: u64,
    },
    /// The customer left the chat.
    CustomerLeftChat {
        /// Which.
        chat: ChatId,
    },
    /// The operator ends a chat.
    EndChat {
        /// Who.
        operator: OperatorId,
        /// Which.
        chat: ChatId,
    },
    /// The operator hands a chat on: it waits in a queue, at the head of its priority.
    TransferChat {
        /// Who.
        operator: OperatorId,
        /// Which.
        chat: ChatId,
        /// A chat queue.
        to: QueueId,
    },

    // ---- tickets ----------------------------------------------------------------------------------------------
    /// A ticket comes by mail or web form.
    TicketArrived {
        /// Which service.
        service: ServiceId,
        /// The ticket queue that assigns it; `None`: it waits to be pulled.
        queue: Option<QueueId>,
        /// The customer's record, if known.
        customer: Option<CustomerId>,
        /// 0 is ordinary; greater is more urgent.
        priority: u8,
        /// Given back in [`Event::TicketCreated`](crate::Event::TicketCreated).
        reference: u64,
    },
    /// The operator takes a ticket ("keep").
    PullTicket {
        /// Who.
        operator: OperatorId,
        /// Which.
        ticket: TicketId,
        /// The version that the operator saw.
        version: Option<u32>,
    },
    /// Gives a ticket to somebody else.
    ForwardTicket {
        /// Which.
        ticket: TicketId,
        /// To whom.
        to: TicketTarget,
        /// The version that was seen.
        version: Option<u32>,
    },
    /// Sets a ticket's status.
    SetTicketStatus {
        /// Which.
        ticket: TicketId,
        /// Who, unless a rule of the host.
        by: Option<OperatorId>,
        /// Open, Pending or Solved; Closed comes by itself.
        status: TicketStatus,
        /// Why it is solved.
        resolution: Resolution,
        /// The version that was seen.
        version: Option<u32>,
    },
    /// Sets a ticket's priority.
    SetTicketPriority {
        /// Which.
        ticket: TicketId,
        /// 0 is ordinary; greater is more urgent.
        priority: u8,
        /// The version that was seen.
        version: Option<u32>,
    },
    /// A reply went to the customer: stops the first-response clock.
    ReplyToTicket {
        /// Which.
        ticket: TicketId,
        /// Who wrote it.
        by: OperatorId,
    },
    /// The customer wrote: reopens a Solved or Pending ticket.
    CustomerReplied {
        /// Which.
        ticket: TicketId,
    },
    /// The operator stops working on an assigned ticket: its points are free again, the ticket stays theirs.
    FinishTicketWork {
        /// Who.
        operator: OperatorId,
        /// Which.
        ticket: TicketId,
    },
    /// `from` becomes part of `into` and is closed as a duplicate.
    MergeTickets {
        /// The one that stays.
        into: TicketId,
        /// The one that goes.
        from: TicketId,
    },
    /// Notes that two tickets concern each other.
    LinkTickets {
        /// One.
        ticket: TicketId,
        /// The other.
        other: TicketId,
    },
    /// The customer's satisfaction score.
    RateTicket {
        /// Which.
        ticket: TicketId,
        /// 1–5.
        score: u8,
    },

    // ---- later ones, at the end: journals are read by the order of commands ------------------------------------
    /// The operator hands a chat on to another, who is there for chats and has room: it rings them alone. Where they let
    /// it go by, it waits in its queue, at the head of its priority.
    TransferChatToOperator {
        /// Who.
        operator: OperatorId,
        /// Which.
        chat: ChatId,
        /// To whom.
        to: OperatorId,
    },
    /// A supervisor listens to a call that is with an operator, whispers or barges in; one who does so already goes on in
    /// another way. From Work, Ready or Break. [`HangUp`](Self::HangUp) ends it.
    Supervise {
        /// The supervisor: an operator with a device of their own.
        operator: OperatorId,
        /// Which call.
        call: CallId,
        /// Who is to hear them.
        mode: Supervision,
    },
    /// The supervisor's device answered (world). Where it does not: [`HangUp`](Self::HangUp).
    SupervisorJoined {
        /// Their leg.
        leg: LegId,
    },
    /// The supervisor takes the customer over from the operator, for whom after-call work begins.
    TakeOver {
        /// The supervisor.
        operator: OperatorId,
    },
}

/// In which way a supervisor is in a call: they hear everybody who hears each other; it says who hears them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Supervision {
    /// Nobody.
    Listen,
    /// The operator alone.
    Whisper,
    /// Everybody.
    Barge,
}

/// Whether chats may be offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ChatStatus {
    /// No.
    Away,
    /// Yes, unless on Break and while capacity lasts.
    Available,
}

/// Why an operator's device did not ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum DeviceFault {
    /// It did not respond, or refused.
    Failed,
    /// It was busy with something that the engine does not know.
    Busy,
}

/// Why a far end was not reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum FarEndFault {
    /// Busy.
    Busy,
    /// It rang, nobody answered.
    NoAnswer,
    /// It could not be called, or refused.
    Failed,
}

/// Whom to consult.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum ConsultTarget {
    /// A typed number; an operator's own number means that operator.
    Number(PhoneNumber),
    /// A favourite of the call's service: an index into [`Service::favourites`](crate::Service::favourites).
    Favourite(u16),
    /// A Ready operator.
    Operator(OperatorId),
}

/// Where a blind transfer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum TransferTarget {
    /// A number; an operator's own number means that operator.
    Number(PhoneNumber),
    /// A Ready operator.
    Operator(OperatorId),
    /// A phone queue.
    Queue(QueueId),
}

/// To whom a ticket is forwarded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum TicketTarget {
    /// An operator, who owns it from now on.
    Operator(OperatorId),
    /// A ticket queue, which assigns it.
    Queue(QueueId),
    /// Nobody: it waits to be pulled.
    Unassigned,
}

/// Why an operator forces the end of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum ForcedEndReason {
    /// Abuse.
    Abuse,
    /// Threats.
    Threat,
    /// Something else.
    Other,
}

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum TicketStatus {
    /// Nobody has taken it.
    New,
    /// Somebody works on it.
    Open,
    /// Waits for the customer or a third party; the resolution clock stands.
    Pending,
    /// Done, unless the customer replies.
    Solved,
    /// Done for good; the engine forgets it.
    Closed,
}

/// Why a ticket is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum Resolution {
    /// The customer was helped in writing.
    Answered,
    /// The customer was helped by phone.
    ByCall,
    /// The customer was helped by chat.
    ByChat,
    /// Internal: spam.
    Spam,
    /// Internal: abuse.
    Abuse,
    /// Internal: a test.
    Test,
    /// Internal: a duplicate.
    Duplicate,
}
