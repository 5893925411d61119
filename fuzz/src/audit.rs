//! Invariants that can be told from the outputs alone, kept by other means than the engine's own `check`: every
//! status change starts where the last one ended, every offer and call ends once, nobody is rung or joined twice,
//! nobody is overtaken.

use callfloor_engine::{
    Action, CallRecord, Channel, Command, EndCause, EngineConfig, Event, Input, Instant, MissRule, OfferEnd,
    OperatorId, Output, Policy, PriorityRule, QueueId, Resting, Span, Status, Step, SupervisionEnd, Work,
};

/// Where a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Flow,
    Queue(QueueId),
    Answered,
    Dialled,
}

#[derive(Clone, Debug)]
struct SeenCall {
    number: u32,
    place: Place,
    arrived: Instant,
    /// A supervisor changed it: its order is not known here.
    changed: bool,
    /// Order of arrival in its queue, while only arrival and priority decide.
    order: Option<(u8, u64)>,
    conference: bool,
    /// Waited again after an answer: its kept place counts from the first wait, the talk between included.
    recovered: bool,
    tickets: u32,
}

#[derive(Clone, Debug)]
struct SeenOffer {
    number: u32,
    operator: OperatorId,
    work: Work,
    made: Instant,
    until: Instant,
}

#[derive(Clone, Debug)]
struct SeenOperator {
    status: Status,
    call: Option<u32>,
    /// The call that they supervise, or are called to supervise.
    supervises: Option<u32>,
    since: Instant,
    login: Instant,
    spent: [Span; 10],
    chats: u32,
}

/// The running audit of one engine's outputs.
#[derive(Clone, Debug)]
pub struct Audit {
    operators: Vec<SeenOperator>,
    chat_limits: Vec<u32>,
    calls: Vec<SeenCall>,
    offers: Vec<SeenOffer>,
    offered: u32,
    arrived: u32,
    sequence: u64,
    /// Queues in which only priority and arrival decide who is next.
    plain: Vec<bool>,
    /// By queue: presented, answered, left unanswered.
    counts: Vec<[u64; 3]>,
    refused: u64,
    ended: u64,
}

impl Audit {
    /// Nothing seen yet.
    #[must_use]
    pub fn new(config: &EngineConfig) -> Self {
        let mut audit = Self {
            operators: Vec::new(),
            chat_limits: Vec::new(),
            calls: Vec::new(),
            offers: Vec::new(),
            offered: 0,
            arrived: 0,
            sequence: 0,
            plain: Vec::new(),
            counts: Vec::new(),
            refused: 0,
            ended: 0,
        };
        audit.reconfigured(config);
        audit
    }

    /// Another configuration is in use from now on; the order of what waits is no longer known here.
    pub fn reconfigured(&mut self, config: &EngineConfig) {
        let operator = SeenOperator {
            status: Status::LoggedOut,
            call: None,
            supervises: None,
            since: Instant::ZERO,
            login: Instant::ZERO,
            spent: [Span::ZERO; 10],
            chats: 0,
        };
        let settings_are_plain = config.services.iter().all(|service| {
            service.settings.on_miss == MissRule::LeaveReady
                && !service.flow.iter().any(|step| matches!(step, Step::SetSkill { .. }))
        });
        self.plain = config
            .queues
            .iter()
            .map(|queue| {
                settings_are_plain
                    && queue.priority == PriorityRule::Strict
                    && queue.relax.is_empty()
                    && queue.last_operator.is_none()
                    && !matches!(queue.policy, Policy::RingAll | Policy::RingProgressive { .. })
            })
            .collect();
        self.operators.resize(config.operators.len(), operator);
        self.chat_limits = config.operators.iter().map(|operator| u32::from(operator.chat_limit)).collect();
        self.counts.resize(config.queues.len(), [0; 3]);
        for call in &mut self.calls {
            call.order = None;
            call.changed = true;
        }
    }

    /// A supervisor's change makes a call's order unknown here.
    pub fn command(&mut self, command: &Command) {
        if let Command::ChangePriority { call, .. } | Command::ChangeSkill { call, .. } = command
            && let Some(seen) = self.calls.iter_mut().find(|seen| seen.number == call.number())
        {
            seen.order = None;
            seen.changed = true;
        }
    }

