//! Why a command was refused. A refused command changed nothing.

use alloc::string::String;
use core::fmt;

use serde::{Deserialize, Serialize};

use crate::command::{ChatStatus, TicketStatus};
use crate::config::{Channel, NumberState};
use crate::id::{
    CallId, CallbackId, ChatId, LegId, OfferId, OperatorId, QueueId, ServiceId, SkillId, StepId, TicketId,
};
use crate::status::Status;
use crate::time::Instant;

/// Which rule refused a command, and which objects it concerns; its text is meant for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Rejection {
    /// `now` is earlier than the command before.
    TimeRanBack {
        /// Asked.
        now: Instant,
        /// The engine's time.
        latest: Instant,
    },
    /// The configuration has no such thing, or it is no longer there.
    Unknown(Object),
    /// The operator may not log in to the phone (P3).
    NoPhoneRight(OperatorId),
    /// The operator has no CTI id (P5).
    NoCtiId(OperatorId),
    /// The operator has no CTI number (P6).
    NoCtiNumber(OperatorId),
    /// The status does not allow what was asked.
    WrongStatus {
        /// Who.
        operator: OperatorId,
        /// The status found.
        status: Status,
        /// What was asked.
        asked: Asked,
    },
    /// Answer or decline of an offer that is over.
    OfferOver {
        /// Who.
        operator: OperatorId,
        /// Which.
        offer: OfferId,
    },
    /// The offer was made to somebody else.
    OtherOperatorsOffer {
        /// Who asked.
        operator: OperatorId,
        /// Which.
        offer: OfferId,
        /// To whom it was made.
        to: OperatorId,
    },
    /// The service's contract flag `outbound` is off (P2).
    NoOutboundContract(ServiceId),
    /// The caller id is not registered and confirmed for the service (P7).
    OutgoingNumber {
        /// Which service.
        service: ServiceId,
        /// Its registration, if any.
        found: Option<NumberState>,
    },
    /// The operator does not belong to the service.
    NotOfService {
        /// Who.
        operator: OperatorId,
        /// Which.
        service: ServiceId,
    },
    /// The other operator is not Ready (P49).
    TargetNotReady {
        /// Whom.
        target: OperatorId,
        /// The status found.
        status: Status,
    },
    /// The other operator has too little capacity left for the call or chat.
    TargetFull(OperatorId),
    /// The operator named themselves.
    TargetIsSelf(OperatorId),
    /// The other operator serves no queue for chats.
    TargetServesNoChats(OperatorId),
    /// The other operator is not there for chats: their status for chats is Away, or they are on Break.
    TargetNotThereForChats {
        /// Whom.
        target: OperatorId,
        /// Their status for chats.
        chats: ChatStatus,
        /// The status found.
        status: Status,
    },
    /// The service has no such favourite.
    UnknownFavourite {
        /// Which service.
        service: ServiceId,
        /// The index asked for.
        favourite: u16,
    },
    /// A consult is already going on.
    ConsultGoingOn(OperatorId),
    /// No consult is going on.
    NoConsult(OperatorId),
    /// The consulted party has not answered yet.
    ConsultNotAnswered(OperatorId),
    /// The operator is the one who is consulted: the call is not theirs yet.
    Consulted(OperatorId),
    /// The operator's device is lost.
    DeviceLost(OperatorId),
    /// The customer has left: only the consulted party is still there.
    CustomerGone(OperatorId),
    /// Three parties are joined: leave by hanging up.
    InConference(OperatorId),
    /// The announcement of a forced end is playing: nothing else is possible.
    Ending(OperatorId),
    /// The call is not at a point where this can happen.
    WrongStage {
        /// Which.
        call: CallId,
        /// What was asked.
        asked: Asked,
    },
    /// The leg is not in a state where this can happen.
    WrongLeg(LegId),
    /// Timed after-call work cannot be left by hand.
    AfterCallTimed {
        /// Who.
        operator: OperatorId,
        /// When it ends by itself.
        until: Instant,
    },
    /// The queue is for another channel.
    WrongChannel {
        /// Which queue.
        queue: QueueId,
        /// What was asked for.
        asked: Channel,
    },
    /// The queue is full.
    QueueFull(QueueId),
    /// The operator's capacity or limit is reached.
    NoCapacity(OperatorId),
    /// The chat is not with this operator.
    NotWithOperator {
        /// Who.
        operator: OperatorId,
        /// Which.
        object: Object,
    },
    /// Somebody else changed the ticket meanwhile.
    TicketVersion {
        /// Which.
        ticket: TicketId,
        /// The version that was seen.
        seen: u32,
        /// The version found.
        found: u32,
    },
    /// A ticket cannot go from this status to that.
    TicketTransition {
        /// Which.
        ticket: TicketId,
        /// From.
        from: TicketStatus,
        /// To.
        to: TicketStatus,
    },
    /// A value is out of its range.
    OutOfRange {
        /// Which value.
        what: Asked,
        /// What was found.
        found: u32,
        /// What would be right.
        right: Range,
    },
    /// The new configuration drops or changes something that is in use.
    Configuration(String),
    /// Another supervisor is in the call.
    Supervised {
        /// Which call.
        call: CallId,
        /// Who is.
        by: OperatorId,
    },
    /// The operator is a supervisor in the call: it is not theirs.
    Supervising(OperatorId),
    /// The operator supervises no call.
    NotSupervising(OperatorId),
}

