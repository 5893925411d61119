//! Files that were cut off or changed: what is given out is right, or nothing is.

use std::fs;
use std::path::Path;

use callfloor_server::storage::sqlite::{FILE, SqliteReader, SqliteStorage};
use callfloor_server::storage::{Batch, Range, Reader, Snapshot, StorageError, Write, Writer};

use crate::support::{Random, batch, entry, journal, put};

/// Commits batches of one to four entries; each entry's document says its number. The log is left as a kill would.
fn fill(directory: &Path, batches: u64) -> (SqliteStorage, Vec<u64>) {
    let mut writer = SqliteStorage::open(directory).expect("opens");
    let mut ends = vec![0];
    let mut last = 0;
    for number in 0..batches {
        let count = 1 + number % 4;
        let writes = (last + 1..=last + count).map(|at| put("seen", at, &at.to_string(), &[("at", &at.to_string())]));
        writer.commit(&batch(last + 1..=last + count, writes.collect())).expect("commits");
        last += count;
        ends.push(last);
    }
    (writer, ends)
}

fn log(directory: &Path) -> std::path::PathBuf {
    directory.join(format!("{FILE}-wal"))
}

/// What is there is a prefix of what was committed, in whole batches; gives its last entry.
fn check_prefix(directory: &Path, ends: &[u64]) -> u64 {
    let mut writer = SqliteStorage::open(directory).expect("opens");
    writer.verify().expect("is whole");
    let last = writer.last_sequence().expect("reads");
    assert!(ends.contains(&last), "{last} is the end of no batch");
    let mut reader = writer.reader().expect("opens");
    assert!(journal(&mut *reader, 0).into_iter().eq((1..=last).map(entry)));
    let found = reader.list(&Range { index: Some("at"), ..Range::all("seen", usize::MAX) }).expect("reads");
    assert_eq!(found.len() as u64, last);
    assert!(found.iter().all(|one| one.key == one.document.body && one.key == one.document.id.to_string()));
    // And it goes on.
    writer.commit(&batch([last + 1], vec![])).expect("commits");
    last
}

#[test]
fn a_torn_log_ends_at_a_whole_commit() {
    let directory = tempfile::tempdir().expect("a directory");
    // Some entries are in the main file, the rest is in the log.
    drop(fill(&directory.path().join("a"), 10));
    let (writer, _) = {
        let at = directory.path().join("a");
        let mut writer = SqliteStorage::open(&at).expect("opens");
        let first = writer.last_sequence().expect("reads");
        let mut last = first;
        let mut ends = vec![first];
        for count in [1, 3, 2, 5, 1, 4, 2, 2, 1, 3] {
            let writes =
                (last + 1..=last + count).map(|at| put("seen", at, &at.to_string(), &[("at", &at.to_string())]));
            writer.commit(&batch(last + 1..=last + count, writes.collect())).expect("commits");
            last += count;
            ends.push(last);
        }
        fs::write(directory.path().join("ends"), format!("{ends:?}")).expect("writes");
        (writer, ends)
    };
    let source = directory.path().join("a");
    let ends: Vec<u64> = fs::read_to_string(directory.path().join("ends"))
        .expect("reads")
        .trim_matches(['[', ']'])
        .split(", ")
        .map(|number| number.parse().expect("a number"))
        .collect();
    let (main, tail) = (fs::read(source.join(FILE)).expect("reads"), fs::read(log(&source)).expect("reads"));
    drop(writer);
    assert!(tail.len() > 30_000, "the log is {} bytes", tail.len());
    let target = directory.path().join("b");
    let mut random = Random(11);
    let mut seen = std::collections::BTreeSet::new();
    let mut try_one = |tail: &[u8]| {
        let _ = fs::remove_dir_all(&target);
        fs::create_dir(&target).expect("makes it");
        fs::write(target.join(FILE), &main).expect("writes");
        fs::write(log(&target), tail).expect("writes");
        seen.insert(check_prefix(&target, &ends));
    };
    // Cut at the edges of frames (24 bytes of head and a page; 32 bytes before the first) and anywhere; changed anywhere.
    for cut in (0..tail.len()).step_by(24 + 4096).chain([tail.len() - 1, tail.len()]) {
        try_one(&tail[..cut]);
        try_one(&tail[..(cut + 32).min(tail.len())]);
    }
    for _ in 0..100 {
        let at = usize::try_from(random.below(tail.len() as u64)).expect("small");
        try_one(&tail[..at]);
        let mut changed = tail.clone();
        changed[at] ^= 1 << random.below(8);
        try_one(&changed);
        // A tail of zeros, as some file systems leave it.
        changed = tail.clone();
        changed[at..].fill(0);
        try_one(&changed);
    }
    assert!(seen.len() > ends.len() / 2, "only {seen:?} were seen of {ends:?}");
    assert!(seen.contains(ends.last().expect("there are some")));
}

