//! The floor under load, as a supervisor's event stream tells it, counted by the simulator's own counter: service level, waits,
//! abandonment and occupancy mean here what they mean there.
//!
//! Times are the server's own, in the scenario's time.

use std::collections::{BTreeMap, HashMap};

use callfloor_engine::Status;
use callfloor_measure::{Header, Tally};
use callfloor_sim::collect::{Collector, NO_INTERVAL, NO_ROW};

use crate::plan::Timescale;
use crate::screen::{Event, Origin, Work};

/// What a floor's numbers stand for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// Rows of the results by the server's number of the queue.
    pub(crate) rows: HashMap<u16, u16>,
    /// Groups by the server's number of the operator.
    pub(crate) groups: HashMap<u32, u16>,
}

/// A contact; its row is kept after its end, for the after-call work on it.
#[derive(Debug, Clone, Copy)]
struct Contact {
    row: u16,
    arrived: u32,
    waiting: bool,
    held: bool,
}

impl Contact {
    const NEW: Self = Self { row: NO_ROW, arrived: NO_INTERVAL, waiting: false, held: false };

    const fn queued(row: u16, arrived: u32) -> Self {
        Self { row, arrived, waiting: true, held: false }
    }

    /// No longer waits; where it did.
    fn taken(&mut self) -> Option<(u16, u32)> {
        std::mem::take(&mut self.waiting).then_some((self.row, self.arrived))
    }
}

#[derive(Debug, Clone, Copy)]
struct Operator {
    group: u16,
    status: Status,
    since_us: u64,
    row: u16,
    offer_row: u16,
}

/// Counts a floor.
#[derive(Debug)]
pub(crate) struct Counter {
    names: Names,
    collector: Collector,
    scale: Timescale,
    calls: HashMap<u64, Contact>,
    chats: HashMap<u64, Contact>,
    tickets: HashMap<u64, Contact>,
    operators: BTreeMap<u32, Operator>,
    /// Paid by login, where there is no roster.
    pays_by_login: bool,
    /// The call that was held in the event before, and whether for the first time: a consultation's own hold is none.
    just_held: Option<(u64, bool)>,
    now_us: u64,
}

impl Counter {
    /// Counts from the start of the header's grid on, or with `at_once` `false` from a number of calls on.
    pub(crate) fn new(header: &Header, names: Names, scale: Timescale, at_once: bool, pays_by_login: bool) -> Self {
        let out =
            |group: u16| Operator { group, status: Status::LoggedOut, since_us: 0, row: NO_ROW, offer_row: NO_ROW };
        Self {
            operators: names.groups.iter().map(|(number, group)| (*number, out(*group))).collect(),
            names,
            collector: Collector::new(header, at_once),
            scale,
            calls: HashMap::new(),
            chats: HashMap::new(),
            tickets: HashMap::new(),
            pays_by_login,
            just_held: None,
            now_us: 0,
        }
    }

    /// The roster's paid time, where there is one.
    pub(crate) fn rostered(&mut self, group: u16, rostered: u32, present: u32, from_us: u64, to_us: u64) {
        self.collector.roster_span(group, rostered, present, from_us, to_us);
    }

    pub(crate) const fn waiting(&self) -> u64 {
        self.collector.waiting_in_all()
    }

    fn row(&self, queue: u16) -> Option<u16> {
        self.names.rows.get(&queue).copied()
    }

    fn row_of_call(&self, call: u64) -> u16 {
        self.calls.get(&call).map_or(NO_ROW, |contact| contact.row)
    }

    fn row_of_work(&self, work: Work) -> u16 {
        let contact = match work {
            Work::Call(call) => self.calls.get(&call.number),
            Work::Chat(chat) => self.chats.get(&chat.number),
            Work::Ticket(ticket) => self.tickets.get(&ticket.number),
            Work::Callback(_) => None,
        };
        contact.map_or(NO_ROW, |contact| contact.row)
    }

    /// The scenario's microseconds of some of the server's.
    fn long(&self, us: u64) -> u64 {
        self.scale.scenario_us(us)
    }

