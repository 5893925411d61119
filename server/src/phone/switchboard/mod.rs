//! The task that owns every leg.

mod acts;
mod facts;
mod supervision;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use callfloor_engine::{AudioId, CallId, Command, LegId, OfferId, OperatorId};
use callfloor_sip::media::{Media, MixId, SessionId, Source};
use callfloor_sip::{Bound, Endpoint, Event, Invite, RequestId, Via};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use self::supervision::Supervised;
use super::audio::Clips;
use super::browser::{self, Absent, Browser, BrowserRefused};
use super::exchange::{Exchange, Extension, Fact};
use super::leg::{Heard, Hears, Leg, Role, State};
use super::recordings::{Changed, Recordings};
use super::registration::{Registration, Restored, number, takes_connections};
use super::telephone::{Binding, Bindings, Device, Telephone};
use super::trunk::Route;
use crate::host::{Answer, Handle, Happened, Turn};
use crate::http::{Desk, Problem};
use crate::storage::StorageError;

/// The parts of a switchboard, made before its host is opened: the host needs the performer.
pub struct StartPhones {
    outputs: mpsc::UnboundedReceiver<Happened>,
    orders: mpsc::UnboundedReceiver<Order>,
    recordings: mpsc::UnboundedReceiver<Changed>,
    phones: Phones,
}

impl std::fmt::Debug for StartPhones {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StartPhones").finish_non_exhaustive()
    }
}

/// Orders to the switchboard; cheap to clone.
#[derive(Clone, Debug)]
pub struct Phones {
    orders: mpsc::UnboundedSender<Order>,
    recordings: mpsc::UnboundedSender<Changed>,
}

#[derive(Debug)]
enum Order {
    /// Answer at the widget.
    Answer { operator: OperatorId, offer: OfferId, answer: WidgetAnswer },
    /// A telephone was changed by an administrator.
    Telephone(Telephone),
    /// A browser's audio is to be connected: its offer, and where it is.
    Browser {
        operator: OperatorId,
        offer: String,
        towards: IpAddr,
        answered: oneshot::Sender<Result<String, BrowserRefused>>,
    },
    /// Whether an operator's device could be called, and hear a call.
    Reach { operator: OperatorId, call: CallId, answered: oneshot::Sender<Result<(), OutOfReach>> },
    /// What a job that the switchboard posted came to.
    Done(Done),
}

/// What a job of the switchboard's own came to.
#[derive(Debug)]
enum Done {
    /// The engine did not take a call that came in.
    NotTaken { reference: u64, code: u16 },
    /// The engine refused an answer: the offer is over.
    AnswerRefused { leg: LegId },
    /// An operator's dial from their telephone was refused.
    DialRefused { operator: OperatorId },
    /// A transfer that a telephone asked for.
    Referred { request: RequestId, done: bool },
    /// A telephone's registration is kept, or is not.
    Registered { request: RequestId, bound: Vec<Bound>, kept: bool },
    /// Whether a telephone takes a new connection in place of one that ended with the process before this one.
    Tried { operator: OperatorId, binding: Binding, takes: bool },
    /// A browser's connection is over.
    BrowserGone { operator: OperatorId, session: SessionId },
}

/// Why the widget's answer did not come to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AnswerRefused {
    /// The offer does not ring there.
    #[error("nothing of that number rings at this operator's device")]
    NotRinging,
    /// The telephone cannot be answered from here.
    #[error("this telephone does not answer by itself: answer on the telephone")]
    AnswerOnPhone,
    /// The telephone could not be reached.
    #[error("the telephone did not answer")]
    NoAnswer,
}

/// Why an operator's device could not be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OutOfReach {
    /// The device is a browser without a connection.
    #[error(
        "your browser has no audio yet: the phone at the side of the console says what it waits for; allow the page to use the \
         microphone, or reload the page, and try again"
    )]
    NoBrowserAudio,
    /// The device is a telephone that is not registered.
    #[error(
        "your telephone is not registered: connect it, or have an administrator set your device to browser, and try again"
    )]
    NotRegistered,
    /// The server mixes as much audio as it may.
    #[error("there is no room for the audio of one more: try again when some of the server's calls are over")]
    NoRoom,
}

