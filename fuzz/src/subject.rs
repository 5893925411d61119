//! What is tested: the engine, or the engine with a fault planted, to show that the harness can fail.

use callfloor_engine::{
    Channel, Command, DeviceLostRule, Engine, EngineConfig, Event, Instant, MissRule, OpeningHours, OperatorId,
    OutboundTicket, Output, OverflowWhen, Policy, PriorityRule, Queue, QueueId, Rejection, Span, Status, StatusChoice,
    Step, TicketId, TicketStatus, TicketTimes, TransferTarget,
};

/// Status, owner and version of a ticket that is not Closed.
type SeenTicket = Option<(TicketStatus, Option<OperatorId>, u32)>;

/// The engine's contract, as far as the harness uses it.
pub trait Subject: Sized {
    /// Fires what is due.
    fn advance(&mut self, now: Instant, out: &mut Vec<Output>);
    /// Applies a command.
    ///
    /// # Errors
    /// The engine's rejection.
    fn apply(&mut self, now: Instant, command: Command, out: &mut Vec<Output>) -> Result<(), Rejection>;
    /// When something is due next.
    fn next_deadline(&self) -> Option<Instant>;
    /// All state.
    fn snapshot(&self) -> Vec<u8>;
    /// The state of a snapshot; `self` gives what a snapshot does not hold.
    fn restored(&self, bytes: &[u8]) -> Result<Self, String>;
    /// Every invariant.
    fn check(&self) -> Result<(), String>;
    /// An operator's status.
    fn status(&self, operator: OperatorId) -> Status;
    /// A ticket.
    fn ticket(&self, ticket: TicketId) -> SeenTicket;
    /// What a ticket's clocks show.
    fn ticket_times(&self, ticket: TicketId, now: Instant) -> Option<TicketTimes>;
    /// How much waits in a queue and does not ring.
    fn waiting(&self, queue: QueueId) -> u32;
    /// Calls that are live.
    fn live_calls(&self) -> usize;
}

impl Subject for Engine {
    fn advance(&mut self, now: Instant, out: &mut Vec<Output>) {
        Self::advance(self, now, out);
    }
    fn apply(&mut self, now: Instant, command: Command, out: &mut Vec<Output>) -> Result<(), Rejection> {
        Self::apply(self, now, command, out)
    }
    fn next_deadline(&self) -> Option<Instant> {
        Self::next_deadline(self)
    }
    fn snapshot(&self) -> Vec<u8> {
        Self::snapshot(self)
    }
    fn restored(&self, bytes: &[u8]) -> Result<Self, String> {
        Self::restore(bytes).map_err(|error| format!("{error:?}"))
    }
    fn check(&self) -> Result<(), String> {
        Self::check(self).map_err(|error| format!("{error:?}"))
    }
    fn status(&self, operator: OperatorId) -> Status {
        self.operator_status(operator)
    }
    fn ticket(&self, ticket: TicketId) -> SeenTicket {
        Self::ticket(self, ticket).map(|found| (found.status, found.owner, found.version))
    }
    fn ticket_times(&self, ticket: TicketId, now: Instant) -> Option<TicketTimes> {
        Self::ticket_times(self, ticket, now)
    }
    fn waiting(&self, queue: QueueId) -> u32 {
        Self::waiting(self, queue)
    }
    fn live_calls(&self) -> usize {
        Self::live_calls(self)
    }
}

/// A fault that can be planted. Each stands for a class of bugs that the harness must catch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Every `n`-th command is lost, but acknowledged.
    LostCommand(u32),
    /// Every `n`-th event is not told.
    LostEvent(u32),
    /// Every `n`-th event is told twice.
    DoubledEvent(u32),
    /// Every `n`-th wake-up comes to nothing: deadlines fire late.
    LateDeadline(u32),
    /// Every `n`-th rejection has changed something all the same.
    RejectionChanges(u32),
    /// Every `n`-th restored engine is one of a moment ago.
    OldSnapshot(u32),
    /// The status of operator 0 is told wrongly while they talk.
    WrongStatus,
    /// Two events of one command are told in the wrong order, every `n`-th time.
    SwappedEvents(u32),
    /// Connecting the customer cancels the consult instead.
    CancelsForConnect,
    /// A supervisor who takes a call over only leaves it.
    LeavesForTakeOver,
    /// A blind transfer to a queue goes to another of the same channel.
    WrongQueue,
    /// Another configuration is acknowledged, but not used.
    DeafToReconfigure,
    /// A rule is got wrong.
    Misreads(Rule),
}

