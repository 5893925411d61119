//! What organisations share of their telephones: the SIP endpoint, the audio and the carriers. Each organisation has a
//! switchboard of its own; here is decided whose a call or a telephone is that comes in, and each is told its own facts alone.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use callfloor_sip::media::{Media, MediaEvent, MediaEvents, SessionId, SessionOptions};
use callfloor_sip::{Endpoint, Event, Events, Incoming, Invite, LegId, MediaError, OrderError, RegisterRequest};
use tokio::sync::mpsc;

use super::browser::BrowserPorts;
use super::line::{Bound, PhoneLine};
use super::registration::{Registration, Restored};
use super::telephone::Telephone;
use super::trunk::Trunks;
use crate::config::Trunk;
use crate::tenant::Tenants;

/// Facts that may wait for one switchboard before new calls and registrations of its organisation are refused.
const MOST_WAITING: usize = 8_192;
/// What Retry-After says where an organisation cannot be reached now, in seconds.
const RETRY_AFTER_S: u32 = 5;

/// A fact of the world, for the switchboard that it concerns.
#[derive(Debug)]
pub(super) enum Fact {
    Sip(Event),
    Audio(MediaEvent),
}

/// The common part of all telephones; cheap to clone.
#[derive(Clone, Debug)]
pub struct Exchange {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    endpoint: Endpoint,
    media: Arc<dyn Media>,
    trunks: BTreeMap<String, Trunk>,
    main_domain: String,
    data: PathBuf,
    speech: Vec<String>,
    browsers: BrowserPorts,
    routing: Mutex<Routing>,
}

/// Whose is what.
#[derive(Debug, Default)]
struct Routing {
    by_name: BTreeMap<String, Listed>,
    legs: HashMap<LegId, Switchboard>,
    sessions: HashMap<SessionId, Switchboard>,
}

/// An organisation, whether it is served now or not: its domain and numbers are nobody else's meanwhile.
#[derive(Debug)]
struct Listed {
    domain: String,
    numbers: Vec<String>,
    switchboard: Option<Switchboard>,
}

/// The way to a switchboard.
#[derive(Clone, Debug)]
struct Switchboard {
    facts: mpsc::UnboundedSender<Fact>,
    waiting: Arc<AtomicUsize>,
}

impl Switchboard {
    /// Tells a fact; whoever has gone gives it back, and has hung up what it had.
    fn tell(&self, fact: Fact) -> Result<(), Box<Fact>> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.facts.send(fact).map_err(|gone| Box::new(gone.0))
    }

    /// Whether it takes new calls and registrations: it has not gone with its host, and is not behind.
    fn is_there(&self) -> bool {
        !self.facts.is_closed() && self.waiting.load(Ordering::Relaxed) < MOST_WAITING
    }
}

impl Exchange {
    /// Begins to serve telephones on the present runtime, until [`close`](Self::close).
    #[must_use]
    pub fn start(bound: Bound, line: PhoneLine) -> Self {
        let shared = Shared {
            endpoint: bound.endpoint,
            media: Arc::new(bound.media),
            trunks: line.trunks,
            main_domain: line.domain,
            data: line.data,
            speech: line.speech,
            browsers: line.browsers,
            routing: Mutex::default(),
        };
        let exchange = Self { shared: Arc::new(shared) };
        tokio::spawn(exchange.clone().run(bound.events, bound.audio));
        exchange
    }

    /// Lists an organisation, or changes what is listed of it: the domain at which its telephones register and are called,
    /// and the numbers that lead to it. It is reached once its switchboard has joined.
    pub fn list(&self, organisation: &str, domain: &str, numbers: Vec<String>) {
        let mut routing = self.routing();
        let listed = routing.by_name.entry(organisation.to_owned()).or_insert_with(|| Listed {
            domain: String::new(),
            numbers: Vec::new(),
            switchboard: None,
        });
        (listed.domain, listed.numbers) = (domain.to_ascii_lowercase(), numbers);
        let domains = routing.by_name.values().map(|listed| listed.domain.clone()).collect();
        drop(routing);
        if let Err(problem) = self.shared.endpoint.serve_realms(domains) {
            tracing::warn!(%problem, "SIP");
        }
    }

    /// The organisation is not reached any more; its switchboard ends the calls that it has when its host ends.
    pub fn leave(&self, organisation: &str) {
        if let Some(listed) = self.routing().by_name.get_mut(organisation) {
            listed.switchboard = None;
        }
    }

