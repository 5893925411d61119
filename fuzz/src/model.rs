//! A slow, obvious model of the phone desk: vectors, linear searches, one function for each rule, no index and no cache.
//!
//! It covers floors of phone queues with one queue step ([`modelled_floor`]) and the commands of presence, offers, talk
//! and hold, and predicts every acceptance, every event of those kinds, every status and the next deadline.

use callfloor_engine::{
    CallId, CallRecord, Channel, Command, EndCause, EngineConfig, Event, Floor, IdleSince, Instant, MissRule, OfferEnd,
    OfferId, OperatorId, Policy, PriorityRule, QueueId, ReasonId, ServiceId, Span, Status, StatusChoice, Step,
    TicketSettings, Work, reason,
};

/// The part of a random floor that the model covers.
///
/// # Panics
/// If what is left is refused, which would be a fault of this function.
#[must_use]
pub fn modelled_floor(config: &EngineConfig) -> EngineConfig {
    let mut floor: Floor = config.clone().into_floor();
    for queue in &mut floor.queues {
        queue.channel = Channel::Phone;
        queue.limit = None;
        queue.maximum_wait = None;
        queue.last_operator = None;
        queue.relax.clear();
        if matches!(queue.policy, Policy::RingAll | Policy::RingProgressive { .. } | Policy::Random) {
            queue.policy = Policy::LongestIdle(IdleSince::LastCall);
        }
    }
    let queues = u16::try_from(floor.queues.len()).expect("a random floor is small");
    for (at, service) in (0u16..).zip(&mut floor.services) {
        service.flow = (0..queues)
            .map(|queue| Step::Queue { queue: QueueId((queue + at) % queues), on_full: None, on_timeout: None })
            .collect();
        service.settings.tickets = TicketSettings::default();
    }
    EngineConfig::new(floor).expect("less of a valid floor is valid")
}

/// Whether the model covers a command.
#[must_use]
pub const fn is_modelled(command: &Command) -> bool {
    matches!(
        command,
        Command::LogIn { .. }
            | Command::LogOut { .. }
            | Command::SetStatus { .. }
            | Command::SetNextStatus { .. }
            | Command::Answer { .. }
            | Command::Decline { .. }
            | Command::HangUp { .. }
            | Command::Hold { .. }
            | Command::Release { .. }
            | Command::CallArrived { .. }
            | Command::CustomerHungUp { .. }
            | Command::ChangePriority { .. }
    )
}

/// Whether the model predicts an event.
#[must_use]
pub const fn is_predicted(event: &Event) -> bool {
    !matches!(event, Event::TicketCreated { .. } | Event::TicketChanged { .. })
}

#[derive(Clone, Debug)]
struct Desk {
    status: Status,
    reason: ReasonId,
    since: Instant,
    call: Option<CallId>,
    /// Chosen while it rings.
    chosen: Option<StatusChoice>,
    /// Chosen for after the call.
    next: Option<StatusChoice>,
    after_call: Option<(Instant, u64)>,
    prompt: Option<(Instant, u64)>,
    then: StatusChoice,
    timed: bool,
    last_call: Instant,
    ready_since: Instant,
    ready_sequence: u64,
    last_offer: u64,
    calls: u64,
    misses: u16,
    times: [Span; 10],
    /// Became free in this command, and is not matched yet.
    unmatched: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Waiting,
    Ringing,
    Talking(OperatorId),
    Holding(OperatorId),
}

#[derive(Clone, Debug)]
struct Call {
    id: CallId,
    service: ServiceId,
    queue: QueueId,
    priority: u8,
    arrived: Instant,
    stage: Stage,
    since: Instant,
    wait: Span,
    talk: Span,
    hold: Span,
    missed_by: Vec<OperatorId>,
}

#[derive(Clone, Copy, Debug)]
struct Offer {
    id: OfferId,
    call: CallId,
    operator: OperatorId,
    made: Instant,
    until: Instant,
}

