//! Call records: of every call when it came, what happened to it and how it ended, written as it happens.

mod projection;

use callfloor_engine::Event;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub(crate) use projection::Records;

use crate::document::Document;
use crate::http::CallRef;
use crate::storage::{IndexKey, Kind, key_of};
use crate::wire::{Cause, Sight, WireEvent};

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

/// Something that happened to a call: `at_us`, then what the event stream has, numbers of other parties masked. Kept as it was
/// written, since a record is written at every step of its call.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(Box<RawValue>);

/// How a [`Moment`] is written.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Moment)]
pub(crate) struct MomentFields {
    /// When, in microseconds since 1970.
    at_us: u64,
    /// What, as the event stream has it; numbers of other parties masked.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    what: WireEvent,
}

impl PartialEq for Moment {
    fn eq(&self, other: &Self) -> bool {
        self.0.get() == other.0.get()
    }
}

impl Moment {
    fn of(at_us: u64, event: &Event) -> Self {
        let fields = MomentFields { at_us, what: WireEvent::of(event, Sight { numbers: false }) };
        Self(serde_json::value::to_raw_value(&fields).expect("an event has a form in JSON"))
    }

    /// What the event stream calls it.
    #[must_use]
    pub fn event(&self) -> String {
        #[derive(Deserialize)]
        struct Named {
            #[serde(default)]
            event: String,
        }
        serde_json::from_str(self.0.get()).map_or_else(|_| String::new(), |named: Named| named.event)
    }
}

/// Most moments that a record keeps; a call that rings for days has its first and its end.
const MOST_MOMENTS: usize = 1_000;

impl Document for CallRecord {
    const KIND: Kind = "call-record";
    const IS_REMEMBERED: bool = true;

    fn id(&self) -> u64 {
        self.id
    }

    fn is_over(&self) -> bool {
        self.ended_us.is_some()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_read_as_it_was_written_whatever_the_order_of_its_parts() {
        let call = callfloor_engine::CallId::from_parts(7, 1);
        let moment = Moment::of(12, &Event::CallHeld { call, operator: callfloor_engine::OperatorId(3) });
        let text = serde_json::to_string(&moment).expect("a moment is JSON");
        let fields: serde_json::Value = serde_json::from_str(&text).expect("it is JSON");
        assert_eq!((&fields["at_us"], &fields["event"]), (&12.into(), &"call-held".into()), "{text}");
        assert_eq!(serde_json::from_str::<Moment>(&text).expect("it is read"), moment);
        let before: Moment =
            serde_json::from_str(r#"{"call":"7","event":"call-held","at_us":12}"#).expect("it is read");
        assert_eq!((before.event(), moment.event()), ("call-held".into(), "call-held".into()));
    }
}
