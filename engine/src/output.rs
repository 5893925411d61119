//! What comes out: actions that the host is to perform, and events that are now true.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::command::{ChatStatus, FarEndFault, ForcedEndReason, Resolution, Supervision, TicketStatus};
use crate::config::Channel;
use crate::id::{
    AudioId, CallId, CallbackId, ChatId, CustomerId, LegId, OfferId, OperatorId, QueueId, ReasonId, ServiceId, StepId,
    TicketId,
};
use crate::number::PhoneNumber;
use crate::status::Status;
use crate::time::{Instant, Span};

/// One output, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Output {
    /// Something that the host is to do in the world. Its outcome comes back as a command.
    Action(Action),
    /// A fact.
    Event(Event),
}

/// A wish to the host. Where it comes to nothing, the host says so by a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Action {
    /// Tell a caller that the service does not take the call, and let the call go.
    RefuseCall {
        /// Of the [`Command::CallArrived`](crate::Command::CallArrived).
        reference: u64,
        /// Why.
        cause: RefusalCause,
    },
    /// Ring an operator's device and blink the widget (P24), or show the chat, ticket or callback that is offered.
    Ring {
        /// Whom.
        operator: OperatorId,
        /// Which offer; its id comes back with the answer.
        offer: OfferId,
        /// What is offered.
        work: Work,
        /// The operator's leg in the call; `None` for chats, tickets and callbacks.
        leg: Option<LegId>,
        /// The last moment is just before this one.
        until: Instant,
        /// Whether the device is set to answer by itself.
        auto_answer: bool,
    },
    /// Stop ringing, or take the offer off the screen.
    StopRinging {
        /// Whom.
        operator: OperatorId,
        /// Which offer.
        offer: OfferId,
    },
    /// Connect two legs, and nobody else to either.
    Connect {
        /// One.
        a: LegId,
        /// The other.
        b: LegId,
    },
    /// Join all connected legs of a call: customer, operator, target.
    Join {
        /// The call.
        call: CallId,
    },
    /// Play music to a leg until it is connected or hung up.
    PlayMusic {
        /// Whom.
        leg: LegId,
        /// What.
        audio: AudioId,
    },
    /// Play an announcement to the customer once; its end comes back as `PlaybackFinished`.
    PlayAnnouncement {
        /// Whom.
        leg: LegId,
        /// What.
        audio: AudioId,
        /// Whether digits pressed meanwhile are reported.
        digits: bool,
    },
    /// Record a message from the customer; its end comes back as `PlaybackFinished`.
    RecordVoicemail {
        /// Whom.
        leg: LegId,
        /// The longest message.
        limit: Span,
    },
    /// Call a number.
    Dial {
        /// The leg that this makes: 0 is the customer's.
        leg: LegId,
        /// Whom.
        to: PhoneNumber,
        /// The caller id to show; `None`: the trunk's own.
        from: Option<PhoneNumber>,
    },
    /// End a leg, ringing or connected.
    HangUp {
        /// Which.
        leg: LegId,
    },
    /// Call a supervisor's own device; its answer comes back as `SupervisorJoined`, a failure as `HangUp`.
    CallSupervisor {
        /// Whom.
        operator: OperatorId,
        /// The leg that this makes.
        leg: LegId,
    },
    /// From now until its leg is hung up, or is itself connected or joined, let a supervisor hear all legs of the call that
    /// hear each other, as those change, and let these hear the supervisor as the mode says.
    Supervise {
        /// The supervisor's.
        leg: LegId,
        /// The operator's, who alone hears a whisper.
        operator: LegId,
        /// Who hears the supervisor.
        mode: Supervision,
    },
}

/// Something that waits for an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Work {
    /// A call, or a consult about one.
    Call(CallId),
    /// A chat.
    Chat(ChatId),
    /// A ticket.
    Ticket(TicketId),
    /// A callback.
    Callback(CallbackId),
}

/// Why a call was not taken at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RefusalCause {
    /// The service's contract flag `inbound` is off (P1).
    NoInboundContract,
}

