//! The one loop that owns a tenant's engine: jobs in by a bounded channel, one commit for many of them, answers and
//! outputs only after the commit.
//!
//! ```text
//! job ----> loop: fire deadlines, run the job on engine and documents --batch--> committer: journal + documents
//!                                                                                   |
//!                       answer <-- replies, outputs to listeners, actions to the world <--+ durable
//! ```
//!
//! While the committer waits for the disk, the loop works on the next batch: under load a batch holds many jobs.

mod clock;
mod committer;
mod digest;
mod documents;
mod hub;
mod recovery;
mod turn;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use callfloor_engine::{Command, Engine, EngineConfig, Instant, Output};
use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, oneshot};

pub use clock::Clock;
pub use digest::Digest;
pub use documents::Documents;
pub use hub::{Happened, Hub, Subscription, TooOld};
pub use recovery::{Recovered, replay};
pub use turn::Turn;

use crate::storage::{Batch, Entry, Reader, Snapshot, StorageError, Writer};
use committer::{Commit, Committer};

/// What the journal holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// The first entry: the floor that the tenant begins with.
    Begin(Box<EngineConfig>),
    /// Deadlines fired; nothing else happened.
    Advance,
    /// A command that the engine accepted.
    Command(Command),
}

impl Input {
    /// The input, then the digest of what the engine said since the entry before: what an entry of the journal holds.
    #[must_use]
    pub fn encode(&self, digest: Digest) -> Vec<u8> {
        let mut bytes = postcard::to_stdvec(self).expect("an input has no part that cannot be written");
        bytes.extend_from_slice(&digest.value().to_le_bytes());
        bytes
    }

    /// Reads an entry: its input, and the digest of what the engine said for it.
    ///
    /// # Errors
    /// [`StorageError::Damaged`] where it is none.
    pub fn decode(entry: &Entry) -> Result<(Self, u64), StorageError> {
        let damaged = |what: String| StorageError::Damaged { place: format!("journal entry {}", entry.sequence), what };
        let (input, digest) = entry.input.split_last_chunk().ok_or_else(|| damaged("it is cut off".into()))?;
        match postcard::from_bytes(input) {
            Ok(input) => Ok((input, u64::from_le_bytes(*digest))),
            Err(problem) => Err(damaged(problem.to_string())),
        }
    }
}

/// Keeps documents in step with the engine: is shown every output, in order, within the turn that made it.
pub trait Projection: Send {
    /// Is told of a command that the engine has accepted, ahead of what the engine says of it: what a command carries and no
    /// output repeats.
    fn accepted(&mut self, _command: &Command) {}

    /// Writes down what an output means for documents.
    ///
    /// # Errors
    /// What storage says; the host then stops, since documents would no longer match the engine.
    fn project(
        &mut self,
        documents: &mut Documents,
        engine: &Engine,
        at: Instant,
        output: &Output,
    ) -> Result<(), StorageError>;
}

/// Performs actions in the world; is called after the commit, in order, and must not block.
pub type Performer = Box<dyn FnMut(&Happened) + Send>;

/// What a host is opened with.
pub struct Opening {
    /// The floor of a tenant that has no journal yet.
    pub floor: EngineConfig,
    /// Documents that follow the engine.
    pub projections: Vec<Box<dyn Projection>>,
    /// Who performs actions.
    pub performer: Performer,
    /// A snapshot is taken after so many entries.
    pub snapshot_every: u64,
}

impl std::fmt::Debug for Opening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opening").field("snapshot_every", &self.snapshot_every).finish_non_exhaustive()
    }
}

impl Opening {
    /// A floor, with nothing beside the engine.
    #[must_use]
    pub fn new(floor: EngineConfig) -> Self {
        Self { floor, projections: Vec::new(), performer: Box::new(|_| ()), snapshot_every: 100_000 }
    }
}

