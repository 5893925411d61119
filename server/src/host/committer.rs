//! The thread that waits for storage, so that the engine need not.

use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::OwnedSemaphorePermit;

use super::{Figures, Happened, Hub, Performer, Reply};
use crate::auth::is_credential;
use crate::storage::{Batch, Snapshot, StorageError, Writer};

/// What the committer is given.
pub(super) enum Commit {
    /// With the right to commit, which is given back once it is done.
    Batch {
        batch: Batch,
        replies: Vec<Reply>,
        happened: Vec<Happened>,
        turn: OwnedSemaphorePermit,
    },
    Snapshot(Snapshot),
}

pub(super) struct Committer {
    pub(super) writer: Arc<Mutex<Box<dyn Writer>>>,
    pub(super) inbox: Receiver<Commit>,
    pub(super) hub: Arc<Hub>,
    pub(super) performer: Performer,
    pub(super) figures: Arc<Figures>,
}

/// Pause before storage that took no write is tried again.
const RETRY: Duration = Duration::from_millis(250);

impl Committer {
    pub(super) fn run(mut self) {
        while let Ok(commit) = self.inbox.recv() {
            match commit {
                Commit::Batch { batch, replies, happened, turn } => {
                    if let Err(problem) = self.store(&batch) {
                        tracing::error!(%problem, "this tenant's journal can no longer be written: it stops");
                        let why = problem.to_string();
                        for reply in replies {
                            reply(Err(&why));
                        }
                        // The loop finds the channel closed and ends.
                        return;
                    }
                    if batch.writes.iter().any(|write| is_credential(write.kind())) {
                        self.figures.credentials.fetch_add(1, Ordering::AcqRel);
                    }
                    drop(turn);
                    for reply in replies {
                        reply(Ok(()));
                    }
                    for one in &happened {
                        (self.performer)(one);
                    }
                    self.hub.publish(&happened);
                }
                Commit::Snapshot(snapshot) => {
                    let stored = self.writer().put_snapshot(&snapshot);
                    if let Err(problem) = stored {
                        // The journal holds everything: a later snapshot will do.
                        tracing::warn!(%problem, sequence = snapshot.sequence, "a snapshot could not be kept");
                    }
                }
            }
        }
    }

    fn writer(&self) -> std::sync::MutexGuard<'_, Box<dyn Writer>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stores a batch; where there is no room, again and again until there is. Nothing is acknowledged meanwhile, and
    /// new jobs are refused.
    fn store(&self, batch: &Batch) -> Result<(), StorageError> {
        let begun = Instant::now();
        loop {
            match self.writer().commit(batch) {
                Ok(()) => {
                    if self.figures.storage_failing.swap(false, Ordering::AcqRel) {
                        tracing::info!("storage takes writes again");
                    }
                    let spent = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
                    self.figures.commit_us.fetch_add(spent, Ordering::Relaxed);
                    self.figures.commits.fetch_add(1, Ordering::Relaxed);
                    return Ok(());
                }
                Err(problem @ (StorageError::Full { .. } | StorageError::Backend { .. })) => {
                    if !self.figures.storage_failing.swap(true, Ordering::AcqRel) {
                        tracing::error!(%problem, "storage takes no writes: new work is refused until it does");
                    }
                }
                Err(problem) => return Err(problem),
            }
            std::thread::sleep(RETRY);
        }
    }
}