impl Phones {
    /// Channels for a switchboard that starts later; the first part goes into the host's opening as its performer.
    #[must_use]
    pub fn prepare() -> (crate::host::Performer, StartPhones) {
        let (send, outputs) = mpsc::unbounded_channel();
        let (orders, receive) = mpsc::unbounded_channel();
        let (recordings, changes) = mpsc::unbounded_channel();
        let performer = Box::new(move |happened: &Happened| {
            // A server that is going down performs no more.
            let _ = send.send(*happened);
        });
        let phones = Self { orders, recordings };
        (performer, StartPhones { outputs, orders: receive, recordings: changes, phones })
    }

    /// Answers an offer at the widget: a browser at once, a telephone where it answers by itself when called. `job` gives the
    /// engine the answer once the device has answered; it is run in the loop.
    ///
    /// # Errors
    /// [`AnswerRefused`], where it did not come to that; what the job says is in its own answer.
    pub async fn answer(
        &self,
        operator: OperatorId,
        offer: OfferId,
        job: impl FnOnce(&mut Turn<'_>) -> Result<Desk, Problem> + Send + Sync + 'static,
    ) -> Result<Result<Desk, Problem>, AnswerRefused> {
        let (told, wait) = oneshot::channel();
        let answer = WidgetAnswer { job: Box::new(job), told };
        let sent = self.orders.send(Order::Answer { operator, offer, answer });
        sent.map_err(|_| AnswerRefused::NotRinging)?;
        wait.await.unwrap_or(Err(AnswerRefused::NoAnswer))
    }

    /// Connects an operator's browser: gives the answer to its offer. A connection that they had before is let go.
    ///
    /// # Errors
    /// [`BrowserRefused`].
    pub async fn connect_browser(
        &self,
        operator: OperatorId,
        offer: String,
        towards: IpAddr,
    ) -> Result<String, BrowserRefused> {
        let (answered, wait) = oneshot::channel();
        let sent = self.orders.send(Order::Browser { operator, offer, towards, answered });
        sent.map_err(|_| BrowserRefused::Stopped)?;
        wait.await.unwrap_or(Err(BrowserRefused::Stopped))
    }

    /// Whether an operator's device could be called now, and hear a call.
    ///
    /// # Errors
    /// [`OutOfReach`].
    pub async fn reach(&self, operator: OperatorId, call: CallId) -> Result<(), OutOfReach> {
        let (answered, wait) = oneshot::channel();
        // A server that is going down calls nobody: whoever asks is told so elsewhere.
        if self.orders.send(Order::Reach { operator, call, answered }).is_err() {
            return Ok(());
        }
        wait.await.unwrap_or(Ok(()))
    }

    /// Tells of a telephone that an administrator has changed.
    pub fn changed(&self, telephone: Telephone) {
        // A server that is going down needs no news.
        let _ = self.orders.send(Order::Telephone(telephone));
    }

    /// Loads a recording, or the text that is spoken, as it is stored now, and which one is heard while a number rings. When
    /// this returns, who calls hears it.
    pub async fn audio_changed(&self, audio: Option<AudioId>) {
        let (heard, wait) = oneshot::channel();
        // A server that is going down plays nothing more.
        if self.recordings.send((audio, heard)).is_ok() {
            let _ = wait.await;
        }
    }
}

impl StartPhones {
    /// Orders to the switchboard that will run.
    #[must_use]
    pub const fn phones(&self) -> &Phones {
        &self.phones
    }

