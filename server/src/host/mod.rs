//! The one loop that owns a tenant's engine: jobs in by a bounded channel, one commit for many of them, answers and
//! outputs only after the commit.
//!
//! ```text
//! job ----> loop: fire deadlines, run the job on engine and documents --batch--> committer: journal + documents
//!                                                                                   |
//!                       answer <-- replies, outputs to listeners, actions to the world <--+ durable
//! ```
//!
//! While the committer waits for the disk, the loop gathers the next batch, and hands it over when the disk is done: the more
//! there is to do, the more jobs a batch holds. After a batch of many it waits a moment for more.

mod clock;
mod committer;
mod digest;
mod documents;
mod hub;
mod recovery;
mod times;
mod turn;

use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use callfloor_engine::{Command, Engine, EngineConfig, Instant, Output};
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

pub use clock::Clock;
pub use digest::Digest;
pub use documents::Documents;
pub use hub::{Happened, Hub, Subscription, TooOld};
pub use recovery::{Recovered, replay};
pub use times::Times;
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
    /// How long after the beginning of a commit of many the next one waits for more, at most.
    pub between_commits: Duration,
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
        Self {
            floor,
            projections: Vec::new(),
            performer: Box::new(|_| ()),
            snapshot_every: 100_000,
            between_commits: BETWEEN_COMMITS,
        }
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
/// So many jobs of one commit come from more than one who asks: the next are worth waiting for.
const MANY: usize = 4;
/// So many need not wait for more.
const ENOUGH: usize = 32;
/// At 640 calls a second half of the commits are saved, and a fifth of the processor time.
const BETWEEN_COMMITS: Duration = Duration::from_millis(2);

/// Figures of a host, for metrics.
#[derive(Debug, Default)]
pub struct Figures {
    /// Commands applied.
    pub commands: AtomicU64,
    /// Commands refused.
    pub refused: AtomicU64,
    /// Commits made.
    pub commits: AtomicU64,
    /// Microseconds spent in the engine and its documents, all told.
    pub engine_us: AtomicU64,
    /// What the engine itself took for each command that was given to it, deadlines that were due before it included.
    pub engine: Times,
    /// Microseconds spent waiting for storage, all told.
    pub commit_us: AtomicU64,
    /// Whether storage takes no writes at present.
    pub storage_failing: AtomicBool,
    /// Commits that changed who may do what.
    pub(crate) credentials: AtomicU64,
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