/// A rule of the configuration that an engine could get wrong: it is consistent with itself, and only the model knows
/// better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is its own words")]
pub enum Rule {
    Policy,
    Ageing,
    Levels,
    Preference,
    Relaxing,
    QueueLimit,
    MaximumWait,
    LastOperator,
    MissRule,
    AfterCall,
    AfterCallThen,
    DeviceLost,
    DeviceGrace,
    ConsultLimit,
    DialLimit,
    OutboundTicket,
    ForcedEndLimit,
    CallbackAttempts,
    CloseAfter,
    SolveAtWrapUp,
    FirstResponse,
    Resolution,
    ReturnAfter,
    Hours,
    Menu,
    SetSkill,
    SetPriority,
    Overflow,
    OnFull,
    OnTimeout,
    CallbackDigit,
    ChatLimit,
    Points,
    Blending,
}

impl Rule {
    /// Every one.
    pub const ALL: [Self; 34] = [
        Self::Policy,
        Self::Ageing,
        Self::Levels,
        Self::Preference,
        Self::Relaxing,
        Self::QueueLimit,
        Self::MaximumWait,
        Self::LastOperator,
        Self::MissRule,
        Self::AfterCall,
        Self::AfterCallThen,
        Self::DeviceLost,
        Self::DeviceGrace,
        Self::ConsultLimit,
        Self::DialLimit,
        Self::OutboundTicket,
        Self::ForcedEndLimit,
        Self::CallbackAttempts,
        Self::CloseAfter,
        Self::SolveAtWrapUp,
        Self::FirstResponse,
        Self::Resolution,
        Self::ReturnAfter,
        Self::Hours,
        Self::Menu,
        Self::SetSkill,
        Self::SetPriority,
        Self::Overflow,
        Self::OnFull,
        Self::OnTimeout,
        Self::CallbackDigit,
        Self::ChatLimit,
        Self::Points,
        Self::Blending,
    ];

