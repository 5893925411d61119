//! Opens and closes organisations while the server runs.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use callfloor_engine::{EngineConfig, Floor};
use tokio::sync::Mutex as AsyncMutex;
use tokio::task::{JoinHandle, JoinSet};

use super::administrator::first_administrator;
use super::{Listing, limits};
use crate::auth::keep_answers_for_a_day;
use crate::chat::{LiveChats, keep_presence};
use crate::document::{Document, Read};
use crate::host::{Handle, Host, Opening};
use crate::http::Problem;
use crate::phone::{Exchange, Phones, Registration, Restored, StartPhones, Telephone, let_go_of_lost_calls};
use crate::planning::{Marks, keep_marks};
use crate::storage::{Range, StorageError, Stores};
use crate::tenant::{Tenant, Tenants};

/// How long a switchboard may take to hang up what it has.
const FAREWELL: Duration = Duration::from_secs(5);

/// How organisations are served.
#[derive(Clone, Copy, Debug)]
pub struct Hosting {
    /// A chat's customer who is not connected for this long has left.
    pub chat_grace: Duration,
    /// A snapshot is taken after so many journal entries.
    pub snapshot_every: u64,
}

/// The organisations of a server: what runs follows what is listed of them.
#[derive(Debug)]
pub struct Organisations {
    tenants: Arc<Tenants>,
    stores: Arc<dyn Stores>,
    hosting: Hosting,
    exchange: Option<Exchange>,
    /// What runs. A slot is locked while its organisation is opened or closed.
    slots: Mutex<BTreeMap<String, Slot>>,
    /// Why organisations that are to be served are not.
    troubles: Mutex<BTreeMap<String, String>>,
}

type Slot = Arc<AsyncMutex<Option<Running>>>;

/// An organisation that runs.
#[derive(Debug)]
struct Running {
    host: Host,
    switchboard: Option<JoinHandle<()>>,
    tasks: Vec<JoinHandle<()>>,
}

/// An organisation whose state is rebuilt and that is not served yet.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) host: Host,
    start_phones: StartPhones,
}

/// As what an organisation is served.
#[derive(Debug)]
pub(crate) struct As<'a> {
    pub(crate) organisation: &'a str,
    /// The realm of its telephones' passwords.
    pub(crate) realm: &'a str,
    /// Its name for people, where the server's administrators keep it.
    pub(crate) name: Option<String>,
}

impl Organisations {
    /// Organisations of these stores; none is opened yet.
    #[must_use]
    pub fn new(stores: Arc<dyn Stores>, hosting: Hosting, exchange: Option<Exchange>) -> Self {
        Self { tenants: Arc::default(), stores, hosting, exchange, slots: Mutex::default(), troubles: Mutex::default() }
    }

    /// Those that are served.
    #[must_use]
    pub const fn tenants(&self) -> &Arc<Tenants> {
        &self.tenants
    }

