//! Operators: their telephone rings and they answer, decline or miss; what their screen shows decides what follows.

use std::collections::HashMap;

use callfloor_engine::Status;
use callfloor_scenario::NextStatus;
use callfloor_sim::behaviour::Fate;
use callfloor_sim::calendar::Entry;
use tokio::sync::mpsc::UnboundedSender;

use super::{Happening, Player};
use crate::desk::{Act, Choice, Order};
use crate::measures::Kind;
use crate::media::{Agreed, Heard, StreamKey, description};
use crate::note::{Done, Tell};
use crate::play::sockets::Line;
use crate::play::talk::Talk;
use crate::play::written::{Held, Shown};
use crate::screen::{self, Origin, Party, Work};
use crate::sip::{CallKey, Credentials, Event, Failure, Micros};
use crate::voice::Voice;

/// How long a registration is asked for, in seconds, and when it is renewed, in microseconds of real time.
const EXPIRES_S: u32 = 3_600;
const RENEWED_US: Micros = 1_800_000_000;
/// How long a telephone may be up after the screen said that the call is over, in microseconds of real time.
const DEAD_US: Micros = 2_000_000;
/// The server's reason of a break that nobody gives another reason for.
const NO_REASON: u16 = 0;

/// A call at an operator's telephone.
#[derive(Debug)]
pub(super) struct PhoneCall {
    pub(super) call: CallKey,
    /// The customer behind it, by the key of their streams; `None` for one whom nobody here plays.
    pub(super) customer: Option<u64>,
    pub(super) stream: Option<StreamKey>,
    /// When it was answered, or was to be.
    pub(super) answered_us: Option<Micros>,
    /// When it rang.
    rang_us: Micros,
    /// What the operator will do with it.
    fate: Fate,
    offer_sdp: Option<String>,
    spoken_with: bool,
}

/// What is offered, as the screen shows it.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    reference: String,
    pub(super) work: Work,
    /// `None`: a consult or a blind transfer.
    pub(super) queue: Option<u16>,
    made_us: Micros,
    told: bool,
}

/// What an operator will do instead of being Ready.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Errand {
    /// The shift is over: goes as soon as the call in hand is done.
    pub(super) leaving: bool,
    /// A break of this length is due, in microseconds of the scenario.
    pub(super) break_us: Option<u64>,
}

/// One operator.
#[derive(Debug)]
pub(super) struct Operator {
    pub(super) group: u16,
    pub(super) status: Status,
    pub(super) shift: Option<u16>,
    pub(super) errand: Errand,
    /// Number of times that they came to work so far: breaks are of one of them.
    pub(super) stint: u16,
    /// Breaks and misses so far: occasions of their streams.
    pub(super) occasions: u32,
    pub(super) phone: Option<PhoneCall>,
    pub(super) offer: Option<Offer>,
    pub(super) talk: Option<Talk>,
    /// Chats and tickets that are shown for acceptance, and those in hand.
    pub(super) shown: Vec<Shown>,
    pub(super) hands: Vec<Held>,
    /// Finishes what chats and tickets are in hand, and takes no more until they have left or had their break.
    pub(super) finishes: bool,
    /// After-call work that follows, in microseconds of the scenario.
    pub(super) after_call_us: u64,
    pub(super) reaction: Entry,
    pub(super) rest: Entry,
    pub(super) step: Entry,
    /// An order about the status is on its way.
    pub(super) awaiting: bool,
    /// Something changed meanwhile.
    look_again: bool,
    /// When Ready was asked for last.
    ready_asked_us: Option<Micros>,
    /// Since when they are Ready, by the server, and when that was asked for.
    ready_since: Option<(Micros, Micros)>,
    registering: Option<(CallKey, Micros)>,
    registered: bool,
    watching: bool,
    desk: UnboundedSender<Order>,
}