    /// Shows another certificate to whoever connects by TLS from now on.
    pub(crate) fn renew_certificate(&self, config: Arc<rustls::ServerConfig>) {
        self.shared.endpoint.renew_certificate(config);
    }

    /// What registrations that were kept are worth to this process.
    pub(crate) fn restored(&self, kept: Vec<Registration>, telephones: &[Telephone]) -> Restored {
        Restored::new(kept, telephones, &self.shared.endpoint)
    }

    /// Stops the endpoint: what still talks is hung up.
    pub fn close(&self) {
        // It may have stopped already.
        let _ = self.shared.endpoint.shutdown();
    }

    /// Where SIP is served.
    #[must_use]
    pub fn addresses(&self) -> &[SocketAddr] {
        self.shared.endpoint.addresses()
    }

    /// An end for an organisation's switchboard.
    pub(super) fn join(&self, organisation: &str) -> Extension {
        let (facts, receive) = mpsc::unbounded_channel();
        let own = Switchboard { facts, waiting: Arc::default() };
        let mut routing = self.routing();
        let domain = match routing.by_name.get_mut(organisation) {
            Some(listed) => {
                listed.switchboard = Some(own.clone());
                listed.domain.clone()
            }
            None => self.shared.main_domain.clone(),
        };
        drop(routing);
        Extension {
            exchange: self.clone(),
            trunks: Trunks::of(&self.shared.trunks, organisation),
            voicemail: self.voicemail(organisation),
            domain,
            own,
            facts: receive,
        }
    }

    /// The program that speaks texts, with its arguments; empty: none.
    pub(super) fn speech(&self) -> &[String] {
        &self.shared.speech
    }

    /// Where messages that an organisation's callers leave are kept.
    #[must_use]
    pub(crate) fn voicemail(&self, organisation: &str) -> PathBuf {
        let own =
            if organisation == Tenants::MAIN { self.shared.data.clone() } else { self.shared.data.join(organisation) };
        own.join("voicemail")
    }

    fn routing(&self) -> MutexGuard<'_, Routing> {
        self.shared.routing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(self, mut events: Events, mut audio: MediaEvents) {
        loop {
            tokio::select! {
                biased;
                event = events.next() => match event {
                    Some(event) => self.sip(event),
                    None => break,
                },
                Some(event) = audio.next() => self.heard(event),
            }
        }
    }

    fn sip(&self, event: Event) {
        match event {
            Event::Incoming(incoming) => self.incoming(incoming),
            Event::Register(request) => self.register(request),
            Event::Ended { leg, .. } => {
                let owner = self.routing().legs.remove(&leg);
                if let Some(owner) = owner {
                    let _ = owner.tell(Fact::Sip(event));
                }
            }
            Event::Confirmed { leg, .. }
            | Event::Ringing { leg, .. }
            | Event::EarlyMedia { leg, .. }
            | Event::Answered { leg, .. }
            | Event::Offer { leg, .. }
            | Event::OfferAccepted { leg, .. }
            | Event::OfferRefused { leg, .. }
            | Event::Dtmf { leg, .. }
            | Event::Refer { leg, .. }
            | Event::ReferProgress { leg, .. } => {
                let owner = self.routing().legs.get(&leg).cloned();
                if let Some(owner) = owner {
                    let _ = owner.tell(Fact::Sip(event));
                }
            }
            // Registrations of ours at carriers, and what a later endpoint may tell: there are none here.
            _ => {}
        }
    }

    fn heard(&self, event: MediaEvent) {
        let (MediaEvent::Dtmf { session, .. }
        | MediaEvent::ClipFinished { session }
        | MediaEvent::RecordingEnded { session, .. }
        | MediaEvent::FirstPacket { session }
        | MediaEvent::Quiet { session }) = event
        else {
            return;
        };
        let owner = self.routing().sessions.get(&session).cloned();
        if let Some(owner) = owner {
            let _ = owner.tell(Fact::Audio(event));
        }
    }

    fn incoming(&self, incoming: Box<Incoming>) {
        let (leg, from) = (incoming.leg, incoming.flow.remote);
        let mut routing = self.routing();
        if let Some(owner) = routing.called(&incoming, &self.shared.trunks).filter(Switchboard::is_there) {
            // Noted first: news of the leg may follow at once.
            routing.legs.insert(leg, owner.clone());
            if owner.tell(Fact::Sip(Event::Incoming(incoming))).is_ok() {
                return;
            }
            routing.legs.remove(&leg);
        }
        drop(routing);
        tracing::info!(%from, "a call to an organisation that is not served now");
        // It may have hung up already.
        let _ = self.shared.endpoint.reject(leg, 503, Some(RETRY_AFTER_S));
    }