/// How an offer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OfferEnd {
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

/// How a call came to its end; one for each call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum EndCause {
    /// The customer hung up in the flow, before any queue.
    AbandonedInFlow,
    /// The customer hung up while queued.
    AbandonedInQueue,
    /// The customer hung up while an operator's device rang.
    AbandonedWhileRinging,
    /// The customer hung up after the answer: talking, on hold, in a consult or conference.
    CustomerHungUp,
    /// The operator hung up.
    OperatorHungUp,
    /// An operator forced the end (P55).
    ForcedByOperator(ForcedEndReason),
    /// The flow ended the call: its last step, or an `End`.
    FlowEnded,
    /// The queue was full and the flow named no other way.
    QueueFull,
    /// The queue's maximum wait passed and the flow named no other way.
    MaximumWait,
    /// The caller accepted a callback.
    CallbackAccepted,
    /// The caller left a message.
    Voicemail,
    /// After the flow had connected the customer to another number, one of the two hung up.
    Forwarded,
    /// After an operator had transferred the customer to a number, one of the two hung up.
    TransferredOut,
    /// A blind transfer's target was not reached and nobody was left to take the call.
    TransferFailed,
    /// The operator's device was lost, by the setting that ends the call.
    DeviceLost,
    /// An outbound dial was not answered.
    DialFailed(FarEndFault),
    /// The operator gave up the dial.
    DialCancelled,
}

/// A call, when it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRecord {
    /// Which.
    pub call: CallId,
    /// The service.
    pub service: ServiceId,
    /// Its last queue, if it had one.
    pub queue: Option<QueueId>,
    /// The operator who last had it.
    pub operator: Option<OperatorId>,
    /// Why it ended.
    pub cause: EndCause,
    /// When it came, or was dialled.
    pub arrived: Instant,
    /// Queue entry to answer, or to leaving; ringing included.
    pub wait: Span,
    /// Talking to an operator.
    pub talk: Span,
    /// On hold, consults not included.
    pub hold: Span,
    /// On hold while the operator spoke with a consulted party.
    pub consult: Span,
}

/// How a consult ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum ConsultEnd {
    /// The customer was connected to the target.
    Connected,
    /// The operator cancelled.
    Cancelled,
    /// The target declined.
    Declined,
    /// The target did not answer in time.
    NoAnswer,
    /// The target was busy.
    Busy,
    /// The target could not be reached, or its device was lost.
    Failed,
    /// The target hung up after answering.
    TargetHungUp,
    /// The customer hung up.
    CustomerHungUp,
    /// The operator left the call: the target took it, or it went back to the queue.
    OperatorLeft,
}

/// Somebody on the far side of a transfer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Party {
    /// An operator.
    Operator(OperatorId),
    /// A number outside.
    Number(PhoneNumber),
    /// A queue (blind transfer).
    Queue(QueueId),
}

/// How a call, chat or callback left a queue without an answer or an abandonment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum FlowOut {
    /// The maximum wait passed.
    MaximumWait,
    /// It was cancelled.
    Cancelled,
}