#[test]
fn a_changed_main_file_is_refused_or_harmless() {
    let directory = tempfile::tempdir().expect("a directory");
    let source = directory.path().join("a");
    let (writer, ends) = fill(&source, 400);
    drop(writer);
    let last = *ends.last().expect("there are some");
    let main = fs::read(source.join(FILE)).expect("reads");
    let target = directory.path().join("b");
    let mut random = Random(5);
    let (mut refused, mut harmless) = (0, 0);
    for _ in 0..400 {
        let _ = fs::remove_dir_all(&target);
        fs::create_dir(&target).expect("makes it");
        let mut changed = main.clone();
        // A bit, or a sector.
        let at = usize::try_from(random.below(main.len() as u64)).expect("small");
        if random.below(4) == 0 {
            let start = at / 512 * 512;
            changed[start..start + 512].fill(0);
        } else {
            changed[at] ^= 1 << random.below(8);
        }
        fs::write(target.join(FILE), &changed).expect("writes");
        match examine(&target, last) {
            Ok(()) => harmless += 1,
            Err(StorageError::Damaged { .. } | StorageError::Backend { .. }) => refused += 1,
            Err(problem) => panic!("byte {at}: {problem}"),
        }
    }
    println!("{refused} refused, {harmless} harmless");
    assert!(refused > 200, "{refused} refused, {harmless} harmless");
}

/// Reads everything; panics where anything wrong is given out.
fn examine(directory: &Path, last: u64) -> Result<(), StorageError> {
    let mut reader = SqliteReader::open(directory)?;
    // Even without the whole examination, each thing that is given out is right.
    let mut next = 1;
    let read = reader.entries(0, &mut |found| {
        assert_eq!(found, entry(next), "a changed entry was given out");
        next += 1;
        true
    });
    let listed = reader.list(&Range { index: Some("at"), ..Range::all("seen", usize::MAX) });
    for one in listed.iter().flatten() {
        assert_eq!((&one.key, &one.key), (&one.document.body, &one.document.id.to_string()));
    }
    let verified = reader.verify();
    if verified.is_ok() {
        read.as_ref().expect("what was verified can be read");
        assert_eq!((next - 1, listed.as_ref().expect("reads").len() as u64), (last, last), "something is missing");
        for id in [1, last / 2, last] {
            assert_eq!(reader.get("seen", id)?.expect("is there").body, id.to_string());
        }
    }
    verified
}