    /// Takes an event of `at_us`, the scenario's time.
    pub(crate) fn take(&mut self, at_us: u64, event: &Event) {
        self.now_us = self.now_us.max(at_us);
        self.collector.advance(self.now_us);
        let held = self.just_held.take();
        match event {
            Event::CallArrived { call } => {
                self.calls.insert(call.number, Contact::NEW);
            }
            Event::CallQueued { call, queue } => {
                if let Some(row) = self.row(*queue) {
                    let arrived = self.collector.offered(row);
                    let held = self.calls.get(&call.number).is_some_and(|contact| contact.held);
                    self.calls.insert(call.number, Contact { held, ..Contact::queued(row, arrived) });
                }
            }
            Event::QueueFull { queue, .. } => {
                if let Some(row) = self.row(*queue) {
                    self.collector.refused(row);
                }
            }
            Event::CallAnswered { call, wait_us, .. } => {
                if let Some((row, arrived)) = self.calls.get_mut(&call.number).and_then(Contact::taken) {
                    self.collector.answered(row, arrived, self.scale.scenario_us(*wait_us));
                }
            }
            Event::CallFlowedOut { call, wait_us, .. } => self.call_leaves(call.number, *wait_us, false),
            Event::CallEnded { call, cause, wait_us, .. } => {
                let abandoned = matches!(cause.as_str(), "abandoned-in-queue" | "abandoned-while-ringing");
                self.call_leaves(call.number, *wait_us, abandoned);
            }
            Event::CallbackReceived { queue, call, .. } => self.callback(*queue, call.map(|call| call.number)),
            Event::CallHeld { call, .. } => {
                let row = self.row_of_call(call.number);
                let contact = self.calls.get_mut(&call.number);
                let first = contact.is_some_and(|contact| !std::mem::replace(&mut contact.held, true));
                if let Some(counts) = self.collector.now(row) {
                    counts.holds += 1;
                    counts.held_calls += u64::from(first);
                }
                self.just_held = Some((call.number, first));
            }
            Event::ConsultStarted { call, .. } => self.consult(call.number, held),
            Event::CallTransferred { call, .. } => {
                let row = self.row_of_call(call.number);
                if let Some(counts) = self.collector.now(row) {
                    counts.transfers += 1;
                }
            }
            Event::ForcedEndStarted { call } => {
                let row = self.row_of_call(call.number);
                if let Some(counts) = self.collector.now(row) {
                    counts.forced_ends += 1;
                }
            }
            Event::OfferMade { operator, work, queue, .. } => {
                let row = queue.and_then(|queue| self.row(queue)).unwrap_or_else(|| self.row_of_work(*work));
                if let Some(operator) = self.operators.get_mut(operator) {
                    operator.offer_row = row;
                }
                if let Some(counts) = self.collector.now(row) {
                    counts.rings += 1;
                }
            }
            Event::OfferEnded { operator, end, .. } => {
                let row = self.operators.get(operator).map_or(NO_ROW, |operator| operator.offer_row);
                if matches!(end.as_str(), "declined" | "timed-out" | "device-failed" | "busy")
                    && let Some(counts) = self.collector.now(row)
                {
                    counts.missed_rings += 1;
                }
            }
            Event::StatusChanged { operator, to, call, .. } => {
                self.status_changed(*operator, *to, call.map(|call| call.number));
            }
            _ => self.take_digital(event),
        }
    }

