//! Organisations: each with an engine, a journal and documents of its own.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::chat::LiveChats;
use crate::host::Handle;
use crate::phone::Phones;

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
}

/// Every organisation that is served.
#[derive(Debug, Default)]
pub struct Tenants {
    by_name: RwLock<BTreeMap<String, Arc<Tenant>>>,
}

impl Tenants {
    /// The name of the organisation that a new server begins with.
    pub const MAIN: &'static str = "main";

    /// Adds one.
    pub fn add(&self, tenant: Arc<Tenant>) {
        self.by_name.write().unwrap_or_else(PoisonError::into_inner).insert(tenant.name.clone(), tenant);
    }

    /// The one of this name; without a name [`MAIN`](Self::MAIN).
    #[must_use]
    pub fn named(&self, name: Option<&str>) -> Option<Arc<Tenant>> {
        let tenants = self.by_name.read().unwrap_or_else(PoisonError::into_inner);
        tenants.get(name.unwrap_or(Self::MAIN)).cloned()
    }

    /// All of them, by name.
    #[must_use]
    pub fn all(&self) -> Vec<Arc<Tenant>> {
        self.by_name.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}
