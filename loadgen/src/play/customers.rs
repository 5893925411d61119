//! Customers on the telephone: from the INVITE through flow and queue to the end of the talk, and perhaps once more.

use callfloor_scenario::Entry as FirstStop;
use callfloor_scenario::floor::{ACCEPT_DIGIT, AudioKind, DECLINE_DIGIT};
use callfloor_sim::behaviour::Person;
use callfloor_sim::calendar::Entry;

use super::{CallerKey, Happening, Player, PromptKind};
use crate::cases::Case;
use crate::measures::Kind;
use crate::media::{Agreed, Heard, StreamKey, description};
use crate::note::Tell;
use crate::number::CallerNumber;
use crate::play::sockets::Line;
use crate::play::visitors::Way;
use crate::sip::{CallKey, Event, Failure, Micros};
use crate::voice::Voice;

/// How long a customer who does not like to wait listens before they are sure that they must, in microseconds of real time.
const SURE_US: Micros = 100_000;

/// Where a customer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The call is not answered.
    Calling,
    /// In the flow, or on the way to the queue.
    Flow,
    /// In the queue, as far as they can hear.
    Queue,
    /// Served, or was.
    Served,
}

/// A customer on the telephone.
#[derive(Debug)]
pub(crate) struct Caller {
    person: Person,
    call: CallKey,
    pub(crate) stream: Option<StreamKey>,
    stage: Stage,
    intended_us: Micros,
    gives_up: Entry,
    /// When they hung up, or were to.
    left_us: Option<Micros>,
    /// They hung up because they had waited long enough.
    impatient: bool,
    /// They left a message, or are to be called back: that the far end lets them go is no refusal.
    settled: bool,
    rang: bool,
    heard: bool,
    /// An operator's answer that is still to be heard.
    answered_us: Option<Micros>,
    held_us: Option<Micros>,
    released_us: Option<Micros>,
    menus: u8,
    queues: u8,
}

impl Player<'_, '_> {
    pub(super) fn arrival(&mut self, at: Micros) {
        self.arrival = Entry::NONE;
        let Some(coming) = self.next.take() else { return };
        self.schedule_next();
        // Others of the plan belong to other threads.
        if self.player_of(&coming.person) == self.me {
            self.comes(at, coming.person);
        }
    }

    fn comes(&mut self, at: Micros, person: Person) {
        if self.is_stopping() {
            return;
        }
        match self.setup.ways.get(usize::from(person.source)).copied().unwrap_or(Way::None) {
            Way::Call => self.call(at, person),
            Way::Chat { queue } => self.chats(at, person, queue),
            Way::Form { service, queue } => self.sends_form(at, person, (service, queue)),
            Way::None => {}
        }
    }

    fn player_of(&self, person: &Person) -> usize {
        let place = (person.number() / u64::from(self.setup.shard.of.max(1))).wrapping_add(u64::from(person.source));
        usize::try_from(place % self.threads as u64).unwrap_or(0)
    }

    pub(super) fn redial(&mut self, at: Micros, id: u64) {
        self.redials -= 1;
        if self.is_stopping() {
            return;
        }
        self.recorder.count("redials");
        let person = self.setup.behaviour.again(id);
        self.comes(at, person);
    }

    fn call(&mut self, at: Micros, person: Person) {
        let Some(uri) = self.setup.uris.get(usize::from(person.source)).and_then(Option::as_ref) else { return };
        self.lag(at);
        let session = self.session();
        let Ok(local) = self.sockets.address(Line::CustomersSound) else { return };
        let number = CallerNumber { id: person.id }.to_string();
        self.customers.advance(self.now);
        let call = self.customers.invite(self.setup.peer, uri, &number, description(local, session));
        let class = &self.setup.model.scenario.classes[usize::from(person.source)];
        let direct = matches!(class.entry, FirstStop::Queue(_));
        let case = Case { player: self.me, intended_us: at, direct, ..Case::default() };
        self.setup.cases.insert(person.id, case);
        let key = self.callers.insert(Caller {
            person,
            call,
            stream: None,
            stage: Stage::Calling,
            intended_us: at,
            gives_up: Entry::NONE,
            left_us: None,
            impatient: false,
            settled: false,
            rang: false,
            heard: false,
            answered_us: None,
            held_us: None,
            released_us: None,
            menus: 0,
            queues: 0,
        });
        self.caller_of_call.insert(call, key);
        self.caller_of_person.insert(person.id, key);
        self.made.calls.insert(person.id, at);
        self.recorder.count("calls");
        self.count_progress(|progress| &progress.come);
        self.count_progress(|progress| &progress.calls);
        // Nobody listens to ringing longer than to music.
        self.wait_from(key, at);
    }

