//! The audit log, and what becomes of one that somebody tampered with.

use callfloor_engine::{Command, ServiceId, StepId};
use callfloor_server::audit::{Broken, Noted, verify};
use callfloor_server::storage::sqlite::SqliteReader;
use futures_util::StreamExt as _;
use reqwest::Method;
use rusqlite::Connection;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use twox_hash::XxHash3_64;

use crate::support::{PASSWORD, Running};
use crate::system::everything;

/// What is in the log, oldest first: act and about.
async fn log(running: &Running) -> Vec<(String, String, String)> {
    let admin = running.sign_in("admin").await;
    let (status, entries) = admin.get("/audit?limit=1000").await;
    assert_eq!(status, 200, "{entries}");
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap().to_owned();
    let entries = entries.as_array().unwrap().iter().rev();
    entries.map(|entry| (text(entry, "who"), text(entry, "act"), text(entry, "about"))).collect()
}

#[tokio::test]
async fn what_is_done_is_in_the_log() {
    let running = Running::start().await;
    let admin = running.sign_in("admin").await;
    let body = json!({ "login": "op1", "password": "not the right one" });
    let wrong = running.client.post(running.url("/api/v1/sessions")).json(&body).send().await.unwrap();
    assert_eq!(wrong.status(), 401);
    let (key, _) = admin.makes_key(&["floor:read"]).await;
    admin.delete(&format!("/keys/{key}")).await;
    let new = json!({ "login": "eve", "password": PASSWORD, "name": "Eve", "role": "auditor" });
    let (status, made) = admin.post("/accounts", new).await;
    assert_eq!(status, 201, "{made}");
    let eve = running.sign_in("eve").await;
    let account = format!("/accounts/{}", made["account"]);
    let (status, changed) = admin.put(&account, json!({ "name": "Eve", "role": "planner" })).await;
    assert_eq!((status, changed["role"].as_str()), (200, Some("planner")));
    assert_eq!(eve.get("/sessions/current").await.0, 401, "a changed role ends what was begun under the old one");
    let floor = admin.request(Method::GET, "/floor").send().await.unwrap();
    let etag = floor.headers()["etag"].to_str().unwrap().to_owned();
    let skills = admin.request(Method::PUT, "/floor/skills").header("if-match", &etag).json(&json!(["German"]));
    let skills = skills.send().await.unwrap();
    assert_eq!(skills.status(), 200, "{}", skills.text().await.unwrap());
    let stale = admin.request(Method::PUT, "/floor/skills").header("if-match", &etag).json(&json!(["French"]));
    assert_eq!(stale.send().await.unwrap().status(), 412);

    let found = log(&running).await;
    let admin_is = "account 1 \"admin\"";
    let wanted = [
        (admin_is, "signed-in", "session 1"),
        ("account 3 \"op1\"", "sign-in-failed", ""),
        (admin_is, "key-made", "key 1 \"reports\": floor:read, 30 days"),
        (admin_is, "key-revoked", "key 1 \"reports\""),
        (admin_is, "account-made", "account 8 \"eve\": Auditor"),
        ("account 8 \"eve\"", "signed-in", "session 2"),
        (admin_is, "account-changed", "account 8 \"eve\": Planner; before: account 8 \"eve\": Auditor"),
        (admin_is, "configuration-changed", "PUT /floor/skills"),
        (admin_is, "signed-in", "session 3"),
    ];
    let wanted = wanted.map(|(who, act, about)| (who.to_owned(), act.to_owned(), about.to_owned()));
    assert_eq!(found, wanted, "a refused change is not among them");
    let (status, last) = admin.put("/accounts/1", json!({ "name": "admin", "role": "auditor" })).await;
    assert_eq!((status, last["rule"].as_str()), (409, Some("last-administrator")));
    let (_, verification) = admin.get("/audit/verification").await;
    assert_eq!(verification["verified"]["entries"], 9, "{verification}");
    assert_eq!(verification["broken"], Value::Null);
    running.server.stop().await;
}