impl Operator {
    fn new(group: u16, desk: UnboundedSender<Order>) -> Self {
        Self {
            group,
            status: Status::LoggedOut,
            shift: None,
            stint: 0,
            errand: Errand::default(),
            occasions: 0,
            phone: None,
            offer: None,
            talk: None,
            shown: Vec::new(),
            hands: Vec::new(),
            finishes: false,
            after_call_us: 0,
            reaction: Entry::NONE,
            rest: Entry::NONE,
            step: Entry::NONE,
            awaiting: false,
            look_again: false,
            ready_asked_us: None,
            ready_since: None,
            registering: None,
            registered: false,
            watching: false,
            desk,
        }
    }

    pub(super) fn stream(&self) -> Option<StreamKey> {
        self.phone.as_ref().and_then(|phone| phone.stream)
    }

    /// Whether no call is in hand or ringing.
    const fn has_no_call(&self) -> bool {
        matches!(self.status, Status::LoggedOut | Status::Work | Status::Ready | Status::Break | Status::AfterCallWork)
    }

    /// Whether they could do something else now: here, without a call, and no after-call work left to do.
    fn is_free(&self) -> bool {
        let is_after_call = self.status == Status::AfterCallWork && self.rest != Entry::NONE;
        self.status != Status::LoggedOut && self.has_no_call() && !is_after_call
    }

    pub(super) fn order(&self, act: Act, intended_us: Micros) {
        // A desk that has ended has told why.
        let _ = self.desk.send(Order { act, intended_us });
    }
}

impl Player<'_, '_> {
    // ---- before the run -------------------------------------------------------------------------------------------

    pub(super) fn seat(&mut self, desks: HashMap<u32, UnboundedSender<Order>>) {
        let Some(floor) = &self.setup.floor else { return };
        for (id, desk) in desks {
            let Some(seated) = floor.operators.get(id as usize) else { continue };
            let credentials = Credentials { user: seated.user.clone(), password: floor.password.clone() };
            self.telephones.authenticate(&seated.user, credentials);
            self.operator_of_user.insert(seated.user.clone(), id);
            let group = self.setup.model.plan.group_of(callfloor_engine::OperatorId(id)).map_or(0, |group| group.0);
            self.operators.insert(id, Operator::new(u16::try_from(group).unwrap_or(u16::MAX), desk));
        }
    }

    pub(super) fn register_all(&mut self) {
        let ids: Vec<u32> = self.operators.keys().copied().collect();
        ids.into_iter().for_each(|id| self.registers(id));
    }