    fn register(&self, request: Box<RegisterRequest>) {
        let (id, from) = (request.id, request.flow.remote);
        let found = self.routing().at_domain(&request.domain).filter(Switchboard::is_there);
        if found.is_some_and(|owner| owner.tell(Fact::Sip(Event::Register(request))).is_ok()) {
            return;
        }
        tracing::info!(%from, "a registration at an organisation that is not served now");
        // It asks again.
        let _ = self.shared.endpoint.refuse(id, 503);
    }
}

impl Routing {
    /// Whose telephones register at a domain; the main organisation's for one that nobody has, such as an address.
    fn at_domain(&self, domain: &str) -> Option<Switchboard> {
        let listed = self.by_name.values().find(|listed| listed.domain == domain);
        listed.or_else(|| self.by_name.get(Tenants::MAIN))?.switchboard.clone()
    }

    /// Whom a call is for: whose call it takes over; else whose domain it names; else whose number it is; else whose carrier
    /// it comes from; else the main organisation.
    fn called(&self, incoming: &Incoming, trunks: &BTreeMap<String, Trunk>) -> Option<Switchboard> {
        if let Some(replaced) = incoming.replaces {
            return self.legs.get(&replaced).cloned();
        }
        let by_domain = self.by_name.values().find(|listed| listed.domain == incoming.domain);
        let by_number = || self.by_name.values().find(|listed| listed.numbers.contains(&incoming.called));
        let by_trunk = || self.by_name.get(trunk_of(trunks, incoming.flow.remote.ip()).unwrap_or(Tenants::MAIN));
        by_domain.or_else(by_number).or_else(by_trunk)?.switchboard.clone()
    }
}

/// The organisation whose own carrier calls from there.
fn trunk_of(trunks: &BTreeMap<String, Trunk>, from: IpAddr) -> Option<&str> {
    trunks.values().find(|trunk| trunk.is_at(from)).and_then(|trunk| trunk.organisation.as_deref())
}

/// An organisation's end of the exchange.
#[derive(Debug)]
pub(super) struct Extension {
    exchange: Exchange,
    own: Switchboard,
    facts: mpsc::UnboundedReceiver<Fact>,
    /// The realm of its telephones, and the domain of its caller ids.
    pub(super) domain: String,
    /// Its carriers.
    pub(super) trunks: Trunks,
    /// Where messages that callers leave are kept.
    pub(super) voicemail: PathBuf,
}

impl Extension {
    /// The next fact of this organisation.
    pub(super) async fn next(&mut self) -> Option<Fact> {
        let fact = self.facts.recv().await?;
        self.own.waiting.fetch_sub(1, Ordering::Relaxed);
        Some(fact)
    }

    /// A fact that came and was not looked at; for one that ends: no more are taken.
    pub(super) fn left(&mut self) -> Option<Fact> {
        self.facts.close();
        self.facts.try_recv().ok()
    }

    /// The endpoint, for orders about legs that are this organisation's.
    pub(super) fn endpoint(&self) -> &Endpoint {
        &self.exchange.shared.endpoint
    }

    /// Audio, for sessions that are this organisation's.
    pub(super) fn media(&self) -> &Arc<dyn Media> {
        &self.exchange.shared.media
    }

    /// Where browsers' audio ends on this machine.
    pub(super) fn browser_ports(&self) -> &BrowserPorts {
        &self.exchange.shared.browsers
    }

    /// Calls.
    pub(super) fn invite(&self, invite: Invite) -> Result<LegId, OrderError> {
        // Held over both: news of the leg may come before this returns.
        let mut routing = self.exchange.routing();
        let leg = self.endpoint().invite(invite)?;
        routing.legs.insert(leg, self.own.clone());
        Ok(leg)
    }

    /// Opens an audio session.
    pub(super) fn open(&self) -> Result<SessionId, MediaError> {
        let session = self.media().open(&SessionOptions::default())?;
        self.exchange.routing().sessions.insert(session, self.own.clone());
        Ok(session)
    }

    /// Closes an audio session.
    pub(super) fn close(&self, session: SessionId) {
        self.media().close(session);
        self.exchange.routing().sessions.remove(&session);
    }
}