    /// From `since` on, patience runs.
    fn wait_from(&mut self, key: CallerKey, since: Micros) {
        let Some(caller) = self.callers.get(key) else { return };
        let patience = self.setup.behaviour.patience_us(&caller.person);
        self.give_up_at(key, patience.map(|patience| since + self.real(patience)));
    }

    fn give_up_at(&mut self, key: CallerKey, at: Option<Micros>) {
        let Some(caller) = self.callers.get_mut(key) else { return };
        let before = std::mem::take(&mut caller.gives_up);
        if before != Entry::NONE {
            self.calendar.withdraw(before);
        }
        if let Some(at) = at {
            caller.gives_up = self.calendar.schedule(at, Happening::GivesUp(key));
        }
    }

    pub(super) fn gives_up(&mut self, at: Micros, key: CallerKey) {
        let Some(caller) = self.callers.get_mut(key) else { return };
        caller.gives_up = Entry::NONE;
        if caller.left_us.is_none() {
            caller.impatient = true;
            self.hangs_up(at, key);
        }
    }

    pub(super) fn balks(&mut self, at: Micros, key: CallerKey) {
        let Some(caller) = self.callers.get(key) else { return };
        let rings = self.setup.cases.get(caller.person.id).map_or(0, |case| case.rings);
        if caller.stage == Stage::Queue && rings == 0 {
            self.recorder.count("balked");
            self.gives_up(at, key);
        }
    }

    pub(super) fn hangs_up(&mut self, at: Micros, key: CallerKey) {
        let Some(caller) = self.callers.get_mut(key) else { return };
        if caller.left_us.replace(at).is_none() {
            let call = caller.call;
            self.lag(at);
            self.give_up_at(key, None);
            self.customers.advance(self.now);
            self.customers.hang_up(call);
        }
    }

    pub(super) fn presses(&mut self, at: Micros, key: CallerKey, digit: char) {
        let Some(stream) = self.callers.get(key).and_then(|caller| caller.stream) else { return };
        self.lag(at);
        if self.customers_media.press(stream, digit) {
            self.recorder.count("keys_pressed");
        } else {
            self.recorder.count("keys_not_taken");
        }
    }

    // ---- what the other side does ---------------------------------------------------------------------------------

    pub(super) fn customer_event(&mut self, call: CallKey, event: Event) {
        let Some(key) = self.caller_of_call.get(&call).copied() else { return };
        let now = self.now;
        match event {
            Event::Provisional { .. } => {
                let Some(caller) = self.callers.get_mut(key) else { return };
                if !std::mem::replace(&mut caller.rang, true) {
                    let from = caller.intended_us;
                    self.recorder.latency(Kind::CallToResponse, from, now);
                }
            }
            Event::Answered { sdp } => self.customer_answered(key, sdp.as_deref()),
            Event::HungUp => {
                self.recorder.count("hung_up_by_far_end");
                self.customer_gone(key, EndedBy::FarEnd);
            }
            Event::Left { answered } => {
                if let Some(left) = self.callers.get(key).and_then(|caller| caller.left_us).filter(|_| answered) {
                    self.recorder.latency(Kind::Bye, left, now);
                }
                self.customer_gone(key, EndedBy::Customer);
            }
            Event::Cancelled => {
                if let Some(left) = self.callers.get(key).and_then(|caller| caller.left_us) {
                    self.recorder.latency(Kind::Cancel, left, now);
                }
                self.recorder.count("cancelled");
                self.not_taken(key);
                self.customer_gone(key, EndedBy::Customer);
            }
            Event::Failed(Failure::Refused(code)) => {
                self.recorder.count_named(format!("refused_{code}"));
                self.recorder.count("refused");
                self.not_taken(key);
                self.count_progress(|progress| &progress.failed);
                self.customer_gone(key, EndedBy::Failure);
            }
            Event::Failed(Failure::Timeout) => {
                self.recorder.count("timed_out");
                self.not_taken(key);
                self.count_progress(|progress| &progress.failed);
                self.customer_gone(key, EndedBy::Failure);
            }
            Event::Incoming { .. } => {
                // Nobody calls a customer at the address that they call from.
                self.customers.refuse(call, 486);
            }
            Event::GivenUp | Event::Confirmed { .. } => {}
        }
    }

    /// The server need not have a record of this call.
    fn not_taken(&mut self, key: CallerKey) {
        self.made.untaken.extend(self.callers.get(key).map(|caller| caller.person.id));
    }