/// Why a job has no answer of its own.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// More jobs wait than may: try again later. Nothing was done.
    #[error("the server has more work waiting than it can take: try again in a moment")]
    Busy,
    /// The server is going down, or another one has taken over. What was asked may or may not have been done: ask again
    /// with the same idempotency key.
    #[error("this server has stopped serving: {0}")]
    Stopped(String),
    /// Storage takes no writes at present. Nothing was done.
    #[error("{0}")]
    Storage(String),
}

/// What became of a job: its own answer, or why there is none.
pub type Answer<T> = Result<T, Unavailable>;

/// The answer of a job that was posted.
pub type Pending<T, E> = oneshot::Receiver<Answer<Result<T, E>>>;

/// Gives a job's answer, once its commit is known.
type Reply = Box<dyn FnOnce(Result<(), &str>) + Send>;
type Job = Box<dyn FnOnce(&mut Turn<'_>) -> Reply + Send>;

/// Jobs that may wait before more are refused.
const WAITING: usize = 4_096;
/// Jobs in one commit at most: bounds what one commit can lose time over.
const JOBS_IN_A_COMMIT: usize = 1_024;

/// Figures of a host, for metrics.
#[derive(Debug, Default)]
pub struct Figures {
    /// Commands applied.
    pub commands: AtomicU64,
    /// Commands refused.
    pub refused: AtomicU64,
    /// Commits made.
    pub commits: AtomicU64,
    /// Microseconds spent in the engine, all told.
    pub engine_us: AtomicU64,
    /// Microseconds spent waiting for storage, all told.
    pub commit_us: AtomicU64,
    /// Whether storage takes no writes at present.
    pub storage_failing: AtomicBool,
}

/// Access to a tenant's host; cheap to clone.
#[derive(Clone)]
pub struct Handle {
    jobs: mpsc::Sender<Job>,
    hub: Arc<Hub>,
    readers: Arc<Readers>,
    figures: Arc<Figures>,
    stop: Arc<AtomicBool>,
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Handle").field("figures", &self.figures).finish_non_exhaustive()
    }
}

impl Handle {
    /// Runs a job in the loop and gives its answer after the commit. For what people and programs ask: refused at once
    /// where too much waits.
    ///
    /// A job first looks and decides, then changes documents, and applies commands last: where it returns an error
    /// before any command was applied, its changes of documents are forgotten.
    ///
    /// # Errors
    /// [`Unavailable`]; the job's own errors are in its answer.
    pub async fn run<T, E>(
        &self,
        job: impl FnOnce(&mut Turn<'_>) -> Result<T, E> + Send + 'static,
    ) -> Answer<Result<T, E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        if let Some(trouble) = self.trouble() {
            return Err(trouble);
        }
        let (job, answer) = boxed(job);
        self.jobs.try_send(job).map_err(|refused| match refused {
            mpsc::error::TrySendError::Full(_) => Unavailable::Busy,
            mpsc::error::TrySendError::Closed(_) => Unavailable::Stopped("the engine's loop has ended".into()),
        })?;
        wait_for(answer).await
    }

    /// As [`run`](Self::run), for facts of the world: waits for room, since a fact cannot be refused.
    ///
    /// # Errors
    /// [`Unavailable::Stopped`].
    pub async fn tell<T, E>(
        &self,
        job: impl FnOnce(&mut Turn<'_>) -> Result<T, E> + Send + 'static,
    ) -> Answer<Result<T, E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        wait_for(self.post(job).await?).await
    }

    /// As [`tell`](Self::tell), for who has more to do than to wait: when this returns, the job has its place in the order
    /// of jobs; its answer comes by the receiver.
    ///
    /// # Errors
    /// [`Unavailable::Stopped`].
    pub async fn post<T, E>(
        &self,
        job: impl FnOnce(&mut Turn<'_>) -> Result<T, E> + Send + 'static,
    ) -> Answer<Pending<T, E>>
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        let (job, answer) = boxed(job);
        let sent = self.jobs.send(job).await;
        sent.map_err(|_| Unavailable::Stopped("the engine's loop has ended".into()))?;
        Ok(answer)
    }

