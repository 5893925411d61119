//! What a journal says of calls: it is replayed, and thereby verified.

use std::collections::BTreeMap;
use std::path::Path;

use callfloor_engine::{CallId, CallRecord, Command, ConsultEnd, Event, Instant, OfferEnd, Output, PhoneNumber, Work};
use callfloor_server::host::{Input, replay};
use callfloor_server::storage::Reader as _;
use callfloor_server::storage::sqlite::SqliteReader;

/// A call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    pub(crate) number: Option<PhoneNumber>,
    /// It was an operator who dialled, and the customer answered.
    pub(crate) dialled: bool,
    /// An operator answered it from a queue.
    pub(crate) answered: bool,
    pub(crate) holds: usize,
    /// How each ringing at an operator ended.
    pub(crate) offers: Vec<OfferEnd>,
    pub(crate) consults: Vec<ConsultEnd>,
    pub(crate) ended: Option<(CallRecord, Instant)>,
}

/// Every call of a journal, in the order in which they began.
pub(crate) fn read(directory: &Path) -> Vec<Told> {
    let mut calls: BTreeMap<CallId, Told> = BTreeMap::new();
    let mut engine = None;
    let mut reader = SqliteReader::open(directory).expect("a journal");
    let mut trouble = None;
    let read = reader.entries(0, &mut |entry| {
        let number = match Input::decode(&entry).expect("an entry").0 {
            Input::Command(Command::CallArrived { from, .. }) => from,
            Input::Command(Command::Dial { to, .. }) => Some(to),
            _ => None,
        };
        let replayed = replay(&mut engine, &entry, &mut |at, output| {
            let Output::Event(event) = *output else { return };
            let about = match event {
                Event::CallEnded(record) => record.call,
                Event::OfferEnded { work: Work::Call(call), .. }
                | Event::CallArrived { call, .. }
                | Event::DialStarted { call, .. }
                | Event::DialAnswered { call, .. }
                | Event::CallAnswered { call, .. }
                | Event::CallHeld { call, .. }
                | Event::ConsultEnded { call, .. } => call,
                _ => return,
            };
            let told: &mut Told = calls.entry(about).or_default();
            match event {
                Event::CallArrived { .. } | Event::DialStarted { .. } => told.number = number,
                Event::DialAnswered { .. } => told.dialled = true,
                Event::CallAnswered { .. } => told.answered = true,
                Event::CallHeld { .. } => told.holds += 1,
                Event::OfferEnded { end, .. } => told.offers.push(end),
                Event::ConsultEnded { end, .. } => told.consults.push(end),
                Event::CallEnded(record) => told.ended = Some((record, at)),
                _ => {}
            }
        });
        trouble = replayed.err();
        trouble.is_none()
    });
    read.expect("the journal can be read");
    assert!(trouble.is_none(), "the journal is not as it was written: {trouble:?}");
    calls.into_values().collect()
}
