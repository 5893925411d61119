//! One replication: the world around an engine, in virtual time.
//!
//! The loop is the engine's contract: the earlier of the engine's next deadline and the world's next event is taken, a
//! deadline first where both are at one instant; what the engine puts out is performed; what follows at once (a device that
//! answers by itself, the next status) is commanded in the order in which it came up.

use crate::arrival::{Arrival, ArrivalProcess, micros};
use crate::behaviour::{Behaviour, Person, Turns};
use crate::calendar::{Calendar, Entry};
use crate::call_log::{CallRows, Ledger};
use crate::collect::{Collector, NO_ROW};
use crate::customer::{Caller, Chatter, NOBODY, Ticket, TicketRow};
use crate::digest::Digest;
use crate::model::Model;
use crate::operator::{Agenda, Operator, Ringing};
use crate::roster::Roster;
use callfloor_engine::{Action, Command, Engine, Event, Instant, OfferId, Output, Resolution, Status, TicketId};
use callfloor_measure::Tally;
use callfloor_scenario::clock::DAY_US;
use callfloor_scenario::{Arrivals, Horizon};
use std::collections::VecDeque;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

mod ahead;
mod calls;
mod digital;
mod outbound;
mod staff;

/// What happens in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Happening {
    /// The next customer of a source comes.
    Arrival(u16),
    /// A customer who did not get through tries again; the id of the new attempt.
    Redial(u64),
    /// The caller in this slot has waited long enough.
    GivesUp(u32),
    /// The next step of the caller in this slot.
    Step(u32),
    /// What rings in this slot is answered.
    Answers(u32),
    /// What rings in this slot is declined.
    Declines(u32),
    /// After-call work, a break or a span in Work is over.
    Rested(u32),
    /// A day begins: its roster is laid out.
    Day(u32),
    /// The boundary of the roster with this number.
    Shift(u32),
    /// A break of an operator is due in this stint: by its place among the group's planned breaks, then the random ones.
    BreakDue { operator: u32, plan: u16, stint: u16 },
    /// A campaign may dial.
    Campaign(u16),
    /// A campaign's customer may be dialled again.
    Retry { campaign: u16, attempt: u8, number: u64 },
    /// An operator has been idle long enough to dial for a campaign.
    Idle(u32),
    /// The customer of this chat has waited long enough.
    ChatGivesUp(u32),
    /// An operator is there for chats again.
    ChatBack(u32),
    /// The chat in this slot ends.
    ChatEnds(u32),
    /// Work on the ticket in this slot is done.
    TicketDone(u32),
}

/// What somebody does at once.
#[derive(Debug, Clone, Copy)]
enum Reaction {
    Answer(OfferId),
    /// After-call work, a break or a span in Work is over.
    Rested(u32),
    /// An operator without a call looks at what is next for them.
    Free(u32),
    /// The hold of a caller's operator ends.
    Release(u32),
    Solve(u32, TicketId, Resolution),
}

/// A source of customers and the next of them.
struct Source<'m> {
    process: ArrivalProcess<'m>,
    next: Option<Arrival>,
}

/// The customer who is being announced to the engine.
#[derive(Debug, Clone, Copy)]
struct Coming {
    person: Person,
    known: u32,
}

/// A callback that waits.
#[derive(Debug, Clone, Copy, Default)]
struct Callback {
    id: u64,
    words: [u64; 3],
    source: u16,
    row: u16,
    rings: u16,
}

/// Why a replication was stopped short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The engine found one of its own invariants broken: our fault.
    Invariant {
        /// Which replication.
        replication: u32,
        /// When, in microseconds.
        at_us: u64,
        /// What is wrong.
        what: String,
    },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invariant { replication, at_us, what } => {
                write!(
                    f,
                    "replication {replication}, {} s: an invariant of the engine is broken: {what}",
                    *at_us as f64 / 1e6
                )
            }
        }
    }
}

impl std::error::Error for Fault {}

/// What a replication is asked for.
#[derive(Clone, Copy)]
pub(crate) struct Wishes<'a> {
    pub(crate) check: bool,
    pub(crate) digest: bool,
    pub(crate) cancel: Option<&'a AtomicBool>,
}