    fn take_digital(&mut self, event: &Event) {
        match event {
            Event::ChatArrived { chat, queue } => {
                if let Some(row) = self.row(*queue) {
                    let arrived = self.collector.offered(row);
                    self.chats.insert(chat.number, Contact::queued(row, arrived));
                }
            }
            Event::ChatAnswered { chat, wait_us, .. } => {
                if let Some((row, arrived)) = self.chats.get_mut(&chat.number).and_then(Contact::taken) {
                    self.collector.answered(row, arrived, self.scale.scenario_us(*wait_us));
                }
            }
            Event::ChatEnded { chat, end, wait_us, handled_us, .. } => {
                let (wait, handled) = (self.long(*wait_us), self.long(*handled_us));
                let Some(contact) = self.chats.remove(&chat.number) else { return };
                match end.as_str() {
                    "abandoned" if contact.waiting => self.collector.abandoned(contact.row, contact.arrived, wait),
                    _ if contact.waiting => self.collector.flowed_out(contact.row, contact.arrived, wait),
                    _ => self.collector.handled(contact.row, self.now_us.saturating_sub(handled), self.now_us),
                }
            }
            Event::TicketCreated { ticket, origin, .. } => {
                let row = match origin {
                    Origin::PhoneIn(call) | Origin::PhoneOut(call) | Origin::Voicemail(call) => {
                        self.row_of_call(call.number)
                    }
                    Origin::Chat(chat) => self.chats.get(&chat.number).map_or(NO_ROW, |contact| contact.row),
                    Origin::Written => NO_ROW,
                };
                self.tickets.insert(ticket.number, Contact { row, ..Contact::NEW });
                if let Some(counts) = self.collector.now(row) {
                    counts.tickets_created += 1;
                }
            }
            Event::TicketQueued { ticket, queue } => {
                let waits = self.tickets.get(&ticket.number).is_some_and(|contact| contact.waiting);
                if let Some(row) = self.row(*queue).filter(|_| !waits) {
                    let arrived = self.collector.offered(row);
                    self.tickets.insert(ticket.number, Contact::queued(row, arrived));
                    if let Some(counts) = self.collector.now(row) {
                        counts.tickets_created += 1;
                    }
                }
            }
            Event::TicketAssigned { ticket, wait_us, .. } => {
                if let Some((row, arrived)) = self.tickets.get_mut(&ticket.number).and_then(Contact::taken) {
                    self.collector.answered(row, arrived, self.scale.scenario_us(*wait_us));
                }
            }
            Event::TicketChanged { ticket, change } if change["status"]["to"] == "solved" => {
                let row = self.tickets.remove(&ticket.number).map_or(NO_ROW, |contact| contact.row);
                if let Some(counts) = self.collector.now(row) {
                    counts.tickets_solved += 1;
                }
            }
            _ => {}
        }
    }

    /// A call leaves the queue unanswered, if it was in one.
    fn call_leaves(&mut self, call: u64, wait_us: u64, abandoned: bool) {
        let wait = self.long(wait_us);
        if let Some((row, arrived)) = self.calls.get_mut(&call).and_then(Contact::taken) {
            if abandoned {
                self.collector.abandoned(row, arrived, wait);
            } else {
                self.collector.flowed_out(row, arrived, wait);
            }
        }
    }

    fn callback(&mut self, queue: u16, call: Option<u64>) {
        let Some(row) = self.row(queue) else { return };
        // One who waited in a queue was offered already, and flows out at the call's end.
        let waits = call.and_then(|call| self.calls.get(&call)).filter(|contact| contact.waiting).copied();
        let (row, arrived) = match waits {
            Some(contact) => (contact.row, contact.arrived),
            None => {
                let arrived = self.collector.offered(row);
                self.collector.flowed_out(row, arrived, 0);
                (row, arrived)
            }
        };
        self.collector.callback_accepted(row, arrived);
    }

    fn consult(&mut self, call: u64, held: Option<(u64, bool)>) {
        let row = self.row_of_call(call);
        let own = held.filter(|(held, _)| *held == call).map(|(_, first)| first);
        if own == Some(true)
            && let Some(contact) = self.calls.get_mut(&call)
        {
            contact.held = false;
        }
        if let Some(counts) = self.collector.now(row) {
            counts.consults += 1;
            if let Some(first) = own {
                counts.holds -= 1;
                counts.held_calls -= u64::from(first);
            }
        }
    }

    fn status_changed(&mut self, number: u32, to: Status, call: Option<u64>) {
        let row = call.map_or(NO_ROW, |call| self.row_of_call(call));
        let (now, pays) = (self.now_us, self.pays_by_login);
        let Some(operator) = self.operators.get_mut(&number) else { return };
        let Operator { group, status, since_us, row: before, offer_row } = *operator;
        self.collector.status_span(group, before, status, since_us, now, pays);
        let row = match to {
            _ if row != NO_ROW => row,
            Status::Ringing => offer_row,
            // The call may be over: the work after it is its queue's.
            Status::AfterCallWork => before,
            _ => NO_ROW,
        };
        (operator.status, operator.since_us, operator.row) = (to, now, row);
    }

