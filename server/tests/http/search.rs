//! Search among many tickets: what it finds, that it says "at least" where it stops, and how long it takes. The tickets
//! are put into the store as the server keeps them.

use std::path::Path;
use std::time::{Duration, Instant};

use crate::support::{Running, User};
use callfloor_server::document::Document;
use callfloor_server::storage::sqlite::SqliteStorage;
use callfloor_server::storage::{Batch, Write, Writer};
use callfloor_server::tickets::{Line, Ticket};
use serde_json::{Value, json};

/// Words of which subjects and texts are made: the first ones are the common ones.
const WORDS: [&str; 24] = [
    "order",
    "delivery",
    "invoice",
    "password",
    "address",
    "refund",
    "router",
    "contract",
    "請求書",
    "再発行",
    "配送",
    "住所変更",
    "battery",
    "colour",
    "warranty",
    "exchange",
    "holiday",
    "voucher",
    "account",
    "payment",
    "解約",
    "修理",
    "catalogue",
    "keyboard",
];

fn words(id: u64, most: u64, of: u64) -> String {
    // SplitMix64's finaliser: the same texts at every run.
    let draw = |at: u64| {
        let mut x = (id * 64 + at).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        usize::try_from((x ^ (x >> 31)) % of).expect("small")
    };
    (0..most).map(|at| WORDS[draw(at).min(draw(at + 32))]).collect::<Vec<_>>().join(" ")
}

fn put<D: Document>(document: &D) -> Write {
    let body = serde_json::to_string(document).expect("a form in JSON");
    Write::Put { kind: D::KIND, id: document.id(), body, keys: document.keys() }
}

/// One in a thousand has "fox 17" in its text, every ticket "order" in its subject.
fn ticket(id: u64) -> [Write; 2] {
    let at_us = 1_700_000_000_000_000 + id * 1_000_000;
    let ticket: Ticket = serde_json::from_value(json!({
        "id": id, "slot": 0, "revision": 1, "service": 0, "origin": "written", "category": null, "tags": [],
        "subject": format!("order {}", words(id, 3, 24)), "fields": {}, "customer": null, "owner": null, "queue": null,
        "status": "closed", "resolution": "answered", "priority": 0, "created_us": at_us, "changed_us": at_us,
        "clocks": { "first_response_us": 0, "resolution_us": 0 }, "clocks_at_us": at_us, "first_reply_us": null,
        "solved_us": at_us, "closed_us": at_us, "first_response_late": false, "resolution_late": false, "reopened": 0,
        "score": null, "linked": [], "merged_into": null, "absorbed": [], "reference": 0
    }))
    .expect("a ticket");
    let fox = if id % 1_000 == 17 { "fox 17" } else { "" };
    let text = format!("{} {fox}", words(id, 8, 24));
    let line: Line = serde_json::from_value(json!({
        "id": id, "ticket": id, "at_us": at_us, "by": null, "line": "description", "text": text
    }))
    .expect("a line");
    [put(&ticket), put(&line)]
}

async fn serve_with(tickets: u64) -> Running {
    let directory = tempfile::tempdir().expect("a directory");
    fill(&directory.path().join("main"), tickets);
    Running::start_in(directory).await
}

fn fill(at: &Path, tickets: u64) {
    let mut writer = SqliteStorage::open(at).expect("a store");
    let ids: Vec<u64> = (1..=tickets).collect();
    for some in ids.chunks(5_000) {
        let writes = some.iter().flat_map(|&id| ticket(id)).collect();
        writer.commit(&Batch { entries: Vec::new(), writes }).expect("commits");
    }
}

async fn search(user: &User, text: &str, more: &str) -> Value {
    let text: String = text.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let (status, found) = user.get(&format!("/tickets?q={text}{more}")).await;
    assert_eq!(status, 200, "{found}");
    found
}

/// A rare text is found wherever it stands and counted exactly; of a common one the newest are found, and at least so many.
#[tokio::test(flavor = "multi_thread")]
async fn a_search_counts_no_further_than_it_must() {
    let running = serve_with(3_000).await;
    let user = running.sign_in("supervisor").await;
    let rare = search(&user, "FOX 17", "").await;
    let ids: Vec<_> = rare["items"].as_array().unwrap().iter().map(|ticket| ticket["id"].clone()).collect();
    assert_eq!(
        (ids, &rare["found"]),
        (vec![json!(2_017), json!(1_017), json!(17)], &json!({ "tickets": 3, "at_least": false }))
    );
    assert_eq!(rare["cut"], false);
    let common = search(&user, "order", "&limit=20").await;
    assert_eq!((&common["found"]["at_least"], &common["cut"]), (&json!(true), &json!(true)));
    let found = common["found"]["tickets"].as_u64().unwrap();
    assert!((1_000..3_000).contains(&found), "{found}");
    let ids: Vec<_> = common["items"].as_array().unwrap().iter().map(|ticket| ticket["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (2_981..=3_000).rev().collect::<Vec<_>>(), "the newest");
    assert_eq!(search(&user, "order", "&status=open").await["found"], json!({ "tickets": 0, "at_least": false }));
    assert_eq!(search(&user, "no such words", "").await["found"], json!({ "tickets": 0, "at_least": false }));
    let (status, list) = user.get("/tickets?limit=1").await;
    assert_eq!((status, &list["found"]), (200, &Value::Null), "a list is not counted");
    assert_eq!(user.get("/tickets?q=order&limit=0").await.0, 400);
    running.server.stop().await;
}

/// How long searches take among many tickets; prints a table. `CALLFLOOR_TICKETS` says how many, 200,000 unless set.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "fills a store of some hundred megabytes: for measuring"]
async fn how_long_searches_take() {
    let tickets = std::env::var("CALLFLOOR_TICKETS").ok().and_then(|text| text.parse().ok()).unwrap_or(200_000);
    let begun = Instant::now();
    let running = serve_with(tickets).await;
    println!("{tickets} tickets with a text each, stored in {:.0?}", begun.elapsed());
    let user = running.sign_in("supervisor").await;
    println!("{:24} {:>9} {:>9} {:>9}  found", "search", "first ms", "median ms", "most ms");
    let fit = |text: &'static str, more: &'static str| (text, more);
    for (text, more) in [
        fit("fox 17", ""),
        fit("order", ""),
        fit("order", "&status=open"),
        fit("keyboard", ""),
        fit("catalogue keyboard", ""),
        fit("order order order order", ""),
        fit("請求書", ""),
        fit("解約 修理", ""),
        fit("zebra", ""),
    ] {
        let mut times = Vec::new();
        let mut found = Value::Null;
        for _ in 0..11 {
            let begun = Instant::now();
            found = search(&user, text, more).await["found"].clone();
            times.push(begun.elapsed());
        }
        let first = times[0];
        times.sort();
        let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1_000.0);
        let at_least = if found["at_least"] == true { "at least " } else { "" };
        println!(
            "{:24} {:>9} {:>9} {:>9}  {at_least}{}",
            format!("{text}{more}"),
            ms(first),
            ms(times[5]),
            ms(times[10]),
            found["tickets"]
        );
        assert!(times[10] < Duration::from_secs(5), "no search goes over everything");
    }
    running.server.stop().await;
}