    fn customer_answered(&mut self, key: CallerKey, sdp: Option<&str>) {
        let now = self.now;
        let Some(caller) = self.callers.get_mut(key) else { return };
        let (intended, id, rang) = (caller.intended_us, caller.person.id, std::mem::replace(&mut caller.rang, true));
        if !rang {
            self.recorder.latency(Kind::CallToResponse, intended, now);
        }
        self.recorder.latency(Kind::CallToAnswer, intended, now);
        self.recorder.count("answered");
        let agreed = self.audible(sdp.and_then(Agreed::of));
        if self.setup.sound
            && let Some(agreed) = agreed
        {
            let stream = self.customers_media.open(now, agreed, Voice::Customer);
            self.caller_of_stream.insert(stream, key);
            if let Some(caller) = self.callers.get_mut(key) {
                caller.stream = Some(stream);
            }
        } else if self.setup.sound {
            self.recorder.count("answers_without_audio");
        }
        let Some(caller) = self.callers.get_mut(key) else { return };
        if self.setup.floor.is_none() {
            // Whoever answers there is the one who was called.
            caller.stage = Stage::Served;
            let person = caller.person;
            self.give_up_at(key, None);
            let talk = self.setup.behaviour.talk_us(&person, 1.0);
            let at = now + self.real(talk);
            self.calendar.schedule(at, Happening::HangsUp(key));
            return;
        }
        if caller.stage == Stage::Served {
            return;
        }
        caller.stage = Stage::Flow;
        if self.setup.cases.get(id).is_some_and(|case| case.direct) {
            self.queue_begins(key, now);
        } else {
            // In the flow, patience does not run.
            self.give_up_at(key, None);
        }
    }

    /// The customer is in the queue from `at` on, as far as they can hear.
    fn queue_begins(&mut self, key: CallerKey, at: Micros) {
        let Some(caller) = self.callers.get_mut(key).filter(|caller| caller.stage == Stage::Flow) else { return };
        caller.stage = Stage::Queue;
        caller.queues += 1;
        let (person, queues) = (caller.person, caller.queues);
        self.setup.cases.change(person.id, |case| case.queued_us = at);
        self.wait_from(key, at);
        if queues == 1 && self.setup.behaviour.balks(&person) {
            self.calendar.schedule(at + SURE_US, Happening::Balks(key));
        }
    }

    pub(super) fn customer_hears(&mut self, heard: Heard) {
        let Some(key) = self.caller_of_stream.get(&heard.stream).copied() else { return };
        let Some(caller) = self.callers.get_mut(key) else { return };
        let at = heard.at_us;
        if heard.voice != Voice::Silence && !std::mem::replace(&mut caller.heard, true) {
            let from = caller.intended_us;
            self.recorder.latency(Kind::CallToSound, from, at);
        }
        let Some(caller) = self.callers.get_mut(key) else { return };
        match heard.voice {
            Voice::Music => {
                if let Some(held) = caller.held_us.take() {
                    self.recorder.latency(Kind::HoldToMusic, held, at);
                }
                self.queue_begins(key, at);
            }
            Voice::Operator | Voice::Outside => {
                let (answered, released) = (caller.answered_us.take(), caller.released_us.take());
                if let Some(answered) = answered {
                    self.recorder.latency(Kind::AnswerToCustomer, answered, at);
                }
                if let Some(released) = released {
                    self.recorder.latency(Kind::ReleaseToVoice, released, at);
                }
                self.customer_served(key);
            }
            Voice::Prompt(number) => self.prompt(key, number, at),
            Voice::Customer | Voice::Unknown | Voice::Silence => {}
        }
    }

    fn customer_served(&mut self, key: CallerKey) {
        let Some(caller) = self.callers.get_mut(key) else { return };
        if caller.stage != Stage::Served {
            caller.stage = Stage::Served;
            self.give_up_at(key, None);
        }
    }

