//! A slow, obvious model of the whole floor, written from the contract: vectors, linear searches, one function for each
//! rule, no index and no cache. It predicts every acceptance, every event, every status, every ticket and its clocks,
//! and the next deadline.
//!
//! Of events it predicts the order about one object (an operator, a call, an offer, a ticket, a chat, a callback), not
//! the order between events about different ones; of actions nothing.

mod call;
mod change;
mod chat;
mod desk;
mod dial;
mod flow;
mod offer;
mod route;
mod supervise;
mod talk;
mod ticket;
mod wait;

use callfloor_engine::{
    CallId, CallbackId, ChatId, Command, EngineConfig, Event, Floor, Instant, OfferId, OperatorId, QueueId, Service,
    ServiceId, Settings, Span, Status, SupervisionEnd, TicketId, TicketStatus, Work,
};

use self::call::{Call, Stage};
use self::chat::Chat;
use self::desk::Desk;
use self::dial::Callback;
use self::offer::Offer;
use self::ticket::Ticket;
use self::wait::Spot;

/// A moment that is waited for; of two for the same moment and of one kind, the one that was set first comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Timer {
    at: Instant,
    set: u64,
}

/// What falls due; at one moment, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    Ring(OfferId),
    RingStep(Work),
    Dial(CallId),
    Target(CallId),
    FlowStep(CallId),
    MaximumWait(Work),
    Relax(Work),
    Reservation(Work),
    ForcedEnd(CallId),
    AfterCall(OperatorId),
    Prompt(OperatorId),
    Grace(OperatorId),
    Retry(CallbackId),
    TicketReturn(TicketId),
    FirstResponse(TicketId),
    Resolution(TicketId),
    TicketClose(TicketId),
    Supervisor(CallId),
}

impl Due {
    const fn rank(self) -> u8 {
        match self {
            Self::Ring(_) => 0,
            Self::RingStep(_) => 1,
            Self::Dial(_) => 2,
            Self::Target(_) => 3,
            Self::FlowStep(_) => 4,
            Self::MaximumWait(_) => 5,
            Self::Relax(_) => 6,
            Self::Reservation(_) => 7,
            Self::ForcedEnd(_) => 8,
            Self::AfterCall(_) => 9,
            Self::Prompt(_) => 10,
            Self::Grace(_) => 11,
            Self::Retry(_) => 12,
            Self::TicketReturn(_) => 13,
            Self::FirstResponse(_) => 14,
            Self::Resolution(_) => 15,
            Self::TicketClose(_) => 16,
            Self::Supervisor(_) => 17,
        }
    }
}

/// How many of each kind have been made; their numbers are their ids.
#[derive(Clone, Copy, Debug, Default)]
struct Made {
    calls: u32,
    chats: u32,
    tickets: u32,
    callbacks: u32,
    offers: u32,
    /// Places in queues.
    places: u64,
    /// Times that somebody became Ready, or was put last among the Ready.
    ready: u64,
    timers: u64,
}

/// A ticket, as the model has it.
#[derive(Clone, Copy, Debug)]
pub struct SeenTicket {
    at: usize,
    /// Its running number.
    pub number: u32,
    /// Where it stands.
    pub status: TicketStatus,
    /// Whose it is.
    pub owner: Option<OperatorId>,
    /// Its version.
    pub version: u32,
}

/// The model's floor.
#[derive(Clone, Debug)]
pub struct Model {
    floor: Floor,
    now: Instant,
    desks: Vec<Desk>,
    calls: Vec<Call>,
    chats: Vec<Chat>,
    tickets: Vec<Ticket>,
    callbacks: Vec<Callback>,
    offers: Vec<Offer>,
    spots: Vec<Spot>,
    /// Who became free in this command, in that order.
    freed: Vec<OperatorId>,
    /// What began to wait, or is to be looked at again, in that order.
    pending: Vec<Work>,
    made: Made,
    out: Vec<Event>,
}

impl Model {
    /// Nobody logged in, no calls.
    #[must_use]
    pub fn new(config: &EngineConfig) -> Self {
        let floor = config.clone().into_floor();
        Self {
            desks: floor.operators.iter().map(|_| Desk::new()).collect(),
            floor,
            now: Instant::ZERO,
            calls: Vec::new(),
            chats: Vec::new(),
            tickets: Vec::new(),
            callbacks: Vec::new(),
            offers: Vec::new(),
            spots: Vec::new(),
            freed: Vec::new(),
            pending: Vec::new(),
            made: Made::default(),
            out: Vec::new(),
        }
    }

