//! Random commands: mostly plausible ones (answer what rings, hang up what lives), with a share of nonsense and of
//! ids of things that are over.

use callfloor_engine::{
    AudioId, CallId, CallbackId, Channel, ChatId, ChatStatus, Command, ConsultTarget, CustomerId, DeviceFault,
    EngineConfig, FarEndFault, ForcedEndReason, Instant, LegId, OfferId, OperatorId, QueueId, ReasonId, Resolution,
    ServiceId, SkillId, Status, StatusChoice, StepId, Supervision, TicketId, TicketStatus, TicketTarget,
    TransferTarget,
};

use crate::floor::{changed_floor, extension, number, outgoing, random_floor};
use crate::random::SplitMix64;
use crate::view::View;

/// Kinds of command, each with its ordinary weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    LogIn,
    LogOut,
    SetStatus,
    SetNextStatus,
    SetChatStatus,
    DeviceLost,
    DeviceRestored,
    Answer,
    Decline,
    OfferFailed,
    WithdrawOffer,
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
    CallArrived,
    CustomerHungUp,
    DigitPressed,
    PlaybackFinished,
    CustomerAnswered,
    DialFailed,
    TargetAnswered,
    TargetFailed,
    TargetHungUp,
    CallbackRequested,
    CancelCallback,
    ChatArrived,
    CustomerLeftChat,
    EndChat,
    TransferChat,
    TransferChatToOperator,
    TicketArrived,
    PullTicket,
    ForwardTicket,
    SetTicketStatus,
    SetTicketPriority,
    ReplyToTicket,
    CustomerReplied,
    FinishTicketWork,
    MergeTickets,
    LinkTickets,
    RateTicket,
    Supervise,
    SupervisorJoined,
    TakeOver,
    Reconfigure,
}

const WEIGHTS: [(Kind, u16); 54] = [
    (Kind::LogIn, 30),
    (Kind::LogOut, 6),
    (Kind::SetStatus, 90),
    (Kind::SetNextStatus, 15),
    (Kind::SetChatStatus, 20),
    (Kind::DeviceLost, 6),
    (Kind::DeviceRestored, 10),
    (Kind::Answer, 110),
    (Kind::Decline, 15),
    (Kind::OfferFailed, 8),
    (Kind::WithdrawOffer, 6),
    (Kind::Dial, 20),
    (Kind::HangUp, 45),
    (Kind::Hold, 15),
    (Kind::Release, 15),
    (Kind::Consult, 25),
    (Kind::ConnectCustomer, 15),
    (Kind::CancelConsult, 10),
    (Kind::Conference, 8),
    (Kind::BlindTransfer, 15),
    (Kind::ForceEnd, 8),
    (Kind::ChangePriority, 8),
    (Kind::ChangeSkill, 8),
    (Kind::CallArrived, 90),
    (Kind::CustomerHungUp, 40),
    (Kind::DigitPressed, 15),
    (Kind::PlaybackFinished, 25),
    (Kind::CustomerAnswered, 25),
    (Kind::DialFailed, 12),
    (Kind::TargetAnswered, 25),
    (Kind::TargetFailed, 12),
    (Kind::TargetHungUp, 15),
    (Kind::CallbackRequested, 15),
    (Kind::CancelCallback, 5),
    (Kind::ChatArrived, 40),
    (Kind::CustomerLeftChat, 12),
    (Kind::EndChat, 15),
    (Kind::TransferChat, 6),
    (Kind::TransferChatToOperator, 6),
    (Kind::TicketArrived, 25),
    (Kind::PullTicket, 10),
    (Kind::ForwardTicket, 10),
    (Kind::SetTicketStatus, 15),
    (Kind::SetTicketPriority, 5),
    (Kind::ReplyToTicket, 6),
    (Kind::CustomerReplied, 6),
    (Kind::FinishTicketWork, 12),
    (Kind::MergeTickets, 4),
    (Kind::LinkTickets, 3),
    (Kind::RateTicket, 3),
    (Kind::Supervise, 25),
    (Kind::SupervisorJoined, 25),
    (Kind::TakeOver, 8),
    (Kind::Reconfigure, 5),
];

/// Which commands a run uses, and how often.
#[derive(Clone, Debug)]
pub struct Mix {
    weights: [u16; WEIGHTS.len()],
    total: u64,
    nonsense_percent: u64,
    tie_percent: u64,
    jump_permille: u64,
}