    /// A recording began to play at `at`.
    fn prompt(&mut self, key: CallerKey, number: u8, at: Micros) {
        let Some(floor) = &self.setup.floor else { return };
        let Some(prompt) = floor.prompts.get(usize::from(number)).copied() else { return };
        let Some(caller) = self.callers.get_mut(key) else { return };
        let (person, menus) = (caller.person, caller.menus);
        let behaviour = self.setup.behaviour;
        let end = at + self.setup.timescale.real_us(prompt.length_us);
        match prompt.kind {
            PromptKind::Audio(AudioKind::Menu(flow, step)) => {
                caller.menus = menus.saturating_add(1);
                if let Some(digit) = behaviour.key(&person, flow, step, menus) {
                    self.calendar.schedule(end, Happening::Presses(key, digit));
                }
            }
            PromptKind::Audio(AudioKind::CallbackOffer(flow, step)) => {
                let accepts = behaviour.accepts_callback(&person, flow, step);
                caller.settled = accepts;
                let digit = if accepts { ACCEPT_DIGIT } else { DECLINE_DIGIT };
                self.calendar.schedule(end, Happening::Presses(key, digit));
            }
            PromptKind::Voicemail { length_us } => {
                let end = end + self.setup.timescale.real_us(length_us);
                caller.settled = true;
                self.calendar.schedule(end, Happening::Presses(key, '#'));
                self.recorder.count("voicemails");
            }
            PromptKind::Audio(AudioKind::ForcedEnd | AudioKind::Announcement | AudioKind::Music) => {}
        }
    }

    pub(super) fn told(&mut self, id: u64, tell: Tell) {
        if self.visitor_told(id, tell) {
            return;
        }
        let Some(key) = self.caller_of_person.get(&id).copied() else { return };
        match tell {
            Tell::Served { answered_us } => {
                self.customer_served(key);
                if let Some(caller) = self.callers.get_mut(key)
                    && caller.stream.is_none_or(|stream| self.customers_media.hears(stream) != Voice::Operator)
                {
                    caller.answered_us = Some(answered_us);
                }
            }
            Tell::Held { intended_us } => {
                if let Some(caller) = self.callers.get_mut(key) {
                    (caller.held_us, caller.released_us) = (Some(intended_us), None);
                }
            }
            Tell::Released { intended_us } => {
                if let Some(caller) = self.callers.get_mut(key) {
                    (caller.held_us, caller.released_us) = (None, Some(intended_us));
                }
            }
            Tell::HandedOn { at_us } => {
                let Some(caller) = self.callers.get_mut(key) else { return };
                caller.stage = Stage::Queue;
                caller.queues = caller.queues.saturating_add(1);
                let patience = self.setup.behaviour.patience_handed_on_us(&caller.person, caller.queues);
                let at = patience.map(|patience| at_us + self.real(patience));
                self.give_up_at(key, at);
            }
            Tell::HangUp { intended_us } if intended_us > self.now => {
                self.calendar.schedule(intended_us, Happening::HangsUp(key));
            }
            Tell::HangUp { intended_us } => self.hangs_up(intended_us, key),
            Tell::Closed { .. } => {}
        }
    }

    /// The call is over.
    fn customer_gone(&mut self, key: CallerKey, end: EndedBy) {
        self.give_up_at(key, None);
        let Some(caller) = self.callers.remove(key) else { return };
        self.caller_of_call.remove(&caller.call);
        if self.caller_of_person.get(&caller.person.id) == Some(&key) {
            self.caller_of_person.remove(&caller.person.id);
        }
        self.setup.cases.remove(caller.person.id);
        let mut silent = false;
        if let Some(stream) = caller.stream {
            self.caller_of_stream.remove(&stream);
            silent = self.customers_media.close(stream) == 0;
        }
        self.count_progress(|progress| &progress.ended);
        let served = caller.stage == Stage::Served;
        if served {
            self.recorder.count("served");
            if silent {
                self.recorder.count("served_in_silence");
            }
        }
        let refused = match end {
            // Also where the far end let them go at the very moment at which they left.
            EndedBy::Customer | EndedBy::FarEnd if caller.impatient => {
                self.recorder.count("abandoned");
                false
            }
            EndedBy::Customer => return,
            EndedBy::FarEnd if served || caller.settled => return,
            EndedBy::FarEnd => {
                self.recorder.count("turned_away");
                true
            }
            EndedBy::Failure => true,
        };
        self.perhaps_again(&caller.person, refused, caller.left_us.unwrap_or(self.now));
    }

    /// One who was not served, from `from` on, perhaps tries again.
    pub(super) fn perhaps_again(&mut self, person: &Person, refused: bool, from: Micros) {
        if self.is_stopping() {
            return;
        }
        if let Some(delay) = self.setup.behaviour.redial_us(person, refused) {
            self.redials += 1;
            // Where the far end took long to let them go, they come as soon as they can.
            let at = (from + self.real(delay)).max(self.now);
            self.calendar.schedule(at, Happening::Redial(person.id + (1 << 40)));
        }
    }
}

/// Who ended a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum EndedBy {
    Customer,
    FarEnd,
    /// It was refused, or had no answer.
    Failure,
}
