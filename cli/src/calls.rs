//! `--calls-csv`: every simulated call as a row of one file, in the order of the replications whatever the threads do.
//!
//! The replication whose turn it is writes as it goes; others keep their rows until it is theirs, and wait for it once they
//! keep much, so that memory stays bounded however long a run is. The file gets its name when it is whole: a run
//! that fails leaves nothing, and one that is stopped leaves the replications that its results have.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use callfloor_scenario::Scenario;
use callfloor_sim::{CallLog, CallRow, CallRows, CallTable};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::ending::Failure;

/// Rows are handed on in pieces of so many bytes.
const PIECE: usize = 1 << 16;
/// What a thread keeps before it waits for its turn, and what all finished replications before their turn may keep.
const KEPT: usize = 8 << 20;

/// A file of calls that is being written.
#[derive(Debug)]
pub(crate) struct CallsCsv {
    path: PathBuf,
    /// Where the rows go until they are whole: beside the file, or the device itself.
    part: PathBuf,
    table: CallTable,
    state: Mutex<State>,
    turn: Condvar,
    /// Set where writing fails: the run has no point any more.
    stop: &'static AtomicBool,
    closed: bool,
}

#[derive(Debug)]
struct State {
    sink: Sink,
    /// The replication whose turn it is.
    next: u32,
    /// Replications after it that are over: their rows, or `None` where they were given up.
    over: BTreeMap<u32, Option<Vec<u8>>>,
    /// Bytes in `over`.
    kept: usize,
    failed: Option<io::Error>,
}

/// The file itself. With gzip every replication is a member of its own, so that one that was given up can be cut off.
#[derive(Debug)]
struct Sink {
    file: File,
    gzip: Option<GzEncoder<Vec<u8>>>,
    compressed: bool,
    written: u64,
    /// Length up to the end of the last finished replication; what is written beyond belongs to one under way.
    whole: u64,
}

impl CallsCsv {
    /// Opens the file, before anything is simulated: a path that cannot be written is told at once.
    pub(crate) fn open(
        path: &Path,
        scenario: &Scenario,
        first: u32,
        stop: &'static AtomicBool,
    ) -> Result<Self, Failure> {
        if path == Path::new("-") {
            return Err(Failure::Input("--calls-csv needs a FILE: stdout has the results".into()));
        }
        let fail = |error: io::Error| Failure::file(path, "write", &error);
        let plan = scenario.floor_plan().map_err(Failure::input)?;
        let special = path.exists() && !path.is_file();
        let part = if special { path.to_owned() } else { beside(path) };
        let file = File::create(&part).map_err(fail)?;
        let compressed = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
        let sink = Sink { file, gzip: None, compressed, written: 0, whole: 0 };
        let mut csv = Self {
            path: path.to_owned(),
            part,
            table: CallTable::new(scenario, &plan),
            state: Mutex::new(State { sink, next: first, over: BTreeMap::new(), kept: 0, failed: None }),
            turn: Condvar::new(),
            stop,
            closed: false,
        };
        let sink = &mut csv.state.get_mut().unwrap_or_else(PoisonError::into_inner).sink;
        sink.put(CallTable::header().as_bytes()).and_then(|()| sink.end()).map_err(fail)?;
        Ok(csv)
    }