    /// The configuration as an engine takes it that gets the rule wrong.
    fn misread(self, config: &EngineConfig) -> EngineConfig {
        let mut floor = config.clone().into_floor();
        let longer = |span: &mut Span| *span += Span::from_micros(1);
        for queue in &mut floor.queues {
            match self {
                Self::Policy if queue.policy == Policy::FewestCalls => queue.policy = Policy::RoundRobin,
                Self::Ageing => queue.priority = PriorityRule::Strict,
                Self::Relaxing => queue.relax.truncate(1),
                Self::QueueLimit => queue.limit = queue.limit.map(|limit| limit + 1),
                Self::MaximumWait => queue.maximum_wait.iter_mut().for_each(longer),
                Self::LastOperator => queue.last_operator = None,
                _ => {}
            }
        }
        for operator in &mut floor.operators {
            for membership in &mut operator.queues {
                match self {
                    Self::Levels => membership.level = membership.level.min(1),
                    Self::Preference => membership.preference = 0,
                    _ => {}
                }
            }
            match self {
                Self::ChatLimit => operator.chat_limit = operator.chat_limit.saturating_add(1),
                Self::Points => operator.points += 10,
                _ => {}
            }
        }
        for service in &mut floor.services {
            let settings = &mut service.settings;
            match self {
                Self::MissRule => settings.on_miss = MissRule::LeaveReady,
                Self::AfterCall => settings.after_call.early_exit = true,
                Self::AfterCallThen => settings.after_call.then = StatusChoice::Ready,
                Self::DeviceLost => settings.on_device_lost = DeviceLostRule::Requeue,
                Self::DeviceGrace => longer(&mut settings.device_grace),
                Self::ConsultLimit => longer(&mut settings.consult_limit),
                Self::DialLimit => longer(&mut settings.dial_limit),
                Self::OutboundTicket => settings.outbound_ticket = OutboundTicket::AtConnect,
                Self::ForcedEndLimit => longer(&mut settings.forced_end_limit),
                Self::CallbackAttempts => settings.callback.attempts += 1,
                Self::CloseAfter => longer(&mut settings.tickets.close_after),
                Self::SolveAtWrapUp => settings.tickets.solve_at_wrap_up = false,
                Self::FirstResponse => settings.tickets.first_response.iter_mut().for_each(longer),
                Self::Resolution => settings.tickets.resolution.iter_mut().for_each(longer),
                Self::ReturnAfter => settings.tickets.return_after = None,
                Self::Hours => service.hours = OpeningHours::Always,
                _ => {}
            }
            for step in &mut service.flow {
                match (self, step) {
                    (Self::Menu, Step::Menu { options, otherwise, .. }) => {
                        options.iter_mut().for_each(|option| option.1 = *otherwise);
                    }
                    (Self::SetSkill, Step::SetSkill { min, .. }) => *min = 1,
                    (Self::SetPriority, Step::SetPriority { priority }) => *priority = 0,
                    (Self::Overflow, Step::Overflow { when, .. }) => *when = OverflowWhen::NobodyLoggedIn,
                    (Self::OnFull, Step::Queue { on_full, .. }) => *on_full = None,
                    (Self::OnTimeout, Step::Queue { on_timeout, .. }) => *on_timeout = None,
                    (Self::CallbackDigit, Step::CallbackOffer { digit, .. }) => *digit = '0',
                    _ => {}
                }
            }
        }
        if self == Self::Blending {
            floor.blending.phone_interrupts_chats = !floor.blending.phone_interrupts_chats;
        }
        EngineConfig::new(floor).expect("a misread floor is valid")
    }
}

impl Fault {
    /// One of each, rules apart.
    pub const ALL: [Self; 12] = [
        Self::LostCommand(100),
        Self::LostEvent(100),
        Self::DoubledEvent(100),
        Self::LateDeadline(20),
        Self::RejectionChanges(10),
        Self::OldSnapshot(1),
        Self::WrongStatus,
        Self::SwappedEvents(50),
        Self::CancelsForConnect,
        Self::LeavesForTakeOver,
        Self::WrongQueue,
        Self::DeafToReconfigure,
    ];
}

/// The engine with a fault.
#[derive(Debug)]
pub struct Faulty {
    engine: Engine,
    fault: Fault,
    count: u32,
    earlier: Vec<u8>,
}

impl Faulty {
    /// An engine with this fault.
    #[must_use]
    pub fn with(config: EngineConfig, fault: Fault) -> Self {
        let config = if let Fault::Misreads(rule) = fault { rule.misread(&config) } else { config };
        let engine = Engine::new(config);
        let earlier = engine.snapshot();
        Self { engine, fault, count: 0, earlier }
    }

    /// Whether it is the `n`-th time.
    fn strikes(&mut self, n: u32) -> bool {
        self.count += 1;
        self.count.is_multiple_of(n)
    }

    fn distort(&mut self, from: usize, out: &mut Vec<Output>) {
        match self.fault {
            Fault::LostEvent(n) => {
                for at in (from..out.len()).rev() {
                    if matches!(out[at], Output::Event(_)) && self.strikes(n) {
                        out.remove(at);
                    }
                }
            }
            Fault::DoubledEvent(n) => {
                for at in (from..out.len()).rev() {
                    if matches!(out[at], Output::Event(Event::StatusChanged { .. })) && self.strikes(n) {
                        out.insert(at, out[at]);
                    }
                }
            }
            Fault::SwappedEvents(n) => {
                let events: Vec<usize> = (from..out.len()).filter(|&at| matches!(out[at], Output::Event(_))).collect();
                if let [first, .., last] = events[..]
                    && out[first] != out[last]
                    && self.strikes(n)
                {
                    out.swap(first, last);
                }
            }
            _ => {}
        }
    }
}

