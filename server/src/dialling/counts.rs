//! What was dialled: counted from the engine's own orders to dial, in the commit of each, so that a restart forgets none.

use callfloor_engine::{Action, Engine, Instant, Output, PhoneNumber, ServiceId};
use serde::{Deserialize, Serialize};

use super::Period;
use super::caps::zone;
use crate::document::Document;
use crate::floor::ServiceExtra;
use crate::host::{Documents, Projection};
use crate::storage::{IndexKey, Kind, StorageError};

/// Dials of a service, or of one of its outgoing numbers, in the hour and the day of the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DialCounts {
    /// The document's number.
    pub id: u64,
    /// The service, and the outgoing number where it is about one.
    pub of: String,
    /// The hour.
    pub hour: Tally,
    /// The day.
    pub day: Tally,
}

/// Dials in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// When the period began, in microseconds since 1970.
    pub begun_us: u64,
    /// Dials since.
    pub dials: u32,
}

impl Document for DialCounts {
    const KIND: Kind = "dial-counts";

    fn id(&self) -> u64 {
        self.id
    }

    fn keys(&self) -> Vec<IndexKey> {
        vec![IndexKey::new("of", self.of.as_str())]
    }
}

impl DialCounts {
    fn name(service: ServiceId, number: Option<PhoneNumber>) -> String {
        number.map_or_else(|| service.0.to_string(), |number| format!("{}/{number}", service.0))
    }

    /// Of a service, or of one of its outgoing numbers; nothing where none was dialled yet.
    ///
    /// # Errors
    /// What storage says.
    pub fn of(
        documents: &mut Documents,
        service: ServiceId,
        number: Option<PhoneNumber>,
    ) -> Result<Self, StorageError> {
        let of = Self::name(service, number);
        let found = documents.find::<Self>("of", &of)?;
        Ok(found.unwrap_or_else(|| Self { of, ..Self::default() }))
    }

    /// Dials in the period that began then.
    #[must_use]
    pub const fn in_period(&self, period: Period, begun_us: u64) -> u32 {
        let tally = match period {
            Period::Hour => self.hour,
            Period::Day => self.day,
        };
        // A clock that was set back counts into the period that it had reached.
        if tally.begun_us >= begun_us { tally.dials } else { 0 }
    }

    fn count(&mut self, period: Period, begun_us: u64) {
        let dials = self.in_period(period, begun_us).saturating_add(1);
        let tally = match period {
            Period::Hour => &mut self.hour,
            Period::Day => &mut self.day,
        };
        *tally = Tally { begun_us: tally.begun_us.max(begun_us), dials };
    }
}

/// Counts every number outside that is dialled: dials, callbacks, consults, transfers, forwards of the flow.
#[derive(Debug)]
pub(crate) struct Dials;

impl Projection for Dials {
    fn project(
        &mut self,
        documents: &mut Documents,
        engine: &Engine,
        at: Instant,
        output: &Output,
    ) -> Result<(), StorageError> {
        let Output::Action(Action::Dial { leg, from, .. }) = *output else { return Ok(()) };
        let Some(service) = engine.call(leg.call).map(|call| call.service) else { return Ok(()) };
        let zone = zone(&ServiceExtra::of(documents, service)?)?;
        for number in [None].into_iter().chain(from.map(Some)) {
            let mut counts = DialCounts::of(documents, service, number)?;
            if counts.id == 0 {
                counts.id = documents.next_id::<DialCounts>()?;
            }
            for period in [Period::Hour, Period::Day] {
                counts.count(period, period.bounds(&zone, at.as_micros())?.0);
            }
            documents.put(&counts);
        }
        Ok(())
    }
}