    /// As [`post`](Self::post), with who is told of the answer in place of a receiver: on the thread of commits, which they must
    /// not hold up.
    pub async fn post_then<T, E>(
        &self,
        job: impl FnOnce(&mut Turn<'_>) -> Result<T, E> + Send + 'static,
        told: impl FnOnce(Answer<Result<T, E>>) + Send + 'static,
    ) where
        T: Send + 'static,
        E: Send + 'static,
    {
        // A job that comes too late is dropped, and then they are told so.
        let _ = self.jobs.send(told_to(job, told)).await;
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

    /// How often what is committed of sessions and accounts has changed: what was read after this was asked is of that state, or a
    /// later one, for as long as the number stays.
    #[must_use]
    pub(crate) fn changes_of_credentials(&self) -> u64 {
        self.figures.credentials.load(Ordering::Acquire)
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
    let told = move |answer| {
        // Who asked may have gone.
        let _ = send.send(answer);
    };
    (told_to(job, told), receive)
}

/// A job whose answer goes to `told`: after the commit, or when the job is dropped.
fn told_to<T: Send + 'static, E: Send + 'static>(
    job: impl FnOnce(&mut Turn<'_>) -> Result<T, E> + Send + 'static,
    told: impl FnOnce(Answer<Result<T, E>>) + Send + 'static,
) -> Job {
    let told = Told { told: Some(told), of: PhantomData };
    Box::new(move |turn| {
        let outcome = job(turn);
        if outcome.is_err() && !turn.has_applied() {
            turn.documents().roll_back();
        }
        Box::new(move |committed| {
            told.tell(match committed {
                Ok(()) => Ok(outcome),
                Err(why) => Err(Unavailable::Stopped(why.to_owned())),
            });
        })
    })
}
/// Who is to be told of an answer, once: that there will be none, where this is dropped.
struct Told<A, F: FnOnce(Answer<A>)> {
    told: Option<F>,
    of: PhantomData<fn(A)>,
}

impl<A, F: FnOnce(Answer<A>)> Told<A, F> {
    fn tell(mut self, answer: Answer<A>) {
        if let Some(told) = self.told.take() {
            told(answer);
        }
    }
}

impl<A, F: FnOnce(Answer<A>)> Drop for Told<A, F> {
    fn drop(&mut self) {
        if let Some(told) = self.told.take() {
            told(Err(Unavailable::Stopped("the engine's loop has ended".into())));
        }
    }
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

        let (commits, inbox) = std::sync::mpsc::sync_channel(1);
        let committer =
            Committer { writer: shared, inbox, hub, performer: opening.performer, figures: Arc::clone(&figures) };
        let clock = Clock::new(engine.now());
        let lap = Loop {
            engine,
            clock,
            documents,
            projections: opening.projections,
            jobs,
            commits,
            may_commit: Arc::new(Semaphore::new(1)),
            last_of_many: None,
            between_commits: opening.between_commits,
            figures,
            stop,
            sequence: recovered.last_sequence,
            events,
            digest: Digest::default(),
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
    /// Free while no commit is on its way.
    may_commit: Arc<Semaphore>,
    /// When the last commit went, where it was of many jobs.
    last_of_many: Option<std::time::Instant>,
    between_commits: Duration,
    figures: Arc<Figures>,
    stop: Arc<AtomicBool>,
    /// Of the last journal entry.
    sequence: u64,
    /// Number of the last output.
    events: u64,
    /// Of the outputs that no journal entry covers yet.
    digest: Digest,
    since_snapshot: u64,
    snapshot_every: u64,
    /// The floor of a new tenant, until it is journalled.
    begin: Option<EngineConfig>,
}

/// What one commit makes durable, and who waits for it.
#[derive(Default)]
struct Gathered {
    batch: Batch,
    replies: Vec<Reply>,
    happened: Vec<Happened>,
}

impl Gathered {
    fn is_empty(&self) -> bool {
        self.batch.is_empty() && self.replies.is_empty()
    }
}

/// What the loop goes on with.
enum Next {
    /// A job, or deadlines alone.
    Work(Option<Job>),
    /// The commit of what was gathered.
    Commit(OwnedSemaphorePermit),
}

impl Loop {
    fn run(mut self) {
        // Dropping `commits` at the end lets the committer finish what it has and end too.
        let timer = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let timer = timer.expect("the system gives a timer");
        let mut gathered = Gathered::default();
        if let Some(config) = self.begin.take() {
            self.sequence += 1;
            let input = Input::Begin(Box::new(config)).encode(Digest::default());
            gathered.batch.entries.push(Entry { sequence: self.sequence, at: self.clock.now(), input });
        }
        loop {
            // Where nobody is left who could give it a job, it was let go without a word.
            let asked = self.stop.load(Ordering::Acquire) || self.jobs.is_closed();
            let stopping = asked && self.jobs.is_empty();
            if stopping && gathered.is_empty() {
                if self.since_snapshot > 0 {
                    self.take_snapshot(true);
                }
                return;
            }
            let goes_on = match timer.block_on(self.next(&gathered, stopping)) {
                Next::Work(job) => self.work(job, &mut gathered),
                Next::Commit(turn) => self.commit(std::mem::take(&mut gathered), turn),
            };
            if !goes_on {
                return;
            }
        }
    }

    /// What comes next: the commit of what was gathered, once the one before it is made; until then a job, or time for a deadline.
    async fn next(&mut self, gathered: &Gathered, stopping: bool) -> Next {
        // A timer of the system rounds up to its own unit; a long wait is cut, in case the clock was stopped.
        let longest = Duration::from_secs(60);
        let wait = self.engine.next_deadline().map_or(longest, |due| self.clock.until(due).min(longest));
        // Where many came lately, and few since, more are waited for: a commit costs the more for each job the fewer there are.
        let waited_for = self.last_of_many.filter(|_| !stopping && gathered.replies.len() < ENOUGH);
        let (turn, between) = (Arc::clone(&self.may_commit).acquire_owned(), self.between_commits);
        let may_commit = async move {
            if let Some(last) = waited_for {
                tokio::time::sleep(between.saturating_sub(last.elapsed())).await;
            }
            turn.await.expect("nobody closes it")
        };
        tokio::select! {
            biased;
            turn = may_commit, if !gathered.is_empty() => Next::Commit(turn),
            job = self.jobs.recv(), if !stopping && gathered.replies.len() < JOBS_IN_A_COMMIT => Next::Work(job),
            () = tokio::time::sleep(wait) => Next::Work(None),
        }
    }

    /// Runs a job and those that wait behind it, or fires deadlines alone; `false` where this cannot go on.
    fn work(&mut self, first: Option<Job>, gathered: &mut Gathered) -> bool {
        let begun = std::time::Instant::now();
        let mut next = first;
        loop {
            let job = next.take();
            let mut turn = Turn::new(self, &mut gathered.batch, &mut gathered.happened);
            turn.fire_deadlines();
            turn.keep();
            if let Some(job) = job {
                gathered.replies.push(job(&mut turn));
            }
            if let Err(problem) = turn.finish() {
                // Documents would no longer match the engine: stop before anything of this turn is durable.
                tracing::error!(%problem, "the store cannot be read: this tenant stops");
                for reply in gathered.replies.drain(..) {
                    reply(Err("the store cannot be read"));
                }
                return false;
            }
            if gathered.replies.len() >= JOBS_IN_A_COMMIT {
                break;
            }
            match self.jobs.try_recv() {
                Ok(job) => next = Some(job),
                Err(_) => break,
            }
        }
        let spent = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.figures.engine_us.fetch_add(spent, Ordering::Relaxed);
        true
    }

    /// Gives what was gathered to the committer, and takes a snapshot where one is due; `false` where the committer has gone.
    fn commit(&mut self, gathered: Gathered, turn: OwnedSemaphorePermit) -> bool {
        let Gathered { mut batch, replies, happened } = gathered;
        self.last_of_many = (replies.len() >= MANY).then(std::time::Instant::now);
        batch.writes = self.documents.send();
        self.since_snapshot += batch.entries.len() as u64;
        if self.commits.send(Commit::Batch { batch, replies, happened, turn }).is_err() {
            return false;
        }
        if self.since_snapshot < self.snapshot_every {
            return true;
        }
        self.since_snapshot = 0;
        self.take_snapshot(false)
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
    use crate::storage::Keeper;
    use crate::storage::sqlite::SqliteStorage;

    /// A store whose commits are announced, and made when they may be.
    struct Gated {
        writer: SqliteStorage,
        begun: std::sync::mpsc::Sender<usize>,
        may: std::sync::mpsc::Receiver<()>,
    }

    impl Writer for Gated {
        fn epoch(&self) -> u64 {
            self.writer.epoch()
        }

        fn last_sequence(&mut self) -> Result<u64, StorageError> {
            self.writer.last_sequence()
        }

        fn commit(&mut self, batch: &Batch) -> Result<(), StorageError> {
            // Who tests may have gone: then nothing is held up.
            let _ = self.begun.send(batch.entries.len());
            let _ = self.may.recv();
            self.writer.commit(batch)
        }

        fn put_snapshot(&mut self, snapshot: &Snapshot) -> Result<(), StorageError> {
            self.writer.put_snapshot(snapshot)
        }

        fn latest_snapshot(&mut self) -> Result<Option<Snapshot>, StorageError> {
            self.writer.latest_snapshot()
        }

        fn keeper(&self) -> Result<Box<dyn Keeper>, StorageError> {
            self.writer.keeper()
        }

        fn reader(&self) -> Result<Box<dyn Reader>, StorageError> {
            self.writer.reader()
        }
    }

    /// A host whose commits are held up.
    struct Held {
        host: Host,
        /// How many entries each has, as it begins.
        commits: std::sync::mpsc::Receiver<usize>,
        /// Lets one be made; dropped, all.
        allow: std::sync::mpsc::Sender<()>,
        _directory: tempfile::TempDir,
    }

    fn held_host(between_commits: Duration) -> Held {
        let directory = tempfile::tempdir().expect("a directory");
        let (begun, commits) = std::sync::mpsc::channel();
        let (allow, may) = std::sync::mpsc::channel();
        let writer = Gated { writer: SqliteStorage::open(directory.path()).expect("opens"), begun, may };
        let floor = crate::demo::floor().expect("a floor");
        let opening = Opening { between_commits, ..Opening::new(floor) };
        let host = Host::open(Box::new(writer), opening).expect("opens");
        Held { host, commits, allow, _directory: directory }
    }

    #[tokio::test]
    async fn a_commit_holds_what_came_while_the_one_before_it_was_made() {
        let Held { _directory, host, commits, allow } = held_host(BETWEEN_COMMITS);
        let (done, jobs) = std::sync::mpsc::channel();
        let log_in = |operator| {
            let done = done.clone();
            move |turn: &mut Turn<'_>| {
                let applied = turn.apply(Command::LogIn { operator: OperatorId(operator) }).map(drop);
                done.send(()).expect("the test waits");
                applied
            }
        };
        let limit = Duration::from_secs(20);
        assert_eq!(commits.recv_timeout(limit), Ok(1), "the floor");
        let mut answers = Vec::new();
        for operator in 0..3 {
            answers.push(host.handle().post(log_in(operator)).await.expect("it is taken"));
            jobs.recv_timeout(limit).expect("it is run while the floor is committed");
        }
        assert!(answers[0].try_recv().is_err(), "nothing is acknowledged before its commit");
        allow.send(()).expect("the committer waits");
        assert_eq!(commits.recv_timeout(limit), Ok(3), "all that came meanwhile");
        assert!(answers[0].try_recv().is_err(), "nor while it is made");
        drop(allow);
        for answer in answers {
            answer.await.expect("it is told").expect("it is durable").expect("it may");
        }
        host.close();
    }

    #[tokio::test]
    async fn after_a_commit_of_many_more_are_waited_for() {
        let for_ever = Duration::from_secs(1 << 32);
        let Held { _directory, host, commits, allow } = held_host(for_ever);
        let (done, jobs) = std::sync::mpsc::channel();
        let limit = Duration::from_secs(20);
        let mut answers = Vec::new();
        let mut post = async |count: usize| {
            for _ in 0..count {
                let (operator, number, done) = (OperatorId(0), answers.len(), done.clone());
                let job = move |turn: &mut Turn<'_>| {
                    let log_in = number % 2 == 0;
                    let command = if log_in { Command::LogIn { operator } } else { Command::LogOut { operator } };
                    let applied = turn.apply(command).map(drop);
                    done.send(()).expect("the test waits");
                    applied
                };
                answers.push(host.handle().post(job).await.expect("it is taken"));
                jobs.recv_timeout(limit).expect("it is run");
            }
        };
        assert_eq!(commits.recv_timeout(limit), Ok(1), "the floor");
        post(MANY).await;
        allow.send(()).expect("the committer waits");
        assert_eq!(commits.recv_timeout(limit), Ok(MANY), "after a commit of the floor alone, at once");
        allow.send(()).expect("the committer waits");
        post(ENOUGH - 1).await;
        assert!(commits.try_recv().is_err(), "more are waited for");
        post(1).await;
        assert_eq!(commits.recv_timeout(limit), Ok(ENOUGH), "until there are enough");
        drop(allow);
        for answer in answers {
            answer.await.expect("it is told").expect("it is durable").expect("it may");
        }
        host.close();
    }

    #[tokio::test]
    async fn who_is_to_be_told_of_a_job_is_told_that_it_came_too_late() {
        let directory = tempfile::tempdir().expect("a directory");
        let writer = Box::new(SqliteStorage::open(directory.path()).expect("opens"));
        let host = Host::open(writer, Opening::new(crate::demo::floor().expect("a floor"))).expect("opens");
        let handle = host.handle().clone();
        let (send, told) = std::sync::mpsc::channel();
        let tell = |send: std::sync::mpsc::Sender<bool>| {
            move |answer: Answer<Result<(), ()>>| send.send(answer.is_ok()).expect("the test waits")
        };
        handle.post_then(|_| Ok(()), tell(send.clone())).await;
        host.close();
        handle.post_then(|_| Ok(()), tell(send)).await;
        assert_eq!(told.iter().collect::<Vec<_>>(), [true, false]);
    }

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
