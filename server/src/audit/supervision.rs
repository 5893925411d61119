//! Who was in whose call: from when a supervisor hears it to when they no longer do, whatever began or ended it.

use callfloor_engine::{Engine, Event, Instant, OperatorId, Output, Supervision, SupervisionEnd};

use super::{Act, append};
use crate::host::{Documents, Projection};
use crate::storage::StorageError;

/// Writes each beginning, change and end of a supervision in the audit log.
#[derive(Debug)]
pub(crate) struct Supervisions;

impl Projection for Supervisions {
    fn project(
        &mut self,
        documents: &mut Documents,
        engine: &Engine,
        at: Instant,
        output: &Output,
    ) -> Result<(), StorageError> {
        let Output::Event(event) = output else { return Ok(()) };
        let (supervisor, about) = match *event {
            Event::SupervisionStarted { call, supervisor, operator, mode } => {
                (supervisor, format!("{call} of {}: {}", named(engine, operator), in_words(mode)))
            }
            Event::SupervisionChanged { call, supervisor, mode } => (supervisor, format!("{call}: {}", in_words(mode))),
            Event::SupervisionEnded { call, supervisor, end } => (supervisor, format!("{call}: {}", ended(end))),
            _ => return Ok(()),
        };
        append(documents, at.as_micros(), &named(engine, supervisor), Act::CallSupervised, about)
    }
}

fn named(engine: &Engine, operator: OperatorId) -> String {
    let name = engine.config().operators.get(operator.index()).map_or("", |person| person.name.as_str());
    format!("{operator} {name:?}")
}

const fn in_words(mode: Supervision) -> &'static str {
    match mode {
        Supervision::Listen => "listens",
        Supervision::Whisper => "whispers",
        Supervision::Barge => "barged in",
    }
}

const fn ended(end: SupervisionEnd) -> &'static str {
    match end {
        SupervisionEnd::Stopped => "stopped",
        SupervisionEnd::TookOver => "took over",
        SupervisionEnd::OperatorLeft => "ended, no operator has the call any more",
        SupervisionEnd::CallEnded => "ended with the call",
        SupervisionEnd::DeviceLost => "ended, the supervisor's device was lost",
    }
}
