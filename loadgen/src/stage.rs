//! A run on its stage: threads that play, desks of operators, the floor watched, everything put together at the end.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use callfloor_measure::{Grid, Header, Results, WarmUp};
use callfloor_scenario::{Channel, Entry, Horizon, Scenario};
use callfloor_sim::model::Model;
use cpu_time::ProcessTime;
use tokio::runtime::Runtime;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::at_end::AtEnd;
use crate::clock::{Offset, wall_us};
use crate::control::Told;
use crate::course::Course;
use crate::desk::{self, Order, Seat};
use crate::floor::{Counter, Names};
use crate::http::{Connection, HttpError, Server};
use crate::limits;
use crate::measures::Measures;
use crate::note::{Note, Post, post};
use crate::observer::{Observed, Observer, feel_the_pulse};
use crate::pace::Pace;
use crate::plan::Plan;
use crate::play::{Parts, Played, Player, Prepared, Setup, Sockets, Way, waker};
use crate::prepare::{PrepareError, Ready};
use crate::records::{self, Made};
use crate::results::{LoadResults, Part, Settings};
use crate::run::{LoadError, Options, Place, Snapshot, Target};
use crate::sip::Micros;

/// How long everything may take to be ready, beside what each operator takes.
const READY: Duration = Duration::from_secs(60);
const READY_EACH: Duration = Duration::from_millis(500);
/// Between being ready and the first instant.
const LEAD_US: Micros = 200_000;
/// How long the server's last events are waited for.
const LAST_EVENTS: Duration = Duration::from_millis(700);
/// How often the server's clock is asked for.
const QUESTIONS: usize = 9;
/// Whoever has not looked for so long cannot say that nothing came.
const BLIND_US: Micros = 2_000_000;
/// How often it is drawn how far the run has come.
const DRAWN: Duration = Duration::from_millis(100);

/// Everything that a run needs.
pub(crate) struct Stage<'s, 'm> {
    pub(crate) setup: &'s Setup<'m>,
    pub(crate) options: &'s Options<'s>,
    pub(crate) runtime: &'s Runtime,
    pub(crate) place: &'s Place,
    pub(crate) floor: Option<&'s Ready>,
}

/// What playing came to.
struct Performance {
    played: Vec<Played>,
    /// Why it ended early, where it did.
    cut: Option<String>,
    /// Whether that is because the target is not there any more.
    lost: bool,
    /// How the plan's time ran on.
    course: Course,
    /// How often the pace was changed by hand, and how often it was paused.
    changes: u64,
    pauses: u64,
}

/// The floor, watched.
struct Watching {
    task: tokio::task::JoinHandle<Result<Observed, HttpError>>,
    connection: Connection,
    stop: Arc<AtomicBool>,
    until: Arc<AtomicU64>,
    offset: Offset,
    header: Header,
}

