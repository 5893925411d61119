//! Who asks, and what they may do. Deny by default: a route without a row in its module's table is refused.

mod account;
mod caller;
mod gate;
mod session;
mod token;

use std::sync::Arc;

use callfloor_engine::OperatorId;
use serde::{Deserialize, Serialize};

pub use account::{Account, create_account};
pub use caller::Caller;
pub use gate::{Access, Row, gate};
pub use session::{PERMISSIONS, Session, router};
pub use token::Token;

use crate::tenant::Tenant;

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
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 5] = [Self::Operator, Self::Supervisor, Self::Planner, Self::Administrator, Self::Auditor];
}

/// Who asks.
#[derive(Clone, Debug)]
pub struct Principal {
    /// Of which organisation.
    pub tenant: Arc<Tenant>,
    /// The account's number.
    pub account: u64,
    /// What they are signed in as.
    pub login: String,
    /// Their role.
    pub role: Role,
    /// The operator that they are.
    pub operator: Option<OperatorId>,
}