    /// Loads every recording, then runs the organisation's switchboard on the present runtime until its host ends; it then
    /// hangs up what it has, and ends too.
    ///
    /// # Errors
    /// What storage says of the recordings.
    pub async fn run(
        self,
        host: Handle,
        telephones: Vec<Telephone>,
        restored: Restored,
        exchange: &Exchange,
        organisation: &str,
    ) -> Result<JoinHandle<()>, StorageError> {
        let clips = Arc::<Clips>::default();
        let speech = exchange.speech().to_vec();
        let recordings = Recordings { host: host.clone(), clips: Arc::clone(&clips), speech };
        recordings.load_all().await?;
        tokio::spawn(recordings.follow(self.recordings));
        let extension = exchange.join(organisation);
        let mut switchboard = Switchboard {
            host,
            endpoint: extension.endpoint().clone(),
            media: Arc::clone(extension.media()),
            extension,
            own: self.phones,
            clips,
            telephones: telephones.into_iter().map(|telephone| (telephone.operator(), telephone)).collect(),
            bindings: restored.bindings,
            trying: HashSet::new(),
            browsers: HashMap::new(),
            absent: Absent::default(),
            legs: BTreeMap::new(),
            by_sip: HashMap::new(),
            by_session: HashMap::new(),
            coming: HashMap::new(),
            lines: HashMap::new(),
            numbers: HashMap::new(),
            dials: HashMap::new(),
            widget: HashMap::new(),
            mixes: HashMap::new(),
            supervised: HashMap::new(),
            references: 0,
        };
        for (operator, binding) in restored.to_try {
            switchboard.try_again(operator, binding);
        }
        Ok(tokio::spawn(switchboard.run(self.outputs, self.orders)))
    }
}

/// What a dialog belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Owner {
    /// A call that the engine has not taken yet.
    Coming(u64),
    /// A leg.
    Leg(LegId),
    /// An operator's telephone that is called ahead of their dial, or that called us.
    Line(OperatorId),
}

/// A caller whom the engine has not taken yet.
#[derive(Debug)]
struct Coming {
    leg: Leg,
    caller: String,
    /// Hung up meanwhile.
    gone: bool,
}

/// An operator's telephone, called ahead of their dial or calling us.
#[derive(Debug)]
struct Line {
    sip: callfloor_sip::LegId,
    session: SessionId,
    /// Answered, or calling us: then our answer is still due.
    up: bool,
    /// Their offer, where they call us.
    offer: Option<Option<String>>,
}

/// A dial that waits for the operator's telephone.
#[derive(Clone, Debug)]
struct Dial {
    operator: OperatorId,
    to: Option<(LegId, String, Option<String>)>,
}

/// What gives an answer to the engine.
type AnswerJob = Box<dyn FnOnce(&mut Turn<'_>) -> Result<Desk, Problem> + Send + Sync>;

/// An answer at the widget that waits for the device.
struct WidgetAnswer {
    /// Gives it to the engine.
    job: AnswerJob,
    told: oneshot::Sender<Result<Result<Desk, Problem>, AnswerRefused>>,
}

impl std::fmt::Debug for WidgetAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WidgetAnswer").finish_non_exhaustive()
    }
}

impl WidgetAnswer {
    fn refuse(self, why: AnswerRefused) {
        // Who asked may have gone.
        let _ = self.told.send(Err(why));
    }
}

struct Switchboard {
    host: Handle,
    /// The way to the world: calls and audio sessions are begun there, so that what comes of them comes here.
    extension: Extension,
    endpoint: Endpoint,
    media: Arc<dyn Media>,
    own: Phones,
    clips: Arc<Clips>,
    telephones: HashMap<OperatorId, Telephone>,
    bindings: Bindings,
    /// Telephones whose connections ended with the process before this one, and which are being asked for others.
    trying: HashSet<(OperatorId, SocketAddr)>,
    /// Operators' browsers that are connected.
    browsers: HashMap<OperatorId, Browser>,
    absent: Absent,
    /// Those of a call stand together.
    legs: BTreeMap<LegId, Leg>,
    by_sip: HashMap<callfloor_sip::LegId, Owner>,
    by_session: HashMap<SessionId, Owner>,
    coming: HashMap<u64, Coming>,
    lines: HashMap<OperatorId, Line>,
    /// The customer's number, by call: what an operator's telephone shows.
    numbers: HashMap<CallId, String>,
    dials: HashMap<CallId, Dial>,
    /// Offers that are answered at the widget while their telephone is being called; a request may come again meanwhile.
    widget: HashMap<OfferId, Vec<WidgetAnswer>>,
    /// Of conferences and supervised calls.
    mixes: HashMap<CallId, MixId>,
    /// Calls that a supervisor hears.
    supervised: HashMap<CallId, Supervised>,
    references: u64,
}

/// How often bindings are looked at.
const TIDY: Duration = Duration::from_secs(1);