/// The model's floor.
#[derive(Clone, Debug)]
pub struct Model {
    floor: Floor,
    now: Instant,
    desks: Vec<Desk>,
    calls: Vec<Call>,
    offers: Vec<Offer>,
    /// Who became free in this command, in that order.
    freed: Vec<OperatorId>,
    /// What began to wait in this command, in that order.
    waiting: Vec<CallId>,
    begun: u32,
    made: u32,
    readied: u64,
    set: u64,
    out: Vec<Event>,
}

impl Model {
    /// Nobody logged in, no calls.
    #[must_use]
    pub fn new(config: &EngineConfig) -> Self {
        let floor = config.clone().into_floor();
        let desk = Desk {
            status: Status::LoggedOut,
            reason: reason::NONE,
            since: Instant::ZERO,
            call: None,
            chosen: None,
            next: None,
            after_call: None,
            prompt: None,
            then: StatusChoice::Ready,
            timed: false,
            last_call: Instant::ZERO,
            ready_since: Instant::ZERO,
            ready_sequence: 0,
            last_offer: 0,
            calls: 0,
            misses: 0,
            times: [Span::ZERO; 10],
            unmatched: false,
        };
        Self {
            desks: vec![desk; floor.operators.len()],
            floor,
            now: Instant::ZERO,
            calls: Vec::new(),
            offers: Vec::new(),
            freed: Vec::new(),
            waiting: Vec::new(),
            begun: 0,
            made: 0,
            readied: 0,
            set: 0,
            out: Vec::new(),
        }
    }

    /// An operator's status.
    #[must_use]
    pub fn status(&self, operator: OperatorId) -> Status {
        self.desks[operator.index()].status
    }

