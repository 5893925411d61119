//! The stores of several organisations: apart, each with an epoch of its own.

use callfloor_server::storage::{PostgresStores, SqliteStores, StorageError, Stores};

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

#[test]
fn sqlite_has_a_directory_for_each() {
    let directory = tempfile::tempdir().expect("a directory");
    are_apart(&SqliteStores(directory.path().to_owned()));
    assert!(directory.path().join("acme-2/callfloor.sqlite").is_file());
}

#[test]
fn postgresql_has_a_schema_for_each() {
    let Some(server) = server() else { return };
    are_apart(&PostgresStores(server.connection.clone()));
    assert_eq!(PostgresStores::schema("acme-2"), "org_acme_2");
    assert!(!format!("{:?}", PostgresStores("password=secret".into())).contains("secret"));
}
