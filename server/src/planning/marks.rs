//! Marks in a journal: the state at the ends of days, so that a day is read from the mark before it and not from the
//! journal's beginning.
//!
//! A mark is the engine's snapshot after an entry, with what [`Told`] knew by then. Everything in it follows from the
//! journal: it is made by reading, may be removed at any time, and one that does not fit the journal beside it is passed over.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use callfloor_engine::{Engine, Instant};
use serde::{Deserialize, Serialize};
use twox_hash::XxHash3_64;

use super::day::{DAY_US, DayTrouble, Place, Told, read_on};
use super::runs::step_back;
use crate::host::Handle;
use crate::storage::{Entry, Reader};

/// `CFDM`, then the format's version: another one whenever [`Content`] or what is in it changes.
const MAGIC: [u8; 8] = *b"CFDM\x01\0\0\0";
/// Marks are at least so many entries apart: fewer are read in no time.
const APART: u64 = 1_000;
/// Every day's mark is kept so long, in days; of older ones each week's.
const DAILY: u64 = 62;
/// What all marks of a journal may take, in bytes: the oldest go first.
const MOST_BYTES: u64 = 1 << 29;
/// Nobody writes a mark for so long.
const LONG_WRITE: Duration = Duration::from_secs(3_600);
/// How long after a start, and after midnight (UTC), the journal is looked at.
const AFTER_START: Duration = Duration::from_secs(300);
const AFTER_MIDNIGHT: Duration = Duration::from_secs(300);

/// The marks of a journal, in a directory of their own.
#[derive(Clone, Debug)]
pub struct Marks {
    directory: PathBuf,
    /// Whether there may be more of them.
    grow: bool,
}

/// A mark's file, known by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    sequence: u64,
    at: Instant,
    path: PathBuf,
}

/// What a mark holds.
#[derive(Serialize, Deserialize)]
struct Content {
    sequence: u64,
    at: Instant,
    /// Of the last entry that is in it.
    entry: u64,
    told: Told,
    engine: Vec<u8>,
}

fn sum_of(entry: &Entry) -> u64 {
    XxHash3_64::oneshot_with_seed(entry.sequence ^ entry.at.as_micros().rotate_left(32), &entry.input)
}

impl Marks {
    /// The marks beside a journal in a directory.
    #[must_use]
    pub fn beside(journal: &Path) -> Self {
        Self { directory: journal.join("days"), grow: true }
    }

    /// The same, to be used only: none is made.
    #[must_use]
    pub fn unchanged(self) -> Self {
        Self { grow: false, ..self }
    }

    /// The newest place before an instant that fits this journal. A mark that fits none goes: another is made in its place.
    pub(super) fn before(&self, instant: Instant, reader: &mut dyn Reader) -> Option<Place> {
        let mut all = self.all().ok()?;
        all.sort_by(|a, b| b.cmp(a));
        for mark in all.into_iter().filter(|mark| mark.at < instant) {
            let file = mark.path.display();
            match read(&mark, reader) {
                Ok(Ok(place)) => return Some(place),
                Ok(Err(problem)) => {
                    tracing::warn!(%file, problem, "a mark of the journal is passed over");
                    if self.grow {
                        // Where it cannot be removed it is passed over again.
                        let _ = fs::remove_file(&mark.path);
                    }
                }
                Err(problem) => tracing::warn!(%file, %problem, "a mark of the journal cannot be read"),
            }
        }
        None
    }

    /// Keeps a place of the journal, unless there is one near it.
    pub(super) fn keep(&self, place: &Place) {
        let (Some(engine), Some(last)) = (&place.engine, &place.last) else { return };
        let near = |mark: &Named| mark.sequence.abs_diff(last.sequence) < APART;
        if !self.grow || last.sequence < APART || self.all().is_ok_and(|all| all.iter().any(near)) {
            return;
        }
        let content = Content {
            sequence: last.sequence,
            at: last.at,
            entry: sum_of(last),
            told: place.told.clone(),
            engine: engine.snapshot(),
        };
        if let Err(problem) = self.write(&content).and_then(|()| self.prune()) {
            tracing::warn!(directory = %self.directory.display(), %problem, "a mark of the journal cannot be kept");
        }
    }

