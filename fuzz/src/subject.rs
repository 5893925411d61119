//! What is tested: the engine, or the engine with a fault planted, to show that the harness can fail.

use callfloor_engine::{
    Command, Engine, EngineConfig, Event, Instant, OperatorId, Output, QueueId, Rejection, Status, TicketId,
    TicketStatus, TicketTimes,
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
        Self::ticket(self, ticket)
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
}

impl Fault {
    /// One of each.
    pub const ALL: [Self; 8] = [
        Self::LostCommand(100),
        Self::LostEvent(100),
        Self::DoubledEvent(100),
        Self::LateDeadline(20),
        Self::RejectionChanges(10),
        Self::OldSnapshot(1),
        Self::WrongStatus,
        Self::SwappedEvents(50),
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
        self.engine.ticket(ticket)
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