impl Mix {
    /// The mix of a seed: a fifth of the kinds are off, others are more or less frequent than usual.
    #[must_use]
    pub fn new(seed: u64, config: &EngineConfig) -> Self {
        let mut r = SplitMix64::new(seed ^ 0x6d69_7869_6e67);
        let mut weights = WEIGHTS.map(|(kind, weight)| {
            let needed = matches!(kind, Kind::LogIn | Kind::SetStatus | Kind::CallArrived | Kind::Answer);
            match r.below(10) {
                0 | 1 if !needed => 0,
                2 => weight * 3,
                3 => weight / 3,
                _ => weight,
            }
        });
        let has = |channel: Channel| config.queues.iter().any(|queue| queue.channel == channel);
        for (weight, (kind, _)) in weights.iter_mut().zip(WEIGHTS) {
            let idle = match kind {
                Kind::ChatArrived
                | Kind::CustomerLeftChat
                | Kind::EndChat
                | Kind::TransferChat
                | Kind::TransferChatToOperator => !has(Channel::Chat),
                Kind::FinishTicketWork => !has(Channel::Ticket),
                _ => false,
            };
            if idle {
                *weight = (*weight).min(1);
            }
        }
        let total = weights.iter().map(|&weight| u64::from(weight)).sum();
        Self {
            weights,
            total,
            nonsense_percent: r.of(&[0, 2, 5, 15]),
            tie_percent: r.of(&[5, 15, 30]),
            jump_permille: r.of(&[0, 1, 5]),
        }
    }

    fn kind(&self, r: &mut SplitMix64) -> Kind {
        let mut at = r.below(self.total);
        for (&weight, (kind, _)) in self.weights.iter().zip(WEIGHTS) {
            if at < u64::from(weight) {
                return kind;
            }
            at -= u64::from(weight);
        }
        Kind::CallArrived
    }
}

/// One step of a run: a moment and a command, or a moment alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// When.
    pub now: Instant,
    /// What, if not only the passing of time.
    pub command: Option<Command>,
    /// Decides what is sampled at this step.
    pub seed: u64,
}

/// The step that a step's seed means here.
///
/// A step depends on its own seed and on what the host sees, so that a sequence stays plausible when steps before it
/// are left out (which is what shrinking does).
#[must_use]
pub fn next_step(
    seed: u64,
    config: &EngineConfig,
    mix: &Mix,
    view: &View,
    latest: Instant,
    deadline: Option<Instant>,
) -> Step {
    let mut random = SplitMix64::new(seed);
    let r = &mut random;
    let now = moment(r, mix, latest, deadline);
    if r.chance(3) {
        return Step { now, command: None, seed };
    }
    let nonsense = r.chance(mix.nonsense_percent);
    // A kind that has nothing to act on gives way to another; nonsense does not care.
    for _ in 0..8 {
        let kind = mix.kind(r);
        if let Some(command) = command(r, kind, config, view, nonsense) {
            return Step { now, command: Some(command), seed };
        }
    }
    Step { now, command: None, seed }
}

fn moment(r: &mut SplitMix64, mix: &Mix, latest: Instant, deadline: Option<Instant>) -> Instant {
    let after = |micros: u64| Instant::from_micros(latest.as_micros() + micros);
    let near = deadline.filter(|deadline| deadline.since(latest).as_micros() < 86_400_000_000);
    if let Some(deadline) = near
        && r.chance(mix.tie_percent)
    {
        return match r.below(6) {
            0 => Instant::from_micros(deadline.as_micros().saturating_sub(1).max(latest.as_micros())),
            1 => Instant::from_micros(deadline.as_micros() + 1),
            _ => deadline,
        };
    }
    if r.below(1000) < mix.jump_permille {
        let most = if r.chance(20) { 1_800_000 } else { 7200 };
        return after(1_000_000 * r.below(most));
    }
    match r.below(100) {
        0..45 => latest,
        45..85 => after(1_000_000 * (1 + r.below(4))),
        85..97 => after(r.below(2_000_000)),
        _ => after(1_000_000 * r.below(60)),
    }
}

