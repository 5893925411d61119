//! A thread that plays: its customers and operators, on its own sockets, by one calendar of intended instants.
//!
//! Nothing here waits for an answer before it goes on: what is due is done, what comes is taken. Requests over HTTP go to the desks'
//! tasks, and come back as notes.

mod customers;
mod operators;
mod outside;
mod roster;
mod sockets;
mod stamps;
mod talk;
mod visitors;
mod written;

use std::collections::HashMap;
use std::net::SocketAddr;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use callfloor_scenario::floor::AudioKind;
use callfloor_sim::behaviour::Behaviour;
use callfloor_sim::calendar::{Calendar, Entry};
use callfloor_sim::model::Model;
use callfloor_sip::Transport;
use slotmap::{DefaultKey, SlotMap};

use crate::cases::Cases;
use crate::clock::Clock;
use crate::course::Course;
use crate::desk::Order;
use crate::http::Pool;
use crate::measures::{Kind, Measures, Recorder};
use crate::media::{Agreed, Media, StreamKey};
use crate::note::{Letters, Note, Post};
use crate::number::CallerNumber;
use crate::plan::{Coming, Plan, Shard, Timescale};
use crate::records::Made;
use crate::road::Road;
use crate::screen::Work;
use crate::sip::{Agent, CallKey, Credentials, Micros};
use crate::target::Reach;
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
/// Events of the calendar between two looks at the clock.
const BETWEEN_LOOKS: u32 = 16;
/// Events of the calendar in one turn: whoever is behind still takes what comes.
const AT_ONCE: u32 = 256;
/// How often it is told whether the target has anything to answer, in microseconds.
const ANSWERS_LOOKED_FOR_US: Micros = 100_000;

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
    /// Where the target may have us send.
    pub(crate) reach: Reach,
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
    /// The plan is over so long after its beginning, in microseconds of real time.
    pub(crate) plan_us: Micros,
    /// The run is over so long after the plan, whoever is still there.
    pub(crate) rest_us: Micros,
    /// When something came from the target last, by the run's clock.
    pub(crate) alive_us: Arc<AtomicU64>,
    pub(crate) progress: Progress,
}

/// Where customers write to.
#[derive(Debug)]
pub(crate) struct Online {
    pub(crate) runtime: tokio::runtime::Handle,
    /// The web site whose forms enter tickets.
    pub(crate) site: Arc<Pool>,
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
    /// Whether the target has a request over SIP to answer, of each thread that plays, as of a moment ago.
    pub(crate) answer_due: Vec<AtomicBool>,
}

impl Progress {
    /// Of so many threads that play.
    pub(crate) fn new(threads: usize) -> Self {
        Self { answer_due: (0..threads).map(|_| AtomicBool::new(false)).collect(), ..Self::default() }
    }

