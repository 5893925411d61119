//! The engine: one owner of all state, and its contract with the host.

use alloc::vec::Vec;

use serde::{Deserialize, Serialize};

use crate::arena::Arena;
use crate::call::Call;
use crate::chat::{Callback, Chat};
use crate::command::Command;
use crate::config::{EngineConfig, Settings};
use crate::deadline::{Deadlines, Due, Timer};
use crate::desk::{Desk, Offer};
use crate::id::{CallId, CallbackId, ChatId, OfferId, OperatorId, QueueId, ServiceId, TicketId};
use crate::output::{Action, Event, Output};
use crate::place::{PlaceIndex, Places};
use crate::rejection::{Object, Rejection};
use crate::routing::Router;
use crate::status::Status;
use crate::ticket::Ticket;
use crate::time::Instant;

/// A contact centre's state: operators, queues, calls, chats, tickets, and the deadlines that they wait for.
///
/// The host brings the time and every fact of the world, and performs the actions:
///
/// ```
/// use callfloor_engine::{
///     Command, Engine, EngineConfig, Event, Floor, Instant, Output, QueueId, Service, ServiceId, Settings, Step, StepId,
/// };
/// # use callfloor_engine::{Channel, IdleSince, OpeningHours, Policy, PriorityRule, Queue};
///
/// let queue = Queue {
///     name: "billing".into(),
///     service: ServiceId(0),
///     channel: Channel::Phone,
///     policy: Policy::LongestIdle(IdleSince::LastCall),
///     needs: vec![],
///     priority: PriorityRule::Strict,
///     first_level: 255,
///     relax: vec![],
///     ring_limit: None,
///     limit: None,
///     maximum_wait: None,
///     last_operator: None,
/// };
/// let service = Service {
///     name: "shop".into(),
///     inbound: true,
///     outbound: false,
///     hours: OpeningHours::Always,
///     flow: vec![Step::Queue { queue: QueueId(0), on_full: None, on_timeout: None }],
///     outgoing: vec![],
///     favourites: vec![],
///     settings: Settings::default(),
/// };
/// let floor = Floor { services: vec![service], queues: vec![queue], ..Floor::default() };
/// let mut engine = Engine::new(EngineConfig::new(floor)?);
///
/// let mut out = Vec::new();
/// let now = Instant::from_micros(0);
/// engine.advance(now, &mut out); // deadlines first, then the command of the same instant
/// let arrival = Command::CallArrived {
///     service: ServiceId(0),
///     entry: StepId(0),
///     customer: None,
///     from: None,
///     priority: 0,
///     preferred: None,
///     reference: 7,
/// };
/// engine.apply(now, arrival, &mut out)?;
/// assert!(out.iter().any(|output| matches!(output, Output::Event(Event::CallQueued { .. }))));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Engine {
    pub(crate) config: EngineConfig,
    pub(crate) now: Instant,
    pub(crate) deadlines: Deadlines,
    pub(crate) router: Router,
    pub(crate) places: Places,
    pub(crate) queues: Vec<QueueState>,
    pub(crate) desks: Vec<Desk>,
    pub(crate) offers: Arena<OfferId, Offer>,
    pub(crate) calls: Arena<CallId, Call>,
    pub(crate) chats: Arena<ChatId, Chat>,
    pub(crate) tickets: Arena<TicketId, Ticket>,
    pub(crate) callbacks: Arena<CallbackId, Callback>,
    pub(crate) place_sequence: u64,
    pub(crate) ready_sequence: u64,
    pub(crate) offer_sequence: u64,
    /// Places that somebody missed and may not have again.
    pub(crate) exclusions: u32,
    pub(crate) unsettled_operators: Vec<OperatorId>,
    pub(crate) unsettled_places: Vec<PlaceIndex>,
    pub(crate) calls_begun: u64,
    pub(crate) calls_ended: u64,
    #[serde(skip)]
    pub(crate) out: Vec<Output>,
}

