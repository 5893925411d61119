//! Callbacks: who asked to be called back, where it stands, and how it ended. The engine decides who dials and when;
//! documents hold what customers wrote and what became of it.

mod customers;
mod projection;
mod requests;
mod staff;

use callfloor_engine::CallbackId;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;

pub(crate) use projection::CallbackHistory;
pub(crate) use requests::Requests;

use crate::auth::Row;
use crate::document::Document;
use crate::http::{App, CallRef, CallbackRef, TicketRef};
use crate::storage::{IndexKey, Kind};

/// Rows of the routes of callbacks.
pub(crate) fn permissions() -> impl Iterator<Item = &'static Row> {
    [customers::PERMISSIONS, staff::PERMISSIONS].into_iter().flatten()
}

/// The routes of callbacks.
pub(crate) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().merge(customers::router()).merge(staff::router())
}

/// Longest wish, in characters.
const WISH_LIMIT: usize = 500;
/// Most callbacks of one queue that are not over: what a service can call back within days.
const LIVE_LIMIT: usize = 1_000;
/// How long a customer's token tells of a callback that is over, in microseconds: a week.
const TOKEN_LIFE_US: u64 = 7 * 24 * 3_600 * 1_000_000;

/// Where a callback stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum CallbackState {
    /// It waits in its queue, or for another attempt.
    Received,
    /// It is shown to one or more operators, who have not taken it yet.
    Assigned,
    /// An operator took it: the customer is dialled.
    Dialling,
    /// The customer was reached.
    Complete,
    /// Every attempt failed, or the queue's maximum wait passed.
    GivenUp,
    /// The customer, or somebody for them, no longer wants it.
    Cancelled,
}

impl CallbackState {
    const fn is_live(self) -> bool {
        matches!(self, Self::Received | Self::Assigned | Self::Dialling)
    }

    /// As it stands in keys and queries.
    const fn word(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::Assigned => "assigned",
            Self::Dialling => "dialling",
            Self::Complete => "complete",
            Self::GivenUp => "given-up",
            Self::Cancelled => "cancelled",
        }
    }
}

/// A callback, live or over.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Callback {
    /// Its number.
    pub(crate) id: u64,
    /// Hash of the customer's token; `None` where a call's flow offered it.
    pub(crate) token: Option<String>,
    /// What the engine calls it; `None` only within the turn that asks for it.
    pub(crate) callback: Option<CallbackRef>,
    /// The queue in which it waits.
    pub(crate) queue: u16,
    /// That queue's service.
    pub(crate) service: u16,
    /// The customer's number, as it is dialled.
    pub(crate) number: String,
    /// What the customer wrote.
    pub(crate) wish: Option<String>,
    /// Where it stands.
    pub(crate) state: CallbackState,
    /// To whom it is shown, who dials, or who reached the customer.
    pub(crate) operator: Option<u32>,
    /// Operators to whom it is shown now.
    pub(crate) shown_to: Vec<u32>,
    /// The call whose place it keeps.
    pub(crate) from_call: Option<CallRef>,
    /// The last dial.
    pub(crate) call: Option<CallRef>,
    /// The ticket of the call that reached the customer.
    pub(crate) ticket: Option<TicketRef>,
    /// Dials made.
    pub(crate) attempts: u8,
    /// When it was asked for, in microseconds since 1970.
    pub(crate) requested_us: u64,
    /// When an operator was first shown it.
    pub(crate) assigned_us: Option<u64>,
    /// When the customer was last dialled.
    pub(crate) dialled_us: Option<u64>,
    /// When it was over.
    pub(crate) ended_us: Option<u64>,
}

/// Neither the number nor what the customer wrote.
impl std::fmt::Debug for Callback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { id, queue, state, attempts, .. } = self;
        let mut shown = f.debug_struct("Callback");
        shown.field("id", id).field("queue", queue).field("state", state).field("attempts", attempts);
        shown.finish_non_exhaustive()
    }
}

/// The key of the engine's name for a callback.
fn callback_key(callback: CallbackId) -> String {
    CallbackRef(callback).to_string()
}

/// The key under which a live callback to a number is found: a service calls one number back once.
fn number_key(service: u16, number: &str) -> String {
    format!("{service}:{number}")
}

impl Document for Callback {
    const KIND: Kind = "callback";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        let mut keys = vec![IndexKey::new("all", ""), IndexKey::new("state", self.state.word())];
        keys.extend(self.token.as_deref().map(|token| IndexKey::new("token", token)));
        keys.extend(self.callback.map(|callback| IndexKey::new("callback", callback.to_string())));
        if self.state.is_live() {
            keys.push(IndexKey::new("live", ""));
            keys.push(IndexKey::new("live-number", number_key(self.service, &self.number)));
        }
        if self.state == CallbackState::Dialling {
            keys.extend(self.call.map(|call| IndexKey::new("dial", call.to_string())));
        }
        keys
    }
}
