//! One job's turn with the engine and the documents.

use std::sync::atomic::Ordering;
use std::time::Duration;

use callfloor_engine::{Command, Engine, Instant, Output, Rejection};

use super::{Documents, Happened, Input, Loop};
use crate::storage::{Batch, Entry, StorageError};

/// What a job may look at and change.
pub struct Turn<'a> {
    host: &'a mut Loop,
    batch: &'a mut Batch,
    happened: &'a mut Vec<Happened>,
    now: Instant,
    applied: bool,
    /// Deadlines fired that no entry covers yet.
    fired: bool,
    /// How long the engine took for deadlines that no command of this turn has followed yet.
    fired_for: Duration,
    trouble: Option<StorageError>,
}

impl std::fmt::Debug for Turn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Turn").field("now", &self.now).field("applied", &self.applied).finish_non_exhaustive()
    }
}

impl<'a> Turn<'a> {
    pub(super) fn new(host: &'a mut Loop, batch: &'a mut Batch, happened: &'a mut Vec<Happened>) -> Self {
        let now = host.clock.now();
        Self { host, batch, happened, now, applied: false, fired: false, fired_for: Duration::ZERO, trouble: None }
    }

    /// The time of this turn.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// The number of the last output so far: events after it are what a screen that is made now has not seen.
    #[must_use]
    pub const fn events(&self) -> u64 {
        self.host.events
    }

    /// The engine, to look at.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.host.engine
    }

    /// Documents, to read and change.
    pub const fn documents(&mut self) -> &mut Documents {
        &mut self.host.documents
    }

    /// Gives the engine a command. Where it is accepted, it is journalled and its outputs are told to whoever listens,
    /// after the commit.
    ///
    /// # Errors
    /// The engine's [`Rejection`]; then nothing was changed.
    pub fn apply(&mut self, command: Command) -> Result<Vec<Output>, Rejection> {
        self.fire_deadlines();
        let mut out = Vec::new();
        let begun = std::time::Instant::now();
        let applied = self.host.engine.apply(self.now, command.clone(), &mut out);
        self.host.figures.engine.note(std::mem::take(&mut self.fired_for) + begun.elapsed());
        let counted = if applied.is_ok() { &self.host.figures.commands } else { &self.host.figures.refused };
        counted.fetch_add(1, Ordering::Relaxed);
        applied?;
        self.applied = true;
        self.fired = false;
        for projection in &mut self.host.projections {
            projection.accepted(&command);
        }
        self.note(self.now, &out);
        self.write_entry(&Input::Command(command));
        Ok(out)
    }

    /// Whether a command was applied: what this turn did can then no longer be taken back.
    pub(super) const fn has_applied(&self) -> bool {
        self.applied
    }

    /// Fires every deadline that is due, each at its own time.
    pub(super) fn fire_deadlines(&mut self) {
        // Nobody asked for what time brings.
        let actor = self.host.documents.lets_time_act();
        let mut out = Vec::new();
        while let Some(due) = self.host.engine.next_deadline().filter(|due| *due <= self.now) {
            let begun = std::time::Instant::now();
            self.host.engine.advance(due, &mut out);
            self.fired_for += begun.elapsed();
            self.fired = true;
            self.note(due, &out);
            out.clear();
        }
        if let Some(account) = actor {
            self.host.documents.acts(account);
        }
    }

    /// What deadlines changed in documents stays, whatever becomes of the job.
    pub(super) fn keep(&mut self) {
        self.host.documents.keep_turn();
    }

    /// Ends the turn: what it changed goes into the batch.
    pub(super) fn finish(mut self) -> Result<(), StorageError> {
        if let Some(problem) = self.trouble.take() {
            return Err(problem);
        }
        if self.fired {
            self.write_entry(&Input::Advance);
        }
        self.keep();
        Ok(())
    }

    fn write_entry(&mut self, input: &Input) {
        self.host.sequence += 1;
        let digest = std::mem::take(&mut self.host.digest);
        self.batch.entries.push(Entry { sequence: self.host.sequence, at: self.now, input: input.encode(digest) });
    }

    fn note(&mut self, at: Instant, outputs: &[Output]) {
        for output in outputs {
            self.host.events += 1;
            self.host.digest.add(at, output);
            self.happened.push(Happened { number: self.host.events, at, output: *output });
            for projection in &mut self.host.projections {
                let projected = projection.project(&mut self.host.documents, &self.host.engine, at, output);
                if let Err(problem) = projected {
                    self.trouble.get_or_insert(problem);
                }
            }
        }
    }
}