    /// Takes note of the outputs of one command or wake-up at `now`; a `late` wake-up fires deadlines after their time.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn outputs(&mut self, now: Instant, late: bool, outputs: &[Output]) -> Result<(), String> {
        for output in outputs {
            match output {
                Output::Event(event) => self.event(now, late, event)?,
                Output::Action(Action::CallSupervisor { operator, leg }) => {
                    self.operators[operator.index()].supervises = Some(leg.call.number());
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn event(&mut self, now: Instant, late: bool, event: &Event) -> Result<(), String> {
        match *event {
            Event::StatusChanged { operator, from, to, call, .. } => {
                let seen = &mut self.operators[operator.index()];
                if seen.status != from {
                    return Err(format!("{operator} is said to leave {from}, but was {}", seen.status));
                }
                if !reachable(from, to) {
                    return Err(format!("{operator} went from {from} to {to}, which the table does not allow"));
                }
                if from == Status::LoggedOut {
                    seen.login = now;
                    seen.spent = [Span::ZERO; 10];
                } else {
                    seen.spent[from as usize] += now - seen.since;
                    let total = seen.spent.iter().fold(Span::ZERO, |sum, &span| sum + span);
                    if total != now - seen.login {
                        return Err(format!("{operator}: {total} in all statuses, {} since login", now - seen.login));
                    }
                }
                seen.status = to;
                seen.since = now;
                seen.call = call.map(callfloor_engine::CallId::number);
                if !matches!(to, Status::Dialing | Status::Talking) {
                    seen.supervises = None;
                }
            }
            Event::CallArrived { call, .. } => self.call_begins(now, call.number(), Place::Flow)?,
            Event::DialStarted { call, .. } => self.call_begins(now, call.number(), Place::Dialled)?,
            Event::CallRefused { .. } => self.refused += 1,
            Event::CallQueued { call, queue, priority } => {
                self.sequence += 1;
                let sequence = self.sequence;
                self.counts[queue.index()][0] += 1;
                let plain = self.plain[queue.index()];
                let seen = self.call(call.number())?;
                // The place is kept over an overflow from queue to queue: only a first queue's order is known here.
                seen.order = (plain && !seen.changed && seen.place == Place::Flow && seen.order.is_none())
                    .then_some((priority, sequence));
                seen.place = Place::Queue(queue);
            }
            Event::CallFlowedOut { call, queue, .. } => {
                self.counts[queue.index()][2] += 1;
                let seen = self.call(call.number())?;
                if seen.place != Place::Queue(queue) {
                    return Err(format!("{call} left {queue}, but was {:?}", seen.place));
                }
                seen.place = Place::Flow;
                // Another queue keeps the place; its order is not known here.
                seen.order = Some((0, 0));
            }
            Event::CallRecovered { call, queue } => {
                let seen = self.call(call.number())?;
                if seen.place == Place::Answered {
                    seen.order = None;
                    seen.recovered = true;
                    seen.place = Place::Queue(queue);
                    self.counts[queue.index()][0] += 1;
                }
            }
            Event::CallAnswered { call, queue, .. } => {
                self.counts[queue.index()][1] += 1;
                let seen = self.call(call.number())?;
                if seen.place != Place::Queue(queue) {
                    return Err(format!("{call} was answered from {queue}, but was {:?}", seen.place));
                }
                seen.place = Place::Answered;
                seen.order = None;
            }
            Event::CallResumed { call, queue, .. } => {
                self.counts[queue.index()][1] += 1;
                self.call(call.number())?.place = Place::Answered;
            }
            Event::DialAnswered { call, .. } => self.call(call.number())?.place = Place::Answered,
            Event::ConferenceStarted { call, .. } => self.call(call.number())?.conference = true,
            Event::CallTransferred { call, .. } => {
                let seen = self.call(call.number())?;
                if seen.place != Place::Answered {
                    return Err(format!("{call} was transferred, but was {:?}", seen.place));
                }
            }
            Event::SupervisionEnded { call, supervisor, end: SupervisionEnd::TookOver } => {
                let seen = &mut self.operators[supervisor.index()];
                if seen.supervises.take() != Some(call.number()) {
                    return Err(format!("{supervisor} took {call} over without supervising it"));
                }
                seen.call = Some(call.number());
            }
            Event::CallEnded(ref record) => self.call_ends(now, record)?,
            Event::OfferMade { offer, work, operator, queue, until } => {
                if offer.number() != self.offered + 1 {
                    return Err(format!("{offer} follows offer {}", self.offered));
                }
                self.offered += 1;
                if until <= now {
                    return Err(format!("{offer} could never be answered: until {until}"));
                }
                self.overtaken(work, queue)?;
                let operator_of = operator;
                if work.channel() == Channel::Phone
                    && self.offers.iter().any(|o| o.operator == operator_of && o.work.channel() == Channel::Phone)
                {
                    return Err(format!("{operator} has two phone offers"));
                }
                self.offers.push(SeenOffer { number: offer.number(), operator, work, made: now, until });
            }
            Event::OfferEnded { offer, operator, end, rang, .. } => {
                let Some(at) = self.offers.iter().position(|seen| seen.number == offer.number()) else {
                    return Err(format!("{offer} ended twice, or was never made"));
                };
                let seen = self.offers.remove(at);
                if seen.operator != operator || rang != now - seen.made {
                    return Err(format!("{offer} rang at {} since {}, but ended {event:?}", seen.operator, seen.made));
                }
                if end == OfferEnd::Withdrawn
                    && let Work::Call(call) = seen.work
                    && let Some(call) = self.calls.iter_mut().find(|c| c.number == call.number())
                {
                    // It is kept from the operator from whom it was withdrawn: others may go before it.
                    call.order = None;
                }
                if !late && (end == OfferEnd::TimedOut) != (now >= seen.until) {
                    return Err(format!("{offer} until {} ended {end:?} at {now}", seen.until));
                }
            }
            Event::ChatAnswered { operator, .. } => {
                let seen = &mut self.operators[operator.index()];
                seen.chats += 1;
                if seen.chats > self.chat_limits[operator.index()] {
                    return Err(format!("{operator} has {} chats", seen.chats));
                }
            }
            Event::ChatTransferred { from: operator, .. }
            | Event::ChatTransferredToOperator { from: operator, .. }
            | Event::ChatEnded { operator: Some(operator), .. } => {
                let seen = &mut self.operators[operator.index()];
                seen.chats = seen.chats.checked_sub(1).ok_or_else(|| format!("{operator} ends a chat too many"))?;
            }
            Event::TicketCreated {
                origin:
                    callfloor_engine::TicketOrigin::PhoneIn(call)
                    | callfloor_engine::TicketOrigin::PhoneOut(call)
                    | callfloor_engine::TicketOrigin::Voicemail(call),
                ..
            } => {
                if let Some(seen) = self.calls.iter_mut().find(|seen| seen.number == call.number()) {
                    seen.tickets += 1;
                    if seen.tickets > 1 {
                        return Err(format!("{call} has {} tickets", seen.tickets));
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn call_begins(&mut self, now: Instant, number: u32, place: Place) -> Result<(), String> {
        if number != self.arrived + 1 {
            return Err(format!("call {number} follows call {}", self.arrived));
        }
        self.arrived = number;
        self.calls.push(SeenCall {
            number,
            place,
            arrived: now,
            changed: false,
            order: None,
            conference: false,
            recovered: false,
            tickets: 0,
        });
        Ok(())
    }

    fn call(&mut self, number: u32) -> Result<&mut SeenCall, String> {
        self.calls
            .iter_mut()
            .find(|seen| seen.number == number)
            .ok_or_else(|| format!("call {number} is named in an event, but is not live"))
    }

    fn call_ends(&mut self, now: Instant, record: &CallRecord) -> Result<(), String> {
        let number = record.call.number();
        let Some(at) = self.calls.iter().position(|seen| seen.number == number) else {
            return Err(format!("call {number} ended twice, or never began"));
        };
        let seen = self.calls.remove(at);
        self.ended += 1;
        if let Place::Queue(queue) = seen.place {
            self.counts[queue.index()][2] += 1;
        }
        let fits = match record.cause {
            EndCause::AbandonedInFlow => seen.place == Place::Flow,
            EndCause::AbandonedInQueue | EndCause::AbandonedWhileRinging => matches!(seen.place, Place::Queue(_)),
            EndCause::MaximumWait => seen.place == Place::Flow,
            EndCause::DialFailed(_) | EndCause::DialCancelled => seen.place == Place::Dialled,
            EndCause::OperatorHungUp | EndCause::ForcedByOperator(_) => seen.place == Place::Answered,
            _ => true,
        };
        if !fits {
            return Err(format!("call {number} ended by {:?}, but was {:?}", record.cause, seen.place));
        }
        let served = record.talk + record.hold + record.consult;
        if record.arrived != seen.arrived
            || record.wait.max(served) > now - seen.arrived
            || (!seen.recovered && record.wait + served > now - seen.arrived)
        {
            return Err(format!("call {number} since {} ended at {now} with {record:?}", seen.arrived));
        }
        Ok(())
    }

    /// No overtaking within a class (B10): nobody of the same queue with at least this priority came earlier.
    fn overtaken(&self, work: Work, queue: Option<QueueId>) -> Result<(), String> {
        let (Work::Call(call), Some(queue)) = (work, queue) else { return Ok(()) };
        let Some(own) = self.calls.iter().find(|seen| seen.number == call.number()).and_then(|seen| seen.order) else {
            return Ok(());
        };
        for other in &self.calls {
            let Some(order) = other.order else { continue };
            let waits = other.place == Place::Queue(queue)
                && !self.offers.iter().any(|o| matches!(o.work, Work::Call(c) if c.number() == other.number));
            if waits && order.1 > 0 && own.1 > 0 && order.0 >= own.0 && order.1 < own.1 {
                return Err(format!("{call} overtook call {} in {queue}", other.number));
            }
        }
        Ok(())
    }

    /// What an accepted command must at least have said, whatever else follows from it.
    ///
    /// # Errors
    /// What is missing, in a sentence.
    pub fn told(command: &Command, outputs: &[Output]) -> Result<(), String> {
        let says = |wanted: &dyn Fn(&Event) -> bool| {
            outputs.iter().any(|output| matches!(output, Output::Event(event) if wanted(event)))
        };
        let moved =
            |who: OperatorId| says(&|event| matches!(event, Event::StatusChanged { operator, .. } if *operator == who));
        let told = match *command {
            Command::LogIn { operator } => moved(operator),
            Command::LogOut { operator } => moved(operator),
            Command::Answer { offer: own, .. } => says(
                &|event| matches!(event, Event::OfferEnded { offer, end: OfferEnd::Accepted, .. } if *offer == own),
            ),
            Command::Decline { offer: own, .. } => says(
                &|event| matches!(event, Event::OfferEnded { offer, end: OfferEnd::Declined, .. } if *offer == own),
            ),
            Command::WithdrawOffer { offer: own } => says(
                &|event| matches!(event, Event::OfferEnded { offer, end: OfferEnd::Withdrawn, .. } if *offer == own),
            ),
            Command::Dial { operator: who, .. } => {
                moved(who) && says(&|event| matches!(event, Event::DialStarted { operator, .. } if *operator == who))
            }
            Command::HangUp { operator } => moved(operator),
            Command::Hold { operator } => moved(operator) && says(&|event| matches!(event, Event::CallHeld { .. })),
            Command::Release { operator } => {
                moved(operator) && says(&|event| matches!(event, Event::CallReleased { .. }))
            }
            Command::Consult { .. } => says(&|event| matches!(event, Event::ConsultStarted { .. })),
            Command::ConnectCustomer { operator } => {
                moved(operator) && says(&|event| matches!(event, Event::CallTransferred { blind: false, .. }))
            }
            Command::Conference { operator } => moved(operator),
            Command::BlindTransfer { operator, .. } => {
                moved(operator) && says(&|event| matches!(event, Event::CallTransferred { blind: true, .. }))
            }
            Command::SupervisorJoined { .. } => says(&|event| matches!(event, Event::SupervisionStarted { .. })),
            Command::TakeOver { operator: who } => says(
                &|event| matches!(event, Event::SupervisionEnded { supervisor, end: SupervisionEnd::TookOver, .. } if *supervisor == who),
            ),
            Command::ForceEnd { .. } => says(&|event| matches!(event, Event::ForcedEndStarted { .. })),
            Command::CallArrived { reference: own, .. } => says(
                &|event| matches!(event, Event::CallArrived { reference, .. } | Event::CallRefused { reference, .. } if *reference == own),
            ),
            Command::CustomerHungUp { call } => {
                says(&|event| matches!(event, Event::CallEnded(record) if record.call == call))
            }
            Command::CustomerAnswered { .. } => says(&|event| matches!(event, Event::DialAnswered { .. })),
            Command::DialFailed { call, .. } => {
                says(&|event| matches!(event, Event::CallEnded(record) if record.call == call))
            }
            Command::CallbackRequested { .. } => says(&|event| matches!(event, Event::CallbackReceived { .. })),
            Command::CancelCallback { .. } => says(&|event| matches!(event, Event::CallbackEnded { .. })),
            Command::ChatArrived { .. } => says(&|event| matches!(event, Event::ChatArrived { .. })),
            Command::CustomerLeftChat { .. } | Command::EndChat { .. } => {
                says(&|event| matches!(event, Event::ChatEnded { .. }))
            }
            Command::TransferChat { .. } => says(&|event| matches!(event, Event::ChatTransferred { .. })),
            // It rings them at once, and nobody else.
            Command::TransferChatToOperator { chat: own, to, .. } => {
                let rung = |event: &Event| match *event {
                    Event::OfferMade { work: Work::Chat(chat), operator, .. } if chat == own => Some(operator),
                    _ => None,
                };
                says(&|event| matches!(event, Event::ChatTransferredToOperator { .. }))
                    && says(&|event| rung(event) == Some(to))
                    && !says(&|event| rung(event).is_some_and(|operator| operator != to))
            }
            Command::TicketArrived { .. } => says(&|event| matches!(event, Event::TicketCreated { .. })),
            Command::SetTicketStatus { .. }
            | Command::SetTicketPriority { .. }
            | Command::ReplyToTicket { .. }
            | Command::CustomerReplied { .. }
            | Command::MergeTickets { .. }
            | Command::LinkTickets { .. }
            | Command::RateTicket { .. } => says(&|event| matches!(event, Event::TicketChanged { .. })),
            // The others may come to nothing that is said: a status that is already so, a device that is back.
            _ => true,
        };
        if told { Ok(()) } else { Err(format!("{command:?} was accepted, but nothing says so: {outputs:?}")) }
    }

    /// What must hold between commands.
    ///
    /// # Errors
    /// What is wrong, in a sentence.
    pub fn at_rest(&self) -> Result<(), String> {
        for (at, seen) in self.operators.iter().enumerate() {
            let rings = self
                .offers
                .iter()
                .filter(|offer| offer.operator.index() == at && matches!(offer.work, Work::Call(_) | Work::Callback(_)))
                .count();
            if rings != usize::from(seen.status == Status::Ringing) {
                return Err(format!("operator {at} is {} with {rings} phone offers", seen.status));
            }
            if matches!(seen.status, Status::Talking | Status::Holding | Status::Consulting | Status::Dialing)
                && seen.call.is_none()
                && seen.supervises.is_none()
            {
                return Err(format!("operator {at} is {} without a call", seen.status));
            }
            if let Some(number) = seen.supervises {
                let answered = self.calls.iter().any(|call| call.number == number && call.place == Place::Answered);
                let others = self.operators.iter().filter(|other| other.supervises == Some(number)).count();
                if !answered || others != 1 {
                    return Err(format!("operator {at} supervises call {number}: answered {answered}, {others} do"));
                }
            }
        }
        for call in &self.calls {
            let on_it = |status: Status| {
                self.operators.iter().filter(|seen| seen.status == status && seen.call == Some(call.number)).count()
            };
            let talking = on_it(Status::Talking);
            let consulting = on_it(Status::Consulting);
            let holding = on_it(Status::Holding);
            if talking > if call.conference || consulting == 1 { 2 } else { 1 } || consulting + holding > 1 {
                return Err(format!(
                    "call {}: {talking} talking, {consulting} consulting, {holding} holding",
                    call.number
                ));
            }
            if matches!(call.place, Place::Queue(_) | Place::Flow) && talking + consulting + holding > 0 {
                return Err(format!("call {} is {:?} and has an operator", call.number, call.place));
            }
        }
        for (at, &[presented, answered, left]) in self.counts.iter().enumerate() {
            let waiting =
                self.calls.iter().filter(|call| matches!(call.place, Place::Queue(q) if q.index() == at)).count()
                    as u64;
            if presented != answered + left + waiting {
                return Err(format!(
                    "queue {at}: {presented} presented, {answered} answered, {left} left, {waiting} waiting"
                ));
            }
        }
        if u64::from(self.arrived) != self.ended + self.calls.len() as u64 {
            return Err(format!("{} calls began, {} ended, {} live", self.arrived, self.ended, self.calls.len()));
        }
        Ok(())
    }

    /// An operator's status, as told.
    #[must_use]
    pub fn status(&self, operator: OperatorId) -> Status {
        self.operators[operator.index()].status
    }

    /// Calls that were refused before the flow.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }
}

/// Whether the table has an input that leads from one status to the other.
fn reachable(from: Status, to: Status) -> bool {
    let rest = [Resting::Work, Resting::Ready, Resting::Break];
    let chosen = rest.into_iter().flat_map(|rest| {
        [
            Input::LogIn(rest),
            Input::Choose(rest),
            Input::RingLeft(rest),
            Input::DialBack(rest),
            Input::SupervisionEnded(rest),
        ]
    });
    let plain = [
        Input::LogOut,
        Input::Ring,
        Input::RingGone,
        Input::Answer,
        Input::Dial,
        Input::DialAnswered,
        Input::Hold,
        Input::Release,
        Input::ConsultAnswered,
        Input::ConsultEnded,
        Input::Join,
        Input::CallEnded,
    ];
    chosen.chain(plain).any(|input| from.next(input) == Some(to))
}
