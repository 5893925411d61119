//! Customers who write: by chat, waiting on their page as long as their patience lasts, and by web form.

use std::sync::atomic::Ordering;

use callfloor_sim::behaviour::Person;
use callfloor_sim::calendar::Entry;
use serde_json::json;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::{Happening, Player};
use crate::cases::Case;
use crate::chat::{self, News, Visit, Wish};
use crate::measures::Kind;
use crate::note::Tell;
use crate::number::CallerNumber;
use crate::sip::Micros;

/// How long a customer thinks about an answer, in microseconds of the scenario; and the shortest that a server lets pass between
/// two lines of a customer, in microseconds of real time.
const THINKS_US: u64 = 15_000_000;
const THINKS_LEAST_US: Micros = 550_000;

/// How a class of customers comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Not at all: this target has no such way.
    None,
    /// By telephone.
    Call,
    /// By chat, to this queue of the server's.
    Chat { queue: u16 },
    /// By a web form of this service of the server's, whose tickets wait in this queue.
    Form { service: u16, queue: u16 },
}

/// A customer at a page with a chat.
#[derive(Debug)]
pub(super) struct Visitor {
    person: Person,
    intended_us: Micros,
    gives_up: Entry,
    wishes: UnboundedSender<Wish>,
    /// When they left, or were to.
    left_us: Option<Micros>,
    /// An operator's acceptance, and the page that shows it, in either order.
    accepted_us: Option<Micros>,
    taken_us: Option<Micros>,
    /// An operator's end of it.
    closed_us: Option<Micros>,
    /// They are to answer what the operator wrote.
    answers: bool,
}

/// A line of a played party: says when it was meant to be written, to whoever of this run reads it.
pub(super) fn line(run: u32, at: Micros) -> String {
    format!("load {run:08x} {at}")
}

/// When a line was meant to be written; `None` for one of nobody of this run.
pub(super) fn written_us(run: u32, text: &str) -> Option<Micros> {
    let (of, at) = text.strip_prefix("load ")?.split_once(' ')?;
    (u32::from_str_radix(of, 16) == Ok(run)).then(|| at.parse().ok())?
}

impl Player<'_, '_> {
    /// A customer comes to chat.
    pub(super) fn chats(&mut self, at: Micros, person: Person, queue: u16) {
        let Some(online) = self.setup.online.as_ref() else { return };
        self.lag(at);
        let id = person.id;
        let name = CallerNumber { id }.to_string();
        let visit = Visit { id, queue, name, text: line(self.run, at) };
        let (wishes, receive) = unbounded_channel();
        let (server, clock, post) = (online.server.clone(), self.setup.clock.clone(), self.posts[self.me].clone());
        online.runtime.spawn(chat::come(server, visit, clock, post, receive));
        self.setup.cases.insert(id, Case { player: self.me, intended_us: at, ..Case::default() });
        let patience = self.setup.behaviour.patience_us(&person);
        let gives_up = match patience {
            Some(patience) => self.calendar.schedule(at + self.real(patience), Happening::ChatGivesUp(id)),
            None => Entry::NONE,
        };
        let (left_us, accepted_us, taken_us, closed_us) = (None, None, None, None);
        let (intended_us, answers) = (at, false);
        let visitor =
            Visitor { person, intended_us, gives_up, wishes, left_us, accepted_us, taken_us, closed_us, answers };
        self.visitors.insert(id, visitor);
        self.made.chats.insert(id, at);
        self.recorder.count("chats");
        self.count_progress(|progress| &progress.come);
        self.count_progress(|progress| &progress.calls);
    }

    pub(super) fn chat_gives_up(&mut self, at: Micros, id: u64) {
        let Some(visitor) = self.visitors.get_mut(&id) else { return };
        visitor.gives_up = Entry::NONE;
        if visitor.taken_us.is_none() && visitor.accepted_us.is_none() {
            self.leaves_chat(at, id);
        }
    }

    fn leaves_chat(&mut self, at: Micros, id: u64) {
        let Some(visitor) = self.visitors.get_mut(&id) else { return };
        if visitor.left_us.replace(at).is_none() {
            // A page that is gone has told so.
            let _ = visitor.wishes.send(Wish::Leave);
            self.lag(at);
        }
    }

    /// Everybody leaves.
    pub(super) fn all_leave_chats(&mut self) {
        let (ids, now): (Vec<u64>, Micros) = (self.visitors.keys().copied().collect(), self.now);
        ids.into_iter().for_each(|id| self.leaves_chat(now, id));
    }

    /// A customer answers what the operator wrote.
    pub(super) fn answers_line(&mut self, at: Micros, id: u64) {
        let text = line(self.run, at);
        let Some(visitor) = self.visitors.get_mut(&id) else { return };
        visitor.answers = false;
        if visitor.left_us.is_none() {
            let _ = visitor.wishes.send(Wish::Say(text));
            self.recorder.count("chat_lines_of_customers");
            self.lag(at);
        }
    }