#[test]
fn a_torn_snapshot_gives_way_to_the_one_before() {
    let directory = tempfile::tempdir().expect("a directory");
    let mut writer = SqliteStorage::open(directory.path()).expect("opens");
    writer.commit(&batch(1..=9, vec![])).expect("commits");
    let snapshot = |sequence: u64| Snapshot { sequence, bytes: vec![u8::try_from(sequence).expect("small"); 10_000] };
    for sequence in [2, 5, 8] {
        writer.put_snapshot(&snapshot(sequence)).expect("keeps");
    }
    let names = || -> Vec<_> {
        let mut names: Vec<_> = fs::read_dir(directory.path())
            .expect("reads")
            .map(|item| item.expect("reads").path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "bin" || extension == "tmp"))
            .collect();
        names.sort();
        names
    };
    assert_eq!(names().len(), 2, "{:?}", names());
    let newest = names()[1].clone();
    let whole = fs::read(&newest).expect("reads");
    let mut random = Random(1);
    let lengths = [0, 1, 7, 8, 20, 39, 40, 41, whole.len() - 1];
    for length in lengths {
        fs::write(&newest, &whole[..length]).expect("writes");
        assert_eq!(writer.latest_snapshot().expect("reads"), Some(snapshot(5)), "{length} bytes");
    }
    for _ in 0..200 {
        let mut changed = whole.clone();
        changed[usize::try_from(random.below(whole.len() as u64)).expect("small")] ^= 1 << random.below(8);
        fs::write(&newest, &changed).expect("writes");
        assert_eq!(writer.latest_snapshot().expect("reads"), Some(snapshot(5)));
    }
    fs::write(&newest, &whole).expect("writes");
    assert_eq!(writer.latest_snapshot().expect("reads"), Some(snapshot(8)));
    // What a killed writer left half written goes with the next one.
    fs::write(newest.with_extension("tmp"), b"CFSS").expect("writes");
    drop(writer);
    let mut writer = SqliteStorage::open(directory.path()).expect("opens");
    assert_eq!(names().len(), 2, "{:?}", names());
    assert_eq!(writer.latest_snapshot().expect("reads"), Some(snapshot(8)));
}

#[test]
fn a_snapshot_of_another_journal_is_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let (old, now) = (directory.path().join("old"), directory.path().join("now"));
    drop(fill(&old, 3));
    let (mut writer, ends) = fill(&now, 9);
    writer.put_snapshot(&Snapshot { sequence: ends[8], bytes: vec![1] }).expect("keeps");
    drop(writer);
    // An older database is put back, the snapshots stay.
    fs::copy(old.join(FILE), now.join(FILE)).expect("copies");
    let mut writer = SqliteStorage::open(&now).expect("opens");
    let refused = writer.latest_snapshot();
    assert!(matches!(refused, Err(StorageError::Damaged { .. })), "{refused:?}");
    // It grows past the snapshot, on another way.
    let last = writer.last_sequence().expect("reads");
    let entries = (last + 1..=ends[9]).map(|at| crate::support::entry_of(at, vec![0])).collect();
    writer.commit(&Batch { entries, writes: vec![] }).expect("commits");
    let refused = writer.latest_snapshot();
    assert!(matches!(refused, Err(StorageError::Damaged { .. })), "{refused:?}");
}

#[test]
fn foreign_and_newer_files_are_refused() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join(FILE);
    let refusal = || {
        let read = SqliteReader::open(directory.path()).map(drop).expect_err("refuses to read").to_string();
        let written = SqliteStorage::open(directory.path()).map(drop).expect_err("refuses to write").to_string();
        assert_eq!(read, written);
        written
    };
    let foreign = rusqlite::Connection::open(&file).expect("opens");
    foreign.execute_batch("CREATE TABLE orders (id INTEGER)").expect("makes it");
    assert!(refusal().contains("another program's"), "{}", refusal());
    drop(foreign);
    fs::write(&file, b"this is a text, and long enough to be taken for a header of something else").expect("writes");
    assert!(refusal().contains("not a database"), "{}", refusal());
    fs::remove_file(&file).expect("removes");
    drop(SqliteStorage::open(directory.path()).expect("opens"));
    let newer = rusqlite::Connection::open(&file).expect("opens");
    newer.pragma_update(None, "user_version", 3).expect("sets it");
    drop(newer);
    assert!(refusal().contains("format 3"), "{}", refusal());
}

#[test]
fn a_journal_is_read_without_its_writer_and_where_nothing_can_be_written() {
    let directory = tempfile::tempdir().expect("a directory");
    let (writer, ends) = fill(directory.path(), 50);
    let last = *ends.last().expect("there are some");
    let read = |path: &Path| journal(&mut SqliteReader::open(path).expect("opens"), 0).len() as u64;
    assert_eq!(read(directory.path()), last, "beside the writer");
    assert_eq!(read(&directory.path().join(FILE)), last, "by the file's name");
    let epoch = writer.epoch();
    drop(writer);
    assert_eq!(read(directory.path()), last, "after it");
    let copy = directory.path().join("copy, with 100% of #1?.sqlite");
    fs::copy(directory.path().join(FILE), &copy).expect("copies");
    assert_eq!(read(&copy), last, "a copy");
    let opened = SqliteStorage::open(directory.path()).expect("opens");
    assert_eq!(opened.epoch(), epoch + 1, "reading takes no epoch");
    let nothing = directory.path().join("nothing");
    SqliteReader::open(&nothing).map(drop).expect_err("there is none");
    assert!(!nothing.exists());
}

