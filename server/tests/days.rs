//! A day of the journal is the same, byte for byte, whether it is read from the journal's beginning or from a mark before it.

#[path = "support/days.rs"]
mod days;

use std::path::Path;

use callfloor_server::planning::{Marks, recorded};
use callfloor_server::storage::sqlite::SqliteReader;
use days::{Counting, Random};
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;

const DAYS: u64 = 14;

/// Spoils a mark, knowing another journal's.
type Damage = fn(&mut Vec<u8>, &[u8]);

/// What is read of a day, as text, and from how many entries.
fn read(directory: &Path, marks: Option<&Marks>, day: Option<Date>, zone: &TimeZone) -> (String, u64) {
    let mut reader = Counting { reader: Box::new(SqliteReader::open(directory).expect("a journal")), given: 0 };
    let found = recorded(&mut reader, marks, day, zone, None).map(|found| format!("{found:?}"));
    (found.unwrap_or_else(|problem| problem.to_string()), reader.given)
}

fn zones() -> [TimeZone; 3] {
    ["UTC", "Asia/Tokyo", "America/Los_Angeles"].map(|name| TimeZone::get(name).expect("a zone"))
}

/// Every day of the journal and one at either side, and the last one with calls, in every zone.
fn every_day() -> Vec<(Option<Date>, TimeZone)> {
    let first = date(2026, 2, 26);
    let all = (0..DAYS + 2).map(|day| Some(first + jiff::Span::new().days(i64::try_from(day).unwrap())));
    let all: Vec<_> = all.chain([None]).collect();
    zones().into_iter().flat_map(|zone| all.iter().map(move |day| (*day, zone.clone())).collect::<Vec<_>>()).collect()
}

/// The files of the marks, the oldest first.
fn files(directory: &Path) -> Vec<std::path::PathBuf> {
    let all = std::fs::read_dir(directory.join("days")).expect("a directory");
    let mut files: Vec<_> = all.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn a_day_is_the_same_from_the_beginning_and_from_a_mark() {
    let made = tempfile::tempdir().unwrap();
    let directory = made.path().join("main");
    let entries = days::write(&directory, 0x9e37_79b9_7f4a_7c15, DAYS, 2_500);
    let from_the_start: Vec<(String, u64)> =
        every_day().iter().map(|(day, zone)| read(&directory, None, *day, zone)).collect();
    let tell_of = |what: &str| from_the_start.iter().filter(|(text, _)| text.contains(what)).count();
    let told = ["Served", "Left", "SentAway", "Break {", "Goes"].map(tell_of);
    println!("{entries} entries; of {} readings {told:?} tell of each kind", from_the_start.len());
    assert!(told.iter().all(|count| *count > 10), "every kind of caller and of duty is there");

    // In any order, each reading leaves marks for those after it, or uses those before it.
    let marks = Marks::beside(&directory);
    let mut order: Vec<usize> = (0..from_the_start.len()).collect();
    let mut random = Random(77);
    for at in (1..order.len()).rev() {
        order.swap(at, usize::try_from(random.below(at as u64 + 1)).unwrap());
    }
    for &at in &order {
        let (day, zone) = &every_day()[at];
        assert!(read(&directory, Some(&marks), *day, zone).0 == from_the_start[at].0, "{day:?} in {zone:?}");
    }
    // Nothing of them depends on what was asked: removed and made anew in one go they are the same bytes.
    let named = |file: &std::path::PathBuf| (file.file_name().unwrap().to_owned(), std::fs::read(file).unwrap());
    let by_readings: Vec<_> = files(&directory).iter().map(named).collect();
    std::fs::remove_dir_all(directory.join("days")).unwrap();
    let mut reader = SqliteReader::open(&directory).unwrap();
    assert!(marks.catch_up(&mut reader, None).unwrap() >= entries - 1);
    assert_eq!(marks.catch_up(&mut reader, None).unwrap(), 0, "there is nothing new");
    let in_one_go: Vec<_> = files(&directory).iter().map(named).collect();
    assert!(in_one_go.len() > 10 && by_readings.iter().all(|mark| in_one_go.contains(mark)));

    // All marks there: no day needs more than itself and the day before.
    for (at, (day, zone)) in every_day().iter().enumerate() {
        let (text, given) = read(&directory, Some(&marks), *day, zone);
        assert!(text == from_the_start[at].0, "{day:?} in {zone:?}");
        assert!(given < entries / DAYS * 4, "{day:?} in {zone:?}: {given} of {entries} entries were read");
    }
}

#[test]
fn marks_that_do_not_fit_the_journal_are_passed_over() {
    let made = tempfile::tempdir().unwrap();
    let (directory, other) = (made.path().join("main"), made.path().join("other"));
    days::write(&directory, 11, 6, 4_000);
    days::write(&other, 12, 6, 4_000);
    let all = [Some(date(2026, 3, 1)), Some(date(2026, 3, 4)), None];
    let expected = all.map(|day| read(&directory, None, day, &TimeZone::UTC).0);
    let same = |what: &str| {
        for (day, expected) in all.iter().zip(&expected) {
            let marks = Marks::beside(&directory).unchanged();
            assert!(read(&directory, Some(&marks), *day, &TimeZone::UTC).0 == *expected, "{what}: {day:?}");
        }
    };
    let catch_up = |directory: &Path| {
        Marks::beside(directory).catch_up(&mut SqliteReader::open(directory).unwrap(), None).unwrap();
    };
    catch_up(&directory);
    catch_up(&other);
    assert!(files(&directory).len() >= 5, "{:?}", files(&directory));
    let whole: Vec<_> = files(&directory).iter().map(|file| (file.clone(), std::fs::read(file).unwrap())).collect();

    // Those of another journal, under names of their own.
    for file in files(&other) {
        std::fs::copy(&file, directory.join("days").join(file.file_name().unwrap())).unwrap();
    }
    same("another journal's");
    // Damaged at every kind of place; cut off; empty; another's content under a name.
    let foreign = std::fs::read(&files(&other)[0]).unwrap();
    let damages: [Damage; 6] = [
        |bytes, _| bytes[0] ^= 1,
        |bytes, _| bytes[9] ^= 1,
        |bytes, _| *bytes.last_mut().unwrap() ^= 1,
        |bytes, _| bytes.truncate(bytes.len() / 2),
        |bytes, _| bytes.clear(),
        |bytes, foreign| *bytes = foreign.to_vec(),
    ];
    for damage in damages {
        for (file, bytes) in &whole {
            let mut bytes = bytes.clone();
            damage(&mut bytes, &foreign);
            std::fs::write(file, bytes).unwrap();
        }
        same("damaged");
    }
    // A journal that was put back as it was some days ago: marks of entries that it does not have.
    for (file, bytes) in &whole {
        std::fs::write(file, bytes).unwrap();
    }
    same("whole");
    let older = made.path().join("older");
    days::write(&older, 11, 3, 4_000);
    std::fs::create_dir(older.join("days")).unwrap();
    for (file, bytes) in &whole {
        std::fs::write(older.join("days").join(file.file_name().unwrap()), bytes).unwrap();
    }
    for day in [Some(date(2026, 2, 28)), Some(date(2026, 3, 1)), None] {
        let expected = read(&older, None, day, &TimeZone::UTC).0;
        assert!(read(&older, Some(&Marks::beside(&older)), day, &TimeZone::UTC).0 == expected, "older: {day:?}");
    }
}
