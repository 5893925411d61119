//! A thread that plays: its customers and operators, on its own sockets, by one calendar of intended instants.
//!
//! Nothing here waits for an answer before it goes on: what is due is done, what comes is taken. Requests over HTTP go to the desks'
//! tasks, and come back as notes.

mod customers;
mod operators;
mod outside;
mod roster;
mod sockets;
mod talk;
mod visitors;
mod written;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use callfloor_scenario::floor::AudioKind;
use callfloor_sim::behaviour::Behaviour;
use callfloor_sim::calendar::Calendar;
use callfloor_sim::model::Model;
use callfloor_sip::Transport;
use slotmap::{DefaultKey, SlotMap};

use crate::cases::Cases;
use crate::clock::Clock;
use crate::desk::Order;
use crate::http::Server;
use crate::measures::{Kind, Measures, Recorder};
use crate::media::{Media, StreamKey};
use crate::note::{Letters, Note, Post};
use crate::plan::{Coming, Plan, Shard, Timescale};
use crate::road::Road;
use crate::screen::Work;
use crate::sip::{Agent, CallKey, Credentials, Micros};
use customers::Caller;
use operators::Operator;
use outside::Outsider;
use sockets::Line;
pub(crate) use sockets::{Sockets, Waker};
use visitors::Visitor;
pub(crate) use visitors::Way;

/// The longest that a thread waits without looking at its notes.
const LONGEST_WAIT: Duration = Duration::from_millis(100);
/// How long the end of a run may take, in microseconds.
const LONGEST_CLOSING_US: Micros = 5_000_000;
/// With more streams than this, what comes of them is taken at each tick of a millisecond, and does not wake the thread packet by
/// packet: half of the processor time went into being woken. What is heard is then known to a millisecond.
const MANY_STREAMS: usize = 32;
/// Events of the calendar between two looks at the clock.
const BETWEEN_LOOKS: u32 = 16;

/// A recording of the prepared service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Prompt {
    pub(crate) kind: PromptKind,
    /// Its length in the scenario, in microseconds.
    pub(crate) length_us: u64,
}

/// What a recording is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PromptKind {
    /// As the scenario's own recordings.
    Audio(AudioKind),
    /// It is followed by the recording of a message of this length.
    Voicemail { length_us: u64 },
}

/// An operator as the server knows them.
#[derive(Debug, Clone)]
pub(crate) struct Seated {
    /// Their number on the server.
    pub(crate) number: u32,
    /// The user name of their telephone.
    pub(crate) user: String,
}

/// What the floor under load looks like from outside.
#[derive(Debug, Clone, Default)]
pub(crate) struct Prepared {
    /// The domain of telephones.
    pub(crate) domain: String,
    /// The password of telephones and accounts.
    pub(crate) password: String,
    /// `[operator of the scenario]`
    pub(crate) operators: Vec<Seated>,
    /// By the number of their voice.
    pub(crate) prompts: Vec<Prompt>,
    /// Numbers on the server of each group's operators. `[group]`
    pub(crate) groups: Vec<Range<u32>>,
    /// `[queue of the scenario]`
    pub(crate) queues: Vec<u16>,
}

/// What all threads of a run share.
#[derive(Debug)]
pub(crate) struct Setup<'m> {
    pub(crate) model: &'m Model<'m>,
    pub(crate) behaviour: Behaviour<'m>,
    pub(crate) timescale: Timescale,
    pub(crate) clock: Clock,
    pub(crate) shard: Shard,
    /// Where SIP goes.
    pub(crate) peer: SocketAddr,
    /// How it goes there, where by a stream.
    pub(crate) road: Option<Road>,
    /// Whom the customers of a class call; `None` for a class that does not call. `[class]`
    pub(crate) uris: Vec<Option<String>>,
    /// How the customers of each class come. `[class]`
    pub(crate) ways: Vec<Way>,
    /// Where those come who write.
    pub(crate) online: Option<Online>,
    /// The floor, where operators are played too.
    pub(crate) floor: Option<Prepared>,
    /// Whether anybody speaks.
    pub(crate) sound: bool,
    /// How customers of a SIP system identify themselves.
    pub(crate) credentials: Option<Credentials>,
    pub(crate) cases: Cases,
    /// Contacts that wait on the floor, as told by the event stream.
    pub(crate) waiting: Arc<AtomicU64>,
    /// The run is over so long after its beginning, whoever is still there; in microseconds of real time.
    pub(crate) longest_us: Micros,
    pub(crate) progress: Progress,
}

