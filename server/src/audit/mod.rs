//! The audit log: what was done to accounts, keys and configuration, and who signed in. Entries are only ever appended,
//! in the same commit as what they tell of, and each carries the hash of the one before: who changes or removes one
//! breaks the chain.

mod api;
mod chain;
mod supervision;
mod watch;

use serde::{Deserialize, Serialize};

pub use api::{PERMISSIONS, router};
pub use chain::{Broken, Noted, Verified, verify};
pub(crate) use supervision::Supervisions;
pub(crate) use watch::Watching;

use crate::document::Document;
use crate::host::Documents;
use crate::storage::{IndexKey, Kind, StorageError, key_of};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Act {
    /// Somebody signed in.
    SignedIn,
    /// Somebody gave a wrong login or password.
    SignInFailed,
    /// Somebody signed out.
    SignedOut,
    /// A key for a machine was made.
    KeyMade,
    /// A key was taken back.
    KeyRevoked,
    /// An account was made.
    AccountMade,
    /// An account's name, role, operator or state was changed.
    AccountChanged,
    /// An account has a new password.
    PasswordChanged,
    /// The configuration was changed.
    ConfigurationChanged,
    /// Customers' data was taken out in bulk, or all that is kept of one person.
    DataExported,
    /// A person was erased.
    PersonErased,
    /// An organisation was made.
    OrganisationMade,
    /// An organisation's name or numbers were changed.
    OrganisationChanged,
    /// An organisation is no longer served.
    OrganisationSuspended,
    /// An organisation is served again.
    OrganisationResumed,
    /// Certificates and keys were read again.
    CertificatesReloaded,
    /// Customers' numbers were read whole, one or a page of them, by somebody who has not got the customer in hand.
    NumbersRead,
    /// A supervisor listened to a call, whispered, barged in, took it over, or left it.
    CallSupervised,
}

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Entry {
    /// 1 for the first; no gaps.
    pub number: u64,
    /// When, in microseconds since 1970.
    pub at_us: u64,
    /// Who: `account 1 "admin"`, `key 3 "reports"`.
    pub who: String,
    /// What was done.
    pub act: Act,
    /// To what.
    pub about: String,
    /// Hash of the entry before; of the first: 64 zeros.
    pub before: String,
    /// SHA-256 of all of the above, in hexadecimal.
    pub hash: String,
}

impl Document for Entry {
    const KIND: Kind = "audit";

    fn id(&self) -> u64 {
        self.number
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![IndexKey::new("at", key_of(self.at_us))]
    }
}

/// The newest link: an entry that is cut off at the end is missed too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    number: u64,
    hash: String,
}

impl Head {
    const NUMBER: u64 = 1;

    fn empty() -> Self {
        Self { number: 0, hash: "0".repeat(64) }
    }
}

impl Document for Head {
    const KIND: Kind = "audit-head";

    fn id(&self) -> u64 {
        Self::NUMBER
    }
}

/// Longest `who` and `about`, in characters; the rest is cut.
const MOST_TEXT: usize = 500;

/// Appends an entry to the log of this turn's organisation.
///
/// # Errors
/// What storage says.
pub fn append(documents: &mut Documents, at_us: u64, who: &str, act: Act, about: String) -> Result<(), StorageError> {
    let head = documents.get::<Head>(Head::NUMBER)?.unwrap_or_else(Head::empty);
    let cut = |text: &str| text.chars().take(MOST_TEXT).collect::<String>();
    let mut entry = Entry {
        number: head.number + 1,
        at_us,
        who: cut(who),
        act,
        about: cut(&about),
        before: head.hash,
        hash: String::new(),
    };
    entry.hash = chain::hash(&entry);
    documents.put(&Head { number: entry.number, hash: entry.hash.clone() });
    documents.put(&entry);
    Ok(())
}

/// Whether a request that changes something is a change of the configuration: every such request is in the log.
#[must_use]
pub fn is_configuration(method: &str, path: &str) -> bool {
    const PREPARED: [&str; 7] = [
        "/floor",
        "/ticket-categories",
        "/ticket-fields",
        "/ticket-templates",
        "/surveys",
        "/articles",
        "/linked-systems",
    ];
    method != "GET" && PREPARED.iter().any(|prepared| path.starts_with(prepared))
}