    /// Why an organisation that is to be served is not.
    #[must_use]
    pub fn trouble(&self, organisation: &str) -> Option<String> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner).get(organisation).cloned()
    }

    fn main(&self) -> Result<Handle, Problem> {
        let main = self.tenants.named(None).ok_or_else(|| Problem::unknown("the server goes down"))?;
        Ok(main.host.clone())
    }

    fn slot(&self, organisation: &str) -> Slot {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(slots.entry(organisation.to_owned()).or_default())
    }

    /// Opens an organisation's store and rebuilds its state; a new one begins with `floor`.
    ///
    /// # Errors
    /// What storage says; nothing is left running.
    pub(crate) async fn open(&self, organisation: &str, floor: EngineConfig) -> Result<Opened, StorageError> {
        let (performer, start_phones) = Phones::prepare();
        let opening = Opening {
            projections: crate::projections(),
            performer,
            snapshot_every: self.hosting.snapshot_every,
            ..Opening::new(floor)
        };
        let (stores, organisation) = (Arc::clone(&self.stores), organisation.to_owned());
        let host = tokio::task::spawn_blocking(move || Host::open(stores.open(&organisation)?, opening)).await;
        Ok(Opened { host: host.expect("opening does not panic")?, start_phones })
    }

    /// Begins to serve an organisation that is open.
    ///
    /// # Errors
    /// What storage says; nothing is left running.
    pub(crate) async fn serve(&self, opened: Opened, of: As<'_>) -> Result<(), StorageError> {
        let running = self.begin(opened, of.organisation, of.realm, of.name).await?;
        *self.slot(of.organisation).lock().await = Some(running);
        Ok(())
    }

    async fn begin(
        &self,
        opened: Opened,
        organisation: &str,
        realm: &str,
        name: Option<String>,
    ) -> Result<Running, StorageError> {
        let Opened { host, start_phones } = opened;
        if let Err(problem) = crate::tickets::index_nobodys(host.handle()).await {
            tracing::error!(organisation, %problem, "nobody's tickets could not be indexed: their counts are too low");
        }
        let (telephones, mut restored) = match self.kept_telephones(&host).await {
            Ok(kept) => kept,
            Err(problem) => {
                close(host).await;
                return Err(problem);
            }
        };
        let reachable = self.exchange.is_some().then(|| restored.reachable());
        let lapsed = restored.take_lapsed();
        let lost = host.handle().run(move |turn| {
            Restored::tidy(&lapsed, turn.documents());
            let_go_of_lost_calls(turn, reachable.as_ref())
        });
        let lost = lost.await;
        match lost.map_err(Problem::from).and_then(|lost| lost.map_err(Problem::from)) {
            Ok(0) => {}
            Ok(calls) => {
                tracing::warn!(organisation, calls, "calls lost their telephones with the last process and were ended");
            }
            Err(problem) => {
                tracing::error!(organisation, %problem, "calls that lost their telephones could not be ended");
            }
        }
        let phones = self.exchange.is_some().then(|| start_phones.phones().clone());
        let switchboard = match self.telephones(&host, start_phones, telephones, restored, organisation).await {
            Ok(switchboard) => switchboard,
            Err(problem) => {
                close(host).await;
                return Err(problem);
            }
        };
        let chats = Arc::new(LiveChats::new(self.hosting.chat_grace));
        let marks = Marks::beside(&self.stores.beside(organisation));
        let tasks = vec![
            tokio::spawn(keep_presence(host.handle().clone(), Arc::clone(&chats))),
            tokio::spawn(crate::floor::keep_hours(host.handle().clone())),
            tokio::spawn(keep_answers_for_a_day(host.handle().clone())),
            tokio::spawn(keep_marks(host.handle().clone(), marks.clone())),
        ];
        let tenant = Tenant::new(organisation, host.handle().clone(), phones, chats, marks, realm, name);
        self.tenants.add(tenant);
        Ok(Running { host, switchboard, tasks })
    }

    /// The telephones, and where they can be called still; nothing where none are served.
    async fn kept_telephones(&self, host: &Host) -> Result<(Vec<Telephone>, Restored), StorageError> {
        let Some(exchange) = &self.exchange else { return Ok(Default::default()) };
        let read = |reader: &mut dyn crate::storage::Reader| {
            let telephones = reader.documents::<Telephone>(&Range::all(Telephone::KIND, usize::MAX))?;
            let kept = reader.documents::<Registration>(&Range::all(Registration::KIND, usize::MAX))?;
            Ok::<_, StorageError>((telephones, kept))
        };
        let (telephones, kept) = host.handle().read(read).await?;
        let restored = exchange.restored(kept, &telephones);
        Ok((telephones, restored))
    }

    async fn telephones(
        &self,
        host: &Host,
        start: StartPhones,
        telephones: Vec<Telephone>,
        restored: Restored,
        organisation: &str,
    ) -> Result<Option<JoinHandle<()>>, StorageError> {
        let Some(exchange) = &self.exchange else { return Ok(None) };
        let voicemail = exchange.voicemail(organisation);
        let made = std::fs::create_dir_all(&voicemail);
        made.map_err(|problem| StorageError::Backend {
            place: voicemail.display().to_string(),
            what: format!("this directory for callers' messages cannot be made: {problem}"),
        })?;
        start.run(host.handle().clone(), telephones, restored, exchange, organisation).await.map(Some)
    }

    /// Serves every organisation that is listed and not suspended; what keeps one from it keeps nobody else.
    ///
    /// # Errors
    /// Where the list cannot be read.
    pub(crate) async fn settle_all(self: &Arc<Self>) -> Result<(), Problem> {
        let all =
            self.main()?.read(|reader| reader.documents::<Listing>(&Range::all(Listing::KIND, usize::MAX))).await?;
        let mut settling = JoinSet::new();
        for listing in all {
            let own = Arc::clone(self);
            settling.spawn(async move { own.settle(&listing.organisation).await });
        }
        // Each has told its own trouble.
        settling.join_all().await;
        Ok(())
    }

    /// Brings what runs of an organisation in step with what is listed of it: opens or closes it, and takes up its name and
    /// numbers. It goes on to its end even where who asked has gone.
    ///
    /// # Errors
    /// Why it could not be opened: the next try may be luckier.
    pub async fn settle(self: &Arc<Self>, organisation: &str) -> Result<(), Problem> {
        let (own, organisation) = (Arc::clone(self), organisation.to_owned());
        tokio::spawn(async move { own.settle_one(&organisation).await }).await.expect("settling does not panic")
    }

    async fn settle_one(&self, organisation: &str) -> Result<(), Problem> {
        let slot = self.slot(organisation);
        let mut running = slot.lock().await;
        // Read under the lock: of several decisions the newest is followed.
        let wanted = organisation.to_owned();
        let found = self.main()?.read(move |reader| reader.find::<Listing>(Listing::ORGANISATION, &wanted)).await?;
        let Some(listing) = found else { return Ok(()) };
        if let Some(exchange) = &self.exchange {
            exchange.list(organisation, &listing.sip_domain, listing.numbers.clone());
        }
        if let Some(tenant) = self.tenants.named(Some(organisation)) {
            tenant.rename(&listing.name);
        }
        let over = |running: &mut Running| listing.suspended || running.host.handle().has_stopped();
        if let Some(over) = running.take_if(over) {
            self.end(organisation, over).await;
        }
        if running.is_none() {
            self.tenants.close(organisation);
        }
        let outcome = match &*running {
            _ if listing.suspended => Ok(()),
            Some(running) => limits::set(running.host.handle(), listing.limits).await,
            None => self.start(listing).await.map(|begun| *running = Some(begun)),
        };
        self.note(organisation, outcome)
    }

    /// Remembers why an organisation is not served, or that nothing keeps it from it.
    fn note(&self, organisation: &str, outcome: Result<(), Problem>) -> Result<(), Problem> {
        let mut troubles = self.troubles.lock().unwrap_or_else(PoisonError::into_inner);
        let Err(problem) = outcome else {
            troubles.remove(organisation);
            return Ok(());
        };
        tracing::error!(organisation, %problem, "this organisation cannot be served");
        troubles.insert(organisation.to_owned(), problem.detail.clone());
        let detail = format!("organisation {organisation:?} cannot be served: {}", problem.detail);
        Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "organisation-not-served", detail))
    }

    /// Opens a listed organisation and serves it. A new one has an empty floor and its first administrator.
    async fn start(&self, listing: Listing) -> Result<Running, Problem> {
        let empty = EngineConfig::new(Floor::default()).expect("an empty floor is right");
        let opened = self.open(&listing.organisation, empty).await.map_err(told)?;
        if let Some(first) = listing.first.clone() {
            let made = opened.host.handle().run(move |turn| first_administrator(turn, first)).await;
            if let Err(problem) = made.map_err(Problem::from).and_then(|made| made) {
                close(opened.host).await;
                return Err(problem);
            }
            let number = listing.id;
            let main = self.main()?;
            let noted = main.run(move |turn| {
                if let Some(mut listing) = turn.documents().get::<Listing>(number)? {
                    listing.first = None;
                    turn.documents().put(&listing);
                }
                Ok::<_, StorageError>(())
            });
            // Where it is not noted now, the account is found at the next start and nothing is made again.
            if let Err(problem) = noted.await {
                tracing::warn!(%problem, "a new organisation's first administrator stays listed");
            }
        }
        let Listing { organisation, sip_domain, name, limits, .. } = listing;
        if let Err(problem) = limits::set(opened.host.handle(), limits).await {
            close(opened.host).await;
            return Err(problem);
        }
        self.begin(opened, &organisation, &sip_domain, Some(name)).await.map_err(told)
    }

    /// Ends an organisation: nobody reaches it any more, calls are hung up, the last commit and a snapshot are made.
    async fn end(&self, organisation: &str, running: Running) {
        if let Some(exchange) = &self.exchange {
            exchange.leave(organisation);
        }
        self.tenants.close(organisation);
        let Running { host, switchboard, tasks } = running;
        tasks.iter().for_each(JoinHandle::abort);
        close(host).await;
        if let Some(switchboard) = switchboard
            && tokio::time::timeout(FAREWELL, switchboard).await.is_err()
        {
            tracing::warn!(organisation, "telephones were not hung up in time");
        }
    }

    /// Ends all of them, the main one last: it is where the others are listed.
    pub(crate) async fn end_all(&self) {
        let slots = std::mem::take(&mut *self.slots.lock().unwrap_or_else(PoisonError::into_inner));
        let (main, others): (Vec<_>, Vec<_>) = slots.into_iter().partition(|(name, _)| name == Tenants::MAIN);
        for (organisation, slot) in others.into_iter().chain(main) {
            let running = slot.lock().await.take();
            if let Some(running) = running {
                self.end(&organisation, running).await;
            }
        }
        if let Some(exchange) = &self.exchange {
            exchange.close();
        }
    }
}

async fn close(host: Host) {
    tokio::task::spawn_blocking(move || host.close()).await.expect("closing does not panic");
}

/// Who keeps the server is told what storage says, in its own words: it is theirs.
fn told(problem: StorageError) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "storage", problem.to_string())
}
