//! Callbacks: customers who asked to be called back instead of waiting, from the request to the call that reached them.
//! The engine keeps their place; documents follow it.

mod http;
mod projection;

use callfloor_engine::CallbackId;
use serde::{Deserialize, Serialize};

pub(crate) use http::{PERMISSIONS, router};
pub use projection::CallbackHistory;

use crate::document::Document;
use crate::http::{CallRef, CallbackRef};
use crate::storage::{IndexKey, Kind, key_of};

/// Where a callback stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CallbackState {
    /// In its queue, or between two attempts.
    Received,
    /// Shown to an operator.
    Assigned,
    /// The operator dials the customer.
    Dialled,
    /// The customer answered.
    Completed,
    /// The customer was not reached in as many attempts as are made, or waited too long.
    GivenUp,
    /// It is no longer wanted.
    Cancelled,
}

impl CallbackState {
    /// Whether nothing more will happen.
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::GivenUp | Self::Cancelled)
    }
}

/// A callback, live or over.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Callback {
    /// Its number.
    pub id: u64,
    /// Hash of the customer's token; `None` where it was asked for by telephone.
    pub token: Option<String>,
    /// What the engine calls it; `None` only within the turn that asks for it.
    pub callback: Option<CallbackRef>,
    /// The queue whose place it keeps.
    pub queue: u16,
    /// That queue's service.
    pub service: u16,
    /// The number to call.
    pub number: String,
    /// What the customer calls themselves.
    pub name: Option<String>,
    /// The customer's record.
    #[serde(default)]
    pub customer: Option<u64>,
    /// Where it stands.
    pub state: CallbackState,
    /// To whom it is or was assigned last.
    pub operator: Option<u32>,
    /// The last dial.
    pub call: Option<CallRef>,
    /// Dials made.
    pub attempts: u8,
    /// When it was asked for, in microseconds since 1970.
    pub received_us: u64,
    /// When its state last changed.
    pub changed_us: u64,
    /// The call that asked for it, and whose place it keeps.
    pub from_call: Option<CallRef>,
}

impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Customers' numbers and names are not for logs.
        f.debug_struct("Callback").field("id", &self.id).field("state", &self.state).finish_non_exhaustive()
    }
}

/// The key of the engine's name for a callback.
fn callback_key(callback: CallbackId) -> String {
    CallbackRef(callback).to_string()
}

impl Document for Callback {
    const KIND: Kind = "callback";
    const IS_REMEMBERED: bool = true;

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        let mut keys = vec![IndexKey::new("all", ""), IndexKey::new("service", self.service.to_string())];
        let customer = self.customer.map(|customer| format!("{customer}:{}", key_of(self.received_us)));
        keys.extend(customer.map(|customer| IndexKey::new("customer", customer)));
        keys.extend(self.token.as_ref().map(|token| IndexKey::new("token", token.as_str())));
        keys.extend(self.callback.map(|callback| IndexKey::new("callback", callback.to_string())));
        if !self.state.is_over() {
            keys.push(IndexKey::new("live", ""));
            keys.push(IndexKey::new("live-number", self.number.as_str()));
        }
        if self.state == CallbackState::Dialled {
            keys.push(IndexKey::new("dialled", ""));
        }
        keys
    }
}
