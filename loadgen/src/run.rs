//! A run: what is asked for, whether it can be, and the target made ready.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use callfloor_scenario::{Channel, CustomerClass, Horizon, Scenario};
use callfloor_sim::behaviour::Behaviour;
use callfloor_sim::model::{Model, ModelError};
use tokio::runtime::Runtime;

use crate::cases::Cases;
use crate::clock::{Clock, wall_us};
use crate::control::Control;
use crate::http::{HttpError, Pool, Server};
use crate::limits::{self, Presence, ShortOf};
use crate::pace::Pace;
use crate::plan::{Shard, Timescale, is_phone, start_us};
use crate::play::{Online, Progress, Setup, Way};
use crate::prepare::{PrepareError, Ready, prepare};
use crate::results::LoadResults;
use crate::road::Road;
use crate::sip::{Credentials, Micros};
use crate::stage::Stage;
use crate::target::{Reach, SipTarget, TargetError, Url};

/// What is put under load.
#[derive(Debug, Clone)]
pub enum Target {
    /// A Callfloor server: prepared over its administration API, its operators played too.
    Callfloor {
        /// Its API.
        url: Url,
        /// Where its telephones are served; without it, port 5060 of the API's host.
        sip: Option<SipTarget>,
        /// An administrator's login.
        login: String,
        /// Their password.
        password: String,
        /// Authorities that are trusted beside the system's own, in a PEM file.
        ca: Option<PathBuf>,
    },
    /// Any SIP system: calls only.
    Sip {
        /// Where.
        target: SipTarget,
        /// With what it is told who calls, where it asks.
        credentials: Option<Credentials>,
        /// Authorities that are trusted beside the system's own, in a PEM file.
        ca: Option<PathBuf>,
    },
}

/// How a scenario is played.
#[derive(Debug, Clone)]
pub struct Options<'a> {
    /// Every duration of the scenario is divided by this; 1 or more.
    pub speed: f64,
    /// When customers come.
    pub pace: Pace,
    /// Which of the customers and operators are this process's.
    pub shard: Shard,
    /// The moment at which all shards begin, in microseconds since 1970; at once where `None`.
    pub start_at_us: Option<i64>,
    /// Threads that play.
    pub threads: usize,
    /// Instead of the scenario's seed.
    pub seed: Option<u64>,
    /// Which replication's customers come.
    pub replication: u32,
    /// Whether parties speak and listen.
    pub sound: bool,
    /// Hosts that are neither this machine nor private, and may be put under load all the same.
    pub allowed: &'a [String],
    /// A run whose 99th percentile of lag is above this is void.
    pub lag_limit: Duration,
    /// The run is ended when nothing has come from the target for so long, though something was to come.
    pub gone_limit: Duration,
    /// How long a run waits for the end of calls after its last contact was due, beyond what the scenario says.
    pub patience: Duration,
    /// The port of telephones, where a trunk of the server leads to it; any free one where 0.
    pub telephones_port: u16,
    /// Set from elsewhere to end the run early.
    pub cancel: Option<&'a AtomicBool>,
    /// Changes the pace from elsewhere.
    pub control: Option<&'a Control>,
}

impl Default for Options<'_> {
    fn default() -> Self {
        Self {
            speed: 1.0,
            pace: Pace::Scenario,
            shard: Shard::ALL,
            start_at_us: None,
            threads: 1,
            seed: None,
            replication: 0,
            sound: true,
            allowed: &[],
            lag_limit: Duration::from_millis(20),
            gone_limit: Duration::from_secs(60),
            patience: Duration::from_secs(60),
            telephones_port: 0,
            cancel: None,
            control: None,
        }
    }
}