    pub(super) fn registers(&mut self, id: u32) {
        let Some(floor) = &self.setup.floor else { return };
        let (user, domain) = (floor.operators[id as usize].user.clone(), floor.domain.clone());
        self.telephones.advance(self.now);
        let call = self.telephones.register(self.setup.peer, &domain, &user, EXPIRES_S);
        self.operator_of_call.insert(call, id);
        if let Some(operator) = self.operators.get_mut(&id) {
            operator.registering = Some((call, self.now));
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.operators.values().all(|operator| operator.registered && operator.watching)
    }

    pub(super) fn unready(&self) -> String {
        let count = |what: fn(&Operator) -> bool| self.operators.values().filter(|operator| !what(operator)).count();
        let (telephones, screens) = (count(|operator| operator.registered), count(|operator| operator.watching));
        format!(
            "of {} operators, the telephones of {telephones} are not registered at {} and the screens of {screens} show nothing yet",
            self.operators.len(),
            self.setup.peer
        )
    }

    pub(super) fn watching(&mut self, id: u32) {
        if let Some(operator) = self.operators.get_mut(&id) {
            operator.watching = true;
        }
    }

    // ---- the telephone --------------------------------------------------------------------------------------------

    pub(super) fn telephone_event(&mut self, call: CallKey, event: Event) {
        if let Event::Incoming { caller, called, sdp } = event {
            match self.operator_of_user.get(&called).copied() {
                Some(id) => self.rings(id, call, &caller, sdp),
                None => self.outside_rings(call, &called, sdp),
            }
            return;
        }
        if self.outsiders.contains_key(&call) {
            return self.outside_event(call, &event);
        }
        let Some(id) = self.operator_of_call.get(&call).copied() else { return };
        let Some(operator) = self.operators.get(&id) else { return };
        match operator.registering.filter(|(registering, _)| *registering == call) {
            Some((_, asked_us)) => self.registration(id, call, asked_us, &event),
            None if matches!(event, Event::GivenUp | Event::HungUp | Event::Left { .. } | Event::Failed(_)) => {
                self.telephone_is_free(id, call);
            }
            None => {}
        }
    }

    fn registration(&mut self, id: u32, call: CallKey, asked_us: Micros, event: &Event) {
        let now = self.now;
        self.operator_of_call.remove(&call);
        let Some(operator) = self.operators.get_mut(&id) else { return };
        operator.registering = None;
        match event {
            Event::Answered { .. } => {
                operator.registered = true;
                self.recorder.latency(Kind::Register, asked_us, now);
                self.calendar.schedule(now + RENEWED_US, Happening::Registers(id));
            }
            Event::Failed(failure) => {
                let why = match failure {
                    Failure::Refused(code) => format!("refused with {code}"),
                    Failure::Timeout => "no answer in 32 s".to_owned(),
                };
                self.problems.push(format!("the telephone of operator {id} cannot register: {why}"));
                self.recorder.count("registrations_failed");
            }
            _ => {}
        }
    }

    /// The telephone of an operator rings for a customer.
    fn rings(&mut self, id: u32, call: CallKey, caller: &str, sdp: Option<String>) {
        let now = self.now;
        self.recorder.count("telephones_rang");
        let customer = self.customer_who_shows(caller);
        let nth = customer.map_or(1, |customer| {
            self.setup.cases.change(customer, |case| {
                case.rings = case.rings.saturating_add(1);
                case.rings
            })
        });
        let Some(operator) = self.operators.get_mut(&id) else { return };
        if operator.phone.is_some() {
            // One call at a time: whoever rings meanwhile finds it busy.
            self.recorder.count("telephones_busy");
            self.telephones.refuse(call, 486);
            return;
        }
        let fate = self.setup.behaviour.fate(operator.group, id, customer.unwrap_or(0), nth, false);
        operator.phone = Some(PhoneCall {
            call,
            customer,
            stream: None,
            answered_us: None,
            rang_us: now,
            fate,
            offer_sdp: sdp,
            spoken_with: false,
        });
        self.operator_of_call.insert(call, id);
        self.device_told(id);
        let delay = match fate {
            Fate::Missed => {
                self.recorder.count("offers_missed");
                return;
            }
            Fate::Answered(delay) | Fate::Declined(delay) => delay,
        };
        let at = now + self.real(delay);
        let entry = self.calendar.schedule(at, Happening::Reacts(id));
        if let Some(operator) = self.operators.get_mut(&id) {
            operator.reaction = entry;
        }
    }

    /// Both the screen and the telephone tell of an offer, in either order.
    fn device_told(&mut self, id: u32) {
        let Some(operator) = self.operators.get_mut(&id) else { return };
        let (Some(phone), Some(offer)) = (&operator.phone, &mut operator.offer) else { return };
        if !matches!(offer.work, Work::Call(_)) || std::mem::replace(&mut offer.told, true) {
            return;
        }
        self.recorder.latency(Kind::DeviceTold, offer.made_us, phone.rang_us);
        // Where the operator's becoming Ready made the offer, its cause is what they asked for.
        if let Some((since, asked)) = operator.ready_since
            && since == offer.made_us
        {
            self.recorder.latency(Kind::Assignment, asked, phone.rang_us);
        }
    }

    /// An operator answers or declines what rings.
    pub(super) fn reacts(&mut self, at: Micros, id: u32) {
        let Some(operator) = self.operators.get_mut(&id) else { return };
        operator.reaction = Entry::NONE;
        let Some(phone) = &operator.phone else { return };
        if matches!(phone.fate, Fate::Declined(_)) {
            if let Some(offer) = &operator.offer {
                operator.order(Act::Decline(offer.reference.clone()), at);
                self.recorder.count("offers_declined");
            }
            return;
        }
        self.lag(at);
        self.answer_phone(id, at);
    }

    fn answer_phone(&mut self, id: u32, at: Micros) {
        let session = self.session();
        let Ok(local) = self.sockets.address(Line::TelephonesSound) else { return };
        let (now, sound) = (self.now, self.setup.sound);
        let offered = self.operators.get(&id).and_then(|operator| operator.phone.as_ref()?.offer_sdp.as_deref());
        let agreed = self.audible(offered.and_then(Agreed::of));
        let Some(phone) = self.operators.get_mut(&id).and_then(|operator| operator.phone.as_mut()) else { return };
        phone.answered_us = Some(at);
        let (call, customer) = (phone.call, phone.customer);
        if sound && let Some(agreed) = agreed {
            let stream = self.telephones_media.open(now, agreed, Voice::Operator);
            phone.stream = Some(stream);
            self.operator_of_stream.insert(stream, id);
        }
        self.telephones.advance(now);
        self.telephones.answer(call, description(local, session));
        if let Some(customer) = customer {
            self.setup.cases.change(customer, |case| case.answered_us = at);
        }
    }

    /// The call at an operator's telephone is over, answered or not.
    fn telephone_is_free(&mut self, id: u32, call: CallKey) {
        self.operator_of_call.remove(&call);
        let Some(operator) = self.operators.get_mut(&id) else { return };
        let Some(phone) = operator.phone.take_if(|phone| phone.call == call) else { return };
        let reaction = std::mem::take(&mut operator.reaction);
        if reaction != Entry::NONE {
            self.calendar.withdraw(reaction);
        }
        if let Some(stream) = phone.stream {
            self.operator_of_stream.remove(&stream);
            if self.telephones_media.close(stream) == 0 {
                self.recorder.count("operators_in_silence");
            }
        }
    }

    pub(super) fn operator_hears(&mut self, heard: Heard) {
        if self.outsider_hears(&heard) {
            return;
        }
        let Some(id) = self.operator_of_stream.get(&heard.stream).copied() else { return };
        let Some(phone) = self.operators.get_mut(&id).and_then(|operator| operator.phone.as_mut()) else { return };
        if heard.voice == Voice::Customer
            && !std::mem::replace(&mut phone.spoken_with, true)
            && let Some(answered) = phone.answered_us
        {
            self.recorder.latency(Kind::AnswerToOperator, answered, heard.at_us);
        }
    }

    // ---- the screen -----------------------------------------------------------------------------------------------

    pub(super) fn shown(&mut self, id: u32, at: Micros, seen: Micros, event: screen::Event) {
        let Some(floor) = &self.setup.floor else { return };
        let me = floor.operators[id as usize].number;
        let Some(operator) = self.operators.get_mut(&id) else { return };
        match event {
            screen::Event::StatusChanged { from, to, .. } => self.status_changed(id, at, from, to),
            screen::Event::OfferMade { offer, work: work @ (Work::Chat(_) | Work::Ticket(_)), .. } => {
                self.recorder.latency(Kind::ScreenTold, at, seen);
                self.work_shown(id, offer, work, seen);
            }
            screen::Event::OfferMade { offer, work, queue, .. } => {
                operator.offer = Some(Offer { reference: offer, work, queue, made_us: at, told: false });
                self.recorder.latency(Kind::ScreenTold, at, seen);
                self.device_told(id);
                if !matches!(work, Work::Call(_)) {
                    self.offered_on_screen(id, at);
                }
            }
            screen::Event::OfferEnded { offer, work: Work::Chat(_) | Work::Ticket(_), end, .. } => {
                self.no_longer_shown(id, &offer, &end);
            }
            screen::Event::OfferEnded { end, .. } => {
                operator.offer = operator.offer.take().filter(|_| end == "accepted")
            }
            screen::Event::CallAnswered { call, wait_us, .. } => {
                if let Some(answered) = operator.phone.as_ref().and_then(|phone| phone.answered_us) {
                    self.recorder.latency(Kind::AnswerTaken, answered, at);
                }
                self.assigned_at_once(id, at, wait_us);
                self.talk_begins(id, at, call.number, false);
            }
            screen::Event::CallResumed { call, .. } => self.talk_begins(id, at, call.number, true),
            screen::Event::DialAnswered { call, .. } => self.talk_begins(id, at, call.number, false),
            screen::Event::CallReleased { .. } => self.talk_goes_on(id, at),
            screen::Event::ConsultAnswered { .. } => self.consult_answered(id, at),
            screen::Event::ConsultEnded { end, .. } => self.consult_ended(id, at, &end),
            screen::Event::CallTransferred { from, to, blind, call } => {
                if from == me {
                    self.handed_on(id, &to);
                }
                if to == Party::Operator(me) && !blind {
                    self.taken_over(id, at, call.number);
                }
            }
            screen::Event::CallEnded { call, .. } => self.talk_ended(id, call.number),
            screen::Event::ChatAnswered { chat, .. } => self.work_begins(id, at, Work::Chat(chat)),
            screen::Event::ChatEnded { chat, .. } => self.put_down(id, at, Work::Chat(chat)),
            screen::Event::ChatLine { chat, from } => self.line_shown(id, seen, Work::Chat(chat), &from),
            screen::Event::ChatStatusChanged { to, .. } => self.chat_status_shown(id, at, &to),
            screen::Event::TicketAssigned { ticket, .. } => self.work_begins(id, at, Work::Ticket(ticket)),
            screen::Event::TicketCreated { origin: Origin::PhoneIn(_) | Origin::PhoneOut(_), .. } => {
                if let Some(answered) = operator.phone.as_ref().and_then(|phone| phone.answered_us) {
                    self.recorder.latency(Kind::TicketVisible, answered, seen);
                }
            }
            _ => {}
        }
    }

    /// Where a customer rang as soon as they came, their own call made the assignment possible.
    fn assigned_at_once(&mut self, id: u32, at: Micros, wait_us: u64) {
        let Some(operator) = self.operators.get(&id) else { return };
        let (Some(phone), Some(offer)) = (&operator.phone, &operator.offer) else { return };
        let queued = at.saturating_sub(wait_us);
        let Some(case) = phone.customer.and_then(|customer| self.setup.cases.get(customer)) else { return };
        // The offer was made in the very instant in which the call was queued; a millisecond covers the clocks' rounding.
        if case.direct && case.rings == 1 && queued.abs_diff(offer.made_us) < 1_000 {
            self.recorder.latency(Kind::Assignment, case.intended_us, phone.rang_us);
        }
    }

    fn status_changed(&mut self, id: u32, at: Micros, from: Status, to: Status) {
        let Some(operator) = self.operators.get_mut(&id) else { return };
        operator.status = to;
        operator.ready_since = None;
        let rest = std::mem::take(&mut operator.rest);
        if rest != Entry::NONE {
            self.calendar.withdraw(rest);
        }
        if operator.has_no_call()
            && let Some(call) = operator.phone.as_ref().map(|phone| phone.call)
        {
            self.calendar.schedule(self.now + DEAD_US, Happening::Forgotten(id, call));
        }
        let Some(operator) = self.operators.get_mut(&id) else { return };
        match to {
            Status::Ready => {
                operator.ready_since = operator.ready_asked_us.take().map(|asked| (at, asked));
                if operator.errand.leaving || operator.errand.break_us.is_some() || operator.finishes {
                    self.free(id, at);
                }
            }
            Status::AfterCallWork => {
                operator.offer = None;
                let length = std::mem::take(&mut operator.after_call_us);
                let due = if self.is_stopping() { at } else { at + self.real(length) };
                self.rest_until(id, due);
            }
            Status::Work | Status::Break => self.came_to_rest(id, at, from, to),
            Status::LoggedOut => {
                operator.errand = Errand::default();
                operator.talk = None;
                operator.finishes = false;
            }
            Status::Talking if from == Status::Ringing => self.perhaps_taken_over(id, at),
            _ => {}
        }
    }

    /// A telephone that is still up though the screen has said for a while that no call is: the server forgot it, as one that was
    /// started again does, and whoever sits there hangs up.
    pub(super) fn forgotten(&mut self, id: u32, call: CallKey) {
        let Some(operator) = self.operators.get(&id) else { return };
        let is_up = operator.phone.as_ref().is_some_and(|phone| phone.call == call);
        if is_up && operator.has_no_call() {
            self.recorder.count("telephones_hung_up");
            self.telephones.advance(self.now);
            self.telephones.hang_up(call);
        }
    }

    fn rest_until(&mut self, id: u32, due: Micros) {
        let entry = self.calendar.schedule(due, Happening::Rested(id));
        if let Some(operator) = self.operators.get_mut(&id) {
            operator.rest = entry;
        }
    }

    /// In Work or Break: for how long, and why.
    fn came_to_rest(&mut self, id: u32, at: Micros, from: Status, to: Status) {
        let Some(operator) = self.operators.get_mut(&id) else { return };
        if to == Status::Break
            && let Some(length) = operator.errand.break_us.take()
        {
            let due = at + self.real(length);
            self.rest_until(id, due);
        } else if operator.errand.leaving
            || operator.finishes
            || matches!(from, Status::LoggedOut | Status::Dialing | Status::AfterCallWork)
        {
            self.free(id, at);
        } else {
            operator.occasions = operator.occasions.wrapping_add(1);
            let away = self.setup.behaviour.back_after_miss_us(operator.group, id, operator.occasions);
            let due = at + self.real(away);
            self.rest_until(id, due);
        }
    }

    pub(super) fn rested(&mut self, at: Micros, id: u32) {
        if let Some(operator) = self.operators.get_mut(&id) {
            operator.rest = Entry::NONE;
            self.lag(at);
            self.free(id, at);
        }
    }

    /// What an operator without a call does next: leaves, has a break, or is Ready.
    pub(super) fn free(&mut self, id: u32, at: Micros) {
        let may_leave = self.may_leave(at);
        let Some(operator) = self.operators.get_mut(&id) else { return };
        if !operator.is_free() {
            return;
        }
        if operator.awaiting {
            operator.look_again = true;
            return;
        }
        if operator.errand.leaving && !operator.hands.is_empty() {
            return self.finish_what_is_in_hand(id, at);
        }
        let act = if operator.errand.leaving && may_leave {
            Act::LogOut
        } else {
            self.roster.staying |= operator.errand.leaving;
            if operator.rest != Entry::NONE {
                // A break or a span in Work goes on; its end comes back here.
                return;
            }
            if operator.errand.break_us.is_some() && !operator.hands.is_empty() {
                return self.finish_what_is_in_hand(id, at);
            }
            if operator.finishes && !operator.errand.leaving && operator.errand.break_us.is_none() {
                operator.finishes = false;
                self.take_chats(id, at);
            }
            let Some(operator) = self.operators.get_mut(&id) else { return };
            if operator.status == Status::Break
                && let Some(length) = operator.errand.break_us.take()
            {
                // It fell due during another.
                let due = at + self.real(length);
                return self.rest_until(id, due);
            }
            let Some(choice) = next_choice(self.setup.model.scenario, operator) else { return };
            if choice == Choice::Ready {
                operator.ready_asked_us = Some(at);
            }
            if operator.status == Status::AfterCallWork { Act::FinishAfterCall(choice) } else { Act::SetStatus(choice) }
        };
        if let Some(operator) = self.operators.get_mut(&id) {
            operator.awaiting = true;
            operator.order(act, at);
        }
    }

    /// An order came to its end.
    pub(super) fn done(&mut self, id: u32, done: &Done) {
        let Done { kind, intended_us, done_us, outcome, about } = done;
        self.recorder.latency(*kind, *intended_us, *done_us);
        self.recorder.count("api_requests");
        if let Err((status, rule)) = outcome {
            self.recorder.count("api_refusals");
            self.recorder.count_named(format!("refused_{status}_{rule}"));
        }
        if let Some((work, found)) = about {
            return self.written_order_done(id, *kind, (*work, found), *done_us, outcome.is_ok());
        }
        let is_status = matches!(kind, Kind::LogOut | Kind::SetStatus | Kind::FinishAfterCall);
        let Some(operator) = self.operators.get_mut(&id) else { return };
        if !is_status {
            return self.talk_order_done(id, *kind, outcome.is_ok());
        }
        operator.awaiting = false;
        if outcome.is_err() {
            operator.ready_asked_us = None;
        }
        if std::mem::take(&mut operator.look_again) {
            let now = self.now;
            self.free(id, now);
        }
    }

    /// Callbacks are accepted on the screen.
    fn offered_on_screen(&mut self, id: u32, at: Micros) {
        let Some(operator) = self.operators.get(&id) else { return };
        let Some(offer) = &operator.offer else { return };
        operator.order(Act::Answer(offer.reference.clone()), at);
    }

    /// Nobody holds anything any more.
    pub(super) fn all_have_left(&self) -> bool {
        self.outsiders.is_empty()
            && self
                .operators
                .values()
                .all(|operator| operator.phone.is_none() && operator.hands.is_empty() && operator.has_no_call())
    }

    /// Everybody has logged out.
    pub(super) fn all_are_gone(&self) -> bool {
        self.outsiders.is_empty() && self.operators.values().all(|operator| operator.status == Status::LoggedOut)
    }

    /// The run is over: whoever is free goes.
    pub(super) fn all_leave(&mut self) {
        let (ids, now): (Vec<u32>, Micros) = (self.operators.keys().copied().collect(), self.now);
        for id in ids {
            if let Some(operator) = self.operators.get_mut(&id) {
                operator.errand.leaving = true;
                // Nobody waits for the end of a break or of after-call work.
                let rest = std::mem::take(&mut operator.rest);
                self.calendar.withdraw(rest);
                self.free(id, now);
            }
        }
    }

    /// Tells the customer at an operator's telephone.
    pub(super) fn tell_own_customer(&mut self, id: u32, tell: Tell) -> bool {
        let talk = self.operators.get(&id).and_then(|operator| operator.talk.as_ref());
        let customer = talk.map(|talk| talk.person.id);
        customer.is_some_and(|customer| self.tell_customer(customer, tell))
    }
}

/// The status that an operator chooses who does not leave; `None` where it is the one that they have.
fn next_choice(scenario: &callfloor_scenario::Scenario, operator: &Operator) -> Option<Choice> {
    if operator.errand.break_us.is_some() {
        return Some(Choice::Break(NO_REASON));
    }
    let service = scenario.groups[usize::from(operator.group)].services.first();
    let next = service.map(|service| scenario.services[service.0].settings.next_status);
    match (operator.status, next) {
        (Status::Ready, _) => None,
        (Status::AfterCallWork, Some(NextStatus::Work)) => Some(Choice::Work),
        (Status::AfterCallWork, Some(NextStatus::Break)) => Some(Choice::Break(NO_REASON)),
        _ => Some(Choice::Ready),
    }
}