#[expect(clippy::too_many_lines, reason = "one arm for each command")]
fn command(r: &mut SplitMix64, kind: Kind, config: &EngineConfig, view: &View, nonsense: bool) -> Option<Command> {
    let operators = u64::try_from(config.operators.len()).ok()?;
    let any = |r: &mut SplitMix64| {
        let most = if r.chance(5) { operators + 2 } else { operators };
        OperatorId(u32::try_from(r.below(most)).unwrap_or(0))
    };
    // An operator in one of these statuses; anybody for nonsense.
    let who = |r: &mut SplitMix64, statuses: &[Status]| {
        if nonsense { Some(any(r)) } else { r.pick(&view.in_status(statuses)) }
    };
    let call = |r: &mut SplitMix64, list: &[CallId]| {
        if nonsense && r.chance(60) {
            r.pick(&view.stale_calls)
                .or_else(|| Some(CallId::from_parts(1 + u32::from(r.small(40)), u32::from(r.small(8)))))
        } else if nonsense {
            r.pick(&view.calls)
        } else {
            r.pick(list)
        }
    };
    let service = |r: &mut SplitMix64| {
        let most = u16::try_from(config.services.len()).unwrap_or(1) + u16::from(nonsense);
        ServiceId(r.small(most))
    };
    let queue = |r: &mut SplitMix64, channel: Channel| {
        if nonsense {
            return Some(QueueId(r.small(u16::try_from(config.queues.len()).unwrap_or(1) + 1)));
        }
        let fitting: Vec<QueueId> = (0u16..)
            .zip(&config.queues)
            .filter(|(_, queue)| queue.channel == channel)
            .map(|(at, _)| QueueId(at))
            .collect();
        r.pick(&fitting)
    };
    let customer = |r: &mut SplitMix64| r.chance(60).then(|| CustomerId(r.below(5)));
    let preferred = |r: &mut SplitMix64| r.chance(40).then(|| any(r));
    let priority = |r: &mut SplitMix64| if r.chance(60) { 0 } else { r.tiny(3) };
    let ticket = |r: &mut SplitMix64| -> Option<(TicketId, Option<u32>)> {
        if nonsense && r.chance(50) {
            return Some((r.pick(&view.stale_tickets).unwrap_or(TicketId::from_parts(1, 3)), None));
        }
        let (ticket, version) = r.pick(&view.tickets)?;
        let seen = match r.below(10) {
            0 => Some(version.wrapping_sub(1)),
            1..4 => Some(version),
            _ => None,
        };
        Some((ticket, seen))
    };
    let choice = |r: &mut SplitMix64| match r.below(10) {
        0 => StatusChoice::Work(ReasonId(16)),
        1 => StatusChoice::Work(ReasonId(17)),
        2 => StatusChoice::Break(ReasonId(18)),
        _ => StatusChoice::Ready,
    };
    let chat = |r: &mut SplitMix64| {
        let chat = r.pick(&view.chats)?;
        if nonsense { Some((ChatId::from_parts(chat.0.number(), 0), chat.1)) } else { Some(chat) }
    };
    let fault = |r: &mut SplitMix64| r.of(&[FarEndFault::Busy, FarEndFault::NoAnswer, FarEndFault::Failed]);
    let leg = |r: &mut SplitMix64| {
        if nonsense { Some(LegId { call: r.pick(&view.calls)?, leg: r.small(4) }) } else { r.pick(&view.targets) }
    };
    let at_rest = [Status::Work, Status::Ready, Status::Break, Status::AfterCallWork];
    let offer = |r: &mut SplitMix64| -> Option<(OfferId, OperatorId)> {
        if nonsense {
            return match r.below(3) {
                0 => r.pick(&view.stale_offers),
                1 => r.pick(&view.offers).map(|seen| (seen.offer, any(r))),
                _ => Some((OfferId::from_parts(1 + u32::from(r.small(40)), u32::from(r.small(4))), any(r))),
            };
        }
        r.pick(&view.offers).map(|seen| (seen.offer, seen.operator))
    };
    Some(match kind {
        Kind::LogIn => Command::LogIn { operator: who(r, &[Status::LoggedOut])? },
        Kind::LogOut => Command::LogOut { operator: who(r, &at_rest)? },
        Kind::SetStatus => {
            // Those who are not Ready first: a floor where nobody is Ready is dull.
            let away = [Status::Work, Status::Break, Status::AfterCallWork];
            let operator = if r.chance(75) { who(r, &away)? } else { who(r, &[Status::Ready, Status::Ringing])? };
            Command::SetStatus { operator, to: choice(r) }
        }
        Kind::SetNextStatus => {
            let statuses =
                [Status::Talking, Status::Consulting, Status::Holding, Status::Dialing, Status::AfterCallWork];
            Command::SetNextStatus { operator: who(r, &statuses)?, next: r.chance(80).then(|| choice(r)) }
        }
        Kind::SetChatStatus => {
            let to = if r.chance(75) { ChatStatus::Available } else { ChatStatus::Away };
            Command::SetChatStatus { operator: any(r), to }
        }
        Kind::DeviceLost => Command::DeviceLost { operator: any(r) },
        Kind::DeviceRestored => Command::DeviceRestored { operator: any(r) },
        Kind::Answer => {
            let (offer, operator) = offer(r)?;
            Command::Answer { operator, offer }
        }
        Kind::Decline => {
            let (offer, operator) = offer(r)?;
            Command::Decline { operator, offer }
        }
        Kind::OfferFailed => {
            Command::OfferFailed { offer: offer(r)?.0, cause: r.of(&[DeviceFault::Failed, DeviceFault::Busy]) }
        }
        Kind::WithdrawOffer => Command::WithdrawOffer { offer: offer(r)?.0 },
        Kind::Dial => Command::Dial {
            operator: who(r, &at_rest)?,
            service: service(r),
            to: number("0901234"),
            from: outgoing(if nonsense { r.below(5) } else { r.below(3) }),
            customer: customer(r),
            reference: r.below(100),
        },
        Kind::HangUp => {
            let statuses = [Status::Talking, Status::Holding, Status::Consulting, Status::Dialing];
            Command::HangUp { operator: who(r, &statuses)? }
        }
        Kind::Hold => Command::Hold { operator: who(r, &[Status::Talking])? },
        Kind::Release => Command::Release { operator: who(r, &[Status::Holding])? },
        Kind::Consult => {
            let target = match r.below(6) {
                0 => ConsultTarget::Number(number("0805555")),
                1 => ConsultTarget::Number(extension(r.below(operators))),
                2 => ConsultTarget::Favourite(r.small(if nonsense { 4 } else { 2 })),
                _ => ConsultTarget::Operator(who(r, &[Status::Ready])?),
            };
            Command::Consult { operator: who(r, &[Status::Talking, Status::Holding])?, target }
        }
        Kind::ConnectCustomer => Command::ConnectCustomer { operator: who(r, &[Status::Consulting])? },
        Kind::CancelConsult => Command::CancelConsult { operator: who(r, &[Status::Consulting, Status::Holding])? },
        Kind::Conference => Command::Conference { operator: who(r, &[Status::Consulting])? },
        Kind::BlindTransfer => {
            let target = match r.below(6) {
                0 => TransferTarget::Number(number("0805555")),
                1 => TransferTarget::Number(extension(r.below(operators))),
                2 | 3 => TransferTarget::Queue(queue(r, Channel::Phone)?),
                _ => TransferTarget::Operator(who(r, &[Status::Ready])?),
            };
            Command::BlindTransfer { operator: who(r, &[Status::Talking, Status::Holding])?, target }
        }
        Kind::ForceEnd => Command::ForceEnd {
            operator: who(r, &[Status::Talking, Status::Holding])?,
            reason: r.of(&[ForcedEndReason::Abuse, ForcedEndReason::Threat, ForcedEndReason::Other]),
            announcement: r.chance(50).then_some(AudioId(9)),
        },
        Kind::ChangePriority => Command::ChangePriority { call: call(r, &view.calls)?, priority: r.tiny(4) },
        Kind::ChangeSkill => {
            let skills = u16::try_from(config.skills.len()).unwrap_or(0) + u16::from(nonsense);
            if skills == 0 {
                return None;
            }
            Command::ChangeSkill {
                call: call(r, &view.calls)?,
                skill: SkillId(r.small(skills)),
                min: r.tiny(if nonsense { 14 } else { 8 }),
            }
        }
        Kind::CallArrived => Command::CallArrived {
            service: service(r),
            entry: StepId(if nonsense { r.small(8) } else { 0 }),
            customer: customer(r),
            from: r.chance(70).then(|| number("0701111")),
            priority: priority(r),
            preferred: preferred(r),
            reference: r.below(100),
        },
        Kind::CustomerHungUp => Command::CustomerHungUp { call: call(r, &view.calls)? },
        Kind::DigitPressed => Command::DigitPressed {
            call: call(r, &view.stepping)?,
            digit: if nonsense { 'x' } else { r.of(&['1', '1', '2', '#', '0']) },
        },
        Kind::PlaybackFinished => {
            let list = if r.chance(80) { &view.stepping } else { &view.calls };
            Command::PlaybackFinished { call: call(r, list)? }
        }
        Kind::CustomerAnswered => Command::CustomerAnswered { call: call(r, &view.dialled)? },
        Kind::DialFailed => Command::DialFailed { call: call(r, &view.dialled)?, cause: fault(r) },
        Kind::TargetAnswered => Command::TargetAnswered { leg: leg(r)? },
        Kind::TargetFailed => Command::TargetFailed { leg: leg(r)?, cause: fault(r) },
        Kind::TargetHungUp => Command::TargetHungUp { leg: leg(r)? },
        Kind::CallbackRequested => Command::CallbackRequested {
            queue: queue(r, Channel::Phone)?,
            to: number("0702222"),
            customer: customer(r),
            priority: priority(r),
            reference: r.below(100),
        },
        Kind::CancelCallback => {
            let callback = if nonsense { Some(CallbackId::from_parts(1, 0)) } else { r.pick(&view.callbacks) };
            Command::CancelCallback { callback: callback? }
        }
        Kind::ChatArrived => Command::ChatArrived {
            queue: queue(r, Channel::Chat)?,
            customer: customer(r),
            priority: priority(r),
            preferred: preferred(r),
            reference: r.below(100),
        },
        Kind::CustomerLeftChat => Command::CustomerLeftChat { chat: chat(r)?.0 },
        Kind::EndChat => {
            let (chat, owner) = chat(r)?;
            Command::EndChat { operator: owner.unwrap_or_else(|| any(r)), chat }
        }
        Kind::TransferChat => {
            let (chat, owner) = chat(r)?;
            let to = queue(r, Channel::Chat)?;
            Command::TransferChat { operator: owner.unwrap_or_else(|| any(r)), chat, to }
        }
        Kind::TransferChatToOperator => {
            let (chat, owner) = chat(r)?;
            Command::TransferChatToOperator { operator: owner.unwrap_or_else(|| any(r)), chat, to: any(r) }
        }
        Kind::TicketArrived => Command::TicketArrived {
            service: service(r),
            queue: if r.chance(80) { queue(r, Channel::Ticket) } else { None },
            customer: customer(r),
            priority: priority(r),
            reference: r.below(100),
        },
        Kind::PullTicket => {
            let (ticket, version) = ticket(r)?;
            Command::PullTicket { operator: any(r), ticket, version }
        }
        Kind::ForwardTicket => {
            let (ticket, version) = ticket(r)?;
            let to = match r.below(3) {
                0 => TicketTarget::Operator(any(r)),
                1 => queue(r, Channel::Ticket).map_or(TicketTarget::Unassigned, TicketTarget::Queue),
                _ => TicketTarget::Unassigned,
            };
            Command::ForwardTicket { ticket, to, version }
        }
        Kind::SetTicketStatus => {
            let (ticket, version) = ticket(r)?;
            let statuses = [TicketStatus::Open, TicketStatus::Pending, TicketStatus::Solved, TicketStatus::Solved];
            Command::SetTicketStatus {
                ticket,
                by: r.chance(60).then(|| any(r)),
                status: if nonsense { r.of(&[TicketStatus::New, TicketStatus::Closed]) } else { r.of(&statuses) },
                resolution: r.of(&[Resolution::Answered, Resolution::ByCall, Resolution::Spam]),
                version,
            }
        }
        Kind::SetTicketPriority => {
            let (ticket, version) = ticket(r)?;
            Command::SetTicketPriority { ticket, priority: r.tiny(4), version }
        }
        Kind::ReplyToTicket => Command::ReplyToTicket { ticket: ticket(r)?.0, by: any(r) },
        Kind::CustomerReplied => Command::CustomerReplied { ticket: ticket(r)?.0 },
        Kind::FinishTicketWork => Command::FinishTicketWork { operator: any(r), ticket: ticket(r)?.0 },
        Kind::MergeTickets => Command::MergeTickets { into: ticket(r)?.0, from: ticket(r)?.0 },
        Kind::LinkTickets => Command::LinkTickets { ticket: ticket(r)?.0, other: ticket(r)?.0 },
        Kind::RateTicket => {
            Command::RateTicket { ticket: ticket(r)?.0, score: if nonsense { r.tiny(9) } else { 1 + r.tiny(5) } }
        }
        Kind::Supervise => {
            let mode = r.of(&[Supervision::Listen, Supervision::Whisper, Supervision::Barge]);
            let again = r.chance(30).then(|| r.pick(&view.supervisors)).flatten();
            let (operator, call) = match again {
                Some((operator, leg)) => (operator, leg.call),
                None => (who(r, &[Status::Work, Status::Ready, Status::Break])?, call(r, &view.with_operator)?),
            };
            Command::Supervise { operator, call, mode }
        }
        Kind::SupervisorJoined => {
            let leg = if nonsense { leg(r)? } else { r.pick(&view.supervisors)?.1 };
            Command::SupervisorJoined { leg }
        }
        Kind::TakeOver => {
            let operator = if nonsense { any(r) } else { r.pick(&view.supervisors)?.0 };
            Command::TakeOver { operator }
        }
        Kind::Reconfigure => {
            // Another floor altogether is refused, nearly always.
            let anew = r.chance(if nonsense { 50 } else { 2 });
            let other = if anew { random_floor(r.below(1 << 30)) } else { changed_floor(r, config)? };
            Command::Reconfigure(Box::new(other))
        }
    })
}