/// What a queue counts.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct QueueState {
    /// Waiting, not ringing.
    pub(crate) waiting: u32,
    /// Ringing at everybody: whoever becomes Ready joins in.
    pub(crate) ringing_all: Vec<PlaceIndex>,
}

/// What an order came to.
pub(crate) type Outcome = Result<(), Rejection>;

impl Engine {
    /// A floor with nobody logged in and no calls.
    #[must_use]
    pub fn new(config: EngineConfig) -> Self {
        let router = Router::new(&config);
        let desks = config.operators.iter().map(|_| Desk::new()).collect();
        let queues = config.queues.iter().map(|_| QueueState::default()).collect();
        Self {
            config,
            now: Instant::ZERO,
            deadlines: Deadlines::default(),
            router,
            places: Places::default(),
            queues,
            desks,
            offers: Arena::default(),
            calls: Arena::default(),
            chats: Arena::default(),
            tickets: Arena::default(),
            callbacks: Arena::default(),
            place_sequence: 0,
            ready_sequence: 0,
            offer_sequence: 0,
            exclusions: 0,
            unsettled_operators: Vec::new(),
            unsettled_places: Vec::new(),
            calls_begun: 0,
            calls_ended: 0,
            out: Vec::new(),
        }
    }

    /// The configuration in use.
    #[must_use]
    pub fn config(&self) -> &EngineConfig {
        &self.config
    }