    /// Reads what is committed, away from the loop.
    ///
    /// # Errors
    /// What the reading function returns, or that storage gives no reader.
    pub async fn read<T, E>(&self, read: impl FnOnce(&mut dyn Reader) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StorageError> + Send + 'static,
    {
        let readers = Arc::clone(&self.readers);
        let task = tokio::task::spawn_blocking(move || {
            let mut reader = readers.take()?;
            let outcome = read(reader.as_mut());
            readers.give_back(reader);
            outcome
        });
        task.await.expect("a reading function does not panic")
    }

    /// A reader of what is committed, for whoever reads long: away from those that requests use.
    ///
    /// # Errors
    /// That storage gives no reader.
    pub async fn reader(&self) -> Result<Box<dyn Reader>, StorageError> {
        let readers = Arc::clone(&self.readers);
        let task = tokio::task::spawn_blocking(move || readers.take());
        task.await.expect("taking a reader does not panic")
    }

    /// Outputs as they become durable.
    #[must_use]
    pub const fn hub(&self) -> &Arc<Hub> {
        &self.hub
    }

    /// Figures of the host.
    #[must_use]
    pub fn figures(&self) -> &Figures {
        &self.figures
    }

    /// Whether the loop takes jobs and storage takes writes.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.trouble().is_none() && !self.jobs.is_closed()
    }

    /// Whether the loop has ended: it will never take a job again.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.jobs.is_closed()
    }

    /// Ends the loop when it has done what waits; the last commit and a snapshot are made.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Release);
        // Wakes the loop.
        let _ = self.jobs.try_send(Box::new(|_| Box::new(|_| ())));
    }

    fn trouble(&self) -> Option<Unavailable> {
        self.figures
            .storage_failing
            .load(Ordering::Acquire)
            .then(|| Unavailable::Storage("storage takes no writes at present: free some space, then try again".into()))
    }
}

fn boxed<T: Send + 'static, E: Send + 'static>(
    job: impl FnOnce(&mut Turn<'_>) -> Result<T, E> + Send + 'static,
) -> (Job, Pending<T, E>) {
    let (send, receive) = oneshot::channel();
    let boxed: Job = Box::new(move |turn| {
        let outcome = job(turn);
        if outcome.is_err() && !turn.has_applied() {
            turn.documents().roll_back();
        }
        Box::new(move |committed| {
            let answer = match committed {
                Ok(()) => Ok(outcome),
                Err(why) => Err(Unavailable::Stopped(why.to_owned())),
            };
            // Who asked may have gone.
            let _ = send.send(answer);
        })
    });
    (boxed, receive)
}

async fn wait_for<T, E>(answer: Pending<T, E>) -> Answer<Result<T, E>> {
    answer.await.unwrap_or_else(|_| Err(Unavailable::Stopped("the engine's loop has ended".into())))
}

/// Makes readers.
type ReaderMaker = Box<dyn Fn() -> Result<Box<dyn Reader>, StorageError> + Send>;

/// Readers that are lent out and come back.
struct Readers {
    idle: Mutex<Vec<Box<dyn Reader>>>,
    /// Makes more.
    maker: Mutex<ReaderMaker>,
}

impl Readers {
    fn take(&self) -> Result<Box<dyn Reader>, StorageError> {
        if let Some(reader) = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            return Ok(reader);
        }
        self.maker.lock().unwrap_or_else(PoisonError::into_inner)()
    }

    fn give_back(&self, reader: Box<dyn Reader>) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
    }
}

/// A host that runs in threads of its own.
#[derive(Debug)]
pub struct Host {
    handle: Handle,
    threads: Vec<std::thread::JoinHandle<()>>,
    recovered: Recovered,
}