/// A fact. Each is emitted once, in the order in which things happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Event {
    // ---- calls ------------------------------------------------------------------------------------------------
    /// An inbound call entered its service's flow.
    CallArrived {
        /// The new call.
        call: CallId,
        /// Which service.
        service: ServiceId,
        /// Of the command.
        reference: u64,
    },
    /// An inbound call was refused before the flow.
    CallRefused {
        /// Which service.
        service: ServiceId,
        /// Of the command.
        reference: u64,
        /// Why.
        cause: RefusalCause,
    },
    /// The flow reached a step that plays, waits or forwards.
    StepEntered {
        /// Which call.
        call: CallId,
        /// Which step.
        step: StepId,
    },
    /// A call was presented to a queue: *offered*, once for each queue, however often it rings.
    CallQueued {
        /// Which call.
        call: CallId,
        /// Which queue.
        queue: QueueId,
        /// Its priority.
        priority: u8,
    },
    /// A queue had no room for a call.
    QueueFull {
        /// Which call.
        call: CallId,
        /// Which queue.
        queue: QueueId,
    },
    /// A call left its queue to go on elsewhere in the flow.
    CallFlowedOut {
        /// Which call.
        call: CallId,
        /// Which queue.
        queue: QueueId,
        /// Why.
        how: FlowOut,
        /// Time since it was queued.
        wait: Span,
    },
    /// A call was taken back to its queue, with its place and waited time kept (P42).
    CallRecovered {
        /// Which call.
        call: CallId,
        /// Which queue.
        queue: QueueId,
    },
    /// Waiting relaxed what a call, chat, ticket or callback asks for.
    NeedsRelaxed {
        /// What waits.
        work: Work,
        /// How many relaxations apply now.
        steps: u8,
    },
    /// An operator answered an inbound call (P40).
    CallAnswered {
        /// Which call.
        call: CallId,
        /// From which queue.
        queue: QueueId,
        /// Who.
        operator: OperatorId,
        /// Queue entry to answer.
        wait: Span,
    },
    /// After an operator was lost or a blind transfer failed, another operator answered a call that had been answered.
    CallResumed {
        /// Which call.
        call: CallId,
        /// From which queue.
        queue: QueueId,
        /// Who.
        operator: OperatorId,
    },
    /// The customer waits on hold (P56).
    CallHeld {
        /// Which call.
        call: CallId,
        /// Who.
        operator: OperatorId,
    },
    /// The hold is over (P57).
    CallReleased {
        /// Which call.
        call: CallId,
        /// Who.
        operator: OperatorId,
    },
    /// An operator consults somebody.
    ConsultStarted {
        /// Which call.
        call: CallId,
        /// Who.
        operator: OperatorId,
        /// Whom.
        target: Party,
    },
    /// The consulted party answered (P51).
    ConsultAnswered {
        /// Which call.
        call: CallId,
        /// Who.
        operator: OperatorId,
    },
    /// The consult is over.
    ConsultEnded {
        /// Which call.
        call: CallId,
        /// Who.
        operator: OperatorId,
        /// How.
        end: ConsultEnd,
    },
    /// The customer was handed on.
    CallTransferred {
        /// Which call.
        call: CallId,
        /// By whom.
        from: OperatorId,
        /// To whom.
        to: Party,
        /// Without asking first.
        blind: bool,
    },
    /// Customer, operator and consulted party are joined.
    ConferenceStarted {
        /// Which call.
        call: CallId,
        /// Who joined them.
        operator: OperatorId,
    },
    /// An operator forces the end; the announcement is playing.
    ForcedEndStarted {
        /// Which call.
        call: CallId,
        /// Who.
        operator: OperatorId,
        /// Why.
        reason: ForcedEndReason,
    },
    /// An operator dials a customer (P45), by hand or for a callback.
    DialStarted {
        /// The new call.
        call: CallId,
        /// Which service.
        service: ServiceId,
        /// Who.
        operator: OperatorId,
        /// The callback that it serves.
        callback: Option<CallbackId>,
        /// Of the command; 0 for a callback.
        reference: u64,
    },
    /// The dialled customer answered.
    DialAnswered {
        /// Which call.
        call: CallId,
        /// Who dialled.
        operator: OperatorId,
        /// Dial to answer.
        rang: Span,
    },
    /// A call is over; each ends once. Operators may still talk with each other after it.
    CallEnded(CallRecord),

    // ---- offers -----------------------------------------------------------------------------------------------
    /// A call, chat, ticket or callback is presented to an operator: *assigned*.
    OfferMade {
        /// The new offer.
        offer: OfferId,
        /// What.
        work: Work,
        /// To whom.
        operator: OperatorId,
        /// From which queue; `None` for a consult or a blind transfer to an operator.
        queue: Option<QueueId>,
        /// The last moment is just before this one.
        until: Instant,
    },
    /// An offer is over, in one of eight ways.
    OfferEnded {
        /// Which.
        offer: OfferId,
        /// What.
        work: Work,
        /// To whom.
        operator: OperatorId,
        /// How.
        end: OfferEnd,
        /// How long it rang.
        rang: Span,
    },

    // ---- operators --------------------------------------------------------------------------------------------
    /// An operator's status changed.
    StatusChanged {
        /// Whose.
        operator: OperatorId,
        /// Before.
        from: Status,
        /// Now.
        to: Status,
        /// The reason, for Work and Break.
        reason: ReasonId,
        /// The call that the new status concerns; not one that is only supervised.
        call: Option<CallId>,
    },
    /// An operator's status for chats changed.
    ChatStatusChanged {
        /// Whose.
        operator: OperatorId,
        /// Now.
        to: ChatStatus,
    },
    /// After-call work has gone on for the time after which the operator is reminded.
    AfterCallPrompt {
        /// Who.
        operator: OperatorId,
    },

    // ---- callbacks --------------------------------------------------------------------------------------------
    /// A callback waits.
    CallbackReceived {
        /// The new callback.
        callback: CallbackId,
        /// In which queue.
        queue: QueueId,
        /// The call whose place it keeps.
        call: Option<CallId>,
        /// Of the command; 0 where a call's flow offered it.
        reference: u64,
    },
    /// A callback is over.
    CallbackEnded {
        /// Which.
        callback: CallbackId,
        /// How.
        end: CallbackEnd,
        /// Dials made.
        attempts: u8,
    },

    // ---- chats ------------------------------------------------------------------------------------------------
    /// A chat waits in a queue.
    ChatArrived {
        /// The new chat.
        chat: ChatId,
        /// Which queue.
        queue: QueueId,
        /// Of the command.
        reference: u64,
    },
    /// An operator took a chat.
    ChatAnswered {
        /// Which.
        chat: ChatId,
        /// From which queue.
        queue: QueueId,
        /// Who.
        operator: OperatorId,
        /// Queue entry to answer.
        wait: Span,
    },
    /// A chat was handed on to a queue.
    ChatTransferred {
        /// Which.
        chat: ChatId,
        /// By whom.
        from: OperatorId,
        /// To which queue.
        to: QueueId,
    },
    /// A chat is over.
    ChatEnded {
        /// Which.
        chat: ChatId,
        /// Its last queue.
        queue: QueueId,
        /// Who had it.
        operator: Option<OperatorId>,
        /// How.
        end: ChatEnd,
        /// Queue entry to answer, or to leaving.
        wait: Span,
        /// With operators.
        handled: Span,
    },

    // ---- tickets ----------------------------------------------------------------------------------------------
    /// A ticket was created.
    TicketCreated {
        /// The new ticket.
        ticket: TicketId,
        /// Which service.
        service: ServiceId,
        /// From which channel.
        origin: TicketOrigin,
        /// Whose it is.
        owner: Option<OperatorId>,
        /// The customer's record, if known.
        customer: Option<CustomerId>,
        /// Of the command; 0 for a call or chat.
        reference: u64,
    },
    /// A ticket waits in a queue to be assigned.
    TicketQueued {
        /// Which.
        ticket: TicketId,
        /// In which queue.
        queue: QueueId,
    },
    /// A queue assigned a ticket and the operator accepted it.
    TicketAssigned {
        /// Which.
        ticket: TicketId,
        /// From which queue.
        queue: QueueId,
        /// To whom.
        operator: OperatorId,
        /// Queue entry to acceptance.
        wait: Span,
    },
    /// A line of a ticket's history.
    TicketChanged {
        /// Which.
        ticket: TicketId,
        /// What.
        change: TicketChange,
        /// Its version from now on.
        version: u32,
    },

    // ---- later ones, at the end: what was said is compared by the order of events ------------------------------
    /// A chat was handed on to an operator, whom it rings alone.
    ChatTransferredToOperator {
        /// Which.
        chat: ChatId,
        /// By whom.
        from: OperatorId,
        /// To whom.
        to: OperatorId,
        /// In which queue it waits if they let it go by.
        queue: QueueId,
    },
    /// A supervisor is in a call: from now on they hear it.
    SupervisionStarted {
        /// Which call.
        call: CallId,
        /// Who.
        supervisor: OperatorId,
        /// The operator who has the call.
        operator: OperatorId,
        /// Who hears them.
        mode: Supervision,
    },
    /// A supervisor goes on in another way.
    SupervisionChanged {
        /// Which call.
        call: CallId,
        /// Who.
        supervisor: OperatorId,
        /// Who hears them now.
        mode: Supervision,
    },
    /// A supervisor hears a call no longer, or has it.
    SupervisionEnded {
        /// Which call.
        call: CallId,
        /// Who.
        supervisor: OperatorId,
        /// How.
        end: SupervisionEnd,
    },
}