/// Reading customers' whole numbers is in the log before they are shown, one or a page of them; masked ones are not.
#[tokio::test]
async fn reading_whole_numbers_is_in_the_log() {
    let running = Running::start().await;
    let (operator, admin) = (running.sign_in("op1").await, running.sign_in("admin").await);
    let arrival = Command::CallArrived {
        service: ServiceId(0),
        entry: StepId(0),
        customer: None,
        from: Some("09011112222".parse().unwrap()),
        priority: 0,
        preferred: None,
        reference: 0,
    };
    let tenant = running.server.tenants().named(None).unwrap();
    tenant.host.tell(move |turn| turn.apply(arrival)).await.unwrap().unwrap();
    let (_, made) = operator.post("/customers", json!({ "name": "Sato", "numbers": ["0311112222"] })).await;
    let planner = json!({ "login": "plan", "password": PASSWORD, "name": "plan", "role": "planner" });
    assert_eq!(admin.post("/accounts", planner).await.0, 201);
    let planner = running.sign_in("plan").await;
    let (_, list) = planner.get("/call-records").await;
    assert_eq!(list["items"][0]["number"], "…22", "a planner sees the end of it, which is no act");
    for path in [
        "/call-records",
        "/call-records/1",
        "/call-records?customer=99",
        "/customers",
        "/customers?number=0311112222",
        &format!("/customers/{}", made["id"]),
    ] {
        let (status, body) = operator.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
    }
    let wish = json!({ "service": 0, "number": "09033334444" });
    let asked = running.client.post(running.url("/api/v1/customer/callbacks")).json(&wish).send().await.unwrap();
    assert_eq!(asked.status(), 201);
    operator.get("/callbacks").await;
    running.sign_in("supervisor").await.get("/callbacks").await;
    let read = log(&running).await.into_iter().filter(|(_, act, _)| act == "numbers-read");
    let read: Vec<_> = read.map(|(who, _, about)| (who, about)).collect();
    let op1 = "account 3 \"op1\"";
    let customer = made["id"].as_u64().unwrap();
    let wanted = [
        (op1, "a list of call records".to_owned()),
        (op1, "call 1".to_owned()),
        (op1, format!("customer {customer}, a list of customers")),
        (op1, format!("customer {customer}, a search by number")),
        (op1, format!("customer {customer}, one record")),
        ("account 2 \"supervisor\"", "a list of callbacks".to_owned()),
    ];
    assert_eq!(read, wanted.clone().map(|(who, about)| (who.to_owned(), about)));

    // A callback that a supervisor takes back, and an inquiry's number.
    let system = running.system(&admin, everything()).await;
    let inquiry = json!({ "from": { "name": "Sato", "phone": "0311112222" }, "subject": "A", "text": "B" });
    let (status, made) = system.post("/open/v1/services/0/inquiries", inquiry).await;
    assert_eq!(status, 201, "{made}");
    let ticket = made["inquiry"].as_u64().unwrap();
    assert_eq!(operator.get(&format!("/tickets/{ticket}/inquiry")).await.0, 200);
    let supervisor = running.sign_in("supervisor").await;
    let (_, callbacks) = supervisor.get("/callbacks").await;
    let callback = callbacks[0]["callback"].as_str().unwrap();
    assert_eq!(supervisor.post(&format!("/callbacks/{callback}/cancel"), Value::Null).await.0, 200);
    let read = log(&running).await.into_iter().filter(|(_, act, _)| act == "numbers-read");
    let read: Vec<_> = read.skip(wanted.len()).map(|(_, _, about)| about).collect();
    let inquiry = format!("the inquiry of ticket {ticket}");
    assert_eq!(read, [inquiry, "a list of callbacks".to_owned(), format!("callback {callback}")]);
    let (_, verification) = admin.get("/audit/verification").await;
    assert_eq!(verification["broken"], Value::Null);
    running.server.stop().await;
}