impl Switchboard {
    async fn run(mut self, mut outputs: mpsc::UnboundedReceiver<Happened>, mut orders: mpsc::UnboundedReceiver<Order>) {
        let mut tidy = tokio::time::interval(TIDY);
        loop {
            tokio::select! {
                biased;
                happened = outputs.recv() => match happened {
                    Some(happened) => self.perform(&happened).await,
                    None => break,
                },
                Some(fact) = self.extension.next() => match fact {
                    Fact::Sip(event) => self.sip(event).await,
                    Fact::Audio(event) => self.heard(event).await,
                },
                Some(order) = orders.recv() => self.order(order).await,
                _ = tidy.tick() => self.tidy().await,
            }
        }
        self.let_go();
    }

    /// Hangs up everything, and refuses what came and was not looked at.
    fn let_go(&mut self) {
        while let Some(fact) = self.extension.left() {
            match fact {
                Fact::Sip(Event::Incoming(incoming)) => self.sent(self.endpoint.reject(incoming.leg, 503, Some(5))),
                Fact::Sip(Event::Register(request)) => self.sent(self.endpoint.refuse(request.id, 503)),
                _ => {}
            }
        }
        for sip in self.by_sip.keys() {
            // An endpoint that has stopped has hung up already.
            let _ = self.endpoint.hang_up(*sip);
        }
        for session in self.by_session.keys() {
            self.extension.close(*session);
        }
        for browser in self.browsers.values() {
            self.extension.close(browser.session);
        }
        for mix in self.mixes.values() {
            self.media.close_mix(*mix);
        }
    }

    /// Tells the engine a fact. Its refusal means that the engine knows better, and is logged only.
    async fn tell(&self, command: Command) {
        let told = self.host.post(move |turn| {
            let applied = turn.apply(command);
            if let Err(refused) = &applied {
                tracing::debug!(%refused, "a fact of the world came too late");
            }
            applied.map(drop)
        });
        if told.await.is_err() {
            tracing::warn!("the engine has stopped: a fact of the world is lost");
        }
    }

