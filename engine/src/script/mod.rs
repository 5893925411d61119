//! A readable language of floors and timed commands: how tests say what happens, and how an integrator learns the
//! engine. `SCRIPT.md` beside this crate documents every word.
//!
//! ```
//! use callfloor_engine::script::Script;
//!
//! let script = Script::parse(
//!     "floor
//!        service shop inbound
//!          flow: queue billing
//!        queue billing ring 15s
//!        operator 1
//!      t=0 log in operator 1
//!      t=1 operator 1 holds",
//! )
//! .unwrap();
//! let last = script.run().pop().unwrap();
//! assert_eq!(last.to_string(), "00:00:01.000 refused: operator 1 cannot hold in status Work");
//! ```

mod directory;
mod floor;
mod order;
mod run;
mod say;
mod steps;
mod words;
mod write;

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use self::floor::Draft;
use self::order::Orders;
pub use self::run::{Line, Player, Said};
use self::words::{Word, closest};
pub use self::write::{write_command, write_floor};
use crate::config::EngineConfig;
use crate::id::{AudioId, ReasonId};

/// A floor and what happens on it, checked; it can be run any number of times.
#[derive(Clone, Debug)]
pub struct Script {
    config: EngineConfig,
    orders: Orders,
    audio: Vec<(String, AudioId)>,
    reasons: Vec<(String, ReasonId)>,
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// The first thing that is wrong, with its place, what was found and what would be right.
    pub fn parse(text: &str) -> Result<Self, ScriptError> {
        let statements = words::statements(text)?;
        let head = statements
            .iter()
            .position(|statement| matches!(statement.words.as_slice(), [t, mark, ..] if t.is("t") && mark.is("=")))
            .unwrap_or(statements.len());
        let (floor, timed) = statements.split_at(head);
        let mut draft = Draft::new();
        let config = draft.read(floor)?;
        let orders = Orders::read(&mut draft, timed)?;
        Ok(Self { config, orders, audio: draft.audio, reasons: draft.reasons })
    }

    /// The floor at the head.
    #[must_use]
    pub const fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// How many commands it has.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.orders.all.len()
    }

    /// Whether it has no command.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.orders.all.is_empty()
    }

    /// Runs it as a host does: every deadline at its own instant, then the command. Gives everything that was said.
    #[must_use]
    pub fn run(&self) -> Vec<Line> {
        let mut player = self.play();
        while player.step() {}
        player.into_lines()
    }

    /// Runs it and checks every invariant of the engine after each command and deadline; where one does not hold, the
    /// last line is [`Said::Broken`].
    #[must_use]
    pub fn run_checked(&self) -> Vec<Line> {
        let mut player = self.play();
        player.check_always();
        while player.step() {}
        player.into_lines()
    }

    /// An engine on the script's floor, to be taken through the commands one by one.
    #[must_use]
    pub fn play(&self) -> Player<'_> {
        Player::new(self)
    }
}

/// What is wrong with a script: where, what was found and what would be right.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptError {
    /// The line, from 1.
    pub line: u32,
    /// The column in characters, from 1.
    pub column: u32,
    /// What was found; the whole problem, where the floor as a whole is at fault.
    pub found: String,
    /// What would be right; empty where `found` says it.
    pub right: String,
    /// A word that was perhaps meant.
    pub meant: Option<String>,
}

impl ScriptError {
    fn at(line: u32, column: u32, found: impl Into<String>, right: impl Into<String>) -> Self {
        Self { line, column, found: found.into(), right: right.into(), meant: None }
    }

    /// Adds the nearest of some words.
    fn suggest(mut self, found: Option<&Word>, words: &[&str]) -> Self {
        self.meant = found.and_then(|found| closest(&found.text, words)).map(Into::into);
        self
    }
}

impl fmt::Display for ScriptError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.right.is_empty() {
            return write!(f, "{}:{}: {}", self.line, self.column, self.found);
        }
        write!(f, "{}:{}: found {}; right would be {}", self.line, self.column, self.found, self.right)?;
        match &self.meant {
            Some(meant) => write!(f, "; did you mean \"{meant}\"?"),
            None => Ok(()),
        }
    }
}

impl core::error::Error for ScriptError {}