/// Where customers write to.
#[derive(Debug)]
pub(crate) struct Online {
    pub(crate) server: Server,
    pub(crate) runtime: tokio::runtime::Handle,
    /// Of the session by which web forms enter tickets.
    pub(crate) token: String,
}

/// How far a run has come: looked at by whoever draws it.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// Customers who have come.
    pub(crate) come: AtomicU64,
    /// Calls that are up or coming up.
    pub(crate) calls: AtomicU64,
    /// Calls that came to their end.
    pub(crate) ended: AtomicU64,
    /// Of those, that came to nothing: refused, or no answer.
    pub(crate) failed: AtomicU64,
}

/// Names a customer of this thread.
pub(crate) type CallerKey = DefaultKey;

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Happening {
    /// The next customer of the plan.
    Arrival,
    /// A customer tries again.
    Redial(u64),
    /// A customer has waited long enough.
    GivesUp(CallerKey),
    /// A customer who does not like to wait finds that they must.
    Balks(CallerKey),
    /// A customer presses a key.
    Presses(CallerKey, char),
    /// A customer hangs up.
    HangsUp(CallerKey),
    /// An operator answers or declines what rings.
    Reacts(u32),
    /// The next step of an operator's talk.
    Step(u32),
    /// After-call work, a break or a span in Work is over.
    Rested(u32),
    /// A day begins.
    Day(u32),
    /// The boundary of the roster with this number.
    Shift(u32),
    /// An operator's break is due.
    BreakDue { operator: u32, plan: u16 },
    /// An operator's telephone registers again.
    Registers(u32),
    /// A party outside answers, or hangs up.
    Outside(CallKey),
    /// A customer who chats has waited long enough.
    ChatGivesUp(u64),
    /// A customer who chats answers what the operator wrote.
    AnswersLine(u64),
    /// An operator takes or declines a chat or ticket that is shown.
    Accepts(u32, Work),
    /// An operator writes a line in a chat.
    Writes(u32, Work),
    /// An operator's work on a chat or ticket is done.
    WorkDone(u32, Work),
    /// An operator is there for chats again.
    ChatBack(u32),
}

/// What a thread did.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) measures: Measures,
    /// Intended instant of each customer's call, by the key of their streams, by the run's clock.
    pub(crate) calls: Vec<(u64, Micros)>,
    /// The same of chats.
    pub(crate) chats: Vec<(u64, Micros)>,
    /// The same of tickets from web forms.
    pub(crate) tickets: Vec<(u64, Micros)>,
    /// When the last of the run was over, by the run's clock.
    pub(crate) ended_us: Micros,
}

/// A thread's player.
pub(crate) struct Player<'s, 'm> {
    setup: &'s Setup<'m>,
    /// Its number among the threads.
    me: usize,
    threads: usize,
    posts: Vec<Post>,
    letters: Letters,
    plan: Plan<'m>,
    next: Option<Coming>,
    /// The plan's instants are stretched from here on: real time of the plan, and of the run.
    bent: (Micros, Micros, f64),
    paused: bool,
    stopping: bool,
    calendar: Calendar<Happening>,
    sockets: Sockets,
    customers: Agent,
    telephones: Agent,
    customers_media: Media,
    telephones_media: Media,
    callers: SlotMap<CallerKey, Caller>,
    caller_of_call: HashMap<CallKey, CallerKey>,
    caller_of_person: HashMap<u64, CallerKey>,
    caller_of_stream: HashMap<StreamKey, CallerKey>,
    /// Customers who are at a page with a chat, by the key of their streams.
    visitors: HashMap<u64, Visitor>,
    /// Web forms that have no answer yet, and when they were meant to be sent.
    forms: HashMap<u64, Micros>,
    /// Customers who are to try again.
    redials: u64,
    operators: HashMap<u32, Operator>,
    operator_of_user: HashMap<String, u32>,
    operator_of_call: HashMap<CallKey, u32>,
    operator_of_stream: HashMap<StreamKey, u32>,
    outsiders: HashMap<CallKey, Outsider>,
    roster: roster::Duty,
    recorder: Recorder,
    made: Vec<(u64, Micros)>,
    made_chats: Vec<(u64, Micros)>,
    made_tickets: Vec<(u64, Micros)>,
    /// Tells this run's lines from another's.
    run: u32,
    now: Micros,
    sessions: u64,
    problems: Vec<String>,
}