    /// An operator's status.
    #[must_use]
    pub fn status(&self, operator: OperatorId) -> Status {
        self.desks[operator.index()].status
    }

    /// Every ticket that is not Closed.
    pub fn tickets(&self) -> impl Iterator<Item = SeenTicket> + '_ {
        self.tickets.iter().enumerate().map(|(at, ticket)| SeenTicket {
            at,
            number: ticket.id.number(),
            status: ticket.status,
            owner: ticket.owner,
            version: ticket.version,
        })
    }

    /// What the clocks of a ticket show: first response, resolution.
    #[must_use]
    pub fn ticket_times(&self, seen: &SeenTicket) -> (Span, Span) {
        let ticket = &self.tickets[seen.at];
        let hours = &self.floor.services[ticket.service.index()].hours;
        (ticket.first.read(hours, self.now), ticket.resolution.read(hours, self.now))
    }

    /// How much waits in a queue and does not ring.
    #[must_use]
    pub fn waiting(&self, queue: QueueId) -> usize {
        self.spots.iter().filter(|spot| spot.queue == queue && !self.rings(spot.work)).count()
    }

    /// Calls that are live, those between operators after a customer hung up included.
    #[must_use]
    pub fn live_calls(&self) -> usize {
        self.calls.len()
    }

    /// When something is due next.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Instant> {
        self.first_due().map(|(at, _)| at)
    }

    /// The first of everything that is waited for.
    fn first_due(&self) -> Option<(Instant, Due)> {
        let mut first: Option<((Instant, u8, u64), Due)> = None;
        let mut look = |timer: Option<Timer>, due: Due| {
            let Some(timer) = timer else { return };
            let key = (timer.at, due.rank(), timer.set);
            if first.is_none_or(|(found, _)| key < found) {
                first = Some((key, due));
            }
        };
        for offer in &self.offers {
            look(Some(offer.limit), Due::Ring(offer.id));
        }
        for spot in &self.spots {
            look(spot.ring_step, Due::RingStep(spot.work));
            look(spot.maximum_wait, Due::MaximumWait(spot.work));
            look(spot.relax, Due::Relax(spot.work));
            look(spot.reservation, Due::Reservation(spot.work));
        }
        for call in &self.calls {
            let due = match call.stage {
                Stage::Dialing => Due::Dial(call.id),
                Stage::Ending(_) => Due::ForcedEnd(call.id),
                _ => Due::FlowStep(call.id),
            };
            look(call.timer, due);
            look(call.target.and_then(|target| target.limit), Due::Target(call.id));
            look(call.supervisor.and_then(|supervisor| supervisor.limit), Due::Supervisor(call.id));
        }
        for (at, desk) in (0u32..).zip(&self.desks) {
            look(desk.after_call, Due::AfterCall(OperatorId(at)));
            look(desk.prompt, Due::Prompt(OperatorId(at)));
            look(desk.grace, Due::Grace(OperatorId(at)));
        }
        for callback in &self.callbacks {
            look(callback.retry, Due::Retry(callback.id));
        }
        for ticket in &self.tickets {
            look(ticket.give_back, Due::TicketReturn(ticket.id));
            look(ticket.first.late, Due::FirstResponse(ticket.id));
            look(ticket.resolution.late, Due::Resolution(ticket.id));
            look(ticket.close, Due::TicketClose(ticket.id));
        }
        first.map(|((at, ..), due)| (at, due))
    }

    /// Time passes until `now`, and nothing was due.
    pub const fn sleep_until(&mut self, now: Instant) {
        self.now = now;
    }

    /// Fires what is due, one after the other.
    pub fn advance(&mut self, now: Instant, events: &mut Vec<Event>) {
        self.now = now;
        while let Some((_, due)) = self.first_due().filter(|&(at, _)| at <= now) {
            self.fire(due);
            self.match_all();
        }
        events.append(&mut self.out);
    }

    fn fire(&mut self, due: Due) {
        match due {
            Due::Ring(offer) => self.ring_limit_passed(offer),
            Due::RingStep(work) => self.ring_one_more(work),
            Due::Dial(call) => self.dial_limit_passed(call),
            Due::Target(call) => self.target_limit_passed(call),
            Due::FlowStep(call) => self.step_limit_passed(call),
            Due::MaximumWait(work) => self.maximum_wait_passed(work),
            Due::Relax(work) => self.relax(work),
            Due::Reservation(work) => self.reservation_passed(work),
            Due::ForcedEnd(call) => self.forced_end_over(call),
            Due::AfterCall(operator) => self.after_call_limit_passed(operator),
            Due::Prompt(operator) => {
                self.desks[operator.index()].prompt = None;
                self.say(Event::AfterCallPrompt { operator });
            }
            Due::Grace(operator) => self.grace_passed(operator),
            Due::Retry(callback) => self.retry(callback),
            Due::TicketReturn(ticket) => self.give_back(ticket),
            Due::FirstResponse(ticket) => self.first_response_late(ticket),
            Due::Resolution(ticket) => self.resolution_late(ticket),
            Due::TicketClose(ticket) => self.close_time_passed(ticket),
            Due::Supervisor(call) => self.supervision_over(call, SupervisionEnd::Stopped),
        }
    }

    /// Whether the command is accepted, and what it says.
    pub fn apply(&mut self, now: Instant, command: &Command, events: &mut Vec<Event>) -> bool {
        self.now = now;
        let accepted = self.obey(command).is_some();
        self.match_all();
        events.append(&mut self.out);
        accepted
    }

    /// `None`: refused.
    fn obey(&mut self, command: &Command) -> Option<()> {
        match *command {
            Command::Reconfigure(ref config) => self.reconfigure(config),

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
            Command::WithdrawOffer { offer } => self.withdraw(offer),

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
            Command::ForceEnd { operator, reason, .. } => self.force_end(operator, reason),

            Command::ChangePriority { call, priority } => self.change_priority(call, priority),
            Command::ChangeSkill { call, skill, min } => self.change_skill(call, skill, min),

            Command::CallArrived { service, entry, customer, from, priority, preferred, reference } => {
                let caller = call::Caller { customer, number: from, priority, preferred };
                self.call_arrived(service, entry, caller, reference)
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

    fn say(&mut self, event: Event) {
        self.out.push(event);
    }

    fn timer(&mut self, span: Span) -> Option<Timer> {
        self.timer_at(self.now + span)
    }

    fn timer_at(&mut self, at: Instant) -> Option<Timer> {
        self.made.timers += 1;
        Some(Timer { at, set: self.made.timers })
    }

    fn service(&self, service: ServiceId) -> &Service {
        &self.floor.services[service.index()]
    }

    fn settings(&self, service: ServiceId) -> &Settings {
        &self.service(service).settings
    }

    fn known_operator(&self, operator: OperatorId) -> Option<()> {
        (operator.index() < self.desks.len()).then_some(())
    }

    fn desk(&mut self, operator: OperatorId) -> &mut Desk {
        &mut self.desks[operator.index()]
    }

    fn find_call(&self, id: CallId) -> Option<&Call> {
        self.calls.iter().find(|call| call.id == id)
    }

    fn call(&mut self, id: CallId) -> &mut Call {
        self.calls.iter_mut().find(|call| call.id == id).expect("a call that is named here is live")
    }

    fn find_chat(&self, id: ChatId) -> Option<&Chat> {
        self.chats.iter().find(|chat| chat.id == id)
    }

    fn chat(&mut self, id: ChatId) -> &mut Chat {
        self.chats.iter_mut().find(|chat| chat.id == id).expect("a chat that is named here is live")
    }

    fn find_callback(&self, id: CallbackId) -> Option<&Callback> {
        self.callbacks.iter().find(|callback| callback.id == id)
    }

    fn callback(&mut self, id: CallbackId) -> &mut Callback {
        self.callbacks.iter_mut().find(|callback| callback.id == id).expect("a callback that is named here is live")
    }

    fn find_ticket(&self, id: TicketId) -> Option<&Ticket> {
        self.tickets.iter().find(|ticket| ticket.id == id)
    }

    fn ticket(&mut self, id: TicketId) -> &mut Ticket {
        self.tickets.iter_mut().find(|ticket| ticket.id == id).expect("a ticket that is named here is not Closed")
    }
}