    /// Runs a job whose outcome comes back as an order.
    async fn ask(
        &self,
        job: impl FnOnce(&mut Turn<'_>) -> Result<(), u16> + Send + 'static,
        done: impl FnOnce(Result<(), u16>) -> Option<Done> + Send + 'static,
    ) {
        let own = self.own.clone();
        let told = move |answer: Answer<Result<(), u16>>| {
            if let Some(done) = done(answer.unwrap_or(Err(503))) {
                // A switchboard that has ended needs no news.
                let _ = own.orders.send(Order::Done(done));
            }
        };
        self.host.post_then(job, told).await;
    }

    async fn order(&mut self, order: Order) {
        match order {
            Order::Answer { operator, offer, answer } => self.widget_answer(operator, offer, answer).await,
            Order::Telephone(telephone) => {
                let operator = telephone.operator();
                if self.telephones.get(&operator).is_some_and(|known| *known != telephone) {
                    self.forget_registration(operator).await;
                }
                if telephone.device != Device::Browser {
                    self.browsers.remove(&operator);
                    self.absent.back(operator);
                }
                self.telephones.insert(operator, telephone);
            }
            Order::Browser { operator, offer, towards, answered } => {
                // Who asked may have gone.
                let _ = answered.send(self.connect_browser(operator, &offer, towards).await);
            }
            Order::Reach { operator, call, answered } => {
                // Who asked may have gone.
                let _ = answered.send(self.reach(operator, call));
            }
            Order::Done(Done::BrowserGone { operator, session }) => self.browser_gone(operator, session),
            Order::Done(Done::NotTaken { reference, code }) => {
                if let Some(coming) = self.coming.remove(&reference) {
                    self.refuse(coming.leg, code);
                }
            }
            Order::Done(Done::AnswerRefused { leg }) => self.drop_leg(leg),
            Order::Done(Done::DialRefused { operator }) => self.drop_line(operator),
            Order::Done(Done::Registered { request, bound, kept: true }) => {
                self.sent(self.endpoint.accept_register(request, bound));
            }
            // It asks again.
            Order::Done(Done::Registered { request, kept: false, .. }) => self.sent(self.endpoint.refuse(request, 503)),
            Order::Done(Done::Tried { operator, binding, takes }) => self.tried(operator, binding, takes).await,
            Order::Done(Done::Referred { request, done }) => {
                self.sent(self.endpoint.report_refer(request, if done { 200 } else { 603 }));
            }
        }
    }

    async fn tidy(&mut self) {
        for operator in self.bindings.expire() {
            tracing::info!(%operator, "telephone's registration has run out");
            self.forget_registration(operator).await;
            self.tell(Command::DeviceLost { operator }).await;
        }
        for operator in self.absent.expire() {
            tracing::info!(%operator, "browser is gone");
            self.tell(Command::DeviceLost { operator }).await;
        }
    }

    /// Nothing is known any more of where an operator's telephone is, nor after a restart.
    async fn forget_registration(&mut self, operator: OperatorId) {
        self.bindings.forget(operator);
        self.trying.retain(|(whose, _)| *whose != operator);
        let forgotten = self.host.post(move |turn| {
            turn.documents().delete::<Registration>(number(operator));
            Ok::<_, ()>(())
        });
        if forgotten.await.is_err() {
            tracing::warn!("the engine has stopped: a registration stays in the store until it runs out");
        }
    }

    /// A telephone whose connection ended with the process before this one is asked for another.
    fn try_again(&mut self, operator: OperatorId, binding: Binding) {
        let (own, address) = (self.own.clone(), binding.flow.remote);
        self.trying.insert((operator, address));
        tokio::spawn(async move {
            let takes = takes_connections(address).await;
            // A switchboard that has ended needs no news.
            let _ = own.orders.send(Order::Done(Done::Tried { operator, binding, takes }));
        });
    }

    async fn tried(&mut self, operator: OperatorId, binding: Binding, takes: bool) {
        let wanted = self.trying.remove(&(operator, binding.flow.remote));
        // One that has registered meanwhile is where it says.
        if !wanted || self.bindings.of(operator).is_some() {
            return;
        }
        if !takes {
            return tracing::info!(%operator, "telephone's connection is gone: it has to register again");
        }
        self.bindings.restore(operator, binding);
        self.tell(Command::DeviceRestored { operator }).await;
    }

    /// What the endpoint refuses is no more than that it is going down, or far behind: the leg's own time limits end it.
    fn sent(&self, order: Result<(), callfloor_sip::OrderError>) {
        if let Err(problem) = order {
            tracing::warn!(%problem, "SIP");
        }
    }

    /// Connects a browser in the place of one that the operator had; what they hear and who hears them goes on.
    async fn connect_browser(
        &mut self,
        operator: OperatorId,
        offer: &str,
        towards: IpAddr,
    ) -> Result<String, BrowserRefused> {
        if self.device(operator) != Device::Browser {
            return Err(BrowserRefused::OtherDevice);
        }
        let own = self.own.clone();
        let gone = move |session| {
            // A switchboard that has ended needs no news.
            let _ = own.orders.send(Order::Done(Done::BrowserGone { operator, session }));
        };
        let session = self.extension.open()?;
        let ports = self.extension.browser_ports();
        let connected = browser::connect(&self.media, session, ports, offer, towards, gone).await;
        let (browser, answer) = match connected {
            Ok(connected) => connected,
            Err(refused) => {
                self.extension.close(session);
                return Err(refused);
            }
        };
        if let Some(before) = self.browsers.insert(operator, browser) {
            self.extension.close(before.session);
        }
        self.absent.back(operator);
        let legs: Vec<LegId> =
            self.legs.iter().filter(|(_, leg)| leg.role == Role::Operator(operator)).map(|(id, _)| *id).collect();
        for id in legs {
            if let Some(leg) = self.legs.get_mut(&id) {
                leg.session = Some(session);
            }
            self.by_session.insert(session, Owner::Leg(id));
            self.apply_hearing(id);
            for listener in self.listeners_of(id) {
                self.apply_hearing(listener);
            }
        }
        self.tell(Command::DeviceRestored { operator }).await;
        Ok(answer)
    }

    /// A browser's connection is over; its legs hear nothing until it is back.
    fn browser_gone(&mut self, operator: OperatorId, session: SessionId) {
        if self.browsers.get(&operator).is_none_or(|browser| browser.session != session) {
            // Another has taken its place.
            return;
        }
        self.browsers.remove(&operator);
        self.by_session.remove(&session);
        for leg in self.legs.values_mut().filter(|leg| leg.session == Some(session)) {
            leg.session = None;
        }
        self.extension.close(session);
        self.absent.gone(operator);
    }

    fn device(&self, operator: OperatorId) -> Device {
        self.telephones.get(&operator).map_or(Device::SipPhone, |telephone| telephone.device)
    }

    /// The call's mix is open afterwards: nobody else takes its room before the supervisor is there.
    fn reach(&mut self, operator: OperatorId, call: CallId) -> Result<(), OutOfReach> {
        match self.device(operator) {
            Device::Browser if !self.browsers.contains_key(&operator) => return Err(OutOfReach::NoBrowserAudio),
            Device::SipPhone if self.bindings.of(operator).is_none() => return Err(OutOfReach::NotRegistered),
            Device::SipPhone => {
                let session = self.extension.open().map_err(|_| OutOfReach::NoRoom)?;
                self.extension.close(session);
            }
            Device::Browser => {}
        }
        // A call that is over has no leg that would close its mix.
        let is_live = self.legs.keys().any(|leg| leg.call == call);
        if is_live && self.mix_of(call).is_none() { Err(OutOfReach::NoRoom) } else { Ok(()) }
    }

    /// Calls an operator's telephone; `None` where it is not registered or there is no room for its audio.
    fn call_telephone(
        &mut self,
        operator: OperatorId,
        caller: String,
        auto_answer: bool,
        owner: Owner,
    ) -> Option<(callfloor_sip::LegId, SessionId)> {
        let binding = self.bindings.of(operator)?.clone();
        let session = self.extension.open().ok()?;
        let invite = Invite {
            target: binding.uri,
            via: Via::Flow(binding.flow),
            caller,
            domain: Some(self.extension.domain.clone()),
            offer: Some(self.media.offer(session).ok()?),
            auto_answer,
            ..Invite::default()
        };
        let Ok(sip) = self.extension.invite(invite) else {
            self.extension.close(session);
            return None;
        };
        self.by_sip.insert(sip, owner);
        self.by_session.insert(session, owner);
        Some((sip, session))
    }

    /// Calls a number by a trunk.
    fn call_number(
        &mut self,
        number: &str,
        from: Option<String>,
        owner: Owner,
    ) -> Option<(callfloor_sip::LegId, SessionId)> {
        let Route { target, via, credentials } = self.extension.trunks.route(number)?;
        let session = self.extension.open().ok()?;
        let invite = Invite {
            target,
            via,
            caller: from.unwrap_or_else(|| "anonymous".into()),
            domain: Some(self.extension.domain.clone()),
            offer: Some(self.media.offer(session).ok()?),
            credentials,
            ..Invite::default()
        };
        let Ok(sip) = self.extension.invite(invite) else {
            self.extension.close(session);
            return None;
        };
        self.by_sip.insert(sip, owner);
        self.by_session.insert(session, owner);
        Some((sip, session))
    }

    /// Ends a leg in the world and forgets it.
    fn drop_leg(&mut self, id: LegId) {
        self.supervisor_gone(id);
        let Some(leg) = self.legs.remove(&id) else { return };
        self.silence_listeners(id);
        self.hang_up(leg.sip, leg.session, &leg.state);
        if leg.role == Role::Customer {
            self.numbers.remove(&id.call);
        }
        if self.legs_of(id.call).next().is_none()
            && let Some(mix) = self.mixes.remove(&id.call)
        {
            self.media.close_mix(mix);
        }
    }

    fn drop_line(&mut self, operator: OperatorId) {
        if let Some(line) = self.lines.remove(&operator) {
            self.hang_up(Some(line.sip), Some(line.session), &State::Connected);
        }
    }

    fn hang_up(&mut self, sip: Option<callfloor_sip::LegId>, session: Option<SessionId>, state: &State) {
        if let Some(sip) = sip {
            self.by_sip.remove(&sip);
            let ended = if matches!(state, State::Ringing(_)) {
                self.endpoint.hang_up_because(sip, r#"SIP;cause=200;text="Call completed elsewhere""#)
            } else {
                self.endpoint.hang_up(sip)
            };
            self.sent(ended);
        }
        if let Some(session) = session {
            self.by_session.remove(&session);
            if self.browsers.values().any(|browser| browser.session == session) {
                // It stays connected for the next call.
                if let Err(problem) = self.media.hear(session, Source::Silence) {
                    tracing::warn!(%problem, "audio");
                }
            } else {
                self.extension.close(session);
            }
        }
    }

    /// Refuses a caller with a code.
    fn refuse(&mut self, leg: Leg, code: u16) {
        if let Some(sip) = leg.sip {
            self.by_sip.remove(&sip);
            self.sent(self.endpoint.reject(sip, code, (code == 503).then_some(5)));
        }
        if let Some(session) = leg.session {
            self.by_session.remove(&session);
            self.extension.close(session);
        }
    }

    /// Who heard a leg hears nothing now.
    fn silence_listeners(&mut self, gone: LegId) {
        for listener in self.listeners_of(gone) {
            self.let_hear(listener, Hears::Nothing);
        }
    }

    fn legs_of(&self, call: CallId) -> impl Iterator<Item = (LegId, &Leg)> {
        let all = LegId { call, leg: 0 }..=LegId { call, leg: u16::MAX };
        self.legs.range(all).map(|(id, leg)| (*id, leg))
    }

    /// Who hears a leg: others of its call.
    fn listeners_of(&self, id: LegId) -> Vec<LegId> {
        self.legs_of(id.call).filter(|(_, leg)| leg.hears == Hears::Leg(id)).map(|(listener, _)| listener).collect()
    }

    /// A supervisor's leg is over.
    fn supervisor_gone(&mut self, id: LegId) {
        if self.supervised.get(&id.call).is_some_and(|supervised| supervised.leg == id) {
            self.end_supervision(id.call);
        }
    }

    /// Lets a leg hear something; a caller who is not answered yet is answered for it.
    fn let_hear(&mut self, id: LegId, hears: Hears) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        leg.hears = hears;
        if let (State::Calling(offer), Some(sip), Some(session)) = (&leg.state, leg.sip, leg.session)
            && hears != Hears::Nothing
        {
            let answer = match offer {
                Some(offer) => self.media.answer(session, offer),
                None => self.media.offer(session),
            };
            leg.state = State::Connected;
            match answer {
                Ok(sdp) => self.sent(self.endpoint.answer(sip, sdp)),
                Err(problem) => {
                    tracing::info!(leg = %id, %problem, "a caller's audio cannot be spoken");
                    self.sent(self.endpoint.reject(sip, 488, None));
                    return;
                }
            }
        }
        self.apply_hearing(id);
        if self.supervised.contains_key(&id.call) {
            self.refresh_hearing(id.call);
        }
    }

    /// Tells the media engine what a leg hears.
    fn apply_hearing(&mut self, id: LegId) {
        let Some(leg) = self.legs.get(&id) else { return };
        let Some(session) = leg.session else { return };
        let clip = |audio| self.clips.get(audio);
        let mixed = self.supervised_hearing(id).map(Source::Mix);
        let source = mixed.unwrap_or_else(|| match leg.hears {
            Hears::Nothing => Source::Silence,
            Hears::Music(audio) => Source::Clip { clip: clip(audio), repeat: true },
            Hears::Announcement(audio) => Source::Clip { clip: clip(audio), repeat: false },
            Hears::RingBack => Source::Clip { clip: self.clips.ring_back(), repeat: true },
            Hears::Leg(other) => match self.legs.get(&other).and_then(|other| other.session) {
                Some(peer) => Source::Peer(peer),
                None => Source::Silence,
            },
            Hears::Conference(call) => match self.mixes.get(&call) {
                Some(mix) => Source::Mix(*mix),
                None => Source::Silence,
            },
        });
        let heard = match &source {
            Source::Peer(peer) => Heard::Peer(*peer),
            Source::Mix(mix) => Heard::Mix(*mix),
            _ => Heard::Else,
        };
        if let Some(leg) = self.legs.get_mut(&id) {
            leg.heard = Some((session, heard));
        }
        if let Err(problem) = self.media.hear(session, source) {
            tracing::warn!(leg = %id, %problem, "audio");
        }
    }
}