/// Watching whole numbers on the live floor is in the log once for an account and an hour, before they are shown: calls in
/// progress, another's desk, the stream of events.
#[tokio::test(flavor = "multi_thread")]
async fn watching_the_live_floor_is_in_the_log() {
    let running = Running::start().await;
    let watched = async || {
        let read = log(&running).await.into_iter().filter(|(_, act, _)| act == "numbers-read");
        read.map(|(who, _, about)| (who, about)).collect::<Vec<_>>()
    };
    let admin = running.sign_in("admin").await;
    for login in ["second", "third"] {
        let new = json!({ "login": login, "password": PASSWORD, "name": login, "role": "supervisor" });
        assert_eq!(admin.post("/accounts", new).await.0, 201);
    }
    let (first, second, third) =
        (running.sign_in("supervisor").await, running.sign_in("second").await, running.sign_in("third").await);
    let operator = running.sign_in("op1").await;
    assert_eq!(first.get("/calls").await.1, json!([]));
    assert_eq!(watched().await, [], "there is no number to see");
    for (path, body) in [("login", None), ("dial", Some(json!({ "to": "09011112222" })))] {
        let (status, desk) = operator.call(Method::POST, &format!("/operators/0/{path}"), body).await;
        assert_eq!(status, 200, "{desk}");
    }
    assert_eq!(operator.get("/operators/0/desk").await.1["call"]["number"], "09011112222");
    assert_eq!(watched().await, [], "an operator has the customer in hand");
    for _ in 0..3 {
        let (_, calls) = first.get("/calls").await;
        assert_eq!(calls[0]["number"], "09011112222");
        let call = calls[0]["call"].as_str().unwrap();
        assert_eq!(first.get(&format!("/calls/{call}")).await.0, 200);
    }
    assert_eq!(second.get("/operators/0/desk").await.1["call"]["number"], "09011112222");
    let mut request = running.url("/api/v1/events").replace("http://", "ws://").into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", third.token).parse().unwrap());
    let (mut stream, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    let hello = stream.next().await.unwrap().unwrap();
    assert!(hello.to_text().unwrap().contains("hello"));
    let mut request = running.url("/api/v1/events").replace("http://", "ws://").into_client_request().unwrap();
    request.headers_mut().insert("authorization", format!("Bearer {}", operator.token).parse().unwrap());
    let (mut own, _) = tokio_tungstenite::connect_async(request).await.unwrap();
    assert!(own.next().await.is_some());
    let about = "the live floor, for an hour";
    let wanted = [("account 2 \"supervisor\"", about), ("account 8 \"second\"", about), ("account 9 \"third\"", about)];
    assert_eq!(watched().await, wanted.map(|(who, about)| (who.to_owned(), about.to_owned())));
    running.server.stop().await;
}

/// Makes the store's sums right again, as somebody would who knows them: they are against accidents.
fn seal(store: &Connection) {
    let mut select = store.prepare("SELECT id, body FROM document WHERE kind = 'audit'").unwrap();
    let all = select.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))).unwrap();
    for (id, body) in all.map(Result::unwrap) {
        let seed = XxHash3_64::oneshot_with_seed(id.unsigned_abs(), b"audit");
        let sum = XxHash3_64::oneshot_with_seed(seed, body.as_bytes()).cast_signed();
        store.execute("UPDATE document SET sum = ?1 WHERE kind = 'audit' AND id = ?2", (sum, id)).unwrap();
    }
}

/// The log of a stopped server after `tamper` had its store: what is broken.
async fn after(tamper: &str, sealed: bool, noted: Option<Noted>) -> Result<u64, Broken> {
    let running = Running::start().await;
    for login in ["admin", "op1", "op2", "op3"] {
        running.sign_in(login).await;
    }
    let Running { server, directory, .. } = running;
    server.stop().await;
    let files = std::fs::read_dir(directory.path().join("main")).unwrap().map(|file| file.unwrap().path());
    let databases: Vec<_> =
        files.filter(|path| std::fs::read(path).is_ok_and(|bytes| bytes.starts_with(b"SQLite format 3"))).collect();
    assert_eq!(databases.len(), 1, "{databases:?}");
    let store = Connection::open(&databases[0]).unwrap();
    store.execute_batch(tamper).unwrap();
    if sealed {
        seal(&store);
    }
    drop(store);
    let mut reader = SqliteReader::open(&directory.path().join("main")).unwrap();
    let found = verify(&mut reader, noted.as_ref()).unwrap();
    found.map(|verified| verified.entries)
}

#[tokio::test]
async fn a_log_that_somebody_tampered_with_is_found_out() {
    let second = "kind = 'audit' AND id = 2";
    let broken = |entry, what: &str| Err(Broken { entry, what: what.to_owned() });
    assert_eq!(after("", true, None).await, Ok(4));
    let changed = format!("UPDATE document SET body = replace(body, 'op1', 'op4') WHERE {second}");
    assert_eq!(after(&changed, true, None).await, broken(2, "its content was changed"));
    let clumsy = after(&changed, false, None).await.unwrap_err();
    assert!(clumsy.entry == 2 && clumsy.what.starts_with("it cannot be read"), "{clumsy:?}");
    let gone = format!("DELETE FROM document WHERE {second}");
    assert_eq!(after(&gone, true, None).await, broken(2, "it is missing"));
    let last = "DELETE FROM document WHERE kind = 'audit' AND id = 4";
    assert_eq!(after(last, true, None).await, broken(4, "it is missing, and all that followed"));
    let rewritten = format!("3:{}", "ab".repeat(32)).parse().ok();
    assert_eq!(after("", true, rewritten).await, broken(3, "its hash is not the one that was noted"));
}
