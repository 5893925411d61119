//! Processes that are killed, and two that fight for one tenant. The children are this test binary, started again.
//!
//! `CALLFLOOR_KILLS` sets how many are killed.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant as Wall};

use callfloor_server::storage::{Range, StorageError};

use crate::support::{Address, Place, Random, batch, both, entry, journal, put};

both!(a_killed_process_loses_nothing_that_it_acknowledged, of_two_processes_the_older_is_refused);

const ADDRESS: &str = "CALLFLOOR_TEST_STORAGE";
const BATCHES: &str = "CALLFLOOR_TEST_BATCHES";

/// Not a test of its own: what the children do. Each commits the next entries, with documents, and tells it.
#[test]
fn child() {
    let Ok(words) = std::env::var(ADDRESS) else { return };
    let batches: u64 = std::env::var(BATCHES).expect("set by the parent").parse().expect("a number");
    let mut writer = Address::of_words(&words).writer().expect("opens");
    let mut out = std::io::stdout().lock();
    let mut say = |line: String| {
        // Without a buffer in between; libtest leaves half a line of its own before the first.
        out.write_all(format!("\n{line}\n").as_bytes()).and_then(|()| out.flush()).expect("the parent listens");
    };
    say(format!("open {}", writer.epoch()));
    let mut random = Random(u64::from(std::process::id()));
    let mut last = writer.last_sequence().expect("reads");
    for _ in 0..batches {
        let count = 1 + random.below(5);
        // A document says which entry wrote it: both are there, or neither.
        let writes = (last + 1..=last + count)
            .flat_map(|at| {
                let body = format!("{{\"entry\":{at}}}");
                [put("seen", at, &body, &[("entry", &body)]), put("newest", 1, &body, &[("entry", &body)])]
            })
            .collect();
        match writer.commit(&batch(last + 1..=last + count, writes)) {
            Ok(()) => {
                say(format!("ack {} {}", last + 1, last + count));
                last += count;
            }
            Err(StorageError::Fenced { found, .. }) => {
                say(format!("fenced {found}"));
                return;
            }
            Err(problem) => panic!("{problem}"),
        }
    }
    say("done".into());
}

fn start(place: &Place, batches: u64) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["--exact", "kill::child", "--nocapture", "--test-threads=1"])
        .env(ADDRESS, place.address.words())
        .env(BATCHES, batches.to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let lines = BufReader::new(child.stdout.take().expect("it is piped")).lines().map_while(Result::ok);
    (child, lines)
}

/// The entries that a line acknowledges; a line may be cut off by a kill.
fn acknowledged(line: &str) -> Option<(u64, u64)> {
    let (first, last) = line.strip_prefix("ack ")?.split_once(' ')?;
    Some((first.parse().ok()?, last.parse().ok()?))
}

/// The journal has no gap, and documents are those of exactly its entries.
fn check(place: &Place, expected_at_least: u64) -> u64 {
    // A server may still be at work on the last words of a dead client: after a new writer it is not.
    drop(place.writer());
    let mut reader = place.reader();
    let entries = journal(&mut *reader, 0);
    let last = entries.len() as u64;
    assert!(entries.into_iter().eq((1..=last).map(entry)), "the journal is not 1..={last}");
    assert!(last >= expected_at_least, "{expected_at_least} was acknowledged, {last} is the last");
    assert_eq!(reader.count(&Range::all("seen", 0)).expect("reads"), last);
    assert_eq!(reader.last_id("seen").expect("reads"), last);
    if last > 0 {
        let newest = format!("{{\"entry\":{last}}}");
        assert_eq!(reader.get("newest", 1).expect("reads").expect("is there").body, newest);
        assert_eq!(reader.list(&Range::with_key("newest", "entry", &newest, 9)).expect("reads").len(), 1);
    }
    last
}

fn a_killed_process_loses_nothing_that_it_acknowledged(place: &Place) {
    let kills = std::env::var("CALLFLOOR_KILLS").ok().and_then(|number| number.parse().ok()).unwrap_or(100);
    let mut random = Random(7);
    let (mut known, mut unacknowledged) = (0, 0);
    for kill in 0..kills {
        let (mut child, mut lines) = start(place, u64::MAX);
        lines.find(|line| line.starts_with("open ")).expect("it opens");
        let pause = Duration::from_micros(random.below(25_000));
        // The child is read meanwhile, as it would wait for us otherwise.
        let reading = std::thread::spawn(move || lines.filter_map(|line| acknowledged(&line)).last());
        std::thread::sleep(pause);
        child.kill().expect("it is killed");
        child.wait().expect("it ends");
        if let Some((_, last)) = reading.join().expect("ends") {
            assert!(last > known);
            known = last;
        }
        // What was committed but not yet told is there as well: neither lost nor doubled.
        let last = check(place, known);
        assert!(last <= known + 5, "kill {kill}: at most one batch is on its way");
        unacknowledged += u64::from(last > known);
        known = last;
    }
    assert!(known > kills, "only {known} entries in {kills} lives: the kills come too early to prove anything");
    println!("{kills} kills, {known} entries, {unacknowledged} times a batch was in before it could be told");
}

fn of_two_processes_the_older_is_refused(place: &Place) {
    let mut acknowledged_by_all: Vec<(u64, u64)> = Vec::new();
    for round in 1..=5 {
        let (mut older, mut older_says) = start(place, u64::MAX);
        // It is in full swing.
        acknowledged_by_all.extend(older_says.by_ref().filter_map(|line| acknowledged(&line)).take(10));
        let listening = std::thread::spawn(move || {
            let (mut acks, mut fenced) = (Vec::new(), false);
            for line in older_says {
                acks.extend(acknowledged(&line));
                fenced |= line.starts_with("fenced ");
            }
            (acks, fenced)
        });
        let (mut newer, newer_says) = start(place, 20);
        let newer_says: Vec<String> = newer_says.collect();
        assert!(newer.wait().expect("ends").success());
        let epoch = newer_says.iter().find_map(|line| line.strip_prefix("open ")).expect("it opened");
        assert_eq!(epoch, (2 * round).to_string(), "epochs follow each other");
        assert!(newer_says.iter().any(|line| line == "done"), "{newer_says:?}");
        let until = Wall::now() + Duration::from_secs(30);
        while older.try_wait().expect("it is ours").is_none() {
            assert!(Wall::now() < until, "the older one does not notice");
            std::thread::sleep(Duration::from_millis(5));
        }
        let (acks, fenced) = listening.join().expect("ends");
        assert!(fenced, "the older one ended, but not because it was refused");
        acknowledged_by_all.extend(acks);
        acknowledged_by_all.extend(newer_says.iter().filter_map(|line| acknowledged(line)));
    }
    // What was acknowledged by anybody is the journal, each entry once.
    let last = check(place, 1);
    let mut union: Vec<u64> = acknowledged_by_all.iter().flat_map(|&(first, last)| first..=last).collect();
    union.sort_unstable();
    assert!(union.into_iter().eq(1..=last), "acknowledged entries and the journal differ");
}