impl Host {
    /// Rebuilds the tenant's state from storage and begins to serve it.
    ///
    /// # Errors
    /// What storage says, and where its snapshot or journal do not fit together.
    pub fn open(mut writer: Box<dyn Writer>, opening: Opening) -> Result<Self, StorageError> {
        let (engine, events, recovered, recent) = recovery::recover(writer.as_mut(), &opening.floor)?;
        let hub = Arc::new(Hub::default());
        hub.publish(&recent);
        let figures = Arc::new(Figures::default());
        let stop = Arc::new(AtomicBool::new(false));
        let (send, jobs) = mpsc::channel(WAITING);
        let documents = Documents::new(writer.reader()?);
        let first = writer.reader()?;
        let shared: Arc<Mutex<Box<dyn Writer>>> = Arc::new(Mutex::new(writer));
        let maker = {
            let shared = Arc::clone(&shared);
            move || shared.lock().unwrap_or_else(PoisonError::into_inner).reader()
        };
        let readers = Arc::new(Readers { idle: Mutex::new(vec![first]), maker: Mutex::new(Box::new(maker)) });
        let handle = Handle {
            jobs: send,
            hub: Arc::clone(&hub),
            readers,
            figures: Arc::clone(&figures),
            stop: Arc::clone(&stop),
        };

        let committed = Arc::new(AtomicU64::new(0));
        let (commits, inbox) = std::sync::mpsc::sync_channel(1);
        let committer = Committer {
            writer: shared,
            inbox,
            hub,
            performer: opening.performer,
            figures: Arc::clone(&figures),
            committed: Arc::clone(&committed),
        };
        let clock = Clock::new(engine.now());
        let lap = Loop {
            engine,
            clock,
            documents,
            projections: opening.projections,
            jobs,
            commits,
            committed,
            figures,
            stop,
            sequence: recovered.last_sequence,
            events,
            digest: Digest::default(),
            commit: 0,
            since_snapshot: recovered.replayed,
            snapshot_every: opening.snapshot_every.max(1),
            begin: (recovered.last_sequence == 0).then_some(opening.floor),
        };
        let threads = vec![spawn("committer", move || committer.run()), spawn("engine", move || lap.run())];
        Ok(Self { handle, threads, recovered })
    }

    /// Access to the host.
    #[must_use]
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }

    /// What was found in storage.
    #[must_use]
    pub const fn recovered(&self) -> &Recovered {
        &self.recovered
    }

    /// Stops the loop and waits until the last commit is made.
    pub fn close(self) {
        self.handle.stop();
        drop(self.handle);
        for thread in self.threads {
            let name = thread.thread().name().unwrap_or_default().to_owned();
            if thread.join().is_err() {
                tracing::error!(thread = name, "ended by a fault of ours");
            }
        }
    }
}

fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> std::thread::JoinHandle<()> {
    std::thread::Builder::new().name(name.to_owned()).spawn(run).expect("the system gives a thread")
}

/// The loop's state.
struct Loop {
    engine: Engine,
    clock: Clock,
    documents: Documents,
    projections: Vec<Box<dyn Projection>>,
    jobs: mpsc::Receiver<Job>,
    commits: std::sync::mpsc::SyncSender<Commit>,
    committed: Arc<AtomicU64>,
    figures: Arc<Figures>,
    stop: Arc<AtomicBool>,
    /// Of the last journal entry.
    sequence: u64,
    /// Number of the last output.
    events: u64,
    /// Of the outputs that no journal entry covers yet.
    digest: Digest,
    /// Number of the commit that is being gathered.
    commit: u64,
    since_snapshot: u64,
    snapshot_every: u64,
    /// The floor of a new tenant, until it is journalled.
    begin: Option<EngineConfig>,
}

