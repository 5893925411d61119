//! The stores of several organisations: apart, each with an epoch of its own.

use callfloor_server::planning::{Marks, recorded};
use callfloor_server::storage::{Batch, PostgresStores, SqliteStores, StorageError, Stores};
use jiff::civil::date;
use jiff::tz::TimeZone;

use crate::days::{self, Counting};
use crate::support::{batch, journal, put, server};

fn are_apart(stores: &dyn Stores) {
    let names = ["main", "acme", "acme-2", "public", "0"];
    let mut writers: Vec<_> = names.iter().map(|name| stores.open(name).expect("opens")).collect();
    for (length, writer) in (1..).zip(&mut writers) {
        writer.commit(&batch(1..=length, vec![put("ticket", length, "{}", &[])])).expect("commits");
    }
    for (length, writer) in (1..).zip(&mut writers) {
        let mut reader = writer.reader().expect("opens");
        assert_eq!((writer.epoch(), journal(&mut *reader, 0).len() as u64), (1, length));
        assert_eq!(reader.last_id("ticket").expect("reads"), length);
    }
    // Another process takes one of them over: it alone is fenced.
    let newer = stores.open("acme").expect("opens");
    assert_eq!(newer.epoch(), 2);
    for ((length, name), writer) in (1..).zip(names).zip(&mut writers) {
        let written = writer.commit(&batch([length + 1], vec![]));
        if name == "acme" {
            assert!(matches!(written, Err(StorageError::Fenced { ours: 1, found: 2 })), "{written:?}");
        } else {
            written.expect("the others write on");
        }
    }
}

/// A day is read from the mark before it, the same bytes as from the journal's beginning.
fn have_marks(stores: &dyn Stores) {
    let entries = days::entries(11, 6, 4_000);
    let count = entries.len() as u64;
    let mut writer = stores.open("marked").expect("opens");
    writer.commit(&Batch { entries, ..Batch::default() }).expect("commits");
    let mut reader = Counting { reader: writer.reader().expect("opens"), given: 0 };
    let mut read = |marks: Option<&Marks>| {
        reader.given = 0;
        let day = recorded(&mut reader, marks, Some(date(2026, 3, 4)), &TimeZone::UTC, None).expect("a day");
        (format!("{day:?}"), reader.given)
    };
    let (whole, given) = read(None);
    assert!(given > count / 5 * 4, "{given} of {count} entries: without marks from the beginning");
    let marks = Marks::beside(&stores.beside("marked"));
    marks.catch_up(&mut *writer.reader().expect("opens"), None).expect("it is marked");
    let (day, given) = read(Some(&marks));
    assert!(day == whole, "another day is read from a mark");
    assert!(given < count / 2, "{given} of {count} entries were read");
}

#[test]
fn sqlite_has_a_directory_for_each() {
    let directory = tempfile::tempdir().expect("a directory");
    let stores = SqliteStores(directory.path().to_owned());
    are_apart(&stores);
    have_marks(&stores);
    assert!(directory.path().join("acme-2/callfloor.sqlite").is_file());
}

#[test]
fn postgresql_has_a_schema_for_each() {
    let Some(server) = server() else { return };
    let made = tempfile::tempdir().expect("a directory");
    let directory = made.path().to_owned();
    let stores = PostgresStores { connection: server.connection.clone(), directory: directory.clone() };
    are_apart(&stores);
    have_marks(&stores);
    assert_eq!(PostgresStores::schema("acme-2"), "org_acme_2");
    assert!(!format!("{:?}", PostgresStores { connection: "password=secret".into(), directory }).contains("secret"));
}