/// How a supervisor's part in a call ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SupervisionEnd {
    /// They stopped, or their device hung up.
    Stopped,
    /// They took the call over.
    TookOver,
    /// No operator has the call any more: it was handed on to a number or a queue, or went back to its queue.
    OperatorLeft,
    /// The call ended.
    CallEnded,
    /// The supervisor's device was lost.
    DeviceLost,
}

/// Where a ticket comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TicketOrigin {
    /// An inbound call.
    PhoneIn(CallId),
    /// An outbound call.
    PhoneOut(CallId),
    /// A chat.
    Chat(ChatId),
    /// A message left by a caller.
    Voicemail(CallId),
    /// Mail or a web form.
    Written,
}

/// One line of a ticket's history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TicketChange {
    /// Another status.
    Status {
        /// Before.
        from: TicketStatus,
        /// Now.
        to: TicketStatus,
        /// Why, where it is Solved or Closed.
        resolution: Option<Resolution>,
    },
    /// Another owner.
    Owner {
        /// Before.
        from: Option<OperatorId>,
        /// Now.
        to: Option<OperatorId>,
    },
    /// Another priority.
    Priority(u8),
    /// The dial of its call came to nothing.
    DialFailed(FarEndFault),
    /// A reply went to the customer.
    Replied(OperatorId),
    /// The customer wrote.
    CustomerReplied,
    /// Another ticket became part of it.
    Absorbed(TicketId),
    /// It became part of another and is Closed.
    MergedInto(TicketId),
    /// It concerns another.
    Linked(TicketId),
    /// The customer's score.
    Rated(u8),
    /// The first reply is late.
    FirstResponseLate,
    /// The resolution is late.
    ResolutionLate,
    /// It was not worked on and went back to its queue.
    Returned(QueueId),
}

/// How a callback ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CallbackEnd {
    /// The customer was reached.
    Completed,
    /// All attempts failed.
    GivenUp,
    /// It was cancelled.
    Cancelled,
}

/// How a chat ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ChatEnd {
    /// The customer left before an operator came.
    Abandoned,
    /// The queue's maximum wait passed.
    MaximumWait,
    /// The customer left.
    CustomerLeft,
    /// The operator ended it.
    OperatorEnded,
}

impl From<Action> for Output {
    fn from(action: Action) -> Self {
        Self::Action(action)
    }
}

impl From<Event> for Output {
    fn from(event: Event) -> Self {
        Self::Event(event)
    }
}

impl Work {
    /// The channel whose capacity it takes.
    #[must_use]
    pub const fn channel(self) -> Channel {
        match self {
            Self::Call(_) | Self::Callback(_) => Channel::Phone,
            Self::Chat(_) => Channel::Chat,
            Self::Ticket(_) => Channel::Ticket,
        }
    }
}

impl fmt::Display for Work {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(call) => call.fmt(f),
            Self::Chat(chat) => chat.fmt(f),
            Self::Ticket(ticket) => ticket.fmt(f),
            Self::Callback(callback) => callback.fmt(f),
        }
    }
}