impl Subject for Faulty {
    fn advance(&mut self, now: Instant, out: &mut Vec<Output>) {
        let from = out.len();
        if let Fault::LateDeadline(n) = self.fault
            && self.engine.next_deadline() == Some(now)
            && self.strikes(n)
        {
            // One microsecond too late; the host's next call finds it.
            return;
        }
        self.engine.advance(now, out);
        self.distort(from, out);
    }

    fn apply(&mut self, now: Instant, command: Command, out: &mut Vec<Output>) -> Result<(), Rejection> {
        let from = out.len();
        if let Fault::LostCommand(n) = self.fault
            && self.strikes(n)
        {
            return Ok(());
        }
        if let Fault::LateDeadline(_) = self.fault {
            self.engine.advance(now, out);
        }
        if matches!(self.fault, Fault::OldSnapshot(_)) {
            self.earlier = self.engine.snapshot();
        }
        let queues = self.engine.config().queues.len();
        let command = match (self.fault, command) {
            (Fault::CancelsForConnect, Command::ConnectCustomer { operator }) => Command::CancelConsult { operator },
            (Fault::LeavesForTakeOver, Command::TakeOver { operator }) => Command::HangUp { operator },
            (Fault::WrongQueue, Command::BlindTransfer { operator, target: TransferTarget::Queue(queue) })
                if queue.index() < queues =>
            {
                let phone = |queue: &Queue| queue.channel == Channel::Phone;
                let last = self.engine.config().queues.iter().rposition(phone).unwrap_or(0);
                let queue = QueueId(u16::try_from(last).unwrap_or(0));
                Command::BlindTransfer { operator, target: TransferTarget::Queue(queue) }
            }
            (Fault::DeafToReconfigure, Command::Reconfigure(config)) => {
                // Whether it could be used is known all the same.
                return self.engine.clone().apply(now, Command::Reconfigure(config), &mut Vec::new());
            }
            (Fault::Misreads(rule), Command::Reconfigure(config)) => {
                Command::Reconfigure(Box::new(rule.misread(&config)))
            }
            (_, command) => command,
        };
        let result = self.engine.apply(now, command, out);
        if let (Err(_), Fault::RejectionChanges(n)) = (&result, self.fault)
            && self.strikes(n)
        {
            for at in 0..u32::try_from(self.engine.config().operators.len()).unwrap_or(0) {
                if self.engine.apply(now, Command::LogIn { operator: OperatorId(at) }, &mut Vec::new()).is_ok() {
                    break;
                }
            }
        }
        self.distort(from, out);
        result
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.engine.next_deadline()
    }

    fn snapshot(&self) -> Vec<u8> {
        Subject::snapshot(&self.engine)
    }

    fn restored(&self, bytes: &[u8]) -> Result<Self, String> {
        let bytes = if matches!(self.fault, Fault::OldSnapshot(_)) { &self.earlier } else { bytes };
        let engine = self.engine.restored(bytes)?;
        Ok(Self { engine, fault: self.fault, count: self.count, earlier: self.earlier.clone() })
    }

    fn check(&self) -> Result<(), String> {
        Subject::check(&self.engine)
    }

    fn status(&self, operator: OperatorId) -> Status {
        match (self.fault, self.engine.operator_status(operator)) {
            (Fault::WrongStatus, Status::Talking) if operator.0 == 0 => Status::Holding,
            (_, status) => status,
        }
    }

    fn ticket(&self, ticket: TicketId) -> SeenTicket {
        self.engine.ticket(ticket).map(|found| (found.status, found.owner, found.version))
    }

    fn ticket_times(&self, ticket: TicketId, now: Instant) -> Option<TicketTimes> {
        self.engine.ticket_times(ticket, now)
    }

    fn waiting(&self, queue: QueueId) -> u32 {
        self.engine.waiting(queue)
    }

    fn live_calls(&self) -> usize {
        self.engine.live_calls()
    }
}