/// One replication under way.
pub(crate) struct Host<'m> {
    model: &'m Model<'m>,
    behaviour: Behaviour<'m>,
    engine: Engine,
    calendar: Calendar<Happening>,
    collector: Collector,
    out: Vec<Output>,
    reactions: VecDeque<Reaction>,
    /// Callers who began to wait and are perhaps not answered at once.
    fresh: Vec<u32>,
    now: u64,
    sources: Vec<Source<'m>>,
    arrivals_left: u64,
    arrived: u64,
    /// Contacts and intentions that are not over: the run goes on for them.
    live: u64,
    coming: Option<Coming>,
    callers: Vec<Caller>,
    turns: Vec<Turns>,
    chats: Vec<Chatter>,
    tickets: Vec<Ticket>,
    ticket_rows: Vec<TicketRow>,
    callbacks: Vec<Callback>,
    operators: Vec<Operator>,
    /// By the slots of the engine's offers.
    ringing: Vec<Ringing>,
    agendas: Vec<Agenda>,
    roster: Roster,
    /// The present day's number.
    today: u32,
    /// Arrivals of the present day start here.
    opening_us: u64,
    /// Arrivals of the present day stop here.
    closing_us: u64,
    /// Operators whose shift is over and who work the queue off.
    staying: bool,
    /// `[group]`: who had a call in hand when their shift ended, the last to be relieved first.
    overstaying: Vec<Vec<u32>>,
    /// `[class][known customer]`: who served them last, or nobody.
    last_operators: Vec<Vec<u32>>,
    campaigns: Vec<outbound::CampaignState>,
    commands: u64,
    pays_by_login: bool,
    digest: Option<Digest>,
    /// On a floor larger than the processor's cache.
    ahead: Option<ahead::Ahead>,
    check: bool,
    replication: u32,
    ledger: Option<Box<Ledger<'m>>>,
}

impl fmt::Debug for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("now", &self.now).field("live", &self.live).finish_non_exhaustive()
    }
}

/// Runs replication number `replication` to its end, or until `cancel` is set: then nothing is returned. `rows` takes its
/// calls.
pub(crate) fn run<'m>(
    model: &'m Model<'m>,
    seed: u64,
    replication: u32,
    wishes: Wishes<'m>,
    rows: Option<Box<dyn CallRows + 'm>>,
) -> Result<Option<Tally>, Fault> {
    let mut host = Host::new(model, seed, replication, wishes);
    host.ledger = rows.map(|rows| Box::new(Ledger::new(rows, replication, model.group_of.len())));
    host.start();
    let done = host.go_on(wishes.cancel)?;
    Ok(done.then(|| host.finish()))
}

impl<'m> Host<'m> {
    fn new(model: &'m Model<'m>, seed: u64, replication: u32, wishes: Wishes<'m>) -> Self {
        let scenario = model.scenario;
        let behaviour = Behaviour::new(model, seed, replication);
        let own = scenario.classes.iter().map(|class| Some(&class.arrivals));
        let campaigns = model.campaigns.iter().map(|campaign| campaign.arrivals.as_ref());
        static NONE: Arrivals = Arrivals::Trace { arrivals: Vec::new() };
        let sources = own.chain(campaigns).zip(0_u16..).map(|(arrivals, source)| Source {
            process: ArrivalProcess::new(
                source,
                arrivals.unwrap_or(&NONE),
                &scenario.horizon,
                &scenario.clock,
                *behaviour.streams(),
            ),
            next: None,
        });
        let remembered = |class: &callfloor_scenario::CustomerClass| {
            if model.remembers_operators && class.identity.known_share > 0.0 {
                class.identity.population as usize
            } else {
                0
            }
        };
        Self {
            behaviour,
            engine: Engine::new(model.plan.config.clone()),
            calendar: Calendar::new(),
            collector: Collector::new(&model.header, model.warm_up_calls == 0),
            out: Vec::new(),
            reactions: VecDeque::new(),
            fresh: Vec::new(),
            now: 0,
            sources: sources.collect(),
            arrivals_left: model.calls,
            arrived: 0,
            live: 0,
            coming: None,
            callers: Vec::new(),
            turns: Vec::new(),
            chats: Vec::new(),
            tickets: Vec::new(),
            ticket_rows: Vec::new(),
            callbacks: Vec::new(),
            operators: model.group_of.iter().map(|&group| Operator::new(group)).collect(),
            ringing: Vec::new(),
            agendas: vec![Agenda::EMPTY; model.group_of.len()],
            roster: Roster::default(),
            today: 0,
            opening_us: 0,
            closing_us: u64::MAX,
            staying: false,
            overstaying: vec![Vec::new(); model.groups.len()],
            last_operators: scenario.classes.iter().map(|class| vec![NOBODY; remembered(class)]).collect(),
            campaigns: model.campaigns.iter().map(|_| outbound::CampaignState::default()).collect(),
            commands: 0,
            pays_by_login: !matches!(scenario.horizon, Horizon::Days { .. }),
            digest: wishes.digest.then(Digest::new),
            ahead: (model.group_of.len() > 512).then(ahead::Ahead::default),
            check: wishes.check,
            replication,
            ledger: None,
            model,
        }
    }