#[cfg(test)]
mod tests {
    use alloc::boxed::Box;
    use alloc::string::{String, ToString};
    use alloc::vec;
    use alloc::vec::Vec;

    use super::directory::Directory;
    use super::order::Act;
    use super::*;
    use crate::command::*;
    use crate::config::*;
    use crate::id::*;
    use crate::time::{Instant, Span};

    /// A floor in which no field has its default.
    fn rich() -> Floor {
        let s = Span::from_seconds;
        Floor {
            seed: 7,
            skills: vec!["english".into(), "sign language".into()],
            services: vec![
                Service {
                    name: "shop".into(),
                    inbound: true,
                    outbound: true,
                    hours: OpeningHours::Periods(vec![(Instant::ZERO, Instant::from_micros(3_600_000_001))]),
                    flow: vec![
                        Step::Hours { closed: StepId(10) },
                        Step::Announcement { audio: AudioId(3), limit: s(5) },
                        Step::Menu {
                            audio: AudioId(4),
                            options: vec![('1', StepId(3)), ('#', StepId(4)), ('*', StepId(5))],
                            limit: Span::from_millis(5_250),
                            otherwise: StepId(10),
                        },
                        Step::SetSkill { skill: SkillId(1), min: 3 },
                        Step::SetPriority { priority: 2 },
                        Step::Overflow { queue: QueueId(0), when: OverflowWhen::Waiting(5), to: StepId(9) },
                        Step::Overflow { queue: QueueId(0), when: OverflowWhen::LongestWait(s(60)), to: StepId(9) },
                        Step::Overflow { queue: QueueId(0), when: OverflowWhen::NobodyLoggedIn, to: StepId(9) },
                        Step::Overflow { queue: QueueId(0), when: OverflowWhen::NobodyReady, to: StepId(9) },
                        Step::Queue { queue: QueueId(0), on_full: Some(StepId(10)), on_timeout: Some(StepId(11)) },
                        Step::CallbackOffer { audio: AudioId(5), digit: '#', limit: s(8), queue: QueueId(0) },
                        Step::Voicemail { limit: s(90), queue: Some(QueueId(2)) },
                        Step::Forward { number: "+81399998888".parse().unwrap() },
                        Step::GoTo { step: StepId(14) },
                        Step::End,
                    ],
                    outgoing: vec![
                        OutgoingNumber { number: "+81311112222".parse().unwrap(), state: NumberState::Confirmed },
                        OutgoingNumber { number: "#31#".parse().unwrap(), state: NumberState::New },
                        OutgoingNumber { number: "0120".parse().unwrap(), state: NumberState::Rejected },
                    ],
                    favourites: vec![Favourite { name: "the boss".into(), number: "*21".parse().unwrap() }],
                    settings: Settings {
                        login_status: StatusChoice::Break(ReasonId(17)),
                        ring_limit: s(12),
                        on_miss: MissRule::StayReady { break_after: 3 },
                        outbound_ticket: OutboundTicket::AtDial,
                        dial_limit: s(50),
                        consult_limit: s(20),
                        after_call: AfterCall {
                            limit: Some(s(40)),
                            then: StatusChoice::Work(ReasonId(18)),
                            early_exit: false,
                            prompt_after: Some(s(20)),
                        },
                        forced_end_audio: AudioId(8),
                        forced_end_limit: s(9),
                        hold_music: AudioId(10),
                        on_device_lost: DeviceLostRule::End,
                        device_grace: s(11),
                        tickets: TicketSettings {
                            solve_at_wrap_up: true,
                            close_after: s(100),
                            first_response: Some(s(200)),
                            resolution: Some(s(300)),
                            return_after: Some(s(400)),
                        },
                        callback: CallbackSettings { attempts: 2, retry_after: s(30) },
                    },
                },
                Service {
                    name: "help desk".into(),
                    inbound: false,
                    outbound: false,
                    hours: OpeningHours::Periods(vec![]),
                    flow: vec![],
                    outgoing: vec![],
                    favourites: vec![],
                    settings: Settings::default(),
                },
            ],
            queues: vec![
                Queue {
                    name: "billing".into(),
                    service: ServiceId(0),
                    channel: Channel::Phone,
                    policy: Policy::RingProgressive { step: s(4) },
                    needs: vec![SkillNeed { skill: SkillId(0), min: 3 }, SkillNeed { skill: SkillId(1), min: 1 }],
                    priority: PriorityRule::HeadStart { per_level: s(90) },
                    first_level: 1,
                    relax: vec![
                        RelaxStep { after: s(10), change: Relaxation::DropSkill(SkillId(1)) },
                        RelaxStep { after: s(20), change: Relaxation::MinProficiency(2) },
                        RelaxStep { after: s(30), change: Relaxation::Widen(3) },
                    ],
                    ring_limit: Some(s(13)),
                    limit: Some(20),
                    maximum_wait: Some(s(300)),
                    last_operator: Some(s(25)),
                },
                Queue { name: "talk".into(), channel: Channel::Chat, ..plain(Policy::LongestIdle(IdleSince::Ready)) },
                Queue { name: "mail".into(), channel: Channel::Ticket, ..plain(Policy::FewestCalls) },
                Queue { name: "a".into(), ..plain(Policy::LeastOccupied) },
                Queue { name: "b".into(), ..plain(Policy::HighestProficiency) },
                Queue { name: "c".into(), ..plain(Policy::FixedOrder) },
                Queue { name: "d".into(), ..plain(Policy::RoundRobin) },
                Queue { name: "e".into(), ..plain(Policy::Random) },
                Queue { name: "f".into(), ..plain(Policy::RingAll) },
                Queue { name: "g".into(), ..plain(Policy::LongestIdle(IdleSince::LastCall)) },
            ],
            operators: vec![
                Operator {
                    name: "1".into(),
                    services: vec![ServiceId(0), ServiceId(1)],
                    phone: false,
                    cti_id: None,
                    cti_number: None,
                    skills: vec![
                        OperatorSkill { skill: SkillId(0), proficiency: 5 },
                        OperatorSkill { skill: SkillId(1), proficiency: 10 },
                    ],
                    queues: vec![
                        Membership { queue: QueueId(0), level: 2, preference: 3 },
                        Membership { queue: QueueId(1), level: 0, preference: 0 },
                    ],
                    points: 90,
                    chat_limit: 3,
                    ticket_limit: 2,
                    auto_answer: true,
                },
                Operator {
                    name: "amy".into(),
                    services: vec![ServiceId(1)],
                    phone: true,
                    cti_id: Some("none".into()),
                    cti_number: Some("777".parse().unwrap()),
                    skills: vec![],
                    queues: vec![],
                    points: 100,
                    chat_limit: 0,
                    ticket_limit: 0,
                    auto_answer: false,
                },
            ],
            blending: Blending {
                phone_points: 90,
                chat_points: 30,
                ticket_points: 10,
                phone_interrupts_tickets: false,
                phone_interrupts_chats: true,
                chat_interrupts_tickets: false,
            },
        }
    }