impl std::fmt::Debug for Player<'_, '_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Player").field("me", &self.me).field("now", &self.now).finish_non_exhaustive()
    }
}

/// What a thread is given of its own.
pub(crate) struct Parts<'m> {
    pub(crate) me: usize,
    pub(crate) threads: usize,
    pub(crate) posts: Vec<Post>,
    pub(crate) letters: Letters,
    pub(crate) plan: Plan<'m>,
    pub(crate) sockets: Sockets,
    /// Desks of the operators whom this thread plays, by their number in the scenario.
    pub(crate) desks: HashMap<u32, tokio::sync::mpsc::UnboundedSender<Order>>,
    /// Tells this run's messages from another's.
    pub(crate) run: u32,
}

impl<'s, 'm> Player<'s, 'm> {
    /// # Errors
    /// The system's own, of the sockets.
    pub(crate) fn new(setup: &'s Setup<'m>, parts: Parts<'m>) -> std::io::Result<Self> {
        let Parts { me, threads, posts, letters, plan, sockets, desks, run } = parts;
        let transport = setup.road.as_ref().map_or(Transport::Udp, |road| road.transport);
        let mut customers = Agent::new(sockets.address(Line::Customers)?, run).over(transport);
        if let Some(credentials) = &setup.credentials {
            customers.authenticate("", credentials.clone());
        }
        let telephones = Agent::new(sockets.address(Line::Telephones)?, run ^ 0x5555_5555);
        let mut player = Self {
            setup,
            me,
            threads,
            posts,
            letters,
            plan,
            next: None,
            bent: (0, Micros::MAX, 1.0),
            paused: false,
            stopping: false,
            calendar: Calendar::new(),
            sockets,
            customers,
            telephones,
            customers_media: Media::default(),
            telephones_media: Media::default(),
            callers: SlotMap::new(),
            caller_of_call: HashMap::new(),
            caller_of_person: HashMap::new(),
            caller_of_stream: HashMap::new(),
            visitors: HashMap::new(),
            forms: HashMap::new(),
            redials: 0,
            operators: HashMap::new(),
            operator_of_user: HashMap::new(),
            operator_of_call: HashMap::new(),
            operator_of_stream: HashMap::new(),
            outsiders: HashMap::new(),
            roster: roster::Duty::default(),
            recorder: Recorder::default(),
            made: Vec::new(),
            made_chats: Vec::new(),
            made_tickets: Vec::new(),
            run,
            now: 0,
            sessions: 0,
            problems: Vec::new(),
        };
        player.seat(desks);
        Ok(player)
    }

    /// Registers the telephones and waits until every operator's screen shows events: all that must be before the run begins.
    ///
    /// # Errors
    /// What is not there, in words.
    pub(crate) fn get_ready(&mut self, limit: Duration) -> Result<(), String> {
        self.register_all();
        let until = std::time::Instant::now() + limit;
        while !self.is_ready() {
            self.turn(Some(Duration::from_millis(20)))?;
            if let Some(problem) = self.problems.pop() {
                return Err(problem);
            }
            if std::time::Instant::now() > until {
                return Err(self.unready());
            }
        }
        Ok(())
    }

