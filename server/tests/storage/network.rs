//! PostgreSQL over a network that fails: whatever is cut wherever, no batch is doubled or lost.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use callfloor_server::storage::postgres::PostgresStorage;
use callfloor_server::storage::{Range, StorageError, Writer};

use crate::support::{Address, Place, Random, batch, entry, journal, put, server};

/// Passes bytes on, until as many have passed as it was told; then it cuts both ends.
struct Proxy {
    port: u16,
    /// Bytes that may still pass; negative: any number.
    left: Arc<AtomicI64>,
    cuts: Arc<AtomicU64>,
}

impl Proxy {
    fn before(server_port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("it is bound").port();
        let proxy = Self { port, left: Arc::new(AtomicI64::new(-1)), cuts: Arc::default() };
        let (left, cuts) = (proxy.left.clone(), proxy.cuts.clone());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let client = client.expect("a connection");
                let server = TcpStream::connect(("127.0.0.1", server_port)).expect("the server listens");
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to) = (from.try_clone().expect("a socket"), to.try_clone().expect("a socket"));
                    let (left, cuts) = (left.clone(), cuts.clone());
                    std::thread::spawn(move || pass(from, to, &left, &cuts));
                }
            }
        });
        proxy
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, left: &AtomicI64, cuts: &AtomicU64) {
    let mut buffer = [0; 4096];
    while let Ok(length @ 1..) = from.read(&mut buffer) {
        let wanted = i64::try_from(length).expect("small");
        let before = left.load(Ordering::SeqCst);
        if before >= 0 && left.fetch_sub(wanted, Ordering::SeqCst) < wanted {
            let part = usize::try_from(before).expect("not negative").min(length);
            let _ = to.write_all(&buffer[..part]);
            left.store(-1, Ordering::SeqCst);
            cuts.fetch_add(1, Ordering::SeqCst);
            break;
        }
        if to.write_all(&buffer[..length]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[test]
fn a_cut_connection_doubles_and_loses_nothing() {
    let Some(server) = server() else { return };
    let proxy = Proxy::before(server.port);
    let through = format!("host=127.0.0.1 port={} user=callfloor dbname=postgres", proxy.port);
    let mut writer = PostgresStorage::open(&through, "cut").expect("opens");
    let epoch = writer.epoch();
    let mut random = Random(3);
    let rounds = 300;
    for round in 1..=rounds {
        // Within the question, within the answer, or not at all.
        proxy.left.store(i64::try_from(random.below(2_500)).expect("small"), Ordering::SeqCst);
        let writes = vec![put("seen", round, "{}", &[("round", &round.to_string())])];
        writer.commit(&batch([2 * round - 1, 2 * round], writes)).expect("the connection is made anew");
    }
    assert_eq!(writer.epoch(), epoch, "the same epoch all the time");
    let cuts = proxy.cuts.load(Ordering::SeqCst);
    println!("{cuts} cuts in {rounds} commits");
    assert!(cuts > rounds / 4, "only {cuts} cuts");
    let address = Address::Postgres { connection: server.connection.clone(), schema: "cut".into() };
    let mut reader = address.reader().expect("opens");
    assert!(journal(&mut *reader, 0).into_iter().eq((1..=2 * rounds).map(entry)));
    assert_eq!(reader.count(&Range::all("seen", 0)).expect("reads"), rounds);
}

#[test]
fn sessions_that_the_server_ends_are_replaced() {
    let Some(place) = Place::postgres() else { return };
    let Address::Postgres { connection, schema } = place.address.clone() else { unreachable!("it is PostgreSQL") };
    let mut writer = place.writer();
    let mut reader = place.reader();
    let stop = Arc::new(AtomicU64::new(0));
    let ending = {
        let (stop, connection, name) = (stop.clone(), connection.clone(), format!("callfloor {schema}"));
        std::thread::spawn(move || {
            let mut admin = postgres::Client::connect(&connection, postgres::NoTls).expect("connects");
            let mut ended = 0;
            while stop.load(Ordering::SeqCst) == 0 {
                let text = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1";
                ended += admin.query_one(text, &[&name]).expect("asks").get::<_, i64>(0);
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
            ended
        })
    };
    for round in 1..=200 {
        loop {
            match writer.commit(&batch([round], vec![])) {
                Ok(()) => break,
                // Ended again and again while it looked: the host tries such a batch again, and so do we.
                Err(StorageError::Backend { .. }) => {}
                Err(problem) => panic!("{problem}"),
            }
        }
        loop {
            match reader.get("ticket", 1) {
                Ok(found) => break assert_eq!(found, None),
                Err(StorageError::Backend { .. }) => {}
                Err(problem) => panic!("{problem}"),
            }
        }
    }
    stop.store(1, Ordering::SeqCst);
    let ended = ending.join().expect("ends");
    println!("{ended} sessions ended in 200 commits");
    assert!(ended > 0);
    assert!(journal(&mut *reader, 0).into_iter().eq((1..=200).map(entry)));
    drop(PostgresStorage::open(&connection, &schema).expect("opens"));
    assert!(matches!(writer.commit(&batch([201], vec![])), Err(StorageError::Fenced { .. })));
}

#[test]
fn what_is_not_ours_is_left_alone() {
    let Some(server) = server() else { return };
    let open = |schema: &str| PostgresStorage::open(&server.connection, schema).map(|writer| writer.epoch());
    for name in ["Tenant", "a;b", "", "pg_toast", "x\"y"] {
        open(name).expect_err("it is no name");
    }
    let mut admin = postgres::Client::connect(&server.connection, postgres::NoTls).expect("connects");
    admin.batch_execute("CREATE SCHEMA foreign_one; CREATE TABLE foreign_one.orders (id int)").expect("makes it");
    let problem = open("foreign_one").expect_err("it is another program's");
    assert!(problem.to_string().contains("another program's"), "{problem}");
    open("later").expect("opens");
    admin.batch_execute("UPDATE later.format SET version = 2").expect("changes it");
    let problem = open("later").expect_err("it is newer");
    assert!(problem.to_string().contains("format 2"), "{problem}");
    let nowhere = PostgresStorage::open("host=127.0.0.1 port=1 user=nobody password=secret-word", "a");
    let problem = nowhere.map(|writer| writer.epoch()).expect_err("nobody listens there").to_string();
    assert!(!problem.contains("secret-word"), "{problem}");
    // Two at once: both may make the schema, one after the other.
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let connection = server.connection.clone();
            std::thread::spawn(move || PostgresStorage::open(&connection, "raced").expect("opens").epoch())
        })
        .collect();
    let mut epochs: Vec<u64> = threads.into_iter().map(|thread| thread.join().expect("ends")).collect();
    epochs.sort_unstable();
    assert_eq!(epochs, [1, 2, 3, 4]);
}