    /// All replications are over: gives the file its name.
    pub(crate) fn close(mut self) -> Result<(), Failure> {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let fail = |error: io::Error| Failure::file(&self.path, "write", &error);
        match state.failed.take() {
            Some(error) => return Err(fail(error)),
            None => state.sink.file.flush().map_err(fail)?,
        }
        if self.part != self.path {
            std::fs::rename(&self.part, &self.path).map_err(fail)?;
        }
        self.closed = true;
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until `replication` may write, or `enough` says that it need not wait.
    fn await_turn(&self, replication: u32, enough: impl Fn(&State) -> bool) -> MutexGuard<'_, State> {
        let mut state = self.lock();
        while state.next != replication && !enough(&state) {
            state = self.turn.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state
    }

    fn write(&self, state: &mut State, rows: &[u8]) {
        if state.failed.is_some() {
            return;
        }
        if let Err(error) = state.sink.put(rows) {
            self.fail(state, error);
        }
    }

    fn fail(&self, state: &mut State, error: io::Error) {
        state.failed = Some(error);
        self.stop.store(true, Ordering::Relaxed);
    }

    /// The replication whose turn it was is over, and so are those that waited for it. `whole` says whether it counts.
    fn next(&self, state: &mut State, mut whole: bool) {
        loop {
            let ended = match (state.failed.is_some(), whole) {
                (true, _) => Ok(()),
                (false, true) => state.sink.end(),
                (false, false) => state.sink.cut(),
            };
            if let Err(error) = ended {
                self.fail(state, error);
            }
            state.next += 1;
            let next = state.next;
            let Some(rows) = state.over.remove(&next) else { break };
            whole = rows.is_some();
            let rows = rows.unwrap_or_default();
            state.kept -= rows.len();
            self.write(state, &rows);
        }
        self.turn.notify_all();
    }
}

impl Drop for CallsCsv {
    fn drop(&mut self) {
        if !self.closed && self.part != self.path {
            // Where it cannot be removed there is nothing better to do.
            let _ = std::fs::remove_file(&self.part);
        }
    }
}

impl CallLog for CallsCsv {
    fn replication(&self, replication: u32) -> Box<dyn CallRows + '_> {
        Box::new(Rows { csv: self, replication, text: Vec::new(), look_at: PIECE, over: false })
    }
}

/// The rows of one replication.
struct Rows<'c> {
    csv: &'c CallsCsv,
    replication: u32,
    text: Vec<u8>,
    /// Length at which it is time to hand rows on, or to see whether that is possible.
    look_at: usize,
    over: bool,
}

impl CallRows for Rows<'_> {
    fn call(&mut self, row: &CallRow<'_>) {
        self.csv.table.write(row, &mut self.text);
        if self.text.len() < self.look_at {
            return;
        }
        let mut state = self.csv.await_turn(self.replication, |_| self.text.len() < KEPT);
        if state.next == self.replication {
            let pieces = self.text.len() - self.text.len() % PIECE;
            self.csv.write(&mut state, &self.text[..pieces]);
            self.text.drain(..pieces);
        }
        self.look_at = self.text.len() / PIECE * PIECE + PIECE;
    }

    fn finish(mut self: Box<Self>) {
        self.over = true;
        let text = std::mem::take(&mut self.text);
        let mut state = self.csv.await_turn(self.replication, |state| state.kept + text.len() <= KEPT);
        if state.next == self.replication {
            self.csv.write(&mut state, &text);
            self.csv.next(&mut state, true);
        } else {
            state.kept += text.len();
            state.over.insert(self.replication, Some(text));
        }
    }
}

impl Drop for Rows<'_> {
    fn drop(&mut self) {
        if self.over {
            return;
        }
        let mut state = self.csv.lock();
        if state.next == self.replication {
            self.csv.next(&mut state, false);
        } else {
            state.over.insert(self.replication, None);
        }
    }
}

impl Sink {
    fn put(&mut self, rows: &[u8]) -> io::Result<()> {
        if !self.compressed {
            self.written += rows.len() as u64;
            return self.file.write_all(rows);
        }
        let gzip = self.gzip.get_or_insert_with(|| GzEncoder::new(Vec::new(), Compression::default()));
        for piece in rows.chunks(PIECE) {
            gzip.write_all(piece)?;
            self.written += gzip.get_ref().len() as u64;
            self.file.write_all(gzip.get_ref())?;
            gzip.get_mut().clear();
        }
        Ok(())
    }

    /// What is written so far is whole.
    fn end(&mut self) -> io::Result<()> {
        if let Some(gzip) = self.gzip.take() {
            let rest = gzip.finish()?;
            self.written += rest.len() as u64;
            self.file.write_all(&rest)?;
        }
        self.whole = self.written;
        Ok(())
    }

    /// What is written beyond the last whole replication is cut off; out of a pipe it cannot be taken back.
    fn cut(&mut self) -> io::Result<()> {
        self.gzip = None;
        if self.written > self.whole && self.file.metadata()?.is_file() {
            self.file.set_len(self.whole)?;
            self.file.seek(SeekFrom::Start(self.whole))?;
            self.written = self.whole;
        }
        Ok(())
    }
}

/// The name under which a file is written until it is whole.
fn beside(path: &Path) -> PathBuf {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(".part");
    PathBuf::from(name)
}