    /// Plays to the end.
    ///
    /// # Errors
    /// The system's own, of the sockets, in words.
    pub(crate) fn run(mut self) -> Result<Played, String> {
        self.bent = (0, self.setup.clock.begin(), 1.0);
        self.begin_roster();
        self.schedule_next();
        while !self.is_over() {
            self.turn(None)?;
        }
        let ended_us = self.now;
        self.close()?;
        self.letters.close();
        for caller in self.callers.values() {
            if let Some(stream) = caller.stream {
                self.customers_media.close(stream);
            }
        }
        for operator in self.operators.values() {
            if let Some(stream) = operator.stream() {
                self.telephones_media.close(stream);
            }
        }
        let broken = self.sockets.broken();
        if broken > 0 {
            self.recorder.add("connections_broken", broken);
        }
        let mut measures = self.recorder.finish();
        measures.customers = *self.customers.traffic();
        measures.telephones = *self.telephones.traffic();
        measures.customers_sound = *self.customers_media.sound();
        measures.operators_sound = *self.telephones_media.sound();
        let (calls, chats, tickets) = (self.made, self.made_chats, self.made_tickets);
        Ok(Played { measures, calls, chats, tickets, ended_us })
    }

    /// Whoever is still there leaves, so that nobody is left on the floor; those who do not are left after a while.
    fn close(&mut self) -> Result<(), String> {
        self.stop();
        let until = self.now + LONGEST_CLOSING_US;
        while self.now < until && !(self.nobody_is_there() && self.all_are_gone()) {
            self.turn(Some(Duration::from_millis(10)))?;
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        let nobody_comes = self.stopping || (self.next.is_none() && self.redials == 0);
        if self.setup.clock.since_begin(self.now) >= self.setup.longest_us {
            return true;
        }
        nobody_comes && self.nobody_is_there() && self.all_have_left() && !self.tickets_wait()
    }

    /// No customer calls, chats or sends a form.
    fn nobody_is_there(&self) -> bool {
        let writes = !self.visitors.is_empty() || !self.forms.is_empty();
        self.callers.is_empty() && self.customers.live() == 0 && !writes
    }

    /// Whether tickets of the run are not solved; where other processes work on them too, whether any wait.
    fn tickets_wait(&self) -> bool {
        if self.setup.online.is_none() {
            return false;
        }
        let ours = self.setup.cases.tickets.load(Ordering::Relaxed) > 0;
        let waiting = self.setup.waiting.load(Ordering::Relaxed) > 0;
        if self.setup.shard.of > 1 { waiting } else { ours }
    }

    /// One turn: what is due, what came, what is to be sent, and a rest until there is more. Before the run begins nothing of the
    /// calendar is due.
    fn turn(&mut self, rest: Option<Duration>) -> Result<(), String> {
        self.now = self.setup.clock.now();
        self.take_notes();
        self.let_go();
        if self.now >= self.setup.clock.begin() {
            let mut count = 0;
            while let Some((at, happening)) = self.calendar.pop_before(self.now + 1) {
                self.happen(at, happening);
                count += 1;
                if count % BETWEEN_LOOKS == 0 {
                    self.now = self.setup.clock.now();
                    self.flush();
                }
            }
        }
        self.customers.advance(self.now);
        self.telephones.advance(self.now);
        self.take_events();
        self.speak();
        self.flush();
        let limit = match rest {
            Some(rest) => rest,
            None => self.until_next(),
        };
        let sound = self.customers_media.live() + self.telephones_media.live() <= MANY_STREAMS;
        let ready =
            self.sockets.wait(limit, sound).map_err(|error| format!("the sockets cannot be waited for: {error}"))?;
        for line in ready {
            let clock = &self.setup.clock;
            match line {
                Line::Customers => {
                    let agent = &mut self.customers;
                    self.sockets.receive(line, |from, bytes| agent.receive(clock.now(), from, bytes));
                }
                Line::Telephones => {
                    let agent = &mut self.telephones;
                    self.sockets.receive(line, |from, bytes| agent.receive(clock.now(), from, bytes));
                }
                Line::CustomersSound => {
                    let media = &mut self.customers_media;
                    self.sockets.receive(line, |from, bytes| media.receive(clock.now(), from, bytes));
                }
                Line::TelephonesSound => {
                    let media = &mut self.telephones_media;
                    self.sockets.receive(line, |from, bytes| media.receive(clock.now(), from, bytes));
                }
            }
        }
        self.now = self.setup.clock.now();
        self.take_events();
        self.take_heard();
        Ok(())
    }

    /// How long there is nothing to do.
    fn until_next(&mut self) -> Duration {
        let due = [
            self.calendar.next_time(),
            self.customers.next_deadline(),
            self.telephones.next_deadline(),
            self.customers_media.next_deadline(),
            self.telephones_media.next_deadline(),
        ];
        let next = due.into_iter().flatten().min();
        next.map_or(LONGEST_WAIT, |next| self.setup.clock.until(next)).min(LONGEST_WAIT)
    }

    fn take_notes(&mut self) {
        while let Some(note) = self.letters.next() {
            match note {
                Note::Customer { id, tell } => self.told(id, tell),
                Note::Chat { id, at_us, news } => self.page_tells(id, at_us, news),
                Note::Entered { id, at_us, entered } => self.form_answered(id, at_us, entered),
                Note::Screen { operator, at_us, seen_us, event } => self.shown(operator, at_us, seen_us, event),
                Note::Done { operator, done } => self.done(operator, &done),
                Note::Watching { operator } => self.watching(operator),
                Note::ScreenLost => self.recorder.count("screens_lost"),
                Note::Failed { problem } => self.problems.push(problem),
                Note::Faster { factor } => self.bend(factor),
                Note::Pause { paused } => self.pause(paused),
                Note::Stop => self.stop(),
            }
        }
    }

    fn take_events(&mut self) {
        while let Some((call, event)) = self.customers.next_event() {
            self.customer_event(call, event);
        }
        while let Some((call, event)) = self.telephones.next_event() {
            self.telephone_event(call, event);
        }
    }

    fn take_heard(&mut self) {
        for heard in self.customers_media.take_heard() {
            self.customer_hears(heard);
        }
        for heard in self.telephones_media.take_heard() {
            self.operator_hears(heard);
        }
    }

    fn speak(&mut self) {
        let (sockets, now) = (&mut self.sockets, self.now);
        let late = self.customers_media.advance(now, |to, bytes| sockets.send(Line::CustomersSound, to, bytes))
            + self.telephones_media.advance(now, |to, bytes| sockets.send(Line::TelephonesSound, to, bytes));
        if late > 0 {
            self.recorder.add("packets_late", late);
        }
    }

    fn flush(&mut self) {
        for (line, agent) in [(Line::Customers, &mut self.customers), (Line::Telephones, &mut self.telephones)] {
            let datagrams = agent.take_datagrams();
            let mut refused = 0;
            for datagram in &datagrams {
                refused += u64::from(!self.sockets.send(line, datagram.to, &datagram.bytes));
            }
            agent.traffic_mut().send_errors += refused;
            agent.reuse(datagrams);
        }
    }

    fn happen(&mut self, at: Micros, happening: Happening) {
        match happening {
            Happening::Arrival => self.arrival(),
            Happening::Redial(id) => self.redial(at, id),
            Happening::GivesUp(caller) => self.gives_up(at, caller),
            Happening::Balks(caller) => self.balks(at, caller),
            Happening::Presses(caller, digit) => self.presses(at, caller, digit),
            Happening::HangsUp(caller) => self.hangs_up(at, caller),
            Happening::Reacts(operator) => self.reacts(at, operator),
            Happening::Step(operator) => self.step(at, operator),
            Happening::Rested(operator) => self.rested(at, operator),
            Happening::Day(day) => self.day(day),
            Happening::Shift(first) => self.shift(at, first),
            Happening::BreakDue { operator, plan } => self.break_due(at, operator, plan),
            Happening::Registers(operator) => self.registers(operator),
            Happening::Outside(call) => self.outside_acts(at, call),
            Happening::ChatGivesUp(id) => self.chat_gives_up(at, id),
            Happening::AnswersLine(id) => self.answers_line(at, id),
            Happening::Accepts(operator, work) => self.accepts(at, operator, work),
            Happening::Writes(operator, work) => self.writes(at, operator, work),
            Happening::WorkDone(operator, work) => self.work_done(at, operator, work),
            Happening::ChatBack(operator) => self.chat_back(at, operator),
        }
    }

    /// What was meant for `at` is done now.
    fn lag(&mut self, at: Micros) {
        let now = self.setup.clock.now();
        self.recorder.latency(Kind::Lag, at, now);
    }

    /// A scenario's length of time in real time.
    fn real(&self, scenario_us: u64) -> Micros {
        self.setup.timescale.real_us(scenario_us)
    }

    /// When a moment of the scenario comes, by the run's clock.
    fn real_at(&self, scenario_us: u64) -> Micros {
        self.setup.clock.begin().saturating_add(self.setup.timescale.real_at(scenario_us))
    }

    /// Which moment of the scenario it is at a time of the run's clock.
    fn scenario_at(&self, at: Micros) -> u64 {
        self.setup.timescale.scenario_at(self.setup.clock.since_begin(at))
    }

    /// Tells a customer, whichever thread plays them; `false` where nobody of this process does.
    fn tell_customer(&mut self, id: u64, tell: crate::note::Tell) -> bool {
        let Some(case) = self.setup.cases.get(id).filter(|case| case.player < self.threads) else { return false };
        if case.player == self.me {
            self.told(id, tell);
        } else {
            self.posts[case.player].send(Note::Customer { id, tell });
        }
        true
    }

    fn session(&mut self) -> u64 {
        self.sessions += 1;
        self.sessions
    }

    // ---- changes of the run while it goes on ----------------------------------------------------------------------

    /// When something of the plan comes in the run.
    fn bent(&self, plan_us: Micros) -> Micros {
        let (plan, run, factor) = self.bent;
        if factor.to_bits() == 1.0_f64.to_bits() {
            return run + plan_us.saturating_sub(plan);
        }
        let behind = plan_us.saturating_sub(plan) as f64 / factor;
        run + callfloor_sim::arrival::micros(behind / 1e6)
    }

    /// From now on customers come `factor` times as fast as planned.
    fn bend(&mut self, factor: f64) {
        let Some(next) = self.next else { return };
        let due = self.bent(next.at_us);
        self.bent = (next.at_us, due.max(self.now), factor.clamp(0.001, 1_000.0));
        self.recorder.count("rate_changes");
    }

    fn pause(&mut self, paused: bool) {
        if self.paused && !paused {
            if let Some(next) = self.next {
                let (_, _, factor) = self.bent;
                self.bent = (next.at_us, self.now, factor);
            }
            self.paused = false;
            self.schedule_due();
        } else if paused && !self.paused {
            self.paused = true;
            self.recorder.count("pauses");
        }
    }

    fn stop(&mut self) {
        self.stopping = true;
        self.next = None;
        let now = self.now;
        let all: Vec<CallerKey> = self.callers.keys().collect();
        for caller in all {
            self.hangs_up(now, caller);
        }
        self.all_leave_chats();
        self.all_put_down();
        self.all_leave();
    }

    fn schedule_next(&mut self) {
        self.next = self.plan.next();
        self.schedule_due();
    }

    fn schedule_due(&mut self) {
        if let Some(next) = self.next.filter(|_| !self.paused && !self.stopping) {
            let at = self.bent(next.at_us);
            self.calendar.schedule(at, Happening::Arrival);
        }
    }

    fn count_progress(&self, what: impl FnOnce(&Progress) -> &AtomicU64) {
        what(&self.setup.progress).fetch_add(1, Ordering::Relaxed);
    }
}

/// What is shared by threads, ready for them.
pub(crate) fn waker() -> std::io::Result<Arc<Waker>> {
    Waker::new().map(Arc::new)
}