    fn write(&self, content: &Content) -> io::Result<()> {
        fs::create_dir_all(&self.directory)?;
        let path = self.directory.join(format!("mark-{:020}-{:020}.bin", content.sequence, content.at.as_micros()));
        // Two may write the same mark at once.
        static WRITTEN: AtomicU64 = AtomicU64::new(0);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let temporary = path.with_extension(format!("{}-{number}.tmp", std::process::id()));
        let body = postcard::to_stdvec(content).map_err(io::Error::other)?;
        let written = File::create(&temporary).and_then(|mut file| {
            file.write_all(&MAGIC)?;
            file.write_all(&XxHash3_64::oneshot(&body).to_le_bytes())?;
            file.write_all(&body)?;
            file.sync_all()
        });
        let placed = written.and_then(|()| fs::rename(&temporary, &path));
        if placed.is_err() {
            // What is left of it would only take room.
            let _ = fs::remove_file(&temporary);
        }
        placed
    }

    /// Lets old marks go: by their age, then for want of room; and what was begun and not finished.
    fn prune(&self) -> io::Result<()> {
        for item in fs::read_dir(&self.directory)?.flatten() {
            let path = item.path();
            let age = item.metadata().and_then(|data| data.modified()).ok().and_then(|at| at.elapsed().ok());
            if path.extension().is_some_and(|end| end == "tmp") && age.is_some_and(|age| age > LONG_WRITE) {
                // Another may have done it.
                let _ = fs::remove_file(&path);
            }
        }
        let mut all = self.all()?;
        all.sort_by(|a, b| b.cmp(a));
        let day = |mark: &Named| mark.at.as_micros() / DAY_US;
        let newest = all.first().map_or(0, day);
        let (mut bytes, mut week) = (0, None);
        for (at, mark) in all.iter().enumerate() {
            // One of another journal may be of a later day.
            let old = newest.saturating_sub(day(mark)) > DAILY;
            let same_week = old && week.replace(day(mark) / 7) == Some(day(mark) / 7);
            bytes += fs::metadata(&mark.path).map_or(0, |data| data.len());
            if same_week || at > 0 && bytes > MOST_BYTES {
                fs::remove_file(&mark.path)?;
            }
        }
        Ok(())
    }

    fn all(&self) -> io::Result<Vec<Named>> {
        let mut found = Vec::new();
        for item in fs::read_dir(&self.directory)? {
            let path = item?.path();
            let numbers = path
                .file_name()
                .and_then(|name| name.to_str()?.strip_prefix("mark-")?.strip_suffix(".bin")?.split_once('-'))
                .and_then(|(sequence, at)| Some((sequence.parse().ok()?, at.parse().ok()?)));
            if let Some((sequence, at)) = numbers {
                found.push(Named { sequence, at: Instant::from_micros(at), path });
            }
        }
        Ok(found)
    }

    /// Marks every day that has ended since the last mark. Gives how many entries were read.
    ///
    /// # Errors
    /// [`DayTrouble`].
    pub fn catch_up(&self, reader: &mut dyn Reader, cancel: Option<&AtomicBool>) -> Result<u64, DayTrouble> {
        let wall = u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or(0);
        let today = Instant::from_micros(wall / DAY_US * DAY_US);
        let mut place = self.before(Instant::MAX, reader).unwrap_or_default();
        let begun = place.sequence();
        read_on(reader, &mut place, (Instant::MAX, Some(today)), cancel, &mut |place| self.keep(place))?;
        self.keep(&place);
        Ok(place.sequence() - begun)
    }
}

/// Reads a mark; where it is of no use with this journal, why.
fn read(mark: &Named, reader: &mut dyn Reader) -> io::Result<Result<Place, String>> {
    let bytes = fs::read(&mark.path)?;
    let content = match content(&bytes) {
        Ok(content) if (content.sequence, content.at) == (mark.sequence, mark.at) => content,
        Ok(_) => return Ok(Err("it has another's name".to_owned())),
        Err(problem) => return Ok(Err(problem.to_owned())),
    };
    let mut last = None;
    let found = reader.entries(content.sequence.saturating_sub(1), &mut |entry| {
        last = Some(entry);
        false
    });
    // A journal that ends before it, or is damaged there, has told so.
    let fits = |last: &Entry| (last.sequence, last.at, sum_of(last)) == (content.sequence, content.at, content.entry);
    let Some(last) = last.filter(|last| found.is_ok() && fits(last)) else {
        return Ok(Err("it is of another journal".to_owned()));
    };
    Ok(match Engine::restore(&content.engine) {
        Ok(engine) => Ok(Place { engine: Some(engine), told: content.told, last: Some(last) }),
        Err(problem) => Err(problem.to_string()),
    })
}