impl<'s, 'm> Stage<'s, 'm> {
    pub(crate) fn play(
        self,
        seed: u64,
        target: &Target,
        watch: &(dyn Fn(Snapshot) + Sync),
    ) -> Result<LoadResults, LoadError> {
        let clock = &self.setup.clock;
        let watching = self.floor.map(|ready| self.watch_floor(ready, seed)).transpose()?;
        let offset = watching.as_ref().map(|watching| watching.offset);
        let (mut players, posts) = self.players(offset.unwrap_or_default())?;
        self.get_ready(&mut players)?;
        let (asked, planned_us) = self.asked();
        let soon = clock.now() + LEAD_US;
        let begin = self.options.start_at_us.map_or(soon, |at| clock.of_wall(at).max(soon));
        let processor = ProcessTime::try_now().ok();
        clock.begin_at(begin);
        self.setup.alive_us.fetch_max(begin, Ordering::Relaxed);
        let before = self.told_to_come_again();
        let Performance { played, mut cut, lost, course, changes, pauses } =
            self.perform(players, &posts, (asked, planned_us), watch);
        let processor = processor.and_then(|before| Some(ProcessTime::try_now().ok()?.duration_since(before)));
        let ended = played.iter().map(|played| played.ended_us).max().unwrap_or(begin);
        let mut made = Made::default();
        let mut measures = Measures::default();
        for played in played {
            made.add(played.made);
            measures.merge(&played.measures);
        }
        // A pace that was changed by hand asks for the same contacts in another time.
        let asked_for_us = course.instant(planned_us).unwrap_or(ended).saturating_sub(begin);
        let mut count = |name: &str, value: u64| {
            if value > 0 {
                *measures.counts.entry(name.to_owned()).or_default() += value;
            }
        };
        count("rate_changes", changes);
        count("pauses", pauses);
        count("asked_again_before", before);
        let mut notes = self.place.notes.clone();
        if before > 0 {
            notes.push(format!(
                "{before} times while it was prepared, the server said that it is asked too often (429, 503), and was asked again later: \
                 that is before the run, and in no latency of it"
            ));
        }
        notes.extend(self.distortions());
        if let Some(at) = self.options.start_at_us {
            let late_us = clock.wall_at(begin).saturating_sub(at);
            if late_us > 1_000 {
                notes.push(format!(
                    "begun {:.1} s later than asked for: not everything was ready before",
                    late_us as f64 / 1e6
                ));
            }
        }
        if changes + pauses > 0 {
            notes.push("the pace was changed by hand: what was asked for is not what the plan says".into());
        }
        if measures.count("chat_refused_429_too-fast") > 0 {
            notes.push(
                "the server takes only so many chats from one address: where this machine is named in its [http] proxies, each \
                 customer has an address of their own"
                    .into(),
            );
        }
        let floor = match watching {
            Some(watching) => {
                let (floor, trouble) = self.close_floor(watching, ended, lost, &made, &mut measures, &mut notes);
                cut = cut.or(trouble);
                Some(floor)
            }
            None => None,
        };
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let part = Part {
            shard: self.options.shard.number,
            began_us: clock.wall_at(begin),
            lasted_us: ended.saturating_sub(begin),
            asked_for_us,
            asked,
            processor_us: processor.map_or(0, |time| u64::try_from(time.as_micros()).unwrap_or(u64::MAX)),
            threads: number(self.options.threads),
            processors: std::thread::available_parallelism().map_or(1, |count| number(count.get())),
            offset,
            measures,
            cut,
            notes,
        };
        Ok(LoadResults::new(self.settings(seed, target), part, floor))
    }

    fn settings(&self, seed: u64, target: &Target) -> Settings {
        let options = self.options;
        Settings {
            scenario: self.setup.model.scenario.name.clone(),
            seed,
            replication: options.replication,
            target: match target {
                Target::Callfloor { .. } => "callfloor".into(),
                Target::Sip { target, .. } => target.to_string(),
            },
            speed: options.speed,
            pace: options.pace.to_string(),
            legs: match &options.pace {
                Pace::Scenario => Vec::new(),
                Pace::Rates(legs) => legs.clone(),
            },
            shards: options.shard.of,
            sound: options.sound,
            lag_limit_us: u64::try_from(options.lag_limit.as_micros()).unwrap_or(u64::MAX),
        }
    }