    /// The run ended at `end_us`, the scenario's time.
    pub(crate) fn finish(mut self, end_us: u64, fixed_length: bool) -> Tally {
        let end = self.now_us.max(end_us);
        self.collector.advance(end);
        for operator in self.operators.values() {
            let Operator { group, status, since_us, row, .. } = *operator;
            self.collector.status_span(group, row, status, since_us, end, self.pays_by_login);
        }
        self.collector.finish(end, fixed_length);
        let mut tally = self.collector.tally;
        let offered = |row: usize| tally.counts(row).iter().map(|counts| counts.offered).sum::<u64>();
        tally.calls = (0..self.names.rows.len()).map(offered).sum();
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::screen;
    use callfloor_measure::{Channel, Grid, Group, Metric, Queue, Results, Scope};

    /// A day of three calls at ten times the pace: one answered after 2 s, one abandoned, one of a queue that is not ours.
    #[test]
    fn a_stream_is_counted_as_the_simulator_counts() {
        let header = Header {
            grid: Grid::new(0, 600_000_000, 1),
            queues: vec![Queue::new("q", Channel::Phone)],
            groups: vec![Group { name: "g".into() }],
            ..Header::new("test", 1)
        };
        let scale = Timescale { start_us: 0, speed: 10.0 };
        let names = Names { rows: HashMap::from([(7, 0)]), groups: HashMap::from([(4, 0), (5, 0)]) };
        let mut counter = Counter::new(&header, names, scale, true, true);
        let mut tell = |at_ms: u64, event: &str, rest: &str| {
            let text = format!("{{'number':1,'at_us':0,'event':'{event}',{rest}}}").replace('\'', "\"");
            let message = screen::read(&text).unwrap_or_else(|| panic!("{text}"));
            counter.take(scale.scenario_at(at_ms * 1_000), &message.event);
        };
        let status = "status-changed";
        tell(0, status, "'operator':4,'from':'logged-out','to':'ready','call':null");
        tell(1_000, "call-arrived", "'call':'1-0','service':0,'reference':1");
        tell(1_000, "call-queued", "'call':'1-0','queue':7");
        tell(1_000, "offer-made", "'offer':'1-0','work':{'call':'1-0'},'operator':4,'queue':7,'until_us':1");
        tell(1_000, status, "'operator':4,'from':'ready','to':'ringing','call':'1-0'");
        tell(1_200, "offer-ended", "'offer':'1-0','work':{'call':'1-0'},'operator':4,'end':'accepted','rang_us':1");
        tell(1_200, status, "'operator':4,'from':'ringing','to':'talking','call':'1-0'");
        tell(1_200, "call-answered", "'call':'1-0','queue':7,'operator':4,'wait_us':200000");
        tell(2_000, "call-queued", "'call':'2-0','queue':7");
        tell(2_000, "call-queued", "'call':'3-0','queue':1");
        tell(3_000, "call-ended", "'call':'2-0','operator':null,'cause':'abandoned-in-queue','wait_us':1000000");
        tell(4_000, "call-held", "'call':'1-0','operator':4");
        tell(4_000, status, "'operator':4,'from':'talking','to':'holding','call':'1-0'");
        tell(4_500, status, "'operator':4,'from':'holding','to':'talking','call':'1-0'");
        tell(5_000, "call-held", "'call':'1-0','operator':4");
        tell(5_000, "consult-started", "'call':'1-0','operator':4,'target':{'operator':5}");
        tell(7_200, "call-ended", "'call':'1-0','operator':4,'cause':'customer-hung-up','wait_us':200000");
        tell(7_200, status, "'operator':4,'from':'talking','to':'after-call-work','call':null");
        tell(8_000, status, "'operator':4,'from':'after-call-work','to':'ready','call':null");
        assert_eq!(counter.waiting(), 0);
        let mut results = Results::new(header);
        results.add(0, &counter.finish(600_000_000, true));
        let counts = results.counts(Scope::All);
        assert_eq!((counts.offered, counts.answered, counts.abandoned), (2, 1, 1));
        assert_eq!((counts.holds, counts.held_calls, counts.consults, counts.rings), (1, 1, 1, 1));
        assert_eq!(results.estimate(Metric::AsaS, Scope::All).expect("it exists").value, 2.0);
        assert_eq!((counts.talk_us, counts.hold_us), (28_000_000 + 27_000_000, 5_000_000));
        assert_eq!((counts.after_call_us, counts.ring_us), (8_000_000, 2_000_000));
        assert_eq!(results.staff(Scope::All).paid_us, 600_000_000);
        assert!(results.failed_identities().is_empty());
    }
}