    /// The time of the last command or deadline.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// When [`advance`](Self::advance) has something to do next. O(1).
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.next()
    }

    /// Fires every deadline that is due at `now`, in a fixed order: by time, then kind, then order of setting. Outputs
    /// are appended to `out`.
    ///
    /// A host that wants each deadline's outputs to carry its own time calls this at every
    /// [`next_deadline`](Self::next_deadline); called later, deadlines fire late, all at `now`.
    ///
    /// # Panics
    /// If `now` is earlier than the time before: time never runs back.
    #[inline]
    pub fn advance(&mut self, now: Instant, out: &mut Vec<Output>) {
        assert!(now >= self.now, "time cannot run back from {} to {now}", self.now);
        self.now = now;
        if self.next_deadline().is_some_and(|due| due <= now) {
            self.fire_due(out);
        }
    }

    fn fire_due(&mut self, out: &mut Vec<Output>) {
        let now = self.now;
        core::mem::swap(&mut self.out, out);
        while let Some((due, target)) = self.deadlines.take_due(now) {
            self.fire(due, target);
            self.settle();
        }
        core::mem::swap(&mut self.out, out);
    }

    /// Applies one command at `now`; outputs are appended to `out`, in order.
    ///
    /// # Errors
    /// A [`Rejection`]; then nothing was changed.
    ///
    /// # Panics
    /// If a deadline is due at `now`: call [`advance`](Self::advance) first.
    pub fn apply(&mut self, now: Instant, command: Command, out: &mut Vec<Output>) -> Result<(), Rejection> {
        if now < self.now {
            return Err(Rejection::TimeRanBack { now, latest: self.now });
        }
        assert!(self.next_deadline().is_none_or(|due| due > now), "advance to {now} before a command of that time");
        core::mem::swap(&mut self.out, out);
        let before = core::mem::replace(&mut self.now, now);
        let outcome = self.obey(command);
        match outcome {
            Ok(()) => self.settle(),
            Err(_) => self.now = before,
        }
        core::mem::swap(&mut self.out, out);
        outcome
    }

    fn obey(&mut self, command: Command) -> Outcome {
        match command {
            Command::Reconfigure(config) => self.reconfigure(*config),

            Command::LogIn { operator } => self.log_in(operator),
            Command::LogOut { operator } => self.log_out(operator),
            Command::SetStatus { operator, to } => self.set_status(operator, to),
            Command::SetNextStatus { operator, next } => self.set_next_status(operator, next),
            Command::SetChatStatus { operator, to } => self.set_chat_status(operator, to),
            Command::DeviceLost { operator } => self.device_lost(operator),
            Command::DeviceRestored { operator } => self.device_restored(operator),

            Command::Answer { operator, offer } => self.answer(operator, offer),
            Command::Decline { operator, offer } => self.decline(operator, offer),
            Command::OfferFailed { offer, cause } => self.offer_failed(offer, cause),
            Command::WithdrawOffer { offer } => self.withdraw_offer(offer),

            Command::Dial { operator, service, to, from, customer, reference } => {
                self.dial(operator, service, to, from, customer, reference)
            }
            Command::HangUp { operator } => self.hang_up(operator),
            Command::Hold { operator } => self.hold(operator),
            Command::Release { operator } => self.release(operator),
            Command::Consult { operator, target } => self.consult(operator, target),
            Command::ConnectCustomer { operator } => self.connect_customer(operator),
            Command::CancelConsult { operator } => self.cancel_consult(operator),
            Command::Conference { operator } => self.conference(operator),
            Command::BlindTransfer { operator, target } => self.blind_transfer(operator, target),
            Command::ForceEnd { operator, reason, announcement } => self.force_end(operator, reason, announcement),

            Command::ChangePriority { call, priority } => self.change_priority(call, priority),
            Command::ChangeSkill { call, skill, min } => self.change_skill(call, skill, min),

            Command::CallArrived { service, entry, customer, from, priority, preferred, reference } => {
                self.call_arrived(service, entry, customer, from, priority, preferred, reference)
            }
            Command::CustomerHungUp { call } => self.customer_hung_up(call),
            Command::DigitPressed { call, digit } => self.digit_pressed(call, digit),
            Command::PlaybackFinished { call } => self.playback_finished(call),
            Command::CustomerAnswered { call } => self.customer_answered(call),
            Command::DialFailed { call, cause } => self.dial_failed(call, cause),
            Command::TargetAnswered { leg } => self.target_answered(leg),
            Command::TargetFailed { leg, cause } => self.target_failed(leg, cause),
            Command::TargetHungUp { leg } => self.target_hung_up(leg),

            Command::CallbackRequested { queue, to, customer, priority, reference } => {
                self.callback_requested(queue, to, customer, priority, reference)
            }
            Command::CancelCallback { callback } => self.cancel_callback(callback),

            Command::ChatArrived { queue, customer, priority, preferred, reference } => {
                self.chat_arrived(queue, customer, priority, preferred, reference)
            }
            Command::CustomerLeftChat { chat } => self.customer_left_chat(chat),
            Command::EndChat { operator, chat } => self.end_chat(operator, chat),
            Command::TransferChat { operator, chat, to } => self.transfer_chat(operator, chat, to),
            Command::TransferChatToOperator { operator, chat, to } => self.transfer_chat_to(operator, chat, to),

            Command::Supervise { operator, call, mode } => self.supervise(operator, call, mode),
            Command::SupervisorJoined { leg } => self.supervisor_joined(leg),
            Command::TakeOver { operator } => self.take_over(operator),

            Command::TicketArrived { service, queue, customer, priority, reference } => {
                self.ticket_arrived(service, queue, customer, priority, reference)
            }
            Command::PullTicket { operator, ticket, version } => self.pull_ticket(operator, ticket, version),
            Command::ForwardTicket { ticket, to, version } => self.forward_ticket(ticket, to, version),
            Command::SetTicketStatus { ticket, by, status, resolution, version } => {
                self.set_ticket_status(ticket, by, status, resolution, version)
            }
            Command::SetTicketPriority { ticket, priority, version } => {
                self.set_ticket_priority(ticket, priority, version)
            }
            Command::ReplyToTicket { ticket, by } => self.reply_to_ticket(ticket, by),
            Command::CustomerReplied { ticket } => self.customer_replied(ticket),
            Command::FinishTicketWork { operator, ticket } => self.finish_ticket_work(operator, ticket),
            Command::MergeTickets { into, from } => self.merge_tickets(into, from),
            Command::LinkTickets { ticket, other } => self.link_tickets(ticket, other),
            Command::RateTicket { ticket, score } => self.rate_ticket(ticket, score),
        }
    }

    fn fire(&mut self, due: Due, target: u32) {
        match due {
            Due::Ring => self.ring_expired(self.offers.key_at(target).expect("a ring limit's offer rings")),
            Due::RingStep => self.ring_next(target),
            Due::Dial => self.dial_expired(self.calls.key_at(target).expect("a dial limit's call is dialling")),
            Due::Target => self.target_expired(self.calls.key_at(target).expect("a target's call is live")),
            Due::FlowStep => self.step_expired(self.calls.key_at(target).expect("a flow step's call is live")),
            Due::MaximumWait => self.wait_expired(target),
            Due::Relax => self.relax(target),
            Due::Reservation => self.reservation_expired(target),
            Due::Supervisor => {
                self.supervisor_expired(self.calls.key_at(target).expect("a supervisor's call is live"));
            }
            Due::ForcedEnd => {
                let call = self.calls.key_at(target).expect("a call that is being ended is live");
                self.calls[call].timer = Timer::NONE;
                self.finish_forced_end(call);
            }
            Due::AfterCall => self.after_call_expired(OperatorId(target)),
            Due::AfterCallPrompt => self.after_call_prompt(OperatorId(target)),
            Due::DeviceGrace => self.grace_expired(OperatorId(target)),
            Due::CallbackRetry => {
                self.retry_callback(self.callbacks.key_at(target).expect("a callback that is tried again is live"));
            }
            Due::TicketReturn | Due::FirstResponse | Due::Resolution | Due::TicketClose => {
                self.ticket_due(due, self.tickets.key_at(target).expect("a ticket's deadline goes with the ticket"));
            }
        }
    }

    pub(crate) fn emit(&mut self, event: Event) {
        self.out.push(Output::Event(event));
    }

    pub(crate) fn act(&mut self, action: Action) {
        self.out.push(Output::Action(action));
    }

    pub(crate) fn settings(&self, service: ServiceId) -> &Settings {
        &self.config.services[service.index()].settings
    }

    pub(crate) fn known_operator(&self, operator: OperatorId) -> Outcome {
        if operator.index() < self.desks.len() { Ok(()) } else { Err(Rejection::Unknown(Object::Operator(operator))) }
    }

    pub(crate) fn known_service(&self, service: ServiceId) -> Outcome {
        if service.index() < self.config.services.len() {
            Ok(())
        } else {
            Err(Rejection::Unknown(Object::Service(service)))
        }
    }

    pub(crate) fn known_queue(&self, queue: QueueId) -> Outcome {
        if queue.index() < self.queues.len() { Ok(()) } else { Err(Rejection::Unknown(Object::Queue(queue))) }
    }

    pub(crate) fn known_call(&self, call: CallId) -> Result<&Call, Rejection> {
        self.calls.get(call).ok_or(Rejection::Unknown(Object::Call(call)))
    }

    /// An operator's status.
    ///
    /// # Panics
    /// If the configuration has no such operator.
    #[must_use]
    pub fn operator_status(&self, operator: OperatorId) -> Status {
        self.desks[operator.index()].status
    }

    /// Calls that are live, those between operators after a customer hung up included.
    #[must_use]
    pub fn live_calls(&self) -> usize {
        self.calls.len()
    }

    /// Calls, callbacks, chats or tickets that wait in a queue and do not ring.
    ///
    /// # Panics
    /// If the configuration has no such queue.
    #[must_use]
    pub fn waiting(&self, queue: QueueId) -> u32 {
        self.queues[queue.index()].waiting
    }
}
