//! Snapshots as files beside a database: a file is whole or it is not there, and says of which journal it is.
//!
//! A file is written under another name, forced to the disc and renamed; then the directory is forced. Its head holds
//! the chained sum of the last journal entry in it (see `sum.rs`), so that a snapshot of another history (an older copy of the
//! database was put back) is noticed.

use std::fs::{self, File};
use std::io::{self, Read, Write as _};
use std::path::{Path, PathBuf};

use super::{Snapshot, StorageError, sum};

/// `CFSS`, then the format's version.
const MAGIC: [u8; 8] = *b"CFSS\x01\0\0\0";
/// Magic, sequence, sum of the entry, length: all in little-endian order; the file's sum follows.
const HEAD: usize = 8 + 8 + 8 + 8;
/// How many are kept.
const KEPT: usize = 2;

/// A snapshot's file, known by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Named {
    sequence: u64,
    epoch: u64,
    path: PathBuf,
}

/// A snapshot, and the sum of the journal entry after which it was taken.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) snapshot: Snapshot,
    pub(super) entry_sum: u64,
    pub(super) path: PathBuf,
}

/// A file that is written but not in place yet.
#[derive(Debug)]
pub(super) struct Prepared {
    temporary: PathBuf,
    path: PathBuf,
}

/// Writes a snapshot under a temporary name and forces it to the disc.
pub(super) fn prepare(
    directory: &Path,
    epoch: u64,
    snapshot: &Snapshot,
    entry_sum: u64,
) -> Result<Prepared, StorageError> {
    let path = directory.join(format!("snapshot-{:020}-{epoch:010}.bin", snapshot.sequence));
    let temporary = path.with_extension("tmp");
    let written = (|| {
        let head = head_of(snapshot, entry_sum);
        let mut file = File::create(&temporary)?;
        file.write_all(&head)?;
        file.write_all(&sum::of_bytes(&head, &snapshot.bytes).to_le_bytes())?;
        file.write_all(&snapshot.bytes)?;
        file.sync_all()
    })();
    match written {
        Ok(()) => Ok(Prepared { temporary, path }),
        Err(error) => {
            // What is left of it would only take room; where even that fails, the next opening clears it away.
            let _ = fs::remove_file(&temporary);
            Err(refusal(&temporary, &error))
        }
    }
}

impl Prepared {
    /// Puts the file in its place.
    pub(super) fn place(self) -> Result<(), StorageError> {
        fs::rename(&self.temporary, &self.path).map_err(|error| refusal(&self.path, &error))
    }

    /// Gives it up.
    pub(super) fn discard(self) {
        let _ = fs::remove_file(&self.temporary);
    }
}

/// Removes all but the newest ones.
pub(super) fn prune(directory: &Path) -> Result<(), StorageError> {
    for old in newest_first(directory)?.into_iter().skip(KEPT) {
        fs::remove_file(&old.path).map_err(|error| refusal(&old.path, &error))?;
    }
    sync_directory(directory)
}

/// Removes what writers before `epoch` left half written.
pub(super) fn sweep(directory: &Path, epoch: u64) -> Result<(), StorageError> {
    for named in named(directory, "tmp")?.into_iter().filter(|named| named.epoch < epoch) {
        match fs::remove_file(&named.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(refusal(&named.path, &error)),
            _ => {}
        }
    }
    Ok(())
}

/// The newest one that is whole; a torn one is told and passed over.
pub(super) fn latest(directory: &Path) -> Result<Option<Whole>, StorageError> {
    for named in newest_first(directory)? {
        match read(&named.path) {
            Ok(Some((snapshot, entry_sum))) if snapshot.sequence == named.sequence => {
                return Ok(Some(Whole { snapshot, entry_sum, path: named.path }));
            }
            Ok(_) => tracing::warn!(file = %named.path.display(), "the snapshot is cut off or damaged: passed over"),
            // Pruned by the writer while we looked.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(refusal(&named.path, &error)),
        }
    }
    Ok(None)
}

/// Forces the names in a directory to the disc.
pub(super) fn sync_directory(directory: &Path) -> Result<(), StorageError> {
    File::open(directory).and_then(|file| file.sync_all()).map_err(|error| refusal(directory, &error))
}

/// What a failed write to a file is to a caller.
pub(super) fn refusal(path: &Path, error: &io::Error) -> StorageError {
    let place = path.display().to_string();
    if is_full(error) { StorageError::Full { place } } else { StorageError::Backend { place, what: error.to_string() } }
}

/// Whether a write failed for want of room: on the disc, in a quota, or under the limit of a file's size.
pub(super) fn is_full(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge)
}

fn head_of(snapshot: &Snapshot, entry_sum: u64) -> [u8; HEAD] {
    let length = snapshot.bytes.len() as u64;
    let mut head = [0; HEAD];
    head[..8].copy_from_slice(&MAGIC);
    for (place, number) in head[8..].chunks_exact_mut(8).zip([snapshot.sequence, entry_sum, length]) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    head
}

/// The snapshot and its entry's sum; `None` where the file is not whole.
fn read(path: &Path) -> io::Result<Option<(Snapshot, u64)>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    let mut head = [0; HEAD + 8];
    match file.read_exact(&mut head) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let number = |at: usize| u64::from_le_bytes(head[at..at + 8].try_into().expect("eight bytes"));
    if head[..8] != MAGIC || number(24) != size.saturating_sub(head.len() as u64) {
        return Ok(None);
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let whole = number(HEAD) == sum::of_bytes(&head[..HEAD], &bytes);
    Ok(whole.then(|| (Snapshot { sequence: number(8), bytes }, number(16))))
}

fn newest_first(directory: &Path) -> Result<Vec<Named>, StorageError> {
    let mut found = named(directory, "bin")?;
    found.sort_by(|a, b| b.cmp(a));
    Ok(found)
}

fn named(directory: &Path, extension: &str) -> Result<Vec<Named>, StorageError> {
    let mut found = Vec::new();
    for item in fs::read_dir(directory).map_err(|error| refusal(directory, &error))? {
        let path = item.map_err(|error| refusal(directory, &error))?.path();
        let numbers = path
            .extension()
            .filter(|&found| found == extension)
            .and_then(|_| path.file_stem()?.to_str()?.strip_prefix("snapshot-")?.split_once('-'))
            .and_then(|(sequence, epoch)| Some((sequence.parse().ok()?, epoch.parse().ok()?)));
        if let Some((sequence, epoch)) = numbers {
            found.push(Named { sequence, epoch, path });
        }
    }
    Ok(found)
}