/// Why a run did not come about.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The target is none, or not ours to load.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The scenario cannot be played.
    #[error(transparent)]
    Scenario(#[from] ModelError),
    /// What was asked for does not go.
    #[error("{0}")]
    Asked(String),
    /// Something is short on this machine.
    #[error(transparent)]
    Short(#[from] ShortOf),
    /// The server does not answer.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The server could not be prepared.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// Nobody answers SIP there.
    #[error("sip:{address}: {problem}")]
    Sip {
        /// Where.
        address: SocketAddr,
        /// What is wrong, and what would be right.
        problem: String,
    },
    /// Not everything was ready in time.
    #[error("{0}")]
    NotReady(String),
    /// The system's own trouble.
    #[error("{what}: {problem}")]
    System {
        /// What was tried.
        what: &'static str,
        /// Its words.
        problem: std::io::Error,
    },
}

impl LoadError {
    pub(crate) fn system(what: &'static str) -> impl Fn(std::io::Error) -> Self {
        move |problem| Self::System { what, problem }
    }
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snapshot {
    /// Seconds since the first instant.
    pub seconds: f64,
    /// Which moment of the scenario it is, in microseconds since its first midnight.
    pub scenario_us: u64,
    /// Seconds after the first instant at which the last contact is due, as planned.
    pub length_s: f64,
    /// Contacts that are due in the run.
    pub asked: u64,
    /// Customers who have come.
    pub come: u64,
    /// Calls that are not over.
    pub calls: u64,
    /// Calls that are.
    pub ended: u64,
    /// Of those, that came to nothing.
    pub failed: u64,
    /// Contacts that wait on the floor, where it is watched.
    pub waiting: u64,
}

/// Plays `scenario` against `target`. `watch` is told how far it has come, some times a second.
///
/// A target that is lost in mid-run, or trouble of this machine, ends the run in order: what was measured until then is in the
/// results, which say why they were cut.
///
/// # Errors
/// [`LoadError`], before anything is put under load.
pub fn run(
    scenario: &Scenario,
    target: &Target,
    options: &Options<'_>,
    watch: &(dyn Fn(Snapshot) + Sync),
) -> Result<LoadResults, LoadError> {
    check(scenario, target, options)?;
    let model = Model::new(scenario)?;
    let seed = options.seed.unwrap_or(scenario.seed);
    let timescale = Timescale { start_us: start_us(scenario), speed: options.speed };
    let operators = match target {
        Target::Callfloor { .. } => model.plan.config.operators.len(),
        Target::Sip { .. } => 0,
    };
    let own_operators = (0..operators).filter(|id| options.shard.has_operator(u32::try_from(*id).unwrap_or(0))).count();
    limits::check(own_operators, options.threads)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(options.threads.clamp(1, 4))
        .enable_all()
        .build()
        .map_err(LoadError::system("the system gives no threads"))?;
    let place = Place::resolve(target, options)?;
    let ready = place.make_ready(&runtime, &model, timescale, target, options.telephones_port != 0)?;
    let (plan_us, rest_us) = longest_us(scenario, timescale, options);
    let online = place.server.as_ref().zip(ready.as_ref()).map(|(server, ready)| Online {
        runtime: runtime.handle().clone(),
        site: Arc::new(Pool::new(server.clone(), ready.session.clone())),
    });
    let calls = |class: u16| if is_phone(scenario, class) { Way::Call } else { Way::None };
    let calls = (0_u16..).take(scenario.classes.len()).map(calls);
    let setup = Setup {
        model: &model,
        behaviour: Behaviour::new(&model, seed, options.replication),
        timescale,
        clock: Clock::default(),
        shard: options.shard,
        peer: place.sip,
        reach: Reach::of(place.sip.ip(), options.allowed),
        road: place.road.clone(),
        uris: uris(scenario, target, place.sip, ready.as_ref()),
        ways: ready.as_ref().map_or_else(|| calls.collect(), |ready| ready.ways.clone()),
        online,
        floor: ready.as_ref().map(|ready| ready.prepared.clone()),
        sound: options.sound,
        credentials: match target {
            Target::Sip { credentials, .. } => credentials.clone(),
            Target::Callfloor { .. } => None,
        },
        cases: Cases::default(),
        waiting: Arc::new(AtomicU64::new(0)),
        plan_us,
        rest_us,
        alive_us: Arc::new(AtomicU64::new(0)),
        progress: Progress::new(options.threads),
    };
    Stage { setup: &setup, options, runtime: &runtime, place: &place, floor: ready.as_ref() }.play(seed, target, watch)
}

/// Refuses what cannot be played.
fn check(scenario: &Scenario, target: &Target, options: &Options<'_>) -> Result<(), LoadError> {
    let asked = |problem: String| Err(LoadError::Asked(problem));
    let Shard { number, of } = options.shard;
    if !(options.speed >= 1.0 && options.speed.is_finite()) {
        return asked(format!("a speed of {}: 1 (real time) or more is right", options.speed));
    }
    if !(1..=of).contains(&number) {
        return asked(format!("shard {number}/{of}: shards are numbered from 1, as in 2/8"));
    }
    if options.start_at_us.is_some_and(|at| at <= wall_us()) {
        return asked("the moment at which the run is to begin is over: give one to come (--start-at)".into());
    }
    if options.gone_limit < Duration::from_secs(1) {
        return asked("a target that says nothing for less than a second is not lost: 1 s or more is right".into());
    }
    if options.threads == 0 {
        return asked("no thread would play: at least one is needed".into());
    }
    if of > 1 && !options.sound && matches!(target, Target::Callfloor { .. }) {
        return asked("by sound alone the customers of a shard hear that they are served: leave --no-sound out".into());
    }
    let is_right = |rate: f64| rate.is_finite() && rate >= 0.0;
    if let Pace::Rates(legs) = &options.pace {
        let right = |leg: &crate::Leg| is_right(leg.from_per_s) && is_right(leg.to_per_s) && leg.length_us > 0;
        if legs.is_empty() || !legs.iter().all(right) {
            return asked(format!("{}: a rate is 0 or more, and lasts", options.pace));
        }
        if legs.iter().all(|leg| leg.contacts() == 0.0) {
            return asked(format!("{}: nobody would come; a rate above 0 is needed", options.pace));
        }
    }
    if options.pace == Pace::Scenario && matches!(scenario.horizon, Horizon::Days { count, .. } if count > 1) {
        return asked("the scenario is of several days, and one is played: set [run] days = 1, without warm-up".into());
    }
    let any_calls = scenario.classes.iter().any(|class| class.channel == Channel::Phone);
    if !any_calls && matches!(target, Target::Sip { .. }) {
        return asked("nobody calls in this scenario: chats and tickets go to a Callfloor server (--url)".into());
    }
    if scenario.classes.is_empty() {
        return asked("nobody comes in this scenario".into());
    }
    if scenario.classes.len() > 999 {
        return asked(format!("{} classes of customers: at most 999 can be played", scenario.classes.len()));
    }
    Ok(())
}

/// Who is called by the customers of each class.
fn uris(scenario: &Scenario, target: &Target, sip: SocketAddr, ready: Option<&Ready>) -> Vec<Option<String>> {
    let named = |name: &str| -> String {
        name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).collect()
    };
    let user = |class: usize, described: &CustomerClass| {
        if !is_phone(scenario, u16::try_from(class).ok()?) {
            return None;
        }
        match target {
            Target::Sip { target, .. } => Some(target.user.clone().unwrap_or_else(|| named(&described.name))),
            Target::Callfloor { .. } => ready?.dialled.get(class)?.clone(),
        }
    };
    let classes = scenario.classes.iter().enumerate();
    classes.map(|(class, described)| Some(format!("sip:{}@{sip}", user(class, described)?))).collect()
}

/// How long the plan of a run is, and how long the run may take beyond it, in microseconds of real time.
fn longest_us(scenario: &Scenario, timescale: Timescale, options: &Options<'_>) -> (Micros, Micros) {
    /// After closing time, in microseconds of the scenario: whoever still waits then waits for nobody.
    const AFTER_CLOSING_US: u64 = 4 * callfloor_scenario::clock::HOUR_US;
    const FOR_EVER_US: u64 = u64::MAX / 4;
    let patience = u64::try_from(options.patience.as_micros()).unwrap_or(FOR_EVER_US);
    match (options.pace.length_us(), scenario.horizon) {
        (Some(length), _) => (length, patience),
        // A steady state is cut off at its end, as it is in a simulation.
        (None, Horizon::Steady { warm_up_us, length_us }) => (timescale.real_us(warm_up_us + length_us), 0),
        (None, Horizon::Days { to_us, .. }) => {
            let closing = timescale.real_at(scenario.clock.instant_us(0, to_us));
            (closing, timescale.real_us(AFTER_CLOSING_US).saturating_add(patience))
        }
        (None, Horizon::Calls { .. }) => (FOR_EVER_US, 0),
    }
}

/// Why there is no connection, and what would be right.
fn unreachable(road: &Road, problem: &std::io::Error) -> String {
    let transport = road.transport.as_str();
    match problem.kind() {
        std::io::ErrorKind::ConnectionRefused => {
            format!("nobody listens there for SIP over {transport}: is it started, and is this its port?")
        }
        std::io::ErrorKind::InvalidData => {
            format!(
                "its certificate is not trusted: {problem}; where it is your own, give the authority that signed it: --ca FILE.pem"
            )
        }
        _ => format!("no connection by {transport}: {problem}"),
    }
}

/// Where things are.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) sip: SocketAddr,
    pub(crate) server: Option<Server>,
    /// How SIP goes there, where by a stream.
    pub(crate) road: Option<Road>,
    /// What a reader must know of it.
    pub(crate) notes: Vec<String>,
}