    fn plan(&self) -> Plan<'m> {
        let Setup { model, behaviour, timescale, shard, .. } = self.setup;
        Plan::new(model, *behaviour, &self.options.pace, *timescale, *shard, |source| self.comes(source))
    }

    /// Whether the target has a way for the customers of a class.
    fn comes(&self, source: u16) -> bool {
        self.setup.ways.get(usize::from(source)).is_some_and(|way| *way != Way::None)
    }

    fn told_to_come_again(&self) -> u64 {
        self.place.server.as_ref().map_or(0, Server::told_to_come_again)
    }

    /// Contacts that are due in the run, and until when, in microseconds of real time.
    fn asked(&self) -> (u64, Micros) {
        let longest = self.setup.plan_us.saturating_add(self.setup.rest_us);
        let due = self.plan().take_while(|coming| coming.at_us < longest);
        let called = due.filter(|coming| self.comes(coming.person.source));
        let (count, last) = called.fold((0, 0), |(count, _), coming| (count + 1, coming.at_us));
        (count, self.options.pace.length_us().unwrap_or(last))
    }

    // ---- those who play -------------------------------------------------------------------------------------------

    fn players(&self, offset: Offset) -> Result<(Vec<Player<'s, 'm>>, Vec<Post>), LoadError> {
        let local =
            limits::local_address(self.place.sip).map_err(LoadError::system("there is no way to the target"))?;
        let threads = self.options.threads;
        let (mut posts, mut ends) = (Vec::new(), Vec::new());
        for _ in 0..threads {
            let waker = waker().map_err(LoadError::system("a socket cannot be opened"))?;
            let (post, letters) = post(&waker);
            posts.push(post);
            ends.push((waker, letters));
        }
        let mut players = Vec::new();
        let run = run_number();
        for (me, (waker, letters)) in ends.into_iter().enumerate() {
            let port = if me == 0 { self.options.telephones_port } else { 0 };
            let sockets = Sockets::open(waker, local, port, self.setup.road.as_ref());
            let sockets = sockets.map_err(LoadError::system("a socket cannot be opened"))?;
            let desks = self.desks(me, &posts[me], offset);
            let posts = posts.clone();
            let parts = Parts { me, threads, posts, letters, plan: self.plan(), sockets, desks, run };
            players.push(Player::new(self.setup, parts).map_err(LoadError::system("a socket cannot be asked"))?);
        }
        Ok((players, posts))
    }

    /// Opens a desk for each operator whom thread `me` plays.
    fn desks(&self, me: usize, post: &Post, offset: Offset) -> HashMap<u32, UnboundedSender<Order>> {
        let (Some(ready), Some(server)) = (self.floor, &self.place.server) else { return HashMap::new() };
        let mut desks = HashMap::new();
        for (operator, seated) in (0_u32..).zip(&ready.prepared.operators) {
            let place = (operator / self.options.shard.of) as usize;
            if !self.options.shard.has_operator(operator) || place % self.options.threads != me {
                continue;
            }
            let (orders, receive) = unbounded_channel();
            desks.insert(operator, orders);
            let seat = Seat {
                operator,
                number: seated.number,
                login: ready.logins[operator as usize].clone(),
                password: ready.prepared.password.clone(),
            };
            let (server, clock, post) = (server.clone(), self.setup.clock.clone(), post.clone());
            self.runtime.spawn(async move {
                if let Err(error) = desk::open(server, seat, clock, offset, post.clone(), receive).await {
                    post.send(Note::Failed { problem: error.to_string() });
                }
            });
        }
        desks
    }

    fn get_ready(&self, players: &mut [Player<'s, 'm>]) -> Result<(), LoadError> {
        let operators = u32::try_from(self.setup.model.plan.config.operators.len()).unwrap_or(u32::MAX);
        let limit = READY + READY_EACH * operators;
        let outcomes: Vec<Result<(), String>> = std::thread::scope(|scope| {
            let threads: Vec<_> = players.iter_mut().map(|player| scope.spawn(|| player.get_ready(limit))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a player does not panic")).collect()
        });
        outcomes.into_iter().collect::<Result<(), _>>().map_err(LoadError::NotReady)
    }

    /// Plays, and draws how far it has come. It ends early where somebody stops it, or where the target is lost.
    fn perform(
        &self,
        players: Vec<Player<'s, 'm>>,
        posts: &[Post],
        asked: (u64, Micros),
        watch: &(dyn Fn(Snapshot) + Sync),
    ) -> Performance {
        let over = AtomicBool::new(false);
        let clock = &self.setup.clock;
        std::thread::scope(|scope| {
            let plays = |player: Player<'s, 'm>| {
                // Where one of them panics, the others wait in vain for what it was to do.
                let _stops = AtEnd::new(|| {
                    if std::thread::panicking() {
                        posts.iter().for_each(|post| post.send(Note::Stop));
                    }
                });
                player.run()
            };
            let threads: Vec<_> = players.into_iter().map(|player| scope.spawn(move || plays(player))).collect();
            let watching = scope.spawn(|| {
                let (mut cut, mut lost, mut told) = (None, false, Told::new(clock.begin()));
                let mut looked_us = clock.now();
                while !over.load(Ordering::Relaxed) {
                    let before_us = std::mem::replace(&mut looked_us, clock.now());
                    if looked_us - before_us > BLIND_US {
                        // We stood still ourselves, and could hear nobody.
                        self.setup.alive_us.fetch_max(looked_us, Ordering::Relaxed);
                    }
                    watch(self.snapshot(asked, &told.course));
                    if let Some(control) = self.options.control {
                        told.tell(control, clock.now(), posts);
                    }
                    if cut.is_none() {
                        cut = self.options.cancel.and_then(|cancel| {
                            cancel.load(Ordering::Relaxed).then(|| "it was stopped by hand".to_owned())
                        });
                        if cut.is_none() {
                            cut = self.lost();
                            lost = cut.is_some();
                        }
                        if cut.is_some() {
                            posts.iter().for_each(|post| post.send(Note::Stop));
                        }
                    }
                    std::thread::sleep(DRAWN);
                }
                (cut, lost, told)
            });
            let is_over = AtEnd::new(|| over.store(true, Ordering::Relaxed));
            let played: Vec<Played> =
                threads.into_iter().map(|thread| thread.join().expect("a player does not panic")).collect();
            drop(is_over);
            let (cut, lost, told) = watching.join().expect("watching does not panic");
            let trouble = played.iter().find_map(|played| played.trouble.clone());
            let Told { course, changes, pauses, .. } = told;
            Performance { played, cut: cut.or(trouble), lost, course, changes, pauses }
        })
    }

    /// Why the target is held for lost, if so: nothing came from it for too long, though something was to come.
    fn lost(&self) -> Option<String> {
        let Setup { clock, alive_us, progress, .. } = self.setup;
        let now = clock.now();
        let calls = progress.calls.load(Ordering::Relaxed).saturating_sub(progress.ended.load(Ordering::Relaxed));
        // A server says that it is there whenever it is asked; another system is silent where it has nothing to answer.
        if self.place.server.is_none() && !progress.is_answer_due() {
            alive_us.fetch_max(now, Ordering::Relaxed);
        }
        let alive = alive_us.load(Ordering::Relaxed);
        let silent = Duration::from_micros(now.saturating_sub(alive));
        if silent < self.options.gone_limit {
            return None;
        }
        let what = match &self.place.server {
            Some(server) => server.url.to_string(),
            None => format!("sip:{}", self.place.sip),
        };
        Some(format!(
            "{what} was lost {:.1} s after the beginning: nothing has come from it for {} s, and the run was ended. {calls} contacts \
             were not over then",
            clock.since_begin(alive) as f64 / 1e6,
            self.options.gone_limit.as_secs_f64()
        ))
    }

    fn snapshot(&self, (asked, planned_us): (u64, Micros), course: &Course) -> Snapshot {
        let clock = &self.setup.clock;
        let end = course.instant(planned_us).map(|at| clock.since_begin(at));
        let since = clock.since_begin(clock.now());
        let progress = &self.setup.progress;
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let (begun, ended) = (get(&progress.calls), get(&progress.ended));
        Snapshot {
            seconds: since as f64 / 1e6,
            scenario_us: self.setup.timescale.scenario_at(since),
            length_s: end.unwrap_or(planned_us) as f64 / 1e6,
            asked,
            come: get(&progress.come),
            calls: begun.saturating_sub(ended),
            ended,
            failed: get(&progress.failed),
            waiting: get(&self.setup.waiting),
        }
    }

    /// What the speed and the place change of the picture.
    fn distortions(&self) -> Vec<String> {
        let mut notes = Vec::new();
        let speed = self.options.speed;
        if speed > 1.0 {
            notes.push(format!(
                "time is compressed {speed}-fold: every duration of the scenario is divided by {speed}, and figures of the floor are in \
                 the scenario's time. What is not compressed weighs {speed} times as much in them: signalling (1 ms counts as {} s), \
                 requests over HTTP, packets of 20 ms, the server's own work; calls come {speed} times as fast. Latencies are real time",
                speed / 1e3
            ));
        }
        if self.floor.is_some_and(|ready| ready.calls_out) && self.options.telephones_port == 0 {
            notes.push(
                "the scenario calls parties outside, and no trunk of the server leads here (--telephones-port): those calls fail".into(),
            );
        }
        let classes = self.setup.model.scenario.classes.iter();
        let silent: Vec<&str> =
            classes.filter(|class| class.channel != Channel::Phone).map(|class| class.name.as_str()).collect();
        if !silent.is_empty() && self.setup.online.is_none() {
            notes.push(format!("only calls are played: {} do not come", silent.join(", ")));
        }
        let hours = self.setup.model.scenario.services.iter().any(|service| !service.hours.spans.is_empty());
        if self.floor.is_some() && hours {
            notes.push("opening hours are not played: the service is open throughout".into());
        }
        notes
    }

    // ---- the floor ------------------------------------------------------------------------------------------------

    fn header(&self, seed: u64) -> Header {
        let mut header = Header { seed, ..self.setup.model.header.clone() };
        if let Some(length) = self.options.pace.length_us() {
            // The scenario's own intervals mean nothing at another pace.
            let timescale = self.setup.timescale;
            let grid = Grid::new(timescale.start_us, timescale.scenario_us(length).max(1), 1);
            header.grid = Grid { open_end: true, ..grid };
            header.interval_labels.clear();
            header.warm_up = WarmUp::SpanUs(0);
        }
        header
    }

    fn watch_floor(&self, ready: &Ready, seed: u64) -> Result<Watching, LoadError> {
        let Some(server) = self.place.server.clone() else {
            return Err(LoadError::NotReady("there is no server to watch".into()));
        };
        let setup = self.setup;
        let header = self.header(seed);
        let days = matches!(setup.model.scenario.horizon, Horizon::Days { .. });
        let at_once = setup.model.warm_up_calls() == 0 || self.options.pace != Pace::Scenario;
        let names = names(&ready.prepared, setup.model);
        let mut counter = Counter::new(&header, names, setup.timescale, at_once, !days);
        if days {
            roster(setup.model.scenario, &mut counter);
        }
        let (stop, until) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(u64::MAX)));
        let (watched, is_watched) = tokio::sync::oneshot::channel();
        self.runtime.block_on(async {
            let mut connection = server.connect().await?;
            let answer = connection.sign_in(&ready.supervisor, &ready.prepared.password).await?;
            let Some(session) = connection.session().cloned() else {
                let (url, login) = (server.url.to_string(), ready.supervisor.clone());
                return Err(PrepareError::Credentials { url, login, detail: answer.detail() }.into());
            };
            let offset = offset(&mut connection, ready).await?;
            let observer = Observer {
                server: server.clone(),
                session,
                clock: setup.clock.clone(),
                offset,
                timescale: setup.timescale,
                counter,
                waiting: Arc::clone(&setup.waiting),
                until: Arc::clone(&until),
                stop: Arc::clone(&stop),
                alive_us: Arc::clone(&setup.alive_us),
            };
            tokio::spawn(feel_the_pulse(server.clone(), setup.clock.clone(), Arc::clone(&setup.alive_us)));
            let task = tokio::spawn(observer.watch(watched));
            if is_watched.await.is_err() {
                let error = task.await.ok().and_then(Result::err);
                let problem = error.map_or_else(|| "the event stream ended".to_owned(), |error| error.to_string());
                return Err(LoadError::NotReady(problem));
            }
            Ok(Watching { task, connection, stop, until, offset, header })
        })
    }

    /// What the floor came to, and what is missing of it: why the figures are not to be used, if so.
    fn close_floor(
        &self,
        watching: Watching,
        ended: Micros,
        lost: bool,
        made: &Made,
        measures: &mut Measures,
        notes: &mut Vec<String>,
    ) -> (Results, Option<String>) {
        let Watching { task, mut connection, stop, until, offset, header } = watching;
        let clock = &self.setup.clock;
        until.store(ended, Ordering::Release);
        let (observed, found, now) = self.runtime.block_on(async {
            tokio::time::sleep(LAST_EVENTS).await;
            stop.store(true, Ordering::Relaxed);
            let observed = task.await.expect("watching does not panic");
            let from = clock.wall_at(clock.begin()) + offset.ahead_us - 1_000_000;
            let found =
                if lost { Err("it is lost".to_owned()) } else { records::all(&mut connection, from, made).await };
            let now = match self.floor {
                Some(ready) if found.is_ok() => self::offset(&mut connection, ready).await.ok(),
                _ => None,
            };
            (observed, found, now)
        });
        if let Some(moved_us) = now.and_then(|now| now.moved_since(offset)) {
            notes.push(format!(
                "the server's clock moved by {:.1} ms against this machine's in the run: latencies that it dates (assignment, device_told, \
                 screen_told, answer_taken) may be off by as much",
                moved_us as f64 / 1e3
            ));
        }
        let observed = observed.expect("what was begun to be watched is watched to the end");
        let Observed { counter, queued, chats, tickets, gap } = observed;
        if lost {
            notes.push(
                "the floor's figures are those of the time until the server was lost, as far as it told of it".into(),
            );
        }
        if gap {
            notes.push("a part of the event stream was lost: the floor's figures are not complete".into());
        }
        let trouble = match found {
            Ok((found, written)) => {
                let others = self.options.shard.of > 1;
                records::join(&found, made, &queued, others, measures, |id| self.is_direct(id));
                records::join_written(&written, made, (&chats, &tickets), others, measures);
                None
            }
            Err(why) => {
                notes.push(format!(
                    "the server's records could not be read: {why}. Whether it has one of each of the {} calls, chats and tickets is \
                     not known",
                    made.calls.len() + made.chats.len() + made.tickets.len()
                ));
                Some(format!("the server's records could not be read after the run: {why}"))
            }
        };
        let fixed =
            self.options.pace == Pace::Scenario && !matches!(self.setup.model.scenario.horizon, Horizon::Calls { .. });
        let end = self.setup.timescale.scenario_at(clock.since_begin(ended));
        let mut results = Results::new(header);
        results.add(self.options.replication, &counter.finish(end, fixed));
        (results, trouble)
    }

    /// Whether a customer's class goes straight to a queue.
    fn is_direct(&self, id: u64) -> bool {
        let class = usize::try_from(id >> 48).ok().and_then(|class| self.setup.model.scenario.classes.get(class));
        class.is_some_and(|class| matches!(class.entry, Entry::Queue(_)))
    }
}

