//! What operators do with chats and tickets: they are shown them, take or decline them, write or work, and end them. Several are
//! in hand at once, beside the telephone.

use callfloor_engine::Status;
use callfloor_sim::behaviour::{Fate, Person};
use callfloor_sim::calendar::Entry;
use serde_json::Value;

use super::visitors::{line, written_us};
use super::{Happening, Player};
use crate::desk::{Act, Choice};
use crate::measures::Kind;
use crate::note::Tell;
use crate::screen::Work;
use crate::sip::Micros;

/// Between two lines that an operator writes: of the scenario, and at least of real time, in microseconds.
const LINES_US: u64 = 40_000_000;
const LINES_LEAST_US: Micros = 1_200_000;

/// A chat or ticket that is shown for acceptance.
#[derive(Debug)]
pub(super) struct Shown {
    reference: String,
    work: Work,
    seen_us: Micros,
    fate: Option<Fate>,
    reaction: Entry,
    accepted_us: Option<Micros>,
    /// Whose it is; `None` as long as nobody has looked.
    customer: Option<u64>,
}

/// A chat or ticket in hand.
#[derive(Debug)]
pub(super) struct Held {
    work: Work,
    customer: Option<u64>,
    ends_us: Micros,
    ends: Entry,
    writes: Entry,
    /// The last line that was read.
    read: u64,
}

impl Player<'_, '_> {
    // ---- offers ---------------------------------------------------------------------------------------------------

    /// A chat or ticket is shown: whose it is must be looked at first.
    pub(super) fn work_shown(&mut self, id: u32, reference: String, work: Work, seen_us: Micros) {
        let Some(operator) = self.operators.get_mut(&id) else { return };
        let (fate, reaction, accepted_us, customer) = (None, Entry::NONE, None, None);
        operator.shown.push(Shown { reference, work, seen_us, fate, reaction, accepted_us, customer });
        operator.order(Act::Look(work), seen_us);
        self.recorder.count(match work {
            Work::Chat(_) => "chat_offers",
            _ => "ticket_offers",
        });
    }

    /// What was shown has been looked at.
    fn looked(&mut self, id: u32, work: Work, found: &Value) {
        let name = match work {
            Work::Chat(_) => &found["name"],
            _ => &found["subject"],
        };
        let customer = name.as_str().and_then(|name| self.customer_who_shows(name));
        let nth = customer.map_or(1, |customer| {
            self.setup.cases.change(customer, |case| {
                case.rings = case.rings.saturating_add(1);
                case.rings
            })
        });
        let behaviour = self.setup.behaviour;
        let Some(operator) = self.operators.get_mut(&id) else { return };
        let Some(shown) = operator.shown.iter_mut().find(|shown| shown.work == work) else { return };
        let fate = behaviour.fate(operator.group, id, customer.unwrap_or(0), nth, false);
        (shown.customer, shown.fate) = (customer, Some(fate));
        let (Fate::Answered(delay) | Fate::Declined(delay)) = fate else {
            self.recorder.count("offers_missed");
            return;
        };
        let due = shown.seen_us + self.setup.timescale.real_us(delay);
        shown.reaction = self.calendar.schedule(due.max(self.now), Happening::Accepts(id, work));
    }

    /// An operator takes or declines what is shown.
    pub(super) fn accepts(&mut self, at: Micros, id: u32, work: Work) {
        let Some(operator) = self.operators.get_mut(&id) else { return };
        let Some(shown) = operator.shown.iter_mut().find(|shown| shown.work == work) else { return };
        shown.reaction = Entry::NONE;
        shown.accepted_us = Some(at);
        let (reference, declines) = (shown.reference.clone(), matches!(shown.fate, Some(Fate::Declined(_))));
        if declines {
            operator.order(Act::Decline(reference), at);
            self.recorder.count("offers_declined");
        } else {
            operator.order(Act::Answer(reference), at);
        }
        self.lag(at);
    }

    /// What was shown is not any more.
    pub(super) fn no_longer_shown(&mut self, id: u32, reference: &str, end: &str) {
        let Some(operator) = self.operators.get_mut(&id) else { return };
        if end == "accepted" {
            return;
        }
        let Some(place) = operator.shown.iter().position(|shown| shown.reference == reference) else { return };
        let reaction = operator.shown.remove(place).reaction;
        if reaction != Entry::NONE {
            self.calendar.withdraw(reaction);
        }
    }

    // ---- in hand --------------------------------------------------------------------------------------------------