    /// When something is due next: a ring limit, the end of after-call work, a reminder.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        let desks = self.desks.iter().flat_map(|desk| [desk.after_call, desk.prompt]).flatten().map(|timer| timer.0);
        desks.chain(self.offers.iter().map(|offer| offer.until)).min()
    }

    /// Fires what is due: by time, ring limits first, then ends of after-call work, then reminders; each in the order of
    /// setting.
    pub fn advance(&mut self, now: Instant, events: &mut Vec<Event>) {
        self.now = now;
        while let Some(at) = self.next_deadline().filter(|&at| at <= now) {
            let due = |timer: Option<(Instant, u64)>| timer.filter(|timer| timer.0 == at).map(|timer| timer.1);
            let first = |which: fn(&Desk) -> Option<(Instant, u64)>| {
                let all = (0u32..).zip(&self.desks);
                all.filter_map(|(who, desk)| due(which(desk)).map(|set| (set, OperatorId(who)))).min()
            };
            if let Some(offer) = self.offers.iter().find(|offer| offer.until == at).copied() {
                self.missed(offer, OfferEnd::TimedOut, reason::MISSED);
            } else if let Some((_, operator)) = first(|desk| desk.after_call) {
                self.desks[operator.index()].after_call = None;
                self.after_call_over(operator);
            } else if let Some((_, operator)) = first(|desk| desk.prompt) {
                self.desks[operator.index()].prompt = None;
                self.out.push(Event::AfterCallPrompt { operator });
            }
            self.match_all();
        }
        events.append(&mut self.out);
    }

    /// Whether the command is accepted, and what it says.
    pub fn apply(&mut self, now: Instant, command: &Command, events: &mut Vec<Event>) -> bool {
        self.now = now;
        let accepted = self.obey(command).is_some();
        self.match_all();
        events.append(&mut self.out);
        accepted
    }

    fn desk(&mut self, operator: OperatorId) -> Option<&mut Desk> {
        self.desks.get_mut(operator.index())
    }

    fn call(&mut self, call: CallId) -> &mut Call {
        self.calls.iter_mut().find(|c| c.id == call).expect("a call that is held is live")
    }

    fn obey(&mut self, command: &Command) -> Option<()> {
        match *command {
            Command::LogIn { operator } => {
                let config = self.floor.operators.get(operator.index())?;
                let right = config.phone && config.cti_id.is_some() && config.cti_number.is_some();
                let choice = self.floor.services[config.services[0].index()].settings.login_status;
                let now = self.now;
                let desk = self.desk(operator)?;
                if desk.status != Status::LoggedOut || !right {
                    return None;
                }
                (desk.last_call, desk.since, desk.calls, desk.misses) = (now, now, 0, 0);
                desk.times = [Span::ZERO; 10];
                self.choose(operator, choice);
            }
            Command::LogOut { operator } => {
                let desk = self.desk(operator)?;
                if !matches!(desk.status, Status::Work | Status::Ready | Status::Break | Status::AfterCallWork)
                    || desk.timed
                {
                    return None;
                }
                desk.next = None;
                self.wrap_up(operator);
                self.become_status(operator, Status::LoggedOut, reason::NONE, true);
            }
            Command::SetStatus { operator, to } => {
                let desk = self.desk(operator)?;
                match desk.status {
                    Status::Ringing => desk.chosen = Some(to),
                    Status::AfterCallWork if !desk.timed => self.leave_after_call(operator, to),
                    Status::Work | Status::Ready | Status::Break => {
                        if (desk.status, desk.reason) != parts(to) {
                            self.choose(operator, to);
                        }
                    }
                    _ => return None,
                }
            }
            Command::SetNextStatus { operator, next } => {
                let desk = self.desk(operator)?;
                if !matches!(desk.status, Status::Talking | Status::Holding | Status::AfterCallWork) {
                    return None;
                }
                desk.next = next;
            }
            Command::Answer { operator, offer } => {
                let found = *self.offers.iter().find(|o| o.id == offer && o.operator == operator)?;
                self.answered(found);
            }
            Command::Decline { operator, offer } => {
                let found = *self.offers.iter().find(|o| o.id == offer && o.operator == operator)?;
                self.missed(found, OfferEnd::Declined, reason::DECLINED);
            }
            Command::HangUp { operator } => {
                let call = self.in_call(operator)?;
                self.end(call, EndCause::OperatorHungUp);
            }
            Command::Hold { operator } => self.spend_on(operator, Status::Talking, Status::Holding)?,
            Command::Release { operator } => self.spend_on(operator, Status::Holding, Status::Talking)?,
            Command::CallArrived { service, entry, priority, reference, .. } => {
                let config = self.floor.services.get(service.index())?;
                if !config.inbound {
                    let cause = callfloor_engine::RefusalCause::NoInboundContract;
                    self.out.push(Event::CallRefused { service, reference, cause });
                    return Some(());
                }
                let &Step::Queue { queue, .. } = config.flow.get(entry.index())? else { return None };
                self.begun += 1;
                let (id, now) = (CallId::from_parts(self.begun, 0), self.now);
                let zero = Span::ZERO;
                self.calls.push(Call {
                    id,
                    service,
                    queue,
                    priority,
                    arrived: now,
                    stage: Stage::Waiting,
                    since: now,
                    wait: zero,
                    talk: zero,
                    hold: zero,
                    missed_by: Vec::new(),
                });
                self.out.push(Event::CallArrived { call: id, service, reference });
                self.out.push(Event::CallQueued { call: id, queue, priority });
                self.waiting.push(id);
            }
            Command::CustomerHungUp { call } => {
                let stage = self.calls.iter().find(|c| c.id == call)?.stage;
                let wait = self.now - self.call(call).arrived;
                let cause = match stage {
                    Stage::Talking(_) | Stage::Holding(_) => EndCause::CustomerHungUp,
                    Stage::Waiting => EndCause::AbandonedInQueue,
                    Stage::Ringing => EndCause::AbandonedWhileRinging,
                };
                if let Some(offer) = self.offers.iter().find(|offer| offer.call == call).copied() {
                    self.close(offer, OfferEnd::Abandoned);
                    let desk = &mut self.desks[offer.operator.index()];
                    desk.call = None;
                    let choice = desk.chosen.take().unwrap_or(StatusChoice::Ready);
                    self.leave_ringing(offer.operator, choice);
                }
                if matches!(stage, Stage::Waiting | Stage::Ringing) {
                    self.call(call).wait = wait;
                }
                self.end(call, cause);
            }
            Command::ChangePriority { call, priority } => {
                let found = self.calls.iter_mut().find(|c| c.id == call)?;
                if !matches!(found.stage, Stage::Waiting | Stage::Ringing) {
                    return None;
                }
                found.priority = priority;
                self.waiting.push(call);
            }
            _ => unreachable!("only modelled commands are given to the model"),
        }
        Some(())
    }

    /// The one place in which a status changes. `anew`: who becomes Ready counts as Ready from now on.
    fn become_status(&mut self, operator: OperatorId, to: Status, reason: ReasonId, anew: bool) {
        let now = self.now;
        let desk = &mut self.desks[operator.index()];
        let from = desk.status;
        if from != Status::LoggedOut {
            let spent = now - desk.since;
            desk.times[from as usize] += spent;
        }
        (desk.status, desk.reason, desk.since) = (to, reason, now);
        if to == Status::Ready && anew {
            self.ready_anew(operator);
        }
        let call = self.desks[operator.index()].call;
        self.out.push(Event::StatusChanged { operator, from, to, reason, call });
        if to == Status::Ready && !core::mem::replace(&mut self.desks[operator.index()].unmatched, true) {
            self.freed.push(operator);
        }
        // Who stops taking calls may leave nobody but those who missed one.
        if matches!(to, Status::Work | Status::Break | Status::LoggedOut) {
            let mut missed: Vec<&Call> =
                self.calls.iter().filter(|c| c.stage == Stage::Waiting && !c.missed_by.is_empty()).collect();
            missed.sort_by_key(|call| self.order(call));
            let missed: Vec<CallId> = missed.into_iter().map(|call| call.id).collect();
            self.waiting.extend(missed);
        }
    }

    fn ready_anew(&mut self, operator: OperatorId) {
        self.readied += 1;
        let (now, sequence) = (self.now, self.readied);
        let desk = &mut self.desks[operator.index()];
        (desk.ready_since, desk.ready_sequence) = (now, sequence);
    }

    fn choose(&mut self, operator: OperatorId, choice: StatusChoice) {
        let (to, reason) = parts(choice);
        self.become_status(operator, to, reason, true);
    }

    /// The ringing ended without the operator's doing: Ready as before, or what they chose meanwhile.
    fn leave_ringing(&mut self, operator: OperatorId, choice: StatusChoice) {
        let (to, reason) = parts(choice);
        self.become_status(operator, to, reason, false);
    }

    fn close(&mut self, offer: Offer, end: OfferEnd) {
        self.offers.retain(|o| o.id != offer.id);
        let Offer { id, call, operator, made, .. } = offer;
        self.out.push(Event::OfferEnded { offer: id, work: Work::Call(call), operator, end, rang: self.now - made });
    }

    fn missed(&mut self, offer: Offer, end: OfferEnd, why: ReasonId) {
        self.close(offer, end);
        let now = self.now;
        let (service, queue) = (self.call(offer.call).service, self.call(offer.call).queue);
        let rule = self.floor.services[service.index()].settings.on_miss;
        let desk = &mut self.desks[offer.operator.index()];
        desk.misses = desk.misses.saturating_add(1);
        desk.call = None;
        desk.last_call = now;
        let mut leave = desk.chosen.take().filter(|choice| *choice != StatusChoice::Ready);
        match rule {
            MissRule::LeaveReady => leave = leave.or(Some(StatusChoice::Work(why))),
            MissRule::StayReady { break_after } if break_after > 0 && desk.misses >= break_after => {
                leave = leave.or(Some(StatusChoice::Break(why)));
                desk.misses = 0;
            }
            MissRule::StayReady { .. } => {}
        }
        self.ready_anew(offer.operator);
        self.call(offer.call).stage = Stage::Waiting;
        self.leave_ringing(offer.operator, leave.unwrap_or(StatusChoice::Ready));
        let call = self.call(offer.call);
        if leave.is_none() && !call.missed_by.contains(&offer.operator) {
            call.missed_by.push(offer.operator);
        }
        self.out.push(Event::CallRecovered { call: offer.call, queue });
        self.waiting.push(offer.call);
    }

    fn answered(&mut self, offer: Offer) {
        self.close(offer, OfferEnd::Accepted);
        let now = self.now;
        let Offer { call, operator, .. } = offer;
        let found = self.call(call);
        let (queue, wait) = (found.queue, now - found.arrived);
        (found.wait, found.since, found.stage) = (wait, now, Stage::Talking(operator));
        let desk = &mut self.desks[operator.index()];
        desk.misses = 0;
        desk.calls += 1;
        if let Some(choice) = desk.chosen.take() {
            desk.next = Some(choice);
        }
        self.become_status(operator, Status::Talking, reason::NONE, true);
        self.out.push(Event::CallAnswered { call, queue, operator, wait });
    }

    fn in_call(&mut self, operator: OperatorId) -> Option<CallId> {
        let desk = self.desk(operator)?;
        if matches!(desk.status, Status::Talking | Status::Holding) { desk.call } else { None }
    }

    /// Books the time since the last change as talk or hold.
    fn spend(&mut self, call: CallId) {
        let now = self.now;
        let call = self.call(call);
        match call.stage {
            Stage::Talking(_) => call.talk += now - call.since,
            Stage::Holding(_) => call.hold += now - call.since,
            Stage::Waiting | Stage::Ringing => {}
        }
        call.since = now;
    }

    fn spend_on(&mut self, operator: OperatorId, from: Status, to: Status) -> Option<()> {
        let call = self.in_call(operator)?;
        if self.status(operator) != from {
            return None;
        }
        self.spend(call);
        self.become_status(operator, to, reason::NONE, true);
        if to == Status::Holding {
            self.call(call).stage = Stage::Holding(operator);
            self.out.push(Event::CallHeld { call, operator });
        } else {
            self.call(call).stage = Stage::Talking(operator);
            self.out.push(Event::CallReleased { call, operator });
        }
        Some(())
    }

    fn end(&mut self, call: CallId, cause: EndCause) {
        self.spend(call);
        let at = self.calls.iter().position(|c| c.id == call).expect("a call ends once");
        let Call { service, queue, stage, arrived, wait, talk, hold, .. } = self.calls.remove(at);
        self.waiting.retain(|&waiting| waiting != call);
        let operator = match stage {
            Stage::Talking(operator) | Stage::Holding(operator) => Some(operator),
            Stage::Waiting | Stage::Ringing => None,
        };
        let consult = Span::ZERO;
        let queue = Some(queue);
        self.out.push(Event::CallEnded(CallRecord {
            call,
            service,
            queue,
            operator,
            cause,
            arrived,
            wait,
            talk,
            hold,
            consult,
        }));
        if let Some(operator) = operator {
            self.part_over(operator, service);
        }
    }

    fn part_over(&mut self, operator: OperatorId, service: ServiceId) {
        let (rule, now) = (self.floor.services[service.index()].settings.after_call, self.now);
        let desk = &mut self.desks[operator.index()];
        (desk.last_call, desk.then) = (now, rule.then);
        desk.timed = rule.limit.is_some() && !rule.early_exit;
        self.become_status(operator, Status::AfterCallWork, reason::NONE, true);
        self.desks[operator.index()].call = None;
        if rule.limit == Some(Span::ZERO) {
            return self.after_call_over(operator);
        }
        let timer = |set: &mut u64, span: Option<Span>| {
            span.map(|span| {
                *set += 1;
                (now + span, *set)
            })
        };
        let after_call = timer(&mut self.set, rule.limit);
        let prompt = timer(&mut self.set, rule.prompt_after);
        let desk = &mut self.desks[operator.index()];
        (desk.after_call, desk.prompt) = (after_call, prompt);
    }

    fn after_call_over(&mut self, operator: OperatorId) {
        let desk = &self.desks[operator.index()];
        self.leave_after_call(operator, desk.next.unwrap_or(desk.then));
    }

    fn wrap_up(&mut self, operator: OperatorId) {
        let desk = &mut self.desks[operator.index()];
        (desk.timed, desk.after_call, desk.prompt) = (false, None, None);
    }

    fn leave_after_call(&mut self, operator: OperatorId, choice: StatusChoice) {
        self.wrap_up(operator);
        self.desks[operator.index()].next = None;
        self.choose(operator, choice);
    }

    // ---- who gets what ----------------------------------------------------------------------------------------

    /// First whoever became free takes work, then what began to wait goes to somebody.
    fn match_all(&mut self) {
        while !(self.freed.is_empty() && self.waiting.is_empty()) {
            for operator in core::mem::take(&mut self.freed) {
                self.desks[operator.index()].unmatched = false;
                if self.is_free(operator)
                    && let Some(call) = self.work_for(operator)
                {
                    self.offer(call, operator);
                }
            }
            for call in core::mem::take(&mut self.waiting) {
                if self.call(call).stage == Stage::Waiting
                    && let Some(operator) = self.operator_for(call)
                {
                    self.offer(call, operator);
                }
            }
        }
    }

    fn is_free(&self, operator: OperatorId) -> bool {
        let desk = &self.desks[operator.index()];
        let points = self.floor.operators[operator.index()].points;
        desk.status == Status::Ready && self.floor.blending.phone_points <= points
    }

    /// Lower goes first.
    fn order(&self, call: &Call) -> (i64, i128, u32) {
        let arrived = i128::from(call.arrived.as_micros());
        match self.floor.queues[call.queue.index()].priority {
            PriorityRule::Strict => (-i64::from(call.priority), arrived, call.id.number()),
            PriorityRule::HeadStart { per_level } => {
                let start = i128::from(per_level.as_micros()) * i128::from(call.priority);
                (0, arrived - start, call.id.number())
            }
        }
    }

    /// Level and preference with which an operator serves a queue, if they have its skills.
    fn serves(&self, operator: OperatorId, queue: QueueId) -> Option<(u8, u8)> {
        let (config, wanted) = (&self.floor.operators[operator.index()], &self.floor.queues[queue.index()]);
        let membership = config.queues.iter().find(|m| m.queue == queue && m.level <= wanted.first_level)?;
        let able = wanted
            .needs
            .iter()
            .all(|need| config.skills.iter().any(|s| s.skill == need.skill && s.proficiency >= need.min));
        able.then_some((membership.level, membership.preference))
    }

    /// Who missed a call and stayed Ready does not get it again while anybody else could take it.
    fn may_have(&self, operator: OperatorId, call: &Call) -> bool {
        let takes = |status: Status| !matches!(status, Status::LoggedOut | Status::Work | Status::Break);
        let others = (0u32..).map(OperatorId).zip(&self.desks);
        !call.missed_by.contains(&operator)
            || !others
                .filter(|(other, _)| !call.missed_by.contains(other) && self.serves(*other, call.queue).is_some())
                .any(|(other, desk)| {
                    takes(desk.status) && self.floor.operators[other.index()].points >= self.floor.blending.phone_points
                })
    }

    fn work_for(&self, operator: OperatorId) -> Option<CallId> {
        // What they have just missed may go to somebody else first.
        let just_missed = |call: &Call| call.missed_by.contains(&operator) && self.waiting.contains(&call.id);
        let waiting = self.calls.iter().filter(|call| call.stage == Stage::Waiting && !just_missed(call));
        let waiting = waiting.filter(|call| self.may_have(operator, call));
        let served = waiting.filter_map(|call| {
            self.serves(operator, call.queue).map(|(_, preference)| (preference, self.order(call), call.id))
        });
        served.min().map(|(.., call)| call)
    }

    fn operator_for(&self, call: CallId) -> Option<OperatorId> {
        let call = self.calls.iter().find(|c| c.id == call)?;
        let policy = self.floor.queues[call.queue.index()].policy;
        let all = (0u32..u32::try_from(self.desks.len()).ok()?).map(OperatorId);
        let free = all.filter(|&o| self.is_free(o) && !self.desks[o.index()].unmatched && self.may_have(o, call));
        free.filter_map(|o| self.serves(o, call.queue).map(|(level, _)| (level, self.key(o, call, policy), o)))
            .min()
            .map(|(.., operator)| operator)
    }

    /// The policy's key: lower is rung first.
    fn key(&self, operator: OperatorId, call: &Call, policy: Policy) -> (u64, u64) {
        let desk = &self.desks[operator.index()];
        let last_call = desk.last_call.as_micros();
        match policy {
            Policy::LongestIdle(IdleSince::Ready) => (desk.ready_since.as_micros(), 0),
            Policy::FewestCalls => (desk.calls, desk.ready_sequence),
            Policy::LeastOccupied => {
                let sum = |busy: bool| -> u128 {
                    let of = Status::ALL.iter().zip(&desk.times).filter(|(status, _)| !busy || status.is_busy());
                    of.map(|(_, time)| u128::from(time.as_micros())).sum()
                };
                // In millionths.
                let share = (sum(true) * 1_000_000).checked_div(sum(false)).unwrap_or(0);
                (u64::try_from(share).unwrap_or(u64::MAX), desk.ready_sequence)
            }
            Policy::HighestProficiency => {
                let skills = &self.floor.operators[operator.index()].skills;
                let needs = &self.floor.queues[call.queue.index()].needs;
                let has = needs.iter().filter_map(|need| skills.iter().find(|skill| skill.skill == need.skill));
                (1000 - has.map(|skill| u64::from(skill.proficiency)).sum::<u64>(), last_call)
            }
            Policy::FixedOrder => (0, 0),
            Policy::RoundRobin => (desk.last_offer, 0),
            _ => (last_call, 0),
        }
    }

    fn offer(&mut self, call: CallId, operator: OperatorId) {
        self.made += 1;
        let (id, now) = (OfferId::from_parts(self.made, 0), self.now);
        self.call(call).stage = Stage::Ringing;
        let queue = self.call(call).queue;
        let config = &self.floor.queues[queue.index()];
        let service = &self.floor.services[config.service.index()];
        let until = now + config.ring_limit.unwrap_or(service.settings.ring_limit);
        self.offers.push(Offer { id, call, operator, made: now, until });
        self.out.push(Event::OfferMade { offer: id, work: Work::Call(call), operator, queue: Some(queue), until });
        let sequence = u64::from(self.made);
        let desk = &mut self.desks[operator.index()];
        (desk.last_offer, desk.call) = (sequence, Some(call));
        self.become_status(operator, Status::Ringing, reason::NONE, true);
    }
}

const fn parts(choice: StatusChoice) -> (Status, ReasonId) {
    match choice {
        StatusChoice::Work(reason) => (Status::Work, reason),
        StatusChoice::Ready => (Status::Ready, reason::NONE),
        StatusChoice::Break(reason) => (Status::Break, reason),
    }
}