    /// A customer's page tells something.
    pub(super) fn page_tells(&mut self, id: u64, at: Micros, news: News) {
        let Some(visitor) = self.visitors.get_mut(&id) else { return };
        match news {
            News::Opened => {
                let from = visitor.intended_us;
                self.recorder.latency(Kind::ChatOpened, from, at);
            }
            News::Refused(status, rule) => {
                self.recorder.count_named(format!("chat_refused_{status}_{rule}"));
                self.recorder.count("chats_refused");
                self.made.untaken.insert(id);
                self.count_progress(|progress| &progress.failed);
                self.chat_gone(id, Some(true));
            }
            News::Taken => {
                visitor.taken_us = Some(at);
                self.chat_is_served(id);
            }
            News::Said(text) => {
                let run = self.run;
                let first = !std::mem::replace(&mut visitor.answers, true);
                if let Some(written) = written_us(run, &text) {
                    self.recorder.latency(Kind::ChatToCustomer, written, at);
                }
                if first {
                    let due = at + self.real(THINKS_US).max(THINKS_LEAST_US);
                    self.calendar.schedule(due, Happening::AnswersLine(id));
                }
            }
            News::Over { ending, answered } => self.chat_over(id, at, &ending, answered),
            News::Lost => {
                self.recorder.count("chats_lost");
                self.count_progress(|progress| &progress.failed);
                self.chat_gone(id, None);
            }
        }
    }

    /// An operator has it, as the page or the operator says.
    fn chat_is_served(&mut self, id: u64) {
        let Some(visitor) = self.visitors.get_mut(&id) else { return };
        let gives_up = std::mem::take(&mut visitor.gives_up);
        if let (Some(accepted), Some(taken)) = (visitor.accepted_us, visitor.taken_us) {
            visitor.accepted_us = None;
            self.recorder.latency(Kind::ChatTaken, accepted, taken);
        }
        if gives_up != Entry::NONE {
            self.calendar.withdraw(gives_up);
        }
    }

    fn chat_over(&mut self, id: u64, at: Micros, ending: &str, answered: bool) {
        let Some(visitor) = self.visitors.get(&id) else { return };
        let (left, closed) = (visitor.left_us, visitor.closed_us);
        match (ending, left, closed) {
            ("operator-ended", _, Some(closed)) => self.recorder.latency(Kind::ChatClosed, closed, at),
            ("abandoned" | "customer-left", Some(left), _) => self.recorder.latency(Kind::ChatLeft, left, at),
            _ => {}
        }
        if answered {
            self.recorder.count("chats_answered");
        }
        let again = match ending {
            "abandoned" => {
                self.recorder.count("chats_abandoned");
                Some(false)
            }
            "maximum-wait" => {
                self.recorder.count("chats_turned_away");
                Some(true)
            }
            _ => None,
        };
        self.chat_gone(id, again);
    }

    /// The chat is over; `again`: they may try again, refused or not.
    fn chat_gone(&mut self, id: u64, again: Option<bool>) {
        let Some(visitor) = self.visitors.remove(&id) else { return };
        if visitor.gives_up != Entry::NONE {
            self.calendar.withdraw(visitor.gives_up);
        }
        self.setup.cases.remove(id);
        self.count_progress(|progress| &progress.ended);
        if let Some(refused) = again {
            self.perhaps_again(&visitor.person, refused, visitor.left_us.unwrap_or(self.now));
        }
    }

    /// What the operator's side tells a customer who chats; `false` where they do not.
    pub(super) fn visitor_told(&mut self, id: u64, tell: Tell) -> bool {
        let Some(visitor) = self.visitors.get_mut(&id) else { return false };
        match tell {
            Tell::Served { answered_us } => {
                visitor.accepted_us = Some(answered_us);
                self.chat_is_served(id);
            }
            Tell::Closed { intended_us } => visitor.closed_us = Some(intended_us),
            Tell::Held { .. } | Tell::Released { .. } | Tell::HandedOn { .. } | Tell::HangUp { .. } => {}
        }
        true
    }

    // ---- web forms ------------------------------------------------------------------------------------------------

    /// A customer sends a web form.
    pub(super) fn sends_form(&mut self, at: Micros, person: Person, (service, queue): (u16, u16)) {
        let Some(online) = self.setup.online.as_ref() else { return };
        self.lag(at);
        let id = person.id;
        let ticket = json!({
            "service": service,
            "queue": queue,
            "priority": self.setup.behaviour.priority(&person),
            "subject": CallerNumber { id }.to_string(),
            "description": line(self.run, at),
        });
        let (server, session) = (online.server.clone(), online.session.clone());
        let (clock, post) = (self.setup.clock.clone(), self.posts[self.me].clone());
        online.runtime.spawn(chat::write(server, session, ticket, id, clock, post));
        self.setup.cases.insert(id, Case { player: self.me, intended_us: at, ..Case::default() });
        // Counted before it can be solved.
        self.setup.cases.tickets.fetch_add(1, Ordering::Relaxed);
        self.forms.insert(id, at);
        self.made.tickets.insert(id, at);
        self.recorder.count("tickets");
        self.count_progress(|progress| &progress.come);
        self.count_progress(|progress| &progress.calls);
    }

    /// The answer to a web form.
    pub(super) fn form_answered(&mut self, id: u64, at: Micros, entered: Result<u64, (u16, String)>) {
        let Some(intended) = self.forms.remove(&id) else { return };
        self.count_progress(|progress| &progress.ended);
        match entered {
            Ok(_) => self.recorder.latency(Kind::TicketEntered, intended, at),
            Err((status, rule)) => {
                self.setup.cases.ticket_is_done();
                self.setup.cases.remove(id);
                self.recorder.count_named(format!("ticket_refused_{status}_{rule}"));
                self.recorder.count("tickets_refused");
                self.made.untaken.insert(id);
                self.count_progress(|progress| &progress.failed);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_when_it_was_meant_to_be_written() {
        assert_eq!(written_us(7, &line(7, 1_234_567)), Some(1_234_567));
        assert_eq!(written_us(8, &line(7, 1_234_567)), None);
        assert_eq!((written_us(7, "Good day"), written_us(7, "load 00000007 x")), (None, None));
    }
}