    /// A chat or ticket is in an operator's hand since `at`.
    pub(super) fn work_begins(&mut self, id: u32, at: Micros, work: Work) {
        let Some(operator) = self.operators.get_mut(&id) else { return };
        let group = operator.group;
        let shown = operator.shown.iter().position(|shown| shown.work == work);
        let shown = shown.map(|place| operator.shown.remove(place));
        let (customer, accepted) = shown.map_or((None, None), |shown| (shown.customer, shown.accepted_us));
        let length = match customer {
            Some(customer) => {
                let person = self.setup.behaviour.again(customer);
                self.real(self.work_us(&person, group, at))
            }
            None => {
                self.recorder.count("strangers");
                0
            }
        };
        let ends_us = if self.is_stopping() { at } else { at + length };
        let ends = self.calendar.schedule(ends_us, Happening::WorkDone(id, work));
        let mut writes = Entry::NONE;
        if let Work::Chat(_) = work {
            let first = self.between_lines().min(length) / 2;
            writes = self.calendar.schedule(at + first, Happening::Writes(id, work));
            self.recorder.count("chats_taken");
        } else {
            self.recorder.count("tickets_taken");
        }
        if let (Some(customer), Some(accepted)) = (customer, accepted) {
            self.setup.cases.change(customer, |case| case.answered_us = accepted);
            if matches!(work, Work::Chat(_)) {
                self.tell_customer(customer, Tell::Served { answered_us: accepted });
            }
        }
        if let Some(operator) = self.operators.get_mut(&id) {
            operator.hands.push(Held { work, customer, ends_us, ends, writes, read: 0 });
            // What the customer wrote while they waited is read first.
            if matches!(work, Work::Chat(_)) {
                operator.order(Act::ReadChat(work, 0), at);
            }
        }
    }

    /// How long the work on a chat or ticket takes that was taken at `at`, in microseconds of the scenario.
    fn work_us(&self, person: &Person, group: u16, at: Micros) -> u64 {
        let behaviour = self.setup.behaviour;
        let factor = behaviour.handling_factor(person.source, group, self.roster.day, self.scenario_at(at));
        behaviour.talk_us(person, factor)
    }

    fn between_lines(&self) -> Micros {
        self.real(LINES_US).max(LINES_LEAST_US)
    }

    fn held(&mut self, id: u32, work: Work) -> Option<&mut Held> {
        self.operators.get_mut(&id)?.hands.iter_mut().find(|held| held.work == work)
    }

    /// An operator writes a line.
    pub(super) fn writes(&mut self, at: Micros, id: u32, work: Work) {
        let (text, again) = (line(self.run, at), at + self.between_lines());
        let Some(held) = self.held(id, work) else { return };
        held.writes = Entry::NONE;
        if again < held.ends_us {
            let entry = self.calendar.schedule(again, Happening::Writes(id, work));
            if let Some(held) = self.held(id, work) {
                held.writes = entry;
            }
        }
        if let Some(operator) = self.operators.get(&id) {
            operator.order(Act::WriteChat(work, text), at);
        }
        self.recorder.count("chat_lines_of_operators");
        self.lag(at);
    }

    /// A customer has written.
    pub(super) fn line_shown(&mut self, id: u32, seen: Micros, chat: Work, from: &str) {
        if from != "customer" {
            return;
        }
        let Some(read) = self.held(id, chat).map(|held| held.read) else { return };
        if let Some(operator) = self.operators.get(&id) {
            operator.order(Act::ReadChat(chat, read), seen);
        }
    }

    fn has_read(&mut self, id: u32, chat: Work, lines: &Value, done_us: Micros) {
        let run = self.run;
        let Some(held) = self.held(id, chat) else { return };
        let first = held.read == 0;
        let mut written = Vec::new();
        for line in lines.as_array().map(Vec::as_slice).unwrap_or_default() {
            let sequence = line["sequence"].as_u64().unwrap_or(0);
            if sequence > held.read {
                held.read = sequence;
                let text = line["text"].as_str().filter(|_| line["from"] == "customer").unwrap_or_default();
                written.extend(written_us(run, text));
            }
        }
        // What was written while they waited tells how long they waited, and nothing of the way.
        for written in written.into_iter().filter(|_| !first) {
            self.recorder.latency(Kind::ChatToOperator, written, done_us);
        }
    }

    /// The work on a chat or ticket is done.
    pub(super) fn work_done(&mut self, at: Micros, id: u32, work: Work) {
        let Some(held) = self.held(id, work) else { return };
        held.ends = Entry::NONE;
        let customer = held.customer;
        let act = match work {
            Work::Chat(_) => Act::EndChat(work),
            _ => Act::SolveTicket(work),
        };
        if let Some(operator) = self.operators.get(&id) {
            operator.order(act, at);
        }
        if let (Work::Chat(_), Some(customer)) = (work, customer) {
            self.tell_customer(customer, Tell::Closed { intended_us: at });
        }
        self.lag(at);
    }