impl Place {
    fn resolve(target: &Target, options: &Options<'_>) -> Result<Self, LoadError> {
        let mut notes = Vec::new();
        let (sip, server) = match target {
            Target::Sip { target, ca, .. } => {
                let address = target.place.resolve(options.allowed)?;
                if let Some(road) = Road::to(target, address, ca.as_deref())? {
                    // That it comes about is known before the load begins.
                    road.open().map_err(|problem| LoadError::Sip { address, problem: unreachable(&road, &problem) })?;
                    return Ok(Self { sip: address, server: None, road: Some(road), notes });
                }
                (address, None)
            }
            Target::Callfloor { sip: Some(sip), .. } if sip.transport.is_reliable() => {
                let problem = "telephones of a Callfloor server are played by UDP: give --sip without a transport; calls alone go \
                               by TCP or TLS: --target 'sip:NUMBER@HOST;transport=tcp'";
                return Err(LoadError::Asked(problem.into()));
            }
            Target::Callfloor { url, sip, ca, .. } => {
                let address = url.place.resolve(options.allowed)?;
                let sip = sip.as_ref().map(|sip| sip.place.resolve(options.allowed)).transpose()?;
                let server = Server::new(url.clone(), address, ca.as_deref())?;
                (sip.unwrap_or(SocketAddr::new(address.ip(), 5_060)), Some(server))
            }
        };
        let refuse = |problem: &str| Err(LoadError::Sip { address: sip, problem: problem.into() });
        match limits::ask_sip(sip, Duration::from_secs(2)).map_err(LoadError::system("SIP cannot be asked"))? {
            Presence::Answers => {}
            Presence::Refused => {
                return refuse("nobody listens there for SIP over UDP: is it started, and is this its port?");
            }
            Presence::Silent if server.is_some() => {
                return refuse("no answer to OPTIONS in 2 s: is this the server's SIP address (--sip ADDRESS)?");
            }
            Presence::Silent => {
                notes.push(format!("sip:{sip} does not answer OPTIONS; that it is there was not checked"))
            }
        }
        Ok(Self { sip, server, road: None, notes })
    }

    fn make_ready(
        &self,
        runtime: &Runtime,
        model: &Model<'_>,
        timescale: Timescale,
        target: &Target,
        plays_outside: bool,
    ) -> Result<Option<Ready>, LoadError> {
        let (Some(server), Target::Callfloor { login, password, .. }) = (&self.server, target) else { return Ok(None) };
        runtime.block_on(async {
            let mut connection = server.connect().await?;
            Ok(Some(prepare(&mut connection, (login, password), model, timescale, plays_outside).await?))
        })
    }
}
