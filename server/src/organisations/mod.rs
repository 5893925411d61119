//! Organisations beside the main one: what the server's administrators keep of them, how they are opened and closed while
//! the server runs, and the routes for both.

mod administrator;
mod hosting;
mod http;
mod limits;

use serde::{Deserialize, Serialize};

pub(crate) use administrator::server_administrator;
pub(crate) use hosting::As;
pub use hosting::{Hosting, Organisations};
pub use http::{PERMISSIONS, router};
pub use limits::Limits;

use crate::document::Document;
use crate::storage::{IndexKey, Kind};

/// An organisation beside the main one, as the server's administrators decided of it. It is a document of the main
/// organisation, so that it has the main journal's commit and writer; what runs follows it ([`Organisations::settle`]).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listing {
    /// Its number.
    pub id: u64,
    /// Its name in paths, tokens and stores: it never changes.
    pub organisation: String,
    /// As people see it.
    pub name: String,
    /// The domain at which its telephones register and are called, in small letters. Passwords of telephones are kept as
    /// hashes with it: it never changes.
    pub sip_domain: String,
    /// Numbers that lead to it, as carriers send them.
    pub numbers: Vec<String>,
    /// What it may have at most.
    #[serde(default)]
    pub limits: Limits,
    /// Whether it is not served at present.
    pub suspended: bool,
    /// When it was made, in microseconds since 1970.
    pub made_us: u64,
    /// The first administrator, until the organisation's own store has the account.
    pub first: Option<FirstAdministrator>,
}

/// Whoever is to administer a new organisation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstAdministrator {
    /// The login.
    pub login: String,
    /// argon2id, PHC string format.
    pub password: String,
}

impl Listing {
    const ORGANISATION: &'static str = "organisation";
    const DOMAIN: &'static str = "sip-domain";
    const NUMBER: &'static str = "number";
}

impl Document for Listing {
    const KIND: Kind = "organisation-listing";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        let mut keys = vec![
            IndexKey::new(Self::ORGANISATION, self.organisation.as_str()),
            IndexKey::new(Self::DOMAIN, self.sip_domain.as_str()),
        ];
        keys.extend(self.numbers.iter().map(|number| IndexKey::new(Self::NUMBER, number.as_str())));
        keys
    }
}