/// Something that a command names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Object {
    /// An operator.
    Operator(OperatorId),
    /// A service.
    Service(ServiceId),
    /// A queue.
    Queue(QueueId),
    /// A skill.
    Skill(SkillId),
    /// A step of a service's flow.
    Step(StepId),
    /// A call.
    Call(CallId),
    /// A leg.
    Leg(LegId),
    /// A chat.
    Chat(ChatId),
    /// A ticket.
    Ticket(TicketId),
    /// A callback.
    Callback(CallbackId),
    /// An offer.
    Offer(OfferId),
}

/// What was asked, as it stands after "cannot".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "each is its own words")]
pub enum Asked {
    LogIn,
    LogOut,
    ChangeStatus,
    ChooseNextStatus,
    Dial,
    HangUp,
    Hold,
    Release,
    Consult,
    ConnectCustomer,
    CancelConsult,
    Conference,
    BlindTransfer,
    ForceEnd,
    ChangePriority,
    ChangeSkill,
    PressDigit,
    FinishPlayback,
    AnswerDial,
    FailDial,
    LoseDevice,
    DeviceRestored,
    Cancel,
    Rate,
    Supervise,
    BeSupervised,
    TakeOver,
    BeTakenOver,
}

/// A closed range of whole numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    /// Least.
    pub least: u32,
    /// Most.
    pub most: u32,
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LogIn => "log in",
            Self::LogOut => "log out",
            Self::ChangeStatus => "change status",
            Self::ChooseNextStatus => "choose the next status",
            Self::Dial => "dial",
            Self::HangUp => "hang up",
            Self::Hold => "hold",
            Self::Release => "release",
            Self::Consult => "consult",
            Self::ConnectCustomer => "connect the customer",
            Self::CancelConsult => "cancel the consult",
            Self::Conference => "join a conference",
            Self::BlindTransfer => "transfer",
            Self::ForceEnd => "force the end",
            Self::ChangePriority => "change priority",
            Self::ChangeSkill => "change skill",
            Self::PressDigit => "press a digit",
            Self::FinishPlayback => "finish a playback",
            Self::AnswerDial => "be answered",
            Self::FailDial => "fail a dial",
            Self::LoseDevice => "lose the device",
            Self::DeviceRestored => "restore the device",
            Self::Cancel => "cancel",
            Self::Rate => "rate",
            Self::Supervise => "supervise a call",
            Self::BeSupervised => "be supervised",
            Self::TakeOver => "take a call over",
            Self::BeTakenOver => "be taken over",
        })
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(id) => id.fmt(f),
            Self::Service(id) => id.fmt(f),
            Self::Queue(id) => id.fmt(f),
            Self::Skill(id) => id.fmt(f),
            Self::Step(id) => id.fmt(f),
            Self::Call(id) => id.fmt(f),
            Self::Leg(id) => id.fmt(f),
            Self::Chat(id) => id.fmt(f),
            Self::Ticket(id) => id.fmt(f),
            Self::Callback(id) => id.fmt(f),
            Self::Offer(id) => id.fmt(f),
        }
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimeRanBack { now, latest } => write!(f, "time cannot run back: {now} was asked after {latest}"),
            Self::Unknown(object) => write!(f, "{object} does not exist, or no longer"),
            Self::NoPhoneRight(operator) => write!(f, "{operator} cannot log in: the phone right is not granted"),
            Self::NoCtiId(operator) => write!(f, "{operator} cannot log in: a CTI id is missing"),
            Self::NoCtiNumber(operator) => write!(f, "{operator} cannot log in: a CTI number is missing"),
            Self::WrongStatus { operator, status, asked } => write!(f, "{operator} cannot {asked} in status {status}"),
            Self::OfferOver { operator, offer } => write!(f, "{operator} cannot answer or decline {offer}: it is over"),
            Self::OtherOperatorsOffer { operator, offer, to } => {
                write!(f, "{operator} cannot answer or decline {offer}: it was made to {to}")
            }
            Self::NoOutboundContract(service) => write!(f, "{service} has no contract for outbound calls"),
            Self::OutgoingNumber { service, found: None } => {
                write!(f, "the outgoing number is not registered for {service}: choose one of its confirmed numbers")
            }
            Self::OutgoingNumber { service, found: Some(state) } => {
                write!(f, "the outgoing number of {service} is {state:?}: only Confirmed ones can be used")
            }
            Self::NotOfService { operator, service } => write!(f, "{operator} does not belong to {service}"),
            Self::TargetNotReady { target, status } => {
                write!(f, "{target} cannot be reached: status {status}, not Ready")
            }
            Self::TargetFull(target) => write!(f, "{target} cannot be reached: no capacity left for it"),
            Self::TargetIsSelf(operator) => write!(f, "{operator} cannot be their own target"),
            Self::TargetServesNoChats(target) => {
                write!(f, "{target} cannot be given a chat: they serve no queue for chats")
            }
            Self::TargetNotThereForChats { target, chats, status } => {
                write!(f, "{target} cannot be given a chat: chats {chats:?}, status {status}")
            }
            Self::UnknownFavourite { service, favourite } => write!(f, "{service} has no favourite {favourite}"),
            Self::ConsultGoingOn(operator) => write!(f, "{operator} already consults: cancel that first"),
            Self::NoConsult(operator) => write!(f, "{operator} does not consult anybody"),
            Self::ConsultNotAnswered(operator) => write!(f, "whom {operator} consults has not answered yet"),
            Self::Consulted(operator) => {
                write!(f, "{operator} is being consulted: the call is not theirs, only hanging up is possible")
            }
            Self::DeviceLost(operator) => write!(f, "{operator} has lost their device: wait until it is back"),
            Self::CustomerGone(operator) => write!(f, "the customer of {operator} has hung up"),
            Self::InConference(operator) => write!(f, "{operator} is in a conference: hang up to leave it"),
            Self::Ending(operator) => write!(f, "the call of {operator} is being ended by force"),
            Self::WrongStage { call, asked } => write!(f, "{call} cannot {asked} at this point"),
            Self::WrongLeg(leg) => write!(f, "{leg} is not at a point where this can happen"),
            Self::AfterCallTimed { operator, until } => {
                write!(f, "{operator} cannot change status: after-call work is timed and ends at {until}")
            }
            Self::WrongChannel { queue, asked } => write!(f, "{queue} is not for channel {asked:?}"),
            Self::QueueFull(queue) => write!(f, "{queue} is full"),
            Self::NoCapacity(operator) => write!(f, "{operator} has no capacity left"),
            Self::NotWithOperator { operator, object } => write!(f, "{object} is not with {operator}"),
            Self::TicketVersion { ticket, seen, found } => {
                write!(f, "{ticket} was changed by somebody else: version {found}, not {seen}; look at it again")
            }
            Self::TicketTransition { ticket, from, to } => write!(f, "{ticket} cannot go from {from:?} to {to:?}"),
            Self::OutOfRange { what, found, right } => {
                write!(f, "cannot {what} with {found}: {} to {} is right", right.least, right.most)
            }
            Self::Supervised { call, by } => write!(f, "{call} is supervised by {by}: one supervisor at a time"),
            Self::Supervising(operator) => {
                write!(f, "{operator} supervises the call: take it over first, or hang up to leave it")
            }
            Self::NotSupervising(operator) => write!(f, "{operator} supervises no call: listen to one first"),
            Self::Configuration(problem) => write!(f, "the new configuration cannot be used: {problem}"),
        }
    }
}

impl core::error::Error for Rejection {}