    fn start(&mut self) {
        self.calendar.schedule(0, Happening::Day(0));
        for source in 0..self.sources.len() {
            self.sources[source].next = self.sources[source].process.next_arrival();
            self.schedule_arrival(source);
        }
    }

    /// The main loop. `false` if it was cancelled.
    fn go_on(&mut self, cancel: Option<&AtomicBool>) -> Result<bool, Fault> {
        let end_us = self.end_us();
        let mut turns = 0_u32;
        loop {
            if self.live == 0 && self.is_over() {
                break;
            }
            let deadline = self.engine.next_deadline().map_or(u64::MAX, Instant::as_micros);
            if let Some((now, happening)) = self.calendar.pop_before(deadline.min(end_us)) {
                self.now = now;
                self.collector.advance(now);
                if let Some(mut ahead) = self.ahead {
                    self.look_ahead(&mut ahead);
                    self.ahead = Some(ahead);
                }
                self.happen(happening);
            } else if deadline < end_us {
                self.now = deadline;
                self.collector.advance(deadline);
                self.engine.advance(Instant::from_micros(deadline), &mut self.out);
            } else {
                break;
            }
            self.settle();
            if self.staying && self.collector.waiting_in_all() == 0 {
                self.let_go();
                self.settle();
            }
            if self.check {
                self.check()?;
            }
            turns = turns.wrapping_add(1);
            if turns.is_multiple_of(1 << 12) && cancel.is_some_and(|cancel| cancel.load(Ordering::Relaxed)) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Nothing happens from here on.
    fn end_us(&self) -> u64 {
        match self.model.scenario.horizon {
            Horizon::Steady { warm_up_us, length_us } => warm_up_us + length_us,
            // Whoever still waits a day after the last closing waits for nobody.
            Horizon::Days { count, .. } => self.model.scenario.clock.instant_us(count, 0) + DAY_US,
            Horizon::Calls { .. } => u64::MAX,
        }
    }

    /// Whether the run goes on for nobody: no contact is live, and none will come.
    fn is_over(&self) -> bool {
        match self.model.scenario.horizon {
            Horizon::Days { .. } => self.calendar.is_empty(),
            Horizon::Calls { .. } => self.arrivals_left == 0 || self.sources.iter().all(|source| source.next.is_none()),
            Horizon::Steady { .. } => false,
        }
    }

    fn check(&self) -> Result<(), Fault> {
        self.engine.check().map_err(|broken| Fault::Invariant {
            replication: self.replication,
            at_us: self.now,
            what: broken.to_string(),
        })
    }

    fn finish(mut self) -> Tally {
        let end = match self.model.scenario.horizon {
            Horizon::Steady { .. } => self.end_us(),
            _ => self.now,
        };
        self.collector.advance(end);
        for id in 0..self.operators.len() {
            self.close_status(id, end);
        }
        if let Some(ledger) = self.ledger.take() {
            ledger.finish(end);
        }
        self.collector.finish(end, !matches!(self.model.scenario.horizon, Horizon::Calls { .. }));
        let mut tally = self.collector.tally;
        tally.engine_commands = self.commands;
        tally.calls = self.arrived;
        tally.event_digest = self.digest.map_or(0, |digest| digest.value());
        tally
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Arrival(source) => self.arrival(source),
            Happening::Step(slot) => self.step(slot),
            Happening::Answers(slot) => self.answers(slot),
            Happening::Rested(operator) => {
                self.operators[operator as usize].rest = Entry::NONE;
                self.rested(operator);
            }
            Happening::GivesUp(slot) => self.gives_up(slot),
            Happening::Declines(slot) => self.declines(slot),
            Happening::Redial(id) => self.redial(id),
            Happening::Day(day) => self.day(day),
            Happening::Shift(first) => self.shift(first as usize),
            Happening::BreakDue { operator, plan, stint } => self.break_due(operator, plan, stint),
            Happening::Campaign(campaign) => self.campaign_tick(campaign),
            Happening::Retry { campaign, attempt, number } => self.campaign_retry(campaign, number, attempt),
            Happening::Idle(operator) => self.idle_dial(operator),
            Happening::ChatGivesUp(slot) => self.chat_gives_up(slot),
            Happening::ChatBack(operator) => self.chat_back(operator),
            Happening::ChatEnds(slot) => self.chat_ends(slot),
            Happening::TicketDone(slot) => self.ticket_done(slot),
        }
    }

    /// Gives a command; whether it was accepted. Outputs wait for [`Self::settle`].
    fn apply(&mut self, command: Command) -> bool {
        let now = self.advance();
        self.commands += 1;
        self.engine.apply(now, command, &mut self.out).is_ok()
    }

    /// Fires what is due: the engine is at this instant then.
    fn advance(&mut self) -> Instant {
        let now = Instant::from_micros(self.now);
        if self.engine.next_deadline().is_some_and(|deadline| deadline <= now) {
            self.engine.advance(now, &mut self.out);
        }
        now
    }

    /// Performs outputs and what follows from them at once, until nothing is left to do at this instant.
    fn settle(&mut self) {
        loop {
            if !self.out.is_empty() {
                // Performing gives no command, so that nothing is added meanwhile.
                let mut out = std::mem::take(&mut self.out);
                if let Some(digest) = &mut self.digest {
                    out.iter().for_each(|output| digest.add(self.now, output));
                }
                if let Some(ledger) = &mut self.ledger {
                    ledger.note(self.now, &out);
                }
                for output in &out {
                    match output {
                        Output::Event(event) => self.note(event),
                        Output::Action(action) => self.act(action),
                        _ => {}
                    }
                }
                out.clear();
                self.out = out;
            }
            if let Some(reaction) = self.reactions.pop_front() {
                self.react(reaction);
            } else if let Some(slot) = self.fresh.pop() {
                self.begin_to_wait(slot);
            } else {
                return;
            }
        }
    }

    #[inline]
    fn react(&mut self, reaction: Reaction) {
        match reaction {
            Reaction::Answer(offer) => self.answers_at_once(offer),
            Reaction::Rested(operator) => self.rested(operator),
            Reaction::Free(operator) => self.free(operator),
            Reaction::Release(operator) => self.release(operator),
            Reaction::Solve(operator, ticket, resolution) => self.solve(operator, ticket, resolution),
        }
    }

    #[inline]
    fn act(&mut self, action: &Action) {
        match *action {
            Action::Ring { operator, offer, work, until, auto_answer, .. } => {
                self.ring(operator.0, offer, work, until.as_micros(), auto_answer);
            }
            Action::StopRinging { offer, .. } => self.stop_ringing(offer),
            Action::PlayAnnouncement { leg, audio, .. } => self.play(leg.call, audio.0),
            Action::RecordVoicemail { leg, limit } => self.record_voicemail(leg.call, limit.as_micros()),
            Action::Dial { leg, .. } => self.dial(leg),
            Action::HangUp { leg } => self.leg_gone(leg),
            // Music and joined legs need nobody; a refusal is told by its event.
            _ => {}
        }
    }

    #[inline]
    fn note(&mut self, event: &Event) {
        match *event {
            Event::StatusChanged { operator, from, to, call, .. } => self.status_changed(operator.0, from, to, call),
            Event::OfferMade { offer, operator, queue, work, .. } => self.offer_made(offer, operator.0, queue, work),
            Event::OfferEnded { offer, end, .. } => self.offer_ended(offer, end),
            Event::CallArrived { call, reference, .. } => self.call_arrived(call, reference),
            Event::CallQueued { call, queue, .. } => self.call_queued(call, queue),
            Event::CallAnswered { call, operator, wait, .. } => self.call_answered(call, operator.0, wait.as_micros()),
            Event::CallEnded(ref record) => self.call_ended(record),
            Event::TicketCreated { ticket, origin, owner, .. } => self.ticket_created(ticket, origin, owner),
            Event::TicketChanged { ticket, change, .. } => self.ticket_changed(ticket, change),
            _ => self.note_rare(event),
        }
    }

    #[cold]
    #[inline(never)]
    fn note_rare(&mut self, event: &Event) {
        match *event {
            Event::CallRefused { reference, .. } => self.call_refused(reference),
            Event::StepEntered { call, step } => {
                if let Some(caller) = self.caller_mut(call) {
                    caller.flow_step = step.0;
                }
            }
            Event::QueueFull { queue, .. } => self.collector.refused(queue.0),
            Event::CallRecovered { call, .. } => self.call_recovered(call),
            Event::CallResumed { call, operator, .. } => self.call_resumed(call.slot() as usize, operator.0),

            Event::CallFlowedOut { call, wait, .. } => self.call_flowed_out(call, wait.as_micros()),
            Event::CallHeld { call, .. } => self.call_held(call),
            Event::CallReleased { call, operator } => self.talk_on(call, operator.0),
            Event::ConsultStarted { call, .. } => {
                if let Some(counts) = self.row_of(call).and_then(|row| self.collector.now(row)) {
                    counts.consults += 1;
                }
            }
            Event::ConsultAnswered { call, .. } => self.consult_answered(call),
            Event::ConsultEnded { call, operator, end } => self.consult_ended(call, operator.0, end),
            Event::CallTransferred { call, to, blind, .. } => self.call_transferred(call, to, blind),
            Event::ForcedEndStarted { call, .. } => {
                if let Some(counts) = self.row_of(call).and_then(|row| self.collector.now(row)) {
                    counts.forced_ends += 1;
                }
            }
            Event::DialStarted { call, operator, callback, reference, .. } => {
                self.dial_started(call, operator.0, callback, reference);
            }
            Event::DialAnswered { call, operator, .. } => self.dial_answered(call, operator.0),
            Event::CallbackReceived { callback, queue, call, .. } => self.callback_received(callback, queue, call),
            Event::CallbackEnded { .. } => self.live -= 1,
            Event::ChatStatusChanged { operator, to } => self.chat_status_changed(operator.0, to),
            Event::ChatArrived { chat, queue, .. } => self.chat_arrived(chat, queue),
            Event::ChatAnswered { chat, operator, wait, .. } => self.chat_answered(chat, operator.0, wait.as_micros()),
            Event::ChatEnded { chat, end, wait, handled, .. } => {
                self.chat_ended(chat, end, wait.as_micros(), handled.as_micros());
            }
            Event::TicketQueued { ticket, queue } => self.ticket_queued(ticket, queue),
            Event::TicketAssigned { ticket, operator, wait, .. } => {
                self.ticket_assigned(ticket, operator.0, wait.as_micros());
            }
            _ => {}
        }
    }

    /// Schedules `happening` after `seconds`.
    #[inline]
    fn after(&mut self, seconds: f64, happening: Happening) -> Entry {
        self.calendar.schedule(self.now + micros(seconds), happening)
    }

    /// The row of a live call.
    fn row_of(&self, call: callfloor_engine::CallId) -> Option<u16> {
        let caller = self.callers.get(call.slot() as usize)?;
        (caller.call == call && caller.row != NO_ROW).then_some(caller.row)
    }

    fn caller_mut(&mut self, call: callfloor_engine::CallId) -> Option<&mut Caller> {
        self.callers.get_mut(call.slot() as usize).filter(|caller| caller.call == call)
    }
}

/// A status in which an operator is at the floor.
const fn is_at_floor(status: Status) -> bool {
    !matches!(status, Status::LoggedOut)
}