    /// A chat is over, or a ticket out of hand: what follows is as after a call.
    pub(super) fn put_down(&mut self, id: u32, at: Micros, work: Work) {
        let Some(operator) = self.operators.get_mut(&id) else { return };
        let Some(place) = operator.hands.iter().position(|held| held.work == work) else { return };
        let held = operator.hands.remove(place);
        for entry in [held.ends, held.writes] {
            if entry != Entry::NONE {
                self.calendar.withdraw(entry);
            }
        }
        self.free(id, at);
    }

    /// An order about a chat or ticket came to its end.
    pub(super) fn written_order_done(
        &mut self,
        id: u32,
        kind: Kind,
        (work, found): (Work, &Value),
        done_us: Micros,
        accepted: bool,
    ) {
        match kind {
            Kind::Look => self.looked(id, work, found),
            Kind::ReadChat if accepted => self.has_read(id, work, found, done_us),
            Kind::SolveTicket => {
                let customer = self.held(id, work).and_then(|held| held.customer);
                self.recorder.count(if accepted { "tickets_solved" } else { "tickets_not_solved" });
                if let Some(customer) = customer {
                    self.setup.cases.remove(customer);
                }
                self.setup.cases.ticket_is_done();
                self.put_down(id, done_us, work);
            }
            _ => {}
        }
    }

    // ---- there for chats ------------------------------------------------------------------------------------------

    /// Whether a group's operators take chats.
    pub(super) fn takes_chats(&self, group: u16) -> bool {
        let scenario = self.setup.model.scenario;
        let queues = &scenario.groups[usize::from(group)].queues;
        queues.iter().any(|of| scenario.queues[of.queue.0].channel == callfloor_scenario::Channel::Chat)
    }

    /// There for chats, if the operator's group takes them.
    pub(super) fn take_chats(&mut self, id: u32, at: Micros) {
        let takes_chats = self.operators.get(&id).is_some_and(|operator| self.takes_chats(operator.group));
        if let Some(operator) = self.operators.get_mut(&id).filter(|_| takes_chats) {
            operator.order(Act::SetChatStatus(true), at);
        }
    }

    /// After a missed chat an operator is away for chats; after a while they come back.
    pub(super) fn chat_status_shown(&mut self, id: u32, at: Micros, to: &str) {
        let behaviour = self.setup.behaviour;
        let goes_on = !self.is_stopping();
        let Some(operator) = self.operators.get_mut(&id) else { return };
        if to == "away" && !operator.finishes && goes_on {
            operator.occasions = operator.occasions.wrapping_add(1);
            let away = behaviour.back_after_miss_us(operator.group, id, operator.occasions);
            let due = at + self.real(away);
            self.calendar.schedule(due, Happening::ChatBack(id));
        }
    }

    pub(super) fn chat_back(&mut self, at: Micros, id: u32) {
        let Some(operator) = self.operators.get(&id) else { return };
        if operator.status != Status::LoggedOut && !operator.finishes {
            operator.order(Act::SetChatStatus(true), at);
        }
    }

    /// Leaves, or has a break, when the chats and tickets in hand are done, and takes no more until then.
    pub(super) fn finish_what_is_in_hand(&mut self, id: u32, at: Micros) {
        let takes_chats = self.operators.get(&id).is_some_and(|operator| self.takes_chats(operator.group));
        let Some(operator) = self.operators.get_mut(&id) else { return };
        if !std::mem::replace(&mut operator.finishes, true) && takes_chats {
            operator.order(Act::SetChatStatus(false), at);
        }
        if operator.status != Status::Work {
            operator.awaiting = true;
            operator.order(Act::SetStatus(Choice::Work), at);
        }
    }

    /// The run is over: what is in hand is done now.
    pub(super) fn all_put_down(&mut self) {
        let now = self.now;
        let held =
            self.operators.iter().flat_map(|(id, operator)| operator.hands.iter().map(move |held| (*id, held.work)));
        let held: Vec<_> = held.collect();
        for (id, work) in held {
            if let Some(held) = self.held(id, work)
                && held.ends != Entry::NONE
            {
                let ends = std::mem::take(&mut held.ends);
                self.calendar.withdraw(ends);
                self.work_done(now, id, work);
            }
        }
    }
}
