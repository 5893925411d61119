//! Who asks, and what they may do. Deny by default: a route without a row in its module's table is refused.

mod account;
mod caller;
mod gate;
mod key;
mod lately;
mod limits;
mod once;
mod password;
mod people;
mod secret;
mod session;
mod token;

use std::sync::Arc;

use callfloor_engine::OperatorId;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;

pub use account::{Account, create_account};
pub use caller::Caller;
pub use gate::{Access, Row, gate};
pub use key::{Key, Scope};
pub(crate) use lately::{LatelySeen, is_credential};
pub(crate) use limits::SignInLimits;
pub(crate) use once::{Repeatable, idempotency_key, keep_answers_for_a_day, once};
pub(crate) use secret::{NewSecret, Shown, random_password};
pub use session::Session;
pub use token::Token;

use crate::http::App;
use crate::tenant::Tenant;

/// Rows of this module's routes.
pub fn permissions() -> impl Iterator<Item = &'static Row> {
    [session::PERMISSIONS, key::PERMISSIONS, people::PERMISSIONS].into_iter().flatten()
}

/// This module's routes.
pub fn router() -> OpenApiRouter<App> {
    session::router().merge(key::router()).merge(people::router())
}

/// What a person or machine is to the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Takes calls, chats, tickets; sees their own work and their services' tickets.
    Operator,
    /// Sees and steers the floor.
    Supervisor,
    /// Sees statistics and plans; no customers' data.
    Planner,
    /// Configures; does not read customers' data.
    Administrator,
    /// Reads the audit log; changes nothing.
    Auditor,
    /// Keeps the organisations of the server; of the main organisation alone. Sees nothing of what any of them does.
    ServerAdministrator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 6] = [
        Self::Operator,
        Self::Supervisor,
        Self::Planner,
        Self::Administrator,
        Self::Auditor,
        Self::ServerAdministrator,
    ];

    /// Those that have to do with what an organisation does.
    pub const OF_ORGANISATION: [Self; 5] =
        [Self::Operator, Self::Supervisor, Self::Planner, Self::Administrator, Self::Auditor];

    /// Whether the last account of it must stay.
    pub(crate) const fn reigns(self) -> bool {
        matches!(self, Self::Administrator | Self::ServerAdministrator)
    }

    /// It, as a key of an index.
    pub(crate) fn key(self) -> String {
        format!("{self:?}").to_lowercase()
    }
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Of which organisation.
    pub tenant: Arc<Tenant>,
    /// The account's number; of a machine: its key's.
    pub account: u64,
    /// Whether it is a machine with a key.
    pub machine: bool,
    /// What they are signed in as.
    pub login: String,
    /// Their role.
    pub role: Role,
    /// The operator that they are.
    pub operator: Option<OperatorId>,
}

impl Principal {
    /// Who asks, for the audit log: `account 1 "admin"`, `key 3 "reports"`.
    #[must_use]
    pub fn who(&self) -> String {
        let what = if self.machine { "key" } else { "account" };
        format!("{what} {} {:?}", self.account, self.login)
    }
}
