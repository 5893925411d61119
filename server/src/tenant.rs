//! Organisations: each with an engine, a journal and documents of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::watch;

use crate::audit::Watching;
use crate::auth::LatelySeen;
use crate::chat::LiveChats;
use crate::host::Handle;
use crate::phone::Phones;
use crate::planning::Marks;

/// An organisation that is served.
#[derive(Debug)]
pub struct Tenant {
    /// Its name: 1 to 32 of `a`–`z`, `0`–`9` and hyphens.
    pub name: String,
    /// Its host.
    pub host: Handle,
    /// Its telephones, where they are served.
    pub phones: Option<Phones>,
    /// What is known of its live chats.
    pub chats: Arc<LiveChats>,
    /// The realm of their passwords.
    pub realm: String,
    /// Marks in its journal.
    pub(crate) marks: Marks,
    /// Who watches customers' numbers on its live floor.
    pub(crate) watching: Watching,
    /// Sessions of its people that asked lately.
    pub(crate) sessions: LatelySeen,
    /// Told of every change of its floor, once that is durable.
    pub(crate) floor_changes: watch::Sender<()>,
    /// Its name for people, where the server's administrators keep it and its domain; `None`: it keeps both itself.
    shown: RwLock<Option<String>>,
}

impl Tenant {
    /// An organisation with these parts.
    #[must_use]
    pub fn new(
        name: &str,
        host: Handle,
        phones: Option<Phones>,
        chats: Arc<LiveChats>,
        marks: Marks,
        realm: &str,
        shown: Option<String>,
    ) -> Self {
        let (name, realm) = (name.to_owned(), realm.to_owned());
        let (watching, sessions, shown) = (Watching::default(), LatelySeen::default(), RwLock::new(shown));
        Self {
            name,
            host,
            phones,
            chats,
            realm,
            marks,
            watching,
            sessions,
            floor_changes: watch::Sender::default(),
            shown,
        }
    }

    /// Its name for people, where the server's administrators keep it.
    #[must_use]
    pub fn shown(&self) -> Option<String> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The server's administrators have given it another name for people.
    pub fn rename(&self, shown: &str) {
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Some(shown.to_owned());
    }
}

/// Every organisation of the server.
#[derive(Debug, Default)]
pub struct Tenants {
    /// `None` for one that is not served at present.
    by_name: RwLock<BTreeMap<String, Option<Arc<Tenant>>>>,
}

impl Tenants {
    /// The name of the organisation that a new server begins with.
    pub const MAIN: &'static str = "main";

    /// Serves one.
    pub fn add(&self, tenant: Tenant) {
        let mut tenants = self.by_name.write().unwrap_or_else(PoisonError::into_inner);
        tenants.insert(tenant.name.clone(), Some(Arc::new(tenant)));
    }

    /// Serves one no more; it is still known.
    pub fn close(&self, name: &str) {
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned(), None);
    }

    /// The one of this name that is served; without a name [`MAIN`](Self::MAIN).
    #[must_use]
    pub fn named(&self, name: Option<&str>) -> Option<Arc<Tenant>> {
        let tenants = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        tenants.get(name.unwrap_or(Self::MAIN)).cloned().flatten()
    }

    /// Whether there is one of this name, served or not.
    #[must_use]
    pub fn is_known(&self, name: &str) -> bool {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).contains_key(name)
    }

    /// Whether there is one of this name that is not served at present.
    #[must_use]
    pub fn is_closed(&self, name: &str) -> bool {
        matches!(self.by_name.read().unwrap_or_else(PoisonError::into_inner).get(name), Some(None))
    }

    /// Names of all, served or not.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).keys().cloned().collect()
    }

    /// All that are served, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Tenant>> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).values().flatten().cloned().collect()
    }
}