fn names(prepared: &Prepared, model: &Model<'_>) -> Names {
    let rows = prepared.queues.iter().zip(0_u16..).map(|(queue, row)| (*queue, row)).collect();
    let of = |id: u32| prepared.operators.get(id as usize).map(|seated| seated.number);
    let groups = model.plan.groups.iter().zip(0_u16..);
    let groups = groups.flat_map(|(ids, group)| ids.clone().filter_map(move |id| Some((of(id)?, group)))).collect();
    Names { rows, groups }
}

/// The first day's paid time.
fn roster(scenario: &Scenario, counter: &mut Counter) {
    let mut roster = callfloor_sim::roster::Roster::default();
    roster.plan(scenario, 0);
    for boundary in roster.boundaries.iter().filter(|boundary| boundary.starts) {
        let worked = scenario.groups[usize::from(boundary.group)].shifts[usize::from(boundary.shift)];
        let end = boundary.at_us + (worked.to_us - worked.from_us);
        counter.rostered(boundary.group, worked.count.rostered, worked.count.present, boundary.at_us, end);
    }
}

/// The server's clock against ours.
async fn offset(connection: &mut Connection, ready: &Ready) -> Result<Offset, LoadError> {
    let number = ready.prepared.operators.first().map_or(0, |seated| seated.number);
    let mut questions = Vec::new();
    for _ in 0..QUESTIONS {
        let before = wall_us();
        let answer = connection.get(&format!("/operators/{number}/desk")).await?;
        let after = wall_us();
        questions.extend(answer.body["now_us"].as_i64().map(|now| (before, now, after)));
    }
    Offset::of(questions).ok_or_else(|| LoadError::NotReady("the server does not tell its time".into()))
}

/// A number that tells this run's messages from those of others.
fn run_number() -> u32 {
    use std::hash::{BuildHasher as _, RandomState};
    #[expect(clippy::cast_possible_truncation, reason = "any 32 bits do")]
    let number = RandomState::new().hash_one(wall_us()) as u32;
    number
}