#[test]
fn a_database_of_the_format_before_is_brought_up_to_this_one() {
    let directory = tempfile::tempdir().expect("a directory");
    let (mut writer, ends) = fill(directory.path(), 3);
    // In the order of bytes, not of letters or numbers, and with what JSON writes otherwise.
    let many =
        [("word", "\u{e9}t\u{e9} \"x\""), ("word", "b"), ("word", "B"), ("at", "90"), ("at", "9"), ("word", "請求")];
    let moved = [("word", "b"), ("word", "請求"), ("at", "9"), ("at", "91")];
    writer.commit(&batch([], vec![put("thing", 7, "old", &many)])).expect("commits");
    drop(writer);
    let old = rusqlite::Connection::open(directory.path().join(FILE)).expect("opens");
    old.execute_batch(
        "ALTER TABLE document DROP COLUMN keys; CREATE INDEX index_entry_of_document ON index_entry (kind, id);
         PRAGMA user_version = 1",
    )
    .expect("is made old");
    drop(old);
    // Whoever only reads changes nothing.
    let mut reader = SqliteReader::open(directory.path()).expect("opens");
    let at = Range { index: Some("at"), ..Range::all("seen", usize::MAX) };
    let before = reader.list(&at).expect("reads");
    assert!(!before.is_empty());
    drop(reader);
    let mut writer = SqliteStorage::open(directory.path()).expect("is brought up");
    writer.verify().expect("is whole");
    assert_eq!(writer.reader().expect("opens").list(&at).expect("reads"), before);
    // A document of before leaves the indexes as ever.
    let gone = before[0].document.id;
    let writes = vec![Write::Delete { kind: "seen", id: gone }];
    writer.commit(&Batch { entries: vec![], writes }).expect("commits");
    writer.verify().expect("is whole");
    assert_eq!(writer.reader().expect("opens").list(&at).expect("reads"), before[1..]);
    // And one that is changed leaves those alone that it leaves.
    writer.commit(&batch([], vec![put("thing", 7, "new", &moved)])).expect("commits");
    writer.verify().expect("is whole");
    let mut reader = writer.reader().expect("opens");
    let mut found = |index| {
        let listed = reader.list(&Range { index: Some(index), ..Range::all("thing", usize::MAX) }).expect("reads");
        listed.into_iter().map(|one| one.key).collect::<Vec<_>>()
    };
    assert_eq!((found("at"), found("word")), (vec!["9".into(), "91".into()], vec!["b".into(), "請求".into()]));
    drop((reader, writer, ends));
    let new = rusqlite::Connection::open(directory.path().join(FILE)).expect("opens");
    let version: i32 = new.pragma_query_value(None, "user_version", |row| row.get(0)).expect("has one");
    assert_eq!(version, 2);
}

#[test]
fn an_index_that_is_not_its_documents_is_found() {
    let directory = tempfile::tempdir().expect("a directory");
    drop(fill(directory.path(), 3));
    let damage = |statement: &str, message: &str| {
        let file = rusqlite::Connection::open(directory.path().join(FILE)).expect("opens");
        assert_eq!(file.execute(statement, []).expect(statement), 1);
        let found = SqliteReader::open(directory.path()).expect("opens").verify().expect_err(message).to_string();
        assert!(found.contains(message), "{found}");
    };
    damage("DELETE FROM index_entry WHERE id = 2", "seen 2 is missing in index at");
    let same = "SELECT kind, idx, '2', 2, sum FROM index_entry WHERE id = 3";
    damage(&format!("INSERT INTO index_entry (kind, idx, key, id, sum) {same}"), "does not match its checksum");
    damage("UPDATE document SET keys = '{}' WHERE id = 2", "the indexes have");
    damage("UPDATE document SET keys = 'at' WHERE id = 2", "expected value");
}