    fn plain(policy: Policy) -> Queue {
        Queue {
            name: String::new(),
            service: ServiceId(0),
            channel: Channel::Phone,
            policy,
            needs: vec![],
            priority: PriorityRule::Strict,
            first_level: 255,
            relax: vec![],
            ring_limit: None,
            limit: None,
            maximum_wait: None,
            last_operator: None,
        }
    }

    /// Every command, each optional part once with and once without.
    fn every_command() -> Vec<Command> {
        let operator = OperatorId(0);
        let other = OperatorId(1);
        let nobody = OperatorId(9);
        let call = CallId::from_parts(7, 0);
        let chat = ChatId::from_parts(8, 0);
        let ticket = TicketId::from_parts(9, 0);
        let offer = OfferId::from_parts(4, 0);
        let leg = LegId { call, leg: 2 };
        let number = "+8190".parse().unwrap();
        let hash = "#31#".parse().unwrap();
        let mut all = vec![
            Command::Reconfigure(Box::new(EngineConfig::new(rich()).unwrap())),
            Command::LogIn { operator },
            Command::LogOut { operator: nobody },
            Command::SetStatus { operator, to: StatusChoice::Ready },
            Command::SetStatus { operator: other, to: StatusChoice::Work(reason::NONE) },
            Command::SetStatus { operator, to: StatusChoice::Break(ReasonId(20)) },
            Command::SetNextStatus { operator, next: None },
            Command::SetNextStatus { operator, next: Some(StatusChoice::Ready) },
            Command::SetChatStatus { operator, to: ChatStatus::Available },
            Command::SetChatStatus { operator, to: ChatStatus::Away },
            Command::DeviceLost { operator },
            Command::DeviceRestored { operator },
            Command::Answer { operator, offer },
            Command::Decline { operator, offer },
            Command::OfferFailed { offer, cause: DeviceFault::Failed },
            Command::OfferFailed { offer, cause: DeviceFault::Busy },
            Command::WithdrawOffer { offer },
            Command::Dial { operator, service: ServiceId(1), to: number, from: hash, customer: None, reference: 0 },
            Command::Dial {
                operator,
                service: ServiceId(0),
                to: hash,
                from: number,
                customer: Some(CustomerId(5)),
                reference: 6,
            },
            Command::HangUp { operator },
            Command::Hold { operator },
            Command::Release { operator },
            Command::Consult { operator, target: ConsultTarget::Number(number) },
            Command::Consult { operator, target: ConsultTarget::Favourite(3) },
            Command::Consult { operator, target: ConsultTarget::Operator(other) },
            Command::ConnectCustomer { operator },
            Command::CancelConsult { operator },
            Command::Conference { operator },
            Command::BlindTransfer { operator, target: TransferTarget::Number(number) },
            Command::BlindTransfer { operator, target: TransferTarget::Operator(other) },
            Command::BlindTransfer { operator, target: TransferTarget::Queue(QueueId(99)) },
            Command::ForceEnd { operator, reason: ForcedEndReason::Abuse, announcement: None },
            Command::ForceEnd { operator, reason: ForcedEndReason::Threat, announcement: Some(AudioId(4)) },
            Command::ForceEnd { operator, reason: ForcedEndReason::Other, announcement: None },
            Command::ChangePriority { call, priority: 3 },
            Command::ChangeSkill { call, skill: SkillId(1), min: 0 },
            Command::ChangeSkill { call, skill: SkillId(77), min: 11 },
            Command::CallArrived {
                service: ServiceId(0),
                entry: StepId(0),
                customer: None,
                from: None,
                priority: 0,
                preferred: None,
                reference: 0,
            },
            Command::CallArrived {
                service: ServiceId(9),
                entry: StepId(3),
                customer: Some(CustomerId(u64::MAX)),
                from: Some(number),
                priority: 255,
                preferred: Some(other),
                reference: u64::MAX,
            },
            Command::CustomerHungUp { call },
            Command::DigitPressed { call, digit: '#' },
            Command::DigitPressed { call, digit: '5' },
            Command::DigitPressed { call, digit: 'x' },
            Command::PlaybackFinished { call },
            Command::CustomerAnswered { call },
            Command::TargetAnswered { leg },
            Command::TargetHungUp { leg },
            Command::CallbackRequested {
                queue: QueueId(0),
                to: number,
                customer: Some(CustomerId(5)),
                priority: 1,
                reference: 2,
            },
            Command::CancelCallback { callback: CallbackId::from_parts(3, 0) },
            Command::ChatArrived {
                queue: QueueId(1),
                customer: Some(CustomerId(5)),
                priority: 1,
                preferred: Some(operator),
                reference: 2,
            },
            Command::CustomerLeftChat { chat },
            Command::EndChat { operator, chat },
            Command::TransferChat { operator, chat, to: QueueId(1) },
            Command::TransferChatToOperator { operator, chat, to: other },
            Command::Supervise { operator, call, mode: Supervision::Listen },
            Command::Supervise { operator, call, mode: Supervision::Whisper },
            Command::Supervise { operator, call, mode: Supervision::Barge },
            Command::SupervisorJoined { leg },
            Command::TakeOver { operator },
            Command::TicketArrived {
                service: ServiceId(0),
                queue: Some(QueueId(2)),
                customer: None,
                priority: 1,
                reference: 2,
            },
            Command::PullTicket { operator, ticket, version: Some(3) },
            Command::PullTicket { operator, ticket, version: None },
            Command::ForwardTicket { ticket, to: TicketTarget::Operator(other), version: None },
            Command::ForwardTicket { ticket, to: TicketTarget::Queue(QueueId(2)), version: Some(1) },
            Command::ForwardTicket { ticket, to: TicketTarget::Unassigned, version: None },
            Command::SetTicketPriority { ticket, priority: 3, version: Some(1) },
            Command::ReplyToTicket { ticket, by: operator },
            Command::CustomerReplied { ticket },
            Command::FinishTicketWork { operator, ticket },
            Command::MergeTickets { into: ticket, from: TicketId::from_parts(2, 0) },
            Command::LinkTickets { ticket, other: TicketId::from_parts(2, 0) },
            Command::RateTicket { ticket, score: 5 },
        ];
        for cause in [FarEndFault::Busy, FarEndFault::NoAnswer, FarEndFault::Failed] {
            all.push(Command::DialFailed { call, cause });
            all.push(Command::TargetFailed { leg, cause });
        }
        for (_, resolution) in order::RESOLUTIONS {
            all.push(Command::SetTicketStatus {
                ticket,
                by: Some(other),
                status: TicketStatus::Solved,
                resolution,
                version: Some(3),
            });
        }
        for status in [TicketStatus::New, TicketStatus::Open, TicketStatus::Pending, TicketStatus::Closed] {
            let resolution = Resolution::Answered;
            all.push(Command::SetTicketStatus { ticket, by: None, status, resolution, version: None });
        }
        all
    }

