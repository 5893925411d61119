//! From storage back to the state: the newest snapshot, then the journal after it.

use callfloor_engine::{Engine, EngineConfig, Instant, Output};

use super::{Digest, Happened, Input};
use crate::storage::{Entry, Reader, StorageError, Writer};

/// What was found in storage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// The last entry of the journal; 0 for a new tenant.
    pub last_sequence: u64,
    /// Entries replayed after the snapshot.
    pub replayed: u64,
}

/// Outputs of the replayed end of the journal that listeners may still ask for.
const RECENT: usize = 65_536;

/// The number of the last output, then the engine.
pub(super) fn encode_snapshot(engine: &Engine, events: u64) -> Vec<u8> {
    let mut bytes = events.to_le_bytes().to_vec();
    bytes.extend_from_slice(&engine.snapshot());
    bytes
}

fn decode_snapshot(bytes: &[u8]) -> Result<(Engine, u64), String> {
    let (events, engine) = bytes.split_first_chunk().ok_or("it is cut off")?;
    Ok((Engine::restore(engine).map_err(|problem| problem.to_string())?, u64::from_le_bytes(*events)))
}

/// Applies a journal entry as the host did: every deadline at its own time, then the command.
///
/// `engine` is `None` before the first entry. Outputs are given to `each` with their times.
///
/// # Errors
/// Where the entry does not fit the state: it is damaged, or another engine wrote it.
pub fn replay(
    engine: &mut Option<Engine>,
    entry: &Entry,
    each: &mut dyn FnMut(Instant, &Output),
) -> Result<(), StorageError> {
    let damaged = |what: String| StorageError::Damaged { place: format!("journal entry {}", entry.sequence), what };
    let mut out = Vec::new();
    let (input, recorded) = Input::decode(entry)?;
    let mut digest = Digest::default();
    let mut each = |at: Instant, output: &Output| {
        digest.add(at, output);
        each(at, output);
    };
    if let Input::Begin(config) = input {
        if engine.is_some() {
            return Err(damaged("the journal begins a second time".into()));
        }
        *engine = Some(Engine::new(*config));
        return Ok(());
    }
    let engine = engine.as_mut().ok_or_else(|| damaged("the journal does not begin with a floor".into()))?;
    if entry.at < engine.now() {
        return Err(damaged(format!("its time {} is before {}", entry.at, engine.now())));
    }
    while let Some(due) = engine.next_deadline().filter(|due| *due <= entry.at) {
        engine.advance(due, &mut out);
        out.drain(..).for_each(|output| each(due, &output));
    }
    if let Input::Command(command) = input {
        engine
            .apply(entry.at, command, &mut out)
            .map_err(|refused| damaged(format!("the engine refuses what it accepted before: {refused}")))?;
        out.iter().for_each(|output| each(entry.at, output));
    }
    if digest.value() == recorded {
        Ok(())
    } else {
        Err(damaged("the engine says something else than it said then: it is damaged, or of another version".into()))
    }
}

/// State, number of the last output, what was found, and the newest outputs.
type State = (Engine, u64, Recovered, Vec<Happened>);

pub(super) fn recover(writer: &mut dyn Writer, floor: &EngineConfig) -> Result<State, StorageError> {
    let mut recovered = Recovered { last_sequence: writer.last_sequence()?, replayed: 0 };
    let mut reader = writer.reader()?;
    let (mut engine, mut events, mut sequence) = (None, 0, 0);
    if let Some(snapshot) = writer.latest_snapshot()?.filter(|found| found.sequence <= recovered.last_sequence) {
        match decode_snapshot(&snapshot.bytes) {
            Ok((restored, number)) => (engine, events, sequence) = (Some(restored), number, snapshot.sequence),
            Err(problem) => tracing::warn!(problem, "the snapshot cannot be used: the whole journal is replayed"),
        }
    }
    let mut recent = std::collections::VecDeque::new();
    let mut trouble = None;
    replay_after(reader.as_mut(), sequence, &mut |entry| {
        let outcome = if entry.sequence == sequence + 1 {
            replay(&mut engine, &entry, &mut |at, output| {
                events += 1;
                if recent.len() == RECENT {
                    recent.pop_front();
                }
                recent.push_back(Happened { number: events, at, output: *output });
            })
        } else {
            Err(StorageError::Damaged {
                place: format!("journal entry {}", entry.sequence),
                what: format!("it follows entry {sequence}"),
            })
        };
        sequence = entry.sequence;
        recovered.replayed += 1;
        trouble = outcome.err();
        trouble.is_none()
    })?;
    match trouble {
        Some(problem) => Err(problem),
        None => Ok((engine.unwrap_or_else(|| Engine::new(floor.clone())), events, recovered, recent.into())),
    }
}

fn replay_after(
    reader: &mut dyn Reader,
    sequence: u64,
    each: &mut dyn FnMut(Entry) -> bool,
) -> Result<(), StorageError> {
    reader.entries(sequence, each)
}