impl Loop {
    fn run(mut self) {
        // Dropping `commits` at the end lets the committer finish what it has and end too.
        let timer = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let timer = timer.expect("the system gives a timer");
        loop {
            let first = timer.block_on(self.next_job());
            self.commit += 1;
            self.documents.confirmed(self.committed.load(Ordering::Acquire));
            let mut batch = Batch::default();
            if let Some(config) = self.begin.take() {
                let at = self.clock.now();
                self.sequence += 1;
                batch.entries.push(Entry {
                    sequence: self.sequence,
                    at,
                    input: Input::Begin(Box::new(config)).encode(Digest::default()),
                });
            }
            let mut replies = Vec::new();
            let mut happened = Vec::new();
            let mut next = first;
            let begun = std::time::Instant::now();
            loop {
                let job = next.take();
                let ended = {
                    let mut turn = Turn::new(&mut self, &mut batch, &mut happened);
                    turn.fire_deadlines();
                    turn.keep();
                    if let Some(job) = job {
                        replies.push(job(&mut turn));
                    }
                    turn.finish()
                };
                if let Err(problem) = ended {
                    // Documents would no longer match the engine: stop before anything of this turn is durable.
                    tracing::error!(%problem, "the store cannot be read: this tenant stops");
                    for reply in replies {
                        reply(Err("the store cannot be read"));
                    }
                    return;
                }
                if replies.len() >= JOBS_IN_A_COMMIT {
                    break;
                }
                match self.jobs.try_recv() {
                    Ok(job) => next = Some(job),
                    Err(_) => break,
                }
            }
            let spent = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.figures.engine_us.fetch_add(spent, Ordering::Relaxed);

            let entries = batch.entries.len() as u64;
            self.since_snapshot += entries;
            // Where nobody is left who could give it a job, it was let go without a word.
            let asked = self.stop.load(Ordering::Acquire) || self.jobs.is_closed();
            let stopping = asked && self.jobs.is_empty();
            let wanted = self.since_snapshot >= self.snapshot_every || (stopping && self.since_snapshot > 0);
            if !batch.is_empty() || !replies.is_empty() {
                let commit = Commit::Batch { number: self.commit, batch, replies, happened };
                if self.commits.send(commit).is_err() {
                    return;
                }
            }
            if wanted {
                self.since_snapshot = 0;
                if !self.take_snapshot(stopping) {
                    return;
                }
            }
            if stopping {
                return;
            }
        }
    }

    /// The next job; `None` where a deadline comes first.
    async fn next_job(&mut self) -> Option<Job> {
        if self.begin.is_some() {
            return None;
        }
        match self.engine.next_deadline() {
            Some(deadline) => {
                let wait = self.clock.until(deadline);
                if wait.is_zero() {
                    return None;
                }
                // A timer of the system rounds up to its own unit; a long wait is cut, in case the clock was stopped.
                tokio::time::timeout(wait.min(Duration::from_secs(60)), self.jobs.recv()).await.ok().flatten()
            }
            None => self.jobs.recv().await,
        }
    }

    /// A copy of the state is written away from the loop; `false` if the committer has gone.
    fn take_snapshot(&self, wait: bool) -> bool {
        let (engine, sequence, events) = (self.engine.clone(), self.sequence, self.events);
        let commits = self.commits.clone();
        let write = move || {
            let bytes = recovery::encode_snapshot(&engine, events);
            commits.send(Commit::Snapshot(Snapshot { sequence, bytes })).is_ok()
        };
        if wait {
            return write();
        }
        spawn("snapshot", move || {
            // The committer may have gone meanwhile: the journal holds everything.
            let _ = write();
        });
        true
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use callfloor_engine::OperatorId;

    use super::*;
    use crate::storage::sqlite::SqliteStorage;

    #[tokio::test]
    async fn a_host_that_everybody_lets_go_of_ends_and_what_it_did_is_kept() {
        let directory = tempfile::tempdir().expect("a directory");
        let open = || {
            let writer = Box::new(SqliteStorage::open(directory.path()).expect("opens"));
            Host::open(writer, Opening::new(crate::demo::floor().expect("a floor"))).expect("opens")
        };
        let Host { handle, threads, .. } = open();
        let ready = |turn: &mut Turn<'_>| turn.apply(Command::LogIn { operator: OperatorId(0) }).map(drop);
        handle.run(ready).await.expect("is durable").expect("may");
        drop(handle);
        let begun = Instant::now();
        while !threads.iter().all(std::thread::JoinHandle::is_finished) {
            assert!(begun.elapsed() < Duration::from_secs(20), "its threads go on");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let again = open();
        assert!(again.recovered().last_sequence >= 2, "the floor and the command are in the journal");
        again.close();
    }
}