    #[test]
    fn every_floor_survives_being_written() {
        let floor = rich();
        let text = write_floor(&floor);
        let script = Script::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(script.config().clone().into_floor(), floor, "{text}");
    }

    #[test]
    fn every_command_survives_being_written() {
        let floor = rich();
        let commands = every_command();
        let mut text = write_floor(&floor);
        for command in &commands {
            text.push_str(&write_command(&floor, Instant::from_micros(1_500_000), command));
            text.push('\n');
        }
        let script = Script::parse(&text).unwrap_or_else(|error| panic!("{error}\n{text}"));
        assert_eq!(script.len(), commands.len());
        let directory = Directory::new(script.orders.given.clone());
        for (order, command) in script.orders.all.iter().zip(&commands) {
            assert_eq!(order.at, Instant::from_micros(1_500_000));
            let Act::Do(read, None) = &order.act else { panic!("{order:?}") };
            assert_eq!(&directory.resolve(&script.orders.meanings, read).unwrap(), command, "{}", order.text);
        }
    }

    #[test]
    fn errors_say_where_what_and_what_would_be_right() {
        let error = |text: &str| Script::parse(text).unwrap_err().to_string();
        let floor = "floor\n service shop inbound\n  flow: queue billing\n queue billing\n operator 1\n operator amy\n";
        assert_eq!(
            error(&alloc::format!("{floor}t=0 operator amy anwsers")),
            "7:18: found \"anwsers\"; right would be answers, declines, ready, work, break, next, logs, hangs, holds, \
             releases, consults, connects, cancels, joins, transfers, forces, dials, chats, ends, pulls, replies, \
             finishes, loses, regains, listens, whispers, barges or takes; did you mean \"answers\"?"
        );
        assert_eq!(
            error(&alloc::format!("{floor}t=0 operator any answers")),
            "7:14: found \"any\"; right would be an operator: 1 or amy; did you mean \"amy\"?"
        );
        assert_eq!(
            error(&alloc::format!("{floor}t=5 log in operator 1\nt=4 log out operator 1")),
            "8:3: found \"4\"; right would be a time that is not before the line above"
        );
        assert_eq!(
            error(&alloc::format!("{floor}t=5 operator 1 hangs")),
            "7:21: found the end of the line; right would be \"up\""
        );
        assert_eq!(
            error("floor\n service shop inbound\n"),
            "2:2: service \"shop\": takes inbound calls but has no call flow: add at least a queue step"
        );
        assert_eq!(error("floor\n servce shop\n").split("; ").last(), Some("did you mean \"service\"?"));
        assert_eq!(
            error(&alloc::format!("{floor}t=0 call 7 -> shop; call 7 -> shop")),
            "7:35: found the end of the line; right would be another name: call 7 was named above"
        );
    }
}
