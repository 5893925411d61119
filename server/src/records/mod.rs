//! Call records: of every call when it came, what happened to it and how it ended, written as it happens.

mod projection;

use serde::{Deserialize, Serialize};

pub(crate) use projection::Records;

use crate::document::Document;
use crate::http::CallRef;
use crate::storage::{IndexKey, Kind, key_of};
use crate::wire::Cause;

/// The record of a call, live or over.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CallRecord {
    /// The call's running number.
    pub id: u64,
    /// Which call.
    pub call: CallRef,
    /// The service.
    pub service: u16,
    /// Whether we dialled it.
    pub outbound: bool,
    /// The customer's number, if shown or dialled. Not for logs.
    pub number: Option<String>,
    /// The customer's record.
    pub customer: Option<u64>,
    /// The host's own number for it: of the command.
    pub reference: u64,
    /// When it came or was dialled, in microseconds since 1970.
    pub arrived_us: u64,
    /// When it ended; `None` while it is live.
    pub ended_us: Option<u64>,
    /// How it ended.
    pub cause: Option<Cause>,
    /// Its last queue.
    pub queue: Option<u16>,
    /// Operators who had it, in order.
    pub operators: Vec<u32>,
    /// Operators who did not answer it, in order.
    pub missed_by: Vec<u32>,
    /// Queue entry to answer or leaving, in microseconds, ringing included.
    pub wait_us: u64,
    /// Talking, in microseconds.
    pub talk_us: u64,
    /// On hold, in microseconds, consults not included.
    pub hold_us: u64,
    /// On hold during a consult, in microseconds.
    pub consult_us: u64,
    /// The ticket's number.
    pub ticket: Option<u64>,
    /// Everything that happened to it.
    pub timeline: Vec<Moment>,
}

/// Something that happened to a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Moment {
    /// When, in microseconds since 1970.
    pub at_us: u64,
    /// What, as the event stream has it; numbers of other parties masked.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub what: serde_json::Map<String, serde_json::Value>,
}

/// Most moments that a record keeps; a call that rings for days has its first and its end.
const MOST_MOMENTS: usize = 1_000;

impl Document for CallRecord {
    const KIND: Kind = "call-record";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        let at = key_of(self.arrived_us);
        let under = |index, of: &dyn std::fmt::Display| IndexKey::new(index, format!("{of}:{at}"));
        let mut keys = vec![IndexKey::new("arrived", at.as_str()), under("service", &self.service)];
        keys.extend(self.queue.map(|queue| under("queue", &queue)));
        keys.extend(self.customer.map(|customer| under("customer", &customer)));
        let mut seen: Vec<u32> = self.operators.clone();
        seen.sort_unstable();
        seen.dedup();
        keys.extend(seen.iter().map(|operator| under("operator", operator)));
        keys
    }
}