fn content(bytes: &[u8]) -> Result<Content, &'static str> {
    let body = bytes.strip_prefix(&MAGIC).ok_or("it is of another version, or none")?;
    let (sum, body) = body.split_first_chunk().ok_or("it is cut off")?;
    if XxHash3_64::oneshot(body) != u64::from_le_bytes(*sum) {
        return Err("it is damaged");
    }
    postcard::from_bytes(body).map_err(|_| "its content is of another version")
}

/// Stops what goes on when its keeper is let go.
struct Stop(Arc<AtomicBool>);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Marks each day once it has ended, on a thread of the lowest priority, until it is let go.
pub(crate) async fn keep_marks(host: Handle, marks: Marks) {
    let stop = Stop(Arc::default());
    tokio::time::sleep(AFTER_START).await;
    loop {
        match host.reader().await {
            Ok(mut reader) => {
                let (marks, cancel) = (marks.clone(), Arc::clone(&stop.0));
                let (done, wait) = tokio::sync::oneshot::channel();
                let thread = std::thread::Builder::new().name("marks".into()).spawn(move || {
                    step_back();
                    // Who waits may have been let go.
                    let _ = done.send(marks.catch_up(reader.as_mut(), Some(&cancel)));
                });
                match (thread, wait.await) {
                    (Ok(_), Ok(Ok(0))) => {}
                    (Ok(_), Ok(Ok(entries))) => tracing::info!(entries, "days of the journal are marked"),
                    (Ok(_), Ok(Err(problem))) => tracing::warn!(%problem, "days of the journal are not marked"),
                    (Err(problem), _) => tracing::warn!(%problem, "no thread for marks of the journal"),
                    (Ok(_), Err(_)) => tracing::error!("marks of the journal: ended by a fault of ours"),
                }
            }
            Err(problem) => tracing::warn!(%problem, "days of the journal are not marked"),
        }
        let wall = u64::try_from(jiff::Timestamp::now().as_microsecond()).unwrap_or(0);
        tokio::time::sleep(Duration::from_micros(DAY_US - wall % DAY_US) + AFTER_MIDNIGHT).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_old_marks_each_weeks_stays() {
        let directory = tempfile::tempdir().unwrap();
        let marks = Marks::beside(directory.path());
        fs::create_dir(&marks.directory).unwrap();
        for day in 0..200 {
            let name = format!("mark-{:020}-{:020}.bin", (day + 1) * 5_000, day * DAY_US + 5);
            fs::write(marks.directory.join(name), "").unwrap();
        }
        marks.prune().unwrap();
        let mut days: Vec<u64> = marks.all().unwrap().iter().map(|mark| mark.at.as_micros() / DAY_US).collect();
        days.sort_unstable();
        let (old, daily): (Vec<u64>, Vec<u64>) = days.into_iter().partition(|day| 199 - day > DAILY);
        assert_eq!(daily, (137..200).collect::<Vec<u64>>());
        let weeks: Vec<u64> = old.iter().map(|day| day / 7).collect();
        assert_eq!(weeks, (0..=136 / 7).collect::<Vec<u64>>(), "one of each week: {old:?}");
    }

    #[test]
    fn a_mark_of_another_journal_may_be_of_any_day() {
        let directory = tempfile::tempdir().unwrap();
        let marks = Marks::beside(directory.path());
        fs::create_dir(&marks.directory).unwrap();
        for (sequence, day) in [(9_000, 1), (5_000, 3)] {
            fs::write(marks.directory.join(format!("mark-{sequence:020}-{:020}.bin", day * DAY_US)), "").unwrap();
        }
        marks.prune().unwrap();
        assert_eq!(marks.all().unwrap().len(), 2);
    }
}