    /// Whether the target has anything to answer: else it may be silent.
    pub(crate) fn is_answer_due(&self) -> bool {
        self.answer_due.iter().any(|due| due.load(Ordering::Relaxed))
    }
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
    BreakDue { operator: u32, plan: u16, stint: u16 },
    /// An operator's telephone registers again.
    Registers(u32),
    /// A telephone may be up though its call is over.
    Forgotten(u32, CallKey),
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
    /// What it began.
    pub(crate) made: Made,
    /// When the last of the run was over, by the run's clock.
    pub(crate) ended_us: Micros,
    /// What of the system's own broke it off, if so.
    pub(crate) trouble: Option<String>,
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
    /// When what the plan says comes.
    course: Course,
    /// The next customer, where it is known when they come.
    arrival: Entry,
    /// Since when the run is to end.
    stopping_us: Option<Micros>,
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
    made: Made,
    /// Tells this run's lines from another's.
    run: u32,
    now: Micros,
    /// When it is told next whether the target has anything to answer.
    tells_us: Micros,
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
        customers.may_reach(setup.reach.clone());
        let mut telephones = Agent::new(sockets.address(Line::Telephones)?, run ^ 0x5555_5555);
        telephones.may_reach(setup.reach.clone());
        let mut player = Self {
            setup,
            me,
            threads,
            posts,
            letters,
            plan,
            next: None,
            course: Course::new(Micros::MAX),
            arrival: Entry::NONE,
            stopping_us: None,
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
            made: Made::default(),
            run,
            now: 0,
            tells_us: 0,
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

    /// Plays to the end. What was measured is not lost where the system's own trouble breaks it off.
    pub(crate) fn run(mut self) -> Played {
        self.course = Course::new(self.setup.clock.begin());
        self.begin_roster();
        self.schedule_next();
        let mut trouble = None;
        while trouble.is_none() && !self.is_over() {
            trouble = self.turn(None).err();
        }
        let ended_us = self.now;
        let unfinished = self.callers.len() + self.visitors.len() + self.forms.len();
        if trouble.is_none() {
            trouble = self.close().err();
        }
        self.letters.close();
        self.tell_whether_answers_are_due(false);
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
        if unfinished > 0 {
            self.recorder.add("unfinished", unfinished as u64);
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
        Played { measures, made: self.made, ended_us, trouble }
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
        let Setup { clock, plan_us, rest_us, .. } = self.setup;
        // A plan that is slowed down or paused by hand is over later; one that is hurried, as it was to be.
        let planned = clock.begin().saturating_add(*plan_us);
        let last = self.course.instant(*plan_us).map(|at| at.max(planned).saturating_add(*rest_us));
        let stopped = self.stopping_us.map(|since| since + LONGEST_CLOSING_US);
        if last.is_some_and(|last| self.now >= last) || stopped.is_some_and(|last| self.now >= last) {
            return true;
        }
        let nobody_comes = self.is_stopping() || (self.next.is_none() && self.redials == 0);
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
                if count == AT_ONCE {
                    break;
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
        // While anybody speaks, what comes is taken whenever something is to be said.
        let sound =
            !Line::CustomersSound.is_stamped() || self.customers_media.live() + self.telephones_media.live() == 0;
        let ready =
            self.sockets.wait(limit, sound).map_err(|error| format!("the sockets cannot be waited for: {error}"))?;
        for line in ready {
            let Setup { clock, alive_us, .. } = self.setup;
            // Whoever is heard is there; a connection that breaks wakes us too, and is no sign of life.
            let heard = |at: Micros| alive_us.fetch_max(at, Ordering::Relaxed);
            match line {
                Line::Customers | Line::Telephones => {
                    let agent = if line == Line::Customers { &mut self.customers } else { &mut self.telephones };
                    self.sockets.receive(line, clock, |at, from, bytes| {
                        heard(at);
                        agent.receive(at, from, bytes);
                    });
                }
                Line::CustomersSound | Line::TelephonesSound => {
                    let customers = line == Line::CustomersSound;
                    let media = if customers { &mut self.customers_media } else { &mut self.telephones_media };
                    self.sockets.receive(line, clock, |at, from, bytes| {
                        heard(at);
                        media.receive(at, from, bytes);
                    });
                }
            }
        }
        self.now = self.setup.clock.now();
        if self.now >= self.tells_us {
            self.tells_us = self.now + ANSWERS_LOOKED_FOR_US;
            self.tell_whether_answers_are_due(self.customers.is_answer_due() || self.telephones.is_answer_due());
        }
        self.take_events();
        self.take_heard();
        Ok(())
    }

    fn tell_whether_answers_are_due(&self, due: bool) {
        if let Some(told) = self.setup.progress.answer_due.get(self.me) {
            told.store(due, Ordering::Relaxed);
        }
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
                Note::ScreenGap => self.recorder.count("screens_gaps"),
                Note::Again { status, rule } => {
                    self.recorder.count("api_asked_again");
                    self.recorder.count_named(format!("asked_again_{status}_{rule}"));
                }
                Note::Failed { problem } => self.problems.push(problem),
                Note::Pace { at_us, factor } => {
                    self.course.change(at_us, factor);
                    self.schedule_due();
                }
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
            Happening::Arrival => self.arrival(at),
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
            Happening::BreakDue { operator, plan, stint } => self.break_due(at, operator, plan, stint),
            Happening::Registers(operator) => self.registers(operator),
            Happening::Forgotten(operator, call) => self.forgotten(operator, call),
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

    /// The customer who shows this number or name; `None` for a stranger.
    fn customer_who_shows(&self, text: &str) -> Option<u64> {
        CallerNumber::parse_of(text, self.setup.model.scenario.classes.len()).map(|number| number.id)
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

    /// What was agreed on, where audio may go there.
    fn audible(&mut self, agreed: Option<Agreed>) -> Option<Agreed> {
        let found = agreed.filter(|agreed| self.setup.reach.has(agreed.remote.ip()));
        if found.is_none() && agreed.is_some() {
            self.recorder.count("audio_elsewhere");
        }
        found
    }

    fn session(&mut self) -> u64 {
        self.sessions += 1;
        self.sessions
    }

    // ---- changes of the run while it goes on ----------------------------------------------------------------------

    fn is_stopping(&self) -> bool {
        self.stopping_us.is_some()
    }

    fn stop(&mut self) {
        let now = self.now;
        self.stopping_us.get_or_insert(now);
        self.next = None;
        self.schedule_due();
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
        if let Some(next) = self.next {
            self.course.forget_before(next.at_us);
        }
        self.schedule_due();
    }

    fn schedule_due(&mut self) {
        let before = std::mem::take(&mut self.arrival);
        if before != Entry::NONE {
            self.calendar.withdraw(before);
        }
        if let Some(at) = self.next.and_then(|next| self.course.instant(next.at_us)) {
            self.arrival = self.calendar.schedule(at, Happening::Arrival);
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
